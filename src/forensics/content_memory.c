// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The contents of a range of the dump's memory, read page by page, as holes end runs; what counts
 * as a pointer there; and where else a text is.
 *
 * Areas of the address map: Documentation/arch/x86/x86_64/mm.rst. KASLR moves them; where the
 * variable that holds an area's start cannot be read, no pointer into it is claimed.
 */
#include "forensics/content_memory.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/vec.h"
#include "memory/scan.h"

enum {
	EXTENT_MAX = 1 << 18, /* how far a text is followed, each way */
	NEEDLE_MIN = 20,
	NEEDLE_MAX = 64,
	PLACES_MAX = 4096,
};

/* VMALLOC_SIZE_TB_L4 and _L5, arch/x86/include/asm/pgtable_64_types.h */
#define VMALLOC_SIZE(levels) ((levels) == 5 ? UINT64_C(12800) << 40 : UINT64_C(32) << 40)
#define VMEMMAP_SIZE (UINT64_C(1) << 40)
/* Where programs, libraries and stacks are put: mmap_base(), ELF_ET_DYN_BASE of x86-64. */
#define USER_LOW  UINT64_C(0x550000000000)
#define USER_HIGH UINT64_C(0x7ffffffff000)

struct areas {
	struct session *s;
	uint64_t direct, direct_size, vmalloc, vmalloc_size, vmemmap, vmemmap_size;
	uint64_t image, image_size;
};

static enum pointer_kind pointer_of(void *ctx, uint64_t value)
{
	const struct areas *a = ctx;

	if (value >= USER_LOW && value < USER_HIGH)
		return POINTER_USER;
	if (!a->s->arch->is_kernel_address(value))
		return POINTER_NONE;
	if (value - a->direct < a->direct_size)
		return POINTER_MEMORY;
	if (value - a->vmalloc < a->vmalloc_size)
		return POINTER_VMALLOC;
	if (value - a->vmemmap < a->vmemmap_size)
		return POINTER_PAGE;
	if (!a->s->symbols || value < a->image)
		return POINTER_NONE;
	if (symbols_is_text(a->s->symbols, value))
		return POINTER_CODE;
	return value - a->image < a->image_size || symbols_module_of(a->s->symbols, value)
		       ? POINTER_IMAGE
		       : POINTER_NONE;
}

void content_env_of(struct session *s, struct content_env *env)
{
	const struct kernel_layout *layout = memory_layout(s->memory);
	struct areas *a = arena_zalloc(&s->arena, sizeof(*a));
	uint64_t text = 0, end = 0;

	a->s = s;
	a->direct = layout->page_offset;
	a->direct_size = layout->has_page_offset ? dump_info(s->dump)->max_pfn << PAGE_SHIFT : 0;
	if (kglobal(s, "vmalloc_base", 8, &a->vmalloc) && a->vmalloc)
		a->vmalloc_size = VMALLOC_SIZE(layout->root.levels);
	if (kglobal(s, "vmemmap_base", 8, &a->vmemmap) && a->vmemmap)
		a->vmemmap_size = VMEMMAP_SIZE;
	if (s->symbols) {
		text = symbols_address(s->symbols, "_text");
		end = symbols_address(s->symbols, "_end");
	}
	a->image = text ? text : s->arch->image_base;
	a->image_size = text && end > text ? end - text : layout->image_size;
	*env = (struct content_env){ .pointer = pointer_of, .ctx = a,
				     .max_pfn = dump_info(s->dump)->max_pfn };
}

static void add_hole(uint64_t address, uint64_t size, enum read_status status,
		     struct content *content)
{
	struct content_run run = { .address = address, .size = size, .kind = CONTENT_MISSING };
	struct content_run *last = content->count ? &content->data[content->count - 1] : NULL;
	const char *why = read_status_text(status);

	snprintf(run.text, sizeof(run.text), "%s", why);
	if (last && last->kind == CONTENT_MISSING && strcmp(last->text, why) == 0)
		last->size += size;
	else
		vec_push(content, run);
}

void content_read(struct session *s, uint64_t address, uint64_t size, struct content *content)
{
	struct content_env env;
	uint64_t done = 0;

	size = min_u64(size, CONTENT_SIZE_MAX);
	if (address > UINT64_MAX - size)
		size = UINT64_MAX - address;
	content_env_of(s, &env);
	auto_free uint8_t *bytes = xmalloc(size);
	while (done < size && !session_stopped(s)) {
		size_t there = memory_read_some(s->memory, address + done, bytes, size - done);
		content_runs(&env, address + done, bytes, there, content);
		done += there;
		if (done == size)
			break;
		uint64_t hole = min_u64(size - done,
					PAGE_SIZE - ((address + done) & (PAGE_SIZE - 1)));
		struct fault fault = { 0 };
		enum read_status status =
			memory_read_fault(s->memory, address + done, bytes, 1, &fault);
		add_hole(address + done, hole, status, content);
		done += hole;
	}
}

