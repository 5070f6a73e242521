// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The search: all structs that are not larger than the object are scored where it begins, from its
 * own words alone (cheap); the best few dozen again with what they point to (dear). What remains
 * behind a struct that is shorter than the object is searched in the same way, so that two structs
 * end to end are found. Of a plain range, structs are tried where strong words (functions, pointers
 * to objects of known type) say that one could begin (identify_anchor.c).
 *
 * Prior: sizes between the object's size class and the next smaller one are likeliest, and structs
 * that many members point to are allocated more often than those that nobody does.
 *
 * Confidence is by the score of the best and its lead over the second; the limits are those that
 * kept wrong and certain answers apart when measured (docs/accuracy.md).
 */
#include "forensics/identify.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "forensics/cache_types.h"
#include "forensics/identify_search.h"

enum {
	RANGE_USUAL = 1024, /* of an address that is in no object, when no size is given */
	RANGE_MAX = 1 << 16,
	WANTED_USUAL = 3,
	WANTED_MAX = 50,
	PARTS_MAX = 4,
	REST_LEAST = 16,
	HEADS = 5, /* hypotheses for the start of which the rest is searched */
};

/* Scores: what a further part must have to be claimed, and what it costs to claim one. */
#define PART_LEAST 9.0
#define PART_COST 5.0
#define FORMER_LEAST 12.0

static void destroy(void *data)
{
	struct identifier *id = data;

	id_anchors_destroy(id->anchors);
	id_refs_destroy(id->refs);
	id_context_destroy(id->ctx);
	id_types_destroy(id->types);
	free(id);
}

static struct error *prepare(struct session *s, struct identifier **ret)
{
	struct identifier *id = s->slot[SLOT_IDENTIFY].data;

	*ret = id;
	if (id)
		return NULL;
	id = xcalloc(1, sizeof(*id));
	s->slot[SLOT_IDENTIFY].data = id;
	s->slot[SLOT_IDENTIFY].destroy = destroy;
	id->session = s;
	id->types = id_types_create(s);
	id->ctx = id_context_create(s, id->types, 0);
	id->refs = id_refs_create(id->ctx);
	*ret = id;
	return NULL;
}

/* The kmalloc cache that an object of @size would be in. */
static uint64_t size_class(uint64_t size)
{
	static const uint16_t odd[] = { 8, 16, 32, 64, 96, 128, 192, 256 };
	uint64_t class = 512;

	for (size_t i = 0; i < array_size(odd); i++) {
		if (size <= odd[i])
			return odd[i];
	}
	while (class < size && class < RANGE_MAX)
		class *= 2;
	return class;
}

static uint64_t class_below(uint64_t class)
{
	static const uint16_t odd[] = { 0, 8, 16, 32, 64, 96, 128, 192, 256 };

	for (size_t i = array_size(odd) - 1; i > 0; i--) {
		if (class > odd[i])
			return class <= 512 ? odd[i] : class / 2;
	}
	return 0;
}

/* --- Where --- */

static struct error *place(struct search *q, const struct identify_request *request,
			   struct arena *arena, struct identify_result *result)
{
	struct session *s = q->id->session;
	struct slab_object object;

	result->start = request->address & ~UINT64_C(7);
	result->size = request->size ? request->size : RANGE_USUAL;
	if (slab_object_at(s, request->address, &object) && object.slab.cache &&
	    object.state != OBJECT_PADDING) {
		struct slab_object *copy = arena_alloc(arena, sizeof(*copy));
		*copy = object;
		result->object = copy;
		if (!request->blind)
			result->known = cache_type(s, object.slab.cache->address);
		if (!request->size) {
			result->start = object.address;
			result->size = object.slab.cache->object_size;
			q->whole = true;
		}
	}
	if (request->blind && q->whole)
		result->size = size_class(result->size);
	if (result->size > RANGE_MAX)
		return error_new(ERROR_USAGE, "more than %u bytes cannot be identified at once",
				 RANGE_MAX);
	q->blind = request->blind;
	q->maybe = ID_NONE;
	if (result->object && !request->blind) {
		const char *maybe = cache_type_of(s, object.slab.cache->address)->maybe;
		q->maybe = maybe ? id_struct_named(q->id->types, maybe) : ID_NONE;
	}
	q->size_low = q->whole ? class_below(size_class(result->size)) : 0;
	q->freed = result->object && (result->object->state == OBJECT_FREE ||
				      result->object->state == OBJECT_FREE_CPU);
	id_context_blind(q->id->ctx, request->blind && result->object
					     ? result->object->slab.cache->address
					     : 0);
	return NULL;
}

