// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Walkers of files: file systems, mounts, dentries, inodes, open files, mappings.
 *
 * Mounts: the list s_mounts of each super_block, which since 6.18 is a single-linked one of struct
 * mount (fs/mount.h).
 */
#include <stdio.h>
#include <string.h>

#include "kernel/lists.h"
#include "kernel/mappings.h"
#include "kernel/open_files.h"
#include "kernel/slab.h"
#include "walk/walk_row.h"

enum { PATH_BYTES = 4096 };

/* --- Super blocks, mounts, inodes --- */

struct giving {
	struct session *session;
	walk_fn fn;
	void *ctx;
	bool stopped;
};

static bool give_listed(void *ctx, uint64_t object)
{
	struct giving *w = ctx;

	w->stopped = !walk_give(w->fn, w->ctx, object);
	return !w->stopped;
}

static void super_blocks_each(struct session *s, klist_fn fn, void *ctx)
{
	uint64_t head = s->symbols ? symbols_address(s->symbols, "super_blocks") : 0;

	if (head)
		klist_each(s, head, "super_block", "s_list", "super blocks", fn, ctx);
	else
		session_problem(s, "super blocks: there is no list super_blocks");
}

static void each_super_block(struct walking *walk, walk_fn fn, void *ctx)
{
	struct giving w = { walk->session, fn, ctx, false };

	super_blocks_each(walk->session, give_listed, &w);
}

static bool mounts_of(void *ctx, uint64_t sb)
{
	struct giving *w = ctx;
	struct session *s = w->session;
	uint64_t offset, head, mount;
	struct list_walk list;

	if (!koffset(s, "mount", "mnt_next_for_sb", &offset)) {
		if (koffset(s, "super_block", "s_mounts", &head))
			klist_each(s, sb + head, "mount", "mnt_instance", "mounts", give_listed, w);
		return !w->stopped;
	}
	if (!kread(s, sb, "super_block", "s_mounts", &mount))
		session_problem(s, "mounts: a super block is not in the dump");
	if (!mount)
		return true;
	list_walk_from_link(&list, s, LIST_SINGLE, mount);
	list.next_offset = offset;
	while (list_walk_step(&list, &mount) && give_listed(w, mount))
		;
	walk_trouble_tell(&list.trouble, s, "mounts");
	list_walk_fini(&list);
	return !w->stopped;
}

static void each_mount(struct walking *walk, walk_fn fn, void *ctx)
{
	struct giving w = { walk->session, fn, ctx, false };

	super_blocks_each(walk->session, mounts_of, &w);
}

static bool inodes_of(void *ctx, uint64_t sb)
{
	struct giving *w = ctx;
	uint64_t head;

	if (koffset(w->session, "super_block", "s_inodes", &head))
		klist_each(w->session, sb + head, "inode", "i_sb_list", "inodes", give_listed, w);
	return !w->stopped && !session_stopped(w->session);
}

static struct error *begin_inodes(struct walking *walk, const struct walk_input *input)
{
	walk->count = (uint64_t)input->argc;
	return input->argc ? walk_address(input, 0, &walk->address) : NULL;
}

static void each_inode(struct walking *walk, walk_fn fn, void *ctx)
{
	struct giving w = { walk->session, fn, ctx, false };

	if (walk->count)
		inodes_of(&w, walk->address);
	else
		super_blocks_each(walk->session, inodes_of, &w);
}

/* --- Dentries --- */

static bool give_dentry(void *ctx, const struct slab_object *object)
{
	return object->state != OBJECT_ALLOCATED || give_listed(ctx, object->address);
}

static bool dentries_of(void *ctx, const struct slab *slab)
{
	struct giving *w = ctx;

	if (slab->place != SLAB_PLACE_DYING)
		slab_objects(w->session, slab, give_dentry, w);
	return !w->stopped && !session_stopped(w->session);
}

static void each_dentry(struct walking *walk, walk_fn fn, void *ctx)
{
	struct giving w = { walk->session, fn, ctx, false };
	const struct slab_cache *cache = slab_cache_by_name(walk->session, "dentry");

	if (cache)
		slab_each(walk->session, cache, dentries_of, &w);
	else
		session_problem(walk->session, "dentries: there is no slab cache dentry");
}

