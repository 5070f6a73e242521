# SPDX-License-Identifier: LGPL-2.1-or-later
"""sig, task, foreach and info in the scenario `workshop`, against what /proc/PID/status said there, and what its processes
told of themselves."""

import json
import re
import signal
import subprocess
import unittest

import json_schema
import lab
import workshop
from workshop import errors

STATES = {"R": "RU", "S": "IN", "D": "UN", "T": "ST", "Z": "ZO", "t": "TR", "I": "ID"}
# Who stays in its state until the crash.
STEADY = {"IN", "UN", "ST", "ZO", "TR"}


def status(dump, pid):
    """{"SigBlk": "0000..."} of /proc/PID/status."""
    path = dump.oracle / "tasks" / str(pid) / "status"
    return dict(re.findall(r"^(\w+):\s*(.*)$", path.read_text(), re.M)) if path.exists() else {}


def number(text):
    return int(text, 16)


def query(shop, line):
    return lab.query(shop.dump, line)


def person(shop, role, what):
    """A role's "pid" or "tid"."""
    pid, tid = next((pid, tid) for name, pid, tid, _ in shop.people if name == role)
    return {"pid": pid, "tid": tid}[what]


def facts(shop, role):
    return [told for name, _, _, told in shop.people if name == role]


def ps(shop):
    """The rows of ps, without what ran only to write them."""
    lines = (shop.oracle / "ps.tsv").read_text().splitlines()
    rows = [dict(zip(lines[0].split("\t"), line.split("\t"))) for line in lines[1:]]
    return [row for row in rows if row["collector"] == "0"]


def script(shop):
    return next(int(row["pid"]) for row in ps(shop) if row["comm"] == "guest.sh")


def tasks_of(dump):
    """{tid: fields of status} of all threads that are there at the end, too."""
    alive = {t["pid"] for t in query(dump, "ps")["tasks"]}
    found = {int(p.name): status(dump, p.name) for p in (dump.oracle / "tasks").iterdir()}
    return {pid: fields for pid, fields in found.items() if pid in alive and fields}


