/*
 * One thread holds a lock for writing and walks a long table that is full, and goes on walking; threads on the other CPUs want to read and
 * write. The watchdog panics in one of those, none of which did anything wrong: the walker keeps it quiet on its own CPU.
 */
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/nmi.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "trigger.h"

enum { BUCKETS = 512 };

struct route {
	u32 address;
	u16 port;
	u8 protocol;
	unsigned long expires;
};

struct route_table {
	char name[16];
	rwlock_t lock;
	unsigned int elements, limit;
	struct route *table;
};

static struct route_table *set;
static int walking;

static noinline unsigned int table_prune(struct route_table *s)
{
	unsigned int expired = 0, i;

	for (i = 0; i < BUCKETS; i++) {
		touch_softlockup_watchdog();
		if (READ_ONCE(s->table[i].expires) < jiffies)
			expired++;
	}
	WRITE_ONCE(walking, 1);
	return expired;
}

static noinline int table_insert(struct route_table *s, u32 address, u16 port)
{
	int error = -ENOSPC;

	write_lock_bh(&s->lock);
	while (s->elements >= s->limit) /* the mistake: nothing that it does makes room */
		table_prune(s);
	if (s->elements < BUCKETS) {
		s->table[s->elements].address = address;
		s->table[s->elements++].port = port;
		error = 0;
	}
	write_unlock_bh(&s->lock);
	return error;
}

static noinline int table_lookup(struct route_table *s, u32 address)
{
	int i, found = -1;

	read_lock_bh(&s->lock);
	for (i = 0; i < s->elements && found < 0; i++)
		if (s->table[i].address == address)
			found = i;
	read_unlock_bh(&s->lock);
	return found;
}

/* Of those that wait every other one wants to read. */
static int adder(void *data)
{
	unsigned long number = (unsigned long)data;

	if (number % 2)
		return table_lookup(set, 0x0a000000 + number);
	return table_insert(set, 0x0a000000 + number, 1000 + number);
}

static struct task_struct *create(unsigned long number, int cpu)
{
	return kthread_create_on_cpu(adder, (void *)number, cpu, number ? "router/%u" : "pruner/%u");
}

/* All threads are made before the first one spins, and nothing here sleeps after that: it might not be woken again. */
static void fill(void)
{
	static struct task_struct *tasks[NR_CPUS];
	int cpu, count = num_online_cpus();

	set = kzalloc(sizeof(*set), GFP_KERNEL);
	if (!set)
		return;
	set->table = kcalloc(BUCKETS, sizeof(*set->table), GFP_KERNEL);
	if (!set->table || set_cpus_allowed_ptr(current, cpumask_of(0)))
		return;
	strscpy(set->name, "visitors", sizeof(set->name));
	rwlock_init(&set->lock);
	set->elements = set->limit = BUCKETS;
	memset(set->table, 0xff, BUCKETS * sizeof(*set->table));
	pr_info("known set %px lock %px table %px\n", set, &set->lock, set->table);
	for (cpu = 0; cpu < count; cpu++) {
		tasks[cpu] = create(count - 1 - cpu, cpu);
		if (IS_ERR(tasks[cpu]))
			return;
	}
	wake_up_process(tasks[count - 1]);
	while (!READ_ONCE(walking))
		cpu_relax();
	preempt_disable();
	for (cpu = 0; cpu < count - 1; cpu++)
		wake_up_process(tasks[cpu]);
	preempt_enable();
}

TRIGGER(fill, "lab: a walk under a lock for writing, and readers and writers that wait for it");
