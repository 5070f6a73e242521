// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * bt: the stacks of tasks, innermost frame first, as crash's users know them:
 *
 *	#3 [ffffc90000123d50] sysrq_handle_crash+0x12     stack pointer, function + offset
 *	--- <NMI stack> ---                               the frames above were on that stack
 *	[exception RIP: ...] and registers                the frame above was interrupted
 *	?                                                 found by searching, may be stale
 *
 * A stack ends with the registers of user mode, at the start of a kernel thread, or with the
 * reason why it cannot be followed further. Nothing is made up beyond that point.
 */
#include "commands/bt.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "commands/args.h"
#include "commands/embed.h"
#include "commands/frame_args.h"
#include "commands/frame_brief.h"
#include "commands/locals.h"
#include "kernel/text.h"

static const char *const how_names[] = {
	[FRAME_START] = "start", [FRAME_ORC] = "orc", [FRAME_CFI] = "cfi",
	[FRAME_FP] = "frame-pointer", [FRAME_EXCEPTION] = "exception", [FRAME_RETADDR] = "return-address",
	[FRAME_CODE] = "code", [FRAME_SCAN] = "scan",
};

static const char *const end_names[] = {
	[STACK_END_USER] = "user", [STACK_END_KTHREAD] = "kthread",
	[STACK_END_INCOMPLETE] = "incomplete",
};

/* Names of stacks as crash's readers know them; others are shown as they are. */
static const char *stack_title(const char *stack)
{
	static const struct {
		const char *name, *title;
	} titles[] = {
		{ "irq", "IRQ" }, { "nmi", "NMI" }, { "mce", "MCE" }, { "softirq", "SOFTIRQ" },
		{ "double-fault", "double fault" }, { "debug", "DEBUG" },
	};

	for (size_t i = 0; i < array_size(titles); i++) {
		if (strcmp(titles[i].name, stack) == 0)
			return titles[i].title;
	}
	return stack;
}

static const struct column frame_columns[] = {
	{ .key = "level", .title = "", .right = true, .gap = 1, .style = STYLE_FAINT },
	{ .key = "sp", .title = "", .gap = 1, .style = STYLE_FAINT },
	{ .key = "symbol", .title = "" },
	{ .title = "" }, /* with options.brief: the arguments */
	{ .title = "", .style = STYLE_FAINT },
	{ .key = "pc" },
	{ .key = "offset" },
	{ .key = "size" },
	{ .key = "module" },
	{ .key = "how" },
	{ .key = "guess" },
	{ .key = "exception" },
	{ .key = "stack" },
	{ .key = "inlined" },
	{ .key = "file" },
	{ .key = "line" },
};

/* Which line of the block a register stands on: where it was, the general ones, the rest. */
enum register_group { GROUP_PLACE, GROUP_GENERAL, GROUP_REST, GROUP_COUNT };

enum { REGISTERS_A_LINE = 3 };

static enum register_group register_group(const struct arch *arch, unsigned reg)
{
	if (reg == arch->pc || reg == arch->sp || strcmp(arch->reg_names[reg], "rflags") == 0)
		return GROUP_PLACE;
	/* Architectures number their special registers behind the program counter. */
	return reg > arch->pc ? GROUP_REST : GROUP_GENERAL;
}

static void add_register(struct strbuf *line, const char *name, uint64_t value, bool wide)
{
	strbuf_addf(line, "%s%*s", line->len ? "  " : "", 3 - (int)min_u64(strlen(name), 3), "");
	for (; *name; name++)
		strbuf_add_char(line, (char)toupper((unsigned char)*name));
	strbuf_addf(line, wide ? ": %016" PRIx64 : ": %04" PRIx64, value);
}

