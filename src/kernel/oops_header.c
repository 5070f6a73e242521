// SPDX-License-Identifier: LGPL-2.1-or-later
/* The line that announces a report tells, beside its kind, an address, a place, a task, a CPU. */
#include <string.h>

#include "base/strbuf.h"
#include "kernel/oops_parse.h"

/* "mm/slub.c:3414" before @end, which is behind the line number. */
static bool take_file_line(struct oops_report *r, struct arena *arena, const char *from,
			   const char *end)
{
	const char *colon = end;
	uint64_t line;

	while (colon > from && colon[-1] >= '0' && colon[-1] <= '9')
		colon--;
	if (colon == end || colon <= from + 1 || colon[-1] != ':')
		return false;
	const char *digits = colon;
	take_number(&digits, &line);
	/* "[ptr == NULL] mm/slub.c": the condition is no part of the name. */
	const char *start = colon - 1;
	while (start > from && start[-1] != ' ' && start[-1] != '\t')
		start--;
	r->file = arena_strndup(arena, start, (size_t)(colon - 1 - start));
	r->line = (unsigned)line;
	return true;
}

static void set_header_pc(struct oops_draft *draft, struct arena *arena, const char *at)
{
	struct oops_place place;

	if (draft->report.has_pc || !take_place(&at, arena, &place) || !place.function)
		return;
	draft->report.pc = place;
	draft->report.has_pc = true;
	draft->pc_of_header = true;
}

/* "comm/12" or "comm:12" up to @end; the comm may have the separator in it. */
static void take_task(struct oops_report *r, struct arena *arena, const char *from, const char *end,
		      char separator)
{
	const char *at = end;
	uint64_t pid;

	while (at > from && at[-1] != separator)
		at--;
	if (at == from)
		return;
	const char *digits = at;
	if (!take_number(&digits, &pid) || digits != end || pid > INT32_MAX)
		return;
	r->comm = trimmed(arena, from, at - 1);
	r->pid = (int)pid;
}

static void take_cpu(struct oops_report *r, const char *line, const char *marker)
{
	uint64_t n;

	if (r->cpu < 0 && number_behind(line, marker, &n) && n < INT32_MAX)
		r->cpu = (int)n;
}

/* --- By form. --- */

/* "Oops: 0002 [#1] SMP": a number of the error, a number of the oops. */
static void take_die(struct oops_report *r, const char *line)
{
	const char *number = strstr(line, " [#"), *at;
	uint64_t n;

	if (!number)
		return;
	if (number_behind(number, " [#", &n) && n < UINT32_MAX)
		r->number = (unsigned)n;
	for (at = number; at > line && at[-1] != ' ' && at[-1] != ':';)
		at--;
	const char *end = at;
	if (!r->has_error_code && take_hex(&end, &n) && end == number) {
		r->has_error_code = true;
		r->error_code = n;
	}
	if (starts_with(line, "Internal error: "))
		r->arm64 = true;
}

static void header_die(struct oops_draft *draft, struct arena *arena, const char *line)
{
	static const char *const markers[] = { "NULL pointer dereference, address: ",
					       "page fault for address: ",
					       "virtual address ",
					       "NULL pointer dereference at ",
					       "paging request at ",
					       "non-canonical address ",
					       "maybe for address ",
					       "stack guard page was hit at " };
	struct oops_report *r = &draft->report;
	uint64_t n;

	take_die(r, line);
	for (size_t i = 0; i < array_size(markers) && !r->has_address; i++) {
		const char *at = strstr(line, markers[i]);
		if (!at)
			continue;
		at += strlen(markers[i]);
		skip_blanks(&at);
		r->has_address = take_text(&at, "(null)") || take_hex(&at, &r->address);
		/* %p has printed a hash of it since 4.15. */
		if (strstr(markers[i], "guard page") && r->address >> 32 == 0) {
			r->has_address = false;
			r->address = 0;
		}
	}
	if (starts_with(line, "Unable to handle kernel") && strstr(line, "virtual address"))
		r->arm64 = true;
	if (hex_behind(line, "error_code: ", &n)) {
		r->has_error_code = true;
		r->error_code = n;
	}
	if (starts_with(line, "CFI failure at "))
		set_header_pc(draft, arena, line + strlen("CFI failure at "));
}

