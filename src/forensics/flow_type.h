/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Types along value flow: the parameters of a function have types, so what is loaded through them
 * has: "rax is skb->head". Only what follows from prototypes and members is said.
 */
#pragma once

#include "base/alloc.h"
#include "code/flow.h"
#include "kernel/session.h"

/* The flow of one function at one address, and what is known of the function. */
struct flow_typing {
	struct session *session;
	struct flow *flow;
	const struct cfg *cfg;
	struct type prototype; /* {0}: none, or one that may not fit */
	struct arena *arena;   /* of the texts */
	/* Merges that are being looked at, for loops: with the type that one path in gave. */
	struct {
		flow_id id;
		struct type type; /* {0}: none yet */
	} merge[8];
	unsigned merge_count;
	bool in_loop; /* one was met again without a type */
};

/* Looks up the prototype of the function at @function; borrows all. */
void flow_typing_init(struct flow_typing *typing, struct session *s, struct flow *flow,
		      const struct cfg *cfg, uint64_t function, struct arena *arena);

struct typed_value {
	struct type type;
	const char *text; /* in C, by the names of parameters: "skb->head" */
	bool unsure;      /* paths differ in the value; they agree in the type */
};

/* False: no type follows for the node. */
bool flow_typed(struct flow_typing *typing, flow_id id, struct typed_value *value);

/* A place in memory, as a member of what a typed pointer points to. */
struct typed_place {
	struct type object;   /* the struct or union (or other target) pointed to */
	const char *pointer;  /* text of the pointer: "skb" */
	uint64_t offset;      /* into the object */
	const char *path;     /* of the innermost member there: "head"; "" for none */
	struct type type;     /* of that member; {0} */
	bool unsure;
};

/* The place that the node is the address of. False: it is no typed pointer, nor near one. */
bool flow_typed_place(struct flow_typing *typing, flow_id address, struct typed_place *place);
