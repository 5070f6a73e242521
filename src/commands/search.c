// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * search: values, masks and strings in memory, with crash's options. Without a range all memory in
 * the dump is looked at once, by page frame, on all cores, and a hit is shown at the address that
 * the kernel knows it by. A range, user space and stacks are gone through page by page of virtual
 * memory.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "commands/args.h"
#include "commands/table.h"
#include "forensics/refs.h"
#include "kernel/mappings.h"
#include "memory/find_words.h"

enum { OPT_KERNEL, OPT_NO_VMALLOC, OPT_NO_DIRECT, OPT_USER, OPT_PHYS, OPT_STACKS, OPT_ACTIVE,
       OPT_START, OPT_END, OPT_LENGTH, OPT_MASK, OPT_32, OPT_16, OPT_STRINGS, OPT_CONTEXT };

static const struct option search_option_table[] = {
	[OPT_KERNEL] = { .name = "k" },
	[OPT_NO_VMALLOC] = { .name = "K" },
	[OPT_NO_DIRECT] = { .name = "V" },
	[OPT_USER] = { .name = "u" },
	[OPT_PHYS] = { .name = "p" },
	[OPT_STACKS] = { .name = "t" },
	[OPT_ACTIVE] = { .name = "T" },
	[OPT_START] = { .name = "s", .value = true },
	[OPT_END] = { .name = "e", .value = true },
	[OPT_LENGTH] = { .name = "l", .value = true },
	[OPT_MASK] = { .name = "m", .value = true },
	[OPT_32] = { .name = "w" },
	[OPT_16] = { .name = "h" },
	[OPT_STRINGS] = { .name = "c" },
	[OPT_CONTEXT] = { .name = "x", .value = true },
};

enum { VALUES_MAX = 256, HITS_MAX = 100000, CONTEXT_MAX = 64, STACK_SIZE_MAX = 1 << 18 };

static const struct column search_columns[] = {
	{ .key = "address", .title = "ADDRESS", .style = STYLE_FAINT },
	{ .key = "value", .title = "VALUE" },
	{ .key = "text" },
	{ .key = "pid" },
	{ .key = "what", .title = "WHERE" },
};

static const struct column context_columns[] = {
	{ .key = "address", .title = "", .style = STYLE_FAINT },
	{ .key = "value", .title = "" },
};

struct search_hit {
	uint64_t address, value; /* value: with -c the number of the string */
	int32_t pid;             /* -u, -t, -T: whose */
};

struct search {
	struct command_args *args;
	struct options options;
	struct word_range values[VALUES_MAX];
	const char *strings[VALUES_MAX];
	size_t count;
	struct word_query query;
	struct word_finder *finder;
	bool physical;      /* hits are physical addresses */
	bool whole;         /* all memory was looked at */
	bool ranged;
	uint64_t start, end; /* with ranged: [start, end] */
	uint64_t context;
	int32_t pid;
	pthread_mutex_t lock;
	struct {
		vec_fields(struct search_hit);
	} hits;
	uint64_t total, holes;
	struct progress *progress;
};

/* --- Hits. --- */

static void add_hit(struct search *search, uint64_t address, uint64_t value)
{
	if (search->ranged && (address < search->start || address > search->end))
		return;
	pthread_mutex_lock(&search->lock);
	search->total++;
	if (search->hits.count < HITS_MAX)
		vec_push(&search->hits, (struct search_hit){ address, value, search->pid });
	pthread_mutex_unlock(&search->lock);
}

static void word_found(void *ctx, unused_arg unsigned worker, const struct word_hit *hit)
{
	add_hit(ctx, hit->at.v, hit->value);
}

/* One page, that of @pfn in whatever numbering the caller has. */
static void look_at(void *ctx, unsigned worker, uint64_t pfn, const uint8_t *bytes, uint16_t from,
		    uint16_t to)
{
	struct search *search = ctx;

	progress_add(search->progress, 1);
	if (!search->options.set[OPT_STRINGS]) {
		word_finder_page(search->finder, worker, pfn, bytes, from, to, word_found, search);
		return;
	}
	for (size_t i = 0; i < search->count; i++) {
		const uint8_t *at = bytes + from, *end = bytes + to;
		size_t length = strlen(search->strings[i]);
		while (at < end &&
		       (at = memmem(at, (size_t)(end - at), search->strings[i], length))) {
			add_hit(search, (pfn << PAGE_SHIFT) + (uint64_t)(at - bytes), i);
			at++;
		}
	}
}

/* --- Where to look. --- */

