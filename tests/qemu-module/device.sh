#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# dc-regions-total-size: a device with capacity and no memory
# shellcheck source=tests/qemu-module/lib.sh
. "$(dirname "$0")/lib.sh"
need_module

# refused DEVICE: what QEMU says of it on the command line
refused() {
  local device=$1
  shift
  # shellcheck disable=SC2031
  if device=$device vm_start refused "$@"; then
    vm_stop
    echo 'it started'
  else
    grep -v '^cxl-tagged: ready' "$vm/log" | sed 's/^[^ ]*: -device [^ ]*: //'
  fi
}

vm_start small || skip_all "no machine: $(cat "$vm/log")"
small=$(memory "$(cat "$vm/pid")")
has 'the size can be read' \
  "$(qmp "{\"execute\":\"qom-get\",\"arguments\":{\"path\":\"$DEV\",\"property\":\"dc-regions-total-size\"}}")" \
  "{\"return\": $((4 * GIB))}"
is 'the guest sees that capacity' "$(guest list | sed 's/.* capacity //')" 0x100000000

# Clear Poison writes 64 bytes at a device address, accepted or not
guest map >/dev/null
codes=
for i in 0 1 2 3; do
  codes+=$(code 4302 "$(le64 $((i * GIB)))$(printf 'ff%.0s' {1..64})")
done
is 'a guest that clears poison of what it has not' "$codes" 0000
is '... takes no memory from the host' \
  "$(awk '/^Size: *4194304 kB/ { hole = 1 } hole && /^Rss/ { print $2; hole = 0 }' "/proc/$(cat "$vm/pid")/smaps")" 0
qmp "$(backend tm0 $TAG0)" "$(add $TAG0)" >/dev/null
guest accept >/dev/null
is '... and when it has it, clears it' \
  "$(guest read 0 0 2) $(code 4302 "$(le64 0)$(printf 'ff%.0s' {1..64})") $(guest read 0 0 2)" '0000 0 ffff'
vm_stop

device=num-dc-regions=8,dc-regions-total-size=64G vm_start large
large=$(memory "$(cat "$vm/pid")")
explain 'resident KiB with 4 GiB, 64 GiB' "$small, $large"
# QEMU keeps 96 KiB of dirty bitmaps for each GiB
[ $((large - small)) -lt 16384 ]
result $? '64 GiB of capacity take no memory before it is added'
vm_stop

vm_start prealloc -mem-prealloc
large=$(memory "$(cat "$vm/pid")")
explain 'resident KiB with -mem-prealloc' "$large"
[ $((large - small)) -lt $((512 * 1024)) ]
result $? '... not even under -mem-prealloc'
vm_stop

locked="'dc-regions-total-size' cannot be combined with -overcommit mem-lock=on, under which all of it would be allocated at once"
has 'mem-lock=on is refused' \
  "$(refused num-dc-regions=1,dc-regions-total-size=256M -overcommit mem-lock=on)" "$locked"

both="'dc-regions-total-size' and 'volatile-dc-memdev' exclude each other"
has 'volatile-dc-memdev as well is refused' \
  "$(refused num-dc-regions=1,volatile-dc-memdev=own,dc-regions-total-size=1G \
    -object memory-backend-ram,id=own,size=1G)" "$both"
has '... in the other order' \
  "$(refused num-dc-regions=1,dc-regions-total-size=1G,volatile-dc-memdev=own \
    -object memory-backend-ram,id=own,size=1G)" "$both"
has 'nine regions are refused, which QEMU would take and overrun' \
  "$(refused num-dc-regions=9,dc-regions-total-size=9G)" \
  'num-dc-regions is 9, and can be at most 8'
has '... for a stock device too' \
  "$(refused num-dc-regions=9,volatile-dc-memdev=own \
    -object memory-backend-ram,id=own,size=9G,reserve=off)" \
  'num-dc-regions is 9, and can be at most 8'
has 'a size that the regions do not divide is refused' \
  "$(refused num-dc-regions=3,dc-regions-total-size=1G)" \
  '0x40000000 bytes of dynamic capacity are not 3 regions of equal size, each a multiple of 256 MiB'

# hot-plug into the second port
device=none vm_start plug -object memory-backend-ram,id=own,size=1G,reserve=off \
  -object memory-backend-ram,id=odd,size=100M,reserve=off
plug() {
  qmp "{\"execute\":\"device_add\",\"arguments\":{\"driver\":\"cxl-type3\",\"bus\":\"port1\",\"id\":\"cxl-vmem0\",\"sn\":99,$1}}"
}
is 'device_add refuses both' \
  "$(error_of "$(plug "\"num-dc-regions\":1,\"dc-regions-total-size\":$GIB,\"volatile-dc-memdev\":\"own\"")")" \
  "$both"
is 'device_add refuses nine regions' \
  "$(error_of "$(plug "\"num-dc-regions\":9,\"dc-regions-total-size\":$((9 * GIB))")")" \
  'num-dc-regions is 9, and can be at most 8'
# on these QEMU itself crashes later, when memory changes
is 'device_add refuses a size that the regions do not divide' \
  "$(error_of "$(plug "\"num-dc-regions\":1,\"dc-regions-total-size\":$((1000 * MIB))")")" \
  '0x3e800000 bytes of dynamic capacity are not 1 regions of equal size, each a multiple of 256 MiB'
is '... of a stock device too' \
  "$(error_of "$(plug '"num-dc-regions":1,"volatile-dc-memdev":"odd"')")" \
  '0x6400000 bytes of dynamic capacity are not 1 regions of equal size, each a multiple of 256 MiB'
is '... and one that begins at no multiple of 256 MiB' \
  "$(error_of "$(plug "\"num-dc-regions\":1,\"dc-regions-total-size\":$GIB,\"volatile-memdev\":\"odd\"")")" \
  'the other memory of the device, before its dynamic capacity, is 0x6400000 bytes, and not a multiple of 256 MiB'
is 'device_add makes a device' \
  "$(plug "\"num-dc-regions\":2,\"dc-regions-total-size\":$((2 * GIB))")" "$done_"
is '... that takes capacity' \
  "$(region=1 qmp "$(backend b0 $TAG0)" "$(region=1 add $TAG0)")" "$done_
$done_"
is '... which can be seen' "$(region=1 state $TAG0)" Pending
is 'the size cannot be changed afterwards' \
  "$(error_of "$(qmp "{\"execute\":\"qom-set\",\"arguments\":{\"path\":\"$DEV\",\"property\":\"dc-regions-total-size\",\"value\":$GIB}}")")" \
  "'dc-regions-total-size' cannot be set once the device is realized"
vm_stop
finish
