#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# killed-client.sh: a process killed in the middle of its work loses nothing: the next client to
# look completes it
#
# First, what such a process would have written is put there by hand, for each step at which it
# may have been killed; then commands are killed at arbitrary moments. kill-steps.sh kills them
# at each step. The first part uses the stock daemon only: the module's tracker would complete
# the work between two of the steps (tracker-restart.sh has the tracker find such work).

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

# backend NAME MODEL TAG, offer NAME MODEL TAG, ask_back NAME MODEL TAG: the library's next
# step, by hand
backend()
{
    [ "$2" = static ] || must qmp "$1" object-add \
        "{\"qom-type\":\"memory-backend-ram\",\"id\":\"cxl-dcd-$3\",\"size\":268435456,\"tag\":\"$3\"}"
}

extent()
{
    printf '"path":"/machine/peripheral/cxl-dcd0","host-id":0,"region":0,"tag":"%s","extents":[{"offset":0,"len":268435456}]' "$1"
}

offer()
{
    must qmp "$1" cxl-add-dynamic-capacity \
        "{\"selection-policy\":\"prescriptive\",$(extent "$3")}"
}

ask_back()
{
    must qmp "$1" cxl-release-dynamic-capacity \
        "{\"removal-policy\":\"$([ "$2" = static ] && echo prescriptive || echo tag-based)\",$(extent "$3")}"
}

# settles TEXT EXPECTED NAME TAG
settles()
{
    text=$1
    is "$1" "$(status_of "$3" "$4")" "$2"
    is "$1: so says dumpxml" "$(state_of "$3" "$4")" "$2"
}

steps()
{
    local model=$1 name=killed-$1 tag before

    tag=$(tag 1)
    boot "$name" "$(device "$model")
"
    must qmp "$name" query-status
    before=$(objects "$name")

    record "$name" "$tag" adding
    settles "$model: the add was recorded" pending "$name" "$tag"
    is "$text: the guest has heard of it once" "$(guest "$name" events | grep -c ' add ')" 1
    cleared "$name" "$tag"

    record "$name" "$tag" adding '' 0
    is "$model: an add that has just begun is left to its owner" \
        "$(status_of "$name" "$tag")" adding
    is "$model: nothing is done meanwhile" "$(guest "$name" events)" ""
    eventually "$model: but not for long" pending status_of "$name" "$tag"
    text="$model: an add that had just begun"
    cleared "$name" "$tag"

    record "$name" "$tag" adding
    backend "$name" "$model" "$tag"
    settles "$model: the add had its memory" pending "$name" "$tag"
    is "$text: the guest has heard of it once" "$(guest "$name" events | grep -c ' add ')" 1
    cleared "$name" "$tag"

    record "$name" "$tag" adding
    backend "$name" "$model" "$tag"
    offer "$name" "$model" "$tag"
    settles "$model: the add was offered" pending "$name" "$tag"
    is "$text: the guest has heard of it once" "$(guest "$name" events | grep -c ' add ')" 1
    cleared "$name" "$tag"

    record "$name" "$tag" adding
    backend "$name" "$model" "$tag"
    offer "$name" "$model" "$tag"
    must guest "$name" accept
    settles "$model: the add was accepted" accepted "$name" "$tag"
    cleared "$name" "$tag"

    record "$name" "$tag" pending
    settles "$model: the refusal was noticed, its memory freed" rejected "$name" "$tag"
    text="$model: refused"
    cleared "$name" "$tag"

    must cxl cxl-dcd-add "$name" --size 256M --tag "$tag"
    must guest "$name" accept
    must cxl cxl-dcd-status "$name"
    record "$name" "$tag" releasing
    settles "$model: the release was recorded" releasing "$name" "$tag"
    is "$text: the guest is asked" "$(guest "$name" events | grep -c ' release ')" 1
    has "$text: that is recorded" "$(stored_live "$name")" "asked=\""
    is "$text: it is asked once" "$(status_of "$name" "$tag") $(guest "$name" events | grep -c ' release ')" \
        "releasing 1"
    must guest "$name" release
    is "$text: it ends" "$(status_of "$name" "$tag")" ""
    cleared "$name" "$tag"

    must cxl cxl-dcd-add "$name" --size 256M --tag "$tag"
    must guest "$name" accept
    must cxl cxl-dcd-status "$name"
    record "$name" "$tag" releasing
    ask_back "$name" "$model" "$tag"
    must guest "$name" release
    settles "$model: the release was done, not recorded" "" "$name" "$tag"
    is "$text: its memory is freed" "$(objects "$name")" "$before"
    cleared "$name" "$tag"

    if [ "$model" = tagged ]; then
        record "$name" "$tag" releasing "asked='$(date +%s)'"
        settles "$model: the release was done, its memory freed" "" "$name" "$tag"

        record "$name" "$tag" adding '' 60 "<source type='file'><path>/nowhere/memory</path></source>"
        fails "$model: an add that cannot be done tells why" "can't open backing store /nowhere/memory" \
            cxl cxl-dcd-status "$name" --refresh
        settles "$model: and is not tried again" "" "$name" "$tag"
    fi
    remove "$name"
}

# killed SECONDS COMMAND...: kills it after that time; hides the shell's message about it
killed()
{
    { timeout -s KILL "$@"; } >/dev/null 2>&1
}

# Commands are killed after 10 to 80 ms; however far each of them got, all is well in the end.
kills()
{
    local model=$1 name=kills-$1 i known tags

    boot "$name" "$(device "$model" 2048)
"
    must qmp "$name" query-status
    for i in 0 1 2 3 4 5 6 7; do
        killed 0.0$((i + 1)) "$SCRATCH/bin/virsh-cxl" \
            cxl-dcd-add "$name" --size 128M --tag "$(tag "$i")"
    done
    wait_for "waited for the adds to be finished" none_adding "$name"
    tags=$(client dumpxml "$name" | grep -o "<capacity tag='$UUID'" | cut -d "'" -f 2 | sort)
    known=$(wc -w <<<"$tags")
    diagnose "$known of 8 adds were recorded before the kill"
    is "$model: each add that was killed has been offered once, or not at all" \
        "$(guest "$name" events | grep -c ' add ')" "$known"
    [ "$model" = static ] ||
        is "$model: and has its memory, or none" "$(objects "$name" | sed -n 's/^cxl-dcd-//p')" "$tags"
    run guest "$name" accept
    must cxl cxl-dcd-status "$name"
    is "$model: all of them can be accepted" "$(current_of "$name")" $((known * 128 * 1024))

    i=0
    for tag in $tags; do
        i=$((i + 1))
        killed 0.0$i "$SCRATCH/bin/virsh-cxl" cxl-dcd-release "$name" --tag "$tag"
    done
    run guest "$name" release
    must cxl cxl-dcd-release "$name" --all
    run guest "$name" release
    must cxl cxl-dcd-status "$name"
    is "$model: all of them can be released" \
        "$(client dumpxml "$name" | grep -c '<capacity ')$(guest "$name" extents)$(objects "$name" | grep -c 'cxl-dcd-[0-9]')" 00
    remove "$name"
}

none_adding()
{
    cxl cxl-dcd-status "$1" >/dev/null && ! client dumpxml "$1" | grep -q "state='adding'"
}

for each in daemon client; do
    arrange "$each"
    for model in static tagged; do
        [ "$each" = daemon ] || steps $model
        kills $model
    done
done

finish
