# SPDX-License-Identifier: LGPL-2.1-or-later
"""mach and sys -c -i config, option by option: /proc/cpuinfo and /proc/iomem, the firmware's map and
DMI strings in /sys, the kernel package's configuration, and the numbers of system calls in this
machine's <asm/unistd_64.h>."""

import json
import pathlib
import re
import subprocess
import tempfile
import unittest

import lab
import workshop
from workshop import ask, errors


def proc_cpuinfo(shop):
    text = (shop.oracle / "proc/cpuinfo").read_text()
    return [dict((key.strip(), value.strip()) for key, _, value in (line.partition(":") for line in part.splitlines()))
            for part in text.strip().split("\n\n")]


def proc_iomem(oracle):
    """[(depth, start, end, name)]"""
    lines = (oracle / "proc/iomem").read_text().splitlines()
    found = [re.match(r"( *)([0-9a-f]+)-([0-9a-f]+) : (.*)", line).groups() for line in lines]
    return [(len(blanks) // 2, int(start, 16), int(end, 16), name) for blanks, start, end, name in found]


def system_calls():
    run = subprocess.run(["gcc", "-E", "-dM", "-include", "asm/unistd_64.h", "-x", "c", "/dev/null"], capture_output=True, text=True)
    return {int(number): name for name, number in re.findall(r"#define __NR_(\w+) (\d+)$", run.stdout, re.M)}


class Mach(unittest.TestCase):
    @workshop.each
    def test_processors(self, shop):
        ours = ask(self, shop, "mach -c")["processors"]
        theirs = proc_cpuinfo(shop)
        self.assertEqual(len(ours), len(theirs))
        for one, other in zip(ours, theirs):
            for key, name in (("cpu", "processor"), ("family", "cpu family"), ("model", "model"), ("stepping", "stepping"),
                              ("package", "physical id"), ("core", "core id"), ("cores", "cpu cores"), ("apicid", "apicid"),
                              ("clflush", "clflush size")):
                self.assertEqual(one[key], int(other[name]), key)
            self.assertEqual((one["vendor"], one["model_name"]), (other["vendor_id"], other["model name"]))
            self.assertEqual(int(one["microcode"], 16), int(other["microcode"], 16))
            self.assertEqual(f"{one['cache_kb']} KB", other["cache size"])
            self.assertEqual(f"{one['physical_bits']} bits physical, {one['virtual_bits']} bits virtual", other["address sizes"])
            self.assertAlmostEqual(one["bogomips"], float(other["bogomips"]), places=2)
            self.assertEqual(set(one["flags"].split()) - set(other["flags"].split()), set())
            self.assertEqual(one["flags"].split()[:20], other["flags"].split()[:20])
            self.assertEqual(set(other["flags"].split()) - set(one["flags"].split()), set())
        for option, pattern in (("-x", r"x86 = 0xf\b"), ("-d", r"x86 = 15\b")):
            lines = ask(self, shop, f"mach -c {option}")["processors"][1]["structure"]
            self.assertRegex("\n".join(lines), pattern)
            self.assertRegex(lab.inquest("-c", f"mach -c {option}", shop.dump.vmcore).stdout, pattern)

    @workshop.each
    def test_memory_map(self, shop):
        ours = ask(self, shop, "mach -m")["memory_map"]
        firmware = [line.split(None, 2) for line in (shop.oracle / "memmap/e820").read_text().splitlines()]
        words = {"E820_TYPE_RAM": "System RAM", "E820_TYPE_RESERVED": "Reserved"}

        def area(rows, kind):
            return {(start, end) for start, end, what in rows if what == kind and start >= 0x1000}
        mine = [(int(row["start"], 16), int(row["end"], 16), words[row["type"]]) for row in ours]
        theirs = [(int(start, 16), int(end, 16) + 1, what) for start, end, what in firmware]
        # The kernel takes the first page from the firmware's memory.
        self.assertEqual({r for r in area(mine, "System RAM") if r[0] > 0x1000}, {r for r in area(theirs, "System RAM") if r[0] > 0x1000})
        self.assertEqual(area(mine, "Reserved"), area(theirs, "Reserved"))
        iomem = {(start, end + 1) for depth, start, end, name in proc_iomem(shop.oracle) if name == "System RAM"}
        self.assertEqual(area(mine, "System RAM"), iomem)
        self.assertRegex(lab.inquest("-c", "mach -m", shop.dump.vmcore).stdout, r"(?m)^0000000000100000 - 000000000ffdd000  E820_TYPE_RAM ")

    @workshop.each
    def test_resources(self, shop):
        ours = [(row["depth"], int(row["start"], 16), int(row["end"], 16), row["name"]) for row in ask(self, shop, "mach -i")["resources"]]
        self.assertEqual(ours, proc_iomem(shop.oracle))

    @workshop.each
    def test_the_machine(self, shop):
        value = ask(self, shop, "mach")
        self.assertEqual((value["machine"], value["cpus"], value["page_size"]), ("x86_64", 2, 4096))
        self.assertEqual(value["hz"], int(shop.rows("hz")[0][1]))
        # /proc/cpuinfo measures anew where it can.
        self.assertAlmostEqual(value["mhz"], float(proc_cpuinfo(shop)[0]["cpu MHz"]), delta=30)
        total = int(re.search(r"MemTotal: +(\d+)", (shop.oracle / "proc/meminfo").read_text())[1]) * 1024
        self.assertEqual(value["memory_bytes"], total)
        symbols = dict(line.split()[::-2] for line in (shop.oracle / "proc/kallsyms").read_text().splitlines()
                       if len(line.split()) == 3)
        self.assertEqual(int(value["text_base"], 16), int(symbols["_text"], 16))
        offset = int(re.search(r"Kernel Offset: (0x[0-9a-f]+)", (shop.folder / "console.log").read_text())[1], 16)
        self.assertEqual(int(value["kaslr_offset"], 16), offset)
        code = next(start for _, start, _, name in proc_iomem(shop.oracle) if name == "Kernel code")
        self.assertEqual((int(value["text_base"], 16) - 0xffffffff80000000 + int(value["phys_base"], 16)) % 2**64, code)
        for name in ("page_offset_base", "vmalloc_base", "vmemmap_base"):
            key = {"page_offset_base": "virtual_base"}.get(name, name)
            self.assertIn(value[key][2:], lab.inquest("-c", f"rd {name}", shop.dump.vmcore).stdout)
        self.assertEqual(value["stack_size"], 16384)
        names = {stack["stack"] for stack in value["stacks"] if stack["cpu"] == 1}
        self.assertLessEqual({"irq", "nmi", "double-fault", "machine-check", "debug", "entry"}, names)
        self.assertTrue(errors(lab.query(shop.dump, "mach foo")))


class Sys(unittest.TestCase):
    @workshop.each
    def test_system_calls(self, shop):
        theirs = system_calls()
        if not theirs:
            self.skipTest("there is no asm/unistd_64.h here")
        ours = {row["number"]: row for row in ask(self, shop, "sys -c")["calls"]}
        odd = {"umount2": "umount", "pread64": "pread64", "stat": "newstat", "fstat": "newfstat", "lstat": "newlstat",
               "uname": "newuname", "_sysctl": "ni_syscall", "sendfile": "sendfile64"}
        compared = 0
        for number, name in theirs.items():
            if number not in ours:
                continue
            self.assertTrue(ours[number]["kernel_text"], number)
            if ours[number]["name"] != "ni_syscall":
                self.assertEqual(ours[number]["name"], odd.get(name, name), number)
                compared += 1
        self.assertGreater(compared, 300)
        self.assertEqual(sorted(ours), list(range(len(ours))))
        self.assertEqual([row["number"] for row in ask(self, shop, "sys -c 0 openat")["calls"]],
                         [n for n, row in ours.items() if n == 0 or "openat" in row["name"]])
        self.assertIn("no such system call", errors(lab.query(shop.dump, "sys -c nosuchcall"))[0])
        self.assertRegex(lab.inquest("-c", "set radix 16; sys -c 59", shop.dump.vmcore).stdout, r"(?m)^ *3b  __x64_sys_execve")
        self.assertEqual([row["name"] for row in ask(self, shop, "sys -c 0x3b")["calls"]], ["execve"])

    @workshop.each
    def test_dmi(self, shop):
        ours = {row["field"]: row["value"] for row in ask(self, shop, "sys -i")["dmi"]}
        folder = shop.oracle / "dmi"
        names = {"sys_vendor": "DMI_SYS_VENDOR", **{path.name: f"DMI_{path.name.upper()}" for path in folder.iterdir()}}
        checked = 0
        for path in folder.iterdir():
            if path.name in ("modalias", "uevent"):
                continue
            self.assertEqual(ours.get(names[path.name], ""), path.read_text().rstrip("\n"), path.name)
            checked += 1
        self.assertGreater(checked, 10)
        run = lab.inquest("--json", "-c", "wr -64 dmi_ident+0x30 ffff800000001000", "-c", "sys -i", shop.dump.vmcore)
        answer = json.loads(run.stdout)["commands"][-1]
        self.assertEqual({row["field"]: row["value"] for row in answer["dmi"]}, {k: v for k, v in ours.items() if k != "DMI_SYS_VENDOR"})
        self.assertIn("1 DMI string is not in the dump", str(answer["remarks"]))

    @workshop.each
    def test_config(self, shop):
        kernel = lab.LAB / shop.meta["vmlinux"]
        files = list((kernel.parent / "boot").glob("config-*"))
        if not files:
            self.skipTest("the kernel package's configuration is not in the lab's cache")
        theirs = {}
        for line in files[0].read_text().splitlines():
            if match := re.match(r"# (CONFIG_\w+) is not set$", line):
                theirs[match[1]] = None
            elif match := re.match(r"(CONFIG_\w+)=(.*)", line):
                theirs[match[1]] = match[2]
        value = ask(self, shop, f"sys config -f {files[0]}")
        self.assertEqual({row["name"]: row["value"] for row in value["config"]}, theirs)
        self.assertEqual(value["config_source"], str(files[0]))
        few = ask(self, shop, f"sys config -f {files[0]} HZ CONFIG_PREEMPT*")["config"]
        self.assertEqual({row["name"] for row in few}, {name for name in theirs if name == "CONFIG_HZ" or name.startswith("CONFIG_PREEMPT")})
        text = lab.inquest("-c", f"sys config -f {files[0]} HZ SLUB_TINY", shop.dump.vmcore).stdout
        self.assertRegex(text, r"(?m)^CONFIG_HZ=250$")
        if not pathlib.Path(f"/boot/config-{shop.meta['kernel_release']}").exists():
            self.assertIn("sys config -f FILE", errors(lab.query(shop.dump, "sys config"))[0])
        self.assertIn("not a kernel's configuration", errors(lab.query(shop.dump, "sys config -f /etc/passwd"))[0])

    def test_odd_lines_of_a_config(self):
        dumps = lab.dumps(name="sysrq", capture="kdump")
        workshop.need(self, dumps)
        with tempfile.NamedTemporaryFile("w", suffix=".config") as file:
            file.write("CONFIG_A=y\n# CONFIG_B is discussed elsewhere\nCONFIG_C\n# CONFIG_D is not set\nCONFIG_E=\"a=b\"\n")
            file.flush()
            rows = ask(self, dumps[0], f"sys config -f {file.name}")["config"]
        self.assertEqual({row["name"]: row["value"] for row in rows}, {"CONFIG_A": "y", "CONFIG_D": None, "CONFIG_E": '"a=b"'})

    def test_other_kernels_and_damage(self):
        dumps = lab.dumps(name="sysrq", capture="qemu-elf")
        workshop.need(self, dumps)
        for dump in dumps:
            with self.subTest(dump=str(dump)):
                ours = [(row["depth"], int(row["start"], 16), int(row["end"], 16), row["name"])
                        for row in ask(self, dump, "mach -i")["resources"]]
                self.assertEqual(ours, proc_iomem(dump.oracle))
                self.assertTrue(ask(self, dump, "mach -m")["memory_map"])
                flags = ask(self, dump, "mach -c")["processors"][0]["flags"].split()
                theirs = re.search(r"flags\s*: (.*)", (dump.oracle / "proc/cpuinfo").read_text())[1].split()
                self.assertEqual(set(flags), set(theirs))
                self.assertGreater(len(ask(self, dump, "sys -c")["calls"]), 300)
        for dump in lab.dumps(name="many-tasks", truncate=60):
            with self.subTest(dump=str(dump)):
                for line in ("mach -m", "mach -i", "mach -c", "sys -c", "sys -i"):
                    self.assertTrue(errors(lab.query(dump, line)), line)
                self.assertEqual(ask(self, dump, "mach")["machine"], "x86_64")


if __name__ == "__main__":
    unittest.main()
