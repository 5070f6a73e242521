/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Errors: a fallible function returns `struct error *`, NULL on success. An error is one sentence
 * that a user understands, with the file, address or member in it, and no final stop. Who receives
 * an error either hands it on or frees it with error_free(). Reads of dump memory do not use this:
 * holes are common and cheap there (enum read_status in dump/dump.h).
 */
#pragma once

#include "base/compiler.h"

enum error_code {
	ERROR_USAGE,       /* the user asked for something that makes no sense */
	ERROR_SYSTEM,      /* open, mmap, read ... failed */
	ERROR_FORMAT,      /* foreign bytes break the rules of their format */
	ERROR_UNSUPPORTED, /* well-formed, but not something that we can do */
	ERROR_NOT_FOUND,   /* no such symbol, type, member, task ... */
	ERROR_MISSING,     /* needed memory is not in the dump */
};

struct error {
	enum error_code code;
	char message[]; /* one line, no newline, no full stop */
};

struct error *error_new(enum error_code code, const char *fmt, ...) printf_like(2, 3) must_check;
/* Puts "prefix: " before the message; consumes @err, returns the new error. NULL stays NULL. */
struct error *error_prefix(struct error *err, const char *fmt, ...) printf_like(2, 3) must_check;
/* Accepts NULL. */
void error_free(struct error *err);
/* For cleanup_with(). */
void error_free_ptr(struct error **err);
