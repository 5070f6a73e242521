# SPDX-License-Identifier: LGPL-2.1-or-later
"""`inquest oops`: what a kernel printed says the same as its dump, whoever wrote it down how."""

import json
import resource
import unittest

import json_schema
import lab
import text_styles

TEXTS = lab.ROOT / "tests" / "texts" / "oops"

# Where a text says less than the dump, or names another function, only memory can tell: what the
# objects around a pointer hold, whose they were, who holds a lock, who freed, what the allocator
# knows, code of callers. A text then has a broader name for the class, one of these:
BROADER = {"bad-address", "user-address", "non-canonical", "null-pointer", "bad-pointer", "unknown",
           "wild-call", "text-pointer", "hung-task", "softlockup"}
# ... and may not name the same function. By the scenario's name: why.
OTHERS = {
    "abba": "who holds which lock is in the locks",
    "arguments": "which of several functions first had the NULL needs the code of callers",
    "big-frames": "how large the frames of functions are needs their code",
    "bug-workqueue": "who queued the work is in the work",
    "freed-link": "who passed the pointer on needs the code of callers",
    "hung-task": "who holds the lock is in the lock",
    "late-completion": "whose array the cell is in",
    "irq-spin": "who holds the lock is in the code of functions",
    "lock-walk": "who holds the lock is in the code of functions",
    "null-operation": "who jumped there needs the code of functions",
    "neighbour": "who passed the pointer on needs the code of callers",
    "recursion": "kdump's console has no word of a double fault",
    "silent-cpu": "what the other CPU did is not printed",
    "stale-command": "whose command the cell was in",
    "stale-text": "who passed the pointer on needs the code of callers",
    "stale-timer": "whose timer it was is in the timer",
    "slab-leak": "who allocated is in the allocator's data",
    "vmalloc-leak": "who allocated is in the allocator's data",
    "write-rodata": "who passed the pointer on needs the code of callers",
}


def verdict_of(*words, text=None):
    """The verdict, and the whole report, of a text given by path or as bytes."""
    if text is not None:
        run = lab.subprocess.run([lab.INQUEST, "--json", "oops", "-", *words], input=text,
                                 capture_output=True, timeout=lab.SECONDS_MAX)
        out, code, err = run.stdout.decode(errors="replace"), run.returncode, run.stderr
    else:
        run = lab.inquest("--json", "oops", *words)
        out, code, err = run.stdout, run.returncode, run.stderr
    if code not in (0, 1):
        raise AssertionError(f"exit status {code}: {err}")
    report = json.loads(out)
    return report["verdict"], report


def expectations(path):
    """The file's first lines: "# expect: key=value ...", "# why: words", "# what: words"."""
    expected, words, lines = {}, [], path.read_text(errors="surrogateescape").splitlines(True)
    while lines and lines[0].startswith("# "):
        line = lines.pop(0)[2:].strip()
        if line.startswith("expect: "):
            expected = dict(pair.split("=", 1) for pair in line[8:].split())
        elif line.startswith(("why: ", "what: ")):
            words.append(line.split(": ", 1))
    return expected, words, "".join(lines).encode(errors="surrogateescape")


class Texts(unittest.TestCase):
    """Reports of kernels from 2.6.32 to 7.1, of tests/texts/oops."""

    def test_each_text(self):
        paths = sorted(TEXTS.glob("*.txt"))
        self.assertGreater(len(paths), 12)
        for path in paths:
            expected, words, text = expectations(path)
            self.assertTrue(expected, path.name)
            with self.subTest(path.name):
                verdict, _ = verdict_of(text=text)
                for key, value in expected.items():
                    self.assertEqual(verdict[key], value, verdict["what"])
                for key, part in words:
                    self.assertIn(part, verdict[key])

    def test_evidence_runs(self):
        """Every command that the report names runs on the text, and shows what it says."""
        for path in sorted(TEXTS.glob("*.txt")):
            _, report = verdict_of(str(path))
            for evidence in report["verdict"]["evidence"]:
                if not evidence["command"] or not report["verdict"]["evidence"]:
                    continue
                with self.subTest(f"{path.name}: {evidence['command']}"):
                    run = lab.inquest("oops", "-c", evidence["command"], path)
                    # crash's sessions have no bytes to disassemble
                    if "no bytes of code" in run.stderr or "not in the text" in run.stderr:
                        continue
                    self.assertIn(run.returncode, (0, 1), run.stderr)
                    self.assertTrue(run.stdout.strip(), run.stderr)
                    if evidence["shows"]:
                        self.assertIn(evidence["shows"], run.stdout)

    def test_json_fits_its_schema(self):
        for path in sorted(TEXTS.glob("*.txt")):
            for command in ("report", "bt -a", "dis -r 0 4", "fault", "mod", "sys", "log",
                            "origin rdi", "sym kthread"):
                with self.subTest(f"{path.name}: {command}"):
                    run = lab.inquest("--json", "oops", "-c", command, path)
                    faults = json_schema.faults(command.split()[0], json.loads(run.stdout))
                    self.assertEqual(faults[:3], [])

    def test_known_by_itself(self):
        """A text needs no word `oops`; where it has no signs of a kernel, it is refused."""
        path = TEXTS / "4.14-fragment-skb.txt"
        run = lab.inquest("--json", path)
        self.assertEqual(json.loads(run.stdout)["verdict"]["kind"], "bad-pointer")
        run = lab.inquest(lab.ROOT / "LICENSE")
        self.assertEqual(run.returncode, 2)

    def test_commands_without_memory(self):
        for command in ("rd 0", "ps", "struct list_head", "vtop 0", "kmem -i", "search 1"):
            with self.subTest(command):
                run = lab.inquest("oops", "-c", command, TEXTS / "3.10-bug-ida.txt")
                self.assertEqual(run.returncode, 1)
                self.assertIn("a text has no memory", run.stderr)
                self.assertEqual(len(run.stderr.splitlines()), 1)

    def test_made_up_addresses_stay_inside(self):
        """Functions without printed addresses have made-up ones; nobody sees them."""
        commands = "report; bt -V; dis -r skb_release_data+0xa3 8; sym skb_release_data; fault; sys"
        run = lab.inquest("oops", "-c", commands, TEXTS / "4.14-fragment-skb.txt")
        self.assertNotRegex(run.stdout, r"ffffffff0[0-9a-f]{7}")
        self.assertIn(">>", run.stdout)
        self.assertIn("skb_release_data+0xa3", run.stdout)


