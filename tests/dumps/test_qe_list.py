# SPDX-License-Identifier: LGPL-2.1-or-later
"""The commands with which the crash utility's own testers try every kernel (crash-test's kdump/analyse-crash-cmd), typed into one session: on dumps that
are whole each answers, on one with holes each shows what can be had and says what is missing."""

import concurrent.futures
import re
import unittest

import lab

LINES = ["help -v", "help -m", "help -n", "swap", "mod", "mod -S", "runq", "foreach bt", "foreach files", "mount", "vm", "net", "search -u deadbeef",
         "set", "set -p", "set -v", "bt", "bt -t", "bt -r", "bt -T", "bt -l", "bt -a", "bt -f", "bt -e", "bt -E", "bt -F", "bt 0", "ps", "ps -k", "ps -u",
         "ps -s", "dev", "kmem -i", "kmem -s", "task", "p jiffies", "sym jiffies", "rd -d jiffies", "set -c 0",
         "kmem -S -I kmalloc-8,kmalloc-16", "search -k deadbeef", "irq", "irq -b", "irq -u", "set 1", "irq -d", "mount -i", "dev -p",
         "list -s module.version -H modules", "list -o task_struct.tasks -h init_task", "mount -f", "mach -m", "exit"]

# What crash-test takes for a failure, but for names of the kernel's that have such a word in them.
FAULT = re.compile(r"\b(warnings?|cannot|failed|failure|error|invalid|unexpected)\b", re.I)

# What a whole dump must show, as a sample: the answers' details are other tests'.
SHOWN = {
    "swap": "SWAP_INFO_STRUCT", "mod": "virtio_blk", "runq": r"CPU 1 RUNQUEUE", "foreach bt": r'COMMAND: "kthreadd"', "foreach files": "/dev/null",
    "mount": "/proc ", "vm": r"\[stack\]", "net": "127.0.0.1|lo ", "set": "guest.sh", "bt": r"sysrq_handle_crash\+0x", "bt -a": r"CPU: 1",
    "bt -t": r"panic\+0x", "bt -T": r"panic\+0x", "bt -l": r"panic\+0x", "bt -f": r"panic\+0x", "bt -F": r"guest\.sh", "bt -e": "USER-MODE EXCEPTION FRAME",
    "bt -E": "STACK", "bt -r": "0000000057ac6e9d", "bt 0": "swapper/0", "ps": "guest.sh", "ps -k": r"\[kthreadd\]", "ps -u": "guest.sh", "ps -s": "KSTACKP",
    "dev": "memory_fops", "kmem -i": "MemTotal|TOTAL MEM", "kmem -s": "task_struct", "task": "struct task_struct {", "p jiffies": r"jiffies = \d{9}",
    "sym jiffies": r"\([DT]\) jiffies", "rd -d jiffies": r"\d{9}", "kmem -S -I kmalloc-8,kmalloc-16": "allocated", "irq": "timer_interrupt",
    "irq -b": "run_timer_softirq", "irq -d": "asm_exc_page_fault", "irq -u": "timer_interrupt", "set 1": "PID: 1\n", "mount -i": "DIRTY INODE",
    "mount -f": "/proc/sysrq-trigger", "dev -p": "virtio-pci", "list -s module.version -H modules": "version = ",
    "list -o task_struct.tasks -h init_task": "ffff", "mach -m": "[0-9a-f]{16} - [0-9a-f]{16}  E820_TYPE_RAM", "set -p": "PANIC", "set -v": "radix",
}

# What is said where something is not there.
LOST = re.compile(r"not in the dump|excluded|only partly|cannot be read|could not be (read|searched|followed)|breaks off|incomplete|lead to no task")

# With holes: how many lines of text there are at least, or something is said to be missing. Which pages the old makedumpfile takes for free ones is
# luck: of hundreds of tasks and caches some always are, and what is said of them then is here, too.
HOLED = {
    "runq": (8, None), "mod": (2, None), "foreach bt": (3000, r"stacks? could not be followed|\d+ tasks are only partly"),
    "foreach files": (1500, r"dentry, inode or path is not wholly in the dump"),
    "mount": (7, None), "vm": (14, None), "net": (2, None), "search -u deadbeef": (1, None), "bt": (20, None), "bt -t": (15, None), "bt -T": (20, None),
    "bt -f": (40, None), "bt -r": (1000, None), "bt -F": (40, None), "bt -a": (25, None),
    "ps": (300, r"\d+ tasks are only partly in the dump"), "ps -k": (90, r"\d+ tasks are only partly in the dump"),
    "ps -u": (200, r"of \d+ tasks? it is not known whether|parts of \d+ tasks? cannot be read"), "ps -s": (300, r"parts of \d+ tasks? cannot be read"), "dev": (20, None),
    "kmem -i": (10, r"lists of vmalloc areas are incomplete"), "kmem -s": (180, r"names of \d+ caches are not in the dump"), "task": (300, None),
    "p jiffies": (1, None), "kmem -S -I kmalloc-8,kmalloc-16": (20000, None), "irq": (12, None), "irq -b": (11, None), "search -k deadbeef": (1, None),
    "irq -u": (10, None), "irq -d": (257, None), "mount -i": (10, r"inodes: the list breaks off after \d+"), "dev -p": (6, None),
    "list -o task_struct.tasks -h init_task": (50, r"the list breaks off after \d+: [0-9a-f]+ points to [0-9a-f]+: excluded"),
    "mount -f": (100, r"open files: .*not in the dump"),
}


