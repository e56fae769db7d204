#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What holdfastd does to a clock at once, on virtual clocks: -q with its exit statuses, -g and -x; a second daemon
# beside one that slews; an end in the middle of a burst; a drift file of garbage; what the kernel is told when the
# state changes and the operator of a server that never answers; `disable ntp`, from the start and by a reload; -4 for
# names, and who looks them up.
# Usage: tests/live/clock_set.sh BUILD
. "$(dirname "$0")/hosts.sh"
. "$(dirname "$0")/software.sh"
. "$(dirname "$0")/virtual_clock.sh"

make_switch net
capture net
make_host server
plug server net 10.0.0.1/24
run_chronyd server <<'END'
local stratum 3
allow
END
prepare_clocks server
server='server 10.0.0.1 iburst minpoll 3 maxpoll 3'

set_once() { # set_once HOST STATUS REGEX OPTION...: in the background, -q ends so and says so
    local host=$1 expected=$2 regex=$3
    shift 3
    # shellcheck disable=SC2046
    enter "$host" timeout 80 setpriv --bounding-set=-sys_time --inh-caps=-sys_time $(on_clock "$host") \
        "$build/holdfastd" -q -c "$case_dir/$host/ntp.conf" "$@" >"$case_dir/$host/quit.log" 2>&1
    echo "$? $(truth "$host" error_s) $expected $regex" >"$case_dir/$host/ended"
}
make_clock steps 20 300 10.0.0.2 'server 10.0.0.1'
make_clock far 20 5000000 10.0.0.3 'server 10.0.0.1'
make_clock gated 20 5000000 10.0.0.4 'server 10.0.0.1'
make_clock slews 20 6 10.0.0.5 'server 10.0.0.1'
make_clock lonely 20 300 10.0.0.6 'restrict default nomodify'
make_clock unheard 20 300 10.0.0.7 'server 10.0.0.99'
waiting=()
set_once steps 0 'the clock is set' & waiting+=($!)
set_once far 1 'not set: the offset is over the panic threshold; -g' & waiting+=($!)
set_once gated 0 'the clock is set' -g & waiting+=($!)
set_once slews 0 'left and slewed.*until the clock is set' -x & waiting+=($!)
set_once lonely 1 'names no server' & waiting+=($!)
set_once unheard 1 'no server that can be followed answered within 60 s' & waiting+=($!)

# --- a server that hears questions and never answers, as behind a firewall
make_host deaf
plug deaf net 10.0.0.98/24
start deaf server /usr/bin/python3 -c '
import socket, time
service = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
service.bind(("10.0.0.98", 123))
time.sleep(300)'

# --- the kernel knows a new state at once, also where no other command is due: a step has set all right
cp /usr/share/zoneinfo/leap-seconds.list "$case_dir/leaps" 2>&- || : >"$case_dir/leaps"
make_clock told 20 300 10.0.0.9 "$server" 'server deaf.test minpoll 3 maxpoll 3' "leapfile $case_dir/leaps"
make_clock first 20 100 10.0.0.10 "$server" "driftfile $case_dir/first/state/drift"
echo 0 >"$case_dir/first/state/drift" # who measures a frequency first slews nothing that comes meanwhile
chown -R nobody "$case_dir/first/state"
know told 10.0.0.98 deaf.test
run_steering told -u nobody
run_steering first -u nobody
await_synchronised told 40
claim_equal 'the kernel is synchronised when the daemon is' 0 "$(truth told status)"
claim_between 'and knows how far off it may be, in us' 1 1500000 "$(truth told maxerror_us)"
if [ -s "$case_dir/leaps" ]; then claim_equal 'and TAI - UTC by the leap file' 37 "$(truth told tai_s)"; fi

