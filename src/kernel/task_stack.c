// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where the unwinding of a task's stack begins.
 *
 * - A task that was running: the registers of its CPU. When these are of user mode, the task was
 *   computing for itself and has no kernel stack in use.
 * - A task that was running on a CPU without saved registers (it did not answer the NMI, or the
 *   dump has no notes): its stacks are searched (task_search.c).
 * - A sleeping task: thread.sp, where the kernel left its registers when it switched away.
 */
#include <stdio.h>

#include "kernel/cpu_state.h"
#include "kernel/task_set.h"
#include "kernel/text.h"

static void no_stack(struct stack *stack, const char *reason)
{
	*stack = (struct stack){ .end = STACK_END_INCOMPLETE };
	snprintf(stack->reason, sizeof(stack->reason), "%s", reason);
}

void task_stack(struct session *s, const struct task *task, struct stack *stack)
{
	struct stack_of_task of = { .session = s, .task = task->address };
	const struct cpu *cpu = task->on_cpu ? cpu_by_id(s, (unsigned)task->cpu) : NULL;
	struct regs regs;
	uint64_t sp;
	bool in_call;

	if (s->text) {
		text_stack(s, task, stack);
	} else if (!s->unwinder) {
		no_stack(stack, "without symbols no stack can be followed");
	} else if (cpu && cpu->has_regs && s->arch->from_user(&cpu->regs)) {
		*stack = (struct stack){ .end = STACK_END_USER, .user_regs = cpu->regs };
	} else if (cpu && cpu->has_regs) {
		unwind(s->unwinder, &cpu->regs, false, cpu_stack_limits, &of, stack);
	} else if (cpu) {
		if (!task_search_stack(s, task, cpu, stack))
			no_stack(stack,
				 "the CPU's registers were not saved, and its stacks show no "
				 "way to the end");
	} else if (task->exit_state && !task->stack) {
		no_stack(stack, "the task has exited and its stack was freed");
	} else if (kread(s, task->address, "task_struct", "thread.sp", &sp) &&
		   unwind_inactive_regs(s->unwinder, sp, &regs, &in_call)) {
		unwind(s->unwinder, &regs, in_call, cpu_stack_limits, &of, stack);
	} else {
		no_stack(stack, "the saved stack pointer is not in the dump");
	}
}
