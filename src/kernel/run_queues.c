// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A CPU's struct rq (kernel/sched/sched.h) has a queue for each class: dl.root, a red-black tree of
 * sched_dl_entity by deadline; rt.active, a list for each of 100 priorities; cfs.tasks_timeline, a
 * red-black tree of sched_entity by virtual time or, since 6.6, by virtual deadline. An entity of
 * the last two may be a group: it then has a queue of its own (my_q). The entity that runs is not
 * in its tree, but in cfs_rq.curr; so are the groups above it.
 *
 * A group that has used up its share (cfs_rq.throttled) is taken off the queue above it, and is
 * then reached by the list of all groups only. Since 6.18 its tasks stand in throttled_limbo_list.
 */
#include "kernel/run_queues.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/map.h"
#include "base/vec.h"
#include "kernel/cpus.h"
#include "kernel/lists.h"
#include "kernel/trees.h"

enum {
	GROUP_DEPTH_MAX = 32,  /* cgroups may be nested deeper, but hardly are */
	RT_LISTS_MAX = 256,
	GROUPS_MAX = 1 << 20,
	KERNFS_DEPTH_MAX = 64,
};

struct queue_walk {
	struct session *s;
	const struct run_queue *rq;
	run_entry_fn fn;
	void *ctx;
	struct walk_trouble *trouble;
	struct map seen; /* queues of groups that were walked */
	bool stopped;
	uint64_t task_se, task_rt, task_dl; /* offsets in task_struct */
};

struct entities {
	vec_fields(uint64_t);
};

bool run_queue(struct session *s, unsigned cpu, struct run_queue *rq)
{
	uint64_t offset;

	*rq = (struct run_queue){ .cpu = cpu, .address = kpercpu(s, "runqueues", cpu) };
	if (!rq->address || !kread(s, rq->address, "rq", "curr", &rq->current))
		return false;
	rq->has_clock = kread(s, rq->address, "rq", "clock", &rq->clock);
	rq->has_counts =
		kread(s, rq->address, "rq", "nr_running", &rq->running) &&
		kread(s, rq->address, "rq",
		      "cfs.h_nr_queued|cfs.h_nr_running|cfs.nr_running", &rq->fair) &&
		kread(s, rq->address, "rq", "rt.rt_nr_running", &rq->realtime) &&
		kread(s, rq->address, "rq", "dl.dl_nr_running", &rq->deadline);
	if (koffset(s, "rq", "cfs", &offset))
		rq->cfs = rq->address + offset;
	if (koffset(s, "rq", "rt", &offset))
		rq->rt = rq->address + offset;
	if (koffset(s, "rq", "dl", &offset))
		rq->dl = rq->address + offset;
	return true;
}

static void emit(struct queue_walk *w, const struct run_entry *entry)
{
	if (!w->stopped)
		w->stopped = !w->fn(w->ctx, entry) || session_stopped(w->s);
}

/* An entity that may be a task's or a group's: what it is goes on as if it were a task's. */
static bool group_of(struct queue_walk *w, uint64_t entity, const char *type, uint64_t *queue)
{
	if (kread_status(w->s, entity, type, "my_q", queue) == KREAD_HOLE)
		walk_trouble_hole(w->trouble, "the %s at %" PRIx64 " is not in the dump", type, entity);
	return *queue != 0;
}

static void add_trouble(struct queue_walk *w, const struct walk_trouble *trouble)
{
	if (trouble->count)
		walk_trouble_add(w->trouble, "%s", trouble->text);
}

/* The objects whose rb_node members are in the tree. */
static void collect_tree(struct queue_walk *w, uint64_t root, uint64_t node_offset,
			 struct entities *found)
{
	struct tree_walk *walk = xcalloc(1, sizeof(*walk));
	struct tree_entry entry;

	if (tree_walk_init(walk, w->s, TREE_RB, root)) {
		while (tree_walk_step(walk, &entry))
			vec_push(found, entry.address - node_offset);
	}
	add_trouble(w, &walk->trouble);
	tree_walk_fini(walk);
	free(walk);
}

/* --- The deadline class. --- */

static void deadline_queue(struct queue_walk *w)
{
	static const char type[] = "sched_dl_entity";
	uint64_t root, node, server, task_group = 0;
	struct entities found = { 0 };

	if (!w->rq->dl || !koffset(w->s, "dl_rq", "root|rb_root", &root) ||
	    !koffset(w->s, type, "rb_node", &node))
		return;
	collect_tree(w, w->rq->dl + root, node, &found);
	for (size_t i = 0; i < found.count && !w->stopped; i++) {
		uint64_t entity = found.data[i];
		struct run_entry entry = { .class = RUN_DEADLINE, .prio = -1,
					   .has_prio = true };
		entry.has_deadline = kread(w->s, entity, type, "deadline", &entry.deadline);
		entry.server = kread(w->s, entity, type, "dl_server", &server) && server;
		entry.task = entry.server ? 0 : entity - w->task_dl;
		if (entry.task)
			kread(w->s, entry.task, "task_struct", "sched_task_group", &task_group);
		entry.group = entry.task ? task_group : 0;
		entry.current = entry.task && entry.task == w->rq->current;
		emit(w, &entry);
	}
	vec_deinit(&found);
}

