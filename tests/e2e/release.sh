#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# release.sh: how a guest is asked for capacity: by tag and then by range, or as the user
# chooses, and never by force

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

# requests NAME: how many times the guest was asked
requests()
{
    guest "$1" events | grep -c ' release '
}

# letting_go TAG [RELEASE]: a document for detach-device
letting_go()
{
    cat <<XML
<cxl-dcd>
  <capacity tag='$1'/>
${2-}
</cxl-dcd>
XML
}

# once NAME TAG: the guest is asked only once, however long it takes, and its answer completes
# the release
once()
{
    sleep 1.1
    must cxl cxl-dcd-status "$1"
    is "$model: is asked for once" "$(requests "$1")" 1
    must guest "$1" release
    is "$model: and ends" "$(status_of "$1" "$2")" ""
}

# held NAME TAG: adds a capacity, and the guest accepts it
held()
{
    must cxl cxl-dcd-add "$1" --size 256M --tag "$2"
    must guest "$1" accept
    must cxl cxl-dcd-status "$1"
    is "$model: the guest has it" "$(state_of "$1" "$2")" accepted
}

asking()
{
    local model=$1 name=release-$1 objects fallback=

    [ "$model" = static ] || fallback="      <release fallback='1'/>
"
    boot "$name" "$(device "$model" 1024 1 '' "$fallback")
"
    is "$model: the device says when to ask again" \
        "$(client dumpxml "$name" | grep -c "<release fallback='1'/>")" "$([ "$model" = static ] && echo 0 || echo 1)"
    objects=$(objects "$name")
    must guest "$name" map

    held "$name" "$(tag 1)"
    must cxl cxl-dcd-release "$name" --tag "$(tag 1)"
    is "$model: the guest is asked" "$(requests "$name")" 1
    sleep 1.1
    must cxl cxl-dcd-status "$name"
    if [ "$model" = tagged ]; then
        is "$model: it does not answer, and is asked again" "$(requests "$name")" 2
        sleep 1.1
        must cxl cxl-dcd-status "$name"
    fi
    is "$model: then no more" "$(requests "$name")" "$([ "$model" = static ] && echo 1 || echo 2)"
    is "$model: it stays releasing" "$(status_of "$name" "$(tag 1)")" releasing
    must guest "$name" release
    is "$model: the guest answers once for all" "$(status_of "$name" "$(tag 1)")" ""
    is "$model: its memory is freed" "$(objects "$name")" "$objects"

    held "$name" "$(tag 2)"
    letting_go "$(tag 2)" "  <release policy='prescriptive'/>" | put range.xml
    succeeds "$model: a release by range" client detach-device "$name" "$SCRATCH/range.xml" --live
    once "$name" "$(tag 2)"

    held "$name" "$(tag 3)"
    letting_go "$(tag 3)" "  <release policy='tag-based'/>" | put tag.xml
    if [ "$model" = static ]; then
        unchanged "$model: a release by tag" "$name" "the device is static" \
            client detach-device "$name" "$SCRATCH/tag.xml" --live
        must cxl cxl-dcd-release "$name" --tag "$(tag 3)"
    else
        succeeds "$model: a release by tag" client detach-device "$name" "$SCRATCH/tag.xml" --live
    fi
    once "$name" "$(tag 3)"

    held "$name" "$(tag 4)"
    letting_go "$(tag 4)" "  <release forced='yes'/>" | put force.xml
    unchanged "$model: force is QEMU's to refuse" "$name" "Forced removal not supported" \
        client detach-device "$name" "$SCRATCH/force.xml" --live
    is "$model: the guest is not asked" "$(requests "$name")" 0
    is "$model: it stays accepted" "$(status_of "$name" "$(tag 4)")" accepted
    letting_go "$(tag 4)" "  <release policy='some'/>" | put wrong.xml
    unchanged "$model: a policy that there is not" "$name" "expected one of 'tag-based', 'prescriptive'" \
        client detach-device "$name" "$SCRATCH/wrong.xml" --live
    capacity "$(tag 5)" | sed "s|</capacity>|&<release policy='prescriptive'/>|" | put attach.xml
    unchanged "$model: a way to release, with an attach" "$name" "not with its attach" \
        client attach-device "$name" "$SCRATCH/attach.xml" --live
    remove "$name"
}

for each in $(some_of daemon client); do
    arrange "$each"
    asking static
    asking tagged
done

# a backend created by another QMP client has the tag
arrange daemon
boot foreign "$(device tagged)
"
must qmp foreign object-add "{\"qom-type\":\"memory-backend-ram\",\"id\":\"other\",\"size\":268435456,\"tag\":\"$(tag 1)\"}"
unchanged "a tag that another client's backend has" foreign "memory backend 'other'" \
    cxl cxl-dcd-add foreign --size 256M --tag "$(tag 1)"
must qmp foreign object-del '{"id":"other"}'
succeeds "it is free when that is gone" cxl cxl-dcd-add foreign --size 256M --tag "$(tag 1)"
remove foreign

finish
