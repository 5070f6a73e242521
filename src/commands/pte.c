// SPDX-License-Identifier: LGPL-2.1-or-later
/* pte: what a page-table entry says, be its page there, swapped out or something else. */
#include <inttypes.h>
#include <stdio.h>

#include "base/strbuf.h"
#include "commands/args.h"
#include "commands/swap_entry.h"
#include "commands/table.h"
#include "kernel/swap_meaning.h"

void add_swap_entry(struct command_args *args, uint64_t pte, const char *title)
{
	static const char *const kinds[] = {
		[SWAP_ENTRY_NONE] = NULL,
		[SWAP_ENTRY_PAGE] = "swap",
		[SWAP_ENTRY_MIGRATION] = "migration",
		[SWAP_ENTRY_DEVICE] = "device",
		[SWAP_ENTRY_HWPOISON] = "hwpoison",
		[SWAP_ENTRY_MARKER] = "marker",
		[SWAP_ENTRY_UNKNOWN] = "unknown",
	};
	struct session *s = args->session;
	struct doc *doc = args->doc;
	struct swap_entry entry;
	struct swap_device device;
	char text[320];

	swap_entry_of(s, pte, &entry);
	if (entry.kind == SWAP_ENTRY_NONE)
		return;
	swap_entry_text(s, &entry, text, sizeof(text));
	doc_field_styled(doc, "away", title, STYLE_STRONG, cell_str(text));
	doc_record(doc, "swap_entry", NULL);
	doc_only_in(doc, DOC_IN_JSON);
	doc_field(doc, "kind", NULL, cell_str(kinds[entry.kind]));
	doc_field(doc, "type", NULL, cell_udec(entry.type));
	doc_field(doc, "offset", NULL, cell_udec(entry.offset));
	bool known = entry.kind == SWAP_ENTRY_PAGE && swap_device(s, entry.type, &device);
	doc_field(doc, "device", NULL, known && device.path[0] ? cell_str(device.path) : cell_none());
	doc_field(doc, "pfn", NULL, entry.pfn ? cell_hex(entry.pfn) : cell_none());
	doc_end(doc);
}

static void add_entry(struct command_args *args, uint64_t pte)
{
	struct session *s = args->session;
	struct doc *doc = args->doc;
	struct paddr paddr;
	char flags[256];

	doc_record(doc, NULL, NULL);
	doc_field(doc, "pte", "PTE", cell_hex(pte));
	if (s->arch->pte_address(pte, &paddr)) {
		s->arch->pte_flags(pte, flags, sizeof(flags));
		doc_field_styled(doc, "physical", "PHYSICAL", STYLE_STRONG,
				 cell_hex(paddr.v));
		doc_field(doc, "flags", "FLAGS", cell_str(flags));
		enum read_status status = dump_has_page(s->dump, paddr.v >> PAGE_SHIFT);
		doc_field(doc, "in_dump", "IN THE DUMP",
			  cell_shown(cell_bool(status == READ_OK),
				     status == READ_OK ? "yes" : read_status_text(status)));
	} else if (!pte) {
		doc_field(doc, "physical", "PHYSICAL", cell_shown(cell_none(), "no page"));
	} else {
		doc_field(doc, "physical", NULL, cell_none());
		add_swap_entry(args, pte, "PAGE");
	}
	doc_end(doc);
}

static struct error *run_pte(struct command_args *args)
{
	struct options options;
	struct error *err = options_parse(args, NULL, 0, &options);
	uint64_t pte;

	if (!err && !options.word_count)
		err = error_new(ERROR_USAGE, "which page-table entry?");
	for (int i = 0; i < options.word_count && !err; i++) {
		if (!parse_hex(options.words[i], &pte))
			err = error_new(ERROR_USAGE, "%s is no hexadecimal number",
					options.words[i]);
	}
	if (err)
		return err;
	doc_array(args->doc, "entries", NULL);
	for (int i = 0; i < options.word_count; i++) {
		if (parse_hex(options.words[i], &pte))
			add_entry(args, pte);
	}
	doc_end(args->doc);
	return NULL;
}

const struct command command_pte = {
	.name = "pte",
	.usage = "ENTRY ...",
	.summary = "what a page-table entry says",
	.help = "ENTRY is the number in a page table of the last level. Of one that is present: its page\n"
		"and flags. Of another: where the page is, be it swapped out, being moved to another\n"
		"place, lost by the hardware, or only a marker.\n"
		"Examples: pte 8000000001aa6067 | pte 3fffffffffc200",
	.run = run_pte,
};
