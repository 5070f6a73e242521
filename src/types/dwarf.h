/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The DWARF reader from inside. dwarf_abbrev.c and dwarf_die.c read what lies in the sections,
 * dwarf_scan.c gathers the names of whole units, index_file.c keeps them, dwarf_find.c looks names
 * up, dwarf_types.c answers the questions of types/source.h.
 */
#pragma once

#include <elfutils/libdw.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/map.h"
#include "types/index_file.h"
#include "types/source.h"

struct span {
	const uint8_t *data;
	size_t size;
};

/* Of one file, decompressed and relocated; .debug_str and .debug_line_str end with a NUL. */
struct dwarf_sections {
	struct span info, abbrev, str, line_str, str_offsets;
};

/* --- dwarf_abbrev.c --- */

/* How to get past the attributes of a DIE in a hurry, with what is worth stopping for. */
enum scan_op {
	SCAN_SKIP, /* .arg bytes */
	SCAN_LEB,
	SCAN_BLOCK, /* of a length that .arg bytes tell; 0: a LEB128 */
	SCAN_STRING,
	SCAN_OTHER, /* of a form to be read before it */
	SCAN_NAME,  /* these are of form .arg */
	SCAN_LINE,
	SCAN_LINE_IS, /* .arg, for all DIEs of the abbreviation */
	SCAN_SIBLING,
	SCAN_SPECIFICATION,
	SCAN_EXTERNAL, /* one byte each */
	SCAN_DECLARATION,
};

struct scan_step {
	uint8_t op;
	uint8_t spare;
	uint16_t arg;
};

struct dwarf_attribute {
	uint16_t name, form;
	uint32_t step; /* unused by readers of attributes */
	int64_t implicit;
};

struct dwarf_abbrev {
	uint32_t attribute, step;
	uint16_t attributes, steps;
	uint16_t tag; /* 0: there is no such abbreviation */
	bool children, external, declaration;
};

/* The abbreviations of a unit, by code. */
struct dwarf_abbrevs {
	struct {
		vec_fields(struct dwarf_abbrev);
	} of;
	struct {
		vec_fields(struct dwarf_attribute);
	} attributes;
	struct {
		vec_fields(struct scan_step);
	} steps;
	uint8_t address_size, offset_size, version; /* what the steps were made for */
	size_t bytes;                               /* how many were read */
};

/* Reads the table at @offset; false, and what was readable of it, when it is damaged. */
bool dwarf_abbrevs_read(const struct dwarf_sections *sections, uint64_t offset,
			uint8_t address_size, uint8_t offset_size, uint8_t version,
			struct dwarf_abbrevs *abbrevs);
void dwarf_abbrevs_deinit(struct dwarf_abbrevs *abbrevs);
static inline const struct dwarf_abbrev *dwarf_abbrev(const struct dwarf_abbrevs *abbrevs,
						      uint64_t code)
{
	const struct dwarf_abbrev *a = code < abbrevs->of.count ? &abbrevs->of.data[code] : NULL;
	return a && a->tag ? a : NULL;
}

/* LEB128; false at @end or after ten bytes. */
bool dwarf_uleb(const uint8_t **p, const uint8_t *end, uint64_t *value);
bool dwarf_sleb(const uint8_t **p, const uint8_t *end, int64_t *value);

/* --- dwarf_die.c --- */

enum { DWARF_MAIN, DWARF_ALT, DWARF_FILES };

/* Where a DIE is; offset 0: none (there is a unit's header). */
struct dwarf_place {
	uint64_t offset;
	unsigned file;
};

struct dwarf_unit {
	unsigned file;
	uint64_t start, end; /* in .debug_info */
	uint64_t root;       /* its first DIE */
	uint64_t abbrev_offset, str_offsets_base, signature, type_offset;
	uint8_t version, address_size, offset_size;
	bool foreign; /* not C: its types are of no use to us */
	struct dwarf_abbrevs *abbrevs;
	struct dwarf_unit *next; /* all that were opened */
};