/* --- Confidence --- */

static enum identify_confidence confidence(double score, double lead)
{
	if (score >= 14 && lead >= 6)
		return IDENTIFY_CERTAIN;
	if (score >= 8 && lead >= 2)
		return IDENTIFY_LIKELY;
	return score >= 3 ? IDENTIFY_POSSIBLE : IDENTIFY_UNKNOWN;
}

static bool overlap(const struct search *q, const struct candidate *a, const struct candidate *b)
{
	return a->base < b->base + id_struct_at(q->id->types, b->type)->size &&
	       b->base < a->base + id_struct_at(q->id->types, a->type)->size;
}

/*
 * By how much the @i-th leads over the best other type for the same memory; below 0: by how much it
 * is behind. Namesakes are one type: they differ in what other files see of it.
 */
static double lead_over(const struct search *q, const struct candidates *all, size_t i)
{
	const struct candidate *c = &all->data[i];
	const char *name = id_struct_at(q->id->types, c->type)->name;

	for (size_t j = 0; j < all->count; j++) {
		const struct candidate *other = &all->data[j];
		if (j == i || !overlap(q, c, other))
			continue;
		/* Of leftovers it is enough to say with what they begin. */
		if (q->clipped && id_struct_holds(q->id->types, other->type, 0, c->type))
			continue;
		if (strcmp(name, id_struct_at(q->id->types, other->type)->name) != 0)
			return c->score - other->score;
		if (other->base != c->base && other->score > c->score)
			return -1;
	}
	return c->score;
}

static struct identify_hypothesis tell(struct search *q, struct arena *arena,
				       const struct candidates *all, size_t i)
{
	const struct candidate *c = &all->data[i];
	const struct id_struct *st = id_struct_at(q->id->types, c->type);
	struct identify_hypothesis h = {
		.type = st->name, .base = c->base, .size = st->size, .score = c->score,
		.former = q->clipped,
	};

	h.confidence = confidence(c->score, lead_over(q, all, i));
	identify_explain(q, arena, c, &h);
	return h;
}

/* --- Parts --- */

/* The best struct behind the head; NULL: nothing there is clear enough. */
static bool search_rest(struct search *q, uint64_t base, struct candidates *rest)
{
	uint64_t end = q->view.start + q->view.count * 8;

	rest->count = 0;
	if (base >= end || end - base < REST_LEAST || !identify_has_pointers(q, base, end))
		return false;
	uint64_t low = q->size_low;
	q->size_low = 0;
	identify_search_at(q, base, rest);
	q->size_low = low;
	return rest->count && rest->data[0].score >= PART_LEAST;
}

static uint64_t end_of(const struct search *q, const struct candidate *c)
{
	uint64_t size = id_struct_at(q->id->types, c->type)->size;

	return c->base + ((size + 7) & ~UINT64_C(7));
}

/* A head that leaves a rest which is something, rather than one that swallows or denies it. */
static void weigh_rests(struct search *q, struct candidates *heads)
{
	struct candidates rest = { 0 };

	for (size_t i = 0; i < heads->count && i < HEADS; i++) {
		if (search_rest(q, end_of(q, &heads->data[i]), &rest))
			heads->data[i].score += fmax(0, rest.data[0].score - PART_COST) * 0.8;
	}
	candidates_sort(heads);
	vec_deinit(&rest);
}

static void add_parts(struct search *q, struct arena *arena, const struct candidates *heads,
		      struct identify_result *result)
{
	struct identify_hypothesis *parts = arena_zalloc(arena, PARTS_MAX * sizeof(*parts));
	struct candidates rest = { 0 };

