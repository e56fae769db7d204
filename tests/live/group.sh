#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The time group in two worlds. group.scenario simulates tick, tock and their four upstreams; the same two ntp.conf
# files run here in holdfastd on three hosts, and the upstreams are cut at the same time. Each server must go
# through the states that the simulator gives. Who polls first is drawn anew in every run, in both worlds, and decides
# now and then whether a server sees the other before it gives up: so the pair of sequences has to be one of
# those of four hundred seeds, and the moments, from the cut on, have to lie among theirs. A server that has given up
# may follow the other for as long as that one lasts, and again; such rounds count once.
# Usage: tests/live/group.sh BUILD
. "$(dirname "$0")/hosts.sh"
. "$(dirname "$0")/software.sh"
here=$(cd "$(dirname "$0")" && pwd)
cut_at=20

# --- what the simulator says: seed, server, second and state of each change
simulate() {
    HOLDFAST_PLOTS=/nonexistent "$build/holdfast" run "$here/group.scenario" --runs 400 --out "$case_dir/simulated" \
        >"$case_dir/simulated.log" 2>&1
    grep -E '^(all )?[0-9]+ of [0-9]+ runs passed' "$case_dir/simulated.log"
    for summary in "$case_dir"/simulated/seed-*/summary.json; do
        seed=${summary%/*} seed=${seed##*-}
        sed -nE "s/.*\"time_s\": ([0-9.]+), \"text\": \"(tick|tock): [a-z]+ -> ([a-z]+).*/$seed \2 \1 \3/p" "$summary"
    done >"$case_dir/simulated.txt"
    rm -r "$case_dir/simulated" # a hundred megabytes
}
sequences() { # sequences: "tick A B C tock A B C" of each seed, from those lines
    awk '{ seen[$1]; states[$1, $2] = states[$1, $2] " " $4 }
        END { for (seed in seen) print "tick" states[seed, "tick"] " tock" states[seed, "tock"] }' | once
}
once() { # once: rounds that follow each other are one
    sed -E 's/( synchronised holdover unsynchronised)+/\1/g'
}
moments() { # moments STATE: the first and the last second after the cut at which one of the pair changes to it
    awk -v state="$1" -v cut="$cut_at" '$3 > cut && $4 == state { if (!n++ || $3 < low) low = $3
        if (n == 1 || $3 > high) high = $3 } END { print int(low - cut), int(high - cut) + 1 }' "$case_dir/simulated.txt"
}
claim_match 'all seeds hold what the scenario expects' '^400 of 400 runs passed' "$(simulate)"

# --- the same on real hosts
make_switch net
make_host upstream
make_host tick
make_host tock
plug upstream net 192.0.2.{1,2,3,4}/24
plug tick net 140.160.11.86/16
plug tock net 140.160.247.31/16
route upstream 140.160.0.0/16
capture net
for host in tick tock; do
    route $host 192.0.2.0/24
    for name in 0 1 2 3; do know $host 192.0.2.$((name + 1)) $name.north-america.pool.ntp.org; done
    echo '1 AES128CMAC 00112233445566778899aabbccddeeff' >"$case_dir/$host/etc/ntp.keys"
    chmod 600 "$case_dir/$host/etc/ntp.keys"
    echo 0.000 >"$case_dir/$host/lib/ntp/drift"
done
run_chronyd upstream <<'END'
local stratum 3
allow
END
is_serving() {
    [ -n "$(ask_bytes tick 192.0.2.1 "$time_request")" ]
}
wait_for 10 is_serving || break_off 'the upstream does not serve'

begin=$EPOCHREALTIME
for host in tick tock; do run_holdfastd $host -f /var/lib/ntp/drift <"$here/group/$host.conf"; done
elapsed() { # elapsed: whole seconds since the servers were started
    echo $(((${EPOCHREALTIME/./} - ${begin/./}) / 1000000))
}
is_past() { # is_past SECOND
    [ "$(elapsed)" -ge "$1" ]
}
for host in tick tock; do await_synchronised $host 24; done
for host in tick tock; do
    claim_equal "$host is synchronised before the cut, at stratum" 4 "$(status_of $host stratum)"
    claim_match "$host follows one of its upstreams" '^192\.0\.2\.[1-4]$' "$(status_of $host source)"
    claim_between "$host: its offset in s" -0.002 0.002 "$(status_of $host offset_s)"
