# SPDX-License-Identifier: LGPL-2.1-or-later
"""The shell: with commands piped in, and as somebody at a terminal sees it."""

import fcntl
import json
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import tempfile
import termios
import time
import unittest

import lab

PROMPT = b"inquest> "
SECONDS = 120  # for what comes at once where nothing else runs


def sysrq(test):
    for dump in lab.dumps(name="sysrq", capture="kdump", truncate=100, paging=4):
        return dump
    test.skipTest("the lab has no sysrq dump")


class Piped(unittest.TestCase):
    def setUp(self):
        self.dump = sysrq(self)
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def run_lines(self, *lines, words=("shell",)):
        return subprocess.run([lab.INQUEST, *words, self.dump.vmcore], input="\n".join(lines) + "\n",
                              capture_output=True, text=True, timeout=SECONDS, check=False)

    def test_no_prompt_and_the_same_output_as_batch(self):
        for words in ("shell",), ("-i",), ("--interactive",):
            run = self.run_lines("sym panic", words=words)
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertEqual(run.stdout, lab.inquest("-c", "sym panic", self.dump.vmcore).stdout)

    def test_pipes_and_files(self):
        out = pathlib.Path(self.folder.name, "out")
        run = self.run_lines("sym panic | tr a-z A-Z", f"sym panic > {out}", f"sym schedule >> '{out}'",
                             f"! cat {out} | wc -l", "sym -l | head -1", "# a remark", "", "sym panic; sym schedule")
        self.assertEqual(run.returncode, 0, run.stderr)
        lines = run.stdout.splitlines()
        self.assertTrue(lines[0].endswith("(T) PANIC"))
        self.assertEqual(lines[1].strip(), "2")
        self.assertEqual([line.split()[-1] for line in lines[3:]], ["panic", "schedule"])
        self.assertEqual([line.split()[-1] for line in out.read_text().splitlines()], ["panic", "schedule"])
        self.assertEqual(run.stderr, "")

    def test_errors_do_not_end_it_and_the_last_status_counts(self):
        run = self.run_lines("nosuch", "bt |", "sym panic > /nonexistent/file", "sym panic")
        self.assertEqual(run.returncode, 0)
        self.assertEqual(len(run.stderr.splitlines()), 3)
        self.assertIn("panic", run.stdout)
        self.assertEqual(self.run_lines("sym panic", "nosuch").returncode, 1)
        self.assertEqual(self.run_lines("nosuch", "q", "sym panic").returncode, 1)
        self.assertEqual(self.run_lines("nosuch", "q", "sym panic").stdout, "")
        for word in "q", "quit", "exit":
            self.assertEqual(self.run_lines("sym panic", word, "nosuch").returncode, 0)

    def test_json_is_an_object_a_command(self):
        run = self.run_lines("sym panic", words=("--json", "shell"))
        self.assertEqual(json.loads(run.stdout)["symbols"][0]["name"], "panic")

    def test_a_dump_that_cannot_be_opened(self):
        run = subprocess.run([lab.INQUEST, "shell", "/nonexistent/vmcore"], stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 2)

    def test_the_task_and_frame_stay(self):
        crashed = lab.query(self.dump, "bt")["threads"][0]
        run = self.run_lines("set", "frame 2", "up", "down", "frame", "set 1", "frame", "bt", "set -p", "bt",
                             words=("--json", "shell"))
        decoder, text, found = json.JSONDecoder(), run.stdout, []
        while text.strip():
            value, end = decoder.raw_decode(text.lstrip())
            text = text.lstrip()[end:]
            found.append(value)
        self.assertEqual(found[0]["context"]["pid"], crashed["pid"])
        self.assertTrue(found[0]["context"]["crashed"])
        self.assertEqual([value["frame"] for value in found[1:5]], [2, 3, 2, 2])
        own = [f for f in found[1]["frames"] if not f["inlined"]]
        self.assertEqual(own, [f for f in crashed["frames"] if f["level"] == 2 and not f["inlined"]])
        self.assertEqual((found[5]["context"]["pid"], found[6]["frame"]), (1, 0))
        self.assertEqual(found[7]["threads"][0]["pid"], 1)
        self.assertEqual(found[9]["threads"][0]["pid"], crashed["pid"])

    def test_the_context_works_in_batch(self):
        run = lab.inquest("-c", "set 1; bt; frame 1; quit; sym panic", self.dump.vmcore)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("PID: 1 ", run.stdout)
        self.assertRegex(run.stdout, r"(?m)^ #1 \[ffff")
        self.assertNotIn("(T) panic", run.stdout)
        for line, words in (("frame 99", "there is no frame 99"), ("down", "innermost"), ("up 99; up", "outermost"),
                            ("set 99999999", "no task"), ("set 1 2", "one task"), ("set -c 999", "no CPU")):
            with self.subTest(line=line):
                run = lab.inquest("-c", line, self.dump.vmcore)
                self.assertEqual(run.returncode, 1)
                self.assertIn(words, run.stderr)


