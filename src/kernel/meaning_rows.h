/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of meaning share. Private to this folder. */
#pragma once

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kernel/meaning.h"

/* Fills @buf with one line; false when there is nothing sure to say. */
typedef bool (*meaning_fn)(struct session *s, uint64_t address, char *buf, size_t size);

struct meaning_row {
	const char *type; /* the name of a struct or union, or a typedef of one */
	meaning_fn tell;
	/* A part that many structures begin with: it says nothing of the whole. */
	bool part;
};

/* Each ends with a row of NULL. */
extern const struct meaning_row meaning_core_rows[];
extern const struct meaning_row meaning_sync_rows[];
extern const struct meaning_row meaning_files_rows[];
extern const struct meaning_row meaning_net_rows[];
extern const struct meaning_row meaning_block_rows[];
extern const struct meaning_row meaning_device_rows[];

/* The name of the function at @address, exactly: "process_timeout [mod]". False: it is none. */
bool meaning_function(struct session *s, uint64_t address, char *buf, size_t size);
/* The member @path of the @type at @address is a pointer to a function. */
bool meaning_function_member(struct session *s, uint64_t address, const char *type,
			     const char *path, char *buf, size_t size);
/* A string as C would write it, cut where it does not fit; false when it holds what no text does. */
bool meaning_quote(struct session *s, uint64_t address, char *buf, size_t size);
/* A name out of a structure: printable and not empty. */
bool meaning_name(struct session *s, uint64_t address, const char *type, const char *path,
		  char *buf, size_t size);
/* "bash (pid 812)" of a task_struct. */
bool meaning_task(struct session *s, uint64_t task, char *buf, size_t size);
