// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Names of kernel functions say what they are about: mem_cgroup_css_online() and
 * __mem_cgroup_free() handle the same kind of object, and the one's verb makes what the other's
 * takes away. Of such a name the words count that are neither verbs nor in half of the kernel's
 * names. Names alone never prove anything: who asks says "likely" at most.
 */
#include "diagnosis/timeline_side.h"

#include <ctype.h>
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/chain.h"

/* How work gets into the kernel and to its drivers: at the bottom of stacks of all kinds. */
static const char *const ways_in[] = {
	"kthread", "ret_from_fork*", "worker_thread", "process_one_work", "process_scheduled_works",
	"do_syscall_64", "entry_SYSCALL*", "system_call_fastpath", "x64_sys_*", "__x64_sys_*",
	"__do_sys_*", "__se_sys_*", "ksys_*", "SyS_*", "SYSC_*", "sys_*", "vfs_*", "do_idle",
	"cpu_startup_entry", "start_secondary", "secondary_startup*", "start_kernel", "rest_init",
	"default_idle*", "cpuidle_*", "x86_64_start_*", "common_startup_64", "__do_softirq",
	"do_softirq*", "handle_softirqs", "irq_exit*", "__irq_exit*", "do_IRQ", "common_interrupt",
	"asm_*", "sysvec_*", "__sysvec_*", "net_rx_action", "run_ksoftirqd", "smpboot_thread_fn",
	"call_timer_fn", "expire_timers", "run_timer_softirq", "__run_timers", "rcu_core*",
	"rcu_do_batch", "task_work_run", "exit_to_user_mode*", "syscall_exit_*", "kernfs_fop_*",
	"sysfs_kf_*", "param_attr_*", "module_attr_*", "kobj_attr_*", "dev_attr_*", "do_init_module",
	"do_one_initcall", "load_module", "__do_fault", "handle_mm_fault", "__handle_mm_fault",
	"do_fault*", "__hrtimer_run_queues", "hrtimer_interrupt", "update_process_times", "tick_*",
	"__apic_timer*", "smp_*", "apic_timer_interrupt", "handle_edge_irq", "handle_irq*",
	"__handle_irq*", "generic_handle_*", "blk_mq_*", "do_writepages", "do_exit", "do_group_exit",
	"get_signal", "arch_do_signal*", "new_sync_*", "__vfs_*", "proc_reg_*", "seq_read*",
	/* how a failed allocation gets to its report */
	"warn_alloc*", "__alloc_pages*", "alloc_pages*", "__get_free_page*", "get_free_page*",
	"get_zeroed_page*", "__folio_alloc*", "folio_alloc*", "vma_alloc_folio*", "new_slab",
	"allocate_slab", "out_of_memory", "dump_header", "oom_kill_process", "__vmalloc*",
	"vzalloc*", "kvmalloc*", "__kvmalloc*", "pagefault_out_of_memory", "__kmalloc*",
	"kmalloc_order*", "kmalloc_large*", "___kmalloc*", "cache_alloc*", "cache_grow",
	"fallback_alloc", "____cache_alloc*",
	/* how a lack becomes a report */
	"refcount_warn_saturate", "debug_print_object", "watchdog*", "check_hung*",
};

static bool tells(const char *function, const char *module)
{
	if (module)
		return true;
	if (blame_is_helper(function) || chain_is_crash_path(function))
		return false;
	for (size_t i = 0; i < array_size(ways_in); i++) {
		if (glob_match(ways_in[i], function))
			return false;
	}
	return true;
}

enum { NAMES_MAX = 48 };

struct side side_of_crash(const struct facts *facts)
{
	struct chain chain = chain_of_crash(facts);
	struct side_name *names = arena_alloc(facts->arena, NAMES_MAX * sizeof(*names));
	size_t count = 0;

	for (size_t i = 0; i < chain.count && count < NAMES_MAX; i++) {
		const struct chain_link *link = &chain.links[i];
		if (tells(link->function, link->module))
			names[count++] = (struct side_name){ link->function, link->module };
	}
	return (struct side){ names, count };
}

