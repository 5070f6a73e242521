// SPDX-License-Identifier: LGPL-2.1-or-later
/* BTF made by hand: each test writes the records that it is about. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "types/btf.h"
#include "types/parse.h"

struct builder {
	struct strbuf records, strings;
	struct strbuf blob;
	uint32_t first_string; /* of a split blob: behind the base's */
	uint32_t count;
};

static void put32(struct strbuf *sb, uint32_t v)
{
	strbuf_add_n(sb, (const char *)&v, 4);
}

static uint32_t name_of(struct builder *b, const char *name)
{
	if (!b->strings.len && !b->first_string)
		strbuf_add_char(&b->strings, '\0');
	if (!*name)
		return 0;
	uint32_t at = b->first_string + (uint32_t)b->strings.len;
	strbuf_add_n(&b->strings, name, strlen(name) + 1);
	return at;
}

#define FLAG (1u << 31)

/* The head of a record; returns its id, counted from 1. */
static uint32_t put(struct builder *b, const char *name, uint32_t kind, uint32_t vlen,
		    uint32_t size_or_type)
{
	put32(&b->records, name_of(b, name));
	put32(&b->records, (kind & FLAG) | (kind & 0x7f) << 24 | vlen);
	put32(&b->records, size_or_type);
	return ++b->count;
}

static uint32_t put_int(struct builder *b, const char *name, uint32_t size, uint32_t encoding)
{
	uint32_t id = put(b, name, BTF_INT, 0, size);

	put32(&b->records, encoding << 24 | size * 8);
	return id;
}

static void put_member(struct builder *b, const char *name, uint32_t type, uint32_t bits)
{
	put32(&b->records, name_of(b, name));
	put32(&b->records, type);
	put32(&b->records, bits);
}

static uint32_t put_array(struct builder *b, uint32_t type, uint32_t length)
{
	uint32_t id = put(b, "", BTF_ARRAY, 0, 0);

	put32(&b->records, type);
	put32(&b->records, type);
	put32(&b->records, length);
	return id;
}

static void finish(struct builder *b)
{
	struct strbuf *out = &b->blob;

	(void)name_of(b, "");
	put32(out, 0x0001eb9f);
	put32(out, 24);
	put32(out, 0);
	put32(out, (uint32_t)b->records.len);
	put32(out, (uint32_t)b->records.len);
	put32(out, (uint32_t)b->strings.len);
	strbuf_add_n(out, b->records.data, b->records.len);
	strbuf_add_n(out, b->strings.data, b->strings.len);
}

static void builder_deinit(struct builder *b)
{
	strbuf_deinit(&b->records);
	strbuf_deinit(&b->strings);
	strbuf_deinit(&b->blob);
}

static struct types *universe(struct builder *b)
{
	struct types *types = types_create(NULL);

	finish(b);
	struct error *err = types_add_btf_bytes(types, NULL, b->blob.data, b->blob.len);
	assert_null(err);
	return types;
}

/* Ids: 1 int, 2 unsigned long, 3 char, 4 struct outer *, 5 char[8], 6 int[3], 7 union, 8 typedef
 * of outer, 9 outer, 10 enum state, 11 bool, 12 const int, 13 function type, 14 pointer to it. */
static void sample(struct builder *b)
{
	put_int(b, "int", 4, 1);
	put_int(b, "long unsigned int", 8, 0);
	put_int(b, "char", 1, 1);
	put(b, "", BTF_PTR, 0, 9);
	put_array(b, 3, 8);
	put_array(b, 1, 3);
	put(b, "", BTF_UNION, 2, 8);
	put_member(b, "number", 2, 0);
	put_member(b, "pair", 5, 0);
	put(b, "outer_t", BTF_TYPEDEF, 0, 9);
	put(b, "outer", BTF_STRUCT | FLAG, 8, 64);
	put_member(b, "id", 1, 0);
	put_member(b, "low", 1, 32 | 3u << 24);
	put_member(b, "high", 1, 35 | 29u << 24);
	put_member(b, "", 7, 64);
	put_member(b, "next", 4, 128);
	put_member(b, "list", 6, 192);
	put_member(b, "state", 10, 288);
	put_member(b, "fn", 14, 320);
	put(b, "state", BTF_ENUM | FLAG, 2, 4);
	put32(&b->records, name_of(b, "DEAD"));
	put32(&b->records, (uint32_t)-1);
	put32(&b->records, name_of(b, "ALIVE"));
	put32(&b->records, 1);
	put_int(b, "_Bool", 1, 4);
	put(b, "", BTF_CONST, 0, 1);
	put(b, "", BTF_FUNC_PROTO, 2, 1);
	put32(&b->records, 0);
	put32(&b->records, 4);
	put32(&b->records, 0);
	put32(&b->records, 12);
	put(b, "", BTF_PTR, 0, 13);
	put(b, "do_something", BTF_FUNC, 1, 13);
	put(b, "runqueue", BTF_VAR, 0, 9);
	put32(&b->records, 1);
}

