# SPDX-License-Identifier: LGPL-2.1-or-later
"""struct, p, x, whatis, ptype, dis, sym, eval, ascii, rustfilt and gdb, as crash's and gdb's users type them, on the lab's
scenario "structures": against gdb and nm on the module's file, c++filt, the guest's kallsyms, and what the module's source says."""

import json
import pathlib
import re
import shutil
import struct
import subprocess
import tempfile
import unittest

import gdb_core
import lab
import test_lists

FIELDS = '''
import gdb
def show(name, base, kind):
    for f in kind.fields():
        if f.name is None or f.name == "":
            show(name, base + f.bitpos, f.type)
        else:
            print("FIELD", name, f.name, base + f.bitpos, f.bitsize, f.type.sizeof)
for name in %r:
    kind = gdb.lookup_type(name)
    print("SIZE", name.replace(" ", "_"), kind.sizeof)
    show(name.replace(" ", "_"), 0, kind)
'''


def gdb(*commands, script=None, file=None):
    with tempfile.TemporaryDirectory() as folder:
        words = []
        if script:
            path = pathlib.Path(folder) / "script.py"
            path.write_text(script)
            words = ["-ex", f"source {path}"]
        for command in commands:
            words += ["-ex", command]
        return subprocess.run(["gdb", "-q", "-nx", "-batch", *words, *([file] if file else [])], capture_output=True, text=True, check=False).stdout


class OnModule(test_lists.OnStructures):
    def setUp(self):
        super().setUp()
        for s in self.dumps:
            s.kinds = s.address["*st_kinds"]
            s.ko = s.dump.folder / "modules/structures.ko"

    def text(self, s, line, *words, status=0):
        run = lab.inquest(*words, "-c", line, s.dump.vmcore)
        self.assertEqual(run.returncode, status, f"{line}: {run.stdout} {run.stderr}")
        return run.stdout


