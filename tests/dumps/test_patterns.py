# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pages, translations and searches where everything is known: the scenario patterns leaves what its kernel said in /proc/kpageflags,
/proc/kpagecount and /proc/self/pagemap, and the places of words that its module and its program made."""

import functools
import json
import re
import struct
import unittest

import json_schema
import lab
import test_memory
import test_refs

PAGE = 4096
PAGE_FRAME = (1 << 55) - 1
SWAPPED, PRESENT = 1 << 62, 1 << 63
# Bits of /proc/kpageflags, include/uapi/linux/kernel-page-flags.h and linux/kernel-page-flags.h; those that are flags of struct page by name.
FLAGS = {0: "locked", 2: "referenced", 3: "uptodate", 4: "dirty", 5: "lru", 6: "active", 8: "writeback", 9: "reclaim", 14: "swapbacked",
         18: "unevictable", 32: "reserved", 33: "mlocked"}
SLAB, BUDDY, ANON, HEAD, TAIL, HUGETLB, POISON, NOPAGE, PAGE_TABLE = (1 << bit for bit in (7, 10, 12, 15, 16, 17, 19, 20, 26))


class Pattern:
    """What the guest said."""

    def __init__(self, dump):
        self.dump = dump
        self.parameters = {path.name: int(path.read_text()) for path in (dump.oracle / "parameters").iterdir()}
        self.places = {}
        for line in (dump.oracle / "places").read_text().splitlines():
            name, *numbers = line.split()
            self.places.setdefault(name, []).append(dict(zip(("at", "word", "map", "flags", "count"), (int(n, 16) for n in numbers))))
        self.pid = self.places.pop("pid")[0]["at"]

    @functools.cached_property
    def flags(self):
        data = (self.dump.oracle / "kpageflags").read_bytes()
        return struct.unpack(f"<{len(data) // 8}Q", data)

    @functools.cached_property
    def counts(self):
        data = (self.dump.oracle / "kpagecount").read_bytes()
        return struct.unpack(f"<{len(data) // 8}Q", data)

    @functools.cached_property
    def rows(self):
        """kmem -p by page frame."""
        return {int(row["physical"], 16) // PAGE: row for row in lab.query(self.dump, "kmem -p")["pages"]}


    @functools.cached_property
    def walks(self):
        """vtop of every place of the program, in order: (name, place, what vtop says)."""
        places = [(name, place) for name, several in self.places.items() for place in several]
        value = lab.query(self.dump, f"vtop -c {self.pid} " + " ".join(f"{place['at']:x}" for _, place in places))
        assert json_schema.faults("vtop", value) == []
        return [(name, place, found) for (name, place), found in zip(places, value["translations"])]

    def walk(self, wanted):
        return next(found for name, _, found in self.walks if name == wanted)

    def lines(self, *lines):
        """What several commands say, in one run."""
        return lab.query(self.dump, "; ".join((*lines, "sym panic")))["commands"][:-1]


@functools.cache
def patterns():
    return [Pattern(dump) for dump in lab.dumps(name="patterns", capture="qemu-elf")]


def on_each(test):
    """A test of one dump is run on each."""
    @functools.wraps(test)
    def run(self):
        if not patterns():
            self.skipTest("the lab has no dump of the scenario patterns")
        for pattern in patterns():
            with self.subTest(dump=str(pattern.dump)):
                test(self, pattern)
    return run


def free(row):
    return row["kind"].startswith("free")


class Pages(unittest.TestCase):
    # How many pages may differ, of a thousand: what the scenario's last steps changed, which take memory and give it back.
    CHANGED, FREED = 15, 80
    KINDS = {"slab": SLAB, "huge page (hugetlb)": HUGETLB, "anonymous": ANON, "page table": PAGE_TABLE}

    @on_each
    def test_all_pages_are_what_the_kernel_said(self, pattern):
        wrong, compared, freed = {}, 0, 0
        for frame, flags in enumerate(pattern.flags):
            row = pattern.rows.get(frame)
            if flags & NOPAGE or not row:
                self.assertTrue(not row or flags & NOPAGE, f"{frame:x}: {flags:x}")
                continue
            compared += 1
            if free(row) or flags & BUDDY:
                freed += free(row) != bool(flags & BUDDY)
                continue
            names = set(row["flag_names"].split(","))
            for kind, bit in self.KINDS.items():
                # A page of the pool in use is anonymous, too: one of 512 frames, nothing that changed.
                if (row["kind"] == kind) != bool(flags & bit and not (bit == ANON and flags & HUGETLB)):
                    wrong.setdefault(kind, []).append(f"{frame:x}")
            if not flags & (HEAD | TAIL | SLAB | HUGETLB | PAGE_TABLE):
                for bit, name in FLAGS.items():
                    if bool(flags >> bit & 1) != (name in names):
                        wrong.setdefault(name, []).append(f"{frame:x}")
        print(f"{pattern.dump}: {compared} pages, otherwise than the kernel said: {freed} free,", {name: len(frames) for name, frames in wrong.items()})
        self.assertGreater(compared, 50000)
        self.assertLess(freed, compared * self.FREED // 1000)
        for name, frames in wrong.items():
            self.assertLess(len(frames), compared * self.CHANGED // 1000, (name, frames[:5]))

    @on_each
    def test_how_often_pages_are_mapped(self, pattern):
        """Single pages of users by _mapcount, which counts from -1."""
        frames = [frame for frame, flags in enumerate(pattern.flags) if flags >> 5 & 1 and not flags & (HEAD | TAIL | BUDDY | SLAB | HUGETLB)]
        value = lab.query(pattern.dump, "kmem -m _mapcount,_refcount,lru,flags")
        self.assertEqual(json_schema.faults("kmem", {"page_members": value["page_members"][:100]}), [])
        rows = {row["page"]: row for row in value["page_members"]}
        self.assertEqual(len(rows), len(pattern.rows))
        right = [frame for frame in frames if rows[pattern.rows[frame]["page"]]["_mapcount"] + 1 == pattern.counts[frame]]
        self.assertGreater(len(frames), 1000)
        self.assertGreater(len(right), len(frames) * 0.75)
        for row in list(rows.values())[::5000]:
            self.assertEqual(set(row), {"page", "_mapcount", "_refcount", "lru.next", "lru.prev", "flags", "values"})

    @on_each
    def test_known_pages(self, pattern):
        """Those that the program holds, by every way to name them."""
        kinds = {"plain": "anonymous", "huge": "anonymous", "pool": "huge page (hugetlb)", "shared": "page cache", "stack": "anonymous",
                 "file": "page cache", "closed": "anonymous"}
        frames = {name: pattern.places[name][0]["map"] & PAGE_FRAME for name in kinds}
        rows = {name: pattern.rows[frame] for name, frame in frames.items()}
        by_frame = " ".join(f"pfn:{frame:x}" for frame in frames.values())
        physical = " ".join(f"{frame * PAGE:x}" for frame in frames.values())
        pages = " ".join(row["page"] for row in rows.values())
        listed = pattern.lines(f"kmem -p {by_frame}", f"kmem -p {physical}", f"kmem -p -P {physical}", f"kmem -p {pages}")
        for part in listed:
            self.assertEqual(part["pages"], list(rows.values()))
        for part in pattern.lines(f"kmem {by_frame}", f"kmem -P {physical}", f"kmem {pages}"):
            self.assertEqual([(found["page"]["kind"], found["page"]["page"]) for found in part["addresses"]], [(kinds[name], row["page"]) for name, row in rows.items()])
            for name, found in zip(kinds, part["addresses"]):
                # The program's own file was mapped by its parent, too, who is gone.
                if name != "file" and not pattern.places[name][0]["flags"] & (HEAD | TAIL):
                    self.assertEqual(found["page"]["mapcount"], pattern.places[name][0]["count"], name)
        # A page in use is on no free list.
        self.assertEqual({found["free"] for found in lab.query(pattern.dump, f"kmem -f {by_frame}")["free_blocks"]}, {False})

    @on_each
    def test_pages_in_free_blocks(self, pattern):
        blocks = {}
        for zone in lab.query(pattern.dump, "kmem -F")["free"]:
            for area in zone["areas"]:
                blocks.update({int(block["phys"], 16): (zone["zone"], area["order"], area["migrate_type"]) for block in area["list"]})
        some = sorted(blocks)[::max(1, len(blocks) // 40)]
        inside = [start + (PAGE << blocks[start][1]) - PAGE for start in some]
        found = lab.query(pattern.dump, "kmem -f -P " + " ".join(f"{address:x}" for address in some + inside))
        self.assertEqual(json_schema.faults("kmem", found)[:3], [])
        for start, row in zip(some + some, found["free_blocks"]):
            self.assertTrue(row["free"])
            self.assertEqual(int(row["block"], 16), start)
            self.assertEqual((row["zone"], row["order"]), blocks[start][:2])

    @on_each
    def test_shared_pages(self, pattern):
        """More pages have several references than are mapped several times; no free one has any."""
        (row,) = lab.query(pattern.dump, "kmem -i=shared")["shared"]
        several = sum(1 for frame in pattern.rows.values() if frame["count"] > 1 and not free(frame))
        self.assertEqual(row["pages"], several)
        self.assertGreater(several, sum(1 for count, flags in zip(pattern.counts, pattern.flags) if count > 1 and not flags & (HEAD | TAIL)) // 2)

    @on_each
    def test_zone_counters(self, pattern):
        text, mlocked = (pattern.dump.oracle / "proc" / "zoneinfo").read_text(), 0
        for part in lab.query(pattern.dump, "kmem -z")["zone_counters"]:
            told = re.search(rf"^Node {part['node']}, zone +{part['zone']}\n(.*?)(?=^Node|\Z)", text, re.M | re.S)[1]
            values = {row["name"].lower(): row["value"] for row in part["values"]}
            mlocked += values["nr_mlock"]
            for name in "nr_bounce", "nr_free_cma":
                wanted = re.search(rf"^ +{name} +(\d+)$", told, re.M)
                if wanted and name in values:
                    self.assertEqual(values[name], int(wanted[1]), name)
            self.assertAlmostEqual(values["nr_free_pages"], int(re.search(r"nr_free_pages +(\d+)", told)[1]), delta=4096)
        # The program locked them just before: in /proc/zoneinfo what its CPU has counted since the last second is not in yet.
        self.assertEqual(mlocked, sum("mlocked" in row["flag_names"].split(",") for row in pattern.rows.values()))
        self.assertGreaterEqual(mlocked, 4)

    @on_each
    def test_blocks_of_memory(self, pattern):
        """All of this machine's is online; sections and blocks cover it."""
        value = lab.query(pattern.dump, "kmem -n")
        self.assertEqual({block["state"] for block in value["memory_blocks"]}, {"online"})
        sections = [section["number"] for section in value["sections"]]
        self.assertEqual([block["start_section"] for block in value["memory_blocks"]], sections)
        self.assertEqual([int(block["start"], 16) // PAGE for block in value["memory_blocks"]], [int(s["pfn"], 16) if "pfn" in s else int(s["start_pfn"], 16) for s in value["sections"]])

    @on_each
    def test_slab_caches_by_name_and_object(self, pattern):
        names = {row["name"] for row in lab.query(pattern.dump, "kmem -s list")["cache_names"]}
        self.assertEqual(names, {row["name"] for row in lab.query(pattern.dump, "kmem -s")["caches"]})
        at = pattern.parameters["kmalloc_at"]
        for option in "-s", "-S":
            (found,) = lab.query(pattern.dump, f"kmem {option} {at:x}")["addresses"]
            self.assertEqual((found["slab"]["cache"].replace("kmalloc-rnd-01-", "kmalloc-"), found["slab"]["state"]), ("kmalloc-128", "allocated"))
            self.assertEqual(found["slab"]["offset"], 40)

    @on_each
    def test_vmalloc_by_either_address(self, pattern):
        virtual, physical = pattern.parameters["vmalloc_at"], pattern.parameters["vmalloc_phys"]
        areas = lab.query(pattern.dump, f"kmem -v {virtual:x} {physical:x}; kmem -v -P {physical:x}")["commands"]
        (one, two), (three,) = areas[0]["vmalloc_areas"], areas[1]["vmalloc_areas"]
        self.assertEqual((one, one), (two, three))
        self.assertLess(int(one["start"], 16), virtual)
        self.assertEqual(one["pages"], 3)

    @on_each
    def test_pools_of_huge_pages(self, pattern):
        told = dict(re.findall(r"^(\w+): +(\d+)", (pattern.dump.oracle / "proc" / "meminfo").read_text(), re.M))
        pools = {row["size"]: row for row in lab.query(pattern.dump, "kmem -h")["huge_pages"]}
        pool = pools[int(told["Hugepagesize"]) << 10]
        self.assertEqual([pool[key] for key in ("total", "free", "reserved", "surplus")],
                         [int(told[f"HugePages_{key}"]) for key in ("Total", "Free", "Rsvd", "Surp")])
        self.assertEqual(pool["free"], pool["total"] - 1)

    @on_each
    def test_flags_by_name(self, pattern):
        """-g of a number has the names that -p has, with bits that make the number; -g alone has all."""
        every = {row["name"]: row["bit"] for row in lab.query(pattern.dump, "kmem -g")["flags"]}
        rows = {row["flags"]: row["flag_names"] for row in pattern.rows.values()}
        for (flags, names), part in zip(rows.items(), pattern.lines(*[f"kmem -g {flags}" for flags in rows])):
            self.assertEqual([row["name"] for row in part["flags"]], [name for name in names.split(",") if name])
            for row in part["flags"]:
                self.assertEqual((row["bit"], int(row["mask"], 16)), (every[row["name"]], 1 << row["bit"]))
                self.assertTrue(int(flags, 16) >> row["bit"] & 1)

    def test_damaged_dumps_give_what_they_have(self):
        """Cut off and with holes: no command falls over, and what is missing is said."""
        lines = ["kmem -n", "kmem -z", "kmem -f", "kmem -f 1000", "kmem -s list", "kmem -i=shared", "kmem -p 1000 2000", "kmem -m lru,flags 1000", "kmem -P 100000",
                 "kmem -v 1000000", "search -t ffffffff", "search -u 7f", "search -k -c Linux", "vtop -c 1 400000", "pte 8000000001aa6067", "ptov 1000",
                 "rd -f 0 4", "rd -S init_task 64", "wr -p 1000 5"]
        damaged = [*lab.dumps(truncate=60), *lab.dumps(name="many-tasks", series="6.12", makedumpfile="old", capture="kdump")]
        if not damaged:
            self.skipTest("the lab has no damaged dump")
        for dump in damaged:
            for line in lines:
                with self.subTest(dump=str(dump), line=line):
                    run = lab.inquest("--json", "-c", line, dump.vmcore)
                    self.assertIn(run.returncode, (0, 1), run.stderr)
                    value = json.loads(run.stdout)
                    self.assertEqual(json_schema.faults(line.split()[0], value)[:3], [])
                    if run.returncode:
                        self.assertTrue(run.stderr or any(r["kind"] != "note" for r in value["remarks"]), line)

    def test_what_is_no_more(self):
        for dump in lab.dumps(name="patterns")[:1]:
            for line, said in (("kmem -c", "no page hash"), ("kmem -C", "no page hash"), ("kmem -i=all", "only -i=shared"), ("kmem -m lru,nothing", "no member"),
                               ("kmem -P ffff888000000000", "ends before"), ("kmem", "what of")):
                run = lab.inquest("-c", line, dump.vmcore)
                self.assertEqual(run.returncode, 1)
                self.assertIn(said, run.stderr)


class Translation(unittest.TestCase):
    @on_each
    def test_user_pages_are_where_pagemap_says(self, pattern):
        for name, place, found in pattern.walks:
            entry = place["map"]
            if entry & PRESENT:
                self.assertEqual(int(found["physical"], 16), (entry & PAGE_FRAME) * PAGE + place["at"] % PAGE, name)
                self.assertEqual(found["page_size"], {"huge": 2 << 20, "pool": 2 << 20}.get(name, PAGE), name)
                self.assertEqual(found["page"]["page"], pattern.rows[entry & PAGE_FRAME]["page"])
            elif entry & SWAPPED:
                # Documentation/admin-guide/mm/pagemap.rst: type in bits 0 to 4, offset in 5 to 54, whatever the entry is.
                swap = found["swap_entry"]
                self.assertEqual((swap["type"], swap["offset"]), (entry & 31, (entry & PAGE_FRAME) >> 5), name)
                self.assertIsNone(found["physical"])
            else:
                self.assertEqual((name, found["status"]), ("never", "not mapped"))
            self.assertLessEqual(int(found["mapping"]["start"], 16), place["at"])
        self.assertGreater(len(pattern.walks), 12)

    @on_each
    def test_where_pages_are_that_are_away(self, pattern):
        """Swapped out to the device that swapon was given; lost where the kernel knows such (CONFIG_MEMORY_FAILURE)."""
        away = [found for name, _, found in pattern.walks if name == "away"]
        entries = lab.query(pattern.dump, "pte " + " ".join(found["walk"][-1]["entry"] for found in away))["entries"]
        for found, entry in zip(away, entries):
            self.assertEqual((found["swap_entry"]["kind"], found["swap_entry"]["device"]), ("swap", "/dev/vda1"))
            self.assertRegex(found["away"], r"^swapped out to /dev/vda1, page \d+$")
            self.assertEqual(entry["swap_entry"], found["swap_entry"])
        run = lab.inquest("-c", f"vtop -c {pattern.pid} {away[0]['virtual']}", pattern.dump.vmcore)
        self.assertEqual(run.returncode, 0)
        if "lost" in pattern.places:
            entry = pattern.walk("lost")["swap_entry"]
            self.assertEqual(entry["kind"], "hwpoison")
            self.assertIn("hwpoison", pattern.rows[int(entry["pfn"], 16)]["flag_names"])

    @on_each
    def test_damage_is_no_swap(self, pattern):
        """Such an entry in an upper level, or in the kernel's tables, is no page that is away."""
        user, kernel = pattern.walk("plain"), pattern.lines(f"vtop {pattern.parameters['vmalloc_at']:x}")[0]["translations"][0]
        upper, leaf = user["walk"][0]["entry_address"], kernel["walk"][-1]["entry_address"]
        at = user["virtual"]
        done = pattern.lines(f"wr -p {upper} 07fffffffffffc02", f"vtop -c {pattern.pid} {at}", f"rd -c {pattern.pid} {at}", "wr -d", f"wr -p {leaf} 07fffffffffffc02",
                             f"vtop {kernel['virtual']}", "wr -d", f"vtop -c {pattern.pid} {at}")
        for part in done[1], done[5]:
            self.assertNotIn("away", part["translations"][0])
            self.assertEqual(part["translations"][0]["status"], "not mapped")
        self.assertFalse([remark for remark in done[2]["remarks"] if "swapped" in remark["text"]])
        self.assertEqual(done[7]["translations"], [user])

    @on_each
    def test_entries_and_mappings(self, pattern):
        mapping = pattern.walk("file")["mapping"]
        self.assertEqual((mapping["file"], mapping["file_offset"]), ("/scenario/patterns", "0x1000"))
        names = "plain", "file", "stack", "closed"
        entries = lab.query(pattern.dump, "pte " + " ".join(pattern.walk(name)["walk"][-1]["entry"] for name in names))["entries"]
        for name, entry in zip(names, entries):
            self.assertEqual(int(entry["physical"], 16), (pattern.places[name][0]["map"] & PAGE_FRAME) * PAGE)
            self.assertTrue(entry["in_dump"])
            flags = entry["flags"].split("|")
            self.assertEqual("PROTNONE" if name == "closed" else "PRESENT", flags[0] if name != "closed" else flags[-1])
            self.assertEqual("RW" in flags, name in ("plain", "stack"))

    @on_each
    def test_kernel_addresses(self, pattern):
        at = f"{pattern.parameters['kmalloc_at']:x} {pattern.parameters['vmalloc_at']:x} {pattern.parameters['pages_at']:x}"
        for part in pattern.lines(f"vtop {at}", f"vtop -k {at}", f"vtop -c {pattern.pid} {at}", f"vtop -c 2 {at}"):
            found = part["translations"]
            self.assertEqual([int(f["physical"], 16) for f in found[:2]], [pattern.parameters["kmalloc_phys"], pattern.parameters["vmalloc_phys"]])
            self.assertEqual(int(found[2]["page"]["head"], 16), pattern.parameters["pages_struct"])

    @on_each
    def test_what_is_there_is_read(self, pattern):
        """rd finds each word by its virtual and its physical address."""
        names = "data", "kmalloc", "vmalloc", "pages", "stack"
        found = pattern.lines(*[f"rd {pattern.parameters[f'{name}_at']:x}" for name in names])
        self.assertEqual([test_memory.words(part) for part in found], [[pattern.parameters[f"{name}_word"]] for name in names])
        places = [pattern.places[name][0] for name in ("plain", "huge", "pool", "shared", "stack", "closed")]
        virtual = pattern.lines(*[f"rd -c {pattern.pid} {place['at']:x}" for place in places])
        physical = pattern.lines(*[f"rd -p {(place['map'] & PAGE_FRAME) * PAGE + place['at'] % PAGE:x}" for place in places])
        for place, one, two in zip(places, virtual, physical):
            self.assertEqual((test_memory.words(one), test_memory.words(two)), ([place["word"]], [place["word"]]))
        lines = [f"rd -a -c {pattern.pid} {pattern.places['string'][0]['at']:x}", f"rd -a {pattern.parameters['string_at']:x}"]
        for part, whose in zip(pattern.lines(*lines), ("user", "kernel")):
            self.assertEqual(part["memory"][0]["ascii"], f"inquest patterns: {whose} string {pattern.parameters['seed']:x}")


def places(part):
    return [int(hit["address"], 16) for hit in part["hits"]]


def in_file(pattern, data):
    """Physical addresses of these bytes in the ELF file, at multiples of their size."""
    found = []
    for physical, whole, at, size in test_refs.segments(pattern.dump.vmcore):
        start = at
        while (start := whole.find(data, start, at + size)) >= 0:
            found.append(physical + start - at)
            start += 1
    return sorted(place for place in found if place % len(data) == 0)


class Search(unittest.TestCase):
    KERNEL, USER = ("data", "kmalloc", "vmalloc", "pages", "stack"), ("plain", "huge", "pool", "shared", "stack", "closed")

    @on_each
    def test_kernel_words(self, pattern):
        """Each at its place, by every option, and at no other than the file has."""
        at = {name: pattern.parameters[f"{name}_at"] for name in self.KERNEL}
        words = {name: pattern.parameters[f"{name}_word"] for name in self.KERNEL}
        parts = pattern.lines(*[f"search {option} {words[name]:x}" for name in self.KERNEL for option in ("-k", "-p", "-V", "-K", "-t", "-T")])
        self.assertEqual(json_schema.faults("search", parts[0])[:3], [])
        direct = int(pattern.lines("ptov 0")[0]["translations"][0]["direct"][0]["virtual"], 16)
        for n, name in enumerate(self.KERNEL):
            kernel, physical, no_direct, no_vmalloc, stacks, active = parts[6 * n:6 * n + 6]
            self.assertIn(at[name], places(kernel))
            self.assertEqual(places(physical), in_file(pattern, words[name].to_bytes(8, "little")))
            # Module memory, vmalloc areas and stacks are not in the direct map; the others are only there.
            self.assertEqual(at[name] in places(no_direct), name in ("data", "vmalloc", "stack"), name)
            self.assertTrue(all(direct <= place < direct + (1 << 40) or place >= 0xffffffff80000000 for place in places(no_vmalloc)))
            self.assertEqual(len(places(no_vmalloc)), len(places(physical)))
            if name == "vmalloc":
                self.assertIn(direct + pattern.parameters["vmalloc_phys"], places(no_vmalloc))
            self.assertEqual([(hit["pid"], hit["comm"]) for hit in stacks["hits"] if int(hit["address"], 16) == at[name]],
                             [(pattern.parameters["stack_pid"], "patterns")] if name == "stack" else [])
            self.assertNotIn(at[name], places(active))

    @on_each
    def test_user_words(self, pattern):
        """In every kind of user memory, and nowhere else."""
        words = {name: pattern.places[name][0]["word"] for name in self.USER}
        lines = [f"search -u {words[name]:x}" for name in self.USER]
        parts = pattern.lines(f"set {pattern.pid}", *lines, f"search -u -c 'inquest patterns: user'", f"search -u -w {words['plain'] >> 32:x}", f"search -u {pattern.parameters['kmalloc_word']:x}")
        for name, part in zip(self.USER, parts[1:]):
            self.assertIn(pattern.places[name][0]["at"], places(part), name)
            self.assertEqual({(hit["pid"], hit["comm"]) for hit in part["hits"]}, {(pattern.pid, "patterns")})
        strings, halves, nothing = parts[-3:]
        away = len(pattern.places["away"]) + len(pattern.places.get("lost", []))
        (remark,) = nothing["remarks"]
        told = int(re.match(r"(\d+) pages of the process could not be searched", remark["text"])[1])
        self.assertTrue(away <= told < 100, told)
        (missing, where) = pattern.lines(f"rd -c {pattern.pid} {pattern.places['away'][0]['at']:x}")[0]["remarks"]
        self.assertEqual((missing["kind"], where["kind"]), ("missing", "note"))
        self.assertIn("swapped out to /dev/vda1, page ", where["text"])
        self.assertIn(pattern.places["string"][0]["at"], places(strings))
        self.assertIn(pattern.places["plain"][0]["at"] + 4, places(halves))
        self.assertEqual(nothing["hits"], [])
        # By their physical addresses, with what pagemap says.
        for name, part in zip(self.USER, pattern.lines(*[f"search -p {word:x}" for word in words.values()])):
            place = pattern.places[name][0]
            self.assertIn((place["map"] & PAGE_FRAME) * PAGE + place["at"] % PAGE, places(part))

    @on_each
    def test_widths_masks_ranges_and_context(self, pattern):
        at, word = pattern.parameters["pages_at"], pattern.parameters["pages_word"]
        page = at & -PAGE
        lines = [f"search -w {word & 0xffffffff:x} -s {page:x} -l 4096", f"search -w {word >> 32:x} -s {page:x} -e {page + PAGE:x}",
                 f"search -h {word >> 48:x} -s {page:x} -l 4096", f"search -m ffffffff {word & ~0xffffffff:x} -s {page:x} -l 4096",
                 f"search -x 2 {word:x} -s {page:x} -l 4096", f"search {word:x} -s {at + 8:x} -l 4096", f"search {word:x} -s {page:x} -e {at:x}",
                 f"search -p -s {at - page:x} -e {1 << 40:x} {word:x}", f"search 1 {word:x} -s {page:x} -l 4096"]
        low, high, top, masked, context, behind, before, physical, two = pattern.lines(*lines)
        self.assertEqual([places(part) for part in (low, high, top, masked, context, behind, before, two)],
                         [[at], [at + 4], [at + 6], [at], [at], [], [], [at]])
        self.assertEqual([(int(line["address"], 16), int(line["value"], 16)) for line in context["hits"][0]["context"]],
                         [(at + 8 * n, word if n == 0 else 0) for n in range(-2, 3)])
        self.assertEqual(places(physical), in_file(pattern, word.to_bytes(8, "little")))

    @on_each
    def test_symbols_and_expressions(self, pattern):
        task = next(row["address"] for row in pattern.lines("sym init_task")[0]["symbols"])
        number, symbol, same, more = pattern.lines(f"search -k {task}", "search init_task", "search (init_task)", "search (init_task+8-8)")
        self.assertTrue(number["hits"])
        for part, wanted in ((number, None), (symbol, "init_task"), (same, "(init_task)"), (more, "(init_task+8-8)")):
            self.assertEqual(places(part), places(number))
            self.assertEqual({hit["wanted"] for hit in part["hits"]}, {wanted})

    @on_each
    def test_strings_over_the_border_of_pages(self, pattern):
        """Put there by wr: in a vmalloc area, whose pages are anywhere, in the direct map and in user memory."""
        area = pattern.parameters["vmalloc_at"] & -PAGE
        pages = pattern.parameters["pages_at"] & -PAGE
        user = pattern.places["plain"][0]["at"] & -PAGE
        text = b"Borderline"
        writes = [f"wr -8 {border - 4 + i:x} {byte:x}" for border in (area, pages, user) for i, byte in enumerate(text)]
        done = pattern.lines(f"set {pattern.pid}", *writes, f"search -c {text.decode()}", f"search -u -c {text.decode()}", f"search -p -c {text.decode()}",
                             f"search -V -c {text.decode()}", f"search -c {text.decode()} -s {area - PAGE:x} -l 8192", f"search -c Nowhere{text.decode()}")
        kernel, of_user, physical, no_direct, ranged, nothing = done[-6:]
        self.assertLessEqual({area - 4, pages - 4}, set(places(kernel)))
        self.assertEqual([(place, hit["text"]) for place, hit in zip(places(of_user), of_user["hits"])], [(user - 4, text.decode())])
        self.assertTrue(places(physical))
        self.assertEqual((places(no_direct), places(ranged), nothing["hits"]), ([area - 4], [area - 4], []))

    def test_what_a_dump_lacks_is_told(self):
        """Filtered: so many pages; whole: nothing; cut off or with holes: exit status 1."""
        filtered = lab.dumps(name="sysrq", capture="kdump-all")
        for dump in filtered:
            whole, less = (lab.inquest("--json", "-c", "search -p init_task", dump.folder / f"{form}.vmcore") for form in ("new-lzo-full", "new-lzo"))
            self.assertEqual((whole.returncode, less.returncode), (0, 0))
            whole, less = json.loads(whole.stdout), json.loads(less.stdout)
            self.assertNotIn("remarks", whole)
            (remark,) = less["remarks"]
            self.assertRegex(remark["text"], r"^\d+ pages \(\d+ MiB\) could not be searched: excluded")
            self.assertLessEqual(set(places(less)), set(places(whole)))
        for dump in lab.dumps(name="many-tasks", truncate=60)[:1]:
            run = lab.inquest("-c", "search -p -c Linux", dump.vmcore)
            self.assertEqual(run.returncode, 1)
            self.assertRegex(run.stdout, r"(?m)^missing: \d+ pages cannot be read: behind the end of the dump")
            self.assertRegex(run.stdout, r"(?m)^[0-9a-f]{16} +Linux")
        for dump in lab.dumps(name="many-tasks", series="6.12", makedumpfile="old", capture="kdump")[:1]:
            run = lab.inquest("-c", "search -t init_task", dump.vmcore)
            self.assertIn("init_task", run.stdout)


if __name__ == "__main__":
    unittest.main()
