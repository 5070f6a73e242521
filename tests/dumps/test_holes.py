# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is not in a dump is unknown, and no 0: holes made by hand (wr), by pointers that lead nowhere."""

import json
import unittest

import json_schema
import lab
import subsystems
from subsystems import each_dump, pid_of

NOWHERE = 0xffffc8ffff000000


def after(test, dump, changes, line):
    """What a command says after changes by hand."""
    words = [word for one in [*changes, line] for word in ("-c", one)]
    run = lab.inquest("--json", *words, dump.vmcore)
    test.assertIn(run.returncode, (0, 1), run.stderr)
    answer = json.loads(run.stdout)["commands"][-1]
    test.assertEqual(json_schema.faults(line.split()[0], answer)[:5], [], line)
    return answer


class Holes(subsystems.Test):
    @each_dump
    def test_segments(self, dump):
        segments = lab.query(dump, "ipcs -M")["shared_memory"]
        root = "((unsigned long)((struct ipc_namespace *)&init_ipc_ns)->ids[2].ipcs_idr.idr_rt.xa_head & ~3)"
        lost = after(self, dump, [f"wr -64 '&((struct xa_node *){root})->slots[0]' {NOWHERE:#x}"], "ipcs -M")
        self.assertEqual({key for key, value in lost["shared_memory"][0].items() if value is not None}, {"address"})
        self.assertEqual(lost["shared_memory"][1:], segments[1:])
        self.assertIn("1 objects are only partly in the dump", str(lost["remarks"]))
        # As if all of them were of hugetlbfs (include/uapi/linux/magic.h).
        file = f"((struct shmid_kernel *){segments[0]['address']})->shm_file"
        huge = after(self, dump, [f"wr -64 '&{file}->f_inode->i_sb->s_magic' 0x958458f6"], "ipcs -M")
        self.assertEqual(huge["shared_memory"], [{**o, "resident": None, "swapped": None} for o in segments])
        self.assertNotIn("only partly", str(huge["remarks"]))

    @each_dump
    def test_namespace_of_a_task_that_has_ended(self, dump):
        task = lab.query(dump, "files 1")["open_files"][0]["task"]
        for value, message in (0, "PID 1 has ended"), (NOWHERE, "is not in the dump"):
            run = lab.inquest("-c", f"wr '&((struct task_struct *){task})->nsproxy' {value:#x}; ipcs -n 1", dump.vmcore)
            self.assertEqual((run.returncode, message in run.stderr), (1, True), run.stderr)

    @each_dump
    def test_cached_pages(self, dump):
        pid = pid_of(dump, "files")
        data = next(f for f in lab.query(dump, f"files -c {pid}")["open_files"][0]["files"] if f["path"] == "/tmp/disk/folder/data")
        lost = after(self, dump, [f"wr '&((struct inode *){data['inode']})->i_mapping' {NOWHERE:#x}"], f"files -c -R data {pid}")
        self.assertEqual({f["cached_pages"] for f in lost["open_files"][0]["files"]}, {None})
        self.assertIn("is not wholly in the dump", str(lost["remarks"]))
        # The file's folder has no name.
        dentry = next(f["dentry"] for f in lab.query(dump, f"files {pid}")["open_files"][0]["files"] if f["path"] == data["path"])
        lost = after(self, dump, [f"wr '&((struct dentry *){dentry})->d_parent->d_name.name' {NOWHERE:#x}"], f"files -p {data['inode']}")
        self.assertEqual(lost["inode"]["path"], "/tmp/disk/?/data")
        self.assertIn("parts of its path are not in the dump", str(lost["remarks"]))

    @each_dump
    def test_super_block_of_a_dentry(self, dump):
        """Where it is mounted, or what makes up its name, cannot be told then."""
        for pid, pattern, name in (pid_of(dump, "files"), "null", "/null"), (pid_of(dump, "net"), "socket:*", "?:[{}]"):
            file = lab.query(dump, f"files -R {pattern} {pid}")["open_files"][0]["files"][0]
            change = f"wr '&((struct dentry *){file['dentry']})->d_sb' {NOWHERE:#x}"
            answer = after(self, dump, [change], f"files -d {file['dentry']}")
            self.assertEqual(answer["dentries"][0]["path"], name.format(file["path"].strip("socket:[]")))
            self.assertIn("parts of its path are not in the dump", str(answer["remarks"]))

    @each_dump
    def test_parts_of_ps(self, dump):
        """A sum of which a part is missing is none; the idle task of a CPU that cannot be found is missed."""
        mm = lab.query(dump, "vm 1")["address_spaces"][0]["mm"]
        if lab.inquest("-c", "struct mm_struct.rss_stat[0].counters", dump.vmcore).returncode == 0:
            change = f"wr '&((struct mm_struct *){mm})->rss_stat[0].counters' {NOWHERE:#x}"
            self.assertIsNone(after(self, dump, [change], "ps 1")["tasks"][0]["rss_kb"])
            self.assertIsNone(after(self, dump, [change], "vm 1")["address_spaces"][0]["rss"])
        changes = ["wr -64 tk_core+8 0", "wr -64 shadow_timekeeper 0"]
        times = after(self, dump, changes, "ps -t 1")["times"][0]
        self.assertEqual((times["run_time_ns"], times["start_time_ns"] is None), (None, False))
        lost = after(self, dump, [f"wr -64 __per_cpu_offset+8 {NOWHERE:#x}"], "ps -A")
        self.assertIn("the idle tasks of 1 CPUs cannot be found", str(lost["remarks"]))

    @each_dump
    def test_timers(self, dump):
        bases = lab.query(dump, "timer")["bases"]
        timer = next(t for base in bases for t in base["timers"] if t["function"] == "process_timeout" and t["task"])
        change = f"wr '&container_of({timer['timer']}, struct process_timer, timer)->task' {NOWHERE:#x}"
        lost = after(self, dump, [change], "timer")
        self.assertIsNone(next(t for base in lost["bases"] for t in base["timers"] if t["timer"] == timer["timer"])["for"])
        self.assertIn("whom they are for, are only partly in the dump", str(lost["remarks"]))

    @each_dump
    def test_what_runs(self, dump):
        queue = lab.query(dump, "runq -c 1")["run_queues"][0]
        lost = after(self, dump, [f"wr '&((struct cfs_rq *){queue['cfs_rq']})->curr' {NOWHERE:#x}"], "runq -c 1")
        self.assertIn(f"the sched_entity at {NOWHERE:x} is not in the dump", str(lost["remarks"]))

    @each_dump
    def test_files_that_may_be_sockets(self, dump):
        pid = pid_of(dump, "net")
        sockets = lab.query(dump, f"net -s {pid}")["tasks"][0]["sockets"]
        file = next(f for f in lab.query(dump, f"files {pid}")["open_files"][0]["files"] if f["fd"] == sockets[0]["fd"])
        lost = after(self, dump, [f"wr '&((struct file *){file['file']})->f_inode' {NOWHERE:#x}"], f"net -s {pid}")
        self.assertEqual(lost["tasks"][0]["sockets"], sockets[1:])
        self.assertIn("of 1 open files it is not known whether they are sockets", str(lost["remarks"]))

    @each_dump
    def test_counters(self, dump):
        """A sum of which parts are missing is none, or it is told that there are more."""
        lost = after(self, dump, [f"wr '&vm_committed_as.counters' {NOWHERE:#x}"], "kmem -i")
        row = next(row for row in lost["meminfo"] if row["name"] == "Committed_AS")
        self.assertIsNone(row["pages"])
        lost = after(self, dump, [f"wr -64 __per_cpu_offset+8 {NOWHERE:#x}"], "kmem -V")
        self.assertIn("what CPU 1 counted of pages and events is not wholly in the dump", str(lost["remarks"]))
        device = "((struct super_block *)blockdev_superblock)->s_inodes.next"
        lost = after(self, dump, [f"wr '&container_of({device}, struct inode, i_sb_list)->i_mapping' {NOWHERE:#x}"], "kmem -i")
        self.assertEqual([row["pages"] for row in lost["meminfo"] if row["name"] in ("Buffers", "Cached")], [None, None])

    @each_dump
    def test_names_of_the_kernels_own_mappings(self, dump):
        mappings = lab.query(dump, "vm 1")["address_spaces"][0]["mappings"]
        vdso = next(m["vma"] for m in mappings if m["name"] == "[vdso]")
        lost = after(self, dump, [f"wr '&((struct vm_area_struct *){vdso})->vm_private_data' {NOWHERE:#x}"], "vm 1")
        self.assertTrue(any(remark["kind"] == "missing" for remark in lost["remarks"]), lost["remarks"])

    @each_dump
    def test_sections_of_memory(self, dump):
        lost = after(self, dump, [f"wr -64 '(unsigned long)mem_section + 0' {NOWHERE:#x}"], "kmem -n")
        self.assertRegex(str(lost["remarks"]), "of [0-9]+ sections of memory it is not known whether they are there")

    @each_dump
    def test_mounts(self, dump):
        """A path whose front is missing is not told as if it were whole, and no open file is left out."""
        mounts = {m["place"]: m for m in lab.query(dump, "mount -f")["mounts"]}
        dev = mounts["/dev"]
        null = next(f for f in dev["open_files"] if f["path"] == "/dev/null")
        for member, place in ("mnt_parent", "/.../dev"), ("mnt_mountpoint", "/..."):
            change = f"wr '&((struct mount *){dev['mount']})->{member}' {NOWHERE:#x}"
            row = next(m for m in after(self, dump, [change], f"mount {dev['mount']}")["mounts"])
            self.assertEqual(row["place"], place, member)
            lost = after(self, dump, [change], f"mount -f {dev['mount']}")
            path = next(f["path"] for f in lost["mounts"][0]["open_files"] if f["file"] == null["file"])
            self.assertEqual(path, f"{place}/null", member)
            self.assertRegex(str(lost["remarks"]), "paths are not wholly in the dump")
        lost = after(self, dump, [f"wr '&((struct file *){null['file']})->f_path.dentry' {NOWHERE:#x}"], f"mount -f {dev['mount']}")
        self.assertNotIn(null["file"], str(lost["mounts"]))
        self.assertRegex(str(lost["remarks"]), "in which file system descriptor [0-9]+ of PID [0-9]+ is, is not in the dump")

    @each_dump
    def test_name_of_a_file_without_a_place(self, dump):
        pid = pid_of(dump, "files")
        file = lab.query(dump, f"files -R anon_inode:* {pid}")["open_files"][0]["files"][0]
        change = f"wr '&((struct dentry *){file['dentry']})->d_name.name' {NOWHERE:#x}"
        answer = after(self, dump, [change], f"files -R {file['fd']} {pid}")
        self.assertEqual(answer["open_files"][0]["files"][0]["path"], "anon_inode:?")
        self.assertIn("path is not wholly in the dump", str(answer["remarks"]))

    @each_dump
    def test_name_of_a_handler(self, dump):
        line = lab.query(dump, "irq -u")["irqs"][-1]
        for command in "irq", "irq -a", "irq -s":
            answer = after(self, dump, [f"wr '&((struct irqaction *){line['action']})->name' {NOWHERE:#x}"], f"{command} {line['irq']}")
            self.assertIn("of 1 interrupt lines is not wholly in the dump", str(answer["remarks"]))

    @each_dump
    def test_vmalloc(self, dump):
        area = next(a for a in lab.query(dump, "kmem -v")["vmalloc_areas"] if a["vm_struct"] and a["pages"])
        change = f"wr '&((struct vmap_area *){area['vmap_area']})->vm' {NOWHERE:#x}"
        for line in f"kmem -v {area['start']}", "vmallocinfo":
            answer = after(self, dump, [change], line)
            found = next(a for a in answer.get("vmalloc_areas") or answer["areas"] if a["start"] == area["start"])
            self.assertEqual([found[key] for key in ("caller", "what", "pages", "flags")], [None] * 4)
            self.assertIn("the vm_struct of 1 area is not in the dump", str(answer["remarks"]))
        found = after(self, dump, [change], f"kmem {area['start']}")["addresses"][0]["vmalloc"]
        self.assertEqual((found["caller"], found["what"]), (None, None))

    @each_dump
    def test_queue_of_a_disk(self, dump):
        disk = lab.query(dump, "dev -d")["disks"][0]
        lost = after(self, dump, [f"wr '&((struct gendisk *){disk['gendisk']})->part0' {NOWHERE:#x}"], "dev -d")
        self.assertRegex(str(lost["remarks"]), f"the gendisk at {int(disk['gendisk'], 16):x}, or the device .* is not in the dump")
        self.assertNotIn("there was no disk", str(lost["remarks"]))
        lost = after(self, dump, [f"wr '&((struct gendisk *){disk['gendisk']})->queue' {NOWHERE:#x}"], "dev -d")["disks"][0]
        self.assertEqual([lost[key] for key in ("total", "reads", "writes", "by_request")], [None] * 4)


