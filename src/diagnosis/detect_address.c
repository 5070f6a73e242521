// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A memory access that could not be: what kind of address it was tells what kind of mistake.
 * Classes are asked in order of how much they say. The pointer is judged (the base register's
 * value), not only the sum with the member's offset: -12 + 0x20 looks harmless, -12 does not.
 */
#include <stdio.h>
#include <string.h>

#include "diagnosis/diagnosis.h"
#include "diagnosis/gone.h"
#include "forensics/fault.h"
#include "forensics/poison.h"
#include "forensics/whatis.h"

enum {
	PTE_WRITABLE = 2,     /* x86: bit 1 of a page-table entry */
	NULL_LIMIT = 0x10000, /* a member at a larger offset from NULL would be a strange struct */
	MAX_ERRNO = 4095,     /* include/linux/err.h */
};

struct verdict_words {
	const char *kind, *title;
	char pointer[480]; /* "NULL + 0x18", "LIST_POISON1 (...)" */
	const char *why;
	enum confidence confidence;
	unsigned rank;
	struct gone gone;
};

static bool poison_words(uint64_t value, struct verdict_words *w)
{
	const struct poison *poison = poison_of(value);

	if (!poison)
		return false;
	w->kind = poison->kind;
	w->title = "Poisoned pointer";
	w->why = poison->meaning;
	w->rank = RANK_SPECIAL;
	poison_text(poison, value, w->pointer, sizeof(w->pointer));
	return true;
}

static void errno_words(uint64_t pointer, uint64_t address, struct verdict_words *w)
{
	long number = (long)-(int64_t)pointer;

	w->kind = "err-pointer";
	w->title = "Error code used as a pointer";
	w->why = "a function returned an error code instead of a pointer, and nobody checked it";
	w->rank = RANK_SPECIAL;
	snprintf(w->pointer, sizeof(w->pointer), "error code -%ld (%s) used as a pointer, + 0x%lx",
		 number, errno_word((int)number) ? errno_word((int)number) : "no such errno",
		 (unsigned long)(address - pointer));
}

static void read_only_words(const struct fault_site *fault, const struct what *place,
			    struct verdict_words *w)
{
	w->kind = "read-only";
	w->title = "Write to read-only memory";
	w->why = "the memory is mapped, but not for writing: a constant, code, or data that is "
		 "read-only after boot";
	snprintf(w->pointer, sizeof(w->pointer), "0x%lx%s%s, which is mapped read-only",
		 (unsigned long)fault->address, *place->text ? ", " : "", place->text);
}

/* A kernel address: is it mapped, and if so, what forbade the access? */
static void kernel_address_words(const struct facts *facts, struct verdict_words *w)
{
	const struct fault_site *fault = &facts->fault;
	struct what place;
	struct walk walk;

	w->kind = "bad-address";
	w->title = "Bad kernel address";
	memory_walk(facts->session->memory, fault->address, &walk);
	whatis(facts->session, facts->task, fault->address, &place);
	if (walk.status == READ_UNMAPPED && gone_find(facts, fault->address, false, &w->gone)) {
		w->kind = w->gone.kind;
		w->title = w->gone.title;
		w->why = w->gone.why;
		w->rank = RANK_SPECIAL;
		snprintf(w->pointer, sizeof(w->pointer), "%s", w->gone.place);
		return;
	}
	if (fault->page_forbids && fault->access_known && fault->write) {
		read_only_words(fault, &place, w);
		return;
	}
	if (walk.status != READ_OK) {
		snprintf(w->pointer, sizeof(w->pointer), "0x%lx%s%s, %s",
			 (unsigned long)fault->address, *place.text ? ", " : "", place.text,
			 walk.status == READ_UNMAPPED || fault->page_absent
				 ? "which is not mapped" :
			 fault->page_forbids ? "which is mapped, but not for such an access"
					     : "whose page tables are not in the dump");
		return;
	}
	bool read_only = walk.levels && !(walk.flags & PTE_WRITABLE);
	if (fault->write && fault->access_known && read_only) {
		read_only_words(fault, &place, w);
		return;
	}
	snprintf(w->pointer, sizeof(w->pointer), "0x%lx%s%s, which is mapped%s",
		 (unsigned long)fault->address, *place.text ? ", " : "", place.text,
		 read_only ? " read-only" : "");
}

