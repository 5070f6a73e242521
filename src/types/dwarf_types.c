// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What DWARF says of a type, in the terms of types/source.h.
 *
 * A handle is the offset of a DIE in .debug_info. What needs more (a DIE of dwz's alternate file,
 * one of the inner dimensions of an array, which are children of one DIE) has a number in a table
 * and the top bit set. A DIE is read anew for each question; only where its children are is
 * remembered, and which definition a declaration stands for.
 *
 * Rings of DIEs (a typedef of itself) are bounded by who follows chains, see type.c; children are
 * met in the order of their offsets, so that a walk ends with the unit.
 */
#include <dwarf.h>
#include <string.h>

#include "types/dwarf.h"

#define HANDLE_TABLE   (UINT32_C(1) << 31)
#define HANDLES_MAX    (1u << 20)
#define CHILDREN_MAX   (1u << 20)
#define DIMENSIONS_MAX 16
/* Beyond the address space: what a damaged offset gives. */
#define LOCATION_MAX (UINT64_C(1) << 48)

/* Of one DIE: those of interest, as offsets from the start of the unit. */
struct dwarf_children {
	uint32_t count;
	uint32_t offset[];
};

static uint64_t key_of(const struct dwarf_die *die)
{
	return die->offset | (uint64_t)die->unit->file << 63;
}

/* --- Handles --- */

static struct type new_handle(struct dwarf *dwarf, struct dwarf_place place, uint32_t dimension)
{
	uint64_t key = place.offset << 8 | (dimension & 15) << 1 | place.file, i = 0;

	if (place.offset > UINT64_MAX >> 8)
		return (struct type){ 0 };
	pthread_mutex_lock(&dwarf->lock);
	bool there = map_get(&dwarf->handle_of, key, &i);
	if (!there && dwarf->handles.count < HANDLES_MAX) {
		there = true;
		i = dwarf->handles.count;
		map_set(&dwarf->handle_of, key, i);
		vec_push(&dwarf->handles,
			 (struct dwarf_handle){ .place = place, .dimension = dimension });
	}
	pthread_mutex_unlock(&dwarf->lock);
	if (!there)
		return (struct type){ 0 };
	return (struct type){ .source = &dwarf->source, .id = (uint32_t)i | HANDLE_TABLE };
}

struct type dwarf_type(struct dwarf *dwarf, struct dwarf_place place, uint32_t dimension)
{
	if (place.file == DWARF_MAIN && !dimension && place.offset < HANDLE_TABLE)
		return (struct type){ .source = &dwarf->source, .id = (uint32_t)place.offset };
	return new_handle(dwarf, place, dimension);
}

struct type dwarf_type_of(struct dwarf *dwarf, const struct dwarf_die *die)
{
	if (!(die->has & HAS_TYPE))
		return (struct type){ .source = &dwarf->source, .id = 0 }; /* void */
	if (!die->type.offset)
		return (struct type){ 0 };
	return dwarf_type(dwarf, die->type, 0);
}

static bool handle_place(struct dwarf *dwarf, uint32_t id, struct dwarf_handle *handle)
{
	bool good = true;

	if (!(id & HANDLE_TABLE)) {
		*handle = (struct dwarf_handle){ .place = { .offset = id } };
		return true;
	}
	pthread_mutex_lock(&dwarf->lock);
	if ((id & ~HANDLE_TABLE) < dwarf->handles.count)
		*handle = dwarf->handles.data[id & ~HANDLE_TABLE];
	else
		good = false;
	pthread_mutex_unlock(&dwarf->lock);
	return good;
}

static bool is_compound(unsigned tag)
{
	return tag == DW_TAG_structure_type || tag == DW_TAG_union_type ||
	       tag == DW_TAG_class_type || tag == DW_TAG_enumeration_type;
}

/* Puts the definition of a declared struct in its place, where there is one. */
static void complete(struct dwarf *dwarf, struct dwarf_die *die)
{
	uint64_t key = key_of(die), value;
	struct dwarf_place place = { 0 };
	struct dwarf_die definition;

	pthread_mutex_lock(&dwarf->lock);
	bool known = map_get(&dwarf->definitions, key, &value);
	pthread_mutex_unlock(&dwarf->lock);
	if (!known) {
		(void)dwarf_find_definition(dwarf, die->tag, die->name, &place);
		value = place.offset | (uint64_t)place.file << 63;
		pthread_mutex_lock(&dwarf->lock);
		map_set(&dwarf->definitions, key, value);
		pthread_mutex_unlock(&dwarf->lock);
	}
	place.offset = value & (UINT64_MAX >> 1);
	place.file = value >> 63 ? DWARF_ALT : DWARF_MAIN;
	if (place.offset && dwarf_die_at(dwarf, place, &definition))
		*die = definition;
}

