# SPDX-License-Identifier: GPL-3.0-or-later
#
# True error of every node over time, with the bound that each host claims as a band around zero. The axis is
# linear within a tenth of a millisecond (a microsecond in a run that never leaves a millisecond) and
# logarithmic beyond, on both sides of zero, so that a bound of a second and an error of a millisecond are both read.

tall(hosts) = 520
entries(hosts) = hosts + 2
load style

stats data.'/error_s.dat' using (abs($2)) nooutput
largest = STATS_records > 0 && STATS_max > 0 ? STATS_max : 1e-3
linear_s = largest < 1e-3 ? 1e-6 : 1e-4
stats data.'/bound_s.dat' using 2 nooutput
top = decade_above(STATS_records > 0 && STATS_max > largest ? STATS_max : largest)

set nonlinear y via bent(y, linear_s) inverse unbent(y, linear_s)
set yrange [-top:top]
set ytics (signed_label_s(0) 0)
do for [decade = ceil(log10(linear_s)) : ceil(log10(top))] {
    set ytics add (signed_label_s(10.0 ** decade) 10.0 ** decade, signed_label_s(-10.0 ** decade) -10.0 ** decade)
}
set label 100 'True error and claimed bound' at screen 0.025, screen down(20) left font ',14' textcolor rgb INK
set ylabel 'clock − true time (positive: fast)'
set xlabel run_axis

clients_name = run_clients_drawn < run_clients ? sprintf('%d of %d clients', run_clients_drawn, run_clients) : \
    sprintf('%d clients', run_clients)
plot for [i = 1 : run_hosts] data.'/bound_s.dat' index i - 1 using 1:2:(-$2) with filledcurves \
         fillcolor rgb HUE[i] fillstyle transparent solid 0.32 / run_hosts noborder notitle, \
     for [i = 0 : run_clients_drawn - 1] data.'/clients.dat' index i using 1:2 with lines linewidth 0.5 \
         linecolor rgb PALE notitle, \
     for [i = 1 : run_hosts] data.'/bound_s.dat' index i - 1 using 1:2 with lines linewidth 0.7 \
         linecolor rgb HUE[i] notitle, \
     for [i = 1 : run_hosts] data.'/bound_s.dat' index i - 1 using 1:(-$2) with lines linewidth 0.7 \
         linecolor rgb HUE[i] notitle, \
     for [i = 1 : run_hosts] data.'/error_s.dat' index i - 1 using 1:2 with lines linewidth 1.6 \
         linecolor rgb HUE[i] title run_host[i], \
     NaN with filledcurves fillcolor rgb '#d6d3cc' title 'the bound that each server claims', \
     NaN with lines linewidth 1 linecolor rgb PALE title run_clients > 0 ? clients_name : ''
