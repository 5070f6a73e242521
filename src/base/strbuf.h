/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A string that grows. Zero-initialise; `data` is NULL while empty, else NUL-terminated. */
#pragma once

#include "base/compiler.h"

struct strbuf {
	char *data;
	size_t len;
	size_t capacity;
};

void strbuf_add(struct strbuf *sb, const char *s);
void strbuf_add_n(struct strbuf *sb, const char *s, size_t n);
void strbuf_add_char(struct strbuf *sb, char c);
/* A character as gdb writes it between two @quote: \n, \033, \". */
void strbuf_add_escaped(struct strbuf *sb, uint8_t c, char quote);
void strbuf_addf(struct strbuf *sb, const char *fmt, ...) printf_like(2, 3);
/* The text so far, never NULL; belongs to @sb. */
const char *strbuf_text(const struct strbuf *sb);
void strbuf_clear(struct strbuf *sb);
void strbuf_deinit(struct strbuf *sb);
#define auto_strbuf cleanup_with(strbuf_deinit) struct strbuf

/*
 * Numbers that users type. Whole string must be the number: decimal, or 0x... hexadecimal.
 * @false: not a number, or it does not fit; @value is untouched.
 */
bool parse_u64(const char *s, uint64_t *value);
/* Hexadecimal with or without 0x, as crash takes addresses. */
bool parse_hex(const char *s, uint64_t *value);
/* Does @s match glob @pattern? ('*' and '?' only.) */
bool glob_match(const char *pattern, const char *s);
bool starts_with(const char *s, const char *prefix);
