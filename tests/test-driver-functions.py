#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""test-driver-functions.py SYMS DAEMON...: the comment of src/driver/cxl_dcd_driver.syms
names every function of libvirt's that a daemon calls for clients, once, as one that the module
stands before or one that it does not; and the module stands before those. A DAEMON that is not
installed is left out."""

import fnmatch
import os
import re
import shutil
import subprocess
import sys

FAMILIES = re.compile(r"vir(Connect|Domain|State|SetError)")


def tables(text):
    """The patterns of the tables "here" and "not here", from the column on the left."""
    found = {"here": [], "not here": []}
    table = None
    for line in text.splitlines():
        title = re.match(r"#   (here|not here), vir\.\.\. ", line)
        if title:
            table = found[title.group(1)]
        elif table is not None and line.startswith("#   ") and not line.startswith("#   -"):
            cell = line[4:41].strip()
            table += ["vir" + name for name in re.split(r",\s*", cell) if name]
        elif line and not line.startswith("#"):
            break
    return found["here"], found["not here"]


def called(daemon):
    """What a program takes from libvirt."""
    listed = subprocess.run(["nm", "-D", "--undefined-only", daemon], check=True,
                            capture_output=True, text=True).stdout
    names = {line.split()[1].split("@")[0] for line in listed.splitlines()}
    return {name for name in names if FAMILIES.match(name)}


def matching(name, patterns):
    return [pattern for pattern in patterns if fnmatch.fnmatchcase(name, pattern)]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    here, not_here = tables(text)
    exported = set(re.findall(r"^ +(vir\w+);$", text, re.MULTILINE))
    # where a user's own PATH need not go
    path = os.environ.get("PATH", os.defpath) + ":/usr/sbin"
    daemons = [daemon for daemon in sys.argv[2:] if shutil.which(daemon, path=path)]
    if not daemons or not shutil.which("nm"):
        if os.environ.get("CI") == "true":
            print("Bail out! neither of the daemons, or no nm, and CI must not skip")
            return 1
        print("1..0 # SKIP neither of the daemons, or no nm")
        return 0

    cases = [("what the module stands before is in the table of it",
              [name for name in exported if not matching(name, here) or matching(name, not_here)])]
    for daemon in daemons:
        names = called(shutil.which(daemon, path=path))
        cases += [
            (f"{daemon} calls functions", [] if len(names) > 100 else ["hardly any"]),
            (f"{daemon} calls nothing that nobody has thought about",
             [name for name in names - exported if not matching(name, not_here)]),
            (f"{daemon} calls nothing that the module should stand before, and does not",
             [name for name in names - exported if matching(name, here)]),
        ]
    failed = 0
    for number, (what, wrong) in enumerate(cases, 1):
        print(f"{'not ok' if wrong else 'ok'} {number} - {what}")
        for name in sorted(wrong):
            print(f"# {name}")
        failed += bool(wrong)
    print(f"1..{len(cases)}")
    return 1 if failed else 0


sys.exit(main())
