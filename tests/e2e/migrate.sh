#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# migrate.sh: none of libvirt's functions migrates a domain that holds capacity, whether the
# module is in the daemon or in the client; a domain that holds none is migrated, and its device
# works at the destination

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

# The destination: a daemon that believes it is on another host.
there=$SCRATCH/there
THERE="qemu+unix:///session?socket=$there/run/libvirt/libvirt-sock"
MIGRATION="unix://$SCRATCH/migration"

mkdir -m 700 -p "$there"/{run,config/libvirt,cache,data}
echo 'host_uuid = "11111111-2222-4333-8444-555555555555"' >"$there/config/libvirt/libvirtd.conf"

# launch_there module|stock
launch_there()
{
    local module=

    [ "$1" = stock ] || module=$LIBVIRT_CXL_DCD_DRIVER
    env ${module:+"LD_PRELOAD=$module"} XDG_RUNTIME_DIR="$there/run" XDG_CONFIG_HOME="$there/config" \
        XDG_CACHE_HOME="$there/cache" XDG_DATA_HOME="$there/data" LIBVIRT_LOG_OUTPUTS=3:stderr \
        "$DAEMON" -t 60 >>"$SCRATCH/log/there" 2>&1 &
    daemon_there=$!
    wait_for "waited for the other $DAEMON" stock -c "$THERE" uri
}

# virsh's ways to migrate, with an XML for the destination, where the guest has a socket of its own.
managed()
{
    client migrate vm --live "$THERE" --migrateuri "$MIGRATION" --xml "$SCRATCH/there.xml"
}

peer_to_peer()
{
    client migrate vm --live --p2p "$THERE" --migrateuri "$MIGRATION" --xml "$SCRATCH/there.xml"
}

# old FUNCTION: migrates with old-client
old()
{
    local module=

    [ "$arrangement" = daemon ] || module=$LIBVIRT_CXL_DCD_DRIVER
    timeout "$COMMAND_DEADLINE" env ${module:+"LD_PRELOAD=$module"} \
        "$FILES/old-client" "$1" vm "$THERE" "$MIGRATION"
}

# hold NUMBER: makes the domain hold a capacity with that tag
hold()
{
    must cxl cxl-dcd-add vm --size 2M --tag "$(tag "$1")"
    must guest vm accept
    is "it holds capacity" "$(status_of vm "$(tag "$1")")" accepted
}

release()
{
    must cxl cxl-dcd-release vm --all
    must guest vm release
    must cxl cxl-dcd-status vm
}

# refuses WAY...: the migration is refused, and nothing has started at the destination
refuses()
{
    unchanged "$model: $*: refused" vm \
        "domain 'vm' holds 1 capacity of a CXL device, '$(tag 1)', and cannot be migrated" "$@"
    is "$model: $*: the other side has not heard of it" \
        "$(cat "$there/cache/libvirt/qemu/log/vm.log" 2>&1)" \
        "cat: $there/cache/libvirt/qemu/log/vm.log: No such file or directory"
}

status_there()
{
    cxl -q -c "$THERE" cxl-dcd-status vm | grep -F " $(tag 2) " | grep -oE 'pending|accepted'
}

is_gone_there()
{
    ! stock -c "$THERE" list --all --name | grep -qx vm
}

# arrives WAY...: the domain arrives unchanged, and accepts capacity
arrives()
{
    succeeds "$model: $*: goes through when nothing is held" "$@"
    is "$model: $*: it has left" "$(stock domstate vm --reason)" "shut off (migrated)"
    is "$model: $*: <cxl-dcd> is there" \
        "$(client -c "$THERE" dumpxml vm | grep -c "<cxl-dcd model='$model'>")" 1
    capacity "$(tag 2)" 2 | put capacity.xml
    succeeds "$model: $*: capacity is offered there" \
        client -c "$THERE" attach-device vm "$SCRATCH/capacity.xml" --live
    is "$model: $*: to the guest" "$(status_there)" pending
    if [ "$1" != old ]; then
        must guest there accept
        eventually "$model: $*: which accepts it" accepted status_there
    fi
    kill -KILL "$(<"$there/run/libvirt/qemu/run/vm.pid")"
    wait_for "waited for the end of the domain there" is_gone_there
    rm "$there/cache/libvirt/qemu/log/vm.log"
    must client start --paused vm
}

# What was given back before is not offered again on the other side, though the domain that it
# is given there does not tell: neither while it is paused nor when it runs.
has_had_its_offers()
{
    local capacity

    capacity="<capacity tag='$(tag 1)'><size unit='MiB'>2</size></capacity>"
    boot vm "$(device static 512 1 '' "$capacity")
"
    must guest vm accept
    release
    client dumpxml --inactive vm | sed "s|/vm.qtest|/there.qtest|" | put there.xml
    must peer_to_peer
    sleep 2
    is "what was given back is not offered to a guest that has arrived" \
        "$(client -c "$THERE" dumpxml vm | grep -c '<capacity ')" 0
    is "it is in the definition" "$(grep -c '<capacity ' "$SCRATCH/there.xml")" 1
    kill -KILL "$(<"$there/run/libvirt/qemu/run/vm.pid")"
    wait_for "waited for the end of the domain there" is_gone_there
    rm "$there/cache/libvirt/qemu/log/vm.log"
    remove vm
}

# Of a transient domain libvirt makes a definition there from what ran: the next start begins anew.
becomes_persistent()
{
    domain vm "$(device static 512 1 '' \
        "<capacity tag='$(tag 1)'><size unit='MiB'>2</size></capacity>")
" | put vm.xml
    must client create --paused "$SCRATCH/vm.xml"
    must guest vm accept
    release
    must client migrate vm --live --p2p --persistent "$THERE" --migrateuri "$MIGRATION"
    must client -c "$THERE" destroy vm
    succeeds "a domain that has become persistent there is started again" \
        client -c "$THERE" start --paused vm
    is "and offered what its definition names" "$(client -c "$THERE" dumpxml vm |
        grep -o "<capacity tag='$(tag 1)' region='0' state='pending'>" | wc -l)" 1
    must client -c "$THERE" destroy vm
    must client -c "$THERE" undefine vm
    rm "$there/cache/libvirt/qemu/log/vm.log"
}

for each in $(some_of daemon client); do
    arrange "$each"
    launch_there "$(daemon_kind)"
    # Without the module there, the other side offers nothing by itself.
    [ "$each" != daemon ] || has_had_its_offers
    becomes_persistent
    # In the client's own library the public functions, in a daemon those of the protocol.
    olds="virDomainMigrateBegin3 virDomainMigratePerform virDomainMigratePerform3"
    [ "$each" = daemon ] || olds="virDomainMigrate virDomainMigrate2 virDomainMigrateToURI
        virDomainMigrateToURI2"
    for model in static tagged; do
        boot vm "$(device "$model" 512)
"
        client dumpxml --inactive vm | sed "s|/vm.qtest|/there.qtest|" | put there.xml
        hold 1
        refuses managed
        refuses peer_to_peer
        # shellcheck disable=SC2086
        for function in $olds; do
            refuses old "$function"
        done
        release
        arrives managed
        arrives peer_to_peer
        # Left out are ToURI and Perform, which take no URI for the stream and would need a
        # network port, and Begin3, which by itself migrates nothing.
        for function in $olds; do
            case $model/$function in
            static/virDomainMigrate | static/virDomainMigrate2 | static/virDomainMigrateToURI2 | \
                static/virDomainMigratePerform3) arrives old "$function" ;;
            esac
        done
        remove vm
    done
    kill "$daemon_there"
    wait "$daemon_there"
done

finish
