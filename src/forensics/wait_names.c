// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Words for what a task waits for. What means something to a person is told by that: of a page its
 * file, of an inode its path, of a request queue its disk, of a lock the object that it is in.
 */
#include "forensics/wait_names.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "forensics/whatis.h"
#include "kernel/block_io.h"
#include "kernel/journal.h"
#include "kernel/meaning.h"

/* What is waited for is, or lies at the start of, a structure that has a meaning. */
static const struct {
	enum wait_kind kind;
	const char *type;
} meant[] = {
	{ WAIT_INODE, "inode" },
	{ WAIT_FROZEN_QUEUE, "request_queue" },
	{ WAIT_WORKQUEUE, "workqueue_struct" },
	{ WAIT_WORK, "work_struct" },
	{ WAIT_FREEZER, "cgroup" },
	{ WAIT_IO, "bio" },
	{ WAIT_PIPE, "pipe_inode_info" },
	{ WAIT_SOCKET, "socket" },
	{ WAIT_RPC, "rpc_task" },
	{ WAIT_FUSE, "fuse_req" },
	{ WAIT_KTHREAD, "task_struct" },
};

/* "inode.i_rwsem.count.counter": of a lock only its own name is of interest. */
static void cut_members(char *text)
{
	static const char *const inner[] = {
		/* With PREEMPT_RT: a wait queue, a spinlock, a mutex, a rwsem or rwlock. */
		".lock.lock.wait_lock.raw_lock.val.counter", ".lock.wait_lock.raw_lock.val.counter",
		".rtmutex.wait_lock.raw_lock.val.counter", ".rwbase.readers.counter",
		".rwbase.rtmutex.wait_lock.raw_lock.val.counter",
		/* Without. */
		".count.counter", ".owner.counter", ".lock.rlock.raw_lock.val.counter",
		".rlock.raw_lock.val.counter", ".seqcount.seqcount.sequence",
		".seqcount.sequence", ".lock.raw_lock.val.counter",
		".raw_lock.val.counter", ".raw_lock.cnts.counter", ".done",
		".rss.gp_state", /* struct percpu_rw_semaphore */
	};

	for (size_t i = 0; i < array_size(inner); i++) {
		char *at = strstr(text, inner[i]);
		size_t length = strlen(inner[i]);
		if (!at || (at[length] && at[length] != ' ' && at[length] != ')' &&
			    at[length] != ','))
			continue;
		memmove(at, at + length, strlen(at + length) + 1);
		return;
	}
}

/* "rcu_state+0xb8 (data: rcu_state.node[0].boost_mtx)": the member says more than the offset. */
static void put_member_first(char *text, size_t size)
{
	char kind[64], member[256];
	const char *open = strstr(text, " ("), *colon = open ? strstr(open, ": ") : NULL;
	const char *end = colon ? strchr(colon, ')') : NULL;

	if (!end || end[1] || !strchr(text, '+') || strchr(text, '+') > open)
		return;
	snprintf(kind, sizeof(kind), "%.*s", (int)(colon - open), open);
	snprintf(member, sizeof(member), "%.*s", (int)(end - colon) - 2, colon + 2);
	snprintf(text, size, "%s%s)", member, kind);
}

/* Members that are what the structures around them are known by. */
static const struct {
	const char *member, *type;
} cores[] = {
	{ "vfs_inode", "inode" },   /* of each file system's own inode */
	{ "i_vnode", "inode" },     /* of XFS's */
	{ "inode", "inode" },       /* of FUSE's */
	{ "netfs.inode", "inode" }, /* of those that use the library of network file systems */
	{ "socket", "socket" },     /* struct socket_alloc */
};

/*
 * What the object is that has the member. "vfs_inode.i_rwsem" of an ext4_inode_info is its inode's;
 * @member is left with the name within that. What else is in the object has the inode's name, too.
 */
static bool holder_meaning(struct session *s, const struct what *what, const char **type,
			   const char **member, char *buf, size_t size)
{
	struct type outer;
	struct member core;

	*type = what->type;
	*member = what->member;
	if (meaning_of(s, what->type, what->start, buf, size))
		return true;
	if (!types_find(s->types, what->type, &outer))
		return false;
	for (size_t i = 0; i < array_size(cores); i++) {
		size_t length = strlen(cores[i].member);
		if (!type_find_member(outer, cores[i].member, &core) ||
		    type_kind(type_strip(core.type)) != TYPE_STRUCT ||
		    strcmp(type_name(type_strip(core.type)), cores[i].type) != 0 ||
		    !meaning_of(s, cores[i].type, what->start + core.offset, buf, size))
			continue;
		if (strncmp(what->member, cores[i].member, length) == 0 &&
		    what->member[length] == '.') {
			*type = cores[i].type;
			*member = what->member + length + 1;
		}
		return true;
	}
	return false;
}

