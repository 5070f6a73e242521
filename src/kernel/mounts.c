// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mounts: a struct mount (fs/mount.h) for each, around the struct vfsmount that the rest of the
 * kernel sees. A namespace has them on a list (mount.mnt_list), since 6.8 in a tree by the order in
 * which they were made (mount.mnt_node).
 */
#include "kernel/mounts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kernel/lists.h"
#include "kernel/mappings.h"
#include "kernel/trees.h"

enum { MOUNTS_MAX = 1 << 20, INODES_MAX = 1 << 26 };

uint64_t mount_namespace(struct session *s, const struct task *task)
{
	uint64_t proxy, namespace;

	if (!task)
		task = task_by_pid(s, 1);
	return task && kread(s, task->address, "task_struct", "nsproxy", &proxy) && proxy &&
			       kread(s, proxy, "nsproxy", "mnt_ns", &namespace)
		       ? namespace : 0;
}

/* include/linux/mount.h (enum mount_flags since 6.16) and SB_* of include/linux/fs.h */
static void options_text(uint64_t flags, uint64_t sb_flags, char *buf, size_t size)
{
	static const struct {
		uint64_t bit;
		const char *name;
		bool of_sb;
	} names[] = {
		{ 1 << 4, "sync", true },   { 1 << 7, "dirsync", true }, { 1 << 25, "lazytime", true },
		{ 1, "nosuid", false },     { 2, "nodev", false },       { 4, "noexec", false },
		{ 8, "noatime", false },    { 0x10, "nodiratime", false },
		{ 0x20, "relatime", false }, { 0x80, "nosymfollow", false },
	};
	bool read_only = flags & 0x40 || sb_flags & 1;
	size_t at = (size_t)snprintf(buf, size, "%s", read_only ? "ro" : "rw");

	for (size_t i = 0; i < array_size(names) && at < size; i++) {
		if ((names[i].of_sb ? sb_flags : flags) & names[i].bit)
			at += (size_t)snprintf(buf + at, size - at, ",%s", names[i].name);
	}
}

static bool read_type(struct session *s, uint64_t sb, char *buf, size_t size)
{
	uint64_t type;
	char name[32], sub[32];

	if (!kread(s, sb, "super_block", "s_type", &type) ||
	    !kread_string(s, type, "file_system_type", "name", name, sizeof(name)))
		return false;
	bool has_sub = kread_string(s, sb, "super_block", "s_subtype", sub, sizeof(sub)) && sub[0];
	snprintf(buf, size, "%s%s%s", name, has_sub ? "." : "", has_sub ? sub : "");
	return true;
}

static void read_mount(struct session *s, uint64_t mount, struct mount_info *m)
{
	uint64_t offset = 0, parent, id, flags, sb_flags;

	*m = (struct mount_info){ .mount = mount, .id = -1, .parent_id = -1 };
	m->incomplete |= !koffset(s, "mount", "mnt", &offset);
	m->vfsmount = mount + offset;
	m->incomplete |= !kread(s, mount, "mount", "mnt.mnt_sb", &m->super_block);
	m->incomplete |= !kread(s, mount, "mount", "mnt.mnt_root", &m->root);
	m->incomplete |= !kread(s, mount, "mount", "mnt_mountpoint", &m->mountpoint);
	if (kread(s, mount, "mount", "mnt_id", &id))
		m->id = (int64_t)id;
	if (kread(s, mount, "mount", "mnt_parent", &parent) && kread(s, parent, "mount", "mnt_id", &id))
		m->parent_id = (int64_t)id;
	m->incomplete |= !kread(s, m->super_block, "super_block", "s_dev", &m->device);
	m->incomplete |= !read_type(s, m->super_block, m->type, sizeof(m->type));
	m->incomplete |= !kread_string(s, mount, "mount", "mnt_devname", m->source,
				       sizeof(m->source));
	if (kread(s, mount, "mount", "mnt.mnt_flags", &flags) &&
	    kread(s, m->super_block, "super_block", "s_flags", &sb_flags))
		options_text(flags, sb_flags, m->options, sizeof(m->options));
	if (!m->root)
		return;
	m->incomplete |= !dentry_path(s, m->root, m->subtree, sizeof(m->subtree));
	m->incomplete |= !place_path(s, m->vfsmount, m->root, m->place, sizeof(m->place));
}

