# SPDX-License-Identifier: GPL-3.0-or-later
#
# What each host says of itself over time: its state, its stratum, and how many of its last eight polls were
# answered. Coloured bars, one row each.

tall(hosts) = 176 + 90 * hosts
entries(hosts) = 6
load style

set label 100 'State, stratum and reach of each server' at screen 0.025, screen down(20) left font ',14' textcolor rgb INK
set xlabel run_axis
set yrange [-0.8:4 * run_hosts - 1]
unset grid
set border 1
set ytics scale 0
set ytics ('' 0)
do for [i = 1 : run_hosts] {
    row = 4 * (run_hosts - i)
    set ytics add (run_host[i].'  state' row + 2, 'stratum' row + 1, 'reach' row)
}
set lmargin at screen 0.155
set key at screen 0.02, screen down(KEY_AT - 10) width 0
set tmargin at screen down(PLOT_AT + 6)
set style fill solid 1.0 noborder

plot data.'/strips.dat' using 1:3:1:2:($3 - 0.4):($3 + 0.4):4 with boxxyerror linecolor rgb variable notitle, \
     data.'/labels.dat' using 1:2:3 with labels textcolor rgb INK notitle, \
     NaN with boxes linecolor rgb 0x009e73 title 'synchronised', \
     NaN with boxes linecolor rgb 0xe69f00 title 'holdover', \
     NaN with boxes linecolor rgb 0xd55e00 title 'unsynchronised', \
     NaN with boxes linecolor rgb 0xcc79a7 title 'panic', \
     NaN with boxes linecolor rgb 0xbbbbbb title 'down', \
     NaN with boxes linecolor rgb 0xeeeeee title 'reach 8 of 8', \
     NaN with boxes linecolor rgb 0x1e1e1e title 'reach 0'