class Seeds(unittest.TestCase):
    """The published investigations themselves, with their prose in Chinese and Russian."""

    def seed(self, start):
        for parent in lab.ROOT.parents:
            found = list((parent / "shared" / "seeds").glob(start + "_*.txt"))
            if found:
                return found[0]
        return self.skipTest("the investigations (../shared/seeds) are not here")

    def check(self, start, **expected):
        verdict, report = verdict_of(self.seed(start))
        for key, value in expected.items():
            self.assertEqual(verdict[key], value, verdict)
        return verdict, report

    def test_case_1(self):
        verdict, _ = self.check("000", kind="bug", function="kvm_zap_rmapp", module="kvm")
        self.assertNotEqual(verdict["confidence"], "certain")  # no ud2 is shown

    def test_case_2(self):
        verdict, _ = self.check("001", kind="null-pointer", function="ceph_aio_read", module="ceph")
        self.assertIn("NULL + 0x1c", verdict["what"])
        self.assertIn("argument 1 of __free_pages", verdict["why"])

    def test_case_3(self):
        verdict, report = self.check("002", kind="bad-pointer", function="ixgbe_poll")
        self.assertIn("was read from 0x8(%r14) = ffff9612a277cec8", verdict["why"])
        names = {row["name"]: row for row in modules_of(self.seed("002"))}
        self.assertEqual(names["aacraid"]["taints"], "OE")
        self.assertIn("libiscsi", names)  # broken in two by the terminal

    def test_case_4(self):
        verdict, report = self.check("003", kind="bug", function="__mem_cgroup_free")
        self.assertIn("lib/idr.c:1157", verdict["what"])
        self.assertIn("-1 (0xffffffff)", verdict["why"])
        self.assertIn("page allocation failure: order:6", json.dumps(report))

    def test_case_5(self):
        verdict, _ = self.check("004", kind="softlockup")
        self.assertIn("pid 5487", verdict["what"])


def modules_of(path):
    return json.loads(lab.inquest("--json", "oops", "-c", "mod", path).stdout)["modules"]


class Dumps(unittest.TestCase):
    """The same crash, by its dump and by what it printed."""

    def compare(self, dump, wanted, path):
        """True: the same class and function. What is less is accepted, a contradiction is not."""
        got, _ = verdict_of(path)
        # a dump that was cut off knows less than its text
        if wanted["kind"] in ("unknown", "alive"):
            return True
        same = got["kind"] == wanted["kind"]
        self.assertTrue(same or got["kind"] in BROADER, f"{got['kind']} for {wanted['kind']}")
        if got["function"] == wanted["function"]:
            return same
        # whoever waits: the text shows some of them, the dump knows all, and what for
        if got["kind"] in ("hung-task", "softlockup"):
            return False
        self.assertIn(dump.meta["name"], OTHERS, f"{got['kind']}/{got['function']}, the dump says "
                      f"{wanted['kind']}/{wanted['function']}")
        return False

    def test_each_dump(self):
        dumps = lab.dumps()
        if not dumps:
            self.skipTest("there are no dumps of the lab")
        same = compared = 0
        for dump in dumps:
            paths = [path for path in (dump.folder / "console.log",
                                       dump.folder / "vmcore-dmesg.txt") if path.exists()]
            if not paths:
                continue
            wanted = json.loads(lab.inquest("--json", dump.vmcore).stdout)["verdict"]
            for path in paths:
                compared += 1
                with self.subTest(f"{dump}: {path.name}"):
                    same += self.compare(dump, wanted, path)
        self.assertGreater(same, compared * 0.5)