/* --- Open files --- */

static struct error *begin_files(struct walking *walk, const struct walk_input *input)
{
	const struct task *task;

	struct error *err = walk_task(input, 0, &task);
	if (!err)
		walk->address = task->address;
	return err;
}

static bool give_file(void *ctx, int64_t fd, uint64_t file)
{
	struct giving *w = ctx;

	return w->fn(w->ctx, &(struct walked){ .address = file, .cpu = -1, .kind = WALKED_FILE,
					       .data = &fd });
}

static void each_file(struct walking *walk, walk_fn fn, void *ctx)
{
	struct giving w = { walk->session, fn, ctx, false };
	struct walk_trouble trouble = { 0 };

	open_slots_each(walk->session, walk->address, &trouble, give_file, &w);
	walk_trouble_tell(&trouble, walk->session, "files");
}

static enum field_found get_fd(struct field_ask *ask)
{
	const int64_t *fd = walked_data(ask->object, WALKED_FILE);

	if (fd)
		ask->number = (uint64_t)*fd;
	return fd ? FIELD_KNOWN : FIELD_NOTHING;
}

/* --- Mappings --- */

static struct error *begin_vmas(struct walking *walk, const struct walk_input *input)
{
	const struct task *task;

	struct error *err = walk_task(input, 0, &task);
	if (err)
		return err;
	if (!input->dry && !task->mm && !task_has_no_memory(task))
		session_problem(input->session, "vmas: a task_struct is not in the dump");
	walk->address = task->mm;
	return NULL;
}

/* Fields are read from the object: what could not be read of a mapping is 0 in @mapping. */
static bool give_mapping(void *ctx, const struct mapping *mapping)
{
	return give_listed(ctx, mapping->vma);
}

static void each_vma(struct walking *walk, walk_fn fn, void *ctx)
{
	struct giving w = { walk->session, fn, ctx, false };

	if (walk->address && !mappings_each(walk->session, walk->address, give_mapping, &w))
		session_problem(walk->session, "vmas: not all mappings of a task can be read");
}

static enum field_found get_vma_size(struct field_ask *ask)
{
	struct mapping mapping;

	if (!mapping_read(ask->session, ask->object->address, &mapping))
		return false;
	ask->number = mapping.end - mapping.start;
	return true;
}

static enum field_found get_perms(struct field_ask *ask)
{
	/* include/linux/mm.h: VM_READ, VM_WRITE, VM_EXEC, VM_MAYSHARE */
	enum { READ = 1, WRITE = 2, EXEC = 4, MAY_SHARE = 0x80 };
	struct mapping m;

	if (!mapping_read(ask->session, ask->object->address, &m))
		return false;
	strbuf_addf(ask->text, "%c%c%c%c", m.flags & READ ? 'r' : '-', m.flags & WRITE ? 'w' : '-',
		    m.flags & EXEC ? 'x' : '-', m.flags & MAY_SHARE ? 's' : 'p');
	return true;
}

static enum field_found get_vma_name(struct field_ask *ask)
{
	char path[PATH_BYTES];
	struct mapping mapping;
	uint64_t mm;

	if (!mapping_read(ask->session, ask->object->address, &mapping) ||
	    !kread(ask->session, ask->object->address, "vm_area_struct", "vm_mm", &mm) ||
	    !mapping_name(ask->session, mm, &mapping, path, sizeof(path)))
		return false;
	strbuf_add(ask->text, path);
	return true;
}

/* --- Paths --- */

static bool add_path(bool found, const char *path, struct strbuf *text)
{
	if (found)
		strbuf_add(text, path);
	return found;
}

static enum field_found get_file_path(struct field_ask *ask)
{
	char path[PATH_BYTES];

	return add_path(file_path(ask->session, ask->object->address, path, sizeof(path)), path,
			ask->text);
}

static enum field_found get_dentry_path(struct field_ask *ask)
{
	char path[PATH_BYTES];

