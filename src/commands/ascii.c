// SPDX-License-Identifier: LGPL-2.1-or-later
/* ascii: what text the bytes of a number are, lowest first as in memory; without one, the chart. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "commands/args.h"
#include "commands/table.h"

static const struct column value_columns[] = {
	{ .key = "value", .title = "", .gap = 1 },
	{ .key = "text", .title = "" },
};

static const char *const control_names[] = {
	"NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "HT", "LF",
	"VT",  "FF",  "CR",  "SO",  "SI",  "DLE", "DC1", "DC2", "DC3", "DC4", "NAK",
	"SYN", "ETB", "CAN", "EM",  "SUB", "ESC", "FS",  "GS",  "RS",  "US",
};

static const char *character_name(struct arena *arena, unsigned code)
{
	if (code < array_size(control_names))
		return control_names[code];
	if (code == ' ')
		return "SP";
	return code == 0x7f ? "DEL" : arena_printf(arena, "%c", (int)code);
}

static void show_chart(struct doc *doc)
{
	static const struct column columns[] = {
		{ .title = "" },
		{ .title = "0", .right = true }, { .title = "1", .right = true },
		{ .title = "2", .right = true }, { .title = "3", .right = true },
		{ .title = "4", .right = true }, { .title = "5", .right = true },
		{ .title = "6", .right = true }, { .title = "7", .right = true },
	};
	static const struct column code_columns[] = { { .key = "code" }, { .key = "name" } };

	doc_table(doc, NULL, columns, array_size(columns));
	for (unsigned low = 0; low < 16; low++) {
		struct cell cells[9] = { cell_str(arena_printf(&doc->arena, "%X", low)) };
		for (unsigned high = 0; high < 8; high++)
			cells[high + 1] = cell_str(character_name(&doc->arena, high << 4 | low));
		doc_row_array(doc, cells);
	}
	doc_end(doc);
	doc_table(doc, "characters", code_columns, array_size(code_columns));
	doc_hidden(doc);
	for (unsigned code = 0; code < 0x80; code++)
		doc_row(doc, cell_udec(code), cell_str(character_name(&doc->arena, code)));
	doc_end(doc);
}

static struct error *show_value(struct doc *doc, const char *word)
{
	char text[9] = "", shown[24];
	uint64_t value;

	if (!parse_hex(word, &value))
		return error_new(ERROR_USAGE, "%s is no hexadecimal number of up to 64 bits", word);
	for (unsigned i = 0; i < 8; i++) {
		uint8_t byte = (uint8_t)(value >> 8 * i);
		text[i] = byte >= ' ' && byte < 0x7f ? (char)byte : '.';
		if (!(value >> 8 * i))
			text[i] = '\0';
	}
	snprintf(shown, sizeof(shown), "%0*" PRIx64 ":", value >> 32 ? 16 : 8, value);
	doc_row(doc, cell_shown(cell_hex(value), shown), cell_str(text));
	return NULL;
}

static struct error *run_ascii(struct command_args *args)
{
	struct error *err = NULL;

	if (args->argc < 2) {
		show_chart(args->doc);
		return NULL;
	}
	doc_table(args->doc, "values", value_columns, array_size(value_columns));
	doc_bare(args->doc);
	for (int i = 1; !err && i < args->argc; i++)
		err = show_value(args->doc, args->argv[i]);
	doc_end(args->doc);
	return err;
}

const struct command command_ascii = {
	.name = "ascii",
	.usage = "[VALUE ...]",
	.summary = "the text that the bytes of a number are; or the ASCII chart",
	.help = "Values are hexadecimal, of up to 64 bits; their lowest byte comes first, as in memory.\n"
		"What cannot be printed is a dot. Without a value the chart is shown.\n"
		"Examples: ascii 62696c2f7273752f | ascii",
	.needs_no_dump = true,
	.run = run_ascii,
};
