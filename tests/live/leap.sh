#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A leap second on the last day of a month, inserted on one host and deleted on another, from end to end: a server
# announces it and has it, the daemon arms the kernel (a virtual clock), the kernel does it, and the daemon notices
# that the clock went by a second with everybody else's: nothing to step, nothing to slew.
#
# A minute before midnight the daemons start, with a drift value, so that nothing but the leap second moves
# their clocks. Their list of leap seconds has this one, and TAI - UTC from it.
# Usage: tests/live/leap.sh BUILD
. "$(dirname "$0")/hosts.sh"
. "$(dirname "$0")/software.sh"
. "$(dirname "$0")/virtual_clock.sh"

make_switch net
capture net
make_host server
plug server net 10.0.0.1/24 10.0.0.2/24
prepare_clocks server

midnight=$(date -u -d "$(date -u +%Y-%m-01) +1 month" +%s)
shift_s=$((midnight - 60 - $(date +%s)))

list_of() { # list_of TAI: a list of leap seconds that has this one, with its hash
    local updated=$((midnight - 86400 + 2208988800)) expires=$((midnight + 86400 * 90 + 2208988800))
    local first=$((1483228800 + 2208988800)) next=$((midnight + 2208988800)) sum
    sum=$(printf '%s' "$updated$expires${first}37$next$1" | sha1sum | cut -c 1-40 | sed -E 's/.{8}/& /g')
    printf '%s\n' "#$ $updated" "#@ $expires" "$first 37" "$next $1" "#h $sum"
}

leaping() { # leaping HOST ADDRESS SERVER TAI
    make_clock "$1" 0 0 "$2" "server $3 iburst minpoll 3 maxpoll 3" "driftfile $case_dir/$1/state/drift" \
        "leapfile $case_dir/$1/state/leaps" "statsdir $case_dir/$1/state/" 'statistics peerstats' \
        'filegen peerstats type none'
    happen "$1" step "${shift_s}000"
    echo 0 >"$case_dir/$1/state/drift"
    list_of "$4" >"$case_dir/$1/state/leaps"
    start server "$1" /usr/bin/python3 "$root/tests/live/leap_server.py" "$3" "$shift_s" "$midnight" "$1"
    run_steering "$1"
}
leaping insert 10.0.0.11 10.0.0.1 38
leaping delete 10.0.0.12 10.0.0.2 36

off_by() { # off_by HOST SECONDS: what its clock is off, less that
    awk -v error="$(truth "$1" error_s)" -v expected="$2" 'BEGIN { printf "%.6f\n", error - expected }'
}

claim_armed() { # claim_armed HOST LEAP STA-BIT
    await_synchronised "$1" 20
    claim_equal "$1: the leap second is announced to others" "$2" "$(status_of "$1" leap)"
    claim_equal "$1: and the kernel is armed, and synchronised" "$3" "$(truth "$1" status)"
    claim_equal "$1: which knows TAI - UTC" 37 "$(truth "$1" tai_s)"
    claim_between "$1: the clock is right before, in s" -0.001 0.001 "$(off_by "$1" "$shift_s")"
}
claim_armed insert insert 16
claim_armed delete delete 32
claim_between 'all that before midnight, in s' 3 60 "$((midnight - shift_s - $(date +%s)))"

samples() { # samples HOST: how many its server has given
    wc -l <"$case_dir/$1/state/peerstats"
}

has_more_samples() { # has_more_samples HOST COUNT
    [ "$(samples "$1")" -gt "$2" ]
}

worst_samples() { # worst_samples <PEERSTATS: what an offset is off by beside half of its delay; the longest delay; in s
    awk '{ off = ($5 < 0 ? -$5 : $5) - $6 / 2 }
        NR == 1 || off > worst { worst = off }
        NR == 1 || $6 > longest { longest = $6 }
        END { if (NR) printf "%.9f %.9f\n", worst, longest }'
}

claim_leapt() { # claim_leapt HOST SIGN TAI: + is forward
    local log=$case_dir/$1/holdfastd.log step_s=${2}1 before off delay
    claim_that "$1: the leap second is noticed and said" \
        wait_for 70 said "$1" holdfastd "leap second \\([$2]1\.000000000\\)"
    before=$(samples "$1")
    claim_that "$1: its server is heard again" wait_for 30 has_more_samples "$1" $((before + 1))
    read -r off delay <<<"$(tail -n +$((before + 1)) "$case_dir/$1/state/peerstats" | worst_samples)"
    # Its answers are stamped by Python, and half of the delay is the most that a busy machine makes of that. An exchange
    # with the leap second in its midst is off by half of a delay, too, of a second.
    claim_between "$1: and is not found off, at worst in s, beside half of the delay" -0.1 0.001 "$off"
    claim_between "$1: by exchanges none of which has the leap second in it: the longest in s" 0.000001 0.2 "$delay"
    claim_between "$1: for the clock has gone by a second, and is right" -0.001 0.001 "$(off_by "$1" $((shift_s + step_s)))"
    claim_equal "$1: nothing was stepped" 0 "$(truth "$1" steps)"
    claim_between "$1: nor slewed, in ppm" -10 10 "$(truth "$1" steering_ppm)"
    claim_equal "$1: the kernel is disarmed, and synchronised" 0 "$(truth "$1" status)"
    claim_equal "$1: TAI - UTC has changed" "$3" "$(truth "$1" tai_s)"
    claim_equal "$1: nothing is announced any more" none "$(status_of "$1" leap)"
    claim_equal "$1: it was synchronised throughout" 1 "$(grep -c -- ' -> ' "$log")"
    claim_no_match "$1: nothing unusual is said" 'stepped|cannot|refused|rate changed|by others|is not followed' "$(cat "$log")"
}
claim_leapt insert - 38
claim_leapt delete + 36
for host in insert delete; do
    stop "$host" holdfastd
    claim_equal "$host: ends well" 0 "${exit_status[$host/holdfastd]}"
done
stop net dumpcap INT
