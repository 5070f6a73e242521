// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the machine code tells where the debug file is silent: that a register still had at a call
 * what it had on entry of the function, so that what the caller passed went on to the callee.
 *
 * That holds if nothing from the function's entry up to the call writes to it, in order of address
 * and whatever the branches, and if no jump leads back there from behind the call or from the
 * function's other parts. (A path that went through the call before would come with a register that
 * the call had lost, so that the compiler would have set it again on the way.)
 */
#include <dwarf.h>

#include "code/code.h"
#include "unwind/var_frame.h"

enum { CODE_MAX = 1 << 16, CHUNK = 512, RANGES_MAX = 16 };

/* Calls @fn for each instruction of [@start, @end); false when one is not known or @fn says so. */
typedef bool (*insn_fn)(void *ctx, uint64_t at, const struct insn *insn);

static bool each_insn(const struct unwind_env *env, uint64_t start, uint64_t end, insn_fn fn,
		      void *ctx)
{
	uint8_t code[CHUNK];
	uint64_t at = start;

	if (end < start || end - start > CODE_MAX)
		return false;
	while (at < end) {
		size_t have = (size_t)min_u64(sizeof(code), end - at), used = 0;

		if (env->read(env->ctx, at, code, have) != READ_OK)
			return false;
		/* Instructions at the end of a chunk may be cut: decoded with the next one. */
		while (used < have && (have < sizeof(code) || used + CODE_INSN_MAX <= have)) {
			struct insn insn;
			if (!code_decode(code + used, have - used, at + used, &insn) ||
			    !insn.length || !fn(ctx, at + used, &insn))
				return false;
			used += insn.length;
		}
		at += used;
	}
	return at == end;
}

struct prefix {
	const struct unwind_env *env;
	uint64_t entry, call;
	unsigned reg;
};

static bool leaves_alone(void *ctx, uint64_t at, const struct insn *insn)
{
	const struct prefix *p = ctx;

	/* The tracer's call at the very start preserves all registers. */
	if (insn->kind == INSN_CALL)
		return env_calls_tracer(p->env, p->entry, at, insn);
	return !(insn->writes >> p->reg & 1);
}

static bool does_not_return(void *ctx, uint64_t at unused_arg, const struct insn *insn)
{
	const struct prefix *p = ctx;

	return insn->kind != INSN_JUMP || insn->target <= p->entry || insn->target > p->call;
}

bool var_untouched(struct var_frame *f, uint64_t entry, uint64_t call, uint64_t behind,
		   unsigned reg)
{
	const struct unwind_env *env = &f->query->unwinder->env;
	struct prefix p = { .env = env, .entry = entry, .call = call, .reg = reg };
	Dwarf_Addr base, start, end;
	ptrdiff_t next = 0;
	bool found = false;

	if (!entry || call < entry || !each_insn(env, entry, call, leaves_alone, &p))
		return false;
	for (unsigned i = 0;
	     i < RANGES_MAX && (next = dwarf_ranges(&f->function, next, &base, &start, &end)) > 0;
	     i++) {
		uint64_t low = start + f->bias, high = end + f->bias;
		if (call >= low && call < high && entry >= low) {
			found = true;
			low = behind;
		}
		if (!each_insn(env, low, high, does_not_return, &p))
			return false;
	}
	return found && next == 0;
}

struct handover {
	const struct unwind_env *env;
	uint64_t entry, target;
	uint64_t arguments; /* registers that must stay, bits */
	bool jumps;
};

static bool hands_over(void *ctx, uint64_t at, const struct insn *insn)
{
	struct handover *h = ctx;

	if (insn->kind == INSN_CALL)
		return env_calls_tracer(h->env, h->entry, at, insn);
	if (insn->kind == INSN_JUMP && insn->target == h->target)
		h->jumps = true;
	return !(insn->writes & h->arguments);
}

bool var_hands_over(struct var_frame *f, uint64_t entry, uint64_t target)
{
	const struct unwind_env *env = &f->query->unwinder->env;
	struct handover h = {
		.env = env,
		.entry = entry,
		.target = target,
		/* System V ABI for x86-64, 3.2.3: integer arguments */
		.arguments = 1u << X86_RDI | 1u << X86_RSI | 1u << X86_RDX | 1u << X86_RCX |
			     1u << X86_R8 | 1u << X86_R9,
	};
	Dwarf_Addr base, start, end;
	ptrdiff_t next = 0;

	for (unsigned i = 0;
	     i < RANGES_MAX && (next = dwarf_ranges(&f->function, next, &base, &start, &end)) > 0;
	     i++) {
		if (!each_insn(env, start + f->bias, end + f->bias, hands_over, &h))
			return false;
	}
	return next == 0 && h.jumps;
}

struct jump_out {
	const struct unwind_env *env;
	uint64_t entry, target;
	unsigned reg;
	uint64_t written; /* registers so far, bits */
	struct var_load load;
	bool known, arrived;
};

/* mov r32/r64, r/m: [REX] 8b /r (Intel SDM volume 2), relative to a register as it was on entry */
static bool is_load(const struct jump_out *j, uint64_t at, const struct insn *insn)
{
	const struct insn_memory *m = &insn->memory;
	uint8_t code[2];

	if (j->env->read(j->env->ctx, at, code, sizeof(code)) != READ_OK)
		return false;
	return (code[0] == 0x8b || ((code[0] & 0xf0) == 0x40 && code[1] == 0x8b)) &&
	       insn->writes == UINT64_C(1) << j->reg && m->present && m->read && !m->absolute &&
	       !m->per_cpu && m->index < 0 && m->base >= 0 && m->base < 16 && m->base != X86_RSP &&
	       !(j->written >> m->base & 1) && (m->size == 4 || m->size == 8);
}

static bool until_jump(void *ctx, uint64_t at, const struct insn *insn)
{
	struct jump_out *j = ctx;
	uint8_t first;

	switch (insn->kind) {
	case INSN_CALL:
		return env_calls_tracer(j->env, j->entry, at, insn);
	case INSN_JUMP: /* jmp rel8, rel32 */
		j->arrived = insn->target == j->target && !insn->indirect &&
			     j->env->read(j->env->ctx, at, &first, 1) == READ_OK &&
			     (first == 0xe9 || first == 0xeb);
		return false;
	case INSN_OTHER:
		break;
	default:
		return false;
	}
	if (insn->writes >> j->reg & 1) {
		j->known = is_load(j, at, insn);
		j->load = (struct var_load){ .base = (unsigned)insn->memory.base,
					     .displacement = insn->memory.displacement,
					     .size = insn->memory.size };
	}
	j->written |= insn->writes;
	return true;
}

bool var_at_jump(struct var_frame *f, uint64_t entry, uint64_t target, unsigned reg,
		 struct var_load *load)
{
	struct jump_out j = { .env = &f->query->unwinder->env,
			      .entry = entry,
			      .target = target,
			      .reg = reg,
			      .load = { .base = reg },
			      .known = true };
	Dwarf_Addr base, start, end;
	ptrdiff_t next = 0;

	for (unsigned i = 0;
	     i < RANGES_MAX && (next = dwarf_ranges(&f->function, next, &base, &start, &end)) > 0;
	     i++) {
		if (entry != start + f->bias)
			continue;
		(void)each_insn(j.env, entry, end + f->bias, until_jump, &j);
		*load = j.load;
		return j.arrived && j.known;
	}
	return false;
}
