#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How often the verdict is right: LKDTM, the kernel's own crash tester, kills machines of the lab in each of its ways, and inquest is asked
who did it: of the dump, and of the console's text alone.

lkdtm_accuracy.py [--write docs/accuracy-lkdtm.md] [--kernel 6.1 ...] [--only BUG ...] [--keep FOLDER]

From the environment: INQUEST_BUILD, INQUEST_LAB_CACHE as the tests on dumps take them. A few minutes for both kernels; the first time a
source package of 150 MB each is fetched. --keep: dumps and consoles of what was judged wrong stay there. The exit status is 1 when
fewer than 95 % are right, or anything wrong is shown as sure."""

import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
if "INQUEST_LAB_CACHE" in os.environ:
    os.environ.setdefault("INQUEST_LAB", os.environ["INQUEST_LAB_CACHE"])
sys.path.insert(0, str(ROOT / "tests" / "dumps"))

import lkdtm_lab  # noqa: E402
import lkdtm_truth  # noqa: E402

SERIES = ("6.1", "6.12")
RIGHT_MIN = 0.95
JOBS = 2
ATTEMPTS = 2

HEAD = """# How often the verdict is right

Made by `tests/tools/lkdtm_accuracy.py --write docs/accuracy-lkdtm.md`. LKDTM is the kernel's own module for crash tests (drivers/misc/lkdtm); it is
built from Debian's source package of the very kernel, without anything that would help a debugger: no debug info is used. Each way to crash is
judged by what LKDTM's source says that it does (`tests/dumps/lkdtm_truth.py`): the class of the verdict, and the guilty function. "Surely wrong" is
what is wrong and yet called certain or likely. "By the log" is what `inquest oops` says of the serial console's text, without the dump. "Top
frame" is what a look at the console blames: where the instruction pointer stood, else the first line of the call trace.
"""


@dataclasses.dataclass
class Result:
    way: lkdtm_truth.Way
    survived: str = ""  # why there was nothing to judge
    dump: lkdtm_lab.Judgement = None
    text: lkdtm_lab.Judgement = None  # of the console alone
    top: str = None

    @property
    def top_right(self):
        return self.top in self.way.functions


def keep(folder, name, vmcore, console):
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(console, folder / f"{name}.console")
    shutil.move(vmcore, folder / f"{name}.vmcore")
    subprocess.run(["fallocate", "--dig-holes", folder / f"{name}.vmcore"], check=False, stderr=subprocess.DEVNULL)


def crash_once(way, series, kept):
    with lkdtm_lab.cache.scratch() as work:
        vmcore, console = work / "vmcore", work / "said"
        run = lkdtm_lab.crash(way, series, work, vmcore)
        if not run.died:
            return Result(way, survived=lkdtm_lab.survived_because(run))
        console.write_text(run.console)
        result = Result(way, dump=lkdtm_lab.judge(way, lkdtm_lab.ask(vmcore)), text=lkdtm_lab.judge(way, lkdtm_lab.ask_text(console)),
                        top=lkdtm_lab.top_frame(run.console))
        if kept and not result.dump.right:
            keep(kept, f"{series}-{way.name}", vmcore, console)
        return result


def crash(way, series, kept):
    for attempt in range(ATTEMPTS):
        try:
            result = crash_once(way, series, kept)
            break
        except lkdtm_lab.Failure:
            if attempt + 1 == ATTEMPTS:
                raise
    judged = result.dump
    word = "survived" if result.survived else "right" if judged.right else "SURELY WRONG" if judged.surely_wrong else "not right"
    said = judged and f"{judged.verdict.kind}, {judged.verdict.function}, {judged.verdict.confidence}"
    print(f"{series:5} {way.name:34} {word:12} {said or result.survived}", file=sys.stderr, flush=True)
    return result


def run_all(series, only, kept):
    ways = [way for way in lkdtm_truth.WAYS if series in way.series and (not only or way.name in only)]
    for checked in {way.checked for way in ways}:
        lkdtm_lab.machine(series, checked)  # is booted before two at a time want it
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        return list(pool.map(lambda way: crash(way, series, kept), ways))


def share(part, whole):
    return f"{part} ({100 * part / whole:.0f} %)" if whole else "0"


def summary(results):
    """Rows of the table of figures: [words, of the dump, by the log, top frame]."""
    judged = [r for r in results if r.dump]
    n = len(judged)
    dumps, texts = [r.dump for r in judged], [r.text for r in judged]

    def count(of, what):
        return share(sum(getattr(j, what) for j in of), n)

    return n, [
        ["class right", count(dumps, "kind_right"), count(texts, "kind_right"), "-"],
        ["function right", count(dumps, "function_right"), count(texts, "function_right"), share(sum(r.top_right for r in judged), n)],
        ["both right", count(dumps, "right"), count(texts, "right"), "-"],
        ["surely wrong", share(sum(j.surely_wrong for j in dumps), n), share(sum(j.surely_wrong for j in texts), n), "-"],
    ]


def mark(judgement):
    if judgement.right:
        return "right"
    if judgement.surely_wrong:
        return "**surely wrong**"
    return "not right"


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def row(result):
    said, way = result.dump.verdict, result.way
    sure = said.confidence if said.function_confidence in (None, said.confidence) else f"{said.confidence}, {said.function_confidence}"
    top = "right" if result.top_right else f"`{result.top}`" if result.top else "none"
    return [f"`{way.name}`", said.kind, f"`{said.function}`" if said.function else "not told", sure, mark(result.dump), mark(result.text), top]


def chapter(series, results):
    n, figures = summary(results)
    lines = [f"## Linux {series}: {n} ways that crash", "", *table(["", "of the dump", "by the log", "top frame"], figures), ""]
    lines += table(["way", "class", "function", "how sure (class, function)", "", "by the log", "top frame"], [row(r) for r in results if r.dump])
    lines += ["", "Not applicable: this kernel survives these. The last that it said:", ""]
    lines += table(["way", "the kernel's words"], [[f"`{r.way.name}`", r.survived.replace("|", "\\|")] for r in results if r.survived])
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=pathlib.Path, help="the file to write; without it the text is printed")
    parser.add_argument("--kernel", action="append", choices=SERIES)
    parser.add_argument("--only", nargs="+", metavar="WAY")
    parser.add_argument("--keep", type=pathlib.Path, metavar="FOLDER")
    arguments = parser.parse_args()
    lines, good = HEAD.splitlines(), True
    for series in arguments.kernel or SERIES:
        results = run_all(series, arguments.only, arguments.keep)
        judged = [r.dump for r in results if r.dump]
        good &= sum(j.right for j in judged) >= RIGHT_MIN * len(judged) and not any(j.surely_wrong for j in judged)
        lines += ["", *chapter(series, results)]
    text = "\n".join(lines) + "\n"
    if arguments.write:
        arguments.write.write_text(text)
    else:
        print(text)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
