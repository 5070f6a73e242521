// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One slab of SLUB (mm/slub.c): its freelists, its counters, and with slub_debug the bytes that
 * have known values. From the address of an object, the layout of its stride is
 *
 *	-red_left       left red zone (SLAB_RED_ZONE)
 *	0               the object, of object_size bytes; when free and poisoned 0x6b ... 0xa5
 *	object_size     right red zone up to `inuse`, or 0x5a when there is poison only
 *	inuse           the freelist pointer, unless it lies in the object itself
 *	                two struct track (SLAB_STORE_USER), the size asked for (kmalloc)
 *	                0x5a up to the next stride (SLAB_POISON)
 *
 * Red zones are 0xbb around a free object and 0xcc around an allocated one; behind the last stride
 * the slab is 0x5a. All that the program does not know of a newer kernel's layout would be found
 * damaged in nearly each object; slab_check.c then drops the findings of that kind.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "forensics/slab_check_state.h"

enum {
	SEEN_SLAB = 1,
	SEEN_CPU = 2,
	OBJECTS_PER_SLAB_MAX = 32767, /* MAX_OBJS_PER_PAGE, mm/slub.c */
};

/* A slab that is being looked at. */
struct view {
	struct checker *checker;
	struct check_worker *worker;
	const struct slab *slab;
	const struct slab_cache *cache;
	const uint8_t *memory; /* slab->size bytes; NULL: not needed */
	uint8_t *seen;         /* of each object: on which freelists */
	unsigned count;
	bool broken;           /* a freelist could not be followed to its end */
};

static uint8_t *room(uint8_t **buffer, size_t *size, size_t wanted)
{
	if (*size < wanted) {
		*buffer = xrealloc(*buffer, wanted);
		*size = wanted;
	}
	return *buffer;
}

static uint64_t object_address(const struct view *v, unsigned index)
{
	return v->slab->first + (uint64_t)index * v->cache->size + v->cache->red_left;
}

/* The object whose user address is @address. */
static bool index_of(const struct view *v, uint64_t address, unsigned *index)
{
	uint64_t offset = address - v->slab->first - v->cache->red_left;

	if (offset % v->cache->size || offset / v->cache->size >= v->count)
		return false;
	*index = (unsigned)(offset / v->cache->size);
	return true;
}

static struct slab_damage *add(struct view *v, enum slab_damage_kind kind, uint64_t object,
			       uint64_t address)
{
	struct slab_damage *damage = damage_add(v->worker, kind, v->cache, v->slab);

	if (damage) {
		damage->object = object;
		damage->address = address;
	}
	return damage;
}

/* What a CPU that had the slab in hand can have left half done. */
static void busy_mark(struct view *v, struct slab_damage *damage)
{
	const struct slab *slab = v->slab;

	damage->busy_cpu = busy_with(&v->checker->busy, slab->start, slab->size);
	if (damage->busy_cpu < 0)
		damage->busy_cpu = busy_with(&v->checker->busy, slab->page, 64);
}

/* --- Freelists. --- */

/* Is it the start of an object of another slab? Then which cache's. */
static const struct slab_cache *foreign_cache(struct view *v, uint64_t address)
{
	struct slab_object object;

	if (!slab_object_at(v->checker->session, address, &object) || object.kfence)
		return NULL;
	return object.address == address ? object.slab.cache : NULL;
}

/* See kernel/slab_free.c. There what is likely is taken, here what the kernel would take. */
static uint64_t decode(const struct view *v, uint64_t slot, uint64_t stored)
{
	if (!v->cache->hardened)
		return stored;
	return stored ^ v->cache->random ^
	       (v->checker->layout.swapped_keys ? __builtin_bswap64(slot) : slot);
}

/* Text, or all zeros: what is written over a pointer by somebody who does not know of it. */
static bool is_written(uint64_t stored)
{
	uint8_t bytes[sizeof(stored)];
	size_t text = 0;

	memcpy(bytes, &stored, sizeof(bytes));
	while (text < sizeof(bytes) && bytes[text] >= ' ' && bytes[text] <= '~')
		text++;
	return !stored || text == sizeof(bytes) || (text >= 4 && !(stored >> 8 * text));
}

