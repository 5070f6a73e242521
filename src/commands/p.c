// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * p, px, pd: the value of a C expression, once or for each of several CPUs. The expression is taken
 * from the line as it was typed, since quotes belong to C here.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "commands/args.h"
#include "commands/expression.h"
#include "commands/table.h"
#include "commands/typed.h"
#include "kernel/context.h"
#include "kernel/cpus.h"
#include "kernel/meaning.h"

enum { TEXT_MAX = 1024 };

struct print {
	struct command_args *args;
	struct expression x;
	struct page_root root;
	bool hex, decimal, user;
	char letter; /* gdb's p/LETTER */
	const char *text;
	struct strbuf out; /* all values */
};

/* --- The line --- */

/* gdb's "/x" and the like. False: it is none. */
static bool take_letter(struct print *p, const char **s)
{
	const char *at = *s;

	if (*at != '/' || !at[1] || (at[2] && !isspace((unsigned char)at[2])) ||
	    !strchr("xduotzcasfr", at[1]))
		return false;
	/* These show what there is anyway. */
	p->letter = strchr("sfr", at[1]) ? '\0' : at[1];
	*s = at + 2;
	return true;
}

/* "-x", "-xu" ... in front; and gdb's "/x". Moves *@s behind. */
static void take_options(struct print *p, const char **s)
{
	for (;;) {
		const char *at = *s + strspn(*s, " \t");
		size_t length = *at == '-' ? strspn(at + 1, "xdu") : 0;
		*s = at;
		if (take_letter(p, s))
			continue;
		if (!length || (at[length + 1] && !isspace((unsigned char)at[length + 1])))
			return;
		for (size_t i = 1; i <= length; i++) {
			p->user |= at[i] == 'u';
			if (at[i] != 'u') {
				p->hex = at[i] == 'x';
				p->decimal = !p->hex;
			}
		}
		*s = at + length + 1;
	}
}

/* 'whole expression': as for a shell. A single character in quotes is C's. */
static char *unquoted(struct arena *arena, const char *s)
{
	size_t length = strlen(s);

	while (length && isspace((unsigned char)s[length - 1]))
		length--;
	if (length > 4 && s[0] == '\'' && s[length - 1] == '\'' && s[1] != '\\' &&
	    !memchr(s + 1, '\'', length - 2))
		return arena_strndup(arena, s + 1, length - 2);
	return arena_strndup(arena, s, length);
}

/* --- Values --- */

/* A function, or a symbol of unknown type: where it is. */
static struct error *show_place(struct print *p, const char *label, const struct value *value)
{
	struct doc *doc = p->args->doc;
	bool is_text = value->type.source != NULL ||
		       symbols_is_text(p->args->session->symbols, value->address);
	auto_strbuf text = { 0 };
	char name[256], type[256] = "?";

	if (!is_text)
		return error_new(ERROR_NOT_FOUND,
				 "%s is at %" PRIx64 ", but its type is not known; say it: "
				 "*(TYPE *)&%s", value->symbol, value->address, value->symbol);
	if (value->type.source)
		type_spell(value->type, type, sizeof(type));
	address_name(p->args->session, value->address, name, sizeof(name));
	strbuf_addf(&text, "%s = {%s} 0x%" PRIx64 " <%s>\n", label, type, value->address, name);
	doc_field(doc, "type", NULL, value->type.source ? cell_str(type) : cell_none());
	doc_field(doc, "address", NULL, cell_address(value->address));
	doc_field(doc, "value", NULL, cell_str(name));
	strbuf_add(&p->out, text.data);
	return NULL;
}

/* An array of which the type does not tell the length: text up to its end, or just where it is. */
static void show_open_array(struct print *p, const char *label, const struct value *v)
{
	struct type element = type_strip(type_target(type_strip(v->type)));
	bool is_char = type_kind(element) == TYPE_INT && strcmp(type_name(element), "char") == 0;
	struct doc *doc = p->args->doc;
	char text[TEXT_MAX] = { 0 }, spelled[256];

	type_spell(v->type, spelled, sizeof(spelled));
	doc_field(doc, "type", NULL, cell_str(spelled));
	doc_field(doc, "address", NULL, cell_address(v->address));
	doc_field(doc, "size", NULL, cell_none());
	enum read_status status = READ_OK;
	for (size_t i = 0; is_char && i < TEXT_MAX - 1; i++) {
		status = p->x.env.value.read(&p->x, v->address + i, text + i, 1);
		if (status != READ_OK || !text[i])
			break;
	}
	bool has_text = is_char && status == READ_OK;
	doc_field(doc, "value", NULL, has_text ? cell_str(text) : cell_none());
	strbuf_addf(&p->out, "%s = (%s) 0x%" PRIx64, label, spelled, v->address);
	if (has_text) {
		strbuf_add(&p->out, " ");
		text_quote(text, &p->out);
		strbuf_add(&p->out, text[TEXT_MAX - 2] ? "..." : "");
	}
	strbuf_add_char(&p->out, '\n');
}

