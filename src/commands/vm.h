/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private to vm: the pages of a mapping (vm -p). */
#pragma once

#include "commands/args.h"

/* What is looked for with -R, or 0 and NULL. */
struct vm_reference {
	const char *word;
	uint64_t number;
	bool has_number;
};

/* Does the reference name a file with this path? */
bool vm_reference_names(const struct vm_reference *reference, const char *path);

/*
 * A table "pages" of the mapping's pages in the current node: where each is. Pages in a row that are
 * nowhere are one row. With a @reference only those that it means; returns how many rows there are.
 */
size_t vm_pages(struct command_args *args, const struct page_root *root,
		const struct mapping *mapping, const char *name,
		const struct vm_reference *reference);
