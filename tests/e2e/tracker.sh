#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# tracker.sh: the daemon keeps the states up to date by itself: the only client is the stock
# virsh, and asks for nothing but dumpxml and its events

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

# follows MODEL: follows a capacity through all its states
follows()
{
    local model=$1 name=follows-$1 before

    boot "$name" "$(device "$model")
"
    must qmp "$name" query-status
    before=$(objects "$name")
    capacity "$(tag 1)" 256 | put capacity.xml
    must guest "$name" map

    must stock attach-device "$name" "$SCRATCH/capacity.xml" --live
    is "$model: offered" "$(state_of "$name" "$(tag 1)")" pending
    sleep 3
    is "$model: the guest does not answer: pending" "$(state_of "$name" "$(tag 1)")" pending
    must guest "$name" accept
    eventually "$model: the guest accepts, late" accepted state_of "$name" "$(tag 1)"
    is "$model: so much is held" "$(current_of "$name")" $((256 * 1024))
    must stock detach-device "$name" "$SCRATCH/capacity.xml" --live
    sleep 1
    is "$model: the guest does not give it back: releasing" \
        "$(state_of "$name" "$(tag 1)")" releasing
    must guest "$name" release
    eventually "$model: the guest gives it back, late" "" state_of "$name" "$(tag 1)"
    is "$model: its memory is freed" "$(objects "$name")" "$before"

    must stock attach-device "$name" "$SCRATCH/capacity.xml" --live
    must guest "$name" refuse
    eventually "$model: the guest refuses" rejected state_of "$name" "$(tag 1)"
    is "$model: its memory is freed" "$(objects "$name")" "$before"
    must stock detach-device "$name" "$SCRATCH/capacity.xml" --live
    is "$model: what was refused is forgotten" "$(state_of "$name" "$(tag 1)")" ""
    remove "$name"
}

# changes FILE: the tags of the capacities whose records have changed, as seen by virsh
changes()
{
    grep -o "urn:libvirt-cxl-dcd:capacity:1.0:$UUID" "$1" | grep -o "$UUID\$" | sort -u
}

# tells: a listening client is notified of what the guest did
tells()
{
    local listener

    boot events "$(device tagged)
"
    capacity "$(tag 1)" 256 | put capacity.xml
    must stock attach-device events "$SCRATCH/capacity.xml" --live
    stock event --event metadata-change --loop --timeout 30 >"$SCRATCH/events" 2>&1 &
    listener=$!
    wait_for "waited for a listener" hears "$SCRATCH/events"
    must guest events accept
    eventually "the guest's answer comes as libvirt's metadata-change event" "$(tag 1)" \
        changes "$SCRATCH/events"
    kill "$listener" 2>/dev/null
    wait "$listener" 2>/dev/null
    remove events
}

hears()
{
    must stock metadata events --uri urn:example --key x --live --set "<x n='$RANDOM'/>"
    grep -q "urn:example" "$1"
}

# at_last: two that take long. One guest does not answer for so long that a pause of more than
# two seconds would still be running when it does; another gives back unasked, of which there is
# no notification.
at_last()
{
    local begun

    boot silent "$(device tagged)
"
    boot unasked "$(device tagged)
"
    must qmp unasked query-status
    capacity "$(tag 1)" 256 | put capacity.xml
    must stock attach-device unasked "$SCRATCH/capacity.xml" --live
    must guest unasked accept
    must stock attach-device silent "$SCRATCH/capacity.xml" --live
    begun=$SECONDS
    eventually "capacity is held" accepted state_of unasked "$(tag 1)"
    must guest unasked release --offset 0 --size $((256 * M))
    # the limit is 30 seconds
    PROMPT=32 promptly "what is given back unasked is noticed" "" state_of unasked "$(tag 1)"
    is "its memory is freed" "$(objects unasked | grep -c "$(tag 1)")" 0

    while [ $((SECONDS - begun)) -lt 35 ]; do
        sleep 0.1
    done
    is "a guest is silent for long" "$(state_of silent "$(tag 1)")" pending
    must guest silent accept
    promptly "and accepts at last" accepted state_of silent "$(tag 1)"

    capacity "$(tag 2)" 256 | put capacity.xml
    must stock attach-device unasked "$SCRATCH/capacity.xml" --live
    must guest unasked accept
    eventually "capacity is held" accepted state_of unasked "$(tag 2)"
    must guest unasked release --offset 0 --size $((256 * M))
    is "what is given back unasked is seen at once when somebody asks" \
        "$(status_of unasked "$(tag 2)")" ""
    remove silent unasked
}

