// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A table of reasons; the first that fits tells. Sources, in linux/: include/linux/fs.h (struct
 * sb_writers; SB_FREEZE_COMPLETE is 4).
 */
#include "diagnosis/waiting_reasons.h"

#include <inttypes.h>
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/remote_server.h"
#include "diagnosis/starved.h"
#include "diagnosis/stuck_io.h"
#include "diagnosis/user_server.h"
#include "forensics/wait_entry.h"
#include "kernel/meaning.h"
#include "kernel/task_sched.h"

enum {
	FROZEN_MAX = 4, FROZEN_LEVELS = 3, FREEZERS_MAX = 1000, SETTLED_NS = 2000000000,
	TASK_UNINTERRUPTIBLE = 2, /* include/linux/sched.h */
};

struct reason {
	const struct facts *facts;
	const struct wait_graph *graph;
	const struct wait_node *node;
	struct findings *out;
	struct finding *f;
};

/* --- I/O. --- */

static bool stuck_io(struct reason *r)
{
	return stuck_io_tell(r->facts, &r->node->wait, r->out, r->f);
}

/* --- A frozen file system: writers wait for a lock of its super block, that freezing holds. --- */

struct frozen {
	struct session *s;
	uint64_t object, found, level; /* how far it is frozen */
};

static bool is_frozen_one(void *ctx, uint64_t sb)
{
	struct frozen *z = ctx;
	uint64_t offset, level, size = types_sizeof(z->s->types, "percpu_rw_semaphore");
	bool here = sb == z->object;

	if (koffset(z->s, "super_block", "s_writers.rw_sem", &offset) && size)
		here |= z->object >= sb + offset && z->object < sb + offset + FROZEN_LEVELS * size;
	if (!here || !kread(z->s, sb, "super_block", "s_writers.frozen", &level) || !level ||
	    level > FROZEN_MAX)
		return true;
	z->found = sb;
	z->level = level;
	return false;
}

static bool frozen(struct reason *r)
{
	struct session *s = r->facts->session;
	struct frozen z = { .s = s, .object = r->node->wait.object };
	uint64_t head = symbols_address(s->symbols, "super_blocks"), type;
	char id[32] = "", name[32] = "";

	if (!z.object || !head)
		return false;
	klist_each(s, head, "super_block", "s_list", "super blocks", is_frozen_one, &z);
	if (!z.found)
		return false;
	kread_string(s, z.found, "super_block", "s_id", id, sizeof(id));
	if (kread(s, z.found, "super_block", "s_type", &type) && type)
		kread_string(s, type, "file_system_type", "name", name, sizeof(name));
	finding_add_why(r->out, r->f,
			"the %s%sfile system on %s is frozen%s: somebody did that (fsfreeze, "
			"a snapshot, suspend) and has not ended it", name, *name ? " " : "",
			*id ? id : "a device that is not known",
			z.level == FROZEN_MAX ? "" : ", or is just being frozen");
	finding_evidence_shows(r->out, r->f,
			       finding_text(r->out, "struct super_block.s_id,s_writers.frozen %016" PRIx64,
					    z.found),
			       "frozen", "the super block's s_writers.frozen is %" PRIu64, z.level);
	r->f->against = "who froze it is not kept in the super block";
	r->f->blame = (struct blame){ 0 };
	r->f->who = finding_text(r->out, "whoever froze the file system on %s", *id ? id : "?");
	return true;
}

/* --- A request queue that is frozen: block/blk-mq.c, blk_freeze_queue_start(). --- */

static bool frozen_queue(struct reason *r)
{
	struct session *s = r->facts->session;
	uint64_t queue = r->node->wait.object, depth;
	char disk[64] = "";

	if (r->node->wait.kind != WAIT_FROZEN_QUEUE || !queue ||
	    !kread(s, queue, "request_queue", "mq_freeze_depth", &depth) || !depth ||
	    depth > FREEZERS_MAX)
		return false;
	(void)meaning_of(s, "request_queue", queue, disk, sizeof(disk));
	finding_add_why(r->out, r->f,
			"the request queue of %s is frozen: nothing is let into it until "
			"who froze it has changed what it was to change",
			*disk ? disk : "a disk that is not known");
	finding_evidence_shows(r->out, r->f,
			       finding_text(r->out, "struct request_queue.mq_freeze_depth %016" PRIx64,
					    queue),
			       "mq_freeze_depth", "the queue's mq_freeze_depth is %" PRIu64, depth);
	r->f->against = "who froze it is not kept in the queue";
	r->f->blame = (struct blame){ 0 };
	r->f->who = finding_text(r->out, "whoever froze the request queue of %s", *disk ? disk : "?");
	return true;
}

