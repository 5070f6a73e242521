// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * rd: raw memory, 16 bytes a line. Memory is fetched page by page; a page that cannot be had whole
 * is tried word by word, as RAM may begin or end inside a page. Lines of which nothing is there are
 * gathered into one that says why; single missing words are shown as question marks.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/new_file.h"
#include "base/strbuf.h"
#include "commands/args.h"
#include "commands/table.h"
#include "forensics/whatis.h"
#include "kernel/swap_meaning.h"

enum { LINE_BYTES = 16, COUNT_MAX = 1 << 20, STRING_MAX = 4096, SYMBOL_WIDTH = 32 };

enum { OPT_PHYS, OPT_USER, OPT_TASK, OPT_DEC, OPT_UDEC, OPT_NO_ASCII, OPT_SYMBOLS, OPT_ASCII,
       OPT_8, OPT_16, OPT_32, OPT_64, OPT_END, OPT_NAMES, OPT_LABELS, OPT_MACHINE, OPT_FILE,
       OPT_NETWORK, OPT_BACKWARD, OPT_OFFSET, OPT_OUTPUT, OPT_KERNEL };

static const struct option rd_option_table[] = {
	[OPT_PHYS] = { "p", false },     [OPT_USER] = { "u", false },
	[OPT_TASK] = { "c", true },      [OPT_DEC] = { "d", false },
	[OPT_UDEC] = { "D", false },     [OPT_NO_ASCII] = { "x", false },
	[OPT_SYMBOLS] = { "s", false },  [OPT_ASCII] = { "a", false },
	[OPT_8] = { "8", false },        [OPT_16] = { "16", false },
	[OPT_32] = { "32", false },      [OPT_64] = { "64", false },
	[OPT_END] = { "e", true },       [OPT_NAMES] = { "S", false },
	[OPT_LABELS] = { "w", false },   [OPT_MACHINE] = { "m", false },
	[OPT_FILE] = { "f", false },     [OPT_NETWORK] = { "N", false },
	[OPT_BACKWARD] = { "R", false }, [OPT_OFFSET] = { "o", true },
	[OPT_OUTPUT] = { "r", true },    [OPT_KERNEL] = { "k", false },
};

static const struct column rd_columns[] = {
	{ .key = "address", .title = "", .style = STYLE_FAINT },
	{ .key = "size" },
	{ .key = "values", .title = "" },
	{ .key = "ascii", .title = "", .style = STYLE_FAINT },
	{ .key = "reason" },
};

/* With -w a word a line. */
static const struct column label_columns[] = {
	{ .key = "address", .title = "", .style = STYLE_FAINT },
	{ .key = "size" },
	{ .key = "values", .title = "" },
	{ .key = "ascii" },
	{ .key = "reason" },
	{ .key = "label", .title = "" },
};

struct rd_run {
	struct command_args *args;
	struct options options;
	struct page_root root; /* with -u */
	unsigned word;         /* bytes */
	unsigned line;         /* bytes on each */
	/* The page looked at last. */
	bool has_page;
	uint64_t page_address;
	enum read_status page_status;
	uint8_t page[PAGE_SIZE];
	/* Lines that are missing, not yet shown. */
	uint64_t hole_start, hole_size;
	enum read_status hole_status;
	uint64_t missing[READ_CORRUPT + 1]; /* bytes, by reason */
	uint64_t first_missing;             /* the first that is not mapped */
};

struct line {
	uint64_t address;
	unsigned size;
	uint8_t bytes[LINE_BYTES];
	enum read_status status[LINE_BYTES]; /* of each word's first byte */
	bool any;                            /* something is there */
};

static enum read_status fetch(struct rd_run *run, uint64_t address, void *buf, size_t size)
{
	struct session *s = run->args->session;
	struct memory *mem = s->memory;

	if (run->options.set[OPT_FILE])
		return dump_read_file(s->dump, address, buf, size) == size ? READ_OK
									    : READ_TRUNCATED;
	if (run->options.set[OPT_PHYS])
		return memory_read_phys(mem, (struct paddr){ address }, buf, size);
	if (run->options.set[OPT_USER])
		return memory_read_user(mem, &run->root, address, buf, size, NULL);
	return memory_read(mem, address, buf, size);
}

static enum read_status read_word(struct rd_run *run, uint64_t address, uint8_t *buf)
{
	uint64_t page = address & ~(uint64_t)(PAGE_SIZE - 1);
	uint64_t offset = address - page;

