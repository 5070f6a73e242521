// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Registers of the death are those at the fault. Going back from there, what is found is worded for
 * people; how sure it is follows from how it was found, and is never more than likely: the rest of
 * the function may jump into the window.
 */
#include "forensics/text_origin.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "kernel/text.h"

enum {
	/* endbr64 (4 bytes) and the call of ftrace (5) are all that can stand before the first. */
	ENTRY_BYTES = 9,
	PROLOGUE_BYTES = 16,
	NEAR_ENTRY = 48,
	MAX_ERRNO = 4095,
};

static const struct oops_report *death_of(const struct session *s)
{
	return s->text ? s->text->death : NULL;
}

/* Is it known how far into its function the death was? */
static bool has_offset(const struct oops_report *death)
{
	return death->pc.size ? death->pc.offset <= death->pc.size : death->pc.offset != 0;
}

bool text_window(const struct session *s, struct code_window *window)
{
	const struct oops_report *death = death_of(s);

	return death && !death->arm64 && death->pc.function && death->code_count &&
	       death->code_pc < death->code_count && s->text->pc &&
	       code_window(death->code, death->code_count, death->code_pc, s->text->pc,
			   has_offset(death) ? death->pc.offset : UINT64_MAX, window);
}

static unsigned argument_of(const struct session *s, unsigned reg)
{
	for (unsigned i = 0; i < s->arch->arg_reg_count; i++) {
		if (s->arch->arg_regs[i] == reg)
			return i + 1;
	}
	return 0;
}

static const char *cell_text(const struct session *s, const struct insn_memory *m,
			     struct arena *arena)
{
	const char *const *names = s->arch->reg_names;
	auto_strbuf text = { 0 };

	if (m->per_cpu)
		strbuf_add(&text, "%gs:");
	if (m->absolute)
		return m->per_cpu ? "a per-CPU variable" : "a global variable";
	if (m->displacement < 0)
		strbuf_addf(&text, "-0x%" PRIx64, -(uint64_t)m->displacement);
	else if (m->displacement)
		strbuf_addf(&text, "0x%" PRIx64, (uint64_t)m->displacement);
	strbuf_addf(&text, "(%s%s", m->base >= 0 ? "%" : "", m->base >= 0 ? names[m->base] : "");
	if (m->index >= 0)
		strbuf_addf(&text, ",%%%s,%u", names[m->index], m->scale);
	strbuf_add(&text, ")");
	return arena_strdup(arena, strbuf_text(&text));
}

static const char *place_text(const struct session *s, uint64_t address, struct arena *arena)
{
	const struct oops_report *death = s->text->death;
	uint64_t entry = s->text->pc - death->pc.offset;

	if (!has_offset(death))
		return arena_printf(arena, "%s, %" PRIu64 " bytes before it", death->pc.function,
				    s->text->pc - address);
	return address >= entry ? arena_printf(arena, "%s+0x%" PRIx64, death->pc.function,
					       address - entry)
				: "the code before it";
}

/* The function that the death's own was called by; NULL: not known. */
static const char *caller_of(const struct session *s)
{
	const struct oops_report *death = s->text->death;

	for (size_t i = 0; i < death->frame_count; i++) {
		const struct oops_frame *f = &death->frames[i];
		if (f->regs)
			return NULL;
		if (!f->guess && f->place.function)
			return f->place.function;
	}
	return NULL;
}

static const char *called_text(struct session *s, const struct code_window *w, uint64_t at,
			       struct arena *arena)
{
	struct symbol sym;
	struct insn insn;

	if (code_decode(w->bytes + (at - w->address), w->size - (at - w->address), at, &insn) &&
	    insn.target && symbols_by_address(s->symbols, insn.target, &sym) &&
	    sym.address == insn.target)
		return arena_printf(arena, "was returned by %s, called at %s", sym.name,
				    place_text(s, at, arena));
	return arena_printf(arena, "was returned by what was called at %s",
			    place_text(s, at, arena));
}

static const char *entry_text(const struct session *s, const struct text_origin *o,
			      struct arena *arena)
{
	const char *function = s->text->death->pc.function, *caller = caller_of(s);

