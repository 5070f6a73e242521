/*
 * One thread walks a list as a reader of RCU and does not come to its end; meanwhile another one replaces entry after entry, each of which
 * is freed by a callback that must wait for the reader.
 */
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/rculist.h>
#include <linux/slab.h>

#include "trigger.h"

enum { RENEWALS = 150000 };

struct lease {
	u32 address;
	struct rcu_head rcu;
};

static struct lease __rcu *current_lease;
static int watching;

static void lease_free(struct rcu_head *head)
{
	kfree(container_of(head, struct lease, rcu));
}

static noinline int lease_watcher(void *data)
{
	struct lease *lease;

	rcu_read_lock();
	lease = rcu_dereference(current_lease);
	WRITE_ONCE(watching, 1);
	while (READ_ONCE(lease->address)) /* the mistake: a lease that was replaced does not end */
		cpu_relax();
	rcu_read_unlock();
	return 0;
}

static noinline void lease_renew(u32 address)
{
	struct lease *fresh = kzalloc(sizeof(*fresh), GFP_KERNEL), *old;

	if (!fresh)
		return;
	fresh->address = address;
	old = rcu_dereference_protected(current_lease, true);
	rcu_assign_pointer(current_lease, fresh);
	if (old)
		call_rcu(&old->rcu, lease_free);
}

static void renew(void)
{
	struct task_struct *watcher;
	u32 i;

	if (set_cpus_allowed_ptr(current, cpumask_of(0)))
		return;
	lease_renew(1);
	watcher = kthread_create_on_cpu(lease_watcher, NULL, 1, "watcher/%u");
	if (IS_ERR(watcher))
		return;
	wake_up_process(watcher);
	while (!READ_ONCE(watching))
		schedule_timeout_uninterruptible(1);
	for (i = 0; i <= RENEWALS; i++)
		lease_renew(2 + i);
}

TRIGGER(renew, "lab: a flood of RCU callbacks that wait for one reader");
