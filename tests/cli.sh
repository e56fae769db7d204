#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The command line from outside: what it prints, its exit status, and what bad input meets: one clear message with
# file, line and column where there is one, and nothing half written.
# Usage: tests/cli.sh HOLDFAST
set -u
LC_ALL=C.UTF-8
export LC_ALL
root=$PWD
case $1 in /*) holdfast=$1 ;; *) holdfast=$root/$1 ;; esac
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2
export HOLDFAST_PLOTS=$work/no-plots # the pictures have tests of their own, at the end

claims_of=command-line
# shellcheck source=tests/claims.sh
. "$root/tests/claims.sh"
show_context() { { sed 's/^/      out| /' out | head -n 12; sed 's/^/      err| /' err | head -n 12; } 2>/dev/null; }

# The program itself must never end in an assertion, a signal or a sanitizer's complaint.
unclean() {
    grep -E -m 1 'Sanitizer|runtime error:|Assertion .* failed' err
}

# Lines of err that complain. Notes, warnings and the advice under a complaint do not count.
complaints() {
    grep -E '^[^ ].*: error: |^holdfast' err
}

refuses() { # refuses NAME STATUS REGEX ARGUMENT...: that status, one complaint, and it matches
    local name=$1 expected=$2 regex=$3 status wrong=''
    shift 3
    "$holdfast" "$@" >out 2>err </dev/null
    status=$?
    if [ "$status" -ne "$expected" ]; then
        wrong="exit status $status, expected $expected"
    elif [ -n "$(unclean)" ]; then
        wrong=$(unclean)
    elif [ "$(complaints | wc -l)" -ne 1 ]; then
        wrong="$(complaints | wc -l) complaints, expected one"
    elif ! complaints | grep -qE -- "$regex"; then
        wrong="the complaint does not match $regex"
    elif grep -q '^digest' out; then
        wrong='printed a digest all the same'
    fi
    claim "$name" "$wrong"
}

accepts() { # accepts NAME REGEX ARGUMENT...: status 0, no complaint, and stdout holds the regex
    local name=$1 regex=$2 status wrong=''
    shift 2
    "$holdfast" "$@" >out 2>err </dev/null
    status=$?
    if [ "$status" -ne 0 ]; then
        wrong="exit status $status"
    elif [ -n "$(unclean)" ]; then
        wrong=$(unclean)
    elif grep -q ': error: ' err; then
        wrong='complains'
    elif ! grep -qE -- "$regex" out; then
        wrong="printed nothing that matches $regex"
    fi
    claim "$name" "$wrong"
}

is() { # is NAME COMMAND...: the command succeeds
    local name=$1
    shift
    if "$@" >/dev/null 2>&1; then claim "$name" ''; else claim "$name" "not so: $*"; fi
}

# A good scenario; every bad one is this with one line changed, so that what is refused is that line.
mkdir conf
cat >good.scenario <<'END'
title     "Two servers"
seed      7
duration  2h
files     conf/
node      one   address 10.0.0.1  config one.conf  clock xo-server
node      two   address 10.0.0.2  config two.conf  clock xo-server
upstream  *.pool.example  stratum 2  link wan
clients   3     address 10.0.1.0/24  config client.conf
link      campus between one two clients
at 1h     cut upstream for 10min
expect    synchronised one two from 30min until 1h
END
printf 'server 0.pool.example iburst\nserver 1.pool.example iburst\n' >conf/one.conf
printf 'server 1.pool.example iburst\nserver 2.pool.example iburst\n' >conf/two.conf
printf 'server 10.0.0.1 iburst\nserver 10.0.0.2 iburst\n' >conf/client.conf

change() { # change FILE LINE TEXT: good.scenario with that line replaced
    awk -v n="$2" -v text="$3" 'NR == n { print text; next } { print }' good.scenario >"$1"
}

# --- the good one, and what is said of it
accepts 'a good scenario runs' '^digest: [0-9a-f]{64}$' run good.scenario
is 'the digest is the last line' bash -c 'tail -n 1 out | grep -qE "^digest: [0-9a-f]{64}$"'
is 'seed and options come first' bash -c 'head -n 1 out | grep -q -- "good.scenario --seed 7"'
is 'nothing but the report in a pipe' test ! -s err
cp out first
accepts 'the same seed again' '^digest: ' run good.scenario --seed 7
is 'gives the same digest' cmp <(tail -n 1 first) <(tail -n 1 out)
accepts 'another seed' '^digest: ' run good.scenario --seed 8
is 'gives another digest' bash -c '! cmp -s <(tail -n 1 first) <(tail -n 1 out)'
accepts 'quiet prints the digest alone' '^digest: ' run good.scenario --quiet
is 'and no more than that' test "$(wc -l <out)" -eq 1
accepts 'until stops early' '^digest: ' run good.scenario --until 40min
accepts 'three seeds' '^3 of 3 runs passed$' run good.scenario --runs 3
is 'with a line for each' test "$(grep -cE '^seed (7|8|9) ' out)" -eq 3
accepts 'help' 'Exit status' help
accepts 'help ntp.conf names every directive' '^restrict ' help ntp.conf
for directive in server peer pool driftfile keys trustedkey requestkey controlkey enable disable restrict tos \
    tinker statsdir statistics filegen logfile logconfig leapfile includefile interface policy fudge discard mru; do
    is "help ntp.conf has $directive" grep -qE "^$directive( |\$)" out
done
accepts 'help scenario' 'expect' help scenario
accepts 'version' '^holdfast [0-9]' version

# --- an expectation that does not hold
change wrong.scenario 11 'expect    error of one two < 1ns'
"$holdfast" run wrong.scenario >out 2>err
is 'an expectation that fails makes exit status 1' test $? -eq 1
is 'and is named with what was seen' grep -qE 'FAIL.*error of one two < 1ns' out
"$holdfast" run wrong.scenario --runs 2 >out 2>err
is 'one failing seed fails the runs' test $? -eq 1
again=$(sed -nE 's/^ *again: holdfast //p' out | head -n 1)
# shellcheck disable=SC2086
"$holdfast" $again >out 2>err
is 'and prints the command that shows it again' test $? -eq 1

# --- usage
refuses 'no command' 2 '' run
refuses 'an unknown command' 2 'did you mean "run"' rum good.scenario
refuses 'an unknown option' 2 'did you mean "--seed"' run good.scenario --sed 4
refuses 'an option without its value' 2 '--seed needs' run good.scenario --seed
refuses 'a seed that is no number' 2 '--seed needs' run good.scenario --seed x1
refuses 'a seed too large' 2 '--seed needs' run good.scenario --seed 18446744073709551616
refuses 'no runs' 2 '--runs needs' run good.scenario --runs 0
refuses 'a time without unit' 2 '--until needs' run good.scenario --until 5
refuses 'a time beyond the end' 2 'beyond' run good.scenario --until 3h
refuses 'two scenarios' 2 'one scenario' run good.scenario good.scenario
refuses 'pcap without a directory' 2 '--pcap needs' run good.scenario --pcap
refuses 'help on nothing we know' 2 'help' help nonsense
refuses 'plot without a directory' 2 'expected one' plot

# --- scenarios that are wrong
refuses 'a scenario that is not there' 3 '^nowhere.scenario: error: ' run nowhere.scenario
refuses 'a directory as scenario' 3 '^conf: error: ' run conf
change bad.scenario 5 'nod       one   address 10.0.0.1  config one.conf'
sed -i '11d;10d;9s/one two //' bad.scenario
refuses 'an unknown word' 3 '^bad.scenario:5:1: error: .*node' run bad.scenario
change bad.scenario 10 'at 1h     cutt upstream for 10min'
refuses 'an unknown verb' 3 '^bad.scenario:10:11: error: .*cut' run bad.scenario
change bad.scenario 3 'duration  2kg'
refuses 'a wrong unit' 3 '^bad.scenario:3:11: error: ' run bad.scenario
change bad.scenario 3 'duration  2'
refuses 'a missing unit' 3 '^bad.scenario:3:11: error: ' run bad.scenario
change bad.scenario 10 'at 1h     cut upstream for 10ppm'
refuses 'a frequency for a time' 3 '^bad.scenario:10:28: error: ' run bad.scenario
change bad.scenario 6 'node      two   address 10.0.0.1  config two.conf'
refuses 'an address taken twice' 3 '^bad.scenario:6:25: error: .*10\.0\.0\.1' run bad.scenario
change bad.scenario 8 'clients   3     address 10.0.0.0/24  config client.conf'
refuses 'a network over a node' 3 '^bad.scenario:8:25: error: ' run bad.scenario
change bad.scenario 8 'clients   300   address 10.0.1.0/24  config client.conf'
refuses 'a network too small' 3 '^bad.scenario:8:' run bad.scenario
change bad.scenario 10 'at 1h     cut nobody for 10min'
refuses 'a cut of a node that does not exist' 3 '^bad.scenario:10:15: error: .*nobody' run bad.scenario
change bad.scenario 10 'at 3h     cut upstream for 10min'
refuses 'a time beyond the duration' 3 '^bad.scenario:10:4: error: ' run bad.scenario
change bad.scenario 1 'title     "Two servers'
refuses 'a quote that never ends' 3 '^bad.scenario:1:11: error: ' run bad.scenario
change bad.scenario 9 'link      campus between one'
refuses 'a link that joins nothing' 3 '^bad.scenario:9:26: error: .*joins nothing' run bad.scenario
change bad.scenario 11 'expect    synchronised nobody'
refuses 'an expectation of a node that does not exist' 3 '^bad.scenario:11:24: error: .*nobody' run bad.scenario
printf 'clock-law x nix\nseed x\nduration soon\nsede 4\n' >bad.scenario
"$holdfast" run bad.scenario >out 2>err
is 'mistakes are told in the order of lines' bash -c \
    '[ "$(grep -c "^bad.scenario:[0-9]" err)" -eq 4 ] && sort -c -s -t : -k 2,2n err'

# --- scenarios that are right but do not mean what they say
warns() { # warns NAME REGEX SCENARIO: runs all the same, and one warning, which matches
    accepts "$1" '^digest: ' run "$3"
    is "$1: one warning with its place" bash -c '[ "$(grep -c ": warning: " err)" -eq 1 ] && grep -qE -- "$1" err' - "$2"
}
change odd.scenario 10 'at 1h     heal upstream'
warns 'a heal of what is not cut' '^odd\.scenario:10:11: warning: "heal" has no effect' odd.scenario
change odd.scenario 10 'at 1h     start one'
warns 'a start of what runs' '^odd\.scenario:10:11: warning: "start" has no effect' odd.scenario
for shipped in "$root"/scenarios/*.scenario; do
    "$holdfast" run "$shipped" --until 1s --runs 1 --quiet >out 2>err
    is "$(basename "$shipped") is without a warning" bash -c 'grep -q ^digest out && ! grep -q ": warning: " err'
done

# --- configurations that are wrong
other() { # other FILE: bad.scenario with that configuration for the node `one`
    change bad.scenario 5 "node      one   address 10.0.0.1  config $1  clock xo-server"
}
printf 'server time.elsewhere\n' >conf/elsewhere.conf
other elsewhere.conf
refuses 'a host name that nothing stands behind' 3 'elsewhere\.conf:1:8: error: .*time\.elsewhere' run bad.scenario
printf '\nincludefile elsewhere.conf\n' >conf/outer.conf
other outer.conf
refuses 'the same in an included file' 3 'elsewhere\.conf:1:8: error: .*time\.elsewhere' run bad.scenario
other nowhere.conf
refuses 'a configuration that is not there' 3 'nowhere\.conf' run bad.scenario
mkdir conf/folder.conf
other folder.conf
refuses 'a directory as configuration' 3 'folder\.conf' run bad.scenario
ln -s endless.conf conf/endless.conf
other endless.conf
refuses 'a configuration that cannot be opened' 3 'endless\.conf' run bad.scenario
other ../good.scenario
refuses 'a configuration outside its folder' 3 '^bad.scenario:5:42: error: ' run bad.scenario
printf 'server 0.pool.example\nincludefile b.conf\n' >conf/a.conf
printf '\nincludefile a.conf\n' >conf/b.conf
other a.conf
refuses 'a loop of includes' 3 'b\.conf:2:13: error: ' run bad.scenario
printf 'server 0.pool.example\nrestric default ignore\n' >conf/misspelt.conf
other misspelt.conf
refuses 'a misspelt directive' 3 'misspelt\.conf:2:1: error: .*restrict' run bad.scenario
printf 'server 0.pool.example\nrestrict 10.0.0.0 mask' >conf/half.conf
other half.conf
refuses 'a configuration cut off in a line' 3 'half\.conf:2:23: error: ' run bad.scenario
printf 'server 0.pool.example minpoll 99\n' >conf/range.conf
other range.conf
refuses 'a value out of range' 3 'range\.conf:1:31: error: .*17' run bad.scenario
printf 'server 0.pool.example\n\000\001\002\n' >conf/bytes.conf
other bytes.conf
refuses 'bytes that are no text' 3 'bytes\.conf:2:1: error: this is no text file: byte 0x00$' run bad.scenario
printf 'serber 0.pool.example\nrestrict \033[2J\nserfer\n' >conf/escape.conf
other escape.conf
refuses 'an escape sequence among mistakes' 3 'escape\.conf:2:10: error: this is no text file: byte 0x1b$' run bad.scenario
printf 'server 0.pool.example\nserver \342\200\256x\302\2332J\n' >conf/steers.conf
other steers.conf
refuses 'characters that steer a terminal' 3 'steers\.conf:2:8: error: "\\xe2\\x80\\xaex\\xc2\\x9b2J" is neither' run bad.scenario
# The same bytes in every run of one awk.
for seed in 1 2 3 4 5 6 7 8; do
    LC_ALL=C awk -v seed="$seed" 'BEGIN { srand(seed); for (i = 0; i < 3000; i++) printf "%c", int(256 * rand()) }' >conf/random.conf
    other random.conf
    refuses "a configuration of random bytes ($seed)" 3 'random\.conf:[0-9]+:[0-9]+: error: this is no text' run bad.scenario
    refuses "a scenario of random bytes ($seed)" 3 'random\.conf:[0-9]+:[0-9]+: error: this is no text' run conf/random.conf
    is "and none of them reaches the terminal ($seed)" bash -c '! LC_ALL=C grep -q "[^ -~]" err'
done
head -c 1200000 /dev/zero | tr '\000' '#' >conf/large.conf
other large.conf
refuses 'a configuration of a megabyte and more' 3 'large\.conf' run bad.scenario

# A scenario and a configuration cut off anywhere: all right or refused, never a crash; a place is named.
cut_off() { # cut_off FILE STEP: runs every STEP-th prefix of FILE in its own place
    local whole size length status
    whole=$(mktemp -p "$work")
    cp "$1" "$whole"
    size=$(stat -c %s "$whole")
    for ((length = 0; length < size; length += $2)); do
        head -c "$length" "$whole" >"$1"
        "$holdfast" run cut.scenario --until 1s >out 2>err
        status=$?
        if [ -n "$(unclean)" ]; then
            echo "$1 of $length bytes: $(unclean)"
            break
        fi
        case $status in
        0 | 1 | 2) ;; # 2: the duration is gone or shorter
        3) grep -qE '^[^ :]+(:[0-9]+(:[0-9]+)?)?: error: ' err || { echo "$1 of $length bytes: no place"; break; } ;;
        *) echo "$1 of $length bytes: exit status $status"; break ;;
        esac
    done
    cp "$whole" "$1"
}
cp good.scenario cut.scenario
claim 'a scenario cut off anywhere' "$(cut_off cut.scenario 7)"
cp "$root"/scenarios/time-group/tick.conf conf/tick.conf 2>/dev/null
change cut.scenario 5 'node      one   address 10.0.0.1  config tick.conf'
claim 'a configuration cut off anywhere' "$(cut_off conf/tick.conf 7)"

# --- run directories
accepts 'a run directory' '^digest: ' run good.scenario --out run --pcap
for file in report.txt summary.json truth.csv packets.pcap one/loopstats one/peerstats; do
    is "holds $file" test -s "run/$file"
done
is 'the summary has the digest that was printed' grep -q "$(tail -n 1 out | cut -d ' ' -f 2)" run/summary.json
for key in seed digest simulated_s wall_s events packets nodes timeline expectations; do
    is "the summary has $key" grep -q "\"$key\":" run/summary.json
done
is 'the summary is JSON' bash -c "awk -f '$root/plots/flatten.awk' run/summary.json >flat && [ -s flat ]"
is 'its expectations say what was seen' grep -qE $'^expectations\\.0\\.seen\t.' flat
is 'truth.csv is long form' bash -c '[ "$(head -n 1 run/truth.csv)" = time_s,node,quantity,value ] &&
    ! grep -qvE "^[^,]*,[^,]*,[^,]*,[^,]*$" run/truth.csv'
is 'packets.pcap has the nanosecond magic' bash -c '
    case $(od -An -N4 -tx1 run/packets.pcap | tr -d " ") in 4d3cb2a1 | a1b23c4d) true ;; *) false ;; esac'
accepts 'a former run directory is replaced' '^digest: ' run good.scenario --out run --seed 9
is 'whole, with nothing of the former run' bash -c 'grep -q "\"seed\": *9" run/summary.json && [ ! -e run/packets.pcap ]'
accepts 'many runs into one directory' '2 of 2' run good.scenario --runs 2 --out many
is 'have a directory each' test -s many/seed-7/summary.json -a -s many/seed-8/summary.json
mkdir precious && echo mine >precious/letter
refuses 'a directory that is no run is not replaced' 3 'precious' run good.scenario --out precious
is 'and is left alone' test "$(ls precious)" = letter
echo file >file
ls -A >before
refuses 'an output directory below a file' 3 'file/run' run good.scenario --out file/run
refuses 'an output directory in /proc' 3 \
    '^holdfast run: cannot make the output directory /proc/holdfast/run: No such file or directory$' \
    run good.scenario --out /proc/holdfast/run
refuses 'an output directory that is one of /proc' 3 \
    '^holdfast run: cannot make the output directory /proc/nix: No such file or directory$' \
    run good.scenario --out /proc/nix
refuses 'one of many runs there' 3 \
    '^holdfast run: cannot make the output directory /proc/nix: No such file or directory$' \
    run good.scenario --out /proc/nix --runs 2
refuses 'a file as output directory' 3 'file' run good.scenario --out file
ls -A >after
is 'leave nothing behind' diff <(grep -vE '^(out|err|before|after)$' before) <(grep -vE '^(out|err|before|after)$' after)
if [ -c /dev/full ]; then
    "$holdfast" run good.scenario >/dev/full 2>err
    is 'output that cannot be written is no success' test $? -eq 3
fi

# --- ^C in a long run
until_caught() { # until_caught PID: it has its handler; before that, what runs beside a script ignores the signal
    local caught
    for _ in {1..300}; do
        caught=$(sed -nE 's/^SigCgt:\t//p' "/proc/$1/status" 2>/dev/null) || return
        [ -n "$caught" ] && [ $((16#$caught & 2)) -ne 0 ] && return
        sleep 0.1
    done
}
sed 's/^duration .*/duration  7000d/' good.scenario >long.scenario
for how in '' '--out long' '--runs 1000 --out long'; do
    # shellcheck disable=SC2086
    "$holdfast" run long.scenario $how >out 2>err &
    pid=$!
    until_caught "$pid"
    sleep 0.7
    kill -INT "$pid" 2>/dev/null
    wait "$pid"
    is "^C ends a run ($how) with status 130" test $? -eq 130
    is "and says where it was ($how)" grep -qE '^holdfast run: interrupted at simulated [0-9]' err
    is "and prints no digest ($how)" bash -c '! grep -q ^digest out'
    is "and leaves nothing half written ($how)" bash -c '[ -z "$(find . -path "./*long*" -not -name long.scenario -type f)" ]'
