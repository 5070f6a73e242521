// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Poison: include/linux/poison.h of 4.4 to 7.0, and the magic numbers that stand where a pointer
 * could be. Pointers are offset by POISON_POINTER_DELTA, which on x86-64 is 0xdead000000000000
 * (CONFIG_ILLEGAL_POINTER_VALUE), a non-canonical address.
 *
 * A poisoned pointer is seldom used as it is: a member is accessed behind it, or it is that of a
 * list entry, whose structure begins below it. So each has a range around its value.
 */
#include "forensics/poison.h"

#include <inttypes.h>
#include <stdio.h>

#define DELTA UINT64_C(0xdead000000000000)
#define FILL(byte) (UINT64_C(0x0101010101010101) * (byte))

static const char list_prev[] = "the prev pointer of a list entry that was already deleted";
static const char slab_freed[] =
	"the slab allocator's filling of freed objects: used after it was freed";

static const struct poison poisons[] = {
	{ DELTA + 0x040, 0, 4, "PP_SIGNATURE", "page-pool", "the mark of pages of a page pool" },
	{ DELTA + 0x100, 0xc0, 0x22, "LIST_POISON1", "list-poison",
	  "the next pointer of a list entry that was already deleted" },
	/* Its value before 4.15; no pointer to a member. */
	{ DELTA + 0x200, 0, 1, "LIST_POISON2", "list-poison", list_prev },
	{ DELTA + 0x122, 0, 0x1de, "LIST_POISON2", "list-poison", list_prev },
	{ DELTA + 0x300, 0, 0x100, "TIMER_ENTRY_STATIC", "timer-poison",
	  "a static timer that was never put in a list" },
	{ DELTA + 0x400, 0, 0x100, "TAIL_MAPPING", "page-poison", "the mapping of a tail page" },
	{ DELTA + 0x500, 0, 0x100, "MUTEX_POISON_WW_CTX", "mutex-poison",
	  "the context of a wound/wait mutex that was released" },
	{ DELTA + 0x600, 0, 0x200, "POISON_POINTER_DELTA + 0x600", "poison",
	  "a pointer that was made invalid on purpose" },
	{ DELTA + 0x800, 0, 1, "SKB_LIST_POISON_NEXT", "net-poison",
	  "the next pointer of a network buffer that was taken off its list" },
	{ DELTA + 0x801, 0, 0xff, "NET_PTR_POISON", "net-poison",
	  "a network buffer's pointer that must not be used any more" },
	{ DELTA + 0xeb9f, 0, 0x100, "BPF_PTR_POISON", "bpf-poison",
	  "a BPF pointer that was made invalid" },
	{ DELTA + 0xd390, 0, 0x100, "STACK_DEPOT_POISON", "depot-poison",
	  "a stack record that was evicted" },
	/* Seven bytes and what is added to them: a container or a member of it. */
	{ FILL(0x6b), 0x10000, 0x10000, "POISON_FREE", "use-after-free", slab_freed },
	{ UINT64_C(0xa56b6b6b6b6b6b6b), 0, 0x10000, "POISON_FREE", "use-after-free", slab_freed },
	{ FILL(0x5a), 0x10000, 0x10000, "POISON_INUSE", "uninitialised",
	  "the slab allocator's filling of fresh objects: used before it was set" },
	{ FILL(0xaa), 0x10000, 0x10000, "PAGE_POISON", "uninitialised",
	  "the page allocator's filling of freed pages" },
	{ FILL(0xcc), 0x10000, 0x10000, "POISON_FREE_INITMEM", "freed-init",
	  "memory of init sections that was freed after boot, or a slab's red zone" },
	{ FILL(0xbb), 0x1000, 0x1000, "SLUB_RED_INACTIVE", "red-zone",
	  "the red zone beside a free slab object" },
	{ FILL(0xa5), 0x1000, 0x1000, "POISON_END", "use-after-free",
	  "the last bytes of a freed slab object" },
	{ FILL(0xbd), 0x1000, 0x1000, "KEY_DESTROY", "use-after-free",
	  "the filling of a key that was destroyed" },
	{ FILL(0x22), 0x1000, 0x1000, "MUTEX_DEBUG_FREE", "mutex-poison",
	  "the filling of a mutex that was destroyed" },
	{ UINT64_C(0xffffffffffff4111), 0, 1, "STACKLEAK_POISON", "uninitialised",
	  "the filling of a stack that was not in use: used before it was set" },
	{ UINT64_C(0x09f911029d74e35b), 0, 1, "RED_INACTIVE", "red-zone",
	  "SLAB's red zone beside a free object" },
	{ UINT64_C(0xd84156c5635688c0), 0, 1, "RED_ACTIVE", "red-zone",
	  "SLAB's red zone beside an object" },
	/* Numbers of 32 bits. */
	{ 0x57ac6e9d, 0, 1, "STACK_END_MAGIC", "stack-end", "the mark at the low end of a stack" },
	{ 0xdead4ead, 0, 1, "SPINLOCK_MAGIC", "lock-magic", "the mark in a spinlock" },
	{ 0xdeaf1eed, 0, 1, "RWLOCK_MAGIC", "lock-magic", "the mark in a reader/writer lock" },
	{ 0xdeadbeef, 0, 1, "0xdeadbeef", "magic", "a number that programmers write to be seen" },
	{ UINT64_C(0xdeadbeefdeadbeef), 0x1000, 0x1000, "0xdeadbeefdeadbeef", "magic",
	  "a number that programmers write to be seen" },
	{ UINT64_C(0xffffffffdeadbeef), 0, 1, "0xdeadbeef", "magic",
	  "a number that programmers write to be seen" },
};

/* Anything else between the delta and here was made of it. */
enum { DELTA_SPAN = 1 << 20 };

static const struct poison other = {
	DELTA, 0x1000, DELTA_SPAN, "POISON_POINTER_DELTA", "poison",
	"a pointer that was made invalid on purpose",
};

const struct poison *poison_of(uint64_t value)
{
	for (size_t i = 0; i < array_size(poisons); i++) {
		const struct poison *p = &poisons[i];
		if (value - (p->value - p->below) < p->below + p->above)
			return p;
	}
	return value - (other.value - other.below) < other.below + other.above ? &other : NULL;
}

void poison_text(const struct poison *poison, uint64_t value, char *buf, size_t size)
{
	if (value == poison->value)
		snprintf(buf, size, "%s", poison->name);
	else if (value > poison->value)
		snprintf(buf, size, "%s + 0x%" PRIx64, poison->name, value - poison->value);
	else
		snprintf(buf, size, "%s - 0x%" PRIx64, poison->name, poison->value - value);
}

const struct poison *poison_of_fill(const uint8_t *bytes, size_t size)
{
	size_t same = 1;

	while (same < size && bytes[same] == bytes[0])
		same++;
	if (size < 2 || same + 1 < size)
		return NULL;
	for (size_t i = 0; i < array_size(poisons); i++) {
		if (poisons[i].value == FILL(bytes[0]))
			return &poisons[i];
	}
	return NULL;
}

bool number_as_text(uint64_t value, char text[9])
{
	for (unsigned i = 0; i < 8; i++) {
		unsigned char c = (unsigned char)(value >> i * 8);
		if (c < ' ' || c > '~')
			return false;
		text[i] = (char)c;
	}
	text[8] = '\0';
	return true;
}
