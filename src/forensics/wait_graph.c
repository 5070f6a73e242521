// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Made in four passes:
 *
 *   1  every task's kind of wait, by the functions on its stack (quick);
 *   2  what it waits for: first by the lists of waiters of locks that are known already (one look
 *      at a lock tells all of a pile-up), else by value flow;
 *   3  who has it: owner words, workers of works, threads; for what keeps no owner all stacks are
 *      searched for code that took it (wait_owners.c);
 *   4  cycles and victims (wait_cycles.c).
 */
#include "forensics/wait_graph.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/strbuf.h"
#include "base/vec.h"
#include "forensics/caught.h"
#include "forensics/seq_spin.h"
#include "forensics/wait_cycles.h"
#include "forensics/wait_entry.h"
#include "forensics/wait_lines.h"
#include "forensics/wait_names.h"
#include "forensics/wait_owners.h"
#include "kernel/fuse.h"
#include "kernel/journal.h"
#include "kernel/rpc.h"
#include "kernel/task_sched.h"
#include "kernel/task_wait.h"
#include "kernel/xfs.h"

enum { LINE_MAX_LENGTH = 1 << 16, JOBCTL_TRAP_FREEZE = 1 << 23 };

const char *owner_how_name(enum owner_how how)
{
	static const char *const names[] = {
		[OWNER_WORD] = "owner word",
		[OWNER_CODE] = "code",
		[OWNER_WORKER] = "worker",
		[OWNER_ITSELF] = "thread",
		[OWNER_HINT] = "hint",
	};

	return names[how];
}

const char *owner_doubt_word(const struct owner *owner)
{
	return !owner || owner->sure ? "" : owner->how == OWNER_HINT ? "perhaps " : "likely ";
}

/* --- Resources. --- */

struct build {
	struct session *s;
	struct wait_graph *graph;
	struct map by_object;  /* object address -> resource index */
	struct map listed;     /* task address -> resource index, by lists of waiters */
	struct map places;     /* task address -> place in that list, from 1 */
};

static void list_waiters(struct build *b, size_t index)
{
	struct resource *r = &b->graph->resources[index];
	uint64_t *tasks = xcalloc(LINE_MAX_LENGTH, sizeof(*tasks));
	size_t n = lock_waiters(b->s, r->lock_kind, r->object, tasks, LINE_MAX_LENGTH);

	for (size_t i = 0; i < n; i++)
		map_set(&b->listed, tasks[i], index);
	for (size_t i = 0; i < n; i++)
		map_set(&b->places, tasks[i], i + 1);
	free(tasks);
}

static size_t add_resource(struct build *b, const struct wait *wait)
{
	struct wait_graph *g = b->graph;
	struct resource r = { .kind = wait->kind, .lock_kind = wait->lock_kind,
			      .object = wait->object };
	uint64_t known;

	if (map_get(&b->by_object, wait->object, &known))
		return (size_t)known;
	r.state_known = r.kind == WAIT_LOCK &&
			lock_state_of(b->s, r.lock_kind, r.object, &r.state);
	r.name = wait_resource_words(b->s, r.kind, r.lock_kind, r.object, &g->arena);
	if (g->resource_count == g->resource_capacity) {
		g->resource_capacity = g->resource_capacity ? g->resource_capacity * 2 : 16;
		g->resources = xrealloc(g->resources,
					g->resource_capacity * sizeof(*g->resources));
	}
	g->resources[g->resource_count] = r;
	map_set(&b->by_object, wait->object, g->resource_count);
	if (r.kind == WAIT_LOCK && r.state_known)
		list_waiters(b, g->resource_count);
	return g->resource_count++;
}

/* --- Passes 1 and 2. --- */

