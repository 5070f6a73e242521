/*
 * One reads for ever on a CPU of its own, which it never leaves; another cannot wait for the usual grace period, and asks for one in a hurry.
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "trigger.h"

enum { READERS_CPU = 1 };

static noinline int read_for_ever(void *unused)
{
	rcu_read_lock();
	preempt_disable();
	for (;;)
		udelay(100);
	preempt_enable();
	rcu_read_unlock();
	return 0;
}

static noinline int cannot_wait(void *unused)
{
	synchronize_rcu_expedited();
	return 0;
}

static void start(void)
{
	struct task_struct *reader = kthread_create(read_for_ever, NULL, "reader");
	struct task_struct *writer = kthread_create(cannot_wait, NULL, "writer");

	if (IS_ERR(reader) || IS_ERR(writer))
		return;
	kthread_bind(reader, READERS_CPU);
	kthread_bind(writer, 0);
	wake_up_process(reader);
	schedule_timeout_uninterruptible(HZ / 5);
	wake_up_process(writer);
}

TRIGGER(start, "lab: a grace period in a hurry, and a reader that never ends");
