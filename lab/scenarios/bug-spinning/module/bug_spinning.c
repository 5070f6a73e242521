/* A BUG_ON under a spin lock, while the other CPU spins for that lock. */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/spinlock.h>

#include "trigger.h"

static DEFINE_SPINLOCK(queue_lock);
static int queued = 3, started;

static noinline void check_queue(int expected)
{
	BUG_ON(queued != expected);
	queued = 0;
}

static noinline void drain_queue(void)
{
	spin_lock(&queue_lock);
	queued = 0;
	spin_unlock(&queue_lock);
}

static int contender(void *unused)
{
	WRITE_ONCE(started, 1);
	drain_queue();
	return 0;
}

static noinline void flush_queue(void)
{
	struct task_struct *task = kthread_create(contender, NULL, "contender");

	if (IS_ERR(task))
		return;
	spin_lock(&queue_lock);
	kthread_bind(task, !smp_processor_id());
	wake_up_process(task);
	while (!READ_ONCE(started))
		cpu_relax();
	mdelay(20);
	check_queue(4);
	spin_unlock(&queue_lock);
}

TRIGGER(flush_queue, "lab: BUG_ON under a contended spin lock");
