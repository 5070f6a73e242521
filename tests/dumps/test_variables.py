# SPDX-License-Identifier: LGPL-2.1-or-later
"""Arguments and locals: against what the lab's module said of its own before it died, and gdb."""

import json
import re
import shutil
import subprocess
import unittest

import debug_package
import gdb_core
import lab

SERIES = debug_package.SERIES
# Variables of the scenario "values" that debug info and the stack determine.
MUST_BE_KNOWN = {("values_end", "magic"), ("values_end", "text"), ("values_forgets", "a"), ("values_forgets", "b"),
                 ("values_forgets", "record"), ("values_forgets", "flag"), ("values_inlined", "inner"),
                 ("values_keeps", "one"), ("values_keeps", "colour"), ("values_keeps", "label"), ("values_keeps", "sixth"),
                 ("values_keeps", "last"), ("values_keeps", "on_stack")}
# On the stack of a sysrq panic, of 55 that there are in 12 frames.
SYSRQ_KNOWN_MIN = 45


def spoken(dump):
    """{(function, name): number} out of the console."""
    found = {}
    for function, name, value in re.findall(r"values: (\w+) (\S+) (0x[0-9a-f]+)$",
                                            (dump.folder / "console.log").read_text(errors="replace"), re.M):
        name = re.sub(r"^\(u(8|32)\)", "", name)
        found[function, name] = int(value, 16)
    return found


