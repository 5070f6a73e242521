// SPDX-License-Identifier: LGPL-2.1-or-later
/* Runs every detector of the table on the same facts; the finding of the highest rank is the verdict. */
#include "diagnosis/diagnosis.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "diagnosis/explain.h"
#include "diagnosis/next.h"
#include "diagnosis/rules.h"
#include "diagnosis/settings.h"
#include "diagnosis/timeline.h"
#include "diagnosis/signature.h"
#include "forensics/fault.h"

extern const struct detector detector_address;
extern const struct detector detector_alive;
extern const struct detector detector_check;
extern const struct detector detector_code;
extern const struct detector detector_hardware;
extern const struct detector detector_jump;
extern const struct detector detector_panic;
extern const struct detector detector_reclaim;
extern const struct detector detector_refused;
extern const struct detector detector_report;
extern const struct detector detector_slab;
extern const struct detector detector_stack;
extern const struct detector detector_starved;
extern const struct detector detector_stuck;
extern const struct detector detector_workqueue;
extern const struct detector detector_callbacks;
extern const struct detector detector_storms;
extern const struct detector detector_text;
extern const struct detector detector_trap;

const struct detector *const detectors[] = {
	&detector_report,
	&detector_check,
	&detector_stack,
	&detector_jump,
	&detector_slab,
	&detector_refused,
	&detector_address,
	&detector_code,
	&detector_trap,
	&detector_panic,
	&detector_stuck,
	&detector_starved,
	&detector_workqueue,
	&detector_callbacks,
	&detector_storms,
	&detector_reclaim,
	&detector_hardware,
	&detector_alive,
	&detector_text,
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
	struct {
		vec_fields(struct failed_detector);
	} failed;
};

const char *confidence_name(enum confidence confidence)
{
	static const char *const names[] = { "possible", "likely", "certain" };

	return names[confidence];
}

enum confidence blame_confidence(const struct blame *blame)
{
	if (blame->unsure)
		return CONFIDENCE_POSSIBLE;
	return blame->because || blame->deduced ? CONFIDENCE_LIKELY : CONFIDENCE_CERTAIN;
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

void finding_add_why(struct findings *out, struct finding *finding, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	const char *text = vtext(out, fmt, args);
	va_end(args);
	finding->why = finding_text(out, "%s%s%s", finding->why ? finding->why : "",
				    finding->why ? "; " : "", text);
}

struct findings *findings_create(void)
{
	return xcalloc(1, sizeof(struct findings));
}

static void findings_deinit(struct findings *findings)
{
	arena_deinit(&findings->arena);
	vec_deinit(findings);
}

void findings_destroy(struct findings *findings)
{
	if (!findings)
		return;
	findings_deinit(findings);
	free(findings);
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

/* One that fails is named in the report; the others go on. */
static void run_detector(const struct detector *detector, const struct facts *facts,
			 struct diagnosis_owned *owned)
{
	const char *forced = facts->session->fail_detector;
	struct error *error = forced && strcmp(forced, detector->name) == 0
				      ? error_new(ERROR_MISSING, "it was told to fail (--fail-detector)")
				      : detector->run(facts, &owned->findings);

	if (!error)
		return;
	struct failed_detector failed = {
		.name = detector->name,
		.why = arena_strdup(&owned->facts_arena, error->message),
	};
	vec_push(&owned->failed, failed);
	error_free(error);
}

/* Detectors that all failed must not leave the report without a verdict. */
static void ensure_verdict(struct findings *findings)
{
	if (!findings->count)
		finding_add(findings, "unknown", "Unknown", RANK_FALLBACK, CONFIDENCE_POSSIBLE,
			    "Why this kernel died cannot be told: nothing that was looked for was "
			    "found");
}

/* The rules that fit; what is wrong with a rule's file is said with what the dump lacks. */
static void match_known(struct diagnosis_owned *owned)
{
	struct diagnosis *d = &owned->diagnosis;
	struct session *session = d->facts.session;
	struct rule_facts facts;
	struct rule_set set;

	rules_load(session->rules, &set);
	for (size_t i = 0; i < set.problems.count; i++)
		session_problem(session, "%s", set.problems.data[i]);
	rule_facts_of(d, &owned->facts_arena, &facts);
	d->known = rules_match(&set, &facts, &owned->facts_arena, &d->known_count);
	rules_deinit(&set);
}

/* What only says that nothing was found is for when nothing was. */
static void drop_unknown(struct findings *findings)
{
	size_t kept = 1;

	for (size_t i = 1; i < findings->count; i++) {
		if (strcmp(findings->data[i].kind, "unknown") != 0)
			findings->data[kept++] = findings->data[i];
	}
	findings->count = kept;
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
		run_detector(detectors[i], facts, owned);
	ensure_verdict(findings);
	sort_findings(findings);
	drop_unknown(findings);
	explain(facts, findings, &findings->data[0]);
	for (size_t i = 0; facts->session->text && i < findings->count; i++)
		explain_text_names(facts, findings, &findings->data[i]);
	timeline_relate(facts, findings, &findings->data[0]);
	blame_place(facts, &findings->data[0].blame);
	settings_of_oops(facts, findings, &findings->data[0]);
	struct diagnosis *d = &owned->diagnosis;
	d->findings = findings->data;
	d->finding_count = findings->count;
	match_known(owned);
	signature_make(d);
	next_steps(d);
	d->failed = owned->failed.data;
	d->failed_count = owned->failed.count;
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
	findings_deinit(&owned->findings);
	vec_deinit(&owned->failed);
	free(owned);
}
