// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A report of the kernel tells what a crash stack tells: the kind of exception is in its first
 * lines, the registers and the bytes of code are printed, the access is in the error code.
 */
#include "diagnosis/facts_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "kernel/text.h"

/* Bits of a page fault's error code: arch/x86/include/asm/trap_pf.h. */
enum { PF_PROT = 1 << 0, PF_WRITE = 1 << 1, PF_INSTR = 1 << 4 };

static const struct {
	const char *kind; /* as in struct oops_report */
	enum trap trap;
} traps[] = {
	{ "NULL pointer dereference", TRAP_PAGE_FAULT },
	{ "bad memory access", TRAP_PAGE_FAULT },
	{ "oops", TRAP_PAGE_FAULT },
	{ "bad page table", TRAP_PAGE_FAULT },
	{ "general protection fault", TRAP_GENERAL_PROTECTION },
	{ "kernel BUG", TRAP_INVALID_OPCODE },
	{ "invalid opcode", TRAP_INVALID_OPCODE },
	{ "kernel warning", TRAP_INVALID_OPCODE },
	{ "divide error", TRAP_DIVIDE },
	{ "double fault", TRAP_DOUBLE_FAULT },
	{ "stack overflow", TRAP_DOUBLE_FAULT },
	{ "stack segment fault", TRAP_STACK_SEGMENT },
	{ "breakpoint", TRAP_BREAKPOINT },
	{ "alignment check", TRAP_ALIGNMENT },
	{ "machine check", TRAP_MACHINE_CHECK },
};

static enum trap trap_of_kind(const char *kind)
{
	for (size_t i = 0; i < array_size(traps); i++) {
		if (strcmp(traps[i].kind, kind) == 0)
			return traps[i].trap;
	}
	return TRAP_NONE;
}

/* Later deaths, of a kernel that survived the first, must not be taken for it. */
static void end_log(struct facts *facts)
{
	const struct text *text = facts->session->text;
	const struct oops_report *death = text->death;

	for (size_t i = 0; i < text->report_count && !text->from_crash; i++) {
		const struct oops_report *r = &text->reports[i];
		if (r->first > death->first && r->first >= death->first + death->count &&
		    trap_of_kind(r->kind) != TRAP_NONE && r->has_pc) {
			facts->log_count = r->first;
			return;
		}
	}
}

void facts_from_text(struct facts *facts)
{
	const struct oops_report *death = facts->session->text->death;
	enum trap trap;

	if (!death)
		return;
	end_log(facts);
	trap = trap_of_kind(death->kind);
	if (trap != TRAP_NONE && (death->has_pc || death->arm64) && facts->stack.count)
		facts_set_fault(facts, trap, 0);
}

void facts_text_doubt(struct facts *facts)
{
	const struct oops_report *death = facts->session->text->death;

	if (facts->fault.trap == TRAP_INVALID_OPCODE && death && strcmp(death->kind, "panic") == 0)
		facts->fault = (struct fault_site){ .base_reg = -1 };
}

bool facts_text_address(const struct facts *facts, uint64_t *address)
{
	const struct oops_report *death = facts->session->text->death;

	/* A "maybe for address" is a guess of the kernel's. */
	bool guessed = facts->fault.trap == TRAP_GENERAL_PROTECTION &&
		       !strstr(death->header, "non-canonical address");

	if (death->has_address && !guessed)
		*address = death->address;
	else if (death->has_cr2 && facts->fault.trap == TRAP_PAGE_FAULT)
		*address = death->cr2;
	else
		return false;
	return true;
}

void facts_text_access(struct facts *facts)
{
	const struct oops_report *death = facts->session->text->death;
	struct fault_site *fault = &facts->fault;

	if (fault->trap != TRAP_PAGE_FAULT || !death->has_error_code)
		return;
	fault->page_forbids = death->error_code & PF_PROT;
	fault->page_absent = !fault->page_forbids;
	if (fault->access_known)
		return;
	fault->access_known = true;
	fault->write = death->error_code & PF_WRITE;
	fault->execute = death->error_code & PF_INSTR;
}

/* --- An instruction as text. --- */

static int reg_of(const struct facts *facts, const char *s, size_t n)
{
	const struct arch *arch = facts->session->arch;

	for (unsigned i = 0; i < arch->reg_count && n > 1; i++) {
		if (s[0] == '%' && strlen(arch->reg_names[i]) == n - 1 &&
		    strncmp(arch->reg_names[i], s + 1, n - 1) == 0)
			return (int)i;
	}
	return -1;
}

/* "0x1c(%rdi)", "-0x8(%rbp,%rax,8)"; segments and anything else are left alone. */
static bool parse_operand(const struct facts *facts, const char *text, struct insn_memory *m)
{
	const char *open = strchr(text, '('), *start = open, *close;

	*m = (struct insn_memory){ .base = -1, .index = -1, .scale = 1 };
	if (!open || !(close = strchr(open, ')')) || strchr(close, '('))
		return false;
	while (start > text && strchr("0123456789abcdefx-", start[-1]))
		start--;
	if (start > text && start[-1] == ':')
		return false;
	m->displacement = start < open ? (int64_t)strtoll(start, NULL, 16) : 0;
	const char *base = open + 1;
	size_t n = strcspn(base, ",)");
	m->base = n ? reg_of(facts, base, n) : -1;
	if (n && m->base < 0)
		return false;
	if (base[n] == ',') {
		const char *index = base + n + 1;
		size_t k = strcspn(index, ",)");
		m->index = reg_of(facts, index, k);
		if (m->index < 0)
			return false;
		if (index[k] == ',')
			m->scale = (uint8_t)strtoul(index + k + 1, NULL, 10);
	}
	m->present = true;
	return m->base >= 0;
}

void facts_text_instruction(struct facts *facts)
{
	static const char *const traps_to_stop[] = { "ud2", "ud2a", "ud1" };
	const char *text = facts->session->text->crash.instruction;
	const struct oops_report *death = facts->session->text->death;
	struct fault_site *fault = &facts->fault;
	struct insn insn = { .target_reg = -1 };

	/* BUG() is a ud2 on all versions; what else would be no instruction is rare. */
	if (!text && death->file && fault->trap == TRAP_INVALID_OPCODE)
		text = "ud2";
	else if (!text && facts->session->text->from_crash && fault->trap == TRAP_INVALID_OPCODE)
		text = "ud2 (most likely: the text does not show it)";
	if (!text)
		return;
	for (size_t i = 0; i < array_size(traps_to_stop); i++) {
		if (strncmp(text, traps_to_stop[i], strlen(traps_to_stop[i])) == 0)
			insn.kind = INSN_TRAP;
	}
	if (insn.kind != INSN_TRAP && !parse_operand(facts, text, &insn.memory))
		return;
	/* In AT&T syntax the last operand is the one that is written; "cmp", "test" write none. */
	insn.memory.write = text[strlen(text) - 1] == ')' && !starts_with(text, "cmp") &&
			    !starts_with(text, "test") && !starts_with(text, "call") &&
			    !starts_with(text, "jmp") && !starts_with(text, "push");
	insn.memory.read = !insn.memory.write;
	fault->has_insn = true;
	fault->insn = insn;
	strncpy(fault->insn_text, text, sizeof(fault->insn_text) - 1);
}
