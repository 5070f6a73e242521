// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The notation of pipelines (docs/pipelines.md). Only its own words are looked at here: "|>", the
 * name of a stage, commas, "by", "as". Expressions are left as text with their place in the line.
 */
#include "pipeline/parse.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "base/strbuf.h"

enum form {
	FORM_EXPR,      /* one */
	FORM_EXPRS,     /* one or more, "as" allowed */
	FORM_ORDER,     /* one or more, "-" before and "desc" behind allowed */
	FORM_TOP,       /* N EXPR */
	FORM_NUMBER,    /* [N] */
	FORM_COUNT,     /* [by EXPRS] */
	FORM_AGGREGATE, /* EXPRS [by EXPRS] */
	FORM_REST,
	FORM_MAYBE_REST,
};

static const struct {
	struct stage_word word;
	enum form form;
} forms[] = {
	{ { "where", "EXPR", "only rows for which the expression is true", STAGE_WHERE },
	  FORM_EXPR },
	{ { "select", "EXPR [as NAME], ...", "these columns", STAGE_SELECT }, FORM_EXPRS },
	{ { "sort", "[-]EXPR, ...", "in this order; - turns it round", STAGE_SORT }, FORM_ORDER },
	{ { "top", "N EXPR", "the N rows with the largest value", STAGE_TOP }, FORM_TOP },
	{ { "first", "[N]", "the first N rows (10)", STAGE_FIRST }, FORM_NUMBER },
	{ { "last", "[N]", "the last N rows (10)", STAGE_LAST }, FORM_NUMBER },
	{ { "count", "[by EXPR, ...]", "how many rows, or how many of each kind", STAGE_COUNT },
	  FORM_COUNT },
	{ { "sum", "EXPR, ... [by EXPR, ...]", "the sum, of all or of each kind", STAGE_SUM },
	  FORM_AGGREGATE },
	{ { "min", "EXPR, ... [by EXPR, ...]", "the smallest value", STAGE_MIN }, FORM_AGGREGATE },
	{ { "max", "EXPR, ... [by EXPR, ...]", "the largest value", STAGE_MAX }, FORM_AGGREGATE },
	{ { "avg", "EXPR, ... [by EXPR, ...]", "the mean", STAGE_AVG }, FORM_AGGREGATE },
	{ { "unique", "EXPR, ...", "the first row with each value", STAGE_UNIQUE }, FORM_EXPRS },
	{ { "follow", "EXPR", "the object that the pointer leads to, instead of the row",
	    STAGE_FOLLOW }, FORM_EXPR },
	{ { "walk", "WALKER ...", "a walk from each object", STAGE_WALK }, FORM_REST },
	{ { "each", "COMMAND", "the command for each row: $ is its address, {EXPR} a value",
	    STAGE_EACH }, FORM_REST },
	{ { "stacks", "[FUNCTION] [module NAME]", "tasks with the same stack, counted",
	    STAGE_STACKS }, FORM_MAYBE_REST },
};

static const struct {
	const char *alias, *name;
} aliases[] = { { "head", "first" }, { "tail", "last" }, { "uniq", "unique" },
		{ "filter", "where" } };

const struct stage_word *stage_word_at(size_t i)
{
	return i < array_size(forms) ? &forms[i].word : NULL;
}

/* --- Scanning --- */

/* The end of the quoted text that begins at @s. */
static const char *skip_quoted(const char *s)
{
	char quote = *s++;

	while (*s && *s != quote)
		s += s[0] == '\\' && s[1] ? 2 : 1;
	return *s ? s + 1 : s;
}

/*
 * The next place, from @s up to @end, outside of quotes and brackets where @wanted says so; NULL
 * when there is none.
 */
static const char *scan(const char *s, const char *end, bool (*wanted)(const char *s))
{
	int depth = 0;

	while (s < end && *s) {
		if (!depth && wanted(s))
			return s;
		if (*s == '"' || *s == '\'') {
			s = skip_quoted(s);
			continue;
		}
		depth += strchr("([{", *s) != NULL;
		depth -= strchr(")]}", *s) && depth;
		s++;
	}
	return NULL;
}

static bool is_operator(const char *s)
{
	return s[0] == '|' && s[1] == '>';
}

static bool is_comma(const char *s)
{
	return *s == ',';
}

static bool is_word(const char *s, const char *word)
{
	size_t length = strlen(word);

	return isspace((unsigned char)s[0]) && strncmp(s + 1, word, length) == 0 &&
	       !isalnum((unsigned char)s[1 + length]) && s[1 + length] != '_';
}

static bool is_by(const char *s)
{
	return is_word(s, "by");
}

static bool is_as(const char *s)
{
	return is_word(s, "as");
}

static bool is_desc(const char *s)
{
	return is_word(s, "desc");
}

