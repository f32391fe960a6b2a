#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The property `tag` of host memory backends
# shellcheck source=tests/qemu-module/lib.sh
. "$(dirname "$0")/lib.sh"
need_module
vm_start vm || skip_all "no machine: $(cat "$vm/log")"

# of ID: the tag that qom-get shows
of() {
  qmp "{\"execute\":\"qom-get\",\"arguments\":{\"path\":\"/objects/$1\",\"property\":\"tag\"}}"
}
# kind TYPE ID TAG MORE
kind() {
  echo "{\"execute\":\"object-add\",\"arguments\":{\"qom-type\":\"memory-backend-$1\",\"id\":\"$2\",\"size\":$MIB,\"tag\":\"$3\"$4}}"
}
# uuid N: a tag of its own for each number
uuid() {
  printf '00000000-0000-4000-8000-%012d' "$1"
}

n=0
for type in ram memfd file shm; do
  n=$((n + 1))
  more=
  [ $type = file ] && more=",\"mem-path\":\"$dir/file\",\"share\":true"
  is "object-add takes a tag: memory-backend-$type" \
    "$(qmp "$(kind $type "m$n" "$(uuid $n)" "$more")")" "$done_"
  is '... and qom-get shows it' "$(of "m$n")" "{\"return\": \"$(uuid $n)\"}"
done

is 'a backend needs no tag' \
  "$(qmp "{\"execute\":\"object-add\",\"arguments\":{\"qom-type\":\"memory-backend-ram\",\"id\":\"plain\",\"size\":$MIB}}")" \
  "$done_"
is '... and has none then' "$(of plain)" '{"return": ""}'

for bad in '' x 5be13bce-ae34-4a77-b6c3-16df975fcf1 5be13bceae344a77b6c316df975fcf1a0000 \
  5be13bce-ae34-4a77-b6c3-16df975fcf1g 5be13bce-ae34-4a77-b6c3+16df975fcf1a \
  00000000-0000-0000-0000-000000000000; do
  is "no tag: '$bad'" "$(error_of "$(qmp "$(backend bad "$bad")")")" \
    "tag '$bad' is not a UUID, or is nil"
done
is 'a tag is a string' \
  "$(error_of "$(qmp "{\"execute\":\"object-add\",\"arguments\":{\"qom-type\":\"memory-backend-ram\",\"id\":\"bad\",\"size\":$MIB,\"tag\":5}}")")" \
  "Invalid parameter type for 'tag', expected: string"
is 'what was refused is not there' \
  "$(error_of "$(qmp "$(object_del bad)")")" "object 'bad' not found"

is 'a second backend cannot have the tag' \
  "$(error_of "$(qmp "$(kind ram twin "$(uuid 1)")")")" \
  "tag '$(uuid 1)' is already that of memory backend 'm1'"
is '... also in other letters' \
  "$(qmp "$(kind ram letters 5be13bce-ae34-4a77-b6c3-16df975fcf1a)")
$(error_of "$(qmp "$(kind ram twin 5BE13BCE-AE34-4A77-B6C3-16DF975FCF1A)")")" \
  "$done_
tag '5BE13BCE-AE34-4A77-B6C3-16DF975FCF1A' is already that of memory backend 'letters'"

# set PATH TAG
set_tag() {
  qmp "{\"execute\":\"qom-set\",\"arguments\":{\"path\":\"/objects/$1\",\"property\":\"tag\",\"value\":\"$2\"}}"
}
is 'qom-set gives a backend a tag' "$(set_tag plain "$(uuid 20)")$(of plain)" \
  "$done_{\"return\": \"$(uuid 20)\"}"
is '... once' "$(error_of "$(set_tag plain "$(uuid 21)")")" \
  'the tag of a memory backend can be set only once'
is '... and not one that is in use' \
  "$(qmp "{\"execute\":\"object-add\",\"arguments\":{\"qom-type\":\"memory-backend-ram\",\"id\":\"plain2\",\"size\":$MIB}}" >/dev/null
    error_of "$(set_tag plain2 "$(uuid 2)")")" \
  "tag '$(uuid 2)' is already that of memory backend 'm2'"

is 'object-del frees the tag' \
  "$(qmp "$(object_del m1)" "$(kind ram again "$(uuid 1)")")" "$done_
$done_"
is 'a failing object-add leaves no tag behind' \
  "$(error_of "$(qmp "$(kind file lost "$(uuid 30)" ',"mem-path":"/nonexistent/x"')")" | cut -c1-20)
$(qmp "$(kind ram found "$(uuid 30)")")" "can't open backing s
$done_"
has 'other objects are added as ever' \
  "$(qmp '{"execute":"object-add","arguments":{"qom-type":"rng-builtin","id":"rng"}}')" 'return'
finish