static void finds_names(void **state unused_arg)
{
	struct builder b = { 0 };
	struct type type;
	char text[64];

	sample(&b);
	struct types *types = universe(&b);
	assert_true(types_find(types, "struct outer", &type));
	assert_int_equal(type_kind(type), TYPE_STRUCT);
	assert_int_equal(type_size(type), 64);
	assert_true(types_find(types, "outer_t", &type));
	assert_int_equal(type_kind(type), TYPE_TYPEDEF);
	assert_int_equal(type_kind(type_strip(type)), TYPE_STRUCT);
	assert_true(types_find(types, "enum state", &type));
	assert_true(types_find(types, "unsigned long", &type));
	assert_int_equal(type_size(type), 8);
	assert_true(types_find(types, "const struct outer *[4]", &type));
	assert_int_equal(type_size(type), 32);
	type_spell(type, text, sizeof(text));
	assert_string_equal(text, "struct outer *[4]");
	assert_false(types_find(types, "struct state", &type));
	assert_false(types_find(types, "union outer", &type));
	assert_false(types_find(types, "nothing", &type));
	assert_false(types_find(types, "", &type));
	assert_true(types_function(types, "do_something", &type));
	assert_false(types_own_function(types, "mod", "do_something", &type));
	assert_true(types_own_function(types, NULL, "do_something", &type));
	type_spell(type, text, sizeof(text));
	assert_string_equal(text, "int (struct outer *, const int)");
	assert_true(types_variable(types, "runqueue", &type));
	assert_string_equal(type_name(type), "outer");
	types_destroy(types);
	builder_deinit(&b);
}

static void finds_members(void **state unused_arg)
{
	struct builder b = { 0 };
	struct member m;
	uint64_t value;

	sample(&b);
	struct types *types = universe(&b);
	assert_true(types_member(types, "outer", "pair[3]", &m));
	assert_int_equal(m.offset, 11);
	assert_int_equal(m.size, 1);
	assert_true(types_member(types, "outer_t", "gone|also.gone|list[2]", &m));
	assert_int_equal(m.offset, 32);
	assert_false(types_member(types, "outer", "list[3]", &m));
	assert_false(types_member(types, "outer", "next.id", &m));
	assert_false(types_member(types, "outer", "lis", &m));
	assert_false(types_member(types, "outer", "list.", &m));
	assert_false(types_member(types, "outer", "", &m));
	assert_true(types_member(types, "outer", "high", &m));
	assert_int_equal(m.offset, 4);
	assert_int_equal(m.size, 4);
	assert_int_equal(m.bit_offset, 3);
	assert_int_equal(m.bit_size, 29);
	assert_true(member_load(&m, "\xf8\xff\xff\xff", 4, &value));
	assert_true(value == UINT64_MAX);
	assert_int_equal(types_sizeof(types, "struct outer"), 64);
	assert_int_equal(types_sizeof(types, "outer"), 64);
	assert_int_equal(types_sizeof(types, "absent"), 0);
	assert_int_equal(types_sizeof(types, "absent"), 0);
	types_destroy(types);
	builder_deinit(&b);
}

static void remembers_many(void **state unused_arg)
{
	struct builder b = { 0 };
	struct member m;
	char path[32];

	sample(&b);
	struct types *types = universe(&b);
	for (int lap = 0; lap < 2; lap++) {
		for (int i = 0; i < 3000; i++) {
			snprintf(path, sizeof(path), "x%d|pair[%d]", i, i);
			assert_int_equal(types_member(types, "outer", path, &m), i < 8);
			if (i < 8)
				assert_int_equal(m.offset, 8 + i);
		}
	}
	types_destroy(types);
	builder_deinit(&b);
}

