// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where search looks, on all cores. Without a range all memory in the dump is looked at once, by
 * page frame, and a hit is shown at the address that the kernel knows it by. A range, user space
 * and stacks are virtual memory: its pages are looked up one after the other, in batches, and each
 * batch is looked at by all cores.
 *
 * A string may go on in the next page, of the address space and not of the file: what could be its
 * beginning at a page's end is kept, and read again as a whole when all pages were seen.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "commands/search.h"
#include "forensics/refs.h"
#include "kernel/cpu_state.h"
#include "kernel/mappings.h"
#include "kernel/swap_meaning.h"

enum {
	BATCH_PAGES = 1 << 16,
	CHUNK_PAGES = 64,
	EDGES_MAX = 1 << 20,
	COUNT_PAGES = 1 << 16,
};

/* A page that is to be looked at: where it is, and at which address that is shown. */
struct place {
	uint64_t address, pfn;
	const struct task *task;
};

struct batch {
	struct search *search;
	vec_fields(struct place);
	uint8_t (*buffers)[PAGE_SIZE]; /* of each worker */
};

/* What a worker hands on with the words that it finds. */
struct page_of {
	struct search *search;
	const struct task *task;
};

/* --- What is in a page. --- */

static void add_hit(struct search *search, const struct search_hit *hit)
{
	if (search->ranged && (hit->address < search->start || hit->address > search->end))
		return;
	pthread_mutex_lock(&search->lock);
	search->total++;
	if (search->hits.count < SEARCH_HITS_MAX)
		vec_push(&search->hits, *hit);
	pthread_mutex_unlock(&search->lock);
}

static void word_found(void *ctx, unused_arg unsigned worker, const struct word_hit *hit)
{
	const struct page_of *of = ctx;

	add_hit(of->search, &(struct search_hit){ hit->at.v, hit->value, (uint32_t)hit->range,
						  of->task });
}

/* The beginnings of string @which at the end of a page. */
static void find_edges(struct search *search, uint32_t which, uint64_t address,
		       const uint8_t *bytes, const struct task *task)
{
	size_t length = search->lengths[which];
	size_t from = length < PAGE_SIZE ? PAGE_SIZE - length + 1 : 1;

	for (size_t i = from; i < PAGE_SIZE; i++) {
		if (memcmp(bytes + i, search->strings[which], PAGE_SIZE - i) != 0)
			continue;
		pthread_mutex_lock(&search->lock);
		if (search->edges.count < EDGES_MAX)
			vec_push(&search->edges,
				 (struct search_hit){ address + i, which, which, task });
		pthread_mutex_unlock(&search->lock);
	}
}

static void find_strings(struct search *search, uint64_t address, const uint8_t *bytes,
			 uint16_t from, uint16_t to, const struct task *task)
{
	for (uint32_t i = 0; i < search->count; i++) {
		const uint8_t *at = bytes + from, *end = bytes + to;
		while (at < end && (at = memmem(at, (size_t)(end - at), search->strings[i],
						search->lengths[i]))) {
			add_hit(search, &(struct search_hit){ address + (uint64_t)(at - bytes), i,
							      i, task });
			at++;
		}
		if (to == PAGE_SIZE)
			find_edges(search, i, address, bytes, task);
	}
}

/* One page at @address, in whatever numbering the caller has. */
static void look_at(struct search *search, unsigned worker, uint64_t address, const uint8_t *bytes,
		    uint16_t from, uint16_t to, const struct task *task)
{
	struct page_of of = { search, task };

	progress_add(search->progress, 1);
	if (search->options.set[SEARCH_STRINGS])
		find_strings(search, address, bytes, from, to, task);
	else
		word_finder_page(search->finder, worker, address >> PAGE_SHIFT, bytes, from, to,
				 word_found, &of);
}

static void look_at_frame(void *ctx, unsigned worker, uint64_t pfn, const uint8_t *bytes,
			  uint16_t from, uint16_t to)
{
	look_at(ctx, worker, pfn << PAGE_SHIFT, bytes, from, to, NULL);
}

/* --- All memory. --- */

struct page_count {
	const struct dump *dump;
	_Atomic uint64_t excluded;
};

static void count_excluded(void *ctx, unused_arg unsigned worker, size_t i)
{
	struct page_count *count = ctx;
	uint64_t found = 0;

	for (uint64_t pfn = (uint64_t)i * COUNT_PAGES, end = pfn + COUNT_PAGES; pfn < end; pfn++)
		found += dump_has_page(count->dump, pfn) == READ_EXCLUDED;
	atomic_fetch_add(&count->excluded, found);
}

