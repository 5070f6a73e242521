// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * DWARF by name. An index gives places that may have the name; each is looked at before it counts.
 * Types are sought in the hubs first, then everywhere, and the first in the file counts, as it does
 * in BTF.
 *
 * Functions and variables that are not static have one definition. Of static ones several may have
 * the same name; unless they agree in type, the name alone does not tell which is meant, and
 * nothing is said.
 */
#include <dwarf.h>
#include <string.h>

#include "base/strbuf.h"
#include "types/dwarf.h"

#define KIND_BIT(k) (1u << (k))
/* More static things of one name are not compared. */
#define NAMESAKES_MAX 64
/* Entries of one hash that are looked at; a sane file has a few hundred of the commonest name. */
#define ENTRIES_SEEN_MAX 4096

static const unsigned class_kinds[] = {
	[NAME_ANY] = KIND_BIT(INDEX_STRUCT) | KIND_BIT(INDEX_UNION) | KIND_BIT(INDEX_TYPEDEF) |
		     KIND_BIT(INDEX_BASE) | KIND_BIT(INDEX_ENUM),
	[NAME_COMPOUND] = KIND_BIT(INDEX_STRUCT) | KIND_BIT(INDEX_UNION) | KIND_BIT(INDEX_TYPEDEF),
	[NAME_STRUCT] = KIND_BIT(INDEX_STRUCT),
	[NAME_UNION] = KIND_BIT(INDEX_UNION),
	[NAME_ENUM] = KIND_BIT(INDEX_ENUM),
	[NAME_FUNCTION] = KIND_BIT(INDEX_FUNCTION),
	[NAME_VARIABLE] = KIND_BIT(INDEX_VARIABLE),
};

struct query {
	const char *name;
	uint32_t hash;
	unsigned kinds;
};

/* Reads the DIE of @entry; false unless it is what @q asks for. */
static bool fits(struct dwarf *dwarf, const struct query *q, const struct index_entry *entry,
		 struct dwarf_die *die)
{
	struct dwarf_place place = { .offset = entry->offset, .file = entry->file };
	struct dwarf_die declared;

	if (entry->kind > INDEX_ENUMERATOR || !(KIND_BIT(entry->kind) & q->kinds) ||
	    entry->file >= DWARF_FILES || !dwarf_die_at(dwarf, place, die) ||
	    dwarf_index_kind(die->tag) != entry->kind)
		return false;
	if (*die->name || !die->specification.offset)
		return strcmp(die->name, q->name) == 0;
	return dwarf_die_at(dwarf, die->specification, &declared) &&
	       strcmp(declared.name, q->name) == 0;
}

static size_t entries_of(struct dwarf *dwarf, const struct query *q,
			 const struct index_entry **entries)
{
	struct index_image *index = dwarf_index(dwarf, q->name);
	size_t n = index ? index_image_find(index, q->hash, entries) : 0;

	if (index && index_image_damaged(index)) {
		dwarf_index_renew(dwarf);
		index = dwarf_index(dwarf, q->name);
		n = index ? index_image_find(index, q->hash, entries) : 0;
	}
	return n < ENTRIES_SEEN_MAX ? n : ENTRIES_SEEN_MAX;
}

static size_t hub_entries_of(struct dwarf *dwarf, const struct query *q,
			     const struct index_entry **entries)
{
	size_t n = dwarf->hubs ? index_image_find(dwarf->hubs, q->hash, entries) : 0;

	return n < ENTRIES_SEEN_MAX ? n : ENTRIES_SEEN_MAX;
}

static bool first_of(struct dwarf *dwarf, const struct query *q, const struct index_entry *entries,
		     size_t n, struct dwarf_die *die)
{
	for (size_t i = 0; i < n; i++) {
		if (fits(dwarf, q, &entries[i], die))
			return true;
	}
	return false;
}

static struct dwarf_place place_of(const struct dwarf_die *die)
{
	return (struct dwarf_place){ .offset = die->offset, .file = die->unit->file };
}

static bool find_first(struct dwarf *dwarf, const struct query *q, struct dwarf_die *die)
{
	const struct index_entry *entries = NULL;
	size_t n = hub_entries_of(dwarf, q, &entries);

	if (first_of(dwarf, q, entries, n, die))
		return true;
	n = entries_of(dwarf, q, &entries);
	return first_of(dwarf, q, entries, n, die);
}

/* --- Functions and variables --- */

/* The prototype, or the type of a variable; of one that completes a declaration, from there. */
static struct type object_type(struct dwarf *dwarf, const struct dwarf_die *die)
{
	struct dwarf_die declared;

	if (die->tag == DW_TAG_subprogram)
		return dwarf_type(dwarf, place_of(die), 0);
	if (!(die->has & HAS_TYPE) && die->specification.offset) {
		if (!dwarf_die_at(dwarf, die->specification, &declared))
			return (struct type){ 0 };
		return dwarf_type_of(dwarf, &declared);
	}
	return dwarf_type_of(dwarf, die);
}

