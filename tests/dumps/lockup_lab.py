# SPDX-License-Identifier: LGPL-2.1-or-later
"""Locks up machines of the lab with test_lockup, the kernel's own module for that, in a number of settings, and judges what inquest says."""

import dataclasses

import lkdtm_lab
import lockup_module
import kernel
import state

SOFT = "echo 1 >/proc/sys/kernel/watchdog_thresh; echo 1 >/proc/sys/kernel/softlockup_panic"
HUNG = "echo 2 >/proc/sys/kernel/hung_task_timeout_secs; echo 1 >/proc/sys/kernel/hung_task_panic"
STALL = ("echo 0 >/proc/sys/kernel/watchdog; echo 4 >/sys/module/rcupdate/parameters/rcu_cpu_stall_timeout; "
         "echo 1 >/proc/sys/kernel/panic_on_rcu_stall")
# On the second CPU of an emulated machine mdelay() is quick; locks are kept over all iterations.
LOCK_UP = "insmod /lab/own/test_lockup.ko time_secs=60 iterations=2000"
# Whatever of the module is on the stack: which of its functions the compiler kept is its own affair.
MODULE = "test_lockup"
ADDRESS = "0x$(awk '$3 == \"{}\" {{ print $1 }}' /proc/kallsyms)"


@dataclasses.dataclass(frozen=True)
class Setting:
    name: str
    words: str  # for the module
    watch: str
    kind: str
    before: str = ""
    victims: str = ""  # run beside it, a second later
    says: tuple = ()  # words that the verdict must have

    @property
    def script(self):
        beside = f"(sleep 1; {self.victims}) &" if self.victims else ""
        return "\n".join([self.before or ":", self.watch, beside, f"{LOCK_UP} {self.words}"])


# A stall is one of a grace period, and found by a CPU that ticks: the other one must want some and not sleep.
BUSY = "(while :; do i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done; (:); done) & sleep 1"
FILE = "touch /tmp/shared"
APPEND = "for n in 1 2 3; do (echo $n >>/tmp/shared) & done"

# To find the address in kallsyms takes an emulated machine some seconds.
ONCE_LOCKED = "until dmesg | grep -q 'test_lockup: lock mutex'; do sleep 1; done"

SETTINGS = [
    Setting("preemption-off", "disable_preempt=1", SOFT, "softlockup"),
    Setting("softirqs-off", "disable_softirq=1", SOFT, "softlockup"),
    Setting("interrupts-off", "disable_irq=1", STALL, "rcu-stall", before=BUSY, says=("interrupts disabled",)),
    Setting("rcu-reader", "lock_rcu=1", STALL, "rcu-stall"),
    Setting("uninterruptible", "state=D", HUNG, "hung-task"),
    Setting("inode", "state=S file_path=/tmp/shared lock_inode=1", HUNG, "hung-task", before=FILE, victims=APPEND, says=("rwsem", "insmod")),
    Setting("inode-read", "state=S file_path=/tmp/shared lock_inode=1 lock_read=1", HUNG, "hung-task", before=FILE, victims=APPEND,
            says=("rwsem", "insmod")),
    Setting("super-block", "state=S file_path=/tmp/shared lock_sb_umount=1", HUNG, "hung-task", before=FILE, victims="sync", says=("rwsem", "insmod")),
    Setting("mutex", "state=S lock_mutex_ptr=" + ADDRESS.format("rtnl_mutex"), HUNG, "hung-task",
            victims=f"{ONCE_LOCKED}; for n in 1 2; do ip link set lo up & done", says=("rtnl_mutex", "insmod")),
    Setting("spinlock", "all_cpus=1 lock_spinlock_ptr=" + ADDRESS.format("inode_hash_lock"), SOFT, "softlockup", says=("spinlock", "inode_hash_lock")),
    Setting("rwlock", "all_cpus=1 lock_rwlock_ptr=" + ADDRESS.format("tasklist_lock"), SOFT, "softlockup", says=("rwlock", "tasklist_lock")),
]
SAMPLE = ("inode-read", "spinlock", "interrupts-off")


def machine(series):
    """The saved machine; the module was tried there once, for no time."""
    return state.get(series, [lockup_module.module(kernel.get(series))])


def kept(setting, series):
    """The folder with the dump and the console."""
    return state.kept(machine(series), f"{series}-lockup-{setting.name}", setting.script)


@dataclasses.dataclass(frozen=True)
class Judgement:
    setting: Setting
    verdict: dict

    @property
    def kind_right(self):
        return self.verdict["kind"] == self.setting.kind

    @property
    def blame_right(self):
        return self.verdict["module"] == MODULE

    @property
    def said(self):
        words = " ".join(filter(None, (self.verdict["what"], self.verdict["why"])))
        return all(word in words for word in self.setting.says)

    @property
    def right(self):
        return self.kind_right and self.blame_right and self.said

    @property
    def surely_wrong(self):
        v = self.verdict
        return bool(not self.kind_right and v["confidence"] in lkdtm_lab.SURE or
                    v["function"] and not self.blame_right and (v["function_confidence"] or v["confidence"]) in lkdtm_lab.SURE)


def judge(setting, folder):
    return Judgement(setting, lkdtm_lab.ask(folder / "vmcore")["verdict"])
