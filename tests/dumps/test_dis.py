# SPDX-License-Identifier: LGPL-2.1-or-later
"""dis: its texts against objdump's, of a whole stretch of vmlinux and of functions in a dump; what
was patched; the marks; the bounds."""

import functools
import random
import re
import subprocess
import unittest

import debug_package
import lab

FUNCTIONS = 50
STRETCH = 0x20000  # bytes of vmlinux, at several places


def objdump(path, start, stop):
    """(address, bytes, text without remarks, address named in the remark or None) of each instruction."""
    run = subprocess.run(["objdump", "-dw", f"--start-address={start}", f"--stop-address={stop}", path],
                         capture_output=True, text=True, check=True)
    for line in run.stdout.splitlines():
        match = re.match(r"\s*([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s*\t(.*)", line)
        if match:
            named = re.search(r"#\s*(?:0x)?([0-9a-f]+)", match[3])
            yield int(match[1], 16), match[2].replace(" ", ""), match[3], named and int(named[1], 16)


def plain(text):
    """Without remarks, names and runs of blanks; targets of branches with 0x."""
    text = re.sub(r"\s*<[^>]*>", "", re.sub(r"\s*#.*", "", text))
    text = re.sub(r"((?:call|jmp|loop\w*|xbegin|j\w+)(?:,p[nt])?)\s+([0-9a-f]{6,16})$", r"\1 0x\2", text)
    return re.sub(r"\s+", " ", text).strip()


class Case(unittest.TestCase):
    def setUp(self):
        self.vmlinux = debug_package.vmlinux("6.1")

    def dump(self):
        for dump in lab.dumps(series="6.1", name="sysrq", capture="kdump", truncate=100, paging=4):
            return dump
        self.skipTest("the lab has no sysrq dump of 6.1")


@functools.lru_cache
def functions(vmlinux):
    """(address, size, name) of vmlinux' functions that have a name of their own."""
    rows = subprocess.run(["nm", "-S", vmlinux], capture_output=True, text=True, check=True).stdout.splitlines()
    found = {}
    for row in (r.split() for r in rows):
        if len(row) == 4 and row[2] in "tT" and 0x100 <= int(row[1], 16) <= 0x1000:
            found.setdefault(row[3], []).append((int(row[0], 16), int(row[1], 16), row[3]))
    return [entries[0] for entries in found.values() if len(entries) == 1]


class Texts(Case):
    def test_stretches_of_vmlinux(self):
        seen, wrong = 0, []
        for start, *_ in sorted(random.Random(1).sample(functions(self.vmlinux), 4)):
            # The last ones may be cut by the end of the stretch.
            rows = list(objdump(self.vmlinux, start, start + STRETCH))[:-15]
            lines = "".join(f"{address:x} {code}\n" for address, code, *_ in rows)
            run = subprocess.run([lab.BUILD / "tests" / "format_code"], input=lines, capture_output=True, text=True,
                                 check=True)
            for (_, code, text, _), line in zip(rows, run.stdout.splitlines(), strict=True):
                ours = plain(line.split(" ", 1)[1])
                seen += 1
                if ours != plain(text):
                    wrong.append((code, plain(text), ours))
        self.assertGreater(seen, 50_000)
        self.assertEqual(wrong[:20], [])


