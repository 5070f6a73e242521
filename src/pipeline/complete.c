// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What could come next in a pipeline: behind "|>" a stage, in a stage the names that its rows have:
 * columns, fields, members, or the members of what stands before a "." or "->". The stages before
 * are compiled for that, not run; of a command's rows nothing is known before it runs.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "pipeline/ops.h"
#include "pipeline/pipeline.h"

struct offers {
	struct session *session;
	void (*fn)(void *ctx, const char *word);
	void *ctx;
};

static void offer_stages(const struct offers *o)
{
	const struct stage_word *w;

	for (size_t i = 0; (w = stage_word_at(i)); i++)
		o->fn(o->ctx, w->name);
}

static void offer_members(const struct offers *o, struct type type, unsigned depth)
{
	struct member m;

	type = type_strip(type);
	if (type_kind(type) == TYPE_POINTER)
		type = type_strip(type_target(type));
	for (unsigned i = 0; type_member_at(type, i, &m); i++) {
		if (*m.name)
			o->fn(o->ctx, m.name);
		else if (depth < 8)
			offer_members(o, m.type, depth + 1);
	}
}

static void offer_names(const struct offers *o, const struct schema *schema)
{
	const char *type = schema_struct(schema);
	const struct walk_field *f;

	for (unsigned i = 0; i < schema->column_count; i++)
		o->fn(o->ctx, schema->columns[i].name);
	for (size_t i = 0; (f = walk_field_at(i)); i++) {
		if (walk_field_find(schema->walker, type, f->name) == f)
			o->fn(o->ctx, f->name);
	}
	if (schema->object.source)
		offer_members(o, schema->object, 0);
}

/* "mm->" at the end of the text: what is before the arrow. */
static char *path_before(const char *text, struct arena *arena)
{
	const char *end = text + strlen(text);

	if (end - text >= 2 && end[-1] == '>' && end[-2] == '-')
		end -= 2;
	else if (end > text && end[-1] == '.')
		end--;
	else
		return NULL;
	const char *start = end;
	while (start > text && (isalnum((unsigned char)start[-1]) || strchr("_$.[]", start[-1]) ||
				(start[-1] == '>' && start - text >= 2 && start[-2] == '-') ||
				(start[-1] == '-' && *start == '>')))
		start--;
	return start < end ? arena_strndup(arena, start, (size_t)(end - start)) : NULL;
}

/* Of rows with this schema, behind this text of a stage. */
static void offer_in_stage(const struct offers *o, struct run *run, const struct schema *schema,
			   const char *text)
{
	char *path = path_before(text, &run->arena);
	struct stage_expr source = { .text = path, .name = path };
	struct row_env env;
	struct row_expr expr;
	size_t at;

	if (!path) {
		offer_names(o, schema);
		return;
	}
	row_env_init(&env, run->session, schema, &run->arena);
	struct error *err = row_compile(&env, NULL, &source, PROGRAM_PLACE, &expr, &at);
	if (!err)
		offer_members(o, program_type(expr.program), 0);
	error_free(err);
	row_expr_deinit(&expr);
	row_env_deinit(&env);
}

/* The stages before are compiled; when they cannot be, nothing is known. */
static void offer_for(const struct offers *o, struct run *run, const char *before,
		      const char *text)
{
	static const struct schema nothing = { 0 };
	struct chain chain = { .run = run };
	struct walking walk;
	struct row_env env;
	struct pipeline p;
	size_t at;

	struct error *err = pipeline_parse(before, &run->arena, &p, &at);
	if (err) {
		error_free(err);
		return;
	}
	row_env_init(&env, run->session, &nothing, &run->arena);
	struct words *words = words_create(&env, run, p.source);
	const struct walker *walker = walker_find(words_at(words, 0));
	if (walker)
		err = words_walk(words, walker, &run->arena, true, &walk);
	if (walker && !err) {
		struct schema schema = schema_of_walk(&walk);
		walk_end(&walk);
		err = chain_build(&chain, &p, 0, p.count, &schema, walker->data_size, false, &at);
		if (!err)
			offer_in_stage(o, run, chain.last ? &chain.last->out : &schema, text);
		chain_end(&chain);
	}
	error_free(err);
	words_destroy(words);
	row_env_deinit(&env);
}

static bool ends_with_shell(const char *text)
{
	const char *bar = strrchr(text, '|');

	/* Bit-or stands in parentheses, or there is more behind it. */
	return bar && bar[1] != '>' && !strchr(text, '(') && bar > text && bar[-1] != '|';
}

bool pipeline_complete(struct session *session, const char *text,
		       void (*fn)(void *ctx, const char *word), void *ctx)
{
	struct offers offers = { session, fn, ctx };
	const char *op = pipeline_operator(text), *next;
	const struct walker *w;
	struct doc doc;

	if (!op)
		return false;
	while ((next = pipeline_operator(op + 2)))
		op = next;
	const char *stage = op + 2;
	while (isspace((unsigned char)*stage))
		stage++;
	if (ends_with_shell(stage))
		return false;
	if (!*stage) {
		offer_stages(&offers);
		return true;
	}
	if (strncmp(stage, "each ", 5) == 0 || (strncmp(stage, "walk ", 5) == 0 &&
						!stage[5 + strspn(stage + 5, " ")])) {
		for (size_t i = 0; (w = walker_at(i)) && *stage == 'w'; i++)
			fn(ctx, w->name);
		for (const struct command *const *c = commands; *c && *stage == 'e'; c++)
			fn(ctx, (*c)->name);
		return true;
	}
	if (!session)
		return true;
	doc_init(&doc);
	struct run run = { .session = session, .doc = &doc };
	auto_free char *before = xstrndup(text, (size_t)(op - text));
	offer_for(&offers, &run, before, stage);
	arena_deinit(&run.arena);
	doc_deinit(&doc);
	return true;
}