/* Bits of dwarf_die.has. */
enum {
	HAS_BYTE_SIZE = 1 << 0,
	HAS_BIT_SIZE = 1 << 1,
	HAS_BIT_OFFSET = 1 << 2,
	HAS_DATA_BIT_OFFSET = 1 << 3,
	HAS_LOCATION = 1 << 4, /* of a member: a number is known */
	HAS_UPPER_BOUND = 1 << 5,
	HAS_COUNT = 1 << 6,
	HAS_VALUE = 1 << 7,
	HAS_ADDRESS = 1 << 8,
	HAS_ENCODING = 1 << 9,
	HAS_TYPE = 1 << 10,         /* even where it is of a form that we cannot follow */
	HAS_ODD_LOCATION = 1 << 11, /* of a member: an expression that we do not evaluate */
};

struct dwarf_die {
	const struct dwarf_unit *unit;
	uint64_t offset;
	uint64_t end; /* of its attributes: where its first child is, or what follows it */
	uint64_t sibling;
	uint16_t tag; /* 0: the end of a list of children */
	bool children, declaration, external;
	uint32_t has;
	const char *name; /* never NULL */
	struct dwarf_place type, specification, origin;
	uint64_t byte_size, bit_size, bit_offset, data_bit_offset, location;
	uint64_t upper_bound, count, address, language, line, encoding, str_offsets_base;
	int64_t value;
};

/* Parses the header at @offset and the root DIE; @abbrevs NULL: reads the table too. */
bool dwarf_unit_open(const struct dwarf_sections *sections, unsigned file, uint64_t offset,
		     struct dwarf_unit *unit);
/* The header alone: enough to go from one to the next. */
bool dwarf_unit_header(const struct span *info, unsigned file, uint64_t offset,
		       struct dwarf_unit *unit);
/* Language, bases: from the root DIE; the abbreviations are there. */
bool dwarf_unit_root(const struct dwarf_sections *sections, struct dwarf_unit *unit);
/* @sections: of the unit's file and, for strings, of the alternate file (array of DWARF_FILES). */
bool dwarf_die_read(const struct dwarf_sections *sections, const struct dwarf_unit *unit,
		    uint64_t offset, struct dwarf_die *die);
/* The string at @offset of .debug_str or the like; NULL outside. */
const char *dwarf_string(const struct span *strings, uint64_t offset);
/* The offset in .debug_str that index @i of a unit's table stands for. */
bool dwarf_string_index(const struct dwarf_sections *sections, const struct dwarf_unit *unit,
			uint64_t i, uint64_t *offset);

/* --- dwarf_scan.c --- */

/*
 * Gathers the names that the units at @starts (offsets in .debug_info of the main file, then of
 * the alternate one) define, on all cores, into an index: see index_file.h. NULL where the
 * sections are too big for it. @sections: of all files. @damage is set to the offset of the first
 * unit that could not be read to its end, and otherwise left alone.
 */
struct index_image *dwarf_scan(const struct dwarf_sections *sections,
			       const struct index_units units[DWARF_FILES],
			       const struct index_identity *identity, uint64_t *damage);
/* The starts of all units of a section, in order; false when it stopped at what is no unit. */
bool dwarf_units_walk(const struct span *info, struct index_units *units);

/* --- dwarf_source.c --- */

struct debug_module;

struct dwarf_slot {
	struct dwarf_unit *_Atomic unit;
};

struct dwarf {
	struct type_source source;
	struct dwarf_sections sections[DWARF_FILES];
	struct index_identity identity; /* build_id "": not kept on disk */
	uint64_t bias;                  /* run-time address - DWARF's */
	bool names_merged;              /* no name of eight letters or more is outside .debug_str */

	/* Units whose names were gathered at once, because most of what is asked is there. */
	struct index_image *hubs;
	struct dwarf_unit *hub_unit[16];
	unsigned hub_count;

