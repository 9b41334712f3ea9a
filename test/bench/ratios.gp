# test/bench/ratios.gp: what a newcomer asks first, out of the file data: y, label,
# tier (1 preloaded, 2 trigger, 3 neither), the ratio and its quartiles.

set terminal svg size 960,height noenhanced font 'sans-serif,12' background 'white'
set datafile separator '\t'
set xrange [0:4]
set yrange [-lines - 0.7:-0.3]
set lmargin columns * 0.95
set rmargin 4
set tmargin 4
set border 1
set tics nomirror scale 0.5
set xtics 0.5
set grid xtics lc rgb '#dddddd' lt 1
set key outside top right horizontal samplen 2
set xlabel 'our cost / the cost by hand'
set arrow from 1, graph 0 to 1, graph 1 nohead lw 1.5 lc rgb '#666666' back

edge(x) = x > 3.95 ? 3.95 : x
plot data using ($3 == 1 ? edge($4) : NaN):($1 + 0.15):(edge($5)):(edge($6)):ytic(2) \
         with xerrorbars pt 7 ps 0.7 lc rgb '#1f6feb' title 'preloaded', \
     data using ($3 == 2 ? edge($4) : NaN):($1 - 0.15):(edge($5)):(edge($6)) \
         with xerrorbars pt 5 ps 0.7 lc rgb '#bc4c00' title 'trigger', \
     data using ($3 == 3 ? edge($4) : NaN):1:(edge($5)):(edge($6)) \
         with xerrorbars pt 9 ps 0.8 lc rgb '#57606a' title 'no tier'
