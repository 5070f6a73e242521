/* A pointer that runs over the upper end of the stack into the guard page behind it. Nothing overflows: the stack is nearly empty. */
#include <linux/sched/task_stack.h>

#include "trigger.h"

static noinline unsigned long sum_up(const unsigned long *word, unsigned long count)
{
	unsigned long sum = 0;

	while (count--)
		sum += READ_ONCE(*word++);
	return sum;
}

static void sum_stack(void)
{
	unsigned long words[4] = { 1, 2, 3, 4 };

	/* Meant: the array; given: its size in bits. */
	OPTIMIZER_HIDE_VAR(words[0]);
	pr_info("the sum is %lu\n", sum_up(words, THREAD_SIZE));
}

TRIGGER(sum_stack, "lab: a read beyond the upper end of the stack");
