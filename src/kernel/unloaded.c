// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * last_unloaded_module of kernel/module.c is an array of characters, since 6.0 a structure that
 * begins with the name (kernel/module/main.c). Modules have lain between the kernel image and the
 * fixed mappings since 2.6 (MODULES_VADDR, arch/x86/include/asm/pgtable_64_types.h).
 */
#include "kernel/unloaded.h"

#include <ctype.h>

#define MODULES_START UINT64_C(0xffffffffa0000000) /* at the lowest, with an image of 512 MiB */
#define MODULES_END UINT64_C(0xffffffffff000000)

bool module_last_unloaded(struct session *s, char name[MODULE_NAME_MAX])
{
	uint64_t at = s->symbols ? symbols_address(s->symbols, "last_unloaded_module") : 0;
	char *c = name;

	name[0] = '\0';
	if (!at || memory_string(s->memory, at, name, MODULE_NAME_MAX) != READ_OK)
		return false;
	while (isalnum((unsigned char)*c) || *c == '_' || *c == '-')
		c++;
	/* What is no name of a module is none. */
	return c != name && !*c;
}

bool module_area_is_empty(struct session *s, uint64_t address)
{
	const struct kernel_layout *layout = memory_layout(s->memory);
	uint64_t start = layout->image_size ? s->arch->image_base + layout->image_size
					    : MODULES_START;

	return address >= start && address < MODULES_END &&
	       (!s->symbols || !symbols_module_of(s->symbols, address));
}
