// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * bt, the command: whose stacks, and what of them. Options first choose tasks, then a view: frames
 * (bt_thread.c), unique stacks (bt_unique.c), all of the stack or what exceptions left on it
 * (bt_whole.c), or whether stacks have overflowed (bt_check.c). Stacks of many tasks are followed
 * on all cores, a batch at a time.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/progress.h"
#include "commands/bt_views.h"
#include "commands/table.h"
#include "kernel/context.h"
#include "kernel/cpus.h"
#include "kernel/task_stacks.h"

enum { OPT_ACTIVE, OPT_CPUS, OPT_PANIC, OPT_ALL, OPT_GROUP, OPT_NO_IDLE, OPT_VARIABLES, OPT_RAW,
       OPT_NAMED, OPT_FULL, OPT_UNFOLDED, OPT_SYMBOLIC, OPT_HEX, OPT_DECIMAL, OPT_LINES,
       OPT_ARGUMENTS, OPT_UNIQUE, OPT_REF, OPT_MODULE, OPT_WHOLE, OPT_TEXT, OPT_TEXT_ALL,
       OPT_EXCEPTIONS, OPT_CPU_EXCEPTIONS, OPT_CHECK, OPT_IP, OPT_SP, OPT_OLD, OPT_OLD_ALWAYS };

static const struct option bt_option_table[] = {
	[OPT_ACTIVE] = { "a", false }, [OPT_CPUS] = { "c", true }, [OPT_PANIC] = { "p", false },
	[OPT_ALL] = { "-all", false }, [OPT_GROUP] = { "g", false },
	[OPT_NO_IDLE] = { "n", true }, [OPT_VARIABLES] = { "V", false },
	[OPT_RAW] = { "f", false }, [OPT_NAMED] = { "F", false }, [OPT_FULL] = { "FF", false },
	[OPT_UNFOLDED] = { "-unfolded", false }, [OPT_DECIMAL] = { "d", false },
	/* What crash needs to be asked for is always so here. */
	[OPT_SYMBOLIC] = { "s", false }, [OPT_HEX] = { "x", false }, [OPT_LINES] = { "l", false },
	[OPT_ARGUMENTS] = { "A", false }, [OPT_UNIQUE] = { "u", false },
	[OPT_REF] = { "R", true }, [OPT_MODULE] = { "M", true }, [OPT_WHOLE] = { "r", false },
	[OPT_TEXT] = { "t", false }, [OPT_TEXT_ALL] = { "T", false },
	[OPT_EXCEPTIONS] = { "e", false }, [OPT_CPU_EXCEPTIONS] = { "E", false },
	[OPT_CHECK] = { "v", false }, [OPT_IP] = { "I", true }, [OPT_SP] = { "S", true },
	[OPT_OLD] = { "o", false }, [OPT_OLD_ALWAYS] = { "O", false },
};

enum { BATCH = 256 }; /* stacks that are kept at once: some 300 bytes a frame */

struct bt_run {
	struct command_args *args;
	struct options chosen;
	struct bt_options options;
	struct bt_ref ref;
	struct bt_tasks of;
	bool *cpus; /* with -c */
	size_t incomplete, shown;
};

/* --- Whose. --- */

static void add(struct bt_run *run, const struct task *task)
{
	if (!run->chosen.set[OPT_NO_IDLE] || task->road != ROAD_IDLE)
		vec_push(&run->of, task);
}

/* The leader comes first. */
static void add_group(struct bt_run *run, const struct task *of)
{
	size_t count;
	const struct task *all = tasks(run->args->session, &count);

	if (!of->tgid) { /* an idle task, or one that could not be read */
		add(run, of);
		return;
	}
	for (int others = 0; others < 2; others++) {
		for (size_t i = 0; i < count; i++) {
			if (all[i].tgid == of->tgid && (all[i].pid != all[i].tgid) == others)
				add(run, &all[i]);
		}
	}
}

static void add_one(struct bt_run *run, const struct task *task)
{
	if (run->chosen.set[OPT_GROUP])
		add_group(run, task);
	else
		add(run, task);
}

