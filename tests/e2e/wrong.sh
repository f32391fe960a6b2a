#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# wrong.sh: wrong invocations that are only detected with a daemon, or without one: each is
# reported on one line, with what would be right; tests/test-virsh-cxl-commands.c has those that
# need no daemon

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

# wrong STATUS MESSAGE OPTION...: virsh-cxl with these options exits with STATUS, and prints
# nothing but "error: " and MESSAGE, which may be a pattern, on one line
wrong()
{
    local wanted=$1 message=$2

    shift 2
    run cxl "$@"
    # shellcheck disable=SC2053
    if [ "$status" -ne "$wanted" ]; then
        fail "$*" "expected: exit status $wanted"
    elif [ -n "$out" ]; then
        fail "$*" "expected: nothing on standard output"
    elif [ "$(wc -l <"$SCRATCH/err")" -ne 1 ]; then
        fail "$*" "expected: one line"
    elif [[ $err != "error: "$message ]]; then
        fail "$*" "expected: error: $message"
    else
        pass "$*: $message"
    fi
}

commands()
{
    local known="expected one of *cxl-dcd-add,*cxl-dcd-list,*cxl-dcd-release,*cxl-dcd-status*"

    wrong 2 "unknown command: 'cxl-dcd': $known" cxl-dcd
    wrong 2 "unknown command: 'cxl-dcd-remove': $known" cxl-dcd-remove vm
    wrong 2 "unknown command: 'cxl-dcd-lst': $known" "cxl-dcd-lst --all"
    wrong 2 'missing "' 'cxl-dcd-status "vm'
    wrong 2 "command 'cxl-dcd-status' requires <domain> option" "cxl-dcd-status"
    wrong 2 "command 'cxl-dcd-status' requires <domain> option" -q -r cxl-dcd-status
}

connections()
{
    local needs="(it takes a URI such as qemu:///system, a libvirtd or virtqemud that runs there, and access to it)"

    wrong 1 "failed to connect to qemu+unix:///session?socket=/nonexistent $needs: *" \
        -c "qemu+unix:///session?socket=/nonexistent" cxl-dcd-list
    wrong 1 "failed to connect to qemu:///nowhere $needs: *" -c qemu:///nowhere cxl-dcd-status vm
    wrong 1 "failed to connect to qemu $needs: *" -c qemu cxl-dcd-list
    wrong 1 "CXL dynamic capacity needs a connection to QEMU, such as --connect qemu:///system, not to TEST" \
        -c test:///default cxl-dcd-list
    wrong 1 "CXL dynamic capacity needs a connection to QEMU, such as --connect qemu:///system, not to TEST" \
        -c test:///default cxl-dcd-add test --size 2M
}

