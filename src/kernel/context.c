// SPDX-License-Identifier: LGPL-2.1-or-later
/* The chosen task and frame; nothing is chosen until somebody asks for it. */
#include "kernel/context.h"

const struct task *context_task(struct session *s)
{
	const struct task *chosen = s->context.task ? task_by_address(s, s->context.task) : NULL;

	return chosen ? chosen : task_crashed(s);
}

void context_set_task(struct session *s, const struct task *task)
{
	s->context.task = task ? task->address : 0;
	s->context.frame = 0;
}

const struct frame *context_frame(struct session *s, struct stack *stack)
{
	const struct task *task = context_task(s);

	*stack = (struct stack){ 0 };
	if (!task)
		return NULL;
	task_stack(s, task, stack);
	return s->context.frame < stack->count ? &stack->frames[s->context.frame] : NULL;
}

bool context_is_hex(const struct session *s, bool option_hex, bool option_decimal)
{
	return option_hex || (!option_decimal && s->context.settings.radix == 16);
}

void context_format(const struct session *s, bool option_hex, bool option_decimal,
		    struct value_format *format)
{
	format->hex = context_is_hex(s, option_hex, option_decimal);
	format->decimal = option_decimal;
	format->elements_max = s->context.settings.print_max;
	format->element_lines = s->context.settings.print_array;
	format->null_stop = s->context.settings.null_stop;
}