/* "RIP: ffffffff81234567  RSP: ..." as crash has them, known registers only. */
static void registers_text(struct session *s, struct doc *doc, const struct regs *regs,
			   unsigned indent)
{
	const struct arch *arch = s->arch;

	for (enum register_group group = 0; group < GROUP_COUNT; group++) {
		auto_strbuf line = { 0 };
		unsigned count = 0;
		/* The program counter, whatever its number, comes first of all. */
		if (group == GROUP_PLACE && regs_known(regs, arch->pc)) {
			add_register(&line, arch->reg_names[arch->pc], regs->value[arch->pc], true);
			count++;
		}
		for (unsigned i = 0; i < arch->reg_count; i++) {
			if (!regs_known(regs, i) || i == arch->pc ||
			    register_group(arch, i) != group)
				continue;
			add_register(&line, arch->reg_names[i], regs->value[i],
				     group != GROUP_REST || regs->value[i] > 0xffff);
			if (++count % REGISTERS_A_LINE == 0) {
				doc_textf(doc, STYLE_PLAIN, "%*s%s", (int)indent, "", line.data);
				doc_last_in(doc, DOC_IN_TEXT);
				strbuf_clear(&line);
			}
		}
		if (line.len) {
			doc_textf(doc, STYLE_PLAIN, "%*s%s", (int)indent, "", line.data);
			doc_last_in(doc, DOC_IN_TEXT);
		}
	}
}

static void registers_json(struct session *s, struct doc *doc, const char *key,
			   const struct regs *regs, bool page)
{
	doc_record(doc, key, NULL);
	doc_only_in(doc, DOC_IN_JSON | (page ? DOC_IN_HTML : 0));
	doc_look(doc, LOOK_REGISTERS);
	for (unsigned i = 0; i < s->arch->reg_count; i++) {
		if (regs_known(regs, i))
			doc_field(doc, s->arch->reg_names[i], NULL, cell_hex(regs->value[i]));
	}
	doc_end(doc);
}

void bt_registers(struct session *session, struct doc *doc, const char *key,
		  const struct regs *regs, unsigned indent)
{
	registers_text(session, doc, regs, indent);
	registers_json(session, doc, key, regs, true);
}

/* What a frame's pc is in. */
struct place {
	struct symbol symbol;
	bool known;
	uint64_t offset;
	char text[320];
	size_t source_count; /* 0: no debug info covers it */
	struct source_frame source[SOURCE_FRAMES_MAX];
};

static void find_place(struct session *s, const struct frame *frame, bool decimal,
		       struct place *place)
{
	/* A call may end its function: the return address is then in the next one. */
	uint64_t lookup = frame->is_call && frame->pc ? frame->pc - 1 : frame->pc;
	const char *guess = frame->how == FRAME_SCAN ? " ?" : "";

	place->offset = 0;
	place->source_count = debuginfo_frames(s->debuginfo, lookup, place->source);
	place->known = s->symbols && symbols_by_address(s->symbols, lookup, &place->symbol);
	if (!place->known) {
		snprintf(place->text, sizeof(place->text), "0x%" PRIx64 "%s", frame->pc, guess);
		return;
	}
	const struct module *module = place->symbol.module;
	char offset[24] = "";
	place->offset = frame->pc - place->symbol.address;
	if (!place->symbol.inside_only)
		snprintf(offset, sizeof(offset), decimal ? "+%" PRIu64 : "+0x%" PRIx64, place->offset);
	snprintf(place->text, sizeof(place->text), "%s%s%s%s%s%s", place->symbol.name, offset,
		 module ? " [" : "", module ? module->name : "", module ? "]" : "", guess);
}

void bt_frame_place(struct session *s, const struct frame *frame, char *buf, size_t size)
{
	struct place place;

	find_place(s, frame, false, &place);
	snprintf(buf, size, "%s", place.text);
}

static bool is_exception(const struct frame *frame)
{
	return frame->how == FRAME_EXCEPTION || frame->has_regs;
}

/* One line for a frame, or frames of many tasks: whose stack pointer would it be? */
static bool hides_sp(const struct bt_options *options)
{
	return options->brief || options->no_sp;
}