static bool full_queue(struct reason *r)
{
	const struct wait *wait = &r->node->wait;

	return wait->kind == WAIT_FROZEN_QUEUE &&
	       stuck_queue_tell(r->facts, wait->object, r->out, r->f);
}

/* --- A server that does not answer. --- */

static bool remote_server(struct reason *r)
{
	return remote_server_tell(r->facts, &r->node->wait, r->out, r->f);
}

static bool user_server(struct reason *r)
{
	return user_server_tell(r->facts, &r->node->wait, r->out, r->f);
}

/* --- It sleeps though what it waits for is there. --- */

/*
 * A task that was woken is off the line, but has not run yet: what it waited for is under way. It
 * is in the same function still.
 */
static bool is_woken_waiter(struct session *s, const struct task *task, enum lock_kind kind)
{
	struct stack stack = { 0 };
	struct arena arena = { 0 };
	struct task asleep = *task;
	struct wait wait;

	asleep.on_cpu = false;
	asleep.state = TASK_UNINTERRUPTIBLE;
	asleep.has_state = true;
	task_stack(s, task, &stack);
	wait_of_stack(s, &asleep, &stack, &arena, &wait);
	bool woken = wait.kind == WAIT_LOCK && wait.lock_kind == kind;
	stack_deinit(&stack);
	arena_deinit(&arena);
	return woken;
}

static bool somebody_was_woken(struct session *s, const struct wait_graph *g, size_t resource)
{
	for (size_t i = 0; i < g->node_count; i++) {
		const struct wait_node *n = &g->nodes[i];
		if (n->resource == resource && task_state_letter(n->task) == 'R')
			return true;
		if (n->wait.kind == WAIT_NOTHING && n->task->road != ROAD_IDLE &&
		    is_woken_waiter(s, n->task, g->resources[resource].lock_kind))
			return true;
	}
	return false;
}

static bool lost_wakeup(struct reason *r)
{
	const struct wait_node *n = r->node;
	const struct resource *what = n->resource == SIZE_MAX ? NULL
							      : &r->graph->resources[n->resource];

	if (!what || what->kind != WAIT_LOCK || !what->state_known || what->state.held ||
	    !n->wait.confirmed || n->waited_ns < SETTLED_NS ||
	    somebody_was_woken(r->facts->session, r->graph, n->resource))
		return false;
	bool done = what->lock_kind == LOCK_COMPLETION;
	const char *name = r->f->what && strstr(r->f->what, what->name)
				   ? finding_text(r->out, "the %s", lock_kind_name(what->lock_kind))
				   : what->name;
	finding_add_why(r->out, r->f,
			"%s is %s, yet %.*s (pid %d) is on its list of waiters and nobody "
			"was woken: a wake-up was lost, or the lock's memory was overwritten", name,
			done ? "done" : "free", (int)sizeof(n->task->comm), n->task->comm,
			n->task->pid);
	finding_evidence(r->out, r->f, "locks", "%s: %s", what->name,
			 done ? "it is done" : "nobody holds it");
	r->f->against = "who should have woken it is not known";
	r->f->blame = (struct blame){ 0 };
	return true;
}

/* --- A page that a program is to deliver: fs/userfaultfd.c, struct userfaultfd_wait_queue. --- */

