// SPDX-License-Identifier: LGPL-2.1-or-later
/* The program: everything is in the library, so that tests can reach it. */
#include <stdio.h>

#include "base/alloc.h"
#include "cli/run.h"

enum { OUTPUT_BUFFER = 64 * 1024 };

int main(int argc, char **argv)
{
	auto_free char *buffer = xmalloc(OUTPUT_BUFFER);

	setvbuf(stdout, buffer, _IOFBF, OUTPUT_BUFFER);
	int status = cli_run(argc, argv, stdout, stderr);
	fclose(stdout);
	return status;
}
