// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What each page frame is used for, out of its struct page.
 *
 * A page is single, or one of a compound page: then it names the head page, which knows flags,
 * type and owner for all. Free blocks of the buddy allocator are described in their first page
 * only (private is the order), so that a page without reference is looked for in the blocks that
 * could hold it. Who the others belong to, page->mapping says, whose low bits are a tag
 * (include/linux/page-flags.h): 0 a struct address_space, 1 an anon_vma, 2 movable by a driver
 * (up to 6.16), 3 KSM.
 *
 * A scan goes through the array in order, by windows of a few KiB, and remembers the free block or
 * compound page that it is in; where the array is not mapped it leaps over the whole hole.
 */
#include "kernel/pages.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "kernel/page_layout.h"

enum {
	WINDOW_PAGES = 64,
	COMPOUND_ORDER_MAX = 20, /* 1 GiB is 18 */
	MAPPING_ANON = 1,
	MAPPING_MOVABLE = 2,
	MAPPING_TAGS = 3,
};

/* The words of one struct page. */
struct words {
	uint64_t flags, compound, mapping, index, private, slab_cache;
	int32_t refcount;
	uint32_t type; /* page_type, the same word as mapcount */
};

/* --- Page frame, struct page, direct map. --- */

uint64_t page_of_pfn(struct session *s, uint64_t pfn)
{
	const struct page_array *array = page_array(s);

	return array->valid && pfn < array->max_pfn ? array->vmemmap + pfn * array->page_size : 0;
}

bool pfn_of_page(struct session *s, uint64_t page, uint64_t *pfn)
{
	const struct page_array *array = page_array(s);

	if (!array->valid || page < array->vmemmap || (page - array->vmemmap) % array->page_size)
		return false;
	*pfn = (page - array->vmemmap) / array->page_size;
	return *pfn < array->max_pfn;
}

uint64_t direct_map_of(struct session *s, struct paddr paddr)
{
	const struct kernel_layout *layout = memory_layout(s->memory);

	return layout->has_page_offset ? layout->page_offset + paddr.v : 0;
}

bool direct_map_to_phys(struct session *s, uint64_t vaddr, struct paddr *paddr)
{
	const struct kernel_layout *layout = memory_layout(s->memory);
	uint64_t end = max_u64(dump_info(s->dump)->max_pfn, page_array(s)->max_pfn) << PAGE_SHIFT;

	if (!layout->has_page_offset || vaddr - layout->page_offset >= end)
		return false;
	paddr->v = vaddr - layout->page_offset;
	return true;
}

/* --- One struct page. --- */

static uint64_t word(const uint8_t *bytes, size_t size, const struct field *field)
{
	uint64_t value;

	field_of_bytes(bytes, size, field, &value);
	return value;
}

static void load_words(const struct page_layout *layout, const uint8_t *bytes, struct words *words)
{
	size_t size = layout->array.page_size;

	words->flags = word(bytes, size, &layout->flags);
	words->compound = word(bytes, size, &layout->compound_head);
	words->mapping = word(bytes, size, &layout->mapping);
	words->index = word(bytes, size, &layout->index);
	words->private = word(bytes, size, &layout->private);
	words->slab_cache = word(bytes, size, &layout->slab_cache);
	words->refcount = (int32_t)word(bytes, size, &layout->refcount);
	words->type = (uint32_t)word(bytes, size, &layout->page_type);
}

static bool read_words(struct session *s, const struct page_layout *layout, uint64_t pfn,
		       struct words *words)
{
	uint8_t bytes[STRUCT_PAGE_MAX];

	if (pfn >= layout->array.max_pfn ||
	    memory_read(s->memory, layout->array.vmemmap + pfn * layout->array.page_size, bytes,
			layout->array.page_size) != READ_OK)
		return false;
	load_words(layout, bytes, words);
	return true;
}

/* Memory of the array that was never initialised: zeros, or poison (PAGE_POISON_PATTERN). */
static bool never_used(const struct words *words)
{
	return (words->flags == 0 && words->refcount == 0 && words->type == 0 &&
		!(words->compound & 1)) ||
	       words->flags == UINT64_MAX;
}

