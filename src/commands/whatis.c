// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * whatis: what a name is to the compiler: a type, a variable, a function, an enumerator; the type
 * of an expression. And the other way round: which structs have a size, or a member of a type. Of
 * addresses, what is there.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "commands/args.h"
#include "commands/suggest.h"
#include "commands/expression.h"
#include "commands/table.h"
#include "commands/typed.h"
#include "forensics/whatis.h"
#include "kernel/context.h"

enum { OPT_OFFSETS, OPT_SIZE, OPT_MEMBER };

static const struct option whatis_option_table[] = {
	[OPT_OFFSETS] = { "o", false }, [OPT_SIZE] = { "r", true }, [OPT_MEMBER] = { "m", true },
};

static void answer(struct doc *doc, const char *kind, const struct strbuf *text)
{
	doc_field(doc, "kind", NULL, cell_str(kind));
	doc_field(doc, "definition", NULL, cell_str(strbuf_text(text)));
	typed_lines(doc, text);
}

static void declaration(struct doc *doc, const char *kind, struct type type, const char *name)
{
	auto_strbuf text = { 0 };

	type_declare(type, name, &text);
	strbuf_add(&text, ";\n");
	answer(doc, kind, &text);
}

/* "task_struct.mm" */
static bool explain_member(struct types *types, const char *name, struct doc *doc)
{
	const char *dot = strchr(name, '.');
	struct type type;
	struct member m;

	if (!dot)
		return false;
	auto_free char *outer = xstrndup(name, (size_t)(dot - name));
	if (!types_find(types, outer, &type) || !type_find_member(type, dot + 1, &m))
		return false;
	declaration(doc, "member", m.type, m.name);
	return true;
}

static bool explain(struct command_args *args, const char *name, bool offsets)
{
	struct types *types = args->session->types;
	struct doc *doc = args->doc;
	auto_strbuf text = { 0 };
	struct type type;
	int64_t value;

	if (types_find(types, name, &type)) {
		type_format_definition(type, offsets, &text);
		answer(doc, "type", &text);
	} else if (types_variable(types, name, &type)) {
		declaration(doc, "variable", type, name);
	} else if (types_function(types, name, &type)) {
		declaration(doc, "function", type, name);
	} else if (types_enumerator(types, name, &value)) {
		/* Of one of 64 bits only the bits are known here, and not whether it has a sign. */
		strbuf_addf(&text, value < INT32_MIN ? "%s = 0x%" PRIx64 "\n" : "%s = %" PRId64 "\n",
			    name, value);
		answer(doc, "enumerator", &text);
	} else {
		return explain_member(types, name, doc);
	}
	return true;
}

/* --- Structs by what they are like --- */

enum { CHAIN_MAX = 16, NESTING_MAX = 8, MEMBERS_MAX = 20000, FOUND_MAX = 20000 };

static const struct column match_columns[] = {
	{ .key = "size", .title = "SIZE", .right = true },
	{ .key = "type", .title = "TYPE" },
	{ .key = "members" },
};

static const struct column match_member_columns[] = {
	{ .key = "size", .title = "SIZE", .right = true },
	{ .key = "type", .title = "TYPE" },
	{ .key = "members", .title = "MEMBERS" },
};

struct match {
	struct session *session;
	struct doc *doc;
	uint64_t low, high;
	const char *member; /* name of a type; NULL: any */
	enum type_kind tag; /* TYPE_NONE: any */
	bool part;          /* a part of the name is enough */
	unsigned found, visited;
	struct strbuf members; /* of the struct at hand */
};

/* Is @type the one wanted, or a pointer to it, an array of it, ...? */
static bool leads_to(const struct match *m, struct type type)
{
	for (int i = 0; i < CHAIN_MAX; i++) {
		enum type_kind kind = type_kind(type);
		const char *name = type_name(type);
		if ((m->part ? strstr(name, m->member) != NULL : strcmp(name, m->member) == 0) &&
		    (m->tag == TYPE_NONE || m->tag == kind))
			return true;
		if (kind != TYPE_POINTER && kind != TYPE_ARRAY && kind != TYPE_TYPEDEF &&
		    kind != TYPE_QUALIFIER)
			return false;
		type = type_target(type);
	}
	return false;
}

