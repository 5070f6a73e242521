// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * waitq: who waits in a wait queue. What is named may be the queue itself, simple or not, or a
 * completion, which is one with a counter.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands/args.h"
#include "commands/show.h"
#include "commands/table.h"
#include "commands/task_text.h"
#include "kernel/wait_queues.h"

static const struct column waitq_columns[] = {
	{ .key = "pid", .title = "PID", .right = true },
	{ .key = "task", .title = "TASK" },
	{ .key = "cpu", .title = "CPU", .right = true },
	{ .key = "state", .title = "ST" },
	{ .key = "comm", .title = "COMM", .style = STYLE_STRONG },
	{ .key = "function", .title = "WOKEN BY" },
	{ .key = "exclusive", .title = NULL },
	{ .key = NULL, .title = "" },
	{ .key = "entry", .title = "ENTRY" },
};

struct waitq_run {
	struct command_args *args;
	size_t count;
};

static bool add_waiter(void *ctx, const struct wait_queue_waiter *w)
{
	struct waitq_run *run = ctx;
	struct session *s = run->args->session;
	struct arena *arena = &run->args->doc->arena;
	const struct task *task = w->task ? task_by_address(s, w->task) : NULL;
	char letter[2] = { task ? task_state_letter(task) : '?', '\0' }, name[256] = "";

	if (w->function)
		address_name(s, w->function, name, sizeof(name));
	doc_row(run->args->doc, task ? pid_cell(task) : cell_none(),
		w->task ? cell_address(w->task) : cell_none(),
		task ? cpu_cell(task) : cell_none(),
		task ? cell_shown(cell_str(letter), task_state_name(task)) : cell_none(),
		task ? cell_str(task_comm(arena, task)) : cell_shown(cell_none(), "(no task)"),
		w->simple ? cell_shown(cell_none(), "a simple queue")
			  : cell_str(name[0] ? name : NULL),
		cell_bool(w->exclusive), cell_str(w->exclusive ? "exclusive" : ""),
		cell_address(w->entry));
	run->count++;
	return true;
}

/* What kind of queue an object of @type is, and where in it; an error when it is none. */
static struct error *kind_of_type(const char *word, struct type type, enum wait_queue_kind *kind,
				  uint64_t *address)
{
	const char *name = type_name(type_strip(type));
	struct member wait;

	*kind = WAIT_QUEUE_ANY;
	if (strcmp(name, "wait_queue_head") == 0 || strcmp(name, "__wait_queue_head") == 0) {
		*kind = WAIT_QUEUE_USUAL;
	} else if (strcmp(name, "swait_queue_head") == 0) {
		*kind = WAIT_QUEUE_SIMPLE;
	} else if (strcmp(name, "completion") == 0 && type_find_member(type, "wait", &wait)) {
		*address += wait.offset;
		return kind_of_type(word, wait.type, kind, address);
	} else {
		char spelling[256];
		type_spell(type, spelling, sizeof(spelling));
		return error_new(ERROR_USAGE, "%s is a %s, not a wait queue", word, spelling);
	}
	return NULL;
}

/* "task_struct.signal.wait_chldexit ADDRESS" */
static struct error *parse_member(struct session *s, const char *word, const char *object,
				  enum wait_queue_kind *kind, uint64_t *address)
{
	size_t length = strcspn(word, ".");
	struct member member;
	struct type type;

	if (!word[length])
		return error_new(ERROR_USAGE, "%s is not STRUCT.MEMBER", word);
	auto_free char *name = xasprintf("struct %.*s", (int)length, word);
	if (!types_find(s->types, name, &type) && !types_find(s->types, name + 7, &type))
		return error_new(ERROR_NOT_FOUND, "there is no %s in this kernel's types", name);
	if (!type_find_member(type, word + length + 1, &member))
		return error_new(ERROR_NOT_FOUND, "%s has no member %s", name, word + length + 1);
	struct error *err = parse_address(s, object, address);
	if (err)
		return err;
	*address += member.offset;
	return kind_of_type(word, member.type, kind, address);
}

/* A symbol, or an address; a symbol's type is looked at where it is known. */
static struct error *parse_queue(struct session *s, const char *word, enum wait_queue_kind *kind,
				 uint64_t *address)
{
	struct symbol symbol;
	struct type type;
	struct error *err = parse_address(s, word, address);

	*kind = WAIT_QUEUE_ANY;
	if (!err && s->symbols && symbols_by_name(s->symbols, word, &symbol) &&
	    symbol.address == *address && types_variable(s->types, word, &type))
		err = kind_of_type(word, type, kind, address);
	return err;
}

static struct error *run_waitq(struct command_args *args)
{
	static const char *const kinds[] = { NULL, "wait_queue_head", "swait_queue_head" };
	struct waitq_run run = { .args = args };
	struct walk_trouble trouble = { 0 };
	enum wait_queue_kind kind;
	struct options options;
	uint64_t address;

	struct error *err = options_parse(args, NULL, 0, &options);
	if (!err && (options.word_count < 1 || options.word_count > 2))
		err = error_new(ERROR_USAGE, "usage: waitq %s", command_waitq.usage);
	if (err)
		return err;
	const char *word = options.words[0];
	if (options.word_count == 2)
		err = parse_member(args->session, word, options.words[1], &kind, &address);
	else
		err = parse_queue(args->session, word, &kind, &address);
	if (err)
		return err;
	doc_table(args->doc, "waiters", waitq_columns, array_size(waitq_columns));
	kind = wait_queue_each(args->session, address, kind, add_waiter, &run, &trouble);
	if (!run.count && !trouble.count)
		doc_textf(args->doc, STYLE_PLAIN, "wait queue \"%s\" (%" PRIx64 ") is empty", word,
			  address);
	if (!run.count)
		doc_bare(args->doc);
	doc_end(args->doc);
	doc_field(args->doc, "queue", NULL, cell_address(address));
	doc_field(args->doc, "kind", NULL, cell_str(kinds[kind]));
	if (trouble.count)
		doc_remark(args->doc, run.count ? REMARK_HOLE : REMARK_ERROR, "%s", trouble.text);
	return NULL;
}

const struct command command_waitq = {
	.name = "waitq",
	.usage = "SYMBOL | ADDRESS | STRUCT.MEMBER ADDRESS",
	.summary = "tasks that wait in a wait queue",
	.help = "Who waits in a wait queue in order: the task, the function that would wake it up, and\n"
		"whether it would be woken alone (exclusive). An entry may stand for no task, as those\n"
		"of epoll do. Simple queues (struct swait_queue_head) and completions will do, too.\n"
		"Examples: waitq log_wait | waitq signal_struct.wait_chldexit init_signals",
	.run = run_waitq,
};
