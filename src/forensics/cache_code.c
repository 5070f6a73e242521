// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Allocations in machine code: the pointer to a cache is a global variable, so that x86 code is
 *
 *	mov variable(%rip),%rdi       48 8b 3d, four bytes of displacement
 *	...                           the other arguments, a few instructions
 *	call kmem_cache_alloc         e8, four bytes of displacement
 *
 * The bytes are looked for, without decoding, in all kernel and module text: a site counts only
 * when the call goes to one of the allocator's functions and the variable holds a pointer, so that
 * bytes which only look like it do not matter. The function around it says by its prototype in BTF
 * what it makes: vm_area_struct *vm_area_alloc(). The allocation may also have been inlined into a
 * function that returns something else: who asks compares the size.
 */
#include "forensics/cache_code.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/vec.h"
#include "kernel/modules.h"

enum {
	TEXT_MAX = 64 << 20,
	CHUNK = 1 << 16,
	LOAD_SIZE = 7,
	CALL_SIZE = 5,
	WINDOW = 64, /* bytes from the load to the call */
	SITES_MAX = 8192,
};

static const char *const allocators[] = {
	"kmem_cache_alloc",
	"kmem_cache_alloc_lru",
	"kmem_cache_alloc_node",
	"kmem_cache_alloc_trace",
	"kmem_cache_alloc_noprof",
	"kmem_cache_alloc_lru_noprof",
	"kmem_cache_alloc_node_noprof",
};

struct cache_site {
	uint64_t cache, pc;
};

struct cache_sites {
	struct session *session;
	uint64_t allocator[array_size(allocators)];
	struct {
		vec_fields(struct cache_site);
	} sites;
};

static bool is_allocator(const struct cache_sites *sites, uint64_t target)
{
	for (size_t i = 0; i < array_size(allocators); i++) {
		if (target && sites->allocator[i] == target)
			return true;
	}
	return false;
}

/* Does code behind the load at @p (of which @left bytes are there, at address @pc) allocate? */
static bool calls_allocator(const struct cache_sites *sites, const uint8_t *p, size_t left,
			    uint64_t pc)
{
	for (size_t i = LOAD_SIZE; i < WINDOW && i + CALL_SIZE <= left; i++) {
		if (p[i] != 0xe8)
			continue;
		int64_t displacement = (int32_t)load_u32(p + i + 1);
		if (is_allocator(sites, pc + i + CALL_SIZE + (uint64_t)displacement))
			return true;
	}
	return false;
}

static void look_at(struct cache_sites *sites, const uint8_t *p, size_t left, uint64_t pc)
{
	uint64_t cache;

	if (p[0] != 0x48 || p[1] != 0x8b || p[2] != 0x3d || sites->sites.count >= SITES_MAX ||
	    !calls_allocator(sites, p, left, pc))
		return;
	uint64_t variable = pc + LOAD_SIZE + (uint64_t)(int64_t)(int32_t)load_u32(p + 3);
	if (memory_u64(sites->session->memory, variable, &cache) == READ_OK &&
	    sites->session->arch->is_kernel_address(cache))
		vec_push(&sites->sites, (struct cache_site){ .cache = cache, .pc = pc });
}

static void scan_text(struct cache_sites *sites, uint64_t start, uint64_t size)
{
	uint8_t *bytes = xmalloc(CHUNK + WINDOW);

	for (uint64_t at = 0; at < size && !session_stopped(sites->session); at += CHUNK) {
		size_t n = memory_read_some(sites->session->memory, start + at, bytes,
					    (size_t)min_u64(size - at, CHUNK + WINDOW));
		const uint8_t *p = bytes;
		while (n >= LOAD_SIZE && p < bytes + n - LOAD_SIZE) {
			p = memchr(p, 0x3d, (size_t)(bytes + n - LOAD_SIZE + 2 - p));
			if (!p)
				break;
			if (p - bytes >= 2 && p - 2 < bytes + CHUNK)
				look_at(sites, p - 2, (size_t)(bytes + n - (p - 2)),
					start + at + (uint64_t)(p - 2 - bytes));
			p++;
		}
	}
	free(bytes);
}

struct cache_sites *cache_sites_create(struct session *s)
{
	struct cache_sites *sites = xcalloc(1, sizeof(*sites));
	struct symbol start, end;
	size_t count;

	sites->session = s;
	if (!s->symbols)
		return sites;
	symbols_addresses(s->symbols, allocators, array_size(allocators), sites->allocator);
	if (symbols_by_name(s->symbols, "_stext", &start) &&
	    symbols_by_name(s->symbols, "_etext", &end) && end.address > start.address)
		scan_text(sites, start.address, min_u64(end.address - start.address, TEXT_MAX));
	const struct module_info *all = modules(s, &count);
	for (size_t i = 0; i < count; i++)
		scan_text(sites, all[i].module.text_start,
			  min_u64(all[i].module.text_size, TEXT_MAX));
	return sites;
}

void cache_sites_destroy(struct cache_sites *sites)
{
	if (!sites)
		return;
	vec_deinit(&sites->sites);
	free(sites);
}

/* The struct that the function around @pc returns a pointer to; NULL. */
static const char *returned_struct(struct session *s, uint64_t pc, uint64_t object_size)
{
	char name[128];
	struct symbol symbol;
	struct type type;

	if (!symbols_by_address(s->symbols, pc, &symbol))
		return NULL;
	size_t n = strcspn(symbol.name, "."); /* f.constprop.0 returns what f does */
	if (n >= sizeof(name))
		return NULL;
	memcpy(name, symbol.name, n);
	name[n] = '\0';
	if (!types_function(s->types, name, &type))
		return NULL;
	type = type_strip(type_target(type));
	if (type_kind(type) != TYPE_POINTER)
		return NULL;
	type = type_strip(type_target(type));
	if (type_kind(type) != TYPE_STRUCT || type_size(type) != object_size)
		return NULL;
	const char *found = type_name(type);
	return *found ? found : NULL;
}

const char *cache_sites_type(const struct cache_sites *sites, uint64_t kmem_cache,
			     uint64_t object_size)
{
	const char *type = NULL;

	for (size_t i = 0; i < sites->sites.count; i++) {
		const struct cache_site *site = &sites->sites.data[i];
		if (site->cache != kmem_cache)
			continue;
		const char *found = returned_struct(sites->session, site->pc, object_size);
		if (!found)
			continue;
		if (type && strcmp(type, found) != 0)
			return NULL;
		type = found;
	}
	return type;
}
