/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How well does a struct fit the memory at an address? Private to identify. */
#pragma once

#include "forensics/identify_words.h"

/* The words of a range of memory; NULL where memory cannot be read. */
struct id_view {
	struct id_context *ctx;
	uint64_t start;
	size_t count;
	const struct id_word **words;
	bool clipped; /* only strong evidence counts, and contradictions hardly */
};

/* @size is rounded down to words. Free with id_view_deinit(). */
void id_view_init(struct id_view *view, struct id_context *ctx, uint64_t start, uint64_t size);
void id_view_deinit(struct id_view *view);

struct id_evidence {
	uint64_t offset;
	uint8_t kind; /* enum probe_kind */
	float weight; /* natural logarithm of the likelihood ratio: fits above 0, contradicts below */
	const struct id_word *word;
};

struct id_evidences {
	struct id_evidence *data;
	size_t count, capacity;
};

enum id_depth {
	ID_SHALLOW, /* the object's own words */
	ID_DEEP,    /* what they point to is tried as well */
};

/*
 * Logarithm of: how much likelier is this memory if struct @id lies at @base (within the view) than
 * if any object lay there. Stops below @floor. @evidence may be NULL.
 */
double id_score(const struct id_view *view, uint32_t id, uint64_t base, enum id_depth depth,
		double floor, struct id_evidences *evidence);
/* The same of a struct at any address, shallow, remembered. */
double id_score_at(struct id_context *ctx, uint32_t id, uint64_t address);
