#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Every scenario that is shipped: its expectations hold, and a second run ends with the same digest (check 19: same
# seed, same events; the other half of it, between compilers, is tests/digests.sh). The second run writes a run directory
# and finds other garbage in fresh memory, so that neither looking at a world nor what lay in it before can be part of
# its history.
# A scenario of many seeds (its line `runs`) is compared seed by seed; a hundred run directories it does not write.
# Usage: tests/scenarios.sh HOLDFAST [once]      once: a single run of one seed (for slow builds)
set -u
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
LIMIT_S=280

digests() { # the digests a run has printed, one a line: whole, or in front of each seed's line of many
    grep -oE '(^|  )digest:? [0-9a-f]{16,64}$' "$1" | grep -oE '[0-9a-f]+$'
}

attempt() { # attempt HOLDFAST LOG FILE OPTION...: runs it; on failure says why, and shows the end of the log
    local status
    timeout "$LIMIT_S" "$1" run "${@:3}" >"$2" 2>&1
    status=$?
    if [ "$status" -ne 0 ]; then
        echo "exit status $status"
        # The expectations that failed, each with what was seen; else whatever was said last.
        { grep -E -A 1 '^ *FAIL  |: error: ' "$2" || tail -n 12 "$2"; } | grep -vE '^(--|  pass)' | sed 's/^/      /'
    elif [ -z "$(digests "$2")" ]; then
        echo 'printed no digest'
    fi
}

compare() { # compare HOLDFAST MODE WORK FILE: says what is wrong, or nothing
    local base wrong second
    base=$3/$(basename "$4" .scenario)
    if [ "$2" = once ]; then
        attempt "$1" "$base.1" "$4" --runs 1
        return
    fi
    wrong=$(attempt "$1" "$base.1" "$4")
    if [ -z "$wrong" ]; then
        second=(--out "$base.out")
        grep -qE '^runs[[:blank:]]' "$4" && second=()
        wrong=$(MALLOC_PERTURB_=165 HOLDFAST_PLOTS=none attempt "$1" "$base.2" "$4" "${second[@]}")
        [ -z "$wrong" ] || wrong="the second run: $wrong"
        rm -rf "$base.out"
    fi
    if [ -z "$wrong" ]; then
        wrong=$(diff <(digests "$base.1") <(digests "$base.2")) ||
            wrong="two runs, two digests:"$'\n'"$(head -n 6 <<<"$wrong" | sed 's/^/      /')"
    fi
    echo "$wrong"
}

run_scenario() { # run_scenario HOLDFAST MODE WORK FILE: leaves NAME.result, "ok ..." or "FAIL ..."
    local name wrong began=$EPOCHREALTIME
    name=$(basename "$4" .scenario)
    wrong=$(compare "$@")
    if [ -n "$wrong" ]; then
        echo "FAIL  scenario $name: $wrong" >"$3/$name.result"
        return
    fi
    LC_ALL=C awk -v name="$name" -v began="$began" -v ended="$EPOCHREALTIME" -v seeds="$(grep -cE "^seed [0-9]+  " "$3/$name.1")" \
        -v digest="$(digests "$3/$name.1" | tail -n 1 | head -c 12)" -v mode="$2" 'BEGIN {
            printf "ok    scenario %-28s digest %s...  %s%s%s, %.1f s\n", name, digest,
                seeds <= 1 ? "" : seeds " seeds ", mode, mode == "once" ? "" : " alike (check 19)", ended - began }' >"$3/$name.result"
}
export -f digests attempt compare run_scenario
export LIMIT_S

mode=${2:-twice}
# shellcheck disable=SC2016
printf '%s\n' scenarios/*.scenario |
    xargs -P "$(nproc)" -I{} bash -c 'run_scenario "$@"' - "$1" "$mode" "$work" {}

passed=0 failed=0
for file in scenarios/*.scenario; do
    result=$work/$(basename "$file" .scenario).result
    [ -s "$result" ] || echo "FAIL  $file: no result" >"$result"
    cat "$result"
    if [ "$(head -c 2 "$result")" = ok ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
done
echo "scenarios: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
