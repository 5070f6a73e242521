// SPDX-License-Identifier: LGPL-2.1-or-later
/* DWARF made by hand, of one unit: each test writes the DIEs that it is about. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dwarf.h>

#include "base/strbuf.h"
#include "types/dwarf.h"

struct builder {
	struct strbuf info, abbrev, str;
	uint8_t codes;
	struct dwarf *dwarf;
};

static void put(struct strbuf *sb, uint64_t v, unsigned size)
{
	strbuf_add_n(sb, (const char *)&v, size);
}

/* Ends the abbreviation of the DIE before. */
static void end_attributes(struct builder *b)
{
	if (b->codes)
		put(&b->abbrev, 0, 2);
}

/* Begins a DIE, with an abbreviation of its own; returns where it is. */
static uint32_t die(struct builder *b, unsigned tag, bool children)
{
	end_attributes(b);
	uint32_t at = (uint32_t)b->info.len;
	put(&b->info, ++b->codes, 1);
	put(&b->abbrev, b->codes, 1);
	put(&b->abbrev, tag & 0x7f, 1); /* all tags that we use fit a byte of a LEB128 */
	put(&b->abbrev, children, 1);
	return at;
}

static void end_children(struct builder *b)
{
	put(&b->info, 0, 1);
}

static void attribute(struct builder *b, unsigned name, unsigned form)
{
	if (name > 0x7f)
		put(&b->abbrev, (name & 0x7f) | 0x80 | (name >> 7) << 8, 2);
	else
		put(&b->abbrev, name, 1);
	put(&b->abbrev, form, 1);
}

static void number(struct builder *b, unsigned name, uint64_t value)
{
	attribute(b, name, DW_FORM_data4);
	put(&b->info, value, 4);
}

static void reference(struct builder *b, unsigned name, uint32_t to)
{
	attribute(b, name, DW_FORM_ref4);
	put(&b->info, to, 4);
}

static void flag(struct builder *b, unsigned name)
{
	attribute(b, name, DW_FORM_flag_present);
}

static void named(struct builder *b, const char *name)
{
	attribute(b, DW_AT_name, DW_FORM_strp);
	put(&b->info, b->str.len, 4);
	strbuf_add_n(&b->str, name, strlen(name) + 1);
}

static void begin(struct builder *b)
{
	*b = (struct builder){ 0 };
	put(&b->str, 0, 1);
	put(&b->info, 0, 4); /* length, see finish() */
	put(&b->info, 4, 2);
	put(&b->info, 0, 4);
	put(&b->info, 8, 1);
	die(b, DW_TAG_compile_unit, true);
	number(b, DW_AT_language, DW_LANG_C99);
}

static void open_sections(struct builder *b)
{
	struct dwarf_sections sections[DWARF_FILES] = { {
		.info = { (const uint8_t *)b->info.data, b->info.len },
		.abbrev = { (const uint8_t *)b->abbrev.data, b->abbrev.len },
		.str = { (const uint8_t *)b->str.data, b->str.len },
	} };
	struct index_identity identity = { 0 };

	b->dwarf = dwarf_create(sections, &identity, NULL, 0);
}

static void finish(struct builder *b)
{
	end_children(b);
	end_attributes(b);
	put(&b->abbrev, 0, 1);
	uint32_t length = (uint32_t)b->info.len - 4;
	memcpy(b->info.data, &length, 4);
	open_sections(b);
}

static void deinit(struct builder *b)
{
	dwarf_destroy(&b->dwarf->source);
	strbuf_deinit(&b->info);
	strbuf_deinit(&b->abbrev);
	strbuf_deinit(&b->str);
}

static uint32_t base_type(struct builder *b, const char *name, unsigned size, unsigned encoding)
{
	uint32_t at = die(b, DW_TAG_base_type, false);

	named(b, name);
	number(b, DW_AT_byte_size, size);
	number(b, DW_AT_encoding, encoding);
	return at;
}

static uint32_t put_struct(struct builder *b, const char *name, unsigned size, unsigned line)
{
	uint32_t at = die(b, DW_TAG_structure_type, true);

	named(b, name);
	number(b, DW_AT_byte_size, size);
	number(b, DW_AT_decl_line, line);
	return at;
}

