#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# restart.sh: the daemon ends, properly or not, and comes back: what the domain holds, and what
# is known about it, stays

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

come_back()
{
    kill_daemon
    launch_daemon "$(daemon_kind)"
}

restarts()
{
    local model=$1 name=restart-$1 before i sent known

    boot "$name" "$(device "$model" 2048)
"
    must guest "$name" map
    for i in 1 2 3 4; do
        must cxl cxl-dcd-add "$name" --size 256M --tag "$(tag "$i")"
        [ "$i" -ge 4 ] || must guest "$name" accept
        must cxl cxl-dcd-status "$name"
    done
    must guest "$name" write 0 0 feedface
    must cxl cxl-dcd-release "$name" --tag "$(tag 2)"
    before=$(stored_live "$name")

    come_back
    is "$model: killed: the domain still runs" "$(stock domstate "$name")" paused
    is "$model: killed: its records are as they were" "$(stored_live "$name")" "$before"
    is "$model: killed: dumpxml says so" \
        "$(for i in 1 2 3 4; do state_of "$name" "$(tag "$i")"; done | tr '\n' ' ')" \
        "accepted releasing accepted pending "
    is "$model: killed: and QEMU too" \
        "$(for i in 1 2 3 4; do status_of "$name" "$(tag "$i")"; done | tr '\n' ' ')" \
        "accepted releasing accepted pending "
    is "$model: killed: the guest is asked once" "$(guest "$name" events | grep -c ' release ')" 1
    is "$model: killed: the guest's data stands" "$(guest "$name" read 0 0 4)" feedface

    # the guest carries on while there is no daemon
    kill_daemon
    must guest "$name" accept
    must guest "$name" release --offset $((256 * M)) --size $((256 * M))
    launch_daemon "$(daemon_kind)"
    is "$model: what happened meanwhile is noticed" \
        "$(for i in 1 2 3 4; do echo "$i $(status_of "$name" "$(tag "$i")")"; done | tr '\n' ' ')" \
        "1 accepted 2  3 accepted 4 accepted "
    is "$model: what was given back is freed" "$(objects "$name" | grep -c "$(tag 2)")" 0

    restart_daemon
    is "$model: ended well: nothing has changed" "$(current_of "$name")" $((768 * 1024))
    succeeds "$model: and the work goes on" cxl cxl-dcd-release "$name" --all
    must guest "$name" release
    must cxl cxl-dcd-status "$name"
    is "$model: to its end" "$(client dumpxml "$name" | grep -c '<capacity ')" 0

    # killed while it is working
    for i in 1 2 3 4 5 6 7; do
        cxl cxl-dcd-add "$name" --size 128M --tag "$(tag "$i")" >/dev/null 2>&1 &
        sent=$!
        [ "$i" -ne 4 ] || come_back
        wait "$sent"
    done
    wait_for "waited for the adds to be finished" none_adding "$name"
    known=$(client dumpxml "$name" | grep -c '<capacity ')
    diagnose "$known of 7 adds were recorded"
    is "$model: killed at work: what is recorded has been offered" \
        "$(guest "$name" events | grep -c ' add ')" "$known"
    [ "$model" = static ] ||
        is "$model: killed at work: and has its memory" \
            "$(objects "$name" | grep -c 'cxl-dcd-[0-9]')" "$known"
    remove "$name"
}

none_adding()
{
    cxl cxl-dcd-status "$1" >/dev/null && ! client dumpxml "$1" | grep -q "state='adding'"
}

for each in $(some_of daemon client); do
    arrange "$each"
    restarts static
    restarts tagged
done

# A domain that was started with the module carries on without it, and with it again.
arrange daemon
boot moving "$(device static)
"
must cxl cxl-dcd-add moving --size 256M --tag "$(tag 1)"
must guest moving accept
for each in $(some_of client both daemon); do
    arrange "$each"
    is "the next arrangement knows what the last one did" "$(status_of moving "$(tag 1)")" accepted
    run cxl cxl-dcd-release moving --tag "$(tag 1)"
    is "and goes on" "$(state_of moving "$(tag 1)")" releasing
    must guest moving release
    is "to the end" "$(status_of moving "$(tag 1)")" ""
    must cxl cxl-dcd-add moving --size 256M --tag "$(tag 1)"
    must guest moving accept
done

finish
