/* Eight threads keep what they allocate, and may neither fail nor have tasks killed for them: they look for memory to free, for ever. */
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/timer.h>

#include "trigger.h"

enum { WRITERS = 8, PATIENCE = 12 };

static struct timer_list watch;

static noinline int ledger_write(void *data)
{
	for (;;) {
		alloc_page(GFP_NOFS | __GFP_NOFAIL | __GFP_NOWARN);
		cond_resched();
	}
	return 0;
}

static noinline void ledger_watch(struct timer_list *timer)
{
	panic("ledger: no progress");
}

static void fill(void)
{
	int i;

	timer_setup(&watch, ledger_watch, 0);
	mod_timer(&watch, jiffies + PATIENCE * HZ);
	for (i = 0; i < WRITERS; i++)
		kthread_run(ledger_write, NULL, "writer/%d", i);
}

TRIGGER(fill, "lab: threads that look for memory to free and find none");
