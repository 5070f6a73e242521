# SPDX-License-Identifier: LGPL-2.1-or-later
"""Machines that are well, doing many kinds of work when somebody asks for a dump: by sysrq, or from outside. Nothing may be made up there.

Run on the same saved machines as LKDTM's ways to crash (lkdtm_lab.py), where an out-of-tree module is loaded, too, which is innocent; or on
one without, for which no source package has to be fetched."""

import dataclasses

import lkdtm_lab
import lkdtm_truth
import state

SYSRQ = "echo c >/proc/sysrq-trigger"
# A sign that the work is under way, before the dump is asked for.
WAIT = "sleep 1"


@dataclasses.dataclass(frozen=True)
class Load:
    name: str
    work: str
    alive: bool = False  # dumped from outside, without any crash
    checked: bool = False  # on the machine with the allocator's debugging switched on
    shows: str = ""  # what must be in the kernel's log: the work was not in vain
    lkdtm: bool = False  # needs the module
    tasks: int = 0  # so many more than the idle machine has there must be, too

    @property
    def kind(self):
        return "alive" if self.alive else "sysrq"

    @property
    def script(self):
        return "\n".join([self.work, *([] if self.alive else [SYSRQ])])

    def kept(self, series, lkdtm):
        """The folder with the dump (vmcore) and the console; lkdtm: is the module loaded?"""
        machine = lkdtm_lab.machine(series, self.checked) if lkdtm else state.get(series)
        return state.kept(machine, f"{series}-well-{self.name}", self.script, self.alive)


FILES = f"{lkdtm_truth.MKFS}; mount -t ext4 /dev/vda /mnt"
WRITERS = ("for n in 1 2 3; do (while :; do dd if=/dev/zero of=/mnt/f$n bs=64k count=200 2>/dev/null; sync; cat /mnt/f$n >/dev/null; done) & "
           "done")
PROCESSES = "for n in $(seq 150); do sleep 100 & done; (while :; do true | cat | wc -c >/dev/null; done) &"
TRAFFIC = ("ip link set lo up; for n in 1 2 3; do (sleep 100 | nc -l -p 500$n >/dev/null) & done; sleep 0.3; "
           "for n in 1 2 3; do cat /dev/zero | nc 127.0.0.1 500$n & done; ping -i 0.1 127.0.0.1 >/dev/null &")
FULL = "mount -o remount,size=100M /tmp; dd if=/dev/zero of=/tmp/fill bs=1M count=80 2>/dev/null; (while :; do cat /dev/vda >/dev/null; done) &"
SWAP = ("mkswap /dev/vda >/dev/null; swapon /dev/vda; mount -o remount,size=300M /tmp; dd if=/dev/urandom of=/tmp/fill bs=1M count=160 2>/dev/null; "
        "(while :; do cat /tmp/fill >/dev/null; done) &")
# On a slow host it takes them long; they were loaded before, when the machine booted.
LOADED = "$(dmesg | grep -c 'virtio_blk virtio')"
RELOADED = f"until [ {LOADED} -gt $then ]; do sleep 0.2; done"
MODULES = f"then={LOADED}; (while :; do rmmod lkdtm virtio_blk; insmod /lab/modules/virtio_blk.ko; insmod /lab/own/lkdtm.ko; done) &"
TIMERS = "for n in $(seq 30); do (while :; do usleep 3000; done) & done"
WARNED = "echo WARNING >/sys/kernel/debug/provoke-crash/DIRECT"
CGROUP = ("mkdir -p /tmp/cg; mount -t cgroup2 none /tmp/cg; echo +memory >/tmp/cg/cgroup.subtree_control; mkdir /tmp/cg/small; "
          "echo 12M >/tmp/cg/small/memory.max; mount -t tmpfs -o size=100M none /mnt; "
          "sh -c 'echo $$ >/tmp/cg/small/cgroup.procs; exec dd if=/dev/zero of=/mnt/x bs=1M count=60' 2>/dev/null")
TRACER = "mount -t tracefs none /mnt; echo function >/mnt/current_tracer; (while :; do ls -l /proc /sys >/dev/null; done) &"

LOADS = [
    Load("idle", ""),
    Load("files", tasks=3, work=f"{FILES}; {WRITERS}; {WAIT}"),
    Load("processes", tasks=150, work=f"{PROCESSES} {WAIT}"),
    Load("network", tasks=6, work=f"{TRAFFIC} {WAIT}"),
    Load("memory-full", f"{FULL} {WAIT}"),
    Load("swap", f"{SWAP} {WAIT}", shows="Adding"),
    Load("modules", f"{MODULES} {RELOADED}", lkdtm=True, shows="virtio_blk virtio"),
    Load("timers", tasks=30, work=f"{TIMERS}; {WAIT}"),
    Load("warned", f"{WARNED}; {WAIT}", lkdtm=True, shows="WARNING: "),
    Load("cgroup-oom", f"{CGROUP}; {WAIT}", shows="Memory cgroup out of memory"),
    Load("traced", f"{TRACER} {WAIT}"),
    Load("slab-debugging", f"{FILES}; {WRITERS}; {WAIT}", checked=True, lkdtm=True),
    Load("outside-idle", "", alive=True),
    Load("outside-busy", f"{FILES}; {WRITERS}; {TRAFFIC} {WAIT}", alive=True),
    Load("outside-warned", f"{WARNED}; {PROCESSES} {WAIT}", alive=True, lkdtm=True, shows="WARNING: "),
]
