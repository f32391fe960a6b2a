#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# sharing.sh: two domains, one tag, one file: one memory. What one guest writes the other reads;
# if one gives it back, the other loses nothing, and the file stays; and the commands in
# docs/sharing.rst do what it says.

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

SIZE=$((256 * M))
TAG=5be13bce-ae34-4a77-b6c3-16df975fcf1a

# shared FILE [ACCESS]: a <source>
shared()
{
    echo "<source type='file' access='${2:-shared}'><path>$1</path></source>"
}

# of FILE: its size and owner
of()
{
    stat -c '%s %U' "$1" 2>&1
}

# documented FIRST LAST: the lines of docs/sharing.rst from one that begins with FIRST to one
# that begins with LAST, unchanged except for the path of the file, which other tests use too
documented()
{
    sed -n "\\|^  $1|,\\|^  $2|{s/^  //; s|/dev/shm|$SCRATCH|; p}" "$FILES/sharing.rst"
}

# machine NAME [DEVICE]: a domain with a device that the guest has mapped
machine()
{
    boot "$1" "${2-$(device tagged)}
"
    must guest "$1" map
}

# give NAME FILE [OPTION...]: adds the capacity, and the guest accepts it
give()
{
    local name=$1 file=$2

    shift 2
    must cxl cxl-dcd-add "$name" --size 256MiB --tag $TAG --path "$file" --shared "$@"
    must guest "$name" accept
    is "$name has accepted it" "$(status_of "$name" $TAG)" accepted
}

# take NAME: releases the capacity, and the guest gives it back
take()
{
    must cxl cxl-dcd-release "$1" --tag $TAG
    must guest "$1" release
    is "$1 has given it back" "$(status_of "$1" $TAG)$(objects "$1" | grep -c cxl-dcd-5)" 0
}

# passes WORDS FROM REGION-OFFSET TO REGION-OFFSET BYTES: written by one guest, read by the other
passes()
{
    must guest "$2" write 0 "$3" "$6"
    is "$1" "$(guest "$4" read 0 "$5" $((${#6} / 2)))" "$6"
}

one_memory()
{
    local file=$SCRATCH/dataset

    machine one
    machine two
    give one "$file"
    is "the file that was absent has the size of the capacity, and the owner of the domain" \
        "$(of "$file")" "$SIZE $(id -un)"
    # at a different offset in the second guest's window
    give two "$file" --offset 512MiB
    passes "what the first guest writes, the second reads" \
        one 4096 two $((512 * M + 4096)) 0123456789abcdef
    passes "what the second writes, the first reads" two $((768 * M - 8)) one $((SIZE - 8)) fedcba9876543210
    is "and the host" "$(bytes "$file" 4096 8) $(bytes "$file" $((SIZE - 8)) 8)" \
        "0123456789abcdef fedcba9876543210"

    take one
    is "where it was, the first reads 0" "$(guest one read 0 4096 8)" 0000000000000000
    is "the second has it still" "$(guest two read 0 $((512 * M + 4096)) 8)" 0123456789abcdef
    passes "and can write to it" two $((512 * M)) two $((512 * M)) 77
    give one "$file"
    is "added again, it has what the second wrote meanwhile" \
        "$(guest one read 0 0 1) $(guest one read 0 4096 8)" "77 0123456789abcdef"

    take one
    take two
    is "the file outlives both" "$(of "$file") $(bytes "$file" 0 1)" "$SIZE $(id -un) 77"
    give one "$file"
    is "and its data too" "$(guest one read 0 4096 8)" 0123456789abcdef
    take one
    rm "$file"
}

# refused WORDS MESSAGE PATH [SIZE]: neither the domain nor the file changes
refused()
{
    local before

    before=$(stat -c '%s %Y %i' "$3" 2>&1)
    unchanged "$1" one "$2" \
        cxl cxl-dcd-add one --size "${4:-256MiB}" --path "$3" --shared
    is "$1: the file is as it was" "$(stat -c '%s %Y %i' "$3" 2>&1)" "$before"
    capacity '' 256 '' "$(shared "$3")" | put document.xml
    unchanged "attach-device: $1" one "$2" client attach-device one "$SCRATCH/document.xml" --live
}

