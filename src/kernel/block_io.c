// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * From a page by its address_space to the inode and the block device: a file system's is that of
 * its super block, a block device's own pages hang on an inode that lies beside it. The queue's
 * hardware contexts lead to tags, and these to all requests that there can be.
 *
 * Sources, in linux/: block/bdev.c (struct bdev_inode), include/linux/blk-mq.h, block/blk-mq-tag.c,
 * include/linux/xarray.h; enum mq_rq_state.
 */
#include "kernel/block_io.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kernel/devices.h"
#include "kernel/meaning.h"
#include "kernel/pages.h"
#include "kernel/timekeeper.h"

enum {
	RQ_IN_FLIGHT = 1,      /* MQ_RQ_IN_FLIGHT */
	TAGS_MAX = 1 << 14, HW_QUEUES_MAX = 1024, BIOS_MAX = 4096, VECTORS_MAX = 1024,
	XA_SLOTS = 64,         /* XA_CHUNK_SIZE; less in small kernels, whose slots then are not read */
	XA_INTERNAL = 2,       /* low bits of a pointer to a node */
	PAGE_BYTES = 4096,
};

struct hunt {
	struct session *s;
	uint64_t queue, first_pfn, end_pfn; /* of the page or folio */
	uint64_t bio;                       /* or this one is looked for; 0 */
	bool oldest;                        /* or the one that began first */
	struct io_request *io;
};

/* --- From a page to its device. --- */

static bool inode_of_page(struct session *s, uint64_t page, struct page_info *info, uint64_t *inode)
{
	uint64_t pfn;

	return pfn_of_page(s, page, &pfn) && page_info(s, pfn, info) &&
	       info->kind == PAGE_KIND_FILE &&
	       kread(s, info->owner, "address_space", "host", inode) && *inode;
}

uint64_t block_inode_of_page(struct session *s, uint64_t page)
{
	struct page_info info;
	uint64_t inode;

	return inode_of_page(s, page, &info, &inode) ? inode : 0;
}

/* Of a block device's own inode. The file system of those is called "bdev" (block/bdev.c). */
static uint64_t own_device(struct session *s, uint64_t inode)
{
	uint64_t sb, type;
	char name[16] = "";

	if (!kread(s, inode, "inode", "i_sb", &sb) || !sb ||
	    !kread(s, sb, "super_block", "s_type", &type) || !type ||
	    !kread_string(s, type, "file_system_type", "name", name, sizeof(name)) ||
	    strcmp(name, "bdev") != 0)
		return 0;
	uint64_t outer = kcontainer(s, inode, "bdev_inode", "vfs_inode"), offset;
	return outer && koffset(s, "bdev_inode", "bdev", &offset) ? outer + offset : 0;
}

static uint64_t device_of_inode(struct session *s, uint64_t inode)
{
	uint64_t sb, bdev = own_device(s, inode);

	if (bdev)
		return bdev;
	return kread(s, inode, "inode", "i_sb", &sb) && sb &&
			       kread(s, sb, "super_block", "s_bdev", &bdev)
		       ? bdev : 0;
}

/* --- Requests of a queue. --- */

bool block_bios_have_bio(struct session *s, uint64_t bio, uint64_t wanted)
{
	for (unsigned n = 0; bio && n < BIOS_MAX; n++) {
		if (bio == wanted)
			return true;
		if (!kread(s, bio, "bio", "bi_next", &bio))
			return false;
	}
	return false;
}

/*
 * By bi_iter: it says what is still to be done, and of a clone, which shares the pages of another
 * bio, which part of them is its own (bi_vcnt is 0 there). What is done of the first of the pages
 * it calls bi_offset since 7.3.
 */
