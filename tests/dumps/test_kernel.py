# SPDX-License-Identifier: LGPL-2.1-or-later
"""What inquest reads out of a dead kernel equals what the kernel itself said just before: tasks,
log, modules, system; on every dump of the lab, by the oracle files beside it.

INQUEST_BUILD is the build folder; INQUEST_LAB_DUMPS a JSON file {"words": "folder"}, else all
dumps under INQUEST_LAB are taken."""

import functools
import json
import os
import pathlib
import re
import struct
import subprocess
import tempfile
import unittest

import lab

BUILD = pathlib.Path(os.environ.get("INQUEST_BUILD", "build")).resolve()
LAB = pathlib.Path(os.environ.get("INQUEST_LAB", BUILD / "lab"))

KMSG = re.compile(r"^(\d+),(\d+),(\d+),([^;]*);(.*)$")
CONSOLE = re.compile(r"^\[ *(\d+)\.(\d{6})\] (.*)$")
PANIC = "Kernel panic - not syncing: "
# What a task of one state can have become in the moment before the crash: anything that runs,
# sleeps or waits. Not: stopped, parked, dead or idle, nor back from there.
LIVELY = set("RSD")
LOCKED_UP = {"softlockup", "rcu-stall", "hung-task"}
# Kernel threads that end by themselves when they have been idle.
ENDING = "kworker/"
# From this line on a panic has waited for a CPU that does not answer, and no clock has gone on.
UNANSWERED = "Shutting down cpus with NMI"


def folders():
    listed = os.environ.get("INQUEST_LAB_DUMPS")
    if listed:
        found = map(pathlib.Path, json.loads(pathlib.Path(listed).read_text()).values())
    else:
        found = sorted(path.parent for path in (LAB / "dumps").glob("*/meta.json"))
    # "kdump-all" and "qemu-all" are one memory in many formats: test_formats.py compares those.
    return [folder for folder in found
            if (folder / "oracle" / "ps.tsv").exists() and (folder / "vmcore").exists()]


def text_of(path):
    return path.read_text(errors="surrogateescape")


class Dump:
    """A dump's folder, with what inquest says of it (one run) and what the guest said."""
    answers = {}

    def __init__(self, folder):
        self.folder = folder
        self.oracle = folder / "oracle"
        self.meta = json.loads(text_of(folder / "meta.json"))
        self.whole = self.meta.get("truncate", 100) == 100
        self.truth = json.loads(text_of(folder / "truth.json"))
        # Each CPU has kernel threads of its own that may have come, gone or been woken since ps.
        self.of_more_cpus = 3 * max(0, self.meta.get("cpus", 2) - 2)

    def ask(self, command):
        if self.folder not in self.answers:
            line = "sys; ps; mod; log"
            run = subprocess.run([BUILD / "inquest", "--json", "-c", line, self.folder / "vmcore"],
                                 capture_output=True, timeout=300)
            if run.returncode not in (0, 1):
                raise AssertionError(f"exit status {run.returncode}: {run.stderr.decode()}")
            replies = json.loads(run.stdout.decode(errors="surrogateescape"))["commands"]
            self.answers[self.folder] = {reply["command"]: reply for reply in replies}
        return self.answers[self.folder][command]

    def has_holes(self):
        return lab.is_holed(self.meta)

    def is_elf(self):
        return self.meta["capture"] == "qemu-elf" and self.meta.get("vmcoreinfo", True)

    def ps(self):
        head, *rows = text_of(self.oracle / "ps.tsv").splitlines()
        return [dict(zip(head.split("\t"), row.split("\t"))) for row in rows if row]

    def kmsg(self):
        """[(priority, sequence, microseconds, text, {key: value})] as /dev/kmsg gives them."""
        found = []
        for line in text_of(self.oracle / "kmsg").splitlines():
            if head := KMSG.match(line):
                found.append((*map(int, head.groups()[:3]), head[5], {}))
            elif line.startswith(" ") and found:
                key, _, value = line[1:].partition("=")
                found[-1][4][key] = value
        return found

    def console_after(self, microseconds):
        """The console's lines from then on, until another kernel boots."""
        found, before = [], 0
        for line in text_of(self.folder / "console.log").splitlines():
            if not (match := CONSOLE.match(line.rstrip("\r"))):
                continue
            now = int(match[1]) * 1000000 + int(match[2])
            if found and now < before - 50000:
                break
            before = now
            if now > microseconds and not match[3].startswith("sysrq: Resetting"):
                # A line that was cut off goes on with the next kernel's first one.
                found.append(re.sub(r"(?<=.)\[ +0\.0{6}\] .*", "", match[0]))
        return found


