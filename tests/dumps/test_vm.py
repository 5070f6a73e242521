# SPDX-License-Identifier: LGPL-2.1-or-later
"""vm on machines whose processes map memory in all ways: against /proc/PID/maps, smaps and pagemap, kept beside the dump."""

import re
import unittest

import json_schema
import lab
import subsystems
from subsystems import HOLDERS, each_dump, pid_of

MAPS = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) \S+ \d+ *(.*)$")
# Letters of smaps' VmFlags (fs/proc/task_mmu.c), and what mm.h calls them.
LETTERS = {"rd": "READ", "wr": "WRITE", "ex": "EXEC", "sh": "SHARED", "mr": "MAYREAD", "mw": "MAYWRITE", "me": "MAYEXEC", "ms": "MAYSHARE",
           "gd": "GROWSDOWN", "pf": "PFNMAP", "lo": "LOCKED", "io": "IO", "sr": "SEQ_READ", "rr": "RAND_READ", "dc": "DONTCOPY",
           "de": "DONTEXPAND", "lf": "LOCKONFAULT", "ac": "ACCOUNT", "nr": "NORESERVE", "ht": "HUGETLB", "sf": "SYNC", "wf": "WIPEONFORK",
           "dd": "DONTDUMP", "sd": "SOFTDIRTY", "mm": "MIXEDMAP", "hg": "HUGEPAGE", "nh": "NOHUGEPAGE", "mg": "MERGEABLE"}


def maps_of(dump, holder):
    """(start, end, permissions, offset, name) of each mapping."""
    lines = (dump.oracle / "holders" / holder / "maps").read_text().splitlines()
    found = [MAPS.match(line).groups() for line in lines]
    return [(int(start, 16), int(end, 16), mode, int(offset, 16), name) for start, end, mode, offset, name in found
            if not name == "[vsyscall]"]


def space(dump, line):
    return lab.query(dump, line)["address_spaces"][0]


