#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# read-only.sh: a read-only connection sees <cxl-dcd> and changes nothing; what it must not do
# is refused with libvirt's own error, and no program is run for it

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

# A QEMU that leaves a mark each time it is run.
printf '#!/bin/sh\necho run >>"%s/runs"\nexec %s "$@"\n' "$SCRATCH" "$(command -v "$QEMU")" |
    put marked
chmod +x "$SCRATCH/marked"

# refused FUNCTION COMMAND...: with libvirt's own error for it
refused()
{
    local function=$1

    shift
    unchanged "$1" vm "error: operation forbidden: read only access prevents $function" client -r "$@"
}

# deceitful COMMAND...: a stock client without the check in its own library, so that the daemon
# has to refuse
deceitful()
{
    LD_PRELOAD=$FILES/read-only-there.so stock "$@"
}

# refused_there FUNCTION COMMAND...
refused_there()
{
    local function=$1

    shift
    unchanged "the daemon by itself: $1" vm \
        "error: operation forbidden: read only access prevents $function" deceitful "$@"
}

# Nothing is done or looked up for the client before the refusal: the state of a file, for
# example, is not for everybody to see.
there()
{
    local way

    echo secret | put secret
    capacity "$(tag 3)" 2 '' \
        "<source type='file'><path>$SCRATCH/secret</path></source>" | put file.xml
    for way in '' --live --config '--live --config'; do
        # shellcheck disable=SC2086
        refused_there "virDomainAttachDevice${way:+Flags}" attach-device vm "$SCRATCH/file.xml" $way
        # shellcheck disable=SC2086
        refused_there "virDomainDetachDevice${way:+Flags}" detach-device vm "$SCRATCH/old.xml" $way
    done
    refused_there virDomainUpdateDeviceFlags update-device vm "$SCRATCH/file.xml"
    refused_there virDomainSave save vm "$SCRATCH/vm.saved"
    refused_there virDomainDefineXMLFlags define "$SCRATCH/vm.xml" --validate
    succeeds "the daemon by itself: dumpxml" deceitful dumpxml vm
}

# Nor is anything parsed: the time to parse an element grows with the square of its number of
# attributes, and a minute is a long time for a worker of the daemon.
long_reading()
{
    local COMMAND_DEADLINE=15

    { printf '<cxl-dcd '; seq -f "a%.0f=''" 100000; echo '/>'; } | put long.xml
    refused_there virDomainDefineXML define "$SCRATCH/long.xml"
    refused_there virDomainCreateXML create "$SCRATCH/long.xml"
    refused_there virDomainAttachDevice attach-device vm "$SCRATCH/long.xml"
    refused_there virDomainSnapshotCreateXML snapshot-create vm "$SCRATCH/long.xml"
}

for each in $(some_of daemon client both); do
    arrange "$each"
    model=static
    # in arrangement "both" the daemon does the work
    [ "$each" = both ] || model=tagged
    boot vm "$(device $model)
"
    must cxl cxl-dcd-add vm --size 2M --tag "$(tag 1)"
    must guest vm accept
    must cxl cxl-dcd-status vm
    must cxl cxl-dcd-add vm --size 2M --tag "$(tag 2)"
    must guest vm accept
    # for the second answer, it sees what the daemon's tracker has seen, if there is one
    second=pending
    if [ "$each" != client ]; then
        second=accepted
        eventually "the daemon follows the guest" accepted state_of vm "$(tag 2)"
    fi
    before=$(everything vm)

    succeeds "dumpxml" client -r dumpxml vm
    is "dumpxml is that of any other connection" "$out" "$(client dumpxml vm)"
    has "and has <cxl-dcd>" "$out" "<capacity tag='$(tag 1)' region='0' state='accepted'>"
    succeeds "cxl-dcd-status" cxl -r cxl-dcd-status vm
    has "shows what is recorded" "$out" "$(tag 1)"
    is "and asks nobody for more" "$(grep -F "$(tag 2)" <<<"$out" | grep -c " $second ")" 1
    succeeds "cxl-dcd-status --no-refresh" cxl -r cxl-dcd-status vm --no-refresh
    succeeds "cxl-dcd-list" cxl -r cxl-dcd-list
    has "has it" "$out" "$(tag 1)"
    is "nothing has changed" "$(everything vm)" "$before"

    wanted=2 unchanged "cxl-dcd-add" vm "A read-only connection cannot add capacity" \
        cxl -r cxl-dcd-add vm --size 2M
    wanted=2 unchanged "cxl-dcd-release" vm "A read-only connection cannot release capacity" \
        cxl -r cxl-dcd-release vm --tag "$(tag 1)"
    capacity "$(tag 3)" 2 | put new.xml
    capacity "$(tag 1)" 2 | put old.xml
    refused virDomainAttachDevice attach-device vm "$SCRATCH/new.xml"
    refused virDomainAttachDeviceFlags attach-device vm "$SCRATCH/new.xml" --live
    refused virDomainAttachDeviceFlags attach-device vm "$SCRATCH/new.xml" --config
    refused virDomainDetachDevice detach-device vm "$SCRATCH/old.xml"
    refused virDomainDetachDeviceFlags detach-device vm "$SCRATCH/old.xml" --live
    refused virDomainUpdateDeviceFlags update-device vm "$SCRATCH/old.xml"
    refused virConnectGetDomainCapabilities domcapabilities
    refused virDomainSave save vm "$SCRATCH/vm.saved"
    refused virDomainManagedSave managedsave vm
    refused virDomainSnapshotCreateXML snapshot-create-as vm one
    refused virDomainSaveImageGetXMLDesc save-image-dumpxml "$SCRATCH/vm.saved"

    [ "$each" = client ] || there
    [ "$each" != daemon ] || long_reading

    # whatever QEMU binary a client names
    domain other "$(device $model)
" | sed "s|<emulator>.*</emulator>|<emulator>$SCRATCH/marked</emulator>|" | put other.xml
    rm -f "$SCRATCH/runs"
    refused virDomainDefineXML define "$SCRATCH/other.xml"
    refused virDomainDefineXMLFlags define "$SCRATCH/other.xml" --validate
    refused virDomainCreateXML create "$SCRATCH/other.xml"
    refused virConnectDomainXMLToNative domxml-to-native qemu-argv --xml "$SCRATCH/other.xml"
    refused virDomainRestoreFlags restore "$SCRATCH/nothing" --xml "$SCRATCH/other.xml"
    is "no program has been run for it" "$(cat "$SCRATCH/runs" 2>/dev/null)" ""
    must client define "$SCRATCH/other.xml"
    sleep 0.1
    touch "$SCRATCH/marked"
    rm -f "$SCRATCH/runs"
    refused virDomainCreate start other
    is "nor for a start" "$(cat "$SCRATCH/runs" 2>/dev/null)" ""
    remove other vm
done

finish
