#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# stock-operations.sh: a domain without <cxl-dcd> has the same life with the module as without
#
# One table of commands, including failing ones, is run with the stock daemon and client, with
# the module in the daemon, and with it in the client. Each command must print the same, with
# the same exit status, except for what differs in each run.

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

# In the stock arrangement, the client is the stock one too.
client()
{
    if [ "$arrangement" = client ]; then
        cxl "$@"
    else
        stock "$@"
    fi
}

# ------------------------------------------------------------------- the domain

put_files()
{
    rm -f "$SCRATCH"/vm.* "$SCRATCH"/disk*
    truncate -s 1M "$SCRATCH/disk.raw" "$SCRATCH/disk2.raw"
    domain vm "    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='$SCRATCH/disk.raw'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <serial type='null'/>
" "" "  <metadata>
    <app:note xmlns:app='urn:example:app'>cxl-dcd, just a word</app:note>
  </metadata>
  <maxMemory slots='4' unit='MiB'>1024</maxMemory>
  <cpu>
    <numa>
      <cell id='0' cpus='0' memory='64' unit='MiB'/>
    </numa>
  </cpu>
" | put vm.xml
    sed 's|<name>vm<|<name>other<|; s|<uuid>.*</uuid>||; /<disk/,/<.disk>/d; s/vm.qtest/other.qtest/' \
        "$SCRATCH/vm.xml" | put other.xml
    sed 's|<vcpu>1<|<vcpu>many<|' "$SCRATCH/vm.xml" | put bad.xml
    echo "<domain type='qemu'><name>torn</name>" | put torn.xml
    put dimm.xml <<<"<memory model='dimm'><target><size unit='MiB'>128</size><node>0</node></target></memory>"
    put disk.xml <<<"<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='$SCRATCH/disk2.raw'/><target dev='vdb' bus='virtio'/></disk>"
    put odd.xml <<<"<cxl-memory/>"
    put torn-device.xml <<<"<disk type='cxl-dcd'"
    put word.xml <<<"<disk type='file' device='cxl-dcd'/>"
}

# ---------------------------------------------------------------- the commands