static struct error *fill_object(const struct value *v, struct object *o)
{
	switch (v->place) {
	case VALUE_MEMORY:
		o->address = v->address;
		return object_read(o);
	case VALUE_BYTES:
		object_from_bytes(o, v->bytes, (size_t)v->size);
		return NULL;
	default:
		object_from_bytes(o, &v->number, sizeof(v->number));
		return NULL;
	}
}

/* What a pointer to a structure, or a structure in memory, means to a person: a path, a name ... */
static void add_meaning(struct print *p, struct object *o)
{
	struct type type = type_strip(o->type), target = type_strip(type_target(type));
	bool is_pointer = type_kind(type) == TYPE_POINTER;
	char text[300] = "";
	uint64_t value = 0;

	if (p->x.user)
		return;
	if (!is_pointer && o->address)
		(void)meaning_of(p->args->session, type_name(type), o->address, text, sizeof(text));
	/* Strings and functions are shown with the value. */
	if (is_pointer && type_kind(target) != TYPE_INT && type_kind(target) != TYPE_FUNCTION &&
	    o->size >= sizeof(value) && !o->holes.count &&
	    type_load(type, o->bytes, o->size, &value))
		(void)meaning_of_value(p->args->session, type, value, text, sizeof(text));
	doc_field(p->args->doc, "meaning", NULL, cell_str(*text ? text : NULL));
	if (*text && !(is_pointer && !value))
		strbuf_addf(&o->text, "    means: %s\n", text);
}

static struct error *show_object(struct print *p, const char *label, const struct value *v)
{
	struct doc *doc = p->args->doc;
	struct object o = { .doc = doc, .session = p->args->session, .type = v->type,
			    .user = p->x.user };
	struct member m = { .name = "", .size = type_size(v->type), .type = v->type,
			    .bit_offset = v->bit_offset, .bit_size = v->bit_size };
	char spelled[256];

	type_spell(v->type, spelled, sizeof(spelled));
	if (!type_is_complete(v->type))
		return error_new(ERROR_NOT_FOUND, "of %s only the name is known", spelled);
	context_format(p->args->session, p->hex, p->decimal, &o.format);
	o.format.letter = p->letter;
	struct error *err = fill_object(v, &o);
	if (!err) {
		doc_field(doc, "type", NULL, cell_str(spelled));
		doc_field(doc, "address", NULL, v->place == VALUE_MEMORY
							? cell_address(v->address)
							: cell_none());
		doc_field(doc, "size", NULL, cell_udec(m.size));
		object_add_value(&o, label, &m);
		add_meaning(p, &o);
		strbuf_add(&p->out, strbuf_text(&o.text));
	}
	object_deinit(&o);
	return err;
}

static struct error *show_value(struct print *p, int cpu)
{
	struct doc *doc = p->args->doc;
	const char *expression = expr_text(p->x.expr);
	auto_strbuf label = { 0 };
	struct value value;

	p->x.env.cpu = cpu;
	struct error *err = expression_eval(&p->x, &value);
	if (err)
		return err;
	if (cpu >= 0)
		strbuf_addf(&label, "[CPU %d] ", cpu);
	strbuf_add(&label, expression);
	doc_record(doc, NULL, NULL);
	doc_field(doc, "expression", NULL, cell_str(expression));
	doc_field(doc, "cpu", NULL, cpu < 0 ? cell_none() : cell_dec(cpu));
	enum type_kind kind = type_kind(type_strip(value.type));
	if (value.place == VALUE_NOTHING) {
		strbuf_add(&label, " = void\n");
		doc_field(doc, "type", NULL, cell_str("void"));
		doc_field(doc, "value", NULL, cell_none());
		strbuf_add(&p->out, label.data);
	} else if (kind == TYPE_FUNCTION || !value.type.source) {
		err = show_place(p, label.data, &value);
	} else if (kind == TYPE_ARRAY && !type_array_length(value.type) &&
		   value.place == VALUE_MEMORY) {
		show_open_array(p, label.data, &value);
	} else {
		err = show_object(p, label.data, &value);
	}
	doc_end(doc);
	return err;
}

/* --- CPUs --- */

static struct error *show_cpus(struct print *p, const char *list)
{
	bool *wanted = arena_zalloc(&p->args->doc->arena, CPU_LIST_MAX * sizeof(*wanted));
	bool all = *list == 'a';
	unsigned shown = 0;

	struct error *err = parse_cpu_list(list, wanted);
	for (unsigned i = 0; !err && i < CPU_LIST_MAX; i++) {
		if (!wanted[i] || (all && !cpu_by_id(p->args->session, i)))
			continue;
		err = show_value(p, (int)i);
		/* One CPU's hole must not hide the others' values. */
		if (err && (shown || err->code == ERROR_MISSING)) {
			doc_remark(p->args->doc, REMARK_ERROR, "CPU %u: %s", i, err->message);
			error_free(err);
			err = NULL;
		}
		shown++;
	}
	return err;
}

