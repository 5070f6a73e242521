// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Stages that go from each row somewhere else: follow a pointer, walk from it, run a command for
 * it. Columns that were there before stay with what comes of a row.
 */
#include <string.h>

#include "commands/command.h"
#include "pipeline/ops.h"

/* --- follow --- */

static struct error *follow_begin(struct op *op, size_t *at)
{
	struct error *err = op_compile(op, PROGRAM_PLACE, at);

	if (err)
		return err;
	const struct row_expr *e = &op->exprs[0];
	struct type type = type_strip(program_type(e->program));
	if (type_kind(type) == TYPE_POINTER)
		type = type_target(type);
	enum type_kind kind = type_kind(type_strip(type));
	if (kind != TYPE_STRUCT && kind != TYPE_UNION)
		return place_error(error_new(ERROR_USAGE, "%s is no pointer to a struct: cast it",
					     e->source->text), op->stage, e->source->at, 0, at);
	op->out = (struct schema){ .object = type, .columns = op->in.columns,
				   .column_count = op->in.column_count };
	return NULL;
}

static bool follow_push(struct op *op, const struct row *row)
{
	struct cell_value to;

	row_env_set(&op->env, row);
	row_eval(&op->exprs[0], &to);
	if (to.datum.kind == DATUM_NONE || !to.datum.number)
		return true;
	return op_push(op->next, &(struct row){ .object = { .address = to.datum.number,
							   .cpu = -1 },
						.cells = row->cells });
}

const struct op_kind op_follow = { follow_begin, follow_push, NULL, NULL };

/* --- walk --- */

struct inner_walk {
	struct op *op;
	struct words *words;
	const struct walker *walker;
	const struct row *row;
	size_t failed;
	bool stopped;
};

static struct error *walk_begin_stage(struct op *op, size_t *at)
{
	struct inner_walk *w = arena_zalloc(&op->run->arena, sizeof(*w));
	struct walking walk;

	op->state = w;
	w->op = op;
	w->words = words_create(&op->env, op->run, op->stage->rest);
	w->walker = walker_find(words_at(w->words, 0));
	if (!w->walker)
		return place_error(error_new(ERROR_USAGE, "there is no walker %s",
					     words_at(w->words, 0)), op->stage,
				   op->stage->rest_at, 0, at);
	struct error *err = words_walk(w->words, w->walker, &op->run->arena, true, &walk);
	if (err)
		return words_place(w->words, err, op->stage, at);
	op->out = schema_of_walk(&walk);
	op->out.columns = op->in.columns;
	op->out.column_count = op->in.column_count;
	op->data_size_out = w->walker->data_size;
	walk_end(&walk);
	return NULL;
}

static bool push_inner(void *ctx, const struct walked *object)
{
	struct inner_walk *w = ctx;

	w->stopped = !op_push(w->op->next, &(struct row){ .object = *object,
							  .cells = w->row->cells });
	return !w->stopped;
}

static bool walk_push(struct op *op, const struct row *row)
{
	struct inner_walk *w = op->state;
	struct arena arena = { 0 };
	struct walking walk;

	row_env_set(&op->env, row);
	w->row = row;
	struct error *err = words_walk(w->words, w->walker, &arena, false, &walk);
	if (err) {
		/* That a pointer is NULL means that there is nothing to walk. */
		w->failed += err->code != ERROR_MISSING;
		if (w->failed == 1 && err->code != ERROR_MISSING)
			doc_remark(op->run->doc, REMARK_ERROR, "stage %u (walk): %s",
				   op->stage->number, err->message);
		error_free(err);
	} else {
		walk_each(&walk, push_inner, w);
		walk_end(&walk);
	}
	arena_deinit(&arena);
	return !w->stopped && !session_stopped(op->run->session);
}

static void walk_end_stage(struct op *op)
{
	struct inner_walk *w = op->state;

	if (w->failed > 1)
		doc_remark(op->run->doc, REMARK_ERROR, "stage %u (walk): no walk from %zu rows",
			   op->stage->number, w->failed);
	words_destroy(w->words);
}

const struct op_kind op_walk = { walk_begin_stage, walk_push, NULL, walk_end_stage };

/* --- each --- */

enum { COMPLAINTS_MAX = 5 };

/* A command with the row that it is for. */
struct filled {
	const char *command;
	struct row row;
};

/*
 * The commands run when all rows have come: what they do to the session (wr, mod) may take away
 * what a walk walks on.
 */
struct each {
	struct filler *filler;
	struct strbuf command;
	struct { vec_fields(struct filled); } commands;
	bool shows;    /* it is the last stage: what it gives is shown as it is */
	bool nested;   /* the command is a pipeline in parentheses */
	size_t failed, unknown;
	struct each_docs docs;
};

