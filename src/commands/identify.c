// SPDX-License-Identifier: LGPL-2.1-or-later
/* identify: of which type is the object at an address? See forensics/identify.h. */
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "commands/args.h"
#include "forensics/cache_types.h"
#include "forensics/identify.h"

enum { OPT_ALL, OPT_BLIND, OPT_CACHES, OPT_COUNT, OPT_SIZE, EVIDENCE_SHOWN = 5 };

static const struct option identify_option_table[] = {
	[OPT_ALL] = { .name = "a" },       [OPT_BLIND] = { .name = "-blind" },
	[OPT_CACHES] = { .name = "-caches" }, [OPT_COUNT] = { .name = "n", .value = true },
	[OPT_SIZE] = { .name = "s", .value = true },
};

static const struct column cache_columns[] = {
	{ .key = "address", .title = "CACHE" },
	{ .key = "name", .title = "NAME", .style = STYLE_STRONG },
	{ .key = "size", .title = "SIZE", .right = true },
	{ .key = "type", .title = "TYPE" },
	{ .key = "by", .title = "TOLD BY" },
};

static void show_caches(struct command_args *args)
{
	static const char *const rules[] = { NULL, "table", "name", "code" };
	size_t count;
	const struct slab_cache *all = slab_caches(args->session, &count);

	doc_table(args->doc, "caches", cache_columns, array_size(cache_columns));
	for (size_t i = 0; i < count; i++) {
		const struct cache_type *c = cache_type_of(args->session, all[i].address);
		doc_row(args->doc, cell_address(all[i].address), cell_str(all[i].name),
			cell_udec(all[i].object_size), cell_str(c->type),
			cell_str(c->general  ? "any type"
				 : c->merged ? "merged"
					     : rules[c->rule]));
	}
	doc_end(args->doc);
	if (!count)
		doc_remark(args->doc, REMARK_HOLE, "no slab caches are found in this dump");
}

static const struct column evidence_columns[] = {
	{ .key = "offset" }, { .key = "weight" }, { .key = "text" },
};

static void add_evidence(struct doc *doc, const char *key, const char *heading,
			 const struct identify_evidence *all, size_t count, bool brief)
{
	for (size_t i = 0; i < count && i < EVIDENCE_SHOWN && !brief; i++)
		doc_textf(doc, STYLE_PLAIN, "    %-12s %+5.1f  %s", i ? "" : heading,
			  all[i].weight, all[i].text);
	doc_table(doc, key, evidence_columns, array_size(evidence_columns));
	doc_hidden(doc);
	for (size_t i = 0; i < count; i++)
		doc_row(doc, cell_udec(all[i].offset), cell_float(all[i].weight),
			cell_str(all[i].text));
	doc_end(doc);
}

/* With all its evidence, or @brief; what is as good as nothing is for JSON only. */
static void add_hypothesis(struct doc *doc, const struct identify_hypothesis *h, uint64_t start,
			   const char *word, bool brief)
{
	bool shown = h->confidence != IDENTIFY_UNKNOWN;
	char line[256], offset[32] = "", score[32] = "";

	if (h->base != start)
		snprintf(offset, sizeof(offset), " at +0x%llx",
			 (unsigned long long)(h->base - start));
	snprintf(line, sizeof(line), "%s%s, %llu bytes: %s%s", h->type, offset,
		 (unsigned long long)h->size, word ? word : "",
		 identify_confidence_name(h->confidence));
	doc_record(doc, NULL, NULL);
	if (h->score > 0)
		snprintf(score, sizeof(score), " (score %.1f)", h->score);
	if (!shown)
		doc_hidden(doc);
	doc_textf(doc, brief ? STYLE_PLAIN : STYLE_STRONG, "  %s%s", line, score);
	doc_field(doc, "type", NULL, cell_str(h->type));
	doc_field(doc, "base", NULL, cell_address(h->base));
	doc_field(doc, "size", NULL, cell_udec(h->size));
	doc_field(doc, "score", NULL, cell_float(h->score));
	doc_field(doc, "confidence", NULL, cell_str(identify_confidence_name(h->confidence)));
	add_evidence(doc, "fits", "fits", h->fits, h->fit_count, brief);
	add_evidence(doc, "contradicts", "contradicts", h->contradicts, h->contradict_count,
		     brief);
	doc_end(doc);
}

static const char *state_name(const struct slab_object *object)
{
	switch (object->state) {
	case OBJECT_ALLOCATED:
		return "allocated";
	case OBJECT_FREE:
	case OBJECT_FREE_CPU:
		return "free";
	default:
		return "state unknown";
	}
}

