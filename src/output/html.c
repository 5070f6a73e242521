// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A document as one HTML page that needs nothing beside itself: styles and script are in it (they
 * are written in page.css and page.js, and put into page_assets.h when the program is built).
 *
 *	section   a node with a label: it can be closed, and the list of contents names it
 *	record    a list of names and values; lines of text that are no fields stand as they are
 *	table     in a box of its own that scrolls sideways where the screen is narrow
 *	details   under their row
 *
 * The page is written as XML that is HTML too, so that tests can tell whether it is well-formed.
 * Its policy forbids whatever is not this very style and script, by their hashes: should a string
 * out of a dump ever get through as markup, it could neither run nor load anything.
 */
#include "output/html.h"

#include <string.h>

#include "output/output.h"
#include "output/page_assets.h"
#include "output/remarks.h"

enum { HEADING_MAX = 5 };

/* --- Records. --- */

enum group { GROUP_NONE, GROUP_LIST, GROUP_LINES };

/* What stands between the parts of a record: the list or the block of lines that is open. */
static enum group change_group(struct html *h, enum group from, enum group to)
{
	static const char *const start[] = { "", "<dl>\n", "<pre class=\"lines\">" };
	static const char *const end[] = { "", "</dl>\n", "</pre>\n" };

	if (from != to)
		fprintf(h->out, "%s%s", end[from], start[to]);
	return to;
}

static void put_titled(struct html *h, const struct doc_field *f, bool prose)
{
	fputs("<dt>", h->out);
	html_text(h->out, f->title);
	fprintf(h->out, "</dt><dd class=\"%s\">", html_style(f->style));
	bool text = f->value.kind == CELL_STRING && !f->value.shown;
	if (f->link && text)
		html_links(h->out, f->value.str);
	else if (prose && text)
		html_prose(h->out, f->value.str);
	else
		html_cell(h->out, &f->value);
	fputs("</dd>\n", h->out);
}

void html_fields(struct html *h, const struct doc_node *node)
{
	enum group group = GROUP_NONE;

	for (const struct doc_field *f = node->fields; f; f = f->next) {
		if (!html_field_visible(f))
			continue;
		if (f->child) {
			group = change_group(h, group, GROUP_NONE);
			html_node(h, f->child);
		} else if (f->title) {
			group = change_group(h, group, GROUP_LIST);
			put_titled(h, f, node->prose);
		} else {
			group = change_group(h, group, GROUP_LINES);
			fprintf(h->out, "<span class=\"%s\">", html_style(f->style));
			html_text(h->out, f->value.str);
			fputs("</span>\n", h->out);
		}
	}
	change_group(h, group, GROUP_NONE);
}

/* --- Tables. --- */

static size_t visible_columns(const struct doc_node *table)
{
	size_t count = 0;

	for (size_t i = 0; i < table->column_count; i++)
		count += table->columns[i].title != NULL;
	return count;
}

/* "bare" is about text. A table all of whose columns have empty names has no heading here either. */
static bool has_titles(const struct doc_node *table)
{
	for (size_t i = 0; i < table->column_count; i++) {
		if (table->columns[i].title && *table->columns[i].title)
			return true;
	}
	return false;
}

static void put_titles(struct html *h, const struct doc_node *table)
{
	fputs("<thead><tr>", h->out);
	for (size_t i = 0; i < table->column_count; i++) {
		const struct column *column = &table->columns[i];
		if (!column->title)
			continue;
		fprintf(h->out, "<th%s>", column->right ? " class=\"right\"" : "");
		html_text(h->out, column->title);
		fputs("</th>", h->out);
	}
	fputs("</tr></thead>\n", h->out);
}

static void put_value(struct html *h, const struct column *column, const struct cell *cell)
{
	bool text = cell->kind == CELL_STRING && !cell->shown;

	if (column->command && text)
		html_command(h->out, cell->str);
	else if (column->link && text)
		html_links(h->out, cell->str);
	else
		html_cell(h->out, cell);
}

static void put_cells(struct html *h, const struct doc_node *table, const struct doc_row *row)
{
	fprintf(h->out, "<tr class=\"%s\">", html_style(row->style));
	for (size_t i = 0; i < table->column_count; i++) {
		const struct column *column = &table->columns[i];
		if (!column->title)
			continue;
		enum cell_style style = row->style ? row->style : column->style;
		fprintf(h->out, "<td class=\"%s%s\">", html_style(style),
			column->right ? " right" : "");
		put_value(h, column, &row->cells[i]);
		fputs("</td>", h->out);
	}
	fputs("</tr>\n", h->out);
}