static void member(struct builder *b, const char *name, uint32_t type, unsigned offset)
{
	die(b, DW_TAG_member, false);
	named(b, name);
	reference(b, DW_AT_type, type);
	number(b, DW_AT_data_member_location, offset);
}

static struct type find(struct builder *b, enum name_class as, const char *name)
{
	struct type type = { 0 };

	(void)dwarf_find(&b->dwarf->source, as, name, &type);
	return type;
}

static void check_declared(struct type type, const char *expected)
{
	auto_strbuf text = { 0 };

	type_declare(type, "x", &text);
	assert_string_equal(text.data ? text.data : "", expected);
}

/* --- Layouts --- */

static void test_bit_fields(void **state unused_arg)
{
	struct builder b;
	struct member m;

	begin(&b);
	uint32_t u = base_type(&b, "unsigned int", 4, DW_ATE_unsigned);
	put_struct(&b, "bits", 12, 1);
	member(&b, "old", u, 4); /* bits from the high end of a unit at offset 4: 32 - 3 - 5 */
	number(&b, DW_AT_byte_size, 4);
	number(&b, DW_AT_bit_size, 5);
	number(&b, DW_AT_bit_offset, 3);
	die(&b, DW_TAG_member, false);
	named(&b, "new");
	reference(&b, DW_AT_type, u);
	number(&b, DW_AT_bit_size, 7);
	number(&b, DW_AT_data_bit_offset, 70);
	die(&b, DW_TAG_member, false);
	named(&b, "expression");
	reference(&b, DW_AT_type, u);
	attribute(&b, DW_AT_data_member_location, DW_FORM_block1);
	put(&b.info, 2, 1);
	put(&b.info, DW_OP_plus_uconst | 8 << 8, 2);
	die(&b, DW_TAG_member, false);
	named(&b, "odd");
	reference(&b, DW_AT_type, u);
	attribute(&b, DW_AT_data_member_location, DW_FORM_block1);
	put(&b.info, 1, 1);
	put(&b.info, DW_OP_deref, 1);
	end_children(&b);
	finish(&b);

	struct type type = find(&b, NAME_STRUCT, "bits");
	assert_true(type_find_member(type, "old", &m));
	assert_int_equal(m.offset * 8 + m.bit_offset, 4 * 8 + 24);
	assert_int_equal(m.bit_size, 5);
	assert_true(type_find_member(type, "new", &m));
	assert_int_equal(m.offset * 8 + m.bit_offset, 70);
	assert_true(type_find_member(type, "expression", &m));
	assert_int_equal(m.offset, 8);
	assert_false(type_find_member(type, "odd", &m));
	deinit(&b);
}

static void dimension(struct builder *b, uint32_t bound)
{
	die(b, DW_TAG_subrange_type, false);
	number(b, DW_AT_upper_bound, bound);
}

static void test_arrays(void **state unused_arg)
{
	struct builder b;

	begin(&b);
	uint32_t i = base_type(&b, "int", 4, DW_ATE_signed);
	uint32_t array = die(&b, DW_TAG_array_type, true);
	reference(&b, DW_AT_type, i);
	dimension(&b, 1);
	dimension(&b, 2);
	end_children(&b);
	uint32_t none = die(&b, DW_TAG_array_type, true);
	reference(&b, DW_AT_type, i);
	dimension(&b, UINT32_MAX);
	end_children(&b);
	finish(&b);

	struct type type = { &b.dwarf->source, array };
	check_declared(type, "int x[2][3]");
	assert_int_equal(type_size(type), 24);
	assert_int_equal(type_array_length(type_target(type)), 3);
	type.id = none;
	assert_int_equal(type_array_length(type), 0);
	deinit(&b);
}

