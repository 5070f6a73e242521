# SPDX-License-Identifier: LGPL-2.1-or-later
"""Damaged debug files: an error that names the file, or nothing; the dump's own answers stay."""

import mmap
import pathlib
import random
import re
import shutil
import struct
import subprocess
import tempfile
import unittest

import debug_package
import lab

# What only debug info adds, or may find a better way to.
ADDED = ("file", "line", "inlined", "how")
SECONDS_MAX = 20


def sections(data):
    """{name: (offset, size)} of a little-endian 64-bit ELF file."""
    shoff, = struct.unpack_from("<Q", data, 0x28)
    shentsize, shnum, shstrndx = struct.unpack_from("<HHH", data, 0x3a)
    headers = [struct.unpack_from("<IIQQQQIIQQ", data, shoff + i * shentsize) for i in range(shnum)]
    names = headers[shstrndx]
    found = {}
    for header in headers:
        start = names[4] + header[0]
        found[bytes(data[start:data.find(b"\0", start)]).decode()] = (header[4], header[5] if header[1] != 8 else 0)
    return found


class Module(unittest.TestCase):
    """Damage done to a small .ko of the lab, at each place that can be reached."""

    @classmethod
    def setUpClass(cls):
        found = lab.dumps(series="6.1", name="null-ioctl", truncate=100)
        if not found:
            raise unittest.SkipTest("the lab has no null-ioctl dump")
        cls.dump = found[0]
        cls.good = (cls.dump.folder / "modules" / "null_ioctl.ko").read_bytes()
        cls.where = sections(cls.good)
        cls.expected = cls.rows(lab.query(cls.dump, "bt", "--no-debuginfo"))

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.file = self.folder / "null_ioctl.ko"

    @staticmethod
    def rows(value):
        return [{k: v for k, v in row.items() if k not in ADDED}
                for thread in value["threads"] for row in thread["frames"] if not row["inlined"]]

    def bt(self, data):
        self.file.write_bytes(data)
        value = lab.query(self.dump, "bt", "-m", self.folder, "--force")
        self.assertEqual(self.rows(value), self.expected)
        return value

    def remarks(self, value):
        return " ".join(r["text"] for r in value.get("remarks", []))

    def lines(self, value):
        return [row["line"] for thread in value["threads"] for row in thread["frames"] if row["module"] == "null_ioctl"]

    def test_the_whole_file_gives_lines(self):
        self.assertTrue(all(self.lines(self.bt(self.good))))

    def test_cut_off(self):
        for size in [1, 63, 64, 100, *range(1000, len(self.good), len(self.good) // 40), len(self.good) - 1]:
            with self.subTest(size=size):
                value = self.bt(self.good[:size])
                self.assertIn("null_ioctl.ko", self.remarks(value))

    def test_bytes_of_each_section_overwritten(self):
        names = [n for n in self.where if n.startswith(".debug") or n.startswith(".rela.debug")] + [".symtab", ".strtab"]
        for name in names:
            start, size = self.where[name]
            for seed in range(12):
                with self.subTest(section=name, seed=seed):
                    rng = random.Random(f"{name} {seed}")
                    data = bytearray(self.good)
                    for _ in range(1 << rng.randrange(8)):
                        data[start + rng.randrange(size)] = rng.choice((0, 1, 0x7f, 0x80, 0xff, rng.randrange(256)))
                    self.bt(data)

    def test_sections_zeroed_or_filled(self):
        for name in (".debug_info", ".debug_abbrev", ".debug_line", ".debug_aranges", ".debug_rnglists", ".debug_str",
                     ".debug_line_str", ".rela.debug_info", ".debug_frame"):
            for value in (0, 0xff):
                with self.subTest(section=name, value=value):
                    start, size = self.where[name]
                    self.bt(self.good[:start] + bytes([value]) * size + self.good[start + size:])

    def test_a_damaged_unit_names_the_file(self):
        start, size = self.where[".debug_abbrev"]
        value = self.bt(self.good[:start] + b"\xff" * size + self.good[start + size:])
        self.assertRegex(self.remarks(value), r"null_ioctl\.ko: .*damaged")
        self.assertFalse(any(self.lines(value)))

    def test_section_headers_overwritten(self):
        shoff, = struct.unpack_from("<Q", self.good, 0x28)
        for seed in range(80):
            with self.subTest(seed=seed):
                rng = random.Random(seed)
                data = bytearray(self.good)
                at = shoff + rng.randrange((len(data) - shoff) // 8) * 8
                struct.pack_into("<Q", data, at, rng.choice((0, 1 << 63, (1 << 64) - 1, len(data), rng.randrange(1 << 32))))
                self.bt(data)

    def attributes(self, name):
        """[(offset in .debug_info of the attribute, of its entry)] of an attribute with a reference."""
        run = subprocess.run(["readelf", "--debug-dump=info", self.dump.folder / "modules" / "null_ioctl.ko"],
                             capture_output=True, text=True, check=True)
        entry, found = 0, []
        for line in run.stdout.splitlines():
            if match := re.match(r" *<[0-9a-f]+><([0-9a-f]+)>: Abbrev", line):
                entry = int(match[1], 16)
            elif match := re.match(rf" *<([0-9a-f]+)> +{name} +: <0x", line):
                found.append((int(match[1], 16), entry))
        return found

    def test_entries_that_lead_to_themselves(self):
        start = self.where[".debug_info"][0]
        for name in ("DW_AT_sibling", "DW_AT_abstract_origin", "DW_AT_type"):
            data, places = bytearray(self.good), self.attributes(name)
            for at, entry in places:
                struct.pack_into("<I", data, start + at, entry)
            with self.subTest(attribute=name):
                self.assertTrue(places or name != "DW_AT_sibling")
                value = self.bt(data)
                if name == "DW_AT_sibling":
                    self.assertRegex(self.remarks(value), r"null_ioctl\.ko: .*damaged")


class Kernel(unittest.TestCase):
    def setUp(self):
        self.vmlinux = debug_package.vmlinux("6.1")
        found = lab.dumps(series="6.1", name="sysrq", truncate=100)
        if not found:
            self.skipTest("the lab has no sysrq dump")
        self.dump = found[0]
        self.expected = Module.rows(lab.query(self.dump, "bt", "--no-debuginfo"))

    def bt(self, keep):
        """With a vmlinux that has only these parts of it; the rest is zeros."""
        with tempfile.NamedTemporaryFile(prefix="vmlinux-") as copy, open(self.vmlinux, "rb") as good:
            for start, size in keep:
                good.seek(start)
                copy.seek(start)
                copy.write(good.read(size))
            copy.flush()
            value = lab.query(self.dump, "bt", "-k", copy.name)
            self.assertEqual(Module.rows(value), self.expected)
            return value, copy.name

    def test_cut_off(self):
        value, name = self.bt([(0, 1 << 20)])
        self.assertTrue(any(name in r["text"] for r in value["remarks"]), value["remarks"])

    def test_sections_of_zeros(self):
        with open(self.vmlinux, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            where, (shoff,) = sections(data), struct.unpack_from("<Q", data, 0x28)
        frame = [(0, 1 << 16), (shoff, 1 << 16), where[".notes"], where[".shstrtab"]]
        for kept in ([], [".debug_aranges"], [".debug_aranges", ".debug_abbrev"], [".debug_aranges", ".debug_line"]):
            with self.subTest(kept=kept):
                value, name = self.bt(frame + [where[section] for section in kept])
                self.assertFalse([row for thread in value["threads"] for row in thread["frames"] if row["line"]])
                if kept:
                    self.assertTrue(any(name in r["text"] and "damaged" in r["text"] for r in value["remarks"]), value["remarks"])


if __name__ == "__main__":
    unittest.main()
