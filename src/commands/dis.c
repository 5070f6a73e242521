// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * dis: instructions, one a line. The bytes are the dump's, so that code shows as it ran; where a
 * debug file has the same code, a remark behind the line tells what the running kernel patched.
 * Marked with ">>" are the instructions at which frames of the current task's stack stand: the one
 * that was interrupted or faulted, and the calls that have not returned.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "code/code.h"
#include "commands/args.h"
#include "commands/source.h"
#include "commands/table.h"
#include "forensics/text_origin.h"
#include "kernel/bugs.h"
#include "kernel/context.h"
#include "kernel/text.h"

enum {
	INSNS_MAX = 1 << 16,
	FUNCTION_MAX = 1 << 20,  /* bytes; a symbol that is larger is no function */
	UNSIZED_FUNCTION = 4096, /* bytes looked at where the symbol's end is not known */
	UD2_SKIP_MAX = 64,
	FRAMES_MARKED_MAX = 256,
};

enum { OPT_LINES, OPT_REVERSE, OPT_FORWARD, OPT_SOURCE, OPT_USER, OPT_HEX, OPT_DEC, OPT_SKIP };

static const struct option dis_option_table[] = {
	[OPT_LINES] = { "l", false }, [OPT_REVERSE] = { "r", false },
	[OPT_FORWARD] = { "f", false }, [OPT_SOURCE] = { "s", false },
	[OPT_USER] = { "u", false }, [OPT_HEX] = { "x", false }, [OPT_DEC] = { "d", false },
	[OPT_SKIP] = { "b", true },
};

static const struct column dis_columns[] = {
	{ .title = "", .gap = 1, .style = STYLE_BAD },
	{ .key = "address", .title = "", .gap = 1, .style = STYLE_FAINT },
	{ .title = "", .style = STYLE_FAINT },
	{ .key = "text", .title = "" },
	{ .key = "symbol" }, { .key = "module" }, { .key = "offset" },
	{ .key = "bytes" },
	{ .key = "target" }, { .key = "data" },
	{ .key = "frame" },
	{ .key = "bug" }, { .key = "warning" },
	{ .key = "file_text" },
	{ .key = "file" }, { .key = "line" }, { .key = "inlined" },
};

struct dis_run {
	struct command_args *args;
	struct session *session;
	struct options options;
	bool user;
	struct page_root root; /* with @user */
	uint64_t skip;         /* bytes behind each ud2 that are no code */
	struct {
		vec_fields(uint64_t);
	} starts;              /* of the instructions */
	struct stack stack;    /* of the current task */
	struct file_code code; /* of the debug file, from the first instruction on */
	bool has_code;
	uint64_t code_start;
	uint64_t file_pc;      /* an instruction of the file begins here; others up to here are seen */
	uint64_t file_last;    /* the one before it */
	char last_line[512];   /* shown last with -l */
	uint64_t last_symbol;  /* of the line before */
};

/* --- What to show. --- */

static enum read_status read_code(struct dis_run *run, uint64_t pc, uint8_t *bytes, size_t *got)
{
	struct memory *mem = run->session->memory;
	enum read_status status = READ_OK;

	/* An instruction may end where the page does, and the next page be missing. */
	for (size_t want = CODE_INSN_MAX; want; want--) {
		status = run->user ? memory_read_user(mem, &run->root, pc, bytes, want, NULL)
				   : memory_read(mem, pc, bytes, want);
		*got = want;
		if (status == READ_OK)
			return READ_OK;
	}
	*got = 0;
	return status;
}

/* The instructions that begin in [@start, @end), at most @count. */
static void collect(struct dis_run *run, uint64_t start, uint64_t end, uint64_t count)
{
	uint64_t pc = start;

	while (pc < end && pc >= start && run->starts.count < count &&
	       !session_stopped(run->session)) {
		uint8_t bytes[CODE_INSN_MAX];
		struct insn insn;
		size_t got;
		if (run->starts.count == INSNS_MAX) {
			doc_remark(run->args->doc, REMARK_ERROR,
				   "shown are the first %d instructions", INSNS_MAX);
			return;
		}
		enum read_status status = read_code(run, pc, bytes, &got);
		if (status != READ_OK) {
			doc_remark(run->args->doc, REMARK_HOLE, "code at %" PRIx64 ": %s", pc,
				   read_status_text(status));
			return;
		}
		vec_push(&run->starts, pc);
		bool valid = code_decode(bytes, got, pc, &insn);
		pc += valid ? insn.length : 1;
		if (valid && insn.kind == INSN_TRAP && insn.length == 2)
			pc += run->skip;
	}
}

