# SPDX-License-Identifier: LGPL-2.1-or-later
"""whatis: addresses of known nature, printed by the lab ("place: NAME 0xADDRESS KEY=VALUE ..."), are
what the lab says; and no address whatever makes the program stop."""

import json
import os
import random
import re
import struct
import subprocess
import unittest

import lab

# Slabs on a kernel that merges caches: the object may be in a cache with another's name.
CONTAINERS = {"inode": "shmem_inode_info", "socket": "socket_alloc"}
SLAB_KINDS = ("slab", "kfence")
# What of its meta.json tells one kind of dump from another.
KIND = ("series", "capture", "paging", "truncate", "makedumpfile", "vmcoreinfo")


def places_of(dump):
    """[(name, address, {word: value}, answer)] of what the lab printed."""
    said = []
    for record in lab.query(dump, "log")["records"]:
        found = re.match(r"place: (\S+) (0x[0-9a-f]+) ?(.*)$", record["text"])
        if found:
            words = dict(word.split("=", 1) for word in found[3].split() if "=" in word)
            said.append((found[1], int(found[2], 16), words))
    answers = whatis(dump, [address for _, address, _ in said])
    return [(*place, answer) for place, answer in zip(said, answers)]


def whatis(dump, addresses, *options):
    answers = []
    for i in range(0, len(addresses), 2000):
        line = "whatis " + " ".join(f"0x{address:x}" for address in addresses[i:i + 2000])
        answers += lab.query(dump, line, *options)["places"]
    return answers


