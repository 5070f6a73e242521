# SPDX-License-Identifier: LGPL-2.1-or-later
"""What functions were called with, without any debug file: against what the debug files say of the same frames."""

import collections
import unittest

import debug_package
import lab

SERIES = debug_package.SERIES
TASKS_MAX = 60


def known(argument):
    return argument["origin"] in ("exact", "derived")


class Against(unittest.TestCase):
    def compare(self, dump):
        addresses = [t["task"] for t in lab.query(dump, "ps", "--no-debuginfo")["tasks"][:TASKS_MAX]]
        line = "; ".join(f"args -t {a.removeprefix('0x')}" for a in addresses)
        plain = lab.query(dump, line, "--no-debuginfo")["commands"]
        full = lab.query(dump, line, "-k", debug_package.vmlinux(SERIES), "-m", dump.folder / "modules")["commands"]
        counts, wrong = collections.Counter(), []
        for one, other in zip(plain, full, strict=True):
            for frame, twin in zip(one.get("frames", []), other.get("frames", []), strict=True):
                self.assertEqual(frame["pc"], twin["pc"])
                said = {a["name"]: a for a in twin["arguments"]}
                for argument in frame["arguments"]:
                    counts["all"] += 1
                    counts["known"] += known(argument)
                    more = said.get(argument["name"])
                    if not known(argument) or not more or not known(more):
                        continue
                    counts["compared"] += 1
                    # What the debug file says now may be another value, where the code has changed it: seldom.
                    counts["changed"] += more["now"] is not None
                    if int(argument["number"], 16) != int(more["number"], 16):
                        wrong.append((one.get("command"), frame["place"], argument, more))
        self.assertEqual(wrong[:5], [], dump)
        return counts

    def test_all_tasks(self):
        counts = collections.Counter()
        for name in ("many-tasks", "hung-task", "values", "softlockup"):
            for dump in lab.dumps(series=SERIES, name=name, truncate=100):
                counts += self.compare(dump)
                break
        if not counts["all"]:
            self.skipTest("the lab has none of these dumps")
        self.assertGreater(counts["compared"], 50)
        self.assertLess(counts["changed"], 5 + counts["compared"] / 20)
        # Without a debug file most are known all the same.
        self.assertGreater(counts["known"] / counts["all"], 0.6)


class Chain(unittest.TestCase):
    def test_the_fault_of_null_ioctl(self):
        done = 0
        for dump in lab.dumps(name="null-ioctl", truncate=100):
            with self.subTest(dump=str(dump)):
                frames = lab.query(dump, "args", "--no-debuginfo")["frames"]
                place = next(f for f in frames if f["place"].startswith("channel_store+"))
                channel = place["arguments"][0]
                self.assertEqual((channel["name"], channel["number"], channel["origin"]),
                                 ("channel", "0x0", "exact"))
                # The system call's registers are the anchor of what came from user space.
                outer = next(f for f in frames if f["place"].startswith("__x64_sys_ioctl+"))
                self.assertTrue(known(outer["arguments"][0]))
                one = lab.query(dump, f"args {place['level']}", "--no-debuginfo")["frames"]
                self.assertEqual(one, [place])
                done += 1
        if not done:
            self.skipTest("the lab has no null-ioctl dump")

    def test_usage(self):
        for dump in lab.dumps(name="null-ioctl", truncate=100):
            for line, words in (("args 999", "frames #0 to"), ("args x", "not a number"), ("args 1 2", "one frame")):
                run = lab.inquest("-c", line, dump.vmcore)
                self.assertEqual(run.returncode, 1)
                self.assertIn(words, run.stderr)
            return
        self.skipTest("the lab has no null-ioctl dump")


if __name__ == "__main__":
    unittest.main()
