// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The slab check from above: all slabs are collected, then the lists of each cache are followed
 * (this tells which slabs are on one), then every slab is looked at on all cores. Last, what was
 * found is weighed: bytes that should have a known value and have it nearly nowhere are no damage,
 * but a layout of debug data that the program does not know.
 */
#include "forensics/slab_check.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/parallel.h"
#include "forensics/slab_check_state.h"
#include "kernel/cpus.h"

enum {
	SLABS_PER_CHUNK = 64,
	KEY_SAMPLES = 1000,
	/* More than one in so many wrong, and more than a few: not understood. */
	TRUSTED_SHARE = 4,
	TRUSTED_MIN = 8,
};

static const char *const kind_names[] = {
	[DAMAGE_FREELIST_OUTSIDE] = "freelist-outside",
	[DAMAGE_FREELIST_MISALIGNED] = "freelist-misaligned",
	[DAMAGE_FREELIST_FOREIGN] = "freelist-foreign",
	[DAMAGE_FREELIST_LOOP] = "freelist-loop",
	[DAMAGE_DOUBLE_FREE] = "double-free",
	[DAMAGE_INUSE_COUNT] = "inuse-count",
	[DAMAGE_OBJECT_COUNT] = "object-count",
	[DAMAGE_RED_ZONE_LEFT] = "red-zone-left",
	[DAMAGE_RED_ZONE_RIGHT] = "red-zone-right",
	[DAMAGE_KMALLOC_RED_ZONE] = "kmalloc-red-zone",
	[DAMAGE_POISON] = "poison",
	[DAMAGE_OBJECT_PADDING] = "object-padding",
	[DAMAGE_SLAB_PADDING] = "slab-padding",
	[DAMAGE_STATE] = "state",
	[DAMAGE_TRACK] = "track",
	[DAMAGE_WRONG_CACHE] = "wrong-cache",
	[DAMAGE_PARTIAL_LIST] = "partial-list",
	[DAMAGE_PARTIAL_COUNT] = "partial-count",
	[DAMAGE_CPU_SLAB] = "cpu-slab",
	[DAMAGE_LOST_SLAB] = "lost-slab",
};
_Static_assert(array_size(kind_names) == DAMAGE_KIND_COUNT, "a name for each kind");

const char *slab_damage_name(enum slab_damage_kind kind)
{
	return kind_names[kind];
}

struct slab_damage *damage_add(struct check_worker *worker, enum slab_damage_kind kind,
			       const struct slab_cache *cache, const struct slab *slab)
{
	struct slab_damage damage = {
		.kind = kind,
		.cache = cache,
		.slab = { .cpu = -1, .node = -1 },
		.busy_cpu = -1,
	};

	if (worker->of_kind[kind]++ >= DAMAGES_MAX)
		return NULL;
	if (slab)
		damage.slab = *slab;
	vec_push(&worker->damages, damage);
	return &worker->damages.data[worker->damages.count - 1];
}

void damage_read(struct checker *checker, struct slab_damage *damage, uint64_t length)
{
	size_t size = length < DAMAGE_BYTES ? length : DAMAGE_BYTES;

	if (!damage->address)
		return;
	damage->length = length;
	damage->found_count = (uint8_t)memory_read_some(checker->session->memory, damage->address,
							damage->found, size);
}

/* --- Preparation. --- */

bool check_add_slab(void *ctx, const struct slab *slab)
{
	struct checker *checker = ctx;

	map_set(&checker->by_page, slab->page, checker->slabs.count);
	vec_push(&checker->slabs, *slab);
	return true;
}

