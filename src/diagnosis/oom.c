// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The sentences about an out-of-memory panic: whose limit it was (the machine's, a cgroup's), who
 * had most of the memory, what the rest was used for; and where memory was left, why it could not
 * be used (fragmented, or of other zones or nodes than asked for).
 */
#include "diagnosis/oom.h"

#include <inttypes.h>
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/panic_trace.h"
#include "diagnosis/settings.h"

enum {
	SHARE_BIG = 30,   /* percent of all: it stands out */
	SHARE_TOLD = 3,   /* percent: worth telling */
	FREE_MUCH = 15,   /* percent free: memory as such was not what was missing */
	SENTENCES_MAX = 6,
};

/* Of all that is used, what is most; free memory is used by nobody. */
static enum use_kind biggest(const struct memory_use *use)
{
	enum use_kind best = USE_ANON;

	for (enum use_kind kind = USE_ANON; kind < USE_KINDS; kind++) {
		if (use->bytes[kind] > use->bytes[best])
			best = kind;
	}
	return best;
}

/* "processes' own memory 242.4 MiB (87 %), slab ... 7.0 MiB (3 %), free 3.6 MiB (1 %)" */
static const char *shares(const struct facts *facts, const struct memory_use *use)
{
	auto_strbuf text = { 0 };
	bool told[USE_KINDS] = { false };

	for (unsigned n = 0; n < SENTENCES_MAX; n++) {
		int best = -1;
		for (int kind = USE_ANON; kind < USE_KINDS; kind++) {
			if (!told[kind] && (best < 0 || use->bytes[kind] > use->bytes[best]))
				best = kind;
		}
		if (best < 0 || percent_of(use->bytes[best], use->total) < SHARE_TOLD)
			break;
		told[best] = true;
		strbuf_addf(&text, "%s%s %s (%u %%)", text.len ? ", " : "",
			    use_kind_words(use, (enum use_kind)best),
			    bytes_words(facts->arena, use->bytes[best]),
			    percent_of(use->bytes[best], use->total));
	}
	if (use->bytes[USE_FREE])
		strbuf_addf(&text, "%sfree %s (%u %%)", text.len ? ", " : "",
			    bytes_words(facts->arena, use->bytes[USE_FREE]),
			    percent_of(use->bytes[USE_FREE], use->total));
	return arena_strdup(facts->arena, strbuf_text(&text));
}

/* "the memory cgroup /shop, whose limit is 48.0 MiB" */
static const char *whose_limit(const struct facts *facts, const struct oom_log *report)
{
	return arena_printf(facts->arena, "the memory cgroup%s%s has used up its limit of %s",
			    report->path ? " " : "", report->path ? report->path : "",
			    bytes_words(facts->arena, report->limit));
}

static void say_request(const struct facts *facts, const struct oom_log *report,
			struct findings *out, struct finding *f)
{
	const char *blocks;

	if (report->constraint && strcmp(report->constraint, "CONSTRAINT_NONE") != 0 &&
	    strcmp(report->constraint, "CONSTRAINT_MEMCG") != 0)
		f->why = finding_text(out, "%s. The request was confined to some nodes: %s", f->why,
				      report->constraint);
	if (report->order <= 0)
		return;
	f->why = finding_text(out, "%s. What was asked for was a block of %u pages in one piece "
			      "(order %d)", f->why, 1u << (report->order & 31), report->order);
	blocks = free_blocks_words(facts, (unsigned)report->order);
	if (blocks)
		finding_evidence(out, f, "kmem -f", "%s", blocks);
}

/* Much memory is free, and yet there was none to be had. */
static void say_free(const struct facts *facts, const struct memory_use *use,
		     const struct oom_log *report, struct findings *out, struct finding *f)
{
	if (report->cgroup || percent_of(use->bytes[USE_FREE], use->total) < FREE_MUCH)
		return;
	f->against = finding_text(out, "%s are free now: the request could not use them (other "
				  "zones or nodes, or broken up too small), or something was freed "
				  "since", bytes_words(facts->arena, use->bytes[USE_FREE]));
}

