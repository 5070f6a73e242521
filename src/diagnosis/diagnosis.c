// SPDX-License-Identifier: LGPL-2.1-or-later
/* Runs every detector of the table on the same facts; the finding of the highest rank is the verdict. */
#include "diagnosis/diagnosis.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/vec.h"
#include "diagnosis/explain.h"
#include "forensics/fault.h"

extern const struct detector detector_address, detector_alive, detector_jump, detector_panic,
	detector_report, detector_slab, detector_stack, detector_trap;

const struct detector *const detectors[] = {
	&detector_report,
	&detector_stack,
	&detector_jump,
	&detector_slab,
	&detector_address,
	&detector_trap,
	&detector_panic,
	&detector_alive,
	NULL,
};

struct findings {
	struct arena arena;
	vec_fields(struct finding);
};

/* The diagnosis as its owner sees it, with what it is made of. */
struct diagnosis_owned {
	struct diagnosis diagnosis;
	struct arena facts_arena;
	struct fault_view view;
	struct findings findings;
};

const char *confidence_name(enum confidence confidence)
{
	static const char *const names[] = { "possible", "likely", "certain" };

	return names[confidence];
}

static const char *printf_like(2, 0)
	vtext(struct findings *out, const char *fmt, va_list args)
{
	char buf[2048];

	vsnprintf(buf, sizeof(buf), fmt, args);
	return arena_strdup(&out->arena, buf);
}

const char *finding_text(struct findings *out, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	const char *text = vtext(out, fmt, args);
	va_end(args);
	return text;
}

struct finding *finding_add(struct findings *out, const char *kind, const char *title,
			    unsigned rank, enum confidence confidence, const char *what, ...)
{
	va_list args;

	va_start(args, what);
	const char *sentence = vtext(out, what, args);
	va_end(args);
	vec_push(out, (struct finding){ .kind = kind,
					.title = title,
					.rank = rank,
					.confidence = confidence,
					.what = sentence });
	return &out->data[out->count - 1];
}

static void add_evidence(struct findings *out, struct finding *finding, const char *command,
			 const char *shows, const char *text)
{
	if (finding->evidence_count == EVIDENCE_MAX)
		return;
	finding->evidence[finding->evidence_count++] = (struct evidence){
		.text = text,
		.command = command ? arena_strdup(&out->arena, command) : NULL,
		.shows = shows ? arena_strdup(&out->arena, shows) : NULL,
	};
}

void finding_evidence(struct findings *out, struct finding *finding, const char *command,
		      const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_evidence(out, finding, command, NULL, vtext(out, fmt, args));
	va_end(args);
}

void finding_evidence_shows(struct findings *out, struct finding *finding, const char *command,
			    const char *shows, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_evidence(out, finding, command, shows, vtext(out, fmt, args));
	va_end(args);
}

/* Higher rank first; among equals the surer one, then the one whose detector comes first. */
static bool outranks(const struct finding *x, const struct finding *y)
{
	return x->rank != y->rank ? x->rank > y->rank : x->confidence > y->confidence;
}

/* qsort is not stable: few findings, so insertion keeps the detectors' order among equals. */
static void sort_findings(struct findings *f)
{
	for (size_t i = 1; i < f->count; i++) {
		struct finding moving = f->data[i];
		size_t j = i;
		for (; j > 0 && outranks(&moving, &f->data[j - 1]); j--)
			f->data[j] = f->data[j - 1];
		f->data[j] = moving;
	}
}

struct diagnosis *diagnose(struct session *session)
{
	struct diagnosis_owned *owned = xcalloc(1, sizeof(*owned));
	struct findings *findings = &owned->findings;

	struct facts *facts = &owned->diagnosis.facts;

	facts_gather(facts, session, &owned->facts_arena);
	if (facts->fault.trap != TRAP_NONE && !facts->fault.pc_is_wild) {
		fault_view(session, &facts->stack, facts->fault.frame, &owned->view);
		facts->view = &owned->view;
	}
	for (size_t i = 0; detectors[i]; i++)
		detectors[i]->run(facts, findings);
	sort_findings(findings);
	if (findings->count)
		explain(facts, findings, &findings->data[0]);
	owned->diagnosis.findings = findings->data;
	owned->diagnosis.finding_count = findings->count;
	return &owned->diagnosis;
}

void diagnosis_destroy(struct diagnosis *diagnosis)
{
	if (!diagnosis)
		return;
	struct diagnosis_owned *owned = container_of(diagnosis, struct diagnosis_owned, diagnosis);
	if (diagnosis->facts.view)
		fault_view_deinit(&owned->view);
	facts_deinit(&diagnosis->facts);
	arena_deinit(&owned->facts_arena);
	arena_deinit(&owned->findings.arena);
	vec_deinit(&owned->findings);
	free(owned);
}
