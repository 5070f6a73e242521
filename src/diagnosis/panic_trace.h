/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The functions on the stack that panicked, and who it was: by the crash stack, or, where there is
 * none (the log alone), by the trace that the kernel printed behind the panic's message.
 */
#pragma once

#include "diagnosis/diagnosis.h"

/* Is a function that matches @glob on it? The name; NULL: no. */
const char *trace_find(const struct facts *facts, const char *glob);
/* The same, but not below the interrupt that it happened in: that was somebody else's work. */
const char *trace_find_here(const struct facts *facts, const char *glob);
/* Who panicked: pid -1 and comm NULL where nothing tells. */
struct trace_task {
	int pid;
	const char *comm;
};
struct trace_task trace_task(const struct facts *facts);
/* "NAME (pid N)"; "somebody". */
const char *trace_task_words(const struct facts *facts);
/* The command that shows the trace: "bt", or "log" where there is only the log. */
const char *trace_command(const struct facts *facts);
/* "on CPU N" or "". */
const char *trace_cpu_words(const struct facts *facts);
