# SPDX-License-Identifier: LGPL-2.1-or-later
"""Public reports of known kernel bugs: each must be told by its rule, and by no other."""

import json
import pathlib
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
    "001": ("ceph-aio-read-null-page", "likely"),
    "002": ("aacraid-writes-freed-command", "likely"),
    "003": ("memcg-kmem-id-minus-one", "likely"),
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


if __name__ == "__main__":
    unittest.main()