/*
 * A bad pointer is the head of a list: the object that it was in has been allocated since. With
 * hardened freelists what was written there follows from where it was written. The object where
 * that still stands is the one; where it was cleared meanwhile, the only one that makes it text.
 * 0: not known.
 */
static uint64_t overwritten_object(const struct view *v, uint64_t pointer, uint64_t *stored)
{
	uint64_t found = 0;
	bool several = false;

	for (unsigned i = 0; v->cache->hardened && i < v->count; i++) {
		uint64_t object = object_address(v, i), slot = object + v->cache->free_offset;
		/* The coding is its own inverse. */
		uint64_t written = decode(v, slot, pointer);
		if (!range_fits(slot - v->slab->start, sizeof(written), v->slab->size))
			continue;
		if (load_u64(v->memory + (slot - v->slab->start)) == written) {
			*stored = written;
			return object;
		}
		if (!is_written(written))
			continue;
		several |= found != 0;
		found = object;
		*stored = written;
	}
	return several ? 0 : found;
}

/* The first pointer of a list is bad; @head_at is where it is kept, 0: by the CPU. */
static void bad_head(struct view *v, uint64_t head_at, uint64_t pointer)
{
	bool inside = pointer - v->slab->start < v->slab->size;
	enum slab_damage_kind kind = inside ? DAMAGE_FREELIST_MISALIGNED : DAMAGE_FREELIST_OUTSIDE;
	uint64_t stored, object = overwritten_object(v, pointer, &stored);
	struct slab_damage *damage =
		add(v, kind, object, object ? object + v->cache->free_offset : head_at);
	char whose[32];

	if (!damage)
		return;
	snprintf(whose, sizeof(whose), head_at ? "the slab" : "CPU %d", v->slab->cpu);
	if (!object) {
		damage_read(v->checker, damage, sizeof(uint64_t));
		snprintf(damage->text, sizeof(damage->text),
			 "the freelist of %s begins with %016lx, which is no object of the slab", whose,
			 (unsigned long)pointer);
		return;
	}
	damage->length = damage->found_count = sizeof(stored);
	memcpy(damage->found, &stored, sizeof(stored));
	snprintf(damage->text, sizeof(damage->text),
		 "the freelist of %s begins with %016lx: over the freelist pointer in an object "
		 "was written %s%.8s%s", whose, (unsigned long)pointer,
		 is_written(stored) && stored ? "\"" : "something",
		 is_written(stored) ? (const char *)&stored : "",
		 is_written(stored) && stored ? "\"" : "");
}

static void bad_pointer(struct view *v, uint64_t object, uint64_t slot, uint64_t pointer)
{
	bool inside = pointer - v->slab->start < v->slab->size;
	const struct slab_cache *other = inside ? NULL : foreign_cache(v, pointer);
	enum slab_damage_kind kind = inside ? DAMAGE_FREELIST_MISALIGNED
				   : other  ? DAMAGE_FREELIST_FOREIGN
					    : DAMAGE_FREELIST_OUTSIDE;
	struct slab_damage *damage = add(v, kind, object, slot);

	if (!damage)
		return;
	damage_read(v->checker, damage, sizeof(uint64_t));
	if (inside)
		snprintf(damage->text, sizeof(damage->text),
			 "the freelist leads to %016lx, in the slab but not the start of an object",
			 (unsigned long)pointer);
	else if (other)
		snprintf(damage->text, sizeof(damage->text),
			 "the freelist leads to %016lx, an object in another slab, of %s",
			 (unsigned long)pointer, other->name);
	else
		snprintf(damage->text, sizeof(damage->text),
			 "the freelist leads to %016lx, outside of the slab", (unsigned long)pointer);
}

