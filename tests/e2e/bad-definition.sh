#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# bad-definition.sh: a domain with an invalid <cxl-dcd> is refused by define and create with one
# clear message; an earlier definition stays

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

# refuse MESSAGE [define's OPTION...]: the domain "defined", which exists already, is refused as
# standard input has it
refuse()
{
    local message=$1

    shift
    put bad.xml
    unchanged "define${1:+ $1}: $message" defined "$message" client define "$SCRATCH/bad.xml" "$@"
}

# defined DEVICES [ARGUMENTS] [TOP]
defined()
{
    domain defined "$1
" "${2-}" "${3-}"
}

# capacities XML...: capacities to put into a device
capacities()
{
    printf '      <capacity%s</capacity>\n' "$@"
}

SIZE="<size unit='MiB'>256</size>"

devices()
{
    refuse "XML error: the <size> of <cxl-dcd> 'cxl-dcd0', 1048576000 bytes, does not make 3 regions of a multiple of 256 MiB each" \
        <<<"$(defined "$(device tagged 1000 3)")"
    refuse "does not make 1 region of a multiple of 256 MiB each" <<<"$(defined "$(device static 257)")"
    refuse "XML error: <cxl-dcd> 'cxl-dcd0' has 9 <regions>: expected 1 to 8" \
        <<<"$(defined "$(device static 2304 9)")"
    refuse "XML error: <cxl-dcd> 'cxl-dcd0' has 0 <regions>: expected 1 to 8" \
        <<<"$(defined "$(device static 1024 0)")"
    refuse "XML error: <cxl-dcd> 'cxl-dcd0' needs a <target> with the <size> of its dynamic capacity" \
        <<<"$(defined "$(device static 0)")"
    refuse "XML error: <cxl-dcd> 'cxl-dcd0' needs a <target>" <<<"$(defined "<cxl-dcd/>")"
    refuse "invalid value '-1' for element <size>" <<<"$(defined "$(device static -1)")"
    refuse "XML error: invalid value 'dynamic' for attribute model of <cxl-dcd>: expected one of 'tagged', 'static'" \
        <<<"$(defined "$(device dynamic)")"
    refuse "XML error: domain 'defined' has two <cxl-dcd> with the alias 'one'" \
        <<<"$(defined "$(device static 256 1 one; device static 256 1 one)")"
    refuse "the alias 'ua-net' of a <cxl-dcd> of domain 'defined' is that of a <serial> too" \
        <<<"$(defined "$(device static 256 1 ua-net)
    <serial type='null'><alias name='ua-net'/></serial>")"
    refuse "invalid value 'a,b' for attribute name of the <alias> of a <cxl-dcd>: expected a letter, then letters, digits, '-', '.', '_'" \
        <<<"$(defined "$(device static 256 1 a,b)")"
    refuse "domain 'defined' has 5 <cxl-dcd> without <address>: at most 4 fit the generated host bridge" \
        <<<"$(defined "$(for _ in 1 2 3 4 5; do device static 256; done)")"
    refuse "<cxl-dcd> 'cxl-dcd0' of model 'tagged' has no <source>: each <capacity> brings its own" \
        <<<"$(defined "$(device tagged 256 1 '' "<source type='ram'/>")")"
    refuse "<driver name='qemu'> of <cxl-dcd> 'cxl-dcd0' goes with model 'tagged'" \
        <<<"$(defined "$(device static 256 1 '' "<driver name='qemu'/>")")"
    refuse "a <source> of type 'file' needs a <path> that begins with '/', not ''" \
        <<<"$(defined "$(device static 256 1 '' "<source type='file'/>")")"
    refuse "domain 'defined' has no guest NUMA node 3, which <cxl-dcd> 'cxl-dcd0' names" \
        <<<"$(defined "$(device static 256 | sed "s|</target>|<node>3</node></target>|")")"
    refuse "the <qemu:commandline> of domain 'defined' has CXL host bridges or windows of its own" \
        <<<"$(defined "$(device static 256)" "<qemu:arg value='-device'/><qemu:arg value='pxb-cxl,id=x,bus=pcie.0,bus_nr=12'/>")"
    refuse "invalid value 'pci' for attribute type of the <address> of a <cxl-dcd>: expected 'cxl'" \
        <<<"$(defined "$(device static 256 1 '' "<address type='pci' slot='0x3'/>")")"
}

