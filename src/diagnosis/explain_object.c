// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The object at stake: which cache, allocated or freed, by whom (where the kernel kept that), what
 * type it has by its contents, whose text lies in it. What cannot be told is not mentioned.
 */
#include <inttypes.h>
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/cause.h"
#include "diagnosis/explain.h"
#include "forensics/identify.h"
#include "forensics/overrun.h"
#include "forensics/text_source.h"
#include "forensics/whatis.h"

/* Below, an object has too few words to tell its type by; far above, that takes too long. */
enum { OBJECT_MIN = 48, OBJECT_MAX = 16384, TEXT_MIN = 12 };

static const char *tracker(const struct facts *facts, const struct slab_track *track)
{
	/* The first of the stack that is no allocator: it asked for the object, or gave it back. */
	for (unsigned i = 0; i < track->frame_count; i++) {
		struct frame one = { .pc = track->frames[i], .is_call = true };
		const struct stack stack = { .frames = &one, .count = 1 };
		struct blame blame = facts_blame_stack(facts, &stack, 0);
		if (blame.known)
			return facts_text_of_frame(facts, &one);
	}
	return NULL;
}

void explain_tracks(struct facts *facts, struct findings *out, struct finding *finding,
		    const struct slab_object *object)
{
	const char *command = finding_text(out, "whatis 0x%" PRIx64, object->address);
	struct slab_track track;

	for (int freed = 0; freed < 2; freed++) {
		if (!slab_track(facts->session, object, freed, &track))
			continue;
		const char *who = tracker(facts, &track);
		if (!who)
			continue;
		explain_why(out, finding, "It was %s by %s, pid %d", freed ? "freed" : "allocated", who,
			    track.pid);
		finding_evidence_shows(out, finding, command,
				       finding_text(out, "pid %d", track.pid),
				       "%s by %s, pid %d, CPU %d", freed ? "freed" : "allocated", who,
				       track.pid, track.cpu);
	}
}

/* What type it has, when its contents tell well enough; and what it was before. */
/* @typed: what it is now is known; only what it was before is of interest. */
static void tell_type(struct facts *facts, struct findings *out, struct finding *finding,
		      const struct slab_object *object, bool typed)
{
	struct identify_request request = { .address = object->address };
	struct identify_result result;
	auto_strbuf text = { 0 };

	if (object->slab.cache->object_size < OBJECT_MIN ||
	    object->slab.cache->object_size > OBJECT_MAX)
		return;
	struct error *err = identify(facts->session, &request, facts->arena, &result);
	if (err) {
		error_free(err);
		return;
	}
	const char *first = NULL;
	for (size_t i = 0; i < result.part_count; i++) {
		const struct identify_hypothesis *h = &result.parts[i];
		if (h->confidence < IDENTIFY_LIKELY || h->former)
			continue;
		first = first ? first : h->type;
		strbuf_addf(&text, "%s%s at +0x%" PRIx64 " (%s)", text.len ? ", " : "", h->type,
			    h->base - result.start, identify_confidence_name(h->confidence));
	}
	const char *command = finding_text(out, "identify 0x%" PRIx64, object->address);
	if (first && !typed)
		finding_evidence_shows(out, finding, command, first, "by its contents it is: %s",
				       strbuf_text(&text));
	if (result.former && result.former->confidence >= IDENTIFY_LIKELY) {
		explain_why(out, finding, "Before, that memory was a struct %s, %s", result.former->type,
			    identify_confidence_name(result.former->confidence));
		finding_evidence_shows(out, finding, command, result.former->type,
				       "before, it was a struct %s (%s)", result.former->type,
				       identify_confidence_name(result.former->confidence));
	}
}

/* Whose string constant the text was made from. */
static void tell_source(struct facts *facts, struct findings *out, struct finding *finding,
			const uint8_t *text, size_t size)
{
	struct text_source source;

	if (!text_source_find(facts->session, text, size, &source))
		return;
	explain_why(out, finding, "The words \"%s\" are a constant of %s%s, and of no other", source.words,
		    source.module ? "module " : "the kernel itself",
		    source.module ? source.module->name : "");
	finding_evidence_shows(out, finding, finding_text(out, "rd -a 0x%" PRIx64, source.address),
			       finding_text(out, "%.8s", source.words), "the constant that the text was made from");
}

