# SPDX-License-Identifier: LGPL-2.1-or-later
"""rd, wr and the small translators: against the bytes of an ELF dump, found by its program headers alone."""

import hashlib
import json
import pathlib
import struct
import tempfile
import unittest

import json_schema
import lab
import test_pages
import workshop

PAGE = 4096


def run(dump, line):
    """The objects of several commands in one session."""
    return lab.query(dump, line)["commands"]


def address(dump, name):
    return int(lab.query(dump, f"sym {name}")["symbols"][0]["address"], 16)


def words(entry):
    return [int(value, 16) for line in entry["memory"] for value in line["values"]]


def elf_dumps():
    """One of each kernel, which a process crashed by request."""
    found = {}
    for dump in [d for name in ("sysrq", "workshop") for d in lab.dumps(name=name, capture="qemu-elf", truncate=100)]:
        found.setdefault(dump.meta["series"], dump)
    return list(found.values())


class OnElf(unittest.TestCase):
    def setUp(self):
        self.dumps = elf_dumps()
        if not self.dumps:
            self.skipTest("the lab has no ELF dump of QEMU")

    def bytes_at(self, dump, virtual, size):
        """By the walk that vtop shows, which test_kernel.py checks, and the file's own headers."""
        physical = int(lab.query(dump, f"vtop {virtual:x}")["translations"][0]["physical"], 16)
        return test_pages.physical_memory(dump)(physical, size)


class Read(OnElf):
    def test_every_size_and_order(self):
        for dump in self.dumps:
            banner = address(dump, "linux_banner")
            data = self.bytes_at(dump, banner, 64)
            for size, letter in ((1, "B"), (2, "H"), (4, "I"), (8, "Q")):
                count = 32 // size
                for option, order in (("", "<"), ("-N", ">")):
                    with self.subTest(dump=str(dump), size=size, order=order):
                        shown = lab.query(dump, f"rd {option} -{8 * size} linux_banner {count}")
                        self.assertEqual(words(shown), list(struct.unpack(f"{order}{count}{letter}", data[:32])))

    def test_offsets_ends_and_backwards(self):
        for dump in self.dumps:
            data = self.bytes_at(dump, address(dump, "linux_banner"), 256)
            quads = struct.unpack("<32Q", data)
            for line, wanted in (("rd linux_banner 4", quads[:4]), ("rd -o 10 linux_banner 2", quads[2:4]), ("rd -o 0x18 linux_banner", quads[3:4]),
                                 ("rd -R linux_banner+0x18 4", quads[:4]), ("rd -R -o 8 linux_banner+0x18 2", quads[3:5]), ("rd -R linux_banner", quads[:1]),
                                 ("rd linux_banner -e linux_banner+0x20", quads[:4]), ("rd -e linux_banner+0x20 linux_banner 2", quads[:2])):
                with self.subTest(dump=str(dump), line=line):
                    self.assertEqual(words(lab.query(dump, line)), list(wanted))

    def test_the_file_itself(self):
        for dump in self.dumps:
            with open(dump.vmcore, "rb") as file:
                file.seek(0x40)
                wanted = list(struct.unpack("<8Q", file.read(64)))
            self.assertEqual(words(lab.query(dump, "rd -f 40 8")), wanted)
            size = dump.vmcore.stat().st_size
            self.assertIn("the file ends", lab.inquest("-c", f"rd -f {size:x}", dump.vmcore).stderr)

    def test_into_a_file(self):
        for dump in self.dumps:
            start, size = address(dump, "init_task") & ~(PAGE - 1), 2 * PAGE + 100
            wanted = b"".join(self.bytes_at(dump, start + at, min(PAGE, size - at)) for at in range(0, size, PAGE))
            with tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder, "out")
                for line in f"rd -r {path} {start:x} {size}", f"rd -r {path} {start:x} -e {start + size:x}":
                    value = lab.query(dump, line)
                    self.assertEqual((value["bytes"], path.read_bytes()), (size, wanted))
                # What is missing is zeros, and is said.
                done = lab.inquest("-c", f"rd -k -r {path} 0 64", dump.vmcore)
                self.assertEqual((done.returncode, path.read_bytes()), (1, bytes(64)))
                self.assertIn("64 bytes: not mapped", done.stdout + done.stderr)
                self.assertEqual(lab.inquest("-c", f"rd -r {folder}/no/where init_task 8", dump.vmcore).returncode, 1)

    def test_symbols_and_what_words_point_to(self):
        for dump in self.dumps:
            task = address(dump, "init_task")
            head = lab.query(dump, "struct -o task_struct.tasks")["structs"][0]["members"][0]["offset"]
            next_task = words(lab.query(dump, f"rd {task + head:x}"))[0]
            plain, named, both = (lab.inquest("-c", f"rd {option} {task + head:x}", dump.vmcore).stdout for option in ("-s", "-S", "-SS"))
            self.assertIn(f"{next_task:016x}", plain)
            self.assertRegex(named, r": +\[task_struct")
            self.assertRegex(both, rf": +\[{next_task:x}:task_struct")

    def test_addresses_of_the_current_task(self):
        for dump in self.dumps:
            (elf,) = struct.unpack("<I", b"\x7fELF")
            for line in "rd -32 400000", "rd -u -32 400000", "rd -c 1 -32 400000":
                self.assertEqual(words(lab.query(dump, line)), [elf])
            self.assertIsNone(lab.query(dump, "rd -k 400000")["memory"][0]["values"])

    def test_errors(self):
        for line, said in (("rd", "an address"), ("rd -m 0", "Xen"), ("rd -f -p 0", "only one of"), ("rd -r /dev/null init_task", "needs a count"),
                           ("rd -R -p 8 5", "no 5 words"), ("rd fffffffffffffffc", "no word of 8 bytes")):
            done = lab.inquest("-c", line, self.dumps[0].vmcore)
            self.assertEqual(done.returncode, 1, line)
            self.assertIn(said, done.stderr)

    def test_the_last_of_all_addresses(self):
        for line, size in (("rd fffffffffffffff8", 8), ("rd fffffffffffffff8 2", 8), ("rd -8 fffffffffffffff8 100", 8), ("rd -8 -p 0 3", 3)):
            rows = lab.query(self.dumps[0], line)["memory"]
            self.assertEqual([row["size"] for row in rows], [size], line)


