#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Discipline from end to end: daemons on virtual clocks (virtual_clock.h) that are fast or slow and off, and a
# chronyd on the real one as their server. The virtual clock knows its true error and what was set, so the daemons
# are judged by that, and what they say of themselves is compared with it.
#
# The loop's time constant is 16 polls and a first frequency is measured over `tinker stepout`, 300 s by default:
# polls of 8 s and a stepout of 60 s bring the same course of things (step or slew, measure, slew away what ran up
# meanwhile, close the loop) down to two minutes. The samples on the way are good to some 5 us, on a busy machine to
# 20, and each is used as it is, so 60 s give 0.7 ppm at worst. The clock filter may hold on to a sample of before for
# eight polls; the waits allow for that.
#
#   stepped  50 ppm fast, 80 ms ahead, stepped by a threshold of 50 ms, no drift file
#   slewed   30 ppm slow, 20 ms behind, slewed for 40 s while the frequency is measured; as another user
#   killed   50 ppm fast, 80 ms ahead, drift file: slewed by 550 ppm, which takes the tick, and killed in the middle
# Usage: tests/live/discipline.sh BUILD
. "$(dirname "$0")/hosts.sh"
. "$(dirname "$0")/software.sh"
. "$(dirname "$0")/virtual_clock.sh"

is_right() { # is_right HOST STEERING: it has lost its error, and has the frequency that it should have
    is_between -0.001 0.001 "$(truth "$1" error_s)" && is_between $(($2 - 1)) $(($2 + 1)) "$(truth "$1" steering_ppm)"
}

claim_right() { # claim_right HOST STEERING: by truth, and by what the daemon and the kernel say of themselves
    local host=$1 error bound
    error=$(truth "$host" error_s)
    bound=$(status_of "$host" bound_s)
    claim_between "$host: true error in s" -0.001 0.001 "$error"
    claim_between "$host: frequency set, in ppm" $(($2 - 1)) $(($2 + 1)) "$(truth "$host" steering_ppm)"
    claim_between "$host: drift that it tells" $(($2 - 1)) $(($2 + 1)) "$(status_of "$host" drift_ppm)"
    claim_equal "$host: state that it tells" synchronised "$(status_of "$host" state)"
    claim_equal "$host: it steers" true "$(status_of "$host" may_steer)"
    # What is left of the offset is server less client, so the opposite of the error.
    claim_between "$host: offset left that it tells and true error together" -0.0005 0.0005 \
        "$(awk -v error="$error" -v left="$(status_of "$host" residual_s)" 'BEGIN { print error + left }')"
    claim_between "$host: true error lies in the bound that it claims" "-$bound" "$bound" "$error"
    claim_equal "$host: the kernel calls itself synchronised" 0 "$(truth "$host" status)"
    claim_between "$host: the kernel's maximum error in us" 1 1500000 "$(truth "$host" maxerror_us)"
    claim_no_match "$host: nothing unusual is said" 'cannot|refused|rate changed|by others|resumed' \
        "$(cat "$case_dir/$host/holdfastd.log")"
}

machine=$(machine_offset)
make_switch net
capture net
make_host server
plug server net 10.0.0.1/24
run_chronyd server <<'END'
local stratum 3
allow
END

prepare_clocks server

steering() { # steering HOST PPM MS ADDRESS [LINE]...: follows the server, and keeps a drift file
    make_clock "$@" 'server 10.0.0.1 iburst minpoll 3 maxpoll 3' "driftfile $case_dir/$1/state/drift"
}
steering stepped 50 80 10.0.0.2 'tinker step 0.05 stepout 60' "statsdir $case_dir/stepped/state/ntpstats/" \
    'statistics loopstats peerstats' # for statistics.sh
mkdir "$case_dir/stepped/state/ntpstats"
steering slewed -30 -20 10.0.0.3 'tinker stepout 60'
steering killed 50 80 10.0.0.4
claim_between 'stepped: begins 80 ms ahead' 0.0799 0.0805 "$(cat "$case_dir/stepped/error")"
claim_between 'slewed: begins 20 ms behind' -0.0205 -0.0199 "$(cat "$case_dir/slewed/error")"
echo '-50.25' >"$case_dir/killed/state/drift"
chown nobody "$case_dir/slewed/state"
run_steering stepped
run_steering slewed -u nobody
run_steering killed

# --- killed in the middle of a slew: the rate outlives the process, and the unit's stop step ends it
is_slewing() {
    is_between -700 -400 "$(truth killed steering_ppm)"
}
claim_that 'killed: slews by about 550 ppm' wait_for 60 is_slewing
stop killed holdfastd KILL 2>/dev/null # where the shell tells of it
claim_that 'killed: the slew outlives the process' is_slewing
claim_that 'killed: part of it is in the tick' test "$(truth killed tick_us)" -ne 10000
# shellcheck disable=SC2046
output=$(inside killed $(on_clock killed) "$build/holdfastd" --restore-rate -c "$case_dir/killed/ntp.conf" 2>&1)
claim_equal 'killed: --restore-rate succeeds' 0 $?
claim_match 'killed: --restore-rate says what it set' '-50.250 ppm' "$output"
claim_equal 'killed: the frequency is the drift value' -50.250000 "$(truth killed steering_ppm)"
claim_equal 'killed: the tick is nominal' 10000 "$(truth killed tick_us)"

