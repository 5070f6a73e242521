// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * writers: which code stores this constant, or writes this member? The code as it is in the dump is
 * searched, so that every module is looked at, with or without debug info.
 */
#include "forensics/writers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands/args.h"
#include "commands/expression.h"
#include "commands/table.h"
#include "commands/typed.h"

enum { OPT_ALL, OPT_FRAME, OPT_MODULES, OPT_MEMBER };

static const struct option writers_option_table[] = {
	[OPT_ALL] = { "a", false }, [OPT_FRAME] = { "f", false },
	[OPT_MODULES] = { "M", false }, [OPT_MEMBER] = { "-member", true },
};

static const struct column store_columns[] = {
	{ .key = "module", .title = "MODULE" },
	{ .key = "tainting" },
	{ .title = "FUNCTION", .style = STYLE_STRONG },
	{ .key = "function" },
	{ .key = "offset" },
	{ .key = "address", .title = "ADDRESS" },
	{ .key = "instruction", .title = "INSTRUCTION" },
	{ .key = "size" },
	{ .key = "source" },
	{ .key = "set_at" },
	{ .key = "base" },
	{ .key = "place" },
	{ .title = "", .style = STYLE_FAINT },
};

struct writers_run {
	struct command_args *args;
	struct session *session;
	struct options options;
	struct store_wish wish;
	struct type type;    /* with --member */
	uint64_t offset;     /* of the member */
	char spelled[128];   /* of the type */
	size_t shown, in_frame, unknown, other, in_kernel;
};

static const char *source_word(const struct writer *w)
{
	static const char *const words[] = {
		[STORE_OTHER] = "other", [STORE_CONSTANT] = "constant",
		[STORE_REGISTER] = "register", [STORE_CHANGE] = "change",
	};

	return words[w->store.source];
}

static void add_writer(struct writers_run *run, const struct writer *w, enum writer_base base,
		       const char *place)
{
	static const char *const bases[] = {
		[BASE_UNKNOWN] = "unknown", [BASE_OTHER] = "other", [BASE_POSSIBLE] = "possible",
		[BASE_EXACT] = "exact",
	};
	struct session *s = run->session;
	char text[192], shown[300], note[320] = "", module[96];
	struct symbol symbol = { 0 };
	bool tainting = module_suspicion(s, w->module) == 0;

	bool named = symbols_by_address(s->symbols, w->pc, &symbol);
	instruction_text(s, w->pc, text, sizeof(text));
	if (named)
		snprintf(shown, sizeof(shown), "%s+0x%" PRIx64, symbol.name,
			 w->pc - symbol.address);
	snprintf(module, sizeof(module), "%s%s", w->module ? w->module->name : "kernel",
		 tainting ? " (taints)" : "");
	if (w->set_at)
		snprintf(note, sizeof(note), "set at +0x%" PRIx64, w->set_at - w->function);
	else if (run->options.set[OPT_MEMBER])
		snprintf(note, sizeof(note), "%s",
			 *place ? place
			 : base == BASE_POSSIBLE
				 ? "exact base unknown: the function takes such a pointer"
				 : "exact base unknown");
	doc_row(run->args->doc,
		cell_shown(cell_str(w->module ? w->module->name : NULL), module),
		cell_bool(tainting), cell_shown(cell_none(), named ? shown : "?"),
		cell_str(named ? symbol.name : NULL),
		named ? cell_udec(w->pc - symbol.address) : cell_none(), cell_address(w->pc),
		cell_str(text), cell_udec(w->store.memory.size), cell_str(source_word(w)),
		w->set_at ? cell_address(w->set_at) : cell_none(),
		run->options.set[OPT_MEMBER] ? cell_str(bases[base]) : cell_none(),
		cell_str(*place ? place : NULL), cell_str(note));
	if (tainting)
		doc_row_style(run->args->doc, STYLE_BAD);
	run->shown++;
}

static void add_writers(struct writers_run *run, const struct writers *found)
{
	const struct options *o = &run->options;

	doc_table(run->args->doc, "stores", store_columns, array_size(store_columns));
	for (size_t i = 0; i < found->count; i++) {
		const struct writer *w = &found->data[i];
		enum writer_base base = BASE_UNKNOWN;
		char place[256] = "";
		if (session_stopped(run->session))
			break;
		if (w->in_frame && !o->set[OPT_FRAME]) {
			run->in_frame++;
			continue;
		}
		if (!w->module && o->set[OPT_MODULES]) {
			run->in_kernel++;
			continue;
		}
		if (o->set[OPT_MEMBER])
			base = writer_base(run->session, w, run->type, run->offset, place,
					   sizeof(place));
		if (o->set[OPT_MEMBER] && base < BASE_POSSIBLE && !o->set[OPT_ALL]) {
			run->unknown += base == BASE_UNKNOWN;
			run->other += base == BASE_OTHER;
			continue;
		}
		add_writer(run, w, base, place);
	}
	doc_end(run->args->doc);
}