domains()
{
    local size="--size 2M"

    # shellcheck disable=SC2086
    {
        wrong 1 "failed to get domain 'none' ('list --all' shows the domains that there are): Domain not found*" \
            cxl-dcd-add none $size
        wrong 1 "failed to get domain '99' ('list --all' *" cxl-dcd-release 99 --all
        wrong 1 "failed to get domain '$(tag 9)' ('list --all' *" cxl-dcd-status "$(tag 9)"

        # without a device
        wrong 1 "Failed to add capacity to domain 'plain': * its definition needs a <cxl-dcd> under <devices>" \
            cxl-dcd-add plain $size
        wrong 1 "Failed to add capacity to domain 'plain': * it needs a <cxl-dcd> under <devices>" \
            cxl-dcd-add plain $size --config
        wrong 1 "Failed to list the capacity of domain 'plain': * its definition needs a <cxl-dcd> under <devices>" \
            cxl-dcd-release plain --all
        wrong 1 "Failed to get the capacity of domain 'plain': * its definition needs a <cxl-dcd> under <devices>" \
            cxl-dcd-status plain
        wrong 1 "Failed to get the capacity of domain 'plain': * it needs a <cxl-dcd> under <devices>" \
            cxl-dcd-status plain --config --format xml

        # not running
        wrong 1 "domain 'off' is not running, as --live needs it: start it, or use --config to change its definition" \
            cxl-dcd-add off $size --live
        wrong 1 "domain 'off' is not running, as --wait needs it: start it, or leave out --wait" \
            cxl-dcd-add off $size --wait
        wrong 1 "domain 'off' is not running, as --live needs it: start it, or *" \
            cxl-dcd-release off --all --live
        wrong 1 "domain 'off' is not running, as --force needs it: start it, or leave out --force" \
            cxl-dcd-release off --tag "$(tag 1)" --force
        wrong 1 "domain 'off' is not running, and has no QEMU to ask: start it, or leave out --refresh" \
            cxl-dcd-status off --refresh
        wrong 1 "domain 'off' is not running, and a map shows what a guest has: start it, or show its definition with cxl-dcd-status" \
            cxl-dcd-map off
        wrong 1 "failed to get domain 'none' ('list --all' *" cxl-dcd-map none
        wrong 1 "failed to get domain 'none' ('list --all' *" cxl-dcd-event none

        # before the command
        wrong 2 "there is no option '-z' before a command, or it lacks its value: virsh-cxl --help lists them; options of a command come after its name" \
            -z cxl-dcd-list
        wrong 2 "there is no option '--conect' before a command, *" --conect x cxl-dcd-list
        wrong 2 "there is no option '--format' before a command, *" --format json cxl-dcd-list
        wrong 1 "Failed to release capacity $(tag 1) of domain 'off' (cxl-dcd-status shows what it has): * the definition of domain 'off' has no capacity with the tag '$(tag 1)'" \
            cxl-dcd-release off --tag "$(tag 1)"
        wrong 1 "domain 'off' has no CXL dynamic capacity device 'other': it has 'cxl-dcd0'" \
            cxl-dcd-status off --device other

        # without a definition
        wrong 1 "domain 'transient' is transient and has no definition beside what runs: leave out --config" \
            cxl-dcd-add transient $size --config
        wrong 1 "domain 'transient' is transient and has no definition beside what runs: leave out --config" \
            cxl-dcd-release transient --all --live --config
        wrong 1 "domain 'transient' is transient and has no definition beside what runs: leave out --config" \
            cxl-dcd-status transient --config

        # read-only
        wrong 2 "A read-only connection cannot add capacity: leave out --readonly" \
            -r cxl-dcd-add off $size
        wrong 2 "A read-only connection cannot release capacity: leave out --readonly" \
            -r cxl-dcd-release off --all
        wrong 2 "A read-only connection cannot ask QEMU: leave out --readonly" \
            -r cxl-dcd-status off --refresh
    }
}

