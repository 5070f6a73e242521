// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The output of a command as rows. Of several tables that with the most rows is taken; tables of
 * one key are one (the frames of several stacks). Columns are what JSON has: the table's, the
 * details of a row, and what stands beside the table in the records around it. Without any table
 * records are rows.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "base/vec.h"
#include "pipeline/ops.h"

enum { COLUMNS_MAX = 128, CANDIDATES_MAX = 64, NESTING_MAX = 16 };

struct candidate {
	const char *key;
	enum doc_kind kind; /* DOC_TABLE, DOC_ARRAY (of records), DOC_RECORD */
	size_t rows;
};

struct maker {
	struct session *session;
	struct arena *arena;
	struct candidate candidates[CANDIDATES_MAX];
	size_t candidate_count;
	const struct candidate *chosen;
	/* The records around what is being looked at. */
	const struct doc_node *outer[NESTING_MAX];
	size_t depth;
	struct column_def columns[COLUMNS_MAX];
	struct {
		bool texts, numbers, reals;
		enum cell_kind kind; /* see common_kind() */
		bool replaces;       /* a column of the same name that was there before */
	} seen[COLUMNS_MAX];
	unsigned count;
	bool filling;
	/* Before the columns of the documents: those of the rows that they are of. */
	const struct row *before_row;
	unsigned before_count;
	struct cell_value *cells; /* of the row being filled */
	struct { vec_fields(struct row); } rows;
};

/* --- Which table? --- */

static void consider(struct maker *m, const char *key, enum doc_kind kind, size_t rows)
{
	for (size_t i = 0; i < m->candidate_count; i++) {
		struct candidate *c = &m->candidates[i];
		if (c->kind == kind && strcmp(c->key, key) == 0) {
			c->rows += rows;
			return;
		}
	}
	if (m->candidate_count < CANDIDATES_MAX)
		m->candidates[m->candidate_count++] = (struct candidate){ key, kind, rows };
}

static size_t records_of(const struct doc_node *array)
{
	size_t n = 0;

	for (const struct doc_field *f = array->fields; f; f = f->next)
		n += f->child && f->child->kind == DOC_RECORD;
	return n;
}

static size_t rows_of(const struct doc_node *table)
{
	size_t n = 0;

	for (const struct doc_row *row = table->rows; row; row = row->next)
		n += row->cells && (row->media & DOC_IN_JSON);
	return n;
}

static void look(struct maker *m, const struct doc_node *node, const char *key, unsigned depth)
{
	if (depth > NESTING_MAX || !(node->media & DOC_IN_JSON))
		return;
	if (node->kind == DOC_TABLE && key)
		consider(m, key, DOC_TABLE, rows_of(node));
	if (node->kind == DOC_ARRAY && key)
		consider(m, key, DOC_ARRAY, records_of(node));
	if (node->kind == DOC_RECORD)
		consider(m, key ? key : "", DOC_RECORD, 1);
	if (node->kind != DOC_RECORD && node->kind != DOC_ARRAY)
		return;
	for (const struct doc_field *f = node->fields; f; f = f->next) {
		if (f->child)
			look(m, f->child, f->key, depth + 1);
	}
}

/*
 * Tables before arrays of records before single records; of each kind the longest. The document
 * itself, which is a record, comes last.
 */
static const struct candidate *choose(const struct maker *m)
{
	static const enum doc_kind order[] = { DOC_TABLE, DOC_ARRAY, DOC_RECORD };
	const struct candidate *best = NULL;

	for (size_t k = 0; k < array_size(order) && !best; k++) {
		for (size_t i = 0; i < m->candidate_count; i++) {
			const struct candidate *c = &m->candidates[i];
			if (c->kind == order[k] && (c->rows || c->kind == DOC_TABLE) &&
			    (!best || c->rows > best->rows || !*best->key))
				best = c;
		}
	}
	return best;
}

/* --- Columns and cells --- */

/* Does the document say what is in it? Else it came with the row that the document is of. */
static bool is_own(const struct maker *m, unsigned i)
{
	return i >= m->before_count || m->seen[i].replaces;
}

static struct column_def new_column(struct maker *m, const char *key, const char *title)
{
	return (struct column_def){
		.name = arena_strdup(m->arena, key), .hidden = !title,
		.title = title && *title ? arena_strdup(m->arena, title) : NULL,
	};
}

static unsigned column_of(struct maker *m, const char *key, const char *title, bool first_time)
{
	for (unsigned i = 0; i < m->count; i++) {
		if (strcmp(m->columns[i].name, key) == 0)
			return i;
	}
	if (!first_time || m->count == COLUMNS_MAX)
		return COLUMNS_MAX;
	m->columns[m->count] = new_column(m, key, title);
	return m->count++;
}

