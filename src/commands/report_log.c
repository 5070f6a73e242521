// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The timeline: the log's alarming lines in order of time, folded where they repeat, each with what
 * it has to do with the crash where that is known. Long ones are shown by their ends: what came
 * first and what came last matter most; what is related is never left out.
 */
#include "commands/report.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"

enum { FIRST_SHOWN = 4, LAST_SHOWN = 6, TEXT_COLUMN = 15 };

static void format_time(uint64_t ns, char *buf, size_t size)
{
	snprintf(buf, size, "%5" PRIu64 ".%06" PRIu64, ns / 1000000000, ns % 1000000000 / 1000);
}

/* "3 times, until 12.345678" */
static const char *count_text(const struct anomaly *a, struct doc *doc)
{
	char last[32];

	if (!a->repeats)
		return "";
	if (a->last_ns <= a->record->time_ns)
		return arena_printf(&doc->arena, "(%zu times)", a->repeats + 1);
	format_time(a->last_ns, last, sizeof(last));
	return arena_printf(&doc->arena, "(%zu times, until %s)", a->repeats + 1,
			    last + strspn(last, " "));
}

static const char *relation_text(const struct anomaly *a, struct doc *doc)
{
	const char *sure = confidence_name((enum confidence)a->relation);

	if (a->related)
		return arena_printf(&doc->arena, "%s (%s): %s",
				    a->cause ? "the cause" : "related", sure, a->related);
	return a->cause ? arena_printf(&doc->arena, "the cause (%s)", sure) : NULL;
}

/* Who it was, by the report that the line opens: "eater, pid 101, in do_work+0x12 [mod]". */
static const char *report_text(const struct oops_report *r, struct doc *doc)
{
	auto_strbuf text = { 0 };

	if (!r)
		return NULL;
	if (r->comm)
		strbuf_addf(&text, "%s", r->comm);
	if (r->pid >= 0)
		strbuf_addf(&text, "%spid %d", text.len ? ", " : "", r->pid);
	if (r->pc.function)
		strbuf_addf(&text, "%sin %s+0x%" PRIx64 "%s%s%s", text.len ? ", " : "",
			    r->pc.function, r->pc.offset, r->pc.module ? " [" : "",
			    r->pc.module ? r->pc.module : "", r->pc.module ? "]" : "");
	return text.len ? arena_strdup(&doc->arena, text.data) : NULL;
}

/* What the lines around it tell. */
static void report_fields(const struct oops_report *r, struct doc *doc)
{
	doc_detail(doc);
	doc_record(doc, "report", NULL);
	doc_hidden(doc);
	doc_field(doc, "lines", NULL, cell_udec(r->count));
	doc_field(doc, "function", NULL, cell_str(r->pc.function));
	doc_field(doc, "module", NULL, cell_str(r->pc.module));
	doc_field(doc, "comm", NULL, cell_str(r->comm));
	doc_field(doc, "pid", NULL, r->pid >= 0 ? cell_dec(r->pid) : cell_none());
	doc_field(doc, "cpu", NULL, r->cpu >= 0 ? cell_dec(r->cpu) : cell_none());
	doc_lines(doc, "stack", NULL);
	for (size_t i = 0; i < r->frame_count; i++) {
		if (!r->frames[i].guess && r->frames[i].place.function)
			doc_line(doc, r->frames[i].place.function);
	}
	doc_end(doc);
	doc_end(doc);
	doc_end(doc);
}

/* Without the newline that some have at their end. */
static const char *line_text(const struct log_record *r, struct doc *doc)
{
	size_t n = strlen(r->text);

	while (n && isspace((unsigned char)r->text[n - 1]))
		n--;
	return arena_strndup(&doc->arena, r->text, n);
}

/* Under an event: as wide as the text above it, folded. A page folds by itself. */
static void add_under(enum cell_style style, const char *mark, const char *text, struct doc *doc)
{
	size_t indent = TEXT_COLUMN + strlen(mark), room = REPORT_WIDTH - indent;

	if (!(doc->media & DOC_IN_TEXT))
		room = SIZE_MAX;
	for (bool first = true; *text; first = false) {
		size_t n = report_line_length(text, room);
		doc_textf(doc, style, "%*s%*s%.*s", TEXT_COLUMN, "", (int)strlen(mark),
			  first ? mark : "", (int)n, text);
		text += n + strspn(text + n, " ");
	}
}

