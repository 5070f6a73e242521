/* 2,000 threads wait for a few locks of one keeper. */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/slab.h>

#include "trigger.h"

enum { THREADS = 2000, DESKS = 4 };

struct desk {
	struct mutex seat;
	struct rw_semaphore book;
};

static struct desk *desks;

static int keeper(void *unused)
{
	int i;

	for (i = 0; i < DESKS; i++) {
		mutex_lock_nested(&desks[i].seat, i);
		down_read_nested(&desks[i].book, i);
	}
	for (;;)
		schedule_timeout_interruptible(HZ * 100);
	return 0;
}

static int visitor(void *number)
{
	struct desk *desk = &desks[(unsigned long)number % DESKS];

	if ((unsigned long)number % 2) {
		mutex_lock(&desk->seat);
		mutex_unlock(&desk->seat);
	} else {
		down_write(&desk->book);
		up_write(&desk->book);
	}
	return 0;
}

static void start(void)
{
	unsigned long i;

	desks = kcalloc(DESKS, sizeof(*desks), GFP_KERNEL);
	if (!desks)
		return;
	for (i = 0; i < DESKS; i++) {
		mutex_init(&desks[i].seat);
		init_rwsem(&desks[i].book);
	}
	kthread_run(keeper, NULL, "keeper");
	msleep(300);
	for (i = 0; i < THREADS; i++)
		kthread_run(visitor, (void *)i, "visitor/%lu", i);
}

TRIGGER(start, "lab: a crowd before a few locks");
