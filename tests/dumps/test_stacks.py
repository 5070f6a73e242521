# SPDX-License-Identifier: LGPL-2.1-or-later
"""Stacks against what the kernels themselves said: the panic task's frames equal the last call
trace on the console, and tasks that slept from the moment that the guest looked until the crash
have the frames of /proc/PID/stack.

INQUEST_BUILD is the build folder, INQUEST_LAB_DUMPS a JSON file of {"words": "folder"}; without it
all dumps in the lab's cache (INQUEST_LAB, default: lab in the build folder) are looked at."""

import json
import os
import pathlib
import re
import subprocess
import unittest

BUILD = pathlib.Path(os.environ.get("INQUEST_BUILD", "build"))
LAB = pathlib.Path(os.environ.get("INQUEST_LAB", BUILD / "lab"))

TIME = re.compile(r"^(?:<\d+>)?\[\s*\d+\.\d+\](?:\[\s*[TC]\d+\])? ?")
FRAME = re.compile(r"^ (\? )?([^\s+]+)\+0x([0-9a-f]+)/0x([0-9a-f]+)(?: \[(\w+)[^]]*\])?\s*$")
RIP = re.compile(r"^RIP: 0010:(?:0x([0-9a-f]+)|([^\s+]+)\+0x([0-9a-f]+)/0x([0-9a-f]+)"
                 r"(?: \[(\w+)[^]]*\])?)\s*$")
PROC = re.compile(r"^\[<[0-9a-f]+>\] ([^\s+]+)\+0x([0-9a-f]+)/0x([0-9a-f]+)(?: \[(\w+)\])?")
# What printing the trace and stopping the machine put on top; a crash note is from deeper there.
TOP = {"dump_stack_lvl", "dump_stack", "show_stack", "panic", "vpanic", "nmi_panic"}
# Where a whole stack begins; a trace that ends elsewhere is one that the kernel had to give up.
BEGIN = re.compile(r"entry_|asm_|ret_from_fork|secondary_startup_64|common_startup_64")
# What /proc/PID/stack leaves out (get_wchan's __sched functions), to the tasks that sleep there.
SCHEDULER = re.compile(r"schedule|sched|wait|mutex|rwsem|down|lock|sleep|completion|context_switch|"
                       r"__switch_to")
MOVED_MAX = 4


def left_out(ours, expected):
    """Are these our frames without some of the scheduler's? Those of an rt_mutex stand between others."""
    rest = list(expected)
    for frame in ours:
        if rest and frame == rest[0]:
            rest.pop(0)
        elif not SCHEDULER.search(frame[0]):
            return False
    return not rest


def dump_folders():
    """{"words": folder} of the dumps that can have whole stacks."""
    listed = os.environ.get("INQUEST_LAB_DUMPS")
    if listed:
        found = json.loads(pathlib.Path(listed).read_text())
    else:
        found = {p.parent.name: str(p.parent) for p in sorted(LAB.glob("dumps/*/meta.json"))}
    folders = {}
    for words, folder in found.items():
        folder = pathlib.Path(folder)
        if not (folder / "console.log").exists():  # is being made
            continue
        meta = json.loads((folder / "meta.json").read_text())
        # "kdump-all" and "qemu-all" are one memory in many formats: test_formats.py compares those.
        if meta.get("truncate", 100) == 100 and not meta["capture"].endswith("-all"):
            folders[words] = (folder, meta)
    return folders


def dump_files(folder, meta):
    """The dump, or its pieces; other files there are the same memory in other formats."""
    files = meta.get("files") or ["vmcore"]
    whole = [f for f in files if "split" not in f]
    return [folder / f for f in (whole[:1] or files)]


def inquest(folder, meta, command):
    run = subprocess.run([BUILD / "inquest", "--json", "-c", command, *dump_files(folder, meta)],
                         capture_output=True, text=True)
    if run.returncode > 1:
        raise AssertionError(f"inquest exits with {run.returncode}: {run.stderr}")
    return json.loads(run.stdout)


def our_frames(thread):
    """(function, offset, size, module), or the address where there is no function."""
    frames = []
    for frame in thread["frames"]:
        if frame["symbol"] is None:
            frames.append(int(frame["pc"], 16))
        else:
            frames.append((frame["symbol"], frame["offset"], frame["size"], frame["module"]))
    return frames


def frame_of(name, offset, size, module):
    return (name, int(offset, 16), int(size, 16), module)


