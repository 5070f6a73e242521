// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * mod: the loaded modules, newest first, as they are linked in the kernel. Debug files are found
 * and opened when an address in them is first asked about; -s and -S do that at once, and say
 * which.
 */
#include "kernel/modules.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "commands/args.h"
#include "commands/table.h"
#include "kernel/module_sections.h"
#include "kernel/system.h"

enum { OPT_TAINTS, OPT_LOAD, OPT_LOAD_ALL, OPT_SECTIONS, OPT_DROP, OPT_DROP_ALL, OPT_READ_NOW,
       OPT_RENEW, OPT_OLD };

static const struct option mod_option_table[] = {
	[OPT_TAINTS] = { "t", false },   [OPT_LOAD] = { "s", true },
	[OPT_LOAD_ALL] = { "S", false }, [OPT_SECTIONS] = { "g", false },
	[OPT_DROP] = { "d", true },      [OPT_DROP_ALL] = { "D", false },
	[OPT_READ_NOW] = { "r", false }, [OPT_RENEW] = { "R", false },
	[OPT_OLD] = { "o", false },
};

enum { COLUMN_FILE = 9 };

static const struct column mod_columns[] = {
	{ .key = "address", .title = "MODULE" },
	{ .key = "name", .title = "NAME", .style = STYLE_STRONG },
	{ .key = "base", .title = "BASE" },
	{ .key = "size", .title = "SIZE", .right = true },
	{ .key = "refcount", .title = "USED", .right = true },
	{ .key = "taints", .title = "TAINTS" },
	{ .key = "state", .title = "STATE" },
	{ .key = "version" },
	{ .key = "srcversion" },
	[COLUMN_FILE] = { .key = "object_file", .title = "OBJECT FILE" },
};

struct mod_run {
	struct command_args *args;
	struct options options;
	const struct module_info *all;
	size_t count, shown;
};

/* enum module_state, include/linux/module.h */
static const char *const state_names[] = { "live", "coming", "going", "unformed" };

/* "OE" for out-of-tree and unsigned. */
static void taint_letters(uint64_t taints, char buf[65])
{
	size_t n = 0;

	for (unsigned bit = 0; bit < 64; bit++) {
		const struct taint_flag *flag = taint_flag(bit);
		if (taints >> bit & 1)
			buf[n++] = flag && flag->set ? flag->set : '?';
	}
	buf[n] = '\0';
}

static bool wanted(const struct mod_run *run, const struct module_info *info)
{
	const struct options *options = &run->options;

	if (options->set[OPT_TAINTS] && !info->taints)
		return false;
	if (options->set[OPT_LOAD])
		return strcmp(options->value[OPT_LOAD], info->module.name) == 0;
	/* The word of -S is a folder. */
	if (options->set[OPT_LOAD_ALL])
		return true;
	for (int i = 0; i < options->word_count; i++) {
		if (glob_match(options->words[i], info->module.name))
			return true;
	}
	return !options->word_count;
}

/* Where its code starts; without code, where it starts. */
static uint64_t base_of(const struct module_info *info)
{
	if (info->module.text_start || !info->module.area_count)
		return info->module.text_start;
	return info->module.area[0].start;
}

/* The module as the station of symbols, and so that of debug files, knows it; NULL: not at all. */
static const struct module *for_debug(struct session *s, const struct module_info *info)
{
	return s->symbols && base_of(info) ? symbols_module_of(s->symbols, base_of(info)) : NULL;
}

