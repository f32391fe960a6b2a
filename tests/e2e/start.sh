#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# start.sh: a domain starts with the capacities of its definition, or it does not start

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

# configured TAG SIZE-MiB [INNER] [REGION]: a <capacity> for a definition
configured()
{
    cat <<XML
      <capacity${1:+ tag='$1'} region='${4:-0}'>
        <size unit='MiB'>$2</size>
${3:+        $3
}      </capacity>
XML
}

# offered NAME: "region offset-KiB size-KiB state" of each capacity of the running domain
offered()
{
    client dumpxml "$1" | xmllint --xpath "//cxl-dcd/capacity/@region | //cxl-dcd/capacity/@state |
        //cxl-dcd/capacity/size/text() | //cxl-dcd/capacity/offset/text()" - 2>/dev/null |
        tr -s ' \n' ' ' | sed 's/ region=/\n/g' | sed -n 's/^"\(.\)" state="\([a-z]*\)" *\([0-9]*\) \([0-9]*\) *$/\1 \4 \3 \2/p'
}

# written NAME MODEL: writes a definition with two capacities to NAME.xml
written()
{
    domain "$1" "$(device "$2" 1024 2 '' "$(configured "$(tag 1)" 256
        configured '' 128 "<offset unit='MiB'>64</offset>" 1)
")
" | put "$1.xml"
}

starts()
{
    local model=$1 before

    written persistent "$model"
    must client define "$SCRATCH/persistent.xml"
    before=$(stored_config persistent)
    has "$model: the definition keeps its capacities" "$(client dumpxml persistent)" \
        "<capacity tag='$(tag 1)' region='0'>"
    is "$model: they have no state" "$(client dumpxml persistent | grep -c ' state=')" 0
    succeeds "$model: start" client start --paused persistent
    is "$model: start offers them" "$(offered persistent)" "0 0 262144 pending
1 65536 131072 pending"
    is "$model: to the guest" "$(guest persistent events | grep -c ' add ')" 2
    is "$model: under their tags" "$(state_of persistent "$(tag 1)")" pending
    is "$model: the definition is as it was" "$(stored_config persistent)" "$before"
    must guest persistent accept
    run cxl cxl-dcd-status persistent
    is "$model: they are accepted" "$(current_of persistent)" $((384 * 1024))
    must cxl cxl-dcd-add persistent --size 2M
    is "$model: what was added is not in the definition" \
        "$(client dumpxml --inactive persistent | grep -c '<capacity ')" 2

    stop persistent
    is "$model: the definition outlives the domain's end" "$(stored_config persistent)" "$before"
    is "$model: with no state" "$(client dumpxml persistent | grep -c ' state=\|<current ')" 0
    succeeds "$model: start again" client start --paused persistent
    is "$model: begins with the same, pending" "$(offered persistent)" "0 0 262144 pending
1 65536 131072 pending"
    remove persistent

    written transient "$model"
    succeeds "$model: create" client create --paused "$SCRATCH/transient.xml"
    is "$model: create offers them" "$(offered transient)" "0 0 262144 pending
1 65536 131072 pending"
    capacity "$(tag 1)" 2 | put document.xml
    unchanged "$model: a transient domain has no definition to change" transient transient \
        client attach-device transient "$SCRATCH/document.xml" --config
    must guest transient accept
    run cxl cxl-dcd-status transient
    is "$model: they are accepted" "$(current_of transient)" $((384 * 1024))
    must cxl cxl-dcd-release transient --tag "$(tag 1)"
    must guest transient release
    is "$model: and can be released" "$(status_of transient "$(tag 1)")" ""
    stop transient
    is "$model: it leaves nothing" "$(stock list --all --name | tr -d '\n')" ""
}

# impossible TEXT MESSAGE DEVICE: a domain with this device does not start
impossible()
{
    domain impossible "$3
" | put impossible.xml
    must client define "$SCRATCH/impossible.xml"
    fails "start: $1" "$2" client start --paused impossible
    is "$1: is not left running" "$(stock domstate impossible)" "shut off"
    has "$1: is still defined" "$(client dumpxml impossible)" "<capacity tag='$(tag 1)'"
    remove impossible
}

cannot_start()
{
    local nowhere="<source type='file'><path>/nowhere/memory</path></source>"
    local denied="<source type='file'><path>/memory</path></source>"

    impossible "a file that cannot be" "there is no directory '/nowhere'" \
        "$(device tagged 1024 1 '' "$(configured "$(tag 1)" 256 "$nowhere")
")"
    impossible "the second cannot be" \
        "QEMU refuses to add capacity '$(tag 2)' (region 0, offset 268435456, 268435456 bytes) of device 'cxl-dcd0' of domain 'impossible'" \
        "$(device tagged 1024 1 '' "$(configured "$(tag 1)" 256
            configured "$(tag 2)" 256 "$denied")
")"

    domain impossible "$(device tagged 1024 1 '' "$(configured "$(tag 1)" 256 "$denied")
")
" | put impossible.xml
    fails "create: a file that cannot be" "can't open backing store /memory for guest RAM: Permission denied" \
        client create --paused "$SCRATCH/impossible.xml"
    is "nothing is left of it" "$(stock list --all --name | tr -d '\n')" ""
}

for each in $(some_of daemon client both); do
    arrange "$each"
    starts static
    # in arrangement "both" the daemon does the work
    [ "$each" != both ] || continue
    starts tagged
    cannot_start

    # capacities with an offset are placed first, whatever the order
    domain order "$(device static 512 1 '' "$(configured "$(tag 1)" 256
        configured "$(tag 2)" 256 "<offset>0</offset>")
")
" | put order.xml
    must client define "$SCRATCH/order.xml"
    succeeds "start with a capacity without a place before one with" client start --paused order
    is "a capacity with a place comes before one without" "$(offered order)" "0 0 262144 pending
0 262144 262144 pending"
    remove order
done

finish
