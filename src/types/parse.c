// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Type expressions: qualifiers (ignored), a tag and a name or the words of an integer type in any
 * order, then stars, then dimensions. Integer types come out as the compiler names them in BTF.
 */
#include "types/parse.h"

#include <stdio.h>
#include <string.h>

enum word {
	WORD_UNSIGNED = 1 << 0,
	WORD_SIGNED = 1 << 1,
	WORD_LONG = 1 << 2,
	WORD_LONG_LONG = 1 << 3,
	WORD_SHORT = 1 << 4,
	WORD_INT = 1 << 5,
	WORD_CHAR = 1 << 6,
	WORD_INT128 = 1 << 7,
};

static const struct {
	const char *text;
	unsigned word;
} words[] = {
	{ "unsigned", WORD_UNSIGNED }, { "signed", WORD_SIGNED }, { "long", WORD_LONG },
	{ "short", WORD_SHORT },       { "int", WORD_INT },       { "char", WORD_CHAR },
	{ "__int128", WORD_INT128 },
};

/* What the words, without a superfluous int or signed, are called by gcc and by clang. */
static const struct {
	unsigned words;
	const char *gcc, *clang;
} spellings[] = {
	{ WORD_INT, "int", NULL },
	{ WORD_UNSIGNED, "unsigned int", NULL },
	{ WORD_LONG, "long int", "long" },
	{ WORD_LONG | WORD_UNSIGNED, "long unsigned int", "unsigned long" },
	{ WORD_LONG_LONG, "long long int", "long long" },
	{ WORD_LONG_LONG | WORD_UNSIGNED, "long long unsigned int", "unsigned long long" },
	{ WORD_SHORT, "short int", "short" },
	{ WORD_SHORT | WORD_UNSIGNED, "short unsigned int", "unsigned short" },
	{ WORD_CHAR, "char", NULL },
	{ WORD_CHAR | WORD_UNSIGNED, "unsigned char", NULL },
	{ WORD_CHAR | WORD_SIGNED, "signed char", NULL },
	{ WORD_INT128, "__int128", NULL },
	{ WORD_INT128 | WORD_UNSIGNED, "__int128 unsigned", "unsigned __int128" },
};

static bool is_name_char(char c)
{
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9');
}

static const char *skip_blanks(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

static bool spell_integer(unsigned set, struct type_expression *e)
{
	if (set & ~(unsigned)(WORD_INT | WORD_SIGNED))
		set &= ~(unsigned)WORD_INT;
	if (!(set & WORD_CHAR))
		set &= ~(unsigned)WORD_SIGNED;
	if (!set)
		set = WORD_INT;
	for (size_t i = 0; i < array_size(spellings); i++) {
		if (spellings[i].words == set) {
			snprintf(e->name, sizeof(e->name), "%s", spellings[i].gcc);
			e->other_name = spellings[i].clang;
			return true;
		}
	}
	return false;
}

static bool is_word(const char *p, size_t length, const char *word)
{
	return strlen(word) == length && memcmp(p, word, length) == 0;
}

static bool is_qualifier(const char *p, size_t length)
{
	return is_word(p, length, "const") || is_word(p, length, "volatile") ||
	       is_word(p, length, "restrict");
}

/* One word of the base; false when it does not fit what was before. */
static bool take_word(const char *p, size_t length, unsigned *set, struct type_expression *e)
{
	static const struct {
		const char *text;
		enum type_tag tag;
	} tags[] = { { "struct", TAG_STRUCT }, { "union", TAG_UNION }, { "enum", TAG_ENUM } };

	if (is_qualifier(p, length))
		return true;
	if (e->name[0])
		return false;
	for (size_t i = 0; i < array_size(tags); i++) {
		if (is_word(p, length, tags[i].text)) {
			if (e->tag != TAG_NONE || *set)
				return false;
			e->tag = tags[i].tag;
			return true;
		}
	}
	if (e->tag == TAG_NONE && is_word(p, length, "void") && !*set) {
		e->tag = TAG_VOID;
		snprintf(e->name, sizeof(e->name), "void");
		return true;
	}
	for (size_t i = 0; i < array_size(words) && e->tag == TAG_NONE; i++) {
		if (!is_word(p, length, words[i].text))
			continue;
		unsigned word = words[i].word;
		if (word == WORD_LONG && *set & WORD_LONG) {
			*set &= ~(unsigned)WORD_LONG;
			word = WORD_LONG_LONG;
		}
		if (*set & word)
			return false;
		*set |= word;
		return true;
	}
	if (*set || length >= sizeof(e->name))
		return false;
	memcpy(e->name, p, length);
	e->name[length] = '\0';
	return true;
}

static bool take_dimension(const char **at, struct type_expression *e)
{
	const char *p = skip_blanks(*at + 1);
	uint64_t length = 0;

	if (e->dimensions == TYPE_DIMENSIONS_MAX)
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (length > UINT32_MAX)
			return false;
		length = length * 10 + (uint64_t)(*p - '0');
	}
	p = skip_blanks(p);
	if (*p != ']')
		return false;
	e->length[e->dimensions++] = length;
	*at = p + 1;
	return true;
}

bool type_expression_parse(const char *p, struct type_expression *e)
{
	unsigned set = 0;

	*e = (struct type_expression){ 0 };
	for (p = skip_blanks(p); is_name_char(*p); p = skip_blanks(p)) {
		const char *word = p;
		while (is_name_char(*p))
			p++;
		if (!take_word(word, (size_t)(p - word), &set, e))
			return false;
	}
	if (set && (e->name[0] || !spell_integer(set, e)))
		return false;
	if (!e->name[0])
		return false;
	for (; *p == '*' || is_name_char(*p); p = skip_blanks(p)) {
		const char *word = p;
		if (*p == '*') {
			p++;
			if (e->pointers++ == TYPE_POINTERS_MAX)
				return false;
			continue;
		}
		while (is_name_char(*p))
			p++;
		if (!is_qualifier(word, (size_t)(p - word)))
			return false;
	}
	while (*p == '[') {
		if (!take_dimension(&p, e))
			return false;
		p = skip_blanks(p);
	}
	return !*p;
}
