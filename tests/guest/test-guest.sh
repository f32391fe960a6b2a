#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Checks the tests' own guest, cxl-guest, against the QEMU that is installed:
# a machine with static dynamic capacity, started paused, no processor runs.
#
# CXL_GUEST and QMP_SEND are the two programs, QEMU is the emulator. Output is
# TAP. A serving guest's output is a pipe that is read line by line, so that
# hardly anything here waits by the clock; one timeout over the whole script ends what
# hangs.

set -u

: "${CXL_GUEST:?the path of cxl-guest}"
: "${QMP_SEND:?the path of qmp-send}"
: "${QEMU:=qemu-system-x86_64}"

if [ -z "${GUEST_TEST_TIMED-}" ]; then
    GUEST_TEST_TIMED=1 exec timeout -k 10 "${GUEST_TEST_DEADLINE:-180}" sh "$0"
fi

if ! command -v "$QEMU" >/dev/null; then
    if [ "${CI-}" = true ]; then
        echo "Bail out! $QEMU is not there, and CI must not skip"
        exit 1
    fi
    echo "1..0 # SKIP $QEMU is not there"
    exit 0
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/cxl-guest-test.XXXXXX") || exit 1
number=0
failures=0
machine=

stop_machine()
{
    if [ -n "$machine" ] && [ -s "$machine/pid" ]; then
        kill "$(cat "$machine/pid")" 2>/dev/null
    fi
    machine=
}