def kmsg_escape(text):
    """As /dev/kmsg writes it: bytes outside of ASCII's printable ones, and backslashes."""
    data = text.encode(errors="surrogateescape")
    return "".join(chr(c) if 32 <= c < 127 and c != 92 else f"\\x{c:02x}" for c in data)


def on_every_dump(test):
    """Makes of test(self, dump) one that is run for each whole dump."""
    @functools.wraps(test)
    def loop(self):
        found = [dump for dump in map(Dump, folders()) if dump.whole]
        if not found:
            self.skipTest("the lab has no dumps")
        for dump in found:
            with self.subTest(dump=dump.folder.name):
                test(self, dump)
    return loop


class Tasks(unittest.TestCase):
    @on_every_dump
    def test_all_tasks_of_ps_are_there(self, dump):
        ours = {task["pid"]: task for task in dump.ask("ps")["tasks"]}
        # Tasks whose memory is not in the dump, known by pointers to them; some without a pid.
        nameless = sum(task["pid"] is None for task in dump.ask("ps")["tasks"])
        ended = []
        for row in dump.ps():
            if row["collector"] == "1":
                continue
            task = ours.get(int(row["pid"]))
            if task is None and nameless and dump.has_holes():
                nameless -= 1
                continue
            if task is None and row["comm"].startswith(ENDING) and int(row["flags"], 16) & 0x200000:
                ended.append(row)
                continue
            self.assertIsNotNone(task, f"{row['pid']} {row['comm']} is missing")
            if task["incomplete"] and not task["comm"]:  # its memory is not in the dump
                self.assertTrue(dump.has_holes())
                self.assertIn(task["ppid"], (None, int(row["ppid"])))
                continue
            self.assertEqual((task["tgid"], task["ppid"]), (int(row["tgid"]), int(row["ppid"])))
            if task["on_cpu"] and task["comm"] == dump.truth.get("comm"):
                continue  # the one that crashed has gone on since: it may run another program
            self.assert_same_name(task["comm"], row["comm"])
            self.assert_same_state(task, row)
        self.assertLessEqual(len(ended), 2 + dump.of_more_cpus, ended)

    def assert_same_name(self, ours, theirs):
        if re.match(r"kworker/[0-9u]", theirs):
            theirs = re.split(r"[-+]", theirs)[0]  # behind it is what the worker last did
        self.assertEqual(ours, theirs[:15])

    def assert_same_state(self, task, row):
        ours, theirs = task["state"], row["state"]
        # Kernel threads that wait without adding to the load ("I") run now and then.
        lively = LIVELY | {"I"} if int(row["flags"], 16) & 0x200000 else LIVELY
        if not (ours in lively and theirs in lively):
            self.assertEqual(ours, theirs, row)

    @on_every_dump
    def test_most_states_are_equal(self, dump):
        ours = {task["pid"]: task["state"] for task in dump.ask("ps")["tasks"]}
        rows = [row for row in dump.ps() if row["collector"] == "0"]
        # Where CPUs do not let go, whoever is woken can run, and does not.
        awake = {"R"} if dump.truth.get("class") in LOCKED_UP else set()
        differ = [row for row in rows if ours.get(int(row["pid"]), "?") not in {row["state"], "?"} | awake]
        self.assertLessEqual(len(differ), 8 + dump.of_more_cpus, differ)

    @on_every_dump
    def test_idle_tasks_and_no_strangers(self, dump):
        tasks, known = dump.ask("ps")["tasks"], {int(row["pid"]) for row in dump.ps()}
        idle = [task for task in tasks if task["pid"] == 0 and not task["incomplete"]]
        self.assertEqual([task["comm"] for task in idle],
                         [f"swapper/{i}" for i in range(len(idle))])
        self.assertEqual(len(idle), dump.ask("sys")["cpus"])
        self.assertEqual(len({task["task"] for task in tasks}), len(tasks))
        # New since ps: the crash's own helpers, no more than a few, what the scenario starts then, and
        # workers, which the kernel makes as works come.
        own = tuple(filter(None, (dump.truth.get("reclaimers"), dump.truth.get("comm"), "toil/")))
        strangers = [task for task in tasks if task["pid"] not in known | {0, None} and not task["comm"].startswith(own)]
        workers = [task for task in strangers if task["comm"].startswith("kworker/") and task["kernel_thread"]]
        self.assertLessEqual(len(strangers) - len(workers), 4 + dump.of_more_cpus, strangers)
        self.assertLessEqual(len(workers), 8 + dump.of_more_cpus, workers)

    @on_every_dump
    def test_kernel_threads(self, dump):
        """Of who is not in the dump nobody knows it."""
        ours = {task["pid"]: task for task in dump.ask("ps")["tasks"] if task["pid"]}
        for row in dump.ps():
            if (task := ours.get(int(row["pid"]))):
                expected = [bool(int(row["flags"], 16) & 0x200000)] + [None] * task["incomplete"]
                self.assertIn(task["kernel_thread"], expected, task)

    @on_every_dump
    def test_memory_of_user_tasks(self, dump):
        for task in dump.ask("ps")["tasks"]:
            if task["incomplete"]:
                continue
            if task["kernel_thread"]:
                self.assertEqual((task["vsz_kb"], task["rss_kb"]), (0, 0))
                continue
            status = dump.oracle / "tasks" / str(task["pid"]) / "status"
            size = re.search(r"^VmSize:\s+(\d+) kB", text_of(status) if status.exists() else "",
                             re.M)
            if task["vsz_kb"] is None or task["state"] in "XZ":
                continue  # its mm_struct is not in the dump, or it had given it back
            if size and task["comm"] != "guest.sh" and not task["on_cpu"]:  # which go on working
                self.assertEqual(task["vsz_kb"], int(size[1]), task)
            self.assertLessEqual(task["rss_kb"], task["vsz_kb"])


