// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The lines that announce a report, the most telling first: of two that are in a line the upper row
 * counts. Texts are those of the kernel's printk formats (arch/x86/mm/fault.c, arch/x86/kernel/
 * {traps,dumpstack,nmi,cet}.c, arch/arm64/kernel/traps.c, arch/arm64/mm/fault.c, kernel/{panic,
 * watchdog,watchdog_hld,hung_task,workqueue}.c, kernel/rcu/tree_stall.h, kernel/locking/{lockdep,
 * spinlock_debug}.c, kernel/sched/core.c, mm/{page_alloc,oom_kill,slub,usercopy,debug,memory}.c,
 * mm/{kasan,kfence,kmsan}/report.c, kernel/kcsan/report.c, lib/{ubsan,list_debug,refcount,
 * string_helpers,debugobjects}.c, net/core/{dev,skbuff}.c); several spellings are those of
 * different versions.
 */
#include <string.h>

#include "base/strbuf.h"
#include "kernel/oops_parse.h"

const struct oops_kind oops_kinds[] = {
	{ "Kernel panic - not syncing", false, FORM_PANIC, "panic" },
	{ "PANIC: double fault", false, FORM_DIE, "double fault" },

	/* Bad accesses. */
	{ "BUG: kernel NULL pointer dereference", true, FORM_DIE, "NULL pointer dereference" },
	{ "BUG: unable to handle kernel NULL pointer", true, FORM_DIE, "NULL pointer dereference" },
	{ "BUG: unable to handle", true, FORM_DIE, "bad memory access" },
	{ "Unable to handle kernel NULL pointer", true, FORM_DIE, "NULL pointer dereference" },
	{ "Unable to handle kernel", true, FORM_DIE, "bad memory access" },
	{ "kernel tried to execute NX-protected page", true, FORM_DIE, "bad memory access" },
	{ "stack guard page was hit", false, FORM_DIE, "stack overflow" },
	{ "kernel stack overflow", false, FORM_DIE, "stack overflow" },
	{ "Insufficient stack space to handle exception", true, FORM_DIE, "stack overflow" },
	{ "kernel BUG at ", true, FORM_BUG, "kernel BUG" },
	{ "Internal error: Oops", true, FORM_DIE, "oops" },
	{ "CFI failure at ", true, FORM_DIE, "control flow violation" },
	{ "traps: Missing ENDBR", true, FORM_DIE, "control flow violation" },

	/* Checkers. */
	{ "BUG: KASAN: ", true, FORM_CHECKER, "KASAN report" },
	{ "BUG: KFENCE: ", true, FORM_CHECKER, "KFENCE report" },
	{ "BUG: KCSAN: ", true, FORM_CHECKER, "data race" },
	{ "BUG: KMSAN: ", true, FORM_CHECKER, "KMSAN report" },
	{ "UBSAN: ", true, FORM_CHECKER, "undefined behaviour" },

	/* Stalls. */
	{ "soft lockup - CPU#", false, FORM_STALL, "soft lockup" },
	{ "detected hard LOCKUP on cpu", false, FORM_STALL, "hard lockup" },
	{ "NMI Watchdog detected LOCKUP", false, FORM_STALL, "hard lockup" },
	{ "self-detected stall", false, FORM_STALL, "RCU stall" },
	{ "detected stalls on CPUs/tasks", false, FORM_STALL, "RCU stall" },
	{ "detected expedited stalls", false, FORM_STALL, "RCU stall" },
	{ "detected stalls on tasks", false, FORM_STALL, "RCU stall" },
	{ "detected stall on CPU", false, FORM_STALL, "RCU stall" },
	{ "kthread starved for ", false, FORM_STALL, "RCU stall" },
	{ "kthread timer wakeup didn't happen", false, FORM_STALL, "RCU stall" },
	{ "BUG: workqueue lockup", true, FORM_STALL, "work queue stall" },
	{ "NMI backtrace for cpu ", true, FORM_NMI, "CPU backtrace" },
	{ "blocked for more than ", false, FORM_HUNG, "hung task" },
	{ "blocked in I/O wait for more than ", false, FORM_HUNG, "hung task" },
	{ "can't die for more than ", false, FORM_HUNG, "hung task" },

	/* Memory. */
	{ "invoked oom-killer", false, FORM_MEMORY, "out of memory" },
	{ "oom-kill:constraint=", true, FORM_MEMORY, "out of memory" },
	{ "emory cgroup out of memory", false, FORM_MEMORY, "out of memory" },
	{ "Out of memory: ", false, FORM_MEMORY, "out of memory" },
	{ "Out of memory (", false, FORM_MEMORY, "out of memory" },
	{ "page allocation failure", false, FORM_MEMORY, "page allocation failure" },
	{ "page allocation stalls for ", false, FORM_MEMORY, "slow page allocation" },
	{ "vmalloc: allocation failure", false, FORM_MEMORY, "vmalloc failure" },
	{ "vmalloc error: ", false, FORM_MEMORY, "vmalloc failure" },
	{ "BUG: Bad page state", true, FORM_OTHER, "bad page state" },
	{ "Bad page state in process", false, FORM_OTHER, "bad page state" },
	{ "BUG: Bad page map", true, FORM_OTHER, "bad page map" },
	{ "BUG: Bad page cache", true, FORM_OTHER, "bad page state" },
	{ "BUG: Bad rss-counter", true, FORM_OTHER, "bad rss counter" },
	{ "BUG: non-zero pgtables_bytes", true, FORM_OTHER, "bad page table counter" },

	/* Slab. */
	{ "Slab corruption", true, FORM_SLAB, "slab corruption" },
	{ "slab error in ", true, FORM_SLAB, "slab corruption" },
	{ "unreferenced object 0x", true, FORM_SLAB, "memory leak" },

	/* Words of a check; the kernel may go on, or BUG or WARNING follows. */
	{ "list_add corruption", false, FORM_CHECK, "list corruption" },
	{ "list_del corruption", false, FORM_CHECK, "list corruption" },
	{ "list_add double add", false, FORM_CHECK, "list corruption" },
	{ "refcount_t: ", true, FORM_CHECK, "reference count error" },
	{ "usercopy: Kernel memory", false, FORM_CHECK, "usercopy overflow" },
	{ "usercopy: kernel memory", false, FORM_CHECK, "usercopy overflow" },
	{ "Bad or missing usercopy whitelist", false, FORM_CHECK, "usercopy overflow" },
	{ "detected buffer overflow", false, FORM_CHECK, "buffer overflow" },
	{ "detected field-spanning write", false, FORM_CHECK, "buffer overflow" },
	{ "ODEBUG: ", true, FORM_CHECK, "object in the wrong state" },
	{ "skb_over_panic", false, FORM_CHECK, "buffer overflow" },
	{ "skb_under_panic", false, FORM_CHECK, "buffer overflow" },
	{ "NETDEV WATCHDOG", false, FORM_CHECK, "network transmit timeout" },
	{ "cache_from_obj: Wrong slab cache", true, FORM_CHECK, "slab corruption" },
	{ "WARNING: possible ", true, FORM_LOCKDEP, "possible deadlock" },
	{ "WARNING: inconsistent lock state", true, FORM_LOCKDEP, "possible deadlock" },
	{ "WARNING: bad unlock balance", true, FORM_LOCKDEP, "lock misuse" },
	{ "WARNING: bad contention", true, FORM_LOCKDEP, "lock misuse" },
	{ "WARNING: held lock freed", true, FORM_LOCKDEP, "lock misuse" },
	{ "WARNING: lock held when returning", true, FORM_LOCKDEP, "lock misuse" },
	{ "WARNING: Nested lock was not taken", true, FORM_LOCKDEP, "lock misuse" },
	{ "WARNING: suspicious RCU usage", true, FORM_LOCKDEP, "RCU misuse" },
	{ "possible circular locking dependency", false, FORM_LOCKDEP, "possible deadlock" },
	{ "possible recursive locking", false, FORM_LOCKDEP, "possible deadlock" },
	{ "possible irq lock inversion", false, FORM_LOCKDEP, "possible deadlock" },
	{ "inconsistent lock state", false, FORM_LOCKDEP, "possible deadlock" },
	{ "-unsafe lock order detected", false, FORM_LOCKDEP, "possible deadlock" },
	{ "bad unlock balance detected", false, FORM_LOCKDEP, "lock misuse" },
	{ "still has locks held!", false, FORM_LOCKDEP, "lock misuse" },
	{ "lock held when returning to user", false, FORM_LOCKDEP, "lock misuse" },
	{ "suspicious rcu_dereference_check() usage", false, FORM_LOCKDEP, "RCU misuse" },
	{ "suspicious RCU usage", false, FORM_LOCKDEP, "RCU misuse" },
	{ "BUG: Invalid wait context", false, FORM_LOCKDEP, "lock misuse" },
	{ "BUG: held lock freed", false, FORM_LOCKDEP, "lock misuse" },
	{ "INFO: trying to register non-static key", true, FORM_LOCKDEP, "lock misuse" },
	{ "WARNING: kernel stack ", true, FORM_OTHER, "damaged stack" },
	{ "WARNING: CPU:", true, FORM_WARN, "kernel warning" },
	{ "WARNING: at ", true, FORM_WARN, "kernel warning" },
	{ "WARNING: [", true, FORM_WARN, "kernel warning" },

	/* The rest. */
	{ "BUG: scheduling while atomic", true, FORM_OTHER, "scheduling while atomic" },
	{ "bad: scheduling from the idle thread", true, FORM_OTHER, "scheduling while atomic" },
	{ "BUG: sleeping function called", true, FORM_OTHER, "sleeping in atomic context" },
	{ "BUG: spinlock ", true, FORM_OTHER, "spinlock misuse" },
	{ "BUG: rwlock ", true, FORM_OTHER, "spinlock misuse" },
	{ "[Hardware Error]", false, FORM_HARDWARE, "hardware error" },
	{ "HARDWARE ERROR", true, FORM_HARDWARE, "hardware error" },
	{ "Uhhuh. NMI received", false, FORM_OTHER, "unexplained NMI" },
	{ "NMI: PCI system error (SERR)", false, FORM_OTHER, "hardware NMI" },
	{ "NMI: IOCK error", false, FORM_OTHER, "hardware NMI" },
	{ "Bad mode in ", true, FORM_DIE, "oops" },
	{ "BUG: ", true, FORM_OTHER, "kernel bug report" },
};

