# SPDX-License-Identifier: LGPL-2.1-or-later
"""Slab caches, slabs and objects against the kernel's own counts, on every dump of the lab.

What a cache is (name, sizes, objects and pages of a slab) must equal /proc/slabinfo of the guest.
How much is in it changes between the reading of slabinfo and the crash: the guest goes on opening
all of /proc and /sys (dentries, inodes, names), writes what it read to a disk (buffers, bios), and
dies. Hence two comparisons:

  - with slabinfo: most caches are not touched by that, and are equal to the object;
  - with the counters in the dump itself (kmem_cache_node.nr_slabs, .total_objects; slab.inuse):
    all caches, exactly, but for what CPUs had in hand when they were stopped.

The counters are read by `p`, which knows nothing of slabs."""

import json
import re
import shutil
import struct
import tempfile
import unittest

import json_schema
import lab

# Of the caches: those in which nothing happened between the reading of slabinfo and the crash.
EQUAL_SHARE = 0.7
# Scenarios of which every object is listed.
LISTED = ("sysrq", "many-tasks", "oom", "objects", "objects-debug", "slab-busy", "places")
# A CPU can be stopped with a slab made or unmade, but not yet counted.
SLABS_IN_HAND = 2


def slabinfo(dump):
    """{name: (active objects, objects, size, objects per slab, pages per slab, slabs)}"""
    found = {}
    for line in (dump.oracle / "proc" / "slabinfo").read_text().splitlines()[2:]:
        words = line.split()
        found[words[0]] = (*map(int, words[1:6]), int(words[14]))
    return found


def whole(dump):
    """Nothing that describes slabs is missing from it."""
    if dump.meta["truncate"] != 100 or not (dump.oracle / "proc" / "slabinfo").exists():
        return False
    return not dump.holed


def files(dump):
    """Its dump file, or the first of those that are one memory in several formats."""
    found = sorted(dump.folder.glob("*vmcore"))
    return found[:1]


def ask(path, line):
    run = lab.inquest("--json", "-c", line, path)
    if run.returncode not in (0, 1):
        raise AssertionError(f"{line:.80}: exit status {run.returncode}: {run.stderr[-500:]}")
    return json.loads(run.stdout)


def damaged(dump):
    """Scenarios that break slabs on purpose."""
    return dump.meta["name"] in ("planted", "double-free")


class OnDumps(unittest.TestCase):
    def on_each(self, test):
        found = [dump for dump in lab.dumps() if whole(dump)]
        if not found:
            self.skipTest("the lab has no dumps")
        for dump in found:
            for path in files(dump):
                with self.subTest(dump=dump.folder.name):
                    test(dump, path)


class Caches(OnDumps):
    def test_equal_slabinfo(self):
        self.on_each(self.equal_slabinfo)

    def equal_slabinfo(self, dump, path):
        truth = slabinfo(dump)
        answer = ask(path, "kmem -s")
        self.assertEqual(json_schema.faults("kmem", answer)[:5], [])
        ours = {cache["name"]: cache for cache in answer["caches"]}
        self.assertEqual(len(ours), len(answer["caches"]), "names occur twice")
        # Modules that are loaded for the crash may bring caches of their own.
        self.assertEqual(set(truth) - set(ours), set())
        self.assertLessEqual(len(set(ours) - set(truth)), 16)
        equal = 0
        for name, (active, objects, size, in_slab, pages, slabs) in truth.items():
            cache = ours[name]
            self.assertEqual((cache["size"], cache["objects_per_slab"], cache["pages_per_slab"]),
                             (size, in_slab, pages), name)
            equal += (cache["active"], cache["objects"], cache["slabs"]) == (active, objects, slabs)
        self.assertGreater(equal, EQUAL_SHARE * len(truth))

    def test_equal_the_kernels_counters(self):
        self.on_each(self.equal_counters)

    def equal_counters(self, dump, path):
        if damaged(dump):
            return
        different = 0
        caches = ask(path, "kmem -s")["caches"]
        # In 7.2 the pointer is one of two for each node.
        new = "kmem_cache_per_node_ptrs" in lab.inquest("-c", "struct kmem_cache", path).stdout
        member = "per_node[0].node" if new else "node[0]"
        node = f"((struct kmem_cache *){{}})->{member}->{{}}.counter"
        lines = [f"p {node.format(cache['address'], counter)}" for cache in caches
                 for counter in ("nr_slabs", "total_objects")]
        counts = [reply["values"][0]["value"] for reply in ask(path, "; ".join(lines))["commands"]]
        for i, cache in enumerate(caches):
            slabs, objects = counts[2 * i:2 * i + 2]
            self.assertAlmostEqual(cache["slabs"], slabs, delta=SLABS_IN_HAND, msg=cache["name"])
            in_hand = SLABS_IN_HAND * cache["objects_per_slab"]
            self.assertAlmostEqual(cache["objects"], objects, delta=in_hand, msg=cache["name"])
            different += (cache["slabs"], cache["objects"]) != (slabs, objects)
            self.assertLessEqual(cache["allocated"], cache["active"], cache["name"])
            self.assertLessEqual(cache["active"], cache["objects"], cache["name"])
        # The slack is for single caches.
        self.assertLessEqual(different, 2 * dump.meta["cpus"])


