// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The verdict. Its four answers (what, why, who, how sure) must be within the first lines of the
 * report. Where they are too long for that they end with a sentence earlier, and the rest of them
 * follows under MORE.
 */
#include "commands/report.h"

#include <ctype.h>
#include <string.h>

#include "base/strbuf.h"

size_t report_line_length(const char *text, size_t room)
{
	size_t length = strlen(text);

	if (length <= room)
		return length;
	for (size_t n = room; n > room / 2; n--) {
		if (text[n] == ' ')
			return n;
	}
	return room;
}

size_t report_lines(const char *text, size_t room)
{
	size_t lines = 0;

	do {
		text += report_line_length(text, room);
		while (*text == ' ')
			text++;
		lines++;
	} while (*text);
	return lines;
}

/* Where the next sentence begins; NULL: @text is the last. */
static const char *next_sentence(const char *text)
{
	for (const char *s = text; *s; s++) {
		bool stop = *s == '.' || *s == ';';
		if (stop && s > text && s[1] == ' ' && s[2] && s[-1] != '.' &&
		    (*s == ';' || isalnum((unsigned char)s[2])))
			return s + 2;
	}
	return NULL;
}

/* The last comma of @text that is in @lines lines; NULL: there is none. */
static const char *last_comma(struct doc *doc, const char *text, size_t lines)
{
	const char *found = NULL;

	for (const char *s = strstr(text, ", "); s; s = strstr(s + 1, ", ")) {
		const char *start = arena_printf(&doc->arena, "%.*s ...", (int)(s - text), text);
		if (report_lines(start, REPORT_ROOM) > lines)
			break;
		found = s;
	}
	return found;
}

/* The first sentences of @text, as many as fit @lines lines; the others become @more. */
static const char *cut(struct doc *doc, const char *text, size_t lines, const char **more)
{
	const char *end = NULL, *dots = "";

	if (report_lines(text, REPORT_ROOM) <= lines)
		return text;
	for (const char *next = next_sentence(text); next; next = next_sentence(next)) {
		const char *start = arena_strndup(&doc->arena, text, (size_t)(next - 2 - text));
		if (report_lines(start, REPORT_ROOM) > lines)
			break;
		end = next - 2;
	}
	if (!end) {
		end = last_comma(doc, text, lines);
		dots = "...";
	}
	if (!end)
		return text;
	*more = arena_printf(&doc->arena, "%s%s%s", dots, *dots ? " " : "", end + 2);
	return arena_printf(&doc->arena, "%.*s%s%s", (int)(end - text), text, *dots ? " " : "", dots);
}

/* " (out of tree, unsigned)" */
static void module_words(const struct blame *blame, struct strbuf *text)
{
	const char *const words[] = {
		blame->out_of_tree ? "out of tree" : NULL,
		blame->proprietary ? "proprietary" : NULL,
		blame->unsigned_module ? "unsigned" : NULL,
	};
	unsigned count = 0;

	for (size_t i = 0; i < array_size(words); i++) {
		if (words[i])
			strbuf_addf(text, "%s%s", count++ ? ", " : " (", words[i]);
	}
	strbuf_add(text, count ? ")" : "");
}

static const char *who_text(const struct finding *f, struct doc *doc)
{
	const struct blame *blame = &f->blame;
	auto_strbuf text = { 0 };

	if (!blame->known)
		return f->who ? f->who : "not known";
	if (blame->unloaded)
		return arena_printf(&doc->arena, "module %s, which was unloaded before", blame->module);
	strbuf_addf(&text, "%s() in %s%s", blame->function,
		    blame->module ? "module " : "the kernel itself",
		    blame->module ? blame->module : "");
	if (blame->file)
		strbuf_addf(&text, ", %s:%u", blame->file, blame->line);
	if (blame->module)
		module_words(blame, &text);
	if (blame->because || blame->skipped || blame->unsure)
		strbuf_addf(&text, ", %s", confidence_name(blame_confidence(blame)));
	if (blame->because)
		strbuf_addf(&text, ": %s", blame->because);
	if (blame->unsure)
		strbuf_addf(&text, "%s %s", blame->because ? ";" : ":", blame->unsure);
	if (blame->skipped)
		strbuf_addf(&text, "; %s only tripped over it", blame->skipped);
	return arena_strdup(&doc->arena, strbuf_text(&text));
}

static const char *sure_text(const struct finding *f, struct doc *doc)
{
	const char *sure = confidence_name(f->confidence), *origin = f->origin_confidence;
	bool differ = origin && strcmp(origin, sure) != 0;

	/* Said only where it is another. */
	const char *of = f->origin_of ? f->origin_of : "where the value came from";
	return arena_printf(&doc->arena, "%s%s%s%s%s%s%s", sure, differ ? "; " : "",
			    differ ? of : "", differ ? ": " : "", differ ? origin : "",
			    f->against ? "; open: " : "", f->against ? f->against : "");
}

/* --- What follows from it. --- */

enum { KNOWN_SHOWN = 2, NEXT_SHOWN = 3, ANY_LINES = 1000 };

