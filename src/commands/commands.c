// SPDX-License-Identifier: LGPL-2.1-or-later
/* The table of commands, and how one of them is found and run. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "base/strbuf.h"
#include "commands/table.h"
#include "kernel/changes.h"

const struct command *const commands[] = {
	&command_alias,
	&command_args,
	&command_ascii,
	&command_blocked,
	&command_bpf,
	&command_bt,
	&command_btop,
	&command_callees,
	&command_callers,
	&command_content,
	&command_cpus,
	&command_deadlock,
	&command_dev,
	&command_dis,
	&command_down,
	&command_eval,
	&command_fault,
	&command_files,
	&command_foreach,
	&command_frame,
	&command_fuser,
	&command_gdb,
	&command_help,
	&command_identify,
	&command_info,
	&command_ipcs,
	&command_irq,
	&command_kmem,
	&command_list,
	&command_locals,
	&command_locks,
	&command_log,
	&command_mach,
	&command_mod,
	&command_mount,
	&command_net,
	&command_origin,
	&command_p,
	&command_pipelines,
	&command_ps,
	&command_pte,
	&command_ptob,
	&command_ptov,
	&command_ptype,
	&command_quit,
	&command_rd,
	&command_refs,
	&command_repeat,
	&command_report,
	&command_rules,
	&command_runq,
	&command_rustfilt,
	&command_sbitmapq,
	&command_search,
	&command_set,
	&command_sig,
	&command_slab,
	&command_src,
	&command_struct,
	&command_swap,
	&command_sym,
	&command_sys,
	&command_task,
	&command_textcheck,
	&command_timer,
	&command_tree,
	&command_union,
	&command_up,
	&command_vm,
	&command_vmallocinfo,
	&command_vtop,
	&command_waitq,
	&command_whatis,
	&command_wr,
	&command_writers,
	&command_x,
	NULL,
};

/* Other names that crash has for a command. */
static const struct {
	const char *alias, *name;
} aliases[] = {
	{ "*", "struct" },
	{ "dmesg", "log" },
	{ "lsmod", "mod" },
	{ "man", "help" },
	{ "q", "quit" },
	{ "exit", "quit" },
	{ "pd", "p" },
	{ "print", "p" },
	{ "inspect", "p" },
	{ "output", "p" },
	{ "px", "p" },
	{ "?", "help" },
};

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < array_size(aliases); i++) {
		if (strcmp(aliases[i].alias, name) == 0)
			name = aliases[i].name;
	}
	for (const struct command *const *c = commands; *c; c++) {
		if (strcmp((*c)->name, name) == 0)
			return *c;
	}
	return NULL;
}

const struct command *command_nearest(const char *name)
{
	const struct command *best = NULL;
	unsigned best_distance = strlen(name) > 3 ? 3 : 2;

	for (const struct command *const *c = commands; *c; c++) {
		unsigned distance = name_distance(name, (*c)->name);
		/* Every word begins with some letter: p and x are like none. */
		if (starts_with((*c)->name, name) ||
		    (strlen((*c)->name) > 1 && starts_with(name, (*c)->name)))
			distance = 1;
		if (distance < best_distance) {
			best = *c;
			best_distance = distance;
		}
	}
	return best;
}

static struct error *unknown_command(const char *name)
{
	const struct command *near = command_nearest(name);

	if (near)
		return error_new(ERROR_USAGE, "unknown command: %s (did you mean %s?)", name,
				 near->name);
	return error_new(ERROR_USAGE, "unknown command: %s (\"help\" lists the commands)", name);
}

/* What can be asked of a text: all else needs memory. */
static const char *const of_text[] = {
	"alias", "bt", "dis", "eval", "fault", "help", "log", "mod", "origin", "quit", "report", "rules", "set",
	"sym", "sys",
};

static bool is_of_text(const struct command *command)
{
	for (size_t i = 0; i < array_size(of_text); i++) {
		if (strcmp(of_text[i], command->name) == 0)
			return true;
	}
	return command->needs_no_dump;
}

/* What is behind the first word. */
static const char *rest_of(const char *line)
{
	line += strspn(line, " \t");
	line += strcspn(line, " \t");
	return line + strspn(line, " \t");
}

/*
 * crash's short ways to see objects: "*page ADDRESS" and "task_struct.pid ADDRESS" are the command
 * struct, any other "*pointer" is an expression. NULL: the line is none of these.
 */
