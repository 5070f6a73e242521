// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The plain stages. where, select, first and unique let rows through one by one; sort and last keep
 * them; top keeps the best N in a heap.
 */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "pipeline/ops.h"

/* --- where --- */

static struct error *where_begin(struct op *op, size_t *at)
{
	op->out = op->in;
	op->data_size_out = op->data_size;
	return op_compile(op, PROGRAM_TRUTH, at);
}

static bool where_push(struct op *op, const struct row *row)
{
	struct cell_value truth;

	row_env_set(&op->env, row);
	row_eval(&op->exprs[0], &truth);
	if (truth.datum.kind == DATUM_NONE || !truth.datum.number)
		return true;
	return op_push(op->next, row);
}

const struct op_kind op_where = { where_begin, where_push, NULL, NULL };

/* --- select --- */

static struct error *select_begin(struct op *op, size_t *at)
{
	struct error *err = op_compile(op, PROGRAM_VALUE, at);

	if (err)
		return err;
	op->out = op->in;
	op->data_size_out = op->data_size;
	op->out.chosen = true;
	op->out.column_count = op->expr_count;
	op->out.columns = arena_alloc(&op->run->arena, op->expr_count * sizeof(*op->out.columns));
	for (unsigned i = 0; i < op->expr_count; i++)
		op->out.columns[i] = op->exprs[i].column;
	op->state = arena_zalloc(&op->run->arena, op->expr_count * sizeof(struct cell_value));
	return NULL;
}

static bool select_push(struct op *op, const struct row *row)
{
	struct cell_value *cells = op->state;

	row_env_set(&op->env, row);
	for (unsigned i = 0; i < op->expr_count; i++)
		row_eval(&op->exprs[i], &cells[i]);
	return op_push(op->next, &(struct row){ .object = row->object, .cells = cells });
}

const struct op_kind op_select = { select_begin, select_push, NULL, NULL };

/* --- first --- */

static struct error *first_begin(struct op *op, size_t *at unused_arg)
{
	op->out = op->in;
	op->data_size_out = op->data_size;
	op->state = arena_zalloc(&op->run->arena, sizeof(uint64_t));
	return NULL;
}

static bool first_push(struct op *op, const struct row *row)
{
	uint64_t *count = op->state;

	if (*count >= op->stage->n)
		return false;
	++*count;
	return op_push(op->next, row) && *count < op->stage->n;
}

const struct op_kind op_first = { first_begin, first_push, NULL, NULL };

/* --- sort, last, top --- */

/* A row with what it is sorted by. */
struct sorted {
	struct row row;
	struct cell_value *keys;
	size_t order; /* in which it came: equal ones stay so */
};

struct sorting {
	struct op *op;
	vec_fields(struct sorted);
	size_t start;  /* last: where the ring begins */
	size_t came;
	struct arena turn[2]; /* last: of the rows of this turn of the ring and the one before */
	size_t dropped;       /* top: rows whose copies still lie in turn[0] */
};

static struct error *keep_begin(struct op *op, size_t *at)
{
	struct sorting *s = arena_zalloc(&op->run->arena, sizeof(*s));

	s->op = op;
	op->state = s;
	op->out = op->in;
	return op_compile(op, PROGRAM_VALUE, at);
}

static void keep_end(struct op *op)
{
	struct sorting *s = op->state;

	vec_deinit(s);
	arena_deinit(&s->turn[0]);
	arena_deinit(&s->turn[1]);
}

static void keep_keys(struct sorted *kept, const struct cell_value *keys, unsigned count,
		      struct arena *arena)
{
	kept->keys = arena_alloc(arena, (count + 1) * sizeof(*kept->keys));
	for (unsigned i = 0; i < count; i++)
		kept->keys[i] = cell_keep(&keys[i], arena);
}

static struct sorted keep(struct op *op, const struct row *row, struct arena *arena)
{
	struct sorting *s = op->state;
	struct sorted kept = { .order = s->came++ };
	struct cell_value keys[PIPELINE_EXPRS_MAX];