static void test_declarations(void **state unused_arg)
{
	struct builder b;

	begin(&b);
	uint32_t i = base_type(&b, "int", 4, DW_ATE_signed);
	uint32_t one = die(&b, DW_TAG_structure_type, false);
	named(&b, "one");
	flag(&b, DW_AT_declaration);
	uint32_t two = die(&b, DW_TAG_structure_type, false);
	named(&b, "two");
	flag(&b, DW_AT_declaration);
	uint32_t none = die(&b, DW_TAG_structure_type, false);
	named(&b, "none");
	flag(&b, DW_AT_declaration);
	put_struct(&b, "one", 4, 10);
	member(&b, "i", i, 0);
	end_children(&b);
	put_struct(&b, "two", 4, 20);
	end_children(&b);
	put_struct(&b, "two", 8, 30);
	end_children(&b);
	finish(&b);

	struct type type = { &b.dwarf->source, one };
	assert_true(type_is_complete(type));
	assert_int_equal(type_size(type), 4);
	type.id = two; /* which of the two? */
	assert_false(type_is_complete(type));
	type.id = none;
	assert_false(type_is_complete(type));
	assert_int_equal(type_size(find(&b, NAME_STRUCT, "two")), 4);
	assert_null(find(&b, NAME_STRUCT, "none").source);
	deinit(&b);
}

/* --- Functions, variables, enumerators --- */

static void variable(struct builder *b, const char *name, uint32_t type, unsigned line)
{
	die(b, DW_TAG_variable, false);
	named(b, name);
	reference(b, DW_AT_type, type);
	number(b, DW_AT_decl_line, line);
}

static void location(struct builder *b, uint64_t address)
{
	attribute(b, DW_AT_location, DW_FORM_exprloc);
	put(&b->info, 9, 1);
	put(&b->info, DW_OP_addr, 1);
	put(&b->info, address, 8);
}

static void test_variables(void **state unused_arg)
{
	struct builder b;
	struct type type;

	begin(&b);
	uint32_t i = base_type(&b, "int", 4, DW_ATE_signed);
	uint32_t c = base_type(&b, "char", 1, DW_ATE_signed_char);
	variable(&b, "same", i, 1);
	variable(&b, "same", i, 2);
	variable(&b, "differs", i, 3);
	location(&b, 0x1000);
	variable(&b, "differs", c, 4);
	location(&b, 0x2000);
	variable(&b, "global", c, 5);
	variable(&b, "global", i, 6);
	flag(&b, DW_AT_external);
	variable(&b, "elsewhere", c, 7);
	flag(&b, DW_AT_external);
	flag(&b, DW_AT_declaration);
	uint32_t declared = (uint32_t)b.info.len;
	variable(&b, "completed", i, 8);
	flag(&b, DW_AT_external);
	flag(&b, DW_AT_declaration);
	die(&b, DW_TAG_variable, false);
	reference(&b, DW_AT_specification, declared);
	location(&b, 0x3000);
	finish(&b);

	check_declared(find(&b, NAME_VARIABLE, "same"), "int x");
	assert_null(find(&b, NAME_VARIABLE, "differs").source);
	assert_true(dwarf_find_variable(b.dwarf, "differs", 0x2000, &type));
	check_declared(type, "char x");
	assert_false(dwarf_find_variable(b.dwarf, "differs", 0x3000, &type));
	check_declared(find(&b, NAME_VARIABLE, "global"), "int x");
	check_declared(find(&b, NAME_VARIABLE, "elsewhere"), "char x");
	assert_true(dwarf_find_variable(b.dwarf, "completed", 0x3000, &type));
	check_declared(type, "int x");
	check_declared(find(&b, NAME_VARIABLE, "completed"), "int x");
	deinit(&b);
}

static void test_functions(void **state unused_arg)
{
	struct builder b;

	begin(&b);
	uint32_t i = base_type(&b, "int", 4, DW_ATE_signed);
	die(&b, DW_TAG_subprogram, true);
	named(&b, "printf_like");
	flag(&b, DW_AT_external);
	reference(&b, DW_AT_type, i);
	die(&b, DW_TAG_formal_parameter, false);
	named(&b, "count");
	reference(&b, DW_AT_type, i);
	die(&b, DW_TAG_lexical_block, true);
	die(&b, DW_TAG_variable, false);
	named(&b, "inner");
	end_children(&b);
	die(&b, DW_TAG_unspecified_parameters, false);
	end_children(&b);
	finish(&b);

	check_declared(find(&b, NAME_FUNCTION, "printf_like"), "int x(int count, ...)");
	assert_null(find(&b, NAME_VARIABLE, "inner").source);
	deinit(&b);
}

