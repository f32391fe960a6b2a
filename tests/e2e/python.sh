#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# python.sh: the main path through libvirt's Python binding, as other programs use libvirt: the
# module is in the daemon, and the client knows nothing about it

# A Python with the binding: the distribution's own, which need not come first in PATH.
prepare_scratch()
{
    local candidate

    for candidate in /usr/bin/python3 python3; do
        if "$candidate" -c 'import libvirt' 2>/dev/null; then
            printf 'PYTHON=%q\n' "$candidate" >"$1/python"
            return
        fi
    done
    unavailable "Python's libvirt is not there"
}

# shellcheck source=functions.sh
. "$(dirname "$0")/functions.sh" || exit 1
# shellcheck disable=SC1091
. "$SCRATCH/python"

for model in static tagged; do
    arrange daemon
    domain vm "$(device "$model")
" | put vm.xml
    run timeout 120 "$PYTHON" "$SCRATCH/files/python.py" "$SCRATCH/vm.xml"
    while read -r result; do
        case $result in
        ok\ *) pass "$model: ${result#ok }" ;;
        not\ ok\ *) fail "$model: ${result#not ok }" ;;
        *) diagnose "$result" ;;
        esac
    done <<<"$out"
    is "$model: the client comes to its end" "$status$err" 0
    remove vm
done

finish
