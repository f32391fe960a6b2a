#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# guest-moves.sh: what the guest does on its own: it gives capacity back unasked, and it is
# reset

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

moves()
{
    local model=$1 name=moves-$1 objects

    boot "$name" "$(device "$model")
"
    objects=$(objects "$name")
    must guest "$name" map
    must cxl cxl-dcd-add "$name" --size 256M --tag "$(tag 1)"
    must cxl cxl-dcd-add "$name" --size 256M --tag "$(tag 2)"
    must guest "$name" accept
    must cxl cxl-dcd-status "$name"

    must guest "$name" release --offset 0 --size $((256 * M))
    is "$model: what is given back unasked is gone" "$(status_of "$name" "$(tag 1)")" ""
    is "$model: the other stays" "$(state_of "$name" "$(tag 2)")" accepted
    is "$model: so much is held" "$(current_of "$name")" $((256 * 1024))
    is "$model: its memory is freed" "$(objects "$name" | grep -c "$(tag 1)")" 0

    must guest "$name" release --offset $((256 * M)) --size $((256 * M))
    succeeds "$model: release of what was given back unasked is no error" \
        cxl cxl-dcd-release "$name" --tag "$(tag 2)"
    is "$model: and frees it" "$(objects "$name")" "$objects"

    must cxl cxl-dcd-add "$name" --size 256M --tag "$(tag 1)" --offset 0
    must guest "$name" accept
    must cxl cxl-dcd-status "$name"
    must guest "$name" release --offset 0 --size $((256 * M))
    succeeds "$model: its place and tag are free, with no status since it was given back" \
        cxl cxl-dcd-add "$name" --size 256M --tag "$(tag 1)" --offset 0
    run cxl cxl-dcd-status "$name"
    run cxl cxl-dcd-add "$name" --size 256M --tag "$(tag 1)" --offset 0
    must guest "$name" accept
    must cxl cxl-dcd-status "$name"

    # a part of a capacity cannot be given back
    run guest "$name" release --offset 0 --size $((2 * M))
    if [ "$model" = tagged ]; then
        has "$model: a part of it cannot be given back" "$err" "Release Dynamic Capacity"
        is "$model: all of it is held" "$(status_of "$name" "$(tag 1)") $(current_of "$name")" \
            "accepted $((256 * 1024))"
    else
        is "$model: a part of it can be given back, what is left stays accepted" \
            "$(status_of "$name" "$(tag 1)")" accepted
        fails "$model: it cannot be released, and QEMU says why" \
            "cannot release extent with non-existing DPA range" \
            cxl cxl-dcd-release "$name" --tag "$(tag 1)"
        is "$model: so it stays accepted" "$(status_of "$name" "$(tag 1)")" accepted
    fi
    run guest "$name" release --offset $((2 * M)) --size $((254 * M))
    run guest "$name" release --offset 0 --size $((256 * M))
    run cxl cxl-dcd-status "$name"
    run cxl cxl-dcd-release "$name" --all
    is "$model: nothing is left" "$(client dumpxml "$name" | grep -c '<capacity ')" 0

    # a reset
    must cxl cxl-dcd-add "$name" --size 256M --tag "$(tag 3)"
    must guest "$name" accept
    must cxl cxl-dcd-add "$name" --size 256M --tag "$(tag 4)"
    must cxl cxl-dcd-status "$name"
    must guest "$name" write 0 4096 feedface
    must stock reset "$name"
    is "$model: a reset keeps what is accepted" "$(status_of "$name" "$(tag 3)")" accepted
    is "$model: and what is offered" "$(status_of "$name" "$(tag 4)")" pending
    has "$model: the guest finds both" "$(guest "$name" extents; guest "$name" events)" \
        "region 0 offset 0x0 size 0x10000000"
    must guest "$name" map
    is "$model: and its data" "$(guest "$name" read 0 4096 4)" feedface
    must guest "$name" accept
    is "$model: it can accept the offer" "$(status_of "$name" "$(tag 4)")" accepted
    must qmp "$name" cont
    must stock suspend "$name"
    must stock resume "$name"
    is "$model: nor does running and pausing matter" \
        "$(status_of "$name" "$(tag 3)") $(current_of "$name")" "accepted $((512 * 1024))"
    remove "$name"
}

for each in $(some_of daemon client); do
    arrange "$each"
    moves static
    moves tagged
done

finish
