// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What SLUB's debugging keeps behind each object (slub_debug=U, SLAB_STORE_USER): two struct track,
 * of the last allocation and the last free, and since 6.1 for kmalloc's caches the size that was
 * asked for (mm/slub.c, get_track(), get_orig_size()):
 *
 *	object ... inuse | free pointer, unless it lies in the object | alloc | free | size
 *
 * A track has the stack as a stackdepot handle (since 5.19), or some addresses (CONFIG_STACKTRACE
 * before), or only the caller. One that was never written is all zeroes.
 *
 * KFENCE has a struct kfence_track for each, which holds the stack itself.
 */
#include <string.h>

#include "kernel/slab_state.h"
#include "kernel/stackdepot.h"

/* Offset from the object of what follows the free pointer; 0: there is no such data. */
static uint64_t info_end(const struct slab_cache *cache)
{
	uint64_t end = cache->inuse;

	if (!cache->store_user)
		return 0;
	if (cache->free_offset >= cache->inuse)
		end += sizeof(uint64_t);
	return end;
}

/* Stack addresses kept in the record itself: @member is an array of them. */
static unsigned read_frames(struct session *s, uint64_t at, const struct member *member,
			    uint64_t count, uint64_t *frames)
{
	unsigned n = 0;

	count = min_u64(count, min_u64(member->size / sizeof(*frames), SLAB_TRACK_FRAMES));
	while (n < count &&
	       memory_u64(s->memory, at + member->offset + n * sizeof(*frames), &frames[n]) ==
		       READ_OK &&
	       frames[n] && frames[n] != UINT64_MAX)
		n++;
	return n;
}

static bool kfence_track(struct session *s, uint64_t record, bool freed, struct slab_track *track)
{
	static const char type[] = "kfence_track";
	const char *which = freed ? "free_track" : "alloc_track";
	uint64_t offset, value, count;
	struct member entries;

	if (!koffset(s, "kfence_metadata", which, &offset))
		return false;
	uint64_t at = record + offset;
	if (!kread(s, at, type, "num_stack_entries", &count) || !count ||
	    !types_member(s->types, type, "stack_entries", &entries))
		return false;
	track->frame_count = read_frames(s, at, &entries, count, track->frames);
	if (track->frame_count)
		track->caller = track->frames[0];
	kread(s, at, type, "pid", &value);
	track->pid = (int32_t)value;
	track->cpu = kread(s, at, type, "cpu", &value) ? (int)value : -1;
	kread(s, at, type, "ts_nsec", &track->when_ns);
	return track->frame_count != 0;
}

static bool slub_track(struct session *s, uint64_t at, struct slab_track *track)
{
	static const char type[] = "track";
	struct member addresses;
	uint64_t value;

	if (!kread(s, at, type, "addr", &track->caller) || !track->caller)
		return false;
	track->cpu = kread(s, at, type, "cpu", &value) ? (int)value : -1;
	kread(s, at, type, "pid", &value);
	track->pid = (int32_t)value;
	kread(s, at, type, "when", &track->when);
	if (kread(s, at, type, "handle", &value))
		track->frame_count = stackdepot_frames(s, (uint32_t)value, track->frames,
						       SLAB_TRACK_FRAMES);
	else if (types_member(s->types, type, "addrs", &addresses))
		track->frame_count = read_frames(s, at, &addresses, SLAB_TRACK_FRAMES,
						 track->frames);
	return true;
}

bool slab_track(struct session *s, const struct slab_object *object, bool freed,
		struct slab_track *track)
{
	const struct slab_cache *cache = object->slab.cache;

	memset(track, 0, sizeof(*track));
	track->cpu = -1;
	if (object->kfence)
		return kfence_track(s, object->kfence_record, freed, track);
	uint64_t end = cache ? info_end(cache) : 0;
	uint64_t size = types_sizeof(s->types, "track");
	if (!end || !size || object->state == OBJECT_PADDING ||
	    slab_allocator(s) != ALLOCATOR_SLUB || end + 2 * size > cache->size - cache->red_left)
		return false;
	return slub_track(s, object->address + end + (freed ? size : 0), track);
}

unsigned slab_orig_size(struct session *s, const struct slab_object *object)
{
	const struct slab_cache *cache = object->slab.cache;
	uint32_t size = 0;

	if (object->kfence)
		return object->kfence_size;
	uint64_t end = cache ? info_end(cache) : 0;
	uint64_t track = types_sizeof(s->types, "track");
	if (!end || !track || !cache->keeps_size || object->state == OBJECT_PADDING ||
	    slab_allocator(s) != ALLOCATOR_SLUB ||
	    end + 2 * track + sizeof(size) > cache->size - cache->red_left)
		return 0;
	if (memory_u32(s->memory, object->address + end + 2 * track, &size) != READ_OK)
		return 0;
	return size <= cache->object_size ? size : 0;
}