	if (!run->has_page || run->page_address != page) {
		run->page_status = fetch(run, page, run->page, PAGE_SIZE);
		run->page_address = page;
		run->has_page = true;
	}
	if (run->page_status != READ_OK || offset + run->word > PAGE_SIZE) {
		enum read_status status = fetch(run, address, buf, run->word);
		if (status == READ_UNMAPPED && !run->first_missing)
			run->first_missing = address;
		return status;
	}
	memcpy(buf, run->page + offset, run->word);
	return READ_OK;
}

static void read_line(struct rd_run *run, struct line *line)
{
	line->any = false;
	for (unsigned i = 0; i < line->size; i += run->word) {
		line->status[i] = read_word(run, line->address + i, line->bytes + i);
		if (line->status[i] == READ_OK)
			line->any = true;
		else
			run->missing[line->status[i]] += run->word;
	}
}

static uint64_t word_value(const struct rd_run *run, const uint8_t *bytes)
{
	bool network = run->options.set[OPT_NETWORK];

	switch (run->word) {
	case 1:
		return *bytes;
	case 2:
		return network ? __builtin_bswap16(load_u16(bytes)) : load_u16(bytes);
	case 4:
		return network ? __builtin_bswap32(load_u32(bytes)) : load_u32(bytes);
	default:
		return network ? __builtin_bswap64(load_u64(bytes)) : load_u64(bytes);
	}
}

static int64_t sign_extend(uint64_t value, unsigned size)
{
	unsigned shift = 64 - 8 * size;

	return (int64_t)(value << shift) >> shift;
}

static bool shows_names(const struct rd_run *run)
{
	return run->options.set[OPT_SYMBOLS] || run->options.set[OPT_NAMES];
}

/* A symbol; with -S also "[kmalloc-64]", as crash has it for objects of slab caches; with -SS the
 * address before it. */
static void value_name(struct rd_run *run, uint64_t value, char *buf, size_t size)
{
	struct session *s = run->args->session;
	char label[96];

	if (!s->arch->is_kernel_address(value))
		return;
	address_name(s, value, buf, size);
	if (*buf || !run->options.set[OPT_NAMES])
		return;
	whatis_label(s, value, label, sizeof(label));
	if (*label && run->options.times[OPT_NAMES] > 1)
		snprintf(buf, size, "[%" PRIx64 ":%s]", value, label);
	else if (*label)
		snprintf(buf, size, "[%s]", label);
}

/* A word as the text shows it, padded to the width of its kind. */
static void shown_word(struct rd_run *run, uint64_t value, struct strbuf *out)
{
	static const int decimal_width[] = { [1] = 4, [2] = 6, [4] = 11, [8] = 20 };
	int digits = (int)run->word * 2;
	int name_width = shows_names(run) ? SYMBOL_WIDTH : digits;
	char name[128] = "";

	if (shows_names(run) && run->word == 8)
		value_name(run, value, name, sizeof(name));
	if (name[0])
		strbuf_addf(out, "%-*s", name_width, name);
	else if (run->options.set[OPT_DEC])
		strbuf_addf(out, "%*" PRId64, decimal_width[run->word],
			    sign_extend(value, run->word));
	else if (run->options.set[OPT_UDEC])
		strbuf_addf(out, "%*" PRIu64, decimal_width[run->word], value);
	else
		strbuf_addf(out, "%0*" PRIx64 "%*s", digits, value, name_width - digits, "");
}

static struct cell value_cell(struct rd_run *run, uint64_t value)
{
	if (run->options.set[OPT_DEC])
		return cell_dec(sign_extend(value, run->word));
	return run->options.set[OPT_UDEC] ? cell_udec(value) : cell_hex(value);
}

static void flush_hole(struct rd_run *run)
{
	char shown[32], text[96];

	if (!run->hole_size)
		return;
	snprintf(shown, sizeof(shown), "%016" PRIx64 ":", run->hole_start);
	snprintf(text, sizeof(text), "<%" PRIu64 " bytes: %s>", run->hole_size,
		 read_status_text(run->hole_status));
	doc_row(run->args->doc, cell_shown(cell_address(run->hole_start), shown),
		cell_udec(run->hole_size), cell_shown(cell_none(), text),
		cell_shown(cell_none(), ""), cell_str(read_status_text(run->hole_status)),
		cell_shown(cell_none(), ""));
	run->hole_size = 0;
}

static void add_hole(struct rd_run *run, const struct line *line)
{
	if (run->hole_size && run->hole_status != line->status[0])
		flush_hole(run);
	if (!run->hole_size) {
		run->hole_start = line->address;
		run->hole_status = line->status[0];
	}
	run->hole_size += line->size;
}

/* Takes blanks off the end. */
static void trim(struct strbuf *text)
{
	while (text->len && text->data[text->len - 1] == ' ')
		text->data[--text->len] = '\0';
}