class Pages(unittest.TestCase):
    def test_struct_pages(self):
        """A part of the array of struct page that leads to memory that the dump has not: so many page frames are told to be missing."""
        for dump in lab.dumps(name="sysrq", capture="kdump"):
            with self.subTest(dump=str(dump)):
                # Not where the kernel's image is, by which the array itself is found.
                image = {int(lab.query(dump, f"vtop {name}")["translations"][0]["physical"], 16) >> 27 for name in ("_text", "_end")}
                section = next(s for s in lab.query(dump, "kmem -n")["sections"][1:] if s["number"] not in image)
                step = lab.query(dump, f"vtop {section['first_page']}")["translations"][0]["walk"][-1]
                self.assertIn("PSE", step["flags"])
                # 2 MiB of them, of 64 bytes each.
                change = f"wr -64 -p {step['entry_address']} {int(step['entry'], 16) | 0xffff00000000:#x}"
                whole = lab.query(dump, "kmem -i")
                holed = after(self, dump, [change], "kmem -i")
                self.assertNotIn("page frames", str(whole.get("remarks")))
                missing = sum(k["pages"] for k in whole["kinds"]) - sum(k["pages"] for k in holed["kinds"])
                self.assertGreater(missing, 30000)
                self.assertIn(f"what {missing} page frames are used for is not in the dump", str(holed["remarks"]))
                self.assertIn(f"what {missing} page frames are used for", str(after(self, dump, [change], "kmem -p")["remarks"]))

    def test_counters_without_symbols(self):
        for dump in lab.dumps(truncate=60):
            with self.subTest(dump=str(dump)):
                run = lab.inquest("-c", "kmem -i", dump.vmcore)
                self.assertEqual((run.returncode, "cannot be found" in run.stderr, "Hugetlb" in run.stdout), (1, True, False))
