// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The bad pointer itself, once it is known where it lies: what it was before somebody or something
 * spoilt it (forensics/near_pointer.h), and whether it lies in memory that was given back: then it
 * was no pointer any more, but whatever the allocator or the next owner put there.
 *
 * A freed slab object holds, in its middle, the allocator's link to the next free one, on most
 * kernels scrambled (CONFIG_SLAB_FREELIST_HARDENED): a pointer that unscrambles to an object of the
 * same slab is such a link, and nothing else.
 */
#include <inttypes.h>
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/explain.h"
#include "forensics/near_pointer.h"
#include "forensics/whatis.h"
#include "kernel/slab.h"

/* How each way is told: what stands before and behind the good pointer, and what may have done it. */
static const struct way_words {
	const char *kind, *title; /* of the finding, when the proof is strong; NULL: as it is */
	const char *before, *behind; /* %d: the detail */
	const char *meaning;      /* NULL */
	const char *against;      /* NULL */
	const char *next;         /* NULL */
} ways[] = {
	[NEAR_BIT] = {
		"bit-flip", "One bit of a pointer turned over", "one bit (%d) away from ", "",
		"failing memory does that (hardware), or code that sets or clears a bit in what is not "
		"its own",
		"a bit operation on the wrong word looks the same as failing memory",
		"if other dumps of this machine show single bits too, test its memory (memtest86+, EDAC "
		"and machine-check counters); if other machines die alike, look for set_bit() and its "
		"like",
	},
	[NEAR_UPPER_ZERO] = {
		"truncated-pointer", "Pointer without its upper half", "", " without its upper 32 bits",
		"it went through a 32-bit variable or cast (u32, unsigned int), or its upper half was "
		"overwritten with 0",
		NULL, "look where the pointer was stored: a cast or a variable of 32 bits",
	},
	[NEAR_UPPER_SIGN] = {
		"truncated-pointer", "Pointer cut to 32 bits", "",
		" cut to 32 bits and sign-extended",
		"it went through a signed 32-bit variable: a cast to int, or a function that is called "
		"without a prototype",
		NULL, "look where the pointer was stored: a cast to int",
	},
	[NEAR_UPPER_OTHER] = {
		"half-overwritten", "Pointer whose upper half was overwritten", "",
		" with its upper %d bits overwritten", NULL, NULL, NULL,
	},
	[NEAR_SWAPPED] = { "swapped-pointer", "Pointer with its halves swapped", "",
			   " with its halves swapped", NULL, NULL, NULL },
	[NEAR_REVERSED] = { "swapped-pointer", "Pointer with its bytes in reverse order", "",
			    " with its bytes in reverse order",
			    "it was converted for the network (htonll and its like), or read so", NULL,
			    NULL },
	[NEAR_MOVED] = { "misplaced-pointer", "Pointer that is not where it was looked for", "",
			 ", which lies %d byte(s) from where it was read",
			 "the structure is laid out differently by who wrote it, or was filled through "
			 "a pointer that is some bytes off", NULL, NULL },
	[NEAR_PER_CPU] = { "per-cpu-pointer", "Per-CPU pointer used as it is",
			   "a per-CPU pointer; of CPU %d it is ", "",
			   "it was followed without this_cpu_ptr() or per_cpu_ptr()", NULL, NULL },
	[NEAR_PHYSICAL] = { "physical-address", "Physical address used as a pointer",
			    "the physical address of ", "",
			    "it was followed without phys_to_virt(), or is meant for a device", NULL,
			    NULL },
};

/* @words with the detail in place of its %d. */
static const char *with_detail(struct findings *out, const char *words, int detail)
{
	const char *digits = strstr(words, "%d");

	return digits ? finding_text(out, "%.*s%d%s", (int)(digits - words), words, detail,
				     digits + 2)
		      : words;
}

/* The start of an object that something else than the bad pointer shows to be the right one. */
static const char *proof_words(const struct near_answer *near)
{
	if (near->links_back)
		return ", and the list there links back to where the bad one was read from";
	if (near->like_neighbours)
		return ", the same kind of object as the words beside it point to";
	return "";
}

static void near_evidence(struct findings *out, struct finding *finding, uint64_t cell,
			  const struct near_answer *near, const char *place)
{
	finding_evidence_shows(out, finding, finding_text(out, "whatis 0x%" PRIx64, near->value),
			       finding_text(out, "%" PRIx64, near->value), "that is a good pointer: %s",
			       place);
	if (near->links_back)
		finding_evidence_shows(out, finding, finding_text(out, "rd 0x%" PRIx64, near->back),
				       finding_text(out, "%" PRIx64, near->back == near->value
							     ? cell - 8 : cell),
				       "and what it points to links back to the cell");
	else if (near->like_neighbours)
		finding_evidence_shows(out, finding,
				       finding_text(out, "rd -S 0x%" PRIx64, near->neighbour),
				       finding_text(out, "%" PRIx64, near->neighbour),
				       "the word at %" PRIx64 " points to the same kind of object",
				       near->neighbour);
}

/* True when it is more than a possibility. */
static bool tell_near(struct facts *facts, struct findings *out, struct finding *finding,
		      uint64_t cell, uint64_t value, const struct near_answer *near)
{
	const struct way_words *w = &ways[near->way];
	const char *place = place_words(facts, near->value);
	bool strong = near->strength == NEAR_STRONG;

	/* What half a pointer fits by chance is too much to say it without proof. */
	if (!place || (near->way == NEAR_UPPER_OTHER && !strong))
		return false;
	explain_why(out, finding, "The bad pointer is %s %s0x%" PRIx64 "%s (%s%s)%s%s",
		    strong ? "most likely" : "possibly", with_detail(out, w->before, near->detail),
		    near->value, with_detail(out, w->behind, near->detail), place,
		    proof_words(near), w->meaning ? ": " : "", w->meaning ? w->meaning : "");
	near_evidence(out, finding, cell, near, place);
	if (!strong)
		return false;
	if (w->kind) {
		finding->kind = w->kind;
		finding->title = w->title;
		finding->confidence = CONFIDENCE_LIKELY;
	}
	/* The half that was written over it is somebody's number. */
	if (near->way == NEAR_UPPER_OTHER && near->detail == 32 && cell)
		explain_writer(facts, out, finding, cell + 4, value >> 32);
	if (w->against)
		finding->against = w->against;
	if (w->next)
		finding->next = w->next;
	return true;
}

