#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each command's options are those of its section in virsh-cxl(1), and the other way round.

usage: test-options.py VIRSH-CXL VIRSH-CXL.RST

What a command takes is what its --help says. In its section each option stands in the
syntax, and at the head of an entry of the list.
"""

import re
import subprocess
import sys

OPTION = re.compile(r"--([a-z][a-z-]*)")


def sections(text):
    """Each command's name and the text of its section, in the page's order."""
    heads = list(re.finditer(r"^(cxl-dcd-[a-z]+)\n-+\n|^[A-Z ]+\n=+\n", text, re.M))
    for head, following in zip(heads, heads[1:]):
        if head[1]:
            yield head[1], text[head.end() : following.start()]


def helped(program, command):
    """The options that the command's --help lists, without --domain, which has no entry."""
    run = subprocess.run([program, command, "--help"], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        return {f"no help: {run.stderr.strip()}"}
    lines = run.stdout.split("  OPTIONS\n")[-1].splitlines()
    return set(re.findall(r"^ +\[?--([a-z-]+)", "\n".join(lines), re.M)) - {"domain"}


def written(section):
    """The options of the syntax, and those that the list describes."""
    # the literal block ends at the next line that begins at the margin
    syntax, rest = re.split(r"\n(?=\S)", section.partition("::\n")[2], maxsplit=1)
    entries = set()
    for entry in re.finditer(r"^- (``--.*(?:\n  .*)*)", rest, re.M):
        entries.update(OPTION.findall(entry[1].split(":")[0]))
    return set(OPTION.findall(syntax)), entries


def main():
    program, page = sys.argv[1:]
    with open(page, encoding="utf-8") as file:
        text = file.read()
    commands = re.findall(r"^- ``(cxl-dcd-[a-z]+)``: ", text, re.M)
    described = dict(sections(text))
    failures = 0

    cases = [("the list of commands and the sections", set(commands), set(described))]
    for command in commands:
        options = helped(program, command)
        syntax, entries = written(described.get(command, "::\n\nno section"))
        cases.append((f"{command}: the syntax", options, syntax))
        cases.append((f"{command}: the list of options", options, entries))
    print(f"1..{len(cases)}")
    for number, (what, expected, found) in enumerate(cases, 1):
        wrong = expected ^ found
        failures += bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {number} - {what}")
        if wrong:
            print(f"# only in the program: {sorted(expected - found)}")
            print(f"# only in the page: {sorted(found - expected)}")
    return failures > 0


sys.exit(main())