static void add_line(struct rd_run *run, const struct line *line)
{
	struct cell values[LINE_BYTES];
	char ascii[LINE_BYTES + 1], address[32], label[128] = "";
	const char *reason = NULL;
	auto_strbuf shown = { 0 };
	unsigned count = 0;
	bool no_ascii = run->options.set[OPT_NO_ASCII] || shows_names(run);

	memset(ascii, ' ', sizeof(ascii));
	for (unsigned i = 0; i < line->size; i += run->word, count++) {
		if (i)
			strbuf_add_char(&shown, ' ');
		if (line->status[i] != READ_OK) {
			values[count] = cell_none();
			reason = read_status_text(line->status[i]);
			strbuf_addf(&shown, "%.*s", (int)run->word * 2, "????????????????");
			continue;
		}
		uint64_t value = word_value(run, line->bytes + i);
		values[count] = value_cell(run, value);
		shown_word(run, value, &shown);
		for (unsigned k = i; k < i + run->word; k++) {
			bool print = line->bytes[k] >= ' ' && line->bytes[k] < 0x7f;
			ascii[k] = print ? (char)line->bytes[k] : '.';
		}
	}
	ascii[line->size] = '\0';
	if (no_ascii)
		trim(&shown);
	snprintf(address, sizeof(address), "%016" PRIx64 ":", line->address);
	if (run->options.set[OPT_LABELS] && line->status[0] == READ_OK)
		whatis_label(run->args->session, word_value(run, line->bytes), label,
			     sizeof(label));
	/* The last cell is there with -w only. */
	doc_row(run->args->doc, cell_shown(cell_address(line->address), address),
		cell_udec(line->size),
		cell_shown(cell_of_list(&(struct cell_list){ values, count }),
			   strbuf_text(&shown)),
		cell_shown(cell_str(ascii), no_ascii ? "" : ascii), cell_str(reason),
		cell_shown(cell_str(*label ? label : NULL), label));
}

/* Of a user page that is away where it is. */
static void remark_away(struct rd_run *run)
{
	struct session *s = run->args->session;
	struct swap_entry entry;
	struct walk walk;
	uint64_t pte;
	char text[640];

	if (!run->options.set[OPT_USER] || !run->missing[READ_UNMAPPED])
		return;
	memory_walk_user(s->memory, &run->root, run->first_missing, &walk);
	if (!walk_is_away(&walk, &pte))
		return;
	swap_entry_of(s, pte, &entry);
	swap_entry_text(s, &entry, text, sizeof(text));
	doc_remark(run->args->doc, REMARK_NOTE, "%" PRIx64 ": %s", run->first_missing, text);
}

static void remark_missing(struct rd_run *run)
{
	for (size_t i = 0; i < array_size(run->missing); i++) {
		if (run->missing[i])
			doc_remark(run->args->doc, REMARK_HOLE, "%" PRIu64 " bytes: %s",
				   run->missing[i], read_status_text((enum read_status)i));
	}
	remark_away(run);
}

static void show_words(struct rd_run *run, uint64_t address, uint64_t count)
{
	uint64_t left = count * run->word;
	struct line line;

	while (left && !session_stopped(run->args->session)) {
		line.address = address;
		line.size = (unsigned)min_u64(left, run->line);
		read_line(run, &line);
		if (line.any) {
			flush_hole(run);
			add_line(run, &line);
		} else {
			add_hole(run, &line);
		}
		address += line.size;
		left -= line.size;
	}
	flush_hole(run);
}

/* -a: text up to its end, or @count characters with what cannot be printed as dots. */
static void show_ascii(struct rd_run *run, uint64_t address, uint64_t count, bool counted)
{
	enum read_status status = READ_OK;
	auto_strbuf text = { 0 };
	uint64_t most = counted ? count : STRING_MAX;
	char shown[32];
	uint8_t byte = 0;

	run->word = 1;
	for (uint64_t i = 0; i < most; i++) {
		status = read_word(run, address + i, &byte);
		bool print = isprint(byte) && byte < 0x7f;
		if (status != READ_OK || (!counted && !print))
			break;
		strbuf_add_char(&text, print ? (char)byte : '.');
	}
	if (status != READ_OK)
		run->missing[status]++;
	snprintf(shown, sizeof(shown), "%016" PRIx64 ":", address);
	doc_row(run->args->doc, cell_shown(cell_address(address), shown), cell_udec(text.len),
		cell_shown(cell_none(), strbuf_text(&text)),
		cell_shown(cell_str(strbuf_text(&text)), ""),
		cell_str(status == READ_OK ? NULL : read_status_text(status)),
		cell_shown(cell_none(), ""));
}

