#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What a reply costs: holdfastd with one and two server threads, Debian's chronyd and a bare echo of the same calls
# (tests/echo.c) stand in one network namespace, the load (tests/load.c) and an upstream in another, joined by a veth
# pair. They are measured in turn, several rounds in one run, and the median of each is printed beside the goals.
# Measures, and fails only when something could not be measured; times depend on the machine. Never touches a clock:
# chronyd runs with -x, ours with --no-clock-control, and neither has the right.
# Usage: tests/load_bench.sh BUILD [ROUNDS [SECONDS]]
set -u
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/sbin:/sbin
if [ $# -lt 1 ] || [ ! -x "$1/holdfastd" ]; then
    echo "usage: tests/load_bench.sh BUILD [ROUNDS [SECONDS]]" >&2
    exit 2
fi
build=$(cd "$1" && pwd)
rounds=${2:-5} seconds=${3:-2}
ports=8 window=8

leave_out() {
    echo "replies under load: not measured: $1"
    [ "${CI:-}" = true ] && exit 1
    exit 0
}
[ "$(id -u)" -eq 0 ] || leave_out 'network namespaces need root'
for tool in ip setpriv taskset; do
    command -v $tool >/dev/null || leave_out "$tool is missing"
done
tests/live/packages.sh "$build/debian" >"$build/debian.log" 2>&1 ||
    leave_out "Debian's chronyd: $(grep -m 1 '^holdfast: no ' "$build/debian.log" || tail -n 1 "$build/debian.log")"
chronyd=$build/debian/chrony/usr/sbin/chronyd

work=$(mktemp -d) || exit 2
here=holdfast-load-$$ there=holdfast-from-$$
pids=()
finish() {
    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null
    done
    wait 2>/dev/null
    ip netns del $here 2>/dev/null
    ip netns del $there 2>/dev/null
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

# 10.77.0.1 ... 4 are the servers, 10.77.0.100 the upstream, 10.77.1.1 ... 16 the clients.
{
    ip netns add $here && ip netns add $there &&
        ip -n $here link add veth type veth peer name veth netns $there
    for host in 1 2 3 4; do
        ip -n $here addr add 10.77.0.$host/16 dev veth
    done
    ip -n $there addr add 10.77.0.100/16 dev veth
    for host in {1..16}; do
        ip -n $there addr add "10.77.1.$host/16" dev veth
    done
    for name in $here $there; do
        ip -n "$name" link set lo up && ip -n "$name" link set veth up
    done
} || leave_out 'network namespaces cannot be made here'
clients=(10.77.1.{1..16})

# Without the right to set the clock, whatever it tries; answers in $pid.
start() { # start NAMESPACE NAME COMMAND...
    ip netns exec "$1" setpriv --bounding-set -sys_time --inh-caps -sys_time "${@:3}" >"$work/$2.log" 2>&1 &
    pid=$!
    pids+=("$pid")
}

cat >"$work/upstream.conf" <<END
local stratum 1
allow
cmdport 0
bindaddress 10.77.0.100
pidfile $work/upstream.pid
END
cat >"$work/chrony.conf" <<END
server 10.77.0.100 minpoll 3 maxpoll 3 iburst
allow
cmdport 0
bindaddress 10.77.0.3
pidfile $work/chrony.pid
END
mkdir "$work/stats"
for threads in 1 2; do
    cat >"$work/ours-$threads.conf" <<END
server 10.77.0.100 minpoll 3 maxpoll 3 iburst
restrict default nomodify nopeer
threads $threads
interface ignore all
interface listen 10.77.0.$threads
END
done
# Loopback, where status is asked for, is the first one's.
printf 'interface ignore %s\n' 127.0.0.1 ::1 >>"$work/ours-2.conf"
# A line for each answer of the upstream that was accepted.
printf '%s\n' "statsdir $work/stats/" 'statistics peerstats' 'filegen peerstats type none' >>"$work/ours-1.conf"
start $there upstream "$chronyd" -x -d -u root -f "$work/upstream.conf"
start $here one "$build/holdfastd" -n --no-clock-control -c "$work/ours-1.conf"
one=$pid
start $here two "$build/holdfastd" -n --no-clock-control -c "$work/ours-2.conf"
two=$pid
start $here chrony "$chronyd" -x -d -u root -f "$work/chrony.conf"
chrony=$pid
start $here echo "$build/echo" 10.77.0.4 123
echo=$pid

status() { # status FIELD: of the daemon with one thread
    ip netns exec $here "$build/holdfast" status --json 2>/dev/null |
        sed -n "s/.*\"$1\": *\"\{0,1\}\([^,\"}]*\).*/\1/p" | head -n 1
}
offsets() { # offsets SECONDS: the largest offset in microseconds, and of how many answers; fails with fewer than two
    local before
    before=$(wc -l <"$work/stats/peerstats")
    sleep "$1"
    awk -v before="$before" '
        NR > before { n++; a = 1e6 * ($5 < 0 ? -$5 : $5); if (a > largest) largest = a }
        END { print largest + 0, n + 0; exit n < 2 }' "$work/stats/peerstats"
}
no_exchange() { # no_exchange WHEN OFFSETS
    echo "load_bench: $1: its upstream answered ${2#* } times in $watched s, expected 2 at least" >&2
    exit 1
}
for ((i = 0; i < 30; i++)); do
    [ "$(status state)" = synchronised ] && break
    sleep 1
done
[ "$(status state)" = synchronised ] || { cat "$work/one.log"; echo "load_bench: holdfastd did not synchronise" >&2; exit 1; }

# One processor for the load; the other, or all, for the server.
last=$(($(nproc) - 1))
measure() { # measure NAME ADDRESS PID: appends replies/s, lost, us/reply and shares of threads
    ip netns exec $there taskset -c $last "$build/load" "$2" 123 "$seconds" $ports $window "$3" "${clients[@]}" >>"$work/$1"
}
pin() { # pin PID CPUS: with its threads
    for task in /proc/"$1"/task/*; do
        taskset -pc "$2" "${task##*/}" >/dev/null 2>&1
    done
}
pin "$one" 0
pin "$chrony" 0
pin "$echo" 0

# It asks every 8 s: two exchanges at least in what is watched.
watched=20
quiet=$(offsets $watched) || no_exchange 'when idle' "$quiet"
for ((round = 0; round < rounds; round++)); do
    measure echo 10.77.0.4 "$echo"
    measure one 10.77.0.1 "$one"
    measure chrony 10.77.0.3 "$chrony"
    measure two 10.77.0.2 "$two"
done
ip netns exec $there taskset -c $last "$build/load" 10.77.0.1 123 $((watched + 2)) $ports $window "$one" "${clients[@]}" \
    >"$work/flood" &
flood=$!
flooded=$(offsets $watched) || no_exchange 'under load' "$flooded"
wait $flood || { echo 'load_bench: no replies in the flood' >&2; exit 1; }

median() { # median NAME COLUMN
    awk -v column="$2" '{ print $column }' "$work/$1" | sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}
ratio() { # ratio A B
    awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", (b > 0 ? a / b : 0) }'
}
row() { # row TITLE NAME
    printf '  %-24s %12.0f %9.3f %10.2f %8d   %s\n' "$1" "$(median "$2" 1)" "$(median "$2" 3)" \
        "$(ratio "$(median "$2" 3)" "$(median echo 3)")" "$(awk '{ n += $2 } END { print n }' "$work/$2")" \
        "$(awk 'NR == 1 { for (i = 4; i <= NF; i++) printf "%s%s", $i, (i < NF ? " " : "") }' "$work/$2")"
}
for name in echo one chrony two; do
    [ "$(wc -l <"$work/$name" 2>/dev/null)" = "$rounds" ] ||
        { cat "$work/$name.log"; echo "load_bench: no answers from $name" >&2; exit 1; }
done

echo "mode 3 under load: $((16 * ports)) ports of 16 addresses, $window requests under way on each; $(nproc) processors, one of"
echo "them the load's; medians of $rounds rounds of $seconds s, in turn"
printf '  %-24s %12s %9s %10s %8s   %s\n' '' replies/s us/reply 'of echo' lost 'threads, % of its time'
row 'bare echo' echo
row 'holdfastd, threads 1' one
row "chronyd ($("$chronyd" --version | sed 's/.*version \([0-9.]*\).*/\1/'), one thread)" chrony
row 'holdfastd, threads 2' two
printf '  processor per reply, holdfastd over chronyd    %6s   goal <= 1\n' "$(ratio "$(median one 3)" "$(median chrony 3)")"
printf '  processor per reply, holdfastd over the echo   %6s   goal <= 1.1\n' "$(ratio "$(median one 3)" "$(median echo 3)")"
printf '  replies/s, two threads over one                %6s   goal close to 2' "$(ratio "$(median two 1)" "$(median one 1)")"
if [ "$(nproc)" -lt 3 ]; then
    printf '; the load takes one of the %d processors here\n' "$(nproc)"
else
    printf '\n'
fi
printf '  the same, had each thread a processor to itself %5s   goal close to 2; by processor per reply\n' \
    "$(awk -v one="$(median one 3)" -v two="$(median two 3)" 'BEGIN { printf "%.2f", 2 * one / two }')"
printf '  largest offset of its client side       %10.1f us in %d answers when idle, %.1f us in %d under load\n' \
    "${quiet% *}" "${quiet#* }" "${flooded% *}" "${flooded#* }"
