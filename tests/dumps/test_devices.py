# SPDX-License-Identifier: LGPL-2.1-or-later
"""irq and dev against /proc and /sys of the machines that died."""

import json
import re
import unittest

import lab
import subsystems
from subsystems import each_dump


def interrupts(dump):
    """{irq: ([count of each CPU], chip, hwirq, flow, names)} of the numbered lines of /proc/interrupts."""
    lines = (dump.oracle / "proc/interrupts").read_text().splitlines()
    cpus = len(lines[0].split())
    found = {}
    for line in lines[1:]:
        words = line.split()
        if not words[0][:-1].isdigit():
            continue
        hwirq, flow = words[cpus + 2].split("-")
        found[int(words[0][:-1])] = ([int(w) for w in words[1:cpus + 1]], words[cpus + 1], int(hwirq), flow, " ".join(words[cpus + 3:]))
    return found


def numbers(text):
    """[(major, name)] of a half of /proc/devices."""
    return sorted((int(w[0]), w[1]) for w in map(str.split, text.splitlines()) if len(w) == 2 and w[0].isdigit())


class Devices(subsystems.Test):
    @each_dump
    def test_counts_of_interrupts(self, dump):
        wanted = interrupts(dump)
        rows = lab.query(dump, "irq -s")["stats"]
        self.assertEqual([r["irq"] for r in rows], sorted(wanted))
        for row in rows:
            counts, chip, hwirq, flow, name = wanted[row["irq"]]
            self.assertEqual((row["chip"], row["hwirq"], row["flow"], row["name"]), (chip, hwirq, flow, name))
            for cpu, count in enumerate(counts):
                # Some came after /proc was read, the lab's own disk's for the most part.
                self.assertLessEqual(count, row[f"cpu{cpu}"])
                self.assertLess(row[f"cpu{cpu}"], count + 500)
        self.assertGreater(sum(sum(w[0]) for w in wanted.values()), 100)
        one = lab.query(dump, "irq -s -c 1")["stats"]
        self.assertEqual(one, [{k: v for k, v in r.items() if k != "cpu0"} for r in rows])
        self.assertEqual([r["irq"] for r in lab.query(dump, "irq -s 4,8")["stats"]], [4, 8])
        self.assertEqual([r["irq"] for r in lab.query(dump, "irq -s 4 8")["stats"]], [4, 8])
        self.assertEqual([r["irq"] for r in lab.query(dump, "irq -s 4 8,9000-4000000000")["stats"]], [4, 8])
        run = lab.inquest("-c", "irq -s -c 7", dump.vmcore)
        self.assertEqual((run.returncode, "no such CPUs" in run.stderr), (1, True))

    @each_dump
    def test_chains_and_trees_in_a_circle(self, dump):
        chain = "((struct char_device_struct **)&chrdevs)[4]"
        for path, first, line, table, told in (
                (f"{chain}->next", chain, "dev", "char_devices", "chrdevs[4]: the list is damaged: it runs in a circle of 1"),
                ("ioport_resource.child->sibling", "ioport_resource.child", "dev -i", "io_ports", "is in the tree twice"),
                ("iomem_resource.child->sibling", "iomem_resource.child", "mach -i", "resources", "is in the tree twice")):
            with self.subTest(line=line):
                before = lab.query(dump, line)[table]
                run = lab.inquest("--json", "-c", f"wr '&{path}' '{first}'", "-c", line, dump.vmcore)
                after = json.loads(run.stdout)["commands"][-1]
                self.assertIn(told, str(after["remarks"]))
                self.assertLess(len(after[table]), len(before))
                self.assertEqual([row for row in before if row in after[table]], after[table])

    @each_dump
    def test_lines_and_handlers(self, dump):
        wanted = interrupts(dump)
        every = lab.query(dump, "irq")["irqs"]
        used = lab.query(dump, "irq -u")["irqs"]
        self.assertEqual([r for r in every if r["action"]], used)
        self.assertEqual({r["irq"]: r["name"] for r in used}, {irq: row[4] for irq, row in wanted.items()})
        sums = {r["irq"]: sum(v for k, v in r.items() if k.startswith("cpu")) for r in lab.query(dump, "irq -s")["stats"]}
        self.assertEqual({r["irq"]: r["count"] for r in used}, sums)
        self.assertEqual({r["irq"] for r in every}, {int(p.name) for p in (dump.oracle / "irq").iterdir()})
        by_name = {r["name"]: r for r in used}
        self.assertEqual(by_name["timer"]["handler"], "timer_interrupt")
        self.assertRegex(by_name["virtio0-req.0"]["handler"], r"^vring_interrupt\b")
        self.assertEqual(lab.query(dump, "irq 8")["irqs"], [by_name["rtc0"]])
        run = lab.inquest("-c", "irq 999", dump.vmcore)
        self.assertEqual((run.returncode, "no such interrupt line" in run.stderr), (1, True))

    @each_dump
    def test_affinity(self, dump):
        for row in lab.query(dump, "irq -a")["affinity"]:
            mask = int((dump.oracle / "irq" / str(row["irq"]) / "smp_affinity").read_text().replace(",", ""), 16)
            cpus = set()
            for part in row["affinity"].split(","):
                first, _, last = part.partition("-")
                cpus |= set(range(int(first), int(last or first) + 1))
            self.assertEqual(sum(1 << cpu for cpu in cpus), mask, row)

    @each_dump
    def test_softirqs(self, dump):
        lines = (dump.oracle / "proc/softirqs").read_text().splitlines()[1:]
        wanted = {line.split()[0][:-1]: sum(map(int, line.split()[1:])) for line in lines}
        rows = lab.query(dump, "irq -b")["softirqs"]
        self.assertEqual([r["name"] for r in rows], list(wanted))
        for row in rows:
            self.assertLessEqual(wanted[row["name"]], row["count"])
            self.assertLess(row["count"], wanted[row["name"]] + 5000)
        self.assertEqual({r["name"]: r["symbol"] for r in rows}["TASKLET"], "tasklet_action")

    @each_dump
    def test_interrupt_descriptor_table(self, dump):
        rows = lab.query(dump, "irq -d")["idt"]
        self.assertEqual([r["vector"] for r in rows], list(range(256)))
        # Vectors of x86: 0 divide error, 3 breakpoint, 8 double fault, 13 general protection, 14 page fault.
        names = {0: "divide_error", 3: "int3", 8: "double_fault", 13: "general_protection", 14: "page_fault"}
        self.assertEqual({n: rows[n]["symbol"] for n in names}, {n: f"asm_exc_{name}" for n, name in names.items()})
        symbols = {w[2]: int(w[0], 16) for w in map(str.split, (dump.oracle / "proc/kallsyms").read_text().splitlines())}
        self.assertEqual(int(rows[14]["address"], 16), symbols["asm_exc_page_fault"])

    @each_dump
    def test_numbers_of_devices(self, dump):
        chars, blocks = (dump.oracle / "proc/devices").read_text().split("Block devices:")
        answer = lab.query(dump, "dev")
        self.assertEqual(sorted((d["major"], d["name"]) for d in answer["char_devices"]), numbers(chars))
        self.assertEqual(sorted((d["major"], d["name"]) for d in answer["block_devices"]), numbers(blocks))
        by_name = {d["name"]: d for d in answer["char_devices"]}
        self.assertEqual({n: by_name[n]["operations"] for n in ("mem", "misc", "/dev/tty", "ttyS")},
                         {"mem": "memory_fops", "misc": "misc_fops", "/dev/tty": "tty_fops", "ttyS": "tty_fops"})
        self.assertEqual([(d["disk"], d["operations"].split()[0]) for d in answer["block_devices"] if d["gendisk"]], [("vda", "virtblk_fops")])

    @each_dump
    def test_disks(self, dump):
        disks = lab.query(dump, "dev -d")["disks"]
        whole = [line.split()[2] for line in (dump.oracle / "proc/diskstats").read_text().splitlines() if not re.search(r"vda\d", line)]
        self.assertEqual([d["name"] for d in disks], whole)
        # before-crash waited for what it wrote.
        self.assertEqual([(d["total"], d["reads"], d["writes"]) for d in disks], [(0, 0, 0)])
        self.assertEqual(lab.query(dump, "dev -D")["disks"], [])

    @each_dump
    def test_pci(self, dump):
        wanted = {}
        for line in (dump.oracle / "pci/devices").read_text().splitlines():
            place, vendor, device, kind, revision, *driver = line.split()
            wanted[place] = (f"{vendor[2:]}:{device[2:]}", int(kind, 16), int(revision, 16), driver[0] if driver else None)
        found = {d["place"]: (d["id"], int(d["class"], 16), int(d["revision"], 16), d["driver"]) for d in lab.query(dump, "dev -p")["pci_devices"]}
        self.assertEqual(found, wanted)
        self.assertGreater(len(found), 3)

    @each_dump
    def test_ports(self, dump):
        wanted = []
        for line in (dump.oracle / "proc/ioports").read_text().splitlines():
            match = re.match(r"( *)([0-9a-f]+)-([0-9a-f]+) : (.*)", line)
            wanted.append((len(match[1]) // 2, int(match[2], 16), int(match[3], 16), match[4]))
        found = [(r["depth"], int(r["start"], 16), int(r["end"], 16), r["name"]) for r in lab.query(dump, "dev -i")["io_ports"]]
        self.assertEqual(found, wanted)

    @each_dump
    def test_schemas(self, dump):
        self.fits(dump, "irq", "irq -u", "irq -a", "irq -s", "irq -b", "irq -d", "dev", "dev -d", "dev -D", "dev -p", "dev -i")


class UnderWay(unittest.TestCase):
    def test_requests_of_a_disk_that_does_not_answer(self):
        dumps = lab.dumps(name="stuck-disk")
        if not dumps:
            self.skipTest("the lab has no dump of the scenario stuck-disk")
        for dump in dumps:
            with self.subTest(dump=str(dump)):
                disks = {d["name"]: d for d in lab.query(dump, "dev -d")["disks"]}
                stuck = disks[dump.truth["device"]]
                lines = map(str.split, (dump.oracle / "proc/diskstats").read_text().splitlines())
                in_flight = next(int(words[11]) for words in lines if words[2] == stuck["name"])
                self.assertGreater(in_flight, 0)
                self.assertEqual((stuck["total"], stuck["reads"] + stuck["writes"], stuck["reads"]), (in_flight, in_flight, 1))
                self.assertIn(stuck, lab.query(dump, "dev -D")["disks"])

    def test_a_request_counts_by_its_tag(self):
        """A scheduler's request has another tag each time: slots of earlier ones still lead to it."""
        for dump in lab.dumps(name="sysrq", capture="qemu-elf") or lab.dumps(name="sysrq", capture="kdump"):
            with self.subTest(dump=str(dump)):
                disk = lab.query(dump, "dev -d")["disks"][0]

                def number(expression):
                    return int(lab.inquest("-c", f"p -x (unsigned long)({expression})", dump.vmcore).stdout.split("= ")[1].split()[0], 16)

                def offset(member):
                    return lab.query(dump, f"struct -o {member}")["structs"][0]["members"][0]["offset"]

                queue = f"((struct request_queue *){disk['queue']})"
                array = lab.inquest("-c", "struct request_queue", dump.vmcore).stdout
                context = number(f"{queue}->queue_hw_ctx[0]" if "queue_hw_ctx" in array else f"{queue}->hctx_table.xa_head")
                if context & 3 == 2:
                    context = number(f"((struct xa_node *){context - 2:#x})->slots[0]")
                tags = f"((struct blk_mq_hw_ctx *){context:#x})->tags"
                slots, request = number(f"{tags}->rqs"), number(f"{tags}->static_rqs[0]")
                lines = [f"wr -32 {request + offset('request.state'):#x} 1", f"wr -32 {request + offset('request.tag'):#x} 2", f"wr -64 {request + offset('request.q'):#x} {disk['queue']}"]
                lines += [f"wr -64 {slots + 8 * i:#x} {request:#x}" for i in (1, 2, 3)]
                run = lab.inquest("--json", *[word for line in [*lines, "dev -d"] for word in ("-c", line)], dump.vmcore)
                disks = json.loads(run.stdout)["commands"][-1]["disks"]
                self.assertEqual(disks[0]["total"], 1, run.stdout + run.stderr)


class Interrupts(unittest.TestCase):
    def test_counters_that_are_not_in_the_dump(self):
        """A line whose counters are (by wr, in memory) nowhere was not delivered 0 times, and is one line."""
        for dump in lab.dumps(name="sysrq", capture="kdump"):
            with self.subTest(dump=str(dump)):
                line = lab.query(dump, "irq -u")["irqs"][-1]
                counts = lab.query(dump, "struct -o irq_desc.kstat_irqs")["structs"][0]["members"][0]["offset"]
                words = [word for line in (f"wr -64 {line['desc']}+{counts:#x} 0x100000000000", f"irq {line['irq']}", f"irq -s {line['irq']}") for word in ("-c", line)]
                _, lines, stats = json.loads(lab.inquest("--json", *words, dump.vmcore).stdout)["commands"]
                self.assertEqual(lines["irqs"], [{**line, "count": None, "disabled": None}])
                self.assertEqual({stats["stats"][0][f"cpu{n}"] for n in (0, 1)}, {None})
                for value in lines, stats:
                    self.assertIn("of 1 interrupt lines is not wholly", str(value["remarks"]))

    def test_handlers_that_are_threads(self):
        """With PREEMPT_RT all are that can be."""
        dumps = lab.dumps(name="sysrq", series="6.12-rt")
        if not dumps:
            self.skipTest("the lab has no sysrq dump of 6.12-rt")
        by_name = {r["name"]: r for r in lab.query(dumps[0], "irq -u")["irqs"]}
        virtio, timer = by_name["virtio0-req.0"], by_name["timer"]
        self.assertEqual((virtio["handler"], virtio["thread_function"]), ("irq_default_primary_handler", "vring_interrupt"))
        self.assertEqual((timer["handler"], timer["thread_function"]), ("timer_interrupt", None))
        self.assertRegex(lab.inquest("-c", "irq", dumps[0].vmcore).stdout, r"virtio0-req.0 +vring_interrupt.*, in a thread ")


class Damage(unittest.TestCase):
    LINES = "irq", "irq -a", "irq -s", "irq -b", "irq -d", "dev", "dev -d", "dev -p", "dev -i"

    SAID = "(interrupt lines|devices|disks).*(not .*in|partly in|excluded from) the dump"

    def test_holes_are_said(self):
        """Which pages are gone is luck: where nothing is said to be missing, all is there that the kernel said."""
        for dump in lab.dumps(name="many-tasks", series="6.12", makedumpfile="old", truncate=100):
            with self.subTest(dump=str(dump)):
                answer = lab.query(dump, "irq")
                self.assertTrue(answer["irqs"])
                if not re.search(self.SAID, str(answer.get("remarks"))):
                    self.assertEqual({r["irq"]: r["name"] for r in answer["irqs"] if r["action"]}, {irq: row[4] for irq, row in interrupts(dump).items()})
                answer = lab.query(dump, "dev")
                self.assertTrue(answer["char_devices"] or answer["block_devices"])
                if not re.search(self.SAID, str(answer.get("remarks"))):
                    chars, blocks = (dump.oracle / "proc/devices").read_text().split("Block devices:")
                    self.assertEqual([sorted((d["major"], d["name"]) for d in answer[kind]) for kind in ("char_devices", "block_devices")],
                                     [numbers(chars), numbers(blocks)])

    def test_dumps_cut_off(self):
        for dump in lab.dumps(truncate=60):
            for line in self.LINES:
                with self.subTest(dump=str(dump), line=line):
                    run = lab.inquest("-c", line, dump.vmcore)
                    self.assertIn(run.returncode, (0, 1))
                    if run.returncode:
                        self.assertTrue(run.stderr.startswith("inquest: ") or "missing: " in run.stdout, run.stderr + run.stdout)
