# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pipelines of objects, against what the guest's own /proc and ps said before the crash."""

import collections
import unittest

import lab


def rows(dump, line):
    """The rows that a pipeline gives, as JSON has them; nothing may be missing."""
    answer = lab.query(dump, line)
    bad = [r for r in answer.get("remarks", []) if r["kind"] != "note"]
    if bad:
        raise AssertionError(f"{line}: {bad}")
    return answer["rows"]


def ps(dump):
    """The threads of ps.tsv but for the reader itself, which is gone in the dump."""
    names = "pid tgid ppid state comm cpu flags collector".split()
    found = []
    for line in (dump.oracle / "ps.tsv").read_text().splitlines():
        values = dict(zip(names, line.split("\t")))
        if values["pid"].isdigit() and values["collector"] == "0":
            found.append(values)
    return found


class Walkers(unittest.TestCase):
    dumps = lab.dumps(name="subsystems")

    def each(self):
        self.assertTrue(self.dumps, "no dump of the scenario subsystems")
        for dump in self.dumps:
            with self.subTest(dump=str(dump)):
                yield dump

    def test_tasks(self):
        for dump in self.each():
            there = {row["pid"]: row for row in rows(dump, "tasks |> where pid > 0 |> select pid, "
                                                     "tgid, ppid, state, comm, kernel")}
            for task in ps(dump):
                row = there[int(task["pid"])]
                self.assertEqual((row["tgid"], row["ppid"]), (int(task["tgid"]), int(task["ppid"])))
                self.assertTrue(task["comm"].startswith(row["comm"]), task)
                self.assertEqual(row["kernel"], bool(int(task["flags"], 16) & 0x200000))

    def test_modules(self):
        for dump in self.each():
            lines = (dump.oracle / "proc" / "modules").read_text().splitlines()
            known = {line.split()[0]: (int(line.split()[1]), int(line.split()[2]))
                     for line in lines}
            found = {row["name"]: (row["size"], row["used"]) for row in rows(dump, "modules")}
            self.assertEqual(found, known)

    def test_command_as_source(self):
        for dump in self.each():
            states = collections.Counter(t["state"] for t in lab.query(dump, "ps")["tasks"])
            found = {row["state"]: row["count"] for row in rows(dump, "ps |> count by state")}
            self.assertEqual(found, states)


if __name__ == "__main__":
    unittest.main()
