#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Everybody takes time from holdfastd: chrony, ntpsec's ntpd, OpenNTPD, busybox ntpd and ntpdig. Its clock is 35 ms
# ahead of the one that all the others share, so that is the true offset which each of them has to find.
# Usage: tests/live/clients.sh BUILD
. "$(dirname "$0")/hosts.sh"
. "$(dirname "$0")/software.sh"
. "$(dirname "$0")/virtual_clock.sh"
# What an offset may differ from the true one: 2 ms; delays here are some 50 us.
ahead=0.035 low=0.033 high=0.037

make_switch net
for host in upstream:1 server:2 chrony:11 ntpsec:12 openntpd:13 busybox:14 digger:15; do
    make_host "${host%:*}"
    plug "${host%:*}" net "10.0.0.${host#*:}/24"
done
capture net

run_chronyd upstream <<'END'
local stratum 3
allow
END
prepare_clocks upstream
set_clock server 0 35
run_apart server <<'END'
server 10.0.0.1 iburst minpoll 3 maxpoll 3
restrict 10.0.0.0 mask 255.255.255.0 nomodify
END
await_synchronised server 30

run_chronyd chrony <<'END'
server 10.0.0.2 iburst minpoll -1 maxpoll -1
allow
END
run_ntpsec ntpsec <<'END'
server 10.0.0.2 iburst minpoll 0 maxpoll 0
restrict 127.0.0.1
restrict ::1
END
run_openntpd openntpd <<'END'
server 10.0.0.2
END
run_busybox busybox -p 10.0.0.2

