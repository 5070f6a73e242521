# SPDX-License-Identifier: LGPL-2.1-or-later
"""The log's earlier troubles: which there were, counted, and what they have to do with the crash.

On the lab's dumps, and on texts written here: the same machine with another thing in its log."""

import json
import pathlib
import tempfile
import time
import unittest

import lab

# Panics that the kernel was told to have: what it followed is said to be the cause.
ORDERED = {"hung task", "soft lockup", "hard lockup", "RCU stall", "out of memory", "kernel warning",
           "KFENCE report", "KASAN report", "undefined behaviour", "hardware error"}

TASK = "CPU: 1 PID: {pid} Comm: {comm} Tainted: G           O       6.1.0-57-amd64 #1  Debian"

OOPS = """\
[  {at}.000000] BUG: kernel NULL pointer dereference, address: 0000000000000030
[  {at}.000001] #PF: supervisor read access in kernel mode
[  {at}.000002] #PF: error_code(0x0000) - not-present page
[  {at}.000003] Oops: 0000 [#{number}] PREEMPT SMP NOPTI
[  {at}.000004] CPU: 1 PID: {pid} Comm: {comm} Tainted: G           O       6.1.0-57-amd64 #1  Debian
[  {at}.000005] RIP: 0010:{function}+0x14/0x40 [{module}]
[  {at}.000006] Code: 48 89 fb 48 8b 07 90 <48> 8b 40 30 5b c3 cc cc cc cc
[  {at}.000007] RSP: 0018:ffffb3c0c0f5fd20 EFLAGS: 00010246
[  {at}.000008] RAX: 0000000000000000 RBX: ffff8f5a4210a000 RCX: 0000000000000001
[  {at}.000009] RDX: 0000000000000002 RSI: ffff8f5a4210b000 RDI: ffff8f5a4210a000
[  {at}.000010] CR2: 0000000000000030 CR3: 0000000001e96000 CR4: 0000000000750ef0
[  {at}.000011] Call Trace:
[  {at}.000012]  <TASK>
[  {at}.000013]  {caller}+0x22/0x50 [{module}]
[  {at}.000014]  process_one_work+0x1c7/0x380
[  {at}.000015]  worker_thread+0x4d/0x380
[  {at}.000016]  kthread+0xda/0x100
[  {at}.000017]  </TASK>
[  {at}.000018] Modules linked in: {module}(O) virtio_blk
[  {at}.000019] ---[ end trace 0000000000000000 ]---
"""
PANIC = "[  {at}.000020] Kernel panic - not syncing: Fatal exception\n"


def oops(at=90, number=1, pid=77, comm="kworker/1:1", module="chan", function="channel_free",
         caller="channel_work"):
    return OOPS.format(**locals())


def death(**words):
    text = oops(**words)
    return text + PANIC.format(at=words.get("at", 90))


FAILURE = """\
[  {at}.100000] {comm}: page allocation failure: order:{order}, mode:0x40cc0(GFP_KERNEL|__GFP_COMP), nodemask=(null)
[  {at}.100001] CPU: 0 PID: 50 Comm: {comm} Tainted: G           O       6.1.0-57-amd64 #1  Debian
[  {at}.100002] Call Trace:
[  {at}.100003]  <TASK>
[  {at}.100004]  dump_stack_lvl+0x44/0x5c
[  {at}.100005]  warn_alloc+0x132/0x1b0
[  {at}.100006]  __alloc_pages_slowpath.constprop.0+0x2ac/0xe00
[  {at}.100007]  __alloc_pages+0x305/0x330
[  {at}.100008]  {function}+0x7d/0xe0{module}
[  {at}.100009]  ksys_write+0x6b/0xf0
[  {at}.100010]  </TASK>
[  {at}.100011] Mem-Info:
[  {at}.100012] Node 0 DMA: 1*4kB (U) 0*8kB 0*16kB 0*32kB 0*64kB 0*128kB 0*256kB 0*512kB 0*1024kB 0*2048kB 0*4096kB = 4kB
[  {at}.100013] Node 0 Normal: 8454*4kB (UEM) 6702*8kB (UEM) 5452*16kB (UEM) 0*32kB 0*64kB 0*128kB 0*256kB 0*512kB 0*1024kB 0*2048kB 0*4096kB = 174664kB
[  {at}.100014] 966873 total pagecache pages
"""


def failure(at=80, comm="setup", order=4, function="channel_create", module=" [chan]"):
    return FAILURE.format(**locals())


