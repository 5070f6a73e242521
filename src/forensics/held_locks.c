// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Each call of a locking function is an event in its function's control flow. From the entry on,
 * every state "at this block, holding or not" that the code can be in is followed once; what is
 * reached at the frame's own instruction tells whether the lock is held there: surely, maybe, not.
 *
 * Which lock a call takes is known by value flow up to that call, from what is known of the frame:
 * what its function was entered with, and registers that are not written between there and here.
 *
 * A function may take its lock through a small one that returns with it held: held_wrappers.c.
 *
 * In doubt it was given back: a call that unlocks something that is not known, or that stores a
 * zero byte through a pointer that is not known (an inlined spin_unlock()), gives it back.
 */
#include "forensics/held_locks.h"

#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "forensics/held_scan.h"

enum { FRAMES_LOOKED_AT = 48, BLOCKS_MAX = 4096, HELD_MAX = 64, WRAPPERS_MAX = 400 };
enum { MERGES_MAX = 3 }; /* of merges, one in another */

struct given_lock {
	enum lock_kind kind;
	bool known;
	uint64_t lock;
};

/* Of the frames that were looked at, the innermost first. */
enum { GIVEN_MAX = 128 };
struct given_locks {
	struct given_lock locks[GIVEN_MAX];
	size_t count;
};

/* --- What happens in the code. --- */

static const char *base_name(struct arena *arena, const char *name)
{
	return arena_strndup(arena, name, strcspn(name, "."));
}

/*
 * How unlocking ends when it is inlined: movb $0,MEM of a spinlock and of a writer's, a number
 * added to 4 bytes of a reader's. Many other things look like it.
 */
static bool may_unlock(const struct insn *insn)
{
	bool constant = insn->operand_count > 1 && insn->operand[1].kind == OPERAND_IMMEDIATE;

	if (!insn->memory.present || !insn->memory.write || insn->memory.per_cpu || !constant)
		return false;
	if (insn->does == INSN_DOES_MOVE)
		return insn->memory.size == 1 && !insn->operand[1].value;
	return (insn->does == INSN_DOES_ADD || insn->does == INSN_DOES_SUB) &&
	       insn->memory.size == 4;
}

/* A task that does not run stands in these with a lock that the next one gives back. */
static bool is_scheduler(const char *name)
{
	return strcmp(name, "__schedule") == 0 || starts_with(name, "context_switch") ||
	       starts_with(name, "__switch_to");
}

void held_add_event(struct held_scan *scan, const struct held_event *event)
{
	if (scan->count == HELD_EVENTS_MAX)
		scan->too_many = true;
	else
		scan->events[scan->count++] = *event;
}

void held_find_events(struct held_scan *scan)
{
	const struct cfg *cfg = scan->f->cfg;

	for (uint32_t i = 0; i < cfg->insn_count; i++) {
		const struct cfg_insn *insn = &cfg->insns[i];
		struct held_event event = { .insn = i };
		struct symbol symbol;
		bool call = (insn->role == CFG_CALL || insn->role == CFG_CALL_LAST) && insn->target;
		if (call && symbols_by_address(scan->session->symbols, insn->target, &symbol) &&
		    symbol.address == insn->target) {
			event.name = base_name(scan->arena, symbol.name);
			event.function = lock_function_of(event.name);
		}
		if (event.function && !(scan->kinds >> event.function->kind & 1))
			event.function = NULL;
		else if (call && event.name && !event.function && scan->wrappers && *scan->wrappers)
			held_look_through(scan, insn->target, &event);
		if (!event.function && !may_unlock(&insn->insn))
			continue;
		held_add_event(scan, &event);
	}
}

bool held_takes(const struct held_event *event)
{
	return event->function && event->function->act != LOCK_GIVE;
}

/* complete(): who waits for it waits for this. */
static bool completes(const struct held_event *event)
{
	return event->function && event->function->act == LOCK_GIVE &&
	       event->function->kind == LOCK_COMPLETION;
}

static bool any_of_interest(const struct held_scan *scan)
{
	for (unsigned i = 0; i < scan->count; i++) {
		if (scan->events[i].function)
			return true;
	}
	return false;
}

/* --- Which lock. --- */

