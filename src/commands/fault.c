// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * fault: the instruction at which the CPU stopped, explained: which operand, which register, which
 * member of what; of a BUG() the condition that led there; of a call to nowhere where the pointer
 * was read from.
 */
#include "forensics/fault.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "commands/args.h"
#include "commands/table.h"
#include "diagnosis/facts.h"
#include "kernel/bugs.h"

static const struct column operand_columns[] = {
	{ .key = "text", .title = "OPERAND" },
	{ .key = "access", .title = "ACCESS" },
	{ .key = "size", .title = "SIZE", .right = true },
	{ .key = "address", .title = "ADDRESS" },
	{ .key = "faulted", .title = "" },
	{ .key = "register" },
	{ .key = "register_value" },
	{ .key = "pointer" },
	{ .key = "pointer_type" },
	{ .key = "place", .title = "IN C", .style = STYLE_STRONG },
	{ .key = "object" },
	{ .key = "offset" },
	{ .key = "value", .title = "VALUE" },
};

static const struct column condition_columns[] = {
	{ .key = "address" },
	{ .key = "condition", .title = "PASSED ON THE WAY", .style = STYLE_STRONG },
	{ .key = "left", .title = "LEFT" },
	{ .key = "right", .title = "RIGHT" },
	{ .key = "again" },
	{ .key = "left_cell" },
	{ .key = "right_cell" },
	{ .title = "", .style = STYLE_FAINT },
};

static struct cell value_cell(const struct fault_value *v)
{
	return v->known ? cell_hex(v->value) : cell_none();
}

static bool is_faulting(const struct fault_site *site, const struct fault_operand *o)
{
	return site->has_address && !site->pc_is_wild && o->memory && o->has_address &&
	       site->address - o->address < (o->size ? o->size : 1);
}

static void add_operand(const struct facts *facts, struct doc *doc, const struct fault_operand *o)
{
	const char *const *names = facts->session->arch->reg_names;
	bool faulted = is_faulting(&facts->fault, o);
	const char *place = o->place ? o->place : o->value.text;

	doc_row(doc, cell_str(o->text),
		cell_str(o->read && o->written ? "read, write" : o->written ? "write" : "read"),
		cell_udec(o->size), o->has_address ? cell_address(o->address)
			       : cell_shown(cell_none(), o->memory ? "?" : ""),
		cell_shown(cell_bool(faulted), faulted ? "<- faulted" : ""),
		cell_str(o->base >= 0 ? names[o->base] : NULL),
		o->base >= 0 ? value_cell(&o->pointer) : cell_none(), cell_str(o->pointer.text),
		cell_str(o->pointer.type), place || !o->memory ? cell_shown(cell_str(place), place ? place : "")
				    : cell_none(),
		cell_str(o->object), o->object ? cell_udec(o->offset) : cell_none(),
		o->memory ? cell_shown(cell_none(), "") : value_cell(&o->value));
	if (faulted)
		doc_row_style(doc, STYLE_BAD);
}

/* One sentence about the operand that faulted. */
static void add_sentence(const struct facts *facts, struct doc *doc, const struct fault_operand *o)
{
	const struct fault_site *site = &facts->fault;
	auto_strbuf text = { 0 };

	if (o->base >= 0 && o->pointer.known) {
		strbuf_addf(&text, "%s = 0x%" PRIx64, facts->session->arch->reg_names[o->base],
			    o->pointer.value);
		if (o->pointer.text)
			strbuf_addf(&text, " is %s", o->pointer.text);
		if (o->pointer.type)
			strbuf_addf(&text, " (%s)", o->pointer.type);
		strbuf_add(&text, ", ");
	}
	strbuf_addf(&text, "and %s %u byte%s at 0x%" PRIx64, o->written ? "writing" : "reading",
		    o->size, o->size == 1 ? "" : "s", site->address);
	if (o->place)
		strbuf_addf(&text, ", %s (0x%" PRIx64 " in %s)", o->place, o->offset, o->object);
	strbuf_add(&text, ", failed");
	doc_field(doc, "sentence", "THAT IS", cell_str(strbuf_text(&text)));
}

/* What was compared; below zero where that is how it was taken. */
static struct cell side_cell(struct doc *doc, const struct fault_condition *c,
			     const struct fault_value *v)
{
	unsigned unused = c->size < 8 ? 64 - c->size * 8 : 0;
	int64_t number = (int64_t)(v->value << unused) >> unused;

	if (!v->known || !c->is_signed || number >= 0)
		return value_cell(v);
	return cell_shown(cell_hex(v->value),
			  arena_printf(&doc->arena, "%" PRId64 " (0x%" PRIx64 ")", number,
				       v->value));
}

static const char *note_of(struct doc *doc, const struct fault_condition *c)
{
	uint64_t cell = c->left.cell ? c->left.cell : c->right.cell;
	bool again = c->left.again || c->right.again;

	if (!cell)
		return again ? "memory read again: it may have changed" : "";
	return arena_printf(&doc->arena, "%s is at %016" PRIx64 "%s",
			    c->left.cell ? "left" : "right", cell,
			    again ? ", read again: it may have changed" : "");
}

static struct cell cell_of(const struct fault_value *v)
{
	return v->cell ? cell_hex(v->cell) : cell_none();
}

static void add_conditions(struct doc *doc, const struct fault_view *view, unsigned count)
{
	doc_table(doc, "conditions", condition_columns, array_size(condition_columns));
	for (unsigned i = 0; i < view->condition_count && i < count; i++) {
		const struct fault_condition *c = &view->condition[i];
		doc_row(doc, cell_address(c->at), cell_str(c->text), side_cell(doc, c, &c->left),
			c->alone ? cell_shown(cell_none(), "") : side_cell(doc, c, &c->right),
			cell_bool(c->left.again || c->right.again), cell_of(&c->left),
			cell_of(&c->right), cell_str(note_of(doc, c)));
	}
	doc_end(doc);
}

