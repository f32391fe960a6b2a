#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The demonstration runs to its end, whenever the guest answers, and shows what it promises;
# it leaves nothing, also when it is interrupted. BUILT names the build folder.
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

folder=$(mktemp -d)
out=$folder/out
trap 'rm -rf "$folder"' EXIT

# A guest that takes its time.
cat >"$folder/guest" <<SH
#!/bin/sh
exec $BUILT/tests/guest/cxl-guest "\$@" --delay 400
SH
chmod +x "$folder/guest"
export CXL_GUEST=$folder/guest

# Jobs of their own, as in a terminal: Ctrl-C reaches all processes of one.
set -m

# start: the demonstration; sets demo
start()
{
    : >"$out" # now: what the last one said must not be taken for what this one says
    "$(dirname "$0")/../scripts/demo" >>"$out" 2>&1 &
    demo=$!
}

# end: waits for its end; sets status
end()
{
    wait "$demo"
    status=$?
}

# leaves_nothing WHEN
leaves_nothing()
{
    local scratch

    scratch=$(grep -o -m 1 '/tmp/cxl-dcd-demo\.[A-Za-z0-9]*' "$out")
    check "$1: it has said where it works" [ -n "$scratch" ]
    check "$1: its folder is gone" [ ! -e "$scratch" ]
    check "$1: its user is gone" [ -z "$(getent passwd "cxl-dcd-demo-$demo")" ]
    check "$1: its processes are gone" [ -z "$(grep -lsF "$scratch/" /proc/[0-9]*/environ)" ]
}

# interrupted TEXT: by Ctrl-C, when it has printed the text
interrupted()
{
    local text=$1

    start
    for _ in $(seq 600); do
        grep -qF "$text" "$out" && break
        sleep 0.1
    done
    kill -INT -- "-$demo"
    end
    check "interrupted after '$text': it says so" [ "$status" -ne 0 ]
    check "interrupted after '$text': it did not go on" [ -z "$(grep '^# The end' "$out")" ]
    leaves_nothing "interrupted after '$text'"
}

start
end
check "it ends well" [ "$status" -eq 0 ]
check "the guest accepts capacity" grep -q "^Capacity accepted by the guest of domain 'cxl-demo'" "$out"
check "the guest says so" grep -q '^  guest: device 0 accepted ' "$out"
check "the guest's data is seen on the host" grep -q '^hello from the guest' "$out"
check "the guest gives it back" grep -q '^Capacity [-0-9a-f]* released' "$out"
check "attach-device and detach-device" grep -q '^Device detached successfully' "$out"
leaves_nothing "at the end"

interrupted '$ libvirtd'
interrupted "Domain 'cxl-demo' started"
interrupted '# Back again'
echo "1..$number"
[ "$failures" -eq 0 ]
