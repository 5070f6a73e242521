# SPDX-License-Identifier: LGPL-2.1-or-later
"""struct, union and whatis on real dumps: definitions out of the dump's own BTF equal what pahole
reads from the kernel's file, and objects hold what the guest said of itself.

INQUEST_BUILD is the build folder, INQUEST_LAB_DUMPS a JSON file of {"words": "folder"}; without it
all dumps in the lab's cache (INQUEST_LAB, default: lab in the build folder) are looked at."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import test_types  # noqa: E402

BUILD = pathlib.Path(os.environ.get("INQUEST_BUILD", "build"))
LAB = pathlib.Path(os.environ.get("INQUEST_LAB", BUILD / "lab"))
STRUCTS = 2000


def dumps():
    """(words, folder, meta) of whole dumps, one for each kernel and capture."""
    listed = os.environ.get("INQUEST_LAB_DUMPS")
    if listed:
        folders = json.loads(pathlib.Path(listed).read_text())
    else:
        folders = {p.parent.name: p.parent for p in sorted(LAB.glob("dumps/*/meta.json"))}
    seen = set()
    for words, folder in folders.items():
        folder = pathlib.Path(folder)
        meta = json.loads((folder / "meta.json").read_text())
        kind = (meta.get("series"), meta.get("capture"), meta.get("paging"))
        if meta.get("truncate", 100) == 100 and (folder / "vmcore").exists() and kind not in seen:
            seen.add(kind)
            yield words, folder, meta


def inquest(folder, command):
    run = subprocess.run([BUILD / "inquest", "--json", "-c", command, folder / "vmcore"],
                         capture_output=True, text=True)
    return json.loads(run.stdout)["commands"], run


def value(command, name):
    """The value of member @name of the object that a struct command shows."""
    for member in command["structs"][0]["members"]:
        if member["name"] == name:
            return member["value"]
    return None


class Struct(unittest.TestCase):
    def each(self):
        found = list(dumps())
        if not found:
            self.skipTest(f"no dumps in {LAB}")
        return found

    @unittest.skipUnless(shutil.which("pahole"), "pahole is not installed")
    def test_definitions(self):
        done = set()
        for words, folder, meta in self.each():
            if meta.get("series") in done:
                continue
            done.add(meta.get("series"))
            vmlinux = LAB / str(meta.get("vmlinux"))
            if not vmlinux.is_file():
                continue
            with self.subTest(words), tempfile.TemporaryDirectory() as scratch:
                blob = pathlib.Path(scratch) / "btf"
                blob.write_bytes(test_types.section(vmlinux, ".BTF"))
                expected = test_types.pahole_layouts(["pahole", "-F", "btf", blob])
                names = list(expected)[:STRUCTS]
                commands, _ = inquest(folder, ";".join(names))
                for name, command in zip(names, commands):
                    self.compare(name, expected[name], command["structs"][0])

    def compare(self, name, expected, found):
        size, members = expected
        self.assertEqual(found["size"], size, name)
        ours = {m["name"]: (m["offset"] * 8 + (m["bit_offset"] or 0), m["bits"] or 0)
                for m in found["members"]}
        for member, place in members.items():
            self.assertEqual(ours.get(member), place[:2], f"{name}.{member}")

    def test_objects(self):
        for words, folder, _ in self.each():
            with self.subTest(words):
                commands, run = inquest(folder, "struct task_struct init_task; "
                                        "struct task_struct.pid,comm init_task; "
                                        "struct uts_namespace.name init_uts_ns; "
                                        "struct list_head -o modules; struct no_such_struct")
                task, some, uts, layout, none = commands
                self.assertEqual(value(task, "comm"), "swapper/0")
                self.assertEqual(value(task, "pid"), 0)
                self.assertEqual(value(task, "group_leader"), task["structs"][0]["address"])
                self.assertEqual([m["name"] for m in some["structs"][0]["members"]],
                                 ["pid", "comm"])
                self.assertEqual(value(uts, "name.sysname"), "Linux")
                self.assertEqual(value(uts, "name.machine"), "x86_64")
                console = (folder / "console.log").read_text(errors="replace")
                self.assertIn(value(uts, "name.release"), console)
                self.assertEqual(layout["structs"][0]["size"], 16)
                self.assertEqual(run.returncode, 1)
                self.assertNotIn("structs", {k for k, v in none.items() if v})
                self.assertIn("is called no_such_struct", run.stdout + run.stderr)

    def test_whatis(self):
        for words, folder, _ in self.each():
            with self.subTest(words):
                commands, run = inquest(folder, "whatis jiffies; whatis runqueues; "
                                        "whatis PIDTYPE_TGID; whatis u64; whatis do_exit")
                self.assertEqual([c["whatis"]["definition"] for c in commands[:3]],
                                 ["unsigned long jiffies;\n", "struct rq runqueues;\n",
                                  "PIDTYPE_TGID = 1\n"])
                self.assertTrue(commands[3]["whatis"]["definition"].startswith("typedef __u64 u64;"))
                self.assertRegex(commands[4]["whatis"]["definition"], r"^void do_exit\(long \w+\);")
                # A hole in the list of modules, which have types, too, is said.
                missing = [r for c in commands for r in c.get("remarks", []) if r["kind"] == "missing"]
                self.assertEqual(run.returncode, 1 if missing else 0)
                self.assertTrue(not missing or "old" in words, missing)


if __name__ == "__main__":
    unittest.main()
