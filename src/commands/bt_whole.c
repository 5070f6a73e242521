// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * bt -r, -t, -T, -e, -E: stacks as a whole, whatever of them is in use.
 *
 *	[ffffc90000123d50] #3 schedule+0x5e		-t: a frame of the backtrace
 *	[ffffc90000123da8]    try_to_wake_up+0x1	stale, or a pointer to code that is data
 *
 * Text addresses are shown with the frame that they are the return address of. Exceptions' saved
 * registers are those that kernel/stack_look.h believes, with the frame that they belong to.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands/bt_views.h"
#include "kernel/cpus.h"
#include "kernel/stack_look.h"

enum { NO_FRAME = -1, EXCEPTIONS_MAX = 256 };

static const struct column text_columns[] = {
	{ .key = "address" }, { .key = "value" }, { .key = "symbol" }, { .key = "offset" },
	{ .key = "module" }, { .key = "level" }, { .key = "stack" },
};

static const struct column word_columns[] = {
	{ .key = "address" },
	{ .key = "value" },
};

/* The frame whose return address is at @at. */
static int frame_at(const struct stack *stack, uint64_t at)
{
	for (size_t i = 0; i < stack->count; i++) {
		uint64_t retaddr_at = stack->frames[i].retaddr_at;
		if (retaddr_at && retaddr_at - at < 8 && retaddr_at >= at)
			return (int)i;
	}
	return NO_FRAME;
}

/* The frame that these registers are of: found by them, or the same when a CPU's were saved. */
static int frame_of(const struct arch *arch, const struct stack *stack,
		    const struct exception_frame *e)
{
	for (size_t i = 0; i < stack->count; i++) {
		const struct frame *frame = &stack->frames[i];
		if (frame->pt_regs_at && frame->pt_regs_at == e->at)
			return (int)i;
		if (!e->user && !frame->is_call && frame->pc == e->regs.value[arch->pc] &&
		    frame->sp == e->regs.value[arch->sp])
			return (int)i;
	}
	return NO_FRAME;
}

static void text_name(const struct symbol *symbol, uint64_t value, bool decimal, char *buf,
		      size_t size)
{
	const struct module *module = symbol->module;
	char offset[24];

	snprintf(offset, sizeof(offset), decimal ? "+%" PRIu64 : "+0x%" PRIx64,
		 value - symbol->address);
	snprintf(buf, size, "%s%s%s%s%s", symbol->name, value > symbol->address ? offset : "",
		 module ? " [" : "", module ? module->name : "", module ? "]" : "");
}

static void add_text_word(struct session *s, struct doc *doc, const struct stack *stack,
			  uint64_t at, uint64_t value, const char *on, bool decimal)
{
	int level = frame_at(stack, at);
	char name[320], number[16] = "";
	struct symbol symbol;

	/* A call may end its function: the return address is then in the next one. */
	if (!symbols_by_address(s->symbols, level == NO_FRAME ? value : value - 1, &symbol))
		return;
	text_name(&symbol, value, decimal, name, sizeof(name));
	if (level != NO_FRAME)
		snprintf(number, sizeof(number), "#%d", level);
	doc_row(doc, cell_hex(at), cell_hex(value), cell_str(symbol.name),
		cell_udec(value - symbol.address),
		cell_str(symbol.module ? symbol.module->name : NULL),
		level == NO_FRAME ? cell_none() : cell_dec(level), cell_str(on));
	doc_row_hide(doc);
	doc_textf(doc, level == NO_FRAME ? STYLE_FAINT : STYLE_PLAIN, "  [%016" PRIx64 "] %3s %s",
		  at, number, name);
}

/* @low: from this word of the image on. Returns whether parts are missing. */
static bool add_text(struct session *s, struct doc *doc, const struct stack *stack,
		     const struct stack_limits *limits, uint64_t low, bool decimal)
{
	struct stack_image image;

	stack_image_read(s, limits, &image);
	for (size_t i = 0; i < image.count; i++) {
		uint64_t at = limits->low + i * 8;
		if (at >= low && stack_image_has(&image, i) && image.words[i] &&
		    symbols_is_text(s->symbols, image.words[i]))
			add_text_word(s, doc, stack, at, image.words[i], limits->name, decimal);
	}
	bool lost = image.lost_count > 0;
	stack_image_deinit(&image);
	return lost;
}

static bool add_words(struct session *s, struct doc *doc, const struct stack_limits *limits)
{
	struct stack_image image;

	stack_image_read(s, limits, &image);
	doc_table(doc, "words", word_columns, array_size(word_columns));
	doc_bare(doc);
	for (size_t i = 0; i + 1 < image.count; i += 2) {
		uint64_t at = limits->low + i * 8;
		if (!stack_image_has(&image, i))
			continue;
		doc_row(doc, cell_hex(at), cell_hex(image.words[i]));
		doc_row_hide(doc);
		doc_row(doc, cell_hex(at + 8), cell_hex(image.words[i + 1]));
		doc_row_hide(doc);
		doc_textf(doc, STYLE_PLAIN, "%016" PRIx64 ": %016" PRIx64 " %016" PRIx64, at,
			  image.words[i], image.words[i + 1]);
	}
	doc_end(doc);
	bool lost = image.lost_count > 0;
	stack_image_deinit(&image);
	return lost;
}

