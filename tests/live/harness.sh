#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The ground that the live cases stand on: no program in a host can set the clock, hosts see each other and nothing
# else, a cut link passes nothing, and no host outlives its case, however the case ends.
# Usage: tests/live/harness.sh BUILD
. "$(dirname "$0")/hosts.sh"
. "$(dirname "$0")/software.sh"

make_switch net
make_host one
make_host two
plug one net 10.0.0.1/24 fd00::1/64
plug two net 10.0.0.2/24 fd00::2/64

# --- the clock. A tick of 1 is out of range: who has the right gets EINVAL, who has not EPERM; nobody sets anything.
try_clock=$case_dir/try_clock.py
cat >"$try_clock" <<'END'
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
state = (ctypes.c_long * 64)()
ctypes.cast(state, ctypes.POINTER(ctypes.c_uint))[0] = 0x4000  # modes = ADJ_TICK
state[11] = 1  # tick
print(errno.errorcode[ctypes.get_errno()] if libc.adjtimex(state) < 0 else "accepted")
END
has_right() { # does its effective set hold CAP_SYS_TIME (25)?
    local set
    set=$(inside one "$@" sed -nE 's/^Cap(Eff|Bnd):\t//p' /proc/self/status)
    for set in $set; do [ $((16#$set >> 25 & 1)) -eq 0 ] || return 0; done
    return 1
}
if has_right env; then
    claim 'no program in a host has CAP_SYS_TIME' 'it has'
else
    claim 'no program in a host has CAP_SYS_TIME' ''
    claim_equal 'and the kernel refuses it the clock' EPERM "$(inside one /usr/bin/python3 "$try_clock")"
    claim_equal 'a daemon of others that wants to steer believes it does' accepted \
        "$(inside one env LD_PRELOAD="$still_clock" /usr/bin/python3 "$try_clock")"
fi

# --- the network
run_chronyd one <<'END'
local stratum 3
allow
END
run_chronyd two <<'END'
server 10.0.0.1 minpoll -2 maxpoll -2
server fd00::1 minpoll -2 maxpoll -2
END
reach() { # reach HOST ADDRESS: as chronyd there sees it
    ask_chrony "$1" sources | awk -F , -v address="$2" '$3 == address { print $6 }'
}
answers() { # answers HOST ADDRESS: the last two polls were answered
    [[ $(reach "$1" "$2") =~ [37]$ ]]
}
is_silent() { # is_silent HOST ADDRESS: the last three polls were not
    [[ $(reach "$1" "$2") =~ 0$ ]]
}
claim_that 'hosts reach each other over IPv4' wait_for 10 answers two 10.0.0.1
claim_that 'and over IPv6' wait_for 10 answers two fd00::1
claim_equal 'a host has one interface beside its loopback' 'eth0 lo' \
    "$(inside one ls /proc/sys/net/ipv4/conf | grep -vE '^(all|default)$' | sort | xargs)"
claim_equal 'and no way out' '' "$(inside one ip route show default)"
cut_link net one
claim_that 'nothing passes a cut link' wait_for 10 is_silent two 10.0.0.1
claim_that 'a cut host keeps its carrier' has_carrier one
heal_link net one
claim_that 'a healed link passes packets again' wait_for 10 answers two 10.0.0.1
stop two chronyd
claim_equal 'a program that is stopped leaves its exit status' 0 "${exit_status[two/chronyd]}"
claim_that 'and is gone' bash -c "! ls /proc/${first_process[two]}/root/run/chrony/chronyd.pid"

# --- a false claim is a failure, a wait has an end
count_failures() { # the failures that these claims count
    failed=0
    claim_equal x 1 2
    claim_match x ab ba
    claim_no_match x a a
    claim_between x 0 1 1.1
    claim_between x 0 1 nan
    claim_between x 0 1 ''
    claim_that x false
    [ "$failed" -eq 7 ]
} >/dev/null
claim_that 'each kind of claim can fail' count_failures
claim_that 'waiting has an end' bash -c "$(declare -f wait_for); ! wait_for 1 false"

# --- what cannot run is named, and under CI=true that is a failure
mkdir -p "$case_dir/rootless/bin"
ln -s "$debian" "$build/holdfastd" "$case_dir/rootless/"
printf '#!/bin/sh\necho 65534\n' >"$case_dir/rootless/bin/id" # all that is asked is whether one is root
chmod 755 "$case_dir/rootless/bin/id"
rootless() { # rootless CI: what tests/live.sh says to somebody who is not root
    env PATH="$case_dir/rootless/bin:$PATH" CI="$1" bash "$root/tests/live.sh" "$case_dir/rootless" ipv6 ntpq 2>&1
}
output=$(rootless '')
claim_equal 'without root nothing fails' 0 $?
claim_match 'a case that was left out is named with the reason' '^skip  live ipv6: hosts of our own need root' "$output"
claim_match 'and so is the other' '^skip  live ntpq: ' "$output"
claim_match 'and they are counted' '^live: 2 cases were left out$' "$output"
output=$(rootless true)
claim_equal 'under CI=true that is a failure' 1 $?
claim_match 'of each case' '^live: 0 passed, 2 failed$' "$output"

# --- nothing is furnished but in the folder of the case. Tried where it could do no harm: in a host, as nobody.
for home in / /etc '' "$case_dir" "$case_dir/../other" "${case_dir%/*}/ntpq/first"; do
    # shellcheck disable=SC2016
    output=$(inside one setpriv --reuid=65534 --regid=65534 --clear-groups bash -c '
        break_off() { echo "refused: $*"; exit 9; }
        case_dir=$2; '"$(declare -f furnish)"'; furnish "$1"' - "$home" "$case_dir" 2>&1 </dev/null)
    claim_equal "a host at \"$home\" is refused" "refused: \"$home\" is no host of this case" "$output"
done

# --- no host outlives its case
cat >"$case_dir/short.sh" <<END
. $(cd "$(dirname "$0")" && pwd)/hosts.sh
make_host lonely
start lonely sleeper sleep 1000
echo "\${first_process[lonely]} \$(process_of lonely sleeper)"
\$2
END
for end in 'exit 0' 'kill -TERM $$' 'kill -KILL $$'; do
    # shellcheck disable=SC2016
    pids=$(bash -c 'sed "s/^\$2$/$3/" "$1" >"$1.sh"; bash "$1.sh" "$2"' - "$case_dir/short.sh" "$build" "$end" \
        2>/dev/null | head -n 1)
    read -r init sleeper <<<"$pids"
    claim_match "a case makes a host ($end)" '^[0-9]+ [0-9]+$' "$pids"
    claim_that "and nothing of it is left after: $end" wait_for 5 bash -c \
        "! kill -0 ${init:-$$} && ! kill -0 ${sleeper:-$$}"
done
