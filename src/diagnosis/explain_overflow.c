// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The bad value is part of something that goes on over the border of its object: whoever filled the
 * object before it wrote too far (forensics/overflow.h). Then whoever tripped over it is a victim.
 */
#include <inttypes.h>

#include "diagnosis/explain.h"
#include "forensics/overflow.h"

static const char *shape(const struct overflow *o, struct findings *out)
{
	uint64_t count = (o->end - o->start) / o->period;

	if (o->constant)
		return finding_text(out, "the same %u bytes %" PRIu64 " times", o->period, count);
	return finding_text(out, "%" PRIu64 " records of %u bytes in even steps", count, o->period);
}

bool explain_overflow(struct facts *facts, struct findings *out, struct finding *finding,
		      uint64_t cell, bool rename)
{
	struct overflow o;

	if (!overflow_find(facts->session, cell, &o))
		return false;
	const char *cache = o.into.slab.cache->name;
	bool freed = o.from.state == OBJECT_FREE || o.from.state == OBJECT_FREE_CPU;
	if (rename) {
		finding->kind = "overflow";
		finding->title = "Memory overwritten from the object before it";
		finding->confidence = CONFIDENCE_LIKELY;
		finding->blame.unsure = "it may be a victim";
	}
	finding->against = "the write was not seen; whoever tripped over it is most likely a victim: look for "
			   "who fills the object before";
	finding->next = finding_text(out, "find who uses %016" PRIx64 ": refs, identify; then boot with "
				     "slub_debug=FZU,%s or KASAN to catch the write", o.from.address, cache);
	finding->blame.because = NULL;
	explain_why(out, finding, "The bad value is part of what fills the object before it: %s, from %016"
		    PRIx64 " (%s object %016" PRIx64 "%s) over its end into %016" PRIx64
		    " up to %016" PRIx64, shape(&o, out), o.start, cache, o.from.address,
		    freed ? ", freed" : "", o.into.address, o.end);
	finding_evidence_shows(out, finding, finding_text(out, "rd 0x%" PRIx64 " %" PRIu64, o.start,
							  (o.end - o.start + 7) / 8),
			       finding_text(out, "%016" PRIx64, o.start & ~UINT64_C(15)),
			       "what begins in the object before goes on beyond its end: %" PRIu64
			       " bytes", o.end - o.start);
	finding_evidence_shows(out, finding, finding_text(out, "whatis 0x%" PRIx64, o.from.address), cache,
			       "the object that was filled too far: %s %016" PRIx64, cache,
			       o.from.address);
	explain_tracks(facts, out, finding, &o.from);
	return true;
}
