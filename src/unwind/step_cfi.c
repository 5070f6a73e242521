// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One step up the stack by the call frame information of debug files, which unlike ORC also says
 * where a function has saved the registers that it must preserve.
 *
 * Where the kernel has ORC, ORC leads the walk, and CFI only adds registers to the frames found
 * (unwind_registers()): where the two disagree, ORC is right, as objtool made it from the machine
 * code that runs, and nothing is added.
 *
 * Inline assembly that switches to the interrupt stack (call_on_stack(), arch/x86/include/asm/
 * irq_stack.h, since 5.12) is unknown to CFI. It leaves the old stack pointer in the top word of
 * the new stack, right above the return address of its call, so that a frame whose stack pointer is
 * there continues on the old stack.
 */
#include <stdio.h>

#include "unwind/code_regs.h"
#include "unwind/expr.h"
#include "unwind/walk.h"

/* A frame, as CFI's expressions see it. */
struct cfi_frame {
	const struct unwind_env *env;
	const struct regs *regs;
	uint64_t sp; /* in place of the one in regs */
};

static bool frame_reg(void *ctx, unsigned reg, uint64_t *value)
{
	const struct cfi_frame *f = ctx;

	if (reg == f->env->arch->sp)
		*value = f->sp;
	else if (reg < f->env->arch->pc && regs_known(f->regs, reg))
		*value = f->regs->value[reg];
	else
		return false;
	return true;
}

static enum read_status frame_read(void *ctx, uint64_t address, void *buf, size_t size)
{
	const struct cfi_frame *f = ctx;

	return f->env->read(f->env->ctx, address, buf, size);
}

static bool run_expression(struct cfi_frame *f, const struct cfi_rule *rule, const uint64_t *cfa,
			   uint64_t *value)
{
	struct dwarf_expr_env env = {
		.ctx = f, .offset_size = 4, .reg = frame_reg, .read = frame_read
	};
	struct expr_trouble trouble;

	return expr_value(&env, rule->expr, rule->expr_size, cfa, value, &trouble);
}

static bool find_cfa(struct cfi_frame *f, const struct cfi_row *row, uint64_t *cfa)
{
	if (row->cfa.how == CFI_VAL_EXPRESSION)
		return run_expression(f, &row->cfa, NULL, cfa);
	if (!frame_reg(f, row->cfa.reg, cfa))
		return false;
	*cfa += (uint64_t)row->cfa.offset;
	return true;
}

/* The value of a register in the caller; false when it is lost. */
static bool restore(struct cfi_frame *f, const struct cfi_row *row, uint64_t cfa, unsigned reg,
		    uint64_t *value)
{
	const struct cfi_rule *rule = &row->reg[reg];
	uint64_t at;

	switch (rule->how) {
	case CFI_UNSPECIFIED:
		if (!(f->env->arch->preserved >> reg & 1))
			return false;
		return frame_reg(f, reg, value);
	case CFI_SAME:
		return frame_reg(f, reg, value);
	case CFI_OFFSET:
		at = cfa + (uint64_t)rule->offset;
		return env_u64(f->env, at, value) == READ_OK;
	case CFI_VAL_OFFSET:
		*value = cfa + (uint64_t)rule->offset;
		return true;
	case CFI_REGISTER:
		return frame_reg(f, rule->reg, value);
	case CFI_EXPRESSION:
		return run_expression(f, rule, &cfa, &at) && env_u64(f->env, at, value) == READ_OK;
	case CFI_VAL_EXPRESSION:
		return run_expression(f, rule, &cfa, value);
	default:
		return false;
	}
}

static void restore_all(struct cfi_frame *f, const struct cfi_row *row, uint64_t cfa,
			struct regs *regs)
{
	const struct arch *arch = f->env->arch;
	uint64_t value;

	for (unsigned reg = 0; reg < arch->pc && reg < CFI_REGS; reg++) {
		if (reg != arch->sp && !regs_known(regs, reg) && restore(f, row, cfa, reg, &value))
			regs_set(regs, reg, value);
	}
}

/* Where the return address is; 0 when it is in no memory. */
static uint64_t return_at(const struct cfi_row *row, uint64_t cfa)
{
	const struct cfi_rule *rule = &row->reg[row->ra];

	return rule->how == CFI_OFFSET ? cfa + (uint64_t)rule->offset : 0;
}

static bool find_row(const struct unwind_env *env, const struct frame *frame, struct cfi_row *row)
{
	return env->cfi && env->cfi(env->ctx, frame->pc - frame->is_call, row);
}

/* See above: the stack pointer before inline assembly switched stacks. */
static uint64_t before_switch(const struct walk_state *walk)
{
	const struct frame *now = &walk->now;
	struct stack_limits other;
	uint64_t sp;

	if (!now->is_call || !walk->stack.high || now->sp + 8 != walk->stack.high ||
	    env_u64(walk->env, now->sp, &sp) != READ_OK || !walk_limits(walk, sp, &other) ||
	    other.low == walk->stack.low)
		return now->sp;
	return sp;
}

enum step cfi_step(struct walk_state *walk, struct frame *next)
{
	const struct frame *now = &walk->now;
	struct cfi_frame f = { walk->env, &now->regs, before_switch(walk) };
	struct cfi_row row;
	uint64_t cfa, pc;

