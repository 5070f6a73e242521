// SPDX-License-Identifier: LGPL-2.1-or-later
/* eval: a calculator. A C expression whose literals have 64 bits, its value in four notations. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "commands/args.h"
#include "commands/expression.h"
#include "commands/table.h"

static void binary_digits(uint64_t n, char digits[65])
{
	for (unsigned i = 0; i < 64; i++)
		digits[i] = n >> (63 - i) & 1 ? '1' : '0';
	digits[64] = '\0';
}

/* "128MB" for what is a whole number of them. */
static void size_text(uint64_t n, char *buf, size_t size)
{
	static const struct {
		unsigned shift;
		const char *unit;
	} units[] = { { 40, "TB" }, { 30, "GB" }, { 20, "MB" }, { 10, "KB" } };

	buf[0] = '\0';
	for (size_t i = 0; n && i < array_size(units); i++) {
		if (n & ((UINT64_C(1) << units[i].shift) - 1) || n >> units[i].shift >= 1 << 20)
			continue;
		snprintf(buf, size, "  (%" PRIu64 "%s)", n >> units[i].shift, units[i].unit);
		return;
	}
}

static void add_bits(struct doc *doc, uint64_t n)
{
	struct cell bits[64];
	auto_strbuf text = { 0 };
	size_t count = 0;

	for (unsigned i = 64; i-- > 0;) {
		if (!(n >> i & 1))
			continue;
		strbuf_addf(&text, "%s%u", count ? " " : "", i);
		bits[count++] = cell_udec(i);
	}
	doc_field(doc, "bits", "bits set",
		  cell_shown(cell_of_list(&(struct cell_list){ bits, count }),
			     strbuf_text(&text)));
}

static void show(struct doc *doc, const char *text, uint64_t n, bool bits)
{
	char hex[64], decimal[64], octal[32], binary[65], size[32];

	binary_digits(n, binary);
	size_text(n, size, sizeof(size));
	snprintf(hex, sizeof(hex), "%" PRIx64 "%s", n, size);
	if ((int64_t)n < 0)
		snprintf(decimal, sizeof(decimal), "%" PRIu64 "  (%" PRId64 ")", n, (int64_t)n);
	else
		snprintf(decimal, sizeof(decimal), "%" PRIu64, n);
	snprintf(octal, sizeof(octal), "%" PRIo64, n);
	doc_record(doc, "eval", NULL);
	doc_field(doc, "expression", NULL, cell_str(text));
	doc_field(doc, "hexadecimal", "hexadecimal", cell_shown(cell_hex(n), hex));
	doc_field(doc, "decimal", "decimal", cell_shown(cell_dec((int64_t)n), decimal));
	doc_field(doc, "unsigned", NULL, cell_udec(n));
	doc_field(doc, "octal", "octal", cell_str(octal));
	doc_field(doc, "binary", "binary", cell_str(binary));
	if (bits)
		add_bits(doc, n);
	doc_end(doc);
}

/* "-b", "-l" in front; a number may be negative. */
static void take_options(const char **s, bool *bits)
{
	for (;;) {
		*s += strspn(*s, " \t");
		if ((*s)[0] != '-' || !strchr("bl", (*s)[1]) || !(*s)[1] ||
		    !isspace((unsigned char)(*s)[2]))
			return;
		*bits |= (*s)[1] == 'b';
		*s += 2;
	}
}

/* "symbol", "symbol+8": from its address, as everywhere in crash but in p. @s moves behind it. */
static uint64_t take_symbol(struct session *session, const char **s)
{
	size_t length = strspn(*s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789:");
	const char *behind = *s + length + strspn(*s + length, " \t");
	struct symbol symbol;

	if (!length || isdigit((unsigned char)**s) || (*behind && !strchr("+-", *behind)) ||
	    !session->symbols)
		return 0;
	auto_free char *name = xstrndup(*s, length);
	if (!symbols_by_name(session->symbols, name, &symbol))
		return 0;
	*s = behind;
	return symbol.address;
}

static struct error *calculate(struct expression *x, const char *text, struct doc *doc,
			       uint64_t *n)
{
	struct value value;

	*n = take_symbol(x->session, &text);
	if (!*text)
		return NULL;
	struct error *err = expression_parse(x, text);
	if (!err && expr_cpu_list(x->expr))
		err = error_new(ERROR_USAGE, "one CPU is enough for a number");
	if (!err)
		err = expression_eval(x, &value);
	uint64_t number = 0;
	if (!err)
		err = value_number(&x->env.value, &value, &number);
	*n += number;
	if (err && x->at != SIZE_MAX)
		expression_show_error(x, text, doc);
	return err;
}

static struct error *run_eval(struct command_args *args)
{
	struct expression x;
	const char *s = args->rest;
	bool bits = false;
	uint64_t n;

	take_options(&s, &bits);
	if (!*s)
		return error_new(ERROR_USAGE, "which expression?");
	expression_init(&x, args->session);
	x.env.bare_hex = true;
	x.env.value.wide = true;
	struct error *err = calculate(&x, s, args->doc, &n);
	if (!err)
		show(args->doc, s, n, bits);
	else if (err->code != ERROR_MISSING)
		err->code = ERROR_NOT_FOUND;
	expression_deinit(&x);
	return err;
}

const struct command command_eval = {
	.name = "eval",
	.usage = "[-b] [-l] EXPRESSION",
	.summary = "a calculator: hexadecimal, decimal, octal, binary",
	.help = "A C expression of 64-bit numbers. Words of 8 and more hexadecimal digits need no 0x,\n"
		"sizes may have a unit (4k, 2m, 1g), and a symbol at the start is its address.\n"
		"  -b  the numbers of the bits that are set\n"
		"  -l  64-bit numbers, which all are\n"
		"Examples: eval 128m | eval -b 0x1234 | eval (1 << 40) + 4k | eval jiffies + 8",
	.takes_line = true,
	.run = run_eval,
};
