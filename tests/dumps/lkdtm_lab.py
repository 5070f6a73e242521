# SPDX-License-Identifier: LGPL-2.1-or-later
"""Crashes machines of the lab in LKDTM's ways, and judges what inquest says of the dumps. See lkdtm_truth.py."""

import dataclasses
import json
import os
import pathlib
import re
import sys
import unittest

import lab
import lkdtm_truth

os.environ.setdefault("INQUEST_LAB_CACHE", str(lab.LAB))
sys.path[:0] = [str(lab.ROOT / "lab" / "resumed"), str(lab.ROOT / "lab" / "lib")]

import cache  # noqa: E402, F401
import kernel  # noqa: E402
import lkdtm_module  # noqa: E402
import state  # noqa: E402
from say import Failure  # noqa: E402

# Both let the allocator's own checks run, and be deadly (bit 5: a bad page or object).
CHECKED = "slub_debug=FZP panic_on_taint=0x20"
SURE = ("certain", "likely")


def need(series):
    """Skips the test when LKDTM's source cannot be had."""
    try:
        lkdtm_module.source(kernel.get(series))
    except Failure as failure:
        raise unittest.SkipTest(f"no source package of the kernel: {str(failure)[-200:]}") from failure


def machine(series, checked=False):
    """The saved machine with LKDTM loaded."""
    module = lkdtm_module.module(kernel.get(series)) / "lkdtm.ko"
    return state.get(series, [module], CHECKED if checked else "")


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What a report says; the same of a dump and of a log."""
    kind: str
    function: str
    confidence: str
    function_confidence: str
    what: str

    @classmethod
    def of(cls, report):
        found = report["verdict"]
        return cls(found["kind"], found["function"], found["confidence"], found["function_confidence"], found["what"])


@dataclasses.dataclass(frozen=True)
class Judgement:
    way: lkdtm_truth.Way
    verdict: Verdict

    @property
    def kind_right(self):
        return self.verdict.kind in self.way.kinds

    @property
    def function_right(self):
        return self.verdict.function in self.way.functions

    @property
    def right(self):
        return self.kind_right and self.function_right

    @property
    def surely_wrong(self):
        """Wrong, and not shown as a mere possibility. No function named is vague, not wrong."""
        said = self.verdict
        return bool(not self.kind_right and said.confidence in SURE or
                    said.function and not self.function_right and said.function_confidence in SURE)


def _ask(*words):
    run = lab.inquest("--json", *words)
    if run.returncode not in (0, 1):
        raise AssertionError(f"inquest {words}: exit status {run.returncode}: {run.stderr}")
    return json.loads(run.stdout)


def ask(vmcore):
    """inquest's report of a dump."""
    return _ask("--no-debuginfo", vmcore)


def ask_text(console):
    """The same of a console's text alone."""
    return _ask("oops", console)


RIP = re.compile(r"RIP: 0010:(?:\[<[0-9a-f]+>\] )?([A-Za-z_]\w*)[.+]")
FRAME = re.compile(r"\] (?:\[<[0-9a-f]+>\] )? ?([A-Za-z_]\w*)[.+]\S*0x[0-9a-f]+/0x")
REPORTERS = re.compile(r"dump_stack|show_stack|panic|__warn|report_bug|sched_show_task|.*_lvl$|.*nmi.*backtrace.*|rcu_.*|watchdog.*")


def top_frame(console):
    """What a mere look at the console blames: where the instruction pointer stood, else the first line of the first call trace that is not
    of the kernel's own printing. None when there is neither."""
    end = console.rfind("Kernel panic - not syncing")
    text = console[:end] if end >= 0 and RIP.search(console[:end]) else console
    if match := RIP.search(text):
        return match[1]
    trace = text.find("Call Trace:")
    for match in FRAME.finditer(text, trace) if trace >= 0 else ():
        if not REPORTERS.match(match[1]):
            return match[1]
    return None


def crash(way, series, work, vmcore):
    """Crash a machine so; the Run (lab/resumed/state.py)."""
    return state.crash(machine(series, way.checked), way.commands, work, vmcore)


def kept(way, series):
    """The same, in a folder of the lab's cache."""
    return state.kept(machine(series, way.checked), f"{series}-{way.name.replace(':', '-')}", way.commands)


def judge(way, report):
    return Judgement(way, Verdict.of(report))


def survived_because(run):
    """Of a way that did not crash: what the kernel, or the shell, said about it."""
    lines = [re.sub(r"^\[ *[\d.]+\] ", "", line) for line in run.console.splitlines()]
    said = [line for line in lines if re.search(r"XFAIL|FAIL|not enabled|Couldn't|ok:|OK:|expected|Hmm|poisoned|Stack offset|ecorded|Overflowing|"
                                                r"initialized|Attempt", line)]
    return (said or lines or run.said.splitlines() or ["it said nothing"])[0 if any("XFAIL" in s for s in said) else -1]