static void each_of_list(struct session *s, uint64_t head, uint64_t offset,
			 struct walk_trouble *trouble, mount_fn fn, void *ctx)
{
	struct list_walk walk;
	struct mount_info mount;
	uint64_t link;

	list_walk_from_head(&walk, s, LIST_DOUBLE, head);
	while (!session_stopped(s) && walk.count < MOUNTS_MAX && list_walk_step(&walk, &link)) {
		read_mount(s, link - offset, &mount);
		if (!fn(ctx, &mount))
			break;
	}
	if (walk.trouble.count)
		walk_trouble_add(trouble, "%s", walk.trouble.text);
	list_walk_fini(&walk);
}

static void each_of_tree(struct session *s, uint64_t root, uint64_t offset,
			 struct walk_trouble *trouble, mount_fn fn, void *ctx)
{
	struct tree_walk walk;
	struct tree_entry entry;
	struct mount_info mount;

	bool ok = tree_walk_init(&walk, s, TREE_RB, root);
	while (ok && !session_stopped(s) && walk.count < MOUNTS_MAX &&
	       tree_walk_step(&walk, &entry)) {
		read_mount(s, entry.address - offset, &mount);
		if (!fn(ctx, &mount))
			break;
	}
	if (walk.trouble.count)
		walk_trouble_add(trouble, "%s", walk.trouble.text);
	tree_walk_fini(&walk);
}

void mounts_each(struct session *s, uint64_t namespace, struct walk_trouble *trouble, mount_fn fn,
		 void *ctx)
{
	uint64_t head, offset;

	if (koffset(s, "mnt_namespace", "list", &head) && koffset(s, "mount", "mnt_list", &offset))
		each_of_list(s, namespace + head, offset, trouble, fn, ctx);
	else if (koffset(s, "mnt_namespace", "mounts", &head) &&
		 koffset(s, "mount", "mnt_node", &offset))
		each_of_tree(s, namespace + head, offset, trouble, fn, ctx);
	else
		walk_trouble_add(trouble, "how this kernel keeps mounts is not known");
}

/*
 * Dirty inodes are on a list of the writeback's. Their bits in i_state, which say so too, had three
 * different places so far, of which a dump tells only since 6.18.
 */
void dirty_inodes_each(struct session *s, uint64_t super_block, struct walk_trouble *trouble,
		       inode_fn fn, void *ctx)
{
	uint64_t head, offset, link, queue, next;
	struct list_walk walk;

	if (!koffset(s, "super_block", "s_inodes", &head) ||
	    !koffset(s, "inode", "i_sb_list", &offset) ||
	    !koffset(s, "inode", "i_io_list|i_wb_list", &queue)) {
		walk_trouble_add(trouble, "how this kernel lists inodes is not known");
		return;
	}
	list_walk_from_head(&walk, s, LIST_DOUBLE, super_block + head);
	while (!session_stopped(s) && walk.count < INODES_MAX && list_walk_step(&walk, &link)) {
		uint64_t inode = link - offset;
		if (memory_u64(s->memory, inode + queue, &next) != READ_OK)
			walk_trouble_add(trouble, "the inode at %" PRIx64 " is not in the dump",
					 inode);
		else if (next != inode + queue && !fn(ctx, inode))
			break;
	}
	if (walk.count >= INODES_MAX)
		walk_trouble_add(trouble, "the list of inodes was left after %zu of them",
				 walk.count);
	if (walk.trouble.count)
		walk_trouble_add(trouble, "%s", walk.trouble.text);
	list_walk_fini(&walk);
}
