// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * After the detectors: the verdict says what happened; this adds why, by value flow. Of a CPU
 * exception there is one value at stake: the register that the bad address was made from, the
 * divisor, the pointer that was called, what a BUG() had compared. Its origin makes the sentence;
 * the memory that it was read from is looked at by explain_object.c.
 *
 * Only the verdict is explained, and only one value and one object of it: that keeps it quick.
 */
#include "diagnosis/explain_value.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/strbuf.h"
#include "diagnosis/cause.h"
#include "forensics/args.h"
#include "forensics/fault.h"
#include "forensics/poison.h"
#include "forensics/whatis.h"
#include "kernel/slab.h"
#include "kernel/text.h"

void explain_why(struct findings *out, struct finding *finding, const char *fmt, ...)
{
	va_list args;
	char text[1024];

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	finding->why = finding->why ? finding_text(out, "%s. %s", finding->why, text)
				    : finding_text(out, "%s", text);
}

static const char *reg_name(const struct facts *facts, unsigned reg)
{
	return facts->session->arch->reg_names[reg];
}

/* --- The value at stake. --- */

static struct subject of_access(const struct facts *facts, struct findings *out)
{
	const struct fault_site *fault = &facts->fault;
	bool null = fault->base_value == 0;

	return (struct subject){
		.known = true,
		.frame = fault->frame,
		.reg = (unsigned)fault->base_reg,
		.value = fault->base_value,
		.state = null ? "NULL"
			      : finding_text(out, "0x%" PRIx64, fault->base_value),
	};
}

static struct subject of_division(const struct facts *facts, struct findings *out)
{
	const struct insn_operand *divisor = &facts->fault.insn.operand[0];
	unsigned unused = divisor->size && divisor->size < 8 ? 64u - divisor->size * 8u : 0;
	uint64_t value;

	if (!facts->fault.has_insn || facts->fault.insn.kind != INSN_DIVIDE ||
	    divisor->kind != OPERAND_REGISTER || divisor->reg < 0 ||
	    !regs_known(facts->fault.regs, (unsigned)divisor->reg))
		return (struct subject){ 0 };
	value = facts->fault.regs->value[divisor->reg];
	return (struct subject){
		.known = true,
		.frame = facts->fault.frame,
		.reg = (unsigned)divisor->reg,
		.value = value,
		.name = "the divisor",
		.state = value << unused ? finding_text(out, "0x%" PRIx64, value << unused >> unused)
					 : "0",
	};
}

static struct subject of_msr(const struct facts *facts)
{
	const struct regs *regs = facts->fault.regs;

	if (!regs_known(regs, X86_RCX))
		return (struct subject){ 0 };
	return (struct subject){ .known = true, .frame = facts->fault.frame, .reg = X86_RCX,
				 .value = regs->value[X86_RCX], .name = "The register's number" };
}

/* An index beyond an array: the index is at stake, not what the access went to. */
static struct subject of_index(struct facts *facts, struct findings *out, struct finding *finding,
			       struct subject subject)
{
	const struct fault_site *fault = &facts->fault;
	int reg = explain_array(facts, out, finding, &fault->insn, fault->address);

	if (reg < 0 || !regs_known(fault->regs, (unsigned)reg))
		return subject;
	return (struct subject){ .known = true, .frame = fault->frame, .reg = (unsigned)reg,
				 .value = fault->regs->value[reg], .name = "The index" };
}

/* The pointer was read from beyond the array that the instruction names. */
static bool read_beyond(struct facts *facts, struct findings *out, struct finding *finding,
			const struct cause *cause)
{
	uint8_t bytes[CODE_INSN_MAX];
	struct insn insn;
	size_t n = cause->at ? memory_read_some(facts->session->memory, cause->at, bytes,
						sizeof(bytes)) : 0;

	return cause->cell && n && code_decode(bytes, n, cause->at, &insn) &&
	       explain_array(facts, out, finding, &insn, cause->cell) >= 0;
}

