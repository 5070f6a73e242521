/*
 * Three storms at once: an interrupt line for which the only handler does not care, on CPU 0 and soon turned off by the kernel; a tasklet on
 * CPU 1 that asks for itself again and again; and timers on CPU 2, which has its interrupts off.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/timer.h>

#include "trigger.h"

enum { LINE = 5, INTERRUPTS = 200000, TIMERS = 3000 };

static struct timer_list samples[TIMERS];
static struct tasklet_struct poll;
static struct irq_work line;

static irqreturn_t weather_irq(int irq, void *data)
{
	return IRQ_NONE; /* the mistake: it was ours */
}

/* As if the device had done it; only in a hard interrupt does the kernel take it. */
static void weather_raise(struct irq_work *work)
{
	int i;

	for (i = 0; i < INTERRUPTS; i++)
		generic_handle_irq(LINE);
}

static void weather_sample(struct timer_list *timer)
{
	mod_timer(timer, jiffies + HZ);
}

static noinline void weather_poll(struct tasklet_struct *tasklet)
{
	udelay(200);
	tasklet_schedule(tasklet);
}

static int weather_start_poll(void *data)
{
	tasklet_schedule(&poll);
	return 0;
}

static int weather_wait(void *data)
{
	int i;

	local_irq_disable();
	for (i = 0; i < TIMERS; i++) {
		timer_setup(&samples[i], weather_sample, TIMER_PINNED);
		samples[i].expires = jiffies + HZ + i % HZ;
		add_timer_on(&samples[i], smp_processor_id());
	}
	for (;;)
		cpu_relax();
	return 0;
}

static void start(int (*function)(void *), int cpu, const char *name)
{
	struct task_struct *task = kthread_create_on_cpu(function, NULL, cpu, name);

	if (!IS_ERR(task))
		wake_up_process(task);
}

static void storm(void)
{
	if (set_cpus_allowed_ptr(current, cpumask_of(0)))
		return;
	tasklet_setup(&poll, weather_poll);
	if (request_irq(LINE, weather_irq, IRQF_SHARED, "weather", &poll))
		return;
	init_irq_work(&line, weather_raise);
	irq_work_queue(&line);
	irq_work_sync(&line);
	start(weather_start_poll, 1, "poller/%u");
	start(weather_wait, 2, "waiter/%u");
}

TRIGGER(storm, "lab: storms of interrupts, of a tasklet and of timers");
