#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# ntpviz draws our statistics: those of the simulator, over two simulated days, and those that holdfastd wrote in the
# case discipline, over a minute and more. What it read is held against the files: its table has their least and
# greatest values. What the files of the daemon hold is judged by what is true of its clock; of the case ntpq's, which
# last for seconds, that alone: ntpviz rounds to a ten-thousandth of a unit that it picks, and where all values
# are alike by then, gnuplot refuses the range.
# Where there can be no hosts, tests/live.sh says why in LIVE_WITHOUT_HOSTS, and the second half is left out by name.
# Usage: tests/live/statistics.sh BUILD
. "$(dirname "$0")/hosts.sh"
. "$(dirname "$0")/software.sh"

draw() { # draw NAME ARGUMENT...: of case_dir/NAME into case_dir/NAME-drawn
    local name=$1
    shift
    env PYTHONPATH="$python_modules" \
        TZ=UTC TMPDIR="$case_dir" /usr/bin/python3 "$debian/ntpsec-ntpviz/usr/bin/ntpviz" -g -d "$case_dir/$name" \
        -o "$case_dir/$name-drawn" "$@" >"$case_dir/$name.log" 2>&1
}
extreme() { # extreme NAME KIND COLUMN [ADDRESS]: "LEAST GREATEST" of that column of our files
    cat "$case_dir/$1/$2".* | awk -v column="$3" -v address="${4:-}" '
        address == "" || $3 == address {
            v = $column
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
check() { # check NAME ADDRESS...: the pictures and the table
    local name=$1 picture low high address
    shift
    claim_no_match "$name: ntpviz has nothing to complain of" 'ERROR|Traceback|no (loopstats|server)' \
        "$(cat "$case_dir/$name.log")"
    for picture in local-offset local-stability local-jitter local-offset-histogram peer-offsets peer-jitters; do
        claim_equal "$name: $picture.png is a picture" PNG \
            "$(head -c 4 "$case_dir/$name-drawn/$picture.png" 2>&1 | tail -c 3)"
        claim_between "$name: $picture.png has so many octets" 3000 1000000 \
            "$(stat -c %s "$case_dir/$name-drawn/$picture.png" 2>&1)"
    done
    read -r low high <<<"$(extreme "$name" loopstats 3)"
    claim_extremes "$name" 'Local Clock Time Offset' s "$low" "$high"
    read -r low high <<<"$(extreme "$name" loopstats 4)"
    claim_extremes "$name" 'Local Clock Frequency Offset' ppm "$low" "$high"
    for address; do
        read -r low high <<<"$(extreme "$name" peerstats 5 "$address")"
        claim_extremes "$name" "Server Offset $address" s "$low" "$high"
    done
}

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
check simulated 140.160.247.31

# --- the daemon's
if [ -n "${LIVE_WITHOUT_HOSTS:-}" ]; then
    echo "skip  live statistics, of the daemon: the cases ntpq and discipline have not written any: $LIVE_WITHOUT_HOSTS"
    exit
fi
left_by() { # left_by NAME FOLDER: what a case has left, as case_dir/NAME
    claim_that "$1: a case has left statistics of the daemon" cp -a "$build/live/$2" "$case_dir/$1"
}
# claim_lines 'NAME: CLAIM' KIND EXPRESSION LOW HIGH [CONDITION]: in awk's words, of all lines where that holds, and of one
claim_lines() {
    local wrong
    wrong=$(cat "$case_dir/${1%%:*}/$2".* | awk -v low="$4" -v high="$5" '
        function off(x) { return x < 0 ? -x : x }
        '"${6:-1}"' {
            n++
            v = '"$3"'
            if (v < low || v > high) { print v ", expected " low " ... " high " in: " $0; exit }
        }
        END { if (!n) print "there is no such line" }')
    claim "$1" "$wrong"
}
least() { extreme "$@" | cut -d ' ' -f 1; }
greatest() { extreme "$@" | cut -d ' ' -f 2; }
# shellcheck disable=SC2016
offset='$5' delay='$6' # of peerstats

# Of the case ntpq: its clock is 35 ms ahead of its source's, and nobody steers it.
left_by followed ntpq/first/log/ntpstats
for kind in loopstats peerstats rawstats protostats; do
    file=$(find "$case_dir/followed" -name "$kind.*" | sort | tail -n 1) # of that kind: midnight may lie between two
    claim_that "followed: $kind has lines" test -s "$file"
    claim_that "followed: $kind without a date is a link to it" test "$case_dir/followed/$kind" -ef "$file"
done
# However long a busy machine held up an exchange, half of its delay is the most that it can be off; and most are quick.
claim_lines 'followed: what an offset is off by, less half of its delay, in s' \
    peerstats "off($offset + 0.035) - $delay / 2" -1 0.0005
claim_between 'followed: the least delay in s, of one hop' 0.000001 0.005 "$(least followed peerstats 6)"
claim_equal 'followed: offsets that loopstats have and peerstats have not' '' "$(awk '
    FILENAME ~ /peerstats/ { seen[$5]; next } !($3 in seen)' "$case_dir/followed/"{peerstats,loopstats}.*)"
claim_equal 'followed: the frequency in ppm is the drift file'\''s all along' '-12.345 -12.345' \
    "$(extreme followed loopstats 4)"
claim_between 'followed: the least dispersion in s, of a full filter' 0.00001 0.05 "$(least followed peerstats 7)"
claim_between 'followed: the greatest, of one sample of eight: half of 16 s and little more' 7.9 8.1 \
    "$(greatest followed peerstats 7)"
slowest=$(cat "$case_dir/followed/rawstats".* |
    awk '{ d = $8 - $5 - ($7 - $6); if (d > worst) worst = d } END { print worst }')
claim_between 'followed: the least jitter in s: not less than the clock can tell' 0.0000001 0.002 \
    "$(least followed peerstats 8)"
claim_between 'followed: and the greatest: not more than the slowest exchange makes' \
    0.0000001 "$(awk -v s="$slowest" 'BEGIN { print s + 0.0001 }')" "$(greatest followed peerstats 8)"

# Of the case discipline: its clock begins 80 ms ahead and 50 ppm fast, is stepped, runs away for a minute while the
# frequency is measured, and is right from then on. A sample of before that is moved with the clock when it is slewed,
# but not by what it ran away since; so for eight polls it may be that much behind.
left_by steered discipline/stepped/state/ntpstats
quick="$delay < 0.002"
claim_lines 'steered: offsets of quick exchanges before the step, in s' \
    peerstats "$offset" -0.083 -0.0795 "$quick && $offset < -0.02"
claim_lines 'steered: and after it' peerstats "$offset" -0.009 0.009 "$quick && $offset >= -0.02"
claim_between 'steered: what ran up while the frequency was measured, in s' -0.009 -0.0027 \
    "$(least steered loopstats 3)"
claim_between 'steered: and it was never behind, in s' 0 0.001 "$(greatest steered loopstats 3)"
in_order() { sort -n -k 1,1 -k 2,2 "$case_dir/steered/loopstats".*; }
claim_equal 'steered: the first frequency in ppm, not known yet' 0.000 "$(in_order | awk 'NR == 1 { print $4 }')"
read -r last_offset last_frequency <<<"$(in_order | awk 'END { print $3, $4 }')"
claim_between 'steered: the last offset in s' -0.001 0.001 "$last_offset"
claim_between 'steered: the last frequency in ppm' -51 -49 "$last_frequency"
claim_between 'steered: which is the drift file'\''s, in ppm' -0.001 0.001 \
    "$(awk -v last="$last_frequency" '{ print $1 - last }' "$build/live/discipline/stepped/state/drift")"
claim_between 'steered: the greatest wander in ppm: 50 at once, over the root of eight' 17 18.5 \
    "$(greatest steered loopstats 6)"
# To the end of what it wrote: by default that is the last full second.
draw steered -e $(($(date +%s) + 60))
check steered 10.0.0.1
