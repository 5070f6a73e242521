# SPDX-License-Identifier: LGPL-2.1-or-later
"""The shell in a real terminal, tmux's: what a person sees after typing, completing, interrupting, paging, resizing,
and while a command takes long."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import unittest

import lab

SECONDS = 120  # for what comes at once where nothing else runs
PROMPT = re.compile(r"^inquest> *$")
PROGRESS = r"(?m)^search: [0-9,]+ of [0-9,]+ pages \([0-9]+ %\), [0-9]+\.[0-9] s$"
# Every string is looked for on its own: many take long on any machine.
LONG = "search -c " + " ".join(f"nowhere{n}" for n in range(120))


def any_dump(test, **wanted):
    for dump in lab.dumps(truncate=100, **wanted):
        return dump
    test.skipTest(f"the lab has no dump {wanted}")


class Terminal:
    """A pane of a tmux server of our own, with one program in it."""

    def __init__(self, folder, *words, width=100, height=30, **environment):
        self.socket = str(folder / "tmux")
        home = folder / "home"
        home.mkdir(exist_ok=True)
        self.env = {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "xterm-256color",
                    **environment}
        command = " ".join(f"'{word}'" for word in map(str, words))
        variables = " ".join(f"{name}='{value}'" for name, value in self.env.items() if name != "TERM")
        config = folder / "tmux.conf"
        config.write_text("set -g status off\nset -g history-limit 5000\nset -g default-terminal screen\n")
        self.begun = time.monotonic()
        self.tmux("-f", str(config), "new-session", "-d", "-x", str(width), "-y", str(height),
                  f"env {variables} {command}; sleep 600")

    def tmux(self, *words):
        run = subprocess.run(["tmux", "-S", self.socket, *words], env=self.env, capture_output=True, text=True,
                             timeout=SECONDS, check=False)
        if run.returncode:
            raise AssertionError(f"tmux {words[0]}: {run.stderr}")
        return run.stdout

    def screen(self, *options):
        return self.tmux("capture-pane", "-p", *options).rstrip("\n")

    def type(self, text, *keys):
        if text:
            self.tmux("send-keys", "-l", text)
        if keys:
            self.tmux("send-keys", *keys)

    def wait(self, condition, seconds=SECONDS):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            screen = self.screen()
            if condition(screen):
                return screen
            time.sleep(0.02)
        raise AssertionError(f"it did not come:\n{self.screen()}")

    def wait_prompt(self, seconds=SECONDS):
        return self.wait(lambda screen: PROMPT.match(screen.split("\n")[-1]), seconds)

    def wait_text(self, pattern, seconds=SECONDS):
        return self.wait(lambda screen: re.search(pattern, screen), seconds)

    def run(self, line):
        """The lines that a command prints, below what was typed."""
        self.type("", "C-l")
        self.wait(lambda screen: screen == "inquest>")
        self.tmux("clear-history")
        self.type(line, "Enter")
        self.wait(lambda screen: PROMPT.match(screen.split("\n")[-1]) and line[:40] in screen)
        whole = self.screen("-S", "-").split("\n")
        start = next(i for i, text in enumerate(whole) if text.startswith("inquest> " + line[:40]))
        return whole[start + 1:-1]

    def close(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], capture_output=True, check=False)


@unittest.skipUnless(shutil.which("tmux"), "tmux is not installed (tests/packages)")
class InTmux(unittest.TestCase):
    def setUp(self):
        lab.need_terminal()
        folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def init_file(self, *lines):
        path = self.folder / "home" / ".config" / "inquest" / "init"
        path.parent.mkdir(parents=True)
        path.write_text("".join(line + "\n" for line in lines))

    def open_large(self):
        """With an alias for what takes long there."""
        self.init_file(f"alias long {LONG}")
        return self.open(any_dump(self, name="many-tasks", capture="qemu-elf"))

    def open(self, dump=None, **options):
        dump = dump or any_dump(self, name="sysrq", capture="kdump", paging=4)
        prompt = options.pop("prompt", True)
        terminal = Terminal(self.folder, lab.INQUEST, *options.pop("words", ("shell",)), dump.vmcore, **options)
        self.addCleanup(terminal.close)
        if prompt:
            terminal.wait_prompt()
        return terminal

    def completed(self, terminal, text, whole):
        """The line after a tab behind @text, which should be @whole and stay so."""
        terminal.type("", "C-u")
        terminal.type(text, "Tab")
        last = lambda screen: screen.rstrip().split("\n")[-1]
        terminal.wait(lambda screen: last(screen).rstrip() == f"inquest> {whole}".rstrip())
        time.sleep(0.15)
        return last(terminal.screen())[len("inquest> "):]

    def test_typing_and_greeting(self):
        terminal = self.open()
        self.assertRegex(terminal.screen(), r"RELEASE: [56789]")
        self.assertIn('"help" lists the commands', terminal.screen())
        self.assertRegex("\n".join(terminal.run("sym panic")), r"\(T\) panic")
        terminal.type("sym pnic", "Left", "Left", "Left")
        terminal.type("a", "Enter")
        terminal.wait_text(r"(?m)^[0-9a-f]{16} \(T\) panic")
        terminal.type("", "Up", "Enter")
        self.assertEqual(terminal.wait(lambda s: s.count("(T) panic") == 3).count("(T) panic"), 3)
        terminal.type("q", "Enter")
        terminal.wait(lambda screen: not PROMPT.match(screen.split("\n")[-1]))

    def test_earlier_lines(self):
        terminal = self.open()
        for line in "sym panic", "sym schedule", "eval 1 + 1":
            terminal.run(line)
        self.assertEqual(terminal.run("h"), ["[1] sym panic", "[2] sym schedule", "[3] eval 1 + 1"])
        self.assertEqual(terminal.run("r 1")[0], "sym panic")
        self.assertIn("(T) panic", terminal.run("!!")[1])
        self.assertIn("(T) schedule", terminal.run("r sym sch")[1])
        self.assertEqual(terminal.run("r eval")[0], "eval 1 + 1")
        self.assertIn("eval 1 + 1", terminal.run("r")[0])
        self.assertEqual(len(terminal.run("h")), 8)
        for line in "r 99", "r nothing", "r 0":
            self.assertRegex(terminal.run(line)[0], "no earlier line")

    def test_completion(self):
        names = self.folder / "names"
        names.write_text("panic\n")
        self.init_file("alias zebra sym")
        terminal = self.open(height=50)
        for text, whole in (("struct task_struct.real_par", "struct task_struct.real_parent"), ("ps ini", "ps init "),
                            ("bt ini", "bt init "), ("foreach glea", "foreach gleader "),
                            ("set zero", "set zero_excluded "), ("set edit v", "set edit vi "), ("zeb", "zebra "),
                            ("zebra sysrq_handle_cr", "zebra sysrq_handle_crash "),
                            ("help outp", "help output "), ("help repe", "help repeat "),
                            (f"< {self.folder}/nam", f"< {names} "), (f"sym panic > {self.folder}/nam", f"sym panic > {names} "),
                            ("kmem -s task_str", "kmem -s task_struct "), ("bt --al", "bt --all "),
                            ("p init_task.thread_in", "p init_task.thread_info"),
                            ("p init_task.active_mm->mmap_ba", "p init_task.active_mm->mmap_base"),
                            ("p &init_tas", "p &init_task "), ("whatis task_struc", "whatis task_struct"),
                            ("sym panic; sym sysrq_handle_cr", "sym panic; sym sysrq_handle_crash ")):
            with self.subTest(text=text):
                self.assertEqual(self.completed(terminal, text, whole).strip(), whole.strip())
        # Several: their common part, then the list.
        terminal.type("", "C-u")
        terminal.type("set print_", "Tab", "Tab")
        terminal.wait_text(r"print_array +print_max")

    def test_ctrl_c(self):
        terminal = self.open_large()
        terminal.type("repeat -5 sym panic", "Enter")
        terminal.wait_text(r"\(T\) panic")
        terminal.type("", "C-c")
        terminal.wait_prompt()
        terminal.type("repeat sym panic", "Enter")
        terminal.wait(lambda screen: screen.count("(T) panic") > 5)
        terminal.type("", "C-c")
        terminal.wait_prompt()
        terminal.type("long", "Enter")
        terminal.wait_text(PROGRESS)
        terminal.type("", "C-c")
        terminal.wait_text("interrupted: this is not all")
        terminal.wait_prompt()
        terminal.type("this is dropped")
        terminal.wait_text("this is dropped$")
        terminal.type("", "C-c")
        terminal.wait_text(r"dropped\^C\ninquest>$")
        self.assertRegex("\n".join(terminal.run("sym panic")), r"\(T\) panic")

    def test_ctrl_c_before_the_first_line(self):
        # For an hour, were it not stopped.
        self.init_file(f"alias long {LONG} > /dev/null", "repeat -n 1000 long")
        terminal = self.open(any_dump(self, name="many-tasks", capture="qemu-elf"), prompt=False)
        terminal.wait_text(PROGRESS)
        terminal.type("", "C-c")
        terminal.wait_prompt()
        self.assertRegex("\n".join(terminal.run("sym panic")), r"\(T\) panic")

    def test_the_pager(self):
        terminal = self.open()
        terminal.type("log", "Enter")
        screen = terminal.wait(lambda s: s.split("\n")[-1].startswith(":") or "Linux version" in s)
        self.assertNotRegex(screen.split("\n")[-1], PROMPT)
        terminal.type("q")
        terminal.wait_prompt()
        self.assertRegex("\n".join(terminal.run("sym panic")), r"\(T\) panic")
        terminal.type("sf", "Enter")
        terminal.wait_text("(?m)^scroll +off")
        terminal.type("log", "Enter")
        terminal.wait_prompt()

    def test_widths_follow_the_terminal(self):
        terminal = self.open(width=180, height=70)
        wide = terminal.run("help -z")
        self.assertGreater(max(map(len, wide)), 75)
        terminal.tmux("resize-window", "-x", "50", "-y", "70")
        time.sleep(0.2)
        narrow = terminal.run("help -z")
        self.assertGreater(len(narrow), len(wide))
        # tmux would show a line that is too long as two; those that we fold begin with blanks.
        for line in narrow:
            self.assertRegex(line, r"^(-[A-Za-z]  | {4})[^ ]")
        self.assertEqual(" ".join(" ".join(narrow).split()), " ".join(" ".join(wide).split()))

    def test_progress_comes_and_goes(self):
        terminal = self.open_large()
        terminal.type("long", "Enter")
        terminal.wait_text(PROGRESS)
        screen = terminal.wait_prompt()
        self.assertNotRegex(screen, r"pages \(")
        self.assertIn("not found", screen)
        # Not in what is redirected, nor for what is quick.
        out = self.folder / "out"
        terminal.type(f"long > {out}", "Enter")
        terminal.wait_text(PROGRESS)
        terminal.wait_prompt()
        self.assertEqual(out.read_text(), "not found\n")
        self.assertEqual(len(terminal.run("sym panic")), 1)

    def test_colours_only_on_a_terminal(self):
        terminal = self.open()
        terminal.type("help", "Enter")
        terminal.wait_text("deadlock")
        self.assertIn("\x1b[", terminal.screen("-e"))
        terminal.type("q")
        out = self.folder / "out"
        terminal.wait_prompt()
        terminal.run(f"help > {out}")
        self.assertNotIn("\x1b", out.read_text())
        terminal.run(f"help | cat > {out}")
        self.assertNotIn("\x1b", out.read_text())

    def test_the_init_file_can_be_silent(self):
        self.init_file("set silent on > /dev/null", "set edit vi > /dev/null")
        terminal = self.open()
        self.assertEqual(terminal.screen().strip(), "inquest>")
        terminal.type("sym panicx", "Escape")
        time.sleep(0.7)
        terminal.type("x", "Enter")
        terminal.wait_text(r"\(T\) panic")


if __name__ == "__main__":
    unittest.main()
