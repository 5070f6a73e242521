// SPDX-License-Identifier: LGPL-2.1-or-later
/* The journal of what was changed by hand; the changed pages themselves are the dump's overlay. */
#include "kernel/changes.h"

#include <stdlib.h>

#include "base/vec.h"

struct journal {
	vec_fields(struct change);
	size_t told;
};

static void destroy(void *data)
{
	struct journal *journal = data;

	vec_deinit(journal);
	free(journal);
}

static struct journal *journal_of(struct session *s)
{
	return s->slot[SLOT_CHANGES].data;
}

enum read_status memory_change(struct session *s, uint64_t address, struct paddr paddr,
			       unsigned size, uint64_t value, struct change *change)
{
	struct change made = { .address = address, .paddr = paddr, .size = size };

	made.after = size < 8 ? value & ((UINT64_C(1) << 8 * size) - 1) : value;
	enum read_status status = memory_read_phys(s->memory, paddr, &made.before, size);
	if (status == READ_OK)
		status = dump_overlay_write(s->dump, paddr, &made.after, size);
	if (status != READ_OK)
		return status;
	session_forget(s);
	if (!journal_of(s)) {
		s->slot[SLOT_CHANGES].data = xcalloc(1, sizeof(struct journal));
		s->slot[SLOT_CHANGES].destroy = destroy;
	}
	vec_push(journal_of(s), made);
	if (change)
		*change = made;
	return READ_OK;
}

const struct change *changes(struct session *s, size_t *count)
{
	const struct journal *journal = journal_of(s);

	*count = journal ? journal->count : 0;
	return journal ? journal->data : NULL;
}

size_t changes_drop(struct session *s)
{
	struct journal *journal = journal_of(s);
	size_t count = journal ? journal->count : 0;

	if (!count)
		return 0;
	dump_overlay_drop(s->dump);
	session_forget(s);
	journal->count = journal->told = 0;
	return count;
}

bool changes_untold(struct session *s)
{
	struct journal *journal = journal_of(s);
	bool untold = journal && journal->count > journal->told;

	if (untold)
		journal->told = journal->count;
	return untold;
}
