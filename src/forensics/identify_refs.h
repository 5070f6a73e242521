/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Typed pointers into objects of unknown type: who points there, and as what. Private to identify.
 */
#pragma once

#include "forensics/identify_words.h"

struct id_ref {
	uint64_t to;         /* where it points */
	uint64_t from;       /* the object that holds the pointer */
	uint32_t target;     /* the struct it points to by its type; ID_NONE: void *, char * */
	uint32_t source;     /* of which struct the object is */
	uint32_t offset;     /* of the member */
	uint32_t cache;      /* number of the object's slab cache */
};

struct id_refs;

/*
 * Gathers the pointers of objects of typed slab caches, and of objects that these point to and that
 * fit their pointers' type, whose types are then known to @ctx (id_context_infer()).
 */
struct id_refs *id_refs_create(struct id_context *ctx);
void id_refs_destroy(struct id_refs *refs); /* accepts NULL */
/* Those that point into [@start, @start + @size), sorted by address. */
const struct id_ref *id_refs_into(const struct id_refs *refs, uint64_t start, uint64_t size,
				  size_t *count);
/* The slab cache of that number. */
uint64_t id_refs_cache(const struct id_refs *refs, uint32_t number);
