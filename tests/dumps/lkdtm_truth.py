# SPDX-License-Identifier: LGPL-2.1-or-later
"""What each way of LKDTM to crash a kernel is: the truth that a verdict is judged by, written from LKDTM's source
(drivers/misc/lkdtm/*.c of Linux 6.1 and 6.12) and from what Debian's kernels are configured to check.

A way is a crash type, written to a crash point of LKDTM: DIRECT (the writer's own context), or one that a kprobe sits on. `kinds` are the
kinds of finding that are right; more than one where honest people differ. `functions` are those that did it, by the source. Where LKDTM
itself has the deed in a function that other types share (execute_location), that one and the type's own are both right."""

import dataclasses

DIRECT = "DIRECT"


@dataclasses.dataclass(frozen=True)
class Way:
    type: str
    kinds: frozenset
    functions: frozenset
    before: str = ""  # shell commands: which check shall be deadly
    script: str = ""  # instead of writing the type to the crash point
    point: str = DIRECT
    around: str = ""  # shell commands that make the kernel pass the crash point
    checked: bool = False  # on the machine with the allocator's debugging switched on
    series: tuple = ("6.1", "6.12")

    @property
    def name(self):
        return self.type if self.point == DIRECT else f"{self.point}:{self.type}"

    @property
    def commands(self):
        """The shell script that crashes the machine so."""
        crash = self.script or f"echo {self.type} >/sys/kernel/debug/provoke-crash/{self.point}"
        return "\n".join(filter(None, (self.before, crash, self.around)))


def _way(name, kinds, functions=None, **rest):
    return Way(name, frozenset(kinds.split()), frozenset((functions or f"lkdtm_{name}").split()), **rest)


# What makes a check deadly that only complains otherwise. Watchdogs as quick as they can be set.
WARN = "echo 1 >/proc/sys/kernel/panic_on_warn"
SOFT = "echo 1 >/proc/sys/kernel/watchdog_thresh; echo 1 >/proc/sys/kernel/softlockup_panic"
# (RCU notices only where somebody waits for it: processes that end do.)
STALL = "for n in 1 2; do (while :; do sleep 0.1; done) & done; echo 3 >/sys/module/rcupdate/parameters/rcu_cpu_stall_timeout; echo 1 >/proc/sys/kernel/panic_on_rcu_stall"
HUNG = ("echo 1 >/proc/sys/kernel/hung_task_timeout_secs; echo 1 >/proc/sys/kernel/hung_task_check_interval_secs; "
        "echo 1 >/proc/sys/kernel/hung_task_panic")
KFENCE = f"echo 1 >/sys/module/kfence/parameters/sample_interval; {WARN}"

BUGS = [
    _way("PANIC", "panic"),
    _way("PANIC_STOP_IRQOFF", "panic", "panic_stop_irqoff_fn", series=("6.12",)),
    _way("BUG", "bug"),
    _way("WARNING", "warning", before=WARN),
    _way("WARNING_MESSAGE", "warning", before=WARN),
    _way("EXCEPTION", "null-pointer"),
    _way("LOOP", "softlockup", before=SOFT),
    _way("EXHAUST_STACK", "stack-overflow", "recursive_loop"),
    # The callee writes past the array of its caller, whose canary tells.
    _way("CORRUPT_STACK", "stack-corruption", "lkdtm_CORRUPT_STACK __lkdtm_CORRUPT_STACK"),
    _way("CORRUPT_STACK_STRONG", "stack-corruption", "lkdtm_CORRUPT_STACK_STRONG __lkdtm_CORRUPT_STACK"),
    _way("SOFTLOCKUP", "softlockup", before=SOFT),
    # An emulated CPU has no counters that overflow with interrupts off: no hard-lockup detector, but RCU notices.
    _way("HARDLOCKUP", "rcu-stall hardlockup", before=STALL),
    # One CPU loops in a function that the other one waits for.
    _way("SMP_CALL_LOCKUP", "softlockup", "lkdtm_SMP_CALL_LOCKUP __lkdtm_SMP_CALL_LOCKUP", before=SOFT, series=("6.12",)),
    # "Must be called twice": the second waits for ever for what the first took.
    _way("SPINLOCKUP", "softlockup deadlock", before=SOFT,
         script="cd /sys/kernel/debug/provoke-crash; echo SPINLOCKUP >DIRECT; echo SPINLOCKUP >DIRECT"),
    _way("HUNG_TASK", "hung-task", before=HUNG),
    _way("OVERFLOW_SIGNED", "undefined-behaviour"),
    _way("OVERFLOW_UNSIGNED", "undefined-behaviour"),
    _way("ARRAY_BOUNDS", "out-of-bounds", before=WARN),
    _way("FAM_BOUNDS", "out-of-bounds", before=WARN, series=("6.12",)),
    _way("UNALIGNED_LOAD_STORE_WRITE", "alignment"),
    _way("REPORT_STACK", "panic"),
    _way("REPORT_STACK_CANARY", "panic"),
    _way("CORRUPT_LIST_ADD", "list-corruption"),
    _way("CORRUPT_LIST_DEL", "list-corruption"),
    _way("STACK_GUARD_PAGE_LEADING", "stack-bounds bad-address"),
    _way("STACK_GUARD_PAGE_TRAILING", "stack-bounds bad-address"),
    _way("UNSET_SMEP", "warning", before=WARN),
    _way("DOUBLE_FAULT", "double-fault"),
    _way("CORRUPT_PAC", "panic"),
]