static bool bio_has_page(const struct hunt *h, uint64_t bio, uint64_t vector_size)
{
	uint64_t vectors, index, left, done;

	if (!kread(h->s, bio, "bio", "bi_io_vec", &vectors) ||
	    !kread(h->s, bio, "bio", "bi_iter.bi_idx", &index) ||
	    !kread(h->s, bio, "bio", "bi_iter.bi_size", &left) ||
	    !kread(h->s, bio, "bio", "bi_iter.bi_bvec_done|bi_iter.bi_offset",
		   &done))
		return false;
	for (unsigned n = 0; left && n < VECTORS_MAX; n++, done = 0) {
		uint64_t at = vectors + (index + n) * vector_size, page, length, offset, pfn;
		if (!kread(h->s, at, "bio_vec", "bv_page", &page) ||
		    !kread(h->s, at, "bio_vec", "bv_len", &length) ||
		    !kread(h->s, at, "bio_vec", "bv_offset", &offset) || length <= done ||
		    !pfn_of_page(h->s, page, &pfn))
			return false;
		uint64_t end = pfn + (offset + length + PAGE_BYTES - 1) / PAGE_BYTES;
		if (pfn < h->end_pfn && end > h->first_pfn)
			return true;
		left -= length - done < left ? length - done : left;
	}
	return false;
}

static bool bios_have_page(const struct hunt *h, uint64_t bio)
{
	uint64_t size = types_sizeof(h->s->types, "bio_vec");

	for (unsigned n = 0; size && bio && n < BIOS_MAX; n++) {
		if (bio_has_page(h, bio, size))
			return true;
		if (!kread(h->s, bio, "bio", "bi_next", &bio))
			return false;
	}
	return false;
}

static bool request_is_wanted(const struct hunt *h, uint64_t request)
{
	uint64_t bio;

	return kread(h->s, request, "request", "bio", &bio) &&
	       (h->bio ? block_bios_have_bio(h->s, bio, h->bio) : bios_have_page(h, bio));
}

static bool is_older(const struct hunt *h, uint64_t request)
{
	uint64_t start, best;

	return kread(h->s, request, "request", "start_time_ns", &start) && start &&
	       (!h->io->request ||
		(kread(h->s, h->io->request, "request", "start_time_ns", &best) && start < best));
}

static void look_at_tags(const struct hunt *h, uint64_t tags)
{
	uint64_t count, requests, request, state, queue, tag;

	if (!kread(h->s, tags, "blk_mq_tags", "nr_tags", &count) ||
	    !kread(h->s, tags, "blk_mq_tags", "static_rqs", &requests) || !requests)
		return;
	/* With an I/O scheduler the requests are the scheduler's; rqs[] has those under way. */
	for (unsigned which = 0; which < 2; which++) {
		if (which && !kread(h->s, tags, "blk_mq_tags", "rqs", &requests))
			return;
		for (uint64_t i = 0; i < count && i < TAGS_MAX; i++) {
			if (memory_u64(h->s->memory, requests + i * 8, &request) != READ_OK ||
			    !request || !kread(h->s, request, "request", "state", &state) ||
			    state != RQ_IN_FLIGHT ||
			    !kread(h->s, request, "request", "q", &queue) || queue != h->queue ||
			    !kread(h->s, request, "request", "tag", &tag) || tag != i)
				continue;
			h->io->in_flight++;
			if (h->oldest ? is_older(h, request)
				      : !h->io->request && request_is_wanted(h, request))
				h->io->request = request;
		}
		/* Of the two arrays one has all of them. */
		if (h->io->in_flight)
			return;
	}
}

static void look_at_context(const struct hunt *h, uint64_t context)
{
	uint64_t tags;

	if (context && kread(h->s, context, "blk_mq_hw_ctx", "tags", &tags) && tags)
		look_at_tags(h, tags);
}

/* The contexts are in an xarray since 5.18, before that in an array. */
static void look_at_queue(const struct hunt *h)
{
	uint64_t count, head, offset, context;

	if (!kread(h->s, h->queue, "request_queue", "nr_hw_queues", &count))
		return;
	if (kread(h->s, h->queue, "request_queue", "queue_hw_ctx", &head) && head) {
		for (uint64_t i = 0; i < count && i < HW_QUEUES_MAX; i++) {
			if (memory_u64(h->s->memory, head + i * 8, &context) == READ_OK)
				look_at_context(h, context);
		}
		return;
	}
	if (!kread(h->s, h->queue, "request_queue", "hctx_table.xa_head", &head) || !head)
		return;
	if ((head & 3) != XA_INTERNAL) {
		look_at_context(h, head);
		return;
	}
	/* One level is enough for 64 queues. */
	if (!koffset(h->s, "xa_node", "slots", &offset))
		return;
	for (uint64_t i = 0; i < count && i < XA_SLOTS; i++) {
		if (memory_u64(h->s->memory, head - XA_INTERNAL + offset + i * 8, &context) ==
			    READ_OK && (context & 3) == 0)
			look_at_context(h, context);
	}
}

