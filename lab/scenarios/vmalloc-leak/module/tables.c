/* Builds bigger and bigger tables and never frees the old ones. */
#include <linux/vmalloc.h>

#include "trigger.h"

enum { TABLE_BYTES = 1 << 20 };

static void *newest;

static void grow(void)
{
	do
		newest = vmalloc(TABLE_BYTES);
	while (newest);
}

TRIGGER(grow, "lab: vmalloc() areas that are never freed");
