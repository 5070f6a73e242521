// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A function may take its lock through a small one that returns with it held. On a CPU's stack
 * those are looked through, one level deep: what the called function has taken in some state in
 * which it returns, the call has taken. Which lock that is, is known by value flow up to the call,
 * and from there, with the arguments, up to the locking function in the called one.
 */
#include "forensics/held_scan.h"

#include <stdlib.h>

enum { WRAPPER_INSNS_MAX = 800, RETURNS_MAX = 8 };

/* What the caller passes, as far as it is known where @event is. */
static void know_arguments(const struct held_scan *scan, const struct held_event *event,
			   struct flow *outer, struct flow *inner, struct flow_facts *inner_facts)
{
	const struct arch *arch = scan->session->arch;
	struct flow_facts *facts = flow_facts_create(code_env(scan->session), outer);
	struct flow_value v;

	flow_facts_set_stable(facts, args_stable, scan->run);
	held_know_frame(scan, event->insn, outer, facts, true);
	bool solved = flow_solve(facts);
	for (unsigned i = 0; solved && i < arch->arg_reg_count; i++) {
		unsigned reg = arch->arg_regs[i];
		if (flow_eval(facts, flow_register(outer, reg), true, &v) && v.bits == 64)
			flow_know(inner_facts, flow_entry(inner, reg), &v);
	}
	flow_facts_destroy(facts);
}

void held_find_wrapped_lock(const struct held_scan *scan, struct held_event *event)
{
	const struct code_env *env = code_env(scan->session);
	struct flow *outer, *inner;
	struct flow_value v;
	const char *why;

	if (!flow_create(env, scan->f->cfg, scan->f->cfg->insns[event->insn].at, NULL, &outer,
			 &why))
		return;
	if (flow_create(env, event->wrapper, event->wrapper->insns[event->inner].at, NULL, &inner,
			&why)) {
		struct flow_facts *facts = flow_facts_create(env, inner);
		know_arguments(scan, event, outer, inner, facts);
		flow_id id = flow_register(inner, scan->session->arch->arg_regs[0]);
		if (flow_solve(facts) && held_value(inner, facts, id, true, 0, &v)) {
			event->known = event->memory = true;
			event->lock = v.value;
		}
		flow_facts_destroy(facts);
		flow_destroy(inner);
	}
	flow_destroy(outer);
}

/* Does @take leave the lock held when the function of @scan returns? */
static bool leaves_held(struct held_scan *scan, const struct held_event *take)
{
	const struct cfg *cfg = scan->f->cfg;
	unsigned returns = 0;

	for (uint32_t i = 0; i < cfg->insn_count && returns < RETURNS_MAX; i++) {
		if (cfg->insns[i].role != CFG_RETURN)
			continue;
		returns++;
		scan->f->insn = i;
		if (held_states(scan, take) & HELD)
			return true;
	}
	return false;
}

void held_look_through(struct held_scan *scan, uint64_t target, const struct held_event *call)
{
	const char *why;
	const struct cfg *cfg = code_cfg(scan->session, target, &why);
	struct frame_flow f = { .cfg = cfg };
	struct held_scan *inner;
	bool any = false;

	--*scan->wrappers;
	if (!cfg || cfg->incomplete || cfg->insn_count > WRAPPER_INSNS_MAX)
		return;
	inner = xcalloc(1, sizeof(*inner));
	*inner = (struct held_scan){ .session = scan->session, .run = scan->run, .f = &f,
				     .kinds = scan->kinds, .arena = scan->arena };
	held_find_events(inner);
	for (unsigned i = 0; i < inner->count && !inner->too_many; i++) {
		const struct held_event *e = &inner->events[i];
		struct held_event event = *call;
		any |= held_takes(e);
		if (!held_takes(e) || !leaves_held(inner, e))
			continue;
		event.function = e->function;
		event.wrapper = cfg;
		event.inner = e->insn;
		held_add_event(scan, &event);
	}
	for (unsigned i = 0; i < inner->count && !any; i++) {
		struct held_event event = *call;
		event.function = inner->events[i].function;
		if (event.function)
			held_add_event(scan, &event);
	}
	free(inner);
}