/* Hardened freelist pointers: which of the two keys gives pointers that make sense? */
static bool keys_are_swapped(const struct checker *checker)
{
	size_t swapped = 0, plain = 0, samples = 0;
	uint64_t stored;

	/* Struct slab came after the swapped keys. */
	if (strcmp(checker->layout.slab, "slab") == 0)
		return true;
	for (size_t i = 0; i < checker->slabs.count; i++) {
		const struct slab *slab = &checker->slabs.data[i];
		const struct slab_cache *cache = slab->cache;
		uint64_t head = slab->freelist ? slab->freelist : slab->cpu_freelist;
		uint64_t at = head + cache->free_offset;
		if (!cache->hardened || head - slab->start >= slab->size ||
		    memory_u64(checker->session->memory, at, &stored) != READ_OK)
			continue;
		uint64_t a = stored ^ cache->random ^ __builtin_bswap64(at);
		uint64_t b = stored ^ cache->random ^ at;
		swapped += !a || a - slab->start < slab->size;
		plain += !b || b - slab->start < slab->size;
		if (++samples == KEY_SAMPLES)
			break;
	}
	return swapped >= plain;
}

void check_find_layout(struct checker *checker)
{
	struct session *s = checker->session;
	struct check_layout *l = &checker->layout;
	int64_t bit;

	/* include/linux/slab.h: an enumerator since 6.9, before that a macro. */
	bool named = types_enumerator(s->types, "_SLAB_KMALLOC", &bit) && bit >= 0 && bit < 64;
	l->kmalloc_flag = named ? UINT64_C(1) << bit : 0x1000;
	l->slab = koffset(s, "slab", "freelist", &l->freelist) ? "slab" : "page";
	koffset(s, l->slab, "freelist", &l->freelist);
	koffset(s, l->slab, "slab_cache", &l->cache);
	if (!koffset(s, l->slab, "counters", &l->counters))
		koffset(s, l->slab, "inuse", &l->counters);
	l->has_list = koffset(s, l->slab, "slab_list|lru", &l->list);
	l->has_kasan = koffset(s, "kmem_cache", "kasan_info", &(uint64_t){ 0 });
	l->has_obj_exts = types_member(s->types, l->slab, "obj_exts", &l->obj_exts);
	l->track_size = types_sizeof(s->types, "track");
	l->swapped_keys = keys_are_swapped(checker);
	checker->lists_known =
		l->has_list && koffset(s, "kmem_cache_node", "partial", &(uint64_t){ 0 }) &&
		koffset(s, "kmem_cache_node", "nr_partial", &(uint64_t){ 0 });
}

/* --- The work. --- */

static void check_chunk(void *ctx, unsigned worker, size_t chunk)
{
	struct checker *checker = ctx;
	size_t from = chunk * SLABS_PER_CHUNK, to = from + SLABS_PER_CHUNK;

	for (size_t i = from; i < to && i < checker->slabs.count; i++)
		check_slab(checker, &checker->workers[worker], &checker->slabs.data[i]);
}

static int compare(const void *a, const void *b)
{
	const struct slab_damage *x = a, *y = b;

	if (x->cache != y->cache)
		return strcmp(x->cache->name, y->cache->name);
	return x->address < y->address ? -1 : x->address > y->address;
}

/* Is what is found of this kind damage, or a layout that is not understood? */
static bool is_trusted(enum slab_damage_kind kind, const struct tally *tally)
{
	/* Kernels before 6.2 do not fill what was not asked for; what is there is anything. */
	uint64_t min = kind == DAMAGE_KMALLOC_RED_ZONE ? 0 : TRUSTED_MIN;

	return tally->bad <= min || tally->bad * TRUSTED_SHARE <= tally->places;
}

/* What is known of the objects besides; not in the workers, since it is needed for few. */
static void complete(struct session *s, struct slab_damage *damage)
{
	struct slab_object object;
	uint64_t cpu_slabs, offset;
	const struct cpu *cpu = damage->slab.cpu >= 0 ? cpu_by_id(s, (unsigned)damage->slab.cpu)
						      : NULL;

	/* The head of a CPU's own list. */
	if (!damage->address && cpu && koffset(s, "kmem_cache_cpu", "freelist", &offset) &&
	    kread(s, damage->cache->address, "kmem_cache", "cpu_slab", &cpu_slabs))
		damage->address = cpu_slabs + cpu->percpu_offset + offset;
	if (!damage->object || !slab_object_at(s, damage->object, &object))
		return;
	damage->by_list = object.state != OBJECT_UNKNOWN;
	damage->freed = object.state == OBJECT_FREE || object.state == OBJECT_FREE_CPU;
}

