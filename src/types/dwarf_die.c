// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Units and DIEs of .debug_info, versions 2 to 5. A DIE is read whole, once, into a struct with
 * the attributes that types and variables need; the rest is passed over. Nothing is followed here:
 * references are places, which who follows them bounds.
 *
 * All offsets are within the section; a read that would leave its unit ends with false.
 *
 * Format: DWARF 5, 7.5.1 (headers), 7.5.5 (forms); 7.5.1 of DWARF 4 for version 2 to 4.
 */
#include <dwarf.h>

#include "base/bytes.h"
#include "types/dwarf.h"

#define OFFSET_64 0xffffffffu /* the 64-bit format's mark, 7.4 */

const char *dwarf_string(const struct span *strings, uint64_t offset)
{
	/* The section ends with a NUL: see dwarf_create(). */
	return offset < strings->size ? (const char *)strings->data + offset : NULL;
}

bool dwarf_unit_header(const struct span *info, unsigned file, uint64_t offset,
		       struct dwarf_unit *unit)
{
	struct bytes b = bytes_of(info->data, info->size);

	*unit = (struct dwarf_unit){ .file = file, .start = offset, .offset_size = 4 };
	bytes_seek(&b, offset);
	uint64_t length = bytes_u32(&b);
	if (length == OFFSET_64) {
		length = bytes_u64(&b);
		unit->offset_size = 8;
	}
	if (b.bad || length > bytes_left(&b))
		return false;
	unit->end = b.pos + length;
	b.size = unit->end;
	unit->version = (uint8_t)min_u64(bytes_u16(&b), 255);
	unsigned type = DW_UT_compile;
	if (unit->version >= 5) {
		type = bytes_u8(&b);
		unit->address_size = bytes_u8(&b);
	}
	unit->abbrev_offset = unit->offset_size == 8 ? bytes_u64(&b) : bytes_u32(&b);
	if (unit->version < 5)
		unit->address_size = bytes_u8(&b);
	if (type == DW_UT_skeleton || type == DW_UT_split_compile) {
		bytes_u64(&b); /* dwo_id */
	} else if (type == DW_UT_type || type == DW_UT_split_type) {
		unit->signature = bytes_u64(&b);
		unit->type_offset = unit->offset_size == 8 ? bytes_u64(&b) : bytes_u32(&b);
	}
	unit->root = b.pos;
	return !b.bad;
}

/* Is this a unit whose DIEs we can read? */
static bool unit_is_readable(const struct dwarf_unit *unit)
{
	return unit->version >= 2 && unit->version <= 5 &&
	       (unit->address_size == 8 || unit->address_size == 4);
}

/* Types of Rust have C's names and other meanings; an assembler's functions no parameters. */
static bool language_is_foreign(uint64_t language)
{
	switch (language) {
	case DW_LANG_Mips_Assembler:
	case 0x31: /* DW_LANG_Assembly, DWARF 6 */
	case DW_LANG_Rust:
	case DW_LANG_C_plus_plus:
	case DW_LANG_C_plus_plus_11:
	case DW_LANG_C_plus_plus_14:
		return true;
	default: /* C of any year, and 0: partial units */
		return false;
	}
}

bool dwarf_unit_root(const struct dwarf_sections *sections, struct dwarf_unit *unit)
{
	struct dwarf_die root;

	/* The header of the table, 7.26; GNU's of version 4 has none. */
	unit->str_offsets_base = unit->version >= 5 ? (unit->offset_size == 8 ? 16 : 8) : 0;
	if (!dwarf_die_read(sections, unit, unit->root, &root))
		return false;
	unit->foreign = language_is_foreign(root.language);
	if (root.str_offsets_base)
		unit->str_offsets_base = root.str_offsets_base;
	return true;
}

bool dwarf_unit_open(const struct dwarf_sections *sections, unsigned file, uint64_t offset,
		     struct dwarf_unit *unit)
{
	if (!dwarf_unit_header(&sections[file].info, file, offset, unit) || !unit_is_readable(unit))
		return false;
	unit->abbrevs = xcalloc(1, sizeof(*unit->abbrevs));
	/* Of a damaged table, what is before the damage is used. */
	(void)dwarf_abbrevs_read(&sections[file], unit->abbrev_offset, unit->address_size,
				 unit->offset_size, unit->version, unit->abbrevs);
	if (dwarf_unit_root(sections, unit))
		return true;
	dwarf_abbrevs_deinit(unit->abbrevs);
	free(unit->abbrevs);
	unit->abbrevs = NULL;
	return false;
}

/* --- Forms --- */

enum value_class { VALUE_NONE, VALUE_NUMBER, VALUE_STRING, VALUE_PLACE, VALUE_BLOCK };

