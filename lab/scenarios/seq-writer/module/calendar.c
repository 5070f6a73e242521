/*
 * One thread writes under a seqlock and goes on for ever; threads on the other CPUs read, and spin as the sequence number stays odd. The
 * watchdog panics in one of those: the writer keeps it quiet on its own CPU.
 */
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/nmi.h>
#include <linux/sched.h>
#include <linux/seqlock.h>
#include <linux/slab.h>

#include "trigger.h"

enum { DAYS = 512 };

struct calendar {
	char name[16];
	seqlock_t lock;
	unsigned int days, limit;
	u64 *holidays;
};

static struct calendar *calendar;
static int writing;

static noinline unsigned int calendar_shift(struct calendar *c)
{
	unsigned int moved = 0, i;

	for (i = 0; i < DAYS; i++) {
		touch_softlockup_watchdog();
		if (READ_ONCE(c->holidays[i]) < jiffies)
			moved++;
	}
	WRITE_ONCE(writing, 1);
	return moved;
}

static noinline void calendar_add(struct calendar *c, u64 day)
{
	write_seqlock(&c->lock);
	while (c->days >= c->limit) /* the mistake: nothing that it does makes room */
		calendar_shift(c);
	c->holidays[c->days++] = day;
	write_sequnlock(&c->lock);
}

static noinline u64 calendar_first(struct calendar *c)
{
	unsigned int sequence;
	u64 day;

	do {
		sequence = read_seqbegin(&c->lock);
		day = READ_ONCE(c->holidays[0]);
	} while (read_seqretry(&c->lock, sequence));
	return day;
}

static int clerk(void *data)
{
	if (data)
		return calendar_first(calendar) == 1;
	calendar_add(calendar, 1);
	return 0;
}

static void open_office(void)
{
	static struct task_struct *tasks[NR_CPUS];
	int cpu, count = num_online_cpus();

	calendar = kzalloc(sizeof(*calendar), GFP_KERNEL);
	if (!calendar)
		return;
	calendar->holidays = kcalloc(DAYS, sizeof(*calendar->holidays), GFP_KERNEL);
	if (!calendar->holidays || set_cpus_allowed_ptr(current, cpumask_of(0)))
		return;
	strscpy(calendar->name, "office", sizeof(calendar->name));
	seqlock_init(&calendar->lock);
	calendar->days = calendar->limit = DAYS;
	memset(calendar->holidays, 0xff, DAYS * sizeof(*calendar->holidays));
	pr_info("known calendar %px lock %px\n", calendar, &calendar->lock);
	for (cpu = 0; cpu < count; cpu++) {
		tasks[cpu] = kthread_create_on_cpu(clerk, cpu == count - 1 ? NULL : calendar, cpu,
						   cpu == count - 1 ? "writer/%u" : "reader/%u");
		if (IS_ERR(tasks[cpu]))
			return;
	}
	wake_up_process(tasks[count - 1]);
	while (!READ_ONCE(writing))
		cpu_relax();
	preempt_disable();
	for (cpu = 0; cpu < count - 1; cpu++)
		wake_up_process(tasks[cpu]);
	preempt_enable();
}

TRIGGER(open_office, "lab: a writer of a seqlock that does not end, and who reads");
