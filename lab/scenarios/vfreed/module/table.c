/* A table in vmalloc() memory is given back, and then asked once more. */
#include <linux/vmalloc.h>

#include "trigger.h"

struct route {
	unsigned long target, hops;
};

static struct route *routes;

static noinline void table_drop(void)
{
	vfree(routes);
}

static noinline unsigned long route_find(unsigned long number)
{
	return routes[number].hops;
}

static void lookup(void)
{
	routes = vmalloc(16 * PAGE_SIZE);
	if (!routes)
		return;
	routes[0].target = 1; /* no other page is in this CPU's TLB */
	table_drop();
	pr_info("hops %lu\n", route_find(2100));
}

TRIGGER(lookup, "lab: memory of vmalloc() used after it was freed");