KASAN = """\
[  70.000000] ==================================================================
[  70.000001] BUG: KASAN: slab-use-after-free in {function}+0x15/0x40 [{module}]
[  70.000002] Write of size 8 at addr {address} by task sh/12
[  70.000003] CPU: 1 PID: 12 Comm: sh Tainted: G           O       6.1.0-57-amd64 #1  Debian
[  70.000004] Call Trace:
[  70.000005]  <TASK>
[  70.000006]  {function}+0x15/0x40 [{module}]
[  70.000007]  </TASK>
[  70.000008] The buggy address belongs to the object at {address}
[  70.000009]  which belongs to the cache kmalloc-256 of size 256
[  70.000010] ==================================================================
"""

WARNING = """\
[  {at}.200000] ------------[ cut here ]------------
[  {at}.200001] WARNING: CPU: 1 PID: {pid} at drivers/chan/chan.c:77 {function}+0x1e/0x40{module}
[  {at}.200002] Modules linked in: chan(O)
[  {at}.200003] CPU: 1 PID: {pid} Comm: sh Tainted: G           O       6.1.0-57-amd64 #1  Debian
[  {at}.200004] RIP: 0010:{function}+0x1e/0x40{module}
[  {at}.200005] Call Trace:
[  {at}.200006]  <TASK>
[  {at}.200007]  ksys_write+0x6b/0xf0
[  {at}.200008]  </TASK>
[  {at}.200009] ---[ end trace 0000000000000000 ]---
"""


def warning(at=85, pid=12, function="channel_free", module=" [chan]"):
    return WARNING.format(**locals())


def report_of(text):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "console.log"
        path.write_text(text)
        run = lab.inquest("oops", "--json", path)
    if run.returncode not in (0, 1):
        raise AssertionError(run.stderr)
    return json.loads(run.stdout)


def causes(report):
    return [a for a in report["log"] if a["cause"]]


def related(report):
    return [a for a in report["log"] if a["related"]]


