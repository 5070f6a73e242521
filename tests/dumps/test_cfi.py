# SPDX-License-Identifier: LGPL-2.1-or-later
"""Unwinding by debug files in place of ORC, and that the two agree, on every task of every dump."""

import unittest

import debug_package
import lab

SERIES = debug_package.SERIES


def stacks(value):
    """What must not depend on how frames were found."""
    return {t["task"]: ([(f["pc"], f["sp"], f["symbol"], f["guess"], f["stack"], f["inlined"]) for f in t["frames"]],
                        t["end"], t.get("user_regs")) for t in value["threads"]}


class Unwinding(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = debug_package.folder(SERIES)

    def dumps(self):
        found = [d for d in lab.dumps(series=SERIES) if d.meta.get("truncate", 100) == 100]
        if not found:
            self.skipTest("the lab has no dump")
        return found

    def query(self, dump, command, *words):
        return lab.query(dump, command, "-k", self.folder, "-m", dump.folder / "modules", *words)

    def test_without_orc_stacks_are_the_same(self):
        for dump in self.dumps():
            with self.subTest(dump=str(dump)):
                with_orc = self.query(dump, "bt --all")
                without = self.query(dump, "bt --all", "--no-orc")
                how = {f["how"] for t in without["threads"] for f in t["frames"]}
                self.assertIn("cfi", how)
                self.assertNotIn("orc", how)
                expected, found = stacks(with_orc), stacks(without)
                self.assertEqual(expected.keys(), found.keys())
                for task, stack in expected.items():
                    self.assertEqual(stack, found[task], task)

    def test_orc_and_debug_files_agree(self):
        for dump in self.dumps():
            with self.subTest(dump=str(dump)):
                remarks = self.query(dump, "bt --all", "--verify").get("remarks", [])
                self.assertEqual([r["text"] for r in remarks if r["text"].startswith("unwinding:")], [])

    def test_frames_get_the_registers_that_functions_preserve(self):
        for dump in lab.dumps(series=SERIES, name="sysrq", truncate=100):
            with self.subTest(dump=str(dump)):
                frames = self.query(dump, "bt -v")["threads"][0]["frames"]
                write = [f for f in frames if f["symbol"] == "vfs_write" and not f["inlined"]]
                self.assertTrue(write)
                for reg in "rbx", "rbp", "r12", "r13", "r14", "r15":
                    self.assertIn(reg, write[0]["regs"])
                for reg in "rax", "rcx", "rdx", "rsi", "rdi":
                    self.assertNotIn(reg, write[0]["regs"])

    def test_registers_by_machine_code_are_those_of_debug_files(self):
        for dump in lab.dumps(series=SERIES, capture="qemu-elf"):
            with self.subTest(dump=str(dump)):
                by_file = self.query(dump, "bt -v --all")["threads"]
                by_code = lab.query(dump, "bt -v --all", "--no-debuginfo")["threads"]
                known, found = 0, 0
                for one, other in zip(by_file, by_code):
                    pairs = zip([f for f in one["frames"] if not f["inlined"]], other["frames"])
                    for mine, theirs in pairs:
                        known += len(mine.get("regs", {}))
                        for reg, value in theirs.get("regs", {}).items():
                            self.assertEqual(mine["regs"].get(reg), value, (one["comm"], mine["symbol"], reg))
                            found += 1
                self.assertGreater(found, known * 0.95)


if __name__ == "__main__":
    unittest.main()