	if (!o->argument)
		return arena_printf(arena, "has not been written since %s was entered: it is its "
				    "caller's", function);
	return arena_printf(arena, "is argument %u of %s%s%s%s", o->argument, function,
			    o->by_place ? ", if it takes so many" : "",
			    caller ? ", passed by " : "", caller ? caller : "");
}

static const char *words(struct session *s, const struct code_window *w,
			 const struct text_origin *o, struct arena *arena)
{
	const struct window_origin *wo = &o->window;
	const char *where = place_text(s, wo->at, arena);

	switch (wo->kind) {
	case WINDOW_LOADED:
		/* What code at a made-up address reads relative to itself is nowhere. */
		if (wo->has_cell_address && !(wo->cell.absolute && text_is_made_up(s, s->text->pc)))
			return arena_printf(arena, "was read from %s = %016" PRIx64 " at %s",
					    cell_text(s, &wo->cell, arena), wo->cell_address,
					    where);
		return arena_printf(arena, "was read from %s at %s", cell_text(s, &wo->cell, arena),
				    where);
	case WINDOW_CONSTANT:
		return arena_printf(arena, "was set to 0x%" PRIx64 " at %s", wo->value, where);
	case WINDOW_RESULT:
		return called_text(s, w, wo->at, arena);
	case WINDOW_ENTRY:
		return entry_text(s, o, arena);
	case WINDOW_UNCHANGED:
		return arena_printf(arena, "was not written in the code that the text shows (from "
				    "%s on)", place_text(s, w->address + w->start[0], arena));
	case WINDOW_LOST:
		break;
	}
	return "cannot be followed in the code that the text shows";
}

bool text_origin(struct session *s, size_t i, unsigned reg, struct arena *arena,
		 struct text_origin *o)
{
	const struct oops_report *death = death_of(s);
	struct code_window w = { 0 };

	*o = (struct text_origin){ 0 };
	if (!death || death->arm64 || !death->pc.function)
		return false;
	o->has_value = regs_known(&death->regs, reg);
	o->value = death->regs.value[reg];
	if (text_window(s, &w)) {
		code_window_origin(&w, i, reg, &death->regs, &o->window);
	} else if (has_offset(death) && death->pc.offset <= ENTRY_BYTES && argument_of(s, reg)) {
		o->window.kind = WINDOW_ENTRY;
		o->window.reg = reg;
		o->by_place = true;
	} else {
		return false;
	}
	/* What stands before the window is too short for more than saving registers. */
	if (o->window.kind == WINDOW_UNCHANGED && argument_of(s, o->window.reg) &&
	    has_offset(death) &&
	    w.address + w.start[0] - (s->text->pc - death->pc.offset) <= PROLOGUE_BYTES) {
		o->window.kind = WINDOW_ENTRY;
		o->by_place = true;
	}
	if (o->window.kind == WINDOW_ENTRY)
		o->argument = argument_of(s, o->window.reg);
	o->sentence = words(s, &w, o, arena);
	if (o->window.added && o->window.kind != WINDOW_LOST)
		o->sentence = arena_printf(arena, "%s, and 0x%" PRIx64 " was added", o->sentence,
					   (uint64_t)o->window.added);
	return true;
}

/* --- Checks. --- */

static const char *relation_of(enum insn_condition condition)
{
	static const char *const relations[] = {
		[COND_BELOW] = "<", [COND_NOT_BELOW] = ">=", [COND_EQUAL] = "==",
		[COND_NOT_EQUAL] = "!=", [COND_NOT_ABOVE] = "<=", [COND_ABOVE] = ">",
		[COND_NEGATIVE] = "<", [COND_NOT_NEGATIVE] = ">=", [COND_LESS] = "<",
		[COND_NOT_LESS] = ">=", [COND_NOT_GREATER] = "<=", [COND_GREATER] = ">",
	};

	return condition < array_size(relations) ? relations[condition] : NULL;
}

static const char *operand_text(const struct session *s, const struct insn *insn, unsigned i,
				struct arena *arena)
{
	const struct insn_operand *o = &insn->operand[i];

