// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The dump's memory and symbols as unwinding sees them.
 *
 * Generated code has no symbols of its own in the kernel's table. It lies in the 2 GiB that the
 * kernel image and modules share (that is where module_alloc() and execmem put it, so that its
 * relative calls reach), in pages that the CPU may execute.
 */
#include "unwind/cfi_debug.h"
#include "unwind/walk.h"

#define PTE_NX (UINT64_C(1) << 63) /* Intel SDM volume 3, table 4-20 */

static enum read_status world_read(void *ctx, uint64_t vaddr, void *buf, size_t size)
{
	struct unwind_world *world = ctx;

	return memory_read(world->mem, vaddr, buf, size);
}

static bool world_is_text(void *ctx, uint64_t address)
{
	struct unwind_world *world = ctx;

	return symbols_is_text(world->symbols, address);
}

static bool world_is_generated(void *ctx, uint64_t address)
{
	struct unwind_world *world = ctx;
	struct walk walk;

	if (address < memory_arch(world->mem)->image_base ||
	    symbols_is_text(world->symbols, address))
		return false;
	memory_walk(world->mem, address, &walk);
	return walk.status == READ_OK && walk.levels && !(walk.flags & PTE_NX);
}

static bool world_function(void *ctx, uint64_t address, struct symbol *symbol)
{
	struct unwind_world *world = ctx;

	return symbols_by_address(world->symbols, address, symbol);
}

static const struct module *world_module(void *ctx, uint64_t address)
{
	struct unwind_world *world = ctx;

	return symbols_module_of(world->symbols, address);
}

static uint64_t world_symbol(void *ctx, const char *name)
{
	struct unwind_world *world = ctx;

	return symbols_address(world->symbols, name);
}

static bool world_cfi(void *ctx, uint64_t address, struct cfi_row *row)
{
	struct unwind_world *world = ctx;

	return world->cfi && cfi_files_find(world->cfi, address, row);
}

void unwinder_set_debuginfo(struct unwinder *unwinder, struct debuginfo *debug)
{
	unwinder->debug = debug;
	cfi_files_destroy(unwinder->world.cfi);
	unwinder->world.cfi = debug ? cfi_files_create(debug) : NULL;
}

struct unwinder *unwinder_create(struct memory *mem, struct symbols *symbols)
{
	struct unwind_world world = { .mem = mem, .symbols = symbols };
	struct unwind_env env = {
		.ctx = &world,
		.arch = memory_arch(mem),
		.read = world_read,
		.is_text = world_is_text,
		.is_generated = world_is_generated,
		.function = world_function,
		.module = world_module,
		.symbol = world_symbol,
		.cfi = world_cfi,
	};
	struct unwinder *u = unwinder_create_env(&env);

	u->world = world;
	u->env.ctx = &u->world;
	return u;
}
