# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034
#
# lib.sh: what the tests of cxl-tagged.so share: TAP, a machine, its guest
#
# A test sources it, starts machines with vm_start, asserts with is, like, has
# and hasnt, and ends with finish. From the environment:
#
#   CXL_TAGGED  the module               CXL_GUEST  plays a guest over qtest
#   CXL_BOOT    firmware, from boot.S    QMP_SEND   sends QMP commands
#   CXL_CPU     see cpu.c                QEMU       qemu-system-x86_64, or another
#
# A QEMU that is missing, or on which the module switches off, is a skip; under
# CI=true it is a failure. All processes and files are gone at the end.

QEMU=${QEMU:-qemu-system-x86_64}
: "${CXL_TAGGED:?}" "${CXL_GUEST:?}" "${QMP_SEND:?}"

GIB=1073741824
MIB=1048576
TAG0=5be13bce-ae34-4a77-b6c3-16df975fcf1a
TAG1=6be13bce-ae34-4a77-b6c3-16df975fcf1a
TAG2=7be13bce-ae34-4a77-b6c3-16df975fcf1a
DEV=/machine/peripheral/cxl-vmem0

tests=0
failed=0
dir=$(mktemp -d "${TMPDIR:-/tmp}/cxl-tagged.XXXXXX") || exit 1
pids=()
vm=

cleanup() {
  local pid
  for pid in "${pids[@]}"; do
    kill "$pid" 2>/dev/null
  done
  for pid in "${pids[@]}"; do
    wait "$pid" 2>/dev/null
  done
  rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# result 0|1 DESCRIPTION
result() {
  tests=$((tests + 1))
  if [ "$1" = 0 ]; then
    echo "ok $tests - $2"
  else
    echo "not ok $tests - $2"
    failed=$((failed + 1))
  fi
}

# explain LABEL TEXT: comment lines for whoever reads a failure
explain() {
  printf '%s\n' "$2" | sed "s/^/# $1: /" | cut -c1-400
}

# is DESCRIPTION GOT EXPECTED
is() {
  [ "$2" = "$3" ]
  local rc=$?
  result $rc "$1"
  if [ $rc != 0 ]; then
    explain got "$2"
    explain expected "$3"
  fi
}

# has DESCRIPTION TEXT WORDS: WORDS are somewhere in TEXT
has() {
  case $2 in
    *"$3"*) result 0 "$1" ;;
    *)
      result 1 "$1"
      explain got "$2"
      explain 'expected in it' "$3"
      ;;
  esac
}

# hasnt DESCRIPTION TEXT WORDS
hasnt() {
  case $2 in
    *"$3"*)
      result 1 "$1"
      explain got "$2"
      explain 'not expected in it' "$3"
      ;;
    *) result 0 "$1" ;;
  esac
}

skip_all() {
  if [ "${CI:-}" = true ]; then
    echo "Bail out! $1"
    exit 1
  fi
  echo "1..0 # SKIP $1"
  exit 0
}

finish() {
  local name
  for name in "$dir"/*/log; do
    if [ "$failed" != 0 ] && [ -s "$name" ]; then
      explain "$(basename "$(dirname "$name")")" "$(tail -n 20 "$name")"
    fi
  done
  echo "1..$tests"
  exit $((failed != 0))
}

# need_module: skip unless this QEMU takes the module
need_module() {
  local said
  command -v "$QEMU" >/dev/null || skip_all "no $QEMU"
  said=$(qemu_none '{"execute":"query-version"}' 2>&1)
  case $said in
    *'switched off'*) skip_all "$(grep -m1 'switched off' <<<"$said")" ;;
    *'"major"'*) ;;
    *) skip_all "$QEMU does not start: $(head -n 1 <<<"$said")" ;;
  esac
}

# qemu_none JSON...: a QEMU without a machine; prints what it answers and says.
# More options in $options.
qemu_none() {
  # shellcheck disable=SC2086
  { printf '%s\n' '{"execute":"qmp_capabilities"}' "$@"; sleep 0.5
    echo '{"execute":"quit"}'; } |
    timeout 30 "$QEMU" -machine none -nodefaults -display none \
      -plugin "file=$CXL_TAGGED${arguments:+,$arguments}" ${options:-} \
      -qmp stdio 2>&1
}

# vm_start NAME [OPTION...]: a paused machine with a CXL host bridge of two
# ports and one tagged device. Its files are in $dir/NAME; it becomes $vm.
#   $device    other properties of the device, or "none" for no device
#   $behind    on which port the device is
#   $accel     tcg, or kvm
#   $ram       its memory; 256M
vm_start() {
  local name=$1 d i
  shift
  d=$dir/$name
  mkdir -p "$d"
  # shellcheck disable=SC2054
  local args=(
    -machine "q35,cxl=on,memory-backend=ram,cxl-fmw.0.targets.0=hb,cxl-fmw.0.size=8G"
    -object "memory-backend-file,id=ram,size=${ram:-256M},share=on,mem-path=$d/ram"
    -m "${ram:-256M}" -accel "${accel:-tcg}" -nodefaults -display none -S -no-user-config
    -qtest "unix:$d/qtest,server=on,wait=off" -qtest-log none
    -qmp "unix:$d/qmp,server=on,wait=off"
    -qmp "unix:$d/qmp2,server=on,wait=off"
    -plugin "file=$CXL_TAGGED,verbose=on${arguments:+,$arguments}"
    -device pxb-cxl,bus_nr=192,bus=pcie.0,id=hb,addr=0x1c
    -device cxl-rp,port=0,bus=hb,id=port0,chassis=192,slot=0
    -device cxl-rp,port=1,bus=hb,id=port1,chassis=192,slot=1
  )
  if [ -n "${CXL_BOOT:-}" ]; then
    args+=(-bios "$CXL_BOOT")
  fi
  args+=("$@")
  if [ "${device:-}" != none ]; then
    args+=(-device "cxl-type3,bus=${behind:-port0},id=cxl-vmem0,sn=0x63,${device:-num-dc-regions=1,dc-regions-total-size=4G}")
  fi
  "$QEMU" "${args[@]}" >"$d/log" 2>&1 &
  pids+=($!)
  echo $! >"$d/pid"
  vm=$d
  for ((i = 0; i < 100; i++)); do
    kill -0 "$(cat "$d/pid")" 2>/dev/null || return 1
    [ -S "$d/qmp2" ] && qmp '{"execute":"query-status"}' >/dev/null 2>&1 &&
      return 0
    sleep 0.1
  done
  return 1
}

vm_stop() {
  qmp '{"execute":"quit"}' >/dev/null 2>&1
  wait "$(cat "$vm/pid")" 2>/dev/null
}

# qmp JSON...: the replies, a line each
qmp() {
  "$QMP_SEND" "$vm/qmp" "$@"
}

# error_of REPLY: its error's text; the reply itself where it is none
error_of() {
  sed -n 's/^{"error": {"class": "[A-Za-z]*", "desc": "\(.*\)"}}$/\1/;p' <<<"$1"
}

# hmp COMMAND
hmp() {
  qmp "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"$1\"}}" |
    sed 's/\\r\\n/\n/g'
}

# guest ARGUMENT...: what cxl-guest says. $serial chooses the device.
guest() {
  "$CXL_GUEST" --qtest "$vm/qtest" --device "${serial:-0x63}" "$@" 2>&1
}

# cpu ARGUMENT...: what the machine's own CPU is told; it must run (cont)
cpu() {
  "$CXL_CPU" "$vm/ram" "$@"
}

# code OPCODE HEX: the return code of a raw mailbox command
code() {
  guest raw "$@" | sed -n 's/^code \([0-9]*\).*/\1/p'
}

