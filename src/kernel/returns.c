// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Return addresses that tracers have taken off the stack, to have the function return to them.
 *
 * Each task keeps what was replaced. The function graph tracer: task->ret_stack, a stack of struct
 * ftrace_ret_stack; `retp` is where on the kernel stack the address was (kernel/trace/fgraph.c). It
 * was an array up to 6.10, task->curr_ret_stack the index of its top; since 6.11 it is a page of
 * words in which such structs lie among others, curr_ret_stack in words. Kretprobes: a list from
 * the task of struct rethook_node (kernel/trace/rethook.c, 5.18) or struct kretprobe_instance
 * (kernel/kprobes.c, 5.11); both have ret_addr and that place. Before 5.11 the instances of all
 * tasks are in the hash table kretprobe_inst_table; the place tells them apart.
 */
#include "kernel/returns.h"

#include "base/strbuf.h"

enum {
	RET_STACK_MAX = 4096 / 8, /* words; SHADOW_STACK_SIZE is a page */
	NODES_MAX = 256,
	KRETPROBE_TABLE = 64, /* KPROBE_TABLE_SIZE */
};

/* Words of the task's ret_stack that are in use. */
static size_t words_in_use(struct session *s, uint64_t task, uint64_t entry_size)
{
	struct member ret_stack;
	uint64_t top;

	if (!types_member(s->types, "task_struct", "ret_stack", &ret_stack) ||
	    !kread(s, task, "task_struct", "curr_ret_stack", &top) || (int64_t)top < 0)
		return 0;
	enum type_kind kind = type_kind(type_strip(type_target(type_strip(ret_stack.type))));
	if (kind == TYPE_STRUCT)
		top = (top + 1) * (entry_size / 8);
	return top < RET_STACK_MAX ? (size_t)top : RET_STACK_MAX;
}

static bool graph_resolve(struct session *s, uint64_t task, uint64_t retaddr_at, uint64_t *pc)
{
	uint64_t stack, ret, retp, size = types_sizeof(s->types, "ftrace_ret_stack");
	uint64_t words[RET_STACK_MAX];

	if (!size || !koffset(s, "ftrace_ret_stack", "ret", &ret) ||
	    !koffset(s, "ftrace_ret_stack", "retp", &retp) || retp < ret || retp % 8 || ret % 8 ||
	    !kread(s, task, "task_struct", "ret_stack", &stack) || !stack)
		return false;
	size_t count = min_u64(words_in_use(s, task, size), RET_STACK_MAX);
	size_t back = (size_t)((retp - ret) / 8);
	count = memory_read_some(s->memory, stack, words, count * 8) / 8;
	for (size_t i = count; i-- > back;) {
		if (words[i] == retaddr_at && symbols_is_text(s->symbols, words[i - back])) {
			*pc = words[i - back];
			return true;
		}
	}
	return false;
}

/* Walks a list of @node structs from the link at @at; `next` is the first word of a link. */
static bool list_resolve(struct session *s, uint64_t at, const char *node, const char *link,
			 const char *place, uint64_t retaddr_at, uint64_t *pc)
{
	uint64_t offset, where;

	if (!koffset(s, node, link, &offset))
		return false;
	for (unsigned i = 0; at && i < NODES_MAX; i++) {
		uint64_t object = at - offset;

		if (!kread(s, object, node, place, &where))
			return false;
		if (where == retaddr_at)
			return kread(s, object, node, "ret_addr", pc);
		if (memory_u64(s->memory, at, &at) != READ_OK)
			return false;
	}
	return false;
}

static bool kretprobe_resolve(struct session *s, uint64_t task, uint64_t retaddr_at, uint64_t *pc)
{
	uint64_t at, table;

	if (kread(s, task, "task_struct", "rethooks.first", &at))
		return list_resolve(s, at, "rethook_node", "llist", "frame", retaddr_at, pc);
	if (kread(s, task, "task_struct", "kretprobe_instances.first", &at))
		return list_resolve(s, at, "kretprobe_instance", "llist", "fp", retaddr_at, pc);
	table = symbols_address(s->symbols, "kretprobe_inst_table");
	for (unsigned i = 0; table && i < KRETPROBE_TABLE; i++) {
		if (memory_u64(s->memory, table + i * 8, &at) == READ_OK &&
		    list_resolve(s, at, "kretprobe_instance", "hlist", "fp", retaddr_at, pc))
			return true;
	}
	return false;
}

bool return_address_resolve(void *ctx, uint64_t retaddr_at, uint64_t *pc)
{
	struct stack_of_task *of = ctx;
	struct symbol symbol;

	if (!of || !of->task || !symbols_by_address(of->session->symbols, *pc, &symbol))
		return false;
	if (starts_with(symbol.name, "return_to_handler"))
		return graph_resolve(of->session, of->task, retaddr_at, pc);
	return kretprobe_resolve(of->session, of->task, retaddr_at, pc);
}
