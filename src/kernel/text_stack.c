// SPDX-License-Identifier: LGPL-2.1-or-later
/* A printed trace as a stack; made-up addresses kept out of sight. */
#include "kernel/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"

/* --- The stack. --- */

/* Names of stacks as the unwinder has them. */
static const char *stack_name(const char *printed)
{
	static const struct {
		const char *printed, *name;
	} names[] = {
		{ "IRQ", "irq" }, { "NMI", "nmi" }, { "#DF", "double-fault" }, { "#MC", "mce" },
		{ "#DB", "debug" }, { "SOFTIRQ", "softirq" }, { "TASK", "task" },
	};

	for (size_t i = 0; printed && i < array_size(names); i++) {
		if (strcmp(names[i].printed, printed) == 0)
			return names[i].name;
	}
	return printed;
}

static void push_frame(struct stack *stack, const struct frame *frame)
{
	if (stack->count == stack->capacity) {
		stack->capacity = stack->capacity ? stack->capacity * 2 : 16;
		stack->frames = xreallocarray(stack->frames, stack->capacity, sizeof(*frame));
	}
	stack->frames[stack->count++] = *frame;
}

static void add_frame(const struct text_thread *thread, size_t i, struct stack *stack)
{
	const struct oops_frame *f = &thread->report->frames[i];
	struct frame frame = { .pc = thread->frame_pc[i], .is_call = !f->regs,
			       .how = f->guess ? FRAME_SCAN : FRAME_RETADDR,
			       .stack = stack_name(f->stack) };

	if (!frame.pc)
		return;
	/* What is found first on the stack of a call to nowhere is where it came from. */
	if (f->guess && i == 0 && thread->report->has_pc && !thread->report->pc.function)
		frame.how = FRAME_RETADDR;
	if (f->regs) {
		frame.how = FRAME_EXCEPTION;
		frame.has_regs = true;
		frame.regs = *f->regs;
		frame.sp = f->regs->value[X86_RSP];
	}
	push_frame(stack, &frame);
}

void text_stack(const struct session *s, const struct task *task, struct stack *stack)
{
	const struct text *text = s->text;
	const struct text_thread *thread =
		task->address && task->address <= text->thread_count
			? &text->threads[task->address - 1] : NULL;

	*stack = (struct stack){ .end = STACK_END_INCOMPLETE };
	if (!thread || !text_has_stack(thread->report)) {
		snprintf(stack->reason, sizeof(stack->reason), "the text has no trace of it");
		return;
	}
	snprintf(stack->reason, sizeof(stack->reason), "the text's trace ends here");
	/* A name without an address ("[inline]", of a decoded trace) is no frame. */
	if (thread->report->has_pc && (thread->pc || !thread->report->pc.function)) {
		struct frame first = { .pc = thread->pc, .how = FRAME_START, .has_regs = true,
				       .regs = thread->regs,
				       .sp = thread->regs.value[X86_RSP] };
		push_frame(stack, &first);
	}
	for (size_t i = 0; i < thread->report->frame_count && i < UNWIND_FRAMES_MAX; i++)
		add_frame(thread, i, stack);
}

/* --- Made-up addresses in words. --- */

static bool hex_word(const char *s, uint64_t *value)
{
	char digits[24];
	size_t n = strcspn(s, " ,()<");

	if (n >= sizeof(digits))
		return false;
	memcpy(digits, s, n);
	digits[n] = '\0';
	return parse_hex(digits, value);
}

bool text_may_name(const struct session *s, uint64_t address)
{
	const struct text *text = s->text;

	if (!text || !text->death || !text_is_made_up(s, text->pc))
		return true;
	return address - (text->pc - text->death->pc.offset) <
	       max_u64(text->death->pc.size, text->death->pc.offset + 1);
}

void text_hide_made_up(const struct session *s, char *words)
{
	char *remark = strstr(words, "  # ");
	char *at = strstr(words, "0xfffffff");
	uint64_t value;

	if (!s->text->pc || !text_is_made_up(s, s->text->pc))
		return;
	/* What lies relative to the instruction has no address that means anything. */
	if (remark)
		*remark = '\0';
	if (!at || !hex_word(at, &value) ||
	    value - (TEXT_MADE_UP - INT32_MAX) > (uint64_t)INT32_MAX * 2)
		return;
	char *name = strchr(at, '<');
	if (name)
		memmove(at, name, strlen(name) + 1);
	else
		memcpy(at, "...", 4);
}
