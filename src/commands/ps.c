// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * ps: the tasks, in crash's columns. A task that was running when the machine died is marked '>';
 * the name of a kernel thread stands in brackets. The roads by which tasks were found are told
 * only when the first one, the pid index, was not enough.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "commands/args.h"
#include "commands/table.h"
#include "kernel/system.h"

enum { PF_KTHREAD = 0x00200000 }; /* include/linux/sched.h, since 2.6.27 */

enum { OPT_KERNEL, OPT_USER, OPT_LEADERS, OPT_ACTIVE, OPT_NO_IDLE, OPT_SUMMARY, OPT_CPUS,
       OPT_NO_HEADER };

static const struct option ps_option_table[] = {
	[OPT_KERNEL] = { "k", false },  [OPT_USER] = { "u", false },
	[OPT_LEADERS] = { "G", false }, [OPT_ACTIVE] = { "A", false },
	[OPT_NO_IDLE] = { "I", false }, [OPT_SUMMARY] = { "S", false },
	[OPT_CPUS] = { "C", true },     [OPT_NO_HEADER] = { "H", false },
};

static const struct column ps_columns[] = {
	{ .key = NULL, .title = "", .style = STYLE_STRONG },
	{ .key = "pid", .title = "PID", .right = true },
	{ .key = "tgid" },
	{ .key = "ppid", .title = "PPID", .right = true },
	{ .key = "cpu", .title = "CPU", .right = true },
	{ .key = "task", .title = "TASK" },
	{ .key = "state", .title = "ST" },
	{ .key = NULL, .title = "%MEM", .right = true },
	{ .key = "vsz_kb", .title = "VSZ", .right = true },
	{ .key = "rss_kb", .title = "RSS", .right = true },
	{ .key = "comm", .title = "COMM" },
	{ .key = "kernel_thread" },
	{ .key = "on_cpu" },
	{ .key = "incomplete" },
	{ .key = "road" },
};

struct ps_run {
	struct command_args *args;
	struct options options;
	bool *cpus;            /* with -C */
	uint64_t memory_bytes;
	size_t shown, incomplete;
};

static bool is_kernel_thread(const struct task *task)
{
	return task->flags & PF_KTHREAD || (!task->mm && task->road == ROAD_IDLE);
}

/* Does @word name the task? A PID, an address, or its name (with * and ?). */
static bool word_matches(const char *word, const struct task *task)
{
	uint64_t number;

	if (parse_u64(word, &number) && number == (uint64_t)(int64_t)task->pid)
		return true;
	if (parse_hex(word, &number) && number == task->address)
		return true;
	char comm[sizeof(task->comm) + 1];
	snprintf(comm, sizeof(comm), "%.*s", (int)sizeof(task->comm), task->comm);
	return glob_match(word, comm);
}

static bool wanted(const struct ps_run *run, const struct task *task)
{
	const struct options *o = &run->options;
	bool kernel = is_kernel_thread(task);

	if ((o->set[OPT_KERNEL] && !kernel) || (o->set[OPT_USER] && kernel))
		return false;
	if (o->set[OPT_LEADERS] && task->pid != task->tgid)
		return false;
	if (o->set[OPT_ACTIVE] && !task->on_cpu)
		return false;
	if (o->set[OPT_NO_IDLE] && task->road == ROAD_IDLE)
		return false;
	if (run->cpus && (task->cpu < 0 || task->cpu >= CPU_LIST_MAX || !run->cpus[task->cpu]))
		return false;
	for (int i = 0; i < o->word_count; i++) {
		if (word_matches(o->words[i], task))
			return true;
	}
	return !o->word_count;
}

static void add_task(struct ps_run *run, const struct task *task)
{
	char letter[2] = { task_state_letter(task), '\0' };
	char comm[sizeof(task->comm) + 1], shown_comm[sizeof(comm) + 2], percent[16];
	uint64_t vsz, rss;

	bool kernel = is_kernel_thread(task);
	bool known = task_memory(run->args->session, task, &vsz, &rss);
	snprintf(comm, sizeof(comm), "%.*s", (int)sizeof(task->comm), task->comm);
	snprintf(shown_comm, sizeof(shown_comm), kernel ? "[%s]" : "%s", comm);
	snprintf(percent, sizeof(percent), "%.1f",
		 run->memory_bytes ? 100.0 * (double)rss / (double)run->memory_bytes : 0.0);
	doc_row(run->args->doc, cell_str(task->on_cpu ? ">" : ""), cell_dec(task->pid),
		cell_dec(task->tgid), cell_dec(task->ppid),
		task->cpu < 0 ? cell_none() : cell_dec(task->cpu), cell_address(task->address),
		cell_shown(cell_str(letter), task_state_name(task)),
		known ? cell_shown(cell_none(), percent) : cell_none(),
		known ? cell_udec(vsz / 1024) : cell_none(),
		known ? cell_udec(rss / 1024) : cell_none(),
		cell_shown(cell_str(comm), shown_comm), cell_bool(kernel), cell_bool(task->on_cpu),
		cell_bool(task->incomplete), cell_str(task_road_name(task->road)));
	run->shown++;
	run->incomplete += task->incomplete;
}

