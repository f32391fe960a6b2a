#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# stress.sh: clients add and release without end, on domains whose guests answer, while the
# daemon tracks them: no record and no memory is lost, and no client waits forever
#
# STRESS_SECONDS sets the duration; 20 by default.

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

: "${STRESS_SECONDS:=20}"
DOMAINS="stress1 stress2 stress3 stress4"

# work NAME FIRST-TAG: one client, with tags of its own. What the guest or the event log is not
# ready for is refused; a command that takes COMMAND_DEADLINE is stuck.
work()
{
    local name=$1 end=$((SECONDS + STRESS_SECONDS)) n file="$SCRATCH/work$2.xml"

    while [ "$SECONDS" -lt "$end" ]; do
        n=$(($2 + RANDOM % 6))
        capacity "$(tag "$n")" $((2 * (1 + RANDOM % 8))) >"$file"
        case $((RANDOM % 5)) in
        0 | 1) stock attach-device "$name" "$file" --live ;;
        2 | 3) stock detach-device "$name" "$file" --live ;;
        4) cxl cxl-dcd-status "$name" ;;
        esac >/dev/null 2>>"$SCRATCH/log/work"
        echo $? >>"$SCRATCH/log/statuses"
    done
}

# passing NAME: the transient states
passing()
{
    client dumpxml "$1" | grep -o "state='\(adding\|pending\|releasing\)'"
    true
}

# places NAME, extents NAME: "offset size", in bytes, as recorded and as the guest has them
places()
{
    client dumpxml "$1" | xmllint --xpath "//cxl-dcd/capacity[@state='accepted']/offset/text() |
        //cxl-dcd/capacity[@state='accepted']/size/text()" - 2>/dev/null |
        tr ' ' '\n' | grep . | paste -d ' ' - - |
        while read -r size offset; do echo $((offset * 1024)) $((size * 1024)); done | sort
}

extents()
{
    guest "$1" extents | sed -n 's/.* offset \(0x[0-9a-f]*\) size \(0x[0-9a-f]*\).*/\1 \2/p' |
        while read -r offset size; do echo $((offset)) $((size)); done | sort
}

# empty NAME: releases as many of its capacities as the event log has room for, and prints what
# is left
empty()
{
    cxl cxl-dcd-release "$1" --all
    guest "$1" release
    sleep 0.5
    recorded "$1" >&3
} 3>&1 >/dev/null 2>&1

arrange daemon
servers=
for name in $DOMAINS; do
    model=tagged
    [ "$name" != stress4 ] || model=static
    boot "$name" "$(device $model 1024)
"
    must guest "$name" map
    serve "$name"
    servers="$servers $server"
done

workers=
n=10
for name in $DOMAINS $DOMAINS; do
    work "$name" $n &
    workers="$workers $!"
    n=$((n + 10))
done
# shellcheck disable=SC2086
wait $workers
diagnose "$(wc -l <"$SCRATCH/log/statuses") commands in $STRESS_SECONDS seconds, by exit status:" \
    "$(sort "$SCRATCH/log/statuses" | uniq -c)" \
    "what was refused:" "$(grep '^error: ' "$SCRATCH/log/work" | grep -v Failed |
        sed "s/$UUID/TAG/g; s/[0-9]\{2,\}/N/g; s/stress./NAME/g" | sort | uniq -c | sort -rn | head -n 12)"
is "no command was stuck" "$(grep -c '^1[23][0-9]$' "$SCRATCH/log/statuses")" 0
is "the daemon is there" "$(stock uri)" qemu:///session

for name in $DOMAINS; do
    eventually "$name: all settles" "" passing "$name"
done
for server in $servers; do
    end_serve
done
for name in $DOMAINS; do
    is "$name: the guest holds what is recorded" "$(extents "$name")" "$(places "$name")"
    [ "$name" = stress4 ] ||
        is "$name: QEMU has the memory of what is recorded" "$(owned "$name")" \
            "$(recorded "$name")"
    eventually "$name: all can be released" "" empty "$name"
    is "$name: and no memory is left" "$(owned "$name")" ""
done
is "the tracker had nothing to complain of" \
    "$(grep -c 'libvirt-cxl-dcd.*cannot' "$SCRATCH/log/daemon")" 0
# shellcheck disable=SC2086
remove $DOMAINS

finish
