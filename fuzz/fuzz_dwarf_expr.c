// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Hostile DWARF of the kinds that unwinding reads itself: by the first byte of the input an
 * expression, a location list (whose expression is then run) or a section of call frame
 * information. What must hold: it ends, stays in bounds, and failures say why.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "unwind/cfi.h"
#include "unwind/expr.h"
#include "unwind/loclist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MEMORY_SIZE = 256, DEPTH_MAX = 3, OBJECT_MAX = 512 };

#define MEMORY UINT64_C(0xffffc90000100000)

struct world {
	uint8_t memory[MEMORY_SIZE];
	uint32_t known;
	unsigned depth;
	struct dwarf_expr_env env;
};

static bool world_reg(void *ctx, unsigned n, uint64_t *value)
{
	const struct world *w = ctx;

	*value = MEMORY + n * 8;
	return n < 32 && w->known >> n & 1;
}

static enum read_status world_read(void *ctx, uint64_t at, void *buf, size_t size)
{
	const struct world *w = ctx;

	if (at < MEMORY || !range_fits(at - MEMORY, size, MEMORY_SIZE))
		return READ_UNMAPPED;
	memcpy(buf, w->memory + (at - MEMORY), size);
	return READ_OK;
}

static bool world_cfa(void *ctx, uint64_t *value)
{
	const struct world *w = ctx;

	*value = MEMORY + 64;
	return w->known & 1;
}

static bool world_frame_base(void *ctx, uint64_t *value, struct expr_trouble *trouble)
{
	(void)trouble;
	return world_cfa(ctx, value);
}

/* The caller's expression is the same bytes again, to some depth. */
static bool world_entry_value(void *ctx, const uint8_t *expr, size_t size, uint64_t *value,
			      struct expr_trouble *trouble)
{
	struct world *w = ctx;

	if (w->depth == DEPTH_MAX)
		return false;
	w->depth++;
	bool found = expr_value(&w->env, expr, size, NULL, value, trouble);
	w->depth--;
	return found;
}

static bool world_parameter(void *ctx, uint64_t offset, uint64_t *value,
			    struct expr_trouble *trouble)
{
	(void)ctx;
	*value = offset;
	*trouble = (struct expr_trouble){ .status = EXPR_NO_ENTRY_VALUE };
	return offset & 1;
}

static bool world_indexed(void *ctx, uint64_t index, uint64_t *value)
{
	(void)ctx;
	*value = index * 16;
	return index < 16;
}

static bool world_base_type(void *ctx, uint64_t offset, struct expr_type *type)
{
	(void)ctx;
	/* Sizes that are none as well. */
	*type = (struct expr_type){ .size = (uint8_t)(offset % 10), .is_signed = offset & 16 };
	return offset < 64;
}

static void run_expr(struct world *w, const uint8_t *expr, size_t size)
{
	struct expr_location location;
	struct expr_trouble trouble;
	struct expr_gaps gaps;
	uint64_t value, initial = MEMORY;
	uint8_t object[OBJECT_MAX];

	if (expr_locate(&w->env, expr, size, &location, &trouble)) {
		if (trouble.status != EXPR_OK || location.count > EXPR_PIECES_MAX)
			abort();
		for (size_t n = 1; n <= sizeof(object); n *= 2) {
			if (!expr_load(&w->env, &location, object, n, &gaps, &trouble) &&
			    trouble.status == EXPR_OK)
				abort();
			for (unsigned i = 0; i < gaps.count; i++) {
				if (gaps.gap[i].end > n || gaps.gap[i].start >= gaps.gap[i].end)
					abort();
			}
		}
	} else if (trouble.status == EXPR_OK) {
		abort();
	}
	if (!expr_value(&w->env, expr, size, &initial, &value, &trouble) &&
	    trouble.status == EXPR_OK)
		abort();
}

static void run_loclist(struct world *w, const uint8_t *data, size_t size)
{
	struct loclist list = { .version = data[0] & 1 ? 5 : 4,
				.base = 0x1000,
				.data = data + 2,
				.size = size - 2,
				.indexed = world_indexed };
	const uint8_t *expr;
	size_t expr_size;

	for (uint64_t pc = 0; pc < 0x2000; pc += 0x123) {
		if (!loclist_find(&list, data[1], pc, &expr, &expr_size, NULL))
			continue;
		if (expr < data || expr_size > (size_t)(data + size - expr))
			abort();
		run_expr(w, expr, expr_size);
	}
}

static void run_cfi(struct world *w, const uint8_t *data, size_t size)
{
	struct cfi cfi = { .data = data + 1, .size = size - 1, .eh = data[0] & 1, .bias = 0x100 };
	struct cfi_row row;
	const char *why;

	cfi_init(&cfi);
	for (size_t i = 0; i < cfi.ranges.count && i < 64; i++) {
		const struct cfi_range *r = &cfi.ranges.data[i];
		for (uint64_t at = 0; at < r->length && at < 256; at += 7) {
			if (!cfi_find(&cfi, r->start + at, &row, &why))
				continue;
			for (unsigned reg = 0; reg < CFI_REGS; reg++) {
				if (row.reg[reg].expr)
					run_expr(w, row.reg[reg].expr, row.reg[reg].expr_size);
			}
		}
	}
	cfi_deinit(&cfi);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = { .known = 0 };

	if (size < 8)
		return 0;
	memcpy(&w.known, data + 1, sizeof(w.known));
	for (size_t i = 0; i < MEMORY_SIZE; i++)
		w.memory[i] = data[i % size];
	w.env = (struct dwarf_expr_env){
		.ctx = &w,
		.bias = 0x100,
		.offset_size = data[0] & 4 ? 8 : 4,
		.reg = world_reg,
		.read = world_read,
		.frame_base = world_frame_base,
		.cfa = world_cfa,
		.entry_value = world_entry_value,
		.parameter = world_parameter,
		.indexed = world_indexed,
		.base_type = world_base_type,
	};
	/* Copied, so that reading past the end is seen. */
	size_t n = size - 5;
	uint8_t *copy = malloc(n);
	if (!copy)
		abort();
	memcpy(copy, data + 5, n);
	if ((data[0] & 3) == 0)
		run_expr(&w, copy, n);
	else if ((data[0] & 3) == 1)
		run_loclist(&w, copy, n);
	else
		run_cfi(&w, copy, n);
	free(copy);
	return 0;
}
