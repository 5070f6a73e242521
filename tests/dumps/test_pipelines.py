# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pipelines of objects: the one-liners of docs/pipelines.md on both kernels, their results against
what the guest's own /proc said before the crash, and what is said when something is wrong."""

import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import json_schema
import lab
import test_shell
import workshop

sys.path.insert(0, str(lab.ROOT / "tests" / "tools"))
import damage  # noqa: E402

PAGE = lab.ROOT / "docs" / "pipelines.md"
PF_KTHREAD = 0x200000


def answer_of(dump, line):
    value = lab.query(dump, line)
    faults = json_schema.faults("pipeline", value)
    if faults:
        raise AssertionError(f"{line}: {faults[:5]}")
    return value


def rows(dump, line):
    """The rows that a pipeline gives, as JSON has them; nothing may be missing."""
    answer = answer_of(dump, line)
    bad = [r for r in answer.get("remarks", []) if r["kind"] != "note"]
    if bad:
        raise AssertionError(f"{line}: {bad}")
    return answer["rows"]


def one_liners():
    """The twenty of the page."""
    part = PAGE.read_text().split("## Twenty of them")[1]
    return re.findall(r"^    (\S.*)$", part, re.M)


def ps(dump):
    """The threads of ps.tsv but for the reader itself, which is gone in the dump."""
    names = "pid tgid ppid state comm cpu flags collector".split()
    found = {}
    for line in (dump.oracle / "ps.tsv").read_text().splitlines():
        values = dict(zip(names, line.split("\t")))
        if values["pid"].isdigit() and values["collector"] == "0":
            found[int(values["pid"])] = values
    return found


def those_who_stay(dump):
    """The threads that the scenario put where they are, for good: its people and its module's."""
    shop = workshop.Workshop(dump)
    return {tid for *_, tid, _ in shop.people} | {int(row[2]) for row in shop.rows("waiter")}


def of_task(dump, pid, name):
    path = dump.oracle / "tasks" / str(pid) / name
    return path.read_text(errors="surrogateescape") if path.exists() else None


class OnDumps(unittest.TestCase):
    scenario = ""
    dump = None

    def each(self):
        dumps = lab.dumps(name=self.scenario)
        self.assertEqual({d.meta["series"] for d in dumps}, {"6.1", "6.12"},
                         f"the lab has no dumps of {self.scenario} on both kernels")
        for self.dump in dumps:
            yield self.dump

    def _formatMessage(self, msg, standardMsg):
        return f"{self.dump}: {super()._formatMessage(msg, standardMsg)}"


class Page(OnDumps):
    scenario = "subsystems"

    def test_there_are_twenty(self):
        self.assertEqual(len(one_liners()), 20)

    def test_each_one_liner_works(self):
        for scenario in "subsystems", "workshop":
            self.scenario = scenario
            for dump in self.each():
                # One run for all: opening a dump costs more than a pipeline.
                value = lab.query(dump, "; ".join(one_liners()))
                for line, answer in zip(one_liners(), value["commands"], strict=True):
                    with self.subTest(line=line):
                        self.assertEqual(answer["command"], line)
                        self.assertFalse([r for r in answer.get("remarks", [])
                                          if r["kind"] == "error"])
                        self.assertEqual(json_schema.faults("pipeline", answer)[:5], [])
                        if "each" not in line:
                            self.assertIn("rows", answer)

    def test_help_tells_every_stage_and_walker(self):
        dump = next(self.each())
        stages = set(re.findall(r"^\| `(\w+)", PAGE.read_text(), re.M))
        self.assertGreater(len(stages), 10)
        text = "\n".join(lab.query(dump, "help pipelines")["command_help"]["help"])
        for stage in stages:
            self.assertRegex(text, rf"\b{stage}\b")
            self.assertIn(f"inquest: stage 1 ({stage})" if stage not in ("first", "last", "count",
                                                                       "stacks") else "",
                          lab.inquest("-c", f"ps |> {stage}", dump.vmcore).stderr)

    def test_every_walker_runs_its_example(self):
        for dump in self.each():
            walkers = lab.query(dump, "pipelines")["walkers"]
            self.assertGreater(len(walkers), 20)
            # Structures that only one of the kernels has.
            only = {"maple": "6.12", "tree": "6.1"}
            lines = [example for w in walkers for example in w["example"].split(" | ")
                     if only.get(w["name"], dump.meta["series"]) == dump.meta["series"]]
            for line, answer in zip(lines, lab.query(dump, "; ".join(lines))["commands"]):
                with self.subTest(line=line):
                    self.assertFalse([r for r in answer.get("remarks", []) if r["kind"] == "error"])
                    self.assertIn("rows", answer)
            for walker in walkers:
                told = lab.query(dump, f"pipelines {walker['name']}")
                self.assertEqual(told["walker"]["summary"], walker["summary"])