static void enumerators(void **state unused_arg)
{
	struct builder b = { 0 };
	struct type type;
	int64_t value;

	sample(&b);
	struct types *types = universe(&b);
	assert_true(types_find(types, "enum state", &type));
	assert_string_equal(type_enum_name(type, -1), "DEAD");
	assert_string_equal(type_enum_name(type, 0xffffffff), "DEAD");
	assert_null(type_enum_name(type, 7));
	assert_true(types_enumerator(types, "DEAD", &value));
	assert_int_equal(value, -1);
	assert_false(types_enumerator(types, "UNDEAD", &value));
	types_destroy(types);
	builder_deinit(&b);
}

static void name_it(void *ctx unused_arg, uint64_t address, char *buf, size_t size)
{
	snprintf(buf, size, "sym+0x%llx", (unsigned long long)address & 0xf);
}

static void formats_values(void **state unused_arg)
{
	struct builder b = { 0 };
	struct value_format format = { .name_address = name_it };
	auto_strbuf out = { 0 };
	struct type type;
	uint8_t bytes[64] = { 5, 0, 0, 0, 0xfa, 0xff, 0xff, 0xff, 'h', 'i', 0, 'x' };

	bytes[16] = 0x42;
	bytes[24] = bytes[28] = bytes[32] = 9;
	memset(bytes + 36, 0xff, 4);
	sample(&b);
	struct types *types = universe(&b);
	assert_true(types_find(types, "outer", &type));
	type_format_value(type, bytes, 44, &format, &out);
	assert_string_equal(out.data, "struct outer {\n"
				      "    id = 5,\n"
				      "    low = 2,\n"
				      "    high = -1,\n"
				      "    {\n"
				      "        number = 2013292904,\n"
				      "        pair = \"hi\\000x\"\n"
				      "    },\n"
				      "    next = 0x42 <sym+0x2>,\n"
				      "    list = {9, 9, 9},\n"
				      "    state = DEAD,\n"
				      "    fn = <not in the dump>\n"
				      "}");
	types_destroy(types);
	builder_deinit(&b);
}

static void formats_arrays(void **state unused_arg)
{
	struct builder b = { 0 };
	struct value_format format = { .hex = true };
	auto_strbuf out = { 0 };
	struct type type;
	int numbers[9] = { 1, 2, 0, 0, 0, 0, 0, 0, -1 };

	sample(&b);
	struct types *types = universe(&b);
	assert_true(types_find(types, "int [9]", &type));
	type_format_value(type, (const uint8_t *)numbers, sizeof(numbers), &format, &out);
	assert_string_equal(out.data, "{0x1, 0x2, 0x0 <repeats 6 times>, 0xffffffff}");
	strbuf_clear(&out);
	type_format_value(type, (const uint8_t *)numbers, 8, &format, &out);
	assert_string_equal(out.data, "{0x1, 0x2} <not in the dump>");
	types_destroy(types);
	builder_deinit(&b);
}

static void formats_definitions(void **state unused_arg)
{
	struct builder b = { 0 };
	auto_strbuf out = { 0 };
	struct type type;

	sample(&b);
	struct types *types = universe(&b);
	assert_true(types_find(types, "outer", &type));
	type_format_definition(type, false, &out);
	assert_string_equal(out.data, "struct outer {\n"
				      "    int id;\n"
				      "    int low : 3;\n"
				      "    int high : 29;\n"
				      "    union {\n"
				      "        unsigned long number;\n"
				      "        char pair[8];\n"
				      "    };\n"
				      "    struct outer *next;\n"
				      "    int list[3];\n"
				      "    enum state state;\n"
				      "    int (*fn)(struct outer *, const int);\n"
				      "}\n"
				      "SIZE: 0x40\n");
	strbuf_clear(&out);
	type_format_definition(type, true, &out);
	assert_non_null(strstr(out.data, "\n   [0x10] struct outer *next;\n"));
	assert_non_null(strstr(out.data, "\n    [0x8]     char pair[8];\n"));
	types_destroy(types);
	builder_deinit(&b);
}

