#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs every part of `make check` on what has been built under BUILD and adds up what they counted.
# A part ends with "NAME: N passed, M failed"; one that ends otherwise, or counts nothing, has failed.
# Usage: tests/check.sh BUILD
set -u
build=$1
logs=$build/check
mkdir -p "$logs" || exit 2

parts=0 passed=0 failed=0 broken=() times=()

part() { # part NAME COMMAND...: runs it, shows what it says, takes its counts
    local name=$1 status counts begun=$SECONDS
    shift
    "$@" 2>&1 | tee "$logs/$name.log"
    status=${PIPESTATUS[0]}
    counts=$(tail -n 1 "$logs/$name.log" |
        sed -nE 's/^.*: ([0-9]+) passed, ([0-9]+) failed$/\1 \2/p')
    set -- ${counts:-0 0}
    parts=$((parts + 1)) passed=$((passed + $1)) failed=$((failed + $2))
    if [ "$status" -ne 0 ] && [ "$2" -eq 0 ]; then
        failed=$((failed + 1)) # it died before it could count
    elif [ "$status" -eq 0 ] && [ "$1" -eq 0 ] && grep -q ' cases were left out$' "$logs/$name.log"; then
        : # nothing could be tested here, and it has said why
    elif [ "$status" -eq 0 ] && { [ "$1" -eq 0 ] || [ "$2" -ne 0 ]; }; then
        failed=$((failed + 1)) # nothing tested, or failures without a failing status
        status=1
    fi
    times+=("$name $((SECONDS - begun))")
    [ "$status" -eq 0 ] || broken+=("$name")
}

# The gates say nothing when all is well; each counts as one, and so does the proof that it catches offenders.
gates() {
    local good=0 bad=0 gate
    for gate in 'lengths.sh' 'lengths.sh --self-test' "purity.sh $build/libengine.a" 'purity.sh --self-test'; do
        # shellcheck disable=SC2086
        if tests/$gate; then
            good=$((good + 1))
            echo "ok    gate $gate"
        else
            bad=$((bad + 1))
            echo "FAIL  gate $gate"
        fi
    done
    echo "gates: $good passed, $bad failed"
    [ "$bad" -eq 0 ]
}

# Live cases mostly wait for packets, so they run beside the rest; the rest gives way, for what they measure is time.
beside() { # beside NAME COMMAND...: begins it; `part NAME await NAME` says how it ended
    local name=$1
    shift
    { "$@" >"$logs/$name.beside" 2>&1; echo $? >"$logs/$name.status"; } &
}

await() { # await NAME
    wait
    cat "$logs/$1.beside"
    return "$(cat "$logs/$1.status")"
}

beside live tests/live.sh "$build"
renice -n 10 -p $$ >/dev/null # of this shell and what it starts from now on

part gates gates
part unit tests/unit.sh "$build"
part scenarios tests/scenarios.sh "$build/holdfast"
part command-line tests/cli.sh "$build/holdfast"
part daemon tests/daemon.sh "$build"
part install tests/install.sh "$build"
part digests tests/digests.sh "$build" this gcc-O0
part unit-sanitized tests/unit.sh "$build/san"
part scenarios-sanitized tests/scenarios.sh "$build/san/holdfast" once
part command-line-sanitized tests/cli.sh "$build/san/holdfast"
part daemon-sanitized tests/daemon.sh "$build/san"
part live await live

if [ ${#broken[@]} -gt 0 ]; then
    echo "check: failed parts: ${broken[*]} (logs in $logs/)"
fi
printf 'check: seconds a part took:%s\n' "$(printf ' %s' "${times[@]}")"
echo "check, $parts parts: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
