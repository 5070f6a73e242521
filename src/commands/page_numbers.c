// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * btop, ptob, ptov: addresses, numbers of page frames, and the place in the direct map or in the
 * per-CPU areas that goes with them. Nothing of it looks into memory.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "commands/args.h"
#include "commands/table.h"
#include "kernel/context.h"
#include "kernel/cpus.h"
#include "kernel/pages.h"

/* --- btop, ptob. --- */

static const struct column number_columns[] = {
	{ .key = "given", .title = "" },
	{ .key = "result", .title = "", .style = STYLE_STRONG },
};

static void add_number(struct doc *doc, uint64_t given, uint64_t result)
{
	char left[32], right[32];

	snprintf(left, sizeof(left), "%" PRIx64 ":", given);
	snprintf(right, sizeof(right), "%" PRIx64, result);
	doc_row(doc, cell_shown(cell_hex(given), left), cell_shown(cell_hex(result), right));
}

/* Of each word a number, by shifts: to the left from page frames, else to the right. */
static struct error *shift_words(struct command_args *args, const char *key, bool to_bytes)
{
	struct options options;
	struct error *err = options_parse(args, NULL, 0, &options);
	uint64_t *numbers;

	if (!err && !options.word_count)
		err = error_new(ERROR_USAGE, to_bytes ? "which page frame?" : "which address?");
	if (err)
		return err;
	numbers = arena_zalloc(&args->doc->arena,
			       (size_t)options.word_count * sizeof(*numbers));
	for (int i = 0; i < options.word_count; i++) {
		if (!parse_hex(options.words[i], &numbers[i]))
			return error_new(ERROR_USAGE, "%s is no hexadecimal number",
					 options.words[i]);
		if (to_bytes && numbers[i] >> (64 - PAGE_SHIFT))
			return error_new(ERROR_USAGE, "%s is no page frame: its address has more "
					 "than 64 bits", options.words[i]);
	}
	doc_table(args->doc, key, number_columns, array_size(number_columns));
	doc_bare(args->doc);
	for (int i = 0; i < options.word_count; i++)
		add_number(args->doc, numbers[i], to_bytes ? numbers[i] << PAGE_SHIFT
							   : numbers[i] >> PAGE_SHIFT);
	doc_end(args->doc);
	return NULL;
}

static struct error *run_btop(struct command_args *args)
{
	return shift_words(args, "page_frames", false);
}

static struct error *run_ptob(struct command_args *args)
{
	return shift_words(args, "addresses", true);
}

const struct command command_btop = {
	.name = "btop",
	.usage = "ADDRESS ...",
	.summary = "the page frame of an address",
	.help = "An address in hexadecimal, divided by the size of a page.\n"
		"Example: btop 512a000",
	.needs_no_dump = true,
	.run = run_btop,
};

const struct command command_ptob = {
	.name = "ptob",
	.usage = "PAGE_FRAME ...",
	.summary = "the address of a page frame",
	.help = "The number of a page frame in hexadecimal, times the size of a page.\n"
		"Example: ptob 512a",
	.needs_no_dump = true,
	.run = run_ptob,
};

/* --- ptov. --- */

static const struct column direct_columns[] = {
	{ .key = "virtual", .title = "VIRTUAL", .style = STYLE_STRONG },
	{ .key = "physical", .title = "PHYSICAL" },
};

static const struct column percpu_columns[] = {
	{ .key = "cpu", .title = "CPU", .right = true },
	{ .key = "virtual", .title = "VIRTUAL", .style = STYLE_STRONG },
};

static struct error *add_direct(struct command_args *args, const char *word)
{
	struct session *s = args->session;
	uint64_t physical, vaddr;
	struct paddr back;
	char shown[24];

	struct error *err = parse_address(s, word, &physical);
	if (err)
		return err;
	vaddr = direct_map_of(s, (struct paddr){ physical });
	if (!vaddr)
		return error_new(ERROR_MISSING, "where the direct map is cannot be told");
	if (!direct_map_to_phys(s, vaddr, &back))
		return error_new(ERROR_NOT_FOUND, "%s: this machine's memory ends before it", word);
	doc_table(args->doc, "direct", direct_columns, array_size(direct_columns));
	snprintf(shown, sizeof(shown), "%" PRIx64, physical);
	doc_row(args->doc, cell_address(vaddr), cell_shown(cell_hex(physical), shown));
	doc_end(args->doc);
	return NULL;
}

/* "31980:": the CPU of the current task. */
static const char *with_current_cpu(struct command_args *args, const char *word)
{
	const struct task *task = context_task(args->session);
	char *full = arena_alloc(&args->doc->arena, strlen(word) + 16);

	snprintf(full, strlen(word) + 16, "%s%d", word, task && task->cpu >= 0 ? task->cpu : 0);
	return full;
}

static struct error *add_percpu(struct command_args *args, const char *word)
{
	struct cpu_addresses addresses;
	size_t length = strlen(word);

	if (word[length - 1] == ':')
		word = with_current_cpu(args, word);
	struct error *err = parse_percpu_addresses(args->session, word, args->doc, &addresses);
	if (err)
		return err;
	doc_record(args->doc, NULL, NULL);
	doc_field(args->doc, "offset", "PER-CPU OFFSET",
		  cell_str(arena_strndup(&args->doc->arena, word, strcspn(word, ":"))));
	doc_table(args->doc, "cpus", percpu_columns, array_size(percpu_columns));
	for (size_t i = 0; i < addresses.count; i++)
		doc_row(args->doc, cell_dec(addresses.data[i].cpu),
			cell_address(addresses.data[i].address));
	doc_end(args->doc);
	doc_end(args->doc);
	return NULL;
}

static struct error *run_ptov(struct command_args *args)
{
	struct options options;
	struct error *err = options_parse(args, NULL, 0, &options);

	if (!err && !options.word_count)
		err = error_new(ERROR_USAGE, "which physical address or per-CPU offset?");
	if (err)
		return err;
	doc_array(args->doc, "translations", NULL);
	for (int i = 0; i < options.word_count && !err; i++) {
		bool percpu = strchr(options.words[i], ':');
		if (!percpu)
			doc_record(args->doc, NULL, NULL);
		err = percpu ? add_percpu(args, options.words[i])
			     : add_direct(args, options.words[i]);
		if (!percpu)
			doc_end(args->doc);
		if (err && options.word_count > 1) {
			doc_remark(args->doc, REMARK_ERROR, "%s", err->message);
			error_free(err);
			err = NULL;
		}
	}
	doc_end(args->doc);
	return err;
}

const struct command command_ptov = {
	.name = "ptov",
	.usage = "ADDRESS | OFFSET:CPUS ...",
	.summary = "a physical address in the direct map; a per-CPU offset on its CPUs",
	.help = "A physical address gives the kernel's address of it. An offset or a per-CPU variable with\n"
		"CPUs behind a colon (\"0,2-3\", \"a\" for all, nothing for that of the current task)\n"
		"gives its address on each.\n"
		"Examples: ptov 56e000 | ptov runqueues:a | ptov 31980:0,1",
	.run = run_ptov,
};
