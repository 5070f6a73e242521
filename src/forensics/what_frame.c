// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a word on a kernel stack is. The stack is unwound; the frame of a function reaches from its
 * stack pointer to the return address that its caller's call pushed:
 *
 *	cfa - 8         return address into the caller
 *	cfa - 16 ...    registers that the function saved, in the order of its pushes
 *	... sp          locals, spilled values
 *
 * Exceptions and system calls leave a struct pt_regs. Below the stack pointer is what functions
 * that have returned left behind; so is all of a stack that nobody is on.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "forensics/what.h"
#include "unwind/variables.h"

/* The stack of @task, unwound; call with the lock held. */
static const struct stack *unwound_stack(const struct what_ask *ask, const struct task *task)
{
	struct whatis_state *state = ask->state;
	struct unwound *u;

	for (unsigned i = 0; i < state->unwound_count; i++) {
		if (state->unwound[i].task == task)
			return &state->unwound[i].stack;
	}
	if (state->unwound_count < UNWOUND_MAX) {
		u = &state->unwound[state->unwound_count++];
	} else {
		u = &state->unwound[state->unwound_next++ % UNWOUND_MAX];
		stack_deinit(&u->stack);
	}
	u->task = task;
	u->stack = (struct stack){ 0 };
	task_stack(ask->s, task, &u->stack);
	if (ask->s->unwinder)
		unwind_registers(ask->s->unwinder, &u->stack, NULL);
	return &u->stack;
}

static void add_textf(const struct what_ask *ask, const char *fmt, ...) printf_like(2, 3);
static void add_textf(const struct what_ask *ask, const char *fmt, ...)
{
	size_t used = strlen(ask->what->text);
	va_list args;

	va_start(args, fmt);
	vsnprintf(ask->what->text + used, sizeof(ask->what->text) - used, fmt, args);
	va_end(args);
}

static void frame_function(const struct what_ask *ask, const struct frame *frame, char *buf,
			   size_t size)
{
	struct symbol symbol;

	if (ask->s->symbols &&
	    symbols_by_address(ask->s->symbols, frame->pc - (frame->is_call && frame->pc), &symbol))
		snprintf(buf, size, "%s", symbol.name);
	else
		snprintf(buf, size, "0x%lx", (unsigned long)frame->pc);
}

/* The member of a struct pt_regs at @offset: "saved rip". */
static void name_saved_register(const struct what_ask *ask, uint64_t offset, char *buf, size_t size)
{
	/* struct pt_regs, arch/x86/include/asm/ptrace.h; in the words of the CPU's manual. */
	static const char *const names[] = { "r15", "r14", "r13", "r12",      "rbp", "rbx", "r11",
					     "r10", "r9",  "r8",  "rax",      "rcx", "rdx", "rsi",
					     "rdi", "orig_rax", "rip", "cs", "rflags", "rsp", "ss" };

	(void)ask;
	if (offset / 8 < array_size(names))
		snprintf(buf, size, "saved %s", names[offset / 8]);
	else
		snprintf(buf, size, "saved registers");
}

static bool in_exception(const struct what_ask *ask, const struct stack *stack)
{
	uint64_t size = ask->s->arch->pt_regs_size;
	char function[128], slot[32];

	for (size_t i = 0; i < stack->count; i++) {
		const struct frame *frame = &stack->frames[i];
		if (!frame->has_regs || !frame->pt_regs_at ||
		    ask->address - frame->pt_regs_at >= size)
			continue;
		name_saved_register(ask, ask->address - frame->pt_regs_at, slot, sizeof(slot));
		frame_function(ask, frame, function, sizeof(function));
		add_textf(ask, ": %s of frame #%zu (%s), where an exception or interrupt came",
			  slot, i, function);
		ask->what->frame = (int)i;
		return true;
	}
	return false;
}

/* What the system call or interrupt from user mode saved, at the very top of the task's stack. */
static bool in_user_registers(const struct what_ask *ask, const struct stack_range *range,
			      const struct stack *stack)
{
	uint64_t size = ask->s->arch->pt_regs_size;
	/* TOP_OF_KERNEL_STACK_PADDING: 0, or 16 with FRED (6.9). */
	static const uint64_t paddings[] = { 0, 16 };
	uint8_t bytes[512];
	char slot[32];

	if (!range->task || stack->end != STACK_END_USER || size > sizeof(bytes))
		return false;
	for (size_t i = 0; i < array_size(paddings); i++) {
		uint64_t at = range->high - paddings[i] - size;
		struct regs regs = { 0 };
		if (ask->address - at >= size ||
		    memory_read(ask->s->memory, at, bytes, size) != READ_OK)
			continue;
		ask->s->arch->pt_regs(bytes, &regs);
		if (!ask->s->arch->from_user(&regs) ||
		    regs.value[ask->s->arch->pc] != stack->user_regs.value[ask->s->arch->pc] ||
		    regs.value[ask->s->arch->sp] != stack->user_regs.value[ask->s->arch->sp])
			continue;
		name_saved_register(ask, ask->address - at, slot, sizeof(slot));
		add_textf(ask, ": %s of user mode, by its last entry into the kernel", slot);
		return true;
	}
	return false;
}

/* Where a frame ends: behind its return address. */
static uint64_t frame_end(const struct stack *stack, size_t i)
{
	const struct frame *frame = &stack->frames[i];

	if (frame->cfa > frame->sp)
		return frame->cfa;
	if (i + 1 < stack->count && stack->frames[i + 1].sp > frame->sp)
		return stack->frames[i + 1].sp;
	return frame->sp;
}

