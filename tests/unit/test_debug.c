// SPDX-License-Identifier: LGPL-2.1-or-later
/* Debug files without a dump: address ranges, build-ids, unpacking, folders, names of sources. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <libdeflate.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "symbols/aranges.h"
#include "symbols/build_id.h"
#include "symbols/debug_module.h"
#include "symbols/unpack.h"

/* --- .debug_aranges. --- */

struct set {
	uint32_t length;
	uint16_t version;
	uint32_t unit;
	uint8_t address_size, segment_size, padding[4];
	uint64_t pair[3][2];
} __attribute__((packed));

static struct set make_set(uint32_t unit, uint64_t start, uint64_t length)
{
	return (struct set){ .length = sizeof(struct set) - 4, .version = 2, .unit = unit,
			     .address_size = 8, .pair = { { start, length }, { 0, 16 } } };
}

static void test_aranges(void **state)
{
	struct set sets[] = { make_set(0x100, 0x1000, 0x10), make_set(0x200, 0x1010, 0x20) };
	const uint8_t *data = (const uint8_t *)sets;
	uint64_t unit;

	(void)state;
	assert_true(aranges_find(data, sizeof(sets), 0x100f, &unit));
	assert_int_equal(unit, 0x100);
	assert_true(aranges_find(data, sizeof(sets), 0x1010, &unit));
	assert_int_equal(unit, 0x200);
	assert_false(aranges_find(data, sizeof(sets), 0x1030, &unit));
	/* What was dropped has the address 0. */
	assert_false(aranges_find(data, sizeof(sets), 8, &unit));
	assert_int_equal(aranges_covered(data, sizeof(sets)), 0x30);
}

static void test_aranges_damaged(void **state)
{
	struct set sets[] = { make_set(0x100, 0x1000, 0x10), make_set(0x200, 0x1010, 0x20) };
	const uint8_t *data = (const uint8_t *)sets;
	uint64_t unit;

	(void)state;
	/* A set of another version is passed over, one that is cut off ends the search. */
	sets[0].version = 7;
	assert_false(aranges_find(data, sizeof(sets), 0x1000, &unit));
	assert_true(aranges_find(data, sizeof(sets), 0x1010, &unit));
	assert_false(aranges_find(data, sizeof(sets) - 40, 0x1010, &unit));
	sets[0].length = UINT32_MAX;
	assert_false(aranges_find(data, sizeof(sets), 0x1010, &unit));
	assert_false(aranges_find(data, 0, 0x1010, &unit));
}

/* --- Build-ids. --- */

static void test_build_id(void **state)
{
	static const char notes[] = "\6\0\0\0\2\0\0\0\0\1\0\0Linux\0\0\0ab\0\0"
				    "\4\0\0\0\4\0\0\0\3\0\0\0GNU\0\x12\xab\0\xff";
	char id[BUILD_ID_HEX_MAX];

	(void)state;
	assert_true(elf_notes_build_id(notes, sizeof(notes) - 1, id));
	assert_string_equal(id, "12ab00ff");
	assert_false(elf_notes_build_id(notes, sizeof(notes) - 2, id));
	assert_string_equal(id, "");
	assert_null(build_id_check("12ab", "12ab"));
	assert_null(build_id_check("", "12ab"));
	struct error *err = build_id_check("12ab", "34cd");
	assert_non_null(strstr(err->message, "12ab"));
	assert_non_null(strstr(err->message, "34cd"));
	error_free(err);
}

/* --- Packed files. --- */

enum { PLAIN = 300000 };

static uint8_t plain[PLAIN], packed[PLAIN + 4096];

static void assert_unpacks(size_t size)
{
	int fd;

	assert_null(unpack_bytes(packed, size, &fd));
	assert_true(fd >= 0);
	static uint8_t got[PLAIN + 1];
	assert_int_equal(pread(fd, got, sizeof(got), 0), PLAIN);
	assert_memory_equal(got, plain, PLAIN);
	close(fd);
	/* Cut off or damaged: an error, nothing else. */
	struct error *err = unpack_bytes(packed, size / 2, &fd);
	assert_non_null(err);
	assert_int_equal(fd, -1);
	error_free(err);
}

static void fill_plain(void)
{
	for (size_t i = 0; i < PLAIN; i++)
		plain[i] = (uint8_t)((i * i) >> 9);
}

static size_t pack_lz4(void)
{
	/* One block of literals only, as the legacy frame has them. */
	size_t at = 8, left = PLAIN - 15;

	memcpy(packed, "\x02\x21\x4c\x18", 4);
	packed[at++] = 0xf0;
	for (; left >= 255; left -= 255)
		packed[at++] = 255;
	packed[at++] = (uint8_t)left;
	memcpy(packed + at, plain, PLAIN);
	at += PLAIN;
	uint32_t size = (uint32_t)at - 8;
	memcpy(packed + 4, &size, 4);
	return at;
}