static void add_module(struct mod_run *run, const struct module_info *info)
{
	struct doc *doc = run->args->doc;
	struct session *s = run->args->session;
	char letters[65];
	uint64_t base = base_of(info);

	taint_letters(info->taints, letters);
	bool known = !s->text; /* which tells names only */
	bool has_state = info->has_state && info->state < array_size(state_names);
	const char *file = debuginfo_module_text(s->debuginfo, for_debug(s, info));
	doc_row(doc, known ? cell_address(info->module.address) : cell_none(),
		cell_str(info->module.name),
		known && base ? cell_address(base) : cell_none(),
		known && base ? cell_udec(info->size) : cell_none(),
		info->has_refcount ? cell_udec(info->refcount) : cell_none(),
		info->has_taints ? cell_str(letters) : cell_none(),
		has_state ? cell_str(state_names[info->state]) : cell_none(),
		cell_str(info->version[0] ? info->version : NULL),
		cell_str(info->srcversion[0] ? info->srcversion : NULL),
		file ? cell_str(file) : cell_shown(cell_none(), "(none)"));
	if (info->taints)
		doc_row_style(doc, STYLE_BAD);
	run->shown++;
}

static void list(struct mod_run *run)
{
	bool files = run->options.set[OPT_LOAD] || run->options.set[OPT_LOAD_ALL];
	struct column *columns = arena_alloc(&run->args->doc->arena, sizeof(mod_columns));

	memcpy(columns, mod_columns, sizeof(mod_columns));
	if (!files)
		columns[COLUMN_FILE].title = NULL;
	doc_table(run->args->doc, "modules", columns, array_size(mod_columns));
	for (size_t i = 0; i < run->count; i++) {
		if (wanted(run, &run->all[i]))
			add_module(run, &run->all[i]);
	}
	doc_end(run->args->doc);
}

/* -s and -S: opens debug files now. */
static void load(struct mod_run *run)
{
	const char *place = run->options.word_count ? run->options.words[0] : NULL;
	struct session *s = run->args->session;
	size_t missing = 0;

	for (size_t i = 0; i < run->count && !session_stopped(s); i++) {
		if (!wanted(run, &run->all[i]))
			continue;
		const struct module *module = for_debug(s, &run->all[i]);
		missing += !module || !debuginfo_load(s->debuginfo, module, place);
	}
	session_debug_problems(s);
	if (missing)
		doc_remark(run->args->doc, run->options.set[OPT_LOAD] ? REMARK_ERROR : REMARK_NOTE,
			   "no debug file was found for %zu module%s%s%s", missing,
			   missing == 1 ? "" : "s", place ? " in " : "", place ? place : "");
}

struct section {
	const char *name;
	uint64_t start, end;
};

struct sections {
	struct arena *arena;
	vec_fields(struct section);
};

static bool keep_section(void *ctx, const char *name, uint64_t address)
{
	struct sections *found = ctx;

	vec_push(found, (struct section){ .name = arena_strdup(found->arena, name),
					  .start = address });
	return true;
}