/* All stacks that the backtrace is on, each from its innermost frame up. */
static bool add_used_text(struct session *s, struct doc *doc, const struct task *task,
			  const struct stack *stack, bool decimal)
{
	struct stack_of_task of = { .session = s, .task = task->address };
	const char *before = NULL;
	bool lost = false;

	for (size_t i = 0; i < stack->count; i++) {
		const struct frame *frame = &stack->frames[i];
		struct stack_limits limits;
		if ((i && frame->stack == before) || !cpu_stack_limits(&of, frame->sp, &limits))
			continue;
		if (before)
			doc_textf(doc, STYLE_FAINT, "  --- %s stack ---", limits.name);
		lost |= add_text(s, doc, stack, &limits, frame->sp & ~UINT64_C(7), decimal);
		before = frame->stack;
	}
	return lost;
}

static void open_record(struct session *s, struct doc *doc, const struct task *task,
			const struct bt_options *options)
{
	doc_record(doc, NULL, NULL);
	bt_task_heading(s, doc, task, options);
	bt_task_fields(s, doc, task);
}

static void remark_lost(struct doc *doc, const struct task *task, bool lost)
{
	char title[TASK_TITLE_MAX];

	if (lost)
		doc_remark(doc, REMARK_HOLE, "parts of the stack of %s are not in the dump",
			   task_title(task, title));
}

/* A task that was read wholly, and has none, has exited. */
static void show_no_stack(struct session *s, struct doc *doc, const struct task *task)
{
	char title[TASK_TITLE_MAX];
	bool lost = !s->text && task->incomplete && !task->stack;

	doc_textf(doc, STYLE_FAINT, lost ? "    its stack is not known" : "    there is no stack");
	if (lost)
		doc_remark(doc, REMARK_HOLE, "%s: where its stack is, is not in the dump",
			   task_title(task, title));
}

static void add_start(struct session *s, struct doc *doc, const struct stack *stack, bool decimal)
{
	char name[320] = "?";
	struct symbol symbol;

	if (!stack->count)
		return;
	const struct frame *first = stack->frames;
	if (symbols_by_address(s->symbols, first->pc - first->is_call, &symbol))
		text_name(&symbol, first->pc, decimal, name, sizeof(name));
	doc_textf(doc, STYLE_PLAIN, "  START: %s at %016" PRIx64, name, first->pc);
}

void bt_whole_stack(struct session *s, struct doc *doc, const struct task *task,
		    enum bt_whole how, const struct bt_options *options)
{
	struct stack_limits limits = { 0 };
	struct stack stack = { 0 };
	bool known = task_stack_limits(s, task, &limits), lost = false;

	open_record(s, doc, task, options);
	doc_field(doc, "low", NULL, known ? cell_hex(limits.low) : cell_none());
	doc_field(doc, "high", NULL, known ? cell_hex(limits.high) : cell_none());
	if (s->text || !s->symbols || (!known && (how != BT_TEXT || task->incomplete))) {
		show_no_stack(s, doc, task);
	} else if (how == BT_RAW) {
		lost = add_words(s, doc, &limits);
	} else {
		task_stack(s, task, &stack);
		if (how == BT_TEXT)
			add_start(s, doc, &stack, options->decimal);
		doc_table(doc, "text", text_columns, array_size(text_columns));
		doc_bare(doc);
		if (how == BT_TEXT_ALL)
			lost = add_text(s, doc, &stack, &limits, limits.low, options->decimal);
		else
			lost = add_used_text(s, doc, task, &stack, options->decimal);
		doc_end(doc);
		if (how == BT_TEXT && !stack.count)
			doc_textf(doc, STYLE_FAINT, "    %s", stack.reason[0] ? stack.reason
								     : "user mode");
		stack_deinit(&stack);
	}
	doc_end(doc);
	remark_lost(doc, task, lost);
}

/* --- Exceptions --- */

static void add_exception(struct session *s, struct doc *doc, const struct exception_frame *e,
			  int level, bool in_use)
{
	char name[320] = "";
	struct symbol symbol;

	doc_record(doc, NULL, NULL);
	doc_heading(doc, "%s-MODE EXCEPTION FRAME AT %016" PRIx64 ":%s", e->user ? "USER" : "KERNEL",
		    e->at, in_use ? "" : "  (left over: not part of the backtrace)");
	doc_field(doc, "address", NULL, cell_hex(e->at));
	doc_field(doc, "mode", NULL, cell_str(e->user ? "user" : "kernel"));
	doc_field(doc, "level", NULL, level == NO_FRAME ? cell_none() : cell_dec(level));
	doc_field(doc, "in_use", NULL, cell_bool(in_use));
	if (level != NO_FRAME)
		doc_textf(doc, STYLE_FAINT, "    of frame #%d", level);
	if (!e->user &&
	    symbols_by_address(s->symbols, e->regs.value[s->arch->pc], &symbol))
		text_name(&symbol, e->regs.value[s->arch->pc], false, name, sizeof(name));
	if (*name)
		doc_textf(doc, STYLE_STRONG, "    [exception RIP: %s]", name);
	doc_field(doc, "place", NULL, cell_str(*name ? name : NULL));
	bt_registers(s, doc, "regs", &e->regs, 4);
	doc_end(doc);
}

