// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * DWARF's abbreviations: each says of a DIE's code which tag, and which attributes in which form,
 * follow. Beside the plain list we make one of steps for who only wants names: runs of attributes
 * of a known size become one skip, and what nobody asks for is not decoded (dwarf_scan.c).
 *
 * Format: DWARF 5, 7.5.3 and 7.5.6; forms of dwz and of split units from elfutils' dwarf.h.
 */
#include <dwarf.h>

#include "base/bytes.h"
#include "types/dwarf.h"

/* Compilers number them from 1 on without gaps; the largest unit of a kernel has about 300. */
#define CODE_GAP_MAX   256
#define CODES_MAX      65536
#define ATTRIBUTES_MAX 256

bool dwarf_uleb(const uint8_t **p, const uint8_t *end, uint64_t *value)
{
	const uint8_t *at = *p;
	uint64_t v = 0;

	for (unsigned shift = 0; at < end && shift < 70; shift += 7) {
		uint8_t byte = *at++;
		if (shift < 64)
			v |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*p = at;
			*value = v;
			return true;
		}
	}
	return false;
}

bool dwarf_sleb(const uint8_t **p, const uint8_t *end, int64_t *value)
{
	const uint8_t *start = *p;
	uint64_t v;

	if (!dwarf_uleb(p, end, &v))
		return false;
	unsigned bits = (unsigned)(*p - start) * 7;
	if (bits < 64 && (*p)[-1] & 0x40)
		v |= UINT64_MAX << bits;
	*value = (int64_t)v;
	return true;
}

/* Bytes that a form takes; 0 with @op telling how to find out. */
static unsigned form_size(const struct dwarf_abbrevs *a, unsigned form, enum scan_op *op,
			  unsigned *arg)
{
	*op = SCAN_SKIP;
	*arg = 0;
	switch (form) {
	case DW_FORM_flag_present:
	case DW_FORM_implicit_const:
		return 0;
	case DW_FORM_data1:
	case DW_FORM_ref1:
	case DW_FORM_flag:
	case DW_FORM_strx1:
	case DW_FORM_addrx1:
		return 1;
	case DW_FORM_data2:
	case DW_FORM_ref2:
	case DW_FORM_strx2:
	case DW_FORM_addrx2:
		return 2;
	case DW_FORM_strx3:
	case DW_FORM_addrx3:
		return 3;
	case DW_FORM_data4:
	case DW_FORM_ref4:
	case DW_FORM_strx4:
	case DW_FORM_addrx4:
	case DW_FORM_ref_sup4:
		return 4;
	case DW_FORM_data8:
	case DW_FORM_ref8:
	case DW_FORM_ref_sig8:
	case DW_FORM_ref_sup8:
		return 8;
	case DW_FORM_data16:
		return 16;
	case DW_FORM_addr:
		return a->address_size;
	case DW_FORM_strp:
	case DW_FORM_line_strp:
	case DW_FORM_sec_offset:
	case DW_FORM_strp_sup:
	case DW_FORM_GNU_strp_alt:
	case DW_FORM_GNU_ref_alt:
		return a->offset_size;
	case DW_FORM_ref_addr: /* an address in version 2 */
		return a->version <= 2 ? a->address_size : a->offset_size;
	case DW_FORM_sdata:
	case DW_FORM_udata:
	case DW_FORM_ref_udata:
	case DW_FORM_strx:
	case DW_FORM_addrx:
	case DW_FORM_loclistx:
	case DW_FORM_rnglistx:
	case DW_FORM_GNU_addr_index:
	case DW_FORM_GNU_str_index:
		*op = SCAN_LEB;
		return 0;
	case DW_FORM_string:
		*op = SCAN_STRING;
		return 0;
	case DW_FORM_block1:
	case DW_FORM_block2:
	case DW_FORM_block4:
		*op = SCAN_BLOCK;
		*arg = form == DW_FORM_block1 ? 1 : form == DW_FORM_block2 ? 2 : 4;
		return 0;
	case DW_FORM_block:
	case DW_FORM_exprloc:
		*op = SCAN_BLOCK;
		return 0;
	default: /* DW_FORM_indirect, and what we do not know */
		*op = SCAN_OTHER;
		return 0;
	}
}

static void push_step(struct dwarf_abbrevs *abbrevs, const struct dwarf_abbrev *a, enum scan_op op,
		      unsigned arg)
{
	struct scan_step *last = abbrevs->steps.count > a->step
					 ? &abbrevs->steps.data[abbrevs->steps.count - 1]
					 : NULL;

	if (op == SCAN_SKIP && arg == 0)
		return;
	if (op == SCAN_SKIP && last && last->op == SCAN_SKIP && last->arg < 60000) {
		last->arg = (uint16_t)(last->arg + arg);
		return;
	}
	vec_push(&abbrevs->steps, (struct scan_step){ .op = (uint8_t)op, .arg = (uint16_t)arg });
}