configured()
{
    refuse "XML error: tag '00000000-0000-0000-0000-000000000000' is the nil UUID" \
        <<<"$(defined "$(device tagged 1024 2 '' "$(capacities " tag='00000000-0000-0000-0000-000000000000'>$SIZE")")")"
    refuse "XML error: tag '1' is not a UUID" \
        <<<"$(defined "$(device tagged 1024 2 '' "$(capacities " tag='1'>$SIZE")")")"
    refuse "the <size> of a <capacity> is 0: expected a multiple of 2 MiB" \
        <<<"$(defined "$(device tagged 1024 2 '' "$(capacities "><size>0</size>")")")"
    refuse "the <capacity> has no <size>" <<<"$(defined "$(device tagged 1024 2 '' "$(capacities ">")")")"
    refuse "a capacity of 3145728 bytes is not a multiple of 2 MiB" \
        <<<"$(defined "$(device tagged 1024 2 '' "$(capacities "><size unit='MiB'>3</size>")")")"
    refuse "device 'cxl-dcd0' has no region 2: its regions are 0 to 1" \
        <<<"$(defined "$(device tagged 1024 2 '' "$(capacities " region='2'>$SIZE")")")"
    refuse "invalid value '8' for attribute region: expected a number from 0 to 7" \
        <<<"$(defined "$(device tagged 1024 2 '' "$(capacities " region='8'>$SIZE")")")"
    refuse "a capacity of 268435456 bytes at offset 402653184 does not fit region 0 of device 'cxl-dcd0', which has 536870912 bytes" \
        <<<"$(defined "$(device tagged 1024 2 '' "$(capacities ">$SIZE<offset unit='MiB'>384</offset>")")")"
    refuse "capacities '$(tag 1)' and '$(tag 2)' of <cxl-dcd> 'cxl-dcd0' overlap in region 0" \
        <<<"$(defined "$(device tagged 1024 2 '' "$(capacities \
            " tag='$(tag 1)'>$SIZE<offset>0</offset>" \
            " tag='$(tag 2)'>$SIZE<offset unit='MiB'>254</offset>")")")"
    refuse "domain 'defined' has two capacities with the tag '$(tag 1)'" \
        <<<"$(defined "$(device tagged 1024 2 one "$(capacities " tag='$(tag 1)'>$SIZE")"
                         device static 1024 2 two "$(capacities " tag='$(tag 1)'>$SIZE")")")"
    refuse "<cxl-dcd> 'cxl-dcd0' of domain 'defined' has 9 capacities: a start can offer the guest at most 8" \
        <<<"$(defined "$(device tagged 1024 2 '' "$(for _ in 1 2 3 4 5 6 7 8 9; do
            capacities "><size unit='MiB'>2</size>"; done)")")"
    refuse "region 0 of <cxl-dcd> 'cxl-dcd0' of domain 'defined' has no free range of 268435456 bytes" \
        <<<"$(defined "$(device tagged 512 2 '' "$(capacities ">$SIZE" ">$SIZE")")")"
    refuse "a capacity of device 'cxl-dcd0' has no <source> of its own: a static device has one for all its memory" \
        <<<"$(defined "$(device static 1024 2 '' "$(capacities ">$SIZE<source type='ram'/>")")")"
}

machines()
{
    refuse "<cxl-dcd> needs PCI Express: domain 'defined' needs <type machine='q35'> under <os>" \
        <<<"$(defined "$(device static)" | sed "s/machine='q35'/machine='pc'/")"
    refuse "<cxl-dcd> needs ACPI, by which the guest finds the CXL host bridge: domain 'defined' needs <features><acpi/></features>" \
        <<<"$(defined "$(device static)" | sed '/<acpi/d')"
    refuse "<cxl-dcd> needs a guest of architecture x86_64, not 'aarch64'" \
        <<<"$(defined "$(device static)" | sed "s/arch='x86_64' machine='q35'/arch='aarch64' machine='virt'/")"
    refuse "Cannot check QEMU binary /nowhere/qemu: No such file or directory" \
        <<<"$(defined "$(device tagged)" | sed "s|<emulator>.*</emulator>|<emulator>/nowhere/qemu</emulator>|")"
    refuse "not well-formed" <<<"$(defined "<cxl-dcd")"
    refuse "document type declaration" <<<"<!DOCTYPE domain [<!ENTITY a 'b'>]>
$(defined "$(device static)")"
}

# module PATH: makes the daemon look for the QEMU module there
module()
{
    LIBVIRT_CXL_DCD_QEMU_MODULE=$1
    restart_daemon
}

