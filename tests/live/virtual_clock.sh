# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Daemons that steer, on virtual clocks (virtual_clock.h): each host has one of its own, which knows its true error
# and what was set. For the cases that source hosts.sh and software.sh; prepare_clocks comes before anything steers.

virtual=$build/live/virtual_clock

truth() { # truth HOST NAME: of its virtual clock
    VIRTUAL_CLOCK_STATE=$case_dir/$1/clock "$virtual" show | sed -n "s/^$2 //p"
}

happen() { # happen HOST VERB AMOUNT: to its virtual clock
    VIRTUAL_CLOCK_STATE=$case_dir/$1/clock "$virtual" "$2" "$3"
}

on_clock() { # on_clock HOST: the words that put a command on its virtual clock
    echo env LD_PRELOAD="$virtual.so" VIRTUAL_CLOCK_STATE="$case_dir/$1/clock"
}

set_clock() { # set_clock HOST PPM MS: a virtual clock for the host, so much fast and so much ahead
    VIRTUAL_CLOCK_PPM=$2 VIRTUAL_CLOCK_OFFSET_MS=$3 truth "$1" error_s >"$case_dir/$1/error"
}

run_apart() { # run_apart HOST [OPTION]... <CONF: holdfastd on the host's virtual clock, which it does not steer
    cat >"$case_dir/$1/ntp.conf"
    run_steering "$@" --no-clock-control
}

run_steering() { # run_steering HOST [OPTION]...: its ntp.conf is there already
    local host=$1
    shift
    # shellcheck disable=SC2046
    start "$host" holdfastd $(on_clock "$host") "$build/holdfastd" -n -c "$case_dir/$host/ntp.conf" "$@"
}

machine_offset() { # of the real clock to what nobody can set, in ms: of ten looks the one that nothing held up
    /usr/bin/python3 -c 'import time
def look():
    before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    real = time.clock_gettime_ns(time.CLOCK_REALTIME)
    width = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - before
    return width, (real - before - width // 2) // 1000000
print(min(look() for _ in range(10))[1])'
}

make_clock() { # make_clock HOST PPM MS ADDRESS [LINE]...: its virtual clock, its place in the network, its ntp.conf
    local host=$1 ppm=$2 ms=$3 address=$4
    shift 4
    make_host "$host"
    plug "$host" net "$address/24"
    set_clock "$host" "$ppm" "$ms"
    mkdir "$case_dir/$host/state"
    printf '%s\n' "$@" >"$case_dir/$host/ntp.conf"
}

prepare_clocks() { # prepare_clocks HOST: makes sure in that host that it is in force
    local machine ahead
    machine=$(machine_offset)
    # Its date is a day on, and the clock it sets is not ours.
    # shellcheck disable=SC2046
    ahead=$(VIRTUAL_CLOCK_OFFSET_MS=86400000 inside "$1" $(on_clock "$1") date +%s)
    claim_between 'a program on a virtual clock reads that one' 86395 86405 $((ahead - $(date +%s)))
    # shellcheck disable=SC2046
    inside "$1" $(on_clock "$1") date -s '2001-01-01' >/dev/null
    claim_equal 'and sets that one' 1 "$(truth "$1" steps)"
    claim_between 'and not the machine'\''s' -50 50 $(($(machine_offset) - machine))
    [ "$failed" -eq 0 ] || break_off 'nothing that steers may run here'
}
