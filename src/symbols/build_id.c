// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The build-id is a hash over a linked file (ld --build-id); the kernel carries its own in its
 * notes, and keeps each module's. Equal ids mean equal files, whatever their names.
 */
#include "symbols/build_id.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

bool elf_notes_build_id(const void *data, size_t size, char hex[BUILD_ID_HEX_MAX])
{
	struct bytes notes = bytes_of(data, size);

	hex[0] = '\0';
	while (!notes.bad && bytes_left(&notes) >= sizeof(Elf64_Nhdr)) {
		uint32_t namesz = bytes_u32(&notes), descsz = bytes_u32(&notes);
		uint32_t type = bytes_u32(&notes);
		const uint8_t *name = bytes_take(&notes, ((size_t)namesz + 3) & ~(size_t)3);
		const uint8_t *desc = bytes_take(&notes, ((size_t)descsz + 3) & ~(size_t)3);
		if (!desc || !name || type != NT_GNU_BUILD_ID || namesz != 4 ||
		    memcmp(name, "GNU", 4) != 0 || !descsz || descsz * 2 >= BUILD_ID_HEX_MAX)
			continue;
		for (uint32_t i = 0; i < descsz; i++)
			snprintf(hex + (size_t)i * 2, 3, "%02x", desc[i]);
		return true;
	}
	return false;
}

struct error *build_id_check(const char *of_file, const char *of_dump)
{
	if (!*of_file || !*of_dump || strcmp(of_file, of_dump) == 0)
		return NULL;
	return error_new(ERROR_USAGE, "it is of another kernel: its build-id is %s, the dump's %s",
			 of_file, of_dump);
}
