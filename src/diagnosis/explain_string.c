// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * rep movs and its like stop in the middle, with registers that say how far they got: rsi and rdi
 * stand at the element that failed, rcx counts those to go (Intel SDM vol. 2, REP).
 */
#include <inttypes.h>

#include "diagnosis/cause.h"
#include "diagnosis/explain.h"
#include "forensics/refs.h"

/* RFLAGS: addresses go down. Intel SDM vol. 1, 3.4.3.2 */
enum { RFLAGS_DF = 1 << 10 };

/* The object that ends where the string stopped, or that it is still in; "" for none. */
static const char *reached(const struct facts *facts, struct findings *out, uint64_t address,
			   bool down)
{
	struct ref_target object;
	struct what what;
	uint64_t before = down ? address : address - 1;

	if (object_around(facts->session, before, &object, &what) < BOUNDS_OBJECT || !object.size)
		return "";
	if (!down && object.start + object.size == address)
		return finding_text(out, ", and had come to the end of the %" PRIu64 " bytes at %016" PRIx64,
				    object.size, object.start);
	return finding_text(out, ", and was %" PRIu64 " bytes behind the start of the %" PRIu64
			    " bytes at %016" PRIx64, address - object.start, object.size, object.start);
}

void explain_string(struct facts *facts, struct findings *out, struct finding *finding)
{
	const struct fault_site *fault = &facts->fault;
	const struct regs *regs = fault->regs;
	bool down = regs_known(regs, X86_RFLAGS) && regs->value[X86_RFLAGS] & RFLAGS_DF;
	bool source = fault->base_reg == X86_RSI;
	unsigned size = fault->insn.memory.size ? fault->insn.memory.size : 1;

	if (!fault->insn.repeats || !regs_known(regs, X86_RCX) ||
	    (fault->base_reg != X86_RSI && fault->base_reg != X86_RDI))
		return;
	uint64_t left = regs->value[X86_RCX];
	explain_why(out, finding, "The %s of the string instruction is the bad one%s; it had "
		    "%" PRIu64 " elements of %u bytes (%" PRIu64 " bytes) to go",
		    source ? "source" : "destination",
		    reached(facts, out, fault->address, down), left, size, left * size);
	finding_evidence_shows(out, finding, "bt", finding_text(out, "RCX: %016" PRIx64, left),
			       "rcx = 0x%" PRIx64 ": so many elements of %u bytes were left",
			       left, size);
	if (left > UINT64_C(1) << 40)
		finding->against = "a length near 2^64 is a negative number: a subtraction went below zero";
	unsigned other = source ? X86_RDI : X86_RSI;
	if (!fault->insn.memory.present || !fault->insn.memory2.present ||
	    !regs_known(regs, other))
		return;
	const char *place = place_words(facts, regs->value[other]);
	if (place)
		finding_evidence_shows(out, finding,
				       finding_text(out, "whatis 0x%" PRIx64, regs->value[other]),
				       finding_text(out, "%" PRIx64, regs->value[other]),
				       "its %s was at %s", source ? "destination" : "source", place);
}
