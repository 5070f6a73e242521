// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * kmem -s, -S, -r: slab caches, their slabs and objects.
 *
 * "Allocated" are objects that somebody has: those on lists that CPUs keep are not, although
 * /proc/slabinfo counts them; what it would say is in JSON, as "active".
 */
#include "commands/kmem_slab.h"

#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "commands/kmem.h"

static const struct column cache_columns[] = {
	{ .key = "address", .title = "CACHE" },
	{ .key = "object_size", .title = "OBJSIZE", .right = true },
	{ .key = "allocated", .title = "ALLOCATED", .right = true },
	{ .key = "objects", .title = "TOTAL", .right = true },
	{ .key = "slabs", .title = "SLABS", .right = true },
	{ .key = "slab_size", .title = "SSIZE", .right = true },
	{ .key = "name", .title = "NAME", .style = STYLE_STRONG },
	{ .key = "aliases", .title = "ALIASES", .style = STYLE_FAINT },
	{ .key = "size" },
	{ .key = "active" },
	{ .key = "objects_per_slab" },
	{ .key = "pages_per_slab" },
	{ .key = "bytes" },
	{ .key = "flags" },
};

static const struct column slab_columns[] = {
	{ .key = "address", .title = "SLAB" },
	{ .key = "start", .title = "MEMORY" },
	{ .key = "place", .title = "WHERE" },
	{ .key = "cpu", .title = "CPU", .right = true },
	{ .key = "objects", .title = "TOTAL", .right = true },
	{ .key = "allocated", .title = "ALLOCATED", .right = true },
	{ .key = "free", .title = "FREE", .right = true },
	{ .key = "unknown" },
	{ .key = "in_use" },
};

static const struct column object_columns[] = {
	{ .key = "address", .title = "" },
	{ .key = "state", .title = "" },
	{ .key = "cpu" },
};

const char *slab_state_name(enum object_state state)
{
	static const char *const names[] = {
		[OBJECT_UNKNOWN] = "unknown", [OBJECT_ALLOCATED] = "allocated",
		[OBJECT_FREE] = "free",       [OBJECT_FREE_CPU] = "free on a CPU",
		[OBJECT_PADDING] = "padding",
	};

	return names[state];
}

const char *slab_place_name(enum slab_place place)
{
	static const char *const names[] = {
		[SLAB_PLACE_UNKNOWN] = "unknown",         [SLAB_PLACE_CPU] = "CPU",
		[SLAB_PLACE_CPU_PARTIAL] = "CPU partial", [SLAB_PLACE_NODE_PARTIAL] = "partial",
		[SLAB_PLACE_FULL] = "full",               [SLAB_PLACE_DYING] = "dying",
	};

	return names[place];
}

/* --- Which caches. --- */

static bool has_alias(const char *aliases, const char *pattern)
{
	bool found = false;

	while (*aliases && !found) {
		size_t length = strcspn(aliases, ",");
		auto_free char *name = xstrndup(aliases, length);
		found = glob_match(pattern, name);
		aliases += length + (aliases[length] == ',');
	}
	return found;
}

static bool is_meant(const struct slab_cache *cache, const char *word)
{
	uint64_t address;

	return glob_match(word, cache->name) || has_alias(cache->aliases, word) ||
	       (parse_hex(word, &address) && address == cache->address);
}

static bool mark_meant(const struct slab_cache *caches, size_t count, const char *word,
		       bool value, bool *marks)
{
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		if (is_meant(&caches[i], word)) {
			marks[i] = value;
			any = true;
		}
	}
	return any;
}

struct error *slab_select_caches(struct command_args *args, const char *const *words, int count,
				 bool **wanted)
{
	size_t cache_count;
	const struct slab_cache *caches = slab_caches(args->session, &cache_count);

	*wanted = arena_zalloc(&args->doc->arena, (cache_count + 1) * sizeof(**wanted));
	if (!cache_count)
		return error_new(ERROR_MISSING, "no slab caches can be found in this dump");
	if (!count)
		memset(*wanted, true, cache_count * sizeof(**wanted));
	for (int i = 0; i < count; i++) {
		if (!mark_meant(caches, cache_count, words[i], true, *wanted))
			return error_new(ERROR_NOT_FOUND, "no slab cache is called %s", words[i]);
	}
	return NULL;
}

