// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * search: values, masks and strings in memory, with crash's options: what is looked for, and how
 * hits are shown. Where it is looked is search_look.c.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "commands/search.h"
#include "commands/show.h"
#include "commands/table.h"
#include "forensics/whatis.h"

static const struct option search_option_table[] = {
	[SEARCH_KERNEL] = { .name = "k" },
	[SEARCH_NO_VMALLOC] = { .name = "K" },
	[SEARCH_NO_DIRECT] = { .name = "V" },
	[SEARCH_USER] = { .name = "u" },
	[SEARCH_PHYS] = { .name = "p" },
	[SEARCH_STACKS] = { .name = "t" },
	[SEARCH_ACTIVE] = { .name = "T" },
	[SEARCH_START] = { .name = "s", .value = true },
	[SEARCH_END] = { .name = "e", .value = true },
	[SEARCH_LENGTH] = { .name = "l", .value = true },
	[SEARCH_MASK] = { .name = "m", .value = true },
	[SEARCH_32] = { .name = "w" },
	[SEARCH_16] = { .name = "h" },
	[SEARCH_STRINGS] = { .name = "c" },
	[SEARCH_CONTEXT] = { .name = "x", .value = true },
};

enum { CONTEXT_MAX = 64 };

static const struct column search_columns[] = {
	{ .key = "address", .title = "ADDRESS", .style = STYLE_FAINT },
	{ .key = "value", .title = "VALUE" },
	{ .key = "text" },
	{ .key = "wanted" },
	{ .key = "pid" },
	{ .key = "comm" },
	{ .key = "what", .title = "WHERE" },
};

/* With whose it is: stacks. */
static const struct column task_columns[] = {
	{ .key = "address", .title = "ADDRESS", .style = STYLE_FAINT },
	{ .key = "value", .title = "VALUE" },
	{ .key = "text" },
	{ .key = "wanted" },
	{ .key = "pid", .title = "PID", .right = true },
	{ .key = "comm", .title = "COMMAND", .style = STYLE_STRONG },
	{ .key = "what", .title = "WHERE" },
};

static const struct column context_columns[] = {
	{ .key = "address", .title = "", .style = STYLE_FAINT },
	{ .key = "value", .title = "" },
};

/* --- What was found. --- */

static int compare_hits(const void *va, const void *vb)
{
	const struct search_hit *a = va, *b = vb;

	int32_t left = a->task ? a->task->pid : 0, right = b->task ? b->task->pid : 0;

	if (left != right)
		return left < right ? -1 : 1;
	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	return a->value < b->value ? -1 : a->value > b->value;
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
		if (search_fetch(search, i, &word, width) != READ_OK)
			continue;
		snprintf(shown, sizeof(shown), "%0*" PRIx64, (int)width * 2, word);
		doc_row(doc, cell_address(i), cell_shown(cell_hex(word), shown));
	}
	doc_end(doc);
	doc_end(doc);
}

/* What of the command line it is, where that is no number: "init_task". */
static const char *wanted_name(const struct search *search, const struct search_hit *hit)
{
	uint64_t ignored;
	const char *word = search->strings[hit->which];

	return search->options.set[SEARCH_STRINGS] || parse_hex(word, &ignored) ? NULL : word;
}

/* A string with what stands behind it. */
static void text_at(struct search *search, uint64_t address, char *shown, size_t size)
{
	size_t n = 0;

	while (n + 1 < size && search_fetch(search, address + n, shown + n, 1) == READ_OK &&
	       shown[n] >= ' ' && shown[n] < 0x7f)
		n++;
	shown[n] = '\0';
}

static void add_row(struct search *search, const struct search_hit *hit)
{
	bool strings = search->options.set[SEARCH_STRINGS];
	struct session *s = search->args->session;
	const char *wanted = wanted_name(search, hit);
	const struct task *task = hit->task;
	char where[160] = "", text[61] = "", number[24], shown[128], comm[sizeof(task->comm) + 1] = "";

	if (!search->physical && !search->options.set[SEARCH_USER])
		whatis_label(s, hit->address, where, sizeof(where));
	if (strings)
		text_at(search, hit->address, text, sizeof(text));
	snprintf(number, sizeof(number), "%0*" PRIx64, (int)search->query.width * 2, hit->value);
	const char *value = strings ? text : number;
	if (wanted)
		snprintf(shown, sizeof(shown), *wanted == '(' ? "%s %.80s" : "%s (%.80s)", value,
			 wanted);
	else
		snprintf(shown, sizeof(shown), "%s", value);
	if (task)
		memcpy(comm, task->comm, sizeof(task->comm));
	doc_row(search->args->doc, cell_address(hit->address),
		cell_shown(strings ? cell_none() : cell_hex(hit->value), shown),
		cell_str(strings ? text : NULL), cell_str(wanted),
		task ? pid_cell(task) : cell_none(), cell_str(*comm ? comm : NULL),
		cell_str(where));
	if (search->context)
		add_context(search, hit);
}

/* How much there was no looking at. Filtered pages are what every such dump lacks: that is said. */
static void remark_missing(struct search *search)
{
	static const char *const why[] = {
		[READ_TRUNCATED] = "behind the end of the dump, which was cut off",
		[READ_CORRUPT] = "damaged in the dump",
		[READ_UNMAPPED] = "of page tables that name no memory",
	};
	uint64_t excluded = atomic_load(&search->missing[READ_EXCLUDED]);
	struct doc *doc = search->args->doc;

	if (excluded)
		doc_remark(doc, REMARK_NOTE, "%" PRIu64 " pages (%" PRIu64 " MiB) could not be "
			   "searched: excluded from the dump when it was made", excluded,
			   excluded >> (20 - PAGE_SHIFT));
	if (search->away)
		doc_remark(doc, REMARK_NOTE, "%" PRIu64 " pages of the process could not be "
			   "searched: swapped out, or elsewhere (vtop tells)", search->away);
	for (size_t i = 0; i < array_size(why); i++) {
		uint64_t count = atomic_load(&search->missing[i]);
		if (why[i] && count)
			doc_remark(doc, REMARK_HOLE, "%" PRIu64 " pages cannot be read: %s", count,
				   why[i]);
	}
}

