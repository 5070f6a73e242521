// SPDX-License-Identifier: LGPL-2.1-or-later
/* Hostile debug files: identification, units, lines and inlined functions of some addresses. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "symbols/debug_module.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ADDRESSES = 64, STEP = 4, TEXT = 0x1000 };

static void look(struct debug_module *m)
{
	uint64_t bias;

	if (!debug_module_dwarf(m, &bias))
		return;
	for (uint64_t i = 0; i < ADDRESSES; i++) {
		struct cached_frames found = debug_module_frames(m, TEXT + i * STEP);
		for (size_t k = 0; k < found.count; k++) {
			if (found.frames[k].inlined != (k + 1 < found.count))
				abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct debuginfo info = { .lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP };
	struct debug_module m = { .info = &info, .dwarf_tried = true };
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	struct error *err = debug_file_open_fd(fd, "fuzz", &m.file);
	if (!err) {
		m.dwarf = dwarf_begin(m.file->fd, DWARF_C_READ);
		look(&m);
		debug_module_free_units(&m);
		dwarf_end(m.dwarf);
		debug_file_close(m.file);
	}
	error_free(err);
	vec_deinit(&info.problems);
	arena_deinit(&info.arena);
	return 0;
}