/* A register of the faulting frame that holds what the check compared, and is called the same. */
static struct subject of_condition(const struct facts *facts, const struct fault_condition *c)
{
	uint64_t mask = c->size < 8 ? (UINT64_C(1) << c->size * 8) - 1 : UINT64_MAX;
	struct subject found = { 0 };

	/* A small number may be in any register by accident. */
	if (!c->left.known || c->left.value < 0x10000)
		return found;
	for (unsigned i = 0; i < 16 && i < facts->session->arch->reg_count; i++) {
		if (!regs_known(facts->fault.regs, i) ||
		    (facts->fault.regs->value[i] & mask) != c->left.value)
			continue;
		if (found.known)
			return (struct subject){ 0 };
		found = (struct subject){ .known = true, .frame = facts->fault.frame, .reg = i,
					  .value = facts->fault.regs->value[i],
					  .name = c->left.text };
	}
	return found;
}

static const char *number_words(struct findings *out, const struct fault_condition *c,
				const struct fault_value *v)
{
	unsigned unused = c->size && c->size < 8 ? 64 - c->size * 8 : 0;
	int64_t number = (int64_t)(v->value << unused) >> unused;

	if (c->is_signed && number < 0)
		return finding_text(out, "%" PRId64 ", 0x%" PRIx64, number, v->value);
	return finding_text(out, v->value < 10 ? "%" PRIu64 : "0x%" PRIx64, v->value);
}

/*
 * The cell that the last comparison before @branch looked at: the instruction right before it, when
 * the branch leads right to the trap: the registers are then still the same.
 */
static bool compared_cell(const struct facts *facts, uint64_t branch, uint64_t *cell,
			  unsigned *size)
{
	struct session *s = facts->session;
	struct symbol sym;
	struct insn insn, last = { 0 };
	uint8_t bytes[CODE_INSN_MAX];

	if (!symbols_by_address(s->symbols, branch, &sym) || branch - sym.address > 0x10000)
		return false;
	for (uint64_t at = sym.address; at <= branch; at += insn.length) {
		size_t n = memory_read_some(s->memory, at, bytes, sizeof(bytes));
		if (!n || !code_decode(bytes, n, at, &insn) || !insn.length)
			return false;
		if (at < branch) {
			last = insn;
			continue;
		}
		if (at != branch || (insn.target != facts->fault.pc &&
				     at + insn.length != facts->fault.pc))
			return false;
	}
	*size = last.memory.size;
	return (last.does == INSN_DOES_COMPARE || last.does == INSN_DOES_TEST) &&
	       last.memory.present && last.memory.read &&
	       code_memory_address(&last.memory, facts->fault.regs, cell);
}

/* --- The origin. --- */

/* A good value that was used in a bad way, or too late, is not to be blamed on where it came from. */
static bool value_is_good(const struct finding *finding)
{
	static const char *const kinds[] = { "user-access", "use-after-free", "out-of-bounds",
					     "double-free", "invalid-free", "nx-exec" };

	for (size_t i = 0; i < array_size(kinds); i++) {
		if (strcmp(finding->kind, kinds[i]) == 0)
			return true;
	}
	return false;
}

/* Whoever brought the value in is to blame rather than whoever tripped over it. */
static void blame_source(struct facts *facts, struct finding *finding, const struct cause *cause)
{
	struct blame blame;

	if (!cause->verb || cause->frame == cause->from || !finding->blame.known ||
	    cause->frame <= finding->blame.frame || value_is_good(finding))
		return;
	blame = facts_blame(facts, cause->frame);
	if (!blame.known || blame.frame != cause->frame)
		return;
	/* Not from a module to the kernel's own code, which hands on what it was given. */
	if (finding->blame.module &&
	    (!blame.module || strcmp(blame.module, finding->blame.module) != 0))
		return;
	blame.skipped = finding->blame.skipped;
	blame.because = cause->verb;
	finding->blame = blame;
}

