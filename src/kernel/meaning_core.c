// SPDX-License-Identifier: LGPL-2.1-or-later
/* What they mean: tasks, memory, timers, work, lists. */
#include "kernel/mappings.h"
#include "kernel/meaning_rows.h"
#include "kernel/pages.h"
#include "kernel/tasks.h"

enum { LIST_COUNT_MAX = 1000 };

static bool tell_mm(struct session *s, uint64_t mm, char *buf, size_t size)
{
	char task[64];
	uint64_t owner, file;
	size_t count;
	const struct task *all = tasks(s, &count);

	if (kread(s, mm, "mm_struct", "owner", &owner) && owner &&
	    meaning_task(s, owner, task, sizeof(task))) {
		snprintf(buf, size, "of %s", task);
		return true;
	}
	for (size_t i = 0; i < count; i++) {
		if (all[i].mm == mm) {
			snprintf(buf, size, "of %s (pid %d)", all[i].comm, all[i].tgid);
			return true;
		}
	}
	return kread(s, mm, "mm_struct", "exe_file", &file) && file &&
	       file_path(s, file, buf, size);
}

static bool tell_vma(struct session *s, uint64_t vma, char *buf, size_t size)
{
	char path[200] = "anonymous";
	uint64_t start, end, flags, file;

	if (!kread(s, vma, "vm_area_struct", "vm_start", &start) ||
	    !kread(s, vma, "vm_area_struct", "vm_end", &end) || start >= end ||
	    !kread(s, vma, "vm_area_struct", "vm_flags", &flags))
		return false;
	if (kread(s, vma, "vm_area_struct", "vm_file", &file) && file &&
	    !file_path(s, file, path, sizeof(path)))
		snprintf(path, sizeof(path), "a file");
	snprintf(buf, size, "%" PRIx64 "-%" PRIx64 " %c%c%c%c %s", start, end,
		 flags & 1 ? 'r' : '-', flags & 2 ? 'w' : '-', flags & 4 ? 'x' : '-',
		 flags & 8 ? 's' : 'p', path);
	return true;
}

static bool tell_page(struct session *s, uint64_t page, char *buf, size_t size)
{
	struct page_info info;
	char name[128] = "";
	uint64_t pfn, host;

	if (!page_array(s)->valid || !pfn_of_page(s, page, &pfn) || !page_info(s, pfn, &info))
		return false;
	if (info.kind == PAGE_KIND_FILE && info.owner &&
	    kread(s, info.owner, "address_space", "host", &host) && host &&
	    inode_path(s, host, name, sizeof(name)) && *name) {
		snprintf(buf, size, "pfn 0x%" PRIx64 ": %s, %s page %" PRIu64, pfn,
			 page_kind_name(info.kind), name, info.index);
		return true;
	}
	if (info.kind == PAGE_KIND_SLAB && info.owner)
		(void)meaning_name(s, info.owner, "kmem_cache", "name", name, sizeof(name));
	snprintf(buf, size, "pfn 0x%" PRIx64 ": %s%s%s, %d reference%s", pfn,
		 page_kind_name(info.kind), *name ? " " : "", name, info.refcount,
		 info.refcount == 1 ? "" : "s");
	return true;
}

static bool tell_cache(struct session *s, uint64_t cache, char *buf, size_t size)
{
	char name[64];
	uint64_t object;

	if (!meaning_name(s, cache, "kmem_cache", "name", name, sizeof(name)) ||
	    !kread(s, cache, "kmem_cache", "object_size", &object))
		return false;
	snprintf(buf, size, "%s, objects of %" PRIu64 " bytes", name, object);
	return true;
}

static bool tell_work(struct session *s, uint64_t work, char *buf, size_t size)
{
	return meaning_function_member(s, work, "work_struct", "func", buf, size);
}

static bool tell_timer(struct session *s, uint64_t timer, char *buf, size_t size)
{
	return meaning_function_member(s, timer, "timer_list", "function", buf, size);
}

static bool tell_hrtimer(struct session *s, uint64_t timer, char *buf, size_t size)
{
	return meaning_function_member(s, timer, "hrtimer", "function", buf, size);
}

static bool tell_sleeper(struct session *s, uint64_t sleeper, char *buf, size_t size)
{
	uint64_t task;
	char name[64];

	if (!kread(s, sleeper, "hrtimer_sleeper", "task", &task))
		return false;
	if (!task) {
		snprintf(buf, size, "has fired");
		return true;
	}
	if (!meaning_task(s, task, name, sizeof(name)))
		return false;
	snprintf(buf, size, "wakes %s", name);
	return true;
}

static bool tell_notifier(struct session *s, uint64_t block, char *buf, size_t size)
{
	return meaning_function_member(s, block, "notifier_block", "notifier_call", buf, size);
}

static bool tell_rcu_head(struct session *s, uint64_t head, char *buf, size_t size)
{
	return meaning_function_member(s, head, "callback_head", "func", buf, size);
}

static bool tell_cred(struct session *s, uint64_t cred, char *buf, size_t size)
{
	uint64_t uid, gid, euid;

	if (!kread(s, cred, "cred", "uid.val|uid", &uid) ||
	    !kread(s, cred, "cred", "gid.val|gid", &gid) ||
	    !kread(s, cred, "cred", "euid.val|euid", &euid))
		return false;
	snprintf(buf, size, "uid %" PRIu64 ", gid %" PRIu64, uid, gid);
	size_t length = strlen(buf);
	if (euid != uid && length < size)
		snprintf(buf + length, size - length, ", effective uid %" PRIu64, euid);
	return true;
}

