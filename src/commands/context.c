// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * frame, up, down: which frame of the current task's stack (see set.c) the next commands mean.
 * Frames are numbered as bt numbers them: 0 is the innermost, up goes towards the callers.
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

enum { FRAME_VERBOSE };

static const struct option frame_option_table[] = {
	[FRAME_VERBOSE] = { "v", false },
};

static struct error *show_frame(struct command_args *args, const struct task *task,
				struct stack *stack, bool verbose)
{
	struct session *s = args->session;

	if (s->context.frame >= stack->count) {
		size_t most = stack->count;
		if (!most)
			return error_new(ERROR_MISSING, "the stack of task %d cannot be followed%s%s",
					 task->pid, stack->reason[0] ? ": " : "", stack->reason);
		return error_new(ERROR_NOT_FOUND, "there is no frame %zu: the stack of task %d has "
				 "frames 0 to %zu", s->context.frame, task->pid, most - 1);
	}
	if (verbose && s->unwinder)
		unwind_registers(s->unwinder, stack, NULL);
	doc_field(args->doc, "pid", NULL, pid_cell(task));
	doc_field(args->doc, "task", NULL, cell_hex(task->address));
	doc_field(args->doc, "frame", NULL, cell_udec(s->context.frame));
	bt_frame(s, args->doc, stack, s->context.frame, &(struct bt_options){ .verbose = verbose });
	return NULL;
}

/* How a command changes the number of the frame. */
typedef struct error *(*move_fn)(size_t *frame, const char *word, const struct stack *stack);

static struct error *run_move(struct command_args *args, move_fn move)
{
	struct session *s = args->session;
	const struct task *task;
	struct options options;

	struct error *err = options_parse(args, frame_option_table, array_size(frame_option_table),
					  &options);
	if (err)
		return err;
	if (options.word_count > 1)
		return error_new(ERROR_USAGE, "one number is enough");
	err = task_or_current(s, NULL, &task);
	if (err)
		return err;
	struct stack stack = { 0 };
	size_t before = s->context.frame;
	task_stack(s, task, &stack);
	err = move(&s->context.frame, options.word_count ? options.words[0] : NULL, &stack);
	if (!err)
		err = show_frame(args, task, &stack, options.set[FRAME_VERBOSE]);
	if (err)
		s->context.frame = before;
	stack_deinit(&stack);
	return err;
}

static struct error *to_number(size_t *frame, const char *word,
			       const struct stack *stack unused_arg)
{
	uint64_t number;
	struct error *err = word ? parse_count(word, &number) : NULL;

	if (!err && word)
		*frame = (size_t)min_u64(number, SIZE_MAX);
	return err;
}

static struct error *steps_of(const char *word, uint64_t *steps)
{
	*steps = 1;
	return word ? parse_count(word, steps) : NULL;
}

static struct error *to_caller(size_t *frame, const char *word, const struct stack *stack)
{
	uint64_t steps;
	struct error *err = steps_of(word, &steps);

	if (err || !stack->count)
		return err;
	size_t last = stack->count - 1;
	if (*frame >= last)
		return error_new(ERROR_NOT_FOUND, "frame %zu is the outermost: it has no caller", last);
	*frame += (size_t)min_u64(steps, last - *frame);
	return NULL;
}

static struct error *to_callee(size_t *frame, const char *word, const struct stack *stack)
{
	uint64_t steps;
	struct error *err = steps_of(word, &steps);

	if (err || !stack->count)
		return err;
	if (!*frame)
		return error_new(ERROR_NOT_FOUND, "frame 0 is the innermost: it has called nobody");
	*frame -= (size_t)min_u64(steps, *frame);
	return NULL;
}

static struct error *run_frame(struct command_args *args)
{
	return run_move(args, to_number);
}

static struct error *run_up(struct command_args *args)
{
	return run_move(args, to_caller);
}

static struct error *run_down(struct command_args *args)
{
	return run_move(args, to_callee);
}

const struct command command_frame = {
	.name = "frame",
	.usage = "[-v] [N]",
	.summary = "a frame of the current task's stack",
	.help = "Chooses frame N, as bt numbers them, and shows it; without a number, the one chosen last.\n"
		"  -v  with all registers that are known in it\n"
		"Examples: frame 2 | frame -v",
	.run = run_frame,
};

const struct command command_up = {
	.name = "up",
	.usage = "[-v] [N]",
	.summary = "the frame that called the current one",
	.help = "Goes N frames (1) towards the callers, at most to the outermost.\n"
		"  -v  with all registers that are known in it\n"
		"Example: up 2",
	.run = run_up,
};

const struct command command_down = {
	.name = "down",
	.usage = "[-v] [N]",
	.summary = "the frame that the current one called",
	.help = "Goes N frames (1) towards the innermost.\n"
		"  -v  with all registers that are known in it",
	.run = run_down,
};