/* The address: an offset of the file with -f; -o added. */
static struct error *parse_start(struct rd_run *run, uint64_t *address)
{
	struct options *o = &run->options;
	struct session *s = run->args->session;
	uint64_t offset = 0;
	struct error *err = NULL;

	if (o->word_count < 1 || o->word_count > 2)
		return error_new(ERROR_USAGE, "an address and perhaps a count are needed");
	if (o->set[OPT_MACHINE])
		return error_new(ERROR_USAGE, "-m is for the machine addresses of a Xen host, which "
				 "this is not");
	if (o->set[OPT_FILE] + o->set[OPT_PHYS] + (o->set[OPT_USER] || o->set[OPT_TASK]) +
	    o->set[OPT_KERNEL] > 1)
		return error_new(ERROR_USAGE, "only one of -f, -p, -u and -k");
	/* An offset is a number, whatever symbols there are. */
	if (!o->set[OPT_FILE] || !parse_hex(o->words[0], address))
		err = parse_address(s, o->words[0], address);
	if (!err && o->set[OPT_FILE] && *address >= dump_info(s->dump)->file_size)
		err = error_new(ERROR_NOT_FOUND, "the file ends at 0x%" PRIx64,
				dump_info(s->dump)->file_size);
	if (!err && o->set[OPT_OFFSET] && !parse_hex(o->value[OPT_OFFSET], &offset))
		err = parse_address(s, o->value[OPT_OFFSET], &offset);
	*address += offset;
	return err;
}

/* The range that the words and -e ask for, as address and number of words. */
static struct error *parse_range(struct rd_run *run, uint64_t *address, uint64_t *count)
{
	struct options *o = &run->options;
	struct session *s = run->args->session;
	uint64_t end;

	struct error *err = parse_start(run, address);
	*count = 1;
	if (!err && o->word_count == 2)
		err = parse_count(o->words[1], count);
	if (!err && o->set[OPT_END]) {
		err = parse_address(s, o->value[OPT_END], &end);
		if (!err && end <= *address)
			err = error_new(ERROR_USAGE, "the end %s is not behind the start",
					o->value[OPT_END]);
		if (!err && o->word_count == 1)
			*count = (end - *address + run->word - 1) / run->word;
		else if (!err)
			*count = min_u64(*count, (end - *address + run->word - 1) / run->word);
	}
	if (err)
		return err;
	if (o->set[OPT_OUTPUT])
		return NULL;
	if (*count > COUNT_MAX) {
		doc_remark(run->args->doc, REMARK_ERROR, "shown are the first %d words of %" PRIu64,
			   COUNT_MAX, *count);
		*count = COUNT_MAX;
	}
	/* No word goes beyond the end of all addresses. */
	uint64_t room = UINT64_MAX - *address, before = run->word - 1;
	if (room < before)
		return error_new(ERROR_USAGE, "there is no word of %u bytes at %s", run->word,
				 o->words[0]);
	if (*count && *count - 1 > (room - before) / run->word)
		*count = (room - before) / run->word + 1;
	/* What is asked for is the last of the words. */
	if (o->set[OPT_BACKWARD] && *count > 1) {
		if (*address < (*count - 1) * run->word)
			return error_new(ERROR_USAGE, "there are no %" PRIu64 " words before %s",
					 *count, o->words[0]);
		*address -= (*count - 1) * run->word;
	}
	return NULL;
}

/* Which address space it is. An address that is not the kernel's is one of the current task. */
static struct error *choose_user(struct rd_run *run, uint64_t address)
{
	struct session *s = run->args->session;
	bool *set = run->options.set;
	bool asked = set[OPT_TASK] || set[OPT_USER];
	const struct task *task;

	if (!asked && (set[OPT_PHYS] || set[OPT_FILE] || set[OPT_KERNEL] ||
		       s->arch->is_kernel_address(address)))
		return NULL;
	struct error *err = task_or_current(s, run->options.value[OPT_TASK], &task);
	if (!err)
		err = task_page_root(s, task, &run->root);
	set[OPT_USER] = !err;
	if (err && !asked) {
		error_free(err);
		err = NULL;
	}
	return err;
}

/* Bytes of one page, zeros for those that are missing. */
static void copy_bytes(struct rd_run *run, uint64_t at, uint8_t *bytes, size_t size)
{
	if (fetch(run, at, bytes, size) == READ_OK)
		return;
	for (size_t i = 0; i < size; i++) {
		enum read_status status = read_word(run, at + i, bytes + i);
		if (status == READ_OK)
			continue;
		bytes[i] = 0;
		run->missing[status]++;
	}
}

