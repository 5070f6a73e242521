// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * bt -u: unique stacks. The heading of each tells how many tasks have it, in which states, with
 * which names and pids:
 *
 *	COUNT: 1990  STATE: UN  COMMAND: "crowd" (1980), "init" (10)  PID: 104-2083, 2101
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/strbuf.h"
#include "commands/bt_views.h"
#include "kernel/stack_fold.h"
#include "kernel/task_stacks.h"

enum { NAMES_SHOWN = 4, RANGES_SHOWN = 6 };

static const struct column task_columns[] = {
	{ .key = "pid" }, { .key = "task" }, { .key = "comm" }, { .key = "state" },
};

/* Words with how often they came, in order of appearance: states, names. */
struct tally {
	struct {
		char word[20];
		size_t count;
	} entry[4096];
	size_t used, others; /* others: words that found no place any more */
	struct map by_word;
};

static void tally_add(struct tally *tally, const char *word, size_t count)
{
	uint64_t index;

	if (map_get_name(&tally->by_word, word, &index)) {
		tally->entry[index].count += count;
		return;
	}
	if (tally->used == array_size(tally->entry)) {
		tally->others += count;
		return;
	}
	snprintf(tally->entry[tally->used].word, sizeof(tally->entry[0].word), "%s", word);
	map_set_name(&tally->by_word, tally->entry[tally->used].word, tally->used);
	tally->entry[tally->used++].count = count;
}

static void tally_destroy(struct tally *tally)
{
	map_deinit(&tally->by_word);
	free(tally);
}

/* "visitor/17" as "visitor/#": of many workers each has a name of its own. */
static void without_numbers(const struct tally *tally, struct tally *folded)
{
	for (size_t i = 0; i < tally->used; i++) {
		char plain[sizeof(tally->entry[0].word)];
		size_t n = 0;
		for (const char *c = tally->entry[i].word; *c; c++) {
			bool digit = *c >= '0' && *c <= '9';
			if (!digit || !n || plain[n - 1] != '#')
				plain[n++] = digit ? '#' : *c;
		}
		plain[n] = '\0';
		tally_add(folded, plain, tally->entry[i].count);
	}
	folded->others += tally->others;
}

static void tally_text(const struct tally *tally, const char *quote, struct strbuf *text)
{
	for (size_t i = 0; i < tally->used && i < NAMES_SHOWN; i++) {
		strbuf_addf(text, "%s%s%s%s", i ? ", " : "", quote, tally->entry[i].word, quote);
		if (tally->used > 1)
			strbuf_addf(text, " (%zu)", tally->entry[i].count);
	}
	if (tally->used > NAMES_SHOWN)
		strbuf_addf(text, " and %zu more", tally->used - NAMES_SHOWN);
}

/* "104-2083, 2101, ...": tasks are sorted by pid. */
static void pid_ranges(const struct stack_group *group, struct strbuf *text)
{
	unsigned shown = 0;

	for (size_t i = 0, end; i < group->count; i = end) {
		for (end = i + 1; end < group->count &&
				  group->tasks[end]->pid == group->tasks[end - 1]->pid + 1;)
			end++;
		if (shown++ == RANGES_SHOWN) {
			strbuf_add(text, " ...");
			return;
		}
		strbuf_addf(text, "%s%d", i ? ", " : "", group->tasks[i]->pid);
		if (end - i > 1)
			strbuf_addf(text, "-%d", group->tasks[end - 1]->pid);
	}
}

static void add_heading(struct doc *doc, const struct stack_group *group)
{
	struct tally *states = xcalloc(1, sizeof(*states));
	struct tally *names = xcalloc(1, sizeof(*names)), *plain = xcalloc(1, sizeof(*plain));
	auto_strbuf text = { 0 };

	for (size_t i = 0; i < group->count; i++) {
		char comm[sizeof(group->tasks[i]->comm) + 1];
		snprintf(comm, sizeof(comm), "%.*s", (int)sizeof(group->tasks[i]->comm),
			 group->tasks[i]->comm);
		tally_add(states, task_state_name(group->tasks[i]), 1);
		tally_add(names, comm, 1);
	}
	strbuf_addf(&text, "COUNT: %zu  STATE: ", group->count);
	tally_text(states, "", &text);
	strbuf_add(&text, "  COMMAND: ");
	if (names->used > NAMES_SHOWN)
		without_numbers(names, plain);
	tally_text(plain->used ? plain : names, "\"", &text);
	strbuf_add(&text, "  PID: ");
	pid_ranges(group, &text);
	doc_heading(doc, "%s", strbuf_text(&text));
	tally_destroy(states);
	tally_destroy(names);
	tally_destroy(plain);
}

