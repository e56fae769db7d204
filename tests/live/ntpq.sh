#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What ntpq and ntptrace print of a holdfastd, checked by value against what is known of the run: who asked it how
# often is counted in the captured packets, what it is, whom it follows and how far off its clock is is set up here:
# the first one's is 35 ms ahead of all others, and it has a drift file.
# Usage: tests/live/ntpq.sh BUILD
. "$(dirname "$0")/hosts.sh"
. "$(dirname "$0")/software.sh"
. "$(dirname "$0")/virtual_clock.sh"

make_switch net
for host in upstream:1 first:2 second:3 chrony:4 crowd:5 outcast:66; do
    make_host "${host%:*}"
    plug "${host%:*}" net "10.0.0.${host#*:}/24"
done
crowd=60 # addresses: more than one answer holds
for ((i = 1; i <= crowd; i++)); do echo "address add 10.0.1.$i/32 dev eth0"; done >"$case_dir/crowd/addresses"
enter crowd ip -batch "$case_dir/crowd/addresses" || break_off 'the crowd has no addresses'
route first 10.0.1.0/24
capture net
mkdir "$case_dir/first/log/ntpstats"
run_chronyd upstream <<'END'
local stratum 3
allow
END
prepare_clocks upstream
set_clock first 0 35
echo -12.345 >"$case_dir/first/drift"
run_apart first -f "$case_dir/first/drift" <<'END'
server 10.0.0.1 iburst minpoll 3 maxpoll 3
server 10.0.0.99 minpoll 3 maxpoll 4 noselect
restrict 10.0.0.0 mask 255.255.254.0 nomodify
restrict 10.0.0.66 ignore
statsdir /var/log/ntpstats/
statistics loopstats peerstats rawstats sysstats protostats
END
await_synchronised first 30
# Who knows his frequency uses the best of eight samples; who measures it, the newest, which may be one held up.
echo 0.000 >"$case_dir/second/drift"
run_holdfastd second -f "$case_dir/second/drift" <<'END'
server 10.0.0.2 iburst minpoll 3 maxpoll 3
restrict 10.0.0.0 mask 255.255.255.0 nomodify
END
run_chronyd chrony <<'END'
server 10.0.0.2 minpoll 0 maxpoll 0
END
await_synchronised second 30
stop chrony chronyd

is_settled() { # its clock filter is full: what it lacks has a dispersion of 16 s
    is_between 1 100 "$(variable rootdisp "$(ntpq first -c rv)")"
}
wait_for 30 is_settled

# --- what it writes meanwhile, in s: the same numbers by another way, which tell units apart
stats=$case_dir/first/log/ntpstats
last_peerstats() { # of the source that it follows
    awk '$3 == "10.0.0.1" { line = $0 } END { print line }' "$stats/peerstats"
}
last_loopstats() { # with the jitter in peerstats of the sample that made this update for a ninth field
    awk 'FILENAME ~ /peerstats/ { jitter[$1, $2] = $8; next } { line = $0 " 0 " jitter[$1, $2] } END { print line }' \
        "$stats/peerstats" "$stats/loopstats"
}
claim_written() { # claim_written NAME MS COLUMN DIGITS LINES: one of the lines has it there, in s, and rounded
    # shellcheck disable=SC2016
    claim_that "$1" awk -v column="$3" -v shown="$2" -v digits="$4" '
        { d = shown - 1000 * $column; same = same || (NF >= column && d * d < (0.6 / 10 ^ digits) ^ 2) }
        END { exit !same }' <<<"$5"
}
slowest_ms() { # the longest exchange so far
    awk '{ d = $8 - $5 - ($7 - $6); if (d > worst) worst = d } END { print 1000 * worst }' "$stats/rawstats"
}

