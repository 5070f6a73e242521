// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A reader never sees half a report: it is written to a temporary file in the same folder, which
 * takes the place of the old one in one step once all of it is on its way to the disk.
 */
#include "base/new_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

static void forget(struct new_file *file)
{
	free(file->temporary);
	free(file->path);
	*file = (struct new_file){ 0 };
}

/* As open() would have made it: mkstemp() lets nobody else read it. */
static void usual_mode(int fd)
{
	mode_t mask = umask(0);

	umask(mask);
	(void)fchmod(fd, 0666 & ~mask);
}

/* A device or a pipe is written to: to put a file in its place would take it away. */
static bool is_special(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

struct error *new_file_create(const char *path, struct new_file *file)
{
	size_t size = strlen(path) + sizeof(".XXXXXX");

	if (is_special(path)) {
		*file = (struct new_file){ .out = fopen(path, "we"), .path = xstrdup(path) };
		if (file->out)
			return NULL;
		struct error *error = error_new(ERROR_SYSTEM, "cannot write %s: %s", path,
						strerror(errno));
		forget(file);
		return error;
	}
	*file = (struct new_file){ .path = xstrdup(path), .temporary = xmalloc(size) };
	snprintf(file->temporary, size, "%s.XXXXXX", path);
	int fd = mkstemp(file->temporary);
	if (fd >= 0)
		usual_mode(fd);
	file->out = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (file->out)
		return NULL;
	struct error *error = error_new(ERROR_SYSTEM, "cannot write %s: %s", path, strerror(errno));
	if (fd >= 0) {
		close(fd);
		unlink(file->temporary);
	}
	forget(file);
	return error;
}

struct error *new_file_finish(struct new_file *file)
{
	struct error *error = NULL;

	errno = 0;
	bool written = fflush(file->out) == 0 && !ferror(file->out);
	written = fclose(file->out) == 0 && written;
	if (!written || (file->temporary && rename(file->temporary, file->path) != 0)) {
		error = error_new(ERROR_SYSTEM, "cannot write %s: %s", file->path,
				  errno ? strerror(errno) : "the output was lost");
		if (file->temporary)
			unlink(file->temporary);
	}
	forget(file);
	return error;
}