static bool open_handle(const struct type_source *source, uint32_t id, struct dwarf_die *die,
			uint32_t *dimension)
{
	struct dwarf *dwarf = dwarf_of(source);
	struct dwarf_handle handle;

	if (!handle_place(dwarf, id, &handle) || !dwarf_die_at(dwarf, handle.place, die))
		return false;
	*dimension = handle.dimension;
	if (die->declaration && is_compound(die->tag) && *die->name)
		complete(dwarf, die);
	return true;
}

/* --- Children --- */

/* Tags of children that belong to what a DIE of @tag is. */
static bool is_wanted_child(unsigned tag, const struct dwarf_die *child)
{
	switch (tag) {
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_class_type:
		return child->tag == DW_TAG_member && !child->external && !child->declaration;
	case DW_TAG_enumeration_type:
		return child->tag == DW_TAG_enumerator;
	case DW_TAG_array_type:
		return child->tag == DW_TAG_subrange_type || child->tag == DW_TAG_enumeration_type;
	default:
		return child->tag == DW_TAG_formal_parameter ||
		       child->tag == DW_TAG_unspecified_parameters;
	}
}

/* Where the DIE after @die and its children begins; 0 when that cannot be told. */
static uint64_t after(struct dwarf *dwarf, const struct dwarf_die *die)
{
	struct dwarf_die inner;
	uint64_t at = die->end;
	unsigned depth = 1;

	if (!die->children)
		return die->end;
	if (die->sibling > die->end && die->sibling < die->unit->end)
		return die->sibling;
	while (depth && dwarf_die_read(dwarf->sections, die->unit, at, &inner)) {
		at = inner.end;
		if (!inner.tag)
			depth--;
		else if (inner.children && inner.sibling > at && inner.sibling < die->unit->end)
			at = inner.sibling;
		else if (inner.children)
			depth++;
	}
	return depth ? 0 : at;
}

struct offsets {
	vec_fields(uint32_t);
};

static void collect(struct dwarf *dwarf, const struct dwarf_die *die, struct offsets *offsets)
{
	struct dwarf_die child;
	uint64_t at = die->children ? die->end : 0;

	while (at && offsets->count < CHILDREN_MAX &&
	       dwarf_die_read(dwarf->sections, die->unit, at, &child) && child.tag) {
		if (is_wanted_child(die->tag, &child))
			vec_push(offsets, (uint32_t)(at - die->unit->start));
		at = after(dwarf, &child);
	}
}

static const struct dwarf_children *children_of(struct dwarf *dwarf, const struct dwarf_die *die)
{
	struct offsets offsets = { 0 };
	struct dwarf_children *children;
	uint64_t value;

	pthread_mutex_lock(&dwarf->lock);
	bool known = map_get(&dwarf->children, key_of(die), &value);
	pthread_mutex_unlock(&dwarf->lock);
	if (known)
		return (const void *)(uintptr_t)value;
	collect(dwarf, die, &offsets);
	pthread_mutex_lock(&dwarf->lock);
	children = arena_alloc(&dwarf->arena,
			       sizeof(*children) + offsets.count * sizeof(children->offset[0]));
	children->count = (uint32_t)offsets.count;
	if (offsets.count)
		memcpy(children->offset, offsets.data, offsets.count * sizeof(*offsets.data));
	map_set(&dwarf->children, key_of(die), (uintptr_t)children);
	pthread_mutex_unlock(&dwarf->lock);
	vec_deinit(&offsets);
	return children;
}

static bool child_at(struct dwarf *dwarf, const struct dwarf_die *die, unsigned i,
		     struct dwarf_die *child)
{
	const struct dwarf_children *children = children_of(dwarf, die);

	return i < children->count && dwarf_die_read(dwarf->sections, die->unit,
						     die->unit->start + children->offset[i], child);
}

/* --- Kinds --- */

static void describe_base(const struct dwarf_die *die, struct type_info *info)
{
	info->kind = TYPE_INT;
	info->size = die->byte_size;
	switch (die->encoding) {
	case DW_ATE_float:
	case DW_ATE_complex_float:
	case DW_ATE_imaginary_float:
	case DW_ATE_decimal_float:
		info->kind = TYPE_FLOAT;
		break;
	case DW_ATE_boolean:
		info->is_bool = true;
		break;
	case DW_ATE_signed:
	case DW_ATE_signed_char:
		info->is_signed = true;
		break;
	default:
		break;
	}
}