static void add_bug(const struct facts *facts, struct doc *doc)
{
	struct bug_site bug;

	if (facts->fault.trap != TRAP_INVALID_OPCODE ||
	    !bug_at(facts->session, facts->fault.pc, &bug))
		return;
	doc_record(doc, "bug", NULL);
	doc_field(doc, "warning", NULL, cell_bool(bug.warning));
	if (*bug.file)
		doc_fieldf(doc, "place", bug.warning ? "WARN()" : "BUG()", "%s:%u", bug.file,
			   bug.line);
	doc_end(doc);
}

/* A call to nowhere: the frame below called; where did it have the pointer from? */
static void add_call(const struct facts *facts, struct doc *doc)
{
	size_t caller = facts->fault.frame + 1;
	struct fault_view view;

	if (!facts->fault.pc_is_wild || caller >= facts->stack.count ||
	    !facts->stack.frames[caller].is_call)
		return;
	fault_view(facts->session, &facts->stack, caller, &view);
	doc_record(doc, "call", NULL);
	doc_field(doc, "caller", "CALLED BY", cell_str(facts_frame_text(facts, caller)));
	if (view.has_target) {
		doc_field(doc, "through", "THROUGH", cell_str(view.target_cell));
		doc_field_styled(doc, "pointer", view.target.text ? "POINTER" : NULL, STYLE_STRONG,
				 cell_str(view.target.text));
		doc_field(doc, "cell", view.has_target_address ? "READ FROM" : NULL,
			  view.has_target_address ? cell_address(view.target_address)
						  : cell_none());
		doc_field(doc, "cell_now", view.target.again ? "WHICH HOLDS" : NULL,
			  view.target.again ? cell_hex(view.target.value) : cell_none());
	}
	doc_end(doc);
	fault_view_deinit(&view);
}

static void add_view(const struct facts *facts, struct doc *doc, const struct fault_view *view)
{
	const struct fault_operand *bad = NULL;
	bool bug = facts->fault.trap == TRAP_INVALID_OPCODE;

	for (unsigned i = 0; i < view->operand_count; i++) {
		if (is_faulting(&facts->fault, &view->operand[i]))
			bad = &view->operand[i];
	}
	if (bad)
		add_sentence(facts, doc, bad);
	doc_table(doc, "operands", operand_columns, array_size(operand_columns));
	if (!view->operand_count)
		doc_hidden(doc);
	for (unsigned i = 0; i < view->operand_count; i++)
		add_operand(facts, doc, &view->operand[i]);
	doc_end(doc);
	/* What led there matters where the code itself chose to stop. */
	if (bug && view->condition_count)
		add_conditions(doc, view, FAULT_CONDITIONS_MAX);
}

static void show(const struct facts *facts, struct doc *doc)
{
	const struct fault_site *site = &facts->fault;
	struct fault_view view;

	doc_record(doc, "fault", NULL);
	doc_field(doc, "trap", "TRAP", cell_str(trap_name(site->trap)));
	doc_field_styled(doc, "at", "AT", STYLE_STRONG,
			 cell_str(facts_frame_text(facts, site->frame)));
	doc_field(doc, "pc", NULL, cell_address(site->pc));
	doc_field(doc, "instruction", site->has_insn && !site->pc_is_wild ? "INSTRUCTION" : NULL,
		  site->has_insn && !site->pc_is_wild ? cell_str(site->insn_text) : cell_none());
	doc_field(doc, "address", site->has_address ? "ADDRESS" : NULL,
		  site->has_address ? cell_address(site->address) : cell_none());
	doc_field(doc, "address_source", NULL, cell_str(site->address_source));
	doc_field(doc, "access", NULL,
		  !site->access_known ? cell_none()
				      : cell_str(site->execute ? "execute"
						 : site->write ? "write" : "read"));
	add_bug(facts, doc);
	if (!site->pc_is_wild) {
		fault_view(facts->session, &facts->stack, site->frame, &view);
		add_view(facts, doc, &view);
		if (view.why)
			doc_remark(doc, REMARK_NOTE, "no names: %s", view.why);
		fault_view_deinit(&view);
	}
	add_call(facts, doc);
	doc_end(doc);
}

static struct error *run_fault(struct command_args *args)
{
	struct options options;
	struct facts facts;

	struct error *err = options_parse(args, NULL, 0, &options);
	if (!err && options.word_count)
		err = error_new(ERROR_USAGE, "no words are taken");
	if (err)
		return err;
	facts_gather(&facts, args->session, &args->doc->arena);
	if (facts.fault.trap == TRAP_NONE || facts.fault.frame >= facts.stack.count)
		doc_remark(args->doc, REMARK_NOTE,
			   "no CPU exception ended this kernel, as far as the stack tells");
	else
		show(&facts, args->doc);
	facts_deinit(&facts);
	return NULL;
}

const struct command command_fault = {
	.name = "fault",
	.usage = "",
	.summary = "the instruction at which the CPU stopped, explained",
	.help = "Which operand of the instruction faulted, by which register, and what that is in C as\n"
		"far as value flow tells: \"missing->weight\" where missing, a parameter, is NULL. Of a\n"
		"BUG(): the comparisons that the code had passed, the last one first, with what was\n"
		"compared. Of a division: the divisor. Of a call to nowhere: where the pointer came\n"
		"from. Values marked as read again come from memory that may have changed since.\n"
		"Examples: fault",
	.run = run_fault,
};
