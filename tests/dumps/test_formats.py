# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every dump format and compression, read page by page, is the same physical memory.

The lab's kdump-all and qemu-all folders hold one stopped machine in all forms that makedumpfile and
QEMU write; what no tool at hand writes (old header versions, 131,000 segments, pieces, cut-off and
damaged files) tests/tools/damage.py makes from real dumps. INQUEST_BUILD is the build folder,
INQUEST_LAB_DUMPS the list of the lab's dumps (tests/run)."""

import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("INQUEST_BUILD", ROOT / "build")).resolve()
LAB = pathlib.Path(os.environ.get("INQUEST_LAB", ROOT / "build" / "lab"))
PAGE = 4096
# With a sanitizer in the build times say nothing.
SLOW = "sanit" in BUILD.name or "asan" in BUILD.name

sys.path.insert(0, str(ROOT / "tests" / "tools"))
import damage  # noqa: E402


def folders():
    """{folder: its meta.json}"""
    listed = os.environ.get("INQUEST_LAB_DUMPS")
    paths = json.loads(pathlib.Path(listed).read_text()).values() if listed else (LAB / "dumps").glob("*")
    found = {}
    for path in sorted(map(pathlib.Path, paths)):
        if (path / "meta.json").exists():
            found[path] = json.loads((path / "meta.json").read_text())
    return found


def with_capture(*kinds, **wanted):
    return [path for path, meta in folders().items()
            if meta["capture"] in kinds and all(meta.get(key) == value for key, value in wanted.items())]


def run(tool, *words, **options):
    return subprocess.run([BUILD / "tests" / tool, *words], capture_output=True, text=True, timeout=300, **options)


