// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A document as JSON (RFC 8259). Records and arrays get a line for each element, indented; a table
 * row is one line, so that line-based tools work on long tables too. Numbers are JSON numbers
 * except addresses and other hexadecimal ones, which are "0x..." strings: readers that keep numbers
 * in doubles would damage them.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/digits.h"
#include "output/output.h"
#include "output/utf8.h"

struct json {
	FILE *out;
	unsigned depth;
	bool flat; /* everything on one line */
};

static void put_escaped(FILE *out, unsigned char c)
{
	static const char *const shorts[] = {
		['"'] = "\\\"", ['\\'] = "\\\\", ['\n'] = "\\n", ['\t'] = "\\t", ['\r'] = "\\r",
	};

	if (c < array_size(shorts) && shorts[c])
		fputs(shorts[c], out);
	else if (c < 0x20 || c == 0x7f)
		fprintf(out, "\\u%04x", c);
	else
		putc(c, out);
}

static void put_string(FILE *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	putc_unlocked('"', out);
	while (*s) {
		size_t plain = 0;
		while (s[plain] >= ' ' && s[plain] < 0x7f && s[plain] != '"' && s[plain] != '\\')
			plain++;
		if (plain) {
			fwrite_unlocked(s, 1, plain, out);
			s += plain;
			continue;
		}
		unsigned n = utf8_length(s);
		if (n == 1)
			put_escaped(out, *s);
		else if (n)
			fwrite(s, 1, n, out);
		else
			fprintf(out, "\\\\x%02x", *s);
		s += n ? n : 1;
	}
	putc_unlocked('"', out);
}

static void put_cell(FILE *out, const struct cell *cell)
{
	char number[DIGITS_MAX + 4];
	unsigned n;

	switch (cell->kind) {
	case CELL_NONE:
		fputs("null", out);
		break;
	case CELL_DEC:
		fwrite_unlocked(number, 1, put_signed(number, cell->dec), out);
		break;
	case CELL_UDEC:
		fwrite_unlocked(number, 1, put_dec(number, cell->udec), out);
		break;
	case CELL_HEX:
	case CELL_ADDRESS:
		memcpy(number, "\"0x", 3);
		n = 3 + put_hex(number + 3, cell->udec, 1);
		number[n++] = '"';
		fwrite_unlocked(number, 1, n, out);
		break;
	case CELL_STRING:
		put_string(out, cell->str);
		break;
	case CELL_BOOL:
		fputs(cell->boolean ? "true" : "false", out);
		break;
	case CELL_FLOAT:
		if (isfinite(cell->real))
			fprintf(out, "%.12g", cell->real);
		else
			fputs("null", out);
		break;
	case CELL_LIST:
		putc('[', out);
		for (size_t i = 0; i < cell->list->count; i++) {
			if (i)
				fputs(", ", out);
			put_cell(out, &cell->list->cells[i]);
		}
		putc(']', out);
		break;
	}
}

/* Before an element: the comma after the one before it, and the line break. */
static void separate(struct json *j, bool *first)
{
	if (!*first)
		fputs_unlocked(j->flat ? ", " : ",", j->out);
	*first = false;
	if (!j->flat)
		fprintf(j->out, "\n%*s", (int)(2 * j->depth), "");
}

static void put_key(struct json *j, const char *key, bool *first)
{
	separate(j, first);
	put_string(j->out, key);
	fputs_unlocked(": ", j->out);
}

static void open_with(struct json *j, char c)
{
	putc(c, j->out);
	j->depth++;
}

static void close_with(struct json *j, char c, bool empty)
{
	j->depth--;
	if (!empty && !j->flat)
		fprintf(j->out, "\n%*s", (int)(2 * j->depth), "");
	putc(c, j->out);
}

static void put_node(struct json *j, const struct doc_node *node);

static void put_value(struct json *j, const struct doc_field *field)
{
	if (field->child)
		put_node(j, field->child);
	else
		put_cell(j->out, &field->value);
}