static void add_where(struct doc *doc, const struct identify_result *r, bool blind)
{
	auto_strbuf text = { 0 };
	const struct slab_object *object = blind ? NULL : r->object;

	strbuf_addf(&text, "%016llx: %llu bytes", (unsigned long long)r->start,
		    (unsigned long long)r->size);
	if (object)
		strbuf_addf(&text, ", a slab object of %s (%s)", object->slab.cache->name,
			    state_name(object));
	doc_textf(doc, STYLE_STRONG, "%s", text.data);
	doc_field(doc, "address", NULL, cell_address(r->start));
	doc_field(doc, "size", NULL, cell_udec(r->size));
	doc_field(doc, "cache", NULL, cell_str(object ? object->slab.cache->name : NULL));
	doc_field(doc, "state", NULL, cell_str(object ? state_name(object) : NULL));
	if (r->known)
		doc_textf(doc, STYLE_STRONG, "  %s: by its slab cache", r->known);
	doc_field(doc, "known", NULL, cell_str(r->known));
	if (r->pointed_by)
		doc_textf(doc, STYLE_FAINT, "  pointed to by %s", r->pointed_by);
	doc_field(doc, "pointed_by", NULL, cell_str(r->pointed_by));
}

static void add_result(struct doc *doc, const struct identify_result *r, bool blind, bool all)
{
	doc_record(doc, NULL, NULL);
	add_where(doc, r, blind);
	doc_array(doc, "parts", NULL);
	for (size_t i = 0; i < r->part_count; i++) {
		if (r->part_count > 1)
			add_hypothesis(doc, &r->parts[i], r->start, "part, ", i == 0 && r->count);
	}
	doc_end(doc);
	doc_array(doc, "hypotheses", NULL);
	for (size_t i = 0; i < r->count; i++)
		add_hypothesis(doc, &r->hypotheses[i], r->start, NULL, i && !all);
	doc_end(doc);
	doc_array(doc, "former", NULL);
	if (r->former)
		add_hypothesis(doc, r->former, r->start, "left by a former owner, ", false);
	doc_end(doc);
	bool any = r->former || r->part_count > 1 ||
		   (r->count && r->hypotheses[0].confidence != IDENTIFY_UNKNOWN);
	if (!r->readable)
		doc_remark(doc, REMARK_HOLE, "nothing of the %llu bytes at %016llx is in the dump",
			   (unsigned long long)r->size, (unsigned long long)r->start);
	else if (!any)
		doc_textf(doc, STYLE_PLAIN, "  unknown: no struct fits well enough");
	doc_end(doc);
}

static struct error *identify_one(struct command_args *args, const struct options *o,
				  const char *word)
{
	struct identify_request request = { .blind = o->set[OPT_BLIND] };
	struct identify_result result;
	uint64_t count = 0;

	struct error *err = parse_address(args->session, word, &request.address);
	if (!err && o->set[OPT_SIZE])
		err = parse_count(o->value[OPT_SIZE], &request.size);
	if (!err && o->set[OPT_COUNT])
		err = parse_count(o->value[OPT_COUNT], &count);
	if (err)
		return err;
	request.wanted = (unsigned)min_u64(count, 50);
	err = identify(args->session, &request, &args->doc->arena, &result);
	if (!err)
		add_result(args->doc, &result, request.blind, o->set[OPT_ALL]);
	return err;
}

static struct error *run_identify(struct command_args *args)
{
	struct options options;
	struct error *err = options_parse(args, identify_option_table,
					  array_size(identify_option_table), &options);

	if (err)
		return err;
	if (options.set[OPT_CACHES]) {
		show_caches(args);
		return NULL;
	}
	if (!options.word_count)
		return error_new(ERROR_USAGE, "identify what? An address is needed");
	doc_array(args->doc, "objects", NULL);
	for (int i = 0; i < options.word_count && !err; i++)
		err = identify_one(args, &options, options.words[i]);
	doc_end(args->doc);
	return err;
}

const struct command command_identify = {
	.name = "identify",
	.usage = "[-a] [-n COUNT] [-s SIZE] [--blind] ADDRESS ... | --caches",
	.summary = "of which type the object at an address is, by what lies in it",
	.help = "Tries all structs of the kernel's types and tells those that fit best, with evidence:\n"
		"pointers out and in, functions by prototype, lists, locks, strings. What several structs\n"
		"lie in is taken apart; of a freed or reused object, what it was before.\n"
		"  -a         evidence of all hypotheses, not of the best only\n"
		"  -n COUNT   so many hypotheses (3)\n"
		"  -s SIZE    look at so many bytes, in which structs may begin anywhere\n"
		"  --blind    use nothing that the object's slab cache tells but the size class\n"
		"  --caches   the type of each slab cache's objects\n"
		"Confidence is certain, likely or possible; nothing at all is said when nothing fits.\n"
		"Examples: identify ffff888003c5e000 | identify -n 10 -a ffff888003c5e000",
	.run = run_identify,
};