	if (!find_row(walk->env, now, &row))
		return walk_fail(walk, "no debug file has unwind information for 0x%llx",
				 (unsigned long long)now->pc);
	if (!find_cfa(&f, &row, &cfa))
		return walk_fail(walk, "the stack pointer at 0x%llx depends on what is lost",
				 (unsigned long long)now->pc);
	uint64_t at = return_at(&row, cfa);
	if (!at)
		return walk_fail(walk, "the return address at 0x%llx is in no memory",
				 (unsigned long long)now->pc);
	if (walk_read_return(walk, at, &pc) != STEP_CALLER)
		return STEP_FAILED;
	walk_call_frame(walk, next, FRAME_CFI, pc, at);
	next->sp = cfa;
	regs_set(&next->regs, walk->env->arch->sp, cfa);
	next->is_call = !row.signal;
	restore_all(&f, &row, cfa, &next->regs);
	walk->now.cfa = cfa;
	return STEP_CALLER;
}

/* --- Registers for frames that other methods have found. --- */

static bool found_by_call(const struct frame *frame)
{
	return frame->is_call && frame->retaddr_at && !frame->has_regs &&
	       (frame->how == FRAME_ORC || frame->how == FRAME_FP || frame->how == FRAME_CODE ||
		frame->how == FRAME_CFI);
}

static void disagree(struct unwind_check *check, const struct unwind_env *env,
		     const struct frame *frame, const char *what, uint64_t theirs, uint64_t ours)
{
	struct symbol symbol = { .name = "code" };

	if (check->disagreements++)
		return;
	(void)env->function(env->ctx, frame->pc - frame->is_call, &symbol);
	(void)snprintf(check->first, sizeof(check->first),
		       "at 0x%llx in %.60s the debug file's unwind information has the caller's %s "
		       "0x%llx, the walk 0x%llx",
		       (unsigned long long)frame->pc, symbol.name, what, (unsigned long long)theirs,
		       (unsigned long long)ours);
}

uint64_t unwind_code_sp(const struct unwinder *unwinder, const struct stack *stack, size_t index)
{
	const struct frame *frame = &stack->frames[index], *caller = frame + 1;
	uint64_t sp;

	if (index + 1 < stack->count && frame->is_call && frame->stack && caller->stack &&
	    frame->stack != caller->stack && caller->retaddr_at &&
	    env_u64(&unwinder->env, frame->sp, &sp) == READ_OK && caller->retaddr_at > sp &&
	    caller->retaddr_at - sp < PAGE_SIZE)
		return sp;
	return frame->sp;
}

static void add_registers(const struct unwind_env *env, const struct frame *frame, uint64_t code_sp,
			  struct frame *caller, struct unwind_check *check)
{
	struct cfi_frame f = { env, &frame->regs, code_sp };
	unsigned fp = env->arch->fp;
	struct cfi_row row;
	uint64_t cfa, value;

	if (!find_row(env, frame, &row) || !find_cfa(&f, &row, &cfa)) {
		code_registers(env, frame, caller);
		return;
	}
	check->checked++;
	if (cfa != caller->sp || return_at(&row, cfa) != caller->retaddr_at) {
		disagree(check, env, frame, "stack pointer", cfa, caller->sp);
		return;
	}
	if (restore(&f, &row, cfa, fp, &value) && regs_known(&caller->regs, fp) &&
	    value != caller->regs.value[fp]) {
		disagree(check, env, frame, "frame pointer", value, caller->regs.value[fp]);
		return;
	}
	restore_all(&f, &row, cfa, &caller->regs);
}

uint64_t unwind_saved_at(struct unwinder *unwinder, const struct stack *stack, size_t index,
			 uint64_t at[ARCH_REGS_MAX])
{
	const struct unwind_env *env = &unwinder->env;
	const struct frame *frame = &stack->frames[index], *caller = frame + 1;
	struct cfi_frame f = { env, &frame->regs, frame->sp };
	struct cfi_row row;
	uint64_t cfa, mask = 0;

	if (index + 1 >= stack->count || !found_by_call(caller))
		return 0;
	f.sp = unwind_code_sp(unwinder, stack, index);
	if (!find_row(env, frame, &row) || !find_cfa(&f, &row, &cfa))
		return code_saved_at(env, frame, caller, at);
	if (cfa != caller->sp || return_at(&row, cfa) != caller->retaddr_at)
		return 0;
	for (unsigned reg = 0; reg < env->arch->pc && reg < CFI_REGS; reg++) {
		if (row.reg[reg].how != CFI_OFFSET || reg == env->arch->sp)
			continue;
		mask |= UINT64_C(1) << reg;
		at[reg] = cfa + (uint64_t)row.reg[reg].offset;
	}
	return mask;
}

void unwind_registers(struct unwinder *unwinder, struct stack *stack, struct unwind_check *check)
{
	struct unwind_check ignored;

	if (!check)
		check = &ignored;
	*check = (struct unwind_check){ 0 };
	for (size_t i = 0; i + 1 < stack->count; i++) {
		struct frame *caller = &stack->frames[i + 1];
		if (found_by_call(caller))
			add_registers(&unwinder->env, &stack->frames[i],
				      unwind_code_sp(unwinder, stack, i), caller, check);
	}
}