files_that_will_not_do()
{
    local file=$SCRATCH/file

    truncate -s $((SIZE - 1)) "$file"
    refused "a file that is too small" \
        "unsupported configuration: the file '$file' has 268435455 bytes and cannot be the memory of a capacity of 268435456 bytes" \
        "$file"
    truncate -s $((2 * SIZE)) "$file"
    refused "a file that is too large" "the file '$file' has 536870912 bytes" "$file"
    rm "$file"
    ln -s nothing "$file"
    refused "a link that leads nowhere" "'$file' is a dangling symbolic link" "$file"
    succeeds "QEMU, which would follow it for ever, still answers" qmp one query-status
    rm "$file"
    mkfifo "$file"
    refused "a pipe" "'$file' cannot be the memory of a capacity: it is neither a file nor" "$file"
    rm "$file"
    refused "no directory" "there is no directory '$SCRATCH/nowhere'" "$SCRATCH/nowhere/file"
    refused "a file that QEMU may not make" "can't open backing store /nothing for guest RAM: Permission denied" \
        /nothing
    is "no file was made" "$(find "$file" /nothing 2>/dev/null)" ""

    give one "$file"
    refused "a file that the domain has already" \
        "Requested operation is not valid: the file '$file' is the memory of '$TAG' in domain 'one' already" \
        "$file"
    take one
    rm "$file"
    : >"$file"
    give one "$file"
    is "an empty file is made as large as the capacity" "$(of "$file")" "$SIZE $(id -un)"
    take one
    rm "$file"
}

# Copies of one file
copies()
{
    local file=$SCRATCH/template

    truncate -s $SIZE "$file"
    printf template | dd of="$file" conv=notrunc 2>/dev/null
    for name in one two; do
        must cxl cxl-dcd-add $name --size 256MiB --tag $TAG --path "$file" --private
        must guest $name accept
    done
    must guest one write 0 0 ffff
    is "private: a guest reads what was in the file, and what it wrote itself" \
        "$(guest one read 0 0 8) $(guest two read 0 0 8)" "ffff6d706c617465 74656d706c617465"
    is "private: the file is as it was" "$(head -c 8 "$file")" template
    is "private: one domain may have it twice" \
        "$(cxl -q cxl-dcd-add one --size 256MiB --path "$file" --private | wc -l)" 1
    must guest one accept
    is "private: each time as it was in the file" "$(guest one read 0 $SIZE 8)" 74656d706c617465
    remove one two
    rm "$file"
}

# The same with the capacity in both definitions, as docs/sharing.rst has it
configured()
{
    local file=$SCRATCH/dataset name

    for name in three four; do
        machine $name "$(documented '<cxl-dcd' '</cxl-dcd')"
        must guest $name accept
        is "$name starts with it" "$(status_of $name $TAG)" accepted
    done
    is "configured: the file that was absent has its size" "$(of "$file")" "$SIZE $(id -un)"
    passes "configured: what one writes, the other reads" three 64 four 64 c0ffee
    passes "configured: and the other way round" four 128 three 128 decade
    stop three
    is "configured: when one ends, the other has it still" "$(guest four read 0 64 3)" c0ffee
    must client start --paused three
    must guest three map
    must guest three accept
    is "configured: started again, it finds its data" "$(guest three read 0 128 3)" decade
    stop three
    truncate -s 1M "$SCRATCH/small"
    sed -i "s|>$file<|>$SCRATCH/small<|" "$SCRATCH/three.xml"
    must client define "$SCRATCH/three.xml"
    fails "configured: a file of another size, and the domain does not start" \
        "the file '$SCRATCH/small' has 1048576 bytes" client start --paused three
    is "configured: which is not left running" "$(stock domstate three)" "shut off"
    remove three four
    rm "$file" "$SCRATCH/small"
}

# both_serve, neither_serves: start and end self-answering guests for the page's domains
both_serve()
{
    serve one
    first=$server
    serve two
}

neither_serves()
{
    end_serve
    server=$first
    end_serve
}

# What docs/sharing.rst says to type, line by line; tests/e2e/examples.sh does it with the
# page's own domains, and compares the output.
as_documented()
{
    local line first
    local -a lines

    mapfile -t lines < <(documented '\$ scripts/setup' '\$ build/run .* cxl-dcd-list' | sed -n 's/^\$ //p')
    has "docs/sharing.rst ends with both" "${lines[-1]}" "cxl-dcd-list --tag $TAG"
    is "docs/sharing.rst takes at most 10 commands, files that are written among them" \
        "$((${#lines[@]} > 6 && ${#lines[@]} <= 10))" 1
    both_serve
    for line in "${lines[@]}"; do
        case $line in
        *cxl-dcd-*) succeeds "docs/sharing.rst: $line" eval "${line/build\/run virsh-cxl/cxl}" ;;
        esac
    done
    is "which shows that both have it" "$(grep -c " $TAG .* accepted" <<<"$out")" 2
    neither_serves
    passes "and what one writes, the other reads" one 4096 two 4096 0123456789abcdef
    both_serve
    mapfile -t lines < <(documented '\$ .* cxl-dcd-release one' '\$ rm ' | sed -n 's/^\$ //p')
    for line in "${lines[@]}"; do
        succeeds "docs/sharing.rst: $line" eval "${line/build\/run virsh-cxl/cxl}"
    done
    is "which take the file away" "$(find "$SCRATCH" -name dataset)" ""
    neither_serves
}

for each in $(some_of daemon client); do
    arrange "$each"
    one_memory
    files_that_will_not_do
    as_documented
    copies
    configured
done

finish
