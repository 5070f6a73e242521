// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The vmalloc area (mm/vmalloc.c): address ranges above the direct map, each mapped page by page.
 *
 * A struct vmap_area is a range; a struct vm_struct says what it is for: who asked, how, and which
 * pages back it. Ranges in use are linked in order of address on vmap_area_list; since 6.9 the
 * address space is dealt out to nodes, vmap_nodes[], each with a list of ranges in use (busy) and
 * one of freed ones that are still mapped (lazy), for which there was purge_vmap_area_list before.
 * Until 5.3 freed ranges stayed on the first list with a flag.
 *
 * vmap_nodes[] is a large kmalloc(), which makedumpfile 1.7.8 leaves out of dumps of kernels since
 * 6.13. Where a list cannot be read whole, ranges are also sought among the objects of the slab
 * cache that they are from: one in use points to a vm_struct that has the same address.
 */
#include "kernel/vmalloc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/map.h"
#include "base/vec.h"
#include "kernel/field.h"
#include "kernel/pages.h"
#include "kernel/slab.h"

enum {
	VMAP_NODES_MAX = 4096,
	AREAS_MAX = 1 << 22,
	AREA_PAGES_MAX = 1 << 28,
	POINTERS_AT_ONCE = 512,
	VM_LAZY_FREE = 2, /* of vmap_area.flags before 5.4 */
	VM_VM_AREA = 4,
};

struct area_list {
	struct vmalloc_area *data;
	size_t count, capacity;
};

struct vmalloc {
	struct session *session;
	struct area_list areas, unpurged;
	struct area_list *into; /* where add_area() puts what it finds */
	struct field start, end, vm, flags;
	struct field vm_size, vm_flags, vm_pages, vm_count, vm_order, vm_phys, vm_caller;
	bool old_flags;
	bool broken; /* a list of areas could not be read whole */
	/* Page frame -> 1 + index of its area << 32 | index of the page in the area. */
	struct map of_pfn;
	bool pfns_read;
};

static void destroy(void *data)
{
	struct vmalloc *v = data;

	vec_deinit(&v->areas);
	vec_deinit(&v->unpurged);
	map_deinit(&v->of_pfn);
	free(v);
}

static void find_members(struct session *s, struct vmalloc *v)
{
	uint64_t ignored;

	v->start = field_find(s, "vmap_area", "va_start");
	v->end = field_find(s, "vmap_area", "va_end");
	v->vm = field_find(s, "vmap_area", "vm");
	v->flags = field_find(s, "vmap_area", "flags");
	/* The flags left in 5.4 and came back in 6.3 with other meanings; purge_list left in 5.11. */
	v->old_flags = v->flags.known && koffset(s, "vmap_area", "purge_list", &ignored);
	v->vm_size = field_find(s, "vm_struct", "size");
	v->vm_flags = field_find(s, "vm_struct", "flags");
	v->vm_pages = field_find(s, "vm_struct", "pages");
	v->vm_count = field_find(s, "vm_struct", "nr_pages");
	v->vm_order = field_find(s, "vm_struct", "page_order");
	v->vm_phys = field_find(s, "vm_struct", "phys_addr");
	v->vm_caller = field_find(s, "vm_struct", "caller");
}

static void read_vm(struct vmalloc *v, struct vmalloc_area *area)
{
	struct session *s = v->session;
	uint64_t value;

	if (field_read(s, area->vm, &v->vm_size, &value) && value && value <= area->size)
		area->size = value;
	area->incomplete |= !field_read(s, area->vm, &v->vm_flags, &area->flags);
	area->incomplete |= !field_read(s, area->vm, &v->vm_pages, &area->pages);
	area->incomplete |= !field_read(s, area->vm, &v->vm_phys, &area->phys);
	area->incomplete |= !field_read(s, area->vm, &v->vm_caller, &area->caller);
	if (field_read(s, area->vm, &v->vm_count, &value) && value <= AREA_PAGES_MAX)
		area->page_count = (unsigned)value;
	else
		area->incomplete = true;
	if (field_read(s, area->vm, &v->vm_order, &value) && value < 20)
		area->page_order = (unsigned)value;
}