/* The list comes to @object again. @slot is the pointer that leads there. */
static void twice(struct view *v, unsigned length, uint64_t previous, uint64_t slot,
		  uint64_t object, bool both_lists)
{
	const struct slab *slab = v->slab;
	/* The counter is changed by each free and does not care whether it was the first. */
	bool counted = slab->inuse <= v->count && v->count - slab->inuse > length;
	bool freed_twice = both_lists || counted;
	struct slab_damage *damage =
		add(v, freed_twice ? DAMAGE_DOUBLE_FREE : DAMAGE_FREELIST_LOOP,
		    freed_twice ? object : previous, freed_twice ? object : slot);

	v->broken = true;
	if (!damage)
		return;
	if (!freed_twice)
		damage_read(v->checker, damage, sizeof(uint64_t));
	if (both_lists)
		snprintf(damage->text, sizeof(damage->text),
			 "freed twice: the object is on the slab's freelist and on that of CPU %d",
			 slab->cpu);
	else if (counted)
		snprintf(damage->text, sizeof(damage->text),
			 "freed twice: the freelist comes back to the object after %u others, and "
			 "the slab counts %u free objects", length, v->count - slab->inuse);
	else
		/* What is written by chance does not decode to an object's address. */
		snprintf(damage->text, sizeof(damage->text),
			 "the freelist leads back to %016lx, which it passed before%s",
			 (unsigned long)object,
			 v->cache->hardened ? ": most likely it was freed twice" : "");
}

/* Follows a freelist from its head, which is kept at @head_at; returns how many objects it has. */
static unsigned walk(struct view *v, uint64_t head, uint64_t head_at, uint8_t mark)
{
	uint64_t address = head, previous = 0, slot = head_at;
	unsigned length = 0, index;

	while (address) {
		if (!index_of(v, address, &index)) {
			v->broken = true;
			if (previous)
				bad_pointer(v, previous, slot, address);
			else
				bad_head(v, slot, address);
			break;
		}
		if (v->seen[index]) {
			twice(v, length, previous, slot, address, v->seen[index] != mark);
			break;
		}
		v->seen[index] = mark;
		length++;
		previous = address;
		slot = address + v->cache->free_offset;
		if (!range_fits(slot - v->slab->start, sizeof(uint64_t), v->slab->size)) {
			v->broken = true;
			break;
		}
		address = decode(v, slot, load_u64(v->memory + (slot - v->slab->start)));
	}
	return length;
}

/* --- Counters. --- */

static void check_counters(struct view *v, unsigned length)
{
	const struct slab *slab = v->slab;
	uint64_t at = slab->page + v->checker->layout.counters;
	struct slab_damage *damage;

	if (slab->objects != v->count) {
		damage = add(v, DAMAGE_OBJECT_COUNT, 0, at);
		if (damage) {
			damage_read(v->checker, damage, sizeof(uint64_t));
			snprintf(damage->text, sizeof(damage->text),
				 "the slab counts %u objects, and has room for %u", slab->objects,
				 v->count);
		}
	}
	if (v->broken || (slab->inuse <= v->count && v->count - slab->inuse == length))
		return;
	damage = add(v, DAMAGE_INUSE_COUNT, 0, at);
	if (!damage)
		return;
	damage_read(v->checker, damage, sizeof(uint64_t));
	busy_mark(v, damage);
	snprintf(damage->text, sizeof(damage->text),
		 "the slab counts %u of %u objects in use, and has %u on its freelist", slab->inuse,
		 v->count, length);
}

static void check_lost(struct view *v, unsigned length)
{
	struct checker *checker = v->checker;
	const struct slab *slab = v->slab;
	bool listed = slab->place == SLAB_PLACE_CPU || slab->place == SLAB_PLACE_CPU_PARTIAL ||
		      map_get(&checker->on_list, slab->page, &(uint64_t){ 0 });

	if (!length || listed || !checker->lists_known || v->broken ||
	    map_get(&checker->broken_lists, v->cache->address, &(uint64_t){ 0 }))
		return;
	/* An empty slab of such a cache waits for RCU, and its list pointers are used for that. */
	if (v->cache->rcu && !slab->inuse)
		return;
	struct slab_damage *damage = add(v, DAMAGE_LOST_SLAB, 0, slab->page);
	if (!damage)
		return;
	busy_mark(v, damage);
	snprintf(damage->text, sizeof(damage->text),
		 "%u of %u objects are free, but the slab is on no list", length, v->count);
}