done
wait_for 30 is_past $cut_at
is_sure() { # one of them claims little, as both do in the simulator at the cut: 9 to 11 ms
    local host
    for host in tick tock; do
        awk -v bound="$(status_of $host bound_s)" 'BEGIN { exit !(bound > 0 && bound < 0.02) }' && return 0
    done
    return 1
}
# A filter's best sample may stay the first for a while, and the claim that of the burst. If that lasts it is cut all
# the same: the claims below say what came of it.
wait_for 20 is_sure || true
# Later on a slow machine: but for the polls under way, one moment after the first bursts is as good as another.
claim_between 'the cut comes when the scenario has it, in s, or later' $cut_at $((cut_at + 60)) "$(elapsed)"
cut=$EPOCHREALTIME
cut_link net upstream

states() { # states HOST: what it went through, from its log
    sed -nE 's/.*[a-z] -> ([a-z]+): .*/\1/p' "$case_dir/$1/holdfastd.log" | xargs
}
is_over() { # both have given up, and for longer than a poll nothing has changed
    local tick tock
    tick=$(states tick) tock=$(states tock)
    if [ "$tick, $tock" != "${former:-}" ]; then former="$tick, $tock" quiet_since=$(elapsed); fi
    [[ $tick == *" unsynchronised" && $tock == *" unsynchronised" ]] && is_past $((quiet_since + 9))
}
finds_holdover() { # in $host, and keeps what it saw, for that may last for a moment only
    for host in tick tock; do
        said $host holdfastd ' -> holdover: ' || continue # the log is less to ask than the daemon
        status=$(inside $host "$build/holdfast" status --json | awk -f "$root/plots/flatten.awk")
        if [ "$(value state)" = holdover ]; then return 0; fi
    done
    return 1
}
value() { sed -nE "s/^$1\t//p" <<<"$status"; }
wait_for 100 finds_holdover
claim_equal "one of them comes into holdover" holdover "$(value state)"
claim_equal "$host: in holdover leap stays" none "$(value leap)"
claim_equal "$host: and so does its stratum" 4 "$(value stratum)"
claim_between "$host: it claims less than clients accept, in s" 0.001 0.09 "$(value bound_s)"
wait_for 120 is_over || claim 'both give up in the end' "after $(elapsed) s: tick $(states tick), tock $(states tock)"

# --- the two worlds side by side
live=$(once <<<"tick $(states tick) tock $(states tock)")
sequences <"$case_dir/simulated.txt" | sort | uniq -c | sort -rn >"$case_dir/sequences.txt"
claim_match 'the states are those of the simulator' "^ *[0-9]+ $live\$" "$(cat "$case_dir/sequences.txt")"
claim_between 'which has few answers' 1 8 "$(wc -l <"$case_dir/sequences.txt")"
when() { # when HOST STATE: seconds from the cut to the first change to it, from the log's own times
    sed -nE "s/^([0-9T:.-]+Z) .*[a-z] -> $2: .*/\1/p" "$case_dir/$1/holdfastd.log" |
        while read -r time; do date -u -d "$time" +%s.%N; done |
        awk -v cut="$cut" '$1 > cut { print $1 - cut; exit }'
}
for host in tick tock; do
    for state in holdover unsynchronised; do
        read -r low high <<<"$(moments $state)"
        claim_between "$host: $state when the simulator has it, in s" $((low - 5)) $((high + 5)) "$(when $host $state)"
    done
    claim_equal "$host: gives up with leap" unknown "$(status_of $host leap)"
    claim_equal "$host: and with stratum" 16 "$(status_of $host stratum)"
    stop $host holdfastd
    claim_equal "$host: exit status" 0 "${exit_status[$host/holdfastd]}"
done
stop net dumpcap INT
