# SPDX-License-Identifier: LGPL-2.1-or-later
"""Symbols as inquest finds them in a dump equal those that the guest's /proc/kallsyms showed before
the crash: name to address, address to name, kernel and modules. A System.map made of what one dump
has serves another dump of the same kernel whose own table is cut off."""

import functools
import json
import pathlib
import re
import tempfile
import unittest

import lab

# Areas that the kernel lists as modules but that have no symbol table.
TRANSIENT = ("bpf", "__builtin__ftrace", "__builtin__kprobes")


def oracle(dump):
    """[(address, type, name, module)] of the guest's /proc/kallsyms (a sample of its lines)."""
    path = dump.oracle / "proc/kallsyms"
    if not path.exists():
        return []
    found = []
    for line in path.read_text().splitlines():
        words = line.split()
        module = words[3].strip("[]") if len(words) > 3 else None
        # The assembler's own labels name nothing in a stack trace: we leave them out of modules.
        if module in TRANSIENT or (module and words[2].startswith(".L")):
            continue
        if len(words) >= 3:
            found.append((int(words[0], 16), words[1], words[2], module))
    return found


def symbols(dump, *words):
    """((address, type, name, module, size), ...) of all symbols."""
    return cached_symbols(dump.vmcore, *words)


@functools.lru_cache(maxsize=None)
def cached_symbols(vmcore, *words):
    run = lab.inquest("--json", "-c", "sym -l", *words, vmcore)
    rows = json.loads(run.stdout)["symbols"]
    return tuple((int(r["address"], 16), r["type"], r["name"], r["module"], r["size"])
                 for r in rows)


def dumps():
    """One whole dump of each kernel, capture and paging, with its oracle; all are alike but for
    what happened and the modules."""
    found = {}
    for dump in lab.dumps():
        if dump.meta.get("truncate", 100) == 100 and oracle(dump):
            kinds = ("kernel_release", "capture", "paging", "vmcoreinfo")
            # The device-mapper's module exports symbols; virtio's, which all machines have, hardly any.
            found.setdefault((*(dump.meta.get(kind) for kind in kinds), dump.meta["name"] == "dm-suspended"), dump)
    return list(found.values())


def hidden(rows):
    """Did the guest hide its addresses (kptr_restrict)?"""
    return not any(address for address, _, _, _ in rows)


def key(row):
    return row[0], row[2], row[3]


def whole(dump):
    return dump.meta.get("truncate", 100) == 100


