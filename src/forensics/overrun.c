// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * From the start of a text to its end, object by object. Memory of which no object is known is
 * taken page by page, as the page allocator gave it out; elsewhere no border is claimed.
 */
#include "forensics/overrun.h"

void overrun_of_text(struct session *s, uint64_t address, uint64_t size, struct overrun *overrun)
{
	*overrun = (struct overrun){ 0 };
	content_text_extent(s, address, size, &overrun->extent);
	uint64_t at = overrun->extent.start;
	while (at < overrun->extent.end) {
		if (overrun->count == OVERRUN_PIECES_MAX) {
			overrun->more = true;
			break;
		}
		struct overrun_piece *p = &overrun->piece[overrun->count++];
		p->from = at;
		p->bounds = object_around(s, at, &p->object, &p->what);
		p->to = overrun->extent.end;
		if (p->bounds != BOUNDS_UNKNOWN) {
			uint64_t left = p->object.size - (at - p->object.start);
			p->to = at + min_u64(left, overrun->extent.end - at);
		}
		at = p->to;
	}
	/* Pages of a file follow each other, and texts too. */
	overrun->claim = overrun->count > 1 && overrun->piece[0].bounds >= BOUNDS_PAGE;
}
