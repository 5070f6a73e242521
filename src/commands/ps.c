// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * ps: the tasks, in crash's columns. A task that was running when the machine died is marked '>';
 * the name of a kernel thread stands in brackets. The roads by which tasks were found are told
 * only when the first one, the pid index, was not enough.
 */
#include "commands/ps.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "commands/show.h"
#include "commands/table.h"
#include "kernel/cpus.h"
#include "kernel/system.h"
#include "kernel/task_sched.h"

static const struct option ps_option_table[] = {
	[OPT_KERNEL] = { "k", false },   [OPT_USER] = { "u", false },
	[OPT_LEADERS] = { "G", false },  [OPT_ACTIVE] = { "A", false },
	[OPT_NO_IDLE] = { "I", false },  [OPT_SUMMARY] = { "S", false },
	[OPT_CPUS] = { "C", true },      [OPT_NO_HEADER] = { "H", false },
	[OPT_POLICIES] = { "y", true },  [OPT_STACK] = { "s", false },
	[OPT_SCHED] = { "Y", false },    [OPT_PARENTS] = { "p", false },
	[OPT_CHILDREN] = { "c", false }, [OPT_TIMES] = { "t", false },
	[OPT_LAST] = { "l", false },     [OPT_AGO] = { "m", false },
	[OPT_WORDS] = { "a", false },    [OPT_GROUPS] = { "g", false },
	[OPT_LIMITS] = { "r", false },
};

/* Views that take the place of the table. */
static const struct {
	int option;
	void (*show)(struct ps_run *run);
} views[] = {
	{ OPT_PARENTS, ps_parents }, { OPT_CHILDREN, ps_children }, { OPT_TIMES, ps_times },
	{ OPT_LAST, ps_last_run },   { OPT_AGO, ps_last_run },      { OPT_WORDS, ps_words },
	{ OPT_GROUPS, ps_groups },   { OPT_LIMITS, ps_limits },
};

enum { COLUMN_TASK = 5, COLUMN_SP, COLUMN_POLICY, COLUMN_PRIO, COLUMN_NICE };