class Sig(unittest.TestCase):
    @workshop.each
    def test_sets_are_those_of_proc(self, dump):
        theirs = tasks_of(dump)
        answer = query(dump, f"sig {' '.join(map(str, theirs))}")
        self.assertEqual(errors(answer), [])
        compared = 0
        for ours in answer["signal_tasks"]:
            fields = theirs[ours["pid"]]
            if fields["Name"] in ("guest.sh", "before-crash", "sh", "init"):
                continue  # they went on
            for key, name in (("blocked", "SigBlk"), ("pending", "SigPnd"), ("shared_pending", "ShdPnd"), ("ignored", "SigIgn"),
                              ("caught", "SigCgt")):
                self.assertEqual(number(ours[key] or "0"), number(fields[name]), (ours["pid"], fields["Name"], name))
                compared += 1
            self.assertEqual(ours["nr_threads"], int(fields["Threads"]), ours["pid"])
            waiting = number(fields["SigPnd"]) | number(fields["ShdPnd"])
            self.assertEqual(ours["deliverable"], waiting & ~number(fields["SigBlk"]) != 0)
        self.assertGreater(compared, 400)

    @workshop.each
    def test_handlers_and_flags(self, dump):
        pid = person(dump, "signals", "pid")
        actions = {a["signal"]: a for a in query(dump, f"sig {pid}")["signal_tasks"][0]["actions"]}
        self.assertEqual(len(actions), 64)
        told = [fact for fact in facts(dump, "signals") if "handler" in fact]
        self.assertEqual(len(told), 2)
        for fact in told:
            ours = actions[int(fact["signal"])]
            self.assertEqual(number(ours["handler"]), int(fact["handler"], 16))
            # libc adds SA_RESTORER.
            self.assertEqual(number(ours["flags"]) & ~0x4000000, int(fact["flags"], 16))
        self.assertEqual(number(actions[1]["mask"]), 1 << 14 | 1 << 16)  # SIGTERM, SIGCHLD
        ignored = {int(n) for fact in facts(dump, "signals") if "ignored" in fact for n in fact["ignored"].split(",")}
        self.assertEqual({n for n, a in actions.items() if number(a["handler"]) == 1}, ignored)
        for name, action in ((a["name"], a) for a in actions.values() if a["signal"] < 32):
            self.assertEqual(name, "SIGIO" if action["signal"] == 29 else signal.Signals(action["signal"]).name)

    @workshop.each
    def test_queues(self, dump):
        for words in ("signals", "signals-thread"):
            tid = person(dump, words, "tid")
            task = query(dump, f"sig {tid}")["signal_tasks"][0]
            queue = task["queue" if words == "signals-thread" else "shared_queue"]
            fact = next(f for f in facts(dump, words) if "private" in f or "shared" in f)
            expected = [int(n) for n in fact.get("private", fact.get("shared")).split(",")]
            self.assertEqual([q["signal"] for q in queue], expected)
            values = [int(n) for n in (fact.get("values") or fact.get("value")).split(",")]
            self.assertEqual([number(q["value"]) for q in queue if q["value"]], values)
            for sent in queue:
                self.assertEqual((sent["pid"], sent["uid"]), (int(person(dump, "signals", "pid")), 0))
                self.assertIn(sent["code_name"], ("SI_QUEUE",) if sent["value"] else ("SI_USER", "SI_TKILL"))

    @workshop.each
    def test_group(self, dump):
        main, other = person(dump, "signals", "tid"), person(dump, "signals-thread", "tid")
        for words in (main, other):
            group = query(dump, f"sig -g {words}")["signal_tasks"]
            self.assertEqual([t["pid"] for t in group], [int(main)])
            self.assertEqual([t["pid"] for t in group[0]["threads"]], [int(main), int(other)])
            for thread in group[0]["threads"]:
                self.assertEqual(number(thread["blocked"]), number(status(dump, thread["pid"])["SigBlk"]))

    @workshop.each
    def test_text(self, dump):
        text = lab.inquest("-c", f"sig {person(dump, 'signals', 'pid')}", dump.dump.vmcore).stdout
        self.assertRegex(text, r"(?m)^ +1  SIGHUP +ffff[0-9a-f]{12}  [0-9a-f]{16}  0000000000014000  SA_RESTORER\|SA_RESTART$")
        self.assertRegex(text, r"(?m)^ +13  SIGPIPE .* SIG_IGN ")
        self.assertNotIn("SIGUSR2 ", text)
        self.assertRegex(text, r"value 0x457 \(1111\) \(SI_QUEUE\), siginfo ffff")
        self.assertRegex(text, r"(?m)^ +SIGPENDING: no$")

    @workshop.each
    def test_names_are_those_of_the_system(self, dump):
        ours = {s["signal"]: s["name"] for s in query(dump, "sig -l")["signals"]}
        kill = subprocess.run(["bash", "-c", "kill -l"], capture_output=True, text=True).stdout
        for n, name in re.findall(r"(\d+)\) (SIG\w+)(?=\s)", kill):
            if int(n) < 32:
                self.assertEqual(ours[int(n)], name)
        self.assertEqual((ours[32], ours[36], ours[64], len(ours)), ("SIGRTMIN", "SIGRTMIN+4", "SIGRTMAX", 64))
        value = sum(1 << (int(s) - 1) for s in (signal.SIGTERM, signal.SIGCHLD, signal.SIGKILL))
        self.assertEqual([s["name"] for s in query(dump, f"sig -s {value:x}")["signals"]], ["SIGKILL", "SIGTERM", "SIGCHLD"])
        self.assertEqual(lab.inquest("-c", "sig -s 0", dump.dump.vmcore).stdout, "none\n")


class Task(unittest.TestCase):
    @workshop.each
    def test_members(self, dump):
        pid = person(dump, "as-user", "pid")
        answer = query(dump, f"task -R pid,comm,state,thread.sp,flags {pid}")["task_structs"][0]
        members = {m["path"] if "path" in m else m["name"]: m for s in answer["structs"][:1] for m in s["members"]}
        self.assertEqual(members["pid"]["value"], int(pid))
        self.assertIn("as-user", str(members["comm"]["value"]))
        self.assertEqual(members["__state"]["value"] & 0xff, 1)  # interruptible; TASK_FREEZABLE may be set
        self.assertEqual([s["type"] for s in answer["structs"]], ["struct task_struct", "struct thread_info"])
        self.assertNotEqual(lab.inquest("-c", f"task -R pid,nosuch {pid}", dump.dump.vmcore).returncode, 0)

    @workshop.each
    def test_whole(self, dump):
        pid = person(dump, "as-user", "pid")
        answer = query(dump, f"task {pid}; struct task_struct {self.address(dump, pid)}")["commands"]
        structs = answer[0]["task_structs"][0]["structs"]
        self.assertEqual(structs[0]["members"], answer[1]["structs"][0]["members"])
        # gdb's words for the type: all members of thread_info.
        self.assertEqual({m["path"] if "path" in m else m["name"] for m in structs[1]["members"]} >= {"flags", "cpu"}, True)
        for words, form in (("-x", r"pid = 0x[0-9a-f]+"), ("-d", r"pid = \d+$")):
            text = lab.inquest("-c", f"task {words} -R pid {pid}", dump.dump.vmcore).stdout
            self.assertRegex(text, "(?m)" + form)

    def address(self, dump, pid):
        return query(dump, f"ps {pid}")["tasks"][0]["task"]


