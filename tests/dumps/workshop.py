# SPDX-License-Identifier: LGPL-2.1-or-later
"""The lab's scenario `workshop`, where everyone is at a known place: its oracles, parsed."""

import functools

import json_schema
import lab

# What a panic prints when it has waited, for as long as that takes, until the other CPUs stand still.
STOPPED = ("Shutting down cpus with NMI", "Kernel Offset", "---[ end Kernel panic")
SLEEPERS = ("in-nanosleep", "in-pipe", "in-futex", "in-epoll", "in-poll", "limits", "words", "pinned", "as-user")


class Workshop:
    def __init__(self, dump):
        self.dump, self.folder, self.oracle, self.meta = dump, dump.folder, dump.oracle, dump.meta
        self.people = []  # (role, pid, tid, {key: value})
        for line in (self.oracle / "workshop.tsv").read_text().splitlines():
            role, pid, tid, facts = line.split("\t")
            self.people.append((role, int(pid), int(tid), dict(fact.split("=", 1) for fact in facts.split() if "=" in fact)))
        self.kernel = [line.split("\t") for line in (self.oracle / "kernel.tsv").read_text().splitlines()]

    def __str__(self):
        return str(self.dump)

    def pid(self, role):
        return next(tid for name, _, tid, _ in self.people if name == role)

    def facts(self, role):
        return next(facts for name, _, _, facts in self.people if name == role)

    def rows(self, kind):
        """What the module reported of one kind, without the word itself."""
        return [row[1:] for row in self.kernel if row[0] == kind]

    def file(self, tid, name):
        return (self.oracle / "tasks" / str(tid) / name).read_text(errors="surrogateescape")

    def sched(self, tid):
        """Of /proc/TID/sched: {name: value as text}."""
        pairs = (line.split(":", 1) for line in self.file(tid, "sched").splitlines() if ":" in line)
        return {key.strip(): value.strip() for key, value in pairs}


def workshops():
    return [Workshop(dump) for dump in lab.dumps(name="workshop", truncate=100)]


def each(test):
    """Makes of test(self, shop) one that is run for each dump of the scenario."""
    @functools.wraps(test)
    def loop(self):
        dumps = workshops()
        need(self, dumps)
        for shop in dumps:
            with self.subTest(dump=str(shop)):
                test(self, shop)
    return loop


def need(test, dumps):
    if not dumps:
        test.skipTest("the lab has no such dump")


def ask(test, dump, line, *words):
    """What a command says, which must fit its schema."""
    value = lab.query(getattr(dump, "dump", dump), line, *words)
    test.assertEqual(json_schema.faults(line.split()[0], value)[:5], [], line)
    return value


def errors(value):
    return [remark["text"] for remark in value.get("remarks", []) if remark["kind"] == "error"]


def damaged():
    """Dumps with holes: one cut off, one whose pages a makedumpfile too old for the kernel left out."""
    return lab.dumps(name="many-tasks", truncate=60) + \
        lab.dumps(name="many-tasks", series="6.12", makedumpfile="old", truncate=100)