def info(*paths, timed=False, **options):
    done = run("dump_info", *(["--time"] if timed else []), *paths, **options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def new(self, name):
        return pathlib.Path(self.folder.name) / name

    def compare(self, a, b):
        """The outcomes of two dumps' pages; a byte that differs fails."""
        a, b = ([side] if isinstance(side, pathlib.Path) else side for side in (a, b))
        done = run("compare_dumps", *a, "--", *b)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        answer = json.loads(done.stdout)
        self.assertEqual((answer["differ"], answer["inconsistent"]), (0, 0), f"{a} {b}: {done.stderr}")
        self.assertGreater(answer["outcomes"].get("ok/ok", 0), 0)
        return answer["outcomes"]

    def same(self, a, b):
        """Each page has the same outcome in both."""
        outcomes = self.compare(a, b)
        self.assertEqual([k for k in outcomes if len(set(k.split("/"))) > 1], [], f"{a} {b}: {outcomes}")

    def one_of(self, kind, pattern="vmcore", **wanted):
        for folder in with_capture(kind, **{"truncate": 100, **wanted}):
            for path in sorted(folder.glob(pattern)):
                return path
        return self.skipTest(f"no {pattern} of kind {kind} in the lab")


class MakedumpfileForms(Case):
    """All files of a kdump-all folder against its plain copy of /proc/vmcore."""

    def check_form(self, whole, paths, cpus):
        name = paths[0].name
        outcomes = self.compare(whole, paths)
        expected = {"ok/ok", "ok/excluded", "unmapped/unmapped"} | ({"ok/truncated"} if "incomplete" in name else set())
        # RAM that ends inside a page is whole pages only in kdump's bitmaps.
        self.assertLessEqual(sum(n for k, n in outcomes.items() if k not in expected), 4, outcomes)
        if "full" in name:
            self.assertEqual(outcomes.get("ok/excluded", 0), 0)
        told = info(*paths)
        self.assertEqual(told["truncated"], "incomplete" in name)
        self.assertEqual(bool(told["problems"]), "incomplete" in name)
        self.assertEqual(told["flattened"], "flat" in name)
        self.assertEqual(told["files"], len(paths))
        self.assertTrue(told["osrelease"])
        self.assertEqual(told["prstatus"], cpus)

    def check_folder(self, folder):
        meta = json.loads((folder / "meta.json").read_text())
        groups = {}
        for name in meta["files"]:
            groups.setdefault(re.sub(r"(-\d)?\.vmcore$", "", name), []).append(folder / name)
        whole = groups.pop("elf-full", None) or groups.pop("vmcore")
        self.assertGreaterEqual(len(groups), 10)
        for name, paths in groups.items():
            with self.subTest(folder=folder.name, form=name):
                self.check_form(whole, paths, meta["cpus"])
            # What one filter left in, each form has: makedumpfile's ELF leaves out zeroes too.
            version, _, form = name.partition("-")
            first = groups["old-lzo" if version == "rewritten" else f"{version}-lzo"]
            if not {"elf", "full", "incomplete"} & set(form.split("-")):
                with self.subTest(folder=folder.name, same=name):
                    self.same(first, list(reversed(paths)))
        with self.subTest(folder=folder.name, same="elf"):
            self.same(groups["old-elf"], groups["old-flat-elf"])

    def test_all_forms(self):
        found = with_capture("kdump-all")
        if not found:
            self.skipTest("no kdump-all dump in the lab")
        for folder in found:
            self.check_folder(folder)

    def test_compression_is_named(self):
        for form, name in (("lzo", "LZO"), ("zlib", "zlib"), ("plain", "none"), ("zstd", "zstd")):
            with self.subTest(form=form):
                self.assertIn(name, info(self.one_of("kdump-all", f"*-{form}.vmcore"))["compression"])


class QemuForms(Case):
    def test_all_forms(self):
        found = with_capture("qemu-all")
        if not found:
            self.skipTest("no qemu-all dump in the lab")
        for folder in found:
            names = [name for name in json.loads((folder / "meta.json").read_text())["files"] if "vmcore" in name]
            told = {name: info(folder / name) for name in names}
            elf = [name for name in names if told[name]["format"].startswith("ELF")]
            self.assertTrue(elf)
            seen = set()
            for name in names:
                with self.subTest(folder=folder.name, form=name):
                    self.same(folder / elf[0], folder / name)
                    self.assertEqual(told[name]["problems"], [])
                    self.assertIn("QEMU", told[name]["format"])
                    self.assertEqual(told[name]["elf_machine"], 62)
                    self.assertGreater(told[name]["qemu_notes"], 0)
                seen.update(told[name]["compression"].split("+"))
            # QEMU has LZO and snappy only where it was built with them: see test_codecs.
            self.assertLessEqual({"zlib", "none"}, seen)


class Variants(Case):
    """What damage.py makes of a dump is still the same memory."""

    def test_header_versions(self):
        original = self.one_of("kdump")
        for number in range(1, 6):
            with self.subTest(version=number):
                old = self.new("old")
                damage.version(original, old, number)
                self.same(original, old)
                told = info(old)
                self.assertIn(f"v{number} ", told["format"])
                self.assertEqual(told["vmcoreinfo"] > 0, number >= 3)
                self.assertEqual(told["prstatus"] > 0, number >= 4)

    def test_codecs(self):
        original = self.one_of("kdump-all", pattern="*-plain.vmcore")
        for codec, name in (("snappy", "snappy"), ("lzo", "LZO"), ("zstd", "zstd"), ("zlib", "zlib")):
            with self.subTest(codec=codec):
                other = self.new(codec)
                try:
                    damage.recompress(original, other, codec)
                except OSError as error:
                    self.skipTest(f"no library to compress with: {error}")
                self.same(original, other)
                self.assertIn(name, info(other)["compression"].split("+"))

    def test_split(self):
        original = self.one_of("kdump")
        pieces = [self.new(f"piece{i}") for i in range(4)]
        damage.split(original, *pieces)
        self.same(original, [pieces[i] for i in (2, 0, 3, 1)])
        outcomes = self.compare(original, [pieces[3], pieces[1]])
        self.assertGreater(outcomes["ok/truncated"], 0)
        self.assertEqual({k for k in outcomes if k not in ("ok/ok", "ok/truncated")}, {"excluded/excluded", "unmapped/unmapped"})
        told = info(pieces[3], pieces[1])
        self.assertTrue(told["truncated"])
        self.assertEqual(sum("a piece of the split dump is missing" in text for text in told["problems"]), 2)
        for wrong in ((pieces[0], original), (pieces[1], pieces[1])):
            done = run("dump_info", *wrong)
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)

    def test_flattened(self):
        for kind, name in (("kdump", "vmcore"), ("kdump-all", "old-elf.vmcore"), ("kdump-all", "new-zstd.vmcore")):
            with self.subTest(kind=kind, name=name):
                original, flat = self.one_of(kind, name), self.new("flat")
                damage.flatten(original, flat)
                self.same(original, flat)
                self.assertEqual(info(flat)["problems"], [])

    def test_pipe(self):
        for name in ("vmcore", "vmcore.flat"):
            original = self.one_of("kdump", name)
            with open(original, "rb") as file, subprocess.Popen(["cat"], stdin=file, stdout=subprocess.PIPE) as cat:
                piped = info("-", stdin=cat.stdout)
            self.assertEqual(piped["sum"], info(original)["sum"])

    def test_very_many_segments(self):
        original, many = self.one_of("qemu-elf"), self.new("many")
        damage.many_segments(original, many)
        self.same(original, many)
        told = info(many)
        self.assertGreater(told["segments"], 65535)
        self.assertEqual(told["problems"], [])

    def test_huge_machine(self):
        """12 TB: opening reads the bitmap of 400 MB, and no more."""
        original, huge = self.one_of("kdump"), self.new("huge")
        damage.huge(original, huge)
        run("dump_info", "--open", huge)  # now the bitmap is cached
        start = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = run("dump_info", "--open", huge)
        end = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout)
        self.assertEqual(told["max_pfn"], 12 << 28)
        self.assertEqual(told["ok"], info(original)["ok"])
        if not SLOW:
            # By the CPU's time: the clock's is also that of whoever else is on this machine.
            self.assertLess(end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime, 1)


