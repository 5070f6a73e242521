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
static int turn;

static noinline void dine(struct hall *h)
{
	read_lock(&h->guests);
	for (;;) {
		udelay(10);
		WRITE_ONCE(h->inside, h->inside + 1);
	}
	read_unlock(&h->guests);
}

static void diner(void)
{
	dine(hall);
}

static void host(void)
{
	write_lock(&hall->guests);
	hall->inside = 0;
	write_unlock(&hall->guests);
}

static void late(void)
{
	read_lock(&hall->guests);
	hall->inside++;
	read_unlock(&hall->guests);
}

static void porter(void)
{
	spin_lock(&hall->door);
	host();
	spin_unlock(&hall->door);
}

static void visitor(void)
{
	spin_lock(&hall->door);
	spin_unlock(&hall->door);
}

static void dancer(void)
{
	write_lock(&hall->floor);
	visitor();
	write_unlock(&hall->floor);
}

static void looker(void)
{
	read_lock(&hall->floor);
	read_unlock(&hall->floor);
}

static const struct {
	const char *name;
	void (*run)(void);
} threads[] = {
	{ "diner/%u", diner }, { "host", host }, { "late", late }, { "porter", porter }, { "visitor", visitor }, { "dancer", dancer }, { "looker", looker },
};

static int thread(void *number)
{
	while (READ_ONCE(turn) <= (long)number)
		msleep(20);
	threads[(long)number].run();
	return 0;
}

/* Nothing else can be done on the machine once the first one reads: RCU waits for it. So the threads are made before. */
static bool make_threads(void)
{
	struct task_struct *task;
	long i;

	hall = kzalloc(sizeof(*hall), GFP_KERNEL);
	if (!hall)
		return false;
	strscpy(hall->name, "hall", sizeof(hall->name));
	rwlock_init(&hall->guests);
	rwlock_init(&hall->floor);
	spin_lock_init(&hall->door);
	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		task = i ? kthread_create(thread, (void *)i, "%s", threads[i].name)
			 : kthread_create_on_cpu(thread, (void *)i, 1, threads[i].name);
		if (IS_ERR(task))
			return false;
		wake_up_process(task);
	}
	return true;
}

/* The first time it makes the threads, the second time each has its turn. */
static void start(void)
{
	if (!hall) {
		make_threads();
		return;
	}
	while (turn < ARRAY_SIZE(threads)) {
		WRITE_ONCE(turn, turn + 1);
		msleep(200);
	}
	msleep(500);
}

TRIGGER(start, "lab: spinlocks and rwlocks that sleep");
