// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * content: what memory looks like. An object (or any range) as runs, what stands before and behind
 * it; of text also where it begins, whose objects it runs over, which lines of the log it has, and
 * where else it is.
 */
#include "forensics/content_memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "commands/args.h"
#include "commands/table.h"
#include "forensics/overrun.h"

enum { OPT_QUICK, OPT_ALL };

static const struct option content_option_table[] = {
	[OPT_QUICK] = { .name = "q" },
	[OPT_ALL] = { .name = "s" },
};

enum {
	RUNS_MAX = 2000,         /* shown */
	TEXT_WORTH = 24,         /* bytes of a text that is worth a story */
	STORIES_MAX = 8,
	SCANS_MAX = 3,           /* of these, with a look at all memory */
	POINTEES_MIN = 64,       /* bytes whose pointers are named */
	NEIGHBOUR_MAX = PAGE_SIZE,
	USERS_SHOWN = 3,
	PLACES_SHOWN = 6,
	/* Looking through so many pages takes a second or two. */
	SCAN_UNASKED_MAX = 1 << 20,
};

static const struct column run_columns[] = {
	{ .key = "address", .title = "ADDRESS", .style = STYLE_FAINT },
	{ .key = "offset", .title = "OFFSET", .right = true },
	{ .key = "size", .title = "SIZE", .right = true },
	{ .key = "kind", .title = "KIND", .style = STYLE_STRONG },
	{ .key = "count" },
	{ .key = "stride" },
	{ .key = "begins_at" },
	{ .key = "ends_at" },
	{ .key = "description", .title = "CONTENT" },
};

static const struct column piece_columns[] = {
	{ .key = "address" }, { .key = "size" }, { .key = "object" },
	{ .key = "object_size" }, { .key = "offset" }, { .key = "exact" }, { .key = "what" },
};

static const struct column place_columns[] = {
	{ .key = "address", .title = "", .style = STYLE_FAINT },
	{ .key = "what", .title = "" },
};

struct content_run_state {
	struct command_args *args;
	struct ref_target range;  /* looked at */
	struct ref_target object; /* around it */
	enum bounds bounds;       /* of it */
	bool scan;                /* look through all memory */
	unsigned stories;
	struct content content;
};

/* The border that an address is at: of the object, or of a page. */
static const char *border_at(const struct content_run_state *run, uint64_t address)
{
	if (run->bounds == BOUNDS_OBJECT &&
	    (address == run->object.start || address == run->object.start + run->object.size))
		return "object";
	return address % PAGE_SIZE == 0 ? "page" : NULL;
}

/* --- The story of a text. --- */

static void describe_start(const struct content_run_state *run, const struct overrun *o)
{
	const struct overrun_piece *first = &o->piece[0];
	const char *before = o->extent.start_unknown ? "before " : "";
	struct doc *doc = run->args->doc;

	if (first->bounds == BOUNDS_UNKNOWN)
		doc_fieldf(doc, "begins", "begins", "%s%016" PRIx64 ": %s", before,
			   o->extent.start, first->what.text);
	else
		doc_fieldf(doc, "begins", "begins", "%s%016" PRIx64 ", at +0x%" PRIx64
			   " of %016" PRIx64 ": %s", before, o->extent.start,
			   o->extent.start - first->object.start, first->object.start,
			   first->what.text);
}

static void describe_pieces(const struct content_run_state *run, const struct overrun *o)
{
	const struct overrun_piece *left = o->left, *begin = &o->piece[0];
	struct doc *doc = run->args->doc;

	describe_start(run, o);
	if (left) {
		doc_fieldf(doc, "runs_over", "RUNS OVER",
			   "%s %016" PRIx64 ", %" PRIu64 " bytes far%s, into: %s",
			   left->bounds < BOUNDS_OBJECT ? "the page border at"
			   : left == begin              ? "the end of that object at"
							: "the end of the object at",
			   left->to, o->extent.end - left->to,
			   o->more || left + 2 < begin + o->count ? " through several more" : "",
			   left[1].what.text);
		doc_last_style(doc, STYLE_BAD);
	}
	doc_fieldf(doc, "ends", "ends", "%016" PRIx64 "%s, after %" PRIu64 " bytes in all",
		   o->extent.end, o->extent.end_unknown ? " or later" : "",
		   o->extent.end - o->extent.start);
	doc_table(doc, "pieces", piece_columns, array_size(piece_columns));
	doc_hidden(doc);
	for (unsigned i = 0; i < o->count; i++) {
		const struct overrun_piece *p = &o->piece[i];
		bool known = p->bounds != BOUNDS_UNKNOWN;
		doc_row(doc, cell_address(p->from), cell_udec(p->to - p->from),
			known ? cell_address(p->object.start) : cell_none(),
			known ? cell_udec(p->object.size) : cell_none(),
			known ? cell_hex(p->from - p->object.start) : cell_none(),
			cell_bool(p->bounds == BOUNDS_OBJECT), cell_str(p->what.text));
	}
	doc_end(doc);
}

