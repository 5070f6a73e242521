// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reads .debug_frame and .eh_frame: DWARF 5, 6.4 and 7.24; what .eh_frame has different: Linux
 * Standard Base 5.0, 10.6.
 *
 * A section is a list of records. A CIE has what several functions share, an FDE a range of code
 * and a program; the CIE's program and then the FDE's, run up to an address, give the rules that
 * hold there. Each instruction takes a byte at least, so that programs end; the stack of remembered
 * rules is bounded. Registers above CFI_REGS are parsed over.
 */
#include "unwind/cfi.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/leb128.h"
#include "base/vec.h"

enum { REMEMBERED_MAX = 8, ADDRESS_SIZE = 8 };

struct record {
	uint64_t offset, end;
	bool is_cie;
	uint64_t cie;      /* of an FDE: offset of its CIE */
	struct bytes body; /* after the CIE pointer, up to the record's end */
};

struct cie {
	uint64_t code_align;
	int64_t data_align;
	unsigned ra;
	uint8_t encoding; /* of addresses in FDEs, DW_EH_PE_* */
	bool augmented;   /* FDEs have a length and data */
	bool signal;
	struct bytes program;
};

/* Takes the record at b->pos; false at the end of the section or what cannot be a record. */
static bool take_record(const struct cfi *cfi, struct bytes *b, struct record *r)
{
	bool wide = false;

	*r = (struct record){ .offset = b->pos };
	uint64_t length = bytes_u32(b);
	if (length == 0xffffffff) {
		length = bytes_u64(b);
		wide = true;
	}
	size_t id_at = b->pos;
	if (b->bad || length < 4 || length > bytes_left(b))
		return false;
	r->end = b->pos + length;
	uint64_t id = wide && !cfi->eh ? bytes_u64(b) : bytes_u32(b);
	if (b->bad || b->pos > r->end)
		return false;
	if (cfi->eh) {
		r->is_cie = id == 0;
		r->cie = id_at - id; /* too big when it makes no sense */
	} else {
		r->is_cie = id == (wide ? ~UINT64_C(0) : 0xffffffff);
		r->cie = id;
	}
	r->body = (struct bytes){ .data = cfi->data, .size = r->end, .pos = b->pos };
	b->pos = r->end;
	return true;
}

/* A value in one of the encodings of .eh_frame (LSB 5.0, 10.5.1), or a plain address. */
static uint64_t take_encoded(const struct cfi *cfi, struct bytes *b, uint8_t encoding)
{
	uint64_t at = cfi->address + b->pos, value;

	switch (encoding & 0x0f) {
	case DW_EH_PE_absptr:
	case DW_EH_PE_udata8:
	case DW_EH_PE_sdata8:
		value = bytes_u64(b);
		break;
	case DW_EH_PE_uleb128:
		value = bytes_uleb(b);
		break;
	case DW_EH_PE_sleb128:
		value = (uint64_t)bytes_sleb(b);
		break;
	case DW_EH_PE_udata2:
		value = bytes_u16(b);
		break;
	case DW_EH_PE_sdata2:
		value = (uint64_t)(int64_t)(int16_t)bytes_u16(b);
		break;
	case DW_EH_PE_udata4:
		value = bytes_u32(b);
		break;
	case DW_EH_PE_sdata4:
		value = (uint64_t)(int64_t)(int32_t)bytes_u32(b);
		break;
	default:
		b->bad = true;
		return 0;
	}
	if ((encoding & 0x70) == DW_EH_PE_pcrel)
		value += at;
	else if (encoding & 0xf0)
		b->bad = true; /* relative to what is not known here, or indirect */
	return value;
}

/* The data that the augmentation string announces. */
static void take_augmentation(const struct cfi *cfi, struct bytes *b, const char *letters,
			      struct cie *cie)
{
	uint64_t size = bytes_uleb(b), end = b->pos + size;

