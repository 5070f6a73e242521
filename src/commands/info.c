// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * info: what gdb's users type to see where they are. Each word is another command of ours, on the
 * chosen task and frame; threads are the tasks that the CPUs ran.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "commands/args.h"
#include "commands/bt.h"
#include "commands/show.h"
#include "commands/table.h"
#include "kernel/context.h"
#include "kernel/cpus.h"

static const struct column thread_columns[] = {
	{ .key = "current", .title = "", .style = STYLE_STRONG },
	{ .key = "cpu", .title = "CPU", .right = true },
	{ .key = "pid", .title = "PID", .right = true },
	{ .key = "task", .title = "TASK" },
	{ .key = "comm", .title = "COMM" },
	{ .key = "place", .title = "FRAME" },
};

/* --- threads --- */

static void add_thread(struct session *s, struct doc *doc, const struct task *task, bool current)
{
	struct stack stack = { 0 };
	char name[320] = "";

	task_stack(s, task, &stack);
	size_t frame = current && s->context.frame < stack.count ? s->context.frame : 0;
	if (stack.count)
		bt_frame_place(s, &stack.frames[frame], name, sizeof(name));
	const char *place = stack.count ? name
			  : stack.end == STACK_END_USER ? "user mode" : stack.reason;
	doc_row(doc, cell_shown(cell_bool(current), current ? "*" : ""),
		cpu_cell(task),
		pid_cell(task),
		cell_address(task->address),
		cell_str(arena_strndup(&doc->arena, task->comm, sizeof(task->comm))),
		cell_str(place));
	stack_deinit(&stack);
}

static struct error *show_threads(struct command_args *args)
{
	struct session *s = args->session;
	const struct task *current = context_task(s);
	bool told = false;
	size_t count;
	const struct cpu *all = cpus(s, &count);

	doc_table(args->doc, "info_threads", thread_columns, array_size(thread_columns));
	for (size_t i = 0; i < count; i++) {
		const struct task *task =
			all[i].current_task ? task_by_address(s, all[i].current_task) : NULL;
		if (!task)
			continue;
		bool is_current = current && current->address == task->address;
		add_thread(s, args->doc, task, is_current);
		told |= is_current;
	}
	if (current && !told)
		add_thread(s, args->doc, current, true);
	doc_end(args->doc);
	return NULL;
}

/* --- frame, registers --- */

static struct error *chosen_frame(struct command_args *args, struct stack *stack)
{
	struct session *s = args->session;
	const struct task *task;
	struct error *err = task_or_current(s, NULL, &task);

	if (err)
		return err;
	task_stack(s, task, stack);
	if (s->unwinder)
		unwind_registers(s->unwinder, stack, NULL);
	if (!stack->count && stack->end == STACK_END_USER)
		return NULL;
	if (s->context.frame >= stack->count)
		return error_new(ERROR_MISSING, "there is no frame %zu%s%s", s->context.frame,
				 stack->reason[0] ? ": " : "", stack->reason);
	return NULL;
}

static void frame_places(struct session *s, struct doc *doc, const struct stack *stack,
			 const struct frame *frame)
{
	const struct frame *caller = frame + 1 < stack->frames + stack->count ? frame + 1 : NULL;
	char name[320];

	if (frame->cfa)
		doc_textf(doc, STYLE_PLAIN, "    frame at %016" PRIx64 "-%016" PRIx64, frame->sp,
			  frame->cfa);
	doc_field(doc, "low", NULL, cell_hex(frame->sp));
	doc_field(doc, "high", NULL, frame->cfa ? cell_hex(frame->cfa) : cell_none());
	doc_field(doc, "caller", NULL, caller ? cell_hex(caller->pc) : cell_none());
	doc_field(doc, "return_address_at", NULL,
		  caller && caller->retaddr_at ? cell_hex(caller->retaddr_at) : cell_none());
	if (!caller)
		return;
	bt_frame_place(s, caller, name, sizeof(name));
	doc_textf(doc, STYLE_PLAIN, "    called by %s, frame at %016" PRIx64, name, caller->sp);
	if (caller->retaddr_at)
		doc_textf(doc, STYLE_PLAIN, "    return address saved at %016" PRIx64,
			  caller->retaddr_at);
}

/* Where the function has saved its caller's registers. */
static void saved_registers(struct session *s, struct doc *doc, const struct stack *stack,
			    size_t index)
{
	uint64_t at[ARCH_REGS_MAX];
	uint64_t which =
		s->unwinder ? unwind_saved_at(s->unwinder, stack, index, at) : 0;

	doc_record(doc, "saved_at", NULL);
	for (unsigned i = 0; i < s->arch->reg_count; i++) {
		if (!(which >> i & 1))
			continue;
		doc_field(doc, s->arch->reg_names[i], NULL, cell_hex(at[i]));
		doc_textf(doc, STYLE_PLAIN, "    %s of the caller saved at %016" PRIx64,
			  s->arch->reg_names[i], at[i]);
	}
	doc_end(doc);
}

