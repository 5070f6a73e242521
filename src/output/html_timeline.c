// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The time axis above a table of events: one mark for each row, the last of them at the right end.
 * Places are per cent of the width, so that nothing needs to be measured and the drawing fits any
 * screen. The axis begins a little before the first event; where all came within a moment, that
 * moment fills the axis.
 */
#include <inttypes.h>
#include <math.h>

#include "output/html.h"

enum { TICKS = 5, MARKS_MAX = 400 };

/* Where on the drawing, in pixels from above. */
enum { HEIGHT = 64, AXIS = 36, TICK = 5, TEXT = 56, RADIUS = 5 };

struct axis {
	double start, end; /* ns */
};

static bool is_event(const struct doc_row *row)
{
	return row->cells && html_row_visible(row) && row->cells[0].kind == CELL_UDEC;
}

static double place(const struct axis *axis, double time)
{
	double span = axis->end - axis->start;
	double at = span > 0 ? (time - axis->start) / span : 1;

	/* The marks' edges stay in the drawing. */
	return 2 + 94 * (at < 0 ? 0 : at > 1 ? 1 : at);
}

static size_t find_axis(const struct doc_node *node, struct axis *axis)
{
	size_t count = 0;

	for (const struct doc_row *row = node->rows; row; row = row->next) {
		if (!is_event(row))
			continue;
		double time = (double)row->cells[0].udec;
		if (!count || time < axis->start)
			axis->start = time;
		if (!count || time > axis->end)
			axis->end = time;
		count++;
	}
	double span = axis->end - axis->start;
	axis->start -= span > 0 ? span / 10 : axis->end;
	if (axis->start < 0)
		axis->start = 0;
	return count;
}

/* 1, 2 or 5 times a power of ten: as many as give about TICKS ticks. */
static double tick_step(double span)
{
	double rough = span / TICKS, power = pow(10, floor(log10(rough)));
	double lead = rough / power;

	return power * (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10);
}

static void put_ticks(struct html *h, const struct axis *axis)
{
	double step = tick_step(axis->end - axis->start);
	int digits = step >= 1e9 ? 0 : (int)ceil(9 - log10(step));

	for (double t = ceil(axis->start / step) * step; t <= axis->end; t += step) {
		double x = place(axis, t);
		fprintf(h->out, "<line class=\"tick\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%d\" y2=\"%d\"/>"
			"<text x=\"%.2f%%\" y=\"%d\">%.*f s</text>\n", x, x, AXIS, AXIS + TICK, x, TEXT,
			digits, t / 1e9);
	}
}

static void put_mark(struct html *h, const struct axis *axis, const struct doc_node *node,
		     const struct doc_row *row)
{
	double x = place(axis, (double)row->cells[0].udec);

	fprintf(h->out, "<circle class=\"%s\" cx=\"%.2f%%\" cy=\"%d\" r=\"%d\"><title>",
		html_style(row->style), x, AXIS, row->style ? RADIUS + 1 : RADIUS);
	for (size_t i = 0; i < node->column_count; i++) {
		if (!node->columns[i].title || html_cell_empty(&row->cells[i]))
			continue;
		html_cell(h->out, &row->cells[i]);
		fputs(" ", h->out);
	}
	fputs("</title></circle>\n", h->out);
}

void html_timeline(struct html *h, const struct doc_node *node)
{
	struct axis axis = { 0 };
	size_t left = find_axis(node, &axis);

	if (!left || axis.end <= axis.start)
		return;
	fprintf(h->out, "<svg class=\"timeline\" width=\"100%%\" height=\"%d\" role=\"img\" "
		"aria-label=\"time axis of the log's alarming lines\">\n"
		"<line class=\"axis\" x1=\"0\" x2=\"100%%\" y1=\"%d\" y2=\"%d\"/>\n", HEIGHT, AXIS, AXIS);
	put_ticks(h, &axis);
	for (const struct doc_row *row = node->rows; row; row = row->next) {
		if (!is_event(row))
			continue;
		/* Of very many the last are shown: marks that lie on each other tell nothing. */
		if (left-- <= MARKS_MAX)
			put_mark(h, &axis, node, row);
	}
	fprintf(h->out, "<text class=\"end\" x=\"%.2f%%\" y=\"14\">the end</text></svg>\n",
		place(&axis, axis.end));
}