static bool is_padding(struct dis_run *run, uint64_t pc)
{
	uint8_t bytes[CODE_INSN_MAX];
	char text[128];
	size_t got;

	if (read_code(run, pc, bytes, &got) != READ_OK ||
	    !code_format(bytes, got, pc, NULL, NULL, text, sizeof(text)))
		return false;
	return strcmp(text, "int3") == 0 || strcmp(text, "xchg %ax,%ax") == 0 ||
	       strstr(text, "nop");
}

/* A symbol reaches to the next one: what only fills the gap is not the function's. */
static void drop_padding(struct dis_run *run)
{
	while (run->starts.count > 1 &&
	       is_padding(run, run->starts.data[run->starts.count - 1]))
		run->starts.count--;
}

static struct error *function_bounds(struct dis_run *run, uint64_t address, uint64_t *start,
				     uint64_t *end)
{
	struct symbol symbol;

	if (run->user || !run->session->symbols ||
	    !symbols_by_address(run->session->symbols, address, &symbol))
		return error_new(ERROR_NOT_FOUND, "which function %" PRIx64 " is in is not known",
				 address);
	*start = symbol.address;
	*end = symbol.address + (symbol.size ? min_u64(symbol.size, FUNCTION_MAX) :
					       UNSIZED_FUNCTION);
	if (*end <= address)
		return error_new(ERROR_NOT_FOUND, "%" PRIx64 " is too far behind %s to be in it",
				 address, symbol.name);
	return NULL;
}

/* Is the word a function's name alone? Then all of the function is meant. */
static bool names_function(struct dis_run *run, const char *word, uint64_t address)
{
	struct symbol symbol;

	return run->session->symbols && symbols_by_name(run->session->symbols, word, &symbol) &&
	       symbol.address == address && symbols_is_text(run->session->symbols, address);
}

static struct error *collect_reverse(struct dis_run *run, uint64_t address, uint64_t count)
{
	uint64_t start = 0, end = 0;
	struct error *err = function_bounds(run, address, &start, &end);

	if (err)
		return err;
	collect(run, start, address + 1, UINT64_MAX);
	if (run->starts.count && run->starts.data[run->starts.count - 1] != address)
		doc_remark(run->args->doc, REMARK_NOTE,
			   "no instruction begins at %" PRIx64 ", counted from the function's start",
			   address);
	if (count < run->starts.count) {
		memmove(run->starts.data, run->starts.data + (run->starts.count - count),
			count * sizeof(*run->starts.data));
		run->starts.count = count;
	}
	return NULL;
}

/* Of a text, the bytes that it shows around the fault; those before @address too, with -r or all. */
static struct error *collect_window(struct dis_run *run, uint64_t address, uint64_t count)
{
	bool all = run->options.word_count == 1 &&
		   names_function(run, run->options.words[0], address);
	bool reverse = run->options.set[OPT_REVERSE];
	struct code_window w;

	if (!text_window(run->session, &w))
		return error_new(ERROR_NOT_FOUND, "the text has no bytes of code");
	if (run->options.word_count == 1 && !reverse && !all)
		count = 1;
	for (size_t i = 0; i < w.count; i++) {
		uint64_t pc = w.address + w.start[i];
		if (all || (reverse ? pc <= address : pc >= address))
			vec_push(&run->starts, pc);
	}
	if (!run->starts.count)
		return error_new(ERROR_NOT_FOUND, "that code is not in the text, which shows some bytes "
				 "around the fault only");
	if (reverse && count < run->starts.count)
		memmove(run->starts.data, run->starts.data + (run->starts.count - count),
			count * sizeof(*run->starts.data));
	run->starts.count = min_u64(run->starts.count, count);
	return NULL;
}

/* With a vmlinux the kernel's functions are there as a whole. */
static bool is_in_file(struct dis_run *run, uint64_t address)
{
	struct symbol symbol;
	uint8_t byte;

	return symbols_by_address(run->session->symbols, address, &symbol) && !symbol.inside_only &&
	       memory_u8(run->session->memory, symbol.address, &byte) == READ_OK &&
	       memory_u8(run->session->memory, symbol.address + symbol.size - 1, &byte) == READ_OK;
}