	kept.row = row_keep(row, &op->in, op->data_size, arena);
	for (unsigned i = 0; i < op->expr_count; i++)
		row_eval(&op->exprs[i], &keys[i]);
	keep_keys(&kept, keys, op->expr_count, arena);
	return kept;
}

/* @flip: the largest first, as top has it. */
static int compare_keys(struct op *op, const struct cell_value *a, const struct cell_value *b)
{
	bool flip = op->stage->kind == STAGE_TOP;

	for (unsigned i = 0; i < op->expr_count; i++) {
		int order = cells_compare(&a[i], &b[i], &op->exprs[i].column);
		bool known = a[i].datum.kind != DATUM_NONE && b[i].datum.kind != DATUM_NONE;
		if (known && op->exprs[i].source->descending != flip)
			order = -order;
		if (order)
			return order;
	}
	return 0;
}

static int compare_sorted(const void *a, const void *b, void *ctx)
{
	const struct sorted *x = a, *y = b;
	int order = compare_keys(ctx, x->keys, y->keys);

	return order ? order : (x->order > y->order) - (x->order < y->order);
}

static bool sort_push(struct op *op, const struct row *row)
{
	struct sorting *s = op->state;

	if (!op_may_keep(op))
		return false;
	row_env_set(&op->env, row);
	vec_push(s, keep(op, row, &op->run->arena));
	return true;
}

static void pass_on(struct op *op, struct sorted *all, size_t count)
{
	for (size_t i = 0; i < count && op_push(op->next, &all[i].row); i++) {
		if (session_stopped(op->run->session))
			return;
	}
}

static void sort_finish(struct op *op)
{
	struct sorting *s = op->state;

	if (s->count)
		qsort_r(s->data, s->count, sizeof(*s->data), compare_sorted, op);
	pass_on(op, s->data, s->count);
}

const struct op_kind op_sort = { keep_begin, sort_push, sort_finish, keep_end };

static bool last_push(struct op *op, const struct row *row)
{
	struct sorting *s = op->state;

	if (!op->stage->n)
		return false;
	row_env_set(&op->env, row);
	/* Once round, nothing of the turn before the last is left. */
	if (s->came % op->stage->n == 0) {
		arena_deinit(&s->turn[1]);
		s->turn[1] = s->turn[0];
		s->turn[0] = (struct arena){ 0 };
	}
	if (s->count < op->stage->n) {
		if (!op_may_keep(op))
			return false;
		vec_push(s, keep(op, row, &s->turn[0]));
		return true;
	}
	s->data[s->start] = keep(op, row, &s->turn[0]);
	s->start = (s->start + 1) % s->count;
	return true;
}

static void last_finish(struct op *op)
{
	struct sorting *s = op->state;

	if (!s->count)
		return;
	pass_on(op, s->data + s->start, s->count - s->start);
	pass_on(op, s->data, s->start);
}

const struct op_kind op_last = { keep_begin, last_push, last_finish, keep_end };

/* The worst of those kept is on top of the heap. */
static void sift_down(struct op *op, struct sorting *s)
{
	size_t at = 0;

	for (;;) {
		size_t worst = at;
		for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < s->count; child++) {
			if (compare_sorted(&s->data[child], &s->data[worst], op) > 0)
				worst = child;
		}
		if (worst == at)
			return;
		struct sorted swap = s->data[at];
		s->data[at] = s->data[worst];
		s->data[worst] = swap;
		at = worst;
	}
}

static void sift_up(struct op *op, struct sorting *s)
{
	for (size_t at = s->count - 1; at;) {
		size_t above = (at - 1) / 2;
		if (compare_sorted(&s->data[at], &s->data[above], op) <= 0)
			return;
		struct sorted swap = s->data[at];
		s->data[at] = s->data[above];
		s->data[above] = swap;
		at = above;
	}
}

