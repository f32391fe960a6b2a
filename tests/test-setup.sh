#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Where scripts/setup finds the server of the release, to add a suite of it: in files as
# Debian, mirrors and others write them.
set -u
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
number=0
failures=0

# The two functions, as they are there.
eval "$(sed -n '/^deb822_entry()/,/^}/p; /^one_line_entry()/,/^}/p' "$(dirname "$0")/../scripts/setup")"
# shellcheck disable=SC2034
release=bookworm suite=bookworm-backports

# is TEXT GOT EXPECTED
is()
{
    number=$((number + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $number - $1"
    else
        failures=$((failures + 1))
        echo "not ok $number - $1"
        printf '# got: %s\n# expected: %s\n' "${2//$'\n'/\\n}" "${3//$'\n'/\\n}"
    fi
}

stanza()
{
    printf '%s\n' "$@"
}

stanza '# a mirror' 'Types: deb deb-src' 'URIs: http://one.example/debian' \
    $'Suites: bookworm\tbookworm-updates' 'Components: main contrib' 'Signed-By: /key' '' \
    'Types: deb' 'URIs: http://one.example/security' 'Suites: bookworm-security' 'Components: main' \
    >"$folder/debian.sources"
is "the stanza of the release" "$(deb822_entry "$folder/debian.sources")" \
    "$(stanza 'Types: deb deb-src' 'URIs: http://one.example/debian' 'Suites: bookworm-backports' \
        'Components: main contrib' 'Signed-By: /key')"

stanza 'Types: deb' 'URIs: http://third.example' 'Suites: bookworm' 'Components: stable' \
    >"$folder/a.sources"
stanza 'Types: deb-src' 'URIs: http://two.example' 'Suites: bookworm' 'Components: main' \
    >"$folder/b.sources"
stanza 'Enabled: no' 'Types: deb' 'URIs: http://two.example' 'Suites: bookworm' 'Components: main' \
    >"$folder/c.sources"
stanza 'Types: deb' 'URIs: http://four.example' 'Suites: bookworm-updates' 'Components: main' \
    >"$folder/d.sources"
for file in a b c d none; do
    is "$file: no such stanza" "$(deb822_entry "$folder/$file.sources")" ""
done
is "the first file that has one" "$(deb822_entry "$folder"/[a-d].sources "$folder"/debian.sources \
    "$folder"/debian.sources | grep -c '^URIs: http://one.example/debian$')" 1

stanza '# deb http://no.example bookworm main' 'deb-src http://no.example bookworm main' \
    'deb http://third.example bookworm stable' 'deb http://no.example bookworm-updates main' \
    $'deb\t[arch=amd64 signed-by=/key]  http://one.example/debian\tbookworm  main contrib' \
    >"$folder/sources.list"
is "the line of the release" "$(one_line_entry "$folder/sources.list" "$folder/none.list")" \
    $'deb\t[arch=amd64 signed-by=/key]  http://one.example/debian bookworm-backports main'
is "no such line" "$(one_line_entry "$folder/none.list")" ""

echo "1..$number"
[ "$failures" -eq 0 ]