static void describe(struct hunt *h)
{
	struct kernel_time now;
	uint64_t start, ops;

	if (kread(h->s, h->queue, "request_queue", "mq_ops", &ops) && ops)
		kread(h->s, ops, "blk_mq_ops", "queue_rq", &h->io->driver);
	if (!h->io->request)
		return;
	(void)meaning_of(h->s, "request", h->io->request, h->io->words, sizeof(h->io->words));
	kernel_time(h->s, &now);
	if (kread(h->s, h->io->request, "request", "start_time_ns", &start) && start &&
	    start < now.uptime_ns)
		h->io->age_ns = now.uptime_ns - start;
}

static void set_page(struct hunt *h, const struct page_info *info)
{
	h->first_pfn = info->head_pfn;
	h->end_pfn = info->head_pfn + (1ull << (info->order & 31));
}

/* The same for a page of which no more is known. */
static bool set_pages(struct hunt *h, uint64_t page)
{
	struct page_info info;
	uint64_t pfn;

	if (!pfn_of_page(h->s, page, &pfn) || !page_info(h->s, pfn, &info))
		return false;
	set_page(h, &info);
	return true;
}

bool block_bios_have_page(struct session *s, uint64_t bio, uint64_t page)
{
	struct hunt h = { .s = s };

	return set_pages(&h, page) && bios_have_page(&h, bio);
}

uint64_t block_page_of_buffer(struct session *s, uint64_t buffer)
{
	uint64_t page;

	return kread(s, buffer, "buffer_head", "b_folio|b_page", &page) ? page : 0;
}

uint64_t block_queue_of_bio(struct session *s, uint64_t bio)
{
	uint64_t bdev, disk, queue;

	/* Before 5.12 a bio had its gendisk itself. */
	if (kread(s, bio, "bio", "bi_bdev", &bdev)) {
		if (!bdev || !kread(s, bdev, "block_device", "bd_disk", &disk))
			return 0;
	} else if (!kread(s, bio, "bio", "bi_disk", &disk)) {
		return 0;
	}
	return disk && kread(s, disk, "gendisk", "queue", &queue) ? queue : 0;
}

bool block_io_of_queue(struct session *s, uint64_t queue, struct io_request *io)
{
	struct hunt h = { .s = s, .io = io, .queue = queue, .oldest = true };

	*io = (struct io_request){ 0 };
	look_at_queue(&h);
	describe(&h);
	return io->request && meaning_of(s, "request_queue", queue, io->disk_name,
					 sizeof(io->disk_name));
}

uint64_t block_page_of_bio(struct session *s, uint64_t bio)
{
	uint64_t vectors, page;

	return kread(s, bio, "bio", "bi_io_vec", &vectors) && vectors &&
	       kread(s, vectors, "bio_vec", "bv_page", &page) ? page : 0;
}

/* submit_bio since 5.9; before, the queue had the function. */
static uint64_t submit_function(const struct hunt *h)
{
	uint64_t by_request, functions, submit;

	if (!kread(h->s, h->queue, "request_queue", "mq_ops", &by_request) || by_request)
		return 0;
	if (kread(h->s, h->io->disk, "gendisk", "fops", &functions) && functions &&
	    kread(h->s, functions, "block_device_operations", "submit_bio", &submit))
		return submit;
	return kread(h->s, h->queue, "request_queue", "make_request_fn", &submit) ? submit : 0;
}

/* Of @h->io->bdev: its disk, and what is under way there. */
static bool look_at_device(struct hunt *h)
{
	struct io_request *io = h->io;

	if (!io->bdev || !kread(h->s, io->bdev, "block_device", "bd_disk", &io->disk) || !io->disk ||
	    !kread_string(h->s, io->disk, "gendisk", "disk_name", io->disk_name,
			  sizeof(io->disk_name)))
		return false;
	if (kread(h->s, io->disk, "gendisk", "queue", &h->queue) && h->queue) {
		look_at_queue(h);
		describe(h);
		io->submit = submit_function(h);
	}
	return true;
}

