# SPDX-License-Identifier: LGPL-2.1-or-later
"""files, fuser, mount, swap, ipcs on machines that hold some of everything, against what the kernel said of itself."""

import json
import re
import unittest

import lab
import subsystems
from subsystems import HOLDERS, each_dump, pid_of


def pairs(path):
    """{"5": "/tmp/disk/x"} of lines "5 /tmp/disk/x"."""
    return dict(line.split(" ", 1) for line in path.read_text().splitlines())


def octal(text):
    return text.replace("\\040", " ")


# include/linux/fs.h: of 6.1, of 6.12, of 7.x
I_DIRTY = {"5": 0x7, "6.1": 0x7, "6.12": 0x38, "7": 0x70}


def is_of(dump, releases):
    """Which of the releases the dump's kernel is of."""
    return next(r for r in releases if dump.meta["kernel_release"].startswith(r + "."))


class Subsystems(subsystems.Test):
    # --- files ---

    @each_dump
    def test_open_files_are_those_of_proc(self, dump):
        for holder in HOLDERS:
            folder = dump.oracle / "holders" / holder
            task = lab.query(dump, f"files {pid_of(dump, holder)}")["open_files"][0]
            wanted = pairs(folder / "fds")
            self.assertEqual({str(f["fd"]): f["path"] for f in task["files"]}, wanted)
            links = pairs(folder / "links")
            self.assertEqual((task["root"], task["cwd"]), (links["root"], links["cwd"]))

    @each_dump
    def test_types_of_files(self, dump):
        kinds = {"/dev/null": "CHR", "/tmp/disk/folder/data": "REG", "/tmp/disk/folder": "DIR", "/tmp/disk/fifo": "FIFO", "/dev/vda1": "BLK",
                 "anon_inode:[eventfd]": "UNKN"}
        files = lab.query(dump, f"files {pid_of(dump, 'files')}")["open_files"][0]["files"]
        found = {f["path"]: f["type"] for f in files}
        self.assertEqual({path: found[path] for path in kinds}, kinds)
        sockets = lab.query(dump, f"files -R socket:* {pid_of(dump, 'net')}")["open_files"][0]["files"]
        self.assertEqual({f["type"] for f in sockets}, {"SOCK"})
        self.assertGreater(len(sockets), 10)

    @each_dump
    def test_references_of_files(self, dump):
        pid = pid_of(dump, "files")
        every = lab.query(dump, f"files {pid}")["open_files"][0]["files"]
        one = next(f for f in every if f["path"] == "/tmp/disk/fifo")
        for word in one["path"], "fifo", str(one["fd"]), one["file"], one["dentry"], one["inode"], "*/fif?":
            self.assertEqual(lab.query(dump, f"files -R '{word}' {pid}")["open_files"][0]["files"], [one], word)

    @each_dump
    def test_cached_pages(self, dump):
        files = lab.query(dump, f"files -c {pid_of(dump, 'files')}")["open_files"][0]["files"]
        data = next(f for f in files if f["path"] == "/tmp/disk/folder/data")
        self.assertEqual(data["cached_pages"], 20)  # as dd wrote it
        self.assertEqual(next(f for f in files if f["path"].startswith("/tmp/volatile/gone"))["cached_pages"], 1)
        inode = lab.query(dump, f"files -p {data['inode']}")["inode"]
        self.assertEqual((inode["mapping"], inode["path"]), (data["mapping"], "/tmp/disk/folder/data"))
        covered = sorted(i for p in inode["pages"] for i in range(int(p["index"], 16), int(p["index"], 16) + p["pages"]))
        self.assertEqual(covered, list(range(20)))
        # Each of them is what kmem says of it: of this mapping.
        for page in inode["pages"]:
            self.assertEqual(page["mapping"], data["mapping"])
        # What the page tables of a process say of its pages.
        pages = {int(p["index"], 16): int(p["physical"], 16) for p in inode["pages"]}
        maps = lab.query(dump, f"vm -p -R data {pid_of(dump, 'maps')}")["address_spaces"][0]["mappings"]
        shared = next(m for m in maps if m["permissions"] == "rw-s")
        first = next(p for p in lab.query(dump, f"vm -P {shared['vma']}")["address_spaces"][0]["mappings"][0]["pages"])
        self.assertEqual(int(first["physical"], 16), next(at + (10 - i) * 4096 for i, at in sorted(pages.items(), reverse=True) if i <= 10))
        nodes = lab.query(dump, f"files -n {data['inode']}")["inode"]["nodes"]
        self.assertEqual(nodes, [{"node": 0, "pages": 20}])

    @each_dump
    def test_dentries(self, dump):
        files = lab.query(dump, f"files {pid_of(dump, 'files')}")["open_files"][0]["files"]
        one = next(f for f in files if f["path"] == "/tmp/disk/fifo")
        found = lab.query(dump, f"files -d {one['dentry']}")["dentries"][0]
        self.assertEqual({k: found[k] for k in ("dentry", "inode", "type", "path")}, {k: one[k] for k in ("dentry", "inode", "type", "path")})
        mount = lab.query(dump, "mount /tmp/disk")["mounts"][0]
        self.assertEqual(found["super_block"], mount["super_block"])

    @each_dump
    def test_schema_of_files(self, dump):
        pid = pid_of(dump, "files")
        file = lab.query(dump, f"files {pid}")["open_files"][0]["files"][4]
        self.fits(dump, "files", f"files {pid} 1 2", f"files -c {pid}", f"files -p {file['inode']}", f"files -n {file['inode']}",
                  f"files -d {file['dentry']}")

    # --- fuser ---

    @each_dump
    def test_users_of_files(self, dump):
        pids = {holder: pid_of(dump, holder) for holder in HOLDERS}

        def users(word):
            return {(u["pid"], u["usage"], u["fds"]) for u in lab.query(dump, f"fuser '{word}'")["users"]}

        # The bind mount's name is another one of the same file.
        self.assertEqual(users("/tmp/disk/folder/data"), {(pids["files"], "fd", "5,7"), (pids["maps"], "fd mmap", "5")})
        self.assertEqual(users("/tmp/bound/data"), users("/tmp/disk/folder/data"))
        self.assertEqual(users("/tmp/disk/deep"), {(pids["files"], "cwd", "")})
        self.assertEqual(users("/tmp/hidden"), {(pids["jail"], "root", "")})
        self.assertEqual({(pid, usage) for pid, usage, _ in users("/scenario/holder")}, {(p, "exe mmap") for p in pids.values()})
        self.assertEqual(users("/nowhere"), set())
        inode = next(f for f in lab.query(dump, f"files {pids['files']}")["open_files"][0]["files"] if f["fd"] == 5)["inode"]
        self.assertEqual(users(inode), users("/tmp/disk/folder/data"))
        self.fits(dump, "fuser /dev/null", "fuser /nowhere")
        run = lab.inquest("-c", "fuser /dev/null /dev/zero", dump.vmcore)
        self.assertEqual((run.returncode, "one path" in run.stderr), (1, True))

    # --- mount ---

    def mountinfo(self, path):
        rows = {}
        for line in path.read_text().splitlines():
            words = line.split()
            dash = words.index("-")
            rows[int(words[0])] = (int(words[1]), words[2], octal(words[3]), octal(words[4]), words[5], words[dash + 1], words[dash + 2])
        return rows

    def found_mounts(self, dump, line):
        return {m["id"]: (m["parent"], m["device"], m["subtree"], m["place"], m["options"], m["type"], m["source"])
                for m in lab.query(dump, line)["mounts"]}

    @each_dump
    def test_mounts_are_those_of_proc(self, dump):
        jail = pid_of(dump, "jail")
        for line, oracle in ("mount", "mountinfo"), (f"mount -n {jail}", "holders/jail/mounts-of-namespace"):
            found = self.found_mounts(dump, line)
            # In 7.x all is mounted upon one that no process sees.
            hidden = [i for i, m in found.items() if m[5] == "nullfs"]
            self.assertEqual(len(hidden), int(dump.meta["kernel_release"].startswith("7.")))
            self.assertEqual({i: m for i, m in found.items() if i not in hidden}, self.mountinfo(dump.oracle / oracle))

    @each_dump
    def test_mount_by_name_or_address(self, dump):
        every = lab.query(dump, "mount")["mounts"]
        one = next(m for m in every if m["place"] == "/tmp/volatile")
        for word in one["place"], one["mount"], one["super_block"], one["source"]:
            self.assertEqual(lab.query(dump, f"mount {word}")["mounts"], [one], word)
        dentry = lab.query(dump, f"struct mount.mnt.mnt_root {one['mount']}")["structs"][0]["members"][0]["value"]
        inode = lab.query(dump, f"files -d {dentry}")["dentries"][0]["inode"]
        for word in dentry, inode:
            self.assertEqual(lab.query(dump, f"mount {word}")["mounts"], [one], word)
        self.assertEqual({m["place"] for m in lab.query(dump, "mount /dev/vda1")["mounts"]}, {"/tmp/disk", "/tmp/bound"})
        run = lab.inquest("-c", "mount /nowhere", dump.vmcore)
        self.assertEqual((run.returncode, "nothing is mounted" in run.stderr), (1, True))

    @each_dump
    def test_dirty_inodes_and_open_files(self, dump):
        dirty = lab.query(dump, "mount -i /tmp/disk")["mounts"][0]["dirty_inodes"]
        files = {f["path"]: f for f in lab.query(dump, f"files {pid_of(dump, 'files')}")["open_files"][0]["files"]}
        # Half a minute after the holder wrote, which a slow machine may need, the kernel writes it to the disk.
        file = files["/tmp/disk/locked"]
        (state,) = lab.query(dump, f"struct inode.i_state {file['inode']}")["structs"][0]["members"]
        is_dirty = int(str(state["value"]), 0) & I_DIRTY[is_of(dump, I_DIRTY)] != 0
        self.assertEqual((file["type"], file["path"]) in {(i["type"], i["path"]) for i in dirty}, is_dirty)
        if float((dump.oracle / "proc/uptime").read_text().split()[0]) < 20:
            self.assertTrue(is_dirty)
        self.assertEqual(lab.query(dump, "mount -i /proc")["mounts"][0]["dirty_inodes"], [])
        opened = lab.query(dump, "mount -f /tmp/volatile")["mounts"][0]["open_files"]
        self.assertEqual([(f["pid"], f["fd"], f["path"]) for f in opened], [(pid_of(dump, "files"), 8, "/tmp/volatile/gone (deleted)")])
        self.fits(dump, "mount", "mount -i", "mount -f", "mount -f -i -n 1 /tmp/disk")

    # --- swap ---

    @each_dump
    def test_swap_is_that_of_proc(self, dump):
        lines = (dump.oracle / "proc/swaps").read_text().splitlines()[1:]
        wanted = [(w[0], w[1].upper(), int(w[2]) * 1024, int(w[4])) for w in map(str.split, lines)]
        found = lab.query(dump, "swap")["swap_devices"]
        self.assertEqual([(d["path"], d["type"], d["size"], d["priority"]) for d in found], wanted)
        # It may have been written to since.
        self.assertAlmostEqual(found[0]["used"], int(lines[0].split()[3]) * 1024, delta=64 * 4096)
        self.assertEqual(found[0]["percent"], found[0]["used"] * 100 // found[0]["size"])
        self.fits(dump, "swap")

    # --- ipcs ---

    def table(self, path):
        lines = [line.split() for line in path.read_text().splitlines()]
        return [dict(zip(lines[0], words)) for words in lines[1:]]

    @each_dump
    def test_ipc_is_that_of_proc(self, dump):
        folder = dump.oracle / "sysvipc"
        answer = lab.query(dump, "ipcs")
        self.assertEqual([(int(o["key"], 16), o["id"], o["uid"], int(o["mode"], 8), o["bytes"], o["attached"], o["status"])
                          for o in answer["shared_memory"]],
                         [(int(r["key"]), int(r["shmid"]), int(r["uid"]), int(r["perms"], 8) & 0o777, int(r["size"]), int(r["nattch"]),
                           "dest" if int(r["perms"], 8) & 0o1000 else "") for r in self.table(folder / "shm")])
        self.assertEqual([(int(o["key"], 16), o["id"], int(o["mode"], 8), o["semaphores"]) for o in answer["semaphores"]],
                         [(int(r["key"]), int(r["semid"]), int(r["perms"], 8), int(r["nsems"])) for r in self.table(folder / "sem")])
        self.assertEqual([(int(o["key"], 16), o["id"], int(o["mode"], 8), o["used_bytes"], o["messages"]) for o in answer["message_queues"]],
                         [(int(r["key"]), int(r["msqid"]), int(r["perms"], 8), int(r["cbytes"]), int(r["qnum"])) for r in self.table(folder / "msg")])

    @each_dump
    def test_options_of_ipcs(self, dump):
        whole = lab.query(dump, "ipcs")
        self.assertEqual(lab.query(dump, "ipcs -m"), {"shared_memory": whole["shared_memory"]})
        self.assertEqual(lab.query(dump, "ipcs -s"), {"semaphores": whole["semaphores"]})
        self.assertEqual(lab.query(dump, "ipcs -q"), {"message_queues": whole["message_queues"]})
        pages = lab.query(dump, "ipcs -M")["shared_memory"]
        wanted = self.table(dump.oracle / "sysvipc/shm")
        self.assertEqual([(o["resident"], o["swapped"]) for o in pages], [(int(r["rss"]) // 4096, int(r["swap"]) // 4096) for r in wanted])
        self.assertEqual([o["pages"] for o in pages], [(int(r["size"]) + 4095) // 4096 for r in wanted])
        one = whole["message_queues"][0]
        for word in str(one["id"]), one["address"]:
            self.assertEqual(lab.query(dump, f"ipcs -q {word}")["message_queues"], [one])
        jail = lab.query(dump, f"ipcs -n {pid_of(dump, 'jail')}")
        self.assertEqual([int(o["key"], 16) for o in jail["shared_memory"]], [0x4001])
        self.assertEqual((jail["semaphores"], jail["message_queues"]), ([], []))
        self.fits(dump, "ipcs", "ipcs -M", "ipcs -n 1", f"ipcs -q {one['id']}")
        self.assertEqual(lab.inquest("-c", "ipcs 77", dump.vmcore).returncode, 1)


class Names(unittest.TestCase):
    def test_of_inodes_and_dentries(self):
        for dump in lab.dumps(name="sysrq", capture="kdump"):
            with self.subTest(dump=str(dump)):
                files = {f["path"]: f for f in lab.query(dump, "files 1")["open_files"][0]["files"]}
                null, other = files["/dev/null"], files["/init"]
                # devtmpfsd has a namespace of its own, where this is /null.
                self.assertEqual(lab.query(dump, f"files -p {null['inode']}")["inode"]["path"], "/dev/null")
                # As if (by wr, in memory) it were a hard link: an inode has several names, a dentry its own.
                lines = [f"wr '&((struct dentry *){null['dentry']})->d_inode' {other['inode']}", f"files -d {null['dentry']}"]
                found = json.loads(lab.inquest("--json", "-c", "; ".join(lines), dump.vmcore).stdout)["commands"][-1]["dentries"][0]
                self.assertEqual((found["inode"], found["path"]), (other["inode"], "/dev/null"))


class ManyDescriptors(unittest.TestCase):
    def test_fuser_names_all_of_them(self):
        for dump in lab.dumps(name="sysrq", capture="kdump")[:1]:
            task = lab.query(dump, "files 1")["open_files"][0]
            null = next(f for f in task["files"] if f["path"] == "/dev/null")
            table = f"((struct files_struct *){task['files_struct']})->fdt"
            # By hand each of the 64 descriptors that a process has at first becomes one of the same file.
            lines = [f"wr '&{table}->open_fds[0]' {(1 << 64) - 1:x}"] + [f"wr '&{table}->fd[{n}]' {null['file']}" for n in range(64)]
            run = lab.inquest("--json", "-c", "; ".join(lines + ["fuser /dev/null"]), dump.vmcore)
            self.assertIn('"' + ",".join(map(str, range(64))) + '"', run.stdout, run.stderr)


LINES = "files", "fuser /dev/null", "mount", "mount -i", "swap", "ipcs -M"


class Damage(unittest.TestCase):
    def test_holes_are_said(self):
        for dump in lab.dumps(name="many-tasks", series="6.12", makedumpfile="old", truncate=100):
            with self.subTest(dump=str(dump)):
                # Which pages are gone is luck: some tables of open files, and most dentries.
                pids = [task["pid"] for task in lab.query(dump, "ps -u")["tasks"]][:30]
                answers = lab.query(dump, "; ".join(f"files {pid}" for pid in pids))["commands"]
                for answer in answers:
                    if "/dev/null" not in [row["path"] for table in answer.get("open_files", []) for row in table["files"]]:
                        self.assertRegex(str(answer.get("remarks")), "not (wholly )?in the dump", answer)
                self.assertRegex(str(answers), "open files of PID [0-9]+: of [0-9]+ files or folders the dentry, inode or path is not wholly in the dump")
                mounts = lab.query(dump, "mount")
                remarks = str(mounts.get("remarks"))
                kinds = ["rootfs", "devtmpfs", "proc", "sysfs", "debugfs", "tmpfs"]
                found = [(m["type"], m["source"], m["place"] or "/...", m["device"]) for m in mounts["mounts"]]
                if "'mounts: " not in remarks:  # a lost node of their tree would be told
                    self.assertEqual([kind or wanted for (kind, *_), wanted in zip(found, kinds)], kinds)
                    self.assertEqual(len(found), len(kinds))
                self.assertLessEqual({kind for kind, *_ in found if kind}, set(kinds))
                lost = sum(None in row or "/..." in row[2] for row in found)
                told = re.findall("'([0-9]+) mounts are only partly in the dump", remarks)
                self.assertLessEqual(lost, int(told[0]) if told else 0, remarks)
                for line in LINES:
                    run = lab.inquest("-c", line, dump.vmcore)
                    self.assertIn(run.returncode, (0, 1), run.stderr[-300:])

    def test_dumps_cut_off(self):
        for dump in lab.dumps(truncate=60):
            for line in LINES:
                with self.subTest(dump=str(dump), line=line):
                    run = lab.inquest("-c", line, dump.vmcore)
                    self.assertEqual(run.returncode, 1, run.stdout)
                    self.assertTrue(run.stderr.startswith("inquest: ") or "missing: " in run.stdout, run.stderr + run.stdout)
