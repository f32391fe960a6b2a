#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# save.sh: neither a saved state nor a migration carries capacity or its data, and QEMU
# says nothing of it: they are refused while the domain holds any

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

# refuses COMMAND...: a domain that holds capacity; the message speaks of it
refuses()
{
    boot vm "$(device static)
"
    must cxl cxl-dcd-add vm --size 256M --tag "$(tag 1)"
    must guest vm accept
    must cxl cxl-dcd-status vm
    unchanged "$1" vm "capacity" client "$@"
    is "$1: the domain still runs" "$(stock domstate vm)" paused
    is "$1: and holds its capacity" "$(status_of vm "$(tag 1)")" accepted
    stock managedsave-remove vm >/dev/null 2>&1
    stock snapshot-delete vm one --metadata >/dev/null 2>&1
    remove vm
}

for each in daemon client; do
    arrange "$each"
    refuses save vm "$SCRATCH/vm.saved" --paused
    refuses managedsave vm --paused
    refuses snapshot-create-as vm one --memspec "$SCRATCH/vm.memory"
    refuses migrate vm --live --p2p "qemu+unix:///session?socket=/nowhere"
done

finish
