#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# commands.sh: the commands as people and scripts use them: the definition along with the
# running domain, formats, names of every kind, and waits that show progress and can be
# interrupted

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

# A name that libvirt accepts and that is special to shells, tables, JSON and XML; and the same
# name as JSON and XML write it.
ODD="odd 'n' \"m\" <c> & [d] é"
ODD_JSON='"name":"odd '\''n'\'' \"m\" <c> & [d] é"'
ODD_XML="odd 'n' \"m\" <c> & [d] é"

# configured: the tags in the definition of "vm", as dumpxml shows them
configured()
{
    client dumpxml --inactive vm | xmllint --xpath '//cxl-dcd/capacity/@tag' - 2>/dev/null |
        grep -o "$UUID" | sort
}

definition()
{
    domain vm "$(device tagged 1024 2)
" | put vm.xml
    must client define "$SCRATCH/vm.xml"

    succeeds "add to a domain that does not run" cxl cxl-dcd-add vm --size 256M --tag "$(tag 1)" --offset 128M
    is "says where it went" "$err" \
        "Capacity added to the definition of domain 'vm': its next start offers it"
    is "prints the tag" "$out" "$(tag 1)"
    is "it is in the definition" "$(configured)" "$(tag 1)"
    must cxl cxl-dcd-add vm --size 2M --tag "$(tag 2)" --region 1 --offset 64M --config
    must cxl cxl-dcd-add vm --size 2M --tag "$(tag 3)" --region 1

    succeeds "status of a domain that does not run" cxl cxl-dcd-status vm
    is "says what it shows" "$err" "Domain 'vm' is not running: this is its definition"
    is "shows the devices and capacities of the definition, in the order of their places" "$out" \
        "Device: cxl-dcd0   Model: tagged   Regions: 2   Size: 1 GiB   Accepted: 0 B   Free: 764 MiB

 Tag                                    Region   Offset    Size      State        For   Source
------------------------------------------------------------------------------------------------
 $(tag 1)   0        128 MiB   256 MiB   configured   -     ram
 $(tag 3)   1        0 B       2 MiB     configured   -     ram
 $(tag 2)   1        64 MiB    2 MiB     configured   -     ram"
    succeeds "by a read-only connection too" cxl -r cxl-dcd-status vm --device cxl-dcd0
    has "in JSON" "$(cxl cxl-dcd-status vm --format json)" \
        "\"active\":false,\"config\":true,\"refreshed\":false,\"devices\":[{\"alias\":\"cxl-dcd0\",\"model\":\"tagged\",\"regions\":2,\"size\":1073741824,\"accepted\":0,\"free\":801112064,\"capacities\":[{\"tag\":\"$(tag 1)\",\"state\":\"configured\",\"region\":0,\"offset\":134217728,\"size\":268435456,\"source\":\"ram\"},"
    is "a list does not have it" "$(cxl -q cxl-dcd-list)" ""
    is "a list of all has" "$(cxl -q cxl-dcd-list --all | wc -l)" 3
    is "and one of what is configured" "$(cxl -q cxl-dcd-list --state configured --tag "$(tag 2)")" \
        " vm   cxl-dcd0   $(tag 2)   1   64 MiB   2 MiB   configured"
    unchanged "a capacity that the definition has" vm "has a capacity with the tag '$(tag 1)' already" \
        cxl cxl-dcd-add vm --size 2M --tag "$(tag 1)"

    succeeds "release from a domain that does not run" cxl cxl-dcd-release vm --tag "$(tag 3)"
    is "says what it did" "$out" "Capacity $(tag 3) removed from the definition"
    is "the others stay" "$(configured)" "$(tag 1)
$(tag 2)"

    must client start --paused vm
    is "the start offers them" "$(cxl -q cxl-dcd-list --state pending | wc -l)" 2
    must guest vm map
    must guest vm accept
    has "status shows the running domain" "$(cxl cxl-dcd-status vm)" " accepted "
    is "status --config its definition" "$(cxl -q cxl-dcd-status vm --config | grep -c configured)" 2
    succeeds "add --live --config" cxl cxl-dcd-add vm --size 4M --tag "$(tag 4)" --live --config
    is "both have it" "$(status_of vm "$(tag 4)") $(configured | grep -c "$(tag 4)")" "pending 1"
    must guest vm accept
    succeeds "add --live" cxl cxl-dcd-add vm --size 4M --tag "$(tag 5)" --live
    is "only the running domain has it" "$(status_of vm "$(tag 5)") $(configured | grep -c "$(tag 5)")" \
        "pending 0"
    must guest vm accept
    succeeds "release --config" cxl cxl-dcd-release vm --tag "$(tag 1)" --config
    is "the running domain keeps it" "$(status_of vm "$(tag 1)") $(configured | grep -c "$(tag 1)")" \
        "accepted 0"
    unchanged "release --live --config of what only one of them has" vm \
        "the definition of domain 'vm' has no capacity with the tag '$(tag 1)'" \
        cxl cxl-dcd-release vm --tag "$(tag 1)" --live --config
    serve vm
    succeeds "release --all --live --config" \
        cxl cxl-dcd-release vm --all --live --config --wait --timeout "$WAIT"
    end_serve
    is "takes each from where it is" "$(configured)$(cxl -q cxl-dcd-list)" ""
    is "and says so" "$(grep -c released <<<"$out") $(grep -c 'removed from the definition' <<<"$out")" \
        "4 2"
    remove vm
}

