/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of this station share about debug files; private to the station. */
#pragma once

#include <pthread.h>

#include "base/map.h"
#include "base/vec.h"
#include "symbols/debug_find.h"
#include "symbols/dwarf.h"

/* One compile unit as a Dwarf of its own: see units.c. */
struct unit_slice {
	uint64_t offset; /* in .debug_info of the whole file */
	Elf *elf;
	const char *start; /* its bytes */
	Dwarf *dwarf;
	Dwarf_Die die;
};

/* A unit's range, where .debug_aranges does not tell. */
struct unit_range {
	uint64_t start, end, offset;
};

struct debug_module {
	struct debuginfo *info;
	const struct module *module; /* NULL: the kernel */
	struct debug_file *file; /* NULL: none was found */
	char *text;
	Dwfl *dwfl;
	Dwfl_Module *dwfl_module;
	Dwarf *dwarf;
	Dwarf_Addr bias;
	Elf *raw; /* the file as it is: libdwfl relocates its own view of it; see file_code.c */
	bool dwarf_tried;
	pthread_mutex_t lock;
	/* The rest belongs to units.c and lines.c. */
	bool view_tried;
	char *image;
	size_t image_size;
	Elf *view; /* on the image; NULL: libdw's must be used */
	struct {
		vec_fields(struct unit_slice);
	} slices;
	struct {
		vec_fields(struct unit_range);
	} ranges;
	bool ranges_tried, aranges_judged, aranges_whole;
	bool root_tried;
	const char *root; /* where the kernel's sources lay when it was built; NULL unknown */
};

struct cached_frames {
	const struct source_frame *frames;
	size_t count;
};

struct debuginfo {
	struct memory *mem;
	struct symbols *symbols;
	struct debug_options options;
	char *release;
	char build_id[BUILD_ID_HEX_MAX]; /* the kernel's in the dump; "" not known */
	struct module_facts_ops facts;
	void *facts_ctx;
	/*
	 * Locks, in the order in which they are taken: opening (what is opened; the kernel station
	 * may be asked meanwhile, which may read types out of the kernel's file), a module's own,
	 * lock (the rest; nothing is called while it is held).
	 */
	pthread_mutex_t opening, lock;
	bool kernel_tried;
	struct debug_module *kernel;
	struct {
		vec_fields(struct debug_module *); /* one for each module tried */
	} modules;
	struct debug_folders folders;
	struct {
		vec_fields(const char *);
	} problems;
	struct arena arena;
	struct map by_address; /* -> number in frames */
	struct {
		vec_fields(struct cached_frames);
	} frames;
};

/* Notes that @module's file is damaged, once for each sentence. Takes over the error. */
void debuginfo_note(struct debuginfo *info, struct error *err);
void debug_module_free_units(struct debug_module *module);
/* The unit at an offset in .debug_info; module->dwarf is open, its lock held. */
bool debug_module_unit_at(struct debug_module *module, uint64_t offset, Dwarf_Die *unit);
/* Without the cache; hold the locks of the module and of the debuginfo. */
struct cached_frames debug_module_frames(struct debug_module *module, uint64_t address);
/* "a/./b/../c" -> "a/c", in place; a ".." at the start stays. */
void source_path_clean(char *path);
