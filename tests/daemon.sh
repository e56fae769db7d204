#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# holdfastd as a new user meets it, on loopback and a high port, without any right: what it says to good and bad
# files, to a missing right, a taken port, garbage in its files, signals and a second start; and what the tools of an
# operator (status, wait-sync, replay, metrics) say of it. It never touches the clock: either it is told not to, or
# it runs as nobody.
# Usage: tests/daemon.sh BUILD
set -u
LC_ALL=C.UTF-8
export LC_ALL
root=$PWD
case $1 in /*) build=$1 ;; *) build=$root/$1 ;; esac
work=$(mktemp -d) || exit 2
chmod 755 "$work"
cd "$work" || exit 2
pids=()
finish() {
    for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null; done
    rm -rf "$work"
}
trap finish EXIT

claims_of=daemon
# shellcheck source=tests/claims.sh
. "$root/tests/claims.sh"
# shellcheck source=tests/datagram.sh
. "$root/tests/datagram.sh"
show_context() { { sed 's/^/      log| /' log | tail -n 12; } 2>/dev/null; }

# Others may use ports here, so two are looked for that nobody has; not where the kernel gives out its own (from 32768
# on), and from a place of its own for each test that runs at the same time.
port=$((20000 + $$ % 6000 * 2))
while ss -Hlun "sport = :$port" | grep -q . || ss -Hltn "sport = :$((port + 1))" | grep -q .; do port=$((port + 2)); done

# As nobody where we are root: what root may do without being asked would hide what is missing.
as_nobody=()
if [ "$(id -u)" -eq 0 ]; then
    as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all --inh-caps=-all)
    chown 65534 "$work"
fi

ends() { # ends NAME STATUS REGEX ARGUMENT...: at once, with that status, and one line of what it says matches
    local name=$1 expected=$2 regex=$3 status wrong=''
    shift 3
    "${as_nobody[@]}" timeout 20 "$build/holdfastd" "$@" >out 2>log </dev/null
    status=$?
    if [ "$status" -ne "$expected" ]; then
        wrong="exit status $status, expected $expected"
    elif ! cat out log | grep -qE -- "$regex"; then
        wrong="says nothing that matches $regex"
    elif grep -qE 'Sanitizer|runtime error|Assertion' log; then
        wrong=$(grep -m 1 -E 'Sanitizer|runtime error|Assertion' log)
    fi
    claim "$name" "$wrong"
}

begin() { # begin ARGUMENT...: runs it in the background of this script, log in `log`
    "${as_nobody[@]}" "$build/holdfastd" -n --port "$port" "$@" >out 2>log </dev/null &
    daemon=$!
    pids+=("$daemon")
    until_said 'listening on|starts with' && until_serves
}

until_said() { # until_said REGEX: within 20 s
    for _ in {1..200}; do
        grep -qE -- "$1" log && return 0
        sleep 0.1
    done
    return 1
}

until_serves() { # its port is bound
    for _ in {1..200}; do
        ss -Hlun "sport = :$port" | grep -q . && return 0
        kill -0 "$daemon" 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}

lives() { kill -0 "$daemon" 2>/dev/null; }

serves() { # serves NAME: it lives, and a request gets a reply with the time of now
    local reply since=$EPOCHREALTIME
    reply=$(ask_datagram 127.0.0.1 "$port" "$time_request")
    if ! lives; then
        claim "$1" 'it is gone'
    elif ! is_right_time "$reply" "$since"; then
        claim "$1" "its reply is \"$reply\", of $(served_s "$reply"), asked for at $since"
    else
        claim "$1" ''
    fi
}

end_daemon() { # end_daemon [SIGNAL]: leaves its exit status in $status
    kill -"${1:-TERM}" "$daemon" 2>/dev/null
    [ "${1:-TERM}" != KILL ] || wait "$daemon" 2>/dev/null
    for _ in {1..100}; do
        case $(sed -nE 's/^State:\t(.).*/\1/p' "/proc/$daemon/status" 2>/dev/null) in '' | Z) break ;; esac
        sleep 0.1
    done
    kill -KILL "$daemon" 2>/dev/null && [ "${1:-TERM}" != KILL ] && claim 'it ends when asked to' 'still there after 10 s'
    wait "$daemon" 2>/dev/null
    status=$?
    if grep -qE 'Sanitizer|runtime error|Assertion' log; then
        claim 'it runs clean' "$(grep -m 1 -E 'Sanitizer|runtime error|Assertion' log)"
    fi
}

