/* A module goes and leaves its timer behind: the kernel jumps to where the module was. */
#include <linux/slab.h>
#include <linux/timer.h>

#include "trigger.h"

static struct timer_list *tick;

static void ticker_tick(struct timer_list *timer)
{
	mod_timer(timer, jiffies + HZ);
}

static void ticker_start(void)
{
	tick = kzalloc(sizeof(*tick), GFP_KERNEL);
	if (!tick)
		return;
	timer_setup(tick, ticker_tick, 0);
	mod_timer(tick, jiffies + 2 * HZ);
}

static void __exit ticker_exit(void)
{
	/* the mistake: the timer is still armed */
}
module_exit(ticker_exit);

TRIGGER(ticker_start, "lab: a timer of a module that is gone");
