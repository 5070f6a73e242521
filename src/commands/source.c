// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * list: from an address to the source line, with the functions that were inlined there; and, when
 * the folder of the kernel's sources is given (--source), the text around it.
 *
 * The name of the source file comes out of a debug file. It is looked for below the given folder
 * only, and must not climb out of it. A file of another version of the kernel cannot be told from
 * the right one: that is what the user says by giving the folder.
 */
#include "commands/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/filemap.h"
#include "commands/args.h"
#include "commands/table.h"

enum { AROUND = 5, PATH_BYTES = 4096, LINE_BYTES = 400 };

void source_place(struct session *session, uint64_t address, struct strbuf *text)
{
	struct source_frame frames[SOURCE_FRAMES_MAX];
	size_t count = debuginfo_frames(session->debuginfo, address, frames);

	if (!count || !frames[0].at.file || !frames[0].at.line)
		return;
	strbuf_addf(text, "%s:%u", frames[0].at.file, frames[0].at.line);
	for (size_t i = 0; i + 1 < count; i++)
		strbuf_addf(text, "%s%s", i ? ", " : ", inlined ",
			    frames[i].function ? frames[i].function : "?");
}

void source_files_text(struct session *session, struct strbuf *text)
{
	size_t before = text->len;
	const char *name;

	for (size_t i = 0; (name = debuginfo_file_text(session->debuginfo, i)); i++)
		strbuf_addf(text, "%s%s", i ? ", " : "", name);
	if (text->len == before)
		strbuf_add(text, "none");
}

/* --- The text of a file. --- */

static bool climbs(const char *path)
{
	for (const char *part = path; part; part = strchr(part, '/')) {
		part += *part == '/';
		if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || !part[2]))
			return true;
		if (!*part)
			break;
	}
	return false;
}

/*
 * The file below @folder. Of a path that is not relative to the kernel's sources (a module from
 * elsewhere) the end may be there: as long as two parts of it are the same.
 */
static bool find_source(const char *folder, const char *file, char *path, size_t size)
{
	struct stat st;

	if (climbs(file))
		return false;
	for (const char *rest = file; rest && *rest; rest = strchr(rest, '/')) {
		rest += *rest == '/';
		if (rest != file && !strchr(rest, '/'))
			return false;
		int n = snprintf(path, size, "%s/%s", folder, rest);
		if (n > 0 && (size_t)n < size && stat(path, &st) == 0 && S_ISREG(st.st_mode))
			return true;
		if (*file != '/')
			return false;
	}
	return false;
}

static void add_line(struct doc *doc, const char *text, size_t length, unsigned number,
		     bool wanted)
{
	char shown[LINE_BYTES];
	size_t n = 0;

	for (size_t i = 0; i < length && n + 9 < sizeof(shown); i++) {
		if (text[i] == '\t') {
			do
				shown[n++] = ' ';
			while (n % 8);
		} else if (text[i] != '\r') {
			shown[n++] = text[i];
		}
	}
	shown[n] = '\0';
	doc_linef(doc, "%s%6u  %s", wanted ? ">" : " ", number, shown);
}

/* The lines from @before before @at on, to @last. */
static void show_lines(struct command_args *args, const struct source_line *at, unsigned before,
		       unsigned last)
{
	char path[PATH_BYTES];
	struct filemap *map = NULL;
	struct error *err = NULL;
	unsigned number = 1;

	if (!find_source(args->session->source, at->file, path, sizeof(path)))
		err = error_new(ERROR_NOT_FOUND, "%s is not below %s", at->file,
				args->session->source);
	if (!err)
		err = filemap_open(path, &map);
	if (err) {
		doc_remark(args->doc, REMARK_NOTE, "%s", err->message);
		error_free(err);
		return;
	}
	const char *text = (const char *)map->data, *end = text ? text + map->size : text;
	doc_lines(args->doc, "text", NULL);
	for (; text && text < end && number <= last; number++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline ? newline : end;
		if (number + before >= at->line)
			add_line(args->doc, text, (size_t)(stop - text), number,
				 number == at->line);
		text = stop + 1;
	}
	doc_end(args->doc);
	if (number <= at->line)
		doc_remark(args->doc, REMARK_NOTE, "%s has only %u lines: is it of this kernel?",
			   path, number - 1);
	filemap_close(map);
}

