# SPDX-License-Identifier: LGPL-2.1-or-later
"""Waits that are seldom, each told by name, with who lets nobody on where that can be known: rt_mutex, mmap_lock, SRCU, inodes, work queues, frozen
request queues, cgroups and file systems, journals, servers that do not answer, wake-ups that were lost. Symbols and BTF of the kernel are all there is."""

import re
import unittest

import lab
import waits


class Rare(waits.Test):
    def console(self, dump):
        return (dump.folder / "console.log").read_text(errors="replace").replace("\r", "")

    def verdict(self, dump):
        return self.report(dump)["verdict"]

    def of(self, dump, comm):
        """What all tasks of that name wait for, those that rest too."""
        rows = [row for row in self.ask(dump, "blocked -a")["blocked"] if row["comm"] == comm]
        self.assertTrue(rows, comm)
        return rows


class Rooms(Rare):
    def test_each_room(self):
        for dump, truth in self.each("waiting-rooms"):
            names = self.names(dump)
            for comm, room in truth["rooms"].items():
                if "needs" in room and comm not in names.values():
                    continue  # a kernel without that
                for row in self.of(dump, comm):
                    with self.subTest(comm=comm):
                        self.assertEqual(row["kind"], room["kind"])
                        self.assertRegex(row["waits_for"], room["waits_for"])
                        owner = names.get(row["owner_pid"])
                        self.assertTrue(owner == room["owner"] or owner and owner.startswith(room["owner"] or " "), (owner, row))

    def test_addresses_are_those_of_the_module(self):
        for dump, truth in self.each("waiting-rooms"):
            known = dict(re.findall(r"known (\S+) ([0-9a-f]{16})$", self.console(dump), re.M))
            self.assertEqual(len(known), len(truth["known"]))
            for comm, what in truth["known"].items():
                for row in self.of(dump, comm):
                    self.assertEqual(int(row["object"], 16), int(known[what], 16), comm)

    def test_who_rests_is_not_told_as_blocked(self):
        for dump, truth in self.each("waiting-rooms"):
            blocked = {row["comm"] for row in self.ask(dump, "blocked")["blocked"]}
            there = {comm for comm, room in truth["rooms"].items() if "needs" not in room or comm in self.names(dump).values()}
            self.assertLessEqual(there - set(truth["rests"]), blocked)
            self.assertFalse(blocked & set(truth["rests"]))
            self.assertEqual(self.ask(dump, "deadlock")["rings"], [])

    def test_who_has_the_other_end(self):
        for dump, truth in self.each("waiting-rooms"):
            names = self.names(dump)
            for comm, end in truth["other_ends"].items():
                for row in self.of(dump, comm):
                    self.assertEqual([names[pid] for pid in row["other_end"]], [end])

    def test_who_holds_up_others(self):
        """A chain over a mutex and a work queue; who sleeps in some function of its own is said to."""
        for dump, truth in self.each("waiting-rooms"):
            text = lab.inquest("--no-debuginfo", "-c", "blocked -g", dump.vmcore).stdout
            for root, victims in truth["roots"].items():
                self.assertRegex(text, rf"{root} \(pid \d+\) holds up {victims} tasks?; it sleeps itself, in sleep_for_ever")

    def test_the_verdict_is_who_asked_for_it(self):
        for dump, truth in self.each("waiting-rooms"):
            verdict = self.verdict(dump)
            self.assertEqual((verdict["kind"], verdict["confidence"]), ("sysrq", "certain"))
            self.assertIn(truth["comm"], verdict["what"])


