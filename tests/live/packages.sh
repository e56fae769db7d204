#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Unpacks under DIR the Debian packages of the NTP software that the live cases run against, one folder a
# package, each with the libraries that it needs and this system lacks. Nothing is installed: two of them replace
# each other's ntpd, and all would replace the time service of this machine. Done once; a changed list or an
# unpacking that was broken off is done anew.
#
# Debian's busybox has no ntpd. It is compiled from Debian's source of the same package, with ntpd and little else.
#
# What was made is kept for the next clone on this machine, in the folder HOLDFAST_CACHE (~/.cache/holdfast; empty
# for nowhere): a host that has fetched once can test without a network. Remove that folder to fetch anew.
# Usage: tests/live/packages.sh DIR
set -u
[ $# -eq 1 ] || { echo "usage: tests/live/packages.sh DIR" >&2; exit 2; }
unset MAKEFLAGS MFLAGS MAKEOVERRIDES # those of a calling make are not meant for the make of busybox
mkdir -p "$1" || exit 1
dir=$(cd "$1" && pwd) || exit 1
wanted=(chrony ntpsec openntpd ntpsec-ntpdig ntpsec-ntpviz python3-ntp)
stamp="${wanted[*]} busybox, layout 1"

give_up() { # give_up CAUSE CURE
    echo "holdfast: no other NTP software to test against: $1" >&2
    echo "holdfast: $2" >&2
    exit 1
}

is_complete() {
    [ "$(cat "$dir/complete" 2>/dev/null)" = "$stamp" ]
}

empty() {
    find "$dir" -mindepth 1 -maxdepth 1 ! -name lock -exec rm -rf {} +
}

# One file for each architecture and release. One that is broken or of another layout is passed over and replaced.
cache=${HOLDFAST_CACHE-${XDG_CACHE_HOME:-${HOME:-}/.cache}/holdfast}
# shellcheck source=/dev/null
kept=$cache/ntp-software-$(. /etc/os-release && echo "$ID-$VERSION_ID")-$(uname -m).tar.gz

keep() { # for the next clone; a host that cannot keep it fetches again
    [ -n "$cache" ] && [ ! -e "$kept" ] && mkdir -p "$cache" 2>/dev/null || return 0
    (umask 022 && tar -cz -C "$dir" --exclude=./lock -f "$kept.$$" .) && mv "$kept.$$" "$kept" && return 0
    rm -f "$kept.$$"
    echo "holdfast: could not keep the NTP software in $cache" >&2
}

take_kept() {
    [ -n "$cache" ] && [ -e "$kept" ] || return 1
    tar -xz -C "$dir" --no-same-owner -f "$kept" && is_complete && return 0
    echo "holdfast: $kept is broken or from before: it is made anew" >&2
    rm -f "$kept"
    return 1
}

exec 9>"$dir/lock" || exit 1
flock 9 # a second caller waits and then finds all done
if is_complete; then
    keep
    exit 0
fi
empty || exit 1
if take_kept; then
    echo "holdfast: NTP software of others: taken from $kept"
    exit 0
fi
for tool in apt-get apt-cache dpkg; do
    command -v $tool >/dev/null || give_up "there is no $tool here" "these cases need Debian: ${wanted[*]} busybox"
done
empty && mkdir "$dir/fetched" "$dir/lists" "$dir/lists/partial" || exit 1
log=$dir/log

# Lists of our own where the system's are absent or too old to fetch by: the system's stay as they are.
options=(-q -y -o APT::Sandbox::User=root -o Acquire::Retries=2)
own_lists=(-o "Dir::State::lists=$dir/lists")

fetch() { # into fetched/: the packages, and what installing each of them here would bring along
    local package needed=()
    for package in "${wanted[@]}"; do
        mapfile -t -O "${#needed[@]}" needed < <(
            apt-get "${options[@]}" "$@" -s --no-install-recommends install "$package" 2>>"$log" |
                awk '$1 == "Inst" { print $2 }'
        )
    done
    # One that is installed already would not be named.
    mapfile -t needed < <(printf '%s\n' "${wanted[@]}" "${needed[@]}" | sort -u)
    (cd "$dir/fetched" && apt-get "${options[@]}" "$@" download "${needed[@]}" >>"$log" 2>&1)
}

fetch_source() { # the source of busybox, from where the packages come from
    local place uri suite
    place=$(apt-cache policy chrony | awk '$2 ~ "^http" || $2 ~ "^file" { print $2, $3; exit }')
    read -r uri suite <<<"$place"
    echo "deb-src ${uri/-security/} ${suite%%[-/]*} main" >"$dir/sources.list"
    local source=(-o "Dir::Etc::sourcelist=$dir/sources.list" -o Dir::Etc::sourceparts=/dev/null)
    apt-get "${options[@]}" "${own_lists[@]}" "${source[@]}" update >>"$log" 2>&1 &&
        (cd "$dir/fetched" &&
            apt-get "${options[@]}" "${own_lists[@]}" "${source[@]}" --download-only source busybox >>"$log" 2>&1)
}

build_busybox() { # in busybox/: bin/busybox
    local option
    mkdir "$dir/busybox" && tar -x -C "$dir/busybox" --strip-components=1 -f "$dir"/fetched/busybox_*.orig.tar.* &&
        cd "$dir/busybox" && make allnoconfig || return 1
    for option in NTPD FEATURE_NTPD_SERVER FEATURE_IPV6 FEATURE_PREFER_IPV4_ADDRESS LONG_OPTS LFS ADJTIMEX; do
        sed -i "s/^# CONFIG_$option is not set/CONFIG_$option=y/" .config
    done
    # `yes` ends by a broken pipe; that is no failure.
    { yes '' || true; } | make oldconfig && make -j"$(nproc)" && mkdir bin && mv busybox bin/
}

echo "holdfast: fetching ${wanted[*]} and the source of busybox, once"
cure='without a network these cases cannot run; the rest can'
fetch || { apt-get "${options[@]}" "${own_lists[@]}" update >>"$log" 2>&1 && fetch "${own_lists[@]}"; } ||
    give_up "$(grep '^E:' "$log" | tail -n 1)" "$cure (what apt-get said: $log)"
for file in "$dir"/fetched/*.deb; do
    package=${file##*/}
    mkdir -p "$dir/${package%%_*}" && dpkg -x "$file" "$dir/${package%%_*}" || give_up "cannot unpack $file" "see above"
done
fetch_source || give_up "$(grep '^E:' "$log" | tail -n 1)" "$cure (what apt-get said: $log)"
(build_busybox) >>"$log" 2>&1 || give_up 'busybox could not be built' "see $log"

rm -rf "$dir/fetched" "$dir/lists"
echo "$stamp" >"$dir/complete"
keep
