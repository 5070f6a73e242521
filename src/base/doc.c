// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A document is a tree of nodes in one arena: records (fields in order), tables (rows of cells),
 * arrays, lines of text, and bytes. `current` is the innermost open node; opening goes down,
 * doc_end() goes up. Lists are singly linked with a pointer to the last link, so that filling is
 * O(1) and the order is kept. Misuse (a row outside a table) is a bug in a command and is asserted.
 */
#include "base/doc.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"

void cell_add_plain(const struct cell *cell, struct strbuf *out)
{
	switch (cell->kind) {
	case CELL_DEC:
		strbuf_addf(out, "%" PRId64, cell->dec);
		break;
	case CELL_UDEC:
		strbuf_addf(out, "%" PRIu64, cell->udec);
		break;
	case CELL_HEX:
	case CELL_ADDRESS:
		strbuf_addf(out, "0x%" PRIx64, cell->udec);
		break;
	case CELL_BOOL:
		strbuf_add(out, cell->boolean ? "true" : "false");
		break;
	case CELL_NONE:
	case CELL_STRING:
	case CELL_FLOAT:
	case CELL_LIST:
		break;
	}
}

static struct doc_node *node_new(struct doc *doc, enum doc_kind kind, const char *heading)
{
	struct doc_node *node = arena_zalloc(&doc->arena, sizeof(*node));

	node->kind = kind;
	node->media = DOC_EVERYWHERE;
	node->heading = heading;
	node->parent = doc->current;
	node->fields_end = &node->fields;
	node->rows_end = &node->rows;
	return node;
}

void doc_init(struct doc *doc)
{
	*doc = (struct doc){ .media = DOC_EVERYWHERE };
	doc->remarks_end = &doc->remarks;
	doc->root = node_new(doc, DOC_RECORD, NULL);
	doc->current = doc->root;
}

void doc_deinit(struct doc *doc)
{
	arena_deinit(&doc->arena);
}

static struct doc_field *field_new(struct doc *doc, const char *key)
{
	struct doc_node *node = doc->current;
	struct doc_field *field = arena_zalloc(&doc->arena, sizeof(*field));

	assert(node->kind == DOC_RECORD || node->kind == DOC_ARRAY);
	assert(node->kind != DOC_ARRAY || !key);
	field->key = key;
	field->media = DOC_EVERYWHERE;
	*node->fields_end = field;
	node->fields_end = &field->next;
	return field;
}

static void open_node(struct doc *doc, enum doc_kind kind, const char *key, const char *heading)
{
	struct doc_field *field = field_new(doc, key);

	field->child = node_new(doc, kind, heading);
	doc->current = field->child;
}

void doc_record(struct doc *doc, const char *key, const char *heading)
{
	open_node(doc, DOC_RECORD, key, heading);
}

void doc_array(struct doc *doc, const char *key, const char *heading)
{
	open_node(doc, DOC_ARRAY, key, heading);
}

void doc_table(struct doc *doc, const char *key, const struct column *columns, size_t count)
{
	open_node(doc, DOC_TABLE, key, NULL);
	doc->current->columns = columns;
	doc->current->column_count = count;
}

void doc_lines(struct doc *doc, const char *key, const char *heading)
{
	static const struct column text = { .key = "line", .title = "" };

	open_node(doc, DOC_LINES, key, heading);
	doc->current->columns = &text;
	doc->current->column_count = 1;
}

void doc_bytes(struct doc *doc, const char *key, uint64_t address, const uint8_t *bytes,
	       const uint8_t *known, size_t size)
{
	struct doc_bytes *b = arena_zalloc(&doc->arena, sizeof(*b));

	open_node(doc, DOC_BYTES, key, NULL);
	*b = (struct doc_bytes){ .address = address, .size = size, .marks_end = &b->marks };
	b->bytes = memcpy(arena_alloc(&doc->arena, size), bytes, size);
	if (known)
		b->known = memcpy(arena_alloc(&doc->arena, size), known, size);
	doc->current->bytes = b;
}

static bool marked(const struct doc_bytes *b, uint64_t at, uint64_t size)
{
	for (const struct doc_mark *m = b->marks; m; m = m->next) {
		if (m->offset < at + size && m->offset + m->size > at)
			return true;
	}
	return false;
}

