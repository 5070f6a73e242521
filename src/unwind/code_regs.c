// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Registers that a function preserves, by its machine code, where no debug file says where they
 * are.
 *
 * Compilers save such registers by pushes at the very start, which an unbroken run of instructions
 * from the entry tells with the depth of each; the walk knows where the return address is. A
 * register that no instruction of the function writes still is the caller's. Whatever else happens
 * to a register makes it unknown.
 *
 * Only for frames that have made a call: by then the start is over, and the end has not begun.
 */
#include <string.h>

#include "base/bytes.h"
#include "code/code.h"
#include "unwind/code_regs.h"

enum { FUNCTION_MAX = 1 << 15, CHUNK = 512 };

struct saves {
	const struct unwind_env *env;
	uint64_t start, pc;
	uint64_t depth; /* below the return address */
	bool in_prologue;
	uint64_t written; /* bit n: register n is written somewhere */
	uint64_t pushed;  /* bit n: at_depth[n] is where register n was saved */
	uint64_t at_depth[X86_R15 + 1];
};

/* push r64: 50+r with an optional REX.B; -1: none. */
static int pushed_register(const uint8_t *code, size_t length)
{
	static const uint8_t order[16] = { X86_RAX, X86_RCX, X86_RDX, X86_RBX, X86_RSP, X86_RBP,
					   X86_RSI, X86_RDI, X86_R8,  X86_R9,  X86_R10, X86_R11,
					   X86_R12, X86_R13, X86_R14, X86_R15 };

	if (length == 1 && (code[0] & 0xf8) == 0x50)
		return order[code[0] & 7];
	if (length == 2 && code[0] == 0x41 && (code[1] & 0xf8) == 0x50)
		return order[8 + (code[1] & 7)];
	return -1;
}

static void note(struct saves *s, const uint8_t *code, uint64_t at, const struct insn *insn)
{
	int reg = pushed_register(code, insn->length);
	bool tracer = env_calls_tracer(s->env, s->start, at, insn);

	if (s->in_prologue && at < s->pc) {
		if (reg >= 0) {
			s->depth += 8;
			if (!(s->written >> reg & 1) && !(s->pushed >> reg & 1)) {
				s->pushed |= UINT64_C(1) << reg;
				s->at_depth[reg] = s->depth;
			}
		} else if (insn->writes >> X86_RSP & 1 && !tracer) {
			/* Room for locals: no more pushes that we could place. */
			s->in_prologue = false;
		}
		if ((insn->kind == INSN_CALL && !tracer) || insn->kind == INSN_JUMP ||
		    insn->kind == INSN_RETURN)
			s->in_prologue = false;
	}
	s->written |= insn->writes;
}

static bool read_function(struct saves *s, uint64_t end)
{
	uint8_t code[CHUNK];
	uint64_t at = s->start;

	while (at < end) {
		size_t have = (size_t)min_u64(sizeof(code), end - at), used = 0;

		if (s->env->read(s->env->ctx, at, code, have) != READ_OK)
			return false;
		/* Instructions at the end of a chunk may be cut: decoded with the next one. */
		while (used < have && (have < sizeof(code) || used + CODE_INSN_MAX <= have)) {
			struct insn insn;
			/* Behind the last instruction there may be anything up to the next symbol.
			 */
			if (!code_decode(code + used, have - used, at + used, &insn) ||
			    !insn.length)
				return false;
			note(s, code + used, at + used, &insn);
			used += insn.length;
		}
		at += used;
	}
	return true;
}

/* Reads the function of @frame; false where nothing can be said by its code. */
static bool analyse(const struct unwind_env *env, const struct frame *frame,
		    const struct frame *caller, struct saves *s)
{
	struct symbol symbol;
	uint64_t cfa = caller->sp;

	*s = (struct saves){ .env = env, .pc = frame->pc, .in_prologue = true };

	/* Parts of functions that were moved away begin in the middle. */
	if (!frame->is_call || caller->retaddr_at + 8 != cfa ||
	    !env->is_text(env->ctx, frame->pc - 1) ||
	    !env->function(env->ctx, frame->pc - 1, &symbol) || strstr(symbol.name, ".cold") ||
	    !symbol.size || symbol.size > FUNCTION_MAX || frame->pc - symbol.address > symbol.size)
		return false;
	s->start = symbol.address;
	return read_function(s, symbol.address + symbol.size);
}

/* Has the function got as far as to push this register? */
static bool is_pushed(const struct saves *s, const struct frame *frame, const struct frame *caller,
		      unsigned reg)
{
	return s->pushed >> reg & 1 && caller->sp - frame->sp >= s->at_depth[reg] + 8;
}

uint64_t code_saved_at(const struct unwind_env *env, const struct frame *frame,
		       const struct frame *caller, uint64_t at[ARCH_REGS_MAX])
{
	struct saves s;
	uint64_t mask = 0;

	if (!analyse(env, frame, caller, &s))
		return 0;
	for (unsigned reg = 0; reg <= X86_R15; reg++) {
		if (!(env->arch->preserved >> reg & 1) || reg == env->arch->sp ||
		    !(s.written >> reg & 1) || !is_pushed(&s, frame, caller, reg))
			continue;
		mask |= UINT64_C(1) << reg;
		at[reg] = caller->sp - 8 - s.at_depth[reg];
	}
	return mask;
}

void code_registers(const struct unwind_env *env, const struct frame *frame, struct frame *caller)
{
	struct saves s;
	uint64_t cfa = caller->sp;

	if (!analyse(env, frame, caller, &s))
		return;
	for (unsigned reg = 0; reg <= X86_R15; reg++) {
		uint64_t value;
		if (!(env->arch->preserved >> reg & 1) || reg == env->arch->sp ||
		    regs_known(&caller->regs, reg))
			continue;
		if (!(s.written >> reg & 1)) {
			if (regs_known(&frame->regs, reg))
				regs_set(&caller->regs, reg, frame->regs.value[reg]);
		} else if (is_pushed(&s, frame, caller, reg) &&
			   env_u64(env, cfa - 8 - s.at_depth[reg], &value) == READ_OK) {
			regs_set(&caller->regs, reg, value);
		}
	}
}
