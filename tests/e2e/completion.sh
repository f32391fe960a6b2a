#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# completion.sh: what bash's completion offers, called the way bash calls it

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1

# shellcheck source=../../tools/bash-completion/virsh-cxl
. "$SCRATCH/files/virsh-cxl" || exit 1

# complete_words WORD...: the candidates for the last word. Words are as bash splits the command
# line, which is at ':' and '=' too.
complete_words()
{
    COMP_WORDS=("$SCRATCH/bin/virsh-cxl" "$@")
    COMP_CWORD=$#
    _virsh_cxl
    printf '%s\n' "${COMPREPLY[@]}"
}

# offers TEXT EXPECTED WORD...: EXPECTED are the candidates, separated by spaces
offers()
{
    local text=$1 expected=$2

    shift 2
    run complete_words "$@"
    is "$text" "$(paste -s -d ' ' <<<"$out")" "$expected"
    [ -z "$err" ] || fail "$text: in silence"
}

without_daemon()
{
    offers "no daemon: our commands" "cxl-dcd-release" cxl-dcd-rel
    offers "no daemon: virsh's commands" "start" star
    offers "no daemon: options" "--size" cxl-dcd-add --si
    offers "no daemon: no domains" "" cxl-dcd-map ""
    offers "no daemon: none for virsh's commands" "" dominfo --domain ""
    offers "no daemon: formats" "json table xml" cxl-dcd-event --format ""
    is "no daemon: none was started" "$(find "$SCRATCH/run" -name '*-sock')" ""
}

with_daemon()
{
    boot alpha "$(device tagged 1024 2 dcd-a)
$(device static 1024 1 dcd-b)
"
    boot beta "$(device static)
"
    boot_odd "$(device static)
"
    must cxl cxl-dcd-add alpha --size 2M --device dcd-a --tag "$(tag 1)"
    must cxl cxl-dcd-add alpha --size 2M --device dcd-b --tag "$(tag 2)"

    offers "the commands that begin so" "cxl-dcd-release" cxl-dcd-r
    offers "virsh's commands" "dominfo" dominf
    offers "help on a command of ours" "cxl-dcd-map" help cxl-dcd-m
    offers "help on a command of virsh's" "dumpxml" help dumpx
    offers "domains" "alpha" cxl-dcd-map al
    offers "domains, by option" "beta" cxl-dcd-map --domain be
    offers "all domains, quoted as bash wants them" \
        "a\\ \\\"b\\\"\\ \\'c\\'\\ \\[d\\]\\ \\\\\\ \\<e\\>\\&amp\\; alpha beta" cxl-dcd-map ""
    offers "a domain that was begun with a quote" "alpha" cxl-dcd-map '"al'
    offers "a domain with blanks, in a quote" "$ODD_NAME" cxl-dcd-map "'a "
    offers "the devices of the domain" "dcd-a dcd-b" cxl-dcd-map alpha --device ""
    offers "whatever the order" "dcd-a dcd-b" cxl-dcd-map --svg x --domain=alpha --device ""
    offers "the tags of the domain" "$(tag 1) $(tag 2)" cxl-dcd-release alpha --tag ""
    offers "the tags of a device" "$(tag 2)" cxl-dcd-release --device dcd-b alpha --tag ""
    offers "a tag after '='" "$(tag 2)" cxl-dcd-release alpha --tag = 00000002
    offers "nothing is known of a new tag" "" cxl-dcd-add alpha --tag ""
    offers "states" "accepted adding configured pending rejected releasing" cxl-dcd-list --state ""
    offers "states after '='" "accepted adding" cxl-dcd-list --state = a
    offers "all states after '='" "accepted adding configured pending rejected releasing" \
        cxl-dcd-list --state =
    offers "kinds of memory" "file memfd ram" cxl-dcd-add --source ""
    offers "options that are not there yet" "--device --no-refresh" \
        cxl-dcd-map --svg x alpha --
    offers "nothing is an option after --" "" cxl-dcd-map alpha -- --
    offers "no such domain" "" cxl-dcd-map nosuch --device ""
    offers "options before the command" "--readonly" --re
    offers "a command of virsh's: domains" "alpha" dominfo --domain al
    offers "a command of virsh's: options" "--domain" domid --
    offers "another connection" "test" -c test : ///default cxl-dcd-map te
    offers "another connection, for virsh's" "test" --connect = test : ///default dominfo te
    offers "a connection that cannot be" "" -c nosuch : ///x dominfo --domain ""
    remove alpha beta
    remove_odd
}

arrangement=
without_daemon
arrange client
with_daemon
finish