uint64_t doc_bytes_same(const struct doc_bytes *b, uint64_t at, uint64_t line)
{
	enum { WORTH = 3 };
	uint64_t count = 0;

	if (at < line || marked(b, at - line, line))
		return 0;
	for (; at + line <= b->size && !marked(b, at, line); at += line, count++) {
		if (memcmp(b->bytes + at, b->bytes + at - line, line) != 0 ||
		    (b->known && memcmp(b->known + at, b->known + at - line, line) != 0))
			break;
	}
	return count >= WORTH ? count : 0;
}

void doc_end(struct doc *doc)
{
	assert(doc->current->parent);
	doc->current = doc->current->parent;
}

void doc_bare(struct doc *doc)
{
	doc->current->bare = true;
}

void doc_plain(struct doc *doc)
{
	doc->current->plain = true;
}

void doc_prose(struct doc *doc)
{
	doc->current->prose = true;
}

void doc_labels(struct doc *doc, unsigned width)
{
	doc->current->label_width = (uint8_t)width;
}

void doc_hidden(struct doc *doc)
{
	doc_only_in(doc, DOC_IN_JSON);
}

void doc_only_in(struct doc *doc, unsigned media)
{
	doc->current->media = (uint8_t)media;
}

void doc_look(struct doc *doc, enum doc_look look)
{
	doc->current->look = look;
}

void doc_closed(struct doc *doc)
{
	doc->current->closed = true;
}

static printf_like(2, 0) char *vprint(struct doc *doc, const char *fmt, va_list args)
{
	char small[512];
	va_list again;

	va_copy(again, args);
	int n = vsnprintf(small, sizeof(small), fmt, args);
	size_t len = n < 0 ? 0 : (size_t)n;
	char *s = arena_alloc(&doc->arena, len + 1);
	if (len < sizeof(small))
		memcpy(s, small, len);
	else
		vsnprintf(s, len + 1, fmt, again);
	s[len] = '\0';
	va_end(again);
	return s;
}

void doc_heading(struct doc *doc, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	doc->current->heading = vprint(doc, fmt, args);
	va_end(args);
}

void doc_section(struct doc *doc, const char *label, const char *command, const char *fmt, ...)
{
	struct doc_node *node = doc->current;
	va_list args;

	va_start(args, fmt);
	node->heading = vprint(doc, fmt, args);
	va_end(args);
	node->label = label;
	node->command = command ? arena_strdup(&doc->arena, command) : NULL;
}

void doc_title(struct doc *doc, const char *badge, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	doc->title = vprint(doc, fmt, args);
	va_end(args);
	doc->badge = badge ? arena_strdup(&doc->arena, badge) : NULL;
}

void doc_mark(struct doc *doc, uint64_t offset, uint64_t size, enum cell_style style,
	      const char *fmt, ...)
{
	struct doc_bytes *b = doc->current->bytes;
	struct doc_mark *mark = arena_zalloc(&doc->arena, sizeof(*mark));
	va_list args;

	assert(b && offset <= b->size && size <= b->size - offset);
	va_start(args, fmt);
	*mark = (struct doc_mark){ .offset = offset, .size = size, .style = style,
				   .label = vprint(doc, fmt, args) };
	va_end(args);
	*b->marks_end = mark;
	b->marks_end = &mark->next;
}

/* A string is often that of the row before: @before, which may be NULL. */
static const char *string_copy(struct doc *doc, const char *s, const char *before)
{
	return before && strcmp(s, before) == 0 ? before : arena_strdup(&doc->arena, s);
}

/* @above: the cell above it in a table; NULL: none. */
static struct cell cell_copy(struct doc *doc, struct cell cell, const struct cell *above)
{
	bool alike = above && above->kind == CELL_STRING;

	if (cell.kind == CELL_STRING)
		cell.str = string_copy(doc, cell.str, alike ? above->str : NULL);
	if (cell.shown)
		cell.shown = string_copy(doc, cell.shown, above ? above->shown : NULL);
	if (cell.kind == CELL_LIST) {
		struct cell_list *list = arena_alloc(&doc->arena, sizeof(*list));
		struct cell *cells =
			arena_alloc(&doc->arena, cell.list->count * sizeof(*cells));
		for (size_t i = 0; i < cell.list->count; i++)
			cells[i] = cell_copy(doc, cell.list->cells[i], NULL);
		*list = (struct cell_list){ .cells = cells, .count = cell.list->count };
		cell.list = list;
	}
	return cell;
}

