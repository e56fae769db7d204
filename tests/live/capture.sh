#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The packets of all live cases, decoded by tshark: none malformed and none that its expert warns of, but those that a
# case sent on purpose, and each mode is there. Reads what the other cases have captured; needs no rights.
# Usage: tests/live/capture.sh BUILD
. "$(dirname "$0")/hosts.sh"

# A line for each datagram of port 123: sender, mode (none: not decoded as NTP), malformed?, severity of its expert.
decode() { # decode FILE
    tshark -n -r "$1" -Y 'udp.port == 123 && !icmp && !icmpv6' -T fields -E separator=, -E aggregator=+ \
        -e ip.src -e ipv6.src -e ntp.flags.mode -e _ws.malformed -e _ws.expert.severity 2>>"$case_dir/tshark.log"
}
warning=4194304 # severities: note 2, warning 4, error 6, in units of 2^20
judge() { # judge FILE-OF-SENDERS: of those lines, the wrong ones; the senders are those of whom it is expected
    awk -F , -v warning=$warning -v expected="$1" '
        BEGIN { while ((getline address <expected) > 0) purpose[address] = 1 }
        { severity = 0; n = split($5, each, "+"); for (i = 1; i <= n; i++) if (each[i] > severity) severity = each[i]
          kind = $3 == "" ? "no NTP" : $4 != "" ? "malformed" : severity >= warning ? "suspect" : "right" }
        kind != "right" { print kind, "from", $1 $2, ($1 $2 in purpose) ? "on purpose" : "" }'
}

for file in "$build"/live/*/packets.pcap; do
    name=${file%/*} name=${name##*/}
    decode "$file" >"$case_dir/$name.csv"
    claim_between "$name: datagrams of NTP" 10 1000000 "$(wc -l <"$case_dir/$name.csv")"
    judge "${file%/*}/senders-of-wrong-packets" <"$case_dir/$name.csv" >"$case_dir/$name.wrong" 2>&1
    claim_equal "$name: malformed, suspect or no NTP" '' \
        "$(grep -v 'on purpose' "$case_dir/$name.wrong" | sort | uniq -c)"
done
claim_between 'a packet that was malformed on purpose is found to be' 1 10 \
    "$(grep -h 'on purpose' "$case_dir"/*.wrong | grep -c malformed)"
for mode in 1 2 3 4 6; do
    claim_between "packets of mode $mode" 1 1000000 "$(cut -d , -f 3 "$case_dir"/*.csv | grep -c "^$mode\$")"
done
