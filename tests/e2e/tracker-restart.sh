#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# tracker-restart.sh: the daemon ends, asked to or killed, with capacities in every state, and
# comes back: its XML is correct within two seconds of the first client, which only asks for the
# XML, nothing is lost, and nothing is offered twice

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

# end_daemon TERM|KILL
end_daemon()
{
    if [ "$1" = KILL ]; then
        kill_daemon
        return
    fi
    kill "$daemon"
    wait "$daemon"
    is "$model: asked to end, it ends well" $? 0
    daemon=
}

# 1 accepted, 2 asked back, 3 offered, 4 refused; and, as if a client had been killed: 5 about
# to be offered, 6 about to be asked back
prepare()
{
    local name=$1 n

    arrange client
    boot "$name" "$(device "$model" 1024)
"
    must guest "$name" map
    for n in 1 2 6 4 3; do
        must cxl cxl-dcd-add "$name" --size 128M --tag "$(tag $n)" --offset $((n * 128 - 128))M
        case $n in
        3) ;;
        4) must guest "$name" refuse ;;
        *) must guest "$name" accept ;;
        esac
        must cxl cxl-dcd-status "$name"
    done
    must cxl cxl-dcd-release "$name" --tag "$(tag 2)"
    record "$name" "$(tag 5)" adding '' 60 '' 128 512
    record "$name" "$(tag 6)" releasing '' 60 '' 128 640
}

comes_back()
{
    local model=$1 signal=$2 name=back-$1
    local text="$model, $signal"

    prepare "$name"
    end_daemon "$signal"
    arrangement=daemon
    launch_daemon module
    promptly "$text: what nobody had finished is finished" \
        "1 accepted 2 releasing 3 pending 4 rejected 5 pending 6 releasing " states "$name"
    is "$text: the guest is offered 3 and 5" "$(offers "$name")" 2
    is "$text: and asked for 2 and 6" "$(guest "$name" events | grep -c ' release ')" 2

    end_daemon "$signal"
    must guest "$name" accept
    must guest "$name" release --offset $((128 * M)) --size $((128 * M))
    must guest "$name" release --offset $((640 * M)) --size $((128 * M))
    launch_daemon module
    promptly "$text: what happened meanwhile is noticed" \
        "1 accepted 3 accepted 4 rejected 5 accepted " states "$name"
    is "$text: so much is held" "$(current_of "$name")" $((384 * 1024))
    [ "$model" = static ] ||
        is "$text: QEMU has the memory of what is recorded" "$(owned "$name")" \
            "$(recorded "$name")"

    end_daemon "$signal"
    must guest "$name" release --offset 0 --size $((128 * M))
    launch_daemon module
    promptly "$text: what was given back unasked meanwhile is noticed" \
        "3 accepted 4 rejected 5 accepted " states "$name"
    is "$text: nothing was offered again" "$(offers "$name")" 0
    remove "$name"
}

for signal in TERM KILL; do
    for model in tagged static; do
        comes_back "$model" "$signal"
    done
done

finish