class Foreach(unittest.TestCase):
    def pids(self, dump, words):
        return [t["pid"] for t in query(dump, f"foreach {words} set")["foreach"]]

    @workshop.each
    def test_states(self, dump):
        theirs = {int(t["pid"]): STATES[t["state"]] for t in ps(dump) if t["state"] in STATES}
        # Kernel threads may have been woken since, and may wait in another way after that.
        looked = min(float(n) for n in re.findall(r"(?m)^ +\.clock +: (\S+)", (dump.oracle / "sys/kernel/debug/sched/debug").read_text())) * 1e6
        ran = {row["pid"] for row in query(dump, "ps -l")["last_run"] if row["pid"] and (row["last_run_ns"] or 0) > looked}
        woken = {int(t["pid"]) for t in ps(dump) if int(t["flags"], 16) & 0x200000} & (ran | set(self.pids(dump, "RU")))
        for state in STEADY:
            ours = set(self.pids(dump, state))
            expected = {p for p, s in theirs.items() if s == state}
            moved = {p for p, s in theirs.items() if s in ("RU", "ID") or p in (1, script(dump))} | {p for p in ours if p not in theirs} | woken
            self.assertEqual(ours - moved, expected - moved, state)
            self.assertTrue(ours)
        self.assertEqual(sorted(self.pids(dump, "ZO ST")), sorted(self.pids(dump, "ZO") + self.pids(dump, "ST")))
        for state in ("SW", "DE", "PA", "WA", "NE"):
            self.assertEqual(self.pids(dump, f"{state} user"), [])

    @workshop.each
    def test_kinds(self, dump):
        everyone = ps(dump)
        ours = {t["pid"] for t in query(dump, "ps")["tasks"]}
        kernel = {int(t["pid"]) for t in everyone if int(t["flags"], 16) & 0x200000} & ours
        user = {int(t["pid"]) for t in everyone} & ours - kernel
        self.assertLessEqual(kernel, set(self.pids(dump, "kernel")))
        self.assertFalse(user & set(self.pids(dump, "kernel")))
        self.assertLessEqual(user, set(self.pids(dump, "user")))
        self.assertFalse(kernel & set(self.pids(dump, "user")))
        leaders = {int(t["pid"]) for t in everyone if t["pid"] == t["tgid"]} & ours
        self.assertLessEqual(leaders, set(self.pids(dump, "gleader")))
        self.assertFalse({int(person(dump, "signals-thread", "tid"))} & set(self.pids(dump, "gleader")))
        self.assertEqual(len(self.pids(dump, "active")), 2)
        self.assertEqual(set(self.pids(dump, "user gleader IN")),
                         set(self.pids(dump, "user")) & set(self.pids(dump, "gleader")) & set(self.pids(dump, "IN")))

    @workshop.each
    def test_names(self, dump):
        by_name = {}
        for task in ps(dump):
            by_name.setdefault(task["comm"], []).append(int(task["pid"]))
        signals, hogs = by_name["signals"], [p for n, ps in by_name.items() if n.startswith("hog-") for p in ps]
        self.assertEqual(self.pids(dump, "signals"), signals)
        self.assertEqual(self.pids(dump, "hog-*"), hogs)
        self.assertEqual(self.pids(dump, "'^hog-'"), hogs)
        self.assertEqual(self.pids(dump, "'^(hog-fifo-low|signals)$'"), sorted(signals + by_name["hog-fifo-low"]))
        self.assertEqual(self.pids(dump, "signals hog-fifo-low 2"), sorted(signals + by_name["hog-fifo-low"] + [2]))
        task = query(dump, "ps 2")["tasks"][0]["task"]
        self.assertEqual(self.pids(dump, task), [2])
        self.assertEqual(self.pids(dump, task[2:]), [2])
        self.assertEqual(self.pids(dump, "\\\\2"), [])
        self.assertEqual(self.pids(dump, "0"), [0, 0])

    @workshop.each
    def test_commands_are_those_of_the_task(self, dump):
        pids = [int(person(dump, r, "pid")) for r in ("signals", "as-user", "tree")] + [2]
        lines = {"bt -f": "bt -f {}", "vm": "vm {}", "task -R comm": "task -R comm {}", "files": "files {}", "sig": "sig {}",
                 "ps -a": "ps -a {}", "set": "set {}"}
        answer = query(dump, f"foreach {' '.join(map(str, pids))} {' '.join(lines)}")
        self.assertEqual([t["pid"] for t in answer["foreach"]], sorted(pids))
        for task in answer["foreach"]:
            self.assertEqual([c["command"] for c in task["commands"]], list(lines))
            for command in task["commands"]:
                alone = query(dump, lines[command["command"]].format(task["pid"]))
                alone.pop("remarks", None)
                error = command.pop("error", None)
                self.assertEqual({k: v for k, v in command.items() if k != "command"}, alone, (task["pid"], command["command"], error))
        context = query(dump, "set; foreach 2 set; set")["commands"]
        self.assertEqual(context[0]["context"], context[2]["context"])

    @workshop.each
    def test_vtop(self, dump):
        address = facts(dump, "memory")[0]["anonymous"]
        pids = [int(person(dump, r, "pid")) for r in ("memory", "words")]
        answer = query(dump, f"foreach {pids[0]} {pids[1]} vtop -u {address}")
        first, second = ({k: v for k, v in t["commands"][0].items() if k != "command"} for t in answer["foreach"])
        alone = query(dump, f"vtop -u -c {pids[0]} {address}")
        self.assertEqual(first["translations"], alone["translations"])
        self.assertNotEqual(second.get("translations"), alone["translations"])

    @workshop.each
    def test_bt_is_that_of_bt(self, dump):
        all_of = query(dump, "bt --all")["threads"]
        self.assertEqual(query(dump, "foreach bt")["threads"], all_of)
        wanted = set(self.pids(dump, "UN user"))
        self.assertEqual({t["pid"] for t in query(dump, "foreach UN user bt -f")["threads"]}, wanted)
        self.assertEqual({t["pid"] for g in query(dump, "foreach UN user bt -u")["stacks"] for t in g["tasks"]}, wanted)
        self.assertEqual(len(query(dump, "foreach IN bt -v")["stack_checks"]), len(self.pids(dump, "IN")))

    @workshop.each
    def test_one_that_fails_does_not_stop_the_others(self, dump):
        run = lab.inquest("-c", "foreach signals as-user rd -u 1000 set", dump.dump.vmcore)
        self.assertEqual(run.returncode, 1)
        self.assertIn("as-user", run.stdout)
        self.assertEqual(run.stdout.count("FRAME: 0"), 2)
        # Kernel threads have no address space: that is no failure.
        run = lab.inquest("-c", "foreach kernel vm", dump.dump.vmcore)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        # Nor is it one that the stacks of zombies are gone.
        run = lab.inquest("-c", "foreach ZO bt args", dump.dump.vmcore)
        self.assertEqual((run.returncode, run.stdout.count("its stack was freed") > 0), (0, True))
        for line, message in (("foreach 99999 bt", "no task 99999"), ("foreach kernel user bt", "both"), ("foreach init", "which command"),
                              ("foreach '(' bt", "no regular expression"), ("foreach sig -q", "no such option"),
                              ("foreach bt 1", "before the command"), ("foreach task -R nosuch", "no")):
            run = lab.inquest("-c", line, dump.dump.vmcore)
            self.assertEqual(run.returncode, 1, line)
            self.assertIn(message, run.stdout + run.stderr)
            self.assertLess(len((run.stdout + run.stderr).splitlines()), 4, line)


