#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Arguments of the wrong type: refused as by a QEMU that has no module
# shellcheck source=tests/qemu-module/lib.sh
. "$(dirname "$0")/lib.sh"
need_module
vm_start vm \
  -object memory-backend-ram,id=own,size=2G,reserve=off \
  -device cxl-type3,bus=port1,id=stock0,sn=0x64,num-dc-regions=1,volatile-dc-memdev=own ||
  skip_all "no machine: $(cat "$vm/log")"
"$QEMU" -machine none -nodefaults -display none -qmp "unix:$dir/stock,server=on,wait=off" &
pids+=($!)
for ((i = 0; i < 100; i++)); do
  [ -S "$dir/stock" ] && break
  sleep 0.1
done

good_add='"path":"'$DEV'","host-id":0,"selection-policy":"prescriptive","region":0,"tag":"'$TAG0'","extents":[{"offset":0,"len":'$GIB'}]'
good_release=${good_add/selection-policy/removal-policy}
good_status=${good_add%,\"extents\"*}
good_status=${good_status/\"selection-policy\":\"prescriptive\",/}

# with COMMAND GOOD MEMBER VALUE: the command, MEMBER of its good arguments being
# VALUE, or missing where that is empty
with() {
  local rest
  rest=$(sed -E "s/,?\"$3\":([^][{},]+|\[.*\])//; s/^,//" <<<"$2")
  echo "{\"execute\":\"$1\",\"arguments\":{$rest${4:+,\"$3\":$4}}}"
}
# stock_says JSON: the error of the QEMU that has no module
stock_says() {
  error_of "$("$QMP_SEND" "$dir/stock" "$1")"
}
# as_stock DESCRIPTION JSON [OTHER]: refused as stock QEMU refuses it, or OTHER
as_stock() {
  local expected
  expected=$(stock_says "${3-$2}")
  [ -n "$expected" ] || expected='(an error)'
  is "$1" "$(error_of "$(qmp "$2")")" "$expected"
}

qmp "$(backend tm0 $TAG0)" >/dev/null
object="Invalid parameter type for 'extents[0]', expected: object"
is 'an extent that is null' \
  "$(error_of "$(qmp "$(with cxl-add-dynamic-capacity "$good_add" extents '[null]')")")" "$object"
is '... to be released' \
  "$(error_of "$(qmp "$(with cxl-release-dynamic-capacity "$good_release" extents '[null]')")")" "$object"

# malformed COMMAND GOOD POLICY
malformed() {
  local one='{"offset":0,"len":4096}' value member
  for value in '' null 5 '"x"' true '{}' '[null]' '[[]]' "[[$one]]" '[1]' '["x"]' '[true]' \
    "[$one,null]" "[null,$one]" '[{}]' '[{"offset":0}]' '[{"offset":null,"len":4096}]' \
    '[{"offset":0,"len":"4096"}]' '[{"offset":0,"len":4096.5}]' '[{"offset":[],"len":{}}]' \
    '[{"offset":18446744073709551615,"len":4096},null]'; do
    as_stock "$1: extents $value" "$(with "$1" "$2" extents "$value")"
  done
  for member in path region "$3"; do
    for value in '' null '[1]' '{}' true; do
      as_stock "$1: $member $value" "$(with "$1" "$2" "$member" "$value")"
    done
  done
  as_stock "$1: path 5" "$(with "$1" "$2" path 5)"
  as_stock "$1: $3 5" "$(with "$1" "$2" "$3" 5)"
  for value in '"0"' 0.5; do
    as_stock "$1: region $value" "$(with "$1" "$2" region "$value")"
  done
  for value in null 5 '["x"]' '{}' true; do
    as_stock "$1: tag $value" "$(with "$1" "$2" tag "$value")"
  done
}
for at in $DEV /machine/peripheral/stock0; do
  malformed cxl-add-dynamic-capacity "${good_add/$DEV/$at}" selection-policy
  malformed cxl-release-dynamic-capacity "${good_release/$DEV/$at}" removal-policy
done

# QEMU takes a negative number where it wants one of 64 bits
overflow='the offset and length of an extent overflow'
wraps='[{"offset":-2097152,"len":4194304}]'
for at in $DEV /machine/peripheral/stock0; do
  is "a negative offset that would crash QEMU: $at" \
    "$(error_of "$(qmp "$(with cxl-add-dynamic-capacity "${good_add/$DEV/$at}" extents "$wraps")")")" "$overflow"
  is '... in a release' \
    "$(error_of "$(qmp "$(with cxl-release-dynamic-capacity "${good_release/$DEV/$at}" extents "$wraps")")")" "$overflow"
done
is '... before an extent of no length' \
  "$(error_of "$(qmp "$(with cxl-add-dynamic-capacity "$good_add" extents \
    "${wraps%]},{\"offset\":0,\"len\":0}]")")")" "$overflow"
is 'a negative region' \
  "$(error_of "$(qmp "$(with cxl-add-dynamic-capacity "$good_add" region -1)")")" 'region id is too large'

# no other QEMU has the status command
status_with() {
  error_of "$(qmp "$(with cxl-release-dynamic-capacity-status "$good_status" "$1" "$2")")"
}
for member in path tag; do
  for value in null 5 '["x"]' '{}' true; do
    is "status: $member $value" "$(status_with $member "$value")" \
      "Invalid parameter type for '$member', expected: string"
  done
done
for value in null '"0"' '[0]' '{}' true 0.5 -1 256; do
  is "status: region $value" "$(status_with region "$value")" "Parameter 'region' expects uint8_t"
done
for value in null '"0"' 0.5 65536; do
  is "status: host-id $value" "$(status_with host-id "$value")" "Parameter 'host-id' expects uint16_t"
done

# a backend with a tag
good_backend='"qom-type":"memory-backend-ram","id":"tm1","size":4096,"tag":"'$TAG1'"'
for value in null 5 '["x"]' '{}' true; do
  is "object-add: tag $value" \
    "$(error_of "$(qmp "$(with object-add "$good_backend" tag "$value")")")" \
    "Invalid parameter type for 'tag', expected: string"
  for member in qom-type id size; do
    [ "$member $value" = 'size 5' ] ||
      as_stock "object-add: $member $value" "$(with object-add "$good_backend" "$member" "$value")" \
        "$(with object-add "${good_backend%,*}" "$member" "$value")"
  done
done

is 'the guest was offered nothing by any of it' "$(guest events)$(serial=0x64 guest events)" ''
is '... and QEMU lives, and takes what is right' \
  "$(qmp "{\"execute\":\"cxl-add-dynamic-capacity\",\"arguments\":{$good_add}}")" "$done_"
finish