const char *pipeline_operator(const char *line)
{
	return scan(line, line + strlen(line), is_operator);
}

/* --- Parsing --- */

struct parser {
	const char *line;
	struct arena *arena;
	const struct stage *stage; /* NULL: the source */
	size_t *at;
};

static struct error *fail(struct parser *p, const char *where, const char *fmt, ...)
	printf_like(3, 4) must_check;

static struct error *fail(struct parser *p, const char *where, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	*p->at = (size_t)(where - p->line);
	if (p->stage)
		return error_new(ERROR_USAGE, "stage %u (%s): %s at column %zu", p->stage->number,
				 p->stage->word, text, *p->at + 1);
	return error_new(ERROR_USAGE, "%s at column %zu", text, *p->at + 1);
}

static void trim(const char **start, const char **end)
{
	while (*start < *end && isspace((unsigned char)**start))
		++*start;
	while (*end > *start && isspace((unsigned char)(*end)[-1]))
		--*end;
}

static bool is_name(const char *s, const char *end)
{
	if (s == end || isdigit((unsigned char)*s))
		return false;
	for (; s < end; s++) {
		if (!isalnum((unsigned char)*s) && *s != '_')
			return false;
	}
	return true;
}

/* The name behind the last "as", which is cut off. */
static struct error *take_name(struct parser *p, const char *start, const char **end,
			       struct stage_expr *expr)
{
	const char *as = NULL, *s = start;

	while ((s = scan(s, *end, is_as)) && s < *end)
		as = s++;
	if (!as)
		return NULL;
	const char *name = as + 3, *name_end = *end;
	trim(&name, &name_end);
	if (!is_name(name, name_end))
		return fail(p, name, "a name is expected behind \"as\"");
	expr->name = arena_strndup(p->arena, name, (size_t)(name_end - name));
	expr->named = true;
	*end = as;
	return NULL;
}

static struct error *take_expr(struct parser *p, const char *start, const char *end, bool order,
			       struct stage_expr *expr)
{
	struct error *err = NULL;

	*expr = (struct stage_expr){ 0 };
	trim(&start, &end);
	if (order && start < end && *start == '-') {
		expr->descending = true;
		start++;
	}
	const char *desc = order ? scan(start, end, is_desc) : NULL;
	if (desc && desc + 5 == end) {
		expr->descending = true;
		end = desc;
	}
	if (!order)
		err = take_name(p, start, &end, expr);
	trim(&start, &end);
	if (!err && start == end)
		err = fail(p, start, "an expression is expected");
	if (err)
		return err;
	expr->text = arena_strndup(p->arena, start, (size_t)(end - start));
	expr->at = (size_t)(start - p->line);
	if (!expr->name)
		expr->name = expr->text;
	return NULL;
}

static struct error *take_exprs(struct parser *p, const char *start, const char *end, bool order,
				struct stage_exprs *exprs)
{
	struct stage_expr found[PIPELINE_EXPRS_MAX];
	size_t count = 0;

	for (;;) {
		const char *comma = scan(start, end, is_comma);
		if (count == array_size(found))
			return fail(p, start, "at most %d expressions", PIPELINE_EXPRS_MAX);
		struct error *err = take_expr(p, start, comma ? comma : end, order, &found[count]);
		if (err)
			return err;
		count++;
		if (!comma)
			break;
		start = comma + 1;
	}
	exprs->data = memcpy(arena_alloc(p->arena, sizeof(found)), found, count * sizeof(*found));
	exprs->count = count;
	return NULL;
}

static struct error *take_number(struct parser *p, const char **start, const char *end,
				 bool required, uint64_t *n)
{
	size_t length = strcspn(*start, " \t|");

	if (length > (size_t)(end - *start))
		length = (size_t)(end - *start);
	auto_free char *word = xstrndup(*start, length);
	if (!parse_u64(word, n)) {
		if (*word && !required)
			return fail(p, *start, "%s is no number", word);
		return fail(p, *start, "how many? (top 10 EXPR)");
	}
	*start += length;
	return NULL;
}

static struct error *parse_number(struct parser *p, const char *start, const char *end,
				  struct stage *stage)
{
	enum { USUAL = 10 };

	stage->n = USUAL;
	if (start == end)
		return NULL;
	struct error *err = take_number(p, &start, end, false, &stage->n);
	trim(&start, &end);
	if (!err && start < end)
		err = fail(p, start, "nothing is expected behind the number");
	return err;
}

static struct error *parse_top(struct parser *p, const char *start, const char *end,
			       struct stage *stage)
{
	struct error *err = take_number(p, &start, end, true, &stage->n);

	return err ? err : take_exprs(p, start, end, true, &stage->exprs);
}

