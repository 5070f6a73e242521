/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tasks: every thread and idle task. By the pid index first; where that has holes also by the task
 * list and thread groups, run queues and slab pages. Each task says by which road it came.
 */
#pragma once

#include "kernel/session.h"

enum task_road { ROAD_IDLE, ROAD_PID_INDEX, ROAD_TASK_LIST, ROAD_RUN_QUEUE, ROAD_CURRENT, ROAD_SLAB,
		 ROAD_COUNT };

struct task {
	uint64_t address;      /* of the task_struct */
	int32_t pid, tgid, ppid;
	char comm[16];
	uint64_t state;        /* __state (or state) */
	uint64_t exit_state;
	uint64_t flags;        /* PF_... */
	uint64_t mm;           /* 0: kernel thread, or one that has exited */
	/* Could be read; else they are 0. The state is of both, __state and exit_state. */
	bool has_state, has_flags, has_mm, has_ppid;
	uint64_t stack;        /* lowest address of its kernel stack */
	int cpu;               /* it runs or ran last there; -1 unknown */
	bool on_cpu;           /* running when the machine died */
	enum task_road road;
	bool incomplete;       /* some of the above could not be read */
};

/* Could its pid and name be read? Without the kernel's types they cannot: pid 0 means nothing then. */
static inline bool task_is_named(const struct task *task)
{
	return !task->incomplete || task->comm[0];
}

/* No pid or tgid of a thread is 0 but those of idle tasks. */
static inline bool task_has_pid(const struct task *task)
{
	return task->pid || task->road == ROAD_IDLE;
}

/* "PID 147"; of one whose pid is not in the dump "the task at ffff88801234c000". */
enum { TASK_TITLE_MAX = 40 };
const char *task_title(const struct task *task, char buf[static TASK_TITLE_MAX]);

static inline bool task_has_tgid(const struct task *task)
{
	return task->tgid || task->road == ROAD_IDLE;
}

/* Is it one of the kernel's own threads, or of a process? Unknown where its flags are not in the dump. */
enum task_kind { TASK_KIND_UNKNOWN, TASK_KERNEL, TASK_USER };

static inline enum task_kind task_kind(const struct task *task)
{
	enum { PF_KTHREAD = 0x00200000 }; /* include/linux/sched.h, since 2.6.27 */

	if (task->flags & PF_KTHREAD || (!task->mm && task->road == ROAD_IDLE))
		return TASK_KERNEL;
	return task->has_flags ? TASK_USER : TASK_KIND_UNKNOWN;
}

/*
 * Has it no memory of its own, as kernel threads and who has exited? False too where that cannot be
 * read: who needs the memory asks for .mm, and then for this.
 */
static inline bool task_has_no_memory(const struct task *task)
{
	return !task->mm && (task->has_mm || task->road == ROAD_IDLE);
}

/* All tasks, sorted by pid (idle tasks first, by CPU). Owned by the session. */
const struct task *tasks(struct session *s, size_t *count);
const struct task *task_by_pid(struct session *s, int32_t pid);
const struct task *task_by_address(struct session *s, uint64_t address);
/* The task that was running on the CPU that crashed; NULL when unknown. */
const struct task *task_crashed(struct session *s);
/* How many tasks came by each road. */
void task_roads(struct session *s, size_t counts[ROAD_COUNT]);
const char *task_road_name(enum task_road road);
/* The letter that ps shows (R S D T t X Z P I), and crash's two letters (RU IN UN ...). */
char task_state_letter(const struct task *task);
/* Was it stopped by the freezer where it slept (since 6.1)? False too where its state is unknown. */
bool task_is_frozen(const struct task *task);
const char *task_state_name(const struct task *task);
/* Memory of its address space in bytes, 0 for who has none. False when it cannot be read. */
bool task_memory(struct session *s, const struct task *task, uint64_t *vsz, uint64_t *rss);
/*
 * Of what the resident memory is, and what is swapped out, in bytes (mm->rss_stat). What each CPU
 * has counted and not added yet is left out unless @exact: that needs a read for each CPU.
 */
enum rss_kind { RSS_FILE, RSS_ANON, RSS_SWAP, RSS_SHMEM, RSS_KINDS };
bool task_rss(struct session *s, const struct task *task, bool exact, uint64_t bytes[RSS_KINDS]);

/* Has it exited, and its kernel stack been given back? Then there is none, and none is missing. */
static inline bool task_stack_freed(const struct task *task)
{
	return task->exit_state && !task->stack && !task->incomplete;
}

/*
 * The task's stack: from its CPU's saved registers when it was running, else from its saved stack
 * pointer. For a task that was running without saved registers the stack is searched for the
 * registers that the crash path pushed. Free with stack_deinit().
 */
void task_stack(struct session *s, const struct task *task, struct stack *stack);
/*
 * The same from a place that the user names: the code at @pc, the stack at @sp; 0: not given. With
 * @sp alone from the first return address at or above it; with @pc alone from where the task's
 * stack holds it. An error when there is none.
 */
struct error *task_stack_from(struct session *s, const struct task *task, uint64_t pc, uint64_t sp,
			      struct stack *stack) must_check;
