// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What people are shown of a document's remarks. A damaged dump has the same hole in a hundred
 * places: of remarks that differ in their numbers only the first few are shown.
 */
#pragma once

#include "base/doc.h"

/* @more: so many of the kind follow and are not shown. */
typedef void (*remark_fn)(void *ctx, const struct doc_remark *remark, size_t more);
void remarks_each(const struct doc *doc, remark_fn fn, void *ctx);
