// SPDX-License-Identifier: LGPL-2.1-or-later
/* Dump files built here byte by byte; real ones are read by tests/dumps/test_formats.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <elf.h>
#include <endian.h>
#include <libdeflate.h>
#include <string.h>

#include "base/bytes.h"
#include "base/vec.h"
#include "dump/bitmap.h"
#include "dump/extents.h"
#include "dump/format.h"
#include "dump/lzo.h"

enum { BLOCK = 4096, MAX_PFN = 40, FILE_MAX = 64 * BLOCK };

struct image {
	uint8_t *data;
	size_t size;
};

static void put(struct image *image, size_t at, const void *bytes, size_t size)
{
	assert_true(at + size <= FILE_MAX);
	memcpy(image->data + at, bytes, size);
	image->size = at + size > image->size ? at + size : image->size;
}

static void put_u32(struct image *image, size_t at, uint32_t v)
{
	put(image, at, &v, sizeof(v));
}

static void put_u64(struct image *image, size_t at, uint64_t v)
{
	put(image, at, &v, sizeof(v));
}

static struct image image_new(void)
{
	return (struct image){ .data = xcalloc(1, FILE_MAX) };
}

/* The content of page @pfn of the machine that our dumps are of. */
static void page_content(uint64_t pfn, uint8_t page[PAGE_SIZE])
{
	for (size_t i = 0; i < PAGE_SIZE; i++)
		page[i] = (uint8_t)(i / 16 * pfn + pfn);
}

/* Memory is all page frames but 30-34; the even ones were dumped. */
static bool exists(uint64_t pfn)
{
	return pfn < MAX_PFN && (pfn < 30 || pfn >= 35);
}

static bool dumped(uint64_t pfn)
{
	return exists(pfn) && pfn % 2 == 0;
}

enum { SUB_BLOCKS = 1, BITMAPS = (1 + SUB_BLOCKS) * BLOCK, DESCS = BITMAPS + 2 * BLOCK };

static const char vmcoreinfo[] =
	"OSRELEASE=6.1.0-test\nPAGESIZE=4096\nSYMBOL(swapper_pg_dir)="
	"ffffffff82a10000\nNUMBER(phys_base)=-4096\nKERNELOFFSET=1a000000\n";

static void put_headers(struct image *f, uint32_t version)
{
	put(f, 0, "KDUMP   ", 8);
	put_u32(f, 8, version);
	put(f, 12, "Linux", 6);
	put(f, 12 + 4 * 65, "x86_64", 7);
	put_u64(f, 408, 1700000000);
	put_u32(f, 424, CODEC_ZLIB);
	put_u32(f, 428, BLOCK);
	put_u32(f, 432, SUB_BLOCKS);
	put_u32(f, 436, 2);
	put_u32(f, 440, version < 6 ? MAX_PFN : 0);
	put_u64(f, BLOCK, 0x1000);
	put_u32(f, BLOCK + 8, 31);
	if (version >= 3) {
		put_u64(f, BLOCK + 32, BLOCK + 1024);
		put_u64(f, BLOCK + 40, sizeof(vmcoreinfo) - 1);
		put(f, BLOCK + 1024, vmcoreinfo, sizeof(vmcoreinfo) - 1);
	}
	if (version >= 6)
		put_u64(f, BLOCK + 96, MAX_PFN);
}

/* A dump of the page frames [start, end), every other page compressed. */
static struct image make_kdump(uint32_t version, uint64_t start, uint64_t end)
{
	struct libdeflate_compressor *zlib = libdeflate_alloc_compressor(1);
	struct image f = image_new();
	size_t desc = DESCS, data = DESCS + BLOCK;
	uint8_t page[PAGE_SIZE], packed[PAGE_SIZE];