/* Does the word hold a register of the caller, which the function of frame @index saved? */
static bool saved_register(const struct what_ask *ask, const struct stack *stack, size_t index,
			   const char **name)
{
	uint64_t at[ARCH_REGS_MAX];
	uint64_t mask = unwind_saved_at(ask->s->unwinder, stack, index, at);

	for (unsigned reg = 0; reg < ARCH_REGS_MAX; reg++) {
		if (!(mask >> reg & 1) || ask->address - at[reg] >= 8)
			continue;
		*name = ask->s->arch->reg_names[reg];
		return true;
	}
	return false;
}

/* The variable there, where a debug file tells. */
static bool local_variable(const struct what_ask *ask, const struct stack *stack, size_t index,
			   char *buf, size_t size)
{
	struct variables variables;
	char path[128] = "";
	bool found = false;

	frame_variables(ask->s->unwinder, stack, index, &variables);
	vec_for_each (v, &variables) {
		struct type type;
		if (found || !v->has_address || ask->address - v->address >= v->size)
			continue;
		uint64_t offset = ask->address - v->address;
		if (types_find(ask->s->types, v->type, &type) && type_size(type) == v->size)
			type_path_at(type, offset, path, sizeof(path));
		if (*path)
			snprintf(buf, size, "%s%s%s", v->name, path[0] == '[' ? "" : ".", path);
		else
			what_plus(buf, size, v->name, offset);
		found = true;
	}
	variables_deinit(&variables);
	return found;
}

/* Was the frame, or one on the way to it, found by searching the stack? */
static bool is_guess(const struct stack *stack, size_t index)
{
	for (size_t i = 0; i <= index; i++) {
		if (stack->frames[i].how == FRAME_SCAN)
			return true;
	}
	return false;
}

static void name_slot(const struct what_ask *ask, const struct stack *stack, size_t i)
{
	const struct frame *frame = &stack->frames[i];
	const char *guess = is_guess(stack, i) ? " (a guess)" : "", *reg;
	char function[128], caller[128], variable[192];

	frame_function(ask, frame, function, sizeof(function));
	if (i + 1 < stack->count && stack->frames[i + 1].retaddr_at &&
	    ask->address - stack->frames[i + 1].retaddr_at < 8) {
		frame_function(ask, &stack->frames[i + 1], caller, sizeof(caller));
		add_textf(ask, ": return address of %s to %s%s", function, caller, guess);
		return;
	}
	add_textf(ask, ": frame #%zu, %s%s", i, function, guess);
	if (saved_register(ask, stack, i, &reg)) {
		frame_function(ask, &stack->frames[i + 1], caller, sizeof(caller));
		add_textf(ask, ", saved %s of %s", reg, caller);
	} else if (local_variable(ask, stack, i, variable, sizeof(variable))) {
		add_textf(ask, ", variable %s", variable);
	}
}

static bool in_frame(const struct what_ask *ask, const struct stack *stack)
{
	for (size_t i = 0; i < stack->count; i++) {
		if (ask->address < stack->frames[i].sp || ask->address >= frame_end(stack, i))
			continue;
		ask->what->frame = (int)i;
		name_slot(ask, stack, i);
		return true;
	}
	return false;
}

/* The lowest stack pointer of the frames on this stack; 0: none is. */
static uint64_t lowest_sp(const struct stack *stack, const struct stack_range *range)
{
	uint64_t lowest = 0;

	for (size_t i = 0; i < stack->count; i++) {
		uint64_t sp = stack->frames[i].sp;
		if (sp >= range->low && sp < range->high && (!lowest || sp < lowest))
			lowest = sp;
	}
	return lowest;
}

static void describe_slot(const struct what_ask *ask, const struct stack_range *range,
			  const struct stack *stack)
{
	uint64_t lowest = lowest_sp(stack, range);

	if (in_exception(ask, stack) || in_user_registers(ask, range, stack) ||
	    in_frame(ask, stack))
		return;
	ask->what->left_behind = lowest ? ask->address < lowest
					: stack->end == STACK_END_USER || !range->task;
	if (!lowest && stack->end == STACK_END_USER && range->task)
		add_textf(ask, ": not in use, it was in user mode: left behind by earlier calls");
	else if (!lowest && !range->task)
		add_textf(ask, ": not in use: left behind by earlier calls");
	else if (lowest && ask->address < lowest)
		add_textf(ask, ": below the stack pointer, left behind by earlier calls");
	else if (stack->end == STACK_END_INCOMPLETE)
		add_textf(ask, ": above the frames that could be followed");
	else
		add_textf(ask, ": at its top");
}

void what_stack_slot(const struct what_ask *ask, const struct stack_range *range)
{
	const struct task *task = range->task;

	if (!task) {
		const struct cpu *cpu = cpu_by_id(ask->s, (unsigned)range->cpu);
		task = cpu && cpu->current_task ? task_by_address(ask->s, cpu->current_task) : NULL;
	}
	if (!task)
		return;
	if (ask->address < range->low + 8 && range->task) {
		add_textf(ask, ": the mark at its low end (STACK_END_MAGIC)");
		return;
	}
	pthread_mutex_lock(&ask->state->lock);
	describe_slot(ask, range, unwound_stack(ask, task));
	pthread_mutex_unlock(&ask->state->lock);
}