/* Not in the queue of the lock's queue: a rwlock's first waiter is in its own slow path. */
static bool spins_at_lock(struct session *s, const struct stack *stack)
{
	size_t at = stack_busy_at(s, stack, SIZE_MAX);
	struct symbol symbol;

	return at < stack->count && symbols_by_address(s->symbols, stack->frames[at].pc, &symbol) &&
	       (starts_with(symbol.name, "queued_read_lock") ||
		starts_with(symbol.name, "queued_write_lock"));
}

/* A running task spins: for a lock, or for another CPU to answer. */
static void look_at_running(struct build *b, struct wait_node *node, struct stack *stack)
{
	struct stack_locks locks;

	stack_locks_find(b->s, node->task, stack, 1u << LOCK_SPIN | 1u << LOCK_READ_WRITE,
			 &locks);
	bool spins = locks.waits && (locks.wait.kind == LOCK_SPIN ||
				     locks.wait.kind == LOCK_READ_WRITE);
	if (spins) {
		node->spins_at_lock = spins_at_lock(b->s, stack);
		node->wait = (struct wait){
			.kind = WAIT_LOCK,
			.lock_kind = locks.wait.kind,
			.shared = locks.wait.shared,
			.object = locks.wait.lock,
			.memory = locks.wait.memory,
			.frame = locks.wait.frame,
			.function = arena_strdup(&b->graph->arena, locks.wait.function),
		};
	}
	stack_locks_deinit(&locks);
	if (!spins)
		wait_for_cpu(b->s, node->task, stack, &node->wait, &b->graph->arena);
	uint64_t sequence;
	size_t frame;
	struct symbol symbol;
	if (node->wait.kind != WAIT_NOTHING || !seq_spin_find(b->s, stack, &sequence, &frame) ||
	    !symbols_by_address(b->s->symbols, stack->frames[frame].pc, &symbol))
		return;
	node->wait = (struct wait){
		.kind = WAIT_LOCK, .lock_kind = LOCK_SEQ, .shared = true, .object = sequence,
		.frame = frame,
		.function = arena_strndup(&b->graph->arena, symbol.name, strcspn(symbol.name, ".")),
	};
}

/* Who called the scheduler; the first of several functions that all wait. */
static const char *waiting_function(struct session *s, const struct stack *stack, size_t *frame,
				    struct arena *arena)
{
	static const char *const globs[] = { "__schedule", "schedule*", "io_schedule*", "wait_woken",
					     "context_switch*", "do_wait_intr*" };
	struct symbol symbol;

	for (size_t i = 0; i < stack->count; i++) {
		const struct frame *f = &stack->frames[i];
		uint64_t pc = f->is_call ? f->pc - 1 : f->pc;
		bool skip = f->how == FRAME_SCAN || !symbols_by_address(s->symbols, pc, &symbol);
		for (size_t g = 0; g < array_size(globs) && !skip; g++)
			skip = glob_match(globs[g], symbol.name);
		if (skip)
			continue;
		*frame = i;
		return arena_strndup(arena, symbol.name, strcspn(symbol.name, "."));
	}
	return NULL;
}

/* Wait queues that mean a wait of another kind: for what, by the queue's address; 0: it is none such. */
static const struct {
	enum wait_kind kind;
	uint64_t (*object)(struct session *s, uint64_t queue);
} known_queues[] = {
	{ WAIT_JOURNAL, journal_queue },
	{ WAIT_IO, xfs_log_bio },
	{ WAIT_FUSE, fuse_request_of_queue },
};

/*
 * It sleeps, and no function's name says what for: its entry in a wait queue does. In the queues
 * that all bits share, the entry says for which word.
 */
