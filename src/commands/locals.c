// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * locals: arguments and local variables of a frame, with where each was found or why it is lost.
 *
 *	file = 0xffff888003a41c00        struct file *, argument, in rbp
 *	ret = ?                          ssize_t: optimised out
 *
 * A value is printed by the session's types where these know the type's name and agree on its size,
 * else as the debug file's kind of number.
 */
#include "commands/locals.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "commands/args.h"
#include "commands/table.h"
#include "unwind/variables.h"

enum { SYMBOL_REACH = 1 << 16, TEXT_MAX = 64, SHOWN_BYTES_MAX = 32 };

static uint64_t number_of(const struct variable *v, bool is_signed)
{
	uint64_t value = 0;
	unsigned unused;

	memcpy(&value, v->bytes, (size_t)min_u64(v->size, sizeof(value)));
	if (!is_signed || !v->size || v->size >= sizeof(value))
		return value;
	unused = 64 - (unsigned)v->size * 8;
	return (uint64_t)((int64_t)(value << unused) >> unused);
}

/* The text that a char pointer points to, if it is some. */
static void add_string(struct session *s, const struct variable *v, uint64_t address,
		       struct strbuf *out)
{
	char text[TEXT_MAX + 1] = "";
	size_t got, n = 0;

	if (strcmp(v->type, "char *") != 0 && strcmp(v->type, "const char *") != 0)
		return;
	got = memory_read_some(s->memory, address, text, TEXT_MAX);
	text[got] = '\0';
	while (text[n] && (isprint((unsigned char)text[n]) || text[n] == '\n'))
		n++;
	/* Bytes that are no text end it, unless they come first. */
	if (!n || (n < got && text[n]))
		return;
	strbuf_add(out, " \"");
	for (size_t i = 0; i < n; i++)
		strbuf_add(out, text[i] == '\n' ? "\\n" : (char[]){ text[i], '\0' });
	strbuf_add(out, n == TEXT_MAX ? "\"..." : "\"");
}

static void add_pointer(struct session *s, const struct variable *v, struct strbuf *out)
{
	uint64_t address = number_of(v, false);
	struct symbol symbol;
	char name[320];

	strbuf_addf(out, "0x%" PRIx64, address);
	/* Behind a symbol of read-only data are mostly things that have none, as string constants.
	 */
	if (s->symbols && symbols_by_address(s->symbols, address, &symbol) &&
	    (address == symbol.address || !strchr("rR", symbol.type)) &&
	    address - symbol.address < (symbol.size ? symbol.size : SYMBOL_REACH)) {
		address_name(s, address, name, sizeof(name));
		if (name[0])
			strbuf_addf(out, " <%s>", name);
	}
	add_string(s, v, address, out);
}

static void name_address(void *ctx, uint64_t address, char *buf, size_t size)
{
	address_name(ctx, address, buf, size);
}

static void add_aggregate(struct session *s, const struct variable *v, bool whole,
			  struct strbuf *out)
{
	struct value_format format = { .name_address = name_address, .ctx = s, .indent = 1 };
	auto_free struct value_hole *holes = xcalloc(v->gap_count + 1, sizeof(*holes));
	struct type type;

	for (unsigned i = 0; i < v->gap_count; i++)
		holes[i] = (struct value_hole){ v->gaps[i].start, v->gaps[i].end };
	format.holes = holes;
	format.hole_count = v->gap_count;
	format.hole_text = "optimised out";
	if (whole && types_find(s->types, v->type, &type) && type_size(type) == v->size) {
		type_format_value(type, v->bytes, (size_t)v->size, &format, out);
		return;
	}
	strbuf_add(out, "{...}");
	if (v->size > SHOWN_BYTES_MAX || !whole || v->gap_count)
		return;
	for (uint64_t i = 0; i < v->size; i++)
		strbuf_addf(out, "%s%02x", i % 8 ? "" : " ", v->bytes[i]);
}