/* What the stack alone left open. */
static void settle_open(struct finding *finding, const struct cause *cause)
{
	if (finding->against && starts_with(finding->against, "the value was handed to "))
		finding->against = cause->cell ? "who wrote that value there is not known" : NULL;
	finding->origin_confidence = confidence_name(cause->confidence);
}

static void cause_evidence(struct facts *facts, struct findings *out, struct finding *finding,
			   const struct subject *subject, const struct cause *cause)
{
	const char *reg = reg_name(facts, subject->reg);
	const char *value = finding_text(out, "0x%" PRIx64, subject->value);
	const char *command = subject->frame == facts->fault.frame
				      ? finding_text(out, "origin %s", reg)
				      : finding_text(out, "origin %s %zu", reg, subject->frame);
	struct slab_object object;
	const char *place;
	uint64_t now;

	finding_evidence_shows(out, finding, command, cause->value_told ? value : reg, "where %s = %s came from, step by step", reg,
			       value);
	if (!cause->cell)
		return;
	/* Of a list entry the cell holds the pointer into it, which need not be its start. */
	if (cause->cell_holds && cause->cell_size == 8 &&
	    memory_u64(facts->session->memory, cause->cell, &now) == READ_OK)
		finding_evidence_shows(out, finding, finding_text(out, "rd 0x%" PRIx64, cause->cell),
				       finding_text(out, "%016" PRIx64, now),
				       "the cell that it was %sread from holds 0x%" PRIx64,
				       cause->walked ? "most likely " : "", now);
	place = place_words(facts, cause->cell);
	if (place && !slab_object_at(facts->session, cause->cell, &object))
		finding_evidence_shows(out, finding, finding_text(out, "whatis 0x%" PRIx64, cause->cell),
				       finding_text(out, "%" PRIx64, cause->cell), "that cell: %s", place);
}

/* A small number in place of a pointer is no NULL pointer, when it was stored as it is. */
void explain_not_null(struct findings *out, struct finding *finding)
{
	const char *null = strstr(finding->what, "NULL + ");

	finding->kind = "bad-pointer";
	finding->title = "Small number used as a pointer";
	finding->why = NULL;
	if (null)
		finding->what = finding_text(out, "%.*s%s", (int)(null - finding->what), finding->what,
					     null + strlen("NULL + "));
}

/* The last load into register @reg on the way from the function's start to @end. */
static bool last_load(const struct facts *facts, uint64_t end, unsigned reg, struct insn *load)
{
	uint8_t bytes[CODE_INSN_MAX];
	struct symbol symbol;
	struct insn insn;
	bool found = false;

	if (!symbols_by_address(facts->session->symbols, end - 1, &symbol) ||
	    end - symbol.address > 0x10000)
		return false;
	for (uint64_t at = symbol.address; at < end; at += insn.length) {
		size_t n = memory_read_some(facts->session->memory, at, bytes, sizeof(bytes));
		if (!n || !code_decode(bytes, n, at, &insn))
			return false;
		if (insn.does != INSN_DOES_MOVE || !insn.memory.present || insn.memory.size != 8 ||
		    insn.operand[0].kind != OPERAND_REGISTER || insn.operand[0].reg != (int)reg)
			continue;
		*load = insn;
		found = true;
	}
	return found;
}

/*
 * The registers with which the value was read are gone for the frame's function, but may still be
 * as they were: then what they lead to holds the value.
 */
static void recover_cell(const struct facts *facts, const struct subject *subject,
			 struct cause *cause)
{
	const struct fault_site *fault = &facts->fault;
	bool near = subject->frame == fault->frame || subject->frame == fault->frame + 1;
	struct insn load;
	uint64_t cell, now;

	if (cause->cell || cause->frame != subject->frame || !near || !subject->value ||
	    !last_load(facts, facts->stack.frames[subject->frame].pc, subject->reg, &load) ||
	    !code_memory_address(&load.memory, fault->regs, &cell) ||
	    memory_u64(facts->session->memory, cell, &now) != READ_OK || now != subject->value)
		return;
	const char *place = place_words(facts, cell);
	cause->cell = cell;
	cause->cell_size = 8;
	cause->cell_holds = true;
	cause->sentence = arena_printf(facts->arena, "%s; most likely it is that at %016" PRIx64
				       "%s%s, which holds it", cause->sentence, cell,
				       place ? ", " : "", place ? place : "");
}

