// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Theory of operation: a kdump-compressed file, in blocks of the page size, is
 *
 *	header | sub-header, VMCOREINFO, notes | bitmap 1 | bitmap 2 | descriptors | page data
 *
 * Bitmap 1 has a bit for each page frame that is memory, bitmap 2 for each one that was dumped;
 * the difference was filtered out. There is one descriptor {offset, size, flags} for each bit set
 * in bitmap 2, in the same order, so the number of set bits before a page's bit finds its
 * descriptor (bitmap.c). Pages full of zeroes share one block of data.
 *
 * `makedumpfile --split` writes several files: each has all of both bitmaps, but descriptors and
 * data only for the pages of [start_pfn, end_pfn). They are read together as pieces, sorted; where
 * a piece is missing its pages are "truncated".
 *
 * A dump that was cut off (a full disk, an interrupted copy) is read as far as it goes: a page
 * whose bit, descriptor or data is behind the end is "truncated". makedumpfile itself marks such
 * dumps as incomplete and leaves descriptors zero.
 *
 * Source: makedumpfile's IMPLEMENTATION and diskdump_mod.h (page_desc_t).
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/strbuf.h"
#include "dump/bitmap.h"
#include "dump/kdump_header.h"

enum {
	DESC_SIZE = 24,        /* offset 8, size 4, flags 4, page_flags 8 */
	SAMPLES = 256,         /* descriptors looked at to describe the file */
	COUNTED_MAX = 1 << 20, /* descriptors that are worth counting one by one */
	FIELD_MAX = 1 << 24,   /* no VMCOREINFO or notes are larger */
};

struct piece {
	const struct dump_file *file;
	struct kdump_header header;
	uint64_t start, end;    /* the page frames that it is about */
	uint64_t exists_offset; /* of bitmap 1; 0: there is none */
	uint64_t exists_bits;   /* its bits that are in the file */
	uint64_t dumped_offset; /* of bitmap 2 */
	uint64_t desc_offset;   /* of the first descriptor */
	struct bitmap dumped;   /* bitmap 2, as far as it is in the file */
	uint8_t *bits;          /* its bytes, where they had to be put together */
};

struct kdump {
	struct piece *pieces; /* sorted, disjoint */
	size_t count;
};

static uint64_t bitmap_start(const struct kdump_header *h)
{
	return (1 + (uint64_t)h->sub_header_blocks) * KDUMP_BLOCK_SIZE;
}

static void load_bits(struct piece *piece, uint64_t offset, uint64_t bits_there)
{
	const struct file_view *view = &piece->file->view;
	uint64_t end = min_u64(piece->end, bits_there);
	size_t size = (size_t)((end + 7) / 8);

	piece->dumped_offset = offset;
	const uint8_t *bits = view_get(view, offset, size, NULL);
	if (!bits && size) {
		piece->bits = xmalloc(size);
		view_copy(view, offset, piece->bits, size);
		bits = piece->bits;
	}
	view_scan_begins(view, offset, size);
	bitmap_init(&piece->dumped, bits, min_u64(piece->start, end), end);
	view_scan_ends(view, offset, size);
}

/* Finds the bitmaps. Their size is bounded by the file's: what is behind its end is not there. */
static void open_bitmaps(struct dump *dump, struct piece *piece)
{
	const struct kdump_header *h = &piece->header;
	uint64_t offset = bitmap_start(h), size = (uint64_t)h->bitmap_blocks * KDUMP_BLOCK_SIZE;
	uint64_t needed = (h->max_pfn + 7) / 8, second = offset + size / 2;

	/* A dump with one bitmap has no more blocks than that one needs. */
	bool single = (needed + KDUMP_BLOCK_SIZE - 1) / KDUMP_BLOCK_SIZE >= h->bitmap_blocks;
	uint64_t bits = single ? size * 8 : size * 4;
	if (h->max_pfn > bits) {
		dump_problem(dump, "%s: its header speaks of %llu pages, its bitmap of %llu",
			     piece->file->name, (unsigned long long)h->max_pfn,
			     (unsigned long long)bits);
		piece->end = min_u64(piece->end, bits);
		piece->start = min_u64(piece->start, piece->end);
	}
	if (single)
		second = offset;
	uint64_t file_size = piece->file->view.size;
	uint64_t there = file_size > second ? (file_size - second) * 8 : 0;
	if (!single) {
		piece->exists_offset = offset;
		piece->exists_bits =
			min_u64(bits, file_size > offset ? (file_size - offset) * 8 : 0);
	}
	piece->desc_offset = offset + size;
	load_bits(piece, second, min_u64(bits, there));
	if (piece->dumped.end < piece->end) {
		dump->info.truncated = true;
		dump_problem(dump, "%s is cut off inside its page bitmap: it has no pages",
			     piece->file->name);
	}
}

