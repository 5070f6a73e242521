# SPDX-License-Identifier: LGPL-2.1-or-later
"""search: against a look at an ELF dump's memory that knows nothing of inquest, and against rd."""

import re
import struct
import unittest

import lab
import test_refs


def search(dump, line):
    return lab.query(dump, f"search {line}")["hits"]


def places(hits):
    return [int(hit["address"], 16) for hit in hits]


def physical_words(path, value, width):
    """Physical addresses of the aligned words that are @value."""
    wanted, found = value.to_bytes(width, "little"), []
    for physical, data, at, size in test_refs.segments(path):
        pos = data.find(wanted, at, at + size)
        while pos >= 0:
            if (physical + pos - at) % width == 0:
                found.append(physical + pos - at)
            pos = data.find(wanted, pos + 1, at + size)
    return sorted(found)


def physical_strings(path, text):
    found = []
    for physical, data, at, size in test_refs.segments(path):
        found += [physical + match.start() for match in re.finditer(re.escape(text), data[at:at + size])]
    return sorted(found)


class Search(unittest.TestCase):
    def setUp(self):
        found = lab.dumps(name="reverse-map", capture="qemu-elf")
        if not found:
            self.skipTest("the lab has no ELF dump of QEMU")
        self.dump = found[0]
        self.init_task = int(lab.query(self.dump, "sym init_task")["symbols"][0]["address"], 16)

    def test_physical_words_of_every_width(self):
        for options, value, width in (("", self.init_task, 8), ("-w", 0x57ac6e9d, 4), ("-h", 0xe9d1, 2)):
            with self.subTest(width=width):
                hits = search(self.dump, f"-p {options} {value:x}")
                self.assertEqual(places(hits), physical_words(self.dump.vmcore, value, width)[:100000])
                self.assertTrue(hits)
                self.assertEqual({int(hit["value"], 16) for hit in hits}, {value})

    def test_strings(self):
        for text in "guest [26003]: cpu3", "Linux version 6.1":
            hits = search(self.dump, f"-p -c '{text}'")
            self.assertEqual(places(hits), physical_strings(self.dump.vmcore, text.encode()))
            self.assertTrue(hits)
            self.assertTrue(all(hit["text"].startswith(text) for hit in hits))

    def test_kernel_addresses_hold_the_value(self):
        for option in "", "-k", "-K", "-V":
            hits = search(self.dump, f"{option} {self.init_task:x}")
            self.assertTrue(hits)
            for place in places(hits)[:40]:
                line = lab.query(self.dump, f"rd {place:x}")["memory"][0]
                self.assertEqual([int(value, 16) for value in line["values"]], [self.init_task])
        every, physical = search(self.dump, "init_task"), search(self.dump, "-p init_task")
        self.assertEqual(len(every), len(physical))
        self.assertLess(len(search(self.dump, "-V init_task")), len(every))

    def test_a_range_and_a_mask(self):
        words = lab.query(self.dump, f"rd {self.init_task:x} 512")["memory"]
        values = [int(value, 16) for line in words for value in line["values"]]
        wanted = [self.init_task + 8 * i for i, value in enumerate(values) if value & ~0xfff == self.init_task & ~0xfff]
        for line in (f"-s init_task -l 4096 -m fff {self.init_task & ~0xfff:x}", f"-s {self.init_task:x} -e {self.init_task + 4096:x} -m fff init_task"):
            self.assertEqual(places(search(self.dump, line)), wanted)
        self.assertTrue(wanted)

    def test_stacks(self):
        stacks = {task["pid"] for task in lab.query(self.dump, "ps")["tasks"]}
        every = search(self.dump, "-t init_task")
        self.assertTrue(every)
        self.assertTrue({hit["pid"] for hit in every} <= stacks)
        running = {t["pid"] for t in lab.query(self.dump, "bt -a")["threads"]}
        self.assertTrue({hit["pid"] for hit in search(self.dump, "-T -m fff ffffffffffffffff 0 init_task")} <= running)
        anywhere = set(places(search(self.dump, "init_task")))
        self.assertLessEqual(set(places(every)), anywhere)

    def test_user_memory(self):
        (word,) = struct.unpack("<I", b"\x7fELF")
        hits = search(self.dump, f"-u -w {word:x}")
        self.assertTrue(hits)
        for place in places(hits):
            line = lab.query(self.dump, f"rd -u -32 {place:x}")["memory"][0]
            self.assertEqual(line["values"], [f"{word:#x}"])

    def test_context(self):
        hits = search(self.dump, "-x 2 -s init_task -l 4096 init_task")
        self.assertTrue(hits)
        for hit in hits:
            around = [int(word["address"], 16) - int(hit["address"], 16) for word in hit["context"]]
            self.assertEqual(around, [-16, -8, 0, 8, 16])
            self.assertEqual(hit["context"][2]["value"], hit["value"])

    def test_errors(self):
        for line, words in (("", "are needed"), ("-w 123456789", "more than 32 bits"), ("-m xyz 1", "no mask"), ("-l 5 1", "-l goes with -s"),
                            ("-s 20 -e 10 1", "not behind"), ("-s init_task -l 0 1", "not behind"), ("-e 0 1", "not behind"), ("-x 100 1", "words of context")):
            run = lab.inquest("-c", f"search {line}", self.dump.vmcore)
            self.assertEqual(run.returncode, 1)
            self.assertIn(words, run.stderr)
        self.assertIn("not found", lab.inquest("-c", "search -s init_task -l 64 dadadadadadadada", self.dump.vmcore).stdout)


if __name__ == "__main__":
    unittest.main()
