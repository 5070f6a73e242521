# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who waits for whom: on machines where much waits (the scenarios' truth.json says for whom), and on machines that are well.

The kernel's own BTF and symbols are all that is used."""

import json
import pathlib
import re
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree

import lab
import waits

sys.path.insert(0, str(lab.ROOT / "tests" / "tools"))
import damage  # noqa: E402

# The lab's scenarios that lock up, or that wait in a ring; in all others nobody does.
STUCK = {"seq-writer", "irq-spin", "rt-starvation", "user-pileup", "queue-order", "pileup", "abba", "softirq-spin", "silent-cpu", "crowd-lock", "lock-walk", "hung-task", "stuck-disk", "dm-suspended", "write-walk"}
HEALTHY = ("sysrq", "many-tasks", "values", "objects", "places", "oom", "arguments", "slab-busy", "softlockup", "rcu-stall")
FLOODS = {"callback-flood", "softirq-storm", "timer-storm", "irq-storm", "reclaim-livelock"}
SPINNING = {"spinlock", "rwlock"}  # a line of CPUs, not of tasks that sleep
CROWD_SECONDS_MAX = 100  # a hang, not a measure: bench/ measures
CROWD_NAMED = 1990


def is_rt(dump):
    """Its mutexes and rwsems are built on rt_mutexes."""
    return dump.meta["series"].endswith("-rt")


class Waits(waits.Test):
    def member(self, dump, mutex, name):
        """The address of a member of a mutex."""
        path = f"mutex.rtmutex.{name}" if is_rt(dump) else f"mutex.{name}"
        return int(mutex, 16) + lab.query(dump, f"struct -o {path}")["structs"][0]["members"][0]["offset"]

    def blocked(self, dump):
        return self.ask(dump, "blocked")["blocked"]

    def of(self, rows, comm):
        found = [r for r in rows if r["comm"] == comm]
        self.assertTrue(found, f"{comm} is not told to wait")
        return found[0]

    def check_rings(self, dump, truth):
        """The rings are those of the truth, with their members and no others; names may have a number appended."""
        found = sorted(sorted(m["comm"] for m in ring["members"]) for ring in self.ask(dump, "deadlock")["rings"])
        wanted = sorted(sorted(ring) for ring in truth["rings"])
        self.assertEqual(len(found), len(wanted), found)
        for ring, names in zip(found, wanted):
            self.assertEqual(len(ring), len(names))
            for comm, name in zip(ring, names):
                self.assertTrue(comm == name or name.endswith("/") and comm.startswith(name), (ring, names))