# --- a second daemon does not touch the clock that the first one slews
await_synchronised first 20
is_slewing() { is_between -550 -450 "$(truth first steering_ppm)"; } # by 500, and its frequency
claim_that 'an offset under the threshold is slewed' wait_for 5 is_slewing
# What the second would do shows on a clock of its own, with a slew in force that nobody else touches.
mkdir "$case_dir/second"
echo 450 >"$case_dir/second/slew"
# shellcheck disable=SC2046
inside first $(on_clock second) "$build/holdfastd" --restore-rate -f "$case_dir/second/slew" 2>/dev/null
# shellcheck disable=SC2046
second=$(inside first $(on_clock second) "$build/holdfastd" -n -c "$case_dir/first/ntp.conf" 2>&1)
claim_equal 'a second daemon is refused' 1 $?
claim_match 'for the port' 'port 123: Address already in use' "$second"
claim_equal 'before it moves a clock: rate, steps' '450.000000 0' "$(truth second steering_ppm) $(truth second steps)"
claim_that 'so the slew of the first goes on' is_slewing

# --- a reload that brings `disable ntp` in the middle of that slew: it ends, and nothing is touched from then on
untouched='not touched from now on, as "disable ntp" wants it'
times_said() { grep -cE -- "$1" "$case_dir/first/holdfastd.log"; }
has_said() { [ "$(times_said "$1")" -eq "$2" ]; } # has_said REGEX TIMES
reload_first() { # reload_first REGEX: to its end, and its log says so once more
    local before reloads
    before=$(times_said "$1") reloads=$(times_said 'is loaded anew')
    kill -HUP "$(process_of first holdfastd)"
    wait_for 5 has_said 'is loaded anew' $((reloads + 1)) && has_said "$1" $((before + 1))
}
is_at_drift() { is_between -50 50 "$(truth first steering_ppm)"; }
settings() { echo "$(truth first commands) commands, $(truth first steering_ppm) ppm, tick $(truth first tick_us)"; }
echo 'disable ntp' >>"$case_dir/first/ntp.conf"
claim_that 'disable ntp by a reload: said' reload_first "$untouched"
claim_that 'disable ntp by a reload: the slew ends' wait_for 5 is_at_drift
rested=$(settings) rested_from=$SECONDS
claim_between 'disable ntp by a reload: it had given commands' 2 10000 "${rested%% *}"

# --- asked to end in the middle of a burst, and of the slew that its first answers began
make_clock burst 20 30 10.0.0.8 "$server" "driftfile $case_dir/burst/state/drift" "statsdir $case_dir/burst/state/" \
    'statistics rawstats' 'filegen rawstats type none'
echo -20.25 >"$case_dir/burst/state/drift"
run_steering burst
slews_in_burst() { is_between -300 -100 "$(truth burst steering_ppm)"; }
claim_that 'burst: slews before the burst is over' wait_for 12 slews_in_burst
rm "$case_dir/burst/state/drift"
answers=$(wc -l <"$case_dir/burst/state/rawstats")
asked_ms=$(date +%s%3N)
stop burst holdfastd
# The rest of the burst would take eight seconds.
claim_between 'burst: it ends in ms' 0 5000 $(($(date +%s%3N) - asked_ms))
claim_between 'burst: answers of eight' 1 7 "$answers"
claim_equal 'burst: in order' 0 "${exit_status[burst/holdfastd]}"
claim_that 'burst: says why' said burst holdfastd 'ending: Terminated'
claim_between 'burst: the drift value is written' -21 -19.5 "$(cat "$case_dir/burst/state/drift")"
claim_between 'burst: and is the rate that is left, in ppm more' -0.001 0.001 \
    "$(awk -v drift="$(cat "$case_dir/burst/state/drift")" -v left="$(truth burst steering_ppm)" 'BEGIN { print left - drift }')"
claim_equal 'burst: by a tick that is nominal' 10000 "$(truth burst tick_us)"

# --- a drift file of garbage: whoever steers and ends before he knows a frequency leaves it as it was
make_clock unread 20 30 10.0.0.13 "$server" "driftfile $case_dir/unread/state/drift"
echo 'not a number' >"$case_dir/unread/state/drift"
run_steering unread
await_synchronised unread 20
stop unread holdfastd
claim_between 'garbage for a drift: the clock is steered all the same' 1 1000 "$(truth unread commands)"
claim_that 'garbage for a drift: said' said unread holdfastd 'drift file .*not a number'
claim_equal 'garbage for a drift: not written over by what is not known' 'not a number' \
    "$(cat "$case_dir/unread/state/drift")"

