/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A member whose place was looked up once, for loops over many objects: kread() looks up its names
 * on each call. Private to this folder.
 */
#pragma once

#include "kernel/session.h"

struct field {
	uint64_t offset;
	uint8_t size; /* 1, 2, 4 or 8 */
	bool is_signed;
	bool known; /* the types have such a member, and it is a plain number or pointer */
};

/* Names as kread() takes them; must be literals. */
struct field field_find(struct session *s, const char *struct_name, const char *path);
/* Reads it from the object at @address; false (and 0) when unknown or not in the dump. */
bool field_read(struct session *s, uint64_t address, const struct field *field, uint64_t *value);
/* The same out of a copy of the object's first @size bytes. */
bool field_of_bytes(const uint8_t *bytes, size_t size, const struct field *field, uint64_t *value);
