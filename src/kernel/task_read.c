// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reading one struct task_struct, and judging whether some memory is one.
 *
 * Members that moved: `state` became `__state` (5.14); the CPU is in thread_info, which lies at the
 * bottom of the stack before 4.9, at the start of task_struct since; from 4.9 to 5.15 the CPU is a
 * member of task_struct itself.
 */
#include <stdio.h>
#include <string.h>

#include "base/vec.h"
#include "kernel/cpu_state.h"
#include "kernel/task_set.h"

/* What the kernel writes to the last word of each stack; include/uapi/linux/magic.h. */
static const uint64_t stack_end_magic = 0x57ac6e9d;

/*
 * The meaning of the state bits moved in 4.14 (TASK_PARKED before TASK_DEAD, to be contiguous).
 * They are macros, so that no type can tell: the release must.
 */
static bool has_old_states(struct session *s)
{
	char release[65] = "";
	unsigned major, minor;

	snprintf(release, sizeof(release), "%s", dump_info(s->dump)->release);
	if (!release[0] && !dump_vmcoreinfo(s->dump, "OSRELEASE", release, sizeof(release)))
		return false;
	return sscanf(release, "%u.%u", &major, &minor) == 2 && major * 1000 + minor < 4014;
}

void task_fields_find(struct session *s, struct task_fields *f)
{
	static const char task[] = "task_struct";
	uint64_t offset;

	*f = (struct task_fields){
		.pid = field_find(s, task, "pid"),
		.tgid = field_find(s, task, "tgid"),
		.state = field_find(s, task, "__state|state"),
		.exit_state = field_find(s, task, "exit_state"),
		.flags = field_find(s, task, "flags"),
		.mm = field_find(s, task, "mm"),
		.stack = field_find(s, task, "stack"),
		.cpu = field_find(s, task, "thread_info.cpu|cpu"),
		.real_parent = field_find(s, task, "real_parent"),
		.thread_pid = field_find(s, task, "thread_pid|pids[0].pid"),
		.sp = field_find(s, task, "thread.sp"),
		.tasks_next = field_find(s, task, "tasks.next"),
		.tasks_prev = field_find(s, task, "tasks.prev"),
		.stack_cpu = field_find(s, "thread_info", "cpu"),
		.thread_info_on_stack = !koffset(s, task, "thread_info", &offset),
		.thread_info_size = types_sizeof(s->types, "thread_info"),
		.old_states = has_old_states(s),
	};
	f->has_comm = koffset(s, task, "comm", &f->comm);
	f->has_tasks = koffset(s, task, "tasks", &f->tasks);
}

/* The bits of 4.14 and later for those before: include/linux/sched.h of both. */
static uint64_t new_state(uint64_t old)
{
	uint64_t state = old & ~(uint64_t)0x3c0;

	if (old & 0x40) /* TASK_DEAD */
		state |= 0x80;
	if (old & 0x80) /* TASK_WAKEKILL */
		state |= 0x100;
	if (old & 0x100) /* TASK_WAKING */
		state |= 0x200;
	if (old & 0x200) /* TASK_PARKED */
		state |= 0x40;
	return state;
}

static int cpu_of(struct session *s, const struct task_fields *f, uint64_t address, uint64_t stack)
{
	uint64_t cpu;

	if (f->cpu.known) {
		if (!field_read(s, address, &f->cpu, &cpu))
			return -1;
	} else if (f->thread_info_on_stack && f->stack_cpu.known) {
		if (!stack || !field_read(s, stack, &f->stack_cpu, &cpu))
			return -1;
	} else {
		return 0; /* no member at all: a kernel without SMP */
	}
	return cpu < CPUS_MAX ? (int)cpu : -1;
}

void task_read(struct session *s, const struct task_fields *f, uint64_t address,
	       struct found_task *found)
{
	struct task *task = &found->task;
	uint64_t pid, tgid;
	bool whole;

