#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# stop.sh: the daemon is asked to end at any moment: while it starts, while its domains are
# being looked at, while clients are at work. It ends properly, and the module does not prevent
# that.
#
# STOP_ROUNDS sets the number of rounds; 12 by default.

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

: "${STOP_ROUNDS:=12}"

# restless NAME FIRST-TAG: makes offers without end; failures do not matter
restless()
{
    local n=$2

    while :; do
        n=$((n + 1))
        capacity "$(tag "$n")" 2 >"$SCRATCH/$1-$2.xml"
        timeout 5 virsh attach-device "$1" "$SCRATCH/$1-$2.xml" --live
        timeout 5 virsh detach-device "$1" "$SCRATCH/$1-$2.xml" --live
    done >/dev/null 2>&1
}

arrange daemon
servers=
for name in stop1 stop2 stop3; do
    boot "$name" "$(device tagged 2048)
"
    must guest "$name" map
    serve "$name"
    servers="$servers $server"
done

statuses=
slowest=0
for ((round = 0; round < STOP_ROUNDS; round++)); do
    clients=
    n=1000
    for name in stop1 stop2 stop3; do
        restless $name $n &
        clients="$clients $!"
        n=$((n + 1000))
    done
    # from a daemon that has just started to one that has long been at work
    sleep "$(awk "BEGIN { print $round * 0.15 }")"
    begun=${EPOCHREALTIME/./}
    kill "$daemon"
    wait "$daemon"
    statuses="$statuses $?"
    took=$((${EPOCHREALTIME/./} - begun))
    [ $took -le $slowest ] || slowest=$took
    # shellcheck disable=SC2086
    kill $clients
    # shellcheck disable=SC2086
    wait $clients 2>/dev/null
    launch_daemon module
done
is "asked to end at any moment, the daemon ends well" "$statuses" \
    "$(printf ' 0%.0s' $(seq "$STOP_ROUNDS"))"
diagnose "it took $((slowest / 1000)) ms at most"
if [ $slowest -lt 5000000 ]; then
    pass "and at once"
else
    fail "and at once" "it took $((slowest / 1000)) ms"
fi
for server in $servers; do
    end_serve
done
for name in stop1 stop2 stop3; do
    is "$name goes on" "$(stock domstate "$name")" paused
done
remove stop1 stop2 stop3

# The tracker does not count as a client: a daemon with neither clients nor domains ends after
# its timeout.
stop_daemon
env "LD_PRELOAD=$LIBVIRT_CXL_DCD_DRIVER" "$DAEMON" -t 2 >>"$SCRATCH/log/daemon" 2>&1 &
daemon=$!
wait_for "waited for $DAEMON" stock uri
begun=$SECONDS
wait "$daemon"
is "with nothing to do the daemon ends by itself" $? 0
daemon=
diagnose "after $((SECONDS - begun)) seconds"

finish