static bool same_spelling(struct type a, struct type b)
{
	auto_strbuf left = { 0 }, right = { 0 };

	if (a.source == b.source && a.id == b.id)
		return true;
	type_declare(a, "x", &left);
	type_declare(b, "x", &right);
	return left.len == right.len && (!left.len || memcmp(left.data, right.data, left.len) == 0);
}

/* Of those with the @flags: the one external, or what all static ones agree in. */
static bool agreed(struct dwarf *dwarf, const struct query *q, const struct index_entry *entries,
		   size_t n, unsigned flags, struct type *type)
{
	struct type first = { 0 };
	struct dwarf_die die;
	unsigned found = 0;

	for (size_t i = 0; i < n; i++) {
		if (entries[i].flags != flags || !fits(dwarf, q, &entries[i], &die))
			continue;
		struct type t = object_type(dwarf, &die);
		if (!t.source || ++found > NAMESAKES_MAX)
			return false;
		if (found == 1)
			first = t;
		else if (!same_spelling(first, t))
			return false;
		/* Others, if any, are weak ones that were replaced. */
		if (flags == INDEX_EXTERNAL)
			break;
	}
	*type = first;
	return found;
}

static bool has_fitting(struct dwarf *dwarf, const struct query *q,
			const struct index_entry *entries, size_t n, unsigned flags)
{
	struct dwarf_die die;

	for (size_t i = 0; i < n; i++) {
		if (entries[i].flags == flags && fits(dwarf, q, &entries[i], &die))
			return true;
	}
	return false;
}

static bool find_object(struct dwarf *dwarf, const struct query *q, struct type *type)
{
	/* In the order of preference; the later ones count only where there is none of these. */
	static const unsigned order[] = {
		INDEX_EXTERNAL,
		0,
		INDEX_DECLARATION | INDEX_EXTERNAL,
		INDEX_DECLARATION,
	};
	const struct index_entry *entries = NULL;
	size_t n = entries_of(dwarf, q, &entries);

	for (size_t i = 0; n && i < array_size(order); i++) {
		if (has_fitting(dwarf, q, entries, n, order[i]))
			return agreed(dwarf, q, entries, n, order[i], type);
	}
	return false;
}

bool dwarf_find_variable(struct dwarf *dwarf, const char *name, uint64_t address, struct type *type)
{
	struct query q = { name, index_hash(name), class_kinds[NAME_VARIABLE] };
	const struct index_entry *entries = NULL;
	size_t n = entries_of(dwarf, &q, &entries);
	struct dwarf_die die;

	for (size_t i = 0; i < n; i++) {
		if (!fits(dwarf, &q, &entries[i], &die) || !(die.has & HAS_ADDRESS) ||
		    die.address != address)
			continue;
		*type = object_type(dwarf, &die);
		return type->source;
	}
	return false;
}

/* --- Types --- */

bool dwarf_find(const struct type_source *source, enum name_class as, const char *name,
		struct type *type)
{
	struct dwarf *dwarf = dwarf_of(source);
	struct query q = { name, index_hash(name), class_kinds[as] };
	struct dwarf_die die = { 0 };

	if (!*name)
		return false;
	if (as == NAME_FUNCTION || as == NAME_VARIABLE)
		return find_object(dwarf, &q, type);
	if (!find_first(dwarf, &q, &die))
		return false;
	*type = dwarf_type(dwarf, place_of(&die), 0);
	return type->source;
}

bool dwarf_find_enumerator(const struct type_source *source, const char *name, int64_t *value)
{
	struct query q = { name, index_hash(name), KIND_BIT(INDEX_ENUMERATOR) };
	struct dwarf_die die;

	if (!*name || !find_first(dwarf_of(source), &q, &die) || !(die.has & HAS_VALUE))
		return false;
	*value = die.value;
	return true;
}

/* Different structs may share a name; those of the same size we take to be the same. */
static bool only_one(struct dwarf *dwarf, const struct query *q, const struct index_entry *entries,
		     size_t n, struct dwarf_die *found)
{
	struct dwarf_die die;
	unsigned count = 0;

	for (size_t i = 0; i < n; i++) {
		if (!fits(dwarf, q, &entries[i], &die) || die.declaration)
			continue;
		if (++count > NAMESAKES_MAX || (count > 1 && die.byte_size != found->byte_size))
			return false;
		if (count == 1)
			*found = die;
	}
	return count;
}

bool dwarf_find_definition(struct dwarf *dwarf, unsigned tag, const char *name,
			   struct dwarf_place *place)
{
	struct query q = { name, index_hash(name), KIND_BIT(dwarf_index_kind(tag)) };
	const struct index_entry *entries = NULL;
	size_t n = hub_entries_of(dwarf, &q, &entries);
	struct dwarf_die die = { 0 };

	if (!only_one(dwarf, &q, entries, n, &die)) {
		n = entries_of(dwarf, &q, &entries);
		if (!only_one(dwarf, &q, entries, n, &die))
			return false;
	}
	*place = place_of(&die);
	return true;
}