static void add_place(const struct facts *facts, const struct oops_place *place,
		      struct side_name *names, size_t *count)
{
	if (!place->function || *count == NAMES_MAX)
		return;
	const char *name = chain_source_name(facts->arena, place->function);
	if (tells(name, place->module))
		names[(*count)++] = (struct side_name){ name, place->module };
}

struct side side_of_report(const struct facts *facts, const struct oops_report *r)
{
	struct side_name *names = arena_alloc(facts->arena, NAMES_MAX * sizeof(*names));
	size_t count = 0;

	add_place(facts, &r->pc, names, &count);
	for (size_t i = 0; i < r->frame_count; i++) {
		if (!r->frames[i].guess)
			add_place(facts, &r->frames[i].place, names, &count);
	}
	/* Who made and freed the object. */
	for (size_t t = 0; t < r->track_count; t++) {
		for (size_t i = 0; i < r->tracks[t].frame_count; i++)
			add_place(facts, &r->tracks[t].frames[i].place, names, &count);
	}
	return (struct side){ names, count };
}

static bool is_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

struct side side_of_line(const struct facts *facts, const char *text)
{
	struct side_name *names = arena_alloc(facts->arena, NAMES_MAX * sizeof(*names));
	size_t count = 0, n;

	for (const char *at = text; *at && *at != '\n' && count < NAMES_MAX; at += n ? n : 1) {
		n = 0;
		while (is_name_char(at[n]))
			n++;
		bool first = at == text;
		/* Names of functions have an underscore; other words are those of a sentence. */
		if (!n || (!first && !memchr(at, '_', n)))
			continue;
		const char *name = arena_strndup(facts->arena, at, n);
		if (first || tells(name, NULL))
			names[count++] = (struct side_name){ name, NULL };
	}
	return (struct side){ names, count };
}

/* --- Words. --- */

/* Half of the kernel's functions have one of these in their names. */
static const char *const common_words[] = {
	"all", "and", "args", "array", "asm", "async", "attr", "base", "bin", "bit", "bits", "block",
	"buf", "buffer", "bus", "cache", "caches", "call", "callback", "chain", "check", "class",
	"common", "context", "copy", "core", "count", "cpu", "cpus", "current", "data", "debug",
	"default", "delayed", "dev", "device", "devices", "dir", "direct", "done", "driver", "each",
	"early", "end", "entry", "err", "error", "event", "events", "exec", "fast", "fastpath", "file",
	"files", "find", "first", "flags", "flush", "fn", "for", "from", "func", "function", "generic",
	"handle", "handler", "hash", "head", "helper", "ida", "idr", "idx", "impl", "index", "info",
	"inner", "internal", "irq", "irqrestore", "irqsave", "item", "iter", "kernel", "key", "kmem",
	"kobject", "last", "len", "length", "list", "local", "lock", "locked", "lookup", "loop", "main",
	"make", "map", "mem", "memory", "message", "mod", "mode", "module", "msg", "name", "nested", "net",
	"new", "next", "node", "nodes", "nolock", "noprof", "not", "notifier", "notify", "now", "num",
	"obj", "object", "objects", "off", "old", "once", "one", "ops", "order", "outer", "page",
	"pages", "param", "part", "path", "per", "percpu", "platform", "pool", "post", "prepare", "prev",
	"print", "proc", "process", "ptr", "queue", "queued", "range", "raw", "rcu", "read", "ref", "reg",
	"request", "ret", "return", "root", "run", "safe", "sched", "schedule", "self", "send", "show",
	"simple", "single", "size", "sizes", "slab", "slow", "slowpath", "softirq", "state", "status",
	"step", "store", "sync", "sys", "syscall", "sysfs", "system", "table", "tail", "task", "test",
	"text", "the", "thread", "tick", "time", "timeout", "timer", "top", "try", "type", "unlocked",
	"update", "user", "val", "value", "wait", "wake", "walk", "warn", "with", "work", "worker",
	"write", "zone", "zero",
};

static const char *const makers[] = {
	"online", "alloc", "allocate", "create", "init", "open", "register", "add", "start", "probe",
	"setup", "load", "enable", "attach", "connect", "new", "insert", "mkdir", "build", "bind",
	"mount", "prepare", "get", "acquire", "join", "link", "clone", "install", "resume", "grow",
	"expand", "resize", "populate",
};

