# SPDX-License-Identifier: LGPL-2.1-or-later
"""Unwinding by debug files in place of ORC, and that the two agree, on every task of every dump."""

import json
import pathlib
import sys
import tempfile
import unittest

import debug_package
import lab

sys.path.insert(0, str(lab.ROOT / "tests" / "tools"))
import damage  # noqa: E402

SERIES = debug_package.SERIES


def stacks(value):
    """What must not depend on how frames were found."""
    return {t["task"]: ([(f["pc"], f["sp"], f["symbol"], f["guess"], f["stack"], f["inlined"]) for f in t["frames"]],
                        t["end"], t.get("user_regs")) for t in value["threads"]}


def interrupted_in_entry_code(stack, entry_text):
    """Was the CPU stopped in the assembly of an exception's entry? No debug file covers that."""
    return any(int(frame[0], 16) in entry_text for frame in stack[0][:1])


def without_entry_code(stack, entry_text):
    """Which of its own functions entry code had called when it was stopped, ORC alone tells."""
    return [frame for frame in stack[0] if int(frame[0], 16) not in entry_text], stack[1]


def stopped_in_assembly(value):
    """The tasks whose CPU was stopped in a function of assembly, such as memset(): no call frame information covers
    that, so that its caller is found by scanning the stack, and is marked as guessed."""
    return {t["task"] for t in value["threads"] if t["frames"] and (t["frames"][0]["file"] or "").endswith(".S")}


def only_places(stack):
    return [frame[:3] for frame in stack[0]]


def interrupted_again(dump, query, target):
    """Writes the dump to @target as if an interrupt had just come to the second CPU, at the first
    instruction of its entry: what the CPU pushes is put on the stack, the notes point there."""
    data = bytearray(dump.vmcore.read_bytes())
    old = damage.cpu_registers(data, 1)
    entry = int(query("sym asm_sysvec_apic_timer_interrupt")["symbols"][0]["address"], 16)
    stack = (old["rsp"] & ~15) - 40
    physical = int(query(f"vtop {stack:x}")["translations"][0]["physical"], 16)
    damage.stop_elsewhere(data, 1, {"rip": entry, "rsp": stack}, physical, [old["rip"], 0x10, 0x246, old["rsp"], 0x18])
    target.write_bytes(data)


class Unwinding(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = debug_package.folder(SERIES)

    def dumps(self):
        # Where the old makedumpfile left holes, what finds the modules' debug files may be in one.
        found = [d for d in lab.dumps(series=SERIES) if d.meta["truncate"] == 100 and not d.holed]
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
                entry_text = range(*(int(self.query(dump, f"sym __entry_text_{end}")["symbols"][0]["address"], 16)
                                     for end in ("start", "end")))
                for task, stack in expected.items():
                    if stack != found[task] and interrupted_in_entry_code(stack, entry_text):
                        stack = without_entry_code(stack, entry_text)
                        found[task] = without_entry_code(found[task], entry_text)
                    elif stack != found[task] and task in stopped_in_assembly(with_orc):
                        stack, found[task] = only_places(stack), only_places(found[task])
                    self.assertEqual(stack, found[task], task)

    def test_out_of_entry_code(self):
        dumps = [d for d in lab.dumps(series=SERIES, capture="qemu-elf") if d.meta.get("vmcoreinfo", True)]
        if not dumps:
            self.skipTest("the lab has no ELF dump")
        dump = dumps[0]
        words = "-k", self.folder, "-m", dump.folder / "modules"
        with tempfile.TemporaryDirectory() as folder:
            vmcore = pathlib.Path(folder) / "vmcore"
            interrupted_again(dump, lambda command: self.query(dump, command), vmcore)
            before = self.query(dump, "bt -c 1")["threads"][0]["frames"]
            for extra in [], ["--no-orc"]:
                run = lab.inquest("--json", "-c", "bt -c 1", *words, *extra, vmcore)
                frames = json.loads(run.stdout)["threads"][0]["frames"]
                self.assertEqual(frames[0]["symbol"], "asm_sysvec_apic_timer_interrupt")
                self.assertFalse(any(f["guess"] for f in frames), extra)
                self.assertEqual([(f["pc"], f["sp"]) for f in frames[1:]], [(f["pc"], f["sp"]) for f in before])

    def test_orc_and_debug_files_agree(self):
        for dump in self.dumps():
            with self.subTest(dump=str(dump)):
                remarks = self.query(dump, "bt --all", "--verify").get("remarks", [])
                self.assertEqual([r["text"] for r in remarks if r["text"].startswith("unwinding:")], [])

    def test_frames_get_the_registers_that_functions_preserve(self):
        for dump in lab.dumps(series=SERIES, name="sysrq", truncate=100):
            with self.subTest(dump=str(dump)):
                frames = self.query(dump, "bt -V")["threads"][0]["frames"]
                write = [f for f in frames if f["symbol"] == "vfs_write" and not f["inlined"]]
                self.assertTrue(write)
                for reg in "rbx", "rbp", "r12", "r13", "r14", "r15":
                    self.assertIn(reg, write[0]["regs"])
                for reg in "rax", "rcx", "rdx", "rsi", "rdi":
                    self.assertNotIn(reg, write[0]["regs"])

    def test_registers_by_machine_code_are_those_of_debug_files(self):
        for dump in lab.dumps(series=SERIES, capture="qemu-elf"):
            with self.subTest(dump=str(dump)):
                by_file = self.query(dump, "bt -V --all")["threads"]
                by_code = lab.query(dump, "bt -V --all", "--no-debuginfo")["threads"]
                known, found = {True: 0, False: 0}, {True: 0, False: 0}
                for one, other in zip(by_file, by_code):
                    pairs = zip([f for f in one["frames"] if not f["inlined"]], other["frames"])
                    for mine, theirs in pairs:
                        known[one["on_cpu"]] += len(mine.get("regs", {}))
                        for reg, value in theirs.get("regs", {}).items():
                            self.assertEqual(mine["regs"].get(reg), value, (one["comm"], mine["symbol"], reg))
                            found[one["on_cpu"]] += 1
                # Machine code alone cannot tell all of those that were stopped anywhere, in their spinning loops.
                self.assertGreater(found[False], known[False] * 0.98)
                self.assertGreater(found[True], known[True] * 0.4)


if __name__ == "__main__":
    unittest.main()
