/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a word of memory looks like, before anybody says what it should be. Private to identify.
 *
 * In: an address. Out: the 8 bytes there and what they could mean as a pointer: to text with which
 * prototype, to a slab object of which type, to a list node that points back ... Remembered by
 * address for as long as the context lives.
 */
#pragma once

#include "forensics/identify_types.h"
#include "kernel/slab.h"

enum word_class {
	WORD_ZERO,
	WORD_SMALL,    /* below 64 KiB, or above -4096 */
	WORD_NUMBER,   /* none of the others: numbers, flags, two ints ... */
	WORD_ASCII,    /* eight characters, or fewer and then zeros */
	WORD_USER,     /* could be an address of user space */
	WORD_FUNCTION, /* the first byte of a function */
	WORD_TEXT,     /* elsewhere in code */
	WORD_RODATA,
	WORD_DATA,
	WORD_SLAB,
	WORD_STACK,    /* vmalloc area: stacks, large tables, modules' memory without symbols */
	WORD_PAGE,     /* a struct page */
	WORD_DIRECT,   /* the direct map, but not slab */
	WORD_BAD,      /* would be a kernel address, but nothing is mapped there */
	WORD_CLASSES,
};

struct id_word {
	uint64_t value;
	uint8_t class;
	bool readable;     /* @value is an address in the kernel's half that can be read */
	bool here;         /* points to itself */
	bool next_back;    /* *(value + 8) is this word's address: it is list_head.next and the like */
	bool prev_back;    /* *value is this word's address - 8: list_head.prev; pprev of an hlist */
	bool tree;         /* a parent in a red-black tree whose child is here */
	bool string;       /* what it points to begins like text */
	bool freed;        /* the slab object that it points into is free */
	uint32_t prototype; /* WORD_FUNCTION: 0 unknown */
	uint32_t type;     /* of the slab object that it points into; ID_NONE unknown */
	uint64_t object;   /* ... its address; 0 none */
	uint64_t offset;   /* ... from its start */
	uint64_t room;     /* bytes from there to the end of the object or symbol; 0 unknown */
};

struct id_context;

/* @blind: objects of the slab cache at that address have no known type; 0: none. */
struct id_context *id_context_create(struct session *s, struct id_types *types, uint64_t blind);
void id_context_destroy(struct id_context *ctx); /* accepts NULL */
/* Whose objects' types are hidden from now on; forgets what was remembered if that changes it. */
void id_context_blind(struct id_context *ctx, uint64_t blind);
uint64_t id_context_hidden(const struct id_context *ctx);
struct session *id_context_session(const struct id_context *ctx);
struct id_types *id_context_types(const struct id_context *ctx);
/* The type of slab object @address was inferred, with what certainty is the caller's matter. */
void id_context_infer(struct id_context *ctx, uint64_t address, uint32_t type);

/* The word at @address (a multiple of 8); NULL when it cannot be read. Good until the next blind. */
const struct id_word *id_word_at(struct id_context *ctx, uint64_t address);
/* The struct of which a slab cache's objects are; ID_NONE. */
uint32_t id_cache_struct(struct id_context *ctx, const struct slab_cache *cache);
/* Known type of the slab object @object: by its cache, or inferred; ID_NONE. */
uint32_t id_object_struct(struct id_context *ctx, const struct slab_object *object);
/* Bytes by the page cache of the context; fewer than @size where memory ends. */
size_t id_read(struct id_context *ctx, uint64_t address, void *buf, size_t size);

/* Scores of structs at addresses that were worked out before. */
bool id_context_score(struct id_context *ctx, uint32_t id, uint64_t address, double *score);
void id_context_keep_score(struct id_context *ctx, uint32_t id, uint64_t address, double score);

static inline bool word_is_pointer(const struct id_word *w)
{
	return w->class >= WORD_FUNCTION;
}
