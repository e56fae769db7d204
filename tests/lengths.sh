#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The length ceilings: 800 lines a file, 70 lines a function (from the brace in column 1 to its
# fellow), 100 columns a line, in every .c and .h below the folders given.
#
#   tests/lengths.sh [FOLDER...]    default: engine sim tests; each offence a line, exit status 1
#   tests/lengths.sh --self-test    makes files that are just right and just too long

set -u
export LC_ALL=C

check() {
    files=$(find "$@" -name '*.[ch]' -type f | sort)
    if [ -z "$files" ]; then
        echo "lengths: no .c or .h file below $*"
        return 1
    fi
    # File names of this project hold no blanks; columns are characters, so UTF-8's later bytes go.
    # shellcheck disable=SC2086
    awk -v file_max=800 -v function_max=70 -v column_max=100 '
        function offend(line, text) { print "lengths: " name ":" line ": " text; bad = 1 }
        function end_file() {
            if (name != "" && lines > file_max) {
                offend(lines, "file of " lines " lines, more than " file_max)
            }
            if (opened) { offend(opened, "brace in column 1 is never closed in column 1") }
        }
        FNR == 1 { end_file(); name = FILENAME; opened = 0; lines = 0 }
        { lines = FNR; text = $0; gsub(/[\200-\277]/, "", text) }
        length(text) > column_max {
            offend(FNR, "line of " length(text) " columns, more than " column_max)
        }
        /^\{/ {
            if (opened) { offend(FNR, "brace in column 1 inside a body") }
            opened = FNR
        }
        /^\}/ && opened {
            if (FNR - opened + 1 > function_max) {
                offend(opened, "function of " (FNR - opened + 1) " lines, more than " function_max)
            }
            opened = 0
        }
        END { end_file(); exit bad + 0 }' $files
}

# write NAME LINES: a file of one function whose body, braces included, has LINES lines.
write_function() {
    awk -v n="$2" 'BEGIN {
        print "void f(void)"
        print "{"
        for (i = 2; i < n; i++) { print "    ;" }
        print "}"
    }' >"$folder/$1"
}

write_lines() {
    awk -v n="$2" 'BEGIN { for (i = 0; i < n; i++) print "int x;" }' >"$folder/$1"
}

# A comment of so many columns; its text is umlauts, two bytes each.
write_columns() {
    awk -v n="$2" 'BEGIN { printf "/* "; for (i = 6; i < n; i++) printf "\303\274"; print " */" }' \
        >"$folder/$1"
}

# expect NAME STATUS WORD: the one file NAME gets STATUS and a text with WORD; the file then goes.
expect() {
    text=$(check "$folder")
    if [ $? -ne "$2" ] || ! printf '%s\n' "$text" | grep -q -e "$3"; then
        echo "lengths: self-test: $1 should end with $2 and say \"$3\"; it said: $text"
        failed=1
    fi
    rm -f "$folder/$1"
}

self_test() {
    folder=$(mktemp -d) || exit 2
    trap 'rm -rf "$folder"' EXIT
    failed=0
    expect nothing.c 1 'no .c or .h file'
    write_function right.c 70
    expect right.c 0 ''
    write_function long.c 71
    expect long.c 1 'function of 71 lines'
    write_function open.c 20
    sed -i '$d' "$folder/open.c"
    expect open.c 1 'never closed'
    write_lines right.h 800
    expect right.h 0 ''
    write_lines long.h 801
    expect long.h 1 'file of 801 lines'
    write_columns right.c 100
    expect right.c 0 ''
    write_columns wide.c 101
    expect wide.c 1 'line of 101 columns'
    [ "$failed" -eq 0 ] && echo "lengths: self-test passed"
    return "$failed"
}

case "${1:-}" in
--self-test) self_test ;;
-*)
    echo "usage: tests/lengths.sh [FOLDER...] | --self-test" >&2
    exit 2
    ;;
'') cd "$(dirname "$0")/.." && check engine sim tests ;;
*) check "$@" ;;
esac
