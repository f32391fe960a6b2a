#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# save.sh: neither a saved state nor a migration includes capacity or its data, and QEMU does
# not complain: both are refused while the domain holds any

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

# refuses COMMAND...: for a domain that holds capacity; the message says so
refuses()
{
    boot vm "$(device static)
"
    must cxl cxl-dcd-add vm --size 256M --tag "$(tag 1)"
    must guest vm accept
    must cxl cxl-dcd-status vm
    unchanged "$*" vm "domain 'vm' holds 1 capacity of a CXL device" client "$@"
    is "$*: the domain still runs" "$(stock domstate vm)" paused
    is "$*: and holds its capacity" "$(status_of vm "$(tag 1)")" accepted
    stock managedsave-remove vm >/dev/null 2>&1
    stock snapshot-delete vm one --metadata >/dev/null 2>&1
    remove vm
}

# unreadable TEXT WHY RECORD: an unreadable record counts as capacity
unreadable()
{
    must stock metadata vm --uri "urn:libvirt-cxl-dcd:capacity:1.0:$(tag 1)" --key cxl-dcd --live \
        --set "$3"
    unchanged "$1: save" vm "cannot find out what capacity of a CXL device domain 'vm' holds, and so \
it cannot be saved: QEMU would preserve neither the capacity nor the data in it: XML error: the record of \
capacity '$(tag 1)' in the metadata of domain 'vm' is wrong: $2" \
        client save vm "$SCRATCH/vm.saved" --paused
    unchanged "$1: migrate" vm "$2" client migrate vm --live --p2p "qemu+unix:///session?socket=/nowhere"
    is "$1: the domain still runs" "$(stock domstate vm)" paused
}

unreadables()
{
    boot vm "$(device static)
"
    must cxl cxl-dcd-add vm --size 256M --tag "$(tag 1)"
    must guest vm accept
    unreadable "a record that cannot be read" "XML error: invalid value 'flying' for attribute state of <capacity>" \
        "<capacity tag='$(tag 1)' region='0' state='flying' device='cxl-dcd0'><size>2048</size></capacity>"
    unreadable "a record of no device" "it names device 'cxl-dcd7', which the domain does not have" \
        "<capacity tag='$(tag 1)' region='0' state='accepted' device='cxl-dcd7'><size>2048</size></capacity>"
    unreadable "a record of a place that is none" "XML error: a capacity of 268435456 bytes at offset \
18446744073707454464 does not fit" \
        "<capacity tag='$(tag 1)' region='0' state='accepted' device='cxl-dcd0'><size unit='MiB'>256</size>\
<offset unit='bytes'>18446744073707454464</offset></capacity>"
    must stock metadata vm --uri "urn:libvirt-cxl-dcd:capacity:1.0:$(tag 1)" --live --remove
    succeeds "save, when the record is gone" client save vm "$SCRATCH/vm.saved" --paused
    remove vm
}

# What the guest has given back is no obstacle, even if nobody has asked since.
given_back()
{
    boot vm "$(device tagged)
"
    must cxl cxl-dcd-add vm --size 256M --tag "$(tag 1)"
    must cxl cxl-dcd-add vm --size 256M --tag "$(tag 2)"
    must guest vm accept
    must cxl cxl-dcd-status vm
    must cxl cxl-dcd-release vm --tag "$(tag 1)"
    must guest vm release --offset 0 --size $((256 * M))
    fails "save, with one of two given back" "holds 1 capacity of a CXL device, '$(tag 2)', and cannot be saved" \
        client save vm "$SCRATCH/vm.saved" --paused
    is "the other is as it was" "$(status_of vm "$(tag 2)")" accepted
    must cxl cxl-dcd-release vm --tag "$(tag 2)"
    must guest vm release
    succeeds "save, when the guest has just given everything back" \
        client save vm "$SCRATCH/vm.saved" --paused
    remove vm
}

for each in $(some_of daemon client); do
    arrange "$each"
    # three functions of libvirt
    refuses save vm "$SCRATCH/vm.saved"
    refuses save vm "$SCRATCH/vm.saved" --paused
    ! virsh help save | grep -q image-format || refuses save vm "$SCRATCH/vm.saved" --image-format raw
    refuses managedsave vm --paused
    refuses snapshot-create-as vm one --memspec "$SCRATCH/vm.memory"
    refuses migrate vm --live --p2p "qemu+unix:///session?socket=/nowhere"
    unreadables
    given_back
done

finish
