# SPDX-License-Identifier: LGPL-2.1-or-later
"""--jsonl and --csv: the same values as in --json, as rows. The oracle is the JSON of the same command, taken
apart here by the rules of docs/output.md, and Python's reader of CSV."""

import csv
import io
import json
import pathlib
import subprocess
import tempfile
import unittest

import lab

# Plain tables, records, single values, nested ones, lists in cells, bytes, several parts, none.
LINES = ("ps", "ps -S", "sys", "bt", "bt -a", "bt -f", "frame 1", "set", "log", "mod", "args", "struct task_struct",
         "struct task_struct.comm,pid init_task", "rd linux_banner 4", "search -x 1 init_task", "kmem -i", "kmem -z",
         "kmem -p 1000", "vm 1", "vtop linux_banner", "help", "help bt", "whatis init_task", "dis -l panic 4", "rules",
         "slab -f filp", "blocked", "report", "sym -q nothing_like_this")


def sysrq(test):
    for dump in lab.dumps(name="sysrq", capture="kdump", truncate=100, paging=4):
        return dump
    test.skipTest("the lab has no sysrq dump")


def as_lines(document):
    """What --jsonl prints of an object of --json."""
    document = {key: value for key, value in document.items() if key != "remarks"}
    values = {key: value for key, value in document.items() if not is_part(key, value)}
    parts = {key: value for key, value in document.items() if is_part(key, value)}
    several = len(parts) + bool(values) > 1
    lines = [values] if values else []
    for key, value in parts.items():
        for element in value if isinstance(value, list) else [value]:
            if not isinstance(element, dict):
                element = {"line" if isinstance(element, str) else "rows": element}
            lines.append({"table": key, **element} if several else element)
    return lines


def is_part(key, value):
    """A cell can hold a list, too, of numbers and words: those at the top are known by name."""
    return isinstance(value, (dict, list)) and key not in ("load", "taint_bits")


def innermost(value):
    """How many lines of CSV a row, record or part makes."""
    def lists(record):
        for inner in record.values():
            if isinstance(inner, list) and inner and all(isinstance(e, dict) for e in inner):
                yield inner
            elif isinstance(inner, dict):
                yield from lists(inner)
    return sum(innermost(element) for inner in lists(value) for element in inner) or 1