class Checker:
    """Each method looks at one answer and returns what is wrong with it, or None."""

    def __init__(self, answers):
        self.answers = answers

    def check(self, name, words, answer):
        method = getattr(self, name.replace("-", "_"), None)
        return method(words, answer) if method else f"no check for {name}"

    @staticmethod
    def wants(answer, **wanted):
        wrong = [f"{key} is {answer[key]!r}, not {value!r}" for key, value in wanted.items()
                 if answer[key] != value]
        return "; ".join(wrong) or None

    @staticmethod
    def tells(answer, *texts):
        said = f"{answer['what']} {answer['detail']}"
        missing = [text for text in texts if text not in said]
        return f"{missing} not in {said!r}" if missing else None

    def init_freed(self, _, answer):
        return self.wants(answer, mapped=False)

    def stack_local(self, words, answer):
        return (self.wants(answer, kind="stack", pid=int(words["pid"])) or
                self.tells(answer, f"the kernel stack of {words['comm']} (pid {words['pid']})", words["function"])
                or (None if answer["frame"] is not None else "no frame"))

    def irq_stack(self, words, answer):
        return (self.wants(answer, kind="stack", cpu=int(words["cpu"])) or
                self.tells(answer, f"the irq stack of CPU {words['cpu']}"))

    def stack_end(self, words, answer):
        return (self.wants(answer, kind="stack", pid=int(words["pid"]), offset=0) or
                self.tells(answer, "STACK_END_MAGIC"))

    def stack_below(self, words, answer):
        return (self.wants(answer, kind="beside-stack", pid=int(words["pid"]), mapped=False, offset=-8) or
                self.tells(answer, f"the page below the kernel stack of {words['comm']}"))

    def stack_stale(self, words, answer):
        return (self.wants(answer, kind="stack", pid=int(words["pid"]), offset=128, frame=None) or
                self.tells(answer, "below the stack pointer"))

    def stack_pt_regs(self, words, answer):
        return (self.wants(answer, kind="stack", pid=int(words["pid"])) or
                self.tells(answer, f"saved {words['register']} of user mode"))

    def user(self, words, answer, *texts):
        return (self.wants(answer, kind="user") or
                self.tells(answer, "user space of resident (pid ", *texts))

    def user_anonymous(self, words, answer):
        return self.user(words, answer, "anonymous memory") or self.wants(answer, mapped=True)

    def user_data(self, words, answer):
        return self.user(words, answer, words["path"]) or self.wants(answer, mapped=True)

    def user_heap(self, words, answer):
        return self.user(words, answer, "[heap]") or self.wants(answer, mapped=True)

    def user_stack(self, words, answer):
        return self.user(words, answer, "[stack]") or self.wants(answer, mapped=True)

    def user_text(self, words, answer):
        return self.user(words, answer, words["path"]) or self.wants(answer, mapped=True)

    def user_file(self, words, answer):
        return self.user(words, answer, words["path"], f"offset {words['offset']} in the file")

    def user_unmapped(self, _, answer):
        return self.wants(answer, kind="user", mapped=False, start=None)

    def symbol(self, words, answer, kind):
        texts = [words["symbol"]]
        if "module" in words:
            texts.append(f"of module {words['module']}")
        if "member" in words:
            texts.append(f"{words['symbol']}.{words['member']}")
        return self.wants(answer, kind=kind, mapped=True) or self.tells(answer, *texts)

    def data(self, words, answer):
        return self.symbol(words, answer, "data")

    def rodata(self, words, answer):
        return self.symbol(words, answer, "rodata")

    def text(self, words, answer):
        return self.symbol(words, answer, "text")

    def module_struct(self, words, answer):
        return self.wants(answer, kind="data") or self.tells(answer, "__this_module", "of module places")

    def percpu_kernel(self, words, answer):
        return (self.wants(answer, kind="per-cpu", cpu=int(words["cpu"])) or
                self.tells(answer, words["symbol"], f"{words['symbol']}.{words['member']}"))

    def percpu_dynamic(self, words, answer):
        return self.wants(answer, kind="per-cpu", cpu=int(words["cpu"]), size=int(words["size"]),
                          offset=int(words["offset"]), freed=False)

    def percpu_module(self, words, answer):
        return self.percpu_dynamic(words, answer) or self.tells(
            answer, f"places_percpu+0x10 of CPU {words['cpu']} (per-CPU data of module places)")

    def slab(self, words, answer):
        if answer["kind"] not in SLAB_KINDS:
            return f"kind is {answer['kind']}"
        wrong = self.wants(answer, freed=words["freed"] == "1")
        if "offset" in words:
            wrong = wrong or self.wants(answer, offset=int(words["offset"]))
        if "size" in words and answer["kind"] == "slab":
            wrong = wrong or self.wants(answer, size=int(words["size"]))
        if "cache" in words:
            wrong = wrong or self.tells(answer, f"slab cache {words['cache']}")
        # A merged cache has objects of several types: then none is claimed.
        if "type" in words and answer["type"] is not None:
            wrong = wrong or self.wants(answer, type=CONTAINERS.get(words["type"], words["type"]))
            if "member" in words and not f".{answer['member']}.".find(f".{words['member']}.") >= 0:
                wrong = wrong or f"member is {answer['member']}"
        if "who" in words:
            wrong = wrong or self.tells(answer, f"task_struct of {words['who']} (pid ")
        return wrong

    def kfence(self, words, answer):
        return (self.wants(answer, kind="kfence", offset=int(words["offset"]), size=int(words["size"]),
                           freed=words["freed"] == "1"))

    def skb_head(self, words, answer):
        return None if answer["kind"] in SLAB_KINDS and answer["offset"] == 10 else f"{answer}"

    def large_kmalloc(self, words, answer):
        return self.wants(answer, kind="page", size=int(words["size"]), offset=int(words["offset"]), freed=False)

    def vmalloc(self, words, answer):
        return (self.wants(answer, kind="vmalloc", size=int(words["size"]), offset=int(words["offset"], 16))
                or self.tells(answer, "pages=3 vmalloc"))

    def vmap(self, words, answer):
        return (self.wants(answer, kind="vmalloc", size=int(words["size"]), offset=int(words["offset"], 16))
                or self.tells(answer, "vmap"))

    def vmalloc_guard(self, _, answer):
        return self.wants(answer, mapped=False) or (
            self.tells(answer, "guard page behind the vmalloc area") if answer["kind"] == "vmalloc"
            else self.wants(answer, kind="beside-stack"))

    def ioremap(self, words, answer):
        return (self.wants(answer, kind="vmalloc", offset=0xf0) or
                self.tells(answer, "ioremap", "physical address 0xfed000f0"))

    def pages(self, words, answer):
        return self.wants(answer, kind="page", offset=int(words["offset"], 16), size=4096 << int(words["order"]),
                          freed=False)

    def page_struct(self, words, answer):
        return (self.wants(answer, kind="page-struct", offset=0) or
                self.tells(answer, f"struct page of page frame {words['pfn']}"))

    def direct_of_vmalloc(self, _, answer):
        return self.wants(answer, kind="page") or self.tells(answer, "the direct map's view of", "vmalloc area")

    def direct_of_image(self, words, answer):
        return self.wants(answer, kind="page") or self.tells(answer, "the direct map's view of", words["symbol"])

    def page_table(self, words, answer):
        return self.wants(answer, kind="page") or self.tells(
            answer, "the top page table (pgd) of resident" if words["level"] == "pgd" else "a page table")

    def anonymous_page(self, words, answer):
        return self.wants(answer, kind="page") or self.tells(
            answer, f"an anonymous page of {words['comm']}", f"there {words['virtual']}")

    def file_page(self, words, answer):
        return self.wants(answer, kind="page") or self.tells(answer, f"page cache of {words['path']}", f"offset {words['offset']}")

    def page_of_pipe(self, _, answer):
        return self.wants(answer, kind="page", freed=False)

    def bpf(self, words, answer):
        return self.wants(answer, kind="bpf", offset=1) or self.tells(answer, words["name"])


