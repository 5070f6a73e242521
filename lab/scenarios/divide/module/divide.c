/* A division by a counter that is still zero. */
#include "trigger.h"

struct statistics {
	unsigned long total;
	unsigned long samples;
};

static struct statistics statistics = { .total = 123456 };

static noinline unsigned long average_latency(const struct statistics *from)
{
	return from->total / READ_ONCE(from->samples);
}

static void report_latency(void)
{
	pr_info("average %lu\n", average_latency(&statistics));
}

TRIGGER(report_latency, "lab: a division by zero");
