// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Tasks whose own memory is not in the dump. Others point to them, so that their address is known,
 * and the kind of link tells more: a thread's group_leader has the thread's tgid as its pid; a
 * sibling and a thread of the same group have the same parent; in the list of processes, which is
 * in order of creation, a task lies between two pids, and when just one number between these is not
 * accounted for, that is its pid. Names and states are lost with the memory.
 *
 * Here a link must be known to lead to a task, as there is nothing to check the target by: links
 * that are at a list's head are recognised by the head's address, and links of threads that are
 * not the first of their process, which are left over from its creation, are not followed.
 */
#include "kernel/task_set.h"

#include <stdlib.h>

#include "base/vec.h"

enum { GAP_MAX = 1000 }; /* pids between neighbours that are looked through */

struct hole {
	uint64_t address, real_parent;
	int32_t pid, tgid;
	int32_t after, before; /* pids that it lies between in the list of processes; 0: unknown */
};

struct hole_search {
	struct task_set *set;
	struct map by_address; /* -> index in holes */
	struct map pids;       /* of all tasks found */
	struct {
		vec_fields(struct hole);
	} holes;
	struct field next, prev, sibling_next, sibling_prev, thread_next, thread_prev;
	struct field group_leader, signal;
	uint64_t tasks, sibling, children, thread_node, thread_head; /* offsets */
	bool has_siblings, has_threads;
};

static bool prepare(struct hole_search *search)
{
	static const char task[] = "task_struct";
	struct session *s = search->set->session;

	search->next = field_find(s, task, "tasks.next");
	search->prev = field_find(s, task, "tasks.prev");
	search->sibling_next = field_find(s, task, "sibling.next");
	search->sibling_prev = field_find(s, task, "sibling.prev");
	search->thread_next = field_find(s, task, "thread_node.next");
	search->thread_prev = field_find(s, task, "thread_node.prev");
	search->group_leader = field_find(s, task, "group_leader");
	search->signal = field_find(s, task, "signal");
	search->has_siblings = koffset(s, task, "sibling", &search->sibling) &&
			       koffset(s, task, "children", &search->children);
	search->has_threads = koffset(s, task, "thread_node", &search->thread_node) &&
			      koffset(s, "signal_struct", "thread_head", &search->thread_head);
	return koffset(s, task, "tasks", &search->tasks);
}

/* The hole at @address; NULL when what is there can be read, or is no memory at all. */
static struct hole *hole_at(struct hole_search *search, uint64_t address)
{
	struct task_set *set = search->set;
	struct session *s = set->session;
	const struct field *pid = &set->fields.pid;
	uint64_t index;
	uint32_t value;

	if (map_get(&search->by_address, address, &index))
		return &search->holes.data[index];
	if (!s->arch->is_kernel_address(address) || address & 7)
		return NULL;
	if (map_get(&set->by_address, address, &index)) {
		if (!set->found.data[index].task.incomplete)
			return NULL;
	} else {
		switch (memory_u32(s->memory, address + pid->offset, &value)) {
		case READ_OK:
		case READ_UNMAPPED:
			return NULL;
		default:
			break;
		}
	}
	map_set(&search->by_address, address, search->holes.count);
	vec_push(&search->holes, (struct hole){ .address = address });
	return &search->holes.data[search->holes.count - 1];
}

/* Follows one link; NULL when it leads to a list's @head, to no task, or to one that is there. */
static struct hole *follow(struct hole_search *search, uint64_t task, const struct field *link,
			   uint64_t offset, uint64_t head)
{
	uint64_t pointer;

	if (!field_read(search->set->session, task, link, &pointer) || !pointer || pointer == head)
		return NULL;
	return hole_at(search, pointer - offset);
}

