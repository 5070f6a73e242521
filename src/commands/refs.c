// SPDX-License-Identifier: LGPL-2.1-or-later
/* refs: who points into an object, by a look at all memory. */
#include "forensics/refs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/vec.h"
#include "commands/args.h"
#include "commands/table.h"

enum { OPT_MANY, OPT_USER, OPT_LIMIT };

static const struct option refs_option_table[] = {
	[OPT_MANY] = { .name = "m" },
	[OPT_USER] = { .name = "u" },
	[OPT_LIMIT] = { .name = "l", .value = true },
};

enum { TARGETS_MAX = 256, LIMIT_USUAL = 100, LIMIT_MAX = 10000 };

static const struct column refs_columns[] = {
	{ .key = "address", .title = "WHERE", .style = STYLE_FAINT },
	{ .key = "physical" },
	{ .key = "value", .title = "VALUE" },
	{ .key = "offset", .title = "INTO", .right = true },
	{ .key = "rank" },
	{ .key = "kind" },
	{ .key = "type" },
	{ .key = "member" },
	{ .key = "pid" },
	{ .key = "stale" },
	{ .key = "description", .title = "WHAT" },
};

struct refs_run {
	struct command_args *args;
	struct {
		vec_fields(struct ref_target);
	} targets;
	struct what *what; /* of each */
};

static void add_reference(struct refs_run *run, const struct ref *ref)
{
	char offset[32];
	const struct what *what = &ref->what;

	snprintf(offset, sizeof(offset), "+0x%" PRIx64, ref->offset);
	doc_row(run->args->doc, cell_address(ref->at), cell_hex(ref->phys.v),
		cell_address(ref->value), cell_shown(cell_hex(ref->offset), offset),
		cell_str(ref_rank_name(ref->rank)), cell_str(what_kind_name(what->kind)),
		cell_str(what->type), cell_str(*what->member ? what->member : NULL),
		what->pid >= 0 ? cell_dec(what->pid) : cell_none(),
		cell_bool(ref->rank == REF_FREE), cell_str(what->text));
	if (ref->rank >= REF_INSIDE)
		doc_row_style(run->args->doc, STYLE_FAINT);
}

static void add_target(struct refs_run *run, const struct refs *refs, size_t number)
{
	const struct ref_target *target = &run->targets.data[number];
	struct doc *doc = run->args->doc;
	size_t shown = 0;

	doc_record(doc, NULL, NULL);
	doc_field(doc, "address", NULL, cell_address(target->start));
	doc_field(doc, "size", NULL, cell_udec(target->size));
	doc_field(doc, "what", NULL, cell_str(run->what[number].text));
	doc_textf(doc, STYLE_STRONG, "%016" PRIx64 ", %" PRIu64 " bytes: %s", target->start,
		  target->size, run->what[number].text);
	doc_table(doc, "references", refs_columns, array_size(refs_columns));
	for (size_t i = 0; i < refs->count; i++) {
		if (refs->data[i].target == number) {
			add_reference(run, &refs->data[i]);
			shown++;
		}
	}
	if (!shown)
		doc_hidden(doc);
	doc_end(doc);
	if (!shown)
		doc_textf(doc, STYLE_PLAIN, "nobody points there");
	doc_end(doc);
}

static void add_counts(struct refs_run *run, const struct refs *refs)
{
	struct doc *doc = run->args->doc;

	doc_field(doc, "total", NULL, cell_udec(refs->total));
	doc_record(doc, "ranks", NULL);
	doc_hidden(doc);
	for (unsigned i = 0; i < REF_RANKS; i++)
		doc_field(doc, ref_rank_name((enum ref_rank)i), NULL, cell_udec(refs->ranks[i]));
	doc_end(doc);
}