/* The base type of an enum's values, through typedefs; an enum of enums does not exist. */
static bool underlying_type(struct dwarf *dwarf, const struct dwarf_die *die,
			    struct dwarf_die *base)
{
	*base = *die;
	for (int i = 0; i < TYPE_CHAIN_MAX && base->type.offset; i++) {
		if (!dwarf_die_at(dwarf, base->type, base) || base->tag == DW_TAG_enumeration_type)
			return false;
		if (base->tag == DW_TAG_base_type)
			return true;
	}
	return false;
}

/* An enum is signed as its underlying type is; where that is not told, if a value is negative. */
static void describe_enum(struct dwarf *dwarf, const struct dwarf_die *die, struct type_info *info)
{
	struct dwarf_die child;

	info->kind = TYPE_ENUM;
	info->size = die->byte_size;
	info->count = children_of(dwarf, die)->count;
	if (die->type.offset) {
		if (!underlying_type(dwarf, die, &child))
			return;
		info->is_signed =
			child.encoding == DW_ATE_signed || child.encoding == DW_ATE_signed_char;
		if (!(die->has & HAS_BYTE_SIZE))
			info->size = child.byte_size;
		return;
	}
	for (unsigned i = 0; i < info->count; i++) {
		if (child_at(dwarf, die, i, &child) && child.has & HAS_VALUE && child.value < 0)
			info->is_signed = true;
	}
}

static uint64_t array_length(const struct dwarf_die *range)
{
	if (range->has & HAS_COUNT)
		return range->count;
	/* Without an upper bound: a flexible array. -1 is how old compilers wrote [0]. */
	return range->has & HAS_UPPER_BOUND ? range->upper_bound + 1 : 0;
}

static void describe_array(struct dwarf *dwarf, const struct dwarf_die *die, uint32_t dimension,
			   struct type_info *info)
{
	const struct dwarf_children *ranges = children_of(dwarf, die);
	struct dwarf_place place = { .offset = die->offset, .file = die->unit->file };
	struct dwarf_die range;

	info->kind = TYPE_ARRAY;
	info->name = "";
	if (child_at(dwarf, die, dimension, &range))
		info->length = array_length(&range);
	if (dimension + 1 < ranges->count && dimension + 1 < DIMENSIONS_MAX)
		info->target = dwarf_type(dwarf, place, dimension + 1);
	else
		info->target = dwarf_type_of(dwarf, die);
}

static void describe_function(struct dwarf *dwarf, const struct dwarf_die *die,
			      struct type_info *info)
{
	struct dwarf_die declared;

	info->kind = TYPE_FUNCTION;
	info->name = "";
	info->count = children_of(dwarf, die)->count;
	if (!(die->has & HAS_TYPE) && die->specification.offset &&
	    dwarf_die_at(dwarf, die->specification, &declared))
		info->target = dwarf_type_of(dwarf, &declared);
	else
		info->target = dwarf_type_of(dwarf, die);
}

static void describe_qualifier(const struct dwarf_die *die, struct type_info *info)
{
	info->kind = TYPE_QUALIFIER;
	info->name = "";
	info->qualifier = die->tag == DW_TAG_const_type      ? QUALIFIER_CONST
			  : die->tag == DW_TAG_volatile_type ? QUALIFIER_VOLATILE
			  : die->tag == DW_TAG_restrict_type ? QUALIFIER_RESTRICT
							     : QUALIFIER_TAG;
}

static bool describe_die(struct dwarf *dwarf, const struct dwarf_die *die, uint32_t dimension,
			 struct type_info *info)
{
	info->name = die->name;
	switch (die->tag) {
	case DW_TAG_base_type:
		describe_base(die, info);
		return true;
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
		info->kind = die->tag == DW_TAG_union_type ? TYPE_UNION : TYPE_STRUCT;
		info->incomplete = die->declaration;
		info->size = die->byte_size;
		if (!die->declaration)
			info->count = children_of(dwarf, die)->count;
		return true;
	case DW_TAG_enumeration_type:
		describe_enum(dwarf, die, info);
		return true;
	case DW_TAG_array_type:
		describe_array(dwarf, die, dimension, info);
		return true;
	case DW_TAG_subroutine_type:
	case DW_TAG_subprogram:
		describe_function(dwarf, die, info);
		return true;
	case DW_TAG_unspecified_type:
		info->kind = TYPE_VOID;
		info->name = "";
		return true;
	default:
		break;
	}
	info->target = dwarf_type_of(dwarf, die);
	switch (die->tag) {
	case DW_TAG_pointer_type:
		info->kind = TYPE_POINTER;
		info->name = "";
		info->size = die->has & HAS_BYTE_SIZE ? die->byte_size : die->unit->address_size;
		return true;
	case DW_TAG_typedef:
		info->kind = TYPE_TYPEDEF;
		return true;
	case DW_TAG_const_type:
	case DW_TAG_volatile_type:
	case DW_TAG_restrict_type:
	case DW_TAG_atomic_type:
		describe_qualifier(die, info);
		return true;
	default:
		return false;
	}
}