formats()
{
    domain odd "$(device static)
" | sed "s|<name>odd</name>|<name>odd 'n' \"m\" \&lt;c> \&amp; [d] é</name>|" | put odd.xml
    must client define "$SCRATCH/odd.xml"
    must client start --paused "$ODD"
    must cxl cxl-dcd-add "$ODD" --size 256M --tag "$(tag 1)"
    must guest odd accept

    run cxl cxl-dcd-status "$ODD" --format json
    has "JSON has the name" "$out" "$ODD_JSON"
    has "and the states as QEMU has them" "$out" '"active":true,"config":false,"refreshed":true'
    has "and the capacity, in bytes" "$out" "{\"tag\":\"$(tag 1)\",\"state\":\"accepted\",\"since\":"
    has "and all of it" "$out" ',"region":0,"offset":0,"size":268435456}]}]}'
    is "since is now" \
        "$((($(date +%s) - $(grep -o '"since":[0-9]*' <<<"$out" | cut -d : -f 2)) / WAIT))" 0
    is "on one line" "$(wc -l <<<"$out")" 1
    run cxl cxl-dcd-status "$ODD" --no-refresh --format json
    has "JSON says when QEMU was not asked" "$out" '"refreshed":false'

    run cxl cxl-dcd-list --format xml
    is "XML is well-formed, and has the name" \
        "$(xmllint --xpath 'string(/domains/domain/@name)' "$SCRATCH/out")" "$ODD_XML"
    is "and the state" "$(xmllint --xpath 'string(//capacity/@state)' "$SCRATCH/out")" accepted
    is "in the words of the domain's own XML" \
        "$(xmllint --xpath 'string(//cxl-dcd/target/current)' "$SCRATCH/out")" $((256 * M))
    cxl cxl-dcd-list --format xml --state pending >"$SCRATCH/none"
    is "XML of nothing is well-formed" "$(xmllint --xpath 'count(//domain)' "$SCRATCH/none")" 0
    is "JSON of nothing has no domain" "$(cxl cxl-dcd-list --format json --state pending)" \
        '{"domains":[]}'
    is "a table has the name on one line" "$(cxl -q cxl-dcd-list)" \
        " odd 'n' \"m\" <c> & [d] \\xc3\\xa9   cxl-dcd0   $(tag 1)   0   0 B   256 MiB   accepted"
    fails "an error has the name on one line" \
        "error: Failed to release capacity $(tag 9) of domain 'odd 'n' \"m\" <c> & [d] \\xc3\\xa9' (" \
        cxl cxl-dcd-release "$ODD" --tag "$(tag 9)"

    run cxl domuuid "$ODD"
    is "a domain by its UUID" "$(cxl -q cxl-dcd-status "$out" --format xml | grep -c "$(tag 1)")" 1
    run cxl domid "$ODD"
    is "a domain by its id" "$(cxl -q cxl-dcd-status --domain "$out" --format xml | grep -c "$(tag 1)")" 1
    must stock destroy "$ODD"
    must stock undefine "$ODD"
}

