/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which struct do functions return that allocate from a slab cache? Private to cache_types.c. */
#pragma once

#include "forensics/cache_types.h"

struct cache_sites;

/* All places in code that allocate from a cache which a variable points to. Never NULL. */
struct cache_sites *cache_sites_create(struct session *s);
void cache_sites_destroy(struct cache_sites *sites); /* accepts NULL */
/*
 * The name of the struct that a function returns which allocates from @kmem_cache, when it has the
 * size of the cache's objects; NULL when there is none, or two that differ.
 */
const char *cache_sites_type(const struct cache_sites *sites, uint64_t kmem_cache,
			     uint64_t object_size);