/*
 * What is known of this very value comes first and takes the place of the words for all of its
 * class; where it came from follows, and what is only possible last.
 */
void explain_in_order(struct findings *out, struct finding *finding, const char *general,
			  const char *origin, const char *own, bool explained)
{
	const char *parts[] = { explained ? own : general, origin, explained ? NULL : own };

	finding->why = NULL;
	for (size_t i = 0; i < array_size(parts); i++) {
		if (parts[i])
			explain_why(out, finding, "%s", parts[i]);
	}
}

void explain_value(struct facts *facts, struct findings *out, struct finding *finding,
		   const struct subject *subject)
{
	const char *general = finding->why, *origin, *name;
	struct cause cause;

	cause_find(facts, subject->frame, subject->reg, subject->value, subject->name,
		   &cause);
	if (!cause.known) {
		explain_pointer(facts, out, finding, subject->value, NULL);
		return;
	}
	finding->member = cause.member;
	recover_cell(facts, subject, &cause);
	name = cause.name ? cause.name : subject->name;
	if (!name)
		name = reg_name(facts, subject->reg);
	/* Of a zero the class of death said all that there is to say. */
	if ((!subject->value && subject->state) || strcmp(finding->kind, "user-address") == 0) {
		general = NULL;
	} else if (strcmp(finding->kind, "null-pointer") == 0 && cause.cell_holds) {
		explain_not_null(out, finding);
		general = finding->why;
	}
	origin = subject->state ? finding_text(out, "%s%s is %s: it %s", name, cause.name ? "," : "",
					       subject->state, cause.sentence)
				: finding_text(out, "%s %s", subject->name, cause.sentence);
	cause_evidence(facts, out, finding, subject, &cause);
	blame_source(facts, finding, &cause);
	settle_open(finding, &cause);
	finding->why = NULL;
	bool explained = read_beyond(facts, out, finding, &cause) ||
			 explain_pointer(facts, out, finding, subject->value, &cause);
	if (!explained && cause.cell && cause.frame == subject->frame && !value_is_good(finding))
		explained = explain_list(facts, out, finding, cause.frame, cause.cell);
	explain_in_order(out, finding, general, origin, finding->why, explained);
	finding->cell = cause.cell;
	finding->cell_size = cause.cell_size;
	if (cause.cell)
		explain_object(facts, out, finding, cause.cell, cause.cell_named);
	/* A number is stored by somebody's code; what was a pointer before is another matter. */
	bool number = strcmp(finding->kind, "bad-pointer") == 0 ||
		      (strcmp(finding->kind, "user-address") == 0 && !(subject->value >> 32));
	if (number && cause.cell_holds)
		explain_writer(facts, out, finding, cause.cell, subject->value);
}

/* --- What was checked. --- */

static void explain_cell(struct facts *facts, struct findings *out, struct finding *finding,
			 uint64_t cell, unsigned size)
{
	const char *place = place_words(facts, cell);
	uint8_t bytes[8] = { 0 };

	if (!size || size > sizeof(bytes) ||
	    memory_read(facts->session->memory, cell, bytes, size) != READ_OK)
		return;
	explain_why(out, finding, "What it checked is at %016" PRIx64 "%s%s, which holds 0x%" PRIx64,
		    cell, place ? ", " : "", place ? place : "", load_u64(bytes));
	finding->cell = cell;
	finding->cell_size = size;
	explain_object(facts, out, finding, cell, false);
}