struct row_texts {
	char level[32], sp[32], place[512];
};

static void format_row(const struct frame *frame, size_t level, const struct source_line *at,
		       bool no_sp, struct row_texts *texts)
{
	snprintf(texts->level, sizeof(texts->level), "%s#%zu", level < 10 ? " " : "", level);
	texts->sp[0] = '\0'; /* a text tells it of few frames */
	if (frame->sp && !no_sp)
		snprintf(texts->sp, sizeof(texts->sp), "[%016" PRIx64 "]", frame->sp);
	texts->place[0] = '\0';
	if (at && at->file && at->line)
		snprintf(texts->place, sizeof(texts->place), "%s:%u", at->file, at->line);
}

static struct cell line_cell(const struct source_line *at)
{
	return at && at->line ? cell_udec(at->line) : cell_none();
}

/* The functions that the compiler put into this frame's, innermost first, a row each. */
static void inlined_rows(struct session *s, struct doc *doc, const struct frame *frame,
			 const struct place *place, size_t level, const struct bt_options *options)
{
	const struct symbol *symbol = &place->symbol;
	const char *module = place->known && symbol->module ? symbol->module->name : NULL;

	for (size_t i = 0; i + 1 < place->source_count; i++) {
		const struct source_frame *source = &place->source[i];
		struct row_texts texts;
		char name[320];
		format_row(frame, level, &source->at, hides_sp(options), &texts);
		snprintf(name, sizeof(name), "%s (inlined)%s",
			 source->function ? source->function : "?",
			 frame->how == FRAME_SCAN ? " ?" : "");
		doc_row(doc, cell_shown(cell_udec(level), texts.level),
			frame->sp ? cell_shown(cell_hex(frame->sp), texts.sp)
				  : cell_shown(cell_none(), ""),
			cell_shown(cell_str(source->function), name), cell_str(""),
			cell_str(texts.place),
			cell_hex(frame->pc), cell_none(), cell_none(), cell_str(module),
			cell_str(how_names[frame->how]), cell_bool(frame->how == FRAME_SCAN),
			cell_bool(false), cell_str(frame->stack), cell_bool(true),
			cell_str(source->at.file), line_cell(&source->at));
		if (frame->how == FRAME_SCAN)
			doc_row_style(doc, STYLE_FAINT);
		if (options->brief) {
			doc_row_in(doc, DOC_IN_JSON | DOC_IN_HTML);
			frame_brief(s, doc, frame, level, name, &source->at, NULL);
			doc_row_in(doc, DOC_IN_TEXT);
		}
	}
}

static const struct frame_args *args_of(const struct bt_options *options, size_t i)
{
	return options->args && i < options->args->count ? &options->args->frames[i] : NULL;
}

static void frame_row(struct session *s, struct doc *doc, const struct frame *frame,
		      const struct place *place, size_t level, const struct bt_options *options)
{
	auto_strbuf arguments = { 0 };
	bool exact = place->known && !place->symbol.inside_only;
	const struct symbol *symbol = &place->symbol;
	const char *module = place->known && symbol->module ? symbol->module->name : NULL;
	const struct source_line *at =
		place->source_count ? &place->source[place->source_count - 1].at : NULL;
	struct row_texts texts;

	format_row(frame, level, at, hides_sp(options), &texts);
	if (options->brief && doc->media & DOC_IN_HTML)
		frame_brief_arguments(s, args_of(options, level), &arguments);
	doc_row(doc, cell_shown(cell_udec(level), texts.level),
		cell_shown(cell_hex(frame->sp), texts.sp),
		cell_shown(cell_str(place->known ? symbol->name : NULL), place->text),
		cell_str(strbuf_text(&arguments)), cell_str(texts.place),
		text_is_made_up(s, frame->pc) ? cell_none() : cell_hex(frame->pc),
		exact ? cell_udec(place->offset) : cell_none(),
		exact && symbol->size ? cell_udec(symbol->size) : cell_none(),
		cell_str(module), cell_str(how_names[frame->how]),
		cell_bool(frame->how == FRAME_SCAN), cell_bool(is_exception(frame)),
		cell_str(frame->stack), cell_bool(false), cell_str(at ? at->file : NULL),
		line_cell(at));
	if (frame->how == FRAME_SCAN)
		doc_row_style(doc, STYLE_FAINT);
	else if (is_exception(frame))
		doc_row_style(doc, STYLE_STRONG);
}

