#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# attach-detach.sh: adding and releasing capacity with attach-device and detach-device, in the
# running domain, in the definition, and in both

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

# attach DOCUMENT OPTION..., detach DOCUMENT OPTION...: DOCUMENT is XML
attach()
{
    put document.xml <<<"$1"
    shift
    client attach-device vm "$SCRATCH/document.xml" "$@"
}

detach()
{
    put document.xml <<<"$1"
    shift
    client detach-device vm "$SCRATCH/document.xml" "$@"
}

# configured: the tags in the definition; live: "tag state" of the running domain's capacities
configured()
{
    client dumpxml --inactive vm | xmllint --xpath '//cxl-dcd/capacity/@tag' - 2>/dev/null |
        grep -o "$UUID" | sort
}

live()
{
    client dumpxml vm | grep -o "<capacity tag='$UUID' region='[0-9]' state='[a-z]*'" |
        cut -d "'" -f 2,6 | tr "'" ' ' | sort
}

to_live()
{
    local before

    before=$(stored_config vm)
    succeeds "attach-device --live" attach "$(capacity "$(tag 1)" 2)" --live
    is "--live: what virsh says" "$out" "Device attached successfully"
    is "--live: offered" "$(live)" "$(tag 1) pending"
    succeeds "attach-device without a flag, to a running domain" attach "$(capacity "$(tag 2)" 2)"
    is "no flag: offered" "$(live)" "$(tag 1) pending
$(tag 2) pending"
    succeeds "attach-device --current" attach "$(capacity "$(tag 3)" 2 cxl-dcd0)" --current
    is "--current, with the alias: offered" "$(live | tail -n 1)" "$(tag 3) pending"
    is "none of them is in the definition" "$(stored_config vm)" "$before"

    unchanged "detach-device before the guest has answered" vm \
        "the guest of domain 'vm' has not answered the offer of capacity '$(tag 1)'" \
        detach "$(capacity "$(tag 1)" 2)" --live
    must guest vm accept
    succeeds "detach-device --live, as it was attached" detach "$(capacity "$(tag 1)" 2)" --live
    is "--live: what virsh says" "$out" "Device detached successfully"
    succeeds "detach-device without a flag, by its tag alone" \
        detach "<cxl-dcd><capacity tag='$(tag 2)'/></cxl-dcd>"
    succeeds "detach-device --current, with the alias" \
        detach "<cxl-dcd><capacity tag='$(tag 3)'/><alias name='cxl-dcd0'/></cxl-dcd>" --current
    is "all are asked back" "$(live)" "$(tag 1) releasing
$(tag 2) releasing
$(tag 3) releasing"
    must guest vm release
    run cxl cxl-dcd-status vm
    is "all are gone" "$(live)" ""
    unchanged "detach-device of one that is gone" vm \
        "device not found: domain 'vm' has no capacity with the tag '$(tag 1)'" \
        detach "$(capacity "$(tag 1)" 2)" --live
}

to_config()
{
    local before

    before=$(stored_live vm)
    succeeds "attach-device --config" attach "$(capacity "$(tag 1)" 2)" --config
    is "--config: in the definition" "$(configured)" "$(tag 1)"
    unchanged "attach-device --config of the same tag" vm \
        "domain 'vm' has a capacity with the tag '$(tag 1)' already, on device 'cxl-dcd0': a tag names one capacity" \
        attach "$(capacity "$(tag 1)" 2)" --config
    succeeds "attach-device --config of another" attach \
        "$(capacity "$(tag 2)" 4 cxl-dcd0 "<offset unit='MiB'>64</offset>" "region='1'")" --config
    has "--config: its place is kept" "$(client dumpxml --inactive vm | grep -A 3 "$(tag 2)")" \
        "      <capacity tag='$(tag 2)' region='1'>
        <size unit='KiB'>4096</size>
        <offset unit='KiB'>65536</offset>
      </capacity>"
    unchanged "attach-device --config over it" vm "overlaps capacity '$(tag 2)' of device 'cxl-dcd0'" \
        attach "$(capacity "$(tag 3)" 4 '' "<offset unit='MiB'>66</offset>" "region='1'")" --config
    unchanged "attach-device --config with a wrong alias" vm \
        "domain 'vm' has no <cxl-dcd> with the alias 'other': it has 'cxl-dcd0'" \
        attach "$(capacity "$(tag 3)" 4 other)" --config
    unchanged "attach-device --live --config, where the definition has its tag" vm \
        "domain 'vm' has a capacity with the tag '$(tag 1)' already" \
        attach "$(capacity "$(tag 1)" 2)" --live --config
    succeeds "detach-device --config" detach "$(capacity "$(tag 1)" 2)" --config
    is "--config: out of the definition" "$(configured)" "$(tag 2)"
    succeeds "detach-device --config by its tag alone" \
        detach "<cxl-dcd><capacity tag='$(tag 2)'/></cxl-dcd>" --config
    is "the definition is as it was" "$(stored_config vm)" "$config"
    unchanged "detach-device --config of one that is gone" vm \
        "the definition of domain 'vm' has no capacity with the tag '$(tag 2)'" \
        detach "$(capacity "$(tag 2)" 2)" --config
    is "the running domain is as it was" "$(stored_live vm)" "$before"
}