HEAP = [
    # On 6.1 the compiler still sees the buffer's size, and the copy is caught before it begins.
    _way("VMALLOC_LINEAR_OVERFLOW", "vmalloc-overrun out-of-bounds bad-address buffer-overflow"),
    # It writes behind its object; the allocator notices when the object is freed, in the same function.
    _way("SLAB_LINEAR_OVERFLOW", "out-of-bounds slab-damage memory-corruption red-zone", checked=True),
    _way("WRITE_AFTER_FREE", "use-after-free slab-damage memory-corruption", checked=True),
    _way("READ_AFTER_FREE", "use-after-free", checked=True),
    _way("KFENCE_READ_AFTER_FREE", "use-after-free", before=KFENCE, series=("6.12",)),
    _way("WRITE_BUDDY_AFTER_FREE", "use-after-free page-state"),
    _way("READ_BUDDY_AFTER_FREE", "use-after-free"),
    _way("SLAB_INIT_ON_ALLOC", "uninitialised"),
    _way("BUDDY_INIT_ON_ALLOC", "uninitialised"),
    _way("SLAB_FREE_DOUBLE", "double-free"),
    _way("SLAB_FREE_CROSS", "wrong-cache invalid-free", before=WARN),
    _way("SLAB_FREE_PAGE", "invalid-free", before=WARN),
]

EXEC = "execute_location"
PERMS = [
    _way("WRITE_RO", "read-only"),
    _way("WRITE_RO_AFTER_INIT", "read-only"),
    _way("WRITE_KERN", "read-only"),
    _way("WRITE_OPD", "read-only"),
    _way("EXEC_DATA", "nx-exec", f"{EXEC} lkdtm_EXEC_DATA"),
    _way("EXEC_STACK", "nx-exec", f"{EXEC} lkdtm_EXEC_STACK"),
    _way("EXEC_KMALLOC", "nx-exec", f"{EXEC} lkdtm_EXEC_KMALLOC"),
    _way("EXEC_VMALLOC", "nx-exec", f"{EXEC} lkdtm_EXEC_VMALLOC"),
    _way("EXEC_RODATA", "nx-exec", f"{EXEC} lkdtm_EXEC_RODATA"),
    _way("EXEC_USERSPACE", "user-exec", "execute_user_location lkdtm_EXEC_USERSPACE"),
    _way("EXEC_NULL", "null-call", f"{EXEC} lkdtm_EXEC_NULL"),
    _way("ACCESS_USERSPACE", "user-access"),
    _way("ACCESS_NULL", "null-pointer"),
]

REFCOUNT = [_way(f"REFCOUNT_{name}", "refcount", before=WARN) for name in (
    "INC_OVERFLOW", "ADD_OVERFLOW", "INC_NOT_ZERO_OVERFLOW", "ADD_NOT_ZERO_OVERFLOW", "DEC_ZERO", "DEC_NEGATIVE", "DEC_AND_TEST_NEGATIVE",
    "SUB_AND_TEST_NEGATIVE", "INC_ZERO", "ADD_ZERO", "INC_SATURATED", "DEC_SATURATED", "ADD_SATURATED", "INC_NOT_ZERO_SATURATED",
    "ADD_NOT_ZERO_SATURATED", "DEC_AND_TEST_SATURATED", "SUB_AND_TEST_SATURATED")]
