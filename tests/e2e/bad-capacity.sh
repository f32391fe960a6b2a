#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# bad-capacity.sh: what cannot be added or released is refused with one clear message, and the
# domain stays as it was

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

# add MESSAGE OPTION...: add capacity to the domain "bad"; it fails with MESSAGE
add()
{
    local message=$1

    shift
    unchanged "add $*: $message" bad "$message" cxl cxl-dcd-add bad "$@"
}

# release MESSAGE OPTION...: release capacity from the domain "bad"; it fails with MESSAGE
release()
{
    local message=$1

    shift
    unchanged "release $*: $message" bad "$message" cxl cxl-dcd-release bad "$@"
}

# attach MESSAGE: attach the document on standard input to the domain "bad"; it fails with MESSAGE
attach()
{
    put document.xml
    unchanged "attach-device: $1" bad "$1" client attach-device bad "$SCRATCH/document.xml" --live
}

NIL=00000000-0000-0000-0000-000000000000

values()
{
    local size="--size 256MiB"

    # shellcheck disable=SC2086
    {
        wanted=2 add "Invalid value '$NIL' for <tag> option: expected a UUID" $size --tag $NIL
        wanted=2 add "Invalid value '${used}0' for <tag> option: expected a UUID" \
            $size --tag "${used}0"
        add "XML error: device 'cxl-dcd0' has no region 2: its regions are 0 to 1" $size --region 2
        wanted=2 add "error: Numeric value '8' for <region> option is malformed or out of range: expected a number from 0 to 7" \
            $size --region 8
        wanted=2 add "error: Numeric value '-1' for <region> option is malformed or out of range" \
            $size --region -1
        wanted=2 add "'1MiB' for <offset> option is malformed or out of range: expected a multiple of 2 MiB" \
            $size --offset 1MiB
        add "XML error: a capacity of 268435456 bytes at offset 536870912 does not fit region 0 of device 'cxl-dcd0', which has 536870912 bytes" \
            $size --offset 512MiB
        add "XML error: a capacity of 268435456 bytes at offset 270532608 does not fit region 0" \
            $size --offset 258MiB
        add "XML error: a capacity of 268435456 bytes at offset 18446744073707454464 does not fit region 0" \
            $size --offset 18446744073707454464
        add "XML error: a capacity of 268435456 bytes at offset 18446744073441116160 does not fit region 0" \
            $size --offset 18446744073441116160
        add "device not found: domain 'bad' has no <cxl-dcd> with the alias 'other': it has 'cxl-dcd0'" \
            $size --device other
        add "Requested operation is not valid: domain 'bad' has a capacity with the tag '$used' already, on device 'cxl-dcd0', state accepted: a tag names one capacity" \
            $size --tag "$used"
        add "already, on device 'cxl-dcd0', state accepted" $size --tag "${used^^}"
        add "already, on device 'cxl-dcd0', state pending" $size --tag "$pending"
        add "a capacity of 268435456 bytes at offset 0 of region 0 overlaps capacity '$used' of device 'cxl-dcd0' (268435456 bytes at offset 0)" \
            $size --offset 0
        add "a capacity of 268435456 bytes at offset 2097152 of region 0 overlaps capacity '$used'" \
            $size --offset 2MiB
        add "a capacity of 2097152 bytes at offset 268435456 of region 0 overlaps capacity '$pending'" \
            --size 2MiB --offset 256MiB
        add "Requested operation is not valid: region 0 of device 'cxl-dcd0' has no free range of 2097152 bytes" \
            --size 2MiB
    }
    wanted=2 add "'0' for <size> option is malformed or out of range: expected a multiple of 2 MiB, and not 0" \
        --size 0
    wanted=2 add "'3MiB' for <size> option is malformed or out of range: expected a multiple of 2 MiB" \
        --size 3MiB
    add "XML error: a capacity of 1073741824 bytes at offset 0 does not fit region 0" --size 1GiB
    add "XML error: a capacity of 18446744073707454464 bytes" --size 18446744073707454464
    wanted=2 add "command 'cxl-dcd-add' requires --size or --file option" --tag "$pending"
    wanted=2 add "Options --file and --size are mutually exclusive" --file /nothing --size 2M
    add "No such file or directory" --file /nothing

    release "device not found: domain 'bad' has no capacity with the tag '$(tag 99)'" --tag "$(tag 99)"
    release "device not found: domain 'bad' has no <cxl-dcd> with the alias 'other': it has 'cxl-dcd0'" \
        --tag "$used" --device other
    wanted=2 release "Invalid value '$NIL' for <tag> option: expected a UUID" --tag $NIL
    wanted=2 release "Invalid value 'x' for <tag> option: expected a UUID" --tag x
    release "Requested operation is not valid: the guest of domain 'bad' has not answered the offer of capacity '$pending': it can be released once the guest has accepted it" \
        --tag "$pending"
    wanted=2 release "command 'cxl-dcd-release' requires --tag or --all option"
    wanted=2 release "Options --tag and --all are mutually exclusive" --tag "$used" --all
    release "domain 'bad' has no CXL dynamic capacity device 'other'" --all --device other
}