# A QEMU as released, and no module to add tagged capacity
no_module()
{
    local there=$LIBVIRT_CXL_DCD_QEMU_MODULE garbage=$SCRATCH/garbage.so before emulator version need

    emulator=$(command -v "$QEMU")
    version=$("$QEMU" --version | sed -n 's/^QEMU emulator version \([0-9.]*\).*/\1/p')
    need="unsupported configuration: <cxl-dcd> 'cxl-dcd0' of model 'tagged' needs a QEMU with tagged dynamic capacity: $emulator (QEMU $version) does not have it, and the QEMU module"
    boot held "$(device tagged)
"
    must guest held map
    before=$(stored_config held)

    module /nowhere/cxl-tagged.so
    refuse "$need /nowhere/cxl-tagged.so cannot give it: there is no such file. model='static' works with this QEMU unmodified" \
        <<<"$(defined "$(device tagged)")"
    domain created "$(device tagged)
" | put bad.xml
    unchanged "create without the module" defined "$need /nowhere/cxl-tagged.so cannot give it: there is no such file" \
        client create --paused "$SCRATCH/bad.xml"
    is "the domain is not there" "$(stock list --all --name | grep -c created)" 0
    is "domcapabilities has the other model alone" \
        "$(client domcapabilities --machine q35 | xmllint --xpath "//cxl-dcd/enum[@name='model']/value" -)" \
        "<value>static</value>"
    echo "not a module" >"$garbage"
    module "$garbage"
    refuse "$need $garbage cannot give it: " <<<"$(defined "$(device tagged)")"
    has "with QEMU's words" "$err" "Could not load plugin $garbage"
    has "and what would do" "$err" ". model='static' works with this QEMU unmodified"
    domain other "$(device static)
" | put other.xml
    succeeds "which it does" client define "$SCRATCH/other.xml"
    stock undefine other >/dev/null

    # a domain that was defined while the module was there, now that it is gone
    module "$there"
    mv "$there" "$there.away"
    refuse "$need $there cannot give it: there is no such file" <<<"$(defined "$(device tagged)")"
    capacity "$(tag 1)" 2 | put document.xml
    succeeds "a domain that runs has the module loaded: attach-device works" \
        client attach-device held "$SCRATCH/document.xml" --live
    must guest held accept
    is "as ever" "$(status_of held "$(tag 1)")" accepted
    stop held
    fails "a domain that is defined for it does not start" "$need $there cannot give it: there is no such file" \
        client start --paused held
    unchanged "nor is capacity added to it" held "domain 'held' is not running" \
        client attach-device held "$SCRATCH/document.xml" --live
    is "its definition is as it was" "$(stored_config held)" "$before"
    mv "$there.away" "$there"
    succeeds "when the module is there again it starts" client start --paused held
    remove held
}

unknown()
{
    local xml

    xml=$(defined "$(device static 256 2 | sed "s/<cxl-dcd/& colour='blue'/; s|</target>|<weight>1</weight>&|
        s|>2</regions>|>1</regions>|")")
    put bad.xml <<<"$xml"
    succeeds "define passes over unknown attributes and elements" client define "$SCRATCH/bad.xml"
    is "and does not keep them" "$(stored_config defined | grep -c 'colour\|weight')" 0
    refuse "XML document failed to validate against schema: <cxl-dcd> of domain 'defined': " \
        --validate <<<"$xml"
    xml=$(defined "$(device static 256)")
    refuse "colour" --validate <<<"${xml/<cxl-dcd/<cxl-dcd colour=\'blue\'}"
    refuse "Element target failed to validate content" --validate <<<"${xml/<target>/<target><weight>1</weight>}"
    # a valid domain, and one whose fault is not ours
    domain defined "$(device static 512 2)
" | put bad.xml
    succeeds "define --validate of a good one" client define "$SCRATCH/bad.xml" --validate
    refuse "XML document failed to validate against schema" --validate \
        <<<"$(defined "$(device static)" | sed 's|<vcpu>|<virtual-cpu/>&|')"
}

# in arrangement "both" the daemon does the work
for each in $(some_of daemon client); do
    arrange "$each"
    domain defined "$(device static 512 2)
" | put defined.xml
    must client define "$SCRATCH/defined.xml"
    devices
    configured
    machines
    no_module
    unknown

    must client define "$SCRATCH/defined.xml"
    domain created "$(device static 257)
" | put bad.xml
    unchanged "create" defined "does not make 1 region of a multiple of 256 MiB each" \
        client create --paused "$SCRATCH/bad.xml"
    domain created "$(device static 256 1 '' '<colour/>')
" | put bad.xml
    unchanged "create --validate" defined "XML document failed to validate against schema" \
        client create --paused --validate "$SCRATCH/bad.xml"
    is "neither is there" "$(stock list --all --name | tr -d '\n')" defined
    unchanged "define by a read-only connection" defined "read only access" \
        client -r define "$SCRATCH/bad.xml"
    remove defined
done

finish