class Pileup(Waits):
    def test_rings(self):
        for dump, truth in self.each("pileup"):
            self.check_rings(dump, truth)

    def test_rings_of_locks_with_owners_are_sure_and_others_are_not(self):
        for dump, _ in self.each("pileup"):
            sure = {ring["members"][0]["comm"].split("/")[0]: ring["sure"] for ring in self.ask(dump, "deadlock")["rings"]}
            self.assertTrue(sure["abba"])
            # A completion's owner is who will complete it, by its code; a futex's what glibc wrote.
            self.assertFalse(sure["ring"])
            self.assertFalse(sure["futexes"])

    def test_the_members_wait_for_each_other(self):
        for dump, _ in self.each("pileup"):
            for ring in self.ask(dump, "deadlock")["rings"]:
                members = ring["members"]
                for member, after in zip(members, members[1:] + members[:1]):
                    self.assertEqual(member["owner_pid"], after["pid"])

    def test_the_roots_have_what_others_wait_for(self):
        for dump, truth in self.each("pileup"):
            rows, names = self.blocked(dump), self.names(dump)
            for waiter, root in truth["roots"].items():
                row = self.of(rows, waiter)
                self.assertEqual(names[row["owner_pid"]], root, waiter)
                # Neither a semaphore nor an rwsem's readers are kept by the lock: the code tells.
                self.assertEqual((row["owner_how"], row["owner_sure"]), ("code", True), waiter)

    def test_owner_words(self):
        for dump, _ in self.each("pileup"):
            rows, names = self.blocked(dump), self.names(dump)
            for waiter, owner in (("abba/0", "abba/1"), ("abba/1", "abba/0"), ("ring/0", "ring/1"), ("ring/2", "ring/0"), ("auditor", "abba/0")):
                row = self.of(rows, waiter)
                self.assertEqual((names[row["owner_pid"]], row["owner_how"], row["owner_sure"]), (owner, "owner word", True), waiter)

    def test_waits_for_locks_are_confirmed_by_their_lists(self):
        for dump, _ in self.each("pileup"):
            rows = [r for r in self.blocked(dump) if r["kind"] == "lock"]
            self.assertGreaterEqual(len(rows), 14)
            for row in rows:
                self.assertTrue(row["confirmed"], row)

    def test_a_lock_of_one_that_exited_has_no_owner(self):
        """Though its owner's task_struct may be another's by now."""
        for dump, truth in self.each("pileup"):
            row = self.of(self.blocked(dump), truth["gone"])
            self.assertIsNone(row["owner_pid"])
            self.assertIn("exited", row["owner"])

    def test_an_owner_that_takes_locks_but_not_this_one(self):
        """The task_struct has become an idle worker's: it takes a mutex, too, on its way, but that is the kernel's own."""
        for dump, truth in self.each("pileup"):
            row = self.of(self.blocked(dump), truth["gone"])
            workers = [t for t in self.ask(dump, "ps")["tasks"] if t["state"] == "I" and t["comm"].startswith("kworker/") and t["pid"] < row["pid"]]
            line = f"wr -64 {self.member(dump, row['object'], 'owner'):#x} {workers[0]['task']}"
            run = lab.inquest("--json", "--no-debuginfo", "-c", line, "-c", "blocked", dump.vmcore)
            row = self.of(json.loads(run.stdout)["commands"][-1]["blocked"], truth["gone"])
            self.assertIsNone(row["owner_pid"])
            self.assertIn(f"left behind by {workers[0]['comm']}", row["owner"])

    def test_a_line_that_breaks_off(self):
        for dump, truth in self.each("pileup"):
            row = self.of(self.blocked(dump), truth["gone"])
            line = f"wr -64 {self.member(dump, row['object'], 'waiters' if is_rt(dump) else 'wait_list'):#x} ffff800000001000"
            run = lab.inquest("--json", "--no-debuginfo", "-c", line, "-c", "locks", dump.vmcore)
            self.assertRegex(str(json.loads(run.stdout)["commands"][-1]["remarks"]), "waiters of a lock: .*(is not in the dump|not mapped)")

    def test_chain(self):
        for dump, truth in self.each("pileup"):
            rows, names = self.blocked(dump), self.names(dump)
            for waiter, owner in zip(truth["chain"], truth["chain"][1:]):
                self.assertEqual(names[self.of(rows, waiter)["owner_pid"]], owner)

    def test_nobody_rests_among_the_blocked(self):
        """Only the module's threads, a worker and the program wait for each other; of the kernel's own threads one may wait for a
        moment, but then it does not merely sleep."""
        for dump, truth in self.each("pileup"):
            stuck = {name for ring in truth["rings"] for name in ring} | set(truth["roots"]) | set(truth["chain"])
            waiting = {t["pid"] for t in self.ask(dump, "ps")["tasks"] if t["state"] == "D"}
            for row in self.blocked(dump):
                comm = row["comm"]
                self.assertTrue(comm in stuck or comm.startswith(("left/", "late/", "kworker/")) or row["pid"] in waiting, row)

    def test_report(self):
        for dump, truth in self.each("pileup"):
            report = self.report(dump)
            self.assertEqual(report["verdict"]["kind"], "sysrq")
            found = [f for f in report["findings"] if f["kind"] == "deadlock"]
            self.assertEqual(len(found), 1, [f["kind"] for f in report["findings"]])
            self.assertEqual(found[0]["module"], truth.get("guilty_module", "pileup"))
            # Who crashed it by hand did so because of that: the first step is to look there.
            self.assertRegex(report["next"][0], r"^`bt .*`blocked -g` shows who else waits for whom")


class Abba(Waits):
    def test_rings(self):
        for dump, truth in self.each("abba"):
            self.check_rings(dump, truth)

    def test_verdict(self):
        for dump, truth in self.each("abba"):
            verdict = self.report(dump)["verdict"]
            self.assertEqual((verdict["kind"], verdict["confidence"], verdict["module"]), ("deadlock", "certain", truth["module"]))
            self.assertIn(verdict["function"], ("count_shelf", "refill_shelf"))
            for name in truth["rings"][0]:
                self.assertIn(name, f"{verdict['what']} {verdict['why']}")


