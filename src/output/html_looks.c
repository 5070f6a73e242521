// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a page can do more for than for any record or table: the answer, steps with their commands,
 * stacks whose frames open, registers, memory with its members and its damage.
 */
#include <inttypes.h>
#include <string.h>

#include "output/html.h"

void html_answer(struct html *h, const struct doc_node *node)
{
	fputs("<dl class=\"answer\">\n", h->out);
	for (const struct doc_field *f = node->fields; f; f = f->next) {
		if (!html_field_visible(f) || f->child)
			continue;
		fputs("<dt>", h->out);
		html_text(h->out, f->title ? f->title : "");
		fprintf(h->out, "</dt><dd class=\"%s\">", html_style(f->style));
		if (f->value.kind == CELL_STRING)
			html_prose(h->out, f->value.str);
		else
			html_cell(h->out, &f->value);
		fputs("</dd>\n", h->out);
	}
	fputs("</dl>\n", h->out);
}

/* Under a step or a frame: its details, which open. */
static bool has_detail(const struct doc_row *row)
{
	for (const struct doc_field *f = row->detail ? row->detail->fields : NULL; f; f = f->next) {
		if (html_field_visible(f))
			return true;
	}
	return false;
}

void html_steps(struct html *h, const struct doc_node *node)
{
	fputs("<ol class=\"steps\">\n", h->out);
	for (const struct doc_row *row = node->rows; row; row = row->next) {
		if (!row->cells || !html_row_visible(row))
			continue;
		bool detail = has_detail(row);
		fputs(detail ? "<li><details><summary>" : "<li><div class=\"step\">", h->out);
		fputs("<span class=\"claim\">", h->out);
		html_prose(h->out, row->cells[0].kind == CELL_STRING ? row->cells[0].str : "?");
		fputs("</span>", h->out);
		if (node->column_count > 1 && row->cells[1].kind == CELL_STRING)
			html_command(h->out, row->cells[1].str);
		fputs(detail ? "</summary><div class=\"more\">" : "</div>", h->out);
		if (detail) {
			html_fields(h, row->detail);
			fputs("</div></details>", h->out);
		}
		fputs("</li>\n", h->out);
	}
	fputs("</ol>\n", h->out);
}

/* --- Stacks. --- */

static void frame_cells(struct html *h, const struct doc_node *node, const struct doc_row *row)
{
	for (size_t i = 0; i < node->column_count; i++) {
		const struct column *column = &node->columns[i];
		if (!column->title || html_cell_empty(&row->cells[i]))
			continue;
		fprintf(h->out, "<span class=\"%s%s\">", html_style(column->style),
			column->right ? " level" : "");
		html_cell(h->out, &row->cells[i]);
		fputs("</span> ", h->out);
	}
}

void html_stack(struct html *h, const struct doc_node *node)
{
	fputs("<div class=\"stack\">\n", h->out);
	for (const struct doc_row *row = node->rows; row; row = row->next) {
		if (!html_row_visible(row))
			continue;
		const char *style = html_style(row->style);
		if (!row->cells) {
			fprintf(h->out, "<div class=\"frame between %s\">", style);
			html_text(h->out, row->text);
			fputs("</div>\n", h->out);
			continue;
		}
		bool detail = has_detail(row);
		fprintf(h->out, detail ? "<details class=\"frame %s\"><summary>"
				       : "<div class=\"frame %s\">", style);
		frame_cells(h, node, row);
		if (!detail) {
			fputs("</div>\n", h->out);
			continue;
		}
		fputs("</summary><div class=\"more\">\n", h->out);
		html_fields(h, row->detail);
		fputs("</div></details>\n", h->out);
	}
	fputs("</div>\n", h->out);
}

/* --- Registers. --- */

void html_registers(struct html *h, const struct doc_node *node)
{
	fputs("<div class=\"regs\">", h->out);
	for (const struct doc_field *f = node->fields; f; f = f->next) {
		if (!f->key || f->child)
			continue;
		fprintf(h->out, "<span class=\"%s\"><b>", html_style(f->style));
		html_text(h->out, f->title ? f->title : f->key);
		fputs("</b> ", h->out);
		if (f->value.kind == CELL_HEX)
			fprintf(h->out, "%016" PRIx64, f->value.udec);
		else
			html_cell(h->out, &f->value);
		fputs("</span>", h->out);
	}
	fputs("</div>\n", h->out);
}

