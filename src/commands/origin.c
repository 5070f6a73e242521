// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * origin: where the value in a register came from, as one sentence and as a tree:
 *
 *	rdi = 0x0 in channel_store was channel, argument 1 of channel_store; read from ...
 *	  #0 channel = 0x0: channel, argument 1 of channel_store
 *	    #1 ... = 0x0: read from session->channel, at ffff..., which still holds it
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/strbuf.h"
#include "commands/args.h"
#include "commands/expression.h"
#include "commands/table.h"
#include "forensics/args.h"
#include "forensics/origin.h"
#include "forensics/text_origin.h"
#include "forensics/whatis.h"
#include "kernel/context.h"
#include "kernel/text.h"

static const struct column columns[] = {
	{ .key = "depth" }, { .key = "kind" }, { .key = "frame" },    { .key = "function" },
	{ .key = "at" },    { .key = "line" }, { .key = "name" },     { .key = "value" },
	{ .key = "sure" },  { .key = "cell" }, { .key = "cell_now" }, { .key = "what" },
	{ .key = "text" },
};

/* "file:line" of an instruction, where a debug file tells; "". */
static void source_of(struct session *s, uint64_t at, char *buf, size_t size)
{
	struct source_frame source[SOURCE_FRAMES_MAX];

	*buf = '\0';
	if (at && s->debuginfo && debuginfo_frames(s->debuginfo, at, source) &&
	    source[0].at.file && source[0].at.line)
		snprintf(buf, size, "%s:%u", source[0].at.file, source[0].at.line);
}

static void add_step(struct session *s, struct doc *doc, const struct stack *stack,
		     const struct origin_step *step)
{
	const struct frame *frame = &stack->frames[step->frame];
	char function[256] = "?", line[512], value[32] = "";
	struct symbol symbol;

	if (symbols_by_address(s->symbols, frame->pc - frame->is_call, &symbol))
		snprintf(function, sizeof(function), "%s", symbol.name);
	source_of(s, step->kind == ORIGIN_ARGUMENT ? 0 : step->at, line, sizeof(line));
	if (step->known)
		snprintf(value, sizeof(value), "0x%" PRIx64 "%s: ", step->value,
			 step->memory ? " ?" : "");
	doc_row(doc, cell_udec(step->depth), cell_str(origin_kind_name(step->kind)),
		cell_udec(step->frame), cell_str(function),
		step->at ? cell_hex(step->at) : cell_none(), cell_str(*line ? line : NULL),
		cell_str(step->name), step->known ? cell_hex(step->value) : cell_none(),
		cell_bool(step->known && !step->memory),
		step->cell ? cell_hex(step->cell) : cell_none(),
		step->cell_read ? cell_hex(step->cell_now) : cell_none(), cell_str(step->what),
		cell_str(step->text));
	doc_row_hide(doc);
	doc_textf(doc, step->kind == ORIGIN_END ? STYLE_FAINT : STYLE_PLAIN, "%*s#%zu %s%s%s%s",
		  (int)(2 + 2 * step->depth), "", step->frame, value, step->text,
		  *line ? "  " : "", line);
	if (step->what)
		doc_textf(doc, STYLE_FAINT, "%*s   %s", (int)(2 + 2 * step->depth), "",
			  step->what);
}

/* The register that a word names, with or without % or $; -1: none. */
static int register_of(const struct arch *arch, const char *word)
{
	if (*word == '%' || *word == '$')
		word++;
	for (unsigned i = 0; i < 16 && i < arch->reg_count; i++) {
		if (strcasecmp(arch->reg_names[i], word) == 0)
			return (int)i;
	}
	return -1;
}

/* The frame that was chosen, else the one that an exception interrupted, else the innermost. */
static size_t default_frame(const struct session *s, const struct stack *stack)
{
	if (s->context.frame < stack->count && s->context.frame)
		return s->context.frame;
	for (size_t i = 0; i < stack->count; i++) {
		if (stack->frames[i].has_regs)
			return i;
	}
	return 0;
}

