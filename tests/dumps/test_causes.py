# SPDX-License-Identifier: LGPL-2.1-or-later
"""Logs of deaths whose cause is no code on the stack: requests, policies, hardware, memory, checkers."""

import json
import unittest

import lab

TEXTS = lab.ROOT / "tests" / "texts" / "causes"

# Of each text the kind of the verdict, and words of its fields.
WANTED = {
    "atomic": ("atomic-sleep", {"why": "preemption disabled 2 times", "function": "foo_wait"}),
    "canary": ("stack-corruption", {"function": "parse_name", "module": "stack_smash"}),
    "cfi": ("cfi", {"why": "caller() of module foo called through a pointer to other()", "function": "caller"}),
    "cgroup-oom": ("oom", {"what": "worker (pid ", "why": "the memory cgroup /shop", "who": "worker"}),
    "disk-then-ext4": ("file-system-panic", {"why": "The disk below had failed requests before"}),
    "fortify": ("buffer-overflow", {"why": "memcpy was to write 16 bytes to a buffer of 8", "function": "foo_ioctl"}),
    "hpe-watchdog": ("watchdog", {"why": "hpwdt"}),
    "init-killed": ("init-killed", {"what": "was killed by signal 11 (SIGSEGV)", "why": "the program itself failed"}),
    "iommu-and-aer": ("sysrq", {"who": "bash (pid 1234)"}),
    "kasan": ("use-after-free", {"why": "allocated by maker() of module buggy", "function": "reader"}),
    "machine-check": ("machine-check", {"what": "memory, scrubbing; not corrected", "who": "CPU 19, socket 1, bank 7"}),
    "no-root": ("no-root", {"why": "root=/dev/vda7 was not found, and the kernel knew no disk at all"}),
    "slab-leak": ("oom", {"what": "the slab cache kmalloc-1k"}),
    "slab-poison": ("slab-damage", {"why": "written to after it was freed", "function": "__blk_put_request"}),
    "softdog": ("watchdog", {"why": "softdog"}),
    "sysrq": ("sysrq", {"what": "Requested by bash (pid 1234) through /proc/sysrq-trigger"}),
    "sysrq-3.10": ("sysrq", {"what": "Requested by bash (pid 8917) through /proc/sysrq-trigger"}),
    "usercopy": ("usercopy", {"why": "128 bytes were to be copied from user space", "function": "foo_ioctl"}),
}


def report_of(name):
    run = lab.inquest("oops", "--json", str(TEXTS / f"{name}.txt"))
    if run.returncode:
        raise AssertionError(f"{name}: {run.stderr}")
    return json.loads(run.stdout)


class Causes(unittest.TestCase):
    def test_each_text(self):
        self.assertEqual({text.stem for text in TEXTS.glob("*.txt")}, set(WANTED))
        for name, (kind, fields) in WANTED.items():
            with self.subTest(text=name):
                verdict = report_of(name)["verdict"]
                self.assertEqual(verdict["kind"], kind, verdict["what"])
                for field, words in fields.items():
                    self.assertIn(words, verdict[field] or "")

    def test_hardware_that_only_complained(self):
        """It is told, below all others, and counted: 3 + 2 corrected errors in two lines."""
        findings = {f["kind"]: f for f in report_of("iommu-and-aer")["findings"][1:]}
        self.assertEqual(set(findings), {"memory-error", "pcie-error", "iommu-fault", "machine-check-events"})
        for finding in findings.values():
            self.assertEqual(finding["confidence"], "possible")
        self.assertIn("5 in 2 lines", findings["memory-error"]["what"])
        self.assertIn("CPU_SrcID#1_Ha#0_Chan#0_DIMM#0", findings["memory-error"]["what"])
        self.assertIn("2 in 2 lines of the log, the last one about pcieport 0000:00:1c.5", findings["pcie-error"]["what"])
        self.assertIn("cache (instruction), level 2", findings["machine-check-events"]["evidence"][0]["claim"])


if __name__ == "__main__":
    unittest.main()
