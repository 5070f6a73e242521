/*
 * A high-resolution timer's handler, in the interrupt itself, wants the lock that the code it interrupted holds: spin_lock() where
 * spin_lock_irqsave() was needed. On that CPU no interrupt comes any more; another one sees that it does not take part in RCU.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/version.h>

#include "trigger.h"

struct gauge {
	char name[16];
	spinlock_t lock;
	unsigned long samples;
	struct hrtimer timer;
};

static struct gauge *gauge;

static enum hrtimer_restart gauge_fire(struct hrtimer *timer)
{
	struct gauge *g = container_of(timer, struct gauge, timer);

	spin_lock(&g->lock);
	g->samples++;
	spin_unlock(&g->lock);
	return HRTIMER_NORESTART;
}

static noinline void gauge_sample(struct gauge *g)
{
	unsigned long i;

	spin_lock(&g->lock);
	hrtimer_start(&g->timer, ms_to_ktime(20), HRTIMER_MODE_REL_PINNED_HARD);
	for (i = 0; i < 1000000; i++)
		udelay(10);
	spin_unlock(&g->lock);
}

static int sampler(void *unused)
{
	gauge_sample(gauge);
	return 0;
}

static void start(void)
{
	struct task_struct *task;

	gauge = kzalloc(sizeof(*gauge), GFP_KERNEL);
	if (!gauge)
		return;
	strscpy(gauge->name, "pressure", sizeof(gauge->name));
	spin_lock_init(&gauge->lock);
	hrtimer_init(&gauge->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	gauge->timer.function = gauge_fire;
	pr_info("known lock %px\n", &gauge->lock);
	task = kthread_create_on_cpu(sampler, NULL, 1, "sampler/%u");
	if (!IS_ERR(task))
		wake_up_process(task);
}

TRIGGER(start, "lab: an interrupt against the code that it interrupts");