class Places(unittest.TestCase):
    def test_every_place_is_what_the_lab_says(self):
        dumps = lab.dumps(name="places")
        if not dumps:
            self.skipTest("the lab has no dump of the scenario places")
        for dump in dumps:
            places = places_of(dump)
            self.assertGreaterEqual(len(places), 100, dump)
            checker = Checker(places)
            for name, address, words, answer in places:
                with self.subTest(dump=str(dump), place=name, address=hex(address), words=words):
                    self.assertEqual(int(answer["address"], 16), address)
                    self.assertIsNone(checker.check(name, words, answer), answer)

    def test_variables_on_a_stack(self):
        """Where the module's file has debug info, they are known by name."""
        found = 0
        for dump in lab.dumps(name="places"):
            told = [(address, words) for name, address, words, _ in places_of(dump)
                    if name == "stack-local" and "variable" in words]
            answers = whatis(dump, [address for address, _ in told], "-m", dump.folder / "modules")
            for (address, words), answer in zip(told, answers):
                with self.subTest(dump=str(dump), address=hex(address), words=words):
                    self.assertRegex(answer["what"], rf", variable {words['variable']}\b")
                    found += 1
        if lab.dumps(name="places"):
            self.assertGreaterEqual(found, 5)

    def test_one_bit_away(self):
        for dump in lab.dumps(name="places"):
            address = int(lab.query(dump, "sym init_task")["symbols"][0]["address"], 16)
            answer = whatis(dump, [address ^ 1 << 60])[0]
            self.assertEqual(answer["kind"], "non-canonical")
            self.assertIn(f"one bit (60) away from 0x{address:x}: init_task", answer["detail"])

    def test_saved_registers(self):
        """By the functions' pushes they are where the module's debug info has them."""
        for dump in lab.dumps(name="places"):
            pid = next(words["pid"] for name, _, words, _ in places_of(dump) if name == "stack-end")
            frames = lab.query(dump, f"bt -f {pid}")["threads"][0]["frames"]
            words = [int(w["address"], 16) for f in frames for w in f.get("words", [])
                     if (f["symbol"] or "").startswith("places_")]
            by_code = whatis(dump, words)
            by_debug = whatis(dump, words, "-m", dump.folder / "modules")
            found = 0
            for code, debug in zip(by_code, by_debug):
                saved = [re.search(r"saved (\w+ of \w+)", answer["what"]) for answer in (code, debug)]
                if saved[0]:
                    found += 1
                    self.assertTrue(saved[1], debug)
                    self.assertEqual(saved[0][1], saved[1][1])
            self.assertGreaterEqual(found, 3, str(dump))

    def test_return_addresses(self):
        """Those of the crashed task's frames, as bt has them."""
        for dump in lab.dumps(name="places"):
            frames = lab.query(dump, "bt")["threads"][0]["frames"]
            frames = [f for f in frames if not f["inlined"]]
            for frame, caller in zip(frames[2:8], frames[3:9]):
                answer = whatis(dump, [int(caller["sp"], 16) - 8])[0]
                self.assertEqual(answer["kind"], "stack")
                self.assertIn(f"return address of {frame['symbol']} to {caller['symbol']}", answer["what"])


