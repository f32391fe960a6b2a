#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# capabilities.sh: cxl-dcd-capabilities, what is available and what is missing

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

# row NAME: the table's entry for it
row()
{
    sed -n "s/^ $1   *\\([^ ].*\\)\$/\\1/p" <<<"$out"
}

# member NAME: the JSON member
member()
{
    python3 -c 'import json, sys
print(json.load(sys.stdin).get(sys.argv[1], "not there"))' "$1" <<<"$out"
}

with_stock_daemon()
{
    local version

    version=$("$QEMU" --version | sed -n 's/.*version \([0-9.]*\).*/\1/p')
    arrange client
    succeeds "all there" cxl cxl-dcd-capabilities
    is "the daemon's version" "$(row "libvirt daemon")" \
        "$(stock version --daemon | sed -n 's/^Running against daemon: //p')"
    is "no driver module in the daemon" "$(row "driver module in the daemon")" no
    is "the driver module of virsh" "$(row "driver module for virsh")" "$LIBVIRT_CXL_DCD_DRIVER"
    is "QEMU" "$(row QEMU)" "$(command -v "$QEMU")"
    is "QEMU's version" "$(row "QEMU version")" "$version"
    is "static devices" "$(row "static devices")" yes
    is "tagged devices" "$(row "tagged devices")" yes
    is "tagged by QEMU" "$(row "tagged devices by QEMU itself")" no
    is "tagged by the QEMU module" "$(row "tagged devices by the QEMU module")" yes
    has "what would put the driver module into the daemon" "$out" \
        "or start it with LD_PRELOAD=$LIBVIRT_CXL_DCD_DRIVER."

    succeeds "JSON" cxl cxl-dcd-capabilities --format json
    is "JSON: no driver module in the daemon" "$(member driver-in-daemon)" False
    is "JSON: QEMU's version" "$(member qemu)" "$version"
    is "JSON: tagged" "$(member tagged)/$(member tagged-by-qemu)/$(member tagged-by-module)" \
        True/False/True
    is "JSON: nothing is missing of what the QEMU module gives" \
        "$(grep -c "tagged model by itself" <<<"$out")" 0
    succeeds "XML" cxl cxl-dcd-capabilities --format xml
    is "XML: the same" "$(xmllint --xpath 'concat(/capabilities/@driver-in-daemon, " ",
        /capabilities/@qemu, " ", /capabilities/@tagged, "/", /capabilities/@tagged-by-qemu, "/",
        /capabilities/@tagged-by-module)' - <<<"$out")" "no $version yes/no/yes"
    has "XML: what is missing" "$(xmllint --xpath 'string(/capabilities/missing/@text)' - \
        <<<"$out")" "driver module"
}

missing()
{
    run env LIBVIRT_CXL_DCD_QEMU_MODULE=/none/cxl-tagged.so "$SCRATCH/bin/virsh-cxl" \
        cxl-dcd-capabilities
    is "no QEMU module: no tagged devices" "$status/$(row "tagged devices")" 0/no
    has "no QEMU module: why there are none" "$out" "has no devices of the tagged model by itself"
    has "no QEMU module: what would give it" "$out" "is not at /none/cxl-tagged.so: install it"
    run env LIBVIRT_CXL_DCD_QEMU_MODULE=/bin/true "$SCRATCH/bin/virsh-cxl" \
        cxl-dcd-capabilities --format json
    is "not a QEMU module: no tagged devices" "$(member tagged)" False
    has "not a QEMU module: why" "$(member missing)" "/bin/true does not give tagged devices"
    run env LIBVIRT_CXL_DCD_DRIVER=/none/driver.so "$SCRATCH/bin/virsh-cxl" cxl-dcd-capabilities
    is "no driver module" "$(row "driver module for virsh")" no
    has "no driver module: what would give it" "$out" "is not at /none/driver.so; install it"
    fails "another hypervisor" "needs a connection to QEMU, such as --connect qemu:///system, not" \
        cxl -c test:///default cxl-dcd-capabilities
    wanted=2 fails "read-only" "A read-only connection cannot ask for the domain capabilities" \
        cxl -r cxl-dcd-capabilities
    wanted=2 fails "no such format" "'yaml'" \
        cxl cxl-dcd-capabilities --format yaml
}

# A connection whose URI names a host counts as remote, whatever the host.
remote()
{
    local uri="qemu+ext://elsewhere/session?command=$SCRATCH/reach"

    # libvirt passes almost nothing of the environment on to the command
    cat <<EOF | put reach
#!/bin/sh
exec env XDG_RUNTIME_DIR='$XDG_RUNTIME_DIR' LIBVIRT_AUTOSTART=0 virt-ssh-helper qemu:///session
EOF
    chmod +x "$SCRATCH/reach"
    succeeds "remote" cxl -c "$uri" cxl-dcd-capabilities --format json
    is "remote: it says so" "$(member local)" False
    is "remote: QEMU is not asked here" "$(member qemu)" "not there"
    is "remote: tagged devices" "$(member tagged)/$(member tagged-by-module)" "$1/not there"
    has "remote: where to ask" "$(member missing)" "run virsh-cxl cxl-dcd-capabilities there"
}

with_stock_daemon
missing
remote "not there"
arrange both
succeeds "all there" cxl cxl-dcd-capabilities
is "a driver module in the daemon" "$(row "driver module in the daemon")" yes
is "static and tagged devices" "$(row "static devices")/$(row "tagged devices")" yes/yes
is "nothing is missing" "$(grep -c '\.$' <<<"$out")" 0
remote True
finish