/* Where the pid index did not lead to every task, by which roads they were found. */
static void remark_roads(struct ps_run *run)
{
	size_t counts[ROAD_COUNT];
	auto_strbuf text = { 0 };

	task_roads(run->args->session, counts);
	for (int road = ROAD_TASK_LIST; road < ROAD_COUNT; road++) {
		if (counts[road])
			strbuf_addf(&text, "%s%zu by %s", text.len ? ", " : "", counts[road],
				    task_road_name((enum task_road)road));
	}
	if (text.len)
		doc_remark(run->args->doc, REMARK_NOTE,
			   "the pid index leads to %zu tasks only; more were found: %s",
			   counts[ROAD_PID_INDEX], text.data);
	if (run->incomplete)
		doc_remark(run->args->doc, REMARK_HOLE, "parts of %zu task%s cannot be read",
			   run->incomplete, run->incomplete == 1 ? "" : "s");
}

/* -S: how many tasks are in which state. */
static void summary(struct ps_run *run, const struct task *all, size_t count)
{
	static const struct column columns[] = {
		{ .key = "state", .title = "ST" },
		{ .key = "count", .title = "TASKS", .right = true },
	};
	struct {
		const char *name;
		char letter[2];
		size_t count;
	} states[16] = { 0 };

	for (size_t i = 0; i < count; i++) {
		const char *name = task_state_name(&all[i]);
		for (size_t k = 0; wanted(run, &all[i]) && k < array_size(states); k++) {
			if (states[k].name && strcmp(states[k].name, name) != 0)
				continue;
			states[k].name = name;
			states[k].letter[0] = task_state_letter(&all[i]);
			states[k].count++;
			run->shown++;
			break;
		}
	}
	doc_table(run->args->doc, "states", columns, array_size(columns));
	for (size_t k = 0; k < array_size(states) && states[k].name; k++)
		doc_row(run->args->doc, cell_shown(cell_str(states[k].letter), states[k].name),
			cell_udec(states[k].count));
	doc_end(run->args->doc);
}

static void list(struct ps_run *run, const struct task *all, size_t count)
{
	doc_table(run->args->doc, "tasks", ps_columns, array_size(ps_columns));
	if (run->options.set[OPT_NO_HEADER])
		doc_bare(run->args->doc);
	for (size_t i = 0; i < count; i++) {
		if (wanted(run, &all[i]))
			add_task(run, &all[i]);
	}
	doc_end(run->args->doc);
}

static struct error *run_ps(struct command_args *args)
{
	struct ps_run run = { .args = args };
	auto_free bool *cpus = NULL;
	struct system_info *info;
	size_t count;

	struct error *err = options_parse(args, ps_option_table, array_size(ps_option_table),
					  &run.options);
	if (!err && run.options.set[OPT_CPUS]) {
		run.cpus = cpus = xcalloc(CPU_LIST_MAX, sizeof(*cpus));
		err = parse_cpu_list(run.options.value[OPT_CPUS], cpus);
	}
	if (err)
		return err;
	info = arena_zalloc(&args->doc->arena, sizeof(*info));
	system_info(args->session, info);
	run.memory_bytes = info->memory_bytes;
	const struct task *all = tasks(args->session, &count);
	if (run.options.set[OPT_SUMMARY])
		summary(&run, all, count);
	else
		list(&run, all, count);
	if (!run.shown && run.options.word_count)
		return error_new(ERROR_NOT_FOUND, "no task matches");
	if (!count)
		return error_new(ERROR_MISSING, "no tasks were found in the dump");
	remark_roads(&run);
	return NULL;
}

const struct command command_ps = {
	.name = "ps",
	.usage = "[-k | -u] [-G] [-A] [-I] [-S] [-H] [-C CPUS] [PID|TASK|NAME ...]",
	.summary = "tasks: processes, threads, kernel threads",
	.help = "All tasks, or those that are named; a NAME may hold * and ?.\n"
		"  -k        kernel threads only\n"
		"  -u        user processes and threads only\n"
		"  -G        thread group leaders only\n"
		"  -A        tasks that were running only\n"
		"  -I        leave out idle tasks\n"
		"  -S        count the tasks in each state\n"
		"  -H        no headings\n"
		"  -C CPUS   tasks that ran last on these CPUs: 3, 0,2-4\n"
		"Columns: > marks a running task; ST as in crash: RU running, IN sleeping, UN\n"
		"uninterruptible, ID idle kernel thread, ZO zombie, ST stopped, TR traced, DE dead;\n"
		"VSZ and RSS in KiB.\n"
		"Examples: ps | ps -u | ps 'kworker*' | ps -S",
	.run = run_ps,
};
