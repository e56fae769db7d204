# SPDX-License-Identifier: GPL-3.0-or-later
#
# What all pictures have in common. Every program is called with
#   format  'svg' or 'png'
#   output  the file to write
#   data    the folder of prepare.awk's columns
# set; it defines tall(hosts), its height in pixels, and entries(hosts), the length of its key, and then loads this
# file. Nothing here is about one picture.

set encoding utf8

# Okabe and Ito's palette, its yellow darkened: told apart with any kind of colour vision, and printed in grey.
array HUE[8] = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00', '#000000', '#8c6d31']
INK = '#333333'
PALE = '#9c9c9c'
SHADE = '#f6ecd2'

load data.'/run.gp'

# A key of more than two rows, at three entries a row, pushes down what is under it.
more = 17 * (entries(run_hosts) > 6 ? ceil(entries(run_hosts) / 3.0) - 2 : 0)
height = tall(run_hosts) + more
if (format eq 'svg') {
    set terminal svg size 900,height font 'sans-serif,12' background '#ffffff' noenhanced dynamic
} else {
    set terminal pngcairo size 900,height font 'sans-serif,11' background '#ffffff' noenhanced
}
set output output

# Heights on the picture, in pixels from its upper edge.
down(pixels) = 1 - real(pixels) / height

set border 3 linecolor rgb INK linewidth 1
set tics nomirror out scale 0.6 textcolor rgb INK
set grid back linecolor rgb '#dddddd' linewidth 0.6 linetype 1
set lmargin at screen 0.13
set rmargin at screen 0.975
set xrange [0:run_span]

# From above: what it shows and what is shaded; which run; the key; the plot.
KEY_AT = 66
PLOT_AT = 100 + more
run_subject = run_title.', seed '.run_seed.\
    (run_hosts < run_hosts_in_all ? sprintf(' (first %d of %d servers)', run_hosts, run_hosts_in_all) : '')
run_note = run_shaded eq '' ? '' : 'shaded: '.(strlen(run_shaded) > 50 ? run_shaded[1:48].'…' : run_shaded)
set label 101 run_subject at screen 0.025, screen down(44) left textcolor rgb INK
set label 102 run_note at screen 0.975, screen down(20) right textcolor rgb '#8a6d1c'
# The svg terminal only guesses how wide a text will be, and guesses high: with its own figure the key would not
# fit into two rows.
key_width = format eq 'svg' ? -7 : 2
set key horizontal left top Left reverse samplen 1.6 width key_width at screen 0.10, screen down(KEY_AT - 8)
set tmargin at screen down(PLOT_AT)
set bmargin at screen down(height - 60)

# The unit of time names the axis; the word "true" tells it from any clock on the picture.
run_axis = 'true time, '.run_unit

# Axis marks in units that people say: 0.0025 -> 2.5 ms.
label_s(x) = x == 0 ? '0' : abs(x) >= 1 ? sprintf('%g s', x) : abs(x) >= 1e-3 ? sprintf('%g ms', 1e3 * x) : \
    abs(x) >= 1e-6 ? sprintf('%g µs', 1e6 * x) : sprintf('%g ns', 1e9 * x)
signed_label_s(x) = x > 0 ? '+'.label_s(x) : x < 0 ? '−'.label_s(-x) : '0'

# A signed axis that is linear within +-linear and logarithmic beyond.
bent(x, linear) = asinh(x / linear)
unbent(x, linear) = linear * sinh(x)
decade_above(x) = 10.0 ** ceil(log10(x * 1.02))