void doc_field_styled(struct doc *doc, const char *key, const char *title, enum cell_style style,
		      struct cell value)
{
	struct doc_field *field = field_new(doc, key);

	field->title = title;
	field->style = style;
	field->value = cell_copy(doc, value, NULL);
}

void doc_field(struct doc *doc, const char *key, const char *title, struct cell value)
{
	doc_field_styled(doc, key, title, STYLE_PLAIN, value);
}

void doc_fieldf(struct doc *doc, const char *key, const char *title, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	char *s = vprint(doc, fmt, args);
	va_end(args);
	struct doc_field *field = field_new(doc, key);
	field->title = title;
	field->value = cell_str(s);
}

static struct doc_row *row_new(struct doc *doc)
{
	struct doc_node *table = doc->current;
	struct doc_row *row = arena_zalloc(&doc->arena, sizeof(*row));

	assert(table->kind == DOC_TABLE || table->kind == DOC_LINES);
	row->media = DOC_EVERYWHERE;
	*table->rows_end = row;
	table->rows_end = &row->next;
	table->row_count++;
	return row;
}

static struct doc_field *last_field(struct doc *doc)
{
	struct doc_node *node = doc->current;

	assert(node->fields);
	return container_of(node->fields_end, struct doc_field, next);
}

static struct doc_row *last_row(struct doc *doc)
{
	struct doc_node *table = doc->current;

	assert(table->row_count);
	return container_of(table->rows_end, struct doc_row, next);
}

void doc_last_style(struct doc *doc, enum cell_style style)
{
	last_field(doc)->style = style;
}

void doc_last_link(struct doc *doc)
{
	last_field(doc)->link = true;
}

void doc_last_in(struct doc *doc, unsigned media)
{
	last_field(doc)->media = (uint8_t)media;
}

void doc_row_array(struct doc *doc, const struct cell *cells)
{
	size_t count = doc->current->column_count;
	struct cell *copy = arena_alloc(&doc->arena, count * sizeof(*copy));

	const struct cell *before = doc->current->row_count ? last_row(doc)->cells : NULL;
	for (size_t i = 0; i < count; i++)
		copy[i] = cell_copy(doc, cells[i], before ? &before[i] : NULL);
	row_new(doc)->cells = copy;
}

void doc_row_style(struct doc *doc, enum cell_style style)
{
	last_row(doc)->style = style;
}

void doc_row_hide(struct doc *doc)
{
	doc_row_in(doc, DOC_IN_JSON);
}

void doc_row_in(struct doc *doc, unsigned media)
{
	last_row(doc)->media = (uint8_t)media;
}

void doc_textf(struct doc *doc, enum cell_style style, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	char *s = vprint(doc, fmt, args);
	va_end(args);
	if (doc->current->kind == DOC_TABLE) {
		struct doc_row *row = row_new(doc);
		row->text = s;
		row->style = style;
		return;
	}
	struct doc_field *field = field_new(doc, NULL);
	field->style = style;
	field->value = cell_str(s);
}

void doc_detail(struct doc *doc)
{
	struct doc_row *last = last_row(doc);

	assert(doc->current->kind == DOC_TABLE && last->cells && !last->detail);
	last->detail = node_new(doc, DOC_RECORD, NULL);
	doc->current = last->detail;
}

void doc_line(struct doc *doc, const char *text)
{
	doc_row(doc, cell_str(text));
}

void doc_linef(struct doc *doc, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	char *s = vprint(doc, fmt, args);
	va_end(args);
	doc_line(doc, s);
}

void doc_remark(struct doc *doc, enum remark_kind kind, const char *fmt, ...)
{
	struct doc_remark *remark = arena_zalloc(&doc->arena, sizeof(*remark));
	va_list args;

	va_start(args, fmt);
	remark->kind = kind;
	remark->text = vprint(doc, fmt, args);
	va_end(args);
	*doc->remarks_end = remark;
	doc->remarks_end = &remark->next;
}

int doc_status(const struct doc *doc)
{
	for (const struct doc_remark *r = doc->remarks; r; r = r->next) {
		if (r->kind != REMARK_NOTE)
			return 1;
	}
	return doc->incomplete;
}
