// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * args: what each function on a stack was called with, and how that is known.
 *
 *	file = 0xffff888003a41c00  (struct file *; derived: kept in rbx)  /etc/passwd
 *	buf = ?                    (char *: what was in it is lost)
 */
#include "commands/frame_args.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/strbuf.h"
#include "commands/args.h"
#include "commands/table.h"
#include "kernel/context.h"
#include "kernel/meaning.h"

static const struct column columns[] = {
	/* As rows on a page only; text has a line for each. */
	{ .key = "name", .title = "argument", .style = STYLE_STRONG },
	{ .key = "type", .title = "type", .style = STYLE_FAINT },
	{ .key = "value", .title = "value" },
	{ .key = "number" },
	{ .key = "origin", .title = "how sure", .style = STYLE_FAINT },
	{ .key = "how", .title = "known by", .style = STYLE_FAINT },
	{ .key = "register" },
	{ .key = "meaning", .title = "what it is" },
	{ .key = "now" },
};

enum { MEANING_MAX = 320 };

static int64_t signed_value(uint64_t value, uint64_t size)
{
	unsigned unused = size && size < 8 ? 64 - (unsigned)size * 8 : 0;

	return (int64_t)(value << unused) >> unused;
}

void frame_args_value(struct type type, uint64_t value, uint64_t size, char *buf, size_t buf_size)
{
	struct type plain = type_strip(type);
	const char *name;

	switch (type_kind(plain)) {
	case TYPE_INT:
		if (type_is_signed(plain))
			snprintf(buf, buf_size, "%" PRId64, signed_value(value, size));
		else if (value > UINT32_MAX)
			snprintf(buf, buf_size, "%" PRIu64 " (0x%" PRIx64 ")", value, value);
		else
			snprintf(buf, buf_size, "%" PRIu64, value);
		break;
	case TYPE_ENUM:
		name = type_enum_name(plain, signed_value(value, size));
		if (name)
			snprintf(buf, buf_size, "%s", name);
		else
			snprintf(buf, buf_size, "%" PRId64, signed_value(value, size));
		break;
	default:
		snprintf(buf, buf_size, "0x%" PRIx64, value);
	}
}

static void add_argument(struct session *s, struct doc *doc, const struct arg *a)
{
	char type[256] = "?", value[64] = "?", now[64] = "", meaning[MEANING_MAX] = "";
	bool known = a->origin != ARG_UNKNOWN, shown = a->origin == ARG_EXACT ||
						       a->origin == ARG_DERIVED;

	if (a->type.source)
		type_spell(a->type, type, sizeof(type));
	if (known)
		frame_args_value(a->type, a->value, a->size, value, sizeof(value));
	if (known && a->type.source)
		meaning_of_value(s, a->type, a->value, meaning, sizeof(meaning));
	if (a->changed)
		frame_args_value(a->type, a->now, a->size, now, sizeof(now));
	doc_row(doc, cell_str(a->name), cell_str(type), cell_str(known ? value : NULL),
		known ? cell_hex(a->value) : cell_none(), cell_str(arg_origin_name(a->origin)),
		cell_str(a->how), cell_str(a->reg >= 0 ? s->arch->reg_names[a->reg] : NULL),
		*meaning ? cell_str(meaning) : cell_shown(cell_none(), ""),
		a->changed ? cell_hex(a->now) : cell_none());
	doc_row_in(doc, DOC_IN_JSON | DOC_IN_HTML);
	doc_textf(doc, known ? STYLE_PLAIN : STYLE_FAINT, "    %s = %s%s  (%s%s%s%s%s%s%s)%s%s",
		  *a->name ? a->name : "?", value, known && !shown ? " ?" : "", type,
		  known ? "; " : "", known ? arg_origin_name(a->origin) : "",
		  a->how ? ": " : "", a->how ? a->how : "", a->changed ? "; now " : "", now,
		  *meaning ? "  " : "", meaning);
	doc_row_in(doc, DOC_IN_TEXT);
}

