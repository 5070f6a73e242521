// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * runq: for each CPU the task that runs and those that wait for it, best first: deadline,
 * real-time, fair. With -g the groups that they are in stand above them; -t -T -m are about the
 * queues' clocks.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "commands/args.h"
#include "commands/show.h"
#include "commands/table.h"
#include "commands/task_text.h"
#include "kernel/cpus.h"
#include "kernel/run_queues.h"
#include "kernel/task_sched.h"

enum { OPT_CLOCKS, OPT_LAG, OPT_RUNNING, OPT_GROUPS, OPT_CPUS };

static const struct option runq_option_table[] = {
	[OPT_CLOCKS] = { "t", false },  [OPT_LAG] = { "T", false }, [OPT_RUNNING] = { "m", false },
	[OPT_GROUPS] = { "g", false },  [OPT_CPUS] = { "c", true },
};

static const char *const class_names[] = {
	[RUN_DEADLINE] = "deadline", [RUN_REALTIME] = "real-time", [RUN_FAIR] = "fair",
};

struct runq_run {
	struct command_args *args;
	struct options options;
	struct {
		vec_fields(struct run_queue);
	} queues;
	uint64_t now;      /* the latest of all clocks */
	size_t shown;      /* of the queue at hand */
};

/* What to say of an entry beside its name. */
static const char *entry_marks(const struct run_entry *e)
{
	if (e->current)
		return "current";
	if (e->throttled)
		return "throttled";
	if (e->delayed)
		return "delayed";
	return e->server ? "server" : "";
}

static void add_entry_row(struct runq_run *run, const struct run_entry *e)
{
	struct arena *arena = &run->args->doc->arena;
	const struct task *task = e->task ? task_by_address(run->args->session, e->task) : NULL;
	const char *indent = arena_printf(arena, "%*s", run->options.set[OPT_GROUPS]
								? (int)e->depth * 2 : 0, "");
	char group[512];
	bool named = task_group_path(run->args->session, e->group, group, sizeof(group));
	const char *comm = task ? task_comm(arena, task) : NULL;
	const char *shown = e->task ? comm ? comm : "(not in the dump)"
			    : e->server ? "(fair server)"
			    : arena_printf(arena, "%s", named ? group : "(group)");

	doc_row(run->args->doc, cell_str(class_names[e->class]),
		!e->task ? cell_shown(cell_none(), "") : e->has_prio ? cell_dec(e->prio)
							: cell_none(),
		task ? pid_cell(task) : cell_shown(cell_none(), ""),
		e->task ? cell_address(e->task) : e->group
		? cell_shown(cell_none(), arena_printf(arena, "%016" PRIx64, e->group))
		: cell_shown(cell_none(), ""),
		cell_shown(cell_str(comm), arena_printf(arena, "%s%s", indent, shown)),
		cell_str(entry_marks(e)),
		e->class != RUN_FAIR ? cell_shown(cell_none(), "")
				     : e->has_vruntime ? cell_udec(e->vruntime) : cell_none(),
		e->has_deadline ? cell_udec(e->deadline) : cell_shown(cell_none(), ""),
		named ? cell_str(group) : cell_shown(cell_none(), ""),
		e->group ? cell_address(e->group) : cell_none(),
		e->queue ? cell_address(e->queue) : cell_none(), cell_udec(e->depth),
		cell_bool(e->throttled), cell_bool(e->delayed));
}

static bool add_entry(void *ctx, const struct run_entry *e)
{
	struct runq_run *run = ctx;

	if (!run->options.set[OPT_GROUPS] && !e->task && !e->server)
		return true; /* its members say that they are in it */
	/* The one that runs has its own line. */
	if (!run->options.set[OPT_GROUPS] && e->current)
		return true;
	add_entry_row(run, e);
	run->shown++;
	return true;
}

static const struct column *entry_columns(struct runq_run *run, size_t *count)
{
	const struct column columns[] = {
		{ .key = "class", .title = "CLASS" },
		{ .key = "priority", .title = "PRIO", .right = true },
		{ .key = "pid", .title = "PID", .right = true },
		{ .key = "task", .title = run->options.set[OPT_GROUPS] ? "TASK OR GROUP" : "TASK" },
		{ .key = "comm", .title = "COMM", .style = STYLE_STRONG },
		{ .key = "mark", .title = "" },
		{ .key = "vruntime", .title = "VRUNTIME", .right = true },
		{ .key = "deadline", .title = "DEADLINE", .right = true },
		{ .key = "group", .title = run->options.set[OPT_GROUPS] ? NULL : "GROUP" },
		{ .key = "group_address" },
		{ .key = "queue" },
		{ .key = "depth" },
		{ .key = "throttled" },
		{ .key = "delayed" },
	};
	struct column *kept = arena_alloc(&run->args->doc->arena, sizeof(columns));

	memcpy(kept, columns, sizeof(columns));
	*count = array_size(columns);
	return kept;
}

