/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decompression of one page. */
#pragma once

#include <stdatomic.h>

#include "base/compiler.h"

/* The codecs of page descriptors and of the header's status (diskdump_mod.h, DUMP_DH_*). */
enum codec {
	CODEC_NONE = 0,
	CODEC_ZLIB = 0x1,
	CODEC_LZO = 0x2,
	CODEC_SNAPPY = 0x4,
	CODEC_ZSTD = 0x20,
	CODEC_MASK = CODEC_ZLIB | CODEC_LZO | CODEC_SNAPPY | CODEC_ZSTD,
};

/*
 * Decompressor states (tens of KB each, dear to make) are lent to threads: a thread takes one out
 * of its slot, or makes one when the slot is empty, and puts it back. No thread ever waits.
 */
enum { CODEC_SLOTS = 64 };

struct codec_pool {
	_Atomic(void *) zlib[CODEC_SLOTS], zstd[CODEC_SLOTS];
};

/* @false: damaged, or it does not give exactly @out_size bytes. Thread-safe. */
bool codec_decompress(struct codec_pool *pool, enum codec codec, const uint8_t *in, size_t in_size,
		      uint8_t *out, size_t out_size) must_check;
void codec_pool_deinit(struct codec_pool *pool);
/* "LZO", "zlib" ... of one codec. */
const char *codec_name(enum codec codec);