static const struct command *command_of_type(struct command_args *args, const char *line)
{
	const char *word = args->argv[0] + (args->argv[0][0] == '*');
	char name[128], tagged[160];
	struct type type;

	size_t length = strcspn(word, ".");
	if (!length || length >= sizeof(name))
		return NULL;
	snprintf(name, sizeof(name), "%.*s", (int)length, word);
	snprintf(tagged, sizeof(tagged), "struct %s", name);
	bool found = types_find(args->session->types, tagged, &type);
	snprintf(tagged, sizeof(tagged), "union %s", name);
	found = found || types_find(args->session->types, tagged, &type);
	if (!found && *args->argv[0] == '*') {
		args->rest = line;
		return &command_p;
	}
	if (!found)
		return NULL;
	char **argv = arena_zalloc(&args->doc->arena, ((size_t)args->argc + 2) * sizeof(*argv));
	argv[0] = arena_strdup(&args->doc->arena, "struct");
	argv[1] = arena_strdup(&args->doc->arena, word);
	for (int i = 1; i < args->argc; i++)
		argv[i + 1] = args->argv[i];
	args->argv = argv;
	args->argc++;
	return &command_struct;
}

static void remark_problems(struct session *s, struct doc *doc, bool told, size_t known,
			    size_t debug_known)
{
	size_t holes = s->problems.count - s->debug_problems - (known - debug_known);

	doc->incomplete |= holes > 0;
	for (size_t i = known; !told && i < s->problems.count; i++)
		doc_remark(doc, REMARK_HOLE, "%s", s->problems.data[i]);
	known = s->problems.count;
	session_debug_problems(s);
	for (size_t i = known; !told && i < s->problems.count; i++)
		doc_remark(doc, REMARK_NOTE, "%s", s->problems.data[i]);
}

/* Who reads an answer that rests on memory changed by hand must know: once, and in each report. */
static void remark_changes(struct session *s, const struct command *command, struct doc *doc)
{
	size_t count;

	(void)changes(s, &count);
	if (count && command != &command_wr &&
	    (changes_untold(s) || command == &command_report))
		doc_remark(doc, REMARK_NOTE, "memory was changed by hand in %zu place%s: wr -l",
			   count, count == 1 ? "" : "s");
}

/* gdb's "x/8gx ADDRESS" and "p/x VALUE", where the format is part of the name: a word of its own. */
static const char *split_format(struct arena *arena, const char *line)
{
	static const char *const with_format[] = { "x", "p", "print", "ptype", "inspect", "output" };
	size_t length = strcspn(line, " \t/");

	for (size_t i = 0; line[length] == '/' && i < array_size(with_format); i++) {
		if (strlen(with_format[i]) == length &&
		    strncmp(line, with_format[i], length) == 0)
			return arena_printf(arena, "%.*s %s", (int)length, line, line + length);
	}
	return line;
}

struct error *command_run(struct session *session, const char *line, struct doc *doc)
{
	struct command_args args = { .session = session, .doc = doc };
	char **argv;

	line = split_format(&doc->arena, line + strspn(line, " \t"));
	char *name = arena_strndup(&doc->arena, line, strcspn(line, " \t"));
	const struct command *command = command_find(name);
	struct error *err = NULL;
	if (command && command->takes_line) {
		argv = arena_zalloc(&doc->arena, 2 * sizeof(*argv));
		argv[0] = name;
		args.argc = 1;
	} else {
		err = command_words(&doc->arena, line, &args.argc, &argv);
	}
	if (err)
		return err;
	if (!args.argc)
		return NULL;
	args.argv = argv;
	args.rest = rest_of(line);
	command = command_find(argv[0]);
	if (!command && session)
		command = command_of_type(&args, line);
	if (!command)
		return unknown_command(argv[0]);
	if (!session && !command->needs_no_dump)
		return error_new(ERROR_USAGE, "%s: there is no dump", command->name);

	if (session && session->text && !is_of_text(command))
		return error_new(ERROR_USAGE, "%s: a text has no memory; that needs a dump",
				 command->name);
	size_t known = session ? session->problems.count : 0;
	size_t debug_known = session ? session->debug_problems : 0;
	uint64_t zeroed = session ? memory_zeroed(session->memory) : 0;
	err = command->run(&args);
	if (session && session_stopped(session))
		doc_remark(doc, REMARK_ERROR, "interrupted: this is not all");
	if (session && memory_zeroed(session->memory) != zeroed)
		doc_remark(doc, REMARK_NOTE, "zeros took the place of what the dump lacks in %" PRIu64
			   " reads (set zero_excluded)", memory_zeroed(session->memory) - zeroed);
	/* What the command found missing on its way belongs to its output. */
	if (session)
		remark_problems(session, doc, command->tells_problems, known, debug_known);
	if (session)
		remark_changes(session, command, doc);
	if (err && err->code == ERROR_USAGE) {
		struct error *full = error_new(ERROR_USAGE, "%s: %s (usage: %s %s)", command->name,
					       err->message, command->name, command->usage);
		error_free(err);
		return full;
	}
	return error_prefix(err, "%s", command->name);
}
