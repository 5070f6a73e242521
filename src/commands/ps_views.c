// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * ps with -p -c -g -t -l -m -a -r: relatives, times, words and limits of tasks. Lines look as in
 * crash: "PID: 1      TASK: ffff...  CPU: 0   COMMAND: "init"".
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "commands/ps.h"
#include "commands/show.h"
#include "commands/task_text.h"
#include "kernel/task_sched.h"

enum { PARENTS_MAX = 256 };

static const char *comm_of(const struct ps_run *run, const struct task *task)
{
	return task_comm(&run->args->doc->arena, task);
}

/* A record of its own for the task, under a heading as above; closed by doc_end(). */
static void open_task(struct ps_run *run, const struct task *task)
{
	struct doc *doc = run->args->doc;

	doc_record(doc, NULL, NULL);
	doc_heading(doc, "%s", task_line(&doc->arena, task, 0));
	doc_field(doc, "pid", NULL, pid_cell(task));
	doc_field(doc, "task", NULL, cell_address(task->address));
	doc_field(doc, "cpu", NULL, cpu_cell(task));
	doc_field(doc, "comm", NULL, cell_str(comm_of(run, task)));
	run->shown++;
	run->incomplete += task->incomplete;
}

/* --- Relatives: a table of lines for each family. --- */

static const struct column relative_columns[] = {
	{ .key = NULL, .title = "" }, { .key = "pid" },  { .key = "task" },
	{ .key = "cpu" },             { .key = "comm" }, { .key = "depth" },
};

static void open_family(struct ps_run *run)
{
	doc_table(run->args->doc, NULL, relative_columns, array_size(relative_columns));
	doc_bare(run->args->doc);
}

static void add_relative(struct ps_run *run, const struct task *task, unsigned depth)
{
	const char *line = task_line(&run->args->doc->arena, task, depth);

	doc_row(run->args->doc, cell_shown(cell_none(), line),
		pid_cell(task), cell_address(task->address),
		cpu_cell(task), cell_str(comm_of(run, task)),
		cell_udec(depth));
	run->shown++;
}