static void known_lines(const struct diagnosis *d, struct doc *doc)
{
	for (size_t i = 0; i < d->known_count && i < KNOWN_SHOWN; i++) {
		const struct known_issue *k = &d->known[i];
		/* That of a good match is among the next steps. */
		bool step = i == 0 && k->confidence > CONFIDENCE_POSSIBLE;
		const char *around = step ? NULL : k->workaround;
		doc_fieldf(doc, NULL, i ? "" : "KNOWN", "%s%s%s%s%s (%s)%s%s", k->title,
			   k->reference ? ": " : "", k->reference ? k->reference : "",
			   k->fixed_in ? ", fixed in " : "", k->fixed_in ? k->fixed_in : "",
			   confidence_name(k->confidence), around ? "; work-around: " : "",
			   around ? around : "");
	}
}

static void next_lines(const struct diagnosis *d, struct doc *doc)
{
	/* On a page they are apart; in text a dash tells where one begins. */
	bool dash = d->next_count > 1 && doc->media & DOC_IN_TEXT;

	for (size_t i = 0; i < d->next_count && i < NEXT_SHOWN; i++)
		doc_fieldf(doc, NULL, i ? "" : "NEXT", "%s%s", dash ? "- " : "", d->next[i]);
}

static void sign_line(const struct diagnosis *d, struct doc *doc)
{
	const struct signature *sign = &d->signature;
	const char *first = sign->value ? sign->value : sign->guilty;

	if (first)
		doc_fieldf(doc, NULL, "SIGN", "%s%s%s", first, sign->hash[0] ? " / " : "", sign->hash);
}

enum { ALSO_SHOWN = 3 };

/* Other troubles than the one that killed. */
static void also_lines(const struct diagnosis *d, struct doc *doc)
{
	unsigned shown = 0;

	for (size_t i = 1; i < d->finding_count && shown < ALSO_SHOWN; i++) {
		const struct finding *f = &d->findings[i];
		if (!f->apart)
			continue;
		doc_fieldf(doc, NULL, shown ? "" : "ALSO", "%s (%s): %s%s%s", f->title,
			   confidence_name(f->confidence), f->what, f->why ? "; " : "",
			   f->why ? f->why : "");
		shown++;
	}
}

void report_answer(const struct diagnosis *d, size_t lines, struct doc *doc)
{
	const struct finding *f = &d->findings[0];
	const char *who = who_text(f, doc), *sure = sure_text(f, doc), *why = f->why;
	const char *what = arena_printf(&doc->arena, "%s: %s", f->title, f->what);
	const char *more[3] = { NULL }, *label = "MORE";
	size_t used = lines + report_lines(what, REPORT_ROOM);
	size_t left = used + 3 < REPORT_TOP ? REPORT_TOP - used : 3;

	/* A page has room. */
	if (!(doc->media & DOC_IN_TEXT))
		left = ANY_LINES;
	/* A line for how sure, two for why, then who gets all it needs. */
	who = cut(doc, who, left > 4 ? left - 3 : 1, &more[1]);
	left -= min_u64(report_lines(who, REPORT_ROOM), left - 2);
	/* Why goes before what speaks against it, which gets what is left. */
	if (why) {
		bool two = left > 3 && report_lines(sure, REPORT_ROOM) > 1;
		why = cut(doc, why, left - (two ? 2 : 1), &more[0]);
		left -= min_u64(report_lines(why, REPORT_ROOM), left - 1);
	}
	sure = cut(doc, sure, left, &more[2]);
	if (f->blame.known)
		doc_title(doc, confidence_name(f->confidence), "%s: %s()%s%s%s", f->title,
			  f->blame.function, f->blame.module ? " [" : "",
			  f->blame.module ? f->blame.module : "", f->blame.module ? "]" : "");
	else
		doc_title(doc, confidence_name(f->confidence), "%s", f->title);
	doc_record(doc, NULL, NULL);
	doc_look(doc, LOOK_ANSWER);
	doc_plain(doc);
	doc_prose(doc);
	doc_labels(doc, REPORT_LABELS);
	doc_field_styled(doc, NULL, "WHAT", STYLE_BAD, cell_str(what));
	if (why)
		doc_field(doc, NULL, "WHY", cell_str(why));
	doc_field(doc, NULL, "WHO", cell_str(who));
	doc_field(doc, NULL, "SURE", cell_str(sure));
	for (size_t i = 0; i < array_size(more); i++) {
		if (!more[i])
			continue;
		doc_field(doc, NULL, label, cell_str(more[i]));
		label = "";
	}
	also_lines(d, doc);
	known_lines(d, doc);
	next_lines(d, doc);
	sign_line(d, doc);
	doc_end(doc);
}

/* --- The same as data. --- */

