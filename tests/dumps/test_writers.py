# SPDX-License-Identifier: LGPL-2.1-or-later
"""writers, callers, callees: all code of a dump searched, against objdump over the kernel's own image. Where the running kernel has
patched its code (static keys, alternatives, static calls, tracing) the two differ: such places are told by their bytes."""

import collections
import functools
import re
import subprocess
import unittest

import json_schema
import lab

VALUES = [0x64, -2]
CALLED = ["kfree", "dput"]
TAKEN = ["delayed_work_timer_fn", "process_timeout", "autoremove_wake_function"]
REG = r"%[a-z0-9]+"
STORE = re.compile(r"([0-9a-f]+):\s+mov[bwlq]?\s+\$0x([0-9a-f]+),(?:%[fg]s:)?(-?0x[0-9a-f]+)?\(([^)]*)\)$")
CALL = re.compile(r"([0-9a-f]+):\s+(call|jmp|j[a-z]+)\s+(?:0x)?([0-9a-f]+)")


@functools.lru_cache
def image(series):
    """Stores of constants and calls in .text, by objdump: {address: (value, displacement)}, {target: {address}}."""
    vmlinux = lab.LAB / "kernels" / series / "vmlinux"
    if not vmlinux.exists():
        raise unittest.SkipTest(f"no image of {series}")
    objdump = subprocess.Popen(["objdump", "-d", "--no-show-raw-insn", "-j", ".text", vmlinux], stdout=subprocess.PIPE, text=True)
    grep = subprocess.run(["grep", "-E", r"(call|j[a-z]+) +(0x)?ffff|mov[bwlq]? +\$.*\)$"], stdin=objdump.stdout, capture_output=True,
                          text=True, check=False)
    objdump.communicate()
    stores, calls = {}, collections.defaultdict(set)
    for line in grep.stdout.splitlines():
        if store := STORE.search(line):
            stores[int(store[1], 16)] = (int(store[2], 16), int(store[3] or "0", 16), store[4])
        elif call := CALL.search(line):
            calls[int(call[3], 16)].add(int(call[1], 16))
    return stores, calls


class OnDump(unittest.TestCase):
    def setUp(self):
        self.dumps = [d for series in ("6.1", "6.12")
                      for d in lab.dumps(series=series, name="null-ioctl", capture="kdump", truncate=100, paging=4)[:1]]
        if not self.dumps:
            self.skipTest("the lab has no null-ioctl dumps")

    def slide(self, dump):
        """Run-time minus link-time address: .text is linked at the start of the image's mapping."""
        start = lab.query(dump, "sym _stext")["symbols"][0]["address"]
        return int(start, 16) - 0xffffffff81000000

    def patched(self, dump, address, text):
        """Is the code in the dump another than objdump's? (The running kernel changes some.)"""
        line = lab.query(dump, f"dis 0x{address:x}")["instructions"][0]["text"]
        return re.sub(r"\s+", " ", line).split("  #")[0].split(" <")[0] != re.sub(r"\s+", " ", text)


def same(value, number):
    return any(number == value & (1 << bits) - 1 for bits in (8, 16, 32, 64) if -(1 << bits - 1) <= value < 1 << bits)


