// SPDX-License-Identifier: LGPL-2.1-or-later
/* Walkers of memory: objects of slab caches, the caches, page frames, arrays. */
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "forensics/cache_types.h"
#include "kernel/pages.h"
#include "kernel/slab.h"
#include "walk/walk_row.h"

enum { ARRAY_MAX = 1 << 26 };

/* --- Objects of a slab cache --- */

struct slab_walk {
	const struct slab_cache *cache;
	bool free_too;
	walk_fn fn;
	void *ctx;
	struct session *session;
	bool stopped;
};

static struct error *no_cache(struct session *s, const char *name)
{
	struct nearest near = nearest_to(name);
	size_t n;
	const struct slab_cache *all = slab_caches(s, &n);

	for (size_t i = 0; i < n; i++)
		nearest_consider(&near, all[i].name);
	return error_new(ERROR_NOT_FOUND, "there is no slab cache %s%s%s%s", name,
			 near.best ? " (did you mean " : "", near.best ? near.best : "",
			 near.best ? "?)" : "");
}

/* The type that somebody says, or that the cache is known to hold. */
static struct error *slab_type(struct walking *walk, const struct slab_cache *cache,
			       const char *word)
{
	const char *known = word ? word : cache_type(walk->session, cache->address);

	if (!known)
		return NULL;
	struct error *err = walk_type(walk->session, known, &walk->type);
	if (!err && word && type_size(walk->type) > cache->size)
		err = error_new(ERROR_USAGE, "a %s has %lu bytes, objects of %s have %u", word,
				(unsigned long)type_size(walk->type), cache->name,
				cache->object_size);
	return err;
}

static struct error *begin_slab(struct walking *walk, const struct walk_input *input)
{
	struct session *s = walk->session;
	struct slab_walk *state = arena_zalloc(walk->arena, sizeof(*state));
	const char *type = NULL;

	if (!input->argc)
		return error_new(ERROR_USAGE, "which slab cache?");
	for (int i = 1; i < input->argc; i++) {
		if (strcmp(input->argv[i], "all") == 0)
			state->free_too = true;
		else
			type = input->argv[i];
	}
	state->cache = slab_cache_by_name(s, input->argv[0]);
	if (!state->cache)
		return no_cache(s, input->argv[0]);
	walk->state = state;
	return slab_type(walk, state->cache, type);
}

static bool give_object(void *ctx, const struct slab_object *object)
{
	struct slab_walk *w = ctx;

	if (object->state == OBJECT_PADDING || (object->state != OBJECT_ALLOCATED && !w->free_too))
		return true;
	w->stopped = !w->fn(w->ctx, &(struct walked){ .address = object->address, .cpu = -1,
						      .kind = WALKED_SLAB, .data = object });
	return !w->stopped;
}

static bool give_slab(void *ctx, const struct slab *slab)
{
	struct slab_walk *w = ctx;

	/* Nobody owns the objects of a slab that is given up. */
	if (slab->place != SLAB_PLACE_DYING)
		slab_objects(w->session, slab, give_object, w);
	return !w->stopped && !session_stopped(w->session);
}

static void each_slab_object(struct walking *walk, walk_fn fn, void *ctx)
{
	struct slab_walk *w = walk->state;

	w->fn = fn;
	w->ctx = ctx;
	w->session = walk->session;
	w->stopped = false;
	slab_each(walk->session, w->cache, give_slab, w);
}

static enum field_found get_allocated(struct field_ask *ask)
{
	const struct slab_object *o = walked_data(ask->object, WALKED_SLAB);

	ask->number = o && o->state == OBJECT_ALLOCATED;
	return o && o->state != OBJECT_UNKNOWN;
}

static enum field_found get_slab_page(struct field_ask *ask)
{
	const struct slab_object *o = walked_data(ask->object, WALKED_SLAB);

	ask->number = o ? o->slab.page : 0;
	return o && ask->number ? FIELD_KNOWN : FIELD_NOTHING;
}

/* --- Caches --- */

static void each_cache(struct walking *walk, walk_fn fn, void *ctx)
{
	size_t n;
	const struct slab_cache *all = slab_caches(walk->session, &n);

	for (size_t i = 0; i < n; i++) {
		struct walked object = { .address = all[i].address, .cpu = -1 };
		if (!fn(ctx, &object))
			return;
	}
}

static bool totals_of(struct field_ask *ask, struct slab_totals *totals)
{
	const struct slab_cache *cache = slab_cache_by_address(ask->session, ask->object->address);

	if (cache)
		slab_totals(ask->session, cache, totals);
	return cache;
}

