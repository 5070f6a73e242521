// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * se.exec_start is set whenever the time that a task ran is accounted: last when it went to sleep.
 * It is by rq.clock_task, which leaves out interrupts and the time that a hypervisor took, where
 * the kernel counts those: since boot, so that it may be far behind rq.clock.
 * Since 6.12 a task that sleeps may stay on its queue for a while, and when it is moved to another
 * CPU meanwhile, exec_start is set to 0 (kernel/sched/fair.c, migrate_task_rq_fair()). Then there
 * still is when it got a CPU last, and for how long.
 * The kernel puts the scheduler's functions and those of sleeping locks into the sections
 * .sched.text and .spinlock.text (include/asm-generic/vmlinux.lds.h): what is in neither on a
 * sleeping task's stack is where it waits.
 */
#include "kernel/task_wait.h"

static bool by_last_run(struct session *s, uint64_t task, uint64_t *ns)
{
	uint64_t arrival, sum, before;

	if (!kread(s, task, "task_struct", "sched_info.last_arrival", &arrival) || !arrival ||
	    !kread(s, task, "task_struct", "se.sum_exec_runtime", &sum) ||
	    !kread(s, task, "task_struct", "se.prev_sum_exec_runtime", &before) || sum < before)
		return false;
	*ns = arrival + (sum - before);
	return true;
}

bool task_slept_at(struct session *s, const struct task *task, uint64_t *ns)
{
	uint64_t rq = task->cpu >= 0 ? kpercpu(s, "runqueues", (unsigned)task->cpu) : 0;
	uint64_t clock, clock_task;

	if (!rq || !kread(s, rq, "rq", "clock", &clock) ||
	    !kread(s, rq, "rq", "clock_task", &clock_task) || clock_task > clock ||
	    !kread(s, task->address, "task_struct", "se.exec_start", ns))
		return false;
	if (!*ns)
		return by_last_run(s, task->address, ns);
	*ns += clock - clock_task;
	return true;
}

uint64_t task_waited_ns(struct session *s, const struct task *task, uint64_t now)
{
	uint64_t start;

	return task_slept_at(s, task, &start) && start < now ? now - start : 0;
}

bool task_wait_channel(struct session *s, const struct task *task, const struct stack *stack,
		       struct symbol *symbol)
{
	static const char *const names[] = { "__sched_text_start", "__sched_text_end",
					     "__lock_text_start", "__lock_text_end" };
	uint64_t at[array_size(names)];

	if (task->on_cpu || !task->state || task->exit_state || !s->symbols)
		return false;
	symbols_addresses(s->symbols, names, array_size(names), at);
	for (size_t i = 0; i < stack->count; i++) {
		uint64_t pc = stack->frames[i].pc - stack->frames[i].is_call;
		if ((pc >= at[0] && pc < at[1]) || (pc >= at[2] && pc < at[3]))
			continue;
		/* What is guessed is not said. */
		return stack->frames[i].how != FRAME_SCAN &&
		       symbols_by_address(s->symbols, pc, symbol);
	}
	return false;
}