bool block_io_of_page(struct session *s, uint64_t page, struct io_request *io)
{
	struct hunt h = { .s = s, .io = io };
	struct page_info info;
	uint64_t inode;

	*io = (struct io_request){ 0 };
	if (!inode_of_page(s, page, &info, &inode))
		return false;
	set_page(&h, &info);
	io->bdev = device_of_inode(s, inode);
	return look_at_device(&h);
}

bool block_io_of_device(struct session *s, uint64_t bdev, uint64_t page, struct io_request *io)
{
	struct hunt h = { .s = s, .io = io };

	*io = (struct io_request){ .bdev = bdev };
	return set_pages(&h, page) && look_at_device(&h);
}

bool block_io_of_bio(struct session *s, uint64_t bio, struct io_request *io)
{
	struct hunt h = { .s = s, .io = io, .bio = bio };

	*io = (struct io_request){ 0 };
	return kread(s, bio, "bio", "bi_bdev", &io->bdev) && look_at_device(&h);
}

static void look_at_disk(void *ctx, const struct disk *disk)
{
	struct hunt *h = ctx;
	struct io_request *io = h->io;
	uint64_t by_request;

	if (io->request || !disk->queue ||
	    !kread(h->s, disk->queue, "request_queue", "mq_ops", &by_request) || !by_request)
		return;
	*io = (struct io_request){ .disk = disk->gendisk, .bdev = disk->bdev };
	snprintf(io->disk_name, sizeof(io->disk_name), "%s", disk->name);
	h->queue = disk->queue;
	look_at_queue(h);
	if (io->request)
		describe(h);
}

bool block_io_below(struct session *s, uint64_t page, struct io_request *io)
{
	struct hunt h = { .s = s, .io = io };
	struct walk_trouble trouble = { .count = 0 };

	*io = (struct io_request){ 0 };
	if (set_pages(&h, page))
		disks_each(s, false, &trouble, look_at_disk, &h);
	return io->request;
}

static bool has_flag(struct session *s, uint64_t flags, const char *name)
{
	int64_t bit;

	return types_enumerator(s->types, name, &bit) && bit >= 0 && bit < 64 && flags >> bit & 1;
}

bool block_page_is_locked(struct session *s, uint64_t page)
{
	struct page_info info;
	uint64_t pfn;

	return pfn_of_page(s, page, &pfn) && page_info(s, pfn, &info) &&
	       has_flag(s, info.flags, "PG_locked");
}

bool block_page_in_io(struct session *s, uint64_t page)
{
	struct page_info info;
	uint64_t pfn;

	if (!pfn_of_page(s, page, &pfn) || !page_info(s, pfn, &info))
		return false;
	return has_flag(s, info.flags, "PG_writeback") ||
	       (has_flag(s, info.flags, "PG_locked") && !has_flag(s, info.flags, "PG_uptodate"));
}

bool block_disk_of_page(struct session *s, uint64_t page, char *name, size_t size)
{
	struct page_info info;
	uint64_t inode, bdev, disk;

	if (!inode_of_page(s, page, &info, &inode))
		return false;
	bdev = device_of_inode(s, inode);
	return bdev && kread(s, bdev, "block_device", "bd_disk", &disk) && disk &&
	       kread_string(s, disk, "gendisk", "disk_name", name, size) && *name;
}

bool block_page_place(struct session *s, uint64_t page, char *buf, size_t size)
{
	struct page_info info;
	uint64_t inode, bdev;
	char name[256] = "";

	if (!inode_of_page(s, page, &info, &inode))
		return false;
	bdev = own_device(s, inode);
	if (!meaning_of(s, bdev ? "block_device" : "inode", bdev ? bdev : inode, name, sizeof(name)))
		return false;
	snprintf(buf, size, "page %" PRIu64 " of %s%s", info.index, bdev ? "disk " : "", name);
	return true;
}
