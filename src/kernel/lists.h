/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Walks over linked lists of any kind, one step at a time:
 *
 *	struct list_walk walk;
 *	list_walk_from_head(&walk, session, LIST_DOUBLE, head);
 *	while (list_walk_step(&walk, &link))
 *		look_at(link - offset_of_the_link_in_the_object);
 *	if (walk.trouble.count)
 *		... walk.trouble.text, after all that could be had
 *	list_walk_fini(&walk);
 *
 * A link is what the list's pointers point to: a struct list_head inside an object, or the object
 * itself. Every walk ends: a link that comes again ends it, and is named.
 */
#pragma once

#include "base/map.h"
#include "kernel/walk.h"

enum list_kind {
	LIST_SINGLE, /* a pointer to the next at next_offset; NULL ends it, or what began it. llist */
	LIST_DOUBLE, /* struct list_head: a ring, each points back at prev; plist.node_list, too */
	LIST_HASH,   /* struct hlist_node: NULL ends it, pprev points at the pointer to it */
	LIST_NULLS,  /* struct hlist_nulls_node: an odd pointer ends it */
	LIST_BIT,    /* struct hlist_bl_node: bit 0 of the head is a lock */
};

/* Why there is no further link. */
enum list_end {
	LIST_GOES_ON,
	LIST_DONE,    /* as such a list should end, or at .end */
	LIST_LOOP,    /* it leads back into itself: .at comes again, .loop links later */
	LIST_HOLE,    /* the next link, at .at, is not in the dump */
	LIST_ASTRAY,  /* the link at .at points to .bad, which is nowhere */
	LIST_ENDLESS, /* more links than a list can have */
};

struct list_walk {
	/* May be set between init and the first step. */
	uint64_t next_offset; /* in a link, the pointer to the next; LIST_SINGLE only */
	uint64_t end;         /* this link is not shown any more; 0: no such */
	bool reverse;         /* LIST_DOUBLE: by prev, from the last */
	bool only_null_ends;  /* LIST_SINGLE: what leads back to its first or itself is a loop */
	bool no_memory;       /* do not remember links: a loop is found, but some of it comes twice */

	/* For the reader. */
	struct session *session;
	enum list_kind kind;
	enum list_end ended;
	uint64_t at, bad;
	size_t count;         /* links so far */
	size_t loop;          /* the loop's length */
	struct walk_trouble trouble;

	/* The walk's own. */
	uint64_t head, first, second, origin, link, ahead, mark;
	size_t power, lap;
	bool started;
	struct map seen;
};

/*
 * From the head of a list, which is no object's link. Of a LIST_SINGLE, @head is where the pointer
 * to the first link is (struct llist_head).
 */
void list_walk_from_head(struct list_walk *walk, struct session *s, enum list_kind kind,
			 uint64_t head);
/* From one of its links, which is the first to come; the list ends where that comes again. */
void list_walk_from_link(struct list_walk *walk, struct session *s, enum list_kind kind,
			 uint64_t link);
/* The next link; false at the end, and walk->ended says why. */
bool list_walk_step(struct list_walk *walk, uint64_t *link);
void list_walk_fini(struct list_walk *walk);