/* --- Bytes of known value. --- */

/* Only bytes that the allocator itself writes: a CPU may have been about to fill all of it. */
static bool is_half_filled(const uint8_t *bytes, uint64_t length)
{
	static const uint8_t own[] = { RED_INACTIVE, RED_ACTIVE, POISON_INUSE_BYTE,
				       POISON_FREE_BYTE, POISON_END_BYTE };

	for (uint64_t i = 0; i < length; i++) {
		if (!memchr(own, bytes[i], sizeof(own)))
			return false;
	}
	return true;
}

/*
 * Compares bytes of the slab from @address; what is wrong becomes a damage. Returns whether all are
 * right.
 */
static bool check_fill(struct view *v, enum slab_damage_kind kind, uint64_t object,
		       uint64_t address, uint64_t length, uint8_t value, const char *what)
{
	const uint8_t *bytes = v->memory + (address - v->slab->start);
	struct tally *tally = &v->worker->tally[kind];
	uint64_t first = 0, last = length;

	if (!length || !range_fits(address - v->slab->start, length, v->slab->size))
		return true;
	tally->places++;
	v->worker->bytes += length;
	while (first < length && bytes[first] == value)
		first++;
	if (first == length)
		return true;
	tally->bad++;
	while (bytes[last - 1] == value)
		last--;
	struct slab_damage *damage = add(v, kind, object, address + first);
	if (!damage)
		return false;
	if (is_half_filled(bytes + first, last - first))
		damage->busy_cpu = busy_with(&v->checker->busy, object - v->cache->red_left,
					     v->cache->size);
	damage->is_fill = true;
	damage->expected = value;
	damage->length = last - first;
	damage->found_count = (uint8_t)(last - first < DAMAGE_BYTES ? last - first : DAMAGE_BYTES);
	memcpy(damage->found, bytes + first, damage->found_count);
	snprintf(damage->text, sizeof(damage->text), "%s", what);
	return false;
}

static bool all_are(const struct view *v, uint64_t address, uint64_t length, uint8_t value)
{
	for (uint64_t i = 0; i < length; i++) {
		if (v->memory[address - v->slab->start + i] != value)
			return false;
	}
	return true;
}

static void check_red_zones(struct view *v, uint64_t object, bool known, bool is_free)
{
	const struct slab_cache *c = v->cache;
	uint64_t left = object - c->red_left, right = object + c->object_size;
	uint64_t right_size = c->inuse > c->object_size ? c->inuse - c->object_size : 0;
	uint8_t value = is_free ? RED_INACTIVE : RED_ACTIVE;
	uint8_t other = is_free ? RED_ACTIVE : RED_INACTIVE;

	if (!range_fits(left - v->slab->start, c->red_left + c->inuse, v->slab->size))
		return;
	bool others = all_are(v, left, c->red_left, other) && all_are(v, right, right_size, other);
	if (others && known) {
		struct slab_damage *damage = add(v, DAMAGE_STATE, object, left);
		v->worker->tally[DAMAGE_STATE].bad++;
		if (damage) {
			busy_mark(v, damage);
			snprintf(damage->text, sizeof(damage->text), "%s",
				 is_free ? "on the freelist, but its red zones are an allocated object's"
					 : "on no freelist, but its red zones are a free object's");
		}
		return;
	}
	v->worker->tally[DAMAGE_STATE].places++;
	if (others)
		return;
	check_fill(v, DAMAGE_RED_ZONE_LEFT, object, left, c->red_left, value,
		   "written to before the object's start (left red zone)");
	check_fill(v, DAMAGE_RED_ZONE_RIGHT, object, right, right_size, value,
		   "written to behind the object's end (right red zone)");
}

