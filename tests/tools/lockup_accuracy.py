#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How often the verdict on a machine that is locked up is right: test_lockup, the kernel's own module for that (lib/test_lockup.c), holds
locks, turns interrupts off, and so on; watchdogs find a victim, and inquest is asked who did it.

lockup_accuracy.py [--write docs/accuracy-lockups.md] [--kernel 6.1 ...] [--only NAME ...]

From the environment: INQUEST_BUILD, INQUEST_LAB_CACHE as the tests on dumps take them. The dumps are kept in the lab's cache. The exit
status is 1 when anything wrong is shown as sure."""

import argparse
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
if "INQUEST_LAB_CACHE" in os.environ:
    os.environ.setdefault("INQUEST_LAB", os.environ["INQUEST_LAB_CACHE"])
sys.path.insert(0, str(ROOT / "tests" / "dumps"))

import lkdtm_lab  # noqa: E402
import lockup_lab  # noqa: E402

SERIES = ("6.1", "6.12")

HEAD = """# Who locked up the machine

Made by `tests/tools/lockup_accuracy.py --write docs/accuracy-lockups.md`. test_lockup is the kernel's own module for such tests (lib/test_lockup.c); it is
built from Debian's source package of the very kernel, and no debug info is used. A watchdog finds a victim and panics; right is a verdict of the
right class that blames the module, which holds what the victims wait for, and names that. "Surely wrong" is what is wrong and yet called certain or
likely.
"""


def row(judged):
    v = judged.verdict
    mark = "right" if judged.right else "**surely wrong**" if judged.surely_wrong else "not right"
    sure = v["function_confidence"] or v["confidence"]
    return f"| {judged.setting.name} | `{judged.setting.words}` | {v['kind']} | `{v['function']}` | {sure} | {mark} |"


def chapter(series, only):
    found = []
    for setting in lockup_lab.SETTINGS:
        if only and setting.name not in only:
            continue
        try:
            folder = lockup_lab.kept(setting, series)
        except lkdtm_lab.Failure as accident:
            print(f"{series:5} {setting.name:16} {accident}", file=sys.stderr, flush=True)
            continue
        if not (folder / "vmcore").exists():
            print(f"{series:5} {setting.name:16} did not panic: {(folder / 'said.log').read_text()[-200:]}", file=sys.stderr, flush=True)
            continue
        judged = lockup_lab.judge(setting, folder)
        print(f"{series:5} {setting.name:16} {'right' if judged.right else 'NOT RIGHT'}: {judged.verdict['kind']}, {judged.verdict['function']}, "
              f"{judged.verdict['what']} | {judged.verdict['why']}", file=sys.stderr, flush=True)
        found.append(judged)
    right = sum(j.right for j in found)
    lines = ["", f"## Linux {series}: {right} of {len(found)} right, {sum(j.surely_wrong for j in found)} surely wrong", "",
             "| setting | the module's parameters | class | function | how sure | |", "| --- | --- | --- | --- | --- | --- |"]
    return found, lines + [row(j) for j in found]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=pathlib.Path, help="the file to write; without it the text is printed")
    parser.add_argument("--kernel", action="append")
    parser.add_argument("--only", nargs="+", metavar="NAME")
    arguments = parser.parse_args()
    lines, good = HEAD.splitlines(), True
    for series in arguments.kernel or SERIES:
        found, text = chapter(series, arguments.only)
        good &= bool(found) and not any(j.surely_wrong for j in found)
        lines += text
    text = "\n".join(lines) + "\n"
    if arguments.write:
        arguments.write.write_text(text)
    else:
        print(text)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
