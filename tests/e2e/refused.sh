#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# refused.sh: a guest that refuses an offer, and a guest that does not answer

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

guest_refuses()
{
    local model=$1 name=refused-$1 objects

    boot "$name" "$(device "$model")
"
    must guest "$name" map
    objects=$(objects "$name")

    must cxl cxl-dcd-add "$name" --size 256M --tag "$(tag 1)"
    must guest "$name" refuse
    is "$model: status says rejected" "$(status_of "$name" "$(tag 1)")" rejected
    is "$model: dumpxml says rejected" "$(state_of "$name" "$(tag 1)")" rejected
    is "$model: nothing is held" "$(current_of "$name")" 0
    is "$model: its memory is freed" "$(objects "$name")" "$objects"
    is "$model: a status changes nothing" "$(status_of "$name" "$(tag 1)")" rejected
    must cxl cxl-dcd-add "$name" --size 128M --tag "$(tag 2)"
    is "$model: its place is free" "$(place_of "$name" "$(tag 2)")" "cxl-dcd0 0 0"
    must guest "$name" accept

    succeeds "$model: the same tag can be added again" \
        cxl cxl-dcd-add "$name" --size 64M --tag "$(tag 1)"
    is "$model: and is offered" "$(state_of "$name" "$(tag 1)")" pending
    is "$model: once" "$(client dumpxml "$name" | grep -c "$(tag 1)")" 1
    must guest "$name" refuse
    succeeds "$model: and again, with no status since the guest refused" \
        cxl cxl-dcd-add "$name" --size 64M --tag "$(tag 1)"
    is "$model: and is offered again" "$(status_of "$name" "$(tag 1)")" pending
    run guest "$name" refuse
    succeeds "$model: release of one that was refused" \
        cxl cxl-dcd-release "$name" --tag "$(tag 1)"
    is "$model: forgets it" "$(stored_live "$name" | grep -c "$(tag 1)")" 0
    is "$model: the other stays" "$(status_of "$name" "$(tag 2)")" accepted

    serve "$name" --refuse
    fails "$model: add --wait fails" \
        "error: Failed to add capacity $(tag 3) to domain '$name': the guest refused it" \
        cxl cxl-dcd-add "$name" --size 64M --tag "$(tag 3)" --wait --timeout "$WAIT"
    is "$model: and has printed the tag" "$out" "$(tag 3)"
    end_serve
    is "$model: it is seen" "$(state_of "$name" "$(tag 3)")" rejected
    succeeds "$model: release --wait of it" \
        cxl cxl-dcd-release "$name" --tag "$(tag 3)" --wait --timeout "$WAIT"
    is "$model: only the other is left" "$(client dumpxml "$name" | grep -c '<capacity ')" 1
    is "$model: its memory alone too" "$(objects "$name" | grep -c 'cxl-dcd-[0-9]')" \
        "$([ "$model" = static ] && echo 0 || echo 1)"
    remove "$name"
}

# shown NAME: how many capacities dumpxml shows
shown()
{
    client dumpxml "$1" | grep -c '<capacity '
    true
}

guest_is_silent()
{
    local model=$1 name=silent-$1

    boot "$name" "$(device "$model")
"
    wanted=3 fails "$model: add --wait --timeout ends" \
        "error: Timed out after 1 s: capacity $(tag 1) of domain '$name' is pending: the guest has not answered; the offer stands" \
        cxl cxl-dcd-add "$name" --size 256M --tag "$(tag 1)" --wait --timeout 1
    is "$model: and has printed the tag" "$out" "$(tag 1)"
    is "$model: it stays pending" "$(status_of "$name" "$(tag 1)")" pending
    must guest "$name" accept
    wanted=3 fails "$model: release --wait --timeout ends" \
        "error: Timed out after 1 s: capacity $(tag 1) of domain '$name' is releasing: the guest has not given it back; the request stands" \
        cxl cxl-dcd-release "$name" --tag "$(tag 1)" --wait --timeout 1
    is "$model: it stays releasing" "$(status_of "$name" "$(tag 1)")" releasing
    succeeds "$model: it can be asked back again" cxl cxl-dcd-release "$name" --tag "$(tag 1)"
    must guest "$name" release
    # the daemon's tracker may have noticed first, and then there is nothing to release
    [ "$arrangement" = daemon ] ||
        succeeds "$model: release of one that the guest has given back meanwhile" \
            cxl cxl-dcd-release "$name" --tag "$(tag 1)"
    eventually "$model: it is gone" 0 shown "$name"
    is "$model: its memory too" "$(objects "$name" | grep -c 'cxl-dcd-[0-9]')" 0
    remove "$name"
}

for each in $(some_of daemon client both); do
    arrange "$each"
    for model in static tagged; do
        # in arrangement "both" the daemon does the work
        [ "$each$model" != bothtagged ] || continue
        guest_refuses $model
        [ "$each" = both ] || guest_is_silent $model
    done
done

finish
