#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# byte-identity.sh: outside of <cxl-dcd> the module changes no byte of domain XML
#
# The reference is what the stock virsh prints from a stock daemon. A running domain is the same
# running domain for all daemons: they come and go, and it stays.

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

QEMU_NAMESPACE="xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'"

# variant NAME [DOMAIN-NAME] [DEVICE]: domains that differ in what is at the places where our
# own elements go, or that mention us without having any
variant()
{
    local name=${2:-$1} namespace='' head='' tail=''

    case $1 in
    bare) ;;
    words)
        head="  <title>cxl-dcd &amp; &lt;cxl-dcd&gt;</title>
  <description>urn:libvirt-cxl-dcd:domain:1.0 is 'ours', ünïcode</description>
" ;;
    metadata)
        head="  <metadata>
    <app:note xmlns:app='urn:example:app' level='1'>a &amp; b<app:cxl-dcd model='x'/></app:note>
    <other:list xmlns:other='urn:example:other'>
      <other:item/>

      <other:item>  two  </other:item>
    </other:list>
  </metadata>
" ;;
    arguments)
        namespace=" $QEMU_NAMESPACE"
        tail="  <qemu:commandline>
    <qemu:arg value='-name'/>
    <qemu:arg value='a&amp;b'/>
    <qemu:env name='A' value='cxl-dcd'/>
  </qemu:commandline>
" ;;
    override)
        namespace=" $QEMU_NAMESPACE"
        tail="  <qemu:capabilities>
    <qemu:del capability='nbd-tls'/>
  </qemu:capabilities>
" ;;
    both)
        namespace=" $QEMU_NAMESPACE"
        head="  <metadata>
    <app:note xmlns:app='urn:example:app'>text</app:note>
  </metadata>
"
        tail="  <qemu:commandline>
    <qemu:arg value='-qtest'/>
    <qemu:arg value='unix:$SCRATCH/$name.qtest,server=on,wait=off'/>
  </qemu:commandline>
" ;;
    esac
    cat <<XML
<domain type='qemu'$namespace>
  <name>$name</name>
  <uuid>12345678-1234-4123-8123-$(printf '%s' "$name" | md5sum | cut -c 1-12)</uuid>
$head  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
  </os>
  <features>
    <acpi/>
  </features>
  <devices>
    <emulator>$(command -v "$QEMU")</emulator>
${3-}    <serial type='null'/>
  </devices>
$tail</domain>
XML
}

VARIANTS="bare words metadata arguments override both"

# dump CLIENT NAME OPTIONS...: the output of dumpxml with each of OPTIONS, from one client;
# without our element, and without the number that each start of a domain gets
dump()
{
    local client=$1 name=$2 options script=

    shift 2
    for options in "$@"; do
        script+="echo ' $options:'; dumpxml $name $options; "
    done
    command=$script
    "$client" "$script" | tee "$SCRATCH/whole" |
        sed "/^    <cxl-dcd /,/^    <\/cxl-dcd>\$/d
             s/^<domain type='qemu' id='[0-9]*'/<domain type='qemu' id='N'/"
}

ALL=("" --inactive --migratable --security-info --update-cpu "--inactive --security-info")
OURS=("" --inactive --security-info --update-cpu "--inactive --security-info")

# What the stock programs print for domains without <cxl-dcd>, running or not, and for those
# that will get one, before they have it.
arrange stock
for name in $VARIANTS; do
    variant "$name" | put "$name.xml"
    must stock define "$SCRATCH/$name.xml"
    dump stock "$name" "${ALL[@]}" >"$SCRATCH/defined.$name"
    must stock start --paused "$name"
    dump stock "$name" "${ALL[@]}" >"$SCRATCH/running.$name"
    dump stock "$name" "${OURS[@]}" >"$SCRATCH/without.$name"
done

# ------------------------------------------- domains that have no <cxl-dcd>

for each in daemon client both; do
    arrange "$each"
    for name in $VARIANTS; do
        dump client "$name" "${ALL[@]}" >"$SCRATCH/got"
        same "$name, running, without <cxl-dcd>: dumpxml is the stock one" \
            "$SCRATCH/running.$name" "$SCRATCH/got"
        before=$(stored_config "$name")
        client dumpxml --inactive "$name" >"$SCRATCH/again.xml"
        must client define "$SCRATCH/again.xml"
        is "$name: define of it changes nothing" "$(stored_config "$name")" "$before"
        [ "$each" != both ] || stop "$name"
    done
done
for each in daemon client both; do
    arrange "$each"
    for name in $VARIANTS; do
        dump client "$name" "${ALL[@]}" >"$SCRATCH/got"
        same "$name, not running, without <cxl-dcd>: dumpxml is the stock one" \
            "$SCRATCH/defined.$name" "$SCRATCH/got"
    done
done

# ----------------------------------------------- domains that have <cxl-dcd>

declare -A model=(
    [bare]=static [words]=tagged [metadata]=tagged
    [arguments]=static [override]=tagged [both]=static
)
declare -A stored

for each in daemon client both; do
    arrange "$each"
    for name in $VARIANTS; do
        if [ "$each" = daemon ]; then
            remove "$name"
            variant "$name" "$name" "$(device "${model[$name]}" 512 2)
" | put "$name.xml"
        fi
        succeeds "$name: define with <cxl-dcd>" client define "$SCRATCH/$name.xml"
        before=$(stored_config "$name")
        is "$name: what libvirt keeps is the same in each arrangement" \
            "$before" "${stored[$name]=$before}"

        times=2
        [ "$name" != both ] || times=10
        for ((i = 0; i < times; i++)); do
            client dumpxml --inactive "$name" >"$SCRATCH/again.xml"
            run client define "$SCRATCH/again.xml"
            [ "$(stored_config "$name")" = "$before" ] || break
        done
        is "$name: define of dumpxml, $times times, changes nothing" \
            "$(stored_config "$name")" "$before"

        if [ "$each" = daemon ]; then
            must client start --paused "$name"
            [ "$name" != both ] || must cxl cxl-dcd-add "$name" --size 256M
        fi
        dump client "$name" "${OURS[@]}" >"$SCRATCH/got"
        is "$name: each dumpxml has <cxl-dcd> once" \
            "$(grep -c '^    <cxl-dcd ' "$SCRATCH/whole")" "${#OURS[@]}"
        same "$name: and is the stock one without it" "$SCRATCH/without.$name" "$SCRATCH/got"
        client dumpxml --migratable "$name" >"$SCRATCH/migratable.$name.$each"
    done
done

# The same domains, as the stock programs see them.
arrange stock
for name in $VARIANTS; do
    for each in daemon client both; do
        stock dumpxml --migratable "$name" >"$SCRATCH/got"
        same "$name: dumpxml --migratable in arrangement '$each' is what libvirt has" \
            "$SCRATCH/got" "$SCRATCH/migratable.$name.$each"
    done
    is "$name: which has no <cxl-dcd> for another libvirt to stumble over" \
        "$(xmllint --xpath 'count(/domain/devices/cxl-dcd)' "$SCRATCH/got")" 0
    stop "$name"
    case $name in
    bare | metadata)
        succeeds "$name: it starts without the module" stock start --paused "$name"
        has "$name: with its device" \
            "$(qmp "$name" qom-list '{"path":"/machine/peripheral"}')" \
            '"cxl-dcd0","type":"child<cxl-type3>"'
        ;;
    esac
done

finish
