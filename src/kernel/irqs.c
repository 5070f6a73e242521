// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Interrupt lines: a struct irq_desc for each (include/linux/irqdesc.h), in the maple tree
 * sparse_irqs since 6.5, before that in the radix tree irq_desc_tree, and without CONFIG_SPARSE_IRQ
 * in an array. Who wants it is the list irq_desc.action. Counters are per CPU, an unsigned int each
 * (since 6.10 in a struct irqstat, whose first member that is).
 *
 * Where the tree has holes, the lines that a CPU can be interrupted by are also found from the
 * vectors: vector_irq[] of each CPU (x86) points to their irq_descs.
 */
#include "kernel/irqs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/map.h"
#include "base/vec.h"
#include "kernel/cpus.h"
#include "kernel/trees.h"

enum { LINES_MAX = 1 << 20, ACTIONS_MAX = 1024, SOFTIRQS_MAX = 32 };

static void read_flow(struct session *s, struct irq_line *line)
{
	uint64_t handler, name;
	struct symbol symbol;
	char text[64] = "";

	/* Its own name, "edge" or "fasteoi" mostly; else its handler's. */
	if (kread(s, line->desc, "irq_desc", "name", &name) && name)
		kread_string(s, line->desc, "irq_desc", "name", text, sizeof(text));
	if (!text[0] && kread(s, line->desc, "irq_desc", "handle_irq", &handler) && handler &&
	    s->symbols && symbols_by_address(s->symbols, handler, &symbol))
		snprintf(text, sizeof(text), "%s", symbol.name);
	const char *start = strncmp(text, "handle_", 7) == 0 ? text + 7 : text;
	size_t length = strlen(start);
	if (length > 4 && strcmp(start + length - 4, "_irq") == 0)
		length -= 4;
	snprintf(line->flow, sizeof(line->flow), "%.*s", (int)length, start);
}

static void read_line(struct session *s, unsigned irq, uint64_t desc, struct irq_line *line)
{
	uint64_t chip;
	size_t cpu_count;
	const struct cpu *all = cpus(s, &cpu_count);

	*line = (struct irq_line){ .irq = irq, .desc = desc };
	line->incomplete |= !kread(s, desc, "irq_desc", "action", &line->action);
	line->incomplete |= !kread(s, desc, "irq_desc", "irq_data.hwirq", &line->hwirq);
	line->incomplete |= !kread(s, desc, "irq_desc", "depth", &line->depth);
	line->incomplete |= !kread(s, desc, "irq_desc", "kstat_irqs", &line->counts);
	/* Its own sum (tot_count) leaves out lines that each CPU handles without a lock. */
	for (size_t i = 0; i < cpu_count; i++) {
		uint64_t count;
		line->incomplete |= !irq_count(s, line, all[i].id, &count);
		line->total += count;
	}
	if (kread(s, desc, "irq_desc", "irq_data.chip", &chip) && chip)
		kread_string(s, chip, "irq_chip", "name", line->chip, sizeof(line->chip));
	read_flow(s, line);
}

/* NR_VECTORS of arch/x86/include/asm/irq_vectors.h */
enum { VECTORS = 256 };

struct found_line {
	uint64_t irq, desc;
};

static int by_number(const void *a, const void *b)
{
	const struct found_line *x = a, *y = b;

	return x->irq < y->irq ? -1 : x->irq > y->irq;
}

static void each_of_vectors(struct session *s, struct map *seen, irq_fn fn, void *ctx)
{
	struct {
		struct found_line *data;
		size_t count, capacity;
	} found = { NULL, 0, 0 };
	size_t count;
	const struct cpu *all = cpus(s, &count);
	struct found_line one;

	for (size_t i = 0; i < count; i++) {
		uint64_t table = kpercpu(s, "vector_irq", all[i].id);
		for (unsigned n = 0; table && n < VECTORS; n++) {
			/* Vectors without a line have NULL or a small negative number. */
			if (memory_u64(s->memory, table + n * 8ul, &one.desc) == READ_OK &&
			    s->arch->is_kernel_address(one.desc) && one.desc < -(uint64_t)4096 &&
			    map_set(seen, one.desc, 1) &&
			    kread(s, one.desc, "irq_desc", "irq_data.irq", &one.irq))
				vec_push(&found, one);
		}
	}
	if (found.count)
		qsort(found.data, found.count, sizeof(one), by_number);
	for (size_t i = 0; i < found.count; i++) {
		struct irq_line line;
		read_line(s, (unsigned)found.data[i].irq, found.data[i].desc, &line);
		if (!fn(ctx, &line))
			break;
	}
	vec_deinit(&found);
}

