#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The README on a clean checkout, as a new user follows it: nothing is there but the sources, each command stands in the
# README as it is run here, and what the README shows as output is what comes out.
#
# The checkout is built without optimisation, for time; ports are some that are free; and the daemon, wherever the
# README would let it steer, runs as nobody, without the right to set a clock.
# Usage: tests/readme.sh BUILD [PROGRAM]      BUILD holds the holdfast whose reports are compared; MAKE names the make
# to use; PROGRAM is where the holdfast of the checkout is left, for whoever needs one without optimisation.
set -u
LC_ALL=C.UTF-8
export LC_ALL
root=$PWD
case $1 in /*) build=$1 ;; *) build=$root/$1 ;; esac
program=${2:+$(realpath -m "$2")}
work=$(mktemp -d) || exit 2
chmod 755 "$work"
daemon=
finish() {
    [ -z "$daemon" ] || kill -KILL "$daemon" 2>/dev/null
    rm -rf "$work"
}
trap finish EXIT
unset MAKEFLAGS MFLAGS MAKEOVERRIDES CC # whoever types the command has none
claims_of=readme
# shellcheck source=tests/claims.sh
. "$root/tests/claims.sh"
# shellcheck source=tests/datagram.sh
. "$root/tests/datagram.sh"

# --- the checkout: what the repository has, as it is in this tree, or all that was unpacked where it is no repository
checkout=$work/holdfast
mkdir "$checkout"
while IFS= read -r file; do
    case $file in
    *.c | *.h | *.sh | *.py | *.in | *.scenario | *.conf | Makefile | */Makefile)
        echo "$claims_of: warning: $file is not added to the repository: the checkout is made without it" >&2
        ;;
    esac
done < <(git ls-files -o --exclude-standard 2>/dev/null)
{ git ls-files -z -c 2>/dev/null || find . -path ./build -prune -o -path ./out -prune -o -type f -print0; } |
    while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
    tar -c --null -T - | tar -x -C "$checkout" || exit 2
cd "$checkout" || exit 2
claim_that 'the checkout holds nothing that was built' bash -c "! find . -name '*.o' -o -name build | grep ."

as_nobody=()
if [ "$(id -u)" -eq 0 ]; then
    as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all --inh-caps=-all)
fi
# As in daemon.sh, and in a place of its own.
port=$((18000 + $$ % 1000))
while ss -Hlun "sport = :$port" | grep -q .; do port=$((port + 1)); done

stands() { # stands COMMAND: in the README, alone on its line but for a comment; leaves its words in `words`
    claim "the README says: $1" "$(awk -v command="$1" '{ line = $0; sub(/ +#.*/, "", line); sub(/^ +/, "", line) }
        line == command { found = 1 } END { if (!found) print "it does not" }' "$root/README.md")"
    read -ra words <<<"${1//1123/$port}"
}

