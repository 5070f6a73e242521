// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The picture above a table of waits (who, for what, who has it): a box for each name, who waits to
 * the left of who has, and an arrow for each row. An arrow that would close a ring takes no part in
 * the layout, and is drawn as an arc below.
 */
#include <string.h>

#include "output/html.h"

enum { BOXES_MAX = 48, ARROWS_MAX = 24, WHO = 0, WHAT = 1, OWNER = 2, COLUMNS = 3 };

/* In pixels. */
enum { BOX_WIDTH = 170, BOX_HEIGHT = 26, STEP_X = 330, STEP_Y = 58, EDGE = 8, ARC = 34, ARROW = 7,
       TEXT_UP = 5, TEXT_LENGTH = 26 };

struct box {
	const char *name;
	unsigned column, slot;
};

struct arrow {
	const struct doc_row *row;
	size_t from, to;
	bool back;
};

struct picture {
	struct box boxes[BOXES_MAX];
	struct arrow arrows[ARROWS_MAX];
	size_t box_count, arrow_count;
	unsigned columns, slots;
};

static bool box_of(struct picture *p, const struct cell *cell, size_t *index)
{
	if (cell->kind != CELL_STRING)
		return false;
	for (*index = 0; *index < p->box_count; ++*index) {
		if (strcmp(p->boxes[*index].name, cell->str) == 0)
			return true;
	}
	if (p->box_count == BOXES_MAX)
		return false;
	p->boxes[p->box_count++].name = cell->str;
	return true;
}

/* Along arrows that are no back ones. */
static bool reaches(const struct picture *p, size_t from, size_t to)
{
	bool seen[BOXES_MAX] = { false }, more = true;

	seen[from] = true;
	while (more && !seen[to]) {
		more = false;
		for (size_t i = 0; i < p->arrow_count; i++) {
			const struct arrow *a = &p->arrows[i];
			if (a->back || !seen[a->from] || seen[a->to])
				continue;
			seen[a->to] = more = true;
		}
	}
	return seen[to];
}

static void collect(struct picture *p, const struct doc_node *table)
{
	for (const struct doc_row *row = table->rows; row; row = row->next) {
		struct arrow a = { .row = row };
		if (!row->cells || !html_row_visible(row) || p->arrow_count == ARROWS_MAX ||
		    !box_of(p, &row->cells[WHO], &a.from) || !box_of(p, &row->cells[OWNER], &a.to))
			continue;
		a.back = reaches(p, a.to, a.from);
		p->arrows[p->arrow_count++] = a;
	}
}

/* Who has things is to the right of all who wait for it; it ends, since there is no ring. */
static void lay_out(struct picture *p)
{
	unsigned used[BOXES_MAX] = { 0 };

	for (size_t round = 0; round < p->box_count; round++) {
		for (size_t i = 0; i < p->arrow_count; i++) {
			const struct arrow *a = &p->arrows[i];
			struct box *from = &p->boxes[a->from], *to = &p->boxes[a->to];
			if (!a->back && to->column <= from->column &&
			    from->column + 1 < BOXES_MAX)
				to->column = from->column + 1;
		}
	}
	for (size_t i = 0; i < p->box_count; i++) {
		struct box *b = &p->boxes[i];
		b->slot = used[b->column]++;
		p->columns = b->column + 1 > p->columns ? b->column + 1 : p->columns;
		p->slots = b->slot + 1 > p->slots ? b->slot + 1 : p->slots;
	}
}

static unsigned left_of(const struct box *b)
{
	return EDGE + b->column * STEP_X;
}

static unsigned middle_of(const struct box *b)
{
	return EDGE + BOX_HEIGHT / 2 + b->slot * STEP_Y;
}

static void put_title(struct html *h, const struct doc_row *row)
{
	fputs("<title>", h->out);
	html_cell(h->out, &row->cells[WHO]);
	fputs(" waits for ", h->out);
	html_cell(h->out, &row->cells[WHAT]);
	fputs(", which has ", h->out);
	html_cell(h->out, &row->cells[OWNER]);
	fputs("</title>", h->out);
}

static void put_arrow(struct html *h, const struct picture *p, const struct arrow *a)
{
	const struct box *from = &p->boxes[a->from], *to = &p->boxes[a->to];
	unsigned x1 = left_of(from) + BOX_WIDTH, x2 = left_of(to);
	unsigned y1 = middle_of(from), y2 = middle_of(to);
	const char *what = a->row->cells[WHAT].kind == CELL_STRING ? a->row->cells[WHAT].str : "";

	fprintf(h->out, "<g class=\"%s\">", html_style(a->row->style));
	put_title(h, a->row);
	if (a->back) {
		unsigned below = (y1 > y2 ? y1 : y2) + BOX_HEIGHT / 2 + ARC;
		x1 -= BOX_WIDTH / 2;
		x2 += BOX_WIDTH / 2;
		y1 += BOX_HEIGHT / 2;
		y2 += BOX_HEIGHT / 2;
		fprintf(h->out, "<path d=\"M%u %u C%u %u %u %u %u %u\"/>", x1, y1, x1, below, x2, below,
			x2, y2);
		fprintf(h->out, "<path d=\"M%u %u l-4 %d h8 z\" class=\"head\"/>", x2, y2, ARROW);
		y1 = y2 = below - ARC / 4;
	} else {
		fprintf(h->out, "<path d=\"M%u %u L%u %u\"/>", x1, y1, x2 - ARROW, y2);
		fprintf(h->out, "<path d=\"M%u %u l-%d -4 v8 z\" class=\"head\"/>", x2, y2, ARROW);
	}
	/* Nearer to who waits: arrows that cross do so in the middle, or meet at the end. */
	fprintf(h->out, "<text x=\"%u\" y=\"%u\">", a->back ? (x1 + x2) / 2 : (3 * x1 + 2 * x2) / 5,
		(3 * y1 + 2 * y2) / 5 - TEXT_UP);
	html_text_n(h->out, what, strnlen(what, TEXT_LENGTH));
	fputs("</text></g>\n", h->out);
}

static void put_box(struct html *h, const struct box *b)
{
	fprintf(h->out, "<rect x=\"%u\" y=\"%u\" width=\"%d\" height=\"%d\" rx=\"4\"/><text x=\"%u\" "
		"y=\"%u\" class=\"name\">", left_of(b), middle_of(b) - BOX_HEIGHT / 2, BOX_WIDTH,
		BOX_HEIGHT, left_of(b) + BOX_WIDTH / 2, middle_of(b) + TEXT_UP - 1);
	html_text_n(h->out, b->name, strnlen(b->name, TEXT_LENGTH));
	fputs("</text>\n", h->out);
}

void html_waits(struct html *h, const struct doc_node *node)
{
	struct picture p = { .columns = 0 };

	if (node->column_count < COLUMNS)
		return;
	collect(&p, node);
	lay_out(&p);
	if (!p.arrow_count)
		return;
	unsigned width = 2 * EDGE + (p.columns - 1) * STEP_X + BOX_WIDTH;
	unsigned height = 2 * EDGE + p.slots * STEP_Y + ARC;
	fprintf(h->out, "<div class=\"scroll\"><svg class=\"waits\" width=\"%u\" height=\"%u\" "
		"viewBox=\"0 0 %u %u\" role=\"img\" aria-label=\"who waits for whom\">\n", width, height,
		width, height);
	for (size_t i = 0; i < p.arrow_count; i++)
		put_arrow(h, &p, &p.arrows[i]);
	for (size_t i = 0; i < p.box_count; i++)
		put_box(h, &p.boxes[i]);
	fputs("</svg></div>\n", h->out);
}
