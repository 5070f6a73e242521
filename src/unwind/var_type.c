// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Types of variables. Entries may refer to each other in circles in a damaged file: chains are
 * followed for a bounded number of steps.
 */
#include "unwind/var_type.h"

#include <dwarf.h>
#include <string.h>

enum { CHAIN_MAX = 24, ENUMERATORS_MAX = 4096 };

bool var_type_of(Dwarf_Die *die, Dwarf_Die *type)
{
	Dwarf_Attribute attr;

	return dwarf_attr_integrate(die, DW_AT_type, &attr) && dwarf_formref_die(&attr, type);
}

static bool is_transparent(int tag)
{
	return tag == DW_TAG_typedef || tag == DW_TAG_const_type || tag == DW_TAG_volatile_type ||
	       tag == DW_TAG_restrict_type || tag == DW_TAG_atomic_type;
}

bool var_type_strip(const Dwarf_Die *type, Dwarf_Die *stripped)
{
	*stripped = *type;
	for (unsigned i = 0; i < CHAIN_MAX; i++) {
		Dwarf_Die next;
		if (!is_transparent(dwarf_tag(stripped)))
			return true;
		if (!var_type_of(stripped, &next))
			return false;
		*stripped = next;
	}
	return false;
}

bool var_type_same(const Dwarf_Die *a, const Dwarf_Die *b)
{
	Dwarf_Die one = *a, other = *b;

	for (unsigned i = 0; i < CHAIN_MAX; i++) {
		Dwarf_Die x, y;
		if (!var_type_strip(&one, &x) || !var_type_strip(&other, &y))
			return false;
		if (x.addr == y.addr)
			return true;
		if (dwarf_tag(&x) != dwarf_tag(&y))
			return false;
		if (dwarf_tag(&x) == DW_TAG_pointer_type) {
			bool ends = !var_type_of(&x, &one), other_ends = !var_type_of(&y, &other);
			if (ends || other_ends)
				return ends && other_ends;
			continue;
		}
		const char *name = dwarf_diename(&x), *other_name = dwarf_diename(&y);
		return name && other_name && strcmp(name, other_name) == 0 &&
		       var_type_size(&x) == var_type_size(&y);
	}
	return false;
}

static const char *qualifier(int tag)
{
	switch (tag) {
	case DW_TAG_const_type:
		return "const";
	case DW_TAG_volatile_type:
		return "volatile";
	case DW_TAG_restrict_type:
		return "restrict";
	case DW_TAG_atomic_type:
		return "_Atomic";
	default:
		return NULL;
	}
}

static const char *keyword(int tag)
{
	switch (tag) {
	case DW_TAG_structure_type:
		return "struct ";
	case DW_TAG_union_type:
		return "union ";
	case DW_TAG_enumeration_type:
		return "enum ";
	default:
		return "";
	}
}

/* Qualifiers of a pointer stand behind it: they come in the order in which the chain ends. */
static void spell(const Dwarf_Die *type, struct strbuf *out, unsigned depth);

static void spell_target(Dwarf_Die *type, struct strbuf *out, unsigned depth)
{
	Dwarf_Die target;

	if (var_type_of(type, &target))
		spell(&target, out, depth);
	else
		strbuf_add(out, "void");
}

static void spell_array(Dwarf_Die *type, struct strbuf *out, unsigned depth)
{
	Dwarf_Die range;

	spell_target(type, out, depth);
	strbuf_add_char(out, ' ');
	if (dwarf_child(type, &range) != 0)
		return;
	for (unsigned i = 0; i < CHAIN_MAX; i++) {
		Dwarf_Attribute attr;
		Dwarf_Word n;
		if (dwarf_attr(&range, DW_AT_upper_bound, &attr) && dwarf_formudata(&attr, &n) == 0)
			strbuf_addf(out, "[%llu]", (unsigned long long)n + 1);
		else if (dwarf_attr(&range, DW_AT_count, &attr) && dwarf_formudata(&attr, &n) == 0)
			strbuf_addf(out, "[%llu]", (unsigned long long)n);
		else
			strbuf_add(out, "[]");
		if (dwarf_siblingof(&range, &range) != 0)
			break;
	}
}

static void spell_pointer(Dwarf_Die *type, struct strbuf *out, unsigned depth)
{
	Dwarf_Die target, stripped;

	if (var_type_of(type, &target) && var_type_strip(&target, &stripped) &&
	    dwarf_tag(&target) == DW_TAG_subroutine_type) {
		spell_target(&target, out, depth);
		strbuf_add(out, " (*)()");
		return;
	}
	spell_target(type, out, depth);
	strbuf_add(out, strbuf_text(out)[out->len - 1] == '*' ? "*" : " *");
}

