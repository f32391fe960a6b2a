#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# examples.sh: what the documentation shows is what happens
#
# Each page (README.md, docs/*.rst, docs/manpages/*.rst) is read, and its indented blocks are
# checked. There are two kinds:
#
#     $ virsh-cxl start vm            a terminal. A line that begins with "$ " is typed, in a
#     Domain 'vm' started             shell that lasts as long as the page, in a folder of its
#                                     own; the lines up to the next one are what it answers, on
#                                     standard output and standard error. A command that ends in
#                                     "\" goes on in the next line, behind "> ".
#
#     <cxl-dcd>...</cxl-dcd>          XML. A <cxl-dcd>, <capacity> or <domain>, or the <cxl-dcd>
#                                     in <devices>, is valid by docs/schemas; a whole device and
#                                     a whole domain can be defined as well.
#
# Blocks that begin otherwise are ignored. So what cannot be run here has another prompt: "# "
# for the host's root, "guest# " for a guest. The commands of NOT_TYPED are not run either: they
# build what is tested here. tests/e2e/install.sh checks what they and the blocks of README.md
# and docs/installation.rst install; no test restarts the system's daemon. The requests of
# cxl-tagged.rst are those of tests/qemu-module.
#
# The output must be what the page shows, with these rules:
#
# * "$ cat FILE", if there is no FILE, creates it from the lines that follow.
# * A UUID that the page has not typed matches any, but the same one each time. If the page
#   types it later, the actual one is typed.
# * Times (with "since", numbers too), and numbers of seconds and milliseconds, match any. So
#   does the width of a column.
# * A line "..." matches any number of lines. Empty lines at the end are ignored.
# * A command that shows a state (cxl-dcd-status, cxl-dcd-list, dumpxml) is repeated for a
#   while, until it shows what the page shows: a guest takes its time.
# * /dev/shm, and the path of the installed QEMU module, stand for paths in the scratch folder.
# * build/run runs a command with what was built; every command of the page is run that way.
#
# No guest runs. A domain of the page starts paused: the virsh and virsh-cxl in the page's PATH
# add that option. Its file gets a qtest socket that the page does not show, over which
# cxl-guest plays the guest, and becomes of type 'qemu', whatever it says. A comment that
# readers do not see, alone on its line, ".. test: WHAT" or "<!-- test: WHAT -->", sets
# conditions from there on:
#
#     guest answers | refuses | keeps | is silent      to offers; "keeps" gives nothing back.
#                                                      At first guests are silent.
#     daemon module | stock                            at first it has the driver module
#     domain NAME                                      one runs, with a tagged device of 4 GiB
#
# A page in which no example is found fails, so that no example is lost silently; so does one
# that cannot be reached from README.md. EXAMPLES_OF="guest.rst ..." limits the test to these
# pages.

# The pages without examples.
WITHOUT_EXAMPLES='docs/architecture.rst docs/compatibility.rst docs/installation.rst docs/manpages/cxl-tagged.rst'

NOT_TYPED=('scripts/setup' 'meson setup build' 'meson compile -C build')

INSTALLED_MODULE=/usr/lib/x86_64-linux-gnu/qemu/cxl-tagged.so

prepare_scratch()
{
    mkdir "$1/source"
    (cd "$SOURCE_ROOT" &&
        find README.md docs '(' -name '*.md' -o -name '*.rst' ')' -exec cp --parents -t "$1/source" {} +)
    cp "$SOURCE_ROOT/docs/schemas/cxl-dcd.rng" "$BUILD_ROOT/docs/schemas/domain-cxl-dcd.rng" \
        "$1/source"
    echo "${EXAMPLES_OF-}" >"$1/examples-of"
}

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1
# shellcheck source=alike.sh
. "$(dirname "$0")/alike.sh" || exit 1

# ------------------------------------------------------- paths and generated UUIDs