/* Those of structs inside, too; @prefix is the way to them. */
static void match_members(struct match *m, struct type type, const char *prefix, unsigned depth)
{
	struct member member;

	for (unsigned i = 0; m->visited < MEMBERS_MAX && type_member_at(type, i, &member); i++) {
		enum type_kind kind = type_kind(type_strip(member.type));
		m->visited++;
		if (*member.name && leads_to(m, member.type)) {
			strbuf_addf(&m->members, "%s%s%s", m->members.len ? ", " : "", prefix,
				    member.name);
		} else if ((kind == TYPE_STRUCT || kind == TYPE_UNION) && depth < NESTING_MAX) {
			auto_free char *inner = xasprintf("%s%s%s", prefix, member.name,
							  *member.name ? "." : "");
			match_members(m, member.type, inner, depth + 1);
		}
	}
}

static bool match_type(void *ctx, struct type type)
{
	struct match *m = ctx;
	enum type_kind kind = type_kind(type);
	uint64_t size = type_size(type);
	char spelled[256];

	if ((kind != TYPE_STRUCT && kind != TYPE_UNION) || !*type_name(type) ||
	    !type_is_complete(type) || size < m->low || size > m->high)
		return !session_stopped(m->session);
	m->visited = 0;
	strbuf_clear(&m->members);
	if (m->member)
		match_members(m, type, "", 0);
	if (m->member && !m->members.len)
		return !session_stopped(m->session);
	type_spell(type, spelled, sizeof(spelled));
	doc_row(m->doc, cell_udec(size), cell_str(spelled),
		cell_shown(cell_str(m->member ? strbuf_text(&m->members) : NULL),
			   strbuf_text(&m->members)));
	return ++m->found < FOUND_MAX && !session_stopped(m->session);
}

/* "192" or "192-256" */
static struct error *parse_sizes(const char *word, struct match *m)
{
	const char *dash = strchr(word, '-');
	auto_free char *low = xstrndup(word, dash ? (size_t)(dash - word) : strlen(word));

	if (!parse_u64(low, &m->low) || !parse_u64(dash ? dash + 1 : low, &m->high) ||
	    m->low > m->high)
		return error_new(ERROR_USAGE, "%s is neither a size nor a range of sizes", word);
	return NULL;
}

static struct error *find_structs(struct command_args *args, const struct options *o)
{
	static const struct {
		const char *word;
		enum type_kind kind;
	} tags[] = { { "struct ", TYPE_STRUCT }, { "union ", TYPE_UNION }, { "enum ", TYPE_ENUM } };
	struct match m = { .session = args->session, .doc = args->doc, .high = UINT64_MAX };
	struct error *err = NULL;

	if (o->set[OPT_SIZE])
		err = parse_sizes(o->value[OPT_SIZE], &m);
	if (!err && o->word_count && !o->set[OPT_MEMBER])
		err = error_new(ERROR_USAGE, "unexpected word: %s", o->words[0]);
	if (err)
		return err;
	if (o->set[OPT_MEMBER]) {
		m.member = o->value[OPT_MEMBER];
		for (int i = 0; i < o->word_count; i++)
			m.member = arena_printf(&args->doc->arena, "%s %s", m.member, o->words[i]);
		for (size_t i = 0; i < array_size(tags); i++) {
			if (starts_with(m.member, tags[i].word)) {
				m.tag = tags[i].kind;
				m.member += strlen(tags[i].word);
			}
		}
	}
	doc_table(args->doc, "types", m.member ? match_member_columns : match_columns,
		  array_size(match_columns));
	bool any = types_each(args->session->types, match_type, &m);
	if (any && !m.found && m.member) {
		m.part = true;
		(void)types_each(args->session->types, match_type, &m);
	}
	if (!m.found)
		doc_hidden(args->doc);
	doc_end(args->doc);
	strbuf_deinit(&m.members);
	if (!any)
		return error_new(ERROR_MISSING, "only BTF can be searched, and this dump has none");
	if (!m.found)
		return error_new(ERROR_NOT_FOUND, "no struct or union is like that");
	return NULL;
}

