// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Theory of operation: `makedumpfile -F` and QEMU's kdump writers send a dump through a pipe as
 * chunks, each with the place in the logical file where it belongs. A chunk may overwrite an
 * earlier one. The file is a header of 4096 bytes, then chunks {offset, size, bytes}, then an end
 * mark with offset and size -1; all numbers are big-endian. One pass over the chunk headers makes
 * the index; data is then read where it is.
 *
 * Source: makedumpfile.h, struct makedumpfile_header and makedumpfile_data_header; qemu
 * include/sysemu/dump.h, the structures of the same names.
 */
#include <endian.h>
#include <string.h>

#include "base/bytes.h"
#include "base/vec.h"
#include "dump/view.h"

static const char signature[] = "makedumpfile";

enum {
	HEADER_SIZE = 4096,  /* MAX_SIZE_MDF_HEADER */
	SIGNATURE_SIZE = 16, /* SIZE_SIG_MDF; type and version follow */
	TYPE = 1,            /* TYPE_FLAT_HEADER */
	VERSION = 1,         /* VERSION_FLAT_HEADER */
	CHUNK_HEADER_SIZE = 16,
};

/* Logical files are bounded so that sums of offsets and sizes cannot overflow. */
#define LOGICAL_MAX (UINT64_C(1) << 62)

static uint64_t load_be64(const uint8_t *p)
{
	return be64toh(load_u64(p));
}

bool flattened_probe(const void *data, size_t size)
{
	return size >= SIGNATURE_SIZE && memcmp(data, signature, sizeof(signature)) == 0;
}

static struct error *check_header(const struct file_view *view)
{
	if (view->data_size < HEADER_SIZE)
		return error_new(ERROR_FORMAT, "flattened dump cut off inside its header");
	uint64_t type = load_be64(view->data + SIGNATURE_SIZE);
	uint64_t version = load_be64(view->data + SIGNATURE_SIZE + 8);
	if (type != TYPE || version != VERSION)
		return error_new(ERROR_UNSUPPORTED,
				 "flattened dump of unknown type %llu, version %llu",
				 (unsigned long long)type, (unsigned long long)version);
	return NULL;
}

struct error *flattened_index(struct file_view *view)
{
	uint64_t pos = HEADER_SIZE;

	struct error *err = check_header(view);
	if (err)
		return err;
	view->flattened = true;
	view->cut_off = true;
	view->size = 0;
	while (range_fits(pos, CHUNK_HEADER_SIZE, view->data_size)) {
		uint64_t offset = load_be64(view->data + pos);
		uint64_t size = load_be64(view->data + pos + 8);
		pos += CHUNK_HEADER_SIZE;
		if (offset == UINT64_MAX && size == UINT64_MAX) {
			view->cut_off = false;
			break;
		}
		/* Zeroes are a part of the file that was never written. */
		if (offset > LOGICAL_MAX || size > LOGICAL_MAX || (!offset && !size))
			break;
		uint64_t there = min_u64(size, view->data_size - pos);
		if (there) {
			vec_push(&view->chunks, (struct extent){ offset, there, pos });
			view->size = max_u64(view->size, offset + there);
		}
		if (there < size)
			break;
		pos += size;
	}
	extents_resolve(&view->chunks);
	return NULL;
}