class Traces:
    """The call traces of a console, each with the RIP line that stood before it."""

    def __init__(self, lines):
        self.traces = []
        self.rip = None
        self.current = None
        self.panic = None  # number of the first trace behind "Kernel panic"
        for line in lines:
            self.add(TIME.sub("", line))

    def add(self, line):
        rip, frame = RIP.match(line), FRAME.match(line)
        if line.startswith("Call Trace:"):
            self.current = [self.rip] if self.rip else []
            self.traces.append(self.current)
            self.rip = None
        elif self.current is not None and frame:
            if not frame[1]:
                self.current.append(frame_of(*frame.group(2, 3, 4, 5)))
        elif rip:
            where = int(rip[1], 16) if rip[1] else frame_of(*rip.group(2, 3, 4, 5))
            if self.current is None:
                self.rip = where
            else:
                self.current.append(where)
        elif line.startswith((" </TASK>", "Modules linked in", "---[", "Kernel panic",
                              "Kernel Offset", "RIP: 0033", "RIP: 0023")):
            self.current = None
            if not line.startswith("Modules linked in"):
                self.rip = None
        if line.startswith("Kernel panic") and self.panic is None:
            self.panic = len(self.traces)


def callers(folder, meta):
    """Who wrote each line of the log, {the line as the console has it: task or CPU}: the console does not say it."""
    found = {}
    for record in inquest(folder, meta, "log")["records"]:
        micros = record["time_ns"] // 1000
        for line in record["text"].split("\n"):
            found[f"[{micros // 1000000:5d}.{micros % 1000000:06d}] {line}"] = record["caller"]
    return found


def console_lines(folder, meta):
    """Those of the one that panics, and those of whom nobody knows it: other CPUs' watchdogs may bark in between."""
    text, log = (folder / "console.log").read_text(errors="replace"), folder / "vmcore-dmesg.txt"
    if "] Kernel panic - " not in text and log.exists():  # the crash kernel started before it was printed
        text = log.read_text(errors="replace")
    lines = [line.rstrip("\r") for line in text.splitlines()]
    known = callers(folder, meta)
    mourner = next((known.get(line) for line in lines if "] Kernel panic - " in line), None)
    return [line for line in lines if not mourner or known.get(line, mourner) == mourner]


def console_trace(folder, meta):
    """The frames of the panic's trace, without those of printing it: the first one behind the panic's
    line, or, where it has none of its own, the last one."""
    console = Traces(console_lines(folder, meta))
    traces = console.traces
    if console.panic is not None and console.panic < len(traces):
        traces = traces[:console.panic + 1]
    if not traces:  # the crash kernel started before it was printed; it is in the log
        run = subprocess.run([BUILD / "inquest", "-c", "log", *dump_files(folder, meta)],
                             capture_output=True, text=True)
        traces = Traces(run.stdout.splitlines()).traces
    if not traces:
        return None
    trace = traces[-1]
    while trace and isinstance(trace[0], tuple) and trace[0][0] in TOP:
        trace = trace[1:]
    return trace


def see_through(expected, ours):
    """The kernel prints the trampoline of a kretprobe as the end of the function before it in
    memory ("f+0x20/0x20"); the real caller, which we show, is then another."""
    return [mine if isinstance(theirs, tuple) and theirs[1] == theirs[2] else theirs
            for theirs, mine in zip(expected, ours[-len(expected):])]


def show(frames):
    return [hex(f) if isinstance(f, int) else
            f"{f[0]}+{f[1]:#x}/{f[2] or 0:#x}" + (f" [{f[3]}]" if f[3] else "") for f in frames]


