// SPDX-License-Identifier: LGPL-2.1-or-later
/* callers, callees: who calls a function, and what it calls, by the code in the dump. */
#include "forensics/callers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "commands/args.h"
#include "commands/table.h"
#include "forensics/writers.h"

enum { OPT_NO_DATA };

static const struct option callers_option_table[] = { [OPT_NO_DATA] = { "c", false } };

static const struct column caller_columns[] = {
	{ .key = "kind" },
	{ .title = "HOW" },
	{ .key = "module", .title = "MODULE" },
	{ .key = "tainting" },
	{ .title = "FROM", .style = STYLE_STRONG },
	{ .key = "symbol" },
	{ .key = "offset" },
	{ .key = "address", .title = "ADDRESS" },
	{ .key = "instruction", .title = "INSTRUCTION" },
	{ .key = "through" },
};

static const char *const kinds[] = {
	[REFERENCE_CALL] = "call",
	[REFERENCE_JUMP] = "jump",
	[REFERENCE_ADDRESS] = "address",
	[REFERENCE_DATA] = "data",
};

static const char *const kind_words[] = {
	[REFERENCE_CALL] = "calls",
	[REFERENCE_JUMP] = "tail call",
	[REFERENCE_ADDRESS] = "takes its address",
	[REFERENCE_DATA] = "points to it",
};

static void symbol_text(const struct symbol *symbol, uint64_t address, char *buf, size_t size)
{
	if (address == symbol->address)
		snprintf(buf, size, "%s", symbol->name);
	else
		snprintf(buf, size, "%s+0x%" PRIx64, symbol->name, address - symbol->address);
}

static void add_reference(struct command_args *args, const struct reference *r)
{
	struct session *s = args->session;
	char text[256] = "", shown[300] = "?", through[200] = "";
	struct symbol symbol;
	bool tainting = module_suspicion(s, r->module) == 0;
	bool code = r->kind != REFERENCE_DATA;

	bool named = symbols_by_address(s->symbols, r->at, &symbol);
	if (named)
		symbol_text(&symbol, r->at, shown, sizeof(shown));
	if (code)
		instruction_text(s, r->at, text, sizeof(text));
	if (r->through)
		address_name(s, r->through, through, sizeof(through));
	doc_row(args->doc, cell_str(kinds[r->kind]), cell_str(kind_words[r->kind]),
		cell_shown(cell_str(r->module ? r->module->name : NULL),
			   r->module ? r->module->name : "kernel"),
		cell_bool(tainting), cell_shown(cell_none(), shown),
		cell_str(named ? symbol.name : NULL),
		named ? cell_udec(r->at - symbol.address) : cell_none(), cell_address(r->at),
		code ? cell_str(text) : cell_shown(cell_none(), ""),
		cell_str(*through ? through : NULL));
}

static struct error *function_start(struct session *s, const char *word, struct symbol *symbol)
{
	uint64_t address;
	struct error *err = parse_address(s, word, &address);

	if (err)
		return err;
	if (!s->symbols || !symbols_by_address(s->symbols, address, symbol) ||
	    !symbols_is_text(s->symbols, address))
		return error_new(ERROR_NOT_FOUND, "%s is in no function", word);
	return NULL;
}

static void add_search_remarks(struct doc *doc, const struct references *found, size_t shown)
{
	doc_record(doc, "searched", NULL);
	doc_hidden(doc);
	doc_field(doc, "functions", NULL, cell_udec(found->scan.functions));
	doc_field(doc, "bytes", NULL, cell_udec(found->scan.bytes));
	doc_field(doc, "missing_bytes", NULL, cell_udec(found->scan.holes));
	doc_field(doc, "data_bytes", NULL, cell_udec(found->data_bytes));
	doc_field(doc, "missing_data_bytes", NULL, cell_udec(found->data_holes));
	doc_end(doc);
	if (found->scan.holes)
		doc_remark(doc, REMARK_HOLE, "%" PRIu64 " bytes of code are not in the dump",
			   found->scan.holes);
	if (!shown && !found->interrupted)
		doc_remark(doc, REMARK_NOTE,
			   "nothing names it: it was inlined, or its address is computed");
}

static struct error *run_callers(struct command_args *args)
{
	struct references found;
	struct options options;
	struct symbol symbol;
	size_t shown = 0;

	struct error *err = options_parse(args, callers_option_table,
					  array_size(callers_option_table), &options);
	if (!err && options.word_count != 1)
		err = error_new(ERROR_USAGE, "which function?");
	if (!err)
		err = function_start(args->session, options.words[0], &symbol);
	if (err)
		return err;
	doc_field(args->doc, "function", NULL, cell_str(symbol.name));
	doc_field(args->doc, "address", NULL, cell_address(symbol.address));
	callers_find(args->session, symbol.address, &found);
	doc_table(args->doc, "callers", caller_columns, array_size(caller_columns));
	for (size_t i = 0; i < found.count; i++) {
		if (found.data[i].kind >= REFERENCE_ADDRESS && options.set[OPT_NO_DATA])
			continue;
		add_reference(args, &found.data[i]);
		shown++;
	}
	doc_end(args->doc);
	add_search_remarks(args->doc, &found, shown);
	references_deinit(&found);
	return NULL;
}

const struct command command_callers = {
	.name = "callers",
	.usage = "[-c] FUNCTION",
	.summary = "who calls a function, or keeps its address",
	.help = "Searches the code of the kernel and of all modules for calls of and jumps to FUNCTION,\n"
		"and for places that take its address; then the kernel's and the modules' data for\n"
		"pointers to it. Modules that taint the kernel come first.\n"
		"  -c        calls and jumps only\n"
		"Calls through pointers are not told by the code: \"refs FUNCTION\" finds pointers in all\n"
		"memory.\n"
		"Examples: callers vfs_read | callers -c kfree",
	.run = run_callers,
};

