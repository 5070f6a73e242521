/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the kernel was built: its .config, where the kernel carries it (CONFIG_IKCONFIG). */
#pragma once

#include "kernel/session.h"

/* Can anything be told at all? */
bool kernel_config_known(struct session *s);
/* "y", "m", a number or a text without its quotes; NULL: not set, or nothing is known. */
const char *kernel_config(struct session *s, const char *name);

/* The text, with a NUL for each line's end; the parts of the above that need no dump. */
struct config_text {
	char *data; /* NULL: there is none; the owner frees it */
	size_t size;
};
/* Out of the kernel's memory from kernel_config_data on: marks and gzip. */
void config_unpack(const uint8_t *bytes, size_t size, struct config_text *text);
/* The value behind "NAME=", quotes and all; NULL: not set. */
const char *config_find(const struct config_text *text, const char *name);

struct arena;
/*
 * All of it, in @arena, with a newline or a NUL at each line's end: out of the dump, else of @file,
 * or when that is NULL of the usual places of the machine that we run on (/boot/config-RELEASE
 * ...). @source says from where: "the dump", or the file's path.
 */
struct error *kernel_config_text(struct session *s, const char *file, struct arena *arena,
				 struct config_text *text, const char **source) must_check;
