// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Whole stacks.
 *
 * Saved registers: the CPU aligns the stack pointer to 16 bytes before it pushes SS, RSP, RFLAGS,
 * CS and RIP (Intel SDM vol. 3, 6.14.2), and entry code pushes the rest below: a struct pt_regs
 * ends at a multiple of 16. From user mode it ends at the top of the stack (16 bytes below with
 * FRED, TOP_OF_KERNEL_STACK_PADDING). From the kernel, on the same stack, the saved stack pointer
 * is right above it; on a stack that the CPU switched to, it is that of another one. What the
 * kernel fills in by itself (crash notes, perf, kprobes) does not fit that and is left out. The
 * NMI's entry code copies what the CPU pushed to below it, and there the registers are; from user
 * mode it copies them to the task's stack (arch/x86/entry/entry_64.S, asm_exc_nmi).
 *
 * The low end: the kernel writes STACK_END_MAGIC into the lowest word (kernel/fork.c,
 * set_task_stack_end_magic()), or into the one behind thread_info where that lies on the stack
 * (before 4.9). Stacks are zeroed when they are handed out, so that zeros above it were never used
 * (stack_not_used() in kernel/exit.c counts the same).
 */
#include "kernel/stack_look.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/cpu_state.h"

enum { FRED_PADDING = 16, ALIGNMENT = 16 };

/* include/uapi/linux/magic.h */
static const uint64_t stack_end_magic = 0x57ac6e9d;

bool task_stack_limits(struct session *s, const struct task *task, struct stack_limits *limits)
{
	*limits = (struct stack_limits){ .low = task->stack, .name = "task" };
	if (!task->stack || !s->arch->is_kernel_address(task->stack) ||
	    task->stack & (PAGE_SIZE - 1))
		return false;
	limits->high = task->stack + cpu_thread_size(s);
	return limits->high > limits->low;
}

void stack_image_read(struct session *s, const struct stack_limits *limits,
		      struct stack_image *image)
{
	uint64_t size = min_u64(limits->high - limits->low, STACK_IMAGE_MAX);

	*image = (struct stack_image){ .limits = *limits };
	image->limits.high = limits->low + size;
	image->count = (size_t)(size / sizeof(*image->words));
	image->words = xcalloc(image->count + 1, sizeof(*image->words));
	for (uint64_t at = 0; at < size; at += PAGE_SIZE) {
		uint64_t part = min_u64(size - at, PAGE_SIZE);
		enum read_status status = memory_read(s->memory, limits->low + at,
						      (uint8_t *)image->words + at, part);
		if (status == READ_OK)
			continue;
		memset((uint8_t *)image->words + at, 0, part);
		image->lost[at / PAGE_SIZE] = true;
		image->lost_count++;
		image->unmapped_count += status == READ_UNMAPPED;
	}
}

void stack_image_deinit(struct stack_image *image)
{
	free(image->words);
	image->words = NULL;
	image->count = 0;
}

bool stack_image_has(const struct stack_image *image, size_t index)
{
	return index < image->count && !image->lost[index * sizeof(*image->words) / PAGE_SIZE];
}

/* --- What exceptions have saved. --- */

/* Does the saved stack pointer fit registers that end at @end? */
static bool fits(struct session *s, const struct stack_limits *stack, uint64_t task, uint64_t end,
		 const struct regs *regs)
{
	struct stack_of_task of = { .session = s, .task = task };
	struct stack_limits other;
	uint64_t sp = regs->value[s->arch->sp];
	bool on_top = end == stack->high || end == stack->high - FRED_PADDING;

	if (on_top && strcmp(stack->name, "nmi") == 0)
		return false;
	if (s->arch->from_user(regs))
		return on_top && !s->arch->is_kernel_address(regs->value[s->arch->pc]);
	if (!s->symbols || !symbols_is_text(s->symbols, regs->value[s->arch->pc]) || sp & 7)
		return false;
	if (sp >= stack->low && sp <= stack->high)
		return sp >= end && sp - end < ALIGNMENT;
	/* The CPU switched to the top of this stack. After an overflow sp is on none. */
	if (!s->arch->is_kernel_address(sp) || strcmp(stack->name, "task") == 0 ||
	    strcmp(stack->name, "irq") == 0)
		return false;
	return strcmp(stack->name, "double-fault") == 0 || cpu_stack_limits(&of, sp, &other);
}

