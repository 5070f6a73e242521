/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Station 4c: debug files (vmlinux, modules' .ko.debug) -> their DWARF, at the addresses where the
 * dump's kernel ran.
 *
 * In: where to look. Out: for an address, the debug module that covers it; for that, source lines
 * and inlined functions. Files are found and opened when an address in them is first asked about,
 * never before: a session that asks nothing pays nothing. Debug info only adds to what the dump
 * says; whatever is wrong with a file is a problem that is stated, and the rest goes on without.
 *
 * Reading DWARF is libdw's; symbols/dwarf.h gives its handles to the stations that need more.
 */
#pragma once

#include "symbols/symbols.h"

struct debug_options {
	const char *kernel;  /* vmlinux, or a folder to search; NULL: the standard places */
	const char *modules; /* a folder with modules' debug files; NULL: the standard places */
	bool off;            /* look for nothing */
	bool force;          /* use files whose build-id is another, and say so */
	bool debuginfod;     /* ask the servers of $DEBUGINFOD_URLS */
};

enum { BUILD_ID_HEX_MAX = 130 };

struct debuginfo;
struct debug_module;

/*
 * Never fails, opens nothing yet. @release ("6.1.0-56-amd64") and @build_id (hex digits, may be "")
 * are the dump's. @options is copied, its strings are borrowed.
 */
struct debuginfo *debuginfo_create(struct memory *mem, struct symbols *symbols,
				   const struct debug_options *options, const char *release,
				   const char *build_id);
void debuginfo_destroy(struct debuginfo *info);

/*
 * The path of the kernel's debug file before there are symbols, for a dump that has none itself;
 * NULL when there is none. The caller's. What is wrong with files is told by a debuginfo later.
 */
char *debuginfo_find_kernel(const struct debug_options *options, const char *release,
			    const char *build_id, unsigned elf_machine);

/* What only the kernel station can say of a module; each called when a file is first needed. */
struct module_identity {
	char build_id[BUILD_ID_HEX_MAX]; /* hex digits; "" not known */
	char srcversion[64];
};

struct module_facts_ops {
	/* Where a section was loaded (from module.sect_attrs); false when it was not. */
	bool (*section)(void *ctx, const struct module *module, const char *name,
			uint64_t *address);
	void (*identity)(void *ctx, const struct module *module, struct module_identity *identity);
};
void debuginfo_set_module_facts(struct debuginfo *info, const struct module_facts_ops *ops,
				void *ctx);

/* The kernel's debug file, or NULL when there is none. */
struct debug_module *debuginfo_kernel(struct debuginfo *info);
/*
 * The debug file that covers @address (kernel or module), or NULL. Thread-safe. @info may be NULL
 * (a session without symbols), here and below.
 */
struct debug_module *debuginfo_of(struct debuginfo *info, uint64_t address);
/* "vmlinux-6.1.0-56-amd64 (build-id matches)", for the report. */
const char *debug_module_text(const struct debug_module *module);

/*
 * The same of a module, looked for in @place too, a file or a folder, before the usual places;
 * NULL: in these alone. A file that is in use stays so, wherever it is. NULL: there is none.
 */
struct debug_module *debuginfo_load(struct debuginfo *info, const struct module *module,
				    const char *place);
/* The text of the file that is used for @module so far; NULL for none. */
const char *debuginfo_module_text(struct debuginfo *info, const struct module *module);

/* The text of the @i-th file that is used so far; NULL when there are no more. */
const char *debuginfo_file_text(struct debuginfo *info, size_t i);

/* What went wrong so far, one sentence each: refused files, damaged sections. */
size_t debuginfo_problems(const struct debuginfo *info, const char *const **sentences);

struct source_line {
	const char *file; /* as the compiler named it, cleaned of "./"; NULL unknown */
	unsigned line, column;
};

/* A function, real or inlined, that an address is in. Strings live as long as the debuginfo. */
struct source_frame {
	const char *function;  /* NULL: a line without a function (assembler, padding) */
	struct source_line at; /* where in it: the innermost's line, else the line of the call */
	bool inlined;          /* into the next one */
};

enum { SOURCE_FRAMES_MAX = 32 };

/*
 * The functions around @address, innermost first; the last is the one that was not inlined. For a
 * return address give it minus 1. Returns how many; 0 when nothing is known.
 */
size_t debuginfo_frames(struct debuginfo *info, uint64_t address,
			struct source_frame frames[SOURCE_FRAMES_MAX]);
/* The line alone; false when unknown. */
bool debuginfo_line(struct debuginfo *info, uint64_t address, struct source_line *line);

/*
 * The GNU build-id among ELF notes, as hex digits. False when there is none; @hex is then "".
 * Notes padded to 4 bytes, as all that the kernel makes.
 */
bool elf_notes_build_id(const void *notes, size_t size, char hex[BUILD_ID_HEX_MAX]);

/* A word of a module's code that loading it fills in: meaningless in the file. */
struct file_relocation {
	size_t offset;      /* from the start of the code asked for */
	unsigned width;     /* bytes */
	const char *symbol; /* borrowed from the debuginfo; "" unknown */
};

/* What a debug file has as code, before the running kernel patched itself. */
struct file_code {
	const uint8_t *bytes; /* borrowed from the debuginfo */
	size_t size;
	struct {
		struct file_relocation *data;
		size_t count, capacity;
	} relocations;
	uint64_t slide;       /* how far the kernel was moved */
};

/*
 * The code of the debug file for [@address, @address + @size), as much of it as lies in one
 * section. False when there is none: no file, or one with debug info alone.
 */
bool debuginfo_code(struct debuginfo *info, uint64_t address, size_t size, struct file_code *code);
void file_code_deinit(struct file_code *code);
/* The relocation that fills in a part of [@offset, @offset + @size); NULL for none. */
const struct file_relocation *file_code_relocation(const struct file_code *code, size_t offset,
						   size_t size);
/* Was what the dump has at @offset patched? What only placement changed was not. */
bool file_code_differs(const struct file_code *code, size_t offset, const uint8_t *dump,
		       size_t size);

/* A section of the debug file that is loaded. */
struct file_section {
	const char *name;     /* borrowed from the debuginfo */
	uint64_t address;     /* where it was loaded */
	const uint8_t *bytes; /* of the file; borrowed */
	size_t size;
	uint64_t slide;       /* how far the kernel was moved; 0 for modules */
};

/*
 * Calls @fn with each section that has contents of the debug file that covers @address, whose name
 * begins with one of @prefixes (ends with NULL). Of modules only those whose place is known. False:
 * there is no such file.
 */
typedef void (*file_section_fn)(void *ctx, const struct file_section *section);
bool debuginfo_sections(struct debuginfo *info, uint64_t address, const char *const *prefixes,
			file_section_fn fn, void *ctx);
/* The same of what the kernel's file has for [@address, @address + @size), if one section does. */
bool debuginfo_kernel_bytes(struct debuginfo *info, uint64_t address, size_t size,
			    struct file_section *part);