const size_t oops_kind_count = array_size(oops_kinds);

/* Exceptions by the words before ": 0000 [#1]" (arch/x86/kernel/traps.c). */
static const struct oops_kind exceptions[] = {
	{ "general protection fault", false, FORM_DIE, "general protection fault" },
	{ "stack guard page", false, FORM_DIE, "stack overflow" },
	{ "kernel stack overflow", false, FORM_DIE, "stack overflow" },
	{ "stack segment", false, FORM_DIE, "stack segment fault" },
	{ "double fault", false, FORM_DIE, "double fault" },
	{ "divide error", false, FORM_DIE, "divide error" },
	{ "invalid opcode", false, FORM_DIE, "invalid opcode" },
	{ "int3", false, FORM_DIE, "breakpoint" },
	{ "alignment check", false, FORM_DIE, "alignment check" },
	{ "control protection fault", false, FORM_DIE, "control flow violation" },
	{ "machine check", false, FORM_DIE, "machine check" },
	{ "segment not present", false, FORM_DIE, "segment fault" },
	{ "invalid TSS", false, FORM_DIE, "segment fault" },
	{ "bounds", false, FORM_DIE, "bounds check" },
	{ "Bad pagetable", false, FORM_DIE, "bad page table" },
	{ "Oops", false, FORM_DIE, "oops" },
	{ "", false, FORM_DIE, "oops" },
};

