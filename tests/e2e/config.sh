#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# config.sh: capacity in the definition, when that differs from what is running

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

for each in $(some_of daemon client both); do
    arrange "$each"

    # only the definition has the device
    domain later | put later.xml
    must client define "$SCRATCH/later.xml"
    must client start --paused later
    domain later "$(device tagged)
" | put later.xml
    must client define "$SCRATCH/later.xml"
    succeeds "add --config to a definition whose device does not run yet" \
        cxl cxl-dcd-add later --size 256M --tag "$(tag 1)" --config
    fails "add --live to a domain without the device" "has no CXL device" \
        cxl cxl-dcd-add later --size 256M --live
    stop later
    succeeds "the domain starts from that definition" client start --paused later
    is "with the capacity" "$(state_of later "$(tag 1)")" pending
    remove later

    # as many as a start can offer
    boot many "$(device tagged)
"
    for i in 1 2 3 4 5 6 7 8; do
        must cxl cxl-dcd-add many --size 2M --tag "$(tag $i)" --config
    done
    unchanged "a ninth capacity in the definition" many "at most 8" \
        cxl cxl-dcd-add many --size 2M --tag "$(tag 9)" --config
    unchanged "a ninth, for the running domain too" many "at most 8" \
        cxl cxl-dcd-add many --size 2M --tag "$(tag 9)" --live --config
    stop many
    succeeds "with eight it starts" client start --paused many
    remove many

    # libvirt cannot write the definition
    boot half "$(device tagged)
"
    chmod a-w "$SCRATCH/config/libvirt/qemu"
    fails "add --live --config, half done, says so" \
        "capacity '$(tag 1)' was offered to the guest of running domain 'half', but the definition could not be changed" \
        cxl cxl-dcd-add half --size 256M --tag "$(tag 1)" --live --config
    chmod u+w "$SCRATCH/config/libvirt/qemu"
    is "it runs" "$(state_of half "$(tag 1)")" pending
    is "it is not in the definition" "$(stored_config half | grep -c "$(tag 1)")" 0
    remove half
done

finish