static void show(struct search *search)
{
	struct session *s = search->args->session;
	struct doc *doc = search->args->doc;

	if (search->hits.count)
		qsort(search->hits.data, search->hits.count, sizeof(*search->hits.data),
		      compare_hits);
	doc_table(doc, "hits", search->by_task ? task_columns : search_columns,
		  array_size(search_columns));
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
	remark_missing(search);
}

/* --- What to look for. --- */

/* A number, a symbol or "(an expression)", where a symbol is its address, as crash has it. */
static struct error *parse_value(struct search *search, const char *word, uint64_t *value)
{
	struct session *s = search->args->session;
	size_t length = strlen(word);

	if (parse_hex(word, value))
		return NULL;
	if (length > 2 && word[0] == '(' && word[length - 1] == ')') {
		char *inner = arena_strndup(&search->args->doc->arena, word + 1, length - 2);
		struct error *err = parse_address(s, inner, value);
		if (!err)
			return NULL;
		error_free(err);
	}
	return parse_address(s, word, value);
}

static struct error *parse_values(struct search *search)
{
	const struct options *o = &search->options;
	unsigned width = search->query.width;
	uint64_t low = UINT64_MAX >> (64 - 8 * width), mask = 0;

	if (o->word_count < 1 || o->word_count > SEARCH_VALUES_MAX)
		return error_new(ERROR_USAGE, "up to %d values to look for are needed", SEARCH_VALUES_MAX);
	if (o->set[SEARCH_MASK] && !parse_hex(o->value[SEARCH_MASK], &mask))
		return error_new(ERROR_USAGE, "%s is no mask", o->value[SEARCH_MASK]);
	search->query.ignore = mask & low;
	for (int i = 0; i < o->word_count; i++) {
		uint64_t value;
		search->strings[i] = o->words[i];
		search->lengths[i] = strlen(o->words[i]);
		search->count++;
		if (o->set[SEARCH_STRINGS]) {
			if (!*o->words[i] || strlen(o->words[i]) > PAGE_SIZE / 2)
				return error_new(ERROR_USAGE, "a string is empty or too long");
			continue;
		}
		struct error *err = parse_value(search, o->words[i], &value);
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

	search->physical = o->set[SEARCH_PHYS];
	search->ranged = o->set[SEARCH_START] || o->set[SEARCH_END] || o->set[SEARCH_LENGTH];
	search->end = UINT64_MAX;
	if (o->set[SEARCH_LENGTH] && (o->set[SEARCH_END] || !o->set[SEARCH_START]))
		return error_new(ERROR_USAGE, "-l goes with -s and without -e");
	if (o->set[SEARCH_START])
		err = parse_address(s, o->value[SEARCH_START], &search->start);
	else if (!search->physical && !o->set[SEARCH_USER])
		search->start = ~(UINT64_MAX >> 1);
	if (!err && o->set[SEARCH_END])
		err = parse_address(s, o->value[SEARCH_END], &search->end);
	if (!err && o->set[SEARCH_LENGTH])
		err = parse_count(o->value[SEARCH_LENGTH], &length);
	bool empty = o->set[SEARCH_LENGTH] ? !length
					   : o->set[SEARCH_END] && search->end <= search->start;
	if (!err && empty)
		err = error_new(ERROR_USAGE, "the end is not behind the start");
	if (o->set[SEARCH_END])
		search->end--;
	if (length && length - 1 <= UINT64_MAX - search->start)
		search->end = search->start + length - 1;
	if (!err && o->set[SEARCH_CONTEXT])
		err = parse_count(o->value[SEARCH_CONTEXT], &search->context);
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
	const bool *set = search->options.set;
	search->query.width = set[SEARCH_16] ? 2 : set[SEARCH_32] ? 4 : 8;
	err = parse_values(search);
	if (!err)
		err = parse_range(search);
	if (err)
		return err;
	pthread_mutex_init(&search->lock, NULL);
	search->finder = word_finder_create(&search->query);
	search->by_task = search->options.set[SEARCH_STACKS] ||
			  search->options.set[SEARCH_ACTIVE] || search->options.set[SEARCH_USER];
	err = search_look(search);
	if (!err)
		show(search);
	word_finder_destroy(search->finder);
	pthread_mutex_destroy(&search->lock);
	vec_deinit(&search->hits);
	vec_deinit(&search->edges);
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
		"  -V         only what has another address than those of the direct map and the image:\n"
		"             vmalloc areas, modules, stacks\n"
		"  -u         user memory of the current task (set)\n"
		"  -p         physical addresses\n"
		"  -t, -T     the kernel stacks of all tasks; of those that were running\n"
		"  -s, -e     from START up to END\n"
		"  -l LENGTH  so many bytes from START\n"
		"  -m MASK    bits that do not matter\n"
		"  -w, -h     words of 32, of 16 bits (64)\n"
		"  -c         strings\n"
		"  -x COUNT   so many words before and behind each hit, too\n"
		"All cores look. What the dump lacks is said: pages that were left out when it was made, or\n"
		"that are missing or damaged.\n"
		"Examples: search -t init_task | search -c \"Linux version\" | search -p -w 57ac6e9d\n"
		"Examples: search -m ffff -s modules -l 64 (modules) | search -x 2 init_task",
	.run = run_search,
};