static void add_group(struct session *s, struct doc *doc, const struct stack_group *group,
		      const struct bt_options *options)
{
	struct stack stack = { .frames = group->frames, .count = group->depth,
			       .end = group->end };

	snprintf(stack.reason, sizeof(stack.reason), "%s", group->reason);
	doc_record(doc, NULL, NULL);
	add_heading(doc, group);
	doc_field(doc, "count", NULL, cell_udec(group->count));
	doc_table(doc, "tasks", task_columns, array_size(task_columns));
	doc_hidden(doc);
	for (size_t i = 0; i < group->count; i++) {
		const struct task *task = group->tasks[i];
		char letter[2] = { task_state_letter(task), '\0' };
		doc_row(doc, task_is_named(task) ? cell_dec(task->pid) : cell_none(),
			cell_hex(task->address),
			cell_str(arena_strndup(&doc->arena, task->comm, sizeof(task->comm))),
			cell_str(letter));
	}
	doc_end(doc);
	bt_frames(s, doc, &stack, options);
	if (stack.end == STACK_END_USER) /* registers differ from task to task */
		doc_textf(doc, STYLE_FAINT, "    user mode");
	if (stack.end == STACK_END_USER)
		doc_field(doc, "end", NULL, cell_str("user"));
	else
		bt_end(s, doc, &stack, options);
	doc_end(doc);
}

struct filter {
	struct session *session;
	const struct bt_ref *ref;
	const struct bt_tasks *of;
	bool *holds;
};

static void note_held(void *ctx, size_t i, const struct stack *stack)
{
	struct filter *filter = ctx;

	filter->holds[i] =
		bt_ref_holds(filter->session, filter->ref, filter->of->data[i], stack);
}

/* The tasks whose stacks hold what was asked for: words differ where frames are the same. */
static void keep_held(struct session *s, const struct bt_tasks *of, const struct bt_ref *ref,
		      struct bt_tasks *kept)
{
	struct filter filter = { .session = s, .ref = ref, .of = of };
	auto_free bool *holds = xcalloc(of->count + 1, sizeof(*holds));

	filter.holds = holds;
	if (!ref->any)
		task_stacks_each(s, of->data, of->count, note_held, &filter);
	for (size_t i = 0; i < of->count; i++) {
		if (ref->any || holds[i])
			vec_push(kept, of->data[i]);
	}
}

void bt_unique(struct command_args *args, const struct bt_tasks *of, const struct bt_ref *ref,
	       const struct bt_options *wanted)
{
	struct session *s = args->session;
	struct bt_options options = *wanted;
	struct bt_tasks kept = { 0 };
	struct stack_fold fold;

	options.no_sp = true;
	options.no_registers = true;
	keep_held(s, of, ref, &kept);
	stack_fold_create(s, kept.data, kept.count, &fold);
	doc_array(args->doc, "stacks", NULL);
	for (size_t i = 0; i < fold.count && !session_stopped(s); i++)
		add_group(s, args->doc, &fold.groups[i], &options);
	doc_end(args->doc);
	doc_field(args->doc, "tasks", NULL, cell_udec(fold.tasks));
	doc_textf(args->doc, STYLE_FAINT, "%zu task%s, %zu different stack%s", fold.tasks,
		  fold.tasks == 1 ? "" : "s", fold.count, fold.count == 1 ? "" : "s");
	if (fold.incomplete)
		doc_remark(args->doc, REMARK_HOLE, "%zu stack%s could not be followed to the end",
			   fold.incomplete, fold.incomplete == 1 ? "" : "s");
	stack_fold_deinit(&fold);
	vec_deinit(&kept);
}
