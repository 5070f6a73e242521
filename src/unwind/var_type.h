/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Types of variables, out of the debug file: their spelling and what kind they are. Internal. */
#pragma once

#include "base/strbuf.h"
#include "symbols/dwarf.h"
#include "unwind/expr.h"
#include "unwind/variables.h"

/* The type of @die, which may be inherited from what it is an instance of. */
bool var_type_of(Dwarf_Die *die, Dwarf_Die *type);
/* Without typedefs and qualifiers; false: void. */
bool var_type_strip(const Dwarf_Die *type, Dwarf_Die *stripped);
/* Are they the same type but for typedefs and qualifiers, also of what they point to? */
bool var_type_same(const Dwarf_Die *a, const Dwarf_Die *b);
void var_type_spell(const Dwarf_Die *type, struct strbuf *out);
enum variable_kind var_type_kind(const Dwarf_Die *type);
/* 0 when it is not known. */
uint64_t var_type_size(const Dwarf_Die *type);
/* The enumerator of an enum's value; NULL when there is none. */
const char *var_type_enumerator(const Dwarf_Die *type, uint64_t value);
/* For expressions; false when it is no integer of up to 8 bytes. */
bool var_type_base(Dwarf_Die *type, struct expr_type *base);
