// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where a task that is not running went to sleep: struct inactive_task_frame at its saved stack
 * pointer (arch/x86/include/asm/switch_to.h, __switch_to_asm), which is, going up, r15, r14, r13,
 * r12, rbx, rbp, return address, since 4.9. Kernels of about 5.2 to 5.3 saved the flags below them.
 * Before 4.9 only flags and rbp are there, and the task resumes at a label inside __schedule whose
 * address is nowhere; the frame pointer leads to its caller.
 */
#include "base/bytes.h"
#include "unwind/walk.h"

enum { WORDS = 8 };

/* @skip words are below r15. */
static void inactive_frame(const uint64_t *words, size_t skip, uint64_t saved_sp,
			   struct regs *regs)
{
	static const uint8_t order[] = { X86_R15, X86_R14, X86_R13, X86_R12,
					 X86_RBX, X86_RBP, X86_RIP };

	for (size_t i = 0; i < array_size(order); i++)
		regs_set(regs, order[i], words[skip + i]);
	regs_set(regs, X86_RSP, saved_sp + (skip + array_size(order)) * 8);
}

bool unwind_inactive_regs(struct unwinder *unwinder, uint64_t saved_sp, struct regs *regs,
			  bool *in_call)
{
	const struct unwind_env *env = &unwinder->env;
	struct walk_state walk = { .unwinder = unwinder, .env = env };
	uint64_t words[WORDS] = { 0 };

	*regs = (struct regs){ 0 };
	*in_call = true;
	/* A task that was just made has its frame at the very top: the eighth word may be none. */
	if (env->read(env->ctx, saved_sp, words, sizeof(words)) != READ_OK &&
	    env->read(env->ctx, saved_sp, words, sizeof(words) - 8) != READ_OK)
		return false;
	for (size_t skip = 0; skip < 2; skip++) {
		if (walk_is_return(&walk, words[skip + 6])) {
			struct symbol symbol;
			inactive_frame(words, skip, saved_sp, regs);
			/* A task that was just made goes to the start of ret_from_fork, by no call. */
			*in_call = !env->function(env->ctx, words[skip + 6], &symbol) ||
				   symbol.address != words[skip + 6];
			return true;
		}
	}
	*in_call = false;
	regs_set(regs, X86_RIP, env->symbol(env->ctx, "__schedule"));
	regs_set(regs, X86_RBP, words[1]);
	regs_set(regs, X86_RSP, saved_sp);
	return regs->value[X86_RIP] != 0;
}
