/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An index from the hash of a name to numbers. Chained, so that adding costs the same whatever a
 * hostile blob has for names; who looks up compares the names.
 */
#pragma once

#include "base/compiler.h"
#include "base/vec.h"

struct name_entry {
	uint32_t hash;
	uint32_t id;
	uint32_t extra;
	uint32_t next; /* index + 1 into entries; 0: last */
};

struct names {
	uint32_t *bucket; /* index + 1 of the newest entry */
	uint32_t mask;
	struct {
		vec_fields(struct name_entry);
	} entries;
};

/* Room for about @expected names without long chains. */
void names_init(struct names *names, size_t expected);
void names_deinit(struct names *names);
uint32_t name_hash(const char *name, size_t length);
uint64_t name_hash64(const char *name, size_t length);
void names_add(struct names *names, uint32_t hash, uint32_t id, uint32_t extra);
/* Newest first; start with @entry NULL. */
const struct name_entry *names_next(const struct names *names, uint32_t hash,
				    const struct name_entry *entry);