/*
 * An object of which only the slab cache is known, such as a file system's own inode where its
 * module brings no types: is there the kernel's inode within it? That one's i_mapping leads to its
 * own i_data, and its i_sb to a super block. @what is then about that.
 */
static bool inode_within(struct session *s, struct what *what)
{
	const uint64_t size = types_sizeof(s->types, "inode");
	uint64_t mapping, data, sb, value;
	struct type type;

	if (what->kind != WHAT_SLAB || what->type || what->freed || !size ||
	    !types_find(s->types, "inode", &type) || !koffset(s, "inode", "i_mapping", &mapping) ||
	    !koffset(s, "inode", "i_data", &data))
		return false;
	uint64_t first = what->address - what->start >= size ? what->address - size : what->start;
	for (uint64_t at = first & ~UINT64_C(7); at <= what->address; at += 8) {
		struct what super;
		if (at + size > what->start + what->size ||
		    memory_u64(s->memory, at + mapping, &value) != READ_OK || value != at + data ||
		    !kread(s, at, "inode", "i_sb", &sb))
			continue;
		whatis(s, NULL, sb, &super);
		if (!super.type || strcmp(super.type, "super_block") != 0 || super.start != sb)
			continue;
		what->type = "inode";
		what->start = at;
		what->size = size;
		type_path_at(type, what->address - at, what->member, sizeof(what->member));
		return true;
	}
	return false;
}

static const char *lock_words(struct session *s, const char *kind, uint64_t lock,
			      struct what *what, struct arena *arena)
{
	char holder[256];
	const char *type, *member;

	if (!what->type)
		inode_within(s, what);
	if (!what->type || !*what->member || what->freed)
		return NULL;
	cut_members(what->member);
	if (!holder_meaning(s, what, &type, &member, holder, sizeof(holder)))
		return NULL;
	/* "inode 12 of ext4" says that it is one. */
	bool said = starts_with(holder, type) && holder[strlen(type)] == ' ';
	return arena_printf(arena, "%s %016" PRIx64 " (%s of %s%s%s)", kind, lock, member,
			    said ? "" : type, said ? "" : " ", holder);
}

const char *wait_resource_words(struct session *s, enum wait_kind kind, enum lock_kind lock_kind,
				uint64_t object, struct arena *arena)
{
	const char *name = kind == WAIT_LOCK ? lock_kind_name(lock_kind) : wait_kind_name(kind);
	struct what what;
	char place[300];

	if (!object)
		return name;
	if (kind == WAIT_FUTEX)
		return arena_printf(arena, "futex 0x%" PRIx64, object);
	if (kind == WAIT_CPU_CALL)
		return arena_printf(arena, "CPU %" PRIu64, object - 1);
	if (kind == WAIT_PAGE && block_page_place(s, object, place, sizeof(place)))
		return arena_strdup(arena, place);
	uint64_t page = kind == WAIT_BUFFER ? block_page_of_buffer(s, object) : 0;
	if (page && block_page_place(s, page, place, sizeof(place)))
		return arena_printf(arena, "buffer %016" PRIx64 " (%s)", object, place);
	struct journal journal;
	if (kind == WAIT_JOURNAL && journal_of_queue(s, object, &journal))
		return arena_printf(arena, "%s of %s: %s", name, journal.name,
				    journal_wait_name(journal.wait));
	for (size_t i = 0; i < array_size(meant); i++) {
		if (meant[i].kind == kind &&
		    meaning_of(s, meant[i].type, object, place, sizeof(place)))
			return arena_printf(arena, "%s %016" PRIx64 " (%s)", name, object, place);
	}
	whatis(s, NULL, object, &what);
	if (kind == WAIT_LOCK || kind == WAIT_QUEUE) {
		const char *words = lock_words(s, name, object, &what, arena);
		if (words)
			return words;
		put_member_first(what.text, sizeof(what.text));
		cut_members(what.text);
	}
	int length = (int)strcspn(what.text, ";");
	if (what.kind == WHAT_UNKNOWN || !length)
		return arena_printf(arena, "%s %016" PRIx64, name, object);
	return arena_printf(arena, "%s %016" PRIx64 " (%.*s)", name, object, length, what.text);
}
