// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Words are classified once and remembered. What a pointer points to is looked at only as far as
 * tells kinds of pointers apart: does the target point back (lists, trees), is it text, code, an
 * object. The types of slab objects come from their cache (cache_types.h), or were inferred from
 * pointers of typed objects (identify_refs.c).
 */
#include "forensics/identify_words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/map.h"
#include "forensics/cache_types.h"
#include "kernel/pages.h"

enum {
	SMALL_MAX = 1 << 16,
	ERRNO_MAX = 4095, /* MAX_ERRNO, include/linux/err.h */
	REMEMBERED_MAX = 1 << 18,
};

struct id_context {
	struct session *session;
	struct id_types *types;
	uint64_t blind;
	struct map words;      /* address -> struct id_word * */
	struct map caches;     /* kmem_cache -> struct id + 1 */
	struct map inferred;   /* object -> struct id + 1 */
	struct map prototypes; /* address of a function -> prototype */
	struct map scores;     /* address and struct -> bits of the score */
	struct arena arena;    /* of the words */
	uint64_t vmemmap, vmemmap_end;
	uint64_t direct, direct_end;
};

struct id_context *id_context_create(struct session *s, struct id_types *types, uint64_t blind)
{
	struct id_context *ctx = xcalloc(1, sizeof(*ctx));
	const struct kernel_layout *layout = memory_layout(s->memory);
	const struct page_array *pages = page_array(s);

	ctx->session = s;
	ctx->types = types;
	ctx->blind = blind;
	if (pages->valid) {
		ctx->vmemmap = pages->vmemmap;
		ctx->vmemmap_end = pages->vmemmap + pages->max_pfn * pages->page_size;
	}
	if (layout->has_page_offset) {
		ctx->direct = layout->page_offset;
		ctx->direct_end = ctx->direct + (dump_info(s->dump)->max_pfn << PAGE_SHIFT);
	}
	return ctx;
}

static void forget(struct id_context *ctx)
{
	map_deinit(&ctx->words);
	map_deinit(&ctx->scores);
	ctx->words = ctx->scores = (struct map){ 0 };
	arena_deinit(&ctx->arena);
	ctx->arena = (struct arena){ 0 };
}

void id_context_destroy(struct id_context *ctx)
{
	if (!ctx)
		return;
	forget(ctx);
	map_deinit(&ctx->caches);
	map_deinit(&ctx->inferred);
	map_deinit(&ctx->prototypes);
	free(ctx);
}

void id_context_blind(struct id_context *ctx, uint64_t blind)
{
	if (ctx->blind != blind || ctx->words.count > REMEMBERED_MAX)
		forget(ctx);
	ctx->blind = blind;
}

uint64_t id_context_hidden(const struct id_context *ctx)
{
	return ctx->blind;
}

struct session *id_context_session(const struct id_context *ctx)
{
	return ctx->session;
}

struct id_types *id_context_types(const struct id_context *ctx)
{
	return ctx->types;
}

void id_context_infer(struct id_context *ctx, uint64_t address, uint32_t type)
{
	map_set(&ctx->inferred, address, (uint64_t)type + 1);
}

static uint64_t score_key(uint32_t id, uint64_t address)
{
	return address * UINT64_C(0x9e3779b97f4a7c15) ^ id * UINT64_C(0xc2b2ae3d27d4eb4f);
}

bool id_context_score(struct id_context *ctx, uint32_t id, uint64_t address, double *score)
{
	uint64_t bits;

	if (!map_get(&ctx->scores, score_key(id, address), &bits))
		return false;
	memcpy(score, &bits, sizeof(bits));
	return true;
}

void id_context_keep_score(struct id_context *ctx, uint32_t id, uint64_t address, double score)
{
	uint64_t bits;

	memcpy(&bits, &score, sizeof(bits));
	map_set(&ctx->scores, score_key(id, address), bits);
}

size_t id_read(struct id_context *ctx, uint64_t address, void *buf, size_t size)
{
	return memory_read_some(ctx->session->memory, address, buf, size);
}

/* --- Types of objects --- */

uint32_t id_cache_struct(struct id_context *ctx, const struct slab_cache *cache)
{
	uint64_t found;

	if (!cache || cache->address == ctx->blind)
		return ID_NONE;
	if (!map_get(&ctx->caches, cache->address, &found)) {
		const char *name = cache_type(ctx->session, cache->address);
		found = name ? (uint64_t)id_struct_named(ctx->types, name) + 1 : 0;
		if (found > id_types_count(ctx->types))
			found = 0;
		map_set(&ctx->caches, cache->address, found);
	}
	return found ? (uint32_t)(found - 1) : ID_NONE;
}

uint32_t id_object_struct(struct id_context *ctx, const struct slab_object *object)
{
	uint64_t found;

	uint32_t type = id_cache_struct(ctx, object->slab.cache);
	if (type != ID_NONE)
		return type;
	if (object->slab.cache && object->slab.cache->address == ctx->blind)
		return ID_NONE;
	return map_get(&ctx->inferred, object->address, &found) ? (uint32_t)(found - 1) : ID_NONE;
}

/* --- Classes --- */

/* Text, as far as it goes: two characters or more before the end of the string. */
static bool is_string(const uint8_t *p, size_t size)
{
	size_t n = 0;

	while (n < size && (isprint(p[n]) || p[n] == '\n' || p[n] == '\t'))
		n++;
	return n >= 2 && (n == size || !p[n]);
}

