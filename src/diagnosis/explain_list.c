// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The bad value lies in an object that was reached along a list: is it an element of that list at
 * all? The one before points to it, and is itself well linked with the one before that; if the
 * object does not point back, it was freed while it was on the list, and its memory is somebody
 * else's by now, or was cleared. That the list is a doubly linked one is seen by the healthy part.
 */
#include <inttypes.h>

#include "diagnosis/explain.h"
#include "kernel/slab.h"

enum { TRIES_MAX = 3 };

static uint64_t word(const struct facts *facts, uint64_t address)
{
	uint64_t value;

	return memory_u64(facts->session->memory, address, &value) == READ_OK ? value : 0;
}

/* Is @next, the next pointer of a list_head, linked with the element before it? */
static bool is_linked(const struct facts *facts, uint64_t next)
{
	uint64_t before = word(facts, next + 8);

	return before && before != next && word(facts, before) == next;
}

static void tell(struct facts *facts, struct findings *out, struct finding *finding,
		 const struct slab_object *object, uint64_t next, uint64_t entry)
{
	const char *place = place_words(facts, next);
	uint64_t back = word(facts, entry + 8);

	finding->kind = "use-after-free";
	finding->title = "Use after free";
	finding->confidence = CONFIDENCE_LIKELY;
	finding->against = "a write over the object's list pointers looks the same";
	explain_why(out, finding, "The object was freed while it was on a list, and its memory is somebody "
		    "else's by now, or was cleared: the element before it still points to it, but it does "
		    "not point back (that one is %016" PRIx64 "%s%s; 0x%" PRIx64 " is what it has in its "
		    "place)", next, place ? ", " : "", place ? place : "", back);
	finding_evidence_shows(out, finding, finding_text(out, "rd 0x%" PRIx64 " 2", next),
			       finding_text(out, "%016" PRIx64, entry),
			       "the element before it points to %016" PRIx64, entry);
	finding_evidence_shows(out, finding, finding_text(out, "rd 0x%" PRIx64, entry + 8),
			       finding_text(out, "%016" PRIx64, back),
			       "where its pointer back to %016" PRIx64 " should be is 0x%" PRIx64, next,
			       back);
	finding->next = finding_text(out, "find who frees a %s object without taking it off the list first; "
				     "slub_debug=FZPU,%s keeps who freed it", object->slab.cache->name,
				     object->slab.cache->name);
}

bool explain_list(struct facts *facts, struct findings *out, struct finding *finding, size_t frame,
		  uint64_t cell)
{
	const struct regs *regs = &facts->stack.frames[frame].regs;
	struct slab_object object;
	unsigned tries = 0;

	if (!slab_object_at(facts->session, cell, &object) || !object.slab.cache ||
	    object.in_redzone || object.in_metadata)
		return false;
	for (unsigned i = 0; i < 16 && i < facts->session->arch->reg_count; i++) {
		uint64_t size = object.slab.cache->object_size;
		struct cause cause;
		if (i == facts->session->arch->sp || !regs_known(regs, i) ||
		    regs->value[i] - object.address >= size || tries++ == TRIES_MAX)
			continue;
		cause_find(facts, frame, i, regs->value[i], NULL, &cause);
		if (!cause.cell || cause.cell_size != 8)
			continue;
		uint64_t entry = word(facts, cause.cell);
		if (entry - object.address >= size || !is_linked(facts, cause.cell) ||
		    word(facts, entry + 8) == cause.cell)
			continue;
		tell(facts, out, finding, &object, cause.cell, entry);
		return true;
	}
	return false;
}