/* Tasks are sorted by PID, so that this need not look at all. NULL for 0: the idle tasks have it. */
static const struct task *by_pid(const struct ps_run *run, int32_t pid)
{
	size_t low = 0, high = run->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (run->all[middle].pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return pid && low < run->count && run->all[low].pid == pid ? &run->all[low] : NULL;
}

void ps_parents(struct ps_run *run)
{
	doc_array(run->args->doc, "parents", NULL);
	for (size_t i = 0; i < run->count && !session_stopped(run->args->session); i++) {
		const struct task *chain[PARENTS_MAX], *task = &run->all[i];
		unsigned length = 0;
		if (!ps_wanted(run, task))
			continue;
		while (task && length < PARENTS_MAX) {
			chain[length++] = task;
			/* The first tasks are children of CPU 0's idle task. */
			bool first = !task->ppid && task->road != ROAD_IDLE;
			task = !task->has_ppid ? NULL
			       : !first ? by_pid(run, task->ppid)
			       : !run->all[0].pid && run->all[0].road == ROAD_IDLE ? &run->all[0]
										 : NULL;
		}
		open_family(run);
		for (unsigned k = 0; k < length; k++)
			add_relative(run, chain[length - 1 - k], k);
		doc_end(run->args->doc);
		if (length == PARENTS_MAX)
			doc_remark(run->args->doc, REMARK_ERROR, "the parents of PID %d lead in a "
				   "circle", run->all[i].pid);
	}
	doc_end(run->args->doc);
}

static int by_parent(const void *a, const void *b)
{
	const struct task *x = *(const struct task *const *)a, *y = *(const struct task *const *)b;

	if (x->ppid != y->ppid)
		return x->ppid < y->ppid ? -1 : 1;
	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

/* Processes by parent. Threads are nobody's children, nor are idle tasks. */
static const struct task **sort_children(const struct ps_run *run, size_t *count)
{
	const struct task **sorted = xcalloc(run->count + 1, sizeof(*sorted));

	*count = 0;
	for (size_t i = 0; i < run->count; i++) {
		if (run->all[i].road != ROAD_IDLE && run->all[i].pid == run->all[i].tgid &&
		    run->all[i].has_ppid)
			sorted[(*count)++] = &run->all[i];
	}
	qsort(sorted, *count, sizeof(*sorted), by_parent);
	return sorted;
}

void ps_children(struct ps_run *run)
{
	size_t count;
	const struct task **sorted = sort_children(run, &count);

	doc_array(run->args->doc, "children", NULL);
	for (size_t i = 0; i < run->count && !session_stopped(run->args->session); i++) {
		const struct task *task = &run->all[i];
		/* Of the idle tasks, the first is the parent of those without one. */
		if (!ps_wanted(run, task))
			continue;
		open_family(run);
		add_relative(run, task, 0);
		size_t low = 0, high = count, found = 0;
		while (low < high) {
			size_t middle = low + (high - low) / 2;
			if (sorted[middle]->ppid < task->pid)
				low = middle + 1;
			else
				high = middle;
		}
		bool may = task->pid == task->tgid &&
			   (task->pid || (i == 0 && task->road == ROAD_IDLE));
		for (; may && low < count && sorted[low]->ppid == task->pid; low++, found++)
			add_relative(run, sorted[low], 2);
		if (!found)
			doc_textf(run->args->doc, STYLE_FAINT, "  (no children)");
		doc_end(run->args->doc);
	}
	doc_end(run->args->doc);
	free(sorted);
}

static int by_group(const void *a, const void *b)
{
	const struct task *x = *(const struct task *const *)a, *y = *(const struct task *const *)b;

	if (x->tgid != y->tgid)
		return x->tgid < y->tgid ? -1 : 1;
	/* The leader first, though a thread may have a lower number. */
	if ((x->pid == x->tgid) != (y->pid == y->tgid))
		return x->pid == x->tgid ? -1 : 1;
	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

/* A whole group for each of which one task was asked for. */
void ps_groups(struct ps_run *run)
{
	const struct task **sorted = xcalloc(run->count + 1, sizeof(*sorted));

	for (size_t i = 0; i < run->count; i++)
		sorted[i] = &run->all[i];
	qsort(sorted, run->count, sizeof(*sorted), by_group);
	doc_array(run->args->doc, "groups", NULL);
	for (size_t i = 0, end; i < run->count && !session_stopped(run->args->session); i = end) {
		bool wanted = false;
		for (end = i; end < run->count && sorted[end]->tgid == sorted[i]->tgid; end++) {
			/* Idle tasks share the number 0, and nothing else. */
			if (!sorted[i]->tgid && end > i)
				break;
			wanted |= ps_wanted(run, sorted[end]);
		}
		if (!wanted)
			continue;
		open_family(run);
		for (size_t k = i; k < end; k++)
			add_relative(run, sorted[k], k > i ? 2 : 0);
		doc_end(run->args->doc);
	}
	doc_end(run->args->doc);
	free(sorted);
}

/* --- Times. --- */

static void time_field(struct ps_run *run, const char *key, const char *title, bool known,
		       uint64_t ns)
{
	doc_field(run->args->doc, key, title,
		  known ? cell_shown(cell_udec(ns), span_text(&run->args->doc->arena, ns))
			: cell_none());
}

void ps_times(struct ps_run *run)
{
	doc_array(run->args->doc, "times", NULL);
	for (size_t i = 0; i < run->count && !session_stopped(run->args->session); i++) {
		struct task_times t;
		if (!ps_wanted(run, &run->all[i]))
			continue;
		task_times(run->args->session, &run->all[i], &t);
		open_task(run, &run->all[i]);
		time_field(run, "run_time_ns", "RUN TIME", t.has_run, t.run_ns);
		time_field(run, "start_time_ns", "START TIME", t.has_start, t.start_ns);
		time_field(run, "cpu_time_ns", "CPU TIME", t.has_cpu, t.cpu_ns);
		time_field(run, "utime_ns", "UTIME", t.has_modes, t.user_ns);
		time_field(run, "stime_ns", "STIME", t.has_modes, t.kernel_ns);
		doc_end(run->args->doc);
	}
	doc_end(run->args->doc);
}

struct last_run {
	const struct task *task;
	uint64_t ns;
	bool known;
};

static int latest_first(const void *a, const void *b)
{
	const struct last_run *x = a, *y = b;

	if (x->known != y->known)
		return x->known ? -1 : 1;
	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	return x->task->pid < y->task->pid ? -1 : x->task->pid > y->task->pid;
}

static int by_cpu(const void *a, const void *b)
{
	const struct last_run *x = a, *y = b;

	if (x->task->cpu != y->task->cpu)
		return x->task->cpu < y->task->cpu ? -1 : 1;
	return latest_first(a, b);
}

static void add_last_run(struct ps_run *run, const struct last_run *last, uint64_t now)
{
	struct arena *arena = &run->args->doc->arena;
	const struct task *task = last->task;
	char letter[2] = { task_state_letter(task), '\0' };
	uint64_t ago = now > last->ns ? now - last->ns : 0;
	bool ago_known = last->known && now;
	const char *text = arena_printf(arena, "[%" PRIu64 "]", last->ns);

	doc_row(run->args->doc, last->known ? cell_shown(cell_udec(last->ns), text) : cell_none(),
		ago_known ? cell_shown(cell_udec(ago), span_brackets(arena, ago)) : cell_none(),
		cell_shown(cell_str(letter), task_state_name(task)), pid_cell(task),
		cell_address(task->address), cpu_cell(task),
		cell_str(comm_of(run, task)));
	run->shown++;
	run->incomplete += task->incomplete;
}

void ps_last_run(struct ps_run *run)
{
	bool ago = run->options.set[OPT_AGO];
	struct column columns[] = {
		{ .key = "last_run_ns", .title = ago ? NULL : "LAST RUN", .right = true },
		{ .key = "ago_ns", .title = ago ? "AGO" : NULL, .right = true },
		{ .key = "state", .title = "ST" },
		{ .key = "pid", .title = "PID", .right = true },
		{ .key = "task", .title = "TASK" },
		{ .key = "cpu", .title = "CPU", .right = true },
		{ .key = "comm", .title = "COMM", .style = STYLE_STRONG },
	};
	struct {
		vec_fields(struct last_run);
	} found = { 0 };
	struct column *kept = arena_alloc(&run->args->doc->arena, sizeof(columns));
	uint64_t now = run_queue_now(run->args->session);

	for (size_t i = 0; i < run->count && !session_stopped(run->args->session); i++) {
		struct last_run last = { .task = &run->all[i] };
		if (!ps_wanted(run, last.task))
			continue;
		last.known = task_last_run(run->args->session, last.task->address, &last.ns);
		vec_push(&found, last);
	}
	if (found.count)
		qsort(found.data, found.count, sizeof(*found.data), run->cpus ? by_cpu
									       : latest_first);
	memcpy(kept, columns, sizeof(columns));
	doc_table(run->args->doc, "last_run", kept, array_size(columns));
	if (run->options.set[OPT_NO_HEADER])
		doc_bare(run->args->doc);
	for (size_t i = 0; i < found.count; i++) {
		const struct last_run *last = &found.data[i];
		if (run->cpus && (!i || last->task->cpu != last[-1].task->cpu))
			doc_textf(run->args->doc, STYLE_STRONG, "CPU: %d", last->task->cpu);
		add_last_run(run, last, now);
	}
	doc_end(run->args->doc);
	vec_deinit(&found);
}

/* --- Words and limits. --- */

static struct cell list_cell(struct arena *arena, const struct task_words *words)
{
	struct cell *cells = arena_alloc(arena, (words->count + 1) * sizeof(*cells));

	for (size_t i = 0; i < words->count; i++)
		cells[i] = cell_str(words->data[i]);
	struct cell_list *list = arena_alloc(arena, sizeof(*list));
	*list = (struct cell_list){ cells, words->count };
	return cell_of_list(list);
}

static void add_words(struct ps_run *run, const struct task *task, bool *whole)
{
	struct doc *doc = run->args->doc;
	struct session *s = run->args->session;
	struct task_words args, env;
	bool none = task_has_no_memory(task);
	bool has_args = task_words(s, task, TASK_ARGUMENTS, &doc->arena, &args);
	bool has_env = task_words(s, task, TASK_ENVIRONMENT, &doc->arena, &env);

	doc_field(doc, "arguments", has_args ? "ARG" : NULL,
		  has_args ? list_cell(&doc->arena, &args) : cell_none());
	doc_field(doc, "environment", NULL,
		  has_env ? list_cell(&doc->arena, &env) : cell_none());
	for (size_t i = 0; has_env && i < env.count; i++)
		doc_textf(doc, STYLE_PLAIN, "%s %s", i ? "    " : "ENV:", env.data[i]);
	if (!has_args && !has_env)
		doc_textf(doc, STYLE_FAINT, "%s", none ? "(no user memory)"
						       : "(its memory is not in the dump)");
	*whole = (!has_args || args.whole) && (!has_env || env.whole) &&
		 (none || (has_args && has_env));
	doc_field(doc, "whole", NULL, cell_bool(*whole));
}

void ps_words(struct ps_run *run)
{
	size_t cut = 0;

	doc_array(run->args->doc, "words", NULL);
	for (size_t i = 0; i < run->count && !session_stopped(run->args->session); i++) {
		bool whole;
		if (!ps_wanted(run, &run->all[i]))
			continue;
		open_task(run, &run->all[i]);
		add_words(run, &run->all[i], &whole);
		doc_end(run->args->doc);
		cut += !whole;
	}
	doc_end(run->args->doc);
	if (cut)
		doc_remark(run->args->doc, REMARK_HOLE, "of %zu task%s not all words are in the dump "
			   "(user memory is often left out, or swapped out)", cut,
			   cut == 1 ? "" : "s");
}

static struct cell limit_cell(uint64_t value)
{
	return value == UINT64_MAX ? cell_shown(cell_str("unlimited"), "(unlimited)")
				   : cell_udec(value);
}

void ps_limits(struct ps_run *run)
{
	static const struct column columns[] = {
		{ .key = "resource", .title = "RLIMIT", .right = true },
		{ .key = "current", .title = "CURRENT", .right = true },
		{ .key = "maximum", .title = "MAXIMUM", .right = true },
	};
	struct doc *doc = run->args->doc;
	size_t missing = 0;

	doc_array(doc, "limits", NULL);
	for (size_t i = 0; i < run->count && !session_stopped(run->args->session); i++) {
		struct task_limit limits[TASK_LIMITS];
		if (!ps_wanted(run, &run->all[i]))
			continue;
		bool known = task_limits(run->args->session, &run->all[i], limits);
		missing += !known;
		open_task(run, &run->all[i]);
		doc_table(doc, "limits", columns, array_size(columns));
		for (unsigned k = 0; known && k < TASK_LIMITS; k++)
			doc_row(doc, cell_str(task_limit_name(k)), limit_cell(limits[k].current),
				limit_cell(limits[k].maximum));
		if (!known)
			doc_textf(doc, STYLE_FAINT, "   (not in the dump)");
		doc_end(doc);
		doc_end(doc);
	}
	doc_end(doc);
	if (missing)
		doc_remark(doc, REMARK_HOLE, "the limits of %zu task%s are not in the dump", missing,
			   missing == 1 ? "" : "s");
}