	put_headers(&f, version);
	for (uint64_t pfn = 0; pfn < MAX_PFN; pfn++) {
		f.data[BITMAPS + pfn / 8] |= (uint8_t)(exists(pfn) << pfn % 8);
		f.data[BITMAPS + BLOCK + pfn / 8] |= (uint8_t)(dumped(pfn) << pfn % 8);
		if (!dumped(pfn) || pfn < start || pfn >= end)
			continue;
		page_content(pfn, page);
		size_t size = pfn % 4 ? 0
				      : libdeflate_zlib_compress(zlib, page, PAGE_SIZE, packed,
								 sizeof(packed));
		put_u64(&f, desc, data);
		put_u32(&f, desc + 8, size ? (uint32_t)size : PAGE_SIZE);
		put_u32(&f, desc + 12, size ? CODEC_ZLIB : 0);
		put(&f, data, size ? packed : page, size ? size : PAGE_SIZE);
		data += size ? size : PAGE_SIZE;
		desc += 24;
	}
	if (start || end != MAX_PFN) {
		put_u32(&f, BLOCK + 12, 1);
		put_u64(&f, BLOCK + (version < 6 ? 16 : 80), start);
		put_u64(&f, BLOCK + (version < 6 ? 24 : 88), end);
	}
	libdeflate_free_compressor(zlib);
	return f;
}

static struct dump *open_images(const struct image *images, size_t count)
{
	const void *data[8];
	size_t sizes[8];
	struct dump *dump = NULL;

	for (size_t i = 0; i < count; i++) {
		data[i] = images[i].data;
		sizes[i] = images[i].size;
	}
	struct error *err = dump_open_memory(data, sizes, count, &dump);
	if (err)
		print_error("%s\n", err->message);
	assert_null(err);
	return dump;
}

static void expect_error(const struct image *image, const char *part)
{
	const void *data = image->data;
	struct dump *dump = NULL;

	struct error *err = dump_open_memory(&data, &image->size, 1, &dump);
	assert_non_null(err);
	if (!strstr(err->message, part))
		print_error("\"%s\" is not in \"%s\"\n", part, err->message);
	assert_non_null(strstr(err->message, part));
	error_free(err);
}

static enum read_status expected_status(uint64_t pfn)
{
	return dumped(pfn) ? READ_OK : exists(pfn) ? READ_EXCLUDED : READ_UNMAPPED;
}

static void check_page(const struct dump *dump, uint64_t pfn)
{
	uint8_t buffer[PAGE_SIZE], content[PAGE_SIZE];
	struct dump_page page;

	assert_int_equal(dump_read_page(dump, pfn, buffer, &page), READ_OK);
	page_content(pfn, content);
	assert_memory_equal(page.data, content, PAGE_SIZE);
	assert_int_equal(page.from, 0);
	assert_int_equal(page.to, PAGE_SIZE);
}

static void check_all_pages(const struct dump *dump)
{
	uint64_t next = 0;

	for (uint64_t pfn = 0; pfn < MAX_PFN + 100; pfn++) {
		assert_int_equal(dump_has_page(dump, pfn), expected_status(pfn));
		if (!dumped(pfn))
			continue;
		assert_true(dump_next_page(dump, &next));
		assert_int_equal(next++, pfn);
		check_page(dump, pfn);
	}
	assert_false(dump_next_page(dump, &next));
	assert_int_equal(dump_has_page(dump, UINT64_MAX), READ_UNMAPPED);
	/* Only advice: it must not do harm. */
	dump_will_need(dump, 0, UINT64_MAX);
	dump_will_need(dump, UINT64_MAX, UINT64_MAX);
	dump_will_need(dump, 3, 0);
}

static void kdump_versions(void **state)
{
	(void)state;
	for (uint32_t version = 1; version <= 6; version++) {
		struct image f = make_kdump(version, 0, MAX_PFN);
		struct dump *dump = open_images(&f, 1);
		const struct dump_info *info = dump_info(dump);
		assert_int_equal(info->max_pfn, MAX_PFN);
		assert_int_equal(info->problem_count, 0);
		assert_int_equal(info->vmcoreinfo != NULL, version >= 3);
		assert_int_equal(info->elf_machine, EM_X86_64);
		assert_int_equal(info->timestamp, 1700000000);
		assert_string_equal(info->compression, "zlib+none");
		check_all_pages(dump);
		dump_close(dump);
		free(f.data);
	}
	struct image f = make_kdump(7, 0, MAX_PFN);
	expect_error(&f, "version 7 is unknown");
	put_u32(&f, 8, __builtin_bswap32(6));
	expect_error(&f, "big-endian");
	put_u32(&f, 8, 6);
	put_u32(&f, 428, 65536);
	expect_error(&f, "pages of 65536 bytes");
	put_u32(&f, 428, 0);
	put_u32(&f, 416, BLOCK);
	expect_error(&f, "32-bit");
	f.size = 300;
	expect_error(&f, "cut off");
	free(f.data);
}