/* An expression, with the frame's arguments as names. */
struct asked {
	struct expression x; /* first: its callbacks are given it */
	enum expr_found (*others)(void *ctx, const char *name, struct value *value,
				  struct error **err);
	const struct frame_args *args;
	struct origin_query pointer; /* the first argument or register named in it */
	bool has_pointer;
};

static enum expr_found lookup_argument(void *ctx, const char *name, struct value *value,
				       struct error **err)
{
	struct asked *a = ctx;
	const char *const *regs = a->x.session->arch->reg_names;
	struct origin_query pointer = { .asked = ORIGIN_OF_ARGUMENT };

	for (unsigned i = 0; i < 16 && *name == '$' && !a->has_pointer; i++) {
		a->has_pointer = strcasecmp(regs[i], name + 1) == 0;
		a->pointer = (struct origin_query){ .asked = ORIGIN_OF_REGISTER, .reg = i };
	}
	for (unsigned i = 0; i < a->args->count; i++) {
		const struct arg *arg = &a->args->args[i];
		if (strcmp(arg->name, name) != 0 || !arg->type.source)
			continue;
		if (arg->origin == ARG_UNKNOWN) {
			*err = error_new(ERROR_MISSING, "argument %s of %s: %s", name,
					 a->args->function ? a->args->function : "?",
					 arg->how ? arg->how : "not known");
			return EXPR_LOST;
		}
		pointer.name = arg->name;
		if (!a->has_pointer)
			a->pointer = pointer;
		a->has_pointer = true;
		*value = value_of_number(arg->type, arg->value);
		return EXPR_FOUND;
	}
	return a->others(ctx, name, value, err);
}

/* What @word is in the frame: a number, or a cell. */
static struct error *evaluate(struct asked *a, const char *word, uint64_t *number, bool *cell,
			      unsigned *size)
{
	struct value value;
	struct error *err;

	a->x.env.bare_hex = true;
	a->others = a->x.env.name;
	a->x.env.name = lookup_argument;
	a->x.env.locals_last = false;
	err = expression_parse(&a->x, word);
	if (!err)
		err = expression_eval(&a->x, &value);
	if (err)
		return err;
	uint64_t bytes = value.type.source ? type_size(value.type) : 0;
	enum type_kind kind = value.type.source ? type_kind(type_strip(value.type)) : TYPE_NONE;
	*cell = value_is_lvalue(&value) && !value.bit_size && bytes && bytes <= 8 &&
		(kind == TYPE_POINTER || kind == TYPE_INT || kind == TYPE_ENUM);
	*size = (unsigned)bytes;
	if (*cell || (value_is_lvalue(&value) && kind != TYPE_POINTER && kind != TYPE_INT)) {
		*number = value.address;
		return NULL;
	}
	return value_number(&a->x.env.value, &value, number);
}

static void show_steps(struct session *s, struct doc *doc, const struct stack *stack,
		       const struct origin *origin, uint64_t frame)
{
	doc_textf(doc, STYLE_STRONG, "%s", origin->sentence);
	doc_field(doc, "register", NULL, cell_str(origin->subject));
	doc_field(doc, "frame", NULL, cell_udec(frame));
	doc_field(doc, "sentence", NULL, cell_str(origin->sentence));
	doc_table(doc, "steps", columns, array_size(columns));
	doc_bare(doc);
	for (size_t i = 0; i < origin->count; i++)
		add_step(s, doc, stack, &origin->steps[i]);
	doc_end(doc);
}

static void show_cell(struct session *s, const struct task *task, struct doc *doc,
		      const char *word, uint64_t cell, unsigned size)
{
	uint8_t bytes[8] = { 0 };
	struct what what;

	whatis(s, task, cell, &what);
	bool read = memory_read(s->memory, cell, bytes, size) == READ_OK;
	doc_field(doc, "cell", NULL, cell_hex(cell));
	doc_field(doc, "cell_now", NULL, read ? cell_hex(load_u64(bytes)) : cell_none());
	doc_field(doc, "what", NULL, cell_str(what.kind == WHAT_UNKNOWN ? NULL : what.text));
	if (read)
		doc_textf(doc, STYLE_PLAIN, "%s is at %016" PRIx64 " and holds 0x%" PRIx64, word,
			  cell, load_u64(bytes));
	else
		doc_textf(doc, STYLE_PLAIN, "%s is at %016" PRIx64 ", which is not in the dump",
			  word, cell);
	if (what.kind != WHAT_UNKNOWN)
		doc_textf(doc, STYLE_FAINT, "   %s", what.text);
}