static bool dwarf_describe(const struct type_source *source, uint32_t id, struct type_info *info)
{
	struct type_info found = { .name = "" };
	struct dwarf_die die;
	uint32_t dimension;

	if (id == 0)
		found.kind = TYPE_VOID;
	else if (!open_handle(source, id, &die, &dimension) ||
		 !describe_die(dwarf_of(source), &die, dimension, &found))
		return false;
	*info = found;
	return true;
}

/* --- Members --- */

/*
 * DWARF 4 counts a bit-field's bits from the start of the struct; before, from the high end of a
 * storage unit at the member's offset.
 */
static bool place_bits(const struct dwarf_die *die, struct raw_member *member)
{
	if (die->location >= LOCATION_MAX || die->bit_size > 64 || die->has & HAS_ODD_LOCATION)
		return false;
	member->bits = die->location * 8;
	if (!(die->has & HAS_BIT_SIZE))
		return true;
	member->bit_size = (unsigned)die->bit_size;
	if (die->has & HAS_DATA_BIT_OFFSET) {
		member->bits = die->data_bit_offset;
		return member->bits < LOCATION_MAX;
	}
	if (!(die->has & HAS_BIT_OFFSET))
		return true;
	uint64_t storage = die->has & HAS_BYTE_SIZE ? die->byte_size : type_size(member->type);
	int64_t from_end = (int64_t)die->bit_offset;
	if (storage == 0 || storage > 16 || from_end > 128 || from_end < -128)
		return false;
	int64_t bits = (int64_t)(member->bits + storage * 8) - from_end - (int64_t)die->bit_size;
	member->bits = (uint64_t)bits;
	return bits >= 0;
}

static bool parameter(struct dwarf *dwarf, const struct dwarf_die *child, struct raw_member *member)
{
	struct dwarf_die origin;

	if (child->tag == DW_TAG_unspecified_parameters) {
		/* As BTF does: void stands for "...". */
		*member = (struct raw_member){ .name = "", .type = { .source = &dwarf->source } };
		return true;
	}
	if (child->origin.offset && dwarf_die_at(dwarf, child->origin, &origin))
		child = &origin;
	*member = (struct raw_member){ .name = child->name, .type = dwarf_type_of(dwarf, child) };
	return true;
}

static bool dwarf_member(const struct type_source *source, uint32_t id, unsigned i,
			 struct raw_member *member)
{
	struct dwarf *dwarf = dwarf_of(source);
	struct dwarf_die die, child;
	uint32_t dimension;

	if (!open_handle(source, id, &die, &dimension) || !child_at(dwarf, &die, i, &child))
		return false;
	if (die.tag == DW_TAG_subroutine_type || die.tag == DW_TAG_subprogram)
		return parameter(dwarf, &child, member);
	if (child.tag != DW_TAG_member)
		return false;
	struct raw_member found = { .name = child.name, .type = dwarf_type_of(dwarf, &child) };
	if (!place_bits(&child, &found))
		return false;
	*member = found;
	return true;
}

static bool dwarf_enumerator(const struct type_source *source, uint32_t id, unsigned i,
			     const char **name, int64_t *value)
{
	struct dwarf_die die, child;
	uint32_t dimension;

	if (!open_handle(source, id, &die, &dimension) ||
	    !child_at(dwarf_of(source), &die, i, &child) || child.tag != DW_TAG_enumerator ||
	    !(child.has & HAS_VALUE))
		return false;
	*name = child.name;
	*value = child.value;
	return true;
}

const struct type_ops dwarf_type_ops = {
	.describe = dwarf_describe,
	.member = dwarf_member,
	.enumerator = dwarf_enumerator,
	.find = dwarf_find,
	.find_enumerator = dwarf_find_enumerator,
	.destroy = dwarf_destroy,
};
