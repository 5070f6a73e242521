/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/compiler.h"

/*
 * Decompresses one LZO1X stream of @in_size bytes into @out. @false when the stream is damaged,
 * does not end exactly with the input, or wants more than @out_size bytes; what is in @out is
 * then undefined. @out_len: how many bytes came out.
 */
bool lzo_decompress(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size,
		    size_t *out_len) must_check;
