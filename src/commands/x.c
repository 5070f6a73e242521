// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * x: memory as gdb's x/NFU shows it: how many, in which format, in units of which size. Text is
 * laid out as gdb lays it out: up to eight units a line, four of four bytes, two of eight; strings
 * and instructions one a line.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/strbuf.h"
#include "code/code.h"
#include "commands/args.h"
#include "commands/expression.h"
#include "commands/table.h"
#include "commands/typed.h"

enum { COUNT_MAX = 1 << 20, STRING_MAX = 201 };

static const struct column x_columns[] = {
	{ .key = "address", .title = "", .gap = 1, .style = STYLE_FAINT },
	{ .title = "", .style = STYLE_FAINT }, /* <symbol+8>: */
	{ .key = "values", .title = "" },
	{ .key = "symbol" },
	{ .key = "offset" },
};

struct examine {
	struct command_args *args;
	uint64_t count;
	char format;
	unsigned size;
	uint64_t address;
	bool hole;
};

/* --- "/8gx" --- */

static struct error *take_format(struct examine *x, const char **s)
{
	uint64_t count = 0;
	bool counted = false;

	x->count = 1;
	x->format = 'x';
	if (**s != '/')
		return NULL;
	for (++*s; isdigit((unsigned char)**s); ++*s) {
		if (count <= COUNT_MAX)
			count = count * 10 + (uint64_t)(**s - '0');
		counted = true;
	}
	if (counted)
		x->count = count;
	for (; **s && !isspace((unsigned char)**s); ++*s) {
		static const char sizes[] = "bhwg";
		const char *unit = strchr(sizes, **s);
		if (unit)
			x->size = 1u << (unit - sizes);
		else if (strchr("xduotacsiz", **s))
			x->format = **s;
		else
			return error_new(ERROR_USAGE, "%c is no format (x d u o t z a c s i) and no "
					 "size (b h w g)", **s);
	}
	if (x->count > COUNT_MAX)
		return error_new(ERROR_USAGE, "at most %d at once", COUNT_MAX);
	return NULL;
}

/* gdb's: four bytes; addresses have eight, characters and strings one. */
static void choose_size(struct examine *x)
{
	if (x->format == 'a')
		x->size = 8;
	else if (x->format == 's' || x->format == 'i' || (x->format == 'c' && !x->size))
		x->size = 1;
	else if (!x->size)
		x->size = 4;
}

/* --- Units --- */

static void add_binary(struct strbuf *out, uint64_t value, unsigned bits)
{
	while (bits--)
		strbuf_add_char(out, value >> bits & 1 ? '1' : '0');
}

static void add_char(struct strbuf *out, uint8_t c)
{
	strbuf_addf(out, "%d '", (int8_t)c);
	strbuf_add_escaped(out, c, '\'');
	strbuf_add_char(out, '\'');
}

static int64_t extended(uint64_t value, unsigned size)
{
	unsigned shift = 64 - size * 8;

	return (int64_t)(value << shift) >> shift;
}

static void add_unit(struct examine *x, uint64_t value, struct strbuf *out)
{
	char name[256];

	switch (x->format) {
	case 'd':
		strbuf_addf(out, "%" PRId64, extended(value, x->size));
		break;
	case 'u':
		strbuf_addf(out, "%" PRIu64, value);
		break;
	case 'o':
		strbuf_addf(out, value ? "0%" PRIo64 : "%" PRIo64, value);
		break;
	case 't':
		add_binary(out, value, x->size * 8);
		break;
	case 'c':
		add_char(out, (uint8_t)value);
		break;
	case 'a':
		address_name(x->args->session, value, name, sizeof(name));
		strbuf_addf(out, "0x%" PRIx64 "%s%s%s", value, *name ? " <" : "", name,
			    *name ? ">" : "");
		break;
	default:
		strbuf_addf(out, "0x%0*" PRIx64, (int)x->size * 2, value);
		break;
	}
}

static struct cell unit_cell(const struct examine *x, uint64_t value, const char *shown)
{
	if (x->format == 'c')
		return cell_shown(cell_dec((int8_t)value), shown);
	if (x->format == 'd')
		return cell_shown(cell_dec(extended(value, x->size)), shown);
	return cell_shown(x->format == 'u' ? cell_udec(value) : cell_hex(value), shown);
}

/* --- Lines --- */

static void add_row(struct examine *x, uint64_t address, const struct cell_list *values)
{
	struct doc *doc = x->args->doc;
	struct session *s = x->args->session;
	char shown[24], name[280] = "", label[300] = "";
	struct symbol symbol;

	bool known = s->symbols && symbols_by_address(s->symbols, address, &symbol);
	address_name(s, address, name, sizeof(name));
	if (*name)
		snprintf(label, sizeof(label), "<%s>:", name);
	snprintf(shown, sizeof(shown), "0x%" PRIx64 "%s", address, *name ? "" : ":");
	doc_row(doc, cell_shown(cell_address(address), shown), cell_str(label),
		cell_of_list(values), cell_str(known ? symbol.name : NULL),
		known ? cell_udec(address - symbol.address) : cell_none());
}

