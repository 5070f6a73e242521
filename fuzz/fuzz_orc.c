// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Hostile ORC tables and stacks. The input describes a small world (see struct header): two stacks,
 * a table, and registers to start from; everything in it is unwound as if it came from a dump. What
 * must hold: it ends, and every frame recorded is within the limits that the header promises.
 */
#include <stdlib.h>

#include "../tests/unit/fake_unwind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct header {
	uint64_t text;          /* where code begins; it is FUZZ_TEXT bytes */
	uint64_t pc, sp, bp;
	uint64_t stack;         /* address of the first stack */
	uint16_t stack_words[2]; /* sizes of the two stacks */
	uint16_t entries;
	uint8_t in_call, inactive, no_limits, no_tables;
	uint16_t format_bias;   /* or-ed into entries that only tell the format */
};

#define FUZZ_IPS     UINT64_C(0xffffffff90000000)
#define FUZZ_ENTRIES UINT64_C(0xffffffff91000000)

enum { FUZZ_TEXT = 1 << 24, FILL = 64 };

/* Takes @count elements off the input; NULL when there are not so many. */
static const uint8_t *take(const uint8_t **data, size_t *size, size_t bytes)
{
	const uint8_t *taken = *data;

	if (bytes > *size)
		return NULL;
	*data += bytes;
	*size -= bytes;
	return taken;
}

/* Code is not stored: all its bytes are 0xe8, so that a call may end anywhere. */
static enum read_status read_world(void *ctx, uint64_t vaddr, void *buf, size_t size)
{
	const struct fake_region *r = fake_find(ctx, vaddr);

	if (r && r->text) {
		memset(buf, 0xe8, size);
		return READ_OK;
	}
	return fake_read(ctx, vaddr, buf, size);
}

static void check(const struct stack *stack)
{
	if (stack->count > UNWIND_FRAMES_MAX)
		abort();
	if (stack->end == STACK_END_INCOMPLETE && !stack->reason[0])
		abort();
	if (memchr(stack->reason, 0, sizeof(stack->reason)) == NULL)
		abort();
}

static void start(struct unwinder *u, struct fake_world *w, const struct header *h)
{
	struct stack stack;
	struct regs regs = { 0 };
	bool in_call = h->in_call;

	regs_set(&regs, X86_RIP, h->pc);
	regs_set(&regs, X86_RSP, h->sp);
	regs_set(&regs, X86_RBP, h->bp);
	if (h->inactive && !unwind_inactive_regs(u, h->sp, &regs, &in_call))
		return;
	unwind(u, &regs, in_call, h->no_limits ? NULL : fake_limits, w, &stack);
	check(&stack);
	stack_deinit(&stack);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fake_world w = { 0 };
	struct unwind_env env = fake_env(&w);
	struct header h;

	env.read = read_world;
	if (size < sizeof(h))
		return 0;
	memcpy(&h, data, sizeof(h));
	data += sizeof(h), size -= sizeof(h);
	size_t count = h.entries % 1024;
	const uint8_t *given_ips = take(&data, &size, count * ORC_IP_SIZE);
	const uint8_t *given = take(&data, &size, count * ORC_ENTRY_SIZE);
	const uint8_t *first = take(&data, &size, (size_t)(h.stack_words[0] % 4096) * 8);
	const uint8_t *second = take(&data, &size, (size_t)(h.stack_words[1] % 4096) * 8);
	if (!given_ips || !given || !first || !second)
		return 0;
	/* Entries above all code that only say which layout this is. */
	uint8_t *ips = calloc(count + FILL, ORC_IP_SIZE);
	uint8_t *entries = calloc(count + FILL, ORC_ENTRY_SIZE);
	if (!ips || !entries)
		abort();
	memcpy(ips, given_ips, count * ORC_IP_SIZE);
	memcpy(entries, given, count * ORC_ENTRY_SIZE);
	for (size_t i = count; i < count + FILL; i++) {
		uint32_t ip = (uint32_t)(h.text + FUZZ_TEXT + i - (FUZZ_IPS + i * ORC_IP_SIZE));

		memcpy(ips + i * ORC_IP_SIZE, &ip, sizeof(ip));
		entries[i * ORC_ENTRY_SIZE] = 8;
		memcpy(entries + i * ORC_ENTRY_SIZE + 4, &h.format_bias, 2);
	}
	fake_add(&w, h.text, ips, FUZZ_TEXT, true, NULL);
	fake_add(&w, h.stack, first, (size_t)(h.stack_words[0] % 4096) * 8, false, "task");
	fake_add(&w, h.stack + 0x100000, second, (size_t)(h.stack_words[1] % 4096) * 8, false,
		 "irq");
	fake_add(&w, FUZZ_IPS, ips, (count + FILL) * ORC_IP_SIZE, false, NULL);
	fake_add(&w, FUZZ_ENTRIES, entries, (count + FILL) * ORC_ENTRY_SIZE, false, NULL);
	if (!h.no_tables) {
		fake_symbol(&w, "__start_orc_unwind_ip", FUZZ_IPS);
		fake_symbol(&w, "__stop_orc_unwind_ip", FUZZ_IPS + (count + FILL) * ORC_IP_SIZE);
		fake_symbol(&w, "__start_orc_unwind", FUZZ_ENTRIES);
		fake_symbol(&w, "__stop_orc_unwind",
			    FUZZ_ENTRIES + (count + FILL) * ORC_ENTRY_SIZE);
		fake_symbol(&w, "ret_from_fork", h.text);
	}
	struct unwinder *u = unwinder_create_env(&env);
	start(u, &w, &h);
	unwinder_destroy(u);
	free(ips);
	free(entries);
	return 0;
}