class Struct(OnModule):
    @unittest.skipUnless(shutil.which("gdb"), "gdb is not installed")
    def test_layouts_equal_gdbs(self):
        names = ["struct st_kinds", "struct st_item", "struct st_owner", "struct st_pair"]
        for s in self.dumps:
            expected, sizes = {}, {}
            for line in gdb(script=FIELDS % names, file=s.ko).splitlines():
                words = line.split()
                if words and words[0] == "FIELD":
                    expected.setdefault(words[1], []).append((words[2], *map(int, words[3:])))
                elif words and words[0] == "SIZE":
                    sizes[words[1]] = int(words[2])
            values = lab.query(s.dump, "; ".join(f"struct -o {name.split()[1]}" for name in names))["commands"]
            for name, value in zip(names, values):
                ours = value["structs"][0]
                self.assertEqual(ours["size"], sizes[name.replace(" ", "_")])
                # A bit-field's place is that of its first bit.
                rows = [(m["name"], m["offset"] * 8 + (m["bit_offset"] or 0), m["bits"] or 0, m["size"]) for m in ours["members"]]
                theirs = expected[name.replace(" ", "_")]
                self.assertEqual([row[:3] for row in rows], [row[:3] for row in theirs])
                self.assertEqual([row[3] for row in rows if not row[2]], [row[3] for row in theirs if not row[2]])

    VALUES = {"tiny": -7, "low": 5, "high": 17, "small": -300, "negative": -70000, "flags": 0xdeadbeef, "wide": -5000000000, "colour": "ST_GREEN",
              "yes": True, "no": False, "text": "text of 20", "pair.first": 1, "pair.second": -1, "whole": 0x1122334455667788, "inner": 99,
              "odd": -4000000000, "rest": 0x7abcdef0, "count": 4}

    def test_values(self):
        for s, values in self.each(["struct st_kinds {s.kinds:#x}", "st_kinds.pairs[1],half,grid[4],bytes[2],tail[3],pairs[2].second {s.kinds:#x}",
                                    "*st_pair st_array", "union st_kinds.pair {s.kinds:#x}"]):
            members = {m["name"]: m["value"] for m in values[0]["structs"][0]["members"]}
            for name, expected in self.VALUES.items():
                self.assertEqual(members[name], expected, name)
            self.assertEqual(int(members["self"], 16), s.kinds)
            self.assertEqual(int(members["item"], 16), s.item(3))
            self.assertEqual(int(members["nothing"], 16), 0)
            members = {m["name"]: m["value"] for m in values[1]["structs"][0]["members"]}
            self.assertEqual([members[n] for n in ("pairs[1].first", "pairs[1].second", "grid[4]", "bytes[2]", "tail[3]", "pairs[2].second")],
                             [20, -20, -5, 0x66, 1003, -30])
            self.assertEqual(members["half"], "{1432778632, 287454020}")
            self.assertEqual([m["value"] for m in values[2]["structs"][0]["members"]], [100, 0])
            self.assertEqual([m["value"] for m in values[3]["structs"][0]["members"]], [1, -1])

    def test_text(self):
        for s in self.dumps:
            text = self.text(s, f"struct st_kinds {s.kinds:#x}")
            self.assertIn('    label = 0x', text)
            self.assertIn('> "a string\\twith a tab",\n', text)
            self.assertIn("    letter = 120 'x',\n", text)
            self.assertRegex(text, r"call = 0x[0-9a-f]+ <st_call \[structures\]>,\n")
            self.assertRegex(text, rf"item = 0x{s.item(3):x} <st_items\+0x[0-9a-f]+ \[structures\]>")
            self.assertIn("flags = 0xdeadbeef", text)
            self.assertIn("flags = 3735928559", self.text(s, f"struct -d st_kinds {s.kinds:#x}"))
            hexadecimal = self.text(s, f"struct -x st_kinds.tiny,negative,wide {s.kinds:#x}")
            self.assertIn("tiny = 0xf9\n    negative = 0xfffeee90\n    wide = 0xfffffffed5fa0e00\n", hexadecimal)
            self.assertIn("SIZE: 0xd8", self.text(s, "struct st_kinds"))
            self.assertIn("u8 low : 3;", self.text(s, "st_kinds"))
            self.assertRegex(self.text(s, "struct -o st_kinds.wide"), r"\[0x10\] s64 wide;")
            self.assertIn(f"[{s.kinds + 16:#x}] s64 wide;", self.text(s, f"struct -o st_kinds.wide {s.kinds:#x}"))
            self.assertIn(f"[{s.kinds + 0xd0:#x}] u16 count;", self.text(s, f"struct -o st_kinds {s.kinds:#x}"))

    def test_arrays_counts_and_offsets(self):
        lines = ["struct st_pair st_array 3", "struct st_pair -c 2 st_array", "struct st_pair -c -3 {s.third:#x}",
                 "struct st_pair -l 8 {s.inside:#x}", "struct st_pair -l st_pair.second {s.inside:#x}", "struct st_item.id -l st_item.link {s.link:#x}"]
        for s in self.dumps:
            s.third, s.inside = s.address["st_array"] + 48, s.address["st_array"] + 16 + 8
            s.link = s.item(7) + lab.query(s.dump, "struct st_item.link")["structs"][0]["members"][0]["offset"]
        for s, values in self.each(lines):
            firsts = [[o["members"][0]["value"] for o in value["structs"]] for value in values[:6]]
            self.assertEqual(firsts, [[100, 101, 102], [100, 101], [101, 102, 103], [101], [101], [7]])

    def test_cpus(self):
        for s, values in self.each(["struct st_pair st_percpu:a", "struct st_pair st_percpu:1", "st_pair {s.allocated:x}:0-1", "struct st_pair st_percpu:",
                                    "set -p"]):
            for n, column in ((0, 0), (2, 1)):
                found = {o["cpu"]: (int(o["address"], 16), o["members"][0]["value"]) for o in values[n]["structs"]}
                self.assertEqual(found, {cpu: (s.percpu[cpu][column], (500, 600)[column] + cpu) for cpu in s.percpu})
            self.assertEqual([o["cpu"] for o in values[1]["structs"]], [1])
            self.assertEqual(len(values[3]["structs"]), 1)
            crashed = int(re.search(r"in guest.sh \(pid \d+\) on CPU (\d)", self.text(s, "report"))[1])
            self.assertEqual(values[3]["structs"][0]["cpu"], crashed)

    def setUp(self):
        super().setUp()
        for s in self.dumps:
            s.allocated = s.address["*st_allocated"]

    def test_raw_pointers_and_files(self):
        for s in self.dumps:
            raw = lab.query(s.dump, f"struct -r st_pair {s.address['st_array'] + 16:#x}")["structs"][0]["memory"]
            self.assertEqual([int(w, 16) for w in raw[0]["values"]], [101, 2 ** 32 - 1])
            pointed = lab.query(s.dump, f"struct -p st_kinds.item,self,label {s.kinds:#x}")["structs"]
            self.assertEqual([o.get("pointed_by") for o in pointed], [None, "item", "self", "label"])
            self.assertEqual(pointed[1]["members"][0]["value"], 3)
            self.assertEqual(int(pointed[2]["address"], 16), s.kinds)
            # The head of the file, as an ELF header.
            values = lab.query(s.dump, "struct -f elf64_hdr 0")["structs"][0]["members"]
            header = {m["name"]: m["value"] for m in values}
            with s.dump.vmcore.open("rb") as file:
                expected = struct.unpack("<HHIQQQIHHHHHH", file.read(64)[16:])
            names = "e_type e_machine e_version e_entry e_phoff e_shoff e_flags e_ehsize e_phentsize e_phnum e_shentsize e_shnum e_shstrndx"
            self.assertEqual(tuple(header[name] for name in names.split()), expected)
            run = lab.inquest("-c", "struct -f elf64_hdr 0xffffffffffffff", s.dump.vmcore)
            self.assertIn("the file has", run.stderr)

    def test_errors(self):
        for line, words in (("struct nosuch", "is called nosuch"), ("struct st_pair.third", "has no member third"), ("struct -p st_pair st_array", "-p needs members"),
                            ("struct -u -f st_pair 0", "neither with -u"), ("st_pair nowhere", "neither an address"), ("struct", "which struct")):
            run = lab.inquest("-c", line, self.dumps[0].dump.vmcore)
            self.assertEqual(run.returncode, 1)
            self.assertIn(words, run.stderr)

    def test_user_memory(self):
        for dump in lab.dumps(name="sysrq", capture="kdump-elf")[:1] + lab.dumps(name="sysrq", capture="qemu-elf")[:2]:
            start = (dump.oracle / "tasks/1/maps").read_text().split("-")[0]
            values = lab.query(dump, f"set 1; struct -u elf64_hdr 0x{start}; x/4xb 0x{start}")["commands"]
            header = {m["name"]: m["value"] for m in values[1]["structs"][0]["members"]}
            if header["e_machine"] is not None:
                self.assertEqual(header["e_machine"], 62)


