// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Each CPU has a node for each of its contexts (task, softirq, interrupt, NMI). Whoever comes to
 * wait puts "CPU + 1, context" into the upper bits of the lock's word and the address of its node
 * into the node that was the last one before. So the line is followed from its end: the node before
 * another is the one, among those in use, that leads to it. The very first waiter takes no node but
 * sets the pending bits.
 *
 * Sources, in linux/: kernel/locking/qspinlock.c (qnodes, mcs_nodes until 5.0; the first node's
 * count says how many of a CPU's are in use), kernel/locking/mcs_spinlock.h,
 * include/asm-generic/qspinlock_types.h (bits of the word, which depend on NR_CPUS),
 * arch/x86/include/asm/qspinlock.h (virt_spin_lock).
 */
#include "kernel/spin_queue.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "kernel/cpus.h"

enum {
	CONTEXTS = 4,
	LOCKED_MASK = 0xff,
	PENDING = 1 << 8,
	TAIL_SHIFT_FEW = 16, TAIL_SHIFT_MANY = 9, /* below 16 Ki CPUs, and from there on */
	MANY_CPUS_WORDS = 256, BITS_PER_WORD = 64,
	CONTEXT_BITS = 2,
};

struct nodes {
	struct session *s;
	uint64_t size;
	uint64_t used[CONTEXTS * SPIN_QUEUE_MAX]; /* addresses of nodes in use */
	uint64_t next[CONTEXTS * SPIN_QUEUE_MAX]; /* where each leads to */
	unsigned cpu[CONTEXTS * SPIN_QUEUE_MAX];
	size_t count;
};

/* struct cpumask has a bit for each CPU that the kernel was made for. */
static unsigned tail_shift(struct session *s)
{
	return types_sizeof(s->types, "cpumask") / sizeof(uint64_t) >= MANY_CPUS_WORDS
		       ? TAIL_SHIFT_MANY : TAIL_SHIFT_FEW;
}

static uint64_t first_node(struct session *s, unsigned cpu)
{
	uint64_t at = kpercpu(s, "qnodes", cpu);

	return at ? at : kpercpu(s, "mcs_nodes", cpu);
}

static bool gather(struct nodes *nodes)
{
	struct session *s = nodes->s;
	size_t n;
	const struct cpu *all = cpus(s, &n);

	nodes->size = types_sizeof(s->types, "qnode");
	if (!nodes->size)
		nodes->size = types_sizeof(s->types, "mcs_spinlock");
	if (!nodes->size)
		return false;
	for (size_t i = 0; i < n && i < SPIN_QUEUE_MAX; i++) {
		uint64_t at = first_node(s, all[i].id), count;
		if (!at || !kread(s, at, "mcs_spinlock", "count", &count) || count > CONTEXTS) {
			/* It may be in the middle of the line, or the first. */
			if (all[i].online)
				return false;
			continue;
		}
		for (unsigned c = 0; c < count; c++) {
			uint64_t next;
			if (!kread(s, at + c * nodes->size, "mcs_spinlock", "next", &next))
				return false;
			nodes->used[nodes->count] = at + c * nodes->size;
			nodes->next[nodes->count] = next;
			nodes->cpu[nodes->count++] = all[i].id;
		}
	}
	return true;
}

static size_t node_at(const struct nodes *nodes, uint64_t address)
{
	size_t i = 0;

	while (i < nodes->count && nodes->used[i] != address)
		i++;
	return i;
}

static size_t node_before(const struct nodes *nodes, size_t node)
{
	size_t i = 0;

	while (i < nodes->count && (i == node || nodes->next[i] != nodes->used[node]))
		i++;
	return i;
}

bool spin_queue_read(struct session *s, uint64_t address, struct spin_queue *queue)
{
	struct nodes *nodes;
	uint32_t word;

	*queue = (struct spin_queue){ 0 };
	if (!s->symbols || !s->types || memory_u32(s->memory, address, &word) != READ_OK)
		return false;
	unsigned shift = tail_shift(s), tail = word >> shift;
	queue->held = word & LOCKED_MASK;
	queue->pending = word & PENDING;
	if (!tail)
		return queue->pending;
	nodes = xcalloc(1, sizeof(*nodes));
	nodes->s = s;
	unsigned cpu = (tail >> CONTEXT_BITS) - 1, context = tail & (CONTEXTS - 1);
	bool known = tail >> CONTEXT_BITS && cpu_by_id(s, cpu) && gather(nodes);
	size_t node = known ? node_at(nodes, first_node(s, cpu) + context * nodes->size)
			    : nodes->count;
	known = known && node < nodes->count;
	size_t most = min_u64(nodes->count, SPIN_QUEUE_MAX);
	while (known && node < nodes->count && queue->count < most) {
		queue->cpus[queue->count++] = nodes->cpu[node];
		node = node_before(nodes, node);
	}
	/* Damaged ones may lead round in a circle. */
	known = known && node == nodes->count;
	queue->count = known ? queue->count : 0;
	for (size_t i = 0; i < queue->count / 2; i++) {
		unsigned other = queue->cpus[queue->count - 1 - i];
		queue->cpus[queue->count - 1 - i] = queue->cpus[i];
		queue->cpus[i] = other;
	}
	free(nodes);
	return known;
}