/* All general registers known: a CPU's note, and not what a sleeping task left on its stack. */
static bool is_full(const struct arch *arch, const struct regs *regs)
{
	for (unsigned i = 0; i < arch->arg_reg_count; i++) {
		if (!regs_known(regs, arch->arg_regs[i]))
			return false;
	}
	return regs_known(regs, arch->pc);
}

enum { CODE_LINES = 8, PAGE_FRAMES_MAX = 40 };

/* On a report's page a frame opens to its variables and the code around its call. */
static void frame_page(struct session *s, struct doc *doc, const struct stack *stack, size_t i)
{
	const struct frame *frame = &stack->frames[i];
	char line[64];

	if (!(doc->media & DOC_IN_HTML) || frame->how == FRAME_SCAN || i >= PAGE_FRAMES_MAX)
		return;
	if (s->debuginfo && debuginfo_of(s->debuginfo, frame->pc - frame->is_call)) {
		doc_record(doc, NULL, NULL);
		doc_only_in(doc, DOC_IN_HTML);
		locals_add(s, doc, stack, i, false);
		doc_end(doc);
	}
	/* A text has no code but the fault's, which stands there. */
	snprintf(line, sizeof(line), "dis -lr 0x%" PRIx64 " %d", frame->pc, CODE_LINES);
	if (!s->text)
		embed_command(s, doc, NULL, line);
}

static void frame_detail(struct session *s, struct doc *doc, const struct stack *stack, size_t i,
			 const struct place *place, const struct bt_options *options)
{
	const struct frame *frame = &stack->frames[i];
	bool registers = is_exception(frame) || (options->verbose && frame->regs.known) ||
			 (i == 0 && is_full(s->arch, &frame->regs));

	if (!registers && !options->verbose && !options->words && !options->args)
		return;
	doc_detail(doc);
	if (options->verbose && !text_is_made_up(s, frame->pc))
		doc_textf(doc, STYLE_FAINT, "pc %016" PRIx64 ", found by: %s%s%s", frame->pc,
			  how_names[frame->how], frame->stack ? ", stack: " : "",
			  frame->stack ? frame->stack : "");
	if (is_exception(frame))
		doc_textf(doc, STYLE_STRONG, "[exception RIP: %s]", place->text);
	if (registers && !options->no_registers)
		registers_text(s, doc, &frame->regs, 0);
	if (registers)
		registers_json(s, doc, "regs", &frame->regs, true);
	if (options->verbose)
		locals_add(s, doc, stack, i, false);
	else if (options->brief)
		frame_page(s, doc, stack, i);
	if (options->args && i < options->args->count)
		frame_args_add(s, doc, &options->args->frames[i]);
	if (options->words)
		stack_words_add(s, doc, stack, i, options->words);
	doc_end(doc);
}

enum { FOLD_TURNS_MIN = 4 };

/* In a report: the way through panic() is not what the reader looks for. */
static void mark_brief(struct doc *doc, const struct bt_options *options, size_t i, size_t guilty)
{
	if (!options->label)
		return;
	if (i < options->first)
		doc_row_style(doc, STYLE_FAINT);
	else if (i == guilty)
		doc_row_style(doc, STYLE_STRONG);
}

