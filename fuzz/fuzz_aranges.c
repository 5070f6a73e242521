// SPDX-License-Identifier: LGPL-2.1-or-later
/* Hostile .debug_aranges and notes. */
#include <stdlib.h>

#include "base/bytes.h"
#include "symbols/aranges.h"
#include "symbols/debuginfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char id[BUILD_ID_HEX_MAX];
	uint64_t unit, address = size >= 40 ? load_u64(data + 24) : 1;

	if (aranges_find(data, size, address, &unit) && !aranges_covered(data, size))
		abort();
	if (elf_notes_build_id(data, size, id) != (id[0] != '\0'))
		abort();
	return 0;
}
