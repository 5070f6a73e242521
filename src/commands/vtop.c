// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * vtop: a virtual address to a physical one, with every step of the page-table walk, and whether
 * the dump has the page. An address of user space is looked up in a task's own tables.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands/kmem.h"
#include "commands/swap_entry.h"
#include "commands/table.h"
#include "kernel/swap_meaning.h"
#include "kernel/vma_flags.h"

enum { OPT_USER, OPT_KERNEL, OPT_TASK };
enum { PATH_BYTES = 4096 };

static const struct option vtop_option_table[] = {
	[OPT_USER] = { "u", false }, [OPT_KERNEL] = { "k", false }, [OPT_TASK] = { "c", true },
};

static const struct column walk_columns[] = {
	{ .key = "level", .title = "LEVEL" },
	{ .key = "entry_address", .title = "ENTRY AT" },
	{ .key = "entry", .title = "ENTRY" },
	{ .key = "flags", .title = "FLAGS" },
};

static void page_size_text(uint64_t size, char *buf, size_t n)
{
	if (size >= UINT64_C(1) << 30)
		snprintf(buf, n, "%" PRIu64 " GiB", size >> 30);
	else if (size >= 1 << 20)
		snprintf(buf, n, "%" PRIu64 " MiB", size >> 20);
	else
		snprintf(buf, n, "%" PRIu64 " KiB", size >> 10);
}

static void add_walk(struct session *s, struct doc *doc, const struct walk *walk)
{
	char flags[256];

	doc_table(doc, "walk", walk_columns, array_size(walk_columns));
	if (!walk->levels)
		doc_bare(doc);
	for (unsigned i = 0; i < walk->levels; i++) {
		s->arch->pte_flags(walk->step[i].entry, flags, sizeof(flags));
		doc_row(doc, cell_str(walk->step[i].name),
			cell_address(walk->step[i].entry_addr.v),
			cell_address(walk->step[i].entry), cell_str(flags));
	}
	doc_end(doc);
}

/* The mapping of a user address: the file and the place in it. */
static void add_mapping(struct command_args *args, const struct task *task, uint64_t address)
{
	struct session *s = args->session;
	struct doc *doc = args->doc;
	struct mapping mapping;
	char name[PATH_BYTES], flags[512], shown[540];

	if (!task->mm || !mapping_at(s, task->mm, address, &mapping))
		return;
	bool known = mapping_name(s, task->mm, &mapping, name, sizeof(name));
	doc_record(doc, "mapping", NULL);
	doc_field(doc, "vma", "VMA", cell_address(mapping.vma));
	doc_field(doc, "start", "START", cell_address(mapping.start));
	doc_field(doc, "end", "END", cell_address(mapping.end));
	vma_flags_text(s, mapping.flags, flags, sizeof(flags));
	snprintf(shown, sizeof(shown), "0x%" PRIx64 " %s", mapping.flags, flags);
	doc_field(doc, "flags", "FLAGS", mapping.incomplete
						 ? cell_none()
						 : cell_shown(cell_hex(mapping.flags), shown));
	doc_field(doc, "file", name[0] ? "FILE" : NULL, known && name[0] ? cell_str(name)
									  : cell_none());
	uint64_t offset = (mapping.page_offset << PAGE_SHIFT) + (address - mapping.start);
	if (mapping.file)
		doc_field(doc, "file_offset", "OFFSET", cell_hex(offset));
	doc_end(doc);
}

/* Whether the dump has the page, and where the answer is no, a remark. */
static void add_presence(struct command_args *args, uint64_t address, const struct walk *walk,
			 bool away)
{
	struct doc *doc = args->doc;

	if (walk->status != READ_OK) {
		doc_field(doc, "in_dump", NULL, cell_none());
		if (away)
			return;
		doc_remark(doc, REMARK_HOLE, "%" PRIx64 ": %s", address,
			   read_status_text(walk->status));
		return;
	}
	enum read_status status = dump_has_page(args->session->dump, walk->paddr.v >> PAGE_SHIFT);
	doc_field(doc, "in_dump", "IN THE DUMP",
		  cell_shown(cell_bool(status == READ_OK),
			     status == READ_OK ? "yes" : read_status_text(status)));
}