class Stacks(unittest.TestCase):
    maxDiff = None

    def folders(self):
        found = dump_folders()
        if not found:
            self.skipTest(f"no dumps in {LAB}")
        return found.items()

    def test_panic_task_equals_console(self):
        for words, (folder, meta) in self.folders():
            expected = console_trace(folder, meta)
            with self.subTest(dump=words):
                # After a machine check the kernel prints none: it goes down at once.
                if not expected and "Machine Check Exception" in (folder / "console.log").read_text(errors="replace"):
                    continue
                self.assertTrue(expected, "no call trace on the console")
                threads = inquest(folder, meta, "bt")["threads"]
                if isinstance(expected[-1], int):
                    # After a jump into data the kernel itself only guesses ("?"); we do not stop.
                    self.assertIn(expected[-1], our_frames(threads[0]))
                elif BEGIN.match(expected[-1][0]):
                    ours = our_frames(threads[0])
                    if meta["name"] == "traced":
                        expected = see_through(expected, ours)
                    self.assertEqual(show(ours[-len(expected):]), show(expected))
                    self.assertIsNone(threads[0]["reason"])
                    self.assertFalse([f for f in threads[0]["frames"] if f["guess"]])
                elif not self.ends_in_thunk(threads[0], expected):
                    self.check_broken(threads[0], expected)

    def ends_in_thunk(self, thread, expected):
        """For the thunks of retpolines ORC has nothing: who was interrupted in one is where the kernel's trace stops. Ours goes on."""
        ours, wanted = show(our_frames(thread)), show(expected)
        if not wanted[-1].startswith("__x86_indirect_thunk"):
            return False
        return any(ours[at:at + len(wanted)] == wanted for at in range(len(ours) - len(wanted)))

    def check_broken(self, thread, expected):
        """The kernel's trace stops where the stack is destroyed; what we have above is guessed."""
        guess = [f["guess"] for f in thread["frames"]].index(True)
        ours = our_frames(thread)[:guess]
        self.assertEqual(show(ours[-len(expected):]), show(expected))
        self.assertEqual(thread["end"], "incomplete")
        self.assertTrue(thread["reason"])

    def compare_sleeping(self, folder, threads, slept_on):
        """How many tasks were compared; differences are of tasks that did not move."""
        differences, compared, frames_seen = [], 0, 0
        for thread in threads:
            oracle = folder / "oracle" / "stacks" / str(thread["pid"])
            if not thread["pid"] or not oracle.exists() or thread["on_cpu"]:
                continue
            expected = [frame_of(*m.groups()) for m in
                        map(PROC.match, oracle.read_text().splitlines()) if m]
            if not expected or not slept_on(thread):
                continue
            compared += 1
            frames_seen += len(expected)
            ours = our_frames(thread)
            if not left_out(ours, expected) or thread["end"] == "incomplete":
                differences.append((thread["pid"], thread["comm"], show(ours), show(expected),
                                    thread["reason"]))
        return differences, compared, frames_seen

    def test_sleeping_tasks_equal_proc(self):
        for words, (folder, meta) in self.folders():
            if not (folder / "oracle" / "stacks").is_dir():
                continue
            with self.subTest(dump=words):
                threads = inquest(folder, meta, "bt --all")["threads"]
                switches = self.switches(folder, meta, threads)

                def slept_on(thread):
                    then = self.switches_then(folder, thread)
                    return (switches is None or switches.get(thread["pid"]) == then) and self.looked_once(folder, thread)

                differences, compared, seen = self.compare_sleeping(folder, threads, slept_on)
                if switches is None:
                    # Some kernel threads and the guest's script run until the end.
                    self.assertLess(len(differences), MOVED_MAX)
                else:
                    self.assertEqual(differences, [])
                self.assertGreater(seen, 2 * compared)
                self.assertGreater(compared, 20)

    def looked_once(self, folder, thread):
        """Did it sleep at one place while the guest looked? /proc/PID/wchan was read last, the stack first."""
        stack, wchan = (folder / "oracle" / kind for kind in (f"stacks/{thread['pid']}", f"tasks/{thread['pid']}/wchan"))
        first = PROC.match(stack.read_text())
        place = wchan.read_text().strip() if wchan.exists() else "0"
        return place == "0" or not first or first[1] == place

    def switches_then(self, folder, thread):
        """Context switches of the task when the guest looked, from /proc/PID/status."""
        path = folder / "oracle" / "tasks" / str(thread["pid"]) / "status"
        if not path.exists():
            return None
        return sum(map(int, re.findall(r"ctxt_switches:\s*(\d+)", path.read_text())))

    def switches(self, folder, meta, threads):
        """The same at the time of the crash, {pid: switches}; None: that cannot be asked yet."""
        wanted = [t for t in threads
                  if (folder / "oracle" / "tasks" / str(t["pid"]) / "status").exists()]
        commands = "; ".join(f"struct task_struct.nvcsw,nivcsw {t['task']}" for t in wanted)
        run = subprocess.run([BUILD / "inquest", "-c", commands, *dump_files(folder, meta)],
                             capture_output=True, text=True)
        if "unknown command" in run.stderr:
            return None
        # "<not in the dump>" counts as a number that no task had.
        numbers = [-1 if n[0] == "<" else int(n)
                   for n in re.findall(r"ni?vcsw = (\d+|<)", run.stdout)]
        if len(numbers) != 2 * len(wanted):
            self.fail(f"{len(numbers)} numbers for {len(wanted)} tasks: {run.stderr[:500]}")
        return {t["pid"]: numbers[2 * i] + numbers[2 * i + 1] for i, t in enumerate(wanted)}


if __name__ == "__main__":
    unittest.main()