class Write(OnElf):
    def test_each_size_is_seen_and_taken_back(self):
        for dump in self.dumps:
            place = address(dump, "linux_banner")
            before = hashlib.sha256(dump.vmcore.read_bytes()).hexdigest()
            data = self.bytes_at(dump, place, 16)
            physical = int(lab.query(dump, f"vtop {place:x}")["translations"][0]["physical"], 16)
            lines = ["wr -8 linux_banner 41", "wr -16 linux_banner+2 ffff", "wr -32 -k linux_banner+4 deadbeef", f"wr -p {physical + 8:x} init_task",
                     "rd -8 linux_banner 16", f"rd -8 -p {physical:x} 16", "wr -l", "wr -d", "rd -8 linux_banner 16", "wr -l"]
            done = run(dump, "; ".join(lines))
            wanted = b"\x41" + data[1:2] + b"\xff\xff" + bytes.fromhex("efbeadde") + address(dump, "init_task").to_bytes(8, "little")
            with self.subTest(dump=str(dump)):
                self.assertEqual(bytes(words(done[4])), wanted)
                self.assertEqual(bytes(words(done[5])), wanted)
                self.assertEqual([change["size"] for change in done[6]["changes"]], [1, 2, 4, 8])
                self.assertEqual([int(change["before"], 16) for change in done[6]["changes"]],
                                 [int.from_bytes(data[a:b], "little") for a, b in ((0, 1), (2, 4), (4, 8), (8, 16))])
                self.assertEqual(done[7]["dropped"], 4)
                self.assertEqual(bytes(words(done[8])), data)
                self.assertEqual(done[9]["changes"], [])
                self.assertEqual(hashlib.sha256(dump.vmcore.read_bytes()).hexdigest(), before)

    def test_every_command_sees_it(self):
        """Also one that had looked before: the list of tasks, a search of all memory, values."""
        for dump in self.dumps:
            task = int(next(t["task"] for t in lab.query(dump, "ps 1")["tasks"]), 16)
            member = lab.query(dump, "struct -o task_struct.comm")["structs"][0]["members"][0]["offset"]
            place = task + member
            lines = ["ps 1", "search 6465746e616c7031", f"wr {place:x} 6465746e616c7031", "ps 1", "search 6465746e616c7031", f"p ((struct task_struct *)0x{task:x})->comm",
                     "wr -d", "ps 1", "search 6465746e616c7031"]
            done = run(dump, "; ".join(lines))
            with self.subTest(dump=str(dump)):
                self.assertEqual(done[1]["hits"], [])
                self.assertTrue(done[3]["tasks"][0]["comm"].startswith("1planted"))
                self.assertIn(place, [int(hit["address"], 16) for hit in done[4]["hits"]])
                self.assertIn("1planted", json.dumps(done[5]["values"]))
                self.assertEqual(done[7]["tasks"], done[0]["tasks"])
                self.assertEqual(done[8]["hits"], [])

    def test_a_mended_page_table_maps(self):
        """The walk goes through changed memory, too: an entry taken out, and put back."""
        for dump in self.dumps:
            walk = lab.query(dump, "vtop init_task")["translations"][0]
            leaf = walk["walk"][-1]
            done = run(dump, f"rd init_task; wr -p {leaf['entry_address']} 0; rd init_task; vtop init_task; wr -d; rd init_task")
            with self.subTest(dump=str(dump)):
                self.assertIsNone(done[3]["translations"][0]["physical"])
                self.assertEqual(done[2]["memory"][0]["reason"], "not mapped")
                self.assertEqual(done[5]["memory"], done[0]["memory"])

    def test_user_memory(self):
        for dump in self.dumps:
            done = run(dump, "set 1; wr -u -32 400000 1234; rd -u -32 400000")
            self.assertEqual(words(done[2]), [0x1234])

    def test_it_is_told_once_and_in_each_report(self):
        dump = self.dumps[0]
        done = run(dump, "wr -32 panic_on_oops 5; sym panic; sym panic; report; report; wr -8 linux_banner 41; sym panic; wr -d; report")
        told = [any("changed by hand" in remark["text"] for remark in part.get("remarks", [])) for part in done]
        self.assertEqual(told, [False, True, False, True, True, False, True, False, False])
        self.assertEqual(lab.inquest("-c", "wr -32 panic_on_oops 5; sym panic", dump.vmcore).returncode, 0)

    def test_errors(self):
        dump = self.dumps[0]
        for line, said in (("wr init_task", "a value"), ("wr -8 init_task 100", "more than 8 bits"), ("wr -k 0 1", "not mapped"),
                           ("wr -p fffffffffff8 1", "not mapped"), ("wr linux_banner nobody_knows", "neither"), ("wr -p fff 1", "beyond the page"),
                           ("wr -8 -16 linux_banner 1", "one size"), ("wr -p -k linux_banner 1", "only one of"), ("vtop -k -u 0", "only one of")):
            done = lab.inquest("-c", line, dump.vmcore)
            self.assertEqual(done.returncode, 1, line)
            self.assertIn(said, done.stderr)
        # What a filtered dump lacks cannot be changed.
        filtered = next(iter(lab.dumps(name="sysrq", capture="kdump")), None)
        if filtered:
            self.assertIn("excluded", lab.inquest("-c", "wr -u 400000 1", filtered.vmcore).stderr)


