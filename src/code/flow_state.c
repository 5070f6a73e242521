// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The state of value flow at one point: registers, flags, stack slots. Slots are kept in order and
 * do not overlap; one that is not there is not known.
 */
#include <stdlib.h>
#include <string.h>

#include "code/flow_state.h"

void flow_state_copy(struct flow_state *to, const struct flow_state *from)
{
	struct flow_slot *slots = to->slots;
	uint32_t capacity = to->slot_capacity;

	if (capacity < from->slot_count) {
		capacity = from->slot_count + 8;
		slots = xreallocarray(slots, capacity, sizeof(*slots));
	}
	*to = *from;
	to->slots = slots;
	to->slot_capacity = capacity;
	if (from->slot_count)
		memcpy(slots, from->slots, from->slot_count * sizeof(*slots));
}

bool flow_state_same(const struct flow_state *a, const struct flow_state *b)
{
	if (a->reached != b->reached || memcmp(a->regs, b->regs, sizeof(a->regs)) != 0 ||
	    a->escaped != b->escaped || a->slot_count != b->slot_count ||
	    a->flags.known != b->flags.known ||
	    (a->flags.known && (a->flags.a != b->flags.a || a->flags.b != b->flags.b ||
				a->flags.test != b->flags.test || a->flags.size != b->flags.size)))
		return false;
	for (uint32_t i = 0; i < a->slot_count; i++) {
		const struct flow_slot *x = &a->slots[i], *y = &b->slots[i];
		if (x->offset != y->offset || x->size != y->size || x->value != y->value ||
		    x->saved != y->saved || x->pushed != y->pushed)
			return false;
	}
	return true;
}

void flow_state_deinit(struct flow_state *state)
{
	free(state->slots);
	*state = (struct flow_state){ 0 };
}

const struct flow_slot *flow_state_slot(const struct flow_state *state, int64_t offset)
{
	uint32_t low = 0, high = state->slot_count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (state->slots[middle].offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low < state->slot_count && state->slots[low].offset == offset ? &state->slots[low]
									     : NULL;
}

void flow_state_kill(struct flow_state *state, int64_t low, int64_t high, bool saved_too)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < state->slot_count; i++) {
		const struct flow_slot *s = &state->slots[i];
		if (s->offset >= high || s->offset + s->size <= low || (s->saved && !saved_too))
			state->slots[kept++] = *s;
	}
	state->slot_count = kept;
}

void flow_state_store(struct flow_state *state, const struct flow_slot *slot)
{
	uint32_t at = 0;

	flow_state_kill(state, slot->offset, slot->offset + slot->size, true);
	if (state->slot_count >= FLOW_SLOTS_MAX || !slot->value)
		return;
	if (state->slot_count == state->slot_capacity) {
		state->slot_capacity = state->slot_capacity ? state->slot_capacity * 2 : 16;
		state->slots = xreallocarray(state->slots, state->slot_capacity,
					     sizeof(*state->slots));
	}
	while (at < state->slot_count && state->slots[at].offset < slot->offset)
		at++;
	memmove(state->slots + at + 1, state->slots + at,
		(state->slot_count - at) * sizeof(*state->slots));
	state->slots[at] = *slot;
	state->slot_count++;
}