static void add_active(struct bt_run *run)
{
	struct session *s = run->args->session;
	size_t count, matching = 0;
	const struct cpu *all = cpus(s, &count);
	const bool *wanted = run->cpus;

	for (size_t i = 0; i < count && !session_stopped(s); i++) {
		if (wanted && (all[i].id >= CPU_LIST_MAX || !wanted[all[i].id]))
			continue;
		matching++;
		const struct task *task =
			all[i].current_task ? task_by_address(s, all[i].current_task) : NULL;
		if (task)
			add_one(run, task);
		else if (all[i].online || wanted)
			doc_remark(run->args->doc, REMARK_HOLE,
				   "which task ran on CPU %u cannot be read", all[i].id);
	}
	if (!count)
		doc_remark(run->args->doc, REMARK_HOLE, "which CPUs there were cannot be read");
	else if (!matching)
		doc_remark(run->args->doc, REMARK_ERROR, "there is no such CPU");
}

static void add_all(struct bt_run *run)
{
	size_t count;
	const struct task *all = tasks(run->args->session, &count);

	if (!count)
		doc_remark(run->args->doc, REMARK_HOLE, "no tasks were found in the dump");
	for (size_t i = 0; i < count; i++)
		add(run, &all[i]);
}

/* There is an idle task for each CPU, all of pid 0. */
static void add_idle(struct bt_run *run)
{
	size_t count;
	const struct task *all = tasks(run->args->session, &count);

	for (size_t i = 0; i < count; i++) {
		if (all[i].road == ROAD_IDLE)
			add(run, &all[i]);
	}
}

static struct error *add_words(struct bt_run *run)
{
	const struct options *chosen = &run->chosen;
	struct session *s = run->args->session;

	for (int i = 0; i < chosen->word_count; i++) {
		const struct task *task;
		struct error *err = parse_task(s, chosen->words[i], &task);
		if (err && chosen->word_count == 1)
			return err;
		if (err) {
			doc_remark(run->args->doc, REMARK_ERROR, "%s", err->message);
			error_free(err);
		} else if (task->road == ROAD_IDLE && strcmp(chosen->words[i], "0") == 0) {
			add_idle(run);
		} else {
			add_one(run, task);
		}
	}
	return NULL;
}

static struct error *add_default(struct bt_run *run)
{
	struct session *s = run->args->session;
	const struct task *task = run->chosen.set[OPT_PANIC] ? task_crashed(s) : NULL;
	struct error *err = task ? NULL : task_or_current(s, NULL, &task);

	if (!err)
		add_one(run, task);
	return err;
}

static struct error *select_tasks(struct bt_run *run)
{
	const bool *set = run->chosen.set;

	if (set[OPT_ACTIVE] || set[OPT_CPUS])
		add_active(run);
	else if (run->chosen.word_count)
		return add_words(run);
	else if (set[OPT_ALL] || ((set[OPT_UNIQUE] || set[OPT_CHECK]) && !set[OPT_PANIC] &&
				  !set[OPT_GROUP]))
		add_all(run);
	else
		return add_default(run);
	return NULL;
}

/* --- What of them. --- */

static void show(struct bt_run *run, const struct task *task, struct stack *stack)
{
	struct session *s = run->args->session;

	if (!run->ref.any && !bt_ref_holds(s, &run->ref, task, stack))
		return;
	run->shown++;
	run->options.stack = stack;
	if (!bt_thread(s, run->args->doc, NULL, task, &run->options))
		run->incomplete++;
}

static void show_stacks(struct bt_run *run)
{
	struct session *s = run->args->session;
	size_t size = min_u64(run->of.count, BATCH);
	auto_free struct stack *stacks = xcalloc(size + 1, sizeof(*stacks));
	struct progress *progress = progress_start(&s->progress, "tasks", run->of.count);
	bool all = true;

	for (size_t first = 0; first < run->of.count && all; first += BATCH) {
		size_t count = min_u64(run->of.count - first, BATCH);
		all = task_stacks(s, run->of.data + first, count, stacks);
		for (size_t i = 0; i < count; i++) {
			if (all && !session_stopped(s))
				show(run, run->of.data[first + i], &stacks[i]);
			stack_deinit(&stacks[i]);
		}
		progress_add(progress, count);
	}
	progress_stop(progress);
}

