// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A pipeline is compiled from left to right, as each stage's rows are what the next one's names
 * mean, and then run by pushing the source's rows through. What a command gives as rows is only
 * known when it has run: it runs first, and so does all before an "each" that is not the last.
 */
#include "pipeline/pipeline.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "pipeline/ops.h"

enum { DEPTH_MAX = 4 };

const struct op_kind *op_kind_of(enum stage_kind kind)
{
	static const struct op_kind *const kinds[] = {
		[STAGE_WHERE] = &op_where,   [STAGE_SELECT] = &op_select,
		[STAGE_SORT] = &op_sort,     [STAGE_TOP] = &op_top,
		[STAGE_FIRST] = &op_first,   [STAGE_LAST] = &op_last,
		[STAGE_COUNT] = &op_aggregate, [STAGE_SUM] = &op_aggregate,
		[STAGE_MIN] = &op_aggregate, [STAGE_MAX] = &op_aggregate,
		[STAGE_AVG] = &op_aggregate, [STAGE_UNIQUE] = &op_unique,
		[STAGE_FOLLOW] = &op_follow, [STAGE_WALK] = &op_walk,
		[STAGE_EACH] = &op_each,     [STAGE_STACKS] = &op_stacks,
	};

	return kinds[kind];
}

/* --- For stages --- */

static struct error *compile_list(struct op *op, const struct stage_exprs *list,
				  enum program_wish wish, struct row_expr **exprs, unsigned *count,
				  size_t *at)
{
	*exprs = arena_zalloc(&op->run->arena, (list->count + 1) * sizeof(**exprs));
	for (size_t i = 0; i < list->count; i++) {
		struct error *err = row_compile(&op->env, op->stage, &list->data[i], wish,
						&(*exprs)[i], at);
		++*count;
		if (err)
			return err;
	}
	return NULL;
}

struct error *op_compile(struct op *op, enum program_wish wish, size_t *at)
{
	struct error *err = compile_list(op, &op->stage->exprs, wish, &op->exprs,
					 &op->expr_count, at);

	return err ? err : compile_list(op, &op->stage->by, wish, &op->by, &op->by_count, at);
}

bool op_may_keep(struct op *op)
{
	struct run *run = op->run;

	if (++run->held <= ROWS_MAX)
		return true;
	if (!run->too_many)
		doc_remark(run->doc, REMARK_ERROR, "more than %d rows to keep: the rest is left out",
			   ROWS_MAX);
	run->too_many = true;
	return false;
}

/* As after any command. */
void run_remark_problems(struct run *run)
{
	const struct session *s = run->session;

	for (; run->known < s->problems.count; run->known++)
		doc_remark(run->doc, REMARK_HOLE, "%s", s->problems.data[run->known]);
}

void run_remark_lost(struct run *run, struct row_expr *expr)
{
	enum read_status status;
	uint64_t address;

	if (!expr->program || !expr->lost)
		return;
	if (program_lost(expr->program, &address, &status))
		doc_remark(run->doc, REMARK_HOLE,
			   "%s: of %zu row%s not known; the first at %016" PRIx64 ": %s",
			   expr->source->text, expr->lost, expr->lost == 1 ? "" : "s", address,
			   read_status_text(status));
	else
		doc_remark(run->doc, REMARK_HOLE, "%s: of %zu row%s not known",
			   expr->source->text, expr->lost, expr->lost == 1 ? "" : "s");
}

/* --- Chains of stages --- */

static struct op *new_op(struct chain *c, const struct op_kind *kind, const struct stage *stage,
			 const struct schema *in, size_t data_size)
{
	struct op *op = arena_zalloc(&c->run->arena, sizeof(*op));

	op->kind = kind;
	op->stage = stage;
	op->run = c->run;
	op->in = *in;
	op->data_size = data_size;
	row_env_init(&op->env, c->run->session, &op->in, &c->run->arena);
	if (c->last)
		c->last->next = op;
	else
		c->first = op;
	c->last = op;
	return op;
}

struct error *chain_build(struct chain *c, const struct pipeline *p, size_t from, size_t to,
			  const struct schema *schema, size_t data_size, bool show, size_t *at)
{
	for (size_t i = from; i < to; i++) {
		const struct stage *stage = &p->stages[i];
		struct op *op = new_op(c, op_kind_of(stage->kind), stage, schema, data_size);
		struct error *err = op->kind->begin(op, at);
		if (err)
			return err;
		schema = &op->out;
		data_size = op->data_size_out;
	}
	if (!show)
		return NULL;
	struct op *op = new_op(c, &op_show, NULL, schema, data_size);
	return op->kind->begin(op, at);
}