static struct error *open_piece(struct dump *dump, const struct dump_file *file,
				struct piece *piece)
{
	struct kdump_header *h = &piece->header;

	piece->file = file;
	struct error *err = kdump_read_header(&file->view, h);
	if (err)
		return err;
	if (h->max_pfn > PHYSICAL_MAX >> PAGE_SHIFT)
		return error_new(ERROR_FORMAT, "kdump header is damaged: %llu pages of memory",
				 (unsigned long long)h->max_pfn);
	piece->end = h->max_pfn;
	if (h->split) {
		piece->start = min_u64(h->start_pfn, h->max_pfn);
		piece->end = max_u64(piece->start, min_u64(h->end_pfn, h->max_pfn));
	}
	if (h->status & KDUMP_STATUS_INCOMPLETE) {
		dump->info.truncated = true;
		dump_problem(dump,
			     "%s is marked as incomplete: the disk was full when it was "
			     "written",
			     file->name);
	}
	open_bitmaps(dump, piece);
	return NULL;
}

/* ---- one page ---- */

static const struct piece *find_piece(const struct kdump *kdump, uint64_t pfn)
{
	size_t low = 0, high = kdump->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (kdump->pieces[mid].end <= pfn)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == kdump->count || kdump->pieces[low].start > pfn)
		return NULL;
	return &kdump->pieces[low];
}

/* A bit of the bitmap at @offset of the file, for the few questions not worth an index. */
static bool file_bit(const struct piece *piece, uint64_t offset, uint64_t bit)
{
	uint8_t scratch;
	const uint8_t *byte = view_get(&piece->file->view, offset + bit / 8, 1, &scratch);

	return byte && *byte >> (bit % 8) & 1;
}

static bool memory_exists(const struct piece *piece, uint64_t pfn)
{
	return pfn < piece->exists_bits && file_bit(piece, piece->exists_offset, pfn);
}

/* A page of a piece that we were not given: all bitmaps cover all pages. */
static enum read_status missing_piece_status(const struct piece *other, uint64_t pfn)
{
	if (pfn >= other->header.max_pfn)
		return READ_UNMAPPED;
	if (file_bit(other, other->dumped_offset, pfn))
		return READ_TRUNCATED;
	return memory_exists(other, pfn) ? READ_EXCLUDED : READ_UNMAPPED;
}

struct page_desc {
	uint64_t offset;
	uint32_t size, flags;
};

/* Descriptor number @index; READ_TRUNCATED when it or its page's data is not in the file. */
static enum read_status read_desc(const struct piece *piece, uint64_t index, struct page_desc *desc)
{
	const struct file_view *view = &piece->file->view;
	uint8_t scratch[DESC_SIZE];
	const uint8_t *p =
		view_get(view, piece->desc_offset + index * DESC_SIZE, DESC_SIZE, scratch);

	if (!p)
		return READ_TRUNCATED;
	desc->offset = load_u64(p);
	desc->size = load_u32(p + 8);
	desc->flags = load_u32(p + 12) & CODEC_MASK;
	if (!desc->offset)
		return READ_TRUNCATED;
	if (desc->offset < piece->desc_offset || !desc->size || desc->size > PAGE_SIZE)
		return READ_CORRUPT;
	if (!range_fits(desc->offset, desc->size, view->size))
		return READ_TRUNCATED;
	return READ_OK;
}

static enum read_status find_page(const struct kdump *kdump, uint64_t pfn,
				  const struct piece **piece_ret, struct page_desc *desc)
{
	const struct piece *piece = find_piece(kdump, pfn);

	if (!piece)
		return missing_piece_status(&kdump->pieces[0], pfn);
	if (pfn >= piece->dumped.end)
		return pfn < piece->exists_bits && !memory_exists(piece, pfn) ? READ_UNMAPPED
									      : READ_TRUNCATED;
	if (!bitmap_test(&piece->dumped, pfn))
		return memory_exists(piece, pfn) ? READ_EXCLUDED : READ_UNMAPPED;
	*piece_ret = piece;
	return read_desc(piece, bitmap_rank(&piece->dumped, pfn), desc);
}