static void add_translation(struct command_args *args, uint64_t address, const struct walk *walk,
			    const struct task *user)
{
	struct doc *doc = args->doc;
	bool ok = walk->status == READ_OK;
	uint64_t entry;
	/* The kernel's own pages are never away: there such an entry is damage. */
	bool away = user && walk_is_away(walk, &entry);
	char name[300], size[32];

	doc_record(doc, NULL, NULL);
	address_name(args->session, address, name, sizeof(name));
	doc_field(doc, "virtual", "VIRTUAL", cell_address(address));
	if (name[0])
		doc_field(doc, "symbol", "SYMBOL", cell_str(name));
	if (ok)
		doc_field_styled(doc, "physical", "PHYSICAL", STYLE_STRONG,
				 cell_address(walk->paddr.v));
	else
		doc_field_styled(doc, "physical", "PHYSICAL", STYLE_BAD,
				 cell_shown(cell_none(), read_status_text(walk->status)));
	if (away)
		add_swap_entry(args, entry, "PAGE");
	doc_field(doc, "status", NULL, cell_str(ok ? "ok" : read_status_text(walk->status)));
	page_size_text(walk->page_size, size, sizeof(size));
	doc_field(doc, "page_size", ok ? "PAGE SIZE" : NULL,
		  walk->page_size ? cell_shown(cell_udec(walk->page_size), size) : cell_none());
	doc_field(doc, "pfn", ok ? "PFN" : NULL,
		  ok ? cell_hex(walk->paddr.v >> PAGE_SHIFT) : cell_none());
	add_presence(args, address, walk, away);
	if (!walk->levels && ok)
		doc_field(doc, "linear", "NOTE", cell_shown(cell_bool(true),
			  "by a linear mapping: the page tables are missing from the dump"));
	add_walk(args->session, doc, walk);
	if (user)
		add_mapping(args, user, address);
	if (ok)
		add_page_record(args, walk->paddr.v >> PAGE_SHIFT);
	doc_end(doc);
}

static struct error *translate(struct command_args *args, const struct options *o,
			       const char *word)
{
	struct session *s = args->session;
	struct walk walk;
	uint64_t address;

	struct error *err = parse_address(s, word, &address);
	if (err)
		return err;
	bool kernel = s->arch->is_kernel_address(address);
	bool user = o->set[OPT_USER] || o->set[OPT_TASK] || (!o->set[OPT_KERNEL] && !kernel);
	const struct task *task = NULL;
	struct page_root root;
	if (user)
		err = task_or_current(s, o->value[OPT_TASK], &task);
	/* A kernel thread has no tables of its own: it uses the kernel's. */
	user = user && !(task && task_has_no_memory(task) && kernel);
	if (!err && user)
		err = task_page_root(s, task, &root);
	if (err)
		return err;
	if (user)
		memory_walk_user(s->memory, &root, address, &walk);
	else
		memory_walk(s->memory, address, &walk);
	add_translation(args, address, &walk, user ? task : NULL);
	return NULL;
}

static struct error *run_vtop(struct command_args *args)
{
	struct options options;

	struct error *err = options_parse(args, vtop_option_table, array_size(vtop_option_table),
					  &options);
	if (err)
		return err;
	if (!options.word_count)
		return error_new(ERROR_USAGE, "which address?");
	if (options.set[OPT_KERNEL] && options.set[OPT_USER])
		return error_new(ERROR_USAGE, "only one of -k and -u");
	doc_array(args->doc, "translations", NULL);
	for (int i = 0; i < options.word_count; i++) {
		err = translate(args, &options, options.words[i]);
		if (err && options.word_count == 1)
			break;
		if (err)
			doc_remark(args->doc, REMARK_ERROR, "%s", err->message);
		error_free(err);
		err = NULL;
	}
	doc_end(args->doc);
	return err;
}

const struct command command_vtop = {
	.name = "vtop",
	.usage = "[-k | -u] [-c PID|TASK] ADDRESS ...",
	.summary = "virtual to physical address, with the page-table walk",
	.help = "Each address is looked up in the kernel's page tables, or, where it is a user address,\n"
		"in those of the current task.\n"
		"  -k           a kernel address\n"
		"  -u           a user address\n"
		"  -c PID|TASK  by the page tables of this task, kernel addresses too\n"
		"Of a user address also its mapping, and of a page that is away where it is: swapped out,\n"
		"being moved, lost. Of a page its struct page.\n"
		"Examples: vtop jiffies | vtop -c 1 7ffd1000",
	.run = run_vtop,
};
