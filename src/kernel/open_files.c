// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Open files: task->files->fdt is a struct fdtable, with a bitmap of the descriptors in use and an
 * array of struct file pointers (include/linux/fdtable.h). The bitmap alone counts: the array may
 * have slots that are reserved and still NULL. Places: task->fs has the root and the working
 * folder as struct path.
 *
 * The page cache: inode->i_mapping->i_pages, an xarray (a radix tree before 4.20), whose values
 * are notes about pages that are gone.
 */
#include "kernel/open_files.h"

#include <inttypes.h>

#include "kernel/mappings.h"
#include "kernel/trees.h"

enum { DESCRIPTORS_MAX = 1 << 20, BATCH = 64 };

static void read_inode(struct session *s, struct open_file *f)
{
	if (!kread(s, f->dentry, "dentry", "d_inode", &f->inode))
		f->incomplete = true;
	if (f->inode && !kread(s, f->inode, "inode", "i_mode", &f->mode))
		f->incomplete = true;
}

void open_file_read(struct session *s, uint64_t file, struct open_file *out)
{
	*out = (struct open_file){ .fd = -1, .file = file };
	if (!kread(s, file, "file", "f_path.dentry|__f_path.dentry", &out->dentry)) {
		out->incomplete = true;
		return;
	}
	read_inode(s, out);
	out->incomplete |= !file_path(s, file, out->path, sizeof(out->path));
}

uint64_t open_files_table(struct session *s, const struct task *task)
{
	uint64_t files;

	return kread(s, task->address, "task_struct", "files", &files) ? files : 0;
}

/* Up to 64 descriptors whose bits are @bits. False stops. */
static bool show_batch(struct session *s, uint64_t array, uint64_t first, uint64_t bits,
		       struct walk_trouble *trouble, open_slot_fn fn, void *ctx)
{
	uint64_t file;

	for (unsigned i = 0; i < BATCH; i++) {
		if (!(bits >> i & 1))
			continue;
		if (memory_u64(s->memory, array + (first + i) * 8, &file) != READ_OK) {
			walk_trouble_add(trouble, "descriptor %" PRIu64 ": its place in the table "
					 "at %" PRIx64 " is not in the dump", first + i, array);
			continue;
		}
		if (file && !fn(ctx, (int64_t)(first + i), file))
			return false;
	}
	return true;
}

void open_slots_each(struct session *s, uint64_t task, struct walk_trouble *trouble,
		     open_slot_fn fn, void *ctx)
{
	uint64_t files, table, count, array, bitmap, bits;

	if (!kread(s, task, "task_struct", "files", &files)) {
		walk_trouble_add(trouble, "the task_struct at %" PRIx64 " is not in the dump",
				 task);
		return;
	}
	if (!files)
		return;
	if (!kread(s, files, "files_struct", "fdt", &table) ||
	    !kread(s, table, "fdtable", "max_fds", &count) ||
	    !kread(s, table, "fdtable", "fd", &array) ||
	    !kread(s, table, "fdtable", "open_fds", &bitmap)) {
		walk_trouble_add(trouble, "the table of open files (files_struct %" PRIx64
				 ") is not in the dump", files);
		return;
	}
	if (count > DESCRIPTORS_MAX) {
		walk_trouble_add(trouble, "the table of open files says it has %" PRIu64
				 " descriptors: damaged", count);
		count = BATCH;
	}
	for (uint64_t first = 0; first < count && !session_stopped(s); first += BATCH) {
		if (memory_u64(s->memory, bitmap + first / 8, &bits) != READ_OK) {
			walk_trouble_add(trouble, "which of descriptors %" PRIu64 " to %" PRIu64
					 " are open is not in the dump", first, first + BATCH - 1);
			continue;
		}
		if (!show_batch(s, array, first, bits, trouble, fn, ctx))
			return;
	}
}

struct opening {
	struct session *session;
	open_file_fn fn;
	void *ctx;
};

static bool open_slot(void *ctx, int64_t fd, uint64_t file)
{
	const struct opening *o = ctx;
	struct open_file entry;

	open_file_read(o->session, file, &entry);
	entry.fd = fd;
	return o->fn(o->ctx, &entry);
}

void open_files_each(struct session *s, const struct task *task, struct walk_trouble *trouble,
		     open_file_fn fn, void *ctx)
{
	struct opening opening = { s, fn, ctx };

	open_slots_each(s, task->address, trouble, open_slot, &opening);
}

bool task_place(struct session *s, const struct task *task, enum task_place which,
		struct open_file *place)
{
	uint64_t fs, vfsmount, file;

	*place = (struct open_file){ .fd = -1 };
	if (which == PLACE_EXE) {
		if (!task->mm || !kread(s, task->mm, "mm_struct", "exe_file", &file) || !file)
			return false;
		open_file_read(s, file, place);
		return place->dentry != 0;
	}
	bool root = which == PLACE_ROOT;
	if (!kread(s, task->address, "task_struct", "fs", &fs) || !fs ||
	    !kread(s, fs, "fs_struct", root ? "root.dentry" : "pwd.dentry", &place->dentry) ||
	    !place->dentry)
		return false;
	kread(s, fs, "fs_struct", root ? "root.mnt" : "pwd.mnt", &vfsmount);
	read_inode(s, place);
	place->incomplete |= !place_path(s, vfsmount, place->dentry, place->path,
					 sizeof(place->path));
	return true;
}

const char *inode_type_name(uint64_t mode)
{
	/* S_IFMT of include/uapi/linux/stat.h */
	static const char *const names[16] = {
		[1] = "FIFO", [2] = "CHR", [4] = "DIR", [6] = "BLK", [8] = "REG", [10] = "LNK",
		[12] = "SOCK",
	};
	const char *name = names[mode >> 12 & 15];

	return name ? name : "UNKN";
}

bool cached_pages_each(struct session *s, uint64_t inode, struct walk_trouble *trouble,
		       cached_page_fn fn, void *ctx)
{
	struct tree_walk walk;
	struct tree_entry entry;
	uint64_t mapping, offset;

	if (!kread(s, inode, "inode", "i_mapping", &mapping) || !mapping ||
	    !koffset(s, "address_space", "i_pages|page_tree", &offset)) {
		walk_trouble_add(trouble, "the inode at %" PRIx64 " is not in the dump", inode);
		return false;
	}
	bool ok = tree_walk_init(&walk, s, TREE_XARRAY, mapping + offset);
	while (ok && !session_stopped(s) && tree_walk_step(&walk, &entry)) {
		struct cached_page page = { entry.address, entry.first, entry.last };
		if (entry.kind == TREE_POINTER && !fn(ctx, &page))
			break;
	}
	if (walk.trouble.count)
		walk_trouble_add(trouble, "%s", walk.trouble.text);
	tree_walk_fini(&walk);
	return ok;
}
