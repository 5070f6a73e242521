# SPDX-License-Identifier: LGPL-2.1-or-later
"""Arguments against what probes at the entry of the functions wrote down: nearly all that is shown as sure is right, most is shown, and more
than gdb shows with full debug info. The table of docs/accuracy.md is made by the tool that this uses."""

import shutil
import sys
import unittest

import debug_package
import lab

sys.path.insert(0, str(lab.ROOT / "tests" / "tools"))
import arguments_accuracy  # noqa: E402

SERIES = debug_package.SERIES
# Of all arguments of the compared frames; what is reached is a few per cent more.
KNOWN_WITHOUT, KNOWN_WITH, RIGHT = 0.80, 0.87, 0.99
ARGUMENTS_MIN = 300


class Accuracy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        dumps = lab.dumps(name="arguments", capture="qemu-elf", series=SERIES)
        if not dumps:
            raise unittest.SkipTest("the lab has no dump of arguments")
        cls.dump = dumps[0]
        cls.full = ["-k", debug_package.folder(SERIES), "-m", cls.dump.folder / "modules"]
        cls.parameters = arguments_accuracy.parameters_of(cls.dump, cls.full)
        cls.gdb = arguments_accuracy.ask_gdb(cls.dump, SERIES) if shutil.which("gdb") else {}

    def total(self, words):
        total = arguments_accuracy.Count()
        for count in arguments_accuracy.look(self.dump, words, self.gdb, self.parameters).values():
            total.add(count)
        self.assertGreater(total.arguments, ARGUMENTS_MIN)
        self.assertGreaterEqual(total.sure_right / total.sure, RIGHT, total.wrong)
        # Candidates are shown as such; they are no guesses at random either.
        self.assertGreaterEqual(total.right["candidate"], total.shown["candidate"] // 2, total.wrong)
        return total

    def test_without_debug_info(self):
        total = self.total(["--no-debuginfo"])
        self.assertGreaterEqual(total.sure / total.arguments, KNOWN_WITHOUT, total.missed)
        self.assertGreaterEqual(total.sure, total.gdb)

    def test_with_debug_info(self):
        total = self.total(self.full)
        self.assertGreaterEqual(total.sure / total.arguments, KNOWN_WITH, total.missed)
        self.assertGreaterEqual(total.sure, total.gdb * 1.2)

    def test_a_called_pointer_by_exclusion(self):
        """many_struct() passes many_callback or NULL; many_call() calls what it got, and keeps it nowhere."""
        wanted = lab.query(self.dump, "sym many_callback", "--no-debuginfo")["symbols"][0]["address"]
        truth = arguments_accuracy.truth_of(self.dump)
        tasks = arguments_accuracy.tasks_of(self.dump, truth)
        found = [a for task, frames in arguments_accuracy.frames_of(self.dump, tasks, ["--no-debuginfo"])
                 for f in frames if f["symbol"] == "many_call" for a in f["arguments"] if a["name"] == "callback"]
        self.assertTrue(found)
        for argument in found:
            self.assertEqual((argument["origin"], argument["number"]), ("derived", wanted), argument)


if __name__ == "__main__":
    unittest.main()
