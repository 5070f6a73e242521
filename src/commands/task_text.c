// SPDX-License-Identifier: LGPL-2.1-or-later
/* Tasks and spans of time as text, for ps and runq. */
#include "commands/task_text.h"

#include <inttypes.h>

const char *task_comm(struct arena *arena, const struct task *task)
{
	return arena_printf(arena, "%.*s", (int)sizeof(task->comm), task->comm);
}

const char *task_pid_text(struct arena *arena, const struct task *task)
{
	return task_has_pid(task) ? arena_printf(arena, "%d", task->pid) : "?";
}

const char *task_cpu_text(struct arena *arena, const struct task *task)
{
	return task->cpu < 0 ? "?" : arena_printf(arena, "%d", task->cpu);
}

const char *task_line(struct arena *arena, const struct task *task, unsigned depth)
{
	return arena_printf(arena, "%*sPID: %-6s TASK: %016" PRIx64 "  CPU: %-3s  COMMAND: \"%s\"",
			    (int)depth, "", task_pid_text(arena, task), task->address,
			    task_cpu_text(arena, task),
			    task_is_named(task) ? task_comm(arena, task) : "?");
}

/* "01:35:32.120", without days. */
static const char *clock_text(struct arena *arena, uint64_t ns)
{
	uint64_t ms = ns / 1000000, seconds = ms / 1000 % 86400;

	return arena_printf(arena, "%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64 ".%03" PRIu64,
			    seconds / 3600, seconds % 3600 / 60, seconds % 60, ms % 1000);
}

static uint64_t days(uint64_t ns)
{
	return ns / 1000000000 / 86400;
}

const char *span_text(struct arena *arena, uint64_t ns)
{
	const char *clock = clock_text(arena, ns);

	return days(ns) ? arena_printf(arena, "%" PRIu64 " days, %s", days(ns), clock) : clock;
}

const char *span_brackets(struct arena *arena, uint64_t ns)
{
	return arena_printf(arena, "[%" PRIu64 " %s]", days(ns), clock_text(arena, ns));
}
