#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Draws a run directory: DIR/error.svg .png, spread, state, frequency. Needs its summary.json and truth.csv, awk
# and gnuplot; the simulator is not asked. A picture is written under another name and moved into place.
# Usage: plots/draw.sh DIR [svg|png]      exit status 0, 2 (usage) or 3 with a message on stderr
set -u
LC_ALL=C.UTF-8
export LC_ALL

fail() {
    echo "holdfast: $1" >&2
    exit 3
}

[ $# -ge 1 ] || { echo 'usage: plots/draw.sh DIR [svg|png]' >&2; exit 2; }
run=$1
formats=${2:-svg png}
programs=$(dirname "$0")
[ -d "$run" ] || fail "$run: no such directory"
for file in summary.json truth.csv; do
    [ -r "$run/$file" ] || fail "$run: holds no run ($file is missing)"
done
command -v gnuplot >/dev/null 2>&1 ||
    fail 'gnuplot is not installed (Debian: apt-get install gnuplot-nox); no pictures'

work=$(mktemp -d) || exit 3
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
awk -f "$programs/flatten.awk" "$run/summary.json" >"$work/summary" &&
    awk -v out="$work" -f "$programs/prepare.awk" "$work/summary" "$run/truth.csv" ||
    fail "$run: cannot be read as a run"

for picture in error spread state frequency; do
    # A run without clients has no spread, and one without hosts only that.
    case $picture in
    spread) [ -s "$work/spread.dat" ] || continue ;;
    *) [ -s "$work/strips.dat" ] || continue ;;
    esac
    for format in $formats; do
        gnuplot -e "format = '$format'; output = '$work/picture'; data = '$work'; style = '$programs/style.gp'" \
            "$programs/$picture.gp" >"$work/said" 2>&1 ||
            { cat "$work/said" >&2; fail "gnuplot could not draw $picture.$format"; }
        cp "$work/picture" "$run/.$picture.$format" 2>/dev/null &&
            mv "$run/.$picture.$format" "$run/$picture.$format" ||
            { rm -f "$run/.$picture.$format"; fail "$run/$picture.$format: cannot be written"; }
    done
done
