/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * File systems in user space (FUSE): a task asks, the kernel hands the request to a program that
 * reads it from /dev/fuse, and the task waits until that has written the answer there.
 */
#pragma once

#include "kernel/session.h"

/* The struct fuse_req whose wait_queue_head is at @queue; 0: it is none's. */
uint64_t fuse_request_of_queue(struct session *s, uint64_t queue);
/* The struct fuse_conn of the request at @request, or of the file system @sb; 0: not known, or none. */
uint64_t fuse_connection(struct session *s, uint64_t request);
uint64_t fuse_connection_of_sb(struct session *s, uint64_t sb);
/* Of the struct fuse_dev, that an open /dev/fuse has as its private_data; 0 not known. */
uint64_t fuse_connection_of_device(struct session *s, uint64_t device);
/* Where the file system of the connection is mounted: "/mnt/x"; false: not known. */
bool fuse_mount_path(struct session *s, uint64_t connection, char *buf, size_t size);
/* Has the program read the request? False where that is not known. */
bool fuse_request_is_sent(struct session *s, uint64_t request, bool *sent);
/* How many requests of the connection have not been answered; 0: none, or not known. */
uint64_t fuse_waiting(struct session *s, uint64_t connection);
