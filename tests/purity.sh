#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The purity gate: what libengine.a may ask of the world, and that it keeps nothing writable.
#
#   tests/purity.sh LIBENGINE.A    one line for each offence, exit status 1 when there is any
#   tests/purity.sh --self-test    compiles small offenders and sees each of them caught
#
# Looks at the plain build: sanitizers and fortified libc wrappers add calls of their own.

set -u
export LC_ALL=C

# bcmp is what clang makes of memcmp() == 0.
allowed='^(mem(cpy|move|set|cmp|chr)|bcmp|strlen|sqrt|fabs|ldexp|frexp|floor|ceil|rint|fmin|fmax)$'
allowed="$allowed|^nettle_|^__assert_fail\$|^__stack_chk_fail\$|^_GLOBAL_OFFSET_TABLE_\$"
allowed_in_trace='^snprintf$'

# Symbols that no member of the archive defines and the list does not allow.
undefined_offences() {
    nm -A "$1" | awk -v allowed="$allowed" -v in_trace="$allowed_in_trace" '
        {
            split($1, where, ":")
            member = where[2]
            type = $(NF - 1)
            name = $NF
        }
        type ~ /^[Uwv]$/ { wanted[++n] = member " " name }
        type ~ /^[TDBRVWCGSiu]$/ { defined[name] = 1 }
        END {
            for (i = 1; i <= n; i++) {
                split(wanted[i], at, " ")
                if (defined[at[2]] || at[2] ~ allowed) { continue }
                if (at[1] == "trace.o" && at[2] ~ in_trace) { continue }
                print "purity: " at[1] ": undefined symbol " at[2]
            }
        }'
}

# Writable sections with anything in them, and the symbols there; .data.rel.ro is read-only once
# loaded.
writable_offences() {
    objdump -h "$1" | awk '
        $2 == "file" && $3 == "format" { member = $1; sub(/:$/, "", member) }
        $1 ~ /^[0-9]+$/ && $2 ~ /^\.t?(data|bss)/ && $2 !~ /^\.data\.rel\.ro/ && $3 !~ /^0+$/ {
            print "purity: " member ": writable section " $2 " of 0x" $3 " bytes"
        }'
    objdump -t "$1" | awk '
        $2 == "file" && $3 == "format" { member = $1; sub(/:$/, "", member) }
        {
            section = ""
            for (i = 2; i < NF; i++) {
                if ($i == "*COM*" || $i ~ /^\.t?(data|bss)/) { section = $i }
            }
            if (section == "" || section ~ /^\.data\.rel\.ro/ || section == $NF) { next }
            print "purity: " member ": writable symbol " $NF " in " section
        }'
}

check() {
    if ! nm "$1" >/dev/null 2>&1 || [ -z "$(ar t "$1" 2>/dev/null)" ]; then
        echo "purity: $1: no archive with objects in it"
        return 1
    fi
    offences=$(undefined_offences "$1" && writable_offences "$1")
    if [ -n "$offences" ]; then
        echo "$offences"
        return 1
    fi
    return 0
}

# expect NAME STATUS WORD SOURCE: an archive with NAME.o compiled from SOURCE gets STATUS, and what
# is printed holds WORD.
expect() {
    printf '%s\n' "$4" >"$folder/$1.c"
    rm -f "$folder/test.a"
    if ! ${CC:-cc} -O1 -ffreestanding -fPIE -c "$folder/$1.c" -o "$folder/$1.o" ||
        ! ar rcs "$folder/test.a" "$folder/$1.o"; then
        echo "purity: self-test: cannot build $1"
        failed=1
        return
    fi
    text=$(check "$folder/test.a")
    if [ $? -ne "$2" ] || ! printf '%s\n' "$text" | grep -q -e "$3"; then
        echo "purity: self-test: $1 should end with $2 and say \"$3\"; it said: $text"
        failed=1
    fi
}

self_test() {
    folder=$(mktemp -d) || exit 2
    trap 'rm -rf "$folder"' EXIT
    failed=0
    expect clean 0 '' 'extern double sqrt(double); double f(double x) { return sqrt(x); }'
    expect table 0 '' 'static const char *const t[] = {"a", "b"};
        const char *f(int i) { return t[i]; }'
    expect clock 1 'undefined symbol time' 'extern long time(long *);
        long f(void) { return time(0); }'
    expect heap 1 'undefined symbol malloc' 'extern void *malloc(unsigned long);
        void *f(void) { return malloc(8); }'
    expect weak 1 'undefined symbol getpid' 'extern int getpid(void) __attribute__((weak));
        int f(void) { return getpid(); }'
    print='extern int snprintf(char *, unsigned long, const char *, ...);
        int f(char *s) { return snprintf(s, 9, "%d%d", 1, 2); }'
    expect print 1 'undefined symbol snprintf' "$print"
    expect trace 0 '' "$print"
    expect counter 1 'writable symbol n' 'static int n; int f(void) { return ++n; }'
    expect local 1 'writable symbol' 'int f(void) { static int n = 5; return ++n; }'
    expect global 1 'writable symbol shared' 'int shared = 7;'
    expect common 1 'writable symbol shared' 'int shared __attribute__((common));'
    expect thread 1 'writable symbol mine' '_Thread_local int mine = 3;'
    expect pointer 1 'writable symbol names' 'const char *names[] = {"a"};'
    printf 'no archive' >"$folder/broken.a"
    ar rcs "$folder/empty.a"
    for archive in broken.a missing.a empty.a; do
        if check "$folder/$archive" >/dev/null; then
            echo "purity: self-test: passed $archive"
            failed=1
        fi
    done
    [ "$failed" -eq 0 ] && echo "purity: self-test passed"
    return "$failed"
}

case "${1:-}" in
--self-test) self_test ;;
'' | -*)
    echo "usage: tests/purity.sh LIBENGINE.A | --self-test" >&2
    exit 2
    ;;
*) check "$1" ;;
esac