static enum field_found get_cache_objects(struct field_ask *ask)
{
	struct slab_totals totals = { 0 };
	bool known = totals_of(ask, &totals);

	ask->number = totals.objects;
	return known;
}

static enum field_found get_cache_allocated(struct field_ask *ask)
{
	struct slab_totals totals = { 0 };
	bool known = totals_of(ask, &totals);

	ask->number = totals.allocated;
	return known;
}

static enum field_found get_cache_bytes(struct field_ask *ask)
{
	struct slab_totals totals = { 0 };
	bool known = totals_of(ask, &totals);

	ask->number = totals.bytes;
	return known;
}

static enum field_found get_cache_type(struct field_ask *ask)
{
	const char *type = cache_type(ask->session, ask->object->address);

	if (type)
		strbuf_add(ask->text, type);
	return type ? FIELD_KNOWN : FIELD_NOTHING;
}

/* --- Page frames --- */

static struct error *begin_pages(struct walking *walk, const struct walk_input *input)
{
	const struct page_array *array = page_array(walk->session);

	if (!array->valid)
		return error_new(ERROR_MISSING, "where the array of struct page is, is not known");
	walk->offset = 0;
	walk->count = array->max_pfn;
	if (!input->argc)
		return NULL;
	struct error *err = walk_address(input, 0, &walk->offset);
	if (!err)
		walk->count = walk->offset + 1;
	if (!err && input->argc > 1) {
		err = walk_address(input, 1, &walk->count);
		if (!err && __builtin_add_overflow(walk->offset, walk->count, &walk->count))
			err = error_new(ERROR_USAGE, "there are not so many page frames");
	}
	if (!err && walk->offset >= array->max_pfn)
		err = error_new(ERROR_NOT_FOUND, "the last page frame is 0x%lx",
				(unsigned long)array->max_pfn - 1);
	walk->count = min_u64(walk->count, array->max_pfn);
	return err;
}

struct page_walk {
	walk_fn fn;
	void *ctx;
};

static bool give_page(void *ctx, const struct page_info *info)
{
	struct page_walk *w = ctx;

	return w->fn(w->ctx, &(struct walked){ .address = info->page, .cpu = -1,
					       .kind = WALKED_PAGE, .data = info });
}

static void each_page(struct walking *walk, walk_fn fn, void *ctx)
{
	struct page_walk w = { fn, ctx };

	pages_range(walk->session, walk->offset, walk->count, give_page, &w);
}

static bool info_of(struct field_ask *ask, struct page_info *info)
{
	uint64_t pfn;

	const struct page_info *known = walked_data(ask->object, WALKED_PAGE);
	if (known) {
		*info = *known;
		return true;
	}
	return pfn_of_page(ask->session, ask->object->address, &pfn) &&
	       page_info(ask->session, pfn, info);
}

static enum field_found get_pfn(struct field_ask *ask)
{
	return pfn_of_page(ask->session, ask->object->address, &ask->number);
}

static enum field_found get_page_kind(struct field_ask *ask)
{
	struct page_info info;

	if (!info_of(ask, &info))
		return false;
	strbuf_add(ask->text, page_kind_name(info.kind));
	return true;
}

static enum field_found get_page_flags(struct field_ask *ask)
{
	struct page_info info;
	char names[256];

	if (!info_of(ask, &info))
		return false;
	page_flags_text(ask->session, info.flags, names, sizeof(names));
	strbuf_add(ask->text, names);
	return true;
}

static enum field_found get_page_refs(struct field_ask *ask)
{
	struct page_info info = { 0 };
	bool known = info_of(ask, &info);

	ask->number = (uint64_t)(int64_t)info.refcount;
	return known;
}

static enum field_found get_page_order(struct field_ask *ask)
{
	struct page_info info = { 0 };
	bool known = info_of(ask, &info);

	ask->number = info.order;
	return known;
}

static enum field_found get_page_head(struct field_ask *ask)
{
	struct page_info info = { 0 };
	bool known = info_of(ask, &info);

	ask->number = info.head;
	return known;
}

static enum field_found get_page_owner(struct field_ask *ask)
{
	struct page_info info = { 0 };
	bool known = info_of(ask, &info);

	ask->number = info.owner;
	return !known ? FIELD_LOST : info.owner ? FIELD_KNOWN : FIELD_NOTHING;
}

/* --- Arrays --- */

static struct error *begin_array(struct walking *walk, const struct walk_input *input)
{
	uint64_t address, length = 0;
	struct value v;