class Spinning(Waits):
    def test_a_timer_wants_what_it_interrupted(self):
        for dump, truth in self.each("softirq-spin"):
            verdict = self.report(dump)["verdict"]
            self.assertEqual((verdict["kind"], verdict["module"]), ("softlockup", truth["module"]))
            self.assertEqual(verdict["function"], truth["wanted_by"])
            self.assertIn(f"{truth['holder']} took it", verdict["why"])

    def test_a_cpu_that_does_not_answer(self):
        for dump, truth in self.each("silent-cpu"):
            verdict = self.report(dump)["verdict"]
            self.assertEqual((verdict["kind"], verdict["function"], verdict["module"]),
                             ("softlockup", truth["function"], truth["module"]))
            self.assertIn("interrupts disabled", verdict["why"])
            self.assertIn(truth["silent"], verdict["why"])
            self.assertIn(truth["comm"], verdict["what"])

    def test_a_walk_under_a_lock(self):
        for dump, truth in self.each("lock-walk"):
            verdict = self.report(dump)["verdict"]
            self.assertIn(verdict["function"], (truth["holder"], truth["walker"]))
            self.assertIn(f"{truth['holder']} took it", verdict["why"])


    def test_an_interrupt_wants_what_it_interrupted(self):
        """On its own CPU nothing can complain any more; another one does, and is not to blame."""
        for dump, truth in self.each("irq-spin"):
            verdict = self.report(dump)["verdict"]
            self.assertEqual((verdict["kind"], verdict["module"]), ("rcu-stall", truth["module"]))
            self.assertIn(truth["task"], verdict["what"])
            self.assertEqual([[m["comm"] for m in ring["members"]] for ring in self.ask(dump, "deadlock")["rings"]], [[truth["task"]]])
            if is_rt(dump):  # there the interrupt's code sleeps, in what it interrupted
                self.assertEqual(verdict["function"], truth["wanted_by"])
                self.assertIn("which it itself has", verdict["why"])
                continue
            self.assertEqual(verdict["function"], truth["function"])
            self.assertIn(f"{truth['holder']} took it", verdict["why"])
            cpu = next(c for c in self.ask(dump, "cpus")["cpus"] if c["comm"] == truth["task"])
            self.assertEqual((cpu["interrupts"], cpu["owner_pid"]), ("off", cpu["pid"]))
            irq, task = cpu["layers"][-2:]
            self.assertTrue(irq.startswith("irq: ") and truth["wanted_by"] in irq, irq)
            self.assertTrue(task.startswith("task: ") and truth["holder"] in task, task)


    def test_readers_of_a_seqlock_that_is_being_written(self):
        """The readers' loop is inlined: no function's name tells of it."""
        for dump, truth in self.each("seq-writer"):
            verdict, names = self.report(dump)["verdict"], self.names(dump)
            self.assertEqual((verdict["kind"], verdict["function"], verdict["module"]), ("softlockup", truth["walker"], truth["module"]))
            self.assertIn(truth["writer"], verdict["why"])
            rows = [r for r in self.blocked(dump) if r["comm"].startswith(truth["comm"])]
            self.assertEqual(len(rows), 2)
            lock = int(re.search(r"known calendar \S+ lock (\w+)", (dump.folder / "console.log").read_text())[1], 16)
            for row in rows:
                self.assertEqual((int(row["object"], 16), row["function"], names[row["owner_pid"]]), (lock, truth["reads"], truth["writer"]))
                self.assertTrue(row["waits_for"].startswith("seqlock "), row)


class Starved(Waits):
    """A real-time thread has the CPU of one who has a lock."""

    def test_verdict(self):
        for dump, truth in self.each("rt-starvation"):
            report, names = self.report(dump), self.names(dump)
            verdict = report["verdict"]
            self.assertEqual((verdict["kind"], verdict["function"], verdict["module"]), ("hung-task", None, None))
            self.assertIn(truth["victim"], verdict["what"])
            self.assertIn(f"{truth['hog']} (pid", verdict["who"])
            self.assertIn("SCHED_FIFO, priority 42", verdict["who"])
            self.assertRegex(verdict["why"], rf"{truth['holder']} \(pid \d+\) .*run queue of CPU 1 for \d\d s .*{truth['hog']} \(pid")
            self.assertRegex(verdict["why"], rf"{truth['victim']} \(pid \d+\), which waits for it, has SCHED_FIFO, priority 80 and would come "
                                             rf"before {truth['hog']}: an inversion of priorities")
            victim = self.of(self.blocked(dump), truth["victim"])
            self.assertEqual(names[victim["owner_pid"]], truth["holder"])
            starved = [f for f in report["findings"] if f["kind"] == "starvation"]
            self.assertEqual([(f["confidence"], f["function"]) for f in starved], [("likely", None)])
            self.assertIn(truth["hog"], starved[0]["who"])

    def late_pools(self, dump):
        """Workers of pools that are bound to no CPU, could run, and whose pool has begun nothing for long."""
        late_ticks = 10 * 250  # Debian's kernels have 250 a second
        pool = "((struct worker *)((struct kthread *)((struct task_struct *){})->worker_private)->data)->pool"
        workers = [t for t in self.ask(dump, "ps")["tasks"] if t["comm"].startswith("kworker/u") and t["state"] == "R"]
        # Renamed in 7.3.
        stamp = "watchdog_ts" if self.ask(dump, "struct worker_pool.watchdog_ts").get("structs") else "last_progress_ts"
        return [t for t in workers if
                self.ask(dump, f"p jiffies - {pool.format(t['task'])}->{stamp}")["values"][0]["value"] >= late_ticks]

    def test_works_that_are_bound_to_no_cpu(self):
        """They may run on one CPU only, and the real-time thread has that. When they come is the kernel's affair."""
        for dump, truth in self.each("rt-starvation"):
            if not self.late_pools(dump):
                continue
            found = [f for f in self.report(dump)["findings"] if f["kind"] == "workqueue-stall"]
            unbound = [f for f in found if "a pool that is bound to no CPU" in f["what"]]
            self.assertTrue(unbound, found)
            for pool in unbound:
                self.assertRegex(pool["why"], rf"its worker kworker/u\S+ \(pid \d+\) .* CPU 1: {truth['hog']} \(pid \d+\)")
                self.assertEqual(pool["function"], None)

    def test_the_program_itself_was_caught(self):
        for dump, truth in self.each("rt-starvation"):
            cpu = next(c for c in self.ask(dump, "cpus")["cpus"] if c["comm"] == truth["hog"])
            self.assertEqual((cpu["cpu"], cpu["layers"][-1], cpu["interrupts"]), (1, "user: the program's own code", "on"))


