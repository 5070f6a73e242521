/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A world for the unwinder that is made of a few byte arrays, each at an address of its own: used
 * by unit tests and by the fuzz target.
 */
#pragma once

#include <string.h>

#include "unwind/walk.h"

enum { FAKE_REGIONS = 8, FAKE_NAMES = 16 };

struct fake_region {
	uint64_t start;
	const uint8_t *data;
	size_t size;
	bool text;
	const char *stack; /* its name, for stacks */
};

struct fake_world {
	struct fake_region region[FAKE_REGIONS];
	size_t count;
	struct {
		const char *name;
		uint64_t address;
	} name[FAKE_NAMES];
	size_t name_count;
	size_t reads;
};

static inline void fake_add(struct fake_world *w, uint64_t start, const void *data, size_t size,
			    bool text, const char *stack)
{
	w->region[w->count++] = (struct fake_region){ start, data, size, text, stack };
}

static inline void fake_symbol(struct fake_world *w, const char *name, uint64_t address)
{
	w->name[w->name_count].name = name;
	w->name[w->name_count++].address = address;
}

static inline const struct fake_region *fake_find(const struct fake_world *w, uint64_t address)
{
	for (size_t i = 0; i < w->count; i++) {
		if (address - w->region[i].start < w->region[i].size)
			return &w->region[i];
	}
	return NULL;
}

static inline enum read_status fake_read(void *ctx, uint64_t vaddr, void *buf, size_t size)
{
	struct fake_world *w = ctx;
	const struct fake_region *r = fake_find(w, vaddr);

	w->reads++;
	if (!r || size > r->size - (vaddr - r->start))
		return READ_UNMAPPED;
	memcpy(buf, r->data + (vaddr - r->start), size);
	return READ_OK;
}

static inline bool fake_is_text(void *ctx, uint64_t address)
{
	const struct fake_region *r = fake_find(ctx, address);

	return r && r->text;
}

static inline bool fake_is_generated(void *ctx unused_arg, uint64_t address unused_arg)
{
	return false;
}

static inline bool fake_function(void *ctx unused_arg, uint64_t address, struct symbol *symbol)
{
	*symbol = (struct symbol){ .address = address & ~UINT64_C(0xf), .name = "function" };
	return true;
}

static inline const struct module *fake_module(void *ctx unused_arg, uint64_t address unused_arg)
{
	return NULL;
}

static inline uint64_t fake_symbol_address(void *ctx, const char *name)
{
	const struct fake_world *w = ctx;

	for (size_t i = 0; i < w->name_count; i++) {
		if (strcmp(w->name[i].name, name) == 0)
			return w->name[i].address;
	}
	return 0;
}

static inline bool fake_limits(void *ctx, uint64_t sp, struct stack_limits *limits)
{
	const struct fake_region *r = fake_find(ctx, sp);

	if (!r || !r->stack)
		return false;
	*limits = (struct stack_limits){ r->start, r->start + r->size, r->stack };
	return true;
}

static inline struct unwind_env fake_env(struct fake_world *w)
{
	return (struct unwind_env){
		.ctx = w,
		.arch = &arch_x86_64,
		.read = fake_read,
		.is_text = fake_is_text,
		.is_generated = fake_is_generated,
		.function = fake_function,
		.module = fake_module,
		.symbol = fake_symbol_address,
	};
}
