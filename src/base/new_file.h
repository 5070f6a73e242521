/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file that is there whole or not at all: written beside its place, and put there at the end. */
#pragma once

#include <stdio.h>

#include "base/error.h"

struct new_file {
	FILE *out;
	char *path, *temporary;
};

/*
 * @path is kept until the file is finished; what is there stays until then. Where it is no file, as
 * /dev/null is none, it is written to as it is.
 */
struct error *new_file_create(const char *path, struct new_file *file) must_check;
/* Puts it in its place, or after a failed write takes it away. @file is over in any case. */
struct error *new_file_finish(struct new_file *file) must_check;