static void tell_hole(struct examine *x, uint64_t address, enum read_status status)
{
	x->hole = true;
	doc_remark(x->args->doc, REMARK_HOLE, "%" PRIx64 ": %s", address, read_status_text(status));
}

static bool read_unit(struct examine *x, uint64_t *value)
{
	uint8_t bytes[8] = { 0 };
	enum read_status status = memory_read(x->args->session->memory, x->address, bytes, x->size);

	if (status != READ_OK) {
		tell_hole(x, x->address, status);
		return false;
	}
	*value = load_u64(bytes);
	x->address += x->size;
	return true;
}

static void show_units(struct examine *x)
{
	unsigned most = x->size == 8 ? 2 : x->size == 4 ? 4 : 8;
	struct cell cells[8];

	while (x->count && !x->hole && !session_stopped(x->args->session)) {
		uint64_t start = x->address, value;
		unsigned n = 0;
		while (n < most && x->count && read_unit(x, &value)) {
			auto_strbuf text = { 0 };
			add_unit(x, value, &text);
			const char *shown = arena_strdup(&x->args->doc->arena, strbuf_text(&text));
			cells[n++] = unit_cell(x, value, shown);
			x->count--;
		}
		if (n)
			add_row(x, start, &(struct cell_list){ cells, n });
	}
}

static void show_strings(struct examine *x)
{
	struct memory *mem = x->args->session->memory;

	for (; x->count && !session_stopped(x->args->session); x->count--) {
		char text[STRING_MAX] = "";
		auto_strbuf shown = { 0 };
		enum read_status status = memory_string(mem, x->address, text, sizeof(text));
		if (status != READ_OK && !*text) {
			tell_hole(x, x->address, status);
			return;
		}
		size_t length = strlen(text);
		bool cut = length + 1 == sizeof(text);
		text_quote(text, &shown);
		strbuf_add(&shown, cut ? "..." : "");
		struct cell cell = cell_shown(cell_str(text), strbuf_text(&shown));
		add_row(x, x->address, &(struct cell_list){ &cell, 1 });
		/* Behind the NUL; one that was cut off goes on in the next line. */
		x->address += length + !cut;
		if (status != READ_OK) {
			tell_hole(x, x->address, status);
			return;
		}
	}
}

static void show_instructions(struct examine *x)
{
	struct session *s = x->args->session;

	for (; x->count && !session_stopped(s); x->count--) {
		uint8_t bytes[CODE_INSN_MAX];
		char text[512];
		struct insn insn;
		size_t got = memory_read_some(s->memory, x->address, bytes, sizeof(bytes));
		if (!got) {
			tell_hole(x, x->address, memory_read(s->memory, x->address, bytes, 1));
			return;
		}
		instruction_text(s, x->address, text, sizeof(text));
		struct cell cell = cell_str(text);
		add_row(x, x->address, &(struct cell_list){ &cell, 1 });
		x->address += code_decode(bytes, got, x->address, &insn) ? insn.length : 1;
	}
}

/* "init_task + 8" as "init_task+8", which counts bytes from a symbol. */
static const char *without_blanks(struct arena *arena, const char *s)
{
	char *text = arena_strdup(arena, s), *out = text;

	for (const char *in = s; *in; in++) {
		const char *next = in + strspn(in, " \t");
		bool beside = next != in && (!*next || strchr("+-", *next) ||
					    (out > text && strchr("+-", out[-1])));
		if (beside)
			in = next;
		if (!*in)
			break;
		*out++ = *in;
	}
	*out = '\0';
	return text;
}

static struct error *run_x(struct command_args *args)
{
	struct examine x = { .args = args };
	const char *s = args->rest;

	struct error *err = take_format(&x, &s);
	s += strspn(s, " \t");
	if (!err && !*s)
		err = error_new(ERROR_USAGE, "which address?");
	if (!err)
		err = parse_address(args->session, without_blanks(&args->doc->arena, s),
				    &x.address);
	if (err)
		return err;
	choose_size(&x);
	doc_table(args->doc, "memory", x_columns, array_size(x_columns));
	doc_bare(args->doc);
	if (x.format == 's')
		show_strings(&x);
	else if (x.format == 'i')
		show_instructions(&x);
	else
		show_units(&x);
	doc_end(args->doc);
	return NULL;
}

const struct command command_x = {
	.name = "x",
	.usage = "[/[COUNT][FORMAT][SIZE]] ADDRESS",
	.summary = "memory as gdb's x shows it",
	.help = "COUNT units from an address on, which may be any expression.\n"
		"  FORMAT  x hexadecimal, z the same, d decimal, u unsigned, o octal, t binary, a address\n"
		"          with its symbol, c character, s string, i instruction\n"
		"  SIZE    b 1 byte, h 2, w 4, g 8\n"
		"Without them it is one unit of four bytes in hexadecimal.\n"
		"Examples: x/8gx init_task | x/2s linux_banner | x/5i panic | x/4a $rsp",
	.takes_line = true,
	.run = run_x,
};
