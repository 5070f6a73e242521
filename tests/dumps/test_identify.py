# SPDX-License-Identifier: LGPL-2.1-or-later
"""identify: the type of an object by what lies in it, against the slab caches that have one type, and against
objects of which the lab's module printed the type. The whole table: tests/tools/identify_accuracy.py."""

import sys
import unittest

import lab

sys.path.insert(0, str(lab.ROOT / "tests" / "tools"))
import identify_accuracy as accuracy

accuracy.BUILD = lab.BUILD


class OnTyped(unittest.TestCase):
    def setUp(self):
        self.dumps = lab.dumps(name="typed")
        if not self.dumps:
            self.skipTest("the lab has no dump of typed objects")


class Accuracy(OnTyped):
    def check(self, samples, first, in_three):
        total = len(samples)
        misses = [f"{s.address:x} {s.type}: {s.confidence} {s.ranked}" for s in samples if not s.first]
        self.assertGreaterEqual(sum(s.first for s in samples), first * total, misses)
        self.assertGreaterEqual(sum(s.in_three for s in samples), in_three * total, misses)
        self.assertLess(sum(s.wrong_and_certain for s in samples), 0.01 * total, misses)

    def test_typed_caches_with_their_names_hidden(self):
        for dump in self.dumps:
            with self.subTest(dump=str(dump)):
                samples = accuracy.typed_caches(dump.vmcore, objects=500, caches=50)
                self.assertGreaterEqual(len({s.group for s in samples}), 45)
                self.assertGreaterEqual(len(samples), 450)
                self.check(samples, 0.85, 0.93)

    def test_objects_whose_type_the_lab_printed(self):
        for dump in self.dumps:
            with self.subTest(dump=str(dump)):
                single, pairs, leftovers = accuracy.printed(dump.folder)
                self.assertGreaterEqual(len(single), 200)
                self.check(single, 0.90, 0.95)
                for sample in pairs:
                    found = ",".join(f"{p['type']}+{int(p['base'], 16) - sample.address}" for p in sample.answer["parts"])
                    self.assertEqual(found, sample.type)
                self.assertGreaterEqual(len(pairs), 4)
                for sample in leftovers:
                    self.assertEqual([p["type"] for p in sample.answer["parts"]], ["sk_buff data", "skb_shared_info"])
                    self.assertEqual([f["type"] for f in sample.answer["former"]], [sample.type])
                    self.assertRegex(sample.answer["pointed_by"], "sk_buff.head of")


class CacheTypes(OnTyped):
    def test_well_known_caches_have_their_types(self):
        expected = {"task_struct": "task_struct", "filp": "file", "cred_jar|cred": "cred", "dentry": "dentry", "inode_cache": "inode",
                    "vm_area_struct": "vm_area_struct", "skbuff_head_cache": "sk_buff", "TCP": "tcp_sock",
                    "ext4_inode_cache": "ext4_inode_info", "kmalloc-64": None, "names_cache": None}
        for dump in self.dumps:
            caches = {c["name"]: c for c in lab.query(dump, "identify --caches")["caches"]}
            for names, kind in expected.items():
                for name in names.split("|"):
                    if name in caches:
                        self.assertEqual(caches[name]["type"], kind, f"{dump}: {name}")
            typed = [c for c in caches.values() if c["type"]]
            self.assertGreaterEqual(len(typed), 80, str(dump))


class Text(OnTyped):
    def test_evidence_is_told(self):
        for dump in self.dumps:
            single, _, _ = accuracy.printed(dump.folder)
            sample = next(s for s in single if s.type == "pci_dev")
            run = lab.inquest("-c", f"identify {sample.address:x}", dump.vmcore)
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertRegex(run.stdout, r"pci_dev, \d+ bytes: certain")
            self.assertRegex(run.stdout, r"release -> pci_release_dev\+0x0")

    def test_what_is_no_object_is_not_called_certain(self):
        for dump in self.dumps:
            for word in ("linux_banner", "0", "0xffff800000000000", "_stext"):
                objects = lab.query(dump, f"identify {word}")["objects"]
                for found in objects[0]["hypotheses"]:
                    self.assertNotEqual(found["confidence"], "certain", f"{dump}: {word}: {found}")

    def test_range_finds_where_a_struct_begins(self):
        for dump in self.dumps:
            single, _, _ = accuracy.printed(dump.folder)
            sample = next(s for s in single if s.type == "net_device")
            found = lab.query(dump, f"identify -s 4096 {sample.address - 64:x}")["objects"][0]["hypotheses"]
            self.assertIn(("net_device", sample.address), [(h["type"], int(h["base"], 16)) for h in found])


if __name__ == "__main__":
    unittest.main()
