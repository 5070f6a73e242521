// SPDX-License-Identifier: LGPL-2.1-or-later
/* What they mean: files, directories, file systems. */
#include "kernel/fuse.h"
#include "kernel/mappings.h"
#include "kernel/meaning_rows.h"

/* S_IFMT, include/uapi/linux/stat.h */
static const char *const kinds[16] = {
	[1] = "fifo", [2] = "character device", [4] = "directory", [6] = "block device",
	[8] = "regular file", [10] = "symbolic link", [12] = "socket",
};

void meaning_mode(uint64_t mode, char *buf, size_t size)
{
	const char *kind = kinds[mode >> 12 & 15];

	snprintf(buf, size, "%s%s%04" PRIo64, kind ? kind : "", kind ? ", " : "", mode & 07777);
}

static bool tell_file(struct session *s, uint64_t file, char *buf, size_t size)
{
	return file_path(s, file, buf, size);
}

static bool tell_dentry(struct session *s, uint64_t dentry, char *buf, size_t size)
{
	return dentry_path(s, dentry, buf, size);
}

static bool tell_path(struct session *s, uint64_t path, char *buf, size_t size)
{
	uint64_t dentry;

	return kread(s, path, "path", "dentry", &dentry) && dentry &&
	       dentry_path(s, dentry, buf, size);
}

static bool file_system(struct session *s, uint64_t sb, char *buf, size_t size)
{
	char type[32] = "", id[40] = "";
	uint64_t fs;

	if (!kread(s, sb, "super_block", "s_type", &fs) ||
	    !meaning_name(s, fs, "file_system_type", "name", type, sizeof(type)))
		return false;
	(void)meaning_name(s, sb, "super_block", "s_id", id, sizeof(id));
	if (*id && strcmp(id, type) != 0)
		snprintf(buf, size, "%s on %s", type, id);
	else
		snprintf(buf, size, "%s", type);
	return true;
}

/* Of a block device's own inode: "block device sda" (block/bdev.c, struct bdev_inode). */
static bool tell_device_inode(struct session *s, uint64_t inode, char *buf, size_t size)
{
	uint64_t offset, outer = kcontainer(s, inode, "bdev_inode", "vfs_inode");
	char name[64];

	if (!outer || !koffset(s, "bdev_inode", "bdev", &offset) ||
	    !meaning_of(s, "block_device", outer + offset, name, sizeof(name)))
		return false;
	snprintf(buf, size, "block device %s", name);
	return true;
}

static bool tell_inode(struct session *s, uint64_t inode, char *buf, size_t size)
{
	char path[160] = "", fs[80], mode[48];
	uint64_t number, sb, bits;

	if (!kread(s, inode, "inode", "i_ino", &number) || !kread(s, inode, "inode", "i_sb", &sb) ||
	    !kread(s, inode, "inode", "i_mode", &bits) || !file_system(s, sb, fs, sizeof(fs)))
		return false;
	if (strcmp(fs, "bdev") == 0 && tell_device_inode(s, inode, buf, size))
		return true;
	meaning_mode(bits, mode, sizeof(mode));
	(void)inode_path(s, inode, path, sizeof(path));
	snprintf(buf, size, "%s%sinode %" PRIu64 " of %s, %s", path, *path ? ", " : "", number, fs,
		 mode);
	return true;
}

static bool tell_mapping(struct session *s, uint64_t mapping, char *buf, size_t size)
{
	uint64_t inode;

	return kread(s, mapping, "address_space", "host", &inode) && inode &&
	       tell_inode(s, inode, buf, size);
}

static bool tell_fs_type(struct session *s, uint64_t type, char *buf, size_t size)
{
	return meaning_name(s, type, "file_system_type", "name", buf, size);
}

static bool tell_mount(struct session *s, uint64_t mount, char *buf, size_t size)
{
	uint64_t sb;

	return kread(s, mount, "vfsmount", "mnt_sb", &sb) && file_system(s, sb, buf, size);
}

static bool tell_pipe(struct session *s, uint64_t pipe, char *buf, size_t size)
{
	uint64_t head, tail, readers, writers;

	if (!kread(s, pipe, "pipe_inode_info", "head", &head) ||
	    !kread(s, pipe, "pipe_inode_info", "tail", &tail) ||
	    !kread(s, pipe, "pipe_inode_info", "readers", &readers) ||
	    !kread(s, pipe, "pipe_inode_info", "writers", &writers) || readers + writers > 1u << 20)
		return false;
	uint64_t filled = (head - tail) & UINT32_MAX;
	snprintf(buf, size,
		 "%" PRIu64 " buffer%s filled, %" PRIu64 " reader%s, %" PRIu64 " writer%s", filled,
		 filled == 1 ? "" : "s", readers, readers == 1 ? "" : "s", writers,
		 writers == 1 ? "" : "s");
	return true;
}