def session(dump, lines):
    """What each line printed, of one run."""
    run = lab.inquest("-c", "; ".join(lines), dump.vmcore)
    parts = re.split(r"(?m)^inquest> (.*)\n", run.stdout)
    return run, dict(zip(parts[1::2], parts[2::2]))


class WholeDumps(unittest.TestCase):
    def setUp(self):
        self.dumps = [d for d in lab.dumps(name="sysrq", truncate=100, paging=4) if d.meta["capture"] in ("kdump", "qemu-elf")]
        if not self.dumps:
            self.skipTest("the lab has no sysrq dump")

    def test_each_answers(self):
        for dump in self.dumps:
            run, answers = session(dump, LINES)
            self.assertEqual(run.returncode, 0, run.stderr[-500:])
            self.assertEqual(list(answers), LINES, dump)
            for line in LINES[:-1]:
                with self.subTest(dump=str(dump), line=line):
                    text = answers[line]
                    self.assertTrue(text.strip(), "it printed nothing")
                    self.assertRegex(text, SHOWN.get(line, "."))
                    self.assertEqual([row for row in text.splitlines() if row.startswith(("missing:", "error:"))], [])
                    # A variable is called "error" (set -v), a member, too (task).
                    self.assertEqual([row for row in text.splitlines() if FAULT.search(row) and not re.match(r"error  | *error = ", row)], [])
            self.assertEqual(run.stderr, "", dump)

    def test_none_is_refused(self):
        for dump in self.dumps:
            commands = lab.query(dump, "; ".join(LINES))["commands"]
            self.assertEqual([c["command"] for c in commands], LINES)
            for entry in commands:
                with self.subTest(dump=str(dump), line=entry["command"]):
                    self.assertEqual([r for r in entry.get("remarks", []) if r["kind"] == "error"], [])


