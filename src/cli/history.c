// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Lines are appended as they are typed, so that shells side by side do not lose each other's. A
 * file that has grown is cut to its last lines when it is read.
 */
#include "cli/history.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/vec.h"

enum { LINES_KEPT = 1000, LINES_MAX = 4000, FILE_MAX = 16 << 20 };

char *history_path(void)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (state && *state == '/')
		return xasprintf("%s/inquest/history", state);
	if (home && *home == '/')
		return xasprintf("%s/.local/state/inquest/history", home);
	return NULL;
}

struct lines {
	vec_fields(char *);
};

static void read_lines(FILE *file, struct lines *lines)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, file) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		if (*line)
			vec_push(lines, xstrdup(line));
	}
	free(line);
}

/* Writes the last lines to a new file, which takes the place of the old one. */
static void cut(const char *path, const struct lines *lines)
{
	auto_free char *temporary = xasprintf("%s.%ld", path, (long)getpid());
	FILE *file = fopen(temporary, "wxe");

	if (!file)
		return;
	for (size_t i = lines->count - LINES_KEPT; i < lines->count; i++)
		fprintf(file, "%s\n", lines->data[i]);
	bool written = !ferror(file);
	if (fclose(file) != 0 || !written || rename(temporary, path) != 0)
		unlink(temporary);
}

void history_load(const char *path, void (*fn)(void *ctx, const char *line), void *ctx)
{
	struct lines lines = { 0 };
	struct stat st;
	FILE *file = path ? fopen(path, "re") : NULL;

	if (!file)
		return;
	if (fstat(fileno(file), &st) == 0 && S_ISREG(st.st_mode) && st.st_size < FILE_MAX)
		read_lines(file, &lines);
	fclose(file);
	if (lines.count > LINES_MAX)
		cut(path, &lines);
	for (size_t i = lines.count > LINES_KEPT ? lines.count - LINES_KEPT : 0; i < lines.count;
	     i++)
		fn(ctx, lines.data[i]);
	vec_for_each (line, &lines)
		free(*line);
	vec_deinit(&lines);
}

static void make_folders(const char *path)
{
	auto_free char *folder = xstrdup(path);

	for (char *s = folder + 1; (s = strchr(s, '/')); s++) {
		*s = '\0';
		mkdir(folder, 0700);
		*s = '/';
	}
}

void history_add(const char *path, const char *line)
{
	int fd;

	if (!path)
		return;
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		make_folders(path);
		fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	}
	if (fd < 0)
		return;
	dprintf(fd, "%s\n", line);
	close(fd);
}
