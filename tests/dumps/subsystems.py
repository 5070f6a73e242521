# SPDX-License-Identifier: LGPL-2.1-or-later
"""The lab's scenario `subsystems`, whose machines hold some of everything: what its tests share."""

import functools
import unittest

import json_schema
import lab

HOLDERS = "files", "maps", "net", "ipc", "bpf", "jail"


def pid_of(dump, holder):
    return int((dump.oracle / "holders" / holder / "pid").read_text())


class Test(unittest.TestCase):
    def setUp(self):
        self.dumps = lab.dumps(name="subsystems")
        if not self.dumps:
            self.skipTest("the lab has no dump of the scenario subsystems")

    def fits(self, dump, *lines):
        """What the commands say fits their schemas."""
        for line in lines:
            self.assertEqual(json_schema.faults(line.split()[0], lab.query(dump, line))[:5], [], line)


def each_dump(test):
    """Runs a test of such a class for each of its dumps."""
    @functools.wraps(test)
    def run(self):
        for dump in self.dumps:
            with self.subTest(dump=str(dump)):
                test(self, dump)
    return run