class Slabs(OnDumps):
    def test_freelists_agree_with_counts(self):
        self.on_each(self.freelists_agree)

    def freelists_agree(self, dump, path):
        # Millions of lines in all: those that differ in their slabs are enough.
        if dump.meta["name"] not in LISTED:
            return
        answer = ask(path, "kmem -S")
        wrong = unknown = 0
        for cache in answer["caches"]:
            allocated = free = 0
            for slab in cache["slab_list"]:
                states = [item["state"] for item in slab["object_list"]]
                self.assertEqual(len(states), slab["objects"])
                count = states.count("allocated")
                self.assertEqual(count, slab["allocated"])
                unknown += states.count("unknown")
                if slab["place"] == "dying":
                    continue
                # What a CPU keeps for itself is in use as far as the slab knows.
                wrong += count + states.count("free on a CPU") != slab["in_use"]
                allocated += count
                free += slab["free"]
            if not wrong and not unknown:
                self.assertEqual(allocated, cache["allocated"], cache["name"])
                self.assertEqual(allocated + free, cache["objects"], cache["name"])
        # What a dump lacks leaves doubts, and says so.
        if any(remark["kind"] == "missing" for remark in answer.get("remarks", [])):
            return
        # Slabs that a CPU was changing when it was stopped.
        self.assertLessEqual(wrong, dump.meta["cpus"])
        self.assertLessEqual(unknown, 64 * dump.meta["cpus"])


