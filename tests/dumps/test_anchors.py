# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the kernel must have passed: system calls against /proc/PID/syscall of the living guest, and arguments of kernel threads and
work against what probes at the entry of the functions wrote down."""

import re
import subprocess
import unittest

import lab

SHOW = lab.BUILD / "tests" / "show_anchors"
REGISTERS = ["rdi", "rsi", "rdx", "rcx", "r8", "r9"]


def told(dump):
    """Anchors {(pid, function, sp): {register: value}}, system calls {pid: (number, name, args)}."""
    run = subprocess.run([SHOW, dump.vmcore], capture_output=True, text=True, check=True, timeout=lab.SECONDS_MAX)
    anchors, calls = {}, {}
    for line in run.stdout.splitlines():
        words = line.split()
        if words[0] == "anchor":
            anchors.setdefault((int(words[1]), words[2], int(words[3], 16)), {})[words[4]] = int(words[5], 16)
        else:
            calls[int(words[1])] = int(words[2]), words[3], [int(w, 16) for w in words[4:]]
    return anchors, calls


def truth(dump):
    """{(pid, function, sp): {register: value}} of the last call each."""
    found = {}
    for record in lab.query(dump, "log")["records"]:
        if match := re.match(r"truth: (\d+) (\S+) ([0-9a-f]+) (.*)", record["text"]):
            values = [int(word, 16) for word in match[4].split()]
            found[int(match[1]), match[2], int(match[3], 16)] = dict(zip(REGISTERS, values))
    return found


class Anchors(unittest.TestCase):
    def setUp(self):
        self.dumps = lab.dumps(name="arguments", capture="qemu-elf")
        if not self.dumps or not SHOW.exists():
            self.skipTest("the lab has no dump of arguments")

    def test_arguments_are_what_was_passed(self):
        for dump in self.dumps:
            with self.subTest(dump=str(dump)):
                anchors, _ = told(dump)
                known = truth(dump)
                compared = set()
                for key, registers in anchors.items():
                    for register, value in registers.items():
                        if key in known:
                            self.assertEqual(known[key][register], value, (key, register))
                            compared.add(key[1])
                self.assertIn("chain_thread", compared)
                # Work: its thread's frames and what it runs agree.
                works = {known[key]["rdi"] for key in known if key[1] == "work_chain"}
                passed = {registers["rsi"] for key, registers in anchors.items() if key[1] == "process_one_work"}
                self.assertLessEqual(works, passed)
                self.assertTrue(works)

    def test_system_calls(self):
        """Of threads that slept before and after: what they asked for, as the kernel itself told it."""
        dumps = self.dumps + lab.dumps(name="many-tasks", capture="kdump", truncate=100, makedumpfile="new")
        for dump in dumps:
            with self.subTest(dump=str(dump)):
                _, calls = told(dump)
                compared = 0
                for pid, (number, name, args) in calls.items():
                    path = dump.oracle / "tasks" / str(pid) / "syscall"
                    words = path.read_text().split() if path.exists() else []
                    if len(words) < 9 or words[0] == "-1":
                        continue  # it ran, or it was in no system call
                    if int(words[0]) != number:
                        continue  # it went on meanwhile
                    self.assertEqual([int(w, 16) for w in words[1:7]], args, (pid, name))
                    compared += 1
                self.assertGreater(compared, 20)

    def test_names_of_system_calls(self):
        names = {"arg-pipe-read": "read", "arg-fifo": "openat", "arg-epoll": "epoll_wait", "arg-futex": "futex",
                 "arg-unix-acc": "accept4", "arg-flock": "flock", "arg-msgrcv": "msgrcv"}
        for dump in self.dumps:
            _, calls = told(dump)
            for comm, name in names.items():
                pid = min(t["pid"] for t in lab.query(dump, f"ps {comm}")["tasks"])
                self.assertEqual(calls[pid][1], name, comm)


if __name__ == "__main__":
    unittest.main()