/* All memory; then physical addresses become those of the kernel. */
static void look_at_all(struct search *search)
{
	struct session *s = search->args->session;
	bool ranged = search->ranged;

	search->whole = true;
	/* A range of virtual addresses says nothing of physical ones. */
	search->ranged = ranged && search->physical;
	search->progress = progress_start(&s->progress, "pages",
					  dump_info(s->dump)->present_pages);
	memory_scan(s->memory, s->stop, look_at, search, &search->holes);
	progress_stop(search->progress);
	search->progress = NULL;
	search->ranged = ranged;
	size_t count = search->hits.count, kept = 0;
	if (search->physical || !count)
		return;
	auto_free struct paddr *phys = xcalloc(count, sizeof(*phys));
	auto_free uint64_t *at = xcalloc(count, sizeof(*at));
	for (size_t i = 0; i < count; i++)
		phys[i].v = search->hits.data[i].address;
	virtual_addresses(s, phys, count, at);
	for (size_t i = 0; i < count; i++) {
		struct search_hit hit = search->hits.data[i];
		uint64_t direct = direct_map_of(s, phys[i]);
		bool other = at[i] != direct;
		bool image = other && at[i] >= s->arch->image_base;
		if (search->options.set[OPT_NO_VMALLOC] && other && !image)
			at[i] = direct;
		hit.address = at[i];
		if (!search->options.set[OPT_NO_DIRECT] || other)
			search->hits.data[kept++] = hit;
	}
	search->total -= count - kept;
	search->hits.count = kept;
}

/* Virtual memory [@start, @end], of the kernel or with @root of a user space. */
static void look_at_range(struct search *search, const struct page_root *root, uint64_t start,
			  uint64_t end)
{
	struct session *s = search->args->session;
	uint8_t page[PAGE_SIZE];
	uint64_t at = start & ~(uint64_t)(PAGE_SIZE - 1), step;

	for (; at <= end && !session_stopped(s); at += step) {
		struct walk walk;
		step = PAGE_SIZE;
		if (root)
			memory_walk_user(s->memory, root, at, &walk);
		else
			memory_walk(s->memory, at, &walk);
		if (walk.status == READ_OK &&
		    memory_read_phys(s->memory, walk.paddr, page, sizeof(page)) == READ_OK)
			look_at(search, 0, at >> PAGE_SHIFT, page, 0, PAGE_SIZE);
		else if (walk.status == READ_UNMAPPED && walk.page_size > PAGE_SIZE)
			step = walk.page_size - (at & (walk.page_size - 1));
		else
			search->holes += walk.status != READ_UNMAPPED;
		if (at > UINT64_MAX - step)
			break;
	}
}

struct user_search {
	struct search *search;
	struct page_root root;
};

static bool look_at_mapping(void *ctx, const struct mapping *mapping)
{
	struct user_search *user = ctx;

	if (mapping->end > mapping->start)
		look_at_range(user->search, &user->root, mapping->start, mapping->end - 1);
	return !session_stopped(user->search->args->session);
}

static struct error *look_at_user(struct search *search)
{
	struct session *s = search->args->session;
	struct user_search user = { .search = search };
	const struct task *task;

	struct error *err = task_or_current(s, NULL, &task);
	if (!err)
		err = task_page_root(s, task, &user.root);
	if (err)
		return err;
	search->pid = task->pid;
	if (!mappings_each(s, task->mm, look_at_mapping, &user))
		doc_remark(search->args->doc, REMARK_HOLE,
			   "not all mappings of the process could be read");
	return NULL;
}

static void look_at_stacks(struct search *search)
{
	struct session *s = search->args->session;
	uint64_t size = types_sizeof(s->types, "thread_union");
	size_t count;
	const struct task *all = tasks(s, &count);

	if (size < PAGE_SIZE || size > STACK_SIZE_MAX)
		size = 4 * PAGE_SIZE; /* THREAD_SIZE, arch/x86/include/asm/page_64_types.h */
	for (size_t i = 0; i < count && !session_stopped(s); i++) {
		if (!all[i].stack || (search->options.set[OPT_ACTIVE] && !all[i].on_cpu))
			continue;
		search->pid = all[i].pid;
		look_at_range(search, NULL, all[i].stack, all[i].stack + size - 1);
	}
}

static struct error *look(struct search *search)
{
	const bool *set = search->options.set;

	if (set[OPT_USER])
		return look_at_user(search);
	if (set[OPT_STACKS] || set[OPT_ACTIVE])
		look_at_stacks(search);
	else if (search->ranged && !search->physical)
		look_at_range(search, NULL, search->start, search->end);
	else
		look_at_all(search);
	return NULL;
}

/* --- What was found. --- */

static int compare_hits(const void *va, const void *vb)
{
	const struct search_hit *a = va, *b = vb;

	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	return a->value < b->value ? -1 : a->value > b->value;
}