/* The " [#1]" of ": 0000 [#1]"; NULL: there is none. */
static const char *die_number(const char *line)
{
	const char *number = strstr(line, " [#"), *at = number;

	if (!number || number[3] < '0' || number[3] > '9')
		return NULL;
	while (at > line && strchr("0123456789abcdefABCDEF", at[-1]))
		at--;
	return at != number && at - line > 2 && at[-1] == ' ' && at[-2] == ':' ? number : NULL;
}

const struct oops_kind *oops_kind_of_die_line(const char *line)
{
	const char *number = die_number(line);

	if (!number)
		return NULL;
	for (size_t i = 0; i < array_size(exceptions); i++) {
		const char *at = strstr(line, exceptions[i].text);
		if (at && at < number)
			return &exceptions[i];
	}
	return NULL;
}

/* SLUB: "BUG kmalloc-64 (Tainted: G B): Poison overwritten", formerly without the brackets. */
static const struct oops_kind *slub(const char *line)
{
	static const struct oops_kind corrupt = { "BUG ", true, FORM_SLAB, "slab corruption" },
				      freed = { "BUG ", true, FORM_SLAB, "double free" },
				      left = { "BUG ", true, FORM_SLAB, "objects left in a slab cache" };

	if (!starts_with(line, "BUG ") || !strchr(line, ':') || starts_with(line, "BUG at "))
		return NULL;
	if (strstr(line, "already free"))
		return &freed;
	return strstr(line, "Objects remaining") ? &left : &corrupt;
}

/* Since 6.19: "WARNING: FILE:LINE at func+0x1/0x2, CPU#3: comm/12". */
static const struct oops_kind *new_warning(const char *line)
{
	static const struct oops_kind warning = { "WARNING: ", true, FORM_WARN, "kernel warning" };
	const char *at = starts_with(line, "WARNING: ") ? strstr(line, " at ") : NULL;

	return at && strstr(at, ", CPU#") ? &warning : NULL;
}

/* What a table of texts cannot tell. */
static const struct oops_kind *by_form(const char *line)
{
	const struct oops_kind *kind = slub(line);

	if (!kind)
		kind = new_warning(line);
	return kind ? kind : oops_kind_of_die_line(line);
}

const struct oops_kind *oops_kind_find(const char *line)
{
	for (size_t i = 0; i < array_size(oops_kinds); i++) {
		const struct oops_kind *k = &oops_kinds[i];
		if (k->at_start ? starts_with(line, k->text) : strstr(line, k->text) != NULL)
			return k;
	}
	return by_form(line);
}

const char *oops_kind_of_line(const char *line)
{
	const struct oops_kind *kind = oops_kind_find(line);

	return kind ? kind->kind : NULL;
}