documents()
{
    # not well-formed, so not recognisable as ours: libvirt's own message
    attach "Opening and ending tag mismatch: capacity line 2 and cxl-dcd" <<<"<cxl-dcd>
<capacity></cxl-dcd>"
    attach "a <cxl-dcd> to be attached or detached has one <capacity>, not 0" <<<"<cxl-dcd/>"
    attach "a <cxl-dcd> to be attached or detached has one <capacity>, not 2" \
        <<<"<cxl-dcd><capacity><size unit='MiB'>2</size></capacity><capacity/></cxl-dcd>"
    attach "XML error: tag '$NIL' is the nil UUID, which means 'no tag'" \
        <<<"$(capacity "$NIL" 2)"
    attach "XML error: tag 'aaaa' is not a UUID: expected 32 hexadecimal digits in groups of 8-4-4-4-12" \
        <<<"$(capacity aaaa 2)"
    attach "XML error: invalid value '8' for attribute region: expected a number from 0 to 7" \
        <<<"<cxl-dcd><capacity region='8'><size unit='MiB'>2</size></capacity></cxl-dcd>"
    attach "XML error: offset 1048576 is not a multiple of 2 MiB" \
        <<<"<cxl-dcd><capacity><size unit='MiB'>2</size><offset unit='MiB'>1</offset></capacity></cxl-dcd>"
    attach "XML error: the <size> of a <capacity> is 0: expected a multiple of 2 MiB" \
        <<<"<cxl-dcd><capacity><size>0</size></capacity></cxl-dcd>"
    attach "XML error: a capacity of 3145728 bytes is not a multiple of 2 MiB, the block size of dynamic capacity" \
        <<<"<cxl-dcd><capacity><size unit='MiB'>3</size></capacity></cxl-dcd>"
    attach "XML error: the <capacity> has no <size>" <<<"<cxl-dcd><capacity/></cxl-dcd>"
    attach "invalid value 'many' for element <size>: expected a number from 0 to 18446744073709551615" \
        <<<"<cxl-dcd><capacity><size>many</size></capacity></cxl-dcd>"
    attach "unknown unit 'parsec' in <size>" \
        <<<"<cxl-dcd><capacity><size unit='parsec'>2</size></capacity></cxl-dcd>"
    attach "value '16' EiB of <size> is too large" \
        <<<"<cxl-dcd><capacity><size unit='EiB'>16</size></capacity></cxl-dcd>"
    attach "invalid value '' for attribute name of the <alias> of a <cxl-dcd>" \
        <<<"$(capacity '' 2 | sed "s|</cxl-dcd>|<alias/></cxl-dcd>|")"
    attach "invalid value '\"},' for attribute name of the <alias>" \
        <<<"$(capacity '' 2 '&quot;},')"
    attach "invalid value 'none' for attribute type of <source>: expected one of 'ram', 'memfd', 'file'" \
        <<<"$(capacity '' 2 '' "<source type='none'/>")"
    attach "invalid value 'dynamic' for attribute model of <cxl-dcd>: expected one of 'tagged', 'static'" \
        <<<"<cxl-dcd model='dynamic'><capacity><size unit='MiB'>2</size></capacity></cxl-dcd>"
    # libvirt's parsers ignore what they do not know
    put document.xml <<XML
<cxl-dcd colour='blue'>
  <capacity tag='$(tag 7)' region='1' shape='round' state='accepted'>
    <size unit='MiB'>2</size>
    <!-- a comment --><weight>0</weight>
  </capacity>
  <size>nothing</size>
</cxl-dcd>
XML
    succeeds "attach-device with unknown attributes and elements" \
        client attach-device bad "$SCRATCH/document.xml" --live
    is "the state that a user writes is not taken" "$(state_of bad "$(tag 7)")" pending
}