struct each_docs *op_each_docs(struct op *op)
{
	return &((struct each *)op->state)->docs;
}

static struct error *each_begin(struct op *op, size_t *at)
{
	struct each *e = arena_zalloc(&op->run->arena, sizeof(*e));
	const char *text = op->stage->rest;
	size_t length = strlen(text), text_at = op->stage->rest_at;

	op->state = e;
	op->out = op->in;
	op->data_size_out = op->data_size;
	e->nested = text[0] == '(' && text[length - 1] == ')';
	if (e->nested) {
		text = arena_strndup(&op->run->arena, text + 1, length - 2);
		text_at++;
	}
	return filler_create(op, text, text_at, &e->filler, at);
}

static struct error *run_it(struct op *op, struct each *e, const char *line, struct doc *doc)
{
	if (e->nested)
		return pipeline_run_inner(op->run->session, line, doc, op->run->depth + 1);
	return command_run(op->run->session, line, doc);
}

static void complain(struct op *op, struct each *e, struct error *err)
{
	if (!err)
		return;
	if (++e->failed <= COMPLAINTS_MAX)
		doc_remark(op->run->doc, REMARK_ERROR, "%s", err->message);
	error_free(err);
}

/* What it gives as a part of the whole. */
static void show_one(struct op *op, struct each *e, const char *command)
{
	struct doc *doc = op->run->doc;
	struct doc_node *node;

	doc_record(doc, NULL, arena_strdup(&doc->arena, command));
	doc_field(doc, "command", NULL, cell_str(command));
	node = doc->current;
	complain(op, e, run_it(op, e, command, doc));
	/* A command may have left early, with nodes open. */
	doc->current = node;
	doc_end(doc);
}

static void keep_one(struct op *op, struct each *e, const struct filled *filled)
{
	struct each_docs *docs = &e->docs;
	struct doc doc;

	doc_init(&doc);
	doc.media = DOC_IN_JSON;
	complain(op, e, run_it(op, e, filled->command, &doc));
	for (const struct doc_remark *r = doc.remarks; r; r = r->next)
		doc_remark(op->run->doc, r->kind, "%s", r->text);
	op->run->doc->incomplete |= doc.incomplete;
	/* The root of a document is pointed to from inside. */
	size_t before = docs->count;
	if (before == docs->capacity) {
		docs->capacity = before ? before * 2 : 8;
		docs->docs = xreallocarray(docs->docs, docs->capacity, sizeof(*docs->docs));
		docs->rows = xreallocarray(docs->rows, docs->capacity, sizeof(*docs->rows));
	}
	docs->docs[before] = doc;
	docs->rows[before] = filled->row;
	docs->count++;
}

static bool each_push(struct op *op, const struct row *row)
{
	struct each *e = op->state;
	struct arena *arena = &op->run->arena;

	row_env_set(&op->env, row);
	if (!filler_fill(e->filler, &e->command)) {
		e->unknown++;
		return true;
	}
	if (!op_may_keep(op))
		return false;
	struct filled filled = { .command = arena_strdup(arena, strbuf_text(&e->command)) };
	if (!e->shows)
		filled.row = row_keep(row, &op->in, op->data_size, arena);
	vec_push(&e->commands, filled);
	return true;
}

static void each_finish(struct op *op)
{
	struct each *e = op->state;
	struct session *s = op->run->session;

	/* What the walk found missing; what a command does is told with its output. */
	run_remark_problems(op->run);
	for (size_t i = 0; i < e->commands.count && !session_stopped(s) && !s->context.quit; i++) {
		if (e->shows)
			show_one(op, e, e->commands.data[i].command);
		else
			keep_one(op, e, &e->commands.data[i]);
		op->run->known = s->problems.count;
	}
}

void op_each_shows(struct op *op)
{
	((struct each *)op->state)->shows = true;
	doc_array(op->run->doc, "each", NULL);
}

static void each_end(struct op *op)
{
	struct each *e = op->state;

	if (e->failed > COMPLAINTS_MAX)
		doc_remark(op->run->doc, REMARK_ERROR, "%zu more like these",
			   e->failed - COMPLAINTS_MAX);
	if (e->unknown)
		doc_remark(op->run->doc, REMARK_NOTE, "stage %u (each): left out %zu rows of which "
			   "a value is not known%s", op->stage->number, e->unknown,
			   e->nested ? ", or holds a \"|>\"" : ", or would be an option");
	filler_destroy(e->filler);
	strbuf_deinit(&e->command);
	vec_deinit(&e->commands);
	for (size_t i = 0; i < e->docs.count; i++)
		doc_deinit(&e->docs.docs[i]);
	free(e->docs.docs);
	free(e->docs.rows);
}

const struct op_kind op_each = { each_begin, each_push, each_finish, each_end };