class Info(unittest.TestCase):
    @workshop.each
    def test_threads(self, dump):
        threads = query(dump, "info threads")["info_threads"]
        active = query(dump, "bt -a")["threads"]
        self.assertEqual([t["pid"] for t in threads], [t["pid"] for t in active])
        self.assertEqual([t["pid"] for t in threads if t["current"]], [query(dump, "set")["context"]["pid"]])
        pid = int(person(dump, "signals", "pid"))
        threads = query(dump, f"set {pid}; info threads")["commands"][1]["info_threads"]
        self.assertEqual([t["pid"] for t in threads if t["current"]], [pid])

    @workshop.each
    def test_frame(self, dump):
        frames = query(dump, "bt -V")["threads"][0]["frames"]
        answers = query(dump, "frame 3; info frame; info registers; info registers rip $rsp; info symbol schedule+8; info stack")["commands"]
        frame = answers[1]
        self.assertEqual(frame["level"], 3)
        self.assertEqual(frame["frames"][0]["pc"], frames[3]["pc"])
        self.assertEqual(frame["caller"], frames[4]["pc"])
        # The return address is where it says.
        word = query(dump, f"rd {frame['return_address_at']}")["memory"][0]["values"][0]
        self.assertEqual(word, frame["caller"])
        self.assertEqual(answers[2]["registers"], frames[3]["regs"])
        self.assertEqual(answers[3]["registers"], {k: frames[3]["regs"][k] for k in ("rip", "rsp")})
        self.assertEqual(answers[4]["symbols"][0]["name"], "schedule")
        self.assertEqual([f["pc"] for f in answers[5]["threads"][0]["frames"]], [f["pc"] for f in frames if not f["inlined"]])
        for register, address in frame["saved_at"].items():
            if register in frames[4].get("regs", {}):
                word = query(dump, f"rd {address}")["memory"][0]["values"][0]
                self.assertEqual(word, frames[4]["regs"][register], register)

    @workshop.each
    def test_args_and_errors(self, dump):
        ours = query(dump, "frame 3; info args")["commands"][1]["frames"]
        self.assertEqual(ours, query(dump, "args 3")["frames"])
        for line, message in (("info", "one of"), ("info t", ""), ("info nothing", "one of"), ("info registers xyz", "no register"),
                              ("info symbol", "of what")):
            run = lab.inquest("-c", line, dump.dump.vmcore)
            self.assertEqual(run.returncode, 1 if message else 0, line)
            self.assertIn(message, run.stdout + run.stderr)