class OnDump(Case):
    def normal(self, text, slide):
        """With addresses of the image as they were linked; distances to data are in the remarks."""
        def linked(match):
            value = int(match[0], 16) % 2**64
            return hex(value - slide if self.low <= value < self.low + (1 << 30) else value)
        text = re.sub(r"-?0x[0-9a-f]+\(%rip\)", "(%rip)", plain(text))
        return re.sub(r"-?0x[0-9a-f]+", linked, text)

    def remark(self, text):
        named = re.search(r"# 0x([0-9a-f]+)", text)
        value = named and int(named[1], 16)
        return value - self.slide if value and value >= self.low else value

    def compare(self, row, wanted):
        _, code, text, named = wanted
        if row["file_text"] is None:
            self.same += 1
            pair = (self.normal(text, 0), self.normal(row["text"], self.slide))
            if len(code) != len(row["bytes"]) or pair[0] != pair[1]:
                self.wrong.append((row["symbol"], row["offset"], *pair))
            if named is not None and self.remark(row["text"]) != named:
                self.wrong.append((row["symbol"], row["offset"], named, row["text"]))
        else:
            self.patched += 1
            if row["bytes"] == code:
                self.wrong.append((row["symbol"], row["offset"], "is not patched", code))
            pair = (self.normal(text, 0), self.normal(row["file_text"], self.slide))
            if pair[0] != pair[1]:
                self.wrong.append((row["symbol"], row["offset"], *pair))

    def test_functions_of_a_dump(self):
        dump = self.dump()
        chosen = random.Random(2).sample(functions(self.vmlinux), FUNCTIONS)
        rows = subprocess.run(["nm", self.vmlinux], capture_output=True, text=True, check=True).stdout
        linked = int(re.search(r"(?m)^([0-9a-f]+) T _text$", rows)[1], 16)
        self.low = int(lab.query(dump, "sym _text")["symbols"][0]["address"], 16)
        self.slide = self.low - linked
        self.wrong, self.same, self.patched = [], 0, 0
        line = "; ".join(f"dis {name}" for *_, name in chosen)
        entries = lab.query(dump, line, "-k", self.vmlinux)["commands"]
        compared = 0
        for (start, size, name), entry in zip(chosen, entries, strict=True):
            found = {int(r["address"], 16) - self.slide: r for r in entry.get("instructions", [])}
            if start not in found:
                continue  # freed after boot: .init.text
            compared += 1
            wanted = {row[0]: row for row in objdump(self.vmlinux, start, start + size)}
            for address, row in found.items():
                if address in wanted:
                    self.compare(row, wanted[address])
            # Whatever the file has is there, or was patched over.
            lost = [hex(a) for a in wanted if a not in found and a <= max(found) and
                    not any(r["file_text"] for b, r in found.items() if abs(b - a) < 32)]
            self.assertEqual(lost, [], name)
        self.assertGreater(compared, FUNCTIONS / 2)
        self.assertEqual(self.wrong[:20], [])
        self.assertGreater(self.same, 4000)
        self.assertGreater(self.patched, 100)

    def test_nothing_is_called_patched_without_a_file(self):
        rows = lab.query(self.dump(), "dis schedule", "--no-debuginfo")["instructions"]
        self.assertEqual({r["file_text"] for r in rows}, {None})

    def test_a_module_is_compared_through_its_relocations(self):
        for dump in lab.dumps(series="6.1", name="null-ioctl", capture="kdump", truncate=100):
            break
        else:
            self.skipTest("the lab has no null-ioctl dump of 6.1")
        rows = lab.query(dump, "dis session_account", "-m", dump.folder / "modules")["instructions"]
        patched = {r["offset"]: r["file_text"] for r in rows if r["file_text"]}
        self.assertEqual(patched.pop(0), "call <__fentry__>")
        self.assertEqual(set(patched.values()), {"jmp <__x86_return_thunk>"})