/* The same, less those of -I. */
static struct error *select_less(struct command_args *args, const struct options *options,
				 bool **wanted)
{
	size_t count;
	const struct slab_cache *caches = slab_caches(args->session, &count);
	struct error *err = slab_select_caches(args, options->words, options->word_count, wanted);

	if (err || !options->set[KMEM_IGNORE])
		return err;
	char *names = arena_strdup(&args->doc->arena, options->value[KMEM_IGNORE]);
	char *rest;
	for (char *name = strtok_r(names, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
		if (!mark_meant(caches, count, name, false, *wanted))
			return error_new(ERROR_NOT_FOUND, "no slab cache is called %s", name);
	}
	return NULL;
}

/* --- -s and -r --- */

static void add_cache(struct doc *doc, const struct slab_cache *cache,
		      const struct slab_totals *totals)
{
	uint64_t slab_size = UINT64_C(4096) << cache->order;
	char shown[32];

	snprintf(shown, sizeof(shown), "%luk", (unsigned long)(slab_size >> 10));
	doc_row(doc, cell_address(cache->address), cell_udec(cache->object_size),
		cell_udec(totals->allocated), cell_udec(totals->objects), cell_udec(totals->slabs),
		cell_shown(cell_udec(slab_size), shown), cell_str(cache->name),
		cell_str(cache->aliases), cell_udec(cache->size), cell_udec(totals->active),
		cell_udec(cache->objects_per_slab), cell_udec(UINT64_C(1) << cache->order),
		cell_udec(totals->bytes), cell_hex(cache->flags));
}

static void add_totals(struct slab_totals *sum, const struct slab_totals *more)
{
	sum->slabs += more->slabs;
	sum->bytes += more->bytes;
	sum->objects += more->objects;
	sum->allocated += more->allocated;
	sum->active += more->active;
}

/* The cache and, of those that memory cgroups have of it, all. */
static void totals_with_children(struct session *s, const struct slab_cache *cache,
				 struct slab_totals *totals)
{
	size_t count;
	const struct slab_cache *caches = slab_caches(s, &count);
	struct slab_totals child;

	slab_totals(s, cache, totals);
	for (size_t i = 0; i < count; i++) {
		if (caches[i].root != cache->address || &caches[i] == cache)
			continue;
		slab_totals(s, &caches[i], &child);
		add_totals(totals, &child);
	}
}

static const struct column name_columns[] = {
	{ .key = "address", .title = "CACHE" },
	{ .key = "name", .title = "NAME", .style = STYLE_STRONG },
	{ .key = "aliases", .title = "ALIASES", .style = STYLE_FAINT },
};

/* "list" in place of a cache: what there are. */
static struct error *list_names(struct command_args *args)
{
	size_t count;
	const struct slab_cache *caches = slab_caches(args->session, &count);

	if (!count)
		return error_new(ERROR_MISSING, "no slab caches can be found in this dump");
	doc_table(args->doc, "cache_names", name_columns, array_size(name_columns));
	for (size_t i = 0; i < count; i++)
		doc_row(args->doc, cell_address(caches[i].address), cell_str(caches[i].name),
			cell_str(caches[i].aliases));
	doc_end(args->doc);
	return NULL;
}

/* Are the words addresses of objects, and no caches? Then it is these that are asked for. */
static bool are_objects(struct session *s, const struct options *options)
{
	size_t count;
	const struct slab_cache *caches = slab_caches(s, &count);
	struct slab_object object;
	uint64_t address;

	for (int n = 0; n < options->word_count; n++) {
		for (size_t i = 0; i < count; i++) {
			if (is_meant(&caches[i], options->words[n]))
				return false;
		}
		if (!parse_hex(options->words[n], &address) ||
		    !slab_object_at(s, address, &object))
			return false;
	}
	return options->word_count > 0;
}

static struct error *list_caches(struct command_args *args, const struct options *options,
				 bool roots)
{
	size_t count;
	const struct slab_cache *caches = slab_caches(args->session, &count);
	struct slab_totals totals;
	bool *wanted, children = false;
	size_t nameless = 0;

	if (options->word_count == 1 && strcmp(options->words[0], "list") == 0)
		return list_names(args);
	if (are_objects(args->session, options))
		return kmem_addresses(args, options);
	struct error *err = select_less(args, options, &wanted);
	if (err)
		return err;
	doc_table(args->doc, "caches", cache_columns, array_size(cache_columns));
	struct progress *progress = progress_start(&args->session->progress, "caches", count);
	for (size_t i = 0; i < count && !session_stopped(args->session); i++) {
		progress_add(progress, 1);
		children |= caches[i].root != 0;
		if (!wanted[i] || (roots && caches[i].root))
			continue;
		if (roots)
			totals_with_children(args->session, &caches[i], &totals);
		else
			slab_totals(args->session, &caches[i], &totals);
		add_cache(args->doc, &caches[i], &totals);
		nameless += strcmp(caches[i].name, "?") == 0;
	}
	progress_stop(progress);
	doc_end(args->doc);
	if (nameless)
		doc_remark(args->doc, REMARK_HOLE, "the names of %zu caches are not in the dump",
			   nameless);
	if (roots && !children)
		doc_remark(args->doc, REMARK_NOTE, "no memory cgroup has caches of its own: this is "
			   "the same as -s");
	return NULL;
}

struct error *kmem_caches(struct command_args *args, const struct options *options)
{
	return list_caches(args, options, false);
}

struct error *kmem_root_caches(struct command_args *args, const struct options *options)
{
	return list_caches(args, options, true);
}

/* --- -S --- */

struct slab_view {
	struct command_args *args;
	const bool *cpus; /* NULL: slabs of all CPUs and none */
	unsigned count[OBJECT_PADDING + 1];
};

static bool count_object(void *ctx, const struct slab_object *object)
{
	struct slab_view *view = ctx;

	view->count[object->state]++;
	return true;
}

static bool add_object(void *ctx, const struct slab_object *object)
{
	struct slab_view *view = ctx;
	char where[32];

	snprintf(where, sizeof(where), "free on CPU %d", object->cpu);
	doc_row(view->args->doc, cell_address(object->address),
		cell_shown(cell_str(slab_state_name(object->state)),
			   object->cpu >= 0 ? where : slab_state_name(object->state)),
		object->cpu >= 0 ? cell_dec(object->cpu) : cell_none());
	if (object->state != OBJECT_ALLOCATED)
		doc_row_style(view->args->doc, STYLE_FAINT);
	return true;
}

static bool add_slab(void *ctx, const struct slab *slab)
{
	struct slab_view *view = ctx;
	struct doc *doc = view->args->doc;
	struct session *s = view->args->session;

	if (view->cpus && (slab->cpu < 0 || slab->cpu >= CPU_LIST_MAX || !view->cpus[slab->cpu]))
		return true;
	memset(view->count, 0, sizeof(view->count));
	slab_objects(s, slab, count_object, view);
	doc_row(doc, cell_address(slab->page), cell_address(slab->start),
		cell_str(slab_place_name(slab->place)),
		slab->cpu >= 0 ? cell_dec(slab->cpu) : cell_shown(cell_none(), ""),
		cell_udec(slab->objects), cell_udec(view->count[OBJECT_ALLOCATED]),
		cell_udec(view->count[OBJECT_FREE] + view->count[OBJECT_FREE_CPU]),
		cell_udec(view->count[OBJECT_UNKNOWN]), cell_udec(slab->inuse));
	doc_detail(doc);
	doc_table(doc, "object_list", object_columns, array_size(object_columns));
	doc_bare(doc);
	slab_objects(s, slab, add_object, view);
	doc_end(doc);
	doc_end(doc);
	return true;
}

static void add_cache_slabs(struct slab_view *view, const struct slab_cache *cache)
{
	struct doc *doc = view->args->doc;
	struct slab_totals totals;

	doc_record(doc, NULL, NULL);
	slab_totals(view->args->session, cache, &totals);
	doc_field_styled(doc, "name", "NAME", STYLE_STRONG, cell_str(cache->name));
	doc_field(doc, "address", "CACHE", cell_address(cache->address));
	doc_field(doc, "aliases", cache->aliases[0] ? "ALIASES" : NULL, cell_str(cache->aliases));
	doc_field(doc, "object_size", "OBJSIZE", cell_udec(cache->object_size));
	doc_field(doc, "size", "STRIDE", cell_udec(cache->size));
	doc_field(doc, "allocated", "ALLOCATED", cell_udec(totals.allocated));
	doc_field(doc, "objects", "TOTAL", cell_udec(totals.objects));
	doc_field(doc, "slabs", "SLABS", cell_udec(totals.slabs));
	doc_table(doc, "slab_list", slab_columns, array_size(slab_columns));
	slab_each(view->args->session, cache, add_slab, view);
	doc_end(doc);
	doc_end(doc);
}

struct error *kmem_slabs(struct command_args *args, const struct options *options)
{
	size_t count;
	const struct slab_cache *caches = slab_caches(args->session, &count);
	struct slab_view view = { .args = args };
	bool cpus[CPU_LIST_MAX] = { false };
	struct error *err = NULL;
	bool *wanted;

	if (options->word_count == 1 && strcmp(options->words[0], "list") == 0)
		return list_names(args);
	if (are_objects(args->session, options))
		return kmem_addresses(args, options);
	if (options->value[KMEM_SLABS]) {
		err = parse_cpu_list(options->value[KMEM_SLABS], cpus);
		view.cpus = cpus;
	}
	if (!err)
		err = select_less(args, options, &wanted);
	if (err)
		return err;
	doc_array(args->doc, "caches", NULL);
	struct progress *progress = progress_start(&args->session->progress, "caches", count);
	for (size_t i = 0; i < count && !session_stopped(args->session); i++) {
		if (wanted[i])
			add_cache_slabs(&view, &caches[i]);
		progress_add(progress, 1);
	}
	progress_stop(progress);
	doc_end(args->doc);
	return NULL;
}
