// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * From the start of a text to its end, object by object. Memory of which no object is known is
 * taken page by page, as the page allocator gave it out; elsewhere no border is claimed.
 */
#include "forensics/overrun.h"

enum { LINE_READ = 256 }; /* of a line that is looked for in the log */

/* A text may follow on another by chance: one that begins in the log too begins here as well. */
static bool begins_at(struct session *s, uint64_t address)
{
	uint8_t before, line[LINE_READ];

	if (memory_read(s->memory, address - 1, &before, 1) != READ_OK || before == '\n')
		return false;
	size_t there = memory_read_some(s->memory, address, line, sizeof(line));
	return content_begins_in_log(s, line, there);
}

void overrun_of_text(struct session *s, uint64_t address, uint64_t size, struct overrun *overrun)
{
	*overrun = (struct overrun){ 0 };
	content_text_extent(s, address, size, &overrun->extent);
	uint64_t at = overrun->extent.start;
	while (at < overrun->extent.end) {
		if (overrun->count && at <= address && begins_at(s, at)) {
			overrun->extent.start = at;
			overrun->extent.start_unknown = false;
			overrun->count = 0;
		}
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
	for (unsigned i = 0; i + 1 < overrun->count && !overrun->left; i++) {
		if (overrun->piece[i].bounds >= BOUNDS_PAGE)
			overrun->left = &overrun->piece[i];
	}
}
