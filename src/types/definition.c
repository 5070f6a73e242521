// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Definitions as C, in the manner of crash's `struct`: members in order, anonymous structs and
 * unions opened in place, the size at the end; with offsets in front of each member when asked.
 */
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "types/source.h"

#define DEFINITION_TEXT_MAX (1u << 20)
#define ENUMERATORS_MAX     65536

struct definer {
	struct strbuf *out;
	bool offsets;
	uint64_t base;
	int width; /* of the column of offsets */
};

static void define_members(struct definer *d, struct type type, uint64_t start, unsigned level);

static void indent(struct definer *d, unsigned level)
{
	strbuf_addf(d->out, "%*s", (int)(4 * level), "");
}

/* The column of offsets of a line that has none, then the indentation. */
static void start_line(struct definer *d, unsigned level)
{
	/* The column takes the place of the first level's blanks. */
	if (d->offsets)
		strbuf_addf(d->out, "%*s", d->width - 3, "");
	indent(d, level);
}

static void start_member(struct definer *d, uint64_t offset, unsigned level)
{
	char column[32];

	if (!d->offsets) {
		indent(d, level);
		return;
	}
	snprintf(column, sizeof(column), "[0x%llx]", (unsigned long long)(d->base + offset));
	strbuf_addf(d->out, "%*s %*s", d->width, column, (int)(4 * (level - 1)), "");
}

static void define_enumerators(struct definer *d, struct type type, unsigned level)
{
	const char *name;
	int64_t value;

	for (unsigned i = 0; i < ENUMERATORS_MAX && type_enumerator_at(type, i, &name, &value) &&
			     d->out->len < DEFINITION_TEXT_MAX;
	     i++) {
		start_line(d, level);
		strbuf_addf(d->out, "%s = %lld,\n", name, (long long)value);
	}
}

static const char *keyword(enum type_kind kind)
{
	return kind == TYPE_STRUCT ? "struct" : kind == TYPE_UNION ? "union" : "enum";
}

/* A struct, union or enum without a name must be opened: there is no other way to see it. */
static bool opens(struct type base, struct type_info *info)
{
	return type_describe(base, info) && !*info->name && !info->incomplete &&
	       (info->kind == TYPE_STRUCT || info->kind == TYPE_UNION || info->kind == TYPE_ENUM);
}

static void define_member(struct definer *d, const struct member *member, uint64_t start,
			  unsigned level)
{
	auto_strbuf prefix = { 0 };
	auto_strbuf declarator = { 0 };
	struct type_info info;

	struct type base = type_declarator(member->type, member->name, &prefix, &declarator);
	if (opens(base, &info) && level < TYPE_NESTING_MAX) {
		start_line(d, level);
		strbuf_addf(d->out, "%s%s {\n", strbuf_text(&prefix), keyword(info.kind));
		if (info.kind == TYPE_ENUM)
			define_enumerators(d, base, level + 1);
		else
			define_members(d, base, start + member->offset, level + 1);
		/* What has a name is a member itself, and has an offset. */
		if (*member->name)
			start_member(d, start + member->offset, level);
		else
			start_line(d, level);
		strbuf_add_char(d->out, '}');
	} else {
		start_member(d, start + member->offset, level);
		strbuf_add(d->out, strbuf_text(&prefix));
		type_base_name(base, d->out);
	}
	if (declarator.len)
		strbuf_addf(d->out, " %s", declarator.data);
	if (member->bit_size)
		strbuf_addf(d->out, " : %u", member->bit_size);
	strbuf_add(d->out, ";\n");
}

static void define_members(struct definer *d, struct type type, uint64_t start, unsigned level)
{
	struct member member;

	for (unsigned i = 0; type_member_at(type, i, &member); i++) {
		if (d->out->len > DEFINITION_TEXT_MAX) {
			strbuf_add(d->out, "...\n");
			return;
		}
		define_member(d, &member, start, level);
	}
}

/* "struct x { ... }" and what follows the brace. */
static void define_compound(struct definer *d, struct type type, const struct type_info *info,
			    const char *after)
{
	char text[32];

	if (info->incomplete) {
		strbuf_addf(d->out, "%s %s;  /* only the name is known */\n", keyword(info->kind),
			    info->name);
		return;
	}
	snprintf(text, sizeof(text), "[0x%llx]", (unsigned long long)(d->base + info->size));
	d->width = (int)strlen(text) + 3;
	strbuf_addf(d->out, "%s%s%s {\n", keyword(info->kind), *info->name ? " " : "", info->name);
	if (info->kind == TYPE_ENUM)
		define_enumerators(d, type, 1);
	else
		define_members(d, type, 0, 1);
	strbuf_addf(d->out, "}%s\n", after);
}

/* Everything that is not a struct, union or enum, or only another name for one. */
static void define_other(struct definer *d, struct type type, const struct type_info *info)
{
	bool is_typedef = info->kind == TYPE_TYPEDEF;
	auto_strbuf prefix = { 0 };
	auto_strbuf declarator = { 0 };
	struct type_info base_info;

	struct type base = type_declarator(is_typedef ? info->target : type,
					   is_typedef ? info->name : "", &prefix, &declarator);
	strbuf_addf(d->out, "%s%s", is_typedef ? "typedef " : "", strbuf_text(&prefix));
	if (is_typedef && opens(base, &base_info)) {
		auto_strbuf after = { 0 };
		strbuf_addf(&after, " %s;", strbuf_text(&declarator));
		d->offsets = d->offsets && base_info.kind != TYPE_ENUM;
		define_compound(d, base, &base_info, after.data);
		return;
	}
	type_base_name(base, d->out);
	if (declarator.len)
		strbuf_addf(d->out, " %s", declarator.data);
	strbuf_add(d->out, is_typedef ? ";\n" : "\n");
}

static void define(struct type type, bool offsets, uint64_t base, struct strbuf *out)
{
	struct definer d = { .out = out, .offsets = offsets, .base = base };
	struct type_info info;

	if (!type_describe(type, &info))
		return;
	if (info.kind == TYPE_ENUM)
		d.offsets = false;
	if (info.kind == TYPE_STRUCT || info.kind == TYPE_UNION || info.kind == TYPE_ENUM)
		define_compound(&d, type, &info, "");
	else
		define_other(&d, type, &info);
	strbuf_addf(out, "SIZE: 0x%llx\n", (unsigned long long)type_size(type));
}

void type_format_definition(struct type type, bool offsets, struct strbuf *out)
{
	define(type, offsets, 0, out);
}

void type_format_layout(struct type type, uint64_t base, struct strbuf *out)
{
	define(type, true, base, out);
}