static enum read_status fetch(struct search *search, uint64_t address, void *buf, size_t size)
{
	struct session *s = search->args->session;
	const struct task *task;
	struct page_root root;

	if (search->physical)
		return memory_read_phys(s->memory, (struct paddr){ address }, buf, size);
	if (!search->options.set[OPT_USER])
		return memory_read(s->memory, address, buf, size);
	struct error *err = task_or_current(s, NULL, &task);
	if (!err)
		err = task_page_root(s, task, &root);
	if (!err)
		return memory_read_user(s->memory, &root, address, buf, size, NULL);
	error_free(err);
	return READ_UNMAPPED;
}

/* The words around a hit. */
static void add_context(struct search *search, const struct search_hit *hit)
{
	unsigned width = search->query.width;
	uint64_t reach = search->context * width, at = hit->address & ~(uint64_t)(width - 1);
	uint64_t from = at > reach ? at - reach : 0;
	struct doc *doc = search->args->doc;

	doc_detail(doc);
	doc_table(doc, "context", context_columns, array_size(context_columns));
	doc_bare(doc);
	for (uint64_t i = from; i <= at + reach && i >= from; i += width) {
		uint64_t word = 0;
		char shown[20];
		if (fetch(search, i, &word, width) != READ_OK)
			continue;
		snprintf(shown, sizeof(shown), "%0*" PRIx64, (int)width * 2, word);
		doc_row(doc, cell_address(i), cell_shown(cell_hex(word), shown));
	}
	doc_end(doc);
	doc_end(doc);
}

static void add_row(struct search *search, const struct search_hit *hit)
{
	bool strings = search->options.set[OPT_STRINGS];
	struct doc *doc = search->args->doc;
	char where[160] = "", shown[96];
	uint8_t text[60];

	if (!search->physical && !search->options.set[OPT_USER])
		whatis_label(search->args->session, hit->address, where, sizeof(where));
	if (strings) {
		size_t n = 0;
		while (n < sizeof(text) &&
		       fetch(search, hit->address + n, text + n, 1) == READ_OK &&
		       text[n] >= ' ' && text[n] < 0x7f)
			n++;
		snprintf(shown, sizeof(shown), "%.*s", (int)n, (const char *)text);
	} else {
		snprintf(shown, sizeof(shown), "%0*" PRIx64, (int)search->query.width * 2,
			 hit->value);
	}
	doc_row(doc, cell_address(hit->address),
		cell_shown(strings ? cell_none() : cell_hex(hit->value), shown),
		cell_str(strings ? shown : NULL), hit->pid ? cell_dec(hit->pid) : cell_none(),
		cell_str(where));
	if (search->context)
		add_context(search, hit);
}

static void show(struct search *search)
{
	struct session *s = search->args->session;
	struct doc *doc = search->args->doc;

	if (search->hits.count)
		qsort(search->hits.data, search->hits.count, sizeof(*search->hits.data),
		      compare_hits);
	doc_table(doc, "hits", search_columns, array_size(search_columns));
	for (size_t i = 0; i < search->hits.count && !session_stopped(s); i++)
		add_row(search, &search->hits.data[i]);
	if (!search->hits.count)
		doc_hidden(doc);
	doc_end(doc);
	if (!search->total)
		doc_textf(doc, STYLE_PLAIN, "not found");
	if (search->total > search->hits.count)
		doc_remark(doc, REMARK_ERROR, "%" PRIu64 " more are not shown",
			   search->total - search->hits.count);
	if (search->holes)
		doc_remark(doc, REMARK_HOLE, "%" PRIu64 " pages cannot be read", search->holes);
	/* What a search of all memory cannot know: pages that are in no table. */
	const struct dump_info *info = dump_info(s->dump);
	if (search->whole && info->has_dump_level && info->dump_level)
		doc_remark(doc, REMARK_NOTE, "pages that makedumpfile left out (dump level %u) could "
			   "not be searched", info->dump_level);
}

/* --- What to look for. --- */

static struct error *parse_values(struct search *search)
{
	const struct options *o = &search->options;
	unsigned width = search->query.width;
	uint64_t low = UINT64_MAX >> (64 - 8 * width), mask = 0;