/* Registers written anywhere in the function but in its first and last instructions' saving. */
static uint64_t written_between(const struct cfg *cfg, uint32_t from, uint32_t to)
{
	/* Straight on in one block, or else any instruction of the function may lie between. */
	bool straight = cfg_block_of(cfg, from) == cfg_block_of(cfg, to) && from <= to;
	uint32_t first = straight ? from : 0, last = straight ? to : cfg->insn_count;
	uint64_t written = 0;

	for (uint32_t i = first; i < last; i++) {
		const struct insn *insn = &cfg->insns[i].insn;
		/* A pop gives back the caller's value: on the way out, which has not been taken. */
		if (insn->does == INSN_DOES_POP || insn->does == INSN_DOES_LEAVE)
			continue;
		written |= insn->writes | cfg->insns[i].destroys;
	}
	return written;
}

void held_know_frame(const struct held_scan *scan, uint32_t insn, struct flow *flow,
		       struct flow_facts *facts, bool memory)
{
	const struct arch *arch = scan->session->arch;
	const struct frame *frame = &scan->run->stack->frames[scan->frame];
	uint64_t written = written_between(scan->f->cfg, insn, scan->f->insn);
	struct flow_value v;

	for (unsigned reg = 0; reg < arch->reg_count && reg < X86_RIP; reg++) {
		unsigned place = args_place_of(arch, (int)reg);
		if (reg == arch->sp)
			continue;
		if (flow_eval(scan->f->facts, flow_entry(scan->f->flow, reg), memory, &v))
			flow_know(facts, flow_entry(flow, reg), &v);
		else if (memory && place < arch->arg_reg_count && scan->f->guessed[place])
			flow_know(facts, flow_entry(flow, reg), &scan->f->guess[place]);
		bool kept = !(written >> reg & 1) && (arch->preserved >> reg & 1);
		if (kept && regs_known(&frame->regs, reg)) {
			v = (struct flow_value){ .value = frame->regs.value[reg],
						 .bits = 64,
						 .source = FLOW_FROM_REGISTER,
						 .reg = (int)reg };
			flow_know(facts, flow_register(flow, reg), &v);
		}
	}
}

/* The one number that all paths into a merge bring. */
struct merged {
	struct flow *flow;
	struct flow_facts *facts;
	struct flow_value v;
	flow_id merge;
	unsigned depth, count;
	bool differ;
};

static bool join_path(void *ctx, uint64_t from unused_arg, flow_id id)
{
	struct merged *m = ctx;
	struct flow_value v = { 0 };

	/* Round a loop that leaves it as it is. */
	if (id == m->merge)
		return true;
	m->differ = !held_value(m->flow, m->facts, id, true, m->depth + 1, &v) ||
		    (m->count && v.value != m->v.value);
	m->v = v;
	m->count++;
	return !m->differ;
}

bool held_value(struct flow *flow, struct flow_facts *facts, flow_id id, bool memory,
		unsigned depth, struct flow_value *v)
{
	struct merged m = { .flow = flow, .facts = facts, .merge = id, .depth = depth };

	if (id == FLOW_NONE)
		return false;
	if (flow_eval(facts, id, memory, v))
		return v->bits == 64;
	if (!memory || depth == MERGES_MAX || flow_node(flow, id)->kind != FLOW_MERGE)
		return false;
	flow_merged(flow, id, join_path, &m);
	if (!m.count || m.differ)
		return false;
	*v = m.v;
	v->memory = true;
	return true;
}

static bool evaluate(const struct held_scan *scan, struct held_event *event, struct flow *flow,
		     bool memory)
{
	const struct code_env *env = code_env(scan->session);
	const struct insn *insn = &scan->f->cfg->insns[event->insn].insn;
	struct flow_facts *facts = flow_facts_create(env, flow);
	struct flow_value v;

	flow_facts_set_stable(facts, args_stable, scan->run);
	held_know_frame(scan, event->insn, flow, facts, memory);
	flow_id id = event->function ? flow_register(flow, scan->session->arch->arg_regs[0])
				     : flow_address(flow, &insn->memory);
	bool known = flow_solve(facts) && held_value(flow, facts, id, memory, 0, &v);
	if (known) {
		event->known = true;
		event->memory = memory;
		event->lock = v.value;
	}
	flow_facts_destroy(facts);
	return known;
}

static void find_lock(const struct held_scan *scan, struct held_event *event)
{
	struct flow *flow;
	const char *why;

	if (event->wrapper) {
		held_find_wrapped_lock(scan, event);
		return;
	}

	if (!flow_create(code_env(scan->session), scan->f->cfg,
			 scan->f->cfg->insns[event->insn].at, NULL, &flow, &why))
		return;
	if (!evaluate(scan, event, flow, false))
		evaluate(scan, event, flow, true);
	flow_destroy(flow);
}

