#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# chrony as our symmetric peer: with the right AES128CMAC key a source like any other; with a wrong key refused, said
# in the log, and nothing else disturbed. Our clock is 35 ms ahead of theirs: so much each has to measure. chrony is
# silent to whom it cannot believe; so two servers of our own answer each question, one of them with the right key.
# Usage: tests/live/symmetric.sh BUILD
. "$(dirname "$0")/hosts.sh"
. "$(dirname "$0")/software.sh"
. "$(dirname "$0")/virtual_clock.sh"
right=000102030405060708090a0b0c0d0e0f
ours=101112131415161718191a1b1c1d1e1f
theirs=f0e0d0c0b0a090807060504030201000

make_switch net
for host in friend:1 stranger:2 we:3 keyed:4 forger:5; do
    make_host "${host%:*}"
    plug "${host%:*}" net "10.0.0.${host#*:}/24"
done
capture net

hex() { printf %s "$1" | od -An -v -tx1 | tr -d ' \n'; } # hex TEXT: its octets

chrony_peer() { # chrony_peer HOST KEY-ID KEY: with a time of its own, at stratum 3
    echo "$2 AES128 HEX:$3" >"$case_dir/$1/chrony.keys"
    chmod 600 "$case_dir/$1/chrony.keys"
    run_chronyd "$1" <<END
local stratum 3
allow
keyfile $case_dir/$1/chrony.keys
peer 10.0.0.3 key $2 minpoll 3 maxpoll 3
END
}
chrony_peer friend 1 $right
chrony_peer stranger 2 $theirs
start keyed server /usr/bin/python3 "$root/tests/live/keyed_server.py" 10.0.0.4 "the right secret of key 3"
start forger server /usr/bin/python3 "$root/tests/live/keyed_server.py" 10.0.0.5 "a wrong secret of key 4"
printf '%s\n' "1 AES128CMAC $right" "2 AES128CMAC $ours" "3 SHA1 $(hex 'the right secret of key 3')" \
    "4 SHA1 $(hex 'the right secret of key 4')" >"$case_dir/we/ntp.keys"
chmod 600 "$case_dir/we/ntp.keys"
prepare_clocks friend
set_clock we 0 35
run_apart we -d -d <<END
peer 10.0.0.1 key 1 minpoll 3 maxpoll 3
peer 10.0.0.2 key 2 minpoll 3 maxpoll 3
server 10.0.0.4 key 3 iburst minpoll 3 maxpoll 3 noselect
server 10.0.0.5 key 4 iburst minpoll 3 maxpoll 3
keys $case_dir/we/ntp.keys
trustedkey 1 2 3 4
restrict 10.0.0.0 mask 255.255.255.0 nomodify
END
await_synchronised we 90

association() { # association ADDRESS: its id, as ntpq counts
    local id
    for id in $(ntpq we -c as | awk '$2 ~ /^[0-9]+$/ { print $2 }'); do
        if [ "$(variable srcadr "$(ntpq we -c "rv $id srcadr")")" = "$1" ]; then echo "$id"; fi
    done
}
good=$(ntpq we -c "rv $(association 10.0.0.1)")
bad=$(ntpq we -c "rv $(association 10.0.0.2)")

