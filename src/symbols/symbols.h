/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Station 4a: kallsyms out of the dump (or a vmlinux or System.map) -> name <-> address.
 *
 * In: memory. Out: symbols of the kernel; symbols of modules that the kernel station registers.
 * Names belong to the symbol table and live as long as it. Nothing is decoded before it is asked
 * for: an address costs one name, the first name costs one pass over the compressed names (none
 * where the kernel has kallsyms_seqs_of_names).
 */
#pragma once

#include "base/compiler.h"
#include "base/error.h"
#include "memory/memory.h"

struct symbols;

/* A module's place in memory: the kernel station describes it, symbols and unwinding use it. */
struct module_area {
	uint64_t start, size; /* [start, start + size) */
	bool text;            /* executable */
};

struct module {
	const char *name;
	uint64_t address;         /* of its struct module */
	struct module_area area[8];
	unsigned area_count;
	uint64_t text_start, text_size; /* the core text area, again */
	/* Its kallsyms: Elf64_Sym array, string table, and one type letter a symbol (0: none). */
	uint64_t symtab, strtab, typetab;
	unsigned symbol_count;
	/* What it exports: an array of struct kernel_symbol, relative ones or (before 4.19) not. */
	uint64_t exports;
	unsigned export_count, export_size;
	bool export_relative;
	/* ORC tables and BTF blob; 0 where it has none. */
	uint64_t orc_ip, orc, btf;
	unsigned orc_count;
	uint32_t btf_size;
};

struct symbol {
	uint64_t address;
	uint64_t size;  /* to the next symbol (or st_size of a module's); 0 when unknown */
	const char *name;
	char type;      /* as nm prints: 'T', 't', 'D', 'b' ... */
	const struct module *module; /* NULL: the kernel itself */
	/* Known from a text: the function has this address in it; where it begins is not known. */
	bool inside_only;
};

/* A function that a text names, where it is: for symbols_set_places(). */
struct symbol_place {
	uint64_t address, size; /* of the function; size 0: not known */
	const char *name;
	const struct module *module;
	bool inside_only;       /* as in struct symbol */
};

/*
 * Finds the kernel's symbol table in the dump, by VMCOREINFO, else by structure in read-only data.
 * @vmlinux_or_map (ELF or System.map text; may be NULL) is used for names that the dump's table
 * does not have, and alone when the dump has none. Where the dump had no layout, finds that too
 * (CR3 of the CPU notes, else search; phys_base, KASLR offset) and completes the memory's.
 */
struct error *symbols_create(struct memory *mem, const char *vmlinux_or_map,
			     struct symbols **symbols) must_check;
/* For a text without such a file: there are no symbols but those of symbols_set_places(). */
struct symbols *symbols_create_empty(struct memory *mem);
void symbols_destroy(struct symbols *symbols);
/*
 * Functions that are known from a text alone, and are asked before all others; names and modules
 * are borrowed. Not while other threads ask.
 */
void symbols_set_places(struct symbols *symbols, const struct symbol_place *places, size_t count);

/* How the symbols were found, for the report: "kallsyms in the dump", "System.map" ... */
const char *symbols_source(const struct symbols *symbols);
/* What is wrong with the file that the user gave (it is then not used), or NULL. */
const char *symbols_problem(const struct symbols *symbols);
size_t symbols_count(const struct symbols *symbols);

/*
 * The modules, as the kernel station found them; borrowed, must outlive the symbols. Until this is
 * called module addresses have no symbols. @loader, if set instead, is called once when a module
 * address or an unknown name is first asked for, and calls symbols_set_modules().
 */
void symbols_set_modules(struct symbols *symbols, const struct module *modules, size_t count);
typedef void (*module_loader_fn)(void *ctx);
void symbols_set_module_loader(struct symbols *symbols, module_loader_fn loader, void *ctx);

/* The first symbol of that name, the kernel's before modules'. "mod:name" asks in one module. */
bool symbols_by_name(struct symbols *symbols, const char *name, struct symbol *symbol);
/*
 * Its address only; 0 when there is none. Looks in the kernel only, unless a module is named: an
 * absent name does not cost reading all modules' tables.
 */
uint64_t symbols_address(struct symbols *symbols, const char *name);
/* The same for many at once, which takes as long as for one on kernels without an index by name. */
void symbols_addresses(struct symbols *symbols, const char *const *names, size_t n,
		       uint64_t *addresses);
/*
 * The symbol that covers @address. Of several at one address the one that a stack trace of the
 * kernel would print. False for addresses outside kernel and module images.
 */
bool symbols_by_address(struct symbols *symbols, uint64_t address, struct symbol *symbol);
/*
 * The per-CPU variable that @offset from the start of a CPU's area lies in. False where these
 * variables have addresses like others (from 6.15 on) and for offsets behind the area's end.
 */
bool symbols_per_cpu(struct symbols *symbols, uint64_t offset, struct symbol *symbol);
/* The module whose areas cover @address, or NULL. */
const struct module *symbols_module_of(struct symbols *symbols, uint64_t address);
/* Kernel text (with .init.text while it is there) or module text? */
bool symbols_is_text(struct symbols *symbols, uint64_t address);
/* "name+0x12/0x34 [module]" as the kernel prints, or "0xffff..." */
void symbols_format(struct symbols *symbols, uint64_t address, char *buf, size_t size);

/*
 * Calls @fn for each symbol in address order (kernel, then modules) until it returns false. The
 * names of the kernel's are valid only during the call.
 */
typedef bool (*symbol_fn)(void *ctx, const struct symbol *symbol);
void symbols_each(struct symbols *symbols, symbol_fn fn, void *ctx);
/* The same of one module, whose names last. */
void symbols_module_each(struct symbols *symbols, const struct module *module, symbol_fn fn,
			 void *ctx);
