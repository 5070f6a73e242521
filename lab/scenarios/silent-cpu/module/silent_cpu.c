/* One CPU runs with interrupts off and does not answer; the one that asks it to call a function waits for ever and is found stuck. */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/nmi.h>
#include <linux/smp.h>

#include "trigger.h"

static int deaf, asked;

static noinline void poll_bus(void)
{
	unsigned long flags;

	local_irq_save(flags);
	WRITE_ONCE(deaf, 1);
	for (;;)
		cpu_relax();
	local_irq_restore(flags);
}

static int poller(void *unused)
{
	poll_bus();
	return 0;
}

static void count(void *unused)
{
	asked++;
}

static noinline void ask_all(void)
{
	on_each_cpu(count, NULL, 1);
}

static int asker(void *unused)
{
	while (!READ_ONCE(deaf))
		cpu_relax();
	ask_all();
	return asked;
}

static void start(void)
{
	struct task_struct *a = kthread_create_on_cpu(asker, NULL, 0, "asker/%u");
	struct task_struct *p = kthread_create_on_cpu(poller, NULL, 1, "poller/%u");

	if (IS_ERR(a) || IS_ERR(p))
		return;
	wake_up_process(a);
	wake_up_process(p);
}

TRIGGER(start, "lab: a CPU that does not answer");