struct value {
	enum value_class class;
	uint64_t u;     /* number, place */
	bool is_signed; /* was of a signed form */
	unsigned bits;  /* of a data form; 0: LEB128 */
	unsigned file;  /* place */
	const char *s;  /* string; NULL: cannot be read */
	const uint8_t *block;
	size_t size;
};

struct reader {
	const struct dwarf_sections *sections; /* of all files */
	const struct dwarf_unit *unit;
	struct bytes b;
};

static bool read_leb(struct reader *r, uint64_t *value)
{
	const uint8_t *p = r->b.data + r->b.pos;

	if (r->b.bad || !dwarf_uleb(&p, r->b.data + r->b.size, value))
		return !(r->b.bad = true);
	r->b.pos = (size_t)(p - r->b.data);
	return true;
}

static uint64_t read_number(struct reader *r, unsigned size)
{
	uint64_t v = 0;
	const uint8_t *p = bytes_take(&r->b, size);

	if (p && size <= 8)
		memcpy(&v, p, size);
	return v;
}

static void number(struct reader *r, unsigned size, struct value *v)
{
	v->class = VALUE_NUMBER;
	v->u = read_number(r, size);
	v->bits = size * 8;
}

static void block(struct reader *r, uint64_t size, struct value *v)
{
	v->class = VALUE_BLOCK;
	v->size = (size_t)size;
	v->block = size <= bytes_left(&r->b) ? bytes_take(&r->b, (size_t)size) : NULL;
	if (!v->block)
		r->b.bad = true;
}

static void string_at(struct reader *r, const struct span *strings, struct value *v)
{
	v->class = VALUE_STRING;
	v->s = dwarf_string(strings, read_number(r, r->unit->offset_size));
}

bool dwarf_string_index(const struct dwarf_sections *sections, const struct dwarf_unit *unit,
			uint64_t i, uint64_t *offset)
{
	const struct span *table = &sections->str_offsets;
	uint64_t at = 0;

	if (__builtin_mul_overflow(i, unit->offset_size, &at) ||
	    __builtin_add_overflow(at, unit->str_offsets_base, &at) ||
	    !range_fits(at, unit->offset_size, table->size))
		return false;
	*offset = unit->offset_size == 8 ? load_u64(table->data + at) : load_u32(table->data + at);
	return true;
}

static void string_indexed(struct reader *r, uint64_t i, struct value *v)
{
	const struct dwarf_sections *s = &r->sections[r->unit->file];
	uint64_t offset;

	v->class = VALUE_STRING;
	v->s = dwarf_string_index(s, r->unit, i, &offset) ? dwarf_string(&s->str, offset) : NULL;
}

static void string_inline(struct reader *r, struct value *v)
{
	const uint8_t *p = r->b.data + r->b.pos;
	const uint8_t *end = r->b.bad ? NULL : memchr(p, 0, bytes_left(&r->b));

	v->class = VALUE_STRING;
	if (!end) {
		r->b.bad = true;
		return;
	}
	v->s = (const char *)p;
	r->b.pos += (size_t)(end - p) + 1;
}

static void place(struct reader *r, unsigned size, uint64_t base, unsigned file, struct value *v)
{
	v->class = VALUE_PLACE;
	if (size)
		v->u = read_number(r, size);
	else
		read_leb(r, &v->u);
	v->file = file;
	if (__builtin_add_overflow(v->u, base, &v->u))
		v->class = VALUE_NONE;
}

static bool read_string_form(struct reader *r, unsigned form, struct value *v)
{
	const struct dwarf_sections *own = &r->sections[r->unit->file];
	uint64_t i;

	switch (form) {
	case DW_FORM_string:
		string_inline(r, v);
		return true;
	case DW_FORM_strp:
		string_at(r, &own->str, v);
		return true;
	case DW_FORM_line_strp:
		string_at(r, &own->line_str, v);
		return true;
	case DW_FORM_strp_sup:
	case DW_FORM_GNU_strp_alt:
		string_at(r, &r->sections[DWARF_ALT].str, v);
		return true;
	case DW_FORM_strx:
	case DW_FORM_GNU_str_index:
		if (read_leb(r, &i))
			string_indexed(r, i, v);
		return true;
	case DW_FORM_strx1:
	case DW_FORM_strx2:
	case DW_FORM_strx3:
	case DW_FORM_strx4: {
		unsigned size = form - DW_FORM_strx1 + 1;
		string_indexed(r, read_number(r, size), v);
		return true;
	}
	default:
		return false;
	}
}

