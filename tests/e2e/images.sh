#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# images.sh: <cxl-dcd> appears wherever libvirt prints a domain, and is accepted wherever
# libvirt takes one: a saved state, a snapshot, a checkpoint, QEMU's arguments

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

# plain TEXT XML [COUNT]: XML has <cxl-dcd>, COUNT times, and nothing of the stored form
plain()
{
    is "$1 shows <cxl-dcd>" "$(grep -c '<cxl-dcd model=' <<<"$2")" "${3:-1}"
    is "$1 shows nothing of what is generated from it" \
        "$(grep -c 'cxl-type3\|urn:libvirt-cxl-dcd\|<metadata' <<<"$2")" 0
}

# edit SCRIPT COMMAND...: one of virsh's edit commands, with a sed script as the editor
edit()
{
    printf '#!/bin/sh\nexec sed -i "%s" "$1"\n' "$1" | put editor
    chmod +x "$SCRATCH/editor"
    shift
    EDITOR=$SCRATCH/editor client "$@" </dev/null
}

# devices NAME: the CXL devices that QEMU has
devices()
{
    qmp "$1" qom-list '{"path":"/machine/peripheral"}' | grep -o '"name":"cxl-dcd[0-9]"' | tr '\n' ' '
}

native()
{
    local model=$1

    boot native "$(device "$model" 512 2)
"
    run client dumpxml --inactive native
    printf '%s\n' "$out" | put native.plain
    stock dumpxml native --migratable | put native.stored
    succeeds "$model: domxml-to-native" client domxml-to-native qemu-argv --xml "$SCRATCH/native.plain"
    has "$model: has the device" "$out" "cxl-type3,"
    has "$model: and the bridge" "$out" "pxb-cxl,bus_nr=192,"
    succeeds "$model: domxml-to-native of the form that libvirt keeps" \
        client domxml-to-native qemu-argv --xml "$SCRATCH/native.stored"
    has "$model: has the device" "$out" "cxl-type3,"
    succeeds "$model: domxml-to-native --domain" client domxml-to-native qemu-argv --domain native
    has "$model: has the device too" "$out" "cxl-type3,"
    sed -i "s|<size unit='KiB'>524288|<size unit='KiB'>1000|" "$SCRATCH/native.plain"
    fails "$model: domxml-to-native of one that cannot be" \
        "the <size> of <cxl-dcd> 'cxl-dcd0', 1024000 bytes, does not make 2 regions" \
        client domxml-to-native qemu-argv --xml "$SCRATCH/native.plain"
    remove native
}

# give_back NAME: gives back the capacities that the domain started with, so that it can be saved
give_back()
{
    must guest "$1" accept
    must cxl cxl-dcd-status "$1"
    must cxl cxl-dcd-release "$1" --all
    must guest "$1" release
    must cxl cxl-dcd-status "$1"
}

saved()
{
    boot vm "$(device static 512 1 '' "<capacity tag='$(tag 1)'><size unit='MiB'>2</size></capacity>")
"
    give_back vm
    client dumpxml --inactive vm | sed "s|  <memory unit|  <title>given to save</title>&|" |
        put vm.plain
    must client save vm "$SCRATCH/vm.sav" --xml "$SCRATCH/vm.plain" --paused
    run client save-image-dumpxml "$SCRATCH/vm.sav"
    plain "save-image-dumpxml" "$out"
    has "what save was given is there" "$out" "<title>given to save</title>"
    succeeds "save-image-edit" edit "s|given to save|edited|" save-image-edit "$SCRATCH/vm.sav"
    run client save-image-dumpxml "$SCRATCH/vm.sav"
    plain "save-image-dumpxml of what was edited" "$out"
    has "it is as edited" "$out" "<title>edited</title>"
    put vm.plain <<<"${out/edited/given to restore}"
    succeeds "restore --xml" client restore "$SCRATCH/vm.sav" --xml "$SCRATCH/vm.plain" --paused
    run client dumpxml vm
    plain "dumpxml of what was restored" "$out"
    has "it is what restore was given" "$out" "<title>given to restore</title>"
    is "QEMU has the device" "$(devices vm)" '"name":"cxl-dcd0" '
    is "the guest is what it was: it is offered nothing" "$(status_of vm "$(tag 1)")" ""
    fails "save --xml of one that cannot be" "does not make 1 region" \
        client save vm "$SCRATCH/vm.sav2" --xml <(sed 's|>524288<|>1000<|' "$SCRATCH/vm.plain")
    remove vm
}