# in_truth TEXT: TEXT as it has to be typed; an unknown UUID in it stands for itself
in_truth()
{
    local text=$1 uuid

    text=${text//"$INSTALLED_MODULE"/"$LIBVIRT_CXL_DCD_QEMU_MODULE"}
    text=${text//\/dev\/shm/"$SCRATCH/shm"}
    for uuid in $(uuids <<<"$text" | sort -u); do
        if [ -z "${truth[$uuid]-}" ]; then
            truth[$uuid]=$uuid
            shown[$uuid]=$uuid
        fi
        text=${text//"$uuid"/"${truth[$uuid]}"}
    done
    in_truth=$text
}

# as_shown FILE: the actual output, with the paths that the page shows
as_shown()
{
    sed -e "s|$LIBVIRT_CXL_DCD_QEMU_MODULE|$INSTALLED_MODULE|g" -e "s|$SCRATCH/shm|/dev/shm|g" "$1"
}

# lines LINE...: the lines without empty ones at the end
lines()
{
    [ $# -eq 0 ] || printf '%s\n' "$@" | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'
}

# ----------------------------------------------------------------- the guests

guests=silent
declare -A players

# Each running domain gets a guest, if guests are to do something.
play()
{
    local name
    local -a names

    [ "$guests" != silent ] || return
    mapfile -t names < <(stock list --name)
    for name in "${names[@]}"; do
        [ -S "$SCRATCH/$name.qtest" ] || continue
        [ -n "${players[$name]-}" ] && kill -0 "${players[$name]}" 2>/dev/null && continue
        case $guests in
        answers) serve "$name" ;;
        refuses) serve "$name" --refuse ;;
        keeps) serve "$name" --no-release ;;
        esac
        players[$name]=$server
    done
}

end_play()
{
    local name

    for name in "${!players[@]}"; do
        server=${players[$name]}
        end_serve 2>/dev/null
    done
    players=()
}

# arrangement_of_page WHAT: carries out a test comment of the page
arrangement_of_page()
{
    case $1 in
    'guest answers' | 'guest refuses' | 'guest keeps')
        end_play
        guests=${1#guest }
        ;;
    'guest is silent')
        end_play
        guests=silent
        ;;
    'daemon module') arrange_once daemon ;;
    'daemon stock') arrange_once client ;;
    'domain '*) boot "${1#domain }" "$(device tagged 4096)
" ;;
    *) fail "$page: a comment that is understood" "test: $1" ;;
    esac
}

arrange_once()
{
    [ "$arrangement" = "$1" ] || arrange "$1"
}

# --------------------------------------------------------------- the terminal

# virsh and virsh-cxl as the page calls them: they start domains paused
put_commands()
{
    local name=virsh program

    program=$(command -v virsh)
    mkdir "$SCRATCH/path" "$SCRATCH/shm"
    for name in virsh virsh-cxl; do
        [ $name = virsh ] || program=$SCRATCH/bin/virsh-cxl
        cat >"$SCRATCH/path/$name" <<SH
#!/bin/sh
export LIBVIRT_CXL_DCD_VIRSH=$(command -v virsh)
case " \$* " in
*" start "* | *" create "*) exec $program "\$@" --paused ;;
*) exec $program "\$@" ;;
esac
SH
        chmod +x "$SCRATCH/path/$name"
    done
}

open_terminal()
{
    mkdir -p "$SCRATCH/page/build"
    printf '#!/bin/sh\nexec "$@"\n' >"$SCRATCH/page/build/run"
    chmod +x "$SCRATCH/page/build/run"
    coproc TERMINAL {
        cd "$SCRATCH/page" && PATH=$SCRATCH/path:$PATH exec bash --noprofile --norc 2>/dev/null
    }
    # until it is there, the process is a copy of this shell, with its traps
    echo 'last=0; echo ready' >&"${TERMINAL[1]}"
    read -r status <&"${TERMINAL[0]}"
}

kill_terminal()
{
    local pid=$TERMINAL_PID

    kill "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
}

