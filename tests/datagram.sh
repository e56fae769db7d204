# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# One datagram of NTP and what comes back, by bash alone and in hex, so that nothing of ours or of others stands
# between a test and the wire. Touches nothing but a socket of its own.

# Version 4, mode 3, poll 6, a transmit time to be echoed as the origin; and mode 6, READVAR of the system.
# shellcheck disable=SC2034
time_request=230006$(printf '0%.0s' {1..74})e000000000000001 read_variables=160200010000000000000000

# An answer that is expected may be waited for longer than silence: what comes ends the wait.
ask_datagram() { # ask_datagram ADDRESS PORT HEX [SECONDS]: the reply in hex; nothing when none comes within 5 s
    # shellcheck disable=SC2059
    exec 3<>"/dev/udp/$1/$2" && printf "$(sed 's/../\\x&/g' <<<"$3")" >&3 &&
        timeout "${4:-5}" dd bs=4096 count=1 status=none <&3 2>&- | od -An -v -tx1 | tr -d ' \n'
    exec 3>&-
}

served_s() { # served_s REPLY: its transmit time, in seconds since 1970; of a whole answer only
    # Mode 4 of version 4, 48 octets, in answer to time_request.
    [[ $1 =~ ^[26ae]4[0-9a-f]{94}$ && ${1:48:16} = e000000000000001 ]] || return 1
    awk -v seconds=$(((16#${1:80:8} - 2208988800) & 0xffffffff)) -v fraction=$((16#${1:88:8})) \
        'BEGIN { printf "%.6f\n", seconds + fraction / 4294967296 }'
}

is_right_time() { # is_right_time REPLY SINCE: it left between SINCE, $EPOCHREALTIME before it was asked for, and now
    # 5 ms: for whoever steers this machine meanwhile.
    local now=$EPOCHREALTIME served
    served=$(served_s "$1") || return 1
    is_between -0.005 "$(awk -v a="$2" -v b="$now" 'BEGIN { printf "%.6f", b - a + 0.005 }')" \
        "$(awk -v a="$2" -v b="$served" 'BEGIN { printf "%.6f", b - a }')"
}

gets_right_time() { # gets_right_time COMMAND...: which asks for it and prints the reply, in hex
    local since=$EPOCHREALTIME
    is_right_time "$("$@")" "$since"
}
