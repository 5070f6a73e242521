/* A disk that takes requests and never answers; readers of it pile up. */
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/slab.h>
#include <linux/version.h>

#include "trigger.h"

enum { SECTORS = 2048 };

static struct blk_mq_tag_set tags;
static struct gendisk *disk;
static int major;
static int deaf; /* until then it answers, so that it can be set up */

static blk_status_t take(struct blk_mq_hw_ctx *queue, const struct blk_mq_queue_data *data)
{
	blk_mq_start_request(data->rq);
	if (!READ_ONCE(deaf))
		blk_mq_end_request(data->rq, BLK_STS_OK);
	return BLK_STS_OK;
}

/* A timeout must not end what is to hang. */
static enum blk_eh_timer_return keep(struct request *request)
{
	return BLK_EH_RESET_TIMER;
}

static const struct blk_mq_ops operations = { .queue_rq = take, .timeout = keep };
static const struct block_device_operations fops = { .owner = THIS_MODULE };

static void start(void)
{
	major = register_blkdev(0, "stuckdisk");
	tags.ops = &operations;
	tags.nr_hw_queues = 1;
	tags.queue_depth = 4;
	tags.numa_node = NUMA_NO_NODE;
	if (major < 0 || blk_mq_alloc_tag_set(&tags))
		return;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
	disk = blk_mq_alloc_disk(&tags, NULL, NULL);
#else
	disk = blk_mq_alloc_disk(&tags, NULL);
#endif
	if (IS_ERR(disk))
		return;
	disk->major = major;
	disk->minors = 1;
	disk->fops = &fops;
	strscpy(disk->disk_name, "stuckdisk", sizeof(disk->disk_name));
	set_capacity(disk, SECTORS);
	if (add_disk(disk))
		return;
	pr_info("known disk %px queue %px\n", disk, disk->queue);
	WRITE_ONCE(deaf, 1);
}

TRIGGER(start, "lab: a disk that does not answer");
