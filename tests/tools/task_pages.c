// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which page frames hold what leads to tasks: lines "node PFN", "pid PFN NUMBER", "task PFN
 * NUMBER" for the nodes of the pid index, each struct pid and each task_struct, and "types PFN"
 * for the head of the BTF. Tests take them out of a dump to make holes in the right places.
 */
#include <stdio.h>

#include "kernel/session.h"
#include "kernel/tasks.h"

enum { SLOTS_MAX = 64, DEPTH_MAX = 8 };

static void print_pages(struct session *s, const char *kind, uint64_t address, uint64_t size,
			int number)
{
	uint64_t first = address & ~(uint64_t)(PAGE_SIZE - 1);
	struct paddr paddr;

	for (uint64_t at = first; address && at < address + size; at += PAGE_SIZE) {
		if (memory_vtop(s->memory, at, &paddr) == READ_OK)
			printf("%s %llu %d\n", kind, (unsigned long long)paddr.v >> PAGE_SHIFT,
			       number);
	}
}

static void print_nodes(struct session *s, uint64_t entry, int depth)
{
	struct member slots;
	uint64_t child, node = entry & ~(uint64_t)3;

	if ((entry & 3) != 2 || entry < 4096 || depth > DEPTH_MAX ||
	    !types_member(s->types, "xa_node", "slots", &slots))
		return;
	print_pages(s, "node", node, types_sizeof(s->types, "xa_node"), 0);
	for (uint64_t i = 0; i < slots.size / 8 && i < SLOTS_MAX; i++) {
		if (memory_u64(s->memory, node + slots.offset + i * 8, &child) == READ_OK)
			print_nodes(s, child, depth + 1);
	}
}

int main(int argc, char **argv)
{
	const char *paths[] = { argc == 2 ? argv[1] : "" };
	struct session_options options = { .paths = paths, .path_count = 1 };
	struct session *s;
	uint64_t value;
	size_t count;

	struct error *err = session_open(&options, &s);
	if (err) {
		fprintf(stderr, "%s\n", err->message);
		error_free(err);
		return 2;
	}
	kread(s, symbols_address(s->symbols, "init_pid_ns"), "pid_namespace", "idr.idr_rt.xa_head",
	      &value);
	print_nodes(s, value, 0);
	const struct task *task = tasks(s, &count);
	for (size_t i = 0; i < count; i++) {
		if (!task[i].pid)
			continue;
		kread(s, task[i].address, "task_struct", "thread_pid", &value);
		print_pages(s, "pid", value, types_sizeof(s->types, "pid"), task[i].pid);
		print_pages(s, "task", task[i].address, types_sizeof(s->types, "task_struct"),
			    task[i].pid);
	}
	print_pages(s, "types", symbols_address(s->symbols, "__start_BTF"), 1, 0);
	session_close(s);
	return 0;
}
