// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a text tells of the bad value: by the registers and the bytes of code that the kernel
 * printed (forensics/text_origin.h). Memory cannot be asked, so nothing here is more than likely.
 */
#include <inttypes.h>
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/explain.h"
#include "forensics/text_origin.h"
#include "kernel/text.h"

static const char *reg_name(const struct facts *facts, unsigned reg)
{
	return facts->session->arch->reg_names[reg];
}

/* Who passed the bad value is to blame rather than who was given it; within a module only. */
static void blame_caller(struct facts *facts, struct finding *finding)
{
	size_t next = facts->fault.frame + 1;
	struct blame blame;

	while (next < facts->stack.count && facts->stack.frames[next].how == FRAME_SCAN)
		next++;
	if (next >= facts->stack.count || !finding->blame.known ||
	    finding->blame.frame != facts->fault.frame)
		return;
	blame = facts_blame(facts, next);
	if (!blame.known || blame.frame != next ||
	    (finding->blame.module &&
	     (!blame.module || strcmp(blame.module, finding->blame.module) != 0)))
		return;
	blame.because = "it passed it";
	finding->blame = blame;
}

/* A small number that was in memory as it is, is no pointer to a structure at NULL. */
static bool is_stored_number(const struct finding *finding, const struct text_origin *o)
{
	return strcmp(finding->kind, "null-pointer") == 0 && o->has_value && o->value &&
	       o->window.kind == WINDOW_LOADED && !o->window.added;
}

static void tell_origin(struct facts *facts, struct findings *out, struct finding *finding,
			unsigned reg, const char *state, const struct text_origin *o)
{
	bool unknown = o->window.kind == WINDOW_LOST || o->window.kind == WINDOW_UNCHANGED;

	if (is_stored_number(finding, o))
		explain_not_null(out, finding);
	else if (!unknown && !o->value && o->has_value)
		finding->why = NULL; /* of a zero the class of death said all that there is to say */
	explain_why(out, finding, "%s, %s, %s", reg_name(facts, reg), state, o->sentence);
	if (unknown)
		return;
	/* Helpers that find rubbish in memory were handed sound pointers to it. */
	if (o->window.kind == WINDOW_LOADED && o->has_value && o->value && finding->blame.skipped &&
	    !finding->blame.because)
		finding->blame.unsure = "the value was read from memory, and who spoilt that need not "
					"be who handed it in";
	finding->origin_confidence =
		confidence_name(o->window.jumped_over || o->by_place ? CONFIDENCE_POSSIBLE
								     : CONFIDENCE_LIKELY);
	finding_evidence_shows(out, finding, finding_text(out, "origin %s", reg_name(facts, reg)),
			       reg_name(facts, reg), "where %s came from, in the code of the text",
			       reg_name(facts, reg));
	if (o->argument)
		blame_caller(facts, finding);
	if (finding->against && starts_with(finding->against, "the value was handed to "))
		finding->against = o->window.kind == WINDOW_LOADED
					   ? "what is in memory there now a text cannot tell" : NULL;
}

static void explain_register(struct facts *facts, struct findings *out, struct finding *finding,
			     unsigned reg)
{
	struct code_window w;
	struct text_origin o;
	size_t at = text_window(facts->session, &w) ? w.at : 0;

	if (!text_origin(facts->session, at, reg, facts->arena, &o) || !o.has_value)
		return;
	tell_origin(facts, out, finding, reg,
		    o.value ? finding_text(out, "0x%" PRIx64, o.value) : "NULL", &o);
}

static const char *number_words(struct findings *out, uint64_t value, unsigned size)
{
	unsigned unused = size && size < 8 ? 64 - size * 8 : 0;
	int64_t number = (int64_t)(value << unused) >> unused;

	if (number < 0 && number >= -4095)
		return finding_text(out, "%" PRId64 " (0x%" PRIx64 ")", number, value);
	return finding_text(out, value < 10 ? "%" PRIu64 : "0x%" PRIx64, value);
}

/* An argument that holds what no argument should, where the check itself is not in the text. */
static void explain_odd(struct facts *facts, struct findings *out, struct finding *finding)
{
	const struct regs *regs = facts->fault.regs;
	int copy = -1;
	unsigned argument = text_odd_argument(facts->session, &copy);
	unsigned reg = argument ? facts->session->arch->arg_regs[argument - 1] : 0;

	if (!argument)
		return;
	uint64_t value = regs->value[reg];
	const char *number = number_words(out, value, value >> 32 ? 8 : 4);
	if (copy < 0) {
		explain_why(out, finding, "Argument %u of it may be %s: %s holds that, and the function "
			    "has only just begun", argument, number, reg_name(facts, reg));
		finding->origin_confidence = confidence_name(CONFIDENCE_POSSIBLE);
		finding_evidence(out, finding, "bt", "%s = 0x%" PRIx64, reg_name(facts, reg), value);
		blame_caller(facts, finding);
		return;
	}
	explain_why(out, finding, "Argument %u of it is most likely %s: %s holds that still, and %s, "
		    "which functions keep what they need in, holds the same", argument, number,
		    reg_name(facts, reg), reg_name(facts, (unsigned)copy));
	finding->origin_confidence = confidence_name(CONFIDENCE_LIKELY);
	finding_evidence(out, finding, "bt", "%s = %s = 0x%" PRIx64, reg_name(facts, reg),
			 reg_name(facts, (unsigned)copy), value);
	blame_caller(facts, finding);
}

