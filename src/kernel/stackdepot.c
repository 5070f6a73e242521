// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A handle says in which pool a struct stack_record lies and where there, in units of 16 bytes:
 *
 *	up to 6.2	union handle_parts.slabindex, .offset	stack_slabs[]
 *	6.3 to 6.7	.pool_index, .offset			stack_pools[]
 *	since 6.8	.pool_index_plus_1, .offset		stack_pools[]; later a pointer to it
 *
 * (lib/stackdepot.c, include/linux/stackdepot.h). The record repeats its handle, so that what was
 * found is known to be it, or not: both ways to find the array are tried.
 */
#include "kernel/stackdepot.h"

enum {
	DEPOT_STACK_ALIGN = 4, /* lib/stackdepot.c */
	FRAMES_MAX = 256,
};

static const char parts[] = "handle_parts";

static bool part(uint32_t handle, const struct member *m, uint64_t *value)
{
	uint8_t bytes[8] = { 0 };

	for (unsigned i = 0; i < sizeof(handle); i++)
		bytes[i] = (uint8_t)(handle >> 8 * i);
	return m->offset + m->size <= sizeof(bytes) &&
	       member_load(m, bytes + m->offset, m->size, value);
}

/* Which pool, and how many bytes into it. */
static bool split_handle(struct session *s, uint32_t handle, uint64_t *pool, uint64_t *offset)
{
	struct member m, place;

	if (!types_member(s->types, parts, "offset", &place))
		return false;
	if (types_member(s->types, parts, "pool_index_plus_1", &m)) {
		if (!part(handle, &m, pool) || !*pool)
			return false;
		--*pool;
	} else if (!types_member(s->types, parts, "pool_index|slabindex", &m) ||
		   !part(handle, &m, pool)) {
		return false;
	}
	if (!part(handle, &place, offset))
		return false;
	*offset <<= DEPOT_STACK_ALIGN;
	return true;
}

/* Is the record at @record the one of @handle? Users keep bits of their own in `extra`. */
static bool is_record(struct session *s, uint64_t record, uint32_t handle)
{
	uint64_t own, extra;
	struct member m;
	uint32_t mask = UINT32_MAX;

	if (!kread(s, record, "stack_record", "handle.handle|handle", &own))
		return false;
	if (types_member(s->types, parts, "extra", &m) && part(UINT32_MAX, &m, &extra) &&
	    m.bit_size)
		mask = ~((uint32_t)extra << m.bit_offset);
	return (own & mask) == (handle & mask);
}

static uint64_t find_record(struct session *s, uint32_t handle)
{
	uint64_t array, pool, offset, pointer, start;

	if (!s->symbols || !split_handle(s, handle, &pool, &offset))
		return 0;
	array = symbols_address(s->symbols, "stack_pools");
	if (!array)
		array = symbols_address(s->symbols, "stack_slabs");
	if (!array || memory_u64(s->memory, array, &pointer) != READ_OK)
		return 0;
	const uint64_t arrays[] = { array, pointer };
	for (size_t i = 0; i < array_size(arrays); i++) {
		if (memory_u64(s->memory, arrays[i] + pool * sizeof(start), &start) == READ_OK &&
		    start && is_record(s, start + offset, handle))
			return start + offset;
	}
	return 0;
}

unsigned stackdepot_frames(struct session *s, uint32_t handle, uint64_t *frames, unsigned max)
{
	uint64_t record = handle ? find_record(s, handle) : 0;
	uint64_t count, entries;
	unsigned n = 0;

	if (!record || !kread(s, record, "stack_record", "size", &count) ||
	    !koffset(s, "stack_record", "entries", &entries) || count > FRAMES_MAX)
		return 0;
	while (n < count && n < max &&
	       memory_u64(s->memory, record + entries + n * UINT64_C(8), &frames[n]) == READ_OK)
		n++;
	return n;
}
