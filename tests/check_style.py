#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rules of style that a machine can check. Prints each breach; exit status 1 when there is one.

  size      no source file over 1,000 lines, no line over 100 columns (tabs are 8; texts may stand whole)
  licence   an SPDX line in the first three lines of every source file
  theory    every .c file of src/ opens with a comment
  header    every header compiles alone
  banned    no function that cannot bound what it writes"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINES_MAX = 1000
COLUMNS_MAX = 100
REMARK_COLUMNS_MAX = 108 # of a line with a remark behind its code
BANNED = re.compile(r"\b(strcat|sprintf|vsprintf|strtok|atoi|atol|alloca|gets|strncat)\s*\(")
STRCPY = re.compile(r"\bstrcpy\s*\(\s*[^,]+,\s*(?![^)]*\")")


def sources(*suffixes, folders=("src", "tests", "fuzz", "tools", "lab", "bench")):
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and path.suffix in suffixes and "corpus" not in path.parts:
                yield path


def check_size(path, lines):
    if len(lines) > LINES_MAX:
        yield f"{len(lines)} lines, more than {LINES_MAX}"
    for number, line in enumerate(lines, 1):
        most = REMARK_COLUMNS_MAX if line.rstrip().endswith("*/") else COLUMNS_MAX
        if len(line.expandtabs(8)) > most and '"' not in line:
            yield f"{number}: over {most} columns"



def check_licence(path, lines):
    if not any("SPDX-License-Identifier: LGPL-2.1-or-later" in line for line in lines[:3]):
        yield "no SPDX line at its start"


def check_theory(path, lines):
    if path.suffix == ".c" and not any(line.startswith("/*") for line in lines[:4]):
        yield "does not open with a comment that says what it is"


def check_banned(path, lines):
    for number, line in enumerate(lines, 1):
        call = BANNED.search(line) or STRCPY.search(line)
        if call and not line.lstrip().startswith("*"):
            yield f"{number}: {call[0].split('(')[0].strip()} is banned"


def compiles_alone(path):
    compiler = os.environ.get("CC", "cc").split()
    run = subprocess.run([*compiler, "-std=gnu17", "-D_GNU_SOURCE", "-I", str(ROOT / "src"),
                          "-fsyntax-only", "-Werror", "-x", "c", "-include", str(path), "/dev/null"],
                         capture_output=True, text=True)
    return path, run.stderr.splitlines()[0] if run.returncode else ""


def text_breaches():
    checks = {".c": (check_size, check_licence, check_theory, check_banned),
              ".h": (check_size, check_licence, check_banned)}
    for path in sources(".c", ".h", folders=("src", "tests", "fuzz", "tools")):
        lines = path.read_text().splitlines()
        for check in checks[path.suffix]:
            if check is check_theory and path.parts[len(ROOT.parts)] != "src":
                continue
            for breach in check(path, lines):
                yield f"{path.relative_to(ROOT)}: {breach}"


def header_breaches():
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for path, error in pool.map(compiles_alone, sources(".h", folders=("src",))):
            if error:
                yield f"{path.relative_to(ROOT)}: does not compile alone: {error}"


def main():
    found = [*text_breaches(), *header_breaches()]
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