/* --- The real-time class. --- */

static void realtime_queue(struct queue_walk *w, uint64_t rt_rq, unsigned depth, bool throttled);

static void realtime_entity(struct queue_walk *w, uint64_t entity, int prio, unsigned depth,
			    bool throttled)
{
	struct run_entry entry = { .class = RUN_REALTIME, .prio = prio, .has_prio = true,
				   .depth = depth, .throttled = throttled };
	uint64_t stopped = 0;

	/* With CONFIG_RT_GROUP_SCHED groups have queues of their own. */
	if (group_of(w, entity, "sched_rt_entity", &entry.queue)) {
		kread(w->s, entry.queue, "rt_rq", "tg", &entry.group);
		kread(w->s, entry.queue, "rt_rq", "rt_throttled", &stopped);
		entry.throttled |= stopped;
		emit(w, &entry);
		realtime_queue(w, entry.queue, depth + 1, entry.throttled);
		return;
	}
	entry.task = entity - w->task_rt;
	entry.current = entry.task == w->rq->current;
	kread(w->s, entry.task, "task_struct", "sched_task_group", &entry.group);
	emit(w, &entry);
}

static void realtime_queue(struct queue_walk *w, uint64_t rt_rq, unsigned depth, bool throttled)
{
	struct member lists;
	uint64_t link_offset;

	if (!rt_rq || depth > GROUP_DEPTH_MAX || !map_set(&w->seen, rt_rq, 1) ||
	    !types_member(w->s->types, "rt_rq", "active.queue", &lists) ||
	    !koffset(w->s, "sched_rt_entity", "run_list", &link_offset))
		return;
	for (uint64_t i = 0; i < lists.size / 16 && i < RT_LISTS_MAX && !w->stopped; i++) {
		uint64_t head = rt_rq + lists.offset + i * 16, link;
		struct list_walk walk;
		list_walk_from_head(&walk, w->s, LIST_DOUBLE, head);
		while (!w->stopped && list_walk_step(&walk, &link))
			realtime_entity(w, link - link_offset, (int)i, depth, throttled);
		add_trouble(w, &walk.trouble);
		list_walk_fini(&walk);
	}
}

/* --- The fair class. --- */

static void fair_queue(struct queue_walk *w, uint64_t cfs_rq, unsigned depth, bool throttled);

static void fair_entity(struct queue_walk *w, uint64_t entity, bool runs, unsigned depth,
			bool throttled)
{
	static const char type[] = "sched_entity";
	struct run_entry entry = { .class = RUN_FAIR, .depth = depth, .throttled = throttled };
	uint64_t value;

	entry.has_vruntime = kread(w->s, entity, type, "vruntime", &entry.vruntime);
	entry.has_deadline = kread(w->s, entity, type, "deadline", &entry.deadline);
	entry.delayed = kread(w->s, entity, type, "sched_delayed", &value) && value;
	if (group_of(w, entity, type, &entry.queue)) {
		kread(w->s, entry.queue, "cfs_rq", "tg", &entry.group);
		entry.throttled |= kread(w->s, entry.queue, "cfs_rq", "throttled", &value) && value;
		emit(w, &entry);
		fair_queue(w, entry.queue, depth + 1, entry.throttled);
		return;
	}
	entry.task = entity - w->task_se;
	entry.current = runs;
	entry.has_prio = kread(w->s, entry.task, "task_struct", "prio", &value);
	entry.prio = (int)value;
	kread(w->s, entry.task, "task_struct", "sched_task_group", &entry.group);
	emit(w, &entry);
}

/* Tasks of a throttled group that were taken off when they were about to leave the kernel. */
static void limbo(struct queue_walk *w, uint64_t cfs_rq, unsigned depth)
{
	uint64_t list, node, link;
	struct list_walk walk;

	if (!koffset(w->s, "cfs_rq", "throttled_limbo_list", &list) ||
	    !koffset(w->s, "task_struct", "throttle_node", &node))
		return;
	list_walk_from_head(&walk, w->s, LIST_DOUBLE, cfs_rq + list);
	while (!w->stopped && list_walk_step(&walk, &link))
		fair_entity(w, link - node + w->task_se, false, depth, true);
	add_trouble(w, &walk.trouble);
	list_walk_fini(&walk);
}

static void fair_queue(struct queue_walk *w, uint64_t cfs_rq, unsigned depth, bool throttled)
{
	struct entities found = { 0 };
	uint64_t root, node, current;

	if (!cfs_rq || depth > GROUP_DEPTH_MAX ||
	    !koffset(w->s, "cfs_rq", "tasks_timeline", &root) ||
	    !koffset(w->s, "sched_entity", "run_node", &node) || !map_set(&w->seen, cfs_rq, 1))
		return;
	/* An entity that is on its way out is curr, but in no queue any more. */
	if (!kread(w->s, cfs_rq, "cfs_rq", "curr", &current))
		walk_trouble_hole(w->trouble, "what runs of the cfs_rq at %" PRIx64 " is not in the "
				  "dump", cfs_rq);
	if (current) {
		uint64_t on_rq;
		bool queued = !kread(w->s, current, "sched_entity", "on_rq", &on_rq) || on_rq;
		if (queued)
			fair_entity(w, current, true, depth, throttled);
	}
	collect_tree(w, cfs_rq + root, node, &found);
	for (size_t i = 0; i < found.count && !w->stopped; i++)
		fair_entity(w, found.data[i], false, depth, throttled);
	vec_deinit(&found);
	limbo(w, cfs_rq, depth);
}