static bool has_detail(const struct doc_row *row)
{
	for (const struct doc_field *f = row->detail ? row->detail->fields : NULL; f; f = f->next) {
		if (html_field_visible(f))
			return true;
	}
	return false;
}

static void put_row(struct html *h, const struct doc_node *table, const struct doc_row *row,
		    size_t columns)
{
	if (!row->cells) {
		fprintf(h->out, "<tr class=\"line %s\"><td colspan=\"%zu\">", html_style(row->style),
			columns);
		/* What text puts under the event by blanks, the style does. */
		html_text(h->out, row->text + (table->look == LOOK_TIMELINE ? strspn(row->text, " ") : 0));
		fputs("</td></tr>\n", h->out);
		return;
	}
	put_cells(h, table, row);
	if (has_detail(row)) {
		fprintf(h->out, "<tr class=\"detail\"><td colspan=\"%zu\">", columns);
		html_fields(h, row->detail);
		fputs("</td></tr>\n", h->out);
	}
}

/* A table of which people see only the lines between its rows. */
static void put_lines(struct html *h, const struct doc_node *node)
{
	fputs("<pre class=\"lines\">", h->out);
	for (const struct doc_row *row = node->rows; row; row = row->next) {
		if (!html_row_visible(row) || (row->cells && node->kind != DOC_LINES))
			continue;
		fprintf(h->out, "<span class=\"%s\">", html_style(row->style));
		html_text(h->out, row->cells ? row->cells[0].str : row->text);
		fputs("</span>\n", h->out);
	}
	fputs("</pre>\n", h->out);
}

static void put_table(struct html *h, const struct doc_node *table)
{
	static const char *const classes[] = { [LOOK_CODE] = "code", [LOOK_TIMELINE] = "log" };
	size_t columns = visible_columns(table);
	const char *class = table->look < array_size(classes) ? classes[table->look] : NULL;

	if (!columns) {
		put_lines(h, table);
		return;
	}
	fprintf(h->out, "<div class=\"scroll\"><table class=\"%s\">\n", class ? class : "data");
	if (has_titles(table))
		put_titles(h, table);
	fputs("<tbody>\n", h->out);
	for (const struct doc_row *row = table->rows; row; row = row->next) {
		if (html_row_visible(row))
			put_row(h, table, row, columns);
	}
	fputs("</tbody></table></div>\n", h->out);
}

/* --- Nodes. --- */

static void put_body(struct html *h, const struct doc_node *node)
{
	if (node->look == LOOK_ANSWER)
		html_answer(h, node);
	else if (node->look == LOOK_STEPS)
		html_steps(h, node);
	else if (node->look == LOOK_STACK)
		html_stack(h, node);
	else if (node->look == LOOK_REGISTERS)
		html_registers(h, node);
	else if (node->kind == DOC_BYTES)
		html_bytes(h, node->bytes);
	else if (node->kind == DOC_TABLE && node->look == LOOK_TIMELINE)
		html_timeline(h, node);
	else if (node->kind == DOC_TABLE && node->look == LOOK_WAITS)
		html_waits(h, node);
	if (node->kind == DOC_LINES)
		put_lines(h, node);
	else if (node->kind == DOC_TABLE && node->look != LOOK_STEPS && node->look != LOOK_STACK)
		put_table(h, node);
	else if ((node->kind == DOC_RECORD || node->kind == DOC_ARRAY) &&
		 node->look != LOOK_REGISTERS && node->look != LOOK_ANSWER)
		html_fields(h, node);
}

/* Names in links: the number of the section, since labels may repeat. */
static void put_section(struct html *h, const struct doc_node *node)
{
	fprintf(h->out, "<details class=\"section\" id=\"s%u\"%s><summary><h2>", ++h->sections,
		node->closed ? "" : " open=\"open\"");
	html_text(h->out, node->label);
	fputs("</h2> <span class=\"about\">", h->out);
	html_prose(h->out, node->heading);
	fputs("</span>", h->out);
	if (node->command)
		html_command(h->out, node->command);
	fputs("</summary>\n<div class=\"body\">\n", h->out);
	put_body(h, node);
	fputs("</div></details>\n", h->out);
}

