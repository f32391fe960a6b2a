#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a fabric manager does to a tagged device past QMP: through the mailbox of
# a switch, which passes its commands on to the device. QEMU has it since 10.1.
# shellcheck source=tests/qemu-module/lib.sh
. "$(dirname "$0")/lib.sh"
need_module
: "${CXL_BOOT:?}" "${CXL_CPU:?}"

device=none vm_start vm -device cxl-upstream,bus=port0,id=up0,addr=0.0,multifunction=on \
  -device cxl-switch-mailbox-cci,bus=port0,addr=0.1,target=up0 \
  -device cxl-downstream,port=0,bus=up0,id=down0,chassis=193,slot=4 \
  -device cxl-type3,bus=down0,id=cxl-vmem0,sn=0x63,num-dc-regions=1,dc-regions-total-size=4G ||
  skip_all "no machine: $(cat "$vm/log")"
qmp '{"execute":"cont"}' >/dev/null
guest map >/dev/null

# Function 1 of the switch, which cxl-guest leaves alone: give it an address.
config=$((0xb0000000 + (193 << 20) + (1 << 12)))
cpu store32 $((config + 0x10)) 0xcc180000
cpu store32 $((config + 0x14)) 0
cpu store32 $((config + 0x04)) 6
mailbox=$(hmp 'info mtree' | sed -n 's/^ *\(00000000cc18[0-9a-f]*\)-.*: mailbox$/0x\1/p' | head -n 1)

# payload HEX: into the switch's mailbox
payload() {
  local hex=$1 at=$((mailbox + 0x20)) word
  while [ -n "$hex" ]; do
    word=${hex:0:8}00000000
    cpu store32 $at "0x${word:6:2}${word:4:2}${word:2:2}${word:0:2}"
    hex=${hex:8}
    at=$((at + 4))
  done
}
# manager OPCODE HEX: the return code of a command to the device, through
# Tunnel Management Command
manager() {
  local message
  message=000000$(le 2 "$1")$(le 3 $((${#2} / 2)))00000000$2
  message=0000$(le 2 $((${#message} / 2)))$message
  payload "$message"
  cpu store $((mailbox + 8)) $((0x5300 | (${#message} / 2) << 16))
  cpu store32 $((mailbox + 4)) 1
  echo $(($(cpu load32 $((mailbox + 0x20 + 12))) & 0xffff))
}
zeros=$(printf '0%.0s' {1..32})
# capacity POLICY OFFSET LEN: the payload of an add or a release
capacity() {
  echo "0000$(le 1 "$1")00$(le64 "$3")$zeros$(le32 1)$(le64 "$2")$(le64 "$3")$zeros$(le64 0)"
}

offered=$(manager 0x5604 "$(capacity 2 0 $((256 * MIB)))")
if [ "$offered" != 0 ]; then
  echo '1..0 # SKIP this QEMU has no such commands of a fabric manager'
  exit 0
fi
qmp "$(backend tm0 $TAG0)" "$(add $TAG0 $GIB)" >/dev/null
is 'the guest is offered what has no backend' "$(guest events | head -n 1)" \
  'handle 1 add region 0 offset 0x0 size 0x10000000 dpa 0x0 tag 00000000-0000-0000-0000-000000000000 more 0'
is '... and cannot accept it' "$(code 4802 "$(answer 0 $((256 * MIB)))")" 15
is '... it is not in the extent list' "$(guest extents)" ''
is '... and the offer behind it can be accepted' \
  "$(code 4802 "$(answer $GIB $GIB)") $(state $TAG0) $(direct $TAG0)" '0 Not Released yes'
manager 0x5604 "$(capacity 2 0 $((256 * MIB)))" >/dev/null
is 'one that is refused goes, too' "$(code 4802 "$(le32 0)00000000")" 0
is '... and is not there any more' "$(code 4802 "$(le32 0)00000000")" 2
is "a fabric manager's release of an extent" "$(manager 0x5605 "$(capacity 1 $GIB $GIB)")" 0
is '... reaches the guest with its tag' "$(guest events | tail -n 1 | sed 's/handle [0-9]* //')" \
  "release region 0 offset 0x40000000 size 0x40000000 dpa 0x40000000 tag $TAG0 more 0"
is '... and it can be given back' "$(code 4803 "$(answer $GIB $GIB)") $(state $TAG0)" '0 Released'
qmp "$(backend tm1 $TAG1 $((256 * MIB)))" "$(add $TAG1 0 $((256 * MIB)))" >/dev/null
is "the record of a fabric manager's offer has no tag, when there is an extent at its place" \
  "$(guest events | sed -n '1p;$p' | sed 's/handle [0-9]* //')" \
  "add region 0 offset 0x0 size 0x10000000 dpa 0x0 tag 00000000-0000-0000-0000-000000000000 more 0
add region 0 offset 0x0 size 0x10000000 dpa 0x0 tag $TAG1 more 0"
for i in 8 9 10; do
  manager 0x5604 "$(capacity 2 $((i * 256 * MIB)) $((256 * MIB)))" >/dev/null
done
is 'a fabric manager fills the event log' "$(guest events | wc -l)" 8
is '... and an offer is refused, of which the guest would not hear' \
  "$(error_of "$(qmp "$(add $TAG0 $GIB)")")" \
  'the guest has not cleared the 8 records in the event log of the device, and would not learn of this one'
finish
