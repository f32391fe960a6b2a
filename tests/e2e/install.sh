#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# install.sh: what "meson install" installs, and that it works from there: the table in the
# README, a daemon with the drop-in's settings, virsh by its name; and what is left after
# removal

# Installs what was built into a folder of the scratch folder, and notes the installation
# directories.
prepare_scratch()
{
    local name

    DESTDIR=$1/root meson install -C "$BUILD_ROOT" --no-rebuild --quiet >"$1/log/install" 2>&1 ||
        { cat "$1/log/install" >&2; exit 1; }
    for name in BINDIR DATADIR INCLUDEDIR LIBDIR LIBEXECDIR MANDIR UNITDIR; do
        printf '%s=%q\n' "$name" "${!name}"
    done >"$1/directories"
}

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1
# shellcheck disable=SC1091
. "$SCRATCH/directories"

root=$SCRATCH/root

# From now on only what is installed is used.
LD_LIBRARY_PATH=$root$LIBDIR
LIBVIRT_CXL_DCD_QEMU_MODULE=$root$LIBDIR/qemu/cxl-tagged.so
rm -r "${SCRATCH:?}/bin"

# ------------------------------------------------------------------ the table

# promised: the files in the README's table, each under the installed root
promised()
{
    local path variable

    sed -n '/^| what | where |/,/^$/p' "$SCRATCH/files/README.md" | cut -d '|' -f 3 |
        grep -o '`[^`]*`' | tr -d '`' |
        while read -r path; do
            variable=${path%%/*}
            [ -n "${!variable-}" ] && echo "$root${!variable}/${path#*/}"
        done
}

while read -r path; do
    if [ -e "$path" ]; then
        pass "${path#"$root"} is there"
    else
        fail "${path#"$root"} is there"
    fi
done < <(promised)
is "the table names some" "$(promised | wc -l | grep -c '^1[0-9]$')" 1
while read -r file; do
    found=
    while read -r path; do
        [ "${file#"$path"}" = "$file" ] || found=1
    done < <(promised)
    is "the table has ${file#"$root"}" "$found" 1
done < <(find "$root" ! -type d)
html=$root$DATADIR/doc/libvirt-cxl-dcd/html
is "the pages lead to pages that are installed" \
    "$(grep -ohE 'href="[^":#]+\.html' "$html"/*.html | cut -d '"' -f 2 | sort -u |
        while read -r page; do [ -e "$html/$page" ] || echo "$page"; done)" ""
is "there are such links" "$(grep -lF 'href="guest.html"' "$html/libvirt-cxl-dcd.html")" \
    "$html/libvirt-cxl-dcd.html"
# docutils mentions a path of its own; files that are not installed are named by their path in
# the source
is "no page leads to the source of another" \
    "$(grep -oE 'docs/[a-z-]+(\.rst)?\b' "$html"/*.html "$root$MANDIR"/man?/* |
        grep -vE ':docs/(schemas|howto)')" ""
is "nothing that is installed names the folder that it was staged in" \
    "$(grep -rlF "$SCRATCH" "$root" | wc -l)" 0

# ---------------------------------------------------- a daemon as systemd starts it

if [ -n "$UNITDIR" ]; then
    for unit in libvirtd/legacy virtqemud/direct; do
        is "${unit%/*}: its drop-in is the module, and a first client that asks this daemon" \
            "$(grep -v '^#' "$root$UNITDIR/${unit%/*}.service.d/50-cxl-dcd.conf")" \
            "[Service]
Environment=LD_PRELOAD=$LIBDIR/libvirt-cxl-dcd/libvirt-cxl-dcd-driver.so
ExecStartPost=-/bin/sh -c 'LD_PRELOAD= timeout 10 virsh --readonly --connect \
\"qemu:///system?mode=${unit#*/}\" uri >/dev/null 2>&1 || :'"
    done
    LIBVIRT_CXL_DCD_DRIVER=$root$(sed -n 's/^Environment=LD_PRELOAD=//p' \
        "$root$UNITDIR/libvirtd.service.d/50-cxl-dcd.conf")