managed_saved()
{
    boot vm "$(device static 512 1 '' "<capacity tag='$(tag 1)'><size unit='MiB'>2</size></capacity>")
"
    give_back vm
    must client managedsave vm --paused
    run client managedsave-dumpxml vm
    plain "managedsave-dumpxml" "$out"
    succeeds "managedsave-edit" edit "s|  <memory unit|  <title>edited</title>&|" managedsave-edit vm
    run client managedsave-dumpxml vm
    plain "managedsave-dumpxml of what was edited" "$out"
    has "it is as edited" "$out" "<title>edited</title>"
    succeeds "start of what was saved" client start vm
    is "begins where it ended" "$(client dumpxml vm | grep -c '<title>edited')" 1
    is "with the guest that was saved: it is offered nothing" "$(client dumpxml vm | grep -c "<capacity ")" 0
    is "but is in the definition" "$(client dumpxml --inactive vm | grep -c "<capacity ")" 1

    must client suspend vm
    must client managedsave vm
    half_written vm
    succeeds "start of a state that was not written to its end" client start vm
    is "begins anew: the guest is offered what the definition names" "$(state_of vm "$(tag 1)")" pending
    remove vm
}

# half_written NAME: makes its saved state look half written: libvirt discards it, and starts
# the domain afresh
half_written()
{
    printf LibvirtQemudPart | dd of="$SCRATCH/config/libvirt/qemu/save/$1.save" \
        conv=notrunc status=none
}

# A definition that can no longer be satisfied does not cost a guest its saved state: without a
# saved state the start of the domain fails, with one it succeeds, and the domain keeps running.
managed_saved_impossible()
{
    local file=$SCRATCH/vm.memory half

    for half in no yes; do
        truncate -s 2M "$file"
        boot vm "$(device tagged 512 1 '' "<capacity tag='$(tag 1)'><size unit='MiB'>2</size>
            <source type='file'><path>$file</path></source></capacity>")
"
        give_back vm
        must client managedsave vm --paused
        truncate -s 4M "$file"
        [ "$half" = no ] || half_written vm
        succeeds "start of what was saved, without its file (half written: $half)" \
            client start --paused vm
        is "it runs" "$(stock domstate vm)" paused
        is "and has nothing of it" "$(client dumpxml vm | grep -c "<capacity ")" 0
        if [ "$half" = yes ]; then
            has "what is missing is said" "$(cat "$SCRATCH/log/daemon"; echo "$err")" \
                "domain 'vm' goes on from its managed save, without all capacities of its definition: "
        fi
        stop vm
        fails "start of the same anew" "$file" client start --paused vm
        is "does not leave it running" "$(stock domstate vm)" "shut off"
        remove vm
    done
}

# What libvirt stores for the snapshot: it reorders its own elements and writes the metadata as
# a client gave it
snapshot_kept()
{
    sed '/<description>/d' "$SCRATCH/config/libvirt/qemu/snapshot/vm/one.xml"
}