says() { # says NAME REGEX: the log does
    if until_said "$2"; then claim "$1" ''; else claim "$1" "the log has nothing that matches $2"; fi
}

# Sanitizers call what the allow-list does not know.
unlisted=()
if grep -aq __asan_init "$build/holdfastd"; then unlisted=(--no-seccomp); fi
base=(-c good.conf --no-clock-control "${unlisted[@]}")

cat >good.conf <<'END'
interface ignore all
interface listen 127.0.0.1
interface listen ::1
restrict default nomodify
END

# --- the configuration
umask 077
printf '%s\n' '1 AES128CMAC 000102030405060708090a0b0c0d0e0f' >article.keys
[ ${#as_nobody[@]} -eq 0 ] || chown 65534 article.keys
umask 022
for file in tick tock; do
    ends "the article's $file.conf is fit to run" 0 '^associations +[1-9][0-9]* of 64$' \
        --check-config -c "$root/scenarios/time-group/$file.conf" -k article.keys
done
printf 'server 192.0.2.1\nrestrct default\n' >bad.conf
message='^bad.conf:2:1: error: .*"restrct".*restrict'
ends 'a misspelt word is named with its place when checked' 3 "$message" --check-config -c bad.conf
ends 'a misspelt word is named with its place when started' 3 "$message" -n --no-clock-control -c bad.conf
ends 'a configuration with an error is not run' 3 '^holdfastd: bad.conf is not run$' -n --no-clock-control -c bad.conf
ends 'a configuration that is not there is named' 3 'none.conf: error: cannot read it: No such file' -n -c none.conf
printf 'keys secret.keys\ntrustedkey 1\npeer 192.0.2.1 key 1\n' >keyed.conf
printf '1 SHA1 abc\n' >secret.keys
if [ "$(id -u)" -eq 0 ]; then chmod 0600 secret.keys; else chmod 0000 secret.keys; fi
ends 'keys that cannot be read are named with their line' 3 \
    '^keyed.conf:1:6: error: cannot read .*secret.keys: Permission denied' --check-config -c keyed.conf
ends 'and nothing is started without them' 3 '^holdfastd: keyed.conf is not run$' -n --no-clock-control -c keyed.conf
printf '%s\n' 'server 192.0.2.1' 'server 2001:db8::1' >both.conf
ends 'a source that -4 leaves out is named with its line' 0 \
    '^both.conf:2:8: warning: 2001:db8::1 is left out' --check-config -4 -c both.conf
claim 'and not counted' "$(grep -qx 'associations *1 of 64' out || cat out)"
printf '%s\n' 'driftfile none/drift' >drifting.conf
ends 'a drift file in a folder that is not there is a warning with its place' 0 \
    '^drifting.conf:1:11: warning: drift file none/drift: No such file or directory: .*create its directory' \
    --check-config -c drifting.conf
mkdir none && { [ ${#as_nobody[@]} -eq 0 ] || chown 65534 none; }
ends 'and is fit to run once the folder is there' 0 '^associations ' --check-config -c drifting.conf
claim 'without a warning' "$(grep warning: out log)"
ends 'a user whom nobody has is an error, as at a start' 1 'error: there is no user "no-such-user"' \
    --check-config -c both.conf -u no-such-user
ends 'and so is a root directory that is not there' 1 'error: cannot make /no-such-folder the root directory: No such file' \
    --check-config -c both.conf -i /no-such-folder
ends 'the help names every letter' 0 '^  -g, --panicgate' -h
ends 'the version is printed' 0 '^holdfastd [0-9]+\.[0-9]+\.[0-9]+$' -V
ends 'an unknown option is a usage error' 2 '^holdfastd: unknown option --nonsense' --nonsense

# --- the sockets
ends 'no right to the port: the address, the cause and the cure' 1 \
    '127.0.0.1.*port 123.*Permission denied' -n "${base[@]}"
perl -MIO::Socket::IP -e '$s = IO::Socket::IP->new(Proto => "udp", LocalAddr => "::", LocalPort => '"$port"', V6Only => 0) or die; sleep 60' &
holder=$!
pids+=("$holder")
for _ in {1..200}; do ss -Hlun "sport = :$port" | grep -q . && break; sleep 0.1; done
ends 'a port that another program has is named' 1 "127.0.0.1 .*and 1 other address, port $port: .*in use" \
    -n "${base[@]}" --port "$port"
claim 'in one line for both addresses' "$([ "$(grep -c 'in use' log)" -eq 1 ] || cat log)"
kill "$holder"
wait "$holder" 2>/dev/null

# --- a life
begin "${base[@]}" -p pid
serves 'it starts on loopback and serves'
claim 'the pid file holds its number' "$([ "$(cat pid 2>&1)" = "$daemon" ] || echo "there is: $(cat pid 2>&1), not $daemon")"
said=$("$build/holdfast" status --port "$port" 2>&1)
claim 'status says what it is' "$(grep -q 'unsynchronised' <<<"$said" || echo "it says: $said")"
claim 'and why the clock is not steered' \
    "$(grep -qF 'it was told not to (--no-clock-control)' <<<"$said" || echo "it says: $said")"
said=$("$build/holdfast" status --json --port "$port" ::1 2>&1)
claim 'status in JSON, over IPv6' "$(grep -Eq '"state": *"unsynchronised"' <<<"$said" || echo "it says: $said")"
"$build/holdfast" wait-sync --timeout 1 --port "$port" >wait.out 2>&1
claim 'waiting for what does not come ends with 1' "$([ $? -eq 1 ] || echo "it says: $(cat wait.out)")"
"${as_nobody[@]}" timeout 20 "$build/holdfastd" -n --port "$port" "${base[@]}" >second 2>&1
second=$?
claim 'a second one is refused' "$([ $second -eq 1 ] && grep -qE "port $port.*in use" second || echo "status $second: $(tail -n 2 second)")"
serves 'and the first one lives, and serves'
end_daemon
claim 'SIGTERM ends it with status 0' "$([ "$status" -eq 0 ] || echo "status $status")"
claim 'and its pid file is gone' "$([ ! -e pid ] || echo 'it is there')"

begin "${base[@]}"
kill -USR1 "$daemon"
kill -USR2 "$daemon"
sleep 0.2
serves 'the signals that change the debugging level of ntpd do not end it'
end_daemon QUIT
claim 'SIGQUIT ends it with status 0' "$([ "$status" -eq 0 ] || echo "status $status")"
says 'and a line' 'ending: Quit'

begin "${base[@]}" -p pid
end_daemon KILL
claim 'killed with -9 it leaves its pid file' "$([ -e pid ] || echo 'it does not')"
begin "${base[@]}" -p pid
claim 'and starts again over it' "$(lives && [ "$(cat pid)" = "$daemon" ] || echo "pid file: $(cat pid)")"
serves 'and serves again'
end_daemon

# --- rights
begin -c good.conf "${unlisted[@]}"
says 'without the right to set the clock it says so' 'no right to set the clock'
claim 'once' "$([ "$(grep -c 'right to set' log)" -eq 1 ] || echo "$(grep -c 'right to set' log) times")"
said=$("$build/holdfast" status --port "$port" 2>&1)
claim 'and in its status' "$(grep -qF 'it has no right to (CAP_SYS_TIME)' <<<"$said" || echo "it says: $said")"
serves 'and serves all the same'
end_daemon
claim 'until it is ended' "$([ "$status" -eq 0 ] || echo "status $status")"

# --- the rate after a crash: whatever is wrong with the configuration, setting it back fails for want of the right only
no_right='the clock.s rate cannot be set: Operation not permitted$'
printf '%s\n' 'restrct default' 'keys none.keys' 'includefile none.conf' 'driftfile drift.of.it' >broken.conf
printf 'not a number\n' >drift.of.it
ends 'the rate is set back with an error in the configuration' 1 "$no_right" --restore-rate -c broken.conf
claim 'by the drift file that it names' "$(grep -q 'drift file drift.of.it: .*not a number' log || cat log)"
claim 'and what cannot be read is a warning' \
    "$(grep -q 'broken.conf:3:13: warning: cannot read .*none.conf: No such file' log || cat log)"
claim 'without a look at its keys' "$(grep keys log)"
ends 'and without any configuration' 1 "$no_right" --restore-rate -c none.conf
claim 'which is a warning' "$(grep -q 'none.conf: warning: cannot read it: No such file' log || cat log)"
printf '1.5\n' >drift.given
ends 'and none is read where the drift file is given' 1 "$no_right" --restore-rate -c none.conf -f drift.given
claim 'so nothing is said of it' "$(grep -E 'none.conf|warning' log)"

# --- files
printf 'not a number\n' >drift
begin "${base[@]}" -f drift
says 'a drift file of garbage is named' 'drift file drift: .*not a number'
claim 'once in its line' "$(grep -c 'drift file drift: drift file' log | grep -v '^0$')"
serves 'and does not stop it from serving'
end_daemon

{ cat good.conf && echo 'leapfile drift'; } >leap.conf
begin -c leap.conf --no-clock-control "${unlisted[@]}"
says 'a leap file that is none is named' 'leap file drift: line 1 is none of a list of leap seconds'
serves 'and does not stop it either'
end_daemon

begin "${base[@]}" -l nowhere/log
says 'a log that cannot be opened is named, with cause and cure' \
    'warning: cannot open the log file nowhere/log: No such file or directory; create its directory; the log goes to'
claim 'in one line' "$([ "$(grep -c 'nowhere/log' log)" -eq 1 ] || echo 'in more')"
serves 'and does not stop it either'
mkdir nowhere && { [ ${#as_nobody[@]} -eq 0 ] || chown 65534 nowhere; }
kill -HUP "$daemon"
for _ in {1..200}; do grep -qs 'loaded anew' nowhere/log && break; sleep 0.1; done
claim 'and is written from the reload on with which it can be' "$(grep -qs 'is loaded anew' nowhere/log || echo 'it is not')"
mv nowhere elsewhere
kill -HUP "$daemon"
says 'one that is lost at a reload is told where a start is' 'warning: cannot open the log file nowhere/log: .*goes on where it was'
for _ in {1..200}; do grep -q 'goes on where it was' elsewhere/log && break; sleep 0.1; done
claim 'and in itself' "$(grep -q 'goes on where it was' elsewhere/log || echo "it has: $(cat elsewhere/log)")"
end_daemon

begin "${base[@]}" --record calls
claim 'a recording is for its owner alone' "$([ "$(stat -c %a calls 2>&1)" = 600 ] || echo "its mode is $(stat -c %a calls 2>&1)")"
says 'and said to be secret' 'calls: .*secret'
sleep 1
end_daemon
said=$("$build/holdfast" replay calls 2>&1)
claim 'it replays to the same effects' "$(grep -q 'identical' <<<"$said" || echo "it says: $said")"
ends 'a recording is never written over' 1 'calls.*exists' -n --port "$port" "${base[@]}" --record calls

# --- addresses
begin "${base[@]}"
says 'the addresses that are served are named' 'serves 2 addresses \(127\.0\.0\.1, ::1\): ([0-9]+ threads?|the main loop)$'
claim 'without a warning when they are what the rules say' "$(grep -m 1 'warning:' log)"
end_daemon
begin -n "${base[@]}" -I none9
says 'an interface that is not there is named' 'warning: -I none9: no interface and no address of this machine'
says 'and that only loopback is left' 'warning: only loopback addresses are served: .*-I'
end_daemon
printf '%s\n' 'threads 0' 'interface ignore 192.0.2.1' 'interface listen none9' >names.conf
begin -c names.conf --no-clock-control "${unlisted[@]}"
says 'a rule for an interface that is not there is named with its place' \
    'warning: names.conf:3:18: interface listen none9: no interface and no address of this machine'
says 'so is one for an address' 'warning: names.conf:2:18: interface ignore 192.0.2.1: '
says 'and that only loopback is left, with the cure' 'only loopback addresses are served: .*interface listen all'
says 'and who answers' 'serves 2 addresses \(127.0.0.1, ::1\): the main loop$'
printf '%s\n' 'interface ignore all' 'interface drop ::1' >names.conf
kill -HUP "$daemon"
says 'a reload names what is served then' 'serves 1 address \(127.0.0.1\): the main loop$'
claim 'and warns of nothing when that is what is meant' \
    "$([ "$(grep -c 'only loopback' log)" -eq 1 ] || echo "it says: $(cat log)")"
end_daemon

# --- reload
cp good.conf live.conf
begin -c live.conf --no-clock-control "${unlisted[@]}"
echo 'restrct default' >>live.conf
kill -HUP "$daemon"
says 'a reload with an error names it' 'error: live.conf:5:1: .*"restrct"'
says 'and keeps what was' 'live.conf is not loaded: the former configuration stays'
serves 'and serves by that'
sed -i '$d' live.conf
cat keyed.conf >>live.conf
kill -HUP "$daemon"
says 'so does one with keys that cannot be read' 'error: live.conf:5:6: cannot read .*secret.keys: Permission denied'
serves 'which is served by what was, too'
sed -i '5,$d' live.conf
echo 'server 127.0.0.7 iburst' >>live.conf
kill -HUP "$daemon"
says 'a reload without one is whole' 'live.conf is loaded anew'
said=$("$build/holdfast" status --json --port "$port" 2>&1)
claim 'and its new source is there' "$(grep -q '127.0.0.7' <<<"$said" || echo "it says: $said")"
end_daemon

# --- others that look in
cp good.conf page.conf
echo "metrics 127.0.0.1:$((port + 1))" >>page.conf
begin -c page.conf --no-clock-control "${unlisted[@]}"
for _ in {1..200}; do ss -Hltn "sport = :$((port + 1))" | grep -q . && break; sleep 0.1; done
exec 3<>"/dev/tcp/127.0.0.1/$((port + 1))" && printf 'GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' >&3
page=$(timeout 20 cat <&3)
exec 3>&-
claim 'the metrics page is served' "$(grep -q '^HTTP/1.1 200' <<<"$page" || echo "its first line is: $(head -n 1 <<<"$page")")"
claim 'and ends as OpenMetrics does' "$([ "$(tail -n 1 <<<"$page" | tr -d '\r')" = '# EOF' ] || echo "it ends with: $(tail -n 1 <<<"$page")")"
end_daemon

export NOTIFY_SOCKET=$work/notify
perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ENV{NOTIFY_SOCKET}) or die; chmod 0777, $ENV{NOTIFY_SOCKET}; $| = 1; while (defined($s->recv($b, 4096))) { print "$b\n" }' >told 2>&1 &
manager=$!
pids+=("$manager")
for _ in {1..200}; do [ -S notify ] && break; sleep 0.1; done
"${as_nobody[@]}" "$build/holdfastd" --port "$port" "${base[@]}" >out 2>log </dev/null &
daemon=$!
pids+=("$daemon")
until_serves
for _ in {1..200}; do grep -q READY=1 told && break; sleep 0.1; done
claim 'a service manager is told that it is ready' "$(grep -q '^READY=1' told || echo "it was told: $(cat told)")"
claim 'and holds the very process' "$(lives || echo 'it went into the background')"
end_daemon
for _ in {1..200}; do grep -q STOPPING=1 told && break; sleep 0.1; done
claim 'and that it stops' "$(grep -q '^STOPPING=1' told || echo "it was told: $(cat told)")"
kill "$manager"
unset NOTIFY_SOCKET

env -u INVOCATION_ID "${as_nobody[@]}" timeout 20 "$build/holdfastd" --port "$port" "${base[@]}" -p pid -l background.log >out 2>log </dev/null
status=$?
daemon=$(cat pid 2>/dev/null)
[ -z "$daemon" ] || pids+=("$daemon")
claim 'without anybody to hold it, it goes into the background' "$([ $status -eq 0 ] && [ -n "$daemon" ] && lives || echo "status $status, pid file: $daemon")"
[ -n "$daemon" ] && kill "$daemon"
for _ in {1..200}; do [ -e pid ] || break; sleep 0.1; done
claim 'and ends in order there too' "$([ ! -e pid ] && grep -q 'ending: Terminated' background.log || echo "log: $(tail -n 1 background.log)")"
env -u INVOCATION_ID "${as_nobody[@]}" timeout 20 "$build/holdfastd" --port "$port" -c good.conf --no-clock-control "${unlisted[@]}" --record calls >out 2>log </dev/null
claim 'a start that fails in the background has its status' "$([ $? -eq 1 ] || echo "another status")"

begin "${base[@]}"
rm -f background.log
env -u INVOCATION_ID "${as_nobody[@]}" timeout 20 "$build/holdfastd" --port "$port" "${base[@]}" -l background.log >out 2>second </dev/null
claim 'so has one that has a log file' "$([ $? -eq 1 ] || echo "another status")"
claim 'whose error is in the file' "$(grep -qE "error: .*port $port.*in use" background.log || echo "it has: $(cat background.log)")"
claim 'and said to who started it' "$(grep -qE "error: .*port $port.*in use" second || echo "it says: $(cat second)")"
claim 'with nothing else' "$([ "$(wc -l <second)" -eq 1 ] || echo "it says: $(cat second)")"
end_daemon

tell_counts