	cie->augmented = true;
	if (b->bad || size > bytes_left(b)) {
		b->bad = true;
		return;
	}
	for (; *letters && !b->bad; letters++) {
		uint8_t encoding;

		switch (*letters) {
		case 'R':
			cie->encoding = bytes_u8(b);
			break;
		case 'P':
			encoding = bytes_u8(b);
			(void)take_encoded(cfi, b, encoding & 0x0f);
			break;
		case 'L':
			(void)bytes_u8(b);
			break;
		case 'S':
			cie->signal = true;
			break;
		case 'B': /* arm64: signed with key B; no data */
			break;
		default: /* the length lets us go past what is not known, as the last letters */
			letters += strlen(letters) - 1;
			break;
		}
	}
	bytes_seek(b, end);
}

static bool read_cie(const struct cfi *cfi, uint64_t offset, struct cie *cie)
{
	struct bytes section = bytes_of(cfi->data, cfi->size);
	struct record r;

	if (offset >= cfi->size)
		return false;
	section.pos = offset;
	if (!take_record(cfi, &section, &r) || !r.is_cie)
		return false;
	struct bytes *b = &r.body;
	*cie = (struct cie){ .encoding = DW_EH_PE_absptr };
	uint8_t version = bytes_u8(b);
	const char *letters = (const char *)b->data + b->pos;
	while (!b->bad && bytes_u8(b))
		;
	if (b->bad || (version != 1 && version != 3 && version != 4))
		return false;
	if (version == 4) {
		uint8_t address_size = bytes_u8(b), segment_size = bytes_u8(b);
		if (address_size != ADDRESS_SIZE || segment_size)
			return false;
	}
	cie->code_align = bytes_uleb(b);
	cie->data_align = bytes_sleb(b);
	cie->ra = version == 1 ? bytes_u8(b) : (unsigned)bytes_uleb(b);
	if (letters[0] == 'z')
		take_augmentation(cfi, b, letters + 1, cie);
	else if (letters[0]) /* of old compilers; what follows is not known */
		return false;
	cie->program = *b;
	return !b->bad && cie->ra < CFI_REGS;
}

