// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Instructions out of any bytes: the text must end within its buffer, and what is decoded must be
 * as long as what was given, or shorter.
 */
#include <stdlib.h>
#include <string.h>

#include "code/code.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void long_name(void *ctx, uint64_t address, char *buf, size_t size)
{
	(void)ctx;
	(void)address;
	memset(buf, 'n', size);
	buf[size - 1] = '\0';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t places[] = { 0, UINT64_C(0xffffffff81000000), UINT64_MAX - 3 };
	char text[300], small[7];

	for (size_t at = 0; at < size;) {
		struct insn insn;
		bool valid = false;
		for (size_t i = 0; i < array_size(places); i++) {
			valid = code_decode(data + at, size - at, places[i], &insn);
			bool shown = code_format(data + at, size - at, places[i], long_name, NULL,
						 text, sizeof(text));
			code_format(data + at, size - at, places[i], NULL, NULL, small,
				    sizeof(small));
			if (valid != shown || strlen(text) >= sizeof(text) ||
			    strlen(small) >= sizeof(small) || !*text)
				abort();
		}
		if (valid && (!insn.length || insn.length > CODE_INSN_MAX ||
			      insn.length > size - at))
			abort();
		at += valid ? insn.length : 1;
	}
	return 0;
}
