/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mounted file systems of a mount namespace. */
#pragma once

#include "kernel/session.h"
#include "kernel/tasks.h"
#include "kernel/walk.h"

struct mount_info {
	uint64_t mount, vfsmount, super_block, root; /* root: the dentry that is mounted */
	uint64_t mountpoint;    /* the dentry that it hangs on */
	int64_t id, parent_id;  /* -1 unknown */
	uint64_t device;        /* super_block.s_dev, as the kernel keeps it */
	char type[64];          /* with its subtype: "fuse.sshfs" */
	char source[256];       /* what was mounted: "/dev/vda1" */
	char place[4096];       /* where, from the root of the namespace */
	char subtree[1024];     /* which part of the file system: "/" but for bind mounts */
	char options[160];      /* "ro,nosuid,relatime" */
	bool incomplete;        /* some of that is not in the dump */
};

/* The mount namespace of a task, and without a task (NULL) of process 1; 0 unknown. */
uint64_t mount_namespace(struct session *s, const struct task *task);
/* The mounts of a namespace as /proc/mounts lists them; what is missing is told in @trouble. */
typedef bool (*mount_fn)(void *ctx, const struct mount_info *mount);
void mounts_each(struct session *s, uint64_t namespace, struct walk_trouble *trouble, mount_fn fn,
		 void *ctx);
/* Inodes of a file system that wait to be written back, if only for their times. */
typedef bool (*inode_fn)(void *ctx, uint64_t inode);
void dirty_inodes_each(struct session *s, uint64_t super_block, struct walk_trouble *trouble,
		       inode_fn fn, void *ctx);
