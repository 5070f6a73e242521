/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pages that the user has changed, in place of the dump's own; private to this folder. */
#pragma once

#include "dump/dump.h"

struct overlay;

/* The page as it was changed; NULL: it was not. */
const uint8_t *overlay_page(const struct overlay *overlay, uint64_t pfn);
/* Room for @pfn, which has no page there yet: PAGE_SIZE bytes to be filled. Made when NULL. */
uint8_t *overlay_add(struct overlay **overlay, uint64_t pfn, uint16_t from, uint16_t to);
/* Which part of the page exists. */
void overlay_span(const struct overlay *overlay, uint64_t pfn, uint16_t *from, uint16_t *to);
void overlay_destroy(struct overlay *overlay);
