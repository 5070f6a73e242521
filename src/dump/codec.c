// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Theory of operation: each page is compressed alone, with the codec that its descriptor names.
 * LZO and snappy need no state; libdeflate's and zstd's states are kept, as making a new zstd
 * context for each page costs four times the decompression.
 */
#include "dump/codec.h"

#include <libdeflate.h>
#include <pthread.h>
#include <snappy-c.h>
#include <zstd.h>

#include "dump/lzo.h"

/* Threads' ids are addresses some pages apart: mixed, they spread over the slots. */
static size_t own_slot(void)
{
	uint64_t id = (uint64_t)(uintptr_t)pthread_self();

	return (size_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 58) % CODEC_SLOTS;
}

static bool inflate_page(struct codec_pool *pool, const uint8_t *in, size_t in_size, uint8_t *out,
			 size_t out_size)
{
	_Atomic(void *) *slot = &pool->zlib[own_slot()];
	struct libdeflate_decompressor *state = atomic_exchange(slot, NULL);

	if (!state)
		state = libdeflate_alloc_decompressor();
	if (!state)
		return false;
	enum libdeflate_result result =
		libdeflate_zlib_decompress(state, in, in_size, out, out_size, NULL);
	libdeflate_free_decompressor(atomic_exchange(slot, state));
	return result == LIBDEFLATE_SUCCESS;
}

static bool unzstd_page(struct codec_pool *pool, const uint8_t *in, size_t in_size, uint8_t *out,
			size_t out_size)
{
	_Atomic(void *) *slot = &pool->zstd[own_slot()];
	ZSTD_DCtx *state = atomic_exchange(slot, NULL);

	if (!state)
		state = ZSTD_createDCtx();
	if (!state)
		return false;
	size_t n = ZSTD_decompressDCtx(state, out, out_size, in, in_size);
	ZSTD_freeDCtx(atomic_exchange(slot, state));
	return !ZSTD_isError(n) && n == out_size;
}

bool codec_decompress(struct codec_pool *pool, enum codec codec, const uint8_t *in, size_t in_size,
		      uint8_t *out, size_t out_size)
{
	size_t len = out_size;

	switch (codec) {
	case CODEC_ZLIB:
		return inflate_page(pool, in, in_size, out, out_size);
	case CODEC_LZO:
		return lzo_decompress(in, in_size, out, out_size, &len) && len == out_size;
	case CODEC_SNAPPY:
		return snappy_uncompress((const char *)in, in_size, (char *)out, &len) ==
			       SNAPPY_OK &&
		       len == out_size;
	case CODEC_ZSTD:
		return unzstd_page(pool, in, in_size, out, out_size);
	default:
		return false;
	}
}

void codec_pool_deinit(struct codec_pool *pool)
{
	for (size_t i = 0; i < CODEC_SLOTS; i++) {
		libdeflate_free_decompressor(atomic_exchange(&pool->zlib[i], NULL));
		ZSTD_freeDCtx(atomic_exchange(&pool->zstd[i], NULL));
	}
}

const char *codec_name(enum codec codec)
{
	switch (codec) {
	case CODEC_ZLIB:
		return "zlib";
	case CODEC_LZO:
		return "LZO";
	case CODEC_SNAPPY:
		return "snappy";
	case CODEC_ZSTD:
		return "zstd";
	default:
		return "none";
	}
}
