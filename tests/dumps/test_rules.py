# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rules of known issues: the shipped ones against their own fact sets, the user's folders, rules
on real dumps, and what a broken file does."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import json_schema
import lab

RULE = """
id: {id}
title: {title}
reference: none, a test
explains: a test
confidence: certain
fixed_in: v99
match:
  class: null-pointer
  stack: ['*', '*_sys_ioctl']
  {more}
"""


def run(line, **options):
    result = lab.inquest("--json", "-c", line, **options)
    return result, json.loads(result.stdout) if result.stdout else None


class Shipped(unittest.TestCase):
    def test_fact_sets(self):
        result, doc = run("rules --test")
        self.assertEqual(doc["rules_test"]["failures"], [])
        self.assertEqual(doc.get("remarks", []), [])
        self.assertEqual(result.returncode, 0)
        self.assertGreater(doc["rules_test"]["passed"], 0)

    def test_every_rule_has_both_kinds(self):
        _, doc = run("rules")
        self.assertTrue(doc["rules"])
        for rule in doc["rules"]:
            self.assertGreaterEqual(rule["positive"], 1, rule["id"])
            self.assertGreaterEqual(rule["negative"], 1, rule["id"])

    def test_every_rule_is_described(self):
        _, doc = run("rules")
        for rule in doc["rules"]:
            _, one = run(f"rules {rule['id']}")
            self.assertTrue(one["rule"]["reference"], rule["id"])
            self.assertTrue(one["rule"]["match"], rule["id"])

    def test_files_fit_their_schema(self):
        try:
            import yaml
        except ImportError:
            self.skipTest("python3-yaml is not installed")
        for path in sorted((lab.ROOT / "rules").glob("*.yaml")):
            with self.subTest(rule=path.name):
                self.assertEqual(json_schema.faults("rule", yaml.safe_load(path.read_text())), [])

    def test_example_of_the_documentation(self):
        text = (lab.ROOT / "docs" / "rules.md").read_text()
        example = text.split("```yaml\n", 1)[1].split("```", 1)[0]
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "frob-channel-put-twice.yaml").write_text(example)
            result, doc = run(f"rules --test {folder}")
        self.assertEqual(doc["rules_test"]["passed"], 2, doc)
        self.assertEqual(result.returncode, 0, doc)

    def test_schema(self):
        _, doc = run("rules")
        for line in ("rules", f"rules {doc['rules'][0]['id']}", "rules -t"):
            _, answer = run(line)
            self.assertEqual(json_schema.faults("rules", answer), [], line)


class Installed(unittest.TestCase):
    """A program that was put elsewhere finds the rules beside it."""

    def test_beside_the_program(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "bin").mkdir()
            shutil.copy(lab.INQUEST, root / "bin" / "inquest")
            rules = root / "share" / "inquest" / "rules"
            rules.mkdir(parents=True)
            (rules / "mine.yaml").write_text(RULE.format(id="mine", title="t", more=""))
            result = subprocess.run([root / "bin" / "inquest", "--json", "-c", "rules"],
                                    capture_output=True, text=True, check=True)
        names = [rule["id"] for rule in json.loads(result.stdout)["rules"]]
        if "mine" not in names and names:
            self.skipTest("the program is installed on this machine, with rules of its own")
        self.assertEqual(names, ["mine"])