/* --- Memory that was given back. --- */

static bool is_free(const struct slab_object *object)
{
	return object->state == OBJECT_FREE || object->state == OBJECT_FREE_CPU;
}

/* The bad pointer is the slab allocator's own link between free objects. */
static bool tell_freelist(const struct facts *facts, struct findings *out, struct finding *finding,
			  uint64_t cell, const struct slab_object *object)
{
	const struct slab_cache *cache = object->slab.cache;
	const char *next;
	uint64_t link;

	if (!is_free(object) && object->state != OBJECT_ALLOCATED)
		return false;
	if (cell != object->address + cache->free_offset || !cache->hardened ||
	    !slab_free_link(facts->session, object, &link))
		return false;
	next = link ? finding_text(out, "the next free object, %016" PRIx64, link)
		    : "no further free object";
	if (is_free(object)) {
		finding->kind = "use-after-free";
		finding->title = "Use after free";
		finding->confidence = CONFIDENCE_CERTAIN;
	} else {
		finding->kind = "uninitialised";
		finding->title = "Pointer that was never set";
		finding->confidence = CONFIDENCE_LIKELY;
		finding->against = "it may also be a use after free of memory that somebody else was given since";
	}
	explain_why(out, finding, "The bad pointer is the slab allocator's own scrambled link (to %s), "
		    "which it writes there when an object is freed: %s",
		    next, is_free(object) ? "the object was free when it was used"
					  : "since it was allocated nobody has set that member");
	finding_evidence_shows(out, finding, finding_text(out, "whatis 0x%" PRIx64, object->address),
			       cache->name, "its freelist pointer lies at +0x%x of each free object of %s",
			       cache->free_offset, cache->name);
	return true;
}

static void use_after_free(struct finding *finding, const char *against)
{
	finding->kind = "use-after-free";
	finding->title = "Use after free";
	finding->confidence = CONFIDENCE_LIKELY;
	finding->against = against;
}

/* Whether the cell's memory was somebody's at all. True: that explains the bad value. */
static bool tell_freed(struct facts *facts, struct findings *out, struct finding *finding,
		       uint64_t cell)
{
	struct slab_object object;
	struct what what;

	if (slab_object_at(facts->session, cell, &object) && object.slab.cache) {
		if (object.in_redzone || object.state == OBJECT_PADDING)
			return false;
		if (!object.kfence && tell_freelist(facts, out, finding, cell, &object))
			return true;
		if (!is_free(&object))
			return false;
		use_after_free(finding, "it could have been freed between the read and the crash");
		return true;
	}
	whatis(facts->session, facts->task, cell, &what);
	if (what.kind != WHAT_PAGE || !what.freed)
		return false;
	use_after_free(finding, "the page could have been freed between the read and the crash");
	explain_why(out, finding, "The page that it was read from is free");
	finding_evidence_shows(out, finding, finding_text(out, "whatis 0x%" PRIx64, cell), "free",
			       "the page is free: %s", what.text);
	return true;
}

void explain_one_bit(const struct facts *facts, struct findings *out, struct finding *finding,
		     uint64_t one, uint64_t other)
{
	uint64_t differ = one ^ other;
	struct walk walk[2];

	if (!differ || differ & (differ - 1))
		return;
	memory_walk(facts->session->memory, one, &walk[0]);
	memory_walk(facts->session->memory, other, &walk[1]);
	if ((walk[0].status == READ_OK) == (walk[1].status == READ_OK))
		return;
	explain_why(out, finding, "0x%" PRIx64 " and 0x%" PRIx64 ", which should be the same, differ in one "
		    "bit (%d): %s", one, other, __builtin_ctzll(differ), ways[NEAR_BIT].meaning);
	finding->against = ways[NEAR_BIT].against;
}

/* Kinds of which more can be known by the pointer. The others say already what it is. */
static bool is_open(const struct finding *finding)
{
	static const char *const kinds[] = { "bad-address", "user-address", "non-canonical", "bad-pointer",
					     "wild-call", "user-exec" };

	for (size_t i = 0; i < array_size(kinds); i++) {
		if (strcmp(finding->kind, kinds[i]) == 0)
			return true;
	}
	return false;
}

bool explain_pointer(struct facts *facts, struct findings *out, struct finding *finding,
		     uint64_t value, const struct cause *cause)
{
	struct near_question question = {
		.value = value,
		.code = starts_with(finding->kind, "wild-") || starts_with(finding->kind, "user-exec"),
	};
	struct near_answer near;
	uint64_t now;

	if (!is_open(finding))
		return false;
	if (cause && cause->cell && cause->cell_holds && cause->cell_size == 8 &&
	    memory_u64(facts->session->memory, cause->cell, &now) == READ_OK) {
		question.cell = cause->cell;
		question.value = now; /* of a list entry: the list pointer, not the container */
		if (tell_freed(facts, out, finding, cause->cell) ||
		    explain_overflow(facts, out, finding, cause->cell, true))
			return true;
	}
	return near_pointer(facts->session, &question, &near) &&
	       tell_near(facts, out, finding, question.cell, question.value, &near);
}
