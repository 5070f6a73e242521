// SPDX-License-Identifier: LGPL-2.1-or-later
/* slab: the objects of a cache, one a line. */
#include "commands/kmem_slab.h"
#include "commands/table.h"

enum { OPT_ALLOCATED, OPT_FREE };

static const struct option slab_option_table[] = {
	[OPT_ALLOCATED] = { "a", false },
	[OPT_FREE] = { "f", false },
};

static const struct column object_columns[] = {
	{ .key = "address", .title = "OBJECT" },
	{ .key = "state", .title = "STATE" },
	{ .key = "cpu", .title = "CPU", .right = true },
	{ .key = "slab", .title = "SLAB" },
	{ .key = "index", .title = "INDEX", .right = true },
	{ .key = "cache", .title = "CACHE", .style = STYLE_FAINT },
};

struct listing {
	struct command_args *args;
	bool allocated, free;
};

static bool add_object(void *ctx, const struct slab_object *object)
{
	struct listing *listing = ctx;
	struct doc *doc = listing->args->doc;
	bool is_free = object->state == OBJECT_FREE || object->state == OBJECT_FREE_CPU;

	if ((listing->allocated && object->state != OBJECT_ALLOCATED) ||
	    (listing->free && !is_free))
		return true;
	doc_row(doc, cell_address(object->address), cell_str(slab_state_name(object->state)),
		object->cpu >= 0 ? cell_dec(object->cpu) : cell_shown(cell_none(), ""),
		cell_address(object->slab.page), cell_udec(object->index),
		cell_str(object->slab.cache->name));
	if (object->state != OBJECT_ALLOCATED)
		doc_row_style(doc, STYLE_FAINT);
	return true;
}

static bool add_slab(void *ctx, const struct slab *slab)
{
	struct listing *listing = ctx;

	slab_objects(listing->args->session, slab, add_object, listing);
	return true;
}

static struct error *run_slab(struct command_args *args)
{
	struct listing listing = { .args = args };
	struct options options;
	size_t count;
	bool *wanted;

	struct error *err = options_parse(args, slab_option_table, array_size(slab_option_table),
					  &options);
	if (!err && !options.word_count)
		err = error_new(ERROR_USAGE, "of which cache?");
	if (!err)
		err = slab_select_caches(args, options.words, options.word_count, &wanted);
	if (err)
		return err;
	/* Both: everything that is known to be one or the other. */
	listing.allocated = options.set[OPT_ALLOCATED] && !options.set[OPT_FREE];
	listing.free = options.set[OPT_FREE] && !options.set[OPT_ALLOCATED];
	const struct slab_cache *caches = slab_caches(args->session, &count);
	doc_table(args->doc, "objects", object_columns, array_size(object_columns));
	for (size_t i = 0; i < count && !session_stopped(args->session); i++) {
		if (wanted[i])
			slab_each(args->session, &caches[i], add_slab, &listing);
	}
	doc_end(args->doc);
	return NULL;
}

const struct command command_slab = {
	.name = "slab",
	.usage = "[-a | -f] CACHE ...",
	.summary = "the objects of a slab cache",
	.help = "Each object of the caches with its state, in order of address. A CACHE is a name (which\n"
		"may hold * and ?), an alias, or the address of a kmem_cache: see kmem -s.\n"
		"  -a        only allocated ones\n"
		"  -f        only free ones, those included that a CPU keeps for its next allocations\n"
		"Examples: slab task_struct | slab -a filp | slab -f 'kmalloc-*'",
	.run = run_slab,
};
