// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Types spread along pointers: an object of a typed cache has members that say what they point to.
 * One pass over those objects gathers their pointers, sorted by where they point. An object of a
 * cache of no type that is pointed to as a struct, by all as the same, and that fits it, is taken
 * for one, and its own pointers are gathered too, for a few rounds. A wrong type would spread in
 * the same way; so what does not fit, and what is in a union, spreads nothing.
 */
#include "forensics/identify_refs.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "base/vec.h"
#include "forensics/identify_score.h"

enum {
	OBJECTS_PER_CACHE_MAX = 50000,
	OBJECTS_MAX = 300000,
	REFS_MAX = 3 << 20,
	OBJECT_SIZE_MAX = 1 << 14,
	ROUNDS = 3,
	/* Page frames of dumps in which all slabs are looked at: 32 GiB. */
	FRAMES_MAX = 8 << 20,
	INFERRED_MAX = 20000,
	FIT_LEAST = 3,
};

struct inferred {
	uint64_t address;
	uint32_t type;
	uint32_t cache;
};

struct id_refs {
	struct id_context *ctx;
	struct id_types *types;
	struct {
		vec_fields(struct id_ref);
	} refs;
	struct {
		vec_fields(struct inferred);
	} inferred;
	const struct slab_cache *caches;
	size_t cache_count;
	unsigned objects, objects_here; /* looked at: in all, of this cache */
	uint32_t type;                  /* of this cache */
	uint64_t low, high;             /* the direct map */
	uint8_t bytes[OBJECT_SIZE_MAX];
};

/* Pointers of the @st at @address, whose bytes are in refs->bytes. */
static void gather(struct id_refs *refs, uint32_t id, uint64_t address, size_t size, uint32_t cache)
{
	const struct id_struct *st = id_struct_at(refs->types, id);

	for (uint32_t i = 0; i < st->probe_count; i++) {
		const struct probe *p = &st->probes[i];
		if (p->kind == PROBE_UNION && p->target > i) {
			i = p->target - 1;
			continue;
		}
		if ((p->kind != PROBE_POINTER && p->kind != PROBE_STRING &&
		     p->kind != PROBE_VOID) ||
		    !range_fits(p->offset, 8, size))
			continue;
		uint64_t to = load_u64(refs->bytes + p->offset);
		if (to < refs->low || to >= refs->high || refs->refs.count >= REFS_MAX)
			continue;
		vec_push(&refs->refs,
			 (struct id_ref){ .to = to,
					  .from = address,
					  .target = p->kind == PROBE_POINTER ? p->target : ID_NONE,
					  .source = id,
					  .offset = p->offset,
					  .cache = cache });
	}
}

static bool gather_object(void *ctx, const struct slab_object *object)
{
	struct id_refs *refs = ctx;

	if (object->state != OBJECT_ALLOCATED)
		return true;
	size_t size = (size_t)min_u64(object->slab.cache->object_size, OBJECT_SIZE_MAX);
	size = id_read(refs->ctx, object->address, refs->bytes, size);
	gather(refs, refs->type, object->address, size,
	       (uint32_t)(object->slab.cache - refs->caches));
	refs->objects++;
	return ++refs->objects_here < OBJECTS_PER_CACHE_MAX && refs->objects < OBJECTS_MAX;
}

static bool gather_slab(void *ctx, const struct slab *slab)
{
	struct id_refs *refs = ctx;

	slab_objects(id_context_session(refs->ctx), slab, gather_object, refs);
	return refs->objects_here < OBJECTS_PER_CACHE_MAX && refs->objects < OBJECTS_MAX;
}

static int by_target(const void *a, const void *b)
{
	const struct id_ref *x = a, *y = b;

	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	return x->target != y->target ? (x->target < y->target ? -1 : 1) : 0;
}

static void sort(struct id_refs *refs)
{
	if (refs->refs.count)
		qsort(refs->refs.data, refs->refs.count, sizeof(struct id_ref), by_target);
}