/* --- Held or not. --- */

struct states {
	uint8_t *at;      /* by block: with which states it is entered */
	uint32_t *todo;   /* block * 2 + held */
	size_t count;
};

static void enter(struct states *states, uint32_t block, bool held)
{
	uint8_t bit = held ? HELD : NOT_HELD;

	if (states->at[block] & bit)
		return;
	states->at[block] |= bit;
	states->todo[states->count++] = block * 2 + held;
}

static bool gives_back(const struct held_event *event, const struct held_event *take)
{
	if (event->function && event->function->act != LOCK_GIVE)
		return false;
	if (event->function && event->function->kind != take->function->kind)
		return false;
	if (!event->function && take->function->kind != LOCK_SPIN &&
	    take->function->kind != LOCK_READ_WRITE)
		return false;
	return !event->known || !take->known || event->lock == take->lock;
}

/* The state behind the instructions of a block, or before @stop; result: stop was met. */
static bool run_block(const struct held_scan *scan, const struct cfg_block *block,
		      const struct held_event *take, uint32_t stop, bool *held)
{
	for (uint32_t i = block->first; i < block->first + block->count; i++) {
		if (i == stop)
			return true;
		for (unsigned e = 0; e < scan->count; e++) {
			const struct held_event *event = &scan->events[e];
			if (event->insn != i)
				continue;
			bool same = event == take ||
				    (held_takes(event) && event->known && take->known &&
				     event->lock == take->lock);
			if (same && event->function->act == LOCK_TAKE)
				*held = true;
			else if (gives_back(event, take))
				*held = false;
		}
	}
	return false;
}

unsigned held_states(const struct held_scan *scan, const struct held_event *take)
{
	const struct cfg *cfg = scan->f->cfg;
	struct states states = { 0 };
	unsigned here = 0;

	if (cfg->block_count > BLOCKS_MAX)
		return 0;
	states.at = xcalloc(cfg->block_count, 1);
	states.todo = xcalloc((size_t)cfg->block_count * 2, sizeof(*states.todo));
	enter(&states, 0, false);
	while (states.count) {
		uint32_t item = states.todo[--states.count];
		const struct cfg_block *block = &cfg->blocks[item / 2];
		bool held = item % 2, met = run_block(scan, block, take, scan->f->insn, &held);
		if (met)
			here |= held ? HELD : NOT_HELD;
		/* A call returns and goes on: the block behind it may come round again. */
		if (met) {
			struct cfg_block rest = *block;
			rest.count -= scan->f->insn + 1 - rest.first;
			rest.first = scan->f->insn + 1;
			run_block(scan, &rest, take, UINT32_MAX, &held);
		}
		bool tried = held_takes(take) && take->function->act == LOCK_TRY &&
			     cfg_block_of(cfg, take->insn) == item / 2;
		for (uint32_t e = 0; e < block->out_count; e++) {
			uint32_t to = cfg->edges[block->first_out + e].to;
			enter(&states, to, held);
			if (tried)
				enter(&states, to, true);
		}
	}
	free(states.at);
	free(states.todo);
	return here;
}

/* Can the code come from instruction @from to @to (not through its start again)? */
static bool leads_to(const struct held_scan *scan, uint32_t from, uint32_t to)
{
	const struct cfg *cfg = scan->f->cfg;
	uint32_t here = cfg_block_of(cfg, from), there = cfg_block_of(cfg, to);
	struct states states = { 0 };
	bool met = here == there && to > from;

	if (cfg->block_count > BLOCKS_MAX || met)
		return met;
	states.at = xcalloc(cfg->block_count, 1);
	states.todo = xcalloc((size_t)cfg->block_count * 2, sizeof(*states.todo));
	enter(&states, here, false);
	while (states.count && !met) {
		const struct cfg_block *block = &cfg->blocks[states.todo[--states.count] / 2];
		for (uint32_t e = 0; e < block->out_count && !met; e++) {
			uint32_t next = cfg->edges[block->first_out + e].to;
			met = next == there;
			enter(&states, next, false);
		}
	}
	free(states.at);
	free(states.todo);
	return met;
}

/* It took such a lock itself before: likely that is the one it gives back. */
static bool took_before(const struct held_scan *scan, const struct held_event *give)
{
	for (unsigned i = 0; i < scan->count; i++) {
		const struct held_event *e = &scan->events[i];
		if (held_takes(e) && e->function->kind == give->function->kind &&
		    leads_to(scan, e->insn, give->insn))
			return true;
	}
	return false;
}