# le32, le64 NUMBER: as hexadecimal bytes, little endian
le() {
  local i out=
  for ((i = 0; i < $1; i++)); do
    out+=$(printf '%02x' $((($2 >> (8 * i)) & 255)))
  done
  echo "$out"
}
le32() { le 4 "$1"; }
le64() { le 8 "$1"; }

# answer DPA LEN: the payload of an Add Response or a Release with one extent
answer() {
  echo "$(le32 1)00000000$(le64 "$1")$(le64 "$2")$(le64 0)"
}

# The requests, with this file's defaults.

# backend ID TAG [SIZE [MORE]]
backend() {
  echo "{\"execute\":\"object-add\",\"arguments\":{\"qom-type\":\"memory-backend-ram\",\"id\":\"$1\",\"size\":${3:-$GIB},\"tag\":\"$2\"${4:+,$4}}}"
}

# object_del ID
object_del() {
  echo "{\"execute\":\"object-del\",\"arguments\":{\"id\":\"$1\"}}"
}

# extents OFFSET LEN [OFFSET LEN]...
extents() {
  local out=
  while [ $# -ge 2 ]; do
    out+="${out:+,}{\"offset\":$1,\"len\":$2}"
    shift 2
  done
  echo "\"extents\":[$out]"
}

# request COMMAND POLICY TAG EXTENTS: without a tag where TAG is empty
request() {
  echo "{\"execute\":\"$1\",\"arguments\":{\"path\":\"${path:-$DEV}\",\"host-id\":0,$2,\"region\":${region:-0},${3:+\"tag\":\"$3\",}$4}}"
}

# add TAG [OFFSET [LEN]]
add() {
  request cxl-add-dynamic-capacity '"selection-policy":"prescriptive"' "$1" \
    "$(extents "${2:-0}" "${3:-$GIB}")"
}

# release TAG: by tag
release() {
  request cxl-release-dynamic-capacity '"removal-policy":"tag-based"' "$1" \
    "$(extents)"
}

# release_at OFFSET LEN [TAG]
release_at() {
  request cxl-release-dynamic-capacity '"removal-policy":"prescriptive"' \
    "${3:-}" "$(extents "$1" "$2")"
}

# status_of TAG
status_of() {
  echo "{\"execute\":\"cxl-release-dynamic-capacity-status\",\"arguments\":{\"path\":\"${path:-$DEV}\",\"host-id\":0,\"region\":${region:-0},\"tag\":\"$1\"}}"
}

# state TAG: the word of the status command
state() {
  qmp "$(status_of "$1")" | sed -n 's/.*"status": "\([^"]*\)".*/\1/p'
}

# direct TAG: yes or no
direct() {
  case $(qmp "$(status_of "$1")") in
    *', direct"'*) echo yes ;;
    *) echo no ;;
  esac
}

done_='{"return": {}}'

# why_not ID: "in use" where object-del says so, in the words of any version
why_not() {
  local why
  why=$(error_of "$(qmp "$(object_del "$1")")")
  case $why in
    "object '$1' is in use, can not be deleted" | \
      "Cannot delete host memory backend '$1' which is mapped") echo 'in use' ;;
    *) echo "$why" ;;
  esac
}

# memory PID: its resident memory in KiB. What QEMU gives back it gives back a
# little later, when no thread can use it any more: the least within a second.
memory() {
  local i least='' now
  for ((i = 0; i < 10; i++)); do
    now=$(awk '/^VmRSS/ { print $2 }' "/proc/$1/status")
    [ -z "$least" ] || [ "$now" -lt "$least" ] && least=$now
    sleep 0.1
  done
  echo "$least"
}