done
rm -rf long

# --- pictures
accepts 'a run whose pictures cannot be drawn' '^digest: ' run good.scenario --out run
is 'says so and is a run all the same' grep -q 'no plots were drawn' err
export HOLDFAST_PLOTS=$root/plots
if command -v gnuplot >/dev/null; then
    rm -f run/*.svg run/*.png
    "$holdfast" plot run >out 2>err
    is 'a run directory plots again without the simulator' test $? -eq 0
    for picture in error spread state frequency; do
        is "draws $picture.svg" grep -q '</svg>' "run/$picture.svg"
        is "draws $picture.png" bash -c "[ \"\$(head -c 4 run/$picture.png | tail -c 3)\" = PNG ]"
    done
fi
refuses 'plot of a directory that is no run' 3 'precious' plot precious
is 'and draws nothing there' test "$(ls precious)" = letter
refuses 'plot of nothing' 3 'no such directory' plot nowhere
mkdir few && for tool in sh bash awk sed env dirname mktemp rm cp mv cat; do ln -s "$(command -v $tool)" few/; done
PATH=$work/few "$holdfast" plot run >out 2>err
is 'plot without gnuplot ends with status 3' test $? -eq 3
is 'and names the package' grep -q 'gnuplot-nox' err

# --- recordings of the daemon; good ones are replayed by tests/command_replay_test.c
mkfifo pipe.rec
: >empty.rec
printf 'holdfast-rec\2\0\0\0' >bare.rec
printf 'holdfast-rec\3\0\0\0' >later.rec
printf 'holdfast-rec\2\0\0\0\3\0\0\0\3\0\0\0abc' >damaged.rec
{ cat bare.rec && head -c 100000 /dev/zero; } >zeros.rec
refuses 'replay of nothing' 2 'holdfast replay FILE' replay
refuses 'replay of two recordings' 2 'one recording' replay bare.rec empty.rec
refuses 'an unknown option of replay' 2 'did you mean "--verbose"' replay --verbos bare.rec
refuses 'replay of a missing file' 3 'missing.rec: No such file' replay missing.rec
refuses 'replay of a directory' 3 'a directory' replay precious
refuses 'replay of a pipe does not wait' 3 'no regular file' replay pipe.rec
refuses 'replay of an empty file' 3 'not a recording' replay empty.rec
refuses 'replay of another kind of file' 3 'good.scenario: not a recording' replay good.scenario
refuses 'replay of a recording of a later version' 3 'another version' replay later.rec
refuses 'replay of a recording without calls' 3 'no call' replay bare.rec
refuses 'replay of a damaged recording' 3 'damaged.* at byte 16' replay damaged.rec
refuses 'replay of a file that a crash left full of zeros' 3 'damaged' replay zeros.rec
if [ "$(id -u)" -ne 0 ]; then
    cp bare.rec secret.rec && chmod 000 secret.rec
    refuses 'replay of an unreadable file' 3 'secret.rec.*Permission denied' replay secret.rec
fi

# --- a running server, where there is none (one that answers: tests/live)
refuses 'status where nothing listens' 1 '^holdfast status: 127\.0\.0\.1 and ::1 port 1: nothing listens there' \
    status --port 1
refuses 'status of one address where nothing listens' 1 '^holdfast status: 127\.0\.0\.1 port 1: nothing listens there' \
    status 127.0.0.1 --port 1
refuses 'status of a name that does not exist' 1 'no-such-host\.invalid: ' status no-such-host.invalid
refuses 'status of two servers' 2 'one server at a time: "b"' status a b
refuses 'a port out of range' 2 '--port needs a number from 1 to 65535, not "65536"' status --port 65536
refuses 'an unknown option of status' 2 'did you mean "--json"' status --jsn
refuses 'wait-sync ends in time and says what it saw' 1 \
    '^holdfast wait-sync: not synchronised to within 5\.00 ms after 0\.5 s; last seen: 127\.0\.0\.1 and ::1 port 1: nothing listens' \
    wait-sync --port 1 --max-error 5ms --timeout 0.5
refuses 'a bound without unit' 2 '--max-error needs a time such as 100ms, not "100"' wait-sync --max-error 100
refuses 'a bound of nothing' 2 '--max-error needs' wait-sync --max-error 0
refuses 'a timeout that is none' 2 '--timeout needs' wait-sync --timeout soon
refuses 'a timeout below zero' 2 '--timeout needs' wait-sync --timeout=-1
"$holdfast" wait-sync --port 1 --timeout 1min >out 2>err &
pid=$!
until_caught "$pid"
sleep 0.7
kill -INT "$pid"
wait "$pid"
is '^C ends wait-sync with status 130' test $? -eq 130

# --- keys
accepts 'a key' '^1 AES128CMAC [0-9a-f]{32}$' keygen
accepts 'a key with an id and a type' '^65535 SHA256 [0-9a-f]{64}$' keygen 65535 --type sha256
for i in 1 2; do "$holdfast" keygen >"key-$i" 2>err; done
is 'no two keys are alike' bash -c '! cmp -s key-1 key-2'
refuses 'no key of type MD5' 2 'RFC 8573.*AES128CMAC' keygen --type MD5
refuses 'a type that we do not know' 2 '--type needs AES128CMAC' keygen --type AES256
refuses 'a key id of 0' 2 'from 1 to 65535, not "0"' keygen 0
refuses 'a key id too large' 2 'from 1 to 65535' keygen 65536
refuses 'two key ids' 2 'one key at a time' keygen 1 2
(umask 0 && "$holdfast" keygen 7 --out made.keys >out 2>err)
is 'a key file is made' test $? -eq 0
is 'for its owner alone, whatever the umask' test "$(stat -c %a made.keys)" = 600
is 'and the secret is not shown' bash -c '! grep -qF -- "$(sed -n "s/^7 AES128CMAC //p" made.keys)" out err'
cp -p made.keys made.before
refuses 'a key file that exists is left alone' 1 'made\.keys: exists' keygen 7 --out made.keys
is 'as it was' cmp made.keys made.before
refuses 'a key file where there is no folder' 1 'nowhere/keys: cannot be made: No such file' keygen --out nowhere/keys
ln -s not-there.keys dangling.keys
refuses 'a key file behind a link' 1 'dangling\.keys: exists' keygen --out dangling.keys
is 'makes nothing' test ! -e not-there.keys
if [ -c /dev/full ]; then
    "$holdfast" keygen >/dev/full 2>err
    is 'a key that cannot be printed is no success' test $? -eq 3
fi
cp -p made.keys conf/made.keys
printf 'keys made.keys\ntrustedkey 7\nserver 0.pool.example key 7\n' >conf/keyed.conf
change keyed.scenario 5 'node      one   address 10.0.0.1  config keyed.conf  clock xo-server'
"$holdfast" run keyed.scenario --until 1s >out 2>err
is 'a configuration takes the new key without a word' bash -c '! grep -E "keyed\.conf|made\.keys" err'

# --- the article's own files
cd "$root" || exit 2
is "the article's two files are shipped verbatim" sha256sum --quiet -c - <<'END'
16ae825871d28bb84e957b571faed5d02f9de5093d6f3317767e2b61a7646bc2  scenarios/time-group/tick.conf
a16bf1d0b9d1319d40533d098ab59d4dea5d6f03a3c4992feb5c1576b74c6748  scenarios/time-group/tock.conf
END

tell_counts