static bool read_reference_form(struct reader *r, unsigned form, struct value *v)
{
	uint64_t base = r->unit->start;
	unsigned file = r->unit->file, offset_size = r->unit->offset_size;

	switch (form) {
	case DW_FORM_ref1:
		place(r, 1, base, file, v);
		return true;
	case DW_FORM_ref2:
		place(r, 2, base, file, v);
		return true;
	case DW_FORM_ref4:
		place(r, 4, base, file, v);
		return true;
	case DW_FORM_ref8:
		place(r, 8, base, file, v);
		return true;
	case DW_FORM_ref_udata:
		place(r, 0, base, file, v);
		return true;
	case DW_FORM_ref_addr:
		place(r, r->unit->version <= 2 ? r->unit->address_size : offset_size, 0, file, v);
		return true;
	case DW_FORM_ref_sup4:
		place(r, 4, 0, DWARF_ALT, v);
		return true;
	case DW_FORM_ref_sup8:
		place(r, 8, 0, DWARF_ALT, v);
		return true;
	case DW_FORM_GNU_ref_alt:
		place(r, offset_size, 0, DWARF_ALT, v);
		return true;
	case DW_FORM_ref_sig8: /* type units: no kernel has them */
		bytes_take(&r->b, 8);
		return true;
	default:
		return false;
	}
}

static bool read_other_form(struct reader *r, unsigned form, struct value *v)
{
	uint64_t n = 0;

	switch (form) {
	case DW_FORM_data1:
	case DW_FORM_flag:
	case DW_FORM_addrx1:
		number(r, 1, v);
		break;
	case DW_FORM_data2:
	case DW_FORM_addrx2:
		number(r, 2, v);
		break;
	case DW_FORM_addrx3:
		number(r, 3, v);
		break;
	case DW_FORM_data4:
	case DW_FORM_addrx4:
		number(r, 4, v);
		break;
	case DW_FORM_data8:
		number(r, 8, v);
		break;
	case DW_FORM_addr:
		number(r, r->unit->address_size, v);
		break;
	case DW_FORM_sec_offset:
		number(r, r->unit->offset_size, v);
		break;
	case DW_FORM_data16:
		block(r, 16, v);
		break;
	case DW_FORM_block1:
		block(r, bytes_u8(&r->b), v);
		break;
	case DW_FORM_block2:
		block(r, bytes_u16(&r->b), v);
		break;
	case DW_FORM_block4:
		block(r, bytes_u32(&r->b), v);
		break;
	case DW_FORM_block:
	case DW_FORM_exprloc:
		if (read_leb(r, &n))
			block(r, n, v);
		break;
	case DW_FORM_udata:
	case DW_FORM_addrx:
	case DW_FORM_loclistx:
	case DW_FORM_rnglistx:
	case DW_FORM_GNU_addr_index:
		v->class = VALUE_NUMBER;
		read_leb(r, &v->u);
		break;
	case DW_FORM_sdata: {
		const uint8_t *p = r->b.data + r->b.pos;
		int64_t s = 0;
		if (r->b.bad || !dwarf_sleb(&p, r->b.data + r->b.size, &s))
			return !(r->b.bad = true);
		r->b.pos = (size_t)(p - r->b.data);
		*v = (struct value){ .class = VALUE_NUMBER, .u = (uint64_t)s, .is_signed = true };
		break;
	}
	case DW_FORM_flag_present:
		*v = (struct value){ .class = VALUE_NUMBER, .u = 1 };
		break;
	default:
		return false;
	}
	return true;
}

static bool read_form(struct reader *r, unsigned form, int64_t implicit, struct value *v)
{
	uint64_t real;

	*v = (struct value){ 0 };
	if (form == DW_FORM_indirect) {
		/* An indirect form of an indirect form does not exist. */
		if (!read_leb(r, &real) || real == DW_FORM_indirect ||
		    real == DW_FORM_implicit_const || real > 0xffff)
			return false;
		form = (unsigned)real;
	}
	if (form == DW_FORM_implicit_const) {
		*v = (struct value){ .class = VALUE_NUMBER,
				     .u = (uint64_t)implicit,
				     .is_signed = true };
		return true;
	}
	return (read_string_form(r, form, v) || read_reference_form(r, form, v) ||
		read_other_form(r, form, v)) &&
	       !r->b.bad;
}

/* --- Attributes --- */

/* DW_OP_plus_uconst N (or DW_OP_constu N), which old compilers write for an offset. */
static bool block_offset(const struct value *v, uint64_t *offset)
{
	const uint8_t *p = v->block, *end = p + v->size;

	return v->size >= 2 && (*p == DW_OP_plus_uconst || *p == DW_OP_constu) &&
	       (p++, dwarf_uleb(&p, end, offset)) && p == end;
}

static void set_number(struct dwarf_die *die, const struct value *v, uint64_t *field, uint32_t bit)
{
	if (v->class != VALUE_NUMBER)
		return;
	*field = v->u;
	die->has |= bit;
}

