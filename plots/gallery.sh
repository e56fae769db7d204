#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The pictures that the README shows, made from shipped scenarios: plots/gallery/SCENARIO-PICTURE.svg.
# Same seed, same pictures. Run from the top of the tree.
# Usage: plots/gallery.sh HOLDFAST
set -eu
holdfast=$1
mkdir -p out plots/gallery

show() { # show SCENARIO PICTURE...
    scenario=$1
    shift
    "$holdfast" run "scenarios/$scenario.scenario" --quiet --out "out/gallery-$scenario" ||
        echo "gallery: $scenario does not meet its expectations; drawn all the same" >&2
    for picture; do
        cp "out/gallery-$scenario/$picture.svg" "plots/gallery/$scenario-$picture.svg"
    done
}

show time-group error spread state frequency
ls -l plots/gallery