/* What is mapped in the process and yet cannot be accessed is forbidden: SMAP, or a read-only page. */
static void user_address_words(const struct facts *facts, struct verdict_words *w)
{
	const struct fault_site *fault = &facts->fault;
	struct what place;

	whatis(facts->session, facts->task, fault->address, &place);
	bool forbidden = (place.mapped || fault->page_forbids) && fault->access_known &&
			 !fault->write;
	w->kind = forbidden ? "user-access" : "user-address";
	w->title = forbidden ? "User memory accessed directly by the kernel"
			     : "User address used by the kernel";
	w->why = forbidden ? "the kernel followed a user pointer by itself instead of through "
			     "get_user() or copy_from_user(): the page is there, but the CPU (SMAP) "
			     "forbids it"
			   : "the kernel used an address of user space (or a small number) as if it "
			     "were its own";
	snprintf(w->pointer, sizeof(w->pointer), "0x%lx, an address of user space%s",
		 (unsigned long)fault->address,
		 place.mapped     ? ", which is mapped in the process"
		 : place.unmapped ? ", which is not mapped in the process either"
				  : "");
}

/* What KASAN was about to check is what was to be accessed. */
static void shadow_words(const struct fault_site *fault, struct verdict_words *w)
{
	unsigned long at = (unsigned long)fault->shadow_of;
	bool null = fault->shadow_of < NULL_LIMIT;

	w->kind = null ? "null-pointer" : "user-address";
	w->title = null ? "NULL pointer dereference" : "User address used by the kernel";
	w->why = null ? "a pointer to a structure was NULL; the number is the offset of the member that "
			"was to be accessed, give or take 7: KASAN looked at its shadow before"
		      : "the kernel was about to use an address of user space as if it were its own: "
			"KASAN looked at its shadow before";
	snprintf(w->pointer, sizeof(w->pointer), null ? "the shadow of NULL + 0x%lx"
						      : "the shadow of 0x%lx, an address of user space",
		 at);
}

/*
 * @pointer is the base register's value where it is known, else the address itself;
 * @has_pointer tells which. Returns false when nothing special can be said.
 */
static void classify(const struct facts *facts, uint64_t pointer, bool has_pointer,
		     struct verdict_words *w)
{
	const struct fault_site *fault = &facts->fault;
	unsigned levels = memory_layout(facts->session->memory)->root.levels;
	char text[9];

	w->confidence = CONFIDENCE_CERTAIN;
	w->rank = RANK_FAULT;
	if (fault->is_shadow) {
		shadow_words(fault, w);
	} else if (fault->address < NULL_LIMIT && (!has_pointer || pointer < NULL_LIMIT)) {
		w->kind = "null-pointer";
		w->title = "NULL pointer dereference";
		w->why = fault->address
				 ? "a pointer to a structure was NULL; the number is the offset of the "
				   "member that was accessed"
				 : "a pointer was NULL";
		snprintf(w->pointer, sizeof(w->pointer), fault->address ? "NULL + 0x%lx" : "NULL",
			 (unsigned long)fault->address);
	} else if (has_pointer && pointer && -pointer <= MAX_ERRNO) {
		errno_words(pointer, fault->address, w);
	} else if (poison_words(pointer, w)) {
		/* said it all */
	} else if (number_as_text(pointer, text)) {
		w->kind = "text-pointer";
		w->title = "Text where a pointer should be";
		w->why = "the memory that the pointer was read from holds text: overwritten by a "
			 "string, or something else altogether";
		snprintf(w->pointer, sizeof(w->pointer), "0x%lx, which is the text \"%s\"",
			 (unsigned long)pointer, text);
	} else if (levels && !facts->session->arch->canonical(fault->address, levels)) {
		w->kind = "non-canonical";
		w->title = "Not an address at all";
		w->why = "the pointer is no address that this CPU can have (non-canonical): it was "
			 "overwritten, or it never was a pointer";
		snprintf(w->pointer, sizeof(w->pointer), "non-canonical 0x%lx",
			 (unsigned long)fault->address);
	} else if (!facts->session->arch->is_kernel_address(fault->address)) {
		user_address_words(facts, w);
	} else {
		kernel_address_words(facts, w);
	}
}

static const char *access_words(const struct fault_site *fault, struct findings *out)
{
	if (!fault->access_known)
		return "accessed";
	if (fault->access_size)
		return finding_text(out, "%s %u byte%s", fault->write ? "wrote" : "read",
				    fault->access_size, fault->access_size == 1 ? "" : "s");
	return fault->write ? "wrote" : "read";
}

