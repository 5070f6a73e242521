// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which CPU crashed. `panic_cpu` (4.5 and later) says so for certain: it is -1 until somebody
 * panics. `crashing_cpu` is set by the way into kdump only, and before 4.6 it was 0 until then: a 0
 * in it means either CPU 0 or nobody, and the stacks have to tell.
 */
#include <string.h>

#include "kernel/cpus.h"
#include "kernel/tasks.h"
#include "kernel/text.h"

/* Functions that only a CPU that is about to die runs (kernel/panic.c, arch/x86/kernel/). */
static const char *const last_functions[] = {
	"panic", "vpanic", "oops_end", "die", "crash_kexec", "__crash_kexec", "machine_kexec",
};

static bool is_dying(struct session *s, const struct cpu *cpu)
{
	const struct task *task = task_by_address(s, cpu->current_task);
	struct stack stack = { 0 };
	struct symbol symbol;
	bool found = false;

	if (!task || !s->symbols)
		return false;
	task_stack(s, task, &stack);
	for (size_t i = 0; i < stack.count && !found; i++) {
		const struct frame *f = &stack.frames[i];
		if (f->how == FRAME_SCAN ||
		    !symbols_by_address(s->symbols, f->is_call ? f->pc - 1 : f->pc, &symbol))
			continue;
		for (size_t n = 0; n < array_size(last_functions); n++)
			found |= strcmp(symbol.name, last_functions[n]) == 0;
	}
	stack_deinit(&stack);
	return found;
}

static bool read_cpu(struct session *s, const char *name, uint64_t *value)
{
	size_t count;

	cpus(s, &count);
	return kglobal(s, name, 4, value) && *value <= INT32_MAX &&
	       cpu_by_id(s, (unsigned)*value);
}

int cpu_crashed(struct session *s)
{
	uint64_t value;
	size_t count;

	if (s->text)
		return s->text->death ? s->text->death->cpu : -1;
	if (read_cpu(s, "panic_cpu", &value))
		return (int)value;
	if (!read_cpu(s, "crashing_cpu", &value))
		return -1;
	if (value || symbols_address(s->symbols, "panic_cpu"))
		return (int)value;
	const struct cpu *all = cpus(s, &count);
	for (size_t i = 0; i < count; i++) {
		if (is_dying(s, &all[i]))
			return (int)all[i].id;
	}
	/* An oops leaves its own registers in the crash note, and no crash function on the stack. */
	const struct cpu *first = cpu_by_id(s, 0);
	return first->has_regs && strstr(first->regs_source, "crash note") ? 0 : -1;
}