static void test_unpack(void **state)
{
	struct libdeflate_compressor *c = libdeflate_alloc_compressor(6);
	size_t size = 0;
	int fd;

	(void)state;
	fill_plain();
	assert_unpacks(libdeflate_gzip_compress(c, plain, PLAIN, packed, sizeof(packed)));
	libdeflate_free_compressor(c);
	assert_int_equal(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL, plain, PLAIN, packed,
						 &size, sizeof(packed)), LZMA_OK);
	assert_unpacks(size);
	assert_unpacks(ZSTD_compress(packed, sizeof(packed), plain, PLAIN, 3));
	assert_unpacks(pack_lz4());
	/* What is not packed stays as it is. */
	assert_null(unpack_bytes((const uint8_t *)"\177ELF, or so", 12, &fd));
	assert_int_equal(fd, -1);
}

/* An LZ4 match that overlaps itself, and one that reaches before the start. */
static void test_lz4_matches(void **state)
{
	static const uint8_t good[] = "\x02\x21\x4c\x18\x06\0\0\0\x22" "ab\x02\0" "\x10" "c";
	static const uint8_t bad[] = "\x02\x21\x4c\x18\x06\0\0\0\x22" "ab\x03\0" "\x10" "c";
	char got[32] = "";
	int fd;

	(void)state;
	uint8_t data[sizeof(good)];
	memcpy(data, good, sizeof(good));
	data[4] = 7;
	assert_null(unpack_bytes(data, sizeof(good) - 1, &fd));
	assert_int_equal(pread(fd, got, sizeof(got), 0), 9);
	assert_string_equal(got, "ababababc");
	close(fd);
	memcpy(data, bad, sizeof(bad));
	data[4] = 7;
	struct error *err = unpack_bytes(data, sizeof(bad) - 1, &fd);
	assert_non_null(err);
	error_free(err);
}

/* --- Folders. --- */

struct seen {
	char paths[8][128];
	size_t count;
};

static bool note_path(void *ctx, const char *path)
{
	struct seen *seen = ctx;
	const char *slash = strrchr(path, '/');

	if (seen->count < array_size(seen->paths))
		snprintf(seen->paths[seen->count++], 128, "%s", slash + 1);
	return true;
}

static void touch(const char *folder, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);
}

static void test_folder(void **state)
{
	char folder[] = "/tmp/inquest-test-XXXXXX", command[64], below[64];
	struct debug_folders folders = { 0 };
	struct seen seen = { .count = 0 };

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(below, sizeof(below), "%s/kernel-5.0", folder);
	assert_int_equal(mkdir(below, 0700), 0);
	touch(folder, "snd-pcm.ko.xz");
	touch(below, "snd_pcm.ko.debug");
	touch(folder, "snd_pcm.txt");
	touch(folder, "vmlinux-5.0.debug");
	debug_folder_each(&folders, folder, "snd_pcm", "5.0", note_path, &seen);
	assert_int_equal(seen.count, 2);
	/* This release's first. */
	assert_string_equal(seen.paths[0], "snd_pcm.ko.debug");
	assert_string_equal(seen.paths[1], "snd-pcm.ko.xz");
	seen.count = 0;
	debug_folder_each(&folders, folder, NULL, "5.0", note_path, &seen);
	assert_int_equal(seen.count, 1);
	debug_folders_deinit(&folders);

	FILE *dep = NULL;
	snprintf(command, sizeof(command), "%s/modules.dep", folder);
	dep = fopen(command, "w");
	assert_non_null(dep);
	fputs("kernel/a/foo-bar.ko.zst: kernel/b.ko\nextra/x.ko:\n/abs/y.ko: \nrubbish\n", dep);
	fclose(dep);
	seen.count = 0;
	folders = (struct debug_folders){ 0 };
	debug_folder_each(&folders, folder, "foo_bar", "5.0", note_path, &seen);
	debug_folder_each(&folders, folder, "y", "5.0", note_path, &seen);
	debug_folder_each(&folders, folder, "b", "5.0", note_path, &seen);
	assert_int_equal(seen.count, 2);
	assert_string_equal(seen.paths[0], "foo-bar.ko.zst");
	debug_folders_deinit(&folders);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

/* --- Names of sources. --- */

static void test_clean_path(void **state)
{
	static const char *const paths[][2] = {
		{ "a/./b/../c", "a/c" }, { "./a", "a" }, { "../a/../b", "../b" },
		{ "../../a", "../../a" }, { "/a//b/../../c", "/c" }, { "/../a", "/a" },
		{ "a/..", "" }, { "", "" }, { "a/../../b", "../b" }, { "..a/b..", "..a/b.." },
	};
	char path[64];

	(void)state;
	for (size_t i = 0; i < array_size(paths); i++) {
		snprintf(path, sizeof(path), "%s", paths[i][0]);
		source_path_clean(path);
		assert_string_equal(path, paths[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aranges),
		cmocka_unit_test(test_aranges_damaged),
		cmocka_unit_test(test_build_id),
		cmocka_unit_test(test_unpack),
		cmocka_unit_test(test_lz4_matches),
		cmocka_unit_test(test_folder),
		cmocka_unit_test(test_clean_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
