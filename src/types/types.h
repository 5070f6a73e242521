/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Station 4b: BTF out of the dump, or DWARF of a debug file -> one model of C types.
 *
 * In: BTF blobs (the kernel's between __start_BTF and __stop_BTF, modules' split BTF). Out: types,
 * members, sizes, values as text. Users see `struct type` handles and questions about them, never
 * records of BTF or DWARF. BTF is asked first; DWARF answers what BTF lacks, and everything where
 * there is none.
 *
 * Types that BTF does not tell (of global variables) are a table of ours in types/globals.c, for
 * where there is no debug file either.
 */
#pragma once

#include "base/compiler.h"
#include "base/error.h"
#include "memory/memory.h"

enum type_kind {
	TYPE_NONE,
	TYPE_VOID,
	TYPE_INT, /* integers, char, _Bool */
	TYPE_FLOAT,
	TYPE_ENUM,
	TYPE_POINTER,
	TYPE_ARRAY,
	TYPE_STRUCT,
	TYPE_UNION,
	TYPE_FUNCTION, /* a prototype */
	TYPE_TYPEDEF,
	TYPE_QUALIFIER, /* const, volatile, restrict, type tags */
};

/* A handle: cheap to copy, valid as long as the `struct types`. {0} is "no type". */
struct type {
	const struct type_source *source;
	uint32_t id;
};

struct types;
struct strbuf;

/* One member, or a path of members, of a struct or union. */
struct member {
	const char *name;   /* of the last step; "" for an anonymous one */
	uint64_t offset;    /* bytes from the start of the outermost struct */
	uint64_t size;      /* bytes; of a bit-field, of its storage */
	uint8_t bit_offset; /* of a bit-field: how far to shift the @size bytes at @offset */
	uint8_t bit_size;   /* 0: not a bit-field */
	struct type type;
};

/* An empty universe: every look-up fails. */
struct types *types_create(struct memory *mem);
void types_destroy(struct types *types);
/* Adds a BTF blob at @vaddr; @module is NULL for the kernel's, whose types the others build on. */
struct error *types_add_btf(struct types *types, const char *module, uint64_t vaddr,
			    uint64_t size) must_check;
/* The same from bytes in our memory, which must outlive @types (a vmlinux file; tests). */
struct error *types_add_btf_bytes(struct types *types, const char *module, const void *data,
				  uint64_t size) must_check;
/*
 * @loader finds the modules' BTF and adds it; it is called when a type, function, variable or
 * enumerator is asked for that the kernel's BTF does not have (a few times, until it has added
 * something). types_member() and types_sizeof() do not call it, as they are mostly asked for
 * members that only other kernels have: who needs them of a module's type calls
 * types_load_modules() first, which without BTF opens the modules' debug files. The kernel keeps
 * modules' BTF in struct btf (data, data_size, name) on the list btf_modules of struct btf_module;
 * the .BTF section that struct module points to is gone after loading.
 */
void types_set_module_loader(struct types *types, void (*loader)(void *ctx), void *ctx);
void types_load_modules(struct types *types);

struct debug_module;

/*
 * Adds the types of a debug file: @module is NULL for the kernel's. @hubs are the addresses of
 * functions in whose units most of what will be asked for is (0: none), see types/dwarf.h.
 */
struct error *types_add_dwarf(struct types *types, const char *module, struct debug_module *debug,
			      const uint64_t *hubs, size_t hub_count) must_check;
/*
 * @loader finds the debug file of the kernel, or of the modules, and adds it; it is called once for
 * each, when a type, function, variable or enumerator is asked for that BTF does not have. As with
 * modules' BTF, types_member() and types_sizeof() do not call it: on a kernel without BTF
 * types_load_debug() is called first.
 */
void types_set_debug_loader(struct types *types, void (*loader)(void *ctx, bool modules),
			    void *ctx);
void types_load_debug(struct types *types, bool modules);
/*
 * What was found wrong so far with the debug files, one sentence each: calls back for each file.
 */
void types_debug_problems(struct types *types, void (*fn)(void *ctx, const char *sentence),
			  void *ctx);
/* Where the types come from, for the report: "BTF in the dump", "DWARF of FILE", "none". */
const char *types_source(const struct types *types);

/* "struct task_struct", "task_struct", "union x", "enum y", "u64", "struct list_head *", "int". */
bool types_find(struct types *types, const char *name, struct type *type);
enum type_kind type_kind(struct type type);
/* Without typedefs and qualifiers. */
struct type type_strip(struct type type);
const char *type_name(struct type type); /* "" for anonymous */
/* sizeof; 0 for void, functions, incomplete types. */
uint64_t type_size(struct type type);
/* What a pointer points to, an array's element, a typedef's target, a function's result. */
struct type type_target(struct type type);
uint64_t type_array_length(struct type type);
bool type_is_signed(struct type type);
/* C spelling: "struct list_head *", "unsigned int [4]". */
void type_spell(struct type type, char *buf, size_t size);
/* A declaration: "struct list_head *next", "int (*fn)(void)". */
void type_declare(struct type type, const char *name, struct strbuf *out);
/* The i-th member (or parameter of a function); false past the end. */
bool type_member_at(struct type type, unsigned i, struct member *member);
/* The name of an enumerator, NULL when there is none of that value; and the other way round. */
const char *type_enum_name(struct type type, int64_t value);
bool types_enumerator(struct types *types, const char *name, int64_t *value);
/* The i-th enumerator; false past the end. */
bool type_enumerator_at(struct type type, unsigned i, const char **name, int64_t *value);
/* False for a struct or union of which only the name is known. */
bool type_is_complete(struct type type);
/*
 * The pointer to @target; an array of so many (0: of unknown length); a function of which only the
 * result is known. False when too many were asked for, which are thousands.
 */