/* ADDRESS [COUNT]; without a count it is left as it is. */
static struct error *parse_place(const struct dis_run *run, uint64_t *address, uint64_t *count)
{
	const struct options *o = &run->options;

	if (o->word_count < 1 || o->word_count > 2)
		return error_new(ERROR_USAGE, "an address or function and perhaps a count are needed");
	struct error *err = parse_address(run->session, o->words[0], address);
	return err || o->word_count == 1 ? err : parse_count(o->words[1], count);
}

static struct error *choose(struct dis_run *run)
{
	const struct options *o = &run->options;
	uint64_t address, start = 0, end = 0, count = UINT64_MAX;

	struct error *err = parse_place(run, &address, &count);
	if (err)
		return err;
	if (run->session->text && !is_in_file(run, address))
		return collect_window(run, address, count);
	if (o->set[OPT_REVERSE])
		return collect_reverse(run, address, count);
	bool whole = o->word_count == 1 && !run->user && names_function(run, o->words[0], address);
	if (!o->set[OPT_FORWARD] && !whole) {
		collect(run, address, UINT64_MAX, o->word_count == 2 ? count : 1);
		return NULL;
	}
	err = function_bounds(run, address, &start, &end);
	if (err)
		return err;
	collect(run, address, end, count);
	if (run->starts.count < count)
		drop_padding(run);
	return NULL;
}

/* --- What a line says. --- */

struct line {
	uint64_t pc;
	uint8_t bytes[CODE_INSN_MAX];
	size_t got;
	struct insn insn;
	bool valid, has_symbol;
	struct symbol symbol;
	uint64_t data;        /* the address that a pc-relative operand names; 0 none */
	char text[512];
	char place[400];
	char hex[CODE_INSN_MAX * 2 + 1];
	long frame;           /* that stands here; -1 none */
	char bug[320];        /* "file:line" of the BUG() or WARN(); "" none */
	bool warning;
	bool patched;         /* the debug file has something else: */
	char file_text[512];
	bool patch_begins;    /* false: what the file has began before here */
	struct source_frame source;
	bool has_source;
};

static void name_place(struct dis_run *run, const struct symbol *symbol, uint64_t address,
		       char *buf, size_t size)
{
	uint64_t offset = address - symbol->address;
	char distance[32] = "";

	if (offset && !symbol->inside_only)
		snprintf(distance, sizeof(distance),
			 run->options.set[OPT_DEC] ? "+%" PRIu64 : "+0x%" PRIx64, offset);
	snprintf(buf, size, "%s%s%s%s%s", symbol->name, distance, symbol->module ? " [" : "",
		 symbol->module ? symbol->module->name : "", symbol->module ? "]" : "");
}

static void name_operand(void *ctx, uint64_t address, char *buf, size_t size)
{
	struct dis_run *run = ctx;
	struct symbol symbol;

	if (run->user || !run->session->symbols || !text_may_name(run->session, address))
		return;
	if (symbols_by_address(run->session->symbols, address, &symbol) ||
	    symbols_per_cpu(run->session->symbols, address, &symbol))
		name_place(run, &symbol, address, buf, size);
}

/* Which frame of the current task's stack stands at this instruction. */
static long frame_at(const struct dis_run *run, const struct line *line)
{
	size_t count = run->stack.count < FRAMES_MARKED_MAX ? run->stack.count : FRAMES_MARKED_MAX;

	if (run->user)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const struct frame *f = &run->stack.frames[i];
		if (f->how == FRAME_SCAN)
			continue;
		if (f->is_call ? line->valid && line->insn.kind == INSN_CALL &&
					 f->pc == line->pc + line->insn.length
			       : f->pc == line->pc)
			return (long)i;
	}
	return -1;
}

static void find_bug(struct dis_run *run, struct line *line)
{
	struct bug_site site;

	if (run->user || !line->valid || line->insn.kind != INSN_TRAP || line->insn.length < 2 ||
	    !bug_at(run->session, line->pc, &site))
		return;
	line->warning = site.warning;
	if (site.file[0])
		snprintf(line->bug, sizeof(line->bug), "%s:%u", site.file, site.line);
	else
		snprintf(line->bug, sizeof(line->bug), "an unknown place");
}