static bool user_fault(struct reason *r)
{
	struct session *s = r->facts->session;
	const struct task *task = r->node->task;
	struct stack stack = { 0 };
	struct wait_entry entry;
	uint64_t address = 0;

	if (r->node->wait.kind != WAIT_QUEUE || !r->node->wait.function ||
	    strcmp(r->node->wait.function, "handle_userfault") != 0)
		return false;
	task_stack(s, task, &stack);
	if (wait_entry_find(s, task, &stack, &entry))
		kread(s, kcontainer(s, entry.entry, "userfaultfd_wait_queue", "wq"),
		      "userfaultfd_wait_queue", "msg.arg.pagefault.address", &address);
	stack_deinit(&stack);
	finding_add_why(r->out, r->f,
			"%.*s (pid %d) came upon a page of its own memory%s that a program "
			"is to deliver (userfaultfd), and that has not come", (int)sizeof(task->comm),
			task->comm, task->pid,
			address ? finding_text(r->out, ", at 0x%" PRIx64 ",", address) : "");
	const struct task *leader = task_by_pid(s, task->tgid);
	r->f->blame = (struct blame){ 0 };
	r->f->who = finding_text(r->out, "the program that serves the userfaultfd of process %d (%.*s)",
				 task->tgid, (int)sizeof(task->comm),
				 leader ? leader->comm : task->comm);
	r->f->against = "why it does not deliver the page is not known";
	return true;
}

/* --- It has what the others wait for, could go on, and does not get its CPU. --- */

enum { NO_CPU_SECONDS = 2 };

/*
 * Of those who wait for what this task has, the real-time task that the scheduler puts first; NULL:
 * none comes before @by. That is an inversion of priorities: @by, less important, keeps it waiting.
 */
static const struct task *overtaken(const struct reason *r, const struct task *by)
{
	struct session *s = r->facts->session;
	size_t self = (size_t)(r->node - r->graph->nodes);
	const struct task *best = NULL;
	struct task_sched sched;

	if (!task_sched(s, by, &sched))
		return NULL;
	int prio = sched.prio;
	for (size_t i = 0; i < r->graph->node_count; i++) {
		const struct wait_node *n = &r->graph->nodes[i];
		const struct resource *what =
			n->resource == SIZE_MAX ? NULL : &r->graph->resources[n->resource];
		if (!what || !what->owner_count || what->owners[0].node != self ||
		    !task_sched(s, n->task, &sched) || sched.prio >= prio ||
		    !starved_real_time(s, n->task, r->out))
			continue;
		best = n->task;
		prio = sched.prio;
	}
	return best;
}

static bool no_cpu(struct reason *r)
{
	struct session *s = r->facts->session;
	const struct task *task = r->node->task;
	struct starved starved;

	if (r->node->wait.kind != WAIT_NOTHING ||
	    !starved_find(s, task, run_queue_now(s), r->out, &starved) ||
	    starved.ns < NO_CPU_SECONDS * UINT64_C(1000000000))
		return false;
	finding_add_why(r->out, r->f,
			"it is on the run queue of CPU %d for %" PRIu64 " s and does not get "
			"that: %.*s (pid %d) has it%s%s", task->cpu,
			starved.ns / UINT64_C(1000000000), (int)sizeof(starved.by->comm),
			starved.by->comm, starved.by->pid,
			starved.real_time ? ", with the real-time policy " : "",
			starved.real_time ? starved.real_time : "");
	finding_evidence_shows(r->out, r->f,
			       finding_text(r->out, "struct task_struct.sched_info %016" PRIx64,
					    task->address), "last_queued",
			       "%.*s (pid %d) is on the run queue since sched_info.last_queued",
			       (int)sizeof(task->comm), task->comm, task->pid);
	const struct task *first = overtaken(r, starved.by);
	if (first)
		finding_add_why(r->out, r->f,
				"%.*s (pid %d), which waits for it, has %s and would "
				"come before %.*s: an inversion of priorities",
				(int)sizeof(first->comm), first->comm, first->pid,
				starved_real_time(s, first, r->out),
				(int)sizeof(starved.by->comm), starved.by->comm);
	r->f->against = NULL;
	starved_blame(r->facts, &starved, r->out, r->f);
	return true;
}

static bool (*const reasons[])(struct reason *r) = {
	stuck_io, frozen, frozen_queue, full_queue, remote_server, user_server, user_fault, no_cpu,
	lost_wakeup,
};

bool waiting_reason(const struct facts *facts, const struct wait_graph *graph, size_t node,
		    struct findings *out, struct finding *f)
{
	struct reason r = { .facts = facts, .graph = graph, .node = &graph->nodes[node],
			    .out = out, .f = f };

	for (size_t i = 0; i < array_size(reasons); i++) {
		if (reasons[i](&r))
			return true;
	}
	return false;
}
