/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private to commands/: tasks and spans of time in crash's words. */
#pragma once

#include "base/alloc.h"
#include "kernel/tasks.h"

/* The task's name, in @arena. */
const char *task_comm(struct arena *arena, const struct task *task);
/* "?" where it is not in the dump. */
const char *task_pid_text(struct arena *arena, const struct task *task);
const char *task_cpu_text(struct arena *arena, const struct task *task);
/* "PID: 1      TASK: ffff...  CPU: 0    COMMAND: "init"", behind @depth blanks. */
const char *task_line(struct arena *arena, const struct task *task, unsigned depth);
/* "1 days, 01:35:32.120" */
const char *span_text(struct arena *arena, uint64_t ns);
/* "[1 01:35:32.120]" */
const char *span_brackets(struct arena *arena, uint64_t ns);
