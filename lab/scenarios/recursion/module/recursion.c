/* Recursion without an end, until the stack's guard page stops it with a double fault. */
#include "trigger.h"

static noinline int descend(int depth, const char *path)
{
	char step[64];
	int length = scnprintf(step, sizeof(step), "%s/%d", path, depth);

	if (depth < 0)
		return length;
	return length + descend(depth + 1, step);
}

static void walk_tree(void)
{
	pr_info("depth %d\n", descend(0, ""));
}

TRIGGER(walk_tree, "lab: endless recursion");
