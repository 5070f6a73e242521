# SPDX-License-Identifier: LGPL-2.1-or-later
"""kmem --check: finds every damage that the lab's module planted, and nothing else; nothing at all
on dumps of healthy memory."""

import re
import unittest

import json_schema
import lab

# Scenarios whose crash is, or comes of, a write to memory that was not the writer's: damage in the
# allocator's data would be no surprise there.
CORRUPTED = {"planted", "double-free", "list-poison", "list-corruption", "stale-text", "reverse-map",
             "freelist-text"}
# Fills what was not asked for: kernels from 6.2 on.
NOT_ON = {"6.1": {"kmalloc-red-zone"}}


def planted(dump):
    """[(kind, address, cache, object, slab)] as the module said it in guest.log."""
    found = []
    for line in (dump.folder / "guest.log").read_text().splitlines():
        if line.startswith("damage "):
            _, kind, address, cache, *places = line.split()
            if kind not in NOT_ON.get(dump.meta["series"], ()):
                found.append((kind, int(address, 16), cache, *(int(p, 16) for p in places)))
    return found


def number(text):
    return int(text, 16) if text else 0


def certain(reply):
    """Without what a CPU had in hand when it was stopped, which the program calls so."""
    return [d for d in reply["damages"] if d["in_use_by_cpu"] is None]


class Planted(unittest.TestCase):
    def setUp(self):
        self.dumps = lab.dumps(name="planted")
        if not self.dumps:
            self.skipTest("the lab has no planted dump")

    def each(self, check):
        for dump in self.dumps:
            with self.subTest(dump=str(dump)):
                check(dump, lab.query(dump, "kmem --check"))

    def test_every_damage_and_nothing_else(self):
        def check(dump, reply):
            theirs = planted(dump)
            self.assertGreaterEqual(len({kind for kind, *_ in theirs}), 10)
            ours = [(d["kind"], number(d["address"]), d["cache"]) for d in certain(reply)]
            # What is outside of the slab may happen to be another one.
            outside = {entry[:3] for entry in theirs if entry[0] == "freelist-outside"}
            ours = [("freelist-outside", *rest) if kind == "freelist-foreign" and
                    ("freelist-outside", *rest) in outside else (kind, *rest) for kind, *rest in ours]
            self.assertEqual(sorted(ours), sorted(entry[:3] for entry in theirs))
            self.assertEqual(reply["check"]["damages"], len(theirs))
            self.assertEqual(json_schema.faults("kmem", reply)[:5], [])
            for kind, address, _, object_at, start in theirs:
                record = next(d for d in certain(reply) if number(d["address"]) == address)
                if object_at and kind != "slab-padding":
                    self.assertEqual(number(record["object"]), object_at, record)
                    self.assertEqual(record["offset"], address - object_at, record)
                if kind != "partial-count":
                    self.assertEqual(number(record["slab_start"]), start, record)

        self.each(check)

    def test_what_was_written(self):
        def check(_, reply):
            damages = {d["cache"]: d for d in certain(reply)}
            late = damages["lab_checked_late"]
            self.assertEqual((late["looks_like"], late["expected"], late["state"], late["length"]),
                             ("written too late", "6b", "free", 17))
            self.assertEqual(damages["lab_checked_right"]["looks_like"], "too far")
            self.assertEqual(damages["lab_checked_right"]["state"], "allocated")
            self.assertEqual(damages["lab_checked_left"]["found"], "00 01")
            self.assertEqual(damages["lab_plain_cpu"]["looks_like"], "overflow")
            self.assertIn("lab_plain_other", damages["lab_checked_owner"]["what"])
            self.assertEqual(damages["lab_checked_padding"]["found"], "00 00")

        self.each(check)

    def test_neighbours_and_tracks(self):
        def check(_, reply):
            for record in certain(reply):
                object_at = number(record["object"])
                for side in ("before", "behind"):
                    if record[side]:
                        self.assertEqual(number(record[side]["object"]) < object_at,
                                         side == "before", record)
                if object_at:
                    self.assertTrue(record["before"] or record["behind"], record)
                if not record["cache"].startswith("lab_checked") or not object_at:
                    continue
                # Functions of the module, which the compiler may have put into one another.
                track = record["freed"] if record["kind"] == "track" else record["allocated"]
                self.assertIn(track["function"].split(".")[0],
                              ("fill", "prepare_one", "prepare_set"), record)
                self.assertIn("param_attr_store", track["frames"])
                self.assertGreater(track["pid"], 1)
                if record["state"] == "free":
                    self.assertIsNotNone(record["freed"])

        self.each(check)

    def test_one_cache_only(self):
        def check(dump, _):
            reply = lab.query(dump, "kmem --check lab_checked_right lab_plain_loop")
            self.assertEqual([d["kind"] for d in reply["damages"]],
                             ["red-zone-right", "freelist-loop"])
            self.assertEqual(reply["check"]["caches"], 2)
            self.assertEqual(certain(lab.query(dump, "kmem --check dentry")), [])

        self.each(check)

    def test_text(self):
        for dump in self.dumps:
            run = lab.inquest("-c", "kmem --check", dump.vmcore)
            self.assertEqual(run.returncode, 0, run.stderr)
            for words in (f": {len(planted(dump))} damages", "written too late", "double-free",
                          "before it: object", "allocated by ", "should be 6b"):
                self.assertIn(words, run.stdout)