struct place_asked {
	struct session *session;
	const struct task *task;
	struct stack *stack;
	size_t frame;
};

static struct error *ask(const struct place_asked *p, const struct origin_query *query,
			 struct doc *doc)
{
	struct error *err = NULL;
	struct origin origin;

	origin_ask(p->session, p->task, p->stack, p->frame, query, &origin);
	if (!origin.why)
		show_steps(p->session, doc, p->stack, &origin, p->frame);
	else if (query->asked == ORIGIN_OF_VALUE)
		err = error_new(ERROR_NOT_FOUND, "0x%" PRIx64 " in frame #%zu: %s", query->value,
				p->frame, origin.why);
	else
		err = error_new(ERROR_NOT_FOUND, "frame #%zu: %s", p->frame, origin.why);
	origin_deinit(&origin);
	return err;
}

/* Of a cell: of a register that was loaded from it, else of the pointer that leads to it. */
static struct error *ask_cell(const struct place_asked *p, const struct asked *a,
			      const char *word, uint64_t cell, unsigned size, struct doc *doc)
{
	struct origin_query loaded = { .asked = ORIGIN_OF_CELL, .value = cell };
	struct error *err;

	show_cell(p->session, p->task, doc, word, cell, size);
	err = ask(p, &loaded, doc);
	if (err && a->has_pointer) {
		error_free(err);
		err = ask(p, &a->pointer, doc);
	}
	if (err)
		doc_textf(doc, STYLE_FAINT, "nothing in frame #%zu was read from it", p->frame);
	error_free(err);
	return NULL;
}

static struct error *ask_expression(const struct place_asked *p, const char *word,
				    struct doc *doc)
{
	struct session *s = p->session;
	uint64_t task = s->context.task;
	size_t frame = s->context.frame;
	struct origin_query query = { .asked = ORIGIN_OF_VALUE };
	struct stack_args args;
	struct asked a = { 0 };
	unsigned size = 0;
	bool cell = false;

	s->context.task = p->task ? p->task->address : 0;
	s->context.frame = p->frame;
	stack_args_find(s, p->task, p->stack, &args);
	expression_init(&a.x, s);
	a.args = &args.frames[p->frame];
	struct error *err = evaluate(&a, word, &query.value, &cell, &size);
	s->context.task = task;
	s->context.frame = frame;
	if (!err && cell)
		err = ask_cell(p, &a, word, query.value, size, doc);
	else if (!err)
		err = ask(p, &query, doc);
	expression_deinit(&a.x);
	stack_args_deinit(&args);
	return err;
}

static struct error *show(struct command_args *args, const struct task *task,
			  struct stack *stack, const struct options *options)
{
	struct session *s = args->session;
	uint64_t frame = default_frame(s, stack);
	struct error *err = NULL;
	int words = options->word_count;

	/* "((struct x *)1)->y 2": the last word is the frame when it is a number. */
	if (words > 1 && options->words[words - 1][strspn(options->words[words - 1],
							    "0123456789")] == '\0')
		err = parse_count(options->words[--words], &frame);
	auto_strbuf joined = { 0 };
	for (int i = 0; i < words; i++)
		strbuf_addf(&joined, "%s%s", i ? " " : "", options->words[i]);
	const char *word = strbuf_text(&joined);
	struct origin_query query = { .asked = ORIGIN_OF_ARGUMENT, .name = word };
	int reg = register_of(s->arch, word);
	if (!err && frame >= stack->count)
		err = error_new(ERROR_NOT_FOUND, "the stack has frames #0 to #%zu only",
				stack->count - 1);
	if (err)
		return err;
	const struct place_asked place = { s, task, stack, (size_t)frame };
	if (reg >= 0) {
		query = (struct origin_query){ .asked = ORIGIN_OF_REGISTER, .reg = (unsigned)reg };
		return ask(&place, &query, args->doc);
	}
	err = ask(&place, &query, args->doc);
	if (!err)
		return NULL;
	error_free(err);
	return ask_expression(&place, word, args->doc);
}