	return add_path(dentry_path(ask->session, ask->object->address, path, sizeof(path)), path,
			ask->text);
}

static enum field_found get_inode_path(struct field_ask *ask)
{
	char path[PATH_BYTES];

	if (inode_path(ask->session, ask->object->address, path, sizeof(path)))
		return add_path(true, path, ask->text);
	/* Many have no name any more, or never had one. */
	return *path ? FIELD_LOST : FIELD_NOTHING;
}

static enum field_found get_mountpoint(struct field_ask *ask)
{
	char path[PATH_BYTES];

	if (super_block_path(ask->session, ask->object->address, path, sizeof(path)))
		return add_path(true, path, ask->text);
	return *path ? FIELD_LOST : FIELD_NOTHING;
}

static enum field_found get_mount_path(struct field_ask *ask)
{
	char path[PATH_BYTES];

	return add_path(mount_point(ask->session, ask->object->address, path, sizeof(path)), path,
			ask->text);
}

/* Is it in a namespace? Mounts of the kernel's own are in none, or in an error number. */
static enum field_found get_visible(struct field_ask *ask)
{
	uint64_t ns;

	if (!kread(ask->session, ask->object->address, "mount", "mnt_ns", &ns))
		return false;
	ask->number = ns && ask->session->arch->is_kernel_address(ns) && ns < -(uint64_t)4096;
	return true;
}

/* --- The tables --- */

static const struct walker rows[] = {
	{ .name = "super_blocks", .usage = "", .type = "super_block", .each = each_super_block,
	  .summary = "file systems that are in use",
	  .example = "super_blocks |> count by s_type->name" },
	{ .name = "mounts", .usage = "", .type = "mount", .each = each_mount,
	  .summary = "mounts of all namespaces, and the kernel's own",
	  .example = "mounts |> where visible" },
	{ .name = "dentries", .usage = "", .type = "dentry", .each = each_dentry,
	  .summary = "names of files that the kernel keeps",
	  .example = "dentries |> where d_lockref.count == 0 |> count by d_sb->s_id" },
	{ .name = "inodes", .usage = "[SUPER_BLOCK]", .type = "inode", .words_max = 1,
	  .begin = begin_inodes, .each = each_inode, .summary = "inodes of one or all file systems",
	  .example = "inodes |> count by i_sb->s_type->name" },
	{ .name = "files", .data_size = sizeof(int64_t),
	  .usage = "[PID|TASK]", .type = "file", .words_max = 1,
	  .begin = begin_files, .each = each_file, .summary = "the open files of a task",
	  .example = "processes |> walk files $ |> count by path |> first 5" },
	{ .name = "vmas",
	  .usage = "[PID|TASK]", .type = "vm_area_struct", .words_max = 1,
	  .begin = begin_vmas, .each = each_vma, .summary = "the mappings of a task's user space",
	  .example = "vmas 1 |> where perms ~ \"?w*\" |> sum size" },
};

const struct walker_table walkers_files = { rows, array_size(rows) };

static const struct walk_field fields[] = {
	{ "files", "fd", FIELD_NUMBER, "its number", get_fd },
	{ "file", "path", FIELD_TEXT, "", get_file_path },
	{ "dentry", "path", FIELD_TEXT, "within its file system", get_dentry_path },
	{ "inode", "path", FIELD_TEXT, "of one of its names", get_inode_path },
	{ "super_block", "mountpoint", FIELD_TEXT, "one of the places where it is mounted",
	  get_mountpoint },
	{ "mount", "path", FIELD_TEXT, "where it is mounted", get_mount_path },
	{ "mount", "visible", FIELD_BOOL, "is it in a namespace, so that users see it?",
	  get_visible },
	{ "vm_area_struct", "size", FIELD_BYTES, "", get_vma_size },
	{ "vm_area_struct", "perms", FIELD_TEXT, "as in /proc/PID/maps: rwxp", get_perms },
	{ "vm_area_struct", "name", FIELD_TEXT, "as in /proc/PID/maps", get_vma_name },
};

const struct field_table fields_files = { fields, array_size(fields) };
