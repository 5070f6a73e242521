// SPDX-License-Identifier: LGPL-2.1-or-later
/* swap: the swap devices, as /proc/swaps lists them. */
#include "kernel/swap.h"

#include <inttypes.h>
#include <stdio.h>

#include "commands/show.h"
#include "commands/table.h"

static const struct column swap_columns[] = {
	{ .key = "address", .title = "SWAP_INFO_STRUCT" },
	{ .key = "type", .title = "TYPE" },
	{ .key = "size", .title = "SIZE", .right = true },
	{ .key = "used", .title = "USED", .right = true },
	{ .key = "percent", .title = "PCT", .right = true },
	{ .key = "priority", .title = "PRI", .right = true },
	{ .key = "path", .title = "FILENAME", .style = STYLE_STRONG },
	{ .key = "number" },
};

struct swap_run {
	struct command_args *args;
	size_t count, incomplete;
};

static bool add_device(void *ctx, const struct swap_device *d)
{
	struct swap_run *run = ctx;
	uint64_t percent = d->pages ? d->pages_used * 100 / d->pages : 0;
	char text[3][32];
	bool known = !d->incomplete;

	run->count++;
	run->incomplete += d->incomplete;
	snprintf(text[2], sizeof(text[2]), "%" PRIu64 "%%", percent);
	doc_row(run->args->doc, cell_address(d->address),
		known ? cell_str(d->partition ? "PARTITION" : "FILE") : cell_none(),
		size_cell(known, d->pages << PAGE_SHIFT, text[0], sizeof(text[0])),
		size_cell(known, d->pages_used << PAGE_SHIFT, text[1], sizeof(text[1])),
		known ? cell_shown(cell_udec(percent), text[2]) : cell_none(),
		known ? cell_dec(d->priority) : cell_none(),
		d->path[0] ? cell_str(d->path) : cell_none(), cell_udec(d->type));
	return true;
}

static struct error *run_swap(struct command_args *args)
{
	struct swap_run run = { .args = args };
	struct options options;

	struct error *err = options_parse(args, NULL, 0, &options);
	if (!err && options.word_count)
		err = error_new(ERROR_USAGE, "unexpected word: %s", options.words[0]);
	if (err)
		return err;
	doc_table(args->doc, "swap_devices", swap_columns, array_size(swap_columns));
	bool whole = swap_devices_each(args->session, add_device, &run);
	doc_end(args->doc);
	if (!whole)
		doc_remark(args->doc, REMARK_HOLE, "the list of swap devices (swap_info, "
			   "nr_swapfiles) is not in the dump");
	else if (!run.count)
		doc_remark(args->doc, REMARK_NOTE, "no swap device was in use");
	if (run.incomplete)
		doc_remark(args->doc, REMARK_HOLE, "%zu swap devices are only partly in the dump",
			   run.incomplete);
	return NULL;
}

const struct command command_swap = {
	.name = "swap",
	.usage = "",
	.summary = "swap devices",
	.help = "Each device or file that is swapped to: its swap_info_struct, size, what of it is in use,\n"
		"and its priority. Where a page of a task was swapped to: vm -p.\n"
		"Examples: swap",
	.run = run_swap,
};