cleanup()
{
    stop_machine
    [ -n "${server-}" ] && kill "$server" 2>/dev/null
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

# is DESCRIPTION GOT EXPECTED
is()
{
    number=$((number + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $number - $1"
        return
    fi
    echo "not ok $number - $1"
    printf '%s\n' "got: $2" "expected: $3" | sed 's/^/# /'
    failures=$((failures + 1))
}

# fails DESCRIPTION STATUS MESSAGE COMMAND...: the message is all of stderr
fails()
{
    description=$1
    expected="$2 cxl-guest: $3"
    shift 3
    message=$("$@" 2>&1 >/dev/null)
    is "$description" "$? $message" "$expected"
}

# start_machine NAME DEVICES [ARGUMENT...]: each device has 1 GiB in two
# regions of 512 MiB behind one file; the fixed memory window has 8 GiB.
start_machine()
{
    stop_machine
    machine=$work/$1
    devices=$2
    shift 2
    mkdir "$machine"
    index=0
    while [ "$index" -lt "$devices" ]; do
        file=$machine/memory$index
        port=cxl-rp,id=port$index,bus=host,port=$index
        port=$port,chassis=192,slot=$index
        memory=memory-backend-file,id=memory$index,mem-path=$file
        memory=$memory,size=1G,share=on
        dcd=cxl-type3,id=dcd$index,bus=port$index,sn=0x6$index
        dcd=$dcd,volatile-dc-memdev=memory$index,num-dc-regions=2
        set -- "$@" -device "$port" -object "$memory" -device "$dcd"
        index=$((index + 1))
    done
    # The other ports are what libvirt puts beside ours.
    "$QEMU" -machine q35,cxl=on -accel tcg -S -m 128 \
        -nodefaults -display none -daemonize -pidfile "$machine/pid" \
        -qtest "unix:$machine/qtest,server=on,wait=off" -qtest-log none \
        -qmp "unix:$machine/qmp,server=on,wait=off" \
        -machine cxl-fmw.0.targets.0=host,cxl-fmw.0.size=8G \
        -device pcie-root-port,id=other0,bus=pcie.0,addr=0x2,chassis=1 \
        -device pcie-root-port,id=other1,bus=pcie.0,addr=0x3,chassis=2 \
        -device virtio-rng-pci,bus=other0 \
        -device pxb-cxl,bus_nr=192,bus=pcie.0,id=host,addr=0x1c \
        "$@" || { echo "Bail out! QEMU does not start"; exit 1; }
}

guest()
{
    "$CXL_GUEST" --qtest "$machine/qtest" "$@"
}

# extents OFFSET SIZE...: the list as QMP takes it
extents()
{
    list=
    while [ $# -gt 0 ]; do
        list="$list${list:+,}{\"offset\":$1,\"len\":$2}"
        shift 2
    done
    echo "[$list]"
}

# offer DEVICE REGION OFFSET SIZE...
offer()
{
    path=/machine/peripheral/dcd$1
    region=$2
    shift 2
    "$QMP_SEND" "$machine/qmp" "{\"execute\":\"cxl-add-dynamic-capacity\",
        \"arguments\":{\"path\":\"$path\",\"host-id\":0,\"region\":$region,
        \"selection-policy\":\"prescriptive\",\"extents\":$(extents "$@")}}" \
        >/dev/null || echo "# the offer is refused by QEMU"
}

# ask_back DEVICE REGION OFFSET SIZE...
ask_back()
{
    path=/machine/peripheral/dcd$1
    region=$2
    shift 2
    "$QMP_SEND" "$machine/qmp" "{\"execute\":\"cxl-release-dynamic-capacity\",
        \"arguments\":{\"path\":\"$path\",\"host-id\":0,\"region\":$region,
        \"removal-policy\":\"prescriptive\",\"extents\":$(extents "$@")}}" \
        >/dev/null || echo "# the request is refused by QEMU"
}

# in_file DEVICE OFFSET SIZE: what the backing memory has, in hexadecimal
in_file()
{
    od -A n -v -t x1 -j "$2" -N "$3" "$machine/memory$1" | tr -d ' \n'
}

M=1048576
nil=00000000-0000-0000-0000-000000000000

# extent REGION OFFSET SIZE: as the tool writes it; two regions of 512 MiB
extent()
{
    printf 'region %d offset 0x%x size 0x%x dpa 0x%x tag %s' \
        "$1" "$2" "$3" $(($1 * 512 * M + $2)) $nil
}

# ---------------------------------------------------------------- one device

start_machine one 1

is "list shows the device behind its port" "$(guest list)" \
    "device 0 address 0000:c1:00.0 serial 0x60 port 0000:c0:00.0 number 0 regions 2 capacity 0x40000000"
is "config shows regions and limits" "$(guest config)" \
"region 0 dpa 0x0 size 0x20000000 decode 0x20000000 block 0x200000
region 1 dpa 0x20000000 size 0x20000000 decode 0x20000000 block 0x200000
extents supported 512 available 512
tags supported 0 available 0"
is "extents of a fresh device are none" "$(guest extents)" ""
is "events of a fresh device are none" "$(guest events)" ""

fails "read before map fails" 1 \
    "device 0 is not mapped: use map first" guest read 0 0 8
mapped=$(guest map)
is "map prints the place in the window" \
    "$(echo "$mapped" | sed 's/base 0x[0-9a-f]*/base ADDRESS/')" \
    "mapped device 0 base ADDRESS size 0x40000000"
is "map again changes nothing" "$(guest map)" "$mapped"
is "a map uses one decoder" \
    "$(guest unmap; guest read 0 0 8 2>&1; guest map)" \
    "unmapped device 0
cxl-guest: device 0 is not mapped: use map first
$mapped"

fails "accept without an offer fails" 1 \
    "the event log has no offer" guest accept
fails "refuse without an offer fails" 1 \
    "the event log has no offer" guest refuse
fails "release without a request fails" 1 \
    "the event log has no release record" guest release

offer 0 1 $((64 * M)) $((128 * M))
is "an offer is in the event log" "$(guest events)" \
    "handle 1 add $(extent 1 $((64 * M)) $((128 * M))) more 0"
is "events does not clear the log" "$(guest events)" \
    "handle 1 add $(extent 1 $((64 * M)) $((128 * M))) more 0"
is "an offer is no extent yet" "$(guest extents)" ""
is "accept answers the offer" "$(guest accept)" \
    "accepted $(extent 1 $((64 * M)) $((128 * M)))"
is "accept clears the log" "$(guest events)" ""
is "an accepted offer is an extent" "$(guest extents)" \
    "$(extent 1 $((64 * M)) $((128 * M)))"

guest write 1 $((64 * M + 4096)) 0123456789abcdef
is "a write through the window stands in the backing memory" \
    "$(in_file 0 $((576 * M + 4096)) 8)" 0123456789abcdef
is "a read gives it back" "$(guest read 1 $((64 * M + 4096)) 8)" \
    0123456789abcdef
guest write 1 $((64 * M)) @c3a5:100001
is "a pattern is repeated over its size" \
    "$(in_file 0 $((576 * M + 99998)) 4)" c3a5c300
printf 'from the host' |
    dd of="$machine/memory0" bs=1 seek=$((704 * M - 13)) conv=notrunc \
        2>/dev/null
is "a read sees what the host wrote into the backing memory" \
    "$(guest read 1 $((192 * M - 13)) 13)" 66726f6d2074686520686f7374
is "unmap and map again lead to the same memory" \
    "$(guest unmap; guest map; guest read 1 $((64 * M)) 2)" \
    "unmapped device 0
$mapped
c3a5"
fails "a read beyond the region fails" 1 \
    "0x8 bytes at 0x1ffffffc are beyond region 1, which has 0x20000000" \
    guest read 1 0x1ffffffc 8

ask_back 0 1 $((64 * M)) $((128 * M))
is "a release request is in the event log" "$(guest events)" \
    "handle 2 release $(extent 1 $((64 * M)) $((128 * M))) more 0"
is "release gives back what is asked for" "$(guest release)" \
    "released $(extent 1 $((64 * M)) $((128 * M)))"
is "release clears the log" "$(guest events)" ""
is "what was given back is no extent" "$(guest extents)" ""
fails "a second release is the device's error" 1 \
    "Release Dynamic Capacity (4803h) failed: invalid physical address (15)" \
    guest release --region 1 --offset $((64 * M)) --size $((128 * M))

offer 0 0 0 $((2 * M))
is "refuse answers with an empty list" "$(guest refuse)" \
    "refused $(extent 0 0 $((2 * M)))"
is "a refused offer is no extent" "$(guest extents)$(guest events)" ""

offer 0 0 0 $((2 * M)) $((4 * M)) $((2 * M)) $((8 * M)) $((2 * M))
is "the records of one offer are linked" \
    "$(guest events | sed 's/.* more/more/')" \
    "more 1
more 1
more 0"
is "an offer of several extents is answered as one" "$(guest accept)" \
    "accepted $(extent 0 0 $((2 * M)))
accepted $(extent 0 $((4 * M)) $((2 * M)))
accepted $(extent 0 $((8 * M)) $((2 * M)))"
is "release --offset gives back just that range" \
    "$(guest release --offset $((4 * M)) --size $((2 * M)))" \
    "released $(extent 0 $((4 * M)) $((2 * M)))"
is "the extents around it stay" "$(guest extents)" \
    "$(extent 0 0 $((2 * M)))
$(extent 0 $((8 * M)) $((2 * M)))"
is "release --tag gives back all of a tag" "$(guest release --tag $nil)" \
    "released $(extent 0 0 $((2 * M)))
released $(extent 0 $((8 * M)) $((2 * M)))"

offer 0 0 0 $((2 * M))
offer 0 1 0 $((2 * M))
fails "accept --tag does not pass over another tag" 1 \
    "the oldest offer has the tag $nil, \
and offers are answered in their order" \
    guest accept --tag 5be13bce-ae34-4a77-b6c3-16df975fcf1a
is "accept answers offers in their order" "$(guest accept --tag $nil)" \
    "accepted $(extent 0 0 $((2 * M)))
accepted $(extent 1 0 $((2 * M)))"
ask_back 0 0 0 $((2 * M))
offer 0 0 $((2 * M)) $((2 * M))
ask_back 0 1 0 $((2 * M))
is "events are in the order of the requests" \
    "$(guest events | cut -d ' ' -f 3-7)" \
    "release region 0 offset 0x0
add region 0 offset 0x200000
release region 1 offset 0x0"
is "accept passes over a request that stands before the offer" \
    "$(guest accept)" \
    "postponed $(extent 0 0 $((2 * M)))
accepted $(extent 0 $((2 * M)) $((2 * M)))"
is "release takes what is left in the log" "$(guest release)" \
    "released $(extent 1 0 $((2 * M)))"
is "what another process postponed can be given back by range" \
    "$(guest release --offset 0 --size $((2 * M)))" \
    "released $(extent 0 0 $((2 * M)))"
offer 0 1 0 $((2 * M))
ask_back 0 0 $((2 * M)) $((2 * M))
is "release reaches a request behind an offer" "$(guest release)" \
    "released $(extent 0 $((2 * M)) $((2 * M)))"
is "the offer before it is still there" "$(guest accept)" \
    "accepted $(extent 1 0 $((2 * M)))"
is "the request behind it is known to be done" "$(guest release)" \
    "skipped $(extent 0 $((2 * M)) $((2 * M)))"
guest release --region 1 --offset 0 --size $((2 * M)) >/dev/null

is "raw sends any command" "$(guest raw 0100 04)" "code 0 success
payload $(printf '%064d' 0)"
is "raw shows a return code" "$(guest raw 4803 00 | head -n 1)" \
    "code 22 invalid payload length"

fails "an unknown command is a usage error" 2 \
    "unknown command 'nothing'; see --help" guest nothing
fails "an argument too many is a usage error" 2 \
    "usage: list " guest list all
fails "a tag that is no UUID is a usage error" 2 \
    "the tag '5be13bce' is not a UUID" guest accept --tag 5be13bce
fails "a size without its offset is a usage error" 2 \
    "release takes --tag, or --offset and --size (and --region), or nothing" \
    guest release --size 4096
fails "a negative number is a usage error" 2 \
    "the offset '-8' is not a number from 0 to 18446744073709551615" \
    guest read 0 -8 8
fails "an unknown device is an error" 1 \
    "no CXL type 3 device 0x99 among 1" guest --device 0x99 list

# ------------------------------------------------------------------- serving

# serve [OPTION...]: commands go to descriptor 3, output comes from 4
serve()
{
    rm -f "$work/in" "$work/out"
    mkfifo "$work/in" "$work/out"
    "$CXL_GUEST" --qtest "$machine/qtest" serve "$@" \
        <"$work/in" >"$work/out" 2>&1 &
    server=$!
    exec 3>"$work/in" 4<"$work/out"
    expect ready >/dev/null
}

# expect WORD: prints the next lines up to the one that starts with WORD
expect()
{
    while IFS= read -r line <&4; do
        printf '%s\n' "$line"
        case $line in
        "$1"*) return ;;
        esac
    done
    echo "(end of output)"
}

# ask COMMAND: prints the answer to a command
ask()
{
    echo "$*" >&3
    while IFS= read -r line <&4; do
        printf '%s\n' "$line"
        case $line in
        ok | error:*) return ;;
        esac
    done
    echo "(end of output)"
}

# end_serve: sets status to the exit status, rest to what was not yet read
end_serve()
{
    exec 3>&-
    rest=$(cat <&4)
    wait "$server"
    status=$?
    exec 4<&-
    server=
}

serve
is "serve maps by itself" "$(ask read 0 0 4)" "00000000
ok"
offer 0 0 0 $((16 * M))
is "serve accepts an offer by itself" "$(expect device)" \
    "device 0 accepted $(extent 0 0 $((16 * M)))"
is "serve takes commands" "$(ask extents)" "$(extent 0 0 $((16 * M)))
ok"
is "a command without output is just ok" "$(ask write 0 4096 feed)" ok
is "what a command wrote is in the backing memory" \
    "$(in_file 0 4096 2)" feed
is "a failed command is an error line" "$(ask release --tag 00)" \
    "error: the tag '00' is not a UUID"
is "an unknown command is an error line" "$(ask serve)" \
    "error: unknown command 'serve'"
ask_back 0 0 0 $((16 * M))
is "serve gives back what is asked for" "$(expect device)" \
    "device 0 released $(extent 0 0 $((16 * M)))"
offer 0 1 0 $((2 * M)) $((4 * M)) $((2 * M))
is "serve answers an offer of several extents" \
    "$(expect device; expect device)" \
    "device 0 accepted $(extent 1 0 $((2 * M)))
device 0 accepted $(extent 1 $((4 * M)) $((2 * M)))"
"$QMP_SEND" "$machine/qmp" '{"execute":"system_reset"}' >/dev/null
is "serve sees a reset of the machine" "$(expect mapped)" "reset
$mapped"
is "extents outlive a reset" "$(ask extents)" "$(extent 1 0 $((2 * M)))
$(extent 1 $((4 * M)) $((2 * M)))
ok"
end_serve
is "serve ends at the end of its input" "$status$rest" 0

serve --no-release
ask_back 0 1 0 $((2 * M))
is "serve --no-release keeps what is asked for" "$(expect device)" \
    "device 0 postponed $(extent 1 0 $((2 * M)))"
is "and gives it back when told to" "$(ask release)" \
    "released $(extent 1 0 $((2 * M)))
ok"
is "and only once" "$(ask release)" \
    "error: the event log has no release record"
kill -TERM "$server"
end_serve
is "SIGTERM ends serve well" "$status$rest" 0

serve --refuse
offer 0 0 0 $((2 * M))
is "serve --refuse refuses" "$(expect device)" \
    "device 0 refused $(extent 0 0 $((2 * M)))"
is "serve --refuse took nothing" "$(ask extents)" \
    "$(extent 1 $((4 * M)) $((2 * M)))
ok"
end_serve

serve --delay 1000 --interval 10
offer 0 0 0 $((2 * M))
sleep 0.2   # that nothing happens can only be seen by waiting
is "serve --delay leaves an offer pending" "$(ask events | cut -d ' ' -f 3-5)" \
    "add region 0
ok"
is "and answers it later" "$(expect device)" \
    "device 0 accepted $(extent 0 0 $((2 * M)))"
"$QMP_SEND" "$machine/qmp" '{"execute":"quit"}' >/dev/null
end_serve
is "the end of QEMU ends serve well" "$status$rest" 0

# -------------------------------------------------------------- more devices

start_machine two 2

is "two devices take consecutive places" \
    "$(guest map | while read -r _ _ index _ base _ size; do
           [ "$index" = 0 ] && first=$((base))
           echo "$index $((base - first)) $size"
       done)" \
    "0 0 0x40000000
1 1073741824 0x40000000"
fails "a command for one device asks which" 2 \
    "extents is for one device, and there are 2: choose one with --device" \
    guest extents
offer 0 0 0 $((2 * M))
offer 1 0 0 $((2 * M))
is "a device is chosen by index" "$(guest --device 1 accept)" \
    "accepted $(extent 0 0 $((2 * M)))"
is "a device is chosen by serial number" "$(guest --device 0x60 accept)" \
    "accepted $(extent 0 0 $((2 * M)))"
guest --device 0 write 0 0 aaaa
guest --device 1 write 0 0 bbbb
is "each device's place leads to its own memory" \
    "$(in_file 0 0 2) $(in_file 1 0 2)" "aaaa bbbb"
guest --device 0 unmap >/dev/null
is "unmapping one device leaves the other" \
    "$(guest --device 1 read 0 0 2)" bbbb
serve
offer 1 1 0 $((2 * M))
is "serve looks after all devices" "$(expect device)" \
    "device 1 accepted $(extent 1 0 $((2 * M)))"
is "a command in serve may name its device" \
    "$(ask --device 0x60 read 0 0 2)" "aaaa
ok"
end_serve

start_machine five 5
fails "a host bridge has four decoders" 1 \
    "all 4 HDM decoders of host bridge 192 are in use" guest map
offer 4 0 0 $((2 * M))
is "a device without a decoder can still accept" \
    "$(guest --device 4 accept)" "accepted $(extent 0 0 $((2 * M)))"

# ------------------------------------------------------------- other trouble

fails "a missing socket is an error" 1 \
    "cannot connect to the qtest socket $work/none: \
Could not connect: No such file or directory" \
    "$CXL_GUEST" --qtest "$work/none" list
start_machine none 0
fails "a machine without a device is an error" 1 \
    "the machine has no CXL type 3 device" guest list

echo "1..$number"
[ "$failures" -eq 0 ]