static void test_enumerators(void **state unused_arg)
{
	struct builder b;
	int64_t value;

	begin(&b);
	die(&b, DW_TAG_enumeration_type, true);
	named(&b, "sign");
	number(&b, DW_AT_byte_size, 4);
	die(&b, DW_TAG_enumerator, false);
	named(&b, "LOW");
	attribute(&b, DW_AT_const_value, DW_FORM_sdata);
	put(&b.info, 0x7b, 1); /* -5 */
	die(&b, DW_TAG_enumerator, false);
	named(&b, "HIGH");
	number(&b, DW_AT_const_value, 0x80000000);
	end_children(&b);
	finish(&b);

	struct type type = find(&b, NAME_ENUM, "sign");
	assert_true(type_is_signed(type));
	assert_string_equal(type_enum_name(type, -5), "LOW");
	assert_true(dwarf_find_enumerator(&b.dwarf->source, "HIGH", &value));
	assert_int_equal(value, 0x80000000);
	assert_false(dwarf_find_enumerator(&b.dwarf->source, "sign", &value));
	deinit(&b);
}

/* --- Damage --- */

static void test_rings(void **state unused_arg)
{
	struct builder b;
	struct member m;
	auto_strbuf text = { 0 };

	begin(&b);
	uint32_t ring = die(&b, DW_TAG_typedef, false);
	named(&b, "ring");
	reference(&b, DW_AT_type, ring);
	uint32_t self = put_struct(&b, "self", 8, 1);
	die(&b, DW_TAG_member, false); /* anonymous: looked into */
	reference(&b, DW_AT_type, self);
	number(&b, DW_AT_data_member_location, 0);
	end_children(&b);
	uint32_t back = die(&b, DW_TAG_structure_type, true);
	named(&b, "back");
	reference(&b, DW_AT_sibling, back);
	member(&b, "i", self, 0);
	end_children(&b);
	finish(&b);

	assert_int_equal(type_size(find(&b, NAME_ANY, "ring")), 0);
	assert_false(type_find_member(find(&b, NAME_STRUCT, "self"), "x", &m));
	type_format_definition(find(&b, NAME_STRUCT, "self"), true, &text);
	assert_true(type_find_member(find(&b, NAME_STRUCT, "back"), "i", &m));
	deinit(&b);
}

/* Whatever byte is wrong: nothing but another answer or none. */
static void test_any_byte(void **state unused_arg)
{
	struct builder b;
	struct member m;
	int64_t value;

	begin(&b);
	uint32_t i = base_type(&b, "int", 4, DW_ATE_signed);
	uint32_t s = put_struct(&b, "some", 8, 1);
	member(&b, "i", i, 0);
	member(&b, "next", s, 4);
	end_children(&b);
	finish(&b);
	struct strbuf *parts[] = { &b.info, &b.abbrev };
	for (unsigned part = 0; part < array_size(parts); part++) {
		for (size_t at = 0; at < parts[part]->len; at++) {
			char was = parts[part]->data[at];
			for (unsigned v = 0; v < 256; v += 5) {
				parts[part]->data[at] = (char)v;
				dwarf_destroy(&b.dwarf->source);
				open_sections(&b);
				struct type type = find(&b, NAME_ANY, "some");
				(void)type_find_member(type, "i", &m);
				(void)type_find_member(type, "next.next.x", &m);
				(void)dwarf_find_enumerator(&b.dwarf->source, "i", &value);
			}
			parts[part]->data[at] = was;
		}
	}
	deinit(&b);
}

/* --- The index --- */

static const struct index_identity identity = { .build_id = "00112233445566778899",
						.info_size = 1000 };

static struct index_image *make_image(unsigned names)
{
	struct index_entry *entries = xcalloc(names, sizeof(*entries));
	struct index_units units[2] = { 0 };
	char name[16];

	vec_push(&units[0], 0);
	vec_push(&units[0], 500);
	for (unsigned i = 0; i < names; i++) {
		snprintf(name, sizeof(name), "name%u", i);
		entries[i] = (struct index_entry){ .hash = index_hash(name),
						   .offset = i + 1,
						   .kind = INDEX_STRUCT };
	}
	struct index_image *image = index_image_make(&identity, entries, names, units);
	free(entries);
	vec_deinit(&units[0]);
	return image;
}

