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

/* "-b", "-l", "-lb" in front; a number may be negative. */
static void take_options(const char **s, bool *bits)
{
	for (;;) {
		*s += strspn(*s, " \t");
		size_t length = **s == '-' ? strspn(*s + 1, "bl") : 0;
		if (!length || !isspace((unsigned char)(*s)[length + 1]))
			return;
		for (size_t i = 1; i <= length; i++)
			*bits |= (*s)[i] == 'b';
		*s += length + 1;
	}
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Are the @length letters at @s a hexadecimal number that nobody takes for anything else? */
static bool is_bare_hex(const char *s, size_t length)
{
	bool letters = false;

	for (size_t i = 0; i < length; i++) {
		if (!isxdigit((unsigned char)s[i]))
			return false;
		letters = letters || isalpha((unsigned char)s[i]);
	}
	return letters && length <= 16;
}

/* What a text has had so far, as far as it tells what the next name means. */
struct written {
	char before;      /* the last character that is no blank; see sees_mark() */
	bool tagged;      /* behind struct, union, sizeof ... */
	bool may_be_cast; /* since the last "(" nothing but what can name a type */
};

static bool is_value_end(char before)
{
	return is_name(before) || (before && strchr(")]'", before));
}

/*
 * Notes a character that is in no name. "->" counts as ".", a "*" or "&" of two values as "+", and
 * the ")" of a cast as the "(" of it: a value still follows.
 */
static void sees_mark(struct written *w, const char *s, bool first)
{
	bool doubled = *s == '&' && w->before == '+' && !first && s[-1] == '&';

	w->tagged = w->tagged && (*s == '(' || isspace((unsigned char)*s));
	if (isspace((unsigned char)*s))
		return;
	if (*s == '(')
		w->may_be_cast = !w->tagged;
	if (*s == '>' && w->before == '-')
		w->before = '.';
	else if (strchr("*&", *s) && (doubled || is_value_end(w->before)))
		w->before = '+';
	else
		w->before = *s == ')' && w->may_be_cast ? '(' : *s;
	if (!strchr("(*", *s))
		w->may_be_cast = false;
}

/* May the name that ends before @behind stand for its address? @of_cpu: a ":" touches its start. */
static bool stands_alone(char before, bool of_cpu, const char *behind)
{
	if (of_cpu || *behind == ':' || (before && strchr(".&*$'\"", before)))
		return false;
	behind += strspn(behind, " \t");
	return !*behind || !(strchr(".[(", *behind) || starts_with(behind, "->"));
}

/*
 * The text with crash's abbreviations written out: hexadecimal numbers without 0x, and symbols
 * for their addresses, wherever a name is not part of something that C knows better.
 */
static char *write_out(struct session *session, struct arena *arena, const char *text)
{
	auto_strbuf out = { 0 };
	struct written w = { .before = '\0' };
	struct symbol symbol;

	for (const char *s = text; *s;) {
		size_t length = 0;
		while (is_name(s[length]))
			length++;
		if (!length) {
			sees_mark(&w, s, s == text);
			strbuf_add_char(&out, *s++);
			continue;
		}
		auto_free char *word = xstrndup(s, length);
		bool of_cpu = s > text && s[-1] == ':';
		bool alone = !w.tagged && stands_alone(w.before, of_cpu, s + length);
		bool is_symbol = alone && !isdigit((unsigned char)*s) && session->symbols &&
				 symbols_by_name(session->symbols, word, &symbol);
		bool is_hex = alone && !is_symbol && is_bare_hex(s, length);
		if (is_symbol)
			strbuf_addf(&out, "0x%" PRIx64, symbol.address);
		else
			strbuf_addf(&out, "%s%s", is_hex ? "0x" : "", word);
		w.tagged = strcmp(word, "struct") == 0 || strcmp(word, "union") == 0 ||
			   strcmp(word, "enum") == 0 || strcmp(word, "sizeof") == 0;
		if (is_symbol || is_hex || isdigit((unsigned char)*s))
			w.may_be_cast = false;
		w.before = 'a';
		s += length;
	}
	return arena_strdup(arena, strbuf_text(&out));
}

static struct error *calculate(struct expression *x, const char *text, struct doc *doc,
			       uint64_t *n)
{
	struct value value;

	struct error *err = expression_parse(x, text);
	if (!err && expr_cpu_list(x->expr))
		err = error_new(ERROR_USAGE, "one CPU is enough for a number");
	if (!err)
		err = expression_eval(x, &value);
	*n = 0;
	if (!err)
		err = value_number(&x->env.value, &value, n);
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
	struct error *err = calculate(&x, write_out(args->session, &args->doc->arena, s), args->doc,
				      &n);
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
	.help = "A C expression of 64-bit numbers. Hexadecimal numbers with a letter in them need no 0x,\n"
		"sizes may have a unit (4k, 2m, 1g), and a symbol is its address.\n"
		"  -b  the numbers of the bits that are set\n"
		"  -l  64-bit numbers, which all are\n"
		"Examples: eval 128m | eval -b 0x1234 | eval (1 << 40) + 4k | eval jiffies + 8\n"
		"Example: eval -lb 41dc065",
	.takes_line = true,
	.run = run_eval,
};