static struct error *show_frame(struct command_args *args)
{
	struct session *s = args->session;
	struct stack stack = { 0 };
	struct error *err = chosen_frame(args, &stack);

	if (!err && !stack.count)
		err = error_new(ERROR_MISSING, "the task ran in user mode: it has no frame");
	if (!err) {
		size_t number = s->context.frame;
		doc_field(args->doc, "level", NULL, cell_udec(number));
		bt_frame(s, args->doc, &stack, number,
			 &(struct bt_options){ .no_registers = true });
		frame_places(s, args->doc, &stack, &stack.frames[number]);
		saved_registers(s, args->doc, &stack, number);
	}
	stack_deinit(&stack);
	return err;
}

/* Those of the frame; of a task in user mode, those that it had there. */
static struct error *show_registers(struct command_args *args)
{
	struct session *s = args->session;
	struct stack stack = { 0 };
	struct error *err = chosen_frame(args, &stack);
	const struct regs *regs =
		err ? NULL : stack.count ? &stack.frames[s->context.frame].regs : &stack.user_regs;
	struct regs some = { 0 };

	for (int i = 2; !err && i < args->argc; i++) {
		const char *word = args->argv[i] + (args->argv[i][0] == '$');
		unsigned reg = 0;
		while (reg < s->arch->reg_count && strcmp(s->arch->reg_names[reg], word) != 0)
			reg++;
		if (reg == s->arch->reg_count)
			err = error_new(ERROR_NOT_FOUND, "there is no register %s", word);
		else if (!regs_known(regs, reg))
			err = error_new(ERROR_MISSING, "what %s was in this frame is not known",
					word);
		else
			regs_set(&some, reg, regs->value[reg]);
	}
	if (!err)
		bt_registers(s, args->doc, "registers", args->argc > 2 ? &some : regs, 0);
	stack_deinit(&stack);
	return err;
}

/* --- What other commands show --- */

static struct error *run_other(struct command_args *args, const char *line)
{
	char **argv;
	struct command_args other = *args;
	struct error *err = command_words(&args->doc->arena, line, &other.argc, &argv);

	if (err)
		return err;
	other.argv = argv;
	const struct command *command = command_find(argv[0]);
	if (!command)
		return error_new(ERROR_USAGE, "there is no command %s", argv[0]);
	return command->run(&other);
}

static struct error *show_locals(struct command_args *args)
{
	return run_other(args, arena_printf(&args->doc->arena, "locals -f %zu",
					    args->session->context.frame));
}

static struct error *show_args(struct command_args *args)
{
	return run_other(args, arena_printf(&args->doc->arena, "args %zu",
					    args->session->context.frame));
}

static struct error *of_word(struct command_args *args, const char *command, const char *what)
{
	if (args->argc != 3)
		return error_new(ERROR_USAGE, "%s of what?", what);
	return run_other(args, arena_printf(&args->doc->arena, "%s '%s'", command, args->argv[2]));
}

static struct error *show_symbol(struct command_args *args)
{
	return of_word(args, "sym", "the symbol");
}

static struct error *show_stack(struct command_args *args)
{
	return run_other(args, "bt");
}

static const struct {
	const char *name;
	struct error *(*run)(struct command_args *args);
} words[] = {
	{ "args", show_args },           { "frame", show_frame },
	{ "locals", show_locals },       { "registers", show_registers },
	{ "symbol", show_symbol },       { "stack", show_stack },
	{ "threads", show_threads },
};

static struct error *run_info(struct command_args *args)
{
	const char *word = args->argc > 1 ? args->argv[1] : NULL;
	struct error *(*run)(struct command_args *) = NULL;
	unsigned fitting = 0;

	/* gdb takes what a word begins with. */
	for (size_t i = 0; word && i < array_size(words); i++) {
		if (!starts_with(words[i].name, word))
			continue;
		run = words[i].run;
		fitting++;
		if (strcmp(words[i].name, word) == 0) {
			fitting = 1;
			break;
		}
	}
	if (fitting != 1)
		return error_new(ERROR_USAGE, "one of: args, frame, locals, registers, stack, symbol, "
				 "threads");
	return run(args);
}

const struct command command_info = {
	.name = "info",
	.usage = "args | frame | locals | registers [REG ...] | stack | symbol ADDRESS | threads",
	.summary = "where one is, as gdb's users ask",
	.help = "On the task and frame that set, frame, up and down have chosen.\n"
		"  args       what the frame's function was called with (see args)\n"
		"  frame      the frame: where it is, who called it, where registers are saved\n"
		"  locals     its arguments and local variables (see locals; needs debug files)\n"
		"  registers  those that are known in it, or some: info registers rip rbx\n"
		"  stack      the whole stack (see bt)\n"
		"  symbol     the symbol that an address is in (see sym)\n"
		"  threads    the tasks that the CPUs ran, and the chosen one, marked *\n"
		"Examples: info threads | info frame | info registers rip rsp | info symbol schedule+8",
	.run = run_info,
};
