// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The log of XFS is written from a ring of buffers ("iclogs"), each with a bio of its own. Who waits
 * for one of them waits also for those before it: what is said of one comes after what was said
 * before.
 *
 * Source, in linux/: fs/xfs/xfs_log_priv.h (struct xlog, xlog_in_core), xfs_buf.h.
 */
#include "kernel/xfs.h"

#include "kernel/pages.h"

enum { ICLOGS_MAX = 256 };

/* Is @iclog in its log's ring? @writing: one that is being written, that itself if it is; 0 none. */
static bool look_at_ring(struct session *s, uint64_t iclog, uint64_t *writing)
{
	uint64_t log, first, at, state;
	int64_t syncing;
	bool member = false;

	*writing = 0;
	if (!types_enumerator(s->types, "XLOG_STATE_SYNCING", &syncing) ||
	    !kread(s, iclog, "xlog_in_core", "ic_log", &log) || !log ||
	    !kread(s, log, "xlog", "l_iclog", &first) || !first)
		return false;
	at = first;
	for (unsigned i = 0; i < ICLOGS_MAX; i++) {
		member |= at == iclog;
		if (!kread(s, at, "xlog_in_core", "ic_state", &state))
			return false;
		if (state == (uint64_t)syncing && (at == iclog || !*writing))
			*writing = at;
		if (!kread(s, at, "xlog_in_core", "ic_next", &at) || at == first)
			break;
	}
	return member;
}

uint64_t xfs_log_bio(struct session *s, uint64_t queue)
{
	static const char *const queues[] = { "ic_force_wait", "ic_write_wait" };
	uint64_t offset, bio, writing;

	for (size_t i = 0; i < array_size(queues); i++) {
		if (koffset(s, "xlog_in_core", queues[i], &offset) &&
		    koffset(s, "xlog_in_core", "ic_bio", &bio) &&
		    look_at_ring(s, queue - offset, &writing) && writing)
			return writing + bio;
	}
	return 0;
}

bool xfs_buffer_io(struct session *s, uint64_t buffer, uint64_t *bdev, uint64_t *page)
{
	uint64_t target, pages, address;
	struct page_info info;

	if (!kread(s, buffer, "xfs_buf", "b_target", &target) || !target ||
	    !kread(s, target, "xfs_buftarg", "bt_bdev", bdev) || !*bdev)
		return false;
	/* An array of its pages, in kernels that have it; several may be mapped elsewhere. */
	if (kread(s, buffer, "xfs_buf", "b_pages", &pages) && pages &&
	    memory_u64(s->memory, pages, page) == READ_OK && *page)
		return true;
	if (!kread(s, buffer, "xfs_buf", "b_addr", &address) || !address ||
	    !page_info_at(s, address, &info))
		return false;
	*page = info.page;
	return true;
}