static void add_line(const struct anomaly *a, bool last, struct doc *doc)
{
	static const char *const weights[] = {
		[ANOMALY_NOTABLE] = "notable", [ANOMALY_SERIOUS] = "serious",
		[ANOMALY_FATAL] = "fatal",
	};
	const char *relation = relation_text(a, doc), *who = report_text(a->report, doc);
	const struct log_record *r = a->record;
	const char *text = line_text(r, doc), *count = count_text(a, doc);
	char time[32] = "";

	/* Texts often come without times. */
	if (r->time_ns)
		format_time(r->time_ns, time, sizeof(time));
	doc_row(doc, cell_shown(cell_udec(r->time_ns), time), cell_str(a->kind),
		cell_udec(a->repeats + 1),
		a->repeats ? cell_udec(a->last_ns) : cell_none(), cell_str(weights[a->weight]),
		cell_shown(cell_str(text), arena_printf(&doc->arena, "%s%s%s", text,
							*count ? "  " : "", count)),
		cell_bool(a->cause),
		cell_str(a->related),
		a->related || a->cause ? cell_str(confidence_name((enum confidence)a->relation))
				       : cell_none());
	if (a->cause || a->related)
		doc_row_style(doc, STYLE_STRONG);
	else if (a->weight == ANOMALY_FATAL)
		doc_row_style(doc, STYLE_BAD);
	if (a->report)
		report_fields(a->report, doc);
	/* Of the last words the stack below tells more. */
	if (who && a->weight != ANOMALY_FATAL && !last)
		add_under(STYLE_FAINT, "", who, doc);
	if (relation)
		add_under(STYLE_STRONG, "^ ", relation, doc);
}

static bool is_shown(const struct facts *facts, size_t i)
{
	const struct anomaly *a = &facts->anomalies[i];

	return i < FIRST_SHOWN || i + LAST_SHOWN >= facts->anomaly_count || a->related || a->cause;
}

static void add_lines(const struct facts *facts, struct doc *doc)
{
	size_t n = facts->anomaly_count, left_out = 0;
	bool all = n <= FIRST_SHOWN + LAST_SHOWN + 1;

	for (size_t i = 0; i < n; i++) {
		bool shown = all || is_shown(facts, i);
		if (shown && left_out)
			doc_textf(doc, STYLE_FAINT, "%*s... %zu more", TEXT_COLUMN, "", left_out);
		if (shown)
			left_out = 0;
		add_line(&facts->anomalies[i], i + 1 == n, doc);
		if (!shown) {
			doc_row_hide(doc);
			left_out++;
		}
	}
}

/* "415 records, 2 alarming; nothing before the end" */
static void heading(const struct facts *facts, struct doc *doc)
{
	size_t before = 0, n = facts->anomaly_count;

	for (size_t i = 0; i < n && facts->anomalies[i].weight != ANOMALY_FATAL; i++)
		before++;
	doc_section(doc, "TIMELINE", "log", "%zu log records, %zu alarming%s", facts->log_count, n,
		    n && !before ? ", none before the crash" : "");
}

void report_timeline(const struct facts *facts, struct doc *doc)
{
	static const struct column columns[] = {
		{ .key = "time_ns", .title = "", .right = true, .style = STYLE_FAINT },
		{ .key = "kind" },
		{ .key = "count" },
		{ .key = "last_ns" },
		{ .key = "weight" },
		{ .key = "text", .title = "" },
		{ .key = "cause" },
		{ .key = "related" },
		{ .key = "relation" },
	};

	doc_table(doc, "log", columns, array_size(columns));
	doc_bare(doc);
	doc_look(doc, LOOK_TIMELINE);
	if (facts->log_count)
		heading(facts, doc);
	add_lines(facts, doc);
	doc_end(doc);
}
