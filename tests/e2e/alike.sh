# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# alike.sh: whether actual output is what the documentation shows, to a reader's eye
#
# Both are reduced to a shape that leaves out whatever differs from run to run. If the shapes
# match, line by line, the UUIDs in the lines must match too: one UUID of the page always stands
# for the same actual one, on the whole page, and the other way round. examples.sh has the rules
# in words.

ANY_UUID='[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'

# Maps the page's UUIDs to the actual ones, and the other way round.
declare -A truth shown

# uuids: those in standard input, one per line
uuids()
{
    grep -oE "$ANY_UUID"
}

# shape: standard input without what differs from run to run
shape()
{
    sed -E -e "s/$ANY_UUID/UUID/g" \
        -e 's/[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+(Z|[+-][0-9]{2}:?[0-9]{2})?/TIME/g' \
        -e 's/[0-9]+(\.[0-9]+)? (ms|s|seconds?)\b/N \2/g' \
        -e "s/(since['\"]?[=:] ?['\"]?)[0-9]+/\\1N/" \
        -e 's/----+/---/' -e 's/([^ ]) +/\1 /g' -e 's/ +$//'
}

# same_uuids EXPECTED GOT: lines of the same shape; each UUID corresponds to the one at its position
same_uuids()
{
    local uuid
    local -a got

    mapfile -t got < <(uuids <<<"$2")
    while read -r uuid; do
        : "${truth[$uuid]:=${got[0]}}" "${shown[${got[0]}]:=$uuid}"
        [ "${truth[$uuid]}" = "${got[0]}" ] && [ "${shown[${got[0]}]}" = "$uuid" ] || return 1
        got=("${got[@]:1}")
    done < <(uuids <<<"$1")
}

# aligned E G: expected_shape from line E matches got_shape from line G; sets pairs to the match
aligned()
{
    local e=$1 g=$2

    while [ "$e" -lt "${#expected_shape[@]}" ]; do
        if [ "${expected_shape[e]}" = ... ]; then
            for (( ; g <= ${#got_shape[@]}; g++)); do
                aligned $((e + 1)) "$g" && return
            done
            return 1
        fi
        [ "$g" -lt "${#got_shape[@]}" ] && [ "${expected_shape[e]}" = "${got_shape[g]}" ] || return 1
        pairs[e]=$g
        e=$((e + 1)) g=$((g + 1))
    done
    [ "$g" -eq "${#got_shape[@]}" ]
}

# alike EXPECTED GOT: whether a reader would call these two files the same
alike()
{
    local -a expected got expected_shape got_shape pairs=()
    local e

    mapfile -t expected <"$1"
    mapfile -t got <"$2"
    mapfile -t expected_shape < <(shape <"$1")
    mapfile -t got_shape < <(shape <"$2")
    aligned 0 0 || return
    for e in "${!pairs[@]}"; do
        same_uuids "${expected[e]}" "${got[pairs[e]]}" || return
    done
}
