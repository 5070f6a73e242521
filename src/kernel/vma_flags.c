// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The bits of vm_flags are macros up to 6.18, of which a dump knows nothing; from then on they are
 * enumerators, VMA_READ_BIT and so on. The table has those whose number did not change since 4.14
 * (include/linux/mm.h); it holds for x86-64, whose own bits are 24 and 32 to 35.
 */
#include "kernel/vma_flags.h"

#include <stdio.h>
#include <string.h>

static const char *const names[64] = {
	[0] = "READ",        [1] = "WRITE",       [2] = "EXEC",        [3] = "SHARED",
	[4] = "MAYREAD",     [5] = "MAYWRITE",    [6] = "MAYEXEC",     [7] = "MAYSHARE",
	[8] = "GROWSDOWN",   [9] = "UFFD_MISSING", [10] = "PFNMAP",    [12] = "UFFD_WP",
	[13] = "LOCKED",     [14] = "IO",         [15] = "SEQ_READ",   [16] = "RAND_READ",
	[17] = "DONTCOPY",   [18] = "DONTEXPAND", [19] = "LOCKONFAULT", [20] = "ACCOUNT",
	[21] = "NORESERVE",  [22] = "HUGETLB",    [23] = "SYNC",       [24] = "PAT",
	[25] = "WIPEONFORK", [26] = "DONTDUMP",   [27] = "SOFTDIRTY",  [28] = "MIXEDMAP",
	[29] = "HUGEPAGE",   [30] = "NOHUGEPAGE", [31] = "MERGEABLE",  [32] = "PKEY_BIT0",
	[33] = "PKEY_BIT1",  [34] = "PKEY_BIT2",  [35] = "PKEY_BIT3",
};

/* Those that have no place in the table, under the names of newer kernels. */
static const char *const newer[] = {
	"VMA_MAYBE_GUARD_BIT", "VMA_UFFD_MINOR_BIT", "VMA_SHADOW_STACK_BIT",
	"VMA_ALLOW_ANY_UNCACHED_BIT", "VMA_DROPPABLE_BIT", "VMA_SEALED_BIT", "VMA_PKEY_BIT4_BIT",
};

static bool newer_name(struct session *s, unsigned bit, char *buf, size_t size)
{
	static const char before[] = "VMA_", behind[] = "_BIT";
	int64_t value;

	for (size_t i = 0; i < array_size(newer); i++) {
		if (!types_enumerator(s->types, newer[i], &value) || value != bit)
			continue;
		const char *name = newer[i] + strlen(before);
		snprintf(buf, size, "%.*s", (int)(strlen(name) - strlen(behind)), name);
		return true;
	}
	return false;
}

bool vma_flag_name(struct session *s, unsigned bit, char *buf, size_t size)
{
	if (bit < array_size(names) && names[bit]) {
		snprintf(buf, size, "%s", names[bit]);
		return true;
	}
	if (newer_name(s, bit, buf, size))
		return true;
	snprintf(buf, size, "BIT_%u", bit);
	return false;
}

void vma_flags_text(struct session *s, uint64_t flags, char *buf, size_t size)
{
	size_t at = 0;

	if (size)
		buf[0] = '\0';
	for (unsigned bit = 0; bit < 64 && at < size; bit++) {
		char name[32];
		if (!(flags >> bit & 1))
			continue;
		vma_flag_name(s, bit, name, sizeof(name));
		at += (size_t)snprintf(buf + at, size - at, "%s%s", at ? "|" : "", name);
	}
}
