/* A timer wants the lock that the code it interrupted holds: spin_lock() where spin_lock_bh() was needed. */
#include <linux/delay.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

#include "trigger.h"

struct meter {
	spinlock_t lock;
	unsigned long readings;
	struct timer_list timer;
};

static struct meter *meter;

static void meter_tick(struct timer_list *timer)
{
	struct meter *m = container_of(timer, struct meter, timer);

	spin_lock(&m->lock);
	m->readings++;
	spin_unlock(&m->lock);
}

/*
 * A timer only interrupts this where ksoftirqd is not about to run: then softirqs are its own, and it cannot run
 * before this has done. So it is tried until the timer comes in between, which never ends.
 */
static noinline void meter_read(struct meter *m)
{
	unsigned long i;

	for (;;) {
		spin_lock(&m->lock);
		mod_timer(&m->timer, jiffies + 2);
		for (i = 0; i < 200000; i++)
			udelay(10);
		spin_unlock(&m->lock);
		msleep(50);
	}
}

static void start(void)
{
	meter = kzalloc(sizeof(*meter), GFP_KERNEL);
	if (!meter)
		return;
	spin_lock_init(&meter->lock);
	timer_setup(&meter->timer, meter_tick, TIMER_PINNED);
	pr_info("known lock %px\n", &meter->lock);
	meter_read(meter);
}

TRIGGER(start, "lab: a timer against the code that it interrupts");