void html_node(struct html *h, const struct doc_node *node)
{
	if (!html_visible(node))
		return;
	if (node->label) {
		put_section(h, node);
		return;
	}
	if (!node->heading) {
		put_body(h, node);
		return;
	}
	unsigned level = 3 + h->depth < HEADING_MAX ? 3 + h->depth : HEADING_MAX;
	fprintf(h->out, "<h%u>", level);
	html_text(h->out, node->heading);
	fprintf(h->out, "</h%u>\n", level);
	h->depth++;
	put_body(h, node);
	h->depth--;
}

/* --- The page. --- */

static void put_contents(FILE *out, const struct doc_node *node, unsigned *number)
{
	for (const struct doc_field *f = node->fields; f; f = f->next) {
		if (!f->child || !html_field_visible(f))
			continue;
		if (f->child->label) {
			fprintf(out, "<a href=\"#s%u\">", ++*number);
			html_text(out, f->child->label);
			fputs("</a>", out);
		}
		put_contents(out, f->child, number);
	}
}

static void put_head(FILE *out, const char *title)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '"
	      PAGE_CSS_HASH "'; script-src '" PAGE_JS_HASH "'; base-uri 'none'; form-action 'none'\"/>\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
	      "<meta name=\"referrer\" content=\"no-referrer\"/>\n"
	      "<meta name=\"generator\" content=\"inquest " INQUEST_VERSION "\"/>\n<title>", out);
	html_text(out, title);
	fputs("</title>\n<style>", out);
	fputs(page_css, out);
	fputs("</style>\n</head>\n<body>\n", out);
}

static void put_bar(FILE *out, const char *title, const char *badge)
{
	fputs("<header class=\"bar\"><strong>", out);
	html_text(out, title);
	fputs("</strong>", out);
	if (badge) {
		fputs(" <span class=\"badge ", out);
		html_text(out, badge);
		fputs("\">", out);
		html_text(out, badge);
		fputs("</span>", out);
	}
	fputs("<span class=\"tools\"><button type=\"button\" id=\"all\">close all</button>"
	      "<button type=\"button\" id=\"theme\">dark</button></span></header>\n", out);
}

static void put_remark(void *ctx, const struct doc_remark *r, size_t more)
{
	static const char *const words[] = {
		[REMARK_NOTE] = "note", [REMARK_HOLE] = "missing", [REMARK_ERROR] = "error",
	};
	struct html *h = ctx;

	fprintf(h->out, "<dt>%s</dt><dd class=\"%s\">", words[r->kind],
		r->kind == REMARK_NOTE ? "plain" : "bad");
	html_prose(h->out, r->text);
	if (more)
		fprintf(h->out, "; and %zu more of the kind", more);
	fputs("</dd>\n", h->out);
}

static void put_remarks(struct html *h, const struct doc *doc)
{
	if (doc->remarks)
		fputs("<dl class=\"remarks\">\n", h->out);
	remarks_each(doc, put_remark, h);
	if (doc->remarks)
		fputs("</dl>\n", h->out);
}

static void put_document(struct html *h, const struct doc *doc)
{
	html_fields(h, doc->root);
	put_remarks(h, doc);
}

void output_html(const struct doc *doc, const char *command, FILE *out)
{
	const char *title = doc->title ? doc->title : command;
	struct html h = { .out = out };
	unsigned number = 0;

	put_head(out, title);
	put_bar(out, title, doc->badge);
	fputs("<div class=\"page\">\n<nav>", out);
	put_contents(out, doc->root, &number);
	fputs("</nav>\n<main>\n", out);
	put_document(&h, doc);
	output_html_end(out);
}

void output_html_begin(FILE *out)
{
	put_head(out, "inquest");
	put_bar(out, "inquest", NULL);
	fputs("<div class=\"page\">\n<main>\n", out);
}

void output_html_item(const struct doc *doc, const char *command, FILE *out)
{
	struct html h = { .out = out };

	fputs("<details class=\"section\" open=\"open\"><summary>", out);
	html_command(out, command);
	fputs("</summary>\n<div class=\"body\">\n", out);
	put_document(&h, doc);
	fputs("</div></details>\n", out);
}

void output_html_end(FILE *out)
{
	fputs("</main>\n</div>\n<footer>Written by inquest " INQUEST_VERSION " from a memory dump: it may "
	      "contain data of the machine that crashed.</footer>\n<script>", out);
	fputs(page_js, out);
	fputs("</script>\n</body>\n</html>\n", out);
}