	*found = (struct found_task){ .task = { .address = address } };
	whole = field_read(s, address, &f->pid, &pid);
	whole &= field_read(s, address, &f->tgid, &tgid);
	task->has_state = field_read(s, address, &f->state, &task->state);
	task->has_state &= field_read(s, address, &f->exit_state, &task->exit_state);
	whole &= task->has_state;
	whole &= task->has_flags = field_read(s, address, &f->flags, &task->flags);
	whole &= task->has_mm = field_read(s, address, &f->mm, &task->mm);
	whole &= field_read(s, address, &f->stack, &task->stack);
	whole &= field_read(s, address, &f->real_parent, &found->real_parent);
	whole &= f->has_comm && memory_read(s->memory, address + f->comm, task->comm,
					    sizeof(task->comm)) == READ_OK;
	task->comm[sizeof(task->comm) - 1] = '\0';
	task->pid = (int32_t)pid;
	task->tgid = (int32_t)tgid;
	if (f->old_states)
		task->state = new_state(task->state);
	task->cpu = cpu_of(s, f, address, task->stack);
	task->incomplete = !whole;
}

static bool name_plausible(const char *comm)
{
	size_t length = strnlen(comm, 16);

	if (!length || length == 16)
		return false;
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)comm[i] < ' ')
			return false;
	}
	return true;
}

/* The stack: page-aligned, with the magic at its end, and the saved stack pointer on it. */
static bool stack_plausible(struct session *s, const struct task_fields *f, const struct task *task)
{
	uint64_t magic, sp;
	uint64_t end = task->stack + (f->thread_info_on_stack ? f->thread_info_size : 0);

	/* A zombie's stack has been freed already. */
	if (task->exit_state && !task->stack)
		return true;
	if (!s->arch->is_kernel_address(task->stack) || task->stack & (PAGE_SIZE - 1))
		return false;
	/* A hole says nothing against it; a guard page or another value does. */
	switch (memory_u64(s->memory, end, &magic)) {
	case READ_OK:
		if (magic != stack_end_magic)
			return false;
		break;
	case READ_UNMAPPED:
		return false;
	default:
		break;
	}
	return !field_read(s, task->address, &f->sp, &sp) ||
	       (sp > task->stack && sp - task->stack < (1 << 18));
}

/*
 * The list of processes leads back to it, where that can be read. Only the first thread of a
 * process is in that list.
 */
static bool links_plausible(struct session *s, const struct task_fields *f, const struct task *task)
{
	uint64_t next, back;

	if (!f->has_tasks || task->pid != task->tgid ||
	    !field_read(s, task->address, &f->tasks_next, &next))
		return true;
	if (!s->arch->is_kernel_address(next))
		return false;
	return !field_read(s, next - f->tasks, &f->tasks_prev, &back) ||
	       back == task->address + f->tasks;
}

bool task_plausible(struct session *s, const struct task_fields *f, uint64_t address)
{
	struct found_task found;
	const struct task *task = &found.task;
	uint64_t pid;

	if (!s->arch->is_kernel_address(address) || address & 7)
		return false;
	task_read(s, f, address, &found);
	/* Everything must be there to be judged. */
	if (task->incomplete || task->pid <= 0 || task->pid > TASKS_MAX || task->tgid <= 0 ||
	    task->tgid > TASKS_MAX || !name_plausible(task->comm))
		return false;
	if (!s->arch->is_kernel_address(found.real_parent) ||
	    (task->mm && !s->arch->is_kernel_address(task->mm)))
		return false;
	/* A task that has left its pid is only waiting to be freed. */
	if (f->thread_pid.known &&
	    (!field_read(s, address, &f->thread_pid, &pid) || !s->arch->is_kernel_address(pid)))
		return false;
	return stack_plausible(s, f, task) && links_plausible(s, f, task);
}

bool task_known(const struct task_set *set, uint64_t address)
{
	uint64_t index;

	return map_get(&set->by_address, address, &index);
}

bool task_add(struct task_set *set, uint64_t address, enum task_road road)
{
	struct found_task found;

	if (!address || task_known(set, address) || set->found.count >= TASKS_MAX)
		return false;
	task_read(set->session, &set->fields, address, &found);
	found.task.road = road;
	map_set(&set->by_address, address, set->found.count);
	vec_push(&set->found, found);
	return true;
}

bool task_add_checked(struct task_set *set, uint64_t address, enum task_road road)
{
	return address && !task_known(set, address) &&
	       task_plausible(set->session, &set->fields, address) && task_add(set, address, road);
}
