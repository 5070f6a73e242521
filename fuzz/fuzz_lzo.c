// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * LZO1X decompression, against liblzo2 where that is installed: where it accepts a stream, ours
 * must give the same bytes; where it does not, ours may only accept what fits.
 */
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_LZO2
#include <lzo/lzo1x.h>
#endif

#include "base/alloc.h"
#include "dump/lzo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUT_MAX = 1 << 16 };

#ifdef HAVE_LZO2
static void compare(const uint8_t *in, size_t size, size_t out_size, bool ok, const uint8_t *out,
		    size_t len)
{
	uint8_t *expected = xmalloc(out_size);
	lzo_uint expected_len = out_size;

	int result = lzo1x_decompress_safe(in, size, expected, &expected_len, NULL);
	if (result == LZO_E_OK &&
	    (!ok || len != expected_len || memcmp(out, expected, len) != 0))
		abort();
	free(expected);
}
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len = 0;

	if (size < 2)
		return 0;
	/* Exact buffers, so that the sanitizer sees one byte too many. */
	size_t out_size = (size_t)(data[0] | data[1] << 8) % OUT_MAX;
	uint8_t *in = xmalloc(size - 2), *out = xmalloc(out_size);
	memcpy(in, data + 2, size - 2);
	bool ok = lzo_decompress(in, size - 2, out, out_size, &len);
	if (ok && len > out_size)
		abort();
#ifdef HAVE_LZO2
	compare(in, size - 2, out_size, ok, out, len);
#endif
	free(in);
	free(out);
	return 0;
}
