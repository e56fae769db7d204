# SPDX-License-Identifier: GPL-3.0-or-later
#
# The hosts' frequency: the correction that each applies beside the one that its oscillator needs, what is left, and
# the poll exponent that sets the loop's time constant.

tall(hosts) = 660
entries(hosts) = hosts + 1
load style

LINEAR_PPM = 0.01

set multiplot
set label 100 'Frequency correction and poll exponent' at screen 0.025, screen down(20) left font ',14' textcolor rgb INK
set format x ''

set bmargin at screen down(270 + more)
set ylabel 'correction, ppm'
plot for [i = 1 : run_hosts] data.'/drift_ppm.dat' index i - 1 using 1:2 with lines linewidth 1.8 \
         linecolor rgb HUE[i] title run_host[i].' applies', \
     for [i = 1 : run_hosts] data.'/frequency_ppm.dat' index i - 1 using 1:(-$2) with lines linewidth 1 dashtype 3 \
         linecolor rgb INK title i == 1 ? 'its oscillator needs' : ''

unset label 100
unset label 101
unset label 102
unset key
set tmargin at screen down(290 + more)
set bmargin at screen down(460 + more)
set ylabel 'what is left, ppm'
stats data.'/residual_ppm.dat' using (abs($2)) nooutput
top = decade_above(STATS_records > 0 && STATS_max > LINEAR_PPM ? STATS_max : LINEAR_PPM)
set nonlinear y via bent(y, LINEAR_PPM) inverse unbent(y, LINEAR_PPM)
set yrange [-top:top]
set ytics ('0' 0)
do for [decade = ceil(log10(LINEAR_PPM)) : ceil(log10(top))] {
    set ytics add (sprintf('+%g', 10.0 ** decade) 10.0 ** decade, sprintf('−%g', 10.0 ** decade) -10.0 ** decade)
}
plot for [i = 1 : run_hosts] data.'/residual_ppm.dat' index i - 1 using 1:2 with lines linewidth 1.2 \
         linecolor rgb HUE[i]

unset nonlinear y
set tmargin at screen down(480 + more)
set bmargin at screen down(height - 60)
set ylabel 'poll, log2 s'
set xlabel run_axis
set format x '%g'
set yrange [2.5:17.5]
set ytics autofreq 3,2,17
# Equal polls lie on each other: the later ones are drawn narrower, so that all are seen.
plot for [i = 1 : run_hosts] data.'/poll.dat' index i - 1 using 1:2 with steps linewidth 1 + 3.0 * (run_hosts - i) / run_hosts \
         linecolor rgb HUE[i]
unset multiplot
