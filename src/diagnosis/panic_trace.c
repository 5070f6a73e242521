// SPDX-License-Identifier: LGPL-2.1-or-later
/* See panic_trace.h. */
#include "diagnosis/panic_trace.h"

#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"

/* The kernel's own report of the panic: with the line itself, or the one before it. */
static const struct oops_report *panic_report(const struct facts *facts)
{
	for (size_t i = 0; i < facts->anomaly_count; i++) {
		if (facts->panic_record && facts->anomalies[i].record == facts->panic_record)
			return facts->anomalies[i].report;
	}
	return NULL;
}

static const char *in_frames(const struct facts *facts, const char *glob, size_t end)
{
	struct symbol sym;

	for (size_t i = 0; facts->session->symbols && i < end && i < facts->stack.count; i++) {
		if (facts_frame_symbol(facts, i, &sym) && glob_match(glob, sym.name))
			return arena_strdup(facts->arena, sym.name);
	}
	return NULL;
}

static const char *in_report(const struct facts *facts, const char *glob, bool here)
{
	const struct oops_report *report = panic_report(facts);

	for (size_t i = 0; report && i < report->frame_count; i++) {
		const struct oops_frame *frame = &report->frames[i];
		if (here && frame->regs)
			break;
		if (!frame->guess && frame->place.function &&
		    glob_match(glob, frame->place.function))
			return frame->place.function;
	}
	return NULL;
}

const char *trace_find(const struct facts *facts, const char *glob)
{
	return facts->stack.count ? in_frames(facts, glob, SIZE_MAX)
				  : in_report(facts, glob, false);
}

const char *trace_find_here(const struct facts *facts, const char *glob)
{
	return facts->stack.count ? in_frames(facts, glob, facts_interrupted(facts))
				  : in_report(facts, glob, true);
}

enum { HEADER_LINES = 4 };

/* "CPU: 1 PID: 99 Comm: guest.sh Not tainted ...", some lines behind the panic's (dump_stack()). */
static struct trace_task task_of_header(const struct facts *facts)
{
	struct trace_task task = { .pid = -1 };
	const struct log_record *end = facts->log + facts->log_count;
	char comm[16 + 1];
	int cpu, pid;

	for (size_t i = 1; facts->panic_record && i <= HEADER_LINES; i++) {
		const struct log_record *r = facts->panic_record + i;
		if (r >= end)
			break;
		const char *at = strstr(r->text, "CPU: ");
		const char *name = at ? strstr(at, "Comm: ") : NULL;
		const char *number = at ? strstr(at, "PID: ") : NULL;
		if (!name || !number || sscanf(at, "CPU: %4d", &cpu) != 1 ||
		    sscanf(number, "PID: %9d", &pid) != 1 ||
		    sscanf(name, "Comm: %16s", comm) != 1)
			continue;
		task.pid = pid;
		task.comm = arena_strdup(facts->arena, comm);
		break;
	}
	return task;
}

struct trace_task trace_task(const struct facts *facts)
{
	const struct oops_report *report = panic_report(facts);
	struct trace_task task = { .pid = -1 };

	if (facts->task && task_is_named(facts->task)) {
		task.pid = facts->task->pid;
		task.comm = arena_strndup(facts->arena, facts->task->comm,
					  sizeof(facts->task->comm));
		return task;
	}
	if (report && report->comm) {
		task.pid = report->pid;
		task.comm = report->comm;
		return task;
	}
	return task_of_header(facts);
}

const char *trace_task_words(const struct facts *facts)
{
	struct trace_task task = trace_task(facts);

	if (!task.comm)
		return "somebody";
	if (task.pid < 0)
		return task.comm;
	return arena_printf(facts->arena, "%s (pid %d)", task.comm, task.pid);
}

const char *trace_command(const struct facts *facts)
{
	return facts->stack.count ? "bt" : "log";
}

const char *trace_cpu_words(const struct facts *facts)
{
	return facts->cpu >= 0 ? arena_printf(facts->arena, "on CPU %d", facts->cpu) : "";
}
