#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# tutorial.sh: the tutorial of QEMU's tagged dynamic capacity series, as a user of libvirt
# follows it: two capacities of 1 GiB, offered, accepted, used and released by tag; once with
# commands, once with XML. QEMU is sent what the tutorial sends, argument for argument,
# according to libvirt's own log of its monitor; tests/requests.c says what is left out of the
# comparison.

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

GiB=$((1024 * M))
FIRST=5be13bce-ae34-4a77-b6c3-16df975fcf1a
SECOND=6be13bce-ae34-4a77-b6c3-16df975fcf1a
WIRE=$SCRATCH/log/wire

daemon_environment=(LIBVIRT_LOG_FILTERS=1:qemu.qemu_monitor
    "LIBVIRT_LOG_OUTPUTS=3:stderr 1:file:$WIRE")

# The tutorial's -device cxl-type3,...,id=cxl-vmem0,num-dc-regions=1,dc-regions-total-size=4G,sn=0x63
machine()
{
    cat <<XML
    <cxl-dcd model='tagged'>
      <serial>0x63</serial>
      <target>
        <size unit='GiB'>4</size>
        <regions>1</regions>
      </target>
      <alias name='cxl-vmem0'/>
    </cxl-dcd>
XML
}

# The properties of the device that QEMU was started with, without its port's name
properties()
{
    tr '\0' '\n' <"/proc/$(<"$SCRATCH/run/libvirt/qemu/run/vm.pid")/cmdline" |
        grep '^cxl-type3,' | tr ',' '\n' | grep -v '^bus=' | sort
}

# With commands: add TAG GIB-OFFSET, release TAG
add_command()
{
    cxl cxl-dcd-add vm --size 1GiB --tag "$1" --offset "${2}GiB" --source ram --shared
}

release_command()
{
    cxl cxl-dcd-release vm --tag "$1"
}

# With XML
add_xml()
{
    put capacity.xml <<XML
<cxl-dcd>
  <capacity tag='$1'>
    <size unit='GiB'>1</size>
    <offset unit='GiB'>$2</offset>
    <source type='ram' access='shared'/>
  </capacity>
</cxl-dcd>
XML
    client attach-device vm "$SCRATCH/capacity.xml" --live
}

release_xml()
{
    put capacity.xml <<<"<cxl-dcd><capacity tag='$1'/></cxl-dcd>"
    client detach-device vm "$SCRATCH/capacity.xml" --live
}

# memory TAG: "size share" of the backend with the tag, according to QEMU
memory()
{
    echo "$(qmp vm qom-get "{\"path\":\"/objects/cxl-dcd-$1\",\"property\":\"size\"}" | cut -d , -f 1)" \
        "$(qmp vm qom-get "{\"path\":\"/objects/cxl-dcd-$1\",\"property\":\"share\"}" | cut -d , -f 1)"
}

# tutorial HOW: "command" or "xml"
tutorial()
{
    local how=$1 objects tag

    boot vm "$(machine)
"
    is "$how: the device has a size, no memory, and what else the tutorial gives it" \
        "$(properties)" "$(printf '%s\n' cxl-type3 dc-regions-total-size=$((4 * GiB)) id=cxl-vmem0 \
            num-dc-regions=1 sn=0x63)"
    must qmp vm query-status
    objects=$(objects vm)
    must guest vm map
    : >"$WIRE"

    succeeds "$how: the first is added" "add_$how" $FIRST 0
    is "$how: its memory" "$(memory $FIRST)" "{\"return\":$GiB {\"return\":true"
    is "$how: it is offered" "$(status_of vm $FIRST)" pending
    run guest vm accept
    is "$how: the guest is told its tag and accepts it" "$out" \
        "accepted region 0 offset 0x0 size 0x40000000 dpa 0x0 tag $FIRST"
    is "$how: it is accepted" "$(status_of vm $FIRST)" accepted
    must guest vm write 0 4096 1122334455667788
    succeeds "$how: the second is added" "add_$how" $SECOND 1
    is "$how: its memory" "$(memory $SECOND)" "{\"return\":$GiB {\"return\":true"
    run guest vm accept
    is "$how: the guest accepts the second" "$out" \
        "accepted region 0 offset 0x40000000 size 0x40000000 dpa 0x40000000 tag $SECOND"
    is "$how: it is accepted" "$(status_of vm $SECOND)" accepted
    must guest vm write 0 $((GiB + 4096)) a5a5
    is "$how: each keeps what the guest writes" \
        "$(guest vm read 0 4096 8) $(guest vm read 0 $((GiB + 4096)) 2)" "1122334455667788 a5a5"

    succeeds "$how: the first is asked back" "release_$how" $FIRST
    is "$how: it is not yet given back" "$(status_of vm $FIRST)" releasing
    is "$how: and can be read" "$(guest vm read 0 4096 8)" 1122334455667788
    run guest vm release
    is "$how: the guest gives it back" "$out" \
        "released region 0 offset 0x0 size 0x40000000 dpa 0x0 tag $FIRST"
    is "$how: it is gone" "$(status_of vm $FIRST)" ""
    is "$how: its place reads 0, the second is as it was" \
        "$(guest vm read 0 4096 8) $(guest vm read 0 $((GiB + 4096)) 2)" "0000000000000000 a5a5"
    is "$how: the second is still accepted" "$(status_of vm $SECOND)" accepted
    succeeds "$how: the second is asked back" "release_$how" $SECOND
    must guest vm release
    is "$how: it is gone" "$(status_of vm $SECOND)" ""
    is "$how: QEMU has the memory that it started with" "$(objects vm)" "$objects"

    for tag in $FIRST $SECOND; do
        command="what libvirt sent to QEMU about $tag"
        "$FILES/qmp-report" record "$FILES/cover-with-guest.jsonl" "$tag" >"$SCRATCH/tutorial.want"
        "$FILES/qmp-report" log "$WIRE" "$tag" >"$SCRATCH/tutorial.got"
        is "$how: the tutorial has five requests for it" "$(wc -l <"$SCRATCH/tutorial.want")" 5
        same "$how: libvirt sends these, and no other" "$SCRATCH/tutorial.want" "$SCRATCH/tutorial.got"
    done
    remove vm
}

for each in daemon client; do
    arrange "$each"
    tutorial command
    tutorial xml
done

finish