static enum read_status kdump_read_page(const struct dump *dump, uint64_t pfn, uint8_t *buffer,
					struct dump_page *page)
{
	const struct piece *piece = NULL;
	struct page_desc desc;
	uint8_t scratch[PAGE_SIZE];
	const uint8_t *data;

	enum read_status status = find_page(dump->state, pfn, &piece, &desc);
	if (status != READ_OK)
		return status;
	const struct file_view *view = &piece->file->view;
	if (!desc.flags) {
		if (desc.size != PAGE_SIZE)
			return READ_CORRUPT;
		data = view_get(view, desc.offset, PAGE_SIZE, buffer);
		if (!data)
			return READ_TRUNCATED;
	} else {
		const uint8_t *packed = view_get(view, desc.offset, desc.size, scratch);
		if (!packed)
			return READ_TRUNCATED;
		if (!codec_decompress(dump->codecs, (enum codec)desc.flags, packed, desc.size,
				      buffer, PAGE_SIZE))
			return READ_CORRUPT;
		data = buffer;
	}
	*page = (struct dump_page){ .data = data, .from = 0, .to = PAGE_SIZE };
	return READ_OK;
}

static enum read_status kdump_has_page(const struct dump *dump, uint64_t pfn)
{
	const struct piece *piece;
	struct page_desc desc;

	return find_page(dump->state, pfn, &piece, &desc);
}

static bool kdump_next_page(const struct dump *dump, uint64_t *pfn)
{
	const struct kdump *kdump = dump->state;

	for (size_t i = 0; i < kdump->count; i++) {
		const struct piece *piece = &kdump->pieces[i];
		if (*pfn >= piece->dumped.end)
			continue;
		uint64_t next = bitmap_next(&piece->dumped, *pfn);
		if (next < piece->dumped.end) {
			*pfn = next;
			return true;
		}
	}
	return false;
}

/* The pages' data lies one after the other, but for pages of zeroes, which share theirs. */
static void piece_will_need(const struct piece *piece, uint64_t first, uint64_t end)
{
	const struct file_view *view = &piece->file->view;
	uint64_t from = 0, to = 0;
	struct page_desc desc;

	first = bitmap_next(&piece->dumped, first);
	if (first >= end)
		return;
	uint64_t index = bitmap_rank(&piece->dumped, first);
	uint64_t last = bitmap_rank(&piece->dumped, end - 1);
	view_will_need(view, piece->desc_offset + index * DESC_SIZE, (last - index) * DESC_SIZE);
	for (; index <= last && index < piece->dumped.total; index++) {
		if (read_desc(piece, index, &desc) != READ_OK)
			continue;
		if (desc.offset != to) {
			view_will_need(view, from, to - from);
			from = desc.offset;
		}
		to = desc.offset + desc.size;
	}
	view_will_need(view, from, to - from);
}

static void kdump_will_need(const struct dump *dump, uint64_t pfn, uint64_t count)
{
	const struct kdump *kdump = dump->state;

	for (size_t i = 0; i < kdump->count; i++) {
		const struct piece *piece = &kdump->pieces[i];
		uint64_t first = max_u64(pfn, piece->dumped.start);
		if (first >= piece->dumped.end || first - pfn >= count)
			continue;
		uint64_t left = count - (first - pfn);
		piece_will_need(piece, first, first + min_u64(left, piece->dumped.end - first));
	}
}

/* ---- opening ---- */

static int compare_pieces(const void *va, const void *vb)
{
	const struct piece *a = va, *b = vb;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return a->end < b->end ? -1 : a->end > b->end;
}

/* The pieces must be of one dump; what they leave out is a problem, but no error. */
static struct error *check_pieces(struct dump *dump, const struct kdump *kdump)
{
	const struct piece *first = &kdump->pieces[0];
	uint64_t expected = 0;