static void put_fields(struct json *j, const struct doc_node *node, bool *first)
{
	for (const struct doc_field *f = node->fields; f; f = f->next) {
		if (!f->key || !(f->media & DOC_IN_JSON) ||
		    (f->child && !(f->child->media & DOC_IN_JSON)))
			continue;
		put_key(j, f->key, first);
		put_value(j, f);
	}
}

static void put_row_fields(struct json *j, const struct doc_node *table, const struct doc_row *row,
			   bool *first)
{
	for (size_t i = 0; i < table->column_count; i++) {
		if (!table->columns[i].key)
			continue;
		put_key(j, table->columns[i].key, first);
		put_cell(j->out, &row->cells[i]);
	}
	if (row->detail)
		put_fields(j, row->detail, first);
}

static void put_row(struct json *j, const struct doc_node *table, const struct doc_row *row)
{
	bool first = true;
	bool flat = j->flat;

	j->flat = true;
	open_with(j, '{');
	put_row_fields(j, table, row, &first);
	close_with(j, '}', first);
	j->flat = flat;
}

static void put_rows(struct json *j, const struct doc_node *node)
{
	bool first = true;

	open_with(j, '[');
	for (const struct doc_row *row = node->rows; row; row = row->next) {
		if (!row->cells || !(row->media & DOC_IN_JSON))
			continue;
		separate(j, &first);
		if (node->kind == DOC_LINES)
			put_cell(j->out, &row->cells[0]);
		else
			put_row(j, node, row);
	}
	close_with(j, ']', first);
}

static void put_mark(struct json *j, const struct doc_mark *mark)
{
	fprintf(j->out, "{\"offset\": %" PRIu64 ", \"size\": %" PRIu64 ", \"damaged\": %s, \"label\": ",
		mark->offset, mark->size, mark->style == STYLE_BAD ? "true" : "false");
	put_string(j->out, mark->label);
	putc('}', j->out);
}

/* The bytes as hex digits; "--" for one that the dump lacks. */
static void put_bytes(struct json *j, const struct doc_bytes *b)
{
	bool first = true, first_mark = true;

	open_with(j, '{');
	put_key(j, "address", &first);
	fprintf(j->out, "\"0x%" PRIx64 "\"", b->address);
	put_key(j, "size", &first);
	fprintf(j->out, "%" PRIu64, b->size);
	put_key(j, "bytes", &first);
	putc('"', j->out);
	for (uint64_t i = 0; i < b->size; i++) {
		if (b->known && !b->known[i])
			fputs("--", j->out);
		else
			fprintf(j->out, "%02x", b->bytes[i]);
	}
	putc('"', j->out);
	put_key(j, "marks", &first);
	open_with(j, '[');
	for (const struct doc_mark *m = b->marks; m; m = m->next) {
		separate(j, &first_mark);
		put_mark(j, m);
	}
	close_with(j, ']', first_mark);
	close_with(j, '}', false);
}

static void put_node(struct json *j, const struct doc_node *node)
{
	bool first = true;

	switch (node->kind) {
	case DOC_RECORD:
		open_with(j, '{');
		put_fields(j, node, &first);
		close_with(j, '}', first);
		break;
	case DOC_ARRAY:
		open_with(j, '[');
		for (const struct doc_field *f = node->fields; f; f = f->next) {
			separate(j, &first);
			put_value(j, f);
		}
		close_with(j, ']', first);
		break;
	case DOC_TABLE:
	case DOC_LINES:
		put_rows(j, node);
		break;
	case DOC_BYTES:
		put_bytes(j, node->bytes);
		break;
	}
}

static void put_remarks(struct json *j, const struct doc *doc, bool *first)
{
	static const char *const kinds[] = {
		[REMARK_NOTE] = "note", [REMARK_HOLE] = "missing", [REMARK_ERROR] = "error",
	};
	bool first_remark = true;

	if (!doc->remarks)
		return;
	put_key(j, "remarks", first);
	open_with(j, '[');
	for (const struct doc_remark *r = doc->remarks; r; r = r->next) {
		separate(j, &first_remark);
		fprintf(j->out, "{\"kind\": \"%s\", \"text\": ", kinds[r->kind]);
		put_string(j->out, r->text);
		putc('}', j->out);
	}
	close_with(j, ']', false);
}

