# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Hosts of our own for the live cases: each a set of Linux namespaces (network, mounts, processes, host name) with
# an /etc, /run, /var/lib and /var/log of its own, joined by veth pairs to the bridge of a switch. A case sources
# this file and is run as `tests/live/CASE.sh BUILD`; what it leaves stands in BUILD/live/CASE/HOST/.
#
# Nothing here touches the machine: no interface and no name of a namespace exists outside the hosts, a host ends
# with its first process, that one ends with the case, however the case ends, and no program in a host has the
# right to set the clock (CAP_SYS_TIME is gone from its bounding set, which no exec and no user brings back).
set -u
LC_ALL=C.UTF-8
export LC_ALL
PATH=$PATH:/usr/sbin:/sbin
unset PYTHONDONTWRITEBYTECODE # what Python has compiled is kept: below BUILD, by PYTHONPYCACHEPREFIX

live_case=${0##*/} live_case=${live_case%.sh}
if [ $# -lt 1 ] || [ ! -d "$1" ]; then
    echo "usage: tests/live/$live_case.sh BUILD" >&2
    exit 2
fi
build=$(cd "$1" && pwd)
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
debian=$build/debian
case_dir=$build/live/$live_case
export PYTHONPYCACHEPREFIX=$build/live/pycache
case $build/ in /etc/* | /run/* | /var/lib/* | /var/log/*)
    echo "FAIL  live $live_case: its hosts have an /etc, /run, /var/lib and /var/log of their own: $build is hidden" >&2
    exit 2
    ;;
esac
rm -rf "$case_dir"
mkdir -p "$case_dir" || exit 2

claims_of="live $live_case"
# shellcheck source=tests/claims.sh
. "$root/tests/claims.sh"

# --- the end: only what this case started, by process id
declare -A holder first_process running exit_status

finish() { # every host and all that runs in it; then the counts
    local status=$? name
    trap '' INT TERM HUP
    for name in "${!holder[@]}"; do
        # The kernel ends all processes of a host with its first one.
        [ -z "${first_process[$name]:-}" ] || kill -KILL "${first_process[$name]}" 2>/dev/null
        kill -KILL "${holder[$name]}" 2>/dev/null
    done
    wait 2>/dev/null
    if [ "$status" -ne 0 ]; then
        failed=$((failed + 1))
        echo "FAIL  live $live_case: broken off with status $status"
    fi
    if tell_counts; then exit 0; fi
    exit 1
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

break_off() { # break_off WHY: nothing that follows could hold
    echo "FAIL  live $live_case: $*"
    exit 1
}

# --- hosts
furnish() { # furnish HOME: the folders that the host sees in place of the machine's
    local home=$1 file files=()
    # What is written below goes over files of the same names: never but in a folder of this case.
    case $home in "$case_dir"/[a-z]*) ;; *) break_off "\"$home\" is no host of this case" ;; esac
    mkdir -p "$home"/etc/alternatives "$home"/log "$home"/run/{chrony,openntpd} "$home"/lib/{ntp,openntpd/db,openntpd/run}
    for file in ld.so.cache ld.so.conf ld.so.conf.d services protocols localtime; do
        if [ -e "/etc/$file" ]; then files+=("/etc/$file"); fi
    done
    cp -a "${files[@]}" "$home/etc/"
    cat >"$home/etc/passwd" <<'END'
root:x:0:0:root:/root:/bin/sh
ntpd:x:201:201:OpenNTPD:/run/openntpd:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
END
    chmod 750 "$home/run/chrony" # or chronyd does without its command socket
    printf '%s\n' root:x:0: ntpd:x:201: nogroup:x:65534: >"$home/etc/group"
    printf '%s: files\n' passwd group hosts services protocols >"$home/etc/nsswitch.conf"
    printf '%s\n' '127.0.0.1 localhost' '::1 localhost' >"$home/etc/hosts"
    : >"$home/etc/resolv.conf" # every name that a host knows stands in its hosts file
}

make_host() { # make_host NAME
    local name=$1 home=$case_dir/$1
    mkdir "$home" && furnish "$home"
    # Of /etc/alternatives, hundreds of links, the host sees the machine's own; it cannot write there.
    # accept_dad: no second of doubt about IPv6 addresses that nobody else can have.
    # shellcheck disable=SC2016
    setpriv --pdeathsig KILL unshare --mount --net --uts --ipc --pid --fork --kill-child --mount-proc sh -c '
        if [ -d /etc/alternatives ]; then mount --bind -o ro /etc/alternatives "$1/etc/alternatives"; fi &&
        mount --rbind "$1/etc" /etc && mount --bind "$1/run" /run &&
        mount --bind "$1/lib" /var/lib && mount --bind "$1/log" /var/log &&
        for all in all default; do echo 0 >/proc/sys/net/ipv6/conf/$all/accept_dad; done &&
        hostname "$2" && ip link set dev lo up && : >"$1/ready" && exec sleep infinity' \
        - "$home" "$name" >"$home/host.log" 2>&1 </dev/null &
    holder[$name]=$!
    wait_for 10 test -e "$home/ready" || break_off "host $name cannot be made: $(cat "$home/host.log")"
    read -r first_process["$name"] <"/proc/${holder[$name]}/task/${holder[$name]}/children"
    [ -n "${first_process[$name]:-}" ] || break_off "host $name has no first process"
}

enter() { # enter HOST COMMAND...: in the host, with all rights of the case
    local host=$1
    shift
    nsenter --target "${first_process[$host]}" --mount --net --uts --ipc --pid -- "$@"
}

inside() { # inside HOST COMMAND...: in the host, to its end, without the right to set the clock
    local host=$1
    shift
    enter "$host" timeout 20 setpriv --bounding-set=-sys_time --inh-caps=-sys_time "$@"
}

make_switch() { # make_switch NAME: a host whose bridge joins the others
    make_host "$1"
    enter "$1" sh -c 'ip link add name bridge type bridge && ip link set dev bridge up' || break_off "no bridge in $1"
}

plug() { # plug HOST SWITCH ADDRESS/BITS...: its interface eth0, usable at once; the port is named like the host
    local host=$1 switch=$2 address
    shift 2
    # Not in the process namespace of the switch: the host's process has another number there.
    nsenter --target "${first_process[$switch]}" --net -- \
        ip link add name "$host" type veth peer name eth0 netns "${first_process[$host]}" &&
        enter "$switch" ip link set dev "$host" master bridge up &&
        enter "$host" ip link set dev eth0 up || break_off "$host cannot be plugged into $switch"
    for address; do
        enter "$host" ip address add "$address" dev eth0 || break_off "$host cannot have $address"
    done
    wait_for 5 has_carrier "$host" || break_off "$host has no carrier"
}

has_carrier() { # has_carrier HOST
    [[ $(enter "$1" ip -o link show dev eth0) =~ LOWER_UP ]]
}

cut_link() { # cut_link SWITCH HOST: the host keeps its carrier, and nothing arrives
    enter "$1" ip link set dev "$2" nomaster
}

heal_link() { # heal_link SWITCH HOST
    enter "$1" ip link set dev "$2" master bridge
}

route() { # route HOST NETWORK: is on the same wire
    enter "$1" ip route add "$2" dev eth0 || break_off "$1 has no way to $2"
}

know() { # know HOST ADDRESS NAME...: a line for its hosts file
    local host=$1
    shift
    echo "$*" >>"$case_dir/$host/etc/hosts"
}

# --- programs that keep running; each logs to HOST/PROGRAM.log
start() { # start HOST PROGRAM COMMAND...
    local host=$1 program=$2
    shift 2
    nsenter --target "${first_process[$host]}" --mount --net --uts --ipc --pid -- \
        setpriv --bounding-set=-sys_time --inh-caps=-sys_time "$@" \
        >>"$case_dir/$host/$program.log" 2>&1 </dev/null &
    running[$host/$program]=$!
    wait_for 5 has_begun "$host" "$program"
}

has_begun() { # has_begun HOST PROGRAM: there is a process of it, or there has been
    is_running "$1" "$2" || has_ended "${running[$1/$2]}"
}

process_of() { # process_of HOST PROGRAM: its process id, as the machine counts
    local pid=${running[$1/$2]:-} child=
    [ -z "$pid" ] || { read -r child <"/proc/$pid/task/$pid/children"; } 2>/dev/null # whose line has no end
    [ -n "$child" ] && echo "$child"
}

is_running() { # is_running HOST PROGRAM
    [ -n "$(process_of "$1" "$2")" ]
}

stop() { # stop HOST PROGRAM [SIGNAL]: leaves its exit status in exit_status[HOST/PROGRAM]
    local pid=${running[$1/$2]}
    kill -"${3:-TERM}" "$(process_of "$1" "$2")" 2>/dev/null
    if ! wait_for 10 has_ended "$pid"; then
        claim "$2 in $1 ends when asked to" 'it was still there after 10 s'
        kill -KILL "$(process_of "$1" "$2")"
    fi
    wait "$pid" 2>/dev/null
    exit_status[$1/$2]=$?
    unset "running[$1/$2]"
}

has_ended() { # has_ended PID: gone, or only its status is left
    local word state=
    while read -r word state _; do
        if [ "$word" = State: ]; then break; fi
    done 2>/dev/null <"/proc/$1/status"
    [ -z "$state" ] || [ "$state" = Z ]
}

said() { # said HOST PROGRAM REGEX: its log has such a line
    grep -qE -- "$3" "$case_dir/$1/$2.log"
}

capture() { # capture SWITCH: all frames of its bridge, into packets.pcap of the case
    start "$1" dumpcap dumpcap -q -P -i bridge -w "$case_dir/packets.pcap"
    wait_for 10 test -s "$case_dir/packets.pcap" ||
        break_off "dumpcap writes nothing: $(cat "$case_dir/$1/dumpcap.log")"
}

captured() { # captured FILTER: that many packets so far
    tshark -r "$case_dir/packets.pcap" -Y "$1" 2>/dev/null | wc -l
}

has_captured() { # has_captured COUNT FILTER: dumpcap writes a little later
    [ "$(captured "$2")" -ge "$1" ]
}
