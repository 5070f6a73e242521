# SPDX-License-Identifier: LGPL-2.1-or-later
"""bt's options, against what the guests said themselves: /proc/PID/stack and ps before the crash, the registers that the
kernel printed when it died, its symbols."""

import collections
import re
import unittest

import lab

PROC = re.compile(r"^\[<[0-9a-f]+>\] ([^\s+]+)\+0x([0-9a-f]+)/", re.M)
REGISTER = re.compile(r"\b(R[A-D]X|R[SD]I|RBP|RSP|R\d\d): (?:0018:)?([0-9a-f]{16})")
MAGIC = 0x57ac6e9d


def proc_stack(dump, pid):
    """[(function, offset)] of /proc/PID/stack: without what sleeps in the scheduler."""
    path = dump.oracle / "stacks" / str(pid)
    return [(m[1], int(m[2], 16)) for m in PROC.finditer(path.read_text())] if path.exists() else []


def ps(dump):
    lines = (dump.oracle / "ps.tsv").read_text().splitlines()
    return [dict(zip(lines[0].split("\t"), line.split("\t"))) for line in lines[1:]]


def number(text):
    return int(text, 16)


class OnDumps(unittest.TestCase):
    def dumps(self, **wanted):
        found = lab.dumps(**wanted)
        if not found:
            self.skipTest(f"the lab has no such dump: {wanted}")
        return found

    def many_tasks(self):
        """Those without holes; the first two are of two kernels."""
        found = [d for d in self.dumps(name="many-tasks", truncate=100) if not d.holed]
        first = {d.meta["series"]: d for d in reversed(found)}
        return [*first.values(), *(d for d in found if d not in first.values())]


class Unique(OnDumps):
    def test_tasks_of_one_stack_slept_in_one_place(self):
        for dump in self.many_tasks():
            with self.subTest(dump=str(dump)):
                compared = 0
                for group in lab.query(dump, "bt -u")["stacks"]:
                    ours = [(f["symbol"], f["offset"]) for f in group["frames"]]
                    stacks = [proc_stack(dump, t["pid"]) for t in group["tasks"] if t["state"] in "SDT"]
                    same = [s for s in stacks if s and ours[-len(s):] == s]
                    # Kernel threads and the guest's script went on; the threads of the scenario did not.
                    compared += len(same)
                    self.assertLessEqual(len([s for s in stacks if s]) - len(same), 3, group["tasks"])
                self.assertGreater(compared, 100)

    def test_every_task_is_in_one_group(self):
        for dump in self.many_tasks():
            with self.subTest(dump=str(dump)):
                value = lab.query(dump, "bt -u")
                tasks = [t["task"] for group in value["stacks"] for t in group["tasks"]]
                self.assertEqual(sorted(tasks), sorted(t["task"] for t in lab.query(dump, "ps")["tasks"]))
                self.assertEqual(value["tasks"], len(tasks))
                counts = [group["count"] for group in value["stacks"]]
                self.assertEqual(counts, [len(group["tasks"]) for group in value["stacks"]])
                self.assertEqual(counts, sorted(counts, reverse=True))
                pcs = [tuple(f["pc"] for f in group["frames"]) for group in value["stacks"]]
                self.assertLessEqual(len(pcs) - len(set(pcs)), 1)

    def test_filters(self):
        for dump in self.many_tasks():
            with self.subTest(dump=str(dump)):
                sleepers = {int(t["pid"]) for t in ps(dump) if "nanosleep" in t["comm"] and t["state"] == "S"}
                found = {t["pid"] for g in lab.query(dump, "bt -u -R hrtimer_nanosleep")["stacks"] for t in g["tasks"]}
                self.assertTrue(sleepers)
                self.assertLessEqual(sleepers, found)
                by_proc = {int(t["pid"]) for t in ps(dump) if "hrtimer_nanosleep" in dict(proc_stack(dump, t["pid"]))}
                self.assertLessEqual(len(found ^ by_proc), 3)
                self.assertEqual(found, {t["pid"] for g in lab.query(dump, "bt -u -R hrtimer_nano* -M vmlinux")["stacks"]
                                         for t in g["tasks"]})
                self.assertEqual(lab.query(dump, "bt -u -R hrtimer_nanosleep -M ext4")["stacks"], [])

    def test_module(self):
        for dump in self.dumps(name="null-ioctl", truncate=100):
            with self.subTest(dump=str(dump)):
                groups = lab.query(dump, "bt -u -M null_ioctl")["stacks"]
                self.assertEqual([t["comm"] for g in groups for t in g["tasks"]], ["caller"])

    def test_text_names_pids_in_ranges(self):
        dump = self.many_tasks()[0]
        text = lab.inquest("-c", "bt -u -R hrtimer_nanosleep", dump.vmcore).stdout
        count, ranges = re.search(r"^COUNT: (\d+)  STATE: IN  COMMAND: .*  PID: (.*)$", text, re.M).groups()
        self.assertGreater(int(count), 20)
        self.assertRegex(ranges, r"^\d+(-\d+)?(, \d+(-\d+)?)*( \.\.\.)?$")
        self.assertNotRegex(text, r"\[[0-9a-f]{16}\]")