# --- whatever is wrong with its files by then: what it has to say in that case, and what is in force after it
restore_with() { # restore_with NAME PPM REGEX OPTION...: with a slew in force
    local name="killed: with $1" ppm=$2 regex=$3
    shift 3
    # shellcheck disable=SC2046
    inside killed $(on_clock killed) "$build/holdfastd" --restore-rate -f "$case_dir/killed/slew" 2>/dev/null
    claim_equal "$name, a slew is in force" 450.000000 "$(truth killed steering_ppm)"
    # shellcheck disable=SC2046
    output=$(inside killed $(on_clock killed) "$build/holdfastd" --restore-rate "$@" 2>&1)
    claim_equal "$name, --restore-rate succeeds" 0 $?
    claim_match "$name, it says what it set" "$regex" "$output"
    claim_equal "$name, the frequency is that" "$ppm" "$(truth killed steering_ppm)"
    claim_equal "$name, the tick is nominal" 10000 "$(truth killed tick_us)"
}
echo 450 >"$case_dir/killed/slew"
cp "$case_dir/killed/ntp.conf" "$case_dir/killed/broken.conf"
printf '%s\n' 'restrct default' "keys $case_dir/killed/none.keys" 'trustedkey 1' >>"$case_dir/killed/broken.conf"
restore_with 'an error and no keys' -50.250000 '-50.250 ppm$' -c "$case_dir/killed/broken.conf"
restore_with 'no configuration' 0.000000 '\+0.000 ppm, for want of a drift value' -c "$case_dir/killed/none.conf"
restore_with 'a drift file given' -50.250000 '-50.250 ppm$' \
    -c "$case_dir/killed/none.conf" -f "$case_dir/killed/state/drift"
claim_no_match 'killed: with a drift file given, no configuration is read' none.conf "$output"
# A step would have left nothing; the slews of these tests drive it up by a millisecond in two seconds.
claim_between 'killed: nothing was stepped' 0.05 0.11 "$(truth killed error_s)"

# --- a clock that refuses a command in the middle of a slew is let alone, and still its rate is set back at the end
run_steering killed
claim_that 'killed: slews again' wait_for 60 is_slewing
happen killed refuse 1
claim_that 'killed: a refused command is told' \
    wait_for 60 said killed holdfastd 'the clock cannot be steered: .*permitted'
claim_that 'killed: and that the slew goes on' \
    wait_for 5 said killed holdfastd 'rate cannot be set back to -[45][0-9]\.[0-9]+ ppm: .*permitted'
claim_that 'killed: as it does' is_slewing
happen killed refuse 0
stop killed holdfastd
claim_equal 'killed: ends well after that' 0 "${exit_status[killed/holdfastd]}"
claim_between 'killed: the frequency is the drift value at the end' -51 -49 "$(truth killed steering_ppm)"
claim_equal 'killed: the tick is nominal at the end' 10000 "$(truth killed tick_us)"

# --- and what others do to the clock of the next process is noticed
heard=$(grep -c 'is reachable' "$case_dir/killed/holdfastd.log")
run_steering killed
is_heard_again() {
    [ "$(grep -c 'is reachable' "$case_dir/killed/holdfastd.log")" -gt "$heard" ]
}
claim_that 'killed: goes on after a new start' wait_for 20 is_heard_again
happen killed step 1500
claim_that 'killed: a step by others is noticed' \
    wait_for 15 said killed holdfastd 'stepped by others \(\+1\.(4999|5000)'
happen killed suspend 3600000
claim_that 'killed: a suspension is noticed' \
    wait_for 15 said killed holdfastd 'resumed \(\+(3599\.999|3600\.000)'
claim_that 'killed: lives on' is_running killed holdfastd
stop killed holdfastd
claim_equal 'killed: ends well' 0 "${exit_status[killed/holdfastd]}"

# --- the two that have no drift file find their frequency
wait_for 150 is_right stepped -50
claim_right stepped -50
claim_equal 'stepped: it stepped once' 1 "$(grep -c 'clock stepped by' "$case_dir/stepped/holdfastd.log")"
wait_for 90 is_right slewed 30
claim_right slewed 30
claim_equal 'slewed: it never stepped' 0 "$(truth slewed steps)"
claim_equal 'slewed: runs as the user it was told' '65534 65534' \
    "$(awk '/^Uid:/ { print $2, $3 }' "/proc/$(process_of slewed holdfastd)/status")"
claim_equal 'slewed: its system calls are filtered' 2 \
    "$(awk '/^Seccomp:/ { print $2 }' "/proc/$(process_of slewed holdfastd)/status")"

# --- and keep it: with the loop closed, by samples of after the slew. A loop that only passed through zero is elsewhere
# by then. The clock filter lets go of the last one of before after eight polls.
has_closed_loop() { # an update came after the one that measured the frequency
    [ "$(awk '$4 < -40' "$case_dir/stepped/state/ntpstats/loopstats" | wc -l)" -ge 2 ]
}
claim_that 'stepped: the loop goes on with the frequency that it has' wait_for 100 has_closed_loop
claim_right stepped -50
claim_right slewed 30

# --- an end in order leaves the drift value behind, in the file and in the clock
for host in stepped slewed; do
    stop "$host" holdfastd
    claim_equal "$host: ends well" 0 "${exit_status[$host/holdfastd]}"
    drift=$(cat "$case_dir/$host/state/drift")
    claim_between "$host: drift file against the frequency left in force" -0.001 0.001 \
        "$(awk -v drift="$drift" -v steering="$(truth "$host" steering_ppm)" 'BEGIN { print drift - steering }')"
done
claim_between 'the machine'\''s clock was not touched, in ms' -50 50 $(($(machine_offset) - machine))
stop net dumpcap INT
