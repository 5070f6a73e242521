// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * All names are looked at: a hundred thousand take a few milliseconds, as most differ too much in
 * length already. Names that no one can type are no suggestions.
 */
#include "commands/suggest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "base/strbuf.h"

enum { DEPTH_MAX = 8, MEMBERS_MAX = 4096, NAME_MIN = 3 };

/* The names that are walked over may not last. */
struct search {
	struct nearest near;
	char name[NAME_COMPARED_MAX + 1];
	unsigned visited;
};

static const char *sentence(struct arena *arena, const struct search *search)
{
	return search->near.best ? arena_printf(arena, " (did you mean %s?)", search->name) : "";
}

static void consider(struct search *search, const char *name)
{
	unsigned distance = search->near.distance;

	nearest_consider(&search->near, name);
	if (search->near.distance < distance) {
		snprintf(search->name, sizeof(search->name), "%s", name);
		search->near.best = search->name;
	}
}

static bool consider_symbol(void *ctx, const struct symbol *symbol)
{
	/* "name.1" is what the compiler makes of a static variable: nobody can type that. */
	if (!strchr(symbol->name, '.'))
		consider(ctx, symbol->name);
	return true;
}

static void search_symbols(struct session *s, const char *name, struct search *search)
{
	*search = (struct search){ .near = nearest_to(name) };
	if (s->symbols && strlen(name) >= NAME_MIN)
		symbols_each(s->symbols, consider_symbol, search);
}

const char *suggest_symbol(struct session *s, struct arena *arena, const char *name)
{
	struct search search;

	search_symbols(s, name, &search);
	return sentence(arena, &search);
}

const char *suggest_symbol_name(struct session *s, struct arena *arena, const char *name)
{
	struct search search;

	search_symbols(s, name, &search);
	return search.near.best ? arena_strdup(arena, search.name) : NULL;
}

static bool consider_type(void *ctx, struct type type)
{
	enum type_kind kind = type_kind(type);

	if (kind == TYPE_STRUCT || kind == TYPE_UNION || kind == TYPE_ENUM || kind == TYPE_TYPEDEF)
		consider(ctx, type_name(type));
	return true;
}

const char *suggest_type(struct session *s, struct arena *arena, const char *name)
{
	struct search search = { .near = nearest_to(name) };

	if (strlen(name) >= NAME_MIN)
		types_each(s->types, consider_type, &search);
	return sentence(arena, &search);
}

const char *suggest_name(struct session *s, struct arena *arena, const char *name)
{
	struct search search;

	search_symbols(s, name, &search);
	if (strlen(name) >= NAME_MIN)
		types_each(s->types, consider_type, &search);
	return sentence(arena, &search);
}

static void consider_members(struct search *search, struct type type, unsigned depth)
{
	struct member m;

	type = type_strip(type);
	for (unsigned i = 0; type_member_at(type, i, &m) && search->visited++ < MEMBERS_MAX; i++) {
		if (*m.name)
			consider(search, m.name);
		else if (depth < DEPTH_MAX)
			consider_members(search, m.type, depth + 1);
	}
}

const char *suggest_member(struct arena *arena, struct type type, const char *path)
{
	const char *at = path;
	struct member member;

	/* The longest part that exists: "se" of "se.vruntim". */
	for (const char *dot; (dot = strchr(at, '.')); at = dot + 1) {
		auto_free char *part = xstrndup(at, (size_t)(dot - at));
		if (!type_find_member(type, part, &member))
			break;
		type = member.type;
	}
	auto_free char *name = xstrndup(at, strcspn(at, ".["));
	struct search search = { .near = nearest_to(name) };
	consider_members(&search, type, 0);
	return sentence(arena, &search);
}

struct error *suggest_no_member(const char *spelled, struct type type, const char *path)
{
	struct arena arena = { 0 };
	struct error *err = error_new(ERROR_NOT_FOUND, "%s has no member %s%s", spelled, path,
				      suggest_member(&arena, type, path));

	arena_deinit(&arena);
	return err;
}

const char *suggest_option(struct arena *arena, const struct option *table, size_t count,
			   const char *word)
{
	const char *name = word + (*word == '-');
	struct search search = { .near = nearest_to(name) };

	for (size_t i = 0; i < count; i++) {
		const char *option = table[i].name;
		bool letters = strlen(name) == 1 && strlen(option) == 1;
		/* Any letter is one change away from any other: only its other case is near. */
		bool same = letters && tolower((unsigned char)*name) ==
					       tolower((unsigned char)*option);
		if (same || (strlen(name) > 2 && starts_with(option, name))) {
			search.near.distance = 1;
			snprintf(search.name, sizeof(search.name), "%s", option);
			search.near.best = search.name;
		} else if (strlen(name) > 1 && strlen(option) > 1) {
			consider(&search, option);
		}
	}
	return search.near.best ? arena_printf(arena, " (did you mean -%s?)", search.name) : "";
}