static bool tell_pid(struct session *s, uint64_t pid, char *buf, size_t size)
{
	uint64_t number;

	if (!kread(s, pid, "pid", "numbers[0].nr", &number) || !number || number > 1u << 22)
		return false;
	snprintf(buf, size, "pid %" PRIu64, number);
	return true;
}

static bool tell_list(struct session *s, uint64_t head, char *buf, size_t size)
{
	uint64_t next, prev, back;

	if (!kread(s, head, "list_head", "next", &next) ||
	    !kread(s, head, "list_head", "prev", &prev))
		return false;
	if (next == head && prev == head) {
		snprintf(buf, size, "empty, or in no list");
		return true;
	}
	for (unsigned i = 1; i < LIST_COUNT_MAX; i++) {
		if (!kread(s, next, "list_head", "next", &back))
			return false;
		if (back == head) {
			snprintf(buf, size, "list of %u", i);
			return true;
		}
		next = back;
	}
	return false;
}

static bool tell_wait_entry(struct session *s, uint64_t entry, char *buf, size_t size)
{
	char function[128], task[64];
	uint64_t waiter;

	if (!meaning_function_member(s, entry, "wait_queue_entry", "func", function,
				     sizeof(function)))
		return false;
	if (kread(s, entry, "wait_queue_entry", "private", &waiter) && waiter &&
	    meaning_task(s, waiter, task, sizeof(task)))
		snprintf(buf, size, "%s waits, by %s", task, function);
	else
		snprintf(buf, size, "%s", function);
	return true;
}

static bool tell_workqueue(struct session *s, uint64_t queue, char *buf, size_t size)
{
	return meaning_name(s, queue, "workqueue_struct", "name", buf, size);
}

static bool tell_worker(struct session *s, uint64_t worker, char *buf, size_t size)
{
	uint64_t task;
	char name[64], function[128];

	if (!kread(s, worker, "worker", "task", &task) ||
	    !meaning_task(s, task, name, sizeof(name)))
		return false;
	if (meaning_function_member(s, worker, "worker", "current_func", function,
				    sizeof(function)))
		snprintf(buf, size, "%s, running %s", name, function);
	else
		snprintf(buf, size, "%s, idle", name);
	return true;
}

static bool tell_rq(struct session *s, uint64_t rq, char *buf, size_t size)
{
	uint64_t cpu, count;

	if (!kread(s, rq, "rq", "cpu", &cpu) || cpu > 8192 ||
	    !kread(s, rq, "rq", "nr_running", &count))
		return false;
	snprintf(buf, size, "of CPU %" PRIu64 ", %" PRIu64 " to run", cpu, count);
	return true;
}

static bool tell_futex_q(struct session *s, uint64_t q, char *buf, size_t size)
{
	char name[64];
	uint64_t task;

	if (!kread(s, q, "futex_q", "task", &task) || !meaning_task(s, task, name, sizeof(name)))
		return false;
	snprintf(buf, size, "%s waits", name);
	return true;
}

static bool tell_zone(struct session *s, uint64_t zone, char *buf, size_t size)
{
	uint64_t node = 0;
	char name[16];

	if (!meaning_name(s, zone, "zone", "name", name, sizeof(name)))
		return false;
	(void)kread(s, zone, "zone", "node", &node);
	snprintf(buf, size, "%s of node %d", name, (int)node);
	return true;
}

static bool tell_node(struct session *s, uint64_t pgdat, char *buf, size_t size)
{
	uint64_t node;

	if (!kread(s, pgdat, "pglist_data", "node_id", &node))
		return false;
	snprintf(buf, size, "node %d", (int)node);
	return true;
}

static bool tell_string(struct session *s, uint64_t address, char *buf, size_t size)
{
	return meaning_quote(s, address, buf, size);
}

const struct meaning_row meaning_core_rows[] = {
	{ "task_struct", meaning_task, false },
	{ "mm_struct", tell_mm, false },
	{ "vm_area_struct", tell_vma, false },
	{ "page", tell_page, false },
	{ "folio", tell_page, false },
	{ "kmem_cache", tell_cache, false },
	{ "work_struct", tell_work, false },
	{ "delayed_work", tell_work, false },
	{ "timer_list", tell_timer, true },
	{ "hrtimer", tell_hrtimer, true },
	{ "hrtimer_sleeper", tell_sleeper, false },
	{ "notifier_block", tell_notifier, false },
	{ "callback_head", tell_rcu_head, true },
	{ "cred", tell_cred, false },
	{ "pid", tell_pid, false },
	{ "list_head", tell_list, true },
	{ "wait_queue_entry", tell_wait_entry, false },
	{ "workqueue_struct", tell_workqueue, false },
	{ "worker", tell_worker, false },
	{ "rq", tell_rq, false },
	{ "futex_q", tell_futex_q, false },
	{ "zone", tell_zone, false },
	{ "pglist_data", tell_node, false },
	{ "char", tell_string, true },
	{ NULL, NULL, false },
};
