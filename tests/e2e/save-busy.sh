#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# save-busy.sh: libvirt cannot print a domain while a client waits for its QEMU, and gives up
# after half a minute. A save in that situation must not go through, as capacity would be lost
# once QEMU continues; a save of a domain without a CXL device waits as it would without the
# module.

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

# halt NAME: stops QEMU, and lets a client wait for it
halt()
{
    kill -STOP "$(<"$SCRATCH/run/libvirt/qemu/run/$1.pid")"
    qmp "$1" query-status >/dev/null 2>&1 &
    wait_for "waited until somebody waits for $1" is_busy "$1"
}

# is_busy NAME: dumpxml does not return at once
is_busy()
{
    ! timeout 1 virsh dumpxml "$1"
}

go_on()
{
    kill -CONT "$(<"$SCRATCH/run/libvirt/qemu/run/$1.pid")"
}

arrange daemon
boot holds "$(device static)
"
boot plain
must cxl cxl-dcd-add holds --size 256M --tag "$(tag 1)"
must guest holds accept
must cxl cxl-dcd-status holds
for name in holds plain; do
    halt "$name"
    client managedsave "$name" --paused >"$SCRATCH/$name.said" 2>&1 &
    saves="${saves-} $!"
done
# this command shows the reason: virsh overwrites that of a save with its own query of the job
client snapshot-create-as holds one --memspec "$SCRATCH/holds.memory" >"$SCRATCH/snapshot.said" 2>&1 &
saves="$saves $!"
sleep 35
for name in holds plain; do
    go_on "$name"
done
# shellcheck disable=SC2086
wait $saves
has "a domain that cannot be looked at is not saved" "$(<"$SCRATCH/holds.said")" \
    "Failed to save domain 'holds' state"
has "nor snapshotted with its memory" "$(<"$SCRATCH/snapshot.said")" \
    "cannot find out what capacity of a CXL device domain 'holds' holds, and so it cannot be \
snapshotted with its memory: QEMU would preserve neither the capacity nor the data in it: Timed out \
during operation: cannot acquire state change lock"
eventually "it goes on" paused stock domstate holds
is "and holds its capacity" "$(status_of holds "$(tag 1)")" accepted
is "one without a device is saved, when QEMU goes on" "$(stock domstate plain)" "shut off"
must stock managedsave-remove plain
remove holds plain

finish