static const struct column address_columns[] = {
	{ .key = "cpu", .title = "CPU", .right = true },
	{ .key = "address", .title = "ADDRESS" },
};

/* A per-CPU variable without a CPU: what it is and where. */
static bool show_percpu(struct print *p)
{
	const char *name = expr_name(p->x.expr);
	struct doc *doc = p->args->doc;
	struct expr_symbol symbol;
	auto_strbuf text = { 0 };
	size_t count;

	if (!name || !p->x.env.symbol(&p->x, name, &symbol) || !symbol.is_percpu)
		return false;
	if (symbol.type.source)
		type_declare(symbol.type, name, &text);
	doc_record(doc, "per_cpu", NULL);
	doc_field(doc, "name", NULL, cell_str(name));
	doc_field(doc, "declaration", "PER-CPU VARIABLE",
		  symbol.type.source ? cell_str(text.data) : cell_none());
	const struct cpu *cpu = cpus(p->args->session, &count);
	doc_table(doc, "addresses", address_columns, array_size(address_columns));
	for (size_t i = 0; i < count; i++)
		doc_row(doc, cell_udec(cpu[i].id),
			cell_address(symbol.address + cpu[i].percpu_offset));
	doc_end(doc);
	doc_end(doc);
	doc_remark(doc, REMARK_NOTE, "%s:0 is the value of CPU 0, %s:a that of all", name, name);
	return true;
}

/* --- The command --- */

static struct error *evaluate(struct print *p)
{
	const char *list;

	struct error *err = expression_parse(&p->x, p->text);
	if (err)
		return err;
	list = expr_cpu_list(p->x.expr);
	if (!list && show_percpu(p))
		return NULL;
	doc_array(p->args->doc, "values", NULL);
	doc_hidden(p->args->doc);
	err = list ? show_cpus(p, list) : show_value(p, -1);
	p->args->doc->current = p->args->doc->root;
	typed_lines(p->args->doc, &p->out);
	return err;
}

static struct error *choose_user(struct print *p)
{
	const struct task *task;

	if (!p->user)
		return NULL;
	struct error *err = task_or_current(p->args->session, NULL, &task);
	if (!err)
		err = task_page_root(p->args->session, task, &p->root);
	p->x.user = &p->root;
	return err;
}

static struct error *run_p(struct command_args *args)
{
	struct print p = { .args = args, .hex = strcmp(args->argv[0], "px") == 0,
			   .decimal = strcmp(args->argv[0], "pd") == 0 };
	const char *s = args->rest;

	take_options(&p, &s);
	p.text = unquoted(&args->doc->arena, s);
	p.text = own_cpu_word(args->session, &args->doc->arena, p.text);
	if (!*p.text)
		return error_new(ERROR_USAGE, "which expression?");
	expression_init(&p.x, args->session);
	struct error *err = choose_user(&p);
	if (!err) {
		err = evaluate(&p);
		if (err && err->code != ERROR_MISSING) {
			if (p.x.at != SIZE_MAX)
				expression_show_error(&p.x, p.text, args->doc);
			/* The sentence says it all; how p is used does not help. */
			err->code = ERROR_NOT_FOUND;
		}
	}
	if (p.x.note[0])
		doc_remark(args->doc, REMARK_NOTE, "%s", p.x.note);
	strbuf_deinit(&p.out);
	expression_deinit(&p.x);
	return err;
}

const struct command command_p = {
	.name = "p",
	.usage = "[-x | -d] [-u] [/LETTER] EXPRESSION[:CPUS]",
	.summary = "the value of a C expression over the kernel's types",
	.help = "Operators, casts, sizeof, offsetof(), container_of() and typeof() as in C; variables and\n"
		"functions with their types, \"module:name\", enumerators, strings; registers of the\n"
		"chosen frame as $rip. A per-CPU variable needs a CPU: runqueues:0, or a list of\n"
		"CPUs, or :a for all. array @ 3 shows three elements; per_cpu_ptr(pointer, 1).\n"
		"  -x   integers in hexadecimal (also: px)\n"
		"  -d   in decimal, the default (also: pd)\n"
		"  -u   addresses are those of the current task's user space\n"
		"  /x   as in gdb, also /d, /u (unsigned), /o (octal), /t (binary), /z (with zeros), /c\n"
		"       (character), /a (address): of all numbers; p/x and print/x are the same\n"
		"A colon without a list means the CPU of the current task.\n"
		"Nothing can be assigned, and no function called.\n"
		"Examples: p init_task.comm | p -x init_task.tasks | p sizeof(struct page)\n"
		"Examples: p/t init_task.flags | p/a init_task.stack\n"
		"Examples: p runqueues:0.nr_running | p *(struct list_head *)&modules",
	.takes_line = true,
	.run = run_p,
};
