#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Unpacks under DIR the Debian packages of the NTP software that the live cases run against, one folder a
# package, each with the libraries that it needs and this system lacks. Nothing is installed: two of them replace
# each other's ntpd, and all would replace the time service of this machine. Done once; a changed list or an
# unpacking that was broken off is done anew.
#
# Debian's busybox has no ntpd. It is compiled from Debian's source of the same package, with ntpd and little else.
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

exec 9>"$dir/lock" || exit 1
flock 9 # a second caller waits and then finds all done
[ "$(cat "$dir/complete" 2>/dev/null)" = "$stamp" ] && exit 0
for tool in apt-get apt-cache dpkg; do
    command -v $tool >/dev/null || give_up "there is no $tool here" "these cases need Debian: ${wanted[*]} busybox"
done
find "$dir" -mindepth 1 -maxdepth 1 ! -name lock -exec rm -rf {} + || exit 1
mkdir "$dir/fetched" "$dir/lists" "$dir/lists/partial" || exit 1
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
