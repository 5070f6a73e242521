# SPDX-License-Identifier: LGPL-2.1-or-later
"""Source lines and inlined functions of every frame, against addr2line on the same files."""

import collections
import functools
import os
import pathlib
import random
import re
import subprocess
import unittest

import debug_package
import lab

SERIES = debug_package.SERIES


def addr2line(file, addresses, section=None):
    """{address: [(function, file:line), ...]}, innermost first; an unknown line is None."""
    words = ["addr2line", "-ifa", "-e", file] + (["-j", section] if section else [])
    run = subprocess.run(words, input="".join(f"{a:#x}\n" for a in addresses), capture_output=True, text=True, check=True)
    found = {}
    lines = iter(run.stdout.splitlines())
    for line in lines:
        if re.fullmatch(r"0x[0-9a-f]{16}", line):
            frames = found[int(line, 16)] = []
        else:
            place = re.sub(r" \(discriminator \d+\)$", "", next(lines))
            frames.append((line, None if place.startswith("??") or place.endswith((":?", ":0")) else place))
    return found


@functools.lru_cache
def functions_of(module):
    """{name: (section, value)} of a .ko, names that it has once."""
    run = subprocess.run(["objdump", "-t", module], capture_output=True, text=True, check=True)
    found = collections.defaultdict(list)
    for line in run.stdout.splitlines():
        match = re.match(r"([0-9a-f]{16}) ......F (\S+)\s+[0-9a-f]+ (?:\.hidden )?(\S+)$", line)
        if match:
            found[match[3]].append((match[2], int(match[1], 16)))
    return {name: places[0] for name, places in found.items() if len(places) == 1}


def link_address(vmlinux, name):
    run = subprocess.run(["nm", vmlinux], capture_output=True, text=True, check=True)
    return int(re.search(rf"^([0-9a-f]+) . {name}$", run.stdout, re.M)[1], 16)


def lookup_address(row):
    """Where the call was, for a return address."""
    exact = row["how"] in ("start", "exception") or row["exception"]
    return int(row["pc"], 16) - (0 if exact else 1)


def frames_of(value):
    """[(the row of the function itself, [(function, file, line), ...] innermost first)]."""
    found = []
    for thread in value.get("threads", []):
        pending = []
        for row in thread["frames"]:
            pending.append((row["symbol"], row["file"], row["line"]))
            if not row["inlined"]:
                found.append((row, pending))
                pending = []
        assert not pending, "an inlined function that is in none"
    return found


def base_name(function):
    """Symbols have suffixes of the compiler's (.cold, .isra.0, .constprop.0); debug info does not."""
    return (function or "").split(".")[0]


