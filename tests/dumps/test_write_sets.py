# SPDX-License-Identifier: LGPL-2.1-or-later
"""Decoding: what every instruction in the text of a vmlinux writes and names, against Capstone."""

import subprocess
import unittest

import debug_package
import lab

# Where Capstone 4.0 is wrong, by sign and what, with the manual's word on it.
KNOWN = {
    ("less", "rax"): {"cdq", "cqo",  # write rdx only
                      "test"},       # writes flags only
    ("less", "memory"): {"test"},
    ("more", "rax"): {"cmpxchg", "lock cmpxchg"},  # get the old value into rax when they fail
    ("more", "rbx"): {"encls"}, ("more", "rcx"): {"encls", "syscall"}, ("more", "rdx"): {"encls"},
    ("more", "r11"): {"syscall"},  # the flags
    ("more", "rsp"): {"iretq", "retfq"},
    ("more", "memory"): {"cmpxchg", "lock cmpxchg", "lock cmpxchg16b", "fistp", "fnstcw", "movnti", "pushfq",
                         "rep insb", "rep insd", "rep insw", "vmovdqu"},
    ("length", "length"): {"ud2b"},  # ud1 has an operand
    # Of areas and far pointers Capstone tells other sizes than what is moved; it says 0 for some.
    ("size", "size"): {"clflush", "fnstsw", "fxrstor64", "fxsave", "fxsave64", "ljmp", "xrstor64", "xrstors64",
                       "xsave64", "xsaves64", "rep stosd"},
}


def is_known(sign, mnemonic, what):
    if (sign, what) == ("more", "memory") and mnemonic.startswith("set"):
        return True  # setcc stores its byte
    return mnemonic in KNOWN.get((sign, what), set())


class Text(unittest.TestCase):
    def test_write_sets_of_all_text(self):
        tool = lab.BUILD / "tests" / "write_sets"
        if not tool.exists():
            self.skipTest("it was built without capstone")
        path = debug_package.vmlinux(debug_package.SERIES)
        run = subprocess.run([tool, path], capture_output=True, text=True, check=True)
        counts, wrong = {}, []
        for line in run.stdout.splitlines():
            words = line.split("\t")
            if len(words) == 1:
                name, value = line.split()
                counts[name] = int(value)
            elif not is_known(*words[:3]):
                wrong.append(line)
        self.assertEqual(wrong, [])
        self.assertGreater(counts["insns"], 1_000_000)
        # lkgs, which no decoder of Debian's knows yet.
        self.assertLess(counts["undecoded"], 20)
        # To Capstone; compared by nobody.
        self.assertLess(counts["unknown"], 200)


if __name__ == "__main__":
    unittest.main()
