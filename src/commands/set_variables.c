// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The variables of `set`: crash's by name, each a row. Most are a member of the session's settings;
 * some have functions of their own; what means nothing here takes any value that crash would take,
 * keeps the one that is true, and says why, so that old init files work.
 */
#include "commands/set_variables.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "commands/args.h"
#include "commands/source.h"

enum variable_kind {
	KIND_SWITCH,     /* a bool */
	KIND_SWITCH_OFF, /* a bool that is true for "off" */
	KIND_NUMBER,
	KIND_FILE,       /* a file's name, "off" or "default" for none */
	KIND_OWN,        /* functions */
	KIND_NONE,       /* no effect: see why */
};

struct variable {
	const char *name;
	const char *values;  /* what it can be */
	const char *summary; /* with KIND_NONE: why it has no effect */
	enum variable_kind kind;
	size_t offset;       /* in struct session_settings */
	const char *usual;   /* shown for 0 or NULL; with KIND_NONE: what is true here */
	struct error *(*set)(struct session *s, const char *value);
	void (*show)(struct session *s, char *buf, size_t size);
};

/* --- Those with functions. --- */

static struct error *set_radix(struct session *s, const char *value)
{
	uint64_t radix;

	if (strcmp(value, "hex") == 0)
		value = "16";
	else if (strcmp(value, "dec") == 0)
		value = "10";
	if (!parse_u64(value, &radix) || (radix != 10 && radix != 16))
		return error_new(ERROR_USAGE, "radix is 10 or 16, not %s", value);
	s->context.settings.radix = radix;
	return NULL;
}

static void show_radix(struct session *s, char *buf, size_t size)
{
	snprintf(buf, size, "%s", s->context.settings.radix == 16 ? "16" : "10");
}

static bool parse_switch(const char *value, bool *on)
{
	*on = strcmp(value, "on") == 0 || strcmp(value, "1") == 0;
	return *on || strcmp(value, "off") == 0 || strcmp(value, "0") == 0;
}

static struct error *set_zero(struct session *s, const char *value)
{
	bool on;

	if (!parse_switch(value, &on))
		return error_new(ERROR_USAGE, "zero_excluded is on or off, not %s", value);
	memory_zero_missing(s->memory, on);
	return NULL;
}

static void show_zero(struct session *s, char *buf, size_t size)
{
	snprintf(buf, size, "%s", memory_zeroes_missing(s->memory) ? "on" : "off");
}

static struct error *set_editor(struct session *s, const char *value)
{
	if (strcmp(value, "vi") != 0 && strcmp(value, "emacs") != 0)
		return error_new(ERROR_USAGE, "edit is vi or emacs, not %s", value);
	s->context.settings.vi = *value == 'v';
	return NULL;
}

static void show_editor(struct session *s, char *buf, size_t size)
{
	snprintf(buf, size, "%s", s->context.settings.vi ? "vi" : "emacs");
}

static void show_kernel(struct session *s, char *buf, size_t size)
{
	auto_strbuf files = { 0 };

	if (s->debuginfo)
		source_files_text(s, &files);
	snprintf(buf, size, "%s", files.len ? files.data : "none");
}

static void show_dump(struct session *s, char *buf, size_t size)
{
	snprintf(buf, size, "%s", s->path ? s->path : "none");
}

#define SETTING(member) offsetof(struct session_settings, member)

static const struct variable variables[] = {
	{ "console", "FILE|off", "a file or terminal that gets all output, too", KIND_FILE,
	  SETTING(console), "off", NULL, NULL },
	{ "core", "on|off", "a crash of this program itself is the system's to handle", KIND_NONE, 0,
	  "off", NULL, NULL },
	{ "debug", "NUMBER", "there is no output for debugging; --verify compares sources", KIND_NONE, 0,
	  "0", NULL, NULL },
	{ "dumpfile", "FILE", "the dump is named when the program is called", KIND_NONE, 0, NULL, NULL,
	  show_dump },
	{ "edit", "vi|emacs", "the keys of line editing", KIND_OWN, 0, NULL, set_editor, show_editor },
	{ "error", "FILE|redirect|default", "where errors go: a file, or where the output goes",
	  KIND_FILE, SETTING(errors), "default", NULL, NULL },
	{ "gdb", "on|off", "there is no gdb inside; p, ptype, x and info are commands", KIND_NONE, 0,
	  "off", NULL, NULL },
	{ "hash", "on|off", "lists find their loops without it", KIND_NONE, 0, "off", NULL, NULL },
	{ "namelist", "FILE", "the kernel's file is named when the program is called", KIND_NONE, 0,
	  NULL, NULL, show_kernel },
	{ "null-stop", "on|off", "character arrays end at their first NUL", KIND_SWITCH,
	  SETTING(null_stop), NULL, NULL, NULL },
	{ "offline", "show|hide", "CPUs that were offline are marked so, never hidden", KIND_NONE, 0,
	  "show", NULL, NULL },
	{ "print_array", "on|off", "each element of an array on a line of its own", KIND_SWITCH,
	  SETTING(print_array), NULL, NULL, NULL },
	{ "print_max", "NUMBER", "so many elements of an array are shown", KIND_NUMBER,
	  SETTING(print_max), "4096", NULL, NULL },
	{ "radix", "10|16", "the base in which p and struct show numbers", KIND_OWN, 0, NULL, set_radix,
	  show_radix },
	{ "redzone", "on|off", "kmem and slab tell red zones apart by themselves", KIND_NONE, 0, "on",
	  NULL, NULL },
	{ "refresh", "on|off", "a dump does not change", KIND_NONE, 0, "off", NULL, NULL },
	{ "scope", "ADDRESS", "name static variables as FILE.c:NAME or MODULE:NAME instead", KIND_NONE,
	  0, "none", NULL, NULL },
	{ "scroll", "on|off", "the pager ($PAGER) for what is longer than the screen",
	  KIND_SWITCH_OFF, SETTING(no_pager), NULL, NULL, NULL },
	{ "silent", "on|off", "no greeting at the start; for the init file", KIND_SWITCH,
	  SETTING(silent), NULL, NULL, NULL },
	{ "unwind", "on|off", "stacks are always unwound by the kernel's own tables", KIND_NONE, 0, "on",
	  NULL, NULL },
	{ "zero_excluded", "on|off", "pages that the dump lacks are read as zeros", KIND_OWN, 0, NULL,
	  set_zero, show_zero },
};

