// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who wrote that? Nobody saw the write; but few places in the code store a given number, and of
 * these fewer still at the distance at which it lies in its object. Common numbers tell nothing.
 * That somebody's code stores such a value makes him a suspect: nothing here is ever certain.
 */
#include <inttypes.h>
#include <string.h>

#include "diagnosis/explain.h"
#include "forensics/writers.h"
#include "kernel/slab.h"

enum { VALUE_MIN = 0x10, PLACES_MAX = 24 };

struct suspects {
	const struct writer *exact, *any; /* at the very offset; anywhere */
	unsigned exact_functions, functions;
};

static void note(const struct writer *w, uint64_t offset, struct suspects *found)
{
	bool exact = !w->store.memory.absolute && w->store.memory.base >= 0 &&
		     (uint64_t)w->store.memory.displacement == offset;

	if (!found->any || w->function != found->any->function)
		found->functions++;
	if (!found->any)
		found->any = w;
	if (exact && (!found->exact || w->function != found->exact->function))
		found->exact_functions++;
	if (exact && !found->exact)
		found->exact = w;
}

static void accuse(struct facts *facts, struct findings *out, struct finding *finding,
		   const struct writer *w, uint64_t value, bool likely)
{
	struct frame one = { .pc = w->pc };
	const struct stack stack = { .frames = &one, .count = 1 };
	struct blame blame = facts_blame_stack(facts, &stack, 0);
	const char *place = facts_text_of_frame(facts, &one);
	const char *number = finding_text(out, "0x%" PRIx64, value);

	explain_why(out, finding, "Such a value is stored by %s", place);
	finding_evidence_shows(out, finding, finding_text(out, "writers %s", number),
			       finding_text(out, "%016" PRIx64, w->pc),
			       "the code that stores %s%s: %s", number,
			       likely ? " at that offset" : "", place);
	if (!blame.known || !likely)
		return;
	blame.because = finding_text(out, "its code stores %s at that offset, and no other code is seen to",
				     number);
	blame.skipped = finding->blame.skipped;
	finding->blame = blame;
	finding->against = "the write itself was not seen";
}

void explain_writer(struct facts *facts, struct findings *out, struct finding *finding,
		    uint64_t cell, uint64_t value)
{
	const struct store_wish wish = { .has_value = true, .value = value };
	struct suspects found = { 0 };
	struct slab_object object;
	struct writers writers;

	if (value < VALUE_MIN || !slab_object_at(facts->session, cell, &object) ||
	    !object.slab.cache)
		return;
	writers_find(facts->session, &wish, &writers);
	for (size_t i = 0; i < writers.count && i < PLACES_MAX; i++) {
		if (!writers.data[i].in_frame)
			note(&writers.data[i], object.offset, &found);
	}
	/* The same offset may be chance: then it has to be a module, or the only place at all. */
	if (writers.count <= PLACES_MAX && found.exact_functions == 1)
		accuse(facts, out, finding, found.exact, value,
		       found.functions == 1 || found.exact->module);
	else if (writers.count <= PLACES_MAX && found.functions == 1)
		accuse(facts, out, finding, found.any, value, false);
	writers_deinit(&writers);
}
