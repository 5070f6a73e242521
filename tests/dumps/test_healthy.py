# SPDX-License-Identifier: LGPL-2.1-or-later
"""Machines that are well: the verdict is that somebody asked for the dump, or that there was no crash, and nothing else is found that is
called more than possible."""

import os
import unittest

import healthy
import lkdtm_lab

# All on both with INQUEST_ALL_LOADS=1; else each load on one of the kernels.
SERIES = ("6.1", "6.12")
TASKS_MIN = 45  # of an idle machine of the lab
ALL = bool(os.environ.get("INQUEST_ALL_LOADS"))


class Healthy(unittest.TestCase):
    def check(self, load, series):
        folder = load.kept(series)
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

    def test_loads(self):
        for place, load in enumerate(healthy.LOADS):
            for series in SERIES if ALL else [SERIES[place % 2]]:
                with self.subTest(load=load.name, series=series):
                    folder = self.check(load, series)
                    if load.alive:
                        continue
                    by_log = lkdtm_lab.ask_text(folder / "console.log")["verdict"]
                    self.assertEqual(by_log["kind"], load.kind, by_log["what"])


if __name__ == "__main__":
    unittest.main()