static void add_value(struct session *s, const struct variable *v, bool whole, struct strbuf *out)
{
	if (v->state != VARIABLE_KNOWN) {
		strbuf_add_char(out, '?');
		return;
	}
	if (!v->bytes || v->kind == VARIABLE_AGGREGATE) {
		if (v->bytes)
			add_aggregate(s, v, whole, out);
		else
			strbuf_add(out, "{...}");
		return;
	}
	uint64_t value = number_of(v, false);
	switch (v->kind) {
	case VARIABLE_SIGNED:
		strbuf_addf(out, "%" PRId64, (int64_t)number_of(v, true));
		break;
	case VARIABLE_UNSIGNED:
		strbuf_addf(out, "%" PRIu64, value);
		if (value > UINT32_MAX)
			strbuf_addf(out, " (0x%" PRIx64 ")", value);
		break;
	case VARIABLE_BOOL:
		if (value > 1)
			strbuf_addf(out, "%" PRIu64 " (no bool)", value);
		else
			strbuf_add(out, value ? "true" : "false");
		break;
	case VARIABLE_CHAR:
		strbuf_addf(out, "%" PRId64, (int64_t)number_of(v, true));
		if (value < 0x80 && isprint((int)value))
			strbuf_addf(out, " '%c'", (char)value);
		break;
	case VARIABLE_POINTER:
		add_pointer(s, v, out);
		break;
	case VARIABLE_ENUM:
		if (v->enumerator)
			strbuf_add(out, v->enumerator);
		else
			strbuf_addf(out, "%" PRId64, (int64_t)number_of(v, true));
		break;
	default:
		strbuf_addf(out, "0x%" PRIx64, value);
		break;
	}
}

/* "in rbp", "memory at 0x...", or why there is none. */
static void add_origin(const struct variable *v, struct strbuf *out)
{
	if (v->state != VARIABLE_KNOWN) {
		strbuf_add(out, v->why);
		return;
	}
	if (v->guess)
		strbuf_add(out, "guess: ");
	if (v->has_address)
		strbuf_addf(out, "at 0x%" PRIx64, v->address);
	else
		strbuf_add(out, v->where);
	if (v->at_call && !v->has_address)
		strbuf_add(out, " at the call");
	if (v->derived)
		strbuf_add(out, ", if memory did not change since the call");
}

/* As rows on a page only; text has lines for each. */
static const struct column columns[] = {
	{ .key = "name", .title = "variable", .style = STYLE_STRONG },
	{ .key = "type", .title = "type", .style = STYLE_FAINT },
	{ .key = "value", .title = "value" },
	{ .key = "number" },
	{ .key = "state" },
	{ .key = "where", .title = "where", .style = STYLE_FAINT },
	{ .key = "why" },
	{ .key = "derived" },
	{ .key = "address" },
	{ .key = "size" },
	{ .key = "function" },
	{ .key = "inlined" },
	{ .key = "parameter" },
	{ .key = "guess" },
};

static const char *const state_names[] = {
	[VARIABLE_KNOWN] = "known",
	[VARIABLE_OPTIMISED_OUT] = "optimised-out",
	[VARIABLE_REGISTER_LOST] = "register-lost",
	[VARIABLE_NOT_IN_DUMP] = "not-in-dump",
	[VARIABLE_NO_ENTRY_VALUE] = "no-entry-value",
	[VARIABLE_UNSUPPORTED] = "unsupported",
};

static void add_row(struct doc *doc, const struct variable *v, const char *value)
{
	auto_strbuf origin = { 0 };
	bool known = v->state == VARIABLE_KNOWN;
	bool number = known && v->bytes && v->size <= 8 && v->kind != VARIABLE_AGGREGATE;

	add_origin(v, &origin);
	doc_row(doc, cell_str(v->name), cell_str(v->type), cell_str(known ? value : NULL),
		number ? cell_hex(number_of(v, false)) : cell_none(),
		cell_str(state_names[v->state]),
		cell_shown(cell_str(known ? v->where : NULL), strbuf_text(&origin)),
		cell_str(known ? NULL : v->why), cell_bool(v->derived),
		v->has_address ? cell_hex(v->address) : cell_none(),
		v->size ? cell_udec(v->size) : cell_none(), cell_str(v->function),
		cell_bool(v->inlined), cell_bool(v->parameter), cell_bool(v->guess));
	doc_row_in(doc, DOC_IN_JSON | DOC_IN_HTML);
}

static void add_lines(struct doc *doc, const struct variable *v, const char *value)
{
	auto_strbuf origin = { 0 };
	const char *line = value;

	add_origin(v, &origin);
	const char *end = strchr(line, '\n');
	if (!end) {
		doc_textf(doc, v->state == VARIABLE_KNOWN ? STYLE_PLAIN : STYLE_FAINT,
			  "    %s = %s%s  (%s%s: %s)", v->name, value, v->guess ? " ?" : "",
			  v->type, v->parameter ? ", argument" : "", strbuf_text(&origin));
		doc_row_in(doc, DOC_IN_TEXT);
		return;
	}
	doc_textf(doc, STYLE_PLAIN, "    %s  (%s%s: %s) =", v->name, v->type,
		  v->parameter ? ", argument" : "", strbuf_text(&origin));
	doc_row_in(doc, DOC_IN_TEXT);
	for (; line; line = end ? end + 1 : NULL) {
		end = strchr(line, '\n');
		doc_textf(doc, STYLE_PLAIN, "    %.*s", end ? (int)(end - line) : (int)strlen(line),
			  line);
		doc_row_in(doc, DOC_IN_TEXT);
	}
}

