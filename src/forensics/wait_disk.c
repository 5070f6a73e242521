// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Disks that the kernel makes of something else: a loop device is a file. Their requests are done
 * by workers of a work queue that is called as the disk, or (before 5.15) by a kernel thread that
 * is. When that one is blocked, who waits for the disk waits for what it waits for.
 *
 * Source, in linux/: drivers/block/loop.c (loop_configure()).
 */
#include "forensics/wait_search.h"

#include <string.h>

#include "base/strbuf.h"
#include "kernel/block_io.h"
#include "kernel/meaning.h"

enum { DISK_NAME = 40 };

static bool disk_of_resource(struct session *s, const struct resource *r, char *name, size_t size)
{
	uint64_t page = 0, queue = 0;

	if (r->kind == WAIT_PAGE)
		page = r->object;
	else if (r->kind == WAIT_BUFFER)
		page = block_page_of_buffer(s, r->object);
	else if (r->kind == WAIT_IO)
		queue = block_queue_of_bio(s, r->object);
	else
		queue = r->object;
	if (page)
		return block_disk_of_page(s, page, name, size);
	return queue && meaning_of(s, "request_queue", queue, name, size);
}

/* Does the task do the work of a queue of that name, or has it that name itself? */
static bool works_for(struct session *s, const struct task *task, const char *disk)
{
	uint64_t worker = worker_of_task(s, task), pwq, queue;
	char name[DISK_NAME] = "";

	if (!worker)
		return strcmp(task->comm, disk) == 0;
	return kread(s, worker, "worker", "current_pwq", &pwq) && pwq &&
	       kread(s, pwq, "pool_workqueue", "wq", &queue) && queue &&
	       kread_string(s, queue, "workqueue_struct", "name", name, sizeof(name)) &&
	       strcmp(name, disk) == 0;
}

void wait_owners_of_disk(struct wait_search *x, size_t index)
{
	struct resource *r = &x->graph->resources[index];
	char disk[DISK_NAME];

	if (!r->object || !disk_of_resource(x->s, r, disk, sizeof(disk)))
		return;
	for (size_t i = 0; i < x->graph->node_count && !session_stopped(x->s); i++) {
		const struct wait_node *n = &x->graph->nodes[i];
		if (n->resource == index || task_kind(n->task) != TASK_KERNEL ||
		    !wait_node_blocked(n) || !works_for(x->s, n->task, disk))
			continue;
		wait_add_owner(x, r, n->task->address, OWNER_WORKER, false,
			       arena_printf(&x->graph->arena, "it does the I/O of %s", disk));
	}
}
