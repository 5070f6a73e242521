// SPDX-License-Identifier: LGPL-2.1-or-later
/* textcheck: is the code in the dump the code that was built? */
#include "forensics/text_check.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/vec.h"
#include "commands/args.h"
#include "commands/table.h"

static const struct column columns[] = {
	{ .key = "place", .title = "WHERE", .style = STYLE_STRONG },
	{ .key = "address", .title = "ADDRESS" },
	{ .key = "bits", .title = "BITS", .right = true },
	{ .key = "file", .title = "IN THE FILE" },
	{ .key = "dump", .title = "IN THE DUMP" },
	{ .key = "was" },
	{ .key = "is" },
	{ .key = "probed" },
	{ .title = "", .style = STYLE_FAINT },
};

static void hex(const uint8_t *bytes, size_t size, char *buf, size_t buf_size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < size && n + 4 < buf_size; i++)
		n += (size_t)snprintf(buf + n, buf_size - n, "%s%02x", i ? " " : "", bytes[i]);
}

static void add_difference(struct command_args *args, const struct text_difference *d)
{
	char place[256], file[64], dump[64], was[160] = "(bad)", is[160] = "(bad)", note[400];

	address_name(args->session, d->address, place, sizeof(place));
	hex(d->file, d->size, file, sizeof(file));
	hex(d->dump, d->size, dump, sizeof(dump));
	code_format(d->file, d->size, d->address, NULL, NULL, was, sizeof(was));
	code_format(d->dump, d->size, d->address, NULL, NULL, is, sizeof(is));
	if (d->probed)
		snprintf(note, sizeof(note), "a kprobe");
	else if (d->bits == 1)
		snprintf(note, sizeof(note), "one bit: %u of the byte at +%u; was: %s", d->bit % 8,
			 d->bit / 8, was);
	else
		snprintf(note, sizeof(note), "was: %s", was);
	doc_row(args->doc, cell_str(place), cell_address(d->address), cell_udec(d->bits),
		cell_str(file), cell_str(dump), cell_str(was), cell_str(is), cell_bool(d->probed),
		cell_str(note));
	if (!d->probed)
		doc_row_style(args->doc, STYLE_BAD);
}

static void add_summary(struct doc *doc, const struct text_check *check)
{
	doc_record(doc, "compared", NULL);
	doc_hidden(doc);
	doc_field(doc, "functions", NULL, cell_udec(check->functions));
	doc_field(doc, "bytes", NULL, cell_udec(check->bytes));
	doc_field(doc, "missing_bytes", NULL, cell_udec(check->holes));
	doc_end(doc);
	if (check->why) {
		doc_remark(doc, REMARK_HOLE, "nothing can be compared: %s (give the kernel's vmlinux with "
			   "-k)", check->why);
		return;
	}
	if (check->holes)
		doc_remark(doc, REMARK_HOLE, "%" PRIu64 " bytes of code are not in the dump",
			   check->holes);
	if (check->left_out)
		doc_remark(doc, REMARK_NOTE, "%zu more differences are left out", check->left_out);
	doc_remark(doc, REMARK_NOTE, "%zu functions, %" PRIu64 " bytes of code compared with the file: %s",
		   check->functions, check->bytes,
		   check->count ? "they differ where the kernel patches nothing by itself"
				: "they are as they were built, or as the kernel patches itself");
}

static struct error *run_textcheck(struct command_args *args)
{
	struct {
		vec_fields(uint64_t);
	} functions = { 0 };
	struct text_check check = { 0 };
	struct options options;

	struct error *err = options_parse(args, NULL, 0, &options);
	for (int i = 0; !err && i < options.word_count; i++) {
		uint64_t address;
		err = parse_address(args->session, options.words[i], &address);
		if (!err)
			vec_push(&functions, address);
	}
	if (!err && functions.count)
		text_check_functions(args->session, functions.data, functions.count, &check);
	else if (!err)
		text_check_all(args->session, &check);
	vec_deinit(&functions);
	if (err) {
		text_check_deinit(&check);
		return err;
	}
	doc_table(args->doc, "differences", columns, array_size(columns));
	for (size_t i = 0; i < check.count; i++)
		add_difference(args, &check.data[i]);
	doc_end(args->doc);
	add_summary(args->doc, &check);
	text_check_deinit(&check);
	return NULL;
}

const struct command command_textcheck = {
	.name = "textcheck",
	.usage = "[FUNCTION|ADDRESS ...]",
	.summary = "is the code in the dump the code that was built?",
	.help = "Compares the code of these functions, or all code, with the kernel's file (-k FILE: a\n"
		"vmlinux of the same build) and the modules' files, where there are any.\n"
		"What the kernel patches by itself (alternatives, ftrace, jump labels, static calls,\n"
		"retpolines ...) does not count. One bit that differs is most likely failing memory;\n"
		"more is a probe, a live patch, or somebody who wrote to code.\n"
		"Examples: textcheck | textcheck vfs_write do_syscall_64",
	.run = run_textcheck,
};
