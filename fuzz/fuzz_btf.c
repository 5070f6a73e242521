// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * BTF. The input is a 32-bit length, the kernel's blob of that length, and the rest is a module's
 * blob; every question of types.h is asked about the first types, and about names in the input.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "types/btf.h"

#include "ask_types.h"

#define IDS 48

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask_all(struct types *types, const char *name, const uint8_t *bytes, size_t size)
{
	struct type type;
	struct member m;
	int64_t v;

	if (types_find(types, name, &type)) {
		ask_type(type, bytes, size);
		for (uint32_t id = 0; id < IDS; id++)
			ask_type((struct type){ type.source, id }, bytes, size);
	}
	(void)types_function(types, name, &type);
	(void)types_variable(types, name, &type);
	(void)types_enumerator(types, name, &v);
	(void)types_member(types, name, "next", &m);
	(void)types_sizeof(types, name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t first = size >= 4 ? load_u32(data) : 0;

	if (size < 4 || first > size - 4)
		return 0;
	/* Copies, so that a read past the end is seen. */
	size_t rest = size - 4 - first;
	uint8_t *kernel = xmalloc(first), *module = xmalloc(rest);
	memcpy(kernel, data + 4, first);
	memcpy(module, data + 4 + first, rest);

	struct types *types = types_create(NULL);
	error_free(types_add_btf_bytes(types, NULL, kernel, first));
	error_free(types_add_btf_bytes(types, "module", module, rest));
	ask_all(types, "list_head", data, size < 256 ? size : 256);
	ask_all(types, "struct of_module", data, size < 256 ? size : 256);
	ask_all(types, "void *", data, size < 256 ? size : 256);
	char name[24];
	for (size_t at = 0; at + sizeof(name) <= size && at < 64 * sizeof(name);
	     at += sizeof(name)) {
		memcpy(name, data + size - at - sizeof(name), sizeof(name));
		name[sizeof(name) - 1] = '\0';
		ask_all(types, name, data, 64);
	}
	types_destroy(types);
	free(kernel);
	free(module);
	return 0;
}
