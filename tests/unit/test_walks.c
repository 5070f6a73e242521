// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Walks over lists and trees in memory made by hand: kinds that no kernel of the lab has any more,
 * loops of every length, and memory of random contents, in which each walk has to end.
 */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "dump/format.h"
#include "kernel/lists.h"
#include "kernel/trees.h"
#include "types/btf.h"

enum { PAGES = 16, WORDS = PAGES * PAGE_SIZE / 8, FIRST_PAGE = 256 };
#define BASE UINT64_C(0xffff888000000000)
#define START (BASE + (uint64_t)FIRST_PAGE * PAGE_SIZE)

struct image {
	Elf64_Ehdr h;
	Elf64_Phdr p;
	uint64_t words[WORDS];
};

struct world {
	struct image *image;
	struct session session;
	struct strbuf records, strings, blob;
	uint32_t count;
};

/* --- Types: as types/btf.h has them. --- */

static void put32(struct strbuf *sb, uint32_t v)
{
	strbuf_add_n(sb, (const char *)&v, 4);
}

static uint32_t name_of(struct world *w, const char *name)
{
	uint32_t at = (uint32_t)w->strings.len;

	if (!*name)
		return 0;
	strbuf_add_n(&w->strings, name, strlen(name) + 1);
	return at;
}

static uint32_t put(struct world *w, const char *name, uint32_t kind, uint32_t vlen, uint32_t size)
{
	put32(&w->records, name_of(w, name));
	put32(&w->records, kind << 24 | vlen);
	put32(&w->records, size);
	return ++w->count;
}

static uint32_t put_int(struct world *w, const char *name, uint32_t size)
{
	uint32_t id = put(w, name, BTF_INT, 0, size);

	put32(&w->records, size * 8);
	return id;
}

static void put_member(struct world *w, const char *name, uint32_t type, uint32_t offset)
{
	put32(&w->records, name_of(w, name));
	put32(&w->records, type);
	put32(&w->records, offset * 8);
}

static uint32_t put_array(struct world *w, uint32_t type, uint32_t length)
{
	uint32_t id = put(w, "", BTF_ARRAY, 0, 0);

	put32(&w->records, type);
	put32(&w->records, 1);
	put32(&w->records, length);
	return id;
}

static void put_types(struct world *w)
{
	strbuf_add_char(&w->strings, '\0');
	uint32_t number = put_int(w, "long unsigned int", 8), byte = put_int(w, "unsigned char", 1);
	uint32_t slots = put_array(w, number, 64), few = put_array(w, number, 15);
	uint32_t more = put_array(w, number, 16), arange = put_array(w, number, 9);
	uint32_t arange_slots = put_array(w, number, 10);

	/* include/linux/radix-tree.h of Linux 4.18. */
	put(w, "radix_tree_node", BTF_STRUCT, 3, 552);
	put_member(w, "shift", byte, 0);
	put_member(w, "parent", number, 8);
	put_member(w, "slots", slots, 40);
	put(w, "radix_tree_root", BTF_STRUCT, 1, 16);
	put_member(w, "rnode", number, 8);
	put(w, "rb_node", BTF_STRUCT, 3, 24);
	put_member(w, "__rb_parent_color", number, 0);
	put_member(w, "rb_right", number, 8);
	put_member(w, "rb_left", number, 16);
	put(w, "rb_root", BTF_STRUCT, 1, 8);
	put_member(w, "rb_node", number, 0);
	put(w, "maple_range_64", BTF_STRUCT, 3, 256);
	put_member(w, "parent", number, 0);
	put_member(w, "pivot", few, 8);
	put_member(w, "slot", more, 128);
	put(w, "maple_arange_64", BTF_STRUCT, 3, 256);
	put_member(w, "parent", number, 0);
	put_member(w, "pivot", arange, 8);
	put_member(w, "slot", arange_slots, 80);
	put(w, "maple_tree", BTF_STRUCT, 1, 16);
	put_member(w, "ma_root", number, 8);
}

