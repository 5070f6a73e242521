// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An expression's words. Numbers have the types that C gives them (C17 6.4.4.1): the first of int,
 * unsigned (not for decimal ones), long, unsigned long that holds it.
 */
#include <ctype.h>
#include <string.h>

#include "base/strbuf.h"
#include "types/expr_node.h"
#include "types/source.h"

static bool is_name_char(char c)
{
	return c == '_' || c == '$' || isalnum((unsigned char)c);
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

/* --- Numbers --- */

static bool is_bare_hex(const char *word, size_t length)
{
	size_t i;

	for (i = 0; i < length && digit_of(word[i]) < 16; i++)
		;
	return i == length && length >= 8 && length <= 16;
}

static struct type number_type(uint64_t n, bool decimal, bool is_long, bool is_unsigned)
{
	if (!is_long && n <= (is_unsigned || !decimal ? UINT32_MAX : INT32_MAX))
		return basic_type(is_unsigned || n > INT32_MAX ? BASIC_UINT : BASIC_INT);
	return basic_type(is_unsigned || n > INT64_MAX ? BASIC_ULONG : BASIC_LONG);
}

/* u, l, ll in any order, once each. */
static bool take_suffix(const char *s, size_t length, bool *is_long, bool *is_unsigned)
{
	for (size_t i = 0; i < length; i++) {
		if ((s[i] == 'u' || s[i] == 'U') && !*is_unsigned) {
			*is_unsigned = true;
		} else if ((s[i] == 'l' || s[i] == 'L') && !*is_long) {
			*is_long = true;
			i += i + 1 < length && s[i + 1] == s[i];
		} else {
			return false;
		}
	}
	return true;
}

/* Sizes in a calculator: 4k, 2M, 1G. */
static bool take_unit(const char *s, size_t length, uint64_t *n)
{
	static const struct {
		char unit;
		unsigned shift;
	} units[] = { { 'k', 10 }, { 'm', 20 }, { 'g', 30 }, { 't', 40 } };

	for (size_t i = 0; length == 1 && i < array_size(units); i++) {
		if (tolower((unsigned char)*s) == units[i].unit &&
		    *n <= UINT64_MAX >> units[i].shift) {
			*n <<= units[i].shift;
			return true;
		}
	}
	return false;
}

static struct error *lex_number(const char *word, size_t length, const struct expr_env *env,
				struct token *token)
{
	bool is_long = env->value.wide, is_unsigned = false, hex = false;
	unsigned base = 10;
	size_t i = 0, start;

	if (word[0] == '0' && length > 1 && (word[1] == 'x' || word[1] == 'X')) {
		hex = true;
		base = 16;
		i = 2;
	} else if (word[0] == '0' && length > 1 && digit_of(word[1]) < 10) {
		base = 8;
		i = 1;
	}
	start = i;
	token->number = 0;
	for (; i < length && digit_of(word[i]) < (int)base; i++) {
		if (__builtin_mul_overflow(token->number, base, &token->number) ||
		    __builtin_add_overflow(token->number, (unsigned)digit_of(word[i]),
					   &token->number))
			return error_new(ERROR_USAGE, "%.*s has more than 64 bits", (int)length,
					 word);
	}
	bool digits = i > start;
	if (!digits || (!take_suffix(word + i, length - i, &is_long, &is_unsigned) &&
			!(env->value.wide && take_unit(word + i, length - i, &token->number)))) {
		if (!hex && is_bare_hex(word, length))
			return error_new(ERROR_USAGE, "%.*s is no number: did you mean 0x%.*s?",
					 (int)length, word, (int)length, word);
		return error_new(ERROR_USAGE, "%.*s is no number", (int)min_u64(length, 64), word);
	}
	token->kind = TOKEN_NUMBER;
	token->type = number_type(token->number, base == 10, is_long, is_unsigned);
	return NULL;
}

/* Numbers and names. */
static struct error *lex_word(const char *word, const struct expr_env *env, struct arena *arena,
			      struct token *token)
{
	size_t length = 0;

	while (is_name_char(word[length]))
		length++;
	token->end = token->at + length;
	if (env->bare_hex && is_bare_hex(word, length)) {
		token->kind = TOKEN_NUMBER;
		token->number = 0;
		for (size_t i = 0; i < length; i++)
			token->number = token->number << 4 | (unsigned)digit_of(word[i]);
		token->type = basic_type(BASIC_ULONG);
		return NULL;
	}
	if (isdigit((unsigned char)*word))
		return lex_number(word, length, env, token);
	token->kind = TOKEN_NAME;
	token->text = arena_strndup(arena, word, length);
	token->length = length;
	return NULL;
}

/* --- Characters and strings --- */

/* The character behind a backslash at *@s, or the plain one there. */
static bool take_char(const char **s, char *c)
{
	static const char escapes[][2] = { { 'n', '\n' }, { 't', '\t' }, { 'r', '\r' },
					   { 'a', '\a' }, { 'b', '\b' }, { 'f', '\f' },
					   { 'v', '\v' }, { 'e', 27 } };
	unsigned value = 0, digits = 0;

	if (*(*s) != '\\') {
		*c = *(*s)++;
		return true;
	}
	++*s;
	if (**s == 'x') {
		for (++*s; digit_of(**s) < 16 && digits < 2; digits++)
			value = value * 16 + (unsigned)digit_of(*(*s)++);
		*c = (char)value;
		return digits > 0;
	}
	for (; digit_of(**s) < 8 && digits < 3; digits++)
		value = value * 8 + (unsigned)digit_of(*(*s)++);
	if (digits) {
		*c = (char)value;
		return value < 256;
	}
	for (size_t i = 0; i < array_size(escapes); i++) {
		if (**s == escapes[i][0]) {
			*c = escapes[i][1];
			++*s;
			return true;
		}
	}
	*c = **s;
	*s += **s != '\0';
	return *c != '\0';
}

static struct error *lex_quoted(const char *text, struct arena *arena, struct token *token)
{
	const char *s = text + 1;
	auto_strbuf out = { 0 };
	char c;

	while (*s && *s != *text) {
		if (!take_char(&s, &c))
			return error_new(ERROR_USAGE, "this is no character");
		strbuf_add_char(&out, c);
	}
	if (!*s)
		return error_new(ERROR_USAGE, "the quote %c is not closed", *text);
	token->end = token->at + (size_t)(s + 1 - text);
	token->length = out.len;
	if (*text == '"') {
		token->kind = TOKEN_STRING;
		token->text = arena_zalloc(arena, out.len + 1);
		if (out.len)
			memcpy(token->text, out.data, out.len);
		return NULL;
	}
	if (out.len != 1)
		return error_new(ERROR_USAGE, "one character belongs between single quotes");
	token->kind = TOKEN_CHAR;
	token->number = (uint64_t)(int64_t)out.data[0];
	token->type = basic_type(BASIC_CHAR);
	return NULL;
}

/* --- Operators --- */

static struct error *lex_operator(const char *text, struct token *token)
{
	static const char doubles[][3] = { "->", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||",
					   "++", "--", "+=", "-=", "*=", "/=", "%=", "&=", "|=",
					   "^=", "=~" };

	token->kind = TOKEN_OPERATOR;
	for (size_t i = 0; i < array_size(doubles); i++) {
		if (strncmp(text, doubles[i], 2) == 0) {
			token->op = TWO(text[0], text[1]);
			token->end = token->at + 2;
			return NULL;
		}
	}
	if (!strchr("()[].*&-+~!/%<>^|?:,=@", *text)) {
		if (isprint((unsigned char)*text))
			return error_new(ERROR_USAGE, "'%c' means nothing in C", *text);
		return error_new(ERROR_USAGE, "byte 0x%02x means nothing in C",
				 (unsigned char)*text);
	}
	token->op = (unsigned char)*text;
	token->end = token->at + 1;
	return NULL;
}

struct error *expr_lex(const char *text, const struct expr_env *env, struct arena *arena,
		       size_t *at, struct token *token)
{
	struct error *err;
	size_t start = *at;

	while (isspace((unsigned char)text[*at]))
		++*at;
	*token = (struct token){ .at = *at, .end = *at, .joined = *at == start };
	if (!text[*at])
		return NULL;
	if (is_name_char(text[*at]))
		err = lex_word(text + *at, env, arena, token);
	else if (text[*at] == '"' || text[*at] == '\'')
		err = lex_quoted(text + *at, arena, token);
	else
		err = lex_operator(text + *at, token);
	if (!err)
		*at = token->end;
	return err;
}
