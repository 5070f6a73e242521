/* Takes pages and forgets them: no counter of the kernel has them. */
#include <linux/gfp.h>

#include "trigger.h"

static unsigned long taken;

static void take(void)
{
	while (alloc_page(GFP_KERNEL | __GFP_ZERO))
		taken++;
}

TRIGGER(take, "lab: pages that nobody counts");
