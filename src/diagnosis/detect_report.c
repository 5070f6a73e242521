// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A checker of the kernel (KASAN, KFENCE, KCSAN, UBSAN) caught a bad access in the act: nothing
 * that registers or stacks say is better. It is the death itself when the panic says that it was
 * set to be (kernel.panic_on_warn, kasan.fault=panic); else it is only an earlier sign. Texts are
 * those of mm/kasan/report.c, mm/kfence/report.c, kernel/kcsan/report.c and lib/ubsan.c.
 */
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/checks.h"

static const struct {
	const char *marker; /* before the report's own words */
	const char *tool;
} tools[] = {
	{ "BUG: KASAN: ", "KASAN" },
	{ "BUG: KFENCE: ", "KFENCE" },
	{ "BUG: KCSAN: ", "KCSAN" },
	{ "UBSAN: ", "UBSAN" },
};

/* Earlier rows win. */
static const struct {
	const char *text, *kind, *title, *why;
} classes[] = {
	{ "use-after-free", "use-after-free", "Use after free",
	  "the object was used after it was freed" },
	{ "double-free", "double-free", "Double free", "the object was freed twice" },
	{ "invalid-free", "invalid-free", "Free of what is no object",
	  "the pointer given back is not one that was allocated, or it was given back before" },
	{ "invalid free", "invalid-free", "Free of what is no object",
	  "the pointer given back is not one that was allocated, or it was given back before" },
	{ "memory corruption", "out-of-bounds", "Memory behind an object overwritten",
	  "something wrote past the object; it was noticed when the object was freed" },
	{ "shift-out-of-bounds", "undefined-behaviour", "Undefined behaviour",
	  "a shift by a negative number or by more bits than the type has" },
	{ "out-of-bounds", "out-of-bounds", "Access out of bounds",
	  "the access went past the object or array" },
	{ "null-ptr-deref", "null-pointer", "NULL pointer dereference", "a pointer was NULL" },
	{ "data-race", "data-race", "Data race",
	  "two CPUs used the same memory at the same time, one to write, without a lock" },
};

struct report {
	const struct log_record *record;
	const char *tool;
	const char *words; /* "use-after-free read in f+0x1/0x2 [m]" */
};

/* Reports are printed with empty lines between their parts, some of them within one record. */
static const char *first_line(const struct facts *facts, const char *text)
{
	text += strspn(text, " \t");
	return arena_strndup(facts->arena, text, strcspn(text, "\n"));
}

static bool find_report(const struct facts *facts, struct report *report)
{
	for (size_t n = facts_log_until_panic(facts); n-- > 0;) {
		const struct log_record *r = &facts->log[n];
		for (size_t i = 0; i < array_size(tools); i++) {
			if (!starts_with(r->text, tools[i].marker))
				continue;
			*report = (struct report){ r, tools[i].tool,
						   first_line(facts, r->text +
							      strlen(tools[i].marker)) };
			return true;
		}
	}
	return false;
}

/* Did the machine die of this report? Since 6.1 the panic names the tool, before it does not. */
static bool was_deadly(const struct facts *facts, const struct report *report)
{
	const char *message = facts->panic_message;

	if (!message)
		return false;
	if (strcasecmp(report->tool, "KASAN") == 0 && starts_with(message, "kasan.fault=panic set"))
		return true;
	const char *policy = strstr(message, "panic_on_warn set");
	if (!policy)
		return false;
	if (policy != message)
		return starts_with(message, report->tool);
	for (const struct log_record *r = report->record; r < facts->panic_record; r++) {
		if (starts_with(r->text, "WARNING: "))
			return false;
	}
	return true;
}

enum { DETAIL_LINES = 80, STACK_LINES = 16 };

/* " f+0x1/0x2 [m]": the first function of the trace behind @head that is no general helper. */
static const char *first_of_trace(const struct facts *facts, const struct log_record *head)
{
	const struct log_record *end = facts->log + facts->log_count;

	for (size_t i = 1; i <= STACK_LINES && head + i < end; i++) {
		const char *at = head[i].text + strspn(head[i].text, " \t");
		size_t n = strcspn(at, "+.");
		if (!strchr(at, '+') || strchr(at, '?'))
			continue;
		if (!blame_is_helper(arena_strndup(facts->arena, at, n)))
			return first_line(facts, at);
	}
	return NULL;
}

/* Whose object it was: the lines that say so, and who allocated and freed it. */
static void add_details(const struct facts *facts, const struct report *report,
			struct findings *out, struct finding *f)
{
	static const struct {
		const char *text;
		bool trace;
	} details[] = {
		{ "kfence-#", false },
		{ "The buggy address belongs to the object at", false },
		{ "The buggy address is located", false },
		{ "which belongs to the cache", false },
		{ "llocated by task", true },
		{ "reed by task", true },
	};
	const struct log_record *end = facts->log + facts->log_count;

	for (size_t i = 1; i < DETAIL_LINES && report->record + i < end; i++) {
		const struct log_record *r = report->record + i;
		if (r == facts->panic_record)
			break;
		for (size_t d = 0; d < array_size(details); d++) {
			if (!strstr(r->text, details[d].text))
				continue;
			const char *who = details[d].trace ? first_of_trace(facts, r) : NULL;
			finding_evidence(out, f, "log", "%s%s%s", first_line(facts, r->text),
					 who ? " " : "", who ? who : "");
			break;
		}
	}
}

static struct error *run(const struct facts *facts, struct findings *out)
{
	struct report report;

	if (!find_report(facts, &report))
		return NULL;
	bool deadly = was_deadly(facts, &report);
	struct finding *f = finding_add(out, "checker-report", "Report of a kernel checker",
					deadly ? RANK_SPECIAL + 2 : RANK_FALLBACK - 2,
					deadly ? CONFIDENCE_CERTAIN : CONFIDENCE_POSSIBLE,
					"%s reported: %s, %s", report.tool, report.words,
					deadly ? facts_where(facts) : "some time before the end");
	f->why = "a checker that was built into the kernel found it in the act";
	for (size_t i = 0; i < array_size(classes); i++) {
		if (!strstr(report.words, classes[i].text))
			continue;
		f->kind = classes[i].kind;
		f->title = classes[i].title;
		f->why = classes[i].why;
		break;
	}
	finding_evidence(out, f, "log", "%s", first_line(facts, report.record->text));
	add_details(facts, &report, out, f);
	check_explain(facts, report.record, out, f);
	if (!deadly)
		return NULL;
	/* Where memory was touched there is a fault (KFENCE); else the checker was called. */
	if (facts->fault.trap != TRAP_NONE)
		f->blame = facts_blame(facts, facts->fault.frame);
	else if (facts->panic_caller < facts->stack.count)
		f->blame = facts_blame(facts, facts->panic_caller);
	/* Named by the report itself: what stands above it on the stack is the checker's own. */
	const char *in = strstr(report.words, " in ");
	if (in && f->blame.known && starts_with(in + strlen(" in "), f->blame.function))
		f->blame.skipped = NULL;
	return NULL;
}

const struct detector detector_report = {
	.name = "report",
	.looks_for = "a report of KASAN, KFENCE, KCSAN or UBSAN that the kernel was told to die of",
	.run = run,
};