class Terminal:
    """The program on a terminal of its own."""

    def __init__(self, dump, folder, **environment):
        env = {**os.environ, "TERM": "xterm", "XDG_STATE_HOME": folder, "PAGER": "cat", "NO_COLOR": "1", **environment}
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.execve(lab.INQUEST, ["inquest", "--no-init", "shell", str(dump.vmcore)], env)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 120, 0, 0))
        self.seen = b""

    def wait_for(self, pattern, seconds=SECONDS):
        """What came up to the first match; the rest is kept."""
        end = time.monotonic() + seconds
        while not (match := re.search(pattern, self.seen)):
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            data = b""
            if ready:
                try:
                    data = os.read(self.fd, 1 << 16)
                except OSError:
                    pass
            if not data:
                raise AssertionError(f"{pattern} did not come: {self.seen[-500:]}")
            self.seen += data
        before, self.seen = self.seen[:match.end()], self.seen[match.end():]
        return before

    def wait_for_child(self, name):
        """Until the program has a child of that name. (Before, dash may take a Ctrl-C and go on.)"""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
                try:
                    comm, rest = path.read_text(errors="replace").partition("(")[2].rsplit(")", 1)
                except OSError:
                    continue
                if comm == name and int(rest.split()[1]) == self.pid:
                    return
            time.sleep(0.05)
        raise AssertionError(f"no child {name}: {self.seen[-500:]}")

    def type(self, text):
        os.write(self.fd, text.encode())

    def finish(self):
        end = time.monotonic() + SECONDS
        while (ended := os.waitpid(self.pid, os.WNOHANG))[0] == 0:
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                raise AssertionError(f"the shell does not end: {self.seen[-500:]}")
            time.sleep(0.01)
        status = ended[1]
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


class AtATerminal(unittest.TestCase):
    def setUp(self):
        self.dump = sysrq(self)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.history = pathlib.Path(self.folder, "inquest", "history")

    def open(self, dump=None, **environment):
        lab.need_terminal()
        terminal = Terminal(dump or self.dump, self.folder, **environment)
        self.assertIn(b"RELEASE", terminal.wait_for(PROMPT))
        return terminal

    def test_completion(self):
        terminal = self.open()
        terminal.type("hel\t")
        terminal.wait_for(rb"hel.*p")
        terminal.type("\r")
        self.assertIn(b"help COMMAND", terminal.wait_for(PROMPT))
        terminal.type("sym sysrq_handle_cr\t\r")
        self.assertRegex(terminal.wait_for(rb"\n" + PROMPT), rb"\(t\) sysrq_handle_crash")
        terminal.type("struct list_he\t\r")
        self.assertIn(b"struct list_head *prev", terminal.wait_for(rb"\n" + PROMPT))
        terminal.type("struct task_struct.comm_no\x7f\x7f\x7f\t\r")
        self.assertIn(b"char comm[16]", terminal.wait_for(rb"\n" + PROMPT))
        terminal.type("bt --a\t")
        terminal.wait_for(rb"--a.*ll")
        terminal.type("\x03")
        terminal.wait_for(PROMPT)
        terminal.type("quit\r")
        self.assertEqual(terminal.finish(), 0)

    def test_history(self):
        terminal = self.open()
        for line in "sym panic", "sym panic", " sym schedule", "set":
            terminal.type(line + "\r")
            terminal.wait_for(rb"\n" + PROMPT)
        terminal.type("\x04")
        self.assertEqual(terminal.finish(), 0)
        self.assertEqual(self.history.read_text(), "sym panic\nset\n")
        terminal = self.open()
        terminal.type("\x1b[A\x1b[A\r")
        self.assertIn(b"(T) panic", terminal.wait_for(rb"\n" + PROMPT))
        terminal.type("q\r")
        self.assertEqual(terminal.finish(), 0)

    def test_a_history_that_cannot_be_written(self):
        terminal = self.open(XDG_STATE_HOME="/proc/nonexistent")
        terminal.type("sym panic\r")
        self.assertIn(b"(T) panic", terminal.wait_for(rb"\n" + PROMPT))
        terminal.type("q\r")
        self.assertEqual(terminal.finish(), 0)

    def test_ctrl_c_stops_a_command_and_not_the_shell(self):
        dump = next(iter(lab.dumps(name="many-tasks", truncate=100)), self.dump)
        terminal = self.open(dump)
        terminal.type("; ".join(["bt --all"] * 400) + "\r")
        terminal.wait_for(rb"PID: 1 ")
        terminal.type("\x03")
        # The line of the "^C" is erased.
        text = terminal.wait_for(rb"\n(\r\x1b\[K)?" + PROMPT)
        self.assertLess(text.count(b"PID: 1 "), 300)
        terminal.type("sym panic\r")
        self.assertIn(b"(T) panic", terminal.wait_for(rb"\n" + PROMPT))
        # At the prompt it drops the line.
        terminal.type("nosuch\x03")
        terminal.wait_for(PROMPT)
        terminal.type("sym schedule\r")
        text = terminal.wait_for(rb"\(T\) schedule\r\n" + PROMPT)
        self.assertNotIn(b"unknown command", text)
        # A shell command dies of it.
        terminal.type("!exec sleep 1000\r")
        terminal.wait_for_child("sleep")
        terminal.type("\x03")
        terminal.wait_for(PROMPT)
        terminal.type("q\r")
        self.assertEqual(terminal.finish(), 0)

    def test_the_pager_gets_what_is_longer_than_the_screen(self):
        terminal = self.open(PAGER="sed 's/^/page: /'")
        terminal.type("log\r")
        self.assertIn(b"\npage: ", terminal.wait_for(rb"\n" + PROMPT))
        terminal.type("sym panic\r")
        self.assertNotIn(b"page: ", terminal.wait_for(rb"\n" + PROMPT))
        terminal.type("log | head -50\r")
        self.assertNotIn(b"page: ", terminal.wait_for(rb"\n" + PROMPT))
        terminal.type("q\r")
        self.assertEqual(terminal.finish(), 0)

    def test_a_pager_that_is_not_there(self):
        terminal = self.open(PAGER="/nonexistent/pager")
        terminal.type("log\r")
        self.assertIn(b"Linux version", terminal.wait_for(rb"\n" + PROMPT))
        terminal.type("q\r")
        self.assertEqual(terminal.finish(), 0)


if __name__ == "__main__":
    unittest.main()