static void spell(const Dwarf_Die *type, struct strbuf *out, unsigned depth)
{
	Dwarf_Die die = *type, target;
	int tag = dwarf_tag(&die);
	const char *name = dwarf_diename(&die);

	if (depth > CHAIN_MAX) {
		strbuf_add_char(out, '?');
	} else if (qualifier(tag) && var_type_of(&die, &target) &&
		   dwarf_tag(&target) == DW_TAG_array_type) {
		spell(&target, out, depth + 1); /* its elements are qualified as well */
	} else if (qualifier(tag)) {
		bool pointer =
			var_type_of(&die, &target) && dwarf_tag(&target) == DW_TAG_pointer_type;
		if (!pointer)
			strbuf_addf(out, "%s ", qualifier(tag));
		spell_target(&die, out, depth + 1);
		if (pointer)
			strbuf_addf(out, " %s", qualifier(tag));
	} else if (tag == DW_TAG_pointer_type) {
		spell_pointer(&die, out, depth + 1);
	} else if (tag == DW_TAG_array_type) {
		spell_array(&die, out, depth + 1);
	} else {
		strbuf_addf(out, "%s%s", keyword(tag), name ? name : "{...}");
	}
}

void var_type_spell(const Dwarf_Die *type, struct strbuf *out)
{
	spell(type, out, 0);
}

static uint64_t number(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attr;
	Dwarf_Word value;

	if (!dwarf_attr_integrate(die, name, &attr) || dwarf_formudata(&attr, &value) != 0)
		return 0;
	return value;
}

static enum variable_kind base_kind(Dwarf_Die *type)
{
	switch (number(type, DW_AT_encoding)) {
	case DW_ATE_signed:
		return VARIABLE_SIGNED;
	case DW_ATE_unsigned:
		return VARIABLE_UNSIGNED;
	case DW_ATE_boolean:
		return VARIABLE_BOOL;
	case DW_ATE_signed_char:
	case DW_ATE_unsigned_char:
		return VARIABLE_CHAR;
	case DW_ATE_float:
		return VARIABLE_FLOAT;
	default:
		return VARIABLE_OTHER;
	}
}

enum variable_kind var_type_kind(const Dwarf_Die *type)
{
	Dwarf_Die stripped;

	if (!var_type_strip(type, &stripped))
		return VARIABLE_OTHER;
	switch (dwarf_tag(&stripped)) {
	case DW_TAG_base_type:
		return base_kind(&stripped);
	case DW_TAG_pointer_type:
		return VARIABLE_POINTER;
	case DW_TAG_enumeration_type:
		return VARIABLE_ENUM;
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_class_type:
	case DW_TAG_array_type:
		return VARIABLE_AGGREGATE;
	default:
		return VARIABLE_OTHER;
	}
}

uint64_t var_type_size(const Dwarf_Die *type)
{
	Dwarf_Die stripped;
	Dwarf_Word size;

	/* Some compilers leave out the size of pointers. */
	if (!var_type_strip(type, &stripped))
		return 0;
	if (dwarf_aggregate_size(&stripped, &size) == 0)
		return size;
	return dwarf_tag(&stripped) == DW_TAG_pointer_type ? 8 : 0;
}

const char *var_type_enumerator(const Dwarf_Die *type, uint64_t value)
{
	Dwarf_Die stripped, die;

	if (!var_type_strip(type, &stripped) || dwarf_tag(&stripped) != DW_TAG_enumeration_type ||
	    dwarf_child(&stripped, &die) != 0)
		return NULL;
	uint64_t size = var_type_size(type);
	uint64_t mask = size && size < 8 ? (UINT64_C(1) << size * 8) - 1 : UINT64_MAX;
	for (unsigned i = 0; i < ENUMERATORS_MAX; i++) {
		Dwarf_Attribute attr;
		Dwarf_Word mine;
		Dwarf_Sword mine_signed;
		if (dwarf_tag(&die) == DW_TAG_enumerator &&
		    dwarf_attr(&die, DW_AT_const_value, &attr) &&
		    ((dwarf_formudata(&attr, &mine) == 0 && !((mine ^ value) & mask)) ||
		     (dwarf_formsdata(&attr, &mine_signed) == 0 &&
		      !(((uint64_t)mine_signed ^ value) & mask))))
			return dwarf_diename(&die);
		if (dwarf_siblingof(&die, &die) != 0)
			break;
	}
	return NULL;
}

bool var_type_base(Dwarf_Die *type, struct expr_type *base)
{
	enum variable_kind kind = var_type_kind(type);
	uint64_t size = var_type_size(type);
	uint64_t encoding = number(type, DW_AT_encoding);

	if (dwarf_tag(type) != DW_TAG_base_type || !size || size > 8 ||
	    (kind != VARIABLE_SIGNED && kind != VARIABLE_UNSIGNED && kind != VARIABLE_BOOL &&
	     kind != VARIABLE_CHAR))
		return false;
	*base = (struct expr_type){
		.size = (uint8_t)size,
		.is_signed = encoding == DW_ATE_signed || encoding == DW_ATE_signed_char,
	};
	return true;
}