class Tasks(OnDumps):
    scenario = "workshop"

    def test_tasks(self):
        for dump in self.each():
            there = {row["pid"]: row for row in rows(
                dump, "tasks |> where pid > 0 |> select pid, tgid, ppid, state, comm, kernel")}
            for pid, task in ps(dump).items():
                row = there[pid]
                self.assertEqual((row["tgid"], row["ppid"]), (int(task["tgid"]), int(task["ppid"])))
                self.assertTrue(task["comm"].startswith(row["comm"]), task)
                self.assertEqual(row["kernel"], bool(int(task["flags"], 16) & PF_KTHREAD))

    def test_states(self):
        # Those that were made to stay where they are; others run and sleep as they like.
        for dump in self.each():
            stay = those_who_stay(dump)
            for state in "DTZt":
                expected = {pid for pid, task in ps(dump).items()
                            if task["state"] == state and pid in stay}
                found = {row["pid"] for row in rows(dump, f'tasks |> where state == "{state}"')}
                self.assertTrue(expected, state)
                self.assertLessEqual(expected, found)
                self.assertEqual(len(found),
                                 rows(dump, f'tasks |> where state == "{state}" |> count')[0]["count"])

    def test_wait_channels(self):
        for dump in self.each():
            found = {row["pid"]: row for row in rows(
                dump, "tasks |> where pid > 0 |> select pid, state, wchan, waited, kernel")}
            compared, stay = 0, those_who_stay(dump)
            for pid, task in ps(dump).items():
                # Others may have gone on since.
                if pid not in stay or task["state"] not in "DS":
                    continue
                wchan, row = of_task(dump, pid, "wchan"), found[pid]
                self.assertEqual(row["state"], task["state"], task)
                if not wchan:
                    continue
                if wchan != "0":
                    self.assertEqual(row["wchan"], wchan, task)
                    compared += 1
                self.assertGreater(row["waited"], 0)
            self.assertGreater(compared, 10)

    def test_waits_where_the_kernel_counts_interrupts(self):
        """A CPU's clock for tasks leaves out interrupts and stolen time: here half a second of them."""
        for dump in self.each():
            with self.subTest(dump=str(dump)):
                offsets = {name: lab.query(dump, f"struct -o {name}")["structs"][0]["members"][0]["offset"] for name in ("rq.clock_task", "rq.clock", "task_struct.se.exec_start")}
                queues = {queue["cpu"]: int(queue["runqueue"], 16) for queue in lab.query(dump, "runq")["run_queues"]}
                line = "tasks |> where waited > 1000000000 |> select pid, cpu, waited"
                before = rows(dump, line)
                task = next(row for row in before if row["pid"])
                address = next(row["task"] for row in lab.query(dump, f"ps {task['pid']}")["tasks"])
                places = [queues[task["cpu"]] + offsets["rq.clock_task"], int(address, 16) + offsets["task_struct.se.exec_start"]]
                words = [lab.query(dump, f"rd -64 {place:x}")["memory"][0]["values"][0] for place in places]
                lines = [f"wr -64 {place:#x} {int(word, 16) - 500_000_000:#x}" for place, word in zip(places, words)]
                run = lab.inquest("--json", *[word for one in [*lines, line] for word in ("-c", one)], dump.vmcore)
                after = json.loads(run.stdout)["commands"][-1]["rows"]
                self.assertEqual([row["waited"] for row in after if row["pid"] == task["pid"]], [task["waited"]])

    def test_longest_waits(self):
        for dump in self.each():
            top = rows(dump, 'tasks |> where state == "D" |> top 3 waited')
            all_of_them = rows(dump, 'tasks |> where state == "D" |> sort -waited')
            waits = {r["pid"]: r["waited"] for r in rows(
                dump, 'tasks |> where state == "D" |> select pid, waited')}
            expected = sorted(waits, key=lambda pid: -waits[pid])
            self.assertEqual([r["pid"] for r in all_of_them], expected)
            self.assertEqual([r["pid"] for r in top], expected[:3])
            self.assertEqual([r["waited"] for r in top], [waits[pid] for pid in expected[:3]])

    def test_stacks(self):
        for dump in self.each():
            folds = rows(dump, "tasks |> stacks")
            # Nothing is left of the stacks of those that have exited.
            everyone = rows(dump, 'tasks |> where state != "Z" |> count')[0]["count"]
            self.assertEqual(sum(fold["count"] for fold in folds), everyone)
            self.assertEqual(folds, sorted(folds, key=lambda f: (-f["count"], f["stack"])))
            # Threads that sleep for good: one fold, one stack in /proc; no others have it.
            before = collections.defaultdict(set)
            for pid, task in ps(dump).items():
                path = dump.oracle / "stacks" / str(pid)
                if task["state"] in "SDT" and task["comm"].startswith(("bench", "simple", "as-")):
                    before[tuple(re.findall(r"\] (\S+?)\+", path.read_text()))].add(pid)
            for functions, pids in before.items():
                holding = [f for f in folds if pids & set(map(int, f["pids"].split(" ...")[0].split()))]
                for fold in holding:
                    names = [re.sub(r" \[\w+\]", "", n) for n in fold["stack"].split(" <- ")]
                    self.assertEqual(tuple(names[-len(functions):]), functions)
            self.assertTrue(before)

    def test_stacks_are_filtered(self):
        for dump in self.each():
            folds = rows(dump, "tasks |> stacks")
            of_module = rows(dump, "tasks |> stacks module workshop_kernel")
            self.assertTrue(of_module)
            self.assertEqual(of_module, [f for f in folds if "[workshop_kernel]" in f["stack"]])
            sleepers = rows(dump, "tasks |> stacks wait_b*")
            self.assertEqual(sleepers, [f for f in folds
                                        if re.search(r"(^|<- )wait_b", f["stack"])])
            self.assertTrue(sleepers)
            both = rows(dump, "tasks |> stacks kthread module workshop_kernel")
            self.assertEqual(both, [])
            text = lab.inquest("-c", "tasks |> stacks wait_bench", dump.vmcore).stdout
            self.assertRegex(text, r"(?m)^    wait_bench \[workshop_kernel\]$")

    def test_real_time_tasks(self):
        for dump in self.each():
            found = {row["pid"]: row["rt_priority"] for row in rows(
                dump, "tasks |> where policy == 1 || policy == 2 |> select pid, comm, rt_priority")
                # They change their policy after ps was taken.
                if not row["comm"].startswith("hog-")}
            expected = {}
            for pid in ps(dump):
                stat = of_task(dump, pid, "stat")
                if stat:
                    fields = stat.rsplit(")", 1)[1].split()
                    # proc(5): policy is the 41st, rt_priority the 40th; ")" ends the second.
                    if fields[38] in ("1", "2") and not stat.split("(")[1].startswith("hog-"):
                        expected[pid] = int(fields[37])
            self.assertEqual(found, expected)
            self.assertGreater(len(expected), 3)

    def test_children(self):
        for dump in self.each():
            found = {row["pid"] for row in rows(dump, "tasks |> where pid == 2 |> walk list "
                                                "&children task_struct.sibling |> select pid, comm")}
            self.assertEqual(found, {t["pid"] for t in lab.query(dump, "ps")["tasks"]
                                     if t["ppid"] == 2})
            # Workers may have come since.
            self.assertLessEqual({pid for pid, t in ps(dump).items() if t["ppid"] == "2"}, found)
            chain = rows(dump, f"tasks |> where pid == {max(found)} |> walk chain $ "
                               "task_struct.real_parent")
            self.assertEqual([row["pid"] for row in chain], [max(found), 2, 0])

    def test_workers_by_cpu(self):
        for dump in self.each():
            found = {row["cpu"]: row["count"] for row in rows(
                dump, 'tasks |> where comm =~ "^kworker/[0-9]+:" |> count by cpu')}
            there = [t for t in lab.query(dump, "ps -k")["tasks"]
                     if re.match(r"kworker/\d+:", t["comm"])]
            self.assertEqual(found, collections.Counter(t["cpu"] for t in there))
            # Some may have come since.
            bound = {pid for pid, t in ps(dump).items() if re.match(r"kworker/\d+:", t["comm"])}
            self.assertLessEqual(bound, {t["pid"] for t in there})
            self.assertTrue(bound)

    def test_threads(self):
        for dump in self.each():
            groups = collections.Counter(task["tgid"] for task in ps(dump).values())
            tgid, count = groups.most_common(1)[0]
            self.assertEqual(rows(dump, f"threads {tgid} |> count"), [{"count": count}])
            self.assertEqual(rows(dump, f"tasks |> where tgid == {tgid} |> count"),
                             [{"count": count}])

    def test_cpus(self):
        for dump in self.each():
            found = rows(dump, "cpus |> select cpu, nr_running, curr->pid as pid")
            for row, cpu in zip(found, lab.query(dump, "bt -a")["threads"]):
                del cpu
                self.assertEqual(row["pid"], rows(
                    dump, f"tasks |> where on_cpu && cpu == {row['cpu']} |> select pid")[0]["pid"])
            total = rows(dump, "percpu runqueues |> sum nr_running")[0]["sum"]
            self.assertEqual(total, sum(row["nr_running"] for row in found))