# --- to build it, and to have a look beside the time service that runs
stands make
claim 'it builds' "$("${MAKE:-make}" -j"$(nproc)" OPT=-O0 CFLAGS=-g0 >"$work/log" 2>&1 || tail -n 12 "$work/log")"
[ -x build/holdfastd ] || { tell_counts; exit 1; }
[ -z "$program" ] || { cp build/holdfast "$program.new" && mv "$program.new" "$program"; } || exit 2
[ ${#as_nobody[@]} -eq 0 ] || chown 65534 . # where the recording goes
printf '%s\n' 'interface ignore all' 'interface listen 127.0.0.1' 'server 127.0.0.9 iburst' \
    'restrict default nomodify' >ntp.conf
stands 'build/holdfastd --check-config -c ntp.conf'
said=$("${words[@]}" 2>&1)
claim_equal 'a good file is found to be good' 0 $?
claim_match 'and what it uses is told' '^associations +1 of 64$' "$said"
printf 'server 192.0.2.1\nrestrct default\n' >bad.conf
said=$("${words[@]/ntp.conf/bad.conf}" 2>&1)
claim_equal 'a bad file ends with status' 3 $?
claim_match 'with file, line and column' '^bad\.conf:2:1: error: ' "$said"

# --- one life of the daemon, looked at by the commands that follow in the README
until_serves() { gets_right_time ask_datagram 127.0.0.1 "$port" "$time_request"; }
begin() { # begin WORD...: in the background until `end`
    "${as_nobody[@]}" "$@" >"$work/log" 2>&1 </dev/null &
    daemon=$!
    claim_that 'it serves, with the time of now' wait_for 10 until_serves
}
end() {
    kill -TERM "$daemon"
    wait "$daemon"
    claim_equal 'it ends with status' 0 $?
    daemon=
}
stands 'build/holdfastd -n --no-clock-control --port 1123 -c ntp.conf'
begin "${words[@]}"
stands 'build/holdfast status --port 1123'
said=$("${words[@]}" 2>&1)
claim_equal 'which ends with status' 0 $?
claim_match 'its first line is as shown' "^127\.0\.0\.1 port $port: unsynchronised, .*holdfastd [0-9.]+\$" "$said"
shown=$(sed -n '/^    127\.0\.0\.1 port 1123:/,/^$/p' "$root/README.md")
claim_equal 'its table is headed as shown' "$(grep -o 'sources  .*' <<<"$shown")" "$(grep -o 'sources  .*' <<<"$said")"
claim_match 'what it does not do is said as shown' "$(sed -nE 's/^ *(problem +.*)/\1/p' <<<"$shown" | sed 's/[(),.]/\\&/g')" "$said"
end

# --- recorded, and run again
stands 'build/holdfastd -n --record today.rec -c ntp.conf'
begin "${words[@]}" --port "$port"
sleep 1
end
stands 'build/holdfast replay today.rec'
said=$("${words[@]}" 2>&1)
claim_equal 'it replays' 0 $?
claim_match 'to the same effects' '^[0-9]+ calls over .*, identical: 1 init, ' "$said"

# --- what is said in a sentence
said=$(build/holdfast keygen 1 --out ntp.keys 2>&1)
claim_equal 'a key is made' 0 $?
claim_match 'of that number' '^1 AES128CMAC [0-9a-f]{32}$' "$(cat ntp.keys)"
# shellcheck disable=SC2016
claim_that 'its sentence stands' grep -qF '`holdfast keygen 1 --out ntp.keys`' "$root/README.md"
build/holdfast wait-sync --max-error 100ms --timeout 1 --port "$port" >"$work/waited" 2>&1
claim_equal 'waiting for the time where nobody has it ends with' 1 $?

# --- what it shows: the scenario of "Writing a scenario" holds, and the demo prints what is printed there
section() { # section REGEX: the first block of indented lines after the line that it matches
    awk -v after="$1" '!on { on = $0 ~ after; next } /^[^ ]/ { if (some) exit } /^    / { some = 1 } some' "$root/README.md" |
        sed 's/^    //'
}
section '^## Writing a scenario' | sed -n '/^title/,/^expect *claimed/p' >scenarios/my.scenario
claim_between 'lines of the scenario that is shown' 8 40 "$(wc -l <scenarios/my.scenario)"
said=$(HOLDFAST_PLOTS=/nonexistent "$build/holdfast" run scenarios/my.scenario 2>&1)
claim_equal 'it holds' 0 $?
claim_no_match 'without a complaint' '(error|warning):' "$said"

# shellcheck disable=SC2016
section 'the report that `make demo` prints' | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}' >"$work/shown"
# What make would run, by the program that was built here; it is without optimisation, so as far as a day.
stands 'make demo'
read -ra demo <<<"$("${MAKE:-make}" -n demo 2>"$work/log" | grep '^build/holdfast run ')"
claim_equal 'the demo runs a scenario with the program that was built' \
    'build/holdfast run scenarios/time-group.scenario' "${demo[*]:0:3}"
said=$(HOLDFAST_PLOTS=/nonexistent "${demo[@]}" --until 1d 2>&1)
claim_equal 'it holds for a day' 0 $?
claim_equal 'and leaves its report' 1 "$(find out/time-group -name report.txt -size +0 | wc -l)"
for line in 'build/holdfast run scenarios/both-lose-upstream.scenario --runs 100' \
    'build/holdfast run scenarios/both-lose-upstream.scenario --seed 42'; do
    stands "$line"
    said=$(HOLDFAST_PLOTS=/nonexistent "${words[@]/100/2}" --until 1h 2>&1)
    claim_equal "for an hour, ends with status 0: ${words[*]:3}" 0 $?
    claim_match 'and with a digest' '[dD]igest' "$said"
done
rm -rf out/time-group
HOLDFAST_PLOTS=/nonexistent "$build/holdfast" "${demo[@]:1}" >/dev/null 2>&1
cp out/time-group/report.txt "$work/printed"
same() { grep -E '^glibc ' "$1"; }
if [ "$(same "$work/shown")" = "$(same "$work/printed")" ]; then
    claim 'the demo prints what is shown' "$(diff "$work/shown" "$work/printed" | head -n 8)"
else # another libm, another last bit, another course of things
    claim 'the demo prints as much as is shown' "$(diff <(grep -oE '^ *[A-Z][a-z ]+' "$work/shown") \
        <(grep -oE '^ *[A-Z][a-z ]+' "$work/printed") | head -n 8)"
fi
tell_counts
