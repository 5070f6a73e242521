// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * vm -p: where each page of a mapping is. The page tables say: in memory; or the entry is that of a
 * swapped-out page, and names a swap device. Where they say nothing, a page of a file is still to
 * be read from there, and one of anonymous memory was never touched: what is the same for many
 * pages in a row is one row.
 *
 * A private mapping's file page may be in the page cache all the same: only the tables are asked.
 * Damaged tables can make a few pages look like billions; there cannot be more of them than the
 * machine's memory has room for tables.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "commands/vm.h"
#include "kernel/swap.h"

static const struct column page_columns[] = {
	{ .key = "virtual", .title = "VIRTUAL" },
	{ .key = "physical", .title = "PHYSICAL" },
	{ .key = "pages", .title = "PAGES", .right = true },
	{ .key = "state", .title = NULL },
	{ .key = "where", .title = "WHERE ELSE" },
	{ .key = "offset" },
};

enum state { IN_MEMORY, IN_SWAP, IN_FILE, NOWHERE, SPECIAL, HOLE, UNKNOWN };

static const char *const state_names[] = {
	[IN_MEMORY] = "memory", [IN_SWAP] = "swap",       [IN_FILE] = "file",
	[NOWHERE] = "none",     [SPECIAL] = "special",    [HOLE] = "missing",
	[UNKNOWN] = "unknown",
};

/* Of pages from @address on, which are all alike. */
struct run {
	uint64_t address, end;
	enum state state;
	uint64_t physical;
	unsigned swap_type;
	uint64_t offset; /* in the file in bytes, in the swap device in pages */
};

struct listing {
	struct command_args *args;
	const struct mapping *mapping;
	const char *name;
	const struct vm_reference *reference;
	struct run run;
	size_t rows, holes, unshown;
	uint64_t hole_at;
};

enum { ROWS_MAX = 1 << 22, ENTRIES_OF_TABLE = 512, USER_BITS_MAX = 56 };

static bool wanted(const struct listing *l)
{
	const struct vm_reference *r = l->reference;
	const struct run *run = &l->run;

	if (!r->word)
		return true;
	if (!r->has_number)
		return false;
	return (r->number >= run->address && r->number < run->end) ||
	       (run->state == IN_MEMORY && r->number >= run->physical &&
		r->number < run->physical + (run->end - run->address));
}

static void where_text(const struct listing *l, char *buf, size_t size)
{
	const struct run *run = &l->run;
	struct swap_device device;

	buf[0] = '\0';
	switch (run->state) {
	case IN_SWAP:
		snprintf(buf, size, "SWAP: %s  OFFSET: %" PRIu64,
			 swap_device(l->args->session, run->swap_type, &device) && device.path[0]
				 ? device.path : "(unknown device)", run->offset);
		break;
	case IN_FILE:
		snprintf(buf, size, "FILE: %s  OFFSET: %" PRIx64, l->name, run->offset);
		break;
	case SPECIAL:
		snprintf(buf, size, "a note of the kernel's own (type %u), not a page",
			 run->swap_type);
		break;
	case HOLE:
		snprintf(buf, size, "its page table is not in the dump");
		break;
	case UNKNOWN:
		snprintf(buf, size, "in its file, or nowhere: the mapping is not in the dump");
		break;
	case NOWHERE:
		snprintf(buf, size, "(not mapped)");
		break;
	case IN_MEMORY:
		break;
	}
}

static void end_run(struct listing *l)
{
	const struct run *run = &l->run;
	char where[5000];

	if (run->end <= run->address)
		return;
	if (l->rows >= ROWS_MAX) {
		l->unshown++;
	} else if (wanted(l)) {
		bool in_memory = run->state == IN_MEMORY;
		where_text(l, where, sizeof(where));
		doc_row(l->args->doc, cell_hex(run->address),
			in_memory ? cell_hex(run->physical) : cell_shown(cell_none(), "-"),
			cell_udec((run->end - run->address) >> PAGE_SHIFT),
			cell_str(state_names[run->state]), cell_str(where),
			run->state == IN_SWAP || run->state == IN_FILE ? cell_hex(run->offset)
								       : cell_none());
		l->rows++;
		if (run->state == HOLE) {
			l->hole_at = l->holes ? l->hole_at : run->address;
			l->holes += (run->end - run->address) >> PAGE_SHIFT;
		}
	}
	l->run.end = l->run.address;
}

