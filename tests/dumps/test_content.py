# SPDX-License-Identifier: LGPL-2.1-or-later
"""content: memory of known contents (the module of reverse-map prints kinds and addresses), and text that runs over borders."""

import json
import re
import unittest

import lab

KNOWN = re.compile(r"known (\S+) ([0-9a-f]{16}) (\d+)$", re.M)
LINE = re.compile(r"guest \[260\d\d\]: .*$", re.M)


class OnDump(unittest.TestCase):
    def setUp(self):
        self.dumps = lab.dumps(name="reverse-map")
        if not self.dumps:
            self.skipTest("the lab has no reverse-map dump")

    def known(self, dump):
        text = (dump.folder / "console.log").read_text(errors="replace").replace("\r", "")
        return {kind: (int(address, 16), int(size)) for kind, address, size in KNOWN.findall(text)}

    def each(self):
        return [(dump, self.known(dump)) for dump in self.dumps]

    def runs(self, dump, address, size, *options):
        content = lab.query(dump, " ".join(["content", *options, f"{address:x}", str(size)]))["content"]
        at = address
        for run in content["runs"]:
            self.assertEqual(int(run["address"], 16), at, "the runs have a gap")
            at += run["size"]
        self.assertEqual(at, address + size)
        return content["runs"]


class Overrun(OnDump):
    """The page of words is described: text, whose, from where it ran over, the lines of the log that it equals."""

    def story(self, dump, address, size):
        told = [run for run in self.runs(dump, address, size) if "pieces" in run]
        self.assertTrue(told, "no story of a text")
        return told[0]

    def test_the_words_are_text_from_the_page_before(self):
        for dump, known in self.each():
            messages, words = known["messages"][0], known["words"][0]
            log = (dump.folder / "console.log").read_text(errors="replace").replace("\r", "")
            lines = list(dict.fromkeys(LINE.findall(log)))
            length = sum(len(line) + 1 for line in lines)
            self.assertGreater(length, 4096)
            for address in words, messages:
                run = self.story(dump, address, 4096)
                self.assertEqual(run["kind"], "text")
                self.assertIn("runs_over", run)
                self.assertEqual([int(p["object"], 16) for p in run["pieces"]], [messages, words])
                self.assertEqual([p["offset"] for p in run["pieces"]], ["0x0", "0x0"])
                self.assertEqual([p["size"] for p in run["pieces"]], [4096, length - 4096])
                # Pages that were allocated apart look like pages that were allocated together.
                self.assertEqual([p["exact"] for p in run["pieces"]], [False, False])
                self.assertEqual((run["log"]["lines"], run["log"]["found"], run["log"]["records"]), (len(lines),) * 3)
                self.assertIsNone(run["log"]["missing"])
                self.assertIn("guest [26000]", run["log"]["example"])
                users = {int(user["object"], 16): user for user in reversed(run["users"]) if "guest" in user["what"]}
                self.assertIn("guestmap", users[messages]["what"])
                self.assertIn("guestmap", users[words]["what"])
                self.assertTrue(run["copies"], "the log's own buffer is another place")

    def test_other_text_in_front_is_not_of_it(self):
        """What stands in front by chance: the log tells where the text begins. Where it cannot, the border that was passed is known still."""
        for dump, known in self.each():
            messages, words = known["messages"][0], known["words"][0]
            # In a dump without free pages that page may be missing.
            if dump.meta["capture"].startswith("kdump") and lab.inquest("-c", f"rd {messages - 8:x}", dump.vmcore).returncode:
                continue
            stranger = int.from_bytes(b"__kstrta", "little")
            lines = [f"wr -64 {messages - 8:#x} {stranger:#x}"]
            for spoilt in False, True:
                with self.subTest(dump=str(dump), spoilt=spoilt):
                    if spoilt:
                        lines.append(f"wr -8 {messages + 2:#x} 0x5f")
                    commands = [word for line in [*lines, f"content {words:x} 4096"] for word in ("-c", line)]
                    out = lab.inquest("--json", *commands, dump.vmcore).stdout
                    run = next(run for run in json.loads(out)["commands"][-1]["content"]["runs"] if "pieces" in run)
                    pieces = {int(p["object"], 16): p for p in run["pieces"] if p["object"]}
                    self.assertEqual(pieces[messages]["address"] == run["pieces"][0]["address"], not spoilt, run)
                    self.assertIn(words, pieces)
                    self.assertIn("runs_over", run)
                    if not spoilt:
                        self.assertTrue(run["begins"].startswith(f"{messages:016x}, at +0x0 of {messages:016x}"), run["begins"])
                        self.assertIn(f"at {words:016x}", run["runs_over"])

    def test_what_is_left_of_the_words(self):
        for dump, known in self.each():
            runs = self.runs(dump, *known["words"], "-q")
            self.assertEqual(runs[0]["kind"], "text")
            self.assertEqual(runs[0]["begins_at"], "page")
            numbers = [run for run in runs if run["kind"] == "numbers"]
            self.assertEqual(len(numbers), 1)
            self.assertIn("each more by 0x1000", numbers[0]["description"])
            self.assertGreaterEqual(runs[0]["size"] + numbers[0]["size"], 4096 - 16)

    def test_between_objects_of_a_slab(self):
        for dump, known in self.each():
            if "overflowing" not in known:
                continue
            source, target = known["overflowing"][0], known["overflowed"][0]
            for address in source, target:
                run = self.story(dump, address, 192)
                self.assertIn("runs_over", run)
                self.assertEqual([(int(p["object"], 16), p["object_size"]) for p in run["pieces"]], [(source, 192), (target, 192)])
                self.assertEqual([(p["offset"], p["size"], p["exact"]) for p in run["pieces"]],
                                 [("0x10", 176, True), ("0x0", 64, True)])
                self.assertTrue(all("guestmap_line" in p["what"] for p in run["pieces"]))
                self.assertEqual(run["log"]["found"], 0)
            content = lab.query(dump, f"content -q {target:x}")["content"]
            self.assertEqual((int(content["object"], 16), content["object_size"]), (target, 192))
            self.assertEqual((content["before"]["kind"], content["before"]["same_kind"]), ("text", True))
            self.assertEqual(int(content["before"]["address"], 16), source)

    def test_text_within_its_borders_runs_over_none(self):
        for dump in lab.dumps(name="sysrq", capture="kdump", truncate=100):
            with self.subTest(dump=str(dump)):
                run = self.story(dump, int(lab.query(dump, "sym linux_banner")["symbols"][0]["address"], 16), 64)
                self.assertNotIn("runs_over", run)
                self.assertEqual(run["log"]["found"], 1)

    def test_the_image_in_the_direct_map_has_no_borders(self):
        """Its pages are neighbours there as in the image."""
        for dump in self.dumps:
            start = int(lab.query(dump, "sym linux_banner")["symbols"][0]["address"], 16) & -4096
            physical = int(lab.query(dump, f"vtop {start:#x}")["translations"][0]["physical"], 16)
            base = int(lab.query(dump, "rd page_offset_base")["memory"][0]["values"][0], 16)
            for run in self.runs(dump, base + physical, 1 << 18, "-q"):
                self.assertNotIn("runs_over", run)

    def test_as_text(self):
        for dump, known in self.each():
            text = lab.inquest("-c", f"content {known['words'][0]:x}", dump.vmcore).stdout
            for words in "RUNS OVER", "of its 80 lines are in the kernel log too", "used by: guest", "at +0x0 of":
                self.assertIn(words, text)


