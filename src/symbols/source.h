/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A table of the kernel's own symbols in order of addresses, wherever it came from. Symbols are
 * numbers from 0 to count - 1. Private to the station; a new source is one file.
 */
#pragma once

#include "base/error.h"
#include "memory/memory.h"

enum { SYMBOL_NAME_MAX = 1024 };

typedef bool (*source_fn)(void *ctx, uint32_t i, char type, const char *name);

struct symbol_source {
	const struct symbol_source_ops *ops;
	uint32_t count;
	bool indexed; /* looking a name up is not a pass over all of them */
	char text[160]; /* "kallsyms in the dump" ... */
};

struct symbol_source_ops {
	uint64_t (*address)(const struct symbol_source *source, uint32_t i);
	/* @buf has SYMBOL_NAME_MAX bytes. False when the name is in a hole of the dump. */
	bool (*name)(const struct symbol_source *source, uint32_t i, char *buf, char *type);
	/* The last symbol at or below @address; count when there is none. */
	uint32_t (*at)(const struct symbol_source *source, uint64_t address);
	/* The first symbol of each name, UINT32_MAX for those that there are none of. */
	void (*find_names)(const struct symbol_source *source, const char *const *names, size_t n,
			   uint32_t *found);
	void (*each)(const struct symbol_source *source, source_fn fn, void *ctx);
	void (*destroy)(struct symbol_source *source);
};

/* Names to look up together, ended by NULL (well_known.c). */
extern const char *const symbols_well_known[];

/* No symbols at all. */
struct symbol_source *source_empty(void);

/* Symbol @name's address by a source; 0 when it has none. */
uint64_t source_address_of(const struct symbol_source *source, const char *name);

/*
 * kallsyms at the places that VMCOREINFO gives. NULL when it gives none or they make no sense, or
 * when what is there is not in the dump: then there is no need to look elsewhere.
 */
struct symbol_source *source_vmcoreinfo(struct memory *mem, bool *missing_from_dump);
/* kallsyms found by structure in the mapped kernel image; NULL when there is none. */
struct symbol_source *source_scan(struct memory *mem);

/*
 * A vmlinux with a symbol table, or a System.map, moved to where this dump's kernel ran. An error
 * says what is wrong with the file, or that it belongs to another kernel. @sparing: its symbols may
 * be read later (count is 0 until then), for a file that only helps out.
 */
struct error *source_file(struct memory *mem, const char *path, bool sparing,
			  struct symbol_source **source) must_check;