/* --- callees --- */

static const struct column callee_columns[] = {
	{ .key = "offset" },
	{ .title = "AT", .style = STYLE_FAINT },
	{ .key = "address" },
	{ .key = "kind" },
	{ .key = "indirect", .title = "HOW" },
	{ .key = "target" },
	{ .key = "symbol" },
	{ .title = "CALLS", .style = STYLE_STRONG },
	{ .key = "register" },
	{ .key = "memory" },
	{ .key = "through" },
	{ .title = "", .style = STYLE_FAINT },
};

/* "0x18(%rbx)", in AT&T syntax as the instructions. */
static void memory_text(struct session *s, const struct insn_memory *m, struct strbuf *text)
{
	const char *const *names = s->arch->reg_names;

	if (m->per_cpu)
		strbuf_add(text, "%gs:");
	if (m->absolute) {
		strbuf_addf(text, "0x%" PRIx64, (uint64_t)m->displacement);
		return;
	}
	if (m->displacement < 0)
		strbuf_addf(text, "-0x%" PRIx64, -(uint64_t)m->displacement);
	else if (m->displacement)
		strbuf_addf(text, "0x%" PRIx64, (uint64_t)m->displacement);
	strbuf_add(text, "(");
	if (m->base >= 0)
		strbuf_addf(text, "%%%s", names[m->base]);
	if (m->index >= 0)
		strbuf_addf(text, ",%%%s,%u", names[m->index], m->scale);
	strbuf_add(text, ")");
}

static void add_callee(struct command_args *args, const struct callees *all,
		       const struct callee *c)
{
	struct session *s = args->session;
	char through[200] = "", at[48], shown[400] = "?";
	auto_strbuf memory = { 0 }, note = { 0 };
	struct symbol symbol;
	bool cold = c->at - all->start >= all->end - all->start;
	uint64_t offset = c->at - (cold ? all->cold_start : all->start);

	bool named = c->target && symbols_by_address(s->symbols, c->target, &symbol);
	if (c->has_memory)
		memory_text(s, &c->memory, &memory);
	if (c->through)
		address_name(s, c->through, through, sizeof(through));
	if (named)
		symbol_text(&symbol, c->target, shown, sizeof(shown));
	else if (c->target)
		snprintf(shown, sizeof(shown), "0x%" PRIx64, c->target);
	else if (c->has_memory)
		snprintf(shown, sizeof(shown), "*%s", strbuf_text(&memory));
	else if (c->reg >= 0)
		snprintf(shown, sizeof(shown), "*%%%s", s->arch->reg_names[c->reg]);
	if (c->through)
		strbuf_addf(&note, "%s %s", c->indirect ? "the pointer in" : "static call", through);
	else if (c->has_memory && c->reg >= 0)
		strbuf_addf(&note, "by way of %%%s", s->arch->reg_names[c->reg]);
	snprintf(at, sizeof(at), "%s+0x%" PRIx64, cold ? "cold" : "", offset);
	doc_row(args->doc, cell_udec(offset), cell_shown(cell_none(), at), cell_address(c->at),
		cell_str(c->jump ? "jump" : "call"),
		cell_shown(cell_bool(c->indirect), c->indirect ? (c->jump ? "indirect tail call"
									    : "indirect call")
						  : c->jump ? "tail call" : "call"),
		c->target ? cell_address(c->target) : cell_none(),
		cell_str(named ? symbol.name : NULL), cell_shown(cell_none(), shown),
		cell_str(c->reg >= 0 ? s->arch->reg_names[c->reg] : NULL),
		cell_str(c->has_memory ? strbuf_text(&memory) : NULL),
		cell_str(*through ? through : NULL), cell_str(strbuf_text(&note)));
}

static struct error *run_callees(struct command_args *args)
{
	struct callees found;
	struct options options;
	struct symbol symbol;

	struct error *err = options_parse(args, NULL, 0, &options);
	if (!err && options.word_count != 1)
		err = error_new(ERROR_USAGE, "which function?");
	if (!err)
		err = function_start(args->session, options.words[0], &symbol);
	if (!err)
		err = callees_find(args->session, symbol.address, &found);
	if (err)
		return err;
	doc_field(args->doc, "function", NULL, cell_str(symbol.name));
	doc_field(args->doc, "address", NULL, cell_address(symbol.address));
	doc_table(args->doc, "callees", callee_columns, array_size(callee_columns));
	for (size_t i = 0; i < found.count; i++)
		add_callee(args, &found, &found.data[i]);
	doc_end(args->doc);
	if (!found.count)
		doc_remark(args->doc, REMARK_NOTE, "%s calls nothing", symbol.name);
	if (found.holes)
		doc_remark(args->doc, REMARK_HOLE, "not all of its code is in the dump");
	callees_deinit(&found);
	return NULL;
}

const struct command command_callees = {
	.name = "callees",
	.usage = "FUNCTION",
	.summary = "what a function calls",
	.help = "The calls in a function's code, in order, with those in the part that the compiler put\n"
		"elsewhere (NAME.cold). Of calls through a pointer: the memory that the pointer is read\n"
		"from, and where it goes at the moment of the dump when that is a variable. Static calls\n"
		"show where they go now.\n"
		"Examples: callees vfs_read",
	.run = run_callees,
};