class Kinds(OnDump):
    def expect(self, kind, check, *options):
        for dump, known in self.each():
            address, size = known[kind]
            runs = self.runs(dump, address, size, "-q", *options)
            # makedumpfile leaves out pages of zeroes.
            if kind == "zero" and runs[0]["kind"] == "missing":
                continue
            check(runs)

    def single(self, kind, *words):
        def check(runs):
            self.assertEqual([run["kind"] for run in runs], [kind])
            for word in words:
                self.assertIn(word, runs[0]["description"] + runs[0].get("pointees", ""))
        return check

    def test_fills(self):
        self.expect("zero", self.single("zero"))
        self.expect("ones", self.single("fill", "all bits"))
        self.expect("freed", self.single("poison", "POISON_FREE"))

    def test_bytes_without_order(self):
        self.expect("random", lambda runs: self.assertGreaterEqual(
            sum(run["size"] for run in runs if run["kind"] == "random or compressed"), 4096 - 64))

    def test_code(self):
        self.expect("code", lambda runs: self.assertGreaterEqual(sum(run["size"] for run in runs if run["kind"] == "code"), 3500))

    def test_utf16(self):
        def check(runs):
            run = next(run for run in runs if run["kind"] == "UTF-16 text")
            self.assertEqual((run["offset"], run["size"]), ("0x400", 124))
            self.assertIn("The name of the guest, as its firmware", run["description"])
        self.expect("utf-16", check)

    def test_elf(self):
        self.expect("elf", lambda runs: self.assertEqual(runs[0]["kind"], "ELF"))

    def test_packets(self):
        for kind, words in (("udp", ("IPv4 10.0.2.3 to 10.0.2.2", "UDP port 40000 to 53, 29 bytes", "52:54:00:ab:cd:ef")),
                            ("tcp6", ("IPv6 fe80::5054:ff:fe12:3456 to fe80::5054:ff:feab:cdef", "TCP port 443 to 50000 SYN")),
                            ("arp", ("ARP request: 10.0.2.3 to 10.0.2.2",))):
            def check(runs, words=words):
                run = next(run for run in runs if run["kind"] == "packet")
                self.assertEqual(int(run["address"], 16) - int(runs[0]["address"], 16), 64)
                for word in words:
                    self.assertIn(word, run["description"])
                self.assertNotIn("wrong", run["description"].lower())
            self.expect(kind, check)

    def test_pointers(self):
        self.expect("text-pointers", self.single("pointers", "512 pointers to code", "103 schedule", "kfree"))
        self.expect("slab-pointers", self.single("pointers", "512 pointers to memory", "512 guestmap_entry"))

    def test_page_table(self):
        for dump, known in self.each():
            runs = self.runs(dump, known["page-table"][0] & -4096, 4096, "-q")
            self.assertIn("page-table entries", [run["kind"] for run in runs])

    def test_records(self):
        def check(runs):
            run = next(run for run in runs if run["kind"] == "records")
            self.assertEqual((run["stride"], run["count"]), (40, 102))
        self.expect("records", check)

    def test_poison_by_name(self):
        self.expect("list-poison", lambda runs: self.assertIn("LIST_POISON1", " ".join(run["description"] for run in runs)))

    def test_borders_between_kinds(self):
        def check(runs):
            self.assertEqual([run["kind"] for run in runs], ["text", "zero", "random or compressed", "pointers"])
            self.assertEqual(runs[0]["size"], 1024)
            # The random bytes may begin with zeroes.
            self.assertLessEqual(abs(int(runs[2]["address"], 16) - int(runs[0]["address"], 16) - 2048), 8)
            self.assertEqual(runs[3]["size"], 1024)
        self.expect("mixed", check)

    def test_holes(self):
        dump = self.dumps[0]
        runs = self.runs(dump, 0xffff800000000000, 8192)
        self.assertEqual([(run["kind"], run["description"]) for run in runs], [("missing", "not mapped")])


if __name__ == "__main__":
    unittest.main()
