// SPDX-License-Identifier: LGPL-2.1-or-later
/* kallsyms in every encoding, found by structure and decoded; damaged tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kallsyms_maker.h"
#include "symbols/kallsyms.h"

enum { COUNT = 1500 };

static void assert_same(const struct kallsyms *k, const struct made *m)
{
	char name[KALLSYMS_NAME_MAX], type;

	assert_int_equal(k->count, m->count);
	for (uint32_t i = 0; i < m->count; i++) {
		assert_true(kallsyms_name(k, i, name, &type));
		assert_string_equal(name, m->name[i] + 1);
		assert_int_equal(type, m->name[i][0]);
		assert_int_equal(kallsyms_address(k, i), m->address[i]);
	}
}

static void assert_finds(const struct kallsyms *k, const struct made *m)
{
	const char *names[COUNT + 2];
	uint32_t found[COUNT + 2];

	for (uint32_t i = 0; i < m->count; i++)
		names[i] = m->name[i] + 1;
	names[m->count] = "no_such_symbol";
	names[m->count + 1] = names[3];
	kallsyms_find_names(k, names, m->count + 2, found);
	for (uint32_t i = 0; i < m->count; i++)
		assert_int_equal(found[i], i);
	assert_int_equal(found[m->count], UINT32_MAX);
}

static bool count_names(void *ctx, uint32_t i, char type, const char *name)
{
	const struct made **m = ctx;

	assert_string_equal(name, (*m)->name[i] + 1);
	assert_int_equal(type, (*m)->name[i][0]);
	return i != 1000;
}

static void test_styles(void **state)
{
	(void)state;
	for (size_t s = 0; s < array_size(made_styles); s++) {
		const struct kallsyms_style *style = &made_styles[s];
		struct kallsyms_places places;
		struct kallsyms k = { 0 };
		struct made made;
		const struct made *m = &made;
		size_t pos = 0;

		make_kallsyms(&made, style, COUNT, 4096 + 8 * s);
		print_message("%s\n", style->what);
		assert_true(kallsyms_find_tokens(m->blob.data, m->blob.count, &pos, &places));
		assert_int_equal(places.token_table, m->places.token_table);
		assert_int_equal(places.token_index, m->places.token_index);
		assert_true(kallsyms_find_tables(m->blob.data, m->blob.count, NULL, NULL, &places));
		assert_int_equal(places.names, m->places.names);
		assert_int_equal(places.offsets, m->places.offsets);
		assert_int_equal(places.addresses, m->places.addresses);
		assert_int_equal(places.base, m->places.base);
		assert_true(kallsyms_parse(&k, m->blob.data, m->blob.count, MADE_VADDR, &places));
		assert_int_equal(k.encoding, style->encoding);
		assert_int_equal(k.seqs != NULL, style->seqs);
		assert_true(kallsyms_check_order(&k));
		assert_same(&k, m);
		assert_finds(&k, m);
		k.seqs = NULL;
		assert_finds(&k, m);
		kallsyms_each(&k, count_names, &m);
		kallsyms_deinit(&k);
		made_free(&made);
	}
}

static void test_by_address(void **state)
{
	struct kallsyms k = { 0 };
	struct made m;

	(void)state;
	make_kallsyms(&m, &made_styles[6], COUNT, 0);
	assert_true(kallsyms_parse(&k, m.blob.data, m.blob.count, MADE_VADDR, &m.places));
	assert_int_equal(kallsyms_at(&k, 0x10), 1);
	assert_int_equal(kallsyms_at(&k, 0x1f), 1);
	assert_int_equal(kallsyms_at(&k, m.address[100]), 101); /* an alias follows it */
	assert_int_equal(kallsyms_at(&k, m.address[100] + 63), 101);
	assert_int_equal(kallsyms_at(&k, UINT64_MAX), COUNT - 1);
	kallsyms_deinit(&k);
	made_free(&m);
}

/* A page of names is missing: those of other blocks stay readable. */
static void test_hole(void **state)
{
	struct kallsyms_style style = made_styles[6];
	char name[KALLSYMS_NAME_MAX], type;
	struct kallsyms k = { 0 };
	struct made m;
	unsigned lost = 0;

	(void)state;
	make_kallsyms(&m, &style, COUNT, 0);
	size_t hole = (m.places.names + 4000) / 4096;
	uint8_t *missing = xcalloc(m.blob.count / 4096 + 1, 1);
	memset(m.blob.data + hole * 4096, 0, 4096);
	missing[hole] = 1;
	k.missing = missing;
	assert_true(kallsyms_parse(&k, m.blob.data, m.blob.count, MADE_VADDR, &m.places));
	for (uint32_t i = 0; i < COUNT; i++) {
		if (!kallsyms_name(&k, i, name, &type))
			lost++;
		else
			assert_string_equal(name, m.name[i] + 1);
	}
	assert_in_range(lost, 100, 800);
	kallsyms_deinit(&k);
	free(missing);
	k.missing = NULL;
	/* Without the tokens nothing can be read. */
	memset(m.blob.data + m.places.token_table, 0, 2500);
	assert_false(kallsyms_parse(&k, m.blob.data, m.blob.count, MADE_VADDR, &m.places));
	made_free(&m);
}

/* Found by structure all the same when names are scribbled over. */
static void test_damaged_names(void **state)
{
	(void)state;
	for (size_t s = 0; s < array_size(made_styles); s++) {
		const struct kallsyms_style *style = &made_styles[s];
		struct kallsyms_places places;
		size_t pos = 0;
		struct made m;

		if (style->seqs && !style->addresses_last)
			continue; /* 6.2 and 6.3: the index stands between names and tokens */
		make_kallsyms(&m, style, COUNT, 64);
		memset(m.blob.data + m.places.names + 5000, 0xff, 700);
		assert_true(kallsyms_find_tokens(m.blob.data, m.blob.count, &pos, &places));
		assert_true(kallsyms_find_tables(m.blob.data, m.blob.count, NULL, NULL, &places));
		assert_int_equal(places.names, m.places.names);
		assert_int_equal(places.count, COUNT);
		assert_int_equal(places.offsets, m.places.offsets);
		assert_int_equal(places.addresses, m.places.addresses);
		made_free(&m);
	}
}

static void test_cut(void **state)
{
	struct made m;

	(void)state;
	make_kallsyms(&m, &made_styles[9], COUNT, 0);
	for (size_t size = 0; size < m.blob.count; size += 61) {
		/* Of exactly that size, for the address sanitizer. */
		uint8_t *copy = xmalloc(size);
		struct kallsyms_places places;
		struct kallsyms k = { 0 };
		size_t pos = 0;

		memcpy(copy, m.blob.data, size);
		if (kallsyms_parse(&k, copy, size, MADE_VADDR, &m.places))
			kallsyms_deinit(&k);
		if (kallsyms_find_tokens(copy, size, &pos, &places))
			(void)kallsyms_find_tables(copy, size, NULL, NULL, &places);
		free(copy);
	}
	made_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_styles),
		cmocka_unit_test(test_by_address),
		cmocka_unit_test(test_hole),
		cmocka_unit_test(test_damaged_names),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