static void header_bug(struct oops_draft *draft, struct arena *arena, const char *line)
{
	const char *from = line + strlen("kernel BUG at "), *end = strrchr(from, '!');

	take_file_line(&draft->report, arena, from, end ? end : from + strlen(from));
}

/*
 * "WARNING: at F:12 f+0x1/0x2()", "WARNING: CPU: 0 PID: 1 at F:12 f+0x1/0x2", since 6.19
 * "WARNING: F:12 at f+0x1/0x2, CPU#0: comm/1".
 */
static void header_warn(struct oops_draft *draft, struct arena *arena, const char *line)
{
	struct oops_report *r = &draft->report;
	const char *at = strstr(line, " at "), *task = strstr(line, ", CPU#");
	uint64_t n;

	if (!at)
		return;
	take_cpu(r, line, task ? ", CPU#" : "CPU: ");
	if (task) {
		const char *comm = strstr(task, ": ");
		take_file_line(r, arena, line, at);
		if (comm)
			take_task(r, arena, comm + 2, line + strlen(line), '/');
		set_header_pc(draft, arena, at + strlen(" at "));
		return;
	}
	if (number_behind(line, " PID: ", &n) && n < INT32_MAX)
		r->pid = (int)n;
	at += strlen(" at ");
	const char *end = at + strcspn(at, " ");
	if (take_file_line(r, arena, at, end))
		at = end;
	skip_blanks(&at);
	set_header_pc(draft, arena, at);
}

static void header_panic(struct oops_draft *draft, struct arena *arena, const char *line)
{
	static const char marker[] = "not syncing: ";
	struct oops_report *r = &draft->report;
	const char *at = strstr(line, marker);

	if (!at)
		return;
	at += strlen(marker);
	r->message = trimmed(arena, at, at + strlen(at));
	take_cpu(r, at, "LOCKUP on cpu ");
}

static void header_stall(struct oops_draft *draft, struct arena *arena, const char *line)
{
	struct oops_report *r = &draft->report;
	const char *open = strrchr(line, '['), *close = strrchr(line, ']');

	take_cpu(r, line, "CPU#");
	take_cpu(r, line, " on cpu ");
	take_cpu(r, line, " on CPU ");
	take_cpu(r, line, "NMI backtrace for cpu ");
	if (open && close && open < close && !r->comm)
		take_task(r, arena, open + 1, close, ':');
}

/* "INFO: task jbd2/dm-0-8:455 blocked for more than 120 seconds." */
static void header_hung(struct oops_draft *draft, struct arena *arena, const char *line)
{
	const char *task = strstr(line, "task "), *end = strstr(line, " blocked ");

	end = end ? end : strstr(line, " can't die ");

	if (task && end && task < end)
		take_task(&draft->report, arena, task + strlen("task "), end, ':');
}

static void header_memory(struct oops_draft *draft, struct arena *arena, const char *line)
{
	static const char *const modes[] = { "gfp_mask=", "mode:", "gfp=" };
	static const char *const behind_comm[] = { " invoked oom-killer", ": page allocation",
						   ": vmalloc", ": warn_alloc" };
	struct oops_report *r = &draft->report;
	uint64_t n;

	for (size_t i = 0; i < array_size(behind_comm) && !r->comm; i++) {
		const char *end = strstr(line, behind_comm[i]);
		if (end && end > line)
			r->comm = trimmed(arena, line, end);
	}
	if ((number_behind(line, "order:", &n) || number_behind(line, "order=", &n)) && n < 64)
		r->order = (int)n;
	for (size_t i = 0; i < array_size(modes) && !r->gfp; i++) {
		const char *at = strstr(line, modes[i]);
		if (!at)
			continue;
		at += strlen(modes[i]);
		r->gfp = arena_strndup(arena, at, strcspn(at, ", \t"));
	}
	oops_memory_line(draft, arena, line);
}

