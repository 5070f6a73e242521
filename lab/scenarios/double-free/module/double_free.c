/* An object freed twice in a row: the slab allocator notices that it is already the first of its free list. */
#include <linux/slab.h>

#include "trigger.h"

struct ticket {
	int number;
	char owner[60];
};

static struct kmem_cache *tickets;

static noinline void drop_ticket(struct ticket *ticket)
{
	int number = ticket->number;

	kmem_cache_free(tickets, ticket);
	pr_info("ticket %d is gone\n", number);
}

static void drop_twice(void)
{
	struct ticket *ticket;

	tickets = kmem_cache_create("lab_tickets", sizeof(*ticket), 0, SLAB_HWCACHE_ALIGN, NULL);
	ticket = kmem_cache_zalloc(tickets, GFP_KERNEL);
	drop_ticket(ticket);
	drop_ticket(ticket);
}

TRIGGER(drop_twice, "lab: a slab object freed twice");
