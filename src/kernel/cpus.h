/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CPUs: which exist, their per-CPU areas, stacks, current tasks and saved registers. */
#pragma once

#include "kernel/session.h"

struct cpu {
	unsigned id;
	bool online;
	uint64_t percpu_offset;  /* __per_cpu_offset[id] */
	uint64_t current_task;   /* struct task_struct it runs */
	bool has_regs;
	struct regs regs;        /* from its crash note or QEMU's */
	const char *regs_source; /* "crash note", "QEMU note" ... */
};

/* All possible CPUs that have a per-CPU area. Owned by the session. */
const struct cpu *cpus(struct session *s, size_t *count);
const struct cpu *cpu_by_id(struct session *s, unsigned id);
/* Takes @task (address of a task_struct) for the one that it ran; false: there is no such CPU. */
bool cpu_set_current(struct session *s, unsigned id, uint64_t task);
/* The CPU that crashed (crashing_cpu, panic_cpu), or -1 when it is not known. */
int cpu_crashed(struct session *s);

/*
 * The kernel stack that @sp is on: a task's (given in @ctx, see struct stack_of_task), or one of
 * the CPUs' IRQ, softirq, NMI, double-fault, machine-check, debug and entry stacks. Fits
 * stack_limits_fn.
 */
struct stack_of_task {
	struct session *session;
	uint64_t task; /* its own stack is looked at first; 0: none */
};
bool cpu_stack_limits(void *stack_of_task, uint64_t sp, struct stack_limits *limits);
