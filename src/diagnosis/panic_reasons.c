// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The kernel's own panic() messages: kernel/{panic,exit,watchdog,hung_task}.c, init/, mm/,
 * arch/x86/kernel/ (nmi.c, traps.c, dumpstack.c, cpu/mce/core.c, apic/), drivers/watchdog/,
 * drivers/char/ipmi/, drivers/{edac,md,acpi,hv,xen}/, fs/. Several spellings of one message are
 * those of different versions. A message that is not here is somebody's own: whoever called
 * panic() is to be asked.
 */
#include "diagnosis/panic_reasons.h"

#include <string.h>

#include "diagnosis/diagnosis.h"

#define SOFTLOCKUP                                                                               \
	.kind = "softlockup", .title = "Soft lockup",                                            \
	.why = "a CPU did not get to run other tasks for longer than the watchdog allows, and "  \
	       "kernel.softlockup_panic is set",                                                 \
	.next = "bt -a: what does each CPU do, and which one differs?", .rank = RANK_POLICY,     \
	.setting = { "kernel.softlockup_panic", "kernel.watchdog_thresh" }

#define HARDLOCKUP                                                                               \
	.kind = "hardlockup", .title = "Hard lockup",                                            \
	.why = "a CPU did not even take timer interrupts for longer than the watchdog allows",   \
	.next = "bt -a: which CPU runs with interrupts off?", .rank = RANK_POLICY,               \
	.setting = { "kernel.hardlockup_panic", "kernel.watchdog_thresh" }

#define WATCHDOG_DEVICE(words)                                                                   \
	.kind = "watchdog", .title = "Watchdog device", .why = words,                            \
	.next = "ps: is the program that feeds the watchdog there, and what does it wait for? "  \
		"bt of it, and bt -a",                                                           \
	.rank = RANK_POLICY

#define NMI(words, ...)                                                                          \
	.kind = "nmi", .title = "Non-maskable interrupt", .why = words,                          \
	.next = "the event log of the machine's management controller (BMC), or who asked the "  \
		"hypervisor for an NMI",                                                         \
	.rank = RANK_POLICY, .setting = { __VA_ARGS__ }

#define MACHINE_CHECK(words)                                                                     \
	.kind = "machine-check", .title = "Machine check", .why = words,                         \
	.next = "log: lines marked [Hardware Error]; the event log of the machine's management " \
		"controller",                                                                    \
	.rank = RANK_SPECIAL

#define OOM(words, ...)                                                                          \
	.kind = "oom", .title = "Out of memory", .why = words, .rank = RANK_POLICY,              \
	.setting = { __VA_ARGS__ }

#define NO_INIT(words)                                                                           \
	.kind = "no-init", .title = "No init program", .why = words, .rank = RANK_POLICY

#define FILE_SYSTEM(words)                                                                       \
	.kind = "file-system-panic", .title = "Panic asked for by a file system", .why = words,  \
	.next = "log: the errors before it; then the disk below, and a check of the file system", \
	.rank = RANK_POLICY

#define NO_MEMORY                                                                                \
	.kind = "no-memory", .title = "Memory that the kernel cannot do without was missing",    \
	.why = "an allocation failed that is not allowed to fail: too little memory, or a huge " \
	       "value on the command line or in the request",                                    \
	.rank = RANK_CONSEQUENCE + 10

#define BOOT(words)                                                                              \
	.kind = "boot-failure", .title = "The kernel could not start", .why = words,             \
	.rank = RANK_POLICY