static void vmcoreinfo_keys(void **state)
{
	(void)state;
	struct image f = make_kdump(6, 0, MAX_PFN);
	struct dump *dump = open_images(&f, 1);
	char text[8];
	uint64_t hex;
	int64_t number;
	assert_true(dump_vmcoreinfo(dump, "OSRELEASE", text, sizeof(text)));
	assert_string_equal(text, "6.1.0-t");
	assert_false(dump_vmcoreinfo(dump, "OSREL", text, sizeof(text)));
	assert_true(dump_vmcoreinfo_hex(dump, "SYMBOL(swapper_pg_dir)", &hex));
	assert_true(hex == 0xffffffff82a10000);
	assert_true(dump_vmcoreinfo_number(dump, "NUMBER(phys_base)", &number));
	assert_int_equal(number, -4096);
	assert_true(dump_vmcoreinfo_hex(dump, "KERNELOFFSET", &hex));
	assert_int_equal(hex, 0x1a000000);
	assert_false(dump_vmcoreinfo_number(dump, "OSRELEASE", &number));
	dump_close(dump);
	free(f.data);
}

static void split_pieces(void **state)
{
	(void)state;
	struct image pieces[3] = { make_kdump(6, 13, 22), make_kdump(6, 22, MAX_PFN),
				   make_kdump(6, 0, 13) };
	struct dump *dump = open_images(pieces, 3);
	assert_int_equal(dump_info(dump)->problem_count, 0);
	assert_int_equal(dump_info(dump)->files, 3);
	check_all_pages(dump);
	dump_close(dump);

	/* Without the last one given: the first 13 pages are known, but not here. */
	dump = open_images(pieces, 2);
	assert_int_equal(dump_info(dump)->problem_count, 1);
	assert_true(dump_info(dump)->truncated);
	assert_int_equal(dump_has_page(dump, 2), READ_TRUNCATED);
	assert_int_equal(dump_has_page(dump, 3), READ_EXCLUDED);
	check_page(dump, 22);
	dump_close(dump);

	const void *twice[2] = { pieces[0].data, pieces[0].data };
	struct error *err = dump_open_memory(
		twice, (const size_t[]){ pieces[0].size, pieces[0].size }, 2, &dump);
	assert_non_null(err);
	error_free(err);
	for (size_t i = 0; i < 3; i++)
		free(pieces[i].data);
}

/* Cut off at every length: nothing reads outside, what is there is right. */
static void cut_off_anywhere(void **state)
{
	(void)state;
	struct image whole = make_kdump(6, 0, MAX_PFN);
	for (size_t size = BLOCK + 512; size < whole.size; size += 97) {
		struct image f = { .data = xmalloc(size), .size = size };
		memcpy(f.data, whole.data, size);
		struct dump *dump = open_images(&f, 1);
		assert_true(dump_info(dump)->truncated);
		assert_int_equal(dump_info(dump)->problem_count >= 1, true);
		for (uint64_t pfn = 0; pfn < MAX_PFN; pfn++) {
			enum read_status status = dump_has_page(dump, pfn);
			if (status == READ_OK)
				check_page(dump, pfn);
			else if (size > DESCS)
				assert_int_equal(status, dumped(pfn) ? READ_TRUNCATED
								     : expected_status(pfn));
		}
		dump_close(dump);
		free(f.data);
	}
	free(whole.data);
}

