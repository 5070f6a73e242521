/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is this address? Every owner of address space is asked in turn, the most exact first; each
 * is an identifier: one file what_NAME.c and one line in identifiers[] (whatis.c).
 *
 * In: addresses, any. Out: for each what it is part of, from the innermost to the outermost
 * ("local of frame #3", "stack of bash", "vmalloc area of dup_task_struct"), in words and as a class.
 * Nothing is guessed: what cannot be told is WHAT_UNKNOWN.
 */
#pragma once

#include "kernel/session.h"
#include "kernel/tasks.h"

enum what_kind {
	WHAT_UNKNOWN,
	WHAT_NULL,          /* NULL + a small offset */
	WHAT_ERR_PTR,       /* -4095..-1: an error code */
	WHAT_POISON,        /* a poison value, by name */
	WHAT_NON_CANONICAL, /* one bit away from ..., if so */
	WHAT_USER,          /* user space: mapping, file */
	WHAT_TEXT, WHAT_DATA, WHAT_RODATA, /* a symbol */
	WHAT_MODULE,        /* in a module's memory, no symbol: section, area */
	WHAT_PERCPU,        /* a per-CPU variable of a CPU; or a dynamic per-CPU allocation */
	WHAT_STACK,         /* a task's or CPU's stack: which frame, which slot */
	WHAT_STACK_BESIDE,  /* the guard page below or above one */
	WHAT_SLAB,
	WHAT_KFENCE,
	WHAT_PAGE_STRUCT,   /* a struct page: of which page */
	WHAT_PAGE,          /* memory of a page with a known owner */
	WHAT_VMALLOC,
	WHAT_BPF,
	WHAT_FIXED,         /* fixmap, cpu_entry_area, espfix, vsyscall ... */
	WHAT_AREA,          /* an area of the address map, nothing more */
	WHAT_COUNT,
};

struct what {
	enum what_kind kind;
	uint64_t address;   /* as asked */
	uint64_t start, size; /* of the thing: symbol, object, stack, area; 0 unknown */
	uint64_t object;    /* kmem_cache, task_struct, vm_struct, struct page ...: by kind; 0 */
	int32_t pid;        /* whose stack or mapping; -1 */
	int cpu;            /* -1 */
	int frame;          /* of the stack; -1 */
	bool user_half;     /* a canonical address of user space, whatever it is */
	bool freed;         /* a freed slab object, a free page */
	bool left_behind;   /* in a part of a stack that is not in use */
	const char *type;   /* type of the object where certain ("task_struct"); NULL */
	char member[160];   /* path of the member of @type at this address ("se.vruntime"); "" */
	char text[320];     /* one line, complete in itself */
	char detail[320];   /* a second line worth showing: alloc track, what surrounds it; "" */
	/* By the page tables. Neither: they are not in the dump. */
	bool mapped, unmapped, permissions_known, writable, executable;
	bool in_dump;       /* its page's data is in the dump */
};

/* @task: whose user space it would be and whose stack is looked at first; NULL: none. */
void whatis(struct session *s, const struct task *task, uint64_t address, struct what *what);
/* Many at once: what the identifiers share is made once (stacks unwound, page array read in order). */
void whatis_many(struct session *s, const struct task *task, const uint64_t *addresses,
		 size_t count, struct what *whats);
/*
 * A short label for annotating words of memory ("vfs_read+0x9a", "kmalloc-64", "stack of bash",
 * "task_struct of init (pid 1)"); "" for numbers that are no address. Costs microseconds.
 */
void whatis_label(struct session *s, uint64_t value, char *buf, size_t size);
/* Makes all that questions share; after that whatis(), whatis_many() and whatis_label() are thread-safe. */
void whatis_prepare(struct session *s);
const char *what_kind_name(enum what_kind kind);
