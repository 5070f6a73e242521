/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by held_locks.c and held_wrappers.c: one function's locking and unlocking. */
#pragma once

#include "forensics/args_frame.h"
#include "forensics/held_locks.h"

enum { HELD_EVENTS_MAX = 48 };

/* A lock is taken or given back at this instruction. */
struct held_event {
	uint32_t insn;
	const struct lock_function *function; /* NULL: a store that may be an inlined unlock */
	const char *name;
	bool known, memory;
	uint64_t lock;
	/* It is in the function that the instruction calls: that one's graph, and where in it. */
	const struct cfg *wrapper;
	uint32_t inner;
};

struct held_scan {
	struct session *session;
	struct args_run *run;
	struct frame_flow *f;
	size_t frame;
	unsigned kinds;
	struct given_locks *given;
	unsigned *wrappers; /* functions that may still be looked through; NULL: none */
	struct held_event events[HELD_EVENTS_MAX];
	unsigned count;
	bool too_many;
	struct arena *arena;
};

/* Where in the function of @scan locks are taken and given back. */
void held_find_events(struct held_scan *scan);
void held_add_event(struct held_scan *scan, const struct held_event *event);
bool held_takes(const struct held_event *event);
/* What is known of the frame is true at the event, too, as far as nothing wrote there since. */
void held_know_frame(const struct held_scan *scan, uint32_t insn, struct flow *flow,
		     struct flow_facts *facts, bool memory);
/*
 * What a node is in all 64 bits; @depth 0. Compilers read a global pointer again on each of two
 * paths that join: those are two loads, which memory read again can show to be the same.
 */
bool held_value(struct flow *flow, struct flow_facts *facts, flow_id id, bool memory,
		unsigned depth, struct flow_value *v);
/*
 * The states in which the function can be at its instruction, as to the lock of @take. A try that
 * may have failed leaves both ways open: it is followed as taken from there, too.
 */
enum { NOT_HELD = 1, HELD = 2 };
unsigned held_states(const struct held_scan *scan, const struct held_event *take);

/* --- held_wrappers.c --- */

/*
 * A function that returns with locks taken, or that only gives some back: then the call of it is
 * such an event, one for each.
 */
void held_look_through(struct held_scan *scan, uint64_t target, const struct held_event *call);
/* The lock that the called function takes, by what it is called with: never sure. */
void held_find_wrapped_lock(const struct held_scan *scan, struct held_event *event);
