#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the guest does and sees: accept, refuse, release, tags, and nonsense
# shellcheck source=tests/qemu-module/lib.sh
. "$(dirname "$0")/lib.sh"
need_module
vm_start vm || skip_all "no machine: $(cat "$vm/log")"

INVALID_INPUT=2
INVALID_ADDRESS=15
HALF=$((GIB / 2))

# mapped: how many extents lie over the device's address space
mapped() {
  hmp 'info mtree' | grep -c 'alias cxl-tagged-extent'
}
line() {
  echo "region 0 offset $1 size 0x40000000 dpa $1 tag $2"
}

guest map >/dev/null
is 'an answer to no offer is refused: accept' "$(code 4802 "$(answer 0 $GIB)")" $INVALID_ADDRESS
is '... refuse, which crashes QEMU alone' "$(code 4802 "$(le32 0)00000000")" $INVALID_INPUT
is '... release' "$(code 4803 "$(answer 0 $GIB)")" $INVALID_ADDRESS
is '... and the next command is answered as ever' "$(code 4801 "$(le32 50)$(le32 0)")" 0

qmp "$(backend tm0 $TAG0)" "$(backend tm1 $TAG1)" "$(add $TAG0)" >/dev/null
is 'offered: nothing is mapped' "$(mapped) $(state $TAG0)" '0 Pending'
is 'a read of it finds nothing' "$(guest read 0 0 8)" 0000000000000000
is 'part of an offer cannot be accepted' "$(code 4802 "$(answer 0 $HALF)")" $INVALID_ADDRESS
is '... nor can more than it' "$(code 4802 "$(answer 0 $((2 * GIB)))")" $INVALID_ADDRESS
is '... nor can what was never offered' "$(code 4802 "$(answer $((3 * GIB)) $GIB)")" $INVALID_ADDRESS
is '... nor a range that wraps' "$(code 4802 "$(answer -2097152 $((4 * MIB)))")" $INVALID_ADDRESS
is '... nor can it be released' "$(code 4803 "$(answer 0 $GIB)")" $INVALID_ADDRESS
is '... and it is still offered' "$(mapped) $(state $TAG0)" '0 Pending'
is 'the event record has the tag' "$(guest events)" "handle 1 add $(line 0x0 $TAG0) more 0"
is '... each time it is read' "$(guest events)" "handle 1 add $(line 0x0 $TAG0) more 0"

is 'the guest refuses' "$(guest refuse)" "refused $(line 0x0 $TAG0)"
is '... and the backend is free' "$(state $TAG0) $(qmp "$(object_del tm0)")" "Released $done_"

qmp "$(backend tm0 $TAG0)" "$(add $TAG0)" "$(add $TAG1 $GIB)" >/dev/null
is 'a second offer cannot be answered first' "$(code 4802 "$(answer $GIB $GIB)")" $INVALID_ADDRESS
is 'the guest accepts the first' "$(guest accept --tag $TAG0)" "accepted $(line 0x0 $TAG0)"
is '... which is mapped' "$(mapped) $(state $TAG0) $(state $TAG1)" '1 Not Released Pending'
guest accept >/dev/null
is '... and the second' "$(mapped) $(state $TAG1)" '2 Not Released'
is 'the extent list has the tags' "$(guest extents)" "$(line 0x0 $TAG0)
$(line 0x40000000 $TAG1)"

guest write 0 0 6869 >/dev/null
guest write 0 $((GIB - 2)) 796f >/dev/null
guest write 0 $GIB 6c6f >/dev/null
is 'what the guest writes is there' \
  "$(guest read 0 0 2) $(guest read 0 $((GIB - 2)) 4) $(guest read 0 $GIB 2)" '6869 796f6c6f 6c6f'

is 'status tells the place' "$(qmp "$(status_of ${TAG1^^})")" \
  "{\"return\": {\"status\": \"Not Released\", \"message\": \"accepted extent with tag $TAG1: dpa 0x40000000 len 0x40000000, direct\"}}"
is 'status of a tag that is not there' "$(qmp "$(status_of $TAG2)")" \
  "{\"return\": {\"status\": \"Released\", \"message\": \"no extent with tag $TAG2\"}}"
is 'status of what is no tag' "$(state x)" Released
for name in path host-id region tag; do
  is "status needs '$name'" \
    "$(error_of "$(qmp "$(status_of $TAG0 | sed "s/\"$name\":[^,}]*,\\?//; s/,}/}/")")")" \
    "Parameter '$name' is missing"
done
is 'status in a region that is not there' "$(error_of "$(region=1 qmp "$(region=1 status_of $TAG0)")")" \
  'region id is too large'

is 'part of an extent cannot be released' "$(code 4803 "$(answer 0 $HALF)")" $INVALID_ADDRESS
is '... nor two at once' "$(code 4803 "$(answer 0 $((2 * GIB)))")" $INVALID_ADDRESS
is '... and they are still there' "$(mapped) $(guest read 0 0 2)" '2 6869'

is 'the guest gives one back unasked' "$(guest release --tag $TAG0)" "released $(line 0x0 $TAG0)"
is '... which is gone' "$(mapped) $(state $TAG0) $(guest read 0 0 2)" '1 Released 0000'
is '... and its backend free' "$(qmp "$(object_del tm0)")" "$done_"
is '... while the other stays' "$(guest read 0 $GIB 2)" 6c6f

# records that are read when their extent has gone, and another is in its place
qmp "$(release $TAG1)" >/dev/null
guest release --tag $TAG1 >/dev/null
qmp "$(backend tm2 $TAG2)" "$(add $TAG2 $GIB)" >/dev/null
is 'records keep their own tags' "$(guest events | sed 's/handle [0-9]* //')" \
  "release $(line 0x40000000 $TAG1) more 0
add $(line 0x40000000 $TAG2) more 0"
guest accept >/dev/null
qmp "$(object_del tm1)" "$(backend tm1 $TAG1)" "$(add $TAG1 $((2 * GIB)))" >/dev/null
guest write 0 $GIB 0102 >/dev/null
code 4802 "$(answer $((2 * GIB)) $GIB)" >/dev/null
code 4803 "$(answer $((2 * GIB)) $GIB)" >/dev/null
is '... also that of an offer answered unread' "$(guest events | grep -c $TAG1)" 1
finish
