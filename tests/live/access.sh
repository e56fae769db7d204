#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The article's tick.conf, unchanged, and what its restrict lines do to the campus, the peer, strangers near and far and
# of IPv6, the server's own upstreams and the server itself; and its tock.conf on the peer.
# Usage: tests/live/access.sh BUILD
. "$(dirname "$0")/hosts.sh"
. "$(dirname "$0")/software.sh"

make_switch net
for host in tick:140.160.11.86/16 peer:140.160.247.31/16 campus:140.160.20.5/16 upstream:192.0.2.1/24 \
    stranger:192.0.2.66/24 neighbour:140.161.0.1/16; do
    make_host "${host%:*}"
    plug "${host%:*}" net "${host#*:}"
done
for host in upstream stranger neighbour; do route $host 140.160.0.0/16; done
for host in tick:86 stranger:66; do enter ${host%:*} ip address add fd00::${host#*:}/64 dev eth0; done
for host in tick peer; do
    route $host 192.0.2.0/24
    route $host 140.161.0.0/16
    for name in 0 1 2 3; do know $host 192.0.2.1 $name.north-america.pool.ntp.org; done
    echo '1 AES128CMAC 00112233445566778899aabbccddeeff' >"$case_dir/$host/etc/ntp.keys"
    chmod 600 "$case_dir/$host/etc/ntp.keys"
done
capture net
run_chronyd upstream <<'END'
local stratum 2
allow
END
tick=140.160.11.86
tock=140.160.247.31
run_holdfastd tick -d -d <"$root/scenarios/time-group/tick.conf"
run_holdfastd peer -d -d <"$root/scenarios/time-group/tock.conf"

association() { # association ADDRESS: its id
    local id
    for id in $(ntpq tick -c as | awk '$2 ~ /^[0-9]+$/ { print $2 }'); do
        if [ "$(variable srcadr "$(ntpq tick -c "rv $id srcadr")")" = "$1" ]; then echo "$id"; fi
    done
}

# --- its own upstreams answer it, although the default line says ignore
is_heard() { # is_heard ADDRESS
    ntpq tick -pn | awk -v address="$1" 'substr($1, match($1, /[0-9]/)) == address && $7 > 0 { found = 1 }
        END { exit !found }'
}
claim_that 'an upstream is heard, although the default line says ignore' wait_for 20 is_heard 192.0.2.1

# --- the campus: time, and questions
since=$EPOCHREALTIME
reply=$(ask_bytes campus $tick "$time_request")
claim_equal 'campus: a reply of 48 bytes' 96 ${#reply}
claim_match 'campus: which is mode 4, version 4' '^[26ae]4' "$reply"
claim_that 'campus: in answer to its request, with the time of now' is_right_time "$reply" "$since"
claim_match 'campus: may ask' '^1682' "$(ask_bytes campus $tick $read_variables)"
claim_equal 'campus: ntpq gets whole answers' "$(variable version "$(ntpq tick -c rv)")" \
    "$(variable version "$(ntpq campus -c rv $tick)")"
write_leap=1603000100000000000000076c6561703d313100 # WRITEVAR "leap=11"
claim_match 'campus: cannot write a variable' '^$|^16c3' "$(ask_bytes campus $tick $write_leap 1)"
claim_match 'campus: cannot configure' '^$|^16c8' "$(ask_bytes campus $tick 160800010000000000000000 1)"
claim_match 'campus: cannot save' '^$|^16c9' "$(ask_bytes campus $tick 160900010000000000000000 1)"
claim_that 'campus: mode 7 does not exist' meets_silence campus $tick 1700032a0000000000000000
reply=$(ask_bytes campus $tick "21${time_request:2}" 1)
claim_match 'campus: a symmetric packet is answered, if at all, with mode 2' '^$|^[0-9a-f][2a]' "$reply"
claim_equal 'campus: and makes no association' '' "$(association 140.160.20.5)"
claim_match 'campus: though others have one' '^[0-9]+$' "$(association 192.0.2.1)"

# --- a stranger: nothing at all
for request in "$time_request" $read_variables $write_leap "21${time_request:2}" 1700032a0000000000000000; do
    claim_that "a stranger's request ${request:0:4} meets silence" meets_silence stranger $tick "$request"
done
claim_that 'a forged answer of a stranger too' meets_silence stranger $tick "24${time_request:2}"
of_stranger='ip.src == 192.0.2.66 && udp.dstport == 123'
wait_for 10 has_captured 6 "$of_stranger"
claim_equal 'six packets came from it' 6 "$(captured "$of_stranger")"
claim_equal 'and none left for it' 0 "$(captured 'ip.dst == 192.0.2.66 && udp.srcport == 123')"

# --- a neighbour, just outside of the campus's mask; and IPv6, which the default line means as well
for request in "$time_request" $read_variables; do
    claim_that "a neighbour's request ${request:0:4} meets silence" meets_silence neighbour $tick "$request"
    claim_that "a request ${request:0:4} over IPv6 meets silence" meets_silence stranger fd00::86 "$request"
done
claim_that 'although it listens there' bash -c "$(declare -f enter); $(declare -p first_process)
    enter tick ss -Hlun | grep -qF '[fd00::86]:123'"

# --- the peer: everything but the right to be believed without the key
claim_match 'peer: may ask' '^1682' "$(ask_bytes peer $tick $read_variables)"
claim_that 'peer: gets time' gets_right_time ask_bytes peer $tick "$time_request"
ask_bytes peer $tick "21${time_request:2}" 1 >/dev/null
claim_that 'peer: is not believed without its key, which is said' \
    wait_for 5 said tick holdfastd "packet of $tock refused: no MAC"
claim_equal 'peer: once' 1 "$(grep -c "packet of $tock refused: no MAC" "$case_dir/tick/holdfastd.log")"

# --- the server itself, which no line names
claim_match 'localhost may ask' '^1682' "$(ask_bytes tick 127.0.0.1 $read_variables)"
claim_that 'localhost gets time' gets_right_time ask_bytes tick 127.0.0.1 "$time_request"

# --- the other one of the pair: its lines are as good
for host in campus tick; do
    claim_that "tock: $host gets time" gets_right_time ask_bytes $host $tock "$time_request"
    claim_match "tock: $host may ask" '^1682' "$(ask_bytes $host $tock $read_variables)"
done
for host in stranger neighbour; do
    claim_that "tock: a $host meets silence" meets_silence $host $tock "$time_request"
done
claim_that 'tock: an upstream of its own is heard' wait_for 20 said peer holdfastd '192\.0\.2\.1.* is reachable'

# With the key each believes the other: tock has an answer to a packet of its own, so tick took that. They ask every 64 s.
claim_that 'peer: is believed with its key' wait_for 100 said peer holdfastd "exchange with $tick: "
claim_equal 'peer: and nothing else of it is refused' 1 "$(grep -c "packet of $tock refused" "$case_dir/tick/holdfastd.log")"
peer_at_tick=$(ntpq tick -c "rv $(association $tock)")
claim_equal 'peer: symmetric, by key 1' '1 1' "$(variable hmode "$peer_at_tick") $(variable keyid "$peer_at_tick")"
stop peer holdfastd
claim_equal 'tock: exit status' 0 "${exit_status[peer/holdfastd]}"
claim_that 'the server lives' is_running tick holdfastd
stop tick holdfastd
claim_equal 'exit status' 0 "${exit_status[tick/holdfastd]}"
stop net dumpcap INT