/* The condition takes the place of the general words about checks. */
static void tell_condition(struct findings *out, struct finding *finding,
			   const struct fault_condition *c)
{
	static const char general[] = "the code checks there for a state that ", end[] = "found it";
	const struct poison *poison = poison_of(c->left.value);
	const char *value = number_words(out, c, &c->left), *rest = NULL, *text;

	if (poison)
		value = finding_text(out, "%s, %s", value, poison->name);
	/* What is equal to a number needs no second one. */
	if (c->relation && strcmp(c->relation, "==") == 0)
		text = poison ? finding_text(out, "%s (%s)", c->text, poison->name) : c->text;
	else
		text = finding_text(out, "%s (it was %s)", c->text, value);
	text = finding_text(out, "%s", text);
	if (finding->why && starts_with(finding->why, general))
		rest = strstr(finding->why, end) + strlen(end);
	if (rest || !finding->why)
		finding->why = finding_text(out, "the check found that %s%s", text, rest ? rest : "");
	else
		explain_why(out, finding, "The check found that %s", text);
	finding_evidence_shows(out, finding, "fault", finding_text(out, "0x%" PRIx64, c->left.value),
			       "on the way there it passed: %s", text);
}

static void explain_check(struct facts *facts, struct findings *out, struct finding *finding)
{
	const struct fault_view *view = facts->view;
	const struct fault_condition *c;
	uint64_t cell;
	unsigned size;

	if (!view || !view->condition_count)
		return;
	c = &view->condition[0];
	if (readable_name(c->text) && c->left.known)
		tell_condition(out, finding, c);
	if (c->left.known && c->right.known && c->size == 8 && c->relation &&
	    strcmp(c->relation, "!=") == 0)
		explain_one_bit(facts, out, finding, c->left.value, c->right.value);
	if (compared_cell(facts, c->at, &cell, &size)) {
		explain_cell(facts, out, finding, cell, size);
		return;
	}
	struct subject subject = of_condition(facts, c);
	if (subject.known && readable_name(c->left.text))
		explain_value(facts, out, finding, &subject);
}

/* The divisor is in memory: no register has it. */
static void explain_divisor(struct facts *facts, struct findings *out, struct finding *finding)
{
	const struct insn *insn = &facts->fault.insn;
	const struct fault_view *view = facts->view;
	uint8_t bytes[8] = { 0 };
	uint64_t cell;

	if (!facts->fault.has_insn || insn->kind != INSN_DIVIDE || !insn->memory.present ||
	    !insn->memory.size || insn->memory.size > sizeof(bytes) ||
	    !code_memory_address(&insn->memory, facts->fault.regs, &cell) ||
	    memory_read(facts->session->memory, cell, bytes, insn->memory.size) != READ_OK)
		return;
	const char *name = view && view->operand_count && view->operand[0].memory
				   ? readable_name(view->operand[0].place) : NULL;
	const char *place = place_words(facts, cell);
	finding->why = finding_text(out, "the divisor%s%s is in memory at %016" PRIx64 "%s%s, which holds 0x%"
				    PRIx64 " now", name ? ", " : "", name ? name : "", cell,
				    place ? ", " : "", place ? place : "", load_u64(bytes));
	finding_evidence_shows(out, finding, finding_text(out, "rd -8 0x%" PRIx64 " %u", cell,
							  insn->memory.size),
			       finding_text(out, "%" PRIx64, cell), "the divisor in memory: 0x%" PRIx64,
			       load_u64(bytes));
	explain_object(facts, out, finding, cell, false);
}

/* A quotient that has no room: the divisor is not 0 then. */
static void tell_overflow(struct finding *finding, const struct subject *divisor)
{
	if (!divisor->known || strcmp(divisor->state, "0") == 0)
		return;
	finding->title = "Division overflow";
	finding->why = "the quotient did not fit into the register: the dividend (rdx:rax) is too large for "
		       "this divisor";
}

/* --- The rest. --- */