def cell(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return " ".join(map(cell, value))
    return str(value)


class Rows(unittest.TestCase):
    def setUp(self):
        self.dump = sysrq(self)

    def run_ok(self, *words):
        """As lab.inquest(), but line ends stay what they are."""
        run = subprocess.run([lab.INQUEST, *map(str, words), self.dump.vmcore], capture_output=True,
                             stdin=subprocess.DEVNULL, timeout=lab.SECONDS_MAX, check=False)
        self.assertIn(run.returncode, (0, 1), run.stderr)
        run.stdout, run.stderr = run.stdout.decode(), run.stderr.decode()
        return run

    def csv_blocks(self, text):
        self.assertEqual(text.count("\r\n"), text.count("\r"))
        self.assertTrue(not text or text.endswith("\r\n"))
        blocks = [[]]
        for row in csv.reader(io.StringIO(text, newline=""), strict=True):
            if row:
                blocks[-1].append(row)
            else:
                blocks.append([])
        return [[dict(zip(block[0], row, strict=True)) for row in block[1:]] for block in blocks if block]

    def test_lines_are_the_elements_of_the_object(self):
        for line in LINES:
            with self.subTest(line=line):
                document = lab.query(self.dump, line)
                run = self.run_ok("--jsonl", "-c", line)
                self.assertEqual([json.loads(row) for row in run.stdout.splitlines()], as_lines(document))
                for remark in document.get("remarks", []):
                    self.assertIn(remark["text"], run.stderr)

    def test_csv_has_every_innermost_row(self):
        for line in LINES:
            with self.subTest(line=line):
                document = lab.query(self.dump, line)
                run = self.run_ok("--csv", "-c", line)
                rows = [row for block in self.csv_blocks(run.stdout) for row in block]
                wanted = sum(innermost(row) for row in as_lines(document))
                self.assertEqual(len(rows), wanted)

    def test_values_of_a_plain_table(self):
        for line, key in (("ps", "tasks"), ("mod", "modules"), ("log", "records"), ("rd linux_banner 4", "memory"),
                          ("kmem -z", "zones")):
            with self.subTest(line=line):
                rows = lab.query(self.dump, line)[key]
                self.assertTrue(rows)
                blocks = self.csv_blocks(self.run_ok("--csv", "-c", line).stdout)
                found = [row for block in blocks for row in block if row.get("table", key) == key]
                flat = [{k: cell(v) for k, v in row.items() if not isinstance(v, dict)} for row in rows]
                self.assertEqual([{k: row[k] for k in flat[0]} for row in found], flat)

    def test_frames_carry_their_thread(self):
        threads = lab.query(self.dump, "bt -a")["threads"]
        rows = [row for block in self.csv_blocks(self.run_ok("--csv", "-c", "bt -a").stdout) for row in block]
        wanted = [(cell(t["pid"]), t["comm"], cell(f["level"]), cell(f["symbol"])) for t in threads for f in t["frames"]]
        self.assertGreater(len(wanted), 5)
        self.assertEqual([(r["threads.pid"], r["threads.comm"], r["level"], r["symbol"]) for r in rows], wanted)

    def test_several_commands(self):
        run = self.run_ok("--csv", "-c", "ps -S; mod")
        blocks = self.csv_blocks(run.stdout)
        self.assertEqual([{row["command"] for row in block} for block in blocks], [{"ps -S"}, {"mod"}])
        lines = [json.loads(row) for row in self.run_ok("--jsonl", "-c", "ps -S; mod").stdout.splitlines()]
        self.assertEqual({row["command"] for row in lines}, {"ps -S", "mod"})

    def test_on_the_line_of_a_command(self):
        plain = {word: self.run_ok(word, "-c", "ps -S").stdout for word in ("--csv", "--json", "--jsonl", "--html")}
        plain["--text"] = self.run_ok("-c", "ps -S").stdout
        for word, text in plain.items():
            for line in f"ps -S {word}", f"{word} ps -S", f"ps {word} -S":
                with self.subTest(line=line):
                    self.assertEqual(self.run_ok("-c", line).stdout, text)
        self.assertIn("<html", plain["--html"][:200])
        self.assertEqual(self.run_ok("--json", "-c", "ps -S --csv").stdout, plain["--csv"])
        self.assertEqual(self.run_ok("--csv", "-c", "ps -S --text").stdout, plain["--text"])
        # In quotes it is a word like any other.
        self.assertIn("not found", self.run_ok("-c", "search -c '4711 --csv nowhere'").stdout)
        # Parts of one object all have its form.
        self.assertEqual(len(json.loads(self.run_ok("--json", "-c", "ps -S --csv; mod").stdout)["commands"]), 2)

    def test_files_by_their_suffix(self):
        with tempfile.TemporaryDirectory() as folder:
            for suffix, word in (".csv", "--csv"), (".jsonl", "--jsonl"), (".json", "--json"), (".txt", "--text"):
                path = pathlib.Path(folder, f"x{suffix}")
                self.assertEqual(self.run_ok("-o", path, "-c", "ps -S").stdout, "")
                self.assertEqual(path.read_bytes().decode(), self.run_ok("-c", f"ps -S {word}").stdout)
            self.assertIn(b"\r\n", pathlib.Path(folder, "x.csv").read_bytes())
            run = lab.inquest("-o", pathlib.Path(folder, "x.xml"), "-c", "ps", self.dump.vmcore)
            self.assertEqual(run.returncode, 2)
            self.assertIn(".csv", run.stderr)
        self.assertEqual(lab.inquest("--csv", "--json", "-c", "ps", self.dump.vmcore).returncode, 2)

    def test_errors_and_holes_go_to_standard_error(self):
        for word in "--csv", "--jsonl":
            run = lab.inquest(word, "-c", "rd 0 2", self.dump.vmcore)
            self.assertEqual(run.returncode, 1)
            self.assertIn("missing: ", run.stderr)
            self.assertNotIn("missing: ", run.stdout)
            run = lab.inquest(word, "-c", "nosuch", self.dump.vmcore)
            self.assertEqual((run.returncode, run.stdout), (1, ""))
            self.assertIn("unknown command", run.stderr)


if __name__ == "__main__":
    unittest.main()
