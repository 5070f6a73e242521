/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A task that can run and does not get its CPU: since when, and who has it. */
#pragma once

#include "diagnosis/diagnosis.h"

struct starved {
	uint64_t ns;              /* it is on the run queue for, at the end */
	const struct task *by;    /* who has its CPU */
	/* "SCHED_FIFO" ... with the priority, where that one has a real-time policy; NULL. */
	const char *real_time;
};

/* By the run queues' newest clock, @now. False: it runs, sleeps, or its CPU is idle or not known. */
bool starved_find(struct session *s, const struct task *task, uint64_t now, struct findings *out,
		  struct starved *starved);
/* "SCHED_FIFO, priority 42": of a task with a real-time policy; NULL of others, or not known. */
const char *starved_real_time(struct session *s, const struct task *task, struct findings *out);
/* Blames who has the CPU: its code in the kernel, or the program itself. */
void starved_blame(const struct facts *facts, const struct starved *starved, struct findings *out,
		   struct finding *f);