/* Rows that come in rising order are all kept for a while: those that were dropped are freed. */
static void top_tidy(struct op *op, struct sorting *s)
{
	enum { DROPPED_MAX = 4096 };
	struct arena fresh = { 0 };

	if (++s->dropped < max_u64(DROPPED_MAX, s->count))
		return;
	for (size_t i = 0; i < s->count; i++) {
		struct sorted *kept = &s->data[i];
		kept->row = row_keep(&kept->row, &op->in, op->data_size, &fresh);
		keep_keys(kept, kept->keys, op->expr_count, &fresh);
	}
	arena_deinit(&s->turn[0]);
	s->turn[0] = fresh;
	s->dropped = 0;
}

static bool top_push(struct op *op, const struct row *row)
{
	struct sorting *s = op->state;
	struct cell_value keys[PIPELINE_EXPRS_MAX];

	if (!op->stage->n)
		return false;
	row_env_set(&op->env, row);
	for (unsigned i = 0; i < op->expr_count; i++)
		row_eval(&op->exprs[i], &keys[i]);
	/* What has no value is in no order. */
	if (keys[0].datum.kind == DATUM_NONE)
		return true;
	if (s->count < op->stage->n) {
		if (!op_may_keep(op))
			return false;
		vec_push(s, keep(op, row, &s->turn[0]));
		sift_up(op, s);
	} else if (compare_keys(op, keys, s->data[0].keys) < 0) {
		s->data[0] = keep(op, row, &s->turn[0]);
		sift_down(op, s);
		top_tidy(op, s);
	}
	return true;
}

/* The order is shown, unless the columns are chosen or have it already. */
static struct error *top_begin(struct op *op, size_t *at)
{
	struct error *err = keep_begin(op, at);

	if (err || op->in.chosen)
		return err;
	unsigned columns = op->in.column_count;
	for (unsigned i = 0; i < columns; i++) {
		if (strcmp(op->in.columns[i].name, op->exprs[0].source->text) == 0)
			return NULL;
	}
	op->out.columns = arena_alloc(&op->run->arena,
				      (columns + 1) * sizeof(*op->out.columns));
	if (columns)
		memcpy(op->out.columns, op->in.columns, columns * sizeof(*op->out.columns));
	op->out.columns[columns] = op->exprs[0].column;
	op->out.column_count = columns + 1;
	return NULL;
}

static void top_finish(struct op *op)
{
	struct sorting *s = op->state;
	unsigned columns = op->in.column_count;

	if (!s->count)
		return;
	qsort_r(s->data, s->count, sizeof(*s->data), compare_sorted, op);
	for (size_t i = 0; op->out.column_count > columns && i < s->count; i++) {
		struct cell_value *cells = arena_alloc(&op->run->arena,
						       (columns + 1) * sizeof(*cells));
		if (columns)
			memcpy(cells, s->data[i].row.cells, columns * sizeof(*cells));
		cells[columns] = s->data[i].keys[0];
		s->data[i].row.cells = cells;
	}
	pass_on(op, s->data, s->count);
}

const struct op_kind op_top = { top_begin, top_push, top_finish, keep_end };

/* --- unique --- */

struct seen {
	struct map map;
	struct strbuf key;
};

static struct error *unique_begin(struct op *op, size_t *at)
{
	op->out = op->in;
	op->data_size_out = op->data_size;
	op->state = arena_zalloc(&op->run->arena, sizeof(struct seen));
	return op_compile(op, PROGRAM_VALUE, at);
}

static bool unique_push(struct op *op, const struct row *row)
{
	struct seen *seen = op->state;
	uint64_t found;

	row_env_set(&op->env, row);
	strbuf_clear(&seen->key);
	for (unsigned i = 0; i < op->expr_count; i++) {
		struct cell_value value;
		row_eval(&op->exprs[i], &value);
		cell_add_key(&op->exprs[i], &value, &seen->key);
	}
	if (map_get_name(&seen->map, strbuf_text(&seen->key), &found))
		return true;
	if (!op_may_keep(op))
		return false;
	map_set_name(&seen->map, arena_strdup(&op->run->arena, strbuf_text(&seen->key)), 1);
	return op_push(op->next, row);
}

static void unique_end(struct op *op)
{
	struct seen *seen = op->state;

	map_deinit(&seen->map);
	strbuf_deinit(&seen->key);
}

const struct op_kind op_unique = { unique_begin, unique_push, NULL, unique_end };