/* The order of the compound page whose head is @pfn. */
static unsigned compound_order(struct session *s, const struct page_layout *layout, uint64_t pfn)
{
	uint64_t order, page = layout->array.vmemmap + pfn * layout->array.page_size;

	if (!field_read(s, page, &layout->order, &order))
		return 0;
	order &= layout->order_mask;
	return order <= COMPOUND_ORDER_MAX && !(pfn & ((UINT64_C(1) << order) - 1))
		       ? (unsigned)order : 0;
}

static bool is_hugetlb(struct session *s, const struct page_layout *layout, uint64_t pfn,
		       const struct words *words)
{
	uint64_t value, page = layout->array.vmemmap + pfn * layout->array.page_size;

	if (!page_flag_set(layout, words->flags, PAGE_FLAG_HEAD))
		return false;
	if (layout->type[PAGE_TYPE_HUGETLB])
		return page_type_is(layout, words->type, PAGE_TYPE_HUGETLB);
	if (layout->dtor.known)
		return field_read(s, page, &layout->dtor, &value) && value == layout->dtor_hugetlb;
	return layout->hugetlb_by_flag &&
	       memory_u64(s->memory, page + layout->array.page_size + layout->flags.offset,
			  &value) == READ_OK &&
	       value >> layout->hugetlb_bit & 1;
}

/* What the type or a flag says; UNKNOWN when neither says anything. */
static enum page_kind typed_kind(const struct page_layout *layout, const struct words *words)
{
	static const struct {
		enum page_type type;
		enum page_kind kind;
	} kinds[] = {
		{ PAGE_TYPE_BUDDY, PAGE_KIND_BUDDY },
		{ PAGE_TYPE_SLAB, PAGE_KIND_SLAB },
		{ PAGE_TYPE_TABLE, PAGE_KIND_PAGE_TABLE },
		{ PAGE_TYPE_HUGETLB, PAGE_KIND_HUGETLB },
		{ PAGE_TYPE_OFFLINE, PAGE_KIND_OFFLINE },
		{ PAGE_TYPE_GUARD, PAGE_KIND_GUARD },
		{ PAGE_TYPE_LARGE_KMALLOC, PAGE_KIND_LARGE_KMALLOC },
		{ PAGE_TYPE_ZSMALLOC, PAGE_KIND_MOVABLE },
	};

	if (page_flag_set(layout, words->flags, PAGE_FLAG_SLAB))
		return PAGE_KIND_SLAB;
	for (size_t i = 0; i < array_size(kinds); i++) {
		if (page_type_is(layout, words->type, kinds[i].type))
			return kinds[i].kind;
	}
	return PAGE_KIND_UNKNOWN;
}

static enum page_kind mapped_kind(const struct page_layout *layout, const struct words *words)
{
	unsigned tag = words->mapping & MAPPING_TAGS;

	if (!words->mapping) {
		bool swap = page_flag_set(layout, words->flags, PAGE_FLAG_SWAPCACHE) &&
			    page_flag_set(layout, words->flags, PAGE_FLAG_SWAPBACKED);
		return swap ? PAGE_KIND_SWAP_CACHE : PAGE_KIND_UNKNOWN;
	}
	if (words->mapping >> 47 != (UINT64_C(1) << 17) - 1 && words->mapping >> 56 != 0xff)
		return PAGE_KIND_UNKNOWN; /* no pointer */
	if (tag == MAPPING_TAGS)
		return PAGE_KIND_KSM;
	if (tag & MAPPING_ANON)
		return PAGE_KIND_ANON;
	if (tag == MAPPING_MOVABLE)
		return layout->mapping_movable ? PAGE_KIND_MOVABLE : PAGE_KIND_UNKNOWN;
	return PAGE_KIND_FILE;
}

static void set_owner(const struct words *words, struct page_info *info)
{
	switch (info->kind) {
	case PAGE_KIND_SLAB:
		info->owner = words->slab_cache;
		break;
	case PAGE_KIND_FILE:
	case PAGE_KIND_ANON:
	case PAGE_KIND_KSM:
		info->owner = words->mapping & ~(uint64_t)MAPPING_TAGS;
		break;
	case PAGE_KIND_HUGETLB:
		info->owner = words->mapping & MAPPING_TAGS ? 0 : words->mapping;
		break;
	default:
		break;
	}
}