class Lines(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = debug_package.folder(SERIES)
        cls.vmlinux = debug_package.vmlinux(SERIES)
        cls.text = link_address(cls.vmlinux, "_text")

    def bt(self, dump, words):
        return lab.query(dump, words, "-k", self.folder, "-m", dump.folder / "modules")

    def same(self, ours, theirs, where):
        """Ours names files relative to the kernel's tree, theirs by the whole path."""
        ours = [frame for frame in ours if frame[0] or frame[1]]
        self.assertEqual(len(ours), len(theirs), f"{where}: {ours} {theirs}")
        for (function, file, line), (expected, place) in zip(ours, theirs):
            self.assertEqual(base_name(function), base_name(expected), where)
            if place is None:
                self.assertIsNone(file and line, where)
                continue
            self.assertIsNotNone(file, f"{where}: addr2line has {place}")
            path, number = place.rsplit(":", 1)
            self.assertEqual(line, int(number), f"{where}: {place}")
            self.assertTrue(path == file or path.endswith("/" + file), f"{where}: {file} {path}")

    def check_kernel(self, dump, frames):
        offset = int(lab.query(dump, "sym _text")["symbols"][0]["address"], 16) - self.text
        wanted = {lookup_address(row) - offset: (row, chain) for row, chain in frames
                  if not row["module"] and row["offset"] is not None}
        expected = addr2line(self.vmlinux, wanted)
        for address, (row, chain) in wanted.items():
            self.same(chain, expected[address], f"{dump}, {row['symbol']}+{row['offset']}")
        return len(wanted)

    def module_file(self, dump, name):
        own = dump.folder / "modules" / f"{name}.ko"
        tree = self.folder / "usr" / "lib" / "debug" / "lib" / "modules"
        found = [own] if own.exists() else [p for p in tree.rglob("*.ko") if p.stem.replace("-", "_") == name]
        return found[0] if found else None

    def check_modules(self, dump, frames):
        wanted = collections.defaultdict(dict)
        for row, chain in frames:
            file = row["module"] and self.module_file(dump, row["module"])
            place = functions_of(file).get(row["symbol"]) if file else None
            if place:
                start = int(row["pc"], 16) - row["offset"]
                wanted[file, place[0]][place[1] + lookup_address(row) - start] = (row, chain)
        for (file, section), addresses in wanted.items():
            expected = addr2line(file, addresses, section)
            for address, (row, chain) in addresses.items():
                self.same(chain, expected[address], f"{dump}, {row['symbol']}+{row['offset']} [{row['module']}]")
        return sum(map(len, wanted.values()))

    def test_panic_stacks_equal_addr2line(self):
        kernel = modules = 0
        for dump in lab.dumps(series=SERIES):
            with self.subTest(dump=str(dump)):
                frames = frames_of(self.bt(dump, "bt"))
                if not frames:  # of an incomplete dump
                    continue
                kernel += self.check_kernel(dump, frames)
                modules += self.check_modules(dump, frames)
        self.assertGreater(kernel, 50)
        self.assertGreater(modules, 5)

    def test_modules_of_other_kernels_equal_addr2line(self):
        # Their own files need no debug package.
        modules = 0
        for dump in lab.dumps():
            if dump.meta["series"] != SERIES and (dump.folder / "modules").is_dir():
                with self.subTest(dump=str(dump)):
                    frames = frames_of(lab.query(dump, "bt", "-m", dump.folder / "modules"))
                    modules += self.check_modules(dump, frames)
        self.assertGreater(modules, 5)

    def test_all_stacks_of_some_dumps_equal_addr2line(self):
        for capture in ("kdump", "qemu-elf"):
            for dump in lab.dumps(series=SERIES, name="sysrq", capture=capture, truncate=100)[:1]:
                with self.subTest(dump=str(dump)):
                    frames = frames_of(self.bt(dump, "bt --all"))
                    self.assertGreater(self.check_kernel(dump, frames), 30)
                    self.check_modules(dump, frames)

    def test_addresses_all_over_the_kernel_equal_addr2line(self):
        dump = lab.dumps(series=SERIES, truncate=100)[0]
        start, end = self.text, link_address(self.vmlinux, "_etext")
        offset = int(lab.query(dump, "sym _text")["symbols"][0]["address"], 16) - start
        rng = random.Random(1)
        addresses = sorted(rng.randrange(start, end) for _ in range(400))
        value = lab.query(dump, "; ".join(f"list {a + offset:#x}" for a in addresses), "-k", self.vmlinux)
        expected, known, elsewhere = addr2line(self.vmlinux, addresses), 0, []
        for address, entry in zip(addresses, value["commands"]):
            ours = [(f["function"], f["file"], f["line"]) for f in entry["frames"]]
            if ours[0][2] is None:  # between functions
                self.assertIsNone(expected[address][0][1], hex(address))
                continue
            known += 1
            theirs = expected[address]
            self.assertEqual([line for _, _, line in ours], [int(p.rsplit(":", 1)[1]) for _, p in theirs], hex(address))
            self.assertEqual([base_name(f) for f, _, _ in ours], [base_name(f) for f, _ in theirs], hex(address))
            # binutils 2.40 takes some lines of DWARF 5 to the unit's own file; gdb is with us.
            elsewhere += [p for (_, file, _), (_, p) in zip(ours, theirs)
                          if not os.path.normpath(p.rsplit(":", 1)[0]).endswith("/" + file)]
        self.assertGreater(known, 200)
        self.assertLess(len(elsewhere), known // 50, elsewhere)

    def test_debug_info_changes_nothing_but_adds(self):
        added = ("file", "line", "inlined", "how")  # call frame information comes before a guess from code
        for dump in lab.dumps(series=SERIES):
            with self.subTest(dump=str(dump)):
                having = [row for row, _ in frames_of(self.bt(dump, "bt"))]
                without = [row for row, _ in frames_of(lab.query(dump, "bt", "--no-debuginfo"))]
                self.assertEqual([{k: v for k, v in row.items() if k not in added} for row in having],
                                 [{k: v for k, v in row.items() if k not in added} for row in without])


class Commands(unittest.TestCase):
    def setUp(self):
        self.folder = debug_package.folder(SERIES)
        found = lab.dumps(series=SERIES, name="null-ioctl", truncate=100)
        if not found:
            self.skipTest("the lab has no null-ioctl dump")
        self.dump = found[0]

    def query(self, line, *words):
        return lab.query(self.dump, line, "-k", self.folder, "-m", self.dump.folder / "modules", *words)

    def test_sym_names_the_line(self):
        symbol = self.query("sym channel_store+5")["symbols"][0]
        self.assertTrue(symbol["file"].endswith("null-ioctl/module/null_ioctl.c"))
        self.assertIn("channel->sent = amount", (lab.ROOT / "lab/scenarios/null-ioctl/module/null_ioctl.c")
                      .read_text().splitlines()[symbol["line"] - 1])

    def test_list_shows_the_text(self):
        value = self.query("list *channel_store+5", "--source", lab.ROOT)
        self.assertEqual([f["function"] for f in value["frames"]], ["channel_store"])
        marked = [line for line in value["text"] if line.startswith(">")]
        self.assertEqual(len(marked), 1)
        self.assertIn("channel->sent = amount", marked[0])
        self.assertEqual(self.query("src *channel_store+5", "--source", lab.ROOT)["text"], value["text"])

    def test_src_shows_a_line_by_its_number(self):
        for command in ("src", "list"):
            text = self.query(f"{command} tests/dumps/test_lines.py:2", "--source", lab.ROOT)["text"]
            self.assertEqual([line.split(maxsplit=1)[1] for line in text if line.startswith(">")],
                             ["2  " + pathlib.Path(__file__).read_text().splitlines()[1]])

    def test_the_report_names_line_and_files(self):
        report = self.query("report")
        self.assertTrue(report["fault"]["file"].endswith("null_ioctl.c"))
        text = lab.inquest("-k", self.folder, "-m", self.dump.folder / "modules", self.dump.vmcore).stdout
        self.assertRegex(" ".join(text.split()),
                         r" lines vmlinux-\S+ \(build-id matches\), null_ioctl.ko \(build-id matches\)")
        self.assertRegex(text, r"(?m)^FAULT +.*null_ioctl.c:\d+")


if __name__ == "__main__":
    unittest.main()