static void add_registers(const struct facts *facts, struct findings *out, struct finding *f)
{
	const struct fault_site *fault = &facts->fault;
	const char *command = finding_text(out, "dis -lr 0x%lx 8", (unsigned long)fault->pc);

	if (fault->has_insn && !fault->pc_is_wild)
		finding_evidence(out, f, command, "%s: %s", facts_frame_text(facts, fault->frame),
				 fault->insn_text);
	if (fault->base_reg >= 0)
		finding_evidence(out, f, "bt", "%s = 0x%lx, and the access went to 0x%lx (%s)",
				 facts->session->arch->reg_names[fault->base_reg],
				 (unsigned long)fault->base_value, (unsigned long)fault->address,
				 fault->address_source);
	else if (fault->has_address)
		finding_evidence(out, f, "log", "the address was 0x%lx (%s)",
				 (unsigned long)fault->address, fault->address_source);
}

/* " (sent of struct channel)": the member that was accessed, where value flow and types tell. */
static const char *member_words(const struct facts *facts, struct findings *out)
{
	const struct fault_site *fault = &facts->fault;

	for (unsigned i = 0; facts->view && i < facts->view->operand_count; i++) {
		const struct fault_operand *o = &facts->view->operand[i];
		if (!o->memory || !o->has_address || !o->object || !o->place ||
		    fault->address - o->address >= (o->size ? o->size : 1))
			continue;
		const char *path = NULL;
		for (const char *at = o->place; (at = strstr(at, "->")); at += 2)
			path = at + 2;
		if (path)
			return finding_text(out, " (%s of %s)", path, o->object);
	}
	return "";
}

static void general_protection(const struct facts *facts, struct findings *out)
{
	const struct fault_site *fault = &facts->fault;
	struct finding *f = finding_add(out, "general-protection", "General protection fault", RANK_FAULT,
					CONFIDENCE_LIKELY,
					"%s stopped with a general protection fault at \"%s\", %s",
					facts_frame_text(facts, fault->frame), fault->insn_text,
					facts_where(facts));

	f->why = "the CPU refused the instruction as it was; no memory operand is involved";
	f->blame = facts_blame(facts, fault->frame);
	add_registers(facts, out, f);
}

static void bad_access(const struct facts *facts, struct findings *out)
{
	const struct fault_site *fault = &facts->fault;
	const char *site = facts_frame_text(facts, fault->frame);
	bool has_pointer = fault->base_reg >= 0;
	struct verdict_words w = { 0 };

	/* Without a memory operand it is about something else: detect_refused.c. */
	if (!fault->has_address && fault->trap == TRAP_GENERAL_PROTECTION && fault->has_insn &&
	    !fault->insn.memory.present)
		return general_protection(facts, out);
	if (!fault->has_address) {
		struct finding *f = finding_add(out, "bad-address", "Bad memory access", RANK_FAULT,
						CONFIDENCE_LIKELY,
						"%s stopped with a %s, %s; which address it used "
						"cannot be told",
						site, trap_name(fault->trap), facts_where(facts));
		f->blame = facts_blame(facts, fault->frame);
		add_registers(facts, out, f);
		return;
	}
	classify(facts, has_pointer ? fault->base_value : fault->address, has_pointer, &w);
	struct finding *f = finding_add(out, w.kind, w.title, w.rank, w.confidence,
					"%s %s %s %s%s, %s", site, access_words(fault, out),
					fault->access_known && fault->write ? "to" : "at", w.pointer,
					member_words(facts, out), facts_where(facts));
	f->why = w.why;
	f->blame = facts_blame(facts, fault->frame);
	if (f->blame.known && f->blame.skipped && f->blame.frame != fault->frame)
		f->against = finding_text(out, "the value was handed to %s; who spoilt it is not "
					  "known", f->blame.skipped);
	add_registers(facts, out, f);
	if (w.gone.kind)
		gone_blame(facts, out, f, &w.gone);
}

static struct error *run(const struct facts *facts, struct findings *out)
{
	enum trap trap = facts->fault.trap;

	if (trap != TRAP_PAGE_FAULT && trap != TRAP_GENERAL_PROTECTION &&
	    trap != TRAP_STACK_SEGMENT)
		return NULL;
	if (!facts->fault.pc_is_wild && !facts->fault.has_target)
		bad_access(facts, out);
	return NULL;
}

const struct detector detector_address = {
	.name = "address",
	.looks_for = "an access through a bad pointer: NULL, error code, poison, text, user address",
	.run = run,
};