static void add_current(struct runq_run *run, const struct run_queue *rq)
{
	struct doc *doc = run->args->doc;
	const struct task *task = task_by_address(run->args->session, rq->current);

	doc_field(doc, "current", "CURRENT",
		  rq->current ? cell_shown(cell_address(rq->current),
					   task ? task_line(&doc->arena, task, 0) : NULL)
			      : cell_none());
	doc_field(doc, "current_pid", NULL, task ? pid_cell(task) : cell_none());
	doc_field(doc, "current_comm", NULL,
		  cell_str(task ? task_comm(&doc->arena, task) : NULL));
}

static void add_counts(struct runq_run *run, const struct run_queue *rq)
{
	struct doc *doc = run->args->doc;
	const char *text = arena_printf(&doc->arena, "%" PRIu64 " (deadline %" PRIu64
					", real-time %" PRIu64 ", fair %" PRIu64 ")", rq->running,
					rq->deadline, rq->realtime, rq->fair);
	bool known = rq->has_counts;

	doc_field(doc, "running", "RUNNABLE",
		  known ? cell_shown(cell_udec(rq->running), text) : cell_none());
	doc_field(doc, "running_deadline", NULL, known ? cell_udec(rq->deadline) : cell_none());
	doc_field(doc, "running_realtime", NULL, known ? cell_udec(rq->realtime) : cell_none());
	doc_field(doc, "running_fair", NULL, known ? cell_udec(rq->fair) : cell_none());
	doc_field(doc, "clock_ns", NULL, rq->has_clock ? cell_udec(rq->clock) : cell_none());
	doc_field(doc, "cfs_rq", NULL, rq->cfs ? cell_address(rq->cfs) : cell_none());
	doc_field(doc, "rt_rq", NULL, rq->rt ? cell_address(rq->rt) : cell_none());
	doc_field(doc, "dl_rq", NULL, rq->dl ? cell_address(rq->dl) : cell_none());
}

static void add_queue(struct runq_run *run, const struct run_queue *rq)
{
	struct doc *doc = run->args->doc;
	struct walk_trouble trouble = { 0 };
	size_t columns;

	doc_record(doc, NULL, NULL);
	doc_heading(doc, "CPU %u RUNQUEUE: %016" PRIx64, rq->cpu, rq->address);
	doc_field(doc, "cpu", NULL, cell_udec(rq->cpu));
	doc_field(doc, "runqueue", NULL, cell_address(rq->address));
	add_current(run, rq);
	add_counts(run, rq);
	run->shown = 0;
	const struct column *entries = entry_columns(run, &columns);
	doc_table(doc, "queued", entries, columns);
	run_queue_each(run->args->session, rq, add_entry, run, &trouble);
	if (!run->shown)
		doc_textf(doc, STYLE_FAINT, "(no tasks queued)");
	doc_end(doc);
	doc_end(doc);
	if (trouble.count)
		doc_remark(doc, REMARK_HOLE, "CPU %u: %s; %zu such", rq->cpu, trouble.text,
			   trouble.count);
}

static void show_queues(struct runq_run *run)
{
	doc_array(run->args->doc, "run_queues", NULL);
	vec_for_each(rq, &run->queues)
		add_queue(run, rq);
	doc_end(run->args->doc);
}

/* -t and -m: who runs, since when. */
static void show_clocks(struct runq_run *run)
{
	bool spans = run->options.set[OPT_RUNNING];
	const struct column columns[] = {
		{ .key = "cpu", .title = "CPU", .right = true },
		{ .key = "clock_ns", .title = spans ? NULL : "CLOCK", .right = true },
		{ .key = "last_run_ns", .title = spans ? NULL : "LAST RUN", .right = true },
		{ .key = "running_ns", .title = spans ? "RUNNING FOR" : NULL, .right = true },
		{ .key = "pid", .title = "PID", .right = true },
		{ .key = "task", .title = "TASK" },
		{ .key = "comm", .title = "COMM", .style = STYLE_STRONG },
	};
	struct arena *arena = &run->args->doc->arena;
	struct column *kept = arena_alloc(arena, sizeof(columns));

	memcpy(kept, columns, sizeof(columns));
	doc_table(run->args->doc, "clocks", kept, array_size(columns));
	vec_for_each(rq, &run->queues) {
		const struct task *task = task_by_address(run->args->session, rq->current);
		uint64_t last = 0;
		bool known = task_last_run(run->args->session, rq->current, &last);
		uint64_t span = known && run->now > last ? run->now - last : 0;
		doc_row(run->args->doc, cell_udec(rq->cpu),
			rq->has_clock ? cell_udec(rq->clock) : cell_none(),
			known ? cell_udec(last) : cell_none(),
			known && run->now ? cell_shown(cell_udec(span), span_brackets(arena, span))
					  : cell_none(),
			task ? pid_cell(task) : cell_none(),
			rq->current ? cell_address(rq->current) : cell_none(),
			cell_str(task ? task_comm(arena, task) : NULL));
	}
	doc_end(run->args->doc);
}

