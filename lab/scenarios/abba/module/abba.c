/* Two threads take an inventory lock and a shelf lock in the wrong order; the hung task watchdog finds one of them. */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "trigger.h"

struct shelf {
	int number;
	struct mutex busy;
};

static DEFINE_MUTEX(inventory);
static struct shelf *shelf;

static noinline void count_shelf(struct shelf *s)
{
	mutex_lock(&inventory);
	msleep(300);
	mutex_lock(&s->busy);
	mutex_unlock(&s->busy);
	mutex_unlock(&inventory);
}

static noinline void refill_shelf(struct shelf *s)
{
	mutex_lock(&s->busy);
	msleep(300);
	mutex_lock(&inventory);
	mutex_unlock(&inventory);
	mutex_unlock(&s->busy);
}

static int counter(void *s)
{
	count_shelf(s);
	return 0;
}

static int refiller(void *s)
{
	refill_shelf(s);
	return 0;
}

static void start(void)
{
	shelf = kzalloc(sizeof(*shelf), GFP_KERNEL);
	if (!shelf)
		return;
	mutex_init(&shelf->busy);
	pr_info("known inventory %px busy %px\n", &inventory, &shelf->busy);
	kthread_run(counter, shelf, "counter");
	kthread_run(refiller, shelf, "refiller");
}

TRIGGER(start, "lab: two locks in the wrong order");