class Callers(unittest.TestCase):
    def test_a_caller_that_ends_with_the_call(self):
        """Its return address is in the next function: who called is told as bt tells it."""
        for dump in lab.dumps(name="timer-panic") + lab.dumps(name="stack-smash"):
            with self.subTest(dump=str(dump)):
                rows = re.findall(r"^ ?#\d+ \[\w+\] (.*)$", lab.inquest("-c", "bt", dump.vmcore).stdout, re.M)
                lines = [f"frame {level}; info frame" for level in range(len(rows) - 1)]
                called = re.findall("called by (.*), frame at", lab.inquest("-c", "; ".join(lines), dump.vmcore).stdout)
                self.assertEqual(called, rows[1:])


class Damage(unittest.TestCase):
    LINES = ("foreach bt", "foreach bt -u", "foreach sig", "foreach task -R comm,signal", "foreach user vm files set", "foreach UN bt -t",
             "sig -g 1", "task 1", "info threads", "info frame")

    def test_what_is_there_is_shown(self):
        dumps = workshop.damaged()
        workshop.need(self, dumps)
        for dump in dumps:
            tasks = [t for t in lab.query(dump, "ps")["tasks"] if not t["incomplete"]]
            for line in self.LINES:
                with self.subTest(dump=str(dump), line=line):
                    run = lab.inquest("--json", "-c", line, dump.vmcore)
                    self.assertIn(run.returncode, (0, 1), run.stderr)
                    answer = json.loads(run.stdout)
                    self.assertEqual(json_schema.faults(line.split()[0], answer)[:5], [])
                    remarks = [r for r in answer.get("remarks", []) if r["kind"] != "note"]
                    self.assertEqual(run.returncode, 1 if remarks else 0)
                    if line == "foreach sig" and not tasks:
                        self.assertIn("foreach: no tasks were found in the dump", errors(answer))
                    elif line == "foreach sig":
                        # All of the tasks are there; what of one is not in the dump is null and no made-up zero.
                        self.assertGreaterEqual(len(answer["foreach"]), len(tasks))
                        sets = [t for e in answer["foreach"] for c in e["commands"] for t in c.get("signal_tasks", [])]
                        self.assertTrue([t for t in sets if t["blocked"]])
                        if [t for t in sets if t["blocked"] is None]:
                            self.assertTrue(remarks)

    def test_newest_kernel_and_without_btf(self):
        dumps = [(d, ()) for d in lab.dumps(name="sysrq", series="newest", capture="qemu-elf")]
        # Without the types that the dump carries, and without a debug file: nothing can be known, and that is said.
        for dump in lab.dumps(name="sysrq", series="6.12", capture="qemu-all")[:1]:
            run = lab.inquest("--no-btf", "--no-debuginfo", "-c", "sig; task; foreach bt; info threads", dump.vmcore)
            self.assertEqual(run.returncode, 1, run.stderr)
            self.assertRegex(run.stdout + run.stderr, "types")
        for dump, words in dumps:
            with self.subTest(dump=str(dump)):
                for line in ("sig 1", "task -R comm,state 1", "foreach user bt", "info threads", "bt -v", "bt -e 1"):
                    answer = lab.query(dump, line, *words)
                    self.assertEqual(errors(answer), [], line)
                blocked = lab.query(dump, "sig 1")["signal_tasks"][0]["blocked"]
                self.assertEqual(number(blocked), number(status(dump, 1)["SigBlk"]))


if __name__ == "__main__":
    unittest.main()
