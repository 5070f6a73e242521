# SPDX-License-Identifier: LGPL-2.1-or-later
"""Public reports of known kernel bugs: each must be told by its rule, and by no other."""

import json
import tempfile
import unittest

import lab

TEXTS = lab.ROOT / "tests" / "texts" / "rules"

# The investigations of the steering repository, which is beside this one where it is at all.
SEEDS = next(
    (
        folder
        for up in lab.ROOT.parents
        if (folder := up / "shared" / "seeds").is_dir() and list(folder.glob("*.txt"))
    ),
    None,
)
RULE_OF_SEED = {
    "000": ("kvm-pml-rmap-corruption", "possible"),
    "001": ("ceph-aio-read-null-page", "likely"),
    "002": ("aacraid-writes-freed-command", "likely"),
    "003": ("memcg-kmem-id-minus-one", "likely"),
    "004": ("ipset-expire-full-set", "likely"),
}


def known_of(path):
    result = lab.inquest("oops", "--json", str(path))
    if result.returncode:
        raise AssertionError(f"{path}: {result.stderr}")
    return [(issue["id"], issue["confidence"]) for issue in json.loads(result.stdout)["known"]]


class Reports(unittest.TestCase):
    def test_each_is_told_by_its_rule_alone(self):
        texts = sorted(TEXTS.glob("*.txt"))
        self.assertGreater(len(texts), 20)
        for text in texts:
            with self.subTest(text=text.stem):
                self.assertTrue((lab.ROOT / "rules" / f"{text.stem}.yaml").exists())
                self.assertEqual([issue for issue, _ in known_of(text)], [text.stem])

    def test_without_a_release_it_is_only_possible(self):
        """Who cannot say which kernel it was cannot say that it has the bug."""
        for text in sorted(TEXTS.glob("*.txt")):
            lines = text.read_text().splitlines()
            told = any("ainted" in line and any(c.isdigit() for c in line.split("ainted", 1)[1])
                       for line in lines)
            if told:
                continue
            with self.subTest(text=text.stem):
                self.assertEqual([sure for _, sure in known_of(text)], ["possible"])


class Investigations(unittest.TestCase):
    def setUp(self):
        if not SEEDS:
            self.skipTest("the investigations are not beside this repository (shared/seeds)")

    def test_cases(self):
        for number, (rule, sure) in RULE_OF_SEED.items():
            (text,) = SEEDS.glob(f"{number}_*.txt")
            with self.subTest(case=number):
                self.assertEqual(known_of(text), [(rule, sure)])


BANNER = """\
      KERNEL: /usr/lib/debug/lib/modules/2.6.32-642.el6.x86_64/vmlinux
        CPUS: 4
     RELEASE: 2.6.32-642.el6.x86_64
       PANIC: "Kernel panic - not syncing: softlockup: hung tasks"
         PID: 100
     COMMAND: "sshd"
         CPU: 0
"""
WAITING = ["__write_lock_failed", "_write_lock_bh", "box_add", "box_target", "ip_rcv"]
INSIDE = ["box4_expire", "box4_tadd", "box_add", "box_target", "ip_rcv"]


def stack(cpu, names):
    lines = [f'PID: {100 + cpu}  TASK: ffff88007f{cpu:02x}0000  CPU: {cpu}  COMMAND: "sshd"']
    names = ["crash_nmi_callback", "do_nmi", "nmi", *names]
    for i, name in enumerate(names):
        place = 0xFFFFFFFF81000000 + sum(map(ord, name)) * 0x1000 + 9
        lines.append(f" #{i} [ffff880028{cpu:02x}{0x3e00 + 16 * i:04x}] {name} at {place:016x}")
    return "\n".join(lines) + "\n"


class Spinners(unittest.TestCase):
    """Several CPUs spin below one function, and one got through: names are enough to tell it."""

    def verdict(self, *stacks):
        text = BANNER + "".join(f"crash> bt -c {cpu}\n{stack(cpu, s)}" for cpu, s in
                                enumerate(stacks))
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write(text)
            file.flush()
            result = lab.inquest("oops", "--json", file.name)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)["verdict"]

    def test_the_one_that_got_through(self):
        verdict = self.verdict(WAITING, WAITING, INSIDE, WAITING)
        self.assertEqual(verdict["kind"], "softlockup")
        self.assertEqual(verdict["function"], "box4_expire")
        self.assertEqual(verdict["confidence"], "likely")

    def test_two_inside_are_one_too_many(self):
        verdict = self.verdict(WAITING, WAITING, INSIDE, INSIDE)
        self.assertNotEqual(verdict["function"], "box4_expire")

    def test_who_came_another_way(self):
        other = ["box4_expire", "box_gc", "run_timer_softirq"]
        verdict = self.verdict(WAITING, WAITING, other, WAITING)
        self.assertNotEqual(verdict["function"], "box4_expire")


if __name__ == "__main__":
    unittest.main()