/* Compilers add to names: ".constprop.0". */
static bool is_function(const struct place *place, const char *function)
{
	return function && place->known && starts_with(place->symbol.name, function) &&
	       strchr(".", place->symbol.name[strlen(function)]);
}

void bt_frames(struct session *s, struct doc *doc, const struct stack *stack,
	       const struct bt_options *options)
{
	doc_table(doc, "frames", frame_columns, array_size(frame_columns));
	doc_look(doc, LOOK_STACK);
	doc_bare(doc);
	size_t folded_from = 0, folded_to = 0, guilty = SIZE_MAX;
	for (size_t i = 0; i < stack->count; i++) {
		const struct frame *frame = &stack->frames[i];
		const char *last = i ? stack->frames[i - 1].stack : NULL;
		struct stack_cycle cycle;
		struct place place;

		if (!options->unfolded && i >= folded_to &&
		    stack_find_cycle(stack, i, FOLD_TURNS_MIN, &cycle)) {
			folded_from = i + cycle.length;
			folded_to = i + cycle.length * cycle.turns;
		}

		if (last && frame->stack && strcmp(last, frame->stack) != 0)
			doc_textf(doc, STYLE_FAINT, "--- <%s stack> ---", stack_title(last));
		find_place(s, frame, options->decimal, &place);
		bool folded = i >= folded_from && i < folded_to;
		if (!folded)
			inlined_rows(s, doc, frame, &place, i, options);
		frame_row(s, doc, frame, &place, i, options);
		frame_detail(s, doc, stack, i, &place, options);
		if (folded)
			doc_row_hide(doc);
		else if (options->brief)
			doc_row_in(doc, DOC_IN_JSON | DOC_IN_HTML);
		if (guilty == SIZE_MAX && i >= options->first &&
		    is_function(&place, options->guilty))
			guilty = i;
		mark_brief(doc, options, i, guilty);
		if (!folded && options->brief) {
			frame_brief(s, doc, frame, i, place.text,
				    place.source_count ? &place.source[place.source_count - 1].at
						       : NULL, args_of(options, i));
			doc_row_in(doc, DOC_IN_TEXT);
			mark_brief(doc, options, i, guilty);
		}
		if (folded && i + 1 == folded_to)
			doc_textf(doc, STYLE_STRONG, "     ... the same again and again, down to #%zu",
				  i);
	}
	doc_end(doc);
}

void bt_frame(struct session *session, struct doc *doc, const struct stack *stack, size_t number,
	      const struct bt_options *options)
{
	const struct frame *frame = &stack->frames[number];
	struct place place;

	doc_table(doc, "frames", frame_columns, array_size(frame_columns));
	doc_look(doc, LOOK_STACK);
	doc_bare(doc);
	find_place(session, frame, options->decimal, &place);
	inlined_rows(session, doc, frame, &place, number, options);
	frame_row(session, doc, frame, &place, number, options);
	frame_detail(session, doc, stack, number, &place, options);
	doc_end(doc);
}

void bt_end(struct session *s, struct doc *doc, const struct stack *stack,
	    const struct bt_options *options)
{
	doc_field(doc, "end", NULL, cell_str(end_names[stack->end]));
	doc_field(doc, "reason", NULL, cell_str(stack->reason[0] ? stack->reason : NULL));
	if (stack->end == STACK_END_USER) {
		doc_textf(doc, STYLE_FAINT, "    user mode%s", options->no_registers ? "" : ":");
		if (!options->no_registers)
			registers_text(s, doc, &stack->user_regs, 4);
		registers_json(s, doc, "user_regs", &stack->user_regs, !options->no_registers);
	} else if (stack->end == STACK_END_INCOMPLETE) {
		if (options->brief)
			doc_textf(doc, STYLE_BAD, "    not followed further:");
		doc_textf(doc, stack->count ? STYLE_BAD : STYLE_FAINT, "    %s%s",
			  options->brief || !stack->count ? "" : "not followed further: ",
			  stack->reason[0] ? stack->reason : "no reason is known");
	}
	if (stack->truncated)
		doc_textf(doc, STYLE_BAD, "    stopped at %zu frames", stack->count);
}