void check_collect(struct checker *checker, struct slab_check *check)
{
	struct tally tally[DAMAGE_KIND_COUNT] = { 0 };
	size_t total = 0;

	for (unsigned w = 0; w < checker->worker_count; w++) {
		const struct check_worker *worker = &checker->workers[w];
		for (size_t kind = 0; kind < DAMAGE_KIND_COUNT; kind++) {
			tally[kind].places += worker->tally[kind].places;
			tally[kind].bad += worker->tally[kind].bad;
		}
		total += worker->damages.count;
		check->objects += worker->objects;
		check->bytes += worker->bytes;
		check->holes += worker->holes;
	}
	check->damages = xcalloc(total ? total : 1, sizeof(*check->damages));
	for (unsigned w = 0; w < checker->worker_count; w++) {
		const struct check_worker *worker = &checker->workers[w];
		for (size_t kind = 0; kind < DAMAGE_KIND_COUNT; kind++) {
			if (worker->of_kind[kind] > DAMAGES_MAX &&
			    is_trusted((enum slab_damage_kind)kind, &tally[kind]))
				check->left_out += worker->of_kind[kind] - DAMAGES_MAX;
		}
		for (size_t i = 0; i < worker->damages.count; i++) {
			const struct slab_damage *damage = &worker->damages.data[i];
			if (is_trusted(damage->kind, &tally[damage->kind]))
				check->damages[check->count++] = *damage;
			else if (damage->kind != DAMAGE_KMALLOC_RED_ZONE)
				check->not_checked = kind_names[damage->kind];
		}
	}
	qsort(check->damages, check->count, sizeof(*check->damages), compare);
	for (size_t i = 0; i < check->count; i++)
		complete(checker->session, &check->damages[i]);
}

void check_deinit(struct checker *checker)
{
	for (unsigned i = 0; i < checker->worker_count; i++) {
		vec_deinit(&checker->workers[i].damages);
		free(checker->workers[i].memory);
		free(checker->workers[i].seen);
	}
	free(checker->workers);
	vec_deinit(&checker->slabs);
	map_deinit(&checker->by_page);
	map_deinit(&checker->on_list);
	map_deinit(&checker->strange);
	map_deinit(&checker->broken_lists);
	busy_deinit(&checker->busy);
}

bool slab_check(struct session *s, const struct slab_cache *const *caches, size_t count,
		struct slab_check *check)
{
	struct checker checker = { .session = s };
	size_t all_count;
	const struct slab_cache *all = slab_caches(s, &all_count);

	*check = (struct slab_check){ 0 };
	if (slab_allocator(s) != ALLOCATOR_SLUB || !all_count)
		return false;
	slab_prepare(s);
	/* Lists may lead to slabs of any cache: all are known, those asked for are looked at. */
	slab_each(s, NULL, check_add_slab, &checker);
	check_find_layout(&checker);
	busy_find(s, &checker.busy);
	checker.worker_count = parallel_workers();
	checker.workers = xcalloc(checker.worker_count, sizeof(*checker.workers));
	for (size_t i = 0; i < (count ? count : all_count) && !session_stopped(s); i++) {
		const struct slab_cache *cache = count ? caches[i] : &all[i];
		check->caches++;
		check->debug_caches += cache->red_zone || cache->poison || cache->store_user;
		check_lists(&checker, &checker.workers[0], cache);
	}
	size_t kept = 0;
	for (size_t i = 0; count && i < checker.slabs.count; i++) {
		for (size_t c = 0; c < count; c++) {
			if (checker.slabs.data[i].cache == caches[c]) {
				checker.slabs.data[kept++] = checker.slabs.data[i];
				break;
			}
		}
	}
	if (count)
		checker.slabs.count = kept;
	check->slabs = checker.slabs.count;
	size_t chunks = (checker.slabs.count + SLABS_PER_CHUNK - 1) / SLABS_PER_CHUNK;
	check->stopped = !parallel_for(chunks, s->stop, check_chunk, &checker);
	check_collect(&checker, check);
	check_deinit(&checker);
	return true;
}

void slab_check_deinit(struct slab_check *check)
{
	free(check->damages);
	check->damages = NULL;
	check->count = 0;
}