# What is only wrong for this domain.
values()
{
    local size="--size 2M" failed="Failed to add capacity to domain 'vm':"

    # shellcheck disable=SC2086
    {
        wrong 1 "$failed *does not fit region 0 of device 'cxl-dcd0', which has *" \
            cxl-dcd-add vm --size 2G
        wrong 1 "$failed *has no region 7: its regions are 0 to 0" cxl-dcd-add vm $size --region 7
        wrong 1 "$failed *has no <cxl-dcd> with the alias 'other': it has 'cxl-dcd0'" \
            cxl-dcd-add vm $size --device other
        wrong 1 "$failed *has a capacity with the tag '$(tag 1)' already*: give another tag, or none" \
            cxl-dcd-add vm $size --tag "$(tag 1)"
        wrong 1 "$failed *overlaps capacity '$(tag 1)' *: leave the offset out, and a free place is chosen" cxl-dcd-add vm $size --offset 0
        wrong 2 "Invalid value '/x ' for <path> option: it begins or ends with a space, which *" \
            cxl-dcd-add vm $size --path "/x "
        wrong 1 "$failed *'/nonexistent/file' of a capacity is not there and cannot be made: there is no directory '/nonexistent'" cxl-dcd-add vm $size --path /nonexistent/file

        # what only QEMU detects: its message, and what to check
        wrong 1 "$failed *cannot bind memory to host NUMA nodes: Invalid argument (the host's NUMA nodes are listed in /sys/devices/system/node)" \
            cxl-dcd-add vm $size --nodeset 127
        if [ "$(cat /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages)" = 0 ]; then
            wrong 1 "$failed *unable to map backing store for guest RAM: Cannot allocate memory (huge pages of this size must be reserved first, in /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages)" \
                cxl-dcd-add vm $size --pagesize 2M
        fi
        wrong 1 "$failed *Permission denied (QEMU's user must be able to open '/nothing' for reading and writing)" \
            cxl-dcd-add vm $size --path /nothing

        wrong 1 "cannot read the XML of the capacity, which --file names: *" \
            cxl-dcd-add vm --file "$SCRATCH/nothing"
        echo '<cxl-dcd><capacity>' >"$SCRATCH/bad.xml"
        wrong 1 "$failed *" cxl-dcd-add vm --file "$SCRATCH/bad.xml"
        echo '<cxl-dcd/>' >"$SCRATCH/bad.xml"
        wrong 1 "$failed *has one <capacity>, not 0: *" cxl-dcd-add vm --file "$SCRATCH/bad.xml"
        : >"$SCRATCH/bad.xml"
        wrong 1 "$failed *" cxl-dcd-add vm --file "$SCRATCH/bad.xml"
    }

    wrong 1 "Failed to release capacity $(tag 9) of domain 'vm' (cxl-dcd-status shows what it has): *has no capacity with the tag '$(tag 9)'*" \
        cxl-dcd-release vm --tag "$(tag 9)"
    wrong 1 "Failed to release capacity $(tag 1) of domain 'vm': *has not answered the offer of capacity '$(tag 1)': it can be released once *" \
        cxl-dcd-release vm --tag "$(tag 1)"
    must guest vm accept
    wrong 1 "Failed to release capacity $(tag 1) of domain 'vm' by force (without --force the guest is asked for it): *" \
        cxl-dcd-release vm --tag "$(tag 1)" --force
    wrong 1 "domain 'vm' has no CXL dynamic capacity device 'other': it has 'cxl-dcd0'" \
        cxl-dcd-release vm --all --device other
    wrong 3 "Timed out after 1 s: capacity $(tag 1) of domain 'vm' is releasing: the guest has not given it back; the request stands" \
        cxl-dcd-release vm --tag "$(tag 1)" --wait --timeout 1
}

for each in $(some_of daemon client); do
    arrange "$each"
    boot vm "$(device tagged)
"
    must cxl cxl-dcd-add vm --size 2M --tag "$(tag 1)"
    boot plain
    domain off "$(device static)
" | put off.xml
    must client define "$SCRATCH/off.xml"
    domain transient "$(device static)
" | put transient.xml
    must client create --paused "$SCRATCH/transient.xml"

    [ "$each" != client ] || commands
    connections
    domains
    values
    is "nothing of it has changed anything" "$(cxl -q cxl-dcd-list --all --format json | tr , '\n' |
        grep -c '"tag"')" 1
    remove vm plain off transient
done

# no daemon is running
stop_daemon
arrangement=
wrong 1 "failed to connect to qemu+unix:///session?socket=$SCRATCH/run/libvirt/nobody (it takes a URI *" \
    -c "qemu+unix:///session?socket=$SCRATCH/run/libvirt/nobody" cxl-dcd-status vm
wrong 1 "failed to connect to qemu+unix:///system?socket=$SCRATCH (it takes *" \
    -c "qemu+unix:///system?socket=$SCRATCH" cxl-dcd-list
# or a daemon that denies the test access
if ! stock -c qemu:///system uri >/dev/null 2>&1; then
    wrong 1 "failed to connect to qemu:///system (it takes a URI such as qemu:///system, a libvirtd or virtqemud that runs there, and access to it): *" \
        -c qemu:///system cxl-dcd-status none
fi

finish
