#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Capacity comes and goes while a CPU stores over its place without a pause.
# $CYCLES is how often, 100 times if it is not set; nothing of it may be left in the end.
# shellcheck source=tests/qemu-module/lib.sh
. "$(dirname "$0")/lib.sh"
need_module
: "${CXL_BOOT:?}" "${CXL_CPU:?}"
CYCLES=${CYCLES:-100}
SIZE=$((32 * MIB))
WINDOW=$((0x110000000))

vm_start vm || skip_all "no machine: $(cat "$vm/log")"
qmp '{"execute":"cont"}' >/dev/null
guest map >/dev/null
exec 3> >(exec "$CXL_GUEST" --qtest "$vm/qtest" serve --interval 1 >/dev/null)
cpu storm $WINDOW $((SIZE / 64))

# until STATE TAG
until_state() {
  local i
  for ((i = 0; i < 500; i++)); do
    [ "$(state "$2")" = "$1" ] && return 0
  done
  return 1
}
# stored: the CPU's stores arrive in the backend
stored() {
  local i
  for ((i = 0; i < 2000; i++)); do
    [ "$(od -An -tx8 -N8 -j $((SIZE - 64)) "$vm/extent" | tr -d ' ')" = "0000000111ffffc0" ] &&
      return 0
  done
  return 1
}
cycle() {
  local tag=$1
  rm -f "$vm/extent"
  qmp "{\"execute\":\"object-add\",\"arguments\":{\"qom-type\":\"memory-backend-file\",\"id\":\"tm\",\"size\":$SIZE,\"share\":true,\"mem-path\":\"$vm/extent\",\"tag\":\"$tag\"}}" \
    "$(add "$tag" 0 $SIZE)" >/dev/null || return 1
  until_state 'Not Released' "$tag" && stored || return 1
  qmp "$(release "$tag")" >/dev/null || return 1
  until_state Released "$tag" || return 1
  qmp "$(object_del tm)" >/dev/null
}

# settled: resident memory while the CPU rests. As long as it stores without a
# pause QEMU gives nothing back that the CPU might still use.
stores=0
settled() {
  stores=$((stores + $(cpu calm)))
  settled=$(memory "$pid")
  cpu storm $WINDOW $((SIZE / 64))
}

pid=$(cat "$vm/pid")
warm=$((CYCLES / 3)) # QEMU and its allocator take what they need in the first ones
objects=$(qmp '{"execute":"qom-list","arguments":{"path":"/objects"}}')
tree=$(hmp 'info mtree')
good=0
for ((n = 1; n <= CYCLES; n++)); do
  cycle "$(printf '00000000-0000-4000-8000-%012d' $n)" || break
  good=$n
  if [ $n = $warm ]; then
    settled
    early=$settled
  fi
done
settled
late=$settled
is "$CYCLES cycles of add, accept, store, release" "$good" "$CYCLES"
explain 'stores by the CPU' "$stores"
explain "resident KiB after $warm and after $CYCLES cycles" "$early, $late"
[ $((late - early)) -lt 256 ]
result $? 'resident memory stays as it is'
is 'no object is left' "$(qmp '{"execute":"qom-list","arguments":{"path":"/objects"}}')" "$objects"
is 'no region is left' "$(diff <(echo "$tree") <(hmp 'info mtree'))" ''
exec 3>&-
finish
