#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The demonstration runs to its end, shows what it promises, and leaves nothing. BUILT names
# the build folder.
set -u
: "${BUILT:?}"

number=0
failures=0

# check TEXT COMMAND...: it succeeds
check()
{
    local text=$1

    shift
    number=$((number + 1))
    if "$@"; then
        echo "ok $number - $text"
    else
        echo "not ok $number - $text"
        failures=$((failures + 1))
        tail -n 30 "$out" | sed 's/^/# /'
    fi
}

out=$(mktemp)
trap 'rm -f "$out"' EXIT
"$(dirname "$0")/../scripts/demo" >"$out" 2>&1
status=$?

# What it was doing it in.
scratch=$(grep -o -m 1 '/tmp/cxl-dcd-demo\.[A-Za-z0-9]*' "$out")

check "it ends well" [ "$status" -eq 0 ]
check "the guest accepts capacity" grep -q "^Capacity accepted by the guest of domain 'cxl-demo'" "$out"
check "the guest's data is seen on the host" grep -q '^hello from the guest' "$out"
check "the guest gives it back" grep -q '^Capacity [-0-9a-f]* released' "$out"
check "attach-device and detach-device" grep -q '^Device detached successfully' "$out"
check "its folder is gone" [ -n "$scratch" -a ! -e "$scratch" ]
check "its user is gone" [ -z "$(getent passwd | grep '^cxl-dcd-demo-')" ]
echo "1..$number"
[ "$failures" -eq 0 ]