class Damaged(Case):
    def cut(self, original, percent):
        short = self.new("short")
        damage.cut(original, short, percent)
        done = run("dump_info", short)
        if done.returncode == 2:
            self.assertEqual(done.stderr.count("\n"), 1)
            return None
        told = json.loads(done.stdout)
        self.assertTrue(told["truncated"])
        self.assertTrue(told["problems"])
        self.assertEqual(told["corrupt"], 0)
        if told["ok"]:
            outcomes = self.compare(original, short)
            self.assertEqual({k for k in outcomes if len(set(k.split("/"))) > 1} - {"ok/truncated"}, set(), outcomes)
        return told

    def test_cut_off(self):
        originals = [self.one_of("kdump"), self.one_of("kdump", pattern="vmcore.flat"),
                     self.one_of("qemu-elf"), self.one_of("qemu-kdump"),
                     self.one_of("kdump-all", pattern="*-elf.vmcore")]
        for original in originals:
            with self.subTest(dump=str(original)):
                there = [told["ok"] for percent in (50, 80, 99) if (told := self.cut(original, percent))]
                self.assertEqual(len(there), 3)
                self.assertEqual(there, sorted(there))
                self.assertGreater(there[-1], info(original)["ok"] * 9 // 10)
                for percent in (0, 1, 2):
                    self.cut(original, percent)

    def test_cut_off_flattened_elf(self):
        """makedumpfile writes the segments' addresses at the very end."""
        told = self.cut(self.one_of("kdump-all", pattern="*-flat-elf.vmcore"), 99)
        self.assertEqual(told["ok"], 0)
        self.assertIn("come last", told["problems"][0])

    def test_incomplete(self):
        original, full_disk = self.one_of("kdump"), self.new("incomplete")
        damage.incomplete(original, full_disk)
        outcomes = self.compare(original, full_disk)
        self.assertGreater(outcomes["ok/truncated"], 0)
        told = info(full_disk)
        self.assertTrue(told["truncated"])
        self.assertIn("marked as incomplete", told["problems"][0])

    def test_flipped_bytes(self):
        originals = [self.one_of("kdump"), self.one_of("kdump-all", pattern="*-zstd.vmcore"),
                     self.one_of("kdump-all", pattern="*-zlib.vmcore"), self.one_of("kdump", pattern="vmcore.flat")]
        for original in originals:
            for seed in (1, 2):
                with self.subTest(dump=str(original), seed=seed):
                    bad = self.new("bad")
                    damage.flip(original, bad, seed)
                    done = run("dump_info", bad)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.assertGreater(json.loads(done.stdout)["corrupt"] + json.loads(done.stdout)["truncated_pages"], 0)


class NotDumps(Case):
    """One clear line each."""

    def refuse(self, path, *parts):
        done = run("dump_info", path)
        self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (2, "", 1), done)
        for part in parts:
            self.assertIn(part, done.stderr)

    def test_other_files(self):
        for content, part in ((b"", "empty"), (b"hello", "not a kernel dump"), (b"\x1f\x8b\x08\0", "decompress it first"),
                              (b"\xfd7zXZ\0", "xz"), (b"LibvirtQemudSave", "libvirt"), (b"QEVM\0\0\0\3", "QEMU"),
                              (b"PAGEDU64", "Windows"), (b"\xd2\xbe\xd2\xbe", "VMware"), (bytes(9999), "zeroes"),
                              (b"makedumpfile\0\0\0\0" + b"\0" * 5000, "unknown type"),
                              (b"\xed\x23\x8f\x61\x73\x01\x19\xa8", "LKCD")):
            with self.subTest(part=part):
                path = self.new("other")
                path.write_bytes(content)
                self.refuse(path, str(path), part)

    def test_no_such_file(self):
        self.refuse(self.new("none"), "No such file")
        self.refuse(self.new("."), "not a regular file")

    def test_programs(self):
        self.refuse(BUILD / "inquest", "not a dump, but an ELF")

    def test_core_of_a_program(self):
        core = self.new("core")
        subprocess.run(["sh", "-c", f"cd {core.parent} && ulimit -c unlimited && kill -SEGV $$"], check=False)
        if not core.exists():
            self.skipTest("this machine writes no core files to the current folder")
        self.refuse(core, "of a program")

    def patched(self, original, *patches):
        path = self.new("patched")
        data = bytearray(original.read_bytes()[:1 << 20])
        for at, content in patches:
            data[at:at + len(content)] = content
        path.write_bytes(data)
        return path

    def test_kdump_headers(self):
        original = self.one_of("kdump")
        self.refuse(self.patched(original, (8, b"\7\0\0\0")), "version 7 is unknown")
        self.refuse(self.patched(original, (8, b"\0\0\0\6")), "big-endian")
        self.refuse(self.patched(original, (428, b"\0\0\1\0")), "pages of 65536 bytes")
        self.refuse(self.patched(original, (0, b"kdump")), "not a kernel dump")

    def test_elf_headers(self):
        original = self.one_of("qemu-elf")
        self.refuse(self.patched(original, (5, b"\2")), "big-endian")
        self.refuse(self.patched(original, (4, b"\1")), "32-bit")
        self.assertEqual(info(self.patched(original, (18, b"\xb7\0")))["elf_machine"], 183)


if __name__ == "__main__":
    unittest.main()
