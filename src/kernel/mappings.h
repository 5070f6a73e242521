/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The user address space of a task: its vm_area_structs (maple tree since 6.1, the list mm->mmap
 * before), and paths of files and dentries.
 */
#pragma once

#include "kernel/session.h"
#include "kernel/tasks.h"

struct mapping {
	uint64_t vma, start, end;
	uint64_t flags;        /* VM_READ 1, VM_WRITE 2, VM_EXEC 4, VM_SHARED 8 ... */
	uint64_t page_offset;  /* vm_pgoff, in pages */
	uint64_t file;         /* struct file; 0: anonymous */
	bool incomplete;       /* some of it cannot be read, and is 0 */
};

/* The page-table root of a task's user space; an error when it has none. */
struct error *task_page_root(struct session *session, const struct task *task,
			     struct page_root *root) must_check;

/* A vm_area_struct. False when it is incomplete. */
bool mapping_read(struct session *s, uint64_t vma, struct mapping *mapping);
typedef bool (*mapping_fn)(void *ctx, const struct mapping *mapping);
/* Each mapping of the address space @mm in order of address. False when it could not be read whole. */
bool mappings_each(struct session *s, uint64_t mm, mapping_fn fn, void *ctx);
bool mapping_at(struct session *s, uint64_t mm, uint64_t address, struct mapping *mapping);
/*
 * What it is, as /proc/PID/maps says: the file's path, "[heap]", "[stack]", "[vdso]", "[anon:NAME]";
 * "" for plain anonymous memory. False when that cannot be told (@buf holds what was found).
 */
bool mapping_name(struct session *s, uint64_t mm, const struct mapping *mapping, char *buf,
		  size_t size);

/* The path of a dentry within its file system, or of a struct file / struct path from the root of
 * its mount tree ("/usr/bin/top", "pipe:[123]", "socket:[4]"). False: @buf holds what was found. */
bool dentry_path(struct session *s, uint64_t dentry, char *buf, size_t size);
bool file_path(struct session *s, uint64_t file, char *buf, size_t size);
/* The same of a struct path's two members; @vfsmount is a struct vfsmount. */
bool place_path(struct session *s, uint64_t vfsmount, uint64_t dentry, char *buf, size_t size);
/* From the root of all mounts, if the dentry's file system is mounted where users see it. */
bool mounted_dentry_path(struct session *s, uint64_t dentry, char *buf, size_t size);
/* The same of some dentry of an inode (hard links: any), "" when it has none. */
bool inode_path(struct session *s, uint64_t inode, char *buf, size_t size);
/* Where a struct mount is mounted, from the root of its mount tree. False as above. */
bool mount_point(struct session *s, uint64_t mount, char *buf, size_t size);
/* Where a file system is mounted: one of its places. False: nowhere that a path leads to. */
bool super_block_path(struct session *s, uint64_t super_block, char *buf, size_t size);