	/* All names; NULL before somebody needs them. */
	pthread_mutex_t index_lock;
	struct index_image *_Atomic index;
	struct index_image *damaged; /* found to be so: kept for who is still reading it */
	bool index_tried;            /* in the cache */
	_Atomic uint64_t damage;     /* where .debug_info was found to be damaged; UINT64_MAX */
	char *path;                  /* of the file, for messages; NULL: unknown */

	/* Below: under the lock, but for what is atomic. */
	pthread_mutex_t lock;
	/* All units; NULL before somebody needs them. */
	struct unit_table {
		struct index_units starts;
		struct dwarf_slot *open; /* as many */
	} * _Atomic units[DWARF_FILES];
	struct dwarf_unit *opened; /* to be freed */
	/* Handles that are no plain offsets: of the alternate file, and of inner dimensions. */
	struct {
		vec_fields(struct dwarf_handle);
	} handles;
	struct map handle_of;
	/* What was found once: structs' members and the like; definitions of declarations. */
	struct map children, definitions;
	struct arena arena;
};

struct dwarf_handle {
	struct dwarf_place place;
	uint32_t dimension;
};

/*
 * Types from a debug file. @hubs are run-time addresses of functions whose units have most of the
 * types that will be asked for; they are searched first, so that an answer seldom needs all units.
 */
struct error *dwarf_open(struct debug_module *debug, const uint64_t *hubs, size_t hub_count,
			 struct dwarf **dwarf) must_check;
/* The same from libdw's handle, which must outlive it; @hubs are offsets of units. */
struct dwarf *dwarf_from_handle(Dwarf *handle, const uint64_t *hubs, size_t hub_count);
/* From sections in memory, which must outlive it; @hubs are offsets of units. */
struct dwarf *dwarf_create(const struct dwarf_sections sections[DWARF_FILES],
			   const struct index_identity *identity, const uint64_t *hubs,
			   size_t hub_count);
void dwarf_destroy(struct type_source *source);
/* The unit that covers @place, opened; NULL when there is none. */
const struct dwarf_unit *dwarf_unit_of(struct dwarf *dwarf, struct dwarf_place place);
bool dwarf_die_at(struct dwarf *dwarf, struct dwarf_place place, struct dwarf_die *die);
/*
 * All names that may be @name, from the cache on disk or gathered now; NULL when there are none,
 * or when @name is known to be nowhere.
 */
struct index_image *dwarf_index(struct dwarf *dwarf, const char *name);
/* To be called when index_image_damaged(): gathers the names anew. */
void dwarf_index_renew(struct dwarf *dwarf);

static inline struct dwarf *dwarf_of(const struct type_source *source)
{
	return container_of((uintptr_t)source, struct dwarf, source);
}

/* --- dwarf_find.c --- */

bool dwarf_find(const struct type_source *source, enum name_class as, const char *name,
		struct type *type);
bool dwarf_find_enumerator(const struct type_source *source, const char *name, int64_t *value);
/* The one struct, union or enum called @name of @tag; false also when there are several. */
bool dwarf_find_definition(struct dwarf *dwarf, unsigned tag, const char *name,
			   struct dwarf_place *place);
/* The type of the variable called @name whose address in the file is @address. */
bool dwarf_find_variable(struct dwarf *dwarf, const char *name, uint64_t address,
			 struct type *type);

/* --- dwarf_types.c --- */

extern const struct type_ops dwarf_type_ops;
/* A handle; {0} when there is no room for more. */
struct type dwarf_type(struct dwarf *dwarf, struct dwarf_place place, uint32_t dimension);
/* The same of a DW_AT_type; void where there is none. */
struct type dwarf_type_of(struct dwarf *dwarf, const struct dwarf_die *die);

/* Under which kind (index_file.h) the index has an entry of this tag; 0: not at all. */
unsigned dwarf_index_kind(unsigned tag);
