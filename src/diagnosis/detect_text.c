// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A text in which no kernel dies: what it complains of is then what the reader wants to know about.
 * That it went on after that, or what came then, the text does not say.
 */
#include <string.h>

#include "diagnosis/checks.h"
#include "forensics/caught.h"
#include "kernel/text.h"

/* Kinds of reports (kernel/oops.h), the most telling first. */
static const struct {
	const char *report;
	const char *kind, *title;
} kinds[] = {
	{ "KASAN report", "checker-report", "Report of a kernel checker" },
	{ "KFENCE report", "checker-report", "Report of a kernel checker" },
	{ "undefined behaviour", "checker-report", "Report of a kernel checker" },
	{ "data race", "checker-report", "Report of a kernel checker" },
	{ "hard lockup", "hardlockup", "Hard lockup" },
	{ "soft lockup", "softlockup", "Soft lockup" },
	{ "RCU stall", "rcu-stall", "RCU stall" },
	{ "hung task", "hung-task", "Hung task" },
	{ "slab corruption", "slab-damage", "Slab memory overwritten" },
	{ "bad page state", "bad-page", "Bad page state" },
	{ "bad page map", "bad-page", "Bad page map" },
	{ "list corruption", "list-corruption", "List corruption" },
	{ "reference count error", "refcount", "Reference count error" },
	{ "scheduling while atomic", "atomic-sleep", "Scheduling while atomic" },
	{ "sleeping in atomic context", "atomic-sleep", "Sleeping in atomic context" },
	{ "possible deadlock", "deadlock", "Possible deadlock" },
	{ "kernel warning", "warning", "Kernel warning" },
	{ "out of memory", "oom", "Out of memory" },
	{ "page allocation failure", "page-allocation", "Page allocation failure" },
};

/* Any other report of the kernel's. */
static const struct oops_report *any_report(const struct text *text)
{
	for (size_t i = 0; i < text->report_count; i++) {
		if (text->reports[i].frame_count)
			return &text->reports[i];
	}
	return text->report_count ? &text->reports[0] : NULL;
}

static const struct task *task_of(const struct text *text, const struct oops_report *report)
{
	for (size_t i = 0; i < text->thread_count; i++) {
		if (text->threads[i].report == report)
			return &text->threads[i].task;
	}
	return NULL;
}

static void add_finding(const struct facts *facts, const struct oops_report *report,
			const char *kind, const char *title, struct findings *out)
{
	const struct task *task = task_of(facts->session->text, report);
	struct stack stack = { 0 };
	struct finding *f = finding_add(
		out, kind, title, RANK_FALLBACK + 5, CONFIDENCE_LIKELY,
		"The kernel reported \"%s\"; that it died of it the text does not say",
		report->header);

	finding_evidence(out, f, "log", "%s", report->header);
	check_explain(facts, facts_log_find_last(facts, report->header), out, f);
	if (!task)
		return;
	text_stack(facts->session, task, &stack);
	if (stack.count && !f->blame.known)
		f->blame = facts_blame_stack(facts, &stack,
					     stack_caught_at(facts->session, &stack));
	f->blame.frame = SIZE_MAX; /* of another stack than the crash's: there is none */
	stack_deinit(&stack);
}

static struct error *run(const struct facts *facts, struct findings *out)
{
	const struct text *text = facts->session->text;

	if (!text || text->death || facts->panic_message)
		return NULL;
	for (size_t k = 0; k < array_size(kinds); k++) {
		for (size_t i = 0; i < text->report_count; i++) {
			if (strcmp(text->reports[i].kind, kinds[k].report) != 0)
				continue;
			add_finding(facts, &text->reports[i], kinds[k].kind, kinds[k].title, out);
			return NULL;
		}
	}
	if (any_report(text))
		add_finding(facts, any_report(text), "kernel-report", "Report of the kernel", out);
	return NULL;
}

const struct detector detector_text = {
	.name = "text",
	.looks_for = "in a text without a death, the worst that the kernel reported",
	.run = run,
};
