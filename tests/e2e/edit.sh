#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# edit.sh: virsh edit shows <cxl-dcd>, and accepts it as edited

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

# edit SCRIPT: virsh edit, with a sed script as the editor
edit()
{
    printf '#!/bin/sh\ncp "$1" "%s/edited"\nexec sed -i "%s" "$1"\n' "$SCRATCH" "$1" | put editor
    chmod +x "$SCRATCH/editor"
    # no terminal: virsh does not ask whether to try again
    EDITOR=$SCRATCH/editor client edit vm </dev/null
}

for each in daemon client both; do
    arrange "$each"
    domain vm "$(device static 512 2)
" | put vm.xml
    must client define "$SCRATCH/vm.xml"
    before=$(stored_config vm)

    succeeds "edit that changes nothing" env EDITOR=true bash -c '"$@"' - \
        "$([ "$each" = daemon ] && command -v virsh || echo "$SCRATCH/bin/virsh-cxl")" edit vm
    has "edit says so" "$out" "Domain 'vm' XML configuration not changed"
    is "nothing has changed" "$(stored_config vm)" "$before"

    succeeds "edit of the size" edit "s|<size unit='KiB'>524288<|<size unit='GiB'>1<|"
    has "edit says so" "$out" "Domain 'vm' XML configuration edited"
    has "the editor has seen <cxl-dcd>" "$(<"$SCRATCH/edited")" "    <cxl-dcd model='static'>"
    is "and none of what is generated from it" \
        "$(grep -c 'cxl-type3\|urn:libvirt-cxl-dcd' "$SCRATCH/edited")" 0
    has "dumpxml has the new size" "$(client dumpxml vm)" "<size unit='KiB'>1048576</size>"
    has "the arguments too" "$(stored_config vm)" "cxl-fmw.0.size=1073741824"
    is "and the old ones are gone" "$(stored_config vm | grep -c 536870912)" 0

    succeeds "edit that adds a capacity" edit \
        "s|</target>|&<capacity tag='$(tag 1)'><size unit='MiB'>2</size></capacity>|"
    has "dumpxml has it" "$(client dumpxml vm)" "<capacity tag='$(tag 1)' region='0'>"
    text=$(stored_config vm)
    run edit "s|<regions>2<|<regions>3<|"
    is "edit that makes it impossible changes nothing" "$(stored_config vm)" "$text"

    succeeds "edit that takes the device out" edit "/<cxl-dcd/,/<.cxl-dcd>/d"
    is "nothing of it is left" "$(stored_config vm | grep -c 'cxl-dcd\|cxl-type3')" 0
    succeeds "edit that puts it back" edit \
        "s|</devices>|<cxl-dcd model='static'><target><size unit='MiB'>512</size><regions>2</regions></target></cxl-dcd>&|"
    is "the definition is as it was" "$(stored_config vm)" "$before"
    remove vm
done

finish
