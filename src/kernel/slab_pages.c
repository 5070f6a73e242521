// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * All slabs, by one pass over the array of struct page; or the slab of one address by its page, as
 * the pass takes seconds where there are terabytes. Full slabs are on no list of the kernel:
 * this is the only way to them. The head page of a slab names its cache, and carries a mark:
 *
 *	up to 6.9	the bit PG_slab of page.flags
 *	6.10, 6.11	page.page_type with a bit cleared, PG_slab; the top bit is set
 *	since 6.12	page.page_type with PGTY_slab in its top byte
 *
 * (include/linux/page-flags.h). VMCOREINFO tells PG_slab, and since 6.10 what page_type then is as
 * PAGE_SLAB_MAPCOUNT_VALUE (kernel/vmcore_info.c). A page counts as a slab when it has the mark and
 * its cache is one of the list of caches.
 *
 * The pages of KFENCE's pool carry the mark too, but are no slabs; see slab_kfence.c.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/parallel.h"
#include "kernel/pages.h"
#include "kernel/slab_state.h"

enum {
	READ_PAGES = 64,            /* struct pages read at once */
	CHUNK_PAGES = 1 << 15,      /* of one piece of work: a section of the memory map */
	LONE_MAX = 256,             /* slabs looked at one by one: more are worth a pass over all */
};

static bool mark_of_type(struct session *s, uint32_t value, struct slab_mark *mark)
{
	struct member m;

	if (!types_member(s->types, "page", "page_type|_mapcount.counter|_mapcount", &m))
		return false;
	mark->offset = m.offset;
	if (value & 0xffffff) {
		mark->kind = MARK_TYPE_BIT;
		mark->value = ~value;
	} else {
		mark->kind = MARK_TYPE;
		mark->value = value >> 24;
	}
	return true;
}

static bool mark_of_flag(struct session *s, int64_t bit, struct slab_mark *mark)
{
	struct member m;

	if (bit < 0 || bit > 31 || !types_member(s->types, "page", "flags", &m))
		return false;
	*mark = (struct slab_mark){ MARK_FLAG, m.offset, UINT32_C(1) << bit };
	return true;
}

/* None found: then the name of the cache alone has to do. */
static void find_mark(struct session *s, struct slab_mark *mark)
{
	int64_t value;

	*mark = (struct slab_mark){ MARK_NONE, 0, 0 };
	if (dump_vmcoreinfo_number(s->dump, "NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)", &value) &&
	    mark_of_type(s, (uint32_t)value, mark))
		return;
	if (dump_vmcoreinfo_number(s->dump, "NUMBER(PG_slab)", &value) &&
	    mark_of_flag(s, value, mark))
		return;
	if (types_sizeof(s->types, "enum pagetype") &&
	    types_enumerator(s->types, "PGTY_slab", &value)) {
		mark_of_type(s, (uint32_t)value << 24, mark);
	} else if (types_enumerator(s->types, "PG_slab", &value)) {
		if (value < 64)
			mark_of_flag(s, value, mark);
		else
			mark_of_type(s, ~(uint32_t)value, mark);
	}
}

static bool member_in_page(struct session *s, const struct slab_layout *layout, const char *path,
			   struct member *m)
{
	return types_member(s->types, layout->type, path, m) && m->size <= 8 &&
	       range_fits(m->offset, m->size, layout->page_size);
}

bool slab_find_layout(struct slab_state *state)
{
	struct session *s = state->session;
	struct slab_layout *l = &state->layout;

	if (state->has_layout)
		return state->layout_usable;
	state->has_layout = true;
	l->page_size = types_sizeof(s->types, "page");
	l->type = types_member(s->types, "slab", "slab_cache", &l->cache) ? "slab" : "page";
	if (!l->page_size || l->page_size > STRUCT_PAGE_MAX ||
	    !member_in_page(s, l, "slab_cache", &l->cache) ||
	    !member_in_page(s, l, "freelist", &l->freelist)) {
		session_problem(s, "slabs: the types do not tell how struct page describes one");
		return false;
	}
	find_mark(s, &l->mark);
	if (!range_fits(l->mark.offset, 4, l->page_size))
		l->mark = (struct slab_mark){ MARK_NONE, 0, 0 };
	bool usable = member_in_page(s, l, "inuse", &l->inuse) &&
		      member_in_page(s, l, "objects", &l->objects);
	l->has_frozen = member_in_page(s, l, "frozen", &l->frozen);
	l->has_next = member_in_page(s, l, "next", &l->next);
	l->has_s_mem = member_in_page(s, l, "s_mem", &l->s_mem) &&
		       member_in_page(s, l, "active", &l->active);
	if (s->symbols && member_in_page(s, l, "callback_head.func|rcu_head.func", &l->rcu_func))
		l->rcu_free_slab = symbols_address(s->symbols, "rcu_free_slab");
	uint64_t index_size = state->allocator == ALLOCATOR_SLAB
				      ? types_sizeof(s->types, "freelist_idx_t") : 0;
	l->index_size = index_size <= 2 ? (unsigned)index_size : 0;
	state->layout_usable =
		state->allocator == ALLOCATOR_SLAB ? l->has_s_mem :
		state->allocator == ALLOCATOR_SLUB ? usable : false;
	return state->layout_usable;
}