class Print(OnModule):
    @unittest.skipUnless(shutil.which("gdb"), "gdb is not installed")
    def test_letters_equal_gdbs(self):
        expressions = ["10", "-70000", "(char)-1", "(short)-300", "65", "0", "3735928559", "(unsigned char)200", "1234567890123", "'A'"]
        letters = "xdotuzc"
        s = self.dumps[0]
        commands = [f"p/{letter} {e}" for letter in letters for e in expressions]
        theirs = [line.split(" = ", 1)[1] for line in gdb(*commands).splitlines()]
        run = self.text(s, "; ".join(commands))
        ours = [line.split(" = ", 1)[1] for line in run.splitlines() if " = " in line]
        self.assertEqual(len(theirs), len(commands))
        self.assertEqual(dict(zip(commands, ours)), dict(zip(commands, theirs)))

    def test_variables_by_debug_info(self):
        for s in self.dumps:
            words = ("-m", s.dump.folder / "modules")
            lines = {"p st_negative": "st_negative = -12345", "px st_negative": "st_negative = 0xffffcfc7", "print/x st_negative": "st_negative = 0xffffcfc7",
                     "p st_kinds->pairs[1].second": "st_kinds->pairs[1].second = -20", "p sizeof(st_items)/sizeof(*st_items)": "= 256",
                     "p st_array[5].first + st_array[1].second": "= 104", "p st_kinds->call": "<st_call [structures]>", "p st_text": '"a string\\twith a tab"',
                     "p st_percpu:1.first": "= 501", "p -d st_kinds->flags": "= 3735928559", "p st_percpu:a": "[CPU 1] st_percpu:a = struct st_pair {",
                     "p (st_kinds->colour == ST_GREEN) && !(st_kinds->tiny > 0)": "= 1", "p/c st_kinds->letter": "= 120 'x'",
                     "p/a st_kinds->item": "<st_items+0x", "ptype st_kinds->self": "u16 tail[];\n}\nSIZE: 0xd8\ntype = struct st_kinds *", "ptype st_negative": "type = int",
                     "ptype/o st_kinds": "[0xd2] u16 tail[];\n}\nSIZE: 0xd8\ntype = struct st_kinds *", "ptype struct st_pair *": "type = struct st_pair *", "ptype st_array": "int second;\n}\nSIZE: 0x10\ntype = struct st_pair [6]", "ptype st_call": "int st_call(struct st_kinds *kinds, const char *text);", "ptype struct st_pair": "u64 first;", "whatis st_kinds->call": "type = int (*)(struct st_kinds *, const char *)",
                     "whatis st_array": "struct st_pair st_array[6];", "gdb print/t 5": "= 101", "output 6*7": "= 42"}
            out = self.text(s, "; ".join(lines), *words)
            parts = dict(zip(lines, re.split(r"(?m)^inquest> .*\n", out)[1:]))
            for line, expected in lines.items():
                self.assertIn(expected, parts[line], line)

    def test_types_that_are_not_known_are_said_to_be(self):
        run = lab.inquest("--no-debuginfo", "-c", "p st_negative", self.dumps[0].dump.vmcore)
        self.assertIn("its type is not known; say it", run.stderr)
        self.assertIn("= -12345", self.text(self.dumps[0], "p *(int *)&st_negative", "--no-debuginfo"))


