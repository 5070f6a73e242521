// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Nothing is mapped there, but something was. The kernel keeps a freed vmalloc area on a list until
 * it unmaps many at once; of unloaded modules it keeps the last one's name, and where modules are
 * loaded nothing else lies. The page behind a vmalloc area is left unmapped to catch who goes on.
 */
#include "diagnosis/gone.h"

#include <inttypes.h>
#include <string.h>

#include "diagnosis/diagnosis.h"
#include "forensics/whatis.h"
#include "kernel/unloaded.h"
#include "kernel/vmalloc.h"

/* By the kernel's memory, else by the line "Modules linked in: ... [last unloaded: NAME(OE)]". */
static bool last_unloaded(const struct facts *facts, char name[MODULE_NAME_MAX])
{
	static const char marker[] = "[last unloaded: ";
	const struct log_record *said = facts_log_find_last(facts, marker);

	if (module_last_unloaded(facts->session, name))
		return true;
	if (!said)
		return false;
	const char *at = strstr(said->text, marker) + strlen(marker);
	size_t size = strcspn(at, "(] ");
	if (!size || size >= MODULE_NAME_MAX)
		return false;
	memcpy(name, at, size);
	name[size] = '\0';
	return true;
}

static bool of_module(const struct facts *facts, uint64_t address, bool execute, struct gone *gone)
{
	char name[MODULE_NAME_MAX];

	if (!module_area_is_empty(facts->session, address))
		return false;
	gone->kind = execute ? "unloaded-code" : "unloaded-data";
	gone->title = execute ? "Call into a module that was unloaded"
			      : "Memory of a module that was unloaded";
	gone->place = arena_printf(facts->arena, "0x%" PRIx64 ", where modules are loaded and none is now",
				   address);
	/* As far as is known none ever was: then it is a wild address. */
	if (!last_unloaded(facts, name))
		return false;
	gone->module = arena_strdup(facts->arena, name);
	gone->why = arena_printf(facts->arena, "a module was unloaded and left something behind that still "
				 "points into it: a timer, a work item, a callback, a notifier. The last "
				 "module that was unloaded is %s", name);
	return true;
}

static bool freed_area(const struct facts *facts, const struct what *what, struct gone *gone)
{
	gone->kind = "freed-vmalloc";
	gone->title = "Freed vmalloc memory used";
	gone->place = arena_printf(facts->arena, "0x%" PRIx64 ", +0x%" PRIx64 " in the vmalloc area at 0x%"
				   PRIx64 " (%" PRIu64 " bytes) that was freed", what->address,
				   what->address - what->start, what->start, what->size);
	gone->why = "the vmalloc area was freed (vfree, vunmap, iounmap) and is unmapped; the kernel still "
		    "remembers it";
	return true;
}

/*
 * The page behind an area is also the one below the next: below a stack it catches overflows. Which
 * of them it was shows in the pointer, or in how far into the page the access went.
 */
static bool came_from(const struct facts *facts, const struct vmalloc_area *area, uint64_t end,
		      uint64_t address)
{
	const struct fault_site *fault = &facts->fault;
	struct what what;

	whatis(facts->session, facts->task, address, &what);
	if (what.kind != WHAT_STACK_BESIDE)
		return true;
	whatis(facts->session, facts->task, area->start, &what);
	if (what.kind == WHAT_STACK)
		return false;
	if (fault->base_reg >= 0 && fault->base_value != address)
		return fault->base_value >= area->start && fault->base_value < end;
	return address - end < PAGE_SIZE / 2;
}

static bool of_vmalloc(const struct facts *facts, uint64_t address, struct gone *gone)
{
	struct session *s = facts->session;
	const struct vmalloc_area *area;
	char caller[160];
	struct what what;

	whatis(s, facts->task, address, &what);
	if (what.kind == WHAT_VMALLOC && what.freed && !what.mapped)
		return freed_area(facts, &what, gone);
	area = what.mapped || !s->symbols ? NULL : vmalloc_area_at(s, address);
	if (!area || !area->vm || area->flags & VMALLOC_NO_GUARD || area->size <= PAGE_SIZE)
		return false;
	uint64_t end = area->start + area->size - PAGE_SIZE;
	if (address < end || !came_from(facts, area, end, address))
		return false;
	symbols_format(s->symbols, area->caller, caller, sizeof(caller));
	gone->kind = "vmalloc-overrun";
	gone->title = "Access beyond a vmalloc area";
	gone->place = arena_printf(facts->arena, "0x%" PRIx64 ", in the guard page behind the vmalloc area at "
				   "0x%" PRIx64 " of %s", address, area->start,
				   area->caller ? caller : "an unknown caller");
	gone->why = arena_printf(facts->arena, "something ran over the end of the area at 0x%" PRIx64
				 ", which has %" PRIu64 " bytes, into the guard page behind it",
				 area->start, end - area->start);
	return true;
}

bool gone_find(const struct facts *facts, uint64_t address, bool execute, struct gone *gone)
{
	*gone = (struct gone){ 0 };
	return of_module(facts, address, execute, gone) ||
	       (!execute && of_vmalloc(facts, address, gone));
}

void gone_blame(const struct facts *facts, struct findings *out, struct finding *f,
		const struct gone *gone)
{
	const struct log_record *said = facts_log_find_last(facts, "[last unloaded: ");

	if (!gone->module)
		return;
	f->confidence = CONFIDENCE_LIKELY;
	f->against = "which module lay there is not kept; the last one unloaded is the most likely";
	f->blame = (struct blame){ .known = true, .unloaded = true, .function = "unloaded code",
				   .module = gone->module, .frame = SIZE_MAX };
	f->next = finding_text(out, "look at what %s does when it is unloaded: every timer, work item, "
			       "notifier, interrupt and callback has to be taken back (timer_delete_sync, "
			       "cancel_work_sync, synchronize_rcu); until then do not unload it",
			       gone->module);
	if (said)
		finding_evidence(out, f, "log", "%s", said->text);
	if (facts->session->text)
		return;
	finding_evidence_shows(out, f, "p (char *)&last_unloaded_module", gone->module,
			       "the module that was unloaded last: %s", gone->module);
}