class Log(unittest.TestCase):
    @on_every_dump
    def test_equals_kmsg(self, dump):
        ours = {record["sequence"]: record for record in dump.ask("log")["records"]}
        oldest = min(ours)
        theirs = [entry for entry in dump.kmsg() if entry[1] >= oldest]
        self.assertGreater(len(theirs), 100)
        for priority, sequence, microseconds, text, keys in theirs:
            record = ours[sequence]
            self.assertEqual(kmsg_escape(record["text"]), text)
            self.assertEqual(record["facility"] << 3 | record["level"], priority)
            self.assertEqual(record["time_ns"] // 1000, microseconds)
            for key in ("subsystem", "device"):
                value = record[key] and record[key].removeprefix(f"{key.upper()}=")
                self.assertEqual(value, keys.get(key.upper()))

    @on_every_dump
    def test_has_what_the_console_said_last(self, dump):
        ours = set()
        for record in dump.ask("log")["records"]:
            micros = record["time_ns"] // 1000
            for line in record["text"].split("\n"):
                ours.add(f"[{micros // 1000000:5d}.{micros % 1000000:06d}] {line}")
        console = dump.console_after(dump.kmsg()[-1][2])
        if dump.meta["capture"] == "kdump":  # until the crash kernel took over
            console = [line for line in console if line <= max(ours)]
        # The serial port may have been cut off within a line; and who panics takes the console from who prints, within a line of that one.
        self.assertEqual([line for line in console if line not in ours and not any(whole.startswith(line) for whole in ours)], [])

    @on_every_dump
    def test_order(self, dump):
        numbers = [record["sequence"] for record in dump.ask("log")["records"]]
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))))


class Modules(unittest.TestCase):
    @on_every_dump
    def test_equal_proc_modules(self, dump):
        ours = {module["name"]: module for module in dump.ask("mod")["modules"]}
        for line in text_of(dump.oracle / "proc" / "modules").splitlines():
            name, size, _, _, state, base, *taints = line.split()
            # What the scenario unloads after that was read is gone.
            if dump.truth.get("class") == "unloaded-code" and name in dump.truth["why"]:
                self.assertNotIn(name, ours)
                continue
            module = ours[name]
            self.assertEqual((module["size"], module["state"]), (int(size), state.lower()))
            self.assertEqual(int(module["base"], 16), int(base, 16))
            self.assertEqual(set(module["taints"]), set("".join(taints).strip("()")))


