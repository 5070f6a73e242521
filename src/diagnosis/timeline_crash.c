// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A crash has a report in the log, too; what stands before that report is earlier. At stake are the
 * addresses that the verdict is about, and a bad value that looks as if nobody had ever set it.
 */
#include "diagnosis/timeline_crash.h"

#include <inttypes.h>
#include <string.h>

#include "base/strbuf.h"
#include "diagnosis/anomalies.h"
#include "diagnosis/chain.h"
#include "forensics/fault.h"
#include "kernel/slab.h"
#include "kernel/text.h"

/* --- Where the crash begins in the log. --- */

static bool is_death(const struct oops_report *r)
{
	enum anomaly_weight weight = ANOMALY_NOTABLE;

	anomaly_of_line(r->header, &weight);
	return weight == ANOMALY_FATAL && strcmp(r->kind, "panic") != 0;
}

/* Is this the report of the fault that the crash stack shows? */
static bool is_of_fault(const struct facts *facts, const struct oops_report *r)
{
	struct symbol sym;

	if (facts->task && r->pid >= 0 && r->pid != (int)facts->task->pid)
		return false;
	if (!r->pc.function || facts->fault.trap == TRAP_NONE ||
	    !facts_frame_symbol(facts, facts->fault.frame, &sym))
		return true;
	return strcmp(chain_source_name(facts->arena, r->pc.function),
		      chain_source_name(facts->arena, sym.name)) == 0;
}

static const struct oops_report *report_of_crash(const struct facts *facts)
{
	size_t end = facts_log_until_panic(facts);
	const struct oops_report *last = NULL;

	if (facts->session->text)
		return facts->session->text->death;
	/* panic() by other roads is the crash itself, whatever oopses there were before. */
	if (facts->fault.trap == TRAP_NONE && facts->panic_message &&
	    !strstr(facts->panic_message, "Fatal exception"))
		return NULL;
	for (size_t i = facts->report_count; i-- > 0;) {
		const struct oops_report *r = &facts->reports[i];
		if (r->first >= end || !is_death(r))
			continue;
		if (is_of_fault(facts, r))
			return r;
		/* Printed differently, or not understood: still nearer than any other. */
		last = last ? last : r;
	}
	return last;
}

static void find_begin(struct crash *c)
{
	const struct facts *facts = c->facts;

	c->report = report_of_crash(facts);
	c->begin = c->report ? c->report->first : facts_log_until_panic(facts);
	if (c->begin < facts->log_count)
		c->record = &facts->log[c->begin];
}

/* --- What is at stake. --- */

static void add_address(struct crash *c, uint64_t from, uint64_t size, const char *what)
{
	const struct arch *arch = c->facts->session->arch;

	if (c->address_count == array_size(c->address) || !arch ||
	    !arch->is_kernel_address(from) || from > UINT64_MAX - 0x10000)
		return;
	c->address[c->address_count].from = from;
	c->address[c->address_count].to = from + size;
	c->address[c->address_count++].what = what;
}

static void find_addresses(struct crash *c)
{
	const struct fault_site *fault = &c->facts->fault;
	struct slab_object object;
	uint64_t size = 1;

	if (c->finding->object) {
		if (!c->facts->session->text &&
		    slab_object_at(c->facts->session, c->finding->object, &object) &&
		    object.slab.cache)
			size = object.slab.cache->size;
		add_address(c, c->finding->object, size, "the object at stake");
	}
	if (fault->has_address && !fault->pc_is_wild)
		add_address(c, fault->address, 1, "the address that could not be accessed");
	if (fault->base_reg >= 0 && fault->base_reg != X86_RSP && fault->base_reg != X86_RBP)
		add_address(c, fault->base_value, 1, "the pointer that the crash came from");
}

/* Values that a variable has before anybody sets it, or after setting it failed. */
static const char *unset_value(struct crash *c, uint64_t value, unsigned size)
{
	unsigned unused = size && size < 8 ? 64 - size * 8 : 0;
	int64_t number = (int64_t)(value << unused) >> unused;

	if (number == 0)
		return "NULL";
	if (number == -1 || value == UINT32_MAX)
		return "-1";
	if (number < 0 && number >= -4095)
		return finding_text(c->out, "the error code %" PRId64, number);
	return NULL;
}

static void find_unset(struct crash *c)
{
	static const unsigned arguments[] = { X86_RDI, X86_RSI, X86_RDX };
	const struct facts *facts = c->facts;
	const struct fault_site *fault = &facts->fault;

	if (facts->view && facts->view->condition_count &&
	    facts->view->condition[0].left.known && fault->trap == TRAP_INVALID_OPCODE) {
		const struct fault_condition *cond = &facts->view->condition[0];
		c->unset = unset_value(c, cond->left.value, cond->size);
		if (c->unset && strcmp(c->unset, "NULL") == 0)
			c->unset = "0";
		return;
	}
	if (starts_with(c->finding->kind, "null")) {
		c->unset = "NULL";
		return;
	}
	if (fault->trap == TRAP_PAGE_FAULT || fault->trap == TRAP_GENERAL_PROTECTION) {
		if (fault->base_reg >= 0)
			c->unset = unset_value(c, fault->base_value, 8);
		return;
	}
	for (size_t i = 0; fault->trap == TRAP_INVALID_OPCODE && i < array_size(arguments); i++) {
		if (!regs_known(fault->regs, arguments[i]) || !fault->regs->value[arguments[i]])
			continue;
		const char *text = unset_value(c, fault->regs->value[arguments[i]], 8);
		if (text && !c->unset) {
			c->unset = text;
			c->unset_guess = true;
		}
	}
}

/* --- The same address. --- */

bool crash_hex_word(const char **at, uint64_t *value)
{
	static const char digits[] = "0123456789abcdef";

	for (const char *p = *at; *p;) {
		size_t n = strspn(p, digits);
		if (n == 16) {
			char word[17];
			memcpy(word, p, n);
			word[n] = '\0';
			*at = p + n;
			return parse_hex(word, value);
		}
		p += n ? n : strcspn(p, digits);
	}
	return false;
}

const char *crash_same_address(const struct crash *c, const struct anomaly *a, uint64_t *address)
{
	size_t first = a->report ? a->report->first : anomaly_position(c->facts, a);
	size_t count = a->report ? a->report->count : 1;

	for (size_t i = first; i < first + count && c->address_count; i++) {
		const char *at = c->facts->log[i].text;
		while (crash_hex_word(&at, address)) {
			for (size_t k = 0; k < c->address_count; k++) {
				if (*address >= c->address[k].from && *address < c->address[k].to)
					return c->address[k].what;
			}
		}
	}
	return NULL;
}

void crash_find(struct crash *c)
{
	find_begin(c);
	find_addresses(c);
	find_unset(c);
	c->side = side_of_crash(c->facts);
}