/* --- Memory: the direct map of a few pages. --- */

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct session *s = &w->session;

	w->image = calloc(1, sizeof(*w->image));
	struct image *image = w->image;
	memcpy(image->h.e_ident, ELFMAG "\2\1\1", 7);
	image->h.e_type = ET_CORE;
	image->h.e_machine = EM_X86_64;
	image->h.e_phoff = sizeof(image->h);
	image->h.e_phentsize = sizeof(image->p);
	image->h.e_phnum = 1;
	image->p.p_type = PT_LOAD;
	image->p.p_offset = sizeof(image->h) + sizeof(image->p);
	image->p.p_paddr = (uint64_t)FIRST_PAGE * PAGE_SIZE;
	image->p.p_filesz = image->p.p_memsz = sizeof(image->words);
	size_t size = sizeof(*image);
	assert_null(dump_open_memory(&(const void *){ image }, &size, 1, &s->dump));
	s->arch = &arch_x86_64;
	s->memory = memory_create(s->dump, s->arch);
	struct kernel_layout layout = *memory_layout(s->memory);
	layout.page_offset = BASE;
	layout.has_page_offset = true;
	memory_set_layout(s->memory, &layout);

	put_types(w);
	s->types = types_create(s->memory);
	put32(&w->blob, 0x0001eb9f);
	put32(&w->blob, 24);
	put32(&w->blob, 0);
	put32(&w->blob, (uint32_t)w->records.len);
	put32(&w->blob, (uint32_t)w->records.len);
	put32(&w->blob, (uint32_t)w->strings.len);
	strbuf_add_n(&w->blob, w->records.data, w->records.len);
	strbuf_add_n(&w->blob, w->strings.data, w->strings.len);
	assert_null(types_add_btf_bytes(s->types, NULL, w->blob.data, w->blob.len));
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	types_destroy(w->session.types);
	memory_destroy(w->session.memory);
	dump_close(w->session.dump);
	strbuf_deinit(&w->records);
	strbuf_deinit(&w->strings);
	strbuf_deinit(&w->blob);
	free(w->image);
	free(w);
	return 0;
}

static uint64_t address(size_t word)
{
	return START + word * 8;
}

/* What is written behind the back of the memory's cache must be seen. */
static void changed(struct world *w)
{
	struct kernel_layout layout = *memory_layout(w->session.memory);

	memory_set_layout(w->session.memory, &layout);
}

/* --- Radix trees before 4.20 --- */

static void expect_entries(struct world *w, const uint64_t (*expected)[3], size_t count)
{
	struct tree_walk walk;
	struct tree_entry e;

	changed(w);
	assert_true(tree_walk_init(&walk, &w->session, TREE_RADIX, address(0)));
	for (size_t i = 0; i < count; i++) {
		assert_true(tree_walk_step(&walk, &e));
		assert_int_equal(e.first, expected[i][0]);
		assert_int_equal(e.last, expected[i][1]);
		assert_int_equal(e.kind == TREE_VALUE ? e.value : e.address, expected[i][2]);
	}
	assert_false(tree_walk_step(&walk, &e));
	assert_string_equal(walk.trouble.text, "");
	tree_walk_fini(&walk);
}

static void old_radix_trees(void **state)
{
	struct world *w = *state;
	uint64_t *m = w->image->words;
	enum { TOP = 64, LOW = 256, SLOTS = 5, ENTRY = 1000 };

	expect_entries(w, NULL, 0);
	m[1] = address(ENTRY);
	expect_entries(w, (const uint64_t[][3]){ { 0, 0, address(ENTRY) } }, 1);
	/* An exceptional entry: bit 1, the number above. */
	m[1] = 77 << 2 | 2;
	expect_entries(w, (const uint64_t[][3]){ { 0, 0, 77 } }, 1);
	/* Two levels; one of four indexes by slots that point to the one before them. */
	m[1] = address(TOP) | 1;
	m[TOP] = 6; /* shift */
	m[TOP + SLOTS + 2] = address(LOW) | 1;
	m[TOP + SLOTS + 3] = address(ENTRY + 9);
	m[LOW + 1] = address(TOP);
	m[LOW + SLOTS] = address(ENTRY);
	m[LOW + SLOTS + 7] = 5 << 2 | 2;
	m[LOW + SLOTS + 12] = address(ENTRY + 1);
	for (unsigned i = 13; i < 16; i++)
		m[LOW + SLOTS + i] = address(LOW + SLOTS + 12) | 1;
	expect_entries(w, (const uint64_t[][3]){ { 128, 128, address(ENTRY) }, { 135, 135, 5 },
						 { 140, 143, address(ENTRY + 1) },
						 { 192, 255, address(ENTRY + 9) } }, 4);
	/* A node that is its own child. */
	m[LOW + SLOTS + 20] = address(LOW) | 1;
	changed(w);
	struct tree_walk walk;
	struct tree_entry e;
	size_t count = 0;
	assert_true(tree_walk_init(&walk, &w->session, TREE_RADIX, address(0)));
	while (tree_walk_step(&walk, &e))
		count++;
	assert_int_equal(count, 4);
	assert_int_equal(walk.trouble.count, 1);
	assert_non_null(strstr(walk.trouble.text, "in it twice"));
	tree_walk_fini(&walk);
}

