#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# holdfastd takes time from everybody: chronyd, ntpsec's ntpd, OpenNTPD and busybox ntpd, each followed by a holdfastd
# of its own. All the others share one clock; each of ours begins on a virtual clock that is fast or slow and far off,
# and has to be right in the end, by what that clock knows of itself.
# Usage: tests/live/upstreams.sh BUILD
. "$(dirname "$0")/hosts.sh"
. "$(dirname "$0")/software.sh"
. "$(dirname "$0")/virtual_clock.sh"

make_switch net
for host in chrony:1 ntpsec:2 openntpd:3 busybox:4 of-chrony:11 of-ntpsec:12 of-openntpd:13 of-busybox:14; do
    make_host "${host%:*}"
    plug "${host%:*}" net "10.0.0.${host#*:}/24"
done
capture net

# busybox without a source says that it is stratum 1; the two others follow chronyd, at stratum 4.
run_chronyd chrony <<'END'
local stratum 3
allow
END
run_busybox busybox -l
answers() { # answers ADDRESS: with a time, not with "unsynchronised"
    [[ $(ask_bytes of-chrony "$1" "$time_request") =~ ^[0-3] ]]
}
wait_for 10 answers 10.0.0.1 || break_off 'chronyd does not serve'
run_ntpsec ntpsec <<'END'
server 10.0.0.1 iburst minpoll 0 maxpoll 0
restrict default nomodify
restrict 10.0.0.0 mask 255.255.255.0
END
run_openntpd openntpd <<'END'
server 10.0.0.1
listen on *
END

follow() { # follow SOFTWARE ADDRESS PPM MS: from a clock that is so much fast and so much ahead
    local host=of-$1
    set_clock "$host" "$3" "$4"
    printf '%s\n' "server $2 iburst minpoll 3 maxpoll 3" 'restrict 10.0.0.0 mask 255.255.255.0 nomodify' \
        "driftfile $case_dir/$host/drift" >"$case_dir/$host/ntp.conf"
    awk -v ppm="$3" 'BEGIN { print -ppm }' >"$case_dir/$host/drift" # so that the first seconds tell
    run_steering "$host"
}
check_follower() { # check_follower SOFTWARE ADDRESS STRATUM SECONDS
    local software=$1 address=$2 stratum=$3 host=of-$1 status variables error bound
    wait_for "$4" is_synchronised "$host"
    error=$(truth "$host" error_s)
    status=$(inside "$host" "$build/holdfast" status --json | awk -f "$root/plots/flatten.awk")
    claim_between "$software: true error of our clock in s" -0.002 0.002 "$error"
    claim_equal "$software: which was stepped once" 1 "$(grep -c "clock stepped by" "$case_dir/$host/holdfastd.log")"
    value() { sed -nE "s/^${1//./\\.}\t//p" <<<"$status"; }
    claim_equal "$software: state" synchronised "$(value state)"
    claim_equal "$software: the source" "$address" "$(value source)"
    claim_equal "$software: we are at stratum" $((stratum + 1)) "$(value stratum)"
    claim_equal "$software: no leap second" none "$(value leap)"
    claim_offset "$software: offset in s" 0 "$(value offset_s)" "$(value sources.0.delay_s)"
    # What a hop claims at least, and what four samples leave of the filter's 16 s at most.
    bound=$(value bound_s)
    claim_between "$software: claimed bound in s" 0.000001 1.5 "$bound"
    claim_between "$software: the true error lies in it" "-$bound" "$bound" "$error"
    claim_equal "$software: address of the one association" "$address" "$(value sources.0.address)"
    claim_equal "$software: and there is no other" '' "$(value sources.1.address)"
    claim_between "$software: its reach" 1 255 "$(value sources.0.reach)"
    claim_offset "$software: its offset in s" 0 "$(value sources.0.offset_s)" "$(value sources.0.delay_s)"
    claim_between "$software: its delay in s" 0.000001 0.02 "$(value sources.0.delay_s)"
    variables=$(ntpq "$host" -c rv)
    claim_equal "$software: ntpq says stratum" $((stratum + 1)) "$(variable stratum "$variables")"
    claim_equal "$software: ntpq says reference" "$address" "$(variable refid "$variables")"
    claim_equal "$software: ntpq says leap" 00 "$(variable leap "$variables")"
    claim_between "$software: ntpq says offset in ms" -2 2 "$(variable offset "$variables")"
    claim_match "$software: ntpq marks it as system peer" "^\*$address .* $stratum u " "$(ntpq "$host" -pn)"
    claim_match "$software: the change of state stands in the log" 'unsynchronised -> synchronised' \
        "$(cat "$case_dir/$host/holdfastd.log")"
    claim_equal "$software: and we are at that stratum on the wire" "24$(printf '%02x' $((stratum + 1)))" \
        "$(ask_bytes "$software" "$(address_of "$host")" "$time_request" | head -c 4)"
    stop "$host" holdfastd
    claim_equal "$software: exit status" 0 "${exit_status[$host/holdfastd]}"
}
address_of() { # address_of HOST
    enter "$1" ip -o -4 address show dev eth0 | sed -nE 's/.* inet ([0-9.]+).*/\1/p'
}

prepare_clocks chrony
follow chrony 10.0.0.1 40 350
follow busybox 10.0.0.4 -30 -420
check_follower chrony 10.0.0.1 3 30
check_follower busybox 10.0.0.4 1 30

claim_that 'ntpsec serves' wait_for 60 answers 10.0.0.2
follow ntpsec 10.0.0.2 -60 5000
check_follower ntpsec 10.0.0.2 4 40

# OpenNTPD serves "unsynchronised" until it has trusted its source long enough: a holdfastd that is there all the
# time must not follow it before.
follow openntpd 10.0.0.3 25 -700
sleep 6 # long enough for four samples of a server that may be followed
state=$(status_of of-openntpd state)
if ! answers 10.0.0.3; then
    claim_equal 'openntpd: is not followed while it says that it is unsynchronised' unsynchronised "$state"
    claim_equal 'openntpd: although it is heard' 10.0.0.3 "$(status_of of-openntpd sources.0.address)"
fi
claim_that 'openntpd serves' wait_for 80 answers 10.0.0.3
check_follower openntpd 10.0.0.3 4 60
stop net dumpcap INT
