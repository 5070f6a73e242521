// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A call or jump to what is no code: where the pointer was read from. The caller's registers were
 * not changed by the call, so the cell can often be told from them, even if its function would have
 * been free to lose them.
 */
#include <inttypes.h>
#include <string.h>

#include "diagnosis/explain_value.h"
#include "diagnosis/tail_jump.h"
#include "forensics/fault.h"

static int register_named(const struct facts *facts, const char *text)
{
	if (!text || *text != '%')
		return -1;
	for (unsigned i = 0; i < 16 && i < facts->session->arch->reg_count; i++) {
		if (strcmp(facts->session->arch->reg_names[i], text + 1) == 0)
			return (int)i;
	}
	return -1;
}

/* The pointer was called right out of this cell. */
static void explain_called_cell(struct facts *facts, struct findings *out, struct finding *finding,
				uint64_t cell, uint64_t target)
{
	const char *general = finding->why, *place = place_words(facts, cell);
	const struct cause cause = { .known = true, .cell = cell, .cell_size = 8,
				     .cell_holds = true };
	uint64_t now;

	if (memory_u64(facts->session->memory, cell, &now) != READ_OK || now != target)
		return;
	const char *origin = finding_text(out, "The function pointer was read from %016" PRIx64 "%s%s, which "
					  "still holds it", cell, place ? ", " : "", place ? place : "");
	finding_evidence_shows(out, finding, finding_text(out, "rd 0x%" PRIx64, cell),
			       finding_text(out, "%016" PRIx64, target),
			       "the cell that it was called from holds 0x%" PRIx64, target);
	finding->why = NULL;
	bool explained = target && explain_pointer(facts, out, finding, target, &cause);
	explain_in_order(out, finding, general, origin, finding->why, explained);
	explain_object(facts, out, finding, cell, false);
}

/* The indirect call that frame @i stands behind. */
static bool call_before(const struct facts *facts, size_t i, struct insn *insn)
{
	enum { CALL_MIN = 2, CALL_MAX = 8 };
	uint64_t pc = facts->stack.frames[i].pc;
	uint8_t bytes[CALL_MAX];

	for (unsigned n = CALL_MIN; n <= CALL_MAX; n++) {
		if (memory_read(facts->session->memory, pc - n, bytes, n) == READ_OK &&
		    code_decode(bytes, n, pc - n, insn) && insn->kind == INSN_CALL &&
		    insn->indirect && insn->length == n && insn->memory.present)
			return true;
	}
	return false;
}

void explain_call(struct facts *facts, struct findings *out, struct finding *finding,
		  uint64_t target)
{
	size_t caller = facts->fault.frame + 1;
	struct fault_view view;
	struct tail_jump jump;
	struct insn insn;
	uint64_t cell;

	if (caller >= facts->stack.count || !facts->stack.frames[caller].is_call)
		return;
	fault_view(facts->session, &facts->stack, caller, &view);
	int reg = view.has_target ? register_named(facts, view.target_cell) : -1;
	if (reg >= 0) {
		struct subject subject = { .known = true, .frame = caller, .reg = (unsigned)reg,
					   .value = target, .state = "NULL" };
		subject.name = view.target.text ? finding_text(out, "%s", view.target.text)
						: "the function pointer";
		if (subject.value)
			subject.state = finding_text(out, "0x%" PRIx64, subject.value);
		explain_value(facts, out, finding, &subject);
	} else if (call_before(facts, caller, &insn) &&
		   code_memory_address(&insn.memory, facts->fault.regs, &cell)) {
		/* A call changes no register: they are as they were before it. */
		explain_called_cell(facts, out, finding, cell, target);
	} else if (tail_jump_find(facts, caller, &jump) && jump.cell) {
		explain_called_cell(facts, out, finding, jump.cell, target);
	}
	fault_view_deinit(&view);
}

/* The CPU refused to go there, and stands at the call, the jump, or in a retpoline's return. */
void explain_target(struct facts *facts, struct findings *out, struct finding *finding)
{
	const struct fault_site *fault = &facts->fault;
	const struct insn *insn = &fault->insn;
	uint64_t cell;

	if (insn->kind == INSN_RETURN) {
		explain_call(facts, out, finding, fault->target);
	} else if (insn->memory.present && code_memory_address(&insn->memory, fault->regs, &cell)) {
		explain_called_cell(facts, out, finding, cell, fault->target);
	} else if (insn->target_reg >= 0) {
		struct subject subject = { .known = true, .frame = fault->frame,
					   .reg = (unsigned)insn->target_reg,
					   .value = fault->target, .name = "the function pointer" };
		subject.state = finding_text(out, "0x%" PRIx64, fault->target);
		explain_value(facts, out, finding, &subject);
	}
}