# The messages of a release, with and without something to ask of the guest.
released()
{
    boot vm "$(device tagged)
"
    must guest vm map
    must cxl cxl-dcd-add vm --size 2M --tag "$(tag 1)"
    must guest vm refuse
    succeeds "release of what the guest refused" cxl cxl-dcd-release vm --tag "$(tag 1)"
    is "says that it is gone" "$out" "Capacity $(tag 1) released"
    must cxl cxl-dcd-add vm --size 2M --tag "$(tag 2)"
    must guest vm accept
    must cxl cxl-dcd-add vm --size 2M --tag "$(tag 3)"
    must guest vm refuse
    succeeds "release of all" cxl cxl-dcd-release vm --all
    is "says it of each" "$(sort <<<"$out")" "Capacity $(tag 3) released
Release of capacity $(tag 2) requested"
    remove vm
}

# terminal COLUMNS COMMAND...: runs it in a terminal; "out" is what the terminal shows
terminal()
{
    local columns=$1

    shift
    command="$*"
    out=$(script -qec "stty cols $columns; exec env --default-signal=INT $*" /dev/null </dev/null)
    status=$?
    err=
}

# during CONDITION ACTION COMMAND...: runs ACTION with the process id once CONDITION holds
during()
{
    local condition=$1 action=$2 pid

    shift 2
    command="$*"
    : >"$SCRATCH/out"
    env --default-signal=INT,PIPE "$SCRATCH/bin/virsh-cxl" "$@" >"$SCRATCH/out" 2>"$SCRATCH/err" &
    pid=$!
    wait_for "waited for $condition" "$condition"
    "$action" "$pid"
    wait "$pid"
    status=$?
    out=$(<"$SCRATCH/out")
    err=$(<"$SCRATCH/err")
}

interrupt()
{
    kill -INT "$1"
}

# interrupted CONDITION COMMAND...: interrupts it with Ctrl-C once CONDITION holds
interrupted()
{
    local condition=$1

    shift
    during "$condition" interrupt "$@"
}

replace_daemon()
{
    kill_daemon
    launch_daemon "$(daemon_kind)"
}

has_printed()
{
    [ -s "$SCRATCH/out" ]
}

is_releasing()
{
    [ "$(status_of vm "$(tag 2)")" = releasing ]
}

all_releasing()
{
    [ "$(cxl -q cxl-dcd-list --state releasing | wc -l)" -eq 5 ]
}

