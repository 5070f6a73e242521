// SPDX-License-Identifier: LGPL-2.1-or-later
/* mod: the loaded modules, newest first, as they are linked in the kernel. */
#include "kernel/modules.h"

#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "commands/args.h"
#include "commands/table.h"
#include "kernel/system.h"

enum { OPT_TAINTS };

static const struct option mod_option_table[] = { [OPT_TAINTS] = { "t", false } };

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

static bool wanted(const struct options *options, const struct module_info *info)
{
	if (options->set[OPT_TAINTS] && !info->taints)
		return false;
	for (int i = 0; i < options->word_count; i++) {
		if (glob_match(options->words[i], info->module.name))
			return true;
	}
	return !options->word_count;
}

static void add_module(struct doc *doc, const struct module_info *info, bool text)
{
	char letters[65];
	uint64_t base = info->module.text_start;

	if (!base && info->module.area_count)
		base = info->module.area[0].start;
	taint_letters(info->taints, letters);
	bool known = !text; /* which tells names only */
	doc_row(doc, known ? cell_address(info->module.address) : cell_none(),
		cell_str(info->module.name),
		known ? cell_address(base) : cell_none(),
		known ? cell_udec(info->size) : cell_none(),
		known ? cell_udec(info->refcount) : cell_none(),
		cell_str(letters),
		cell_str(info->state < array_size(state_names) ? state_names[info->state] : NULL),
		cell_str(info->version[0] ? info->version : NULL),
		cell_str(info->srcversion[0] ? info->srcversion : NULL));
	if (info->taints)
		doc_row_style(doc, STYLE_BAD);
}

static struct error *run_mod(struct command_args *args)
{
	struct options options;
	size_t count, shown = 0;

	struct error *err = options_parse(args, mod_option_table, array_size(mod_option_table),
					  &options);
	if (err)
		return err;
	const struct module_info *all = modules(args->session, &count);
	doc_table(args->doc, "modules", mod_columns, array_size(mod_columns));
	for (size_t i = 0; i < count; i++) {
		if (!wanted(&options, &all[i]))
			continue;
		add_module(args->doc, &all[i], args->session->text != NULL);
		shown++;
	}
	doc_end(args->doc);
	if (options.word_count && !shown)
		return error_new(ERROR_NOT_FOUND, "no module is named %s", options.words[0]);
	if (!count && !args->session->symbols)
		doc_remark(args->doc, REMARK_HOLE, "without symbols modules cannot be found");
	else if (!count)
		doc_remark(args->doc, REMARK_NOTE, "no modules were loaded, or none can be found");
	return NULL;
}

const struct command command_mod = {
	.name = "mod",
	.usage = "[-t] [NAME ...]",
	.summary = "loaded modules",
	.help = "All modules, or those that are named; a NAME may hold * and ?.\n"
		"  -t        only modules that taint the kernel\n"
		"BASE is where the module's code starts; USED counts its users. Taint letters are those\n"
		"of \"sys -t\".\n"
		"Examples: mod | mod -t | mod 'nf_*'",
	.run = run_mod,
};
