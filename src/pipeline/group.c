// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * count, sum, min, max, avg, of all rows or of those that are alike. Groups are found by a text
 * made of the values that they share, or, where that is one number, by the number.
 */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "pipeline/ops.h"

struct total {
	uint64_t number; /* the sum */
	long double real; /* the same, for means and fractions */
	bool overflow;   /* the sum is beyond 64 bits */
	struct cell_value best; /* the smallest, the largest */
	uint64_t known, unknown; /* of how many rows */
	bool lost;       /* some of the unknown are, else there is no such thing */
};

struct group {
	struct cell_value *keys;
	uint64_t count;
	struct total *totals;
	size_t order;
};

struct grouping {
	struct op *op;
	struct map by_number, by_text;
	struct strbuf key;
	vec_fields(struct group);
	size_t none; /* of by_number: the group of the unknown, + 1 */
};

static const char digits[] = "0123456789abcdef";

/* A struct or array is what is in it. */
static bool add_content(const struct row_expr *expr, uint64_t address, struct strbuf *key)
{
	uint64_t size = type_size(expr->column.type);
	uint8_t bytes[1024];

	if (!size || size > sizeof(bytes) ||
	    memory_read(expr->env->session->memory, address, bytes, (size_t)size) != READ_OK)
		return false;
	for (size_t i = 0; i < size; i++) {
		strbuf_add_char(key, digits[bytes[i] >> 4]);
		strbuf_add_char(key, digits[bytes[i] & 15]);
	}
	return true;
}

void cell_add_key(const struct row_expr *expr, const struct cell_value *value,
		  struct strbuf *key)
{
	bool is_text = value->datum.kind == DATUM_TEXT;
	char buf[18];
	size_t n = sizeof(buf);
	uint64_t v = is_text ? strlen(value->datum.text) : value->datum.number;

	if (value->datum.kind == DATUM_NONE) {
		strbuf_add_char(key, '?');
		return;
	}
	if (value->datum.kind == DATUM_PLACE) {
		if (add_content(expr, v, key))
			return;
		strbuf_add_char(key, '@');
	}
	if (expr->column.look == LOOK_REAL)
		memcpy(&v, &value->real, sizeof(v));
	/* A number, or a text with its length before it: none is the start of another. */
	buf[--n] = is_text ? ':' : ';';
	do {
		buf[--n] = digits[v & 15];
		v >>= 4;
	} while (v);
	strbuf_add_n(key, buf + n, sizeof(buf) - n);
	if (is_text)
		strbuf_add(key, value->datum.text);
}

/* --- Columns --- */

static const char *total_name(struct op *op, unsigned i)
{
	const struct stage_expr *source = op->exprs[i].source;

	if (source->named)
		return source->name;
	if (op->expr_count == 1)
		return op->stage->word;
	return arena_printf(&op->run->arena, "%s%u", op->stage->word, i + 1);
}

static struct column_def total_column(struct op *op, unsigned i)
{
	struct column_def column = op->exprs[i].column;

	column.title = arena_printf(&op->run->arena, "%s(%s)", op->stage->word,
				    op->exprs[i].source->text);
	column.name = total_name(op, i);
	bool unit = column.look == LOOK_FIELD && (column.field == FIELD_TIME ||
						  column.field == FIELD_BYTES);
	if (op->stage->kind == STAGE_AVG && !unit)
		column.look = LOOK_REAL;
	/* How many are true is no truth. */
	if (op->stage->kind == STAGE_SUM && !unit && column.look == LOOK_FIELD)
		column.look = LOOK_BY_TYPE;
	if (op->stage->kind == STAGE_SUM)
		column.type = expr_register_type();
	if (op->stage->kind == STAGE_SUM && type_is_signed(op->exprs[i].column.type))
		column.type = expr_signed_type();
	return column;
}

static struct error *group_begin(struct op *op, size_t *at)
{
	struct grouping *g = arena_zalloc(&op->run->arena, sizeof(*g));
	struct error *err = op_compile(op, PROGRAM_VALUE, at);
	bool numbers = op->stage->kind == STAGE_SUM || op->stage->kind == STAGE_AVG;
	unsigned n = 0;

