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
#include "forensics/wait_owners.h"
#include "kernel/code_env.h"

enum { DEPTH_MAX = 3, FUNCTIONS_MAX = 600, NAME_MAX_LENGTH = 64 };

struct doubt {
	struct session *s;
	enum lock_kind kind;
	unsigned functions; /* that were looked at */
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
			d->may = true;
		/* Deeper functions are only followed where they are not locking ones themselves. */
		else if (!f && depth < DEPTH_MAX)
			look_at_function(d, insn->target, 0, depth + 1);
	}
}

bool owner_word_fits(struct session *s, const struct task *task, enum lock_kind kind)
{
	struct doubt d = { .s = s, .kind = kind };
	struct stack stack = { 0 };

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
