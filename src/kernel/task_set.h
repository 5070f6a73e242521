/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the task files share: the tasks found so far, and how to read one. */
#pragma once

#include "base/map.h"
#include "kernel/cpus.h"
#include "kernel/field.h"
#include "kernel/tasks.h"

enum {
	TASKS_MAX = 1 << 22, /* PID_MAX_LIMIT of 64-bit machines, include/linux/threads.h */
};

/* Members of struct task_struct that every look at a task needs. */
struct task_fields {
	struct field pid, tgid, state, exit_state, flags, mm, stack, cpu, real_parent;
	struct field thread_pid; /* struct pid *; 0 once the task is detached from its pid */
	struct field sp;         /* the saved stack pointer */
	struct field tasks_next, tasks_prev;
	struct field stack_cpu; /* of struct thread_info, where that lies on the stack */
	uint64_t comm, tasks;   /* offsets */
	bool has_comm, has_tasks;
	bool thread_info_on_stack;
	uint64_t thread_info_size;
	bool old_states; /* state bits as they were before 4.14 */
};

struct found_task {
	struct task task;
	uint64_t real_parent;
};

struct task_set {
	struct session *session;
	struct task_fields fields;
	struct {
		struct found_task *data;
		size_t count, capacity;
	} found;
	struct map by_address; /* address -> index in found */
	struct {
		int32_t *data; /* pids of the index that lead to no task because of a hole */
		size_t count, capacity;
	} lost_pids;
	size_t index_holes; /* nodes of the pid index that are not in the dump */
	bool has_index;
};

/* Looks up the members; @session->types must have task_struct. */
void task_fields_find(struct session *s, struct task_fields *fields);
/* Reads the task at @address as far as the dump has it. */
void task_read(struct session *s, const struct task_fields *fields, uint64_t address,
	       struct found_task *found);
/*
 * Is there a living task at @address? For addresses that come from pointers which may mean
 * something else: every member that can be checked must make sense.
 */
bool task_plausible(struct session *s, const struct task_fields *fields, uint64_t address);
/* Adds the task at @address unless it is known; false when it was. */
bool task_add(struct task_set *set, uint64_t address, enum task_road road);
/* The same if it looks like a task. */
bool task_add_checked(struct task_set *set, uint64_t address, enum task_road road);
bool task_known(const struct task_set *set, uint64_t address);

/* The roads; each adds what it finds (task_index.c, task_links.c, task_slab.c). */
void tasks_by_index(struct task_set *set);
void tasks_by_links(struct task_set *set);
void tasks_by_run_queues(struct task_set *set);
void tasks_by_slab(struct task_set *set, size_t missing);
/* Last: tasks that are pointed to, but are not in the dump themselves (task_holes.c). */
void tasks_in_holes(struct task_set *set);

/*
 * Unwinds a task that ran on @cpu when its registers were not saved, from the place on the CPU's
 * stacks that looks like the latest. False: none was found; @stack is untouched.
 */
bool task_search_stack(struct session *s, const struct task *task, const struct cpu *cpu,
		       struct stack *stack);