/* --- Memory. --- */

enum { BYTES_A_LINE = 16 };

/* Of several parts that a byte is in, the damaged one counts. @member counts the others. */
static const struct doc_mark *mark_of(const struct doc_bytes *b, uint64_t offset, unsigned *member)
{
	const struct doc_mark *found = NULL;
	unsigned number = 0;

	for (const struct doc_mark *m = b->marks; m; m = m->next, number++) {
		if (offset < m->offset || offset - m->offset >= m->size)
			continue;
		if (!found || m->style == STYLE_BAD) {
			found = m;
			*member = number;
		}
	}
	return found;
}

static void put_byte(struct html *h, const struct doc_bytes *b, uint64_t i, bool ascii)
{
	bool known = !b->known || b->known[i];
	uint8_t byte = b->bytes[i];
	char text[8];

	if (!ascii)
		snprintf(text, sizeof(text), known ? "%02x" : "--", byte);
	else
		snprintf(text, sizeof(text), "%c",
			 !known ? '-' : byte > 0x20 && byte < 0x7f ? byte : '.');
	html_text(h->out, text);
}

/* The bytes of a line; neighbours in the same part share one element. */
static void put_run(struct html *h, const struct doc_bytes *b, uint64_t at, uint64_t end,
		    bool ascii)
{
	const struct doc_mark *open = NULL;

	for (uint64_t i = at; i < end; i++) {
		unsigned member = 0;
		const struct doc_mark *mark = mark_of(b, i, &member);
		if (open && mark != open)
			fputs("</span>", h->out);
		if (!ascii && i > at)
			fputs(i % 8 ? " " : "  ", h->out);
		if (mark && mark != open) {
			fprintf(h->out, "<span class=\"%s %s\" title=\"",
				mark->style == STYLE_BAD ? "hurt" : "part", member % 2 ? "odd" : "even");
			html_text(h->out, mark->label);
			fputs("\">", h->out);
		}
		open = mark;
		put_byte(h, b, i, ascii);
	}
	if (open)
		fputs("</span>", h->out);
}

static void put_labels(struct html *h, const struct doc_bytes *b, uint64_t at, uint64_t end)
{
	const char *between = "";

	for (const struct doc_mark *m = b->marks; m; m = m->next) {
		if (m->offset < at || m->offset >= end)
			continue;
		fprintf(h->out, "%s<span class=\"%s\">", between,
			m->style == STYLE_BAD ? "hurt" : html_style(m->style));
		html_text(h->out, m->label);
		fputs("</span>", h->out);
		between = ", ";
	}
}

void html_bytes(struct html *h, const struct doc_bytes *b)
{
	fputs("<div class=\"scroll\"><table class=\"bytes\"><tbody>\n", h->out);
	for (uint64_t at = 0; at < b->size; at += BYTES_A_LINE) {
		uint64_t same = doc_bytes_same(b, at, BYTES_A_LINE);
		if (same) {
			fprintf(h->out, "<tr><td class=\"faint\" colspan=\"5\">%" PRIu64 " lines of the "
				"same</td></tr>\n", same);
			at += (same - 1) * BYTES_A_LINE;
			continue;
		}
		uint64_t end = b->size - at < BYTES_A_LINE ? b->size : at + BYTES_A_LINE;
		fprintf(h->out, "<tr><td class=\"faint\">%016" PRIx64 "</td><td class=\"faint\">+0x%"
			PRIx64 "</td><td>", b->address + at, at);
		put_run(h, b, at, end, false);
		fputs("</td><td>", h->out);
		put_run(h, b, at, end, true);
		fputs("</td><td class=\"members\">", h->out);
		put_labels(h, b, at, end);
		fputs("</td></tr>\n", h->out);
	}
	fputs("</tbody></table></div>\n", h->out);
}