static void look_for_queue(struct build *b, struct wait_node *node, const struct stack *stack)
{
	struct wait_entry entry;

	if (!wait_entry_find(b->s, node->task, stack, &entry) ||
	    (node->wait.kind == WAIT_BIT && !entry.word))
		return;
	if (node->wait.kind != WAIT_BIT)
		node->wait.function = waiting_function(b->s, stack, &node->wait.frame,
						       &b->graph->arena);
	node->wait.kind = entry.word ? WAIT_BIT : WAIT_QUEUE;
	node->wait.object = entry.word ? entry.word : entry.queue;
	node->wait.confirmed = true;
	if (entry.word)
		wait_tell_word(b->s, &node->wait);
	for (size_t i = 0; i < array_size(known_queues) && !entry.word; i++) {
		uint64_t object = known_queues[i].object(b->s, entry.queue);
		if (object) {
			node->wait.kind = known_queues[i].kind;
			node->wait.object = object;
		}
	}
}

/*
 * A task of a frozen cgroup (v2) sleeps where signals are handled, in do_freezer_trap() or what it
 * was inlined into (kernel/signal.c); JOBCTL_TRAP_FREEZE, include/linux/sched/jobctl.h, since 5.2.
 */
static void look_for_freezer(struct build *b, struct wait_node *node)
{
	static const char *const functions[] = { "get_signal", "do_freezer_trap" };
	uint64_t jobctl, set, cgroup;
	bool there = false;

	for (size_t i = 0; i < array_size(functions) && node->wait.function; i++)
		there |= strcmp(node->wait.function, functions[i]) == 0;
	if (!there || !kread(b->s, node->task->address, "task_struct", "jobctl", &jobctl) ||
	    !(jobctl & JOBCTL_TRAP_FREEZE))
		return;
	node->wait.kind = WAIT_FREEZER;
	if (kread(b->s, node->task->address, "task_struct", "cgroups", &set) && set &&
	    kread(b->s, set, "css_set", "dfl_cgrp", &cgroup))
		node->wait.object = cgroup;
}

/*
 * The older freezer, of suspend and of cgroups v1: tasks are in __refrigerator(), or, since 6.1,
 * where they slept, in a state of their own (kernel/freezer.c). Its cgroup is told where it is not
 * the root; suspend freezes all.
 */
static void tell_frozen(struct build *b, struct wait_node *node)
{
	uint64_t set, offset, css, cgroup, level;
	int64_t freezer;

	node->wait.kind = WAIT_FREEZER;
	if (kread(b->s, node->task->address, "task_struct", "cgroups", &set) && set &&
	    types_enumerator(b->s->types, "freezer_cgrp_id", &freezer) && freezer >= 0 &&
	    koffset(b->s, "css_set", "subsys", &offset) &&
	    memory_u64(b->s->memory, set + offset + (uint64_t)freezer * 8, &css) == READ_OK &&
	    css &&
	    kread(b->s, css, "cgroup_subsys_state", "cgroup", &cgroup) && cgroup &&
	    kread(b->s, cgroup, "cgroup", "level", &level) && level)
		node->wait.object = cgroup;
}

/*
 * The queues of a pipe lie in it: before 5.5 one, then one for each side (pipe_fs_i.h). Readers are
 * in pipe_read(), since 6.16 in anon_pipe_read() and the like.
 */
static void look_for_pipe(struct build *b, struct wait_node *node, const struct stack *stack)
{
	const char *queue = strstr(node->wait.function, "read") ? "rd_wait|wait" : "wr_wait|wait";
	struct wait_entry entry;
	uint64_t offset, count;

	if (!wait_entry_find(b->s, node->task, stack, &entry) ||
	    !koffset(b->s, "pipe_inode_info", queue, &offset) ||
	    !kread(b->s, entry.queue - offset, "pipe_inode_info", "ring_size|buffers", &count) ||
	    !count)
		return;
	node->wait.object = entry.queue - offset;
	node->wait.confirmed = true;
}