/* Node and zone as the flags say, if that zone has such a page; else as the zones' spans say. */
static void set_zone(struct session *s, const struct page_layout *layout, uint64_t flags,
		     struct page_info *info)
{
	size_t count;
	const struct zone_info *all = zones(s, &count), *zone;

	info->node = info->zone = -1;
	if (layout->has_node_bits) {
		int node = layout->node_shift < 64 ? (int)(flags >> layout->node_shift) : 0;
		unsigned index = (unsigned)(flags >> layout->zone_shift) &
				 ((1u << layout->zone_width) - 1);
		for (size_t i = 0; i < count; i++) {
			if (all[i].node != node || all[i].index != index ||
			    info->pfn - all[i].start_pfn >= all[i].spanned)
				continue;
			info->node = node;
			info->zone = (int)index;
			return;
		}
	}
	zone = zone_of_pfn(s, info->pfn);
	if (zone) {
		info->node = zone->node;
		info->zone = (int)zone->index;
	}
}

/* What can be told of a head or single page without looking at others. */
static void describe(struct session *s, const struct page_layout *layout, uint64_t pfn,
		     const struct words *words, struct page_info *info)
{
	uint64_t order;

	*info = (struct page_info){
		.pfn = pfn, .head_pfn = pfn,
		.page = layout->array.vmemmap + pfn * layout->array.page_size,
		.flags = words->flags, .index = words->index, .refcount = words->refcount,
		.migrate_type = -1,
	};
	info->head = info->page;
	set_zone(s, layout, words->flags, info);
	if (page_flag_set(layout, words->flags, PAGE_FLAG_HEAD))
		info->order = compound_order(s, layout, pfn);
	info->kind = typed_kind(layout, words);
	if (info->kind == PAGE_KIND_UNKNOWN || info->kind == PAGE_KIND_HUGETLB) {
		info->mapping = words->mapping;
		/* The same word is the type of a page that has one. */
		if (info->kind == PAGE_KIND_UNKNOWN)
			info->mapcount = (int32_t)words->type + 1;
	}
	if (info->kind == PAGE_KIND_BUDDY) {
		order = words->private;
		if (order > layout->max_order || pfn & ((UINT64_C(1) << order) - 1))
			order = 0;
		info->order = (unsigned)order;
	} else if (info->kind != PAGE_KIND_UNKNOWN) {
		set_owner(words, info);
	} else if (page_flag_set(layout, words->flags, PAGE_FLAG_RESERVED)) {
		bool image = pfn >= layout->image_start && pfn < layout->image_end;
		info->kind = image ? PAGE_KIND_KERNEL : PAGE_KIND_RESERVED;
	} else if (is_hugetlb(s, layout, pfn, words)) {
		info->kind = PAGE_KIND_HUGETLB;
		set_owner(words, info);
	} else if (words->refcount > 0) {
		info->kind = mapped_kind(layout, words);
		set_owner(words, info);
	} else if (map_get(&layout->pcp, pfn, &order)) {
		info->kind = PAGE_KIND_PCP;
		info->order = (unsigned)order - 1;
	}
}

/* --- Pages that others describe. --- */

/*
 * The head that a tail page names, as its page frame. Since 7.0 the word may be a mask that takes
 * the tail's address to its head's (include/linux/page-flags.h, compound_info).
 */
static bool head_of(const struct page_layout *layout, uint64_t pfn, uint64_t compound,
		    uint64_t *head)
{
	const struct page_array *array = &layout->array;
	uint64_t page = array->vmemmap + pfn * array->page_size, at = compound - 1;
	bool is_mask = at > page && (-at & (-at - 1)) == 0;

	if (is_mask)
		at &= page;
	if (at < array->vmemmap || (at - array->vmemmap) % array->page_size)
		return false;
	*head = (at - array->vmemmap) / array->page_size;
	return *head < pfn && pfn - *head < UINT64_C(1) << COMPOUND_ORDER_MAX;
}

