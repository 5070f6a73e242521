/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers of variable length in DWARF (LEB128: DWARF 5, 7.6). Bits beyond 64 are dropped. */
#pragma once

#include "base/bytes.h"

static inline uint64_t bytes_uleb(struct bytes *b)
{
	uint64_t value = 0;

	for (unsigned shift = 0;; shift += 7) {
		uint8_t byte = bytes_u8(b);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		if (b->bad || !(byte & 0x80))
			return b->bad ? 0 : value;
	}
}

static inline int64_t bytes_sleb(struct bytes *b)
{
	uint64_t value = 0;

	for (unsigned shift = 0;; shift += 7) {
		uint8_t byte = bytes_u8(b);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		if (b->bad)
			return 0;
		if (byte & 0x80)
			continue;
		if (shift + 7 < 64 && byte & 0x40)
			value |= ~UINT64_C(0) << (shift + 7);
		return (int64_t)value;
	}
}