static void split_btf(void **state unused_arg)
{
	struct builder base = { 0 }, b = { 0 };
	struct member m;
	struct type type;

	sample(&base);
	struct types *types = universe(&base);
	b.first_string = (uint32_t)base.strings.len;
	put(&b, "of_module", BTF_STRUCT, 2, 80);
	put_member(&b, "inner", 9, 128);
	put_member(&b, "self", base.count + 2, 0);
	put(&b, "", BTF_PTR, 0, base.count + 1);
	strbuf_add_char(&b.strings, '\0');
	finish(&b);
	struct error *err = types_add_btf_bytes(types, "mod", b.blob.data, b.blob.len);
	assert_null(err);
	assert_true(types_member(types, "of_module", "inner.list[1]", &m));
	assert_int_equal(m.offset, 16 + 28);
	assert_true(types_member(types, "of_module", "self", &m));
	assert_true(types_find(types, "of_module", &type));
	assert_int_equal(type_target(m.type).id, type.id);
	assert_true(types_find(types, "outer", &type));
	types_destroy(types);
	builder_deinit(&b);
	builder_deinit(&base);
}

static unsigned loads;

static void count_load(void *ctx unused_arg)
{
	loads++;
}

/* Names that are nowhere are found out without walking all types, and without the modules. */
static void absent_names(void **state unused_arg)
{
	struct builder b = { 0 };
	struct member m;
	struct type type;
	int64_t value;

	put_int(&b, "int", 4, 1);
	put(&b, "first", BTF_STRUCT, 1, 4);
	put_member(&b, "number", 1, 0);
	put(&b, "second", BTF_STRUCT, 0, 8);
	put32(&b.records, name_of(&b, "third") + 2); /* named by another's end: "ird" */
	put32(&b.records, BTF_STRUCT << 24);
	put32(&b.records, 16);
	struct types *types = universe(&b);
	types_set_module_loader(types, count_load, NULL);
	loads = 0;
	assert_false(types_member(types, "fir", "number", &m));
	assert_false(types_member(types, "irst", "number", &m));
	assert_int_equal(types_sizeof(types, "struct none"), 0);
	assert_int_equal(loads, 0);
	assert_false(types_find(types, "struct none", &type));
	assert_int_equal(loads, 1);
	assert_false(types_enumerator(types, "number", &value));
	assert_false(types_function(types, "first", &type));
	assert_int_equal(types_sizeof(types, "second"), 8);
	assert_true(types_find(types, "ird", &type));
	assert_int_equal(type_size(type), 16);
	types_destroy(types);
	builder_deinit(&b);
}

/* A bit-field as written before kind_flag: an int of its own, of fewer bits than its size. */
static void old_bit_fields(void **state unused_arg)
{
	struct builder b = { 0 };
	struct member m;

	put(&b, "", BTF_INT, 0, 4);
	put32(&b.records, 2 << 16 | 5);
	put(&b, "s", BTF_STRUCT, 1, 4);
	put_member(&b, "bits", 1, 8);
	struct types *types = universe(&b);
	assert_true(types_member(types, "s", "bits", &m));
	assert_int_equal(m.offset, 0);
	assert_int_equal(m.bit_offset, 10);
	assert_int_equal(m.bit_size, 5);
	types_destroy(types);
	builder_deinit(&b);
}

/* Rings of typedefs, structs inside themselves, ids of nowhere: answers, and soon. */
static void hostile(void **state unused_arg)
{
	struct builder b = { 0 };
	struct value_format format = { 0 };
	auto_strbuf out = { 0 };
	uint8_t bytes[64] = { 0 };
	struct type type;
	struct member m;
	char text[64];

	put(&b, "ring", BTF_TYPEDEF, 0, 2);
	put(&b, "", BTF_CONST, 0, 1);
	put(&b, "self", BTF_STRUCT, 3, 64);
	put_member(&b, "", 3, 0);
	put_member(&b, "", 3, 0);
	put_member(&b, "lost", 77, 0);
	put_array(&b, 4, 0xffffffff);
	put(&b, "arrays", BTF_TYPEDEF, 0, 4);
	put(&b, "endless", BTF_STRUCT, 0xffffff, 64);
	struct types *types = universe(&b);
	assert_true(types_find(types, "ring", &type));
	assert_int_equal(type_size(type), 0);
	type_spell(type, text, sizeof(text));
	type_format_value(type, bytes, 64, &format, &out);
	assert_true(types_find(types, "struct self", &type));
	assert_false(type_find_member(type, "absent", &m));
	type_format_value(type, bytes, 64, &format, &out);
	type_format_definition(type, true, &out);
	assert_true(types_find(types, "arrays", &type));
	assert_int_equal(type_size(type), 0);
	type_spell(type, text, sizeof(text));
	assert_false(types_find(types, "endless", &type));
	types_destroy(types);
	builder_deinit(&b);
}