class Numbers(unittest.TestCase):
    def test_values_that_are_no_address(self):
        for dump in lab.dumps(name="places")[:1]:
            for value, kind, text in ((0, "null", "NULL"), (0x18, "null", "NULL + 0x18"),
                                      (2**64 - 12, "error-pointer", "-ENOMEM"),
                                      (2**64 - 512, "error-pointer", "-ERESTARTSYS"),
                                      (0xdead000000000100, "poison", "LIST_POISON1"),
                                      (0xdead000000000122, "poison", "LIST_POISON2"),
                                      (0x6b6b6b6b6b6b6b83, "poison", "POISON_FREE + 0x18"),
                                      (0x5a5a5a5a5a5a5a5a, "poison", "POISON_INUSE"),
                                      (0x57ac6e9d, "poison", "STACK_END_MAGIC"),
                                      (0x6f77206f6c6c6568, "non-canonical", '"hello wo"'),
                                      (0xffffffffff600000, "fixed", "vsyscall"),
                                      (0xffff800000000000, "area", "hypervisor")):
                with self.subTest(value=hex(value)):
                    answer = whatis(dump, [value])[0]
                    self.assertEqual(answer["kind"], kind)
                    self.assertIn(text, answer["what"])


class Anything(unittest.TestCase):
    """Random addresses, and words out of the dump's memory, on every kind of dump."""

    def addresses(self, dump, count):
        rng = random.Random(dump.folder.name)
        core = dump.vmcore.read_bytes() if dump.vmcore.stat().st_size < 1 << 27 else b""
        for _ in range(count):
            pick = rng.randrange(4)
            if pick == 0 or len(core) < 4096:
                yield rng.getrandbits(64)
            elif pick == 1:
                yield 0xffff800000000000 | rng.getrandbits(47)
            elif pick == 2:
                yield 2**64 - rng.getrandbits(31)
            else:
                yield struct.unpack_from("<Q", core, rng.randrange(0, len(core) - 8) & ~7)[0]

    def test_stacks_of_idle_tasks(self):
        """Their pid is 0; that of what belongs to no task is none."""
        for dump in lab.dumps(name="places"):
            tasks = [row for row in lab.query(dump, "tasks |> select pid, stack")["rows"] if row["pid"] in (0, 1)]
            answers = whatis(dump, [int(str(task["stack"]), 0) + 0x3000 for task in tasks])
            self.assertEqual([a["pid"] for a in answers], [task["pid"] for task in tasks])
            (symbol,) = lab.query(dump, "whatis linux_banner+0")["places"][:1]
            self.assertIsNone(symbol["pid"])

    def test_no_address_stops_it(self):
        kinds = {}
        for dump in lab.dumps():
            kinds.setdefault(tuple(str(dump.meta.get(key)) for key in KIND), dump)
        for dump in kinds.values():
            with self.subTest(dump=str(dump)):
                addresses = list(self.addresses(dump, 400))
                answers = whatis(dump, addresses)
                self.assertEqual([int(a["address"], 16) for a in answers], addresses)