static void each_of_tree(struct session *s, enum tree_kind kind, uint64_t root,
			 struct walk_trouble *trouble, irq_fn fn, void *ctx)
{
	struct map seen = { .slots = NULL };
	struct tree_walk walk;
	struct tree_entry entry;
	struct irq_line line;

	bool ok = tree_walk_init(&walk, s, kind, root);
	while (ok && !session_stopped(s) && walk.count < LINES_MAX &&
	       tree_walk_step(&walk, &entry)) {
		if (entry.kind != TREE_POINTER)
			continue;
		map_set(&seen, entry.address, 1);
		read_line(s, (unsigned)entry.first, entry.address, &line);
		if (!fn(ctx, &line))
			break;
	}
	if (walk.trouble.count) {
		walk_trouble_add(trouble, "%s; those that the CPUs' vectors lead to are shown",
				 walk.trouble.text);
		each_of_vectors(s, &seen, fn, ctx);
	}
	tree_walk_fini(&walk);
	map_deinit(&seen);
}

static void each_of_array(struct session *s, uint64_t array, irq_fn fn, void *ctx)
{
	uint64_t size = types_sizeof(s->types, "struct irq_desc"), count;
	struct irq_line line;

	if (!size || !kglobal(s, "nr_irqs", 4, &count))
		return;
	for (uint64_t i = 0; i < count && i < LINES_MAX && !session_stopped(s); i++) {
		read_line(s, (unsigned)i, array + i * size, &line);
		if (!fn(ctx, &line))
			break;
	}
}

void irqs_each(struct session *s, struct walk_trouble *trouble, irq_fn fn, void *ctx)
{
	struct symbol symbol;

	if (!s->symbols)
		walk_trouble_add(trouble, "without symbols they cannot be found");
	else if (symbols_by_name(s->symbols, "sparse_irqs", &symbol))
		each_of_tree(s, TREE_MAPLE, symbol.address, trouble, fn, ctx);
	else if (symbols_by_name(s->symbols, "irq_desc_tree", &symbol))
		each_of_tree(s, TREE_RADIX, symbol.address, trouble, fn, ctx);
	else if (symbols_by_name(s->symbols, "irq_desc", &symbol))
		each_of_array(s, symbol.address, fn, ctx);
	else
		walk_trouble_add(trouble, "how this kernel keeps them is not known");
}

bool irq_handlers_each(struct session *s, const struct irq_line *line, irq_handler_fn fn,
		       void *ctx)
{
	uint64_t at = line->action, name;
	bool whole = true;

	for (unsigned i = 0; at && i < ACTIONS_MAX; i++) {
		struct irq_handler handler = { .action = at };
		if (!kread(s, at, "irqaction", "handler", &handler.handler))
			return false;
		kread(s, at, "irqaction", "thread_fn", &handler.thread_function);
		/* A driver may give none. */
		whole &= kread_string(s, at, "irqaction", "name", handler.name,
				      sizeof(handler.name)) ||
			 (kread(s, at, "irqaction", "name", &name) && !name);
		fn(ctx, &handler);
		if (!kread(s, at, "irqaction", "next", &at))
			return false;
	}
	return whole && !at;
}

bool irq_count(struct session *s, const struct irq_line *line, unsigned cpu, uint64_t *count)
{
	const struct cpu *c = cpu_by_id(s, cpu);
	uint32_t value;

	*count = 0;
	if (!c || !line->counts ||
	    memory_u32(s->memory, line->counts + c->percpu_offset, &value) != READ_OK)
		return false;
	*count = value;
	return true;
}