	if (!input->argc)
		return error_new(ERROR_USAGE, "which array?");
	struct error *err = input->value(input->ctx, input->argv[0], &v, &address);
	if (!err && input->argc > 1)
		err = walk_address(input, 1, &length);
	if (err)
		return err;
	struct type type = type_strip(v.type);
	enum type_kind kind = type_kind(type);
	walk->type = v.type;
	walk->address = address;
	if (kind == TYPE_ARRAY || kind == TYPE_POINTER)
		walk->type = type_target(type);
	else if (kind != TYPE_STRUCT && kind != TYPE_UNION)
		return error_new(ERROR_USAGE, "%s is no array, pointer or struct", input->argv[0]);
	if (kind == TYPE_STRUCT || kind == TYPE_UNION)
		walk->count = 1;
	if (kind == TYPE_ARRAY)
		walk->count = type_array_length(type);
	if (input->argc > 1)
		walk->count = length;
	else if (!walk->count)
		return error_new(ERROR_USAGE, "%s does not say how many there are: array EXPR "
					      "COUNT", kind == TYPE_ARRAY ? "this array" : "a pointer");
	walk->offset = type_size(walk->type);
	if (!walk->offset && !input->dry)
		return error_new(ERROR_NOT_FOUND, "how large an element is, is not known");
	if (walk->count > ARRAY_MAX)
		return error_new(ERROR_USAGE, "at most %d elements", ARRAY_MAX);
	return NULL;
}

static void each_element(struct walking *walk, walk_fn fn, void *ctx)
{
	for (uint64_t i = 0; i < walk->count; i++) {
		struct walked object = { .address = walk->address + i * walk->offset,
					 .cpu = -1, .kind = WALKED_ELEMENT, .data = &i };
		if (!fn(ctx, &object))
			return;
	}
}

static enum field_found get_index(struct field_ask *ask)
{
	const uint64_t *index = walked_data(ask->object, WALKED_ELEMENT);

	if (index)
		ask->number = *index;
	return index ? FIELD_KNOWN : FIELD_NOTHING;
}

/* --- The tables --- */

static const struct walker rows[] = {
	{ .name = "slab", .data_size = sizeof(struct slab_object),
	  .usage = "CACHE [TYPE] [all]", .words_max = 3, .begin = begin_slab,
	  .each = each_slab_object,
	  .summary = "the objects in use of a slab cache (all: free ones too)",
	  .example = "slab dentry |> where d_lockref.count == 0 |> count by d_sb->s_id" },
	{ .name = "caches", .usage = "", .type = "kmem_cache", .each = each_cache,
	  .summary = "the slab caches", .example = "caches |> top 10 bytes" },
	{ .name = "pages", .data_size = sizeof(struct page_info),
	  .usage = "[PFN [COUNT]]", .type = "page", .words_max = 2,
	  .begin = begin_pages, .each = each_page, .summary = "the struct page of each page frame",
	  .example = "pages |> count by kind" },
	{ .name = "array", .data_size = sizeof(uint64_t),
	  .usage = "EXPR [COUNT]", .words_max = 2, .begin = begin_array,
	  .each = each_element, .summary = "the elements of an array",
	  .example = "array '(struct softirq_action *)&softirq_vec' 10 |> select i, action" },
};

const struct walker_table walkers_memory = { rows, array_size(rows) };

static const struct walk_field fields[] = {
	{ "slab", "allocated", FIELD_BOOL, "is the object in use?", get_allocated },
	{ "slab", "slab_page", FIELD_ADDRESS, "the slab's struct page", get_slab_page },
	{ "kmem_cache", "objects", FIELD_NUMBER, "objects, in use or not", get_cache_objects },
	{ "kmem_cache", "allocated", FIELD_NUMBER, "objects in use", get_cache_allocated },
	{ "kmem_cache", "bytes", FIELD_BYTES, "memory of its slabs", get_cache_bytes },
	{ "kmem_cache", "object_type", FIELD_TEXT, "the struct of its objects", get_cache_type },
	{ "page", "pfn", FIELD_NUMBER, "its number", get_pfn },
	{ "page", "kind", FIELD_TEXT, "what it is used for", get_page_kind },
	{ "page", "flag_names", FIELD_TEXT, "its flags", get_page_flags },
	{ "page", "refs", FIELD_NUMBER, "references, of the compound page", get_page_refs },
	{ "page", "order", FIELD_NUMBER, "of the compound or free block", get_page_order },
	{ "page", "head", FIELD_ADDRESS, "the compound page's first", get_page_head },
	{ "page", "owner", FIELD_ADDRESS, "address_space, anon_vma, kmem_cache", get_page_owner },
	{ "array", "i", FIELD_NUMBER, "the element's index", get_index },
};

const struct field_table fields_memory = { fields, array_size(fields) };
