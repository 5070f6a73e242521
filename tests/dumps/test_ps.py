# SPDX-License-Identifier: LGPL-2.1-or-later
"""ps, option by option, against what /proc said in the scenario `workshop`."""

import json
import re
import unittest

import lab
import workshop
from workshop import ask, errors

NS = 1000000000
POLICIES = {"0": "NORMAL", "1": "FIFO", "2": "RR", "3": "BATCH", "5": "IDLE", "6": "DEADLINE"}


class Ps(unittest.TestCase):
    @workshop.each
    def test_policies_and_priorities(self, shop):
        tasks = {task["pid"]: task for task in ask(self, shop, "ps -Y")["tasks"]}
        checked = set()
        for _, _, tid, _ in shop.people:
            sched = shop.sched(tid)
            if "policy" not in sched or tasks[tid]["comm"].startswith("hog-"):
                continue  # those get their policy after the files were saved
            self.assertEqual(tasks[tid]["policy"], POLICIES[sched["policy"]], tid)
            self.assertEqual(tasks[tid]["priority"], int(sched["prio"]), tid)
            stat = shop.file(tid, "stat").rsplit(")", 1)[1].split()
            self.assertEqual(tasks[tid]["nice"], int(stat[16]), tid)
            checked.add(tasks[tid]["policy"])
        self.assertEqual(checked, set(POLICIES.values()))
        self.assertEqual(tasks[shop.pid("hog-fifo-high")]["priority"], 99 - 50)
        self.assertEqual(tasks[shop.pid("hog-rr")]["policy"], "RR")

    @workshop.each
    def test_filter_by_policy(self, shop):
        every = ask(self, shop, "ps -Y")["tasks"]
        for words, names in (("FIFO", {"FIFO"}), ("1,2", {"FIFO", "RR"}), ("deadline,Idle", {"DEADLINE", "IDLE"})):
            chosen = ask(self, shop, f"ps -Y -y {words}")["tasks"]
            self.assertEqual(chosen, [task for task in every if task["policy"] in names])
            self.assertTrue(chosen)
        self.assertIn("no scheduling policy", errors(lab.query(shop.dump, "ps -y FOO"))[0])

    @workshop.each
    def test_stack_pointers(self, shop):
        tasks = {task["pid"]: task for task in ask(self, shop, "ps -s")["tasks"]}
        values = lab.query(shop.dump, f"struct task_struct.thread.sp,stack {tasks[1]['task']}")
        self.assertTrue(values)
        for role in workshop.SLEEPERS:
            task = tasks[shop.pid(role)]
            frames = lab.query(shop.dump, f"bt {task['pid']}")["threads"][0]["frames"]
            # schedule()'s frame begins where the task was switched away from.
            self.assertLess(0, int(frames[0]["sp"], 16) - int(task["stack_pointer"], 16))
            self.assertLess(int(frames[0]["sp"], 16) - int(task["stack_pointer"], 16), 512)
        self.assertIn("KSTACKP", lab.inquest("-c", "ps -s 1", shop.dump.vmcore).stdout)

    @workshop.each
    def test_parents_children_groups(self, shop):
        ps = {int(row["pid"]): row for row in self.ps_rows(shop)}
        leaf = next(tid for role, _, tid, _ in shop.people if role == "tree/leaf")
        (chain,) = ask(self, shop, f"ps -p {leaf}")["parents"]
        wanted, pid = [], leaf
        while pid:
            wanted.insert(0, pid)
            pid = int(ps[pid]["ppid"])
        self.assertEqual([task["pid"] for task in chain], [0] + wanted)
        self.assertEqual([task["depth"] for task in chain], list(range(len(chain))))
        for pid in (2, shop.pid("tree/middle"), shop.pid("tracer"), shop.pid("in-vfork")):
            (family,) = ask(self, shop, f"ps -c {pid}")["children"]
            children = sorted(p for p, row in ps.items() if int(row["ppid"]) == pid and row["pid"] == row["tgid"])
            ours = [task["pid"] for task in family]
            self.assertEqual(ours[0], pid)
            differ = set(ours[1:]) ^ set(children)
            self.assertEqual(differ, self.changed(shop, differ) if pid == 2 else set())
        threads = shop.pid("threads")
        for asked in sorted(tid for _, pid, tid, _ in shop.people if pid == threads)[:2]:
            (group,) = ask(self, shop, f"ps -g {asked}")["groups"]
            self.assertEqual({task["pid"] for task in group}, {p for p, row in ps.items() if int(row["tgid"]) == threads})
            self.assertEqual(group[0]["pid"], threads)

    def ps_rows(self, shop):
        head, *rows = (shop.oracle / "ps.tsv").read_text(errors="surrogateescape").splitlines()
        return [dict(zip(head.split("\t"), row.split("\t"))) for row in rows if row]

    def changed(self, shop, pids):
        """Those of them that may have come or gone since the guest looked: the kernel's workers do."""
        names = {task["pid"]: task["comm"] for task in lab.query(shop.dump, "ps")["tasks"]}
        names = {int(row["pid"]): row["comm"] for row in self.ps_rows(shop)} | names
        return {pid for pid in pids if names[pid].startswith("kworker/")}

    @workshop.each
    def test_times(self, shop):
        times = {task["pid"]: task for task in ask(self, shop, "ps -t")["times"]}
        uptime = float((shop.oracle / "proc" / "uptime").read_text().split()[0]) * NS
        for role in workshop.SLEEPERS + ("burner",):
            pid = shop.pid(role)
            ours, stat = times[pid], shop.file(pid, "stat").rsplit(")", 1)[1].split()
            self.assertEqual(ours["start_time_ns"] // (NS // 100), int(stat[19]))
            self.assertEqual(ours["cpu_time_ns"], int(shop.file(pid, "schedstat").split()[0]))
            # /proc divides the exact time as the counted ones are to each other (cputime_adjust()).
            user, kernel = ours["utime_ns"], ours["stime_ns"]
            self.assertLessEqual(abs(ours["cpu_time_ns"] // (NS // 100) - int(stat[11]) - int(stat[12])), 1)
            if user and kernel:
                self.assertLess(abs(ours["cpu_time_ns"] * kernel // (user + kernel) // (NS // 100) - int(stat[12])), 10)
            self.assertGreater(ours["run_time_ns"] + ours["start_time_ns"], uptime - NS // 50)
        burner = times[shop.pid("burner")]
        self.assertGreaterEqual(burner["cpu_time_ns"], 500000000)

    @workshop.each
    def test_last_run(self, shop):
        rows = ask(self, shop, "ps -l")["last_run"]
        known = [row["last_run_ns"] or 0 for row in rows]
        self.assertEqual(known, sorted(known, reverse=True))
        # Of idle tasks no account is kept.
        self.assertEqual({row["pid"] for row in rows if row["last_run_ns"] is None}, {0})
        self.assertTrue(all(row["ago_ns"] is None for row in rows if not row["pid"]))
        rows, every = [row for row in rows if row["pid"]], rows
        self.assertEqual(len(every), len(ask(self, shop, "ps")["tasks"]))
        by_pid = {row["pid"]: row for row in rows if row["pid"]}
        for role in workshop.SLEEPERS:
            pid = shop.pid(role)
            # It was put on its CPU at most some ms before its time was last counted there.
            counted = float(shop.sched(pid)["se.exec_start"]) * 1e6
            self.assertLess(counted - 2e9, by_pid[pid]["last_run_ns"], role)
            self.assertLessEqual(by_pid[pid]["last_run_ns"], counted + 1000, role)
        newest = max(row["last_run_ns"] + row["ago_ns"] for row in rows)
        self.assertTrue(all(row["last_run_ns"] + row["ago_ns"] == newest for row in rows))
        # The machine's clock when it died: within seconds of the log's last line before it waits for a CPU that does not answer.
        records = lab.query(shop.dump, "log")["records"]
        last = [record["time_ns"] for record in records if not record["text"].startswith(workshop.STOPPED)][-1]
        self.assertLess(abs(last - newest), 3 * NS)
        self.assertEqual(ask(self, shop, "ps -m")["last_run"], every)
        text = lab.inquest("-c", f"ps -m {shop.pid('in-pipe')}", shop.dump.vmcore).stdout
        self.assertRegex(text, r"\[0 00:0\d:\d\d\.\d{3}\]  IN +\d+  ffff[0-9a-f]{12} +\d+  in-pipe")
        by_cpu = ask(self, shop, "ps -l -C 0,1")["last_run"]
        self.assertEqual([row["cpu"] for row in by_cpu], sorted(row["cpu"] for row in by_cpu))
        self.assertIn("CPU: 1\n", lab.inquest("-c", "ps -l -C a", shop.dump.vmcore).stdout)
        self.assertEqual({row["cpu"] for row in ask(self, shop, "ps -m -C 1")["last_run"]}, {1})

    @workshop.each
    def test_arguments_and_environment(self, shop):
        words = {task["pid"]: task for task in ask(self, shop, "ps -a")["words"]}
        for role, pid, tid, _ in shop.people:
            if role == "dead-child" or tid != pid:
                continue
            theirs = shop.file(tid, "cmdline").split("\0")[:-1]
            self.assertEqual(words[tid]["arguments"], theirs, role)
            self.assertEqual(words[tid]["environment"], shop.file(tid, "environ").split("\0")[:-1])
        odd = words[shop.pid("words")]
        self.assertEqual(odd["arguments"], shop.file(odd["pid"], "cmdline").split("\0")[:-1])
        self.assertEqual(odd["arguments"][4:8], ["two words", "", "tab\there", "line\nend"])
        self.assertIn("QUOTED=a \"b\" 'c'", odd["environment"])
        self.assertIsNone(words[2]["arguments"])
        self.assertTrue(odd["whole"])
        text = lab.inquest("-c", "ps -a words", shop.dump.vmcore).stdout
        self.assertRegex(text, r"(?m)^ARG: /scenario/workshop stay .*\nENV: HOME=/nowhere\n     EMPTY=\n")

    @workshop.each
    def test_limits(self, shop):
        names = {"Max cpu time": "CPU", "Max file size": "FSIZE", "Max data size": "DATA", "Max stack size": "STACK",
                 "Max core file size": "CORE", "Max resident set": "RSS", "Max processes": "NPROC", "Max open files": "NOFILE",
                 "Max locked memory": "MEMLOCK", "Max address space": "AS", "Max file locks": "LOCKS",
                 "Max pending signals": "SIGPENDING", "Max msgqueue size": "MSGQUEUE", "Max nice priority": "NICE",
                 "Max realtime priority": "RTPRIO", "Max realtime timeout": "RTTIME"}
        for role in ("limits", "in-pipe"):
            (task,) = ask(self, shop, f"ps -r {shop.pid(role)}")["limits"]
            ours = {row["resource"]: (row["current"], row["maximum"]) for row in task["limits"]}
            theirs = {}
            for line in shop.file(task["pid"], "limits").splitlines()[1:]:
                name, soft, hard = re.match(r"(Max .*?)  +(\S+) +(\S+)", line).groups()
                theirs[names[name]] = tuple(v if v == "unlimited" else int(v) for v in (soft, hard))
            self.assertEqual(ours, theirs)

    @workshop.each
    def test_names_of_every_kind(self, shop):
        def pids(line):
            return [task["pid"] for task in lab.query(shop.dump, line)["tasks"]]
        fifo = [shop.pid("hog-rr"), shop.pid("hog-fifo-low"), shop.pid("hog-fifo-high")]
        self.assertEqual(pids("ps 'hog-(rr|fifo.*)'"), fifo)
        self.assertEqual(pids("ps hog-fifo*"), fifo[1:])
        task = lab.query(shop.dump, "ps in-pipe")["tasks"][0]
        self.assertEqual(pids(f"ps {task['task'][2:]} 1"), [1, shop.pid("in-pipe")])
        self.assertEqual(pids("ps -I swapper/0 1"), [1])
        self.assertIn("no task matches", errors(lab.query(shop.dump, "ps \\1"))[0])
        self.assertIn("only one of", errors(lab.query(shop.dump, "ps -l -t"))[0])

    @workshop.each
    def test_filters(self, shop):
        every = ask(self, shop, "ps")["tasks"]
        theirs = {int(row["pid"]): row for row in self.ps_rows(shop) if row["collector"] != "1"}

        def pids(line):
            return [task["pid"] for task in ask(self, shop, line)["tasks"]]
        kernel = {pid for pid, row in theirs.items() if int(row["flags"], 16) & 0x200000}  # PF_KTHREAD
        differ = (set(pids("ps -k")) - {0}) ^ kernel
        self.assertEqual(differ, self.changed(shop, differ))
        self.assertEqual(set(pids("ps -u")), set(theirs) - kernel)
        self.assertEqual(set(pids("ps -u -G")), {pid for pid in theirs if pid not in kernel and theirs[pid]["tgid"] == str(pid)})
        self.assertEqual(pids("ps -I"), [task["pid"] for task in every if task["pid"]])
        self.assertEqual({task["comm"] for task in ask(self, shop, "ps -A")["tasks"]},
                         {"guest.sh", lab.query(shop.dump, "runq -c 1")["run_queues"][0]["current_comm"]})
        self.assertEqual(pids("ps -C 1"), [task["pid"] for task in every if task["cpu"] == 1])
        plain, bare = (lab.inquest("-c", f"ps {option} 1", shop.dump.vmcore).stdout.splitlines() for option in ("", "-H"))
        self.assertEqual((len(plain), len(bare)), (2, 1))
        self.assertEqual(plain[1].split(), bare[0].split())
        rows = ask(self, shop, "ps -S")["states"]
        self.assertEqual(sum(row["count"] for row in rows), len(every))
        states = {row["state"]: row["count"] for row in rows}
        self.assertEqual((states["T"], states["t"], states["Z"]), (1, 1, 1))

    @workshop.each
    def test_parents_without_idle_task(self, shop):
        """Who has the lowest PID is nobody's parent for that: there were 256 of them, in a circle."""
        lines = ("wr -32 &init_task.pid 5", "ps -p 1")
        run = lab.inquest("--json", *[word for line in lines for word in ("-c", line)], shop.dump.vmcore)
        answer = json.loads(run.stdout)["commands"][-1]
        self.assertEqual([task["pid"] for task in answer["parents"][0]], [1])
        self.assertEqual(errors(answer), [])

    @workshop.each
    def test_share_of_unknown_memory(self, shop):
        run = lab.inquest("-c", "wr -64 _totalram_pages 0", "-c", "ps 1", shop.dump.vmcore)
        self.assertRegex(run.stdout, r"(?m)^ +1 .* IN +\? +\d+ +\d+  init$")

    def test_other_views_on_damaged_dumps(self):
        dumps = workshop.damaged()
        workshop.need(self, dumps)
        for dump in dumps:
            with self.subTest(dump=str(dump)):
                plain = ask(self, dump, "ps").get("tasks")
                if not plain:  # its types and symbols are in the part that is missing
                    self.assertIn("no tasks were found", errors(lab.query(dump, "ps -t"))[0])
                    continue
                for option, key in (("-t", "times"), ("-l", "last_run"), ("-r", "limits"), ("-a", "words"), ("-p", "parents")):
                    value = ask(self, dump, f"ps {option}")
                    self.assertEqual(len(value[key]), len(plain), option)
                run = lab.inquest("-c", "ps -a", dump.vmcore)
                self.assertEqual(run.returncode, 1)
                self.assertRegex(run.stdout + run.stderr, "not all words are in the dump")


if __name__ == "__main__":
    unittest.main()
