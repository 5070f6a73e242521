/*
 * For kernels with PREEMPT_RT, where spinlocks and rwlocks sleep: one that reads under a rwlock and never ends, writers and readers that wait
 * for it, and what these hold.
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "trigger.h"

struct hall {
	char name[8];
	rwlock_t guests;
	spinlock_t door;
	rwlock_t floor;
	unsigned long inside;
};

static struct hall *hall;

static noinline void dine(struct hall *h)
{
	read_lock(&h->guests);
	for (;;) {
		udelay(10);
		WRITE_ONCE(h->inside, h->inside + 1);
	}
	read_unlock(&h->guests);
}

static int diner(void *unused)
{
	dine(hall);
	return 0;
}

static int host(void *unused)
{
	write_lock(&hall->guests);
	hall->inside = 0;
	write_unlock(&hall->guests);
	return 0;
}

static int late(void *unused)
{
	read_lock(&hall->guests);
	hall->inside++;
	read_unlock(&hall->guests);
	return 0;
}

static int porter(void *unused)
{
	spin_lock(&hall->door);
	host(NULL);
	spin_unlock(&hall->door);
	return 0;
}

static int visitor(void *unused)
{
	spin_lock(&hall->door);
	spin_unlock(&hall->door);
	return 0;
}

static int dancer(void *unused)
{
	write_lock(&hall->floor);
	visitor(NULL);
	write_unlock(&hall->floor);
	return 0;
}

static int looker(void *unused)
{
	read_lock(&hall->floor);
	read_unlock(&hall->floor);
	return 0;
}

static void start(void)
{
	static const struct {
		const char *name;
		int (*run)(void *unused);
	} threads[] = {
		{ "host", host }, { "late", late }, { "porter", porter }, { "visitor", visitor }, { "dancer", dancer }, { "looker", looker },
	};
	struct task_struct *task;
	int i;

	hall = kzalloc(sizeof(*hall), GFP_KERNEL);
	if (!hall)
		return;
	strscpy(hall->name, "hall", sizeof(hall->name));
	rwlock_init(&hall->guests);
	rwlock_init(&hall->floor);
	spin_lock_init(&hall->door);
	task = kthread_create_on_cpu(diner, NULL, 1, "diner/%u");
	if (IS_ERR(task))
		return;
	wake_up_process(task);
	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		msleep(200);
		kthread_run(threads[i].run, NULL, "%s", threads[i].name);
	}
	msleep(500);
}

TRIGGER(start, "lab: spinlocks and rwlocks that sleep");
