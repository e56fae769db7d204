#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Check 19, between compilers: one seed, one digest, whatever built the program. Builds each variant under BUILD/VARIANT
# and compares what the scenarios below end with. A variant is COMPILER-OPTION (gcc-O0, clang-O2), `this`, the program in
# BUILD, or NAME=PROGRAM, one that was built elsewhere.
# Usage: MAKE=make tests/digests.sh BUILD VARIANT...
set -u
build=$1
shift
first=$1
# The demo, the polls and crossings of peers, restarts, a liar, the end of an era; short ones beside the demo.
scenarios="time-group crossed-packets poll-mismatch restart falseticker-of-4 era-2036"
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

digest() { # digest HOLDFAST SCENARIO FILE
    "$1" run "scenarios/$2.scenario" 2>&1 | sed -nE 's/^digest: ([0-9a-f]{64})$/\1/p' >"$3"
}
export -f digest

passed=0 failed=0
for variant; do
    folder=$build/$variant program=$build/$variant/holdfast
    if [ "$variant" = this ]; then
        program=$build/holdfast
    elif [[ $variant == *=* ]]; then
        program=${variant#*=} variant=${variant%%=*}
    elif ! ${MAKE:-make} --no-print-directory -j"$(nproc)" BUILD="$folder" CC="${variant%%-*}" \
        OPT="-${variant#*-}" SAN= CFLAGS=-g0 "$program" >"$work/log" 2>&1; then
        echo "FAIL  digest $variant does not build"
        tail -n 20 "$work/log" | sed 's/^/      /'
        failed=$((failed + 1))
        continue
    fi
    # shellcheck disable=SC2016
    printf '%s\n' $scenarios |
        xargs -P "$(nproc)" -I{} bash -c 'digest "$1" "$2" "$3.$2"' - "$program" {} "$work/$variant"
    differing=
    for scenario in $scenarios; do
        if [ -s "$work/$variant.$scenario" ] &&
            cmp -s "$work/$first.$scenario" "$work/$variant.$scenario"; then
            [ "$variant" = "$first" ] || passed=$((passed + 1))
        else
            failed=$((failed + 1)) differing="$differing $scenario"
        fi
    done
    if [ -n "$differing" ]; then
        echo "FAIL  check 19: digest of $variant: none, or not that of $first, in:$differing"
    elif [ "$variant" != "$first" ]; then
        echo "ok    check 19: digest of $variant equals $first in: $scenarios"
    fi
done
echo "digests: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