snapshots()
{
    boot vm "$(device static 512)
"
    must client snapshot-create-as vm one --memspec "$SCRATCH/vm.memory"
    must client resume vm
    run client snapshot-dumpxml vm one
    plain "snapshot-dumpxml" "$out" 2
    is "is well-formed" "$(xmllint --xpath 'count(//devices/cxl-dcd)' - <<<"$out")" 2
    is "and indented as the rest" "$(grep -c "^      <cxl-dcd model='static'>" <<<"$out")" 2
    before=$(snapshot_kept)
    succeeds "snapshot-edit" edit "s|<name>one</name>|&<description>edited</description>|" \
        snapshot-edit vm one
    run client snapshot-dumpxml vm one
    plain "snapshot-dumpxml of what was edited" "$out" 2
    has "it is as edited" "$out" "<description>edited</description>"
    is "and nothing else has changed" "$(snapshot_kept)" "$before"
    put one.xml <<<"${out/>524288</>1000<}"
    fails "snapshot-create --redefine of one that cannot be" "does not make 1 region" \
        client snapshot-create vm "$SCRATCH/one.xml" --redefine
    run client snapshot-dumpxml vm one
    put one.xml <<<"${out/<cxl-dcd/<cxl-dcd colour=\'blue\'}"
    run client snapshot-create vm "$SCRATCH/one.xml" --redefine --validate
    has "snapshot-create --validate checks it" "$err" "failed to validate against schema"
    run client snapshot-dumpxml vm one
    succeeds "snapshot-revert" client snapshot-revert vm one
    is "QEMU has the device" "$(devices vm)" '"name":"cxl-dcd0" '
    run client dumpxml vm
    plain "dumpxml after it" "$out"
    must client snapshot-delete vm one --metadata
    remove vm
}

# A snapshot that was edited does not tell either what of the start is done.
reverted()
{
    boot vm "$(device static 512 1 '' "<capacity tag='$(tag 1)'><size unit='MiB'>2</size></capacity>")
"
    give_back vm
    must client snapshot-create-as vm one --memspec "$SCRATCH/vm.memory"
    must edit "s|<name>one</name>|&<description>edited</description>|" snapshot-edit vm one
    must client snapshot-revert vm one
    sleep 1
    is "the guest of a snapshot goes on: it is offered nothing" \
        "$(client dumpxml vm | grep -c "<capacity ")" 0
    is "but is in the definition" "$(client dumpxml --inactive vm | grep -c "<capacity ")" 1
    must client snapshot-delete vm one --metadata
    remove vm
}

checkpoints()
{
    truncate -s 1M "$SCRATCH/disk.raw"
    boot vm "$(device static 512)
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='$SCRATCH/disk.raw'/>
      <target dev='vda' bus='virtio'/>
    </disk>
"
    domain=$(client dumpxml vm | sed 's/^/  /')
    put checkpoint.xml <<XML
<domaincheckpoint>
  <name>one</name>
  <creationTime>1700000000</creationTime>
  <disks>
    <disk name='vda' checkpoint='no'/>
  </disks>
$domain
</domaincheckpoint>
XML
    succeeds "checkpoint-create --redefine" \
        client checkpoint-create vm "$SCRATCH/checkpoint.xml" --redefine
    run client checkpoint-dumpxml vm one
    plain "checkpoint-dumpxml" "$out"
    is "what is kept has the device" \
        "$(grep -c 'cxl-type3' "$SCRATCH/config/libvirt/qemu/checkpoint/vm/one.xml")" 1
    run client checkpoint-dumpxml vm one --no-domain
    is "checkpoint-dumpxml --no-domain has no domain" "$(grep -c '<domain ' <<<"$out")" 0
    must client checkpoint-delete vm one --metadata
    remove vm
}

# A domain XML for the destination of a migration is checked before anything is migrated.
migration()
{
    boot vm "$(device static 512)
"
    client dumpxml --inactive vm | sed 's|>524288<|>1000<|' | put vm.plain
    for option in xml persistent-xml; do
        fails "migrate --$option of one that cannot be" "does not make 1 region" \
            client migrate vm --p2p --live --persistent "--$option" "$SCRATCH/vm.plain" \
            "qemu+unix:///session?socket=/nowhere"
    done
    client dumpxml --inactive vm | put vm.plain
    run client migrate vm --p2p --live --xml "$SCRATCH/vm.plain" "qemu+unix:///session?socket=/nowhere"
    has "migrate --xml of one that can be is for libvirt" "$err" "/nowhere"
    remove vm
}

for each in $(some_of daemon client both); do
    arrange "$each"
    native static
    snapshots
    # in arrangement "both" the daemon does the work
    [ "$each" != both ] || continue
    native tagged
    saved
    managed_saved
    managed_saved_impossible
    # what is offered without a client is offered by the daemon
    [ "$each" != daemon ] || reverted
    checkpoints
    migration
done

finish
