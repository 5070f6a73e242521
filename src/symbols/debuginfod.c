// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * debuginfod: debug files by build-id from the servers of $DEBUGINFOD_URLS. The library is loaded
 * by hand, for it brings libcurl and all that hangs on it (30 ms), and only when the user asked for
 * servers to be contacted. It keeps what it fetched in its own cache. Interface:
 * elfutils/debuginfod.h; the values that pass through it are plain pointers and numbers.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "symbols/debug_find.h"

typedef struct debuginfod_client *(*begin_fn)(void);
typedef int (*find_fn)(struct debuginfod_client *client, const unsigned char *build_id,
		       int build_id_length, char **path);
typedef int (*progress_fn)(struct debuginfod_client *client, long done, long total);
typedef void (*set_progress_fn)(struct debuginfod_client *client, progress_fn fn);
typedef void (*end_fn)(struct debuginfod_client *client);

static int show_progress(struct debuginfod_client *client unused_arg, long done, long total)
{
	/* Before the size is known, @total is 0 and @done counts attempts. */
	if (total > 0)
		fprintf(stderr, "\rinquest: debuginfod: %ld of %ld MB", done >> 20, total >> 20);
	return 0;
}

struct error *debuginfod_fetch(const char *build_id, const char *what, int *fd, char **path)
{
	const char *urls = getenv("DEBUGINFOD_URLS");
	struct error *err = NULL;

	*fd = -1;
	*path = NULL;
	if (!urls || !urls[strspn(urls, " \t")])
		return error_new(ERROR_USAGE, "--debuginfod: DEBUGINFOD_URLS is not set");
	void *library = dlopen("libdebuginfod.so.1", RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return error_new(ERROR_UNSUPPORTED, "--debuginfod: libdebuginfod.so.1 is not "
				 "installed");
	begin_fn begin = (begin_fn)dlsym(library, "debuginfod_begin");
	find_fn find = (find_fn)dlsym(library, "debuginfod_find_debuginfo");
	set_progress_fn set = (set_progress_fn)dlsym(library, "debuginfod_set_progressfn");
	end_fn end = (end_fn)dlsym(library, "debuginfod_end");
	struct debuginfod_client *client = begin && find && set && end ? begin() : NULL;
	if (!client)
		return error_new(ERROR_UNSUPPORTED, "--debuginfod: libdebuginfod.so.1 cannot be "
				 "used");
	fprintf(stderr, "inquest: debuginfod: looking for %s (%s)", what, build_id);
	set(client, show_progress);
	/* A length of 0 means that the build-id is text. */
	*fd = find(client, (const unsigned char *)build_id, 0, path);
	fputc('\n', stderr);
	if (*fd < 0)
		err = error_new(ERROR_NOT_FOUND, "debuginfod: no debug info for %s, build-id %s: %s",
				what, build_id, strerror(-*fd));
	else if (!*path)
		*path = xstrdup("debuginfod");
	end(client);
	return err;
}
