// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Source, in linux/: fs/fuse/fuse_i.h (struct fuse_req, fuse_mount since 5.10, fuse_conn; enum
 * fuse_req_flag), fs/fuse/dev.c.
 */
#include "kernel/fuse.h"

#include <string.h>

#include "kernel/mappings.h"

enum { WAITING_MAX = 1 << 20 };

/* The way there and back makes sure that it is one. */
static bool is_mounted(struct session *s, uint64_t mount, uint64_t connection)
{
	uint64_t sb, back, info;

	return kread(s, mount, "fuse_mount", "fc", &back) && back == connection &&
	       kread(s, mount, "fuse_mount", "sb", &sb) && sb &&
	       kread(s, sb, "super_block", "s_fs_info", &info) && info == mount;
}

/* The first mount of the connection; 0: none, or not known. */
static uint64_t first_mount(struct session *s, uint64_t connection)
{
	uint64_t head, link, first;

	if (!koffset(s, "fuse_conn", "mounts", &head) ||
	    !koffset(s, "fuse_mount", "fc_entry", &link) ||
	    memory_u64(s->memory, connection + head, &first) != READ_OK)
		return 0;
	return first && first != connection + head ? first - link : 0;
}

uint64_t fuse_connection(struct session *s, uint64_t request)
{
	uint64_t mount, channel, connection;

	if (kread(s, request, "fuse_req", "fm", &mount))
		return mount && kread(s, mount, "fuse_mount", "fc", &connection) && connection &&
				       is_mounted(s, mount, connection)
			       ? connection : 0;
	/* Since 7.3 there is a struct fuse_chan in between. */
	if (!kread(s, request, "fuse_req", "chan", &channel) || !channel ||
	    !kread(s, channel, "fuse_chan", "conn", &connection) || !connection)
		return 0;
	mount = first_mount(s, connection);
	return mount && is_mounted(s, mount, connection) ? connection : 0;
}

uint64_t fuse_connection_of_device(struct session *s, uint64_t device)
{
	uint64_t channel, connection;

	if (kread(s, device, "fuse_dev", "fc", &connection))
		return connection;
	return kread(s, device, "fuse_dev", "chan", &channel) && channel &&
			       kread(s, channel, "fuse_chan", "conn", &connection)
		       ? connection : 0;
}

uint64_t fuse_request_of_queue(struct session *s, uint64_t queue)
{
	uint64_t offset;

	return koffset(s, "fuse_req", "waitq", &offset) && fuse_connection(s, queue - offset)
		       ? queue - offset : 0;
}

uint64_t fuse_connection_of_sb(struct session *s, uint64_t sb)
{
	uint64_t type, mount, back, connection;
	char name[16];

	return kread(s, sb, "super_block", "s_type", &type) && type &&
			       kread_string(s, type, "file_system_type", "name", name, sizeof(name)) &&
			       (strcmp(name, "fuse") == 0 || strcmp(name, "fuseblk") == 0) &&
			       kread(s, sb, "super_block", "s_fs_info", &mount) && mount &&
			       kread(s, mount, "fuse_mount", "sb", &back) && back == sb &&
			       kread(s, mount, "fuse_mount", "fc", &connection)
		       ? connection : 0;
}

bool fuse_mount_path(struct session *s, uint64_t connection, char *buf, size_t size)
{
	uint64_t mount = first_mount(s, connection), sb;

	return mount && kread(s, mount, "fuse_mount", "sb", &sb) && sb &&
	       super_block_path(s, sb, buf, size) && *buf;
}

bool fuse_request_is_sent(struct session *s, uint64_t request, bool *sent)
{
	int64_t bit;
	uint64_t flags;

	if (!types_enumerator(s->types, "FR_SENT", &bit) || bit < 0 || bit > 63 ||
	    !kread(s, request, "fuse_req", "flags", &flags))
		return false;
	*sent = flags >> bit & 1;
	return true;
}

uint64_t fuse_waiting(struct session *s, uint64_t connection)
{
	uint64_t count, channel;

	if (!kread(s, connection, "fuse_conn", "num_waiting.counter", &count) &&
	    (!kread(s, connection, "fuse_conn", "chan", &channel) || !channel ||
	     !kread(s, channel, "fuse_chan", "num_waiting.counter", &count)))
		return 0;
	return count < WAITING_MAX ? count : 0;
}
