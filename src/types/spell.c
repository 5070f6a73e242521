// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Types as C spells them. C's declarators are inside out: walking from the outer type inwards, a
 * pointer goes before what there is already, an array or a parameter list behind it, and a pointer
 * to one of these needs parentheses. What is left at the end is the base type.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "types/source.h"

/* Longer declarators than this are cut: only a corrupt blob has them. */
#define DECLARATOR_MAX  2048
#define PARAMETER_DEPTH 4

static void declare(struct type type, const char *name, unsigned depth, struct strbuf *out);

static void prepend(struct strbuf *sb, const char *text)
{
	auto_free char *old = xstrdup(strbuf_text(sb));

	strbuf_clear(sb);
	strbuf_add(sb, text);
	strbuf_add(sb, old);
}

static void add_parameters(struct type type, const struct type_info *info, unsigned depth,
			   struct strbuf *out)
{
	struct raw_member param;

	strbuf_add_char(out, '(');
	if (depth >= PARAMETER_DEPTH) {
		strbuf_add(out, "...)");
		return;
	}
	for (unsigned i = 0; i < info->count; i++) {
		if (i)
			strbuf_add(out, ", ");
		if (out->len > DECLARATOR_MAX || !type_raw_member(type, i, &param)) {
			strbuf_add(out, "...");
			break;
		}
		/* A last parameter of type void stands for "...". */
		if (type_kind(param.type) == TYPE_VOID)
			strbuf_add(out, "...");
		else
			declare(param.type, param.name, depth + 1, out);
	}
	strbuf_add(out, info->count ? ")" : "void)");
}

#define BIT(q) (1u << (q))

static void qualifier_words(unsigned qualifiers, struct strbuf *out)
{
	if (qualifiers & BIT(QUALIFIER_CONST))
		strbuf_add(out, "const ");
	if (qualifiers & BIT(QUALIFIER_VOLATILE))
		strbuf_add(out, "volatile ");
	if (qualifiers & BIT(QUALIFIER_RESTRICT))
		strbuf_add(out, "restrict ");
}

static void add_pointer(unsigned qualifiers, struct strbuf *declarator)
{
	auto_strbuf star = { 0 };

	strbuf_add_char(&star, '*');
	qualifier_words(qualifiers, &star);
	/* "*const" without anything behind it needs no blank. */
	if (!declarator->len && star.data[star.len - 1] == ' ')
		star.data[--star.len] = '\0';
	prepend(declarator, strbuf_text(&star));
}

static struct type split(struct type type, const char *name, unsigned depth, struct strbuf *prefix,
			 struct strbuf *declarator)
{
	enum type_kind last = TYPE_NONE;
	unsigned qualifiers = 0;
	struct type_info info;

	strbuf_add(declarator, name);
	for (int i = 0; i < TYPE_CHAIN_MAX && declarator->len < DECLARATOR_MAX; i++) {
		if (!type_describe(type, &info))
			return (struct type){ 0 };
		if (info.kind == TYPE_QUALIFIER) {
			qualifiers |= BIT(info.qualifier);
			type = info.target;
			continue;
		}
		if ((info.kind == TYPE_ARRAY || info.kind == TYPE_FUNCTION) &&
		    last == TYPE_POINTER) {
			prepend(declarator, "(");
			strbuf_add_char(declarator, ')');
		}
		if (info.kind == TYPE_POINTER) {
			add_pointer(qualifiers, declarator);
			qualifiers = 0;
		} else if (info.kind == TYPE_ARRAY && info.length) {
			strbuf_addf(declarator, "[%llu]", (unsigned long long)info.length);
		} else if (info.kind == TYPE_ARRAY) {
			strbuf_add(declarator, "[]");
		} else if (info.kind == TYPE_FUNCTION) {
			add_parameters(type, &info, depth, declarator);
		} else {
			qualifier_words(qualifiers, prefix);
			return type;
		}
		last = info.kind;
		type = info.target;
	}
	return (struct type){ 0 };
}

struct type type_declarator(struct type type, const char *name, struct strbuf *prefix,
			    struct strbuf *declarator)
{
	return split(type, name, 0, prefix, declarator);
}

/* BTF has gcc's spelling of integer types (and clang's); this is how people write them. */
static const char *usual_spelling(const char *name)
{
	static const char *const usual[][2] = {
		{ "long unsigned int", "unsigned long" },
		{ "long int", "long" },
		{ "long long unsigned int", "unsigned long long" },
		{ "long long int", "long long" },
		{ "short unsigned int", "unsigned short" },
		{ "short int", "short" },
		{ "__int128 unsigned", "unsigned __int128" },
	};
	for (size_t i = 0; i < array_size(usual); i++) {
		if (strcmp(name, usual[i][0]) == 0)
			return usual[i][1];
	}
	return name;
}

void type_base_name(struct type base, struct strbuf *out)
{
	struct type_info info;

	if (!type_describe(base, &info)) {
		strbuf_add_char(out, '?');
		return;
	}
	const char *tag = info.kind == TYPE_STRUCT  ? "struct "
			  : info.kind == TYPE_UNION ? "union "
			  : info.kind == TYPE_ENUM  ? "enum "
						    : "";
	if (info.kind == TYPE_VOID)
		strbuf_add(out, "void");
	else
		strbuf_addf(out, "%s%s", tag, *info.name ? usual_spelling(info.name) : "{...}");
}

static void declare(struct type type, const char *name, unsigned depth, struct strbuf *out)
{
	auto_strbuf declarator = { 0 };

	struct type base = split(type, name, depth, out, &declarator);
	type_base_name(base, out);
	if (declarator.len)
		strbuf_addf(out, " %s", declarator.data);
}

void type_declare(struct type type, const char *name, struct strbuf *out)
{
	declare(type, name, 0, out);
}

void type_spell(struct type type, char *buf, size_t size)
{
	auto_strbuf out = { 0 };

	declare(type, "", 0, &out);
	snprintf(buf, size, "%s", strbuf_text(&out));
}
