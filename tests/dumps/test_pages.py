# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pages, vmalloc areas and user mappings against what /proc said just before the crash."""

import functools
import json
import re
import struct
import unittest

import json_schema
import lab

PAGE = 4096


def whole_dumps():
    """All but those that were cut off, and those from which slab pages are missing."""
    for dump in lab.dumps(truncate=100):
        if not dump.holed:
            yield dump


def maps_lines(text):
    """(start, end, permissions, offset, name) of /proc/PID/maps. The vsyscall page is no mapping."""
    for line in text.splitlines():
        m = re.fullmatch(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) \S+ \d+ *(.*)", line)
        if m and m[5] != "[vsyscall]":
            yield int(m[1], 16), int(m[2], 16), m[3], int(m[4], 16), m[5].rstrip()


def lived_through(dump):
    """{pid: its /proc/PID/maps} of processes that the oracle saw and that still sleep there."""
    found = {}
    for task in lab.query(dump, "ps -u")["tasks"]:
        folder = dump.oracle / "tasks" / str(task["pid"])
        if not (folder / "maps").exists() or task["state"] not in "SDTtI":
            continue
        name = re.search(r"^Name:\t(.*)$", (folder / "status").read_text(), re.M)[1]
        lines = list(maps_lines((folder / "maps").read_text()))
        if name == task["comm"] and lines:
            found[task["pid"]] = lines
    return found


def busy_pids(dump):
    """Who reads the oracles, and the shells that wait for it and then crash the machine: they may
    still ask for memory."""
    rows = [line.split("\t") for line in (dump.oracle / "ps.tsv").read_text().splitlines()[1:]]
    parent = {int(row[0]): int(row[2]) for row in rows}
    busy = set()
    for row in rows:
        pid = int(row[0]) if row[-1] == "1" else 0
        while pid > 1 and pid not in busy:
            busy.add(pid)
            pid = parent.get(pid, 0)
    return busy


class Mappings(unittest.TestCase):
    def test_vm_is_proc_pid_maps(self):
        """Of every process that lived through: each line, in order, with permissions, offset and path."""
        compared = 0
        for dump in whole_dumps():
            wanted, busy = lived_through(dump), busy_pids(dump)
            pids = [str(pid) for pid in wanted][:40]
            if not pids:
                continue
            value = lab.query(dump, "vm " + " ".join(pids))
            self.assertEqual(json_schema.faults("vm", value)[:3], [])
            for space in value["address_spaces"]:
                with self.subTest(dump=str(dump), pid=space["pid"], comm=space["comm"]):
                    rows = [(int(r["start"], 16), int(r["end"], 16), r["permissions"], int(r["offset"], 16),
                             r["name"]) for r in space["mappings"]]
                    expected = wanted[space["pid"]]
                    if space["pid"] in busy:
                        rows, expected = ([r for r in part if r[4].startswith("/")] for part in (rows, expected))
                    self.assertEqual(rows, expected)
                    compared += len(rows)
        print(f"mappings compared: {compared}")
        self.assertGreater(compared, 0)