# hung: a QEMU that answers nobody delays no other domain
hung()
{
    local n pid

    for n in 1 2 3 4 5 6; do
        boot "hung$n" "$(device static)
"
        capacity "$(tag "$n")" 256 | put capacity.xml
        must stock attach-device "hung$n" "$SCRATCH/capacity.xml" --live
    done
    boot free "$(device static)
"
    for n in 1 2 3 4 5 6; do
        kill -STOP "$(<"$SCRATCH/run/libvirt/qemu/run/hung$n.pid")"
    done
    # each of them has been asked, and does not answer
    sleep 4
    capacity "$(tag 9)" 256 | put capacity.xml
    must stock attach-device free "$SCRATCH/capacity.xml" --live
    must guest free accept
    WAIT=5 eventually "six QEMUs hang, and the seventh is followed" accepted \
        state_of free "$(tag 9)"
    pid=$daemon
    kill "$pid"
    wait "$pid"
    is "with six that hang the daemon ends well" $? 0
    for n in 1 2 3 4 5 6; do
        kill -CONT "$(<"$SCRATCH/run/libvirt/qemu/run/hung$n.pid")"
    done
    daemon=
    launch_daemon module
    must guest hung1 accept
    eventually "it goes on with those that hung" accepted state_of hung1 "$(tag 1)"
    remove hung1 hung2 hung3 hung4 hung5 hung6 free
}

# reads: a client that may not write, and no other, has started the tracker; what it sees is
# correct, and not the result of its own actions
reads()
{
    boot reads "$(device tagged)
"
    must cxl cxl-dcd-add reads --size 256M --tag "$(tag 1)"
    kill_daemon
    must guest reads accept
    env "LD_PRELOAD=$LIBVIRT_CXL_DCD_DRIVER" "$DAEMON" -t 60 >>"$SCRATCH/log/daemon" 2>&1 &
    daemon=$!
    wait_for "waited for $DAEMON" stock -r uri
    eventually "a client that only reads sees what is true" accepted read_state reads "$(tag 1)"
    capacity "$(tag 1)" 256 | put capacity.xml
    fails "and cannot ask for more" "read only access prevents virDomainDetachDeviceFlags" \
        stock -r detach-device reads "$SCRATCH/capacity.xml" --live
    remove reads
}

read_state()
{
    stock -r dumpxml "$1" | xmllint --xpath "string(//cxl-dcd/capacity[@tag='$2']/@state)" -
}

# complains: what cannot be done is logged once, naming the domain
complains()
{
    boot complains "$(device tagged)
"
    must stock metadata complains --uri "urn:libvirt-cxl-dcd:capacity:1.0:$(tag 1)" --key cxl-dcd \
        --live --set "<capacity tag='$(tag 1)' region='0' state='pending' device='nobody'/>"
    wait_for "waited for a word" grep -q "domain 'complains'" "$SCRATCH/log/daemon"
    sleep 3
    is "what is wrong is said in the daemon's log, once" \
        "$(grep -c "libvirt-cxl-dcd.*domain 'complains' cannot.*names device 'nobody'" \
            "$SCRATCH/log/daemon")" 1
    remove complains
}

arrange daemon
follows tagged
follows static
tells
reads
complains
hung
at_last

finish
