# test/bench/chart.gp: the lines with a goal, out of the file data: y, label, the
# ratio as a part of the goal, its quartiles, whether a goal was missed. What is
# beyond the right edge is drawn at it.

set terminal svg size 480 + 6 * columns,height noenhanced font 'sans-serif,11' background 'white'
set datafile separator '\t'
set xrange [0:2.1]
set yrange [0.3:lines + 0.7]
set lmargin columns * 0.86
set rmargin 4
set tmargin 4
set border 1
set tics nomirror scale 0.5
set xtics 0.25
set grid xtics lc rgb '#dddddd' lt 1
set key outside top center horizontal
set xlabel 'ratio / goal'
set arrow from 1, graph 0 to 1, graph 1 nohead lw 1.5 lc rgb '#666666' back

good = '#1a7f37'
bad = '#cf222e'
edge(x) = x > 2.05 ? 2.05 : x
plot data using ($6 == 0 ? edge($3) : NaN):1:(edge($4)):(edge($5)):ytic(2) with xerrorbars pt 7 ps 0.5 lc rgb good title 'median and quartiles', \
     data using ($6 == 1 ? edge($3) : NaN):1:(edge($4)):(edge($5)) with xerrorbars pt 7 ps 0.5 lc rgb bad title 'a goal is missed'