class System(unittest.TestCase):
    @on_every_dump
    def test_equals_proc(self, dump):
        sys, proc = dump.ask("sys"), dump.oracle / "proc"
        uptime = float(text_of(proc / "uptime").split()[0])
        self.assertGreater(sys["uptime_ns"] / 1e9, uptime - 0.1)
        self.assertLess(sys["uptime_ns"] / 1e9, uptime + 300)
        texts = [record["text"] for record in dump.ask("log")["records"]]
        until = texts.index(UNANSWERED) if UNANSWERED in texts else len(texts)
        last = dump.ask("log")["records"][until - 1]["time_ns"]
        self.assertAlmostEqual(sys["uptime_ns"] / 1e9, last / 1e9, delta=30)
        for ours, theirs in zip(sys["load"], text_of(proc / "loadavg").split()):
            self.assertAlmostEqual(ours, float(theirs), delta=20)
        total = re.search(r"^MemTotal:\s+(\d+) kB", text_of(proc / "meminfo"), re.M)
        self.assertEqual(sys["memory_bytes"], int(total[1]) * 1024)
        self.assertEqual(sys["command_line"], text_of(proc / "cmdline").strip())
        release = text_of(proc / "version").split()[2]
        self.assertEqual((sys["release"], sys["machine"]), (release, "x86_64"))
        self.assertEqual(sys["cpus"], text_of(proc / "cpuinfo").count("processor\t"))

    @on_every_dump
    def test_taints_of_before_are_still_there(self, dump):
        before = int(text_of(dump.oracle / "proc" / "sys" / "kernel" / "tainted"))
        self.assertEqual(int(dump.ask("sys")["taint_bits"], 16) & before, before)

    @on_every_dump
    def test_panic_message_is_the_consoles(self, dump):
        console = text_of(dump.folder / "console.log")
        said = [line.split(PANIC, 1)[1].rstrip() for line in console.splitlines()
                if PANIC in line and "---[" not in line]
        records = dump.ask("log")["records"]
        if said:
            self.assertEqual(dump.ask("sys")["panic"], said[0])
        else:  # the crash kernel took over before panic(), or before the console got its line
            self.assertIn(dump.ask("sys")["panic"],
                          [record["text"].removeprefix(PANIC) for record in records])


class Elf:
    """An ELF dump that pages or notes can be taken out of."""
    HEADER = struct.Struct("<IIQQQQQQ")  # Elf64_Phdr

    def __init__(self, path):
        self.data = bytearray(path.read_bytes())
        self.start, = struct.unpack_from("<Q", self.data, 32)
        count, = struct.unpack_from("<H", self.data, 56)
        self.segments = [list(self.HEADER.unpack_from(self.data, self.start + i * 56))
                         for i in range(count)]

    def without_pages(self, frames):
        kept = []
        for kind, flags, offset, virtual, physical, size, _, align in self.segments:
            if kind != 1:
                kept.append((kind, flags, offset, virtual, physical, size, size, align))
                continue
            at = physical
            cuts = sorted(f * 4096 for f in frames if physical <= f * 4096 < physical + size)
            for cut in cuts + [physical + size]:
                if cut > at:
                    kept.append((kind, flags, offset + at - physical, virtual + at - physical,
                                 at, cut - at, cut - at, align))
                at = cut + 4096
        struct.pack_into("<Q", self.data, 32, len(self.data))
        struct.pack_into("<H", self.data, 56, len(kept))
        for segment in kept:
            self.data += self.HEADER.pack(*segment)
        return self

    def without_cpu_notes(self):
        for kind, _, offset, _, _, size, _, _ in self.segments:
            at = offset
            while kind == 4 and at < offset + size:
                name, text, _ = struct.unpack_from("<III", self.data, at)
                if self.data[at + 12:at + 16] in (b"CORE", b"QEMU"):
                    self.data[at + 12:at + 16] = b"none"
                at += 12 + (name + 3 & ~3) + (text + 3 & ~3)
        return self


