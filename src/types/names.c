// SPDX-License-Identifier: LGPL-2.1-or-later
/* See names.h. 16 bytes a name, and 4 a bucket: half a megabyte for a kernel's 25,000 types. */
#include "types/names.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define BUCKETS_MAX (1u << 20)

void names_init(struct names *names, size_t expected)
{
	uint32_t buckets = 64;

	while (buckets < expected && buckets < BUCKETS_MAX)
		buckets *= 2;
	*names = (struct names){ .bucket = xcalloc(buckets, sizeof(*names->bucket)),
				 .mask = buckets - 1 };
}

void names_deinit(struct names *names)
{
	free(names->bucket);
	vec_deinit(&names->entries);
	names->bucket = NULL;
}

uint32_t name_hash(const char *name, size_t length)
{
	return (uint32_t)XXH3_64bits(name, length);
}

uint64_t name_hash64(const char *name, size_t length)
{
	return XXH3_64bits(name, length);
}

void names_add(struct names *names, uint32_t hash, uint32_t id, uint32_t extra)
{
	uint32_t *bucket = &names->bucket[hash & names->mask];

	vec_push(&names->entries,
		 (struct name_entry){ .hash = hash, .id = id, .extra = extra, .next = *bucket });
	*bucket = (uint32_t)names->entries.count;
}

const struct name_entry *names_next(const struct names *names, uint32_t hash,
				    const struct name_entry *entry)
{
	uint32_t next = entry ? entry->next : names->bucket[hash & names->mask];

	while (next) {
		entry = &names->entries.data[next - 1];
		if (entry->hash == hash)
			return entry;
		next = entry->next;
	}
	return NULL;
}