/* The queue of a socket lies in it since 5.3; before it had that elsewhere, and no more is known. */
static void look_for_socket(struct build *b, struct wait_node *node, const struct stack *stack)
{
	struct wait_entry entry;
	uint64_t offset, sock, socket;

	if (!wait_entry_find(b->s, node->task, stack, &entry) ||
	    !koffset(b->s, "socket", "wq.wait", &offset) ||
	    !kread(b->s, entry.queue - offset, "socket", "sk", &sock) || !sock ||
	    !kread(b->s, sock, "sock", "sk_socket", &socket) || socket != entry.queue - offset)
		return;
	node->wait.object = socket;
	node->wait.confirmed = true;
}

/*
 * Its entry in a queue says for which page, or (by a bit of tk_runstate) for which call: quicker
 * than its code does, which matters where thousands wait, each for its own.
 */
static void look_at_entry(struct build *b, struct wait_node *node, const struct stack *stack)
{
	struct wait_entry entry;
	uint64_t offset, client;

	if (!wait_entry_find(b->s, node->task, stack, &entry))
		return;
	if (node->wait.kind == WAIT_PAGE)
		node->wait.object = entry.page;
	else if (entry.word && koffset(b->s, "rpc_task", "tk_runstate", &offset) &&
		 kread(b->s, entry.word - offset, "rpc_task", "tk_client", &client) && client)
		node->wait.object = entry.word - offset;
	node->wait.confirmed |= node->wait.object != 0;
}

/* For what the task waits, as its functions and its entry in a queue tell. */
static void find_kind(struct build *b, struct wait_node *node, struct stack *stack)
{
	struct wait *wait = &node->wait;

	wait_of_stack(b->s, node->task, stack, &b->graph->arena, wait);
	if (node->task->on_cpu)
		look_at_running(b, node, stack);
	else if (wait->kind == WAIT_OTHER || wait->kind == WAIT_QUEUE || wait->kind == WAIT_BIT)
		look_for_queue(b, node, stack);
	else if (wait->kind == WAIT_PIPE)
		look_for_pipe(b, node, stack);
	else if (wait->kind == WAIT_SOCKET)
		look_for_socket(b, node, stack);
	if (wait->kind == WAIT_OTHER && !wait->function) {
		wait->function = waiting_function(b->s, stack, &wait->frame, &b->graph->arena);
		look_for_freezer(b, node);
	}
	if (!node->task->on_cpu && (task_is_frozen(node->task) ||
				    (wait->kind == WAIT_FREEZER && !wait->object)))
		tell_frozen(b, node);
}

/* For which one. A list of waiters that was read before says it at once. */
static void find_object(struct build *b, struct wait_node *node, struct stack *stack)
{
	struct wait *wait = &node->wait;
	uint64_t listed;

	if (wait->kind == WAIT_LOCK && map_get(&b->listed, node->task->address, &listed)) {
		node->resource = (size_t)listed;
		wait->object = b->graph->resources[listed].object;
		wait->confirmed = true;
		return;
	}
	if (!wait_node_blocked(node))
		return;
	if ((wait->kind == WAIT_PAGE || wait->kind == WAIT_RPC) && !node->task->on_cpu)
		look_at_entry(b, node, stack);
	if (!wait->object)
		wait_find_object(b->s, node->task, stack, wait);
	if (wait->kind == WAIT_RCU)
		wait->object = wait_rcu_flavour(b->s, node->task, stack, wait);
}

/* Whoever waits for a call wakes up to send it anew, and has waited for longer than it has slept. */
static void find_age(struct build *b, struct wait_node *node)
{
	struct rpc_call call;

	if (node->wait.kind != WAIT_RPC || !node->wait.object)
		return;
	rpc_call_read(b->s, node->wait.object, &call);
	if (call.age_ns > node->waited_ns)
		node->waited_ns = call.age_ns;
}