/* @pfn is a page of the compound or free block that @head describes. */
static void belong(const struct page_info *head, uint64_t pfn, uint64_t page,
		   struct page_info *info)
{
	*info = *head;
	info->pfn = pfn;
	info->page = page;
	if (info->kind != PAGE_KIND_BUDDY)
		info->index += pfn - head->pfn;
}

/* The free block that holds @pfn, which is not its first page. */
static bool find_block(struct session *s, const struct page_layout *layout, uint64_t pfn,
		       struct page_info *info)
{
	struct page_info head;
	struct words words;

	for (unsigned order = 1; order <= layout->max_order; order++) {
		uint64_t first = pfn & ~((UINT64_C(1) << order) - 1);
		if (first == pfn || (pfn & (UINT64_C(1) << (order - 1))) == 0)
			continue;
		if (!read_words(s, layout, first, &words) ||
		    !page_type_is(layout, words.type, PAGE_TYPE_BUDDY))
			continue;
		describe(s, layout, first, &words, &head);
		if (pfn - first >= UINT64_C(1) << head.order)
			continue;
		belong(&head, pfn, info->page, info);
		return true;
	}
	return false;
}

static void describe_tail(struct session *s, const struct page_layout *layout, uint64_t pfn,
			  uint64_t head_pfn, struct page_info *info)
{
	struct page_info head;
	struct words words;

	if (!read_words(s, layout, head_pfn, &words) || words.compound & 1)
		return;
	describe(s, layout, head_pfn, &words, &head);
	belong(&head, pfn, info->page, info);
}

bool page_info(struct session *s, uint64_t pfn, struct page_info *info)
{
	const struct page_layout *layout = page_layout(s);
	struct words words;
	uint64_t head;

	*info = (struct page_info){
		.pfn = pfn, .head_pfn = pfn, .kind = PAGE_KIND_ABSENT, .node = -1, .zone = -1,
		.migrate_type = -1,
	};
	if (!layout || !read_words(s, layout, pfn, &words) || never_used(&words))
		return false;
	describe(s, layout, pfn, &words, info);
	if (words.compound & 1) {
		if (head_of(layout, pfn, words.compound, &head))
			describe_tail(s, layout, pfn, head, info);
	} else if (info->kind == PAGE_KIND_UNKNOWN && words.refcount == 0) {
		find_block(s, layout, pfn, info);
	}
	info->migrate_type = page_block_type(s, layout, pfn);
	return true;
}

bool page_info_at(struct session *s, uint64_t vaddr, struct page_info *info)
{
	struct paddr paddr;

	if (!direct_map_to_phys(s, vaddr, &paddr) &&
	    memory_vtop(s->memory, vaddr, &paddr) != READ_OK) {
		*info = (struct page_info){ .kind = PAGE_KIND_ABSENT, .node = -1, .zone = -1,
					    .migrate_type = -1 };
		return false;
	}
	return page_info(s, paddr.v >> PAGE_SHIFT, info);
}

const char *page_kind_name(enum page_kind kind)
{
	static const char *const names[PAGE_KIND_COUNT] = {
		[PAGE_KIND_UNKNOWN] = "in use",
		[PAGE_KIND_ABSENT] = "absent",
		[PAGE_KIND_RESERVED] = "reserved",
		[PAGE_KIND_KERNEL] = "kernel image",
		[PAGE_KIND_SLAB] = "slab",
		[PAGE_KIND_LARGE_KMALLOC] = "large kmalloc",
		[PAGE_KIND_BUDDY] = "free (buddy)",
		[PAGE_KIND_PCP] = "free (CPU list)",
		[PAGE_KIND_FILE] = "page cache",
		[PAGE_KIND_SWAP_CACHE] = "swap cache",
		[PAGE_KIND_ANON] = "anonymous",
		[PAGE_KIND_KSM] = "KSM",
		[PAGE_KIND_MOVABLE] = "movable by its driver",
		[PAGE_KIND_PAGE_TABLE] = "page table",
		[PAGE_KIND_HUGETLB] = "huge page (hugetlb)",
		[PAGE_KIND_OFFLINE] = "offline",
		[PAGE_KIND_GUARD] = "guard",
	};

	return (unsigned)kind < PAGE_KIND_COUNT ? names[kind] : "?";
}

