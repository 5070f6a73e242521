// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An open file of a pipe points to its struct pipe_inode_info, and says whether it is for reading
 * or for writing. A Unix socket knows the socket that it is connected to, and that the one file
 * through which it is used. Who serves a file system has /dev/fuse open, which leads to its
 * connection.
 *
 * Sources, in linux/: fs/pipe.c (private_data of a file), include/linux/fs.h (FMODE_READ,
 * FMODE_WRITE), include/linux/net.h (struct socket), include/net/af_unix.h.
 */
#include "forensics/other_end.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "kernel/fuse.h"
#include "kernel/open_files.h"

enum { FMODE_READ = 1, FMODE_WRITE = 2, AF_UNIX = 1, WAIT_READERS = 1, WAIT_FILE = 2,
       WAIT_SERVER = 4 };

struct search {
	struct session *s;
	struct map wanted; /* what is looked for, as key_of_wait() tells -> index of an end, plus 1 */
	struct other_end *ends;
	const struct task *task;
	bool servers; /* of file systems are among what is looked for */
};

/* The file of the socket at the other end of @socket; 0: it has none, or that is not known. */
static uint64_t peer_file(struct session *s, uint64_t socket)
{
	uint64_t sock, family, peer, other, file;

	if (!kread(s, socket, "socket", "sk", &sock) || !sock ||
	    !kread(s, sock, "sock", "__sk_common.skc_family", &family) || family != AF_UNIX ||
	    !kread(s, sock, "unix_sock", "peer", &peer) || !peer ||
	    !kread(s, peer, "sock", "sk_socket", &other) || !other ||
	    !kread(s, other, "socket", "file", &file))
		return 0;
	return file;
}

/*
 * A pipe's address, with a bit where those are wanted that read it, a file's, or that of a file
 * system's connection, each with a bit of its own; 0: none.
 */
static uint64_t key_of_wait(struct session *s, const struct wait *wait, struct other_end *end)
{
	if (!wait->object)
		return 0;
	if (wait->kind == WAIT_PIPE) {
		bool reads = wait->function && !strstr(wait->function, "read");
		end->role = reads ? END_READS : END_WRITES;
		return wait->object | (reads ? WAIT_READERS : 0);
	}
	if (wait->kind == WAIT_FUSE) {
		uint64_t connection = fuse_connection(s, wait->object);
		end->role = END_ANSWERS;
		return connection ? connection | WAIT_SERVER : 0;
	}
	uint64_t file = wait->kind == WAIT_SOCKET ? peer_file(s, wait->object) : 0;
	end->role = END_PEER;
	return file ? file | WAIT_FILE : 0;
}

static void add_task(const struct search *x, uint64_t key)
{
	uint64_t index;

	if (!map_get(&x->wanted, key, &index))
		return;
	struct other_end *end = &x->ends[index - 1];
	size_t kept = end->count < OTHER_END_TASKS ? end->count : OTHER_END_TASKS;
	/* Under several descriptors. */
	if (kept && end->tasks[kept - 1] == x->task)
		return;
	if (end->count < OTHER_END_TASKS)
		end->tasks[end->count] = x->task;
	end->count++;
}

static bool look_at_file(void *ctx, int64_t fd unused_arg, uint64_t file)
{
	const struct search *x = ctx;
	uint64_t data, mode, connection;

	add_task(x, file | WAIT_FILE);
	if (!kread(x->s, file, "file", "private_data", &data) || !data ||
	    !kread(x->s, file, "file", "f_mode", &mode))
		return true;
	if (x->servers && (connection = fuse_connection_of_device(x->s, data)))
		add_task(x, connection | WAIT_SERVER);
	if (mode & FMODE_READ)
		add_task(x, data | WAIT_READERS);
	if (mode & FMODE_WRITE)
		add_task(x, data);
	return true;
}

static bool shares_table(struct session *s, const struct task *task)
{
	const struct task *leader = task->pid == task->tgid ? NULL : task_by_pid(s, task->tgid);

	return leader && open_files_table(s, task) == open_files_table(s, leader);
}

/* How many tables could not be read whole. */
static size_t look_at_all(struct search *x)
{
	size_t n, holes = 0;
	const struct task *all = tasks(x->s, &n);

	for (size_t i = 0; i < n && x->wanted.count && !session_stopped(x->s); i++) {
		struct walk_trouble trouble = { .count = 0 };
		x->task = &all[i];
		if (task_kind(x->task) == TASK_KERNEL || shares_table(x->s, x->task))
			continue;
		open_slots_each(x->s, x->task->address, &trouble, look_at_file, x);
		holes += trouble.count != 0;
	}
	return holes;
}

void other_end_of_fuse(struct session *s, uint64_t connection, struct other_end *end)
{
	struct search x = { .s = s, .ends = end, .servers = true };

	*end = (struct other_end){ .known = true, .role = END_ANSWERS };
	map_set(&x.wanted, connection | WAIT_SERVER, 1);
	end->holes = look_at_all(&x);
	map_deinit(&x.wanted);
}

void other_ends_find(struct session *s, const struct wait *const *waits, size_t count,
		     struct other_end *ends)
{
	struct search x = { .s = s, .ends = ends };
	size_t *same = xcalloc(count + 1, sizeof(*same));

	for (size_t i = 0; i < count; i++) {
		uint64_t first;
		ends[i] = (struct other_end){ 0 };
		uint64_t key = key_of_wait(s, waits[i], &ends[i]);
		if (!key)
			continue;
		x.servers |= key & WAIT_SERVER;
		if (!map_get(&x.wanted, key, &first))
			map_set(&x.wanted, key, first = i + 1);
		same[i] = (size_t)first;
	}
	size_t holes = look_at_all(&x);
	for (size_t i = 0; i < count; i++) {
		if (!same[i])
			continue;
		ends[i] = ends[same[i] - 1];
		ends[i].known = true;
		ends[i].holes = holes;
	}
	map_deinit(&x.wanted);
	free(same);
}