# One virsh command per line; lines that begin with % are functions of this script.
commands()
{
    cat <<'TABLE'
version --daemon
uri
domcapabilities
domcapabilities --machine q35 --arch x86_64
domcapabilities --virttype xen
domcapabilities --emulatorbin /nowhere/qemu
define $SCRATCH/vm.xml
define $SCRATCH/vm.xml --validate
define $SCRATCH/bad.xml
define $SCRATCH/bad.xml --validate
define $SCRATCH/torn.xml
define $SCRATCH/nothing.xml
list --all
list --all --uuid
domuuid vm
domstate vm --reason
dominfo vm
dumpxml vm
dumpxml vm --inactive
dumpxml vm --migratable
dumpxml vm --security-info
dumpxml vm --update-cpu
dumpxml vm --xpath //app
dumpxml nobody
domxml-to-native qemu-argv --xml $SCRATCH/vm.xml
domxml-to-native qemu-argv --xml $SCRATCH/torn.xml
domxml-to-native qemu-argv --domain vm
domxml-to-native none --domain vm
domxml-from-native qemu-argv $SCRATCH/vm.xml
%edit s/vm/vm/ vm
%edit s|<vcpu.placement=.static.>1<|<title>edited</title>&| vm
%edit s/<vcpu/<vcpus/ vm
%edit s|<name>vm<|<name>mv<| vm
desc vm --config
desc vm --config --title "a title"
metadata vm urn:example:app
metadata vm urn:example:app --set "<x>1</x>" --key app --config
metadata vm urn:example:app --config
metadata vm urn:example:app --remove --config
metadata vm urn:example:none
autostart vm
autostart vm --disable
setmaxmem vm 65536 --config
setmem vm 60000 --config
setvcpus vm 1 --config
setvcpus vm 2 --config
vcpucount vm
vcpupin vm
memtune vm
blkdeviotune vm vda --total-bytes-sec 1000000 --config
blkdeviotune vm vda --config
blkdeviotune vm vdz
attach-device vm $SCRATCH/disk.xml --config
attach-device vm $SCRATCH/disk.xml --config
attach-device vm $SCRATCH/disk.xml --live
detach-device vm $SCRATCH/disk.xml --config
detach-device vm $SCRATCH/disk.xml --config
attach-device vm $SCRATCH/odd.xml --config
attach-device vm $SCRATCH/word.xml --config
attach-device vm $SCRATCH/torn-device.xml --config
attach-device vm $SCRATCH/torn-device.xml
update-device vm $SCRATCH/disk.xml --config
update-device vm $SCRATCH/word.xml --config
detach-device vm $SCRATCH/torn-device.xml
detach-device-alias vm nothing --config
attach-disk vm $SCRATCH/disk2.raw vdb --config
detach-disk vm vdb --config
attach-interface vm user none --config
domblklist vm
domiflist vm
dumpxml vm
save vm $SCRATCH/vm.save
managedsave vm
snapshot-list vm
suspend vm
qemu-monitor-command vm '{"execute":"query-status"}'
start vm --paused
start vm --paused
create $SCRATCH/vm.xml
define $SCRATCH/vm.xml
list
dominfo vm
domstate vm --reason
dumpxml vm
dumpxml vm --inactive
dumpxml vm --migratable
dumpxml vm --security-info
domstats vm --state --block
domcontrol vm
domjobinfo vm
domblklist vm --details
domblkinfo vm vda
qemu-monitor-command vm '{"execute":"query-status"}'
qemu-monitor-command vm '{"execute":"nothing"}'
qemu-monitor-command vm torn
qemu-monitor-command vm --hmp info status
attach-device vm $SCRATCH/disk.xml --live
attach-device vm $SCRATCH/disk.xml
attach-device vm $SCRATCH/dimm.xml --live --config
attach-device vm $SCRATCH/dimm.xml --current
attach-device vm $SCRATCH/odd.xml
attach-device vm $SCRATCH/word.xml
attach-device vm $SCRATCH/torn-device.xml
update-device vm $SCRATCH/word.xml
detach-device vm $SCRATCH/word.xml
detach-device vm $SCRATCH/dimm.xml --config
detach-device-alias vm nothing
dumpxml vm
dumpxml vm --inactive
blkdeviotune vm vda --total-bytes-sec 2000000 --live
blkdeviotune vm vda
blkdeviotune vm vda --nothing
metadata vm urn:example:app --set "<x>cxl-dcd</x>" --key app --live
metadata vm urn:example:app --live
metadata vm urn:example:app --remove --live
setmem vm 65536 --live
setvcpus vm 1 --live
iothreadinfo vm
iothreadadd vm 1 --live
send-key vm KEY_A
screenshot vm $SCRATCH/vm.screen
guestinfo vm
domtime vm
domfsinfo vm
resume vm
resume vm
suspend vm
suspend vm
reset vm
reboot vm
domrename vm renamed
migrate vm --p2p --live qemu+unix:///session?socket=/nowhere
migrate vm qemu+unix:///session?socket=/nowhere
migrate vm --p2p --live qemu+unix:///session?socket=/nowhere --xml $SCRATCH/torn.xml
migrate-getmaxdowntime vm
managedsave-dumpxml vm
snapshot-create-as vm one --memspec $SCRATCH/vm.memory
snapshot-list vm --name
snapshot-dumpxml vm one
snapshot-create-as vm two --disk-only --no-metadata --diskspec vda,file=$SCRATCH/disk.two
snapshot-create vm $SCRATCH/torn.xml
snapshot-dumpxml vm nothing
%snapshot_edit one
snapshot-info vm one
snapshot-delete vm one --metadata
checkpoint-create-as vm one
checkpoint-create vm $SCRATCH/torn.xml
checkpoint-dumpxml vm one
destroy vm
start vm --paused
save vm $SCRATCH/vm.save --paused
save-image-dumpxml $SCRATCH/vm.save
save-image-define $SCRATCH/vm.save $SCRATCH/torn.xml
save-image-dumpxml $SCRATCH/nothing
restore $SCRATCH/vm.save --xml $SCRATCH/torn.xml
restore $SCRATCH/nothing
restore $SCRATCH/vm.save --paused
domstate vm
destroy vm
start vm --paused
managedsave vm --paused
domstate vm --reason
managedsave-dumpxml vm
managedsave-define vm $SCRATCH/torn.xml
start vm
dumpxml vm
suspend vm
managedsave vm --paused
managedsave-remove vm
start vm --paused --force-boot
dump vm $SCRATCH/vm.core --memory-only
inject-nmi vm
shutdown vm --mode acpi
undefine vm --checkpoints-metadata
domstate vm
destroy vm
destroy vm
domstate vm
create $SCRATCH/other.xml --paused
dumpxml other
undefine other
define $SCRATCH/other.xml --validate
destroy other
undefine other
undefine nobody
create $SCRATCH/torn.xml
create $SCRATCH/bad.xml --validate
list --all
TABLE
}

