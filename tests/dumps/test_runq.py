# SPDX-License-Identifier: LGPL-2.1-or-later
"""runq, option by option: the queues that the scenario `workshop` built, ps.tsv's states, the
kernel's own /sys/kernel/debug/sched/debug of a moment before."""

import json
import re
import unittest

import lab
import workshop
from workshop import ask, errors

HOGS = ["hog-fifo-high", "hog-fifo-low", "hog-rr"]


def queues(test, dump, line="runq"):
    return {queue["cpu"]: queue for queue in ask(test, dump, line)["run_queues"]}


class Runq(unittest.TestCase):
    @workshop.each
    def test_each_class_in_its_order(self, shop):
        queue = queues(self, shop)[1]
        names = {kind: [row["comm"] for row in queue["queued"] if row["class"] == kind]
                 for kind in ("deadline", "real-time", "fair")}
        # A deadline runs, until its time is up; newer kernels then and now let fair tasks run, too.
        current = queue["current_comm"]
        deadlines = {"hog-deadline/0", "hog-deadline/1"}
        self.assertLessEqual(set(names["deadline"]) - {None}, deadlines - {current})
        if current in deadlines:
            self.assertEqual(queue["running_deadline"], len(names["deadline"]) + 1)
        # The kernel has real-time threads, too.
        self.assertEqual([name for name in names["real-time"] if name in HOGS], [name for name in HOGS if name != current])
        fair = {name for name in names["fair"] if name.startswith("hog")}
        self.assertEqual(fair, {"hog-plain", "hog-nice", "hog-batch", "hog-idle"} - {current})
        prios = {row["comm"]: row["priority"] for row in queue["queued"]}
        known = {"hog-rr": 89, "hog-fifo-low": 79, "hog-nice": 125, "hog-plain": 120}
        self.assertEqual({name: prios[name] for name in known if name != current}, {name: prio for name, prio in known.items() if name != current})
        classes = [row["class"] for row in queue["queued"]]
        self.assertEqual(classes, sorted(classes, key=["deadline", "real-time", "fair"].index))

    @workshop.each
    def test_all_that_can_run_are_queued(self, shop):
        tasks = ask(self, shop, "ps -I")["tasks"]
        text = lab.inquest("-c", "ps", shop.dump.vmcore).stdout
        # Chosen to be woken, and on no queue yet.
        waking = {int(line.split()[0]) for line in text.splitlines()[1:] if line[0] == " " and line.split()[4] == "WA"}
        for cpu, queue in queues(self, shop).items():
            queued = {row["pid"]: row for row in queue["queued"] if row["pid"]}
            # One whose deadline's time is up can run, but may not: it is on no queue until its next period.
            able = {task["pid"] for task in tasks if not task["comm"].startswith("hog-deadline") and task["state"] == "R" and task["cpu"] == cpu and not task["on_cpu"]}
            self.assertLessEqual({pid for pid, row in queued.items() if not row["delayed"] and row["class"] != "deadline"}, able)
            self.assertEqual(able - set(queued) - waking, set())
            # The kernel counts those that sleep already, too, until they leave the tree.
            counted = [row for row in queue["queued"] if not row["throttled"] and row["pid"]]
            current = 1 if queue["current_pid"] else 0
            self.assertEqual(queue["running"], len(counted) + current)

    @workshop.each
    def test_groups(self, shop):
        plain, tree = queues(self, shop), queues(self, shop, "runq -g")
        for role, path in (("grind-left", "/bench/left"), ("grind-right", "/bench/right"), ("grind-limited", "/limited"),
                           ("hog-plain", "/island"), ("hog-rr", "/island")):
            pid = shop.pid(role)
            self.assertEqual(shop.file(pid, "cgroup").strip().split("::")[1], path)
            # Who runs just then is only in the tree.
            (row,) = [row for queue in plain.values() for row in queue["queued"] if row["pid"] == pid] or \
                [row for queue in tree.values() for row in queue["queued"] if row["pid"] == pid and row["mark"] == "current"]
            self.assertEqual(row["group"], path)
        rows = tree[0]["queued"]
        at = {row["group"]: i for i, row in enumerate(rows) if row["pid"] is None and row["mark"] != "server"}
        self.assertEqual({g: rows[i]["depth"] for g, i in at.items()},
                         {"/bench": 0, "/bench/left": 1, "/bench/right": 1, "/limited": 0})
        for role, group in (("grind-left", "/bench/left"), ("grind-right", "/bench/right"), ("grind-limited", "/limited")):
            below = rows[at[group] + 1]
            self.assertEqual((below["pid"], below["depth"]), (shop.pid(role), rows[at[group]]["depth"] + 1))
        # Its 1 ms of each second is soon gone: it is caught running once in a hundred times.
        limited = rows[at["/limited"]]
        throttled = lab.query(shop.dump, f"struct cfs_rq.throttled {limited['queue'][2:]}")["structs"][0]["members"][0]["value"]
        self.assertEqual(limited["throttled"], throttled not in ("0", 0))
        self.assertEqual(rows[at["/limited"] + 1]["throttled"], limited["throttled"])
        self.assertTrue(any(row["mark"] == "current" and row["comm"] == "guest.sh" for row in rows))
        text = lab.inquest("-c", "runq -g -c 0", shop.dump.vmcore).stdout
        self.assertRegex(text, r"(?m)^fair +ffff[0-9a-f]{12}    /bench/left ")
        self.assertNotIn("CPU 1", text)

    @workshop.each
    def test_what_the_kernel_said_before(self, shop):
        text = (shop.oracle / "sys/kernel/debug/sched/debug").read_text()
        ours = queues(self, shop)
        for cpu, part in enumerate(re.split(r"\ncpu#\d+", text)[1:]):
            theirs = {m[1]: m[2] for m in re.finditer(r"^[ >]R +(\S+) +(\d+) ", part, re.M)}
            queued = {row["comm"]: str(row["pid"]) for row in ours[cpu]["queued"] if row["pid"]}
            queued[ours[cpu]["current_comm"]] = str(ours[cpu]["current_pid"])
            for name in [name for name in theirs if name.startswith(("hog-", "grind-")) and not name.startswith("hog-deadline")]:
                self.assertEqual(queued.get(name), theirs[name])
            clock = float(re.search(r"\.clock +: (\S+)", part)[1]) * 1e6
            self.assertGreaterEqual(ours[cpu]["clock_ns"], clock)
            self.assertLess(ours[cpu]["clock_ns"], clock + 60e9)

    @workshop.each
    def test_clocks(self, shop):
        ours = queues(self, shop)
        clocks = {row["cpu"]: row for row in ask(self, shop, "runq -t")["clocks"]}
        newest = max(queue["clock_ns"] for queue in ours.values())
        last = {row["pid"]: row["last_run_ns"] for row in ask(self, shop, "ps -l")["last_run"]}
        for cpu, row in clocks.items():
            self.assertEqual(row["clock_ns"], ours[cpu]["clock_ns"])
            self.assertEqual(row["pid"], ours[cpu]["current_pid"])
            self.assertEqual(row["last_run_ns"], last[row["pid"]])
            self.assertEqual(row["running_ns"], newest - row["last_run_ns"])
        self.assertEqual({row["cpu"]: row for row in ask(self, shop, "runq -m")["clocks"]}, clocks)
        lags = ask(self, shop, "runq -T")["lags"]
        self.assertEqual([row["lag_ns"] for row in lags], sorted(newest - q["clock_ns"] for q in ours.values()))
        self.assertEqual({row["cpu"]: row["lag_ns"] for row in lags}, {c: newest - q["clock_ns"] for c, q in ours.items()})
        self.assertRegex(lab.inquest("-c", "runq -m", shop.dump.vmcore).stdout, r"\[0 00:00:0\d\.\d{3}\] +\d+  ffff")
        self.assertEqual(len(ask(self, shop, "runq -t -c 1")["clocks"]), 1)
        self.assertIn("no such CPU", errors(lab.query(shop.dump, "runq -c 77"))[0])

    def test_a_throttled_group_made_by_hand(self):
        """In memory that is not needed here: a group on the list of all, whose queue on CPU 0 is throttled."""
        dumps = lab.dumps(name="sysrq", capture="qemu-elf", paging=4) or lab.dumps(name="sysrq")
        workshop.need(self, dumps)
        for dump in dumps:
            with self.subTest(dump=str(dump)):
                def number(expression):
                    return int(lab.inquest("-c", f"p -x (unsigned long)({expression})", dump.vmcore).stdout.split("= ")[1].split()[0], 16)

                def at(member):
                    return lab.query(dump, f"struct -o {member}")["structs"][0]["members"][0]["offset"]

                head = number("&task_groups")
                group, table, queue = (number("&__log_buf") // 64 * 64 + n for n in (0x1000, 0x2000, 0x3000))
                flat = lab.query(dump, "struct -o task_group.cfs_rq")["structs"][0]["members"][0]["type"] == "struct cfs_rq *"
                words = {head: group + at("task_group.list"), group + at("task_group.list"): head, group + at("task_group.css.cgroup"): 0, queue + at("cfs_rq.throttled"): 1, queue + at("cfs_rq.curr"): 0,
                         queue + at("cfs_rq.tasks_timeline"): 0, table: queue,
                         group + at("task_group.cfs_rq"): queue - number("__per_cpu_offset[0]") if flat else table}
                if "structs" in lab.query(dump, "struct -o task_group.autogroup"):  # not with PREEMPT_RT
                    words[group + at("task_group.autogroup")] = 0
                if flat:
                    limbo = queue + at("cfs_rq.throttled_limbo_list")
                    words[limbo] = words[limbo + 8] = limbo
                lines = [f"wr -64 {place:#x} {value % 2**64:#x}" for place, value in words.items()]
                run = lab.inquest("--json", *[word for line in [*lines, "runq -g -c 0"] for word in ("-c", line)], dump.vmcore)
                rows = [row for row in json.loads(run.stdout)["commands"][-1]["run_queues"][0]["queued"] if row["throttled"]]
                self.assertEqual([row["queue"] for row in rows], [f"0x{queue:x}"], run.stdout[-3000:] + run.stderr)

    def test_other_kernels_and_damage(self):
        dumps = lab.dumps(name="sysrq", capture="qemu-elf") + lab.dumps(name="many-tasks", truncate=100)
        workshop.need(self, dumps)
        for dump in dumps:
            with self.subTest(dump=str(dump)):
                holed = dump in workshop.damaged()
                able = {task["pid"] for task in ask(self, dump, "ps -I")["tasks"] if task["state"] == "R" and not task["on_cpu"]}
                ours = queues(self, dump)
                for queue in ours.values():
                    queued = {row["pid"] for row in queue["queued"] if row["pid"]}
                    asleep = {row["pid"] for row in queue["queued"] if row["delayed"]}
                    # That of an idle task is 0; that of a task which is not in the dump may be unknown.
                    running = {task["pid"] for task in lab.query(dump, "ps -A")["tasks"]}
                    self.assertIn(queue["current_pid"] if holed and None in running else queue["current_pid"] or 0, running)
                    if not holed:
                        self.assertLessEqual(queued - asleep, able)
                        self.assertEqual(queue["running"], len(queued) + (1 if queue["current_pid"] else 0))
        for dump in lab.dumps(name="many-tasks", truncate=60):
            run = lab.inquest("-c", "runq", dump.vmcore)
            self.assertEqual(run.returncode, 1)
            self.assertIn("run queue", run.stderr + run.stdout)


if __name__ == "__main__":
    unittest.main()