class Kfence(unittest.TestCase):
    """An object of KFENCE's pool, against what the kernel itself printed of it."""
    REPORT = re.compile(r"kfence-#(\d+): \S+, size=(\d+), cache=(\S+)$")
    EVENT = re.compile(r"(allocated|freed) by task (\d+) on cpu (\d+) at (\d+\.\d+)s")
    FRAME = re.compile(r"^ ([\w.]+\+0x[0-9a-f]+)/0x")

    def report(self, dump):
        """(number, size, cache, {allocated, freed: (pid, cpu, seconds, [symbol+offset])})"""
        head, events, frames = None, {}, None
        for line in (dump.folder / "console.log").read_text(errors="replace").splitlines():
            text = line.split("] ", 1)[-1].rstrip("\r")
            if not head and (match := self.REPORT.match(text)):
                head = int(match[1]), int(match[2]), match[3]
            elif head and (match := self.EVENT.match(text)):
                frames = []
                events[match[1]] = int(match[2]), int(match[3]), float(match[4]), frames
            elif frames is not None and (match := self.FRAME.match(text)):
                frames.append(match[1])
            else:
                frames = None
        return *head, events

    def test_the_object_of_the_report(self):
        found = lab.dumps(name="kfence")
        if not found:
            self.skipTest("the lab has no KFENCE dump")
        for dump in found:
            with self.subTest(dump=dump.folder.name):
                number, size, cache, events = self.report(dump)
                pool = ask(dump.vmcore, "p *(unsigned long *)&__kfence_pool")["values"][0]["value"]
                # mm/kfence/kfence.h: two pages for each, behind the first two.
                address = int(str(pool), 0) + (number + 1) * 2 * 4096
                found = ask(dump.vmcore, f"slab -t {address:x} {address + 4096 - size:x}")
                self.assertEqual(json_schema.faults("slab", found)[:5], [])
                item = found["objects"][0]
                self.assertEqual((item["cache"], item["asked"], item["state"], item["kfence"]),
                                 (cache, size, "free", True))
                self.assertIn(int(item["address"], 16), (address, address + 4096 - size))
                self.same_track(events["allocated"], item["allocation"])
                self.same_track(events["freed"], item["release"])

    def same_track(self, event, track):
        pid, cpu, seconds, frames = event
        self.assertEqual((track["pid"], track["cpu"]), (pid, cpu))
        self.assertAlmostEqual(track["nanoseconds"] / 1e9, seconds, places=5)
        ours = [frame["symbol"].split(" ")[0] for frame in track["stack"]]
        # The kernel leaves the allocator's own functions out.
        self.assertTrue(frames)
        self.assertEqual(ours[-len(frames):], frames)

    def test_no_page_of_it_is_a_slab(self):
        for dump in lab.dumps(name="kfence"):
            pool = int(str(ask(dump.vmcore, "p *(unsigned long *)&__kfence_pool")["values"][0]["value"]), 0)
            for slab in (slab for cache in ask(dump.vmcore, "kmem -S")["caches"] for slab in cache["slab_list"]):
                self.assertFalse(pool <= int(slab["start"], 16) < pool + (2 << 20), slab["address"])


class Damage(unittest.TestCase):
    """The list of caches broken in a copy of a dump: the rest is found by the slabs."""

    @staticmethod
    def offset_of(path, address):
        """Where the bytes at a kernel address lie in an ELF dump."""
        physical = int(ask(path, f"vtop {address:x}")["translations"][0]["physical"], 16)
        with open(path, "rb") as file:
            head = file.read(64)
            at, size, count = struct.unpack_from("<Q", head, 32)[0], *struct.unpack_from("<HH", head, 54)
            file.seek(at)
            table = file.read(size * count)
        for i in range(count):
            kind, _, offset, _, start, length = struct.unpack_from("<IIQQQQ", table, i * size)
            if kind == 1 and start <= physical < start + length:
                return offset + physical - start
        raise AssertionError("not in the dump")

    def test_a_broken_list(self):
        found = [dump for dump in lab.dumps(capture="qemu-elf", name="sysrq") if whole(dump)]
        if not found:
            self.skipTest("the lab has no ELF dump")
        source = found[0].vmcore
        before = ask(source, "kmem -s")["caches"]
        broken = before[20]
        link = ask(source, f"p &((struct kmem_cache *){broken['address']})->list.next")["values"][0]
        with tempfile.TemporaryDirectory() as folder:
            path = shutil.copy(source, folder)
            with open(path, "r+b") as file:
                file.seek(self.offset_of(path, int(str(link["value"]), 0)))
                file.write(struct.pack("<Q", 0xffffffffff000000))
            answer = ask(path, "kmem -s")
        after = {cache["name"]: cache for cache in answer["caches"]}
        text = " ".join(remark["text"] for remark in answer["remarks"])
        self.assertIn("the list of slab caches", text)
        self.assertIn("found by their slabs only", text)
        lost = [cache["name"] for cache in before if cache["slabs"] and cache["name"] not in after]
        self.assertEqual(lost, [])
        for cache in before:
            if cache["slabs"]:
                self.assertEqual(after[cache["name"]], cache)


if __name__ == "__main__":
    unittest.main()