# The commands that begin with %.
edit()
{
    printf '#!/bin/sh\nexec sed -i "%s" "$1"\n' "$1" | put editor
    chmod +x "$SCRATCH/editor"
    EDITOR=$SCRATCH/editor client edit "$2" </dev/null
}

snapshot_edit()
{
    EDITOR=true client snapshot-edit vm "$1" </dev/null
}

# ------------------------------------------------------------- what is compared

# mask: removes what differs in each run, and our part of the capabilities
mask()
{
    sed -E "
        /^    <cxl-dcd supported='yes'>\$/,/^    <\\/cxl-dcd>\$/d
        s/\\bid='[0-9]+'/id='N'/
        s/^( Id|Id:) +[0-9-]+/\\1 N/; s/^ [0-9]+ +(vm|other) / N \\1 /
        s/domain-[0-9]+-/domain-N-/g
        s/\"id\":\"libvirt-[0-9]+\"/\"id\":\"libvirt-N\"/
        s/<creationTime>[0-9]+/<creationTime>N/
        s/^Creation Time: .*/Creation Time: N/
        s/(CPU time|cpu\\.time|Time).*/\\1 N/
        s/(rd|wr|fl)\\.(reqs|bytes|times)=.*/\\1.\\2=N/
        s/^(Name: +snapshot-|.*\\.)[0-9]{10,}/\\1N/
        s/[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9:.+ -]+/TIME/
        s/'[0-9]{10}'/'TIME'/
        s/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/UUID/g
        s|/dev/pts/[0-9]+|/dev/pts/N|
        s/^error: (Disconnected|End of file).*/error: \\1/"
}

# perform: runs all commands, each with its output in a file of its own: NUMBER in the
# arrangement's folder
perform()
{
    local i=0 line text

    put_files
    mkdir "$SCRATCH/$arrangement"
    while read -r line; do
        i=$((i + 1))
        text="client $line"
        [ "${line#%}" = "$line" ] || text=${line#%}
        # in the table, $SCRATCH and quotes have their usual meaning; | ( ) < > have none
        case $line in
        %edit*) run edit "$(cut -d ' ' -f 2 <<<"$line")" "${line##* }" ;;
        *) eval "run ${text//\?/\\?}" </dev/null ;;
        esac
        {
            echo "exit status $status"
            echo "$out"
            echo "--- errors"
            echo "$err"
        } | mask >"$SCRATCH/$arrangement/$i"
    done < <(commands)
    remove vm other mv renamed
}

for each in stock $(some_of daemon client); do
    arrange "$each"
    perform
done

i=0
while read -r line; do
    i=$((i + 1))
    for arrangement in $(some_of daemon client); do
        same "$line" "$SCRATCH/stock/$i" "$SCRATCH/$arrangement/$i"
    done
done < <(commands)
arrangement=

# The table is only as good as what its commands do: most of them succeed, and those that must
# fail do.
is "most of the commands succeed" "$(grep -lx 'exit status 0' "$SCRATCH"/stock/* | wc -l |
    awk '{ print ($1 > 95) }')" 1
is "and some fail" "$(grep -lx 'exit status 1' "$SCRATCH"/stock/* | wc -l |
    awk '{ print ($1 > 35) }')" 1
is "none is unknown to virsh" "$(grep -l "unknown command\|doesn't support option\|syntax error" \
    "$SCRATCH"/stock/* | wc -l)" 1

finish