static bool is_text_bytes(const uint8_t *p, size_t size, size_t least)
{
	size_t n = 0;

	while (n < size && (isprint(p[n]) || p[n] == '\n' || p[n] == '\t'))
		n++;
	for (size_t i = n; i < size; i++) {
		if (p[i])
			return false;
	}
	return n >= least;
}

static void set_function(struct id_context *ctx, struct id_word *w)
{
	struct session *s = ctx->session;
	struct symbol symbol;
	struct type type;
	uint64_t prototype;
	char name[128];

	w->class = WORD_TEXT;
	if (!symbols_by_address(s->symbols, w->value, &symbol) || symbol.address != w->value)
		return;
	w->class = WORD_FUNCTION;
	if (!map_get(&ctx->prototypes, w->value, &prototype)) {
		size_t n = strcspn(symbol.name, ".");
		prototype = 0;
		if (n < sizeof(name)) {
			memcpy(name, symbol.name, n);
			name[n] = '\0';
			if (types_btf_function(s->types, name, &type))
				prototype = id_prototype(ctx->types, type);
		}
		map_set(&ctx->prototypes, w->value, prototype);
	}
	w->prototype = (uint32_t)prototype;
}

static bool set_slab(struct id_context *ctx, struct id_word *w)
{
	struct slab_object object;

	if (!slab_object_at(ctx->session, w->value, &object))
		return false;
	w->class = WORD_SLAB;
	if (object.state == OBJECT_PADDING || object.in_redzone || object.in_metadata)
		return true;
	w->freed = object.state == OBJECT_FREE || object.state == OBJECT_FREE_CPU;
	w->object = object.address;
	w->offset = object.offset;
	if (object.slab.cache)
		w->room = object.slab.cache->object_size - object.offset;
	if (!w->freed)
		w->type = id_object_struct(ctx, &object);
	return true;
}

static void set_symbol(struct id_word *w, const struct symbol *symbol)
{
	w->class = strchr("rR", symbol->type) ? WORD_RODATA : WORD_DATA;
	if (symbol->size && w->value - symbol->address < symbol->size)
		w->room = symbol->size - (w->value - symbol->address);
}

/* Does what @w at @address points to point back? */
static void look_behind(struct id_context *ctx, struct id_word *w, uint64_t address)
{
	uint64_t at[3];
	/* The lowest bit is a flag or the colour in some lists and trees. */
	uint64_t target = w->value & ~UINT64_C(3), low = w->value & 3;
	size_t n = id_read(ctx, target, at, sizeof(at));

	w->readable = n >= 8;
	if (n >= 8) {
		w->prev_back = (at[0] & ~UINT64_C(3)) == address - 8;
		w->string = is_string((const uint8_t *)at + low, min_u64(n - low, 16));
	}
	if (n >= 16) {
		w->next_back = (at[1] & ~UINT64_C(3)) == address;
		w->tree = (at[1] & ~UINT64_C(3)) == address;
	}
	if (n >= 24)
		w->tree |= (at[2] & ~UINT64_C(3)) == address;
}

static void classify_pointer(struct id_context *ctx, struct id_word *w, uint64_t address)
{
	struct session *s = ctx->session;
	struct symbol symbol;

	w->here = w->value == address;
	if (w->value >= ctx->vmemmap && w->value < ctx->vmemmap_end) {
		w->class = WORD_PAGE;
		w->readable = true;
		return;
	}
	if (s->symbols && symbols_is_text(s->symbols, w->value)) {
		set_function(ctx, w);
		w->readable = true;
		return;
	}
	look_behind(ctx, w, address);
	if (w->value >= ctx->direct && w->value < ctx->direct_end) {
		w->class = WORD_DIRECT;
		if (set_slab(ctx, w))
			return;
		if (!w->readable)
			w->class = WORD_BAD;
	} else if (s->symbols && symbols_by_address(s->symbols, w->value, &symbol)) {
		set_symbol(w, &symbol);
	} else if (w->readable) {
		w->class = WORD_STACK;
	} else {
		w->class = WORD_BAD;
	}
}

static void classify(struct id_context *ctx, struct id_word *w, uint64_t address)
{
	uint64_t v = w->value;
	uint8_t bytes[8];

	memcpy(bytes, &v, 8);
	if (!v)
		w->class = WORD_ZERO;
	else if (v < SMALL_MAX || v > UINT64_MAX - ERRNO_MAX)
		w->class = WORD_SMALL;
	else if (ctx->session->arch->is_kernel_address(v) &&
		 v < UINT64_MAX - (UINT64_C(1) << 24))
		classify_pointer(ctx, w, address);
	else if (is_text_bytes(bytes, 8, 4))
		w->class = WORD_ASCII;
	else if (v >> 47 == 0 && v >= UINT64_C(0x500000000000))
		w->class = WORD_USER;
	else
		w->class = WORD_NUMBER;
}

const struct id_word *id_word_at(struct id_context *ctx, uint64_t address)
{
	uint64_t found, value;

	if (map_get(&ctx->words, address, &found))
		return (const struct id_word *)(uintptr_t)found;
	struct id_word *w = NULL;
	if (memory_u64(ctx->session->memory, address, &value) == READ_OK) {
		w = arena_zalloc(&ctx->arena, sizeof(*w));
		w->value = value;
		w->type = ID_NONE;
		classify(ctx, w, address);
	}
	map_set(&ctx->words, address, (uint64_t)(uintptr_t)w);
	return w;
}
