#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# cxl-add-dynamic-capacity with a tag: what it takes, and what it refuses
# shellcheck source=tests/qemu-module/lib.sh
. "$(dirname "$0")/lib.sh"
need_module
device=num-dc-regions=2,dc-regions-total-size=4G vm_start vm \
  -object memory-backend-ram,id=own,size=2G,reserve=off \
  -device cxl-type3,bus=port1,id=stock0,sn=0x64,num-dc-regions=1,volatile-dc-memdev=own ||
  skip_all "no machine: $(cat "$vm/log")"

# refuses DESCRIPTION ERROR JSON
refuses() {
  is "refused: $1" "$(error_of "$(qmp "$3")")" "$2"
}
# with EXTENTS [TAG]
with() {
  request cxl-add-dynamic-capacity '"selection-policy":"prescriptive"' \
    "${2-$TAG0}" "$1"
}

refuses 'an extent of no length, by QEMU' 'extent with 0 length is not allowed' \
  "$(with "$(extents 0 0)")"
refuses '... behind one that is free: so it can be told' 'extent with 0 length is not allowed' \
  "$(with "$(extents 0 $GIB 0 0)")"
missing="Parameter 'tag' is missing: it names the memory backend behind the extent"
refuses 'no tag' "$missing" "$(add '')"
refuses 'a tag that is none' "tag 'x' is not a UUID, or is nil" "$(add x)"
refuses 'a tag that no backend has' "no memory backend has the tag '$TAG0'" "$(add $TAG0)"

qmp "$(backend tm0 $TAG0)" "$(backend tm1 $TAG1)" "$(backend tm2 $TAG2 $((4 * GIB)))" >/dev/null
refuses 'two extents' 'tagged capacity is exactly one extent, not 2' \
  "$(with "$(extents 0 $((GIB / 2)) $((GIB / 2)) $((GIB / 2)))")"
refuses 'no extent' 'tagged capacity is exactly one extent, not 0' "$(with "$(extents)")"
refuses 'a length shorter than the backend' \
  "extent length 0x20000000 is not the size 0x40000000 of memory backend 'tm0'" \
  "$(add $TAG0 0 $((GIB / 2)))"
refuses 'a length longer than the backend' \
  "extent length 0x80000000 is not the size 0x40000000 of memory backend 'tm0'" \
  "$(add $TAG0 0 $((GIB * 2)))"
refuses 'a place that is not aligned' 'dpa or len is not aligned to region block size' \
  "$(add $TAG0 4096)"
refuses 'a place beyond the region' 'extent range is beyond the region end' \
  "$(add $TAG0 $((GIB + 2 * MIB)))"
refuses 'more than a region' 'extent range is beyond the region end' \
  "$(add $TAG2 0 $((4 * GIB)))"
refuses 'a region that is not there' 'region id is too large' "$(region=2 add $TAG0)"
overflow='the offset and length of an extent overflow'
refuses 'a sum that overflows' "$overflow" "$(add $TAG0 18446744073708503040 $GIB)"
refuses 'a policy that QEMU has not' 'Selection policy not supported' \
  "$(request cxl-add-dynamic-capacity '"selection-policy":"free"' $TAG0 "$(extents 0 $GIB)")"
refuses 'a path that leads nowhere' 'Unable to resolve CXL type 3 device' \
  "$(path=/machine/peripheral/nope add $TAG0)"
refuses 'an argument that QEMU does not know' "Parameter 'more' is unexpected" \
  "$(with "\"more\":1,$(extents 0 $GIB)")"
refuses 'a backend in use' "memory backend 'ram' is in use" \
  "$(qmp "{\"execute\":\"qom-set\",\"arguments\":{\"path\":\"/objects/ram\",\"property\":\"tag\",\"value\":\"8be13bce-ae34-4a77-b6c3-16df975fcf1a\"}}" >/dev/null
    add 8be13bce-ae34-4a77-b6c3-16df975fcf1a 0 $((256 * MIB)))"
is 'nothing was offered by any of it' "$(guest events)" ''
is '... and each backend can be deleted' \
  "$(qmp "$(object_del tm2)" "$(object_del tm0)" "$(backend tm0 $TAG0)")" "$done_
