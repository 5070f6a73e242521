// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the methods of unwinding share: reading saved registers, telling return addresses from
 * other numbers.
 *
 * A return address is an address of code with a call instruction right before it. On x86 these are
 * E8 rel32 and FF /2 with any addressing mode (Intel SDM volume 2, CALL); reading backwards is
 * ambiguous, so this can say yes by accident, but it does not say no to a real one.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "unwind/walk.h"

enum {
	IRET_OFFSET = 16 * 8, /* offsetof(struct pt_regs, ip): what is above it, the CPU pushes */
	IRET_SIZE = 5 * 8,
	FRED_PADDING = 2 * 8, /* TOP_OF_KERNEL_STACK_PADDING with CONFIG_X86_FRED, 6.9 */
	CALL_MAX = 7,
	TRACERS_MAX = 4,
	FUNCTION_ALIGNMENT = 16, /* of assembly functions; CONFIG_FUNCTION_ALIGNMENT may be more */
};

enum step walk_fail(struct walk_state *walk, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(walk->why, sizeof(walk->why), fmt, args);
	va_end(args);
	return STEP_FAILED;
}

enum step walk_fail_read(struct walk_state *walk, const char *what, uint64_t vaddr,
			 enum read_status status)
{
	return walk_fail(walk, "%s at 0x%llx cannot be read: %s", what, (unsigned long long)vaddr,
			 read_status_text(status));
}

bool walk_limits(const struct walk_state *walk, uint64_t address, struct stack_limits *limits)
{
	return walk->limits && walk->limits(walk->limits_ctx, address, limits) &&
	       limits->low <= address && address < limits->high;
}

void walk_call_frame(const struct walk_state *walk, struct frame *next, enum frame_how how,
		     uint64_t pc, uint64_t at)
{
	const struct arch *arch = walk->env->arch;

	next->how = how;
	next->pc = pc;
	next->sp = at + 8;
	next->retaddr_at = at;
	next->is_call = true;
	regs_set(&next->regs, arch->pc, next->pc);
	regs_set(&next->regs, arch->sp, next->sp);
}

enum step walk_pt_regs(struct walk_state *walk, uint64_t at, bool partial, struct frame *next)
{
	const struct arch *arch = walk->env->arch;
	uint8_t raw[PT_REGS_MAX] = { 0 };
	size_t skip = partial ? IRET_OFFSET : 0;
	size_t size = partial ? IRET_SIZE : arch->pt_regs_size;
	enum read_status status = READ_UNMAPPED;
	struct regs regs;

	if (skip + size <= sizeof(raw))
		status = walk->env->read(walk->env->ctx, at + skip, raw + skip, size);
	if (status != READ_OK)
		return walk_fail_read(walk, "the saved registers", at + skip, status);
	arch->pt_regs(raw, &regs);
	if (!arch->pt_regs_sane(&regs))
		return walk_fail(walk, "what should be saved registers at 0x%llx is none",
				 (unsigned long long)at);
	if (partial)
		regs.known = UINT64_C(1) << X86_RIP | UINT64_C(1) << X86_CS |
			     UINT64_C(1) << X86_RFLAGS | UINT64_C(1) << X86_RSP |
			     UINT64_C(1) << X86_SS;
	if (arch->from_user(&regs)) {
		walk->user_regs = regs;
		return STEP_END_USER;
	}
	next->how = FRAME_EXCEPTION;
	next->regs = regs;
	next->pc = regs.value[arch->pc];
	next->sp = regs.value[arch->sp];
	next->has_regs = true;
	next->pt_regs_at = at;
	return STEP_CALLER;
}

bool walk_user_regs_on_top(struct walk_state *walk)
{
	const struct arch *arch = walk->env->arch;
	static const unsigned padding[] = { 0, FRED_PADDING };

	for (size_t i = 0; walk->stack.high && i < array_size(padding); i++) {
		struct frame ignored = { 0 };
		uint64_t at = walk->stack.high - padding[i] - arch->pt_regs_size;

		if (at >= walk->stack.low && at < walk->stack.high &&
		    walk_pt_regs(walk, at, false, &ignored) == STEP_END_USER)
			return true;
	}
	return false;
}

