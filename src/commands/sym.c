// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * sym: names into addresses and addresses into names. One name can belong to several static
 * functions: all of them are shown, so that nobody looks at the wrong one unknowingly.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "commands/args.h"
#include "commands/source.h"
#include "commands/table.h"
#include "kernel/text.h"

enum { OPT_LIST, OPT_QUERY, OPT_MODULE, OPT_MODULES, OPT_BEFORE, OPT_BEHIND };

static const struct option sym_option_table[] = {
	[OPT_LIST] = { "l", false }, [OPT_QUERY] = { "q", true }, [OPT_MODULE] = { "m", true },
	[OPT_MODULES] = { "M", false }, [OPT_BEFORE] = { "p", false }, [OPT_BEHIND] = { "n", false },
};

static const struct column sym_columns[] = {
	{ .key = "address", .title = "", .gap = 1 },
	{ .key = "type", .title = "", .gap = 1 },
	{ .key = "name", .title = "" },
	{ .key = "module", .title = NULL },
	{ .key = "offset" },
	{ .key = "size" },
	{ .key = "file" },
	{ .key = "line" },
	{ .title = "", .style = STYLE_FAINT },
};

struct sym_run {
	struct command_args *args;
	struct options options;
	bool lines;       /* with source lines: not for thousands */
	const char *name; /* exactly this one; NULL: by the options */
	size_t found;
};

static void add_symbol(struct sym_run *run, const struct symbol *symbol, uint64_t address)
{
	uint64_t offset = address - symbol->address;
	auto_strbuf shown = { 0 }, place = { 0 };
	struct source_line at;
	char type[2] = { symbol->type, '\0' }, shown_type[8];

	strbuf_add(&shown, symbol->name);
	if (offset)
		strbuf_addf(&shown, "+0x%" PRIx64, offset);
	if (symbol->module)
		strbuf_addf(&shown, " [%s]", symbol->module->name);
	bool lines = run->lines && debuginfo_line(run->args->session->debuginfo, address, &at);
	if (lines)
		source_place(run->args->session, address, &place);
	snprintf(shown_type, sizeof(shown_type), "(%c)", symbol->type ? symbol->type : '?');
	doc_row(run->args->doc,
		text_is_made_up(run->args->session, address) ? cell_shown(cell_none(), "-")
							     : cell_address(address),
		cell_shown(cell_str(symbol->type ? type : NULL), shown_type),
		cell_shown(cell_str(symbol->name), shown.data),
		cell_str(symbol->module ? symbol->module->name : NULL), cell_udec(offset),
		symbol->size ? cell_udec(symbol->size) : cell_none(),
		cell_str(lines ? at.file : NULL), lines ? cell_udec(at.line) : cell_none(),
		cell_str(strbuf_text(&place)));
	run->found++;
}

static bool wanted(const struct sym_run *run, const struct symbol *symbol)
{
	const struct options *o = &run->options;

	if (run->name)
		return strcmp(symbol->name, run->name) == 0;
	if (o->set[OPT_QUERY] && !strstr(symbol->name, o->value[OPT_QUERY]))
		return false;
	if (o->set[OPT_MODULES] && !symbol->module)
		return false;
	if (o->set[OPT_MODULE] &&
	    (!symbol->module || strcmp(symbol->module->name, o->value[OPT_MODULE]) != 0))
		return false;
	return true;
}

static bool each_symbol(void *ctx, const struct symbol *symbol)
{
	struct sym_run *run = ctx;

	if (wanted(run, symbol))
		add_symbol(run, symbol, symbol->address);
	return !session_stopped(run->args->session);
}

/* The symbols before and behind one, of those in the order of addresses. */
struct neighbours {
	uint64_t address;
	bool before_found, behind_found;
	struct symbol before, behind;
	char before_name[512], behind_name[512]; /* what symbols_each() gives does not last */
};

static void keep(struct symbol *kept, char *name, size_t size, const struct symbol *symbol)
{
	snprintf(name, size, "%s", symbol->name);
	*kept = *symbol;
	kept->name = name;
}

static bool find_neighbour(void *ctx, const struct symbol *symbol)
{
	struct neighbours *n = ctx;

	if (symbol->address < n->address &&
	    (!n->before_found || symbol->address >= n->before.address)) {
		n->before_found = true;
		keep(&n->before, n->before_name, sizeof(n->before_name), symbol);
	} else if (symbol->address > n->address &&
		   (!n->behind_found || symbol->address < n->behind.address)) {
		n->behind_found = true;
		keep(&n->behind, n->behind_name, sizeof(n->behind_name), symbol);
	}
	return true;
}