def siphash(key, value):
    """SipHash-2-4 of one 64-bit number, as lib/siphash.c does for %p."""
    mask = (1 << 64) - 1
    v = [key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261,
         key[1] ^ 0x7465646279746573]

    def rotate(x, bits):
        return (x << bits | x >> (64 - bits)) & mask

    def rounds(count):
        for _ in range(count):
            v[0] = v[0] + v[1] & mask
            v[1] = rotate(v[1], 13) ^ v[0]
            v[0] = rotate(v[0], 32)
            v[2] = v[2] + v[3] & mask
            v[3] = rotate(v[3], 16) ^ v[2]
            v[0] = v[0] + v[3] & mask
            v[3] = rotate(v[3], 21) ^ v[0]
            v[2] = v[2] + v[1] & mask
            v[1] = rotate(v[1], 17) ^ v[2]
            v[2] = rotate(v[2], 32)

    for word in value, 8 << 56:
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xff
    rounds(4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


@functools.cache
def usage_of(vmcore):
    run = lab.inquest("--json", "-c", "kmem -i", vmcore)
    return json.loads(run.stdout)


def usage(dump):
    return usage_of(dump.vmcore)


def meminfo(dump):
    """/proc/meminfo in bytes."""
    text = (dump.oracle / "proc" / "meminfo").read_text()
    return {name: int(kb) << 10 for name, kb in re.findall(r"^(\S+): +(\d+) kB$", text, re.M)}


class Usage(unittest.TestCase):
    # These do not change between the oracle and the crash.
    CONSTANT = "MemTotal", "SwapTotal", "SwapFree", "CommitLimit", "Hugetlb"
    # Every page's owner against the kernel's counters at the same moment. A CPU may have been stopped
    # between changing a page and counting it; anonymous pages that nobody maps any more are not counted.
    BLOCK = 1024 + 64
    SAME = ("free (buddy)", "MemFree", BLOCK), ("page cache", "Cached", 64), ("anonymous", "AnonPages", 2048), \
           ("page table", "PageTables", 64), ("vmalloc", "VmallocUsed", BLOCK)

    def test_every_page_is_counted_as_the_kernel_counts(self):
        unknown = []
        for dump in whole_dumps():
            value = usage(dump)
            self.assertEqual(json_schema.faults("kmem", value)[:3], [])
            lines = {line["name"]: line["pages"] for line in value["meminfo"]}
            kinds = {kind["kind"]: kind["pages"] for kind in value["kinds"]}
            loose = kinds["in use, by whom nothing says"]
            unknown.append(f"{loose / sum(kinds.values()):.1%}")
            with self.subTest(dump=str(dump), kinds=kinds):
                # Pages of block devices are in the page cache, too, and counted apart.
                if lines["Cached"] is not None:
                    lines["Cached"] += lines["Buffers"] or 0
                for kind, name, tolerance in self.SAME:
                    if lines[name] is not None and not value.get("remarks"):
                        self.assertAlmostEqual(kinds.get(kind, 0), lines[name], delta=tolerance, msg=kind)
                # kmalloc() beyond the largest cache counts as slab, but its pages are nobody's up to 6.12; those of
                # KFENCE are of no slab until they are used.
                self.assertLessEqual(kinds["slab"], lines["Slab"] + 600)
                self.assertGreaterEqual(kinds["slab"] + kinds.get("large kmalloc", 0) + loose, lines["Slab"])
        print("pages of which nothing says whose they are:", " ".join(unknown))
        self.assertTrue(unknown)

    def test_meminfo_is_that_of_proc(self):
        for dump in whole_dumps():
            wanted = meminfo(dump)
            lines = {line["name"]: line["bytes"] for line in usage(dump)["meminfo"]}
            with self.subTest(dump=str(dump)):
                self.assertEqual({name: lines[name] for name in self.CONSTANT},
                                 {name: wanted[name] for name in self.CONSTANT})
                for name, size in lines.items():
                    # What reads the oracles is gone in the dump, with its memory; some scenarios use much more then.
                    if size is not None and dump.meta["name"] in ("sysrq", "null-ioctl", "timer-panic", "recursion"):
                        self.assertAlmostEqual(size, wanted[name], delta=40 << 20, msg=name)

    def test_free_lists_are_what_the_pages_say(self):
        for dump in whole_dumps():
            value = lab.query(dump, "kmem -f; kmem -z")["commands"]
            self.assertEqual(json_schema.faults("kmem", value[0])[:3], [])
            listed = {zone["zone"]: zone["free_pages"] for zone in value[0]["free"]}
            told = {zone["zone"]: zone["free"] for zone in value[1]["zones"] if zone["managed"]}
            pages = {kind["kind"]: kind["pages"] for kind in usage(dump)["kinds"]}
            with self.subTest(dump=str(dump)):
                self.assertEqual(set(listed), set(told))
                for zone, free in listed.items():
                    self.assertAlmostEqual(free, told[zone], delta=self.BLOCK)
                self.assertAlmostEqual(sum(listed.values()), pages.get("free (buddy)", 0), delta=self.BLOCK)

    def test_blocks_of_each_order_are_those_of_buddyinfo(self):
        """Of what nobody takes from between the reading and the crash: all of zone DMA, and the biggest blocks."""
        dumps = [dump for dump in whole_dumps() if dump.meta["name"] in ("sysrq", "null-ioctl", "abba", "freed-call")]
        if not dumps:
            self.skipTest("the lab has no dump of a machine that does little")
        for dump in dumps:
            with self.subTest(dump=str(dump)):
                lines = (dump.oracle / "proc" / "buddyinfo").read_text().splitlines()
                wanted = {line.split()[3]: [int(n) for n in line.split()[4:]] for line in lines}
                for zone in lab.query(dump, "kmem -f")["free"]:
                    blocks = [sum(a["blocks"] for a in zone["areas"] if a["order"] == order) for order in range(len(wanted[zone["zone"]]))]
                    if zone["zone"] == "DMA":
                        self.assertEqual(blocks, wanted["DMA"])
                    self.assertAlmostEqual(blocks[-1], wanted[zone["zone"]][-1], delta=8)

    def test_zones_are_those_of_proc(self):
        for dump in whole_dumps():
            wanted = {}
            text = (dump.oracle / "proc" / "zoneinfo").read_text()
            for part in re.split(r"^Node ", text, flags=re.M)[1:]:
                node, name = re.match(r"(\d+), zone +(\S+)", part).groups()
                numbers = {key: int(re.search(rf"^ +{key} +(\d+)", part, re.M)[1])
                           for key in ("min", "low", "high", "spanned", "present", "managed")}
                # While the kernel fights fragmentation, it shows and uses higher marks than those it has set.
                boost = re.search(r"^ +boost +(\d+)", part, re.M)
                for key in "min", "low", "high":
                    numbers[key] -= int(boost[1]) if boost else 0
                if numbers["spanned"]:
                    wanted[int(node), name] = numbers
            with self.subTest(dump=str(dump)):
                zones = lab.query(dump, "kmem -z")["zones"]
                self.assertEqual({(zone["node"], zone["zone"]): {key: zone[key] for key in wanted[zone["node"], zone["zone"]]}
                                  for zone in zones}, wanted)

    def test_free_blocks_are_named(self):
        dump = next(iter(whole_dumps()), None)
        if not dump:
            self.skipTest("no dump")
        for zone in lab.query(dump, "kmem -F")["free"]:
            for area in zone["areas"]:
                self.assertEqual(len(area["list"]), area["blocks"])
                self.assertFalse([b for b in area["list"] if int(b["phys"], 16) % area["block_size"]])

    def test_counters_are_those_of_proc(self):
        """Those that rarely change, by name."""
        for dump in whole_dumps():
            text = (dump.oracle / "proc" / "vmstat").read_text()
            wanted = {name: int(value) for name, value in re.findall(r"^(\S+) (\d+)$", text, re.M)}
            value = lab.query(dump, "kmem -V")
            sets = {part["set"]: {row["name"]: row["value"] for row in part["values"]} for part in value["counters"]}
            with self.subTest(dump=str(dump)):
                for kind in "SWAPIN", "SWAPOUT":
                    self.assertEqual(sets["vm_event_states"].get(f"P{kind}", 0), wanted.get(f"p{kind.lower()}", 0))
                # Events only grow.
                for name in "PGFAULT", "PGFREE", "PGACTIVATE", "DROP_PAGECACHE":
                    self.assertGreaterEqual(sets["vm_event_states"][name], wanted[name.lower()], name)
                self.assertGreaterEqual(sets["vm_numa_event"]["NUMA_HIT"], wanted["numa_hit"])
                # The file has only what the CPUs added up each second; pages under way may be more or fewer by now.
                writeback = sets["vm_node_stat"]["NR_WRITEBACK"]
                if writeback != wanted["nr_writeback"]:
                    flags = [row["flag_names"].split(",") for row in lab.query(dump, "kmem -p")["pages"]]
                    self.assertEqual(writeback, sum("writeback" in names for names in flags))


def physical_memory(dump):
    """A function that reads physical memory out of a QEMU ELF dump, by its program headers."""
    data = dump.vmcore.read_bytes()
    offset, size, count = (struct.unpack_from(form, data, at)[0] for form, at in (("<Q", 32), ("<H", 54), ("<H", 56)))
    loads = []
    for i in range(count):
        kind, _, start, _, phys, length = struct.unpack_from("<IIQQQQ", data, offset + i * size)
        if kind == 1:
            loads.append((phys, phys + length, start))

    def read(address, length):
        start = next(file - phys for phys, end, file in loads if phys <= address < end)
        return data[start + address:start + address + length]
    return read


class Owners(unittest.TestCase):
    def each_elf(self):
        found = {}
        for dump in whole_dumps():
            if dump.meta["capture"] == "qemu-elf" and dump.meta["modules"]:
                found.setdefault(dump.meta["series"], dump)
        if not found:
            self.skipTest("no ELF dump of a scenario with a module")
        return found.values()

    def test_file_pages_hold_their_file(self):
        """Each page in the page cache of the scenario's modules has the bytes of the file at its index."""
        for dump in self.each_elf():
            read, compared = physical_memory(dump), 0
            rows = {}
            for row in lab.query(dump, "kmem -p")["pages"]:
                if row["kind"] == "page cache":
                    rows.setdefault(row["mapping"], []).append(row)
            value = lab.query(dump, "kmem " + " ".join(part[0]["physical"] for part in rows.values()))
            self.assertEqual(json_schema.faults("kmem", value)[:3], [])
            paths = {entry["page"]["mapping"]: entry["page"].get("file") for entry in value["addresses"]}
            self.assertIn("/bin/busybox", paths.values())
            for file in (dump.folder / "modules").glob("*.ko"):
                data = file.read_bytes()
                pages = [part for mapping, part in rows.items() if (paths[mapping] or "").endswith("/" + file.name)]
                with self.subTest(dump=str(dump), file=file.name):
                    self.assertEqual(len(pages), 1)
                    self.assertEqual(sorted(int(row["index"], 16) for row in pages[0]),
                                     list(range((len(data) + PAGE - 1) // PAGE)))
                    for row in pages[0]:
                        wanted = data[int(row["index"], 16) * PAGE:][:PAGE]
                        self.assertEqual(read(int(row["physical"], 16), len(wanted)), wanted)
                        compared += 1
            print(f"{dump}: file pages compared: {compared}")
            self.assertGreater(compared, 0)

    def test_rows_and_addresses_agree(self):
        """A page looked up alone, by each of its addresses, is what it is in the scan over all of them."""
        for dump in self.each_elf():
            rows = lab.query(dump, "kmem -p")["pages"]
            some = rows[::len(rows) // 100]
            names = [name for row in some
                     for name in (row["page"], row["physical"], f"pfn:{int(row['physical'], 16) // PAGE:x}")]
            entries = lab.query(dump, "kmem " + " ".join(names))["addresses"]
            for i, entry in enumerate(entries):
                row = some[i // 3]
                self.assertEqual((entry["page"]["page"], entry["page"]["kind"], entry["page"]["flags"]),
                                 (row["page"], row["kind"], row["flags"]), names[i])
            # No page frame of this machine, nor with its upper bits cut off, nor as the upper bits of a kernel's address.
            for word, message in (("pfn:100000000001000", "no number"), ("pfn:ffff888003c5e", "ends before")):
                run = lab.inquest("-c", f"kmem {word}", dump.vmcore)
                self.assertEqual((run.returncode, message in run.stderr), (1, True), run.stderr)

    def test_user_memory_is_anonymous_or_of_its_file(self):
        """The page that a task's page tables give for an address has the owner that the mapping names."""
        for dump in self.each_elf():
            space = lab.query(dump, "vm 1")["address_spaces"][0]
            seen = set()
            for row in space["mappings"]:
                walk = lab.query(dump, f"vtop -u -c 1 {row['start']}")["translations"][0]
                if walk["status"] != "ok" or row["name"] in ("[vvar]", "[vdso]"):
                    continue
                page = lab.query(dump, "kmem " + walk["physical"])["addresses"][0]["page"]
                with self.subTest(dump=str(dump), mapping=row):
                    if row["name"].startswith("/"):
                        # A private page that was written to is anonymous.
                        self.assertIn(page.get("file", row["name"]), (row["name"],))
                        self.assertIn(page["kind"], ("page cache", "anonymous"))
                        if page["kind"] == "page cache":
                            self.assertEqual(page["file_offset"], row["offset"])
                    else:
                        self.assertIn(page["kind"], ("anonymous", "reserved", "kernel image"))  # the zero page
                    seen.add(page["kind"])
            self.assertIn("page cache", seen)


class Vmalloc(unittest.TestCase):
    # Memory of tasks, of open terminals and of modules comes and goes; all else stays.
    FLEETING = re.compile(r"kernel_clone|fork_idle|n_tty_open|load_module|module_alloc|bpf_prog|unpurged|kexec|do_sys|init_module|seq_|kvmalloc")
    # And these may come: modules of the scenario, memory for per-CPU variables.
    NEW = re.compile(FLEETING.pattern + r"|\[|pcpu_")

    def kinds(self, dump):
        return {kind["kind"] for kind in usage(dump)["kinds"]}

    def test_vmallocinfo_is_that_of_proc(self):
        """Every line, address, size, caller, pages, kind and nodes. The kernel prints addresses hashed; the
        key of the hash is in the dump."""
        compared = 0
        for dump in whole_dumps():
            if not (dump.oracle / "proc" / "vmallocinfo").exists():
                continue
            text = (dump.oracle / "proc" / "vmallocinfo").read_text()
            words = lab.query(dump, "rd ptr_key 2")["memory"][0]["values"]
            key = [int(word, 16) for word in words]
            value = lab.query(dump, "vmallocinfo")
            self.assertEqual(json_schema.faults("vmallocinfo", value)[:3], [])
            here, plain, partly = {}, text.startswith("0xffff"), set()
            for area in value["areas"]:
                # Hashed addresses have 32 bits; slub_debug turns hashing off.
                name = tuple(int(area[end], 16) if plain else siphash(key, int(area[end], 16)) & 0xffffffff
                             for end in ("start", "end"))
                # makedumpfile leaves large kmalloc()s of new kernels out, as long arrays of pages are.
                if area["nodes"] is None and "large kmalloc" in self.kinds(dump):
                    partly.add(name)
                rest = f"{area['size']} {area['caller']} {area['what']} {area['nodes'] or ''}"
                here[name] = " ".join(rest.split())
            wanted = {}
            for line in text.splitlines():
                m = re.fullmatch(r"0x([0-9a-f]+)-0x([0-9a-f]+) +(.*)", line)
                name = int(m[1], 16), int(m[2], 16)
                line = re.sub(r" N\d+=\d+", "", m[3]) if name in partly else m[3]
                wanted[name] = " ".join(line.split())
            with self.subTest(dump=str(dump)):
                stable = {name: line for name, line in wanted.items() if not self.FLEETING.search(line)}
                self.assertEqual({name: here.get(name) for name in stable}, stable)
                new = [line for name, line in here.items()
                       if name not in wanted and not self.NEW.search(line)]
                self.assertEqual(new, [])
                # Of what comes and goes most is still there, and then it is the same.
                both = set(wanted) & set(here)
                unlike = [(wanted[name], here[name]) for name in both if wanted[name] != here[name]
                          and not self.FLEETING.search(wanted[name])]
                self.assertEqual(unlike, [])
                self.assertGreater(len(both), len(wanted) // 2)
                compared += len(both)
        print(f"vmalloc areas compared: {compared}")
        self.assertGreater(compared, 0)


if __name__ == "__main__":
    unittest.main()
