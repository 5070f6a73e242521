# SPDX-License-Identifier: LGPL-2.1-or-later
"""A few settings of test_lockup, the kernel's own module that locks machines up: who did it, and what the victims wait for. All of them
are run by tests/tools/lockup_accuracy.py, which also writes docs/accuracy-lockups.md."""

import unittest

import lockup_lab

SERIES = "6.1"


class Lockup(unittest.TestCase):
    def test_sample(self):
        settings = [s for s in lockup_lab.SETTINGS if s.name in lockup_lab.SAMPLE]
        self.assertEqual(len(settings), len(lockup_lab.SAMPLE), "a name in SAMPLE is none of SETTINGS")
        for setting in settings:
            with self.subTest(setting=setting.name):
                folder = lockup_lab.kept(setting, SERIES)
                self.assertTrue((folder / "vmcore").exists(), "the kernel survived it")
                judged = lockup_lab.judge(setting, folder)
                self.assertTrue(judged.kind_right, judged.verdict)
                self.assertTrue(judged.blame_right, judged.verdict)
                self.assertTrue(judged.said, judged.verdict)


if __name__ == "__main__":
    unittest.main()
