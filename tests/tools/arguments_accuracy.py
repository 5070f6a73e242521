#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How many arguments inquest shows, and how many of them are right: against what probes at the entry of the functions wrote down in the
lab (lab/scenarios/arguments), and beside what gdb shows for the same frames with full debug info.

arguments_accuracy.py [--write docs/accuracy.md] [--wrong] [--missed]

From the environment: INQUEST_BUILD, INQUEST_LAB, INQUEST_LAB_CACHE as the tests on dumps take them. Debug packages of the kernels are
fetched when they are not there. gdb reads a core file made of the threads' registers and stacks, which are in the dump."""

import argparse
import collections
import functools
import json
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "dumps"))

import debug_package  # noqa: E402
import gdb_core  # noqa: E402
import lab  # noqa: E402

IN_REGISTERS = 6
DEPTHS = [(0, 2), (3, 5), (6, 8), (9, 99)]
SURE = ("exact", "derived")

GDB_SCRIPT = '''
import gdb, json
found = []

def number(value):
    if value.is_optimized_out:
        return None
    if value.type.strip_typedefs().code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION, gdb.TYPE_CODE_ARRAY):
        return None
    return int(value) & (1 << 64) - 1

def tried(get):
    try:
        return number(get())
    except (gdb.error, TypeError, RuntimeError):
        return None

for thread in gdb.selected_inferior().threads():
    thread.switch()
    frame, count = gdb.newest_frame(), 0
    while frame is not None and count < 100:
        count += 1
        try:
            older = frame.older()
            function = frame.function()
            if frame.type() == gdb.NORMAL_FRAME and function is not None and older is not None:
                frame.select()
                block = frame.block()
                while block.function is None or block.function.name != function.name:
                    block = block.superblock
                args = {}
                for symbol in block:
                    if symbol.is_argument:
                        args[symbol.name] = (tried(lambda: symbol.value(frame)),
                                             tried(lambda: gdb.parse_and_eval(symbol.name + "@entry")))
                found.append({"pid": thread.ptid[1] or thread.ptid[0], "function": function.linkage_name or function.name,
                              "sp": (int(older.read_register("rsp")) & (1 << 64) - 1) - 8, "args": args})
            frame = older
        except (gdb.error, RuntimeError, AttributeError):
            break
print("ARGUMENTS " + json.dumps(found))
'''


def truth_of(dump):
    """{(pid, function, where its return address lies): the words passed}; of several calls the last."""
    found = {}
    for record in lab.query(dump, "log")["records"]:
        if match := re.match(r"truth: (\d+) (\S+) ([0-9a-f]+) (.*)", record["text"]):
            found[int(match[1]), match[2], int(match[3], 16)] = [int(word, 16) for word in match[4].split()]
    return found


@functools.lru_cache
def size_of(vmcore, spelled):
    """Bytes of a C type; None when it is not known."""
    if spelled.endswith("*") or "(*)" in spelled:
        return 8
    run = lab.inquest("--json", "-c", f"p sizeof({spelled})", vmcore)
    return json.loads(run.stdout)["values"][0]["value"] if run.returncode == 0 else None


def tasks_of(dump, truth):
    """The task_structs that the truth is of: those of its pids, and the idle tasks, which an interrupt found."""
    pids = {pid for pid, *_ in truth}
    return [t for t in lab.query(dump, "ps", "--no-debuginfo")["tasks"] if t["pid"] in pids]


def frames_of(dump, tasks, words):
    """For each task its frames, none of them inlined: of bt, each with the "arguments" of args."""
    addresses = [t["task"].removeprefix("0x") for t in tasks]
    stacks = lab.query(dump, "; ".join(f"bt -V {a}" for a in addresses) + "; eval 1", "--no-debuginfo")["commands"]
    calls = lab.query(dump, "; ".join(f"args -t {a}" for a in addresses) + "; eval 1", *words)["commands"]
    for task, stack, call in zip(tasks, stacks, calls):
        frames = [f for thread in stack.get("threads", []) for f in thread["frames"] if not f["inlined"]]
        arguments = call.get("frames", [])
        if len(frames) != len(arguments):
            raise AssertionError(f"{task['pid']}: bt has {len(frames)} frames, args {len(arguments)}")
        yield task, [{**f, "arguments": a["arguments"], "why": a["why"]} for f, a in zip(frames, arguments)]


def matched(pid, frames, truth):
    """(level, frame, key) of the frames whose call was written down."""
    for level, (frame, caller) in enumerate(zip(frames, frames[1:])):
        key = pid, frame["symbol"], int(caller["sp"], 16) - 8
        if key in truth and not frame["guess"]:
            yield level, frame, key


def passed(words, place):
    """The word that argument @place was passed in; structures by value are not among the probed functions'."""
    return words[place] if place < len(words) else None


