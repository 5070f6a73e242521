/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Identifiers that are not ASCII, as Rust's symbol names write them. Internal to symbols/. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PUNYCODE_MAX = 256 }; /* characters */

/* The @size bytes at @s as Unicode characters; false when they are no Punycode, or too many. */
bool punycode_decode(const char *s, size_t size, uint32_t text[PUNYCODE_MAX], size_t *count);
