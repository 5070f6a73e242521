// SPDX-License-Identifier: LGPL-2.1-or-later
/* The pager is $PAGER, else less with options by which it ends by itself on a short text. */
#include "cli/pager.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/redirect.h"

static const char *pager_command(void)
{
	const char *pager = getenv("PAGER");

	if (!pager)
		return "less -FRX";
	return *pager && strcmp(pager, "cat") != 0 ? pager : NULL;
}

static size_t count_lines(const char *text, size_t size)
{
	size_t lines = 0;

	for (const char *at = text; at && size; lines++) {
		at = memchr(at, '\n', size - (size_t)(at - text));
		at = at && (size_t)(++at - text) < size ? at : NULL;
	}
	return lines;
}

/* Piece by piece, so that Ctrl-C stops it. */
static void write_out(FILE *out, const char *text, size_t size, const atomic_bool *stop)
{
	enum { PIECE = 4096 };

	while (size && !atomic_load(stop)) {
		size_t n = size < PIECE ? size : PIECE;
		fwrite(text, 1, n, out);
		fflush(out);
		text += n;
		size -= n;
	}
	if (size)
		putc('\n', out);
}

void pager_show(FILE *out, const char *text, size_t size, bool paged, const atomic_bool *stop)
{
	const char *pager = paged ? pager_command() : NULL;
	struct winsize window;
	struct sink sink;

	if (!pager || ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || !window.ws_row ||
	    count_lines(text, size) < window.ws_row) {
		write_out(out, text, size, stop);
		return;
	}
	struct error *error = sink_spawn(pager, &sink);
	if (error) {
		error_free(error);
		write_out(out, text, size, stop);
		return;
	}
	/* Who leaves the pager early leaves the rest unread: that is no error. */
	fwrite(text, 1, size, sink.out);
	enum { NOT_FOUND = 127 }; /* POSIX: the shell's status then */
	if (sink_close(&sink) == NOT_FOUND)
		write_out(out, text, size, stop);
}
