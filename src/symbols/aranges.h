/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* .debug_aranges: address -> compile unit; private to the station. */
#pragma once

#include "base/compiler.h"

/*
 * The offset in .debug_info of the first unit with a range that covers @address; false when there
 * is none. What is damaged in @data is passed over.
 */
bool aranges_find(const uint8_t *data, size_t size, uint64_t address, uint64_t *unit);
/* How many bytes of addresses it covers in all. */
uint64_t aranges_covered(const uint8_t *data, size_t size);