static void evidence(struct session *s, const struct finding *f, bool section, struct doc *doc)
{
	static const struct column columns[] = {
		{ .key = "claim", .title = "What" },
		{ .key = "command", .title = "Shown by", .command = true },
		{ .key = "shows" },
	};

	doc_table(doc, "evidence", columns, array_size(columns));
	doc_look(doc, LOOK_STEPS);
	doc_bare(doc);
	if (section && f->evidence_count)
		doc_section(doc, "EVIDENCE", NULL, "%s", "each with the command that shows it");
	for (unsigned i = 0; i < f->evidence_count; i++) {
		const struct evidence *e = &f->evidence[i];
		doc_row(doc, cell_str(e->text), cell_str(e->command), cell_str(e->shows));
		if (section && doc->media & DOC_IN_HTML)
			report_evidence_output(s, e->command, doc);
	}
	doc_end(doc);
}

static void finding_fields(struct session *s, const struct finding *f, bool section,
			   struct doc *doc)
{
	const struct blame *blame = &f->blame;

	doc_field(doc, "kind", NULL, cell_str(f->kind));
	doc_field(doc, "title", NULL, cell_str(f->title));
	doc_field(doc, "what", NULL, cell_str(f->what));
	doc_field(doc, "why", NULL, cell_str(f->why));
	doc_field(doc, "confidence", NULL, cell_str(confidence_name(f->confidence)));
	doc_field(doc, "apart", NULL, cell_bool(f->apart));
	doc_field(doc, "against", NULL, cell_str(f->against));
	doc_field(doc, "next", NULL, cell_str(f->next));
	doc_field(doc, "function", NULL,
		  cell_str(blame->known && !blame->unloaded ? blame->function : NULL));
	doc_field(doc, "file", NULL, cell_str(blame->known ? blame->file : NULL));
	doc_field(doc, "line", NULL,
		  blame->known && blame->file ? cell_udec(blame->line) : cell_none());
	doc_field(doc, "module", NULL, cell_str(blame->known ? blame->module : NULL));
	doc_field(doc, "who", NULL, cell_str(f->who));
	doc_field(doc, "origin_confidence", NULL, cell_str(f->origin_confidence));
	doc_field(doc, "because", NULL, cell_str(blame->known ? blame->because : NULL));
	doc_field(doc, "function_confidence", NULL,
		  cell_str(blame->known ? confidence_name(blame_confidence(blame)) : NULL));
	doc_field(doc, "skipped", NULL, cell_str(blame->known ? blame->skipped : NULL));
	doc_field(doc, "object", NULL, f->object ? cell_address(f->object) : cell_none());
	doc_field(doc, "out_of_tree", NULL,
		  blame->known ? cell_bool(blame->out_of_tree) : cell_none());
	evidence(s, f, section, doc);
}

/* What a rule does not tell has no line on a page. */
static void known_field(struct doc *doc, const char *key, const char *title, const char *text)
{
	doc_field(doc, key, text ? title : NULL, cell_str(text));
}

static void known_issues(const struct diagnosis *d, struct doc *doc)
{
	doc_array(doc, "known", NULL);
	doc_only_in(doc, d->known_count ? DOC_IN_JSON | DOC_IN_HTML : DOC_IN_JSON);
	doc_section(doc, "KNOWN", NULL, "known issues that fit");
	for (size_t i = 0; i < d->known_count; i++) {
		const struct known_issue *k = &d->known[i];
		doc_record(doc, NULL, NULL);
		doc_prose(doc);
		known_field(doc, "title", "issue", k->title);
		doc_last_style(doc, STYLE_STRONG);
		known_field(doc, "reference", "described in", k->reference);
		doc_last_link(doc);
		known_field(doc, "fixed_in", "fixed in", k->fixed_in);
		known_field(doc, "workaround", "until then", k->workaround);
		known_field(doc, "because", "fits because", k->because);
		known_field(doc, "confidence", "how sure", confidence_name(k->confidence));
		known_field(doc, "id", "rule", k->id);
		doc_end(doc);
	}
	doc_end(doc);
}

static void signature(const struct signature *sign, struct doc *doc)
{
	doc_record(doc, "signature", NULL);
	doc_hidden(doc);
	doc_field(doc, "guilty", NULL, cell_str(sign->guilty));
	doc_field(doc, "stack", NULL, cell_str(sign->stack));
	doc_field(doc, "value", NULL, cell_str(sign->value));
	doc_field(doc, "hash", NULL, cell_str(sign->hash[0] ? sign->hash : NULL));
	doc_end(doc);
}

void report_findings(const struct diagnosis *d, struct doc *doc)
{
	doc_record(doc, "verdict", NULL);
	finding_fields(d->facts.session, &d->findings[0], true, doc);
	doc_end(doc);
	known_issues(d, doc);
	doc_lines(doc, "next", NULL);
	doc_hidden(doc);
	for (size_t i = 0; i < d->next_count; i++)
		doc_line(doc, d->next[i]);
	doc_end(doc);
	signature(&d->signature, doc);
	doc_array(doc, "findings", NULL);
	doc_hidden(doc);
	for (size_t i = 0; i < d->finding_count; i++) {
		doc_record(doc, NULL, NULL);
		finding_fields(d->facts.session, &d->findings[i], false, doc);
		doc_end(doc);
	}
	doc_end(doc);
}