class Choice(OnDumps):
    def test_whose(self):
        for dump in self.many_tasks()[:2]:
            with self.subTest(dump=str(dump)):
                def pids(words):
                    return [t["pid"] for t in lab.query(dump, f"bt {words}")["threads"]]
                cpus = dump.meta.get("cpus", 2)
                self.assertEqual(pids("0"), [0] * cpus)
                self.assertEqual(len(pids("-a")), cpus)
                self.assertEqual(pids("-a -n idle"), [p for p in pids("-a") if p])
                self.assertEqual(pids("-c 0"), pids("-a")[:1])
                self.assertEqual(pids("-p"), pids(""))
                self.assertEqual(pids("2 1"), [2, 1])
                groups = collections.defaultdict(list)
                for task in ps(dump):
                    groups[int(task["tgid"])].append(int(task["pid"]))
                tgid = next(t for t, threads in groups.items() if len(threads) > 3)
                self.assertEqual(pids(f"-g {max(groups[tgid])}"), [tgid, *sorted(set(groups[tgid]) - {tgid})])

    def test_address_on_the_stack(self):
        dump = self.many_tasks()[0]
        frames = lab.query(dump, "bt 1")["threads"][0]["frames"]
        # Init's own task_struct is on its stack, or it is the task itself.
        for word in (frames[1]["pc"], lab.query(dump, "bt 1")["threads"][0]["task"]):
            found = [t["pid"] for t in lab.query(dump, f"bt --all -R {word}")["threads"]]
            self.assertIn(1, found)
            # Who spins, and who is dead, has no such word.
            everyone = len(lab.query(dump, "ps")["tasks"])
            self.assertLess(len(found), everyone if word == frames[1]["pc"] else 60)

    def test_functions_are_those_of_frames(self):
        for dump in self.many_tasks()[:2]:
            threads = lab.query(dump, "bt --all")["threads"]
            expected = [t["task"] for t in threads if "schedule_timeout" in [f["symbol"] for f in t["frames"]]]
            self.assertTrue(expected)
            self.assertEqual([t["task"] for t in lab.query(dump, "bt --all -R schedule_timeout")["threads"]], expected)
            # A symbol of data: each stack that is left has a word in it.
            names = [line.split() for line in (dump.oracle / "proc" / "kallsyms").read_text().splitlines()]
            low = int(next(n[0] for n in names if n[2] == "init_task"), 16)
            for thread in lab.query(dump, "bt --all -f -R init_task")["threads"]:
                words = [number(w["value"]) for f in thread["frames"] for w in f.get("words", [])]
                self.assertTrue(number(thread["task"]) == low or any(low <= w < low + 0x4000 for w in words), thread["pid"])

    def test_words_of_a_big_frame(self):
        for dump in lab.dumps(name="big-frames"):
            frames = lab.query(dump, "bt -f")["threads"][0]["frames"]
            seen = 0
            for frame, caller in zip(frames, frames[1:]):
                size = number(caller["sp"]) - number(frame["sp"])
                if frame["symbol"].startswith("read_page"):
                    self.assertEqual(len(frame["words"]) * 8, size, frame["symbol"])
                    seen = max(seen, size)
            self.assertGreater(seen, 512 * 8)

    def test_words_twice_named(self):
        dump = self.many_tasks()[0]
        run = [lab.inquest("-c", line, dump.vmcore).stdout for line in ("bt -FF 1", "bt -F -F 1", "bt -F 1")]
        self.assertEqual(run[0], run[1])
        self.assertNotEqual(run[0], run[2])

    def test_offsets(self):
        dump = self.many_tasks()[0]
        frames = lab.query(dump, "bt 2")["threads"][0]["frames"]
        for words, form in (("-d", "{}"), ("-s -x", "0x{:x}"), ("", "0x{:x}"), ("-l", "0x{:x}")):
            text = lab.inquest("-c", f"bt {words} 2", dump.vmcore).stdout
            for frame in frames:
                self.assertIn(f"{frame['symbol']}+{form.format(frame['offset'])}", text)

    def test_from_a_place(self):
        for dump in self.many_tasks()[:2]:
            with self.subTest(dump=str(dump)):
                frames = lab.query(dump, "bt 1")["threads"][0]["frames"]
                third = frames[3]
                for words in (f"-I {third['pc']} -S {third['sp']}", f"-S {number(third['sp']) - 8:#x}", f"-I {third['pc']}"):
                    ours = lab.query(dump, f"bt {words} 1")["threads"][0]["frames"]
                    self.assertEqual([f["pc"] for f in ours], [f["pc"] for f in frames[3:]], words)
                    self.assertEqual([f["sp"] for f in ours], [f["sp"] for f in frames[3:]], words)
                for words, error in (("-I linux_banner", "no address of code"), ("-S linux_banner", "on no stack"), ("-o", "-t"),
                                     ("-n all", "idle"), ("-S 0x1000 1 2", "one task")):
                    run = lab.inquest("-c", f"bt {words}", dump.vmcore)
                    self.assertEqual(run.returncode, 1, words)
                    self.assertIn(error, run.stdout + run.stderr)


