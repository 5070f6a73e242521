# SPDX-License-Identifier: LGPL-2.1-or-later
"""A few of LKDTM's ways to crash a kernel: the verdict must have the class and the guilty function. All of them, on both kernels, are
run by tests/tools/lkdtm_accuracy.py, which also writes docs/accuracy-lkdtm.md."""

import unittest

import lkdtm_lab
import lkdtm_truth

SERIES = "6.12"


class Lkdtm(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        lkdtm_lab.need(SERIES)

    def test_sample(self):
        ways = lkdtm_truth.sample()
        self.assertEqual(len(ways), len(lkdtm_truth.SAMPLE), "a name in SAMPLE is none of WAYS")
        for way in ways:
            with self.subTest(way=way.name):
                folder = lkdtm_lab.kept(way, SERIES)
                vmcore = folder / "vmcore"
                self.assertTrue(vmcore.exists(), "the kernel survived it")
                verdict = lkdtm_lab.judge(way, lkdtm_lab.ask(vmcore)).verdict
                self.assertIn(verdict.kind, way.kinds, verdict.what)
                self.assertIn(verdict.function, way.functions, verdict.what)
                self.assertIn(verdict.confidence, lkdtm_lab.SURE)
                # From the console alone less may be known, but nothing wrong may look sure.
                of_text = lkdtm_lab.judge(way, lkdtm_lab.ask_text(folder / "console.log"))
                self.assertFalse(of_text.surely_wrong, of_text.verdict)


if __name__ == "__main__":
    unittest.main()
