#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# clang-format, clang-tidy and cppcheck over all sources, mandoc over the manual pages. Warnings are failures; what
# is not asked for, and why, stands in .clang-tidy and below.
# Usage: tests/lint.sh BUILD      BUILD holds the generated suites.inc and man/
set -u
build=$1
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
mapfile -t all < <(find engine sim tests -name '*.[ch]' | LC_ALL=C sort)
mapfile -t sources < <(printf '%s\n' "${all[@]}" | grep '\.c$')
flags="-std=c11 -D_GNU_SOURCE -I$build $(pkg-config --cflags glib-2.0 gsl nettle | sed 's/-I/-isystem/g')"

passed=0 failed=0
report() { # report TOOL FILE LOG STATUS
    if [ "$4" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL  $1 $2"
        head -n 40 "$3" | sed 's/^/      /'
    fi
}

if clang-format --dry-run -Werror "${all[@]}" >/dev/null 2>&1; then
    passed=${#all[@]} # one call for all is quick; only a failure is looked for file by file
else
    for file in "${all[@]}"; do
        clang-format --dry-run -Werror "$file" >"$work/log" 2>&1
        report clang-format "$file" "$work/log" $?
    done
fi
echo "lint: clang-format looked at ${#all[@]} files"

# An identifier of other letters may look like one it is not, or turn the line around it.
LC_ALL=C grep -nP '[^\x00-\x7F]' "${all[@]}" >"$work/log"
report ASCII 'all sources' "$work/log" $(($? != 1))

# The analyzer follows every path through a function, for minutes if it may. It is held to 10,000 nodes a function
# (its default is 225,000), and looks at the program alone: the long lists of assertions in tests are run under
# the sanitizers anyway. Starting clang-tidy takes as long as reading a small file, so one call is for several;
# only a failure among them is looked for file by file.
tidy_files() { # tidy_files FILE...: of the program, or of the tests
    local checks=
    case $1 in tests/*) checks='-clang-analyzer-*' ;; esac
    # shellcheck disable=SC2086
    clang-tidy --quiet --warnings-as-errors='*' --checks="$checks" "$@" -- $flags \
        -Xclang -analyzer-config -Xclang max-nodes=10000 2>&1
}
tidy() { # tidy WORK FILE...: leaves for each a .status and a .tidy with what is said of it
    local work=$1 file said status alone
    shift
    said=$(tidy_files "$@")
    status=$?
    for file; do
        alone=$status
        if [ $# -gt 1 ] && [ "$status" -ne 0 ]; then
            said=$(tidy_files "$file")
            alone=$?
        fi
        echo "$alone" >"$work/${file//\//-}.status"
        grep -v 'warnings\? generated' <<<"$said" >"$work/${file//\//-}.tidy"
    done
}
export flags
export -f tidy_files tidy
# The largest first: the last ones to be looked at are done soon, and no processor waits long. Whoever has a va_list is
# looked at alone: after another file in the same call the analyzer takes it for one that was never started.
# shellcheck disable=SC2012
by_size=$(ls -S "${sources[@]}")
# shellcheck disable=SC2016
for which in -v -e; do
    grep $which '^tests/' <<<"$by_size" | xargs grep -L va_list | xargs -n 6 echo
    grep $which '^tests/' <<<"$by_size" | xargs grep -l va_list
done | xargs -P "$(nproc)" -I{} bash -c 'read -ra files <<<"$2" && tidy "$1" "${files[@]}"' - "$work" {}
for file in "${sources[@]}"; do
    base=$work/${file//\//-}
    touch "$base.tidy"
    report clang-tidy "$file" "$base.tidy" "$(cat "$base.status" 2>/dev/null || echo 1)"
done
echo "lint: clang-tidy looked at ${#sources[@]} files"

# uninitvar: cppcheck 2.10 does not see that a loop runs before its array is read; gcc's and clang's analysis does.
# memleak: it does not know that a GPtrArray owns what it is given; the leak sanitizer does.
# missingIncludeSystem, unmatchedSuppression: about cppcheck's own ways, not about the code.
cppcheck --std=c11 --language=c --library=gtk --quiet --error-exitcode=1 -j "$(nproc)" \
    --enable=warning,performance,portability --suppress=uninitvar --suppress=memleak --suppress=missingIncludeSystem \
    --suppress=unmatchedSuppression '-DG_GNUC_PRINTF(f, a)=' -D__GNUC__=12 -D_GNU_SOURCE -I"$build" \
    "${sources[@]}" >"$work/log" 2>&1
report cppcheck 'all sources' "$work/log" $?
echo "lint: cppcheck looked at ${#sources[@]} files"

# Style is about the length of source lines, and those are made.
for page in "$build"/man/*; do
    mandoc -T lint -W warning "$page" >"$work/log" 2>&1
    report mandoc "$page" "$work/log" $?
done
echo "lint: mandoc looked at $(find "$build/man" -type f | wc -l) pages"

echo "lint: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
