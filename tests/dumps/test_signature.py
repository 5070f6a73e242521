# SPDX-License-Identifier: LGPL-2.1-or-later
"""Signatures: the same for a scenario on every kernel, capture and page-table depth, and for the
text of the console; different for different scenarios."""

import collections
import json
import re
import unittest

import lab

# Several dumps of each, on functions of their own module.
STABLE = ["null-ioctl", "recursion", "null-call", "list-corruption", "list-poison", "bug-spinning", "bug-workqueue",
          "softlockup", "divide", "gpf", "double-free", "use-after-free", "err-pointer", "timer-panic", "stack-smash",
          "data-call", "oom", "sysrq", "lock-walk", "late-completion", "unset-id", "freelist-text", "hung-task",
          "abba", "silent-cpu", "vfreed", "wrmsr-gp", "stale-timer"]
# Whose truth names the function that fell, and that is no general helper.
NAMED = ["null-ioctl", "null-call", "list-poison", "bug-spinning", "bug-workqueue", "softlockup", "divide", "timer-panic"]
# They are about the machine, not about a place in code.
PLACELESS = {"sysrq", "oom"}


def signature(path):
    run = lab.inquest("--json", path)
    return json.loads(run.stdout)["signature"]


def whole(name):
    return [d for d in lab.dumps(name=name) if d.meta.get("truncate", 100) == 100]


class OnDumps(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.signatures = {(name, dump.words): signature(dump.vmcore)
                          for name in STABLE for dump in whole(name)}
        if not cls.signatures:
            raise unittest.SkipTest("the lab has no dumps")

    def of(self, name):
        return {words: s for (n, words), s in self.signatures.items() if n == name}

    def test_same_on_every_kernel_and_capture(self):
        compared = 0
        for name in STABLE:
            with self.subTest(name=name):
                found = self.of(name)
                compared += len(found) > 1
                self.assertLessEqual(len({s["guilty"] for s in found.values()}), 1, found)
        self.assertGreater(compared, 3, "hardly any scenario has two dumps")

    def test_same_stack_on_one_kernel(self):
        for name in STABLE:
            series = collections.defaultdict(set)
            for dump in whole(name):
                series[dump.meta["series"]].add(self.signatures[(name, dump.words)]["hash"])
            for kernel, hashes in series.items():
                with self.subTest(name=name, kernel=kernel):
                    self.assertEqual(len(hashes), 1, hashes)

    def test_scenarios_differ(self):
        owners = collections.defaultdict(set)
        for (name, _), s in self.signatures.items():
            owners[s["guilty"]].add(name)
        for guilty, names in owners.items():
            self.assertEqual(len(names), 1, f"{guilty}: {names}")

    def test_guilty_is_the_truth(self):
        for name in NAMED:
            for dump in whole(name):
                function = dump.truth.get("function")
                if not function or not dump.truth.get("module"):
                    continue
                with self.subTest(dump=str(dump)):
                    stack = self.signatures[(name, dump.words)]["stack"] or self.signatures[(name, dump.words)]["guilty"]
                    self.assertRegex(stack, rf"[:<]{re.escape(dump.truth.get('of') or function)}")

    def test_placeless(self):
        for name in PLACELESS:
            for words, s in self.of(name).items():
                with self.subTest(words=words):
                    self.assertEqual(s["guilty"], name)
                    self.assertIsNone(s["stack"])

    def test_no_addresses(self):
        for key, s in self.signatures.items():
            for text in filter(None, s.values()):
                if text != s["hash"]:
                    self.assertNotRegex(text, r"0x|[0-9a-f]{8}|\+|\.(isra|cold|part|constprop)", key)


class OnText(unittest.TestCase):
    """What the console said of a crash has the signature of its dump."""

    def test_same_from_text(self):
        compared = 0
        for name in STABLE:
            for dump in whole(name):
                text = dump.folder / "vmcore-dmesg.txt"
                if not text.exists():
                    continue
                with self.subTest(dump=str(dump)):
                    from_dump, from_text = signature(dump.vmcore), signature(text)
                    for level in ("guilty", "stack", "hash"):
                        self.assertEqual(from_text[level], from_dump[level], level)
                    if from_text["value"]:
                        self.assertTrue((from_dump["value"] or "").startswith(from_text["value"]), from_dump["value"])
                    compared += 1
        if not compared:
            self.skipTest("no dump of the lab has the text beside it")


if __name__ == "__main__":
    unittest.main()
