/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compressed debug files; private to the station. */
#pragma once

#include "base/error.h"

/*
 * When the file behind @fd is compressed (gzip, xz, lzma, zstd, lz4) or a bzImage (vmlinuz),
 * unpacks it into an unlinked temporary file: @unpacked is its descriptor, else -1. @fd stays the
 * caller's.
 */
struct error *unpack_file(int fd, int *unpacked) must_check;

/* The same for bytes in memory. */
struct error *unpack_bytes(const uint8_t *data, size_t size, int *unpacked) must_check;
