/* A lease is freed while a list still has it; its memory becomes counters, and the next walk takes them for a lease. */
#include <linux/list.h>
#include <linux/slab.h>

#include "trigger.h"

struct lease;

struct lease_ops {
	unsigned long (*age)(struct lease *lease);
};

struct lease {
	struct list_head leases;
	const struct lease_ops *ops;
	unsigned long since;
	char holder[200];
};

struct traffic {
	u64 packets[4];
	u64 bytes[4];
	u64 when[24];
};

static LIST_HEAD(leases);

static unsigned long lease_age(struct lease *lease)
{
	return jiffies - lease->since;
}

static const struct lease_ops lease_ops = { .age = lease_age };

static noinline unsigned long oldest(struct list_head *head)
{
	struct lease *lease;
	unsigned long age = 0;

	list_for_each_entry(lease, head, leases)
		age = max(age, lease->ops->age(lease));
	return age;
}

static noinline struct lease *lease_new(void)
{
	struct lease *lease = kzalloc(sizeof(*lease), GFP_KERNEL);

	if (!lease)
		return NULL;
	lease->ops = &lease_ops;
	lease->since = jiffies;
	list_add_tail(&lease->leases, &leases);
	return lease;
}

static void expire(void)
{
	struct lease *second;
	struct traffic *traffic;
	int tries;

	lease_new();
	second = lease_new();
	lease_new();
	kfree(second); /* the mistake: it is on the list still */
	for (tries = 0; tries < 200; tries++) { /* chance is not left to itself */
		traffic = kzalloc(sizeof(*traffic), GFP_KERNEL);
		if (!traffic)
			return;
		WRITE_ONCE(traffic->when[0], jiffies);
		if ((void *)traffic == (void *)second)
			break;
	}
	pr_info("oldest %lu\n", oldest(&leases));
}

TRIGGER(expire, "lab: freed memory that somebody else has");