/* --- Addresses --- */

enum { WORD_DIGITS_MIN = 8 };

static const struct column place_columns[] = {
	{ .key = "address", .title = "", .style = STYLE_FAINT },
	{ .key = "what", .title = "" },
	{ .key = "kind" },
	{ .key = "start" },
	{ .key = "size" },
	{ .key = "offset" },
	{ .key = "object" },
	{ .key = "type" },
	{ .key = "member" },
	{ .key = "pid" },
	{ .key = "cpu" },
	{ .key = "frame" },
	{ .key = "freed" },
	{ .key = "detail" },
	{ .key = "mapped" },
	{ .key = "writable" },
	{ .key = "executable" },
	{ .key = "in_dump" },
};

/* What the text says of the page tables: only what is out of the ordinary. */
static const char *mapping_note(const struct what *what)
{
	if (what->kind == WHAT_NULL || what->kind == WHAT_ERR_PTR || what->kind == WHAT_POISON ||
	    what->kind == WHAT_NON_CANONICAL)
		return NULL;
	if (what->unmapped)
		return "nothing is mapped there";
	return what->mapped && !what->in_dump ? "its memory is not in the dump" : NULL;
}

static void place_row(struct doc *doc, const struct what *what)
{
	const char *note = mapping_note(what);
	bool known = what->mapped || what->unmapped;
	char shown[32];

	snprintf(shown, sizeof(shown), "%016" PRIx64 ":", what->address);
	doc_row(doc, cell_shown(cell_address(what->address), shown),
		cell_shown(cell_str(*what->text ? what->text : NULL),
			   *what->text ? what->text : "unknown"),
		cell_str(what_kind_name(what->kind)),
		what->start ? cell_address(what->start) : cell_none(),
		what->size ? cell_udec(what->size) : cell_none(),
		what->start ? cell_dec((int64_t)(what->address - what->start)) : cell_none(),
		what->object ? cell_address(what->object) : cell_none(), cell_str(what->type),
		cell_str(*what->member ? what->member : NULL),
		what->pid >= 0 ? cell_dec(what->pid) : cell_none(),
		what->cpu >= 0 ? cell_dec(what->cpu) : cell_none(),
		what->frame >= 0 ? cell_dec(what->frame) : cell_none(), cell_bool(what->freed),
		cell_str(*what->detail ? what->detail : NULL),
		known ? cell_bool(what->mapped) : cell_none(),
		what->permissions_known ? cell_bool(what->writable) : cell_none(),
		what->permissions_known ? cell_bool(what->executable) : cell_none(),
		cell_bool(what->in_dump));
	if (*what->detail)
		doc_textf(doc, STYLE_FAINT, "%19s%s", "", what->detail);
	if (note)
		doc_textf(doc, STYLE_FAINT, "%19s%s", "", note);
}

static void show_places(struct command_args *args, const uint64_t *addresses, size_t count)
{
	const struct task *task = context_task(args->session);
	auto_free struct what *whats = xcalloc(count, sizeof(*whats));

	whatis_many(args->session, task, addresses, count, whats);
	doc_table(args->doc, "places", place_columns, array_size(place_columns));
	doc_bare(args->doc);
	for (size_t i = 0; i < count; i++)
		place_row(args->doc, &whats[i]);
	doc_end(args->doc);
}

/* "0x10", "106", "ffff888001234560": a number whatever is called so. */
static bool is_number(const char *word)
{
	uint64_t value;

	if (*word >= '0' && *word <= '9')
		return parse_hex(word, &value);
	return strlen(word) >= WORD_DIGITS_MIN && parse_hex(word, &value);
}