static void bad_headers(void **state unused_arg)
{
	struct builder b = { 0 };
	struct types *types = types_create(NULL);
	uint8_t header[24] = { 0x9f, 0xeb, 1, 0, 24, 0, 0, 0, 0, 0, 0, 0, 1 };

	struct error *err = types_add_btf_bytes(types, NULL, header, sizeof(header));
	assert_non_null(err);
	error_free(err);
	header[0] = 0xeb;
	header[1] = 0x9f;
	err = types_add_btf_bytes(types, NULL, header, sizeof(header));
	assert_int_equal(err->code, ERROR_UNSUPPORTED);
	error_free(err);
	err = types_add_btf_bytes(types, "m", header, sizeof(header));
	assert_non_null(err);
	error_free(err);
	types_destroy(types);
	builder_deinit(&b);
}

/* Linux 7.1: a header with a layout section tells the size of records of kinds to come. */
static void kinds_to_come(void **state unused_arg)
{
	struct builder b = { 0 };
	struct strbuf out = { 0 };
	struct type type;

	put(&b, "", 40, 2, 0);
	for (int i = 0; i < 3; i++)
		put32(&b.records, 0xffffffff);
	put_int(&b, "behind", 4, 0);
	put32(&out, 0x0001eb9f);
	put32(&out, 32);
	put32(&out, 0);
	put32(&out, (uint32_t)b.records.len);
	put32(&out, (uint32_t)b.records.len);
	put32(&out, (uint32_t)b.strings.len);
	put32(&out, (uint32_t)(b.records.len + b.strings.len));
	put32(&out, 41 * 4);
	strbuf_add_n(&out, b.records.data, b.records.len);
	strbuf_add_n(&out, b.strings.data, b.strings.len);
	for (int i = 0; i < 41; i++)
		put32(&out, i == 40 ? 4 | 4 << 8 : 0);
	struct types *types = types_create(NULL);
	struct error *err = types_add_btf_bytes(types, NULL, out.data, out.len);
	assert_null(err);
	assert_true(types_find(types, "behind", &type));
	types_destroy(types);
	strbuf_deinit(&out);
	builder_deinit(&b);
}

static void expressions(void **state unused_arg)
{
	static const struct {
		const char *text, *name;
		unsigned pointers, dimensions;
	} good[] = {
		{ "unsigned", "unsigned int", 0, 0 },
		{ "long", "long int", 0, 0 },
		{ "unsigned long long int", "long long unsigned int", 0, 0 },
		{ "short", "short int", 0, 0 },
		{ "signed char", "signed char", 0, 0 },
		{ "const char *", "char", 1, 0 },
		{ "void**", "void", 2, 0 },
		{ "struct x * const [2][3]", "x", 1, 2 },
		{ "u64", "u64", 0, 0 },
	};
	static const char *const bad[] = { "",      "struct",         "*",  "a b",
					   "int x", "struct x y",     "x[", "x[1",
					   "x*y",   "long long long", "x ]" };
	struct type_expression e;

	for (size_t i = 0; i < array_size(good); i++) {
		assert_true(type_expression_parse(good[i].text, &e));
		assert_string_equal(e.name, good[i].name);
		assert_int_equal(e.pointers, good[i].pointers);
		assert_int_equal(e.dimensions, good[i].dimensions);
	}
	for (size_t i = 0; i < array_size(bad); i++)
		assert_false(type_expression_parse(bad[i], &e));
}

static void globals_are_sorted(void **state unused_arg)
{
	const char *name, *type, *before = "";
	struct type_expression e;

	for (unsigned i = 0; global_at(i, &name, &type); i++) {
		assert_true(strcmp(before, name) < 0);
		assert_true(type_expression_parse(type, &e));
		assert_string_equal(global_type_name(name), type);
		before = name;
	}
	assert_null(global_type_name("no such variable"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_names),         cmocka_unit_test(finds_members),
		cmocka_unit_test(remembers_many),      cmocka_unit_test(enumerators),
		cmocka_unit_test(formats_values),      cmocka_unit_test(formats_arrays),
		cmocka_unit_test(formats_definitions), cmocka_unit_test(split_btf),
		cmocka_unit_test(old_bit_fields),      cmocka_unit_test(hostile),
		cmocka_unit_test(bad_headers),         cmocka_unit_test(kinds_to_come),
		cmocka_unit_test(expressions),         cmocka_unit_test(absent_names),
		cmocka_unit_test(globals_are_sorted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