/* Completes the registers of all frames; with --verify, says where two sources disagree. */
static void compare(struct session *session, struct doc *doc, struct stack *stack)
{
	struct unwind_check check;

	if (!session->unwinder)
		return;
	unwind_registers(session->unwinder, stack, &check);
	if (session->verify && check.disagreements)
		doc_remark(doc, REMARK_ERROR, "unwinding: %s (%zu of %zu frames disagree)",
			   check.first, check.disagreements, check.checked);
}

void bt_task_fields(struct session *s, struct doc *doc, const struct task *task)
{
	char letter[2] = { task_state_letter(task), '\0' };
	bool named = task_is_named(task);

	/* The index of pids may know that of a task which is not in the dump. */
	doc_field(doc, "pid", NULL, named || task_has_pid(task) ? cell_dec(task->pid) : cell_none());
	doc_field(doc, "tgid", NULL,
		  named || task_has_tgid(task) ? cell_dec(task->tgid) : cell_none());
	doc_field(doc, "task", NULL, s->text ? cell_none() : cell_hex(task->address));
	doc_field(doc, "cpu", NULL, task->cpu < 0 ? cell_none() : cell_dec(task->cpu));
	doc_fieldf(doc, "comm", NULL, "%.*s", (int)sizeof(task->comm), task->comm);
	doc_field(doc, "state", NULL, cell_str(letter));
	doc_field(doc, "on_cpu", NULL, cell_bool(task->on_cpu));
}

void bt_task_heading(struct session *s, struct doc *doc, const struct task *task,
		     const struct bt_options *options)
{
	char cpu[16] = "?", pid[16] = "?", address[24] = "";
	bool named = task_is_named(task);

	if (!s->text)
		snprintf(address, sizeof(address), "%016" PRIx64, task->address);
	if (named || task_has_pid(task))
		snprintf(pid, sizeof(pid), "%d", task->pid);
	if (task->cpu >= 0)
		snprintf(cpu, sizeof(cpu), "%d", task->cpu);
	if (options->label)
		doc_section(doc, options->label, options->command, "%.*s, pid %s, CPU %s%s%s%s%s",
			    (int)sizeof(task->comm), named ? task->comm : "?", pid, cpu,
			    address[0] ? ", task " : "", address, options->about ? ": " : "",
			    options->about ? options->about : "");
	else
		doc_heading(doc, "PID: %s%s%s  CPU: %s  COMMAND: \"%.*s\"", pid,
			    address[0] ? "  TASK: " : "", address, cpu, (int)sizeof(task->comm),
			    named ? task->comm : "?");
}

bool bt_thread(struct session *session, struct doc *doc, const char *key, const struct task *task,
	       const struct bt_options *wanted)
{
	struct bt_options copy = *wanted, *options = &copy;
	struct stack_args arguments = { 0 };
	struct stack stack = { 0 };

	if (options->stack) {
		stack = *options->stack;
		*options->stack = (struct stack){ 0 };
	} else {
		task_stack(session, task, &stack);
	}
	if (options->verbose || session->verify || (options->brief && doc->media & DOC_IN_HTML))
		compare(session, doc, &stack);
	if (options->arguments) {
		stack_args_find(session, task, &stack, &arguments);
		options->args = &arguments;
	}
	doc_record(doc, key, NULL);
	bt_task_heading(session, doc, task, options);
	bt_task_fields(session, doc, task);
	bt_frames(session, doc, &stack, options);
	bt_end(session, doc, &stack, options);
	doc_end(doc);
	bool whole = task_stack_freed(task) ||
		     (stack.end != STACK_END_INCOMPLETE && !stack.truncated);
	stack_args_deinit(&arguments);
	stack_deinit(&stack);
	return whole;
}
