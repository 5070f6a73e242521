# SPDX-License-Identifier: LGPL-2.1-or-later
"""Slab objects of which the lab's module says what was done with them: cache, base, state at the
crash, and under slub_debug who allocated and freed them and how much was asked for."""

import collections
import re
import unittest

import lab

CLASSES = [8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192]
FREE = {"free", "free on a CPU"}

Object = collections.namedtuple(
    "Object", "address kind cache size state alloc_function alloc_pid alloc_cpu free_function "
              "free_pid free_cpu")


def truth(dump):
    found = []
    for line in (dump.folder / "guest.log").read_text().splitlines():
        if line.startswith("object "):
            words = line.split()[1:]
            for i in (0, 2):
                words[i] = int(words[i], 16)
            for i in (3, 6, 7, 9, 10):
                words[i] = int(words[i])
            found.append(Object(*words))
    return found


def kmalloc_cache(thing):
    size = next(size for size in CLASSES if size >= thing.size)
    return f"{thing.kind}-{size if size < 1024 else f'{size // 1024}k'}"


class Objects(unittest.TestCase):
    def setUp(self):
        self.dumps = lab.dumps(name="objects") + lab.dumps(name="objects-debug")
        if not self.dumps:
            self.skipTest("the lab has no objects dump")

    def each(self, check, only=None):
        for dump in self.dumps:
            if only in (None, dump.meta["name"]):
                with self.subTest(dump=str(dump)):
                    check(dump, truth(dump))

    def slab(self, dump):
        rows = lab.query(dump, "slab -t 'lab_*' '*kmalloc-*'")["objects"]
        return {int(row["address"], 16): row for row in rows}

    def test_each_object_is_there_with_its_cache_and_state(self):
        def check(dump, things):
            ours = self.slab(dump)
            names = {int(cache["address"], 16): cache["name"]
                     for cache in lab.query(dump, "kmem -s")["caches"]}
            self.assertGreater(len(things), 400)
            for thing in things:
                row = ours.get(thing.address)
                if thing.kind == "large":
                    self.assertIsNone(row, thing)
                    continue
                # Its page may have been given back, and then be another cache's.
                if thing.state == "gone" and (not row or row["cache"] != names[thing.cache]):
                    continue
                self.assertIsNotNone(row, thing)
                if thing.cache:
                    self.assertEqual(row["cache"], names[thing.cache], thing)
                else:
                    self.assertEqual(row["cache"], kmalloc_cache(thing), thing)
                if thing.state == "allocated":
                    self.assertEqual(row["state"], "allocated", thing)
                else:
                    self.assertIn(row["state"], FREE, thing)

        self.each(check)

    def test_merged_caches_and_their_names(self):
        def check(dump, things):
            twins = {thing.kind: thing.cache for thing in things if "twin" in thing.kind}
            caches = lab.query(dump, "kmem -s lab_twin_a lab_twin_b")["caches"]
            self.assertEqual({int(cache["address"], 16) for cache in caches}, set(twins.values()))
            if dump.meta["name"] == "objects":
                self.assertEqual(len(caches), 1)
                self.assertIn("lab_twin_b", [caches[0]["name"], *caches[0]["aliases"].split(",")])
            else:
                self.assertEqual({c["name"] for c in caches}, set(twins))

        self.each(check)

    def test_an_address_inside_leads_to_its_object(self):
        def check(dump, things):
            things = [thing for thing in things if thing.kind != "large" and thing.state != "gone"]
            asked = [(thing, thing.address + offset) for thing in things
                     for offset in {0, thing.size // 2, thing.size - 1}]
            line = "whatis " + " ".join(f"{address:x}" for _, address in asked)
            places = lab.query(dump, line)["places"]
            self.assertEqual(len(places), len(asked))
            for (thing, address), place in zip(asked, places):
                self.assertEqual(place["kind"], "slab", thing)
                self.assertEqual(int(place["start"], 16), thing.address, thing)
                self.assertEqual(place["offset"], address - thing.address, thing)
                self.assertEqual(place["freed"], thing.state == "freed", thing)
                if thing.cache:
                    self.assertEqual(int(place["object"], 16), thing.cache, thing)
                else:
                    self.assertIn(f" {kmalloc_cache(thing)}", place["what"] + " ", thing)

        self.each(check)

    def test_what_is_too_large_for_a_cache_is_in_pages(self):
        def check(dump, things):
            things = [thing for thing in things if thing.kind == "large"]
            line = "whatis " + " ".join(f"{thing.address + thing.size // 2:x}" for thing in things)
            places = lab.query(dump, line)["places"]
            self.assertGreater(len(things), 8)
            for thing, place in zip(things, places, strict=True):
                self.assertEqual(place["kind"], "page", place)
                self.assertEqual(place["freed"], thing.state == "freed", place)

        self.each(check)

    def test_who_allocated_and_freed_it(self):
        def check(dump, things):
            ours = self.slab(dump)
            freed_elsewhere = 0
            for thing in things:
                row = ours.get(thing.address)
                if thing.kind == "large" or thing.state == "gone":
                    continue
                self.assert_track(row["allocation"], thing.alloc_function, thing.alloc_pid,
                                  thing.alloc_cpu, thing)
                if thing.state != "allocated":
                    self.assert_track(row["release"], thing.free_function, thing.free_pid,
                                      thing.free_cpu, thing)
                    freed_elsewhere += thing.alloc_pid != thing.free_pid
                if not thing.cache:
                    self.assertEqual(row["asked"], thing.size, thing)
            self.assertGreater(freed_elsewhere, 10)

        self.each(check, "objects-debug")

    def assert_track(self, track, function, pid, cpu, thing):
        self.assertEqual(re.split(r"[+.]", track["symbol"])[0], function, thing)
        self.assertEqual(track["pid"], pid, thing)
        if cpu >= 0:
            self.assertEqual(track["cpu"], cpu, thing)
        outer = [re.split(r"[+.]", frame["symbol"])[0] for frame in track["stack"]]
        # Not the function itself: on 6.1 the kernel leaves out one frame too many of some.
        self.assertTrue({"param_attr_store", "process_one_work"} & set(outer), outer)

    def test_nothing_is_said_of_tracks_that_were_not_kept(self):
        def check(dump, _):
            for row in self.slab(dump).values():
                self.assertFalse(row.get("allocation") or row.get("release") or row["asked"], row)

        self.each(check, "objects")


if __name__ == "__main__":
    unittest.main()
