/* A copy without a limit runs over a buffer on the stack, and the canary behind it is dead when the function returns. */
#include <linux/string.h>

#include "trigger.h"

static const char *name = "a name that is a good deal longer than the buffer that its reader set aside for it, and then some";

static noinline int parse_name(const char *text)
{
	char buffer[24];
	char *out = buffer;

	do {
		*out++ = *text;
		OPTIMIZER_HIDE_VAR(out);
	} while (*text++);
	barrier_data(buffer);
	return buffer[0];
}

static void read_configuration(void)
{
	pr_info("the name starts with %c\n", parse_name(name));
}

TRIGGER(read_configuration, "lab: an overrun buffer on the stack");
