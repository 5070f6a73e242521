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

#include "base/strbuf.h"
#include "commands/args.h"
#include "commands/table.h"
#include "forensics/origin.h"
#include "kernel/context.h"

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

/* The register of the frame that holds the value of an expression. */
static struct error *register_holding(struct session *s, const struct frame *frame,
				      const char *word, int *reg)
{
	uint64_t value;
	struct error *err = parse_address(s, word, &value);

	for (unsigned i = 0; !err && i < 16; i++) {
		if (regs_known(&frame->regs, i) && frame->regs.value[i] == value) {
			*reg = (int)i;
			return NULL;
		}
	}
	return err ? err
		   : error_new(ERROR_NOT_FOUND, "no register of the frame holds 0x%" PRIx64,
			       value);
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

static struct error *show(struct command_args *args, const struct task *task,
			  struct stack *stack, const struct options *options)
{
	struct session *s = args->session;
	uint64_t frame = default_frame(s, stack);
	struct origin origin;
	struct error *err = NULL;
	int reg = register_of(s->arch, options->words[0]);

	if (options->word_count > 1)
		err = parse_count(options->words[1], &frame);
	if (!err && frame >= stack->count)
		err = error_new(ERROR_NOT_FOUND, "the stack has frames #0 to #%zu only",
				stack->count - 1);
	if (!err && reg < 0)
		err = register_holding(s, &stack->frames[frame], options->words[0], &reg);
	if (err)
		return err;
	origin_find(s, task, stack, (size_t)frame, (unsigned)reg, &origin);
	if (origin.why)
		err = error_new(ERROR_NOT_FOUND, "frame #%" PRIu64 ": %s", frame, origin.why);
	else
		doc_textf(args->doc, STYLE_STRONG, "%s", origin.sentence);
	if (!err) {
		doc_field(args->doc, "register", NULL, cell_str(s->arch->reg_names[reg]));
		doc_field(args->doc, "frame", NULL, cell_udec(frame));
		doc_field(args->doc, "sentence", NULL, cell_str(origin.sentence));
		doc_table(args->doc, "steps", columns, array_size(columns));
		doc_bare(args->doc);
		for (size_t i = 0; i < origin.count; i++)
			add_step(s, args->doc, stack, &origin.steps[i]);
		doc_end(args->doc);
	}
	origin_deinit(&origin);
	return err;
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

	if (!err && (options.word_count < 1 || options.word_count > 2))
		err = error_new(ERROR_USAGE, "usage: origin [-t PID|TASK] REG|EXPR [FRAME]");
	if (!err)
		err = task_or_current(s, options.value[OPT_TASK], &task);
	if (err)
		return err;
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
		"another, the register as it was at the call. An expression stands for the\n"
		"register that holds its value.\n"
		"Followed backwards through the machine code: memory cells (what they are in, and\n"
		"whether they still hold the value), callers, until a constant, the result of a\n"
		"call, or the place where it is lost. A value with a '?' went through memory that\n"
		"was read again.\n"
		"Examples: origin rdi | origin rbx 2 | origin -t 1 rdi 3",
	.run = run_origin,
};
