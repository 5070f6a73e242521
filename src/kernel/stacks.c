// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which kernel stack is an address on? On x86-64 a CPU has, beside the stack of the task it runs:
 *
 * - an interrupt stack (hard and soft interrupts): hardirq_stack_ptr points to its top (or 8 or 64
 *   bytes below); a member of pcpu_hot from 6.2 to 6.14; irq_stack_ptr before 5.2;
 * - stacks that the processor switches to by itself (IST) for double faults, NMIs, debug
 *   exceptions and machine checks (and VC exceptions under SEV-ES). Since 5.2 they are members of
 *   struct cea_exception_stacks with a guard page below each; before, orig_ist (or the TSS) holds
 *   their tops and they lie one behind another without a gap (arch/x86/mm/cpu_entry_area.c);
 * - the entry stack, where system calls and interrupts from user mode begin with page-table
 *   isolation: the page entry_stack_page of struct cpu_entry_area.
 */
#include "kernel/cpus.h"

#include <string.h>

#include "kernel/cpu_state.h"

enum {
	STACK_SIZE_MAX = 1 << 18,
	THREAD_SIZE_USUAL = 16 << 10, /* x86-64 since 3.15, without KASAN */
	IST_MAX = 7,                  /* slots in the TSS; Intel SDM vol. 3, 8.7 */
	IST_GAP_MAX = 32 << 10,
	TSS_IST = 36, /* IST1 in the TSS; Intel SDM vol. 3, figure 8-11 */
};

static void add_stack(struct cpu_stacks *stacks, uint64_t low, uint64_t high, const char *name)
{
	if (stacks->count >= CPU_STACKS_MAX || !low || high <= low || high - low > STACK_SIZE_MAX)
		return;
	stacks->stack[stacks->count++] = (struct stack_limits){
		.low = low,
		.high = high,
		.name = name,
	};
}

/* The size of a task's stack: what the types say, else the room that init's has, else 16 KiB. */
uint64_t cpu_thread_size(struct session *s)
{
	uint64_t size = types_sizeof(s->types, "thread_union");
	uint64_t low, high;

	if (!size && s->symbols) {
		low = symbols_address(s->symbols, "__start_init_stack");
		high = symbols_address(s->symbols, "__end_init_stack");
		if (!low || !high) {
			low = symbols_address(s->symbols, "__start_init_task");
			high = symbols_address(s->symbols, "__end_init_task");
		}
		if (low && high > low)
			size = high - low;
	}
	if (size < PAGE_SIZE || size > STACK_SIZE_MAX || size & (size - 1))
		size = THREAD_SIZE_USUAL;
	return size;
}