/* What a function on the stack may have given back before it came to where it is. */
static void note_given(const struct held_scan *scan, struct given_locks *given)
{
	for (unsigned i = 0; i < scan->count && given->count < GIVEN_MAX; i++) {
		const struct held_event *e = &scan->events[i];
		if (!e->function || e->function->act != LOCK_GIVE ||
		    e->function->kind == LOCK_COMPLETION || e->insn == scan->f->insn ||
		    !leads_to(scan, e->insn, scan->f->insn) || (!e->known && took_before(scan, e)))
			continue;
		given->locks[given->count++] = (struct given_lock){
			.kind = e->function->kind, .known = e->known, .lock = e->lock,
		};
	}
}

/*
 * A function may be called with its caller's lock held, and give it back. Which lock it gives back
 * is often not known: then that of the caller is no more than maybe held.
 */
static bool given_since(const struct given_locks *given, const struct held_lock *lock, bool *maybe)
{
	for (size_t i = 0; i < given->count; i++) {
		const struct given_lock *g = &given->locks[i];
		if (g->kind != lock->kind)
			continue;
		if (g->known && g->lock == lock->lock)
			return true;
		*maybe |= !g->known;
	}
	return false;
}

static bool already(const struct stack_locks *locks, const struct held_lock *lock)
{
	for (size_t i = 0; i < locks->held_count; i++) {
		/* Taken for reading on one way and for writing on another: the lock tells which. */
		if (locks->held[i].lock == lock->lock && locks->held[i].frame == lock->frame &&
		    locks->held[i].shared == lock->shared)
			return true;
	}
	return false;
}

static void add_held(const struct held_scan *scan, const struct held_event *event, bool to_complete,
		     bool all_ways, struct stack_locks *locks)
{
	struct held_lock lock = {
		.lock = event->lock,
		.to_complete = to_complete,
		.taker = base_name(scan->arena, scan->f->cfg->name),
		.kind = event->function->kind,
		.shared = event->function->shared,
		.frame = scan->frame,
		.taken_at = scan->f->cfg->insns[event->insn].at,
		.function = event->name,
		.all_ways = all_ways,
		.memory = event->memory,
	};

	bool maybe = false;
	if (event->known && !to_complete && given_since(scan->given, &lock, &maybe))
		return;
	if (maybe)
		lock.all_ways = false;
	if (!event->known)
		locks->undecided = true;
	else if (locks->held_count < HELD_MAX && !already(locks, &lock))
		locks->held[locks->held_count++] = lock;
}

static void scan_frame(struct held_scan *scan, struct stack_locks *locks)
{
	const struct cfg *cfg = scan->f->cfg;

	held_find_events(scan);
	if (scan->too_many || !any_of_interest(scan))
		return;
	for (unsigned i = 0; i < scan->count; i++) {
		if (scan->events[i].function == NULL || held_takes(&scan->events[i]) ||
		    lock_function_of(scan->events[i].name))
			find_lock(scan, &scan->events[i]);
	}
	for (unsigned i = 0; i < scan->count; i++) {
		const struct held_event *event = &scan->events[i];
		if (event->insn == scan->f->insn)
			continue;
		if (completes(event) && leads_to(scan, scan->f->insn, event->insn))
			add_held(scan, event, true, false, locks);
		if (!held_takes(event))
			continue;
		unsigned here = held_states(scan, event);
		if (here & HELD)
			add_held(scan, event, false, here == HELD && !cfg->incomplete, locks);
	}
	/* For the frames outside: this one comes after what they did. */
	note_given(scan, scan->given);
}

/* --- The whole. --- */

/* The first frame's argument: the lock. */
static bool lock_argument(const struct args_run *run, size_t i, struct flow_value *v)
{
	const struct frame_flow *f = &run->frames[i];
	uint8_t reg = run->session->arch->arg_regs[0];

	*v = (struct flow_value){ 0 };
	if (f->usable && flow_eval(f->facts, flow_entry(f->flow, reg), false, v) && v->bits == 64)
		return true;
	if (!f->guessed[0] || f->guess[0].bits != 64)
		return false;
	*v = f->guess[0];
	v->memory = true;
	return true;
}

static const struct lock_function *locking_frame(struct args_run *run, size_t i,
						 struct arena *arena, const char **name)
{
	const struct frame *frame = &run->stack->frames[i];
	struct symbol symbol;