	switch (o->kind) {
	case OPERAND_REGISTER:
		return o->reg >= 0 ? arena_printf(arena, "%%%s", s->arch->reg_names[o->reg]) : NULL;
	case OPERAND_IMMEDIATE:
		return arena_printf(arena, o->value < 0 ? "%" PRId64 : "0x%" PRIx64, o->value);
	case OPERAND_MEMORY:
		return cell_text(s, &insn->memory, arena);
	case OPERAND_NONE:
	case OPERAND_OTHER:
		break;
	}
	return NULL;
}

static bool same_register(const struct insn *insn)
{
	return insn->operand[0].kind == OPERAND_REGISTER &&
	       insn->operand[1].kind == OPERAND_REGISTER &&
	       insn->operand[0].reg == insn->operand[1].reg;
}

bool text_check(struct session *s, struct arena *arena, struct text_check *check)
{
	const struct oops_report *death = death_of(s);
	struct insn compare, jump;
	struct code_window w;
	size_t j, c;
	bool taken;

	*check = (struct text_check){ .reg = -1 };
	if (!text_window(s, &w) || !code_window_condition(&w, &j, &c, &taken) ||
	    !code_window_insn(&w, j, &jump) || !code_window_insn(&w, c, &compare))
		return false;
	const char *relation = relation_of(taken ? jump.condition : jump.condition ^ 1);
	const char *left = operand_text(s, &compare, 0, arena);
	const char *right = operand_text(s, &compare, 1, arena);
	if (!relation || !left || !right)
		return false;
	if (compare.does == INSN_DOES_TEST && same_register(&compare))
		check->text = arena_printf(arena, "%s %s 0", left, relation);
	else if (compare.does == INSN_DOES_TEST)
		check->text = arena_printf(arena, "(%s & %s) %s 0", left, right, relation);
	else
		check->text = arena_printf(arena, "%s %s %s", left, relation, right);
	check->compare = c;
	check->size = compare.operand[0].size;
	if (compare.operand[0].kind != OPERAND_REGISTER || compare.operand[0].reg < 0)
		return true;
	check->reg = compare.operand[0].reg;
	/* Between the comparison and the trap nothing may have written it. */
	for (size_t i = c; i <= j; i++) {
		struct insn insn;
		if (!code_window_insn(&w, i, &insn) || insn.writes >> check->reg & 1)
			return true;
	}
	check->has_value = regs_known(&death->regs, (unsigned)check->reg);
	check->value = death->regs.value[check->reg];
	if (check->size < 8)
		check->value &= (UINT64_C(1) << check->size * 8) - 1;
	return true;
}

static bool is_odd(uint64_t value)
{
	uint32_t low = (uint32_t)value;

	return (value && -value <= MAX_ERRNO) ||
	       (value >> 32 == 0 && low && (uint32_t)-low <= MAX_ERRNO);
}

/*
 * One argument register holds such a value, so near to the entry that it may still be the argument.
 */
static unsigned odd_near_entry(const struct session *s)
{
	const struct oops_report *death = death_of(s);
	unsigned found = 0;

	if (!death || !death->pc.function || !has_offset(death) || death->pc.offset > NEAR_ENTRY)
		return 0;
	for (unsigned i = 0; i < s->arch->arg_reg_count; i++) {
		unsigned reg = s->arch->arg_regs[i];
		if (!regs_known(&death->regs, reg) || !is_odd(death->regs.value[reg]))
			continue;
		if (found)
			return 0;
		found = i + 1;
	}
	return found;
}

unsigned text_odd_argument(const struct session *s, int *copy)
{
	static const uint8_t saved[] = { X86_RBX, X86_R12, X86_R13, X86_R14, X86_R15, X86_RBP };
	const struct oops_report *death = death_of(s);
	unsigned found = 0;

	for (unsigned i = 0; death && i < s->arch->arg_reg_count; i++) {
		unsigned reg = s->arch->arg_regs[i];
		if (!regs_known(&death->regs, reg) || !is_odd(death->regs.value[reg]) ||
		    !death->regs.value[reg])
			continue;
		for (size_t k = 0; k < array_size(saved); k++) {
			if (!regs_known(&death->regs, saved[k]) ||
			    death->regs.value[saved[k]] != death->regs.value[reg])
				continue;
			if (found && found != i + 1)
				return 0;
			found = i + 1;
			*copy = saved[k];
		}
	}
	if (found)
		return found;
	*copy = -1;
	return odd_near_entry(s);
}
