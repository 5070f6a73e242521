// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A lock's owner word outlives its owner: the memory of a task that has exited is soon another
 * task's. So the word is held against the code: one of the functions on the owner's stack, or one
 * that these called before, must be able to take such a lock. Where none can, whoever has that
 * task_struct now did not take it on its way to where it is.
 *
 * In doubt the word is believed: where a call goes through a pointer, code is missing, or there is
 * too much of it.
 */
#include <string.h>

#include "base/strbuf.h"
#include "code/flow.h"
#include "forensics/wait_owners.h"
#include "kernel/code_env.h"
#include "kernel/task_sched.h"
#include "kernel/task_wait.h"
#include "kernel/timekeeper.h"

enum { DEPTH_MAX = 3, FUNCTIONS_MAX = 600, CALLS_MAX = 64, NAME_MAX_LENGTH = 64 };

struct doubt {
	struct session *s;
	enum lock_kind kind;
	uint64_t lock;
	unsigned functions; /* that were looked at */
	unsigned calls;     /* of locking functions */
	bool may;           /* such a lock may have been taken */
};

static const struct lock_function *locking_at(struct session *s, uint64_t target)
{
	struct symbol symbol;
	char name[NAME_MAX_LENGTH];

	if (!symbols_by_address(s->symbols, target, &symbol))
		return NULL;
	size_t length = strcspn(symbol.name, ".");
	if (length >= sizeof(name))
		return NULL;
	memcpy(name, symbol.name, length);
	name[length] = '\0';
	return lock_function_of(name);
}

/* Entry code, and what the scheduler does to switch: no lock that is kept is taken there. */
static bool is_switch(struct session *s, uint64_t pc)
{
	static const char *const globs[] = { "__schedule", "schedule*", "__switch_to*",
					     "ret_from_fork*", "kthread", "io_schedule*",
					     "__cond_resched*", "preempt_schedule*" };
	struct symbol symbol;

	if (!symbols_by_address(s->symbols, pc, &symbol))
		return false;
	for (size_t i = 0; i < array_size(globs); i++) {
		if (glob_match(globs[i], symbol.name))
			return true;
	}
	return false;
}

/* Does the call take a lock of its own, one that has a name? */
static bool is_other_lock(struct doubt *d, const struct cfg *cfg, uint64_t call)
{
	struct flow *flow;
	const char *why;

	if (++d->calls > CALLS_MAX ||
	    !flow_create(code_env(d->s), cfg, call, NULL, &flow, &why))
		return false;
	const struct flow_node *node =
		flow_node(flow, flow_register(flow, d->s->arch->arg_regs[0]));
	bool other = node->kind == FLOW_CONSTANT && node->value != d->lock;
	flow_destroy(flow);
	return other;
}

/* Whatever the function at @pc calls, but for the call that returns to @current. */
static void look_at_function(struct doubt *d, uint64_t pc, uint64_t current, unsigned depth)
{
	const char *why;
	const struct cfg *cfg = d->may ? NULL : code_cfg(d->s, pc, &why);

	if (!cfg || cfg->incomplete || ++d->functions > FUNCTIONS_MAX) {
		d->may = true;
		return;
	}
	for (uint32_t i = 0; i < cfg->insn_count && !d->may; i++) {
		const struct cfg_insn *insn = &cfg->insns[i];
		bool call = insn->role == CFG_CALL || insn->role == CFG_TAIL;
		bool pointer = insn->role == CFG_TAIL_INDIRECT || (call && !insn->target);
		if (insn->at + insn->insn.length == current)
			continue;
		/* What is locked by a pointer is so by the one that also unlocks. */
		if (pointer && depth == 1)
			d->may = true;
		if (!call || !insn->target || is_switch(d->s, insn->target))
			continue;
		const struct lock_function *f = locking_at(d->s, insn->target);
		if (f && f->kind == d->kind && f->act != LOCK_GIVE)
			d->may = !is_other_lock(d, cfg, insn->at);
		/* Deeper functions are only followed where they are not locking ones themselves. */
		else if (!f && depth < DEPTH_MAX)
			look_at_function(d, insn->target, 0, depth + 1);
	}
}

