// SPDX-License-Identifier: LGPL-2.1-or-later
/* ipcs: System V shared memory, semaphores and message queues. */
#include "kernel/ipc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands/show.h"
#include "commands/table.h"

enum { OPT_SEM, OPT_SHM, OPT_SHM_PAGES, OPT_MSG, OPT_NAMESPACE };

static const struct option ipcs_option_table[] = {
	[OPT_SEM] = { "s", false }, [OPT_SHM] = { "m", false },     [OPT_SHM_PAGES] = { "M", false },
	[OPT_MSG] = { "q", false }, [OPT_NAMESPACE] = { "n", true },
};

static const struct column shm_columns[] = {
	{ .key = "address", .title = "SHMID_KERNEL" },
	{ .key = "key", .title = "KEY", .right = true },
	{ .key = "id", .title = "SHMID", .right = true },
	{ .key = "uid", .title = "UID", .right = true },
	{ .key = "mode", .title = "PERMS", .right = true },
	{ .key = "bytes", .title = "BYTES", .right = true },
	{ .key = "attached", .title = "NATTCH", .right = true },
	{ .key = "status", .title = "STATUS" },
};
static const struct column sem_columns[] = {
	{ .key = "address", .title = "SEM_ARRAY" },
	{ .key = "key", .title = "KEY", .right = true },
	{ .key = "id", .title = "SEMID", .right = true },
	{ .key = "uid", .title = "UID", .right = true },
	{ .key = "mode", .title = "PERMS", .right = true },
	{ .key = "semaphores", .title = "NSEMS", .right = true },
};
static const struct column msg_columns[] = {
	{ .key = "address", .title = "MSG_QUEUE" },
	{ .key = "key", .title = "KEY", .right = true },
	{ .key = "id", .title = "MSQID", .right = true },
	{ .key = "uid", .title = "UID", .right = true },
	{ .key = "mode", .title = "PERMS", .right = true },
	{ .key = "used_bytes", .title = "USED-BYTES", .right = true },
	{ .key = "messages", .title = "MESSAGES", .right = true },
};

struct ipcs_run {
	struct command_args *args;
	const char *word;  /* an id or address; NULL: all */
	uint64_t number;
	bool pages;
	size_t shown, incomplete;
};

static bool is_wanted(const struct ipcs_run *run, const struct ipc_object *o)
{
	char *end;

	if (!run->word)
		return true;
	long id = strtol(run->word, &end, 10);
	return (!*end && id == o->id) || run->number == o->address;
}

static void add_shm_pages(struct ipcs_run *run, const struct ipc_object *o)
{
	struct doc *doc = run->args->doc;
	struct cell none = o->huge ? cell_shown(cell_none(), "(huge pages)") : cell_none();

	doc_detail(doc);
	doc_field(doc, "pages", "PAGES ALLOCATED", o->incomplete ? cell_none() : cell_udec(o->pages));
	doc_field(doc, "resident", "RESIDENT", o->pages_known ? cell_udec(o->resident) : none);
	doc_field(doc, "swapped", "SWAPPED", o->pages_known ? cell_udec(o->swapped) : none);
	doc_field(doc, "inode", "INODE", o->inode ? cell_address(o->inode) : cell_none());
	doc_end(doc);
	/* One that is incomplete counts already. */
	run->incomplete += !o->incomplete && !o->pages_known && !o->huge;
}

static bool add_object(void *ctx, const struct ipc_object *o)
{
	struct ipcs_run *run = ctx;
	struct doc *doc = run->args->doc;
	char key[16], mode[16];

	if (!is_wanted(run, o))
		return true;
	run->shown++;
	run->incomplete += o->incomplete;
	snprintf(key, sizeof(key), "%08" PRIx64, o->key);
	snprintf(mode, sizeof(mode), "%" PRIo64, o->mode & 0777);
	bool known = !o->incomplete;
	struct cell cells[8] = {
		cell_address(o->address), known ? cell_shown(cell_hex(o->key), key) : cell_none(),
		known ? cell_dec(o->id) : cell_none(), known ? cell_udec(o->uid) : cell_none(),
		known ? cell_str(mode) : cell_none(),
	};
	if (o->kind == IPC_SHM) {
		const char *status = o->destroyed && o->locked ? "dest,locked"
				     : o->destroyed ? "dest" : o->locked ? "locked" : "";
		cells[5] = known ? cell_udec(o->bytes) : cell_none();
		cells[6] = known ? cell_udec(o->attached) : cell_none();
		cells[7] = known ? cell_str(status) : cell_none();
	} else if (o->kind == IPC_SEM) {
		cells[5] = known ? cell_udec(o->count) : cell_none();
	} else {
		cells[5] = known ? cell_udec(o->used_bytes) : cell_none();
		cells[6] = known ? cell_udec(o->count) : cell_none();
	}
	doc_row_array(doc, cells);
	if (run->pages && o->kind == IPC_SHM)
		add_shm_pages(run, o);
	return true;
}

