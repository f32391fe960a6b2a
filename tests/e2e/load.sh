#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# load.sh: what the driver module does when it is preloaded into a daemon, into a libvirt that
# lacks what it needs, and into programs that have nothing to do with libvirt

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

# said: the module's lines in the log of the daemon started last
said()
{
    grep ' libvirt-cxl-dcd ' "$SCRATCH/log/daemon"
}

# preloaded COMMAND...
preloaded()
{
    env LD_PRELOAD="$LIBVIRT_CXL_DCD_DRIVER" "$@"
}

version=$(stock --version)

# ------------------------------------------------------------------ a daemon

arrange daemon
is "the log says that the module is there, once" "$(said | wc -l)" 1
has "and in which libvirt" "$(said)" \
    ": info : libvirt-cxl-dcd 0.1.0: the driver module is loaded into $DAEMON, libvirt $version"
boot vm "$(device static)
"
qemu=/proc/$(<"$SCRATCH/run/libvirt/qemu/run/vm.pid")
is "QEMU is not told to load it" "$(tr '\0' '\n' <"$qemu/environ" | grep ^LD_PRELOAD)" ""
is "and has not" "$(grep -c libvirt-cxl-dcd-driver "$qemu/maps")" 0
remove vm
stop_daemon

: >"$SCRATCH/log/daemon"
arrange stock
is "a daemon without it says nothing" "$(said)" ""

# -------------------------------------------- a libvirt that lacks a function

# A copy of the installed library with one function renamed: one that neither libvirtd nor virsh
# calls, so that they do not miss it themselves.
mkdir "$SCRATCH/old"
library=$(ldd "$(command -v "$DAEMON")" | awk '$1 == "libvirt.so.0" { print $3 }')
sed 's/virDomainMigrate2/virDomainMigrate_/g' "$library" >"$SCRATCH/old/libvirt.so.0"
stop_daemon
: >"$SCRATCH/log/daemon"
LD_LIBRARY_PATH=$SCRATCH/old:$LD_LIBRARY_PATH
arrange daemon
pass "a daemon with a libvirt that lacks a function comes up"
is "it says so once" "$(said | wc -l)" 1
has "what is missing, and where" "$(said)" ": error : libvirt-cxl-dcd 0.1.0: the libvirt that is \
here, $SCRATCH/old/libvirt.so.0, has no virDomainMigrate2(): the module is \
switched off, and <cxl-dcd> is not known; it needs libvirt 9.0 or later"

domain vm | put vm.xml
succeeds "define of a domain" stock define "$SCRATCH/vm.xml"
succeeds "start" stock start --paused vm
succeeds "dumpxml" stock dumpxml vm
is "domain capabilities are the stock ones" \
    "$(stock domcapabilities --machine q35 | grep -c cxl-dcd)" 0
fails "an error is told" "failed to get domain 'nobody'" stock dominfo nobody
fails "<cxl-dcd> is for libvirt to refuse" "unknown device type 'cxl-dcd'" \
    stock attach-device vm <(capacity "$(tag 1)")
is "it said no more" "$(said | wc -l)" 1
fails "a client says it too, and is the stock one" "has no virDomainMigrate2()" \
    preloaded virsh dominfo nobody
has "with its own error" "$err" "error: failed to get domain 'nobody'"
remove vm
LD_LIBRARY_PATH=${LD_LIBRARY_PATH#*:}

# ------------------------------------------------ programs that have no libvirt

arrange stock
# alike COMMAND...: it behaves the same with the module as without
alike()
{
    local without

    run "$@" <<<"input"
    without="$status
$out
$err"
    run preloaded "$@" <<<"input"
    is "$1: the same with the module" "$status
$out
$err" "$without"
}
alike true
alike false
alike cat
alike sh -c 'echo out; echo err >&2; exit 3'
alike python3 -c 'import os; print(sorted(os.listdir("/")))'
alike ls /nowhere
alike "$QEMU" -version

# ------------------------------------------------------------ another driver

# Domains that mention us are treated as without the module.
put word.xml <<XML
<domain type='test'>
  <name>cxl-dcd</name>
  <uuid>$(tag 1)</uuid>
  <memory>65536</memory>
  <os>
    <type>hvm</type>
  </os>
</domain>
XML
alike virsh -c test:///default "define $SCRATCH/word.xml; dumpxml cxl-dcd; start cxl-dcd; \
snapshot-create-as test cxl-dcd; snapshot-list test --name; save test $SCRATCH/test.save; \
undefine cxl-dcd"
is "and can be had" "$status" 0
sed 's|</os>|&<devices><cxl-dcd/></devices>|' "$SCRATCH/word.xml" | put device.xml
fails "but none has the device" "<cxl-dcd> needs a connection to QEMU, not to TEST" \
    preloaded virsh -c test:///default define "$SCRATCH/device.xml"

# ------------------------------------------ a program in front of the one that is meant

succeeds "a program in front of the one that is meant hands it on" \
    preloaded timeout 60 sh -c "virsh domcapabilities --machine q35"
has "so that it has the module" "$out" "<cxl-dcd supported='yes'>"
is "and its environment is as it was" \
    "$(env LD_PRELOAD="$LIBVIRT_CXL_DCD_DRIVER" sh -c 'echo $LD_PRELOAD')" "$LIBVIRT_CXL_DCD_DRIVER"

finish
