/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a CPU was doing when the machine died: on each of its stacks, in which context, for what it
 * spins, since when it has not scheduled.
 *
 * In: a CPU. Out: a picture of it; CPUs with the same story get the same number.
 */
#pragma once

#include "forensics/wait_graph.h"
#include "kernel/cpus.h"

/* A stretch of a stack between interrupts or exceptions, the innermost first. */
struct cpu_layer {
	const char *stack; /* "task", "irq", "nmi" ... (static); NULL not known */
	size_t frame;      /* its innermost frame */
	const char *names; /* "_raw_spin_lock < set_add < adder" */
	bool of_crash;     /* the way into the crash, or how other CPUs are stopped then */
};

enum { CPU_LAYERS_MAX = 6 };
enum cpu_interrupts { INTERRUPTS_UNKNOWN, INTERRUPTS_ON, INTERRUPTS_OFF };

struct cpu_picture {
	const struct cpu *cpu;
	const struct task *task;   /* NULL: not known */
	struct cpu_layer layers[CPU_LAYERS_MAX];
	unsigned layer_count;
	/* Where the last interrupt caught it: the crash itself turns them off. */
	enum cpu_interrupts interrupts;
	bool has_preempt_count;    /* of the end, with what the crash added */
	uint32_t preempt_count;
	const char *context;       /* that count in words: "preemption off 2, in an interrupt"; "" */
	bool has_running;
	uint64_t running;          /* tasks on its run queue that can run */
	/* How long no thread but the one it runs got the CPU, by the watchdog's thread; seconds. */
	bool has_unscheduled;
	uint64_t unscheduled_s;
	bool watchdog_late;        /* that is longer than the watchdog usually takes */
	bool has_lag;
	uint64_t lag_ns;           /* its run queue's clock behind the newest of all CPUs */
	const struct wait_node *node; /* of the task; NULL. Its wait is what the CPU spins for */
	unsigned story;            /* the same for CPUs that do the same */
};

struct cpu_pictures {
	struct cpu_picture *cpus; /* the odd ones out first, idle ones last */
	size_t count;
	struct arena arena;
};

/* Of all CPUs that are online, or run something. Free with cpu_pictures_deinit(). */
void cpu_pictures_make(struct session *s, struct cpu_pictures *pictures);
void cpu_pictures_deinit(struct cpu_pictures *pictures);
/* The words of a preempt count. */
const char *cpu_context_words(uint32_t preempt_count, struct arena *arena);
