#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# event.sh: cxl-dcd-event, changes of state as they happen

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

LOG=$SCRATCH/log/event

# follow OPTION...: cxl-dcd-event in the background, set up as a shell would in the foreground
follow()
{
    : >"$LOG"
    env --default-signal=INT "$SCRATCH/bin/virsh-cxl" cxl-dcd-event "$@" \
        >>"$LOG" 2>"$LOG.err" &
    follower=$!
}

# Offers a capacity that the guest refuses, again and again until an event is seen.
poke()
{
    cxl cxl-dcd-add "$1" --size 2M --tag "$(tag 9)" --offset 510M &&
        guest "$1" refuse && cxl cxl-dcd-status "$1" &&
        cxl cxl-dcd-release "$1" --tag "$(tag 9)"
    [ -s "$LOG" ]
}

# changes TAG: the states reported for it, each once; or what is inconsistent
changes()
{
    grep -F " $1 " "$LOG" | awk '
        { from = $(NF - 2); to = $NF }
        NR > 1 && from != last { print "gap: " last " then " from }
        to != "adding" { printf "%s ", to }
        { last = to }'
}

main_part()
{
    local name=event-$1

    boot "$name" "$(device "$1" 512)
"
    must guest "$name" map
    follow --loop
    wait_for "waited for the first event" poke "$name"
    must poke "$name"
    eventually "$1: what the guest refuses" "pending rejected none " last_changes "$(tag 9)"

    must cxl cxl-dcd-add "$name" --size 256M --tag "$(tag 1)"
    eventually "$1: offered" "pending " changes "$(tag 1)"
    must guest "$name" accept
    # a daemon that has the module notices by itself
    [ "$arrangement" = both ] || must cxl cxl-dcd-status "$name"
    eventually "$1: accepted" "pending accepted " changes "$(tag 1)"
    is "$1: a line says it all" "$(grep -F "$(tag 1)" "$LOG" | tail -n 1)" \
        "event 'cxl-dcd' for domain '$name': cxl-dcd0 $(tag 1) pending -> accepted"
    must cxl cxl-dcd-release "$name" --tag "$(tag 1)"
    must guest "$name" release
    must cxl cxl-dcd-status "$name"
    eventually "$1: given back" "pending accepted releasing none " changes "$(tag 1)"
    kill -INT "$follower"
    wait "$follower"
    is "$1: Ctrl-C is success where there was an event" "$?" 0
    is "$1: the end is told, and on standard error" "$(<"$LOG.err")" \
        "event loop interrupted
events received: $(wc -l <"$LOG")"

    must cxl cxl-dcd-add "$name" --size 256M --tag "$(tag 2)"
    must guest "$name" accept
    must cxl cxl-dcd-status "$name"
    follow "$name" --format json --timestamp
    (
        until [ -s "$LOG" ] || ! kill -0 "$follower" 2>/dev/null; do
            poke "$name" >/dev/null 2>&1
        done
    )
    wait "$follower"
    is "$1: one event is enough" "$?/$(wc -l <"$LOG")" 0/1
    is "$1: one event: their number" "$(<"$LOG.err")" "events received: 1"
    is "$1: JSON" "$(json "domain device tag stopped")" "$name cxl-dcd0 $(tag 9) False"
    has "$1: JSON: the time" "$(json timestamp)" "+0000"

    follow "$name" --loop --format=json
    wait_for "waited for the first event" poke "$name"
    stop "$name"
    eventually "$1: the domain stops" "$(tag 2) accepted none True" last_json
    kill -INT "$follower"
    wait "$follower"
    remove "$name"
}

# Like changes, for the last round.
last_changes()
{
    changes "$1" | grep -o '[^ ]* [^ ]* none $'
}

# json MEMBERS: those of the first line
json()
{
    head -n 1 "$LOG" |
        python3 -c 'import json, sys
line = json.load(sys.stdin)
print(*[line[name] for name in sys.argv[1].split()])' "$1"
}

last_json()
{
    tail -n 1 "$LOG" | python3 -c 'import json, sys
line = json.load(sys.stdin)
print(line["tag"], line["old"], line["new"], line["stopped"])'
}

odd_name()
{
    local i=0

    boot_odd "$(device static)
"
    follow "$ODD_NAME" --format json
    until [ -s "$LOG" ]; do
        i=$((i + 1))
        must cxl cxl-dcd-add "$ODD_NAME" --size 2M --tag "$(tag $i)"
    done
    wait "$follower"
    is "odd name: JSON" "$(json "domain device")" "$ODD_NAME cxl-dcd0"
    follow "$ODD_NAME" --format xml --timestamp
    until [ -s "$LOG" ]; do
        i=$((i + 1))
        must cxl cxl-dcd-add "$ODD_NAME" --size 2M --tag "$(tag $i)"
    done
    wait "$follower"
    is "odd name: XML" "$(head -n 1 "$LOG" |
        xmllint --xpath 'concat(/event/@domain, " ", /event/@device, " ", /event/@stopped)' -)" \
        "$ODD_NAME cxl-dcd0 no"
    has "odd name: XML: the time" "$(xmllint --xpath 'string(/event/@timestamp)' - \
        < <(head -n 1 "$LOG"))" "+0000"
    remove_odd
}

# Ways to end without an event, as in virsh event.
ends()
{
    fails "a timeout without an event" "event loop timed out
events received: 0" cxl cxl-dcd-event --timeout 1
    run stock event --all --timeout 1
    is "as virsh's own" "$status" 1
    wanted=2 fails "timeout 0" "Numeric value '0' for <timeout> option" cxl cxl-dcd-event --timeout 0
    fails "no such domain" "failed to get domain 'nosuch'" cxl cxl-dcd-event nosuch
    wanted=2 fails "no such format" "'csv'" cxl cxl-dcd-event --format csv

    follow --loop
    wait_for "waited for the signal to be caught" caught
    kill -INT "$follower"
    wait "$follower"
    is "Ctrl-C without an event" "$?" 1
    follow --loop
    wait_for "waited for the signal to be caught" caught
    kill_daemon
    wait "$follower"
    is "the daemon goes" "$?/$(<"$LOG.err")" "1/error: the connection to the hypervisor was lost"
    launch_daemon "$(daemon_kind)"
}

# SIGINT is the second bit in the mask of caught signals.
caught()
{
    local mask

    mask=$(sed -n 's/^SigCgt:[[:space:]]*//p' "/proc/$follower/status")
    [ -n "$mask" ] && [ $((16#$mask & 2)) -ne 0 ]
}

for arrangement in client both; do
    arrange "$arrangement"
    main_part static
done
main_part tagged
odd_name
ends
finish
