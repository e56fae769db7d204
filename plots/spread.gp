# SPDX-License-Identifier: GPL-3.0-or-later
#
# How far the clients are from true time (above), and from each other (below). A point stands for the worst
# instant of its bin: the one in which the clients were furthest apart.

tall(hosts) = 600
entries(hosts) = 2
load style

set multiplot
stats data.'/spread.dat' using (abs($3) > abs($4) ? abs($3) : abs($4)) nooutput
largest = STATS_max > 0 ? STATS_max : 1e-3
linear_s = largest < 1e-3 ? 1e-6 : 1e-4
top = decade_above(largest)
set bmargin at screen down(310)
set nonlinear y via bent(y, linear_s) inverse unbent(y, linear_s)
set yrange [-top:top]
set ytics (signed_label_s(0) 0)
do for [decade = ceil(log10(linear_s)) : ceil(log10(top))] {
    set ytics add (signed_label_s(10.0 ** decade) 10.0 ** decade, signed_label_s(-10.0 ** decade) -10.0 ** decade)
}
set label 100 sprintf('Spread of %d clients', run_clients) at screen 0.025, screen down(20) left font ',14' \
    textcolor rgb INK
set ylabel 'clock − true time'
set format x ''
plot data.'/spread.dat' using 1:3:4 with filledcurves fillcolor rgb HUE[5] fillstyle transparent solid 0.45 \
         noborder title '95 % of the clients', \
     data.'/spread.dat' using 1:2 with lines linewidth 1.4 linecolor rgb HUE[1] title 'median client'

unset label 100
unset label 101
unset label 102
unset nonlinear y
stats data.'/spread.dat' using 7 nooutput
top = STATS_max > 0 ? decade_above(STATS_max) : 1
stats data.'/spread.dat' using ($5 > 0 ? $5 : NaN) nooutput
low = STATS_records > 0 ? 10.0 ** floor(log10(STATS_median / 5)) : top / 1e3
low = low < top ? low : top / 10
set tmargin at screen down(362)
set bmargin at screen down(height - 60)
set key at screen 0.10, screen down(320)
set logscale y
set yrange [low:top]
set ytics (label_s(low) low)
do for [decade = ceil(log10(low)) : ceil(log10(top))] {
    set ytics add (label_s(10.0 ** decade) 10.0 ** decade)
}
set format x '%g'
set ylabel 'distance from the median client'
set xlabel run_axis
plot data.'/spread.dat' using 1:7 with lines linewidth 0.9 linecolor rgb PALE title 'furthest client', \
     data.'/spread.dat' using 1:6 with lines linewidth 1.2 linecolor rgb HUE[2] title '95 % are nearer', \
     data.'/spread.dat' using 1:5 with lines linewidth 1.4 linecolor rgb HUE[1] title 'half are nearer'
unset multiplot
