#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# extent-load.sh: how long a guest's load takes from the memory of an extent
#
# One machine under TCG, one run: the virtual CPU walks through 1 MiB, each load
# waiting for the one before, in ordinary guest RAM, in an extent with its direct
# alias, and in the same extent without it. The three take turns; what is printed
# is the median of the rounds, in nanoseconds, and the ratios that are promised:
# with the alias at most 1.15 times ordinary RAM, and at least 5 times better
# than without. Exit status 1 if one is missed.
#
# It takes the environment of the tests (see tests/qemu-module/lib.sh):
#   meson devenv -C build ../bench/extent-load.sh
# shellcheck source=tests/qemu-module/lib.sh
. "$(dirname "$0")/../tests/qemu-module/lib.sh"
ROUNDS=${ROUNDS:-9}
WINDOW=$((0x110000000))
RAM=$((128 * MIB))
LOADS=16384                             # over 1 MiB, a cache line each

need_module
vm_start vm || skip_all "no machine: $(cat "$vm/log")"
qmp '{"execute":"cont"}' "$(backend tm0 $TAG0)" "$(add $TAG0)" >/dev/null
guest map >/dev/null
guest accept >/dev/null
[ "$(direct $TAG0)" = yes ] || skip_all 'there is no direct alias'

alias_is() {
  qmp "{\"execute\":\"qom-set\",\"arguments\":{\"path\":\"$DEV\",\"property\":\"x-direct-alias\",\"value\":$1}}" >/dev/null
}
median() {
  sort -n | sed -n "$(((ROUNDS + 1) / 2))p"
}

cpu loads $RAM $LOADS 100 >/dev/null    # translate the code, fill the TLB
for ((i = 0; i < ROUNDS; i++)); do
  cpu loads $RAM $LOADS 200 >>"$dir/ram"
  cpu loads $WINDOW $LOADS 200 >>"$dir/direct"
  alias_is false
  cpu loads $WINDOW $LOADS 2 >>"$dir/trapped"
  alias_is true
done
ram=$(median <"$dir/ram")
with=$(median <"$dir/direct")
without=$(median <"$dir/trapped")
echo "nanoseconds a load, TCG, median of $ROUNDS:"
printf '  %-28s %9.2f\n' 'ordinary guest RAM' "$ram" 'extent, direct alias' "$with" \
  'extent, no direct alias' "$without"
awk -v ram="$ram" -v with="$with" -v without="$without" 'BEGIN {
  printf "direct alias / ordinary RAM: %.2f (at most 1.15)\n", with / ram
  printf "no direct alias / direct alias: %.1f (at least 5)\n", without / with
  exit !(with / ram <= 1.15 && without / with >= 5)
}'