class Tripped(unittest.TestCase):
    """Death inside the allocator: the report itself says what it tripped over."""

    def test_report_names_the_object(self):
        dumps = lab.dumps(name="freelist-text")
        if not dumps:
            self.skipTest("the lab has no freelist-text dump")
        for dump in dumps:
            with self.subTest(dump=str(dump)):
                log = (dump.folder / "console.log").read_text(errors="replace")
                writer, victim = re.search(r"writes from (\w+) over (\w+)", log).groups()
                report = lab.query(dump, "report")
                self.assertEqual(report["verdict"]["kind"], "slab-damage")
                self.assertIn(f"object {victim}", report["verdict"]["what"])
                evidence = [line["claim"] for line in report["verdict"]["evidence"]]
                # What comes 200 bytes after the start of "customer-label-customer-label-...".
                self.assertTrue([t for t in evidence if '"mer-labe"' in t], evidence)
                self.assertTrue([t for t in evidence if writer in t], evidence)
                found = certain(lab.query(dump, "kmem --check"))
                self.assertEqual([(d["kind"], d["object"][2:], d["looks_like"]) for d in found],
                                 [("freelist-outside", victim, "mer-labe")])
                self.assertTrue(found[0]["before"]["begins_with"].startswith("customer-label-"))


class Healthy(unittest.TestCase):
    def test_nothing_is_found(self):
        dumps = [d for d in lab.dumps(truncate=100) if d.meta["name"] not in CORRUPTED]
        if not dumps:
            self.skipTest("the lab has no dumps")
        for dump in dumps:
            with self.subTest(dump=str(dump)):
                reply = lab.query(dump, "kmem --check")
                self.assertEqual(certain(reply), [])
                self.assertEqual(reply["check"]["damages"], 0)
                self.assertGreater(reply["check"]["slabs"], 500)
                self.assertEqual(json_schema.faults("kmem", reply)[:5], [])
                notes = [r["text"] for r in reply.get("remarks", [])]
                self.assertFalse([n for n in notes if n.startswith("not checked")], notes)

    def test_debug_caches_are_looked_at(self):
        for dump in lab.dumps(name="objects-debug"):
            with self.subTest(dump=str(dump)):
                check = lab.query(dump, "kmem --check")["check"]
                self.assertGreater(check["debug_caches"], 100)
                self.assertGreater(check["bytes_compared"], 1 << 20)

    def test_damaged_dumps_do_not_stop_it(self):
        others = [d for d in lab.dumps()
                  if d.meta["truncate"] < 100 or d.meta["name"] in CORRUPTED]
        for dump in others:
            with self.subTest(dump=str(dump)):
                run = lab.inquest("-c", "kmem --check", dump.vmcore)
                self.assertIn(run.returncode, (0, 1), run.stderr)


if __name__ == "__main__":
    unittest.main()
