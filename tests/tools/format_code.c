// SPDX-License-Identifier: LGPL-2.1-or-later
/* Lines "ADDRESS HEXBYTES" on standard input -> "ADDRESS TEXT", to compare with other disassemblers. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "code/code.h"

int main(void)
{
	char line[256], hex[128], text[256];
	uint64_t address;

	while (fgets(line, sizeof(line), stdin)) {
		uint8_t bytes[64];
		size_t n = 0;
		if (sscanf(line, "%" SCNx64 " %127s", &address, hex) != 2)
			return 1;
		for (const char *s = hex; s[0] && s[1] && n < sizeof(bytes); s += 2) {
			unsigned byte;
			if (sscanf(s, "%2x", &byte) != 1)
				return 1;
			bytes[n++] = (uint8_t)byte;
		}
		code_format(bytes, n, address, NULL, NULL, text, sizeof(text));
		printf("%" PRIx64 " %s\n", address, text);
	}
	return 0;
}