static void show_text(struct command_args *args, const struct source_line *at)
{
	show_lines(args, at, AROUND, at->line + AROUND);
}

bool source_line_text(struct session *session, const struct source_line *at, char *buf, size_t size)
{
	char path[PATH_BYTES];
	struct filemap *map = NULL;
	bool found = false;

	if (!session->source || !find_source(session->source, at->file, path, sizeof(path)))
		return false;
	struct error *err = filemap_open(path, &map);
	if (err) {
		error_free(err);
		return false;
	}
	const char *text = (const char *)map->data, *end = text ? text + map->size : text;
	for (unsigned number = 1; text && text < end; number++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline ? newline : end;
		if (number == at->line) {
			while (text < stop && (*text == ' ' || *text == '\t'))
				text++;
			snprintf(buf, size, "%.*s", (int)min_u64((uint64_t)(stop - text), LINE_BYTES),
				 text);
			found = true;
			break;
		}
		text = stop + 1;
	}
	filemap_close(map);
	return found;
}

/* --- The command. --- */

/* The last line of the function that is @at's own, not inlined: of its code up to @end. */
static unsigned last_line(struct session *s, const struct source_frame *at, uint64_t address,
			  uint64_t end)
{
	struct source_frame frames[SOURCE_FRAMES_MAX];
	unsigned last = at->at.line;
	size_t count;

	for (uint64_t pc = address; pc < end && !session_stopped(s); pc++) {
		count = debuginfo_frames(s->debuginfo, pc, frames);
		const struct source_frame *own = count ? &frames[count - 1] : NULL;
		if (own && own->at.file && strcmp(own->at.file, at->at.file) == 0)
			last = own->at.line > last ? own->at.line : last;
	}
	return last;
}

struct error *source_listing(struct command_args *args, uint64_t address, uint64_t end,
			     uint64_t count)
{
	struct source_frame frames[SOURCE_FRAMES_MAX];
	struct session *s = args->session;

	size_t found = debuginfo_frames(s->debuginfo, address, frames);
	if (!found || !frames[0].at.file || !frames[0].at.line)
		return error_new(ERROR_MISSING, "there is no debug info for %" PRIx64
				 " (-k, -m and --debuginfod say where it is)", address);
	const struct source_frame *at = &frames[0];
	doc_record(args->doc, "source", NULL);
	doc_field(args->doc, "file", "FILE", cell_str(at->at.file));
	doc_field(args->doc, "line", "LINE", cell_udec(at->at.line));
	doc_field(args->doc, "inlined", NULL, cell_str(at->inlined ? at->function : NULL));
	uint64_t last = count < UINT32_MAX - at->at.line ? at->at.line + count
			: at->inlined ? at->at.line + AROUND
				      : last_line(s, at, address, end);
	if (s->source)
		show_lines(args, &at->at, AROUND, (unsigned)last);
	else
		doc_remark(args->doc, REMARK_NOTE, "the text of the sources is shown when their "
			   "folder is given (--source)");
	doc_end(args->doc);
	return NULL;
}

static const struct column src_columns[] = {
	{ .key = "address", .title = "", .gap = 1, .style = STYLE_FAINT },
	{ .key = "function", .title = "" },
	{ .key = "file" },
	{ .key = "line" },
	{ .key = "column" },
	{ .key = "inlined" },
	{ .title = "" },
};

