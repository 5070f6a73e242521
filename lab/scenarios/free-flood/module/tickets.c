/*
 * One thread reads a ticket as a reader of RCU and does not come to an end; meanwhile another one replaces ticket after ticket, each of
 * which kfree_rcu() is to free and which must wait for the reader.
 */
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "trigger.h"

enum { TICKETS = 150000 };

struct ticket {
	u32 number;
	struct rcu_head rcu;
	u64 seats[9]; /* 96 bytes in all */
};

static struct ticket __rcu *current_ticket;
static int watching;

static noinline int ticket_watcher(void *data)
{
	struct ticket *ticket;

	rcu_read_lock();
	ticket = rcu_dereference(current_ticket);
	WRITE_ONCE(watching, 1);
	while (READ_ONCE(ticket->number)) /* the mistake: a ticket that was replaced does not end */
		cpu_relax();
	rcu_read_unlock();
	return 0;
}

static noinline void ticket_renew(u32 number)
{
	struct ticket *fresh = kzalloc(sizeof(*fresh), GFP_KERNEL), *old;

	if (!fresh)
		return;
	fresh->number = number;
	old = rcu_dereference_protected(current_ticket, true);
	rcu_assign_pointer(current_ticket, fresh);
	if (old)
		kfree_rcu(old, rcu);
}

static void renew(void)
{
	struct task_struct *watcher;
	u32 i;

	if (set_cpus_allowed_ptr(current, cpumask_of(0)))
		return;
	ticket_renew(1);
	watcher = kthread_create_on_cpu(ticket_watcher, NULL, 1, "watcher/%u");
	if (IS_ERR(watcher))
		return;
	wake_up_process(watcher);
	while (!READ_ONCE(watching))
		schedule_timeout_uninterruptible(1);
	for (i = 0; i < TICKETS; i++)
		ticket_renew(2 + i);
}

TRIGGER(renew, "lab: a flood of what kfree_rcu() is to free, which waits for one reader");