class Damaged(unittest.TestCase):
    """Dumps with something taken out still give what is there, by another road."""

    def setUp(self):
        found = [dump for dump in map(Dump, folders()) if dump.whole and dump.is_elf()]
        by_name = {dump.meta["name"]: dump for dump in found}
        if "many-tasks" not in by_name:
            self.skipTest("the lab has no ELF dump of many tasks")
        self.many = by_name["many-tasks"]
        self.some = [by_name[name] for name in ("stale-timer", "array-index", "wrmsr-gp", "big-frames")
                     if name in by_name]

    def ask(self, elf, line):
        with tempfile.NamedTemporaryFile(suffix=".core") as file:
            file.write(elf.data)
            file.flush()
            run = subprocess.run([BUILD / "inquest", "--json", "-c", line, file.name],
                                 capture_output=True, timeout=300)
        self.assertIn(run.returncode, (0, 1), run.stderr.decode())
        return json.loads(run.stdout.decode(errors="surrogateescape"))

    def pages(self, *kinds):
        tool = subprocess.run([BUILD / "tests" / "task_pages", self.many.folder / "vmcore"],
                              check=True, capture_output=True, text=True)
        rows = [line.split() for line in tool.stdout.splitlines()]
        return {(kind, int(number)): int(frame) for kind, frame, number in rows if kind in kinds}

    def test_tasks_without_the_pid_index(self):
        elf = Elf(self.many.folder / "vmcore").without_pages(self.pages("node", "pid").values())
        found = self.ask(elf, "ps")
        whole = self.many.ask("ps")["tasks"]
        same = ("pid", "tgid", "ppid", "task", "comm", "state", "cpu")
        self.assertEqual([[task[key] for key in same] for task in found["tasks"]],
                         [[task[key] for key in same] for task in whole])
        self.assertTrue(found["remarks"])

    def test_tasks_by_slab_pages(self):
        # Of every seven tasks the pages of six are gone: few links are left to follow.
        frames = self.pages("node", "pid", "task")
        gone = {frame for (kind, number), frame in frames.items() if kind != "task" or number % 7}
        found = self.ask(Elf(self.many.folder / "vmcore").without_pages(gone), "ps")
        whole = {task["pid"]: task for task in self.many.ask("ps")["tasks"]}
        left = {task["pid"] for task in found["tasks"]}
        self.assertGreater(len(left), 10)
        self.assertIn("slab pages", {task["road"] for task in found["tasks"]})
        for task in found["tasks"]:
            if not task["incomplete"] and task["pid"]:
                self.assertEqual(task["comm"], whole[task["pid"]]["comm"])

    def test_log_and_stacks_without_types(self):
        elf = Elf(self.many.folder / "vmcore").without_pages(self.pages("types").values())
        found = {reply["command"]: reply for reply in self.ask(elf, "sys; log; bt -a")["commands"]}
        self.assertEqual(found["sys"]["types"], "none")
        self.assertEqual(found["log"]["records"], self.many.ask("log")["records"])
        names = [frame["symbol"] for thread in found["bt -a"]["threads"]
                 for frame in thread["frames"]]
        self.assertTrue({"panic", "vpanic"} & set(names))

    def test_stacks_without_registers(self):
        if not self.some:
            self.skipTest("the lab has no ELF dump of those that died")
        for dump in self.some:
            with self.subTest(dump=dump.folder.name):
                elf = Elf(dump.folder / "vmcore")
                whole = self.ask(elf, "bt -a")["threads"]
                found = self.ask(elf.without_cpu_notes(), "bt -a")["threads"]
                for before, after in zip(whole, found, strict=True):
                    self.assert_ends_alike(before["frames"], after["frames"])

    def assert_ends_alike(self, before, after):
        """All frames but the latest few, which only the registers could tell."""
        self.assertGreater(len(after), 0)
        self.assertTrue(after[0]["guess"])
        names = [frame["symbol"] for frame in before]
        kept = names[-len(after):] if len(after) <= len(names) else names
        self.assertGreater(len(kept), len(names) - 3)
        self.assertEqual([frame["symbol"] for frame in after][-len(kept) + 1:], kept[1:])

    def test_cut_off_dumps_say_what_is_missing(self):
        for dump in map(Dump, folders()):
            if not dump.whole:
                with self.subTest(dump=dump.folder.name):
                    self.assertTrue(dump.ask("ps").get("remarks"))
                    if "only running tasks are known" in str(dump.ask("sys")["remarks"]):
                        self.assertIsNone(dump.ask("sys")["tasks"])


if __name__ == "__main__":
    unittest.main()
