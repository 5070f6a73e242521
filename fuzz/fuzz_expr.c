// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Expressions: any bytes as text, over a small BTF and a memory in which every address holds
 * something, so that every path is open. What comes out is read and printed.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strbuf.h"
#include "types/btf.h"
#include "types/expr.h"
#include "types/program.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* struct s { struct s *next; int a; unsigned f : 3; char c[4]; }; typedef struct s t; enum { E }; */
static const uint8_t strings[] = "\0int\0char\0s\0next\0a\0f\0c\0t\0e\0E\0unsigned int";
enum {
	INT = 1, CHAR = 5, S = 10, NEXT = 12, A = 17, F = 19, C = 21, T = 23, EN = 25, E = 27,
	UINT = 29,
};
static const uint32_t records[] = {
	INT, BTF_INT << 24, 4, 1u << 24 | 32,			/* 1 int */
	CHAR, BTF_INT << 24, 1, 1u << 24 | 8,			/* 2 char */
	UINT, BTF_INT << 24, 4, 32,				/* 3 unsigned int */
	0, BTF_ARRAY << 24, 0, 2, 1, 4,				/* 4 char [4] */
	0, BTF_PTR << 24, 6,					/* 5 struct s * */
	S, 1u << 31 | BTF_STRUCT << 24 | 4, 24,			/* 6 */
	NEXT, 5, 0, A, 1, 64, F, 3, 3u << 24 | 96, C, 4, 128,
	T, BTF_TYPEDEF << 24, 6,				/* 7 */
	EN, BTF_ENUM << 24 | 1, 4, E, 7,			/* 8 */
};

static enum read_status read_bytes(void *ctx, uint64_t address, void *buf, size_t size)
{
	uint8_t *out = buf;

	(void)ctx;
	if (address % 7 == 3)
		return READ_EXCLUDED;
	for (size_t i = 0; i < size; i++)
		out[i] = (uint8_t)((address + i) * 31);
	return READ_OK;
}

static bool find_symbol(void *ctx, const char *name, struct expr_symbol *symbol)
{
	struct types *types = ctx;

	*symbol = (struct expr_symbol){ .address = 0x1000 };
	symbol->is_percpu = *name == 'p';
	symbol->is_text = *name == 'x';
	if (*name == 'v' || *name == 'p')
		return types_find(types, "struct s", &symbol->type);
	return *name == 'u' || (*name == 'm' && strchr(name, ':'));
}

static bool find_percpu(void *ctx, uint64_t symbol_address, unsigned cpu, uint64_t *address)
{
	(void)ctx;
	*address = symbol_address + cpu * UINT64_C(0x10000);
	return cpu < 4;
}

static enum expr_found find_name(void *ctx, const char *name, struct value *value,
				 struct error **err)
{
	static const uint8_t bytes[24] = { 1, 2, 3 };
	struct types *types = ctx;

	if (*name == 'L') {
		*err = error_new(ERROR_MISSING, "lost");
		return EXPR_LOST;
	}
	if (*name != 'l')
		return EXPR_UNKNOWN;
	/* A struct in registers, of which a part is not known. */
	*value = (struct value){ .place = VALUE_BYTES, .bytes = bytes, .size = 20 };
	return types_find(types, "struct s", &value->type) ? EXPR_FOUND : EXPR_UNKNOWN;
}

enum { OBJECT = 0x2000 };

static void bind_name(void *ctx, const char *name, struct binding *binding)
{
	struct types *types = ctx;
	struct type type;
	struct member m;

	*binding = (struct binding){ 0 };
	if (!types_find(types, "struct s", &type))
		return;
	if (strcmp(name, "$") == 0 && types_pointer(types, type, &binding->type))
		binding->kind = BIND_OBJECT;
	else if (type_find_member(type, name, &m))
		binding->kind = BIND_MEMBER;
}

static enum expr_found find_member(void *ctx, const char *name, struct value *value,
				   struct error **err)
{
	struct binding binding;
	struct type type;
	struct member m;

