// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The timer wheel (kernel/time/timer.c, since 4.8) is per CPU: an array timer_bases of two struct
 * timer_base, for ordinary timers and for those that let an idle CPU sleep (deferrable), or since
 * 6.10 of three: local, global (any CPU may run them), deferrable. A base has 512 or more buckets,
 * each a hash list.
 *
 * Timers of high resolution (kernel/time/hrtimer.c) hang in red-black trees: hrtimer_bases of each
 * CPU has one for each clock, twice, the second half for those that the softirq runs. Nodes are
 * timerqueue_nodes; since 7.0 those of a tree that is linked, too.
 */
#include "kernel/timers.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "kernel/lists.h"
#include "kernel/trees.h"

enum {
	BASES_MOST = 3,
	BUCKETS_MAX = 4096,
	TIMERS_MAX = 10 * 1000 * 1000,
};

/* Names of the bases by how many there are: BASE_... of kernel/time/timer.c. */
static const char *base_name(size_t count, size_t index)
{
	static const char *const old[] = { "BASE_STD", "BASE_DEF" };
	static const char *const new[] = { "BASE_LOCAL", "BASE_GLOBAL", "BASE_DEF" };

	return count > array_size(old) ? new[index] : old[index];
}

/* How many a CPU has; without the array's type, by the number of the CPU that each one notes. */
static size_t base_count(struct session *s, uint64_t start, uint64_t size, unsigned cpu)
{
	struct type type;
	uint64_t owner;
	size_t count = 0;

	if (types_variable(s->types, "timer_bases", &type) &&
	    type_kind(type_strip(type)) == TYPE_ARRAY &&
	    type_array_length(type_strip(type)) <= BASES_MOST)
		count = type_array_length(type_strip(type));
	/* The BTF of 5.10 has it without a length. */
	if (count)
		return count;
	while (count < BASES_MOST &&
	       kread(s, start + count * size, "timer_base", "cpu", &owner) && owner == cpu)
		count++;
	return count;
}

size_t timer_bases(struct session *s, unsigned cpu, struct timer_base bases[TIMER_BASES_MAX])
{
	uint64_t start = kpercpu(s, "timer_bases", cpu);
	uint64_t size = types_sizeof(s->types, "timer_base");
	struct member vectors;

	if (!start || !size || !types_member(s->types, "timer_base", "vectors", &vectors))
		return 0;
	size_t count = base_count(s, start, size, cpu);
	for (size_t i = 0; i < count; i++) {
		bases[i] = (struct timer_base){
			.cpu = cpu,
			.index = (unsigned)i,
			.name = base_name(count, i),
			.address = start + i * size,
		};
		bases[i].known = kread(s, bases[i].address, "timer_base", "clk", &bases[i].clock);
	}
	return count;
}

static void read_timer(struct session *s, uint64_t address, struct timer *timer)
{
	uint64_t flags;

	*timer = (struct timer){ .address = address };
	timer->incomplete = !kread(s, address, "timer_list", "expires", &timer->expires) ||
			    !kread(s, address, "timer_list", "function", &timer->function) ||
			    !kread(s, address, "timer_list", "flags", &flags);
	if (timer->incomplete)
		flags = 0;
	timer->flags = (uint32_t)flags;
}

/* False when no more are wanted. */
static bool each_in_bucket(struct session *s, uint64_t head, timer_fn fn, void *ctx,
			   struct walk_trouble *trouble)
{
	uint64_t entry = 0, link;
	struct list_walk walk;
	bool more = true;

	koffset(s, "timer_list", "entry", &entry);
	list_walk_from_head(&walk, s, LIST_HASH, head);
	while (more && walk.count < TIMERS_MAX && list_walk_step(&walk, &link)) {
		struct timer timer;
		read_timer(s, link - entry, &timer);
		more = fn(ctx, &timer) && !session_stopped(s);
	}
	if (walk.trouble.count)
		walk_trouble_add(trouble, "%s", walk.trouble.text);
	list_walk_fini(&walk);
	return more;
}

void timer_base_each(struct session *s, const struct timer_base *base, timer_fn fn, void *ctx,
		     struct walk_trouble *trouble)
{
	struct member vectors;
	static const uint64_t head_size = 8;

	if (!types_member(s->types, "timer_base", "vectors", &vectors))
		return;
	uint64_t size = min_u64(vectors.size, BUCKETS_MAX * head_size);
	uint64_t start = base->address + vectors.offset;
	auto_free uint8_t *heads = xmalloc(size);
	if (memory_read(s->memory, start, heads, size) != READ_OK) {
		walk_trouble_add(trouble, "the timer wheel at %016lx is not in the dump",
				 (unsigned long)base->address);
		return;
	}
	for (uint64_t i = 0; i < size; i += head_size) {
		if (load_u64(heads + i) && !each_in_bucket(s, start + i, fn, ctx, trouble))
			return;
	}
}

/* include/uapi/linux/time.h */
static const char *clock_name(uint64_t clock)
{
	static const char *const names[] = {
		[0] = "CLOCK_REALTIME", [1] = "CLOCK_MONOTONIC", [7] = "CLOCK_BOOTTIME",
		[11] = "CLOCK_TAI",
	};

	return clock < array_size(names) ? names[clock] : NULL;
}

