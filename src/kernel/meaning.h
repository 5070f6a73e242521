/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a pointer to a known kind of structure means to a person: of a file its path, of a task its
 * name and pid, of a socket its addresses, of a mutex its owner: one line.
 *
 * A new one is a function in one of the meaning_*.c files and a row in its table. A function reads
 * by member name, and says nothing when what it reads cannot be: the pointer may be garbage.
 */
#pragma once

#include "kernel/session.h"

/*
 * One line about the @struct_name ("file", without "struct"; "char" for a string) at @address.
 * False: there is no row for that type, or it is not in the dump, or makes no sense; @buf is "".
 */
bool meaning_of(struct session *s, const char *struct_name, uint64_t address, char *buf,
		size_t size);
/*
 * The same for a value of a C type: pointers to structures, strings, functions (their symbol),
 * "error -12 (ENOMEM)" of an ERR_PTR, "NULL + 0x18", enumerators, and characters. Of a pointer to a
 * struct without a row: what whose first member is, where that has one.
 */
bool meaning_of_value(struct session *s, struct type type, uint64_t value, char *buf, size_t size);
/* Is there a row for the type? */
bool meaning_known(const char *struct_name);

/* "0644", "regular file, 0644": of an inode's i_mode. */
void meaning_mode(uint64_t mode, char *buf, size_t size);