	g->op = op;
	op->state = g;
	for (unsigned i = 0; !err && numbers && i < op->expr_count; i++) {
		if (op->exprs[i].column.kind != DATUM_NUMBER)
			err = place_error(error_new(ERROR_USAGE, "%s is no number",
						    op->exprs[i].source->text),
					  op->stage, op->exprs[i].source->at, 0, at);
	}
	if (err)
		return err;
	unsigned counts = op->stage->kind == STAGE_COUNT;
	op->out = (struct schema){ .chosen = true, .column_count = counts + op->expr_count +
								   op->by_count };
	op->out.columns = arena_zalloc(&op->run->arena,
				       op->out.column_count * sizeof(*op->out.columns));
	if (counts)
		op->out.columns[n++] = (struct column_def){ .name = "count", .kind = DATUM_NUMBER,
							    .type = expr_register_type() };
	for (unsigned i = 0; i < op->expr_count; i++)
		op->out.columns[n++] = total_column(op, i);
	for (unsigned i = 0; i < op->by_count; i++)
		op->out.columns[n++] = op->by[i].column;
	return NULL;
}

/* --- Rows --- */

static struct group *new_group(struct grouping *g, const struct cell_value *keys)
{
	struct op *op = g->op;
	struct arena *arena = &op->run->arena;
	struct group group = { .order = g->count };

	group.keys = arena_zalloc(arena, (op->by_count + 1) * sizeof(*group.keys));
	for (unsigned i = 0; i < op->by_count; i++)
		group.keys[i] = cell_keep(&keys[i], arena);
	group.totals = arena_zalloc(arena, (op->expr_count + 1) * sizeof(*group.totals));
	vec_push(g, group);
	return &g->data[g->count - 1];
}

/* NULL: there are too many. */
static struct group *find_group(struct grouping *g, const struct cell_value *keys)
{
	struct op *op = g->op;
	uint64_t index;

	if (!op->by_count)
		return g->count ? g->data : new_group(g, keys);
	if (op->by_count == 1 && op->by[0].column.kind == DATUM_NUMBER &&
	    op->by[0].column.look != LOOK_REAL) {
		if (keys[0].datum.kind == DATUM_NONE) {
			if (g->none)
				return &g->data[g->none - 1];
			g->none = g->count + 1;
		} else if (map_get(&g->by_number, keys[0].datum.number, &index)) {
			return &g->data[index];
		}
		if (!op_may_keep(op))
			return NULL;
		if (keys[0].datum.kind != DATUM_NONE)
			map_set(&g->by_number, keys[0].datum.number, g->count);
		return new_group(g, keys);
	}
	strbuf_clear(&g->key);
	for (unsigned i = 0; i < op->by_count; i++)
		cell_add_key(&op->by[i], &keys[i], &g->key);
	if (map_get_name(&g->by_text, strbuf_text(&g->key), &index))
		return &g->data[index];
	if (!op_may_keep(op))
		return NULL;
	map_set_name(&g->by_text, arena_strdup(&op->run->arena, strbuf_text(&g->key)), g->count);
	return new_group(g, keys);
}

static void add_number(struct total *total, const struct cell_value *value,
		       const struct column_def *column)
{
	uint64_t n = value->datum.number;

	if (column->look == LOOK_REAL) {
		total->real += value->real;
	} else if (type_is_signed(column->type)) {
		int64_t sum;
		total->real += (int64_t)n;
		total->overflow |= __builtin_add_overflow((int64_t)total->number, (int64_t)n, &sum);
		total->number = (uint64_t)sum;
	} else {
		total->real += n;
		total->overflow |= __builtin_add_overflow(total->number, n, &total->number);
	}
}

static void add(struct op *op, unsigned i, struct total *total, const struct cell_value *value)
{
	const struct column_def *column = &op->exprs[i].column;

	if (value->datum.kind == DATUM_NONE) {
		total->unknown++;
		total->lost |= value->datum.why != DATUM_NULL;
		return;
	}
	bool first = !total->known++;
	if (op->stage->kind == STAGE_SUM || op->stage->kind == STAGE_AVG) {
		add_number(total, value, column);
		return;
	}
	int order = first ? 0 : cells_compare(value, &total->best, column);
	if (first || (op->stage->kind == STAGE_MIN ? order < 0 : order > 0))
		total->best = cell_keep(value, &op->run->arena);
}

