/*
 * Threads that wait for each other in many ways: two mutexes in the wrong order; a ring over a mutex, an rwsem and a completion; a writer
 * behind a sleeping reader and readers behind the writer; a mutex whose owner exited; a work that needs what its flusher holds; a semaphore;
 * a thread that is to be stopped but waits.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/semaphore.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "trigger.h"

struct account {
	char owner[24];
	struct mutex guard;
	long balance;
};

struct ring {
	struct mutex first;
	struct rw_semaphore second;
	struct completion third;
};

static struct account *from, *to;
static struct ring *ring;
static DECLARE_RWSEM(catalogue);
static DEFINE_MUTEX(left_behind);
static DEFINE_MUTEX(printer);
static struct semaphore tickets;
static struct task_struct *late_stopper;

static void sleep_for_ever(void)
{
	for (;;)
		schedule_timeout_interruptible(HZ * 100);
}

static noinline void transfer(struct account *a, struct account *b)
{
	mutex_lock(&a->guard);
	msleep(300);
	mutex_lock(&b->guard);
	a->balance--;
	b->balance++;
	mutex_unlock(&b->guard);
	mutex_unlock(&a->guard);
}

static int abba(void *forward)
{
	if (forward)
		transfer(from, to);
	else
		transfer(to, from);
	return 0;
}

static int ring_first(void *unused)
{
	mutex_lock(&ring->first);
	msleep(300);
	down_write(&ring->second);
	up_write(&ring->second);
	mutex_unlock(&ring->first);
	return 0;
}

static int ring_second(void *unused)
{
	down_write(&ring->second);
	msleep(300);
	wait_for_completion(&ring->third);
	up_write(&ring->second);
	return 0;
}

static int ring_third(void *unused)
{
	msleep(300);
	mutex_lock(&ring->first);
	complete(&ring->third);
	mutex_unlock(&ring->first);
	return 0;
}

static int reader(void *unused)
{
	down_read(&catalogue);
	sleep_for_ever();
	up_read(&catalogue);
	return 0;
}

static int writer(void *unused)
{
	msleep(200);
	down_write(&catalogue);
	up_write(&catalogue);
	return 0;
}

static int late_reader(void *unused)
{
	msleep(400);
	down_read(&catalogue);
	up_read(&catalogue);
	return 0;
}

static int leaver(void *unused)
{
	mutex_lock(&left_behind);
	return 0;
}

static int left(void *unused)
{
	msleep(300);
	mutex_lock(&left_behind);
	mutex_unlock(&left_behind);
	return 0;
}

static void print_page(struct work_struct *work)
{
	msleep(200);
	mutex_lock(&printer);
	mutex_unlock(&printer);
}

static DECLARE_WORK(page_work, print_page);

static int flusher(void *unused)
{
	mutex_lock(&printer);
	schedule_work(&page_work);
	flush_work(&page_work);
	mutex_unlock(&printer);
	return 0;
}

static int ticket_keeper(void *unused)
{
	down(&tickets);
	sleep_for_ever();
	up(&tickets);
	return 0;
}

static int ticket_waiter(void *unused)
{
	msleep(300);
	down(&tickets);
	up(&tickets);
	return 0;
}

/* Waits for the account, and so cannot stop. */
static int auditor(void *unused)
{
	msleep(500);
	mutex_lock(&from->guard);
	mutex_unlock(&from->guard);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ);
	return 0;
}

static int stopper(void *thread)
{
	msleep(700);
	return kthread_stop(thread);
}

static struct account *open_account(const char *owner)
{
	struct account *a = kzalloc(sizeof(*a), GFP_KERNEL);

	if (a) {
		strscpy(a->owner, owner, sizeof(a->owner));
		mutex_init(&a->guard);
	}
	return a;
}

static void start(void)
{
	int i;

	from = open_account("alice");
	to = open_account("bob");
	ring = kzalloc(sizeof(*ring), GFP_KERNEL);
	if (!from || !to || !ring)
		return;
	mutex_init(&ring->first);
	init_rwsem(&ring->second);
	init_completion(&ring->third);
	sema_init(&tickets, 1);
	pr_info("known from %px to %px ring %px catalogue %px left %px printer %px tickets %px work %px\n", &from->guard, &to->guard, ring,
		&catalogue, &left_behind, &printer, &tickets, &page_work);
	kthread_run(abba, (void *)1, "abba/0");
	kthread_run(abba, NULL, "abba/1");
	kthread_run(ring_first, NULL, "ring/0");
	kthread_run(ring_second, NULL, "ring/1");
	kthread_run(ring_third, NULL, "ring/2");
	kthread_run(reader, NULL, "reader");
	kthread_run(writer, NULL, "writer");
	kthread_run(leaver, NULL, "leaver");
	kthread_run(flusher, NULL, "flusher");
	kthread_run(ticket_keeper, NULL, "tickets/0");
	kthread_run(ticket_waiter, NULL, "tickets/1");
	late_stopper = kthread_run(auditor, NULL, "auditor");
	kthread_run(stopper, late_stopper, "stopper");
	for (i = 0; i < 3; i++) {
		kthread_run(late_reader, NULL, "late/%d", i);
		kthread_run(left, NULL, "left/%d", i);
	}
}

TRIGGER(start, "lab: threads that wait for each other");
