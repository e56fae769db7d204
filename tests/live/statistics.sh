#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# ntpviz draws our statistics: those of the simulator, over two simulated days, and those that holdfastd wrote in the
# case ntpq. What it read is held against the files: its table has their least and greatest values.
# Where there can be no hosts, tests/live.sh says why in LIVE_WITHOUT_HOSTS, and the second half is left out by name.
# Usage: tests/live/statistics.sh BUILD
. "$(dirname "$0")/hosts.sh"
. "$(dirname "$0")/software.sh"

draw() { # draw NAME ARGUMENT...: of case_dir/NAME into case_dir/NAME-drawn
    local name=$1
    shift
    env PYTHONPATH="$python_modules" LD_LIBRARY_PATH="$python_libraries" PYTHONDONTWRITEBYTECODE=1 \
        TZ=UTC TMPDIR="$case_dir" /usr/bin/python3 "$debian/ntpsec-ntpviz/usr/bin/ntpviz" -g -d "$case_dir/$name" \
        -o "$case_dir/$name-drawn" "$@" >"$case_dir/$name.log" 2>&1
}
extreme() { # extreme NAME KIND COLUMN FACTOR [ADDRESS]: "LEAST GREATEST" of that column of our files
    cat "$case_dir/$1/$2".* | awk -v column="$3" -v factor="$4" -v address="${5:-}" '
        address == "" || $3 == address {
            v = $column * factor
            if (!n++ || v < low) low = v
            if (n == 1 || v > high) high = v
        }
        END { print low, high }'
}
claim_extremes() { # claim_extremes NAME ROW UNIT LEAST GREATEST: of ntpviz's table; it picks the unit by itself
    local least greatest unit scale
    least=$(awk -F , -v row="$2" '$1 == row { print $2 }' "$case_dir/$1-drawn/summary.csv")
    greatest=$(awk -F , -v row="$2" '$1 == row { print $8 }' "$case_dir/$1-drawn/summary.csv")
    unit=$(awk -F , -v row="$2" '$1 == row { print $15 }' "$case_dir/$1-drawn/summary.csv")
    case $3-$unit in
    s-s | ppm-ppm) scale=1 ;;
    s-ms | ppm-ppb) scale=1000 ;;
    s-µs) scale=1000000 ;;
    s-ns) scale=1000000000 ;;
    *) scale=1 ;; # and a value that is not 0 will differ
    esac
    # It prints four or five digits.
    claim "$1: $2" "$(awk -v scale="$scale" -v a="$least" -v b="$greatest" -v low="$4" -v high="$5" '
        function differ(x, y) { d = x - y; return (d < 0 ? -d : d) > 0.0001 + 0.001 * (y < 0 ? -y : y) }
        BEGIN { if (a == "" || differ(a, low * scale) || differ(b, high * scale))
            print "ntpviz has " a " ... " b ", the file " low " ... " high " times " scale }')"
}
check() { # check NAME PICTURES ADDRESS...: the pictures and the table
    local name=$1 pictures=$2 picture low high address
    shift 2
    claim_no_match "$name: ntpviz has nothing to complain of" 'ERROR|Traceback|no (loopstats|server)' \
        "$(cat "$case_dir/$name.log")"
    for picture in $pictures; do
        claim_equal "$name: $picture.png is a picture" PNG \
            "$(head -c 4 "$case_dir/$name-drawn/$picture.png" 2>&1 | tail -c 3)"
        claim_between "$name: $picture.png has so many octets" 3000 1000000 \
            "$(stat -c %s "$case_dir/$name-drawn/$picture.png" 2>&1)"
    done
    read -r low high <<<"$(extreme "$name" loopstats 3 1)"
    claim_extremes "$name" 'Local Clock Time Offset' s "$low" "$high"
    read -r low high <<<"$(extreme "$name" loopstats 4 1)"
    claim_extremes "$name" 'Local Clock Frequency Offset' ppm "$low" "$high"
    for address; do
        read -r low high <<<"$(extreme "$name" peerstats 5 1 "$address")"
        claim_extremes "$name" "Server Offset $address" s "$low" "$high"
    done
}

of_time='local-jitter local-offset-histogram peer-offsets peer-jitters'
# --- the simulator's. ntpviz looks for files with a date in their names, and not older than what it is to draw.
HOLDFAST_PLOTS=/nonexistent "$build/holdfast" run "$root/scenarios/healthy.scenario" --until 2d --out "$case_dir/run" \
    >"$case_dir/run.log" 2>&1
mkdir "$case_dir/simulated"
for kind in loopstats peerstats; do
    cp "$case_dir/run/tick/$kind" "$case_dir/simulated/$kind.20260301"
    touch -d 2026-03-03 "$case_dir/simulated/$kind.20260301"
done
draw simulated -s 2026-03-01T00:00:00 -e 2026-03-03T00:00:00
# A simulated upstream has an address of its own; ntpviz names what has a name, and that one cannot have any.
check simulated "local-offset local-stability $of_time" 140.160.247.31

# --- the daemon's
if [ -n "${LIVE_WITHOUT_HOSTS:-}" ]; then
    echo "skip  live statistics, of the daemon: the case ntpq has not written any: $LIVE_WITHOUT_HOSTS"
elif [ ! -d "$build/live/ntpq/first/log/ntpstats" ]; then
    claim 'the case ntpq has left statistics of the daemon' "there is no $build/live/ntpq/first/log/ntpstats"
else
    cp -a "$build/live/ntpq/first/log/ntpstats" "$case_dir/daemon"
    today=$(find "$case_dir/daemon" -name 'loopstats.*' | sed 's/.*\.//' | sort | tail -n 1)
    for kind in loopstats peerstats rawstats protostats; do
        claim_that "$kind.$today has lines" test -s "$case_dir/daemon/$kind.$today"
        claim_that "$kind is a link to it" test "$case_dir/daemon/$kind" -ef "$case_dir/daemon/$kind.$today"
    done
    rm -f "$case_dir/daemon/"{loopstats,peerstats}
    # Its clock is 35 ms ahead of its source's.
    for column in 'loopstats 3' 'peerstats 5'; do
        read -r low high <<<"$(extreme daemon "${column% *}" "${column#* }" 1)"
        claim_between "daemon: the least offset in ${column% *}, in s" -0.037 -0.033 "$low"
        claim_between "daemon: and the greatest" -0.037 -0.033 "$high"
    done
    read -r low high <<<"$(extreme daemon loopstats 4 1)"
    claim_equal 'daemon: the frequency in ppm is the drift file'\''s all along' '-12.345 -12.345' "$low $high"
    read -r low high <<<"$(extreme daemon peerstats 6 1)"
    claim_between 'daemon: the least delay in s, of one hop' 0.000001 0.005 "$low"
    claim_between 'daemon: and the greatest' 0.000005 0.02 "$high"
    read -r low high <<<"$(extreme daemon peerstats 7 1)"
    claim_between 'daemon: the least dispersion in s, of a full filter' 0.00001 0.05 "$low"
    claim_between 'daemon: the greatest, of one sample of eight: half of 16 s and little more' 7.9 8.1 "$high"
    read -r low high <<<"$(extreme daemon peerstats 8 1)"
    claim_between 'daemon: the least jitter in s: not less than the clock can tell' 0.0000001 0.002 "$low"
    claim_between 'daemon: and the greatest' 0.0000001 0.002 "$high"
    # A run of seconds has measured no frequency yet, and gnuplot draws no range from 0 to 0.
    draw daemon
    check daemon "$of_time" 10.0.0.1
fi