static const struct column ps_columns[] = {
	{ .key = NULL, .title = "", .style = STYLE_STRONG },
	{ .key = "pid", .title = "PID", .right = true },
	{ .key = "tgid" },
	{ .key = "ppid", .title = "PPID", .right = true },
	{ .key = "cpu", .title = "CPU", .right = true },
	[COLUMN_TASK] = { .key = "task", .title = "TASK" },
	[COLUMN_SP] = { .key = NULL },     /* these four with -s and -Y only */
	[COLUMN_POLICY] = { .key = NULL },
	[COLUMN_PRIO] = { .key = NULL },
	[COLUMN_NICE] = { .key = NULL },
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

/* A word: what stood in single quotes is an extended regular expression, as in crash, too. */
struct ps_name {
	const char *word;
	bool is_regex;
	regex_t regex;
};

/* Was the word typed in single quotes? */
static bool quoted(const struct command_args *args, const char *word)
{
	auto_free char *text = xasprintf("'%s'", word);

	return args->rest && strstr(args->rest, text);
}

static void compile_names(struct ps_run *run)
{
	run->names = xcalloc((size_t)run->options.word_count + 1, sizeof(*run->names));
	for (int i = 0; i < run->options.word_count; i++) {
		struct ps_name *name = &run->names[i];
		name->word = run->options.words[i];
		name->is_regex = quoted(run->args, name->word) &&
				 !regcomp(&name->regex, name->word, REG_EXTENDED | REG_NOSUB);
		/* "\\1234" is a name and no PID. */
		if (name->word[0] == '\\')
			name->word++;
	}
}

static void free_names(struct ps_run *run)
{
	for (int i = 0; run->names && i < run->options.word_count; i++) {
		if (run->names[i].is_regex)
			regfree(&run->names[i].regex);
	}
	free(run->names);
}

/* Does the word name the task? A PID, an address, or its name. */
static bool name_matches(const struct ps_run *run, int i, const struct task *task)
{
	const struct ps_name *name = &run->names[i];
	bool escaped = name->word != run->options.words[i];
	char comm[sizeof(task->comm) + 1];
	uint64_t number;

	if (!escaped && parse_u64(name->word, &number) && number == (uint64_t)(int64_t)task->pid)
		return true;
	if (!escaped && parse_hex(name->word, &number) && number == task->address)
		return true;
	snprintf(comm, sizeof(comm), "%.*s", (int)sizeof(task->comm), task->comm);
	return glob_match(name->word, comm) ||
	       (name->is_regex && !regexec(&name->regex, comm, 0, NULL, 0));
}

/* -y, -C: of how many tasks is it not known whether they are wanted? */
static void remark_undecided(const struct ps_run *run)
{
	struct task_sched sched;
	size_t unknown = 0;

	for (size_t i = 0; (run->policies || run->cpus) && i < run->count; i++)
		unknown += (run->cpus && run->all[i].cpu < 0) ||
			   (run->policies && !task_sched(run->args->session, &run->all[i], &sched));
	if (unknown)
		doc_remark(run->args->doc, REMARK_HOLE, "of %zu task%s the %s is not in the dump",
			   unknown, unknown == 1 ? "" : "s", run->policies ? "policy" : "CPU");
}

static bool policy_wanted(const struct ps_run *run, const struct task *task)
{
	struct task_sched sched;

	return task_sched(run->args->session, task, &sched) && sched.policy < 32 &&
	       run->policies >> sched.policy & 1;
}

bool ps_wanted(const struct ps_run *run, const struct task *task)
{
	const struct options *o = &run->options;
	enum task_kind kind = task_kind(task);

	if ((o->set[OPT_KERNEL] && kind != TASK_KERNEL) ||
	    (o->set[OPT_USER] && kind != TASK_USER))
		return false;
	if (o->set[OPT_LEADERS] && task->pid != task->tgid)
		return false;
	if (o->set[OPT_ACTIVE] && !task->on_cpu)
		return false;
	if (o->set[OPT_NO_IDLE] && task->road == ROAD_IDLE)
		return false;
	if (run->cpus && (task->cpu < 0 || task->cpu >= CPU_LIST_MAX || !run->cpus[task->cpu]))
		return false;
	if (run->policies && !policy_wanted(run, task))
		return false;
	for (int i = 0; i < o->word_count; i++) {
		if (name_matches(run, i, task))
			return true;
	}
	return !o->word_count;
}

/* Where its kernel stack ended: of a running task, as its CPU's registers say. */
static struct cell stack_pointer(struct session *s, const struct task *task)
{
	const struct cpu *cpu = task->on_cpu ? cpu_by_id(s, (unsigned)task->cpu) : NULL;
	uint64_t sp;

	if (cpu && cpu->has_regs && regs_known(&cpu->regs, s->arch->sp) &&
	    s->arch->is_kernel_address(cpu->regs.value[s->arch->sp]))
		return cell_address(cpu->regs.value[s->arch->sp]);
	return !task->on_cpu && kread(s, task->address, "task_struct", "thread.sp", &sp)
		       ? cell_address(sp) : cell_none();
}

static void add_task(struct ps_run *run, const struct task *task)
{
	struct session *s = run->args->session;
	char letter[2] = { task_state_letter(task), '\0' };
	char comm[sizeof(task->comm) + 1], shown_comm[sizeof(comm) + 2], percent[16];
	struct task_sched sched = { 0 };
	uint64_t vsz, rss;

	enum task_kind kind = task_kind(task);
	bool known = task_memory(s, task, &vsz, &rss);
	if (run->options.set[OPT_SCHED])
		task_sched(s, task, &sched);
	snprintf(comm, sizeof(comm), "%.*s", (int)sizeof(task->comm), task->comm);
	snprintf(shown_comm, sizeof(shown_comm), kind == TASK_KERNEL ? "[%s]" : "%s",
		 comm);
	snprintf(percent, sizeof(percent), "%.1f",
		 run->memory_bytes ? 100.0 * (double)rss / (double)run->memory_bytes : 0.0);
	doc_row(run->args->doc, cell_str(task->on_cpu ? ">" : ""), 
		pid_cell(task),
		task_has_tgid(task) ? cell_dec(task->tgid) : cell_none(),
		task->has_ppid ? cell_dec(task->ppid) : cell_none(),
		cpu_cell(task), cell_address(task->address),
		run->options.set[OPT_STACK] ? stack_pointer(s, task) : cell_none(),
		cell_str(sched.known ? task_policy_name(sched.policy) : NULL),
		sched.known ? cell_dec(sched.prio) : cell_none(),
		sched.known ? cell_dec(sched.static_prio - 120) : cell_none(),
		cell_shown(cell_str(letter), task_state_name(task)),
		known && run->memory_bytes ? cell_shown(cell_none(), percent) : cell_none(),
		known ? cell_udec(vsz / 1024) : cell_none(),
		known ? cell_udec(rss / 1024) : cell_none(),
		cell_shown(cell_str(comm), shown_comm),
		kind == TASK_KIND_UNKNOWN ? cell_none() : cell_bool(kind == TASK_KERNEL),
		cell_bool(task->on_cpu), cell_bool(task->incomplete),
		cell_str(task_road_name(task->road)));
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
		for (size_t k = 0; ps_wanted(run, &all[i]) && k < array_size(states); k++) {
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

static void list(struct ps_run *run)
{
	/* As long as the document: its tables borrow their columns. */
	struct column *columns = arena_alloc(&run->args->doc->arena, sizeof(ps_columns));

	memcpy(columns, ps_columns, sizeof(ps_columns));
	if (run->options.set[OPT_STACK]) {
		columns[COLUMN_TASK].title = NULL;
		columns[COLUMN_SP] = (struct column){ .key = "stack_pointer", .title = "KSTACKP" };
	}
	if (run->options.set[OPT_SCHED]) {
		columns[COLUMN_POLICY] = (struct column){ .key = "policy", .title = "POLICY" };
		columns[COLUMN_PRIO] = (struct column){ .key = "priority", .title = "PRIO",
							.right = true };
		columns[COLUMN_NICE] = (struct column){ .key = "nice", .title = "NICE",
							.right = true };
	}
	doc_table(run->args->doc, "tasks", columns, array_size(ps_columns));
	if (run->options.set[OPT_NO_HEADER])
		doc_bare(run->args->doc);
	for (size_t i = 0; i < run->count && !session_stopped(run->args->session); i++) {
		if (ps_wanted(run, &run->all[i]))
			add_task(run, &run->all[i]);
	}
	doc_end(run->args->doc);
}

/* "FIFO,RR", "1,2": bits. */
static struct error *parse_policies(const char *list, unsigned *bits)
{
	while (*list) {
		size_t length = strcspn(list, ",");
		auto_free char *word = xstrndup(list, length);
		unsigned policy;
		if (!task_policy_by_name(word, &policy))
			return error_new(ERROR_USAGE, "%s is no scheduling policy (NORMAL FIFO RR "
					 "BATCH ISO IDLE DEADLINE EXT, or 0 to 7)", word);
		*bits |= 1U << policy;
		list += length + (list[length] == ',');
	}
	return *bits ? NULL : error_new(ERROR_USAGE, "-y needs scheduling policies");
}

static struct error *parse_ps(struct ps_run *run)
{
	int chosen = 0;
	struct error *err = options_parse(run->args, ps_option_table,
					  array_size(ps_option_table), &run->options);

	if (!err)
		err = parse_cpu_option(run->args, run->options.value[OPT_CPUS], &run->cpus);
	if (!err && run->options.set[OPT_POLICIES])
		err = parse_policies(run->options.value[OPT_POLICIES], &run->policies);
	for (size_t i = 0; i < array_size(views); i++)
		chosen += run->options.set[views[i].option];
	chosen += run->options.set[OPT_SUMMARY];
	if (!err && chosen > 1)
		err = error_new(ERROR_USAGE, "only one of -p -c -t -l -m -a -g -r -S at a time");
	return err;
}

static void show(struct ps_run *run)
{
	for (size_t i = 0; i < array_size(views); i++) {
		if (run->options.set[views[i].option]) {
			views[i].show(run);
			return;
		}
	}
	if (run->options.set[OPT_SUMMARY])
		summary(run, run->all, run->count);
	else
		list(run);
}

static struct error *run_ps(struct command_args *args)
{
	struct ps_run run = { .args = args };
	struct system_info *info;

	struct error *err = parse_ps(&run);
	if (err)
		return err;
	compile_names(&run);
	info = arena_zalloc(&args->doc->arena, sizeof(*info));
	system_info(args->session, info);
	run.memory_bytes = info->memory_bytes;
	run.all = tasks(args->session, &run.count);
	show(&run);
	free_names(&run);
	if (!run.count)
		return error_new(ERROR_MISSING, "no tasks were found in the dump");
	if (run.options.set[OPT_KERNEL] || run.options.set[OPT_USER])
		show_unknown_kinds(args->doc, run.all, run.count);
	remark_undecided(&run);
	if (!run.shown && (run.options.word_count || run.policies))
		return error_new(ERROR_NOT_FOUND, "no task matches");
	remark_roads(&run);
	return NULL;
}

const struct command command_ps = {
	.name = "ps",
	.usage = "[-k | -u] [-G] [-A] [-I] [-y POLICIES] [-C CPUS] [-s] [-Y] [-H] "
		 "[-p | -c | -t | -l | -m | -a | -g | -r | -S] [PID|TASK|NAME|'REGEX' ...]",
	.summary = "tasks: processes, threads, kernel threads",
	.help = "All tasks, or those that are named; a NAME may hold * and ?, and between single\n"
		"quotes it is an extended regular expression, too.\n"
		"  -k        kernel threads only\n"
		"  -u        user processes and threads only\n"
		"  -G        thread group leaders only\n"
		"  -A        tasks that were running only\n"
		"  -I        leave out idle tasks\n"
		"  -y LIST   tasks with these scheduling policies: FIFO,RR or 1,2\n"
		"  -C CPUS   tasks that ran last on these CPUs: 3, 0,2-4\n"
		"  -s        the kernel stack pointer in place of the task's address\n"
		"  -Y        scheduling policy, priority (100 and more: not real-time) and nice value\n"
		"  -H        no headings\n"
		"In place of the table:\n"
		"  -p        parents, up to the first\n"
		"  -c        children\n"
		"  -g        thread groups\n"
		"  -t        times: since it was started, when that was, on a CPU (exact), and of that in\n"
		"            user and kernel mode (counted by ticks)\n"
		"  -l        when each ran last, latest first; with -C by CPU\n"
		"  -m        the same as how long ago that was: days hours:minutes:seconds\n"
		"  -a        arguments and environment\n"
		"  -r        resource limits\n"
		"  -S        count the tasks in each state\n"
		"Columns: > marks a running task; ST as in crash: RU running, IN sleeping, UN\n"
		"uninterruptible, ID idle kernel thread, ZO zombie, ST stopped, TR traced, DE dead;\n"
		"VSZ and RSS in KiB.\n"
		"Examples: ps | ps -u | ps 'kworker*' | ps -S | ps -m -C 0 | ps -y FIFO,RR -Y | ps -a 1",
	.run = run_ps,
};