static void look_at(struct build *b, struct wait_node *node)
{
	struct stack stack = { 0 };
	uint64_t listed;

	node->resource = SIZE_MAX;
	if (node->task->road == ROAD_IDLE && !node->task->on_cpu)
		return;
	task_stack(b->s, node->task, &stack);
	find_kind(b, node, &stack);
	find_object(b, node, &stack);
	find_age(b, node);
	if (node->wait.object && node->resource == SIZE_MAX) {
		node->resource = add_resource(b, &node->wait);
		node->wait.confirmed |= map_get(&b->listed, node->task->address, &listed) &&
					listed == node->resource;
	}
	if (node->resource != SIZE_MAX)
		b->graph->resources[node->resource].waiter_count++;
	stack_deinit(&stack);
}

bool wait_node_blocked(const struct wait_node *node)
{
	/* Idle threads stand in wait queues, too; those who are not to be disturbed do not rest. */
	if (node->wait.kind == WAIT_QUEUE)
		return task_state_letter(node->task) == 'D' || node->owned;
	return node->wait.kind != WAIT_NOTHING && !wait_rests(node->wait.kind) &&
	       node->wait.kind != WAIT_OTHER;
}

/* --- The whole. --- */

static void graph_destroy(void *data)
{
	struct wait_graph *g = data;

	free(g->nodes);
	free(g->resources);
	free(g->cycles);
	arena_deinit(&g->arena);
	free(g);
}

const struct wait_graph *wait_graph(struct session *s)
{
	struct build b = { .s = s };
	size_t n;

	if (s->slot[SLOT_WAITS].data)
		return s->slot[SLOT_WAITS].data;
	struct wait_graph *g = b.graph = xcalloc(1, sizeof(*g));
	const struct task *all = tasks(s, &n);
	uint64_t now = run_queue_now(s);

	/* What is waited for may be of a module: of NFS, FUSE, XFS, the journal, SCSI. */
	if (s->types)
		types_load_modules(s->types);
	g->nodes = xcalloc(n + 1, sizeof(*g->nodes));
	g->node_count = n;
	for (size_t i = 0; i < n && !session_stopped(s); i++) {
		g->nodes[i].task = &all[i];
		g->nodes[i].waited_ns = all[i].on_cpu ? 0 : task_waited_ns(s, &all[i], now);
		look_at(&b, &g->nodes[i]);
	}
	for (size_t i = 0; i < n; i++)
		g->nodes[i].task = &all[i];
	for (size_t i = 0; i < n; i++) {
		uint64_t place;
		if (g->nodes[i].wait.confirmed && map_get(&b.places, all[i].address, &place))
			g->nodes[i].place = (unsigned)place;
	}
	wait_lines_find(s, g);
	wait_owners_find(s, g);
	for (size_t r = 0; r < g->resource_count; r++) {
		for (unsigned o = 0; o < g->resources[r].owner_count; o++)
			g->nodes[g->resources[r].owners[o].node].owned++;
	}
	wait_cycles_find(g);
	wait_victims_count(g);
	map_deinit(&b.by_object);
	map_deinit(&b.listed);
	map_deinit(&b.places);
	s->slot[SLOT_WAITS].data = g;
	s->slot[SLOT_WAITS].destroy = graph_destroy;
	return g;
}

static bool in_path(const size_t *path, size_t count, size_t node)
{
	for (size_t i = 0; i < count; i++) {
		if (path[i] == node)
			return true;
	}
	return false;
}

size_t wait_graph_chain(const struct wait_graph *graph, size_t node, size_t *path, size_t max)
{
	size_t count = 0;

	while (count < max && !in_path(path, count, node)) {
		const struct wait_node *n = &graph->nodes[node];
		const struct resource *r = n->resource != SIZE_MAX
						   ? &graph->resources[n->resource] : NULL;
		path[count++] = node;
		if (!r || !r->owner_count)
			break;
		node = r->owners[0].node;
	}
	return count;
}

size_t wait_graph_node_of(const struct wait_graph *graph, const struct task *task)
{
	for (size_t i = 0; i < graph->node_count; i++) {
		if (graph->nodes[i].task->address == task->address)
			return i;
	}
	return SIZE_MAX;
}