/* All words are numbers: their places. False when one is not. */
static bool explain_numbers(struct command_args *args, const struct options *options)
{
	auto_free uint64_t *addresses = xcalloc((size_t)options->word_count,
						sizeof(*addresses));

	for (int i = 0; i < options->word_count; i++) {
		if (!is_number(options->words[i]) || !parse_hex(options->words[i], &addresses[i]))
			return false;
	}
	show_places(args, addresses, (size_t)options->word_count);
	return true;
}

/* What @text points to, when it is a pointer or an address and its value can be had. */
static bool explain_pointer(struct command_args *args, const char *text)
{
	uint64_t address;
	struct error *err = parse_address(args->session, text, &address);
	bool good = !err && args->session->arch->is_kernel_address(address);

	if (good)
		show_places(args, &address, 1);
	error_free(err);
	return good;
}

/* --- The command --- */

/* An expression: its type is asked for, nothing is read. */
static struct error *explain_expression(struct command_args *args, const char *text)
{
	auto_strbuf sized = { 0 };
	struct expression x;
	struct value value;
	char spelled[256];

	expression_init(&x, args->session);
	x.env.value.dry = true;
	struct error *err = expression_parse(&x, text);
	if (!err)
		err = expression_eval(&x, &value);
	if (!err && !value.type.source)
		err = error_new(ERROR_NOT_FOUND, "%s is a symbol, but its type is not known", text);
	if (!err) {
		type_spell(value.type, spelled, sizeof(spelled));
		strbuf_addf(&sized, "type = %s\n", spelled);
		answer(args->doc, "expression", &sized);
	}
	expression_deinit(&x);
	return err;
}

/* A name, or else an expression: its type, and where it leads. */
static struct error *explain_words(struct command_args *args, const char *name, bool offsets)
{
	struct session *s = args->session;
	struct error *err = NULL;
	struct symbol symbol;

	doc_record(args->doc, "whatis", NULL);
	doc_field(args->doc, "name", NULL, cell_str(name));
	bool named = explain(args, name, offsets);
	if (!named && s->symbols && symbols_by_name(s->symbols, name, &symbol)) {
		doc_field(args->doc, "kind", NULL, cell_str("symbol"));
		doc_field(args->doc, "definition", NULL, cell_none());
		doc_textf(args->doc, STYLE_PLAIN, "%s is a symbol, but its type is not known", name);
	} else if (!named && strpbrk(name, "()[].*&+-~!<>|^%/@:$")) {
		err = explain_expression(args, name);
	} else if (!named) {
		err = error_new(ERROR_NOT_FOUND, "nothing is called %s%s", name,
				suggest_name(args->session, &args->doc->arena, name));
	}
	doc_end(args->doc);
	/* "runqueues+8" has no type, but is an address. */
	if (!named && explain_pointer(args, name)) {
		error_free(err);
		err = NULL;
	}
	return err;
}

static struct error *run_whatis(struct command_args *args)
{
	struct options options;
	auto_strbuf name = { 0 };

	struct error *err =
		options_parse(args, whatis_option_table, array_size(whatis_option_table), &options);
	if (err)
		return err;
	if (options.set[OPT_SIZE] || options.set[OPT_MEMBER])
		return find_structs(args, &options);
	if (!options.word_count)
		return error_new(ERROR_USAGE, "what is what?");
	if (explain_numbers(args, &options))
		return NULL;
	for (int i = 0; i < options.word_count; i++)
		strbuf_addf(&name, "%s%s", i ? " " : "", options.words[i]);
	return explain_words(args, strbuf_text(&name), options.set[OPT_OFFSETS]);
}