static void set_location(struct dwarf_die *die, const struct value *v)
{
	if (die->tag == DW_TAG_variable) { /* of a global: DW_OP_addr X */
		if (v->class != VALUE_BLOCK || v->size != 1u + die->unit->address_size ||
		    v->block[0] != DW_OP_addr)
			return;
		memcpy(&die->address, v->block + 1, die->unit->address_size);
		die->has |= HAS_ADDRESS;
	}
}

static void set_member_location(struct dwarf_die *die, const struct value *v)
{
	if (v->class == VALUE_NUMBER)
		die->location = v->u;
	else if (v->class != VALUE_BLOCK || !block_offset(v, &die->location)) {
		die->has |= HAS_ODD_LOCATION;
		return;
	}
	die->has |= HAS_LOCATION;
}

/* All bits set in a data form is -1: the bound of an array of no elements. */
static void set_bound(struct dwarf_die *die, const struct value *v)
{
	if (v->class != VALUE_NUMBER)
		return;
	die->upper_bound = v->u;
	if (v->bits && v->bits < 64 && v->bits >= 32 && v->u == UINT64_MAX >> (64 - v->bits))
		die->upper_bound = UINT64_MAX;
	die->has |= HAS_UPPER_BOUND;
}

static struct dwarf_place place_of(const struct value *v)
{
	if (v->class != VALUE_PLACE)
		return (struct dwarf_place){ 0 };
	return (struct dwarf_place){ .offset = v->u, .file = v->file };
}

static void set_attribute(struct dwarf_die *die, unsigned name, const struct value *v)
{
	switch (name) {
	case DW_AT_name:
		if (v->class == VALUE_STRING && v->s)
			die->name = v->s;
		break;
	case DW_AT_type:
		die->type = place_of(v);
		die->has |= HAS_TYPE;
		break;
	case DW_AT_sibling:
		if (v->class == VALUE_PLACE && v->file == die->unit->file)
			die->sibling = v->u;
		break;
	case DW_AT_specification:
		die->specification = place_of(v);
		break;
	case DW_AT_abstract_origin:
		die->origin = place_of(v);
		break;
	case DW_AT_declaration:
		die->declaration = v->class == VALUE_NUMBER && v->u;
		break;
	case DW_AT_external:
		die->external = v->class == VALUE_NUMBER && v->u;
		break;
	case DW_AT_byte_size:
		set_number(die, v, &die->byte_size, HAS_BYTE_SIZE);
		break;
	case DW_AT_bit_size:
		set_number(die, v, &die->bit_size, HAS_BIT_SIZE);
		break;
	case DW_AT_bit_offset:
		set_number(die, v, &die->bit_offset, HAS_BIT_OFFSET);
		break;
	case DW_AT_data_bit_offset:
		set_number(die, v, &die->data_bit_offset, HAS_DATA_BIT_OFFSET);
		break;
	case DW_AT_data_member_location:
		set_member_location(die, v);
		break;
	case DW_AT_location:
		set_location(die, v);
		break;
	case DW_AT_upper_bound:
		set_bound(die, v);
		break;
	case DW_AT_count:
		set_number(die, v, &die->count, HAS_COUNT);
		break;
	case DW_AT_language:
		set_number(die, v, &die->language, 0);
		break;
	case DW_AT_decl_line:
		set_number(die, v, &die->line, 0);
		break;
	case DW_AT_encoding:
		set_number(die, v, &die->encoding, HAS_ENCODING);
		break;
	case DW_AT_str_offsets_base:
		set_number(die, v, &die->str_offsets_base, 0);
		break;
	case DW_AT_const_value:
		if (v->class == VALUE_NUMBER) {
			die->value = (int64_t)v->u;
			die->has |= HAS_VALUE;
		}
		break;
	default:
		break;
	}
}

bool dwarf_die_read(const struct dwarf_sections *sections, const struct dwarf_unit *unit,
		    uint64_t offset, struct dwarf_die *die)
{
	struct reader r = { .sections = sections, .unit = unit };
	uint64_t code;

	*die = (struct dwarf_die){ .unit = unit, .offset = offset, .name = "" };
	if (offset < unit->root || offset >= unit->end)
		return false;
	r.b = bytes_of(sections[unit->file].info.data, unit->end);
	r.b.pos = offset;
	if (!read_leb(&r, &code))
		return false;
	if (!code) {
		die->end = r.b.pos;
		return true;
	}
	const struct dwarf_abbrevs *abbrevs = unit->abbrevs;
	const struct dwarf_abbrev *a = dwarf_abbrev(abbrevs, code);
	if (!a)
		return false;
	die->tag = a->tag;
	die->children = a->children;
	for (unsigned i = 0; i < a->attributes; i++) {
		const struct dwarf_attribute *at = &abbrevs->attributes.data[a->attribute + i];
		struct value v;
		if (!read_form(&r, at->form, at->implicit, &v))
			return false;
		set_attribute(die, at->name, &v);
	}
	die->end = r.b.pos;
	return true;
}
