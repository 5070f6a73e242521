// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A parameter is a struct kernel_param: its name, the operations that print it, a pointer to the
 * variable. A module has an array of them (struct module, kp and num_kp); those of the kernel
 * itself lie between __start___param and __stop___param, with the module's name before a dot.
 * Which type the variable has is told by the operations (kernel/params.c).
 */
#include "kernel/parameters.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "kernel/modules.h"

enum { PARAMETERS_MAX = 4096 };

enum parameter_kind { PARAMETER_BOOL, PARAMETER_INVERTED, PARAMETER_NUMBER, PARAMETER_SIGNED,
		      PARAMETER_POINTER };

static const struct {
	const char *ops;
	enum parameter_kind kind;
	unsigned size;
} kinds[] = {
	{ "param_ops_bool", PARAMETER_BOOL, 1 },
	{ "param_ops_bool_enable_only", PARAMETER_BOOL, 1 },
	{ "param_ops_bint", PARAMETER_BOOL, 4 },
	{ "param_ops_invbool", PARAMETER_INVERTED, 1 },
	{ "param_ops_byte", PARAMETER_NUMBER, 1 },
	{ "param_ops_short", PARAMETER_SIGNED, 2 },
	{ "param_ops_ushort", PARAMETER_NUMBER, 2 },
	{ "param_ops_int", PARAMETER_SIGNED, 4 },
	{ "param_ops_uint", PARAMETER_NUMBER, 4 },
	{ "param_ops_hexint", PARAMETER_NUMBER, 4 },
	{ "param_ops_long", PARAMETER_SIGNED, 8 },
	{ "param_ops_ulong", PARAMETER_NUMBER, 8 },
	{ "param_ops_ullong", PARAMETER_NUMBER, 8 },
	{ "param_ops_charp", PARAMETER_POINTER, 8 },
};

static bool print(struct session *s, size_t row, uint64_t at, char *buf, size_t size)
{
	unsigned bytes = kinds[row].size;
	uint64_t value = 0;

	if (memory_read(s->memory, at, &value, bytes) != READ_OK)
		return false;
	switch (kinds[row].kind) {
	case PARAMETER_BOOL:
		snprintf(buf, size, "%s", value ? "Y" : "N");
		return true;
	case PARAMETER_INVERTED:
		snprintf(buf, size, "%s", value ? "N" : "Y");
		return true;
	case PARAMETER_NUMBER:
		snprintf(buf, size, "%" PRIu64, value);
		return true;
	case PARAMETER_SIGNED:
		snprintf(buf, size, "%" PRId64,
			 (int64_t)(value << (64 - bytes * 8)) >> (64 - bytes * 8));
		return true;
	case PARAMETER_POINTER:
		return value && memory_string(s->memory, value, buf, size) == READ_OK;
	}
	return false;
}

/* The parameter at @address, when it is the one of that name. */
static bool try_one(struct session *s, uint64_t address, const char *name, char *buf, size_t size)
{
	uint64_t ops, arg;
	struct symbol sym;
	char text[128];

	if (!kread_string(s, address, "kernel_param", "name", text, sizeof(text)) ||
	    strcmp(text, name) != 0 || !kread(s, address, "kernel_param", "ops", &ops) ||
	    !kread(s, address, "kernel_param", "arg", &arg) || !s->symbols ||
	    !symbols_by_address(s->symbols, ops, &sym) || sym.address != ops)
		return false;
	for (size_t i = 0; i < array_size(kinds); i++) {
		if (strcmp(kinds[i].ops, sym.name) == 0)
			return print(s, i, arg, buf, size);
	}
	return false;
}

static bool try_array(struct session *s, uint64_t start, uint64_t count, const char *name,
		      char *buf, size_t size)
{
	struct type type;
	uint64_t stride = types_find(s->types, "struct kernel_param", &type) ? type_size(type) : 0;

	for (uint64_t i = 0; stride && i < count && i < PARAMETERS_MAX; i++) {
		if (try_one(s, start + i * stride, name, buf, size))
			return true;
	}
	return false;
}

bool module_parameter(struct session *s, const char *module, const char *name, char *buf,
		      size_t size)
{
	size_t count;
	const struct module_info *mods = modules(s, &count);
	auto_strbuf full = { 0 };
	struct type type;

	for (size_t i = 0; i < count; i++) {
		uint64_t start, number;
		if (strcmp(mods[i].module.name, module) != 0)
			continue;
		return kread(s, mods[i].module.address, "module", "kp", &start) &&
		       kread(s, mods[i].module.address, "module", "num_kp", &number) &&
		       try_array(s, start, number, name, buf, size);
	}
	if (!s->symbols || !types_find(s->types, "struct kernel_param", &type) || !type_size(type))
		return false;
	uint64_t start = symbols_address(s->symbols, "__start___param");
	uint64_t stop = symbols_address(s->symbols, "__stop___param");
	strbuf_addf(&full, "%s.%s", module, name);
	return start && stop > start &&
	       try_array(s, start, (stop - start) / type_size(type), full.data, buf, size);
}