class Cpus(Waits):
    def test_a_walk_under_a_lock(self):
        """The one that walks is the odd one out; those that wait for it tell one story, but for whom a tick has just interrupted."""
        for dump, truth in self.each("lock-walk"):
            cpus = self.ask(dump, "cpus")["cpus"]
            walker = cpus[0]
            self.assertTrue(walker["comm"].startswith("walker/"), walker)
            self.assertIn(truth["holder"], walker["layers"][-1])
            self.assertEqual(walker["victims"], len(cpus) - 1)
            others = cpus[1:]
            self.assertEqual(len({c["layers"][-1] for c in others}), 1)
            for cpu in others:
                self.assertEqual(cpu["owner_pid"], walker["pid"])
                self.assertIn("softirqs off", cpu["context"])  # _raw_spin_lock_bh()
            alike = [c for c in others if c["interrupts"] != "off"]
            self.assertTrue(alike)
            self.assertEqual(len({c["story"] for c in alike}), 1)
            self.assertNotEqual(walker["story"], alike[0]["story"])

    def test_interrupts_off(self):
        for dump, truth in self.each("silent-cpu"):
            cpus = {c["comm"].split("/")[0]: c for c in self.ask(dump, "cpus")["cpus"]}
            silent, asker = cpus[truth["silent"].rstrip("/")], cpus[truth["comm"].rstrip("/")]
            self.assertEqual((silent["interrupts"], asker["interrupts"]), ("off", "on"))
            self.assertEqual(asker["owner_pid"], silent["pid"])
            # No interrupt, no tick: its clock stands still, but when another CPU puts a task into its queue.
            clocks = [self.ask(dump, f"p runqueues:{c['cpu']}.clock")["values"][0]["value"] for c in (silent, asker)]
            self.assertEqual((silent["lag_ns"], asker["lag_ns"]), (clocks[1] - clocks[0], 0))
            self.assertGreater(silent["lag_ns"], 0)
            self.assertIn(truth["function"], silent["layers"][-1])

    def test_a_softirq_is_a_layer_of_its_own(self):
        for dump, truth in self.each("softirq-spin"):
            cpu = next(c for c in self.ask(dump, "cpus")["cpus"] if c["comm"] == truth["comm"])
            softirq, task = cpu["layers"][-2:]
            self.assertTrue(softirq.startswith("irq: ") and truth["wanted_by"] in softirq, softirq)
            self.assertTrue(task.startswith("task: ") and truth["holder"] in task, task)
            self.assertEqual(cpu["owner_pid"], cpu["pid"])

    def test_idle_ones_come_last(self):
        for dump, _ in self.each("sysrq"):
            comms = [c["comm"] for c in self.ask(dump, "cpus")["cpus"]]
            idle = [comm.startswith("swapper/") for comm in comms]
            self.assertEqual(idle, sorted(idle))


class Disk(Waits):
    def test_who_waits_for_the_disk(self):
        """Readers and writers wait for pages of it, or for a lock that one of those has."""
        for dump, truth in self.each("stuck-disk"):
            rows = {r["pid"]: r for r in self.blocked(dump) if r["comm"] == "dd"}
            self.assertGreaterEqual(len(rows), truth["writers"])
            pages = [r for r in rows.values() if r["kind"] == "page"]
            self.assertTrue(pages)
            for row in pages:
                self.assertRegex(row["waits_for"], rf"^page [08] of disk {truth['device']}$")
            for row in rows.values():
                if row["kind"] == "lock":
                    self.assertEqual(rows[row["owner_pid"]]["kind"], "page")

    def test_the_verdict_names_device_request_and_driver(self):
        for dump, truth in self.each("stuck-disk"):
            verdict = self.report(dump)["verdict"]
            self.assertEqual((verdict["kind"], verdict["module"], verdict["function"]), ("hung-task", "stuck_disk", "take"))
            # The hardware may be it as well: a driver that waits for an answer is not surely to blame.
            self.assertEqual(verdict["function_confidence"], "possible")
            self.assertRegex(verdict["why"], rf"{truth['device']}: (read|write) of 4096 bytes at sector (0|64)\) has been with the disk's driver for \d+ s")