static const struct variable *find(const char *name)
{
	for (size_t i = 0; i < array_size(variables); i++) {
		if (strcmp(variables[i].name, name) == 0)
			return &variables[i];
	}
	return NULL;
}

const char *set_variable_name(size_t i)
{
	return i < array_size(variables) ? variables[i].name : NULL;
}

const char *set_variable_values(const char *name)
{
	const struct variable *v = find(name);

	return v ? v->values : NULL;
}

bool set_is_variable(const char *name)
{
	return find(name) != NULL;
}

/* --- Showing --- */

static void show_value(struct session *s, const struct variable *v, char *buf, size_t size)
{
	const char *at = (const char *)&s->context.settings + v->offset;
	uint64_t number;
	bool on;

	switch (v->kind) {
	case KIND_SWITCH:
	case KIND_SWITCH_OFF:
		memcpy(&on, at, sizeof(on));
		snprintf(buf, size, "%s", on == (v->kind == KIND_SWITCH) ? "on" : "off");
		break;
	case KIND_NUMBER:
		memcpy(&number, at, sizeof(number));
		if (number)
			snprintf(buf, size, "%" PRIu64, number);
		else
			snprintf(buf, size, "%s", v->usual);
		break;
	case KIND_FILE: {
		const char *file;
		memcpy(&file, at, sizeof(file));
		snprintf(buf, size, "%s", file ? file : v->usual);
		break;
	}
	case KIND_OWN:
	case KIND_NONE:
		if (v->show)
			v->show(s, buf, size);
		else
			snprintf(buf, size, "%s", v->usual);
		break;
	}
}

static const struct column variable_columns[] = {
	{ .key = "name", .title = "VARIABLE", .style = STYLE_STRONG },
	{ .key = "value", .title = "VALUE" },
	{ .key = "values", .title = "CAN BE", .style = STYLE_FAINT },
	{ .key = "has_effect" },
	{ .key = "summary", .title = "" },
};

/* Of one only the value, and why it has no effect. */
static const struct column one_columns[] = {
	{ .key = "name", .title = "", .style = STYLE_STRONG },
	{ .key = "value", .title = "" },
	{ .key = "values" },
	{ .key = "has_effect" },
	{ .key = "summary" },
};

static void add_row(struct command_args *args, const struct variable *v)
{
	bool effect = v->kind != KIND_NONE;
	char value[512];

	show_value(args->session, v, value, sizeof(value));
	struct cell summary = cell_str(v->summary);
	if (!effect)
		summary.shown = arena_printf(&args->doc->arena, "(no effect: %s)", v->summary);
	doc_row(args->doc, cell_str(v->name), cell_str(value), cell_str(v->values),
		cell_bool(effect), summary);
}

void set_list_variables(struct command_args *args)
{
	doc_table(args->doc, "variables", variable_columns, array_size(variable_columns));
	for (size_t i = 0; i < array_size(variables); i++)
		add_row(args, &variables[i]);
	doc_end(args->doc);
}

/* --- Setting --- */

static bool is_pager(const char *value)
{
	return strcmp(value, "less") == 0 || strcmp(value, "more") == 0 ||
	       strcmp(value, "CRASHPAGER") == 0;
}

static struct error *assign(struct session *s, const struct variable *v, const char *value)
{
	char *at = (char *)&s->context.settings + v->offset;
	uint64_t number;
	bool on;

	switch (v->kind) {
	case KIND_SWITCH:
	case KIND_SWITCH_OFF:
		/* crash names pagers here; which it is says $PAGER. */
		if (v->offset == SETTING(no_pager) && is_pager(value))
			value = "on";
		if (!parse_switch(value, &on))
			return error_new(ERROR_USAGE, "%s is %s, not %s", v->name, v->values, value);
		on = on == (v->kind == KIND_SWITCH);
		memcpy(at, &on, sizeof(on));
		return NULL;
	case KIND_NUMBER:
		if (!parse_u64(value, &number) || !number)
			return error_new(ERROR_USAGE, "%s is a number, not %s", v->name, value);
		memcpy(at, &number, sizeof(number));
		return NULL;
	case KIND_FILE: {
		bool none = strcmp(value, v->usual) == 0;
		const char *file = none ? NULL : arena_strdup(&s->arena, value);
		memcpy(at, &file, sizeof(file));
		return NULL;
	}
	case KIND_OWN:
		return v->set(s, value);
	case KIND_NONE:
		break;
	}
	return NULL;
}

struct error *set_variable(struct command_args *args)
{
	const struct variable *v = find(args->argv[1]);
	struct error *err = NULL;

	if (args->argc > 3)
		return error_new(ERROR_USAGE, "one value at a time");
	if (args->argc == 3)
		err = assign(args->session, v, args->argv[2]);
	if (err)
		return err;
	doc_table(args->doc, "variables", one_columns, array_size(one_columns));
	doc_bare(args->doc);
	add_row(args, v);
	doc_end(args->doc);
	if (v->kind == KIND_NONE)
		doc_remark(args->doc, REMARK_NOTE, "%s has no effect here: %s", v->name, v->summary);
	return NULL;
}
