/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One file that may have debug info: what it is, and whether it belongs; private to the station. */
#pragma once

#include "base/error.h"
#include "symbols/debuginfo.h"

struct debug_file {
	char *path;     /* as it was found */
	int fd;         /* of the ELF file: unpacked when it was packed */
	bool packed, relocatable, has_dwarf;
	uint16_t machine;
	char build_id[BUILD_ID_HEX_MAX]; /* "" when it has none */
	char srcversion[64];             /* of a module; "" */
	char *debuglink;                 /* a name, without a folder; NULL */
};

/* An error when it cannot be opened or unpacked, or is no ELF file. */
struct error *debug_file_open(const char *path, struct debug_file **file) must_check;
/* Of a descriptor, which it takes over. */
struct error *debug_file_open_fd(int fd, const char *path, struct debug_file **file) must_check;
/* Accepts NULL. */
void debug_file_close(struct debug_file *file);
/* The text that symbol @name points to, for the kernel's banner; false when there is none. */
bool debug_file_text(const struct debug_file *file, const char *name, char *buf, size_t size);