class WithVmlinux(unittest.TestCase):
    """A kernel's debug file gives what the text lacks: code, types, lines."""

    def find(self, scenario, kernel):
        for vmlinux in sorted((lab.LAB / "kernels").glob(f"{kernel}.*/debug/usr/lib/debug/boot/"
                                                         "vmlinux-*")):
            for dump in lab.dumps(name=scenario):
                path = dump.folder / "console.log"
                if path.exists() and f"Linux version {vmlinux.name[8:]} " in path.read_text(
                        errors="replace"):
                    return path, vmlinux
        return self.skipTest(f"no debug file of the kernel of a dump of {scenario}, {kernel}")

    def test_values_of_the_kernels_own_functions(self):
        path, vmlinux = self.find("list-corruption", "6.12")
        verdict, report = verdict_of(path, vmlinux)
        self.assertEqual(verdict["function"], "request_finish")
        self.assertIn("entry->next == 0xdead000000000100 (LIST_POISON1)", json.dumps(report))
        self.assertIn("lib/list_debug.c", report["fault"]["file"])

    def test_inlined_functions_and_code(self):
        path, vmlinux = self.find("freelist-text", "6.1")
        run = lab.inquest("oops", "-c", "bt; dis -lr kmem_cache_alloc+0xeb 3; origin rcx", path,
                          vmlinux)
        self.assertIn("(inlined", run.stdout)
        self.assertIn("s->offset", run.stdout)
        self.assertNotRegex(run.stdout, r"ffffffff0[0-9a-f]{7}")

    def test_another_kernels_is_refused(self):
        path, _ = self.find("freelist-text", "6.1")
        _, other = self.find("list-corruption", "6.12")
        run = lab.inquest("oops", path, other)
        self.assertIn("is of another kernel", run.stdout)
        self.assertIn("use_labels()", run.stdout)


class Styles(unittest.TestCase):
    """A log is the same log, whatever stands before and around its lines."""

    def logs(self):
        wanted = ("null-ioctl", "unset-id", "softlockup", "list-corruption", "data-call")
        found = {dump.meta["name"]: dump for dump in lab.dumps() if dump.meta["name"] in wanted}
        logs = [(name, (dump.folder / "console.log").read_text(errors="surrogateescape"))
                for name, dump in sorted(found.items())]
        logs.append(("4.14", expectations(TEXTS / "4.14-fragment-skb.txt")[2].decode()))
        logs.append(("3.10", expectations(TEXTS / "3.10-bug-ida.txt")[2].decode()))
        return logs

    def test_every_style(self):
        for name, log in self.logs():
            plain, _ = verdict_of(text=log.encode(errors="surrogateescape"))
            for style, change in text_styles.STYLES.items():
                with self.subTest(f"{name}: {style}"):
                    got, _ = verdict_of(text=change(log).encode(errors="surrogateescape"))
                    for key in ("kind", "function", "module"):
                        self.assertEqual(got[key], plain[key])

    def test_cut_off_anywhere(self):
        """A beginning of the text says what the whole does, or less, and nothing else for sure."""
        for name, log in self.logs()[-3:]:
            data = log.encode(errors="surrogateescape")
            whole, _ = verdict_of(text=data)
            start = max(0, min((at for at in (data.find(b"BUG"), data.find(b"panic")) if at >= 0),
                               default=0) - 400)
            for end in range(start, len(data), 200):
                with self.subTest(f"{name}: {end} of {len(data)} bytes"):
                    got, _ = verdict_of(text=data[:end])
                    if got["kind"] != whole["kind"] and got["confidence"] == "certain":
                        self.assertIn(got["kind"], ("null-pointer", "bad-address", "oops",
                                                    "wild-call"))

    def test_second_oops_is_not_the_verdict(self):
        first = expectations(TEXTS / "4.14-fragment-skb.txt")[2]
        second = expectations(TEXTS / "7.1-bug-iomap.txt")[2]
        verdict, report = verdict_of(text=first + second)
        self.assertEqual(verdict["kind"], "bad-pointer")
        self.assertIn("iomap", json.dumps(report))

    def test_a_megabyte_is_quick(self):
        log = "".join(f"[{n // 1000:5}.{n % 1000:03}000] usb 1-1: new device number {n} found, "
                      "idVendor=1d6b, idProduct=0002\n" for n in range(14_000))
        log += expectations(TEXTS / "4.14-fragment-skb.txt")[2].decode()
        self.assertGreater(len(log), 1 << 20)
        best = 10.0
        for _ in range(5):
            # Of the CPU's time: what else the machine does is not its own.
            start = resource.getrusage(resource.RUSAGE_CHILDREN)
            verdict, _ = verdict_of(text=log.encode())
            end = resource.getrusage(resource.RUSAGE_CHILDREN)
            best = min(best, end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime)
        self.assertEqual(verdict["kind"], "bad-pointer")
        self.assertLess(best, 0.5)  # some 15 ms


if __name__ == "__main__":
    unittest.main()