# --- the right key
claim_equal 'we follow the peer with the right key' 10.0.0.1 "$(status_of we source)"
claim_equal 'one stratum below it' 4 "$(status_of we stratum)"
claim_own_offset 'offset in s' we -0.035
claim_equal 'the association is symmetric active' 1 "$(variable hmode "$good")"
claim_equal 'so is what the peer sends' 1 "$(variable pmode "$good")"
claim_equal 'its key' 1 "$(variable keyid "$good")"
claim_equal 'its stratum' 3 "$(variable stratum "$good")"
in_s() { awk -v ms="$(variable "$1" "$2")" 'BEGIN { print ms / 1000 }'; } # in_s NAME TEXT: a variable in ms
claim_offset 'its offset in s' -0.035 "$(in_s offset "$good")" "$(in_s delay "$good")"
claim_between 'its delay in s' 0.000001 0.02 "$(in_s delay "$good")"
claim_match 'ntpq: selected, symmetric' '^\*10\.0\.0\.1 .* 3 s ' "$(ntpq we -pn)"
authenticated=$(ntpq we -c as | awk -v id="$(association 10.0.0.1)" '$2 == id { print $5, $6 }')
claim_equal 'ntpq: reachable and authenticated' 'yes ok' "$authenticated"
is_reached_by() { # is_reached_by HOST: chrony there has had an answer of ours that it believes
    [ "$(ask_chrony "$1" sources | awk -F , '{ print ($6 > 0) }')" = 1 ]
}
claim_that 'chrony hears us' wait_for 40 is_reached_by friend
data=$(ask_chrony friend ntpdata 10.0.0.3)
claim_equal 'chrony: we are symmetric active, at stratum 4' 'Symmetric active,4' "$(cut -d , -f 8,9 <<<"$data")"
claim_equal 'chrony: the packets are authenticated' Yes "$(cut -d , -f 28 <<<"$data")"
claim_equal 'chrony: the tests of its packets passed' '111,111' "$(cut -d , -f 24,25 <<<"$data")"
claim_offset 'chrony: offset in s' 0.035 "$(cut -d , -f 19 <<<"$data")" "$(cut -d , -f 20 <<<"$data")"
claim_match 'chrony: key 1 is AES128CMAC (its number is 13)' '^10\.0\.0\.3,SK,1,13,128,' "$(ask_chrony friend authdata)"

# --- the wrong key
claim_equal 'nothing of the peer with a wrong key is believed: reach' 000 \
    "$(printf '%03d' "$((10#$(variable reach "$bad")))")"
claim_equal 'its stratum is unknown' 16 "$(variable stratum "$bad")"
claim_match 'ntpq: neither reachable nor selected' '^ 10\.0\.0\.2 .* 16 s .* 0 ' "$(ntpq we -pn)"
claim_match 'the log says so' '10\.0\.0\.2.*(MAC|authentic|key)' "$(cat "$case_dir/we/holdfastd.log")"
claim_no_match 'and says it of no other' 'packet of 10\.0\.0\.1 refused' "$(cat "$case_dir/we/holdfastd.log")"
claim_equal 'chrony believes nothing of ours either' 0 "$(ask_chrony stranger sources | cut -d , -f 6)"
of_stranger='ntp && ip.src == 10.0.0.2 && ip.dst == 10.0.0.3'
claim_that 'although it did send, and more than once' wait_for 20 has_captured 2 "$of_stranger"
lines=$(grep -c 'packet of 10\.0\.0\.2 refused' "$case_dir/we/holdfastd.log")
claim_that 'the log has no more lines about that than there were packets' \
    wait_for 10 has_captured "$lines" "$of_stranger"

# --- answers with a MAC, and all else right: with our key, and with another
keyed=$(ntpq we -c "rv $(association 10.0.0.4)")
forged=$(ntpq we -c "rv $(association 10.0.0.5)")
claim_equal 'a server with our key is believed: stratum' 2 "$(variable stratum "$keyed")"
claim_between 'its reach' 1 $((8#377)) "$(echo "$((8#$(variable reach "$keyed")))")"
claim_offset 'its offset in s' -0.035 "$(in_s offset "$keyed")" "$(in_s delay "$keyed")"
claim_between 'one with another key answers as well, so often' 2 1000 \
    "$(grep -c answered "$case_dir/forger/server.log")"
claim_equal 'and none of it is believed: reach, stratum' '0 16' \
    "$((8#$(variable reach "$forged"))) $(variable stratum "$forged")"
claim_between 'each is counted' "$(grep -c answered "$case_dir/forger/server.log")" 1000 \
    "$(ntpq we -c sysstats | sed -nE 's/^authentication failed: +([0-9]+).*/\1/p')"
claim_match 'and said' 'packet of 10\.0\.0\.5 refused.*(MAC|authentic|key)' "$(cat "$case_dir/we/holdfastd.log")"
claim_no_match 'of the other nothing is' 'packet of 10\.0\.0\.4 refused' "$(cat "$case_dir/we/holdfastd.log")"

claim_equal 'we are synchronised all the same' synchronised "$(status_of we state)"
claim_equal 'our state changed once' 1 "$(grep -c ' -> ' "$case_dir/we/holdfastd.log")"
stop we holdfastd
claim_equal 'exit status' 0 "${exit_status[we/holdfastd]}"
stop net dumpcap INT
