#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# map.sh: cxl-dcd-map, a picture of where capacities lie, in a pipe, on a terminal and as SVG

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

# on_terminal COLUMNS COMMAND...: what the command prints on a terminal of that width
on_terminal()
{
    local columns=$1

    shift
    TERM=xterm LC_ALL=C.UTF-8 timeout "$COMMAND_DEADLINE" \
        script -qec "stty cols $columns; $*" /dev/null | tr -d '\r'
}

# longer_than WIDTH TEXT: the first line longer than that
longer_than()
{
    awk -v width="$1" 'length($0) > width { print; exit }' <<<"$2"
}

draw()
{
    local name=map-vm svg=$SCRATCH/map.svg before

    boot "$name" "$(device tagged 1024 2)
"
    must guest "$name" map
    succeeds "nothing is there" cxl cxl-dcd-map "$name"
    is "both regions are drawn" "$(grep -c '^Region ' <<<"$out")" 2
    is "a region that is free" "$(sed -n 5p <<<"$out")" " |$(printf '%.s.' {1..76})|"

    must cxl cxl-dcd-add "$name" --size 256M --tag "$(tag 1)"
    must cxl cxl-dcd-add "$name" --size 2M --tag "$(tag 2)" --offset 384M
    must guest "$name" accept
    must cxl cxl-dcd-add "$name" --size 128M --tag "$(tag 3)" --region 1
    must cxl cxl-dcd-release "$name" --tag "$(tag 2)"
    succeeds "capacity is there" cxl cxl-dcd-map "$name"
    is "half of the region is accepted, and 2 MiB are seen" "$(sed -n 6p <<<"$out")" \
        " |A$(printf '%.s#' {1..37})$(printf '%.s.' {1..19})R$(printf '%.s.' {1..18})|"
    has "where it is" "$out" " 00000001  accepted   256 MiB at 0 B"
    has "what is asked back" "$out" " 00000002  releasing    2 MiB at 384 MiB"
    has "what is offered, in its region" "${out#*Region 1}" " 00000003  pending    128 MiB at 0 B"
    is "in a pipe all is ASCII" "$(tr -d '\n\40-\176' <<<"$out")" ""
    is "in a pipe 80 columns" "$(longer_than 79 "$out")" ""

    run env COLUMNS=40 "$SCRATCH/bin/virsh-cxl" cxl-dcd-map "$name"
    is "COLUMNS is heeded" "$(longer_than 40 "$out")" ""
    is "COLUMNS is filled" "$(grep -c '^ |.\{36\}|$' <<<"$out")" 2
    run on_terminal 60 "$SCRATCH/bin/virsh-cxl" cxl-dcd-map "$name"
    has "a terminal gets colour" "$out" $'\033[30;42mA\033[0m\033[32m██'
    is "and its width" "$(printf '%s\n' "$out" | sed 's/\x1b\[[0-9;]*m//g' | LC_ALL=C.UTF-8 grep -c '^ |.\{56\}|$')" 2
    run on_terminal 60 env NO_COLOR=1 "$SCRATCH/bin/virsh-cxl" cxl-dcd-map "$name"
    has "NO_COLOR is heeded" "$out" " |A####"
    run on_terminal 60 env LC_ALL=C "$SCRATCH/bin/virsh-cxl" cxl-dcd-map "$name"
    has "a locale that is not UTF-8 gets ASCII" "$out" " |A####"

    succeeds "SVG" cxl cxl-dcd-map "$name" --svg "$svg"
    is "SVG: where it is" "$out" "Map written to '$svg'"
    is "SVG: its title" "$(xmllint --xpath 'string(/*/*[local-name()="title"])' "$svg")" \
        "CXL dynamic capacity of domain '$name'"
    is "SVG: each capacity is in the bar and in the list" \
        "$(grep -c "<title>$(tag 1): accepted, 256 MiB at 0 B</title>" "$svg")" 2
    before=$(md5sum "$svg")
    fails "a map that cannot be written whole" "cannot write '$svg': " \
        bash -c 'ulimit -f 1; trap "" XFSZ; exec "$@"' - \
        "$SCRATCH/bin/virsh-cxl" cxl-dcd-map "$name" --svg "$svg"
    is "the file is as it was" "$(md5sum "$svg")" "$before"
    is "no other file is left" "$(echo "$SCRATCH"/map.svg*)" "$svg"
    succeeds "SVG on standard output" cxl cxl-dcd-map "$name" --svg -
    is "it is the picture, and nothing else" "$out" "$(cat "$svg")"
    is "no file of that name" "$(ls -- ./- 2>/dev/null)" ""
    ln -s "$svg" "$SCRATCH/link.svg"
    succeeds "through a link" cxl cxl-dcd-map "$name" --device cxl-dcd0 --svg "$SCRATCH/link.svg"
    is "the link stays" "$(readlink "$SCRATCH/link.svg")" "$svg"
    fails "what is no file is not replaced" "cannot write '/dev/null': " \
        cxl cxl-dcd-map "$name" --svg /dev/null
    fails "no such folder" "cannot write '$SCRATCH/none/map.svg': " \
        cxl cxl-dcd-map "$name" --svg "$SCRATCH/none/map.svg"
    fails "no such device" "has no CXL dynamic capacity device 'nosuch'" \
        cxl cxl-dcd-map "$name" --device nosuch
    remove "$name"
}

odd_name()
{
    boot_odd "$(device static)
"
    must cxl cxl-dcd-add "$ODD_NAME" --size 256M --tag "$(tag 1)"
    succeeds "odd name" cxl cxl-dcd-map "$ODD_NAME"
    has "odd name: drawn" "$out" " |P???"
    succeeds "odd name: SVG" cxl cxl-dcd-map "$ODD_NAME" --svg "$SCRATCH/odd.svg"
    is "odd name: its title" \
        "$(xmllint --xpath 'string(/*/*[local-name()="title"])' "$SCRATCH/odd.svg")" \
        "CXL dynamic capacity of domain '$ODD_NAME'"
    remove_odd
}

arrange client
draw
odd_name
finish