/* A cpumask_var_t: the mask itself, or (CONFIG_CPUMASK_OFFSTACK) a pointer to it. */
static bool mask_address(struct session *s, uint64_t desc, const char *path, uint64_t *address)
{
	struct member m;

	if (!types_member(s->types, "irq_desc", path, &m))
		return false;
	*address = desc + m.offset;
	return type_kind(type_strip(m.type)) != TYPE_POINTER ||
	       (memory_u64(s->memory, *address, address) == READ_OK && *address);
}

void irq_affinity(struct session *s, const struct irq_line *line, struct cpu_mask *mask)
{
	uint64_t address, bits;
	size_t count;
	const struct cpu *all = cpus(s, &count);

	*mask = (struct cpu_mask){ .bits = 0 };
	if (!kglobal(s, "nr_cpu_ids", 4, &bits) || !bits)
		bits = count ? all[count - 1].id + 1 : 0;
	mask->bits = bits < CPU_MASK_WORDS * 64 ? (unsigned)bits : CPU_MASK_WORDS * 64;
	if (mask_address(s, line->desc, "irq_common_data.affinity|irq_data.affinity", &address))
		mask->known = mask->bits && memory_read(s->memory, address, mask->words,
							(mask->bits + 63) / 64 * 8) == READ_OK;
}

static bool in_mask(const struct cpu_mask *mask, unsigned cpu)
{
	return cpu < mask->bits && mask->words[cpu / 64] >> (cpu % 64) & 1;
}

void cpu_mask_text(const struct cpu_mask *mask, struct strbuf *text)
{
	const char *comma = "";

	for (unsigned cpu = 0; cpu < mask->bits; cpu++) {
		unsigned end = cpu;
		if (!in_mask(mask, cpu))
			continue;
		while (in_mask(mask, end + 1))
			end++;
		strbuf_addf(text, end > cpu ? "%s%u-%u" : "%s%u", comma, cpu, end);
		comma = ",";
		cpu = end;
	}
}

/* --- Softirqs --- */

bool softirq(struct session *s, unsigned n, struct softirq *out)
{
	uint64_t names, vectors, size = types_sizeof(s->types, "struct softirq_action"), name;
	struct symbol symbol;

	*out = (struct softirq){ .known = false };
	if (!s->symbols || n >= SOFTIRQS_MAX)
		return false;
	names = symbols_address(s->symbols, "softirq_to_name");
	vectors = symbols_address(s->symbols, "softirq_vec");
	int64_t count;
	if (!types_enumerator(s->types, "NR_SOFTIRQS", &count))
		count = symbols_by_name(s->symbols, "softirq_to_name", &symbol)
				? (int64_t)(symbol.size / 8) : 0;
	if (n >= count || !names || !vectors)
		return false;
	if (memory_u64(s->memory, names + n * 8ul, &name) == READ_OK)
		memory_string(s->memory, name, out->name, sizeof(out->name));
	out->vector = vectors + n * (size ? size : 8);
	out->known = memory_u64(s->memory, out->vector, &out->action) == READ_OK;
	return true;
}

bool softirq_count(struct session *s, unsigned n, unsigned cpu, uint64_t *count)
{
	uint64_t at = kpercpu(s, "kstat", cpu), offset;
	uint32_t value;

	*count = 0;
	if (!at || !koffset(s, "kernel_stat", "softirqs", &offset) ||
	    memory_u32(s->memory, at + offset + n * 4ul, &value) != READ_OK)
		return false;
	*count = value;
	return true;
}

/* --- The interrupt descriptor table: gates of 16 bytes, arch/x86/include/asm/desc_defs.h. --- */

bool idt_entry(struct session *s, unsigned n, uint64_t *address)
{
	uint64_t table = s->symbols ? symbols_address(s->symbols, "idt_table") : 0;
	uint8_t gate[16];

	*address = 0;
	if (!table || n >= IDT_ENTRIES ||
	    memory_read(s->memory, table + n * sizeof(gate), gate, sizeof(gate)) != READ_OK)
		return false;
	*address = load_u16(gate) | (uint64_t)load_u16(gate + 6) << 16 |
		   (uint64_t)load_u32(gate + 8) << 32;
	return true;
}