close_terminal()
{
    local -a names

    kill_terminal
    end_play
    guests=silent
    mapfile -t names < <(stock list --all --name | sed '/^$/d')
    remove "${names[@]}"
    rm -rf "$SCRATCH/page" "$SCRATCH"/shm/*
    truth=() shown=()
}

# type_in COMMAND: types it into the terminal; sets out and status
type_in()
{
    local -a answer

    command=$1
    err=
    printf '%s\n' "$1" >"$SCRATCH/typed"
    echo "(exit \$last); . '$SCRATCH/typed' >'$SCRATCH/out' 2>&1 </dev/null; last=\$?; echo \$last" \
        >&"${TERMINAL[1]}"
    if ! read -r -t "$COMMAND_DEADLINE" -u "${TERMINAL[0]}" status; then
        out=
        as_shown "$SCRATCH/out" >"$SCRATCH/got"
        kill_terminal
        open_terminal
        status="none: it has not ended in $COMMAND_DEADLINE seconds"
        return 1
    fi
    mapfile -t answer <"$SCRATCH/out"
    lines "${answer[@]}" >"$SCRATCH/came"
    as_shown "$SCRATCH/came" >"$SCRATCH/got"
    out=$(<"$SCRATCH/got")
}

# without_kvm: standard input, with a KVM domain changed to one that runs on any host
without_kvm()
{
    sed "s/\(<domain [^>]*type=\)['\"]kvm['\"]/\1'qemu'/"
}

# make_file NAME LINES...: creates the file that the page shows; a domain gets a guest that can
# be played
make_file()
{
    local name=$1 domain arguments text

    shift
    in_truth "$(lines "$@")"
    text=$in_truth
    domain=$(sed -n 's|.*<name>\(.*\)</name>.*|\1|p' <<<"$text" | head -n 1)
    if [ -n "$domain" ]; then
        arguments="<qemu:arg value='-qtest'/>
<qemu:arg value='unix:$SCRATCH/$domain.qtest,server=on,wait=off'/>
<qemu:arg value='-qtest-log'/><qemu:arg value='none'/>"
        case $text in
        *'</qemu:commandline>'*) text=${text/'</qemu:commandline>'/"$arguments</qemu:commandline>"} ;;
        *) text=${text/'</domain>'/"<qemu:commandline \
xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>$arguments</qemu:commandline></domain>"} ;;
        esac
    fi
    without_kvm <<<"$text" >"$SCRATCH/page/$name"
}

# shows TEXT COMMAND: its output is that in SCRATCH/expected
shows()
{
    local text=$1 end=$((SECONDS + WAIT))

    play
    in_truth "$2"
    while type_in "$in_truth"; do
        if alike "$SCRATCH/expected" "$SCRATCH/got"; then
            pass "$text"
            return
        fi
        case $2 in
        *cxl-dcd-status* | *cxl-dcd-list* | *dumpxml*) [ "$SECONDS" -lt "$end" ] || break ;;
        *) break ;;
        esac
        sleep 0.2
    done
    fail "$text" "$(diff -u "$SCRATCH/expected" "$SCRATCH/got")"
}

# example COMMAND [LINE...]: one command, and the output that the page shows
example()
{
    local typed=$1 not

    shift
    for not in "${NOT_TYPED[@]}"; do
        [ "$typed" != "$not" ] || return
    done
    found=$((found + 1))
    case $typed in
    'cat '*)
        if [ ! -e "$SCRATCH/page/${typed#cat }" ]; then
            make_file "${typed#cat }" "$@"
            return
        fi
        ;;
    esac
    lines "$@" >"$SCRATCH/expected"
    shows "$page: $ ${typed/$'\n'*/ ...}" "$typed"
}

# terminal LINE...: a block with a terminal session
terminal()
{
    local line typed=
    local -a answer=()

    for line in "$@"; do
        if [ "${line:0:2}" = '$ ' ]; then
            [ -z "$typed" ] || example "$typed" "${answer[@]}"
            typed=${line:2}
            answer=()
        elif [ "${line:0:2}" = '> ' ] && [ "${typed: -1}" = \\ ]; then
            typed+=$'\n'${line:2}
        else
            answer+=("$line")
        fi
    done
    example "$typed" "${answer[@]}"
}

