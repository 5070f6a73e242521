// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reports of the kernel's own checks that stop nothing by themselves: the slab allocator found an
 * object overwritten, a page was freed while in use, a lock is no lock, code slept where it must
 * not. Each is a sign of what may have killed the machine later. It is the death itself when the
 * kernel was told to stop then (kernel.panic_on_taint, panic_on_warn), when control flow checks end
 * in BUG(), or when the crash is about the very object that had been reported.
 */
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/checks.h"
#include "kernel/slab.h"

/* When a report is the death. */
enum deadly {
	DEADLY_NEVER,
	DEADLY_BY_TRAP,   /* ud2 follows at once */
	DEADLY_BY_PANIC,  /* panic()'s message begins with the same words */
	DEADLY_BY_OBJECT, /* the crash is about the same object */
};

static const struct {
	const char *marker;
	bool at_start;
	enum deadly deadly;
	const char *kind, *title, *why;
} checks[] = {
	{ "CFI failure at ", true, DEADLY_BY_TRAP, "cfi", "Call through a pointer of another type",
	  "control-flow integrity (CFI) compares the type of the pointer with that of the "
	  "function" },
	{ "Missing ENDBR: ", false, DEADLY_BY_TRAP, "cfi", "Jump to where none may lead",
	  "the CPU's control-flow enforcement (CET IBT) stopped an indirect call or jump" },
	{ "BUG: scheduling while atomic", true, DEADLY_BY_PANIC, "atomic-sleep",
	  "Sleep in atomic context", "code that must not sleep did" },
	{ "BUG ", true, DEADLY_BY_OBJECT, "slab-damage", "Slab memory overwritten",
	  "the slab allocator's own checks (slub_debug) found an object damaged" },
	{ "BUG: Bad page state in process", true, DEADLY_NEVER, "bad-page", "Bad page state",
	  "a page was freed or handed out while something still used it" },
	{ "BUG: sleeping function called", true, DEADLY_NEVER, "atomic-sleep",
	  "Sleep in atomic context", "code that must not sleep called what may" },
	{ "BUG: spinlock ", true, DEADLY_NEVER, "lock-misuse", "Lock misused",
	  "a spinning lock is not in the state that it should be" },
};

/* How many lines behind @r may belong to its report. */
enum { REPORT_LINES = 100 };

static size_t lines_behind(const struct facts *facts, const struct log_record *r)
{
	size_t left = (size_t)(facts->log + facts->log_count - r) - 1;

	return left < REPORT_LINES ? left : REPORT_LINES;
}

/* The last line of check @i before the panic that can be taken apart. */
static const struct log_record *last_line(const struct facts *facts, size_t i)
{
	struct check_words words;

	for (size_t n = facts_log_until_panic(facts); n-- > 0;) {
		const struct log_record *r = &facts->log[n];
		bool hit = checks[i].at_start ? starts_with(r->text, checks[i].marker)
					      : strstr(r->text, checks[i].marker) != NULL;
		if (hit && check_decode(r->text, r + 1, lines_behind(facts, r), &words) &&
		    *words.sentence)
			return r;
	}
	return NULL;
}

/* Does the death follow in the next lines? */
enum { FOLLOWS_LINES = 8 };

static bool trap_follows(const struct facts *facts, const struct log_record *r)
{
	const struct log_record *end = facts->log + facts->log_count;

	for (size_t i = 1; i <= FOLLOWS_LINES && r + i < end; i++) {
		if (strstr(r[i].text, "kernel BUG at ") || strstr(r[i].text, "invalid opcode") ||
		    strstr(r[i].text, "Oops"))
			return true;
	}
	return false;
}

/* Is what the crash tripped over in the slab object that the report names? */
static bool same_object(const struct facts *facts, const struct log_record *r)
{
	const struct fault_site *fault = &facts->fault;
	struct slab_object object;
	struct check_words words;

	if (!fault->has_address || !facts->session->memory || facts->session->text ||
	    !check_decode(r->text, r + 1, lines_behind(facts, r), &words) || !words.object ||
	    !slab_object_at(facts->session, words.object, &object) || !object.slab.cache)
		return false;
	return fault->address - object.address < object.slab.cache->size ||
	       (fault->base_reg >= 0 &&
		fault->base_value - object.address < object.slab.cache->size);
}