class Suspended(Waits):
    """A volume of the device-mapper that lets nothing through: one has the inode and waits for the disk, the others wait for the inode."""

    def test_the_pile_up(self):
        for dump, truth in self.each("dm-suspended"):
            rows = self.blocked(dump)
            holder = self.of(rows, truth["holder"])
            self.assertEqual(holder["kind"], "buffer")
            # Of the file, or of the inode table, if the file's times change, too.
            self.assertRegex(holder["waits_for"], rf"^buffer [0-9a-f]+ \(page \d+ of (/tmp/disk/ledger, .*|disk ){truth['device']}")
            clerks = [r for r in rows if r["comm"].startswith("clerk-")]
            self.assertEqual(sorted(r["comm"] for r in clerks), [f"clerk-{i + 1}" for i in range(truth["victims"])])
            for row in clerks:
                self.assertEqual((row["kind"], row["owner_pid"]), ("lock", holder["pid"]))
                self.assertIn("i_rwsem", row["waits_for"])
            self.assertEqual(self.ask(dump, "deadlock")["rings"], [])

    def test_the_verdict_names_the_volume_and_nobody_else(self):
        for dump, truth in self.each("dm-suspended"):
            # That it was suspended the kernel itself said.
            self.assertEqual((dump.oracle / "dm" / "suspended").read_text().strip(), "1")
            name = (dump.oracle / "dm" / "name").read_text().strip()
            self.assertEqual(name, truth["volume"])
            verdict = self.report(dump)["verdict"]
            self.assertEqual((verdict["kind"], verdict["function"], verdict["module"]), ("hung-task", None, None))
            volume = f"{truth['device']} (volume {name} of the device-mapper)"
            self.assertEqual(verdict["who"], f"whoever suspended {volume}")
            self.assertIn(f"{volume} is suspended, and has put the I/O for that page aside", verdict["why"])
            if f"with {truth['holder']} (pid" in verdict["why"]:
                self.assertIn(f"it holds up {truth['victims']} tasks", verdict["why"])
            else:
                self.assertIn(f"{truth['holder']} (pid", verdict["what"])


class Picture(Waits):
    def page(self, dump):
        return lab.inquest("--no-debuginfo", "--html", dump.vmcore).stdout

    def test_arrows(self):
        """Red ones are of rings; what many wait for is one arrow."""
        for dump, truth in self.each("pileup"):
            svg = re.search(r'<svg class="waits".*?</svg>', self.page(dump), re.S)
            self.assertTrue(svg, "there is no picture")
            root = xml.etree.ElementTree.fromstring(svg[0])
            names = [t.text for t in root.findall("text")]
            for ring in truth["rings"]:
                for name in ring:
                    self.assertTrue([n for n in names if n.startswith(name)], name)
            self.assertTrue([n for n in names if n.endswith(" and 3 more")], names)
            titles = {g.find("title").text: g.get("class") for g in root.findall("g")}
            red = [t for t, c in titles.items() if c == "bad"]
            self.assertEqual(len(red), sum(len(ring) for ring in truth["rings"]))
            # Three tasks wait for the lock that nobody can give back: that is no arrow.
            self.assertFalse([t for t in titles if "left/" in t])

    def test_none_where_nobody_waits(self):
        for dump, _ in self.each("sysrq"):
            self.assertNotIn('<svg class="waits"', self.page(dump))


class WriteWalk(Waits):
    def test_the_writer_has_what_readers_and_writers_wait_for(self):
        for dump, truth in self.each("write-walk"):
            verdict = self.report(dump)["verdict"]
            self.assertIn(verdict["function"], (truth["holder"], truth["walker"]))
            self.assertIn(f"{truth['holder']} took it", verdict["why"])
            cpus = self.ask(dump, "cpus")["cpus"]
            writer = next(c for c in cpus if c["comm"].startswith("pruner/"))
            self.assertEqual(writer["victims"], len(cpus) - 1)
            # Readers and writers tell different stories, of one lock.
            others = [c for c in cpus if c is not writer]
            self.assertEqual({c["owner_pid"] for c in others}, {writer["pid"]})
            self.assertGreaterEqual(len({c["story"] for c in others}), 2)


class Nobody(Waits):
    def test_an_empty_answer_is_said_to_be_one(self):
        for dump in lab.dumps(name="oom", truncate=100) + lab.dumps(name="cgroup-oom", truncate=100):
            for line, key, note in (("blocked", "blocked", "is blocked"), ("blocked -g", "roots", "hold up"), ("locks", "locks", "for a lock"), ("deadlock", "rings", "in a ring")):
                with self.subTest(dump=str(dump), line=line):
                    value = self.ask(dump, line)
                    self.assertEqual(note in str(value.get("remarks")), not value[key])


