#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# with-trixie.sh: build and test cxl-tagged.so with the QEMUs of Debian 13
#
#   with-trixie.sh CACHE [TEST...]
#
# They need newer libraries than Debian 12 has. So two root file systems are made
# in the folder CACHE, with debootstrap, and kept there: one has trixie's own QEMU,
# the other that of trixie-backports. In each the module, the guest and the tests
# are built and run, all of them or those named, and the benchmark after them.
#
# It must be root, takes some minutes and 2 GB at first, a minute or two for a
# version afterwards. The mirror is the one that this machine's apt uses.
set -eu

cache=$(realpath -m "${1:?usage: with-trixie.sh CACHE [TEST...]}")
shift
source=$(realpath "$(dirname "$0")/../..")
mounts=()
failed=0

say() {
  echo "== $*"
}

cleanup() {
  local i
  for ((i = ${#mounts[@]} - 1; i >= 0; i--)); do
    umount "${mounts[i]}" || umount -l "${mounts[i]}" || true
  done
  mounts=()
}
trap cleanup EXIT
trap 'exit 1' INT TERM

mirror() {
  # shellcheck disable=SC2016
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
    'Origin: Debian' 'Label: Debian' | head -n 1
}

enter() {
  local at
  for at in proc dev dev/pts; do
    mount --bind "/$at" "$1/$at"
    mounts+=("$1/$at")
  done
}

inside() {
  local root=$1
  shift
  chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive "$@"
}

# make NAME: the root of trixie itself, or of trixie-backports
make() {
  local root=$cache/$1 uri
  [ -e "$root/.complete" ] && return 0
  say "making $root"
  rm -rf --one-file-system "$root"
  if [ "$1" = trixie ]; then
    uri=$(mirror)
    debootstrap --variant=minbase trixie "$root" "$uri" >"$root.log"
    printf 'deb %s %s main\n' "$uri" trixie "$uri" trixie-backports \
      >"$root/etc/apt/sources.list"
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod +x "$root/usr/sbin/policy-rc.d"
  else
    cp -a "$cache/trixie" "$root"
    rm "$root/.complete"
  fi
  enter "$root"
  if [ "$1" = trixie ]; then
    inside "$root" apt-get -q update >>"$root.log"
    inside "$root" apt-get -qy install --no-install-recommends gcc libc6-dev \
      meson pkgconf libglib2.0-dev qemu-system-x86 >>"$root.log"
  else
    inside "$root" apt-get -qy install --no-install-recommends \
      -t trixie-backports qemu-system-x86 >"$root.log"
  fi
  cleanup
  touch "$root/.complete"
}

# put NAME: the sources, and a project of just these parts
put() {
  local build=$cache/$1/build
  rm -rf "$build"
  mkdir -p "$build/src" "$build/tests"
  cp -a "$source/src/qemu-module" "$build/src/"
  cp -a "$source/tests/guest" "$source/tests/qemu-module" "$build/tests/"
  cp -a "$source/bench" "$build/"
  cat >"$build/meson.build" <<'PROJECT'
project('cxl-tagged', 'c', default_options: ['c_std=gnu11', 'warning_level=2', 'werror=true'])
glib_dep = dependency('glib-2.0')
gio_dep = dependency('gio-unix-2.0')
qemu_module_dir = get_option('libdir') / 'qemu'
subdir('src/qemu-module')
subdir('tests/guest')
subdir('tests/qemu-module')
PROJECT
}

try() {
  local root=$cache/$1 build
  shift
  put "$(basename "$root")"
  enter "$root"
  say "$(inside "$root" qemu-system-x86_64 --version | head -n 1)"
  inside "$root" meson setup /build/build /build >"$root.log"
  inside "$root" ninja -C /build/build >>"$root.log"
  inside "$root" env CI=true meson test -C /build/build --no-rebuild \
    --print-errorlogs --suite qemu-module "$@" || failed=1
  build=/build/build
  inside "$root" env CI=true CXL_TAGGED=$build/src/qemu-module/cxl-tagged.so \
    CXL_GUEST=$build/tests/guest/cxl-guest QMP_SEND=$build/tests/guest/qmp-send \
    CXL_BOOT=$build/tests/qemu-module/boot.bin \
    CXL_CPU=$build/tests/qemu-module/cxl-cpu /build/bench/extent-load.sh || failed=1
  cleanup
}

[ "$(id -u)" = 0 ] || { echo "$0: must be root" >&2; exit 2; }
mkdir -p "$cache"
for name in trixie trixie-backports; do
  make "$name"
  try "$name" "$@"
done
exit $failed