class Examine(OnModule):
    FORMATS = ["x/8xg", "x/3xw", "x/16xb", "x/5xh", "x/4dw", "x/8db", "x/3dg", "x/4uh", "x/2ug", "x/4ow", "x/9ob", "x/3tb", "x/2th", "x/2tw", "x/1tg", "x/12c",
               "x/3a", "x/2zg", "x/4zb", "x/3dh", "x/2og"]

    @unittest.skipUnless(shutil.which("gdb"), "gdb is not installed")
    def test_formats_equal_gdbs(self):
        s = self.dumps[0]
        start = s.kinds & ~15
        data = gdb_core.memory(s.dump, start, 512)
        with tempfile.TemporaryDirectory() as folder:
            core = pathlib.Path(folder) / "core"
            gdb_core.write_core(core, {}, [(start, data)])
            lines = [f"{f} {s.kinds:#x}" for f in self.FORMATS] + [f"x/3s {s.kinds + 0x1f:#x}"]
            theirs = {}
            for line in lines:
                out = gdb(f"core-file {core}", line).splitlines()
                theirs[line] = [self.split(row) for row in out if re.match(r"0x[0-9a-f]+:\t", row)]
        out = self.text(s, "; ".join(lines))
        ours = {line: [self.split(re.sub(r" <[^>]*>", "", row)) for row in part.splitlines() if row.startswith("0x")]
                for line, part in zip(lines, re.split(r"(?m)^inquest> .*\n", out)[1:])}
        for line in lines:
            self.assertEqual(ours[line], theirs[line], line)

    @staticmethod
    def split(row):
        address, _, rest = row.partition(":")
        return address, " ".join(rest.split())

    def test_instructions_and_names(self):
        for s in self.dumps:
            code = lab.query(s.dump, "x/6i st_call")["memory"]
            dis = lab.query(s.dump, "dis st_call 6")["instructions"]
            self.assertEqual([(r["address"], r["values"][0]) for r in code], [(r["address"], r["text"]) for r in dis])
            self.assertEqual([r["symbol"] for r in code], ["st_call"] * 6)
            first = [int(m["address"], 16) for line in ("st_bytes + 4", "st_bytes+4", "st_bytes +8 - 4") for m in lab.query(s.dump, f"x/xb {line}")["memory"]]
            self.assertEqual(set(first), {int(lab.query(s.dump, "sym st_bytes")["symbols"][0]["address"], 16) + 4})
            self.assertRegex(self.text(s, "x st_bytes; x/g st_bytes; x/2b st_bytes"), "(?s)0x33221100\n.*0x7766554433221100\n.*0x00 0x11\n")
            self.assertIn("<st_text [structures]>:", self.text(s, "x/s st_text"))
            self.assertIn("0: not mapped", self.text(s, "x/2x 0", status=1))

    def test_characters_of_larger_units(self):
        """gdb shows the first byte of each, and so do the numbers in JSON."""
        for s in self.dumps:
            line = "x/3ch st_text"
            shown = [int(number) for number in re.findall(r"(-?\d+) '", self.text(s, line))]
            self.assertEqual(lab.query(s.dump, line)["memory"][0]["values"], shown)

    def test_errors(self):
        for line, words in (("x", "which address"), ("x/q 0", "no format"), ("x/9999999x st_text", "at most"), ("x/99999999999x st_text", "at most"),
                            ("x/x nowhere", "neither")):
            self.assertIn(words, lab.inquest("-c", line, self.dumps[0].dump.vmcore).stderr)


