// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * From lines to reports. Every line is looked at once for the words that announce a report
 * (oops_kinds.c); only while one is open are lines taken apart (oops_body.c). A report ends at the
 * next one, at its end mark, or when too many lines were not of it. What several CPUs print at once
 * goes to several open reports: the log's caller says whose line it is.
 *
 * Some reports are announced twice, or by somebody else first: "list_del corruption", "kernel BUG
 * at", "invalid opcode: 0000 [#1]" are three lines of one death. joins() knows these.
 */
#include <stdlib.h>
#include <string.h>

#include "base/phrases.h"
#include "base/strbuf.h"
#include "kernel/oops_parse.h"

enum {
	DRAFTS_MAX = 8,
	REPORTS_MAX = 4096,
	FOREIGN_MAX = 10,      /* lines of others within a report */
	FOREIGN_BEFORE = 60,   /* while its stack is still to come: a busy machine, no callers */
	FOREIGN_OVER = 2,      /* behind its end mark */
	FOREIGN_HARDWARE = 1,  /* every line of such a report says that it is one */
};

/* A report may be held up by a slow console, but not for longer between two lines. */
static const uint64_t GAP_NS = UINT64_C(10) * 1000 * 1000 * 1000;

struct parser {
	struct arena *arena;
	struct phrases phrases;
	struct oops_draft draft[DRAFTS_MAX];
	struct {
		vec_fields(struct oops_report);
	} done;
};

struct line {
	const struct log_record *record;
	size_t index; /* of the record */
	const char *text; /* without blanks in front */
};

/* --- Finishing. --- */

static const void *copied(struct arena *arena, const void *data, size_t count, size_t size)
{
	void *copy = NULL;

	if (count) {
		copy = arena_alloc(arena, count * size);
		memcpy(copy, data, count * size);
	}
	return copy;
}

static void reset(struct oops_draft *d)
{
	d->frames.count = d->track_frames.count = 0;
	d->modules.count = d->tracks.count = d->zones.count = 0;
	d->open = false;
}

static void finish(struct parser *p, struct oops_draft *d)
{
	struct oops_report *r = &d->report;

	if (!d->open)
		return;
	oops_end_track(d, p->arena);
	/* "[ cut here ]" with nothing behind it. */
	if (r->kind && p->done.count < REPORTS_MAX) {
		r->count = d->last - r->first + 1;
		r->frames = copied(p->arena, d->frames.data, d->frames.count,
				   sizeof(*d->frames.data));
		r->frame_count = d->frames.count;
		r->modules = copied(p->arena, d->modules.data, d->modules.count,
				    sizeof(*d->modules.data));
		r->module_count = d->modules.count;
		r->tracks = copied(p->arena, d->tracks.data, d->tracks.count,
				   sizeof(*d->tracks.data));
		r->track_count = d->tracks.count;
		r->zones = copied(p->arena, d->zones.data, d->zones.count, sizeof(*d->zones.data));
		r->zone_count = d->zones.count;
		vec_push(&p->done, *r);
	}
	reset(d);
}

/* --- Whose line. --- */

static bool prints(const struct oops_draft *d, const struct log_record *r)
{
	if (d->has_caller != r->has_caller)
		return false;
	return !r->has_caller || d->caller == r->caller ||
	       (d->has_caller2 && d->caller2 == r->caller);
}

static struct oops_draft *draft_of(struct parser *p, const struct log_record *r)
{
	for (size_t i = 0; i < DRAFTS_MAX; i++) {
		if (p->draft[i].open && prints(&p->draft[i], r))
			return &p->draft[i];
	}
	return NULL;
}

/* A free one, or the one that was quiet for longest. */
static struct oops_draft *new_draft(struct parser *p)
{
	struct oops_draft *oldest = &p->draft[0];

	for (size_t i = 0; i < DRAFTS_MAX; i++) {
		if (!p->draft[i].open)
			return &p->draft[i];
		if (p->draft[i].last < oldest->last)
			oldest = &p->draft[i];
	}
	finish(p, oldest);
	return oldest;
}

static void took(struct oops_draft *d, const struct line *line)
{
	d->last = line->index;
	/* A line of a text may have lost its time. */
	if (line->record->time_ns)
		d->last_ns = line->record->time_ns;
	d->foreign = 0;
}

static void begin(struct parser *p, const struct line *line, const struct oops_kind *kind)
{
	struct oops_draft *d = new_draft(p);

	d->open = true;
	d->caller = line->record->caller;
	d->has_caller = line->record->has_caller;
	d->has_caller2 = false;
	d->form = kind ? kind->form : FORM_CHECK;
	d->bare = !kind || kind->form == FORM_CHECK;
	d->section = SECTION_HEAD;
	d->stack = NULL;
	d->headless = d->user = d->code_follows = d->in_code = false;
	d->pc_of_header = d->task_line = d->long_line = false;
	d->regs = NULL;
	d->last_ns = 0;
	d->report = (struct oops_report){
		.first = line->index,
		.at = line->index,
		.cpu = -1,
		.pid = -1,
		.order = -1,
		.victim_pid = -1,
		.code_pc = SIZE_MAX,
	};
	if (kind) {
		d->report.kind = kind->kind;
		d->report.header = line->text;
		oops_header(d, kind->form, p->arena, line->text);
	}
	took(d, line);
}

/* --- Lines that announce. --- */

/* What the report is turns out only now: the check's words become its message. */
static void turn_into(struct parser *p, struct oops_draft *d, const struct line *line,
		      const struct oops_kind *kind)
{
	d->form = kind->form;
	d->bare = kind->form == FORM_CHECK;
	d->report.kind = kind->kind;
	d->report.header = line->text;
	d->report.at = line->index;
	oops_header(d, kind->form, p->arena, line->text);
}

static bool is_empty(const struct oops_draft *d)
{
	return d->section == SECTION_HEAD && !d->frames.count && !d->modules.count &&
	       !d->report.comm && !d->code_follows;
}

enum join { JOIN_NO, JOIN_LINE, JOIN_TURN };

static enum join joins(const struct oops_draft *d, const struct oops_kind *kind, const char *line)
{
	bool empty = is_empty(d);

	if (d->section == SECTION_OVER)
		return JOIN_NO;
	switch (d->form) {
	case FORM_CHECK:
		if (!d->bare || !empty)
			return JOIN_NO;
		if (!d->report.kind || kind->form == FORM_BUG || kind->form == FORM_WARN ||
		    kind->form == FORM_DIE)
			return JOIN_TURN;
		return JOIN_NO;
	case FORM_WARN:
		return kind->form == FORM_CHECK && empty && !d->report.message ? JOIN_LINE
										: JOIN_NO;
	case FORM_DIE:
	case FORM_BUG:
		if (kind->form != FORM_DIE || !empty || d->report.number)
			return JOIN_NO;
		/* "kernel tried to execute NX-protected page" is said before the BUG. */
		if (starts_with(line, "BUG: "))
			return starts_with(d->report.header, "kernel tried") ? JOIN_TURN : JOIN_NO;
		return JOIN_LINE;
	case FORM_STALL:
		if (kind->form == FORM_NMI)
			return d->frames.count || d->report.has_pc ? JOIN_NO : JOIN_LINE;
		return kind->form == FORM_STALL && strcmp(kind->kind, d->report.kind) == 0 && empty
			       ? JOIN_LINE : JOIN_NO;
	case FORM_MEMORY:
		return kind->form == FORM_MEMORY && strcmp(d->report.kind, "out of memory") == 0 &&
				       strcmp(kind->kind, "out of memory") == 0 &&
				       !strstr(line, "invoked oom-killer") && !d->report.victim
			       ? JOIN_LINE : JOIN_NO;
	case FORM_HARDWARE:
		return kind->form == FORM_HARDWARE ? JOIN_LINE : JOIN_NO;
	case FORM_LOCKDEP:
		return kind->form == FORM_LOCKDEP && empty ? JOIN_LINE : JOIN_NO;
	default:
		return JOIN_NO;
	}
}

/* The backtrace of another CPU that a stall report asked for, printed there. */
static struct oops_draft *stall_that_asked(struct parser *p, const struct oops_kind *kind,
					   const struct log_record *record)
{
	if (kind->form != FORM_NMI || !record->has_caller)
		return NULL;
	for (size_t i = 0; i < DRAFTS_MAX; i++) {
		struct oops_draft *d = &p->draft[i];
		if (!d->open || d->form != FORM_STALL || d->frames.count || d->report.has_pc ||
		    d->has_caller2)
			continue;
		d->has_caller2 = true;
		d->caller2 = record->caller;
		return d;
	}
	return NULL;
}

static void announced(struct parser *p, const struct line *line, const struct oops_kind *kind)
{
	struct oops_draft *d = draft_of(p, line->record);
	enum join join = d ? joins(d, kind, line->text) : JOIN_NO;

	if (join == JOIN_NO) {
		if (d)
			finish(p, d);
		d = stall_that_asked(p, kind, line->record);
		if (!d) {
			begin(p, line, kind);
			return;
		}
	}
	if (join == JOIN_TURN)
		turn_into(p, d, line, kind);
	else
		oops_header(d, kind->form, p->arena, line->text);
	took(d, line);
}

/* --- Other lines. --- */

/* A row of at least 20 '=': the frame around reports of checkers. */
static bool is_rule(const char *text)
{
	return strspn(text, "=") >= 20;
}

/* The words of a WARN() stand before it or, up to 4.13 and where registers are not shown, behind. */
static bool is_message(const struct oops_draft *d, const struct line *line)
{
	if (d->report.message || d->foreign || !is_empty(d) || line->index > d->last + 2 ||
	    strstr(line->text, "+0x"))
		return false;
	return (d->bare && !d->report.kind) || d->form == FORM_WARN;
}

static unsigned foreign_max(const struct oops_draft *d)
{
	if (d->section == SECTION_OVER)
		return FOREIGN_OVER;
	switch (d->form) {
	case FORM_HARDWARE:
		return FOREIGN_HARDWARE;
	case FORM_DIE:
	case FORM_BUG:
	case FORM_WARN:
	case FORM_CHECKER:
	case FORM_STALL:
		return d->section == SECTION_TRACE || !d->frames.count ? FOREIGN_BEFORE
								       : FOREIGN_MAX;
	default:
		return FOREIGN_MAX;
	}
}

static void belongs(struct parser *p, struct oops_draft *d, const struct line *line)
{
	const char *text = line->text;

	if (starts_with(text, "---[ end trace")) {
		oops_end_track(d, p->arena);
		d->section = SECTION_OVER;
		took(d, line);
		return;
	}
	if (starts_with(text, "---[ end Kernel panic") ||
	    (is_rule(text) && (d->form == FORM_CHECKER || d->form == FORM_LOCKDEP))) {
		took(d, line);
		finish(p, d);
		return;
	}
	if (oops_body(d, p->arena, text)) {
		took(d, line);
		return;
	}
	if (is_message(d, line)) {
		d->report.message = trimmed(p->arena, text, text + strlen(text));
		took(d, line);
		return;
	}
	if (++d->foreign > foreign_max(d))
		finish(p, d);
}

static const struct oops_kind *kind_of(const struct parser *p, const char *text)
{
	int row = phrases_find(&p->phrases, text);

	if (row >= 0 && (size_t)row < oops_kind_count)
		return &oops_kinds[row];
	/* The further phrases only say that a closer look is worth while. */
	return row >= 0 ? oops_kind_find(text) : NULL;
}

/* What a check says before BUG() stands above the scissors, what WARN() says below. */
static void cut_here(struct parser *p, struct oops_draft *d, const struct line *line)
{
	if (d && d->bare && d->report.kind && is_empty(d)) {
		took(d, line);
		return;
	}
	if (d)
		finish(p, d);
	begin(p, line, NULL);
}

static void parse_line(struct parser *p, const struct line *line)
{
	struct oops_draft *d = draft_of(p, line->record);
	const struct oops_kind *kind;

	if (d && d->last_ns && line->record->time_ns > d->last_ns &&
	    line->record->time_ns - d->last_ns > GAP_NS) {
		finish(p, d);
		d = NULL;
	}
	if (!*line->text)
		return;
	if (starts_with(line->text, "---") && strstr(line->text, "[ cut here ]")) {
		cut_here(p, d, line);
		return;
	}
	kind = starts_with(line->text, "---[ end ") ? NULL : kind_of(p, line->text);
	if (kind)
		announced(p, line, kind);
	else if (d)
		belongs(p, d, line);
}

/* --- Records to lines. --- */

/* "<0>", "<d>": levels within a line, of printk() up to 2.6.x. */
static const char *without_level(const char *text)
{
	if (text[0] == '<' && strchr("01234567cd", text[1]) && text[1] && text[2] == '>')
		return text + 3 + strspn(text + 3, " \t");
	return text;
}

static void parse_text(struct parser *p, const struct log_record *record, size_t index,
		       const char *text)
{
	while (text) {
		const char *end = strchr(text, '\n');
		const char *from = without_level(text + strspn(text, " \t"));
		size_t n = end ? (size_t)(end - from) : strlen(from);
		struct line line = { record, index, from };
		if (end && from <= end)
			line.text = arena_strndup(p->arena, from, n);
		else if (n && from[n - 1] == '\r')
			line.text = arena_strndup(p->arena, from, n - 1);
		parse_line(p, &line);
		text = end ? end + 1 : NULL;
	}
}

/* A message in pieces: the record buffer of 3.5 to 5.9 keeps pr_cont() as records of its own. */
static size_t parse_record(struct parser *p, const struct log_record *log, size_t count, size_t i)
{
	auto_strbuf whole = { 0 };
	size_t last = i;

	if (!log[i].continued) {
		parse_text(p, &log[i], i, log[i].text);
		return i + 1;
	}
	strbuf_add(&whole, log[i].text);
	while (log[last].continued && last + 1 < count)
		strbuf_add(&whole, log[++last].text);
	parse_text(p, &log[i], i, arena_strdup(p->arena, strbuf_text(&whole)));
	return last + 1;
}

static int by_position(const void *a, const void *b)
{
	const struct oops_report *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/* Texts that may announce a kind that oops_kinds[] cannot tell by words alone. */
static const char *const closer_looks[] = { " [#", ", CPU#" };

void oops_parse(const struct log_record *log, size_t log_count, struct arena *arena,
		const struct oops_report **reports, size_t *report_count)
{
	struct parser *p = xcalloc(1, sizeof(*p));

	p->arena = arena;
	for (size_t i = 0; i < oops_kind_count; i++)
		phrases_add(&p->phrases, oops_kinds[i].text, oops_kinds[i].at_start);
	phrases_add(&p->phrases, "BUG ", true);
	for (size_t i = 0; i < array_size(closer_looks); i++)
		phrases_add(&p->phrases, closer_looks[i], false);
	for (size_t i = 0; i < log_count;)
		i = parse_record(p, log, log_count, i);
	for (size_t i = 0; i < DRAFTS_MAX; i++) {
		struct oops_draft *d = &p->draft[i];
		finish(p, d);
		vec_deinit(&d->frames);
		vec_deinit(&d->track_frames);
		vec_deinit(&d->modules);
		vec_deinit(&d->tracks);
		vec_deinit(&d->zones);
	}
	if (p->done.count)
		qsort(p->done.data, p->done.count, sizeof(*p->done.data), by_position);
	*reports = copied(arena, p->done.data, p->done.count, sizeof(*p->done.data));
	*report_count = p->done.count;
	vec_deinit(&p->done);
	phrases_deinit(&p->phrases);
	free(p);
}
