#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What goes wrong on a real machine while holdfastd follows a real server: the disk with the statistics is full, the
# interface is gone and comes back, it is killed and started again, two are started at once, the configuration is
# reloaded twice a second under load. The process that should live, lives, and says one clear line.
# Usage: tests/live/failures.sh BUILD
. "$(dirname "$0")/hosts.sh"
. "$(dirname "$0")/software.sh"

make_switch net
for host in clock:1 us:2 twins:3 other:4; do
    make_host "${host%:*}"
    plug "${host%:*}" net "10.0.0.${host#*:}/24"
done
for host in clock other; do
    run_chronyd $host <<'END'
local stratum 3
allow
END
done

configuration() {
    cat <<'END'
server 10.0.0.1 iburst minpoll 3 maxpoll 3
server 10.0.0.4 iburst minpoll 3 maxpoll 3 noselect
restrict default nomodify
statsdir /var/log/stats/
statistics peerstats
filegen peerstats type none
END
}
log_of_us=$case_dir/us/holdfastd.log
count() { grep -cE -- "$1" "$log_of_us"; }
has_count() { [ "$(count "$1")" -eq "$2" ]; }

# --- a full disk
mkdir "$case_dir/us/log/stats"
# The file is there already and leaves 120 octets of its page: one line fits, and the next is cut by the page's edge.
page=$(getconf PAGESIZE) line='61367 11542.401 10.0.0.1 9014 -0.035003586 0.000018672 7.937500254 0.000000477'
in_stats() { enter us sh -c "cd /var/log/stats && $1"; }
enter us mount -t tmpfs -o size=$((4 * page)) none /var/log/stats
awk -v room=$((page - 120)) -v line="$line" 'BEGIN {
    for (; room >= 2 * (length(line) + 1); room -= length(line) + 1) print line
    for (gap = ""; length(line gap) < room - 1; gap = gap " ") {}
    print line gap
}' >"$case_dir/stats"
in_stats 'cat >peerstats' <"$case_dir/stats"
in_stats 'cat /dev/zero >ballast 2>&-'
before=$(in_stats 'wc -l <peerstats')
claim_equal 'the file of statistics leaves so many octets of its page' 120 $((page - $(in_stats 'wc -c <peerstats')))
claim_equal 'the disk is full' 0 "$(in_stats 'df --output=avail . | tail -n 1' | tr -d ' ')"
run_holdfastd us < <(configuration)
await_synchronised us 20
claim_that 'a full disk is said' wait_for 10 said us holdfastd 'peerstats.*No space left on device'
sleep 9
claim_equal 'once, however many lines are lost' 1 "$(count 'No space left')"
claim_that 'and the daemon serves' serves_time clock 10.0.0.2
claim_equal 'the line for which there was room is there, and no other' $((before + 1)) \
    "$(in_stats 'wc -l <peerstats')"
claim_equal 'and ends the file' 1 "$(in_stats 'tail -c 1 peerstats' | wc -l)"
in_stats 'rm ballast'
has_statistics() { [ "$(in_stats 'wc -l <peerstats')" -gt $((before + 1)) ]; }
claim_that 'with room again lines are written' wait_for 20 has_statistics
claim_that 'which is said as well' wait_for 5 said us holdfastd 'peerstats.*(again|works)'
claim_equal 'no line is half written' '' "$(in_stats 'cat peerstats' | awk 'NF != 8 { print "has", NF, "fields:", $0 }')"

# --- the interface
enter us ip address del 10.0.0.2/24 dev eth0
claim_that 'a lost address is said' wait_for 5 said us holdfastd 'local addresses have changed: serves [0-9]+ '
claim_that 'and the daemon lives, and serves what is left' serves_time us 127.0.0.1
enter us ip address add 10.0.0.2/24 dev eth0
claim_that 'the address comes back and is served again' wait_for 10 serves_time clock 10.0.0.2
served='local addresses have changed: serves [0-9]+ address'
served_now() { grep -E "$served" "$log_of_us" | tail -n 1; } # as it last said
is_served() { served_now | grep -qE '[(, ]10\.0\.0\.2[,)]'; }
is_not_served() { ! is_served; }
claim_that 'and is named among those served' wait_for 5 is_served
declare -A lost_before again_before
can_send() { # can_send SOURCE: whatever it said that it cannot is over
    [ "$(count "cannot send to $1:")" -eq "$(count "can send to $1 again")" ]
}
for source in 10.0.0.1 10.0.0.4; do # a poll may have come while there was no address
    claim_that "$source: can be sent to" wait_for 15 can_send $source
    lost_before[$source]=$(count "cannot send to $source:")
    again_before[$source]=$(count "can send to $source again")
done
said_so_far=$(wc -l <"$log_of_us")
before=$(count "$served")
enter us ip link delete dev eth0
claim_that 'an address that went with its interface is said to be served no more' wait_for 5 is_not_served
claim_match 'loopback is said to be served' '\(127\.0\.0\.1[,)]' "$(served_now)"
claim_between 'in one line, or one for each family' $((before + 1)) $((before + 2)) "$(count "$served")"
before=$(count "$served")
claim_that 'it serves without its interface' serves_time us 127.0.0.1
claim_that 'and answers its operator' is_synchronised us
for source in 10.0.0.1 10.0.0.4; do
    claim_that "$source: that nothing can be sent there is said" \
        wait_for 20 has_count "cannot send to $source: .*; it is tried again" $((${lost_before[$source]} + 1))