static int latest_clock(const void *a, const void *b)
{
	const struct run_queue *x = a, *y = b;

	if (x->clock != y->clock)
		return x->clock > y->clock ? -1 : 1;
	return x->cpu < y->cpu ? -1 : x->cpu > y->cpu;
}

/* -T: how far each clock is behind the latest. */
static void show_lags(struct runq_run *run)
{
	static const struct column columns[] = {
		{ .key = "cpu", .title = "CPU", .right = true },
		{ .key = "lag_ns", .title = "BEHIND", .right = true },
	};
	struct arena *arena = &run->args->doc->arena;

	if (run->queues.count)
		qsort(run->queues.data, run->queues.count, sizeof(*run->queues.data), latest_clock);
	doc_table(run->args->doc, "lags", columns, array_size(columns));
	vec_for_each(rq, &run->queues) {
		uint64_t lag = run->now - rq->clock;
		const char *text = arena_printf(arena, "%" PRIu64 ".%03" PRIu64 " s",
						lag / 1000000000, lag % 1000000000 / 1000000);
		doc_row(run->args->doc, cell_udec(rq->cpu),
			rq->has_clock ? cell_shown(cell_udec(lag), text) : cell_none());
	}
	doc_end(run->args->doc);
}

static void find_queues(struct runq_run *run, const bool *wanted)
{
	size_t count;
	const struct cpu *cpu = cpus(run->args->session, &count);

	for (size_t i = 0; i < count; i++) {
		struct run_queue rq;
		bool asked = !wanted || (cpu[i].id < CPU_LIST_MAX && wanted[cpu[i].id]);
		if (!cpu[i].online)
			continue;
		if (!run_queue(run->args->session, cpu[i].id, &rq)) {
			if (asked)
				doc_remark(run->args->doc, REMARK_HOLE, "the run queue of CPU %u "
					   "cannot be read", cpu[i].id);
			continue;
		}
		if (rq.clock > run->now)
			run->now = rq.clock;
		if (asked)
			vec_push(&run->queues, rq);
	}
}

static struct error *run_runq(struct command_args *args)
{
	struct runq_run run = { .args = args };
	bool *wanted = NULL;
	struct error *err = options_parse(args, runq_option_table, array_size(runq_option_table),
					  &run.options);

	if (!err && run.options.word_count)
		err = error_new(ERROR_USAGE, "unexpected word: %s", run.options.words[0]);
	if (!err)
		err = parse_cpu_option(args, run.options.value[OPT_CPUS], &wanted);
	if (err)
		return err;
	find_queues(&run, wanted);
	if (!run.queues.count)
		err = error_new(ERROR_NOT_FOUND, wanted ? "no such CPU is online"
							: "no run queue can be read");
	else if (run.options.set[OPT_LAG])
		show_lags(&run);
	else if (run.options.set[OPT_CLOCKS] || run.options.set[OPT_RUNNING])
		show_clocks(&run);
	else
		show_queues(&run);
	vec_deinit(&run.queues);
	return err;
}

const struct command command_runq = {
	.name = "runq",
	.usage = "[-t | -T | -m | -g] [-c CPUS]",
	.summary = "run queues: who runs on each CPU, and who waits for it",
	.help = "For each CPU the task that runs and those that wait, best first: by deadline, by\n"
		"real-time priority, by virtual time.\n"
		"  -g        groups of tasks (cgroups) above their members, throttled ones too\n"
		"  -t        the queues' clocks, and when the tasks that run were put on their CPUs\n"
		"  -T        how far each clock is behind the latest: a CPU that is stuck stands out\n"
		"  -m        for how long the tasks that run have had their CPUs, by the latest clock\n"
		"  -c CPUS   these CPUs only: 3, 0,2-4\n"
		"PRIO is -1 for deadlines, 0 to 98 real-time, 100 to 139 fair. Marks: throttled, its\n"
		"group has used up its time; delayed, it sleeps already, and is kept in the tree until\n"
		"its lag is gone (RUNNABLE, the kernel's own count, has it in); server, the deadline in\n"
		"whose name fair tasks run. A task whose deadline's time is up is on no queue until its\n"
		"next period (ps -y DEADLINE).\n"
		"Examples: runq | runq -g -c 0 | runq -T | runq -m",
	.run = run_runq,
};