static const char *const takers[] = {
	"offline", "free", "release", "destroy", "exit", "close", "unregister", "put", "remove", "del",
	"delete", "stop", "cleanup", "teardown", "shutdown", "disable", "detach", "kill", "rmdir",
	"fini", "uninit", "unload", "drop", "unbind", "umount", "deactivate", "disconnect", "dead",
	"die", "reap", "purge", "evict", "unlink", "leave", "suspend", "freed", "unmap", "dtor",
};

/* The kernel abbreviates some of its things, and not everywhere. */
static const struct {
	const char *shorter, *word;
} aliases[] = {
	{ "memcg", "cgroup" }, { "cgrp", "cgroup" }, { "css", "cgroup" },  { "blkcg", "cgroup" },
	{ "sk", "sock" },      { "socket", "sock" }, { "conn", "connection" },
	{ "chan", "channel" }, { "sess", "session" }, { "grp", "group" },  { "vol", "volume" },
	{ "ns", "namespace" }, { "netdevice", "netdev" }, { "sb", "super" },
};

static bool among(const char *const *words, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(words[i], word) == 0)
			return true;
	}
	return false;
}

enum { WORDS_MAX = 12, WORD_MAX = 24 };

struct words {
	char word[WORDS_MAX][WORD_MAX];
	size_t count;
	bool makes, takes; /* a verb is among them */
};

static void add_word(struct words *w, const char *from, size_t n)
{
	char word[WORD_MAX];

	if (n < 2 || n >= WORD_MAX || w->count == WORDS_MAX)
		return;
	for (size_t i = 0; i < n; i++)
		word[i] = (char)tolower((unsigned char)from[i]);
	word[n] = '\0';
	w->makes = w->makes || among(makers, array_size(makers), word);
	w->takes = w->takes || among(takers, array_size(takers), word);
	const char *meant = word;
	for (size_t i = 0; i < array_size(aliases); i++) {
		if (strcmp(aliases[i].shorter, word) == 0)
			meant = aliases[i].word;
	}
	if (strlen(meant) < 3 || among(common_words, array_size(common_words), meant) ||
	    among(makers, array_size(makers), meant) || among(takers, array_size(takers), meant))
		return;
	memcpy(w->word[w->count++], meant, strlen(meant) + 1);
}

static void split(const char *function, struct words *w)
{
	*w = (struct words){ 0 };
	for (const char *at = function; *at;) {
		size_t n = 0;
		while (isalpha((unsigned char)at[n]))
			n++;
		add_word(w, at, n);
		at += n ? n : 1;
	}
}

/* Keeps the better one: a pair, then the longer word. */
static void consider(struct common *c, const char *word, bool pair, const char *first,
		     const char *second)
{
	if (c->word && (c->pair > pair || (c->pair == pair && strlen(c->word) >= strlen(word))))
		return;
	c->word = word;
	c->pair = pair;
	c->first = first;
	c->second = second;
}

static void compare(const struct facts *facts, const struct side_name *a,
		    const struct side_name *b, const struct words *wa, struct common *c)
{
	struct words wb;

	if (!c->function && strcmp(a->function, b->function) == 0)
		c->function = a->function;
	if (!c->module && a->module && b->module && strcmp(a->module, b->module) == 0)
		c->module = a->module;
	split(b->function, &wb);
	for (size_t i = 0; i < wa->count; i++) {
		for (size_t j = 0; j < wb.count; j++) {
			if (strcmp(wa->word[i], wb.word[j]) == 0)
				consider(c, arena_strdup(facts->arena, wa->word[i]),
					 wa->makes && wb.takes, a->function, b->function);
		}
	}
}

struct common side_common(const struct facts *facts, const struct side *a, const struct side *b)
{
	struct common common = { 0 };
	struct words words;

	for (size_t i = 0; i < a->count; i++) {
		split(a->names[i].function, &words);
		for (size_t j = 0; j < b->count; j++)
			compare(facts, &a->names[i], &b->names[j], &words, &common);
	}
	return common;
}
