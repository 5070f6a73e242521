/*
 * The same mistake as in late-completion, of another driver, on a kernel that does not clear memory when it is allocated: what the
 * command held before is still there, under the network buffer that its memory became.
 */
#include <linux/delay.h>
#include <linux/list.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "trigger.h"

#define HEAD_SIZE 1024
#define STATE_OFFSET (SKB_WITH_OVERHEAD(HEAD_SIZE) + offsetof(struct skb_shared_info, frag_list))

/* What lies before scatter. */
#define RAID_HEAD offsetof(struct raid_head, end)

enum raid_owner { RAID_OWNER_DRIVER = 0x301, RAID_OWNER_FIRMWARE = 0x30a };

struct raid_command;

struct raid_head {
	u64 sector;
	u8 sense[88];
	struct list_head queue, siblings;
	struct delayed_work abort;
	struct task_struct *submitter;
	struct workqueue_struct *completions;
	void (*done)(struct raid_command *command);
	struct raid_command *self;
	wait_queue_head_t waiters;
	u8 end[];
};

struct raid_command {
	u64 sector;
	u8 sense[88];
	struct list_head queue, siblings;
	struct delayed_work abort;
	struct task_struct *submitter;
	struct workqueue_struct *completions;
	void (*done)(struct raid_command *command);
	struct raid_command *self;
	wait_queue_head_t waiters;
	u8 scatter[STATE_OFFSET - RAID_HEAD];
	u32 owner;
	u32 result;
};

static struct raid_command *late;
static struct sk_buff *buffer;

static noinline void raid_complete(struct raid_command *command)
{
	command->owner = RAID_OWNER_FIRMWARE; /* the mistake: it is somebody else's by now */
}

static void raid_reset(struct work_struct *work)
{
	raid_complete(late);
}

static DECLARE_DELAYED_WORK(reset_work, raid_reset);

/* Frees the command, and takes its memory for a buffer: nothing may come between. */
static noinline bool raid_timeout(struct raid_command *command)
{
	struct sk_buff *skb;

	skb = alloc_skb(SKB_WITH_OVERHEAD(HEAD_SIZE) - 64, GFP_KERNEL); /* warms what it needs beside the memory */
	kfree_skb(skb);
	kfree(command);
	skb = alloc_skb(SKB_WITH_OVERHEAD(HEAD_SIZE) - 64, GFP_KERNEL);
	if (!skb)
		return false;
	if (skb->head != (void *)command)
		return false; /* and stays: the next one gets other memory */
	buffer = skb;
	late = command;
	return true;
}

static void time_out(void)
{
	struct raid_command *command;
	int tries;

	BUILD_BUG_ON(offsetof(struct raid_command, owner) != STATE_OFFSET);
	BUILD_BUG_ON(sizeof(struct raid_command) > HEAD_SIZE || sizeof(struct raid_command) <= HEAD_SIZE / 2);
	for (tries = 0; !late && tries < 200; tries++) {
		command = kzalloc(sizeof(*command), GFP_KERNEL);
		if (!command)
			return;
		INIT_LIST_HEAD(&command->queue);
		INIT_LIST_HEAD(&command->siblings);
		INIT_DELAYED_WORK(&command->abort, raid_reset);
		init_waitqueue_head(&command->waiters);
		command->submitter = current;
		command->completions = system_wq;
		command->done = raid_complete;
		command->self = command;
		raid_timeout(command);
	}
	if (!late)
		return;
	skb_put_data(buffer, "what somebody sent", 18);
	pr_info("known skb %px head %px end %u cell %px\n", buffer, buffer->head, skb_end_offset(buffer), &skb_shinfo(buffer)->frag_list);
	schedule_delayed_work(&reset_work, HZ / 20);
	flush_delayed_work(&reset_work);
	kfree_skb(buffer);
}

TRIGGER(time_out, "lab: a late completion writes into freed memory");