size_t hrtimer_bases(struct session *s, unsigned cpu, struct timer_base bases[HRTIMER_BASES_MAX],
		     uint64_t *cpu_base)
{
	static const char type[] = "hrtimer_clock_base";
	uint64_t start = kpercpu(s, "hrtimer_bases", cpu), size = types_sizeof(s->types, type);
	struct member array;
	size_t count = 0;

	*cpu_base = start;
	if (!start || !size ||
	    !types_member(s->types, "hrtimer_cpu_base", "clock_base", &array))
		return 0;
	for (; count < array.size / size && count < HRTIMER_BASES_MAX; count++) {
		struct timer_base *base = &bases[count];
		uint64_t clock;
		*base = (struct timer_base){
			.cpu = cpu,
			.index = (unsigned)count,
			.address = start + array.offset + count * size,
			/* HRTIMER_BASE_MONOTONIC_SOFT (4.16) and on */
			.soft = array.size / size == 8 && count >= 4,
		};
		base->known = kread(s, base->address, type, "offset", &base->offset);
		if (kread(s, base->address, type, "clockid", &clock))
			base->name = clock_name(clock);
	}
	return count;
}

static void read_hrtimer(struct session *s, struct timer *t)
{
	static const char type[] = "hrtimer";

	t->incomplete = !kread(s, t->address, type, "node.expires", &t->expires) ||
			!kread(s, t->address, type, "_softexpires", &t->soft_expires) ||
			!kread(s, t->address, type, "function", &t->function);
}

void hrtimer_base_each(struct session *s, const struct timer_base *base, timer_fn fn, void *ctx,
		       struct walk_trouble *trouble)
{
	uint64_t root, node;
	struct tree_entry entry;
	bool more = true;

	/* node.node.node: the rb_node of a linked one, since 7.0 */
	if (!koffset(s, "hrtimer_clock_base", "active", &root) ||
	    !koffset(s, "hrtimer", "node.node", &node)) {
		walk_trouble_add(trouble, "struct hrtimer is not known");
		return;
	}
	struct tree_walk *walk = xcalloc(1, sizeof(*walk));
	if (tree_walk_init(walk, s, TREE_RB, base->address + root)) {
		while (more && tree_walk_step(walk, &entry)) {
			struct timer timer = { .address = entry.address - node };
			read_hrtimer(s, &timer);
			more = fn(ctx, &timer) && !session_stopped(s);
		}
	}
	if (walk->trouble.count)
		walk_trouble_add(trouble, "%s", walk->trouble.text);
	tree_walk_fini(walk);
	free(walk);
}

/* The first thread of a process, by its signal_struct. */
static uint64_t first_thread(struct session *s, uint64_t signal)
{
	uint64_t node, head;

	return koffset(s, "signal_struct", "thread_head", &head) &&
			       kread(s, signal, "signal_struct", "thread_head.next", &node) &&
			       node && node != signal + head
		       ? kcontainer(s, node, "task_struct", "thread_node") : 0;
}

/* The task of a struct pid, by its first list. */
static uint64_t task_of_pid(struct session *s, uint64_t pid)
{
	uint64_t node;

	return kread(s, pid, "pid", "tasks[0].first", &node) && node
		       ? kcontainer(s, node, "task_struct", "pid_links[0]") : 0;
}

/* Functions of the kernel's own timers: the struct that they are in, and what that leads to. */
static const struct {
	const char *function, *type, *timer;
	const char *task, *work; /* members */
	uint64_t (*further)(struct session *s, uint64_t object);
} purposes[] = {
	{ "delayed_work_timer_fn", "delayed_work", "timer", NULL, "work.func", NULL },
	{ "process_timeout", "process_timer", "timer", "task", NULL, NULL },
	{ "hrtimer_wakeup", "hrtimer_sleeper", "timer", "task", NULL, NULL },
	{ "it_real_fn", "signal_struct", "real_timer", "", NULL, first_thread },
	{ "posix_timer_fn", "k_itimer", "it.real.timer", "it_pid", NULL, task_of_pid },
	{ "dl_task_timer", "task_struct", "dl.dl_timer", "", NULL, NULL },
	{ "inactive_task_timer", "task_struct", "dl.inactive_timer", "", NULL, NULL },
};

bool timer_purpose(struct session *s, const struct timer *timer, struct timer_purpose *purpose)
{
	struct symbol symbol;
	uint64_t value;

	*purpose = (struct timer_purpose){ 0 };
	if (!s->symbols || !symbols_by_address(s->symbols, timer->function, &symbol) ||
	    symbol.address != timer->function)
		return false;
	for (size_t i = 0; i < array_size(purposes); i++) {
		if (strcmp(symbol.name, purposes[i].function) != 0)
			continue;
		uint64_t object = kcontainer(s, timer->address, purposes[i].type,
					     purposes[i].timer);
		if (!object)
			return false;
		if (purposes[i].work) {
			purpose->incomplete = !kread(s, object, purposes[i].type,
						     purposes[i].work, &purpose->work);
			return !purpose->incomplete;
		}
		value = object;
		if (purposes[i].task[0])
			purpose->incomplete = !kread(s, object, purposes[i].type,
						     purposes[i].task, &value);
		/* A server's deadline is no task's. */
		if (strncmp(purposes[i].timer, "dl.", 3) == 0) {
			uint64_t server;
			enum kread_status status = kread_status(s, object, "task_struct",
								"dl.dl_server", &server);
			purpose->incomplete |= status == KREAD_HOLE;
			if (server)
				return false;
		}
		if (purpose->incomplete)
			return false;
		purpose->task = purposes[i].further ? purposes[i].further(s, value) : value;
		return purpose->task;
	}
	return false;
}
