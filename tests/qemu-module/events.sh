#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The event log of a device: what the guest does to it, and what it holds
# shellcheck source=tests/qemu-module/lib.sh
. "$(dirname "$0")/lib.sh"
need_module
: "${CXL_BOOT:?}" "${CXL_CPU:?}"

SMALL=$((2 * MIB))
full='the guest has not cleared the 8 records in the event log of the device, and would not learn of this one'

# uuid N: a tag of its own for each number
uuid() {
  printf '00000000-0000-4000-8000-%012d' "$1"
}
# offer N: of a new backend, at the Nth place
offer() {
  qmp "$(backend "m$1" "$(uuid "$1")" $SMALL)" "$(add "$(uuid "$1")" $(($1 * SMALL)) $SMALL)" |
    tail -n 1
}
# clear FLAGS [HANDLE]: the return code of Clear Event Records
clear() {
  code 0101 "04$(le 1 "$1")$(le 1 $(($# - 1)))000000${2:+$(le 2 "$2")}"
}
# numbers: whose tags the records have, in the log's order
numbers() {
  guest events | sed -n 's/.* tag 00000000-0000-4000-8000-0*\([0-9]*\) .*/\1/p' | tr '\n' ' '
}

vm_start vm || skip_all "no machine: $(cat "$vm/log")"
guest map >/dev/null
for i in 1 2 3 4 5 6 7 8; do
  offered=$(offer $i)
done
is 'eight offers' "$offered" "$done_"
is 'a ninth is refused' "$(error_of "$(offer 9)")" "$full"
is 'the guest asks to clear all records' "$(clear 1)" 0
if [ "$(guest events | wc -l)" = 0 ]; then
  is '... which this QEMU does: the ninth is offered' \
    "$(qmp "$(add "$(uuid 9)" $((9 * SMALL)) $SMALL)")" "$done_"
else
  is '... which this QEMU does not do: all are there, with their tags' "$(numbers)" '1 2 3 4 5 6 7 8 '
  again=$(add "$(uuid 9)" $((9 * SMALL)) $SMALL)
  is '... and the ninth is still refused' "$(error_of "$(qmp "$again")")" "$full"
  code 4802 "$(le32 0)00000000" >/dev/null
  qmp "$(object_del m1)" >/dev/null
  is '... and a record keeps its tag when its extent has gone' "$(state "$(uuid 1)") $(numbers)" \
    'Released 1 2 3 4 5 6 7 8 '
  is 'the guest clears one' "$(clear 0 1)" 0
  is '... and the ninth is offered' "$(qmp "$again")" "$done_"
  is '... with its tag' "$(numbers)" '2 3 4 5 6 7 8 9 '
fi
vm_stop

# a handle can be guessed: they are counted
vm_start unread
guest map >/dev/null
codes=
for ((i = 1; i <= 9; i++)); do
  offered=$(offer $i)
  codes+=$(clear 0 $i)$(code 4802 "$(le32 0)00000000")
done
is 'nine offers, each refused and its record cleared, unread' "$codes $offered" \
  "000000000000000000 $done_"
is '... and the log is empty' "$(guest events)" ''

# the next record is at the place of one that was never read
qmp "$(object_del m9)" >/dev/null
qmp "$(backend m10 "$(uuid 10)" $SMALL)" "$(add "$(uuid 10)" $((9 * SMALL)) $SMALL)" >/dev/null
is '... and the next record has its own tag' "$(numbers)" '10 '

# offers come while the guest is about to ring, or to read an answer
qmp '{"execute":"cont"}' >/dev/null
mailbox=$(hmp 'info mtree' | sed -n 's/^ *\([0-9a-f]*\)-.*: mailbox$/0x\1/p' | head -n 1)
# registers: command, return code, the start of the payload and the end
registers() {
  echo "$(cpu load $((mailbox + 8))) $(($(cpu load $((mailbox + 16))) >> 32))" \
    "$(cpu load $((mailbox + 32))) $(cpu load $((mailbox + 32 + 2040)))"
}
i=10
for opcode in ffff 4803; do
  i=$((i + 1))
  refusal=$(code $opcode "$(answer 0 $GIB)")
  cpu store $((mailbox + 32)) 0x1122334455667788
  cpu store $((mailbox + 32 + 2040)) 0x99aabbccddeeff00
  cpu store $((mailbox + 8)) 0x84801
  before=$(registers)
  has "a command is refused: $opcode" "$before" "0x84801 $refusal 0x1122334455667788 0x99aabbccddeeff00"
  is '... an offer comes' "$(offer $i)" "$done_"
  is '... and the mailbox is as the guest left it' "$(registers)" "$before"
done

# Where the medium is disabled the device does not tell its events. QEMU keeps
# that in bits 2 and 3 of a register that it lets a guest write.
capabilities=$(cpu load32 "$mailbox")
cpu store32 "$mailbox" $((capabilities | 0xc))
if [ "$(code 0100 04)" != 0 ]; then
  is 'the medium is disabled, and a command succeeds all the same' "$(code 4000)" 0
  before=$(registers)
  is '... an offer is refused' "$(error_of "$(offer 13)")" \
    'the device does not tell what is in its event log'
  is '... and the mailbox is as the guest left it' "$(registers)" "$before"
  qmp "$(object_del m13)" >/dev/null
else
  result 0 'the medium is disabled # SKIP not in this QEMU'
fi
cpu store32 "$mailbox" "$capabilities"

# narrow b|w: what qtest says to a write of a part of the control register
narrow() {
  python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(f"write{sys.argv[2]} {int(sys.argv[3], 16) + 4:#x} 1\n".encode())
print(s.recv(100).decode().strip())' "$vm/qtest" "$1" "$mailbox" 2>&1
}
is 'half a register is written: nothing, where QEMU would end' "$(narrow w)" OK
is '... and a byte of it' "$(narrow b)" OK
is '... and the device works on' "$(code 4801 "$(le32 50)$(le32 0)")" 0
finish