other_domains()
{
    local name

    boot plain
    unchanged "add to a domain without a device" plain \
        "Requested operation is not valid: domain 'plain' has no CXL device with dynamic capacity: its definition needs a <cxl-dcd> under <devices>" \
        cxl cxl-dcd-add plain --size 2M
    unchanged "release from a domain without a device" plain \
        "domain 'plain' has no CXL device with dynamic capacity" \
        cxl cxl-dcd-release plain --tag "$used"
    unchanged "status of a domain without a device" plain \
        "domain 'plain' has no CXL device with dynamic capacity" cxl cxl-dcd-status plain
    unchanged "attach-device to a domain without a device" plain \
        "domain 'plain' has no CXL device with dynamic capacity" \
        client attach-device plain "$SCRATCH/document.xml" --live
    capacity "$used" | put used.xml
    unchanged "detach-device --live from a domain without a device" plain \
        "domain 'plain' has no CXL device with dynamic capacity" \
        client detach-device plain "$SCRATCH/used.xml" --live
    unchanged "detach-device --config from a domain without a device" plain \
        "device not found: the definition of domain 'plain' has no capacity with the tag '$used'" \
        client detach-device plain "$SCRATCH/used.xml" --config

    domain off "$(device static)
" | put off.xml
    must client define "$SCRATCH/off.xml"
    unchanged "add --live to a domain that does not run" off \
        "domain 'off' is not running, as --live needs it" cxl cxl-dcd-add off --size 2M --live
    unchanged "release --live from a domain that does not run" off \
        "domain 'off' is not running, as --live needs it" \
        cxl cxl-dcd-release off --tag "$used" --live
    unchanged "status --refresh of a domain that does not run" off \
        "domain 'off' is not running, and has no QEMU to ask" cxl cxl-dcd-status off --refresh
    unchanged "attach-device --live to a domain that does not run" off "is not running" \
        client attach-device off "$SCRATCH/document.xml" --live

    for name in "add unknown --size 2M" "release unknown --all" "status unknown"; do
        # shellcheck disable=SC2086
        fails "$name" "failed to get domain 'unknown'" cxl cxl-dcd-$name
    done
    remove plain off
}

# in arrangement "both" the daemon does the work
for each in $(some_of daemon client); do
    arrange "$each"
    boot bad "$(device static 1024 2)
"
    used=$(tag 1)
    pending=$(tag 2)
    must cxl cxl-dcd-add bad --size 256M --tag "$used"
    must guest bad accept
    must cxl cxl-dcd-add bad --size 256M --tag "$pending"
    must cxl cxl-dcd-status bad

    values
    wanted=2 unchanged "add by a read-only connection" bad "A read-only connection cannot add capacity" \
        cxl -r cxl-dcd-add bad --size 2M --region 1
    wanted=2 unchanged "release by a read-only connection" bad "A read-only connection cannot release capacity" \
        cxl -r cxl-dcd-release bad --tag "$used"
    succeeds "status by a read-only connection" cxl -r cxl-dcd-status bad
    has "shows what is recorded" "$out" " pending "
    is "QEMU has heard of one offer alone" "$(guest bad events | wc -l)" 1

    documents
    for i in 3 4 5 6 8 9; do
        must cxl cxl-dcd-add bad --size 2M --region 1 --tag "$(tag "$i")"
    done
    is "eight offers wait for the guest" "$(guest bad events | wc -l)" 8
    add "Requested operation is not valid: the guest of domain 'bad' has not answered 8 offers" \
        --size 2M --region 1
    has "which says why" "$err" "on device 'cxl-dcd0': its event log holds 8, and it would not learn of another"
    must guest bad accept
    succeeds "the ninth, when it has answered" cxl cxl-dcd-add bad --size 2M --region 1
    other_domains
    remove bad
done

finish
