#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# autostart.sh: a domain that the daemon starts by itself, or that was started without the
# module, is offered the capacities of its definition, once; and where the tracker gets the
# client that it needs if there is no other

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

# configured TAG [INNER]: a <capacity> of 128 MiB for a definition
configured()
{
    cat <<XML
      <capacity tag='$1'>
        <size unit='MiB'>128</size>
${2:+        $2
}      </capacity>
XML
}

# reboot: the daemon starts as after a boot of the host, which is when libvirt autostarts domains
reboot()
{
    stop_daemon
    rm -f "$SCRATCH/run/libvirt/qemu/run/autostarted"
    launch_daemon module
}

starts()
{
    local model=$1 name=auto-$1 each before

    domain "$name" "$(device "$model" 1024 1 '' "$(configured "$(tag 1)"; configured "$(tag 2)")
")
" | put "$name.xml"
    must stock define "$SCRATCH/$name.xml"
    must stock autostart "$name"
    before=$(stored_config "$name")
    reboot
    must stock suspend "$name"
    eventually "$model: started by the daemon, the domain is offered its capacities" \
        "1 pending 2 pending " states "$name"
    is "$model: once" "$(offers "$name")" 2
    is "$model: the definition is as it was" "$(stored_config "$name")" "$before"
    has "$model: the next start has them too" "$(stock dumpxml --inactive "$name")" \
        "<capacity tag='$(tag 2)' region='0'>"
    is "$model: what is shown can be defined, and is the same" \
        "$(stock dumpxml --inactive "$name" >"$SCRATCH/again.xml" &&
            stock define "$SCRATCH/again.xml" >/dev/null && stored_config "$name")" "$before"
    is "$model: as can what libvirt keeps for a migration" \
        "$(stock dumpxml --migratable "$name" >"$SCRATCH/again.xml" &&
            stock define "$SCRATCH/again.xml" >/dev/null &&
            stored_config "$name" | grep -c 'urn:libvirt-cxl-dcd:[cs]')" 0
    must stock define "$SCRATCH/$name.xml"

    must guest "$name" accept
    eventually "$model: it accepts them" "1 accepted 2 accepted " states "$name"
    capacity "$(tag 1)" 128 | put capacity.xml
    must stock detach-device "$name" "$SCRATCH/capacity.xml" --live
    must guest "$name" release
    eventually "$model: one is released on purpose" "2 accepted " states "$name"
    for each in TERM KILL; do
        [ $each = TERM ] || kill_daemon
        restart_daemon
        sleep 3
        is "$model: it does not come back with the daemon ($each)" "$(states "$name")" \
            "2 accepted "
        is "$model: nor is anything offered ($each)" "$(offers "$name")" 0
    done

    stop "$name"
    must stock start --paused "$name"
    is "$model: a start begins with both again" "$(states "$name")" "1 pending 2 pending "
    remove "$name"
}

# One that cannot be offered: there is nobody to tell, so it is logged, and the domain runs.
impossible()
{
    domain impossible "$(device tagged 1024 1 '' "$(
        configured "$(tag 1)" "<source type='file'><path>/nowhere/memory</path></source>"
        configured "$(tag 2)")
")
" | put impossible.xml
    must stock define "$SCRATCH/impossible.xml"
    must stock autostart impossible
    reboot
    eventually "what can be offered is" "2 pending " states impossible
    restart_daemon
    sleep 3
    is "what cannot is said in the daemon's log, once" "$(grep -c \
        "domain 'impossible' was started without capacity '$(tag 1)' of its definition: .*/nowhere/memory" \
        "$SCRATCH/log/daemon")" 1
    is "and not tried again" "$(states impossible)" "2 pending "
    is "the domain runs" "$(stock domstate impossible)" running
    stop impossible
    fails "where a client starts it, it does not start" \
        "the file '/nowhere/memory' of a capacity is not there" \
        stock start --paused impossible
    remove impossible
}

# A daemon without the module started the domain, for a client without it.
without()
{
    domain without "$(device tagged 1024 1 '' "$(configured "$(tag 1)")
")
" | put without.xml
    must stock define "$SCRATCH/without.xml"
    arrange stock
    must stock start --paused without
    sleep 1
    is "without the module nothing is offered" "$(offers without)" 0
    arrange daemon
    eventually "with it, it is" "1 pending " states without
    arrange stock
    arrange daemon
    sleep 2
    is "once" "$(offers without) $(states without)" "1 1 pending "
    remove without
}

# first_client: the command that the systemd drop-in runs when the daemon is ready, except for
# its URI
first_client()
{
    local command

    command=$(sed -n "s/^ExecStartPost=-\/bin\/sh -c '\(.*\)'$/\1/p" "$FILES/50-cxl-dcd.conf.in" |
        sed 's|@uri@|qemu:///session?mode=legacy|')
    is "the drop-in has a command" "$(grep -c . <<<"$command")" 1
    run env "LD_PRELOAD=$LIBVIRT_CXL_DCD_DRIVER" "$@" /bin/sh -c "$command"
    is "it succeeds, and is silent" "$status$out$err" 0
}

has_begun()
{
    [ -S "$SCRATCH/nobody.qtest" ]
}

# A host that has booted, where nobody uses libvirt.
nobody()
{
    domain nobody "$(device tagged 1024 1 '' "$(configured "$(tag 1)")
")
" | put nobody.xml
    must stock define "$SCRATCH/nobody.xml"
    must stock autostart nobody
    stop_daemon
    rm -f "$SCRATCH/run/libvirt/qemu/run/autostarted" "$SCRATCH/nobody.qtest"
    first_client
    env "LD_PRELOAD=$LIBVIRT_CXL_DCD_DRIVER" LIBVIRT_LOG_OUTPUTS=3:stderr "$DAEMON" -t 60 \
        >>"$SCRATCH/log/daemon" 2>&1 &
    daemon=$!
    wait_for "waited for the domain" has_begun
    sleep 3
    is "without any client nothing is offered" "$(offers nobody)" 0
    first_client PATH=/nowhere
    sleep 1
    is "nor without virsh" "$(offers nobody)" 0
    first_client
    eventually "the client that the drop-in brings is enough" 1 offers nobody
    remove nobody
}

# A domain with no capacity in its definition gets no mark.
unmarked()
{
    boot unmarked "$(device tagged)
"
    must cxl cxl-dcd-add unmarked --size 128M --tag "$(tag 1)"
    is "a definition without capacities needs no mark" \
        "$(stored_live unmarked | grep -c 'urn:libvirt-cxl-dcd:start')" 0
    remove unmarked
}

arrange daemon
starts tagged
starts static
impossible
without
nobody
unmarked

finish