static void chain_finish(struct chain *c)
{
	for (struct op *op = c->first; op; op = op->next) {
		if (op->kind->finish && !session_stopped(c->run->session))
			op->kind->finish(op);
	}
}

void chain_end(struct chain *c)
{
	for (struct op *op = c->first; op; op = op->next) {
		for (unsigned i = 0; i < op->expr_count; i++) {
			run_remark_lost(op->run, &op->exprs[i]);
			row_expr_deinit(&op->exprs[i]);
		}
		for (unsigned i = 0; i < op->by_count; i++) {
			run_remark_lost(op->run, &op->by[i]);
			row_expr_deinit(&op->by[i]);
		}
		if (op->kind->end && op->state)
			op->kind->end(op);
		row_env_deinit(&op->env);
	}
}

/* --- Sources --- */

struct source {
	struct walking *walk; /* or */
	struct table *table;
	struct schema schema;
	size_t data_size;
};

struct walked_source {
	struct op *first;
	struct progress *progress;
};

static bool push_walked(void *ctx, const struct walked *object)
{
	const struct walked_source *w = ctx;

	progress_add(w->progress, 1);
	return op_push(w->first, &(struct row){ .object = *object });
}

static void source_run(struct source *source, struct op *first, struct session *s)
{
	struct walked_source w = { first, progress_start(&s->progress, "objects", 0) };

	if (source->walk)
		walk_each(source->walk, push_walked, &w);
	progress_stop(w.progress);
	for (size_t i = 0; source->table && i < source->table->count; i++) {
		if (!op_push(first, &source->table->rows[i]) || session_stopped(s))
			return;
	}
}

/* Where the next "each" is whose output goes on; the number of stages when there is none. */
static size_t next_break(const struct pipeline *p, size_t from)
{
	for (size_t i = from; i + 1 < p->count; i++) {
		if (p->stages[i].kind == STAGE_EACH)
			return i;
	}
	return p->count;
}

/* From @from on; the rows of an "each" on the way are the source of what is behind it. */
static struct error *run_stages(struct run *run, const struct pipeline *p, size_t from,
				struct source *source, size_t *at)
{
	struct chain c = { .run = run };
	size_t to = next_break(p, from);
	bool breaks = to < p->count;
	struct table table;

	struct error *err = chain_build(&c, p, from, breaks ? to + 1 : to, &source->schema,
					source->data_size,
					!breaks && (!p->count ||
						    p->stages[p->count - 1].kind != STAGE_EACH),
					at);
	if (!err) {
		if (!breaks && c.last->kind == &op_each)
			op_each_shows(c.last);
		source_run(source, c.first, run->session);
		chain_finish(&c);
	}
	if (!err && breaks) {
		struct each_docs *docs = op_each_docs(c.last);
		struct source next = { .table = &table };
		if (table_of_docs(docs->docs, docs->count, &c.last->in, docs->rows, run->session,
				  &run->arena, &table)) {
			next.schema = table.schema;
			err = run_stages(run, p, to + 1, &next, at);
		} else {
			doc_remark(run->doc, REMARK_NOTE, "stage %u (each): there are no rows in "
				   "what it gave", p->stages[to].number);
		}
	}
	chain_end(&c);
	return err;
}

static struct error *run_walker(struct run *run, const struct pipeline *p,
				const struct walker *walker, struct words *words, size_t *at)
{
	struct walking walk;
	struct source source = { .walk = &walk, .data_size = walker->data_size };

	struct error *err = words_walk(words, walker, &run->arena, false, &walk);
	if (err)
		return error_prefix(err, "%s", walker->name);
	source.schema = schema_of_walk(&walk);
	err = run_stages(run, p, 0, &source, at);
	walk_end(&walk);
	return err;
}

/* Problems that the command noted are remarks of the pipeline's. */
static struct error *run_command(struct run *run, const struct pipeline *p, size_t *at)
{
	struct table table;
	struct source source = { .table = &table };
	struct doc doc;

	doc_init(&doc);
	doc.media = DOC_IN_JSON;
	struct error *err = command_run(run->session, p->source, &doc);
	for (const struct doc_remark *r = doc.remarks; r; r = r->next)
		doc_remark(run->doc, r->kind, "%s", r->text);
	run->doc->incomplete |= doc.incomplete;
	run->known = run->session->problems.count;
	if (!err && !table_of_doc(&doc, run->session, &run->arena, &table))
		err = error_new(ERROR_USAGE, "there are no rows in what \"%s\" gives", p->source);
	if (!err) {
		source.schema = table.schema;
		err = run_stages(run, p, 0, &source, at);
	}
	doc_deinit(&doc);
	return err;
}

