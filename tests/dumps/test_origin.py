# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where values came from, without any debug file: the lab's module passes a NULL through known places."""

import unittest

import lab


class NullIoctl(unittest.TestCase):
    def each(self):
        done = 0
        for dump in lab.dumps(name="null-ioctl", truncate=100):
            with self.subTest(dump=str(dump)):
                yield dump
                done += 1
        if not done:
            self.skipTest("the lab has no null-ioctl dump")

    def steps(self, dump, line):
        return lab.query(dump, line, "--no-debuginfo")

    def test_the_null_pointer_was_read_from_a_member(self):
        for dump in self.each():
            found = self.steps(dump, "origin rdi")
            steps = found["steps"]
            self.assertEqual((steps[0]["kind"], steps[0]["name"], steps[0]["value"]), ("argument", "channel", "0x0"))
            cell = next(s for s in steps if s["kind"] == "cell")
            self.assertEqual((cell["name"], cell["value"]), ("session->channel", "0x0"))
            self.assertTrue(cell["sure"])
            self.assertEqual(cell["cell_now"], "0x0")
            self.assertRegex(cell["what"], "kmalloc")
            # session itself came from the file, which user space gave.
            private = [s for s in steps if s["name"] == "file->private_data"]
            if private:
                self.assertEqual(int(private[0]["value"], 16) + 8, int(cell["cell"], 16))
                self.assertEqual(private[0]["cell_now"], private[0]["value"])
            self.assertIn("session->channel", found["sentence"])
            self.assertTrue(all(s["frame"] >= steps[0]["frame"] for s in steps))

    def test_by_value_and_by_name(self):
        for dump in self.each():
            by_name = self.steps(dump, "origin rsi")
            value = by_name["steps"][0]["value"]
            self.assertEqual(self.steps(dump, f"origin {value}")["sentence"], by_name["sentence"])
            self.assertEqual(self.steps(dump, "origin %rsi")["sentence"], by_name["sentence"])

    def test_arguments_and_places(self):
        for dump in self.each():
            channel = self.steps(dump, "origin channel")
            self.assertEqual((channel["register"], channel["steps"][0]["name"]), ("argument channel", "channel"))
            cell = next(s for s in channel["steps"] if s["kind"] == "cell")
            place = self.steps(dump, f"origin session->channel {cell['frame']}")
            self.assertEqual((place["cell"], place["cell_now"]), (cell["cell"], "0x0"))
            self.assertEqual(place["steps"][0]["name"], "session->channel")
            number = self.steps(dump, f"origin *(u64*){cell['cell']} {cell['frame']}")
            self.assertRegex(number["what"], "kmalloc")
            cast = self.steps(dump, f"origin *((unsigned long *) {cell['cell']}) {cell['frame']}")
            self.assertEqual(cast["sentence"], number["sentence"])
            self.assertEqual((number["cell"], number["sentence"]), (cell["cell"], place["sentence"]))

    def test_usage(self):
        for dump in self.each():
            for line, words in (("origin", "usage: origin"), ("origin rdi 99", "frames #0 to"),
                                ("origin 0x1234567", "no register"), ("origin nosuch", "nosuch")):
                run = lab.inquest("-c", line, dump.vmcore)
                self.assertEqual(run.returncode, 1)
                self.assertIn(words, run.stderr)


class EveryRegister(unittest.TestCase):
    def test_nothing_ends_in_an_error(self):
        """Every register of every frame of some stacks: a tree in preorder, bounded."""
        for name in ("softlockup", "hung-task", "bug-workqueue", "values"):
            for dump in lab.dumps(name=name, truncate=100):
                frames = lab.query(dump, "bt", "--no-debuginfo")["threads"][0]["frames"]
                levels = sorted({f["level"] for f in frames})[:6]
                line = "; ".join(f"origin {r} {n}" for n in levels for r in ("rdi", "rbx", "rax", "rsp", "r12"))
                for entry in lab.query(dump, line, "--no-debuginfo")["commands"]:
                    steps = entry.get("steps", [])
                    self.assertLessEqual(len(steps), 60)
                    for last, step in zip(steps, steps[1:]):
                        self.assertLessEqual(step["depth"], last["depth"] + 1)
                break


if __name__ == "__main__":
    unittest.main()
