// SPDX-License-Identifier: LGPL-2.1-or-later
/* A sorted array is all: a text names some hundred functions. */
#include "symbols/places.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct places {
	struct symbol_place *place; /* by address */
	size_t count;
};

static int compare(const void *a, const void *b)
{
	const struct symbol_place *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

struct places *places_create(const struct symbol_place *place, size_t count)
{
	struct places *p = xcalloc(1, sizeof(*p));

	p->place = xcalloc(count + 1, sizeof(*place));
	p->count = count;
	if (count) {
		memcpy(p->place, place, count * sizeof(*place));
		qsort(p->place, count, sizeof(*place), compare);
	}
	return p;
}

void places_destroy(struct places *places)
{
	if (!places)
		return;
	free(places->place);
	free(places);
}

static void fill(const struct symbol_place *place, struct symbol *symbol)
{
	*symbol = (struct symbol){
		.address = place->address,
		.size = place->size,
		.name = place->name,
		.type = 't',
		.module = place->module,
		.inside_only = place->inside_only,
	};
}

bool places_at(const struct places *places, uint64_t address, struct symbol *symbol)
{
	size_t low = 0, high = places->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (places->place[mid].address <= address)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return false;
	const struct symbol_place *place = &places->place[low - 1];
	if (address - place->address >= max_u64(place->size, 1))
		return false;
	fill(place, symbol);
	return true;
}

bool places_find(const struct places *places, const char *name, const char *module,
		 size_t module_length, struct symbol *symbol)
{
	for (size_t i = 0; i < places->count; i++) {
		const struct symbol_place *place = &places->place[i];
		if (strcmp(place->name, name) != 0)
			continue;
		if (module && (!place->module ||
			       strlen(place->module->name) != module_length ||
			       strncmp(place->module->name, module, module_length) != 0))
			continue;
		fill(place, symbol);
		return true;
	}
	return false;
}

bool places_each(const struct places *places, const struct module *module, symbol_fn fn, void *ctx)
{
	for (size_t i = 0; i < places->count; i++) {
		struct symbol symbol;

		fill(&places->place[i], &symbol);
		if ((!module || symbol.module == module) && !fn(ctx, &symbol))
			return false;
	}
	return true;
}
