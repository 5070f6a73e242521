/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bytes of a dump file as its format's reader wants to see them: at their logical offsets,
 * whether the file is plain (then this is the map itself) or flattened (then pieces of it).
 */
#pragma once

#include "base/compiler.h"
#include "base/error.h"
#include "dump/extents.h"

struct file_view {
	const uint8_t *data; /* the file as it is */
	size_t data_size;
	uint64_t size; /* of the logical file */
	bool flattened;
	bool cut_off;          /* flattened, and its end mark is missing */
	struct extents chunks; /* flattened: logical offset -> offset in data */
};

/* Makes a view of a file's bytes, which must outlive it. Errors: damaged flattened header. */
struct error *view_init(struct file_view *view, const void *data, size_t size) must_check;
void view_deinit(struct file_view *view);

/*
 * @len bytes at logical @offset: a pointer into the map where they are in one piece, else copied
 * to @scratch (@len bytes; NULL: do not copy). NULL when the file does not have them all.
 */
const uint8_t *view_get(const struct file_view *view, uint64_t offset, size_t len,
			void *scratch) must_check;

/* Copies what there is of the range; zeroes for what is behind the end or was never written. */
void view_copy(const struct file_view *view, uint64_t offset, void *buffer, size_t len);

/* The range will be read soon, all of it: lets the kernel fetch it at once. */
void view_will_need(const struct file_view *view, uint64_t offset, uint64_t len);

/* Before and after the range is read from its start to its end. */
void view_scan_begins(const struct file_view *view, uint64_t offset, uint64_t len);
void view_scan_ends(const struct file_view *view, uint64_t offset, uint64_t len);

/* flattened.c: is it a flattened file, and the index of its chunks. */
bool flattened_probe(const void *data, size_t size);
struct error *flattened_index(struct file_view *view) must_check;