class Server(Rare):
    """NFS: the server has fallen silent. Who complains waits for a page, a call, or one who does."""

    def test_waits(self):
        for dump, truth in self.each("nfs-silent"):
            # Who comes first is luck: it waits for the server, the others perhaps for what that one has. Whom a time-out has just woken runs.
            tasks = {task["pid"]: task["state"] for task in self.ask(dump, "ps")["tasks"] if task["comm"] in ("dd", "cat")}
            rows = {row["pid"]: row for row in self.ask(dump, "blocked -a")["blocked"] if row["pid"] in tasks}
            self.assertEqual(len(tasks), 3)
            self.assertEqual(set(tasks) - set(rows), {pid for pid, state in tasks.items() if state == "R"})
            said = {"page": r"^page \d+ of /tmp/records/(ledger, inode 3|others, inode 4) of nfs ", "lock": r"^rwsem [0-9a-f]+ \(.*nfs",
                    "remote procedure call": rf"\([A-Z]+ of nfs 3 to {truth['server']}\)$"}
            for row in rows.values():
                self.assertRegex(row["waits_for"], said[row["kind"]])
                # Of a call since it began, not since it was sent anew.
                self.assertGreater(row["waited_ns"], 4 * 10 ** 9)
            locks = [row for row in rows.values() if row["kind"] == "lock"]
            self.assertLess(len(locks), 3)
            for row in locks:
                has = rows.get(row["owner_pid"])
                self.assertTrue(has is None or has["kind"] == "remote procedure call", (row, has))

    def test_taken_as_it_is_held(self):
        """The folder's i_rwsem: one function takes it for reading or for writing, and the lock says which it was."""
        for dump, truth in self.each("nfs-silent"):
            for lock in self.ask(dump, "locks")["locks"]:
                if lock["kind"] == "rwsem" and lock["owner_how"] == "code":
                    self.assertIn({"read": "with down_read", "held": "with down_write"}[lock["state"]], lock["owners"])

    def test_verdict(self):
        for dump, truth in self.each("nfs-silent"):
            self.assertIn(f"nfs: server {truth['server']} not responding", self.console(dump))
            verdict = self.verdict(dump)
            self.assertEqual((verdict["kind"], verdict["function"], verdict["module"]), ("hung-task", None, None))
            self.assertEqual(verdict["who"], f"server {truth['server']}, or the network to it")
            self.assertRegex(verdict["why"], rf"the server {truth['server']} has not answered (that call|\d calls? \(.* of nfs 3 to {truth['server']}.*\)) "
                                             r"for \d+ s, in spite of \d+ time-outs?$")


class Journal(Rare):
    """ext4 behind a volume that lets nothing through: all wait for the journal, that for one change, that for a block."""

    def test_who_waits_for_whom(self):
        for dump, truth in self.each("journal-stuck"):
            names = self.names(dump)
            for comm, (waits_for, owner) in truth["waits"].items():
                for row in self.of(dump, comm):
                    self.assertRegex(row["waits_for"], waits_for)
                    self.assertEqual((names.get(row["owner_pid"]), row["owner_sure"]), (owner, True if owner else None))
            self.assertEqual(self.ask(dump, "deadlock")["rings"], [])

    def test_who_holds_up_all(self):
        for dump, truth in self.each("journal-stuck"):
            roots = self.ask(dump, "blocked -g")["roots"]
            self.assertEqual([(root["comm"], root["victims"]) for root in roots], [(truth["holder"], truth["victims"])])

    def test_verdict(self):
        for dump, truth in self.each("journal-stuck"):
            verdict = self.verdict(dump)
            self.assertEqual((verdict["kind"], verdict["confidence"]), ("hung-task", "certain"))
            self.assertIn(f"{truth['holder']} (pid ", verdict["why"])
            # 5.10 has no types of the module dm_mod.
            who = f"disk {truth['device']}, or one below it" if dump.meta["series"] == "5.10" else \
                f"whoever suspended {truth['device']} (volume {truth['volume']} of the device-mapper)"
            self.assertEqual(verdict["who"], who)


class FileSystemInUserSpace(Rare):
    """FUSE: its program reads what is asked, and answers nothing."""

    def test_who_is_to_answer(self):
        for dump, truth in self.each("fuse-silent"):
            names = self.names(dump)
            for comm, asked in truth["asked"].items():
                for row in self.of(dump, comm):
                    self.assertEqual(row["kind"], "FUSE request")
                    self.assertRegex(row["waits_for"], rf"^FUSE request [0-9a-f]+ \({asked} at /tmp/records\)$")
                    self.assertEqual([names[pid] for pid in row["other_end"]], [truth["server"]])

    def test_verdict(self):
        for dump, truth in self.each("fuse-silent"):
            verdict = self.verdict(dump)
            self.assertEqual((verdict["kind"], verdict["function"], verdict["module"]), ("hung-task", None, None))
            self.assertRegex(verdict["who"], rf"^{truth['server']} \(pid \d+\), which serves the file system at /tmp/records$")
            self.assertIn("has not answered that request, which it has read, and only waits for more requests", verdict["why"])


class FileSystemThatNeedsItself(Rare):
    def test_it_waits_for_itself(self):
        for dump, truth in self.each("fuse-self"):
            names = self.names(dump)
            for comm, asked in truth["asked"].items():
                for row in self.of(dump, comm):
                    self.assertRegex(row["waits_for"], rf"^FUSE request [0-9a-f]+ \({asked} at /tmp/records\)$")
                    self.assertEqual(names[row["owner_pid"]], truth["server"])
            rings = self.ask(dump, "deadlock")["rings"]
            self.assertEqual([[m["comm"] for m in ring["members"]] for ring in rings], [[truth["server"]]])

    def test_verdict(self):
        for dump, truth in self.each("fuse-self"):
            verdict = self.verdict(dump)
            self.assertEqual((verdict["kind"], verdict["function"]), ("deadlock", None))
            self.assertRegex(verdict["who"], rf"^{truth['server']} \(pid \d+\), which needs the file system that it serves itself$")