class Threads(unittest.TestCase):
    def test_many_threads_get_the_same_answers(self):
        """Labels and answers for words of all over memory; no time is asserted."""
        for dump in lab.dumps(name="places") + lab.dumps(name="sysrq", capture="kdump")[:1]:
            run = subprocess.run([lab.BUILD / "tests" / "whatis_speed", dump.vmcore, "3000"],
                                 capture_output=True, text=True, check=False,
                                 env={**os.environ, "INQUEST_THREADS": "4"})
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertEqual(json.loads(run.stdout)["different"], 0)


class Nodes(unittest.TestCase):
    def test_who_sleeps_in_a_node(self):
        """A pglist_data is no symbol and no object: in mm/vmscan.c and mm/compaction.c its threads wait in its queues."""
        seen = 0
        for dump in lab.dumps(name="places") + lab.dumps(name="waiting-rooms"):
            waits = {row["comm"]: row["waits_for"] for row in lab.query(dump, "blocked -a")["blocked"]}
            for comm, queue in (("kswapd0", "kswapd_wait"), ("kcompactd0", "kcompactd_wait")):
                if waits.get(comm, "").startswith("wait queue"):
                    self.assertRegex(waits[comm], rf"\({queue} of pglist_data node 0\)$")
                    seen += 1
        if not seen:
            self.skipTest("no dump in which kswapd or kcompactd sleeps")

    def test_zones(self):
        for dump in lab.dumps(name="places"):
            for zone in lab.query(dump, "kmem -n")["zones"]:
                answer, = whatis(dump, [int(zone["address"], 16) + int(lab.query(dump, "p offsetof(struct zone, lock)")["values"][0]["value"])])
                self.assertTrue(answer["what"].startswith(f"zone {zone['zone']} of node {zone['node']}, member lock"), answer)


class Labels(unittest.TestCase):
    """rd -w and bt -F say of a word what whatis says of the address."""

    def test_words_of_memory(self):
        for dump in lab.dumps(name="places"):
            address = next(address for _, address, words, _ in places_of(dump)
                           if words.get("who") == "resident")
            start = int(whatis(dump, [address])[0]["start"], 16)
            offset = int(lab.query(dump, "p offsetof(struct task_struct, files)")["values"][0]["value"])
            row = lab.query(dump, f"rd -w 0x{start + offset:x}")["memory"]
            self.assertEqual(row[0]["label"], "files_struct")
            rows = lab.query(dump, f"rd -w 0x{start:x} 100")["memory"]
            self.assertEqual(len(rows), 100)
            self.assertIn("STACK_END_MAGIC", lab.query(
                dump, f"rd -w {whatis(dump, [self.stack_end(dump)])[0]['start']}")["memory"][0]["label"])

    @staticmethod
    def stack_end(dump):
        return next(address for name, address, _, _ in places_of(dump) if name == "stack-end")

    def test_words_of_a_stack(self):
        for dump in lab.dumps(name="places"):
            frames = lab.query(dump, "bt -FF")["threads"][0]["frames"]
            frames = [f for f in frames if not f["inlined"]]
            for frame, caller in zip(frames[1:8], frames[2:9]):
                last = frame["words"][-1]
                self.assertEqual(last["value"], caller["pc"])
                self.assertIn(caller["symbol"], last["label"])
            labels = [w["label"] or "" for f in frames for w in f.get("words", [])]
            self.assertTrue(any(label.startswith("task_struct of resident") for label in labels), labels)
            self.assertTrue(any(label.startswith("frame #") for label in labels), labels)