class ShortWay(Waits):
    """A CPU that was stopped where it has just called for a spinning lock; or where it waits for one."""

    def stopped_in(self, dump, function):
        """What the second CPU waits for then: a dump as the real one, but for that."""
        def address(name):
            return int(self.ask(dump, f"sym {name}")["symbols"][0]["address"], 16)

        data = bytearray(dump.vmcore.read_bytes())
        old, lock = damage.cpu_registers(data, 1), address("jiffies_lock")
        stack = old["rsp"] - 8
        physical = int(self.ask(dump, f"vtop {stack:x}")["translations"][0]["physical"], 16)
        damage.stop_elsewhere(data, 1, {"rip": address(function), "rsp": stack, "rdi": lock}, physical, [old["rip"]])
        with tempfile.TemporaryDirectory() as folder:
            changed = pathlib.Path(folder, "vmcore")
            changed.write_bytes(data)
            run = lab.inquest("--json", "--no-debuginfo", "-c", "cpus", changed)
        (cpu,) = [c for c in json.loads(run.stdout)["cpus"] if c["cpu"] == 1]
        self.assertIn(function, " ".join(cpu["layers"]))
        return cpu["object"] and int(cpu["object"], 16), lock

    def test_where_a_cpu_waits(self):
        dumps = [d for d in lab.dumps(name="sysrq", capture="qemu-elf") if d.meta["vmcoreinfo"]]
        if not dumps:
            self.skipTest("the lab has no ELF dump of a sysrq")
        for dump in dumps:
            with self.subTest(dump=str(dump)):
                waited_for, lock = self.stopped_in(dump, "native_queued_spin_lock_slowpath")
                self.assertEqual(waited_for, lock)
                for function in "_raw_spin_lock", "_raw_spin_lock_irqsave":
                    self.assertEqual(self.stopped_in(dump, function)[0], None, function)


class QueueOrder(Waits):
    """Three wait for a spinlock, three for a rwlock, let in one after the other."""

    def spinners(self, dump):
        """Of `blocked`: who sleeps may stand in a line as well."""
        spun_for = {r["object"] for r in self.ask(dump, "locks")["locks"] if r["kind"] in SPINNING}
        return [r for r in self.blocked(dump) if r["object"] in spun_for]

    def test_locks(self):
        for dump, truth in self.each("queue-order"):
            # Others may have lines, too: threads that wait for a grace period, which the locked CPUs hold up.
            found = {r["object"]: r for r in self.ask(dump, "locks")["locks"]}
            cpus = {r["pid"]: r["cpu"] for r in self.blocked(dump)}
            names = self.names(dump)
            known = dict(re.findall(r"(gate|book) ([0-9a-f]{16})", (dump.folder / "console.log").read_text()))
            for kind, lock in (("spinlock", "gate"), ("rwlock", "book")):
                row = found[f"0x{known[lock]}"]
                self.assertEqual(row["kind"], kind)
                self.assertEqual([cpus[pid] for pid in row["line"]], truth[lock])
                self.assertEqual(row["waiters"], len(truth[lock]))
                self.assertEqual(names[row["owner_pid"]], truth["keepers"][lock])

    def test_places(self):
        for dump, truth in self.each("queue-order"):
            wanted = {cpu: i + 1 for lock in ("gate", "book") for i, cpu in enumerate(truth[lock])}
            self.assertEqual({r["cpu"]: r["place"] for r in self.spinners(dump) if r["place"]}, wanted)
            told = {c["cpu"]: c["place"] for c in self.ask(dump, "cpus")["cpus"]}
            self.assertEqual({cpu: place for cpu, place in told.items() if place}, wanted)

    def test_the_verdict_blames_a_keeper(self):
        for dump, _ in self.each("queue-order"):
            verdict = self.report(dump)["verdict"]
            self.assertEqual((verdict["kind"], verdict["module"], verdict["function"]), ("softlockup", "turnstile", "keep"))

    def test_none_without_a_queue(self):
        """A guest of a hypervisor has spinlocks without one (virt_spin_lock())."""
        for dump, _ in self.each("lock-walk"):
            self.assertEqual({r["place"] for r in self.spinners(dump)}, {None})


