// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A run is regular when, at some period, each 32-bit number differs from the one a period before by
 * as much as that one from its own: constants, counters and arrays of records with counters in
 * them are all that. It is followed back from the word asked about, over the object's start.
 *
 * Objects of one type in a row are regular too, with the slab's stride as period: only shorter
 * periods count. And a run that goes back through object after object is no overflow, but how these
 * objects look.
 */
#include "forensics/overflow.h"

#include <string.h>

#include "base/bytes.h"

enum {
	LANE = 4,
	PERIOD_MAX = 64,
	PERIODS_MIN = 5,     /* that make a run */
	PERIODS_BEFORE = 3,  /* of these before the border */
	BYTES_BEFORE = 16,
	BACK_MAX = 8192,     /* larger objects are looked at only so far */
	OBJECTS_BACK = 2,
	AHEAD_MAX = 512,
};

struct window {
	uint64_t address;
	const uint8_t *bytes;
	size_t size;
	size_t word;   /* where the word asked about is */
	size_t border; /* where its object begins */
};

static uint32_t lane(const struct window *w, size_t at)
{
	return load_u32(w->bytes + at);
}

static bool goes_on(const struct window *w, size_t at, unsigned period)
{
	uint32_t before = lane(w, at - period);

	return lane(w, at) - before == before - lane(w, at - 2 * period);
}

/* The run of @period that holds the word; false: none that begins before the border. */
static bool run_of(const struct window *w, unsigned period, size_t *start, size_t *end)
{
	size_t first = w->word, last = w->word + LANE;

	while (first >= 2 * period && goes_on(w, first, period))
		first -= LANE;
	/* All that @first's last comparison was made with belongs to it. */
	first += LANE;
	if (first < 2 * period || first > w->word)
		return false;
	*start = first - 2 * period;
	while (last + LANE <= w->size && goes_on(w, last, period))
		last += LANE;
	*end = last;
	return *start < w->border &&
	       w->border - *start >= max_u64(BYTES_BEFORE, PERIODS_BEFORE * period) &&
	       *end - *start >= PERIODS_MIN * period;
}

static bool is_constant(const struct window *w, size_t start, size_t end, unsigned period)
{
	return memcmp(w->bytes + start, w->bytes + start + period, end - start - period) == 0;
}

/* The object before is the one next to it in the same slab. */
static bool begins_next_door(struct session *s, struct overflow *o)
{
	const struct slab_object *into = &o->into, *from = &o->from;

	return slab_object_at(s, o->start, &o->from) && from->slab.page == into->slab.page &&
	       !from->kfence && from->index < into->index &&
	       into->index - from->index <= OBJECTS_BACK;
}

static bool search(struct session *s, const struct window *w, unsigned period_max,
		   struct overflow *o)
{
	size_t start, end;

	for (unsigned period = LANE; period <= period_max; period += LANE) {
		if (!run_of(w, period, &start, &end))
			continue;
		o->start = w->address + start;
		o->end = w->address + end;
		o->period = period;
		o->constant = is_constant(w, start, end, period);
		return begins_next_door(s, o);
	}
	return false;
}

bool overflow_find(struct session *s, uint64_t address, struct overflow *overflow)
{
	struct slab_object *into = &overflow->into;
	uint32_t word;

	*overflow = (struct overflow){ 0 };
	address &= ~(uint64_t)(LANE - 1);
	if (!slab_object_at(s, address, into) || !into->slab.cache || into->kfence ||
	    into->state == OBJECT_PADDING || !into->index ||
	    memory_u32(s->memory, address, &word) != READ_OK || !word)
		return false;
	uint64_t stride = into->slab.cache->size;
	uint64_t back = min_u64((OBJECTS_BACK + 1) * stride, BACK_MAX);
	uint64_t from = max_u64(into->slab.first, into->address - min_u64(back, into->address));
	uint64_t to = min_u64(into->slab.start + into->slab.size, address + AHEAD_MAX);
	if (from >= address || to <= address || address - from > 2 * BACK_MAX)
		return false;
	from &= ~(uint64_t)(LANE - 1);
	auto_free uint8_t *bytes = xmalloc((size_t)(to - from));
	if (memory_read(s->memory, from, bytes, (size_t)(to - from)) != READ_OK)
		return false;
	struct window w = { .address = from, .bytes = bytes, .size = (size_t)(to - from),
			    .word = (size_t)(address - from),
			    .border = (size_t)(into->address - from) };
	return search(s, &w, (unsigned)min_u64(PERIOD_MAX, stride / 2), overflow);
}