	bind_name(ctx, name, &binding);
	if (binding.kind == BIND_NONE)
		return find_name(ctx, name, value, err);
	if (binding.kind == BIND_OBJECT) {
		*value = value_of_number(binding.type, OBJECT);
		return EXPR_FOUND;
	}
	if (!types_find(ctx, "struct s", &type) || !type_find_member(type, name, &m))
		return EXPR_UNKNOWN;
	*value = value_of_memory(m.type, OBJECT + m.offset);
	value->bit_offset = m.bit_offset;
	value->bit_size = m.bit_size;
	return EXPR_FOUND;
}

/* A program must mean what the evaluation means. */
static void compile(const char *text, struct expr_env env)
{
	struct arena arena = { 0 };
	struct program *program = NULL;
	struct program_env program_env = { .expr = &env, .ctx = env.value.ctx, .bind = bind_name };
	struct expr *expr;
	struct value value;
	struct datum datum;
	uint64_t number;
	size_t at;

	env.name = find_member;
	env.cpu = 0;
	(void)types_find(env.value.types, "struct s", &program_env.object);
	struct error *err = expr_parse(text, &env, &arena, &expr, &at);
	if (!err)
		err = program_compile(expr, &program_env, PROGRAM_PLACE, &arena, &program, &at);
	if (!err) {
		program_run(program, OBJECT, &datum);
		err = expr_eval(expr, &env, &value, &at);
		if (!err && datum.kind == DATUM_NUMBER)
			err = value_number(&env.value, &value, &number);
		if (!err && datum.kind == DATUM_NUMBER && datum.number != number)
			abort();
	}
	program_finish(program);
	error_free(err);
	arena_deinit(&arena);
}

static void print(const struct value *v)
{
	struct value_format format = { 0 };
	auto_strbuf out = { 0 };
	uint8_t bytes[256];
	uint64_t size = min_u64(type_size(v->type), sizeof(bytes));

	if (!v->type.source)
		return;
	if (v->place == VALUE_BYTES)
		size = min_u64(v->size, sizeof(bytes));
	if (v->place == VALUE_BYTES)
		memcpy(bytes, v->bytes, (size_t)size);
	else
		memset(bytes, 0x41, sizeof(bytes));
	type_format_value(v->type, bytes, (size_t)size, &format, &out);
}

static void evaluate(const char *text, struct expr_env *env)
{
	struct arena arena = { 0 };
	struct expr *expr;
	struct value value;
	size_t at;
	uint64_t number;

	struct error *err = expr_parse(text, env, &arena, &expr, &at);
	if (err && at > strlen(text))
		abort();
	for (env->cpu = -1; !err && env->cpu < 2; env->cpu++) {
		err = expr_eval(expr, env, &value, &at);
		if (err && at > strlen(text))
			abort();
		if (!err) {
			print(&value);
			err = value_number(&env->value, &value, &number);
		}
	}
	error_free(err);
	arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_strbuf blob = { 0 };
	const uint32_t header[] = { 0x0001eb9f, 24, 0, sizeof(records), sizeof(records),
				    sizeof(strings) };

	strbuf_add_n(&blob, (const char *)header, sizeof(header));
	strbuf_add_n(&blob, (const char *)records, sizeof(records));
	strbuf_add_n(&blob, (const char *)strings, sizeof(strings));
	struct types *types = types_create(NULL);
	error_free(types_add_btf_bytes(types, NULL, blob.data, blob.len));

	struct expr_env env = {
		.value = { .types = types, .ctx = types, .read = read_bytes },
		.symbol = find_symbol, .percpu = find_percpu, .name = find_name,
	};
	auto_free char *text = xstrndup((const char *)data, size);
	evaluate(text, &env);
	compile(text, env);
	env.bare_hex = env.value.wide = env.value.bytes = true;
	evaluate(text, &env);
	types_destroy(types);
	return 0;
}