static void damaged_pages(void **state)
{
	(void)state;
	struct image f = make_kdump(6, 0, MAX_PFN);
	uint8_t buffer[PAGE_SIZE];
	struct dump_page page;

	put_u32(&f, DESCS + 8, PAGE_SIZE + 1);               /* page 0: too large */
	put_u32(&f, DESCS + 24 + 8, 17);                     /* page 2: raw, but short */
	put(&f, load_u64(f.data + DESCS + 48) + 8, "xx", 2); /* page 4: packed bytes */
	put_u64(&f, DESCS + 72, UINT64_MAX - 100);           /* page 6: far away */
	put_u64(&f, DESCS + 96, 100);                        /* page 8: in the header */
	struct dump *dump = open_images(&f, 1);
	static const enum read_status expected[] = { READ_CORRUPT,   READ_CORRUPT, READ_CORRUPT,
						     READ_TRUNCATED, READ_CORRUPT, READ_OK };
	for (size_t i = 0; i < array_size(expected); i++)
		assert_int_equal(dump_read_page(dump, 2 * i, buffer, &page), expected[i]);
	dump_close(dump);
	free(f.data);
}

/* What is changed is read so, by page and by page only; what is not there cannot be changed. */
static void changed_pages(void **state)
{
	(void)state;
	struct image f = make_kdump(6, 0, MAX_PFN);
	uint8_t buffer[PAGE_SIZE], plain[PAGE_SIZE];
	struct dump_page page;
	struct dump *dump = open_images(&f, 1);

	/* Not in order, one twice. */
	static const uint64_t pfns[] = { 8, 2, 20, 8, 0 };
	for (size_t i = 0; i < array_size(pfns); i++)
		assert_int_equal(dump_overlay_write(dump, (struct paddr){ pfns[i] * PAGE_SIZE + i },
						    "\xab", 1), READ_OK);
	assert_int_equal(dump_overlay_write(dump, (struct paddr){ PAGE_SIZE }, "x", 1),
			 READ_EXCLUDED);
	assert_int_equal(dump_overlay_write(dump, (struct paddr){ 31 * PAGE_SIZE }, "x", 1),
			 READ_UNMAPPED);
	assert_int_equal(dump_overlay_write(dump, (struct paddr){ PAGE_SIZE - 1 }, "xy", 2),
			 READ_UNMAPPED);
	for (uint64_t pfn = 0; pfn < MAX_PFN; pfn += 2) {
		if (!exists(pfn))
			continue;
		assert_int_equal(dump_read_page(dump, pfn, buffer, &page), READ_OK);
		page_content(pfn, plain);
		for (size_t i = 0; i < array_size(pfns); i++)
			plain[i] = pfns[i] == pfn ? 0xab : plain[i];
		assert_memory_equal(page.data, plain, PAGE_SIZE);
	}
	dump_overlay_drop(dump);
	assert_int_equal(dump_read_page(dump, 8, buffer, &page), READ_OK);
	page_content(8, plain);
	assert_memory_equal(page.data, plain, PAGE_SIZE);
	dump_overlay_drop(dump);
	assert_int_equal(dump_overlay_write(dump, (struct paddr){ 0 }, "x", 1), READ_OK);
	dump_close(dump);
	free(f.data);
}

/* ---- flattened ---- */

static void put_chunk(struct image *flat, uint64_t offset, const void *bytes, uint64_t size)
{
	put_u64(flat, flat->size, htobe64(offset));
	put_u64(flat, flat->size, htobe64(size));
	if (size != UINT64_MAX)
		put(flat, flat->size, bytes, size);
}

static struct image flatten(const struct image *plain, size_t chunk)
{
	struct image flat = image_new();

	put(&flat, 0, "makedumpfile", 13);
	put_u64(&flat, 16, htobe64(1));
	put_u64(&flat, 24, htobe64(1));
	flat.size = 4096;
	/* Rubbish first, as headers are that get rewritten; then from the back to the front. */
	put_chunk(&flat, 100, "0123456789", 10);
	for (size_t at = (plain->size - 1) / chunk * chunk + chunk; at; at -= chunk) {
		size_t start = at - chunk;
		size_t n = plain->size - start < chunk ? plain->size - start : chunk;
		put_chunk(&flat, start, plain->data + start, n);
	}
	put_chunk(&flat, UINT64_MAX, NULL, UINT64_MAX);
	return flat;
}