/* The first sentence and who it is about. */
static void say_who(const struct facts *facts, const struct memory_use *use, enum use_kind kind,
		    const struct oom_answer *answer, struct findings *out, struct finding *f)
{
	unsigned share = percent_of(answer->bytes, use->total);
	const char *who = answer->who ? answer->who : use_kind_words(use, kind);

	if (share < SHARE_BIG)
		f->what = finding_text(out, "No single user stands out; most, %s of %s (%u %%), "
				       "was had by %s", bytes_words(facts->arena, answer->bytes),
				       bytes_words(facts->arena, use->total), share, who);
	else if (answer->bytes > use->total) /* part of it is charged to others than the cgroup */
		f->what = finding_text(out, "All of %s was taken by %s, which has %s",
				       bytes_words(facts->arena, use->total), who,
				       bytes_words(facts->arena, answer->bytes));
	else
		f->what = finding_text(out, "%s of %s (%u %%) were taken by %s",
				       bytes_words(facts->arena, answer->bytes),
				       bytes_words(facts->arena, use->total), share, who);
}

/* The table of tasks tells who, where the dump cannot be asked, or of a cgroup. */
static void ask_log(const struct facts *facts, const struct oom_log *report, enum use_kind kind,
		    struct findings *out, struct finding *f, struct oom_answer *answer)
{
	struct oom_eater eater;
	uint64_t bytes;
	const char *name;

	if (kind == USE_SLAB_FIXED && oom_log_slab(facts, report, &name, &bytes)) {
		answer->who = finding_text(out, "the slab cache %s", name);
		answer->bytes = bytes;
		answer->next = finding_text(out, "boot with slub_debug=U,%s: then each object "
					    "knows who allocated it", name);
		finding_evidence_shows(out, f, "log", name, "the log's table of slab caches has "
				       "%s with %s", name, bytes_words(facts->arena, bytes));
	}
	if (kind != USE_ANON && kind != USE_SHMEM && kind != USE_TABLES)
		return;
	if (!oom_log_eater(facts, report, &eater) || eater.bytes < answer->bytes / 2)
		return;
	answer->who = oom_eater_words(facts, &eater);
	answer->bytes = eater.bytes;
	finding_evidence_shows(out, f, "log", eater.comm, "the log's table of tasks has %s with %s",
			       answer->who, bytes_words(facts->arena, eater.bytes));
}

static void gather(const struct facts *facts, const struct oom_log *report,
		   struct memory_use *use)
{
	if (report->cgroup) {
		use_from_log(facts, report, use);
		return;
	}
	use_from_memory(facts, use);
	if (!use->known)
		use_from_log(facts, report, use);
}

/*
 * The kernel itself took the memory, and nothing says who: the module whose request failed is one
 * to look at, no more.
 */
static void suspect_requester(const struct facts *facts, enum use_kind kind, struct finding *f)
{
	struct symbol sym;

	if (kind != USE_SLAB_FIXED && kind != USE_VMALLOC && kind != USE_UNCOUNTED)
		return;
	for (size_t i = facts->panic_caller; i < facts->stack.count; i++) {
		if (facts->stack.frames[i].has_regs)
			return;
		if (!facts_frame_symbol(facts, i, &sym) || !sym.module)
			continue;
		f->blame = facts_blame(facts, i);
		f->blame.skipped = NULL;
		f->blame.unsure = "its request was the one that failed; who took the rest is not "
				  "known";
		return;
	}
}

void oom_explain(const struct facts *facts, struct findings *out, struct finding *f)
{
	struct memory_use use;
	struct oom_log report;
	struct oom_answer answer;
	const char *policy = f->why;

	oom_log_parse(facts, &report);
	gather(facts, &report, &use);
	if (!use.known) {
		f->against = "what the memory was used for can be told neither by the kernel's "
			     "counters nor by the log";
		return;
	}
	enum use_kind kind = biggest(&use);
	if (report.cgroup)
		answer = (struct oom_answer){ .bytes = use.bytes[kind] };
	else
		oom_who(facts, &use, kind, out, f, &answer);
	if (!answer.who)
		ask_log(facts, &report, kind, out, f, &answer);
	say_who(facts, &use, kind, &answer, out, f);
	const char *used = shares(facts, &use);
	f->why = finding_text(out, "%s%s%s. Of %s: %s%s%s", policy ? policy : "out of memory",
			      report.cgroup ? "; " : "",
			      report.cgroup ? whose_limit(facts, &report) : "",
			      report.cgroup ? "that limit" : "the machine's memory", used,
			      answer.more ? ". " : "", answer.more ? answer.more : "");
	finding_evidence(out, f, use.command, "%s", used);
	say_request(facts, &report, out, f);
	say_free(facts, &use, &report, out, f);
	if (answer.next)
		f->next = answer.next;
	if (!f->blame.known)
		suspect_requester(facts, kind, f);
	if (answer.who && percent_of(answer.bytes, use.total) >= SHARE_BIG)
		f->who = answer.who;
}