# ------------------------------------------------------------------------ XML

# valid SCHEMA TEXT: SCRATCH/element.xml is valid
valid()
{
    command="xmllint --relaxng $1"
    out=$(<"$SCRATCH/element.xml")
    if err=$(xmllint --noout --relaxng "$SCRATCH/source/$1" "$SCRATCH/element.xml" 2>&1); then
        pass "$2 is valid"
    else
        fail "$2 is valid"
    fi
}

# definable TEXT: the domain in SCRATCH/domain.xml can be defined
definable()
{
    local name

    succeeds "$1 can be defined" stock define "$SCRATCH/domain.xml"
    name=$(xmllint --xpath 'string(/domain/name)' "$SCRATCH/domain.xml")
    stock undefine "$name" >/dev/null 2>&1
}

# device_is_right TEXT: the <cxl-dcd> in SCRATCH/element.xml is valid and, if it is a whole one,
# can be defined, in a domain that has what it refers to
device_is_right()
{
    local numa=

    valid cxl-dcd.rng "$1"
    grep -q '<target>' "$SCRATCH/element.xml" || return
    ! grep -q '<node>' "$SCRATCH/element.xml" ||
        numa="  <cpu><numa><cell id='0' cpus='0' memory='64' unit='MiB'/></numa></cpu>
"
    in_truth "$(<"$SCRATCH/element.xml")"
    domain page "$in_truth
" '' "$numa" >"$SCRATCH/domain.xml"
    definable "$1"
}

# xml LINE...: a block of XML
xml()
{
    local line=$((at + 1)) element what i n

    { echo '<all>'; printf '%s\n' "$@"; echo '</all>'; } >"$SCRATCH/block.xml"
    if ! run xmllint --xpath 'count(/all/*)' "$SCRATCH/block.xml"; then
        fail "$page:$line: XML is well-formed"
        return
    fi
    n=$out
    for ((i = 1; i <= n; i++)); do
        xmllint --xpath "/all/*[$i]" "$SCRATCH/block.xml" >"$SCRATCH/element.xml"
        element=$(xmllint --xpath 'name(/*)' "$SCRATCH/element.xml")
        what="$page:$line: <$element>"
        case $element in
        cxl-dcd | capacity | domain | devices) found=$((found + 1)) ;;
        esac
        case $element in
        cxl-dcd) device_is_right "$what" ;;
        capacity) valid cxl-dcd.rng "$what" ;;
        domain)
            valid domain-cxl-dcd.rng "$what"
            in_truth "$(<"$SCRATCH/element.xml")"
            without_kvm <<<"$in_truth" >"$SCRATCH/domain.xml"
            definable "$what"
            ;;
        devices)
            xmllint --xpath '/devices/cxl-dcd' "$SCRATCH/element.xml" >"$SCRATCH/device.xml"
            mv "$SCRATCH/device.xml" "$SCRATCH/element.xml"
            device_is_right "$what"
            ;;
        esac
    done
}

# ------------------------------------------------------------------ the pages

# read_block AT: reads the block whose first line is the page's line AT (from 0) into block;
# sets next to the line after it
read_block()
{
    local line

    indent=${text[$1]%%[! ]*}
    block=()
    for ((next = $1; next < ${#text[@]}; next++)); do
        line=${text[next]}
        if [ "${line#"$indent"}" != "$line" ]; then
            block+=("${line#"$indent"}")
        elif [ -z "${line// /}" ]; then
            block+=('')
        else
            break
        fi
    done
}

read_page()
{
    local at=0 next indent
    local -a text block

    mapfile -t text <"$SCRATCH/source/$page"
    while [ "$at" -lt "${#text[@]}" ]; do
        next=$((at + 1))
        case ${text[at]} in
        '.. test: '*) arrangement_of_page "${text[at]#.. test: }" ;;
        '<!-- test: '*' -->')
            text[at]=${text[at]#<!-- test: }
            arrangement_of_page "${text[at]% -->}"
            ;;
        ' '*)
            # the first line after an empty one
            if [ "$at" -eq 0 ] || [ -z "${text[at - 1]// /}" ]; then
                read_block "$at"
                case ${block[0]} in
                '$ '*) terminal "${block[@]}" ;;
                '<'*) xml "${block[@]}" ;;
                esac
            fi
            ;;
        esac
        at=$next
    done
}