/* All of [@from, @to) point to one address: as what? ID_NONE when they do not agree. */
static uint32_t agreed(const struct id_refs *refs, size_t from, size_t to)
{
	uint32_t type = ID_NONE;

	for (size_t i = from; i < to; i++) {
		uint32_t target = refs->refs.data[i].target;
		if (target == ID_NONE || target == type)
			continue;
		if (type == ID_NONE || id_struct_holds(refs->types, target, 0, type))
			type = target;
		else if (!id_struct_holds(refs->types, type, 0, target))
			return ID_NONE;
	}
	return type;
}

static void infer(struct id_refs *refs, size_t from, size_t to)
{
	struct slab_object object;
	uint64_t address = refs->refs.data[from].to;
	uint32_t type = agreed(refs, from, to);

	if (type == ID_NONE || refs->inferred.count >= INFERRED_MAX || address % 8 ||
	    !slab_object_at(id_context_session(refs->ctx), address, &object) ||
	    object.state != OBJECT_ALLOCATED || object.address != address || !object.slab.cache ||
	    id_object_struct(refs->ctx, &object) != ID_NONE)
		return;
	const struct id_struct *st = id_struct_at(refs->types, type);
	if (st->size > object.slab.cache->object_size ||
	    id_score_at(refs->ctx, type, address) < FIT_LEAST)
		return;
	id_context_infer(refs->ctx, address, type);
	vec_push(&refs->inferred,
		 (struct inferred){ address, type, (uint32_t)(object.slab.cache - refs->caches) });
}

/* A round: objects that can be typed by the pointers so far, then their pointers. */
static bool spread(struct id_refs *refs)
{
	size_t before = refs->inferred.count;

	sort(refs);
	for (size_t i = 0, end; i < refs->refs.count; i = end) {
		for (end = i + 1; end < refs->refs.count &&
				  refs->refs.data[end].to == refs->refs.data[i].to;
		     end++)
			;
		infer(refs, i, end);
	}
	for (size_t i = before; i < refs->inferred.count; i++) {
		const struct inferred *in = &refs->inferred.data[i];
		size_t size = id_struct_at(refs->types, in->type)->size;
		size = id_read(refs->ctx, in->address, refs->bytes,
			       (size_t)min_u64(size, OBJECT_SIZE_MAX));
		gather(refs, in->type, in->address, size, in->cache);
	}
	return refs->inferred.count > before;
}

struct id_refs *id_refs_create(struct id_context *ctx)
{
	struct id_refs *refs = xcalloc(1, sizeof(*refs));
	struct session *s = id_context_session(ctx);
	const struct kernel_layout *layout = memory_layout(s->memory);

	refs->ctx = ctx;
	refs->types = id_context_types(ctx);
	refs->caches = slab_caches(s, &refs->cache_count);
	if (layout->has_page_offset) {
		refs->low = layout->page_offset;
		refs->high = refs->low + (dump_info(s->dump)->max_pfn << PAGE_SHIFT);
	}
	if (dump_info(s->dump)->max_pfn > FRAMES_MAX)
		return refs; /* finding the slabs alone would take seconds */
	for (size_t i = 0; i < refs->cache_count && refs->objects < OBJECTS_MAX; i++) {
		refs->type = id_cache_struct(ctx, &refs->caches[i]);
		refs->objects_here = 0;
		if (refs->type != ID_NONE && !session_stopped(s))
			slab_each(s, &refs->caches[i], gather_slab, refs);
	}
	for (int i = 0; i < ROUNDS && spread(refs) && !session_stopped(s); i++)
		;
	sort(refs);
	return refs;
}

void id_refs_destroy(struct id_refs *refs)
{
	if (!refs)
		return;
	vec_deinit(&refs->refs);
	vec_deinit(&refs->inferred);
	free(refs);
}

const struct id_ref *id_refs_into(const struct id_refs *refs, uint64_t start, uint64_t size,
				  size_t *count)
{
	size_t low = 0, high = refs->refs.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (refs->refs.data[middle].to < start)
			low = middle + 1;
		else
			high = middle;
	}
	size_t end = low;
	while (end < refs->refs.count && refs->refs.data[end].to - start < size)
		end++;
	*count = end - low;
	return refs->refs.data + low;
}

uint64_t id_refs_cache(const struct id_refs *refs, uint32_t number)
{
	return number < refs->cache_count ? refs->caches[number].address : 0;
}
