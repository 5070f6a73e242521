/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Call frame information of all debug files. Internal to unwind/. */
#pragma once

#include "symbols/debuginfo.h"
#include "unwind/cfi.h"

struct cfi_files;

/* Opens nothing yet. */
struct cfi_files *cfi_files_create(struct debuginfo *debug);
void cfi_files_destroy(struct cfi_files *files);
/* What holds at @pc, by the debug file that covers it. Thread-safe. */
bool cfi_files_find(struct cfi_files *files, uint64_t pc, struct cfi_row *row);