/* Follows the file's own instructions up to @pc; false when none of them begins there. */
static bool file_begins_at(struct dis_run *run, uint64_t pc)
{
	while (run->file_pc < pc) {
		size_t offset = run->file_pc - run->code_start;
		struct insn insn;
		if (offset >= run->code.size)
			return false;
		run->file_last = run->file_pc;
		run->file_pc += code_decode(run->code.bytes + offset, run->code.size - offset,
					    run->file_pc, &insn)
					? insn.length : 1;
	}
	return run->file_pc == pc;
}

/* The file's instruction at @at. What loading a module fills in is shown by its symbol. */
static void file_text(struct dis_run *run, uint64_t at, char *buf, size_t size)
{
	size_t offset = at - run->code_start;
	const uint8_t *bytes = run->code.bytes + offset;
	struct insn insn;

	/* Where the file's code would run: its relative operands are right as they stand. */
	code_format(bytes, run->code.size - offset, at, name_operand, run, buf, size);
	if (!code_decode(bytes, run->code.size - offset, at, &insn))
		return;
	const struct file_relocation *r = file_code_relocation(&run->code, offset, insn.length);
	if (r) {
		size_t mnemonic = strcspn(buf, " ");
		if (mnemonic < size)
			snprintf(buf + mnemonic, size - mnemonic, "%s <%s>", insn.target ? "" : " ...",
				 r->symbol[0] ? r->symbol : "?");
	}
}

static void find_patch(struct dis_run *run, struct line *line)
{
	size_t offset = line->pc - run->code_start;
	size_t length = line->valid ? line->insn.length : 1;

	if (!run->has_code || line->pc < run->code_start || offset >= run->code.size ||
	    !file_code_differs(&run->code, offset, line->bytes, length))
		return;
	line->patched = true;
	line->patch_begins = file_begins_at(run, line->pc);
	file_text(run, line->patch_begins ? line->pc : run->file_last, line->file_text,
		  sizeof(line->file_text));
}

static void find_source(struct dis_run *run, struct line *line)
{
	struct source_frame frames[SOURCE_FRAMES_MAX];

	if (run->user || !(run->options.set[OPT_LINES] || run->options.set[OPT_SOURCE]))
		return;
	line->has_source = debuginfo_frames(run->session->debuginfo, line->pc, frames) > 0;
	if (line->has_source)
		line->source = frames[0];
}

static void find_operands(struct dis_run *run, struct line *line)
{
	size_t length = line->valid ? line->insn.length : 1;

	code_format(line->bytes, line->got, line->pc, name_operand, run, line->text,
		    sizeof(line->text));
	if (text_is_made_up(run->session, line->pc))
		text_hide_made_up(run->session, line->text);
	for (size_t i = 0; i < length; i++)
		snprintf(line->hex + i * 2, 3, "%02x", line->bytes[i]);
	if (line->valid && !line->insn.target && line->insn.memory.absolute)
		line->data = (uint64_t)line->insn.memory.displacement;
}

/* False when the bytes cannot be read any more (they could a moment ago). */
static bool line_make(struct dis_run *run, uint64_t pc, struct line *line)
{
	*line = (struct line){ .pc = pc, .frame = -1 };
	if (read_code(run, pc, line->bytes, &line->got) != READ_OK)
		return false;
	line->valid = code_decode(line->bytes, line->got, pc, &line->insn);
	line->has_symbol = !run->user && run->session->symbols &&
			   symbols_by_address(run->session->symbols, pc, &line->symbol);
	if (line->has_symbol)
		name_place(run, &line->symbol, pc, line->place, sizeof(line->place));
	find_operands(run, line);
	line->frame = frame_at(run, line);
	find_bug(run, line);
	find_patch(run, line);
	find_source(run, line);
	return true;
}

/* --- Showing it. --- */

static void note_text(const struct line *line, struct strbuf *out)
{
	if (line->frame >= 0)
		strbuf_addf(out, "frame #%ld", line->frame);
	if (line->bug[0])
		strbuf_addf(out, "%s%s at %s", out->len ? "; " : "",
			    line->warning ? "WARN" : "BUG", line->bug);
	if (line->patched && line->patch_begins)
		strbuf_addf(out, "%spatched, the file has: %s", out->len ? "; " : "",
			    line->file_text);
}