class Whole(OnDumps):
    def text_range(self, dump):
        names = {}
        for line in (dump.oracle / "proc" / "kallsyms").read_text().splitlines():
            address, _, name = line.split()[:3]
            names.setdefault(name, int(address, 16))
        return names["_stext"], names["_etext"]

    def test_text_addresses(self):
        for dump in self.many_tasks()[:3]:
            with self.subTest(dump=str(dump)):
                low, high = self.text_range(dump)
                value = lab.query(dump, "bt -T 1; bt -t 1; bt -r 1; bt 1")["commands"]
                whole, used, raw, frames = (value[i] for i in range(4))
                words = {w["address"]: w["value"] for w in raw["whole_stacks"][0]["words"]}
                self.assertEqual(len(words) * 8, number(raw["whole_stacks"][0]["high"]) - number(raw["whole_stacks"][0]["low"]))
                # What rd reads there is the same.
                start = raw["whole_stacks"][0]["low"]
                lines = lab.query(dump, f"rd {start} {len(words)}")["memory"]
                self.assertEqual([v for line in lines for v in line["values"]], list(words.values()))
                expected = {a for a, v in words.items() if low <= number(v) < high}
                found = {t["address"] for t in whole["whole_stacks"][0]["text"]}
                self.assertLessEqual(expected, found)
                for other in found - expected:  # modules, and .init.text
                    self.assertGreaterEqual(number(words[other]), high)
                sp = number(frames["threads"][0]["frames"][0]["sp"])
                self.assertEqual([t["address"] for t in used["whole_stacks"][0]["text"]],
                                 sorted((a for a in found if number(a) >= sp), key=number))
                levels = {t["level"]: t["value"] for t in used["whole_stacks"][0]["text"] if t["level"] is not None}
                self.assertEqual(levels, {f["level"]: f["pc"] for f in frames["threads"][0]["frames"][1:]})

    def test_start_in_text(self):
        dump = self.many_tasks()[0]
        text = lab.inquest("-c", "bt -t 2", dump.vmcore).stdout
        self.assertRegex(text, r"(?m)^  START: __schedule\+0x[0-9a-f]+ at ffffffff[0-9a-f]{8}$")
        self.assertRegex(text, r"(?m)^  \[ffff[0-9a-f]{12}\] +#1 schedule\+0x")


class OnOopses(OnDumps):
    def console_registers(self, dump):
        """Of the first oops: RSP and the general registers, as the kernel printed them."""
        text = (dump.folder / "console.log").read_text(errors="replace")
        if "FS:" not in text.partition("RIP: 0010:")[2]:  # the crash kernel started before it was printed
            text = lab.inquest("-c", "log", dump.vmcore).stdout
        text = text[text.index("RIP: 0010:"):]
        return {m[1].lower().replace("r0", "r"): int(m[2], 16) for m in REGISTER.finditer(text[:text.index("FS:")])}


