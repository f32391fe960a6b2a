# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# alike.sh: whether what came is what the documentation shows, to a reader's eye
#
# Both are brought into a shape, in which there is nothing that is different each time. Where the
# shapes match, line by line, the UUIDs of the lines must match too: one of the page is the same
# one in truth, on the whole page, and the other way round. examples.sh has the rules in words.

ANY_UUID='[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'

# UUIDs of the page, and what they are in truth; and the other way round.
declare -A truth shown

# uuids: those in standard input, one a line
uuids()
{
    grep -oE "$ANY_UUID"
}

# shape: lines without what is different each time
shape()
{
    sed -E -e "s/$ANY_UUID/UUID/g" \
        -e 's/[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+(Z|[+-][0-9]{2}:?[0-9]{2})?/TIME/g' \
        -e 's/[0-9]+(\.[0-9]+)? (ms|s|seconds?)\b/N \2/g' \
        -e "s/(since['\"]?[=:] ?['\"]?)[0-9]+/\\1N/" \
        -e 's/----+/---/' -e 's/([^ ]) +/\1 /g' -e 's/ +$//'
}

# same_uuids EXPECTED GOT: lines of one shape; each UUID stands for the one at its place
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

# aligned E G: the lines from E of expected_shape are those from G of got_shape; pairs tells how
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

# alike EXPECTED GOT: files; a reader would say that they are the same
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