# ------------------------------------------------------------------ likeness

# tells ANSWER TEXT EXPECTED GOT: alike returns ANSWER
tells()
{
    lines "$3" >"$SCRATCH/expected"
    lines "$4" >"$SCRATCH/got"
    command=alike
    if alike "$SCRATCH/expected" "$SCRATCH/got"; then
        is "alike: $2" yes "$1"
    else
        is "alike: $2" no "$1"
    fi
    truth=() shown=()
}

# What counts as alike here would pass in a page.
likeness()
{
    local a=11111111-aaaa-4aaa-8aaa-aaaaaaaaaaaa b=22222222-aaaa-4aaa-8aaa-aaaaaaaaaaaa
    local c=33333333-aaaa-4aaa-8aaa-aaaaaaaaaaaa

    tells yes "the same" $'one\ntwo' $'one\ntwo'
    tells no "another word" $'one\ntwo' $'one\nthree'
    tells no "a line more" one $'one\ntwo'
    tells no "a line less" $'one\ntwo' one
    tells no "nothing" one ''
    tells no "something" '' one
    tells yes "empty lines at the end" one $'one\n\n'
    tells no "empty lines before" $'one' $'\none'
    tells yes "a UUID" "tag $a" "tag $c"
    tells yes "the same UUID twice" "$a $a" "$c $c"
    tells no "one UUID for two" "$a $b" "$c $c"
    tells no "two UUIDs for one" "$a"$'\n'"$a" "$b"$'\n'"$c"
    tells yes "seconds" 'for 3 s, 1.000 seconds' 'for 12 s, 7.5 seconds'
    tells no "another number" '3 MiB' '4 MiB'
    tells yes "times" '2026-11-22 21:49:40.123+0000: up' '2027-01-02T03:04:05Z: up'
    tells yes "a time in JSON" '"since": 1795383732,' '"since": 1795383999,'
    tells yes "a time in XML" "since='1795383732'" "since='1795383999'"
    tells no "another size in JSON" '"size": 1795383732,' '"size": 1795383999,'
    tells yes "the width of a column" $' a     b\n--------' $' a  b\n-----'
    tells no "another indentation" '  a' '    a'
    tells yes "lines left out" $'one\n...\nfour' $'one\ntwo\nthree\nfour'
    tells yes "no lines left out" $'one\n...\ntwo' $'one\ntwo'
    tells no "what follows is not there" $'one\n...\nfive' $'one\ntwo\nthree'
    tells yes "left out up to the right line" $'...\nend' $'end\nmore\nend'
}

likeness
put_commands
EXAMPLES_OF=$(<"$SCRATCH/examples-of")
for file in "$SCRATCH"/source/{README.md,docs/*.md,docs/*.rst,docs/manpages/*.rst}; do
    [ -e "$file" ] || continue # no page of that kind
    case " ${EXAMPLES_OF:-$file} " in
    *" ${file##*/} "* | *" $file "*) ;;
    *) continue ;;
    esac
    page=${file#"$SCRATCH/source/"}
    found=0
    arrange_once daemon
    open_terminal
    read_page
    close_terminal
    [ "$page" = README.md ] ||
        is "README.md leads to $page" \
            "$(grep -oF "]($page)" "$SCRATCH/source/README.md" | sort -u)" "]($page)"
    case " $WITHOUT_EXAMPLES " in
    *" $page "*) is "$page has no example" "$found" 0 ;;
    *) if [ "$found" -gt 0 ]; then
        pass "$page has examples"
    else
        fail "$page has examples"
    fi ;;
    esac
done

finish
