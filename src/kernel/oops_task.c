// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who was running what: the lines of dump_stack_print_info() (lib/dump_stack.c) and print_modules()
 * (kernel/module/main.c). In order of age:
 *     Pid: 1, comm: x Not tainted 2.6.32-642.el6.x86_64 #1 VENDOR MODEL
 *     CPU: 0 PID: 1 Comm: x Tainted: G    B  OE  ------------ T 3.10.0-693.el7.x86_64 #1
 *     CPU: 0 UID: 0 PID: 1 Comm: x Kdump: loaded Tainted: G  OE  6.12.95 #1  Debian 6.12.95-1
 */
#include <string.h>

#include "base/strbuf.h"
#include "kernel/oops_parse.h"

/* Letters, the places of taints that are not set (blanks, '-'), then the release. */
const char *oops_taint(const char **at, struct arena *arena)
{
	char letters[40];
	size_t n = 0;

	for (;;) {
		skip_blanks(at);
		size_t token = strspn(*at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-");
		char after = (*at)[token];
		if (!token || (after && after != ' ' && after != '\t' && after != ')'))
			break;
		for (size_t i = 0; i < token; i++) {
			if ((*at)[i] != '-' && n + 1 < sizeof(letters))
				letters[n++] = (*at)[i];
		}
		*at += token;
	}
	letters[n] = '\0';
	return arena_strdup(arena, letters);
}

/* "Tainted: G  OE  6.12.95 #1 ..." or "Not tainted 6.12.95 #1 ...", and the hardware of old ones. */
static void take_kernel(struct oops_report *r, struct arena *arena, const char *at, bool old)
{
	if (take_text(&at, "Not tainted"))
		r->taint = "";
	else if (take_text(&at, "Tainted: "))
		r->taint = oops_taint(&at, arena);
	else
		return;
	skip_blanks(&at);
	size_t n = strcspn(at, " \t");
	if (!r->release && n && strpbrk(at, "0123456789"))
		r->release = arena_strndup(arena, at, n);
	const char *number = strstr(at + n, " #");
	if (!old || !number || r->hardware)
		return;
	number += 2;
	number += strcspn(number, " \t");
	skip_blanks(&number);
	if (*number)
		r->hardware = trimmed(arena, number, number + strlen(number));
}

/* The comm may have blanks in it: it ends where the next field begins. */
static const char *comm_end(const char *at)
{
	static const char *const fields[] = { " Kdump: loaded", " Not tainted", " Tainted: " };
	const char *end = at + strlen(at);

	for (size_t i = 0; i < array_size(fields); i++) {
		const char *field = strstr(at, fields[i]);
		if (field && field < end)
			end = field;
	}
	return end;
}

static void take_comm(struct oops_report *r, struct arena *arena, const char *at, bool old)
{
	const char *end = comm_end(at);

	if (!r->comm)
		r->comm = trimmed(arena, at, end);
	take_text(&end, " Kdump: loaded");
	skip_blanks(&end);
	take_kernel(r, arena, end, old);
}

/* "6.1.0-57-amd64 #1 ...": a mail broke the line before it. */
static bool take_release(struct oops_draft *draft, struct arena *arena, const char *line)
{
	struct oops_report *r = &draft->report;
	size_t n = strcspn(line, " \t");

	if (!r->taint || r->release || !draft->task_line || line[0] < '2' || line[0] > '9' ||
	    line[1] != '.' || strncmp(line + n, " #", 2) != 0)
		return false;
	r->release = arena_strndup(arena, line, n);
	return true;
}

bool oops_task_line(struct oops_draft *draft, struct arena *arena, const char *line)
{
	struct oops_report *r = &draft->report;
	const char *comm;
	uint64_t n;

	if (take_release(draft, arena, line))
		return true;
	draft->task_line = false;
	if (starts_with(line, "CPU: ") && (comm = strstr(line, " Comm: "))) {
		if (r->cpu < 0 && number_behind(line, "CPU: ", &n) && n < INT32_MAX)
			r->cpu = (int)n;
		if (r->pid < 0 && number_behind(line, " PID: ", &n) && n < INT32_MAX)
			r->pid = (int)n;
		take_comm(r, arena, comm + strlen(" Comm: "), false);
		draft->task_line = true;
		return true;
	}
	if ((starts_with(line, "Pid: ") || starts_with(line, "CPU: ")) &&
	    (comm = strstr(line, ", comm: "))) {
		if (r->pid < 0 && number_behind(line, "id: ", &n) && n < INT32_MAX)
			r->pid = (int)n;
		take_comm(r, arena, comm + strlen(", comm: "), true);
		return true;
	}
	/* Of hung tasks: only what kernel it is. */
	if (starts_with(line, "Tainted: ") || starts_with(line, "Not tainted ")) {
		if (!strstr(line, "]=") && !r->taint)
			take_kernel(r, arena, line, false);
		return true;
	}
	return false;
}

/* --- Modules. --- */

/* "name(OE)"; in lists of other lines: is this a module's name at all? */
static bool take_module_name(const char **at, const char **name, size_t *length,
			     const char **taints, size_t *taints_length)
{
	size_t n = strspn(*at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
	const char *end = *at + n;

	*name = *at;
	*length = n;
	*taints = "";
	*taints_length = 0;
	if (!n || n > 64)
		return false;
	if (*end == '(') {
		*taints = end + 1;
		*taints_length = strspn(*taints, "ABCDEFGHIJKLMNOPQRSTUVWXYZ+-");
		end = *taints + *taints_length;
		if (*end != ')')
			return false;
		end++;
	}
	if (*end && *end != ' ' && *end != '\t' && *end != '\r')
		return false;
	*at = end;
	return true;
}

static void take_list(struct oops_draft *draft, struct arena *arena, const char *at)
{
	const char *name, *taints;
	size_t length, taints_length;

	for (;;) {
		skip_blanks(&at);
		if (take_text(&at, "[last unloaded: ")) {
			draft->report.last_unloaded =
				trimmed(arena, at, at + strcspn(at, "](: "));
			draft->section = SECTION_HEAD;
			return;
		}
		if (!take_module_name(&at, &name, &length, &taints, &taints_length))
			return;
		/* '+' and '-' are modules that come and go, no taints. */
		while (taints_length && strchr("+-", taints[taints_length - 1]))
			taints_length--;
		if (draft->modules.count < OOPS_MODULES_MAX)
			vec_push(&draft->modules,
				 (struct oops_module){
					 .name = arena_strndup(arena, name, length),
					 .taints = arena_strndup(arena, taints, taints_length) });
	}
}

/* A further line of the list: nothing but names, at least one. */
static bool only_names(const char *at)
{
	const char *name, *taints;
	size_t length, taints_length, n = 0;

	for (;; n++) {
		skip_blanks(&at);
		if (!*at || starts_with(at, "[last unloaded: "))
			return n > 0 || *at;
		if (!take_module_name(&at, &name, &length, &taints, &taints_length))
			return false;
	}
}

/* Mails and the log break lines that are long; a short one is all, and words below are others'. */
enum { LONG_LINE = 56 };

bool oops_modules_line(struct oops_draft *draft, struct arena *arena, const char *line)
{
	const char *at = line;

	if (take_text(&at, "Modules linked in:")) {
		if (draft->section == SECTION_OVER || draft->modules.count)
			return true;
		oops_end_track(draft, arena);
		draft->section = SECTION_MODULES;
		draft->long_line = strlen(line) >= LONG_LINE;
		take_list(draft, arena, at);
		return true;
	}
	if (draft->section != SECTION_MODULES)
		return false;
	if (draft->long_line && only_names(line)) {
		take_list(draft, arena, line);
		return true;
	}
	draft->section = SECTION_HEAD;
	return false;
}
