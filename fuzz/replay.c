// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Runs a fuzz target over the files of the folders or files given: findings of earlier fuzzing
 * stay fixed. A folder that is not there or is empty is an error, or the test could not fail.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/alloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (!f || fseek(f, 0, SEEK_END) != 0) {
		perror(path);
		exit(1);
	}
	long end = ftell(f);
	size_t size = end > 0 ? (size_t)end : 0;
	uint8_t *data = xmalloc(size);
	rewind(f);
	if (fread(data, 1, size, f) != size) {
		perror(path);
		exit(1);
	}
	fclose(f);
	(void)LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 1;
}

static size_t replay(const char *path)
{
	struct stat st;
	size_t count = 0;

	if (stat(path, &st) < 0) {
		perror(path);
		exit(1);
	}
	if (!S_ISDIR(st.st_mode))
		return replay_file(path);
	DIR *dir = opendir(path);
	if (!dir) {
		perror(path);
		exit(1);
	}
	for (struct dirent *e; (e = readdir(dir));) {
		if (e->d_name[0] == '.')
			continue;
		char *child = xasprintf("%s/%s", path, e->d_name);
		count += replay(child);
		free(child);
	}
	closedir(dir);
	return count;
}

int main(int argc, char **argv)
{
	size_t count = 0;

	for (int i = 1; i < argc; i++)
		count += replay(argv[i]);
	printf("%zu inputs replayed\n", count);
	return count ? 0 : 1;
}