# --- without discipline, and with it again
make_clock loose 20 30 10.0.0.11 "$server" 'disable ntp'
run_steering loose
wait_for 10 said loose holdfastd 'is reachable'
claim_equal 'disable ntp: the clock is left alone' 0 "$(truth loose commands)"
sed -i '/disable/d' "$case_dir/loose/ntp.conf"
kill -HUP "$(process_of loose holdfastd)"
claim_that 'its end needs a new start, which is said' wait_for 5 said loose holdfastd 'end of "disable ntp" takes effect at the next start'

# --- and of the one to which that came by a reload
has_rested() { [ $((SECONDS - rested_from)) -gt 10 ]; }
wait_for 20 has_rested
claim_equal 'disable ntp by a reload: no command in 10 s' "$rested" "$(settings)"
claim_that 'disable ntp by a reload: its server is heard all the while' is_synchronised first
# The source is another one to it, so that it asks at once and many times: of the former one it has all it needs.
sed -i -e '/disable/d' -e 's/maxpoll 3/maxpoll 4/' "$case_dir/first/ntp.conf"
claim_that 'its end: said' reload_first 'steered again: "disable ntp" is gone'
claim_that 'its end: the clock is slewed again' wait_for 40 is_slewing
echo 'disable ntp' >>"$case_dir/first/ntp.conf"
claim_that 'disable ntp once more: said' reload_first "$untouched"
wait_for 5 is_at_drift
rested=$(settings)
stop first holdfastd
claim_equal 'disable ntp by a reload: ends well' 0 "${exit_status[first/holdfastd]}"
claim_equal 'disable ntp by a reload: no command by its end' "$rested" "$(settings)"

# --- -4 asks for addresses of that family only
make_host names
plug names net 10.0.0.12/24 fd00::12/64
know names fd00::1 six.test
run_holdfastd names -4 <<<'server six.test'
claim_that '-4: a name with an IPv6 address only has none' wait_for 10 said names holdfastd 'six.test has no address'

# --- names are looked up by a process of its own, which is not root where nobody else was asked for
users_of() { # users_of PROCESS: real, effective, saved and for files, of host names
    enter names sh -c "grep -lx $1 /proc/[0-9]*/comm" | while IFS= read -r comm; do
        enter names sed -nE 's/^[UG]id:\t//p' "${comm%/comm}/status"
    done | xargs
}
nobody_ids='65534 65534 65534 65534'
claim_equal 'without -u the daemon is who started it' '0 0 0 0 0 0 0 0' "$(users_of holdfastd)"
claim_equal 'and its lookups are nobody'\''s' "$nobody_ids $nobody_ids" "$(users_of holdfastd-names)"

# --- what -q came to; the true error is the one at its end, for nothing holds the clock any more
declare -A error
wait "${waiting[@]}"
for host in steps far gated slews lonely unheard; do
    read -r status error[$host] expected regex <"$case_dir/$host/ended"
    claim_equal "-q $host: exit status" "$expected" "$status"
    claim_match "-q $host: says why" "$regex" "$(cat "$case_dir/$host/quit.log")"
done
# Told and not counted by the clock: a step that was interrupted is set once more.
stepped() { grep -c 'clock stepped by' "$case_dir/$1/quit.log"; }
claim_equal '-q: steps once' '1 1' "$(stepped steps) $(stepped gated)"
claim_between '-q: and is right then' -0.002 0.002 "${error[steps]}"
claim_equal '-q: over the threshold, nothing is touched' '0 0.000000' "$(truth far steps) $(truth far steering_ppm)"
claim_equal '-q -x: never steps' 0 "$(truth slews steps)"
claim_between '-q -x: and is right in the end' -0.002 0.002 "${error[slews]}"
claim_equal '-q: the rate is left at the drift, none' '0.000000 0.000000' "$(truth steps steering_ppm) $(truth slews steering_ppm)"

# --- what never answered, by now
claim_that 'a server that never answers is said, with its name and what may be wrong' wait_for 40 said told holdfastd \
    'warning: 10\.0\.0\.98 \(deaf.test\) is unreachable: eight polls and never an answer: a wrong address, .*firewall'
claim_equal 'once' 1 "$(grep -c 'unreachable' "$case_dir/told/holdfastd.log")"
stop net dumpcap INT