static void flattened(void **state)
{
	(void)state;
	struct image plain = make_kdump(6, 0, MAX_PFN);
	struct image flat = flatten(&plain, 1234);
	struct dump *dump = open_images(&flat, 1);
	assert_true(dump_info(dump)->flattened);
	assert_int_equal(dump_info(dump)->problem_count, 0);
	check_all_pages(dump);
	dump_close(dump);
	flat.size -= 16;
	dump = open_images(&flat, 1);
	assert_true(dump_info(dump)->truncated);
	check_all_pages(dump);
	dump_close(dump);
	flat.size = 4096;
	expect_error(&flat, "flattened");
	free(plain.data);
	free(flat.data);
}

static void overlapping_extents(void **state)
{
	(void)state;
	struct extents list = { 0 };
	vec_push(&list, (struct extent){ 10, 20, 1000 });
	vec_push(&list, (struct extent){ 0, 100, 2000 });
	vec_push(&list, (struct extent){ 50, 10, 3000 });
	vec_push(&list, (struct extent){ 55, 0, 9000 });
	vec_push(&list, (struct extent){ 100, 5, 2100 });
	vec_push(&list, (struct extent){ 90, 5, 4000 });
	extents_resolve(&list);
	static const struct extent expected[] = {
		{ 0, 50, 2000 }, { 50, 10, 3000 }, { 60, 30, 2060 },
		{ 90, 5, 4000 }, { 95, 10, 2095 },
	};
	assert_int_equal(list.count, array_size(expected));
	assert_memory_equal(list.data, expected, sizeof(expected));
	assert_int_equal(extents_find(&list, 59), 1);
	assert_int_equal(extents_find(&list, 60), 2);
	assert_int_equal(extents_find(&list, 105), 5);
	extents_deinit(&list);
}

/* Random lists against the simple way: an array of who wrote each byte last. */
static void random_extents(void **state)
{
	(void)state;
	enum { SPACE = 300, ROUNDS = 300 };
	uint32_t seed = 1;
	for (int round = 0; round < ROUNDS; round++) {
		uint64_t owner[SPACE] = { 0 };
		struct extents list = { 0 };
		for (uint64_t i = 1; i <= (uint64_t)round % 40; i++) {
			seed = seed * 1664525 + 1013904223;
			uint64_t start = (seed >> 8) % 200, size = (seed >> 20) % 90;
			vec_push(&list, (struct extent){ start, size, i * 100000 });
			for (uint64_t k = start; k < start + size; k++)
				owner[k] = i * 100000 + (k - start);
		}
		extents_resolve(&list);
		for (uint64_t k = 0; k < SPACE; k++) {
			size_t i = extents_find(&list, k);
			uint64_t target = 0;
			if (i < list.count && list.data[i].start <= k)
				target = list.data[i].target + (k - list.data[i].start);
			assert_true(target == owner[k]);
		}
		extents_deinit(&list);
	}
}

static void bitmap_ranks(void **state)
{
	(void)state;
	enum { BITS = 3 * BITMAP_STEP + 77, BYTES = (BITS + 7) / 8 };
	uint8_t *bits = xmalloc(BYTES);
	uint32_t seed = 7;
	for (size_t i = 0; i < BYTES; i++) {
		seed = seed * 1664525 + 1013904223;
		bits[i] = i / 100 % 3 ? (uint8_t)(seed >> 24) : 0;
	}
	static const uint64_t starts[] = { 0, 1, 63, BITMAP_STEP, BITMAP_STEP + 5, BITS };
	for (size_t s = 0; s < array_size(starts); s++) {
		struct bitmap map;
		bitmap_init(&map, bits, starts[s], BITS);
		uint64_t count = 0, next = 0;
		for (uint64_t bit = starts[s]; bit < BITS; bit++) {
			assert_int_equal(bitmap_rank(&map, bit), count);
			if (bitmap_test(&map, bit)) {
				next = bitmap_next(&map, next);
				assert_int_equal(next++, bit);
				count++;
			}
		}
		assert_int_equal(map.total, count);
		assert_int_equal(bitmap_next(&map, next), BITS);
		bitmap_deinit(&map);
	}
	free(bits);
}

/* ---- ELF ---- */

