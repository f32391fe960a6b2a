#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The tutorial of QEMU's tagged dynamic capacity series, request by request, on
# its own machine: two backends of 1 GiB, added, accepted, released by tag
# shellcheck source=tests/qemu-module/lib.sh
. "$(dirname "$0")/lib.sh"
need_module

D=$dir/vm
mkdir "$D"
vm=$D
"$QEMU" -nodefaults -display none -S -accel tcg -qtest "unix:$D/qtest,server=on,wait=off" \
  -qtest-log none -qmp "unix:$D/qmp,server=on,wait=off" -plugin "file=$CXL_TAGGED" \
  -machine type=q35 -m 256M,maxmem=20G,slots=10 \
  -device pxb-cxl,bus_nr=23,bus=pcie.0,id=cxl.1,hdm_for_passthrough=true \
  -device cxl-rp,port=0,bus=cxl.1,id=root_port13,chassis=0,slot=2 \
  -M cxl=on,cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.size=6G \
  -device cxl-type3,bus=root_port13,id=cxl-vmem0,num-dc-regions=1,dc-regions-total-size=4G,sn=0x63 \
  >"$D/log" 2>&1 &
pids+=($!)
for _ in 1 2 3 4 5 6 7 8 9 10; do
  qmp '{"execute":"query-status"}' >/dev/null 2>&1 && break
  sleep 0.2
done

# The requests as they stand there.
object_add() {
  printf '{ "execute": "object-add", "arguments": { "qom-type": "memory-backend-ram", "id": "%s", "size": 1073741824, "share": true, "tag": "%s" } }' "$1" "$2"
}
cxl_add() {
  printf '{ "execute": "cxl-add-dynamic-capacity", "arguments": { "path": "/machine/peripheral/cxl-vmem0", "host-id": 0, "selection-policy": "prescriptive", "region": 0, "tag": "%s", "extents": [ { "offset": %s, "len": 1073741824 } ] } }' "$1" "$2"
}
cxl_release() {
  printf '{ "execute": "cxl-release-dynamic-capacity", "arguments": { "path": "/machine/peripheral/cxl-vmem0", "host-id": 0, "removal-policy": "tag-based", "tag": "%s", "region": 0, "extents": [ { "offset": %s, "len": 1073741824 } ] } }' "$1" "$2"
}

is 'object-add' "$(qmp "$(object_add tm0 $TAG0)" "$(object_add tm1 $TAG1)")" "$done_
$done_"
is 'status: not there' "$(state $TAG0)" Released
is 'add' "$(qmp "$(cxl_add $TAG0 0)")" "$done_"
is 'status: offered' "$(state $TAG0)" Pending
guest accept >/dev/null
is 'status: accepted' "$(state $TAG0)" 'Not Released'
is 'object-del: in use' "$(why_not tm0)" 'in use'
is 'add the second' "$(qmp "$(cxl_add $TAG1 1073741824)") $(state $TAG1)" "$done_ Pending"
guest accept >/dev/null
is 'status of the second: accepted' "$(state $TAG1)" 'Not Released'
is 'release' "$(qmp "$(cxl_release $TAG0 0)")" "$done_"
is 'status: not yet' "$(state $TAG0)" 'Not Released'
is 'object-del: still in use' "$(why_not tm0)" 'in use'
guest release >/dev/null
is 'status: released' "$(state $TAG0)" Released
is '... the other is not' "$(state $TAG1)" 'Not Released'
is 'object-del' "$(qmp "$(object_del tm0)")" "$done_"
is 'release the second' "$(qmp "$(cxl_release $TAG1 1073741824)")" "$done_"
guest release >/dev/null
is 'status of the second: released' "$(state $TAG1)" Released
is 'object-del of the second' "$(qmp "$(object_del tm1)")" "$done_"
finish
