#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# cxl-release-dynamic-capacity, and what is left after it: nothing
# shellcheck source=tests/qemu-module/lib.sh
. "$(dirname "$0")/lib.sh"
need_module
device=num-dc-regions=2,dc-regions-total-size=4G vm_start vm ||
  skip_all "no machine: $(cat "$vm/log")"
guest map >/dev/null

refuses() {
  is "refused: $1" "$(error_of "$(qmp "$3")")" "$2"
}
by_tag() {
  request cxl-release-dynamic-capacity '"removal-policy":"tag-based"' "$1" "$2"
}

before=$(hmp 'info mtree')
qmp "$(backend tm0 $TAG0)" "$(backend tm1 $TAG1)" >/dev/null
objects=$(qmp '{"execute":"qom-list","arguments":{"path":"/objects"}}')
refuses 'a tag that no extent has' "the device has no extent with the tag '$TAG0'" "$(release $TAG0)"
refuses 'no tag' "Parameter 'tag' is missing: it names the memory backend behind the extent" "$(release '')"
qmp "$(add $TAG0)" >/dev/null
refuses 'what the guest has not answered' 'cannot release extent with pending DPA range' "$(release $TAG0)"
refuses '... by its place' 'cannot release extent with pending DPA range' "$(release_at 0 $GIB)"
guest accept >/dev/null
qmp "$(region=1 add $TAG1)" >/dev/null
guest accept >/dev/null

whole='only the whole extent of a memory backend can be released'
none="$whole, and there is none at this place"
refuses 'part of it, by place' "$none" "$(release_at 0 $((GIB / 2)))"
refuses 'part of it, by tag' "$whole" "$(by_tag $TAG0 "$(extents 0 $((GIB / 2)))")"
refuses 'another place, by tag' "$whole" "$(by_tag $TAG0 "$(extents $((2 * MIB)) $GIB)")"
refuses 'two places, by tag' 'tagged capacity is exactly one extent, not 2' \
  "$(by_tag $TAG0 "$(extents 0 $GIB $GIB $GIB)")"
refuses 'two places' 'tagged capacity is exactly one extent, not 2' \
  "$(request cxl-release-dynamic-capacity '"removal-policy":"prescriptive"' '' \
    "$(extents 0 $GIB $GIB $GIB)")"
refuses 'another region, by tag' "the extent with the tag '$TAG1' is in region 1" "$(release $TAG1)"
refuses 'a region that is not there' 'region id is too large' "$(region=7 release $TAG0)"
refuses 'the place of one with the tag of another' \
  "the extent at this place has the tag '$TAG0'" "$(release_at 0 $GIB $TAG1)"
refuses 'a sum that overflows' 'the offset and length of an extent overflow' \
  "$(release_at 18446744073709551104 4096)"
refuses 'by force' 'Forced removal not supported yet' \
  "$(request cxl-release-dynamic-capacity '"removal-policy":"tag-based","forced-removal":true' \
    $TAG0 "$(extents)")"
is 'the guest was asked for none of it' "$(guest events)" ''

is 'release by tag, without a place' "$(qmp "$(release $TAG0)")" "$done_"
is 'release by place, with the tag' "$(region=1 qmp "$(region=1 release_at 0 $GIB $TAG1)")" "$done_"
is 'the release records have the tags' "$(guest events | cut -d' ' -f3-)" \
  "release region 0 offset 0x0 size 0x40000000 dpa 0x0 tag $TAG0 more 0
release region 1 offset 0x0 size 0x40000000 dpa 0x80000000 tag $TAG1 more 0"
is 'until the guest answers all stays' \
  "$(state $TAG0) $(why_not tm0)" 'Not Released in use'
is 'asked again, by tag and whole place' "$(qmp "$(by_tag $TAG0 "$(extents 0 $GIB)")")" "$done_"
guest release >/dev/null
is 'the guest has given both back' "$(state $TAG0) $(region=1 state $TAG1)" 'Released Released'
is 'no alias and no mapping stays' "$(diff <(echo "$before") <(hmp 'info mtree'))" ''
is '... and no object' "$(qmp '{"execute":"qom-list","arguments":{"path":"/objects"}}')" "$objects"
is '... and no reference' "$(qmp "$(object_del tm0)" "$(object_del tm1)")" "$done_
$done_"
qmp "{\"execute\":\"object-add\",\"arguments\":{\"qom-type\":\"memory-backend-memfd\",\"id\":\"tm0\",\"size\":$GIB,\"tag\":\"$TAG0\"}}" "$(add $TAG0)" >/dev/null
guest accept >/dev/null
mapped=$(grep -c memory-backend-memfd "/proc/$(cat "$vm/pid")/maps")
guest release --tag $TAG0 >/dev/null
qmp "$(object_del tm0)" >/dev/null
for i in 1 2 3 4 5 6 7 8 9 10; do
  grep -q memory-backend-memfd "/proc/$(cat "$vm/pid")/maps" || break
  sleep 0.1
done
is '... and no memory of the host' \
  "$mapped $(grep -c memory-backend-memfd "/proc/$(cat "$vm/pid")/maps")" '1 0'
refuses 'once more' "the device has no extent with the tag '$TAG0'" "$(release $TAG0)"

# migration
is 'with no extent nothing keeps from migrating' \
  "$(qmp '{"execute":"query-migrate"}' | grep -c blocked-reasons)" 0
qmp "$(backend tm0 $TAG0)" "$(add $TAG0)" >/dev/null
is 'with one it is refused' \
  "$(error_of "$(qmp '{"execute":"migrate","arguments":{"uri":"exec:cat >/dev/null"}}')")" \
  'tagged dynamic capacity of a CXL device cannot be migrated or saved: release it first'
guest accept >/dev/null
guest release --tag $TAG0 >/dev/null
is '... until it has gone' "$(qmp '{"execute":"query-migrate"}' | grep -c blocked-reasons)" 0
finish
