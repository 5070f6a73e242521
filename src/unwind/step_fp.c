// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Steps up the stack without tables: by the chain of frame pointers, and out of a call to nowhere.
 *
 * The chain: a function compiled with frame pointers pushes rbp and points it there, so that the
 * word at rbp is the caller's rbp and the one above it the return address. Kernels with
 * CONFIG_UNWINDER_FRAME_POINTER keep it everywhere; others only in generated code (BPF). Entry
 * code of such kernels puts the address of the saved registers, plus one, into rbp
 * (ENCODE_FRAME_POINTER, arch/x86/include/asm/frame.h). A return address found this way counts only
 * if a call stands before it, as in other kernels rbp is just a register.
 *
 * A call to nowhere: after calling or jumping through a bad pointer pc is no code at all, and the
 * return address of the call is still on top of the stack.
 */
#include "base/strbuf.h"
#include "unwind/walk.h"

enum {
	FRAME_SPAN_MAX = 32768, /* the largest kernel stack, with KASAN */
	PUSH_RBP = 0x55,
	RET = 0xc3,
};

enum step retaddr_step(struct walk_state *walk, struct frame *next)
{
	const struct frame *now = &walk->now;
	uint64_t pc;

	if (now->is_call || env_is_code(walk->env, now->pc))
		return walk_fail(walk, "0x%llx is code", (unsigned long long)now->pc);
	if (walk_read_return(walk, now->sp, &pc) != STEP_CALLER || !walk_after_call(walk, pc))
		return walk_fail(walk,
				 "0x%llx is no code, and no return address is on top of the stack",
				 (unsigned long long)now->pc);
	walk_call_frame(walk, next, FRAME_RETADDR, pc, now->sp);
	if (regs_known(&now->regs, walk->env->arch->fp))
		regs_set(&next->regs, walk->env->arch->fp, now->regs.value[walk->env->arch->fp]);
	walk->now.cfa = next->sp;
	return STEP_CALLER;
}

/* Interrupted at "mov %rsp, %rbp": the caller's rbp is on top of the stack. */
static bool at_mov_rsp_rbp(const uint8_t *code)
{
	return (code[0] == 0x48 && code[1] == 0x89 && code[2] == 0xe5) ||
	       (code[0] == 0x48 && code[1] == 0x8b && code[2] == 0xec);
}

/*
 * Where the return address is while rbp is still, or again, the caller's: before the function has
 * set up its frame, and at its return. False: the frame is set up.
 */
static bool frameless(const struct walk_state *walk, uint64_t *retaddr_at)
{
	const struct frame *now = &walk->now;
	struct symbol symbol;
	uint8_t code[3];

	if (now->is_call ||
	    walk->env->read(walk->env->ctx, now->pc, code, sizeof(code)) != READ_OK)
		return false;
	bool at_start = walk->env->function(walk->env->ctx, now->pc, &symbol) &&
			symbol.address == now->pc;
	if (at_start || code[0] == PUSH_RBP || code[0] == RET)
		*retaddr_at = now->sp;
	else if (at_mov_rsp_rbp(code))
		*retaddr_at = now->sp + 8;
	else
		return false;
	return true;
}

static enum step frameless_step(struct walk_state *walk, uint64_t retaddr_at, struct frame *next)
{
	unsigned fp = walk->env->arch->fp;
	uint64_t pc;

	if (walk_read_return(walk, retaddr_at, &pc) != STEP_CALLER || !walk_after_call(walk, pc))
		return STEP_FAILED;
	walk_call_frame(walk, next, FRAME_FP, pc, retaddr_at);
	if (regs_known(&walk->now.regs, fp))
		regs_set(&next->regs, fp, walk->now.regs.value[fp]);
	walk->now.cfa = next->sp;
	return STEP_CALLER;
}

/* Is @fp on the same stack above the stack pointer, or on another stack that is known? */
static bool plausible(const struct walk_state *walk, uint64_t fp)
{
	struct stack_limits limits;

	if (fp % 8 || !walk->env->arch->is_kernel_address(fp))
		return false;
	if (walk->stack.high && fp >= walk->stack.low && fp < walk->stack.high)
		return fp >= walk->now.sp;
	if (walk->limits)
		return walk_limits(walk, fp, &limits);
	return fp >= walk->now.sp && fp - walk->now.sp < FRAME_SPAN_MAX;
}

/* Is the frame's pc in the code that exceptions and system calls enter by? */
static bool in_entry_text(const struct walk_state *walk)
{
	const struct unwind_env *env = walk->env;
	uint64_t low = env->symbol(env->ctx, "__entry_text_start");
	uint64_t high = env->symbol(env->ctx, "__entry_text_end");

	return low && walk->now.pc > low && walk->now.pc <= high;
}

/*
 * In a kernel without ORC. The registers that entry code has saved are right above the return
 * addresses of its calls: where user mode was entered from, the stack ends there. It also ends in a
 * thread's first function.
 */
static enum step entry_step(struct walk_state *walk, struct frame *next)
{
	static const char *const first[] = { "ret_from_fork", "secondary_startup_64",
					     "start_cpu", "x86_64_start_kernel",
					     "common_startup_64" };
	struct symbol symbol;
	enum step step;

	if (walk->now.is_call) {
		step = walk_pt_regs(walk, walk->now.sp, false, next);
		if (step == STEP_END_USER || (step == STEP_CALLER && in_entry_text(walk)))
			return step;
		*next = (struct frame){ 0 };
	}
	if (!walk->env->function(walk->env->ctx, walk->now.pc - walk->now.is_call, &symbol))
		return STEP_FAILED;
	/* Interrupted in one it may be anywhere, but at its start nothing is on the stack yet. */
	if (!walk->now.is_call && symbol.address != walk->now.pc)
		return STEP_FAILED;
	for (size_t i = 0; i < array_size(first); i++) {
		if (starts_with(symbol.name, first[i]))
			return walk_user_regs_on_top(walk) ? STEP_END_USER : STEP_END_KTHREAD;
	}
	return STEP_FAILED;
}

enum step fp_step(struct walk_state *walk, struct frame *next)
{
	unsigned reg = walk->env->arch->fp;
	uint64_t fp, caller_fp, pc, at;
	enum step step;

	if (walk->unwinder->has_orc && walk->env->is_text(walk->env->ctx, walk->now.pc))
		return walk_fail(walk, "the kernel is compiled without frame pointers");
	if (!walk->unwinder->has_orc && (step = entry_step(walk, next)) != STEP_FAILED)
		return step;
	if (!walk->unwinder->has_orc && frameless(walk, &at) &&
	    frameless_step(walk, at, next) == STEP_CALLER)
		return STEP_CALLER;
	if (!regs_known(&walk->now.regs, reg))
		return walk_fail(walk, "the frame pointer is not known");
	fp = walk->now.regs.value[reg];
	if (fp & 1)
		return walk_pt_regs(walk, fp & ~UINT64_C(1), false, next);
	if (!plausible(walk, fp) || env_u64(walk->env, fp, &caller_fp) != READ_OK)
		return walk_fail(walk, "the frame pointer 0x%llx leads nowhere",
				 (unsigned long long)fp);
	if (walk_read_return(walk, fp + 8, &pc) != STEP_CALLER || !walk_after_call(walk, pc))
		return walk_fail(walk, "there is no return address above the frame pointer 0x%llx",
				 (unsigned long long)fp);
	walk_call_frame(walk, next, FRAME_FP, pc, fp + 8);
	regs_set(&next->regs, reg, caller_fp);
	walk->now.cfa = next->sp;
	return STEP_CALLER;
}
