# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a line of the shell can be: files of lines, aliases, repetitions, variables, the init file, help's letters,
and "did you mean". The oracles are readelf-like facts of the dump's own header (makedumpfile wrote them), the same
command typed in another way, and Python."""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import time
import unittest

import lab

SECONDS = 300


def sysrq(test):
    for dump in lab.dumps(name="sysrq", capture="kdump", truncate=100, paging=4):
        return dump
    test.skipTest("the lab has no sysrq dump")


class Lines(unittest.TestCase):
    def setUp(self):
        self.dump = sysrq(self)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def file(self, name, *lines):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(line + "\n" for line in lines))
        return path

    def run_words(self, *words, text="", dump=None):
        env = {**os.environ, "XDG_CONFIG_HOME": str(self.folder / "config")}
        return subprocess.run([lab.INQUEST, *map(str, words), (dump or self.dump).vmcore], input=text, env=env,
                              capture_output=True, text=True, timeout=SECONDS, check=False)

    def shell(self, *lines, **options):
        return self.run_words("shell", text="\n".join(lines) + "\n", **options)

    def same(self, lines, command, **options):
        """These lines give what one command gives."""
        run = self.shell(*lines, **options)
        self.assertEqual((run.stderr, run.returncode), ("", 0))
        self.assertEqual(run.stdout, lab.inquest("-c", command, self.dump.vmcore).stdout)


class Files(Lines):
    def test_the_lines_of_a_file(self):
        inner = self.file("inner", "# nothing", "", "  sym panic")
        outer = self.file("outer", f"< {inner}", "sym schedule")
        run = self.shell(f"< {outer}")
        self.assertEqual([line.split()[-1] for line in run.stdout.splitlines()], ["panic", "schedule"])
        self.assertEqual(run.returncode, 0)

    def test_a_file_on_the_command_line_is_as_with_c(self):
        path = self.file("lines", "sym panic", "bt | head -1 > /dev/null", "sym schedule")
        for words in ("-f", path), (f"--file={path}",), (f"-f{path}",):
            run = self.run_words(*words)
            self.assertEqual((run.returncode, run.stderr), (0, ""))
            self.assertEqual(run.stdout.splitlines()[:2],
                             lab.inquest("-c", "sym panic; sym schedule", self.dump.vmcore).stdout.splitlines()[:2])
            self.assertEqual(run.stdout.count("inquest> "), 3)
        run = self.run_words("-f", "-", text="sym panic\n")
        self.assertIn("(T) panic", run.stdout)
        whole = json.loads(self.run_words("--json", "-f", path).stdout)
        self.assertEqual([c["command"] for c in whole["commands"]], ["sym panic", "sym schedule"])
        rows = [json.loads(line) for line in self.run_words("--jsonl", "-f", path).stdout.splitlines()]
        self.assertEqual([row["command"] for row in rows], ["sym panic", "sym schedule"])
        out = self.folder / "out.json"
        self.assertEqual(self.run_words("-o", out, "-f", path).returncode, 0)
        self.assertEqual(len(json.loads(out.read_text())["commands"]), 2)
        # -c comes first; then the shell, if there is one.
        run = self.run_words("-c", "sym init_task", "-f", path, "shell", text="sym linux_banner\n")
        self.assertEqual([line.split()[-1] for line in run.stdout.splitlines() if "(" in line],
                         ["init_task", "panic", "schedule", "linux_banner"])

    def test_errors_name_file_and_line(self):
        path = self.file("wrong", "sym panic", "nosuch", "", "sym schedule", "bt |")
        run = self.run_words("-f", path)
        self.assertEqual(run.returncode, 1)
        self.assertIn("schedule", run.stdout)
        errors = run.stderr.splitlines()
        self.assertEqual(len(errors), 2)
        self.assertTrue(errors[0].startswith(f"inquest: {path}:2: unknown command: nosuch"), errors[0])
        self.assertTrue(errors[1].startswith(f"inquest: {path}:5: "), errors[1])
        self.assertEqual(self.run_words("-f", self.folder / "nowhere").returncode, 2)
        self.assertIn("cannot read", self.shell(f"< {self.folder}/nowhere").stderr)

    def test_a_file_that_runs_itself_ends(self):
        path = self.folder / "loop"
        path.write_text(f"sym panic\n< {path}\n")
        run = self.shell(f"< {path}", "sym schedule")
        self.assertEqual(run.stdout.count("panic"), 8)
        self.assertIn("deep", run.stderr)
        self.assertIn("schedule", run.stdout)

    def test_arguments_from_a_file(self):
        names = self.file("names", "panic", "# no symbol", "", "schedule")
        self.same([f"sym < {names}"], "sym panic schedule")
        # Elsewhere it is "less than".
        self.assertIn("= 1", self.shell("p 3 < 4").stdout)

    def test_the_init_file(self):
        self.file("config/inquest/init", "# mine", "alias banner rd -a linux_banner", "set radix 16", "nosuch", "sym panic")
        run = self.shell("p sizeof(long)", "banner")
        self.assertIn("(T) panic", run.stdout)
        self.assertIn("= 0x8", run.stdout)
        self.assertIn("Linux version", run.stdout)
        self.assertEqual(run.returncode, 0)
        self.assertIn("config/inquest/init:4: unknown command: nosuch", run.stderr)
        run = self.run_words("--no-init", "shell", text="p sizeof(long)\n")
        self.assertRegex(run.stdout, r"\A.*= 8\n\Z")
        self.assertEqual(run.stderr, "")
        # Not with -c.
        self.assertNotIn("panic", self.run_words("-c", "p sizeof(long)").stdout)


class Aliases(Lines):
    def test_those_of_crash(self):
        known = {row["name"]: row["text"] for row in lab.query(self.dump, "alias")["aliases"]}
        # help alias of crash names these.
        for name in "man ? quit sf sn hex dec g px pd for size dmesg lsmod last".split():
            self.assertTrue(name in known or name == "quit", name)
        self.assertEqual((known["hex"], known["last"], known["px"]), ("set radix 16", "ps -l", "p -x"))
        self.same(["man bt"], "help bt")
        self.same(["dmesg -t"], "log -t")
        self.same(["px jiffies"], "p -x jiffies")

    def test_own_ones(self):
        self.same(["alias pan sym panic > /dev/null", "alias find \"sym -q\" > /dev/null", "find sysrq_handle_c"],
                  "sym -q sysrq_handle_c")
        run = self.shell("alias both \"sym panic; sym schedule | tr a-z A-Z\"", "both", "alias", "alias -d both", "both",
                         "alias both", "alias sym \"sym -q\"", "sym sysrq_handle_cr", "alias sym \"\"", "sym panic")
        self.assertIn("(T) panic\n", run.stdout)
        self.assertIn("(T) SCHEDULE\n", run.stdout)
        self.assertIn("(t) sysrq_handle_crash\n", run.stdout)
        self.assertEqual(len(re.findall(r"unknown command: both|no alias both", run.stderr)), 2)
        self.assertEqual(len(run.stderr.splitlines()), 2)
        # One can name another, not itself again.
        run = self.shell("alias a b", "alias b a", "a panic", "alias one sym", "alias two one", "two panic")
        self.assertIn("(T) panic", run.stdout)
        self.assertEqual(len(run.stderr.splitlines()), 1)
        run = self.shell("alias a \"repeat -n 2 a\"", "a", "alias one sym", "alias two \"repeat -n 2 one\"", "two panic")
        self.assertEqual(run.stdout.count("(T) panic"), 2)
        self.assertEqual(len(re.findall("unknown command: a\\b", run.stderr)), 2)

    def test_what_cannot_be_one(self):
        for line, word in (("alias alias ps", "no way back"), ("alias !x ps", "cannot be"), ("alias nosuch", "no alias"),
                           ("alias -d nosuch", "no alias")):
            run = self.shell(line)
            self.assertEqual(run.returncode, 1)
            self.assertIn(word, run.stderr)


class Repeat(Lines):
    def test_counted(self):
        self.same(["repeat -n 3 sym panic"], "sym panic panic panic")
        self.same(["repeat -n 2 sym panic | cat"], "sym panic panic")
        begin = time.monotonic()
        self.same(["repeat -0.2 -n 3 sym panic"], "sym panic panic panic")
        self.assertGreater(time.monotonic() - begin, 0.4)
        run = lab.inquest("-c", "repeat -n 2 sym panic", self.dump.vmcore)
        self.assertEqual(run.stdout.count("(T) panic"), 2)

    def test_a_script_is_not_caught_in_it(self):
        run = self.shell("repeat -1 sym panic")
        self.assertEqual((run.returncode, run.stdout), (1, ""))
        self.assertIn("-n", run.stderr)

    def test_wrong(self):
        for line in "repeat", "repeat -n 0 ps", "repeat -n -1 ps", "repeat -x ps", "repeat -2", "repeat repeat ps", "repeat -n ps":
            run = self.shell(line)
            self.assertEqual((run.returncode, run.stdout), (1, ""), line)
            self.assertEqual(len(run.stderr.splitlines()), 1)


class Variables(Lines):
    def values(self, *lines):
        run = self.run_words("--json", "shell", text="\n".join([*lines, "set -v"]) + "\n")
        decoder, text, found = json.JSONDecoder(), run.stdout, None
        while text.strip():
            found, end = decoder.raw_decode(text.lstrip())
            text = text.lstrip()[end:]
        return {row["name"]: row["value"] for row in found["variables"]}

    def test_all_of_crash_are_there(self):
        values = self.values()
        for name in ("scroll radix refresh print_max print_array console debug core hash silent edit namelist zero_excluded "
                     "null-stop gdb scope offline redzone error unwind").split():
            self.assertIn(name, values)
            run = self.shell(f"set {name}")
            self.assertEqual((run.returncode, run.stderr), (0, ""))
            self.assertTrue(run.stdout.startswith(name))
        self.assertEqual((values["radix"], values["scroll"], values["zero_excluded"]), ("10", "on", "off"))
        values = self.values("set radix 16", "sf", "set zero_excluded on", "set print_max 7", "set edit vi", "set hash off",
                             "set debug 8", "set error redirect", "set null-stop on", "set print_array on")
        self.assertEqual([values[n] for n in ("radix", "scroll", "zero_excluded", "print_max", "edit", "error", "null-stop",
                                              "print_array")], ["16", "off", "on", "7", "vi", "redirect", "on", "on"])

    def test_what_has_no_effect_says_why(self):
        for line in "set gdb on", "set refresh off", "set scope schedule", "set unwind on", "set redzone off":
            run = self.shell(line)
            self.assertEqual(run.returncode, 0)
            self.assertRegex(run.stdout, "note: .* has no effect here: ")

    def test_wrong_values(self):
        for line, word in (("set radix 8", "10 or 16"), ("set scroll maybe", "on|off"), ("set print_max x", "number"),
                           ("set edit ed", "vi or emacs"), ("set zero_excluded 7", "on or off"),
                           ("set radx 16", "did you mean radix?"), ("set scrol", "did you mean scroll?"),
                           ("set radix 10 16", "one value")):
            run = self.shell(line)
            self.assertEqual(run.returncode, 1, line)
            self.assertIn(word, run.stderr)

    def test_radix(self):
        for line in "p jiffies", "p init_task.pid", "struct task_struct.prio,comm init_task", "struct list_head -o":
            for word, option in (("hex", "-x"), ("dec", "-d"), ("set radix 16", "-x"), ("set radix hex", "-x")):
                with self.subTest(line=line, word=word):
                    name, rest = line.split(" ", 1)
                    self.same([f"{word} > /dev/null", line], f"{name} {option} {rest}")
        # An option is stronger.
        self.same(["hex > /dev/null", "p -d jiffies"], "p -d jiffies")
        self.assertEqual(self.shell("hex", "p 255").stdout.splitlines()[-1], "255 = 0xff")

    def test_arrays_and_strings(self):
        run = self.shell("set print_max 2", "p __per_cpu_offset[0] @ 6", "struct task_struct.comm init_task")
        self.assertRegex(run.stdout, r"\{[0-9]+, [0-9]+, \.\.\. 4 more\}")
        self.assertIn('comm = "swapper/0"', run.stdout)
        run = self.shell("set print_array on", "p __per_cpu_offset[0] @ 2")
        self.assertRegex(run.stdout, r"\{\n +[0-9]+,\n +[0-9]+\n\}")
        # A comm that was longer once keeps its end behind the NUL; shorter ones are the same with both.
        for task in lab.query(self.dump, "ps")["tasks"][:20]:
            line = f"struct task_struct.comm {task['task']}"
            stop = self.shell("set null-stop on > /dev/null", line).stdout
            self.assertIn(f'"{task["comm"]}"', stop)

    def test_scroll_console_error(self):
        log, errors = self.folder / "log", self.folder / "errors"
        run = self.shell(f"set console {log}", "sym panic", "set console off", "sym schedule", f"set error {errors}", "nosuch",
                         "set error redirect", "nosuch", "set error default", "nosuch")
        self.assertEqual(log.read_text().count("panic"), 1)
        self.assertNotIn("schedule", log.read_text())
        self.assertIn("unknown command", errors.read_text())
        self.assertEqual(run.stdout.count("unknown command: nosuch"), 1)
        self.assertEqual(run.stderr.count("unknown command: nosuch"), 1)

    def test_zeros_for_what_is_missing(self):
        # makedumpfile left out free pages: some of these.
        places = range(0x2000000, 0x1f000000, 0x100000)
        found = lab.query(self.dump, "; ".join(f"rd -p {place:#x} 2" for place in places))["commands"]
        holes = [row["memory"][0] for row in found if "excluded" in (row["memory"][0]["reason"] or "")]
        if not holes:
            self.skipTest("no page is missing there")
        address = holes[0]["address"]
        run = self.shell(f"rd -p {address} 2")
        self.assertEqual(run.returncode, 1)
        self.assertIn("missing", run.stdout)
        for words, lines in ((["shell"], ["set zero_excluded on > /dev/null", f"rd -p {address} 2"]),
                             (["--zero-excluded", "shell"], [f"rd -p {address} 2"])):
            run = self.run_words(*words, text="\n".join(lines) + "\n")
            self.assertEqual(run.returncode, 0, run.stdout)
            self.assertIn("0000000000000000 0000000000000000", run.stdout)
            self.assertIn("note: zeros took the place", run.stdout)
        # Without holes nothing is said, and what is not mapped stays so.
        run = self.shell("set zero_excluded on > /dev/null", "rd linux_banner", "rd 0xffff800000000000")
        self.assertNotIn("zeros", run.stdout)
        self.assertEqual(run.returncode, 1)

    def test_the_active_task(self):
        run = self.run_words("--json", "shell", text="set -a 1\nbt -a\n")
        decoder = json.JSONDecoder()
        context, end = decoder.raw_decode(run.stdout)
        self.assertEqual(context["context"]["pid"], 1)
        threads = decoder.raw_decode(run.stdout[end:].lstrip())[0]["threads"]
        self.assertIn(1, [thread["pid"] for thread in threads])


class Help(Lines):
    def test_everything(self):
        names = [row["name"] for row in lab.query(self.dump, "help")["help"]]
        everything = lab.query(self.dump, "help all")["commands_help"]
        self.assertEqual([entry["name"] for entry in everything], names)
        for entry in everything:
            self.assertEqual(lab.query(self.dump, f"help {entry['name']}")["command_help"], entry)
        for topic in "input", "output":
            self.assertIn("COMMAND", self.shell(f"help {topic}").stdout)
        self.assertIn("short for set radix 16", self.shell("help hex").stdout)
        self.assertIn("did you mean input?", self.shell("help inptu").stderr)

    def test_every_letter_of_crash(self):
        for letter in "aBbcdDefghHkKLMmNnoprstTvVxz":
            with self.subTest(letter=letter):
                run = self.shell(f"help -{letter}")
                self.assertEqual((run.returncode, run.stderr), (0, ""))
                self.assertTrue(run.stdout.strip())
        self.assertEqual(self.shell("help -Q").returncode, 1)

    def test_against_the_dump_s_own_header(self):
        state = lab.query(self.dump, "help -n")
        data = self.dump.vmcore.read_bytes()[:1 << 20]
        # makedumpfile's struct disk_dump_header: signature, version, utsname of six times 65 bytes.
        self.assertEqual(data[:8], b"KDUMP   ")
        release = data[12 + 2 * 65:12 + 3 * 65].split(b"\0")[0].decode()
        self.assertEqual(state["dump"]["release"], release)
        self.assertEqual(state["dump"]["bytes"], self.dump.vmcore.stat().st_size)
        info = "\n".join(state["vmcoreinfo"])
        self.assertIn(f"OSRELEASE={release}", info)
        layout = lab.query(self.dump, "help -m")["memory_layout"]
        self.assertEqual(int(layout["image_offset"], 16), int(re.search("(?m)^KERNELOFFSET=(.*)$", info)[1], 16))
        phys = int(re.search(r"(?m)^NUMBER\(phys_base\)=(.*)$", info)[1])
        self.assertEqual(int(layout["phys_base"], 16), phys % (1 << 64))
        notes = data.find(b"CORE\0")
        self.assertGreater(notes, 0)
        self.assertEqual(len([n for n in state["notes"] if n["kind"] == "NT_PRSTATUS"]), self.dump.meta.get("cpus", 2))

    def test_registers_are_those_of_the_stacks(self):
        registers = {r["cpu"]: r["values"] for r in lab.query(self.dump, "help -r")["registers"]}
        for thread in lab.query(self.dump, "bt -a")["threads"]:
            self.assertEqual(registers[thread["cpu"]]["rip"], thread["frames"][0]["pc"])

    def test_tasks_are_counted(self):
        # Of many-tasks some have exited: they have no memory, and still were none of the kernel's.
        for dump in [self.dump] + lab.dumps(name="many-tasks", capture="kdump")[:1]:
            tasks = lab.query(dump, "ps")["tasks"]
            state = lab.query(dump, "help -t")["tasks"]
            self.assertEqual(state["tasks"], len(tasks))
            self.assertEqual(state["kernel_threads"], sum(t["kernel_thread"] for t in tasks))


class DidYouMean(Lines):
    def test_words_that_are_nearly_right(self):
        for line, word in (("pss", "ps"), ("bt --al", "--all"), ("ps -Q", "no such option: -Q"), ("sym panik", "panic"),
                           ("rd linux_baner", "linux_banner"), ("struct task_strut", "task_struct"),
                           ("struct task_struct.com", "comm"), ("p init_task.comn", "comm"), ("p init_tsk", "init_task"),
                           ("whatis task_strct", "task_struct"), ("dis sysrq_handle_crsh", "sysrq_handle_crash")):
            with self.subTest(line=line):
                run = lab.inquest("-c", line, self.dump.vmcore)
                self.assertEqual(run.returncode, 1)
                self.assertEqual(len(run.stderr.splitlines()), 1)
                self.assertIn(word, run.stderr)
                if "no such" not in word:
                    self.assertIn("did you mean", run.stderr)


if __name__ == "__main__":
    unittest.main()
