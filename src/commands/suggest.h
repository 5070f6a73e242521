/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* "Did you mean": the nearest of the names that there are. */
#pragma once

#include "commands/args.h"

/*
 * Each gives " (did you mean NAME?)" in @arena, or "" when nothing is near: to be put behind the
 * sentence that says what does not exist.
 */
const char *suggest_symbol(struct session *s, struct arena *arena, const char *name);
/* Structs, unions, enums and typedefs. */
const char *suggest_type(struct session *s, struct arena *arena, const char *name);
/* Either. */
const char *suggest_name(struct session *s, struct arena *arena, const char *name);
/* The member of @type where @path ("se.vruntim") goes wrong. */
const char *suggest_member(struct arena *arena, struct type type, const char *path);
const char *suggest_option(struct arena *arena, const struct option *table, size_t count,
			   const char *word);

/* The name alone, NULL when nothing is near. */
const char *suggest_symbol_name(struct session *s, struct arena *arena, const char *name);
/* "struct x has no member y", with the nearest. */
struct error *suggest_no_member(const char *spelled, struct type type, const char *path) must_check;