/* A group has a table of pointers to its queues; since 7.1 they are per-CPU memory. */
static bool group_queue(struct session *s, uint64_t group, unsigned cpu, uint64_t *cfs_rq)
{
	const struct cpu *c = cpu_by_id(s, cpu);
	struct member m;
	uint64_t table;

	if (!c || !types_member(s->types, "task_group", "cfs_rq", &m) ||
	    !kread(s, group, "task_group", "cfs_rq", &table) || !table)
		return false;
	if (type_kind(type_strip(type_target(type_strip(m.type)))) == TYPE_POINTER)
		return memory_u64(s->memory, table + cpu * UINT64_C(8), cfs_rq) == READ_OK &&
		       *cfs_rq;
	*cfs_rq = table + c->percpu_offset;
	return true;
}

/* Groups that are throttled, and so in no queue. */
static void throttled_groups(struct queue_walk *w)
{
	uint64_t head = w->s->symbols ? symbols_address(w->s->symbols, "task_groups") : 0;
	uint64_t offset, link, value, cfs_rq;
	struct list_walk walk;

	if (!head || !koffset(w->s, "task_group", "list", &offset) ||
	    !koffset(w->s, "cfs_rq", "throttled", &value))
		return;
	list_walk_from_head(&walk, w->s, LIST_DOUBLE, head);
	while (!w->stopped && walk.count < GROUPS_MAX && list_walk_step(&walk, &link)) {
		struct run_entry entry = { .class = RUN_FAIR, .group = link - offset,
					   .throttled = true };
		if (!group_queue(w->s, entry.group, w->rq->cpu, &cfs_rq) ||
		    map_get(&w->seen, cfs_rq, &value) ||
		    !kread(w->s, cfs_rq, "cfs_rq", "throttled", &value) || !value)
			continue;
		entry.queue = cfs_rq;
		emit(w, &entry);
		fair_queue(w, cfs_rq, 1, true);
	}
	add_trouble(w, &walk.trouble);
	list_walk_fini(&walk);
}

void run_queue_each(struct session *s, const struct run_queue *rq, run_entry_fn fn, void *ctx,
		    struct walk_trouble *trouble)
{
	struct queue_walk w = { .s = s, .rq = rq, .fn = fn, .ctx = ctx, .trouble = trouble };

	if (!koffset(s, "task_struct", "se", &w.task_se) ||
	    !koffset(s, "task_struct", "rt", &w.task_rt) ||
	    !koffset(s, "task_struct", "dl", &w.task_dl)) {
		walk_trouble_add(trouble, "struct task_struct is not known");
		return;
	}
	deadline_queue(&w);
	realtime_queue(&w, rq->rt, 0, false);
	fair_queue(&w, rq->cfs, 0, false);
	throttled_groups(&w);
	map_deinit(&w.seen);
}

/* The path of a kernfs node, from its last part to the first. */
static bool kernfs_path(struct session *s, uint64_t node, char *buf, size_t size)
{
	char path[512];
	size_t start = sizeof(path) - 1;
	uint64_t parent;

	path[start] = '\0';
	for (unsigned i = 0; i < KERNFS_DEPTH_MAX; i++, node = parent) {
		char name[256];
		if (!kread(s, node, "kernfs_node", "__parent|parent", &parent) ||
		    !kread_string(s, node, "kernfs_node", "name", name, sizeof(name)))
			return false;
		size_t length = strlen(name);
		if (!parent) {
			snprintf(buf, size, "%s", path[start] ? path + start : "/");
			return true;
		}
		if (length + 1 > start)
			return false;
		start -= length + 1;
		path[start] = '/';
		memcpy(path + start + 1, name, length);
	}
	return false;
}

bool task_group_path(struct session *s, uint64_t group, char *buf, size_t size)
{
	uint64_t autogroup, id, cgroup, node;

	buf[0] = '\0';
	if (!group)
		return false;
	if (s->symbols && group == symbols_address(s->symbols, "root_task_group")) {
		snprintf(buf, size, "/");
		return true;
	}
	if (kread(s, group, "task_group", "autogroup", &autogroup) && autogroup &&
	    kread(s, autogroup, "autogroup", "id", &id)) {
		snprintf(buf, size, "/autogroup-%" PRIu64, id);
		return true;
	}
	return kread(s, group, "task_group", "css.cgroup", &cgroup) && cgroup &&
	       kread(s, cgroup, "cgroup", "kn", &node) && node && kernfs_path(s, node, buf, size);
}