static void add_kind(struct ipcs_run *run, uint64_t namespace, enum ipc_kind kind)
{
	static const struct {
		const char *key, *what;
		const struct column *columns;
		size_t count;
	} tables[] = {
		[IPC_SEM] = { "semaphores", "semaphores", sem_columns, array_size(sem_columns) },
		[IPC_MSG] = { "message_queues", "message queues", msg_columns,
			      array_size(msg_columns) },
		[IPC_SHM] = { "shared_memory", "shared memory", shm_columns,
			      array_size(shm_columns) },
	};
	struct walk_trouble trouble = { .count = 0 };
	struct doc *doc = run->args->doc;
	size_t before = run->shown;

	doc_table(doc, tables[kind].key, tables[kind].columns, tables[kind].count);
	ipc_each(run->args->session, namespace, kind, &trouble, add_object, run);
	if (run->shown == before && !run->word && !trouble.count)
		doc_textf(doc, STYLE_FAINT, "(none allocated)");
	doc_end(doc);
	show_trouble(doc, &trouble, tables[kind].what);
}

static struct error *no_namespace(struct session *s, const struct task *task)
{
	uint64_t proxy;

	if (task && kread(s, task->address, "task_struct", "nsproxy", &proxy) && !proxy)
		return error_new(ERROR_NOT_FOUND, "PID %d has ended: it has no IPC namespace any "
				 "more", task->pid);
	return error_new(ERROR_MISSING, "the IPC namespace is not in the dump");
}

static struct error *run_ipcs(struct command_args *args)
{
	struct ipcs_run run = { .args = args };
	struct options options;
	const struct task *task = NULL;

	struct error *err = options_parse(args, ipcs_option_table, array_size(ipcs_option_table),
					  &options);
	if (!err && options.word_count > 1)
		err = error_new(ERROR_USAGE, "one id or address at a time");
	if (!err)
		err = parse_task_option(args->session, options.value[OPT_NAMESPACE], &task);
	if (err)
		return err;
	uint64_t namespace = ipc_namespace(args->session, task);
	if (!namespace)
		return no_namespace(args->session, task);
	run.pages = options.set[OPT_SHM_PAGES];
	run.word = options.word_count ? options.words[0] : NULL;
	if (run.word)
		error_free(parse_address(args->session, run.word, &run.number));
	bool shm = options.set[OPT_SHM] || run.pages;
	bool all = !shm && !options.set[OPT_SEM] && !options.set[OPT_MSG];
	if (all || shm)
		add_kind(&run, namespace, IPC_SHM);
	if (all || options.set[OPT_SEM])
		add_kind(&run, namespace, IPC_SEM);
	if (all || options.set[OPT_MSG])
		add_kind(&run, namespace, IPC_MSG);
	if (run.incomplete)
		doc_remark(args->doc, REMARK_HOLE, "%zu objects are only partly in the dump",
			   run.incomplete);
	if (run.word && !run.shown)
		return error_new(ERROR_NOT_FOUND, "no such object: %s", run.word);
	return NULL;
}

const struct command command_ipcs = {
	.name = "ipcs",
	.usage = "[-s] [-m] [-M] [-q] [-n PID|TASK] [ID|ADDRESS]",
	.summary = "System V shared memory, semaphores, message queues",
	.help = "All objects of the first IPC namespace, or the one with this id or address.\n"
		"  -m      shared memory only; -M  with the pages of each: how many it may have, are in\n"
		"          memory and in swap, and its inode (see files -p)\n"
		"  -s      semaphores only; -q  message queues only\n"
		"  -n PID  in the namespace of this task\n"
		"STATUS: dest, destroyed when the last one detaches; locked in memory.\n"
		"Examples: ipcs | ipcs -M | ipcs -n 1",
	.run = run_ipcs,
};