static bool is_deadly(const struct facts *facts, size_t i, const struct log_record *r)
{
	const char *message = facts->panic_message;

	if (message && strstr(message, "panic_on_taint"))
		return true;
	switch (checks[i].deadly) {
	case DEADLY_BY_TRAP:
		/* A text may tell of the exception only in words. */
		return (facts->fault.trap != TRAP_NONE || facts->session->text) &&
		       trap_follows(facts, r);
	case DEADLY_BY_PANIC:
		return message && starts_with(message, checks[i].marker + strlen("BUG: "));
	case DEADLY_BY_OBJECT:
		return same_object(facts, r);
	case DEADLY_NEVER:
		break;
	}
	return false;
}

/* "[Right Redzone overwritten] 0xA-0xB ...": of the report that begins at @r, on a line above it. */
static const struct log_record *corrupt_part(const struct facts *facts, const struct log_record *r)
{
	enum { LINES_ABOVE = 4 };

	for (size_t n = 1; n <= LINES_ABOVE && r - facts->log >= (ptrdiff_t)n; n++) {
		if (r[-(ptrdiff_t)n].text[0] == '[' && check_slab_title(r[-(ptrdiff_t)n].text))
			return r - n;
	}
	return NULL;
}

/*
 * The allocator looks at an object when it is freed or handed out: whoever did that may have
 * nothing to do with the damage.
 */
static void slab_words(const struct facts *facts, const struct log_record *r, struct findings *out,
		       struct finding *f)
{
	const struct log_record *part = corrupt_part(facts, r);

	if (part) {
		f->why = finding_text(out, "%s: %s", f->why, check_slab_title(part->text));
		finding_evidence(out, f, "log", "%.*s", (int)strcspn(part->text, "\n"), part->text);
	}
	if (f->blame.known && !f->blame.unsure)
		f->blame.unsure = "it had the object freed or handed out, and the damage was seen "
				  "then; who wrote to it may be another";
}

static void add(const struct facts *facts, size_t i, const struct log_record *r,
		struct findings *out)
{
	bool deadly = is_deadly(facts, i, r), by_object = checks[i].deadly == DEADLY_BY_OBJECT;
	struct finding *f = finding_add(
		out, checks[i].kind, checks[i].title, deadly ? RANK_SPECIAL + 2 : RANK_FALLBACK - 2,
		!deadly ? CONFIDENCE_POSSIBLE : by_object ? CONFIDENCE_LIKELY : CONFIDENCE_CERTAIN,
		"The kernel reported \"%.*s\", %s", (int)strcspn(r->text, "\n"), r->text,
		deadly ? facts_where(facts) : "some time before the end");

	f->why = checks[i].why;
	finding_evidence(out, f, "log", "%.*s", (int)strcspn(r->text, "\n"), r->text);
	check_explain(facts, r, out, f);
	if (!deadly)
		return;
	if (by_object && facts->fault.trap != TRAP_NONE)
		f->against = "the crash is about the object that was reported before; that the "
			     "same writer did both is likely, but was not seen";
	if (f->blame.known)
		; /* by the report's own words */
	else if (facts->fault.trap != TRAP_NONE)
		f->blame = facts_blame(facts, facts->fault.frame);
	else if (facts->panic_caller < facts->stack.count)
		f->blame = facts_blame(facts, facts->panic_caller);
	else if (facts->session->text && facts->stack.count)
		f->blame = facts_blame(facts, 0);
	if (by_object)
		slab_words(facts, r, out, f);
}

static struct error *run(const struct facts *facts, struct findings *out)
{
	for (size_t i = 0; i < array_size(checks); i++) {
		const struct log_record *r = last_line(facts, i);
		if (r)
			add(facts, i, r, out);
	}
	return NULL;
}

const struct detector detector_check = {
	.name = "check",
	.looks_for = "reports of damaged slab objects, bad pages, misused locks, sleep in atomic "
		     "context, control-flow checks",
	.run = run,
};
