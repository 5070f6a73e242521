/*
 * An operation that an office does not have is asked of it. The small function that asks ends with that: it jumps through the pointer, and leaves
 * nothing of itself on the stack.
 */
#include <linux/slab.h>

#include "trigger.h"

struct office;
struct office_operations {
	void (*open)(struct office *office, long hour);
	void (*deliver)(struct office *office, long parcel);
};

struct office {
	char town[24];
	const struct office_operations *operations;
	long delivered;
};

static void open_office(struct office *office, long hour)
{
	office->delivered = hour;
}

/* Without deliver(). */
static struct office_operations branch = { .open = open_office };

static noinline void office_open(struct office *office, long hour)
{
	office->operations->open(office, hour);
}

static noinline void office_deliver(struct office *office, long parcel)
{
	office->operations->deliver(office, parcel);
}

static struct office *last;

static noinline void send(void)
{
	struct office *office = kzalloc(sizeof(*office), GFP_KERNEL);

	if (!office)
		return;
	last = office;
	office->operations = &branch;
	pr_info("office %px operations %px cell %px\n", office, &branch, &branch.deliver);
	office_open(office, 9);
	office_deliver(office, 4711);
	pr_info("sent by %ld\n", office->delivered);
}

TRIGGER(send, "lab: a call through an operation that is NULL, as the last act of a function");
