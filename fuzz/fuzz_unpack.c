// SPDX-License-Identifier: LGPL-2.1-or-later
/* Hostile packed files and bzImages. */
#include <stdlib.h>
#include <unistd.h>

#include "symbols/unpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd;
	struct error *err = unpack_bytes(data, size, &fd);

	if (err && fd >= 0)
		abort();
	if (fd >= 0)
		close(fd);
	error_free(err);
	return 0;
}