/* Text that covers @address: whose, and from where it ran over. */
static bool tell_text(struct facts *facts, struct findings *out, struct finding *finding,
		      uint64_t address)
{
	struct session *s = facts->session;
	const char *command = finding_text(out, "content 0x%" PRIx64, address);
	uint8_t bytes[256];
	char quote[100];
	struct overrun over;
	struct text_log log;

	if (memory_read(s->memory, address & ~UINT64_C(7), bytes, 8) != READ_OK)
		return false;
	for (unsigned i = 0; i < 8; i++) {
		if (!content_is_text(bytes[i]))
			return false;
	}
	overrun_of_text(s, address & ~UINT64_C(7), 8, &over);
	uint64_t size = over.extent.end - over.extent.start;
	if (size < TEXT_MIN || over.extent.end <= over.extent.start)
		return false;
	uint64_t wanted = min_u64(size, sizeof(bytes));
	if (memory_read(s->memory, over.extent.start, bytes, wanted) != READ_OK)
		return false;
	content_quote(bytes, min_u64(wanted, 60), quote, sizeof(quote));
	explain_why(out, finding, "The memory there is text, %" PRIu64 " bytes from %016" PRIx64 ": %s", size,
		    over.extent.start, quote);
	finding_evidence_shows(out, finding, command, finding_text(out, "%016" PRIx64, over.extent.start),
			       "text of %" PRIu64 " bytes begins at %016" PRIx64 ": %s", size,
			       over.extent.start, quote);
	if (over.left)
		explain_why(out, finding, "It ran over the end of %s%.*s",
			    over.left == &over.piece[0] ? "what it begins in, " : "",
			    (int)strcspn(over.left->what.text, ";"), over.left->what.text);
	if (!finding->against)
		finding->against = "who wrote that text there is not known; the code that found it "
				   "may have nothing to do with it";
	/* Who reads what somebody else has written over. */
	if (finding->blame.known && !finding->blame.because && !finding->blame.unsure)
		finding->blame.unsure = "it may be a victim";
	tell_source(facts, out, finding, bytes, wanted);
	content_text_in_log(s, bytes, wanted, &log);
	if (log.found)
		explain_why(out, finding, "The kernel log has the same text (%zu record%s)", log.records,
			    log.records == 1 ? "" : "s");
	return true;
}

static const char *state_words(const struct slab_object *object)
{
	switch (object->state) {
	case OBJECT_ALLOCATED:
		return "allocated";
	case OBJECT_FREE:
	case OBJECT_FREE_CPU:
		return "freed";
	default:
		return NULL;
	}
}

static void tell_object(struct facts *facts, struct findings *out, struct finding *finding,
			const struct slab_object *object)
{
	const struct slab_cache *cache = object->slab.cache;
	const char *state = state_words(object);

	finding->object = object->address;
	if (object->state == OBJECT_FREE || object->state == OBJECT_FREE_CPU)
		explain_why(out, finding, "The %s object %016" PRIx64 " was freed%s", cache->name,
			    object->address, object->kfence ? " (KFENCE guards it)" : "");
	finding_evidence_shows(out, finding, finding_text(out, "whatis 0x%" PRIx64, object->address),
			       cache->name, "the object at stake: %s %016" PRIx64 ", %u bytes, %s",
			       cache->name, object->address, cache->object_size,
			       state ? state : "free or not is not known");
	explain_tracks(facts, out, finding, object);
}

void explain_object(struct facts *facts, struct findings *out, struct finding *finding,
		    uint64_t address, bool typed)
{
	struct slab_object object;
	bool known = slab_object_at(facts->session, address, &object) && object.slab.cache &&
		     !object.in_redzone && object.state != OBJECT_PADDING;

	if (known)
		tell_object(facts, out, finding, &object);
	/* What text has run over shows no type any more. */
	if (tell_text(facts, out, finding, address) || !known)
		return;
	/* A cache of one type holds nothing else, before or now. */
	if (!typed || starts_with(object.slab.cache->name, "kmalloc-"))
		tell_type(facts, out, finding, &object, typed);
}
