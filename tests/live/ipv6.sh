#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# IPv6: followed and served, reference ids by the rule that chrony uses too, replies from the address that was asked,
# and what -4, -6 and -I leave out. The clock of the server is 35 ms ahead of the one that all others share.
# Usage: tests/live/ipv6.sh BUILD
. "$(dirname "$0")/hosts.sh"
. "$(dirname "$0")/software.sh"
. "$(dirname "$0")/virtual_clock.sh"

make_switch net
for host in upstream:1 server:2 client:3 only4:4 only6:6 one:7; do
    make_host "${host%:*}"
    plug "${host%:*}" net "10.0.0.${host#*:}/24" "fd00::${host#*:}/64"
done
for address in 10.0.0.22/24 fd00::22/64; do enter server ip address add $address dev eth0; done
for address in 10.0.0.77/24 fd00::77/64; do enter one ip address add $address dev eth0; done
capture net
run_chronyd upstream <<'END'
local stratum 3
allow
END
serve() { # serve HOST OPTION...: following upstream over IPv6, or over IPv4 where there is nothing else
    local source=fd00::1
    [[ " $* " == *" -4 "* ]] && source=10.0.0.1
    run_holdfastd "$@" <<END
server $source iburst minpoll 3 maxpoll 3
restrict 10.0.0.0 mask 255.255.255.0 nomodify
restrict fd00::/64 nomodify
END
}
prepare_clocks upstream
set_clock server 0 35
run_apart server <<'END'
server fd00::1 iburst minpoll 3 maxpoll 3
restrict 10.0.0.0 mask 255.255.255.0 nomodify
restrict fd00::/64 nomodify
END
serve only4 -4
serve only6 -6
serve one -I 10.0.0.77 -I fd00::77
run_chronyd client <<'END'
server fd00::1 minpoll -1 maxpoll -1 noselect
server fd00::2 minpoll -1 maxpoll -1 noselect
server fd00::22 minpoll -1 maxpoll -1 noselect
server 10.0.0.2 minpoll -1 maxpoll -1 noselect
server 10.0.0.22 minpoll -1 maxpoll -1 noselect
END
await_synchronised server 30

claim_equal 'the source is an IPv6 address' fd00::1 "$(status_of server source)"
claim_equal 'stratum' 4 "$(status_of server stratum)"
claim_own_offset 'offset in s' server -0.035
claim_match 'ntpq: system peer' '^\*fd00::1 .* 3 u ' "$(ntpq server -pn)"
claim_match 'ntpq asks over IPv6 too' 'stratum=4,' "$(ntpq client -c rv fd00::2)"

# --- the reference id of an IPv6 source is the first four octets of the address's MD5
hash=$(printf '\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1' | md5sum | head -c 8)
reply=$(ask_bytes client fd00::2 "$time_request")
claim_equal 'a reply over IPv6' e000000000000001 "${reply:48:16}"
claim_equal 'its reference id' "$hash" "${reply:24:8}"

# --- one server, four addresses: chrony takes a reply only from the address that it asked
sources_settled() { # keeps what it saw: the next poll of one of them may be on its way already
    sources=$(ask_chrony client sources)
    [ "$(awk -F , '$6 == 377' <<<"$sources" | wc -l)" -eq 5 ]
}
wait_for 30 sources_settled
claim_equal 'chrony: all four addresses answer every poll, and so does the upstream' 5 \
    "$(awk -F , '$6 == 377' <<<"$sources" | wc -l)"
for address in fd00::2 fd00::22 10.0.0.2 10.0.0.22; do
    claim_equal "chrony: $address stratum and reach" 4,377 \
        "$(awk -F , -v address=$address '$3 == address' <<<"$sources" | cut -d , -f 4,6)"
    data=$(ask_chrony client ntpdata $address)
    claim_match "chrony: $address reference" ",${hash^^}," "$data"
    # Its clock is behind the server's: positive is ahead there, as with us.
    claim_offset "chrony: $address: offset in s" 0.035 "$(cut -d , -f 19 <<<"$data")" "$(cut -d , -f 20 <<<"$data")"
done

# --- what options leave out
is_served() { # is_served ADDRESS
    gets_right_time ask_bytes client "$1" "$time_request"
}
claim_that '-4 serves IPv4' is_served 10.0.0.4
claim_that '-4 does not serve IPv6' meets_silence client fd00::4 "$time_request"
claim_that '-6 serves IPv6' is_served fd00::6
claim_that '-6 does not serve IPv4' meets_silence client 10.0.0.6 "$time_request"
claim_that '-I 10.0.0.77 serves that address' is_served 10.0.0.77
claim_that '-I fd00::77 serves that one' is_served fd00::77
claim_that '-I ADDRESS leaves out the others' meets_silence client 10.0.0.7 "$time_request"
claim_that '-I ADDRESS leaves out those of IPv6' meets_silence client fd00::7 "$time_request"
for host in server only4 only6 one; do
    stop $host holdfastd
    claim_equal "$host: exit status" 0 "${exit_status[$host/holdfastd]}"
done
stop net dumpcap INT
