// SPDX-License-Identifier: LGPL-2.1-or-later
/* Regular files are mapped as they are; what cannot be mapped is first copied to a file that can. */
#include "base/filemap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

static struct error *system_error(const char *path, const char *what)
{
	return error_new(ERROR_SYSTEM, "%s: cannot %s: %s", path, what, strerror(errno));
}

static bool write_all(int fd, const char *buf, size_t len)
{
	while (len) {
		ssize_t n = write(fd, buf, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		buf += n;
		len -= (size_t)n;
	}
	return true;
}

/* A pipe cannot be mapped: its bytes go to a file that vanishes with its descriptor. */
static struct error *spool(int in, const char *path, int *out)
{
	enum { CHUNK = 1 << 16 };
	const char *dir = getenv("TMPDIR");
	auto_free char *name = xasprintf("%s/inquest-XXXXXX", dir && *dir ? dir : "/tmp");
	auto_free char *buf = xmalloc(CHUNK);
	ssize_t n;

	int fd = mkstemp(name);
	if (fd < 0)
		return system_error(name, "create");
	unlink(name);
	while ((n = read(in, buf, CHUNK)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || !write_all(fd, buf, (size_t)n)) {
			struct error *err = system_error(path, "copy to a temporary file");
			close(fd);
			return err;
		}
	}
	*out = fd;
	return NULL;
}

static struct error *open_mappable(const char *path, int *out, struct stat *st)
{
	int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return system_error(path, "open");
	if (fstat(fd, st) < 0) {
		struct error *err = system_error(path, "stat");
		close(fd);
		return err;
	}
	if (S_ISFIFO(st->st_mode) || S_ISSOCK(st->st_mode) || S_ISCHR(st->st_mode)) {
		int spooled = -1;
		struct error *err = spool(fd, path, &spooled);
		close(fd);
		if (err)
			return err;
		fd = spooled;
		if (fstat(fd, st) < 0) {
			err = system_error(path, "stat");
			close(fd);
			return err;
		}
	} else if (!S_ISREG(st->st_mode)) {
		close(fd);
		return error_new(ERROR_USAGE, "%s: not a regular file or a pipe", path);
	}
	*out = fd;
	return NULL;
}

struct error *filemap_open(const char *path, struct filemap **map)
{
	struct stat st;
	int fd = -1;
	void *data = NULL;

	struct error *err = open_mappable(path, &fd, &st);
	if (err)
		return err;
	size_t size = (size_t)st.st_size;
	if (size) {
		data = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
		if (data == MAP_FAILED) {
			err = system_error(path, "map");
			close(fd);
			return err;
		}
		(void)madvise(data, size, MADV_RANDOM);
	}
	*map = xmalloc(sizeof(**map));
	**map = (struct filemap){ .data = data, .size = size, .path = xstrdup(path), .fd = fd };
	return NULL;
}

void filemap_need(const struct filemap *map, size_t offset, size_t size)
{
	size_t start = offset & ~((size_t)sysconf(_SC_PAGESIZE) - 1);

	if (map->data && offset < map->size)
		(void)madvise((void *)(uintptr_t)(map->data + start),
			      (size_t)min_u64(size, map->size - offset) + (offset - start),
			      MADV_WILLNEED);
}

void filemap_close(struct filemap *map)
{
	if (!map)
		return;
	if (map->data)
		munmap((void *)(uintptr_t)map->data, map->size);
	close(map->fd);
	free(map->path);
	free(map);
}