/* -I, -S: from a place in the code, a place on the stack, or both. */
static struct error *show_from(struct bt_run *run)
{
	struct session *s = run->args->session;
	const struct options *chosen = &run->chosen;
	uint64_t pc = 0, sp = 0;
	struct error *err = NULL;

	if (chosen->set[OPT_IP])
		err = parse_address(s, chosen->value[OPT_IP], &pc);
	if (!err && chosen->set[OPT_SP])
		err = parse_address(s, chosen->value[OPT_SP], &sp);
	if (!err && run->of.count != 1)
		err = error_new(ERROR_USAGE, "-I and -S are for the stack of one task");
	if (err)
		return err;
	struct stack stack = { 0 };
	err = task_stack_from(s, run->of.data[0], pc, sp, &stack);
	if (!err)
		show(run, run->of.data[0], &stack);
	stack_deinit(&stack);
	return err;
}

static void show_whole(struct bt_run *run)
{
	const bool *set = run->chosen.set;
	struct session *s = run->args->session;

	for (size_t i = 0; i < run->of.count && !session_stopped(s); i++) {
		if (set[OPT_EXCEPTIONS])
			bt_exceptions(s, run->args->doc, run->of.data[i], &run->options);
		else
			bt_whole_stack(s, run->args->doc, run->of.data[i],
				       set[OPT_WHOLE] ? BT_RAW
						      : set[OPT_TEXT_ALL] ? BT_TEXT_ALL : BT_TEXT,
				       &run->options);
	}
}

static struct error *show_threads(struct bt_run *run)
{
	const bool *set = run->chosen.set;
	bool whole = set[OPT_EXCEPTIONS] || set[OPT_WHOLE] || set[OPT_TEXT] || set[OPT_TEXT_ALL];
	struct error *err = NULL;

	doc_array(run->args->doc, whole ? "whole_stacks" : "threads", NULL);
	if (whole)
		show_whole(run);
	else if (set[OPT_IP] || set[OPT_SP])
		err = show_from(run);
	else
		show_stacks(run);
	doc_end(run->args->doc);
	if (run->incomplete)
		doc_remark(run->args->doc, REMARK_HOLE, "%zu stack%s could not be followed to the end",
			   run->incomplete, run->incomplete == 1 ? "" : "s");
	return err;
}

static struct error *show_views(struct bt_run *run)
{
	const bool *set = run->chosen.set;

	if (set[OPT_CHECK])
		bt_check(run->args, &run->of);
	else if (set[OPT_UNIQUE])
		bt_unique(run->args, &run->of, &run->ref, &run->options);
	else
		return show_threads(run);
	return NULL;
}

/* --- The command. --- */

static enum stack_words words_wanted(const struct options *options)
{
	if (options->set[OPT_FULL] || options->times[OPT_NAMED] > 1)
		return STACK_WORDS_FULL;
	if (options->set[OPT_NAMED])
		return STACK_WORDS_NAMED;
	return options->set[OPT_RAW] ? STACK_WORDS_RAW : STACK_WORDS_NONE;
}

static struct error *check_options(struct bt_run *run)
{
	const struct options *chosen = &run->chosen;

	if (chosen->set[OPT_OLD] || chosen->set[OPT_OLD_ALWAYS])
		return error_new(ERROR_USAGE, "there is no old method here: -t shows all that may be a "
				 "return address, stale or not");
	if (chosen->set[OPT_NO_IDLE] && strcmp(chosen->value[OPT_NO_IDLE], "idle") != 0)
		return error_new(ERROR_USAGE, "-n takes the word \"idle\"");
	struct error *err = parse_cpu_option(run->args, chosen->value[OPT_CPUS], &run->cpus);
	if (err)
		return err;
	return bt_ref_parse(run->args->session, chosen->value[OPT_REF],
			    chosen->value[OPT_MODULE], &run->ref);
}

static struct error *start(struct bt_run *run)
{
	struct error *err = options_parse(run->args, bt_option_table, array_size(bt_option_table),
					  &run->chosen);

	run->options = (struct bt_options){
		.verbose = run->chosen.set[OPT_VARIABLES],
		.words = words_wanted(&run->chosen),
		.unfolded = run->chosen.set[OPT_UNFOLDED],
		.arguments = run->chosen.set[OPT_ARGUMENTS],
		.decimal = run->chosen.set[OPT_DECIMAL] && !run->chosen.set[OPT_HEX],
	};
	return err ? err : check_options(run);
}

