/* A write to a constant: the page is there, but read-only. */
#include "trigger.h"

struct limits {
	int files;
	int processes;
};

static const struct limits limits = { .files = 1024, .processes = 64 };

static noinline void set_limit(struct limits *changed, int files)
{
	WRITE_ONCE(changed->files, files);
}

static void raise_limits(void)
{
	const struct limits *target = &limits;

	OPTIMIZER_HIDE_VAR(target);
	set_limit((struct limits *)target, 4096);
	pr_info("limit %d\n", READ_ONCE(limits.files));
}

TRIGGER(raise_limits, "lab: a write to read-only data");