class Marks(unittest.TestCase):
    def test_the_fault_and_the_calls_are_marked(self):
        done = 0
        function = "channel_store"
        for dump in lab.dumps(name="null-ioctl", truncate=100):
            with self.subTest(dump=str(dump)):
                frames = lab.query(dump, "bt", "--no-debuginfo")["threads"][0]["frames"]
                at = next(f for f in frames if f["symbol"] == function)
                rows = lab.query(dump, f"dis {function}")["instructions"]
                marked = [r for r in rows if r["frame"] is not None]
                self.assertEqual([(r["address"], r["frame"]) for r in marked], [(at["pc"], at["level"])])
                caller = frames[at["level"] + 1]
                last = lab.query(dump, f"dis -r {caller['pc']} 2")["instructions"]
                self.assertEqual(last[-1]["address"], caller["pc"])
                self.assertEqual(last[0]["frame"], caller["level"])
                self.assertTrue(last[0]["text"].startswith("call"))
                done += 1
        if not done:
            self.skipTest("the lab has no null-ioctl dump")

    def test_bugs_tell_their_line(self):
        for dump in lab.dumps(name="bug-spinning", truncate=100):
            fault = lab.query(dump, "report")
            evidence = [e["command"] for f in fault["findings"] for e in f["evidence"]] if "findings" in fault else []
            commands = [c for c in evidence if c and c.startswith("dis ")]
            self.assertTrue(commands, fault.keys())
            rows = lab.query(dump, commands[0])["instructions"]
            self.assertEqual(rows[-1]["text"], "ud2")
            self.assertRegex(rows[-1]["bug"], r"^\S+\.[ch]:\d+$")
            return
        self.skipTest("the lab has no bug-spinning dump")


class Bounds(Case):
    def test_reverse_forward_and_count(self):
        dump = self.dump()
        every = lab.query(dump, "dis schedule")["instructions"]
        middle = every[len(every) // 2]
        forward = lab.query(dump, f"dis -f {middle['address']}")["instructions"]
        reverse = lab.query(dump, f"dis -r {middle['address']}")["instructions"]
        self.assertEqual([r["address"] for r in reverse + forward[1:]], [r["address"] for r in every])
        self.assertEqual(lab.query(dump, "dis schedule 7")["instructions"], every[:7])
        self.assertEqual(lab.query(dump, f"dis {middle['address']}")["instructions"], [middle])
        self.assertEqual(lab.query(dump, f"dis -r {middle['address']} 3")["instructions"], reverse[-3:])
        self.assertNotEqual(every[-1]["text"], "int3")

    def test_an_address_inside_an_instruction_is_said(self):
        dump = self.dump()
        rows = lab.query(dump, "dis schedule")["instructions"]
        long = next(r for r in rows if len(r["bytes"]) > 4)
        run = lab.query(dump, f"dis -r {int(long['address'], 16) + 1:x}")
        self.assertEqual(run["instructions"][-1]["address"], long["address"])
        self.assertIn("no instruction begins", run["remarks"][0]["text"])

    def test_holes_and_usage(self):
        dump = self.dump()
        self.assertIn("not mapped", lab.inquest("-c", "dis ffff800000000000", dump.vmcore).stdout)
        for line, words in (("dis", "usage: dis"), ("dis -r -f schedule", "not both"), ("dis nosuch", "nosuch"),
                            ("dis -r ffff800000000000", "which function"), ("dis -b 1000 schedule", "at most"),
                            ("dis schedule x", "not a number")):
            with self.subTest(line=line):
                run = lab.inquest("-c", line, dump.vmcore)
                self.assertEqual(run.returncode, 1)
                self.assertIn(words, run.stderr)


class User(unittest.TestCase):
    def test_code_of_the_current_task(self):
        whole = [dump for capture in ("kdump-all", "qemu-all", "qemu-elf")
                 for dump in lab.dumps(name="sysrq", capture=capture, truncate=100)]
        for dump in whole:
            thread = lab.query(dump, "bt")["threads"][0]
            if "user_regs" not in thread:
                continue
            pc = int(thread["user_regs"]["rip"], 16)
            rows = lab.query(dump, f"dis -u {pc - 2:x} 3").get("instructions", [])
            if not rows:
                continue
            # A system call was its last instruction.
            self.assertEqual(rows[0]["text"], "syscall")
            self.assertIsNone(rows[0]["symbol"])
            return
        self.skipTest("no dump with user pages")


if __name__ == "__main__":
    unittest.main()