/* A walker, unless a command of that name is asked for: by an option, as no walker has any. */
static const struct walker *source_walker(const struct pipeline *p, const struct words *words)
{
	const char *name = words_at(words, 0);
	const struct walker *walker = walker_find(name);

	if (!walker || !command_find(name))
		return walker;
	for (int i = 1; i < words_count(words); i++) {
		const char *word = words_at(words, i);
		if (*word == '-' && isalpha((unsigned char)word[1]))
			return NULL;
	}
	return p->count ? walker : NULL;
}

static struct error *unknown_source(const char *name)
{
	struct nearest near = nearest_to(name);
	const struct walker *w;

	for (size_t i = 0; (w = walker_at(i)); i++)
		nearest_consider(&near, w->name);
	for (const struct command *const *c = commands; *c; c++)
		nearest_consider(&near, (*c)->name);
	return error_new(ERROR_USAGE, "there is no walker or command %s%s%s%s", name,
			 near.best ? " (did you mean " : " (\"walkers\" lists the walkers)",
			 near.best ? near.best : "", near.best ? "?)" : "");
}

static bool is_type(struct session *s, const char *word)
{
	char name[128];
	struct type type;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word, "."), word);
	return *word == '*' || types_find(s->types, name, &type);
}

static struct error *run_source(struct run *run, const struct pipeline *p, struct words *words,
				size_t *at)
{
	const struct walker *walker = source_walker(p, words);

	if (walker)
		return run_walker(run, p, walker, words, at);
	if (!command_find(words_at(words, 0)) && !is_type(run->session, words_at(words, 0)))
		return unknown_source(words_at(words, 0));
	return run_command(run, p, at);
}

static struct error *run_pipeline(struct run *run, const char *line, size_t *at)
{
	static const struct schema nothing = { 0 };
	struct row_env env;
	struct pipeline p;

	struct error *err = pipeline_parse(line, &run->arena, &p, at);
	if (err)
		return err;
	*at = SIZE_MAX;
	row_env_init(&env, run->session, &nothing, &run->arena);
	struct words *words = words_create(&env, run, p.source);
	err = run_source(run, &p, words, at);
	words_destroy(words);
	row_env_deinit(&env);
	return err;
}

/* Where the error is, under the line, for people. */
static void point_at(struct doc *doc, const char *line, size_t at)
{
	auto_strbuf blanks = { 0 };

	for (size_t i = 0; i < at && line[i]; i++) {
		if (((unsigned char)line[i] & 0xc0) != 0x80)
			strbuf_add_char(&blanks, line[i] == '\t' ? '\t' : ' ');
	}
	doc_textf(doc, STYLE_PLAIN, "    %s", line);
	doc_textf(doc, STYLE_BAD, "    %s^", strbuf_text(&blanks));
}

static struct error *run_here(struct session *session, const char *line, struct doc *doc,
			      unsigned depth)
{
	struct run run = { .session = session, .doc = doc, .depth = depth,
			   .known = session->problems.count };
	struct doc_node *node = doc->current;
	size_t at = SIZE_MAX;

	if (session->text)
		return error_new(ERROR_USAGE, "a text has no memory; pipelines need a dump");
	if (depth > DEPTH_MAX)
		return error_new(ERROR_USAGE, "pipelines are nested too deeply");
	struct error *err = run_pipeline(&run, line, &at);
	doc->current = node;
	if (err && at != SIZE_MAX && node->kind == DOC_RECORD)
		point_at(doc, line, at);
	if (session_stopped(session) && !depth)
		doc_remark(doc, REMARK_ERROR, "interrupted: this is not all");
	run_remark_problems(&run);
	arena_deinit(&run.arena);
	return err;
}

struct error *pipeline_run_inner(struct session *session, const char *line, struct doc *doc,
				 unsigned depth)
{
	char name[64];

	line += strspn(line, " \t");
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(line, " \t"), line);
	/* What an alias stands for is not run yet. */
	if (session && pipeline_operator(line) && strcmp(name, "alias") != 0)
		return run_here(session, line, doc, depth);
	if (session && !command_find(name) && walker_find(name))
		return run_here(session, line, doc, depth);
	return command_run(session, line, doc);
}

struct error *pipeline_run(struct session *session, const char *line, struct doc *doc)
{
	return pipeline_run_inner(session, line, doc, 0);
}
