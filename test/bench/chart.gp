# test/bench/chart.gp: the lines with a goal, out of the file data: y, label,
# ratio, quartiles, goal, whether it was missed

set terminal svg size 1100,height noenhanced font 'sans-serif,11' background 'white'
set datafile separator '\t'
set logscale x
set xrange [0.004:*]
set yrange [0.3:lines + 0.7]
set lmargin 74
set border 1
set tics nomirror scale 0.5
set xtics (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100)
set grid xtics lc rgb '#dddddd' lt 1
set key outside top center horizontal
set xlabel 'our cost / their cost'
set arrow from 1, graph 0 to 1, graph 1 nohead lc rgb '#888888' back

good = '#1a7f37'
bad = '#cf222e'
plot data using ($7 == 0 ? $3 : NaN):1:4:5:ytic(2) with xerrorbars pt 7 ps 0.5 lc rgb good title 'median and quartiles, goal reached', \
     data using ($7 == 1 ? $3 : NaN):1:4:5 with xerrorbars pt 7 ps 0.5 lc rgb bad title 'goal missed', \
     data using 6:1 with points pt '|' lc rgb 'black' title 'goal'