static void look_from(struct hole_search *search, const struct found_task *from)
{
	struct session *s = search->set->session;
	const struct task *task = &from->task;
	const struct field *siblings[] = { &search->sibling_next, &search->sibling_prev };
	const struct field *threads[] = { &search->thread_next, &search->thread_prev };
	struct hole *hole;
	uint64_t signal;

	hole = follow(search, task->address, &search->group_leader, 0, task->address);
	if (hole) {
		hole->pid = hole->tgid = task->tgid;
		hole->real_parent = from->real_parent;
	}
	for (size_t i = 0; i < array_size(threads) && search->has_threads; i++) {
		if (!field_read(s, task->address, &search->signal, &signal) || !signal)
			break;
		hole = follow(search, task->address, threads[i], search->thread_node,
			      signal + search->thread_head);
		if (hole) {
			hole->tgid = task->tgid;
			hole->real_parent = from->real_parent;
		}
	}
	if (task->pid != task->tgid)
		return;
	hole = follow(search, task->address, &search->next, search->tasks, 0);
	if (hole)
		hole->after = task->pid;
	hole = follow(search, task->address, &search->prev, search->tasks, 0);
	if (hole)
		hole->before = task->pid;
	for (size_t i = 0; i < array_size(siblings) && search->has_siblings && task->pid; i++) {
		hole = follow(search, task->address, siblings[i], search->sibling,
			      from->real_parent + search->children);
		if (hole)
			hole->real_parent = from->real_parent;
	}
}

/* Has the index lost this pid? When the index itself has holes it may have lost any. */
static bool may_be_lost(const struct task_set *set, int32_t pid)
{
	if (set->index_holes || !set->has_index)
		return true;
	for (size_t i = 0; i < set->lost_pids.count; i++) {
		if (set->lost_pids.data[i] == pid)
			return true;
	}
	return false;
}

/*
 * The number of a hole in the list of processes: what nobody else has, between its neighbours.
 * A neighbour that is a hole too is replaced by the nearest pid known. 0 when the number is not
 * certain.
 */
static int32_t pid_between(const struct hole_search *search, const struct hole *hole)
{
	const struct task_set *set = search->set;
	int32_t after = hole->after, before = hole->before, found = 0;
	uint64_t ignored;

	for (int32_t n = 1; !after && before && n < GAP_MAX && n < before; n++) {
		if (map_get(&search->pids, (uint64_t)(before - n), &ignored))
			after = before - n;
	}
	for (int32_t n = 1; !before && after && n < GAP_MAX; n++) {
		if (map_get(&search->pids, (uint64_t)(after + n), &ignored))
			before = after + n;
	}
	if (!after || !before || before - after > GAP_MAX)
		return 0;
	for (int32_t pid = after + 1; pid < before; pid++) {
		if (map_get(&search->pids, (uint64_t)pid, &ignored) || !may_be_lost(set, pid))
			continue;
		if (found)
			return 0;
		found = pid;
	}
	return found;
}

static void add_hole(struct hole_search *search, const struct hole *hole)
{
	struct task_set *set = search->set;
	uint64_t index;

	(void)task_add(set, hole->address, ROAD_TASK_LIST);
	if (!map_get(&set->by_address, hole->address, &index))
		return;
	struct found_task *found = &set->found.data[index];
	struct task *task = &found->task;
	task->incomplete = true;
	if (!task->pid)
		task->pid = hole->pid ? hole->pid : pid_between(search, hole);
	/* In the list of processes are the first threads only. */
	if (!task->tgid)
		task->tgid = hole->tgid;
	if (!task->tgid && (hole->after || hole->before))
		task->tgid = task->pid;
	if (!found->real_parent)
		found->real_parent = hole->real_parent;
}

void tasks_in_holes(struct task_set *set)
{
	struct hole_search search = { .set = set };

	if (prepare(&search)) {
		for (size_t i = 0; i < set->found.count; i++) {
			map_set(&search.pids, (uint64_t)set->found.data[i].task.pid, 1);
			if (!set->found.data[i].task.incomplete)
				look_from(&search, &set->found.data[i]);
		}
		vec_for_each (hole, &search.holes)
			add_hole(&search, hole);
	}
	vec_deinit(&search.holes);
	map_deinit(&search.by_address);
	map_deinit(&search.pids);
}