/* A text has no memory and no code but the bytes that it shows: of the fault's registers only. */
static struct error *text_register(struct command_args *args, const char *word)
{
	struct session *s = args->session;
	int reg = register_of(s->arch, word);
	struct code_window w;
	struct text_origin o;
	size_t at = text_window(s, &w) ? w.at : 0;
	struct text_check check;

	/* Of a BUG() its check is asked: what led from there to the trap may be a jump. */
	if (text_check(s, &args->doc->arena, &check) && check.reg == reg)
		at = check.compare;
	if (reg < 0)
		return error_new(ERROR_NOT_FOUND, "a text has no memory: only of a register of the "
				 "fault can be said where it came from");
	if (!text_origin(s, at, (unsigned)reg, &args->doc->arena, &o))
		return error_new(ERROR_NOT_FOUND, "the text has no code in which %s could be followed",
				 s->arch->reg_names[reg]);
	doc_record(args->doc, NULL, NULL);
	doc_plain(args->doc);
	if (o.has_value)
		doc_textf(args->doc, STYLE_PLAIN, "%s = 0x%" PRIx64 "  %s", s->arch->reg_names[reg],
			  o.value, o.sentence);
	else
		doc_textf(args->doc, STYLE_PLAIN, "%s  %s", s->arch->reg_names[reg], o.sentence);
	doc_field(args->doc, "register", NULL, cell_str(s->arch->reg_names[reg]));
	doc_field(args->doc, "frame", NULL, cell_udec(0));
	doc_field(args->doc, "sentence", NULL, cell_str(o.sentence));
	doc_array(args->doc, "steps", NULL);
	doc_end(args->doc);
	doc_end(args->doc);
	return NULL;
}

enum { OPT_TASK };

static const struct option option_table[] = { [OPT_TASK] = { "t", true } };

static struct error *run_origin(struct command_args *args)
{
	struct session *s = args->session;
	const struct task *task;
	struct options options;
	struct stack stack = { 0 };
	struct error *err = options_parse(args, option_table, array_size(option_table), &options);

	if (!err && options.word_count < 1)
		err = error_new(ERROR_USAGE, "usage: origin [-t PID|TASK] REG|EXPR [FRAME]");
	if (!err)
		err = task_or_current(s, options.value[OPT_TASK], &task);
	if (err)
		return err;
	if (s->text && !text_has_function(s))
		return text_register(args, options.words[0]);
	task_stack(s, task, &stack);
	if (!stack.count)
		err = error_new(ERROR_NOT_FOUND, "the task has no stack in the kernel: %s",
				stack.reason[0] ? stack.reason : "it ran in user mode");
	else
		err = show(args, task, &stack, &options);
	stack_deinit(&stack);
	return err;
}

const struct command command_origin = {
	.name = "origin",
	.usage = "[-t PID|TASK] REG|EXPR [FRAME]",
	.summary = "where the value in a register came from",
	.help = "Of a frame of the task that crashed, unless one is given: the frame that was\n"
		"chosen, or the one that the exception interrupted. Of a frame that has called\n"
		"another, the register as it was at the call.\n"
		"A name is that of an argument: what the function was called with. An expression\n"
		"may use arguments and $registers; of a place in memory is said what it is and\n"
		"holds, and which register was read from it, or where the pointer to it came\n"
		"from; of a number, which register, argument or stack slot holds it.\n"
		"Followed backwards through the machine code: memory cells (what they are in, and\n"
		"whether they still hold the value), callers, until a constant, the result of a\n"
		"call, or the place where it is lost. A value with a '?' went through memory that\n"
		"was read again.\n"
		"Examples: origin rdi | origin rbx 2 | origin -t 1 rdi 3",
	.run = run_origin,
};