static void describe_log(const struct content_run_state *run, const uint8_t *text, size_t size)
{
	struct doc *doc = run->args->doc;
	struct text_log log;

	content_text_in_log(run->args->session, text, size, &log);
	doc_record(doc, "log", NULL);
	doc_hidden(doc);
	doc_field(doc, "lines", NULL, cell_udec(log.lines));
	doc_field(doc, "found", NULL, cell_udec(log.found));
	doc_field(doc, "records", NULL, cell_udec(log.records));
	doc_field(doc, "first_sequence", NULL,
		  log.found ? cell_udec(log.first_sequence) : cell_none());
	doc_field(doc, "last_sequence", NULL,
		  log.found ? cell_udec(log.last_sequence) : cell_none());
	doc_field(doc, "example", NULL, cell_str(log.found ? log.example : NULL));
	doc_field(doc, "missing", NULL, cell_str(log.missing[0] ? log.missing : NULL));
	doc_end(doc);
	if (log.found)
		doc_textf(doc, STYLE_PLAIN,
			  "log: %zu of its %zu lines are in the kernel log too, %zu record%s from "
			  "%.6f to %.6f",
			  log.found, log.lines, log.records, log.records == 1 ? "" : "s",
			  (double)log.first_ns / 1e9, (double)log.last_ns / 1e9);
	else if (log.lines)
		doc_textf(doc, STYLE_PLAIN, "log: the kernel log has none of its lines");
}

/* Who uses the object where the text begins, and those that it runs over: whose text it is. */
static void describe_users(const struct content_run_state *run, const struct overrun *o)
{
	struct refs_options options = { .limit = USERS_SHOWN };
	struct ref_target targets[2];
	struct doc *doc = run->args->doc;
	struct refs refs;
	size_t count = 0;

	const struct overrun_piece *p = o->left ? o->left : o->piece, *end = o->piece + o->count;
	for (; p < end && count < array_size(targets) && p->bounds >= BOUNDS_PAGE; p++)
		targets[count++] = p->object;
	if (!count)
		return;
	refs_find(run->args->session, targets, count, &options, &refs);
	doc_array(doc, "users", NULL);
	doc_hidden(doc);
	for (size_t i = 0; i < refs.count; i++) {
		const struct ref *ref = &refs.data[i];
		if (ref->rank >= REF_INSIDE)
			continue;
		doc_record(doc, NULL, NULL);
		doc_field(doc, "object", NULL, cell_address(targets[ref->target].start));
		doc_field(doc, "address", NULL, cell_address(ref->at));
		doc_field(doc, "offset", NULL, cell_hex(ref->offset));
		doc_field(doc, "what", NULL, cell_str(ref->what.text));
		doc_end(doc);
	}
	doc_end(doc);
	for (size_t i = 0; i < refs.count; i++) {
		const struct ref *ref = &refs.data[i];
		if (ref->rank >= REF_INSIDE)
			continue;
		doc_textf(doc, STYLE_PLAIN,
			  "used by: %s, which points to +0x%" PRIx64 " of %016" PRIx64,
			  ref->what.text, ref->offset, targets[ref->target].start);
	}
	refs_deinit(&refs);
}

static void describe_copies(const struct content_run_state *run, const struct overrun *o,
			    const uint8_t *text, size_t size)
{
	struct session *s = run->args->session;
	struct doc *doc = run->args->doc;
	struct paddr phys[PLACES_SHOWN + 1];
	uint64_t at[array_size(phys)];
	struct text_needle needle;
	char quoted[80];

	if (!content_needle(text, size, &needle))
		return;
	size_t found = content_find_text(s, &needle, phys, array_size(phys));
	size_t count = min_u64(found, array_size(phys)), others = 0;
	virtual_addresses(s, phys, count, at);
	auto_free struct what *whats = xcalloc(count, sizeof(*whats));
	whatis_many(s, NULL, at, count, whats);
	content_quote(needle.text, needle.size, quoted, sizeof(quoted));
	for (size_t i = 0; i < count; i++)
		others += at[i] - o->extent.start >= o->extent.end - o->extent.start;
	if (others)
		doc_textf(doc, STYLE_PLAIN, "%s is at %zu other place%s too:", quoted,
			  found - (count - others), found - (count - others) == 1 ? "" : "s");
	doc_table(doc, "copies", place_columns, array_size(place_columns));
	doc_bare(doc);
	if (!others)
		doc_hidden(doc);
	for (size_t i = 0; i < count; i++) {
		if (at[i] - o->extent.start >= o->extent.end - o->extent.start)
			doc_row(doc, cell_address(at[i]), cell_str(whats[i].text));
	}
	doc_end(doc);
}

