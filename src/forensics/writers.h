/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who writes this? All code of the kernel and its modules is searched for stores of a constant, or
 * to a place in a structure.
 */
#pragma once

#include "code/search.h"
#include "forensics/text.h"

/* One store. */
struct writer {
	uint64_t pc;
	uint64_t function;       /* its start */
	const struct module *module; /* NULL: the kernel */
	struct insn_store store;
	uint64_t set_at;         /* where the constant was put in a register; 0: it is immediate */
	bool in_frame;           /* relative to the stack pointer: most likely a local variable */
};

struct writers {
	struct writer *data;     /* by address, modules that taint the kernel first */
	size_t count, capacity;
	struct text_scan scan;
	bool interrupted;
};

/*
 * All stores that @wish describes; free with writers_deinit(). A constant that goes through a
 * register is found when the store follows in straight-line code (branches not taken in between).
 */
void writers_find(struct session *s, const struct store_wish *wish, struct writers *writers);
void writers_deinit(struct writers *writers);

enum writer_base {
	BASE_UNKNOWN,  /* what the pointer is does not follow from the code */
	BASE_OTHER,    /* it is a pointer to something else */
	BASE_POSSIBLE, /* not known, but the function takes a pointer to the type */
	BASE_EXACT,    /* by value flow: a parameter, or loaded from a member of that type */
};

/*
 * Does @writer write at @offset of a @type (stripped)? What it writes to is put in words, in
 * @text: "skb->head", as far as it is known (else ""). For one thread at a time.
 */
enum writer_base writer_base(struct session *s, const struct writer *writer, struct type type,
			     uint64_t offset, char *text, size_t size);

/*
 * The member that @writer writes to, by the types of its code: "array_command.owner", and where in
 * that structure it is. False: no structure follows for the pointer. For one thread at a time.
 */
bool writer_member(struct session *s, const struct writer *writer, char *member, size_t size,
		   uint64_t *offset, uint64_t *struct_size);

/* 0: an out-of-tree, unsigned or otherwise tainting module; 1: any other module; 2: the kernel. */
unsigned module_suspicion(struct session *s, const struct module *module);