/* One found symbol, with -p and -n between its neighbours. */
static void add_found(struct sym_run *run, const struct symbol *symbol, uint64_t address)
{
	bool before = run->options.set[OPT_BEFORE], behind = run->options.set[OPT_BEHIND];
	struct neighbours n = { .address = symbol->address };

	if (before || behind)
		symbols_each(run->args->session->symbols, find_neighbour, &n);
	if (before && n.before_found)
		add_symbol(run, &n.before, n.before.address);
	add_symbol(run, symbol, address);
	if (behind && n.behind_found)
		add_symbol(run, &n.behind, n.behind.address);
}

static struct error *show_address(struct sym_run *run, uint64_t address)
{
	struct symbol symbol;

	if (!symbols_by_address(run->args->session->symbols, address, &symbol))
		return error_new(ERROR_NOT_FOUND, "no symbol covers %" PRIx64, address);
	add_found(run, &symbol, address);
	return NULL;
}

/* All symbols called @word; else what it means as an address expression. */
static struct error *show_word(struct sym_run *run, const char *word)
{
	struct session *s = run->args->session;
	size_t before = run->found;
	struct symbol symbol;
	uint64_t address;

	if (symbols_by_name(s->symbols, word, &symbol)) {
		if (strchr(word, ':')) {
			add_symbol(run, &symbol, symbol.address);
			return NULL;
		}
		run->name = word;
		if (run->options.set[OPT_BEFORE] || run->options.set[OPT_BEHIND]) {
			add_found(run, &symbol, symbol.address);
			return NULL;
		}
		symbols_each(s->symbols, each_symbol, run);
		if (run->found == before)
			add_symbol(run, &symbol, symbol.address);
		return NULL;
	}
	struct error *err = parse_address(s, word, &address);
	return err ? err : show_address(run, address);
}

static struct error *show_words(struct sym_run *run)
{
	for (int i = 0; i < run->options.word_count; i++) {
		struct error *err = show_word(run, run->options.words[i]);
		if (err && run->options.word_count == 1)
			return err;
		if (err)
			doc_remark(run->args->doc, REMARK_ERROR, "%s", err->message);
		error_free(err);
	}
	return NULL;
}

static struct error *run_sym(struct command_args *args)
{
	struct sym_run run = { .args = args };
	struct options *o = &run.options;

	struct error *err = options_parse(args, sym_option_table, array_size(sym_option_table), o);
	if (err)
		return err;
	bool list = o->set[OPT_LIST] || o->set[OPT_QUERY] || o->set[OPT_MODULE] ||
		    o->set[OPT_MODULES];
	if (!list && !o->word_count)
		return error_new(ERROR_USAGE, "which symbol or address?");
	if (!args->session->symbols)
		return error_new(ERROR_MISSING, "there are no symbols");
	doc_table(args->doc, "symbols", sym_columns, array_size(sym_columns));
	doc_bare(args->doc);
	if (list)
		symbols_each(args->session->symbols, each_symbol, &run);
	run.lines = true;
	err = show_words(&run);
	doc_end(args->doc);
	if (!err && list && !run.found)
		err = error_new(ERROR_NOT_FOUND, "no symbol matches");
	return err;
}

const struct command command_sym = {
	.name = "sym",
	.usage = "[-l] [-M] [-m MODULE] [-q STRING] [-p] [-n] [NAME|ADDRESS ...]",
	.summary = "symbols: name to address, address to name",
	.help = "Every symbol of that name, or the symbol that covers the address. \"module:name\" asks\n"
		"for the one of a module.\n"
		"  -l         all symbols\n"
		"  -M         all symbols of modules\n"
		"  -m MODULE  all symbols of one module\n"
		"  -q STRING  symbols whose name contains STRING\n"
		"  -p, -n     with the symbol before, the symbol behind\n"
		"Columns: address, type as nm prints it, name + offset, [module], and the\n"
		"source line where there is debug info.\n"
		"Examples: sym jiffies | sym schedule+0x20 | sym -q sysrq_ | sym -np jiffies",
	.run = run_sym,
};