	for (size_t i = 0; i < kdump->count; i++) {
		const struct piece *piece = &kdump->pieces[i];
		const struct kdump_header *h = &piece->header;
		if (kdump->count > 1 && !h->split)
			return error_new(ERROR_USAGE,
					 "%s is a whole dump, not a piece of a split "
					 "one: open it alone",
					 piece->file->name);
		if (h->max_pfn != first->header.max_pfn ||
		    h->timestamp != first->header.timestamp ||
		    memcmp(h->utsname, first->header.utsname, sizeof(h->utsname)) != 0)
			return error_new(ERROR_USAGE, "%s and %s are not pieces of the same dump",
					 first->file->name, piece->file->name);
		if (piece->start < expected)
			return error_new(ERROR_USAGE, "%s and %s are the same piece of a dump",
					 kdump->pieces[i - 1].file->name, piece->file->name);
		if (piece->start > expected) {
			dump->info.truncated = true;
			dump_problem(dump,
				     "a piece of the split dump is missing: that of physical "
				     "addresses 0x%llx to 0x%llx",
				     (unsigned long long)expected << PAGE_SHIFT,
				     (unsigned long long)piece->start << PAGE_SHIFT);
		}
		expected = piece->end;
	}
	uint64_t max_pfn = first->header.max_pfn;
	if (expected < max_pfn && first->header.split) {
		dump->info.truncated = true;
		dump_problem(dump,
			     "a piece of the split dump is missing: that of physical "
			     "addresses 0x%llx to 0x%llx",
			     (unsigned long long)expected << PAGE_SHIFT,
			     (unsigned long long)max_pfn << PAGE_SHIFT);
	}
	return NULL;
}

/*
 * Is the end of the data there? Data is in the order of the pages, but that all pages of zeroes
 * share one block, which may be far in front: go back from the last descriptor to one that has a
 * block of its own, in growing steps, as most of memory can be zero.
 */
static bool tail_missing(const struct piece *piece)
{
	uint64_t total = piece->dumped.total, last = 0;
	struct page_desc desc;

	for (uint64_t i = 0; i < total; i += 1 + i / 1024) {
		enum read_status status = read_desc(piece, total - 1 - i, &desc);
		if (status == READ_TRUNCATED)
			return true;
		if (status != READ_OK)
			continue;
		if (last && desc.offset != last)
			return false;
		last = desc.offset;
	}
	return false;
}

/* How many pages are not in the file: counted, or estimated from some when there are very many. */
static void describe_missing(struct dump *dump, const struct piece *piece)
{
	uint64_t total = piece->dumped.total, looked_at = 0, missing = 0;
	uint64_t step = total <= COUNTED_MAX ? 1 : total / SAMPLES + 1;
	const struct dump_file *file = piece->file;
	struct page_desc desc;

	view_will_need(&file->view, piece->desc_offset, step == 1 ? total * DESC_SIZE : 0);
	for (uint64_t i = 0; i < total; i += step) {
		looked_at++;
		missing += read_desc(piece, i, &desc) == READ_TRUNCATED;
	}
	dump->info.truncated = true;
	if (!missing) {
		dump_problem(dump, "%s is a flattened dump without its end mark", file->name);
		return;
	}
	missing = (uint64_t)((double)missing / (double)looked_at * (double)total);
	dump->info.present_pages -= missing;
	dump_problem(dump, "%s is cut off at %zu bytes: %s%llu of its %llu pages are missing",
		     file->name, file->view.data_size, step == 1 ? "" : "about ",
		     (unsigned long long)missing, (unsigned long long)total);
}

/* The codecs of the first pages, and whether some were stored as they are. */
struct sample {
	uint32_t codecs;
	bool raw;
};

static void sample_codecs(const struct piece *piece, struct sample *sample)
{
	struct page_desc desc;

	for (uint64_t i = 0; i < piece->dumped.total && i < SAMPLES; i++) {
		if (read_desc(piece, i, &desc) != READ_OK)
			continue;
		sample->codecs |= desc.flags;
		sample->raw |= !desc.flags;
	}
}

static const char *compression_text(struct dump *dump, const struct kdump_header *h,
				    const struct sample *sample)
{
	auto_strbuf text = { 0 };
	uint32_t codecs = sample->codecs ? sample->codecs : h->status & CODEC_MASK;

	for (uint32_t bit = 1; bit <= CODEC_MASK; bit <<= 1)
		if (codecs & CODEC_MASK & bit)
			strbuf_addf(&text, "%s%s", text.len ? "+" : "",
				    codec_name((enum codec)bit));
	if (sample->raw || !text.len)
		strbuf_addf(&text, "%snone", text.len ? "+" : "");
	return arena_strdup(&dump->arena, strbuf_text(&text));
}

static uint16_t machine_of(const char *name)
{
	static const struct {
		const char *name;
		uint16_t machine;
	} machines[] = {
		/* utsname.machine, EM_* of elf.h */
		{ "x86_64", 62 },       { "aarch64", 183 }, { "riscv64", 243 }, { "ppc64le", 21 },
		{ "loongarch64", 258 }, { "i686", 3 },      { "s390x", 22 },
	};

	for (size_t i = 0; i < array_size(machines); i++)
		if (strcmp(machines[i].name, name) == 0)
			return machines[i].machine;
	return 0;
}

