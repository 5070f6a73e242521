/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The prototypes of functions by their address in code. */
#pragma once

#include "kernel/session.h"

/*
 * The prototype of the function that starts at (or covers) @address: a type of kind TYPE_FUNCTION.
 * What the compiler made out of a function (".cold", ".part.0") has the prototype of the whole;
 * @changed says that its parameters may be other ones (".isra.0", ".constprop.0"). May be NULL.
 */
bool prototype_of(struct session *s, uint64_t address, struct type *prototype, bool *changed);
/* Does it take a pointer to @type (stripped)? */
bool prototype_takes(struct session *s, uint64_t address, struct type type);
/* Is @type a pointer to @target (stripped)? */
bool prototype_points_to(struct type type, struct type target);
