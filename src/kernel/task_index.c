// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Tasks by the pid index of the first pid namespace, which has every thread of the machine.
 *
 *	since 4.20	init_pid_ns.idr is an XArray: struct xa_node (include/linux/xarray.h)
 *	4.15 to 4.19	a radix tree: struct radix_tree_node (include/linux/radix-tree.h)
 *	before		the hash table pid_hash of 2^pidhash_shift chains through upid.pid_chain
 *
 * Each leads to struct pid, whose tasks[PIDTYPE_PID] is the head of a chain with the one task that
 * has this number, linked through its pid_links[PIDTYPE_PID] (pids[PIDTYPE_PID].node before 4.19).
 */
#include "base/bytes.h"
#include "base/vec.h"
#include "kernel/task_set.h"

enum {
	SLOTS_MAX = 64, /* XA_CHUNK_SIZE */
	SHIFT_MAX = 60,
	HASH_SHIFT_MAX = 20,
	CHAIN_MAX = 1 << 16,
};

struct index_walk {
	struct task_set *set;
	const char *node_type; /* "xa_node" or "radix_tree_node" */
	bool radix;
	struct field shift;
	uint64_t slots_offset;
	unsigned slot_count;
	unsigned slot_bits;
	size_t nodes;        /* visited so far; bounds a damaged tree */
	uint64_t first_task; /* offset of pid.tasks[PIDTYPE_PID].first */
	uint64_t link;       /* offset of the link in task_struct */
};

static void lose_pid(struct task_set *set, uint64_t number)
{
	if (number && number <= TASKS_MAX && set->lost_pids.count < TASKS_MAX)
		vec_push(&set->lost_pids, (int32_t)number);
}

/* The task of the struct pid at @pid, which the index has under @number. */
static void add_pid(const struct index_walk *walk, uint64_t pid, uint64_t number)
{
	struct task_set *set = walk->set;
	struct session *s = set->session;
	uint64_t first;

	if (!s->arch->is_kernel_address(pid) ||
	    memory_u64(s->memory, pid + walk->first_task, &first) != READ_OK) {
		lose_pid(set, number);
		return;
	}
	/* No task: the number lives on as a process group's or session's. */
	if (!first)
		return;
	if (!s->arch->is_kernel_address(first)) {
		lose_pid(set, number);
		return;
	}
	if (!task_add(set, first - walk->link, ROAD_PID_INDEX))
		return;
	struct found_task *found = &set->found.data[set->found.count - 1];
	if (found->task.incomplete)
		lose_pid(set, number);
	if (found->task.incomplete && !found->task.pid)
		found->task.pid = (int32_t)number;
}

/*
 * An entry of a node is empty, a struct pid, or the next level: tagged 2 in its lower two bits by
 * the XArray (and above 4096), tagged 1 by the radix tree.
 */
static bool is_node(const struct index_walk *walk, uint64_t entry, uint64_t *node)
{
	*node = entry & ~(uint64_t)3;
	if (walk->radix)
		return (entry & 3) == 1;
	return (entry & 3) == 2 && entry > 4096;
}

static void walk_entry(struct index_walk *walk, uint64_t entry, uint64_t index, uint64_t shift)
{
	struct session *s = walk->set->session;
	uint64_t node, node_shift;
	uint64_t slots[SLOTS_MAX];

	if (!is_node(walk, entry, &node)) {
		if (entry && !(entry & 3))
			add_pid(walk, entry, index);
		return;
	}
	/* Each level must be nearer to the leaves than the one before, so that this ends. */
	if (walk->nodes++ > TASKS_MAX || !field_read(s, node, &walk->shift, &node_shift) ||
	    node_shift >= shift ||
	    memory_read(s->memory, node + walk->slots_offset, slots,
			walk->slot_count * sizeof(slots[0])) != READ_OK) {
		walk->set->index_holes++;
		return;
	}
	for (unsigned i = 0; i < walk->slot_count; i++) {
		if (slots[i])
			walk_entry(walk, slots[i], index + ((uint64_t)i << node_shift), node_shift);
	}
}

static bool walk_tree(struct index_walk *walk, uint64_t namespace)
{
	struct session *s = walk->set->session;
	struct member slots;
	uint64_t root, base = 0;

	if (kread(s, namespace, "pid_namespace", "idr.idr_rt.xa_head", &root)) {
		walk->node_type = "xa_node";
	} else if (kread(s, namespace, "pid_namespace", "idr.idr_rt.rnode", &root)) {
		walk->node_type = "radix_tree_node";
		walk->radix = true;
	} else {
		return false;
	}
	walk->shift = field_find(s, walk->node_type, "shift");
	if (!walk->shift.known || !types_member(s->types, walk->node_type, "slots", &slots) ||
	    slots.size / 8 > SLOTS_MAX)
		return false;
	walk->slots_offset = slots.offset;
	walk->slot_count = (unsigned)(slots.size / 8);
	kread(s, namespace, "pid_namespace", "idr.idr_base", &base);
	walk_entry(walk, root, base, SHIFT_MAX);
	return true;
}

/* A chain of the old hash table: hlist_node pid_chain of struct upid, which lies in struct pid. */
static void walk_chain(const struct index_walk *walk, uint64_t at, uint64_t namespace)
{
	struct task_set *set = walk->set;
	struct session *s = set->session;
	uint64_t numbers, chain, next, ns, number;

	if (!koffset(s, "pid", "numbers", &numbers) || !koffset(s, "upid", "pid_chain", &chain))
		return;
	for (unsigned n = 0; at && n < CHAIN_MAX; n++, at = next) {
		uint64_t upid = at - chain;
		if (memory_u64(s->memory, at, &next) != READ_OK ||
		    !kread(s, upid, "upid", "ns", &ns) || !kread(s, upid, "upid", "nr", &number)) {
			set->index_holes++;
			return;
		}
		if (ns == namespace)
			add_pid(walk, upid - numbers, number);
	}
}

static bool walk_hash(const struct index_walk *walk, uint64_t namespace)
{
	struct session *s = walk->set->session;
	uint64_t table, shift, first;

	if (!kglobal(s, "pid_hash", 8, &table) || !kglobal(s, "pidhash_shift", 4, &shift) ||
	    shift > HASH_SHIFT_MAX)
		return false;
	for (uint64_t i = 0; i < UINT64_C(1) << shift; i++) {
		if (memory_u64(s->memory, table + i * 8, &first) == READ_OK)
			walk_chain(walk, first, namespace);
		else
			walk->set->index_holes++;
	}
	return true;
}

void tasks_by_index(struct task_set *set)
{
	struct session *s = set->session;
	struct index_walk walk = { .set = set };
	uint64_t namespace = symbols_address(s->symbols, "init_pid_ns");

	if (!namespace || !koffset(s, "pid", "tasks", &walk.first_task) ||
	    !koffset(s, "task_struct", "pid_links|pids[0].node", &walk.link))
		return;
	set->has_index = walk_tree(&walk, namespace) || walk_hash(&walk, namespace);
}
