#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The messages that docs/troubleshooting.rst quotes are those of the sources.

tests/e2e/examples.sh types what stands behind a prompt there. The other messages are hard to
come by in a test, or need another host; of these, lines in blocks that begin with "error: " or
"cxl-tagged: ", it is checked here that a format in the sources makes them. libvirt puts words
of its own before them.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1])
PAGE = ROOT / 'docs' / 'troubleshooting.rst'

# A C string, which may be in pieces, with the names of macros between them.
PIECE = r'"(?:[^"\\\n]|\\.)*"'
STRING = re.compile(rf'{PIECE}(?:\s*(?:[A-Z][A-Z0-9_]*\s*)?{PIECE})*')
SPECIFICATION = re.compile(r'%[-+ #0-9.]*(?:ll|l|z|h)*[a-zA-Z]|%%')

# Letters that a format must have besides what it fills in, to be told from others.
ENOUGH = 20


def formats():
    """Regular expressions of all strings in the sources that could be a message."""
    for folder in ('src', 'tools'):
        for path in sorted((ROOT / folder).rglob('*.c')):
            for string in STRING.findall(path.read_text()):
                macro = False
                text = ''
                for piece in re.findall(rf'{PIECE}|[A-Z][A-Z0-9_]*', string):
                    macro = not piece.startswith('"')
                    text += '%s' if macro else piece[1:-1]
                text = text.replace('\\"', '"').replace('\\n', '')
                fixed = SPECIFICATION.split(text)
                if sum(map(len, fixed)) >= ENOUGH:
                    yield re.compile('.*'.join(map(re.escape, fixed)) + '$')


def messages():
    """The quoted lines with their numbers: in blocks that do not begin with a prompt."""
    before, terminal = '', False
    for number, line in enumerate(PAGE.read_text().splitlines(), 1):
        if line.startswith('  '):
            if not before:
                terminal = line.startswith('  $ ')
            if not terminal and re.match(r'  (error|cxl-tagged): ', line):
                yield number, line.split(': ', 1)[1]
        before = line.strip()


known = list(formats())
found = list(messages())
failures = 0
print(f'1..{len(found) + 1}')
for number, (line, message) in enumerate(found, 1):
    made = any(pattern.search(message) for pattern in known)
    failures += not made
    print(f"{'ok' if made else 'not ok'} {number} - line {line}: {message}")
print(f"{'ok' if found else 'not ok'} {len(found) + 1} - the page quotes messages")
sys.exit(1 if failures or not found else 0)
