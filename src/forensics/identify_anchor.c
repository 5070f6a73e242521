// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * In a range of memory where structs could begin anywhere, trying all at every address takes too
 * long. But a pointer to a function of a rare prototype, or to an object of known type, can be a
 * member of few structs only, each at a known offset: it votes for those (struct, base). What has
 * enough votes is scored.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/vec.h"
#include "forensics/identify_search.h"

enum {
	VOTERS_MAX = 3000, /* structs that one word may speak for */
	TRIED_MAX = 4000,
};

struct anchor {
	uint64_t key; /* kind of probe and its target */
	uint32_t type, offset;
};

struct id_anchors {
	struct anchor *data;
	size_t count, capacity;
};

struct vote {
	uint64_t base;
	uint32_t type;
	float weight;
};

static uint64_t key_of(uint8_t kind, uint32_t target)
{
	return (uint64_t)kind << 32 | target;
}

static int by_key(const void *a, const void *b)
{
	const struct anchor *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return 0;
}

static struct id_anchors *anchors_of(struct identifier *id)
{
	if (id->anchors)
		return id->anchors;
	id->anchors = xcalloc(1, sizeof(*id->anchors));
	size_t count = id_types_count(id->types);
	for (uint32_t i = 0; i < count; i++) {
		const struct id_struct *st = id_struct_at(id->types, i);
		for (uint32_t j = 0; j < st->probe_count; j++) {
			const struct probe *p = &st->probes[j];
			if (p->offset % 8 ||
			    (p->kind != PROBE_FUNCTION && p->kind != PROBE_POINTER))
				continue;
			vec_push(id->anchors, (struct anchor){ key_of(p->kind, p->target), i,
							       p->offset });
		}
	}
	if (id->anchors->count)
		qsort(id->anchors->data, id->anchors->count, sizeof(struct anchor), by_key);
	return id->anchors;
}

void id_anchors_destroy(struct id_anchors *anchors)
{
	if (!anchors)
		return;
	vec_deinit(anchors);
	free(anchors);
}

struct votes {
	struct vote *data;
	size_t count, capacity;
	struct map index;
};

static void vote(struct search *q, struct votes *votes, uint64_t key, uint64_t address)
{
	const struct id_anchors *all = anchors_of(q->id);
	size_t low = 0, high = all->count, end;
	uint64_t found;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (all->data[middle].key < key)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < all->count && all->data[end].key == key; end++)
		;
	if (end == low || end - low > VOTERS_MAX)
		return;
	float weight = (float)log((double)all->count / (double)(end - low));
	for (size_t i = low; i < end; i++) {
		const struct anchor *a = &all->data[i];
		uint64_t base = address - a->offset;
		if (base < q->view.start || a->offset > address - q->view.start)
			continue;
		uint64_t id = base << 20 ^ a->type;
		if (map_get(&votes->index, id, &found)) {
			votes->data[found].weight += weight;
			continue;
		}
		map_set(&votes->index, id, votes->count);
		vec_push(votes, (struct vote){ base, a->type, weight });
	}
}

static int by_weight(const void *a, const void *b)
{
	const struct vote *x = a, *y = b;

	return x->weight > y->weight ? -1 : x->weight < y->weight;
}

void identify_search_range(struct search *q, struct candidates *found)
{
	struct votes votes = { 0 };
	uint64_t end = q->view.start + q->view.count * 8;

	found->count = 0;
	for (size_t i = 0; i < q->view.count; i++) {
		const struct id_word *w = q->view.words[i];
		uint64_t address = q->view.start + i * 8;
		if (w && w->class == WORD_FUNCTION && w->prototype)
			vote(q, &votes, key_of(PROBE_FUNCTION, w->prototype), address);
		else if (w && w->class == WORD_SLAB && w->type != ID_NONE && !w->offset)
			vote(q, &votes, key_of(PROBE_POINTER, w->type), address);
	}
	if (votes.count)
		qsort(votes.data, votes.count, sizeof(votes.data[0]), by_weight);
	for (size_t i = 0; i < votes.count && i < TRIED_MAX; i++) {
		const struct vote *v = &votes.data[i];
		if (id_struct_at(q->id->types, v->type)->size <= end - v->base)
			identify_try(q, v->type, v->base, found);
	}
	identify_deepen(q, found);
	vec_deinit(&votes);
	map_deinit(&votes.index);
}
