#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The module's arguments, and what it says of itself
# shellcheck source=tests/qemu-module/lib.sh
. "$(dirname "$0")/lib.sh"
need_module

said() {
  arguments=$1 qemu_none '{"execute":"query-version"}' | grep -v '^{'
}
usage='the arguments are verbose=on|off and untested=on|off'

is 'it says nothing of itself' "$(said '')" ''
is 'verbose=off too' "$(said verbose=off)" ''
is 'verbose=on says that it is ready' "$(said verbose=on)" 'cxl-tagged: ready'
is 'untested=on changes nothing on a tested version' "$(said untested=on)" ''
for bad in verbose=yes untested= other=on; do
  has "a bad argument: $bad" "$(said $bad)" "bad argument '$bad'"
  has '... what would be right' "$(said $bad)" "$usage"
  is '... and QEMU does not start' "$(arguments=$bad qemu_none | grep -c '"return"')" 0
done
ln -s "$(realpath "$CXL_TAGGED")" "$dir/again.so"
options="-plugin file=$dir/again.so"
is 'given twice' "$(said '')" \
  'cxl-tagged: loaded twice: the second time is ignored'
finish
