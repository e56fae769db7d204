#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# `make install` from outside: what lands where and with which mode, that it works from there, that nothing lands
# anywhere else, and that the manual pages hold what the programs obey.
# Usage: tests/install.sh BUILD      BUILD holds holdfast, holdfastd and man/; MAKE names the make to use
set -u
LC_ALL=C.UTF-8
export LC_ALL
build=$1
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
unset HOLDFAST_PLOTS

claims_of=install
# shellcheck source=tests/claims.sh
. "$(dirname "$0")/claims.sh"

run_make() { # run_make LOG ARGUMENT...
    local log=$1
    shift
    ${MAKE:-make} --no-print-directory BUILD="$build" "$@" >"$log" 2>&1
}

# --- below a DESTDIR, as a packager does it
dest=$work/dest
claim_that 'make install with DESTDIR' run_make "$work/log" install DESTDIR="$dest" PREFIX=/usr
(cd "$dest" 2>/dev/null && find . -type f -printf '%m %P\n' | LC_ALL=C sort -k 2) >"$work/found"
{
    echo 755 usr/bin/holdfast
    echo 644 usr/lib/systemd/system/holdfast-wait-sync.service
    echo 644 usr/lib/systemd/system/holdfastd.service
    echo 644 usr/lib/sysusers.d/holdfast.conf
    echo 644 usr/lib/tmpfiles.d/holdfast.conf
    echo 755 usr/sbin/holdfastd
    for plot in plots/*.gp plots/*.awk; do echo "644 usr/share/holdfast/$plot"; done
    echo 755 usr/share/holdfast/plots/draw.sh
    echo 644 usr/share/man/man1/holdfast.1
    echo 644 usr/share/man/man5/holdfast-ntp.conf.5
    echo 644 usr/share/man/man5/holdfast-scenario.5
    echo 644 usr/share/man/man8/holdfastd.8
} | LC_ALL=C sort -k 2 >"$work/expected"
claim_that 'every file is there with its mode, and no other' diff "$work/expected" "$work/found"
claim_that 'directories can be read by all' bash -c "[ -z \"\$(find '$dest' -mindepth 1 -type d ! -perm -055)\" ]"
units=$dest/usr/lib/systemd/system
claim_that 'no unit has a place left to fill in' bash -c "! grep -rn '@[A-Z]' '$units'"
claim_that 'no unit knows DESTDIR' bash -c "! grep -rnF '$dest' '$units'"
claim_that 'the service starts what was installed' grep -q '^ExecStart=/usr/sbin/holdfastd -n ' "$units/holdfastd.service"
claim_that 'and restores the rate in the end' \
    grep -q '^ExecStopPost=/usr/sbin/holdfastd --restore-rate ' "$units/holdfastd.service"
claim_that 'the waiting service waits by what was installed' \
    grep -q '^ExecStart=/usr/bin/holdfast wait-sync ' "$units/holdfast-wait-sync.service"
for option in $(sed -nE 's/^Exec(Start|StopPost)=[^ ]*holdfastd//p' "$units/holdfastd.service" | grep -oE -- ' --?[a-z-]+'); do
    claim_that "holdfastd knows the service's option $option" bash -c "'$build/holdfastd' --help | grep -qE -- '(^| )$option[, ]|$option\$'"
done

# --- below a PREFIX, as somebody does it for himself; and away again
prefix=$work/prefix
mkdir "$prefix" && echo mine >"$prefix/letter"
claim_that 'make install with PREFIX' run_make "$work/log" install PREFIX="$prefix"
claim_that 'the installed holdfast runs' bash -c "'$prefix/bin/holdfast' version | grep -q '^holdfast [0-9]'"
claim_that 'the installed holdfastd runs' bash -c "'$prefix/sbin/holdfastd' --version | grep -q '^holdfastd [0-9]'"
if command -v gnuplot >/dev/null; then
    cp -r scenarios "$work/scenarios"
    claim_that 'the installed holdfast draws, away from its source' bash -c "cd '$work' && '$prefix/bin/holdfast' \
        run scenarios/healthy.scenario --until 3h --quiet --out run; '$prefix/bin/holdfast' plot run"
    claim_that 'all its pictures' test -s "$work/run/error.svg" -a -s "$work/run/state.png"
    mv "$prefix/share/holdfast/plots" "$work/plots-elsewhere"
    claim_that 'by the plot programs that were installed' \
        bash -c "cd '$work' && ! '$prefix/bin/holdfast' plot run 2>said.plot && grep -q 'not found' said.plot"
    mv "$work/plots-elsewhere" "$prefix/share/holdfast/plots"
fi
if command -v systemd-analyze >/dev/null; then
    # Other units that are missing here, and manual pages that man does not look for there, are no matter.
    systemd-analyze verify --man=no "$prefix/lib/systemd/system/holdfastd.service" \
        "$prefix/lib/systemd/system/holdfast-wait-sync.service" >"$work/verify" 2>&1
    claim 'systemd takes the units' "$(grep -F "$prefix" "$work/verify")"
    if systemd-analyze security --help 2>&1 | grep -q -- --threshold; then
        claim_that 'systemd calls the service well confined' systemd-analyze security --offline=yes --threshold=40 \
            "$prefix/lib/systemd/system/holdfastd.service"
    fi
fi
claim_that 'make uninstall' run_make "$work/log" uninstall PREFIX="$prefix"
claim_that 'takes all of its files away, and nothing else' \
    bash -c "[ \"\$(find '$prefix' -type f -printf '%P')\" = letter ] && [ ! -e '$prefix/share/holdfast' ]"

# --- the manual pages hold what the programs obey
page() { # page NAME: as plain words, without hyphenation
    sed -E 's/\\f[BIR]//g; s/\\&//g; s/\\-/-/g; s/\\\(aq/'\''/g' "$dest/usr/share/man/man${1##*.}/$1"
}
tagged() { # tagged PAGE: the paragraphs' tags
    page "$1" | awk '/^\.TP/ { getline; print }'
}
missing() { # missing PAGE: words of stdin, one a line, that begin no tag of the page
    tagged "$1" >"$work/tags"
    while IFS= read -r word; do
        grep -qE -- "(^|, )${word//./\\.}( |,|\$)" "$work/tags" || echo "$word"
    done
}
count=$("$build/holdfast" help ntp.conf | grep -cE '^[a-z]')
claim "all $count directives are in holdfast-ntp.conf(5)" "$("$build/holdfast" help ntp.conf |
    sed -nE 's/^([a-z]+)( .*)?$/\1/p' | missing holdfast-ntp.conf.5)"
claim_that 'and they are many' test "$count" -gt 50
claim 'so are the words that they take' "$(printf '%s\n' minpoll iburst nomodify maxdist panic average maxdepth stratum |
    missing holdfast-ntp.conf.5)"
count=$("$build/holdfastd" --help | grep -cE '^ +(-.|--)')
claim "all $count options are in holdfastd(8)" "$("$build/holdfastd" --help |
    sed -nE 's/^ +(-., )?(--[a-z0-9-]+).*/\2/p' | missing holdfastd.8)"
claim_that 'and they are many' test "$count" -gt 20
claim 'all commands and their options are in holdfast(1)' "$("$build/holdfast" help |
    sed -nE 's/^  ( {4})?(-?-?[a-z-]+) .*/\2/p' | missing holdfast.1)"