static bool group_push(struct op *op, const struct row *row)
{
	struct cell_value keys[PIPELINE_EXPRS_MAX], value;

	row_env_set(&op->env, row);
	for (unsigned i = 0; i < op->by_count; i++)
		row_eval(&op->by[i], &keys[i]);
	struct group *group = find_group(op->state, keys);
	if (!group)
		return false;
	group->count++;
	for (unsigned i = 0; i < op->expr_count; i++) {
		row_eval(&op->exprs[i], &value);
		add(op, i, &group->totals[i], &value);
	}
	return true;
}

/* --- Results --- */

static struct cell_value number_cell(uint64_t number)
{
	return (struct cell_value){ .datum = { .kind = DATUM_NUMBER, .number = number },
				    .real = (double)number };
}

static struct cell_value result(struct op *op, unsigned i, const struct total *total)
{
	const struct column_def *column = &op->exprs[i].column;
	bool sums = op->stage->kind == STAGE_SUM;
	struct cell_value none = { .datum = { .kind = DATUM_NONE, .why = DATUM_ABSURD } };

	/* Of no rows the sum is 0; of rows without a value nothing is known. */
	if (!total->known && (!sums || total->unknown)) {
		none.datum.why = total->lost ? DATUM_LOST : DATUM_NULL;
		return none;
	}
	if (!sums && op->stage->kind != STAGE_AVG)
		return total->best;
	if (sums && column->look != LOOK_REAL)
		return total->overflow ? none : number_cell(total->number);
	long double real = sums ? total->real : total->real / total->known;
	bool is_signed = column->look == LOOK_REAL || type_is_signed(column->type);
	return (struct cell_value){ .datum = { .kind = DATUM_NUMBER,
					       .number = whole_number(real, is_signed) },
				    .real = (double)real };
}

/* The most first (of min the least); the alike by what they share. */
static int compare_groups(const void *a, const void *b, void *ctx)
{
	struct op *op = ctx;
	const struct group *x = a, *y = b;
	int order = 0;

	if (op->stage->kind == STAGE_COUNT) {
		order = (x->count < y->count) - (x->count > y->count);
	} else {
		struct cell_value p = result(op, 0, x->totals), q = result(op, 0, y->totals);
		order = cells_compare(&p, &q, &op->out.columns[0]);
		if (op->stage->kind != STAGE_MIN && p.datum.kind != DATUM_NONE &&
		    q.datum.kind != DATUM_NONE)
			order = -order;
	}
	for (unsigned i = 0; !order && i < op->by_count; i++)
		order = cells_compare(&x->keys[i], &y->keys[i], &op->by[i].column);
	return order ? order : (x->order > y->order) - (x->order < y->order);
}

static void remark_overflow(struct op *op, const struct grouping *g)
{
	for (unsigned i = 0; op->stage->kind == STAGE_SUM && i < op->expr_count; i++) {
		size_t n = 0;
		for (size_t k = 0; k < g->count; k++)
			n += g->data[k].totals[i].overflow;
		if (n)
			doc_remark(op->run->doc, REMARK_ERROR, "%s: %s beyond 64 bits",
				   op->exprs[i].source->text, n == 1 ? "the sum is" : "sums are");
	}
}

static void group_finish(struct op *op)
{
	struct grouping *g = op->state;
	struct cell_value *cells = arena_zalloc(&op->run->arena,
						op->out.column_count * sizeof(*cells));

	/* Of no rows at all there is a count, 0. */
	if (!g->count && !op->by_count)
		new_group(g, NULL);
	remark_overflow(op, g);
	if (g->count)
		qsort_r(g->data, g->count, sizeof(*g->data), compare_groups, op);
	for (size_t k = 0; k < g->count; k++) {
		const struct group *group = &g->data[k];
		unsigned n = 0;
		if (op->stage->kind == STAGE_COUNT)
			cells[n++] = number_cell(group->count);
		for (unsigned i = 0; i < op->expr_count; i++)
			cells[n++] = result(op, i, &group->totals[i]);
		for (unsigned i = 0; i < op->by_count; i++)
			cells[n++] = group->keys[i];
		if (!op_push(op->next, &(struct row){ .object = { .cpu = -1 }, .cells = cells }))
			return;
	}
}

static void group_end(struct op *op)
{
	struct grouping *g = op->state;

	map_deinit(&g->by_number);
	map_deinit(&g->by_text);
	strbuf_deinit(&g->key);
	vec_deinit(g);
}

const struct op_kind op_aggregate = { group_begin, group_push, group_finish, group_end };