/* "file:line" above the first instruction of each line, with its text when that can be had. */
static void source_heading(struct dis_run *run, const struct line *line)
{
	char heading[512], text[256];

	if (!line->has_source || !line->source.at.file || !line->source.at.line)
		return;
	snprintf(heading, sizeof(heading), "%s:%u%s%s%s", line->source.at.file,
		 line->source.at.line, line->source.inlined ? " (inlined " : "",
		 line->source.inlined && line->source.function ? line->source.function : "",
		 line->source.inlined ? ")" : "");
	if (strcmp(heading, run->last_line) == 0)
		return;
	memcpy(run->last_line, heading, sizeof(heading));
	doc_textf(run->args->doc, STYLE_FAINT, "%s", heading);
	if (run->options.set[OPT_SOURCE] &&
	    source_line_text(run->session, &line->source.at, text, sizeof(text)))
		doc_textf(run->args->doc, STYLE_PLAIN, "        %s", text);
}

static void place_on_page(struct dis_run *run, const struct line *line, char *buf, size_t size)
{
	const struct symbol *symbol = &line->symbol;

	if (symbol->address != run->last_symbol)
		doc_textf(run->args->doc, STYLE_FAINT, "%s%s%s%s:", symbol->name,
			  symbol->module ? " [" : "", symbol->module ? symbol->module->name : "",
			  symbol->module ? "]" : "");
	run->last_symbol = symbol->address;
	snprintf(buf, size, "+0x%" PRIx64 ":", line->pc - symbol->address);
}

static void add_line(struct dis_run *run, const struct line *line)
{
	const struct source_frame *source = line->has_source ? &line->source : NULL;
	char place[420], shown_address[24];
	const struct module *module = line->has_symbol ? line->symbol.module : NULL;
	auto_strbuf note = { 0 }, shown = { 0 };

	source_heading(run, line);
	note_text(line, &note);
	strbuf_addf(&shown, "%s%s%s", line->text,
		    !note.len ? "" : strchr(line->text, '#') ? "; " : "  # ", strbuf_text(&note));
	/* A page is narrow: the name stands above, then distances. */
	if (run->args->doc->media == DOC_IN_HTML && line->has_symbol)
		place_on_page(run, line, place, sizeof(place));
	else
		snprintf(place, sizeof(place), "%s%s%s", line->place[0] ? "<" : "", line->place,
			 line->place[0] ? ">:" : "");
	bool made_up = text_is_made_up(run->session, line->pc);
	snprintf(shown_address, sizeof(shown_address), "%016" PRIx64 "%s", line->pc,
		 line->place[0] ? "" : ":");
	if (made_up)
		shown_address[0] = '\0';
	doc_row(run->args->doc, cell_str(line->frame >= 0 ? ">>" : "  "),
		made_up ? cell_shown(cell_none(), "") :
			  cell_shown(cell_address(line->pc), shown_address),
		cell_str(place),
		cell_shown(cell_str(line->text), strbuf_text(&shown)),
		cell_str(line->has_symbol ? line->symbol.name : NULL),
		cell_str(module ? module->name : NULL),
		line->has_symbol ? cell_udec(line->pc - line->symbol.address) : cell_none(),
		cell_str(line->hex),
		line->insn.target && !made_up ? cell_hex(line->insn.target) : cell_none(),
		line->data && !made_up ? cell_hex(line->data) : cell_none(),
		line->frame >= 0 ? cell_dec(line->frame) : cell_none(),
		cell_str(line->bug[0] ? line->bug : NULL),
		line->bug[0] ? cell_bool(line->warning) : cell_none(),
		line->patched ? cell_str(line->file_text) : cell_none(),
		cell_str(source ? source->at.file : NULL),
		source && source->at.line ? cell_udec(source->at.line) : cell_none(),
		cell_str(source && source->inlined ? source->function : NULL));
	if (line->frame >= 0)
		doc_row_style(run->args->doc, STYLE_STRONG);
}

/* What the lines are compared with: the stack's frames and the debug file's code. */
static void gather(struct dis_run *run)
{
	struct session *s = run->session;
	const struct task *task = run->user ? NULL : context_task(s);
	uint64_t first = run->starts.data[0], last = run->starts.data[run->starts.count - 1];
	struct symbol symbol;

	if (task)
		task_stack(s, task, &run->stack);
	if (run->user || !s->symbols || !symbols_is_text(s->symbols, first))
		return;
	/* From the function's start on: instructions can only be told apart from there. */
	run->code_start = first;
	if (symbols_by_address(s->symbols, first, &symbol) && first - symbol.address < FUNCTION_MAX)
		run->code_start = symbol.address;
	run->file_pc = run->file_last = run->code_start;
	run->has_code = debuginfo_code(s->debuginfo, run->code_start,
				       last - run->code_start + CODE_INSN_MAX, &run->code);
}