class Xfs(Rare):
    """What is behind a wait at XFS's log, or for a buffer of its metadata, is I/O."""

    def test_what_is_waited_for(self):
        for dump, truth in self.each("xfs-stuck"):
            for comm in ("dd", "sync"):
                for row in self.of(dump, comm):
                    self.assertEqual(row["kind"], "I/O")
                    self.assertRegex(row["waits_for"], rf"^I/O [0-9a-f]+ \({truth['device']}: write of \d+ bytes at sector \d+\)$")
            for row in self.of(dump, "stat"):
                self.assertRegex(row["waits_for"], rf"^completion [0-9a-f]+ \(b_iowait of xfs_buf {truth['device']}, sector \d+\)$")

    def test_verdict(self):
        for dump, truth in self.each("xfs-stuck"):
            verdict = self.verdict(dump)
            self.assertEqual(verdict["who"], f"whoever suspended {truth['device']} (volume {truth['volume']} of the device-mapper)")
            self.assertRegex(verdict["what"], r"^stat \(pid \d+\) waited too long for completion .*xfs_buf")
            self.assertRegex(verdict["why"], "is suspended, and has put the I/O for that page aside")


class SilentAdapter(Rare):
    """SCSI: all disks have one function that takes requests; what counts is the adapter's driver, and which device it is. Volumes are in between."""

    def test_verdict(self):
        for dump, truth in self.each("silent-hba"):
            verdict = self.verdict(dump)
            self.assertEqual((verdict["kind"], verdict["confidence"]), ("hung-task", "certain"))
            self.assertRegex(verdict["why"], rf"I/O of {truth['volume']}, which handed it on to {truth['device']}: the request for that page "
                                             rf"\({truth['device']}: write of \d+ bytes at sector \d+\) has been with the disk's driver for \d+ s")
            if dump.meta["series"] == "5.10":  # no types of the module scsi_mod
                self.assertEqual((verdict["module"], verdict["who"]), (None, f"the SCSI host adapter of {truth['device']}, its driver, or the disk"))
                continue
            self.assertEqual((verdict["function"], verdict["module"]), (truth["takes_commands"], truth["driver"]))
            self.assertIn(f"{truth['device']} is SCSI {truth['address']} ({truth['model']})", verdict["why"])

    def test_state_of_the_adapter(self):
        for dump, truth in self.each("silent-hba"):
            if dump.meta["series"] == "5.10":
                continue
            evidence = [e["claim"] for e in self.verdict(dump)["evidence"]]
            self.assertIn("its host adapter is running, with 0 failed commands", evidence)


class LoopFrozen(Rare):
    """The disk is a file of another file system, and that is frozen: who does the disk's I/O waits for that."""

    def test_the_way_to_it(self):
        for dump, truth in self.each("loop-frozen"):
            rows = self.of(dump, "dd")
            names = self.names(dump)
            self.assertEqual(len(rows), truth["writers"])
            for row in rows:
                self.assertRegex(row["waits_for"], rf"^page \d+ of /tmp/upper/.* on {truth['upper']},")
                self.assertRegex(names[row["owner_pid"]], rf"^(kworker/|{truth['upper']}$)")
            verdict = self.verdict(dump)
            self.assertEqual(verdict["who"], f"whoever froze the file system on {truth['device']}")
            self.assertIn(f"it does the I/O of {truth['upper']}", verdict["why"])
            self.assertIn(f"the ext4 file system on {truth['device']} is frozen", verdict["why"])


class FullQueue(Rare):
    """A disk that has as many requests as it takes, and ends none: who has more for it waits until it lets that in."""

    def test_who_waits_for_room(self):
        for dump, truth in self.each("full-queue"):
            waits = [row for row in self.ask(dump, "blocked")["blocked"] if row["kind"] == "request queue"]
            self.assertTrue(waits)
            for row in waits:
                self.assertRegex(row["waits_for"], rf"^request queue [0-9a-f]+ \({truth['device']}\)$")

    def test_verdict(self):
        for dump, truth in self.each("full-queue"):
            verdict = self.verdict(dump)
            self.assertRegex(verdict["why"], rf"{truth['device']} lets no more in: it has \d+ requests under way, of which the oldest "
                                             rf"\({truth['device']}: write of \d+ bytes at sector \d+\) has been with the disk's driver for \d+ s")
            if dump.meta["series"] != "5.10":  # no types of the module scsi_mod
                self.assertEqual((verdict["function"], verdict["module"]), (truth["takes_commands"], truth["driver"]))