# --- ntpdig: takes the best of eight samples, for it stamps packets in Python
dig_offset() { # dig_offset ADDRESS: of its time to the clock that all others share, in s
    seen=$(ntpdig digger -j -p 8 "$1")
    json offset
}
seen=$(ntpdig digger -j -p 8 10.0.0.2)
json() { # json KEY: of what ntpdig printed
    awk -f "$root/plots/flatten.awk" <<<"$seen" | sed -nE "s/^$1\t//p"
}
claim_equal 'ntpdig: the server' 10.0.0.2 "$(json ip)"
claim_equal 'ntpdig: its stratum' 4 "$(json stratum)"
claim_equal 'ntpdig: no leap second' no-leap "$(json leap)"
claim_between 'ntpdig: offset in s' $low $high "$(json offset)"
claim_between 'ntpdig: half of the round trip at least' 0.000001 0.02 "$(json precision)"
for version in 1 2 3 4; do
    reply=$(ask_bytes digger 10.0.0.2 "$(printf '%02x' $((version << 3 | 3)))${time_request:2}")
    claim_equal "version $version: a reply of 48 bytes" 96 ${#reply}
    claim_equal "version $version: mode 4 of that version, stratum 4, poll echoed" \
        "$(printf '%02x0406' $((version << 3 | 4)))" "${reply:0:6}"
    claim_equal "version $version: the reference is the upstream's address" 0a000001 "${reply:24:8}"
    claim_equal "version $version: my transmit time comes back as the origin" e000000000000001 "${reply:48:16}"
done

# --- chrony
is_settled() { # keeps what it saw: the next poll may be on its way already. After a sample that was held up comes a good one
    source=$(ask_chrony chrony sources)
    IFS=, read -r _ _ _ stratum _ _ _ _ offset _ <<<"$source"
    [ "$(cut -d , -f 1,2,3,6 <<<"$source")" = '^,*,10.0.0.2,377' ] && is_between -0.002 0.002 "$offset"
}
wait_for 30 is_settled
claim_equal 'chrony: selects the server, every poll of eight answered' '^,*,10.0.0.2,377' \
    "$(cut -d , -f 1,2,3,6 <<<"$source")"
claim_equal 'chrony: sees stratum' 4 "$stratum"
claim_between 'chrony: offset of its last sample to the time that it keeps, in s' -0.002 0.002 "$offset"
tracking=$(ask_chrony chrony tracking)
IFS=, read -r refid _ stratum _ correction _ <<<"$tracking"
claim_equal 'chrony: reference' 0A000002 "$refid"
claim_equal 'chrony: is at stratum' 5 "$stratum"
claim_between 'chrony: its clock is behind that time by, in s' $low $high "$correction"
claim_match 'chrony: leap status' ',Normal$' "$tracking"
data=$(ask_chrony chrony ntpdata 10.0.0.2)
claim_match 'chrony: the server names its upstream' ',4,Server,4,.*,0A000001,' "$data"
claim_equal 'chrony: the tests of its packets passed' '111,111' "$(cut -d , -f 24,25 <<<"$data")"

# It sets no clock here, but keeps a time of its own by what it has learned, and serves that.
claim_between 'chrony: the time that it keeps is ahead of its clock by, in s' $low $high "$(dig_offset 10.0.0.11)"

# --- ntpsec
is_reached() { # keeps what it saw: with the next poll the last bit is 0 until the answer
    line=$(ntpq ntpsec -pn | grep -E '^\*10\.0\.0\.2 .* 377 ')
}
line=''
wait_for 45 is_reached
claim_match 'ntpsec: selects the server, every poll of eight answered' . "$line"
read -r _ refid stratum _ _ _ _ delay offset _ <<<"$line"
claim_equal 'ntpsec: the server names its upstream' 10.0.0.1 "$refid"
claim_equal 'ntpsec: sees stratum' 4 "$stratum"
claim_between 'ntpsec: delay in ms' 0.005 5 "$delay"
claim_between 'ntpsec: offset in ms' 33 37 "$offset"
variables=$(ntpq ntpsec -c rv)
claim_equal 'ntpsec: leap' 00 "$(variable leap "$variables")"
claim_equal 'ntpsec: is at stratum' 5 "$(variable stratum "$variables")"
claim_equal 'ntpsec: reference' 10.0.0.2 "$(variable refid "$variables")"
claim_between 'ntpsec: system offset in ms' 33 37 "$(variable offset "$variables")"

# --- busybox: every answer is in its log. It stamps packets itself, so a busy machine shows in the delay; but whatever
# the delay, half of it is the most that a sample can be off.
answers_of() { # answers_of: offset and delay of each that it believed
    sed -nE 's/.*reply from 10\.0\.0\.2: offset:([^ ]+) delay:([^ ]+) status:0x24 strat:4 refid:0x0100000a .*/\1 \2/p' \
        "$case_dir/busybox/busybox.log"
}
replies() { # replies: all of them; what took several times as long as the quickest, it does not look at
    grep 'reply from 10\.0\.0\.2: ' "$case_dir/busybox/busybox.log"
}
has_five() { # and has used one
    [ "$(replies | wc -l)" -ge 5 ] && said busybox busybox 'update from:10\.0\.0\.2 '
}
claim_that 'busybox: is answered five times, and uses what it hears' wait_for 60 has_five
claim_equal 'busybox: replies that are not: no leap second, stratum 4, the upstream as reference' '' \
    "$(replies | grep -v 'is too high, ignoring' | grep -v ' status:0x24 strat:4 refid:0x0100000a ')"
claim_no_match 'busybox: no answer was lost or wrong' 'timed out|bad|unexpected|garbage' \
    "$(cat "$case_dir/busybox/busybox.log")"
claim_equal 'busybox: samples that are off by more than half of their delay' '' \
    "$(answers_of | awk -v ahead=$ahead '{ o = $1 - ahead; if (o < 0) o = -o } o > $2 / 2 + 0.0001')"
claim_between 'busybox: the best offset that it used, in s' $low $high \
    "$(sed -nE 's/.*update from:10\.0\.0\.2 offset:[+]?([^ ]+) .*/\1/p' "$case_dir/busybox/busybox.log" |
        awk -v ahead=$ahead '{ o = $1 - ahead; if (o < 0) o = -o } NR == 1 || o < least { least = o; best = $1 }
            END { print best }')"

# --- openntpd: trusts a server after some answers, and says so
is_trusted() {
    ask_openntpd openntpd status | grep -q '^1/1 peers valid'
}
claim_that 'openntpd: finds the server valid' wait_for 90 is_trusted
read -r weight trust stratum _ <<<"$(ask_openntpd openntpd peers | tail -n 1 | tr -d '*')"
claim_equal 'openntpd: weight' 1 "$weight"
claim_between 'openntpd: trust' 6 10 "$trust"
claim_equal 'openntpd: sees stratum' 4 "$stratum"
# What it shows as offset is less what it believes to have corrected; so its log is asked.
claim_that 'openntpd: adjusts its clock by what it has measured' \
    wait_for 40 said openntpd openntpd '^adjusting local clock by'
claim_between 'openntpd: and that is, in s' $low $high \
    "$(sed -nE 's/^adjusting local clock by (.*)s$/\1/p' "$case_dir/openntpd/openntpd.log" | head -n 1)"

# --- and the server is as it was: it knows how far off its own clock is, and claims no less
claim_own_offset 'the server knows its offset, in s' server -$ahead
claim_between 'and claims no less, in s' $low 1.5 "$(status_of server bound_s)"
claim_that 'the server runs on' is_running server holdfastd
claim_equal 'and is synchronised' synchronised "$(status_of server state)"
stop server holdfastd
claim_equal 'it ends with status' 0 "${exit_status[server/holdfastd]}"
stop net dumpcap INT
