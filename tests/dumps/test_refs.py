# SPDX-License-Identifier: LGPL-2.1-or-later
"""refs: all words that point into an object, against a look at the ELF dump's memory that knows nothing of inquest, and what
the kernel's own lists say about who must be among them."""

import mmap
import os
import struct
import unittest

import lab

BLOCK = 1 << 16


def segments(path):
    """(physical address, bytes) of each PT_LOAD."""
    with open(path, "rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    (offset,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    for i in range(count):
        kind, _, at, _, physical, in_file, _, _ = struct.unpack_from("<IIQQQQQQ", data, offset + i * size)
        if kind == 1 and in_file:
            yield physical, data, at, in_file


def pointers_into(path, start, size):
    """{physical address: value} of the aligned words in [start, start + size): by the six bytes that all of a block share."""
    found = {}
    for physical, data, at, in_file in segments(path):
        for block in range(start & -BLOCK, start + size, BLOCK):
            high = struct.pack("<Q", block)[2:]
            pos = data.find(high, at, at + in_file)
            while pos >= 0:
                where = physical + pos - 2 - at
                if where % 8 == 0 and pos - 2 >= at:
                    (value,) = struct.unpack_from("<Q", data, pos - 2)
                    if start <= value < start + size:
                        found[where] = value
                pos = data.find(high, pos + 1, at + in_file)
    return found


def refs(dump, *words):
    return lab.query(dump, "refs " + " ".join(map(str, words)))


def number(text):
    return int(text, 16)


class Complete(unittest.TestCase):
    def setUp(self):
        self.dumps = [d for d in lab.dumps(name="sysrq", capture="qemu-elf") + lab.dumps(name="reverse-map", capture="qemu-elf")
                      if os.path.getsize(d.vmcore) < 1 << 30]
        if not self.dumps:
            self.skipTest("the lab has no ELF dump of QEMU")

    def compare(self, dump, target, *words):
        value = refs(dump, "-u", "-l", 0, *words)
        found = {number(r["physical"]): number(r["value"]) for r in value["targets"][target]["references"]}
        one = value["targets"][target]
        want = pointers_into(dump.vmcore, number(one["address"]), one["size"])
        self.assertEqual(found, want)
        return value

    def test_every_word_is_found_and_no_other(self):
        for dump in self.dumps:
            crashed = lab.query(dump, "bt")["threads"][0]["task"]
            for words in (["init_task"], [crashed], ["init_task", 64], ["modules", 16], ["jiffies", 8]):
                with self.subTest(dump=str(dump), words=words):
                    value = self.compare(dump, 0, *words)
                    self.assertEqual(value["total"], len(value["targets"][0]["references"]))
                    self.assertEqual(value["total"], sum(value["ranks"].values()))
            with self.subTest(dump=str(dump), words="-m"):
                self.compare(dump, 0, "-m", "init_task", "modules")
                self.compare(dump, 1, "-m", "init_task", "modules")

    def test_the_limit_cuts_the_least_telling(self):
        dump = self.dumps[0]
        every = refs(dump, "-l", 0, "init_task")["targets"][0]["references"]
        for limit in 1, 7:
            self.assertEqual(refs(dump, "-l", limit, "init_task")["targets"][0]["references"], every[:limit])
        self.assertEqual([r["address"] for r in refs(dump, "-l", 0, "init_task")["targets"][0]["references"]],
                         [r["address"] for r in every])


class Known(unittest.TestCase):
    """Who must point to a task: its CPU's run queue, its parent's list of children, itself."""

    def test_the_crashed_task(self):
        for dump in lab.dumps(name="sysrq"):
            if dump.meta["truncate"] < 100 or not dump.meta["vmcoreinfo"] or dump.meta["capture"] == "kdump-all":
                continue
            with self.subTest(dump=str(dump)):
                thread = lab.query(dump, "bt")["threads"][0]
                task = thread["task"]
                value = refs(dump, "-l", 0, task)
                found = {number(r["address"]): r for r in value["targets"][0]["references"]}
                at = self.number(dump, f"&runqueues:{thread['cpu']}.curr")
                self.assertIn(at, found)
                self.assertEqual(found[at]["rank"], "variable")
                self.assertEqual(found[at]["offset"], "0x0")
                # The list of children has the task, or a brother that points to it.
                sibling = self.number(dump, f"&((struct task_struct *){task})->sibling")
                following = self.number(dump, f"((struct task_struct *){task})->sibling.next")
                self.assertEqual(number(found[following + 8]["value"]), sibling)
                self.assertTrue(any(r["rank"] == "itself" for r in found.values()))

    def number(self, dump, expression):
        return number(lab.query(dump, f"px {expression}")["values"][0]["value"])

    def test_order_of_ranks(self):
        order = ["variable", "object", "stack", "memory", "itself", "stale", "process or file"]
        for dump in lab.dumps(name="reverse-map"):
            ranks = [order.index(r["rank"]) for r in refs(dump, "-u", "-l", 0, "init_task")["targets"][0]["references"]]
            self.assertEqual(ranks, sorted(ranks))

    def test_odd_dumps(self):
        """With holes, cut off, without VMCOREINFO, of each kind of capture."""
        odd = {(d.meta["truncate"], d.meta["vmcoreinfo"], d.meta["makedumpfile"], d.meta["capture"], d.meta["paging"]): d for d in lab.dumps()}
        for dump in odd.values():
            with self.subTest(dump=str(dump)):
                value = refs(dump, "-l", 3, "init_task")
                self.assertTrue(value.get("targets") or value["remarks"])


if __name__ == "__main__":
    unittest.main()