static void check_poison(struct view *v, uint64_t object)
{
	const struct slab_cache *c = v->cache;
	const char *what = "written to after it was freed (poison)";

	/* The last byte is another value; it tells less than the others. */
	if (check_fill(v, DAMAGE_POISON, object, object, c->object_size - 1, POISON_FREE_BYTE,
		       what))
		check_fill(v, DAMAGE_POISON, object, object + c->object_size - 1, 1,
			   POISON_END_BYTE, what);
}

/* Where the tracks begin, if there are any: behind a freelist pointer outside of the object. */
static uint64_t tracks_start(const struct slab_cache *c)
{
	return c->free_offset >= c->inuse ? c->inuse + sizeof(uint64_t) : c->inuse;
}

/* Where the stride's known contents end, from the object; 0: not known. */
static uint64_t metadata_end(const struct view *v)
{
	const struct slab_cache *c = v->cache;
	uint64_t end = tracks_start(c);

	if (!c->store_user)
		return end;
	if (!v->checker->layout.track_size)
		return 0;
	end += 2 * v->checker->layout.track_size;
	/* Behind the tracks is the size that was asked for, in 4 or (since 6.19) 8 bytes. */
	return c->flags & v->checker->layout.kmalloc_flag ? end + sizeof(uint64_t) : end;
}

static void check_padding(struct view *v, uint64_t object)
{
	const struct slab_cache *c = v->cache;
	uint64_t from = metadata_end(v), to = c->size - c->red_left;

	if (from && from < to)
		check_fill(v, DAMAGE_OBJECT_PADDING, object, object + from, to - from,
			   POISON_INUSE_BYTE, "written to behind the object's debug data (padding)");
	if (!c->red_zone && c->inuse > c->object_size)
		check_fill(v, DAMAGE_OBJECT_PADDING, object, object + c->object_size,
			   c->inuse - c->object_size, POISON_INUSE_BYTE,
			   "written to behind the object's end (padding)");
}

static void check_tracks(struct view *v, uint64_t object)
{
	uint64_t at = object + tracks_start(v->cache), size = v->checker->layout.track_size;

	/* The address of who did it is the first word of struct track. */
	if (!size || !range_fits(at - v->slab->start, 2 * size, v->slab->size))
		return;
	const uint8_t *bytes = v->memory + (at - v->slab->start);
	v->worker->tally[DAMAGE_TRACK].places++;
	if (load_u64(bytes) || !load_u64(bytes + size))
		return;
	v->worker->tally[DAMAGE_TRACK].bad++;
	struct slab_damage *damage = add(v, DAMAGE_TRACK, object, at);
	if (!damage)
		return;
	damage_read(v->checker, damage, size);
	busy_mark(v, damage);
	snprintf(damage->text, sizeof(damage->text),
		 "freed by someone, but allocated by no one (tracks)");
}

/* Debug kernels fill what was not asked for as well, from 6.2 on. */
static void check_request(struct view *v, unsigned index, uint64_t object)
{
	struct slab_object o = { .slab = *v->slab, .address = object, .index = index,
				 .state = OBJECT_ALLOCATED, .cpu = -1 };
	unsigned asked = slab_orig_size(v->checker->session, &o);

	if (asked && asked < v->cache->object_size)
		check_fill(v, DAMAGE_KMALLOC_RED_ZONE, object, object + asked,
			   v->cache->object_size - asked, RED_ACTIVE,
			   "written to behind the size that was asked for");
}

