# SPDX-License-Identifier: LGPL-2.1-or-later
"""A few settings of test_lockup, the kernel's own module that locks machines up: who did it, and what the victims wait for. All of them
are run by tests/tools/lockup_accuracy.py, which also writes docs/accuracy-lockups.md."""

import itertools
import json
import unittest

import lab
import lkdtm_lab
import lkdtm_truth
import lockup_lab
import state

SERIES = "6.1"
BOTH = ("6.1", "6.12")


class Lockup(unittest.TestCase):
    def test_sample(self):
        settings = [s for s in lockup_lab.SETTINGS if s.name in lockup_lab.SAMPLE]
        self.assertEqual(len(settings), len(lockup_lab.SAMPLE), "a name in SAMPLE is none of SETTINGS")
        for series, setting in itertools.product(BOTH, settings):
            with self.subTest(series=series, setting=setting.name):
                folder = lockup_lab.kept(setting, series)
                self.assertTrue((folder / "vmcore").exists(), "the kernel survived it")
                judged = lockup_lab.judge(setting, folder)
                self.assertTrue(judged.kind_right, judged.verdict)
                self.assertTrue(judged.blame_right, judged.verdict)
                self.assertTrue(judged.said, judged.verdict)

    def test_address_that_two_paths_read(self):
        """The compiler reads the pointer to the rwlock on either side of a branch; who took the lock is known all the same."""
        setting = next(s for s in lockup_lab.SETTINGS if s.name == "rwlock")
        folder = lockup_lab.kept(setting, SERIES)
        self.assertTrue((folder / "vmcore").exists(), "the kernel survived it")
        run = lab.inquest("--json", "--no-debuginfo", "-c", "locks", folder / "vmcore")
        found = [o for o in json.loads(run.stdout)["locks"] if o["kind"] == "rwlock"]
        if not found:
            self.skipTest("the watchdog was quicker than the second CPU: nobody waits for the lock yet")
        self.assertEqual([o["owner_how"] for o in found], ["code"])
        self.assertIn("tasklist_lock", found[0]["name"])
        self.assertIn("kworker/", found[0]["owners"])

    def test_frozen_file_system(self):
        """Nobody's code holds up the writers: the file system says why."""
        script = "\n".join([f"{lkdtm_truth.MKFS}; mount -t ext4 /dev/vda /mnt; {lockup_lab.HUNG}", "fsfreeze --freeze /mnt",
                            "for n in 1 2; do (echo $n >/mnt/x$n) & done", "sleep 30"])
        folder = state.kept(lockup_lab.machine(SERIES), f"{SERIES}-frozen", script)
        self.assertTrue((folder / "vmcore").exists(), "the kernel survived it")
        verdict = lkdtm_lab.ask(folder / "vmcore")["verdict"]
        self.assertEqual((verdict["kind"], verdict["function"], verdict["module"]), ("hung-task", None, None))
        self.assertIn("the ext4 file system on vda is frozen", verdict["why"])

    def test_work_queue_stall(self):
        """Works of a CPU that one thread does not let go wait; whoever asks for the dump then is not told more than that."""
        script = "\n".join(["echo 0 >/proc/sys/kernel/watchdog", f"({lockup_lab.LOCK_UP} disable_preempt=1) & sleep 16", "echo c >/proc/sysrq-trigger"])
        folder = state.kept(lockup_lab.machine(SERIES), f"{SERIES}-workqueue", script)
        self.assertTrue((folder / "vmcore").exists(), "the kernel survived it")
        report = lkdtm_lab.ask(folder / "vmcore")
        self.assertEqual(report["verdict"]["kind"], "sysrq")
        found = [f for f in report["findings"] if f["kind"] == "workqueue-stall"]
        # A CPU has two pools, others are bound to none: whichever had works to do.
        of_cpu = [f for f in found if "of CPU " in f["what"]]
        self.assertTrue(of_cpu, [f["kind"] for f in report["findings"]])
        for pool in of_cpu:
            self.assertEqual(pool["module"], "test_lockup", pool)
            self.assertIn("insmod", pool["why"])
        for pool in found:
            self.assertEqual(pool["confidence"], "possible", pool)
            self.assertIn(pool["module"], (None, "test_lockup"), pool)
        starved = [f for f in report["findings"] if f["kind"] == "starvation"]
        self.assertEqual([(f["confidence"], f["module"]) for f in starved], [("possible", "test_lockup")])


if __name__ == "__main__":
    unittest.main()
