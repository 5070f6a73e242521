// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A file system in user space that does not answer. Who waits for a request itself has that; who
 * waits for a page of a file there waits for one of the requests that have not been answered. What
 * the program does instead, its threads' stacks tell.
 */
#include "diagnosis/user_server.h"

#include <inttypes.h>
#include <string.h>

#include "forensics/other_end.h"
#include "kernel/block_io.h"
#include "kernel/fuse.h"

/* What the program's threads do, as far as one of them tells: none has any work, or there is none. */
static const char *what_it_does(struct session *s, const struct task *server)
{
	size_t n, threads = 0, idle = 0, stopped = 0;
	const struct task *all = tasks(s, &n);

	for (size_t i = 0; i < n; i++) {
		struct stack stack = { 0 };
		struct symbol symbol;
		char letter = task_state_letter(&all[i]);
		if (all[i].tgid != server->tgid)
			continue;
		threads++;
		stopped += letter == 'T' || letter == 't';
		task_stack(s, &all[i], &stack);
		for (size_t f = 0; f < stack.count; f++) {
			if (stack.frames[f].how == FRAME_SCAN ||
			    !symbols_by_address(s->symbols, stack.frames[f].pc - 1, &symbol) ||
			    strcmp(symbol.name, "fuse_dev_do_read") != 0)
				continue;
			idle++;
			break;
		}
		stack_deinit(&stack);
	}
	if (stopped)
		return ", and is stopped";
	return idle == threads ? ", and only waits for more requests" : "";
}

static bool tell(struct session *s, uint64_t connection, const struct wait *wait, const char *asked,
		 struct findings *out, struct finding *f)
{
	char path[200] = "";
	struct other_end end;
	const char *has = "";
	bool sent;

	other_end_of_fuse(s, connection, &end);
	(void)fuse_mount_path(s, connection, path, sizeof(path));
	if (wait->kind == WAIT_FUSE && fuse_request_is_sent(s, wait->object, &sent))
		has = sent ? ", which it has read" : ", which it has not even read";
	const struct task *server = end.count ? end.tasks[0] : NULL;
	const char *name = server ? finding_text(out, "%.*s (pid %d)", (int)sizeof(server->comm),
						 server->comm, server->pid)
			   : !end.holes ? "nobody any more" : "a program that is not known";
	const char *why = finding_text(out, "the file system in user space%s%s, served by %s, has not "
				       "answered %s%s%s", *path ? " at " : "", path, name, asked, has,
				       server ? what_it_does(s, server) : "");
	finding_add_why(out, f, "%s", why);
	finding_evidence_shows(out, f,
			       finding_text(out, "struct fuse_conn.mounts,user_id %016" PRIx64,
					    connection),
			       "user_id", "the connection to the program");
	f->against = server ? "why it does not answer its own stack in user space would tell" : NULL;
	f->blame = (struct blame){ 0 };
	f->who = finding_text(out, "%s, which serves the file system%s%s", name, *path ? " at " : "", path);
	return true;
}

/* Where the module has no types, its function alone says what for (fs/fuse/dev.c). */
static bool tell_nameless(struct findings *out, struct finding *f)
{
	finding_add_why(out, f, "a program that serves a file system (FUSE) has not answered that");
	f->against = "which program it is the types of the module fuse would tell";
	f->blame = (struct blame){ 0 };
	f->who = "the program that serves that file system in user space";
	return true;
}

bool user_server_tell(const struct facts *facts, const struct wait *wait, struct findings *out,
		      struct finding *f)
{
	struct session *s = facts->session;
	uint64_t connection, inode, sb;

	if (!wait->object)
		return false;
	if (wait->kind == WAIT_QUEUE && wait->function &&
	    strcmp(wait->function, "request_wait_answer") == 0)
		return tell_nameless(out, f);
	if (wait->kind == WAIT_FUSE) {
		connection = fuse_connection(s, wait->object);
		return connection && tell(s, connection, wait, "that request", out, f);
	}
	if (wait->kind != WAIT_PAGE)
		return false;
	inode = block_inode_of_page(s, wait->object);
	connection = inode && kread(s, inode, "inode", "i_sb", &sb) && sb
			     ? fuse_connection_of_sb(s, sb) : 0;
	uint64_t count = connection ? fuse_waiting(s, connection) : 0;
	return count && tell(s, connection, wait,
			     finding_text(out, "%" PRIu64 " request%s", count, count == 1 ? "" : "s"),
			     out, f);
}
