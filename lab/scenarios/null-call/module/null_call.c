/* A call through a function pointer that was never set: the instruction pointer is 0, and only the stack says who called. */
#include "trigger.h"

struct driver_ops {
	int (*start)(int);
	int (*notify)(int);
};

static int driver_start(int number)
{
	return number + 1;
}

static struct driver_ops ops = { .start = driver_start };

static noinline int driver_notify(struct driver_ops *driver, int event)
{
	return driver->notify(event) + 1;
}

static void send_event(void)
{
	pr_info("notified: %d\n", driver_notify(&ops, ops.start(4)));
}

TRIGGER(send_event, "lab: a call of a NULL function pointer");
