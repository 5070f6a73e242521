// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The walk up a thread's stacks: from registers to frames, one caller at a time, by the first
 * method of the table that finds it.
 *
 * Invariants: a frame is recorded before its caller is looked for, so that a walk that fails still
 * shows where it was; on any one stack the stack pointer only goes up, also when the walk comes
 * back to it from another (interrupts nest), which together with the frame limit bounds a walk over
 * hostile memory. When the scan had to guess, the walk counts as incomplete even if it then reaches
 * the end; frames that the tables found after a guess stay trusted only if they reach the end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "unwind/walk.h"

static const struct {
	const char *name;
	step_fn step;
} methods[] = {
	{ "ORC", orc_step },
	{ "debug file's unwind information", cfi_step },
	{ "return address on top of the stack", retaddr_step },
	{ "exception frame of entry code", iret_step },
	{ "frame pointer", fp_step },
	{ "function's instructions", code_step },
	{ "scan", scan_step },
};

struct unwinder *unwinder_create_env(const struct unwind_env *env)
{
	struct unwinder *u = xcalloc(1, sizeof(*u));
	const char *why = "";

	u->env = *env;
	u->init_low = env->symbol(env->ctx, "_sinittext");
	u->init_high = env->symbol(env->ctx, "_einittext");
	u->has_orc = orc_init(&u->orc, &u->env, &why);
	if (u->has_orc)
		(void)snprintf(u->source, sizeof(u->source),
			       "ORC tables in the dump (%u entries, layout since Linux %s)",
			       u->orc.kernel.count, orc_format_name(u->orc.format));
	else
		(void)snprintf(u->source, sizeof(u->source), "frame pointers (%s)", why);
	return u;
}

void unwinder_set_resolver(struct unwinder *unwinder, unwind_resolve_fn resolve)
{
	unwinder->resolve = resolve;
}

void unwinder_forget_orc(struct unwinder *unwinder)
{
	unwinder->has_orc = false;
	(void)snprintf(unwinder->source, sizeof(unwinder->source),
		       "frame pointers (ORC was not to be used)");
}

void unwinder_destroy(struct unwinder *unwinder)
{
	if (!unwinder)
		return;
	unwinder_set_debuginfo(unwinder, NULL);
	free(unwinder);
}

const char *unwinder_source(const struct unwinder *unwinder)
{
	return unwinder->source;
}

/* An address that is surely on the frame's stack: sp may be just past it. */
static uint64_t address_on_stack(const struct frame *frame)
{
	return frame->retaddr_at ? frame->retaddr_at : frame->sp;
}

/* The stack that walk->now is on; in a guard page the stack above it. */
static void find_stack(struct walk_state *walk)
{
	uint64_t at = address_on_stack(&walk->now);
	uint64_t next_page = (at + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);

	if (!(walk->stack.high && at >= walk->stack.low && at < walk->stack.high) &&
	    !walk_limits(walk, at, &walk->stack) && !walk_limits(walk, next_page, &walk->stack))
		walk->stack = (struct stack_limits){ 0 };
	walk->now.stack = walk->stack.name;
}

/* Notes how far up its stack the frame is; false: it has been there or higher before. */
static bool moves_on(struct walk_state *walk, const struct frame *frame)
{
	uint64_t at = address_on_stack(frame), low = 0;
	struct stack_limits limits;

	if (walk->stack.high && at >= walk->stack.low && at < walk->stack.high)
		low = walk->stack.low;
	else if (walk_limits(walk, at, &limits))
		low = limits.low;
	for (unsigned i = 0; i < walk->seen_count; i++) {
		struct stack_seen *seen = &walk->seen[i];

		if (seen->low != low)
			continue;
		if (frame->sp == seen->reached)
			return false;
		/* What is on no known stack (low 0) may be several: it may go down, not often. */
		if (frame->sp < seen->reached && (low || walk->went_down++ == STACKS_MAX))
			return false;
		seen->reached = frame->sp;
		return true;
	}
	if (walk->seen_count == STACKS_MAX)
		return false;
	walk->seen[walk->seen_count++] = (struct stack_seen){ low, frame->sp };
	return true;
}

