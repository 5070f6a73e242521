/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The symbols of one module, read out of the dump when first asked for. Private to the station. */
#pragma once

#include <elf.h>

#include "base/alloc.h"
#include "symbols/symbols.h"

struct module_symbols {
	const struct module *module;
	bool loaded;
	Elf64_Sym *sym;
	char *types;     /* one letter for each, 0: unknown */
	uint32_t count;
	char *strings;   /* NUL-terminated at the end whatever the dump says */
	size_t strings_size;
	uint32_t *order; /* those with a name and a section, by address, then by number */
	uint32_t order_count;
};

void module_symbols_deinit(struct module_symbols *ms);
/* The symbol that a stack trace of the kernel would print for @address in this module. */
bool module_symbols_at(struct module_symbols *ms, struct memory *mem, uint64_t address,
		       struct symbol *symbol);
bool module_symbols_find(struct module_symbols *ms, struct memory *mem, const char *name,
			 struct symbol *symbol);
/* False when @fn wants no more. */
bool module_symbols_each(struct module_symbols *ms, struct memory *mem, symbol_fn fn, void *ctx);
