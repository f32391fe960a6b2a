#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# kill-steps.sh: a client, or the daemon, is killed at each step of its work, on a real libvirt
# and QEMU. The next client to look brings the domain into a correct state: what was begun is
# completed, what was not begun has not happened, each extent has its record and each record its
# extent and its memory.
#
# The steps are the calls that change anything (kill-at.c): after each of them, and before the
# first. Between two of them the process only reads.

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

TAG=$(tag 1)
AT=$SCRATCH/kill-at

# START      DOES     KILLED                        STATIC     TAGGED, in the end
STEPS="
  none       add      before state='adding'         none       none
  none       add      after  state='adding'         pending    pending
  none       add      after  object-add             -          pending
  none       add      after  268435456}]            pending    pending
  none       add      after  state='pending'        pending    pending
  rejected   add      before state='adding'         rejected   rejected
  rejected   add      after  state='adding'         pending    pending
  accepted   release  before state='releasing'      accepted   accepted
  accepted   release  after  state='releasing'      releasing  releasing
  accepted   release  after  removal-policy         releasing  releasing
  accepted   release  after  asked=                 releasing  releasing
  rejected   release  before no-record              rejected   rejected
  rejected   release  after  no-record              none       none
  adding     status   before object-add             -          pending
  adding     status   after  object-add             -          pending
  adding     status   after  268435456}]            pending    pending
  adding     status   after  state='pending'        pending    pending
  taken      status   before state='accepted'       accepted   accepted
  taken      status   after  state='accepted'       accepted   accepted
  refused    status   before object-del             -          rejected
  refused    status   after  object-del             -          rejected
  refused    status   after  state='rejected'       rejected   rejected
  returned   status   before object-del             -          none
  returned   status   after  object-del             -          none
  returned   status   before no-record              none       none
  returned   status   after  no-record              none       none
"

# begin STATE: a capacity in that state, which nobody has looked at since the guest acted
begin()
{
    [ "$1" != none ] || return
    if [ "$1" = adding ]; then
        record "$name" "$TAG" adding
        return
    fi
    must cxl cxl-dcd-add "$name" --size 256M --tag "$TAG"
    case $1 in
    refused | rejected) must guest "$name" refuse ;;
    *) must guest "$name" accept ;;
    esac
    case $1 in
    accepted | rejected | returned) must cxl cxl-dcd-status "$name" ;;
    esac
    if [ "$1" = returned ]; then
        must cxl cxl-dcd-release "$name" --tag "$TAG"
        must guest "$name" release
    fi
}

# act add|release|status: by the client that may be killed
act()
{
    case $1 in
    add) set -- add --size 256M --tag "$TAG" ;;
    release) set -- release --tag "$TAG" ;;
    esac
    env "LD_PRELOAD=$client_preload" "KILL_AT=$AT" \
        "$SCRATCH/bin/virsh-cxl" "cxl-dcd-$1" "$name" "${@:2}" >"$SCRATCH/out" 2>"$SCRATCH/err"
}

# killed DOES WHEN TEXT: the work is killed at that step, and gets no further
killed()
{
    echo "$2 ${3/no-record/no record}" >"$AT"
    command="$1, killed $2 $3"
    { act "$1"; } 2>/dev/null
    status=$?
    out=$(<"$SCRATCH/out")
    err=$(<"$SCRATCH/err")
    rm "$AT"
    if [ "$arrangement" = client ]; then
        is "$text: is killed" "$status" 137
    else
        wait "$daemon" 2>/dev/null
        is "$text: kills the daemon" "$?" 137
        launch_daemon module
    fi
}

# extents: the state of QEMU's one offer or one extent, or none
extents()
{
    if [ -n "$(guest "$name" extents)" ]; then
        echo accepted
    elif guest "$name" events | grep -q ' add '; then
        echo pending
    else
        echo none
    fi
}

# right STATE: the record, the extent and the memory agree with it
right()
{
    local extent=$1 memory=$before

    case $1 in
    releasing) extent=accepted ;;
    rejected) extent=none ;;
    esac
    [ "$extent" = none ] || [ "$model" = static ] ||
        memory=$(sort <<<"$before"$'\n'"cxl-dcd-$TAG")
    eventually "$text: ends" "${1/none/}" status_of "$name" "$TAG"
    is "$text: so says dumpxml" "$(state_of "$name" "$TAG")" "${1/none/}"
    is "$text: QEMU has as much" "$(extents)" "$extent"
    is "$text: and as much memory" "$(objects "$name")" "$memory"
    [ "$1" != releasing ] ||
        has "$text: the guest has been asked" "$(guest "$name" events)" " release "
}

# steps static|tagged
steps()
{
    local model=$1 name=steps-$1 before start does when what static tagged end

    boot "$name" "$(device "$model")
"
    must qmp "$name" query-status
    before=$(objects "$name")
    while read -r start does when what static tagged; do
        # only a client checks the status at a known time: the daemon does it by itself
        [ "$does" != status ] || [ "$arrangement" = client ] || continue
        end=$static
        [ "$model" = static ] || end=$tagged
        [ "${end:--}" != - ] || continue
        text="$model: $does, from $start, $when $what"
        begin "$start"
        killed "$does" "$when" "$what"
        right "$end"
        cleared "$name" "$TAG"
    done <<<"$STEPS"
    remove "$name"
}

arrange client
client_preload=$FILES/kill-at.so
steps static
steps tagged

# the daemon does the work, and is the one killed
client_preload=
daemon_environment=("LD_PRELOAD=$FILES/kill-at.so:$LIBVIRT_CXL_DCD_DRIVER" "KILL_AT=$AT")
arrange daemon
steps static
steps tagged

finish