/* Is the tag one whose name the index has, and which attributes matter then? */
static bool tag_is_named(unsigned tag)
{
	switch (tag) {
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
	case DW_TAG_typedef:
	case DW_TAG_base_type:
	case DW_TAG_subprogram:
	case DW_TAG_variable:
	case DW_TAG_enumerator:
		return true;
	default:
		return false;
	}
}

static void add_step(struct dwarf_abbrevs *abbrevs, struct dwarf_abbrev *a, unsigned name,
		     unsigned form)
{
	bool named = tag_is_named(a->tag);
	enum scan_op op;
	unsigned arg, size = form_size(abbrevs, form, &op, &arg);

	if (name == DW_AT_sibling && a->children && op == SCAN_SKIP) {
		push_step(abbrevs, a, SCAN_SIBLING, form);
	} else if (named && name == DW_AT_name) {
		push_step(abbrevs, a, SCAN_NAME, form);
	} else if (named && name == DW_AT_decl_line) {
		push_step(abbrevs, a, SCAN_LINE, form);
	} else if (named && name == DW_AT_specification) {
		push_step(abbrevs, a, SCAN_SPECIFICATION, form);
	} else if (named && (name == DW_AT_external || name == DW_AT_declaration)) {
		if (form == DW_FORM_flag)
			push_step(abbrevs, a,
				  name == DW_AT_external ? SCAN_EXTERNAL : SCAN_DECLARATION, 1);
		else if (name == DW_AT_external)
			a->external = true;
		else
			a->declaration = true;
	} else if (op == SCAN_SKIP) {
		push_step(abbrevs, a, SCAN_SKIP, size);
	} else {
		push_step(abbrevs, a, op, op == SCAN_OTHER ? form : arg);
	}
}

static bool read_attributes(struct dwarf_abbrevs *abbrevs, struct dwarf_abbrev *a,
			    const uint8_t **p, const uint8_t *end)
{
	for (unsigned n = 0; n <= ATTRIBUTES_MAX; n++) {
		uint64_t name, form;
		int64_t implicit = 0;
		if (!dwarf_uleb(p, end, &name) || !dwarf_uleb(p, end, &form) || name > 0xffff ||
		    form > 0xffff)
			return false;
		if (form == DW_FORM_implicit_const && !dwarf_sleb(p, end, &implicit))
			return false;
		if (!name && !form)
			return true;
		vec_push(&abbrevs->attributes, (struct dwarf_attribute){ .name = (uint16_t)name,
									 .form = (uint16_t)form,
									 .implicit = implicit });
		a->attributes++;
		if (form == DW_FORM_implicit_const && name == DW_AT_decl_line)
			push_step(abbrevs, a, SCAN_LINE_IS, (uint16_t)implicit);
		else
			add_step(abbrevs, a, (unsigned)name, (unsigned)form);
	}
	return false;
}

bool dwarf_abbrevs_read(const struct dwarf_sections *sections, uint64_t offset,
			uint8_t address_size, uint8_t offset_size, uint8_t version,
			struct dwarf_abbrevs *abbrevs)
{
	const uint8_t *start, *p, *end = sections->abbrev.data + sections->abbrev.size;
	uint64_t code, tag;
	bool good = false;

	abbrevs->of.count = abbrevs->attributes.count = abbrevs->steps.count = 0;
	abbrevs->address_size = address_size;
	abbrevs->offset_size = offset_size;
	abbrevs->version = version;
	abbrevs->bytes = 0;
	if (offset >= sections->abbrev.size)
		return false;
	start = p = sections->abbrev.data + offset;
	while (dwarf_uleb(&p, end, &code)) {
		if (!code) {
			good = true;
			break;
		}
		if (!dwarf_uleb(&p, end, &tag) || p == end || tag > 0xffff || code >= CODES_MAX ||
		    code > abbrevs->of.count + CODE_GAP_MAX)
			break;
		struct dwarf_abbrev a = {
			.attribute = (uint32_t)abbrevs->attributes.count,
			.step = (uint32_t)abbrevs->steps.count,
			.tag = (uint16_t)tag,
			.children = *p++ != 0,
		};
		if (!read_attributes(abbrevs, &a, &p, end))
			break;
		a.steps = (uint16_t)(abbrevs->steps.count - a.step);
		while (abbrevs->of.count <= code)
			vec_push(&abbrevs->of, (struct dwarf_abbrev){ 0 });
		if (!abbrevs->of.data[code].tag)
			abbrevs->of.data[code] = a;
	}
	abbrevs->bytes = (size_t)(p - start);
	return good;
}

void dwarf_abbrevs_deinit(struct dwarf_abbrevs *abbrevs)
{
	vec_deinit(&abbrevs->of);
	vec_deinit(&abbrevs->attributes);
	vec_deinit(&abbrevs->steps);
}
