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
    local took=$((SECONDS - begun))
    [ ! -e "$logs/$name.ended" ] || read -r _ took <"$logs/$name.ended"
    times+=("$name $took")
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

# Parts that mostly wait, or use one processor, run beside those that use all: `part NAME await NAME` says how such a
# one ended.
aside() { # aside NAME COMMAND...
    local name=$1 begun=$SECONDS status
    shift
    "$@" >"$logs/$name.aside" 2>&1
    status=$?
    echo "$status $((SECONDS - begun))" >"$logs/$name.part" && mv "$logs/$name.part" "$logs/$name.ended"
}

await() { # await NAME: bounded, for none takes a third as long
    local status
    for _ in {1..1200}; do
        if [ -e "$logs/$1.ended" ]; then
            read -r status _ <"$logs/$1.ended"
            cat "$logs/$1.aside"
            return "$status"
        fi
        sleep 0.5
    done
    echo "$1 does not end"
    return 1
}
unoptimised=$logs/holdfast-O0 # the README's checkout is built so; it is not built twice
rm -f "$logs"/*.ended "$logs"/*.aside "$unoptimised"

# What live cases measure is time: they go first. Only root may do that, and only root can run them.
first=()
if [ "$(id -u)" -eq 0 ]; then first=(nice -n -15); fi
aside live "${first[@]}" tests/live.sh "$build" &
renice -n 5 -p $$ >/dev/null # this shell and all that it starts from now on
{
    aside command-line tests/cli.sh "$build/holdfast"
    aside daemon tests/daemon.sh "$build"
    aside install tests/install.sh "$build"
    aside readme tests/readme.sh "$build" "$unoptimised"
    aside gates gates
} &

sanitized() { # the same programs under the sanitizers; counts as one
    if ${MAKE:-make} --no-print-directory -j"$(nproc)" BUILD="$build/san" SAN=1 OPT=-Og CFLAGS=-g1 \
        "$build/san/holdfast" "$build/san/holdfastd" "$build/san/unit"; then
        echo "build with sanitizers: 1 passed, 0 failed"
    else
        echo "build with sanitizers: 0 passed, 1 failed"
        return 1
    fi
}

digests() { # when the README's checkout has its program; without one they fail
    for _ in {1..1200}; do
        if [ -e "$unoptimised" ] || [ -e "$logs/readme.ended" ]; then break; fi
        sleep 0.5
    done
    tests/digests.sh "$build" this "gcc-O0=$unoptimised"
}

part unit tests/unit.sh "$build"
part scenarios tests/scenarios.sh "$build/holdfast"
part build-sanitized sanitized
{
    aside command-line-sanitized tests/cli.sh "$build/san/holdfast"
    aside daemon-sanitized tests/daemon.sh "$build/san"
} &
part unit-sanitized tests/unit.sh "$build/san"
part scenarios-sanitized tests/scenarios.sh "$build/san/holdfast" once
part digests digests
for name in gates command-line daemon install readme command-line-sanitized daemon-sanitized live; do
    part $name await $name
done

if [ ${#broken[@]} -gt 0 ]; then
    echo "check: failed parts: ${broken[*]} (logs in $logs/)"
fi
printf 'check: seconds a part took:%s\n' "$(printf ' %s' "${times[@]}")"
echo "check, $parts parts: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