class WhatIs(OnModule):
    def test_searches(self):
        for s, values in self.each(["whatis -m st_pair", "whatis -r 16 -m st_pair", "whatis -m st_pai", "whatis -r 216 -m st_item", "whatis -o st_pair", "whatis -m xarray"]):
            self.assertEqual([(t["type"], t["members"]) for t in values[0]["types"]], [("struct st_kinds", "pair, pairs")])
            self.assertIn("no struct or union is like that", str(values[1]["remarks"]))
            self.assertEqual([t["type"] for t in values[2]["types"]], ["struct st_kinds"])
            self.assertEqual([(t["type"], t["members"]) for t in values[3]["types"]], [("struct st_kinds", "item")])
            self.assertIn("[0x8] int second;", values[4]["whatis"]["definition"])
            self.assertIn(("struct st_owner", "array"), [(t["type"], t["members"]) for t in values[5]["types"]])
            # Members of structs inside count, with the way to them.
            inside = {t["type"]: t["members"] for t in values[5]["types"]}
            self.assertIn("i_pages", inside["struct address_space"])
            self.assertIn("i_data.i_pages", inside["struct inode"])


    def test_words(self):
        """Each counts, or is said to be none."""
        for s, values in self.each(["whatis -m long unsigned int", "whatis -m long", "whatis -m long no such"]):
            self.assertIn("task_struct", str(values[0]["types"]))
            self.assertEqual(values[2]["types"], [])
        for line in "whatis -r 192 list_head", "swap list_head":
            self.assertIn("unexpected word: list_head", lab.inquest("-c", line, self.dumps[0].dump.vmcore).stderr)


class Sym(OnModule):
    def kallsyms(self, s):
        rows = [line.split() for line in (s.dump.oracle / "proc/kallsyms").read_text().splitlines()]
        return [(int(r[0], 16), r[1], r[2]) for r in rows if r[-1] == "[structures]"]

    def test_modules_and_neighbours(self):
        for s, values in self.each(["sym -m structures", "sym -M", "sym -np st_say_ids", "sym -p st_say_ids", "sym -n st_say_ids+4", "sym -q st_say_", "sym -l"]):
            expected = self.kallsyms(s)
            ours = [(int(r["address"], 16), r["type"], r["name"]) for r in values[0]["symbols"]]
            # The guest's are from before the init section went; their order is by name or place.
            # Its own notes and constants are no names that anybody asks for.
            left_out = {r for r in expected if r not in ours}
            self.assertLessEqual(set(ours), set(expected))
            self.assertFalse([r for r in left_out if not re.match(r"\.|_note|init_module|trigger_init|__pfx_", r[2])])
            self.assertTrue({r["module"] for r in values[1]["symbols"]} >= {"structures"})
            text = sorted((a, n) for a, _, n in expected)
            at = [n for _, n in text].index("st_say_ids")
            names = [r["name"] for r in values[2]["symbols"]]
            self.assertEqual(names, [text[at - 1][1], "st_say_ids", text[at + 1][1]])
            self.assertEqual([r["name"] for r in values[3]["symbols"]], names[:2])
            self.assertEqual([(r["name"], r["offset"]) for r in values[4]["symbols"]], [("st_say_ids", 4), (names[2], 0)])
            self.assertEqual({r["name"] for r in values[5]["symbols"]} & {n for _, _, n in expected}, {n for _, _, n in expected if "st_say_" in n})
            self.assertGreater(len(values[6]["symbols"]), 50000)

    def test_lines(self):
        for s in self.dumps:
            symbol = lab.query(s.dump, "sym st_call", "-m", s.dump.folder / "modules")["symbols"][0]
            source = (lab.ROOT / "lab/scenarios/structures/module/structures.c").read_text().splitlines()
            self.assertTrue(symbol["file"].endswith("structures.c"))
            self.assertIn("static int st_call(", source[symbol["line"] - 1] + source[symbol["line"] - 2])


