// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A document as CSV (RFC 4180: lines end in CR LF, a cell with a comma, a quote or a line break is
 * quoted). A document is a tree and CSV is not: each innermost row becomes a line, with the values
 * of the records and rows around it repeated on it ("threads.pid" beside a frame's own columns).
 * Rows of the same path ("threads.frames") are one table, whatever else lies between them.
 *
 * Two passes: the tree is walked once, and tables collect pointers to cells; columns are known only
 * when the last row is.
 */
#include <math.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "output/output.h"
#include "output/utf8.h"

/* A value that goes to a row, and the column that it belongs to. */
struct item {
	const char *level; /* key of the record or table around; "" at the outermost */
	unsigned depth;
	const char *name;
	const struct cell *cell;
};

struct row {
	size_t count;
	const struct cell **cells; /* in order of the table's columns; NULL: empty */
	struct row *next;
};

struct table {
	const char *path;
	struct {
		vec_fields(struct item); /* level is NULL for the table's own columns */
	} columns;
	struct row *rows, **rows_end;
};

struct csv {
	struct arena arena;
	FILE *out;
	struct {
		vec_fields(struct table *);
	} tables;
	struct {
		vec_fields(struct item);
	} items; /* of the records and rows that we are in, the outermost first */
};

/* --- Gathering. --- */

static struct table *table_at(struct csv *csv, const char *path)
{
	for (size_t i = csv->tables.count; i-- > 0;) {
		if (strcmp(csv->tables.data[i]->path, path) == 0)
			return csv->tables.data[i];
	}
	struct table *table = arena_zalloc(&csv->arena, sizeof(*table));
	table->path = path;
	table->rows_end = &table->rows;
	vec_push(&csv->tables, table);
	return table;
}

static bool is_column(const struct item *column, const struct item *item, unsigned depth)
{
	bool own = item->depth == depth;

	if (!column->level != own || (!own && strcmp(column->level, item->level) != 0))
		return false;
	return strcmp(column->name, item->name) == 0;
}

/* Its number. Rows mostly come with the same columns in the same order: @hint is tried first. */
static size_t column_of(struct table *table, const struct item *item, unsigned depth, size_t hint)
{
	if (hint < table->columns.count && is_column(&table->columns.data[hint], item, depth))
		return hint;
	for (size_t i = 0; i < table->columns.count; i++) {
		if (is_column(&table->columns.data[i], item, depth))
			return i;
	}
	struct item column = *item;
	if (item->depth == depth)
		column.level = NULL;
	vec_push(&table->columns, column);
	return table->columns.count - 1;
}

/* The items of now are a row of the table at @path, whose own ones are those of @depth. */
static void add_row(struct csv *csv, const char *path, unsigned depth)
{
	struct table *table = table_at(csv, path);
	struct row *row = arena_zalloc(&csv->arena, sizeof(*row));
	size_t most = table->columns.count + csv->items.count, column = SIZE_MAX;

	row->cells = arena_zalloc(&csv->arena, most * sizeof(*row->cells));
	for (size_t i = 0; i < csv->items.count; i++) {
		column = column_of(table, &csv->items.data[i], depth, column + 1);
		row->cells[column] = csv->items.data[i].cell;
		if (column + 1 > row->count)
			row->count = column + 1;
	}
	*table->rows_end = row;
	table->rows_end = &row->next;
}

static void add_item(struct csv *csv, const char *level, unsigned depth, const char *prefix,
		     const char *name, const struct cell *cell)
{
	if (*prefix)
		name = arena_printf(&csv->arena, "%s.%s", prefix, name);
	vec_push(&csv->items, (struct item){ level, depth, name, cell });
}

static const struct cell *keep(struct csv *csv, struct cell cell)
{
	return memcpy(arena_alloc(&csv->arena, sizeof(cell)), &cell, sizeof(cell));
}

static void add_text(struct csv *csv, const char *level, unsigned depth, const char *prefix,
		     const char *name, const struct strbuf *text)
{
	char *copy = arena_strdup(&csv->arena, strbuf_text(text));

	add_item(csv, level, depth, prefix, name, keep(csv, cell_str(copy)));
}

/* Lines inside something else are one cell. */
static void add_lines(struct csv *csv, const char *level, unsigned depth, const char *prefix,
		      const char *name, const struct doc_node *node)
{
	auto_strbuf text = { 0 };

	for (const struct doc_row *row = node->rows; row; row = row->next) {
		if (!row->cells || !(row->media & DOC_IN_JSON))
			continue;
		if (text.len)
			strbuf_add_char(&text, '\n');
		strbuf_add(&text, row->cells[0].str);
	}
	add_text(csv, level, depth, prefix, name, &text);
}

static void add_bytes(struct csv *csv, const char *level, unsigned depth, const char *prefix,
		      const struct doc_bytes *b)
{
	auto_strbuf text = { 0 };

	for (uint64_t i = 0; i < b->size; i++) {
		if (b->known && !b->known[i])
			strbuf_add(&text, "--");
		else
			strbuf_addf(&text, "%02x", b->bytes[i]);
	}
	add_item(csv, level, depth, prefix, "address", keep(csv, cell_hex(b->address)));
	add_item(csv, level, depth, prefix, "size", keep(csv, cell_udec(b->size)));
	add_text(csv, level, depth, prefix, "bytes", &text);
}

static bool shown(const struct doc_field *field)
{
	return (field->media & DOC_IN_JSON) &&
	       (!field->child || (field->child->media & DOC_IN_JSON));
}

static bool has_rows(const struct doc_node *node)
{
	return node->kind == DOC_TABLE || node->kind == DOC_ARRAY;
}

static bool add_many(struct csv *csv, const struct doc_node *node, const char *path,
		     const char *level, unsigned depth);

static const char *join(struct csv *csv, const char *path, const char *key)
{
	return *path ? arena_printf(&csv->arena, "%s.%s", path, key) : key;
}

/* The values of a record, with those of records inside it. */
static void add_values(struct csv *csv, const struct doc_node *record, const char *level,
		       unsigned depth, const char *prefix)
{
	for (const struct doc_field *f = record->fields; f; f = f->next) {
		if (!f->key || !shown(f))
			continue;
		if (!f->child) {
			add_item(csv, level, depth, prefix, f->key, &f->value);
		} else if (f->child->kind == DOC_LINES) {
			add_lines(csv, level, depth, prefix, f->key, f->child);
		} else if (f->child->kind == DOC_RECORD || f->child->kind == DOC_BYTES) {
			const char *inner = join(csv, prefix, f->key);
			if (f->child->kind == DOC_RECORD)
				add_values(csv, f->child, level, depth, inner);
			else
				add_bytes(csv, level, depth, inner, f->child->bytes);
		}
	}
}

/* The tables and arrays in a record, and in records inside it. False: there are no rows in any. */
static bool add_inner(struct csv *csv, const struct doc_node *record, const char *path,
		      unsigned depth)
{
	bool any = false;

	for (const struct doc_field *f = record->fields; f; f = f->next) {
		if (!f->key || !f->child || !shown(f))
			continue;
		if (has_rows(f->child))
			any |= add_many(csv, f->child, join(csv, path, f->key), f->key, depth + 1);
		else if (f->child->kind == DOC_RECORD)
			any |= add_inner(csv, f->child, join(csv, path, f->key), depth);
	}
	return any;
}

/* A record: a line, or those of what is in it. */
static void add_record(struct csv *csv, const struct doc_node *record, const char *path,
		       const char *level, unsigned depth)
{
	size_t before = csv->items.count;

	add_values(csv, record, level, depth, "");
	if (!add_inner(csv, record, path, depth))
		add_row(csv, path, depth);
	csv->items.count = before;
}

static void add_table_row(struct csv *csv, const struct doc_node *table, const struct doc_row *row,
			  const char *path, const char *level, unsigned depth)
{
	size_t before = csv->items.count;

	for (size_t i = 0; i < table->column_count; i++) {
		if (table->columns[i].key)
			add_item(csv, level, depth, "", table->columns[i].key, &row->cells[i]);
	}
	if (row->detail)
		add_values(csv, row->detail, level, depth, "");
	if (!row->detail || !add_inner(csv, row->detail, path, depth))
		add_row(csv, path, depth);
	csv->items.count = before;
}

/* The rows of a table, the elements of an array. */
static bool add_many(struct csv *csv, const struct doc_node *node, const char *path,
		     const char *level, unsigned depth)
{
	bool any = false;

	for (const struct doc_field *f = node->fields; f; f = f->next) {
		if (!f->child || !shown(f))
			continue;
		any = true;
		if (f->child->kind == DOC_RECORD)
			add_record(csv, f->child, path, level, depth);
		else if (has_rows(f->child))
			add_many(csv, f->child, path, level, depth);
	}
	for (const struct doc_row *row = node->rows; row; row = row->next) {
		if (!row->cells || !(row->media & DOC_IN_JSON))
			continue;
		any = true;
		add_table_row(csv, node, row, path, level, depth);
	}
	return any;
}

/* A part of the document: rows, or one line. An empty table has its heading all the same. */
static void add_part(struct csv *csv, const char *key, const struct doc_node *node)
{
	if (node->kind == DOC_RECORD) {
		add_record(csv, node, key, key, 0);
	} else if (node->kind == DOC_BYTES) {
		add_bytes(csv, key, 0, "", node->bytes);
		add_row(csv, key, 0);
		csv->items.count = 0;
	} else if (!add_many(csv, node, key, key, 0) && node->column_count) {
		struct table *table = table_at(csv, key);
		for (size_t i = 0; i < node->column_count; i++) {
			struct item item = { key, 0, node->columns[i].key, NULL };
			if (item.name)
				column_of(table, &item, 0, SIZE_MAX);
		}
	}
}

static void add_document(struct csv *csv, const struct doc *doc)
{
	for (const struct doc_field *f = doc->root->fields; f; f = f->next) {
		if (f->key && !f->child && shown(f))
			add_item(csv, "", 0, "", f->key, &f->value);
	}
	if (csv->items.count)
		add_row(csv, "", 0);
	csv->items.count = 0;
	for (const struct doc_field *f = doc->root->fields; f; f = f->next) {
		if (f->key && f->child && shown(f))
			add_part(csv, f->key, f->child);
	}
}

/* --- Writing. --- */

/* Control characters other than line breaks are no text in RFC 4180, nor good for a terminal. */
static void add_clean(struct strbuf *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	while (*s) {
		unsigned n = utf8_length(s);
		bool control = (*s < ' ' && *s != '\n' && *s != '\t') || *s == 0x7f ||
			       utf8_is_c1(s, n);
		if (n && !control)
			strbuf_add_n(out, (const char *)s, n);
		else
			strbuf_addf(out, "\\x%02x", *s);
		s += n && !control ? n : 1;
	}
}

static void add_cell(struct strbuf *out, const struct cell *cell)
{
	if (cell->kind == CELL_STRING) {
		add_clean(out, cell->str);
	} else if (cell->kind == CELL_FLOAT) {
		if (isfinite(cell->real))
			strbuf_addf(out, "%.12g", cell->real);
	} else if (cell->kind == CELL_LIST) {
		for (size_t i = 0; i < cell->list->count; i++) {
			strbuf_add(out, i ? " " : "");
			add_cell(out, &cell->list->cells[i]);
		}
	} else {
		cell_add_plain(cell, out);
	}
}

static void put_text(struct csv *csv, const char *text, bool *first)
{
	size_t length = strlen(text);
	bool blanks = length && (text[0] == ' ' || text[length - 1] == ' ');

	if (!*first)
		putc(',', csv->out);
	*first = false;
	if (!blanks && !strpbrk(text, ",\"\r\n")) {
		fputs(text, csv->out);
		return;
	}
	putc('"', csv->out);
	for (; *text; text++) {
		if (*text == '"')
			putc('"', csv->out);
		putc(*text, csv->out);
	}
	putc('"', csv->out);
}

static void put_table(struct csv *csv, struct table *table, const char *command, bool named)
{
	auto_strbuf text = { 0 };
	bool first = true;
	/* An empty line is no row: it is between tables. */
	bool alone = !command && !named && table->columns.count == 1;

	if (command)
		put_text(csv, "command", &first);
	if (named)
		put_text(csv, "table", &first);
	vec_for_each (column, &table->columns) {
		strbuf_clear(&text);
		strbuf_addf(&text, "%s%s%s", column->level ? column->level : "",
			    column->level && *column->level ? "." : "", column->name);
		put_text(csv, text.data, &first);
	}
	fputs("\r\n", csv->out);
	for (const struct row *row = table->rows; row; row = row->next) {
		first = true;
		if (command)
			put_text(csv, command, &first);
		if (named)
			put_text(csv, table->path, &first);
		for (size_t i = 0; i < table->columns.count; i++) {
			strbuf_clear(&text);
			if (i < row->count && row->cells[i])
				add_cell(&text, row->cells[i]);
			if (alone && !text.len)
				fputs("\"\"", csv->out);
			else
				put_text(csv, strbuf_text(&text), &first);
		}
		fputs("\r\n", csv->out);
	}
}

void output_csv(const struct doc *doc, const char *command, size_t number, FILE *out)
{
	struct csv csv = { .out = out };

	add_document(&csv, doc);
	for (size_t i = 0; i < csv.tables.count; i++) {
		if (i || number)
			fputs("\r\n", out);
		put_table(&csv, csv.tables.data[i], command, csv.tables.count > 1);
		vec_deinit(&csv.tables.data[i]->columns);
	}
	vec_deinit(&csv.tables);
	vec_deinit(&csv.items);
	arena_deinit(&csv.arena);
}