static void explain_check(struct facts *facts, struct findings *out, struct finding *finding)
{
	struct text_check check;
	struct text_origin o;

	if (!text_check(facts->session, facts->arena, &check)) {
		explain_odd(facts, out, finding);
		return;
	}
	const char *was = check.has_value
				  ? finding_text(out, " (it was %s)",
						 number_words(out, check.value, check.size)) : "";
	explain_why(out, finding, "The check before it found that %s%s", check.text, was);
	finding_evidence(out, finding, finding_text(out, "dis -lr 0x%lx 12",
						    (unsigned long)facts->fault.pc), "the code had just passed: %s", check.text);
	if (check.reg >= 0 && check.has_value &&
	    text_origin(facts->session, check.compare, (unsigned)check.reg, facts->arena, &o) &&
	    o.window.kind != WINDOW_UNCHANGED && o.window.kind != WINDOW_LOST)
		tell_origin(facts, out, finding, (unsigned)check.reg,
			    number_words(out, check.value, check.size), &o);
}

/*
 * So near to the entry only arguments can be followed. Where the instruction is not in the text,
 * the only one that is NULL is most likely it; and whichever it was, the caller passed it.
 */
static void explain_entry(struct facts *facts, struct findings *out, struct finding *finding)
{
	enum { COMMON_ARGUMENTS = 4 };
	const struct arch *arch = facts->session->arch;
	const struct regs *regs = facts->fault.regs;
	struct text_origin o;
	int found = -1;

	for (unsigned i = 0; i < COMMON_ARGUMENTS; i++) {
		if (!regs_known(regs, arch->arg_regs[i]) || regs->value[arch->arg_regs[i]])
			continue;
		if (found >= 0)
			return;
		found = arch->arg_regs[i];
	}
	if (found < 0 || strcmp(finding->kind, "null-pointer") != 0 ||
	    !text_origin(facts->session, 0, (unsigned)found, facts->arena, &o) || !o.by_place)
		return;
	tell_origin(facts, out, finding, (unsigned)found, "NULL", &o);
}

void explain_text(struct facts *facts, struct findings *out, struct finding *finding)
{
	const struct fault_site *fault = &facts->fault;
	const struct insn_operand *divisor = &fault->insn.operand[0];

	if (fault->pc_is_wild || facts->session->text->death->arm64)
		return;
	if (!fault->has_insn)
		explain_entry(facts, out, finding);
	else if (fault->trap == TRAP_INVALID_OPCODE)
		explain_check(facts, out, finding);
	else if (fault->trap == TRAP_DIVIDE && fault->insn.kind == INSN_DIVIDE &&
		 divisor->kind == OPERAND_REGISTER && divisor->reg >= 0)
		explain_register(facts, out, finding, (unsigned)divisor->reg);
	else if (fault->base_reg >= 0 && !fault->is_shadow)
		explain_register(facts, out, finding, (unsigned)fault->base_reg);
}

/* --- Made-up addresses. --- */

/* "0xffffffff00000123" -> "func+0x23"; the same text when there is none. */
static const char *with_names(const struct facts *facts, struct findings *out, const char *text)
{
	auto_strbuf named = { 0 };
	const char *from = text, *at;
	struct symbol sym;
	uint64_t value;

	for (at = text; (at = strstr(at, "0xffffffff")); at++) {
		char digits[17] = "";
		size_t n = strspn(at + 2, "0123456789abcdef");
		if (n != 16)
			continue;
		memcpy(digits, at + 2, n);
		if (!parse_hex(digits, &value) || !text_is_made_up(facts->session, value) ||
		    !symbols_by_address(facts->session->symbols, value, &sym))
			continue;
		strbuf_add_n(&named, from, (size_t)(at - from));
		strbuf_addf(&named, value == sym.address || sym.inside_only ? "%s" : "%s+0x%lx",
			    sym.name,
			    (unsigned long)(value - sym.address));
		from = at + 2 + n;
	}
	if (!named.len)
		return text;
	strbuf_add(&named, from);
	return finding_text(out, "%s", strbuf_text(&named));
}

void explain_text_names(const struct facts *facts, struct findings *out, struct finding *finding)
{
	const char **texts[] = { &finding->what, &finding->why, &finding->against,
				 &finding->next };

	for (size_t i = 0; i < array_size(texts); i++) {
		if (*texts[i])
			*texts[i] = with_names(facts, out, *texts[i]);
	}
	for (unsigned i = 0; i < finding->evidence_count; i++) {
		struct evidence *e = &finding->evidence[i];
		e->text = with_names(facts, out, e->text);
		if (e->command)
			e->command = with_names(facts, out, e->command);
	}
}
