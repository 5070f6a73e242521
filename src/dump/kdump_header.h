/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The headers of one kdump-compressed file, as numbers. */
#pragma once

#include "dump/format.h"

struct kdump_header {
	uint32_t version;
	uint32_t status; /* KDUMP_STATUS_*, and the codec that was asked for */
	uint32_t sub_header_blocks, bitmap_blocks;
	uint64_t timestamp;
	char utsname[6][65]; /* sysname, nodename, release, version, machine, domainname */
	/* Sub-header; 0 where the version does not have the field. */
	uint64_t phys_base;
	uint32_t dump_level; /* version 1 */
	bool split;          /* version 2; [start_pfn, end_pfn) is this piece's part */
	uint64_t start_pfn, end_pfn;
	uint64_t vmcoreinfo_offset, vmcoreinfo_size; /* version 3 */
	uint64_t notes_offset, notes_size;           /* version 4 */
	uint64_t max_pfn;                            /* version 6, before that from the header */
};

enum {
	KDUMP_STATUS_INCOMPLETE = 0x8, /* DUMP_DH_COMPRESSED_INCOMPLETE */
	KDUMP_VERSION_MAX = 6,
	KDUMP_BLOCK_SIZE = 4096,
};

/* Errors: not ours to read (unknown version, byte order, 32-bit, page size), or cut off. */
struct error *kdump_read_header(const struct file_view *view,
				struct kdump_header *header) must_check;
bool kdump_header_probe(const struct file_view *view);
