// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Theory of operation: block 0 of a kdump-compressed file is `struct disk_dump_header`, with the
 * machine's utsname and the numbers of blocks of what follows; block 1 begins with `struct
 * kdump_sub_header`, which grew with each version of the header:
 *
 *	version 1 dump_level     2 split, start_pfn, end_pfn     3 vmcoreinfo
 *	version 4 ELF notes      5 erased symbols (eraseinfo)    6 64-bit page frame numbers
 *
 * QEMU writes version 6 with an empty utsname and no time stamp.
 *
 * Source: makedumpfile's diskdump_mod.h and IMPLEMENTATION; qemu include/sysemu/dump.h. Both are C
 * structures of the dumped machine, so that a 32-bit kernel's have other offsets.
 */
#include "dump/kdump_header.h"

#include <byteswap.h>
#include <string.h>

#include "base/bytes.h"

static const char signature[] = "KDUMP   ";

enum {
	SIGNATURE_SIZE = 8,
	UTSNAME_COUNT = 6,
	UTSNAME_SIZE = 65,
	/* disk_dump_header of a 64-bit machine */
	AT_VERSION = 8,
	AT_UTSNAME = 12,
	AT_TIMESTAMP = 408,
	AT_STATUS = 424,
	AT_BLOCK_SIZE = 428,
	AT_SUB_HEADER_BLOCKS = 432,
	AT_BITMAP_BLOCKS = 436,
	AT_MAX_PFN = 440,
	HEADER_SIZE = 464,
	/* of a 32-bit one */
	AT_BLOCK_SIZE_32 = 416,
	/* kdump_sub_header of a 64-bit machine */
	SUB_PHYS_BASE = 0,
	SUB_DUMP_LEVEL = 8,
	SUB_SPLIT = 12,
	SUB_START_PFN = 16,
	SUB_END_PFN = 24,
	SUB_VMCOREINFO = 32,
	SUB_NOTES = 48,
	SUB_START_PFN_64 = 80,
	SUB_END_PFN_64 = 88,
	SUB_MAX_PFN_64 = 96,
	SUB_HEADER_SIZE = 104,
};

bool kdump_header_probe(const struct file_view *view)
{
	uint8_t scratch[SIGNATURE_SIZE];
	const uint8_t *p = view_get(view, 0, SIGNATURE_SIZE, scratch);

	return p && memcmp(p, signature, SIGNATURE_SIZE) == 0;
}

static bool is_page_size(uint32_t size)
{
	return size >= 1024 && size <= (1u << 22) && (size & (size - 1)) == 0;
}

static struct error *check_readable(const uint8_t *h)
{
	uint32_t version = load_u32(h + AT_VERSION), block_size = load_u32(h + AT_BLOCK_SIZE);

	if (version > 0xffff && bswap_32(version) <= 0xff)
		return error_new(ERROR_UNSUPPORTED,
				 "kdump of a big-endian machine (s390x, ppc64 ...): only "
				 "little-endian ones can be read");
	if (version > KDUMP_VERSION_MAX)
		return error_new(ERROR_UNSUPPORTED,
				 "kdump-compressed header version %u is unknown: 1 to %d are known",
				 version, KDUMP_VERSION_MAX);
	if (block_size == KDUMP_BLOCK_SIZE)
		return NULL;
	if (!is_page_size(block_size) && is_page_size(load_u32(h + AT_BLOCK_SIZE_32)))
		return error_new(ERROR_UNSUPPORTED, "kdump of a 32-bit kernel: only 64-bit ones "
						    "can be read");
	if (is_page_size(block_size))
		return error_new(ERROR_UNSUPPORTED,
				 "kdump of a machine with pages of %u bytes: only %d can be read",
				 block_size, KDUMP_BLOCK_SIZE);
	return error_new(ERROR_FORMAT, "kdump header is damaged: block size %u", block_size);
}

static void read_main(const uint8_t *h, struct kdump_header *header)
{
	header->version = load_u32(h + AT_VERSION);
	header->timestamp = load_u64(h + AT_TIMESTAMP);
	header->status = load_u32(h + AT_STATUS);
	header->sub_header_blocks = load_u32(h + AT_SUB_HEADER_BLOCKS);
	header->bitmap_blocks = load_u32(h + AT_BITMAP_BLOCKS);
	header->max_pfn = load_u32(h + AT_MAX_PFN);
	for (size_t i = 0; i < UTSNAME_COUNT; i++) {
		memcpy(header->utsname[i], h + AT_UTSNAME + i * UTSNAME_SIZE, UTSNAME_SIZE);
		header->utsname[i][UTSNAME_SIZE - 1] = '\0';
	}
}

static void read_sub(const uint8_t *s, struct kdump_header *header)
{
	header->phys_base = load_u64(s + SUB_PHYS_BASE);
	if (header->version >= 1)
		header->dump_level = load_u32(s + SUB_DUMP_LEVEL);
	if (header->version >= 2) {
		header->split = load_u32(s + SUB_SPLIT) != 0;
		header->start_pfn = load_u64(s + SUB_START_PFN);
		header->end_pfn = load_u64(s + SUB_END_PFN);
	}
	if (header->version >= 3) {
		header->vmcoreinfo_offset = load_u64(s + SUB_VMCOREINFO);
		header->vmcoreinfo_size = load_u64(s + SUB_VMCOREINFO + 8);
	}
	if (header->version >= 4) {
		header->notes_offset = load_u64(s + SUB_NOTES);
		header->notes_size = load_u64(s + SUB_NOTES + 8);
	}
	if (header->version >= 6) {
		header->start_pfn = load_u64(s + SUB_START_PFN_64);
		header->end_pfn = load_u64(s + SUB_END_PFN_64);
		if (load_u64(s + SUB_MAX_PFN_64))
			header->max_pfn = load_u64(s + SUB_MAX_PFN_64);
	}
}

struct error *kdump_read_header(const struct file_view *view, struct kdump_header *header)
{
	uint8_t main_header[HEADER_SIZE], sub_header[SUB_HEADER_SIZE];

	*header = (struct kdump_header){ 0 };
	const uint8_t *h = view_get(view, 0, HEADER_SIZE, main_header);
	if (!h)
		return error_new(ERROR_FORMAT, "kdump file cut off inside its header");
	struct error *err = check_readable(h);
	if (err)
		return err;
	read_main(h, header);
	if (!header->sub_header_blocks)
		return NULL;
	if (view->size <= KDUMP_BLOCK_SIZE)
		return error_new(ERROR_FORMAT, "kdump file cut off inside its header");
	view_copy(view, KDUMP_BLOCK_SIZE, sub_header, SUB_HEADER_SIZE);
	read_sub(sub_header, header);
	return NULL;
}