bool walk_is_return(const struct walk_state *walk, uint64_t pc)
{
	/* pc itself may be past the end: calls of functions that do not return come last. */
	if (!pc || env_is_code(walk->env, pc - 1))
		return pc != 0;
	/* The idle task of the first CPU was called from start_kernel(), long freed. */
	return pc > walk->unwinder->init_low && pc <= walk->unwinder->init_high;
}

/*
 * The trampolines that tracers return through (arch/x86/kernel/ftrace_64.S, rethook.c,
 * kprobes/core.c). No call returns to the start of a function, so few addresses are looked up.
 */
static bool is_trampoline(const struct walk_state *walk, uint64_t pc)
{
	static const char *const names[] = { "return_to_handler", "arch_rethook_trampoline",
					     "__kretprobe_trampoline", "kretprobe_trampoline" };
	struct symbol symbol;

	if (pc % FUNCTION_ALIGNMENT || !walk->env->function(walk->env->ctx, pc, &symbol) ||
	    symbol.address != pc)
		return false;
	for (size_t i = 0; i < array_size(names); i++) {
		if (strcmp(symbol.name, names[i]) == 0)
			return true;
	}
	return false;
}

enum step walk_read_return(struct walk_state *walk, uint64_t at, uint64_t *pc)
{
	enum read_status status = env_u64(walk->env, at, pc);
	unsigned replaced = 0;

	if (status != READ_OK)
		return walk_fail_read(walk, "the return address", at, status);
	/* Several tracers may follow one function. */
	for (; replaced < TRACERS_MAX && is_trampoline(walk, *pc); replaced++) {
		if (!walk->unwinder->resolve ||
		    !walk->unwinder->resolve(walk->limits_ctx, at, pc))
			return walk_fail(walk,
					 "the return address at 0x%llx was replaced by a tracer",
					 (unsigned long long)at);
	}
	if (replaced == TRACERS_MAX || !walk_is_return(walk, *pc))
		return walk_fail(walk,
				 "the word at 0x%llx should be a return address, but is 0x%llx",
				 (unsigned long long)at, (unsigned long long)*pc);
	return STEP_CALLER;
}

bool x86_ends_with_call(const uint8_t *code, size_t size)
{
	if (size >= 5 && code[size - 5] == 0xe8)
		return true;
	for (size_t length = 2; length <= CALL_MAX && length <= size; length++) {
		const uint8_t *insn = code + size - length;
		unsigned mod = insn[1] >> 6, rm = insn[1] & 7;
		size_t want = 2;

		if (insn[0] != 0xff || (insn[1] >> 3 & 7) != 2)
			continue;
		if (mod != 3 && rm == 4) { /* SIB byte; base 5 without mod means disp32 */
			want++;
			if (mod == 0 && length > 2 && (insn[2] & 7) == 5)
				want += 4;
		}
		if (mod == 1)
			want += 1;
		else if (mod == 2 || (mod == 0 && rm == 5))
			want += 4;
		if (want == length)
			return true;
	}
	return false;
}

bool walk_after_call(const struct walk_state *walk, uint64_t pc)
{
	uint8_t code[CALL_MAX];

	return pc >= sizeof(code) &&
	       walk->env->read(walk->env->ctx, pc - sizeof(code), code, sizeof(code)) == READ_OK &&
	       x86_ends_with_call(code, sizeof(code));
}

bool walk_is_retpoline(const struct walk_state *walk, uint64_t pc)
{
	static const char name[] = "__x86_indirect_thunk_";
	struct symbol symbol;

	return walk->env->function(walk->env->ctx, pc, &symbol) &&
	       strncmp(symbol.name, name, sizeof(name) - 1) == 0;
}