class Frozen(Rare):
    def test_file_system(self):
        for dump, truth in self.each("fs-frozen"):
            verdict = self.verdict(dump)
            self.assertEqual((verdict["kind"], verdict["function"], verdict["module"]), ("hung-task", None, None))
            self.assertEqual(verdict["who"], f"whoever froze the file system on {truth['device']}")
            self.assertIn(f"the ext4 file system on {truth['device']} is frozen", verdict["why"])
            rows = self.of(dump, "dd")
            self.assertEqual(len(rows), truth["writers"])
            for row in rows:
                self.assertRegex(row["waits_for"], rf"^percpu rwsem [0-9a-f]+ \(s_writers\.rw_sem\[0\] of super_block ext4 on {truth['device']}\)$")
                self.assertGreater(row["waited_ns"], 10 ** 9)


class DirectReader(Rare):
    """Past the page cache: the bio is all there is."""

    def test_verdict(self):
        for dump, truth in self.each("direct-reader"):
            row, = self.of(dump, "dd")
            self.assertEqual((row["kind"], row["function"]), ("I/O", "submit_bio_wait"))
            # 4096 bytes behind 100 times as many; a sector has 512.
            self.assertRegex(row["waits_for"], rf"^I/O [0-9a-f]+ \({truth['device']}: read of 4096 bytes at sector 800\)$")
            verdict = self.verdict(dump)
            self.assertEqual((verdict["kind"], verdict["function"], verdict["module"]), ("hung-task", None, None))
            volume = f"{truth['device']} (volume {truth['volume']} of the device-mapper)"
            self.assertEqual(verdict["who"], f"whoever suspended {volume}")
            self.assertIn(f"{volume} is suspended, and has put that I/O aside", verdict["why"])


class HurriedRcu(Rare):
    def test_who_holds_up_the_grace_period(self):
        """One in a hurry has masks of its own: the CPU that reads is in those."""
        for dump, truth in self.each("hurried-rcu"):
            names = self.names(dump)
            row, = self.of(dump, truth["writer"])
            self.assertEqual((row["kind"], row["function"]), ("RCU grace period", "synchronize_rcu_expedited"))
            self.assertRegex(row["waits_for"], r"rcu_state\.expedited_sequence")
            self.assertEqual((names[row["owner_pid"]], row["owner_sure"]), (truth["reader"], True))


class SpoiltLock(Rare):
    """Nobody has the lock for which a CPU spins: text has run over it."""

    def test_verdict(self):
        for dump, truth in self.each("spoilt-lock"):
            parcel, lock = re.search(r"parcel ([0-9a-f]{16}) lock ([0-9a-f]{16})", self.console(dump)).groups()
            verdict = self.verdict(dump)
            self.assertEqual((verdict["kind"], verdict["function"], verdict["module"]), ("softlockup", truth["function"], truth["module"]))
            self.assertEqual(verdict["function_confidence"], "possible")
            self.assertRegex(verdict["why"], rf"waiting for a spinning lock, at {lock}: its word is 0x[0-9a-f]+, as it lies in the text "
                                             rf"\"{truth['text'][:26]}.* from {parcel} on, and no lock ever is that")
            self.assertIn("who spoilt the lock is not known", verdict["against"])
            self.assertEqual(int(verdict["object"], 16), int(parcel, 16))


class LostWakeup(Rare):
    def test_verdict(self):
        for dump, truth in self.each("lost-wakeup"):
            verdict = self.verdict(dump)
            self.assertEqual((verdict["kind"], verdict["function"], verdict["module"]), ("hung-task", None, None))
            self.assertRegex(verdict["why"], rf"^the semaphore is free, yet {truth['sleeper']} \(pid \d+\) is on its list of waiters and nobody was woken")

    def test_not_where_one_was_woken(self):
        """The same, but that one who waits in the same function could run: it was woken, and what it waited for is under way."""
        for dump, truth in self.each("lost-wakeup"):
            task = next(t for t in self.ask(dump, "ps")["tasks"] if t["comm"] == truth["sleeper"])
            member = "__state" if "__state" in str(self.ask(dump, "struct task_struct.__state")) else "state"
            run = lab.inquest("--no-debuginfo", "-c", f"wr -32 '&((struct task_struct *){task['task']})->{member}' 0", "-c", "report", dump.vmcore)
            self.assertNotIn("a wake-up was lost", run.stdout)


if __name__ == "__main__":
    unittest.main()