/* --- Loops of lists --- */

/* Links 0 to @before - 1 lead into a ring of @loop. */
static void one_loop(struct world *w, size_t before, size_t loop, bool no_memory)
{
	uint64_t *m = w->image->words;
	struct list_walk walk;
	uint64_t link;
	size_t count = 0;

	for (size_t i = 0; i < before + loop; i++)
		m[i * 2] = address((i + 1 == before + loop ? before : i + 1) * 2);
	changed(w);
	list_walk_from_link(&walk, &w->session, LIST_HASH, address(0));
	walk.no_memory = no_memory;
	while (list_walk_step(&walk, &link)) {
		if (count < before + loop)
			assert_int_equal(link, address(count * 2));
		count++;
	}
	assert_int_equal(walk.ended, LIST_LOOP);
	assert_int_equal(walk.loop, loop);
	assert_int_equal(walk.at, address(before * 2));
	if (no_memory)
		assert_in_range(count, before + loop, 3 * (before + loop) + 3);
	else
		assert_int_equal(count, before + loop);
	list_walk_fini(&walk);
}

static void loops_of_all_lengths(void **state)
{
	static const size_t lengths[] = { 1, 2, 3, 4, 5, 7, 8, 9, 16, 31, 64, 100, 999 };

	for (size_t before = 0; before < 40; before++) {
		for (size_t i = 0; i < array_size(lengths); i++) {
			one_loop(*state, before, lengths[i], false);
			one_loop(*state, before, lengths[i], true);
		}
	}
}

/* --- Anything --- */

static uint64_t any_pointer(void)
{
	uint64_t at = address((size_t)rand() % WORDS);

	switch (rand() % 8) {
	case 0:
		return 0;
	case 1:
		return (uint64_t)rand() << 33 ^ (uint64_t)rand();
	case 2:
		return at | 1;
	case 3:
		return at | 2;
	case 4:
		return (at & ~UINT64_C(255)) | (uint64_t)(rand() % 4) << 3 | 6;
	default:
		return at & ~UINT64_C(7);
	}
}

static void random_memory(void **state)
{
	struct world *w = *state;
	struct session *s = &w->session;
	struct tree_entry e;
	struct tree_walk tree;
	struct list_walk list;
	char position[600];
	uint64_t link;

	srand(4);
	for (unsigned round = 0; round < 300; round++) {
		for (size_t i = 0; i < WORDS; i++)
			w->image->words[i] = any_pointer();
		/* Shifts and pivots that make sense now and then. */
		for (size_t i = 0; i < WORDS; i += 32)
			w->image->words[i] = (uint64_t)(rand() % 12) * 6;
		changed(w);
		for (int kind = TREE_RB; kind <= TREE_MAPLE; kind++) {
			enum tree_kind which = (enum tree_kind)kind;
			bool ok = round % 2 ? tree_walk_init(&tree, s, which, address(round))
					    : tree_walk_init_node(&tree, s, which, any_pointer());
			tree.nodes = round % 3 == 0;
			tree.top_down = round % 5 == 0;
			size_t count = 0;
			while (ok && tree_walk_step(&tree, &e)) {
				tree_walk_position(&tree, position, sizeof(position));
				assert_in_range(++count, 1, WORDS * 4);
				assert_true(e.first <= e.last);
			}
			assert_true(ok || tree.trouble.count);
			tree_walk_fini(&tree);
		}
		for (int kind = LIST_SINGLE; kind <= LIST_BIT; kind++) {
			if (round % 2)
				list_walk_from_head(&list, s, (enum list_kind)kind, address(round));
			else
				list_walk_from_link(&list, s, (enum list_kind)kind, any_pointer());
			list.no_memory = round % 3 == 0;
			list.reverse = round % 7 == 0;
			list.next_offset = round % 4 * 8;
			while (list_walk_step(&list, &link))
				assert_in_range(list.count, 1, WORDS * 32);
			assert_int_not_equal(list.ended, LIST_GOES_ON);
			assert_true(list.ended == LIST_DONE || list.trouble.count);
			list_walk_fini(&list);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(old_radix_trees, set_up, tear_down),
		cmocka_unit_test_setup_teardown(loops_of_all_lengths, set_up, tear_down),
		cmocka_unit_test_setup_teardown(random_memory, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