class Vm(subsystems.Test):
    @each_dump
    def test_mappings_are_those_of_proc(self, dump):
        for holder in HOLDERS:
            found = [(int(m["start"], 16), int(m["end"], 16), m["permissions"], int(m["offset"], 16), m["name"])
                     for m in space(dump, f"vm {pid_of(dump, holder)}")["mappings"]]
            wanted = maps_of(dump, holder)
            # The offset of what is anonymous has no meaning; mapped by the jail, its files are beyond its root.
            self.assertEqual([row[:3] for row in found], [row[:3] for row in wanted])
            self.assertEqual([(f[3], f[4]) for f in found if f[4][:1] == "/" and holder != "jail"],
                             [(w[3], w[4]) for w in wanted if w[4][:1] == "/" and holder != "jail"])

    @each_dump
    def test_pages_are_those_of_pagemap(self, dump):
        for holder in "maps", "ipc":
            wanted = {}
            for line in (dump.oracle / "holders" / holder / "pages").read_text().splitlines():
                words = line.split()
                wanted[int(words[0], 16)] = (words[1], *(int(w, 16) for w in words[2:]))
            found = {}
            for mapping in space(dump, f"vm -p {pid_of(dump, holder)}")["mappings"]:
                at = int(mapping["start"], 16)
                for page in mapping["pages"]:
                    self.assertEqual(int(page["virtual"], 16), at, "pages are left out")
                    at += page["pages"] * 4096
                    for i in range(page["pages"]):
                        if mapping["name"] in ("[vdso]", "[vvar]"):
                            continue
                        address = int(page["virtual"], 16) + i * 4096
                        if page["state"] == "memory":
                            found[address] = ("ram", int(page["physical"], 16) // 4096 + i)
                        elif page["state"] == "swap":
                            self.assertIn("/dev/vda2", page["where"])
                            found[address] = ("swap", 0, int(page["offset"], 16))
                        elif page["state"] == "file":
                            self.assertEqual(int(page["offset"], 16) - int(mapping["offset"], 16), int(page["virtual"], 16) - int(mapping["start"], 16))
                self.assertEqual(at, int(mapping["end"], 16))
            wanted = {at: where for at, where in wanted.items()
                      if not any(low <= at < high and name in ("[vdso]", "[vvar]") for low, high, _, _, name in maps_of(dump, holder))}
            self.assertEqual(found, wanted)
            if holder == "maps":
                self.assertGreater(sum(where[0] == "swap" for where in found.values()), 3)

    @each_dump
    def test_flags_have_the_names_of_smaps(self, dump):
        smaps = (dump.oracle / "holders/maps/smaps").read_text()
        letters = [line.split()[1:] for line in smaps.splitlines() if line.startswith("VmFlags")]
        mappings = space(dump, f"vm {pid_of(dump, 'maps')}")["mappings"]
        self.assertEqual(len(mappings), len([line for line in letters]) - ("[vsyscall]" in smaps))
        lines = "; ".join(f"vm -f {m['flags']}" for m in mappings)
        answers = [a["vma_flags"]["names"].split("|") for a in lab.query(dump, lines)["commands"]]
        for names, wanted in zip(answers, letters):
            self.assertEqual({n for n in names if n in LETTERS.values()}, {LETTERS[w] for w in wanted if w in LETTERS})

    @each_dump
    def test_one_mapping(self, dump):
        pid = pid_of(dump, "maps")
        every = space(dump, f"vm -p {pid}")["mappings"]
        one = every[5]
        self.assertEqual(space(dump, f"vm -P {one['vma']} {pid}")["mappings"], [one])
        # Whose it is can be told from itself.
        self.assertEqual(space(dump, f"vm -P {one['vma']}")["mappings"], [one])
        for vma in one["vma"], 0:
            run = lab.inquest("-c", f"vm -P {vma} {pid_of(dump, 'ipc')}", dump.vmcore)
            self.assertEqual((run.returncode, "no mapping of PID" in run.stderr), (1, True))

    @each_dump
    def test_of_an_mm_struct(self, dump):
        whole = space(dump, f"vm {pid_of(dump, 'maps')}")
        by_mm = space(dump, f"vm -M {whole['mm']} 2")
        self.assertEqual((by_mm["mappings"], by_mm["pid"], by_mm["rss"]), (whole["mappings"], 2, whole["rss"]))
        self.assertIsNone(space(dump, "vm 2")["mm"])

    @each_dump
    def test_structures(self, dump):
        pid = pid_of(dump, "maps")
        whole = space(dump, f"vm {pid}")
        found = space(dump, f"vm -v {pid}")["vm_area_structs"]
        self.assertEqual([v["address"] for v in found], [m["vma"] for m in whole["mappings"]])
        for one, mapping in zip(found, whole["mappings"]):
            members = {m["name"].split(".")[-1]: m["value"] for m in one["members"]}
            start = members["vm_start"]
            self.assertEqual(int(start, 16) if isinstance(start, str) else start, int(mapping["start"], 16))
        mm = space(dump, f"vm -m {pid}")["mm_struct"][0]
        self.assertEqual((mm["type"], mm["address"]), ("struct mm_struct", whole["mm"]))
        text = {o: lab.inquest("-c", f"vm -m {o} {pid}", dump.vmcore).stdout for o in ("-x", "-d")}
        count = len(maps_of(dump, "maps"))
        self.assertRegex(text["-d"], rf"map_count = {count}\b")
        self.assertRegex(text["-x"], rf"map_count = {count:#x}\b")

    @each_dump
    def test_references(self, dump):
        pid = pid_of(dump, "maps")
        whole = space(dump, f"vm {pid}")["mappings"]
        data = [m for m in whole if m["name"] == "/tmp/disk/folder/data"]
        self.assertEqual(len(data), 3)
        for word in "data", "/tmp/disk/folder/data", "*older/dat?":
            self.assertEqual(space(dump, f"vm -R '{word}' {pid}")["mappings"], data)
        inside = int(data[1]["start"], 16) + 4096
        for word in f"{inside:x}", data[1]["vma"]:
            self.assertEqual(space(dump, f"vm -R {word} {pid}")["mappings"], data[1:2])
        self.assertEqual(space(dump, f"vm -R {data[1]['file']} {pid}")["mappings"], data)
        self.assertEqual(space(dump, f"vm -R nothing {pid}")["mappings"], [])
        # A physical address, found in the tables.
        page = next(p for m in space(dump, f"vm -p {pid}")["mappings"] for p in m["pages"] if p["state"] == "memory")
        found = space(dump, f"vm -p -R {int(page['physical'], 16) + 5:#x} {pid}")["mappings"]
        self.assertIn(page["virtual"], [p["virtual"] for m in found for p in m["pages"]])

    @each_dump
    def test_json_fits_its_schema(self, dump):
        pid = pid_of(dump, "maps")
        for line in (f"vm {pid}", f"vm -p {pid}", f"vm -v {pid}", f"vm -m {pid}", "vm -f 875", f"vm {pid} 1"):
            self.assertEqual(json_schema.faults("vm", lab.query(dump, line))[:5], [], line)


class Holes(unittest.TestCase):
    def test_what_is_missing_is_said(self):
        for dump in lab.dumps(name="many-tasks", series="6.12", makedumpfile="old", truncate=100):
            with self.subTest(dump=str(dump)):
                # Which pages are gone is luck: of some processes the mappings, of others the names of their files.
                pids = [task["pid"] for task in lab.query(dump, "ps -u")["tasks"]][:30]
                for words in "vm", "vm -p":
                    answers = lab.query(dump, "; ".join(f"{words} {pid}" for pid in pids))["commands"]
                    unnamed = False
                    for answer in answers:
                        names = [row["name"] for space in answer.get("address_spaces", []) for row in space.get("mappings") or []]
                        if "[stack]" not in names:
                            self.assertRegex(str(answer.get("remarks")), "not all mappings can be read|cannot be read|not in the dump|excluded", answer)
                        unnamed |= None in names
                    if unnamed:
                        self.assertRegex(str(answers), "names of some mappings are not in the dump")

    def test_dumps_cut_off(self):
        for dump in lab.dumps(truncate=60):
            with self.subTest(dump=str(dump)):
                for words in "vm", "vm 1", "vm -p 1", "vm -v 1", "vm -m 1":
                    run = lab.inquest("-c", words, dump.vmcore)
                    self.assertEqual(run.returncode, 1, words)
                    self.assertTrue(run.stderr.startswith("inquest: vm: ") or "missing: " in run.stdout, run.stderr + run.stdout)