class Dis(OnModule):
    @unittest.skipUnless(shutil.which("objdump"), "objdump is not installed")
    def test_listing_and_code(self):
        for s in self.dumps:
            words = ("-m", s.dump.folder / "modules", "--source", lab.ROOT)
            listing = lab.query(s.dump, "dis -s st_call", *words)["source"]
            source = (lab.ROOT / "lab/scenarios/structures/module/structures.c").read_text().splitlines()
            first = next(i for i, line in enumerate(source, 1) if line.startswith("static int st_call("))
            self.assertTrue(listing["file"].endswith("structures.c"))
            self.assertIn(listing["line"], (first, first + 1))
            numbers = [int(line.lstrip(">").split()[0]) for line in listing["text"]]
            self.assertEqual((numbers[0], numbers[-1]), (listing["line"] - 5, first + 3))
            self.assertEqual([line[0] for line in listing["text"] if int(line.lstrip(">").split()[0]) == listing["line"]], [">"])
            counted = lab.query(s.dump, "dis -s st_call 1", *words)["source"]["text"]
            self.assertEqual(int(counted[-1].lstrip(">").split()[0]), listing["line"] + 1)
            self.assertIn("no debug info", lab.inquest("--no-debuginfo", "-c", "dis -s st_call", s.dump.vmcore).stderr)
            both = self.text(s, "dis -ls st_call", *words)
            self.assertIn("return kinds->tiny + text[0];", both)
            self.assertIn("no bytes are left out", self.text(s, "dis -b"))
            code = [(int(r["address"], 16), r["text"]) for r in lab.query(s.dump, "dis -b 3 st_end")["instructions"]]
            at = [text for _, text in code].index("ud2")
            self.assertEqual(code[at + 1][0] - code[at][0], 2 + 3)
            # The file's instructions of the function are the dump's, but for what is patched at its start.
            run = subprocess.run(["objdump", "-d", "--no-show-raw-insn", "--disassemble=st_call", s.ko], capture_output=True, text=True, check=True)
            theirs = [line.split("\t", 1)[1].split() for line in run.stdout.splitlines() if re.match(r"\s+[0-9a-f]+:\t", line)]
            ours = [r["text"].split() for r in lab.query(s.dump, "dis st_call")["instructions"]]
            self.assertEqual([t[:2] for t in ours[2:4]], [t[:2] for t in theirs[2:4]])