class Mappings(unittest.TestCase):
    @workshop.each
    def test_a_mapping_that_is_not_in_the_dump(self, shop):
        """In the tree a pointer to what nothing is at, the guard behind a stack: where it lay is known, no more."""
        task = next(task for task in lab.query(shop.dump, "ps -k")["tasks"] if task["comm"] == "kthreadd")
        stack = lab.query(shop.dump, f"struct task_struct.stack {task['task'][2:]}")["structs"][0]["members"][0]["value"]
        guard = int(stack, 16) + lab.query(shop.dump, "mach")["stack_size"]
        before = lab.query(shop.dump, "vm -p 1")["address_spaces"][0]["mappings"]
        lost = next(m for m in before if m["name"] == "/bin/busybox" and "file" in {page["state"] for page in m["pages"]})
        hits = [hit["address"] for hit in lab.query(shop.dump, f"search {lost['vma'][2:]}")["hits"] if (hit["what"] or "").startswith("maple_node")]
        lines = [f"wr {at} {guard:x}" for at in hits] + ["vm -p 1", f"vtop -c 1 {lost['start'][2:]}"]
        run = lab.inquest("--json", *[word for line in lines for word in ("-c", line)], shop.dump.vmcore)
        *_, vm, vtop = json.loads(run.stdout)["commands"]
        self.assertEqual(json_schema.faults("vm", vm)[:5] + json_schema.faults("vtop", vtop)[:5], [])
        found = next(m for m in vm["address_spaces"][0]["mappings"] if m["start"] == lost["start"])
        self.assertEqual({found[key] for key in ("permissions", "offset", "flags", "name", "file")}, {None})
        self.assertEqual([(page["virtual"], page["state"]) for page in found["pages"]],
                         [(page["virtual"], {"file": "unknown"}.get(page["state"], page["state"])) for page in lost["pages"]])
        self.assertEqual([m for m in vm["address_spaces"][0]["mappings"] if m is not found], [m for m in before if m is not lost])
        self.assertIn("not all mappings can be read", str(vm["remarks"]))
        self.assertIsNone(vtop["translations"][0]["mapping"]["flags"])