bool owner_word_fits(struct session *s, const struct task *task, enum lock_kind kind,
		     uint64_t lock)
{
	struct doubt d = { .s = s, .kind = kind, .lock = lock };
	struct stack stack = { 0 };

	/* Others can make a task the owner: rt_mutex_init_proxy_locked(), of RCU's boosting and futexes. */
	if (kind == LOCK_RT_MUTEX)
		return true;
	task_stack(s, task, &stack);
	/* A stack that cannot be followed to its end may hide the one that took it. */
	bool whole = stack.count && stack.end != STACK_END_INCOMPLETE;
	for (size_t i = 0; whole && i < stack.count && !d.may; i++) {
		const struct frame *frame = &stack.frames[i];
		uint64_t pc = frame->is_call ? frame->pc - 1 : frame->pc;
		if (frame->how == FRAME_SCAN)
			d.may = true;
		else if (!is_switch(s, pc))
			look_at_function(&d, pc, frame->is_call ? frame->pc : 0, 1);
	}
	stack_deinit(&stack);
	return !whole || d.may;
}

/*
 * Whether the owner is too young. Who gives a mutex back wakes the first that waits (not so with a
 * rw_semaphore, where another writer was quicker); while all sleep, nobody has since the last of
 * them fell asleep, so that the owner had it then.
 *
 * A task's start is told in CLOCK_MONOTONIC, when it last ran in its run queue's clock_task. These
 * are put together in two ways, which must agree: a task cannot run before it starts, and some ran
 * but then; and both clocks stand at the end.
 */
enum { AGREE_NS = 50 * 1000 * 1000, YOUNGER_NS = 20 * 1000 * 1000 };

static bool start_of(struct session *s, const struct task *task, uint64_t *ns)
{
	struct member m;

	/* Before 3.17 it is no number. */
	return types_member(s->types, "task_struct", "start_time", &m) && m.size == sizeof(*ns) &&
	       kread(s, task->address, "task_struct", "start_time", ns) && *ns;
}

static void find_clocks(struct session *s, struct owner_clocks *clocks)
{
	struct kernel_time time;
	size_t n;
	const struct task *all = tasks(s, &n);
	uint64_t now = run_queue_now(s);
	int64_t least = INT64_MAX;

	*clocks = (struct owner_clocks){ .tried = true };
	kernel_time(s, &time);
	for (size_t i = 0; i < n && !session_stopped(s); i++) {
		uint64_t start, ran;
		if (start_of(s, &all[i], &start) &&
		    kread(s, all[i].address, "task_struct", "se.exec_start", &ran) && ran &&
		    (int64_t)(ran - start) < least)
			least = (int64_t)(ran - start);
	}
	if (!now || !time.monotonic_ns || least == INT64_MAX)
		return;
	int64_t apart = (int64_t)(now - time.monotonic_ns) - least;
	clocks->known = apart > -AGREE_NS && apart < AGREE_NS;
	/* The clocks drift apart: of both, the one by which the owner is older. */
	clocks->ahead = least + (apart < 0 ? apart : 0);
}

bool owner_word_younger(struct session *s, const struct wait_graph *graph, size_t resource,
			const struct task *owner, struct owner_clocks *clocks)
{
	uint64_t start, ran, last = 0;

	if (graph->resources[resource].lock_kind != LOCK_MUTEX || !start_of(s, owner, &start))
		return false;
	for (size_t i = 0; i < graph->node_count; i++) {
		const struct task *task = graph->nodes[i].task;
		if (graph->nodes[i].resource != resource)
			continue;
		if (!strchr("SD", task_state_letter(task)) || !task_slept_at(s, task, &ran))
			return false;
		last = ran > last ? ran : last;
	}
	if (!clocks->tried)
		find_clocks(s, clocks);
	return last && clocks->known && (int64_t)(start - last) + clocks->ahead > YOUNGER_NS;
}
