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

enum { VALUE_MIN = 0x10, RARE_MIN = 0x100, PLACES_MAX = 24 };

struct suspects {
	const struct writer *exact, *any; /* at the very offset; anywhere: the first */
	unsigned exact_functions, functions;
	bool exact_alone, alone; /* all of them are in one module, or all in the kernel */
};

static void note_one(const struct writer *w, const struct writer **first,
		     const struct writer **last, unsigned *functions, bool *alone)
{
	if (!*first) {
		*first = w;
		*alone = true;
	}
	*alone &= w->module == (*first)->module;
	*functions += !*last || w->function != (*last)->function;
	*last = w;
}

static void note(const struct writers *writers, uint64_t offset, struct suspects *found)
{
	const struct writer *last = NULL, *last_exact = NULL;

	for (size_t i = 0; i < writers->count && i < PLACES_MAX; i++) {
		const struct writer *w = &writers->data[i];
		if (w->in_frame)
			continue;
		bool exact = !w->store.memory.absolute && w->store.memory.base >= 0 &&
			     (uint64_t)w->store.memory.displacement == offset;
		note_one(w, &found->any, &last, &found->functions, &found->alone);
		if (exact)
			note_one(w, &found->exact, &last_exact, &found->exact_functions,
				 &found->exact_alone);
	}
}

/*
 * The structure that the suspect writes to, when an object of it would have lain right here: what
 * this memory was before, for all that the suspect knows.
 */
static void tell_former(struct facts *facts, struct findings *out, struct finding *finding,
			const struct writer *w, const struct slab_object *object)
{
	uint64_t offset, size;
	char member[160];

	if (!writer_member(facts->session, w, member, sizeof(member), &offset, &size) ||
	    offset != object->offset || size > object->slab.cache->object_size ||
	    size <= object->slab.cache->object_size / 4)
		return;
	const char *type = finding_text(out, "%.*s", (int)strcspn(member, "."), member);
	const char *was = finding_text(out, "was a struct %s", type);
	if (finding->why && strstr(finding->why, was))
		explain_why(out, finding, "It writes it to %s, which lies just there: the memory was "
			    "given back while that code still used it", member);
	else
		explain_why(out, finding, "It writes it to %s, which lies just there in a struct %s "
			    "(%" PRIu64 " bytes): so this memory %s before, most likely, and was given "
			    "back while that code still used it", member, type, size, was);
	finding_evidence_shows(out, finding, finding_text(out, "struct -o %s", type), type,
			       "%s is at +0x%" PRIx64 ", as the overwritten cell is in its object", member,
			       offset);
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

/* Several functions, all of one module: a driver's own number, which is stored in many places. */
static void accuse_module(struct facts *facts, struct findings *out, struct finding *finding,
			  const struct writer *w, uint64_t value, unsigned functions, bool exact)
{
	const char *number = finding_text(out, "0x%" PRIx64, value);
	struct frame one = { .pc = w->pc };
	const struct stack stack = { .frames = &one, .count = 1 };
	struct blame blame = facts_blame_stack(facts, &stack, 0);

	explain_why(out, finding, "Such a value is stored%s by %u functions of module %s, and by no other code "
		    "that is seen: %s is one", exact ? " at that offset" : "", functions,
		    w->module->name, facts_text_of_frame(facts, &one));
	finding_evidence_shows(out, finding, finding_text(out, "writers %s", number),
			       finding_text(out, "%016" PRIx64, w->pc),
			       "the code that stores %s%s: %u functions of %s", number,
			       exact ? " at that offset" : "", functions, w->module->name);
	/* Its own structure may begin anywhere in the object; then the number must be a rare one. */
	if (!blame.known || (!exact && value < RARE_MIN))
		return;
	blame.because = finding_text(out, "of all code only this module's stores %s%s, in %u functions; "
				     "which of them it was is not known", number,
				     exact ? " at that offset" : "", functions);
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
	note(&writers, object.offset, &found);
	/* The same offset may be chance: then it has to be a module, or the only place at all. */
	if (writers.count > PLACES_MAX)
		found = (struct suspects){ 0 };
	if (found.exact_functions == 1) {
		accuse(facts, out, finding, found.exact, value,
		       found.functions == 1 || found.exact->module);
		tell_former(facts, out, finding, found.exact, &object);
	} else if (found.exact_functions && found.exact_alone && found.exact->module) {
		accuse_module(facts, out, finding, found.exact, value, found.exact_functions, true);
	} else if (found.functions == 1) {
		accuse(facts, out, finding, found.any, value, false);
	} else if (found.functions && found.alone && found.any->module) {
		accuse_module(facts, out, finding, found.any, value, found.functions, false);
	}
	writers_deinit(&writers);
}