static void add_irq_stack(struct session *s, const struct cpu *cpu, struct cpu_stacks *stacks)
{
	uint64_t hot = cpu_variable(s, cpu, "pcpu_hot");
	uint64_t size = types_sizeof(s->types, "irq_stack");
	uint64_t top = 0;

	if (hot)
		kread(s, hot, "pcpu_hot", "hardirq_stack_ptr", &top);
	if (!top && !cpu_pointer(s, cpu, "hardirq_stack_ptr", &top))
		cpu_pointer(s, cpu, "irq_stack_ptr", &top);
	if (!top)
		return;
	top = (top + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
	if (!size || size > STACK_SIZE_MAX)
		size = cpu_thread_size(s); /* both are 16 KiB, and 32 KiB with KASAN */
	add_stack(stacks, top - size, top, "irq");
}

static bool add_exception_stacks(struct session *s, const struct cpu *cpu,
				 struct cpu_stacks *stacks)
{
	static const struct {
		const char *member, *name;
	} kinds[] = {
		{ "DF_stack", "double-fault" },   { "NMI_stack", "nmi" }, { "DB_stack", "debug" },
		{ "MCE_stack", "machine-check" }, { "VC_stack", "vc" },   { "VC2_stack", "vc" },
	};
	struct member member;
	uint64_t base;

	if (!cpu_pointer(s, cpu, "cea_exception_stacks", &base) || !base)
		return false;
	for (size_t i = 0; i < array_size(kinds); i++) {
		if (types_member(s->types, "cea_exception_stacks", kinds[i].member, &member))
			add_stack(stacks, base + member.offset, base + member.offset + member.size,
				  kinds[i].name);
	}
	return stacks->count > 0;
}

/* Before 5.2: tops only. A stack reaches down to the next lower top, if that is near. */
static void add_ist_stacks(struct session *s, const struct cpu *cpu, struct cpu_stacks *stacks)
{
	/* The slots' use from 3.16 to 5.1: arch/x86/include/asm/page_64_types.h. */
	static const char *const names[] = { "double-fault", "nmi", "debug", "machine-check" };
	uint64_t at = cpu_variable(s, cpu, "orig_ist");
	uint64_t offset, top[IST_MAX];

	if (!at) {
		at = cpu_variable(s, cpu, "cpu_tss_rw");
		if (!at)
			return;
		/* The hardware's part comes first. */
		if (!koffset(s, "tss_struct", "x86_tss.ist", &offset))
			offset = TSS_IST;
		at += offset;
	}
	if (memory_read(s->memory, at, top, sizeof(top)) != READ_OK)
		return;
	for (size_t i = 0; i < array_size(names); i++) {
		uint64_t low = top[i] - PAGE_SIZE;
		uint64_t gap = IST_GAP_MAX + 1;
		for (size_t j = 0; j < array_size(names); j++) {
			if (top[j] < top[i])
				gap = min_u64(gap, top[i] - top[j]);
		}
		if (gap <= IST_GAP_MAX)
			low = top[i] - gap;
		if (s->arch->is_kernel_address(low))
			add_stack(stacks, low, top[i], names[i]);
	}
}

static void add_entry_stack(struct session *s, const struct cpu *cpu, struct cpu_stacks *stacks)
{
	struct member page;
	uint64_t area, estacks;

	if (!types_member(s->types, "cpu_entry_area", "entry_stack_page", &page))
		return;
	if (!cpu_pointer(s, cpu, "cpu_entry_area", &area) || !area) {
		if (!cpu_pointer(s, cpu, "cea_exception_stacks", &estacks) || !estacks)
			return;
		area = kcontainer(s, estacks, "cpu_entry_area", "estacks");
		if (!area)
			return;
	}
	add_stack(stacks, area + page.offset, area + page.offset + page.size, "entry");
}

unsigned cpu_own_stacks(struct session *s, const struct cpu *cpu,
			struct stack_limits copy[CPU_STACKS_MAX])
{
	struct cpu_state *state = cpu_state(s);

	if (s->text) /* a text's CPUs have none that are known */
		return 0;
	struct cpu_stacks *stacks = &state->stacks[cpu - state->cpus];
	unsigned count;

	pthread_mutex_lock(&state->lock);
	if (!stacks->known) {
		if (!add_exception_stacks(s, cpu, stacks))
			add_ist_stacks(s, cpu, stacks);
		add_irq_stack(s, cpu, stacks);
		add_entry_stack(s, cpu, stacks);
		stacks->known = true;
	}
	count = stacks->count;
	memcpy(copy, stacks->stack, count * sizeof(copy[0]));
	pthread_mutex_unlock(&state->lock);
	return count;
}

static bool find_on_cpu(struct session *s, const struct cpu *cpu, uint64_t sp,
			struct stack_limits *limits)
{
	struct stack_limits stacks[CPU_STACKS_MAX];
	unsigned count = cpu_own_stacks(s, cpu, stacks);

	for (unsigned i = 0; i < count; i++) {
		if (sp >= stacks[i].low && sp < stacks[i].high) {
			*limits = stacks[i];
			return true;
		}
	}
	return false;
}

/* The stack of the task: true when @sp is on it. */
static bool find_on_task(struct session *s, uint64_t task, uint64_t sp, struct stack_limits *limits)
{
	uint64_t low, size;

	if (!task || !kread(s, task, "task_struct", "stack", &low) || !low)
		return false;
	size = cpu_thread_size(s);
	/*
	 * The guard page below belongs to it too: that is where the stack pointer is after an
	 * overflow, and the frames above are still to be followed.
	 */
	if (sp < low - PAGE_SIZE || sp > low + size)
		return false;
	limits->low = sp < low ? low - PAGE_SIZE : low;
	limits->high = low + size;
	limits->name = "task";
	return true;
}

/*
 * Where tasks cannot be read: a task's stack is aligned to its size, so that any address on it
 * tells where it is.
 */
static bool guess_on_task(struct session *s, uint64_t sp, struct stack_limits *limits)
{
	uint64_t offset, size = cpu_thread_size(s);

	if (koffset(s, "task_struct", "stack", &offset) || !s->arch->is_kernel_address(sp))
		return false;
	limits->low = sp & ~(size - 1);
	limits->high = limits->low + size;
	limits->name = "task";
	return true;
}

bool cpu_stack_limits(void *ctx, uint64_t sp, struct stack_limits *limits)
{
	const struct stack_of_task *of = ctx;
	struct session *s = of->session;
	struct cpu_state *state = cpu_state(s);

	if (find_on_task(s, of->task, sp, limits))
		return true;
	/* The CPU that runs the task is the likely one; others only in a damaged dump. */
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < state->count; i++) {
			bool runs = of->task && state->cpus[i].current_task == of->task;
			if (runs == !pass && find_on_cpu(s, &state->cpus[i], sp, limits))
				return true;
		}
	}
	return guess_on_task(s, sp, limits);
}