static void push_frame(struct stack *stack, const struct frame *frame)
{
	if (stack->count == stack->capacity) {
		stack->capacity = stack->capacity ? stack->capacity * 2 : 16;
		stack->frames = xreallocarray(stack->frames, stack->capacity,
					      sizeof(*stack->frames));
	}
	stack->frames[stack->count++] = *frame;
}

/* Tries the methods in order. The reason kept is the first method's, which knows most. */
static enum step find_caller(struct walk_state *walk, struct frame *next, char *reason,
			     size_t size)
{
	/* That there is no ORC is known already. */
	for (size_t i = !walk->unwinder->has_orc; i < array_size(methods); i++) {
		*next = (struct frame){ 0 };
		enum step step = methods[i].step(walk, next);

		if (step == STEP_CALLER && !moves_on(walk, next))
			step = walk_fail(walk, "the stack pointer would go back to 0x%llx",
					 (unsigned long long)next->sp);
		if (step != STEP_FAILED)
			return step;
		walk->now.cfa = 0;
		if (!reason[0])
			(void)snprintf(reason, size, "%s", walk->why);
	}
	return STEP_FAILED;
}

/*
 * Moves to the caller. Entry code that has saved nothing yet still has the registers of what it
 * interrupted: kept for entries that need one of them after an exception in such code.
 */
static void advance(struct walk_state *walk, const struct frame *next)
{
	bool full = regs_known(&walk->now.regs, X86_R15);

	if (next->has_regs && !regs_known(&next->regs, X86_R15) && full)
		walk->entry_regs = walk->now.regs;
	else
		walk->entry_regs = (struct regs){ 0 };
	regs_forget(&walk->entry_regs, X86_RIP);
	regs_forget(&walk->entry_regs, X86_RSP);
	walk->now = *next;
	find_stack(walk);
}

/* Frames found by tables after a guess are guesses as well, unless they led to the end. */
static void distrust(struct stack *stack)
{
	bool guessed = false;

	for (size_t i = 0; i < stack->count; i++) {
		guessed = guessed || stack->frames[i].how == FRAME_SCAN;
		if (guessed)
			stack->frames[i].how = FRAME_SCAN;
	}
}

static void finish(struct walk_state *walk, struct stack *stack, enum step step, bool guessed)
{
	if (step == STEP_END_USER) {
		stack->end = STACK_END_USER;
		stack->user_regs = walk->user_regs;
	} else if (step == STEP_END_KTHREAD) {
		stack->end = STACK_END_KTHREAD;
	} else {
		stack->end = STACK_END_INCOMPLETE;
		distrust(stack);
	}
	if (guessed)
		stack->end = STACK_END_INCOMPLETE;
	if (stack->end != STACK_END_INCOMPLETE)
		stack->reason[0] = '\0';
}

void unwind(struct unwinder *unwinder, const struct regs *start, bool in_call,
	    stack_limits_fn limits, void *ctx, struct stack *stack)
{
	const struct arch *arch = unwinder->env.arch;
	struct walk_state walk = { .unwinder = unwinder, .env = &unwinder->env,
				   .limits = limits, .limits_ctx = ctx };
	enum step step = STEP_FAILED;
	struct frame next;
	bool guessed = false;

	memset(stack, 0, sizeof(*stack));
	walk.now = (struct frame){ .how = FRAME_START, .regs = *start, .is_call = in_call,
				   .pc = start->value[arch->pc], .sp = start->value[arch->sp] };
	find_stack(&walk);
	(void)moves_on(&walk, &walk.now);
	if (regs_known(start, X86_CS) && arch->from_user(start)) {
		stack->end = STACK_END_USER;
		stack->user_regs = *start;
		return;
	}
	while (stack->count < UNWIND_FRAMES_MAX) {
		step = find_caller(&walk, &next, stack->reason, sizeof(stack->reason));
		push_frame(stack, &walk.now);
		if (step != STEP_CALLER)
			break;
		guessed = guessed || next.how == FRAME_SCAN;
		if (!guessed)
			stack->reason[0] = '\0';
		advance(&walk, &next);
	}
	if (step == STEP_CALLER) {
		stack->truncated = true;
		(void)snprintf(stack->reason, sizeof(stack->reason), "more than %d frames",
			       UNWIND_FRAMES_MAX);
	}
	finish(&walk, stack, step, guessed);
}

void stack_deinit(struct stack *stack)
{
	free(stack->frames);
	memset(stack, 0, sizeof(*stack));
}
