/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The search for structs that fit, private to identify. */
#pragma once

#include "base/bytes.h"
#include "forensics/identify.h"
#include "forensics/identify_refs.h"
#include "forensics/identify_score.h"

/* What all searches in a session share. */
struct identifier {
	struct session *session;
	struct id_types *types;
	struct id_context *ctx;
	struct id_refs *refs;
	struct id_anchors *anchors; /* NULL until a range is searched */
};

/* A typed pointer into the range, those of the same kind counted. */
struct search_ref {
	uint64_t to;
	uint32_t target;
	uint32_t source, offset;
	unsigned count;
};

struct candidate {
	uint64_t base;
	uint32_t type;
	double score;
};

struct candidates {
	struct candidate *data;
	size_t count, capacity;
};

struct search {
	struct identifier *id;
	struct id_view view;
	struct {
		struct search_ref *data;
		size_t count, capacity;
	} refs;
	uint32_t maybe;    /* what the name of a merged cache says; ID_NONE */
	uint64_t size_low; /* structs that are not longer are less likely; 0: no matter */
	bool whole;        /* the view is one object */
	bool blind;        /* its end is not known exactly */
	bool freed;
	bool buffer;       /* pointed to as a buffer of bytes: no struct begins there */
	struct size_told {
		bool asked, known;
		uint64_t size;
	} told[2];         /* by row of the table in identify_size.c, for the view's start */
	bool clipped;      /* contradictions hardly count: others have written here since */
};

/* The structs that fit best at @base, best first; replaces what is in @found. */
void identify_search_at(struct search *q, uint64_t base, struct candidates *found);
/* The same, anywhere in the view. */
void identify_search_range(struct search *q, struct candidates *found);
/* Scores struct @id at @base and keeps it if it is among the best; then, of those, the deep round. */
void identify_try(struct search *q, uint32_t id, uint64_t base, struct candidates *found);
void identify_deepen(struct search *q, struct candidates *found);
void candidates_sort(struct candidates *all);
/* Pointers into the view: q->refs, q->buffer, and result->pointed_by. */
void identify_gather_refs(struct search *q, struct arena *arena, struct identify_result *result);
/* Does [@from, @to) of the view hold pointers? */
bool identify_has_pointers(const struct search *q, uint64_t from, uint64_t to);
/* Lists what fits and what contradicts. */
void identify_explain(struct search *q, struct arena *arena, const struct candidate *c,
		      struct identify_hypothesis *h);
/*
 * Some structs are reached by a pointer that leads to their size: sock by sk_prot->obj_size. What
 * that says for or against struct @id at @base; 0 when nothing.
 */
double identify_size_told(struct search *q, uint32_t id, uint64_t base);
/* Is it the head of an sk_buff? Then result->parts says so. */
bool identify_is_skb_head(struct search *q, const struct id_ref *refs, size_t count,
			  struct identify_result *result, struct arena *arena);
void id_anchors_destroy(struct id_anchors *anchors); /* accepts NULL */