REFCOUNT.append(_way("REFCOUNT_SUB_AND_TEST_ZERO", "refcount", before=WARN, series=("6.12",)))


def _copies(deed, *names):
    return [_way(f"USERCOPY_{name}", "usercopy", f"{deed} lkdtm_USERCOPY_{name}") for name in names]


USERCOPY = [
    *_copies("do_usercopy_slab_size", "SLAB_SIZE_TO", "SLAB_SIZE_FROM"),
    *_copies("do_usercopy_slab_whitelist", "SLAB_WHITELIST_TO", "SLAB_WHITELIST_FROM"),
    *_copies("do_usercopy_stack", "STACK_FRAME_TO", "STACK_FRAME_FROM", "STACK_BEYOND"),
    *_copies("do_usercopy_page_span", "VMALLOC", "FOLIO"),
    *_copies("lkdtm_USERCOPY_KERNEL", "KERNEL"),
]

FORTIFY = [
    _way("FORTIFY_STR_OBJECT", "buffer-overflow"),
    _way("FORTIFY_STR_MEMBER", "buffer-overflow"),
    _way("FORTIFY_MEM_OBJECT", "buffer-overflow"),
    # Past a member but not past its structure: since 6.1 a warning.
    _way("FORTIFY_MEM_MEMBER", "buffer-overflow warning", before=WARN),
    _way("FORTIFY_STRSCPY", "buffer-overflow"),
]

OTHERS = [
    _way("STACKLEAK_ERASING", "panic"),
    _way("CFI_FORWARD_PROTO", "panic"),
    _way("CFI_BACKWARD", "panic"),
]

# The same deeds in other places: a kprobe at a function of the kernel runs them.
IO = "mount -t ext4 /dev/vda /mnt; for i in 1 2 3 4 5 6; do echo $i >/mnt/f$i; sync; done"
READ = "for i in $(seq 40); do dd if=/dev/vda of=/dev/null bs=4k skip=$((i * 500)) count=1 2>/dev/null; done"


def _at(point, around, *ways):
    return [dataclasses.replace(way, point=point, around=around) for way in ways]


BY_NAME = {way.type: way for way in [*BUGS, *HEAP, *PERMS, *REFCOUNT, *USERCOPY, *FORTIFY, *OTHERS]}


def _deeds(*names):
    return [BY_NAME[name] for name in names]


MKFS = "mke2fs /dev/vda >/dev/null"
POINTS = [
    *_at("INT_HARDWARE_ENTRY", READ, *_deeds("BUG")),
    *_at("INT_HW_IRQ_EN", READ, *_deeds("BUG", "EXCEPTION", "PANIC", "WRITE_RO", "EXEC_NULL")),
    *_at("INT_TASKLET_ENTRY", READ, *_deeds("EXCEPTION")),
    *_at("FS_SUBMIT_BH", IO, *_deeds("BUG", "EXCEPTION", "EXHAUST_STACK", "SLAB_FREE_DOUBLE", "CORRUPT_LIST_ADD")),
    *_at("MEM_SWAPOUT", "dd if=/dev/vda of=/dev/null bs=1M; dd if=/dev/vda of=/dev/null bs=1M", *_deeds("EXCEPTION")),
    *_at("TIMERADD", "sleep 1", *_deeds("BUG")),
    *_at("SCSI_QUEUE_RQ", IO, *_deeds("BUG")),
]
for place, way in enumerate(POINTS):
    if way.point == "FS_SUBMIT_BH":
        POINTS[place] = dataclasses.replace(way, before="\n".join(filter(None, (way.before, MKFS))))

WAYS = [*BUGS, *HEAP, *PERMS, *REFCOUNT, *USERCOPY, *FORTIFY, *OTHERS, *POINTS]
# A few of each sort, for the tests that run at each change.
SAMPLE = ("BUG", "WARNING_MESSAGE", "EXHAUST_STACK", "CORRUPT_STACK", "SOFTLOCKUP", "CORRUPT_LIST_ADD", "VMALLOC_LINEAR_OVERFLOW", "SLAB_FREE_DOUBLE",
          "WRITE_RO", "EXEC_NULL", "ACCESS_USERSPACE", "REFCOUNT_INC_ZERO", "USERCOPY_SLAB_SIZE_TO", "FORTIFY_MEM_OBJECT", "INT_HW_IRQ_EN:EXCEPTION")


def sample():
    return [way for way in WAYS if way.name in SAMPLE]