static void put_doc(struct json *j, const struct doc *doc, const char *command)
{
	bool first = true;

	open_with(j, '{');
	if (command) {
		put_key(j, "command", &first);
		put_string(j->out, command);
	}
	put_fields(j, doc->root, &first);
	put_remarks(j, doc, &first);
	close_with(j, '}', first);
}

void output_json(const struct doc *doc, FILE *out)
{
	struct json j = { .out = out };

	put_doc(&j, doc, NULL);
	putc('\n', out);
}

void output_json_begin(FILE *out)
{
	fputs("{\n  \"commands\": [", out);
}

void output_json_item(const struct doc *doc, const char *command, size_t number, FILE *out)
{
	struct json j = { .out = out, .depth = 2 };
	bool first = number == 0;

	separate(&j, &first);
	put_doc(&j, doc, command);
}

void output_json_end(FILE *out)
{
	fputs("\n  ]\n}\n", out);
}

/* --- An object a line. --- */

struct lines {
	struct json json;
	const char *command, *table; /* NULL: these are not told */
};

static void begin_line(struct lines *lines, bool *first)
{
	*first = true;
	lines->json.depth = 0;
	open_with(&lines->json, '{');
	if (lines->command) {
		put_key(&lines->json, "command", first);
		put_string(lines->json.out, lines->command);
	}
	if (lines->table) {
		put_key(&lines->json, "table", first);
		put_string(lines->json.out, lines->table);
	}
}

static void end_line(struct lines *lines, bool first)
{
	close_with(&lines->json, '}', first);
	putc('\n', lines->json.out);
}

/* A record's fields are the line's; anything else gets a key. */
static void put_item(struct lines *lines, const struct doc_node *node, const char *key)
{
	bool first;

	begin_line(lines, &first);
	if (node->kind == DOC_RECORD) {
		put_fields(&lines->json, node, &first);
	} else {
		put_key(&lines->json, key, &first);
		put_node(&lines->json, node);
	}
	end_line(lines, first);
}

static void put_part(struct lines *lines, const struct doc_node *node, const char *key)
{
	bool first;

	if (node->kind == DOC_RECORD || node->kind == DOC_BYTES) {
		put_item(lines, node, key);
		return;
	}
	for (const struct doc_field *f = node->fields; f; f = f->next) {
		if (f->child && (f->media & DOC_IN_JSON))
			put_item(lines, f->child, "rows");
	}
	for (const struct doc_row *row = node->rows; row; row = row->next) {
		if (!row->cells || !(row->media & DOC_IN_JSON))
			continue;
		begin_line(lines, &first);
		put_row_fields(&lines->json, node, row, &first);
		end_line(lines, first);
	}
}

void output_jsonl(const struct doc *doc, const char *command, FILE *out)
{
	struct lines lines = { .json = { .out = out, .flat = true }, .command = command };
	const struct doc_field *f;
	unsigned parts = 0;
	bool values = false, first;

	for (f = doc->root->fields; f; f = f->next) {
		bool here = f->key && (f->media & DOC_IN_JSON) &&
			    (!f->child || (f->child->media & DOC_IN_JSON));
		parts += here && f->child;
		values |= here && !f->child;
	}
	if (values) {
		begin_line(&lines, &first);
		for (f = doc->root->fields; f; f = f->next) {
			if (!f->key || f->child || !(f->media & DOC_IN_JSON))
				continue;
			put_key(&lines.json, f->key, &first);
			put_cell(out, &f->value);
		}
		end_line(&lines, first);
	}
	for (f = doc->root->fields; f; f = f->next) {
		if (!f->key || !f->child || !(f->media & f->child->media & DOC_IN_JSON))
			continue;
		lines.table = parts + values > 1 ? f->key : NULL;
		put_part(&lines, f->child, f->key);
	}
}
