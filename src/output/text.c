// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A document as text for people.
 *
 *	record   "LABEL: value" lines, labels right-aligned over the whole record (crash's banner);
 *	         plain ones have labels to the left and no colon
 *	table    columns as wide as their widest cell: two passes over the rows
 *	detail   the record under a row, indented
 *	array    its elements with an empty line between them
 *	steps    numbered sentences, folded, with a command at the right edge of the last line
 *
 * Blanks are written only when something follows on the line, so that no line ends in any.
 * Whatever a dump holds, the terminal gets no control characters but tabs.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/digits.h"
#include "base/strbuf.h"
#include "output/output.h"
#include "output/remarks.h"
#include "output/utf8.h"

enum { DETAIL_INDENT = 4, COLUMN_GAP = 2, FOLD_MIN = 24, PROSE_WIDTH = 100, LABEL_WIDTH = 7,
       BYTES_A_LINE = 16, NUMBER_MAX = DIGITS_MAX + 2 };

struct text {
	FILE *out;
	bool color;
	unsigned width;
	unsigned indent;
	const atomic_bool *stop;
	unsigned pending; /* blanks not yet written */
	struct strbuf buf; /* the cell being written */
	unsigned buf_width;
};

static const char *const style_start[] = {
	[STYLE_PLAIN] = "", [STYLE_STRONG] = "\033[1m", [STYLE_BAD] = "\033[1;31m",
	[STYLE_FAINT] = "\033[2m",
};

/* Adds @text with unprintable bytes escaped to t->buf. */
static void add_clean(struct text *t, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	while (*s) {
		size_t plain = 0;
		while (s[plain] >= ' ' && s[plain] < 0x7f)
			plain++;
		if (plain) {
			strbuf_add_n(&t->buf, (const char *)s, plain);
			t->buf_width += (unsigned)plain;
			s += plain;
			continue;
		}
		unsigned n = utf8_length(s);
		if (!n || utf8_is_c1(s, n) ||
		    (n == 1 && ((*s < ' ' && *s != '\t') || *s == 0x7f))) {
			strbuf_addf(&t->buf, "\\x%02x", *s);
			t->buf_width += 4;
			s++;
			continue;
		}
		strbuf_add_n(&t->buf, (const char *)s, n);
		t->buf_width++;
		s += n;
	}
}

/* Of a cell that is a number, which needs @number of NUMBER_MAX bytes; 0: it is none. */
static unsigned number_text(const struct cell *cell, char *number)
{
	switch (cell->kind) {
	case CELL_DEC:
		return put_signed(number, cell->dec);
	case CELL_UDEC:
		return put_dec(number, cell->udec);
	case CELL_HEX:
		memcpy(number, "0x", 2);
		return 2 + put_hex(number + 2, cell->udec, 1);
	case CELL_ADDRESS:
		return put_hex(number, cell->udec, 16);
	default:
		return 0;
	}
}

static void add_cell(struct text *t, const struct cell *cell)
{
	char number[NUMBER_MAX];
	unsigned n;

	if (cell->shown) {
		add_clean(t, cell->shown);
		return;
	}
	switch (cell->kind) {
	case CELL_NONE:
		strcpy(number, "?");
		break;
	case CELL_DEC:
	case CELL_UDEC:
	case CELL_HEX:
	case CELL_ADDRESS:
		n = number_text(cell, number);
		strbuf_add_n(&t->buf, number, n);
		t->buf_width += n;
		return;
	case CELL_STRING:
		add_clean(t, cell->str);
		return;
	case CELL_BOOL:
		strcpy(number, cell->boolean ? "yes" : "no");
		break;
	case CELL_FLOAT:
		snprintf(number, sizeof(number),
			 cell->real > -1e15 && cell->real < 1e15 ? "%.2f" : "%.12g", cell->real);
		break;
	case CELL_LIST:
		for (size_t i = 0; i < cell->list->count; i++) {
			if (i)
				add_clean(t, " ");
			add_cell(t, &cell->list->cells[i]);
		}
		return;
	}
	add_clean(t, number);
}

static void set_cell(struct text *t, const struct cell *cell)
{
	strbuf_clear(&t->buf);
	t->buf_width = 0;
	add_cell(t, cell);
}

/* How many columns the cell takes; the same as set_cell() would find, without the text. */
static unsigned cell_width(struct text *t, const struct cell *cell)
{
	if (!cell->shown && cell->kind == CELL_UDEC)
		return dec_digits(cell->udec);
	if (!cell->shown && cell->kind == CELL_HEX)
		return 2 + hex_digits(cell->udec);
	if (!cell->shown && cell->kind == CELL_ADDRESS)
		return 16;
	set_cell(t, cell);
	return t->buf_width;
}

static void set_text(struct text *t, const char *s)
{
	set_cell(t, &(struct cell){ .kind = CELL_STRING, .str = s });
}

static void put_blanks(struct text *t)
{
	static const char blanks[] = "                                                                ";

	while (t->pending) {
		unsigned n = t->pending < sizeof(blanks) - 1 ? t->pending
							     : (unsigned)sizeof(blanks) - 1;
		fwrite_unlocked(blanks, 1, n, t->out);
		t->pending -= n;
	}
}

static void put_n(struct text *t, enum cell_style style, const char *s, size_t n)
{
	if (!n)
		return;
	put_blanks(t);
	bool styled = t->color && style != STYLE_PLAIN;
	if (styled)
		fputs(style_start[style], t->out);
	fwrite_unlocked(s, 1, n, t->out);
	if (styled)
		fputs("\033[0m", t->out);
}

static void put_buf(struct text *t, enum cell_style style)
{
	put_n(t, style, strbuf_text(&t->buf), t->buf.len);
}

static bool stopped(const struct text *t)
{
	return t->stop && atomic_load_explicit(t->stop, memory_order_relaxed);
}

static void start_line(struct text *t)
{
	t->pending = t->indent;
}

static void end_line(struct text *t)
{
	t->pending = 0;
	putc_unlocked('\n', t->out);
}

static void put_line(struct text *t, enum cell_style style, const char *s)
{
	start_line(t);
	set_text(t, s);
	put_buf(t, style);
	end_line(t);
}

/* How many columns @n bytes of well-formed UTF-8 take. */
static unsigned columns_of(const char *s, size_t n)
{
	unsigned columns = 0;

	for (size_t i = 0; i < n; i++)
		columns += ((unsigned char)s[i] & 0xc0) != 0x80;
	return columns;
}

/* How many bytes of @s make a line of at most @room columns, breaking at a blank. */
static size_t fold_at(const char *s, unsigned room)
{
	size_t fits = 0, blank = 0;
	unsigned column = 0;

	for (; s[fits] && column < room; column++) {
		if (s[fits] == ' ')
			blank = fits;
		unsigned n = utf8_length((const unsigned char *)s + fits);
		fits += n ? n : 1;
	}
	if (!s[fits] || s[fits] == ' ' || !blank)
		return fits;
	return blank;
}

/* The value of a field, folded under itself where the terminal is narrower. */
static void put_folded(struct text *t, enum cell_style style, unsigned column, unsigned width)
{
	const char *s = strbuf_text(&t->buf);

	if (width < column + FOLD_MIN) {
		put_buf(t, style);
		return;
	}
	for (;;) {
		size_t n = fold_at(s, width - column);
		put_n(t, style, s, n);
		s += n;
		while (*s == ' ')
			s++;
		if (!*s)
			return;
		end_line(t);
		t->pending = column;
	}
}

/* Sentences are for reading: long lines are not, wherever they go. */
static unsigned prose_width(const struct text *t)
{
	return t->width && t->width < PROSE_WIDTH ? t->width : PROSE_WIDTH;
}

static void put_node(struct text *t, const struct doc_node *node);

static bool field_visible(const struct doc_field *field)
{
	return (field->media & DOC_IN_TEXT) && (field->title || !field->key);
}

static unsigned label_width(const struct doc_node *record)
{
	unsigned width = record->label_width;

	for (const struct doc_field *f = record->fields; f; f = f->next) {
		if (f->title && !f->child && field_visible(f) && strlen(f->title) > width)
			width = (unsigned)strlen(f->title);
	}
	return width;
}

/* Is there anything to see of it? */
static bool node_visible(const struct doc_node *node)
{
	if (!(node->media & DOC_IN_TEXT))
		return false;
	if (node->heading)
		return true;
	if (node->kind == DOC_BYTES)
		return true;
	if (node->kind == DOC_TABLE || node->kind == DOC_LINES)
		return node->rows || (node->column_count && !node->bare);
	for (const struct doc_field *f = node->fields; f; f = f->next) {
		if (f->child ? node_visible(f->child) : field_visible(f))
			return true;
	}
	return false;
}

static void put_field(struct text *t, const struct doc_field *field, unsigned labels, bool plain,
		      bool prose)
{
	if (!field_visible(field))
		return;
	if (!field->title) {
		put_line(t, field->style, field->value.str);
		return;
	}
	start_line(t);
	unsigned fill = labels - (unsigned)strlen(field->title);
	t->pending += plain ? 0 : fill;
	put_n(t, STYLE_FAINT, field->title, strlen(field->title));
	if (!plain)
		put_n(t, STYLE_FAINT, ":", 1);
	t->pending = plain ? fill + 2 : 1;
	set_cell(t, &field->value);
	put_folded(t, field->style, t->indent + labels + 2, prose ? prose_width(t) : t->width);
	end_line(t);
}

static void put_fields(struct text *t, const struct doc_node *node)
{
	unsigned labels = label_width(node);
	bool something = false;

	for (const struct doc_field *f = node->fields; f; f = f->next) {
		if (!f->child) {
			put_field(t, f, labels, node->plain, node->prose);
			something |= field_visible(f);
		} else if (node_visible(f->child)) {
			if (something && node->parent == NULL)
				putc('\n', t->out);
			else if (something && node->kind == DOC_ARRAY)
				putc('\n', t->out);
			put_node(t, f->child);
			something = true;
		}
	}
}

static void measure(struct text *t, const struct doc_node *table, unsigned *widths)
{
	for (size_t i = 0; i < table->column_count; i++) {
		const struct column *column = &table->columns[i];
		widths[i] = column->title && !table->bare ? (unsigned)strlen(column->title) : 0;
	}
	for (const struct doc_row *row = table->rows; row; row = row->next) {
		if (!row->cells || !(row->media & DOC_IN_TEXT))
			continue;
		for (size_t i = 0; i < table->column_count; i++) {
			if (!table->columns[i].title)
				continue;
			unsigned width = cell_width(t, &row->cells[i]);
			if (width > widths[i])
				widths[i] = width;
		}
	}
}

/* Writes the cell in t->buf into its column. */
static void put_aligned(struct text *t, const struct column *column, enum cell_style style,
			unsigned width)
{
	unsigned fill = width > t->buf_width ? width - t->buf_width : 0;

	if (column->right)
		t->pending += fill;
	put_buf(t, style);
	t->pending += column->right ? 0 : fill;
	if (t->buf_width || width)
		t->pending += column->gap ? column->gap : COLUMN_GAP;
}

static void put_titles(struct text *t, const struct doc_node *table, const unsigned *widths)
{
	start_line(t);
	for (size_t i = 0; i < table->column_count; i++) {
		const struct column *column = &table->columns[i];
		if (!column->title)
			continue;
		set_text(t, column->title);
		put_aligned(t, column, STYLE_FAINT, widths[i]);
	}
	end_line(t);
}

/* The last column that is shown; it may be folded. */
static size_t last_column(const struct doc_node *table)
{
	size_t last = table->column_count;

	while (last && !table->columns[last - 1].title)
		last--;
	return last ? last - 1 : 0;
}

static void put_row(struct text *t, const struct doc_node *table, const struct doc_row *row,
		    const unsigned *widths)
{
	size_t last = last_column(table);
	unsigned at = t->indent;

	if (!row->cells) {
		put_line(t, row->style, row->text);
		return;
	}
	start_line(t);
	for (size_t i = 0; i < table->column_count; i++) {
		const struct column *column = &table->columns[i];
		enum cell_style style = row->style ? row->style : column->style;
		if (!column->title)
			continue;
		set_cell(t, &row->cells[i]);
		/* Only where the terminal is too narrow: elsewhere rows stay lines. */
		if (i == last && !column->right && t->width && at + t->buf_width > t->width)
			put_folded(t, style, at, t->width);
		else
			put_aligned(t, column, style, widths[i]);
		at += widths[i] + (column->gap ? column->gap : COLUMN_GAP);
	}
	end_line(t);
	if (row->detail) {
		t->indent += DETAIL_INDENT;
		put_fields(t, row->detail);
		t->indent -= DETAIL_INDENT;
	}
}

static void put_table(struct text *t, const struct doc_node *table)
{
	unsigned *widths = xcalloc(table->column_count, sizeof(*widths));

	measure(t, table, widths);
	if (!table->bare)
		put_titles(t, table, widths);
	for (const struct doc_row *row = table->rows; row && !stopped(t); row = row->next) {
		if (row->media & DOC_IN_TEXT)
			put_row(t, table, row, widths);
	}
	free(widths);
}

/* What to type, at the right edge: of this line where there is room, else of the next. */
static void put_aside(struct text *t, const char *command, unsigned used, unsigned width)
{
	set_text(t, command);
	if (used + COLUMN_GAP + t->buf_width > width) {
		end_line(t);
		used = 0;
	}
	t->pending = width > used + t->buf_width ? width - used - t->buf_width : 0;
	put_buf(t, STYLE_FAINT);
}

/* A sentence with its number before and a command behind it. */
static void put_step(struct text *t, unsigned number, const struct doc_row *row, bool aside)
{
	unsigned width = prose_width(t), indent = t->indent + DETAIL_INDENT, used = 0;
	unsigned room = width > indent + FOLD_MIN ? width - indent : FOLD_MIN;
	const char *command = aside && row->cells[1].kind == CELL_STRING ? row->cells[1].str : NULL;
	unsigned beside = command ? columns_of(command, strlen(command)) + COLUMN_GAP : 0;
	char head[16];

	snprintf(head, sizeof(head), "%2u", number);
	start_line(t);
	put_n(t, STYLE_FAINT, head, strlen(head));
	set_cell(t, &row->cells[0]);
	t->pending = indent > strlen(head) ? indent - (unsigned)strlen(head) : 0;
	for (const char *s = strbuf_text(&t->buf); *s;) {
		size_t n = fold_at(s, room);
		/* No line for the command alone: a word goes down with it. */
		if (!s[n] && columns_of(s, n) + beside > room && room > beside + FOLD_MIN)
			n = fold_at(s, room - beside);
		put_n(t, row->style, s, n);
		used = indent + columns_of(s, n);
		s += n;
		while (*s == ' ')
			s++;
		if (*s) {
			end_line(t);
			t->pending = indent;
		}
	}
	if (command)
		put_aside(t, command, used, width);
	end_line(t);
}

static void put_steps(struct text *t, const struct doc_node *table)
{
	unsigned number = 0;

	for (const struct doc_row *row = table->rows; row && !stopped(t); row = row->next) {
		if (row->cells && (row->media & DOC_IN_TEXT))
			put_step(t, ++number, row, table->column_count > 1);
	}
}

/* The part that byte @offset is in: of several the damaged one. */
static const struct doc_mark *mark_at(const struct doc_bytes *b, uint64_t offset)
{
	const struct doc_mark *found = NULL;

	for (const struct doc_mark *m = b->marks; m; m = m->next) {
		if (offset >= m->offset && offset - m->offset < m->size &&
		    (!found || m->style == STYLE_BAD))
			found = m;
	}
	return found;
}

static void put_byte_line(struct text *t, const struct doc_bytes *b, uint64_t at)
{
	char text[32];

	start_line(t);
	snprintf(text, sizeof(text), "%016" PRIx64, b->address + at);
	put_n(t, STYLE_FAINT, text, strlen(text));
	for (uint64_t i = at; i < at + BYTES_A_LINE && i < b->size; i++) {
		const struct doc_mark *mark = mark_at(b, i);
		bool known = !b->known || b->known[i];
		t->pending = i % 8 ? 1 : 2;
		snprintf(text, sizeof(text), known ? "%02x" : "??", b->bytes[i]);
		put_n(t, mark ? mark->style : STYLE_PLAIN, text, 2);
	}
	end_line(t);
	for (const struct doc_mark *m = b->marks; m; m = m->next) {
		if (m->offset < at || m->offset >= at + BYTES_A_LINE)
			continue;
		start_line(t);
		t->pending += DETAIL_INDENT;
		snprintf(text, sizeof(text), "+0x%" PRIx64, m->offset);
		put_n(t, m->style, text, strlen(text));
		t->pending = COLUMN_GAP;
		set_text(t, m->label);
		put_buf(t, m->style);
		end_line(t);
	}
}

static void put_bytes(struct text *t, const struct doc_bytes *b)
{
	char text[48];

	for (uint64_t at = 0; at < b->size && !stopped(t); at += BYTES_A_LINE) {
		uint64_t same = doc_bytes_same(b, at, BYTES_A_LINE);
		if (!same) {
			put_byte_line(t, b, at);
			continue;
		}
		snprintf(text, sizeof(text), "%" PRIu64 " lines of the same", same);
		put_line(t, STYLE_FAINT, text);
		at += (same - 1) * BYTES_A_LINE;
	}
}

static void put_heading(struct text *t, const struct doc_node *node)
{
	unsigned used = LABEL_WIDTH;

	if (!node->label) {
		put_line(t, STYLE_STRONG, node->heading);
		return;
	}
	start_line(t);
	put_n(t, STYLE_STRONG, node->label, strlen(node->label));
	if (strlen(node->label) + COLUMN_GAP > used)
		used = (unsigned)strlen(node->label) + COLUMN_GAP;
	t->pending = used - (unsigned)strlen(node->label);
	set_text(t, node->heading);
	used += t->indent + t->buf_width;
	put_buf(t, STYLE_STRONG);
	if (node->command)
		put_aside(t, node->command, used, prose_width(t));
	end_line(t);
}

/* Sentences are folded, with what goes on under them a little to the right. */
static void put_lines(struct text *t, const struct doc_node *node)
{
	for (const struct doc_row *row = node->rows; row; row = row->next) {
		if (!node->prose) {
			put_line(t, row->style, row->cells[0].str);
			continue;
		}
		start_line(t);
		set_text(t, row->cells[0].str);
		put_folded(t, row->style, t->indent + COLUMN_GAP, prose_width(t));
		end_line(t);
	}
}

static void put_node(struct text *t, const struct doc_node *node)
{
	if (node->heading)
		put_heading(t, node);
	if (node->kind == DOC_BYTES) {
		put_bytes(t, node->bytes);
	} else if (node->look == LOOK_STEPS) {
		put_steps(t, node);
	} else if (node->kind == DOC_TABLE) {
		put_table(t, node);
	} else if (node->kind == DOC_LINES) {
		put_lines(t, node);
	} else {
		put_fields(t, node);
	}
}

static void put_remark(void *ctx, const struct doc_remark *remark, size_t more)
{
	struct text *t = ctx;
	static const struct {
		const char *word;
		enum cell_style style;
	} kinds[] = {
		[REMARK_NOTE] = { "note: ", STYLE_FAINT },
		[REMARK_HOLE] = { "missing: ", STYLE_STRONG },
		[REMARK_ERROR] = { "error: ", STYLE_BAD },
	};
	const char *word = kinds[remark->kind].word;
	char and_more[64];
	const char *lines[] = { remark->text, and_more };

	snprintf(and_more, sizeof(and_more), "and %zu more of the kind", more);
	for (size_t i = 0; i < (more ? 2 : 1); i++) {
		start_line(t);
		put_n(t, kinds[remark->kind].style, word, strlen(word) - 1);
		t->pending = 1;
		set_text(t, lines[i]);
		put_folded(t, STYLE_PLAIN, (unsigned)strlen(word), t->width);
		end_line(t);
	}
}

void output_text(const struct doc *doc, const struct text_options *options, FILE *out)
{
	struct text t = { .out = out, .color = options->color, .width = options->width,
			  .stop = options->stop };

	put_fields(&t, doc->root);
	if (doc->remarks && node_visible(doc->root))
		putc('\n', out);
	remarks_each(doc, put_remark, &t);
	strbuf_deinit(&t.buf);
}