static bool add_area(void *ctx, uint64_t address)
{
	struct vmalloc *v = ctx;
	struct session *s = v->session;
	struct vmalloc_area area = { .vmap_area = address };
	struct area_list *into = v->into;
	uint64_t end, flags = 0;

	if (!field_read(s, address, &v->start, &area.start) ||
	    !field_read(s, address, &v->end, &end) || end <= area.start ||
	    !s->arch->is_kernel_address(area.start)) {
		session_problem(s, "the vmap_area at %016" PRIx64 " is not in the dump or damaged",
				address);
		return true;
	}
	area.size = end - area.start;
	if (v->old_flags && field_read(s, address, &v->flags, &flags) && flags & VM_LAZY_FREE)
		into = &v->unpurged;
	/* Without its flag the pointer was never set. */
	bool has_vm = into == &v->areas && (!v->old_flags || flags & VM_VM_AREA);
	/* In a freed area the word is the link or size that the allocator keeps there. */
	area.incomplete = has_vm && !field_read(s, address, &v->vm, &area.vm);
	if (area.vm)
		read_vm(v, &area);
	vec_push(into, area);
	return into->count < AREAS_MAX;
}

static void walk_list(struct vmalloc *v, struct area_list *into, uint64_t head, const char *what)
{
	uint64_t first;
	size_t problems = v->session->problems.count;

	v->into = into;
	/* A list that was never set up is zero. */
	if (memory_u64(v->session->memory, head, &first) == READ_OK && !first)
		return;
	klist_each(v->session, head, "vmap_area", "list", what, add_area, v);
	if (into == &v->areas && v->session->problems.count != problems)
		v->broken = true;
}

/* --- The other road: all objects of the slab cache. --- */

static bool try_object(void *ctx, const struct slab_object *object)
{
	struct vmalloc *v = ctx;
	struct session *s = v->session;
	uint64_t start, vm, addr;

	if (object->state == OBJECT_ALLOCATED &&
	    field_read(s, object->address, &v->start, &start) &&
	    !(start & (PAGE_SIZE - 1)) && s->arch->is_kernel_address(start) &&
	    field_read(s, object->address, &v->vm, &vm) && s->arch->is_kernel_address(vm) &&
	    kread(s, vm, "vm_struct", "addr", &addr) && addr == start)
		add_area(v, object->address);
	return true;
}

static bool try_slab(void *ctx, const struct slab *slab)
{
	struct vmalloc *v = ctx;

	slab_objects(v->session, slab, try_object, v);
	return !session_stopped(v->session);
}

static void search_slabs(struct vmalloc *v)
{
	const struct slab_cache *cache = slab_cache_by_name(v->session, "vmap_area");

	v->into = &v->areas;
	if (cache)
		slab_each(v->session, cache, try_slab, v);
	session_problem(v->session, "the lists of vmalloc areas are incomplete: areas were also "
			"sought in slab cache vmap_area");
}

static void walk_nodes(struct vmalloc *v)
{
	struct session *s = v->session;
	uint64_t nodes, count, busy, lazy, size = types_sizeof(s->types, "vmap_node");

	if (!size || !kglobal(s, "vmap_nodes", 8, &nodes) || !nodes ||
	    !koffset(s, "vmap_node", "busy.head", &busy)) {
		session_problem(s, "the vmalloc areas cannot be found");
		return;
	}
	if (!kglobal(s, "nr_vmap_nodes", 4, &count) || !count || count > VMAP_NODES_MAX)
		count = 1;
	for (uint64_t i = 0; i < count; i++) {
		walk_list(v, &v->areas, nodes + i * size + busy, "the list of vmalloc areas");
		if (koffset(s, "vmap_node", "lazy.head", &lazy))
			walk_list(v, &v->unpurged, nodes + i * size + lazy,
				  "the list of freed vmalloc areas");
	}
}

static int compare_areas(const void *a, const void *b)
{
	const struct vmalloc_area *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static void sort(struct area_list *list)
{
	size_t kept = 0;

	if (list->count)
		qsort(list->data, list->count, sizeof(*list->data), compare_areas);
	/* Found by two roads, an area is there twice. */
	for (size_t i = 0; i < list->count; i++) {
		if (!kept || list->data[i].start != list->data[kept - 1].start)
			list->data[kept++] = list->data[i];
	}
	list->count = kept;
}

static struct vmalloc *vmalloc(struct session *s)
{
	struct vmalloc *v = s->slot[SLOT_VMALLOC].data;
	uint64_t head;

	if (v)
		return v;
	v = xcalloc(1, sizeof(*v));
	v->session = s;
	s->slot[SLOT_VMALLOC].data = v;
	s->slot[SLOT_VMALLOC].destroy = destroy;
	if (!s->symbols)
		return v;
	find_members(s, v);
	head = symbols_address(s->symbols, "vmap_area_list");
	if (head)
		walk_list(v, &v->areas, head, "the list of vmalloc areas");
	else
		walk_nodes(v);
	head = symbols_address(s->symbols, "purge_vmap_area_list");
	if (head)
		walk_list(v, &v->unpurged, head, "the list of freed vmalloc areas");
	if (v->broken)
		search_slabs(v);
	sort(&v->areas);
	sort(&v->unpurged);
	return v;
}

const struct vmalloc_area *vmalloc_areas(struct session *s, size_t *count)
{
	const struct vmalloc *v = vmalloc(s);

	*count = v->areas.count;
	return v->areas.data;
}

const struct vmalloc_area *vmalloc_unpurged(struct session *s, size_t *count)
{
	const struct vmalloc *v = vmalloc(s);

	*count = v->unpurged.count;
	return v->unpurged.data;
}

const struct vmalloc_area *vmalloc_area_at(struct session *s, uint64_t address)
{
	const struct vmalloc *v = vmalloc(s);
	size_t low = 0, high = v->areas.count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct vmalloc_area *area = &v->areas.data[mid];
		if (address < area->start)
			high = mid;
		else if (address - area->start >= area->size)
			low = mid + 1;
		else
			return area;
	}
	return NULL;
}