/* How much of the machine's memory was left out when the dump was made. */
static void note_excluded(struct search *search)
{
	struct session *s = search->args->session;
	struct page_count count = { .dump = s->dump };
	uint64_t chunks = (dump_info(s->dump)->max_pfn + COUNT_PAGES - 1) / COUNT_PAGES;

	parallel_for((size_t)chunks, s->stop, count_excluded, &count);
	atomic_store(&search->missing[READ_EXCLUDED], atomic_load(&count.excluded));
}

/* Physical addresses become those of the kernel; which of them are wanted, -K and -V say. */
static uint64_t kernel_address(struct search *search, struct paddr phys, uint64_t at, bool *wanted)
{
	struct session *s = search->args->session;
	uint64_t direct = direct_map_of(s, phys);
	bool linear = at == direct || at >= s->arch->image_base;
	/* Modules lie behind the image, in memory of their own. */
	if (at >= s->arch->image_base + memory_layout(s->memory)->image_size)
		linear = false;

	*wanted = !search->options.set[SEARCH_NO_DIRECT] || !linear;
	return search->options.set[SEARCH_NO_VMALLOC] && !linear ? direct : at;
}

/* How many of the hits are left. */
static size_t hits_to_kernel(struct search *search, struct search_hit *hits, size_t count)
{
	struct session *s = search->args->session;
	size_t kept = 0;
	bool wanted;

	if (!count)
		return 0;
	auto_free struct paddr *phys = xcalloc(count, sizeof(*phys));
	auto_free uint64_t *at = xcalloc(count, sizeof(*at));
	for (size_t i = 0; i < count; i++)
		phys[i].v = hits[i].address;
	virtual_addresses(s, phys, count, at);
	for (size_t i = 0; i < count; i++) {
		struct search_hit hit = hits[i];
		hit.address = kernel_address(search, phys[i], at[i], &wanted);
		if (wanted)
			hits[kept++] = hit;
	}
	return kept;
}

static void found_to_kernel(struct search *search)
{
	size_t kept = hits_to_kernel(search, search->hits.data, search->hits.count);

	search->total -= search->hits.count - kept;
	search->hits.count = kept;
	search->edges.count = hits_to_kernel(search, search->edges.data, search->edges.count);
}

static void look_at_all(struct search *search)
{
	struct session *s = search->args->session;
	bool ranged = search->ranged;
	uint64_t holes = 0;

	/* A range of virtual addresses says nothing of physical ones. */
	search->ranged = ranged && search->physical;
	search->progress = progress_start(&s->progress, "pages", dump_info(s->dump)->present_pages);
	memory_scan(s->memory, s->stop, look_at_frame, search, &holes);
	progress_stop(search->progress);
	search->progress = NULL;
	search->ranged = ranged;
	if (!search->physical)
		found_to_kernel(search);
	note_excluded(search);
	atomic_fetch_add(&search->missing[dump_info(s->dump)->truncated ? READ_TRUNCATED
									: READ_CORRUPT], holes);
}

/* --- Virtual memory. --- */

static void look_at_chunk(void *ctx, unsigned worker, size_t i)
{
	struct batch *batch = ctx;
	struct search *search = batch->search;
	size_t end = min_u64((i + 1) * CHUNK_PAGES, batch->count);

	for (size_t n = i * CHUNK_PAGES; n < end; n++) {
		const struct place *place = &batch->data[n];
		struct dump_page page;
		enum read_status status = dump_read_page(search->args->session->dump, place->pfn,
							 batch->buffers[worker], &page);
		if (status == READ_OK)
			look_at(search, worker, place->address, page.data, page.from, page.to,
				place->task);
		else
			atomic_fetch_add(&search->missing[status], 1);
	}
}

static void batch_run(struct batch *batch)
{
	parallel_for((batch->count + CHUNK_PAGES - 1) / CHUNK_PAGES,
		     batch->search->args->session->stop, look_at_chunk, batch);
	batch->count = 0;
}

static void batch_init(struct batch *batch, struct search *search)
{
	*batch = (struct batch){ .search = search };
	search->progress = progress_start(&search->args->session->progress, "pages", 0);
	batch->buffers = xmalloc(parallel_workers() * sizeof(*batch->buffers));
}

static void batch_finish(struct batch *batch)
{
	batch_run(batch);
	progress_stop(batch->search->progress);
	batch->search->progress = NULL;
	free(batch->buffers);
	vec_deinit(batch);
}

