/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Interrupt lines, softirqs, and the interrupt descriptor table. */
#pragma once

#include "base/strbuf.h"
#include "kernel/session.h"
#include "kernel/walk.h"

/* CPU numbers as a bit mask; x86 has no more of them. */
enum { CPU_MASK_WORDS = 128 };
struct cpu_mask {
	uint64_t words[CPU_MASK_WORDS];
	unsigned bits; /* how many of them count: nr_cpu_ids */
	bool known;
};

struct irq_line {
	unsigned irq;
	uint64_t desc;      /* struct irq_desc */
	uint64_t action;    /* the first struct irqaction; 0: nobody asked for it */
	uint64_t hwirq, depth, total;
	uint64_t counts;    /* per-CPU pointer to its counters; 0 unknown */
	bool incomplete;
	char chip[64], flow[32]; /* "IO-APIC", "edge"; "" unknown */
};

struct irq_handler {
	uint64_t action, handler;
	uint64_t thread_function; /* what its thread calls; 0: it has none */
	char name[64];
};

/* Every line that exists, in order of its number. What is missing is told in @trouble. */
typedef bool (*irq_fn)(void *ctx, const struct irq_line *line);
void irqs_each(struct session *s, struct walk_trouble *trouble, irq_fn fn, void *ctx);
/* Those who handle it. False: the list breaks off, or a name was not read. */
typedef void (*irq_handler_fn)(void *ctx, const struct irq_handler *handler);
bool irq_handlers_each(struct session *s, const struct irq_line *line, irq_handler_fn fn,
		       void *ctx);
/* How often it came on a CPU. */
bool irq_count(struct session *s, const struct irq_line *line, unsigned cpu, uint64_t *count);
/* Where it may be delivered, and where it is (when the kernel keeps that). */
void irq_affinity(struct session *s, const struct irq_line *line, struct cpu_mask *mask);
/* Adds "0-3,7"; nothing of an empty mask. */
void cpu_mask_text(const struct cpu_mask *mask, struct strbuf *text);

/* Softirq @n: its name and its function; false past the last. */
struct softirq {
	uint64_t vector; /* struct softirq_action */
	uint64_t action;
	bool known;
	char name[32];
};
bool softirq(struct session *s, unsigned n, struct softirq *out);
bool softirq_count(struct session *s, unsigned n, unsigned cpu, uint64_t *count);

/* Where entry @n of the interrupt descriptor table leads to (x86-64); false: not in the dump. */
enum { IDT_ENTRIES = 256 };
bool idt_entry(struct session *s, unsigned n, uint64_t *address);
