/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the CPU files share: the session's CPUs and the stacks that belong to them. */
#pragma once

#include <pthread.h>

#include "kernel/cpus.h"

enum {
	CPUS_MAX = 8192, /* NR_CPUS_RANGE_END, arch/x86/Kconfig */
	CPU_STACKS_MAX = 12,
};

/* The stacks of one CPU; filled when a stack pointer is first looked for there. */
struct cpu_stacks {
	bool known;
	unsigned count;
	struct stack_limits stack[CPU_STACKS_MAX];
};

struct cpu_state {
	struct cpu *cpus;
	struct cpu_stacks *stacks; /* as many as cpus */
	size_t count;
	pthread_mutex_t lock; /* of stacks: unwinding goes on in many threads */
};

struct cpu_state *cpu_state(struct session *s);
/* Fills in the registers of all CPUs from crash notes or the dump file's notes (cpu_regs.c). */
void cpu_find_regs(struct session *s, struct cpu_state *state);
/* Address of the per-CPU variable @symbol on @cpu, also when the variable is the very first. */
uint64_t cpu_variable(struct session *s, const struct cpu *cpu, const char *symbol);
/* Reads the per-CPU pointer @symbol; false when it is unknown or not in the dump. */
bool cpu_pointer(struct session *s, const struct cpu *cpu, const char *symbol, uint64_t *value);
/* The size of a task's kernel stack, bytes. */
uint64_t cpu_thread_size(struct session *s);
/* The stacks that belong to @cpu itself, the task's not among them; returns how many. */
unsigned cpu_own_stacks(struct session *s, const struct cpu *cpu,
			struct stack_limits stacks[CPU_STACKS_MAX]);