/* How a column of numbers is shown that has cells of several kinds. */
static enum cell_kind common_kind(enum cell_kind kind, const struct cell *cell)
{
	bool negative = cell->kind == CELL_DEC && cell->dec < 0;

	if (kind == CELL_NONE || kind == CELL_BOOL || negative)
		return cell->kind;
	return kind;
}

static void note_cell(struct maker *m, unsigned i, const struct cell *cell)
{
	if (cell->kind == CELL_NONE)
		return;
	m->seen[i].kind = common_kind(m->seen[i].kind, cell);
	m->seen[i].texts |= cell->kind == CELL_STRING || cell->kind == CELL_LIST;
	m->seen[i].reals |= cell->kind == CELL_FLOAT;
	m->seen[i].numbers = true;
}

static void add_cell_text(struct strbuf *out, const struct cell *cell)
{
	if (cell->kind == CELL_STRING) {
		strbuf_add(out, cell->str);
	} else if (cell->kind == CELL_FLOAT) {
		strbuf_addf(out, "%g", cell->real);
	} else if (cell->kind == CELL_LIST) {
		for (size_t i = 0; i < cell->list->count; i++) {
			strbuf_add(out, i ? " " : "");
			add_cell_text(out, &cell->list->cells[i]);
		}
	} else {
		cell_add_plain(cell, out);
	}
}

static struct cell_value value_of_cell(struct maker *m, unsigned i, const struct cell *cell)
{
	struct cell_value v = { .datum = { .kind = DATUM_NONE, .why = DATUM_NULL } };
	auto_strbuf text = { 0 };

	if (cell->shown)
		v.shown = arena_strdup(m->arena, cell->shown);
	if (cell->kind == CELL_NONE) {
		v.datum.why = DATUM_LOST;
		return v;
	}
	if (m->columns[i].kind == DATUM_TEXT) {
		/* What is seen is what can be typed. */
		v.shown = NULL;
		add_cell_text(&text, cell);
		v.datum = (struct datum){ .kind = DATUM_TEXT,
					  .text = arena_strdup(m->arena, strbuf_text(&text)) };
		return v;
	}
	v.datum.kind = DATUM_NUMBER;
	switch (cell->kind) {
	case CELL_DEC:
		v.datum.number = (uint64_t)cell->dec;
		v.real = (double)cell->dec;
		break;
	case CELL_BOOL:
		v.datum.number = cell->boolean;
		break;
	case CELL_FLOAT:
		v.datum.number = whole_number((long double)cell->real, true);
		v.real = cell->real;
		break;
	default:
		v.datum.number = cell->udec;
		v.real = (double)cell->udec;
		break;
	}
	return v;
}

static void take_cell(struct maker *m, const char *key, const char *title,
		      const struct cell *cell, bool overrides)
{
	if (!key)
		return;
	unsigned i = column_of(m, key, title, !m->filling);

	if (i == COLUMNS_MAX || !is_own(m, i))
		return;
	if (!m->filling)
		note_cell(m, i, cell);
	else if (overrides || (m->cells[i].datum.kind == DATUM_NONE && !m->cells[i].shown))
		m->cells[i] = value_of_cell(m, i, cell);
}

static void take_fields(struct maker *m, const struct doc_node *record)
{
	for (const struct doc_field *f = record->fields; f; f = f->next) {
		if (!f->child && (f->media & DOC_IN_JSON))
			take_cell(m, f->key, f->title, &f->value, false);
	}
}

/* --- Rows --- */

static void begin_row(struct maker *m)
{
	if (!m->filling)
		return;
	m->cells = arena_zalloc(m->arena, (m->count + 1) * sizeof(*m->cells));
	for (unsigned i = 0; i < m->count; i++)
		m->cells[i].datum.why = DATUM_NULL;
	for (unsigned i = 0; i < m->before_count; i++) {
		if (!is_own(m, i))
			m->cells[i] = m->before_row->cells[i];
	}
}

static void end_row(struct maker *m)
{
	for (size_t i = m->depth; i-- > 0;)
		take_fields(m, m->outer[i]);
	if (m->filling)
		vec_push(&m->rows, (struct row){ .object = { .cpu = -1 }, .cells = m->cells });
}

/* A column of the rows themselves, not of what is around them. */
static void declare_column(struct maker *m, const char *key, const char *title)
{
	unsigned at = key ? column_of(m, key, title, true) : COLUMNS_MAX;

	if (at < COLUMNS_MAX && !is_own(m, at)) {
		m->seen[at].replaces = true;
		m->columns[at] = new_column(m, key, title);
	}
}