static struct error *run_bt(struct command_args *args)
{
	struct bt_run run = { .args = args };
	struct error *err = start(&run);

	if (!err && run.chosen.set[OPT_CPU_EXCEPTIONS])
		return bt_cpu_exceptions(args, run.cpus);
	if (!err)
		err = select_tasks(&run);
	if (!err)
		err = show_views(&run);
	vec_deinit(&run.of);
	return err;
}

struct error *bt_on_tasks(struct command_args *args, const struct task *const *of, size_t count)
{
	struct bt_run run = { .args = args };
	struct error *err = start(&run);
	const bool *set = run.chosen.set;

	if (!err && (run.chosen.word_count || set[OPT_ACTIVE] || set[OPT_CPUS] || set[OPT_ALL] ||
		     set[OPT_PANIC] || set[OPT_CPU_EXCEPTIONS]))
		err = error_new(ERROR_USAGE, "which tasks is said before the command");
	for (size_t i = 0; !err && i < count; i++)
		add_one(&run, of[i]);
	if (!err)
		err = show_views(&run);
	vec_deinit(&run.of);
	return err;
}

const struct command command_bt = {
	.name = "bt",
	.usage = "[-a | -c CPUS | -p | --all] [-g] [-n idle] [-f | -F | -FF] [-V] [-A] [-d] [-R REF] "
		 "[-M MODULE] [-u | -r | -t | -T | -e | -E | -v | -I IP -S SP] [PID|TASK ...]",
	.summary = "stacks of tasks",
	.help = "Without arguments, the stack of the current task: the one that crashed, or that \"set\" chose.\n"
		"PID 0 means the idle tasks of all CPUs.\n"
		"  -a        the task that ran on each CPU\n"
		"  -c CPUS   the tasks that ran on these CPUs: 3, 0,2-4, a\n"
		"  -p        the task that crashed\n"
		"  --all     every task\n"
		"  -g        all threads of the task's process, the leader first\n"
		"  -n idle   leave out idle tasks\n"
		"  -R REF    only stacks that hold this: a function (a frame in it, also an inlined one), a\n"
		"            symbol of data (a word that points into it), an address\n"
		"  -M MODULE only stacks with a frame in this module (vmlinux: the kernel itself); with\n"
		"            -R, a frame of that function in that module. Both take * and ?\n"
		"What of them:\n"
		"  -u        unique stacks, those of most tasks first, with how many and which tasks; of\n"
		"            all tasks, unless some are named\n"
		"  -V        say how each frame was found, with all registers known in it, arguments\n"
		"            and local variables\n"
		"  -A        what each function was called with, without debug files too: see args\n"
		"  -f        the words of the stack under each frame\n"
		"  -F        the same with names: symbols, [slab cache], [frame #2] of this stack\n"
		"  -FF       a word a line, with value and name\n"
		"  -d        offsets in decimal\n"
		"  --unfolded  recursion frame by frame (else the first turn and how far it goes)\n"
		"  -r        all words of the task's stack\n"
		"  -t        every word from the stack pointer up that is an address of code, and which\n"
		"            frame it belongs to; the others are stale or data\n"
		"  -T        the same from the stack's lowest address on\n"
		"  -e        registers that exceptions and interrupts have saved on the task's stack\n"
		"  -E        the same on the interrupt and exception stacks of all CPUs (or with -c)\n"
		"  -v        which stacks have overflowed: STACK_END_MAGIC, stack pointer, CPU; and the\n"
		"            stack with the least room left\n"
		"  -I IP, -S SP  begin at this place of the code, this place of the stack, or both\n"
		"Each line: number, stack pointer, function + offset, [module]. A frame with a \"?\" was\n"
		"found by searching the stack and may be stale. The registers under a frame are those\n"
		"that an exception or interrupt saved there. Lines of the source (-l) are shown where\n"
		"debug files are there; offsets (-s, -x) always.\n"
		"Examples: bt | bt -a | bt 1 2 | bt -c 0-3 -n idle | bt -u -R schedule | bt -t | bt -v",
	.run = run_bt,
};
