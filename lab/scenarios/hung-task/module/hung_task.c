/* A thread keeps a mutex while it sleeps; others wait for it uninterruptibly until the hung task watchdog panics. */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mutex.h>

#include "trigger.h"

static DEFINE_MUTEX(resource_lock);
static int users;

static noinline void keep_resource(void)
{
	users++;
	for (;;)
		schedule_timeout_interruptible(HZ * 100);
}

static int holder(void *unused)
{
	mutex_lock(&resource_lock);
	keep_resource();
	mutex_unlock(&resource_lock);
	return 0;
}

static noinline void take_resource(void)
{
	mutex_lock(&resource_lock);
	users++;
	mutex_unlock(&resource_lock);
}

static int waiter(void *unused)
{
	take_resource();
	return users;
}

static void start_threads(void)
{
	kthread_run(holder, NULL, "holder");
	msleep(100);
	for (int i = 0; i < 3; i++)
		kthread_run(waiter, NULL, "waiter/%d", i);
}

TRIGGER(start_threads, "lab: tasks hung on a mutex");
