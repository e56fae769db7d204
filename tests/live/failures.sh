#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What goes wrong on a real machine while holdfastd follows a real server: the disk with the statistics is full, the
# interface is gone and comes back, it is killed and started again, two are started at once, the configuration is
# reloaded every second under load. The process that should live, lives, and says one clear line.
# Usage: tests/live/failures.sh BUILD
. "$(dirname "$0")/hosts.sh"
. "$(dirname "$0")/software.sh"

make_switch net
for host in clock:1 us:2 twins:3; do
    make_host "${host%:*}"
    plug "${host%:*}" net "10.0.0.${host#*:}/24"
done
run_chronyd clock <<'END'
local stratum 3
allow
END

configuration() {
    cat <<'END'
server 10.0.0.1 iburst minpoll 3 maxpoll 3
restrict default nomodify
statsdir /var/log/stats/
statistics peerstats
END
}
log_of_us=$case_dir/us/holdfastd.log
count() { grep -cE -- "$1" "$log_of_us"; }

# --- a full disk
mkdir "$case_dir/us/log/stats"
enter us sh -c 'mount -t tmpfs -o size=16k none /var/log/stats; cat /dev/zero >/var/log/stats/ballast 2>&-'
in_stats() { enter us sh -c "cd /var/log/stats && $1"; }
claim_equal 'the disk is full' 0 "$(in_stats 'df --output=avail . | tail -n 1' | tr -d ' ')"
run_holdfastd us < <(configuration)
await_synchronised us 20
claim_that 'a full disk is said' wait_for 10 said us holdfastd 'peerstats.*No space left on device'
sleep 9
claim_equal 'once, however many lines are lost' 1 "$(count 'No space left')"
claim_that 'and the daemon serves' serves_time clock 10.0.0.2
in_stats 'rm ballast'
has_statistics() { in_stats 'test -s peerstats'; }
claim_that 'with room again lines are written' wait_for 20 has_statistics
claim_that 'which is said as well' wait_for 5 said us holdfastd 'peerstats.*(again|works)'
claim_equal 'no line is half written' '' "$(in_stats 'cat peerstats' | awk 'NF != 8 { print "has", NF, "fields:", $0 }')"

# --- the interface
enter us ip address del 10.0.0.2/24 dev eth0
claim_that 'a lost address is said' wait_for 5 said us holdfastd 'local addresses have changed: [0-9]+ now'
claim_that 'and the daemon lives, and serves what is left' serves_time us 127.0.0.1
enter us ip address add 10.0.0.2/24 dev eth0
claim_that 'the address comes back and is served again' wait_for 10 serves_time clock 10.0.0.2
enter us ip link delete dev eth0
sleep 1
claim_that 'it serves without its interface' serves_time us 127.0.0.1
claim_that 'and answers its operator' is_synchronised us
plug us net 10.0.0.2/24
claim_that 'another interface with its address is served' wait_for 10 serves_time clock 10.0.0.2
heard_again() { local reach; reach=$(status_of us sources.0.reach) && [ $((reach & 1)) -eq 1 ]; }
claim_that 'and its server is heard again' wait_for 20 heard_again

# --- killed
stop us holdfastd KILL
claim_equal 'killed with -9' 137 "${exit_status[us/holdfastd]}"
run_holdfastd us < <(configuration)
await_synchronised us 20
claim_equal 'it follows its server again after kill -9' 10.0.0.1 "$(status_of us source)"
claim_that 'and serves' serves_time clock 10.0.0.2

# --- reload under load
start clock load "$build/load" 10.0.0.2 123 12 1 1 0 -
for round in {1..10}; do
    { configuration; echo "restrict 10.0.$round.0 mask 255.255.255.0 noserve"; } >"$case_dir/us/ntp.conf"
    kill -HUP "$(process_of us holdfastd)"
    sleep 1
done
claim_that 'the daemon serves' serves_time clock 10.0.0.2
claim_that 'its association was kept' is_synchronised us
claim_between 'with its reach' 1 255 "$(status_of us sources.0.reach)"
claim_equal 'and was never lost' 1 "$(grep -c 'unsynchronised -> synchronised' <(tail -n +"$(grep -n 'starts with' "$log_of_us" | tail -n 1 | cut -d : -f 1)" "$log_of_us"))"
wait_for 10 has_ended "${running[clock/load]}"
claim_match 'the load was one' '^[0-9]{4,} 0 ' "$(cat "$case_dir/clock/load.log")"
{ configuration; echo 'restrict 10.0.0.1 noserve'; } >"$case_dir/us/ntp.conf"
kill -HUP "$(process_of us holdfastd)"
is_refused() { [ -z "$(ask_bytes clock 10.0.0.2 "$time_request")" ]; }
claim_that 'what was loaded last is in force' wait_for 5 is_refused
configuration >"$case_dir/us/ntp.conf"
kill -HUP "$(process_of us holdfastd)"
claim_that 'and its end as well' wait_for 5 serves_time clock 10.0.0.2
stop us holdfastd
claim_equal 'it ends well' 0 "${exit_status[us/holdfastd]}"
reloads() { # said one by one, or how often the same line came again
    awk '/ntp\.conf is loaded anew/ { n++; on = 1; next }
        on && match($0, /was said [0-9]+ /) { n += substr($0, RSTART + 9, RLENGTH - 9) }
        { on = 0 } END { print n + 0 }' "$log_of_us"
}
claim_equal 'all twelve reloads are said' 12 "$(reloads)"

# --- two at once
configuration >"$case_dir/twins/ntp.conf"
sed -i '/stat/d' "$case_dir/twins/ntp.conf"
for twin in first second; do
    start twins $twin "$build/holdfastd" -n --no-clock-control -c "$case_dir/twins/ntp.conf"
done
sleep 2
living=0
for twin in first second; do
    if is_running twins $twin; then
        living=$((living + 1))
        claim_that 'who of two started at once lives serves' wait_for 20 serves_time us 10.0.0.3
    else
        wait "${running[twins/$twin]}"
        claim_equal 'the other of two started at once ends with status 1' 1 $?
        claim_that 'and says why' said twins $twin 'port 123.*in use'
    fi
done
claim_equal 'one of two started at once lives' 1 "$living"
