// SPDX-License-Identifier: LGPL-2.1-or-later
/* sys -c, -i and config: the system calls, the DMI strings, how the kernel was built. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "commands/args.h"
#include "commands/source.h"
#include "commands/sys.h"
#include "kernel/config.h"
#include "kernel/context.h"
#include "kernel/machine.h"

enum { CALLS_MAX = 1024 };

/* "read" of "__x64_sys_read", "__arm64_sys_read", "sys_read"; the symbol itself when it is none. */
static const char *call_name(const char *symbol)
{
	const char *found = strstr(symbol, "sys_");

	return found && (found == symbol || found[-1] == '_') ? found + 4 : symbol;
}

static bool call_wanted(const struct options *options, uint64_t number, const char *symbol)
{
	uint64_t wanted;

	for (int i = 0; i < options->word_count; i++) {
		const char *word = options->words[i];
		if (parse_u64(word, &wanted) ? wanted == number : strstr(symbol, word) != NULL)
			return true;
	}
	return !options->word_count;
}

static void add_call(struct command_args *args, uint64_t number, uint64_t entry,
		     const char *symbol)
{
	struct session *s = args->session;
	bool hex = context_is_hex(s, false, false);
	const struct module *module = symbols_module_of(s->symbols, entry);
	bool text = symbols_is_text(s->symbols, entry);
	auto_strbuf place = { 0 };
	char shown[24];

	source_place(s, entry, &place);
	snprintf(shown, sizeof(shown), hex ? "%" PRIx64 : "%" PRIu64, number);
	doc_row(args->doc, cell_shown(cell_udec(number), shown), cell_address(entry),
		cell_str(call_name(symbol)), cell_str(symbol),
		place.len ? cell_str(place.data) : cell_shown(cell_none(), ""),
		cell_bool(text && !module));
	/* No module of the kernel's own puts itself there. */
	if (!text || module)
		doc_row_style(args->doc, STYLE_BAD);
}

struct error *sys_calls(struct command_args *args, const struct options *options)
{
	static const struct column columns[] = {
		{ .key = "number", .title = "NUM", .right = true },
		{ .key = "address" },
		{ .key = "name" },
		{ .key = "symbol", .title = "SYSTEM CALL", .style = STYLE_STRONG },
		{ .key = "place", .title = "FILE AND LINE" },
		{ .key = "kernel_text" },
	};
	struct session *s = args->session;
	struct symbol table;
	size_t shown = 0, foreign = 0;
	bool hole = false;

	if (!s->symbols || !symbols_by_name(s->symbols, "sys_call_table", &table))
		return error_new(ERROR_MISSING, "sys_call_table is not known");
	uint64_t count = table.size / 8 < CALLS_MAX ? table.size / 8 : CALLS_MAX;
	doc_table(args->doc, "calls", columns, array_size(columns));
	for (uint64_t i = 0; i < count; i++) {
		uint64_t entry;
		char symbol[256];
		hole = memory_u64(s->memory, table.address + i * 8, &entry) != READ_OK;
		if (hole) {
			doc_remark(args->doc, REMARK_HOLE, "the table of system calls is not in the "
				   "dump from number %" PRIu64 " on", i);
			break;
		}
		/* What is behind the table's end, up to the next symbol, is no code. */
		if (!s->arch->is_kernel_address(entry))
			break;
		address_name(s, entry, symbol, sizeof(symbol));
		if (!call_wanted(options, i, symbol))
			continue;
		add_call(args, i, entry, symbol);
		foreign += !symbols_is_text(s->symbols, entry) ||
			   symbols_module_of(s->symbols, entry) != NULL;
		shown++;
	}
	doc_end(args->doc);
	if (foreign)
		doc_remark(args->doc, REMARK_NOTE, "%zu system call%s not lead into the kernel's own "
			   "code", foreign, foreign == 1 ? " does" : "s do");
	return shown || hole ? NULL
			     : error_new(ERROR_NOT_FOUND, "there is no such system call");
}

struct error *sys_dmi(struct command_args *args)
{
	static const struct column columns[] = {
		{ .key = "field", .title = "", .right = true },
		{ .key = "value", .title = "", .style = STYLE_STRONG },
	};
	struct session *s = args->session;
	struct type fields;
	const char *name;
	int64_t value;
	size_t shown = 0, lost = 0;

	if (!types_find(s->types, "enum dmi_field", &fields))
		return error_new(ERROR_MISSING, "the names of DMI strings (enum dmi_field) are not "
				 "known");
	doc_table(args->doc, "dmi", columns, array_size(columns));
	doc_bare(args->doc);
	for (unsigned i = 0; type_enumerator_at(fields, i, &name, &value); i++) {
		char text[256];
		if (strcmp(name, "DMI_STRING_MAX") == 0)
			break;
		enum dmi_found found = dmi_string(s, name, text, sizeof(text));
		if (found == DMI_KNOWN)
			doc_row(args->doc, cell_str(name), cell_str(text));
		shown += found == DMI_KNOWN;
		lost += found == DMI_HOLE;
	}
	doc_end(args->doc);
	if (lost)
		doc_remark(args->doc, REMARK_HOLE, "%zu DMI string%s not in the dump", lost,
			   lost == 1 ? " is" : "s are");
	return shown || lost ? NULL : error_new(ERROR_MISSING, "the kernel kept no DMI strings");
}

/* The options whose names are asked for, of a .config of lines that end with NUL or newline. */
static size_t add_options(struct command_args *args, const struct config_text *text,
			  const struct options *options)
{
	static const char unset[] = " is not set";
	size_t shown = 0;

	for (size_t at = 0; at < text->size;) {
		const char *line = text->data + at;
		size_t length = strcspn(line, "\n");
		at += length + 1;
		bool off = length > 2 && line[0] == '#' && starts_with(line + 2, "CONFIG_");
		const char *start = off ? line + 2 : line;
		size_t name_length = strcspn(start, "= \n");
		if (!starts_with(start, "CONFIG_") ||
		    !starts_with(start + name_length, off ? unset : "="))
			continue;
		auto_free char *name = xstrndup(start, name_length);
		bool wanted = options->word_count <= 1;
		for (int i = 1; i < options->word_count; i++)
			wanted |= glob_match(options->words[i], name) ||
				  glob_match(options->words[i], name + strlen("CONFIG_"));
		if (!wanted)
			continue;
		auto_free char *shown_line = xstrndup(line, length);
		const char *value = shown_line + (start - line) + name_length + 1;
		doc_row(args->doc, cell_shown(cell_str(name), shown_line),
			off ? cell_none() : cell_str(value));
		shown++;
	}
	return shown;
}

struct error *sys_config(struct command_args *args, const struct options *options,
			 const char *file)
{
	static const struct column columns[] = {
		{ .key = "name", .title = "" },
		{ .key = "value" },
	};
	struct config_text text = { 0 };
	const char *source = NULL;
	struct error *err = kernel_config_text(args->session, file, &args->doc->arena, &text,
					       &source);

	if (err)
		return err;
	doc_field(args->doc, "config_source", NULL, cell_str(source));
	doc_table(args->doc, "config", columns, array_size(columns));
	doc_bare(args->doc);
	size_t shown = add_options(args, &text, options);
	doc_end(args->doc);
	if (strcmp(source, "the dump") != 0)
		doc_remark(args->doc, REMARK_NOTE, "from %s: this kernel does not carry its own "
			   "configuration (CONFIG_IKCONFIG)", source);
	return shown ? NULL : error_new(ERROR_NOT_FOUND, "the configuration has no such option");
}