/* Earlier rows win. */
static const struct panic_reason reasons[] = {
	{ .message = "sysrq triggered crash", .kind = "sysrq", .title = "Crash by request",
	  .why = "sysrq c was asked for", .rank = RANK_POLICY },
	{ .message = "SysRq : Trigger a crash", .kind = "sysrq", .title = "Crash by request",
	  .why = "sysrq c was asked for", .rank = RANK_POLICY },

	{ .message = "softlockup: hung tasks", SOFTLOCKUP },
	{ .message = "Hard LOCKUP", HARDLOCKUP },
	{ .message = "hard LOCKUP", HARDLOCKUP },
	{ .message = "NMI Watchdog detected LOCKUP", HARDLOCKUP }, /* up to 2.6.38 */
	{ .message = "hung_task: blocked tasks", .kind = "hung-task", .title = "Hung task",
	  .why = "a task waited uninterruptibly for longer than kernel.hung_task_timeout_secs, "
		 "and kernel.hung_task_panic is set",
	  .next = "ps, then bt of the tasks in state D: what do they wait for?",
	  .rank = RANK_POLICY,
	  .setting = { "kernel.hung_task_panic", "kernel.hung_task_timeout_secs" } },
	{ .message = "RCU Stall", .kind = "rcu-stall", .title = "RCU stall",
	  .why = "a CPU or task held up an RCU grace period for too long, and "
		 "kernel.panic_on_rcu_stall is set",
	  .next = "bt -a: the log names the CPUs and tasks that stalled", .rank = RANK_POLICY,
	  .setting = { "kernel.panic_on_rcu_stall" } },

	{ .message = "compulsory panic_on_oom is enabled",
	  OOM("memory ran out, and vm.panic_on_oom is 2: not even a process confined to a cgroup "
	      "or some nodes is killed instead", "vm.panic_on_oom") },
	{ .message = "panic_on_oom is enabled",
	  OOM("the kernel ran out of memory, and vm.panic_on_oom is set", "vm.panic_on_oom") },
	{ .message = "panic_on_oom is selected", /* up to 3.x */
	  OOM("the kernel ran out of memory, and vm.panic_on_oom is set", "vm.panic_on_oom") },
	{ .message = "System is deadlocked on memory",
	  OOM("the kernel ran out of memory and no process was left to kill") },
	{ .message = "Out of memory and no killable processes",
	  OOM("the kernel ran out of memory and no process was left to kill") },

	{ .message = "panic_on_warn set", .kind = "warning", .title = "Kernel warning",
	  .why = "a WARN() fired, and kernel.panic_on_warn is set", .rank = RANK_POLICY },
	{ .message = "system warned too often", .kind = "warning", .title = "Too many warnings",
	  .why = "more WARN()s fired than kernel.warn_limit allows; the first of them tells more "
		 "than the last",
	  .next = "log: the first warning", .rank = RANK_POLICY,
	  .setting = { "kernel.warn_limit" } },
	{ .message = "Oopsed too often", .kind = "oops-limit", .title = "Too many oopses",
	  .why = "more oopses than kernel.oops_limit allows; the first of them tells more than "
		 "the last",
	  .next = "log: the first oops", .rank = RANK_POLICY, .setting = { "kernel.oops_limit" } },
	{ .message = "panic_on_taint set", .kind = "taint", .title = "Kernel became tainted",
	  .why = "something tainted the kernel in a way that kernel.panic_on_taint forbids",
	  .rank = RANK_POLICY, .setting = { "kernel.panic_on_taint" } },
	{ .message = "kasan.fault=panic set", .kind = "checker-report",
	  .title = "Report of a kernel checker", .why = "KASAN was told to stop the machine",
	  .rank = RANK_POLICY },
	{ .message = "kmsan.panic set", .kind = "checker-report",
	  .title = "Report of a kernel checker",
	  .why = "KMSAN found a use of memory that nobody had written, and was told to stop the "
		 "machine",
	  .rank = RANK_POLICY },

	{ .message = "Attempted to kill init", .kind = "init-killed", .title = "init was killed",
	  .why = "process 1 ended; a system cannot live without it", .rank = RANK_POLICY },
	{ .message = "Attempted to kill the idle task", .kind = "idle-killed",
	  .title = "Idle task was killed",
	  .why = "an oops hit a CPU that was idle: no task is there to be killed instead",
	  .rank = RANK_CONSEQUENCE },
	{ .message = "Unable to mount root fs", .kind = "no-root", .title = "No root file system",
	  .why = "the kernel found no root file system: a missing driver, a wrong root=, or no "
		 "initramfs",
	  .next = "sys: the command line's root=; log: which disks were found",
	  .rank = RANK_POLICY },
	{ .message = "Unable to open an initial console", NO_INIT("there is no /dev/console") },
	{ .message = "No working init found",
	  NO_INIT("the root file system has no program that can be started as process 1: a wrong "
		  "or empty root file system, a missing interpreter or library, or programs for "
		  "another CPU") },
	{ .message = "No init found",
	  NO_INIT("the root file system has no program to start as process 1") },
	{ .message = "Requested init", NO_INIT("the program named by init= could not be started") },

	{ .message = "stack-protector", .kind = "stack-corruption", .title = "Stack corruption",
	  .why = "a function found its stack canary overwritten: something wrote past a local "
		 "array",
	  .rank = RANK_SPECIAL },
	{ .message = "corrupted stack end", .kind = "stack-overflow",
	  .title = "Kernel stack overflow",
	  .why = "the magic word at the end of a kernel stack was overwritten",
	  .rank = RANK_SPECIAL },
	{ .message = "corrupted shadow stack", .kind = "stack-overflow",
	  .title = "Kernel shadow stack overflow",
	  .why = "the end of a task's shadow call stack was overwritten", .rank = RANK_SPECIAL },
	{ .message = "kernel stack overflow", .kind = "stack-overflow",
	  .title = "Kernel stack overflow", .rank = RANK_SPECIAL,
	  .setting = { "kernel.panic_on_stackoverflow" } },
	{ .message = "stack guard hit", .kind = "stack-overflow",
	  .title = "Kernel stack overflow",
	  .why = "the stack for an exception ran into the page that guards it",
	  .rank = RANK_SPECIAL },
	{ .message = "low stack detected", .kind = "stack-overflow",
	  .title = "Kernel stack overflow", .rank = RANK_SPECIAL,
	  .setting = { "kernel.panic_on_stackoverflow" } },

	{ .message = "Consecutive machine checks",
	  MACHINE_CHECK("machine checks came again and again while user memory was read") },
	{ .message = "consecutive machine checks",
	  MACHINE_CHECK("machine checks came again and again while user memory was read") },
	{ .message = "Not all CPUs entered broadcast exception handler",
	  MACHINE_CHECK("a machine check was to stop all CPUs, but some did not answer: they hung "
			"before, or the firmware held them") },
	{ .message = "Timeout synchronizing machine check",
	  MACHINE_CHECK("a machine check was to stop all CPUs, but some did not answer: they hung "
			"before, or the firmware held them") },
	{ .message = "achine check",
	  MACHINE_CHECK("the hardware reported an error that cannot be corrected") },
	{ .message = "Failed kernel mode recovery",
	  MACHINE_CHECK("the kernel itself read memory that the hardware had found to be bad") },
	{ .message = "MCA architectural violation",
	  MACHINE_CHECK("the CPU reported an error in a way that it must not") },
	{ .message = "Fatal hardware error",
	  MACHINE_CHECK("the firmware reported a fatal hardware error (ACPI APEI)") },
	{ .message = "GHES: Fatal",
	  MACHINE_CHECK("the firmware reported a fatal hardware error (ACPI APEI)") },
	{ .message = "Memory failure on page",
	  MACHINE_CHECK("a page of memory is bad, and the kernel was told not to live with that") },
	{ .message = "Uncorrectable errors",
	  MACHINE_CHECK("the memory controller reported errors that cannot be corrected (EDAC)") },
	{ .message = "UE memory",
	  MACHINE_CHECK("the memory controller reported an error that cannot be corrected, and "
			"edac_mc_panic_on_ue is set") },
	{ .message = "EDAC",
	  MACHINE_CHECK("the memory or PCI controller reported errors that cannot be corrected "
			"(EDAC)") },
	{ .message = "AER: ",
	  MACHINE_CHECK("PCI Express reported a fatal error of a device") },

	{ .message = "Software Watchdog Timer expired",
	  WATCHDOG_DEVICE("the software watchdog (softdog) was not fed in time, and soft_panic is "
			  "set: the program that feeds it (watchdogd, systemd, a cluster's agent) "
			  "hung, was starved or ended") },
	{ .message = "watchdog pretimeout event",
	  WATCHDOG_DEVICE("a watchdog device said that it will soon reset the machine, since it "
			  "was not fed; its pretimeout governor is 'panic'") },
	{ .message = "Watchdog pre-timeout",
	  WATCHDOG_DEVICE("the management controller's watchdog (IPMI) was not fed in time") },
	{ .message = "pre-timeout",
	  WATCHDOG_DEVICE("the management controller's watchdog (IPMI) was not fed in time") },
	{ .message = "An NMI occurred",
	  WATCHDOG_DEVICE("HPE's watchdog driver (hpwdt) took a non-maskable interrupt: its timer "
			  "expired, the NMI button was pressed, or the hardware found an error; the "
			  "machine's management log (IML) tells which") },
	{ .message = "Management Watchdog Timer Expired",
	  WATCHDOG_DEVICE("the watchdog of HPE's management controller was not fed in time") },
	{ .message = "Kernel Watchdog",
	  WATCHDOG_DEVICE("a watchdog device was not fed in time") },
	{ .message = "Watchdog Timeout",
	  WATCHDOG_DEVICE("a watchdog device was not fed in time") },

	{ .message = "NMI IOCK error",
	  NMI("a device reported a fatal error on the bus (I/O check), and kernel.panic_on_io_nmi "
	      "is set: bad hardware", "kernel.panic_on_io_nmi") },
	{ .message = "IOCK error",
	  NMI("a device reported a fatal error on the bus (I/O check)",
	      "kernel.panic_on_io_nmi") },
	{ .message = "NMI",
	  NMI("a non-maskable interrupt that no driver claimed: an operator asked for it (NMI "
	      "button, BMC, 'virsh inject-nmi'), or the hardware reported an error",
	      "kernel.unknown_nmi_panic", "kernel.panic_on_unrecovered_nmi") },
	{ .message = "panic forced after error",
	  FILE_SYSTEM("the file system found an error in itself or got one from its disk, and is "
		      "mounted with errors=panic") },
	{ .message = "EXT4-fs (device", FILE_SYSTEM("ext4 found an error, and is mounted with "
						    "errors=panic") },
	{ .message = "EXT3-fs (device", FILE_SYSTEM("ext3 found an error, and is mounted with "
						    "errors=panic") },
	{ .message = "EXT4-fs panic", FILE_SYSTEM("ext4 found an error, and is mounted with "
						  "errors=panic") },
	{ .message = "BTRFS panic", FILE_SYSTEM("btrfs found an error, and is mounted with "
						"fatal_errors=panic") },
	{ .message = "JBD", FILE_SYSTEM("the journal cannot go on") },
	{ .message = "F2FS-fs", FILE_SYSTEM("f2fs found an error, and is mounted with "
					    "errors=panic") },
	{ .message = "OCFS2:", FILE_SYSTEM("OCFS2 found an error, and is mounted with "
					   "errors=panic") },
	{ .message = "ocfs2 is very sorry to be fencing this system",
	  .kind = "fencing", .title = "Fenced by its cluster",
	  .why = "the cluster's heartbeat was lost: the disk or network did not answer in time",
	  .rank = RANK_POLICY },
	{ .message = "GFS2: ", FILE_SYSTEM("GFS2 found an error, and is mounted with "
					   "errors=panic") },
	{ .message = "FAT-fs (", FILE_SYSTEM("FAT found an error, and is mounted with "
					     "errors=panic") },
	{ .message = "dm-verity device corrupted",
	  FILE_SYSTEM("dm-verity read a block whose hash is wrong, and is set to panic: the disk "
		      "is bad, or its contents were changed") },
	{ .message = "dm-verity device has I/O error",
	  FILE_SYSTEM("the device below dm-verity could not be read, and dm-verity is set to "
		      "panic") },

	{ .message = "IO-APIC + timer doesn't work",
	  BOOT("no timer interrupt came: firmware tables or the virtual machine's timer are "
	       "wrong") },
	{ .message = "Failed to allocate", NO_MEMORY },
	{ .message = "Failed to create slab", NO_MEMORY },
	{ .message = "Creation of kmalloc slab", NO_MEMORY },
	{ .message = "Could not decompress initial ramdisk",
	  BOOT("the initramfs is damaged") },
	{ .message = "Timeout during microcode update",
	  MACHINE_CHECK("a CPU did not come back from its microcode update") },

	{ .message = "audit: ", .kind = "audit", .title = "Panic asked for by the audit system",
	  .why = "audit records could not be kept, and the audit system is set to panic then "
		 "(auditctl -f 2)",
	  .rank = RANK_POLICY },
	{ .message = "Host injected async #PF", .kind = "hypervisor",
	  .title = "The hypervisor broke its promise",
	  .why = "the host sent an asynchronous page fault where none may come",
	  .rank = RANK_POLICY },
	{ .message = "#VC exception", .kind = "hypervisor", .title = "Encrypted guest cannot go on",
	  .why = "an instruction needed the hypervisor's help (SEV) where that cannot be asked "
		 "for",
	  .rank = RANK_POLICY },
	{ .message = "Xen: ", .kind = "hypervisor", .title = "Xen guest cannot go on",
	  .rank = RANK_POLICY },
	{ .message = "Recursive entry to debugger", .kind = "debugger",
	  .title = "The kernel debugger failed", .why = "kgdb was entered while it ran",
	  .rank = RANK_POLICY },

	{ .message = "Machine halted", .kind = "double-fault", .title = "Double fault",
	  .why = "the CPU could not deliver an exception: most often the kernel stack was used up "
		 "or the stack pointer was wrong",
	  .rank = RANK_CONSEQUENCE },
	{ .message = "Oops failed to kill thread", .kind = "oops", .title = "Fatal exception",
	  .rank = RANK_CONSEQUENCE },
	{ .message = "Fatal exception in interrupt", .kind = "oops",
	  .title = "Fatal exception in an interrupt",
	  .why = "an oops while an interrupt was handled: no task is there to be killed instead",
	  .rank = RANK_CONSEQUENCE },
	{ .message = "Fatal exception", .kind = "oops", .title = "Fatal exception",
	  .why = "an oops that the kernel could not survive", .rank = RANK_CONSEQUENCE,
	  .setting = { "kernel.panic_on_oops" } },
	{ .message = "Aiee, killing interrupt handler!", .kind = "oops",
	  .title = "Fatal exception in an interrupt",
	  .why = "an oops while an interrupt was handled: no task is there to be killed instead",
	  .rank = RANK_CONSEQUENCE },
};

const struct panic_reason *panic_reason(const char *message)
{
	for (size_t i = 0; i < array_size(reasons); i++) {
		if (strstr(message, reasons[i].message))
			return &reasons[i];
	}
	return NULL;
}