	if (!heads->count)
		return;
	parts[0] = result->hypotheses[0];
	result->parts = parts;
	result->part_count = 1;
	uint64_t at = end_of(q, &heads->data[0]);
	while (!q->blind && result->part_count < PARTS_MAX && search_rest(q, at, &rest)) {
		parts[result->part_count++] = tell(q, arena, &rest, 0);
		at = end_of(q, &rest.data[0]);
	}
	vec_deinit(&rest);
}

/* In a range: where strong words say that something begins, and at its start. */
static void search_anywhere(struct search *q, struct candidates *found)
{
	struct candidates first = { 0 };

	identify_search_range(q, found);
	identify_search_at(q, q->view.start, &first);
	vec_for_each (c, &first)
		vec_push(found, *c);
	candidates_sort(found);
	vec_deinit(&first);
}

/* --- A former owner --- */

static void find_former(struct search *q, struct arena *arena, struct identify_result *result)
{
	struct candidates found = { 0 };

	q->clipped = q->view.clipped = true;
	identify_search_at(q, result->start, &found);
	if (found.count && found.data[0].score >= FORMER_LEAST) {
		struct identify_hypothesis *former = arena_alloc(arena, sizeof(*former));
		*former = tell(q, arena, &found, 0);
		/* What two owners left is a mixture: never more than likely. */
		if (former->confidence > IDENTIFY_LIKELY)
			former->confidence = IDENTIFY_LIKELY;
		result->former = former;
	}
	q->clipped = q->view.clipped = false;
	vec_deinit(&found);
}

/* Does nobody, or no present owner, explain the object? */
static bool wants_former(const struct search *q, const struct identify_result *result)
{
	if (!q->whole || (q->blind && !q->freed))
		return false;
	return q->freed || q->buffer || !result->count ||
	       result->hypotheses[0].confidence < IDENTIFY_LIKELY;
}

static void add_hypotheses(struct search *q, struct arena *arena, unsigned wanted,
			   const struct candidates *found, struct identify_result *result)
{
	struct identify_hypothesis *all = arena_zalloc(arena, wanted * sizeof(*all));

	for (size_t i = 0; i < found->count && result->count < wanted; i++) {
		const char *name = id_struct_at(q->id->types, found->data[i].type)->name;
		bool again = false;
		for (size_t j = 0; j < result->count; j++)
			again |= strcmp(all[j].type, name) == 0 &&
				 all[j].base == found->data[i].base;
		if (!again && found->data[i].score > 0)
			all[result->count++] = tell(q, arena, found, i);
	}
	result->hypotheses = all;
}

struct error *identify(struct session *s, const struct identify_request *request,
		       struct arena *arena, struct identify_result *result)
{
	struct search q = { 0 };
	struct candidates found = { 0 };
	unsigned wanted = request->wanted ? request->wanted : WANTED_USUAL;

	*result = (struct identify_result){ 0 };
	struct error *err = prepare(s, &q.id);
	if (err)
		return err;
	if (!id_types_count(q.id->types))
		return error_new(ERROR_MISSING, "only BTF lists all types, and this dump has none");
	err = place(&q, request, arena, result);
	if (err)
		return err;
	id_view_init(&q.view, q.id->ctx, result->start, result->size);
	for (size_t i = 0; i < q.view.count; i++)
		result->readable |= id_word_at(q.id->ctx, result->start + i * 8) != NULL;
	identify_gather_refs(&q, arena, result);
	if (!q.freed && !q.buffer) {
		if (q.whole)
			identify_search_at(&q, result->start, &found);
		else
			search_anywhere(&q, &found);
		if (q.whole && !q.blind)
			weigh_rests(&q, &found);
		add_hypotheses(&q, arena, (unsigned)min_u64(wanted, WANTED_MAX), &found, result);
		if (result->count)
			add_parts(&q, arena, &found, result);
	}
	if (wants_former(&q, result))
		find_former(&q, arena, result);
	vec_deinit(&found);
	vec_deinit(&q.refs);
	id_view_deinit(&q.view);
	return NULL;
}

const char *identify_confidence_name(enum identify_confidence confidence)
{
	static const char *const names[] = { "unknown", "possible", "likely", "certain" };

	return names[confidence];
}