class Count:
    def __init__(self):
        self.arguments = self.gdb = self.gdb_right = 0
        self.shown = collections.Counter()
        self.right = collections.Counter()
        self.missed = collections.Counter()
        self.wrong = []

    def add(self, other):
        self.arguments += other.arguments
        self.gdb += other.gdb
        self.gdb_right += other.gdb_right
        self.shown += other.shown
        self.right += other.right
        self.missed += other.missed
        self.wrong += other.wrong

    @property
    def sure(self):
        return sum(self.shown[origin] for origin in SURE)

    @property
    def sure_right(self):
        return sum(self.right[origin] for origin in SURE)


def reason(argument):
    """Why an argument is not known, without what differs from case to case."""
    why = argument.get("how") or "not said"
    return re.sub(r"0x[0-9a-f]+|\b[0-9a-f]{8,}\b|\b[\w.]+\+0x\S+", "…", why)


def compare(argument, size, word, key, count):
    mask = (1 << 8 * size) - 1
    origin = argument["origin"]
    count.arguments += 1
    if argument["number"] is None:
        count.missed[reason(argument)] += 1
        return
    count.shown[origin] += 1
    if int(argument["number"], 16) & mask == word & mask:
        count.right[origin] += 1
    else:
        count.wrong.append((*key[:2], argument["name"], argument["number"], hex(word & mask), origin, argument["how"]))


def add_gdb(said, size, word, count):
    now, entry = said
    shown = entry if entry is not None else now
    if shown is not None:
        count.gdb += 1
        count.gdb_right += (shown ^ word) & (1 << 8 * size) - 1 == 0


def look(dump, words, gdb, parameters):
    """{depth class: Count} of a dump, with these options. @gdb: what gdb said, {key: {name: (now, entry)}}; @parameters: the list that each
    function's arguments are counted by, {function: [(name, size)]}."""
    truth = truth_of(dump)
    counts = collections.defaultdict(Count)
    for task, frames in frames_of(dump, tasks_of(dump, truth), words):
        for level, frame, key in matched(task["pid"], frames, truth):
            count = counts[next(i for i, (low, high) in enumerate(DEPTHS) if low <= level <= high)]
            ours = {a["name"]: a for a in frame["arguments"]}
            for place, (name, size) in enumerate(parameters.get(frame["symbol"], [])):
                word = passed(truth[key], place)
                if word is None or not size or size > 8:
                    continue
                nothing = {"name": name, "number": None, "origin": "unknown", "how": frame["why"] or "no such parameter"}
                compare(ours.get(name, nothing), size, word, key, count)
                add_gdb(gdb.get(key, {}).get(name, (None, None)), size, word, count)
    return counts


def parameters_of(dump, words):
    """{function: [(name, size of its type)]} of the probed functions on stacks, by debug info."""
    truth = truth_of(dump)
    found = {}
    for task, frames in frames_of(dump, tasks_of(dump, truth), words):
        for _, frame, _ in matched(task["pid"], frames, truth):
            found.setdefault(frame["symbol"], [(a["name"], size_of(dump.vmcore, a["type"])) for a in frame["arguments"]])
    return found


# --- gdb ---


def registers_of(thread):
    """(registers, stack pointer) of each stretch of the stack that gdb can follow from its start: the thread's innermost frame, and what an
    exception interrupted."""
    for i, frame in enumerate(thread["frames"]):
        if (i == 0 or frame["exception"]) and frame.get("regs"):
            yield frame["regs"], int(frame["sp"], 16)