static bool is_marked(const struct slab_mark *mark, const uint8_t *page)
{
	uint32_t word = load_u32(page + mark->offset);

	switch (mark->kind) {
	case MARK_FLAG:
		return word & mark->value;
	case MARK_TYPE:
		return word >> 24 == mark->value;
	case MARK_TYPE_BIT:
		return word >> 31 && !(word & mark->value);
	default:
		return true;
	}
}

static uint64_t load_member(const struct member *m, const uint8_t *page)
{
	uint64_t value;

	return member_load(m, page + m->offset, m->size, &value) ? value : 0;
}

static unsigned order_of(const struct slab_cache *cache, unsigned objects)
{
	unsigned order = 0;

	if (!objects || objects == cache->objects_per_slab)
		return cache->order;
	while (order < SLAB_ORDER_MAX && ((size_t)PAGE_SIZE << order) / cache->size < objects)
		order++;
	return order;
}

/* What SLUB says of the slab: struct slab at @bytes. */
static void read_slub(const struct slab_layout *l, const uint8_t *bytes, struct slab *slab)
{
	const struct slab_cache *cache = slab->cache;

	slab->objects = (unsigned)load_member(&l->objects, bytes);
	slab->inuse = (unsigned)load_member(&l->inuse, bytes);
	slab->freelist = load_member(&l->freelist, bytes);
	slab->frozen = l->has_frozen && load_member(&l->frozen, bytes);
	slab->first = slab->start;
	unsigned order = order_of(cache, slab->objects);
	slab->size = (uint64_t)PAGE_SIZE << order;
	slab->count = slab->objects;
	/* No slab is larger than its cache wants: a damaged count. */
	if (!slab->objects || order > cache->order ||
	    slab->objects > slab->size / cache->size) {
		slab->size = (uint64_t)PAGE_SIZE << cache->order;
		slab->count = (unsigned)min_u64(cache->objects_per_slab,
						slab->size / cache->size);
	}
	if (slab->inuse < slab->objects)
		slab->place = slab->frozen ? SLAB_PLACE_UNKNOWN : SLAB_PLACE_NODE_PARTIAL;
	else
		slab->place = slab->frozen ? SLAB_PLACE_UNKNOWN : SLAB_PLACE_FULL;
	if (cache->rcu && !slab->inuse && l->rcu_free_slab &&
	    load_member(&l->rcu_func, bytes) == l->rcu_free_slab)
		slab->place = SLAB_PLACE_DYING;
}

/* SLAB: objects begin where s_mem says (colouring), and `active` of them are in use. */
static void read_slab(const struct slab_layout *l, const uint8_t *bytes, struct slab *slab)
{
	const struct slab_cache *cache = slab->cache;

	slab->objects = slab->count = cache->objects_per_slab;
	slab->inuse = (unsigned)load_member(&l->active, bytes);
	slab->freelist = load_member(&l->freelist, bytes);
	slab->size = (uint64_t)PAGE_SIZE << cache->order;
	slab->first = load_member(&l->s_mem, bytes);
	if (slab->first < slab->start ||
	    !range_fits(slab->first - slab->start, (uint64_t)slab->count * cache->size,
			slab->size)) {
		slab->first = slab->start;
		slab->count = 0;
	}
	slab->place = slab->inuse >= slab->objects ? SLAB_PLACE_FULL : SLAB_PLACE_NODE_PARTIAL;
}

static void set_cpu(const struct slab_state *state, struct slab *slab)
{
	uint64_t index;

	slab->cpu = slab->node = -1;
	if (!map_get(&state->cpu_slab_by_page, slab->page, &index))
		return;
	const struct cpu_slab *cpu = &state->cpu_slabs.data[index];
	slab->cpu = cpu->cpu;
	slab->place = cpu->place;
	slab->cpu_freelist = cpu->freelist;
}