static void show(struct dis_run *run)
{
	struct line line;

	gather(run);
	doc_table(run->args->doc, "instructions", dis_columns, array_size(dis_columns));
	doc_look(run->args->doc, LOOK_CODE);
	doc_bare(run->args->doc);
	for (size_t i = 0; i < run->starts.count && !session_stopped(run->session); i++) {
		if (line_make(run, run->starts.data[i], &line))
			add_line(run, &line);
	}
	doc_end(run->args->doc);
	if (run->options.set[OPT_SOURCE] && !run->session->source)
		doc_remark(run->args->doc, REMARK_NOTE, "the text of the sources is shown when their "
			   "folder is given (--source)");
}

static struct error *choose_user(struct dis_run *run)
{
	const struct task *task;
	struct error *err;

	run->user = run->options.set[OPT_USER];
	if (!run->user)
		return NULL;
	if (run->options.set[OPT_REVERSE] || run->options.set[OPT_FORWARD])
		return error_new(ERROR_USAGE, "the functions of user space are not known: no -r, -f");
	err = task_or_current(run->session, NULL, &task);
	return err ? err : task_page_root(run->session, task, &run->root);
}

/* crash's -s: no instructions, but the source around the address, to the end of its function. */
static struct error *show_listing(struct dis_run *run)
{
	uint64_t address, start = 0, end = 0, count = UINT64_MAX;

	struct error *err = parse_place(run, &address, &count);
	if (!err)
		err = function_bounds(run, address, &start, &end);
	return err ? err : source_listing(run->args, address, end, count);
}

static struct error *run_dis(struct command_args *args)
{
	struct dis_run run = { .args = args, .session = args->session };

	if (args->argc == 2 && strcmp(args->argv[1], "-b") == 0) {
		doc_remark(args->doc, REMARK_NOTE, "no bytes are left out behind a ud2 without -b N");
		return NULL;
	}
	struct error *err = options_parse(args, dis_option_table, array_size(dis_option_table),
					  &run.options);

	if (!err && run.options.set[OPT_REVERSE] && run.options.set[OPT_FORWARD])
		err = error_new(ERROR_USAGE, "-r or -f, not both");
	if (!err && run.options.set[OPT_SKIP])
		err = parse_count(run.options.value[OPT_SKIP], &run.skip);
	if (!err && run.skip > UD2_SKIP_MAX)
		err = error_new(ERROR_USAGE, "-b takes at most %d bytes", UD2_SKIP_MAX);
	if (!err)
		err = choose_user(&run);
	if (!err && run.options.set[OPT_SOURCE] && !run.options.set[OPT_LINES] && !run.user)
		return show_listing(&run);
	if (!err)
		err = choose(&run);
	if (!err && run.starts.count)
		show(&run);
	vec_deinit(&run.starts);
	stack_deinit(&run.stack);
	file_code_deinit(&run.code);
	return err;
}

const struct command command_dis = {
	.name = "dis",
	.usage = "[-r | -f] [-l] [-s] [-u] [-x | -d] [-b N] FUNCTION|ADDRESS [COUNT]",
	.summary = "instructions",
	.help = "A function's name alone means all of it, an address one instruction, or COUNT.\n"
		"  -r    from the function's start to the address (with COUNT: the last of these)\n"
		"  -f    from the address to the function's end\n"
		"  -l    with source lines, where a debug file has them\n"
		"  -s    no instructions: the source from a little before the address to the end of its\n"
		"        function (with COUNT: so many lines behind), where --source gives the folder\n"
		"  -ls   instructions with their lines and the text of these\n"
		"  -u    a user address of the current task\n"
		"  -x    offsets in hexadecimal, as they are anyway\n"
		"  -d    offsets in decimal\n"
		"  -b N  leave out N bytes behind each ud2 (kernels that put BUG()'s data there)\n"
		"The code is the dump's: as it was patched when it ran. Where a debug file has other\n"
		"code, that is shown behind it. \">>\" marks where frames of the current task's stack\n"
		"stand: the instruction that was interrupted or faulted, the calls that have not\n"
		"returned. A ud2 of BUG() or WARN() tells its source line.\n"
		"Examples: dis panic | dis -r panic+0x20 | dis -l panic 5 | dis -f panic+0x10 3",
	.run = run_dis,
};