/* --- How far a text goes. --- */

/* A byte of text, or of a character of several bytes: exact borders matter less than both ends. */
static bool textual(uint8_t byte)
{
	return content_is_text(byte) || byte >= 0x80;
}

void content_text_extent(struct session *s, uint64_t address, uint64_t size,
			 struct text_extent *extent)
{
	uint8_t page[PAGE_SIZE];
	uint64_t at = address, end = address + size;

	*extent = (struct text_extent){ .start_unknown = true, .end_unknown = true };
	while (address - at < EXTENT_MAX) {
		uint64_t n = at & (PAGE_SIZE - 1) ? at & (PAGE_SIZE - 1) : PAGE_SIZE;
		if (n > at || memory_read(s->memory, at - n, page, n) != READ_OK)
			break;
		uint64_t left = n;
		while (left && textual(page[left - 1]))
			left--;
		at -= n - left;
		if (left) {
			extent->start_unknown = false;
			break;
		}
	}
	/* What is no ASCII is taken back where it only borders on the text. */
	while (at < address && memory_read(s->memory, at, page, 1) == READ_OK && page[0] >= 0x80)
		at++;
	extent->start = at;
	at = end;
	while (at - end < EXTENT_MAX) {
		uint64_t n = PAGE_SIZE - (at & (PAGE_SIZE - 1)), text = 0;
		if (at > UINT64_MAX - n || memory_read(s->memory, at, page, n) != READ_OK)
			break;
		while (text < n && content_is_text(page[text]))
			text++;
		at += text;
		if (text < n) {
			extent->end_unknown = false;
			break;
		}
	}
	extent->end = at;
}

/* --- Where else it is. --- */

static size_t variety(const uint8_t *text, size_t size)
{
	bool seen[256] = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < size; i++) {
		n += !seen[text[i]];
		seen[text[i]] = true;
	}
	return n;
}

/* The stretch of one line, of many different characters: dashes or blanks are anywhere. */
bool content_needle(const uint8_t *text, size_t size, struct text_needle *needle)
{
	size_t best = 0;

	for (size_t start = 0; start < size;) {
		const uint8_t *newline = memchr(text + start, '\n', size - start);
		size_t length = newline ? (size_t)(newline - text) - start : size - start;
		const uint8_t *nul = memchr(text + start, '\0', length);
		if (nul)
			length = (size_t)(nul - text) - start;
		size_t n = min_u64(length, NEEDLE_MAX);
		size_t worth = n >= NEEDLE_MIN ? variety(text + start, n) : 0;
		if (worth > best) {
			best = worth;
			*needle = (struct text_needle){ text + start, n };
		}
		start += length + 1;
	}
	return best >= NEEDLE_MIN / 2;
}

struct text_search {
	const struct text_needle *needle;
	pthread_mutex_t lock;
	struct {
		vec_fields(struct paddr);
	} places;
	size_t count;
};

static void find_in_page(void *ctx, unused_arg unsigned worker, uint64_t pfn, const uint8_t *bytes,
			 uint16_t from, uint16_t to)
{
	struct text_search *search = ctx;
	const uint8_t *at = bytes + from, *end = bytes + to;

	while (at < end && (at = memmem(at, (size_t)(end - at), search->needle->text,
					search->needle->size))) {
		pthread_mutex_lock(&search->lock);
		search->count++;
		if (search->places.count < PLACES_MAX)
			vec_push(&search->places, (struct paddr){ (pfn << PAGE_SHIFT) +
								  (uint64_t)(at - bytes) });
		pthread_mutex_unlock(&search->lock);
		at += search->needle->size;
	}
}

static int compare_places(const void *va, const void *vb)
{
	const struct paddr *a = va, *b = vb;

	return a->v < b->v ? -1 : a->v > b->v;
}

size_t content_find_text(struct session *s, const struct text_needle *needle, struct paddr *places,
			 size_t max)
{
	struct text_search search = { .needle = needle };

	pthread_mutex_init(&search.lock, NULL);
	memory_scan(s->memory, s->stop, find_in_page, &search, NULL);
	pthread_mutex_destroy(&search.lock);
	if (search.places.count)
		qsort(search.places.data, search.places.count, sizeof(struct paddr),
		      compare_places);
	for (size_t i = 0; i < search.places.count && i < max; i++)
		places[i] = search.places.data[i];
	vec_deinit(&search.places);
	return search.count;
}