static void add_remarks(struct refs_run *run, const struct refs *refs, bool user)
{
	struct doc *doc = run->args->doc;
	uint64_t of_users = user ? 0 : refs->ranks[REF_USER];

	if (of_users)
		doc_remark(doc, REMARK_NOTE,
			   "%" PRIu64 " more in pages of processes and files (-u shows them)",
			   of_users);
	if (!refs->capped && refs->total - of_users > refs->count)
		doc_remark(doc, REMARK_NOTE, "%" PRIu64 " more references (-l 0 shows all)",
			   refs->total - of_users - refs->count);
	if (refs->capped)
		doc_remark(doc, REMARK_ERROR,
			   "there are %" PRIu64 " references: only some of them were looked at",
			   refs->total);
	if (refs->holes)
		doc_remark(doc, REMARK_HOLE, "%" PRIu64 " pages of the dump cannot be read",
			   refs->holes);
}

/* "ADDR [SIZE]", or with -m "ADDR ...": each the object around it. */
static struct error *parse_targets(struct refs_run *run, const struct options *o)
{
	struct session *s = run->args->session;
	bool many = o->set[OPT_MANY];

	if (o->word_count < 1 || (!many && o->word_count > 2) || o->word_count > TARGETS_MAX)
		return error_new(ERROR_USAGE, "an address and perhaps a size are needed");
	run->what = arena_zalloc(&run->args->doc->arena,
				 (size_t)o->word_count * sizeof(*run->what));
	for (int i = 0; i < (many ? o->word_count : 1); i++) {
		struct ref_target target;
		uint64_t address;
		struct error *err = parse_address(s, o->words[i], &address);
		if (err)
			return err;
		if (!object_around(s, address, &target, &run->what[i]))
			target = (struct ref_target){ address, 1 };
		if (!address)
			err = error_new(ERROR_USAGE, "%s is no address of an object",
					o->words[i]);
		if (!many && o->word_count == 2) {
			target.start = address;
			err = parse_count(o->words[1], &target.size);
			if (!err && (!target.size || address > UINT64_MAX - target.size))
				err = error_new(ERROR_USAGE, "%s is no size there", o->words[1]);
		}
		if (err)
			return err;
		vec_push(&run->targets, target);
	}
	return NULL;
}

static struct error *find_and_show(struct refs_run *run, const struct options *o)
{
	struct refs_options options = { .limit = LIMIT_USUAL, .user = o->set[OPT_USER] };
	struct doc *doc = run->args->doc;
	uint64_t limit = LIMIT_USUAL;
	struct refs refs;

	struct error *err = o->set[OPT_LIMIT] ? parse_count(o->value[OPT_LIMIT], &limit) : NULL;
	if (err)
		return err;
	options.limit = limit && limit < LIMIT_MAX ? limit : LIMIT_MAX;
	refs_find(run->args->session, run->targets.data, run->targets.count, &options, &refs);
	doc_array(doc, "targets", NULL);
	for (size_t i = 0; i < run->targets.count; i++)
		add_target(run, &refs, i);
	doc_end(doc);
	add_counts(run, &refs);
	add_remarks(run, &refs, options.user);
	refs_deinit(&refs);
	return NULL;
}

static struct error *run_refs(struct command_args *args)
{
	struct refs_run run = { .args = args };
	struct options options;

	struct error *err =
		options_parse(args, refs_option_table, array_size(refs_option_table), &options);
	if (!err)
		err = parse_targets(&run, &options);
	if (!err)
		err = find_and_show(&run, &options);
	vec_deinit(&run.targets);
	return err;
}

const struct command command_refs = {
	.name = "refs",
	.usage = "[-u] [-l LIMIT] ADDRESS [SIZE] | -m ADDRESS ...",
	.summary = "who points into an object",
	.help = "All memory in the dump is searched for words that hold an address within SIZE bytes from\n"
		"ADDRESS (default: the object there, as whatis sees it). Each is named; variables come\n"
		"first, then objects in use, stacks, other memory, the object itself, and last what is\n"
		"stale: freed objects and free pages.\n"
		"  -m          several addresses, the whole object of each, in one pass\n"
		"  -u          also in pages of processes and files\n"
		"  -l LIMIT    at most so many for each target (100; 0: as many as can be told)\n"
		"Examples: refs init_task | refs -l 5 &init_task.tasks 16 | refs -m init_task modules",
	.run = run_refs,
};
