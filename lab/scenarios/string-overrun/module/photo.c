/* rep movsq copies more than there is: it runs into the guard page behind a vmalloc() area. */
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "trigger.h"

static noinline void copy_words(u64 *to, const u64 *from, unsigned long words)
{
	asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
}

static noinline void photo_copy(u64 *to, const u64 *from, unsigned long bytes)
{
	copy_words(to, from, bytes / 4); /* the mistake: words have eight bytes */
}

static void take(void)
{
	u64 *from = vmalloc(2 * PAGE_SIZE), *to = kmalloc(4 * PAGE_SIZE, GFP_KERNEL);

	if (!from || !to)
		return;
	memset(from, 0x11, 2 * PAGE_SIZE);
	photo_copy(to, from, 2 * PAGE_SIZE);
}

TRIGGER(take, "lab: a copy runs off the end of its source");