/* A field of the sub-header that says where something is; NULL when it is not there. */
static const uint8_t *sub_field(struct dump *dump, const struct piece *piece, const char *what,
				uint64_t offset, uint64_t size)
{
	if (!offset || !size)
		return NULL;
	if (size > FIELD_MAX || !range_fits(offset, size, piece->file->view.size)) {
		dump_problem(dump, "%s has no valid %s", piece->file->name, what);
		return NULL;
	}
	const uint8_t *data = view_get(&piece->file->view, offset, (size_t)size, NULL);
	if (data)
		return data;
	uint8_t *copy = arena_alloc(&dump->arena, (size_t)size);
	view_copy(&piece->file->view, offset, copy, (size_t)size);
	return copy;
}

static void fill_info(struct dump *dump, const struct piece *piece)
{
	const struct kdump_header *h = &piece->header;
	struct dump_info *info = &dump->info;
	char(*const names[])[65] = { &info->sysname, &info->nodename, &info->release,
				     &info->version, &info->machine };

	for (size_t i = 0; i < array_size(names); i++)
		memcpy(*names[i], h->utsname[i], sizeof(*names[i]));
	/* QEMU knows nothing of what runs in its guest. */
	bool qemu = !info->sysname[0];
	info->format = arena_printf(&dump->arena, "kdump-compressed v%u (%s)", h->version,
				    qemu ? "QEMU" : "makedumpfile");
	info->elf_machine = machine_of(info->machine);
	info->timestamp = h->timestamp;
	info->max_pfn = h->max_pfn;
	if (h->version >= 1 && !qemu) {
		info->dump_level = h->dump_level;
		info->has_dump_level = true;
	}
	/* QEMU takes it from VMCOREINFO's decimal number, which it reads as hexadecimal. */
	if (!qemu) {
		info->phys_base = h->phys_base;
		info->has_phys_base = true;
	}
	const uint8_t *text =
		sub_field(dump, piece, "VMCOREINFO", h->vmcoreinfo_offset, h->vmcoreinfo_size);
	if (text)
		dump_set_vmcoreinfo(dump, text, (size_t)h->vmcoreinfo_size);
	const uint8_t *notes = sub_field(dump, piece, "ELF notes", h->notes_offset, h->notes_size);
	if (notes)
		dump_parse_notes(dump, notes, (size_t)h->notes_size);
}

static struct error *kdump_open(struct dump *dump)
{
	struct kdump *kdump = xcalloc(1, sizeof(*kdump));
	struct sample sample = { 0 };

	dump->state = kdump;
	kdump->pieces = xcalloc(dump->file_count, sizeof(*kdump->pieces));
	for (size_t i = 0; i < dump->file_count; i++) {
		if (!kdump_header_probe(&dump->files[i].view))
			return error_new(ERROR_USAGE, "%s is not a piece of a split dump",
					 dump->files[i].name);
		struct error *err = open_piece(dump, &dump->files[i], &kdump->pieces[i]);
		kdump->count++;
		if (err)
			return err;
	}
	qsort(kdump->pieces, kdump->count, sizeof(*kdump->pieces), compare_pieces);
	struct error *err = check_pieces(dump, kdump);
	if (err)
		return err;
	fill_info(dump, &kdump->pieces[0]);
	for (size_t i = 0; i < kdump->count; i++) {
		const struct piece *piece = &kdump->pieces[i];
		dump->info.present_pages += piece->dumped.total;
		sample_codecs(piece, &sample);
		if (piece->file->view.cut_off || tail_missing(piece))
			describe_missing(dump, piece);
	}
	dump->info.compression = compression_text(dump, &kdump->pieces[0].header, &sample);
	return NULL;
}

static void kdump_close(struct dump *dump)
{
	struct kdump *kdump = dump->state;

	if (!kdump)
		return;
	for (size_t i = 0; i < kdump->count; i++) {
		bitmap_deinit(&kdump->pieces[i].dumped);
		free(kdump->pieces[i].bits);
	}
	free(kdump->pieces);
	free(kdump);
}

const struct dump_format kdump_format = {
	.probe = kdump_header_probe,
	.open = kdump_open,
	.close = kdump_close,
	.read_page = kdump_read_page,
	.has_page = kdump_has_page,
	.next_page = kdump_next_page,
	.will_need = kdump_will_need,
};
