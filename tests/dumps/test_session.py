# SPDX-License-Identifier: LGPL-2.1-or-later
"""A session of more than a hundred commands of all families equals its golden text, on both kernels, with and without
debug information. The text is made by tests/tools/session_golden.py, and was read by a person line by line; what it
holds of addresses, code and types is checked against other oracles elsewhere."""

import difflib
import os
import unittest

import debug_package
import lab
import session_replay


def sysrq(series):
    for dump in lab.dumps(name="sysrq", capture="kdump", truncate=100, paging=4, series=series):
        return dump
    raise unittest.SkipTest(f"the lab has no sysrq dump of {series}")


class Session(unittest.TestCase):
    maxDiff = None

    def compare(self, dump, vmlinux):
        path = session_replay.golden_path(dump, bool(vmlinux))
        release, golden = path.read_text().split("\n", 1)
        if release + "\n" != session_replay.release_line(dump):
            self.skipTest(f"{path.name} is of another build of the kernel ({release}): tests/tools/session_golden.py")
        text, status = session_replay.replay(dump, vmlinux)
        # Some of its commands are meant to fail.
        self.assertEqual(status, 1)
        difference = difflib.unified_diff(golden.splitlines(), text.splitlines(), "golden", "now", lineterm="", n=4)
        self.assertEqual(list(difference), [])

    def test_without_debug_information(self):
        for series in "6.1", "6.12":
            with self.subTest(series=series):
                self.compare(sysrq(series), None)

    def test_with_debug_information(self):
        dump = sysrq(debug_package.SERIES)
        vmlinux = debug_package.vmlinux(debug_package.SERIES)
        if dump.meta["kernel_release"] not in os.fspath(vmlinux):
            self.skipTest("the debug package is of another build")
        self.compare(dump, vmlinux)

    def test_it_is_long_and_of_all_families(self):
        lines = [line for line in (session_replay.FOLDER / "commands.txt").read_text().splitlines()
                 if line and not line.startswith("#")]
        self.assertGreaterEqual(len(lines), 100)
        used = {word for line in lines for word in line.replace("|>", " ").split()}
        for dump in lab.dumps(name="sysrq", capture="kdump"):
            names = {row["name"] for row in lab.query(dump, "help")["help"]}
            break
        else:
            self.skipTest("the lab has no sysrq dump")
        # What is not in it prints what differs in each boot, or has golden texts of its own.
        left_out = names - used
        self.assertLess(len(left_out), len(names) / 3, sorted(left_out))

    def test_masks_hide_no_more_than_they_say(self):
        shift = 0x10000000
        for text, wanted in (("ffffffff91234567 x", "ffffffff81234567 x"), ("0xffffffff91234567", "0xffffffff81234567"),
                             ("ffff888012345678", "ADDRESS_ADDRESS_"), ("fffffffffffffff2", "fffffffffffffff2"),
                             ("1234567812345678", "1234567812345678"), ("PID: 12  CPU: 3 4", "PID: PID CPU: CPU 4")):
            self.assertEqual(session_replay.masked(text, shift), wanted + "\n")


if __name__ == "__main__":
    unittest.main()