/* -r: @size bytes into a file; where there are none, zeros. */
static struct error *write_file(struct rd_run *run, uint64_t address, uint64_t size)
{
	const char *path = run->options.value[OPT_OUTPUT];
	struct doc *doc = run->args->doc;
	struct new_file file;
	uint64_t done = 0;

	run->word = 1;
	struct error *err = new_file_create(path, &file);
	if (err)
		return err;
	while (done < size && !session_stopped(run->args->session)) {
		uint8_t page[PAGE_SIZE];
		uint64_t at = address + done;
		size_t n = (size_t)min_u64(size - done, PAGE_SIZE - at % PAGE_SIZE);
		copy_bytes(run, at, page, n);
		if (fwrite(page, 1, n, file.out) != n)
			break;
		done += n;
	}
	err = new_file_finish(&file);
	if (err)
		return err;
	doc_field(doc, "file", NULL, cell_str(path));
	doc_field(doc, "bytes", NULL, cell_udec(done));
	doc_textf(doc, STYLE_PLAIN, "%" PRIu64 " bytes copied from 0x%" PRIx64 " to %s", done,
		  address, path);
	return NULL;
}

static struct error *run_rd(struct command_args *args)
{
	struct rd_run *run = arena_zalloc(&args->doc->arena, sizeof(*run));
	uint64_t address, count;

	run->args = args;
	struct error *err = options_parse(args, rd_option_table, array_size(rd_option_table),
					  &run->options);
	if (err)
		return err;
	run->word = run->options.set[OPT_8] ? 1 : run->options.set[OPT_16] ? 2 :
		    run->options.set[OPT_32] ? 4 : 8;
	run->line = run->options.set[OPT_LABELS] ? run->word : LINE_BYTES;
	if (run->options.set[OPT_OUTPUT]) {
		if (run->options.word_count < 2 && !run->options.set[OPT_END])
			return error_new(ERROR_USAGE, "-r needs a count of bytes, or -e");
		run->word = 1;
	}
	err = parse_range(run, &address, &count);
	if (!err)
		err = choose_user(run, address);
	if (err)
		return err;
	if (run->options.set[OPT_OUTPUT]) {
		err = write_file(run, address, count);
		remark_missing(run);
		return err;
	}
	bool labels = run->options.set[OPT_LABELS];
	doc_table(args->doc, "memory", labels ? label_columns : rd_columns,
		  labels ? array_size(label_columns) : array_size(rd_columns));
	doc_bare(args->doc);
	if (run->options.set[OPT_ASCII])
		show_ascii(run, address, count,
			   run->options.word_count == 2 || run->options.set[OPT_END]);
	else
		show_words(run, address, count);
	doc_end(args->doc);
	remark_missing(run);
	return NULL;
}

const struct command command_rd = {
	.name = "rd",
	.usage = "[-p | -u | -k | -f] [-c PID|TASK] [-8|-16|-32|-64] [-d|-D|-s|-S|-SS|-a|-w] [-x] [-N] [-R] "
		 "[-o OFFSET] [-e END] [-r FILE] ADDRESS [COUNT]",
	.summary = "raw memory",
	.help = "COUNT words (1) of memory at a kernel address, symbol, or symbol+offset. An address that\n"
		"is not the kernel's is one of the current task.\n"
		"  -p             a physical address\n"
		"  -u, -k         a user address of the current task, a kernel address\n"
		"  -f             an offset in the dump's file: what is stored there\n"
		"  -c PID|TASK    a user address of this task\n"
		"  -8 .. -64      the size of a word in bits (64)\n"
		"  -d, -D         words in signed, unsigned decimal\n"
		"  -s             words that are kernel addresses as symbols\n"
		"  -S             the same, and [what they point to] where that has no symbol;\n"
		"                 -SS: [address:what it points to]\n"
		"  -w             a word a line, each with what it points to\n"
		"  -a             as text, up to its end\n"
		"  -x             without the text on the right\n"
		"  -N             words in network byte order\n"
		"  -R             the word at ADDRESS is the last of COUNT, not the first\n"
		"  -o OFFSET      added to ADDRESS\n"
		"  -e END         up to this address\n"
		"  -r FILE        COUNT bytes into this file, as they are; zeros for what is missing\n"
		"Words that the dump lacks are shown as ????, whole lines with the reason.\n"
		"Examples: rd jiffies | rd -s sys_call_table 8 | rd -a linux_banner | rd -p 0x1000 8\n"
		"          rd -R -s init_task 16 | rd -r /tmp/task init_task 0x2000",
	.run = run_rd,
};