class Writers(OnDump):
    def test_constants_as_objdump_finds_them(self):
        for dump in self.dumps:
            stores, _ = image(dump.meta["series"])
            slide = self.slide(dump)
            for value in VALUES:
                with self.subTest(dump=str(dump), value=hex(value)):
                    answer = lab.query(dump, f"writers -f {value:#x}" if value >= 0 else f"writers -f '({value})'")
                    self.assertEqual(json_schema.faults("writers", answer)[:5], [])
                    ours = {int(row["address"], 16) for row in answer["stores"] if row["source"] == "constant" and not row["module"]}
                    theirs = {address + slide for address, (number, *_) in stores.items() if same(value, number)}
                    self.assertTrue(theirs)
                    missing = theirs - ours
                    self.assertLess(len(missing), 3 + len(theirs) // 20)
                    for address in sorted(missing)[:20]:
                        self.assertTrue(self.patched(dump, address, "mov"), hex(address))

    def test_only_stores_of_the_value(self):
        for dump in self.dumps:
            for value in (0x106, 0x8000):
                for row in lab.query(dump, f"writers {value:#x}")["stores"]:
                    text = row["instruction"]
                    if row["source"] == "constant":
                        self.assertRegex(text, rf"^mov[bwlq]? +\$0x{value:x},")
                    else:
                        self.assertEqual(row["source"], "register")
                        setter = lab.query(dump, f"dis {row['set_at']}")["instructions"][0]["text"]
                        self.assertIn(f"{value:#x}", setter)

    def test_offset(self):
        for dump in self.dumps:
            rows = lab.query(dump, "writers -f 0x40")["stores"]
            counts = collections.Counter(int(m[1] or "0", 16) for m in
                                         (re.search(r",(-?0x[0-9a-f]+)?\(%(?!rip)", row["instruction"]) for row in rows) if m)
            for offset in [offset for offset, _ in counts.most_common(2) if offset >= 0]:
                found = lab.query(dump, f"writers -f 0x40 {offset:#x}")["stores"]
                self.assertEqual(len(found), counts[offset], hex(offset))

    def test_modules_that_taint_come_first(self):
        for dump in self.dumps:
            ranks = [0 if row["tainting"] else 1 if row["module"] else 2 for row in lab.query(dump, "writers 1")["stores"]]
            self.assertTrue(ranks == sorted(ranks))
            self.assertTrue({1, 2} <= set(ranks))
            kernel = lab.query(dump, "writers -M 1")["stores"]
            self.assertFalse([row for row in kernel if not row["module"]])

    def test_members(self):
        for dump in self.dumps:
            answer = lab.query(dump, "writers -a --member sk_buff.head")
            everything = {row["address"] for row in answer["stores"]}
            answer["stores"] = [row for row in answer["stores"] if row["base"] in ("exact", "possible")]
            functions = {row["function"] for row in answer["stores"]}
            self.assertLessEqual({"__skb_clone", "pskb_expand_head"}, functions)
            self.assertLess({row["address"] for row in answer["stores"]}, everything)
            exact = {(row["function"], row["place"]) for row in answer["stores"] if row["base"] == "exact"}
            self.assertLessEqual({("__skb_clone", "n->head"), ("pskb_expand_head", "skb->head")}, exact)
            # Queues count packets at the same offset of another structure: value flow tells.
            self.assertNotIn("pfifo_enqueue", functions)
            places = {(row["function"], row["place"]) for row in lab.query(dump, "writers --member task_struct.exit_state")["stores"]}
            self.assertLessEqual({("do_exit", "current->exit_state"), ("wait_consider_task", "p->exit_state")}, places)

    def test_what_makes_no_sense(self):
        for line in ("writers", "writers 1 2 3", "writers --member sk_buff", "writers --member sk_buff.nothing", "writers --member nosuch.x",
                     "callers", "callers linux_banner", "callees nosuch", "callers 0"):
            run = lab.inquest("-c", line, self.dumps[0].vmcore)
            self.assertEqual(run.returncode, 1, line)
            self.assertIn(line.split()[0], run.stderr)


class Callers(OnDump):
    def test_calls_as_objdump_finds_them(self):
        for dump in self.dumps:
            _, calls = image(dump.meta["series"])
            slide = self.slide(dump)
            for name in CALLED:
                with self.subTest(dump=str(dump), name=name):
                    answer = lab.query(dump, f"callers {name}")
                    self.assertEqual(json_schema.faults("callers", answer)[:5], [])
                    start = int(answer["address"], 16)
                    size = lab.query(dump, f"sym 0x{start:x}")["symbols"][0]["size"]
                    ours = {int(row["address"], 16) for row in answer["callers"] if row["kind"] in ("call", "jump") and not row["module"]}
                    theirs = {a + slide for a in calls[start - slide] if not start <= a + slide < start + size}
                    self.assertTrue(theirs)
                    different = ours ^ theirs
                    self.assertLess(len(different), 3 + len(theirs) // 20)
                    for address in sorted(theirs - ours):
                        text = lab.query(dump, f"dis 0x{address:x}")["instructions"][0]["text"]
                        self.assertNotIn(f"{start:x}", text)
                    for address in sorted(ours - theirs):
                        text = lab.query(dump, f"dis 0x{address:x}")["instructions"][0]["text"]
                        self.assertRegex(text, f"^(call|jmp|j[a-z]+) ")

    def test_addresses_taken(self):
        for dump in self.dumps:
            for name in TAKEN:
                self.assertIn("address", {row["kind"] for row in lab.query(dump, f"callers {name}")["callers"]}, name)
                self.assertFalse([r for r in lab.query(dump, f"callers -c {name}")["callers"] if r["kind"] in ("address", "data")])

    def test_pointers_in_data(self):
        """A module's file operations point to its function, and the module is named."""
        for dump in self.dumps:
            rows = [row for row in lab.query(dump, "callers null_ioctl")["callers"] if row["kind"] == "data"]
            self.assertIn(("null_ioctl", "null_fops"), {(row["module"], row["symbol"]) for row in rows})
            self.assertTrue(all(row["tainting"] for row in rows if row["module"] == "null_ioctl"))


class Callees(OnDump):
    def test_direct_calls_as_dis_shows_them(self):
        for dump in self.dumps:
            for name in ("vfs_read", "schedule", "tcp_sendmsg_locked"):
                with self.subTest(dump=str(dump), name=name):
                    answer = lab.query(dump, f"callees {name}")
                    self.assertEqual(json_schema.faults("callees", answer)[:5], [])
                    insns = lab.query(dump, f"dis {name}")["instructions"]
                    shown = {row["address"] for row in insns if re.match(r"call ", row["text"])}
                    found = {row["address"] for row in answer["callees"] if row["kind"] == "call"}
                    start, last = (int(insns[i]["address"], 16) for i in (0, -1))
                    self.assertEqual({a for a in found if start <= int(a, 16) <= last}, shown)
                    for row in answer["callees"]:
                        self.assertTrue(row["indirect"] or row["target"])

    def test_calls_through_a_table_of_functions(self):
        """file->f_op->read() and its like: the member that the pointer was read from."""
        for dump in self.dumps:
            rows = [row for row in lab.query(dump, "callees vfs_read")["callees"] if row["indirect"]]
            self.assertTrue(rows)
            offset = int(lab.query(dump, "p offsetof(struct file_operations, read)")["values"][0]["value"])
            self.assertTrue(any((row["memory"] or "").startswith(f"{offset:#x}(") for row in rows), rows)

    def test_callers_and_callees_agree(self):
        for dump in self.dumps:
            rows = [row for row in lab.query(dump, "callees __fput")["callees"] if row["symbol"] and not row["indirect"] and not row["through"]]
            for row in rows[:3]:
                back = lab.query(dump, f"callers -c {row['target']}")["callers"]
                self.assertIn(row["address"], {r["address"] for r in back}, row)


if __name__ == "__main__":
    unittest.main()