/* The registers of user mode in use are those that the backtrace ends with. */
static bool is_in_use(const struct arch *arch, const struct exception_frame *e,
		      const struct stack *stack, int level)
{
	return level != NO_FRAME ||
	       (e->user && stack->end == STACK_END_USER && stack->count &&
		stack->user_regs.value[arch->pc] == e->regs.value[arch->pc] &&
		stack->user_regs.value[arch->sp] == e->regs.value[arch->sp]);
}

/* Stacks that this machine has no use for are not mapped (of VC exceptions without SEV): no hole. */
static void add_exceptions(struct session *s, struct doc *doc, const struct stack_limits *limits,
			   uint64_t task, const struct stack *stack, bool *lost)
{
	struct exception_frame *found = arena_zalloc(&doc->arena, EXCEPTIONS_MAX * sizeof(*found));
	struct stack_image image;

	stack_image_read(s, limits, &image);
	size_t count = exception_frames_find(s, &image, task, found, EXCEPTIONS_MAX);
	*lost |= image.lost_count > image.unmapped_count;
	bool unmapped = image.unmapped_count && image.unmapped_count == image.lost_count;
	stack_image_deinit(&image);
	doc_array(doc, "exception_frames", NULL);
	for (size_t i = 0; i < count; i++) {
		int level = frame_of(s->arch, stack, &found[i]);
		add_exception(s, doc, &found[i], level,
			      is_in_use(s->arch, &found[i], stack, level));
	}
	doc_end(doc);
	if (!count)
		doc_textf(doc, STYLE_FAINT, unmapped ? "    not mapped" : "    no exception frames");
}

void bt_exceptions(struct session *s, struct doc *doc, const struct task *task,
		   const struct bt_options *options)
{
	struct stack_limits limits;
	struct stack stack = { 0 };
	bool lost = false;

	open_record(s, doc, task, options);
	if (s->text || !s->symbols || !task_stack_limits(s, task, &limits)) {
		show_no_stack(s, doc, task);
	} else {
		task_stack(s, task, &stack);
		add_exceptions(s, doc, &limits, task->address, &stack, &lost);
		stack_deinit(&stack);
	}
	doc_end(doc);
	remark_lost(doc, task, lost);
}

static void add_cpu(struct session *s, struct doc *doc, const struct cpu *cpu)
{
	const struct task *task =
		cpu->current_task ? task_by_address(s, cpu->current_task) : NULL;
	struct stack_limits stacks[CPU_STACKS_SHOWN_MAX];
	unsigned count = cpu_stacks(s, cpu, stacks);
	struct stack stack = { 0 };
	bool lost = false;

	if (task)
		task_stack(s, task, &stack);
	for (unsigned i = 0; i < count; i++) {
		doc_record(doc, NULL, NULL);
		doc_heading(doc, "CPU %u %s STACK: %016" PRIx64 "-%016" PRIx64, cpu->id,
			    stacks[i].name, stacks[i].low, stacks[i].high);
		doc_field(doc, "cpu", NULL, cell_udec(cpu->id));
		doc_field(doc, "stack", NULL, cell_str(stacks[i].name));
		doc_field(doc, "low", NULL, cell_hex(stacks[i].low));
		doc_field(doc, "high", NULL, cell_hex(stacks[i].high));
		add_exceptions(s, doc, &stacks[i], cpu->current_task, &stack, &lost);
		doc_end(doc);
	}
	stack_deinit(&stack);
	if (!count || lost)
		doc_remark(doc, REMARK_HOLE, count ? "parts of the stacks of CPU %u are not in the dump"
						   : "the stacks of CPU %u are not known", cpu->id);
}

struct error *bt_cpu_exceptions(struct command_args *args, const bool *wanted)
{
	struct session *s = args->session;
	size_t count, matching = 0;
	const struct cpu *all = cpus(s, &count);

	if (s->text || !s->symbols)
		return error_new(ERROR_MISSING, "there are no stacks of CPUs");
	doc_array(args->doc, "cpu_stacks", NULL);
	for (size_t i = 0; i < count && !session_stopped(s); i++) {
		if (wanted ? all[i].id >= CPU_LIST_MAX || !wanted[all[i].id] : !all[i].online)
			continue;
		matching++;
		add_cpu(s, args->doc, &all[i]);
	}
	doc_end(args->doc);
	if (!matching)
		return error_new(ERROR_NOT_FOUND, "there is no such CPU");
	return NULL;
}
