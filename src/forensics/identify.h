/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which type has an object that nobody says the type of?
 *
 * In: the address of a slab object, or any range of memory. Out: hypotheses (struct, address where
 * it begins), the best first, each with the members that fit and those that contradict; of a range
 * that several structs lie in, the parts; of memory that was used before, what its last owner was.
 * Where nothing fits well enough, nothing is claimed.
 */
#pragma once

#include "kernel/session.h"
#include "kernel/slab.h"

enum identify_confidence {
	IDENTIFY_UNKNOWN,
	IDENTIFY_POSSIBLE,
	IDENTIFY_LIKELY,
	IDENTIFY_CERTAIN,
};

struct identify_evidence {
	uint64_t offset;  /* in the struct */
	double weight;    /* above 0: fits; below: contradicts */
	const char *text; /* "ops -> ext4_file_operations" */
};

struct identify_hypothesis {
	const char *type;     /* name of a struct or union */
	uint64_t base, size;
	double score;
	enum identify_confidence confidence;
	bool former;          /* what lay there before: the present owner does not explain it */
	const struct identify_evidence *fits, *contradicts; /* heaviest first */
	size_t fit_count, contradict_count;
};

struct identify_result {
	uint64_t start, size;          /* what was looked at */
	bool readable;                 /* some of it is in the dump */
	const struct slab_object *object; /* the slab object; NULL: just a range */
	const char *known;             /* the type by the slab cache alone, when not blind; NULL */
	/* Hypotheses for what begins at the start, and where that is not the whole, for the rest. */
	const struct identify_hypothesis *hypotheses;
	size_t count;
	/* The best set of structs that lie end to end: one, two or more. */
	const struct identify_hypothesis *parts;
	size_t part_count;
	const struct identify_hypothesis *former; /* NULL: nothing of a former owner is seen */
	const char *pointed_by;        /* "sk_buff.head of ffff888..., ...": NULL: by nobody known */
};

struct identify_request {
	uint64_t address;
	uint64_t size;    /* 0: the slab object at @address, else the range */
	bool blind;       /* act as if the object's cache was a kmalloc cache (to measure accuracy) */
	unsigned wanted;  /* hypotheses, at most; 0: 3 */
};

/* Everything in @result lives in @arena, names as long as the session. */
struct error *identify(struct session *s, const struct identify_request *request,
		       struct arena *arena, struct identify_result *result) must_check;
const char *identify_confidence_name(enum identify_confidence confidence);
