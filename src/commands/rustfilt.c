// SPDX-License-Identifier: LGPL-2.1-or-later
/* rustfilt: symbols of Rust code by the names that the source has. */
#include "base/strbuf.h"
#include "commands/args.h"
#include "commands/table.h"
#include "symbols/rust_name.h"

static const struct column columns[] = {
	{ .key = "symbol" },
	{ .key = "name", .title = "" },
};

static struct error *run_rustfilt(struct command_args *args)
{
	if (args->argc < 2)
		return error_new(ERROR_USAGE, "which symbol?");
	doc_table(args->doc, "names", columns, array_size(columns));
	doc_bare(args->doc);
	for (int i = 1; i < args->argc; i++) {
		auto_strbuf name = { 0 };
		bool is_rust = rust_name(args->argv[i], &name);
		doc_row(args->doc, cell_str(args->argv[i]),
			cell_shown(cell_str(is_rust ? strbuf_text(&name) : NULL),
				   is_rust ? strbuf_text(&name) : args->argv[i]));
		if (!is_rust)
			doc_remark(args->doc, REMARK_NOTE, "%s is no symbol of Rust's",
				   args->argv[i]);
	}
	doc_end(args->doc);
	return NULL;
}

const struct command command_rustfilt = {
	.name = "rustfilt",
	.usage = "SYMBOL ...",
	.summary = "a Rust symbol's name as the source has it",
	.help = "Both of rustc's schemes are known: v0 (_R...) and the older one (_ZN...17h...E).\n"
		"Example: rustfilt _RNvNtCshc5sK6KjdJJ_6kernel5print11call_printk",
	.needs_no_dump = true,
	.run = run_rustfilt,
};
