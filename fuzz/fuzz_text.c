// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A text in place of a dump, from its bytes to the verdict: lines, reports, places, the window of
 * code, all detectors.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "diagnosis/diagnosis.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(struct session *s)
{
	struct diagnosis *d = diagnose(s);

	if (!d->finding_count || !d->findings[0].what)
		abort();
	/* Made-up addresses are never shown. */
	if (strstr(d->findings[0].what, "ffffffff0000"))
		abort();
	diagnosis_destroy(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("text", MFD_CLOEXEC);
	char path[64];
	const char *paths[] = { path };
	struct session_options options = { .paths = paths, .path_count = 1, .text = true,
					   .debug = { .off = true } };
	struct session *session = NULL;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	struct error *err = session_open(&options, &session);
	if (!err) {
		ask(session);
		session_close(session);
	}
	error_free(err);
	close(fd);
	return 0;
}
