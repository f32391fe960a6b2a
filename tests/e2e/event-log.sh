#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# event-log.sh: a device's event log holds 8 records, for offers and requests to give back
# alike; the guest is not notified of what does not fit, and it must not be lost

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

# offers NAME FIRST LAST: offers capacities of 2 MiB each
offers()
{
    local i

    for ((i = $2; i <= $3; i++)); do
        must cxl cxl-dcd-add "$1" --size 2M --tag "$(tag "$i")"
    done
}

# A guest that is slow to read its log is asked for ten capacities at once.
release_all()
{
    local model=$1 name=all-$1 waiting

    boot "$name" "$(device "$model")
"
    offers "$name" 1 5
    must guest "$name" accept
    must cxl cxl-dcd-status "$name"
    offers "$name" 6 10
    must guest "$name" accept
    must cxl cxl-dcd-status "$name"
    run cxl cxl-dcd-release "$name" --all
    serve "$name"
    run cxl cxl-dcd-release "$name" --all --wait --timeout 5
    is "$model: ten that were asked back of a slow guest are given back when asked again" \
        "$status$(client dumpxml "$name" | grep -c '<capacity ')" 00
    end_serve
    run guest "$name" release
    run cxl cxl-dcd-release "$name" --all
    run guest "$name" release
    run cxl cxl-dcd-status "$name"

    # and waited for at the same time
    offers "$name" 1 5
    must guest "$name" accept
    must cxl cxl-dcd-status "$name"
    offers "$name" 6 10
    must guest "$name" accept
    must cxl cxl-dcd-status "$name"
    cxl cxl-dcd-release "$name" --all --wait --timeout 10 >"$SCRATCH/log/release" 2>&1 &
    waiting=$!
    wait_for "waited for the requests" all_releasing "$name"
    serve "$name"
    command="cxl cxl-dcd-release $name --all --wait --timeout 10"
    wait "$waiting"
    status=$?
    out=$(<"$SCRATCH/log/release")
    is "$model: of ten, each is given back while release --wait waits, or its release was refused" \
        "$(client dumpxml "$name" | grep -c '<capacity ')" "$(grep -c 'Failed to release' <<<"$out")"
    is "$model: none stays asked back for ever" \
        "$(client dumpxml "$name" | grep -c "state='releasing'")" 0
    end_serve
    remove "$name"
}

all_releasing()
{
    [ "$(client dumpxml "$1" | grep -c "state='releasing'")" -ge 8 ]
}

# Five requests to give back are in the log when offers are made.
mixed()
{
    local model=$1 name=mixed-$1 i refused=0

    boot "$name" "$(device "$model")
"
    offers "$name" 1 5
    must guest "$name" accept
    must cxl cxl-dcd-status "$name"
    must cxl cxl-dcd-release "$name" --all
    for i in 6 7 8 9 10; do
        run cxl cxl-dcd-add "$name" --size 2M --tag "$(tag "$i")" || refused=$((refused + 1))
    done
    is "$model: each offer behind five requests is in the guest's log, or was refused" \
        "$(guest "$name" events | grep -c ' add ')" $((5 - refused))
    must guest "$name" accept
    run guest "$name" release
    run guest "$name" accept
    run cxl cxl-dcd-status "$name"
    is "$model: none stays pending for ever" \
        "$(client dumpxml "$name" | grep -c "state='pending'")" 0
    remove "$name"
}

arrange client
for model in static tagged; do
    release_all $model
    mixed $model
done

finish
