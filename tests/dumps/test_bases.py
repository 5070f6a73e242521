# SPDX-License-Identifier: LGPL-2.1-or-later
"""Options that change how a thing is shown, and not what: -x and -d of commands that show structures, bt's and ps's looks. What they
show is compared with each other and with what stands in memory."""

import re
import struct
import unittest

import lab
import subsystems

NUMBER = re.compile(r"= (-?(?:0x[0-9a-f]+|\d+))\b")
SHOWING = ("task", "vm -m 1", "vm -v 1", "bpf -s -p 1", "mach -c", "net -S {holder}", "tree -t maple -r mm_struct.mm_mt {mm} -S vm_area_struct.vm_start")


def text(dump, command):
    run = lab.inquest("-c", command, dump.vmcore)
    if run.returncode not in (0, 1):
        raise AssertionError(f"{command}: {run.stderr}")
    return run.stdout


def same(in_hex, in_decimal):
    """A negative number is shown in hexadecimal as its type holds it."""
    off = in_hex - in_decimal
    return off == 0 or (in_decimal < 0 and off & (off - 1) == 0)


class Bases(unittest.TestCase):
    def each(self, **wanted):
        dumps = lab.dumps(**wanted)
        if not dumps:
            self.skipTest(f"the lab has no dump with {wanted}")
        for dump in dumps:
            with self.subTest(dump=str(dump)):
                yield dump

    def test_the_same_numbers_in_both_bases(self):
        for dump in self.each(name="subsystems"):
            mm = lab.query(dump, "struct task_struct.mm {}".format(lab.query(dump, "ps 1")["tasks"][0]["task"]))
            words = {"holder": subsystems.pid_of(dump, "net"), "mm": mm["structs"][0]["members"][0]["value"]}
            for command in SHOWING:
                name, rest = command.format(**words).partition(" ")[::2]
                in_hex, in_decimal = (text(dump, f"{name} {option} {rest}") for option in ("-x", "-d"))
                shown = [NUMBER.findall(out) for out in (in_hex, in_decimal)]
                self.assertGreater(len(shown[0]), 0, command)
                self.assertEqual(len(shown[0]), len(shown[1]), command)
                for pair in zip(*shown):
                    self.assertTrue(same(*(int(n, 0) for n in pair)), (command, pair))
                self.assertNotEqual(*shown, command)

    def test_offsets_of_stacks(self):
        for dump in self.each(name="sysrq", capture="kdump", truncate=100):
            usual, in_hex, in_decimal = (text(dump, f"bt {option}") for option in ("", "-sx", "-sd"))
            self.assertEqual(in_hex, usual)
            places = [re.findall(r"(?m)^ *#\d+ .* \S+\+(\S+)", out) for out in (in_hex, in_decimal)]
            self.assertGreater(len(places[0]), 3)
            self.assertEqual([int(n, 16) for n in places[0]], [int(n) for n in places[1]])

    def test_recursion_frame_by_frame(self):
        for dump in self.each(name="recursion"):
            folded, whole = (lab.query(dump, f"bt {option}")["threads"][0]["frames"] for option in ("", "--unfolded"))
            self.assertEqual(folded, whole, "JSON always has all")
            lines = [len(text(dump, f"bt {option}").splitlines()) for option in ("", "--unfolded")]
            self.assertGreater(lines[1], len(whole))
            self.assertLess(lines[0], lines[1])

    def test_ps_without_headings(self):
        for dump in self.each(name="sysrq", capture="kdump", truncate=100):
            for view in "", "-u":
                bare, usual = text(dump, f"ps -H {view}").split(), text(dump, f"ps {view}").splitlines()
                self.assertEqual(bare, "\n".join(usual[1:]).split())

    def test_decimal_words(self):
        for dump in self.each(name="sysrq", capture="qemu-elf", truncate=100):
            raw = bytes.fromhex("".join(text(dump, f"rd -8 linux_banner {8 * 4}").replace(":", " ").split()[1:17]))
            shown = {option: text(dump, f"rd {option} linux_banner 1").split()[1] for option in ("-d", "-D")}
            self.assertEqual(int(shown["-d"]), struct.unpack("<q", raw[:8])[0])
            self.assertEqual(int(shown["-D"]), struct.unpack("<Q", raw[:8])[0])


if __name__ == "__main__":
    unittest.main()
