/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the identifiers share. Private to the what_*.c files.
 *
 * An identifier looks at ask->address and returns false when it is not its own; else it fills
 * ask->what. With ask->brief it writes a label of few words into what->text and takes microseconds.
 * Identifiers may be called from several threads.
 */
#pragma once

#include <pthread.h>

#include "base/vec.h"
#include "forensics/whatis.h"
#include "kernel/cpus.h"

struct what_ask {
	struct session *s;
	struct whatis_state *state;
	const struct task *task; /* whose user space; NULL */
	uint64_t address;
	bool brief;
	unsigned depth; /* of questions that an identifier asks in turn */
	struct what *what;
};

/* A kernel stack: of a task, or one of a CPU's. */
struct stack_range {
	uint64_t low, high;
	const struct task *task; /* NULL: a CPU's */
	const char *name;        /* of a CPU's: "irq", "nmi" ... */
	int cpu;
};

/* One CPU's part of a chunk of per-CPU memory. */
struct percpu_range {
	uint64_t start;
	uint32_t chunk;
	int cpu;
};

struct percpu_chunk {
	uint64_t address; /* of its struct pcpu_chunk; 0: what static variables of CPUs are in */
	uint64_t base;
	uint64_t alloc_map, bound_map;
	uint64_t size;    /* of each CPU's part */
};

/* The static per-CPU variables of a module, as per-CPU pointers. */
struct whatis_module_percpu {
	const struct module *module;
	uint64_t start, size;
};

struct generated_code {
	uint64_t start, end;
	const char *name;
};

struct listed_object {
	uint64_t address;
	const char *type;
};

struct named_area {
	uint64_t start, size;
	const char *name;
	enum what_kind kind;
};

/* A stack that was unwound, with the registers that its functions saved. */
struct unwound {
	const struct task *task;
	struct stack stack;
};

enum { UNWOUND_MAX = 64 };

struct whatis_state {
	pthread_mutex_t lock; /* of what is filled on first use */
	struct {
		bool known;
		vec_fields(struct stack_range); /* sorted by low */
	} stacks;
	struct {
		bool known;
		uint64_t static_start, static_size; /* the variables' addresses before CPU offsets */
		struct {
			vec_fields(struct percpu_chunk);
		} chunks;
		struct {
			vec_fields(struct whatis_module_percpu);
		} modules;
		vec_fields(struct percpu_range); /* sorted */
	} percpu;
	struct {
		bool known;
		uint64_t rodata_start, rodata_end; /* of the kernel image; 0 unknown */
		uint64_t init_start, init_end; /* of it, freed when it had started; 0 none */
		vec_fields(struct named_area);
	} areas;
	struct {
		bool known;
		vec_fields(struct generated_code); /* sorted */
	} generated;
	struct {
		bool known;
		vec_fields(struct listed_object); /* sorted */
	} listed;
	/* The stacks asked about last; replaced in turn. Only with the lock held. */
	struct unwound unwound[UNWOUND_MAX];
	unsigned unwound_count, unwound_next;
};

/* Identifiers; see the table in whatis.c. */
/* The same question for another address, by an identifier that found it leads there. */
void what_ask_again(const struct what_ask *outer, uint64_t address, struct what *what);

bool what_null(const struct what_ask *ask);
bool what_err_ptr(const struct what_ask *ask);
bool what_poison(const struct what_ask *ask);
bool what_non_canonical(const struct what_ask *ask);
bool what_user(const struct what_ask *ask);
bool what_stack(const struct what_ask *ask);
bool what_stack_beside(const struct what_ask *ask);
bool what_percpu(const struct what_ask *ask);
bool what_symbol(const struct what_ask *ask);
bool what_module(const struct what_ask *ask);
bool what_page_struct(const struct what_ask *ask);
bool what_node(const struct what_ask *ask);
bool what_slab(const struct what_ask *ask);
bool what_generated(const struct what_ask *ask);
bool what_vmalloc(const struct what_ask *ask);
bool what_page(const struct what_ask *ask);
bool what_area(const struct what_ask *ask);

/* Preparation, each once; thread-safe. */
void what_stack_prepare(struct session *s, struct whatis_state *state);
void what_percpu_prepare(struct session *s, struct whatis_state *state);
void what_generated_prepare(struct session *s, struct whatis_state *state);
void what_area_prepare(struct session *s, struct whatis_state *state);
void what_listed_prepare(struct session *s, struct whatis_state *state);

/* For identifiers. */
void what_set(const struct what_ask *ask, enum what_kind kind, uint64_t start, uint64_t size);
void what_textf(const struct what_ask *ask, const char *fmt, ...) printf_like(2, 3);
void what_detailf(const struct what_ask *ask, const char *fmt, ...) printf_like(2, 3);
/* "name", "name+0x10" */
void what_plus(char *buf, size_t size, const char *name, uint64_t offset);
/* The member at @offset of the variable @name, whose type may be known: ", NAME.MEMBER"; "". */
void what_variable_member(const struct what_ask *ask, const char *name, uint64_t address,
			  uint64_t offset, char *buf, size_t size);
/* The label of another address, "0x..." where it has none. */
void what_label_of(const struct what_ask *outer, uint64_t address, char *buf, size_t size);
/* The type of an object that begins there, by the kernel's lists (see what_listed.c); NULL. */
const char *what_listed_type(const struct what_ask *ask, uint64_t object);
/* Adds to the detail what a physical address is to the platform: "Reserved", "PCI Bus 0000:00". */
void what_physical(const struct what_ask *ask, uint64_t physical);
/* Whose an anonymous page is; false when that cannot be told. */
struct page_info;
bool what_anonymous(const struct what_ask *ask, const struct page_info *info);
/* "bash (pid 7)" */
void what_task_name(const struct task *task, char *buf, size_t size);
/* Which slot of the stack: see what_frame.c. Adds to text and detail. */
void what_stack_slot(const struct what_ask *ask, const struct stack_range *range);