class UserPileup(Waits):
    """Without any module: locks held while a page of user space is awaited, on the newest kernel, too."""

    def test_roots(self):
        for dump, truth in self.each("user-pileup"):
            rows, names = self.blocked(dump), self.names(dump)
            for waiter, root in truth["roots"].items():
                row = self.of(rows, waiter)
                self.assertEqual((names[row["owner_pid"]], row["owner_sure"]), (root, True), waiter)
            # Who looks a name up waits behind those who want to write.
            self.assertEqual(names[self.of(rows, "looker")["owner_pid"]], "lister")
            self.assertEqual(self.ask(dump, "deadlock")["rings"], [])

    def test_what_they_wait_for(self):
        for dump, truth in self.each("user-pileup"):
            rows = self.blocked(dump)
            for waiter, words in truth["waits_for"].items():
                row = self.of(rows, waiter)
                self.assertIn(words, row["waits_for"])
                self.assertEqual(row["confirmed"], row["kind"] == "lock", waiter)
            # They came one after the other.
            lines = [[self.of(rows, name)["place"] for name in line] for line in truth["lines"]]
            self.assertEqual(lines, [list(range(1, len(line) + 1)) for line in truth["lines"]])

    def test_what_the_task_itself_notes(self):
        """Since 6.16 the kernel does (task_struct.blocker); before, the test has nothing to compare with."""
        found = 0
        if not lab.dumps(name="user-pileup", series="newest"):
            self.skipTest("the lab has no dump of user-pileup on the newest kernel")
        for dump, _ in self.each("user-pileup"):
            if dump.meta["series"] != "newest":
                continue
            for row in self.blocked(dump):
                if row["kind"] != "lock":
                    continue
                noted = self.ask(dump, f"struct task_struct.blocker {self.address_of(dump, row['pid'])}")
                self.assertEqual(self.member(noted, "blocker") & ~3, int(row["object"], 16), row)
                found += 1
        self.assertGreaterEqual(found, 8)

    def address_of(self, dump, pid):
        return next(t["task"] for t in self.ask(dump, "ps")["tasks"] if t["pid"] == pid)

    def member(self, answer, name):
        return int(re.search(rf'"{name}"[^}}]*?"value": "?(0x[0-9a-f]+|[0-9]+)', json.dumps(answer))[1], 0)

    def test_wait_queues(self):
        for dump, truth in self.each("user-pileup"):
            rows = self.ask(dump, "blocked -a")["blocked"]
            for name in ("scribe", "lister", "pump"):
                row = self.of(rows, name)
                self.assertEqual((row["kind"], row["function"], row["confirmed"]), ("wait queue", "handle_userfault", True))
                self.assertIn("userfaultfd_ctx", row["waits_for"])
            for name, queue in truth["queues"].items():
                self.assertIn(queue, self.of(rows, name)["waits_for"])

    def test_verdict(self):
        for dump, _ in self.each("user-pileup"):
            verdict = self.report(dump)["verdict"]
            self.assertEqual((verdict["kind"], verdict["function"]), ("hung-task", None))
            pages = re.search(r"known missing (0x[0-9a-f]+)", (dump.folder / "guest.log").read_text())[1]
            told = re.search(r"(?:scribe|lister|pump) \(pid \d+\) came upon a page .* at (0x[0-9a-f]+)", verdict["why"])
            self.assertIn(int(told[1], 16) - int(pages, 16), (0, 4096, 8192))


class Floods(Waits):
    def test_whose_callbacks_they_are(self):
        for dump, truth in self.each("callback-flood"):
            found = [f for f in self.report(dump)["findings"] if f["kind"] == "callback-flood"]
            self.assertEqual(len(found), 1)
            self.assertEqual((found[0]["confidence"], found[0]["function"]), ("likely", truth["callback"]))
            self.assertGreaterEqual(int(found[0]["what"].split()[0]), truth["callbacks"])
            self.assertIn("has not ended for", found[0]["why"])

    def blocks_to_free(self, dump):
        """The lists of blocks of CPU 0 that are not empty. Under pressure kfree_rcu() makes none."""
        lists = ([f"krc:0.{of}[{kind}]" for kind in (0, 1) for of in ("bkvhead", "krw_arr[0].bkvhead_free", "krw_arr[1].bkvhead_free")]
                 if dump.meta["series"] == "6.1" else
                 [f"krc:0.{of}[{kind}].next" for kind in (0, 1) for of in ("bulk_head", "krw_arr[0].bulk_head_free", "krw_arr[1].bulk_head_free")])
        values = {first: self.ask(dump, f"p (unsigned long){first}")["values"][0]["value"] for first in lists}
        heads = {first: self.ask(dump, f"p (unsigned long)&{first}")["values"][0]["value"] for first in lists}
        return [first for first in lists if values[first] not in (0, heads[first])]

    def test_what_kfree_rcu_is_to_free(self):
        """It is in no list of callbacks: nearly all of the module's tickets, which are of one size."""
        for dump, truth in self.each("free-flood"):
            (found,) = [f for f in self.report(dump)["findings"] if f["kind"] == "callback-flood"]
            self.assertEqual((found["confidence"], found["function"]), ("likely", None))
            told = re.fullmatch(r"(\d+) objects that kfree_rcu\(\) is to free wait on CPU 0, most of them of slab cache (\S+)", found["what"])
            self.assertTrue(told, found["what"])
            self.assertEqual(told[2], truth["cache"])
            # The kernel's own code frees a few in this way, too.
            self.assertTrue(truth["objects"] <= int(told[1]) < truth["objects"] + 1000, told[1])
            self.assertIn("has not ended for", found["why"])
            # A chain, a list of blocks that runs in a circle tells no number.
            circles = ["'&krc:0.head' '&init_task.ptraced'", *(f"'&{first}->next' '{first}'" for first in self.blocks_to_free(dump)[:1])]
            for words in circles:
                run = lab.inquest("--json", "-c", f"wr {words}", "-c", "report", dump.vmcore)
                self.assertNotIn("wr: ", run.stderr)
                after = json.loads(run.stdout)["commands"][-1]
                left = [re.match(r"at least (\d+) objects that kfree_rcu", f["what"]) for f in after["findings"] if f["kind"] == "callback-flood"]
                self.assertTrue(all(left), words)
                self.assertLessEqual(sum(int(n[1]) for n in left), int(told[1]), words)

    def test_storms_are_named(self):
        for dump, truth in self.each("storms"):
            found = self.report(dump)["findings"]
            log = "\n".join(r["text"] for r in self.ask(dump, "log")["records"])
            for kind, (function, confidence) in truth["storms"].items():
                if kind == "irq-storm" and "Disabling IRQ" not in log:
                    # The machine was paused between two of them: to the kernel that is no storm.
                    self.assertNotIn(kind, {f["kind"] for f in found})
                    continue
                of_kind = [f for f in found if f["kind"] == kind]
                # It is likely where the thread had the CPU for long at one go, which is up to the others.
                confidences = {confidence, "likely"} if kind == "softirq-storm" else {confidence}
                self.assertEqual(len(of_kind), 1, kind)
                self.assertIn(of_kind[0]["confidence"], confidences, kind)
                told = (of_kind[0]["function"], of_kind[0]["what"], of_kind[0]["why"])
                self.assertTrue(any(function in words for words in told if words), told)

    def test_tasks_in_reclaim(self):
        for dump, truth in self.each("reclaim"):
            found = [f for f in self.report(dump)["findings"] if f["kind"] == "reclaim-livelock"]
            self.assertEqual([f["confidence"] for f in found], ["possible"])
            self.assertIn(truth["reclaimers"], found[0]["what"])

    def test_others_have_none(self):
        for dump in lab.dumps(truncate=100):
            if dump.meta["name"] not in ("callback-flood", "free-flood", "storms", "reclaim"):
                with self.subTest(dump=str(dump)):
                    self.assertFalse({f["kind"] for f in self.report(dump)["findings"]} & FLOODS)


