/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Functions that are known from a text alone: by the places in it ("func+0x12/0x34 [module]"). Of
 * what lies between them nothing is known. Private to the station, but for struct symbol_place.
 */
#pragma once

#include "symbols/symbols.h"

struct places;

/* Borrows the names and modules, copies the rest. */
struct places *places_create(const struct symbol_place *place, size_t count);
void places_destroy(struct places *places);
bool places_at(const struct places *places, uint64_t address, struct symbol *symbol);
bool places_find(const struct places *places, const char *name, const char *module,
		 size_t module_length, struct symbol *symbol);
/* False when @fn wants no more. */
bool places_each(const struct places *places, const struct module *module, symbol_fn fn, void *ctx);
