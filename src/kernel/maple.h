/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Maple trees (include/linux/maple_tree.h, since 6.1): ranges of numbers -> pointers. */
#pragma once

#include "kernel/session.h"

/* An entry and the range [@first, @last] that it stands for. False stops the walk. */
typedef bool (*maple_fn)(void *ctx, uint64_t first, uint64_t last, uint64_t entry);
/*
 * All entries of the struct maple_tree at @tree, in order. False when a part of it could not be
 * read or made no sense (a problem is noted under @what); the rest was shown all the same.
 */
bool maple_each(struct session *s, uint64_t tree, const char *what, maple_fn fn, void *ctx);
