// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Linked lists. Each step reads the pointer of one link. Links are remembered in a map, so that a
 * loop is told at the link where it closes and none comes twice; a list longer than the map may
 * grow, and one that asks for no memory, is watched by Brent's algorithm alone (BIT 20, 1980): it
 * needs the room of one address and finds a loop within two laps. Where a list has pointers back,
 * they are compared with the way that was taken: the walk goes on, but what differs is told.
 * Layouts: struct list_head, hlist_node, llist_node (include/linux/types.h, llist.h),
 * hlist_nulls_node (list_nulls.h), hlist_bl_node (list_bl.h): the pointer onward comes first, the
 * one back second, since any of them exists.
 */
#include "kernel/lists.h"

#include <inttypes.h>

enum {
	SEEN_MAX = 1 << 22,          /* links remembered: 128 MB of map */
	LINKS_MAX = 100 * 1000 * 1000,
	POINTER = 8,
};

static void init(struct list_walk *w, struct session *s, enum list_kind kind)
{
	*w = (struct list_walk){ .session = s, .kind = kind, .power = 1 };
}

void list_walk_from_head(struct list_walk *w, struct session *s, enum list_kind kind,
			 uint64_t head)
{
	init(w, s, kind);
	w->head = head;
}

void list_walk_from_link(struct list_walk *w, struct session *s, enum list_kind kind,
			 uint64_t link)
{
	init(w, s, kind);
	w->first = link;
}

void list_walk_fini(struct list_walk *w)
{
	map_deinit(&w->seen);
}

static bool end_with(struct list_walk *w, enum list_end ended, uint64_t at)
{
	w->ended = ended;
	w->at = at;
	return false;
}

/* Where the pointer onward is in the link at @link. */
static uint64_t onward(const struct list_walk *w, uint64_t link)
{
	if (w->kind == LIST_SINGLE)
		return link + w->next_offset;
	return link + (w->reverse && w->kind == LIST_DOUBLE ? POINTER : 0);
}

/* Does the link at @link point back to where the walk came from, @from? */
static void check_back(struct list_walk *w, uint64_t link, uint64_t from)
{
	bool is_hash = w->kind == LIST_HASH || w->kind == LIST_NULLS || w->kind == LIST_BIT;
	uint64_t back, at = link + (w->reverse ? 0 : POINTER);

	if (!from || (w->kind != LIST_DOUBLE && !is_hash) ||
	    memory_u64(w->session->memory, at, &back) != READ_OK || back == from)
		return;
	walk_trouble_add(&w->trouble, "%s of %016" PRIx64 " is %016" PRIx64 ", but it comes after %016"
			 PRIx64, is_hash ? "pprev" : w->reverse ? "next" : "prev", link, back, from);
}

/* @count links onward; these were all read before. */
static uint64_t onward_by(const struct list_walk *w, uint64_t link, size_t count)
{
	while (count-- && memory_u64(w->session->memory, onward(w, link), &link) == READ_OK)
		;
	return link;
}

/* How many links lead from @inside to itself. */
static size_t loop_length(const struct list_walk *w, uint64_t inside)
{
	uint64_t at = inside;
	size_t length = 0;

	do {
		at = onward_by(w, at, 1);
		length++;
	} while (at != inside && length < LINKS_MAX);
	return length;
}

static bool told_loop(struct list_walk *w, uint64_t again)
{
	w->loop = loop_length(w, again);
	if (w->no_memory || w->count >= SEEN_MAX) {
		/* Found somewhere in the loop: two that are as far apart as it is long meet first
		 * where it begins. */
		uint64_t behind = w->origin, before = onward_by(w, w->origin, w->loop);
		for (size_t i = 0; behind != before && i < w->count; i++) {
			behind = onward_by(w, behind, 1);
			before = onward_by(w, before, 1);
		}
		again = behind;
	}
	/* This matters more than what was told before. */
	size_t before = w->trouble.count;
	w->trouble = (struct walk_trouble){ 0 };
	walk_trouble_add(&w->trouble, "the list is damaged: it runs in a circle of %zu, from %016"
			 PRIx64 " on", w->loop, again);
	w->trouble.count += before;
	return end_with(w, LIST_LOOP, again);
}