class OwnFolder(unittest.TestCase):
    """Rules that are written here, on real dumps."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = pathlib.Path(holder.name)

    def rule(self, name, more="", title="a test", folder=None):
        folder = folder or self.folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.yaml").write_text(RULE.format(id=name, title=title, more=more))

    def dump(self, **wanted):
        found = lab.dumps(**wanted)
        if not found:
            self.skipTest(f"the lab has no dump with {wanted}")
        return found[0]

    def known(self, dump, *words, **options):
        result = lab.inquest("--json", *words, dump.vmcore, **options)
        doc = json.loads(result.stdout)
        return {issue["id"]: issue for issue in doc["known"]}, doc, result

    def test_match_and_reason(self):
        dump = self.dump(name="null-ioctl", capture="kdump", truncate=100)
        release = dump.meta["kernel_release"]
        self.rule("fits", "release: ['debian: < 99']")
        self.rule("module", f"loaded: [null_ioctl]\n  offset: 0x30\n  value: 0\n  taint: [O, E]")
        self.rule("fixed", "release: ['debian: < 1.0-1']")
        self.rule("elsewhere", "loaded: [no_such_module]")
        known, _, _ = self.known(dump, "--rules", self.folder)
        self.assertEqual(sorted(set(known) - {"fits", "module"}), [])
        self.assertEqual(known["fits"]["confidence"], "certain")
        self.assertIn(release, known["fits"]["because"])
        self.assertIn("__x64_sys_ioctl on the stack", known["fits"]["because"])
        self.assertIn("+0x30", known["module"]["because"])

    def test_member_that_the_value_was_read_from(self):
        dump = self.dump(name="late-completion")
        for name, member in (("read-from", "frag_list"), ("elsewhere", "nr_frags")):
            self.rule(name, f"member: skb_shared_info.{member}\n  value: 0x206")
            path = self.folder / f"{name}.yaml"
            path.write_text(path.read_text().replace("class: null-pointer", "class: '*'")
                            .replace("stack: ['*', '*_sys_ioctl']", "stack: skb_release_data"))
        known, _, _ = self.known(dump, "--rules", self.folder)
        self.assertIn("read-from", known)
        self.assertNotIn("elsewhere", known)

    def test_unknown_lowers(self):
        dump = self.dump(name="null-ioctl", capture="kdump", truncate=100)
        self.rule("unknown", "config: {CONFIG_SLUB: y}")  # Debian's kernels do not carry it
        known, _, _ = self.known(dump, "--rules", self.folder)
        self.assertEqual(known["unknown"]["confidence"], "likely")
        self.assertIn("not known: config", known["unknown"]["because"])

    def test_parameters(self):
        """Of a module, and of what is built in; a kernel that prints times has printk.time=Y."""
        dump = self.dump(name="null-ioctl", capture="kdump", truncate=100)
        self.rule("right", "parameter: {printk.time: Y, virtio_blk.queue_depth: '*'}")
        self.rule("wrong", "parameter: {printk.time: N}")
        self.rule("none", "parameter: {printk.no_such: Y}")
        known, _, _ = self.known(dump, "--rules", self.folder)
        self.assertEqual(known["right"]["confidence"], "certain")
        self.assertIn("printk.time=Y", known["right"]["because"])
        self.assertNotIn("wrong", known)
        self.assertIn("not known: parameter", known["none"]["because"])

    def test_broken_rule_is_named_and_costs_nothing_else(self):
        dump = self.dump(name="null-ioctl", capture="kdump", truncate=100)
        self.rule("fits")
        (self.folder / "broken.yaml").write_text("id: broken\ntitle: [\n")
        self.rule("misspelt", "modul: foo")
        known, doc, _ = self.known(dump, "--rules", self.folder)
        self.assertIn("fits", known)
        missing = "\n".join(doc["missing"])
        self.assertRegex(missing, r"broken\.yaml:\d+: ")
        self.assertRegex(missing, r"misspelt\.yaml:11: .*modul")

    def test_places(self):
        """--rules goes before $INQUEST_RULES, that before the user's configuration."""
        dump = self.dump(name="null-ioctl", capture="kdump", truncate=100)
        option, variable, config = (self.folder / name for name in ("o", "v", "c"))
        self.rule("same", title="option", folder=option)
        self.rule("same", title="variable", folder=variable)
        self.rule("other", title="variable", folder=variable)
        self.rule("other", title="config", folder=config / "inquest" / "rules")
        self.rule("third", title="config", folder=config / "inquest" / "rules")
        env = dict(os.environ, INQUEST_RULES=str(variable), XDG_CONFIG_HOME=str(config))
        known, _, _ = self.known(dump, "--rules", option, env=env)
        self.assertEqual({name: known[name]["title"] for name in ("same", "other", "third")},
                         {"same": "option", "other": "variable", "third": "config"})

    def test_self_test_fails(self):
        self.rule("bad")
        with open(self.folder / "bad.yaml", "a", encoding="utf-8") as file:
            file.write("tests:\n  - match: true\n    facts: {class: bug, stack: [a, __x64_sys_ioctl]}\n"
                       "  - match: false\n    facts: {class: null-pointer, stack: [a, __x64_sys_ioctl]}\n")
        result, doc = run(f"rules --test {self.folder}")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(doc["rules_test"]["failed"], 2)
        self.assertRegex(doc["rules_test"]["failures"][0], r"bad\.yaml:13: bad must match")

    def test_rule_that_matches_everything_is_refused(self):
        (self.folder / "all.yaml").write_text(
            "id: all\ntitle: t\nreference: r\nexplains: e\nmatch: {class: '*'}\n")
        result, doc = run(f"rules {self.folder}")
        self.assertEqual(doc["rules"], [])
        self.assertEqual(result.returncode, 1)


if __name__ == "__main__":
    unittest.main()
