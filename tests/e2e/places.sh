#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# places.sh: several devices, regions and capacities: each capacity goes where requested, or to
# the first free place

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

# add SIZE-MiB OPTION...: adds a capacity that the guest accepts; "out" is its tag
add()
{
    local size=$1

    shift
    must cxl cxl-dcd-add places --size "${size}M" --wait --timeout "$WAIT" "$@"
}

# at DEVICE REGION OFFSET-MiB: where the last added capacity is expected
at()
{
    is "$1" "$(place_of places "$out")" "$2 $3 $(($4 * 1024))"
}

# gone TAG...: releases them, and the guest gives them back
gone()
{
    local tag

    for tag in "$@"; do
        must cxl cxl-dcd-release places --tag "$tag" --wait --timeout "$WAIT"
    done
}

places()
{
    local memory=$SCRATCH/places.memory size hole
    local -a tags

    boot places "$(device static 1024 2 one "<source type='file' access='shared'><path>$memory</path></source>
"
        device tagged 512 1 two)
"
    unchanged "add without a device" places \
        "invalid argument: domain 'places' has several <cxl-dcd>: name one of 'one', 'two'" \
        cxl cxl-dcd-add places --size 128M
    capacity '' 128 | put document.xml
    unchanged "attach-device without an alias" places "name one of 'one', 'two'" \
        client attach-device places "$SCRATCH/document.xml" --live
    unchanged "attach-device --config without an alias" places "name one of 'one', 'two'" \
        client attach-device places "$SCRATCH/document.xml" --config
    unchanged "add to a device that is not there" places \
        "domain 'places' has no <cxl-dcd> with the alias 'three': it has 'one', 'two'" \
        cxl cxl-dcd-add places --size 128M --device three
    unchanged "status of a device that is not there" places \
        "domain 'places' has no CXL dynamic capacity device 'three'" \
        cxl cxl-dcd-status places --device three

    serve places
    for size in 128 128 128; do
        add $size --device one
        tags+=("$out")
    done
    at "one capacity stands behind the other" one 0 256
    add 128 --device two
    tags+=("$out")
    at "each device has its own places" two 0 0
    add 128 --device one --region 1
    tags+=("$out")
    at "each region too" one 1 0

    gone "${tags[1]}"
    add 64 --device one
    at "the first that fits fills the hole" one 0 128
    hole=$out
    add 64 --device one
    at "and the next the rest of it" one 0 192
    unchanged "what does not fit in one piece" places \
        "region 0 of device 'one' has no free range of 268435456 bytes" \
        cxl cxl-dcd-add places --size 256M --device one
    gone "$hole"
    add 128 --device one
    at "what does not fit a hole goes behind" one 0 384
    unchanged "what is free is not in one piece" places "has no free range of 134217728 bytes" \
        cxl cxl-dcd-add places --size 128M --device one
    add 2 --device one --offset 188M
    at "an explicit place in a hole" one 0 188
    add 60 --device one
    at "the first that fits before it" one 0 128
    add 2 --device one
    at "and behind it" one 0 190
    add 256 --device two --offset 256M
    at "an explicit place at the end" two 0 256
    unchanged "an explicit place that is taken" places "overlaps capacity '${tags[0]}' of device 'one'" \
        cxl cxl-dcd-add places --size 2M --device one --offset 0
    unchanged "a tag that another device has" places \
        "has a capacity with the tag '${tags[0]}' already, on device 'one'" \
        cxl cxl-dcd-add places --size 2M --device two --tag "${tags[0]}"
    unchanged "release with another device" places \
        "domain 'places' has no capacity with the tag '${tags[0]}' on device 'two'" \
        cxl cxl-dcd-release places --tag "${tags[0]}" --device two

    # each offset leads to its own memory
    end_serve
    must guest places --device 0 write 0 $((64 * M)) 1111
    must guest places --device 0 write 1 $((64 * M)) 2222
    must guest places --device 1 write 0 $((64 * M)) 3333
    is "region 0 of the static device is at the start of its memory" \
        "$(bytes "$memory" $((64 * M)) 2)" 1111
    is "region 1 is in the middle" "$(bytes "$memory" $(((512 + 64) * M)) 2)" 2222
    is "nothing has gone to the wrong device" \
        "$(guest places --device 0 read 0 $((64 * M)) 2) $(guest places --device 1 read 0 $((64 * M)) 2)" \
        "1111 3333"

    run cxl -q cxl-dcd-list
    is "list has all of them" "$(grep -c ' places ' <<<"$out")" 10
    is "status of one device" "$(cxl -q cxl-dcd-status places --device two | grep -c accepted)" 2
    has "status says how much is free" "$(cxl -q cxl-dcd-status places --device two)" \
        "Device: two   Model: tagged   Regions: 1   Size: 512 MiB   Accepted: 384 MiB   Free: 128 MiB"
    is "dumpxml has what each device holds" \
        "$(client dumpxml places | grep -o '^        <current unit.*' | tr -s ' ' | cut -c 2-)" "<current unit='KiB'>$((640 * 1024))</current>
<current unit='KiB'>$((384 * 1024))</current>"
    client dumpxml places | xmllint --xpath "//cxl-dcd[1]/capacity/@region | //cxl-dcd[1]/capacity/offset/text()" - |
        tr -d '\n' >"$SCRATCH/order"
    is "in the order of their places" "$(<"$SCRATCH/order")" \
        ' region="0"0 region="0"131072 region="0"192512 region="0"194560 region="0"196608 region="0"262144 region="0"393216 region="1"0'

    serve places
    succeeds "release --all of one device" \
        cxl cxl-dcd-release places --all --device one --wait --timeout "$WAIT"
    is "releases those alone" "$(client dumpxml places | grep -c '<capacity ')" 2
    succeeds "release --all" cxl cxl-dcd-release places --all --wait --timeout "$WAIT"
    is "releases the others" "$(client dumpxml places | grep -c '<capacity ')" 0
    succeeds "release --all of nothing" cxl cxl-dcd-release places --all
    is "says so" "$out" "No capacity to release"
    end_serve
    remove places
}

# eight regions, each of them filled
regions()
{
    local region

    boot regions "$(device "$1" 2048 8)
"
    serve regions
    for region in 0 1 2 3 4 5 6 7; do
        run cxl cxl-dcd-add regions --size 256M --region $region --wait --timeout "$WAIT"
    done
    is "$1: eight regions are filled" "$(current_of regions)" $((2048 * 1024))
    fails "$1: and full" "region 7 of device 'cxl-dcd0' has no free range" \
        cxl cxl-dcd-add regions --size 2M --region 7
    end_serve
    for region in 0 1 2 3 4 5 6 7; do
        must guest regions write $region $((256 * M - 1)) "0$region"
    done
    is "$1: each keeps its own" "$(for region in 0 1 2 3 4 5 6 7; do
        guest regions read $region $((256 * M - 1)) 1
    done | tr -d '\n')" 0001020304050607
    remove regions
}

for each in $(some_of daemon client both); do
    arrange "$each"
    places
    [ "$each" != daemon ] || regions static
    [ "$each" != client ] || regions tagged
done

finish