to_both()
{
    local tag

    succeeds "attach-device --live --config" attach "$(capacity "$(tag 1)" 2)" --live --config
    is "--live --config: offered" "$(live)" "$(tag 1) pending"
    is "--live --config: in the definition" "$(configured)" "$(tag 1)"
    unchanged "attach-device --live --config, where the running domain has its tag" vm \
        "already, on device 'cxl-dcd0'" attach "$(capacity "$(tag 1)" 2)" --live --config
    succeeds "attach-device --persistent, without a tag" attach "$(capacity '' 2)" --persistent
    tag=$(configured | grep -v "$(tag 1)")
    has "--persistent: both have one tag" "$(live)" "${tag:-no tag} pending"
    must guest vm accept
    succeeds "detach-device --live --config" \
        detach "<cxl-dcd><capacity tag='$(tag 1)'/></cxl-dcd>" --live --config
    succeeds "detach-device --persistent" \
        detach "<cxl-dcd><capacity tag='$tag'/></cxl-dcd>" --persistent
    is "both are out of the definition" "$(configured)" ""
    is "both are asked back" "$(live | cut -d ' ' -f 2)" "releasing
releasing"
    must guest vm release
    run cxl cxl-dcd-status vm
    # in only one of the two
    must attach "$(capacity "$(tag 2)" 2)" --live
    must guest vm accept
    must cxl cxl-dcd-status vm
    unchanged "detach-device --live --config of one that only runs" vm \
        "the definition of domain 'vm' has no capacity with the tag '$(tag 2)'" \
        detach "$(capacity "$(tag 2)" 2)" --live --config
    must detach "$(capacity "$(tag 2)" 2)" --live
    must guest vm release
    run cxl cxl-dcd-status vm
}

refused()
{
    local document

    unchanged "detach-device without a tag" vm \
        "a <cxl-dcd> to be detached has one <capacity> with the tag of the capacity that is to be released: the device itself stays" \
        detach "<cxl-dcd><capacity/></cxl-dcd>" --live
    unchanged "detach-device of the device" vm "the device itself stays" \
        detach "<cxl-dcd><alias name='cxl-dcd0'/></cxl-dcd>" --live
    unchanged "detach-device with a wrong alias" vm "alias 'other'" \
        detach "<cxl-dcd><capacity tag='$(tag 1)'/><alias name='other'/></cxl-dcd>" --live
    unchanged "attach-device of a device" vm "has one <capacity>, not 0" \
        attach "$(device static)" --live
    put document.xml <<<"$(capacity "$(tag 1)" 2)"
    for document in --live --config; do
        unchanged "update-device $document" vm \
            "Operation not supported: a <cxl-dcd> cannot be updated" \
            client update-device vm "$SCRATCH/document.xml" $document
    done
}

# others: libvirt's own handling of other devices, and of what is not a device
others()
{
    local flag document

    for flag in --live --config; do
        for document in \
            "<disk type='file' device='disk'><target dev='vdz'/><source file='/nowhere'/></disk>" \
            "<disk type='file'><target dev='sda' bus='cxl-dcd'/></disk>" \
            "<interface type='cxl-dcd'/>" "<cxl-dcd:x xmlns:cxl-dcd='urn:x'/>" \
            "<memory model='cxl-dcd'/>" "cxl-dcd" "<cxl-dcd" "" "<nothing/>"; do
            put document.xml <<<"$document"
            for command in attach-device detach-device update-device; do
                echo "$command $flag $document:"
                client $command vm "$SCRATCH/document.xml" $flag 2>&1
            done
        done
    done
}

arrange stock
boot vm
others >"$SCRATCH/others.want"
remove vm

for each in $(some_of daemon client both); do
    arrange "$each"
    boot vm "$(device static 1024 2)
"
    config=$(stored_config vm)
    to_live
    to_config
    to_both
    refused
    command="attach-device, detach-device and update-device of other things"
    others >"$SCRATCH/others.got"
    same "$command: as libvirt answers without the module" \
        "$SCRATCH/others.want" "$SCRATCH/others.got"

    stop vm
    unchanged "attach-device --live to a domain that does not run" vm "is not running" \
        attach "$(capacity "$(tag 1)" 2)" --live
    unchanged "attach-device without a flag, to a domain that does not run" vm "is not running" \
        attach "$(capacity "$(tag 1)" 2)"
    succeeds "attach-device --current, to a domain that does not run" \
        attach "$(capacity "$(tag 1)" 2)" --current
    is "is to its definition" "$(configured)" "$(tag 1)"
    succeeds "attach-device --persistent, to a domain that does not run" \
        attach "$(capacity "$(tag 2)" 2)" --persistent
    is "is to its definition too" "$(configured)" "$(tag 1)
$(tag 2)"
    succeeds "detach-device --current" detach "$(capacity "$(tag 1)" 2)" --current
    succeeds "detach-device --persistent" detach "$(capacity "$(tag 2)" 2)" --persistent
    is "the definition is as it was" "$(stored_config vm)" "$config"
    remove vm
done

finish