void vmalloc_area_text(struct session *s, const struct vmalloc_area *area, char *buf, size_t size)
{
	static const struct {
		uint64_t flag;
		const char *name;
	} kinds[] = {
		{ VMALLOC_IOREMAP, "ioremap" }, { VMALLOC_SPARSE, "sparse" },
		{ VMALLOC_ALLOC, "vmalloc" }, { VMALLOC_MAP, "vmap" }, { VMALLOC_USERMAP, "user" },
		{ VMALLOC_DMA_COHERENT, "dma-coherent" },
	};
	char text[160] = "";
	size_t n = 0;

	if (!area->vm && !area->incomplete)
		n = (size_t)snprintf(text, sizeof(text), " vm_map_ram");
	if (area->page_count)
		n += (size_t)snprintf(text + n, sizeof(text) - n, " pages=%u", area->page_count);
	if (area->phys)
		n += (size_t)snprintf(text + n, sizeof(text) - n, " phys=0x%016" PRIx64,
				      area->phys);
	for (size_t i = 0; i < array_size(kinds); i++) {
		if (area->flags & kinds[i].flag)
			n += (size_t)snprintf(text + n, sizeof(text) - n, " %s", kinds[i].name);
	}
	/* The array of page pointers is too large for kmalloc(). */
	if (area->pages && vmalloc_area_at(s, area->pages))
		snprintf(text + n, sizeof(text) - n, " vpages");
	snprintf(buf, size, "%s", text + (text[0] == ' '));
}

/* --- Page frames. --- */

void vmalloc_pages(struct session *s, const struct vmalloc_area *area, vmalloc_pfn_fn fn, void *ctx)
{
	uint8_t pointers[POINTERS_AT_ONCE * 8];
	uint64_t pfn;

	if (!area->pages)
		return;
	for (uint64_t i = 0; i < area->page_count; i += POINTERS_AT_ONCE) {
		uint64_t n = min_u64(area->page_count - i, POINTERS_AT_ONCE);
		uint64_t wanted = n;
		n = memory_read_some(s->memory, area->pages + i * 8, pointers, n * 8) / 8;
		if (n < wanted)
			session_problem(s, "which pages are behind the vmalloc area at %016lx is not "
					"wholly in the dump", (unsigned long)area->start);
		for (uint64_t k = 0; k < n; k++) {
			if (!pfn_of_page(s, load_u64(pointers + k * 8), &pfn))
				pfn = UINT64_MAX;
			if (!fn(ctx, pfn))
				return;
		}
		if (!n)
			return;
	}
}

struct pfn_walk {
	struct vmalloc *v;
	uint64_t area, page;
};

static bool note_pfn(void *ctx, uint64_t pfn)
{
	struct pfn_walk *walk = ctx;

	if (pfn != UINT64_MAX)
		map_set(&walk->v->of_pfn, pfn, (walk->area + 1) << 32 | walk->page);
	walk->page++;
	return true;
}

const struct vmalloc_area *vmalloc_area_of_pfn(struct session *s, uint64_t pfn, uint64_t *vaddr)
{
	struct vmalloc *v = vmalloc(s);
	uint64_t value;

	for (size_t i = 0; !v->pfns_read && i < v->areas.count; i++) {
		struct pfn_walk walk = { v, i, 0 };
		vmalloc_pages(s, &v->areas.data[i], note_pfn, &walk);
	}
	v->pfns_read = true;
	if (!map_get(&v->of_pfn, pfn, &value))
		return NULL;
	const struct vmalloc_area *area = &v->areas.data[(value >> 32) - 1];
	*vaddr = area->start + ((value & UINT32_MAX) << PAGE_SHIFT);
	return area;
}