static void put_load(struct image *f, size_t at, uint64_t offset, uint64_t paddr, uint64_t filesz,
		     uint64_t memsz)
{
	Elf64_Phdr p = { .p_type = PT_LOAD,
			 .p_offset = offset,
			 .p_paddr = paddr,
			 .p_vaddr = 0xffff888000000000 + paddr,
			 .p_filesz = filesz,
			 .p_memsz = memsz };
	put(f, at, &p, sizeof(p));
}

static struct image make_elf(uint16_t machine, uint16_t type)
{
	struct image f = image_new();
	Elf64_Ehdr h = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			 .e_type = type,
			 .e_machine = machine,
			 .e_phoff = sizeof(h),
			 .e_phentsize = sizeof(Elf64_Phdr),
			 .e_phnum = 6 };
	static const uint8_t notes[] = "\13\0\0\0\4\0\0\0\0\0\0\0VMCOREINFO\0\0A=B\n"
				       "\0\0\0\0\0\0\0\0"
				       "\5\0\0\0\10\0\0\0\0\0\0\0QEMU\0\0\0\0abcdefgh";

	put(&f, 0, &h, sizeof(h));
	Elf64_Phdr note = { .p_type = PT_NOTE, .p_offset = 1024, .p_filesz = sizeof(notes) - 1 };
	put(&f, 64, &note, sizeof(note));
	put(&f, 1024, notes, sizeof(notes) - 1);
	put_load(&f, 64 + 56, 2001, 0x4000, 0x2000, 0x5000); /* pages 4, 5; 6-8 left out */
	put_load(&f, 64 + 112, 2001, 0x4800, 0x100, 0x100);  /* again, from elsewhere */
	put_load(&f, 64 + 168, 12000, 0x1c00, 0x800, 0x800); /* 1c00-23ff: parts of two pages */
	put_load(&f, 64 + 224, 12800, 0x2400, 0x200, 0x200); /* goes on in page 2 */
	put_load(&f, 64 + 280, 0, 0x8800, 0, 0x200);         /* nothing in the file, of page 8 */
	for (size_t i = 0; i < 20000; i++)
		f.data[2001 + i] = (uint8_t)(i / 256 + i);
	f.size = 22001;
	return f;
}

static void elf_pages(void **state)
{
	(void)state;
	struct image f = make_elf(EM_X86_64, ET_CORE);
	struct dump *dump = open_images(&f, 1);
	const struct dump_info *info = dump_info(dump);
	uint8_t buffer[PAGE_SIZE];
	struct dump_page page;
	assert_int_equal(info->segment_count, 5);
	assert_int_equal(info->max_pfn, 9);
	assert_int_equal(info->present_pages, 4);
	assert_int_equal(info->note_count, 1);
	assert_int_equal(info->notes[0].kind, NOTE_QEMU);
	assert_memory_equal(info->vmcoreinfo, "A=B\n", 4);
	assert_int_equal(dump_read_page(dump, 0, buffer, &page), READ_UNMAPPED);
	assert_int_equal(dump_read_page(dump, 1, buffer, &page), READ_OK);
	assert_int_equal(page.from, 0xc00);
	assert_int_equal(page.to, PAGE_SIZE);
	assert_memory_equal(page.data + page.from, f.data + 12000, 0x400);
	assert_int_equal(dump_read_page(dump, 2, buffer, &page), READ_OK);
	assert_int_equal(page.from, 0);
	assert_int_equal(page.to, 0x600);
	assert_memory_equal(page.data, f.data + 13024, 0x400);
	assert_memory_equal(page.data + 0x400, f.data + 12800, 0x200);
	assert_int_equal(dump_read_page(dump, 3, buffer, &page), READ_UNMAPPED);
	assert_int_equal(dump_read_page(dump, 4, buffer, &page), READ_OK);
	assert_memory_equal(page.data, f.data + 2001, 0x800);
	assert_memory_equal(page.data + 0x800, f.data + 2001, 0x100);
	assert_memory_equal(page.data + 0x900, f.data + 2001 + 0x900, 0x700);
	assert_int_equal(dump_read_page(dump, 5, buffer, &page), READ_OK);
	assert_ptr_equal(page.data, f.data + 2001 + PAGE_SIZE);
	assert_int_equal(dump_read_page(dump, 6, buffer, &page), READ_EXCLUDED);
	assert_int_equal(dump_read_page(dump, 8, buffer, &page), READ_EXCLUDED);
	assert_int_equal(dump_read_page(dump, 9, buffer, &page), READ_UNMAPPED);
	assert_int_equal(dump_read_page(dump, UINT64_MAX, buffer, &page), READ_UNMAPPED);
	dump_close(dump);

	f.size = 2001 + PAGE_SIZE + 100;
	dump = open_images(&f, 1);
	assert_true(dump_info(dump)->truncated);
	assert_int_equal(dump_has_page(dump, 1), READ_TRUNCATED);
	assert_int_equal(dump_read_page(dump, 5, buffer, &page), READ_OK);
	assert_int_equal(page.to, 100);
	dump_close(dump);
	free(f.data);
}