static bool tell_qstr(struct session *s, uint64_t name, char *buf, size_t size)
{
	uint64_t text;

	return kread(s, name, "qstr", "name", &text) && meaning_quote(s, text, buf, size);
}

static bool tell_filename(struct session *s, uint64_t name, char *buf, size_t size)
{
	uint64_t text;

	return kread(s, name, "filename", "name", &text) && meaning_quote(s, text, buf, size);
}

static bool tell_kiocb(struct session *s, uint64_t iocb, char *buf, size_t size)
{
	uint64_t file, position;
	char path[200];

	if (!kread(s, iocb, "kiocb", "ki_filp", &file) || !file_path(s, file, path, sizeof(path)) ||
	    !kread(s, iocb, "kiocb", "ki_pos", &position))
		return false;
	snprintf(buf, size, "%s at %" PRId64, path, (int64_t)position);
	return true;
}

static bool tell_iter(struct session *s, uint64_t iter, char *buf, size_t size)
{
	uint64_t count;

	if (!kread(s, iter, "iov_iter", "count", &count) || count > UINT64_C(1) << 47)
		return false;
	snprintf(buf, size, "%" PRIu64 " bytes left", count);
	return true;
}

/* "lookup at /mnt/x" */
static bool tell_fuse(struct session *s, uint64_t request, char *buf, size_t size)
{
	uint64_t connection = fuse_connection(s, request), opcode;
	char path[160] = "";
	const char *name = NULL;
	struct type type;

	if (!connection || !kread(s, request, "fuse_req", "in.h.opcode", &opcode))
		return false;
	if (types_find(s->types, "enum fuse_opcode", &type))
		name = type_enum_name(type, (int64_t)opcode);
	(void)fuse_mount_path(s, connection, path, sizeof(path));
	if (name && strncmp(name, "FUSE_", 5) == 0)
		snprintf(buf, size, "%s", name + 5);
	else
		snprintf(buf, size, "operation %" PRIu64, opcode);
	size_t length = strlen(buf);
	if (*path)
		snprintf(buf + length, size - length, " at %s", path);
	return true;
}

static bool tell_lock(struct session *s, uint64_t lock, char *buf, size_t size)
{
	uint64_t file;
	char path[200];

	if (!kread(s, lock, "file_lock", "c.flc_file|fl_file", &file) || !file ||
	    !file_path(s, file, path, sizeof(path)))
		return false;
	snprintf(buf, size, "of %s", path);
	return true;
}

static bool tell_seq_file(struct session *s, uint64_t seq, char *buf, size_t size)
{
	uint64_t file;

	return kread(s, seq, "seq_file", "file", &file) && file && file_path(s, file, buf, size);
}

static bool tell_proc_entry(struct session *s, uint64_t entry, char *buf, size_t size)
{
	return meaning_name(s, entry, "proc_dir_entry", "name", buf, size);
}

static bool tell_kernfs(struct session *s, uint64_t node, char *buf, size_t size)
{
	return meaning_name(s, node, "kernfs_node", "name", buf, size);
}

static bool tell_ctl_table(struct session *s, uint64_t table, char *buf, size_t size)
{
	return meaning_name(s, table, "ctl_table", "procname", buf, size);
}

static bool tell_binprm(struct session *s, uint64_t bprm, char *buf, size_t size)
{
	return meaning_name(s, bprm, "linux_binprm", "filename", buf, size);
}

const struct meaning_row meaning_files_rows[] = {
	{ "file", tell_file, false },
	{ "dentry", tell_dentry, false },
	{ "path", tell_path, false },
	{ "inode", tell_inode, false },
	{ "address_space", tell_mapping, false },
	{ "super_block", file_system, false },
	{ "file_system_type", tell_fs_type, false },
	{ "vfsmount", tell_mount, false },
	{ "pipe_inode_info", tell_pipe, false },
	{ "qstr", tell_qstr, false },
	{ "filename", tell_filename, false },
	{ "kiocb", tell_kiocb, false },
	{ "iov_iter", tell_iter, false },
	{ "file_lock", tell_lock, false },
	{ "seq_file", tell_seq_file, false },
	{ "proc_dir_entry", tell_proc_entry, false },
	{ "kernfs_node", tell_kernfs, false },
	{ "ctl_table", tell_ctl_table, false },
	{ "linux_binprm", tell_binprm, false },
	{ "fuse_req", tell_fuse, false },
	{ NULL, NULL, false },
};
