// SPDX-License-Identifier: LGPL-2.1-or-later
/* Recursion: the same return addresses over and over. */
#include "unwind/unwind.h"

enum { CYCLE_LENGTH_MAX = 16 };

/* How often the @length frames at @from stand there one after the other. */
static size_t count_turns(const struct stack *stack, size_t from, size_t length)
{
	size_t i = from;

	while (i + length < stack->count && stack->frames[i].pc == stack->frames[i + length].pc)
		i++;
	return (i - from) / length + 1;
}

bool stack_find_cycle(const struct stack *stack, size_t from, size_t turns_min,
		      struct stack_cycle *cycle)
{
	for (size_t length = 1; length <= CYCLE_LENGTH_MAX; length++) {
		if (from + length > stack->count)
			return false;
		size_t turns = count_turns(stack, from, length);
		if (turns < turns_min)
			continue;
		*cycle = (struct stack_cycle){ from, length, turns };
		return true;
	}
	return false;
}
