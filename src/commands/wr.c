// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * wr: changes memory as all commands see it from here on. The dump's file is only read: what is
 * changed lies over it, and is gone with the session.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/strbuf.h"
#include "commands/args.h"
#include "commands/table.h"
#include "kernel/changes.h"
#include "kernel/mappings.h"

enum { OPT_USER, OPT_KERNEL, OPT_PHYS, OPT_8, OPT_16, OPT_32, OPT_64, OPT_LIST, OPT_DROP };

static const struct option wr_option_table[] = {
	[OPT_USER] = { "u", false }, [OPT_KERNEL] = { "k", false }, [OPT_PHYS] = { "p", false },
	[OPT_8] = { "8", false },    [OPT_16] = { "16", false },    [OPT_32] = { "32", false },
	[OPT_64] = { "64", false },  [OPT_LIST] = { "l", false },   [OPT_DROP] = { "d", false },
};

static const struct column change_columns[] = {
	{ .key = "address", .title = "ADDRESS" },
	{ .key = "physical", .title = "PHYSICAL", .style = STYLE_FAINT },
	{ .key = "size", .title = "BYTES", .right = true },
	{ .key = "before", .title = "BEFORE" },
	{ .key = "after", .title = "NOW", .style = STYLE_STRONG },
	{ .key = "symbol", .title = "" },
};

static void add_change(struct command_args *args, const struct change *change)
{
	char physical[24], before[24], after[24], name[300] = "";
	int digits = (int)change->size * 2;

	snprintf(physical, sizeof(physical), "%" PRIx64, change->paddr.v);
	snprintf(before, sizeof(before), "%0*" PRIx64, digits, change->before);
	snprintf(after, sizeof(after), "%0*" PRIx64, digits, change->after);
	if (args->session->arch->is_kernel_address(change->address))
		address_name(args->session, change->address, name, sizeof(name));
	doc_row(args->doc, cell_address(change->address),
		cell_shown(cell_hex(change->paddr.v), physical), cell_udec(change->size),
		cell_shown(cell_hex(change->before), before),
		cell_shown(cell_hex(change->after), after), cell_str(name));
}

static void list_changes(struct command_args *args)
{
	size_t count;
	const struct change *all = changes(args->session, &count);

	doc_table(args->doc, "changes", change_columns, array_size(change_columns));
	for (size_t i = 0; i < count; i++)
		add_change(args, &all[i]);
	if (!count)
		doc_hidden(args->doc);
	doc_end(args->doc);
	if (!count)
		doc_textf(args->doc, STYLE_PLAIN, "nothing was changed");
}

/* Where the address is in physical memory. */
static struct error *find_place(struct command_args *args, const struct options *o,
				uint64_t address, struct paddr *paddr)
{
	struct session *s = args->session;
	bool user = o->set[OPT_USER] ||
		    (!o->set[OPT_KERNEL] && !s->arch->is_kernel_address(address));
	const struct task *task;
	struct page_root root;
	struct walk walk;

	if (o->set[OPT_PHYS]) {
		paddr->v = address;
		return NULL;
	}
	if (user) {
		struct error *err = task_or_current(s, NULL, &task);
		if (!err)
			err = task_page_root(s, task, &root);
		if (err)
			return err;
		memory_walk_user(s->memory, &root, address, &walk);
	} else {
		memory_walk(s->memory, address, &walk);
	}
	*paddr = walk.paddr;
	if (walk.status != READ_OK)
		return error_new(ERROR_MISSING, "%" PRIx64 ": %s", address,
				 read_status_text(walk.status));
	return NULL;
}

/* A number in hexadecimal, as crash takes it, or else what a symbol or an expression gives. */
static struct error *parse_value(struct session *s, const char *word, unsigned size,
				 uint64_t *value)
{
	uint64_t low = UINT64_MAX >> (64 - 8 * size);

	if (!parse_hex(word, value)) {
		struct error *err = parse_address(s, word, value);
		if (err)
			return err;
	}
	/* -1 is meant in the size of what is written. */
	if (*value > low && *value < ~(low >> 1))
		return error_new(ERROR_USAGE, "%s has more than %u bits", word, 8 * size);
	return NULL;
}

static struct error *write_value(struct command_args *args, const struct options *o)
{
	struct session *s = args->session;
	unsigned size = o->set[OPT_8] ? 1 : o->set[OPT_16] ? 2 : o->set[OPT_32] ? 4 : 8;
	uint64_t address, value;
	struct change change;
	struct paddr paddr;

	if (o->word_count != 2)
		return error_new(ERROR_USAGE, "an address and a value are needed");
	if (o->set[OPT_8] + o->set[OPT_16] + o->set[OPT_32] + o->set[OPT_64] > 1)
		return error_new(ERROR_USAGE, "one size at a time");
	if (o->set[OPT_USER] + o->set[OPT_KERNEL] + o->set[OPT_PHYS] > 1)
		return error_new(ERROR_USAGE, "only one of -u, -k and -p");
	struct error *err = parse_address(s, o->words[0], &address);
	if (!err)
		err = parse_value(s, o->words[1], size, &value);
	if (!err && address % PAGE_SIZE + size > PAGE_SIZE)
		err = error_new(ERROR_USAGE, "%" PRIx64 ": %u bytes there go beyond the page",
				address, size);
	if (!err)
		err = find_place(args, o, address, &paddr);
	if (err)
		return err;
	enum read_status status = memory_change(s, address, paddr, size, value, &change);
	if (status != READ_OK)
		return error_new(ERROR_MISSING, "%" PRIx64 ": %s", address,
				 read_status_text(status));
	doc_table(args->doc, "changes", change_columns, array_size(change_columns));
	add_change(args, &change);
	doc_end(args->doc);
	return NULL;
}

static struct error *run_wr(struct command_args *args)
{
	struct options options;

	struct error *err = options_parse(args, wr_option_table, array_size(wr_option_table),
					  &options);
	if (err)
		return err;
	if (options.set[OPT_DROP]) {
		size_t count = changes_drop(args->session);
		doc_field(args->doc, "dropped", NULL, cell_udec(count));
		doc_textf(args->doc, STYLE_PLAIN, "%zu change%s taken back", count,
			  count == 1 ? "" : "s");
		return NULL;
	}
	if (options.set[OPT_LIST]) {
		list_changes(args);
		return NULL;
	}
	return write_value(args, &options);
}

const struct command command_wr = {
	.name = "wr",
	.usage = "[-u|-k|-p] [-8|-16|-32|-64] ADDRESS VALUE | -l | -d",
	.summary = "change memory, as all commands then see it; never the dump",
	.help = "VALUE, in hexadecimal, a symbol or an expression, is put at ADDRESS. The file of the dump\n"
		"is not written to: until the session ends every command works with the changed memory,\n"
		"so that one can mend a broken list and walk it. What was read before is read again;\n"
		"only symbols and types stay.\n"
		"  -u, -k     a user address of the current task, a kernel address\n"
		"  -p         a physical address\n"
		"  -8 .. -64  the size of the value in bits (64)\n"
		"  -l         what was changed, and what was there before\n"
		"  -d         take all back\n"
		"Examples: wr -32 panic_on_oops 1 | wr -8 init_task.comm 53 | wr -l | wr -d",
	.run = run_wr,
};
