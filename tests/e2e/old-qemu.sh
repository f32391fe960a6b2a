#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# old-qemu.sh: if QEMU cannot provide a device, the error names QEMU when the domain is defined,
# created or started, before anything exists

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

qemu=$(command -v "$QEMU")

# pretend NAME [SCRIPT]: a QEMU in the scratch folder that is the real one, but with its
# standard output (libvirt queries it over a socket instead) changed by a sed script
pretend()
{
    cat >"$SCRATCH/$1" <<SH
#!/bin/bash
case " \$* " in
*" -qmp stdio "*) '$qemu' "\$@" | sed -u '${2-}' ;;
*) exec '$qemu' "\$@" ;;
esac
SH
    chmod +x "$SCRATCH/$1"
}

# with NAME DEVICE: a domain that uses that QEMU
with()
{
    domain vm "$2
" | sed "s|<emulator>.*</emulator>|<emulator>$SCRATCH/$1</emulator>|" | put vm.xml
}

# refuses NAME TEXT MESSAGE DEVICE: define, create, and the commands that only convert the XML
refuses()
{
    with "$1" "$4"
    fails "$2: define" "$3" client define "$SCRATCH/vm.xml"
    fails "$2: create" "$3" client create --paused "$SCRATCH/vm.xml"
    fails "$2: domxml-to-native" "$3" client domxml-to-native qemu-argv --xml "$SCRATCH/vm.xml"
    is "$2: nothing is left" "$(stock list --all --name | tr -d '\n')$(objects_of_nobody)" ""
}

# Files that a domain would have left behind.
objects_of_nobody()
{
    find "$SCRATCH/config/libvirt/qemu" "$SCRATCH/run/libvirt/qemu/run" -name 'vm*' 2>/dev/null
}

# again NAME: the same path becomes another QEMU; file timestamps are coarse
again()
{
    sleep 0.1
    pretend "$@"
}

old='s/volatile-dc-memdev/volatile-xx-memdev/; s/"major": 10/"major": 8/'
words='(QEMU 8.0.'

for each in $(some_of daemon client); do
    arrange "$each"
    pretend old "$old"
    pretend new

    refuses old "static on a QEMU without it" "<cxl-dcd> 'cxl-dcd0' of model 'static' needs a QEMU with dynamic capacity, which QEMU has since 9.1 where it is built with CXL: $SCRATCH/old $words" \
        "$(device static)"
    has "it says the version" "$err" "$words"
    refuses old "tagged on a QEMU without it" "<driver name='qemu'/> of <cxl-dcd> 'cxl-dcd0' needs a QEMU that has tagged dynamic capacity itself: $SCRATCH/old $words" \
        "$(device tagged 1024 1 '' "<driver name='qemu'/>")"
    has "it says what would do" "$err" "Dynamic capacity requires QEMU 9.1 or later"
    refuses new "<driver name='qemu'/> on a stock QEMU" "<driver name='qemu'/> of <cxl-dcd> 'cxl-dcd0' needs a QEMU that has tagged dynamic capacity itself: $SCRATCH/new (QEMU " \
        "$(device tagged 1024 1 '' "<driver name='qemu'/>")"
    has "it says what would do" "$err" "Without <driver> the QEMU module adds it to QEMU 10.0 and 11.1. model='static' works with this QEMU unmodified"
    refuses new "<driver name='module'> that is not there" "the QEMU module /nowhere/cxl-tagged.so cannot give it: there is no such file" \
        "$(device tagged 1024 1 '' "<driver name='module' path='/nowhere/cxl-tagged.so'/>")"
    refuses new "<driver name='module'> that is none" "the QEMU module /etc/passwd cannot give it: " \
        "$(device tagged 1024 1 '' "<driver name='module' path='/etc/passwd'/>")"

    # QEMU supported the device when it was defined, but no longer does when it starts
    again moving
    with moving "$(device static 512)"
    must client define "$SCRATCH/vm.xml"
    again moving "$old"
    before=$(stored_config vm)
    fails "start on a QEMU that cannot any more" "<cxl-dcd> 'cxl-dcd0' of model 'static' needs a QEMU with dynamic capacity" \
        client start --paused vm
    has "it says which" "$err" "$SCRATCH/moving $words"
    is "nothing runs" "$(stock list --name | tr -d '\n')" ""
    is "the definition stays" "$(stored_config vm)" "$before"
    again moving
    succeeds "it starts when QEMU can again" client start --paused vm
    remove vm

    # QEMU's module is gone when the domain starts
    cp "$LIBVIRT_CXL_DCD_QEMU_MODULE" "$SCRATCH/copy.so"
    with new "$(device tagged 512 1 '' "<driver name='module' path='$SCRATCH/copy.so'/>")"
    must client define "$SCRATCH/vm.xml"
    rm "$SCRATCH/copy.so"
    fails "start without the QEMU module" "the QEMU module $SCRATCH/copy.so cannot give it: there is no such file" \
        client start --paused vm
    remove vm

    # a domain without <cxl-dcd> is not affected
    domain vm | sed "s|<emulator>.*</emulator>|<emulator>$SCRATCH/old</emulator>|" | put vm.xml
    succeeds "a stock domain is defined with any QEMU" client define "$SCRATCH/vm.xml"
    succeeds "and starts" client start --paused vm
    remove vm

    # a QEMU that does not answer
    printf '#!/bin/sh\ncase " $* " in *" -qmp stdio "*) kill -SEGV $$ ;; esac\nexec %s "$@"\n' "$qemu" |
        put crash
    chmod +x "$SCRATCH/crash"
    refuses crash "a QEMU that crashes" "cannot find out what '$SCRATCH/crash' can do: it was ended by signal 11" \
        "$(device static)"
done

finish