class Variables(unittest.TestCase):
    def dumps(self, name, series=SERIES):
        found = [d for d in lab.dumps(name=name, series=series) if d.meta.get("truncate", 100) == 100]
        if not found:
            self.skipTest(f"the lab has no dump of {name}")
        return found

    def frames(self, dump, kernel):
        words = ("-k", kernel) if kernel else ()
        return lab.query(dump, "locals", *words, "-m", dump.folder / "modules")["frames"]

    def check_spoken(self, dump, frames):
        truth = spoken(dump)
        self.assertGreater(len(truth), 10)
        known = set()
        for frame in frames:
            for v in frame["variables"]:
                key = v["function"], v["name"]
                if v["state"] != "known":
                    continue
                if ("values_keeps", "&" + v["name"]) in truth and v["function"] == "values_keeps":
                    self.assertEqual(int(v["address"], 16), truth["values_keeps", "&" + v["name"]])
                if key not in truth:
                    continue
                mask = (1 << 8 * v["size"]) - 1
                self.assertEqual(int(v["number"], 16) & mask, truth[key] & mask, key)
                known.add(key)
        self.assertEqual(MUST_BE_KNOWN - known, set())

    def test_values_are_what_the_module_said(self):
        kernel = debug_package.folder(SERIES)
        for dump in self.dumps("values"):
            with self.subTest(dump=str(dump)):
                self.check_spoken(dump, self.frames(dump, kernel))

    def test_values_with_the_modules_debug_info_alone(self):
        for dump in self.dumps("values", "6.12"):
            with self.subTest(dump=str(dump)):
                self.check_spoken(dump, self.frames(dump, None))

    def test_those_of_a_chosen_frame(self):
        """info locals is of the frame that was chosen, and of no other."""
        for dump in self.dumps("values"):
            with self.subTest(dump=str(dump)):
                told = []
                for frame in lab.query(dump, "bt")["threads"][0]["frames"]:
                    run = lab.inquest("--json", "-m", dump.folder / "modules", "-c", f"frame {frame['level']}", "-c", "info locals", dump.vmcore)
                    (found,) = json.loads(run.stdout)["commands"][-1]["frames"]
                    self.assertEqual((found["level"], found["pc"]), (frame["level"], frame["pc"]))
                    told.append(found)
                self.check_spoken(dump, told)

    def test_values_without_orc(self):
        kernel = debug_package.folder(SERIES)
        for dump in self.dumps("values"):
            with self.subTest(dump=str(dump)):
                one = self.frames(dump, kernel)
                words = "-k", kernel, "-m", dump.folder / "modules", "--no-orc"
                self.assertEqual(lab.query(dump, "locals", *words)["frames"], one)

    def test_sysrq_stack(self):
        kernel = debug_package.folder(SERIES)
        for dump in self.dumps("sysrq"):
            with self.subTest(dump=str(dump)):
                frames = self.frames(dump, kernel)
                values = {(v["function"], v["name"]): v for f in frames for v in f["variables"]}
                known = {key: v for key, v in values.items() if v["state"] == "known"}
                for v in values.values():
                    self.assertEqual(v["why"] is None, v["state"] == "known")
                    self.assertEqual(v["where"] is None, v["state"] != "known")
                if not any(f["place"].startswith("panic+") for f in frames):
                    continue
                self.assertGreaterEqual(sum(v["state"] == "known" for f in frames for v in f["variables"]), SYSRQ_KNOWN_MIN)
                # Passed on from function to function, all the way from the system call.
                for function in "proc_reg_write", "write_sysrq_trigger":
                    for mine, of_write in (("file", "file"), ("buf", "buf"), ("count", "count"), ("ppos", "pos")):
                        self.assertEqual(known[function, mine]["number"], known["vfs_write", of_write]["number"])
                self.assertEqual(int(known["sysrq_handle_crash", "key"]["number"], 16), ord("c"))
                self.assertEqual(int(known["vfs_write", "count"]["number"], 16), 2)
                # The system call's number and arguments are what user space asked for: write(1, ...).
                # How far the compiler let it be proven differs from kernel to kernel.
                fd = known.get(("ksys_write", "fd"))
                if SERIES == "6.1":
                    self.assertIsNotNone(fd)
                if fd:
                    self.assertEqual(int(fd["number"], 16), 1)
                    self.assertTrue(fd["derived"])
                # What is guessed is what the function around was called with, and on to the next.
                guessed = {key for key, v in values.items() if v["guess"]}
                self.assertLessEqual(guessed, {("pde_write", name) for name in ("buf", "count", "ppos")})
                if SERIES == "6.1":
                    self.assertEqual(len(guessed), 3)
                for key in guessed:
                    self.assertEqual(known[key]["number"], known["write_sysrq_trigger", key[1]]["number"])
                    self.assertIn("proc_reg_write", known[key]["where"])
                self.assertIn("sysrq triggered crash", known["panic", "buf"]["value"])

    def test_gdb_says_the_same(self):
        if not shutil.which("gdb"):
            self.skipTest("no gdb")
        kernel, vmlinux = debug_package.folder(SERIES), debug_package.vmlinux(SERIES)
        nm = subprocess.run(["nm", vmlinux], capture_output=True, text=True, check=True).stdout
        linked = int(re.search(r"^([0-9a-f]+) . _text$", nm, re.M)[1], 16)
        for name in "sysrq", "many-tasks":
            for dump in self.dumps(name):
                with self.subTest(dump=str(dump)):
                    self.compare_with_gdb(dump, kernel, vmlinux, linked)

    def compare_with_gdb(self, dump, kernel, vmlinux, linked):
        slide = int(lab.query(dump, "sym _text")["symbols"][0]["address"], 16) - linked
        thread = lab.query(dump, "bt -V", "-k", kernel)["threads"][0]
        frames = [f for f in thread["frames"] if not f["inlined"]]
        # On the task's own stack from the innermost frame on: gdb cannot be told of several stacks.
        start = int(frames[0]["sp"], 16) & ~0xfff
        segments = [(start, gdb_core.memory(dump, start, (start & ~0x3fff) + 0x4000 - start))]
        theirs = gdb_core.variables(dump, vmlinux, slide, frames[0]["regs"], segments)
        found = {}
        for v in theirs:
            found.setdefault((v["pc"], v["function"], v["name"]), v)
        given, equal = 0, 0
        for frame in frames:
            for v in frame["variables"]:
                gdb = found.get((int(frame["pc"], 16), v["function"], v["name"]))
                if gdb is None or v["state"] != "known":
                    continue
                given += 1
                if gdb["number"] is not None and v["number"] is not None:
                    mask = (1 << 8 * v["size"]) - 1
                    self.assertEqual(int(v["number"], 16) & mask, gdb["number"] & mask, (frame["symbol"], v["name"]))
                    equal += 1
                if gdb["address"] is not None and v["address"] is not None:
                    self.assertEqual(int(v["address"], 16), gdb["address"], (frame["symbol"], v["name"]))
                    equal += 1
        lost = [(v["function"], v["name"]) for f in frames for v in f["variables"] if v["state"] != "known" and
                found.get((int(f["pc"], 16), v["function"], v["name"]), {}).get("number") is not None]
        self.assertGreater(equal, given // 2)
        self.assertEqual(lost, [])

    def test_without_debug_files_it_says_so(self):
        dump = self.dumps("sysrq")[0]
        value = lab.query(dump, "locals", "--no-debuginfo")
        self.assertTrue(any("debug files" in r["text"] for r in value["remarks"]))


if __name__ == "__main__":
    unittest.main()