void frame_args_add(struct session *session, struct doc *doc, const struct frame_args *frame)
{
	doc_table(doc, "arguments", columns, array_size(columns));
	doc_bare(doc);
	for (unsigned i = 0; i < frame->count; i++)
		add_argument(session, doc, &frame->args[i]);
	if (!frame->count)
		doc_textf(doc, STYLE_FAINT, "    %s", frame->why ? frame->why : "none");
	doc_end(doc);
}

static void add_frame(struct session *s, struct doc *doc, const struct stack *stack, size_t index,
		      const struct frame_args *args)
{
	const struct frame *frame = &stack->frames[index];
	char name[320];

	address_name(s, frame->pc - frame->is_call, name, sizeof(name));
	doc_record(doc, NULL, NULL);
	doc_heading(doc, "#%zu %s", index, name);
	doc_field(doc, "level", NULL, cell_udec(index));
	doc_field(doc, "pc", NULL, cell_hex(frame->pc));
	doc_field(doc, "place", NULL, cell_str(name));
	doc_field(doc, "why", NULL, cell_str(args->why));
	frame_args_add(s, doc, args);
	doc_end(doc);
}

static struct error *show_frames(struct command_args *args, const struct task *task,
				 struct stack *stack, const char *which)
{
	struct session *s = args->session;
	struct stack_args found;
	uint64_t only = s->context.frame;
	bool one = which || (only && task == context_task(s));

	if (which) {
		struct error *err = parse_count(which, &only);
		if (err)
			return err;
	}
	if (one && only >= stack->count)
		return error_new(ERROR_NOT_FOUND, "the stack has frames #0 to #%zu only",
				 stack->count - 1);
	stack_args_find(s, task, stack, &found);
	doc_array(args->doc, "frames", NULL);
	for (size_t i = one ? (size_t)only : 0; i < stack->count; i++) {
		add_frame(s, args->doc, stack, i, &found.frames[i]);
		if (one)
			break;
	}
	doc_end(args->doc);
	stack_args_deinit(&found);
	return NULL;
}

enum { OPT_TASK };

static const struct option option_table[] = { [OPT_TASK] = { "t", true } };

static struct error *run_args(struct command_args *args)
{
	struct session *s = args->session;
	const struct task *task;
	struct options options;
	struct stack stack = { 0 };
	struct error *err = options_parse(args, option_table, array_size(option_table), &options);

	if (!err && options.word_count > 1)
		err = error_new(ERROR_USAGE, "give one frame, by its number in bt");
	if (!err)
		err = task_or_current(s, options.value[OPT_TASK], &task);
	if (err)
		return err;
	task_stack(s, task, &stack);
	if (!stack.count)
		doc_remark(args->doc,
			   stack.end == STACK_END_USER || task_stack_freed(task) ? REMARK_NOTE
										: REMARK_HOLE,
			   "the task has no stack in the kernel: %s",
			   stack.reason[0] ? stack.reason : "it ran in user mode");
	else
		err = show_frames(args, task, &stack,
				  options.word_count ? options.words[0] : NULL);
	stack_deinit(&stack);
	return err;
}

const struct command command_args = {
	.name = "args",
	.usage = "[-t PID|TASK] [FRAME]",
	.summary = "what the functions on a stack were called with",
	.help = "Of the task that crashed, unless one is given; of all frames, unless one is given\n"
		"by its number in bt. Parameters by BTF or a debug file; values on entry of the\n"
		"function, each with how it is known:\n"
		"  exact      a debug file tells the place, or an exception saved the register\n"
		"  derived    follows from the machine code and what is certain\n"
		"  candidate  shown with '?': the same, but memory was read again that may have\n"
		"             changed\n"
		"Where the function has changed its parameter since, \"now\" is what it is.\n"
		"Examples: args | args 3 | args -t 1",
	.run = run_args,
};
