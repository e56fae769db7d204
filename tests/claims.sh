# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Claims of the test scripts: each is counted, in `passed` or `failed`, and one that does not hold says what was seen.
# A script sets `claims_of` to its name, sources this file and ends with tell_counts. Where it defines a function
# show_context, that is called after each claim that failed.

passed=0 failed=0

claim() { # claim NAME WHAT-IS-WRONG ("" when nothing is)
    if [ -z "$2" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL  $claims_of: $1: ${2:0:2000}"
        if declare -F show_context >/dev/null; then show_context; fi
    fi
}

claim_that() { # claim_that NAME COMMAND...: the command succeeds
    local name=$1 output
    shift
    if output=$("$@" 2>&1); then claim "$name" ''; else claim "$name" "not so: $*${output:+ ($output)}"; fi
}

claim_equal() { # claim_equal NAME EXPECTED SEEN
    if [ "$2" = "$3" ]; then claim "$1" ''; else claim "$1" "\"$3\", expected \"$2\""; fi
}

claim_match() { # claim_match NAME REGEX TEXT: one line of the text matches
    if grep -qE -- "$2" <<<"$3"; then claim "$1" ''; else claim "$1" "nothing matches $2 in: $(head -c 600 <<<"$3")"; fi
}

claim_no_match() { # claim_no_match NAME REGEX TEXT: no line of the text matches
    local line
    if line=$(grep -m 1 -E -- "$2" <<<"$3"); then claim "$1" "there is: $line"; else claim "$1" ''; fi
}

claim_between() { # claim_between NAME LOW HIGH SEEN: a number, bounds included
    if is_between "$2" "$3" "$4"; then claim "$1" ''; else claim "$1" "\"$4\", expected $2 ... $3"; fi
}

is_between() { # is_between LOW HIGH SEEN: what is no number is between nothing
    [[ $3 =~ ^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$ ]] &&
        awk -v low="$1" -v high="$2" -v seen="$3" 'BEGIN { exit !(seen + 0 >= low + 0 && seen + 0 <= high + 0) }'
}

exec {never}<> <(:) # a pipe that nothing is written to: to wait on without a process
wait_for() { # wait_for SECONDS COMMAND...: until it succeeds; 1 when that took longer
    local rounds=$(($1 * 5))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $((rounds -= 1)) -gt 0 ] || return 1
        read -rt 0.2 -u "${never:-}" 2>/dev/null
        [ $? -gt 128 ] || sleep 0.2 # it did not time out
    done
}

tell_counts() { # tell_counts: the last line of a script; succeeds when something was claimed and all of it holds
    echo "$claims_of: $passed passed, $failed failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
