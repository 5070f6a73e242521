// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A stack without registers to start from: the CPU did not answer the NMI that stops it, or the
 * dump has no notes. What was called last is still on its stacks as return addresses, among others
 * that are left over from earlier calls. A place is believed when the unwinder gets from it to a
 * proper end by the tables alone. Those are tried first that lie in functions which a CPU does not
 * return from when the machine dies; then, on the task's stack, any, from the side of the latest
 * call. It stays a guess, and the first frame is marked as one.
 */
#include <string.h>

#include "kernel/cpu_state.h"
#include "kernel/task_set.h"

enum {
	STACK_MAX = 64 << 10,
	TRIES_MAX = 400, /* return addresses to unwind from */
};

/* On the way down when the machine dies, or is made to stop: kernel/panic.c, kernel/crash_core.c,
 * arch/x86/kernel/{crash,dumpstack,nmi,reboot,smp}.c. */
static const char *const last_functions[] = {
	"machine_kexec",
	"__crash_kexec",
	"crash_kexec",
	"vpanic",
	"panic",
	"nmi_panic",
	"oops_end",
	"die",
	"crash_nmi_callback",
	"nmi_handle",
	"default_do_nmi",
	"exc_nmi",
	"do_nmi",
	"__sysvec_reboot",
	"sysvec_reboot",
	"smp_reboot_interrupt",
	"stop_this_cpu",
};

struct search {
	struct session *session;
	struct stack_of_task of;
	struct stack *stack;
	unsigned tries;
	bool last_only; /* only places in last_functions */
};

static bool is_last_function(struct session *s, uint64_t pc)
{
	struct symbol symbol;

	if (!symbols_by_address(s->symbols, pc - 1, &symbol))
		return false;
	for (size_t i = 0; i < array_size(last_functions); i++) {
		if (strcmp(symbol.name, last_functions[i]) == 0)
			return true;
	}
	return false;
}

static bool ends_well(const struct stack *stack)
{
	if (stack->end == STACK_END_INCOMPLETE || stack->count < 2)
		return false;
	for (size_t i = 1; i < stack->count; i++) {
		if (stack->frames[i].how == FRAME_SCAN)
			return false;
	}
	return true;
}

/* Tries the return address @pc that was read from the stack just below @sp. */
static bool try_place(struct search *search, uint64_t pc, uint64_t sp)
{
	struct session *s = search->session;
	struct regs regs = { 0 };

	if (!symbols_is_text(s->symbols, pc) || (search->last_only && !is_last_function(s, pc)) ||
	    search->tries++ >= TRIES_MAX)
		return false;
	regs_set(&regs, s->arch->pc, pc);
	regs_set(&regs, s->arch->sp, sp);
	unwind(s->unwinder, &regs, true, cpu_stack_limits, &search->of, search->stack);
	if (ends_well(search->stack)) {
		search->stack->frames[0].how = FRAME_SCAN;
		return true;
	}
	stack_deinit(search->stack);
	return false;
}

static bool search_range(struct search *search, const struct stack_limits *limits)
{
	uint64_t words[PAGE_SIZE / 8];
	uint64_t high = min_u64(limits->high, limits->low + STACK_MAX);

	for (uint64_t page = limits->low; page < high; page += PAGE_SIZE) {
		if (memory_read(search->session->memory, page, words, PAGE_SIZE) != READ_OK)
			continue;
		for (size_t i = 0; i < array_size(words); i++) {
			if (try_place(search, words[i], page + (i + 1) * 8))
				return true;
		}
	}
	return false;
}

bool task_search_stack(struct session *s, const struct task *task, const struct cpu *cpu,
		       struct stack *stack)
{
	struct search search = {
		.session = s,
		.of = { .session = s, .task = task->address },
		.last_only = true,
	};
	struct stack_limits own[CPU_STACKS_MAX], limits;
	unsigned count = cpu_own_stacks(s, cpu, own);
	struct stack found = { 0 };

	search.stack = &found;
	for (unsigned i = 0; i < count; i++) {
		if (search_range(&search, &own[i]))
			goto out;
	}
	if (!task->stack || !cpu_stack_limits(&search.of, task->stack, &limits))
		return false;
	if (!search_range(&search, &limits)) {
		search.last_only = false;
		search.tries = 0;
		if (!search_range(&search, &limits))
			return false;
	}
out:
	*stack = found;
	return true;
}
