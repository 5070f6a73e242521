// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An open file of a pipe points to its struct pipe_inode_info, and says whether it is for reading
 * or for writing. A Unix socket knows the socket that it is connected to, and that the one file
 * through which it is used.
 *
 * Sources, in linux/: fs/pipe.c (private_data of a file), include/linux/fs.h (FMODE_READ,
 * FMODE_WRITE), include/linux/net.h (struct socket), include/net/af_unix.h.
 */
#include "forensics/other_end.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "kernel/open_files.h"

enum { FMODE_READ = 1, FMODE_WRITE = 2, AF_UNIX = 1, WAIT_READERS = 1, WAIT_FILE = 2 };

struct search {
	struct session *s;
	struct map wanted; /* what is looked for, as key_of_wait() tells -> index of an end, plus 1 */
	struct other_end *ends;
	const struct task *task;
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
 * A pipe's address, with a bit where those are wanted that read it, or a file's with another one;
 * 0: neither.
 */
static uint64_t key_of_wait(struct session *s, const struct wait *wait, struct other_end *end)
{
	if (!wait->object)
		return 0;
	if (wait->kind == WAIT_PIPE) {
		end->pipe = true;
		end->reads = wait->function && !strstr(wait->function, "read");
		return wait->object | (end->reads ? WAIT_READERS : 0);
	}
	uint64_t file = wait->kind == WAIT_SOCKET ? peer_file(s, wait->object) : 0;
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
	uint64_t data, mode;

	add_task(x, file | WAIT_FILE);
	if (!kread(x->s, file, "file", "private_data", &data) || !data ||
	    !kread(x->s, file, "file", "f_mode", &mode))
		return true;
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

void other_ends_find(struct session *s, const struct wait *const *waits, size_t count,
		     struct other_end *ends)
{
	struct search x = { .s = s, .ends = ends };
	size_t *same = xcalloc(count + 1, sizeof(*same)), n, holes = 0;
	const struct task *all = tasks(s, &n);

	for (size_t i = 0; i < count; i++) {
		uint64_t first;
		ends[i] = (struct other_end){ 0 };
		uint64_t key = key_of_wait(s, waits[i], &ends[i]);
		if (!key)
			continue;
		if (!map_get(&x.wanted, key, &first))
			map_set(&x.wanted, key, first = i + 1);
		same[i] = (size_t)first;
	}
	for (size_t i = 0; i < n && x.wanted.count && !session_stopped(s); i++) {
		struct walk_trouble trouble = { .count = 0 };
		x.task = &all[i];
		if (task_kind(x.task) == TASK_KERNEL || shares_table(s, x.task))
			continue;
		open_slots_each(s, x.task->address, &trouble, look_at_file, &x);
		holes += trouble.count != 0;
	}
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
