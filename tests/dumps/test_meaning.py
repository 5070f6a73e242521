# SPDX-License-Identifier: LGPL-2.1-or-later
"""What pointers to known structures mean, shown by `p`: of tasks whose open files and sockets the lab's programs made."""

import re
import unittest

import lab


class Meaning(unittest.TestCase):
    def setUp(self):
        self.dumps = lab.dumps(name="arguments", capture="qemu-elf")
        if not self.dumps:
            self.skipTest("the lab has no dump of arguments")

    def mean(self, dump, expression):
        return lab.query(dump, f"p {expression}")["values"][0]["meaning"]

    def task(self, dump, comm):
        """Of those with that name the first: the others are its children."""
        return min(lab.query(dump, f"ps {comm}")["tasks"], key=lambda t: t["pid"])

    def of(self, dump, comm):
        return f"((struct task_struct *){self.task(dump, comm)['task']})"

    def test_tasks_and_what_is_theirs(self):
        for dump in self.dumps:
            task = self.of(dump, "arg-pipe-read")
            name = f"arg-pipe-read (pid {self.task(dump, 'arg-pipe-read')['pid']})"
            self.assertEqual(self.mean(dump, task), name)
            self.assertEqual(self.mean(dump, f"*{task}"), name)
            self.assertEqual(self.mean(dump, f"{task}->mm"), f"of {name}")
            self.assertEqual(self.mean(dump, f"{task}->cred"), "uid 0, gid 0")
            self.assertEqual(self.mean(dump, f"{task}->mm->exe_file"), "/scenario/sleepers")
            self.assertEqual(self.mean(dump, f"{task}->fs->pwd.dentry"), "/")
            self.assertEqual(self.mean(dump, f"{task}->nsproxy->net_ns"), "the initial network namespace")
            self.assertEqual(self.mean(dump, f"{task}->nsproxy->net_ns->loopback_dev"), "lo")
            self.assertEqual(self.mean(dump, f"&{task}->mm->mmap_lock"), "free")

    def test_files(self):
        for dump in self.dumps:
            fd = self.of(dump, "arg-pipe-read") + "->files->fdt->fd[3]"
            self.assertRegex(self.mean(dump, fd), r"^pipe:\[\d+\]$")
            self.assertEqual(self.mean(dump, f"(struct pipe_inode_info *){fd}->private_data"), "0 buffers filled, 1 reader, 1 writer")
            self.assertRegex(self.mean(dump, f"{fd}->f_inode"), r"inode \d+ of pipefs, fifo, 0600$")
            self.assertEqual(self.mean(dump, self.of(dump, "arg-flock") + "->files->fdt->fd[3]"), "/tmp/arg-lock")
            self.assertEqual(self.mean(dump, self.of(dump, "arg-flock") + "->files->fdt->fd[0]"), "/dev/null")

    def test_sockets(self):
        for dump in self.dumps:
            tcp = (dump.oracle / "proc" / "net" / "tcp").read_text()
            ports = {int(port, 16) for port in re.findall(r"^\s*\d+: 00000000:([0-9A-F]{4}) \S+ 0A ", tcp, re.M)}
            said = self.mean(dump, f"(struct socket *){self.of(dump, 'arg-tcp-accept')}->files->fdt->fd[3]->private_data")
            self.assertIn(said, {f"inet stream 0.0.0.0:{port}, listening" for port in ports})
            said = self.mean(dump, f"(struct socket *){self.of(dump, 'arg-unix-acc')}->files->fdt->fd[3]->private_data")
            self.assertEqual(said, "unix stream /tmp/arg-socket, listening")
            said = self.mean(dump, f"(struct socket *){self.of(dump, 'arg-unix-read')}->files->fdt->fd[3]->private_data")
            self.assertEqual(said, "unix stream, established")

    def test_lists_workqueues_and_errors(self):
        for dump in self.dumps:
            tasks = lab.query(dump, "ps")["tasks"]
            listed = len({t["tgid"] for t in tasks if t["pid"]})
            self.assertEqual(self.mean(dump, "&init_task.tasks"), f"list of {listed}")
            self.assertEqual(self.mean(dump, "system_wq"), "events")
            self.assertEqual(self.mean(dump, "(struct file *)-12"), "error -12 (ENOMEM)")
            self.assertEqual(self.mean(dump, "(struct file *)0"), "NULL")

    def test_garbage_means_nothing(self):
        for dump in self.dumps:
            for kind in ("file", "task_struct", "sock", "mm_struct", "kobject", "inode", "dentry", "work_struct", "net_device", "module"):
                self.assertIsNone(self.mean(dump, f"(struct {kind} *)&linux_banner"), kind)
                self.assertIsNone(self.mean(dump, f"(struct {kind} *)0xffff7fff00000000"), kind)


if __name__ == "__main__":
    unittest.main()