static void tell_story(struct content_run_state *run, const struct content_run *r)
{
	struct session *s = run->args->session;
	struct overrun *o = arena_zalloc(&run->args->doc->arena, sizeof(*o));

	overrun_of_text(s, r->address, r->size, o);
	size_t size = (size_t)min_u64(o->extent.end - o->extent.start, CONTENT_SIZE_MAX);
	auto_free uint8_t *text = xmalloc(size);
	size = memory_read_some(s->memory, o->extent.start, text, size);
	doc_detail(run->args->doc);
	describe_pieces(run, o);
	describe_log(run, text, size);
	if (run->scan && run->stories <= SCANS_MAX) {
		describe_users(run, o);
		describe_copies(run, o, text, size);
	}
	doc_end(run->args->doc);
}

/* --- Runs, and what stands around them. --- */

static void add_run(struct content_run_state *run, const struct content_run *r)
{
	struct doc *doc = run->args->doc;
	char offset[32], names[300];

	uint64_t from = r->address - run->object.start;
	snprintf(offset, sizeof(offset), "+0x%" PRIx64, from);
	doc_row(doc, cell_address(r->address), cell_shown(cell_hex(from), offset),
		cell_udec(r->size), cell_str(content_kind_name(r->kind)),
		r->count ? cell_udec(r->count) : cell_none(),
		r->stride ? cell_udec(r->stride) : cell_none(),
		cell_str(border_at(run, r->address)),
		cell_str(border_at(run, r->address + r->size)), cell_str(r->text));
	if (r->kind == CONTENT_MISSING)
		doc->incomplete = true;
	if (r->kind == CONTENT_TEXT && r->size >= TEXT_WORTH && run->stories < STORIES_MAX) {
		run->stories++;
		tell_story(run, r);
	} else if (r->size >= POINTEES_MIN &&
		   content_pointees(run->args->session, r->address, r->size, names,
				    sizeof(names))) {
		doc_detail(doc);
		doc_field(doc, "pointees", "pointing to", cell_str(names));
		doc_end(doc);
	}
}

/* The object before or behind, and the run of it that borders on the range. */
static void add_neighbour(struct content_run_state *run, bool before)
{
	struct session *s = run->args->session;
	struct doc *doc = run->args->doc;
	uint64_t end = run->range.start + run->range.size, start = end;
	struct content content = { 0 };
	struct ref_target object;
	struct what what;

	if (!object_around(s, before ? run->range.start - 1 : end, &object, &what))
		return;
	uint64_t size = min_u64(object.size - (end - object.start), NEIGHBOUR_MAX);
	if (before) {
		size = min_u64(run->range.start - object.start, NEIGHBOUR_MAX);
		start = run->range.start - size;
	}
	content_read(s, start, size, &content);
	if (content.count) {
		size_t last = run->content.count - 1;
		const struct content_run *r = &content.data[before ? content.count - 1 : 0];
		const struct content_run *inner = &run->content.data[before ? 0 : last];
		doc_record(doc, before ? "before" : "behind", NULL);
		doc_hidden(doc);
		doc_field(doc, "address", NULL, cell_address(object.start));
		doc_field(doc, "size", NULL, cell_udec(object.size));
		doc_field(doc, "what", NULL, cell_str(what.text));
		doc_field(doc, "kind", NULL, cell_str(content_kind_name(r->kind)));
		doc_field(doc, "description", NULL, cell_str(r->text));
		doc_field(doc, "same_kind", NULL, cell_bool(r->kind == inner->kind));
		doc_end(doc);
		doc_textf(doc, STYLE_FAINT,
			  "%s %016" PRIx64 ", %" PRIu64 " bytes: %s; %s with %s: %s",
			  before ? "before it" : "behind it", object.start, object.size, what.text,
			  before ? "ends" : "begins", content_kind_name(r->kind), r->text);
	}
	content_deinit(&content);
}