static int by_start(const void *a, const void *b)
{
	const struct section *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* The end of the module's area that the address is in. */
static uint64_t area_end(const struct module *m, uint64_t address)
{
	for (unsigned i = 0; i < m->area_count && i < array_size(m->area); i++) {
		if (address - m->area[i].start < m->area[i].size)
			return m->area[i].start + m->area[i].size;
	}
	return 0;
}

/* A section's end is not kept: it is at the latest where the next one begins, or its area ends. */
static void add_sections(struct mod_run *run, const struct module_info *info)
{
	static const struct column columns[] = {
		{ .key = "name", .title = "SECTION", .style = STYLE_STRONG },
		{ .key = "start", .title = "START" },
		{ .key = "end", .title = "END AT MOST" },
	};
	struct doc *doc = run->args->doc;
	struct sections found = { .arena = &doc->arena };

	doc_record(doc, NULL, NULL);
	doc_heading(doc, "MODULE: %s  %016" PRIx64, info->module.name, info->module.address);
	doc_field(doc, "module", NULL, cell_str(info->module.name));
	doc_field(doc, "address", NULL, cell_address(info->module.address));
	module_sections_each(run->args->session, &info->module, keep_section, &found);
	if (found.count)
		qsort(found.data, found.count, sizeof(*found.data), by_start);
	doc_table(doc, "sections", columns, array_size(columns));
	for (size_t i = 0; i < found.count; i++) {
		uint64_t end = area_end(&info->module, found.data[i].start);
		for (size_t k = i + 1; k < found.count; k++) {
			if (found.data[k].start > found.data[i].start) {
				end = end ? min_u64(end, found.data[k].start) : 0;
				break;
			}
		}
		doc_row(doc, cell_str(found.data[i].name), cell_address(found.data[i].start),
			end ? cell_address(end) : cell_shown(cell_none(), "(freed)"));
	}
	if (!found.count)
		doc_textf(doc, STYLE_FAINT, "(not in the dump)");
	doc_end(doc);
	doc_end(doc);
	vec_deinit(&found);
	run->shown++;
}

static void list_sections(struct mod_run *run)
{
	doc_array(run->args->doc, "module_sections", NULL);
	for (size_t i = 0; i < run->count && !session_stopped(run->args->session); i++) {
		if (wanted(run, &run->all[i]))
			add_sections(run, &run->all[i]);
	}
	doc_end(run->args->doc);
}

static struct error *parse_mod(struct mod_run *run)
{
	struct options *o = &run->options;
	struct error *err = options_parse(run->args, mod_option_table,
					  array_size(mod_option_table), o);

	if (err)
		return err;
	if (o->set[OPT_DROP] || o->set[OPT_DROP_ALL])
		return error_new(ERROR_USAGE, "debug files stay once they are in use; start anew with "
				 "--no-debuginfo to do without them");
	if (o->set[OPT_RENEW])
		return error_new(ERROR_USAGE, "a dump's modules do not change: there is nothing to "
				 "renew");
	if ((o->set[OPT_LOAD] || o->set[OPT_LOAD_ALL]) && o->word_count > 1)
		return error_new(ERROR_USAGE, "unexpected word: %s", o->words[1]);
	return NULL;
}

static struct error *run_mod(struct command_args *args)
{
	struct mod_run run = { .args = args };
	struct error *err = parse_mod(&run);

	if (err)
		return err;
	run.all = modules(args->session, &run.count);
	if (run.options.set[OPT_LOAD] || run.options.set[OPT_LOAD_ALL])
		load(&run);
	if (run.options.set[OPT_SECTIONS])
		list_sections(&run);
	else
		list(&run);
	const char *name = run.options.set[OPT_LOAD] ? run.options.value[OPT_LOAD]
			   : run.options.word_count ? run.options.words[0] : NULL;
	if (name && !run.shown)
		return error_new(ERROR_NOT_FOUND, "no module is named %s", name);
	if (!run.count && !args->session->symbols)
		doc_remark(args->doc, REMARK_HOLE, "without symbols modules cannot be found");
	else if (!run.count)
		doc_remark(args->doc, REMARK_NOTE, "no modules were loaded, or none can be found");
	return NULL;
}

const struct command command_mod = {
	.name = "mod",
	.usage = "[-t] [-g] [NAME ...] | -s NAME [FILE] [-g] | -S [FOLDER] [-g]",
	.summary = "loaded modules",
	.help = "All modules, or those that are named; a NAME may hold * and ?.\n"
		"  -t        only modules that taint the kernel\n"
		"  -g        where the sections of each were loaded\n"
		"  -s NAME   open the module's debug file now, from FILE (or the folder FILE) where that\n"
		"            is given, and say which it is; without this it is opened when it is needed\n"
		"  -S        the same of all modules, from FOLDER where that is given\n"
		"  -r, -o    taken for crash's sake; there is one way of loading\n"
		"BASE is where the module's code starts; USED counts its users. Taint letters are those\n"
		"of \"sys -t\".\n"
		"Examples: mod | mod -t | mod 'nf_*' | mod -S | mod -g virtio_blk",
	.run = run_mod,
};
