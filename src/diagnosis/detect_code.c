// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Was the code itself still what was built? The functions on the stack of the crash are compared
 * with the kernel's file, where one is at hand (forensics/text_check.h); all code would take a
 * second, which is what `textcheck` is for. Without a file nothing is said.
 */
#include <inttypes.h>

#include "base/vec.h"
#include "diagnosis/diagnosis.h"
#include "forensics/text_check.h"

enum { FUNCTIONS_MAX = 64 };

struct addresses {
	vec_fields(uint64_t);
};

static void functions_on_stack(const struct facts *facts, struct addresses *functions)
{
	for (size_t i = 0; i < facts->stack.count && functions->count < FUNCTIONS_MAX; i++) {
		const struct frame *f = &facts->stack.frames[i];
		if (f->how != FRAME_SCAN)
			vec_push(functions, f->is_call ? f->pc - 1 : f->pc);
	}
}

static bool in_faulting_function(const struct facts *facts, const struct text_difference *d)
{
	struct symbol at, fault;

	return facts->fault.trap != TRAP_NONE && !facts->fault.pc_is_wild &&
	       symbols_by_address(facts->session->symbols, d->address, &at) &&
	       symbols_by_address(facts->session->symbols, facts->fault.pc, &fault) &&
	       at.address == fault.address;
}

static const char *place_of(const struct facts *facts, uint64_t address)
{
	struct frame frame = { .pc = address };

	return facts_text_of_frame(facts, &frame);
}

static void show(const struct facts *facts, struct findings *out, struct finding *f,
		 const struct text_difference *d)
{
	struct symbol symbol;

	if (symbols_by_address(facts->session->symbols, d->address, &symbol))
		finding_evidence_shows(out, f, finding_text(out, "textcheck 0x%" PRIx64, d->address),
				       finding_text(out, "%016" PRIx64, d->address),
				       "%s is not as it was built: %u bit%s differ%s",
				       place_of(facts, d->address), d->bits, d->bits == 1 ? "" : "s",
				       d->bits == 1 ? "s" : "");
}

/* One bit in all that was compared. */
static void one_bit(const struct facts *facts, struct findings *out,
		    const struct text_difference *d)
{
	struct finding *f = finding_add(
		out, "text-bit-flip", "One bit of the kernel's code is wrong", RANK_ROOT,
		CONFIDENCE_LIKELY, "The code at %s differs from the kernel's file in one bit (%u of the "
		"byte at 0x%" PRIx64 "), %s", place_of(facts, d->address), d->bit % 8,
		d->address + d->bit / 8, facts_where(facts));

	f->apart = true;
	f->why = "code is written by nobody, and nothing else differs: failing memory did that "
		 "(hardware), or a stray write of a single bit";
	f->against = in_faulting_function(facts, d)
			     ? NULL : "it is on the stack of the crash, but not in the function that failed";
	f->next = "test the machine's memory (memtest86+; EDAC and machine-check counters)";
	show(facts, out, f, d);
}

static void changed(const struct facts *facts, struct findings *out, const struct text_check *check,
		    size_t count, const struct text_difference *first)
{
	bool here = false;

	for (size_t i = 0; i < check->count; i++)
		here |= !check->data[i].probed && in_faulting_function(facts, &check->data[i]);
	struct finding *f = finding_add(
		out, "text-modified", "The kernel's code was changed",
		here ? RANK_ROOT : RANK_CONSEQUENCE, here ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE,
		"%zu instruction%s of the functions on the stack of the crash differ%s from the kernel's "
		"file where the kernel patches nothing by itself, the first at %s", count,
		count == 1 ? "" : "s", count == 1 ? "s" : "", place_of(facts, first->address));
	f->apart = true;
	f->why = "something wrote to code: a stray write, an agent or rootkit that hooks functions, a "
		 "debugger";
	f->against = here ? NULL : "what was changed is not in the function that failed";
	show(facts, out, f, first);
}

static struct error *run(const struct facts *facts, struct findings *out)
{
	struct addresses functions = { 0 };
	const struct text_difference *first = NULL;
	struct text_check check;
	size_t count = 0;

	if (!facts->session->symbols || !facts->session->debuginfo || !facts->stack.count ||
	    !debuginfo_kernel(facts->session->debuginfo))
		return NULL;
	functions_on_stack(facts, &functions);
	text_check_functions(facts->session, functions.data, functions.count, &check);
	vec_deinit(&functions);
	for (size_t i = 0; i < check.count; i++) {
		if (check.data[i].probed)
			continue;
		first = first ? first : &check.data[i];
		count++;
	}
	if (count == 1 && first->bits == 1)
		one_bit(facts, out, first);
	else if (count)
		changed(facts, out, &check, count, first);
	text_check_deinit(&check);
	return NULL;
}

const struct detector detector_code = {
	.name = "code",
	.looks_for = "code on the stack of the crash that is not what was built (needs the kernel's "
		     "file)",
	.run = run,
};
