/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files, mapped read-only. A dump can be larger than memory and is touched in few places: maps are
 * advised MADV_RANDOM, or a cold disk would read megabytes ahead for each page that we touch.
 */
#pragma once

#include "base/compiler.h"
#include "base/error.h"

struct filemap {
	const uint8_t *data;
	size_t size;
	char *path;
	int fd;
};

/* Maps a regular file, or reads a pipe ("-" is standard input) into an unlinked temporary file. */
struct error *filemap_open(const char *path, struct filemap **map) must_check;
/* This part will be read from end to end: one request to the disk, not one for each page. */
void filemap_need(const struct filemap *map, size_t offset, size_t size);
/* Accepts NULL. */
void filemap_close(struct filemap *map);