class Exceptions(OnOopses):
    def test_the_fault_on_the_task_stack(self):
        for dump in self.dumps(name="null-ioctl", truncate=100):
            with self.subTest(dump=str(dump)):
                printed = self.console_registers(dump)
                frames = lab.query(dump, "bt -e")["whole_stacks"][0]["exception_frames"]
                kernel = [f for f in frames if f["mode"] == "kernel" and f["in_use"]]
                self.assertEqual(len(kernel), 1)
                regs = {name: number(value) for name, value in kernel[0]["regs"].items()}
                self.assertEqual({name: regs[name] for name in printed}, printed)
                self.assertTrue(kernel[0]["place"].startswith("channel_store+0x"))
                self.assertEqual([f["mode"] for f in frames][-1], "user")
                self.assertTrue(frames[-1]["in_use"])
                if dump.meta["capture"] == "kdump":
                    continue  # the stack begins there: the registers are below it
                # whatis calls the word that holds the fault's address by its name.
                place = lab.query(dump, f"whatis {number(kernel[0]['address']) + 16 * 8:#x}")
                self.assertIn("saved rip of frame", str(place))

    def test_every_sleeping_process_came_from_user_mode(self):
        for dump in self.many_tasks()[:2]:
            with self.subTest(dump=str(dump)):
                known = {int(t["pid"]): int(t["flags"], 16) & 0x200000 for t in ps(dump)}
                kernel = {pid for pid, flag in known.items() if flag}
                pids = [t["pid"] for t in lab.query(dump, "ps")["tasks"] if t["state"] in "SDT" and t["pid"] in known]
                value = lab.query(dump, f"bt -e {' '.join(map(str, pids))}")["whole_stacks"]
                for stack in value:
                    users = [f for f in stack["exception_frames"] if f["mode"] == "user" and f["in_use"]]
                    self.assertEqual(len(users), 0 if stack["pid"] in kernel else 1, stack["pid"])

    def test_double_fault_stack(self):
        for dump in self.dumps(name="recursion"):
            with self.subTest(dump=str(dump)):
                printed = self.console_registers(dump)
                stacks = [s for s in lab.query(dump, "bt -E")["cpu_stacks"] if s["stack"] == "double-fault"]
                found = [f for s in stacks for f in s["exception_frames"] if f["in_use"]]
                self.assertTrue(found)
                for frame in found:
                    self.assertEqual(number(frame["regs"]["rsp"]), printed["rsp"])
                self.assertEqual({f["level"] for f in found} - {None} != set(), True)

    def test_nmi_stack_of_the_cpu_that_was_stopped(self):
        # kdump stops other CPUs by NMI: what they ran is saved on their NMI stacks.
        seen = 0
        for dump in lab.dumps(name="many-tasks", capture="kdump", truncate=100):
            if dump.holed:
                continue
            with self.subTest(dump=str(dump)):
                crashed = lab.query(dump, "bt -p")["threads"][0]["cpu"]
                for stack in lab.query(dump, "bt -E")["cpu_stacks"]:
                    if stack["stack"] != "nmi" or stack["cpu"] == crashed:
                        continue
                    seen += 1
                    if lab.query(dump, f"bt -c {stack['cpu']}")["threads"][0]["frames"] == []:
                        continue  # it ran in user mode: entry code goes on to the task's stack
                    self.assertTrue([f for f in stack["exception_frames"] if f["in_use"]], stack)
        if not seen:
            self.skipTest("the lab has no kdump of several CPUs")

    def test_cpus_can_be_chosen(self):
        dump = self.many_tasks()[0]
        self.assertEqual({s["cpu"] for s in lab.query(dump, "bt -E -c 1")["cpu_stacks"]}, {1})
        self.assertEqual(lab.inquest("-c", "bt -E -c 77", dump.vmcore).returncode, 1)


class Overflow(OnOopses):
    def test_overflowed_stack(self):
        for dump in self.dumps(name="recursion"):
            with self.subTest(dump=str(dump)):
                rsp = self.console_registers(dump)["rsp"]
                checks = lab.query(dump, "bt -v")["stack_checks"]
                bad = [c for c in checks if c["overflowed"]]
                self.assertEqual(len(bad), 1)
                # The stack that the fault was on, or its guard page.
                self.assertLess(abs(number(bad[0]["stack"]) - rsp), 4096)
                self.assertEqual(bad[0]["comm"], "guest.sh")

    def test_sound_stacks(self):
        for dump in self.many_tasks()[:3]:
            with self.subTest(dump=str(dump)):
                checks = lab.query(dump, "bt -v")["stack_checks"]
                self.assertGreater(len(checks), 200)
                self.assertEqual({number(c["magic"]) for c in checks}, {MAGIC})
                self.assertFalse([c for c in checks if c["overflowed"]])
                # Who has a CPU may be on that CPU's interrupt stack.
                running = {task["task"] for task in lab.query(dump, "ps")["tasks"] if task["on_cpu"]}
                for check in checks:
                    if check["sp"] and check["task"] not in running:
                        self.assertTrue(0 <= number(check["sp"]) - number(check["stack"]) < check["size"])
                text = lab.inquest("-c", "bt -v", dump.vmcore).stdout
                self.assertIn(f"0 of {len(checks)} stacks have overflowed", text)


class Holes(OnDumps):
    def test_what_is_missing_is_said(self):
        damaged = [d for d in self.dumps(name="many-tasks") if d.meta["truncate"] < 100 or d.holed]
        if not damaged:
            self.skipTest("the lab has no damaged dump")
        for dump in damaged:
            for words in ("-u", "-v", "-t --all", "-e --all", "-E", "-r 1", "--all -R schedule"):
                with self.subTest(dump=str(dump), words=words):
                    run = lab.inquest("--json", "-c", f"bt {words}", dump.vmcore)
                    self.assertIn(run.returncode, (0, 1), run.stderr)
                    if '"remarks"' in run.stdout and ('"missing"' in run.stdout or '"error"' in run.stdout):
                        self.assertEqual(run.returncode, 1)


if __name__ == "__main__":
    unittest.main()