static void not_dumps(void **state)
{
	(void)state;
	struct image f = make_elf(EM_X86_64, ET_EXEC);
	expect_error(&f, "not a dump, but an ELF program");
	f.data[EI_CLASS] = ELFCLASS32;
	expect_error(&f, "32-bit");
	f.data[EI_DATA] = ELFDATA2MSB;
	expect_error(&f, "big-endian");
	free(f.data);
	/* Another architecture is well-formed here; the arch station says no. */
	f = make_elf(EM_AARCH64, ET_CORE);
	struct dump *dump = open_images(&f, 1);
	assert_int_equal(dump_info(dump)->elf_machine, EM_AARCH64);
	dump_close(dump);
	static const struct {
		const char *bytes, *part;
	} others[] = {
		{ "", "empty" },
		{ "hello, world", "not a kernel dump" },
		{ "\x1f\x8b\x08", "decompress it first" },
		{ "\xfd"
		  "7zXZ",
		  "not a kernel dump" },
		{ "LibvirtQemudSave", "libvirt" },
		{ "QEVM", "QEMU machine state" },
		{ "PAGEDU64", "Windows" },
		{ "\xd2\xbe\xd2\xbe", "VMware" },
		{ "KDUMP", "not a kernel dump" },
		{ "\177ELF", "damaged" },
	};
	for (size_t i = 0; i < array_size(others); i++) {
		memset(f.data, 0, 64);
		f.size = 0;
		put(&f, 0, others[i].bytes, strlen(others[i].bytes));
		expect_error(&f, others[i].part);
	}
	f.size = 4096;
	memset(f.data, 0, f.size);
	expect_error(&f, "zeroes");
	free(f.data);
}

static void lzo_streams(void **state)
{
	(void)state;
	/* "abcd" as a first run of literals; a match of 3 at distance 4; the end. */
	static const uint8_t stream[] = { 17 + 4,     'a', 'b', 'c',  'd', 0x20 | 1,
					  3 << 2 | 1, 0,   'x', 0x11, 0,   0 };
	uint8_t out[64];
	size_t len = 0;
	assert_true(lzo_decompress(stream, sizeof(stream), out, sizeof(out), &len));
	assert_int_equal(len, 8);
	assert_memory_equal(out, "abcdabcx", 8);
	assert_true(lzo_decompress(stream, sizeof(stream), out, 8, &len));
	assert_false(lzo_decompress(stream, sizeof(stream), out, 7, &len));
	for (size_t n = 0; n < sizeof(stream); n++)
		assert_false(lzo_decompress(stream, n, out, sizeof(out), &len));
	/* A match that reaches before the beginning. */
	static const uint8_t wild[] = { 17 + 4, 'a', 'b', 'c', 'd', 0x21, 4 << 2, 0, 0x11, 0, 0 };
	assert_false(lzo_decompress(wild, sizeof(wild), out, sizeof(out), &len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kdump_versions),      cmocka_unit_test(vmcoreinfo_keys),
		cmocka_unit_test(split_pieces),        cmocka_unit_test(cut_off_anywhere),
		cmocka_unit_test(damaged_pages),       cmocka_unit_test(flattened),
		cmocka_unit_test(changed_pages),
		cmocka_unit_test(overlapping_extents), cmocka_unit_test(random_extents),
		cmocka_unit_test(bitmap_ranks),        cmocka_unit_test(elf_pages),
		cmocka_unit_test(not_dumps),           cmocka_unit_test(lzo_streams),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
