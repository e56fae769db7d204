# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The NTP software of others, and ours, started and asked inside a host of hosts.sh. Each run_ function takes its
# configuration from standard input and leaves it beside the program's log. None of them steers the clock: chronyd
# has -x, ours --no-clock-control, and for those that would not serve without steering there is still_clock.c.

still_clock=$build/live/still_clock.so
# With the library beside its module (live.sh has put it there) and no compiler in PATH: what ntpsec's Python does
# otherwise to find that library is link programs, twice each time.
python_modules=$debian/python3-ntp/usr/lib/python3/dist-packages
python_settings=(PATH="$debian/ntpsec/usr/bin" PYTHONPATH="$python_modules")

run_chronyd() { # run_chronyd HOST [OPTION]... <CONF
    local host=$1 home=$case_dir/$1
    shift
    { cat && printf '%s\n' 'cmdallow 127.0.0.1' 'dumpdir /var/lib'; } >"$home/chrony.conf"
    start "$host" chronyd "$debian/chrony/usr/sbin/chronyd" -x -d -u root "$@" -f "$home/chrony.conf"
}

ask_chrony() { # ask_chrony HOST COMMAND...: comma-separated, addresses and numbers as they are
    local host=$1
    shift
    inside "$host" "$debian/chrony/usr/bin/chronyc" -c -n "$@"
}

run_ntpsec() { # run_ntpsec HOST <CONF
    local home=$case_dir/$1
    { cat && printf '%s\n' 'disable kernel' 'logconfig =all'; } >"$home/ntpsec.conf"
    start "$1" ntpsec env LD_PRELOAD="$still_clock" "$debian/ntpsec/usr/sbin/ntpd" -n -c "$home/ntpsec.conf"
}

run_openntpd() { # run_openntpd HOST <CONF; its timers run ten times as fast, its packets do not
    cat >"$case_dir/$1/openntpd.conf"
    start "$1" openntpd env LD_PRELOAD="$still_clock" STILL_CLOCK_HASTE=10 \
        "$debian/openntpd/usr/sbin/ntpd" -d -f "$case_dir/$1/openntpd.conf"
}

ask_openntpd() { # ask_openntpd HOST status|peers|all
    inside "$1" "$debian/openntpd/usr/sbin/ntpctl" -s "$2"
}

run_busybox() { # run_busybox HOST OPTION...
    local host=$1
    shift
    start "$host" busybox env LD_PRELOAD="$still_clock" "$debian/busybox/bin/busybox" ntpd -n -d -d "$@"
}

run_holdfastd() { # run_holdfastd HOST [OPTION]... <CONF
    local host=$1
    shift
    cat >"$case_dir/$host/ntp.conf"
    start "$host" holdfastd "$build/holdfastd" -n --no-clock-control -c "$case_dir/$host/ntp.conf" "$@"
}

python_tool() { # python_tool HOST TOOL ARGUMENT...: a Python program of ntpsec's
    local host=$1 tool=$2
    shift 2
    inside "$host" env "${python_settings[@]}" /usr/bin/python3 "$tool" "$@"
}

ntpq() { # ntpq HOST ARGUMENT...
    python_tool "$1" "$debian/ntpsec/usr/bin/ntpq" "${@:2}"
}

ntptrace() { # ntptrace HOST ARGUMENT...: it calls ntpq, by name
    python_tool "$1" "$debian/ntpsec/usr/bin/ntptrace" "${@:2}"
}

ntpdig() { # ntpdig HOST ARGUMENT...
    python_tool "$1" "$debian/ntpsec-ntpdig/usr/bin/ntpdig" "${@:2}"
}

variable() { # variable NAME TEXT: the value of NAME=VALUE in what ntpq -c rv prints, without quotes
    tr ',\n' '\n\n' <<<"$2" | sed -nE "s/^ *$1=\"?([^\"]*)\"?\$/\1/p" | head -n 1
}

# --- ours
status_of() { # status_of HOST KEY: one value of `holdfast status --json`, arrays counted from 0 (sources.0.reach)
    local key seen
    while IFS=$'\t' read -r key seen; do
        if [ "$key" = "$2" ]; then echo "$seen"; fi
    done < <(inside "$1" "$build/holdfast" status --json | awk -f "$root/plots/flatten.awk")
}

is_synchronised() { # is_synchronised HOST
    [ "$(status_of "$1" state)" = synchronised ]
}

await_synchronised() { # await_synchronised HOST SECONDS: or the case ends, for nothing else could hold
    wait_for "$2" is_synchronised "$1" ||
        break_off "holdfastd in $1 is not synchronised after $2 s: $(tail -n 3 "$case_dir/$1/holdfastd.log" | xargs -0)"
}

# --- how far off
claim_offset() { # claim_offset NAME TRUE OFFSET DELAY: in s, as somebody has measured it
    # A busy machine holds up a packet now and then. That shows in the delay, and half of it is the most that an offset
    # can be off then; with the wrong sign or clock it is off by all of the true one and more.
    claim_between "$1" "$(awk -v true="$2" -v delay="$4" 'BEGIN { printf "%.9f", true - delay / 2 - 0.0005 }')" \
        "$(awk -v true="$2" -v delay="$4" 'BEGIN { printf "%.9f", true + delay / 2 + 0.0005 }')" "$3"
}

claim_own_offset() { # claim_own_offset NAME HOST TRUE: as holdfastd there has measured it to the source that it follows
    local offset delay
    # One answer, for the next sample has other values.
    read -r offset delay <<<"$(inside "$2" "$build/holdfast" status --json |
        awk -f "$root/plots/flatten.awk" | awk -F '\t' '
            { seen[$1] = $2 }
            END {
                for (i = 0; seen[source = "sources." i ".address"] != ""; i++)
                    if (seen[source] == seen["source"]) print seen["offset_s"], seen["sources." i ".delay_s"]
            }')"
    claim_offset "$1" "$3" "${offset:-}" "${delay:-0}"
}

# --- one datagram to port 123 of an address
# shellcheck source=tests/datagram.sh
. "$root/tests/datagram.sh"

ask_bytes() { # ask_bytes HOST ADDRESS HEX [SECONDS]: what comes back, in hex; nothing when none comes within 5 s
    # shellcheck disable=SC2016
    inside "$1" bash -c "$(declare -f ask_datagram)"'; ask_datagram "$1" 123 "$2" "$3"' - "$2" "$3" "${4:-5}" 2>&1
}

meets_silence() { # meets_silence HOST ADDRESS HEX: there is no answer; a second is a thousand times what one takes
    local reply
    reply=$(ask_bytes "$1" "$2" "$3" 1)
    [ -z "$reply" ] || { echo "$reply"; return 1; }
}

serves_time() { # serves_time HOST ADDRESS: as somebody in that host sees it: synchronised, and the time of now
    local reply since=$EPOCHREALTIME
    reply=$(ask_bytes "$1" "$2" "$time_request")
    [[ $reply =~ ^24 ]] && is_right_time "$reply" "$since"
}
