/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the sections of a module's file were loaded, and which build of it: for its debug file. */
#pragma once

#include "kernel/session.h"

/* Calls @fn for each section that was loaded, in the order of the file, until it returns false. */
typedef bool (*module_section_fn)(void *ctx, const char *name, uint64_t address);
void module_sections_each(struct session *s, const struct module *module, module_section_fn fn,
			  void *ctx);
/* The address of section @name (".text"); false when it was not loaded or cannot be read. */
bool module_section(struct session *s, const struct module *module, const char *name,
		    uint64_t *address);
/*
 * The section that @address lies in, of those that were loaded: the nearest start below it in the
 * same area of the module. False when there is none or they cannot be read.
 */
bool module_section_at(struct session *s, const struct module *module, uint64_t address,
		       char *name, size_t size, uint64_t *start);
/* The module's build-id and srcversion, as far as the dump has them. */
void module_identity(struct session *s, const struct module *module,
		     struct module_identity *identity);
/* Tells the session's debug info to ask these. */
void module_sections_register(struct session *s);