static void take_table(struct maker *m, const struct doc_node *table)
{
	for (size_t i = 0; !m->filling && i < table->column_count; i++)
		declare_column(m, table->columns[i].key, table->columns[i].title);
	for (const struct doc_row *row = table->rows; row; row = row->next) {
		if (!row->cells || !(row->media & DOC_IN_JSON))
			continue;
		begin_row(m);
		for (size_t i = 0; i < table->column_count; i++)
			take_cell(m, table->columns[i].key, table->columns[i].title,
				  &row->cells[i], true);
		if (row->detail)
			take_fields(m, row->detail);
		end_row(m);
	}
}

static void take_record(struct maker *m, const struct doc_node *record)
{
	for (const struct doc_field *f = record->fields; f && !m->filling; f = f->next) {
		if (!f->child && (f->media & DOC_IN_JSON))
			declare_column(m, f->key, f->title);
	}
	begin_row(m);
	take_fields(m, record);
	end_row(m);
}

static void collect(struct maker *m, const struct doc_node *node, const char *key)
{
	const struct candidate *c = m->chosen;
	/* The document itself has no key, the elements of arrays have none of their own. */
	if (!key && !m->depth)
		key = "";
	bool is_it = key && node->kind == c->kind && strcmp(key, c->key) == 0;

	if (!(node->media & DOC_IN_JSON) || m->depth >= NESTING_MAX)
		return;
	if (is_it && node->kind == DOC_TABLE)
		take_table(m, node);
	if (is_it && node->kind == DOC_RECORD)
		take_record(m, node);
	if (node->kind != DOC_RECORD && node->kind != DOC_ARRAY)
		return;
	bool record = node->kind == DOC_RECORD;
	if (record)
		m->outer[m->depth++] = node;
	for (const struct doc_field *f = node->fields; f; f = f->next) {
		if (!f->child)
			continue;
		if (is_it && !record && f->child->kind == DOC_RECORD)
			take_record(m, f->child);
		else
			collect(m, f->child, f->key);
	}
	m->depth -= record;
}

/* --- The whole --- */

static void settle_columns(struct maker *m)
{
	for (unsigned i = 0; i < m->count; i++) {
		if (!is_own(m, i))
			continue;
		struct column_def *c = &m->columns[i];
		enum cell_kind kind = m->seen[i].kind;
		bool texts = m->seen[i].texts || !m->seen[i].numbers;
		c->kind = texts ? DATUM_TEXT : DATUM_NUMBER;
		c->type = kind == CELL_DEC || kind == CELL_BOOL || kind == CELL_FLOAT
				  ? expr_signed_type()
				  : expr_register_type();
		if (m->seen[i].reals)
			c->look = LOOK_REAL;
		else if (kind == CELL_ADDRESS || kind == CELL_HEX || kind == CELL_BOOL) {
			c->look = LOOK_FIELD;
			c->field = kind == CELL_BOOL ? FIELD_BOOL : FIELD_ADDRESS;
		}
		if (texts)
			c->type = (struct type){ 0 };
	}
}

bool table_of_docs(const struct doc *from, size_t count, const struct schema *schema,
		   const struct row *rows, struct session *s, struct arena *arena,
		   struct table *table)
{
	struct maker *m = arena_zalloc(arena, sizeof(*m));

	m->session = s;
	m->arena = arena;
	for (size_t i = 0; i < count; i++)
		look(m, from[i].root, NULL, 0);
	m->chosen = choose(m);
	if (!m->chosen)
		return false;
	if (schema && schema->column_count && schema->column_count < COLUMNS_MAX / 2) {
		m->count = m->before_count = schema->column_count;
		memcpy(m->columns, schema->columns, m->count * sizeof(*m->columns));
	}
	for (size_t i = 0; i < count; i++)
		collect(m, from[i].root, NULL);
	if (!m->count)
		return false;
	settle_columns(m);
	m->filling = true;
	for (size_t i = 0; i < count; i++) {
		m->before_row = rows ? &rows[i] : NULL;
		collect(m, from[i].root, NULL);
	}
	*table = (struct table){ .count = m->rows.count };
	table->schema = (struct schema){ .chosen = true, .columns = m->columns,
					 .column_count = m->count };
	if (m->rows.count)
		table->rows = memcpy(arena_alloc(arena, m->rows.count * sizeof(*table->rows)),
				     m->rows.data, m->rows.count * sizeof(*table->rows));
	vec_deinit(&m->rows);
	return true;
}

bool table_of_doc(const struct doc *from, struct session *s, struct arena *arena,
		  struct table *table)
{
	return table_of_docs(from, 1, NULL, NULL, s, arena, table);
}
