// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The calls in a function's code, and the jumps that leave it (tail calls). The compiler moves what
 * it thinks is rare to a part of its own, NAME.cold: it is found by the jump that leads there.
 *
 * Indirect calls name a register or memory, or call a thunk that does the same in a way that the
 * CPU cannot mispredict (__x86_indirect_thunk_REGISTER, arch/x86/lib/retpoline.S). Where the
 * register was loaded from memory just before, that place is told: it is most often the member of
 * a structure of functions.
 */
#include "forensics/callers.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/vec.h"

enum { FUNCTION_MAX = 1 << 20, REGS = 16 };

struct walk_state {
	struct session *session;
	struct callees *callees;
	const struct symbol *function;
	/* Register n was loaded from memory, and neither was written since. */
	struct insn_memory from[REGS];
	unsigned loaded; /* bit n */
};

/* The register of a retpoline's thunk at @target; -1: it is none. */
static int thunk_register(struct session *s, uint64_t target)
{
	static const char *const prefixes[] = { "__x86_indirect_thunk_",
						"__x86_indirect_call_thunk_",
						"__x86_indirect_jump_thunk_" };
	struct symbol symbol;

	if (!symbols_by_address(s->symbols, target, &symbol) || symbol.address != target)
		return -1;
	for (size_t i = 0; i < array_size(prefixes); i++) {
		size_t length = strlen(prefixes[i]);
		if (strncmp(symbol.name, prefixes[i], length) != 0)
			continue;
		/* The array's first one, in the order of the instruction set, has its name. */
		if (strcmp(symbol.name + length, "array") == 0)
			return X86_RAX;
		for (unsigned r = 0; r < REGS; r++) {
			if (strcasecmp(s->arch->reg_names[r], symbol.name + length) == 0)
				return (int)r;
		}
	}
	return -1;
}

/* The pointer is read from a variable: follow it. */
static void follow_variable(struct session *s, struct callee *c)
{
	if (!c->has_memory || !c->memory.absolute || c->memory.per_cpu)
		return;
	c->through = (uint64_t)c->memory.displacement;
	if (memory_u64(s->memory, c->through, &c->target) != READ_OK)
		c->target = 0;
}

static void add_indirect(struct walk_state *w, struct callee *c, const struct insn *insn, int reg)
{
	c->indirect = true;
	c->reg = reg;
	if (reg >= 0 && reg < REGS && w->loaded >> reg & 1) {
		c->has_memory = true;
		c->memory = w->from[reg];
	} else if (reg < 0 && insn->memory.present) {
		c->has_memory = true;
		c->memory = insn->memory;
	}
	follow_variable(w->session, c);
}

/* A jump table's jump stays in the function: "jmp *table(,%rax,8)". */
static bool is_switch(const struct insn *insn)
{
	return insn->kind == INSN_JUMP && insn->memory.present && insn->memory.index >= 0;
}

static bool leads_to_cold(struct walk_state *w, uint64_t target)
{
	struct callees *all = w->callees;
	struct symbol symbol;
	size_t length = strlen(w->function->name);

	if (!symbols_by_address(w->session->symbols, target, &symbol) ||
	    strncmp(symbol.name, w->function->name, length) != 0 ||
	    strncmp(symbol.name + length, ".cold", 5) != 0)
		return false;
	if (!all->cold_start) {
		all->cold_start = symbol.address;
		all->cold_end = symbol.address + min_u64(symbol.size, FUNCTION_MAX);
	}
	return true;
}

static bool inside(const struct callees *all, uint64_t address)
{
	return (address >= all->start && address < all->end) ||
	       (address >= all->cold_start && address < all->cold_end);
}

static void add_control(struct walk_state *w, uint64_t pc, const struct insn *insn)
{
	struct session *s = w->session;
	struct callee c = { .at = pc, .jump = insn->kind == INSN_JUMP, .reg = -1,
			    .target = insn->target };

	if (insn->indirect) {
		if (is_switch(insn))
			return;
		add_indirect(w, &c, insn, insn->target_reg);
	} else {
		if (!c.target || (c.jump && (inside(w->callees, c.target) ||
					     leads_to_cold(w, c.target))))
			return;
		int reg = thunk_register(s, c.target);
		if (reg >= 0) {
			c.target = 0;
			add_indirect(w, &c, insn, reg);
		} else if (static_call_target(s, insn->target, &c.target)) {
			c.through = insn->target;
		}
	}
	vec_push(w->callees, c);
}

static void follow_loads(struct walk_state *w, const struct insn *insn)
{
	struct insn_set set = code_set_register(insn);

	if (insn->kind == INSN_CALL)
		w->loaded &= (unsigned)w->session->arch->preserved;
	w->loaded &= ~(unsigned)insn->writes;
	if (set.source == SET_LOAD && set.reg < REGS) {
		w->loaded |= 1u << set.reg;
		w->from[set.reg] = set.memory;
	} else if (set.source == SET_REGISTER && set.from < REGS && set.reg < REGS &&
		   w->loaded >> set.from & 1) {
		w->loaded |= 1u << set.reg;
		w->from[set.reg] = w->from[set.from];
	}
}

static void walk_code(struct walk_state *w, uint64_t start, uint64_t end)
{
	size_t size = (size_t)(end - start);
	auto_free uint8_t *bytes = xmalloc(size ? size : 1);
	size_t got = memory_read_some(w->session->memory, start, bytes, size);

	w->callees->holes |= got < size;
	w->loaded = 0;
	for (size_t at = 0; at < got;) {
		struct insn insn;
		if (!code_decode(bytes + at, got - at, start + at, &insn)) {
			at++;
			w->loaded = 0;
			continue;
		}
		if (insn.kind == INSN_CALL || insn.kind == INSN_JUMP)
			add_control(w, start + at, &insn);
		follow_loads(w, &insn);
		if (!code_falls_through(&insn))
			w->loaded = 0;
		at += insn.length;
	}
}

struct error *callees_find(struct session *s, uint64_t address, struct callees *callees)
{
	struct symbol symbol;
	struct walk_state w = { .session = s, .callees = callees, .function = &symbol };

	*callees = (struct callees){ 0 };
	if (!s->symbols || !symbols_by_address(s->symbols, address, &symbol) ||
	    !symbols_is_text(s->symbols, address))
		return error_new(ERROR_NOT_FOUND, "%" PRIx64 " is in no function", address);
	callees->start = symbol.address;
	callees->end = symbol.address + min_u64(symbol.size, FUNCTION_MAX);
	walk_code(&w, callees->start, callees->end);
	if (callees->cold_start)
		walk_code(&w, callees->cold_start, callees->cold_end);
	return NULL;
}

void callees_deinit(struct callees *callees)
{
	vec_deinit(callees);
}
