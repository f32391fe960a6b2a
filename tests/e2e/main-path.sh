#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# main-path.sh: a capacity from offer to return, as a user sees it, in each arrangement and for
# each model: define, start, add, the guest accepts it and writes to it, the bytes end up in the
# memory that was given, and in the end everything is free again.

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

# A capacity of 256 MiB backed by a file; for a static device, whose file backs all capacities,
# it is 256 MiB into the file.
main_path()
{
    local model=$1 name=main-$1 file=$SCRATCH/main-$1.memory
    local source="<source type='file' access='shared'><path>$file</path></source>"
    local tag first objects at=0

    if [ "$model" = static ]; then
        boot "$name" "$(device static 1024 1 '' "      $source
")
"
    else
        boot "$name" "$(device tagged)
"
    fi
    is "$model: the domain is paused" "$(stock domstate "$name")" paused
    is "$model: a fresh device holds nothing" "$(current_of "$name")" 0
    must guest "$name" map
    objects=$(objects "$name")

    # add another one first, so that the tested one is not at offset 0
    run cxl cxl-dcd-add "$name" --size 256MiB
    first=$out
    is "$model: cxl-dcd-add prints a tag alone" "$(grep -cx "$UUID" <<<"$first")/$(wc -l <<<"$first")" 1/1
    is "$model: cxl-dcd-add says what came of it" "$err" \
        "Capacity offered to the guest of domain '$name'"
    is "$model: status says pending" "$(status_of "$name" "$first")" pending
    is "$model: dumpxml says pending" "$(state_of "$name" "$first")" pending
    is "$model: what is pending does not count as held" "$(current_of "$name")" 0
    run guest "$name" accept
    has "$model: the guest accepts 256 MiB" "$out" \
        "accepted region 0 offset 0x0 size 0x10000000 dpa 0x0"
    is "$model: status says accepted" "$(status_of "$name" "$first")" accepted
    is "$model: dumpxml says accepted" "$(state_of "$name" "$first")" accepted
    is "$model: dumpxml says what the guest holds" "$(current_of "$name")" $((256 * 1024))

    # with a guest that answers by itself
    serve "$name"
    if [ "$model" = static ]; then
        run cxl cxl-dcd-add "$name" --size 256MiB --wait --timeout "$WAIT"
        at=$((256 * M))
    else
        run cxl cxl-dcd-add "$name" --size 256MiB --path "$file" --shared \
            --wait --timeout "$WAIT"
    fi
    tag=$out
    is "$model: add --wait succeeds" "$status" 0
    is "$model: add --wait says so" "$err" "Capacity accepted by the guest of domain '$name'"
    is "$model: add --wait leaves the state behind" "$(state_of "$name" "$tag")" accepted
    is "$model: both are held" "$(current_of "$name")" $((512 * 1024))
    is "$model: the second stands behind the first" \
        "$(place_of "$name" "$tag")" "cxl-dcd0 0 $((256 * 1024))"
    end_serve
    must guest "$name" write 0 $((256 * M + 4096)) 0123456789abcdef
    is "$model: what the guest writes stands in the file" \
        "$(bytes "$file" $((at + 4096)) 8)" 0123456789abcdef
    printf 'from the host' |
        dd of="$file" bs=1 seek=$((at + 512 * M / 2 - 13)) conv=notrunc 2>/dev/null
    is "$model: what the host writes is what the guest reads" \
        "$(guest "$name" read 0 $((512 * M - 13)) 13)" 66726f6d2074686520686f7374

    succeeds "$model: release" cxl cxl-dcd-release "$name" --tag "$tag"
    is "$model: release says what came of it" "$out" "Release of capacity $tag requested"
    is "$model: status says releasing" "$(status_of "$name" "$tag")" releasing
    is "$model: dumpxml says releasing" "$(state_of "$name" "$tag")" releasing
    is "$model: it is held until the guest gives it back" "$(current_of "$name")" $((512 * 1024))
    is "$model: and stays readable" "$(guest "$name" read 0 $((256 * M + 4096)) 8)" \
        0123456789abcdef
    run guest "$name" release
    has "$model: the guest gives it back" "$out" "released region 0 offset 0x10000000"
    is "$model: status does not show it any more" "$(status_of "$name" "$tag")" ""
    is "$model: nor does dumpxml" "$(client dumpxml "$name" | grep -c "$tag")" 0
    is "$model: its record is gone" "$(stored_live "$name" | grep -c "$tag")" 0
    is "$model: only the first is held" "$(current_of "$name")" $((256 * 1024))
    is "$model: its memory is gone" "$(objects "$name" | grep -c "$tag")" 0
    is "$model: its place in the window reads 0" \
        "$(guest "$name" read 0 $((256 * M + 4096)) 8)" 0000000000000000

    serve "$name"
    succeeds "$model: release --wait" \
        cxl cxl-dcd-release "$name" --tag "$first" --wait --timeout "$WAIT"
    is "$model: release --wait says so" "$out" "Capacity $first released"
    end_serve
    is "$model: nothing is held" "$(current_of "$name")" 0
    is "$model: the domain's records are gone" "$(stored_live "$name" | grep -c "$first")" 0
    is "$model: QEMU has the memory that it started with" "$(objects "$name")" "$objects"
    remove "$name"
}

for each in daemon client both; do
    arrange "$each"
    main_path static
    main_path tagged
done

finish