class RealTime(Waits):
    """PREEMPT_RT: spinlocks and rwlocks sleep, and know who has them; of readers only the number is kept."""

    def test_who_has_what(self):
        for dump, truth in self.each("rt-locks"):
            rows, names = self.blocked(dump), self.names(dump)
            for waiter, (owner, kind, by_word) in truth["owners"].items():
                row = self.of(rows, waiter)
                self.assertEqual((row["kind"], names[row["owner_pid"]], row["confirmed"]), ("lock", owner, True), row)
                self.assertEqual(row["owner_how"], "owner word" if by_word else "code", row)
                self.assertTrue(row["waits_for"].startswith(kind), row)

    def test_lines(self):
        for dump, truth in self.each("rt-locks"):
            names = self.names(dump)
            lines = [[names[pid] for pid in lock["line"]] for lock in self.ask(dump, "locks")["locks"]]
            self.assertIn(truth["line"], lines)

    def test_an_owner_that_took_nothing(self):
        """RCU makes the reader the owner of a lock, so that who waits for that lends it its priority."""
        for dump, truth in self.each("rt-locks"):
            for row in self.blocked(dump):
                if row["comm"].startswith("rcub/"):
                    self.assertEqual(self.names(dump)[row["owner_pid"]], "diner/1", row)


class Crowd(Waits):
    def test_all_wait_for_the_keeper(self):
        for dump, truth in self.each("crowd-lock"):
            began = time.monotonic()
            rows = self.blocked(dump)
            self.assertLess(time.monotonic() - began, CROWD_SECONDS_MAX)
            visitors = [r for r in rows if r["comm"].startswith("visitor/")]
            self.assertEqual(len(visitors), truth["threads"])
            keeper = {p for p, comm in self.names(dump).items() if comm == truth["keeper"]}
            known = [r for r in visitors if r["owner_pid"] in keeper]
            # With PREEMPT_RT a rwsem keeps nothing of its readers, and this one took them in a loop.
            self.assertGreaterEqual(len(known), CROWD_NAMED // 2 if is_rt(dump) else CROWD_NAMED)
            self.assertEqual({r["owner_pid"] for r in visitors if r["owner_pid"] is not None}, keeper)
            self.assertEqual(self.ask(dump, "deadlock")["rings"], [])
            # A lock's list has each of them once.
            for lock in {r["object"] for r in visitors}:
                places = [r["place"] for r in visitors if r["confirmed"] and r["object"] == lock]
                self.assertEqual(sorted(places), list(range(1, len(places) + 1)))


class Well(Waits):
    def test_no_rings(self):
        self.assertFalse(STUCK & set(HEALTHY))
        for name in HEALTHY:
            for dump in lab.dumps(name=name, truncate=100):
                with self.subTest(dump=str(dump)):
                    self.assertEqual(self.ask(dump, "deadlock")["rings"], [])

    def test_nothing_stuck_is_found(self):
        for name in ("sysrq", "many-tasks", "values", "objects"):
            for dump in lab.dumps(name=name, truncate=100):
                with self.subTest(dump=str(dump)):
                    for finding in self.report(dump)["findings"]:
                        if finding["kind"] in ("deadlock", "stuck-task"):
                            self.assertEqual(finding["confidence"], "possible", finding["what"])


if __name__ == "__main__":
    unittest.main()
