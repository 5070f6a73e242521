/* A work item finds a number that cannot be: BUG() in a kworker, far from whoever queued the work. */
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "trigger.h"

struct cleanup {
	struct work_struct work;
	int slot;
};

static noinline void release_slot(int slot)
{
	BUG_ON(slot < 0);
	pr_info("slot %d released\n", slot);
}

static void cleanup_work(struct work_struct *work)
{
	struct cleanup *cleanup = container_of(work, struct cleanup, work);

	release_slot(cleanup->slot);
	kfree(cleanup);
}

static void queue_cleanup(void)
{
	struct cleanup *cleanup = kzalloc(sizeof(*cleanup), GFP_KERNEL);

	if (!cleanup)
		return;
	cleanup->slot = -1; /* as an online step that failed would leave it */
	INIT_WORK(&cleanup->work, cleanup_work);
	schedule_work(&cleanup->work);
	flush_work(&cleanup->work);
}

TRIGGER(queue_cleanup, "lab: BUG() in a work item");