const struct command command_whatis = {
	.name = "whatis",
	.usage = "ADDRESS ... | [-o] NAME | EXPRESSION | [-r SIZE|LOW-HIGH] [-m TYPE]",
	.summary = "what is at an address; what a name is: type, variable, function",
	.help = "Of addresses (numbers, in hexadecimal), what is there: variable, stack and frame, object\n"
		"of a slab cache, page, area. Of a name, what it is to the compiler. Of an expression its\n"
		"type; and where it leads, if it is an address.\n"
		"  -o         with the offsets of members\n"
		"  -r SIZE    structs and unions of a size in bytes, or from one size to another\n"
		"  -m TYPE    those with members of this type, or pointing to it, in structs inside too;\n"
		"             a part of the name will do where nothing is called so\n"
		"Types of variables are known of per-CPU variables and some three hundred others; of all\n"
		"with debug info.\n"
		"Examples: whatis -r 640-648 | whatis -m mm_struct | whatis init_task.mm\n"
		"Examples: whatis ffff888003a41c40 dead000000000122 | whatis &init_task | whatis $rdi\n"
		"Examples: whatis u64 | whatis struct page | whatis vfs_read | whatis jiffies",
	.run = run_whatis,
};

/* --- gdb's ptype --- */

/* The type of a variable or expression, without reading anything. */
static struct error *type_of_text(struct session *s, const char *text, struct type *type)
{
	struct expression x;
	struct value value = { 0 };

	expression_init(&x, s);
	x.env.value.dry = true;
	struct error *err = expression_parse(&x, text);
	if (!err)
		err = expression_eval(&x, &value);
	if (!err && !value.type.source)
		err = error_new(ERROR_NOT_FOUND, "%s is a symbol, but its type is not known", text);
	*type = value.type;
	expression_deinit(&x);
	return err;
}

/* What the struct, union or enum is made of that @type is or leads to; then the type itself. */
static void open_type(struct type type, bool offsets, struct strbuf *out)
{
	struct type bare = type_strip(type);
	char spelled[256];

	for (unsigned i = 0; i < CHAIN_MAX && (type_kind(bare) == TYPE_POINTER ||
					      type_kind(bare) == TYPE_ARRAY); i++)
		bare = type_strip(type_target(bare));
	enum type_kind kind = type_kind(bare);
	if (kind == TYPE_STRUCT || kind == TYPE_UNION || kind == TYPE_ENUM)
		type_format_definition(bare, offsets, out);
	type_spell(type, spelled, sizeof(spelled));
	strbuf_addf(out, "type = %s\n", spelled);
}

static struct error *run_ptype(struct command_args *args)
{
	auto_strbuf text = { 0 }, name = { 0 };
	struct session *s = args->session;
	struct error *err = NULL;
	bool offsets = false;
	struct type type;

	for (int i = 1; i < args->argc; i++) {
		const char *word = args->argv[i];
		if (i == 1 && (strcmp(word, "/o") == 0 || strcmp(word, "-o") == 0))
			offsets = true;
		else
			strbuf_addf(&name, "%s%s", name.len ? " " : "", word);
	}
	if (!name.len)
		return error_new(ERROR_USAGE, "the type of what?");
	doc_record(args->doc, "whatis", NULL);
	doc_field(args->doc, "name", NULL, cell_str(name.data));
	/* As in C, a variable hides a struct of its name. */
	if (types_function(s->types, name.data, &type)) {
		declaration(args->doc, "function", type, name.data);
	} else {
		if (!types_variable(s->types, name.data, &type) &&
		    !types_find(s->types, name.data, &type))
			err = type_of_text(s, name.data, &type);
		if (!err) {
			open_type(type, offsets, &text);
			answer(args->doc, "expression", &text);
		}
	}
	doc_end(args->doc);
	return err;
}

const struct command command_ptype = {
	.name = "ptype",
	.usage = "[/o] TYPE|VARIABLE|FUNCTION|EXPRESSION",
	.summary = "what a type, or the type of an expression, is made of",
	.help = "gdb's: the struct, union or enum that the type is or points to is shown as C has it, then\n"
		"the type's name.\n"
		"  /o   with the offsets of members (ptype/o does, too)\n"
		"Examples: ptype struct list_head * | ptype init_task.mm | ptype/o init_task.tasks",
	.run = run_ptype,
};