/* Virtual memory [@start, @end], of the kernel or with @root of a user space. */
static void look_at_range(struct batch *batch, const struct page_root *root, uint64_t start,
			  uint64_t end, const struct task *task)
{
	struct search *search = batch->search;
	struct session *s = search->args->session;
	uint64_t at = start & ~(uint64_t)(PAGE_SIZE - 1), step;

	for (; at <= end && !session_stopped(s); at += step) {
		struct walk walk;
		uint64_t entry;
		if (root)
			memory_walk_user(s->memory, root, at, &walk);
		else
			memory_walk(s->memory, at, &walk);
		/* All of a large page, or of a hole, at once. */
		uint64_t size = walk.page_size > PAGE_SIZE && (walk.status == READ_OK ||
			walk.status == READ_UNMAPPED) ? walk.page_size : PAGE_SIZE;
		step = size - (at & (size - 1));
		uint64_t last = end - at < step - 1 ? end : at + (step - 1);
		for (uint64_t page = at; walk.status == READ_OK && page <= last;
		     page += PAGE_SIZE) {
			vec_push(batch, (struct place){ page, (walk.paddr.v + (page - at)) >>
							      PAGE_SHIFT, task });
			if (batch->count >= BATCH_PAGES)
				batch_run(batch);
			if (page > UINT64_MAX - PAGE_SIZE || session_stopped(s))
				break;
		}
		search->away += root && walk_is_away(&walk, &entry);
		if (walk.status != READ_OK && walk.status != READ_UNMAPPED)
			atomic_fetch_add(&search->missing[walk.status], 1);
		if (at > UINT64_MAX - step)
			break;
	}
}

static bool look_at_mapping(void *ctx, const struct mapping *mapping)
{
	struct batch *batch = ctx;
	struct search *search = batch->search;
	uint64_t start = mapping->start, end = mapping->end - 1;

	if (mapping->end <= mapping->start)
		return true;
	if (search->ranged) {
		start = max_u64(start, search->start);
		end = min_u64(end, search->end);
	}
	if (start <= end)
		look_at_range(batch, &search->root, start, end, search->task);
	return !session_stopped(search->args->session);
}

static struct error *look_at_user(struct search *search)
{
	struct session *s = search->args->session;
	struct batch batch;

	struct error *err = task_or_current(s, NULL, &search->task);
	if (!err)
		err = task_page_root(s, search->task, &search->root);
	if (err)
		return err;
	batch_init(&batch, search);
	if (!mappings_each(s, search->task->mm, look_at_mapping, &batch))
		doc_remark(search->args->doc, REMARK_HOLE,
			   "not all mappings of the process could be read");
	batch_finish(&batch);
	return NULL;
}

static void look_at_stacks(struct search *search)
{
	struct session *s = search->args->session;
	uint64_t size = cpu_thread_size(s);
	size_t count;
	const struct task *all = tasks(s, &count);
	struct batch batch;

	batch_init(&batch, search);
	for (size_t i = 0; i < count && !session_stopped(s); i++) {
		if (all[i].stack && (!search->options.set[SEARCH_ACTIVE] || all[i].on_cpu))
			look_at_range(&batch, NULL, all[i].stack, all[i].stack + size - 1,
				      &all[i]);
	}
	batch_finish(&batch);
}

/* --- All together. --- */

enum read_status search_fetch(struct search *search, uint64_t address, void *buf, size_t size)
{
	struct memory *mem = search->args->session->memory;

	if (search->physical)
		return memory_read_phys(mem, (struct paddr){ address }, buf, size);
	if (search->options.set[SEARCH_USER])
		return memory_read_user(mem, &search->root, address, buf, size, NULL);
	return memory_read(mem, address, buf, size);
}

/* Those beginnings at a page's end that the next page goes on with. */
static void finish_edges(struct search *search)
{
	char bytes[PAGE_SIZE];

	vec_for_each(edge, &search->edges) {
		size_t length = search->lengths[edge->which];
		if (session_stopped(search->args->session))
			return;
		if (search_fetch(search, edge->address, bytes, length) == READ_OK &&
		    memcmp(bytes, search->strings[edge->which], length) == 0)
			add_hit(search, edge);
	}
}

struct error *search_look(struct search *search)
{
	const bool *set = search->options.set;
	struct error *err = NULL;
	struct batch batch;

	if (set[SEARCH_USER]) {
		err = look_at_user(search);
	} else if (set[SEARCH_STACKS] || set[SEARCH_ACTIVE]) {
		look_at_stacks(search);
	} else if (search->ranged && !search->physical) {
		batch_init(&batch, search);
		look_at_range(&batch, NULL, search->start, search->end, NULL);
		batch_finish(&batch);
	} else {
		look_at_all(search);
	}
	if (!err)
		finish_edges(search);
	return err;
}
