/* A pointer whose upper half was overwritten: not canonical, so a general protection fault without a fault address in CR2. */
#include <linux/slab.h>

#include "trigger.h"

struct node {
	struct node *next;
	long value;
};

static noinline long node_sum(struct node *node)
{
	long sum = 0;

	for (; node; node = node->next)
		sum += node->value;
	return sum;
}

static void sum_list(void)
{
	struct node *first = kzalloc(sizeof(*first), GFP_KERNEL), *second = kzalloc(sizeof(*second), GFP_KERNEL);

	if (!first || !second)
		return;
	first->next = second;
	second->next = (struct node *)(((unsigned long)first & 0xffffffff) | 0x1234567800000000);
	pr_info("sum %ld\n", node_sum(first));
}

TRIGGER(sum_list, "lab: a non-canonical pointer");
