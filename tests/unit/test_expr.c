// SPDX-License-Identifier: LGPL-2.1-or-later
/* Expressions over types and a memory made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/nearest.h"
#include "base/strbuf.h"
#include "types/btf.h"
#include "types/expr.h"
#include "types/program.h"

/* --- Types: a little BTF --- */

struct builder {
	struct strbuf records, strings, blob;
	uint32_t count;
};

static void put32(struct strbuf *sb, uint32_t v)
{
	strbuf_add_n(sb, (const char *)&v, 4);
}

static uint32_t name_of(struct builder *b, const char *name)
{
	if (!b->strings.len)
		strbuf_add_char(&b->strings, '\0');
	if (!*name)
		return 0;
	uint32_t at = (uint32_t)b->strings.len;
	strbuf_add_n(&b->strings, name, strlen(name) + 1);
	return at;
}

static uint32_t put(struct builder *b, const char *name, uint32_t kind, uint32_t vlen,
		    uint32_t size)
{
	put32(&b->records, name_of(b, name));
	put32(&b->records, (kind & (1u << 31)) | (kind & 0x7f) << 24 | vlen);
	put32(&b->records, size);
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

#define BITFIELD(size, at) ((uint32_t)(size) << 24 | (uint32_t)(at))

/*
 * struct node { struct node *next; int pid; unsigned char small; char comm[8];
 *               union { long a; u32 b; }; unsigned f : 3; int g : 5; struct point at[2]; bool on;
 *               struct single { int counter; } alone; }
 */
static void put_types(struct builder *b)
{
	/* Encodings: 1 signed, 4 bool. */
	uint32_t t_int = put_int(b, "int", 4, 1);
	uint32_t t_uint = put_int(b, "unsigned int", 4, 0);
	uint32_t t_char = put_int(b, "char", 1, 1);
	uint32_t t_uchar = put_int(b, "unsigned char", 1, 0);
	uint32_t t_long = put_int(b, "long int", 8, 1);
	uint32_t t_bool = put_int(b, "_Bool", 1, 4);
	uint32_t t_u32 = put(b, "u32", BTF_TYPEDEF, 0, t_uint);
	uint32_t t_comm = put_array(b, t_char, 8);
	uint32_t t_union = put(b, "", BTF_UNION, 2, 8);
	put_member(b, "a", t_long, 0);
	put_member(b, "b", t_u32, 0);
	uint32_t t_point = put(b, "point", BTF_STRUCT, 2, 8);
	put_member(b, "x", t_int, 0);
	put_member(b, "y", t_int, 32);
	uint32_t t_points = put_array(b, t_point, 2);
	uint32_t t_single = put(b, "single", BTF_STRUCT, 1, 4);
	put_member(b, "counter", t_int, 0);
	uint32_t t_node = b->count + 2;
	uint32_t t_next = put(b, "", BTF_PTR, 0, t_node);
	assert_int_equal(put(b, "node", BTF_STRUCT | 1u << 31, 10, 64), t_node);
	put_member(b, "next", t_next, 0);
	put_member(b, "pid", t_int, 64);
	put_member(b, "small", t_uchar, 96);
	put_member(b, "comm", t_comm, 104);
	put_member(b, "", t_union, 192);
	put_member(b, "f", t_uint, BITFIELD(3, 256));
	put_member(b, "g", t_int, BITFIELD(5, 259));
	put_member(b, "at", t_points, 288);
	put_member(b, "on", t_bool, 416);
	put_member(b, "alone", t_single, 448);
	put(b, "colour", BTF_ENUM, 2, 4);
	put32(&b->records, name_of(b, "RED"));
	put32(&b->records, 0);
	put32(&b->records, name_of(b, "BLUE"));
	put32(&b->records, 7);
	put(b, "unseen", BTF_FWD, 0, 0);
}

static void finish(struct builder *b)
{
	struct strbuf *out = &b->blob;

	strbuf_add_n(out, "\x9f\xeb\x01\x00", 4);
	put32(out, 24);
	put32(out, 0);
	put32(out, (uint32_t)b->records.len);
	put32(out, (uint32_t)b->records.len);
	put32(out, (uint32_t)b->strings.len);
	strbuf_add_n(out, b->records.data, b->records.len);
	strbuf_add_n(out, b->strings.data, b->strings.len);
}

/* --- Memory: two nodes at NODES, one per CPU at 0x100 + offset --- */

#define NODES  UINT64_C(0xffff888000001000)
#define PERCPU UINT64_C(0xffff888000002000)

struct world {
	struct builder b;
	struct types *types;
	uint8_t memory[256];
	uint8_t percpu[2][64];
	unsigned reads;
	struct expr_env env;
};

static enum read_status read_world(void *ctx, uint64_t address, void *buf, size_t size)
{
	struct world *w = ctx;
	uint64_t cpu = (address - PERCPU) / 0x1000;

	w->reads++;
	if (address == NODES + 0x800)
		return READ_EXCLUDED;
	if (address - NODES < sizeof(w->memory) && size <= sizeof(w->memory) - (address - NODES)) {
		memcpy(buf, w->memory + (address - NODES), size);
		return READ_OK;
	}
	address -= PERCPU + cpu * 0x1000 + 0x100;
	if (cpu < 2 && address < 64 && size <= 64 - address) {
		memcpy(buf, w->percpu[cpu] + address, size);
		return READ_OK;
	}
	return READ_UNMAPPED;
}

static bool symbol_of_world(void *ctx, const char *name, struct expr_symbol *symbol)
{
	struct world *w = ctx;
	struct type type = { 0 };

	*symbol = (struct expr_symbol){ .address = NODES };
	if (strcmp(name, "head") == 0 || strcmp(name, "mod:head") == 0) {
		assert_true(types_find(w->types, "struct node", &type));
	} else if (strcmp(name, "cell") == 0) {
		assert_true(types_find(w->types, "struct node", &type));
		symbol->address = 0x100;
		symbol->is_percpu = true;
	} else if (strcmp(name, "run") == 0) {
		symbol->is_text = true;
		assert_true(types_find(w->types, "void", &type));
		assert_true(types_function_of(w->types, type, &type));
	} else if (strcmp(name, "gone") == 0) {
		assert_true(types_find(w->types, "int", &type));
		symbol->address = NODES + 0x800;
	} else if (strcmp(name, "untyped") != 0) {
		return false;
	}
	symbol->type = type;
	return true;
}

static bool percpu_of_world(void *ctx, uint64_t symbol_address, unsigned cpu, uint64_t *address)
{
	(void)ctx;
	*address = PERCPU + cpu * 0x1000 + symbol_address;
	return cpu < 2;
}

static enum expr_found name_of_world(void *ctx, const char *name, struct value *value,
				     struct error **err)
{
	struct world *w = ctx;
	struct type type;

	assert_true(types_find(w->types, "long", &type));
	if (strcmp(name, "$rip") == 0) {
		*value = value_of_number(type, 0x1234);
		return EXPR_FOUND;
	}
	/* A local that hides a type. */
	if (strcmp(name, "u32") == 0) {
		*value = value_of_number(type, 5);
		return EXPR_FOUND;
	}
	if (strcmp(name, "lost") != 0)
		return EXPR_UNKNOWN;
	*err = error_new(ERROR_MISSING, "lost was optimised out");
	return EXPR_LOST;
}

static void store(uint8_t *at, uint64_t value, size_t size)
{
	memcpy(at, &value, size);
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	put_types(&w->b);
	finish(&w->b);
	w->types = types_create(NULL);
	assert_null(types_add_btf_bytes(w->types, NULL, w->b.blob.data, w->b.blob.len));
	store(w->memory, NODES + 64, 8);
	store(w->memory + 8, 42, 4);
	w->memory[12] = 200;
	memcpy(w->memory + 13, "init", 5);
	store(w->memory + 24, UINT64_MAX - 1, 8);
	w->memory[32] = 5 | 0x1e << 3;
	store(w->memory + 36, 1, 4);
	store(w->memory + 40, 2, 4);
	store(w->memory + 44, 3, 4);
	store(w->memory + 48, 4, 4);
	w->memory[52] = 1;
	store(w->memory + 56, 7, 4);
	store(w->memory + 64, NODES, 8);
	store(w->memory + 72, 43, 4);
	store(w->percpu[0] + 8, 100, 4);
	store(w->percpu[1] + 8, 101, 4);
	w->env = (struct expr_env){
		.value = { .types = w->types, .ctx = w, .read = read_world },
		.cpu = -1, .symbol = symbol_of_world, .percpu = percpu_of_world,
		.name = name_of_world,
	};
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	types_destroy(w->types);
	strbuf_deinit(&w->b.records);
	strbuf_deinit(&w->b.strings);
	strbuf_deinit(&w->b.blob);
	free(w);
	return 0;
}

/* --- Asking --- */

/* The value's number, and its type as C spells it. */
static uint64_t ask(struct world *w, const char *text, char *type, size_t size)
{
	struct arena arena = { 0 };
	struct expr *expr = NULL;
	struct value value;
	uint64_t number = 0;
	size_t at;

	struct error *err = expr_parse(text, &w->env, &arena, &expr, &at);
	if (!err)
		err = expr_eval(expr, &w->env, &value, &at);
	if (!err && type)
		type_spell(value.type, type, size);
	if (!err)
		err = value_number(&w->env.value, &value, &number);
	if (err)
		fail_msg("%s: %s", text, err->message);
	arena_deinit(&arena);
	return number;
}

static void expect(struct world *w, const char *text, int64_t wanted, const char *type)
{
	char spelled[128];
	int64_t number = (int64_t)ask(w, text, spelled, sizeof(spelled));

	if (number != wanted || strcmp(spelled, type) != 0)
		fail_msg("%s = (%s) %lld, not (%s) %lld", text, spelled, (long long)number, type,
			 (long long)wanted);
}

static void refuse(struct world *w, const char *text, size_t column, const char *words)
{
	struct arena arena = { 0 };
	struct expr *expr = NULL;
	struct value value;
	size_t at = SIZE_MAX;
	uint64_t number;

	struct error *err = expr_parse(text, &w->env, &arena, &expr, &at);
	if (!err)
		err = expr_eval(expr, &w->env, &value, &at);
	if (!err)
		err = value_number(&w->env.value, &value, &number);
	if (!err)
		fail_msg("%s was taken", text);
	if (!strstr(err->message, words) || (column && at + 1 != column))
		fail_msg("%s: %s (at %zu, not %zu)", text, err->message, at + 1, column);
	error_free(err);
	arena_deinit(&arena);
}

static void literals(void **state)
{
	struct world *w = *state;

	expect(w, "1", 1, "int");
	expect(w, "0x7fffffff", INT32_MAX, "int");
	expect(w, "0x80000000", 0x80000000, "unsigned int");
	expect(w, "2147483648", 0x80000000, "long");
	expect(w, "0xffff888000001000", (int64_t)NODES, "unsigned long");
	expect(w, "010", 8, "int");
	expect(w, "0", 0, "int");
	expect(w, "1u", 1, "unsigned int");
	expect(w, "1UL", 1, "unsigned long");
	expect(w, "1ll", 1, "long");
	expect(w, "'a'", 'a', "char");
	expect(w, "'\\n'", '\n', "char");
	expect(w, "'\\x41'", 'A', "char");
	expect(w, "'\\''", '\'', "char");
	expect(w, "sizeof(\"abc\")", 4, "unsigned long");
	expect(w, "RED + BLUE", 7, "int");
	expect(w, "NULL == 0", 1, "int");
	expect(w, "true", 1, "int");
	refuse(w, "0x", 1, "is no number");
	refuse(w, "09", 1, "is no number");
	refuse(w, "1x", 1, "is no number");
	refuse(w, "18446744073709551616", 1, "64 bits");
	refuse(w, "123456789abc", 1, "did you mean 0x123456789abc");
	refuse(w, "'ab'", 1, "one character");
	refuse(w, "'a", 1, "not closed");
	refuse(w, "1 # 2", 3, "means nothing");
}

static void arithmetic(void **state)
{
	struct world *w = *state;

	expect(w, "1 + 2 * 3", 7, "int");
	expect(w, "(1 + 2) * 3", 9, "int");
	expect(w, "10 - 4 - 3", 3, "int");
	expect(w, "7 / 2", 3, "int");
	expect(w, "-7 / 2", -3, "int");
	expect(w, "-7 % 2", -1, "int");
	expect(w, "-1", -1, "int");
	expect(w, "~0u", 0xffffffff, "unsigned int");
	expect(w, "!5", 0, "int");
	expect(w, "- -1", 1, "int");
	expect(w, "1 << 4 + 1", 32, "int");
	expect(w, "1 << 31", INT32_MIN, "int");
	expect(w, "1ul << 40", INT64_C(1) << 40, "unsigned long");
	expect(w, "-16 >> 2", -4, "int");
	expect(w, "6 & 3 | 8 ^ 1", 11, "int");
	expect(w, "2147483647 + 1", INT32_MIN, "int");
	expect(w, "1 < 2 == 1", 1, "int");
	/* The usual conversions. */
	expect(w, "-1 < 1u", 0, "int");
	expect(w, "-1 < 1ul", 0, "int");
	expect(w, "-1L < 1u", 1, "int");
	expect(w, "-1 + 0u", 0xffffffff, "unsigned int");
	expect(w, "(char)200", -56, "char");
	expect(w, "(unsigned char)-1 + 1", 256, "int");
	expect(w, "(unsigned short)0x12345", 0x2345, "unsigned short");
	expect(w, "(_Bool)256", 1, "_Bool");
	expect(w, "(unsigned long)-1", -1, "unsigned long");
	expect(w, "(long)0x80000000", 0x80000000, "long");
	expect(w, "(int)0x80000000", INT32_MIN, "int");
	refuse(w, "1 / 0", 3, "division by zero");
	refuse(w, "1 % (1 - 1)", 3, "division by zero");
	refuse(w, "1 << 32", 3, "a shift by 32");
	refuse(w, "1 << -1", 3, "a shift by -1");
	expect(w, "-2147483647 - 1 == 0x80000000", 1, "int");
	expect(w, "(-0x7fffffffffffffff - 1) / -1", INT64_MIN, "long");
	expect(w, "(-0x7fffffffffffffff - 1) % -1", 0, "long");
}

static void logic(void **state)
{
	struct world *w = *state;

	expect(w, "1 && 2", 1, "int");
	expect(w, "0 || 3", 1, "int");
	expect(w, "1 ? 2 : 3", 2, "int");
	expect(w, "0 ? 2 : 1 ? 4 : 5", 4, "int");
	expect(w, "1 ? 2 : 3ul", 2, "unsigned long");
	/* What C does not evaluate is not. */
	expect(w, "0 && 1 / 0", 0, "int");
	expect(w, "1 || 1 / 0", 1, "int");
	expect(w, "1 ? 5 : 1 / 0", 5, "int");
	expect(w, "0 && gone", 0, "int");
	expect(w, "0 && ((struct node *)0)->pid", 0, "int");
	expect(w, "sizeof(1 / 0)", 4, "unsigned long");
	w->reads = 0;
	expect(w, "sizeof(gone + 1)", 4, "unsigned long");
	expect(w, "sizeof head.next->next->comm", 8, "unsigned long");
	assert_int_equal(w->reads, 0);
}

static void objects(void **state)
{
	struct world *w = *state;

	expect(w, "head.pid", 42, "int");
	expect(w, "head.next->pid", 43, "int");
	expect(w, "head.next->next->pid", 42, "int");
	expect(w, "head.next.pid", 43, "int");
	expect(w, "(&head)->pid", 42, "int");
	expect(w, "head->pid", 42, "int");
	expect(w, "(*head.next).pid", 43, "int");
	expect(w, "head.small + 0", 200, "int");
	expect(w, "head.a", -2, "long");
	expect(w, "head.f", 5, "unsigned int");
	expect(w, "head.g", -2, "int");
	expect(w, "head.f - 6", -1, "int");
	expect(w, "head.at[1].x", 3, "int");
	expect(w, "head.at[0].y", 2, "int");
	expect(w, "(head.at + 1)->y", 4, "int");
	expect(w, "*&head.pid", 42, "int");
	expect(w, "head.comm[0]", 'i', "char");
	expect(w, "*head.comm", 'i', "char");
	expect(w, "head.on", 1, "_Bool");
	expect(w, "head.comm == \"init\"", 1, "int");
	expect(w, "\"init\" != head.comm", 0, "int");
	expect(w, "head.comm == \"ini\"", 0, "int");
	expect(w, "&head.comm[0] == \"init\"", 1, "int");
	expect(w, "\"abc\"[1]", 'b', "char");
	expect(w, "mod:head.pid", 42, "int");
	expect(w, "1 ? head.pid:0", 42, "int");
	expect(w, "run", (int64_t)NODES, "void (...)");
	expect(w, "&run == run", 1, "int");
	expect(w, "$rip + 1", 0x1235, "long");
	expect(w, "u32 + 1", 6, "long");
	refuse(w, "lost", 1, "optimised out");
	refuse(w, "$rax", 1, "no register");
	refuse(w, "nothing", 1, "nothing is called nothing");
	refuse(w, "head.pit", 6, "did you mean pid?");
	refuse(w, "head.pid.x", 10, "has no members");
	refuse(w, "head + 1", 6, "struct node is no number");
	refuse(w, "*head.pid", 1, "is no pointer");
	refuse(w, "*(void *)0", 1, "void *");
	refuse(w, "untyped + 1", 9, "the type of untyped is not known");
	expect(w, "*(int *)((char *)&untyped + 8)", 42, "int");
	expect(w, "*(int *)(&untyped + 8)", 42, "int");
	refuse(w, "gone", 0, "excluded from the dump");
	refuse(w, "((struct node *)0)->pid", 0, "0000000000000008: not mapped");
	refuse(w, "((struct unseen *)0)->a", 23, "only the name");
	refuse(w, "\"abc\"[4]", 6, "no element 4");
	refuse(w, "&head.f", 1, "bit-field");
	refuse(w, "&1", 1, "no address");
	refuse(w, "(struct point)head", 1, "to a pointer");
}

static void pointers(void **state)
{
	struct world *w = *state;

	expect(w, "(struct node *)0 + 2", 128, "struct node *");
	expect(w, "2 + (int *)0", 8, "int *");
	expect(w, "(void *)16 + 1", 17, "void *");
	expect(w, "(int *)16 - 1", 12, "int *");
	expect(w, "&head.at[1] - &head.at[0]", 1, "long");
	expect(w, "head.next > &head", 1, "int");
	expect(w, "head.next == 0", 0, "int");
	expect(w, "(struct node **)8 + 1", 16, "struct node **");
	expect(w, "(unsigned long)head.next & ~0xful", (int64_t)NODES + 64, "unsigned long");
	expect(w, "(int (*)[4])0 + 1", 16, "int (*)[4]");
	expect(w, "(int (*)(int, char *))5", 5, "int (*)(...)");
	expect(w, "sizeof(int (*)[4])", 8, "unsigned long");
	expect(w, "sizeof(int[3][5])", 60, "unsigned long");
	expect(w, "sizeof(head.at @ 3)", 48, "unsigned long");
	expect(w, "((struct node *)&head)[1].pid", 43, "int");
	expect(w, "1 ? (struct node *)8 : 0", 8, "struct node *");
	refuse(w, "(int *)0 + (int *)0", 10, "cannot be added");
	refuse(w, "(int *)0 * 2", 10, "multiplied");
	refuse(w, "(struct unseen *)0 + 1", 20, "not known");
	/* In addresses a sum counts bytes, unless it is part of something. */
	w->env.value.bytes = true;
	w->env.bare_hex = true;
	expect(w, "head.next - 64", (int64_t)NODES, "struct node *");
	expect(w, "(&head + 8) - 8", (int64_t)NODES, "struct node *");
	expect(w, "(&head)[1].pid", 43, "int");
	expect(w, "*(head.comm + 1)", 'n', "char");
	expect(w, "ffff888000001000 + 8", (int64_t)NODES + 8, "unsigned long");
	expect(w, "((struct node *)ffff888000001000)->pid", 42, "int");
	w->env.value.wide = true;
	expect(w, "1 << 40", INT64_C(1) << 40, "long");
	expect(w, "4k + 1", 4097, "long");
}

static void types_of_all_sorts(void **state)
{
	struct world *w = *state;

	expect(w, "sizeof(struct node)", 64, "unsigned long");
	expect(w, "sizeof(unsigned)", 4, "unsigned long");
	expect(w, "sizeof(long unsigned int)", 8, "unsigned long");
	expect(w, "sizeof(const char *)", 8, "unsigned long");
	expect(w, "sizeof(typeof(head.pid))", 4, "unsigned long");
	expect(w, "(typeof(head.next))8", 8, "struct node *");
	expect(w, "sizeof(node)", 64, "unsigned long");
	expect(w, "sizeof head", 64, "unsigned long");
	expect(w, "sizeof(head) + 1", 65, "unsigned long");
	expect(w, "sizeof (head).pid", 4, "unsigned long");
	expect(w, "offsetof(struct node, pid)", 8, "unsigned long");
	expect(w, "offsetof(struct node, b)", 24, "unsigned long");
	expect(w, "offsetof(struct node, at[1].y)", 48, "unsigned long");
	expect(w, "offsetof(node, at[RED + 1])", 44, "unsigned long");
	expect(w, "container_of(&head.pid, struct node, pid)->small + 0", 200, "int");
	expect(w, "container_of(&head.at[1], struct node, at[1]) == &head", 1, "int");
	refuse(w, "offsetof(struct node, next.pid)", 28, "through a pointer");
	refuse(w, "offsetof(struct node, f)", 1, "bit-field");
	refuse(w, "offsetof(struct node)", 21, "expected ','");
	refuse(w, "sizeof(struct unseen)", 1, "only the name");
	refuse(w, "sizeof(struct nosuch)", 8, "no type struct nosuch");
	refuse(w, "(struct)0", 8, "name is missing");
	refuse(w, "sizeof head.f", 1, "bit-field");
}

static void cpus(void **state)
{
	struct world *w = *state;
	struct arena arena = { 0 };
	struct expr *expr;
	size_t at;

	expect(w, "cell:0.pid", 100, "int");
	expect(w, "cell:1.pid", 101, "int");
	expect(w, "(&cell:1)->pid", 101, "int");
	expect(w, "cell:1.pid - cell:0.pid", 1, "int");
	expect(w, "&cell", 0x100, "struct node *");
	expect(w, "per_cpu(cell, 1).pid", 101, "int");
	expect(w, "per_cpu_ptr(&cell, 1)->pid", 101, "int");
	expect(w, "1 ? cell:1.pid : 0", 101, "int");
	expect(w, "sizeof(cell)", 64, "unsigned long");
	refuse(w, "cell.pid", 1, "say of which CPU");
	refuse(w, "cell:7.pid", 1, "no CPU 7");
	refuse(w, "head:x", 6, "no module");
	refuse(w, "cell:0,1.pid + cell:0-1.pid", 21, "two lists");
	assert_null(expr_parse("cell:0,1.pid", &w->env, &arena, &expr, &at));
	assert_string_equal(expr_cpu_list(expr), "0,1");
	assert_null(expr_parse("cell.pid + 1 : a", &w->env, &arena, &expr, &at));
	assert_string_equal(expr_text(expr), "cell.pid + 1");
	assert_null(expr_parse("cell.pid:all", &w->env, &arena, &expr, &at));
	assert_string_equal(expr_cpu_list(expr), "all");
	assert_string_equal(expr_text(expr), "cell.pid");
	assert_null(expr_name(expr));
	assert_null(expr_parse("cell", &w->env, &arena, &expr, &at));
	assert_string_equal(expr_name(expr), "cell");
	assert_null(expr_cpu_list(expr));
	w->env.cpu = 1;
	expect(w, "cell.pid", 101, "int");
	arena_deinit(&arena);
}

static void locals_may_come_last(void **state)
{
	struct world *w = *state;

	/* "u32" is a local and a type. */
	expect(w, "sizeof(u32)", 8, "unsigned long");
	expect(w, "(u32) + 1", 6, "long");
	w->env.locals_last = true;
	expect(w, "sizeof(u32)", 4, "unsigned long");
	expect(w, "(u32)-1", 0xffffffff, "u32");
	expect(w, "$rip", 0x1234, "long");
	refuse(w, "lost", 1, "optimised out");
}

static void syntax(void **state)
{
	struct world *w = *state;
	auto_strbuf deep = { 0 };

	refuse(w, "", 1, "no expression");
	refuse(w, "(head.pid", 10, "expected ')'");
	refuse(w, "head.", 6, "member's name");
	refuse(w, "head[1", 7, "expected ']'");
	refuse(w, "1 +", 4, "ends early");
	refuse(w, "1 2", 3, "expected an operator");
	refuse(w, "head.pid = 1", 10, "can be changed");
	refuse(w, "head.pid++", 9, "can be changed");
	refuse(w, "run(1)", 1, "cannot be called");
	refuse(w, "1 ? 2", 6, "expected ':'");
	refuse(w, "(int)", 6, "ends early");
	refuse(w, "int", 1, "is a type");
	refuse(w, "1, 2", 2, "expected an operator");
	for (int i = 0; i < 3000; i++)
		strbuf_add_char(&deep, '(');
	refuse(w, deep.data, 0, "nested too deeply");
	strbuf_clear(&deep);
	for (int i = 0; i < 3000; i++)
		strbuf_add_char(&deep, i % 2 ? '-' : ' ');
	refuse(w, deep.data, 0, "nested too deeply");
	strbuf_clear(&deep);
	strbuf_add(&deep, "1");
	for (int i = 0; i < 2000; i++)
		strbuf_add(&deep, "+1");
	refuse(w, deep.data, 0, "too long");
	strbuf_clear(&deep);
	for (int i = 0; i < 5000; i++)
		strbuf_add_char(&deep, '1');
	refuse(w, deep.data, 0, "too long");
}

static void texts_and_patterns(void **state)
{
	struct world *w = *state;

	expect(w, "head.comm ~ \"in*\"", 1, "int");
	expect(w, "head.comm ~ \"in?\"", 0, "int");
	expect(w, "head.comm !~ \"in?\"", 1, "int");
	expect(w, "head.comm =~ \"^i.+t$\"", 1, "int");
	expect(w, "head.comm =~ \"^x\" || 1", 1, "int");
	/* C's own are as they were. */
	expect(w, "!~0", 0, "int");
	expect(w, "1 == ~0", 0, "int");
	refuse(w, "head.comm ~ head.comm", 18, "a pattern is a text");
	refuse(w, "head.comm =~ \"(\"", 14, "no regular expression");
	refuse(w, "head.pid ~ \"4*\"", 0, "only char arrays");
	/* A struct that is nothing but a number is that number; others are none. */
	expect(w, "head.alone + 1", 8, "int");
	expect(w, "head.alone == 7", 1, "int");
	refuse(w, "head.at[0] + 1", 0, "no number");
}

/* --- Programs: what is compiled means what is evaluated --- */

struct object {
	struct world *w;
	struct expr_env env;
	struct program_env program;
	struct type type, pointer, text;
	uint64_t address;
	struct program_fault fault;
	bool dry; /* values are not asked for */
};

static enum read_status read_object(void *ctx, uint64_t address, void *buf, size_t size)
{
	struct object *o = ctx;
	enum read_status status = read_world(o->w, address, buf, size);

	if (status != READ_OK)
		o->fault = (struct program_fault){ .address = address, .status = status };
	return status;
}

static bool symbol_of_object(void *ctx, const char *name, struct expr_symbol *symbol)
{
	return symbol_of_world(((struct object *)ctx)->w, name, symbol);
}

static void bind_object(void *ctx, const char *name, struct binding *binding)
{
	struct object *o = ctx;
	struct member m;

	*binding = (struct binding){ 0 };
	if (strcmp(name, "$") == 0) {
		binding->kind = BIND_OBJECT;
		binding->type = o->pointer;
	} else if (strcmp(name, "n") == 0) {
		binding->kind = BIND_SLOT;
		assert_true(types_find(o->w->types, "long", &binding->type));
	} else if (strcmp(name, "s") == 0) {
		*binding = (struct binding){ .kind = BIND_SLOT, .slot = 1, .is_text = true };
	} else if (strcmp(name, "unknown") == 0) {
		*binding = (struct binding){ .kind = BIND_SLOT, .slot = 2 };
		assert_true(types_find(o->w->types, "int", &binding->type));
	} else if (type_find_member(o->type, name, &m)) {
		binding->kind = BIND_MEMBER;
	}
}

static void slot_of_object(void *ctx, unsigned slot, struct datum *datum)
{
	(void)ctx;
	*datum = (struct datum){ .kind = DATUM_NUMBER, .number = (uint64_t)-3 };
	if (slot == 1)
		*datum = (struct datum){ .kind = DATUM_TEXT, .text = "init" };
	if (slot == 2)
		*datum = (struct datum){ .kind = DATUM_NONE, .why = DATUM_LOST };
}

static enum expr_found name_of_object(void *ctx, const char *name, struct value *value,
				      struct error **err)
{
	static const uint8_t text[] = "init";
	struct object *o = ctx;
	struct binding b;
	struct member m;

	bind_object(o, name, &b);
	if (b.kind == BIND_OBJECT) {
		*value = value_of_number(o->pointer, o->address);
	} else if (b.kind == BIND_MEMBER) {
		assert_true(type_find_member(o->type, name, &m));
		*value = value_of_memory(m.type, o->address + m.offset);
		value->bit_offset = m.bit_offset;
		value->bit_size = m.bit_size;
	} else if (b.kind == BIND_SLOT && b.slot == 2 && !o->dry) {
		*err = error_new(ERROR_MISSING, "not known");
		return EXPR_LOST;
	} else if (b.kind == BIND_SLOT && b.is_text) {
		*value = (struct value){ .type = o->text, .place = VALUE_BYTES, .bytes = text,
					 .size = sizeof(text), .is_text = true };
	} else if (b.kind == BIND_SLOT) {
		*value = value_of_number(b.type, (uint64_t)-3);
	}
	return b.kind == BIND_NONE ? EXPR_UNKNOWN : EXPR_FOUND;
}

static void prepare(struct object *o, struct world *w)
{
	struct type type;

	*o = (struct object){ .w = w, .address = NODES };
	assert_true(types_find(w->types, "struct node", &o->type));
	assert_true(types_pointer(w->types, o->type, &o->pointer));
	assert_true(types_find(w->types, "char", &type));
	assert_true(types_array(w->types, type, 5, &o->text));
	o->env = (struct expr_env){
		.value = { .types = w->types, .ctx = o, .read = read_object },
		.cpu = -1, .symbol = symbol_of_object, .name = name_of_object,
	};
	o->program = (struct program_env){
		.expr = &o->env, .ctx = o, .fault = &o->fault, .object = o->type,
		.bind = bind_object, .slot = slot_of_object,
	};
}

/* Both ways, for two objects. True when there was something to compare. */
static bool same_both_ways(struct object *o, const char *text, enum program_wish wish)
{
	struct arena arena = { 0 };
	struct program *program = NULL;
	struct expr *expr = NULL;
	bool compared = false;
	size_t at;

	struct error *err = expr_parse(text, &o->env, &arena, &expr, &at);
	o->dry = true;
	if (!err)
		err = program_compile(expr, &o->program, wish, &arena, &program, &at);
	o->dry = false;
	bool compiled = !err;
	error_free(err);
	for (o->address = NODES; expr && o->address <= NODES + 64; o->address += 64) {
		struct value value;
		struct datum datum = { 0 };
		uint64_t number = 0;
		bool truth = false;
		err = expr_eval(expr, &o->env, &value, &at);
		if (!err && wish == PROGRAM_TRUTH && !value.is_text)
			err = value_truth(&o->env.value, &value, &truth);
		if (!err && wish == PROGRAM_PLACE)
			err = value_number(&o->env.value, &value, &number);
		if (compiled)
			program_run(program, o->address, &datum);
		if (!err && !compiled && !value.is_text)
			fail_msg("%s is not compiled", text);
		if (!err && compiled && wish == PROGRAM_TRUTH &&
		    (datum.kind != DATUM_NUMBER || datum.number != truth))
			fail_msg("%s: %d by evaluation, kind %d number %llu by program", text, truth,
				 (int)datum.kind, (unsigned long long)datum.number);
		if (!err && compiled && wish == PROGRAM_PLACE && datum.kind == DATUM_NUMBER &&
		    datum.number != number)
			fail_msg("%s: %llx by evaluation, %llx by program", text,
				 (unsigned long long)number, (unsigned long long)datum.number);
		/* What && and || can tell without the unknown side only a program tells. */
		if (err && datum.kind == DATUM_NUMBER && !strstr(text, "&&") && !strstr(text, "||"))
			fail_msg("%s: %s, but the program knows", text, err->message);
		compared |= !err && compiled;
		error_free(err);
	}
	o->address = NODES;
	program_finish(program);
	arena_deinit(&arena);
	return compared;
}

static void programs(void **state)
{
	static const char *const atoms[] = {
		"pid", "small", "a", "b", "f", "g", "on", "next", "next->pid", "next->next->a",
		"at[1].x", "at[on].y", "comm", "$", "$->a", "n", "s", "unknown", "3", "-1",
		"0x123456789UL", "\"init\"", "&pid", "*next", "(unsigned char)a", "-g", "~b",
		"!next", "next[0].small", "sizeof(*$)", "head.pid", "(on ? pid : a)", "alone",
		"(g ? small : 2UL)", "(n < 0 ? -1 : 1U)", "(on ? next : 0)", "(b ? g : -a)",
		"gone", "((struct node *)0)->pid", "(small << 4)", "BLUE", "next - 1", "comm[1]",
	};
	static const char *const operators[] = {
		"+", "-", "*", "/", "%", "<<", ">>", "<", ">", "<=", ">=", "==", "!=", "&", "^", "|",
		"&&", "||", "~ \"i*\" +", "=~ \"t$\" &&",
	};
	struct object o;
	size_t compared = 0;
	char text[128];

	prepare(&o, *state);
	for (size_t i = 0; i < array_size(atoms); i++) {
		same_both_ways(&o, atoms[i], PROGRAM_VALUE);
		same_both_ways(&o, atoms[i], PROGRAM_PLACE);
		for (size_t k = 0; k < array_size(operators); k++) {
			for (size_t j = 0; j < array_size(atoms); j++) {
				snprintf(text, sizeof(text), "%s %s %s", atoms[i], operators[k],
					 atoms[j]);
				compared += same_both_ways(&o, text, PROGRAM_TRUTH);
				compared += same_both_ways(&o, text, PROGRAM_PLACE);
			}
		}
	}
	assert_true(compared > 10000);
}

static void run_program(struct object *o, const char *text, enum program_wish wish,
			struct datum *datum)
{
	static char kept[64];
	struct arena arena = { 0 };
	struct program *program;
	struct expr *expr;
	size_t at;

	o->dry = true;
	assert_null(expr_parse(text, &o->env, &arena, &expr, &at));
	assert_null(program_compile(expr, &o->program, wish, &arena, &program, &at));
	o->dry = false;
	program_run(program, NODES, datum);
	if (datum->kind == DATUM_TEXT) {
		snprintf(kept, sizeof(kept), "%s", datum->text);
		datum->text = kept;
	}
	program_finish(program);
	arena_deinit(&arena);
}

static void unknown_is_a_third_truth(void **state)
{
	static const struct {
		const char *text;
		int truth; /* -1: unknown */
	} cases[] = {
		{ "unknown == 1", -1 }, { "!(unknown == 1)", -1 }, { "unknown || 1", 1 },
		{ "1 || unknown", 1 },  { "unknown && 0", 0 },	  { "0 && unknown", 0 },
		{ "unknown || 0", -1 }, { "unknown && 1", -1 },	  { "unknown || unknown", -1 },
		{ "((struct node *)(long)(on - 1))->pid == 0 && pid", -1 },
		{ "pid / (on - on) == 0", -1 },
	};
	struct datum datum;
	struct object o;

	prepare(&o, *state);
	for (size_t i = 0; i < array_size(cases); i++) {
		run_program(&o, cases[i].text, PROGRAM_TRUTH, &datum);
		if ((datum.kind == DATUM_NONE) != (cases[i].truth < 0) ||
		    (datum.kind == DATUM_NUMBER && (int)datum.number != cases[i].truth))
			fail_msg("%s: kind %d number %d", cases[i].text, (int)datum.kind,
				 (int)datum.number);
	}
	/* Why: behind NULL there is nothing, elsewhere something that is not there. */
	run_program(&o, "((struct node *)(long)(on - 1))->pid", PROGRAM_VALUE, &datum);
	assert_int_equal(datum.why, DATUM_NULL);
	run_program(&o, "*(int *)((long)&pid + 0x7f8)", PROGRAM_VALUE, &datum);
	assert_int_equal(datum.kind, DATUM_NONE);
	assert_int_equal(datum.why, DATUM_LOST);
	run_program(&o, "pid % (on - on)", PROGRAM_VALUE, &datum);
	assert_int_equal(datum.why, DATUM_ABSURD);
	run_program(&o, "comm", PROGRAM_VALUE, &datum);
	assert_string_equal(datum.text, "init");
	run_program(&o, "comm", PROGRAM_PLACE, &datum);
	assert_int_equal(datum.kind, DATUM_PLACE);
	assert_int_equal(datum.number, NODES + 13);
	run_program(&o, "alone", PROGRAM_VALUE, &datum);
	assert_int_equal(datum.number, 7);
	run_program(&o, "*next", PROGRAM_VALUE, &datum);
	assert_int_equal(datum.kind, DATUM_PLACE);
	assert_int_equal(datum.number, NODES + 64);
}

/* Either side may be a text, in memory or not. */
static void choices(void **state)
{
	static const struct {
		const char *text, *result;
	} cases[] = {
		{ "on ? comm : \"none\"", "init" }, { "!on ? comm : \"none\"", "none" },
		{ "on ? \"none\" : comm", "none" }, { "!on ? \"none\" : comm", "init" },
		{ "on ? s : \"none\"", "init" },    { "on ? comm : next->comm", "init" },
		{ "!on ? \"a\" : on ? \"b\" : s", "b" }, { "unknown ? \"a\" : \"b\"", NULL },
		{ "on ? \"a\" : ((struct node *)0)->comm", "a" },
	};
	struct datum datum;
	struct object o;

	prepare(&o, *state);
	for (size_t i = 0; i < array_size(cases); i++) {
		run_program(&o, cases[i].text, PROGRAM_VALUE, &datum);
		if (!cases[i].result ? datum.kind != DATUM_NONE
				     : datum.kind != DATUM_TEXT ||
					       strcmp(datum.text, cases[i].result) != 0)
			fail_msg("%s: kind %d, %s", cases[i].text, (int)datum.kind,
				 datum.kind == DATUM_TEXT ? datum.text : "no text");
	}
	run_program(&o, "(on ? comm : \"x\") == \"init\"", PROGRAM_TRUTH, &datum);
	assert_int_equal(datum.number, 1);
	run_program(&o, "on ? g : a", PROGRAM_VALUE, &datum);
	assert_int_equal(datum.kind, DATUM_NUMBER);
	run_program(&o, "on ? *next : *$", PROGRAM_VALUE, &datum);
	assert_int_equal(datum.kind, DATUM_PLACE);
	assert_int_equal(datum.number, NODES + 64);
}

static void distances(void **state)
{
	(void)state;
	assert_int_equal(name_distance("comm", "comm"), 0);
	assert_int_equal(name_distance("comm", "comn"), 1);
	assert_int_equal(name_distance("ab", "ba"), 1);
	assert_int_equal(name_distance("", "abc"), 3);
	struct nearest n = nearest_to("jiffes");
	nearest_consider(&n, "jitter");
	nearest_consider(&n, "jiffies");
	nearest_consider(&n, "jiff");
	assert_string_equal(n.best, "jiffies");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(literals, set_up, tear_down),
		cmocka_unit_test_setup_teardown(arithmetic, set_up, tear_down),
		cmocka_unit_test_setup_teardown(logic, set_up, tear_down),
		cmocka_unit_test_setup_teardown(objects, set_up, tear_down),
		cmocka_unit_test_setup_teardown(pointers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(types_of_all_sorts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(cpus, set_up, tear_down),
		cmocka_unit_test_setup_teardown(locals_may_come_last, set_up, tear_down),
		cmocka_unit_test_setup_teardown(syntax, set_up, tear_down),
		cmocka_unit_test_setup_teardown(texts_and_patterns, set_up, tear_down),
		cmocka_unit_test_setup_teardown(programs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unknown_is_a_third_truth, set_up, tear_down),
		cmocka_unit_test_setup_teardown(choices, set_up, tear_down),
		cmocka_unit_test(distances),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