static void header_slab(struct oops_draft *draft, struct arena *arena, const char *line)
{
	struct oops_report *r = &draft->report;
	const char *colon = strrchr(line, ':');

	if (!take_text(&line, "BUG "))
		return;
	/* The message may have colons of its own, the brackets have one: what is behind them. */
	const char *brackets = strstr(line, "): ");
	if (brackets)
		colon = brackets + 1;
	else
		colon = strstr(line, ": ");
	if (!colon)
		return;
	r->cache = trimmed(arena, line, line + strcspn(line, " :"));
	r->message = trimmed(arena, colon + 1, colon + strlen(colon));
	if (brackets && strstr(line, "(Tainted: ")) {
		const char *at = strstr(line, "(Tainted: ") + strlen("(Tainted: ");
		r->taint = oops_taint(&at, arena);
	}
}

static void header_checker(struct oops_draft *draft, struct arena *arena, const char *line)
{
	struct oops_report *r = &draft->report;
	const char *at = strstr(line, " in "), *words = strstr(line, ": ");

	if (starts_with(line, "UBSAN: ")) {
		const char *end = at ? at + 4 + strcspn(at + 4, " ") : NULL;
		const char *column = end ? end : line;
		/* "a.c:12:3": the column is of no use. */
		while (column > line && column[-1] != ':')
			column--;
		if (end && !take_file_line(r, arena, at, column - 1))
			take_file_line(r, arena, at, end);
	} else {
		words = words ? strstr(words + 1, ": ") : NULL;
		if (at)
			set_header_pc(draft, arena, at + strlen(" in "));
	}
	if (words)
		r->message = trimmed(arena, words + 2, words + strlen(words));
	/* KMSAN's stack follows at once. */
	if (starts_with(line, "BUG: KMSAN"))
		draft->section = SECTION_TRACE;
}

/* "BUG: scheduling while atomic: comm/12/0x2", "BUG: spinlock bad magic on CPU#0, comm/12". */
static void header_other(struct oops_draft *draft, struct arena *arena, const char *line)
{
	struct oops_report *r = &draft->report;
	const char *at = strstr(line, "while atomic: "), *end;

	if (at) {
		at += strlen("while atomic: ");
		end = strrchr(at, '/');
		take_task(r, arena, at, end ? end : at, '/');
		return;
	}
	take_cpu(r, line, " on CPU#");
	at = strstr(line, " on CPU#");
	at = at ? strstr(at, ", ") : NULL;
	if (at)
		take_task(r, arena, at + 2, line + strlen(line), '/');
	at = strstr(line, "invalid context at ");
	if (at)
		take_file_line(r, arena, at + strlen("invalid context at ") - 1, line + strlen(line));
	at = strstr(line, " in process ");
	if (at) {
		at += strlen(" in process ");
		end = strstr(at, " pfn:");
		end = end ? end : strstr(at, "  pte:");
		if (end)
			r->comm = trimmed(arena, at, end);
	}
}

static void header_check(struct oops_draft *draft, struct arena *arena, const char *line)
{
	if (!draft->report.message)
		draft->report.message = trimmed(arena, line, line + strlen(line));
}

void oops_header(struct oops_draft *draft, enum oops_form form, struct arena *arena,
		 const char *line)
{
	static void (*const by_form[])(struct oops_draft *, struct arena *, const char *) = {
		[FORM_DIE] = header_die,
		[FORM_BUG] = header_bug,
		[FORM_WARN] = header_warn,
		[FORM_CHECK] = header_check,
		[FORM_PANIC] = header_panic,
		[FORM_STALL] = header_stall,
		[FORM_NMI] = header_stall,
		[FORM_HUNG] = header_hung,
		[FORM_MEMORY] = header_memory,
		[FORM_SLAB] = header_slab,
		[FORM_CHECKER] = header_checker,
		[FORM_LOCKDEP] = NULL,
		[FORM_HARDWARE] = header_check,
		[FORM_OTHER] = header_other,
	};

	if (by_form[form])
		by_form[form](draft, arena, line);
}