/* Is the struct page at @bytes the head of a slab? Describes it then. */
static bool slab_of_page(struct slab_state *state, uint64_t page, uint64_t pfn,
			 const uint8_t *bytes, struct slab *slab)
{
	const struct slab_layout *l = &state->layout;
	uint64_t index;

	if (!is_marked(&l->mark, bytes) ||
	    !map_get(&state->by_address, load_member(&l->cache, bytes), &index))
		return false;
	*slab = (struct slab){
		.cache = &state->caches.data[index],
		.page = page,
		.start = direct_map_of(state->session, (struct paddr){ pfn << PAGE_SHIFT }),
	};
	const struct kfence_pool *pool = &state->kfence;
	if (!slab->start || (slab->start >= pool->start &&
			     slab->start - pool->start < (pool->count + 1) * 2 * PAGE_SIZE))
		return false;
	if (state->allocator == ALLOCATOR_SLUB)
		read_slub(l, bytes, slab);
	else
		read_slab(l, bytes, slab);
	set_cpu(state, slab);
	return true;
}

/* --- The pass. --- */

struct pass {
	struct slab_state *state;
	uint64_t max_pfn;
	bool caches_only; /* wanted are the addresses of their caches */
	struct worker {
		struct {
			vec_fields(struct slab);
		} found;
		struct map caches;
		uint64_t holes;
	} *workers;
};

static void look_at(struct pass *pass, struct worker *worker, uint64_t page, uint64_t pfn,
		    const uint8_t *bytes)
{
	const struct slab_layout *l = &pass->state->layout;
	struct slab slab;

	if (!pass->caches_only) {
		if (slab_of_page(pass->state, page, pfn, bytes, &slab))
			vec_push(&worker->found, slab);
		return;
	}
	uint64_t cache = load_member(&l->cache, bytes);
	if (is_marked(&l->mark, bytes) && cache % sizeof(cache) == 0 &&
	    pass->state->session->arch->is_kernel_address(cache))
		map_set(&worker->caches, cache, 1);
}

static void scan_chunk(void *ctx, unsigned worker_number, size_t chunk)
{
	struct pass *pass = ctx;
	struct worker *worker = &pass->workers[worker_number];
	struct session *s = pass->state->session;
	uint64_t size = pass->state->layout.page_size;
	uint64_t pfn = (uint64_t)chunk * CHUNK_PAGES;
	uint64_t end = min_u64(pfn + CHUNK_PAGES, pass->max_pfn);
	uint8_t bytes[READ_PAGES * STRUCT_PAGE_MAX];

	for (; pfn < end && !session_stopped(s); pfn += READ_PAGES) {
		uint64_t page = page_of_pfn(s, pfn);
		uint64_t n = min_u64(READ_PAGES, end - pfn);
		if (!page)
			continue;
		enum read_status status = memory_read(s->memory, page, bytes, n * size);
		if (status != READ_OK) {
			worker->holes += status != READ_UNMAPPED;
			continue;
		}
		for (uint64_t i = 0; i < n; i++)
			look_at(pass, worker, page + i * size, pfn + i, bytes + i * size);
	}
}

static int by_start(const void *a, const void *b)
{
	const struct slab_record *x = a, *y = b;

	return x->slab.start < y->slab.start ? -1 : x->slab.start > y->slab.start;
}

/* Groups the records by cache: a counting sort. */
static void group_by_cache(struct slab_state *state)
{
	size_t caches = state->caches.count;
	size_t *first = xcalloc(caches + 2, sizeof(*first));

	state->by_cache = xcalloc(state->record_count, sizeof(*state->by_cache));
	/* first[i + 2] counts cache i; summed up, first[i + 1] is where the next of i goes. */
	for (size_t i = 0; i < state->record_count; i++)
		first[state->records[i].slab.cache - state->caches.data + 2]++;
	for (size_t i = 2; i < caches + 2; i++)
		first[i] += first[i - 1];
	for (size_t i = 0; i < state->record_count; i++) {
		size_t cache = (size_t)(state->records[i].slab.cache - state->caches.data);
		state->by_cache[first[cache + 1]++] = i;
	}
	state->cache_first = first;
}

