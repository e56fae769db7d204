#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs the CUnit suites of BUILD/unit, each in a process of its own and as many at a time as there are
# processors. One line a suite; what failed is shown. A suite that dies counts as one failure more.
# Usage: tests/unit.sh BUILD
set -u
build=$1
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

run_suite() { # run_suite BUILD WORK SUITE: leaves SUITE.log and SUITE.counts
    "$1/unit" "$3" >"$2/$3.log" 2>&1
    local status=$? ran failed
    # Run Summary:  tests TOTAL RAN PASSED FAILED INACTIVE
    read -r ran failed < <(awk '$1 == "tests" && NF == 6 { print $3, $5 }' "$2/$3.log")
    ran=${ran:-0} failed=${failed:-0}
    if { [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; } || [ "$ran" -eq 0 ]; then
        failed=$((failed + 1)) ran=$((ran + 1))
        echo "suite $3 ended with status $status" >>"$2/$3.log"
    fi
    echo "$((ran - failed)) $failed" >"$2/$3.counts"
}
export -f run_suite

suites=$(sed -nE 's/^SUITE\((.+)\)$/\1/p' "$build/suites.inc")
# shellcheck disable=SC2016
xargs -r -P "$(nproc)" -I{} bash -c 'run_suite "$@"' - "$build" "$work" {} <<<"$suites"

passed=0 failed=0
for suite in $suites; do
    read -r good bad <"$work/$suite.counts" || { good=0 bad=1; }
    passed=$((passed + good)) failed=$((failed + bad))
    if [ "$bad" -eq 0 ]; then
        printf 'ok    unit %-16s %4d tests\n' "$suite" "$good"
    else
        printf 'FAIL  unit %-16s %4d tests, %d failed\n' "$suite" $((good + bad)) "$bad"
        awk '/^Run Summary:/ { summary = 1 } /^suite / { summary = 0 }
            summary || /Test: .*passed$/ || /^ *$/ || /CUnit - / || /cunit\.sourceforge/ { next }
            { print "      " $0 }' "$work/$suite.log" | tail -n 60
    fi
done
echo "unit: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