class DumpWithHoles(unittest.TestCase):
    def setUp(self):
        self.dumps = lab.dumps(name="many-tasks", series="6.12", makedumpfile="old", truncate=100)
        if not self.dumps:
            self.skipTest("the lab has no dump with holes")

    def test_one_session_goes_through(self):
        for dump in self.dumps:
            commands = lab.query(dump, "; ".join(LINES))["commands"]
            self.assertEqual([c["command"] for c in commands], LINES)
            for entry in commands:
                with self.subTest(dump=str(dump), line=entry["command"]):
                    for remark in entry.get("remarks", []):
                        self.assertTrue(remark["kind"] != "error" or LOST.search(remark["text"]), remark)

    def test_tasks_in_holes_may_be_of_either_kind(self):
        """None of them is called a kernel thread because its flags and memory were not read."""
        for dump in self.dumps:
            tasks = lab.query(dump, "ps")["tasks"]
            unknown = [task["task"] for task in tasks if task["kernel_thread"] is None]
            told = f"of {len(unknown)} task{'s' if len(unknown) > 1 else ''} it is not known whether they are the kernel's or of a process"
            for line, kind in (("ps -k", True), ("ps -u", False), ("foreach kernel set", True), ("foreach user set", False)):
                value = lab.query(dump, line)
                self.assertEqual(len(value.get("tasks") or value["foreach"]), sum(task["kernel_thread"] is kind for task in tasks), line)
                self.assertIn(told, str(value["remarks"]))
            self.assertIn(told, str(lab.query(dump, "help -t")["remarks"]))
            task = next(task["task"] for task in tasks if task["kernel_thread"] is None and task["vsz_kb"] is None)
            self.assertIn("task_struct is not in the dump", str(lab.query(dump, f"vm {task}")["remarks"]))
            for line in ("search -u deadbeef", "vtop -u 1000", f"vtop -c {task} 1000", f"vm -p {task}", "vmas |> count"):
                text = lab.inquest("-c", f"set {task}", "-c", line, dump.vmcore)
                self.assertEqual(text.returncode, 1, line)
                self.assertRegex(text.stdout + text.stderr, "task_struct is not in the dump", line)
                self.assertNotIn("kernel thread", text.stdout + text.stderr, line)
            rows = lab.query(dump, "tasks |> select kernel, exe, rss")["rows"]
            self.assertEqual(sum(row["kernel"] is None for row in rows), len(unknown))
            self.assertEqual([row for row in rows if row["rss"] is None and row["exe"]], [])

    def test_numbers_that_were_not_read_are_not_0(self):
        for dump in self.dumps:
            others = [task for task in lab.query(dump, "ps")["tasks"] if not task["comm"].startswith("swapper/")]
            for key in ("pid", "tgid"):
                self.assertEqual([task for task in others if task[key] == 0], [], key)
            # The two that the kernel itself made may be among the lost ones.
            first = {task["pid"]: task for task in others if task["pid"] in (1, 2)}
            self.assertLessEqual({task["pid"] for task in others if task["ppid"] == 0}, set(first))
            for task in first.values():
                self.assertTrue(task["ppid"] == 0 or (task["ppid"] is None and task["incomplete"]), task)
            self.assertTrue(all(task["incomplete"] for task in others if None in (task["pid"], task["tgid"], task["ppid"])))

    def test_what_is_asked_of_tasks_that_were_not_read(self):
        for dump in self.dumps:
            # Who stands on a lock's list waits for it, whether its own state was read or not; of nobody else that is known.
            lost = [row for row in lab.query(dump, "blocked")["blocked"] if row["state"] == "?"]
            self.assertTrue(all(row["confirmed"] for row in lost), lost)
            # Who rests on a futex is known to, though `blocked` does not show it.
            known = [row for row in lab.query(dump, "blocked -a")["blocked"] if row["state"] == "?" and (row["kind"] == "futex" or row in lost)]
            others = sum(task["state"] == "?" for task in lab.query(dump, "ps")["tasks"]) - len(known)
            for line in "blocked", "blocked -g", "locks", "deadlock":
                told = re.findall("of ([0-9]+) tasks? it is not known whether they wait", str(lab.query(dump, line).get("remarks")))
                self.assertEqual(told, [str(others)] if others else [], line)
            for line in "ps -y NORMAL", "ps -C 0":
                self.assertRegex(str(lab.query(dump, line)["remarks"]), "of [0-9]+ tasks? the (policy|CPU) is not in the dump", line)

    def test_headings_of_tasks_that_were_not_read(self):
        for dump in self.dumps:
            ps = lab.query(dump, "ps")["tasks"]
            # Of some the pid is known by the kernel's index, of some not: one of each kind that there is.
            for lost in {task["pid"] is None: task for task in ps if task["incomplete"] and task["cpu"] is None and not task["comm"]}.values():
                task, pid = lost["task"], lost["pid"]
                for line in ("sig {}", "task {}", "vm {}", "files {}", "ps -r {}", "ps -p {}", "bt {}"):
                    run = lab.inquest("-c", line.format(task), dump.vmcore)
                    self.assertRegex(run.stdout, rf'PID: {pid or "[?]"} .*CPU: \? +COMMAND: "\?"', line)
                    self.assertNotIn("CPU: -1", run.stdout, line)
                for line, key in (("sig {}", "signal_tasks"), ("files {}", "open_files")):
                    self.assertEqual(lab.query(dump, line.format(task))[key][0]["pid"], pid, line)
                context = lab.query(dump, f"set {task}")["context"]
                self.assertEqual((context["pid"], context["cpu"]), (pid, None))

    def has_all(self, dump, line, shown):
        """Of the few caches whose names are lost there may be none: then those of /proc/slabinfo are all there."""
        if line != "kmem -s":
            return False
        names = {row.split()[6] for row in shown if len(row.split()) > 6}
        return names >= {row.split()[0] for row in (dump.oracle / "proc/slabinfo").read_text().splitlines()[2:]}

    def test_what_can_be_had_and_what_is_missing(self):
        for dump in self.dumps:
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                runs = dict(zip(HOLED, pool.map(lambda line, dump=dump: lab.inquest("-c", line, dump.vmcore), HOLED)))
            for line, (rows, missing) in HOLED.items():
                with self.subTest(dump=str(dump), line=line):
                    # Of a command that can do nothing, as where the task that crashed was lost, the error is all.
                    shown, said = [], [row.replace("inquest:", "error:") for row in runs[line].stderr.splitlines()]
                    for row in runs[line].stdout.splitlines():
                        (said if row.startswith(("missing:", "error:")) else shown).append(row)
                    self.assertTrue(said or len([row for row in shown if not row.startswith("note:")]) >= rows, shown[:5])
                    self.assertTrue(all(LOST.search(row) for row in said if row.startswith("error:")), said)
                    if not self.has_all(dump, line, shown):
                        self.assertRegex("\n".join(said), missing or r"\A")
                    self.assertEqual(runs[line].returncode, 1 if said else 0)
                    if line == "search -k deadbeef":
                        self.assertRegex(runs[line].stdout, r"[1-9]\d* pages \(.*\) could not be searched: excluded from the dump")
