# SPDX-License-Identifier: LGPL-2.1-or-later
"""Value flow against what happens: programs of ours are run step by step (tests/tools/flow_trace.c)."""

import subprocess
import unittest

import lab

STEPS, EVERY = 100_000, 60


class Trace(unittest.TestCase):
    def trace(self, target):
        tool, program = lab.BUILD / "tests" / "flow_trace", lab.BUILD / "fuzz" / f"fuzz_{target}"
        if not tool.exists() or "sanitize" in lab.BUILD.name:
            self.skipTest("for the plain build")
        run = subprocess.run([tool, str(STEPS), str(EVERY), program, lab.ROOT / "fuzz" / "corpus" / target],
                             capture_output=True, text=True, timeout=300)
        if run.returncode == 77:
            self.skipTest(run.stderr.strip())
        self.assertEqual(run.returncode, 0, run.stderr)
        counts = {}
        for line in run.stdout.splitlines():
            name, *numbers = line.split()
            counts[name] = [float(n) for n in numbers]
        for name in ("inner_arguments", "inner_preserved", "outer_arguments", "outer_preserved", "at_calls"):
            right, wrong, _ = counts[name]
            self.assertEqual(wrong, 0, run.stderr)
            self.assertGreater(right, 200, name)
        self.assertNotIn("contradiction", run.stderr)

    def test_expressions(self):
        self.trace("expr")

    def test_types(self):
        self.trace("btf")

    def test_decompression(self):
        self.trace("lzo")


if __name__ == "__main__":
    unittest.main()