class Symbols(unittest.TestCase):
    def test_against_proc_kallsyms(self):
        compared = 0
        for dump in dumps():
            rows = oracle(dump)
            if hidden(rows):
                continue
            with self.subTest(str(dump)):
                ours = symbols(dump)
                have = {key(row): row[1] for row in ours}
                missing = [row for row in rows if key(row) not in have]
                # A module that was unloaded, or loaded by the crash, after the list was made.
                modules = {row[3] for row in ours}
                missing = [row for row in missing if row[3] is None or row[3] in modules]
                self.assertEqual(missing[:5], [])
                wrong = [row for row in rows if key(row) in have and have[key(row)] != row[1]]
                self.assertEqual(wrong[:5], [])
                compared += 1
        self.assertTrue(compared, "no dump with an oracle")

    def test_addresses_to_names(self):
        """The middle of a function has its name, or that of an alias of it."""
        for dump in dumps():
            rows = [r for r in oracle(dump) if r[1] in "tT"]
            if hidden(rows):
                continue
            with self.subTest(str(dump)):
                at = {}
                for row in symbols(dump):
                    at.setdefault((row[0], row[3]), []).append(row)
                some = [r for r in rows if (r[0], r[3]) in at][::7][:40]
                words = " ".join(f"{row[0] + 1:x}" for row in some)
                answers = lab.query(dump, f"sym {words}")["symbols"]
                answers = {int(r["address"], 16) - (r["offset"] or 0): r for r in answers}
                for row in some:
                    aliases = at[row[0], row[3]]
                    if aliases[0][4] <= 1:
                        continue
                    self.assertIn(row[0], answers, row)
                    self.assertEqual(answers[row[0]]["name"], aliases[0][2])

    def test_console_frames(self):
        """name+0x12/0x34 of the kernel's own call trace: our symbols have these sizes."""
        compared = 0
        for dump in dumps():
            console = dump.folder / "console.log"
            if not console.exists():
                continue
            frames = set(re.findall(r"\] +(?:RIP: 0010:|\? )?([\w.]+)\+0x[0-9a-f]+/0x([0-9a-f]+)",
                                    console.read_text(errors="replace")))
            if not frames:
                continue
            with self.subTest(str(dump)):
                sizes = {}
                for row in symbols(dump):
                    sizes.setdefault(row[2], set()).add(row[4])
                wrong = [(name, size, sizes.get(name)) for name, size in sorted(frames)
                         if name in sizes and int(size, 16) not in sizes[name]]
                self.assertEqual(wrong[:5], [])
                compared += 1
        self.assertTrue(compared, "no dump with a call trace on its console")

    def test_no_such_symbol(self):
        for dump in lab.dumps(name="sysrq")[:2]:
            run = lab.inquest("-c", "sym no_such_symbol_anywhere", dump.vmcore)
            self.assertEqual(run.returncode, 1)

    def test_system_map(self):
        """A cut-off dump with a System.map of its kernel; and with that of another kernel."""
        cut = [d for d in lab.dumps() if not whole(d)]
        for dump in cut:
            release = dump.meta["kernel_release"]
            sources = [d for d in lab.dumps(kernel_release=release) if whole(d)]
            others = [d for d in lab.dumps() if d.meta["kernel_release"] != release and whole(d)]
            with self.subTest(str(dump)), tempfile.TemporaryDirectory() as folder:
                rows = [row for row in oracle(dump) if row[3] is None]
                path = pathlib.Path(folder) / "System.map"
                write_map(path, sources[0])
                ours = symbols(dump, "-k", path)
                have = {key(row) for row in ours}
                self.assertEqual([row for row in rows if key(row) not in have][:5], [])
                if others:
                    write_map(path, others[0])
                    run = lab.inquest("-k", path, "-c", "sym panic", dump.vmcore)
                    self.assertIn("another kernel", run.stdout + run.stderr)


    def test_vmlinux(self):
        """A cut-off dump with its kernel's vmlinux: names and sizes as kallsyms would have them."""
        cut = [d for d in lab.dumps() if not whole(d) and d.meta.get("vmlinux")]
        for dump in cut:
            release = dump.meta["kernel_release"]
            folder = (lab.LAB / dump.meta["vmlinux"]).parent / "debug/usr/lib/debug/boot"
            same = [d for d in lab.dumps(kernel_release=release) if whole(d)]
            if not folder.is_dir() or not same:
                continue
            with self.subTest(str(dump)):
                wanted = first_at(symbols(same[0]))
                have = first_at(symbols(dump, "-k", folder / f"vmlinux-{release}"))
                wrong = [(row, have.get(at)) for at, row in wanted.items() if have.get(at) != row]
                self.assertGreater(len(wanted), 1000)
                self.assertEqual(wrong[:5], [])


def first_at(rows):
    """{offset from _text: (name, size)} of the kernel's text; of aliases the first."""
    text = next(row[0] for row in rows if row[2] == "_text")
    found = {}
    for address, kind, name, module, size in rows:
        if module is None and kind in "tT" and address >= text:
            found.setdefault(address - text, (name, size))
    return found


def write_map(path, dump):
    """A System.map of the kernel that crashed in @dump, with the addresses it was linked at."""
    rows = [row for row in symbols(dump) if row[3] is None]
    text = next(row[0] for row in rows if row[2] == "_text")
    shift = text - 0xffffffff81000000
    with path.open("w") as out:
        for address, kind, name, _, _ in rows:
            linked = address - shift if address >= text else address
            out.write(f"{linked:016x} {kind} {name}\n")


if __name__ == "__main__":
    unittest.main()
