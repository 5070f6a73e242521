/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who points into these objects? In: ranges of addresses. Out: every aligned word of memory that
 * holds an address in one of them, each with what it is part of, the most telling ones first.
 */
#pragma once

#include "forensics/whatis.h"
#include "kernel/pages.h"

struct ref_target {
	uint64_t start, size;
};

/* How much a reference tells, best first: the order of the result. */
enum ref_rank {
	REF_NAMED,   /* a variable, a per-CPU variable: somebody owns the object by name */
	REF_OBJECT,  /* an object in use */
	REF_STACK,   /* somebody works with it */
	REF_MEMORY,  /* memory in use, nobody knows for what */
	REF_INSIDE,  /* the object itself: lists that are empty, self-pointers */
	REF_FREE,    /* a freed object, a free page, the dead part of a stack: stale */
	REF_USER,    /* a page of a process, or of a file */
	REF_RANKS,
};

struct ref {
	uint64_t at;        /* where the word is: an address of the image or vmalloc, if there is one */
	struct paddr phys;
	uint64_t value;
	size_t target;      /* its number */
	uint64_t offset;    /* of @value in the target */
	enum ref_rank rank;
	struct what what;   /* what is at @at */
};

struct refs {
	struct ref *data;          /* at most as many as were asked for */
	size_t count;
	uint64_t ranks[REF_RANKS]; /* all there are, by rank */
	uint64_t total;            /* their sum */
	uint64_t holes;            /* pages that could not be read */
	bool partial;              /* stopped by the user */
	bool capped;               /* so many that only some could be ranked */
};

struct refs_options {
	size_t limit; /* references wanted; 0: all that can be ranked */
	bool user;    /* those in pages of processes and files too */
};

/* Looks at all memory in the dump, once for all targets. Free with refs_deinit(). */
void refs_find(struct session *s, const struct ref_target *targets, size_t count,
	       const struct refs_options *options, struct refs *refs);
void refs_deinit(struct refs *refs);
const char *ref_rank_name(enum ref_rank rank);

/*
 * The address by which the kernel most likely knows each of these: that of the kernel image, of a
 * vmalloc area (modules and most stacks too) or of the direct map; 0 where there is none.
 */
void virtual_addresses(struct session *s, const struct paddr *phys, size_t count, uint64_t *vaddr);

/* How exact the bounds of an object are. */
enum bounds {
	BOUNDS_UNKNOWN,
	BOUNDS_SHARED, /* a page whose border says nothing: of a file, a process, the image */
	BOUNDS_PAGE,   /* a page that somebody allocated, perhaps together with its neighbours */
	BOUNDS_OBJECT,
};

/*
 * The object that @address lies in: a variable, a slab object, a page or block of pages, a stack.
 * @what is filled in any case.
 */
enum bounds object_around(struct session *s, uint64_t address, struct ref_target *object,
			  struct what *what);
