/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The index of a debug file's names, in one piece of memory that is also the form of the file that
 * keeps it: made once for each debug file, mapped from then on.
 *
 *   header | checksums of the blocks | buckets | entries | starts of units, main file | alternate
 *
 * Entries are sorted by the hash of the name; a bucket holds those whose hash begins with the same
 * bits. What is behind the header is covered by one checksum for each 64 KB, looked at when the
 * block is first used: a look-up touches two or three. All numbers are little-endian.
 *
 * An entry says where in .debug_info a name is defined; whether it is that name, and not another
 * of the same hash, is seen there.
 */
#pragma once

#include "base/compiler.h"
#include "base/error.h"
#include "base/vec.h"

/* What an index is of. */
struct index_identity {
	char build_id[136]; /* hex digits; "": unknown, never kept on disk */
	uint64_t info_size, abbrev_size, str_size, alt_size;
};

enum index_kind {
	INDEX_STRUCT = 1,
	INDEX_UNION,
	INDEX_ENUM,
	INDEX_TYPEDEF,
	INDEX_BASE,
	INDEX_FUNCTION,
	INDEX_VARIABLE,
	INDEX_ENUMERATOR,
};

enum {
	INDEX_EXTERNAL = 1,    /* not static */
	INDEX_DECLARATION = 2, /* of a function or variable that is defined elsewhere */
};

struct index_entry {
	uint32_t hash;
	uint32_t offset; /* of the DIE */
	uint8_t kind;
	uint8_t flags;
	uint8_t file; /* 1: of the alternate file */
	uint8_t spare;
};

struct index_units {
	vec_fields(uint32_t);
};

struct index_image;

uint32_t index_hash(const char *name);

/* Puts the pieces together; @entries is sorted in place. */
struct index_image *index_image_make(const struct index_identity *identity,
				     struct index_entry *entries, size_t count,
				     const struct index_units units[2]);
/* Sets the checksums of the bytes of an index whose sizes agree (also for fuzzing). */
void index_image_seal(uint8_t *bytes, size_t size);
void index_image_close(struct index_image *image);
/*
 * The entries of names with this hash, in the order of (file, offset): the first, and how many.
 * 0 when there are none or that part of the file is damaged: see index_image_damaged().
 */
size_t index_image_find(struct index_image *image, uint32_t hash,
			const struct index_entry **entries);
/* The starts of the file's units; false when that part is damaged. */
bool index_image_units(struct index_image *image, unsigned file, const uint32_t **starts,
		       size_t *count);
/* Was a block met whose checksum is wrong? The index must be made anew. */
bool index_image_damaged(const struct index_image *image);
size_t index_image_size(const struct index_image *image);

/*
 * Takes over bytes (from malloc(), or a private copy in tests) that claim to be an index of
 * @identity; an error says why they are not, and the bytes are freed.
 */
struct error *index_image_parse(uint8_t *bytes, size_t size, const struct index_identity *identity,
				struct index_image **image) must_check;

/*
 * The index that was kept of @identity, mapped; NULL when there is none that is good. Folders:
 * $XDG_CACHE_HOME/inquest, else ~/.cache/inquest.
 */
struct index_image *index_file_load(const struct index_identity *identity);
/*
 * Keeps it: written beside its place and renamed, so that who reads sees all or nothing, and of
 * several writers the last wins. False when the folder cannot be written.
 */
bool index_file_save(const struct index_image *image);
/* Removes what was kept of @identity (it was found damaged). */
void index_file_remove(const struct index_identity *identity);