/* The range of an FDE; leaves the body at what follows. */
static bool take_range(const struct cfi *cfi, const struct cie *cie, struct bytes *body,
		       uint64_t *start, uint64_t *length)
{
	*start = take_encoded(cfi, body, cie->encoding) + cfi->bias;
	*length = take_encoded(cfi, body, cie->encoding & 0x0f);
	return !body->bad;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct cfi_range *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

void cfi_init(struct cfi *cfi)
{
	struct bytes section = bytes_of(cfi->data, cfi->size);
	uint64_t cie_offset = UINT64_MAX, last = 0;
	bool sorted = true, have_cie = false;
	struct record r;
	struct cie cie;

	/* Offsets are 32 bits in the index. */
	if (cfi->size > UINT32_MAX)
		return;
	while (take_record(cfi, &section, &r)) {
		uint64_t start, length;

		if (r.is_cie)
			continue;
		if (r.cie != cie_offset) {
			cie_offset = r.cie;
			have_cie = read_cie(cfi, cie_offset, &cie);
		}
		/* The linker leaves 0 for functions that it dropped. */
		if (!have_cie || !take_range(cfi, &cie, &r.body, &start, &length) ||
		    start == cfi->bias || !length || length > UINT32_MAX)
			continue;
		sorted = sorted && start >= last;
		last = start;
		vec_push(&cfi->ranges,
			 (struct cfi_range){ start, (uint32_t)length, (uint32_t)r.offset });
	}
	if (!sorted)
		qsort(cfi->ranges.data, cfi->ranges.count, sizeof(*cfi->ranges.data),
		      compare_ranges);
}

void cfi_deinit(struct cfi *cfi)
{
	vec_deinit(&cfi->ranges);
}

/* --- The program. --- */

struct machine {
	const struct cfi *cfi;
	const struct cie *cie;
	struct cfi_row *row;
	struct cfi_row initial; /* what the CIE's program left: for DW_CFA_restore */
	struct cfi_row remembered[REMEMBERED_MAX];
	unsigned depth;
	uint64_t loc, pc;
	bool bad;
};

static void set_rule(struct machine *m, uint64_t reg, struct cfi_rule rule)
{
	if (reg < CFI_REGS)
		m->row->reg[reg] = rule;
}

static struct cfi_rule at_offset(enum cfi_how how, const struct machine *m, int64_t factored)
{
	int64_t offset;

	if (__builtin_mul_overflow(factored, m->cie->data_align, &offset))
		offset = 0;
	return (struct cfi_rule){ .how = (uint8_t)how, .offset = offset };
}

static struct cfi_rule take_expression(struct bytes *b, enum cfi_how how)
{
	uint64_t size = bytes_uleb(b);
	const uint8_t *expr = size <= bytes_left(b) ? bytes_take(b, size) : NULL;

	if (!expr)
		b->bad = true;
	return (struct cfi_rule){ .how = (uint8_t)how, .expr = expr, .expr_size = size };
}

static void restore_rule(struct machine *m, uint64_t reg)
{
	if (reg < CFI_REGS)
		m->row->reg[reg] = m->initial.reg[reg];
}

static void def_cfa(struct machine *m, uint64_t reg, int64_t offset)
{
	if (reg >= CFI_REGS)
		m->bad = true;
	else
		m->row->cfa = (struct cfi_rule){ .how = CFI_VAL_OFFSET,
						 .reg = (uint8_t)reg,
						 .offset = offset };
}

static void remember(struct machine *m)
{
	if (m->depth == REMEMBERED_MAX)
		m->bad = true;
	else
		m->remembered[m->depth++] = *m->row;
}

static void recall(struct machine *m)
{
	if (!m->depth) {
		m->bad = true;
		return;
	}
	m->depth--;
	memcpy(m->row->reg, m->remembered[m->depth].reg, sizeof(m->row->reg));
	m->row->cfa = m->remembered[m->depth].cfa;
}

static void advance(struct machine *m, uint64_t delta)
{
	m->loc += delta * m->cie->code_align;
}

/* Instructions on the CFA. False: it is none of them. */
static bool run_cfa(struct machine *m, struct bytes *b, uint8_t op)
{
	uint64_t reg;

	switch (op) {
	case DW_CFA_def_cfa:
		reg = bytes_uleb(b);
		def_cfa(m, reg, (int64_t)bytes_uleb(b));
		return true;
	case DW_CFA_def_cfa_sf:
		reg = bytes_uleb(b);
		def_cfa(m, reg, at_offset(CFI_OFFSET, m, bytes_sleb(b)).offset);
		return true;
	case DW_CFA_def_cfa_register:
		def_cfa(m, bytes_uleb(b), m->row->cfa.offset);
		return true;
	case DW_CFA_def_cfa_offset:
		def_cfa(m, m->row->cfa.reg, (int64_t)bytes_uleb(b));
		return true;
	case DW_CFA_def_cfa_offset_sf:
		def_cfa(m, m->row->cfa.reg, at_offset(CFI_OFFSET, m, bytes_sleb(b)).offset);
		return true;
	case DW_CFA_def_cfa_expression:
		m->row->cfa = take_expression(b, CFI_VAL_EXPRESSION);
		return true;
	default:
		return false;
	}
}

/* Instructions on one register. False: it is none of them. */
static bool run_register(struct machine *m, struct bytes *b, uint8_t op)
{
	struct cfi_rule rule = { 0 };
	uint64_t reg = bytes_uleb(b);

	switch (op) {
	case DW_CFA_offset_extended:
		rule = at_offset(CFI_OFFSET, m, (int64_t)bytes_uleb(b));
		break;
	case DW_CFA_offset_extended_sf:
		rule = at_offset(CFI_OFFSET, m, bytes_sleb(b));
		break;
	case DW_CFA_GNU_negative_offset_extended:
		rule = at_offset(CFI_OFFSET, m, (int64_t)(0 - bytes_uleb(b)));
		break;
	case DW_CFA_val_offset:
		rule = at_offset(CFI_VAL_OFFSET, m, (int64_t)bytes_uleb(b));
		break;
	case DW_CFA_val_offset_sf:
		rule = at_offset(CFI_VAL_OFFSET, m, bytes_sleb(b));
		break;
	case DW_CFA_undefined:
		rule.how = CFI_UNDEFINED;
		break;
	case DW_CFA_same_value:
		rule.how = CFI_SAME;
		break;
	case DW_CFA_register: {
		uint64_t from = bytes_uleb(b);
		rule.how = from < CFI_REGS ? CFI_REGISTER : CFI_UNDEFINED;
		rule.reg = (uint8_t)from;
		break;
	}
	case DW_CFA_expression:
		rule = take_expression(b, CFI_EXPRESSION);
		break;
	case DW_CFA_val_expression:
		rule = take_expression(b, CFI_VAL_EXPRESSION);
		break;
	case DW_CFA_restore_extended:
		restore_rule(m, reg);
		return true;
	default:
		return false;
	}
	set_rule(m, reg, rule);
	return true;
}

enum {
	CFA_MIPS_ADVANCE_LOC8 = 0x1d, /* DW_CFA_MIPS_advance_loc8, also of GNU as for 64 bits */
	CFA_AARCH64_NEGATE_RA_STATE = 0x2d,
};

static void run_other(struct machine *m, struct bytes *b, uint8_t op)
{
	switch (op) {
	case DW_CFA_nop:
	case CFA_AARCH64_NEGATE_RA_STATE:
		break;
	case DW_CFA_set_loc:
		m->loc = take_encoded(m->cfi, b, m->cie->encoding) + m->cfi->bias;
		break;
	case DW_CFA_advance_loc1:
		advance(m, bytes_u8(b));
		break;
	case DW_CFA_advance_loc2:
		advance(m, bytes_u16(b));
		break;
	case DW_CFA_advance_loc4:
		advance(m, bytes_u32(b));
		break;
	case CFA_MIPS_ADVANCE_LOC8:
		advance(m, bytes_u64(b));
		break;
	case DW_CFA_remember_state:
		remember(m);
		break;
	case DW_CFA_restore_state:
		recall(m);
		break;
	case DW_CFA_GNU_args_size:
		(void)bytes_uleb(b);
		break;
	default:
		if (!run_cfa(m, b, op) && !run_register(m, b, op))
			m->bad = true;
	}
}

/* Runs a program until it is past the address wanted. */
static void run_program(struct machine *m, struct bytes program)
{
	struct bytes *b = &program;

	while (!m->bad && !b->bad && bytes_left(b) && m->loc <= m->pc) {
		/* Rules change behind an advance: what it leads past is not for this address. */
		uint8_t op = bytes_u8(b), low = op & 0x3f;

		switch (op & 0xc0) {
		case DW_CFA_advance_loc:
			advance(m, low);
			break;
		case DW_CFA_offset:
			set_rule(m, low, at_offset(CFI_OFFSET, m, (int64_t)bytes_uleb(b)));
			break;
		case DW_CFA_restore:
			restore_rule(m, low);
			break;
		default:
			run_other(m, b, op);
		}
	}
	m->bad |= b->bad;
}

static bool run_entry(const struct cfi *cfi, const struct cfi_range *range, uint64_t pc,
		      struct cfi_row *row)
{
	struct bytes section = bytes_of(cfi->data, cfi->size);
	struct record r;
	struct cie cie;
	uint64_t start, length;

	section.pos = range->offset;
	if (!take_record(cfi, &section, &r) || !read_cie(cfi, r.cie, &cie) ||
	    !take_range(cfi, &cie, &r.body, &start, &length))
		return false;
	if (cie.augmented) {
		uint64_t size = bytes_uleb(&r.body);
		if (r.body.bad || size > bytes_left(&r.body))
			return false;
		r.body.pos += size;
	}
	*row = (struct cfi_row){
		.ra = cie.ra, .signal = cie.signal, .low = start, .high = start + length
	};
	struct machine m = { .cfi = cfi, .cie = &cie, .row = row, .loc = start, .pc = pc };
	run_program(&m, cie.program);
	m.initial = *row;
	m.loc = start;
	run_program(&m, r.body);
	return !m.bad && row->cfa.how != CFI_UNSPECIFIED;
}

bool cfi_find(const struct cfi *cfi, uint64_t pc, struct cfi_row *row, const char **why)
{
	size_t low = 0, high = cfi->ranges.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (cfi->ranges.data[middle].start <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	const struct cfi_range *range = low ? &cfi->ranges.data[low - 1] : NULL;
	if (!range || pc - range->start >= range->length) {
		*why = "no entry covers it";
		return false;
	}
	if (!run_entry(cfi, range, pc, row)) {
		*why = "its entry is damaged";
		return false;
	}
	return true;
}