done
sleep 9 # another poll fails
plug us net 10.0.0.2/24
claim_that 'another interface with its address is served' wait_for 10 serves_time clock 10.0.0.2
claim_that 'which is said' wait_for 5 is_served
claim_between 'in one line, or one for each family' $((before + 1)) $((before + 2)) "$(count "$served")"
heard_again() { local reach; reach=$(status_of us sources.0.reach) && [ $((reach & 1)) -eq 1 ]; }
claim_that 'and its server is heard again' wait_for 20 heard_again
for source in 10.0.0.1 10.0.0.4; do
    claim_that "$source: that it can be sent to again is said" \
        wait_for 20 has_count "can send to $source again" $((${again_before[$source]} + 1))
    claim_equal "$source: and neither more than once" \
        "$((${lost_before[$source]} + 1)) $((${again_before[$source]} + 1))" \
        "$(count "cannot send to $source:") $(count "can send to $source again")"
done
claim_no_match 'and no line is said of them over and over' 'line before was said' \
    "$(tail -n +$((said_so_far + 1)) "$log_of_us")"

# --- killed
stop us holdfastd KILL 2>/dev/null # where the shell tells of it
claim_equal 'killed with -9' 137 "${exit_status[us/holdfastd]}"
run_holdfastd us < <(configuration)
await_synchronised us 20
claim_equal 'it follows its server again after kill -9' 10.0.0.1 "$(status_of us source)"
claim_that 'and serves' serves_time clock 10.0.0.2

# --- reload under load
has_read_signals() { # none waits for it; one that waits would swallow the next
    local waiting
    waiting=$(sed -nE 's/^ShdPnd:\t//p' "/proc/$(process_of us holdfastd)/status")
    [ "$((16#$waiting))" -eq 0 ]
}
reload() { # reload <CONF
    cat >"$case_dir/us/ntp.conf"
    kill -HUP "$(process_of us holdfastd)"
    wait_for 10 has_read_signals
}
# Asks for 7 s, with eight requests under way: what is not answered within 0.25 s is lost. Beside it runs one that
# sleeps for 5 ms again and again: what that takes longer, the machine had no time for anybody like it.
reload_under_load() { # leaves the answers in a second in `rate`, what was `lost`, and the longest such time in `stall_ms`
    local round
    rm -f "$case_dir/clock/load.log" "$case_dir/clock/stall.log"
    start clock stall /usr/bin/python3 -c '
import time
longest, begin = 0, time.monotonic()
while time.monotonic() - begin < 7.5:
    before = time.monotonic()
    time.sleep(0.005)
    longest = max(longest, time.monotonic() - before - 0.005)
print(round(longest * 1000))'
    start clock load "$build/load" 10.0.0.2 123 7 1 8 0 -
    for round in {1..10}; do
        reload < <(configuration; echo "restrict 10.0.$round.0 mask 255.255.255.0 noserve")
        sleep 0.5
    done
    wait_for 10 has_ended "${running[clock/load]}"
    wait_for 10 has_ended "${running[clock/stall]}"
    read -r rate lost _ <"$case_dir/clock/load.log"
    read -r stall_ms <"$case_dir/clock/stall.log"
}
reload_under_load
reloads=12 # of this process, in all
if [ "$lost" -gt 2 ] && [ "$stall_ms" -gt 100 ]; then
    echo "$claims_of: $lost answers were lost, and the machine stood still for $stall_ms ms: once more"
    reload_under_load
    reloads=22
fi
claim_that 'the daemon serves' serves_time clock 10.0.0.2
claim_that 'its association was kept' is_synchronised us
claim_between 'with its reach' 1 255 "$(status_of us sources.0.reach)"
claim_equal 'and was never lost' 1 "$(grep -c 'unsynchronised -> synchronised' <(tail -n +"$(grep -n 'starts with' "$log_of_us" | tail -n 1 | cut -d : -f 1)" "$log_of_us"))"
# However slow the machine, there was a load at each reload.
claim_between 'the load was one, of so many answers in a second' 100 10000000 "$rate"
claim_between "and lost no answer by a reload, while the machine stood still for $stall_ms ms at most" 0 2 "$lost"
reload < <(configuration; echo 'restrict 10.0.0.1 noserve')
is_refused() { meets_silence clock 10.0.0.2 "$time_request"; }
claim_that 'what was loaded last is in force' wait_for 5 is_refused
reload < <(configuration)
claim_that 'and its end as well' wait_for 5 serves_time clock 10.0.0.2
stop us holdfastd
claim_equal 'it ends well' 0 "${exit_status[us/holdfastd]}"
reloads_said() { # said one by one, or how often the same line came again
    awk '/ntp\.conf is loaded anew/ { n++; on = 1; next }
        on && match($0, /was said [0-9]+ /) { n += substr($0, RSTART + 9, RLENGTH - 9) }
        { on = 0 } END { print n + 0 }' "$log_of_us"
}
claim_equal 'all reloads are said' $reloads "$(reloads_said)"

# --- two at once
configuration >"$case_dir/twins/ntp.conf"
sed -i '/stat/d' "$case_dir/twins/ntp.conf"
for twin in first second; do
    start twins $twin "$build/holdfastd" -n --no-clock-control -c "$case_dir/twins/ntp.conf"
done
one_has_ended() { ! is_running twins first || ! is_running twins second; }
claim_that 'of two started at once one ends' wait_for 20 one_has_ended
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
