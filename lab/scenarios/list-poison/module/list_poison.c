/* A list is walked with the plain iterator while an entry is deleted: the next step goes through LIST_POISON1. */
#include <linux/list.h>
#include <linux/slab.h>

#include "trigger.h"

struct timeout {
	struct list_head link;
	unsigned long expires;
	int id;
};

static LIST_HEAD(timeouts);

static noinline void timeout_cancel(struct timeout *timeout)
{
	list_del(&timeout->link);
}

static noinline int timeout_scan(unsigned long now)
{
	struct timeout *timeout;
	int expired = 0;

	list_for_each_entry(timeout, &timeouts, link) {
		if (timeout->expires > now)
			continue;
		expired += timeout->id;
		timeout_cancel(timeout);
	}
	return expired;
}

static void expire_all(void)
{
	for (int i = 0; i < 5; i++) {
		struct timeout *timeout = kzalloc(sizeof(*timeout), GFP_KERNEL);

		if (!timeout)
			return;
		timeout->expires = 100 * i;
		timeout->id = i;
		list_add_tail(&timeout->link, &timeouts);
	}
	pr_info("expired %d\n", timeout_scan(250));
}

TRIGGER(expire_all, "lab: a step through a deleted list entry");