static void show(struct content_run_state *run, const char *what)
{
	struct doc *doc = run->args->doc;
	struct content *content = &run->content;
	uint64_t end = run->range.start + run->range.size;
	bool known = run->bounds != BOUNDS_UNKNOWN;

	doc_record(doc, "content", NULL);
	doc_field(doc, "address", NULL, cell_address(run->range.start));
	doc_field(doc, "size", NULL, cell_udec(run->range.size));
	doc_field(doc, "object", NULL,
		  known ? cell_address(run->object.start) : cell_none());
	doc_field(doc, "object_size", NULL,
		  known ? cell_udec(run->object.size) : cell_none());
	doc_field(doc, "what", NULL, cell_str(what));
	doc_textf(doc, STYLE_STRONG, "%016" PRIx64 ", %" PRIu64 " bytes: %s", run->range.start,
		  run->range.size, what);
	doc_table(doc, "runs", run_columns, array_size(run_columns));
	for (size_t i = 0; i < content->count && i < RUNS_MAX; i++)
		add_run(run, &content->data[i]);
	doc_end(doc);
	if (content->count && run->range.start)
		add_neighbour(run, true);
	if (content->count && end > run->range.start)
		add_neighbour(run, false);
	doc_end(doc);
	if (content->count > RUNS_MAX)
		doc_remark(doc, REMARK_ERROR, "%zu more runs are not shown",
			   content->count - RUNS_MAX);
}

static struct error *parse_range(struct content_run_state *run, const struct options *o,
				 struct what *what)
{
	uint64_t address, size = 0;

	if (o->word_count < 1 || o->word_count > 2)
		return error_new(ERROR_USAGE, "an address and perhaps a size are needed");
	struct error *err = parse_address(run->args->session, o->words[0], &address);
	if (!err && o->word_count == 2)
		err = parse_count(o->words[1], &size);
	if (!err && o->word_count == 2 && (!size || address > UINT64_MAX - size))
		err = error_new(ERROR_USAGE, "%s is no size there", o->words[1]);
	if (err)
		return err;
	run->bounds = object_around(run->args->session, address, &run->object, what);
	if (run->bounds == BOUNDS_UNKNOWN)
		run->object = (struct ref_target){ address,
						   min_u64(PAGE_SIZE, UINT64_MAX - address) };
	run->range = size ? (struct ref_target){ address, size } : run->object;
	if (run->range.size > CONTENT_SIZE_MAX) {
		doc_remark(run->args->doc, REMARK_ERROR, "looked at are the first %d MB",
			   CONTENT_SIZE_MAX >> 20);
		run->range.size = CONTENT_SIZE_MAX;
	}
	return NULL;
}

static struct error *run_content(struct command_args *args)
{
	struct content_run_state run = { .args = args };
	struct options options;
	struct what what = { 0 };

	struct error *err = options_parse(args, content_option_table,
					  array_size(content_option_table), &options);
	if (!err)
		err = parse_range(&run, &options, &what);
	if (err)
		return err;
	uint64_t pages = dump_info(args->session->dump)->present_pages;
	run.scan = options.set[OPT_ALL] || (!options.set[OPT_QUICK] && pages <= SCAN_UNASKED_MAX);
	content_read(args->session, run.range.start, run.range.size, &run.content);
	show(&run, what.text);
	if (!run.scan && !options.set[OPT_QUICK] && run.stories)
		doc_remark(args->doc, REMARK_NOTE,
			   "-s looks through all memory for who uses it and for the same text");
	content_deinit(&run.content);
	return NULL;
}

const struct command command_content = {
	.name = "content",
	.usage = "[-q | -s] ADDRESS [SIZE]",
	.summary = "what memory looks like: text, poison, pointers, packets, code",
	.help = "SIZE bytes from ADDRESS (default: the object there, as whatis sees it) as runs: text,\n"
		"zeroes, poison by name, pointers, page-table entries, numbers in a row, arrays of\n"
		"structures, network headers, ELF, code, random or compressed bytes. Of a text also\n"
		"where it begins, which objects it runs over, who uses them, which of its lines are in\n"
		"the kernel log, and where else in memory it is. Pages that were allocated together\n"
		"cannot be told from neighbours: there it is said which page border a text runs over.\n"
		"  -q      quick: do not look through all memory\n"
		"  -s      look through all memory even if there is much of it\n"
		"Examples: content linux_banner | content -q init_task | content modules 64",
	.run = run_content,
};
