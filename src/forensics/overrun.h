/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A text in memory that does not keep to the borders of objects: where it begins, which objects it
 * runs over. What begins in one object and goes on through the next was written by somebody who
 * did not look where the first one ends. Pages that were allocated together cannot be told from
 * neighbours: there only the page border is known.
 */
#pragma once

#include "forensics/content_memory.h"
#include "forensics/refs.h"

enum { OVERRUN_PIECES_MAX = 16 };

struct overrun_piece {
	uint64_t from, to;        /* the text's part in this object */
	enum bounds bounds;
	struct ref_target object; /* not with BOUNDS_UNKNOWN */
	struct what what;
};

struct overrun {
	struct text_extent extent;
	struct overrun_piece piece[OVERRUN_PIECES_MAX]; /* in order; the first is where it begins */
	unsigned count;
	bool more; /* it runs over further objects */
	/* The first that it certainly leaves for the next: an object, or a page of its own; or NULL. */
	const struct overrun_piece *left;
};

/*
 * Of the text that holds [@address, @address + @size). @overrun points into itself: it must not be
 * copied.
 */
void overrun_of_text(struct session *s, uint64_t address, uint64_t size, struct overrun *overrun);
