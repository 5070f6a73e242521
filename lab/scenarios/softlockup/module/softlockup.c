/* A kernel thread that waits for hardware with preemption off, for ever: the soft lockup watchdog panics. */
#include <linux/kthread.h>

#include "trigger.h"

static int ready;

static noinline int poll_hardware(int *status)
{
	int polls = 0;

	while (!READ_ONCE(*status)) {
		cpu_relax();
		polls++;
	}
	return polls;
}

static int poller(void *unused)
{
	int polls;

	preempt_disable();
	polls = poll_hardware(&ready);
	preempt_enable();
	return polls;
}

static void start_poller(void)
{
	struct task_struct *task = kthread_create_on_cpu(poller, NULL, 1, "poller");

	if (!IS_ERR(task))
		wake_up_process(task);
}

TRIGGER(start_poller, "lab: a soft lockup");