static void check_object(struct view *v, unsigned index)
{
	const struct slab_cache *c = v->cache;
	uint64_t object = object_address(v, index);
	bool is_free = v->seen[index], known = is_free || !v->broken;
	bool kasan = v->checker->layout.has_kasan;

	if (!range_fits(object - v->slab->start, c->size - c->red_left, v->slab->size))
		return;
	if (!known && c->red_zone && c->red_left)
		is_free = all_are(v, object - c->red_left, c->red_left, RED_INACTIVE);
	if (c->red_zone)
		check_red_zones(v, object, known, is_free);
	/* KASAN keeps data of its own in free objects, and behind the tracks. */
	if (c->poison && !kasan) {
		if (is_free && !c->rcu && !c->has_ctor && c->object_size > 1)
			check_poison(v, object);
		check_padding(v, object);
	}
	if (c->store_user)
		check_tracks(v, object);
	if (c->store_user && c->red_zone && !is_free && known && !kasan)
		check_request(v, index, object);
}

/* Since 6.19 a slab may keep its array of slabobj_ext where no object fits any more. */
static bool end_is_used(const struct view *v)
{
	const struct check_layout *layout = &v->checker->layout;
	uint8_t bytes[8] = { 0 };
	uint64_t value;

	if (!layout->has_obj_exts || layout->obj_exts.size > sizeof(bytes))
		return false;
	if (memory_read(v->checker->session->memory, v->slab->page + layout->obj_exts.offset, bytes,
			layout->obj_exts.size) != READ_OK ||
	    !member_load(&layout->obj_exts, bytes, sizeof(bytes), &value))
		return true;
	return value - v->slab->start < v->slab->size;
}

static void check_slab_end(struct view *v)
{
	uint64_t end = v->slab->first + (uint64_t)v->count * v->cache->size;
	uint64_t slab_end = v->slab->start + v->slab->size;

	if (end < slab_end && !end_is_used(v))
		check_fill(v, DAMAGE_SLAB_PADDING, 0, end, slab_end - end, POISON_INUSE_BYTE,
			   "written to behind the slab's last object (padding)");
}

/* --- All of it. --- */

static bool is_debugged(const struct slab_cache *c)
{
	return c->red_zone || c->poison || c->store_user;
}

static bool read_slab(struct view *v)
{
	struct check_worker *w = v->worker;
	const struct slab *slab = v->slab;

	if (!slab->freelist && !slab->cpu_freelist && !is_debugged(v->cache))
		return true;
	if (slab->size > SLAB_BYTES_MAX)
		return false;
	uint8_t *memory = room(&w->memory, &w->memory_size, slab->size);
	v->memory = memory;
	return memory_read(v->checker->session->memory, slab->start, memory, slab->size) == READ_OK;
}

void check_slab(struct checker *checker, struct check_worker *worker, const struct slab *slab)
{
	const struct slab_cache *cache = slab->cache;
	struct view v = { .checker = checker, .worker = worker, .slab = slab, .cache = cache };

	if (!cache->size || slab->first - slab->start >= slab->size ||
	    map_get(&checker->strange, slab->page, &(uint64_t){ 0 }))
		return;
	/* One that a CPU lays out: nothing of it has been given to anyone. */
	if (!map_get(&checker->on_list, slab->page, &(uint64_t){ 0 }) &&
	    busy_building(&checker->busy, slab) >= 0)
		return;
	v.count = (unsigned)((slab->size - (slab->first - slab->start)) / cache->size);
	v.count = v.count > OBJECTS_PER_SLAB_MAX ? OBJECTS_PER_SLAB_MAX : v.count;
	if (!v.count || !read_slab(&v)) {
		worker->holes++;
		return;
	}
	v.seen = room(&worker->seen, &worker->seen_size, v.count);
	memset(v.seen, 0, v.count);
	worker->objects += v.count;
	uint64_t head_at = slab->page + checker->layout.freelist;
	unsigned length = walk(&v, slab->freelist, head_at, SEEN_SLAB);
	bool broken = v.broken;
	walk(&v, slab->cpu_freelist, 0, SEEN_CPU);
	bool cpu_broken = v.broken;
	v.broken = broken;
	check_counters(&v, length);
	check_lost(&v, length);
	v.broken = cpu_broken;
	if (!is_debugged(cache))
		return;
	for (unsigned i = 0; i < v.count; i++)
		check_object(&v, i);
	if (cache->poison)
		check_slab_end(&v);
}
