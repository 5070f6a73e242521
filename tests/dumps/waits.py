# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of waits have in common: a scenario's dumps, asked without debug information."""

import unittest

import json_schema
import lab


class Test(unittest.TestCase):
    def each(self, name):
        found = lab.dumps(name=name, truncate=100)
        if not found:
            self.skipTest(f"the lab has no dump of {name}")
        for dump in found:
            with self.subTest(dump=str(dump)):
                yield dump, dump.truth

    def ask(self, dump, line):
        reply = lab.query(dump, line, "--no-debuginfo")
        command = line.split()[0]
        if command in ("blocked", "locks", "deadlock", "cpus"):
            self.assertEqual(json_schema.faults(command, reply)[:5], [], line)
        return reply

    def names(self, dump):
        return {task["pid"]: task["comm"] for task in self.ask(dump, "ps")["tasks"]}

    def report(self, dump):
        return self.ask(dump, "report")