/* Is @next the same for the pages that follow @run's? Pages that are somewhere have a row each. */
static bool goes_on(const struct run *run, const struct run *next)
{
	return run->end == next->address && run->state == next->state &&
	       (next->state == IN_FILE || next->state == NOWHERE || next->state == HOLE ||
		next->state == UNKNOWN) &&
	       run->end > run->address;
}

static struct run look_at(const struct listing *l, const struct page_root *root, uint64_t address)
{
	const struct mapping *m = l->mapping;
	struct run run = { .address = address,
			   .state = m->incomplete ? UNKNOWN : m->file ? IN_FILE : NOWHERE };
	struct walk walk;

	memory_walk_user(l->args->session->memory, root, address, &walk);
	uint64_t size = walk.page_size ? walk.page_size : PAGE_SIZE;
	run.end = min_u64((address & ~(size - 1)) + size, m->end);
	run.offset = (m->page_offset << PAGE_SHIFT) + (address - m->start);
	uint64_t entry = walk.levels ? walk.step[walk.levels - 1].entry : 0;
	if (walk.status == READ_OK) {
		run.state = IN_MEMORY;
		run.physical = walk.paddr.v;
	} else if (walk.status != READ_UNMAPPED) {
		/* The whole table is missing, not one entry of it. */
		run.state = HOLE;
		size *= ENTRIES_OF_TABLE;
		run.end = min_u64((address & ~(size - 1)) + size, m->end);
	} else if (size == PAGE_SIZE && swap_entry(entry, &run.swap_type, &run.offset)) {
		struct swap_device device;
		bool known = swap_device(l->args->session, run.swap_type, &device) && device.used;
		run.state = known ? IN_SWAP : SPECIAL;
	}
	if (run.end <= address)
		run.end = m->end;
	return run;
}

size_t vm_pages(struct command_args *args, const struct page_root *root,
		const struct mapping *mapping, const char *name,
		const struct vm_reference *reference)
{
	struct listing l = { .args = args, .mapping = mapping, .name = name,
			     .reference = reference };

	uint64_t left = dump_info(args->session->dump)->max_pfn * ENTRIES_OF_TABLE, at;

	doc_table(args->doc, "pages", page_columns, array_size(page_columns));
	if (mapping->end >> USER_BITS_MAX || (mapping->start | mapping->end) % PAGE_SIZE) {
		doc_end(args->doc);
		doc_remark(args->doc, REMARK_HOLE, "the mapping %" PRIx64 "-%" PRIx64 " is damaged: "
			   "its pages cannot be told", mapping->start, mapping->end);
		return 0;
	}
	for (at = mapping->start; at < mapping->end && left && !session_stopped(args->session);) {
		struct run next = look_at(&l, root, at);
		at = next.end;
		left--;
		if (goes_on(&l.run, &next)) {
			l.run.end = next.end;
			continue;
		}
		end_run(&l);
		l.run = next;
	}
	end_run(&l);
	doc_end(args->doc);
	if (l.unshown)
		doc_remark(args->doc, REMARK_ERROR, "%zu lines more are not shown", l.unshown);
	if (at < mapping->end && !session_stopped(args->session))
		doc_remark(args->doc, REMARK_ERROR, "the page tables from %" PRIx64 " on are damaged: "
			   "they have more pages than the machine", at);
	if (l.holes)
		doc_remark(args->doc, REMARK_HOLE, "where %zu pages from %" PRIx64 " on are: their "
			   "page table is not in the dump", l.holes, l.hole_at);
	return l.rows;
}

bool vm_reference_names(const struct vm_reference *reference, const char *path)
{
	const char *last = strrchr(path, '/');

	return reference->word && (glob_match(reference->word, path) ||
				   (last && glob_match(reference->word, last + 1)));
}
