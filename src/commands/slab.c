// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * slab: the objects of a cache, one a line; single objects by address; and with -t who allocated
 * and freed each, where the kernel was told to keep that (slub_debug=U), or KFENCE did.
 */
#include "commands/kmem_slab.h"

#include <stdio.h>

#include "commands/table.h"

enum { OPT_ALLOCATED, OPT_FREE, OPT_TRACKS };

static const struct option slab_option_table[] = {
	[OPT_ALLOCATED] = { "a", false },
	[OPT_FREE] = { "f", false },
	[OPT_TRACKS] = { "t", false },
};

static const struct column object_columns[] = {
	{ .key = "address", .title = "OBJECT" },
	{ .key = "state", .title = "STATE" },
	{ .key = "cpu", .title = "CPU", .right = true },
	{ .key = "slab", .title = "SLAB" },
	{ .key = "index", .title = "INDEX", .right = true },
	{ .key = "cache", .title = "CACHE", .style = STYLE_FAINT },
	{ .key = "kfence" },
};

static const struct column stack_columns[] = {
	{ .key = "address", .title = "" },
	{ .key = "symbol", .title = "" },
};

struct listing {
	struct command_args *args;
	bool allocated, free, tracks;
	size_t rows, tracked;
};

static void add_stack(struct listing *listing, const struct slab_track *track)
{
	struct doc *doc = listing->args->doc;
	char name[300];

	doc_table(doc, "stack", stack_columns, array_size(stack_columns));
	doc_bare(doc);
	for (unsigned i = 0; i < track->frame_count; i++) {
		address_name(listing->args->session, track->frames[i], name, sizeof(name));
		doc_row(doc, cell_address(track->frames[i]), cell_str(name[0] ? name : NULL));
	}
	doc_end(doc);
}

static void add_track(struct listing *listing, const char *key, const char *title,
		      const struct slab_track *track)
{
	struct doc *doc = listing->args->doc;
	char name[300], when[64] = "";

	address_name(listing->args->session, track->caller, name, sizeof(name));
	if (track->when)
		snprintf(when, sizeof(when), ", jiffies %lu", (unsigned long)track->when);
	else if (track->when_ns)
		snprintf(when, sizeof(when), ", at %.6f", (double)track->when_ns / 1e9);
	doc_textf(doc, STYLE_PLAIN, "%s by %s, PID %d, CPU %d%s", title, name, track->pid,
		  track->cpu, when);
	doc_record(doc, key, NULL);
	doc_field(doc, "caller", NULL, cell_address(track->caller));
	doc_field(doc, "symbol", NULL, cell_str(name[0] ? name : NULL));
	doc_field(doc, "pid", NULL, cell_dec(track->pid));
	doc_field(doc, "cpu", NULL, cell_dec(track->cpu));
	doc_field(doc, "jiffies", NULL, track->when ? cell_udec(track->when) : cell_none());
	doc_field(doc, "nanoseconds", NULL,
		  track->when_ns ? cell_udec(track->when_ns) : cell_none());
	add_stack(listing, track);
	doc_end(doc);
}

static void add_tracks(struct listing *listing, const struct slab_object *object)
{
	struct session *s = listing->args->session;
	struct doc *doc = listing->args->doc;
	unsigned size = slab_orig_size(s, object);
	struct slab_track track;

	doc_detail(doc);
	if (size)
		doc_fieldf(doc, NULL, "asked for", "%u bytes", size);
	doc_field(doc, "asked", NULL, size ? cell_udec(size) : cell_none());
	if (slab_track(s, object, false, &track)) {
		add_track(listing, "allocation", "allocated", &track);
		listing->tracked++;
	}
	if (slab_track(s, object, true, &track)) {
		add_track(listing, "release", "freed", &track);
		listing->tracked++;
	}
	doc_end(doc);
}

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
		object->kfence ? cell_shown(cell_none(), "KFENCE")
			       : cell_address(object->slab.page),
		cell_udec(object->index), cell_str(object->slab.cache->name),
		cell_bool(object->kfence));
	if (object->state != OBJECT_ALLOCATED)
		doc_row_style(doc, STYLE_FAINT);
	listing->rows++;
	if (listing->tracks)
		add_tracks(listing, object);
	return !session_stopped(listing->args->session);
}

static bool add_slab(void *ctx, const struct slab *slab)
{
	struct listing *listing = ctx;

	slab_objects(listing->args->session, slab, add_object, listing);
	return true;
}

/* @word names caches, or is an address inside of an object. */
static struct error *add_word(struct listing *listing, const char *word)
{
	struct session *s = listing->args->session;
	struct slab_object object;
	uint64_t address;
	size_t count;
	bool *wanted;

	struct error *err = slab_select_caches(listing->args, &word, 1, &wanted);
	if (err) {
		struct error *no_address = parse_address(s, word, &address);
		bool found = !no_address && slab_object_at(s, address, &object) &&
			     object.state != OBJECT_PADDING;
		error_free(no_address);
		if (!found)
			return err;
		error_free(err);
		add_object(listing, &object);
		return NULL;
	}
	const struct slab_cache *caches = slab_caches(s, &count);
	for (size_t i = 0; i < count && !session_stopped(s); i++) {
		if (wanted[i])
			slab_each(s, &caches[i], add_slab, listing);
	}
	return NULL;
}

static struct error *run_slab(struct command_args *args)
{
	struct listing listing = { .args = args };
	struct options options;

	struct error *err = options_parse(args, slab_option_table, array_size(slab_option_table),
					  &options);
	if (!err && !options.word_count)
		err = error_new(ERROR_USAGE, "of which cache?");
	if (err)
		return err;
	/* Both: everything that is known to be one or the other. */
	listing.allocated = options.set[OPT_ALLOCATED] && !options.set[OPT_FREE];
	listing.free = options.set[OPT_FREE] && !options.set[OPT_ALLOCATED];
	listing.tracks = options.set[OPT_TRACKS];
	doc_table(args->doc, "objects", object_columns, array_size(object_columns));
	for (int i = 0; i < options.word_count; i++) {
		err = add_word(&listing, options.words[i]);
		if (!err || options.word_count == 1)
			continue;
		doc_remark(args->doc, REMARK_ERROR, "%s", err->message);
		error_free(err);
		err = NULL;
	}
	doc_end(args->doc);
	if (listing.tracks && listing.rows && !listing.tracked)
		doc_remark(args->doc, REMARK_NOTE, "the kernel kept no record of who allocated and "
			   "freed these (slub_debug=U makes it)");
	return err;
}

const struct command command_slab = {
	.name = "slab",
	.usage = "[-a | -f] [-t] CACHE | ADDRESS ...",
	.summary = "the objects of a slab cache",
	.help = "Each object of the caches with its state, in order of address. A CACHE is a name (which\n"
		"may hold * and ?), an alias, or the address of a kmem_cache: see kmem -s. An ADDRESS\n"
		"inside of an object is that object.\n"
		"  -a        only allocated ones\n"
		"  -f        only free ones, those included that a CPU keeps for its next allocations\n"
		"  -t        who allocated and who freed each, where the kernel ran with slub_debug=U\n"
		"Examples: slab task_struct | slab -a filp | slab -f 'kmalloc-*'",
	.run = run_slab,
};
