#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Two machines with one tagged file: each sees what the other stores
# shellcheck source=tests/qemu-module/lib.sh
. "$(dirname "$0")/lib.sh"
need_module
: "${CXL_BOOT:?}" "${CXL_CPU:?}"
WINDOW=$((0x110000000))
SIZE=$((64 * MIB))

# share ID OFFSET: this machine gets the file, at its own place
share() {
  qmp '{"execute":"cont"}' \
    "{\"execute\":\"object-add\",\"arguments\":{\"qom-type\":\"memory-backend-file\",\"id\":\"shared\",\"size\":$SIZE,\"share\":true,\"mem-path\":\"$dir/shared\",\"tag\":\"$TAG0\"}}" \
    "$(add $TAG0 "$1" $SIZE)" >/dev/null
  guest map >/dev/null
  guest accept >/dev/null
}
one() { vm=$dir/one; "$@"; }
two() { vm=$dir/two; "$@"; }

vm_start one || skip_all "no machine: $(cat "$vm/log")"
share 0
vm_start two
share $((2 * GIB))
there=$((WINDOW + 2 * GIB))
is 'both have accepted it' "$(one direct $TAG0) $(two direct $TAG0)" 'yes yes'
one cpu store $WINDOW 0xabcdef
is 'what the first stores the second loads' "$(two cpu load $there)" 0xabcdef
is '... adds to it, locked' "$(two cpu add $there 1)" 0xabcdef
is '... and the first sees it' "$(one cpu load $WINDOW)" 0xabcdf0
one guest release --tag $TAG0 >/dev/null
is 'the first gives it back' "$(one state $TAG0) $(one cpu load $WINDOW)" 'Released 0x0'
is '... and the second has it still' "$(two state $TAG0) $(two cpu load $there)" \
  'Not Released 0xabcdf0'
is '... also the file' "$(od -An -tx8 -N8 "$dir/shared" | tr -d ' ')" 0000000000abcdf0
one vm_stop
two vm_stop
finish