class Texts(unittest.TestCase):
    def only(self, report, kind):
        found = [a for a in report["log"] if a["kind"] == kind]
        self.assertEqual(len(found), 1, report["log"])
        return found[0]

    def test_alone(self):
        report = report_of(death())
        self.assertEqual(report["verdict"]["kind"], "null-pointer")
        self.assertEqual([a["kind"] for a in report["log"]], ["NULL pointer dereference", "panic"])
        self.assertEqual(related(report), [])

    def test_failed_step_left_it_unset(self):
        report = report_of(failure() + death())
        cause = self.only(report, "page allocation failure")
        self.assertEqual((cause["cause"], cause["relation"]), (True, "likely"))
        why = report["verdict"]["why"]
        self.assertIn("the page allocation of order 4 that failed 10 s earlier in setup left it unset (NULL)", why)
        claims = " ".join(e["claim"] for e in report["verdict"]["evidence"])
        self.assertIn("no free block of order 4 or more was left in zone Normal, beside 170 MiB in smaller ones: "
                      "fragmentation", claims)
        self.assertIn("not seen", report["verdict"]["against"])

    def test_failed_step_of_the_same_task(self):
        """In the kernel's own code: alike names make it likely, none at all only possible."""
        crash = death(pid=50, comm="setup", module="m", function="tty_read", caller="tty_wait").replace(" [m]", "")
        report = report_of(failure(function="tty_buffer_grow", module="") + crash)
        self.assertEqual(self.only(report, "page allocation failure")["relation"], "likely")
        report = report_of(failure(function="zap_things", module="") + crash)
        found = self.only(report, "page allocation failure")
        self.assertEqual((found["cause"], found["relation"]), (False, "possible"))

    def test_failed_step_of_something_else(self):
        """A failure elsewhere, or a value that was no unset one, is no cause."""
        report = report_of(failure(function="other_create", module=" [other]") + death())
        self.assertEqual(related(report), [])
        report = report_of(failure(function="tty_buffer_alloc", module="") + death())
        self.assertEqual(related(report), [])
        wild = death().replace("address: 0000000000000030", "address: ffff8f5a00000030") \
                      .replace("RAX: 0000000000000000", "RAX: ffff8f5a00000000") \
                      .replace("kernel NULL pointer dereference,", "unable to handle page fault for") \
                      .replace("CR2: 0000000000000030", "CR2: ffff8f5a00000030")
        report = report_of(failure() + wild)
        self.assertEqual(causes(report), [])
        self.assertEqual(self.only(report, "page allocation failure")["relation"], "possible")

    def test_damage_caught_before(self):
        report = report_of(KASAN.format(function="channel_send", module="chan", address="ffff888012345678") + death())
        cause = self.only(report, "KASAN report")
        self.assertEqual((cause["cause"], cause["relation"]), (True, "likely"))
        self.assertIn("KASAN report in channel_send() 20 s earlier", report["verdict"]["why"])
        self.assertEqual(report["verdict"]["function"], "channel_send")

    def test_damage_of_the_same_kind_of_thing(self):
        """The kernel's own code: no module to go by, other functions, the same words in their names."""
        kasan = KASAN.format(function="kallsyms_prog_del", module="m", address="ffff888012345678").replace(" [m]", "")
        crash = death(module="m", function="kallsyms_prog_find", caller="kallsyms_walk").replace(" [m]", "")
        report = report_of(kasan + crash)
        self.assertTrue(self.only(report, "KASAN report")["cause"])
        report = report_of(kasan.replace("kallsyms_prog", "other_thing") + crash)
        self.assertEqual(related(report), [])

    def test_damage_elsewhere(self):
        report = report_of(KASAN.format(function="other_send", module="other", address="ffff888012345678") + death())
        self.assertEqual(causes(report), [])

    def test_damage_on_the_same_address(self):
        """In another module, but on the object that the crash was about."""
        wild = death().replace("address: 0000000000000030", "address: ffff888012345678") \
                      .replace("kernel NULL pointer dereference,", "unable to handle page fault for") \
                      .replace("RAX: 0000000000000000", "RAX: ffff888012345648") \
                      .replace("CR2: 0000000000000030", "CR2: ffff888012345678")
        report = report_of(KASAN.format(function="other_send", module="other", address="ffff888012345678") + wild)
        cause = self.only(report, "KASAN report")
        self.assertTrue(cause["cause"])
        self.assertIn("0xffff888012345678", cause["related"])

    def test_the_first_death_of_two(self):
        """A text of two deaths is about the first: what followed is no cause of it."""
        report = report_of(death(at=30) + oops(at=90, number=2))
        self.assertEqual(causes(report), [])

    def test_warning_in_the_same_function(self):
        report = report_of(warning() + death())
        self.assertTrue(self.only(report, "kernel warning")["cause"])

    def test_warning_in_the_same_module_days_before(self):
        report = report_of(warning(at=10, function="channel_open") + death(at=99990))
        found = self.only(report, "kernel warning")
        self.assertEqual((found["cause"], found["relation"]), (False, "possible"))

    def test_warning_elsewhere(self):
        report = report_of(warning(function="tcp_recvmsg", module="") + death())
        self.assertEqual(related(report), [])

    def test_damaged_file_system(self):
        line = "[  88.000000] XFS (dm-0): Metadata corruption detected at xfs_agf_read_verify+0x1/0x2 [xfs], xfs_agf block 0x1\n"
        inside = death(module="xfs", function="xfs_trans_cancel", caller="xfs_free_extent")
        report = report_of(line + inside)
        found = self.only(report, "file system error")
        self.assertEqual((found["cause"], found["relation"]), (True, "likely"))
        self.assertIn("file system error 2 s earlier", report["verdict"]["why"])
        report = report_of(line + death())
        self.assertEqual(related(report), [])
        other = "[  88.000000] EXT4-fs error (device vda): ext4_lookup:1234: inode #2: comm ls: bad extra_isize\n"
        self.assertEqual(related(report_of(other + inside)), [])

    def test_crash_by_request(self):
        """Whatever was in the log before: somebody wanted it."""
        text = failure() + warning() + KASAN.format(function="channel_send", module="chan", address="ffff888012345678")
        text += ("[  95.000000] sysrq: Trigger a crash\n"
                 "[  95.000001] Kernel panic - not syncing: sysrq triggered crash\n"
                 "[  95.000002] CPU: 0 PID: 99 Comm: bash Tainted: G           O       6.1.0-57-amd64 #1  Debian\n"
                 "[  95.000003] Call Trace:\n"
                 "[  95.000004]  <TASK>\n"
                 "[  95.000005]  panic+0x118/0x2f4\n"
                 "[  95.000006]  sysrq_handle_crash+0x16/0x20\n"
                 "[  95.000007]  </TASK>\n")
        report = report_of(text)
        self.assertEqual(report["verdict"]["kind"], "sysrq")
        self.assertEqual(related(report), [])
        self.assertEqual(len(report["log"]), 4)

    def test_lines_alike_are_counted(self):
        text = "".join(f"[  {10 + i}.000000] blk_update_request: I/O error, dev sd{'ab'[i % 2]}, sector {4711 * i} op 0x0\n"
                       for i in range(12))
        text += "".join(f"[  {30 + i}.000000] kvm [26261]: vcpu{i % 4} unhandled rdmsr: 0x{0x1a2 + i:x}\n"
                        for i in range(30))
        report = report_of(text + death())
        errors = [a for a in report["log"] if a["kind"] == "I/O error"]
        self.assertEqual([a["count"] for a in errors], [6, 6])  # of two disks
        self.assertEqual(errors[0]["last_ns"], 20 * 10**9)
        repeated = self.only(report, "repeated message")
        self.assertEqual((repeated["count"], repeated["last_ns"], repeated["weight"]), (30, 59 * 10**9, "notable"))

    def test_long_log_is_quick(self):
        """40,000 lines, 2,000 of them reports."""
        lines = []
        for i in range(2000):
            lines += [f"[ {100 + i}.000000] eth0: message number {j} of {i} about nothing" for j in range(12)]
            lines.append(warning(at=100 + i, function=f"function_{chr(97 + i % 26)}", module=""))
        text = "\n".join(lines) + "\n" + death(at=9000)
        self.assertGreater(len(text), 2 << 20)
        begin = time.monotonic()
        report = report_of(text)
        self.assertLess(time.monotonic() - begin, 5)  # it takes a tenth of a second on an idle machine
        self.assertEqual(report["verdict"]["kind"], "null-pointer")