class Numbers(OnElf):
    def test_pages_and_bytes(self):
        done = run(self.dumps[0], "btop 512a123 fff; ptob 512a 0")
        self.assertEqual([row["result"] for row in done[0]["page_frames"]], ["0x512a", "0x0"])
        self.assertEqual([row["result"] for row in done[1]["addresses"]], ["0x512a000", "0x0"])
        self.assertIn("512a:  512a000", lab.inquest("-c", "ptob 512a").stdout)  # without a dump
        for line in "btop", "btop xyz", "ptob ffffffffffffffff", "ptov", "ptov fffffffffffff", "ptov jiffies:0", "pte", "pte xyz":
            self.assertEqual(lab.inquest("-c", line, self.dumps[0].vmcore).returncode, 1, line)

    def test_the_direct_map(self):
        """Its first bytes are those of physical memory; the guest's symbols of the per-CPU areas."""
        for dump in self.dumps:
            virtual = int(lab.query(dump, "ptov 100000")["translations"][0]["direct"][0]["virtual"], 16)
            self.assertEqual(bytes(words(lab.query(dump, f"rd -8 {virtual:x} 64"))), test_pages.physical_memory(dump)(0x100000, 64))
            offsets = [int(row["offset"], 16) for row in lab.query(dump, "kmem -o")["cpu_offsets"]]
            cpus = lab.query(dump, "ptov 31980:a 31980:0")["translations"]
            self.assertEqual([int(row["virtual"], 16) - 0x31980 for row in cpus[0]["cpus"]], offsets)
            self.assertEqual(cpus[1]["cpus"], cpus[0]["cpus"][:1])
            table = address(dump, "__per_cpu_offset")
            self.assertEqual(offsets, words(lab.query(dump, f"rd {table:x} {len(offsets)}")))


if __name__ == "__main__":
    unittest.main()