bool types_pointer(struct types *types, struct type target, struct type *pointer);
bool types_array(struct types *types, struct type element, uint64_t length, struct type *array);
bool types_function_of(struct types *types, struct type result, struct type *function);
/*
 * Calls @fn with every type of BTF, the kernel's and the modules', until it returns false. False
 * when there is none: debug files' types cannot be listed.
 */
bool types_each(struct types *types, bool (*fn)(void *ctx, struct type type), void *ctx);
/* Prototype of a kernel function by name (BTF_KIND_FUNC). */
bool types_function(struct types *types, const char *name, struct type *type);
/* The same of what BTF has, without looking for debug files: for who asks about thousands. */
bool types_btf_function(struct types *types, const char *name, struct type *type);
/* Of the one that this module, or (NULL) the kernel itself, has: others may have a namesake. */
bool types_own_function(struct types *types, const char *module, const char *name,
			struct type *type);
/*
 * Type of a global or per-CPU variable: BTF's VAR entries, then the debug file, then the table of
 * well-known ones. False also where several static variables of different types have the name.
 */
bool types_variable(struct types *types, const char *name, struct type *type);
/* The same of the one at a run-time address, which tells namesakes apart; from debug files only. */
bool types_variable_at(struct types *types, const char *name, uint64_t address,
		       struct type *type);

/*
 * A member path: "mm", "se.vruntime", "mem[0].base", through anonymous structs and unions.
 * Alternatives for members that were renamed are tried in order: "__state|state".
 */
bool type_find_member(struct type type, const char *path, struct member *member);
/*
 * The same by the struct's name, remembered: costs one hash look-up when asked again. @struct_name
 * and @path must be string literals or live as long as @types. Thread-safe.
 */
bool types_member(struct types *types, const char *struct_name, const char *path,
		  struct member *member);
/* sizeof by name, remembered alike; 0 when unknown. */
uint64_t types_sizeof(struct types *types, const char *name);

/*
 * The way to the member at @offset: "se.vruntime", "cpus_mask.bits[0]", "comm[3]"; "+0x2" behind it
 * when the offset is inside a number. False where there is none (padding, behind the end).
 */
bool type_path_at(struct type type, uint64_t offset, char *buf, size_t size);

/*
 * The number that an integer, enum or pointer is (sign-extended when signed), of which @size bytes
 * are at @bytes. False for other types and when there are too few bytes.
 */
bool type_load(struct type type, const void *bytes, size_t size, uint64_t *value);
/* The same of a member, bit-fields too; @bytes is what lies at member->offset. */
bool member_load(const struct member *member, const void *bytes, size_t size, uint64_t *value);

struct value_format {
	bool hex;        /* integers in hexadecimal */
	bool decimal;    /* all of them in decimal, flags too */
	char letter;     /* all numbers as gdb's p/LETTER: x d u o t z c a; 0: as the above says */
	unsigned indent; /* levels (four blanks each) before each line but the first */
	unsigned depth;  /* how many levels of nested structs to open; 0: all */
	uint64_t elements_max; /* so many of an array; 0: as many as is sensible */
	bool element_lines;    /* each on a line of its own */
	bool null_stop;        /* character arrays up to the first NUL only */
	/* Names a pointer's target ("jiffies+0x8"); may be NULL. Gives "" for nothing to say. */
	void (*name_address)(void *ctx, uint64_t address, char *buf, size_t size);
	/* The text at @address, to which a char pointer points; false: none. May be NULL. */
	bool (*text_at)(void *ctx, uint64_t address, char *buf, size_t size);
	void *ctx;
	/* Parts of the bytes that are not in the dump, in order; offsets from the first byte. */
	const struct value_hole {
		uint64_t start, end;
	} * holes;
	size_t hole_count;
	const char *hole_text; /* what is said of them; NULL: "not in the dump" */
};

/*
 * The value of a @type at @bytes (@size of them are there; what is behind is shown as "<not in
 * the dump>") in C's initialiser notation, as crash's `struct` prints.
 */
void type_format_value(struct type type, const uint8_t *bytes, size_t size,
		       const struct value_format *format, struct strbuf *out);
/* The value of a member, bit-fields too, without its type's name; @bytes is what lies at
 * member->offset. */
void type_format_member(const struct member *member, const uint8_t *bytes, size_t size,
			const struct value_format *format, struct strbuf *out);
/* The definition: members with types; with offsets and sizes when @offsets. */
void type_format_definition(struct type type, bool offsets, struct strbuf *out);
/* The same with offsets, to which @base is added: the addresses of an object's members. */
void type_format_layout(struct type type, uint64_t base, struct strbuf *out);