/* --- All pages in order. --- */

struct scan {
	struct session *session;
	const struct page_layout *layout;
	page_fn fn;
	void *ctx;
	struct page_info head; /* of the block or compound page that the scan is in */
	uint64_t block_end;    /* of a free block */
	uint64_t type_block;   /* the pageblock whose type is known */
	int migrate_type;
};

static bool scan_page(struct scan *scan, uint64_t pfn, const uint8_t *bytes)
{
	const struct page_layout *layout = scan->layout;
	uint64_t page = layout->array.vmemmap + pfn * layout->array.page_size, head;
	struct page_info info;
	struct words words;

	load_words(layout, bytes, &words);
	if (never_used(&words))
		return true;
	if (pfn < scan->block_end && !page_type_is(layout, words.type, PAGE_TYPE_BUDDY)) {
		belong(&scan->head, pfn, page, &info);
	} else if (words.compound & 1 && head_of(layout, pfn, words.compound, &head)) {
		if (head == scan->head.pfn) {
			belong(&scan->head, pfn, page, &info);
		} else {
			describe(scan->session, layout, pfn, &words, &info);
			describe_tail(scan->session, layout, pfn, head, &info);
		}
	} else {
		describe(scan->session, layout, pfn, &words, &info);
		scan->head = info;
		if (info.kind == PAGE_KIND_BUDDY)
			scan->block_end = pfn + (UINT64_C(1) << info.order);
		else if (info.kind == PAGE_KIND_UNKNOWN && words.refcount == 0)
			find_block(scan->session, layout, pfn, &info);
	}
	uint64_t block = pfn >> layout->block_order;
	if (block != scan->type_block) {
		scan->type_block = block;
		scan->migrate_type = page_block_type(scan->session, layout, pfn);
	}
	info.migrate_type = scan->migrate_type;
	return scan->fn(scan->ctx, &info);
}

uint64_t pages_range(struct session *s, uint64_t from, uint64_t to, page_fn fn, void *ctx)
{
	const struct page_layout *layout = page_layout(s);
	struct scan scan = { .session = s, .layout = layout, .fn = fn, .ctx = ctx,
			     .head.pfn = UINT64_MAX, .type_block = UINT64_MAX, .migrate_type = -1 };
	uint8_t window[WINDOW_PAGES * STRUCT_PAGE_MAX];
	struct walk walk;
	uint64_t missing = 0;

	if (!layout)
		return 0;
	uint64_t page_size = layout->array.page_size;
	to = min_u64(to, layout->array.max_pfn);
	struct progress *progress = progress_start(&s->progress, "pages", to > from ? to - from : 0);
	while (from < to && !session_stopped(s)) {
		uint64_t at = layout->array.vmemmap + from * page_size;
		uint64_t wanted = min_u64(WINDOW_PAGES - from % WINDOW_PAGES, to - from);
		uint64_t got = memory_read_some(s->memory, at, window, wanted * page_size);
		got /= page_size;
		for (uint64_t i = 0; i < got; i++) {
			if (!scan_page(&scan, from + i, window + i * page_size)) {
				progress_stop(progress);
				return missing;
			}
		}
		from += got;
		progress_add(progress, got);
		if (got == wanted)
			continue;
		/* A hole: of one page of the array, or as large as the page tables say. */
		at = layout->array.vmemmap + from * page_size;
		memory_walk(s->memory, at, &walk);
		uint64_t hole = walk.status == READ_UNMAPPED && walk.page_size ? walk.page_size
									       : PAGE_SIZE;
		uint64_t skip = max_u64(((at / hole + 1) * hole - at) / page_size, 1);
		if (walk.status != READ_UNMAPPED)
			missing += min_u64(skip, to - from);
		from += skip;
		progress_add(progress, skip);
	}
	progress_stop(progress);
	return missing;
}

void pages_each(struct session *s, page_fn fn, void *ctx)
{
	pages_range(s, 0, UINT64_MAX, fn, ctx);
}
