/*
 * A driver of a disk array times a command out, gives its memory back, and forgets that the controller still has it. The memory becomes
 * the head of a network buffer; then the completion comes and writes its state there, four bytes, into what is now frag_list. The
 * network stack dies of it while it frees the buffer.
 */
#include <linux/delay.h>
#include <linux/list.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "trigger.h"

#define HEAD_SIZE 1024
#define STATE_OFFSET (SKB_WITH_OVERHEAD(HEAD_SIZE) + offsetof(struct skb_shared_info, frag_list))

enum array_owner { ARRAY_OWNER_DRIVER = 0x203, ARRAY_OWNER_FIRMWARE = 0x206 };

struct array_command {
	struct list_head queue;
	struct delayed_work *abort;
	void (*done)(struct array_command *command);
	u64 sector;
	u8 sense[96];
	u8 scatter[STATE_OFFSET - 136];
	u32 owner;
	u32 result;
};

static struct array_command *late;
static struct sk_buff *buffer;

static noinline void array_complete(struct array_command *command)
{
	command->owner = ARRAY_OWNER_FIRMWARE; /* the mistake: it is somebody else's by now */
}

static void array_reset(struct work_struct *work)
{
	array_complete(late);
}

static DECLARE_DELAYED_WORK(reset_work, array_reset);

/* Frees the command, and takes its memory for a buffer: nothing may come between. */
static noinline bool array_timeout(struct array_command *command)
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
	struct array_command *command;
	int tries;

	BUILD_BUG_ON(offsetof(struct array_command, owner) != STATE_OFFSET);
	BUILD_BUG_ON(sizeof(struct array_command) > HEAD_SIZE || sizeof(struct array_command) <= HEAD_SIZE / 2);
	for (tries = 0; !late && tries < 200; tries++) {
		command = kzalloc(sizeof(*command), GFP_KERNEL);
		if (!command)
			return;
		command->abort = &reset_work;
		command->done = array_complete;
		array_timeout(command);
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
