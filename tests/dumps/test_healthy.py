# SPDX-License-Identifier: LGPL-2.1-or-later
"""Machines that are well: the verdict is that somebody asked for the dump, or that there was no crash, and nothing else is found that is
called more than possible."""

import os
import unittest

import healthy
import lkdtm_lab

# All on both with INQUEST_ALL_LOADS=1. Else, of the second kernel, every other one of those that do without LKDTM.
FIRST, SECOND = "6.12", "6.1"
TASKS_MIN = 45  # of an idle machine of the lab
ALL = bool(os.environ.get("INQUEST_ALL_LOADS"))


class Healthy(unittest.TestCase):
    def check(self, load, series):
        folder = load.kept(series, lkdtm=ALL or series == FIRST)
        self.assertTrue((folder / "vmcore").exists(), "the machine did not do as it was to: " + (folder / "console.log").read_text()[-2000:])
        report = lkdtm_lab.ask(folder / "vmcore")
        self.assertIn(load.shows, (folder / "console.log").read_text())
        self.assertGreaterEqual(report["system"]["tasks"], TASKS_MIN + load.tasks)
        verdict = report["verdict"]
        self.assertEqual(verdict["kind"], load.kind, verdict["what"])
        self.assertIsNone(verdict["module"], verdict["what"])
        for finding in report["findings"]:
            if finding["kind"] != load.kind:
                self.assertEqual(finding["confidence"], "possible", finding["what"])
        return folder

    @classmethod
    def setUpClass(cls):
        lkdtm_lab.need(FIRST)

    def test_loads(self):
        wanted = [(load, FIRST) for load in healthy.LOADS]
        wanted += [(load, SECOND) for place, load in enumerate(healthy.LOADS) if ALL or not load.lkdtm and place % 2]
        for load, series in wanted:
            with self.subTest(load=load.name, series=series):
                folder = self.check(load, series)
                if not load.alive:
                    by_log = lkdtm_lab.ask_text(folder / "console.log")["verdict"]
                    self.assertEqual(by_log["kind"], load.kind, by_log["what"])


if __name__ == "__main__":
    unittest.main()
