#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a client asks to know whether this QEMU has tagged capacity
# shellcheck source=tests/qemu-module/lib.sh
. "$(dirname "$0")/lib.sh"
need_module

commands=$(qemu_none '{"execute":"query-commands"}')
has 'query-commands has the status command' "$commands" \
  '{"name": "cxl-release-dynamic-capacity-status"}'

properties=$(qemu_none '{"execute":"device-list-properties","arguments":{"typename":"cxl-type3"}}' |
  sed 's/}, {/}\n{/g')
property=$(grep '"dc-regions-total-size"' <<<"$properties")
has 'device-list-properties has dc-regions-total-size' "$property" '"type": "size"'
has '... with its default' "$property" '"default-value": 0'
has '... and QEMU'\''s own properties still' "$properties" '"volatile-dc-memdev"'

for kind in ram memfd file shm; do
  property=$(qemu_none "{\"execute\":\"qom-list-properties\",\"arguments\":{\"typename\":\"memory-backend-$kind\"}}" |
    sed 's/}, {/}\n{/g' | grep '"name": "tag"')
  has "qom-list-properties has the tag of memory-backend-$kind" "$property" \
    '"type": "string"'
done

schema=$(qemu_none '{"execute":"query-qmp-schema"}')
entry=$(grep -o '{[^{}]*"name": "cxl-release-dynamic-capacity-status"[^{}]*}' <<<"$schema")
has 'query-qmp-schema has the status command' "$entry" '"meta-type": "command"'
has '... marked unstable, as its companions are' "$entry" '"unstable"'

# type_of NAME: the members of the schema's object type of that name
type_of() {
  sed 's/"meta-type"/\n/g' <<<"$schema" |
    sed -n "s/.*{\"name\": \"$1\", \"members\": //p"
}
# word OBJECT KEY
word() {
  sed -n "s/.*\"$2\": \"\([^\"]*\)\".*/\1/p" <<<"$1"
}
request_type=$(type_of "$(word "$entry" arg-type)")
for name in path host-id region tag; do
  has "the status command takes '$name'" "$request_type" "\"name\": \"$name\""
done
reply_type=$(type_of "$(word "$entry" ret-type)")
for name in status message; do
  has "the status command answers '$name'" "$reply_type" "\"name\": \"$name\""
done
for kind in ram memfd file shm; do
  type=$(grep -o "{\"case\": \"memory-backend-$kind\", \"type\": \"[0-9]*\"}" <<<"$schema" |
    sed 's/.*"type": "\([0-9]*\)".*/\1/')
  has "query-qmp-schema: object-add of memory-backend-$kind takes a tag" \
    "$(type_of "$type")" '{"name": "tag", "default": null, "type": "str"}'
done
finish
