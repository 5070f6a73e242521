// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The kernel's alarming lines. Texts are the kernel's own (printk formats in arch/x86/mm/fault.c,
 * arch/x86/kernel/{traps,dumpstack,nmi}.c, kernel/{panic,watchdog,hung_task}.c, kernel/rcu/,
 * mm/{page_alloc,oom_kill,slub}.c, lib/{list_debug,refcount}.c ...); several spellings of one line
 * are those of different versions.
 */
#include "diagnosis/anomalies.h"

#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"

static const struct {
	const char *text;
	bool at_start; /* only at the start of the line */
	enum anomaly_weight weight;
	const char *kind;
} patterns[] = {
	{ "BUG: kernel NULL pointer dereference", true, ANOMALY_FATAL, "NULL pointer dereference" },
	{ "BUG: unable to handle", true, ANOMALY_FATAL, "bad memory access" },
	{ "kernel BUG at ", true, ANOMALY_FATAL, "kernel BUG" },
	{ "general protection fault", true, ANOMALY_FATAL, "general protection fault" },
	{ "Oops: general protection fault", true, ANOMALY_FATAL, "general protection fault" },
	{ "stack guard page was hit", false, ANOMALY_FATAL, "stack overflow" },
	{ "kernel stack overflow", false, ANOMALY_FATAL, "stack overflow" },
	{ "double fault: ", false, ANOMALY_FATAL, "double fault" },
	{ "divide error: ", false, ANOMALY_FATAL, "divide error" },
	{ "invalid opcode: ", false, ANOMALY_FATAL, "invalid opcode" },
	{ "Kernel panic - not syncing", true, ANOMALY_FATAL, "panic" },
	{ "Oops: ", true, ANOMALY_FATAL, "oops" },
	{ "stack segment: ", true, ANOMALY_FATAL, "stack segment fault" },
	{ "Machine check events logged", false, ANOMALY_SERIOUS, "machine check" },
	{ "[Hardware Error]", false, ANOMALY_SERIOUS, "hardware error" },
	{ "Uhhuh. NMI received", false, ANOMALY_SERIOUS, "unexplained NMI" },
	{ "soft lockup - CPU#", false, ANOMALY_SERIOUS, "soft lockup" },
	{ "hard LOCKUP on cpu", false, ANOMALY_SERIOUS, "hard lockup" },
	{ "self-detected stall", false, ANOMALY_SERIOUS, "RCU stall" },
	{ "detected stalls on CPUs/tasks", false, ANOMALY_SERIOUS, "RCU stall" },
	{ "detected expedited stalls", false, ANOMALY_SERIOUS, "RCU stall" },
	{ "blocked for more than", false, ANOMALY_SERIOUS, "hung task" },
	{ "BUG: workqueue lockup", true, ANOMALY_SERIOUS, "work queue stall" },
	{ "invoked oom-killer", false, ANOMALY_SERIOUS, "out of memory" },
	{ "Out of memory: ", false, ANOMALY_SERIOUS, "out of memory" },
	{ "page allocation failure", false, ANOMALY_SERIOUS, "page allocation failure" },
	{ "BUG: KASAN: ", true, ANOMALY_SERIOUS, "KASAN report" },
	{ "BUG: KFENCE: ", true, ANOMALY_SERIOUS, "KFENCE report" },
	{ "BUG: KCSAN: ", true, ANOMALY_SERIOUS, "data race" },
	{ "UBSAN: ", true, ANOMALY_SERIOUS, "undefined behaviour" },
	{ "list_add corruption", false, ANOMALY_SERIOUS, "list corruption" },
	{ "list_del corruption", false, ANOMALY_SERIOUS, "list corruption" },
	{ "refcount_t: ", true, ANOMALY_SERIOUS, "reference count error" },
	{ "Bad page state in process", false, ANOMALY_SERIOUS, "bad page state" },
	{ "BUG: Bad page map", true, ANOMALY_SERIOUS, "bad page map" },
	{ "BUG: Bad rss-counter", true, ANOMALY_SERIOUS, "bad rss counter" },
	{ "Poison overwritten", false, ANOMALY_SERIOUS, "slab corruption" },
	{ "Redzone overwritten", false, ANOMALY_SERIOUS, "slab corruption" },
	{ "Object already free", false, ANOMALY_SERIOUS, "double free" },
	{ "usercopy: Kernel memory", false, ANOMALY_SERIOUS, "usercopy overflow" },
	{ "detected buffer overflow in", false, ANOMALY_SERIOUS, "buffer overflow" },
	{ "BUG: scheduling while atomic", true, ANOMALY_SERIOUS, "scheduling while atomic" },
	{ "BUG: sleeping function called", true, ANOMALY_SERIOUS, "sleeping in atomic context" },
	{ "BUG: spinlock ", true, ANOMALY_SERIOUS, "spinlock misuse" },
	{ "possible circular locking dependency", false, ANOMALY_SERIOUS, "possible deadlock" },
	{ "possible recursive locking", false, ANOMALY_SERIOUS, "possible deadlock" },
	{ "WARNING: CPU:", true, ANOMALY_SERIOUS, "kernel warning" },
	{ "WARNING: at ", true, ANOMALY_SERIOUS, "kernel warning" },
	{ "NETDEV WATCHDOG", false, ANOMALY_SERIOUS, "network transmit timeout" },
	{ "unregister_netdevice: waiting for", false, ANOMALY_SERIOUS, "leaked network device" },
	{ "I/O error, dev ", false, ANOMALY_SERIOUS, "I/O error" },
	{ "Buffer I/O error", false, ANOMALY_SERIOUS, "I/O error" },
	{ "EXT4-fs error", false, ANOMALY_SERIOUS, "file system error" },
	{ "Corruption detected", false, ANOMALY_SERIOUS, "file system error" },
	{ "not responding, still trying", false, ANOMALY_SERIOUS, "NFS server not answering" },
	{ "segfault at ", false, ANOMALY_NOTABLE, "user program fault" },
	{ "vmalloc error", false, ANOMALY_SERIOUS, "vmalloc failure" },
	{ "unable to mount root", false, ANOMALY_SERIOUS, "no root file system" },
};

const char *anomaly_of_line(const char *text, enum anomaly_weight *weight)
{
	for (size_t i = 0; i < array_size(patterns); i++) {
		bool hit = patterns[i].at_start ? starts_with(text, patterns[i].text)
						: strstr(text, patterns[i].text) != NULL;
		if (!hit)
			continue;
		*weight = patterns[i].weight;
		return patterns[i].kind;
	}
	return NULL;
}

void anomalies_scan(struct facts *facts)
{
	struct {
		vec_fields(struct anomaly);
	} found = { 0 };

	for (size_t i = 0; i < facts->log_count; i++) {
		enum anomaly_weight weight;
		const char *kind = anomaly_of_line(facts->log[i].text, &weight);
		if (!kind)
			continue;
		struct anomaly *last = found.count ? &found.data[found.count - 1] : NULL;
		if (last && strcmp(last->kind, kind) == 0 && weight != ANOMALY_FATAL) {
			last->repeats++;
			continue;
		}
		struct anomaly first = {
			.record = &facts->log[i], .kind = kind, .weight = weight,
		};
		vec_push(&found, first);
	}
	facts->anomalies = found.data;
	facts->anomaly_count = found.count;
}
