# SPDX-License-Identifier: LGPL-2.1-or-later
"""fault: the operand, the register and the member of the lab's known mistakes, the condition of a BUG(), the pointer of a call to nowhere."""

import unittest

import json_schema
import lab


class Fault(unittest.TestCase):
    def faults(self, name, **wanted):
        """(dump, what fault says) of the scenario's dumps, and the JSON fits."""
        found = lab.dumps(name=name, truncate=100, **wanted)
        if not found:
            self.skipTest(f"the lab has no dump of {name}")
        for dump in found:
            with self.subTest(dump=str(dump)):
                answer = lab.query(dump, "fault", "--no-debuginfo")
                self.assertEqual(json_schema.faults("fault", answer)[:5], [])
                yield dump, answer["fault"]

    def faulted(self, fault):
        bad = [o for o in fault["operands"] if o["faulted"]]
        self.assertEqual(len(bad), 1, fault)
        return bad[0]

    def test_a_member_of_a_null_pointer(self):
        for _, fault in self.faults("arguments"):
            operand = self.faulted(fault)
            self.assertEqual((operand["place"], operand["object"], operand["offset"]), ("missing->weight", "struct item", 8))
            self.assertEqual((operand["pointer"], operand["register_value"], fault["access"]), ("missing", "0x0", "write"))
            self.assertEqual((operand["access"], operand["size"], fault["address"]), ("write", 8, "0x8"))
            self.assertIn("missing (struct item *)", fault["sentence"])

    def test_null_ioctl(self):
        for dump, fault in self.faults("null-ioctl"):
            operand = self.faulted(fault)
            self.assertEqual(operand["offset"], dump.truth["offset"])
            self.assertRegex(operand["place"], r"^channel->\w+$")

    def test_a_loop_over_a_list(self):
        """The pointer came in, or from the last node: its type is known all the same."""
        for _, fault in self.faults("gpf"):
            operand = self.faulted(fault)
            self.assertEqual(operand["object"], "struct node")
            self.assertIn("(struct node *)$", operand["place"])

    def test_the_condition_of_a_bug(self):
        for _, fault in self.faults("bug-workqueue"):
            self.assertTrue(fault["bug"]["place"].endswith("bug_workqueue.c:14"))
            first = fault["conditions"][0]
            self.assertEqual((first["condition"], first["left"], first["again"]), ("slot < 0", "0xffffffff", False))

    def test_the_condition_of_a_warning(self):
        for _, fault in self.faults("panic-on-warn"):
            self.assertTrue(fault["bug"]["warning"])
            self.assertEqual(fault["conditions"][0]["left"], "0xfffffffb")

    def test_a_divisor(self):
        for _, fault in self.faults("divide"):
            self.assertEqual([(o["access"], o["value"]) for o in fault["operands"]], [("read", "0x0")])

    def test_a_call_to_data(self):
        for _, fault in self.faults("data-call"):
            self.assertEqual((fault["access"], fault["call"]["pointer"]), ("execute", "handler->run"))
            self.assertTrue(fault["call"]["caller"].startswith("run_handler+"))

    def test_dumps_without_a_fault_say_so(self):
        for dump in lab.dumps(name="sysrq", capture="kdump", truncate=100)[:1]:
            answer = lab.query(dump, "fault")
            self.assertNotIn("fault", answer)
            self.assertTrue(any("no CPU exception" in r["text"] for r in answer["remarks"]))


if __name__ == "__main__":
    unittest.main()
