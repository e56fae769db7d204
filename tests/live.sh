#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# holdfastd against the NTP software of others, on hosts of our own (tests/live/hosts.sh says how, and why nothing
# of it can touch this machine). Each case is a script of tests/live/ and counts its claims; what it leaves to look at
# stands in BUILD/live/CASE/. Cases mostly wait, so several run at a time.
#
# A case that cannot run here is left out and named, with the reason; with CI=true that is a failure.
# Usage: tests/live.sh BUILD [CASE]...
set -u
cd "$(dirname "$0")/.." || exit 2
PATH=$PATH:/usr/sbin:/sbin
[ -d "${1:-}" ] || { echo 'usage: tests/live.sh BUILD [CASE]...' >&2; exit 2; }
build=$(cd "$1" && pwd)
shift
on_hosts=(discipline group clock_set upstreams leap clients symmetric ntpq failures access ipv6 harness) # the longest first
on_files=(capture statistics)                                       # read what the others left
jobs=${LIVE_JOBS:-6}
if [ $# -gt 0 ]; then
    on_hosts=("$@") on_files=()
fi
mkdir -p "$build/live"

passed=0 failed=0 left_out=0
leave_out() { # leave_out WHY CASE...
    local why=$1 name
    shift
    for name; do
        if [ "${CI:-}" = true ]; then
            failed=$((failed + 1))
            echo "FAIL  live $name cannot run: $why"
        else
            left_out=$((left_out + 1))
            echo "skip  live $name: $why"
        fi
    done
}

summary() {
    if [ "$left_out" -gt 0 ]; then echo "live: $left_out cases were left out"; fi
    echo "live: $passed passed, $failed failed"
    if [ "$failed" -eq 0 ]; then exit 0; fi
    exit 1
}

run_case() { # run_case CASE BUILD: leaves BUILD/live/CASE.log and .time
    local start=$SECONDS
    # A case that hangs is ended, with all its hosts; none takes half as long. It also ends with who started it.
    setpriv --pdeathsig TERM timeout --foreground --kill-after=30 400 bash "tests/live/$1.sh" "$2" >"$2/live/$1.log" 2>&1
    echo "$? $((SECONDS - start))" >"$2/live/$1.time"
}
export -f run_case

tell() { # tell CASE...: what they said, and their counts
    local name counts status took good bad line
    for name; do
        status=1 took=0 # of a case that never ran
        { read -r status took <"$build/live/$name.time"; } 2>/dev/null
        counts=$(tail -n 1 "$build/live/$name.log" | sed -nE 's/^.*: ([0-9]+) passed, ([0-9]+) failed$/\1 \2/p')
        read -r good bad <<<"${counts:-0 0}"
        if { [ "$status" -ne 0 ] || [ "$good" -eq 0 ]; } && [ "$bad" -eq 0 ]; then bad=1; fi
        passed=$((passed + good)) failed=$((failed + bad))
        if [ "$bad" -eq 0 ]; then
            printf 'ok    live %-11s %3d claims in %3d s\n' "$name" "$good" "$took"
            while IFS= read -r line; do # parts of it that could not run here
                leave_out "${line#*: }" "$(sed -E 's/^skip +live ([^:]*):.*/\1/' <<<"$line")"
            done < <(grep '^skip ' "$build/live/$name.log")
        else
            printf 'FAIL  live %-11s %3d claims in %3d s, %d failed\n' "$name" $((good + bad)) "$took" "$bad"
            sed '$d' "$build/live/$name.log" | head -n 60 | sed 's/^/      /'
        fi
    done
}

why_not() { # the first thing that hosts need and that is not here
    local tool
    [ "$(id -u)" -eq 0 ] || { echo 'hosts of our own need root (network namespaces)'; return; }
    for tool in ip unshare nsenter setpriv dumpcap tshark timeout; do
        command -v $tool >/dev/null || { echo "there is no $tool"; return; }
    done
    [ -x "$build/holdfastd" ] || { echo "$build/holdfastd has not been built"; return; }
    [ -x /usr/bin/python3 ] || { echo 'there is no /usr/bin/python3, which ntpq is written for'; return; }
    unshare --mount --net --uts --ipc --pid --fork --mount-proc \
        ip link add name a type veth peer name b 2>"$build/live/why" ||
        echo "this machine gives no network namespaces: $(tail -n 1 "$build/live/why")"
}

# --- what the cases need
.ci/packages iproute2 util-linux tshark python3 bzip2 >"$build/live/packages.log" 2>&1 # why_not tells what is missing
if ! tests/live/packages.sh "$build/debian" >"$build/live/debian.log" 2>&1; then
    leave_out "$(grep -m 1 '^holdfast: no ' "$build/live/debian.log" || tail -n 1 "$build/live/debian.log")" \
        "${on_hosts[@]}" "${on_files[@]}"
    summary
fi
compile() { # compile PRODUCT OPTION-OR-SOURCE...
    ${CC:-cc} -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -o "$build/live/$1" "${@:2}" -pthread -lm
}
compile still_clock.so -fPIC -shared tests/live/still_clock.c &&
    compile virtual_clock.so -fPIC -shared tests/live/virtual_clock.c &&
    compile virtual_clock tests/live/virtual_clock_control.c tests/live/virtual_clock.c || exit 2
beside=$build/debian/python3-ntp/usr/lib/python3/dist-packages/ntp/libntpc.so # why: tests/live/software.sh
[ -e "$beside" ] || ln -sfn "$(find "$build/debian/python3-ntp/" -name libntpc.so -not -path "$beside" | head -n 1)" "$beside"

# --- the cases
for name in "${on_hosts[@]}" "${on_files[@]}"; do
    rm -f "$build/live/$name.log" "$build/live/$name.time" # of a former run
done
why=$(why_not)
if [ -n "$why" ]; then
    leave_out "$why" "${on_hosts[@]}"
else
    # shellcheck disable=SC2016
    printf '%s\n' "${on_hosts[@]}" |
        setpriv --pdeathsig TERM xargs -P "$jobs" -I{} setpriv --pdeathsig TERM bash -c 'run_case "$@"' - {} "$build"
    tell "${on_hosts[@]}"
fi
export LIVE_WITHOUT_HOSTS=$why
for name in "${on_files[@]}"; do
    if [ "$name" = capture ] && [ -n "$why" ]; then
        leave_out "$why" capture
    else
        run_case "$name" "$build"
        tell "$name"
    fi
done
summary