$done_
$done_"

is 'capacity is offered, by a tag in any letters' \
  "$(qmp "$(add ${TAG0^^})")" "$done_"
is 'its backend cannot be deleted from then on' \
  "$(why_not tm0)" 'in use'
refuses 'the same again' "memory backend 'tm0' is in use" "$(add $TAG0)"
refuses 'a place that is offered, before an extent of no length' \
  'cannot add DPA again while still pending' "$(with "$(extents 0 $GIB 0 0)")"
refuses 'another backend at this place' 'cannot add DPA again while still pending' \
  "$(add $TAG1)"
is '... which stays free' "$(qmp "$(object_del tm1)" "$(backend tm1 $TAG1)")" "$done_
$done_"
is 'another backend in another region' "$(region=1 qmp "$(region=1 add $TAG1)")" "$done_"
is 'the guest is offered both, with their tags' "$(guest events)" \
  "handle 1 add region 0 offset 0x0 size 0x40000000 dpa 0x0 tag $TAG0 more 0
handle 2 add region 1 offset 0x0 size 0x40000000 dpa 0x80000000 tag $TAG1 more 0"

# the log has room for 8 records; nobody clears them here
qmp "$(backend small0 00000000-0000-4000-8000-000000000000 $((2 * MIB)))" >/dev/null
for i in 1 2 3 4 5 6; do
  tag=00000000-0000-4000-8000-00000000000$i
  offered=$(region=1 qmp "$(backend "small$i" $tag $((2 * MIB)))" \
    "$(region=1 add $tag $((GIB + i * 2 * MIB)) $((2 * MIB)))" | tail -n 1)
done
is 'eight offers' "$offered" "$done_"
refuses 'a ninth, of which the guest would never hear' \
  'the guest has not cleared the 8 records in the event log of the device, and would not learn of this one' \
  "$(region=1 add 00000000-0000-4000-8000-000000000000 $GIB $((2 * MIB)))"
guest refuse >/dev/null
is '... until it has cleared one' \
  "$(qmp "$(region=1 add 00000000-0000-4000-8000-000000000000 $GIB $((2 * MIB)))")" "$done_"

# a stock device on the same machine
path=/machine/peripheral/stock0
is 'a stock device takes extents without a tag' \
  "$(qmp "$(with "$(extents 0 $((2 * MIB)) $((4 * MIB)) $((2 * MIB)))" '')")" "$done_"
is '... and with one, which it forgets' \
  "$(qmp "$(with "$(extents $((8 * MIB)) $((2 * MIB)))" "$TAG0")")" "$done_"
is '... and its guest sees what stock QEMU shows' "$(serial=0x64 guest events)" \
  'handle 1 add region 0 offset 0x0 size 0x200000 dpa 0x0 tag 00000000-0000-0000-0000-000000000000 more 1
handle 2 add region 0 offset 0x400000 size 0x200000 dpa 0x400000 tag 00000000-0000-0000-0000-000000000000 more 0
handle 3 add region 0 offset 0x800000 size 0x200000 dpa 0x800000 tag 00000000-0000-0000-0000-000000000000 more 0'
serial=0x64 guest map >/dev/null
is '... and accepts part of an offer, as ever' \
  "$(serial=0x64 code 4802 "$(answer 0 $((2 * MIB)))")" 0
is '... and part of it is released' \
  "$(qmp "$(release_at 0 $((2 * MIB)))")" "$done_"
refuses 'a tag-based release of it, by QEMU' 'Removal policy not supported' "$(release $TAG0)"
refuses 'a sum that would crash QEMU, on a stock device' "$overflow" \
  "$(with "$(extents 18446744073709551104 $((4 * MIB)))" '')"
refuses '... in a release too' "$overflow" \
  "$(release_at 18446744073709551104 $((4 * MIB)))"
refuses '... behind a good extent' "$overflow" \
  "$(with "$(extents $((16 * MIB)) $((2 * MIB)) 18446744073709551104 $((4 * MIB)))" '')"
refuses 'its status' "Unable to resolve CXL type 3 device with 'dc-regions-total-size'" \
  "$(status_of $TAG0)"
finish
