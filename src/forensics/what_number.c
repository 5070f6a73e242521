// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Values that are no address: NULL and members of it, error codes, poison, and what the CPU cannot
 * address. Of the last, where a single flipped bit would make a good address of it, that is said:
 * failing memory does that. Flips are only tried where they make an address canonical, and only
 * exact answers count: nearly every address of the direct map is something.
 */
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "forensics/poison.h"
#include "forensics/what.h"

enum {
	NULL_SPAN = 4096,
	MAX_ERRNO = 4095, /* include/linux/err.h */
};

/* Only seen inside the kernel: include/linux/errno.h. */
const char *errno_word(int number)
{
	static const char *const names[] = {
		[0] = "ERESTARTSYS",    [1] = "ERESTARTNOINTR",  [2] = "ERESTARTNOHAND",
		[3] = "ENOIOCTLCMD",    [4] = "ERESTART_RESTARTBLOCK", [5] = "EPROBE_DEFER",
		[6] = "EOPENSTALE",     [7] = "ENOPARAM",        [9] = "EBADHANDLE",
		[10] = "ENOTSYNC",      [11] = "EBADCOOKIE",     [12] = "ENOTSUPP",
		[13] = "ETOOSMALL",     [14] = "ESERVERFAULT",   [15] = "EBADTYPE",
		[16] = "EJUKEBOX",      [17] = "EIOCBQUEUED",    [18] = "ERECALLCONFLICT",
		[19] = "ENOGRACE",
	};

	if (number >= 512 && number < 512 + (int)array_size(names))
		return names[number - 512];
	return strerrorname_np(number);
}

bool what_null(const struct what_ask *ask)
{
	if (ask->address >= NULL_SPAN)
		return false;
	what_set(ask, WHAT_NULL, 0, 0);
	if (ask->address)
		what_textf(ask, "NULL + 0x%lx: a small number, or a member of a structure at NULL",
			   (unsigned long)ask->address);
	else
		what_textf(ask, "NULL");
	return true;
}

bool what_err_ptr(const struct what_ask *ask)
{
	int number = (int)-(int64_t)ask->address;

	if (-ask->address - 1 >= MAX_ERRNO)
		return false;
	const char *name = errno_word(number);
	/* As words of memory, numbers like -1 are numbers. */
	if (ask->brief && (!name || number == 1))
		return true;
	what_set(ask, WHAT_ERR_PTR, 0, 0);
	if (ask->brief)
		what_textf(ask, "-%s", name);
	else if (name)
		what_textf(ask, "error code %d (-%s) as a pointer", -number, name);
	else
		what_textf(ask, "%d: a small negative number, in the range of error codes", -number);
	return true;
}

bool what_poison(const struct what_ask *ask)
{
	const struct poison *poison = poison_of(ask->address);
	char text[96];

	if (!poison)
		return false;
	what_set(ask, WHAT_POISON, poison->value, 0);
	poison_text(poison, ask->address, text, sizeof(text));
	if (ask->brief)
		what_textf(ask, "%s", text);
	else
		what_textf(ask, "%s: %s", text, poison->meaning);
	return true;
}

/* Kinds that a random address would hardly be. */
static bool is_exact(const struct what *what)
{
	static const bool exact[WHAT_COUNT] = {
		[WHAT_TEXT] = true,   [WHAT_DATA] = true, [WHAT_RODATA] = true,
		[WHAT_PERCPU] = true, [WHAT_STACK] = true, [WHAT_SLAB] = true,
		[WHAT_KFENCE] = true, [WHAT_VMALLOC] = true, [WHAT_PAGE_STRUCT] = true,
		[WHAT_BPF] = true,    [WHAT_PAGE] = true,
	};

	return exact[what->kind] && what->mapped;
}

static void try_flips(const struct what_ask *ask, unsigned levels)
{
	const struct arch *arch = ask->s->arch;

	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t other = ask->address ^ UINT64_C(1) << bit;
		struct what what;
		if (!arch->canonical(other, levels) || !arch->is_kernel_address(other))
			continue;
		what_ask_again(ask, other, &what);
		if (is_exact(&what))
			what_detailf(ask, "one bit (%u) away from 0x%lx: %s", bit,
				     (unsigned long)other, what.text);
	}
}

bool what_non_canonical(const struct what_ask *ask)
{
	unsigned levels = memory_layout(ask->s->memory)->root.levels;
	char text[9];

	if (!levels || ask->s->arch->canonical(ask->address, levels))
		return false;
	what_set(ask, WHAT_NON_CANONICAL, 0, 0);
	if (number_as_text(ask->address, text)) {
		what_textf(ask, "no address that this CPU can have (non-canonical): the text \"%s\"",
			   text);
		return true;
	}
	what_textf(ask, "no address that this CPU can have (non-canonical)");
	if (!ask->depth || ask->depth == 1)
		try_flips(ask, levels);
	return true;
}