/* Has @link been here before? */
static bool comes_again(struct list_walk *w, uint64_t link)
{
	if (!w->no_memory && w->count < SEEN_MAX)
		return !map_set(&w->seen, link, 0);
	if (link == w->mark)
		return true;
	if (++w->lap == w->power) {
		w->mark = link;
		w->power *= 2;
		w->lap = 0;
	}
	return false;
}

/* Is @next how such a list ends? */
static bool is_end(const struct list_walk *w, uint64_t next)
{
	if (next == w->end && w->end)
		return true;
	switch (w->kind) {
	case LIST_DOUBLE:
		return next == (w->head ? w->head : w->first);
	case LIST_NULLS:
		return next & 1;
	case LIST_SINGLE:
		/* What began it, what that points to, and itself: any may be meant as the end. */
		return !next || (!w->only_null_ends &&
				 (next == w->head || next == w->first || next == w->link ||
				  (w->second && next == w->second)));
	default:
		return !next;
	}
}

/*
 * Is @next, to which @from points, a link that can be read? Its own pointer onward is then in
 * w->ahead: an object that is not there is no entry.
 */
static bool look_ahead(struct list_walk *w, uint64_t from, uint64_t next)
{
	if (!w->session->arch->is_kernel_address(next)) {
		w->bad = next;
		walk_trouble_add(&w->trouble, "the list is damaged: after %zu, %016" PRIx64
				 " points to %016" PRIx64 ", which is nowhere", w->count, from, next);
		return end_with(w, LIST_ASTRAY, from);
	}
	enum read_status status = memory_u64(w->session->memory, onward(w, next), &w->ahead);
	if (status != READ_OK) {
		walk_trouble_hole(&w->trouble, "the list breaks off after %zu: %016" PRIx64
				  " points to %016" PRIx64 ": %s", w->count, from, next,
				  read_status_text(status));
		return end_with(w, LIST_HOLE, next);
	}
	return true;
}

/* The link that @next, read at @from, leads to; false at the end. */
static bool follow(struct list_walk *w, uint64_t from, uint64_t next)
{
	if (is_end(w, next)) {
		if (w->kind == LIST_DOUBLE && next != w->end)
			check_back(w, next, from);
		return end_with(w, LIST_DONE, next);
	}
	/* That of a loop was readable before, and what it points back to is not what led to it now. */
	if (comes_again(w, next))
		return told_loop(w, next);
	return look_ahead(w, from, next);
}

/* The first link. */
static bool begin(struct list_walk *w, uint64_t *link)
{
	w->started = true;
	if (!w->head) {
		*link = w->first;
		if (!w->first || (w->end && w->first == w->end))
			return end_with(w, LIST_DONE, w->first);
		(void)comes_again(w, w->first);
		return look_ahead(w, w->first, w->first);
	}
	uint64_t cell = w->kind == LIST_SINGLE ? w->head : onward(w, w->head);
	enum read_status status = memory_u64(w->session->memory, cell, link);
	if (status != READ_OK) {
		walk_trouble_hole(&w->trouble, "the head at %016" PRIx64 ": %s", w->head,
				  read_status_text(status));
		return end_with(w, LIST_HOLE, w->head);
	}
	if (w->kind == LIST_BIT)
		*link &= ~UINT64_C(1);
	if (!follow(w, w->head, *link))
		return false;
	check_back(w, *link, w->kind == LIST_DOUBLE ? w->head : cell);
	return true;
}

bool list_walk_step(struct list_walk *w, uint64_t *link)
{
	uint64_t next = w->ahead, from = w->link;

	if (w->ended != LIST_GOES_ON)
		return false;
	if (!w->started) {
		if (!begin(w, &next))
			return false;
		w->origin = next;
	} else {
		if (!follow(w, from, next))
			return false;
		check_back(w, next, w->kind == LIST_DOUBLE ? from : onward(w, from));
	}
	if (w->count == 1 && !w->head)
		w->second = next;
	if (w->count >= LINKS_MAX) {
		walk_trouble_add(&w->trouble, "the list has more than %d links", LINKS_MAX);
		return end_with(w, LIST_ENDLESS, next);
	}
	w->count++;
	w->link = next;
	*link = next;
	return true;
}
