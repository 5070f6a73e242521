/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Slab cache -> the C type of its objects.
 *
 * In: the address of a kmem_cache. Out: the name of a struct, where the cache's name, the code that
 * allocates from it, or a short table says which, and sizeof agrees with the cache's object size.
 * Else NULL: caches of no one type (kmalloc-64, merged caches, names_cache), and those of which it
 * cannot be told.
 */
#pragma once

#include "kernel/session.h"

enum cache_type_rule {
	CACHE_TYPE_NONE,
	CACHE_TYPE_TABLE, /* a well-known cache, by the table in cache_types.c */
	CACHE_TYPE_NAME,  /* the cache is called like the struct */
	CACHE_TYPE_CODE,  /* a function that allocates from it returns the struct */
};

struct cache_type {
	const char *type;          /* "task_struct"; NULL: not known. Lives as long as the session */
	enum cache_type_rule rule; /* of @type, or else of @maybe */
	const char *maybe;         /* of a merged cache: the type of one of those it was made of */
	char name[64];             /* of the cache; "" when it cannot be read */
	uint64_t object_size;      /* what each user of the cache asked for */
	bool general;              /* kmalloc and its like: objects of any type */
	bool merged;               /* several caches in one: objects of several types */
	bool constructed;          /* free objects keep their contents: a constructor, or RCU */
};

/* What is known of the cache at @kmem_cache. Never NULL. Thread-safe. */
const struct cache_type *cache_type_of(struct session *s, uint64_t kmem_cache);
/* The same, only the name of the struct; NULL. */
const char *cache_type(struct session *s, uint64_t kmem_cache);