static void show_frames(struct command_args *args, uint64_t address,
			const struct source_frame *frames, size_t count)
{
	char place[512], name[512], symbol[320];
	struct symbol sym;
	bool known = args->session->symbols &&
		     symbols_by_address(args->session->symbols, address, &sym);

	address_name(args->session, address, symbol, sizeof(symbol));
	doc_table(args->doc, "frames", src_columns, array_size(src_columns));
	doc_bare(args->doc);
	for (size_t i = 0; i < count; i++) {
		const struct source_frame *f = &frames[i];
		place[0] = '\0';
		if (f->at.file && f->at.line)
			snprintf(place, sizeof(place), "%s:%u", f->at.file, f->at.line);
		snprintf(name, sizeof(name), "%s%s",
			 f->inlined ? (f->function ? f->function : "?") : symbol,
			 f->inlined ? " (inlined)" : "");
		doc_row(args->doc, cell_address(address),
			cell_shown(cell_str(f->function ? f->function : known ? sym.name : NULL),
				   name),
			cell_str(f->at.file), f->at.line ? cell_udec(f->at.line) : cell_none(),
			f->at.column ? cell_udec(f->at.column) : cell_none(),
			cell_bool(f->inlined), cell_str(place));
	}
	doc_end(args->doc);
}

/* "kernel/fork.c:617" */
static bool is_file_line(struct command_args *args, const char *word, struct source_line *at)
{
	const char *colon = strrchr(word, ':'), *dot = strchr(word, '.');
	uint64_t line;

	if (!colon || !dot || dot > colon || !parse_u64(colon + 1, &line) || line > UINT32_MAX)
		return false;
	*at = (struct source_line){
		.file = arena_strndup(&args->doc->arena, word, (size_t)(colon - word)),
		.line = (unsigned)line,
	};
	return true;
}

static struct error *show_file_line(struct command_args *args, const struct source_line *at)
{
	if (!args->session->source)
		return error_new(ERROR_MISSING, "where the kernel's sources are, --source FOLDER says");
	show_text(args, at);
	return NULL;
}

static struct error *run_src(struct command_args *args)
{
	struct source_frame frames[SOURCE_FRAMES_MAX];
	struct source_line at;
	uint64_t address;

	if (args->argc != 2)
		return error_new(ERROR_USAGE, "which address?");
	const char *where = args->argv[1];
	if (is_file_line(args, where, &at))
		return show_file_line(args, &at);
	struct error *err = parse_address(args->session, where + (*where == '*'), &address);
	if (err)
		return err;
	size_t count = debuginfo_frames(args->session->debuginfo, address, frames);
	if (!count && !debuginfo_of(args->session->debuginfo, address))
		doc_remark(args->doc, REMARK_NOTE, "there is no debug info for %s (-k, -m and "
			   "--debuginfod say where it is)", where);
	else if (!count)
		doc_remark(args->doc, REMARK_NOTE, "the debug info has no line for %s", where);
	/* What the dump alone says. */
	if (!count)
		frames[count++] = (struct source_frame){ 0 };
	show_frames(args, address, frames, count);
	if (args->session->source && frames[0].at.file && frames[0].at.line)
		show_text(args, &frames[0].at);
	return NULL;
}

const struct command command_src = {
	.name = "src",
	.usage = "[*]FUNCTION[+OFFSET]|ADDRESS|FILE:LINE",
	.summary = "the source line of an address, and the text around it",
	.help = "As gdb's list: offsets are decimal unless they start with 0x. The functions that were\n"
		"inlined there come first, then the one that has the code. For a return address, as a\n"
		"stack shows it, the line of the call is that of the address minus 1.\n"
		"With --source FOLDER on the command line, the text around the line; FILE:LINE needs it.\n"
		"\"list *ADDRESS\", \"list FUNCTION\" and \"list FILE:LINE\" do the same.\n"
		"Examples: src *panic+91 | src panic | src ffffffff81000000",
	.run = run_src,
};