claim 'the first words of the scenario language are in holdfast-scenario(5)' "$("$build/holdfast" help scenario |
    sed -nE '/^Example/q; s/^  ([a-z-]+) .*  .*/\1/p' | missing holdfast-scenario.5)"
claim_that 'metrics are in holdfastd(8)' bash -c "[ \"\$(grep -c '^.fBholdfast_' '$dest/usr/share/man/man8/holdfastd.8')\" -gt 10 ]"
claim_that 'and none lost its explanation' \
    bash -c "! grep -A 1 '^.fBholdfast_' '$dest/usr/share/man/man8/holdfastd.8' | grep -qE '^(\.TP|\.SH)'"
claim 'no word of holdfast-ntp.conf(5) lost its explanation' "$(page holdfast-ntp.conf.5 | grep -nxF .)"
claim 'and no sentence begins with a unit' "$(page holdfast-ntp.conf.5 | grep -nE '^(S|Ms|Ppm|Log2) ')"
claim 'no tag of holdfast(1) runs into its explanation' "$(tagged holdfast.1 | grep -E '^[a-z-]+ .* [a-z]+ [a-z]+')"
claim_equal 'so that of replay is its syntax' 'replay FILE [OPTION]...' "$(tagged holdfast.1 | grep '^replay ')"
awk '/^\.SH EXAMPLES/ { on = 1 } /^\.EE/ { shown = 0 } on && shown { print } on && /^\.EX/ { shown = 1 }' \
    "$dest/usr/share/man/man5/holdfast-ntp.conf.5" | sed "s|/etc/ntp.keys|$work/ntp.keys|" >"$work/ntp.conf"
"$build/holdfast" keygen --out "$work/ntp.keys" >/dev/null
claim_that "the page's example is a configuration" bash -c "grep -q '^peer ' '$work/ntp.conf' &&
    '$build/holdfastd' --check-config -c '$work/ntp.conf'"
if command -v groff >/dev/null; then
    for name in holdfast.1 holdfast-ntp.conf.5 holdfast-scenario.5 holdfastd.8; do
        claim "groff has nothing to say about $name" \
            "$(groff -man -ww -Tutf8 -z "$dest/usr/share/man/man${name##*.}/$name" 2>&1)"
    done
fi

tell_counts
