// SPDX-License-Identifier: LGPL-2.1-or-later
/* What they mean: block devices and what is asked of them. */
#include "kernel/meaning_rows.h"

enum { OPERATION_MASK = 0xff }; /* REQ_OP_MASK, include/linux/blk_types.h */

/* "write", out of the kernel's own enumeration REQ_OP_WRITE. */
static void operation(struct session *s, uint64_t flags, char *buf, size_t size)
{
	struct type type;
	const char *name = NULL;

	if (types_find(s->types, "enum req_op", &type) ||
	    types_find(s->types, "enum req_opf", &type))
		name = type_enum_name(type, (int64_t)(flags & OPERATION_MASK));
	if (!name || strncmp(name, "REQ_OP_", 7) != 0) {
		snprintf(buf, size, "operation %u", (unsigned)(flags & OPERATION_MASK));
		return;
	}
	snprintf(buf, size, "%s", name + 7);
	for (char *p = buf; *p; p++)
		*p = *p >= 'A' && *p <= 'Z' ? (char)(*p | 0x20) : *p == '_' ? ' ' : *p;
}

static bool tell_disk(struct session *s, uint64_t disk, char *buf, size_t size)
{
	return meaning_name(s, disk, "gendisk", "disk_name", buf, size);
}

static bool tell_bdev(struct session *s, uint64_t bdev, char *buf, size_t size)
{
	uint64_t disk, part;

	if (!kread(s, bdev, "block_device", "bd_disk", &disk) || !disk ||
	    !tell_disk(s, disk, buf, size))
		return false;
	if (kread(s, bdev, "block_device", "bd_partno", &part) && part && part < 256) {
		size_t length = strlen(buf);
		snprintf(buf + length, size - length, ", partition %" PRIu64, part);
	}
	return true;
}

static bool tell_queue(struct session *s, uint64_t queue, char *buf, size_t size)
{
	uint64_t disk;

	if (kread(s, queue, "request_queue", "disk", &disk))
		return disk && tell_disk(s, disk, buf, size);
	/* Before 5.15 it does not know its disk, but lies in the disk's folder of sysfs. */
	return kread(s, queue, "request_queue", "kobj.parent", &disk) && disk &&
	       meaning_name(s, disk, "kobject", "name", buf, size);
}

static bool tell_bio(struct session *s, uint64_t bio, char *buf, size_t size)
{
	uint64_t bdev, disk, sector, bytes, flags;
	char name[64] = "", what[40];

	if (!kread(s, bio, "bio", "bi_iter.bi_sector", &sector) ||
	    !kread(s, bio, "bio", "bi_iter.bi_size", &bytes) ||
	    !kread(s, bio, "bio", "bi_opf", &flags))
		return false;
	/* A bio that is not sent yet has no device. */
	if (kread(s, bio, "bio", "bi_bdev", &bdev) && bdev) {
		if (!tell_bdev(s, bdev, name, sizeof(name)))
			return false;
	} else if (kread(s, bio, "bio", "bi_disk", &disk) && disk &&
		   !tell_disk(s, disk, name, sizeof(name))) {
		return false;
	}
	operation(s, flags, what, sizeof(what));
	/* An empty write only asks for what was written before to be kept (REQ_PREFLUSH). */
	if (!bytes && strcmp(what, "write") == 0)
		snprintf(buf, size, "%s%sflush", name, *name ? ": " : "");
	else
		snprintf(buf, size, "%s%s%s of %" PRIu64 " bytes at sector %" PRIu64, name,
			 *name ? ": " : "", what, bytes, sector);
	return true;
}

static bool tell_request(struct session *s, uint64_t request, char *buf, size_t size)
{
	uint64_t queue, disk, sector, bytes, flags;
	char name[64] = "", what[40];

	if (!kread(s, request, "request", "q", &queue) ||
	    !kread(s, request, "request", "__sector", &sector) ||
	    !kread(s, request, "request", "__data_len", &bytes) ||
	    !kread(s, request, "request", "cmd_flags", &flags))
		return false;
	if (kread(s, request, "request", "rq_disk", &disk) && disk)
		(void)tell_disk(s, disk, name, sizeof(name));
	else if (queue && !tell_queue(s, queue, name, sizeof(name)))
		name[0] = '\0';
	operation(s, flags, what, sizeof(what));
	snprintf(buf, size, "%s%s%s of %" PRIu64 " bytes at sector %" PRIu64, name,
		 *name ? ": " : "", what, bytes & UINT32_MAX, sector);
	return true;
}

/* A metadata buffer of XFS; b_bn before 5.15 (fs/xfs/xfs_buf.h). Sectors are of 512 bytes. */
static bool tell_xfs_buf(struct session *s, uint64_t buffer, char *buf, size_t size)
{
	uint64_t target, bdev, sector;
	char disk[64];

	if (!kread(s, buffer, "xfs_buf", "b_target", &target) || !target ||
	    !kread(s, target, "xfs_buftarg", "bt_bdev", &bdev) || !bdev ||
	    !tell_bdev(s, bdev, disk, sizeof(disk)) ||
	    !kread(s, buffer, "xfs_buf", "b_rhash_key|b_bn", &sector))
		return false;
	snprintf(buf, size, "%s, sector %" PRId64, disk, (int64_t)sector);
	return true;
}

const struct meaning_row meaning_block_rows[] = {
	{ "gendisk", tell_disk, false },
	{ "block_device", tell_bdev, false },
	{ "request_queue", tell_queue, false },
	{ "bio", tell_bio, false },
	{ "request", tell_request, false },
	{ "xfs_buf", tell_xfs_buf, false },
	{ NULL, NULL, false },
};
