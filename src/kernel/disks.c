// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Disks. Since 5.11 every block device has an inode in the file system "bdev" (block/bdev.c), whose
 * super block lists them all: blockdev_superblock->s_inodes. The whole disk is the device that its
 * gendisk calls part0. What is under way: the requests of its queue that a driver has, by the
 * queue's tags (block/blk-mq-tag.c); without tags (device mapper and others that work bio by bio)
 * the counters that each CPU keeps of what began and did not end.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kernel/cpus.h"
#include "kernel/devices.h"
#include "kernel/lists.h"
#include "kernel/trees.h"

enum {
	IN_FLIGHT = 1,  /* MQ_RQ_IN_FLIGHT of enum mq_rq_state */
	WRITES = 1,     /* odd operations write, include/linux/blk_types.h */
	TAGS_MAX = 1 << 16, CONTEXTS_MAX = 4096, INODES_MAX = 1 << 22,
};

/* @last: the tags that were counted last. Contexts have their own, or all share the same. */
static bool count_tags(struct session *s, struct disk *d, uint64_t context, uint64_t *last)
{
	uint64_t tags, count, requests, request, state, queue, flags, tag;

	if (!kread(s, context, "blk_mq_hw_ctx", "tags", &tags) || !tags ||
	    !kread(s, tags, "blk_mq_tags", "nr_tags", &count) ||
	    !kread(s, tags, "blk_mq_tags", "rqs", &requests))
		return false;
	if (tags == *last)
		return true;
	*last = tags;
	for (uint64_t i = 0; i < count && i < TAGS_MAX; i++) {
		if (memory_u64(s->memory, requests + i * 8, &request) != READ_OK)
			return false;
		if (!request)
			continue;
		/*
		 * Tags may be of several queues; a slot may have what is over long since, and a
		 * scheduler's request that is under way again, by another tag.
		 */
		if (!kread(s, request, "request", "state", &state) ||
		    !kread(s, request, "request", "q", &queue) ||
		    !kread(s, request, "request", "tag", &tag) ||
		    !kread(s, request, "request", "cmd_flags", &flags))
			return false;
		if (state == IN_FLIGHT && queue == d->queue && tag == i)
			*(flags & WRITES ? &d->writes : &d->reads) += 1;
	}
	return true;
}

/* The queue's hardware contexts: an xarray from 5.18 to 6.19, an array before and since. */
static bool count_requests(struct session *s, struct disk *d)
{
	uint64_t count, array, offset, context, last = 0;
	struct tree_walk walk;
	struct tree_entry entry;

	if (!kread(s, d->queue, "request_queue", "nr_hw_queues", &count))
		return false;
	if (kread(s, d->queue, "request_queue", "queue_hw_ctx", &array)) {
		for (uint64_t i = 0; i < count && i < CONTEXTS_MAX; i++) {
			if (memory_u64(s->memory, array + i * 8, &context) != READ_OK ||
			    !count_tags(s, d, context, &last))
				return false;
		}
		return true;
	}
	if (!koffset(s, "request_queue", "hctx_table", &offset))
		return false;
	bool ok = tree_walk_init(&walk, s, TREE_XARRAY, d->queue + offset);
	while (ok && walk.count < CONTEXTS_MAX && tree_walk_step(&walk, &entry))
		ok = entry.kind != TREE_POINTER || count_tags(s, d, entry.address, &last);
	ok &= !walk.trouble.count;
	tree_walk_fini(&walk);
	return ok;
}

static bool count_bios(struct session *s, struct disk *d)
{
	uint64_t stats, offset, value[2];
	int64_t sum[2] = { 0, 0 };
	size_t count;
	const struct cpu *all = cpus(s, &count);

	if ((d->bdev ? !kread(s, d->bdev, "block_device", "bd_stats", &stats)
		     : !kread(s, d->gendisk, "gendisk", "part0.dkstats", &stats)) || !stats ||
	    !koffset(s, "disk_stats", "in_flight", &offset))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (memory_read(s->memory, stats + all[i].percpu_offset + offset, value,
				sizeof(value)) != READ_OK)
			return false;
		sum[0] += (int64_t)value[0];
		sum[1] += (int64_t)value[1];
	}
	/* One CPU counts the begin and another the end: only the sum means something. */
	d->reads = sum[0] > 0 ? (uint64_t)sum[0] : 0;
	d->writes = sum[1] > 0 ? (uint64_t)sum[1] : 0;
	return count != 0;
}

static void read_io(struct session *s, struct disk *d)
{
	uint64_t ops;

	if (!d->queue || !kread(s, d->queue, "request_queue", "mq_ops", &ops))
		return;
	d->by_request = ops != 0;
	d->io_known = ops ? count_requests(s, d) : count_bios(s, d);
}

static void read_disk(struct session *s, uint64_t gendisk, uint64_t bdev, bool io, struct disk *d)
{
	*d = (struct disk){ .gendisk = gendisk, .bdev = bdev };
	d->incomplete |= !kread(s, gendisk, "gendisk", "major", &d->major);
	d->incomplete |= !kread(s, gendisk, "gendisk", "first_minor", &d->first_minor);
	d->incomplete |= !kread(s, gendisk, "gendisk", "fops", &d->operations);
	d->incomplete |= !kread(s, gendisk, "gendisk", "queue", &d->queue);
	d->incomplete |= !kread_string(s, gendisk, "gendisk", "disk_name", d->name,
				       sizeof(d->name));
	if (io)
		read_io(s, d);
}

