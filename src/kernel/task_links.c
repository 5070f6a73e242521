// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Tasks by the pointers of other tasks, and by the run queues: the roads for a dump whose pid
 * index has holes.
 *
 * A task points to its neighbours in the list of all processes, in its thread group, among its
 * parent's children, to its own children, its parent and its group's leader. From each task found
 * all of them are followed, both ways, so that a hole in one chain is walked around. A neighbour
 * may be a list head and not a task: what does not look like a living task is not taken.
 */
#include "kernel/task_set.h"

#include "kernel/cpu_state.h"

enum {
	RT_QUEUES_MAX = 256,
	TREE_MAX = 1 << 20,
	LINKS_MAX = 24,
};

/* A pointer member, and what to take off it to get the task that it leads to. */
struct link {
	struct field field;
	uint64_t back;
};

struct link_table {
	struct link link[LINKS_MAX];
	size_t count;
};

static void add_link(struct session *s, struct link_table *table, const char *path,
		     const char *leads_to)
{
	struct link *link = &table->link[table->count];

	link->field = field_find(s, "task_struct", path);
	link->back = 0;
	if (link->field.known && (!leads_to || koffset(s, "task_struct", leads_to, &link->back)))
		table->count++;
}

static void find_links(struct session *s, struct link_table *table)
{
	static const struct {
		const char *path, *leads_to;
	} links[] = {
		{ "tasks.next", "tasks" },
		{ "tasks.prev", "tasks" },
		{ "thread_node.next", "thread_node" },
		{ "thread_node.prev", "thread_node" },
		{ "thread_group.next", "thread_group" },
		{ "thread_group.prev", "thread_group" },
		{ "sibling.next", "sibling" },
		{ "sibling.prev", "sibling" },
		{ "children.next", "sibling" },
		{ "children.prev", "sibling" },
		{ "ptraced.next", "ptrace_entry" },
		{ "ptrace_entry.next", "ptrace_entry" },
		{ "group_leader", NULL },
		{ "real_parent", NULL },
		{ "parent", NULL },
	};

	table->count = 0;
	for (size_t i = 0; i < array_size(links); i++)
		add_link(s, table, links[i].path, links[i].leads_to);
}

void tasks_by_links(struct task_set *set)
{
	struct session *s = set->session;
	struct link_table table;
	struct map rejected = { 0 };
	uint64_t init = symbols_address(s->symbols, "init_task");
	uint64_t pointer, ignored;

	find_links(s, &table);
	if (init)
		task_add(set, init, ROAD_IDLE);
	/* The set grows while we walk: it is the list of what is still to be looked at. */
	for (size_t i = 0; i < set->found.count; i++) {
		uint64_t address = set->found.data[i].task.address;
		for (size_t k = 0; k < table.count; k++) {
			const struct link *link = &table.link[k];
			if (!field_read(s, address, &link->field, &pointer) || !pointer)
				continue;
			pointer -= link->back;
			if (task_known(set, pointer) || map_get(&rejected, pointer, &ignored))
				continue;
			if (!task_add_checked(set, pointer, ROAD_TASK_LIST))
				map_set(&rejected, pointer, 1);
		}
	}
	map_deinit(&rejected);
}

/* The deadline queue: a red-black tree of sched_dl_entity.rb_node. Depth-first without recursion:
 * the nodes to do are kept, and their number is bounded. */
static void walk_deadline(struct task_set *set, uint64_t rq)
{
	struct session *s = set->session;
	uint64_t stack[128], node, child, offset;
	size_t depth = 0, seen = 0;

	if (!koffset(s, "task_struct", "dl.rb_node", &offset) ||
	    !kread(s, rq, "rq", "dl.root.rb_root.rb_node|dl.rb_root.rb_node", &node) || !node)
		return;
	stack[depth++] = node;
	while (depth && seen++ < TREE_MAX) {
		node = stack[--depth];
		task_add_checked(set, node - offset, ROAD_RUN_QUEUE);
		if (kread(s, node, "rb_node", "rb_left", &child) && child &&
		    depth < array_size(stack))
			stack[depth++] = child;
		if (kread(s, node, "rb_node", "rb_right", &child) && child &&
		    depth < array_size(stack))
			stack[depth++] = child;
	}
}

static bool add_runnable(void *ctx, uint64_t task)
{
	task_add_checked(ctx, task, ROAD_RUN_QUEUE);
	return true;
}

static void walk_run_queue(struct task_set *set, uint64_t rq)
{
	static const char *const pointers[] = { "curr", "stop", "donor" };
	struct session *s = set->session;
	struct member queues;
	uint64_t value, offset;

	for (size_t i = 0; i < array_size(pointers); i++) {
		if (kread(s, rq, "rq", pointers[i], &value))
			task_add_checked(set, value, ROAD_RUN_QUEUE);
	}
	if (koffset(s, "rq", "cfs_tasks", &offset))
		klist_each(s, rq + offset, "task_struct", "se.group_node", "a run queue",
			   add_runnable, set);
	if (types_member(s->types, "rq", "rt.active.queue", &queues)) {
		for (uint64_t i = 0; i < queues.size / 16 && i < RT_QUEUES_MAX; i++)
			klist_each(s, rq + queues.offset + i * 16, "task_struct", "rt.run_list",
				   "a real-time run queue", add_runnable, set);
	}
	walk_deadline(set, rq);
}

void tasks_by_run_queues(struct task_set *set)
{
	struct session *s = set->session;
	size_t count;
	const struct cpu *cpu = cpus(s, &count);

	for (size_t i = 0; i < count; i++) {
		uint64_t rq = cpu_variable(s, &cpu[i], "runqueues");
		if (rq)
			walk_run_queue(set, rq);
	}
}