# --- ntpq -pn: the source that it follows, and one that is not there
written=$(last_peerstats)
table=$(ntpq first -pn)
written+=$'\n'$(last_peerstats) # it may have been asked between two samples
read -r remote refid stratum type when poll reach delay offset jitter <<<"$(grep '10\.0\.0\.1 ' <<<"$table")"
claim_equal '-pn: the system peer' '*10.0.0.1' "$remote"
claim_equal '-pn: its reference is its own clock' 127.127.1.1 "$refid"
claim_equal '-pn: its stratum' 3 "$stratum"
claim_equal '-pn: unicast' u "$type"
claim_between '-pn: heard so many seconds ago: a poll, or two when the machine is slow' 0 17 "${when/-/0}"
claim_equal '-pn: asked every 8 s' 8 "$poll"
claim_between '-pn: reach, octal: one poll, with its burst, at least' 1 $((8#377)) "$(echo "$((8#$reach))")"
claim_between '-pn: delay in ms' 0.005 5 "$delay"
claim_between '-pn: offset in ms: it is ahead of its source' -37 -33 "$offset"
for triple in "offset 5 $offset" "delay 6 $delay" "jitter 8 $jitter"; do
    read -r name column shown <<<"$triple"
    fraction=${shown#*.} # four digits, or less of great numbers
    claim_written "-pn: $name in ms, rounded, is what peerstats have in s" "$shown" "$column" ${#fraction} "$written"
done
# The samples of a filter lie apart by half of the longest exchange at most.
claim_between '-pn: jitter in ms: no more than the slowest exchange makes' 0.0001 \
    "$(awk -v ms="$(slowest_ms)" 'BEGIN { print ms / 2 + 0.1 }')" "$jitter"
read -r remote refid stratum _ when poll reach _ <<<"$(grep '10\.0\.0\.99 ' <<<"$table")"
claim_equal '-pn: who never answered' '10.0.0.99 .INIT. 16 - 0' "$remote $refid $stratum $when $reach"
claim_between '-pn: asked every 8 or 16 s' 8 16 "$poll"
claim_equal '-pn: and there is nobody else' 4 "$(wc -l <<<"$table")"

# --- rv: the system
asked=$(date +%s) written=$(last_loopstats)
system=$(ntpq first -c rv)
now=$(date +%s) written+=$'\n'$(last_loopstats) # it may have been asked between two
claim_match 'rv: status: no leap second, by NTP' '^associd=0 status=06[0-9a-f]{2} leap_none, sync_ntp, ' "$system"
claim_equal 'rv: version' "$("$build/holdfastd" -V | head -n 1)" "$(variable version "$system")"
claim_equal 'rv: processor' "$(uname -m)" "$(variable processor "$system")"
claim_equal 'rv: system' "Linux/$(uname -r)" "$(variable system "$system")"
claim_equal 'rv: leap' 00 "$(variable leap "$system")"
claim_equal 'rv: stratum' 4 "$(variable stratum "$system")"
claim_equal 'rv: refid' 10.0.0.1 "$(variable refid "$system")"
claim_between 'rv: precision' -30 -10 "$(variable precision "$system")"
claim_between 'rv: rootdelay in ms: that of the one hop' 0.005 5 "$(variable rootdelay "$system")"
claim_between 'rv: rootdisp in ms: what a hop adds, and 500 ppm of some seconds' 1 100 "$(variable rootdisp "$system")"
claim_equal 'rv: time constant' 3 "$(variable tc "$system")"
claim_equal 'rv: least time constant' 3 "$(variable mintc "$system")"
claim_between 'rv: offset in ms' -37 -33 "$(variable offset "$system")"
claim_written 'rv: which is that of loopstats in s' "$(variable offset "$system")" 3 6 "$written"
claim_equal 'rv: frequency in ppm, of the drift file' -12.345 "$(variable frequency "$system")"
# One exchange of eight that a busy machine held up shows here, by half of its delay over the root of seven.
claim_between 'rv: system jitter in ms: no more than the slowest exchange makes' 0.0001 \
    "$(awk -v ms="$(slowest_ms)" 'BEGIN { print ms / 2 + 0.1 }')" "$(variable sys_jitter "$system")"
# One source alone: its jitter is the system's.
claim_written 'rv: which peerstats have in s, of the sample that made the last update' \
    "$(variable sys_jitter "$system")" 9 6 "$written"
# An average over eight updates: the first one's jump of 35 ms leaves 35 / sqrt(8), and less with each that follows.
claim_between 'rv: clock jitter in ms' 3 13 "$(variable clk_jitter "$system")"
claim_written 'rv: which is that of loopstats in s' "$(variable clk_jitter "$system")" 5 6 "$written"
claim_between 'rv: wander in ppm' 0 0 "$(variable clk_wander "$system")"
unix_time() { # unix_time NAME TEXT: a time stamp of rv in seconds since 1970
    local stamp
    stamp=$(variable "$1" "$2")
    echo $((16#${stamp%%.*} - 2208988800))
}
claim_between 'rv: clock is now' "$asked" $((now + 1)) "$(unix_time clock "$system")"
update_s() { awk '{ printf "%d\n", ($1 - 40587) * 86400 + $2 }' <<<"$written"; } # in whole seconds since 1970
claim_between 'rv: the last update is that of loopstats' $(($(update_s | head -n 1) - 1)) \
    $(($(update_s | tail -n 1) + 1)) "$(unix_time reftime "$system")"

# --- as, apeers and rv ASSOCIATION
associations=$(ntpq first -c as)
id=$(variable peer "$system")
claim_equal 'as: the system peer: conf, reach, auth, condition' 'yes yes none sys.peer' \
    "$(awk -v id="$id" '$2 == id { print $4, $5, $6, $7 }' <<<"$associations")"
claim_equal 'as: the other' 'yes no none reject' \
    "$(awk -v id="$id" '$1 ~ /^[0-9]+$/ && $2 != id { print $4, $5, $6, $7 }' <<<"$associations")"
claim_match 'apeers: the system peer and its number' "^\*10\.0\.0\.1 .* $id +3 u " "$(ntpq first -c apeers)"
claim_equal 'apeers: has two lines' 2 "$(ntpq first -c apeers | grep -c ' u ')"
claim_between 'apeers: offset in ms' -37 -33 "$(ntpq first -c apeers | awk '$1 == "*10.0.0.1" { print $(NF - 1) }')"
written=$(last_peerstats)
asked=$(date +%s)
source=$(ntpq first -c "rv $id")
now=$(date +%s)
written+=$'\n'$(last_peerstats) # it may have been asked between two samples
for pair in srcadr=10.0.0.1 srcport=123 dstadr=10.0.0.2 leap=00 stratum=3 hmode=3 pmode=4 hpoll=3 ppoll=3 \
    refid=127.127.1.1 keyid=0 unreach=0; do
    claim_equal "rv $id: ${pair%=*}" "${pair#*=}" "$(variable "${pair%=*}" "$source")"
done
claim_between "rv $id: reach" 1 $((8#377)) "$(echo "$((8#$(variable reach "$source")))")"
claim_between "rv $id: offset in ms" -37 -33 "$(variable offset "$source")"
claim_between "rv $id: delay in ms" 0.005 5 "$(variable delay "$source")"
claim_between "rv $id: dispersion in ms" 0.01 100 "$(variable dispersion "$source")"
for pair in offset=5 delay=6 jitter=8; do
    claim_written "rv $id: ${pair%=*} in ms is what peerstats have in s" "$(variable "${pair%=*}" "$source")" \
        "${pair#*=}" 6 "$written"
done
precision_of() { # precision_of ADDRESS: as it stands in each packet that it answers with
    tshark -r "$case_dir/packets.pcap" -Y "ntp.flags.mode == 4 && ip.src == $1" -T fields -e ntp.precision 2>/dev/null |
        sort -u | awk '{ print ($1 > 127 ? $1 - 256 : $1) }' # tshark shows an octet without its sign
}
claim_equal "rv $id: precision" "$(precision_of 10.0.0.1)" "$(variable precision "$source")"
claim_equal 'rv: precision, as it is served' "$(precision_of 10.0.0.2)" "$(variable precision "$system")"
# chronyd's own clock as a reference is renewed every 64 s, and is asked every 8.
claim_between "rv $id: its last update is not long ago" $((asked - 80)) $((now + 1)) "$(unix_time reftime "$source")"
claim_between "rv $id: nor is its last answer" $((asked - 17)) $((now + 1)) "$(unix_time rec "$source")"
# The upstream is a primary server, so to speak: what is not 0 has the one that follows the first.
# It knows of the first what that told it at the last poll, some seconds ago.
chain_of_second() { ntpq second -c "rv $(variable peer "$(ntpq second -c rv)")"; }
has_heard_settled() { is_between 1 100 "$(variable rootdisp "$(chain_of_second)")"; }
wait_for 20 has_heard_settled
chain=$(chain_of_second)
claim_equal 'rv of the second: whom it follows' 10.0.0.2 "$(variable srcadr "$chain")"
claim_between 'rv of the second: rootdelay in ms' 0.005 5 "$(variable rootdelay "$chain")"
claim_between 'rv of the second: rootdisp in ms' 1 100 "$(variable rootdisp "$chain")"
claim_match "rv $id: passed all tests" 'flash=00 ok' "$source"
values() { # values LIST: of the association
    grep -o "$1 *=[^,]*" <<<"$source" | cut -d = -f 2
}
for list in filtdelay filtoffset filtdisp; do
    claim_equal "rv $id: $list has eight values" 8 "$(values "$list" | wc -w)"
done
# Of a burst of four samples there are four at least; what never came has a dispersion of 16 s. However long a busy
# machine held one up, half of its delay is the most that it can be off.
in_lines() { values "$1" | xargs -n 1; }
exchanges=$(paste <(in_lines filtoffset) <(in_lines filtdelay) <(in_lines filtdisp) | head -n 4)
claim_equal "rv $id: filtoffset, filtdelay and filtdisp in ms: samples that are not so" '' \
    "$(awk '{ off = $1 + 35; if (off < 0) off = -off }
        off > $2 / 2 + 0.5 || $2 < 0.005 || $3 < 0.0001 || $3 > 100' <<<"$exchanges")"
claim_between "rv $id: the least of filtdelay in ms" 0.005 5 \
    "$(sort -n -k 2,2 <<<"$exchanges" | awk 'NR == 1 { print $2 }')"
claim_between "rv $id: jitter in ms: no more than half the greatest of filtdelay" 0.0001 \
    "$(in_lines filtdelay | awk '$1 > most { most = $1 } END { print most / 2 + 0.1 }')" "$(variable jitter "$source")"
other=$(awk -v id="$id" '$1 ~ /^[0-9]+$/ && $2 != id { print $2 }' <<<"$associations")
claim_equal "rv $other: never heard" '10.0.0.99 16 000' "$(
    source=$(ntpq first -c "rv $other")
    echo "$(variable srcadr "$source") $(variable stratum "$source") $(variable reach "$source")"
)"
claim_match 'rv of nobody: an error that says so' '[Uu]nknown assoc' "$(ntpq first -c 'rv 4711' 2>&1)"

# --- mrulist: who asked, how often, as the capture has it. The crowd asks twice each, from all its addresses.
cat >"$case_dir/ask.py" <<'END'
import socket, sys
request = bytes.fromhex(sys.argv[1])
for i in range(1, int(sys.argv[2]) + 1):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(10)
        s.bind(("10.0.1.%d" % i, 0))
        for _ in range(2):
            s.sendto(request, ("10.0.0.2", 123))
            assert len(s.recv(100)) == 48
END
claim_that 'each of a crowd gets two replies' inside crowd /usr/bin/python3 "$case_dir/ask.py" "$time_request" $crowd
sleep 2 # or chrony's last packet may be no second old
crowd_in_list() { awk '$NF ~ /^10\.0\.1\./ && $7 == 2' <<<"$list" | wc -l; } # those with two requests
has_crowd() { # keeps what it saw: what server threads have counted is seen a second later
    asked=$(date +%s)
    list=$(ntpq second -n -c 'mrulist sort=addr' 10.0.0.2)
    answered=$(date +%s)
    [ "$(crowd_in_list)" -eq "$crowd" ]
}
wait_for 10 has_crowd
read -r age interval restrictions _ mode version count _ _ port _ <<<"$(grep ' 10\.0\.0\.4$' <<<"$list")"
claim_equal 'mrulist: chrony asks in mode 3, version 4' '3 4' "$mode $version"
of_chrony='ntp && ip.src == 10.0.0.4 && ip.dst == 10.0.0.2'
wait_for 10 has_captured "$count" "$of_chrony"
claim_equal 'mrulist: as often as it did' "$(captured "$of_chrony")" "$count"
# Of chrony's packets: the last one's time and port, and the time between two on average.
read -r last_s last_port average_s <<<"$(tshark -r "$case_dir/packets.pcap" \
    -Y "$of_chrony" -T fields -e frame.time_epoch -e udp.srcport 2>/dev/null |
    awk 'NR == 1 { first = $1 } END { printf "%d %d %.3f", $1, $2, ($1 - first) / (NR - 1) }')"
claim_between 'mrulist: so many seconds ago' $((asked - last_s - 1)) $((answered - last_s + 1)) "$age"
claim_between 'mrulist: which is more than one' 2 300 "$age"
claim_equal 'mrulist: from that port' "$last_port" "$port"
claim_between "mrulist: on average every $average_s s" "$(awk -v s="$average_s" 'BEGIN { print s - 0.02 }')" \
    "$(awk -v s="$average_s" 'BEGIN { print s + 0.02 }')" "$interval"
claim_equal 'mrulist: nomodify, as an ntpd counts' 80 "$restrictions"
claim_equal 'mrulist: the crowd is all there' $crowd "$(grep -cE ' 10\.0\.1\.[0-9]+$' <<<"$list")"
claim_equal 'mrulist: each of it with two requests' $crowd "$(crowd_in_list)"
claim_match 'mrulist: the second server' ' 10\.0\.0\.3$' "$list"
claim_no_match 'mrulist: not those whose answers it gets' ' 10\.0\.0\.1$' "$list"

# --- sysstats: each kind once or more, and counted
statistic() { # statistic LABEL
    sed -nE "s/^$1: +([0-9]+).*/\1/p" <<<"$statistics"
}
statistics=$(ntpq first -c sysstats)
before=()
for label in 'packets received' 'current version' 'older version' 'bad length or format' restricted; do
    before[${#before[@]}]=$(statistic "$label")
done
echo 10.0.0.4 >"$case_dir/senders-of-wrong-packets" # for capture.sh
ask_bytes chrony 10.0.0.2 "1b${time_request:2}" >/dev/null  # version 3
ask_bytes chrony 10.0.0.2 "1b${time_request:2}" >/dev/null  # and again
ask_bytes chrony 10.0.0.2 "${time_request:0:40}" 1 >/dev/null # cut off
for _ in 1 2 3; do ask_bytes outcast 10.0.0.2 "$time_request" 1 >/dev/null; done
has_counted() { # keeps what it saw: the last of them, a second later
    statistics=$(ntpq first -c sysstats)
    [ "$(statistic restricted)" -ge $((before[4] + 3)) ]
}
wait_for 10 has_counted
claim_no_match 'sysstats: has all that ntpq asks for' 'Unknown variable|\?' "$statistics"
claim_between 'sysstats: packets received' $((before[0] + 5)) $((before[0] + 40)) "$(statistic 'packets received')"
claim_between 'sysstats: of this version' $((before[1] + 1)) $((before[1] + 40)) "$(statistic 'current version')"
claim_equal 'sysstats: of an older version' $((before[2] + 2)) "$(statistic 'older version')"
claim_equal 'sysstats: of bad length' $((before[3] + 1)) "$(statistic 'bad length or format')"
claim_equal 'sysstats: restricted' $((before[4] + 3)) "$(statistic restricted)"
claim_equal 'sysstats: authentication never failed' 0 "$(statistic 'authentication failed')"
claim_match 'sysstats: time since the start' '^uptime: +00:0[0-9]:[0-9]{2}$' "$statistics"

# --- the other reports of ntpq: it prints a question mark for a variable that it gets no value of
for report in 'kerninfo=frequency tolerance: +500' 'iostats=received packets: +[1-9]' 'timerstats=calls to transmit: +[1-9]' \
    'sysinfo=system peer: +10\.0\.0\.1:123' 'authinfo=stored keys: +0' 'monstats=addresses in use: +[1-9]'; do
    text=$(ntpq first -c "${report%%=*}" 2>&1)
    claim_match "${report%%=*}: says" "^${report#*=}" "$text"
    claim_no_match "${report%%=*}: has all that ntpq asks for" 'Unknown variable|\?' "$text"
done

# --- ntptrace: down the chain, to the first that does not answer such questions
trace=$(ntptrace second -n)
measured='0\.03[3-6][0-9]+, synch distance [0-9]\.[0-9]+$'
claim_match 'ntptrace: begins here, 35 ms behind its source' "^127\.0\.0\.1: stratum 5, offset $measured" "$trace"
claim_match 'ntptrace: goes on to the first, ahead of its own' "^10\.0\.0\.2: stratum 4, offset -$measured" "$trace"
claim_that 'ntptrace: who is further from the source claims more' \
    awk -F 'distance ' 'NR == 1 { far = $2 } NR == 2 { exit !(far > $2) }' <<<"$trace"

for host in first second; do
    stop $host holdfastd
    claim_equal "$host: exit status" 0 "${exit_status[$host/holdfastd]}"
done
stop net dumpcap INT