static void gather(struct slab_state *state, struct pass *pass, unsigned workers)
{
	size_t count = 0;
	uint64_t holes = 0;

	for (unsigned i = 0; i < workers; i++) {
		count += pass->workers[i].found.count;
		holes += pass->workers[i].holes;
	}
	state->records = xcalloc(count, sizeof(*state->records));
	for (unsigned i = 0; i < workers; i++) {
		vec_for_each (slab, &pass->workers[i].found)
			state->records[state->record_count++].slab = *slab;
	}
	qsort(state->records, state->record_count, sizeof(*state->records), by_start);
	if (holes)
		session_problem(state->session, "slabs: the dump lacks struct pages (of %lu blocks "
				"of %d pages): not all slabs are known", (unsigned long)holes,
				READ_PAGES);
}

static void run_pass(struct pass *pass, const struct page_array *array, unsigned workers)
{
	pass->max_pfn = array->max_pfn;
	pass->workers = xcalloc(workers, sizeof(*pass->workers));
	parallel_for((array->max_pfn + CHUNK_PAGES - 1) / CHUNK_PAGES, pass->state->session->stop,
		     scan_chunk, pass);
}

static void pass_deinit(struct pass *pass, unsigned workers)
{
	for (unsigned i = 0; i < workers; i++) {
		vec_deinit(&pass->workers[i].found);
		map_deinit(&pass->workers[i].caches);
	}
	free(pass->workers);
}

void slab_caches_of_pages(struct slab_state *state, struct map *caches)
{
	const struct page_array *array = page_array(state->session);
	struct pass pass = { .state = state, .caches_only = true };
	unsigned workers = parallel_workers();

	/* Without a mark any page could be meant. */
	if (!slab_find_layout(state) || !array->valid || state->layout.mark.kind == MARK_NONE)
		return;
	run_pass(&pass, array, workers);
	for (unsigned i = 0; i < workers; i++) {
		const struct map *map = &pass.workers[i].caches;
		for (size_t k = 0; k < map->capacity; k++) {
			if (map->slots[k].used)
				map_set(caches, map->slots[k].key, 1);
		}
	}
	pass_deinit(&pass, workers);
}

void slab_build_index(struct slab_state *state)
{
	const struct page_array *array = page_array(state->session);
	struct pass pass = { .state = state };
	unsigned workers = parallel_workers();

	if (state->has_index)
		return;
	slab_read_cpus(state);
	slab_kfence(state);
	state->has_index = true;
	if (slab_find_layout(state) && !array->valid)
		session_problem(state->session, "slabs: where the array of struct page is cannot "
				"be told");
	if (state->layout_usable && array->valid) {
		run_pass(&pass, array, workers);
		gather(state, &pass, workers);
		pass_deinit(&pass, workers);
	}
	group_by_cache(state);
}

static struct slab_record *indexed_record(struct slab_state *state, uint64_t address)
{
	size_t low = 0, high = state->record_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (state->records[middle].slab.start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return NULL;
	struct slab_record *record = &state->records[low - 1];
	return address - record->slab.start < record->slab.size ? record : NULL;
}

/* The slab of one page, whose head is @page. With the lock held. */
static struct slab_record *lone_record(struct slab_state *state, uint64_t page, uint64_t pfn)
{
	uint8_t bytes[STRUCT_PAGE_MAX];
	struct slab slab;
	uint64_t index;

	if (map_get(&state->lone_by_page, page, &index))
		return state->lone.data[index];
	if (memory_read(state->session->memory, page, bytes, state->layout.page_size) != READ_OK ||
	    !slab_of_page(state, page, pfn, bytes, &slab))
		return NULL;
	struct slab_record *record = xcalloc(1, sizeof(*record));
	record->slab = slab;
	map_set(&state->lone_by_page, page, state->lone.count);
	vec_push(&state->lone, record);
	return record;
}

struct slab_record *slab_record_at(struct slab_state *state, uint64_t address)
{
	struct slab_record *record = NULL;
	struct paddr paddr;
	struct page_info info;

	if (state->lone.count >= LONE_MAX)
		slab_build_index(state);
	if (state->has_index)
		return indexed_record(state, address);
	slab_read_cpus(state);
	slab_kfence(state);
	if (!slab_find_layout(state) || !direct_map_to_phys(state->session, address, &paddr) ||
	    !page_info(state->session, paddr.v >> PAGE_SHIFT, &info))
		return NULL;
	pthread_mutex_lock(&state->lock);
	record = lone_record(state, info.head, info.head_pfn);
	pthread_mutex_unlock(&state->lock);
	return record && address - record->slab.start < record->slab.size ? record : NULL;
}