size_t exception_frames_find(struct session *s, const struct stack_image *image,
			     uint64_t task, struct exception_frame *found, size_t max)
{
	size_t words = s->arch->pt_regs_size / sizeof(*image->words), count = 0;

	for (size_t i = 0; i + words <= image->count && count < max; i++) {
		uint64_t at = image->limits.low + i * sizeof(*image->words);
		uint64_t end = at + s->arch->pt_regs_size;
		struct regs regs;

		if (end % ALIGNMENT || !stack_image_has(image, i) ||
		    !stack_image_has(image, i + words - 1))
			continue;
		s->arch->pt_regs((const uint8_t *)&image->words[i], &regs);
		if (!s->arch->pt_regs_sane(&regs) || !fits(s, &image->limits, task, end, &regs))
			continue;
		found[count++] = (struct exception_frame){
			.at = at,
			.user = s->arch->from_user(&regs),
			.regs = regs,
		};
	}
	return count;
}

_Static_assert((int)CPU_STACKS_SHOWN_MAX >= (int)CPU_STACKS_MAX, "room for all");

unsigned cpu_stacks(struct session *s, const struct cpu *cpu,
		    struct stack_limits stacks[CPU_STACKS_SHOWN_MAX])
{
	return cpu_own_stacks(s, cpu, stacks);
}

/* --- Overflow. --- */

static void check_low_end(struct session *s, const struct task *task, struct stack_check *check)
{
	bool in_task = koffset(s, "task_struct", "thread_info", &(uint64_t){ 0 });
	uint64_t info = in_task ? 0 : types_sizeof(s->types, "thread_info");
	uint64_t at = check->low + info, backlink, word;

	if (!in_task && !info)
		return;
	if (!in_task && kread(s, check->low, "thread_info", "task", &backlink) &&
	    backlink != task->address)
		check->trouble |= STACK_BACKLINK;
	if (memory_u64(s->memory, at, &check->magic) != READ_OK)
		return;
	check->known = true;
	if (check->magic != stack_end_magic)
		check->trouble |= STACK_MAGIC_LOST;
	check->unused = 0;
	for (at += 8; at < check->low + check->size; at += 8) {
		if (memory_u64(s->memory, at, &word) != READ_OK) {
			check->unused = -1;
			return;
		}
		if (word)
			return;
		check->unused += 8;
	}
}

/* A running task may be on a stack of its CPU's. */
static bool on_some_stack(struct session *s, const struct task *task, uint64_t sp)
{
	struct stack_of_task of = { .session = s, .task = task->address };
	struct stack_limits limits;

	/* That counts the guard page below as the stack's: here it is not. */
	return cpu_stack_limits(&of, sp, &limits) &&
	       !(strcmp(limits.name, "task") == 0 && sp < task->stack && limits.low < task->stack);
}

/* Where the stack pointer was before the CPU went to another stack: as far down as a frame goes. */
static void check_frames(struct session *s, const struct task *task, struct stack_check *check)
{
	struct stack stack = { 0 };

	task_stack(s, task, &stack);
	for (size_t i = 0; i < stack.count; i++) {
		const struct frame *frame = &stack.frames[i];
		if (frame->stack && strcmp(frame->stack, "task") == 0 &&
		    frame->sp + PAGE_SIZE >= check->low && frame->sp <= check->low) {
			check->trouble |= STACK_SP_OUTSIDE;
			check->sp = frame->sp;
			break;
		}
	}
	stack_deinit(&stack);
}

static void check_sp(struct session *s, const struct task *task, struct stack_check *check)
{
	const struct cpu *cpu = task->on_cpu ? cpu_by_id(s, (unsigned)task->cpu) : NULL;

	if (cpu) {
		check->has_sp = cpu->has_regs && !s->arch->from_user(&cpu->regs);
		check->sp = check->has_sp ? cpu->regs.value[s->arch->sp] : 0;
		if (check->has_sp && !on_some_stack(s, task, check->sp))
			check->trouble |= STACK_SP_OUTSIDE;
		else if (check->has_sp)
			check_frames(s, task, check);
	} else {
		check->has_sp = kread(s, task->address, "task_struct", "thread.sp", &check->sp);
		if (check->has_sp &&
		    (check->sp < check->low || check->sp >= check->low + check->size))
			check->trouble |= STACK_SP_OUTSIDE;
	}
}

void task_stack_check(struct session *s, const struct task *task, struct stack_check *check)
{
	struct stack_limits limits;
	size_t count;
	const struct cpu *all = cpus(s, &count);

	*check = (struct stack_check){ .unused = -1 };
	if (!task->stack) {
		check->freed = task->exit_state != 0;
		return;
	}
	if (!task_stack_limits(s, task, &limits))
		return;
	check->low = limits.low;
	check->size = limits.high - limits.low;
	check_low_end(s, task, check);
	check_sp(s, task, check);
	if (task->incomplete || !count)
		return;
	for (size_t i = 0; i < count; i++) {
		if ((int)all[i].id == task->cpu)
			return;
	}
	check->trouble |= STACK_CPU_INVALID;
}