static void add_remarks(struct writers_run *run, const struct writers *found)
{
	struct doc *doc = run->args->doc;

	if (run->unknown + run->other)
		doc_remark(doc, REMARK_NOTE, "more stores at this offset: %zu to other types, %zu in "
			   "functions that take no %s * (-a shows them)", run->other, run->unknown,
			   run->spelled);
	if (run->in_frame)
		doc_remark(doc, REMARK_NOTE, "%zu stores into the functions' own stack frames are "
			   "left out: -f shows them", run->in_frame);
	if (run->in_kernel)
		doc_remark(doc, REMARK_NOTE, "%zu stores by the kernel itself are left out (-M)",
			   run->in_kernel);
	if (found->scan.holes)
		doc_remark(doc, REMARK_HOLE, "%" PRIu64 " bytes of code are not in the dump",
			   found->scan.holes);
	if (!found->scan.functions)
		doc_remark(doc, REMARK_HOLE, "no code is known: there are no symbols");
	else if (!run->shown && !found->interrupted)
		doc_remark(doc, REMARK_NOTE, "no code stores that");
}

static struct error *parse_member(struct writers_run *run, const char *word)
{
	static const char *const tags[] = { "struct ", "union ", "" };
	struct types *types = run->session->types;
	struct member member;
	size_t length = strcspn(word, ".");
	bool found = false;

	if (!length || !word[length])
		return error_new(ERROR_USAGE, "--member wants TYPE.MEMBER");
	auto_free char *name = xstrndup(word, length);
	for (size_t i = 0; i < array_size(tags) && !found; i++) {
		auto_free char *tagged = xasprintf("%s%s", tags[i], name);
		found = types_find(types, tagged, &run->type) && type_is_complete(run->type);
	}
	if (!found)
		return typed_not_found(run->session, name);
	type_spell(run->type, run->spelled, sizeof(run->spelled));
	run->type = type_strip(run->type);
	if (!type_find_member(run->type, word + length + 1, &member))
		return error_new(ERROR_NOT_FOUND, "%s has no member %s", run->spelled,
				 word + length + 1);
	run->offset = member.offset;
	run->wish.has_displacement = true;
	run->wish.low = (int64_t)member.offset;
	run->wish.high = (int64_t)(member.offset + (member.size ? member.size : 1));
	return NULL;
}

/* [VALUE [OFFSET]], of which with --member OFFSET is given by the type. */
static struct error *parse_words(struct writers_run *run)
{
	const struct options *o = &run->options;
	uint64_t offset;
	struct error *err = NULL;

	if (o->set[OPT_MEMBER])
		err = parse_member(run, o->value[OPT_MEMBER]);
	if (err)
		return err;
	if (o->word_count > (o->set[OPT_MEMBER] ? 1 : 2))
		return error_new(ERROR_USAGE, "too many words");
	if (!o->word_count && !o->set[OPT_MEMBER])
		return error_new(ERROR_USAGE, "which value?");
	if (o->word_count) {
		err = expression_address(run->session, o->words[0], &run->wish.value);
		run->wish.has_value = true;
	}
	if (err || o->word_count < 2)
		return err;
	err = expression_address(run->session, o->words[1], &offset);
	if (err)
		return err;
	run->wish.has_displacement = true;
	run->wish.low = (int64_t)offset;
	run->wish.high = run->wish.low + 1;
	return NULL;
}

static struct error *run_writers(struct command_args *args)
{
	struct writers_run run = { .args = args, .session = args->session };
	struct writers found;

	struct error *err = options_parse(args, writers_option_table,
					  array_size(writers_option_table), &run.options);
	if (!err)
		err = parse_words(&run);
	if (err)
		return err;
	writers_find(run.session, &run.wish, &found);
	add_writers(&run, &found);
	doc_record(args->doc, "searched", NULL);
	doc_hidden(args->doc);
	doc_field(args->doc, "functions", NULL, cell_udec(found.scan.functions));
	doc_field(args->doc, "bytes", NULL, cell_udec(found.scan.bytes));
	doc_field(args->doc, "missing_bytes", NULL, cell_udec(found.scan.holes));
	doc_end(args->doc);
	add_remarks(&run, &found);
	writers_deinit(&found);
	return NULL;
}

const struct command command_writers = {
	.name = "writers",
	.usage = "[-f] [-M] VALUE [OFFSET] | [-a] [-f] [-M] --member TYPE.MEMBER [VALUE]",
	.summary = "code that stores a value, or writes a member",
	.help = "Searches the code of the kernel and of all modules for instructions that store the\n"
		"constant VALUE, with OFFSET only at this distance from a pointer, or that write TYPE's\n"
		"MEMBER. VALUE may be any expression; a store of any size counts that leaves VALUE.\n"
		"Modules that taint the kernel come first, then other modules.\n"
		"  --member  stores at the member's offset by a pointer to TYPE, as far as value flow\n"
		"            from parameters and members tells; where it does not, those in functions\n"
		"            that take such a pointer\n"
		"  -a        with --member: all stores at that offset\n"
		"  -f        stores relative to the stack pointer as well: local variables\n"
		"  -M        modules only\n"
		"A store by a pointer into the middle of the object has another offset, and a computed\n"
		"value is no constant: neither is found.\n"
		"Examples: writers 0x106 | writers 0x106 0x180 | writers --member sk_buff.head",
	.run = run_writers,
};