def core_of(dump, threads, path):
    """A core file of all stretches, one thread each: {number that gdb knows it by: pid of its task}."""
    notes, segments, pids = b"", {}, {}
    for thread in threads:
        for regs, sp in registers_of(thread):
            status = bytearray(336)  # struct elf_prstatus: pr_pid at 32, pr_reg at 112
            number = 1000 + len(pids)
            pids[number] = thread["pid"]
            struct.pack_into("<i", status, 32, number)
            for i, name in enumerate(gdb_core.ORDER):
                struct.pack_into("<Q", status, 112 + 8 * i, int(regs.get(name, "0"), 16))
            notes += struct.pack("<III", 5, len(status), 1) + b"CORE\0\0\0\0" + bytes(status)
            start = sp & ~0x3fff
            if start not in segments:
                segments[start] = gdb_core.memory(dump, start, 0x4000)
    segments = sorted(segments.items())
    count = 1 + len(segments)
    offset = 64 + 56 * count
    headers = struct.pack("<IIQQQQQQ", 4, 0, offset, 0, 0, len(notes), 0, 4)
    body = notes
    for start, data in segments:
        headers += struct.pack("<IIQQQQQQ", 1, 6, offset + len(body), start, 0, len(data), len(data), 8)
        body += data
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += struct.pack("<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, 0, 0, 64, 56, count, 0, 0, 0)
    path.write_bytes(header + headers + body)
    return pids


def ask_gdb(dump, series):
    """{(pid, function, return address's place): {argument: (now, on entry)}}"""
    vmlinux = debug_package.vmlinux(series)
    nm = subprocess.run(["nm", vmlinux], capture_output=True, text=True, check=True).stdout
    linked = int(re.search(r"^([0-9a-f]+) . _text$", nm, re.M)[1], 16)
    slide = int(lab.query(dump, "sym _text")["symbols"][0]["address"], 16) - linked
    truth = truth_of(dump)
    threads = [{"pid": task["pid"], "frames": frames} for task, frames in frames_of(dump, tasks_of(dump, truth), ["--no-debuginfo"])]
    text = dump.oracle / "sys" / "module" / "arguments" / "sections" / ".text"
    module = ["-ex", f"add-symbol-file {dump.folder / 'modules' / 'arguments.ko'} {text.read_text().strip()}"] if text.exists() else []
    with tempfile.TemporaryDirectory() as folder:
        core, script = pathlib.Path(folder) / "core", pathlib.Path(folder) / "script.py"
        pids = core_of(dump, threads, core)
        script.write_text(GDB_SCRIPT)
        run = subprocess.run(["gdb", "-q", "-nx", "-batch", "-ex", f"core-file {core}", "-ex", f"add-symbol-file {vmlinux} -o {slide:#x}",
                              *module, "-ex", f"source {script}"], capture_output=True, text=True, check=False, timeout=900)
    for line in run.stdout.splitlines():
        if line.startswith("ARGUMENTS "):
            found = {}
            for entry in json.loads(line.split(" ", 1)[1]):
                found.setdefault((pids[entry["pid"]], entry["function"], entry["sp"]), entry["args"])
            return found
    raise AssertionError(f"gdb: {run.stdout[-300:]} {run.stderr[-600:]}")


# --- The report ---


def percent(part, whole):
    return f"{100 * part / whole:.1f} %" if whole else "-"


def depth_name(i):
    low, high = DEPTHS[i]
    return f"{low}-{high}" if high < 99 else f"{low} and more"


def row(name, count):
    return (f"| {name} | {count.arguments} | {count.sure} ({percent(count.sure, count.arguments)}) | "
            f"{percent(count.sure_right, count.sure)} | {count.shown['candidate']} | "
            f"{percent(count.right['candidate'], count.shown['candidate'])} | {count.gdb} ({percent(count.gdb, count.arguments)}) | "
            f"{percent(count.gdb_right, count.gdb)} |")


def table(title, counts):
    total = Count()
    lines = [f"## {title}", "",
             "| frame | arguments | exact or derived | of these right | candidates | of these right | gdb | of these right |",
             "|---|---|---|---|---|---|---|---|"]
    for i in range(len(DEPTHS)):
        lines.append(row(depth_name(i), counts[i]))
        total.add(counts[i])
    lines += [row("all", total), ""]
    lines += ["Not known, because:", ""]
    lines += [f"- {number} × {why}" for why, number in total.missed.most_common(12)] + [""]
    return lines, total


INTRO = """# How many arguments are known, and how many are right

Made by `tests/tools/arguments_accuracy.py --write docs/accuracy.md`, from the lab's dumps `arguments`: threads asleep in system calls and at
the bottom of chains of a module's functions, an interrupt that spins on another CPU, and a fault. Probes at the entry of the functions wrote
down what they were called with; each frame is compared with its own call. "frame" counts from the innermost one. "gdb" is what gdb shows
for the same frames with full debug info (`argument@entry`, else the argument), fed with registers and stacks out of the dump; right is
what it says of the value on entry.

The same is measured of verdicts (`accuracy-lkdtm.md`) and of types (`accuracy-identify.md`).
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=pathlib.Path)
    parser.add_argument("--wrong", action="store_true", help="list the values that are wrong")
    parser.add_argument("--missed", action="store_true", help="list all reasons")
    parser.add_argument("--no-gdb", action="store_true")
    options = parser.parse_args()
    text = [INTRO]
    for dump in lab.dumps(name="arguments", capture="qemu-elf"):
        series = dump.meta["series"]
        gdb = {} if options.no_gdb else ask_gdb(dump, series)
        kernel = debug_package.folder(series)
        full = ["-k", kernel, "-m", dump.folder / "modules"]
        parameters = parameters_of(dump, full)
        for title, words in (("without any debug info", ["--no-debuginfo"]), ("with debug info", full)):
            lines, total = table(f"Linux {series}, {title}", look(dump, words, gdb, parameters))
            text += lines
            if options.wrong:
                for entry in total.wrong:
                    print(*entry)
            if options.missed:
                for why, number in total.missed.most_common():
                    print(number, why)
    if options.write:
        options.write.write_text("\n".join(text).rstrip() + "\n")
    else:
        print("\n".join(text))


if __name__ == "__main__":
    main()