size_t locals_add(struct session *session, struct doc *doc, const struct stack *stack, size_t index,
		  bool whole)
{
	struct variables all;
	const char *function = NULL;

	frame_variables(session->unwinder, stack, index, &all);
	doc_table(doc, "variables", columns, array_size(columns));
	doc_bare(doc);
	vec_for_each (v, &all) {
		auto_strbuf value = { 0 };
		add_value(session, v, whole, &value);
		if (!function || strcmp(function, v->function) != 0)
			doc_textf(doc, STYLE_FAINT, "  %s%s:", v->function,
				  v->inlined ? " (inlined)" : "");
		function = v->function;
		add_row(doc, v, strbuf_text(&value));
		add_lines(doc, v, strbuf_text(&value));
	}
	doc_end(doc);
	size_t count = all.count;
	variables_deinit(&all);
	return count;
}

/* --- The command. --- */

enum { OPT_FRAME };

static const struct option option_table[] = { [OPT_FRAME] = { "f", true } };

static void add_frame(struct session *s, struct doc *doc, const struct stack *stack, size_t index)
{
	const struct frame *frame = &stack->frames[index];
	char name[320];

	address_name(s, frame->pc - frame->is_call, name, sizeof(name));
	doc_record(doc, NULL, NULL);
	doc_heading(doc, "#%zu %s", index, name);
	doc_field(doc, "level", NULL, cell_udec(index));
	doc_field(doc, "pc", NULL, cell_hex(frame->pc));
	doc_field(doc, "place", NULL, cell_str(name));
	if (!locals_add(s, doc, stack, index, true))
		doc_textf(doc, STYLE_FAINT, "    %s",
			  frame->how == FRAME_SCAN ? "the frame is a guess" : "none known");
	doc_end(doc);
}

static struct error *show_frames(struct command_args *args, const struct stack *stack,
				 const char *which, size_t chosen)
{
	uint64_t only = chosen;

	if (which) {
		struct error *err = parse_count(which, &only);
		if (err)
			return err;
	}
	if (only >= stack->count)
		return error_new(ERROR_NOT_FOUND, "the stack has frames #0 to #%zu only",
				 stack->count - 1);
	doc_array(args->doc, "frames", NULL);
	for (size_t i = (size_t)only; i < stack->count; i++) {
		add_frame(args->session, args->doc, stack, i);
		if (which || chosen)
			break;
	}
	doc_end(args->doc);
	return NULL;
}

static bool any_debuginfo(struct session *s, const struct stack *stack)
{
	for (size_t i = 0; i < stack->count; i++) {
		const struct frame *frame = &stack->frames[i];
		if (s->debuginfo && debuginfo_of(s->debuginfo, frame->pc - frame->is_call))
			return true;
	}
	return false;
}

static struct error *run_locals(struct command_args *args)
{
	struct session *s = args->session;
	const struct task *task;
	struct options options;
	struct stack stack = { 0 };
	struct error *err = options_parse(args, option_table, array_size(option_table), &options);

	if (!err && options.word_count > 1)
		err = error_new(ERROR_USAGE, "give one PID or TASK");
	if (!err)
		err = task_or_current(s, options.word_count ? options.words[0] : NULL, &task);
	if (err)
		return err;
	task_stack(s, task, &stack);
	if (s->unwinder)
		unwind_registers(s->unwinder, &stack, NULL);
	if (!stack.count)
		doc_remark(args->doc,
			   stack.end == STACK_END_USER || task_stack_freed(task) ? REMARK_NOTE
										: REMARK_HOLE,
			   "the task has no stack in the kernel: %s",
			   stack.reason[0] ? stack.reason : "it ran in user mode");
	else if (!any_debuginfo(s, &stack))
		doc_remark(args->doc, REMARK_HOLE,
			   "variables are described in debug files, and there is none for these "
			   "frames");
	else
		err = show_frames(args, &stack, options.value[OPT_FRAME],
				  options.word_count ? 0 : s->context.frame);
	stack_deinit(&stack);
	return err;
}

const struct command command_locals = {
	.name = "locals",
	.usage = "[-f FRAME] [PID|TASK]",
	.summary = "arguments and local variables of a task's frames",
	.help = "Of the task that crashed, unless one is given. Needs the kernel's debug files.\n"
		"  -f FRAME  of this frame only, by its number in bt (else of the chosen one, or "
		"of all)\n"
		"Each value says where it was: a register, memory, a constant, or that the "
		"caller's\n"
		"debug information gave it; each that is lost says why.\n"
		"Examples: locals | locals 1",
	.run = run_locals,
};
