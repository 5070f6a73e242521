// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * CPUs. __cpu_possible_mask says for which numbers the kernel made a per-CPU area (kernel/cpu.c);
 * before 4.5 the bits are named cpu_possible_bits. __per_cpu_offset[n] is what has to be added to
 * a per-CPU symbol's value to get at the variable of CPU n. A kernel without SMP has neither: its
 * one CPU's variables are where the symbols say.
 *
 * The running task: `current_task`, which was a member of pcpu_hot from 6.2 to 6.14.
 */
#include "kernel/cpus.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "kernel/cpu_state.h"
#include "kernel/text.h"

uint64_t cpu_variable(struct session *s, const struct cpu *cpu, const char *symbol)
{
	struct symbol found;

	if (!s->symbols || !symbols_by_name(s->symbols, symbol, &found))
		return 0;
	return found.address + cpu->percpu_offset;
}

bool cpu_pointer(struct session *s, const struct cpu *cpu, const char *symbol, uint64_t *value)
{
	uint64_t address = cpu_variable(s, cpu, symbol);

	*value = 0;
	return address && memory_u64(s->memory, address, value) == READ_OK;
}

static bool read_mask(struct session *s, const char *name, const char *old_name, uint8_t *bits,
		      size_t size)
{
	uint64_t address = symbols_address(s->symbols, name);

	if (!address)
		address = symbols_address(s->symbols, old_name);
	memset(bits, 0, size);
	return address && memory_read(s->memory, address, bits, size) == READ_OK;
}

static bool bit_of(const uint8_t *bits, unsigned n)
{
	return bits[n / 8] >> (n % 8) & 1;
}

/*
 * How many CPU numbers there can be. nr_cpu_ids is a constant in the program text when the kernel
 * was built with FORCE_NR_CPUS; the symbol that follows __per_cpu_offset[] bounds it then.
 */
static unsigned cpu_numbers(struct session *s)
{
	struct symbol offsets;
	uint64_t count;

	if (!symbols_by_name(s->symbols, "__per_cpu_offset", &offsets))
		return 1;
	if (!kglobal(s, "nr_cpu_ids", 4, &count) || !count)
		count = offsets.size ? offsets.size / sizeof(uint64_t) : CPUS_MAX;
	return count < CPUS_MAX ? (unsigned)count : CPUS_MAX;
}

static uint64_t current_of(struct session *s, const struct cpu *cpu)
{
	uint64_t hot = cpu_variable(s, cpu, "pcpu_hot");
	uint64_t offset, task;

	/* It was the first member there as long as there was such a struct. */
	if (!koffset(s, "pcpu_hot", "current_task", &offset))
		offset = 0;
	if (hot && memory_u64(s->memory, hot + offset, &task) == READ_OK && task)
		return task;
	if (cpu_pointer(s, cpu, "current_task", &task) && task)
		return task;
	hot = cpu_variable(s, cpu, "runqueues");
	return hot && kread(s, hot, "rq", "curr", &task) ? task : 0;
}

static void add_cpu(struct session *s, struct cpu_state *state, unsigned id, uint64_t offset,
		    bool online)
{
	struct cpu *cpu = &state->cpus[state->count++];

	cpu->id = id;
	cpu->online = online;
	cpu->percpu_offset = offset;
	cpu->current_task = current_of(s, cpu);
}

static void find_cpus(struct session *s, struct cpu_state *state)
{
	unsigned numbers = cpu_numbers(s);
	uint64_t offsets = symbols_address(s->symbols, "__per_cpu_offset");
	uint8_t possible[CPUS_MAX / 8], online[CPUS_MAX / 8], active[CPUS_MAX / 8];
	size_t mask_size = (numbers + 63) / 64 * 8;
	bool has_possible, has_online;
	unsigned lost = 0;
	uint64_t offset;

	state->cpus = xcalloc(numbers, sizeof(*state->cpus));
	if (!offsets) {
		add_cpu(s, state, 0, 0, true);
		return;
	}
	has_possible =
		read_mask(s, "__cpu_possible_mask", "cpu_possible_bits", possible, mask_size);
	has_online = read_mask(s, "__cpu_online_mask", "cpu_online_bits", online, mask_size);
	if (!has_possible)
		session_problem(s, "the map of possible CPUs is not in the dump");
	/* A panic takes the CPUs that it stops off the online mask, but off no other. */
	bool has_active =
		read_mask(s, "__cpu_active_mask", "cpu_active_bits", active, mask_size);
	for (size_t i = 0; i < mask_size; i++)
		online[i] |= active[i];
	if (!has_online || !has_active)
		session_problem(s, "which CPUs were online is not wholly in the dump");
	for (unsigned i = 0; i < numbers; i++) {
		if (has_possible && !bit_of(possible, i))
			continue;
		if (memory_u64(s->memory, offsets + i * sizeof(offset), &offset) != READ_OK) {
			lost++;
			continue;
		}
		/* Unused slots hold an address inside the kernel image: no area of their own. */
		if (!has_possible && has_online && !bit_of(online, i))
			continue;
		add_cpu(s, state, i, offset, !has_online || bit_of(online, i));
	}
	if (lost)
		session_problem(s, "where %u CPUs have their variables (__per_cpu_offset) is not in "
				"the dump", lost);
}

static void destroy_state(void *data)
{
	struct cpu_state *state = data;

	pthread_mutex_destroy(&state->lock);
	free(state->cpus);
	free(state->stacks);
	free(state);
}

struct cpu_state *cpu_state(struct session *s)
{
	struct cpu_state *state = s->slot[SLOT_CPUS].data;

	if (state)
		return state;
	state = xcalloc(1, sizeof(*state));
	pthread_mutex_init(&state->lock, NULL);
	s->slot[SLOT_CPUS].data = state;
	s->slot[SLOT_CPUS].destroy = destroy_state;
	if (s->symbols) {
		find_cpus(s, state);
		cpu_find_regs(s, state);
	}
	state->stacks = xcalloc(state->count, sizeof(*state->stacks));
	return state;
}

const struct cpu *cpus(struct session *s, size_t *count)
{
	if (s->text) {
		*count = s->text->cpu_count;
		return s->text->cpus;
	}
	const struct cpu_state *state = cpu_state(s);

	*count = state->count;
	return state->cpus;
}

const struct cpu *cpu_by_id(struct session *s, unsigned id)
{
	size_t count;
	const struct cpu *all = cpus(s, &count);

	for (size_t i = 0; i < count; i++) {
		if (all[i].id == id)
			return &all[i];
	}
	return NULL;
}

bool cpu_set_current(struct session *s, unsigned id, uint64_t task)
{
	struct cpu_state *state = s->text ? NULL : cpu_state(s);

	for (size_t i = 0; state && i < state->count; i++) {
		if (state->cpus[i].id == id) {
			state->cpus[i].current_task = task;
			return true;
		}
	}
	return false;
}