/*
 * Is it the device of the whole disk? False: a hole. What the gendisk names must be a device of it,
 * or the disk would be lost without a word.
 */
static bool is_whole(struct session *s, uint64_t gendisk, uint64_t bdev, bool *whole)
{
	uint64_t device, disk;

	if (!kread(s, gendisk, "gendisk", "part0", &device))
		return false;
	*whole = device == bdev;
	return *whole ||
	       (kread(s, device, "block_device", "bd_disk", &disk) && disk == gendisk);
}

/* --- Until 5.10. --- */

/*
 * Until 5.10 a disk had no block_device of its own, but a struct device in its gendisk, of the
 * class "block" (block/genhd.c). A class's devices are a klist of what is private to each
 * (drivers/base/base.h), before 5.1 of the devices themselves.
 */
static bool is_old(struct session *s)
{
	uint64_t ignored;

	return koffset(s, "gendisk", "part0.__dev", &ignored);
}

/* The struct device of a klist's @node; 0: it cannot be read. */
static uint64_t device_of_node(struct session *s, uint64_t node)
{
	uint64_t entry = kcontainer(s, node, "klist_node", "n_node"), device;
	uint64_t outer = kcontainer(s, entry, "device_private", "knode_class");

	if (!outer)
		return kcontainer(s, entry, "device", "knode_class");
	return kread(s, outer, "device_private", "device", &device) ? device : 0;
}

static void disks_of_class(struct session *s, bool io, struct walk_trouble *trouble, disk_fn fn,
			   void *ctx)
{
	uint64_t class = symbols_address(s->symbols, "block_class"), offset, private, node;
	uint64_t disk_type = symbols_address(s->symbols, "disk_type"), device, type;
	struct list_walk walk;
	struct disk disk;

	if (!class || !disk_type || !kread(s, class, "class", "p", &private) || !private ||
	    !koffset(s, "subsys_private", "klist_devices.k_list", &offset)) {
		walk_trouble_add(trouble, "the list of block devices (block_class) is not in the dump");
		return;
	}
	list_walk_from_head(&walk, s, LIST_DOUBLE, private + offset);
	while (!session_stopped(s) && walk.count < INODES_MAX && list_walk_step(&walk, &node)) {
		device = device_of_node(s, node);
		if (!device || !kread(s, device, "device", "type", &type)) {
			walk_trouble_add(trouble, "the block device of the klist_node at %" PRIx64
					 " is not in the dump", node);
			continue;
		}
		/* The others are partitions. */
		if (type != disk_type)
			continue;
		read_disk(s, kcontainer(s, device, "gendisk", "part0.__dev"), 0, io, &disk);
		fn(ctx, &disk);
	}
	if (walk.trouble.count)
		walk_trouble_add(trouble, "%s", walk.trouble.text);
	list_walk_fini(&walk);
}

void disks_each(struct session *s, bool io, struct walk_trouble *trouble, disk_fn fn, void *ctx)
{
	uint64_t sb, head, link, offset, bdev_offset;
	struct list_walk walk;
	struct disk disk;

	if (is_old(s)) {
		disks_of_class(s, io, trouble, fn, ctx);
		return;
	}
	if (!kglobal(s, "blockdev_superblock", 8, &sb) || !sb ||
	    !koffset(s, "super_block", "s_inodes", &head) ||
	    !koffset(s, "inode", "i_sb_list", &offset) ||
	    !koffset(s, "bdev_inode", "bdev", &bdev_offset)) {
		walk_trouble_add(trouble, "the list of block devices (blockdev_superblock) is not "
				 "in the dump");
		return;
	}
	list_walk_from_head(&walk, s, LIST_DOUBLE, sb + head);
	while (!session_stopped(s) && walk.count < INODES_MAX && list_walk_step(&walk, &link)) {
		uint64_t outer = kcontainer(s, link - offset, "bdev_inode", "vfs_inode"), gendisk;
		uint64_t bdev = outer + bdev_offset;
		bool whole;
		if (!outer || !kread(s, bdev, "block_device", "bd_disk", &gendisk)) {
			walk_trouble_add(trouble, "the block_device at %" PRIx64 " is not in the "
					 "dump", bdev);
			continue;
		}
		if (!gendisk)
			continue;
		if (!is_whole(s, gendisk, bdev, &whole)) {
			walk_trouble_add(trouble, "the gendisk at %" PRIx64 ", or the device of the "
					 "whole disk that it names, is not in the dump",
					 gendisk);
			continue;
		}
		if (!whole)
			continue;
		read_disk(s, gendisk, bdev, io, &disk);
		fn(ctx, &disk);
	}
	if (walk.count >= INODES_MAX)
		walk_trouble_add(trouble, "the list of block devices was left after %zu of them",
				 walk.count);
	if (walk.trouble.count)
		walk_trouble_add(trouble, "%s", walk.trouble.text);
	list_walk_fini(&walk);
}