/* [EXPRS] [by EXPRS] */
static struct error *parse_aggregate(struct parser *p, const char *start, const char *end,
				     bool counts, struct stage *stage)
{
	/* "by" may come first: a blank before it belongs to it. */
	const char *by = scan(start - 1, end, is_by);
	struct error *err = NULL;

	const char *exprs_end = by ? by : end;
	if (exprs_end < start)
		exprs_end = start;
	if (counts && exprs_end > start)
		return fail(p, start, "count takes nothing, or \"by EXPR\"");
	if (!counts)
		err = take_exprs(p, start, exprs_end, false, &stage->exprs);
	if (!err && by)
		err = take_exprs(p, by + 3 < end ? by + 3 : end, end, false, &stage->by);
	return err;
}

static struct error *parse_form(struct parser *p, const char *start, const char *end,
				enum form form, struct stage *stage)
{
	trim(&start, &end);
	stage->rest = arena_strndup(p->arena, start, (size_t)(end - start));
	stage->rest_at = (size_t)(start - p->line);
	switch (form) {
	case FORM_EXPR:
		if (start == end)
			return fail(p, start, "an expression is expected");
		stage->exprs.data = arena_zalloc(p->arena, sizeof(*stage->exprs.data));
		stage->exprs.count = 1;
		return take_expr(p, start, end, false, stage->exprs.data);
	case FORM_EXPRS:
		return take_exprs(p, start, end, false, &stage->exprs);
	case FORM_ORDER:
		return take_exprs(p, start, end, true, &stage->exprs);
	case FORM_TOP:
		return parse_top(p, start, end, stage);
	case FORM_NUMBER:
		return parse_number(p, start, end, stage);
	case FORM_COUNT:
		return parse_aggregate(p, start, end, true, stage);
	case FORM_AGGREGATE:
		return parse_aggregate(p, start, end, false, stage);
	case FORM_REST:
		if (start == end)
			return fail(p, start, "what?");
		return NULL;
	case FORM_MAYBE_REST:
		break;
	}
	return NULL;
}

static struct error *unknown_stage(struct parser *p, const char *start, const char *word)
{
	struct nearest near = nearest_to(word);

	for (size_t i = 0; i < array_size(forms); i++)
		nearest_consider(&near, forms[i].word.name);
	if (near.best)
		return fail(p, start, "there is no stage %s (did you mean %s?)", word, near.best);
	return fail(p, start, "there is no stage %s (\"help pipelines\" lists them)", word);
}

static struct error *parse_stage(struct parser *p, const char *start, const char *end,
				 struct stage *stage)
{
	trim(&start, &end);
	size_t length = 0;
	while (start + length < end && (isalnum((unsigned char)start[length]) ||
					start[length] == '_'))
		length++;
	if (!length)
		return fail(p, start, "a stage is expected behind \"|>\"");
	const char *word = arena_strndup(p->arena, start, length);
	for (size_t i = 0; i < array_size(aliases); i++) {
		if (strcmp(aliases[i].alias, word) == 0)
			word = aliases[i].name;
	}
	for (size_t i = 0; i < array_size(forms); i++) {
		if (strcmp(forms[i].word.name, word) != 0)
			continue;
		stage->kind = forms[i].word.kind;
		stage->word = forms[i].word.name;
		stage->at = (size_t)(start - p->line);
		p->stage = stage;
		return parse_form(p, start + length, end, forms[i].form, stage);
	}
	return unknown_stage(p, start, word);
}

struct error *pipeline_parse(const char *line, struct arena *arena, struct pipeline *pipeline,
			     size_t *at)
{
	struct parser p = { .line = line, .arena = arena, .at = at };
	struct stage stages[PIPELINE_STAGES_MAX];
	const char *end = line + strlen(line), *op = pipeline_operator(line);
	const char *start = line, *source_end = op ? op : end;

	*at = 0;
	*pipeline = (struct pipeline){ 0 };
	if (end - line > PIPELINE_TEXT_MAX)
		return error_new(ERROR_USAGE, "the line is too long");
	trim(&start, &source_end);
	if (start == source_end)
		return fail(&p, start, "there is nothing before the \"|>\"");
	pipeline->source = arena_strndup(arena, start, (size_t)(source_end - start));
	while (op) {
		const char *next = scan(op + 2, end, is_operator);
		if (pipeline->count == array_size(stages))
			return fail(&p, op, "at most %d stages", PIPELINE_STAGES_MAX);
		struct stage *stage = &stages[pipeline->count++];
		*stage = (struct stage){ .number = (unsigned)pipeline->count };
		p.stage = NULL;
		struct error *err = parse_stage(&p, op + 2, next ? next : end, stage);
		if (err)
			return err;
		op = next;
	}
	pipeline->stages = arena_alloc(arena, sizeof(stages));
	memcpy(pipeline->stages, stages, pipeline->count * sizeof(*stages));
	return NULL;
}
