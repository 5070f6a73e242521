# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the report says to do next: the commands in it run, caches and releases are the real ones,
and nothing is advised that would not help."""

import re
import unittest

import lab

COMMAND = re.compile(r"`([^`]+)`")
STEPS_MAX = 6


class Next(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.reports = [(dump, lab.query(dump, "report")) for dump in lab.dumps()]
        if not cls.reports:
            raise unittest.SkipTest("the lab has no dumps")

    def of(self, **wanted):
        found = [(dump, report) for dump, report in self.reports
                 if all(dump.meta.get(key) == value for key, value in wanted.items())]
        if not found:
            self.skipTest(f"the lab has no dump with {wanted}")
        return found

    def test_every_command_runs(self):
        """All of a report's commands in one run: an unknown one, or wrong usage, is told as error."""
        for dump, report in self.reports:
            commands = sorted({c for step in report["next"] for c in COMMAND.findall(step)})
            if not commands:
                continue
            with self.subTest(dump=str(dump), commands=commands):
                run = lab.inquest("-c", "; ".join(commands), dump.vmcore)
                # A dump that was cut off cannot show everything, and says so.
                if dump.meta.get("truncate", 100) == 100:
                    self.assertNotIn("inquest: ", run.stderr)
                self.assertNotIn("usage:", run.stderr)
                self.assertNotIn("unknown command", run.stderr)

    def test_few_and_each_once(self):
        for dump, report in self.reports:
            with self.subTest(dump=str(dump)):
                steps = report["next"]
                self.assertLessEqual(len(steps), STEPS_MAX)
                self.assertEqual(len(steps), len(set(steps)))
                commands = [c for step in steps for c in COMMAND.findall(step)]
                self.assertEqual(len(commands), len(set(commands)), commands)

    def test_every_death_has_a_step(self):
        for dump, report in self.reports:
            with self.subTest(dump=str(dump)):
                self.assertTrue(report["next"])

    def test_a_module_that_may_be_innocent(self):
        """It is not said to be at fault: its makers are to look."""
        seen = 0
        for dump, report in self.reports:
            verdict = report["verdict"]
            if not verdict["module"] or verdict["function_confidence"] != "possible":
                continue
            with self.subTest(dump=str(dump)):
                self.assertFalse([step for step in report["next"] if step.startswith(f"update {verdict['module']}")])
                seen += 1
        if not seen:
            self.skipTest("the lab has no dump where a module is possibly to blame")

    def test_module_is_named(self):
        for dump, report in self.of(name="null-ioctl", truncate=100):
            with self.subTest(dump=str(dump)):
                self.assertTrue(any("null_ioctl" in step for step in report["next"]))

    def test_slub_debug_names_the_objects_cache(self):
        """The option names the cache of the object at stake, as the dump itself has it."""
        seen = 0
        for dump, report in self.reports:
            option = re.search(r"slub_debug=FZPU,([\w,-]+)", "\n".join(report["next"]))
            if not option:
                continue
            seen += 1
            with self.subTest(dump=str(dump)):
                caches = {row["name"] for row in lab.query(dump, "kmem -s")["caches"]}
                self.assertIn(option[1].split(",")[0], caches)
                self.assertIsNotNone(report["verdict"]["object"])
        if not seen:
            self.skipTest("no dump of the lab has a damaged slab object")

    def test_no_debugging_where_nothing_is_damaged(self):
        for name in ("sysrq", "oom", "softlockup", "hung-task", "divide"):
            for dump, report in self.of(name=name, truncate=100):
                with self.subTest(dump=str(dump)):
                    self.assertNotRegex("\n".join(report["next"]), "slub_debug=F|KASAN|memtest")

    def test_hardware(self):
        for dump, report in self.of(name="bit-flip"):
            with self.subTest(dump=str(dump)):
                self.assertIn("memtest86+", report["next"][0])

    def test_debug_package_is_of_this_kernel(self):
        for dump, report in self.reports:
            for step in report["next"]:
                package = re.search(r"apt install linux-image-(\S+)-dbg", step)
                if package:
                    self.assertEqual(package[1], dump.meta["kernel_release"], str(dump))

    def test_text_asks_for_a_dump(self):
        for dump, _ in self.of(name="null-ioctl", truncate=100):
            text = dump.folder / "vmcore-dmesg.txt"
            if not text.exists():
                continue
            run = lab.inquest("--json", text)
            self.assertIn("kdump", run.stdout)
            return
        self.skipTest("no dump has the console's text beside it")


if __name__ == "__main__":
    unittest.main()
