/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tasks of XFS wait for, as far as it is I/O: writes of its log, its metadata buffers. */
#pragma once

#include "kernel/session.h"

/*
 * The struct bio of the write of the log that a wait at the wait_queue_head at @queue is for. 0:
 * the queue is none of a log's, or nothing of that is being written.
 */
uint64_t xfs_log_bio(struct session *s, uint64_t queue);
/* The block_device and the first page (struct page) of the struct xfs_buf at @buffer. */
bool xfs_buffer_io(struct session *s, uint64_t buffer, uint64_t *bdev, uint64_t *page);