class Small(unittest.TestCase):
    """What needs no dump, or hardly."""

    def test_eval(self):
        found = lab.dumps(name="structures", capture="qemu-elf")
        if not found:
            self.skipTest("the lab has no structures dump")
        dump, mask = found[0], 2 ** 64 - 1
        address = {r["name"]: int(r["address"], 16) for r in lab.query(dump, "sym jiffies _stext init_task")["symbols"]}
        cases = {"128m": 128 << 20, "128 * 1m": 128 << 20, "(1 << 32)": 1 << 32, "-b 41dc065": 0x41dc065, "-lb 64g": 64 << 30, "-l 3k": 3072, "2 | 4": 6,
                 "7 ^ 2": 5, "10 % 3": 1, "100 / 7": 14, "~1": ~1 & mask, "-5": -5 & mask, "(~0xfff & 12345)": 12288, "deadbeef & 0xff": 0xef,
                 "ffff % 3": 0xffff % 3, "abc": 0xabc, "10": 10, "0x10 >> 2": 4, "4K + 1M + 1G": 4096 + (1 << 20) + (1 << 30), "jiffies": address["jiffies"],
                 "jiffies + 8": address["jiffies"] + 8, "jiffies - _stext": address["jiffies"] - address["_stext"], "(_stext)": address["_stext"],
                 "1 << 63": 1 << 63, "init_task & ~0xfff": address["init_task"] & ~0xfff, "sizeof(struct list_head) * 2": 32, "!0": 1, "1 ? 5 : 6": 5}
        values = lab.query(dump, "; ".join(f"eval {text}" for text in cases))["commands"]
        for (text, expected), value in zip(cases.items(), values):
            self.assertEqual(value["eval"]["unsigned"], expected, text)
            self.assertEqual(int(value["eval"]["hexadecimal"], 16), expected)
            self.assertEqual(int(value["eval"]["octal"], 8), expected)
            self.assertEqual(int(value["eval"]["binary"], 2), expected)
            self.assertEqual(value["eval"]["decimal"], expected - (expected >> 63 << 64))
        self.assertEqual(values[3]["eval"]["bits"], [b for b in range(63, -1, -1) if 0x41dc065 >> b & 1])
        self.assertEqual(values[4]["eval"]["bits"], [36])
        text = lab.inquest("-c", "eval 128m", dump.vmcore).stdout
        self.assertIn("hexadecimal: 8000000  (128MB)", text)

    def test_ascii(self):
        value = lab.inquest("--json", "-c", "ascii 62696c2f7273752f 0x41 4100000000")
        rows = json.loads(value.stdout)["values"]
        self.assertEqual([row["text"] for row in rows], ["/usr/lib", "A", "....A"])
        self.assertIn("62696c2f7273752f: /usr/lib", lab.inquest("-c", "ascii 62696c2f7273752f").stdout)
        chart = json.loads(lab.inquest("--json", "-c", "ascii").stdout)["characters"]
        self.assertEqual([row["code"] for row in chart], list(range(128)))
        for row in chart:
            if 32 < row["code"] < 127:
                self.assertEqual(row["name"], chr(row["code"]))
        names = dict(enumerate("NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US SP".split()))
        self.assertEqual({row["code"]: row["name"] for row in chart if row["code"] <= 32}, names)
        self.assertIn("DEL", lab.inquest("-c", "ascii").stdout)
        self.assertEqual(lab.inquest("-c", "ascii xyz").returncode, 1)

    @unittest.skipUnless(shutil.which("c++filt"), "c++filt is not installed")
    def test_rust_names_equal_cxxfilts(self):
        names = ["_RNvNtCshc5sK6KjdJJ_6kernel5print11call_printk", "_RINvNtC3std3mem8align_ofNtNtC3std3mem12DiscriminantE", "_RNvC6_123foo3bar",
                 "_RNCNCNgCs6DXkGYLi8lr_2cc5spawn00B5_", "_RMCs4fqI2P2rA04_13const_genericINtB0_8UnsignedKhb_E", "_RNvXs_C3fooNtB4_3BarNtB4_3Baz3qux",
                 "_RINvC3foo3barTTjEAhj4_SQtPlOuzEE", "_RINvC3foo3barFG_KCRL0_hEuE", "_ZN4core3fmt9Formatter3pad17h0123456789abcdefE",
                 "_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$3bar17h05af221e174051e9E", "no_rust_at_all"]
        run = subprocess.run(["c++filt", "-s", "rust", "-i"], input="\n".join(names), capture_output=True, text=True, check=True)
        value = json.loads(lab.inquest("--json", "-c", "rustfilt " + " ".join(names)).stdout)
        self.assertEqual([row["name"] or row["symbol"] for row in value["names"]], run.stdout.split("\n"))
        self.assertIsNone(value["names"][-1]["name"])

    def test_gdb(self):
        found = lab.dumps(name="structures", capture="qemu-elf")
        if not found:
            self.skipTest("the lab has no structures dump")
        run = lab.inquest("-c", "gdb p 6*7; gdb x/2xb st_bytes; gdb disassemble st_call; gdb ptype struct st_pair; gdb whatis st_call; gdb backtrace", found[0].vmcore)
        self.assertEqual(run.returncode, 0, run.stderr)
        for words in ("6*7 = 42", "0x00 0x11", "<st_call [structures]>:", "u64 first;", "int st_call(struct st_kinds *kinds", "st_end+0x"):
            self.assertIn(words, run.stdout)
        self.assertIn("there is no gdb in here", lab.inquest("-c", "gdb maintenance info", found[0].vmcore).stderr)


if __name__ == "__main__":
    unittest.main()