/* The object that a general helper was given and tripped over: its last pointer into a slab. */
static void explain_argument(struct facts *facts, struct findings *out, struct finding *finding)
{
	struct stack_args args;
	uint64_t object = 0;
	const char *name = NULL, *function = NULL;
	size_t last = finding->blame.known ? finding->blame.frame : facts->fault.frame + 1;

	stack_args_find(facts->session, facts->task, &facts->stack, &args);
	for (size_t i = facts->fault.frame; i < args.count && i < last && !object; i++) {
		for (unsigned k = 0; k < args.frames[i].count; k++) {
			const struct arg *a = &args.frames[i].args[k];
			struct slab_object found;
			if ((a->origin != ARG_EXACT && a->origin != ARG_DERIVED) ||
			    !slab_object_at(facts->session, a->value, &found) ||
			    !found.slab.cache || strcmp(found.slab.cache->name, "kmem_cache") == 0)
				continue;
			object = a->value;
			name = *a->name ? finding_text(out, "%s", a->name) : "an argument";
			function = args.frames[i].function
					   ? finding_text(out, "%s", args.frames[i].function) : NULL;
		}
		if (object)
			finding_evidence_shows(out, finding, finding_text(out, "args %zu", i),
					       finding_text(out, "%" PRIx64, object),
					       "%s of %s was %016" PRIx64, name,
					       function ? function : "that function", object);
	}
	stack_args_deinit(&args);
	if (object)
		explain_object(facts, out, finding, object, false);
}

/* Who wrote over the link in a free object? */
static void explain_freelist(struct facts *facts, struct findings *out, struct finding *finding)
{
	struct slab_object object;

	if (finding->object && slab_object_at(facts->session, finding->object, &object) &&
	    object.slab.cache && !object.kfence)
		explain_overflow(facts, out, finding,
				 object.address + object.slab.cache->free_offset, false);
}

/* What was found is beside the value at which the CPU stopped. */
static bool about_other(const struct finding *finding)
{
	return starts_with(finding->kind, "stack-") || starts_with(finding->kind, "text-modified") ||
	       starts_with(finding->kind, "text-bit-flip");
}

void explain(struct facts *facts, struct findings *out, struct finding *finding)
{
	const struct fault_site *fault = &facts->fault;
	struct subject subject = { 0 };

	if (strcmp(finding->kind, "slab-damage") == 0)
		explain_freelist(facts, out, finding);
	if (finding->object)
		explain_object(facts, out, finding, finding->object, false);
	if (fault->trap == TRAP_NONE || finding->rank < RANK_FAULT || about_other(finding) ||
	    fault->frame >= facts->stack.count || finding->object)
		return;
	/* With a vmlinux the kernel's own functions are followed as in a dump. */
	if (facts->session->text && !text_has_function(facts->session)) {
		explain_text(facts, out, finding);
		return;
	}
	if (fault->pc_is_wild) {
		explain_call(facts, out, finding, fault->pc);
		return;
	}
	if (fault->has_target) {
		explain_target(facts, out, finding);
		return;
	}
	if (fault->trap == TRAP_INVALID_OPCODE) {
		explain_check(facts, out, finding);
		if (!finding->object && finding->blame.skipped)
			explain_argument(facts, out, finding);
		return;
	}
	if (fault->trap == TRAP_DIVIDE)
		subject = of_division(facts, out);
	if (fault->trap == TRAP_DIVIDE && !subject.known)
		explain_divisor(facts, out, finding);
	else if (fault->trap == TRAP_DIVIDE)
		tell_overflow(finding, &subject);
	else if (fault->base_reg >= 0 && !fault->is_shadow)
		subject = of_access(facts, out);
	if (fault->has_insn && fault->has_address && fault->trap == TRAP_PAGE_FAULT)
		subject = of_index(facts, out, finding, subject);
	if (fault->has_insn && fault->insn.kind == INSN_STRING)
		explain_string(facts, out, finding);
	else if (strcmp(finding->kind, "msr") == 0)
		subject = of_msr(facts);
	if (subject.known)
		explain_value(facts, out, finding, &subject);
	/* An address that is or was an object itself: freed, or guarded by KFENCE. */
	if (!finding->object && fault->has_address && !fault->pc_is_wild)
		explain_object(facts, out, finding, fault->address, false);
}
