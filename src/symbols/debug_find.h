/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the debug file of a kernel or module lies on this machine; private to the station. */
#pragma once

#include "base/alloc.h"
#include "base/vec.h"
#include "symbols/debug_file.h"

struct debug_wanted {
	const char *release;
	const char *build_id;   /* hex digits; "" not known */
	const char *banner;     /* the kernel's linux_banner in the dump; "" not known */
	const char *module;     /* its name; NULL: the kernel */
	const char *srcversion; /* the module's; "" not known */
	uint16_t machine;       /* as e_machine */
	const struct debug_options *options;
};

/* Folders that were looked through, kept from one search to the next. Zero-initialise. */
struct debug_folder;
struct debug_folders {
	vec_fields(struct debug_folder *);
	struct arena arena;
};
void debug_folders_deinit(struct debug_folders *folders);

/* Told of each thing that is wrong; takes over the error. */
typedef void (*debug_note_fn)(void *ctx, struct error *err);

/*
 * The file with debug info for what is wanted, or NULL. Files of other kernels are told to @note
 * and refused, or with --force used. @text: what to call it in the report, the caller's.
 */
struct debug_file *debug_find(struct debug_folders *folders, const struct debug_wanted *wanted,
			      debug_note_fn note, void *ctx, char **text);

/* Calls back with the files of a folder (see debug_folder.c) that are @module's, or the kernel's. */
typedef bool (*debug_path_fn)(void *ctx, const char *path);
bool debug_folder_each(struct debug_folders *folders, const char *path, const char *module,
		       const char *release, debug_path_fn fn, void *ctx);

/*
 * Asks the servers of $DEBUGINFOD_URLS (debuginfod.c): a descriptor of the file, or -1 with an
 * error. @path is where it was put, the caller's.
 */
struct error *debuginfod_fetch(const char *build_id, const char *what, int *fd, char **path)
	must_check;