class Dumps(unittest.TestCase):
    def each(self, **wanted):
        found = lab.dumps(**wanted)
        if not found:
            self.skipTest(f"the lab has no dump of {wanted}")
        for dump in found:
            with self.subTest(dump=str(dump)):
                yield dump, lab.query(dump, "report")

    def test_number_that_was_never_given(self):
        for dump, report in self.each(name="unset-id", truncate=100):
            self.assertEqual([a["kind"] for a in causes(report)], ["page allocation failure"])
            self.assertIn("the page allocation of order 6 that failed", report["verdict"]["why"])
            self.assertIn("left it unset (-1)", report["verdict"]["why"])
            self.assertEqual(report["verdict"]["module"], dump.truth["module"])

    def test_page_full_of_the_log(self):
        for _, report in self.each(name="reverse-map", truncate=100):
            repeated = [a for a in report["log"] if a["kind"] == "repeated message" and a["related"]]
            self.assertEqual(len(repeated), 1, report["log"])
            self.assertGreater(repeated[0]["count"], 50)
            self.assertEqual(causes(report), [])

    def test_policies(self):
        for _, report in self.each(name="hung-task", truncate=100):
            # Each of the waiters is told of, and whoever of the kernel's own slept as long.
            self.assertEqual({(a["kind"], a["relation"]) for a in causes(report)}, {("hung task", "certain")})

    def test_one_report_is_one_anomaly(self):
        for dump in lab.dumps(truncate=100):
            if dump.truth["class"] == "sysrq":
                continue
            with self.subTest(dump=str(dump)):
                for a in lab.query(dump, "report")["log"]:
                    self.assertNotRegex(a["text"], r"^(Oops: 0|invalid opcode: |Call Trace|RIP: )")

    def test_no_false_causes(self):
        """What the lab's modules do has no causes in the log, but for the scenarios above."""
        for dump in lab.dumps(truncate=100):
            if dump.meta["name"] == "unset-id":
                continue
            with self.subTest(dump=str(dump)):
                for a in causes(lab.query(dump, "report")):
                    self.assertIn(a["kind"], ORDERED)
                    self.assertEqual(a["relation"], "certain")


class ErrorCode(unittest.TestCase):
    def test_an_error_code_that_was_used_as_a_pointer(self):
        text = oops().replace("BUG: kernel NULL pointer dereference, address: 0000000000000030", "BUG: unable to handle page fault for address: 0000000000000024")
        text = text.replace("RAX: 0000000000000000", "RAX: fffffffffffffff4").replace("CR2: 0000000000000030", "CR2: 0000000000000024")
        verdict = report_of(text)["verdict"]
        self.assertEqual((verdict["kind"], verdict["function"], verdict["module"]), ("err-pointer", "channel_free", "chan"))
        self.assertIn("error code -12 (ENOMEM)", verdict["what"])
        self.assertIn("returned an error code instead of a pointer", verdict["why"])


if __name__ == "__main__":
    unittest.main()