waits()
{
    local virsh_cxl=$SCRATCH/bin/virsh-cxl

    boot vm "$(device tagged)
"
    terminal 200 "$virsh_cxl" cxl-dcd-add vm --size 2M --tag "$(tag 1)" --wait --timeout 2
    is "a wait that ends in a terminal: exit status" "$status" 3
    has "a wait shows itself" "$out" $'\r'"pending, 0 s of 2, guest to answer: $(tag 1)"
    has "again and again" "$out" $'\r'"pending, 1 s of 2, guest to answer: $(tag 1)"
    has "and leaves its line to the error" "$out" \
        $'  \r'"error: Timed out after 2 s: capacity $(tag 1) of domain 'vm' is pending: "
    terminal 40 "$virsh_cxl" cxl-dcd-add vm --size 2M --tag "$(tag 2)" --wait --timeout 1
    is "it is never as wide as the terminal" \
        "$(tr '\r' '\n' <<<"$out" | grep -v '^error\|^$' | awk 'length > 40' | wc -l)" 0
    has "and shows what is awaited first" "$out" $'\r'"pending, 0 s of 1, guest to answer: "
    terminal 200 "$virsh_cxl" -q cxl-dcd-add vm --size 2M --tag "$(tag 3)" --wait --timeout 1
    is "--quiet shows nothing of it" "$(grep -c 'guest to answer' <<<"$out")" 0
    run cxl cxl-dcd-add vm --size 2M --tag "$(tag 4)" --wait --timeout 1
    is "nor does a pipe" "$(grep -c 'guest to answer' <<<"$err")" 0

    interrupted has_printed cxl-dcd-add vm --size 2M --tag "$(tag 5)" --wait
    is "Ctrl-C ends a wait: exit status" "$status" 130
    is "it has printed the tag" "$out" "$(tag 5)"
    is "and says what the state is" "$err" \
        "error: Interrupted: capacity $(tag 5) of domain 'vm' is pending: the guest has not answered; the offer stands"
    is "which it is" "$(status_of vm "$(tag 5)")" pending
    must guest vm accept
    interrupted all_releasing cxl-dcd-release vm --all --wait
    is "Ctrl-C ends the wait for a release: exit status" "$status" 130
    is "it says it of each" "$(grep -c 'is releasing: the guest has not given it back' <<<"$err")" 5
    is "and they are asked back" "$(cxl -q cxl-dcd-list --state releasing | wc -l)" 5
    must guest vm release
    succeeds "the release goes on" cxl cxl-dcd-release vm --all --wait --timeout "$WAIT"
    is "to its end" "$(cxl -q cxl-dcd-list)" ""
    remove vm
}

lost()
{
    local lost="the connection to the daemon is lost, and the capacity stays as it is (cxl-dcd-status shows it): "

    boot vm "$(device tagged)
"
    during has_printed kill_daemon cxl-dcd-add vm --size 2M --tag "$(tag 1)" --wait
    launch_daemon "$(daemon_kind)"
    is "a daemon that goes away ends a wait: exit status" "$status" 1
    has "it says what it waited for" "$err" \
        "error: Failed to wait for the guest of domain 'vm' and capacity $(tag 1): $lost"
    is "on one line" "$(wc -l <<<"$err")" 1
    is "it has printed the tag" "$out" "$(tag 1)"
    is "and the state stays" "$(status_of vm "$(tag 1)")" pending

    during has_printed replace_daemon cxl-dcd-add vm --size 2M --tag "$(tag 2)" --wait
    is "so does one that is there again at once: exit status" "$status" 1
    has "it says so" "$err" "capacity $(tag 2): $lost"
    must guest vm map
    must guest vm accept
    during is_releasing replace_daemon cxl-dcd-release vm --tag "$(tag 2)" --wait
    is "of a release as well: exit status" "$status" 1
    has "it says it of a release" "$err" "capacity $(tag 2): $lost"
    is "which stays asked for" "$(status_of vm "$(tag 2)")" releasing

    # output whose reader has gone
    mkfifo "$SCRATCH/unread"
    exec 8<>"$SCRATCH/unread"
    exec 9>"$SCRATCH/unread" 8>&-
    command="cxl-dcd-status vm, unread"
    env --default-signal=PIPE "$SCRATCH/bin/virsh-cxl" cxl-dcd-status vm >&9 2>"$SCRATCH/err"
    is "an output that nobody reads is an error: exit status" "$?" 1
    is "it says so" "$(<"$SCRATCH/err")" "error: cannot write the output"
    exec 9>&-
    rm "$SCRATCH/unread"
    remove vm
}

for each in daemon client; do
    arrange "$each"
    definition
    formats
    released
    lost
    [ "$each" = daemon ] || waits
done

finish