	if (i >= run->count || frame->how == FRAME_SCAN ||
	    !symbols_by_address(run->session->symbols, frame->is_call ? frame->pc - 1 : frame->pc,
				&symbol))
		return NULL;
	*name = base_name(arena, symbol.name);
	return lock_function_of(*name);
}

/*
 * Those that wait for a rwlock stand in line with a spinlock of its own (kernel/locking/qrwlock.c):
 * what they want is the rwlock.
 */
static bool is_own_queue(struct args_run *run, size_t i, struct arena *arena,
			 const struct lock_function *function)
{
	const struct lock_function *outer;
	const char *name;

	if (function->kind != LOCK_SPIN || i + 1 >= run->count)
		return false;
	outer = locking_frame(run, i + 1, arena, &name);
	return outer && outer->kind == LOCK_READ_WRITE && starts_with(name, "queued_");
}

enum { WAIT_LOCK_OFFSET = 4 }; /* of struct qrwlock, include/asm-generic/qrwlock_types.h */

/*
 * Stopped in the short way to a lock, with nobody called: it is being taken, or was just taken. Who
 * waits calls a slow path, unless the kernel is so old that the short way itself spins.
 */
static bool is_short_way(struct args_run *run, size_t i, const char *name,
			 const struct lock_function *function)
{
	struct symbols *symbols = run->session->symbols;

	if (run->stack->frames[i].is_call || function->act != LOCK_TAKE ||
	    !starts_with(name, "_raw_"))
		return false;
	return function->kind == LOCK_SPIN
		       ? symbols_address(symbols, "native_queued_spin_lock_slowpath") ||
			 symbols_address(symbols, "queued_spin_lock_slowpath")
		       : symbols_address(symbols, "queued_write_lock_slowpath") != 0;
}

/* The locking function nearest to the stack's top whose lock is known; else the nearest. */
static void find_wait(struct args_run *run, struct stack_locks *locks)
{
	struct flow_value v, queue = { 0 };

	for (size_t i = 0; i < run->count && i < FRAMES_LOOKED_AT; i++) {
		const char *name = NULL;
		const struct lock_function *function = locking_frame(run, i, &locks->arena, &name);
		if (!name)
			continue;
		if (!function || function->act == LOCK_GIVE) {
			if (locks->waits)
				return;
			continue;
		}
		if (is_short_way(run, i, name, function))
			continue;
		bool known = lock_argument(run, i, &v);
		if (is_own_queue(run, i, &locks->arena, function)) {
			queue = known ? v : queue;
			continue;
		}
		if (!known && queue.bits && function->kind == LOCK_READ_WRITE) {
			v = queue;
			v.value -= WAIT_LOCK_OFFSET;
			known = true;
		}
		if (locks->waits && !known)
			continue;
		locks->waits = true;
		locks->wait = (struct lock_wait){
			.lock = known ? v.value : 0,
			.kind = function->kind,
			.shared = function->shared,
			.frame = i,
			.function = name,
			.memory = v.memory,
		};
		if (known)
			return;
	}
}

void stack_locks_find(struct session *s, const struct task *task, struct stack *stack,
		      unsigned kinds, struct stack_locks *locks)
{
	*locks = (struct stack_locks){ 0 };
	struct args_run run = { .session = s, .task = task, .stack = stack,
				.arena = &locks->arena };

	if (!s->symbols || !args_run_open(&run))
		return;
	locks->held = arena_zalloc(&locks->arena, HELD_MAX * sizeof(*locks->held));
	find_wait(&run, locks);
	struct given_locks given = { .count = 0 };
	unsigned wrappers = WRAPPERS_MAX;
	for (size_t i = 0; i < run.count && i < FRAMES_LOOKED_AT; i++) {
		/* An interrupt gives nothing back that the code it interrupted has. */
		if (stack->frames[i].has_regs)
			given.count = 0;
		struct held_scan scan = {
			.session = s, .run = &run, .f = &run.frames[i], .frame = i,
			.kinds = kinds, .arena = &locks->arena, .given = &given,
			.wrappers = task && task->on_cpu ? &wrappers : NULL,
		};
		if (scan.f->usable && scan.f->cfg && !is_scheduler(scan.f->cfg->name))
			scan_frame(&scan, locks);
	}
	args_run_close(&run);
}

void stack_locks_deinit(struct stack_locks *locks)
{
	arena_deinit(&locks->arena);
}