class Files(OnDumps):
    scenario = "subsystems"

    def holders(self, dump):
        for folder in sorted((dump.oracle / "holders").iterdir()):
            if (folder / "pid").exists():
                yield int((folder / "pid").read_text()), folder

    def test_open_files(self):
        for dump in self.each():
            counted = {row["pid"]: row["count"] for row in rows(
                dump, "processes |> where !kernel |> select pid, comm |> walk files $ "
                      "|> count by pid, comm")}
            checked = 0
            for pid, folder in self.holders(dump):
                lines = (folder / "fds").read_text().splitlines()
                expected = {int(line.split(" ", 1)[0]): line.split(" ", 1)[1] for line in lines}
                self.assertEqual(counted[pid], len(expected))
                found = {row["fd"]: row["path"] for row in rows(dump, f"files {pid} |> select fd, path")}
                self.assertEqual(found.keys(), expected.keys())
                plain = {fd: path for fd, path in expected.items() if path.startswith(("/dev", "pipe"))}
                self.assertEqual({fd: found[fd] for fd in plain}, plain)
                checked += len(plain)
            self.assertGreater(checked, 10)

    def test_mappings(self):
        for dump in self.each():
            for pid, _ in self.holders(dump):
                expected = []
                for line in of_task(dump, pid, "maps").splitlines():
                    span, perms, *_ = line.split()
                    start, end = (int(word, 16) for word in span.split("-"))
                    expected.append((start, end, perms))
                # The vsyscall page is nobody's mapping.
                expected = [e for e in expected if e[0] < 1 << 63]
                found = [(int(r["start"], 16), int(r["end"], 16), r["perms"])
                         for r in rows(dump, f"vmas {pid}")]
                self.assertEqual(found, expected)
                writable = sum(e[1] - e[0] for e in expected if e[2][1] == "w")
                self.assertEqual(rows(dump, f'vmas {pid} |> where perms ~ "?w*" |> sum size'),
                                 [{"sum": writable}])

    def test_address_spaces(self):
        for dump in self.each():
            found = {row["pid"]: row for row in rows(
                dump, "tasks |> follow mm |> unique $ |> select owner->pid as pid, mm_users, map_count")}
            for pid, _ in self.holders(dump):
                threads = sum(t["tgid"] == str(pid) for t in ps(dump).values())
                maps = [line for line in of_task(dump, pid, "maps").splitlines()
                        if "[vsyscall]" not in line]
                self.assertEqual(found[pid]["mm_users"], threads)
                self.assertEqual(found[pid]["map_count"], len(maps))

    def test_memory_of_processes(self):
        for dump in self.each():
            top = rows(dump, "processes |> where !kernel |> top 5 rss |> select pid, comm, rss, exe")
            self.assertEqual(len(top), 5)
            self.assertEqual([r["rss"] for r in top], sorted((r["rss"] for r in top), reverse=True))
            everyone = {r["pid"]: r for r in rows(dump, "processes |> select pid, rss, exe, vsz")}
            for pid, _ in self.holders(dump):
                status = of_task(dump, pid, "status")
                kib = int(re.search(r"VmSize:\s+(\d+)", status)[1])
                self.assertEqual(everyone[pid]["vsz"], kib * 1024)
                self.assertEqual(everyone[pid]["exe"], "/scenario/holder")

    def test_modules(self):
        for dump in self.each():
            lines = (dump.oracle / "proc" / "modules").read_text().splitlines()
            known = {line.split()[0]: (int(line.split()[1]), int(line.split()[2]))
                     for line in lines}
            found = {row["name"]: (row["size"], row["used"]) for row in rows(dump, "modules")}
            self.assertEqual(found, known)
            first = rows(dump, "modules |> sort -size |> first 5")
            self.assertEqual([r["size"] for r in first],
                             sorted((size for size, _ in known.values()), reverse=True)[:5])

    def test_mounts(self):
        for dump in self.each():
            expected = set()
            for line in (dump.oracle / "mountinfo").read_text().splitlines():
                words = line.split()
                dash = words.index("-")
                expected.add((words[dash + 1], words[dash + 2], words[4]))
            found = {(r["type"], r["device"], r["path"]) for r in rows(
                dump, "mounts |> where visible |> select mnt.mnt_sb->s_type->name as type, "
                      "mnt_devname as device, path")}
            self.assertGreater(len(expected), 4)
            self.assertEqual(expected - found, set())
            types = {r["name"] for r in rows(dump, "super_blocks |> select s_type->name as name")}
            self.assertLessEqual({kind for kind, _, _ in expected}, types)

    def test_slab_caches(self):
        for dump in self.each():
            known = {}
            for line in (dump.oracle / "proc" / "slabinfo").read_text().splitlines()[2:]:
                words = line.split()
                known[words[0]] = (int(words[2]), int(words[3]))
            found = {row["name"]: row for row in rows(
                dump, "caches |> select name, size, objects, allocated, bytes")}
            # What nobody allocates from while the oracles are taken.
            for name in "ext4_inode_cache", "kmem_cache_node", "mnt_cache", "pool_workqueue":
                if name in known:
                    self.assertEqual((found[name]["objects"], found[name]["size"]), known[name], name)
            self.assertIn("kmem_cache_node", known)
            for name in "task_struct", "filp", "mnt_cache":
                count = rows(dump, f"slab {name} |> count")[0]["count"]
                self.assertEqual(count, found[name]["allocated"])
                both = rows(dump, f"slab {name} all |> count by allocated")
                self.assertEqual(sum(r["count"] for r in both), found[name]["objects"])
            top = rows(dump, "caches |> top 10 bytes |> select name, bytes")
            self.assertEqual([r["bytes"] for r in top],
                             sorted((r["bytes"] for r in found.values()), reverse=True)[:10])

    def test_objects_of_no_type(self):
        for dump in self.each():
            found = rows(dump, "slab kmalloc-64 |> first 2")
            self.assertEqual([r["address"] for r in found],
                             [r["where"] for r in rows(dump, "slab kmalloc-64 |> first 2 |> select $ as where")])
            given = answer_of(dump, "slab kmalloc-64 |> first 1 |> each rd $ 1")["each"][0]
            self.assertEqual(given["command"], f"rd {found[0]['address']} 1")
            typed = rows(dump, "slab kmalloc-64 list_head |> first 1")
            self.assertEqual(set(typed[0]), {"address", "allocated"})

    def test_tasks_by_two_roads(self):
        for dump in self.each():
            by_slab = {r["address"] for r in rows(dump, "slab task_struct |> where pid != 0")}
            by_list = {r["address"] for r in rows(dump, "list &init_task.tasks task_struct.tasks "
                                                     "|> where 1")}
            leaders = {r["address"] for r in rows(dump, "processes")}
            self.assertEqual(by_list, leaders)
            self.assertLessEqual(leaders, by_slab)
            # Whatever way an object came, what is told of it is the same.
            what = "select $ as a, pid, state, cpu, ppid, wchan, backtrace, kernel |> sort a"
            for one, other in ((f"slab task_struct |> where tgid == 1 |> {what}",
                                f"tasks |> where tgid == 1 |> {what}"),
                               (f"list &init_task.tasks task_struct.tasks |> {what}",
                                f"processes |> {what}"),
                               ("vmas 1 |> select $ as a, size, perms, name",
                                "tasks |> where pid == 1 |> walk maple {&mm->mm_mt} vm_area_struct "
                                "|> select $ as a, size, perms, name"),
                               ("pages 4096 3 |> select $ as a, pfn, kind, refs",
                                "pages 4096 |> walk array {*$} 3 |> select $ as a, pfn, kind, refs")):
                found = rows(dump, one)
                self.assertTrue(found)
                self.assertEqual(found, rows(dump, other), other)

    def test_dentries(self):
        for dump in self.each():
            one = "dentries |> where d_lockref.count == 0 |> count by d_sb->s_id"
            other = "slab dentry |> where !$->d_lockref.count |> select d_sb->s_id as id |> count by id"
            self.assertEqual([list(r.values()) for r in rows(dump, one)],
                             [list(r.values()) for r in rows(dump, other)])
            found = collections.Counter()
            for row in rows(dump, "dentries |> select d_lockref.count as n, d_sb->s_id as id"):
                found[row["id"]] += row["n"] == 0
            self.assertEqual({k: v for k, v in found.items() if v},
                             {r["d_sb->s_id"]: r["count"] for r in rows(dump, one)})

    def test_inodes(self):
        for dump in self.each():
            by_type = rows(dump, "inodes |> count by i_sb->s_type->name")
            self.assertEqual(sum(r["count"] for r in by_type), rows(dump, "inodes |> count")[0]["count"])
            found = {(r["path"], r["ino"]) for r in rows(
                dump, 'inodes |> where i_sb->s_type->name == "ext4" |> select i_ino as ino, path')}
            for line in (dump.oracle / "inodes").read_text().splitlines():
                path, device, number = line.split()
                if path.startswith("/tmp/disk/"):
                    self.assertIn((path, int(number)), found)

    def test_pages(self):
        for dump in self.each():
            kinds = rows(dump, "pages |> count by kind")
            self.assertEqual(sum(r["count"] for r in kinds), rows(dump, "pages |> count")[0]["count"])
            slab = [r["count"] for r in kinds if r["kind"] == "slab"][0]
            total = rows(dump, "caches |> sum bytes")[0]["sum"]
            # Slabs that wait for a grace period to be freed are no cache's any more.
            self.assertIn(slab - total // 4096, range(64))

    def test_arrays(self):
        for dump in self.each():
            found = rows(dump, "array '(struct softirq_action *)&softirq_vec' 10 |> select i, action")
            self.assertEqual([r["i"] for r in found], list(range(10)))
            # include/linux/interrupt.h: NET_RX_SOFTIRQ is 3
            name = lab.query(dump, f"sym {found[3]['action']}")["symbols"][0]["name"]
            self.assertEqual(name, "net_rx_action")


class Stages(OnDumps):
    """The stages, recomputed here from the rows of a command."""
    scenario = "workshop"

    def test_groups(self):
        for dump in self.each():
            tasks = lab.query(dump, "ps")["tasks"]
            values = collections.defaultdict(list)
            for task in tasks:
                values[task["state"]].append(task["pid"])
            for stage, function in (("sum", sum), ("min", min), ("max", max)):
                found = {r["state"]: r[stage] for r in rows(dump, f"ps |> {stage} pid by state")}
                self.assertEqual(found, {state: function(v) for state, v in values.items()})
            found = {r["state"]: r["avg"] for r in rows(dump, "ps |> avg pid by state")}
            for state, pids in values.items():
                self.assertAlmostEqual(found[state], sum(pids) / len(pids), 2)
            self.assertEqual(rows(dump, "ps |> count by state"),
                             [{"count": len(v), "state": k} for k, v in
                              sorted(values.items(), key=lambda kv: (-len(kv[1]), kv[0]))])
            self.assertEqual(rows(dump, "ps |> max pid, comm as last"),
                             [{"max1": max(t["pid"] for t in tasks),
                               "last": max(t["comm"] for t in tasks)}])
            self.assertEqual(rows(dump, 'ps |> where pid < 0 |> count'), [{"count": 0}])

    def test_sums_that_are_none(self):
        for dump in self.each():
            addresses = [int(r["address"], 16) for r in rows(dump, "tasks |> select $ as address")]
            self.assertAlmostEqual(rows(dump, "tasks |> avg (unsigned long)$")[0]["avg"] /
                                   (sum(addresses) / len(addresses)), 1, 9)
            beyond = answer_of(dump, "tasks |> sum (unsigned long)$")
            self.assertEqual(beyond["rows"], [{"sum": None}])
            self.assertIn("64 bits", beyond["remarks"][0]["text"])
            # Of rows without any value there is no sum; of no rows it is 0.
            self.assertEqual(rows(dump, "tasks |> where kernel |> sum mm->map_count"), [{"sum": None}])
            self.assertEqual(rows(dump, "tasks |> where pid < 0 |> sum pid"), [{"sum": 0}])
            by = answer_of(dump, "tasks |> sum (unsigned long)$ by pid / 1000, state")
            self.assertEqual(len(by["remarks"]), 1)
            # Of truths: how many are true.
            self.assertEqual(rows(dump, "tasks |> sum kernel")[0]["sum"],
                             rows(dump, "tasks |> where kernel |> count")[0]["count"])

    def test_fractions(self):
        for dump in self.each():
            values = [r["bogomips"] for r in rows(dump, "mach -c |> select bogomips")]
            self.assertAlmostEqual(rows(dump, "mach -c |> sum bogomips")[0]["sum"], sum(values), 2)
            self.assertAlmostEqual(rows(dump, "mach -c |> avg bogomips")[0]["avg"],
                                   sum(values) / len(values), 2)
            # Compared as they are, not by their integer parts.
            for threshold in (0, 1, 30, 36, 37, 48, 50, 100):
                means = rows(dump, "ps |> avg pid by state")
                for line, kept in ((f"avg > {threshold}", [r for r in means if r["avg"] > threshold]),
                                   (f"{threshold} >= avg", [r for r in means if threshold >= r["avg"]]),
                                   ("avg == " + str(threshold), [r for r in means if r["avg"] == threshold])):
                    self.assertEqual(rows(dump, f"ps |> avg pid by state |> where {line}"), kept, line)
            self.assertEqual(rows(dump, "tasks |> where pid < 3 |> avg pid == 1 as a |> where a |> count"), [{"count": 1}])
            self.assertEqual(rows(dump, "tasks |> where pid < 3 |> avg pid == 1 as a |> where a == 0 || !a |> count"),
                             [{"count": 0}])
            self.assertEqual(len(rows(dump, "ps |> avg pid by pid |> unique avg / 1000000, avg")),
                             len(rows(dump, "ps |> unique pid")))
            means = rows(dump, "ps |> avg pid by state, ppid")
            self.assertEqual(len(rows(dump, "ps |> avg pid by state, ppid |> count by avg")),
                             len({r["avg"] for r in means}))

    def test_names_that_come_twice(self):
        """A command's own column takes the place of one that was there before."""
        for dump in self.each():
            symbols = rows(dump, "bt 1 |> select symbol")
            self.assertEqual(rows(dump, "tasks |> where pid == 1 |> select pid as symbol |> each bt 1 "
                                        "|> select symbol"), symbols)
            counted = rows(dump, "tasks |> where pid == 1 |> select pid as symbol |> each bt 1 "
                                 "|> where symbol == \"schedule\" |> count")
            self.assertEqual(counted, [{"count": 1}])
            # So does a field of a record, where records are the rows.
            release = rows(dump, "sys |> select release")
            self.assertEqual(rows(dump, "tasks |> where pid == 1 |> select pid as release |> each sys |> select release"),
                             release)

    def test_order(self):
        for dump in self.each():
            pids = [t["pid"] for t in lab.query(dump, "ps")["tasks"]]
            self.assertEqual([r["pid"] for r in rows(dump, "ps |> select pid")], pids)
            for line, expected in (("sort -pid", sorted(pids, reverse=True)), ("first 3", pids[:3]),
                                   ("last 3", pids[-3:]), ("last", pids[-10:]),
                                   ("head", pids[:10]), ("sort pid desc |> last 2", sorted(pids)[1::-1]),
                                   ("top 4 pid", sorted(pids, reverse=True)[:4]),
                                   ("first 0", []), ("last 0", []), ("last 100000", pids)):
                self.assertEqual([r["pid"] for r in rows(dump, f"ps |> select pid |> {line}")],
                                 expected, line)
            self.assertEqual(len(rows(dump, "ps |> unique state")),
                             len(rows(dump, "ps |> count by state")))
            self.assertEqual([r["pid"] for r in rows(dump, "ps |> top 2 -pid |> select pid")],
                             sorted(pids)[:2])

    def test_expressions(self):
        for dump in self.each():
            count = rows(dump, "tasks |> count")[0]["count"]
            for everyone in ("pid >= 0 || comm", 'comm !~ "no*such"', "$ == &$->state_of_nobody || 1",
                             "!(pid < 0) && $->pid == pid", "((struct task_struct *)$)->tgid >= 0",
                             "&$->pid > (int *)$", "sizeof($->comm) == 16", "comm[0] != 0"):
                if "nobody" in everyone:
                    continue
                self.assertEqual(rows(dump, f"tasks |> where {everyone} |> count"),
                                 [{"count": count}], everyone)
            # Members behind NULL are unknown, and so is what is said about them.
            self.assertEqual(rows(dump, "tasks |> where mm->map_count < 0 || mm->map_count >= 0 |> count"),
                             rows(dump, "tasks |> where mm != 0 |> count"))
            nobody = rows(dump, "tasks |> where pid == 2 |> select mm->map_count as maps, mm")
            self.assertEqual(nobody, [{"maps": None, "mm": "0x0"}])
            # A per-CPU variable is the row's CPU's; a wrapped number is a number.
            for row in rows(dump, "cpus |> select cpu, runqueues.cpu as own"):
                self.assertEqual(row["cpu"], row["own"])
            self.assertEqual(rows(dump, "tasks |> where pid == 2 |> select usage + 0 as n"),
                             rows(dump, "tasks |> where pid == 2 |> select usage.refs.counter as n"))

    def test_each(self):
        for dump in self.each():
            self.assertEqual(answer_of(dump, "tasks |> first 0 |> each bt {pid}"), {"each": []})
            # What a dump holds is no stage.
            self.assertEqual(answer_of(dump, 'tasks |> first 1 |> select "1 |> each p 2" as c |> each (p {c})')["each"], [])
            # What a dump holds is one word and no option; what the expression holds is the user's.
            given = answer_of(dump, 'tasks |> first 1 |> select "a b\'c" as c |> each ps {c}')
            self.assertEqual([e["command"] for e in given["each"]], ["ps \"a b'c\""])
            given = answer_of(dump, 'tasks |> first 1 |> select "a b" as c |> each ps "{c}" x{c}')
            self.assertEqual([e["command"] for e in given["each"]], ['ps "a b" x"a b"'])
            self.assertEqual(answer_of(dump, 'tasks |> first 1 |> select "-u" as c |> each ps {c}')["each"], [])
            self.assertEqual(answer_of(dump, 'tasks |> first 1 |> select "-u" as c |> each ps "{c}"')["each"], [])
            given = answer_of(dump, 'tasks |> first 1 |> each ps {pid == 0 ? "-k" : comm}')
            self.assertEqual([e["command"] for e in given["each"]], ["ps -k"])
            run = lab.inquest("-c", "ps |> select (pid > 1 ? comm : 3)", dump.vmcore)
            self.assertIn("of the two values of ?: one is text, this is not at column 32", run.stderr)
            # What a command changes makes the session forget what it had read, the tasks that are walked, too.
            pids = [r["pid"] for r in rows(dump, "tasks |> select pid")]
            changed = answer_of(dump, "tasks |> each wr -32 panic_on_oops {pid}")["each"]
            self.assertEqual([e["command"] for e in changed], [f"wr -32 panic_on_oops {pid}" for pid in pids])
            pids = [r["pid"] for r in rows(dump, 'tasks |> where state == "D"')]
            given = answer_of(dump, 'tasks |> where state == "D" |> each bt {pid}')["each"]
            self.assertEqual([e["command"] for e in given], [f"bt {pid}" for pid in pids])
            self.assertEqual([e["threads"][0]["pid"] for e in given], pids)
            frames = sum(len(e["threads"][0]["frames"]) for e in given)
            counted = rows(dump, 'tasks |> where state == "D" |> each bt {pid} |> count by symbol')
            self.assertEqual(sum(r["count"] for r in counted), frames)
            # The columns that were there stay; $ is the address; pipelines nest.
            kept = rows(dump, 'tasks |> where state == "D" |> select pid as who |> each ps $ '
                              '|> where who == pid |> count')
            self.assertEqual(kept, [{"count": len(pids)}])
            inner = answer_of(dump, 'tasks |> where pid == 2 |> each (threads {pid} |> count)')
            self.assertEqual(inner["each"], [{"command": "threads 2 |> count", "rows": [{"count": 1}]}])
            self.assertEqual(rows(dump, 'tasks |> where state == "D" |> each (threads {pid} |> select pid) '
                                        '|> select pid'), [{"pid": pid} for pid in pids])

    def test_rows_of_commands(self):
        for dump in self.each():
            self.assertEqual(rows(dump, "mod |> sort name |> select name"),
                             [{"name": n} for n in sorted(m["name"] for m in
                                                          lab.query(dump, "mod")["modules"])])
            frames = lab.query(dump, "bt -a")["threads"]
            self.assertEqual(rows(dump, "bt -a |> count by pid"),
                             [{"count": n, "pid": pid} for n, pid in
                              sorted(((len(t["frames"]), t["pid"]) for t in frames),
                                     key=lambda x: (-x[0], x[1]))])
            # Whatever gives a table is a source; a command's options make it that of two namesakes.
            for line in ("timer", "irq", "net", "runq", "dev", "kmem -s", "vm 1", "mount", "foreach bt",
                         "list task_struct.tasks -h init_task", "slab -a filp", "sys -c", "sig 1",
                         "sym -l", "vmallocinfo", "blocked -a", "log"):
                self.assertGreater(rows(dump, f"{line} |> count")[0]["count"], 0, line)
            # What is only in JSON else is shown when there is nothing else.
            text = lab.inquest("-c", "struct list_head init_task.tasks |> first 1", dump.vmcore).stdout
            self.assertRegex(text, r"\bnext\b")
            release = rows(dump, "sys |> select release")
            self.assertEqual(release[0]["release"], dump.meta["kernel_release"])


class Values(OnDumps):
    """What an expression gives where the way to it is long, or leads nowhere."""
    scenario = "structures"

    def column(self, line):
        """The only column, as text."""
        return lab.inquest("-c", line, self.dump.vmcore).stdout.splitlines()[1:]

    def test_nothing_there(self):
        for dump in self.each():
            self.assertEqual(self.column("tasks |> where pid == 2 |> select mm[3].map_count as x"), ["-"])
            self.assertEqual(rows(dump, "tasks |> where pid == 2 |> follow &mm[3]"), [])
            # No pointer, but an error number.
            self.assertEqual(self.column("tasks |> where pid == 2 |> select ((struct mm_struct *)(pid - 4))->map_count "
                                         "as x"), ["?"])
            self.assertEqual(rows(dump, "tasks |> where pid == 2 |> follow &((struct mm_struct *)(pid - 4))->mmap_lock"),
                             [])

    def test_kinds_of_structs(self):
        """Structs and arrays are alike when what is in them is."""
        for dump in self.each():
            masks = [r["m"] for r in rows(dump, "tasks |> select cpus_mask as m")]
            self.assertGreater(len(masks), len(set(masks)))
            for line in ("tasks |> unique cpus_mask", "tasks |> count by cpus_mask", "tasks |> count by cpus_mask.bits",
                         "tasks |> select cpus_mask as m |> unique m, 1"):
                self.assertEqual(rows(dump, f"{line} |> count"), [{"count": len(set(masks))}], line)

    def test_long_texts(self):
        for dump in self.each():
            text = rows(dump, "cpus |> first 1 |> select (char *)vmcoreinfo_data as text")[0]["text"]
            self.assertTrue(text.startswith("OSRELEASE="))
            self.assertGreater(len(text), 1000)
            self.assertTrue(text.endswith("\n"))


    def test_walks_from_nowhere(self):
        for dump in self.each():
            for line, count in (("tasks |> where pid == 2 |> walk list {mm} mm_struct.mmlist", 0),
                                ("tasks |> where pid == 2 |> walk array {mm} 1", 0),
                                ("tasks |> where pid == 1 |> walk array {mm} 1", 1),
                                ("tasks |> where pid == 1 |> walk array {mm} {0}", 0),
                                ("tasks |> where pid == 1 |> walk array comm {pid + 1}", 2),
                                ("tasks |> where pid == 2 |> walk inodes {(struct super_block *)mm}", 0),
                                ("array init_task.comm 0", 0), ("array init_task.comm", 16), ("array init_task", 1)):
                self.assertEqual(rows(dump, f"{line} |> count"), [{"count": count}], line)
            # Nodes of a red-black tree have no index.
            indexes = rows(dump, "inodes |> where i_data.i_mmap.rb_root.rb_node |> first 1 |> "
                                 "walk tree rb {&i_data.i_mmap} vm_area_struct.shared.rb |> select index")
            self.assertEqual({row["index"] for row in indexes}, {None})

    def test_choices(self):
        for dump in self.each():
            line = "tasks |> where pid < 3 && pid > 0 |> select pid == 1 ? comm : {} as x"
            self.assertEqual(rows(dump, line.replace("{}", '"none"')), [{"x": "init"}, {"x": "none"}])

    def test_the_best_of_many(self):
        """Rows that come in rising order are all better than those before."""
        for dump in self.each():
            line = "array '(char *)&init_task' 2000000 |> top 3 i |> select i"
            run = subprocess.Popen([lab.INQUEST, "--json", "-c", line, dump.vmcore], stdout=subprocess.PIPE)
            self.assertEqual([r["i"] for r in json.load(run.stdout)["rows"]], [1999999, 1999998, 1999997])
            run.stdout.close()
            usage = os.wait4(run.pid, 0)[2]
            run.returncode = 0
            # A sanitizer keeps what was freed for a while.
            if "sanitize" not in lab.BUILD.name:
                self.assertLess(usage.ru_maxrss, 100 << 10)


class Shell(OnDumps):
    scenario = "workshop"

    def script(self, dump, lines):
        return subprocess.run([lab.INQUEST, "shell", dump.vmcore], input="\n".join(lines) + "\n",
                              capture_output=True, text=True, timeout=lab.SECONDS_MAX)

    def test_behind_a_pipeline(self):
        dump = next(self.each())
        with tempfile.TemporaryDirectory() as folder:
            run = self.script(dump, [
                "tasks |> where pid > 1 && pid < 4 |> select pid, comm | tr a-z A-Z",
                f"tasks |> where pid > 1 |> count > {folder}/count",
                "tasks |> where pid == 2 |> select (pid | 4) as bits",
                f"tasks |> where (pid > 1) |> first 1 >> {folder}/count"])
            self.assertEqual(run.stderr, "")
            self.assertIn("KTHREADD", run.stdout)
            self.assertRegex(run.stdout, r"bits\n +6\n")
            with open(f"{folder}/count", encoding="utf-8") as file:
                self.assertRegex(file.read(), r"count\n +\d+\ntask_struct")

    def test_completion(self):
        dump = next(self.each())
        lab.need_terminal()
        with tempfile.TemporaryDirectory() as folder:
            terminal = test_shell.Terminal(dump, folder)
            terminal.wait_for(test_shell.PROMPT)
            # A stage, a field, a column of the stage before, a member behind a pointer.
            for line, wanted in (("proce\t |> whe\tpid == 1 |> sel\tppi\t |> first\r", rb"ppid\r?\n"),
                                 ("tasks |> select pid as number_of |> sort -numb\t |> first 1\r",
                                  rb"number_of\r?\n +\d+"),
                                 ("tasks |> where mm->map_co\t > 0 |> count\r", rb"count\r?\n +\d+"),
                                 ("tasks |> first 1 |> select se.vrunt\t\r", rb"se.vruntime\r?\n")):
                terminal.type(line)
                text = terminal.wait_for(rb"\n" + test_shell.PROMPT)
                self.assertRegex(text, wanted)
                self.assertNotIn(b"inquest: ", text)

    def test_other_forms(self):
        dump = next(self.each())
        run = lab.inquest("--csv", "-c", 'tasks |> where pid == 2 |> select pid, comm', dump.vmcore)
        self.assertEqual((run.stdout.split(), run.stderr), (["pid,comm", "2,kthreadd"], ""))
        run = lab.inquest("--jsonl", "-c", 'tasks |> where pid == 2 |> select pid, comm', dump.vmcore)
        self.assertIn('"pid": 2, "comm": "kthreadd"', run.stdout.replace('":', '": ').replace(":  ", ": "))


class Errors(OnDumps):
    scenario = "workshop"

    # What is typed, what is said, under which word the mark stands.
    CASES = [
        ("tasks |> wher pid", "there is no stage wher (did you mean where?)", "wher pid"),
        ("tasks |>", "a stage is expected", ""),
        ("tasks |> where", "stage 1 (where): an expression is expected", ""),
        ("tasks |> where pid ==", "stage 1 (where): the expression ends early", ""),
        ("tasks |> where stat_ == 1", "did you mean state?", "stat_ =="),
        ("tasks |> first 1 |> select comm, mm->mm_user", "stage 2 (select): struct mm_struct has no "
                                                         "member mm_user (did you mean mm_users?)", "mm_user"),
        ("tasks |> top pid", "how many?", "pid"),
        ("tasks |> first x", "x is no number", "x"),
        ("tasks |> sum comm", "comm is no number", "comm"),
        ("tasks |> count state", "count takes nothing", "state"),
        ("tasks |> select pid as 3", "a name is expected", "3"),
        ("tasks |> follow pid", "pid is no pointer to a struct", "pid"),
        ("tasks |> walk nobody", "there is no walker nobody", "nobody"),
        ("tasks |> walk vmas nobody", "nothing is called nobody", "nobody"),
        ("tasks |> walk array pid", "pid is no array", "array"),
        ("tasks |> walk chain {$->nobody} task_struct.real_parent", "has no member nobody", "nobody"),
        ("tasks |> walk array '(long *)nobody' 2", "nothing is called nobody", "nobody"),
        ("tasks |> where comm ~ comm", "a pattern is a text in double quotes", "comm"),
        ('tasks |> where comm =~ "("', "this is no regular expression", '"("'),
        ("modules |> stacks", "only tasks have stacks", "stacks"),
        ("ps |> select nothing_such", "columns: ", "nothing_such"),
    ]
    PLAIN = [
        ("taks |> count", "did you mean tasks?"),
        ("slab dentri |> count", "did you mean dentry?"),
        ("slab kmalloc-64 |> where nothing_such == 1", "nothing is called nothing_such"),
        ("list &init_task.tasks |> count", "list needs HEAD TYPE.MEMBER"),
        ("list &init_task.tasks task_struct.nobody", "task_struct has no member nobody"),
        ("tasks 1 2 |> count", "too many words behind tasks"),
        ("threads 99999999", "no task has PID 99999999"),
        ("help |> where name == 1", "only char arrays and pointers"),
        ("pages 99999999999", "the last page frame"),
        ("percpu jiffies", "jiffies is no per-CPU variable"),
        ("array jiffies", "jiffies is no array"),
        ("array &init_task", "a pointer does not say how many"),
        ("|> count", 'nothing before the "|>"'),
    ]

    def test_errors_point_at_their_place(self):
        dump = next(self.each())
        for line, message, mark in self.CASES:
            with self.subTest(line=line):
                run = lab.inquest("-c", line, dump.vmcore)
                self.assertEqual(run.returncode, 1)
                self.assertEqual(len(run.stderr.splitlines()), 1)
                self.assertIn(message, run.stderr)
                shown, pointer = run.stdout.splitlines()[-2:]
                self.assertEqual(shown, f"    {line}")
                at = pointer.index("^")
                self.assertTrue(shown[at:].startswith(mark) if mark else at >= len(shown.rstrip()),
                                pointer)
                self.assertIn(f"at column {at - 3}", run.stderr)

    def test_errors_of_sources(self):
        dump = next(self.each())
        for line, message in self.PLAIN:
            with self.subTest(line=line):
                run = lab.inquest("-c", line, dump.vmcore)
                self.assertEqual(run.returncode, 1)
                self.assertIn(message, run.stderr)
                self.assertEqual(len(run.stderr.splitlines()), 1)


class Damage(unittest.TestCase):
    def test_holes_are_told(self):
        dumps = lab.dumps(name="many-tasks", series="6.12", makedumpfile="old") + \
            [d for d in lab.dumps(name="many-tasks") if d.meta.get("truncate") == 60]
        if len(dumps) < 2:
            self.skipTest("the lab has no damaged dumps of many-tasks")
        for dump in dumps:
            for line in one_liners():
                with self.subTest(dump=str(dump), line=line):
                    run = lab.inquest("-c", line, dump.vmcore)
                    self.assertIn(run.returncode, (0, 1), run.stderr)
                    if run.returncode:
                        self.assertTrue("missing:" in run.stdout or run.stderr, run.stdout)

    def test_tasks_that_are_lost(self):
        """Of a task and of parts of its neighbours in the slab."""
        dump = next(iter(lab.dumps(name="workshop", series="6.12", capture="qemu-elf")), None)
        if not dump:
            self.skipTest("the lab has no dump of workshop")
        pid = workshop.Workshop(dump).pid("in-pipe")
        address = int(lab.query(dump, f"ps {pid}")["tasks"][0]["task"], 16)
        size = lab.query(dump, "struct -o task_struct")["structs"][0]["size"]
        start, end = address & ~4095, (address + size + 4095) & ~4095
        place = int(lab.query(dump, f"vtop {start:x}")["translations"][0]["physical"], 16)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "vmcore"
            damage.without(dump.vmcore, path, place, end - start)
            self.tasks_are_lost(lab.Dump("a hole", path.parent, dump.meta), address)

    def tasks_are_lost(self, dump, address):
        found = lab.query(dump, "tasks |> select $ as at, pid, comm, state")["rows"]
        self.assertGreater(len([r for r in found if r["state"]]), 10)
        (lost,) = [r for r in found if int(r["at"], 16) == address]
        self.assertEqual((lost["pid"], lost["comm"], lost["state"]), (None, None, None))
        # What is computed of the unknown is as unknown.
        text = lab.inquest("-c", "tasks |> select stack as a |> select a, a + 1 as b", dump.vmcore).stdout
        unknown = [line for line in text.splitlines() if "?" in line and ":" not in line]
        self.assertTrue(unknown)
        self.assertEqual({tuple(line.split()) for line in unknown}, {("?", "?")})
        # So are whole structs.
        answer = lab.query(dump, "tasks |> select $ as at, se")
        unknown = [r for r in answer["rows"] if r["se"] is None]
        self.assertIn(address, [int(r["at"], 16) for r in unknown])
        count = len(unknown)
        told = [r["text"] for r in answer["remarks"] if "not whole, in the dump" in r["text"]]
        self.assertEqual([re.match(r"\d+", text)[0] for text in told], [str(count)], told)
        # A walk from there is none, and says why.
        row = lab.query(dump, "tasks |> select $ as at, mm")
        why = [r["text"].partition(": ")[2] for r in row["remarks"] if r["text"].startswith("mm:")]
        self.assertEqual(len(why), 1)
        walk = lab.query(dump, "tasks |> walk array {mm} 1 |> count")["remarks"]
        self.assertIn(why[0], [r["text"].partition(": ")[2] for r in walk])

    def test_without_types(self):
        dump = next(iter(lab.dumps(name="workshop")), None)
        if not dump:
            self.skipTest("the lab has no dump of workshop")
        # Members are not known, and that is said; what needs none is still there.
        words = ("--no-btf", "--no-debuginfo", "--json", "-c")
        for line, known in (("tasks |> select $, cpu", True), ("tasks |> select pid", False)):
            run = lab.inquest(*words, line, dump.vmcore)
            self.assertEqual(run.returncode, 1, run.stderr)
            answer = json.loads(run.stdout)
            self.assertIn("there is no type task_struct",
                          " ".join(r["text"] for r in answer["remarks"] if r["kind"] == "missing"))
            self.assertEqual(bool(answer.get("rows")), known)


class NewestKernel(unittest.TestCase):
    def test_one_liners(self):
        dump = next(iter(lab.dumps(name="sysrq", series="newest")), None)
        if not dump:
            self.skipTest("the lab has no dump of the newest kernel")
        for line in one_liners():
            with self.subTest(line=line):
                answer = lab.query(dump, line)
                self.assertFalse([r for r in answer.get("remarks", []) if r["kind"] != "note"])


if __name__ == "__main__":
    unittest.main()