	if (o->word_count < 1 || o->word_count > VALUES_MAX)
		return error_new(ERROR_USAGE, "up to %d values to look for are needed", VALUES_MAX);
	if (o->set[OPT_MASK] && !parse_hex(o->value[OPT_MASK], &mask))
		return error_new(ERROR_USAGE, "%s is no mask", o->value[OPT_MASK]);
	search->query.ignore = mask & low;
	for (int i = 0; i < o->word_count; i++) {
		uint64_t value;
		search->strings[i] = o->words[i];
		search->count++;
		if (o->set[OPT_STRINGS]) {
			if (!*o->words[i] || strlen(o->words[i]) > PAGE_SIZE / 2)
				return error_new(ERROR_USAGE, "a string is empty or too long");
			continue;
		}
		struct error *err = NULL;
		if (!parse_hex(o->words[i], &value))
			err = parse_address(search->args->session, o->words[i], &value);
		if (err)
			return err;
		/* -1 is meant in the width of the words. */
		if (value > low && value < ~(low >> 1))
			return error_new(ERROR_USAGE, "%s has more than %u bits", o->words[i],
					 8 * width);
		search->values[i] = (struct word_range){ value & low & ~search->query.ignore, 1 };
	}
	search->query.ranges = search->values;
	search->query.count = search->count;
	return NULL;
}

static struct error *parse_range(struct search *search)
{
	const struct options *o = &search->options;
	struct session *s = search->args->session;
	struct error *err = NULL;
	uint64_t length = 0;

	search->physical = o->set[OPT_PHYS];
	search->ranged = o->set[OPT_START] || o->set[OPT_END] || o->set[OPT_LENGTH];
	search->end = UINT64_MAX;
	if (o->set[OPT_LENGTH] && (o->set[OPT_END] || !o->set[OPT_START]))
		return error_new(ERROR_USAGE, "-l goes with -s and without -e");
	if (o->set[OPT_START])
		err = parse_address(s, o->value[OPT_START], &search->start);
	else if (!search->physical && !o->set[OPT_USER])
		search->start = ~(UINT64_MAX >> 1);
	if (!err && o->set[OPT_END])
		err = parse_address(s, o->value[OPT_END], &search->end);
	if (!err && o->set[OPT_END])
		search->end--;
	if (!err && o->set[OPT_LENGTH])
		err = parse_count(o->value[OPT_LENGTH], &length);
	if (!err && length && length - 1 <= UINT64_MAX - search->start)
		search->end = search->start + length - 1;
	if (!err && search->ranged && search->end < search->start)
		err = error_new(ERROR_USAGE, "the end is not behind the start");
	if (!err && o->set[OPT_CONTEXT])
		err = parse_count(o->value[OPT_CONTEXT], &search->context);
	if (!err && search->context > CONTEXT_MAX)
		err = error_new(ERROR_USAGE, "at most %d words of context", CONTEXT_MAX);
	return err;
}

static struct error *run_search(struct command_args *args)
{
	struct search *search = arena_zalloc(&args->doc->arena, sizeof(*search));

	search->args = args;
	struct error *err = options_parse(args, search_option_table,
					  array_size(search_option_table), &search->options);
	if (err)
		return err;
	search->query.width = search->options.set[OPT_16] ? 2 : search->options.set[OPT_32] ? 4 : 8;
	err = parse_values(search);
	if (!err)
		err = parse_range(search);
	if (err)
		return err;
	pthread_mutex_init(&search->lock, NULL);
	search->finder = word_finder_create(&search->query);
	err = look(search);
	if (!err)
		show(search);
	word_finder_destroy(search->finder);
	pthread_mutex_destroy(&search->lock);
	vec_deinit(&search->hits);
	return err;
}

const struct command command_search = {
	.name = "search",
	.usage = "[-k|-K|-V|-u|-p|-t|-T] [-s START] [-e END|-l LENGTH] [-m MASK] [-w|-h] [-x COUNT] "
		 "VALUE ... | -c STRING ...",
	.summary = "values and strings in memory",
	.help = "Values are hexadecimal numbers, symbols or C expressions in parentheses.\n"
		"  -k         all memory, at kernel addresses (the default); each word once\n"
		"  -K         the same, at addresses of the direct map in place of vmalloc's\n"
		"  -V         without what has only an address of the direct map\n"
		"  -u         user memory of the current task (set)\n"
		"  -p         physical addresses\n"
		"  -t, -T     the kernel stacks of all tasks; of those that were running\n"
		"  -s, -e     from START up to END\n"
		"  -l LENGTH  so many bytes from START\n"
		"  -m MASK    bits that do not matter\n"
		"  -w, -h     words of 32, of 16 bits (64)\n"
		"  -c         strings; one that crosses the border of a page is not found\n"
		"  -x COUNT   so many words before and behind each hit, too\n"
		"Examples: search -t init_task | search -c \"Linux version\" | search -p -w 57ac6e9d\n"
		"Examples: search -m ffff -s modules -l 64 (modules) | search -x 2 init_task",
	.run = run_search,
};