/* The bytes of an image, by way of a file in a folder of its own. */
static uint8_t *kept_bytes(struct index_image *image, size_t *size)
{
	char folder[] = "/tmp/inquest-test-XXXXXX", path[128];

	assert_non_null(mkdtemp(folder));
	assert_int_equal(setenv("XDG_CACHE_HOME", folder, 1), 0);
	assert_null(index_file_load(&identity));
	assert_true(index_file_save(image));
	snprintf(path, sizeof(path), "%s/inquest/%s.types", folder, identity.build_id);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	*size = index_image_size(image);
	uint8_t *bytes = xmalloc(*size);
	assert_int_equal(fread(bytes, 1, *size, file), *size);
	assert_int_equal(fgetc(file), EOF);
	fclose(file);
	struct index_image *loaded = index_file_load(&identity);
	assert_non_null(loaded);
	index_image_close(loaded);
	index_file_remove(&identity);
	assert_null(index_file_load(&identity));
	snprintf(path, sizeof(path), "%s/inquest", folder);
	assert_int_equal(remove(path), 0);
	assert_int_equal(remove(folder), 0);
	return bytes;
}

static struct index_image *parse_copy(const uint8_t *bytes, size_t size)
{
	struct index_image *image = NULL;
	uint8_t *copy = xmalloc(size);

	memcpy(copy, bytes, size);
	error_free(index_image_parse(copy, size, &identity, &image));
	return image;
}

static void check_found(struct index_image *image, const char *name, uint32_t offset)
{
	const struct index_entry *entries = NULL;

	assert_int_equal(index_image_find(image, index_hash(name), &entries), 1);
	assert_int_equal(entries[0].offset, offset);
}

static void test_index(void **state unused_arg)
{
	struct index_image *image = make_image(50000), *read;
	const struct index_entry *entries = NULL;
	const uint32_t *starts;
	size_t size, count;
	uint8_t *bytes = kept_bytes(image, &size);

	read = parse_copy(bytes, size);
	assert_non_null(read);
	for (unsigned i = 0; i < 2; i++) {
		struct index_image *each = i ? read : image;
		check_found(each, "name0", 1);
		check_found(each, "name49999", 50000);
		assert_int_equal(index_image_find(each, index_hash("none"), &entries), 0);
		assert_true(index_image_units(each, 0, &starts, &count));
		assert_int_equal(count, 2);
		assert_int_equal(starts[1], 500);
		index_image_close(each);
	}
	/* Damage behind the header is met when it is used, and not before. */
	bytes[size - 20000] ^= 1;
	read = parse_copy(bytes, size);
	assert_non_null(read);
	assert_false(index_image_damaged(read));
	assert_false(index_image_units(read, 0, &starts, &count));
	assert_true(index_image_damaged(read));
	index_image_close(read);
	free(bytes);
}

/* No wrong bit anywhere goes unnoticed. */
static void test_index_damage(void **state unused_arg)
{
	struct index_image *image = make_image(20);
	const struct index_entry *entries = NULL;
	size_t size;
	uint8_t *bytes = kept_bytes(image, &size);

	index_image_close(image);
	for (size_t at = 0; at < size; at++) {
		bytes[at] ^= 0x10;
		struct index_image *read = parse_copy(bytes, size);
		if (read) {
			assert_int_equal(index_image_find(read, index_hash("name7"), &entries), 0);
			assert_true(index_image_damaged(read));
			index_image_close(read);
		}
		bytes[at] ^= 0x10;
	}
	for (size_t cut = 0; cut < size; cut++)
		assert_null(parse_copy(bytes, cut));
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bit_fields),   cmocka_unit_test(test_arrays),
		cmocka_unit_test(test_declarations), cmocka_unit_test(test_variables),
		cmocka_unit_test(test_functions),    cmocka_unit_test(test_enumerators),
		cmocka_unit_test(test_rings),        cmocka_unit_test(test_any_byte),
		cmocka_unit_test(test_index),        cmocka_unit_test(test_index_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