else
    LIBVIRT_CXL_DCD_DRIVER=$root$LIBDIR/libvirt-cxl-dcd/libvirt-cxl-dcd-driver.so
fi

# ------------------------------------------------------------- virsh by its name

PATH=$root$LIBEXECDIR/libvirt-cxl-dcd/bin:$PATH
is "virsh is the one that is installed" "$(readlink -f "$(command -v virsh)")" "$root$BINDIR/virsh-cxl"

# functions.sh calls virsh too, which is the installed one now; the stock one is called by its path.
stock_virsh=$(PATH=${PATH#*:} command -v virsh)
stock()
{
    timeout "$COMMAND_DEADLINE" "$stock_virsh" "$@"
}

arrange daemon
domain static "$(device static 512)
" | put static.xml
domain tagged "$(device tagged 512)
" | put tagged.xml
succeeds "a stock client defines <cxl-dcd>" stock define "$SCRATCH/static.xml"
succeeds "a tagged one too" stock define "$SCRATCH/tagged.xml"
has "with the QEMU module that is installed" "$(stock dumpxml tagged)" \
    "<driver name='module' path='$root$LIBDIR/qemu/cxl-tagged.so'/>"
succeeds "it starts" stock start --paused tagged

succeeds "virsh help" virsh help
has "virsh help has virsh's groups" "$out" " Domain Management (help keyword 'domain')"
has "and ours" "$out" " CXL dynamic capacity (help keyword 'cxl-dcd')"
succeeds "virsh help cxl-dcd-add" virsh help cxl-dcd-add
has "virsh help cxl-dcd-add tells of it" "$out" "cxl-dcd-add - "
succeeds "virsh help cxl-dcd" virsh help cxl-dcd
has "virsh help cxl-dcd lists the commands" "$out" "cxl-dcd-release"
succeeds "virsh cxl-dcd-add" timeout 60 virsh cxl-dcd-add tagged --size 2M --tag "$(tag 1)"
succeeds "virsh cxl-dcd-status" timeout 60 virsh cxl-dcd-status tagged
has "virsh cxl-dcd-status has it" "$out" "$(tag 1)"
succeeds "virsh dumpxml" timeout 60 virsh dumpxml tagged
has "virsh dumpxml has it" "$out" "<capacity tag='$(tag 1)'"
is "virsh --version is the stock one's" "$(virsh --version)" "$(stock --version)"
succeeds "virsh with a string of commands" timeout 60 virsh "domstate tagged; domid tagged"
stop tagged

# --------------------------------------------------------- the same, against a stock daemon

# virsh looks for the driver module at its final path, which is not here: DESTDIR is not a place
# to run from.
arrange stock
fails "without the driver module virsh says so" \
    "the driver module '$LIBDIR/libvirt-cxl-dcd/libvirt-cxl-dcd-driver.so' is not there" \
    env -u LIBVIRT_CXL_DCD_DRIVER virsh list
succeeds "with it, it works" virsh dumpxml static
has "dumpxml has <cxl-dcd>" "$out" "<cxl-dcd model='static'>"

# --------------------------------------------------------------- when it is removed

rm -rf "$root"
arrange daemon
pass "a daemon that is told to load what is not there comes up"
has "and the dynamic linker says so" "$(<"$SCRATCH/log/daemon")" \
    "'$LIBVIRT_CXL_DCD_DRIVER' from LD_PRELOAD cannot be preloaded"
arrange stock
succeeds "a static device starts without this project" stock start --paused static
has "and is there" "$(qmp static qom-list '{"path":"/machine/peripheral"}')" \
    '"cxl-dcd0","type":"child<cxl-type3>"'
fails "a tagged one that needs the QEMU module does not, and QEMU names it" \
    "$LIBVIRT_CXL_DCD_QEMU_MODULE" stock start --paused tagged
remove static tagged

finish
