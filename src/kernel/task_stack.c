// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where the unwinding of a task's stack begins.
 *
 * - A task that was running: the registers of its CPU. When these are of user mode, the task was
 *   computing for itself and has no kernel stack in use.
 * - A task that was running on a CPU without saved registers (it did not answer the NMI, or the
 *   dump has no notes): its stacks are searched (task_search.c).
 * - A place that the user names: see tasks.h.
 * - A sleeping task: thread.sp, where the kernel left its registers when it switched away.
 */
#include <inttypes.h>
#include <stdio.h>

#include "kernel/cpu_state.h"
#include "kernel/task_set.h"
#include "kernel/text.h"

enum { LOOK_MAX = 16 << 10 }; /* how far up a stack a return address is looked for, bytes */

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

/* The word at or above @sp that is a return address, or @pc when that is given; 0: none. */
static uint64_t find_return(struct session *s, struct stack_of_task *of, uint64_t sp, uint64_t pc,
			    uint64_t *found)
{
	struct stack_limits limits;
	uint64_t word;

	if (!cpu_stack_limits(of, sp, &limits))
		return 0;
	uint64_t high = min_u64(limits.high, sp + LOOK_MAX);
	for (uint64_t at = (sp + 7) & ~UINT64_C(7); at + 8 <= high; at += 8) {
		if (memory_u64(s->memory, at, &word) != READ_OK)
			continue;
		if (pc ? word == pc : word && symbols_is_text(s->symbols, word - 1)) {
			*found = word;
			return at;
		}
	}
	return 0;
}

static bool starts_function(struct session *s, uint64_t pc)
{
	struct symbol symbol;

	return symbols_by_address(s->symbols, pc, &symbol) && symbol.address == pc;
}

struct error *task_stack_from(struct session *s, const struct task *task, uint64_t pc, uint64_t sp,
			      struct stack *stack)
{
	struct stack_of_task of = { .session = s, .task = task->address };
	struct stack_limits limits;
	struct regs regs = { 0 };
	uint64_t at;
	bool in_call = true;

	if (s->text || !s->unwinder)
		return error_new(ERROR_MISSING, "there is no stack to follow");
	if (sp && !cpu_stack_limits(&of, sp, &limits))
		return error_new(ERROR_NOT_FOUND, "%" PRIx64 " is on no stack of task %d or a CPU", sp,
				 task->pid);
	if (pc && !symbols_is_text(s->symbols, pc))
		return error_new(ERROR_NOT_FOUND, "%" PRIx64 " is no address of code", pc);
	if (pc && sp) {
		in_call = !starts_function(s, pc);
	} else {
		at = find_return(s, &of, sp ? sp : task->stack, pc, &pc);
		if (!at)
			return error_new(ERROR_NOT_FOUND, sp ? "no return address is at or above it"
							     : "the task's stack does not hold it");
		sp = at + 8;
	}
	regs_set(&regs, s->arch->pc, pc);
	regs_set(&regs, s->arch->sp, sp);
	unwind(s->unwinder, &regs, in_call, cpu_stack_limits, &of, stack);
	return NULL;
}
